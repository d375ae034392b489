package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	api "glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/natstest"
	"glyphbox/internal/porttest/process"
	"glyphbox/internal/progress"
)

// asProgram is set in the environment of a test binary that is to be the program itself.
const asProgram = "GLYPHBOX_TEST_AS_PROGRAM"

// TestMain lets the test binary be the program: its own worker, and a server that can be killed.
func TestMain(m *testing.M) {
	natstest.Main()
	progress.Interval = 0 // so that tests see how far something has come
	attemptsInterval = 15 * time.Minute
	if os.Getenv(asProgram) != "" || len(os.Args) > 1 && os.Args[1] == "worker" {
		var stderr io.Writer = os.Stderr
		if lines, err := strconv.Atoi(os.Getenv(killVariable)); err == nil {
			stderr = &lineKiller{lines}
		}
		os.Exit(Run(Interrupted(), Process{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: stderr, Version: "test"}))
	}
	code := mariadbtest.Main(m)
	closeChromium()
	os.Exit(code)
}

const adminPassword = "administrator-1"

// freeAddress returns an address where nothing listens, and that no other caller gets.
func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := process.Address()
	return ok(t, address, err)
}

// serveArgs are for a server in that directory at an address of its own.
func serveArgs(t testing.TB, dir string, more ...string) []string {
	t.Helper()
	return append([]string{"serve", "--addr", freeAddress(t), "--data-dir", dir, "--log-format", "json", "--ocr-workers", "2"}, more...)
}

// withModels are flags of a server that reads as people's servers do, with the second recogniser. It loads its models for a second.
var withModels = []string{"--models", "", "--ocr-workers", "2", "--effort", "accurate"}

// briefly are flags of a server of a test that needs some server.
func briefly() []string {
	if check.Soak() {
		return nil
	}
	return []string{"--models", "none", "--ocr-workers", "1", "--effort", "fast"}
}

// logLines hands out what a server logs, one line at a time.
type logLines struct {
	t     testing.TB
	lines chan string
}

// watchLog reads a log until it ends.
func watchLog(t testing.TB, log io.Reader) logLines {
	w := logLines{t, make(chan string, 10_000)}
	go func() {
		defer close(w.lines)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			w.lines <- lines.Text()
		}
	}()
	return w
}

// until returns the first line to come with that message.
func (w logLines) until(message string) map[string]any {
	w.t.Helper()
	var seen []string
	for line := range w.lines {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == message {
			return entry
		}
		seen = append(seen, line)
	}
	w.t.Fatalf("the server ended without the message %q:\n%s", message, strings.Join(seen, "\n"))
	return nil
}

// server is the service in this process.
type server struct {
	person
	log    logLines
	stop   context.CancelFunc
	exit   chan int
	stdout *bytes.Buffer // to be read after the exit
}

// start starts the service in this process and stops it when the test ends.
func start(t testing.TB, dir string, more ...string) *server {
	t.Helper()
	return startWith(t, []string{"GLYPHBOX_ADMIN_PASSWORD=" + adminPassword}, dir, more...)
}

// startWith is start with that environment.
func startWith(t testing.TB, env []string, dir string, more ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	logged, log := io.Pipe()
	s := &server{log: watchLog(t, logged), stop: cancel, exit: make(chan int, 1), stdout: &bytes.Buffer{}}
	args := serveArgs(t, dir, append(briefly(), more...)...)
	go func() {
		s.exit <- Run(ctx, Process{Args: args, Env: env, Stdout: s.stdout, Stderr: log, Version: "test"})
		log.Close()
	}()
	t.Cleanup(func() {
		cancel()
		for range s.log.lines { // until it has ended
		}
	})
	s.person = person{t: t, base: "http://" + s.log.until("listening")["address"].(string)}
	return s
}

// wait waits for the exit code.
func (s *server) wait() int {
	for range s.log.lines {
	}
	return <-s.exit
}

// spawn starts the service as a process of its own, which is killed when the test ends if it still runs.
func spawn(t testing.TB, dir string, more ...string) (person, *exec.Cmd) {
	t.Helper()
	cmd, log := spawnLogged(t, dir, more...)
	return person{t: t, base: "http://" + log.until("listening")["address"].(string)}, cmd
}

// spawnLogged is spawn, with the log for the caller.
func spawnLogged(t testing.TB, dir string, more ...string) (*exec.Cmd, logLines) {
	t.Helper()
	cmd := exec.Command(os.Args[0], serveArgs(t, dir, append(briefly(), more...)...)...)
	cmd.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH")}
	logged, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, watchLog(t, logged)
}

// person is a user of the API.
type person struct {
	t     testing.TB
	base  string
	token string
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body []byte
}

func (c person) request(method, path string, body io.Reader, header ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// try sends a request; an error is one of the connection.
func try(r *http.Request) (reply, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return reply{response, body}, err
}

// do sends a request and wants that status.
func (c person) do(want int, method, path string, body io.Reader, header ...string) reply {
	c.t.Helper()
	got, err := try(c.request(method, path, body, header...))
	if err != nil {
		c.t.Fatal(err)
	}
	if got.StatusCode != want {
		c.t.Fatalf("%s %s: %s, want %d\n%s", method, path, got.Status, want, got.body)
	}
	return got
}

// call is do with a body in JSON, where there is one.
func (c person) call(want int, method, path string, body any, header ...string) reply {
	c.t.Helper()
	if body == nil {
		return c.do(want, method, path, nil, header...)
	}
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.do(want, method, path, bytes.NewReader(b), append([]string{"Content-Type", "application/json"}, header...)...)
}

// as decodes an answer.
func as[T any](t testing.TB, r reply) (v T) {
	t.Helper()
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return v
}

type object = map[string]any

const password = "correct-horse-9"

// client is the typed client of the person.
func (c person) client() api.Client { return api.Client{Server: c.base, Token: c.token} }

// ok returns a value that must have come without an error.
func ok[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// signsUp makes an account.
func (c person) signsUp(name string) {
	c.t.Helper()
	_, err := c.client().SignUp(c.t.Context(), api.SignUpForm{Name: name, Email: name + "@example.org", Password1: password,
		Password2: password})
	check.OK(c.t, "SignUp", err)
}

// signUp makes an account and signs in.
func (c person) signUp(name string) person {
	c.t.Helper()
	c.signsUp(name)
	return c.login(name, password)
}

func (c person) login(name, password string) person {
	c.t.Helper()
	c.token = c.grant(name, password).AccessToken
	return c
}

func (c person) grant(name, password string) api.Grant {
	c.t.Helper()
	grant, err := c.client().WithToken("").Login(c.t.Context(), name, password)
	return ok(c.t, grant, err)
}

// multipartOf is the body of an upload.
func multipartOf(t testing.TB, name string, data []byte) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return body, form.FormDataContentType()
}

func (c person) upload(name string, data []byte) api.Image {
	c.t.Helper()
	image, err := c.client().Upload(c.t.Context(), name, bytes.NewReader(data))
	return ok(c.t, image, err)
}

// search finds images by a keyword.
func (c person) search(keyword string) []api.Image {
	c.t.Helper()
	images, err := c.client().Images(c.t.Context(), api.ImageQuery{Keyword: keyword})
	return ok(c.t, images, err).Items
}

func path(format string, args ...any) string { return "/api/v1" + fmt.Sprintf(format, args...) }

func texts(contents []api.Content) (texts []string) {
	for _, c := range contents {
		texts = append(texts, c.Text)
	}
	return texts
}

// drawn is a page for the tests.
func drawn() (png []byte, lines []string, boxes []document.Box) {
	lines = []string{"Invoice No. 1742", "Two boxes of paper", "Total amount 1250.00"}
	image, boxes := porttest.DrawLines(lines...)
	return porttest.PNG(image), lines, boxes
}

func TestWalk(t *testing.T)          { walk(t, withModels...) }
func TestWalkOnMariaDB(t *testing.T) { walk(t, "--database", mariadbtest.Database(t)) }

// walk does what people do, on a server with those flags.
func walk(t *testing.T, more ...string) {
	s := start(t, t.TempDir(), more...)
	if r := s.do(http.StatusOK, "GET", "/ping", nil); string(r.body) != "pong" {
		t.Errorf("ping: %s", r.body)
	}
	s.do(http.StatusOK, "GET", "/health", nil)
	s.do(http.StatusOK, "GET", "/openapi.json", nil)
	s.do(http.StatusUnauthorized, "GET", path("/image"), nil)

	ann := s.signUp("ann")
	s.call(http.StatusConflict, "POST", path("/user"), object{"name": "ANN", "email": "other@example.org", "password1": password,
		"password2": password})
	page, lines, boxes := drawn()
	image := ann.upload("scans/page one.png", page)
	if image.Name != "page one.png" || image.MediaType != "image/png" {
		t.Errorf("uploaded as %+v", image)
	}
	if r := ann.do(http.StatusOK, "GET", path("/image/%d", image.ID), nil); !bytes.Equal(r.body, page) {
		t.Error("the bytes that come back are not those that were sent")
	}
	ann.do(http.StatusOK, "GET", path("/image/%d/thumbnail", image.ID), nil)
	ann.do(http.StatusOK, "GET", path("/ocr/lang"), nil)

	// The regions last one first: results come in the order asked for.
	var regions []object
	var want []string
	for i := len(boxes) - 1; i >= 0; i-- {
		regions = append(regions, object{"x1": boxes[i].X1, "y1": boxes[i].Y1, "x2": boxes[i].X2, "y2": boxes[i].Y2})
		want = append(want, lines[i])
	}
	ocr := path("/image/%d/ocr", image.ID)
	r := ann.call(http.StatusOK, "POST", ocr+"?lang=eng", regions)
	contents := as[[]api.Content](t, r)
	if diff := cmp.Diff(want, texts(contents)); diff != "" {
		t.Error(diff)
	}
	if got := r.Header.Get("OCR-Version"); got != "1" {
		t.Errorf("OCR-Version %q, want 1", got)
	}
	r = ann.call(http.StatusOK, "POST", ocr, []object{})
	if diff := cmp.Diff([]string{strings.Join(lines, "\n")}, texts(as[[]api.Content](t, r))); diff != "" {
		t.Errorf("the whole page: %s", diff)
	}
	if got := r.Header.Get("OCR-Version"); got != "2" {
		t.Errorf("OCR-Version %q, want 2", got)
	}
	r = ann.call(http.StatusUnprocessableEntity, "POST", ocr, []object{{"x1": 0, "y1": 0, "x2": 10, "y2": 10},
		{"x1": 5, "y1": 5, "x2": 5, "y2": 99999}})
	if !bytes.Contains(r.body, []byte("[1].x2")) || !bytes.Contains(r.body, []byte("[1].y2")) {
		t.Errorf("a bad region is not named: %s", r.body)
	}
	runs := as[[]api.Run](t, ann.do(http.StatusOK, "GET", ocr, nil))
	if len(runs) != 2 || runs[0].Version != 2 || runs[1].Version != 1 {
		t.Fatalf("runs %+v, want versions 2 and 1", runs)
	}
	if diff := cmp.Diff(contents, runs[1].Contents); diff != "" {
		t.Errorf("what was answered and what is listed: %s", diff)
	}

	// A correction from the current revision, and one from a revision that is no longer.
	content := path("/ocr/%s", contents[0].ID)
	etag := ann.do(http.StatusOK, "GET", content, nil).Header.Get("ETag")
	corrected := as[api.Content](t, ann.call(http.StatusOK, "PUT", content, object{"text": "Total amount 1,250.00"}, "If-Match", etag))
	if corrected.Revision != 2 || corrected.Text != "Total amount 1,250.00" {
		t.Errorf("corrected to %+v", corrected)
	}
	ann.call(http.StatusPreconditionFailed, "PUT", content, object{"text": "too late"}, "If-Match", etag)
	revisions := as[[]api.Content](t, ann.do(http.StatusOK, "GET", content+"/revisions", nil))
	if diff := cmp.Diff([]string{"Total amount 1250.00", "Total amount 1,250.00"}, texts(revisions)); diff != "" {
		t.Errorf("revisions: %s", diff)
	}

	// Somebody else sees nothing of it; an administrator does.
	bob, admin := s.signUp("bob"), s.login("admin", adminPassword)
	for _, p := range []string{path("/image/%d", image.ID), path("/image/%d/meta", image.ID), ocr, content, content + "/revisions"} {
		bob.do(http.StatusNotFound, "GET", p, nil)
		admin.do(http.StatusOK, "GET", p, nil)
	}
	bob.call(http.StatusNotFound, "PUT", content, object{"text": "mine"})
	bob.call(http.StatusNotFound, "POST", ocr, []object{})
	bob.do(http.StatusNotFound, "DELETE", path("/image/%d", image.ID), nil)
	bob.do(http.StatusForbidden, "GET", path("/admin/user"), nil)

	// Blocked from the next request on, with the token that was good before.
	var bobID int64
	for _, u := range as[[]struct {
		ID   int64
		Name string
	}](t, admin.do(http.StatusOK, "GET", path("/admin/user?size=100"), nil)) {
		if u.Name == "bob" {
			bobID = u.ID
		}
	}
	blocked := path("/admin/user/%d/state/blocked", bobID)
	admin.call(http.StatusOK, "PUT", blocked, object{"detail": "for a test"})
	bob.do(http.StatusForbidden, "GET", path("/user/me"), nil)
	admin.do(http.StatusNoContent, "DELETE", blocked, nil)
	bob.do(http.StatusOK, "GET", path("/user/me"), nil)

	// A refresh token works once; using it again ends the session.
	grant := s.grant("bob", password)
	next := as[api.Grant](t, s.call(http.StatusOK, "POST", path("/user/token"), object{"refresh_token": grant.RefreshToken}))
	s.call(http.StatusUnauthorized, "POST", path("/user/token"), object{"refresh_token": grant.RefreshToken})
	s.call(http.StatusUnauthorized, "POST", path("/user/token"), object{"refresh_token": next.RefreshToken})

	// Who resigns is gone, with the images, and the name is free.
	ann.do(http.StatusNoContent, "DELETE", path("/user"), nil)
	ann.do(http.StatusUnauthorized, "GET", path("/user/me"), nil)
	admin.do(http.StatusNotFound, "GET", path("/image/%d/meta", image.ID), nil)
	admin.do(http.StatusNotFound, "GET", content, nil)
	s.signUp("ann")

	if r := s.do(http.StatusOK, "GET", "/metrics", nil); !bytes.Contains(r.body, []byte("glyphbox_regions_served_total ")) {
		t.Errorf("metrics say nothing of the workers:\n%s", r.body)
	}
	s.do(http.StatusOK, "GET", "/ready", nil)
	s.stop()
	if code := s.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// TestKilled kills the server in the midst of its work: everything that was answered is there afterwards, and no version is missing.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	c, cmd := spawn(t, dir)
	ann := c.signUp("ann")
	page, lines, boxes := drawn()
	image := ann.upload("page.png", page)
	ocr := path("/image/%d/ocr", image.ID)
	first := as[[]api.Content](t, ann.call(http.StatusOK, "POST", ocr, []document.Box{boxes[0]}))[0]
	ann.call(http.StatusOK, "PUT", path("/ocr/%s", first.ID), object{"text": "corrected"})

	answered := make(chan api.Content, 1000)
	uploaded := make(chan api.Image, 1000)
	var busy sync.WaitGroup
	work := func(once func() error) {
		busy.Go(func() {
			for once() == nil { // until the server is gone
			}
		})
	}
	for range 2 {
		work(func() error {
			body, _ := json.Marshal([]document.Box{boxes[1]})
			r, err := try(ann.request("POST", ocr, bytes.NewReader(body), "Content-Type", "application/json"))
			if err == nil && r.StatusCode == http.StatusOK {
				answered <- as[[]api.Content](t, r)[0]
			}
			return err
		})
	}
	work(func() error {
		body, contentType := multipartOf(t, "more.png", page)
		r, err := try(ann.request("POST", path("/image"), body, "Content-Type", contentType))
		if err == nil && r.StatusCode == http.StatusCreated {
			uploaded <- as[api.Image](t, r)
		}
		return err
	})
	var kept []api.Content
	for range 15 {
		kept = append(kept, <-answered)
	}
	images := []api.Image{image, <-uploaded}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	busy.Wait()
	_ = cmd.Wait()
	close(answered)
	close(uploaded)
	for content := range answered {
		kept = append(kept, content)
	}
	for i := range uploaded {
		images = append(images, i)
	}

	c, _ = spawn(t, dir)
	ann = person{t: t, base: c.base, token: ann.token} // the session has outlived it too
	for _, i := range images {
		if r := ann.do(http.StatusOK, "GET", path("/image/%d", i.ID), nil); !bytes.Equal(r.body, page) {
			t.Errorf("the bytes of image %d are not those that were sent", i.ID)
		}
		ann.do(http.StatusOK, "GET", path("/image/%d/thumbnail", i.ID), nil)
	}
	for _, want := range kept {
		got := as[api.Content](t, ann.do(http.StatusOK, "GET", path("/ocr/%s", want.ID), nil))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got.Text != lines[1] {
			t.Errorf("%q, want %q", got.Text, lines[1])
		}
	}
	if got := as[api.Content](t, ann.do(http.StatusOK, "GET", path("/ocr/%s", first.ID), nil)); got.Text != "corrected" ||
		got.Revision != 2 {
		t.Errorf("the correction is gone: %+v", got)
	}
	last := as[[]api.Content](t, ann.call(http.StatusOK, "POST", ocr, []document.Box{boxes[2]}))[0]
	for version := last.Version; version >= 1; version-- {
		run := as[[]api.Run](t, ann.do(http.StatusOK, "GET", ocr+"?version="+strconv.Itoa(version), nil))
		if len(run) != 1 || run[0].Version != version || len(run[0].Contents) != 1 {
			t.Errorf("version %d: %+v", version, run)
		}
	}
	if last.Version <= len(kept) {
		t.Errorf("version %d after %d answers", last.Version, len(kept)+1)
	}
}

// halfUpload sends an upload and stops in its middle, once the server has begun to read it.
func halfUpload(t *testing.T, c person) (finish func() (reply, error)) {
	t.Helper()
	page, _, _ := drawn()
	body, contentType := multipartOf(t, "page.png", page)
	half, rest := bytes.Clone(body.Bytes()[:body.Len()/2]), bytes.Clone(body.Bytes()[body.Len()/2:])
	r, w := io.Pipe()
	reading := make(chan struct{})
	request := c.request("POST", path("/image"), r, "Content-Type", contentType, "Expect", "100-continue")
	request = request.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }}))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = time.Minute
	t.Cleanup(transport.CloseIdleConnections)
	type result struct {
		reply reply
		err   error
	}
	done := make(chan result, 1)
	go func() {
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			done <- result{err: err}
			return
		}
		defer response.Body.Close()
		b, err := io.ReadAll(response.Body)
		done <- result{reply{response, b}, err}
	}()
	<-reading
	if _, err := w.Write(half); err != nil {
		t.Fatal(err)
	}
	return func() (reply, error) {
		_, _ = w.Write(rest) // the answer tells whether it came through
		w.Close()
		d := <-done
		return d.reply, d.err
	}
}

// Each signal that is to end the program does so in good order. A hangup does not where it is ignored.
func TestSignals(t *testing.T) {
	signals := Signals()
	check.Same(t, "a hangup ends it", slices.Contains(signals, os.Signal(syscall.SIGHUP)), !signal.Ignored(syscall.SIGHUP))
	for _, s := range signals {
		_, cmd := spawn(t, t.TempDir())
		check.OK(t, "Signal", cmd.Process.Signal(s))
		check.OK(t, "end by "+s.String(), cmd.Wait())
	}
	if slices.Contains(signals, os.Signal(syscall.SIGHUP)) {
		testSecondSignal(t)
	}
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	check.Same(t, "a hangup that is ignored ends it", slices.Contains(Signals(), os.Signal(syscall.SIGHUP)), false)
}

// A program that stops goes on to do so when the terminal hangs up, once or more often, and ends at once if it is told to stop again.
func testSecondSignal(t *testing.T) {
	cmd, log := spawnLogged(t, t.TempDir())
	s := person{t: t, base: "http://" + log.until("listening")["address"].(string)}
	finish := halfUpload(t, s.signUp("ann"))
	check.OK(t, "Signal", cmd.Process.Signal(syscall.SIGHUP))
	log.until("stopping, once running requests are finished")
	for range 3 {
		check.OK(t, "another hangup", cmd.Process.Signal(syscall.SIGHUP))
	}
	r, err := finish()
	check.OK(t, "a request that was running", err)
	check.Same(t, "its status", r.StatusCode, http.StatusCreated)
	check.OK(t, "end by hangups", cmd.Wait())

	cmd, log = spawnLogged(t, t.TempDir())
	s = person{t: t, base: "http://" + log.until("listening")["address"].(string)}
	halfUpload(t, s.signUp("ann"))
	check.OK(t, "Signal", cmd.Process.Signal(syscall.SIGTERM))
	log.until("stopping, once running requests are finished")
	check.OK(t, "a second Signal", cmd.Process.Signal(syscall.SIGTERM))
	_ = cmd.Wait() // it says what ended it
	check.Same(t, "what ended it", cmd.ProcessState.Sys().(syscall.WaitStatus).Signal(), syscall.SIGTERM)
}

func TestShutdownFinishesWhatRuns(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	ann := s.signUp("ann")
	finish := halfUpload(t, ann)
	s.stop()
	s.log.until("stopping, once running requests are finished")
	r, err := finish()
	if err != nil || r.StatusCode != http.StatusCreated {
		t.Fatalf("%v, %v %s", err, r.Response, r.body)
	}
	if code := s.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	again := start(t, dir)
	ann.base = again.base
	ann.do(http.StatusOK, "GET", path("/image/%d", as[api.Image](t, r).ID), nil)
	if got := again.stdout.String(); got != "" {
		t.Errorf("the second start shows %s", got)
	}
}

func TestShutdownCutsOffWhatTakesTooLong(t *testing.T) {
	s := start(t, t.TempDir(), "--shutdown-timeout", "50ms")
	finish := halfUpload(t, s.signUp("ann"))
	s.stop()
	s.log.until("stopped")
	if r, err := finish(); err == nil {
		t.Errorf("an upload that was cut off is answered: %s", r.body)
	}
	if code := s.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// TestReceipt reads the lines of a real receipt through the API.
func TestReceipt(t *testing.T) {
	const set = "../../../shared/evalset/sroie"
	f, err := os.Open(filepath.Join(set, "regions.jsonl"))
	if err != nil {
		check.Absent(t, "evalset", "put it beside the project as ../shared/evalset")
	}
	defer f.Close()
	var page struct {
		Image   string
		Regions []struct {
			document.Box
			Text string
		}
	}
	if err := json.NewDecoder(f).Decode(&page); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(set, "images", filepath.Base(page.Image)))
	if err != nil {
		t.Fatal(err)
	}
	var boxes []document.Box
	for _, r := range page.Regions {
		boxes = append(boxes, r.Box)
	}
	ann := start(t, t.TempDir(), withModels...).signUp("ann")
	image := ann.upload("receipt.jpg", data)
	contents := as[[]api.Content](t, ann.call(http.StatusOK, "POST", path("/image/%d/ocr", image.ID), boxes))
	if len(contents) != len(boxes) {
		t.Fatalf("%d results for %d regions", len(contents), len(boxes))
	}
	empty, right := 0, 0
	for i, c := range contents {
		if c.Text == "" {
			empty++
		}
		if strings.EqualFold(c.Text, page.Regions[i].Text) {
			right++
		}
	}
	t.Logf("%d regions, %d right, %d empty", len(boxes), right, empty)
	if 20*empty > len(boxes) || 2*right < len(boxes) {
		t.Errorf("of %d regions %d are right and %d empty, want half right and hardly any empty", len(boxes), right, empty)
	}
}

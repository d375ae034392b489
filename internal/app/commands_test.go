package app

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/reading"
)

// result is what a command did.
type result struct {
	code           int
	stdout, stderr string
}

// command runs the program with that on its standard input.
func command(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(t.Context(), Process{Args: args, Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr, Version: "v1.2.3"})
	return result{code, stdout.String(), stderr.String()}
}

// want wants the exit code, and that text in what was written to both outputs.
func (r result) want(t *testing.T, code int, text string) result {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout+r.stderr, text) {
		t.Errorf("exit code %d, want %d and %q in\n%s%s", r.code, code, text, r.stdout, r.stderr)
	}
	return r
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"frobnicate"}, {"serve", "now"}, {"serve", "--no-such-flag"}, {"ocr"}, {"ocr", "x.png", "--psm", "2"},
		{"ocr", "x.png", "--region", "1,2,3"}, {"ocr", "x.png", "--region", "5,5,5,9"}, {"ocr", "x.png", "--region", "a,b,c,d"},
		{"ocr", "x.png", "--format", "xml"},
		{"config", "--addr", "nowhere"}, {"user", "add", "ann"}, {"user", "role", "ann"}, {"key", "rotate", "now"},
		{"user", "frobnicate"}, {"key", "frobnicate"}, {"migrate", "frobnicate"}, {"help", "frobnicate"},
		{"help", "user", "frobnicate"}} {
		if r := command(t, "", args...); r.code != exitUsage || r.stdout != "" || !strings.HasPrefix(r.stderr, "glyphbox: ") {
			t.Errorf("%q: exit code %d, %q, %q", args, r.code, r.stdout, r.stderr)
		}
	}
	for help, args := range map[string][]string{"glyphbox --help": {"frobnicate"}, "glyphbox ocr --help": {"ocr", "--frobnicate"},
		"glyphbox user --help":     {"user", "frobnicate"},
		"glyphbox user add --help": {"user", "add", "ann"}} {
		if r := command(t, "", args...); !strings.HasSuffix(r.stderr, "\nSee "+help+"\n") {
			t.Errorf("%q does not say where help is: %s", args, r.stderr)
		}
	}
	command(t, "", "config", "--addr", "nowhere").want(t, exitUsage, "host:port, such as 127.0.0.1:8000 or :80\n")
	command(t, "", "user").want(t, exitOK, "Usage:")
	command(t, "", "help", "user", "add").want(t, exitOK, "glyphbox user add NAME")
	command(t, "", "version").want(t, exitOK, "glyphbox v1.2.3, go")
	command(t, "", "--version").want(t, exitOK, "glyphbox version v1.2.3")
	if help := command(t, "", "help").want(t, exitOK, "serve").stdout; strings.Contains(help, "worker ") {
		t.Errorf("the worker is not for people:\n%s", help)
	}
	if help := command(t, "", "serve", "--help").want(t, exitOK, "--admin-password-file").stdout; strings.Contains(help,
		"--admin-password ") {
		t.Errorf("a secret is a flag:\n%s", help)
	}
	var docs bytes.Buffer
	printMarkdown(&docs)
	if diff := cmp.Diff(docs.String(), command(t, "", "config", "--markdown").want(t, exitOK, "").stdout); diff != "" {
		t.Error(diff)
	}
}

// columns is what a command has printed with one space between columns.
func columns(r result) string { return strings.Join(strings.Fields(r.stdout), " ") }

func TestMigrateCommands(t *testing.T) {
	dir := t.TempDir()
	db, err := sqlstore.Open(t.Context(), filepath.Join(dir, "glyphbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	for _, where := range [][]string{{"--data-dir", dir}, {"--data-dir", dir, "--database", mariadbtest.Database(t)}} {
		migrate := func(what string) result { return command(t, "", append([]string{"migrate", what}, where...)...) }
		if len(where) > 2 {
			if r := migrate("status").want(t, exitOK, ""); !strings.Contains(columns(r), "00001_initial.sql not yet") {
				t.Errorf("something is done:\n%s", r.stdout)
			}
		}
		migrate("up").want(t, exitOK, "The database schema is up to date")
		r := migrate("status").want(t, exitOK, "")
		if !strings.Contains(columns(r), "00001_initial.sql 20") || strings.Contains(r.stdout, "not yet") {
			t.Errorf("something is left to be done:\n%s", r.stdout)
		}
		migrate("up").want(t, exitOK, "The database schema is up to date")
		command(t, password, append([]string{"user", "add", "ann", "--email", "ann@example.org"}, where...)...).want(t, exitOK,
			"Created ann with the number 1")
		command(t, "", append([]string{"user", "list"}, where...)...).want(t, exitOK, "ann@example.org")
	}
}

// TestCommandsMakeNoDatabase has commands work on a directory that is none of a service, as a mistyped path is, and on an empty
// database of a server. They say so and make nothing.
func TestCommandsMakeNoDatabase(t *testing.T) {
	backup := filepath.Join(t.TempDir(), "backup")
	commands := [][]string{{"user", "list"}, {"user", "add", "ann", "--email", "ann@example.org"}, {"user", "password", "ann"},
		{"user", "role", "ann", "admin"},
		{"user", "block", "ann"}, {"user", "unblock", "ann"}, {"sweep"}, {"sweep", "--dry-run"}, {"backup", backup}, {"migrate", "status"},
		{"migrate", "up"}, {"key", "rotate"}}
	for _, dir := range []string{filepath.Join(t.TempDir(), "mistyped"), t.TempDir()} {
		for _, args := range commands {
			r := command(t, password, append(args, "--data-dir", dir)...).want(t, exitFailure, " in "+dir).want(t, exitFailure,
				"with --data-dir or GLYPHBOX_DATA_DIR")
			if r.stdout != "" {
				t.Errorf("%q: %s", args, r.stdout)
			}
		}
		command(t, "", "restore", dir, "--check").want(t, exitFailure, "no database in "+dir)
		command(t, "", "copy", "--from-data-dir", dir, "--to-data-dir", backup).want(t, exitFailure,
			"--from-data-dir: there is no database in "+dir)
		if left, err := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("made in %s: %v (%v)", dir, left, err)
		}
	}
	if _, err := os.Stat(backup); err == nil {
		t.Error("a backup of nothing is made")
	}
	// The default directory is one of the kind.
	t.Chdir(t.TempDir())
	command(t, "", "user", "list").want(t, exitFailure, "no database in "+filepath.Join(must(t, os.Getwd), "data"))
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("made here: %v (%v)", left, err)
	}

	empty := mariadbtest.Database(t)
	for _, args := range commands[:8] {
		command(t, password, append(args, "--database", empty, "--data-dir", t.TempDir())...).want(t, exitFailure,
			"there is no database of Glyphbox")
	}
	command(t, "", "copy", "--from-data-dir", t.TempDir(), "--from-database", empty, "--to-data-dir", backup).want(t, exitFailure,
		"there is no database of Glyphbox")
	db, err := sqlstore.OpenAsIs(empty)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables int
	if err := db.SQL().QueryRowContext(t.Context(),
		`SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()`).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables are made (%v)", tables, err)
	}
}

func must[T any](t *testing.T, get func() (T, error)) T {
	t.Helper()
	v, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestUserCommandsBesideTheServer(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	user := func(stdin string, args ...string) result {
		return command(t, stdin, append(append([]string{"user"}, args...), "--data-dir", dir)...)
	}
	user(password+"\n", "add", "ann", "--email", "ann@example.org").want(t, exitOK, "Created ann with the number 2")
	user(password, "add", "Ann", "--email", "other@example.org").want(t, exitFailure, "the name ann is taken")
	user("short\n", "add", "bob", "--email", "bob").want(t, exitFailure, "email")
	ann := s.login("ann", password)
	ann.do(http.StatusForbidden, "GET", path("/admin/user"), nil)
	user("", "role", "ann", "admin").want(t, exitOK, "ann, admin")
	ann.do(http.StatusOK, "GET", path("/admin/user"), nil)
	user("", "role", "ann", "none").want(t, exitOK, "ann\n")
	user("", "role", "ann", "boss").want(t, exitUsage, "admin or none")
	user("", "block", "ann", "--reason", "for a test").want(t, exitOK, "ann, blocked (for a test)")
	ann.do(http.StatusForbidden, "GET", path("/user/me"), nil)
	user("", "unblock", "ann").want(t, exitOK, "ann\n")
	ann.do(http.StatusOK, "GET", path("/user/me"), nil)
	user("another-password\n", "password", "ann").want(t, exitOK, "ann has a new password")
	ann.do(http.StatusUnauthorized, "GET", path("/user/me"), nil)
	page, _, _ := drawn()
	s.login("ann", "another-password").upload("page.png", page) // a worker is up then
	list := user("", "list").want(t, exitOK, "admin@localhost.localdomain").stdout
	if got := strings.Count(list, "\n"); got != 3 {
		t.Errorf("%d lines, want a head and two users:\n%s", got, list)
	}
	if list := user("", "list", "ann").stdout; strings.Contains(list, "localhost") {
		t.Errorf("the keyword picks nothing:\n%s", list)
	}
	user("", "block", "nobody").want(t, exitFailure, "user")
	// Who is meant is looked up before the password is.
	if r := user("short\n", "password", "nobody").want(t, exitFailure, "no such user"); strings.Contains(r.stderr, "password") {
		t.Errorf("the password of nobody is complained of: %s", r.stderr)
	}
	if r := user("short\n", "add", "ANN", "--email", "other@example.org").want(t, exitFailure,
		"the name ann is taken"); strings.Contains(r.stderr, "password") {
		t.Errorf("the password for a name that is taken is complained of: %s", r.stderr)
	}

	address := strings.TrimPrefix(s.base, "http://")
	command(t, "", "health", "--addr", address).want(t, exitOK, `"status":"ok"`)
	command(t, "", "serve", "--data-dir", dir, "--addr", "127.0.0.1:0").want(t, exitFailure, "another server uses "+dir)
	command(t, "", "serve", "--data-dir", t.TempDir(), "--addr", address).want(t, exitFailure,
		"another program already listens on "+address)
	s.stop()
	if code := s.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	command(t, "", "health", "--addr", address).want(t, exitFailure, "refused")
}

func TestHealthOfAServiceThatIsNotReady(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(r.URL.Path))
	})}
	go func() { _ = server.Serve(listener) }() // until it is closed
	defer server.Close()
	r := command(t, "", "health", "--addr", listener.Addr().String()).want(t, exitFailure, "503")
	if r.stdout != "/ready\n" {
		t.Errorf("%q was asked for", r.stdout)
	}
}

func TestLocalURL(t *testing.T) {
	for addr, want := range map[string]string{"127.0.0.1:8000": "http://127.0.0.1:8000", ":80": "http://localhost:80",
		"0.0.0.0:80": "http://localhost:80",
		"[::]:80":    "http://localhost:80", "[::1]:80": "http://[::1]:80", "ocr.example:80": "http://ocr.example:80"} {
		if got := localURL(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// TestFirstStart wants an administrator with a password that works, told once.
func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := start(t, dir)
	if text := s.stdout.String(); !strings.Contains(text, s.base) || !strings.Contains(text, "admin") ||
		strings.Contains(text, adminPassword) {
		t.Errorf("shown, with a password that was set:\n%s", text)
	}
	if advice := "glyphbox user password admin --data-dir " + dir; !strings.Contains(s.stdout.String(), advice) {
		t.Errorf("shown, without %q:\n%s", advice, s.stdout)
	}
	s.login("admin", adminPassword)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory %v, %v, want mode 0700", info.Mode(), err)
	}
	s.stop()
	s.wait()
	if again := start(t, dir); again.stdout.Len() > 0 {
		t.Errorf("shown again:\n%s", again.stdout)
	}
}

// TestFirstStartWithoutPassword wants a random password that is shown and works.
func TestFirstStartWithoutPassword(t *testing.T) {
	s := startWith(t, nil, t.TempDir())
	_, text, _ := strings.Cut(s.stdout.String(), "Password")
	shown := strings.Fields(text)
	if len(shown) == 0 || len(shown[0]) < 20 {
		t.Fatalf("no password in:\n%s", s.stdout)
	}
	s.login("admin", shown[0]).do(http.StatusOK, "GET", path("/admin/user"), nil)
}

// TestFirstStartWithTheNameTaken wants that nobody becomes an administrator by having taken the name.
func TestFirstStartWithTheNameTaken(t *testing.T) {
	dir := t.TempDir()
	db, err := sqlstore.Open(t.Context(), filepath.Join(dir, "glyphbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	command(t, password, "user", "add", "Admin", "--email", "early@example.org", "--data-dir", dir).want(t, exitOK, "Admin")
	s := start(t, dir)
	s.login("admin", password).do(http.StatusForbidden, "GET", path("/admin/user"), nil)
	if s.stdout.Len() > 0 {
		t.Errorf("shown:\n%s", s.stdout)
	}
}

func TestConfigCommand(t *testing.T) {
	r := command(t, "", "config", "--max-files", "7").want(t, exitOK, `max-files           = "7" # from --max-files`)
	if got, want := strings.Count(r.stdout, "\n"), len(table); got != want {
		t.Errorf("%d lines, want one for each of %d settings:\n%s", got, want, r.stdout)
	}
}

func TestRotatedKeySignsFromTheNextStartOn(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	ann := s.signUp("ann")
	for i, status := range []int{http.StatusOK, http.StatusUnauthorized} {
		s.stop()
		s.wait()
		command(t, "", "key", "rotate", "--data-dir", dir).want(t, exitOK, "new key")
		s = start(t, dir)
		ann.base = s.base
		if r, err := try(ann.request("GET", path("/user/me"), nil)); err != nil || r.StatusCode != status {
			t.Errorf("after rotation %d: %v, %v, want %d", i+1, r.Response, err, status)
		}
	}
}

func TestServeRefusesKeysThatOthersMayRead(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	s.stop()
	s.wait()
	if err := os.Chmod(filepath.Join(dir, "keys"), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, "", serveArgs(t, dir)...).want(t, exitFailure, "chmod 600")
}

func TestOCRCommand(t *testing.T) {
	dir := t.TempDir()
	png, lines, boxes := drawn()
	good, bad, cut := filepath.Join(dir, "good.png"), filepath.Join(dir, "bad.png"), filepath.Join(dir, "cut.png")
	for name, data := range map[string][]byte{good: png, bad: []byte("no image"), cut: png[:len(png)/2]} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, "", "ocr", cut).want(t, exitFailure, "glyphbox: "+cut+": The PNG file is incomplete.\n")
	if got, want := command(t, "", "ocr", good).want(t, exitOK, "").stdout, strings.Join(lines, "\n")+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	region := func(i int) string {
		b, err := json.Marshal([]int{boxes[i].X1, boxes[i].Y1, boxes[i].X2, boxes[i].Y2})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Trim(string(b), "[]")
	}
	if got, want := command(t, "", "ocr", good, "--region", region(2), "--region", region(0)).want(t, exitOK, "").stdout,
		lines[2]+"\n"+lines[0]+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	r := command(t, "", "ocr", bad, good, filepath.Join(dir, "missing.png"), "--format", "json").want(t, exitFailure, "2 of 3")
	var texts []string
	for line := range strings.Lines(r.stdout) {
		var g reading.Page
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			t.Fatal(err)
		}
		text := "failed"
		if g.Error == "" {
			text = g.Contents[0].Text
		}
		texts = append(texts, text)
	}
	if diff := cmp.Diff([]string{"failed", strings.Join(lines, "\n"), "failed"}, texts); diff != "" {
		t.Error(diff)
	}
	command(t, "", "ocr", good, "--lang", "tlh").want(t, exitFailure, "installed")
	command(t, "", "ocr", good, "--region", "0,0,10,99999").want(t, exitFailure, "regions[0].y2")
	command(t, "", "ocr", good, "--tessdata-dir", dir).want(t, exitFailure, "traineddata")
	command(t, "", "ocr", bad, good, "-o", filepath.Join(dir, ".", "good.png")).want(t, exitUsage, "the output is also an input file")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("something was stored: %v %v", entries, err)
	}
}

// TestMetricsAreWellFormed collects the metrics of a pool as the registry would.
func TestMetricsAreWellFormed(t *testing.T) {
	pool, err := engine.Start(engine.Options{Command: []string{os.Args[0], "worker"}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	got := map[string]bool{}
	families, err := poolRegistry(pool.Stats, pool.PDFStats).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		got[f.GetName()] = true
	}
	want := map[string]bool{}
	for _, kind := range [][2]string{{"workers", "regions"}, {"pdf_workers", "pdf_jobs"}} {
		workers, jobs := "glyphbox_"+kind[0], "glyphbox_"+kind[1]
		for _, name := range []string{workers, workers + "_busy", workers + "_replaced_total", jobs + "_waiting", jobs + "_served_total",
			jobs + "_duration_seconds"} {
			want[name] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	command(t, "", "doctor", "--data-dir", dir, "--models", "none").want(t, exitOK, "missing: the configuration wants none")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("doctor left %v in the data directory, %v", left, err)
	}
	r := command(t, "", "doctor", "--data-dir", dir)
	for _, want := range []string{"glyphbox v1.2.3", "tesseract 5", "eng", "second recogniser", "HEIC and AVIF", "confinement",
		"none yet in " + dir} {
		r.want(t, exitOK, want)
	}
	empty := t.TempDir()
	command(t, "", "doctor", "--models", empty).want(t, exitFailure, "the folder of models "+empty)
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "glyphbox.db"), []byte("is no database, and is long enough to be taken for one or not"),
		0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", "doctor", "--data-dir", broken, "--models", "none").want(t, exitFailure, "SQLite, unreachable")
}

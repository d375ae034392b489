package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	api "glyphbox/client"
	"glyphbox/internal/porttest/check"
)

// uploads uploads that many pages.
func (c person) uploads(n int) (ids []int64) {
	page, _, _ := drawn()
	for i := range n {
		ids = append(ids, c.upload(fmt.Sprintf("page-%d.png", i), page).ID)
	}
	return ids
}

// firstLine is a job that reads the first line of what was drawn on each page.
func firstLine(pages []int64) api.JobForm {
	_, _, boxes := drawn()
	b := boxes[0]
	return api.JobForm{ImageIDs: pages, Regions: []api.Region{{Box: api.Box{X1: b.X1, Y1: b.Y1, X2: b.X2, Y2: b.Y2}}}, Effort: "fast"}
}

// wantOneVersion checks that each page was read once.
func (c person) wantOneVersion(pages []int64) {
	c.t.Helper()
	_, lines, _ := drawn()
	for _, id := range pages {
		runs, err := c.client().Runs(c.t.Context(), id, 0)
		check.OK(c.t, "Runs", err)
		if len(runs) != 1 || runs[0].Version != 1 || len(runs[0].Contents) != 1 || runs[0].Contents[0].Text != lines[0] {
			c.t.Errorf("image %d has the runs %+v", id, runs)
		}
	}
}

// followed follows a job until it ends, whatever the connection does.
func (c person) followed(id string) (job api.Job) {
	c.t.Helper()
	return c.followedUntil(id, func(api.JobEvent) bool { return false })
}

// followedUntil follows a job until enough is seen, or it ends.
func (c person) followedUntil(id string, enough func(api.JobEvent) bool) (job api.Job) {
	c.t.Helper()
	last := ""
	for {
		err := c.client().FollowJob(c.t.Context(), id, last, func(e api.JobEvent) error {
			last, job = e.ID, e.Job
			if enough(e) {
				return errEnough
			}
			return nil
		})
		if err == nil || errors.Is(err, errEnough) {
			return job
		}
		if !errors.Is(err, api.ErrStreamEnded) {
			c.t.Fatal(err)
		}
	}
}

var errEnough = errors.New("enough was seen")

// TestAJobSurvives kills the service again and again during a job, and deletes the folder of its queue, once while it runs and once while
// it does not.
func TestAJobSurvives(t *testing.T) {
	kills, pages := 3, 12
	if check.Soak() {
		kills, pages = 50, 200
	}
	dir := t.TempDir()
	queue := filepath.Join(dir, "queue")
	c, cmd := spawn(t, dir)
	ann := c.signUp("ann")
	ids := ann.uploads(pages)
	job, err := ann.client().AddJob(t.Context(), firstLine(ids))
	check.OK(t, "AddJob", err)
	for n := range kills {
		seen, enough := 0, 1+rand.IntN(max(1, 2*pages/kills))
		err := ann.client().FollowJob(t.Context(), job.ID, fmt.Sprint(doneSoFar(ann, job.ID)), func(e api.JobEvent) error {
			if seen++; seen >= enough {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			t.Fatal(err)
		}
		if n == 0 { // at once, while files are added to it
			check.OK(t, "Rename", os.Rename(queue, filepath.Join(t.TempDir(), "queue")))
		}
		kill(t, cmd)
		if n == 1 {
			check.OK(t, "RemoveAll", os.RemoveAll(queue))
		}
		c, cmd = spawn(t, dir)
		ann.base = c.base
		ann = ann.login("ann", password)
	}
	if end := ann.followed(job.ID); end.State != "done" || end.Done != pages {
		t.Errorf("the job ended as %+v", end)
	}
	ann.wantOneVersion(ids)
}

// doneSoFar is the newest event of a job.
func doneSoFar(c person, id string) (seq string) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	seq = "0"
	err := c.client().FollowJob(ctx, id, "", func(e api.JobEvent) error {
		if seq = e.ID; e.Name != "item" {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		c.t.Fatal(err)
	}
	return seq
}

// kill ends a process at once.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	check.OK(t, "Kill", cmd.Process.Kill())
	_ = cmd.Wait() // it says that it was killed
}

func TestJobCommands(t *testing.T) {
	s := start(t, t.TempDir())
	s.signUp("ann")
	page, _, boxes := drawn()
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	for n := range 3 {
		check.OK(t, "WriteFile", os.WriteFile(filepath.Join(dir, fmt.Sprintf("page-%d.png", n)), page, 0o600))
	}
	at := func(stdin string, args ...string) result {
		t.Helper()
		return command(t, stdin, append(append([]string{"job"}, args...), "--server", s.base, "--user", "ann")...)
	}
	region := fmt.Sprintf("%d,%d,%d,%d", boxes[0].X1, boxes[0].Y1, boxes[0].X2, boxes[0].Y2)
	command(t, "", "job", "list").want(t, exitUsage, "--server is required")
	uploaded := s.person.login("ann", password).client()
	for _, c := range []struct {
		args []string
		code int
		want string
		left int // images
	}{
		{[]string{"--effort", "most"}, exitUsage, "--effort most: must be fast, balanced or accurate", 0},
		{[]string{"--rotate", "45"}, exitUsage, "--rotate 45: must be auto, 0, 90, 180 or 270", 0},
		{[]string{"--priority", "urgent"}, exitUsage, "--priority urgent: must be low, normal or high", 0},
		{[]string{"--lang", "eng+tlh", "--state", state}, exitUsage, "--lang tlh: the service has ", 0},
		{[]string{"--region", "0,0,9999,10"}, exitFailure, "regions[0].x2", 0},
		{[]string{"--region", "0,0,9999,10", "--state", state}, exitFailure, "regions[0].x2", 3},
	} {
		at(password, append([]string{"add", dir}, c.args...)...).want(t, c.code, c.want)
		images, err := uploaded.Images(t.Context(), api.ImageQuery{})
		check.OK(t, "Images", err)
		check.Same(t, fmt.Sprintf("images after a job with %q", c.args), images.Total, c.left)
	}

	// Files that cannot be uploaded are named, and the others are read.
	unread, broken, part := filepath.Join(t.TempDir(), "missing.png"), filepath.Join(t.TempDir(), "broken.png"), state+"-of-a-part"
	check.OK(t, "WriteFile", os.WriteFile(broken, []byte("no image"), 0o600))
	at(password, "add", unread, broken).want(t, exitFailure, "2 of 2 files could not be added")
	rest := at(password, "add", unread, filepath.Join(dir, "page-0.png"), broken, "--state", part, "--watch").
		want(t, exitFailure, "glyphbox: "+unread+": ").want(t, exitFailure, "glyphbox: "+broken+": ").want(t, exitFailure, "1 of 1 read").
		want(t, exitFailure, "glyphbox: 2 of 3 files could not be added")
	at(password, "add", unread, filepath.Join(dir, "page-0.png"), broken, "--state", part).
		want(t, exitFailure, strings.Fields(rest.stdout)[0]).
		want(t, exitFailure, "2 of 3 files are not in the job; add them as another job")
	check.OK(t, "DeleteImages", func() error {
		page, err := uploaded.Images(t.Context(), api.ImageQuery{})
		check.Same(t, "images", page.Total, 4)
		return errors.Join(err, uploaded.DeleteImage(t.Context(), page.Items[0].ID))
	}())

	added := at(password, "add", dir, "--state", state, "--effort", "fast", "--region", region, "--watch").want(t, exitOK, "3 of 3 read")
	id := strings.Fields(added.stdout)[0]
	images, err := uploaded.Images(t.Context(), api.ImageQuery{})
	check.OK(t, "Images", err)
	check.Same(t, "images after it was run again", images.Total, 3)
	at(password, "add", dir, "--state", state).want(t, exitOK, id)
	at(password, "show", id).want(t, exitOK, "done")
	at(password, "list").want(t, exitOK, id)
	at(password, "watch", id).want(t, exitOK, "3 of 3 read")
	at(password, "cancel", id).want(t, exitOK, "")
	at(password, "retry", id).want(t, exitFailure, "No item of the job has failed")
	at(password, "show", "x").want(t, exitFailure, "There is no such job")

	// Of a job with an image that is gone the rest is read, and the program says so.
	pages := s.person.login("ann", password).uploads(2)
	check.OK(t, "DeleteImage", func() error {
		made, err := uploaded.AddJob(t.Context(), firstLine(pages))
		check.OK(t, "AddJob", err)
		id = made.ID
		return uploaded.DeleteImage(t.Context(), pages[1])
	}())
	if r := at(password, "watch", id); r.code != exitOK && !strings.Contains(r.stdout, "1 failed") {
		t.Errorf("watch: %+v", r)
	}
}

// Where the state file cannot be written, the command ends, and leaves nothing on the server that the next run would upload again.
func TestStateThatCannotBeWritten(t *testing.T) {
	fd, err := unix.MemfdCreate("state", unix.MFD_ALLOW_SEALING)
	check.OK(t, "MemfdCreate", err)
	defer unix.Close(fd)
	_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_GROW) // a file on a full disk
	check.OK(t, "FcntlInt", err)
	var mu sync.Mutex
	uploaded, deleted := 0, 0
	service := http.NewServeMux()
	service.HandleFunc("GET /api/v1/ocr/lang", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`["eng"]`)) })
	service.HandleFunc("POST /api/v1/image", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		uploaded++
		_ = json.NewEncoder(w).Encode(api.Image{ID: int64(uploaded)})
	})
	service.HandleFunc("DELETE /api/v1/image/{id}", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		deleted++
		w.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(service)
	defer server.Close()
	dir := t.TempDir()
	const files = 40
	for n := range files {
		check.OK(t, "WriteFile", os.WriteFile(filepath.Join(dir, fmt.Sprintf("page-%d.png", n)), []byte("page"), 0o600))
	}
	command(t, "", "job", "add", dir, "--server", server.URL, "--token", "x", "--state", fmt.Sprintf("/proc/self/fd/%d", fd)).
		want(t, exitFailure, "operation not permitted")
	check.Same(t, "some are uploaded, and not all", uploaded > 0 && uploaded < files, true)
	check.Same(t, "deleted of what was uploaded", deleted, uploaded)
}

// Only what is wrong with a file itself is no reason to stop the uploads.
func TestIsOfFile(t *testing.T) {
	failed := func(op, name string, why error) error {
		return fmt.Errorf("x: %w", &fs.PathError{Op: op, Path: name, Err: why})
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{failed("open", "a.png", syscall.ENOENT), true},
		{failed("read", "a.png", syscall.EISDIR), true},
		{failed("open", "a.png", syscall.EMFILE), false},
		{failed("open", "a.png", syscall.ENFILE), false},
		{failed("write", "state", syscall.ENOSPC), false},
		{failed("read", "/tmp/spool-1", syscall.EIO), false},
		{&api.Problem{Status: http.StatusUnsupportedMediaType}, true},
		{&api.Problem{Status: http.StatusForbidden}, false},
	} {
		check.Same(t, fmt.Sprint(c.err), isOfFile(c.err, "a.png"), c.want)
	}
}

// What cannot be deleted after a job was refused is told.
func TestJobThatCannotTakeBack(t *testing.T) {
	refuse := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(api.Problem{Detail: "No.", Code: "no"})
		}
	}
	service := http.NewServeMux()
	service.HandleFunc("GET /api/v1/ocr/lang", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`["eng"]`)) })
	service.HandleFunc("POST /api/v1/image", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Image{ID: 7})
	})
	service.HandleFunc("POST /api/v1/job", refuse(http.StatusUnprocessableEntity))
	service.HandleFunc("DELETE /api/v1/image/7", refuse(http.StatusForbidden))
	server := httptest.NewServer(service)
	defer server.Close()
	page := filepath.Join(t.TempDir(), "page.png")
	check.OK(t, "WriteFile", os.WriteFile(page, []byte("page"), 0o600))
	command(t, "", "job", "add", page, "--server", server.URL, "--token", "x").want(t, exitFailure,
		"glyphbox: No. (422 no)\nstill on the server: 1 document (No. (403 no))\n")
}

func TestAWorkerNeedsWhatIsShared(t *testing.T) {
	r := command(t, "", "serve", "--role", "worker", "--data-dir", t.TempDir())
	for _, name := range []string{"database", "mongodb", "nats"} {
		r.want(t, exitUsage, "a worker needs the setting "+name)
	}
}

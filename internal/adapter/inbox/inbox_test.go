package inbox

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// world is a folder that nodes watch, on fakes, with the user ann.
type world struct {
	t     *testing.T
	dir   string
	fakes *porttest.Fakes
	ann   account.User
	queue *porttest.FakeQueue
	now   time.Time
	nodes []*Watcher
	runs  *job.Runner
}

func newWorld(t *testing.T, nodes int) *world {
	f := porttest.NewFakes(t)
	w := &world{t: t, dir: t.TempDir(), fakes: f, queue: porttest.NewFakeQueue(), now: time.Now()}
	var err error
	w.ann, err = f.Users.Add(t.Context(), account.User{Name: "ann", Email: "ann@example.org"})
	check.OK(t, "Users.Add", err)
	accounts := &account.Service{Users: f.Users, Now: time.Now}
	limits := &limit.Service{Users: f.Limits, Now: time.Now}
	images := &document.Service{Catalog: f.Catalog, Blobs: f.Blobs, Files: f.Files, Imager: f.Imager, Seals: f.Seals, Limits: limits,
		Now: time.Now}
	reads := &recognition.Service{Images: images, Users: f.Users, Engine: f.Engine, Runs: f.Runs, Contents: f.Contents,
		UserSettings: f.Settings, Index: f.Index, Feed: f.Feed, Exporter: f.Exporter, Now: time.Now}
	images.Dependents = reads
	jobs := &job.Service{Jobs: f.Jobs, Images: images, Limits: limits, Engine: f.Engine, Now: time.Now}
	w.runs = &job.Runner{Jobs: f.Jobs, Queue: w.queue, Accounts: accounts, Reads: reads, AtOnce: 2, Now: time.Now}
	for range nodes {
		w.nodes = append(w.nodes, New(Options{Dir: w.dir, SpoolDir: t.TempDir(), MaxUpload: 1e6, Users: f.Users, Actors: accounts,
			Images: images, Staging: f.Staging, Reads: reads, Jobs: jobs, Once: &once.Service{Keys: f.Once, Now: time.Now}, Limits: limits,
			ShowName: func(name string) string { return strings.ToValidUTF8(name, "?") }, Log: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return w.now }}))
	}
	check.OK(t, "Mkdir", os.Mkdir(filepath.Join(w.dir, "ann"), 0o700))
	return w
}

var pageFile = sync.OnceValue(func() []byte {
	page, _ := porttest.DrawLines("page")
	return porttest.PNG(page)
})

func (w *world) put(name string, data []byte) {
	w.t.Helper()
	path := filepath.Join(w.dir, "ann", name)
	check.OK(w.t, "MkdirAll", os.MkdirAll(filepath.Dir(path), 0o700))
	check.OK(w.t, "WriteFile", os.WriteFile(path, data, 0o600))
}

// look has all nodes look at once, and then some time pass.
func (w *world) look() {
	var all sync.WaitGroup
	for _, n := range w.nodes {
		all.Go(func() { n.look(w.t.Context()) })
	}
	all.Wait()
	w.now = w.now.Add(longPause)
}

// files are the paths of all files of ann.
func (w *world) files() (names []string) {
	root := filepath.Join(w.dir, "ann")
	check.OK(w.t, "WalkDir", filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, strings.TrimPrefix(path, root+"/"))
		}
		return err
	}))
	return names
}

func (w *world) images() int {
	_, n, err := w.fakes.Catalog.List(w.t.Context(), document.Query{Size: 1})
	check.OK(w.t, "List", err)
	return n
}

// run runs the jobs there are while looks go on, until a condition holds.
func (w *world) run(until func() bool) {
	ctx, stop := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.runs.Run(ctx, ctx) })
	for !until() {
		w.look()
		w.runs.Wake()
	}
	stop()
	running.Wait()
}

// Several nodes that watch one folder take each file once, also files of one name.
func TestNodesTogether(t *testing.T) {
	w := newWorld(t, 3)
	const files = 12
	for n := range files {
		w.put(fmt.Sprintf("%d/page.png", n), pageFile())
	}
	var want []string
	for n := range files {
		want = append(want, fmt.Sprintf("done/%d/page.png", n), fmt.Sprintf("done/%d/page.png.txt", n))
	}
	slices.Sort(want)
	w.run(func() bool {
		return len(w.files()) == 2*files && w.nodes[0].Reading.Load()+w.nodes[1].Reading.Load()+w.nodes[2].Reading.Load() == 0
	})
	check.Same(t, "files", w.files(), want)
	check.Same(t, "images", w.images(), files)
	done := int64(0)
	for _, n := range w.nodes {
		done += n.Done.Load()
	}
	check.Same(t, "moved", done, int64(files))
}

// What fails in a store, though it may have been done, is done once in the end.
func TestStoresFail(t *testing.T) {
	for _, call := range []string{"Limits.Of", "Blobs.Put", "Catalog.Add", "Settings.Settings", "Jobs.Add", "Jobs.ByID",
		"Jobs.Items", "Users.ByName", "Users.ByID", "Imager.Probe"} {
		for _, mode := range []porttest.Mode{porttest.Before, porttest.After} {
			t.Run(call+" "+string(mode), func(t *testing.T) {
				w := newWorld(t, 1)
				w.put("page.png", pageFile())
				w.look()
				w.fakes.Fail(call, mode)
				w.run(func() bool { return slices.Equal(w.files(), []string{"done/page.png", "done/page.png.txt"}) })
				check.Same(t, "images", w.images(), 1)
				jobs, err := w.fakes.Jobs.List(t.Context(), w.ann.ID, "", 10)
				check.OK(t, "List", err)
				check.Same(t, "jobs", len(jobs), 1)
			})
		}
	}
}

// A file is taken once it looks the same twice; an empty one is about to be written.
func TestCompleteFiles(t *testing.T) {
	w := newWorld(t, 1)
	w.put("page.png", pageFile()[:100])
	w.put("empty.png", nil)
	w.look()
	w.put("page.png", pageFile())
	w.now = w.now.Add(-longPause + time.Second)
	w.look()
	check.Same(t, "while they are written", w.files(), []string{"empty.png", "page.png"})
	w.run(func() bool {
		return len(w.files()) == 4 && w.nodes[0].Failed.Load() == 1 && w.nodes[0].Done.Load() == 1
	})
	check.Same(t, "then", w.files(), []string{"done/page.png", "done/page.png.txt", "failed/empty.png", "failed/empty.png.reason.txt"})
}

// What another name is taken by is never written over.
func TestNamesThatAreTaken(t *testing.T) {
	w := newWorld(t, 1)
	w.put("done/page.png.txt", []byte("somebody else's"))
	w.put("done/page (2).png", []byte("another"))
	check.OK(t, "Symlink", os.Symlink("/etc/passwd", filepath.Join(w.dir, "ann", "done", "page (3).png.txt")))
	w.put("page.png", pageFile())
	w.run(func() bool { return w.nodes[0].Done.Load() == 1 })
	check.Same(t, "files", w.files(), []string{"done/page (2).png", "done/page (3).png.txt", "done/page (4).png", "done/page (4).png.txt",
		"done/page.png.txt"})
}

// Nothing is followed that leads out of the folder of a user, even where it takes the place of ours.
func TestLinksOutside(t *testing.T) {
	w := newWorld(t, 1)
	outside := t.TempDir()
	for _, dir := range []string{doneDir, failedDir} {
		check.OK(t, "Symlink", os.Symlink(outside, filepath.Join(w.dir, "ann", dir)))
	}
	w.put("page.png", pageFile())
	w.put("broken.png", []byte("no image"))
	w.run(func() bool { return len(w.nodes[0].complaints()) == 2 })
	entries, err := os.ReadDir(outside)
	check.OK(t, "ReadDir", err)
	check.Same(t, "outside", len(entries), 0)
	check.Same(t, "images", w.images(), 1)
	for _, dir := range []string{doneDir, failedDir} {
		check.OK(t, "Remove", os.Remove(filepath.Join(w.dir, "ann", dir)))
	}
	w.run(func() bool { return w.nodes[0].Done.Load() == 1 && w.nodes[0].Failed.Load() == 1 })
}

// A file whose job was removed before the file was moved is done where it was read.
func TestJobIsRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		read bool
		want []string
	}{
		"read":     {true, []string{"done/page.png", "done/page.png.txt"}},
		"not read": {false, []string{"failed/page.png", "failed/page.png.reason.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			done, n := filepath.Join(w.dir, "ann", doneDir), w.nodes[0]
			check.OK(t, "Symlink", os.Symlink(t.TempDir(), done)) // so that nothing can be moved there
			w.put("page.png", pageFile())
			if c.read {
				w.run(func() bool { return len(n.complaints()) > 0 })
			} else {
				w.look()
				w.look()
			}
			jobs, err := w.fakes.Jobs.List(t.Context(), w.ann.ID, "", 10)
			check.OK(t, "List", err)
			check.OK(t, "Cancel", w.fakes.Jobs.Cancel(t.Context(), jobs[0].ID, w.now))
			check.OK(t, "Remove job", w.fakes.Jobs.Remove(t.Context(), []string{jobs[0].ID}, w.now.Add(time.Hour)))
			check.OK(t, "Remove link", os.Remove(done))
			w.look()
			check.Same(t, "files", w.files(), c.want)
		})
	}
}

// A file that the queue has no room for waits in its place, and one that was uploaded before waits for its job alone.
func TestNoRoom(t *testing.T) {
	w := newWorld(t, 1)
	set := func(o limit.Own) {
		check.OK(t, "Limits.Update", w.fakes.Limits.Update(t.Context(), w.ann.ID, func(own *limit.Own) { *own = o }))
	}
	set(limit.Own{Items: new(int64(1))})
	w.put("a.png", pageFile())
	w.put("b.png", pageFile())
	w.run(func() bool { return w.nodes[0].Done.Load() == 1 })
	w.look()
	w.look()
	check.Same(t, "files", w.files(), []string{"b.png", "done/a.png", "done/a.png.txt"})
	set(limit.Own{})
	w.fakes.Meanwhile("Catalog.Add", func() { w.fakes.Fail("Jobs.Add", porttest.Before) })
	w.run(func() bool { return w.nodes[0].Done.Load() == 2 })
	check.Same(t, "images", w.images(), 2)
}

// A file that was taken before its user had no room is not copied again and again while it waits.
func TestNoRoomSinceTaken(t *testing.T) {
	w := newWorld(t, 1)
	check.OK(t, "Limits.Update", w.fakes.Limits.Update(t.Context(), w.ann.ID, func(own *limit.Own) { own.Bytes = new(int64(1)) }))
	w.put("reading/"+newClaim(w.now)+"/a.png", pageFile())
	w.look() // whose file it is becomes known
	n := w.nodes[0]
	spooled := n.SpoolDir
	n.SpoolDir = filepath.Join(spooled, "missing") // where nothing can be copied
	n.look(t.Context())
	check.Same(t, "waits for room", n.isPaused("ann"), true)
	n.SpoolDir = spooled
	check.OK(t, "Limits.Update", w.fakes.Limits.Update(t.Context(), w.ann.ID, func(own *limit.Own) { own.Bytes = nil }))
	w.now = w.now.Add(longPause)
	w.run(func() bool { return n.Done.Load() == 1 })
}

// complaints are the paths that something was said of.
func (w *Watcher) complaints() (paths []string) {
	for path, n := range w.notes {
		if n.said != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// What is remembered of files and claims is forgotten after a day, and what is of use stays.
func TestNotesDoNotGrow(t *testing.T) {
	w := newWorld(t, 1)
	n := w.nodes[0]
	w.fakes.Fail("Jobs.Add", porttest.Before)
	w.put("page.png", pageFile())
	w.put("broken.png", []byte("no image"))
	w.put("empty.png", nil)
	check.OK(t, "Symlink", os.Symlink(t.TempDir(), filepath.Join(w.dir, "ann", failedDir)))
	w.run(func() bool { return n.Done.Load() == 1 && len(n.complaints()) > 0 })
	check.OK(t, "RemoveAll", os.RemoveAll(filepath.Join(w.dir, "ann")))
	check.OK(t, "Mkdir", os.Mkdir(filepath.Join(w.dir, "ann"), 0o777))
	w.look()
	check.Same(t, "more is remembered than the user", len(n.notes) > 1, true)
	w.now = w.now.Add(keptNote)
	w.look()
	w.look()
	check.Same(t, "what is remembered", slices.Collect(maps.Keys(n.notes)), []string{"ann"})
}

func TestNames(t *testing.T) {
	long := strings.Repeat("가", 84) + ".png" // 256 bytes
	for _, c := range []struct{ got, want string }{
		{numbered("a/b.pdf", 1), "a/b.pdf"}, {numbered("a/b.pdf", 2), "a/b (2).pdf"}, {numbered("b", 3), "b (3)"},
		{numbered(".b", 2), " (2).b"}, {beside("a/b.pdf", ".txt"), "a/b.pdf.txt"},
		{beside(long[3:], ".txt"), strings.Repeat("가", 83) + ".p" + ".txt"},
	} {
		check.Same(t, "name", c.got, c.want)
	}
	for _, name := range []string{numbered(long[1:], 10), beside(long[3:], ".reason.txt")} {
		if base := name; len(base) > maxFileName {
			t.Errorf("%q has %d bytes", name, len(base))
		}
	}
	if name := beside(long[3:], ".reason.txt"); !utf8.ValidString(name) {
		t.Errorf("%q is cut within a character", name)
	}
	for name, want := range map[string]bool{"a.pdf": false, ".a.pdf": true, "a.pdf.part": true, "A.CRDOWNLOAD": true, "~$a.docx": true,
		"Thumbs.db": true, "a.pdf~": true, "part": false, "a.TMP": true} {
		check.Same(t, name, passing(name), want)
	}
}

func TestWhatIsHopeless(t *testing.T) {
	w := New(Options{Now: time.Now})
	for kind, want := range map[fault.Kind]bool{fault.Invalid: true, fault.Unsupported: true, fault.Full: false, fault.TooMany: false,
		fault.Unavailable: false, fault.Canceled: false} {
		check.Same(t, kind.String(), w.hopeless("x", fault.New(kind, "x", "X.")), want)
	}
	crash := fault.New(fault.Unavailable, recognition.CodeCrashed, "It crashed.")
	for n := 1; n <= maxTries; n++ {
		check.Same(t, fmt.Sprint("crash ", n), w.hopeless("y", crash), n == maxTries)
	}
	check.Same(t, "a full disk", w.hopeless("y", &fs.PathError{Op: "write", Path: "x", Err: fs.ErrPermission}), false)
}

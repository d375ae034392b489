package porttest

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

func fakeStores(*testing.T) Stores { return newFakes(nil).Stores }

func TestFakeUsers(t *testing.T)    { Users(t, fakeStores) }
func TestFakeSessions(t *testing.T) { Sessions(t, fakeStores) }
func TestFakeKeys(t *testing.T)     { Keys(t, fakeStores) }
func TestFakeCatalog(t *testing.T)  { Catalog(t, fakeStores) }
func TestFakeRuns(t *testing.T)     { Runs(t, fakeStores) }
func TestFakeIndex(t *testing.T)    { Index(t, fakeStores) }
func TestFakeOnce(t *testing.T)     { Once(t, fakeStores) }
func TestFakeLimits(t *testing.T)   { Limits(t, fakeStores) }
func TestFakeFeed(t *testing.T)     { Feed(t, fakeStores) }

func TestFakeJobs(t *testing.T)  { Jobs(t, fakeStores) }
func TestFakeHooks(t *testing.T) { Hooks(t, fakeStores) }

func TestFakeContents(t *testing.T) {
	Contents(t, func(*testing.T) recognition.Contents { return newFakes(nil).Contents })
}

func TestFakeBlobs(t *testing.T) {
	Blobs(t, func(*testing.T) document.Blobs { return newFakes(nil).Blobs })
}

func TestFakeImager(t *testing.T) {
	Imager(t, func(*testing.T) document.Imager { return newFakes(nil).Imager })
}

func TestFakeEngine(t *testing.T) {
	EngineOrders(t, func(*testing.T) recognition.Engine { return newFakes(nil).Engine })
}

func TestFakeExporter(t *testing.T) { Exporter(t, newFakes(nil).Exporter) }

func TestFakeSeals(t *testing.T) { Seals(t, func(*testing.T) document.Seals { return newFakeSeals() }) }

func TestFakeTokens(t *testing.T) {
	Tokens(t, func(*testing.T) account.Tokens { return newFakes(nil).Tokens })
}

func TestFakePasswords(t *testing.T) {
	Passwords(t, func(*testing.T) account.Passwords { return newFakes(nil).Passwords })
}

// verdicts is a test that only notes why it failed.
type verdicts struct {
	testing.TB
	notes []string
}

func (v *verdicts) Helper()                      {}
func (v *verdicts) Errorf(f string, args ...any) { v.notes = append(v.notes, fmt.Sprintf(f, args...)) }

// TestFakesJudge does to the fakes what no caller should.
func TestFakesJudge(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		act  func(f *Fakes, image document.Image, run recognition.Run)
		want string
	}{
		"row before bytes": {func(f *Fakes, i document.Image, _ recognition.Run) { i.Original = "x"; addPages(t, f.Stores, i) },
			"names the blob"},
		"bytes go before the row": {func(f *Fakes, i document.Image, _ recognition.Run) { f.Blobs.Delete(ctx, i.Original) },
			"while an image names it"},
		"run before contents": {func(f *Fakes, _ document.Image, r recognition.Run) {
			r.ContentIDs = []string{"x"}
			f.Runs.Append(ctx, r)
		}, "not there"},
		"run with another's content": {func(f *Fakes, _ document.Image, r recognition.Run) { f.Runs.Append(ctx, r) }, "another has"},
		"run without contents": {func(f *Fakes, _ document.Image, r recognition.Run) { r.ContentIDs = nil; f.Runs.Append(ctx, r) },
			"without contents"},
		"contents go before the run": {func(f *Fakes, _ document.Image, r recognition.Run) { f.Contents.Delete(ctx, r.ContentIDs) },
			"while a run has it"},
		"a revision is skipped": {func(f *Fakes, _ document.Image, r recognition.Run) {
			f.Contents.Revise(ctx, recognition.Content{ID: r.ContentIDs[0], Revision: 3})
		}, "revision 3"},
		"the first revision again": {func(f *Fakes, _ document.Image, r recognition.Run) {
			f.Contents.Revise(ctx, recognition.Content{ID: r.ContentIDs[0], Revision: 1})
		}, "revision 1"},
		"a reader left open": {func(f *Fakes, i document.Image, _ recognition.Run) { f.Blobs.Open(ctx, i.Original) }, "left open"},
		"a fault never met":  {func(f *Fakes, _ document.Image, _ recognition.Run) { f.Fail("Users.Add", Before) }, "never met"},
		"a session for nobody": {func(f *Fakes, _ document.Image, _ recognition.Run) { f.Sessions.AddSession(ctx, account.Session{}) },
			"who is not there"},
		"a region beyond the page": {func(f *Fakes, _ document.Image, _ recognition.Run) {
			page, _ := DrawLines("text")
			f.Engine.Recognize(ctx, order(PNG(page), task(document.Box{X2: 9999, Y2: 9}, 7)))
		}, "not within the page"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &verdicts{}
			f := newFakes(v)
			i, r := someRow(t, f)
			if len(v.notes) > 0 {
				t.Fatalf("judged at the start: %v", v.notes)
			}
			c.act(f, i, r)
			f.finish()
			if !slices.ContainsFunc(v.notes, func(n string) bool { return strings.Contains(n, c.want) }) {
				t.Errorf("got the verdicts %q, want one with %q", v.notes, c.want)
			}
		})
	}
}

// someRow adds an image and a run as they should be added.
func someRow(t *testing.T, f *Fakes) (document.Image, recognition.Run) {
	t.Helper()
	u := addUser(t, f.Stores, "ann")
	i := someImage(u, "page")
	i.Original, i.Thumbnail = put(t, f.Blobs, strings.NewReader("original")), put(t, f.Blobs, strings.NewReader("thumbnail"))
	i = addImage(t, f.Stores, i)
	return i, addRun(t, f.Stores, someRun(i, u, 1))
}

func TestFakesFail(t *testing.T) {
	f := NewFakes(t)
	f.Fail("Users.Add", Before)
	f.Fail("Users.Add", After)
	for want := range 2 {
		_, err := f.Users.Add(t.Context(), someUser(fmt.Sprint("user", want)))
		check.Code(t, "Add", err, fault.Unavailable, "injected")
		_, n, err := f.Users.List(t.Context(), "", account.Page{Size: 10})
		check.OK(t, "List", err)
		same(t, "users that were added all the same", n, want)
	}
	_, err := f.Users.Add(t.Context(), someUser("user2"))
	check.OK(t, "Add", err)
	same(t, "calls", f.Calls(), []string{"Users.Add", "Users.Add", "Users.Add"})
}

func TestFakesMeanwhile(t *testing.T) {
	f := NewFakes(t)
	i, r := someRow(t, f)
	same(t, "orphans", f.Orphans(), []string(nil))
	f.Meanwhile("Runs.RemoveContent", func() { check.OK(t, "Catalog.Delete", f.Catalog.Delete(t.Context(), i.ID)) })
	check.Kind(t, "RemoveContent", f.Runs.RemoveContent(t.Context(), r.ContentIDs[0]), fault.NotFound)
	same(t, "orphans", len(f.Orphans()), 3)
	reader, err := f.Blobs.Open(t.Context(), i.Original)
	check.OK(t, "Open", err)
	b, err := io.ReadAll(reader)
	check.OK(t, "ReadAll", err)
	check.OK(t, "Close", reader.Close())
	same(t, "bytes", string(b), "original")
}

func TestFakeQueue(t *testing.T) {
	Queue(t, func(*testing.T) job.Queue { return NewFakeQueue() }, func(_ *testing.T, q job.Queue) { q.(*FakeQueue).Lose() })
}

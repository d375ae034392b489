package sweep_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/sweep"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// world is the sweeper on fakes, with a user.
type world struct {
	*sweep.Sweeper
	fakes *porttest.Fakes
	ann   int64
	found []string // kind and name
}

// inWorld runs a test in a world where time passes at once.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := porttest.NewFakes(t)
		ann, err := f.Users.Add(t.Context(), account.User{Name: "ann", Email: "ann@example.org"})
		check.OK(t, "Users.Add", err)
		test(t, &world{fakes: f, ann: ann.ID, Sweeper: &sweep.Sweeper{Now: time.Now, Kinds: []sweep.Kind{
			{Name: "blobs", Old: f.Blobs.Old, Named: f.Catalog.Named, Delete: func(ctx context.Context, names []string) error {
				for _, name := range names {
					if err := f.Blobs.Delete(ctx, name); err != nil {
						return err
					}
				}
				return nil
			}},
			{Name: "contents", Old: f.Contents.Old, Named: f.Runs.Named, Delete: f.Contents.Delete},
		}}})
	})
}

// sweep sweeps by the usual age, and notes what it finds.
func (w *world) sweep(t *testing.T, o sweep.Options) ([]sweep.Tally, error) {
	t.Helper()
	o.Age, w.found = sweep.MinAge, nil
	o.Found = func(kind, name string) { w.found = append(w.found, kind+" "+name) }
	tallies, err := w.Sweep(t.Context(), o)
	slices.Sort(w.found)
	return tallies, err
}

// image adds an image with its two blobs and a run of n contents.
func (w *world) image(t *testing.T, n int) document.Image {
	t.Helper()
	i := document.Image{Name: "page", Number: 1, Owner: account.Ref{ID: w.ann}, Original: w.blob(t), Thumbnail: w.blob(t)}
	added, err := w.fakes.Catalog.Add(t.Context(), once.Claim{}, limit.Limits{}, []document.Image{i})
	check.OK(t, "Catalog.Add", err)
	i = added[0]
	_, err = w.fakes.Runs.Append(t.Context(), recognition.Run{ImageID: i.ID, User: i.Owner, ContentIDs: w.contents(t, n)})
	check.OK(t, "Runs.Append", err)
	return i
}

func (w *world) blob(t *testing.T) string {
	t.Helper()
	name, err := w.fakes.Blobs.Put(t.Context(), strings.NewReader("bytes"))
	check.OK(t, "Put", err)
	return name
}

var lastContent atomic.Int64

func (w *world) contents(t *testing.T, n int) (ids []string) {
	t.Helper()
	var contents []recognition.Content
	for range n {
		c := recognition.Content{ID: fmt.Sprintf("content%07d", lastContent.Add(1)), Revision: 1}
		contents, ids = append(contents, c), append(ids, c.ID)
	}
	check.OK(t, "Contents.Add", w.fakes.Contents.Add(t.Context(), contents))
	return ids
}

func TestSweepRemovesWhatWasDeletedLongAgo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Kinds = append(w.Kinds, recognition.DeletedKind(w.fakes.Runs, w.fakes.Contents, time.Now))
		runs, err := w.fakes.Runs.List(t.Context(), w.image(t, 60).ID, 0, 1)
		check.OK(t, "List", err)
		ids := runs[0].ContentIDs
		for _, id := range ids[:50] { // more than what stays, and more than a few
			check.OK(t, "MarkDeleted", w.fakes.Runs.MarkDeleted(t.Context(), id, time.Now()))
		}
		time.Sleep(recognition.KeepDeleted)
		check.OK(t, "MarkDeleted", w.fakes.Runs.MarkDeleted(t.Context(), ids[50], time.Now()))
		want := func(what string, old, removed, orphans int, o sweep.Options) {
			t.Helper()
			tallies, err := w.sweep(t, o)
			check.OK(t, "Sweep", err)
			check.Same(t, what, tallies[2], sweep.Tally{Kind: "deleted contents", Old: old, Left: old, Removed: removed})
			check.Same(t, "orphans", len(w.fakes.Orphans()), orphans)
		}
		want("at the last moment", 0, 0, 0, sweep.Options{})
		time.Sleep(time.Second)
		want("a dry run", 50, 0, 0, sweep.Options{DryRun: true})
		w.fakes.Meanwhile("Runs.RemoveDeleted", func() { check.OK(t, "Restore", w.fakes.Runs.Restore(t.Context(), ids[7])) })
		want("seven days later", 50, 50, 0, sweep.Options{})
		runs, err = w.fakes.Runs.List(t.Context(), runs[0].ImageID, 0, 1)
		check.OK(t, "List", err)
		check.Same(t, "what was not marked, and what was brought back", runs[0].ContentIDs, append([]string{ids[7]}, ids[51:]...))
		left, err := w.fakes.Contents.Get(t.Context(), ids)
		check.OK(t, "Get", err)
		check.Same(t, "documents", len(left), 11) // one of them of what is marked still
	})
}

func TestSweepRemovesWhatIsOldAndNotNamed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.image(t, 3)
		left, ids := w.blob(t), w.contents(t, 2)
		orphans := append(ids, left)
		slices.Sort(orphans)
		time.Sleep(sweep.MinAge - time.Second)
		young := w.blob(t)

		tallies, err := w.sweep(t, sweep.Options{})
		check.OK(t, "Sweep of what is younger", err)
		check.Same(t, "tallies of what is younger", tallies, []sweep.Tally{{Kind: "blobs"}, {Kind: "contents"}})
		time.Sleep(2 * time.Second)
		want := []string{"blobs " + left, "contents " + ids[0], "contents " + ids[1]}
		tallies, err = w.sweep(t, sweep.Options{DryRun: true})
		check.OK(t, "Sweep that only looks", err)
		check.Same(t, "tallies of a dry run", tallies, []sweep.Tally{{"blobs", 3, 1, 0}, {"contents", 5, 2, 0}})
		check.Same(t, "found by a dry run", w.found, want)
		check.Same(t, "orphans after a dry run", len(w.fakes.Orphans()), 4)

		tallies, err = w.sweep(t, sweep.Options{})
		check.OK(t, "Sweep", err)
		check.Same(t, "tallies", tallies, []sweep.Tally{{"blobs", 3, 1, 1}, {"contents", 5, 2, 2}})
		check.Same(t, "found", w.found, want)
		check.Same(t, "orphans", w.fakes.Orphans(), []string{young})

		w.fakes.Calls()
		tallies, err = w.sweep(t, sweep.Options{})
		check.OK(t, "Sweep again", err)
		check.Same(t, "tallies of nothing", tallies, []sweep.Tally{{"blobs", 2, 0, 0}, {"contents", 3, 0, 0}})
		check.Same(t, "calls", w.fakes.Calls(), nil)
	})
}

func TestSweepOfMoreThanRowsAreAskedFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for range 3 {
			w.image(t, 600)
		}
		w.contents(t, 1234)
		time.Sleep(sweep.MinAge + time.Second)
		tallies, err := w.sweep(t, sweep.Options{})
		check.OK(t, "Sweep", err)
		check.Same(t, "tallies", tallies, []sweep.Tally{{"blobs", 6, 0, 0}, {"contents", 3034, 1234, 1234}})
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	})
}

// Whatever cannot answer, nothing is removed by guess, and the other kind is swept all the same.
func TestSweepWhileAStoreIsAway(t *testing.T) {
	for op, orphans := range map[string]int{"Blobs.Old": 1, "Catalog.Named": 1, "Blobs.Delete": 1, "Contents.Old": 2, "Runs.Named": 2,
		"Contents.Delete": 2} {
		t.Run(op, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.image(t, 2)
				w.blob(t)
				w.contents(t, 2)
				time.Sleep(sweep.MinAge + time.Second)
				w.fakes.Fail(op, porttest.Before)
				tallies, err := w.sweep(t, sweep.Options{})
				if !fault.Is(err, fault.Unavailable) {
					t.Errorf("got error %v, want Unavailable", err)
				}
				check.Same(t, "orphans", len(w.fakes.Orphans()), orphans)
				check.Same(t, "removed", tallies[0].Removed+tallies[1].Removed, 3-orphans)
				_, err = w.sweep(t, sweep.Options{})
				check.OK(t, "Sweep when it is back", err)
				check.Same(t, "orphans when it is back", w.fakes.Orphans(), nil)
			})
		})
	}
}

// What was counted is looked for anew, so that whatever is named meanwhile stays. The fakes judge that.
func TestSweepAsksAnew(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		i := document.Image{Name: "page", Number: 1, Owner: account.Ref{ID: w.ann}, Original: w.blob(t), Thumbnail: w.blob(t)}
		time.Sleep(sweep.MinAge + time.Second)
		w.fakes.Meanwhile("Catalog.Named", func() {
			w.fakes.Meanwhile("Catalog.Named", func() {
				_, err := w.fakes.Catalog.Add(t.Context(), once.Claim{}, limit.Limits{}, []document.Image{i})
				check.OK(t, "Catalog.Add", err)
			})
		})
		tallies, err := w.sweep(t, sweep.Options{})
		check.OK(t, "Sweep", err)
		check.Same(t, "tally", tallies[0], sweep.Tally{Kind: "blobs", Old: 2, Left: 2})
	})
}

func TestSweepOfTooMuch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for range 10 {
			w.image(t, 1)
		}
		for range 20 { // as many as are named
			w.blob(t)
		}
		w.contents(t, 20) // more than are named, and yet few
		time.Sleep(sweep.MinAge + time.Second)
		_, err := w.sweep(t, sweep.Options{})
		check.OK(t, "Sweep of as much as is named, and of a few", err)
		check.Same(t, "orphans", w.fakes.Orphans(), nil)

		for range 21 {
			w.blob(t)
		}
		w.contents(t, 5)
		time.Sleep(sweep.MinAge + time.Second)
		for _, dry := range []bool{true, false} {
			tallies, err := w.sweep(t, sweep.Options{DryRun: dry})
			if f := fault.Of(err); f == nil || f.Kind != fault.Conflict || f.Code != "too_much_left_over" {
				t.Errorf("dry run %v: got error %v, want too_much_left_over", dry, err)
			}
			check.Same(t, "tally", tallies[0], sweep.Tally{Kind: "blobs", Old: 41, Left: 21})
		}
		check.Same(t, "orphans", len(w.fakes.Orphans()), 21)
		tallies, err := w.sweep(t, sweep.Options{Force: true})
		check.OK(t, "Sweep by force", err)
		check.Same(t, "tally", tallies[0], sweep.Tally{Kind: "blobs", Old: 41, Left: 21, Removed: 21})
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	})
}

// Nodes that sweep at once, while others upload and delete, remove what is left over and nothing else. The fakes judge that.
func TestSeveralNodesSweepAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for range 5 {
					time.Sleep(40 * time.Minute)
					if _, err := w.Sweep(t.Context(), sweep.Options{Age: sweep.MinAge}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 3 {
			all.Go(func() {
				for range 10 {
					i := w.image(t, 2)
					w.blob(t)
					time.Sleep(20 * time.Minute)
					check.OK(t, "Catalog.Delete", w.fakes.Catalog.Delete(t.Context(), i.ID))
				}
			})
		}
		all.Wait()
		time.Sleep(sweep.MinAge + time.Second)
		_, err := w.sweep(t, sweep.Options{Force: true})
		check.OK(t, "Sweep", err)
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	})
}

func TestSweepOfWhatIsTooYoung(t *testing.T) {
	w := &sweep.Sweeper{}
	for _, age := range []time.Duration{sweep.MinAge - 1, 0, -time.Hour} {
		if _, err := w.Sweep(t.Context(), sweep.Options{Age: age, Force: true}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got error %v, want Invalid", age, err)
		}
	}
}

func TestTooLate(t *testing.T) {
	since := time.Now()
	for after, want := range map[time.Duration]bool{0: false, -time.Hour: false, sweep.NameWithin: false, sweep.NameWithin + 1: true} {
		if got := sweep.TooLate(since, since.Add(after)); got != want {
			t.Errorf("after %s: got %v, want %v", after, got, want)
		}
	}
}

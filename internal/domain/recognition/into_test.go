package recognition_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// into is a request that adds regions to a version.
func into(version int, regions ...recognition.Region) recognition.Request {
	return recognition.Request{Regions: regions, Mode: recognition.BestMode, Into: version}
}

// again is a region in which a content is read again.
func again(r recognition.Region, id string) recognition.Region {
	r.Content = id
	return r
}

func (w *world) add(t *testing.T, version int, regions ...recognition.Region) recognition.Run {
	t.Helper()
	run, err := w.Recognize(t.Context(), w.ann, w.image.ID, into(version, regions...))
	check.OK(t, "Recognize into a version", err)
	return run
}

func (w *world) version(t *testing.T, n int) recognition.Run {
	t.Helper()
	run, err := w.Version(t.Context(), w.ann, w.image.ID, n)
	check.OK(t, "Version", err)
	return run
}

func TestRecognizeInto(t *testing.T) {
	w := newWorld(t)
	first := w.recognize(t, w.ann, left)
	w.fakes.ReadBy(right.Box, "other 2, fake 1.0")
	w.clock = w.clock.Add(time.Minute)
	w.fakes.Calls()
	r := right
	r.Name, r.Lang = "total", []string{"kor"}
	added, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Regions: []recognition.Region{r, region(0, 0, 9, 9)},
		Mode: 1, Shape: recognition.ShapeWord, Into: 1})
	check.OK(t, "Recognize", err)
	check.Same(t, "order", w.fakes.Calls(), []string{"Contents.Add", "Runs.Extend"})
	check.Same(t, "contents that are returned", len(added.Contents), 2)
	check.Same(t, "version of a content", added.Contents[1].Version, 1)
	got := w.version(t, 1)
	want := first
	want.Engine = "fake 1.0, other 2"
	want.Contents = append(slices.Clone(first.Contents), added.Contents...)
	want.ContentIDs = append(slices.Clone(first.ContentIDs), added.Contents[0].ID, added.Contents[1].ID)
	check.Same(t, "the version, whose settings are those of the first call", got, want)
	check.Same(t, "languages of the content", got.Contents[1].Lang, []string{"kor"})
	check.Same(t, "shape of the content", got.Contents[1].Shape, recognition.ShapeWord)
	whole := w.add(t, 1)
	check.Same(t, "the whole page is added", whole.Contents[0].ROI, box(0, 0, 400, 140))
	check.Same(t, "regions", len(w.version(t, 1).Contents), 4)
	check.Same(t, "version of the next run", w.recognize(t, w.ann, left).Version, 2)
}

func TestReadAgain(t *testing.T) {
	w := newWorld(t)
	l := left
	l.Name = "date"
	run := w.recognize(t, w.ann, l, right)
	id, text := run.ContentIDs[0], "corrected"
	_, err := w.Correct(t.Context(), w.admin, id, recognition.Correction{Text: &text})
	check.OK(t, "Correct", err)
	moved := region(10, 10, 60, 60)
	added := w.add(t, 1, again(moved, id), region(0, 0, 9, 9))
	got := added.Contents[0]
	check.Same(t, "ID", got.ID, id)
	check.Same(t, "revision", got.Revision, 3)
	check.Same(t, "text", got.Text, "region 10,10,60,60")
	check.Same(t, "place", got.ROI, moved.Box)
	check.Same(t, "name", got.Name, "date")
	check.Same(t, "who made the revision", got.RevisedBy, account.Ref{ID: w.ann.UserID, Name: "ann"})
	check.Same(t, "who wrote it", got.EditedBy, account.Ref{})
	now := w.version(t, 1)
	check.Same(t, "contents", now.ContentIDs, []string{id, run.ContentIDs[1], added.Contents[1].ID})
	check.Same(t, "the content", now.Contents[0], got)
	revisions, err := w.Revisions(t.Context(), w.ann, id)
	check.OK(t, "Revisions", err)
	check.Same(t, "the correction is kept", revisions[1].Text, text)

	moved.Name = "day"
	check.Same(t, "another name", w.add(t, 1, again(moved, id)).Contents[0].Name, "day")
}

func TestIntoIsRefused(t *testing.T) {
	w := newWorld(t)
	w.see(t, document.Shared)
	old := w.recognize(t, w.ann, left)
	other := w.upload(t)
	run, err := w.Recognize(t.Context(), w.ann, other.ID, into(0, left))
	check.OK(t, "Recognize", err)
	elsewhere := run.ContentIDs[0]
	ask := func(a account.Actor, r recognition.Request) error {
		_, err := w.Recognize(t.Context(), a, w.image.ID, r)
		return err
	}
	check.Code(t, "another's version", ask(w.bob, into(1, right)), fault.Forbidden, "version_of_another")
	check.Code(t, "another's version, as an administrator", ask(w.admin, into(1, right)), fault.Forbidden, "version_of_another")
	check.Kind(t, "no such version", ask(w.ann, into(2, right)), fault.NotFound)
	w.recognize(t, w.ann, left)
	check.Code(t, "an older version", ask(w.ann, into(1, right)), fault.Conflict, "version_not_newest")
	for what, id := range map[string]string{"of an older version": old.ContentIDs[0], "of another image": elsewhere,
		"of nothing": "nothing"} {
		err := ask(w.ann, into(2, right, again(left, id)))
		check.Code(t, "a content "+what, err, fault.NotFound, "content_not_found")
		check.Same(t, "field", fault.Of(err).Fields[0].Field, "regions[1].content")
	}
	mine := w.version(t, 2).ContentIDs[0]
	wantFields(t, "a content twice", ask(w.ann, into(2, again(left, mine), again(right, mine))), "regions[1].content")
	wantFields(t, "a content without a version", ask(w.ann, into(0, again(left, mine))), "regions[0].content")
	w.fakes.FailRegion(right.Box, fault.Failure{Code: recognition.CodeCrashed})
	check.Code(t, "a region that cannot be read", ask(w.ann, into(2, right)), fault.Unavailable, recognition.CodeCrashed)
	check.Same(t, "contents", len(w.version(t, 2).Contents), 1)
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

// TestIntoMeanwhile checks what the transaction finds that was not so when the request came.
func TestIntoMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*testing.T, *world, string)
		kind      fault.Kind
		code      string
	}{
		"a newer version": {func(t *testing.T, w *world, _ string) { w.recognize(t, w.ann, right) }, fault.Conflict, "version_not_newest"},
		"the image goes": {func(t *testing.T, w *world, _ string) {
			check.OK(t, "Delete", w.images.Delete(t.Context(), w.ann, w.image.ID, nil))
		}, fault.NotFound, "image_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.recognize(t, w.ann, left).ContentIDs[0]
			w.fakes.Meanwhile("Runs.Extend", func() { c.meanwhile(t, w, id) })
			_, err := w.Recognize(t.Context(), w.ann, w.image.ID, into(1, right, again(left, id)))
			check.Code(t, "Recognize", err, c.kind, c.code)
			check.Same(t, "orphans", w.fakes.Orphans(), nil)
		})
	}
	text := "typed"
	correct := func(t *testing.T, w *world, id string) {
		_, err := w.Correct(t.Context(), w.admin, id, recognition.Correction{Text: &text})
		check.OK(t, "Correct", err)
	}
	for _, op := range []string{"Engine.Recognize", "Runs.Extend", "Contents.Revise"} {
		t.Run("a correction before "+op, func(t *testing.T) {
			w := newWorld(t)
			id := w.recognize(t, w.ann, left).ContentIDs[0]
			w.fakes.Meanwhile(op, func() { correct(t, w, id) })
			_, err := w.Recognize(t.Context(), w.ann, w.image.ID, into(1, again(left, id)))
			check.Code(t, "Recognize", err, fault.Conflict, "changed_meanwhile")
			check.Same(t, "field", fault.Of(err).Fields[0].Field, "regions[0].content")
			check.Same(t, "text", w.version(t, 1).Contents[0].Text, text)
		})
	}
}

// TestIntoThatFails checks what stays behind of each step that fails, in each way.
func TestIntoThatFails(t *testing.T) {
	for _, c := range []struct {
		op                string
		mode              porttest.Mode
		contents, orphans int
		revision          int
	}{
		{"Contents.Add", porttest.Before, 1, 0, 1},
		{"Contents.Add", porttest.After, 1, 1, 1},
		{"Runs.Extend", porttest.Before, 1, 1, 1}, // the row might be there, so its content stays
		{"Runs.Extend", porttest.After, 2, 0, 1},
		{"Contents.Revise", porttest.Before, 2, 0, 1},
		{"Contents.Revise", porttest.After, 2, 0, 2},
	} {
		t.Run(fmt.Sprint(c.op, " ", c.mode), func(t *testing.T) {
			w := newWorld(t)
			id := w.recognize(t, w.ann, left).ContentIDs[0]
			w.fakes.Fail(c.op, c.mode)
			_, err := w.Recognize(t.Context(), w.ann, w.image.ID, into(1, again(left, id), right))
			check.Code(t, "Recognize", err, fault.Unavailable, "injected")
			got := w.version(t, 1)
			check.Same(t, "contents", len(got.Contents), c.contents)
			check.Same(t, "orphans", len(w.fakes.Orphans()), c.orphans)
			check.Same(t, "revision", got.Contents[0].Revision, c.revision)
		})
	}
	w := newWorld(t)
	w.recognize(t, w.ann, left)
	w.fakes.Meanwhile("Contents.Add", func() { w.clock = w.clock.Add(time.Hour) })
	_, err := w.Recognize(t.Context(), w.ann, w.image.ID, into(1, right))
	check.Code(t, "rows that come too late", err, fault.Deadline, "deadline_exceeded")
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

func TestIntoOnATurnedPage(t *testing.T) {
	w := newWorld(t)
	id := w.recognize(t, w.ann, left).ContentIDs[0]
	turn := 90
	_, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Rotation: &turn})
	check.OK(t, "Change", err)
	low := region(0, 300, 140, 400) // of a page of 140 × 400 pixels by now
	added := w.add(t, 1, low, again(region(0, 0, 70, 100), id))
	got := w.version(t, 1)
	check.Same(t, "the added content", got.Contents[1], added.Contents[0])
	check.Same(t, "its place", got.Contents[1].ROI, low.Box)
	check.Same(t, "the place of the one read again", got.Contents[0].ROI, box(0, 0, 70, 100))
}

func TestManyAddToOneVersion(t *testing.T) {
	w := newWorld(t)
	w.recognize(t, w.ann, left)
	var all sync.WaitGroup
	const n = 20
	errs := make([]error, n)
	for i := range n {
		all.Go(func() {
			r := into(1, region(i, 0, 100+i, 100))
			if i == n/2 {
				r.Into = 0
			}
			_, errs[i] = w.Recognize(t.Context(), w.ann, w.image.ID, r)
		})
	}
	all.Wait()
	added := 0
	for _, err := range errs {
		switch {
		case err == nil:
			added++
		case !fault.Is(err, fault.Conflict):
			t.Errorf("Recognize: %v", err)
		}
	}
	one, two := w.version(t, 1), w.version(t, 2)
	check.Same(t, "contents of both", len(one.Contents)+len(two.Contents), 1+added)
	check.Same(t, "contents of the new version", len(two.Contents), 1)
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

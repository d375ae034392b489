package recognition_test

import (
	"fmt"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// told returns what happened after that number, as "version content@revision", where a content is the number of a region of the first run.
func (w *world) told(t *testing.T, a account.Actor, after int64, run recognition.Run) (told []string, newest int64) {
	t.Helper()
	h, err := w.Happened(t.Context(), a, w.image.ID, after)
	check.OK(t, "Happened", err)
	for _, e := range h.Events {
		line := fmt.Sprint(e.Version)
		for n, id := range run.ContentIDs {
			if id == e.ContentID {
				line += fmt.Sprintf(" %d@%d", n, e.Revision)
			}
		}
		if e.Deleted {
			line += " gone"
		}
		told = append(told, line)
	}
	return told, h.Newest
}

// Every kind of change is told, after it was made.
func TestHappened(t *testing.T) {
	w := newIndexed(t)
	w.see(t, document.Shared)
	run := w.recognize(t, w.ann, left, right)
	id, text, yes := run.ContentIDs[0], "corrected", true
	after := int64(0)
	tells := func(what string, want ...string) {
		t.Helper()
		got, newest := w.told(t, w.bob, after, run)
		check.Same(t, what, got, want)
		after = newest
	}
	correct := func(c recognition.Correction) {
		t.Helper()
		_, err := w.Correct(t.Context(), w.ann, id, c)
		check.OK(t, "Correct", err)
	}
	tells("a run", "1")
	correct(recognition.Correction{Text: &text})
	tells("a correction", "1 0@2")
	correct(recognition.Correction{Confirmed: &yes})
	correct(recognition.Correction{Name: &text})
	tells("a confirmation and a name", "1 0@3", "1 0@4")
	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, id, nil))
	tells("a deletion", "1 0@0 gone")
	correct(recognition.Correction{Restore: true})
	tells("what was brought back", "1 0@4")
	run.ContentIDs = append(run.ContentIDs, w.add(t, 1, region(0, 0, 9, 9)).ContentIDs[2])
	tells("a region that was added", "1 2@1")
	again := right
	again.Content = run.ContentIDs[1]
	w.add(t, 1, again)
	tells("a region that was read again", "1 1@2")
	w.add(t, 1, make21()...)
	tells("many regions", "1")
	check.OK(t, "Purge", w.Purge(t.Context(), w.ann, id, nil))
	tells("what is gone for good", "1 0@0 gone")
	w.recognize(t, w.ann, left)
	tells("another run", "2")
	tells("nothing")
	_, err := w.Correct(t.Context(), w.bob, run.ContentIDs[1], recognition.Correction{Text: &text})
	check.Kind(t, "Correct", err, fault.Forbidden)
	tells("what was refused")
}

func make21() (regions []recognition.Region) {
	for n := range 21 {
		regions = append(regions, region(n, 0, n+1, 1))
	}
	return regions
}

// What those who follow an image did not learn, since something broke off, they learn from Reindex.
func TestHappenedAfterAll(t *testing.T) {
	for op, mode := range map[string]porttest.Mode{"Feed.Append": porttest.Before, "Contents.Revise": porttest.After} {
		t.Run(op, func(t *testing.T) {
			w := newIndexed(t)
			w.clock = time.Now()
			run := w.recognize(t, w.ann, left)
			w.fakes.Fail(op, mode)
			text := "corrected"
			_, _ = w.Correct(t.Context(), w.ann, run.ContentIDs[0], recognition.Correction{Text: &text})
			got, newest := w.told(t, w.ann, 0, run)
			check.Same(t, "told at first", got, []string{"1"})
			check.OK(t, "Reindex", w.Reindex(t.Context(), func(int, int) {}))
			got, _ = w.told(t, w.ann, newest, run)
			check.Same(t, "told", got, []string{"0"})
			check.Same(t, "found", w.search(t, w.ann, text), []string{"1 corrected [corrected]"})
		})
	}
	w := newIndexed(t)
	w.clock = time.Now()
	_, err := w.Index.Clear(t.Context())
	check.OK(t, "Clear", err)
	check.OK(t, "Reindex", w.Reindex(t.Context(), func(int, int) {}))
	got, _ := w.told(t, w.ann, 0, recognition.Run{})
	check.Same(t, "told when the index is made anew", got, nil)
}

func TestPresence(t *testing.T) {
	w := newIndexed(t)
	present := func(a account.Actor, want ...account.Actor) {
		t.Helper()
		h, err := w.Happened(t.Context(), a, w.image.ID, 0)
		check.OK(t, "Happened", err)
		var refs []account.Ref
		for _, a := range want {
			refs = append(refs, account.Ref{ID: a.UserID, Name: a.Name})
		}
		check.Same(t, "present", h.Present, refs)
	}
	check.OK(t, "Stay", w.Stay(t.Context(), w.ann, w.image.ID, "a"))
	present(w.ann, w.ann)
	check.Kind(t, "Stay", w.Stay(t.Context(), w.bob, w.image.ID, "b"), fault.NotFound)
	_, err := w.Happened(t.Context(), w.bob, w.image.ID, 0)
	check.Kind(t, "Happened", err, fault.NotFound)
	w.see(t, document.Shared)
	w.clock = w.clock.Add(recognition.StaysFor / 2)
	check.OK(t, "Stay", w.Stay(t.Context(), w.bob, w.image.ID, "b"))
	present(w.bob, w.ann, w.bob)
	w.clock = w.clock.Add(recognition.StaysFor / 2)
	present(w.bob, w.bob)
	check.OK(t, "Leave", w.Leave(t.Context(), "b"))
	present(w.ann)
}

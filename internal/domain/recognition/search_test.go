package recognition_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/sweep"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// newIndexed is a world whose contents are indexed, with an engine that reads "invoice 합계" on the left and "total 1,234.50" on the right.
func newIndexed(t *testing.T) *world {
	w := newWorld(t)
	w.Index, w.Feed = w.fakes.Index, w.fakes.Feed
	w.fakes.Say(left.Box, "invoice 합계")
	w.fakes.Say(right.Box, "total\n1,234.50")
	return w
}

// search returns what is found, as "version text [highlighted]".
func (w *world) search(t *testing.T, a account.Actor, q string) (found []string) {
	t.Helper()
	hits, next, err := w.Search(t.Context(), a, recognition.Query{Text: q, Limit: 10})
	check.OK(t, "Search", err)
	check.Same(t, "next", next, 0)
	for _, h := range hits {
		if h.OnImage != nil {
			found = append(found, "image "+h.Image.Name)
			continue
		}
		line := fmt.Sprintf("%d %s", h.Content.Version, strings.ReplaceAll(h.Content.Text, "\n", " "))
		for _, s := range h.Spans {
			line += " [" + string([]rune(h.Content.Text)[s.From:s.To]) + "]"
		}
		for _, s := range h.NameSpans {
			line += " name [" + string([]rune(h.Content.Name)[s.From:s.To]) + "]"
		}
		found = append(found, line)
	}
	return found
}

func TestSearchFollowsWhatIsDone(t *testing.T) {
	w := newIndexed(t)
	named := left
	named.Name = "청구서 No"
	run := w.recognize(t, w.ann, named, right)
	check.Same(t, "calls", w.fakes.Calls(), []string{"Index.Announce", "Contents.Add", "Runs.Append", "Feed.Append",
		"Index.Put"})
	for q, want := range map[string][]string{
		"합계": {"1 invoice 합계 [합계]"}, "INV": {"1 invoice 합계 [inv]"}, "1,234.": {"1 total 1,234.50 [1,234.]"},
		"tot 1,2": {"1 total 1,234.50 [tot] [1,2]"},
		"청구":      {"1 invoice 합계 name [청구]"}, "invoice no": {"1 invoice 합계 [invoice] name [No]"}, "pag": {"image page"}, "nothing": nil,
	} {
		check.Same(t, "found of "+q, w.search(t, w.ann, q), want)
		check.Same(t, "found of "+q+", by somebody else", w.search(t, w.bob, q), nil)
		check.Same(t, "found of "+q+", by an administrator", w.search(t, w.admin, q), want)
	}
	w.see(t, document.Shared)
	check.Same(t, "found by whom it is shared with", w.search(t, w.bob, "합계"), []string{"1 invoice 합계 [합계]"})
	w.fakes.Calls()
	text := "invoice 총액"
	_, err := w.Correct(t.Context(), w.ann, run.ContentIDs[0], recognition.Correction{Text: &text})
	check.OK(t, "Correct", err)
	check.Same(t, "calls", w.fakes.Calls(), []string{"Index.Announce", "Contents.Revise", "Feed.Append", "Index.Put"})
	check.Same(t, "the old text", w.search(t, w.ann, "합계"), nil)
	check.Same(t, "the new text", w.search(t, w.ann, "총액"), []string{"1 invoice 총액 [총액]"})
	w.recognize(t, w.ann, right)
	check.Same(t, "an older version", w.search(t, w.ann, "invoice"), nil)
	check.Same(t, "the newest version", w.search(t, w.ann, "total"), []string{"2 total 1,234.50 [total]"})
	announced, _, err := w.Index.Announced(t.Context(), 0, 10)
	check.OK(t, "Announced", err)
	check.Same(t, "announcements that are left", len(announced), 0)
}

// The index is told terms; whether they stand together is seen in the text.
func TestSearchLooksAtTheText(t *testing.T) {
	w := newIndexed(t)
	w.fakes.Say(left.Box, "계약 약서 가계 a-1 12.3")
	w.fakes.Say(right.Box, strings.Repeat("가나 ", 50)+"계약서")
	w.recognize(t, w.ann, left, right)
	hits, _, err := w.Search(t.Context(), w.ann, recognition.Query{Text: "계약서", Limit: 10})
	check.OK(t, "Search", err)
	if len(hits) != 1 || !slices.Equal(hits[0].Spans, []recognition.Span{{From: 150, To: 153}}) || len(hits[0].Boxes) != 1 {
		t.Errorf("got %+v", hits)
	}
	check.Same(t, "what stands apart", w.search(t, w.ann, "a1"), nil)
}

func TestSearchInWhatIsConfirmed(t *testing.T) {
	w := newIndexed(t)
	w.fakes.Say(left.Box, "page one")
	w.fakes.Say(right.Box, "page two")
	run := w.recognize(t, w.ann, left, right) // of an image that is named "page"
	yes, no := true, false
	_, err := w.Correct(t.Context(), w.ann, run.ContentIDs[1], recognition.Correction{Confirmed: &yes})
	check.OK(t, "Correct", err)
	for what, c := range map[string]struct {
		confirmed *bool
		want      []string
	}{"all": {nil, []string{"page two", "page one", ""}}, "confirmed": {&yes, []string{"page two"}},
		"not confirmed": {&no, []string{"page one"}}} {
		hits, next, err := w.Search(t.Context(), w.ann, recognition.Query{Text: "page", Limit: 10, Confirmed: c.confirmed})
		check.OK(t, "Search", err)
		var got []string
		for _, h := range hits {
			got = append(got, h.Content.Text)
		}
		check.Same(t, what, got, c.want)
		check.Same(t, "next", next, 0)
	}
}

// TestProgressIsCounted asks how far an image is proofread that the index has yet to learn of.
func TestProgressIsCounted(t *testing.T) {
	w := newIndexed(t)
	want := func(what string, pages int, want map[int64]recognition.Proofread) {
		t.Helper()
		read, proofread, err := w.Progress(t.Context(), []document.Image{w.image}, true)
		check.OK(t, "Progress", err)
		check.Same(t, what+": pages", read[w.image.ID], pages)
		check.Same(t, what, proofread, want)
	}
	want("not read", 0, map[int64]recognition.Proofread{w.image.ID: {}})
	w.fakes.Fail("Index.Put", porttest.Before)
	w.recognize(t, w.ann, left, right)
	want("not counted", 1, map[int64]recognition.Proofread{})
	check.OK(t, "Reindex", w.Reindex(t.Context(), func(int, int) {}))
	_, proofread, err := w.Progress(t.Context(), []document.Image{w.image}, true)
	check.OK(t, "Progress", err)
	check.Same(t, "regions", proofread[w.image.ID].Regions, 2)
}

func TestSearchIsRefused(t *testing.T) {
	w := newIndexed(t)
	for _, q := range []string{"", "  ", "-- !", strings.Repeat("a", 201), strings.Repeat("a ", 21)} {
		_, _, err := w.Search(t.Context(), w.ann, recognition.Query{Text: q, Limit: 10})
		wantFields(t, fmt.Sprintf("%.20q", q), err, "q")
	}
}

func TestSearchGoesOn(t *testing.T) {
	w := newIndexed(t)
	var regions []recognition.Region
	for n := range 10 {
		r := region(n, 0, n+1, 1)
		w.fakes.Say(r.Box, fmt.Sprintf("word %d", n))
		regions = append(regions, r)
	}
	w.recognize(t, w.ann, regions...)
	var found []string
	for before := int64(0); ; {
		hits, next, err := w.Search(t.Context(), w.ann, recognition.Query{Text: "word", Limit: 3, Before: before})
		check.OK(t, "Search", err)
		for _, h := range hits {
			found = append(found, h.Content.Text)
		}
		if before = next; next == 0 {
			break
		}
	}
	check.Same(t, "found", found, []string{"word 0", "word 1", "word 2", "word 3", "word 4", "word 5", "word 6", "word 7", "word 8",
		"word 9"})
}

// The images of all hits are looked up by one call, and that it fails is told.
func TestSearchWhileTheCatalogIsAway(t *testing.T) {
	w := newIndexed(t)
	w.recognize(t, w.ann, left)
	w.fakes.Fail("Catalog.ByIDs", porttest.Before)
	_, _, err := w.Search(t.Context(), w.ann, recognition.Query{Text: "합계", Limit: 10})
	check.Kind(t, "Search", err, fault.Unavailable)
}

// Wherever a change breaks off, Reindex makes good what the index has not learnt.
func TestReindex(t *testing.T) {
	for op, mode := range map[string]porttest.Mode{"Index.Put": porttest.Before, "Contents.Revise": porttest.After} {
		t.Run(op, func(t *testing.T) {
			w := newIndexed(t)
			w.clock = time.Now()
			run := w.recognize(t, w.ann, left, right)
			w.fakes.Fail(op, mode)
			text := "총액"
			_, err := w.Correct(t.Context(), w.ann, run.ContentIDs[0], recognition.Correction{Text: &text})
			if op == "Index.Put" {
				check.OK(t, "Correct", err)
			} else {
				check.Kind(t, "Correct", err, fault.Unavailable)
			}
			reindex := func() (last string) {
				t.Helper()
				check.OK(t, "Reindex", w.Reindex(t.Context(), func(n, of int) { last = fmt.Sprint(n, " of ", of) }))
				return last
			}
			check.Same(t, "progress", reindex(), "1 of 1")
			check.Same(t, "found", w.search(t, w.ann, "총액"), []string{"1 총액 [총액]"})
			check.Same(t, "found of the old text", w.search(t, w.ann, "합계"), nil)
			check.Same(t, "progress, since somebody may still be at it", reindex(), "1 of 1")
			w.clock = w.clock.Add(sweep.MinAge + time.Minute)
			check.Same(t, "progress later", reindex(), "1 of 1")
			check.Same(t, "progress when all is done", reindex(), "")
		})
	}
}

func TestRefusedChangesLeaveNoAnnouncement(t *testing.T) {
	w := newIndexed(t)
	run := w.recognize(t, w.ann, left)
	w.fakes.Meanwhile("Contents.Revise", func() {
		check.OK(t, "Purge", w.Service.Purge(context.Background(), w.ann, run.ContentIDs[0], nil))
	})
	text := "x"
	_, err := w.Correct(t.Context(), w.ann, run.ContentIDs[0], recognition.Correction{Text: &text})
	check.Kind(t, "Correct", err, fault.NotFound)
	check.Same(t, "found", w.search(t, w.ann, "합계"), nil)
	announced, _, err := w.Index.Announced(t.Context(), 0, 10)
	check.OK(t, "Announced", err)
	check.Same(t, "announcements", len(announced), 0)
}

func TestSearchLeavesOutWhatIsDeleted(t *testing.T) {
	w := newIndexed(t)
	run := w.recognize(t, w.ann, left)
	id, text := run.ContentIDs[0], "합계"
	found := func() int { return len(w.search(t, w.ann, text)) }
	w.correct(t, w.ann, id, recognition.Correction{Text: &text})
	check.Same(t, "found at first", found(), 1)
	check.OK(t, "Delete", w.Service.Delete(t.Context(), w.ann, id, nil))
	check.Same(t, "found of what is deleted", found(), 0)
	w.correct(t, w.ann, id, recognition.Correction{Restore: true})
	check.Same(t, "found of what is back", found(), 1)
	added := w.add(t, 1, right).Contents[0]
	w.correct(t, w.ann, added.ID, recognition.Correction{Text: &text})
	check.Same(t, "found with what was added", found(), 2)
	w.add(t, 1, again(region(0, 0, 50, 50), id))
	check.Same(t, "found after one was read again", found(), 1)
}

package recognition_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

func (w *world) correct(t *testing.T, a account.Actor, id string, change recognition.Correction) recognition.Content {
	t.Helper()
	c, err := w.Correct(t.Context(), a, id, change)
	check.OK(t, "Correct", err)
	return c
}

func given[T any](v T) *T { return &v }

// confirmed returns which words of a content are confirmed.
func confirmed(c recognition.Content) (words []string) {
	for _, w := range c.Words {
		if w.Confirmed {
			words = append(words, w.Text)
		}
	}
	return words
}

func boxes(c recognition.Content) (boxes []document.Box) {
	for _, w := range c.Words {
		boxes = append(boxes, w.Box)
	}
	return boxes
}

func TestConfirm(t *testing.T) {
	w := newWorld(t)
	w.fakes.Say(left.Box, "one twa three")
	one := w.recognize(t, w.ann, left).Contents[0]
	w.clock = w.clock.Add(time.Minute)
	ann, root := account.Ref{ID: w.ann.UserID, Name: "ann"}, account.Ref{ID: w.admin.UserID, Name: "root"}

	two := w.correct(t, w.ann, one.ID, recognition.Correction{Name: given(" a\u202Eb "), Confirmed: given(true),
		Words: []recognition.WordMark{{Index: 0, Confirmed: true}, {Index: 2, Confirmed: true}}})
	want := one
	want.Revision, want.RevisedBy, want.Name, want.Confirmed, want.ConfirmedBy = 2, ann, two.Name, true, ann
	want.Words = slices.Clone(one.Words)
	want.Words[0].Confirmed, want.Words[2].Confirmed = true, true
	check.Same(t, "all in one revision, which edits neither text nor region", two, want)
	check.Same(t, "name without marks that nobody sees", strings.Contains(two.Name, "\u202E"), false)
	got, err := w.Content(t.Context(), w.ann, one.ID)
	check.OK(t, "Content", err)
	check.Same(t, "Content", got, two)
	check.Same(t, "the first revision", one.Words[0].Confirmed, false)

	three := w.correct(t, w.admin, one.ID, recognition.Correction{Text: given("one two three")})
	check.Same(t, "confirmed after the text changed", three.Confirmed, false)
	check.Same(t, "by", three.ConfirmedBy, account.Ref{})
	check.Same(t, "words that stayed", confirmed(three), []string{"one", "three"})
	check.Same(t, "who wrote it", three.EditedBy, root)
	four := w.correct(t, w.ann, one.ID, recognition.Correction{Text: given("one two 3"), Confirmed: given(true),
		Words: []recognition.WordMark{{Index: 2, Confirmed: true}, {Index: 0, Confirmed: false}}})
	check.Same(t, "confirmed with the new text", four.Confirmed, true)
	check.Same(t, "words of the new text", confirmed(four), []string{"3"})
	five := w.correct(t, w.admin, one.ID, recognition.Correction{Text: given(four.Text), Name: given("")})
	check.Same(t, "still confirmed, as the text is the same", five.ConfirmedBy, ann)
	check.Same(t, "no name", five.Name, "")
	six := w.correct(t, w.ann, one.ID, recognition.Correction{ROI: &right.Box})
	check.Same(t, "confirmed after the region moved", six.Confirmed, false)
	check.Same(t, "not confirmed any more", w.correct(t, w.ann, one.ID, recognition.Correction{Confirmed: given(false)}).ConfirmedBy,
		account.Ref{})

	w.correct(t, w.ann, one.ID, recognition.Correction{Confirmed: given(true), Name: given("total")})
	again := w.add(t, 1, again(left, one.ID)).Contents[0]
	check.Same(t, "confirmed after it was read again", again.Confirmed, false)
	check.Same(t, "words after it was read again", confirmed(again), nil)
	check.Same(t, "name after it was read again", again.Name, "total")
}

func TestCorrectToWhatWasRead(t *testing.T) {
	w := newWorld(t)
	w.fakes.Say(left.Box, "one twa three")
	w.fakes.Suggest(left.Box, "kor")
	one := w.recognize(t, w.ann, left).Contents[0]
	two := w.correct(t, w.ann, one.ID, recognition.Correction{Words: []recognition.WordMark{{Index: 0, Confirmed: true}}})
	w.correct(t, w.ann, one.ID, recognition.Correction{Text: given("one two three"), Confirmed: given(true)})
	named := w.correct(t, w.ann, one.ID, recognition.Correction{Name: given("total")})
	check.Same(t, "who wrote it, named", named.EditedBy.ID, w.ann.UserID)
	w.correct(t, w.admin, one.ID, recognition.Correction{Text: given("another"), Confirmed: given(true)})

	want := two
	want.Name, want.Revision, want.RevisedBy = "total", 6, account.Ref{ID: w.admin.UserID, Name: "root"}
	want.Words = slices.Clone(one.Words) // of which the first was replaced meanwhile
	undone := w.correct(t, w.admin, one.ID, recognition.Correction{Text: given("one twa three")})
	check.Same(t, "the text that was read: as it was read, confirmed no more", undone, want)

	moved := w.correct(t, w.ann, one.ID, recognition.Correction{ROI: &right.Box})
	check.Same(t, "who drew the region", moved.EditedBy.ID, w.ann.UserID)
	elsewhere := w.correct(t, w.ann, one.ID, recognition.Correction{Text: given("one twa three")})
	check.Same(t, "who drew the region, with the text that was read", elsewhere.EditedBy.ID, w.ann.UserID)
	want.Revision, want.RevisedBy = 9, account.Ref{ID: w.ann.UserID, Name: "ann"}
	check.Same(t, "moved back", w.correct(t, w.ann, one.ID, recognition.Correction{ROI: &left.Box}), want)
	want.Revision, want.Words = 10, two.Words
	kept := w.correct(t, w.ann, one.ID, recognition.Correction{Text: given(one.Text), Words: []recognition.WordMark{{Index: 0,
		Confirmed: true}}})
	check.Same(t, "written as it is", kept, want)

	turn := 90
	_, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Rotation: &turn})
	check.OK(t, "Change", err)
	now, err := w.Content(t.Context(), w.ann, one.ID)
	check.OK(t, "Content", err)
	w.correct(t, w.ann, one.ID, recognition.Correction{Text: given("another")})
	undone = w.correct(t, w.ann, one.ID, recognition.Correction{Text: given(one.Text)})
	check.Same(t, "who wrote it, once the page has been turned", undone.EditedBy, account.Ref{})
	check.Same(t, "its words on the page as it stands", boxes(undone), boxes(now))

	w.fakes.Say(now.ROI, "one 2 three")
	read := w.add(t, 1, again(recognition.Region{Box: now.ROI}, one.ID)).Contents[0]
	old := w.correct(t, w.ann, one.ID, recognition.Correction{Text: given(one.Text)})
	check.Same(t, "who wrote what was read once", old.EditedBy.ID, w.ann.UserID)
	undone = w.correct(t, w.ann, one.ID, recognition.Correction{Text: given(read.Text)})
	check.Same(t, "who wrote what was read last", undone.EditedBy, account.Ref{})
	check.Same(t, "its words", undone.Words, read.Words)
}

func TestConfirmRules(t *testing.T) {
	w := newWorld(t)
	id := w.recognize(t, w.ann, left).ContentIDs[0] // of two words
	mark := func(indexes ...int) (marks []recognition.WordMark) {
		for _, i := range indexes {
			marks = append(marks, recognition.WordMark{Index: i, Confirmed: true})
		}
		return marks
	}
	for _, c := range []struct {
		name   string
		change recognition.Correction
		fields []string
	}{
		{"words that are not there", recognition.Correction{Words: mark(1, 2, -1)}, []string{"words[1].index", "words[2].index"}},
		{"words of the text before", recognition.Correction{Text: given("one"), Words: mark(1)}, []string{"words[0].index"}},
		{"words of no text", recognition.Correction{Text: given(""), Words: mark(0)}, []string{"words[0].index"}},
		{"a word twice", recognition.Correction{Words: mark(0, 1, 0)}, []string{"words[2].index"}},
		{"too many words", recognition.Correction{Words: make([]recognition.WordMark, recognition.MaxTextWords+1)}, []string{"words"}},
		{"a long name", recognition.Correction{Name: given(strings.Repeat("가", 201))}, []string{"name"}},
		{"a name of two lines", recognition.Correction{Name: given("a\nb")}, []string{"name"}},
	} {
		_, err := w.Correct(t.Context(), w.ann, id, c.change)
		wantFields(t, c.name, err, c.fields...)
	}
	c, err := w.Content(t.Context(), w.ann, id)
	check.OK(t, "Content", err)
	check.Same(t, "revision", c.Revision, 1)
}

// What was deleted is listed for those who can restore it, as it stands on the page as it is turned now, for as long as they can.
func TestDeleted(t *testing.T) {
	w := newWorld(t)
	w.see(t, document.Shared)
	first, second := w.recognize(t, w.ann, left, right, left), w.recognize(t, w.bob, left, right)
	w.clock = w.clock.Add(time.Hour)
	var deleted []time.Time
	for _, id := range []string{first.ContentIDs[0], second.ContentIDs[1], first.ContentIDs[2], first.ContentIDs[1]} {
		w.clock = w.clock.Add(time.Minute)
		deleted = append(deleted, w.clock.UTC().Truncate(time.Microsecond))
		check.OK(t, "Delete", w.Delete(t.Context(), w.admin, id, nil))
	}
	w.correct(t, w.ann, first.ContentIDs[1], recognition.Correction{Restore: true})
	check.OK(t, "Purge", w.Purge(t.Context(), w.ann, first.ContentIDs[2], nil))
	marked := func(r recognition.Run, n int, at time.Time) recognition.Content {
		c := r.Contents[n]
		c.Deleted = at
		return c
	}
	ofAnn, ofBob := marked(first, 0, deleted[0]), marked(second, 1, deleted[1])
	want := func(what string, a account.Actor, page account.Page, total int, want ...recognition.Content) {
		t.Helper()
		got, n, err := w.Deleted(t.Context(), a, w.image.ID, page)
		check.OK(t, "Deleted", err)
		check.Same(t, what, slices.Clip(got), slices.Clip(want))
		check.Same(t, what+": how many there are", n, total)
	}
	all := account.Page{Size: 10}
	want("for the owner of the image", w.ann, all, 2, ofBob, ofAnn)
	want("for an administrator", w.admin, all, 2, ofBob, ofAnn)
	want("in parts", w.ann, account.Page{Size: 1, Number: 1}, 2, ofAnn)
	want("for who ran one version", w.bob, all, 1, ofBob)
	want("for another reader", w.carl, all, 0)
	w.see(t, document.Private)
	_, _, err := w.Deleted(t.Context(), w.bob, w.image.ID, all)
	check.Kind(t, "for who sees the image no more", err, fault.NotFound)

	quarter := 90
	turned, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Rotation: &quarter})
	check.OK(t, "Change", err)
	got, _, err := w.Deleted(t.Context(), w.ann, w.image.ID, all)
	check.OK(t, "Deleted", err)
	check.Same(t, "place on the turned page", got[1].ROI, ofAnn.ROI.Turned(90, turned.Height, turned.Width))

	w.clock = deleted[1].Add(recognition.KeepDeleted)
	got, n, err := w.Deleted(t.Context(), w.ann, w.image.ID, all)
	check.OK(t, "Deleted", err)
	if n != 1 || len(got) != 1 || got[0].ID != ofBob.ID {
		t.Errorf("seven days later: got %d of %d contents, want the one that was deleted last", len(got), n)
	}
}

func TestDeleteAndRestore(t *testing.T) {
	w := newWorld(t)
	w.see(t, document.Shared)
	run := w.recognize(t, w.ann, left, right)
	id := run.ContentIDs[0]
	w.fakes.Calls()
	check.Code(t, "Delete by another", w.Delete(t.Context(), w.bob, id, nil), fault.Forbidden, "runner_or_owner_only")
	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, id, nil))
	check.Same(t, "calls", w.fakes.Calls(), []string{"Runs.MarkDeleted"})
	check.Code(t, "Delete again", w.Delete(t.Context(), w.ann, id, nil), fault.NotFound, "content_not_found")
	_, err := w.Content(t.Context(), w.ann, id)
	check.Code(t, "Content", err, fault.NotFound, "content_not_found")
	_, err = w.Revisions(t.Context(), w.ann, id)
	check.Code(t, "Revisions", err, fault.NotFound, "content_not_found")
	_, err = w.Correct(t.Context(), w.ann, id, recognition.Correction{Text: given("text")})
	check.Code(t, "Correct", err, fault.NotFound, "content_not_found")
	_, err = w.Recognize(t.Context(), w.ann, w.image.ID, into(1, again(left, id)))
	check.Code(t, "reading it again", err, fault.NotFound, "content_not_found")
	check.Same(t, "the run", w.version(t, 1).Contents, run.Contents[1:])

	_, err = w.Correct(t.Context(), w.bob, id, recognition.Correction{Restore: true})
	check.Code(t, "Restore by another", err, fault.Forbidden, "runner_or_owner_only")
	check.Same(t, "it is what it was", w.correct(t, w.ann, id, recognition.Correction{Restore: true}), run.Contents[0])
	check.Same(t, "the run", w.version(t, 1), run)
	check.Same(t, "of one that is there", w.correct(t, w.ann, id, recognition.Correction{Restore: true}), run.Contents[0])

	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, id, nil))
	back := w.correct(t, w.admin, id, recognition.Correction{Restore: true, Name: given("total"), If: at(1)})
	check.Same(t, "with a name", w.version(t, 1).Contents[0], back)
	check.Same(t, "revision", back.Revision, 2)

	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, id, nil))
	w.fakes.Meanwhile("Runs.Restore", func() { w.correct(t, w.ann, id, recognition.Correction{Restore: true}) })
	check.Same(t, "somebody else is faster", w.correct(t, w.ann, id, recognition.Correction{Restore: true}), back)

	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, id, nil))
	w.fakes.Fail("Runs.Restore", porttest.Before)
	_, err = w.Correct(t.Context(), w.ann, id, recognition.Correction{Restore: true})
	check.Code(t, "Restore that fails", err, fault.Unavailable, "injected")
	check.Code(t, "Purge by another", w.Purge(t.Context(), w.bob, id, nil), fault.Forbidden, "runner_or_owner_only")
	check.OK(t, "Purge of what is marked", w.Purge(t.Context(), w.ann, id, nil))
	_, err = w.Correct(t.Context(), w.ann, id, recognition.Correction{Restore: true})
	check.Code(t, "Restore of what is gone", err, fault.NotFound, "content_not_found")
	check.Same(t, "orphans", w.fakes.Orphans(), nil)

	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, run.ContentIDs[1], nil))
	check.OK(t, "Delete of the image", w.images.Delete(t.Context(), w.ann, w.image.ID, nil))
	check.Same(t, "orphans after the image went", w.fakes.Orphans(), nil)
}

func TestLanguagesFit(t *testing.T) {
	w := newWorld(t)
	w.fakes.Suggest(left.Box, "kor")
	one := w.recognize(t, w.ann, left).Contents[0]
	check.Same(t, "suggested", one.Suggested, []string{"kor"})
	two := w.correct(t, w.ann, one.ID, recognition.Correction{LangFits: true})
	want := one
	want.Revision, want.RevisedBy, want.Suggested = 2, account.Ref{ID: w.ann.UserID, Name: "ann"}, nil
	check.Same(t, "the same text, of which no languages are suggested", two, want)
}

package porttest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// someContent has something in every field that is stored.
func someContent(n int) recognition.Content {
	return recognition.Content{
		ID: contentID(n), ROI: document.Box{X1: n, Y1: 2, X2: n + 300, Y2: 40}, Name: "합계 \"total\"", Revision: 1,
		Asked: &recognition.Asked{Lang: []string{"kor"}, Shape: recognition.ShapeLine, Rotate: recognition.Rotate270,
			Effort: recognition.EffortFast, Source: recognition.SourceOCR, Charset: "0-9 합계"},
		Reading: recognition.Reading{
			Text: fmt.Sprintf("Straße %d\n한글 <&>\\ 🧾", n),
			Words: []recognition.Word{
				{Text: "Straße", Box: document.Box{X1: n, Y1: 2, X2: n + 90, Y2: 20}, Confidence: 0.9312345678, Engine: "tesseract 5.3.0",
					Candidates: []recognition.Candidate{{Engine: "other 1.0", Text: "Strasse", Confidence: 0.25}}},
				{Text: "한글", Box: document.Box{}, Confidence: 1, Confirmed: true},
			},
			Confidence: 1.0 / 3, Lang: []string{"kor", "eng"}, Shape: recognition.ShapeLine, Engine: "tesseract 5.3.0, other 1.0",
			Rotation: 270, Effort: recognition.EffortBalanced, Scale: 1.0625, Passes: 2,
			Duration: 5*time.Millisecond + 7, Error: &fault.Failure{Code: recognition.CodeFailed, Detail: "no reason"},
		},
	}
}

// corrected is the revision after c.
func corrected(c recognition.Content, text string) recognition.Content {
	c.Text, c.Words, c.Error = text, []recognition.Word{{Text: text, Confidence: 1}}, nil
	c.Revision++
	c.EditedBy, c.Edited = account.Ref{ID: 42}, moment(c.Revision).UTC()
	c.RevisedBy, c.Confirmed, c.ConfirmedBy = account.Ref{ID: 43}, true, account.Ref{ID: 44}
	return c
}

func wantContents(t *testing.T, s recognition.Contents, ids []string, want ...recognition.Content) {
	t.Helper()
	got, err := s.Get(t.Context(), ids)
	check.OK(t, "Get", err)
	same(t, "Get", got, want)
}

// Contents is the suite of recognition.Contents.
func Contents(t *testing.T, open func(t *testing.T) recognition.Contents) {
	t.Run("Add and Get in the order of the IDs", func(t *testing.T) {
		s := open(t)
		a, b, c := someContent(1), someContent(2), recognition.Content{ID: contentID(3), Revision: 1}
		b.Asked = &recognition.Asked{} // nothing, which is not the same as nil in c, an old content
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{a, b, c}))
		wantContents(t, s, []string{c.ID, a.ID, b.ID}, c, a, b)
		wantContents(t, s, []string{contentID(9), b.ID, "", contentID(8), a.ID}, b, a)
		wantContents(t, s, []string{contentID(9)})
		wantContents(t, s, nil)
		revisions, err := s.Revisions(t.Context(), a.ID)
		check.OK(t, "Revisions", err)
		same(t, "Revisions", revisions, []recognition.Content{a})
	})

	t.Run("some contents of a run, whose IDs begin alike", func(t *testing.T) {
		s := open(t)
		var run []recognition.Content
		for _, id := range []string{"run-1", "run-10", "run-2", "run-3", "run", "run-1-1", "running-1"} {
			c := someContent(1)
			c.ID = id
			run = append(run, c)
		}
		check.OK(t, "Add", s.Add(t.Context(), run))
		second := corrected(run[2], "two")
		check.OK(t, "Revise", s.Revise(t.Context(), second))
		wantContents(t, s, []string{"run-2", "run-4", "run-1"}, second, run[0])
		wantContents(t, s, []string{"run-1", "run-1-1"}, run[0], run[5])
		check.OK(t, "Delete", s.Delete(t.Context(), []string{"run-2", "run-1"}))
		wantContents(t, s, []string{"run-1", "run-2", "run-10", "run-3", "run", "run-1-1", "running-1"}, run[1], run[3], run[4], run[5],
			run[6])
		check.OK(t, "Add again", s.Add(t.Context(), []recognition.Content{run[2]}))
		wantContents(t, s, []string{"run-2"}, run[2])
	})

	t.Run("what is known from elsewhere is not stored", func(t *testing.T) {
		s := open(t)
		a := someContent(1)
		a.Version, a.Created = 7, moment(1)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{a}))
		b := corrected(a, "two")
		// in another zone
		b.EditedBy.Name, b.RevisedBy.Name, b.ConfirmedBy.Name, b.Edited, b.Deleted = "ann", "bob", "cy", moment(5), moment(6)
		check.OK(t, "Revise", s.Revise(t.Context(), b))
		a.Version, a.Created = 0, time.Time{}
		b.Version, b.Created, b.EditedBy.Name, b.RevisedBy.Name, b.ConfirmedBy.Name, b.Edited, b.Deleted = 0, time.Time{}, "", "", "",
			moment(5).UTC(), time.Time{}
		wantContents(t, s, []string{a.ID}, b)
		revisions, err := s.Revisions(t.Context(), a.ID)
		check.OK(t, "Revisions", err)
		same(t, "Revisions", revisions, []recognition.Content{a, b})
	})

	t.Run("Add all or none", func(t *testing.T) {
		s := open(t)
		old := someContent(5)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{old}))
		changed := old
		changed.Text = "another"
		for _, batch := range [][]recognition.Content{
			{someContent(1), someContent(2), changed},
			{changed, someContent(1), someContent(2)},
			{someContent(1), changed, someContent(2)},
		} {
			check.Kind(t, "Add", s.Add(t.Context(), batch), fault.Conflict)
			wantContents(t, s, []string{contentID(1), contentID(2), old.ID}, old)
		}
		check.OK(t, "Revise", s.Revise(t.Context(), corrected(old, "two")))
		check.Kind(t, "Add of a corrected one", s.Add(t.Context(), []recognition.Content{someContent(1), changed}), fault.Conflict)
		wantContents(t, s, []string{contentID(1), old.ID}, corrected(old, "two"))
		check.OK(t, "Add of the rest", s.Add(t.Context(), []recognition.Content{someContent(1), someContent(2)}))
		wantContents(t, s, []string{contentID(1), contentID(2)}, someContent(1), someContent(2))
	})

	t.Run("one of many adds a batch", func(t *testing.T) {
		s := open(t)
		batch := func(i int) (batch []recognition.Content) {
			for n := range 5 {
				c := someContent(n)
				c.Name = fmt.Sprint("racer ", i)
				batch = append(batch, c)
			}
			return batch
		}
		oneOK(t, "Add", race(racers, func(i int) error { return s.Add(t.Context(), batch(i)) }), fault.Conflict)
		got, err := s.Get(t.Context(), []string{contentID(0), contentID(1), contentID(2), contentID(3), contentID(4)})
		check.OK(t, "Get", err)
		if len(got) != 5 {
			t.Fatalf("got %d contents, want 5", len(got))
		}
		for _, c := range got {
			same(t, "racer", c.Name, got[0].Name)
		}
	})

	t.Run("Revise adds, and never changes a revision", func(t *testing.T) {
		s := open(t)
		one, other := someContent(1), someContent(2)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{one, other}))
		two := corrected(one, "two")
		two.ROI = document.Box{X1: 9, Y1: 9, X2: 10, Y2: 10}
		three := corrected(two, "three")
		for revision := -1; revision <= 4; revision++ {
			if revision == 2 {
				continue
			}
			c := corrected(one, "wrong")
			c.Revision = revision
			check.Kind(t, fmt.Sprint("Revise with ", revision, " after 1"), s.Revise(t.Context(), c), fault.Conflict)
		}
		check.OK(t, "Revise", s.Revise(t.Context(), two))
		wantContents(t, s, []string{one.ID, other.ID}, two, other)
		for _, revision := range []int{1, 2, 4} {
			c := corrected(one, "wrong")
			c.Revision = revision
			check.Kind(t, fmt.Sprint("Revise with ", revision, " after 2"), s.Revise(t.Context(), c), fault.Conflict)
		}
		check.OK(t, "Revise", s.Revise(t.Context(), three))
		wantContents(t, s, []string{other.ID, one.ID}, other, three)
		revisions, err := s.Revisions(t.Context(), one.ID)
		check.OK(t, "Revisions", err)
		same(t, "Revisions", revisions, []recognition.Content{one, two, three})
	})

	t.Run("more than nine revisions stay in order", func(t *testing.T) {
		s := open(t)
		c := someContent(1)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{c}))
		want := []recognition.Content{c}
		for n := range 11 {
			c = corrected(c, fmt.Sprint("correction ", n))
			check.OK(t, "Revise", s.Revise(t.Context(), c))
			want = append(want, c)
		}
		revisions, err := s.Revisions(t.Context(), c.ID)
		check.OK(t, "Revisions", err)
		same(t, "Revisions", revisions, want)
		wantContents(t, s, []string{c.ID}, c)
	})

	t.Run("NotFound", func(t *testing.T) {
		s := open(t)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{someContent(1)}))
		check.Kind(t, "Revise", s.Revise(t.Context(), corrected(someContent(2), "two")), fault.NotFound)
		_, err := s.Revisions(t.Context(), contentID(2))
		check.Kind(t, "Revisions", err, fault.NotFound)
		_, err = s.Revisions(t.Context(), "")
		check.Kind(t, "Revisions of no ID", err, fault.NotFound)
		wantContents(t, s, []string{contentID(2)})
	})

	t.Run("one of many revises", func(t *testing.T) {
		s := open(t)
		c := someContent(1)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{c}))
		errs := race(racers, func(i int) error { return s.Revise(t.Context(), corrected(c, fmt.Sprint("racer ", i))) })
		oneOK(t, "Revise", errs, fault.Conflict)
		winner := slices.Index(errs, nil)
		wantContents(t, s, []string{c.ID}, corrected(c, fmt.Sprint("racer ", winner)))
		revisions, err := s.Revisions(t.Context(), c.ID)
		check.OK(t, "Revisions", err)
		same(t, "Revisions", revisions, []recognition.Content{c, corrected(c, fmt.Sprint("racer ", winner))})
	})

	t.Run("racers who try again lose nothing", func(t *testing.T) {
		s := open(t)
		c := someContent(1)
		c.Text = ""
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{c}))
		allOK(t, "Revise", race(racers, func(int) error {
			for {
				now, err := s.Get(t.Context(), []string{c.ID})
				if err != nil {
					return err
				}
				if err := s.Revise(t.Context(), corrected(now[0], now[0].Text+"x")); !fault.Is(err, fault.Conflict) {
					return err
				}
			}
		}))
		got, err := s.Get(t.Context(), []string{c.ID})
		check.OK(t, "Get", err)
		same(t, "text", got[0].Text, strings.Repeat("x", racers))
		same(t, "revision", got[0].Revision, racers+1)
	})

	t.Run("a page of many words and a run of 500 regions", func(t *testing.T) {
		s := open(t)
		words := 1500 // more than 64 KiB
		if check.Soak() {
			words = 5000
		}
		random := rand.New(rand.NewPCG(1, 2))
		big := someContent(0)
		big.Words = nil
		var text strings.Builder
		for n := range words {
			w := recognition.Word{Text: fmt.Sprintf("낱말%d", n), Box: document.Box{X1: n, Y1: n, X2: n + 50, Y2: n + 20},
				Confidence: random.Float64()}
			big.Words = append(big.Words, w)
			text.WriteString(w.Text + "\n")
		}
		big.Text = strings.TrimSuffix(text.String(), "\n")
		batch, ids := []recognition.Content{big}, []string{big.ID}
		for n := 1; n < 500; n++ {
			batch, ids = append(batch, someContent(n)), append(ids, contentID(n))
		}
		check.OK(t, "Add", s.Add(t.Context(), batch))
		wantContents(t, s, ids, batch...)
		check.OK(t, "Revise", s.Revise(t.Context(), corrected(big, strings.Repeat("긴 글 ", 50_000))))
		wantContents(t, s, ids[:1], corrected(big, strings.Repeat("긴 글 ", 50_000)))
		check.OK(t, "Delete", s.Delete(t.Context(), ids))
		wantContents(t, s, ids)
	})

	t.Run("Delete takes all revisions, and twice is fine", func(t *testing.T) {
		s := open(t)
		a, b, c := someContent(1), someContent(2), someContent(3)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{a, b, c}))
		check.OK(t, "Revise", s.Revise(t.Context(), corrected(a, "two")))
		for range 2 {
			check.OK(t, "Delete", s.Delete(t.Context(), []string{a.ID, contentID(9), b.ID}))
			wantContents(t, s, []string{a.ID, b.ID, c.ID}, c)
			_, err := s.Revisions(t.Context(), a.ID)
			check.Kind(t, "Revisions", err, fault.NotFound)
			check.Kind(t, "Revise with 2", s.Revise(t.Context(), corrected(a, "two")), fault.NotFound)
			check.Kind(t, "Revise with 3", s.Revise(t.Context(), corrected(corrected(a, "two"), "three")), fault.NotFound)
		}
		check.OK(t, "Delete of nothing", s.Delete(t.Context(), nil))
		check.OK(t, "Add anew", s.Add(t.Context(), []recognition.Content{a}))
		wantContents(t, s, []string{a.ID}, a)
	})

	t.Run("Old goes through what was added before", func(t *testing.T) {
		s := open(t)
		const many = 1100 // more than a page of any store
		var batch []recognition.Content
		var ids []string
		for n := range many {
			c := recognition.Content{ID: contentID(n), Revision: 1}
			batch, ids = append(batch, c), append(ids, c.ID)
		}
		check.OK(t, "Add", s.Add(t.Context(), batch))
		for n := range 12 {
			check.OK(t, "Revise", s.Revise(t.Context(), recognition.Content{ID: ids[7], Revision: n + 2}))
		}
		future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
		same(t, "old in an hour", allOld(t, s.Old(t.Context(), future)), ids)
		same(t, "old an hour ago", allOld(t, s.Old(t.Context(), past)), []string(nil))
		check.OK(t, "Delete", s.Delete(t.Context(), ids[5:10]))
		ids = slices.Delete(ids, 5, 10)
		same(t, "old after some were deleted", allOld(t, s.Old(t.Context(), future)), ids)
		for id, err := range s.Old(t.Context(), future) { // and ends early
			check.OK(t, "Old", err)
			check.OK(t, "Delete", s.Delete(t.Context(), []string{id}))
			break
		}
		var rest []string
		for id, err := range s.Old(t.Context(), future) {
			check.OK(t, "Old", err)
			if rest = append(rest, id); len(rest) == 20 {
				check.OK(t, "Delete", s.Delete(t.Context(), rest))
			}
		}
		same(t, "old, some of which were deleted on the way", len(rest), many-6)
		same(t, "old that were not deleted", allOld(t, s.Old(t.Context(), future)), slices.Sorted(slices.Values(rest[20:])))
		wantGone(t, s.Old, future)
	})

	t.Run("contents are the caller's own", func(t *testing.T) {
		s := open(t)
		a := someContent(1)
		given := someContent(1)
		check.OK(t, "Add", s.Add(t.Context(), []recognition.Content{given}))
		given.Words[0].Text, given.Lang[0], given.Error.Code = "changed", "xxx", "changed"
		got, err := s.Get(t.Context(), []string{a.ID})
		check.OK(t, "Get", err)
		got[0].Words[0].Text, got[0].Lang[0], got[0].Error.Code = "changed", "xxx", "changed"
		wantContents(t, s, []string{a.ID}, a)
	})
}

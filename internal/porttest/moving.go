package porttest

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/transfer"
)

// MovedBlobs is the suite of transfer.Blobs.
func MovedBlobs(t *testing.T, open func(t *testing.T) transfer.Blobs) {
	const moved = "abcdefghijklmnopqrstuvwxyz"

	t.Run("a blob keeps its name", func(t *testing.T) {
		from, to := open(t), open(t)
		name := put(t, from, &pattern{n: 600_000})
		for range 2 { // a second time is as good as once
			r, err := from.Open(t.Context(), name)
			check.OK(t, "Open", err)
			check.OK(t, "PutAs", to.PutAs(t.Context(), name, r))
			check.OK(t, "Close", r.Close())
			wantBlob(t, to, name, patternBytes(600_000))
		}
		check.OK(t, "PutAs of another", to.PutAs(t.Context(), moved, strings.NewReader("moved")))
		wantBlob(t, to, moved, []byte("moved"))
		check.OK(t, "Delete", to.Delete(t.Context(), moved))
		_, err := to.Open(t.Context(), moved)
		check.Kind(t, "Open", err, fault.NotFound)
		wantBlob(t, to, name, patternBytes(600_000))
	})

	t.Run("what is there is replaced", func(t *testing.T) {
		s := open(t)
		for _, size := range []int64{600_000, 0, 1000} {
			check.OK(t, "PutAs", s.PutAs(t.Context(), moved, &pattern{n: size}))
			wantBlob(t, s, moved, patternBytes(size))
		}
	})

	t.Run("a reader that fails leaves nothing new", func(t *testing.T) {
		s := open(t)
		broken := errors.New("broken line")
		if err := s.PutAs(t.Context(), moved, io.MultiReader(&pattern{n: 600_000}, iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("got error %v, want the reader's", err)
		}
		_, err := s.Open(t.Context(), moved)
		check.Kind(t, "Open", err, fault.NotFound)
		check.OK(t, "PutAs", s.PutAs(t.Context(), moved, strings.NewReader("whole")))
		wantBlob(t, s, moved, []byte("whole"))
	})

	t.Run("names that no blob can have", func(t *testing.T) {
		s := open(t)
		for _, wrong := range []string{"", "..", "../x", "a/b", moved + "0", strings.ToUpper(moved), "한글"} {
			if err := s.PutAs(t.Context(), wrong, strings.NewReader("x")); err == nil {
				t.Errorf("PutAs under %q: got no error", wrong)
			}
		}
	})
}

// MovedContents is the suite of transfer.Contents.
func MovedContents(t *testing.T, open func(t *testing.T) transfer.Contents) {
	from, to := open(t), open(t)
	one, other := someContent(1), someContent(2)
	check.OK(t, "Add", from.Add(t.Context(), []recognition.Content{one, other}))
	two := corrected(one, "two")
	check.OK(t, "Revise", from.Revise(t.Context(), two))
	ids := []string{other.ID, contentID(9), one.ID}
	history, err := from.History(t.Context(), ids)
	check.OK(t, "History", err)
	same(t, "History", history, []recognition.Content{one, two, other})

	for range 2 { // a second time is as good as once
		check.OK(t, "PutHistory", to.PutHistory(t.Context(), history))
		got, err := to.History(t.Context(), ids)
		check.OK(t, "History", err)
		same(t, "History", got, history)
	}
	check.OK(t, "Revise", to.Revise(t.Context(), corrected(two, "three")))
	check.OK(t, "PutHistory", to.PutHistory(t.Context(), []recognition.Content{one}))
	wantContents(t, to, []string{one.ID, other.ID}, one, other)
	check.OK(t, "PutHistory of none", to.PutHistory(t.Context(), nil))
	got, err := to.History(t.Context(), nil)
	check.OK(t, "History of none", err)
	same(t, "History of none", len(got), 0)
}

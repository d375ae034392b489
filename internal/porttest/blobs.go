package porttest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

// pattern gives n bytes that depend on their place, without holding them.
type pattern struct{ at, n int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.at >= p.n {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.n-p.at)]
	for i := range b {
		b[i] = patternAt(p.at + int64(i))
	}
	p.at += int64(len(b))
	return len(b), nil
}

func patternAt(i int64) byte { return byte(i ^ i>>8*31 ^ i>>16*17 ^ i>>24) }

func patternBytes(n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = patternAt(int64(i))
	}
	return b
}

var blobName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func put(t *testing.T, s document.Blobs, r io.Reader) string {
	t.Helper()
	name, err := s.Put(t.Context(), r)
	check.OK(t, "Put", err)
	if !blobName.MatchString(name) {
		t.Fatalf("got the name %q, want letters, digits, - and _", name)
	}
	return name
}

func wantBlob(t *testing.T, s document.Blobs, name string, want []byte) {
	t.Helper()
	r, err := s.Open(t.Context(), name)
	check.OK(t, "Open", err)
	got, err := io.ReadAll(r)
	check.OK(t, "ReadAll", err)
	check.OK(t, "Close", r.Close())
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d; or they differ", len(got), len(want))
	}
}

// Blobs is the suite of document.Blobs.
func Blobs(t *testing.T, open func(t *testing.T) document.Blobs) {
	for _, size := range []int64{0, 1, 1000, 255 << 10, 255<<10 + 1, 3<<20 + 7} { // 255 KiB is a chunk of GridFS
		t.Run(fmt.Sprintf("%d bytes come back", size), func(t *testing.T) {
			s := open(t)
			wantBlob(t, s, put(t, s, &pattern{n: size}), patternBytes(size))
		})
	}

	t.Run("a large blob comes back", func(t *testing.T) {
		s := open(t)
		size := int64(50 << 20) // more than a document of MongoDB, or a store at work, may hold
		if check.Soak() {
			size = 100 << 20
		}
		name := put(t, s, &pattern{n: size})
		r, err := s.Open(t.Context(), name)
		check.OK(t, "Open", err)
		defer r.Close()
		want, got := sha256.New(), sha256.New()
		_, err = io.Copy(want, &pattern{n: size})
		check.OK(t, "Copy of the pattern", err)
		n, err := io.Copy(got, r)
		check.OK(t, "Copy of the blob", err)
		same(t, "bytes", n, size)
		same(t, "SHA-256", got.Sum(nil), want.Sum(nil))
		check.OK(t, "Delete", s.Delete(t.Context(), name))
	})

	t.Run("readers that give little or data with the end", func(t *testing.T) {
		s := open(t)
		wantBlob(t, s, put(t, s, iotest.OneByteReader(&pattern{n: 5000})), patternBytes(5000))
		wantBlob(t, s, put(t, s, iotest.HalfReader(&pattern{n: 300_000})), patternBytes(300_000))
		wantBlob(t, s, put(t, s, iotest.DataErrReader(&pattern{n: 300_000})), patternBytes(300_000))
	})

	t.Run("a reader that fails leaves nothing", func(t *testing.T) {
		s := open(t)
		broken := errors.New("broken line")
		for _, failure := range []error{broken, io.ErrUnexpectedEOF} {
			for _, n := range []int64{0, 1000, 600_000} {
				name, err := s.Put(t.Context(), io.MultiReader(&pattern{n: n}, iotest.ErrReader(failure)))
				if !errors.Is(err, failure) {
					t.Errorf("got error %v, want the reader's %v", err, failure)
				}
				if name != "" {
					t.Errorf("got the name %q for a blob that is not there", name)
				}
			}
		}
	})

	t.Run("equal bytes are two blobs", func(t *testing.T) {
		s := open(t)
		first, second := put(t, s, &pattern{n: 1000}), put(t, s, &pattern{n: 1000})
		if first == second {
			t.Fatalf("both are named %s", first)
		}
		check.OK(t, "Delete", s.Delete(t.Context(), first))
		wantBlob(t, s, second, patternBytes(1000))
	})

	t.Run("Delete, also twice", func(t *testing.T) {
		s := open(t)
		name, other := put(t, s, &pattern{n: 300_000}), put(t, s, strings.NewReader("other"))
		for range 2 {
			check.OK(t, "Delete", s.Delete(t.Context(), name))
			_, err := s.Open(t.Context(), name)
			check.Kind(t, "Open", err, fault.NotFound)
		}
		wantBlob(t, s, other, []byte("other"))
	})

	t.Run("names that no blob has", func(t *testing.T) {
		s := open(t)
		name := put(t, s, strings.NewReader("bytes"))
		for _, wrong := range []string{"", ".", "..", "../x", "../" + name, "a/b", "/", "/etc/passwd", `a\b`, "a\x00b", "\x00", name +
			"\x00", name + "/", "./" + name,
			name + "x", strings.Repeat("a", 10_000), "한글", "%2e%2e", name[:len(name)-1], strings.Repeat("0", 24)} {
			r, err := s.Open(t.Context(), wrong)
			check.Kind(t, fmt.Sprintf("Open of %.40q", wrong), err, fault.NotFound)
			if err == nil {
				r.Close()
			}
			check.OK(t, fmt.Sprintf("Delete of %.40q", wrong), s.Delete(t.Context(), wrong))
		}
		wantBlob(t, s, name, []byte("bytes"))
	})

	t.Run("closed early", func(t *testing.T) {
		s := open(t)
		name := put(t, s, &pattern{n: 3 << 20})
		for _, n := range []int{0, 1, 300_000} {
			r, err := s.Open(t.Context(), name)
			check.OK(t, "Open", err)
			b := make([]byte, n)
			_, err = io.ReadFull(r, b)
			check.OK(t, "ReadFull", err)
			check.OK(t, "Close", r.Close())
			if !bytes.Equal(b, patternBytes(int64(n))) {
				t.Errorf("the first %d bytes differ", n)
			}
		}
		check.OK(t, "Delete", s.Delete(t.Context(), name))
	})

	t.Run("seek anywhere", func(t *testing.T) {
		s := open(t)
		const size = 600_000
		all := patternBytes(size)
		r, err := s.Open(t.Context(), put(t, s, &pattern{n: size}))
		check.OK(t, "Open", err)
		defer r.Close()
		for _, c := range []struct {
			offset int64
			whence int
			want   int64
		}{
			{0, io.SeekEnd, size}, {0, io.SeekStart, 0}, {300_000, io.SeekStart, 300_000}, {255 << 10, io.SeekStart, 255 << 10},
			{-10, io.SeekEnd, size - 10}, {1, io.SeekStart, 1}, {100, io.SeekCurrent, 201}, {-300, io.SeekCurrent, 1},
			{-size, io.SeekEnd, 0},
		} {
			got, err := r.Seek(c.offset, c.whence)
			check.OK(t, "Seek", err)
			same(t, "place", got, c.want)
			b := make([]byte, 100)
			n, err := io.ReadFull(r, b)
			want := all[c.want:min(c.want+100, size)]
			if !bytes.Equal(b[:n], want) {
				t.Errorf("the bytes from %d differ", c.want)
			}
			if (err == nil) != (len(want) == 100) {
				t.Errorf("got error %v after %d of %d bytes", err, n, len(want))
			}
		}
		_, err = r.Seek(0, io.SeekStart)
		check.OK(t, "Seek", err)
		if _, err := r.Seek(-1, io.SeekStart); err == nil {
			t.Error("got no error for a place before the start")
		}
		got, err := io.ReadAll(r)
		check.OK(t, "ReadAll", err)
		if !bytes.Equal(got, all) {
			t.Error("the whole differs after seeking about")
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF { //nolint:errorlint // io.Reader's contract
			t.Errorf("got %d, %v at the end, want io.EOF", n, err)
		}
	})

	t.Run("deleted while it is read", func(t *testing.T) {
		s := open(t)
		const size = 3 << 20
		name := put(t, s, &pattern{n: size})
		r, err := s.Open(t.Context(), name)
		check.OK(t, "Open", err)
		defer r.Close()
		first := make([]byte, 1000)
		_, err = io.ReadFull(r, first)
		check.OK(t, "ReadFull", err)
		check.OK(t, "Delete", s.Delete(t.Context(), name))
		rest, err := io.ReadAll(r)
		if got := append(first, rest...); err == nil && !bytes.Equal(got, patternBytes(size)) {
			t.Errorf("the reader ended after %d of %d bytes as if complete", len(got), size)
		}
	})

	t.Run("several readers of one blob", func(t *testing.T) {
		s := open(t)
		name := put(t, s, &pattern{n: 600_000})
		all := patternBytes(600_000)
		allOK(t, "reader", race(racers, func(i int) error {
			r, err := s.Open(t.Context(), name)
			if err != nil {
				return err
			}
			defer r.Close()
			if _, err := r.Seek(int64(i)*1000, io.SeekStart); err != nil {
				return err
			}
			got, err := io.ReadAll(r)
			if err == nil && !bytes.Equal(got, all[i*1000:]) {
				err = errors.New("the bytes differ")
			}
			return err
		}))
	})

	t.Run("Old goes through what was put before", func(t *testing.T) {
		s := open(t)
		var names []string
		for n := range 5 {
			names = append(names, put(t, s, &pattern{n: int64(n) * 200_000}))
		}
		slices.Sort(names)
		future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
		same(t, "old in an hour", allOld(t, s.Old(t.Context(), future)), names)
		same(t, "old an hour ago", allOld(t, s.Old(t.Context(), past)), []string(nil))
		for name, err := range s.Old(t.Context(), future) { // and ends early
			check.OK(t, "Old", err)
			check.OK(t, "Delete", s.Delete(t.Context(), name))
			names = slices.DeleteFunc(names, func(n string) bool { return n == name })
			break
		}
		same(t, "old after one was deleted", allOld(t, s.Old(t.Context(), future)), names)
		for name, err := range s.Old(t.Context(), future) {
			check.OK(t, "Old", err)
			check.OK(t, "Delete", s.Delete(t.Context(), name))
		}
		same(t, "old after all were deleted on the way", allOld(t, s.Old(t.Context(), future)), []string(nil))
		wantGone(t, s.Old, future)
	})

	t.Run("concurrent puts", func(t *testing.T) {
		s := open(t)
		names := make([]string, racers)
		allOK(t, "Put", race(racers, func(i int) (err error) {
			names[i], err = s.Put(t.Context(), &pattern{n: int64(i) * 20_000})
			return err
		}))
		for i, name := range names {
			wantBlob(t, s, name, patternBytes(int64(i)*20_000))
		}
		slices.Sort(names)
		same(t, "different names", len(slices.Compact(names)), racers)
	})
}

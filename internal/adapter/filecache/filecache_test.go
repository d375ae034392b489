package filecache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest/check"
)

// far is a store that counts how often it is asked. A file has the bytes that its blob is named by.
type far struct {
	opened atomic.Int64
	fails  atomic.Bool
}

var errAway = errors.New("away")

func (s *far) Open(_ context.Context, f document.File) (io.ReadCloser, error) {
	s.opened.Add(1)
	if s.fails.Load() {
		return nil, errAway
	}
	return io.NopCloser(strings.NewReader(f.Blob)), nil
}

func file(bytes string) document.File {
	sum := sha256.Sum256([]byte(bytes))
	return document.File{Blob: bytes, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(bytes))}
}

func read(t *testing.T, c *Cache, f document.File) string {
	t.Helper()
	r, err := c.Open(t.Context(), f)
	check.OK(t, "Open", err)
	defer r.Close()
	bytes, err := io.ReadAll(r)
	check.OK(t, "ReadAll", err)
	return string(bytes)
}

func TestCopies(t *testing.T) {
	store := &far{}
	c := New(store, t.TempDir(), 10)
	for range 3 {
		check.Same(t, "file", read(t, c, file("aaaa")), "aaaa")
	}
	check.Same(t, "opened", store.opened.Load(), 1)
	check.Same(t, "stats", c.Stats(), Stats{Hits: 2, Misses: 1, Held: 4})

	read(t, c, file("bbbb"))
	read(t, c, file("aaaa"))
	read(t, c, file("cccc")) // bbbb goes
	check.Same(t, "stats", c.Stats(), Stats{Hits: 3, Misses: 3, Held: 8})
	read(t, c, file("aaaa"))
	check.Same(t, "opened", store.opened.Load(), 3)
	check.Same(t, "file", read(t, c, file("bbbb")), "bbbb")
	check.Same(t, "opened", store.opened.Load(), 4)

	check.Same(t, "too large a file", read(t, c, file("more than ten bytes")), "more than ten bytes")
	check.Same(t, "staged", read(t, c, document.File{Staged: "here", Blob: "as it is"}), "as it is")
}

// What is open stays as it is, and what there is no room for comes from the store.
func TestACopyThatIsOpenStays(t *testing.T) {
	store := &far{}
	c := New(store, t.TempDir(), 10)
	open, err := c.Open(t.Context(), file("aaaaaa"))
	check.OK(t, "Open", err)
	check.Same(t, "file", read(t, c, file("bbbbbb")), "bbbbbb")
	check.Same(t, "held", c.Stats().Held, 6)
	bytes, err := io.ReadAll(open)
	check.OK(t, "ReadAll", err)
	check.Same(t, "file", string(bytes), "aaaaaa")
	check.OK(t, "Close", open.Close())
	check.OK(t, "Close", open.Close())
	read(t, c, file("bbbbbb"))
	read(t, c, file("bbbbbb"))
	check.Same(t, "opened", store.opened.Load(), 3)
}

func TestFailures(t *testing.T) {
	store := &far{}
	c := New(store, t.TempDir(), 10)
	store.fails.Store(true)
	_, err := c.Open(t.Context(), file("aaaa"))
	if !errors.Is(err, errAway) {
		t.Errorf("got %v, want %v", err, errAway)
	}
	check.Same(t, "opened", store.opened.Load(), 1)
	store.fails.Store(false)
	check.Same(t, "file", read(t, c, file("aaaa")), "aaaa")

	damaged := file("bbbb")
	damaged.Blob = "bbxb"
	for range 2 {
		check.Same(t, "file", read(t, c, damaged), "bbxb")
	}
	check.Same(t, "file", read(t, c, file("bbbb")), "bbbb")

	without := New(store, t.TempDir()+"/none", 10)
	check.Same(t, "file", read(t, without, file("aaaa")), "aaaa")
	check.Same(t, "held", without.Stats().Held, 0)
}

// full is a store that opens nothing before it is told to.
type full struct {
	far
	asked, open chan struct{}
}

func (s *full) Open(ctx context.Context, f document.File) (io.ReadCloser, error) {
	close(s.asked)
	<-s.open
	return s.far.Open(ctx, f)
}

func TestWhoWaitsForACopyCanGiveUp(t *testing.T) {
	store := &full{asked: make(chan struct{}), open: make(chan struct{})}
	c := New(store, t.TempDir(), 10)
	var first sync.WaitGroup
	first.Go(func() { check.Same(t, "file", read(t, c, file("aaaa")), "aaaa") })
	<-store.asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Open(ctx, file("aaaa")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	close(store.open)
	first.Wait()
	check.Same(t, "file", read(t, c, file("aaaa")), "aaaa")
	check.Same(t, "opened", store.opened.Load(), 1)
}

func TestAtOnce(t *testing.T) {
	store := &far{}
	c := New(store, t.TempDir(), 100)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			bytes := strings.Repeat(string(rune('a'+i%8)), 10)
			if got := read(t, c, file(bytes)); got != bytes {
				t.Errorf("got %q", got)
			}
		})
	}
	all.Wait()
	check.Same(t, "opened", store.opened.Load(), 8)
}

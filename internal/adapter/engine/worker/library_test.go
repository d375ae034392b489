package worker

import (
	"fmt"
	"runtime/debug"
	"testing"

	"glyphbox/internal/adapter/engine/read"
)

// A worker holds the pages that were opened last, in bounded memory, and the page in use however large it is.
func TestPagesThatAreHeld(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	l := &library{}
	for i, c := range []struct {
		side int
		held string
	}{
		{4_000, "[0]"}, {5_000, "[0 1]"}, {6_000, "[1 2]"}, {1_000, "[1 2 3]"}, {9_000, "[4]"}, {2_000, "[5]"}, {3_000, "[5 6]"},
	} {
		pixels, err := pixOf(read.Gray{Pix: make([]uint8, c.side*c.side), Width: c.side, Height: c.side})
		if err != nil {
			t.Fatal(err)
		}
		l.hold(fmt.Sprint(i), decodedPage{pixels: pixels})
		bytes := int64(0)
		for _, p := range l.pages.values {
			bytes += p.bytes()
		}
		if got := fmt.Sprint(l.pages.keys); got != c.held || l.pageBytes != bytes {
			t.Errorf("after page %d it holds %s of %d bytes, counted as %d, and wants %s", i, got, bytes, l.pageBytes, c.held)
		}
		if got := debug.SetMemoryLimit(-1); got != heapBytes+bytes {
			t.Errorf("after page %d Go may take %d bytes, want %d", i, got, heapBytes+bytes)
		}
	}
}

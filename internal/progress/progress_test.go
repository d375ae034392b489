package progress

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

// In a log there is a line now and then; time passes at once.
func TestSayInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log, other bytes.Buffer
		d := New(&log)
		for n := range 25 {
			d.Say("%s", Counted(n, "page"))
			time.Sleep(time.Second)
		}
		d.Clear()
		d.Printf(&other, "done")
		if got, want := log.String(), "0 pages\n10 pages\n20 pages\n"; got != want || other.String() != "done\n" {
			t.Errorf("got %q and %q, want %q", got, &other, want)
		}
	})
}

// On a terminal each line replaces the one before, and is gone before something else is written.
func TestSayOnATerminal(t *testing.T) {
	var screen bytes.Buffer
	d := &Display{w: &screen, terminal: true}
	d.Clear()
	d.Say("%s", Counted(1, "page"))
	d.Say("%s", Bytes(12_000_000))
	d.Printf(&screen, "left out")
	d.Clear()
	if got, want := screen.String(), clear+"1 page"+clear+"12 MB"+clear+"left out\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

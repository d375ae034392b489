package account

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"glyphbox/internal/domain/fault"
)

// TestAttemptsAreBounded fills the memory for sources.
func TestAttemptsAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := NewAttempts(1, time.Minute)
	errAway := errors.New("away")
	_, err := a.check(t.Context(), "turn", func() time.Time { return now }, func() (bool, error) { return false, errAway })
	if n := len(a.turns) + len(a.buckets); n > 0 || !errors.Is(err, errAway) {
		t.Errorf("got %v, and %d sources behind it", err, n)
	}
	fill := func(prefix string, now time.Time) {
		for i := len(a.buckets); i < maxBuckets; i++ {
			a.failed(fmt.Sprint(prefix, i), now)
		}
	}
	fill("old", now)
	a.failed("old0", now.Add(time.Minute/2)) // leaks longer than the others
	now = now.Add(time.Minute)
	a.failed("new", now)
	if n := len(a.buckets); n != 2 {
		t.Errorf("got %d sources, want those that have not leaked empty", n)
	}
	for _, source := range []string{"old0", "new"} {
		if err := a.admit(source, now); !fault.Is(err, fault.TooMany) {
			t.Errorf("%s: got %v, want it to be remembered", source, err)
		}
	}
	fill("full", now)
	a.failed("one more", now)
	if n := len(a.buckets); n != 1 {
		t.Errorf("got %d sources, want only the last", n)
	}
}

package account

import (
	"math"
	"strings"
	"sync"
	"time"

	"glyphbox/internal/domain/fault"
)

// Attempts slows down guessing: each wrong password fills the bucket of its source, a name and where it was typed, by
// one; the bucket leaks at a steady rate, and while it is full no password is looked at (a leaky bucket as a meter).
// It is kept in memory, of one process, for a bounded number of sources. Safe for concurrent use; nil counts nothing.
type Attempts struct {
	burst int
	every time.Duration

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	level float64
	at    time.Time
}

// maxBuckets bounds the memory: when there are more, those that have leaked empty are dropped, and if none has, all are.
const maxBuckets = 100_000

// NewAttempts allows burst wrong passwords of a source at once and one more for each interval.
func NewAttempts(burst int, every time.Duration) *Attempts {
	return &Attempts{burst: burst, every: every, buckets: map[string]bucket{}}
}

// admit refuses, as TooMany, to look at one more password of the source.
func (a *Attempts) admit(source string, now time.Time) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	over := a.level(strings.ToLower(source), now) - float64(a.burst-1)
	if over <= 0 {
		return nil
	}
	wait := time.Duration(math.Ceil(over * float64(a.every)))
	return fault.New(fault.TooMany, "too_many_attempts", "Too many wrong passwords for this name. Wait a little.").After(wait)
}

func (a *Attempts) failed(source string, now time.Time) {
	if a == nil {
		return
	}
	source = strings.ToLower(source)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.buckets) >= maxBuckets {
		for k := range a.buckets {
			if a.level(k, now) == 0 {
				delete(a.buckets, k)
			}
		}
		if len(a.buckets) >= maxBuckets {
			clear(a.buckets)
		}
	}
	a.buckets[source] = bucket{level: min(a.level(source, now)+1, float64(a.burst)), at: now}
}

func (a *Attempts) level(source string, now time.Time) float64 {
	b := a.buckets[source]
	return max(0, b.level-float64(now.Sub(b.at))/float64(a.every))
}

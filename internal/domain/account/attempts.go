package account

import (
	"context"
	"math"
	"strings"
	"sync"
	"time"

	"glyphbox/internal/domain/fault"
)

// Attempts slows down guessing of passwords with a leaky bucket. Each wrong password adds one to the bucket of its source, which is a
// name and the address it came from. The bucket leaks at a steady rate; while it is full, no password is checked. The passwords of one
// source are checked one after another, so that simultaneous guesses are all counted and simultaneous right passwords only wait. Buckets
// are in memory, for one process and a bounded number of sources. Safe for concurrent use; nil counts nothing.
type Attempts struct {
	burst int
	every time.Duration

	mu      sync.Mutex
	buckets map[string]bucket
	turns   map[string]*turn // of sources that have passwords looked at
}

// turn is what callers with passwords of one source wait for.
type turn struct {
	taken  chan struct{} // full while it is somebody's turn
	people int           // whose turn it is, or who wait for it
}

type bucket struct {
	level float64
	at    time.Time
}

// maxBuckets bounds the memory: when there are more, those that have leaked empty are dropped, and if none has, all are.
const maxBuckets = 100_000

// NewAttempts allows burst wrong passwords of a source at once, and one more for each interval.
func NewAttempts(burst int, every time.Duration) *Attempts {
	return &Attempts{burst: burst, every: every, buckets: map[string]bucket{}, turns: map[string]*turn{}}
}

// check calls look for a password of the source when its turn has come, and counts it if it is wrong. It returns TooMany, without a look,
// while too many were wrong; the context's error if that ends before the turn; and an error of look as it is, without counting.
func (a *Attempts) check(ctx context.Context, source string, now func() time.Time, look func() (ok bool, err error)) (bool, error) {
	if a == nil {
		return look()
	}
	source = strings.ToLower(source)
	t := a.join(source)
	defer a.leave(source, t)
	select {
	case t.taken <- struct{}{}:
		defer func() { <-t.taken }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	at := now()
	if err := a.admit(source, at); err != nil {
		return false, err
	}
	ok, err := look()
	if err == nil && !ok {
		a.failed(source, at)
	}
	return ok, err
}

func (a *Attempts) join(source string) *turn {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.turns[source]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		a.turns[source] = t
	}
	t.people++
	return t
}

func (a *Attempts) leave(source string, t *turn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.people--; t.people == 0 {
		delete(a.turns, source)
	}
}

// admit returns TooMany if no more passwords of the source may be tried now.
func (a *Attempts) admit(source string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	over := a.level(source, now) - float64(a.burst-1)
	if over <= 0 {
		return nil
	}
	wait := time.Duration(math.Ceil(over * float64(a.every)))
	return fault.New(fault.TooMany, "too_many_attempts", "Too many wrong passwords for this name. Wait a little.").After(wait)
}

func (a *Attempts) failed(source string, now time.Time) {
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

package porttest

import (
	"context"
	"slices"
	"sync"

	"glyphbox/internal/domain/job"
)

// FakeQueue is an in-memory fake of job.Queue.
type FakeQueue struct {
	mu      sync.Mutex
	waiting []string
	taken   int           // and not taken out
	put     chan struct{} // closed when something is put
}

var _ job.Queue = (*FakeQueue)(nil)

// NewFakeQueue makes an empty queue.
func NewFakeQueue() *FakeQueue { return &FakeQueue{put: make(chan struct{})} }

// Put implements job.Queue.
func (q *FakeQueue) Put(ctx context.Context, itemIDs []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, itemIDs...)
	close(q.put)
	q.put = make(chan struct{})
	return nil
}

// Take implements job.Queue.
func (q *FakeQueue) Take(ctx context.Context) (itemID string, done func(context.Context) error, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return "", nil, err
		}
		q.mu.Lock()
		put := q.put
		if len(q.waiting) > 0 {
			id := q.waiting[0]
			q.waiting = slices.Delete(q.waiting, 0, 1)
			q.taken++
			q.mu.Unlock()
			return id, func(context.Context) error {
				q.mu.Lock()
				defer q.mu.Unlock()
				q.taken--
				return nil
			}, nil
		}
		q.mu.Unlock()
		select {
		case <-put:
		case <-ctx.Done():
		}
	}
}

// Waiting implements job.Queue.
func (q *FakeQueue) Waiting(ctx context.Context) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) + q.taken, ctx.Err()
}

// Lose empties the queue.
func (q *FakeQueue) Lose() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting, q.taken = nil, 0
}

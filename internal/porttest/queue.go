package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"glyphbox/internal/domain/job"
	"glyphbox/internal/porttest/check"
)

// takeAll takes n items out.
func takeAll(t *testing.T, q job.Queue, n int) (ids []string) {
	t.Helper()
	for range n {
		id, done, err := q.Take(t.Context())
		check.OK(t, "Take", err)
		check.OK(t, "done", done(t.Context()))
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Queue is the suite of job.Queue. lose makes a queue lose what is in it, while it is used; nil: it cannot.
func Queue(t *testing.T, open func(t *testing.T) job.Queue, lose func(t *testing.T, q job.Queue)) {
	waiting := func(t *testing.T, q job.Queue, want int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		n := -1
		for n != want && ctx.Err() == nil {
			var err error
			n, err = q.Waiting(t.Context())
			check.OK(t, "Waiting", err)
		}
		same(t, "Waiting", n, want)
	}
	put := func(t *testing.T, q job.Queue, n int) (ids []string) {
		t.Helper()
		for i := range n {
			ids = append(ids, fmt.Sprintf("job001-%06d", i+1))
		}
		check.OK(t, "Put", q.Put(t.Context(), ids))
		return ids
	}

	t.Run("what is put is taken once", func(t *testing.T) {
		q := open(t)
		waiting(t, q, 0)
		ids := put(t, q, 30)
		waiting(t, q, 30)
		var mu sync.Mutex
		var got []string
		allOK(t, "Take", race(3, func(int) error {
			for range 10 {
				id, done, err := q.Take(context.Background())
				if err == nil {
					err = done(context.Background())
				}
				if err != nil {
					return err
				}
				mu.Lock()
				got = append(got, id)
				mu.Unlock()
			}
			return nil
		}))
		slices.Sort(got)
		same(t, "taken", got, ids)
		waiting(t, q, 0)
	})

	t.Run("the first one comes first", func(t *testing.T) {
		q := open(t)
		ids := put(t, q, 5)
		for _, want := range ids {
			same(t, "taken", takeAll(t, q, 1), []string{want})
		}
	})

	t.Run("it waits for an item", func(t *testing.T) {
		q := open(t)
		got := make(chan string, 1)
		go func() {
			id, done, err := q.Take(context.Background())
			if err == nil {
				err = done(context.Background())
			}
			got <- fmt.Sprint(id, err)
		}()
		put(t, q, 1)
		same(t, "taken", <-got, "job001-000001<nil>")
	})

	t.Run("it ends with the context", func(t *testing.T) {
		q := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := q.Take(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Take for nobody: %v", err)
		}
		put(t, q, 1)
		same(t, "taken after that", takeAll(t, q, 1), []string{"job001-000001"})
	})

	t.Run("what was not taken out counts as waiting", func(t *testing.T) {
		q := open(t)
		put(t, q, 2)
		_, done, err := q.Take(t.Context())
		check.OK(t, "Take", err)
		waiting(t, q, 2)
		check.OK(t, "done", done(t.Context()))
		waiting(t, q, 1)
	})

	if lose == nil { // the queue cannot lose anything
		return
	}
	t.Run("it goes on after a loss", func(t *testing.T) {
		q := open(t)
		put(t, q, 3)
		lose(t, q)
		var id string
		for id == "" { // until it is mended, it says that it is away
			err := q.Put(t.Context(), []string{"job002-000001"})
			if err == nil {
				var done func(context.Context) error
				if id, done, err = q.Take(t.Context()); err == nil {
					err = done(t.Context())
				}
			}
			if err != nil && t.Context().Err() != nil {
				t.Fatal(err)
			}
		}
	})
}

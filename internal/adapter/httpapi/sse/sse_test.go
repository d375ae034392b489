package sse_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

// counted gives one event a second, named tick, with the numbers after that of the ID, up to last.
func counted(last int) sse.Source {
	return func(ctx context.Context, after string) ([]sse.Event, bool, error) {
		n, _ := strconv.Atoi(after)
		if n == last {
			return []sse.Event{{Name: "end"}}, true, nil
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(time.Second):
			return []sse.Event{{ID: strconv.Itoa(n + 1), Name: "tick", Data: map[string]any{"text": "a\nb"}}}, false, nil
		}
	}
}

const tick1, tick2, begin = "id: 1\nevent: tick\ndata: {\"text\":\"a\\nb\"}\n\n", "id: 2\nevent: tick\ndata: {\"text\":\"a\\nb\"}\n\n",
	"retry: 1000\n\n"

func TestServe(t *testing.T) {
	const end, beat = "event: end\ndata: null\n\n", ": still here\n\n"
	refused := errors.New("refused")
	for _, c := range []struct {
		name string
		s    sse.Stream
		want string
		err  error
	}{
		{"all, and the end", sse.Stream{Next: counted(2)}, begin + tick1 + tick2 + end, nil},
		{"from where the client was", sse.Stream{Next: counted(2), After: "1"}, begin + tick2 + end, nil},
		{"a comment ends each silence", sse.Stream{Next: func(ctx context.Context, _ string) ([]sse.Event, bool, error) {
			<-ctx.Done()
			return nil, false, nil
		}, Heartbeat: 40 * time.Second}, begin + beat + beat, nil}, // within 100 seconds
		{"a source that gives the error of its context", sse.Stream{Next: counted(1), Heartbeat: time.Second / 3}, begin + beat, nil},
		{"a source that fails", sse.Stream{Next: func(context.Context, string) ([]sse.Event, bool, error) { return nil, false, refused }},
			begin, refused},
		{"who may no longer gets nothing", sse.Stream{Next: counted(2), May: func(context.Context) error { return refused }}, begin,
			refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
				defer cancel()
				if c.s.Heartbeat == time.Second/3 {
					ctx, cancel = context.WithTimeout(ctx, time.Second/2)
					defer cancel()
				}
				w := httptest.NewRecorder()
				if err := c.s.Serve(ctx, w); !errors.Is(err, c.err) {
					t.Errorf("got the error %v, want %v", err, c.err)
				}
				check.Same(t, "stream", w.Body.String(), c.want)
				check.Same(t, "content type", w.Header().Get("Content-Type"), sse.MediaType)
				check.Same(t, "flushed", w.Flushed, true)
			})
		})
	}
}

func TestPlaces(t *testing.T) {
	p := &sse.Places{OfUser: 2, All: 3}
	take := func(user int64) func() {
		t.Helper()
		leave, err := p.Take(user)
		check.OK(t, "Take", err)
		return leave
	}
	first := take(1)
	take(1)
	_, err := p.Take(1)
	check.Code(t, "a third of one user", err, fault.TooMany, "too_many_streams")
	take(2)
	_, err = p.Take(2)
	check.Code(t, "a fourth of all", err, fault.Busy, "too_many_streams")
	first()
	first() // once is what counts
	take(1)
	_, err = p.Take(1)
	check.Code(t, "a third of one user again", err, fault.TooMany, "too_many_streams")
}

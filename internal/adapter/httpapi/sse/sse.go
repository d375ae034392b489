// Package sse sends server-sent events: it writes them, keeps the connection alive, resumes and ends.
//
// A handler of package httpapi gives a Source, which is all that differs from one stream to the next:
//
//	func (a *api) jobEvents(ctx context.Context, c *endpoint.Call, in *struct {
//		JobPath
//		LastEventID string `header:"Last-Event-ID"`
//	}) (*endpoint.Stream, error) {
//		if _, err := a.Jobs.Job(ctx, c.Actor(), in.ID); err != nil { // what is refused before the first event is a problem as any other
//			return nil, err
//		}
//		return c.Events(ctx, sse.Stream{
//			After: in.LastEventID,
//			Next: func(ctx context.Context, after string) ([]sse.Event, bool, error) { … }, // waits for events
//			May:  func(ctx context.Context) error { … },                                   // whether the actor still may see them
//		})
//	}
//
// and its row in routes.go has Streams: true and Gives: []string{sse.MediaType}.
package sse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"glyphbox/internal/domain/fault"
)

// MediaType is the media type of a stream of events.
const MediaType = "text/event-stream"

// Event is one event. Its data is sent as JSON.
type Event struct {
	ID   string // for Last-Event-ID, on one line; empty: the client keeps the one that it has
	Name string
	Data any
}

// Number returns the number of an event ID, or 0 for an empty one. Invalid, naming Last-Event-ID.
func Number(id string) (int64, error) {
	if id == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.InvalidFields(fault.Field{Field: "Last-Event-ID", Detail: "the id of an event of this stream, a number"})
	}
	return n, nil
}

// Source returns the events after the one with the ID after, in their order; after is "" if the client has seen none. If there are none
// yet it waits until the context ends, and then returns none. last says that no more will follow. The context of a call ends at the
// next heartbeat, so that a call that returns nothing is repeated.
type Source func(ctx context.Context, after string) (events []Event, last bool, err error)

// Every returns a source that looks for events, and again after a pause while there are none.
func Every(pause time.Duration, look Source) Source {
	return func(ctx context.Context, after string) ([]Event, bool, error) {
		for {
			events, last, err := look(ctx, after)
			if err != nil || last || len(events) > 0 {
				return events, last, err
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return nil, false, nil
			}
		}
	}
}

// Stream is one answer of events.
type Stream struct {
	Next  Source
	After string // the ID that the client has seen last, from Last-Event-ID; empty: none
	// May is asked before events are sent, and at each heartbeat. Its error ends the stream, and nothing is sent. nil: the client may.
	May       func(ctx context.Context) error
	Heartbeat time.Duration // the longest silence, which a comment ends; 0: 15 seconds
	End       func()        // is called when the stream has ended; may be nil
}

// heartbeat is shorter than what proxies take for a dead connection.
const heartbeat = 15 * time.Second

// retryAfter is how long clients wait before they connect again, in milliseconds.
const retryAfter = 1000

// Serve sends events until there are no more, the context ends or the client disconnects. A compressor must let MediaType pass, and the
// context must have no deadline. It returns what ended the stream: nil if it was the source or the context.
func (s Stream) Serve(ctx context.Context, w http.ResponseWriter) error {
	if s.End != nil {
		defer s.End()
	}
	control := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events until its buffer is full
	send := func(text string) error {
		_, err := io.WriteString(w, text)
		if err == nil {
			err = control.Flush()
		}
		return err
	}
	if err := send(fmt.Sprintf("retry: %d\n\n", retryAfter)); err != nil {
		return err
	}
	for after := s.After; ; {
		events, last, err := s.wait(ctx, after)
		if ctx.Err() != nil {
			return nil // the client went away, or the server stops
		}
		if err != nil {
			return err
		}
		if s.May != nil {
			if err := s.May(ctx); err != nil {
				return err
			}
		}
		text := ""
		for _, e := range events {
			line, err := e.text()
			if err != nil {
				return err
			}
			text += line
			if e.ID != "" {
				after = e.ID
			}
		}
		if text == "" && !last {
			text = ": still here\n\n"
		}
		if err := send(text); err != nil || last {
			return err
		}
	}
}

// wait asks the source for no longer than until the next heartbeat.
func (s Stream) wait(ctx context.Context, after string) (events []Event, last bool, err error) {
	silence := s.Heartbeat
	if silence == 0 {
		silence = heartbeat
	}
	limited, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	events, last, err = s.Next(limited, after)
	if errors.Is(err, context.DeadlineExceeded) && limited.Err() != nil {
		err = nil
	}
	return events, last, err
}

// text is the event as it is sent. JSON has no line breaks.
func (e Event) text() (string, error) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if e.ID != "" {
		fmt.Fprintf(&b, "id: %s\n", e.ID)
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", e.Name, data)
	return b.String(), nil
}

// Places limits the number of open streams. Safe for concurrent use.
type Places struct {
	OfUser int // at most, of one user
	All    int // at most, of all users

	mu    sync.Mutex
	taken map[int64]int
	all   int
}

// Take reserves a place for a stream of a user until leave is called. TooMany, Busy.
func (p *Places) Take(userID int64) (leave func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken == nil {
		p.taken = map[int64]int{}
	}
	if p.taken[userID] >= p.OfUser {
		return nil, fault.New(fault.TooMany, "too_many_streams", "You may have at most %d open event streams. Close one first.",
			p.OfUser).After(heartbeat)
	}
	if p.all >= p.All {
		return nil, fault.New(fault.Busy, "too_many_streams", "Too many event streams are open at the moment.").After(heartbeat)
	}
	p.taken[userID]++
	p.all++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.taken[userID]--; p.taken[userID] == 0 {
			delete(p.taken, userID)
		}
		p.all--
	}), nil
}

package httpapi

import (
	"context"
	"net/http"

	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/fault"
)

// How many streams of events may be open at once.
const (
	streamsOfUser = 20
	streamsOfAll  = 2000
)

// events answers with a stream of events. Whatever else s.May asks, the token must still be good. It ends when the server stops; clients
// connect again. TooMany, Busy.
func (a *api) events(ctx context.Context, c *call, s sse.Stream) (*stream, error) {
	leave, err := a.streams.Take(c.actor.UserID)
	if err != nil {
		return nil, err
	}
	may := s.May
	s.May = func(ctx context.Context) error {
		if err := a.authenticate(ctx, c); err != nil || may == nil {
			return err
		}
		return may(ctx)
	}
	if s.Heartbeat == 0 {
		s.Heartbeat = a.Heartbeat
	}
	return streamed(func() {
		defer leave()
		if c.r.Method == http.MethodHead {
			c.w.Header().Set("Content-Type", sse.MediaType)
			return
		}
		open, end := context.WithCancel(ctx)
		defer end()
		defer context.AfterFunc(a.stopping(), end)()
		err := s.Serve(open, c.w)
		if err == nil || open.Err() != nil {
			return
		}
		f := fault.Of(err)
		c.code = f.Code
		if f.Kind == fault.Internal || f.Kind == fault.Unavailable { // any other is the client's
			c.cause = err
		}
	}), nil
}

// stopping returns a context that ends when the server begins to stop.
func (a *api) stopping() context.Context {
	if a.Stopping == nil {
		return context.Background()
	}
	return a.Stopping
}

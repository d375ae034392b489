package endpoint

import (
	"context"
	"net/http"

	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/fault"
)

// StreamsOfUser is how many streams of events one user may have open at once, and streamsOfAll how many all users may.
const (
	StreamsOfUser = 20
	streamsOfAll  = 2000
)

// Events returns a stream of events. Besides the checks of stream.May, the token must stay valid. The stream ends when the server
// stops; clients connect again. TooMany, Busy.
func (c *Call) Events(ctx context.Context, stream sse.Stream) (*Stream, error) {
	leave, err := c.set.streams.Take(c.actor.UserID)
	if err != nil {
		return nil, err
	}
	may := stream.May
	stream.May = func(ctx context.Context) error {
		if err := c.set.authenticate(ctx, c); err != nil || may == nil {
			return err
		}
		return may(ctx)
	}
	if stream.Heartbeat == 0 {
		stream.Heartbeat = c.set.Heartbeat
	}
	return Written(func() {
		defer leave()
		if c.r.Method == http.MethodHead {
			c.w.Header().Set("Content-Type", sse.MediaType)
			return
		}
		open, end := context.WithCancel(ctx)
		defer end()
		defer context.AfterFunc(c.set.Stopping, end)()
		err := stream.Serve(open, c.w)
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

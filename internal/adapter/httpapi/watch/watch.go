// Package watch has the operation of the API that streams the changes of an image. Package httpapi has its route.
package watch

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/recognition"
)

const (
	// lookEvery is how often a stream looks for what happened, by whatever node.
	lookEvery = 400 * time.Millisecond
	// stayEvery is how often a stream says that its user still has the image open.
	stayEvery = recognition.StaysFor / 3
	// leaveTime is how long a stream that has ended may take to say so.
	leaveTime = 5 * time.Second
)

// Handlers are the operations. Its field is set once.
type Handlers struct{ Results *recognition.Service }

// Image streams the changes of an image.
func (h Handlers) Image(ctx context.Context, c *endpoint.Call, in *struct {
	ID          int64  `path:"id" minimum:"1" example:"42"`
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"The id of the last event that you have seen. The stream continues after it."`
}) (*endpoint.Stream, error) {
	after, err := sse.Number(in.LastEventID)
	if err != nil {
		return nil, err
	}
	w := &watch{results: h.Results, actor: c.Actor(), imageID: in.ID, id: rand.Text(), rotation: -1}
	now, err := w.results.Happened(ctx, w.actor, w.imageID, after)
	if err != nil {
		return nil, err
	}
	if in.LastEventID == "" {
		in.LastEventID = strconv.FormatInt(now.Newest, 10)
	}
	return c.Events(ctx, sse.Stream{After: in.LastEventID, Next: sse.Every(lookEvery, w.look), End: w.leave})
}

// watch is one stream of what happens to an image.
type watch struct {
	results *recognition.Service
	actor   account.Actor
	imageID int64
	id      string
	stayed  time.Time // when it was last said that the user has the image open
	told    []string  // who was last said to be present; nil: nobody was

	rotation int // of the image, as it was last told; -1: it was not
}

// look returns what has happened after the event with that ID. It asks each time whether the user may still see the image.
func (w *watch) look(ctx context.Context, id string) ([]sse.Event, bool, error) {
	after, err := sse.Number(id)
	if err != nil {
		return nil, false, err
	}
	if time.Since(w.stayed) > stayEvery {
		if err := w.results.Stay(ctx, w.actor, w.imageID, w.id); err != nil {
			return nil, false, err
		}
		w.stayed = time.Now()
	}
	h, err := w.results.Happened(ctx, w.actor, w.imageID, after)
	if err != nil {
		return nil, false, err
	}
	return w.events(h, id), false, nil
}

// events returns what is to be told after the event with the ID that was seen last: first how the image stands, since contents are in the
// coordinates of that.
func (w *watch) events(h recognition.Happened, seen string) (events []sse.Event) {
	if w.rotation != h.Rotation {
		w.rotation = h.Rotation
		events = append(events, sse.Event{ID: seen, Name: "image", Data: client.ImageEvent{Rotation: h.Rotation}})
	}
	for _, e := range h.Events {
		event := sse.Event{ID: strconv.FormatInt(e.Seq, 10), Name: "run", Data: client.RunEvent{Version: e.Version}}
		if e.ContentID != "" {
			event.Name = "content"
			event.Data = client.ContentEvent{ContentID: e.ContentID, Version: e.Version, Revision: e.Revision, Deleted: e.Deleted}
		}
		events = append(events, event)
	}
	names := []string{}
	for _, u := range h.Present {
		names = append(names, u.Name)
	}
	if w.told == nil || !slices.Equal(w.told, names) {
		w.told = names
		events = append(events, sse.Event{ID: strconv.FormatInt(h.Newest, 10), Name: "presence", Data: client.Presence{Users: names}})
	}
	return events
}

// leave says that the user no longer has the image open. If that fails, the stay ends by itself.
func (w *watch) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_ = w.results.Leave(ctx, w.id)
}

// Package jobs has the operations of the API on existing jobs: list, show, follow, cancel and retry. Package httpapi has their routes,
// and the operations that create jobs, since those read regions.
package jobs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/wire"
)

// Handlers are the operations. Its field is set once.
type Handlers struct{ Service *job.Service }

// Path names a job.
type Path struct {
	ID string `path:"id" maxLength:"100" example:"0195f3c2a1bk3nqj6wyb4ztq2v"`
}

// Accepted is the answer with a new job.
type Accepted struct {
	Location string `header:"Location" doc:"The path of the job."`
	Body     client.Job
}

// Accept returns the answer with a new job. base is the path of the operations as clients see it.
func Accept(j job.Job, base string) *Accepted {
	return &Accepted{Location: base + "/job/" + j.ID, Body: View(j)}
}

// View returns a job in the form of the API.
func View(j job.Job) client.Job {
	v := client.Job{ID: j.ID, User: wire.Ref(j.User), State: string(j.State), Priority: PriorityName(j.Priority), Total: j.Count.Total,
		Queued:  j.Count.Queued,
		Running: j.Count.Running, Done: j.Count.Done, Failed: j.Count.Failed, Cancelled: j.Count.Cancelled,
		CreatedDatetime: wire.Time(j.Created),
		BegunDatetime:   wire.TimeOrNull(j.Begun), FinishedDatetime: wire.TimeOrNull(j.Finished), Ahead: j.Forecast.Ahead,
		EstimatedDatetime: wire.TimeOrNull(j.Forecast.End)}
	v.Error = failure(j.Stopped)
	return v
}

func failure(f *fault.Failure) *client.Failure {
	if f == nil {
		return nil
	}
	return &client.Failure{Code: f.Code, Detail: f.Detail}
}

func viewItem(i job.Item) client.JobItem {
	v := client.JobItem{ID: i.ID, Job: i.Job, Number: i.Number, ImageID: i.ImageID, State: string(i.State), Dead: i.Dead, Tries: i.Tries,
		Error:         failure(i.Error),
		BegunDatetime: wire.TimeOrNull(i.Begun), FinishedDatetime: wire.TimeOrNull(i.Finished)}
	if i.Version != 0 {
		v.Version = &i.Version
	}
	return v
}

var priorities = map[string]job.Priority{"low": job.Low, "normal": job.Normal, "high": job.High}

// PriorityName returns the name of a priority.
func PriorityName(p job.Priority) string {
	for name, v := range priorities {
		if v == p {
			return name
		}
	}
	return strconv.Itoa(int(p))
}

// Priority parses a priority; the empty one is normal. Invalid.
func Priority(name string) (job.Priority, error) {
	p, ok := priorities[name]
	if !ok && name != "" {
		return 0, fault.InvalidFields(fault.Field{Field: "priority", Detail: "low, normal or high"})
	}
	return p, nil
}

// listOf returns a list of that size. If it is full, it has a link to what follows the last entry. before names an entry; it is empty if
// nothing follows it.
func listOf[T, V any](c *endpoint.Call, size int, found []T, view func(T) V, before func(T) string) *endpoint.Part[V] {
	out := &endpoint.Part[V]{Body: wire.All(found, view)}
	if n := len(found); n == size {
		if last := before(found[n-1]); last != "" {
			out.Link = c.Link("next", "before", last)
		}
	}
	return out
}

// Jobs lists the caller's jobs.
func (h Handlers) Jobs(ctx context.Context, c *endpoint.Call, in *struct {
	Size   int    `query:"size" default:"10" minimum:"1" maximum:"100" doc:"Number of jobs in a list."`
	Before string `query:"before" maxLength:"100" doc:"Only jobs older than the one with this id."`
}) (*endpoint.Part[client.Job], error) {
	jobs, err := h.Service.List(ctx, c.Actor(), in.Before, in.Size)
	if err != nil {
		return nil, err
	}
	return listOf(c, in.Size, jobs, View, func(j job.Job) string { return j.ID }), nil
}

// Job shows a job.
func (h Handlers) Job(ctx context.Context, c *endpoint.Call, in *Path) (*endpoint.One[client.Job], error) {
	j, err := h.Service.Job(ctx, c.Actor(), in.ID)
	return endpoint.Answer(View(j)), err
}

// Items lists items of a job.
func (h Handlers) Items(ctx context.Context, c *endpoint.Call, in *struct {
	Path
	State  string `query:"state" enum:"queued,running,done,failed,cancelled" doc:"Only items in this state."`
	Size   int    `query:"size" default:"10" minimum:"1" maximum:"100" doc:"Number of items in a list."`
	Before int    `query:"before" minimum:"1" maximum:"1000000" doc:"Only items before the one with this number."`
}) (*endpoint.Part[client.JobItem], error) {
	items, err := h.Service.Items(ctx, c.Actor(), in.ID, job.State(in.State), in.Before, in.Size)
	if err != nil {
		return nil, err
	}
	return listOf(c, in.Size, items, viewItem, func(i job.Item) string {
		if i.Number == 1 { // there is no job before it
			return ""
		}
		return strconv.Itoa(i.Number)
	}), nil
}

// Retry queues failed and cancelled items again.
func (h Handlers) Retry(ctx context.Context, c *endpoint.Call, in *Path) (*endpoint.One[client.Job], error) {
	j, err := h.Service.Retry(ctx, c.Actor(), in.ID)
	return endpoint.Answer(View(j)), err
}

// Cancel cancels a job.
func (h Handlers) Cancel(ctx context.Context, c *endpoint.Call, in *Path) (*endpoint.None, error) {
	return nil, h.Service.Cancel(ctx, c.Actor(), in.ID)
}

// Dead lists dead items.
func (h Handlers) Dead(ctx context.Context, c *endpoint.Call, in *struct {
	Size   int    `query:"size" default:"10" minimum:"1" maximum:"100" doc:"Number of items in a list."`
	Before string `query:"before" maxLength:"100" doc:"Only items before the one with this id."`
}) (*endpoint.Part[client.JobItem], error) {
	items, err := h.Service.Dead(ctx, c.Actor(), in.Before, in.Size)
	if err != nil {
		return nil, err
	}
	return listOf(c, in.Size, items, viewItem, func(i job.Item) string { return i.ID }), nil
}

// Replay queues a dead item again.
func (h Handlers) Replay(ctx context.Context, c *endpoint.Call, in *struct {
	ID string `path:"id" maxLength:"100" example:"0195f3c2a1bk3nqj6wyb4ztq2v-000017"`
}) (*endpoint.None, error) {
	return nil, h.Service.Replay(ctx, c.Actor(), in.ID)
}

// poll is how often a stream looks for changes, which any node may have made.
const poll = 300 * time.Millisecond

// Events returns the stream of changes of a job. The ID of an event is the number of its newest change.
func (h Handlers) Events(ctx context.Context, c *endpoint.Call, id, after string) (sse.Stream, error) {
	if _, err := sse.Number(after); err != nil {
		return sse.Stream{}, err
	}
	if err := h.Service.MaySee(ctx, c.Actor(), id); err != nil {
		return sse.Stream{}, err
	}
	return sse.Stream{
		After: after,
		Next: sse.Every(poll, func(ctx context.Context, after string) ([]sse.Event, bool, error) {
			return h.look(ctx, c.Actor(), id, after)
		}),
		May: func(ctx context.Context) error { return h.Service.MaySee(ctx, c.Actor(), id) },
	}, nil
}

// look returns changes of items after that number, or the end of the job.
func (h Handlers) look(ctx context.Context, actor account.Actor, id, after string) ([]sse.Event, bool, error) {
	from, err := sse.Number(after)
	if err != nil {
		return nil, false, err
	}
	j, items, err := h.Service.Changes(ctx, actor, id, from)
	if err != nil {
		return nil, false, err
	}
	ended := !j.Finished.IsZero() && len(items) == 0
	if !ended && len(items) == 0 && after != "" {
		return nil, false, nil
	}
	if j, err = h.Service.Job(ctx, actor, id); err != nil {
		return nil, false, err
	}
	if ended && !j.Finished.IsZero() { // else it was begun again meanwhile
		return []sse.Event{{ID: fmt.Sprint(j.Seq), Name: "end", Data: View(j)}}, true, nil
	}
	var events []sse.Event
	seen := from
	for _, i := range items {
		seen = i.Seq
		events = append(events, sse.Event{ID: fmt.Sprint(seen), Name: "item", Data: viewItem(i)})
	}
	return append(events, sse.Event{ID: fmt.Sprint(seen), Name: "progress", Data: View(j)}), false, nil
}

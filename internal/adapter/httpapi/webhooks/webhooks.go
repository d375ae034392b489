// Package webhooks has the operations of the API on webhooks. Package httpapi has their routes.
package webhooks

import (
	"context"
	"encoding/json"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/wire"
)

// Handlers are the operations. Its field is set once.
type Handlers struct{ Service *webhook.Service }

// Path names a webhook.
type Path struct {
	ID int64 `path:"id" minimum:"1" example:"7"`
}

func view(h webhook.Hook) client.Webhook {
	v := client.Webhook{ID: h.ID, URL: h.URL, Items: h.Items, Enabled: h.Disabled.IsZero(), CreatedDatetime: wire.Time(h.Created),
		FailingDatetime: wire.TimeOrNull(h.FailingSince), DisabledDatetime: wire.TimeOrNull(h.Disabled)}
	if notice := h.Notice(); notice != "" {
		v.Notice = &notice
	}
	return v
}

// viewShown is a webhook with its secret, where it has a new one.
func viewShown(h webhook.Hook, secret string) client.NewWebhook {
	v := client.NewWebhook{Webhook: view(h)}
	if secret != "" {
		v.Secret = &secret
	}
	return v
}

func viewDelivery(d webhook.Delivery) client.Delivery {
	v := client.Delivery{ID: d.ID, Event: d.Event, State: string(d.State), Tries: d.Tries, Body: json.RawMessage(d.Body),
		CreatedDatetime: wire.Time(d.Created), TriedDatetime: wire.TimeOrNull(d.Tried), DueDatetime: wire.TimeOrNull(d.Due)}
	if d.Answer.Status != 0 {
		v.Status = &d.Answer.Status
	}
	if d.Answer.Error != "" {
		v.Error = &d.Answer.Error
	}
	return v
}

// Add creates a webhook.
func (h Handlers) Add(ctx context.Context, c *endpoint.Call, _ *endpoint.None, form client.WebhookForm) (
	*endpoint.Secret[client.NewWebhook], error) {
	if form.Rotate {
		return nil, fault.InvalidFields(fault.Field{Field: "rotate", Detail: "only for an existing webhook"})
	}
	hook, secret, err := h.Service.Add(ctx, c.Actor(), order(form))
	return endpoint.AnswerSecret(viewShown(hook, secret)), err
}

func order(f client.WebhookForm) webhook.Form {
	return webhook.Form{URL: f.URL, Items: f.Items, Enabled: f.Enabled, Rotate: f.Rotate}
}

// List lists the caller's webhooks.
func (h Handlers) List(ctx context.Context, c *endpoint.Call, _ *endpoint.None) (*endpoint.One[[]client.Webhook], error) {
	hooks, err := h.Service.List(ctx, c.Actor())
	return endpoint.Answer(wire.All(hooks, view)), err
}

// One shows a webhook.
func (h Handlers) One(ctx context.Context, c *endpoint.Call, in *Path) (*endpoint.One[client.Webhook], error) {
	hook, err := h.Service.Hook(ctx, c.Actor(), in.ID)
	return endpoint.Answer(view(hook)), err
}

// Change changes a webhook.
func (h Handlers) Change(ctx context.Context, c *endpoint.Call, in *Path, form client.WebhookForm) (
	*endpoint.Secret[client.NewWebhook], error) {
	hook, secret, err := h.Service.Change(ctx, c.Actor(), in.ID, order(form))
	return endpoint.AnswerSecret(viewShown(hook, secret)), err
}

// Remove removes a webhook.
func (h Handlers) Remove(ctx context.Context, c *endpoint.Call, in *Path) (*endpoint.None, error) {
	return nil, h.Service.Remove(ctx, c.Actor(), in.ID)
}

// Deliveries lists deliveries of a webhook.
func (h Handlers) Deliveries(ctx context.Context, c *endpoint.Call, in *struct {
	Path
	Size   int    `query:"size" default:"10" minimum:"1" maximum:"100" doc:"Number of deliveries in a list."`
	Before string `query:"before" maxLength:"100" doc:"Only deliveries older than the one with this id."`
}) (*endpoint.Part[client.Delivery], error) {
	found, err := h.Service.Deliveries(ctx, c.Actor(), in.ID, in.Before, in.Size)
	if err != nil {
		return nil, err
	}
	out := &endpoint.Part[client.Delivery]{Body: wire.All(found, viewDelivery)}
	if n := len(found); n == in.Size {
		out.Link = c.Link("next", "before", found[n-1].ID)
	}
	return out, nil
}

// Replay sends a delivery again.
func (h Handlers) Replay(ctx context.Context, c *endpoint.Call, in *struct {
	Path
	Delivery string `path:"delivery" maxLength:"100" example:"0195f3c2a1bk3nqj6wyb4ztq2v"`
}) (*endpoint.None, error) {
	return nil, h.Service.Replay(ctx, c.Actor(), in.ID, in.Delivery)
}

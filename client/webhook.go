package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

func webhookPath(id int64, rest string) string { return fmt.Sprintf("/webhook/%d%s", id, rest) }

// AddWebhook makes a webhook. Only the answer has its secret.
func (c Client) AddWebhook(ctx context.Context, form WebhookForm) (NewWebhook, error) {
	return send[NewWebhook](ctx, c, http.MethodPost, "/webhook", form)
}

// Webhooks returns the user's webhooks.
func (c Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	return get[[]Webhook](ctx, c, "/webhook", nil)
}

// Webhook returns a webhook.
func (c Client) Webhook(ctx context.Context, id int64) (Webhook, error) {
	return get[Webhook](ctx, c, webhookPath(id, ""), nil)
}

// ChangeWebhook changes a webhook. Where it got a new secret, only the answer has it.
func (c Client) ChangeWebhook(ctx context.Context, id int64, form WebhookForm) (NewWebhook, error) {
	return send[NewWebhook](ctx, c, http.MethodPut, webhookPath(id, ""), form)
}

// DeleteWebhook deletes a webhook and its deliveries.
func (c Client) DeleteWebhook(ctx context.Context, id int64) error {
	return tell(ctx, c, http.MethodDelete, webhookPath(id, ""), nil)
}

// Deliveries returns deliveries of a webhook, newest first: at most size, at most 100, and only those older than that one where it is not
// empty.
func (c Client) Deliveries(ctx context.Context, id int64, before string, size int) ([]Delivery, error) {
	query := url.Values{}
	set(query, "size", size)
	set(query, "before", before)
	return get[[]Delivery](ctx, c, webhookPath(id, "/delivery"), query)
}

// ReplayDelivery sends a delivery again.
func (c Client) ReplayDelivery(ctx context.Context, id int64, deliveryID string) error {
	return tell(ctx, c, http.MethodPost, webhookPath(id, "/delivery/"+url.PathEscape(deliveryID)+"/replay"), nil)
}

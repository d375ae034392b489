package httpapi

import (
	"net/http"

	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/webhooks"
)

// webhookRoutes registers the operations on webhooks.
func (a *api) webhookRoutes(s *endpoint.Set) {
	h := webhooks.Handlers{Service: a.Webhooks}
	form := &endpoint.Body{MediaType: endpoint.JSON, Limit: jsonLimit}
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/webhook", Tag: "webhook", ID: "add-webhook",
		Summary: "Make a webhook",
		About: "An address that is told of the ends of those of your jobs that name it. Only this answer shows the secret that " +
			"signs what is sent, by the [Standard Webhooks](https://www.standardwebhooks.com) convention: the headers `webhook-id`, " +
			"`webhook-timestamp` and `webhook-signature`. Private addresses are refused, and redirects are not followed.",
		Body: form, Status: http.StatusCreated, Errors: []int{409}}, h.Add)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/webhook", Tag: "webhook", ID: "webhooks", Summary: "List your webhooks"},
		h.List)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/webhook/{id}", Tag: "webhook", ID: "webhook", Summary: "Get a webhook",
		About: "notice says why the service has disabled it: nothing has worked for three days, or it answered 410."}, h.One)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/webhook/{id}", Tag: "webhook", ID: "change-webhook",
		Summary: "Change a webhook, enable it or give it a new secret",
		About: "What is missing stays. While it is disabled its deliveries wait. After rotate only this answer shows the new secret; the " +
			"one before it signs, too, for 24 hours.", Body: form}, h.Change)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/webhook/{id}", Tag: "webhook", ID: "delete-webhook",
		Summary: "Delete a webhook", About: "With its deliveries."}, h.Remove)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/webhook/{id}/delivery", Tag: "webhook", ID: "deliveries",
		Summary: "List deliveries of a webhook",
		About: "Newest first, with what became of the last try. A delivery is tried 11 times within about a day, until it is " +
			"answered with a status of 2xx, and kept for 30 days. It may arrive twice, with the same webhook-id."}, h.Deliveries)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/webhook/{id}/delivery/{delivery}/replay", Tag: "webhook",
		ID: "replay-delivery", Summary: "Send a delivery again", About: "With the same webhook-id, and all its tries.", Errors: []int{409}},
		h.Replay)
}

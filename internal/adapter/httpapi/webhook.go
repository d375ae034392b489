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
		Summary: "Create a webhook",
		About: "The service notifies the address when a job that names the webhook ends. Only this answer shows the secret that " +
			"signs the requests, as in [Standard Webhooks](https://www.standardwebhooks.com), with the headers `webhook-id`, " +
			"`webhook-timestamp` and `webhook-signature`. Private addresses are refused, and redirects are not followed.",
		Body: form, Status: http.StatusCreated, Errors: []int{409}}, h.Add)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/webhook", Tag: "webhook", ID: "webhooks", Summary: "List your webhooks"},
		h.List)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/webhook/{id}", Tag: "webhook", ID: "webhook", Summary: "Get a webhook",
		About: "notice says why the service disabled it: all deliveries failed for three days, or it answered 410."}, h.One)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/webhook/{id}", Tag: "webhook", ID: "change-webhook",
		Summary: "Change a webhook, enable it or rotate its secret",
		About: "Missing fields stay unchanged. Deliveries wait while the webhook is disabled. With rotate, only this answer shows the " +
			"new secret; the previous one also signs for 24 hours.", Body: form}, h.Change)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/webhook/{id}", Tag: "webhook", ID: "delete-webhook",
		Summary: "Delete a webhook", About: "Deletes its deliveries, too."}, h.Remove)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/webhook/{id}/delivery", Tag: "webhook", ID: "deliveries",
		Summary: "List deliveries of a webhook",
		About: "Newest first, with the result of the last try. A delivery is tried up to 11 times within about a day, until the answer " +
			"has a 2xx status, and is kept for 30 days. It may arrive twice, with the same webhook-id."}, h.Deliveries)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/webhook/{id}/delivery/{delivery}/replay", Tag: "webhook",
		ID: "replay-delivery", Summary: "Send a delivery again", About: "Sends it with the same webhook-id, and with all tries " +
			"again.", Errors: []int{409}},
		h.Replay)
}

// Package limits has the operations of the API on limits of users.
package limits

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/limit"
)

// Register registers the operations.
func Register(s *endpoint.Set, service *limit.Service) {
	h := handlers{service}
	const path = endpoint.Base + "/admin/user/{id}/limits"
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + endpoint.Base + "/user/limits", Tag: "user", ID: "limits",
		Summary: "Get your limits",
		About:   "Returns your limits and your current usage."}, h.mine)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + path, Tag: "admin", ID: "user-limits", Summary: "Get the limits of a user",
		About: "Returns the limits and the current usage of the user."}, h.of)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + path, Tag: "admin", ID: "set-limits", Summary: "Set limits of a user",
		About: "A missing limit stays unchanged; null restores the default of the service; 0 is no limit. Users who exceed a new limit " +
			"keep what they have. Administrators have limits, too, and may set their own.",
		Body: &endpoint.Body{MediaType: endpoint.JSON, Limit: 10_000}}, h.set)
}

type handlers struct{ service *limit.Service }

// userPath names a user.
type userPath struct {
	ID int64 `path:"id" minimum:"1" example:"42"`
}

func view(s limit.Standing) *endpoint.One[client.Limits] {
	one := func(allowed, used int64, own *int64) client.Limit {
		return client.Limit{Allowed: allowed, Used: used, Own: own != nil}
	}
	return endpoint.Answer(client.Limits{Images: one(s.Limits.Images, s.Use.Images, s.Own.Images),
		Bytes:       one(s.Limits.Bytes, s.Use.Bytes, s.Own.Bytes),
		QueuedItems: one(s.Limits.Queued, s.Use.Queued, s.Own.Queued), ItemsADay: one(s.Limits.Items, s.Items, s.Own.Items)})
}

func (h handlers) mine(ctx context.Context, c *endpoint.Call, _ *endpoint.None) (*endpoint.One[client.Limits], error) {
	s, err := h.service.Mine(ctx, c.Actor())
	return view(s), err
}

func (h handlers) of(ctx context.Context, c *endpoint.Call, in *userPath) (*endpoint.One[client.Limits], error) {
	s, err := h.service.Of(ctx, c.Actor(), in.ID)
	return view(s), err
}

// form is client.LimitsForm as it comes in.
type form struct {
	Images      change `json:"images,omitempty" example:"5000" doc:"Maximum number of documents."`
	Bytes       change `json:"bytes,omitempty" example:"10000000000" doc:"Maximum number of bytes of all files together."`
	QueuedItems change `json:"queued_items,omitempty" example:"2000" doc:"Maximum number of waiting items of jobs."`
	ItemsADay   change `json:"items_a_day,omitempty" example:"10000" doc:"Maximum number of items put into jobs within 24 hours."`
}

func (h handlers) set(ctx context.Context, c *endpoint.Call, in *userPath, f form) (*endpoint.One[client.Limits], error) {
	s, err := h.service.Set(ctx, c.Actor(), in.ID, limit.Changes{Images: limit.Change(f.Images), Bytes: limit.Change(f.Bytes),
		Queued: limit.Change(f.QueuedItems), Items: limit.Change(f.ItemsADay)})
	return view(s), err
}

// change is a limit.Change as it is written: a whole number or null.
type change limit.Change

// UnmarshalJSON reads it.
func (c *change) UnmarshalJSON(data []byte) error {
	c.Set, c.To = true, nil
	if string(data) == "null" {
		return nil
	}
	n, ok := endpoint.WholeNumber(data)
	if !ok {
		return endpoint.Reason("a whole number, 0 for no limit, or null for that of the configuration")
	}
	c.To = &n
	return nil
}

// Schema tells huma how it is written.
func (change) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Nullable: true, Minimum: new(0.0), Maximum: new(float64(limit.Most))}
}

package httpapi

import (
	"context"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

type hitList struct {
	Link string       `header:"Link" doc:"rel next if there may be more hits. A list may be shorter than the limit, or empty, even then."`
	Body []client.Hit `nullable:"false"`
}

func (a *api) search(ctx context.Context, c *endpoint.Call, in *struct {
	Q         string `query:"q" required:"true" minLength:"1" maxLength:"200" example:"계약서 1,234.50" doc:"Words, at most 20, with at least a letter or a digit."`
	Limit     int    `query:"limit" default:"20" minimum:"1" maximum:"100" doc:"The maximum number of hits."`
	Confirmed string `query:"confirmed" enum:"true,false" doc:"true: only confirmed regions. false: only others. Missing: all regions, and names of images."`

	Before int64 `query:"before" minimum:"1" doc:"Only hits after the one with this id."`
}) (*hitList, error) {
	query := recognition.Query{Text: in.Q, Limit: in.Limit, Before: in.Before}
	if in.Confirmed != "" {
		confirmed := in.Confirmed == "true"
		query.Confirmed = &confirmed
	}
	hits, next, err := a.Recognition.Search(ctx, c.Actor(), query)
	out := &hitList{Body: wire.All(hits, wire.Hit)}
	if next != 0 {
		out.Link = c.Link("next", "before", next)
	}
	return out, err
}

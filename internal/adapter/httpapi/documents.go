package httpapi

import (
	"context"
	"net/http"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/recognition"
)

// recognizePages reads several pages of a document.
func (a *api) recognizePages(ctx context.Context, c *endpoint.Call, image int64, pages string, request recognition.Request) (
	*recognized, error) {
	ranges, err := recognition.ParsePageRanges("pages", pages)
	if err != nil {
		return nil, err
	}
	if later(c) {
		return a.recognizeLater(ctx, c, image, request, func(i document.Image) job.Order {
			return job.Order{Documents: []int64{i.Document}, Pages: ranges}
		})
	}
	runs, err := a.Recognition.RecognizePages(ctx, c.Actor(), image, ranges, request)
	if err != nil {
		return nil, err
	}
	answer := make([]client.PageRun, len(runs))
	for i, r := range runs {
		answer[i] = client.PageRun{ImageID: r.ImageID, Page: r.Number}
		if r.Err != nil {
			answer[i].Error = c.PartFailure(r.Err)
		} else {
			answer[i].Version = &runs[i].Version
		}
	}
	return &recognized{Status: http.StatusOK, Body: contentsOrJob{answer}}, nil
}

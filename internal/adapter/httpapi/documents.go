package httpapi

import (
	"context"
	"net/http"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
)

// recognizePages reads several pages of a document. It returns what went wrong with pages, too.
func (a *api) recognizePages(ctx context.Context, c *endpoint.Call, image int64, pages string, request recognition.Request) (
	*recognized, []once.Effect, error) {
	ranges, err := recognition.ParsePageRanges("pages", pages)
	if err != nil {
		return nil, nil, err
	}
	if later(c) {
		out, err := a.recognizeLater(ctx, c, image, request, func(i document.Image) job.Order {
			return job.Order{Documents: []int64{i.Document}, Pages: ranges}
		})
		return out, nil, err
	}
	runs, err := a.Recognition.RecognizePages(ctx, c.Actor(), image, ranges, request)
	if err != nil {
		return nil, nil, err
	}
	var made, failed []once.Effect
	for _, r := range runs {
		e := once.Effect{Image: r.ImageID, Page: r.Number, Version: r.Version}
		if r.Err != nil {
			failure := c.PartFailure(r.Err)
			e.Code, e.Detail = failure.Code, failure.Detail
			failed = append(failed, e)
		}
		made = append(made, e)
	}
	return answerPages(made), failed, nil
}

// answerPages answers a recognition of pages.
func answerPages(made []once.Effect) *recognized {
	answer := make([]client.PageRun, len(made))
	for i, e := range made {
		answer[i] = client.PageRun{ImageID: e.Image, Page: e.Page}
		if e.Code != "" {
			answer[i].Error = &client.Failure{Code: e.Code, Detail: e.Detail}
		} else {
			answer[i].Version = &made[i].Version
		}
	}
	return &recognized{Status: http.StatusOK, Body: contentsOrJob{answer}}
}

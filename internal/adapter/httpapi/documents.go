package httpapi

import (
	"context"
	"net/http"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/recognition"
)

// recognizePages reads several pages of a document.
func (a *api) recognizePages(ctx context.Context, c *call, image int64, pages string, request recognition.Request) (*recognized, error) {
	ranges, err := recognition.ParsePageRanges("pages", pages)
	if err != nil {
		return nil, err
	}
	if c.later() {
		return a.recognizeLater(ctx, c, image, request, func(i document.Image) job.Order {
			return job.Order{Documents: []int64{i.Document}, Pages: ranges}
		})
	}
	runs, err := a.Recognition.RecognizePages(ctx, c.actor, image, ranges, request)
	if err != nil {
		return nil, err
	}
	answer := make([]client.PageRun, len(runs))
	for i, r := range runs {
		answer[i] = client.PageRun{ImageID: r.ImageID, Page: r.Number}
		if r.Err != nil {
			answer[i].Error = c.pageFailure(r.Err)
		} else {
			answer[i].Version = &runs[i].Version
		}
	}
	return &recognized{Status: http.StatusOK, Body: contentsOrJob{answer}}, nil
}

// pageFailure is what the client is told of an error of one page. What is no fault of the client's is noted for the log line.
func (c *call) pageFailure(err error) *client.Failure {
	code, cause := c.code, c.cause
	p := c.fail(err)
	if p.Status < http.StatusInternalServerError {
		c.code, c.cause = code, cause
	}
	detail := p.Detail
	for _, f := range p.Errors {
		detail += " " + f.Field + ": " + f.Detail + "."
	}
	return &client.Failure{Code: p.Code, Detail: capped(detail)}
}

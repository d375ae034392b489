package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/jobs"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/recognition"
)

// Actor and Link make a call a caller for the packages below.

func (c *call) Actor() account.Actor { return c.actor }

// Link leads to the same list with one parameter changed.
func (c *call) Link(rel, name, value string) string { return c.linkTo(rel, name, value) }

// called makes a handler of one of a package below.
func called[I, O any](h func(ctx context.Context, c jobs.Caller, in *I) (*O, error)) handler[I, O] {
	return func(ctx context.Context, c *call, in *I) (*O, error) { return h(ctx, c, in) }
}

// jobRoutes registers the operations on jobs.
func (a *api) jobRoutes() {
	h := jobs.Handlers{Service: a.Jobs}
	handleJSON(a, route{pattern: "POST " + base + "/job", tag: "job", id: "add-job", summary: "Read many images in the background",
		about: "Answers at once with a job, which runs whatever happens. An item of it is one image, or one page of a document; each " +
			"that is read gets a version. The regions are read of each; without regions, its whole page.",
		body: &body{mediaType: mediaTypeJSON, limit: textLimit}, status: http.StatusAccepted, errors: []int{429},
		timeout: a.RecognitionTimeout}, a.addJob)
	handle(a, route{pattern: "GET " + base + "/job", tag: "job", id: "jobs", summary: "List your jobs", about: "Newest first."},
		called(h.Jobs))
	handle(a, route{pattern: "GET " + base + "/job/{id}", tag: "job", id: "job", summary: "Get a job",
		about: "It is failed only if all its items failed."}, called(h.Job))
	handle(a, route{pattern: "GET " + base + "/job/{id}/item", tag: "job", id: "items", summary: "List the items of a job",
		about: "By number, the last first."},
		called(h.Items))
	handle(a, route{pattern: "GET " + base + "/job/{id}/events", tag: "job", id: "job-events", summary: "Follow a job",
		about: "Server-sent events: `item` with an item that changed, `progress` with the job, `end` with the job when it has ended, " +
			"after which the stream ends. Last-Event-ID resumes, on any node.",
		gives: []string{"text/event-stream"}, streams: true}, a.jobEvents)
	handle(a, route{pattern: "POST " + base + "/job/{id}/retry", tag: "job", id: "retry-job", summary: "Run again what failed",
		about: "Items that failed or were cancelled are queued again.", errors: []int{409}}, called(h.Retry))
	handle(a, route{pattern: "DELETE " + base + "/job/{id}", tag: "job", id: "cancel-job", summary: "Cancel a job",
		about: "It is cancelled at once. Items that have begun still end. What was read stays."}, called(h.Cancel))
	handle(a, route{pattern: "GET " + base + "/admin/dead", tag: "admin", id: "dead", summary: "List dead items of jobs",
		about: "Items that broke the service three times. Newest job first."}, called(h.Dead))
	handle(a, route{pattern: "POST " + base + "/admin/dead/{id}/replay", tag: "admin", id: "replay", summary: "Run a dead item again"},
		called(h.Replay))
}

func (a *api) jobEvents(ctx context.Context, c *call, in *struct {
	jobs.Path
	LastEventID string `header:"Last-Event-ID" maxLength:"40" doc:"The id of the last event that you have seen. The stream goes on after it."`
}) (*stream, error) {
	s, err := jobs.Handlers{Service: a.Jobs}.Events(ctx, c, in.ID, in.LastEventID)
	if err != nil {
		return nil, err
	}
	return a.events(ctx, c, s)
}

// regionsField is a list of regions within a body.
type regionsField struct{ text json.RawMessage }

func (r *regionsField) UnmarshalJSON(data []byte) error {
	r.text = bytes.Clone(data)
	return nil
}

// Schema tells huma what the entries are.
func (regionsField) Schema(r huma.Registry) *huma.Schema { return regionForms{}.Schema(r) }

// jobForm is what to read in the background, and how.
type jobForm struct {
	ImageIDs []int64 `json:"image_ids,omitempty" nullable:"false" maxItems:"100000" example:"[42,43]" doc:"The images to read, each once. Images and pages are at most 100000."`

	Documents []int64 `json:"documents,omitempty" nullable:"false" maxItems:"100000" doc:"The documents whose pages to read, each once, by the ids of their first pages."`
	Pages     string  `json:"pages,omitempty" maxLength:"10000" doc:"The pages of each document, such as 2-5,9. Missing: all."`

	Regions  regionsField `json:"regions,omitempty" doc:"What to read of each image. Missing or empty: the whole page."`
	Lang     languages    `json:"lang,omitempty" doc:"Languages, as \"kor+eng\" or as a list. Missing: eng."`
	PSM      mode         `json:"psm,omitempty" doc:"Page segmentation mode: 1, 3–13 or \"auto\"."`
	OEM      *int         `json:"oem,omitempty" minimum:"0" maximum:"3" doc:"Engine mode. Missing: 3."`
	Rotate   rotation     `json:"rotate,omitempty" doc:"How far the text is turned clockwise on the page, in degrees, or \"auto\"."`
	Effort   string       `json:"effort,omitempty" enum:"fast,balanced,accurate" doc:"How much is done for each region. Missing: as the service is configured."`
	Source   string       `json:"source,omitempty" enum:"auto,text,ocr" doc:"Where the text comes from: the text layer of a PDF, the engine, or whichever is right. Missing: auto."`
	Priority string       `json:"priority,omitempty" enum:"low,normal,high" doc:"Among your own jobs. Missing: normal."`
}

func (f jobForm) order() (o job.Order, err error) {
	o.Images, o.Documents = f.ImageIDs, f.Documents
	if o.Pages, err = recognition.ParsePageRanges("pages", f.Pages); err != nil {
		return o, err
	}
	o.Request = recognition.Request{Lang: f.Lang, Shape: recognition.Shape(f.PSM), Mode: recognition.BestMode,
		Rotate: recognition.Rotate(f.Rotate),
		Effort: recognition.Effort(f.Effort), Source: recognition.Source(f.Source)}
	if f.OEM != nil {
		o.Request.Mode = recognition.Mode(*f.OEM)
	}
	if o.Priority, err = jobs.Priority(f.Priority); err != nil {
		return o, err
	}
	var regions regionForms
	err = regions.decode(f.Regions.text)
	o.Request.Regions = regions
	return o, err
}

func (a *api) addJob(ctx context.Context, c *call, _ *none, form jobForm) (*jobs.Accepted, error) {
	order, err := form.order()
	if err != nil {
		return nil, err
	}
	return a.submit(ctx, c, order)
}

func (a *api) submit(ctx context.Context, c *call, order job.Order) (*jobs.Accepted, error) {
	for i, r := range order.Request.Regions {
		if r.Content != "" {
			return nil, fault.InvalidFields(fault.Field{Field: fmt.Sprintf("regions[%d].content", i), Detail: "not in a job"})
		}
	}
	j, err := a.Jobs.Submit(ctx, c.actor, order)
	if err != nil {
		return nil, err
	}
	return jobs.Accept(j, c.base+base), nil
}

// later tells whether the client wants an answer before the work is done.
func (c *call) later() bool {
	for _, value := range c.r.Header.Values("Prefer") {
		for preference := range strings.SplitSeq(value, ",") {
			name, _, _ := strings.Cut(preference, ";")
			if strings.EqualFold(strings.TrimSpace(name), "respond-async") {
				return true
			}
		}
	}
	return false
}

// recognizeLater makes a job of a request on an image; order says what is to be read of it.
func (a *api) recognizeLater(ctx context.Context, c *call, id int64, request recognition.Request,
	order func(document.Image) job.Order) (*recognized, error) {
	if request.Into != 0 {
		return nil, fault.InvalidFields(fault.Field{Field: "into", Detail: "not with Prefer: respond-async"})
	}
	image, err := a.Images.Image(ctx, c.actor, id) // which the path names, so that it is 404 as always
	if err != nil {
		return nil, err
	}
	o := order(image)
	o.Request = request
	made, err := a.submit(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return &recognized{Status: http.StatusAccepted, Location: made.Location, Applied: "respond-async", Body: contentsOrJob{made.Body}}, nil
}

// contentsOrJob is what POST /image/{id}/ocr answers: contents, runs of pages or, where it is later, a job.
type contentsOrJob struct{ value any }

// MarshalJSON writes what is answered.
func (v contentsOrJob) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := writeJSON(&b, v.value)
	return b.Bytes(), err
}

// Schema tells huma what is answered with the status 200.
func (contentsOrJob) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[client.Content](), true, "")},
		{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[client.PageRun](), true, ""), Description: "If pages are asked for."},
	}}
}

// documentLater adds to the document that an operation answers with a job where the client prefers that.
func (a *api) documentLater(r route) {
	op := a.documented(r)
	op.Responses["202"] = &huma.Response{Description: "With `Prefer: respond-async`: the job that reads it.",
		Headers: map[string]*huma.Header{
			"Location": {Description: "The path of the job.", Schema: &huma.Schema{Type: huma.TypeString}}},
		Content: map[string]*huma.MediaType{mediaTypeJSON: {Schema: schemaOf[client.Job](a)}}}
}

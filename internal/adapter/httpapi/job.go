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
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/jobs"
	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
)

// jobRoutes registers the operations on jobs.
func (a *api) jobRoutes(s *endpoint.Set) {
	h := jobs.Handlers{Service: a.Jobs}
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/job", Tag: "job", ID: "add-job",
		Summary: "Read many images in the background",
		About: "Returns a job at once and runs it in the background, even if a node stops. Each item of the job is an image or a page of " +
			"a document, and gets a new version when it is read. The job reads the given regions of each item, or the whole page if " +
			"there are none.",
		Body: &endpoint.Body{MediaType: endpoint.JSON, Limit: textLimit}, Status: http.StatusAccepted, Errors: []int{409, 429},
		Timeout: a.RecognitionTimeout}, a.addJob)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/job", Tag: "job", ID: "jobs",
		Summary: "List your jobs", About: "Newest first. Ended jobs are listed for 90 days, unless the service is configured otherwise."},
		h.Jobs)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/job/{id}", Tag: "job", ID: "job", Summary: "Get a job",
		About: "Its state is failed only if all its items failed."}, h.Job)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/job/{id}/item", Tag: "job", ID: "items",
		Summary: "List the items of a job",
		About:   "By number, highest first."},
		h.Items)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/job/{id}/events", Tag: "job", ID: "job-events", Summary: "Follow a job",
		About: "Server-sent events. `item` has an item that changed, `progress` the job, and `end` the job when it has ended; then the " +
			"stream ends. Last-Event-ID resumes the stream, on any node.",
		Gives: []string{sse.MediaType}, Streams: true}, a.jobEvents)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/job/{id}/retry", Tag: "job", ID: "retry-job",
		Summary: "Retry the failed items of a job",
		About:   "Queues the items that failed or were cancelled again.", Errors: []int{409, 429}}, h.Retry)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/job/{id}", Tag: "job", ID: "cancel-job", Summary: "Cancel a job",
		About: "Cancels all items that have not started. Running items end normally, and results are kept."}, h.Cancel)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/admin/dead", Tag: "admin", ID: "dead", Summary: "List dead items of jobs",
		About: "Items that broke the service three times. Newest job first."}, h.Dead)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/admin/dead/{id}/replay", Tag: "admin", ID: "replay",
		Summary: "Run a dead item again"},
		h.Replay)
}

func (a *api) jobEvents(ctx context.Context, c *endpoint.Call, in *struct {
	jobs.Path
	LastEventID string `header:"Last-Event-ID" maxLength:"40" doc:"The id of the last event that you have seen. The stream continues after it."`
}) (*endpoint.Stream, error) {
	s, err := jobs.Handlers{Service: a.Jobs}.Events(ctx, c, in.ID, in.LastEventID)
	if err != nil {
		return nil, err
	}
	return c.Events(ctx, s)
}

// regionsField is a list of regions within a body.
type regionsField struct{ text json.RawMessage }

func (r *regionsField) UnmarshalJSON(data []byte) error {
	r.text = bytes.Clone(data)
	return nil
}

// Schema describes the entries to huma.
func (regionsField) Schema(r huma.Registry) *huma.Schema { return regionForms{}.Schema(r) }

// jobForm is what to read in the background, and how.
type jobForm struct {
	ImageIDs []int64 `json:"image_ids,omitempty" nullable:"false" maxItems:"100000" example:"[42,43]" doc:"The images to read, each once. At most 100000 images and pages in all."`

	Documents []int64 `json:"documents,omitempty" nullable:"false" maxItems:"100000" doc:"The documents whose pages to read, each once, by the ids of their first pages."`
	Pages     string  `json:"pages,omitempty" maxLength:"10000" doc:"The pages of each document, such as 2-5,9. Missing: all."`

	Regions  regionsField `json:"regions,omitempty" doc:"What to read of each image. Missing or empty: the whole page."`
	Lang     languages    `json:"lang,omitempty" doc:"Languages, as \"kor+eng\" or as a list; auto: detected. Missing: eng."`
	PSM      mode         `json:"psm,omitempty" doc:"Page segmentation mode: 1, 3–13 or \"auto\"."`
	OEM      *int         `json:"oem,omitempty" minimum:"0" maximum:"3" doc:"Engine mode. Missing: 3."`
	Rotate   rotation     `json:"rotate,omitempty" doc:"Clockwise rotation of the text on the page, in degrees, or \"auto\"."`
	Effort   string       `json:"effort,omitempty" enum:"fast,balanced,accurate" doc:"How much work is done for each region. Missing: the default of the service."`
	Source   string       `json:"source,omitempty" enum:"auto,text,ocr" doc:"Source of the text. text: the text layer of a PDF. ocr: recognition. auto: the text layer where it can be trusted. Missing: auto."`
	Priority string       `json:"priority,omitempty" enum:"low,normal,high" doc:"Priority among your own jobs. Missing: normal."`
	Webhook  *int64       `json:"webhook,omitempty" nullable:"false" minimum:"1" example:"7" doc:"The number of a webhook of yours to notify when the job ends. Missing: none."`
}

func (f jobForm) order() (o job.Order, err error) {
	o.Images, o.Documents = f.ImageIDs, f.Documents
	if f.Webhook != nil {
		if o.Webhook = *f.Webhook; o.Webhook < 1 {
			return o, fault.InvalidFields(fault.Field{Field: "webhook", Detail: "a webhook of yours"})
		}
	}
	if o.Pages, err = recognition.ParsePageRanges("pages", f.Pages); err != nil {
		return o, err
	}
	o.Request = recognition.Request{Lang: f.Lang, Shape: recognition.Shape(f.PSM), Mode: recognition.BestMode,
		Rotate: recognition.Rotate(f.Rotate), Effort: recognition.Effort(f.Effort), Source: recognition.Source(f.Source)}
	if f.OEM != nil {
		o.Request.Mode = recognition.Mode(*f.OEM)
	}
	if o.Priority, err = jobs.Priority(f.Priority); err != nil {
		return o, err
	}
	var regions regionForms
	err = regions.Decode(f.Regions.text)
	o.Request.Regions = regions
	return o, err
}

func (a *api) addJob(ctx context.Context, c *endpoint.Call, _ *OnceHeader, form jobForm) (*jobs.Accepted, error) {
	order, err := form.order()
	if err != nil {
		return nil, err
	}
	return doOnce(ctx, a, c, order, !inParts, func(ctx context.Context, claim once.Claim) (*jobs.Accepted, []once.Effect, error) {
		order.Once = claim
		accepted, err := a.submit(ctx, c, order)
		return accepted, nil, err
	}, func(ctx context.Context, made []once.Effect) (*jobs.Accepted, error) {
		j, err := a.Jobs.Job(ctx, c.Actor(), made[0].Job)
		return jobs.Accept(j, c.Outside(base)), err
	})
}

func (a *api) submit(ctx context.Context, c *endpoint.Call, order job.Order) (*jobs.Accepted, error) {
	for i, r := range order.Request.Regions {
		if r.Content != "" {
			return nil, fault.InvalidFields(fault.Field{Field: fmt.Sprintf("regions[%d].content", i), Detail: "not in a job"})
		}
	}
	j, err := a.Jobs.Submit(ctx, c.Actor(), order)
	if err != nil {
		return nil, err
	}
	return jobs.Accept(j, c.Outside(base)), nil
}

// later tells whether the client wants an answer before the work is done.
func later(c *endpoint.Call) bool {
	for _, value := range c.Request().Header.Values("Prefer") {
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
func (a *api) recognizeLater(ctx context.Context, c *endpoint.Call, id int64, request recognition.Request,
	order func(document.Image) job.Order) (*recognized, error) {
	if request.Into != 0 {
		return nil, fault.InvalidFields(fault.Field{Field: "into", Detail: "not with Prefer: respond-async"})
	}
	image, err := a.Images.Image(ctx, c.Actor(), id) // which the path names, so that it is 404 as always
	if err != nil {
		return nil, err
	}
	o := order(image)
	o.Request, o.Once = request, request.Once
	accepted, err := a.submit(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return answerLater(accepted), nil
}

// answerLater answers a recognition with a job.
func answerLater(job *jobs.Accepted) *recognized {
	return &recognized{Status: http.StatusAccepted, Location: job.Location, Applied: "respond-async", Body: contentsOrJob{job.Body}}
}

// contentsOrJob is what POST /image/{id}/ocr answers: contents, runs of pages or, where it is later, a job.
type contentsOrJob struct{ value any }

// MarshalJSON encodes the answer.
func (v contentsOrJob) MarshalJSON() ([]byte, error) { return endpoint.Encode(v.value) }

// Schema describes the answer with status 200 to huma.
func (contentsOrJob) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[client.Content](), true, "")},
		{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[client.PageRun](), true, ""), Description: "If the request has pages."},
	}}
}

package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// JobForm says what to read in the background.
type JobForm struct {
	ImageIDs  []int64  `json:"image_ids,omitempty"` // each once
	Documents []int64  `json:"documents,omitempty"` // each once, by the ID of its first page; all their pages are read as well
	Pages     string   `json:"pages,omitempty"`     // of each document, such as 2-5,9; empty: all
	Regions   []Region `json:"regions,omitempty"`   // of each image and page; none: its whole page
	Lang      []string `json:"lang,omitempty"`      // "auto": by what is written; none: eng
	PSM       int      `json:"psm,omitempty"`       // page segmentation mode; 0: automatic
	OEM       *int     `json:"oem,omitempty"`       // engine mode; nil: the best available
	Rotate    string   `json:"rotate,omitempty"`    // "0", "90", "180" or "270"; empty: the service finds out
	Effort    string   `json:"effort,omitempty"`    // "fast", "balanced" or "accurate"; empty: as the service is configured
	Priority  string   `json:"priority,omitempty"`  // among one's own jobs: "low", "normal" or "high"; empty: normal
	Webhook   int64    `json:"webhook,omitempty"`   // that is told of its end; 0: none is
}

// AddJob has images and documents read in the background.
func (c Client) AddJob(ctx context.Context, form JobForm) (Job, error) {
	return send[Job](ctx, c, http.MethodPost, "/job", form)
}

// RecognizeLater is Recognize in the background.
func (c Client) RecognizeLater(ctx context.Context, id int64, request Request) (Job, error) {
	regions := request.Regions
	if regions == nil {
		regions = []Region{}
	}
	b, err := json.Marshal(regions)
	if err != nil {
		return Job{}, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Prefer": {"respond-async"}}
	job, _, err := decode[Job](c.Do(ctx, http.MethodPost, basePath+imagePath(id, "/ocr")+encoded(request.query()), header,
		strings.NewReader(string(b))))
	return job, err
}

// Jobs returns the user's jobs, newest first: at most size, at most 100, and only those older than that job where it is not empty.
func (c Client) Jobs(ctx context.Context, before string, size int) ([]Job, error) {
	query := url.Values{}
	set(query, "size", size)
	set(query, "before", before)
	return get[[]Job](ctx, c, "/job", query)
}

func jobPath(id, rest string) string { return "/job/" + url.PathEscape(id) + rest }

// Job returns a job.
func (c Client) Job(ctx context.Context, id string) (Job, error) {
	return get[Job](ctx, c, jobPath(id, ""), nil)
}

// JobItems returns items of a job by number, the last first: at most size, at most 100, only those before that number where it is not 0,
// and only those in that state where it is not empty.
func (c Client) JobItems(ctx context.Context, id, state string, before, size int) ([]JobItem, error) {
	query := url.Values{}
	set(query, "before", before)
	set(query, "size", size)
	set(query, "state", state)
	return get[[]JobItem](ctx, c, jobPath(id, "/item"), query)
}

// RetryJob runs again what has failed of a job, or was cancelled.
func (c Client) RetryJob(ctx context.Context, id string) (Job, error) {
	return send[Job](ctx, c, http.MethodPost, jobPath(id, "/retry"), nil)
}

// CancelJob cancels what has not begun of a job.
func (c Client) CancelJob(ctx context.Context, id string) error {
	return tell(ctx, c, http.MethodDelete, jobPath(id, ""), nil)
}

// DeadItems returns items that broke the service, newest job first. For administrators.
func (c Client) DeadItems(ctx context.Context, before string, size int) ([]JobItem, error) {
	query := url.Values{}
	set(query, "size", size)
	set(query, "before", before)
	return get[[]JobItem](ctx, c, "/admin/dead", query)
}

// ReplayItem runs a dead item again. For administrators.
func (c Client) ReplayItem(ctx context.Context, id string) error {
	return tell(ctx, c, http.MethodPost, "/admin/dead/"+url.PathEscape(id)+"/replay", nil)
}

// JobEvent is something that happened to a job: an item that changed, or the job as it is.
type JobEvent struct {
	ID   string // to go on after it
	Name string // "item", "progress" or "end", which is the last one
	Item JobItem
	Job  Job // of progress and end
}

// ErrStreamEnded is the error of FollowJob where the service ended the stream before the job did. Follow it again after the last event.
var ErrStreamEnded = errors.New("the stream of events has ended early")

// FollowJob calls event for each event of a job after the one with that ID, or from the first on where it is empty, until the job ends or
// event returns an error.
func (c Client) FollowJob(ctx context.Context, id, after string, event func(JobEvent) error) error {
	header := http.Header{"Accept": {"text/event-stream"}}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	r, err := c.Do(ctx, http.MethodGet, basePath+jobPath(id, "/events"), header, nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	e, data := JobEvent{}, ""
	lines := bufio.NewReader(r.Body)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return ErrStreamEnded
		}
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			e.ID = value
		case "event":
			e.Name = value
		case "data":
			data = value
		case "": // the event is whole, or it was a comment
			if data == "" {
				continue
			}
			into := any(&e.Job)
			if e.Name == "item" {
				into = &e.Item
			}
			if err := json.Unmarshal([]byte(data), into); err != nil {
				return fmt.Errorf("an event of job %s cannot be decoded: %w", id, err)
			}
			if err := event(e); err != nil || e.Name == "end" {
				return err
			}
			e, data = JobEvent{ID: e.ID}, ""
		}
	}
}

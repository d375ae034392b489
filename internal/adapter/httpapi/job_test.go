package httpapi

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// work runs items of jobs until the test ends.
func (s *site) work() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.runner.Run(ctx, context.Background())
	}()
	s.t.Cleanup(func() {
		stop()
		<-done
	})
}

// follow returns what happens to a job until it ends, as "item 1 running", "progress", "end done".
func (s *site) follow(token, id, after string) (events []client.JobEvent) {
	s.t.Helper()
	c := client.Client{Server: s.url, Token: token}
	if err := c.FollowJob(s.t.Context(), id, after, func(e client.JobEvent) error {
		events = append(events, e)
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return events
}

func TestAJob(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	var ids []string
	for range 3 {
		ids = append(ids, fmt.Sprint(s.image(token).ID))
	}
	list := strings.Join(ids, ".0, ")
	a := s.ask("POST", base+"/job", as(token).with(`{"image_ids": [`+list+`], "lang": "kor+eng", `+
		`"psm": 6, "oem": 3.0, "rotate": 90, "effort": "fast", "priority": "high",
		"regions": [{"x1": 0, "y1": 0, "x2": 20, "y2": 20, "name": "a"}]}`)).want(202)
	made := read[client.Job](a)
	if got := a.header.Get("Location"); got != base+"/job/"+made.ID || made.State != "queued" || made.Total != 3 ||
		made.Priority != "high" {
		t.Fatalf("Location %s, job %+v", got, made)
	}
	s.runner.AtOnce = 1 // so that they end in their order
	s.work()
	events := s.follow(token, made.ID, "")
	end := events[len(events)-1]
	secondEnded := ""
	for _, e := range s.follow(token, made.ID, "") { // now that nothing changes any more
		if e.Name == "item" && e.Item.Number == 2 {
			secondEnded = e.ID
		}
	}
	if end.Name != "end" || end.Job.State != "done" || end.Job.Done != 3 || end.Job.FinishedDatetime == nil {
		t.Errorf("the end is %+v", end)
	}
	items := read[[]client.JobItem](s.ask("GET", base+"/job/"+made.ID+"/item?state=done&size=2", as(token)).want(200))
	if len(items) != 2 || items[0].Number != 3 || items[0].Version == nil || *items[0].Version != 1 {
		t.Errorf("items %+v", items)
	}
	a = s.ask("GET", base+"/job/"+made.ID+"/item?size=2", as(token)).want(200)
	if want := "<" + base + "/job/" + made.ID + "/item?before=2&size=2>; rel=\"next\""; a.header.Get("Link") != want {
		t.Errorf("Link %s, want %s", a.header.Get("Link"), want)
	}
	runs := read[[]client.Run](s.ask("GET", base+"/image/"+ids[1]+"/ocr", as(token)).want(200))
	if d := cmp.Diff([]string{"kor", "eng"}, runs[0].Lang); d != "" || len(runs[0].Contents) != 1 || runs[0].Contents[0].Name != "a" {
		t.Errorf("runs %+v", runs)
	}
	if jobs := read[[]client.Job](s.ask("GET", base+"/job", as(token)).want(200)); len(jobs) != 1 || jobs[0].ID != made.ID {
		t.Errorf("jobs %+v", jobs)
	}

	// A stream that broke off continues after the event that was seen last.
	var numbers []int
	for _, e := range s.follow(token, made.ID, secondEnded) {
		if e.Name == "item" {
			numbers = append(numbers, e.Item.Number)
		}
	}
	if d := cmp.Diff([]int{3}, numbers); d != "" {
		t.Errorf("items after the second has ended (-want +got):\n%s", d)
	}
	if last := s.follow(token, made.ID, end.ID); len(last) != 1 || last[0].Name != "end" {
		t.Errorf("after the end come %+v", last)
	}
	s.ask("GET", base+"/job/"+made.ID+"/events", as(token).head("Last-Event-ID", "x")).want(422).code("invalid_input", "Last-Event-ID")

	s.ask("POST", base+"/job/"+made.ID+"/retry", as(token)).want(409).code("nothing_to_retry")
	s.ask("DELETE", base+"/job/"+made.ID, as(token)).want(204)
	if got := read[client.Job](s.ask("GET", base+"/job/"+made.ID, as(token)).want(200)).State; got != "done" {
		t.Errorf("a job that is done and cancelled then is %s", got)
	}

	_, other := s.user("bob")
	for _, target := range []string{"GET /job/ID", "GET /job/ID/item", "GET /job/ID/events", "POST /job/ID/retry", "DELETE /job/ID"} {
		method, path, _ := strings.Cut(strings.Replace(target, "ID", made.ID, 1), " ")
		s.ask(method, base+path, as(other)).want(404).code("job_not_found")
	}
}

func TestAJobIsCancelled(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	id := s.image(token).ID
	made := read[client.Job](s.ask("POST", base+"/job", as(token).with(fmt.Sprintf(`{"image_ids": [%d]}`, id))).want(202))
	s.ask("DELETE", base+"/job/"+made.ID, as(token)).want(204)
	if end := s.follow(token, made.ID, ""); end[len(end)-1].Job.State != "cancelled" {
		t.Errorf("events %+v", end)
	}
	s.work()
	if got := read[client.Job](s.ask("POST", base+"/job/"+made.ID+"/retry", as(token)).want(200)); got.Queued+got.Running+got.Done != 1 {
		t.Errorf("job %+v", got)
	}
	if end := s.follow(token, made.ID, ""); end[len(end)-1].Job.State != "done" {
		t.Errorf("events %+v", end)
	}
}

func TestJobsAreRefused(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	id := s.image(token).ID
	scan := s.scan(token, 2)
	for body, fields := range map[string][]string{
		`{}`:                     {"image_ids"},
		`{"image_ids": []}`:      {"image_ids"},
		`{"image_ids": "x"}`:     {"image_ids"},
		`{"image_ids": [99999]}`: {"image_ids[0]"},
		`{"documents": [99999]}`: {"documents[0]"},
		fmt.Sprintf(`{"documents": [%d]}`, scan[1].ID):                                             {"documents[0]"},
		fmt.Sprintf(`{"documents": [%d], "pages": "3"}`, scan[0].ID):                               {"pages"},
		fmt.Sprintf(`{"documents": [%d], "pages": "2-1"}`, scan[0].ID):                             {"pages"},
		fmt.Sprintf(`{"image_ids": [%d], "pages": "1"}`, id):                                       {"pages"},
		fmt.Sprintf(`{"image_ids": [%d, %d]}`, id, id):                                             {"image_ids[1]"},
		fmt.Sprintf(`{"image_ids": [%d], "priority": "urgent"}`, id):                               {"priority"},
		fmt.Sprintf(`{"image_ids": [%d], "into": 1}`, id):                                          {"into"},
		fmt.Sprintf(`{"image_ids": [%d], "lang": "xyz"}`, id):                                      {"lang"},
		fmt.Sprintf(`{"image_ids": [%d], "webhook": 0}`, id):                                       {"webhook"},
		`{"image_ids": [1, "x"]}`:                                                                  {"image_ids[1]"},
		fmt.Sprintf(`{"image_ids": [%d], "oem": 9}`, id):                                           {"oem"},
		fmt.Sprintf(`{"image_ids": [%d], "regions": [{"x1": 0, "y1": 0, "x2": 9}]}`, id):           {"regions[0].y2"},
		fmt.Sprintf(`{"image_ids": [%d], "regions": [{"x1": 0, "y1": 0, "x2": 99, "y2": 9}]}`, id): {"regions[0].x2"},
		fmt.Sprintf(`{"image_ids": [%d], "regions": {"x1": 0}}`, id):                               {"regions"},
	} {
		s.ask("POST", base+"/job", as(token).with(body)).want(422).code("invalid_input", fields...)
	}
	for body, reason := range map[string]string{
		`{"regions": {}}`: "a list, [...]",
		`{"lang": [` + strings.Repeat(`"eng",`, 1000) + `"eng"]}`:     "at most 500 characters in all",
		strings.Repeat("[", 10_001):                                   "nested at most 10000 deep",
		strings.Repeat(`{"a":`, 10_001):                               "nested at most 10000 deep",
		`{"a":` + strings.Repeat("[", 9_999) + `{` + `"b":{`:          "nested at most 10000 deep",
		strings.Repeat("[", 10_000) + "}":                             "not valid JSON at byte 10001",
		strings.Repeat("[", 5_001) + strings.Repeat("]", 5_001) + "[": "not valid JSON at byte 10003",
	} {
		if a := s.ask("POST", base+"/job", as(token).with(body)); !strings.Contains(a.body, reason) {
			t.Errorf("%.20s: got %s, want %q in it", body, a.body, reason)
		}
	}
	s.ask("POST", base+"/job", as(token)).want(400).code("body_missing")
	if jobs := read[[]client.Job](s.ask("GET", base+"/job", as(token)).want(200)); len(jobs) != 0 {
		t.Errorf("jobs %+v", jobs)
	}
	s.ask("GET", base+"/job?size=101", as(token)).want(422).code("invalid_input", "size")
	s.ask("GET", base+"/job/x/item?state=lost", as(token)).want(422).code("invalid_input", "state")
}

func TestAJobOfDocuments(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	scan := s.scan(token, 3)
	made := read[client.Job](s.ask("POST", base+"/job", as(token).with(fmt.Sprintf(`{"documents": [%d], "pages": "2-3"}`,
		scan[0].ID))).want(202))
	s.work()
	if end := s.follow(token, made.ID, ""); end[len(end)-1].Job.Done != 2 {
		t.Errorf("events %+v", end)
	}
	for n, i := range scan {
		if runs := read[[]client.Run](s.ask("GET", fmt.Sprintf("%s/image/%d/ocr", base, i.ID), as(token)).want(200)); len(runs) != min(n,
			1) {
			t.Errorf("page %d has %d runs", n+1, len(runs))
		}
	}
}

func TestRespondAsync(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	path := fmt.Sprintf("%s/image/%d/ocr", base, s.image(token).ID)
	q := as(token).with(`[{"x1": 0, "y1": 0, "x2": 20, "y2": 20}]`).head("Prefer", "wait=10, respond-async")
	a := s.ask("POST", path+"?lang=kor", q).want(202)
	made := read[client.Job](a)
	if a.header.Get("Location") != base+"/job/"+made.ID || a.header.Get("Preference-Applied") != "respond-async" ||
		a.header.Get("OCR-Version") != "" {
		t.Errorf("header %v", a.header)
	}
	s.work()
	s.follow(token, made.ID, "")
	if runs := read[[]client.Run](s.ask("GET", path, as(token)).want(200)); len(runs) != 1 || runs[0].Lang[0] != "kor" {
		t.Errorf("runs %+v", runs)
	}
	s.ask("POST", path+"?into=1", q).want(422).code("invalid_input", "into")
	s.ask("POST", path+"?lang=xyz", q).want(422).code("invalid_input", "lang")
	s.ask("POST", base+"/image/9999/ocr", q).want(404).code("image_not_found")
}

func TestRespondAsyncOfPages(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	_, other := s.user("bob")
	small := slices.Repeat([]image.Image{image.NewGray(image.Rect(0, 0, 9, 9))}, 60)
	first := read[client.Image](s.ask("POST", base+"/image", files(token,
		formFile{name: "book.tiff", data: string(porttest.MultiPageTIFF(small...))})).want(201))
	scan := read[[]client.Image](s.ask("GET", fmt.Sprintf("%s/image?size=100&document=%d", base, first.ID), as(token)).want(200))
	path := fmt.Sprintf("%s/image/%d/ocr?pages=", base, scan[9].ID) // of a later page
	all := as(token).head("Prefer", "respond-async")
	a := s.ask("POST", path+"all", all).want(202)
	if made := read[client.Job](a); made.Total != 60 || a.header.Get("Location") != base+"/job/"+made.ID {
		t.Errorf("got %+v", made)
	}
	made := read[client.Job](s.ask("POST", path+"2-3,60", all).want(202))
	items := read[[]client.JobItem](s.ask("GET", base+"/job/"+made.ID+"/item", as(token)).want(200))
	if len(items) != 3 || items[0].ImageID != scan[59].ID || items[2].ImageID != scan[1].ID {
		t.Errorf("items %+v", items)
	}
	s.ask("POST", path+"61", all).want(422).code("invalid_input", "pages")
	s.ask("POST", path+"1-", all).want(422).code("invalid_input", "pages")
	s.ask("POST", path+"all&into=1", all).want(422).code("invalid_input", "into")
	s.ask("POST", path+"all", as(other).head("Prefer", "respond-async")).want(404).code("image_not_found")
}

func TestDeadItems(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	_, admin := s.user("root")
	i := s.image(token)
	poison := document.Box{X2: i.Width, Y2: i.Height}
	s.FailRegion(poison, fault.Failure{Code: recognition.CodeCrashed, Detail: "It broke."})
	made := read[client.Job](s.ask("POST", base+"/job", as(token).with(fmt.Sprintf(`{"image_ids": [%d]}`, i.ID))).want(202))
	s.work()
	if end := s.follow(token, made.ID, ""); end[len(end)-1].Job.State != "failed" {
		t.Errorf("events %+v", end)
	}
	s.ask("GET", base+"/admin/dead", as(token)).want(403).code("admin_only")
	dead := read[[]client.JobItem](s.ask("GET", base+"/admin/dead", as(admin)).want(200))
	if len(dead) != 1 || dead[0].Job != made.ID || dead[0].Tries != 3 || dead[0].Error.Code != recognition.CodeCrashed {
		t.Fatalf("dead %+v", dead)
	}
	s.ask("POST", base+"/admin/dead/"+dead[0].ID+"/replay", as(token)).want(403).code("admin_only")
	s.ask("POST", base+"/admin/dead/"+dead[0].ID+"/replay", as(admin)).want(204)
	if end := s.follow(admin, made.ID, ""); end[len(end)-1].Job.State != "failed" {
		t.Errorf("events %+v", end)
	}
	s.ask("POST", base+"/admin/dead/x/replay", as(admin)).want(404).code("item_not_found")
}

func TestMonitoringOnly(t *testing.T) {
	s := open(t, func(c *Config) { c.Monitoring = true })
	for _, path := range []string{"/ping", "/health", "/ready", "/metrics"} {
		s.ask("GET", path, request{}).want(200)
	}
	for _, path := range []string{"/", "/docs", "/openapi.json", base + "/job/x", base + "/image/1/meta", "/metrics/x"} {
		s.ask("GET", path, request{}).want(404).code("no_such_path")
	}
}

package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
)

// follower reads a stream of what happens to an image.
type follower struct {
	t     *testing.T
	lines *bufio.Reader
	id    string // of the last event
	leave func()
}

func (s *site) followImage(token string, id int64, after string) *follower {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	c := client.Client{Server: s.url, Token: token}
	header := http.Header{}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	r, err := c.Do(ctx, http.MethodGet, fmt.Sprintf("%s/image/%d/events", base, id), header, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	f := &follower{s.t, bufio.NewReader(r.Body), "", func() { cancel(); _ = r.Body.Close() }}
	s.t.Cleanup(f.leave)
	return f
}

// next returns the next event, as "name data"; "" at the end.
func (f *follower) next() (event string) {
	f.t.Helper()
	for {
		line, err := f.lines.ReadString('\n')
		line = strings.TrimSuffix(line, "\n")
		if err != nil && line == "" {
			if err != io.EOF {
				f.t.Fatal(err)
			}
			return ""
		}
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			f.id = value
		case name == "event":
			event = value
		case name == "data":
			event += " " + value
		case line == "" && event != "":
			return event
		}
	}
}

func (f *follower) want(events ...string) {
	f.t.Helper()
	for _, want := range events {
		if got := f.next(); got != want {
			f.t.Fatalf("got the event %s, want %s", got, want)
		}
	}
}

func TestImageEvents(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	i := s.image(ann)
	path := fmt.Sprintf("%s/image/%d", base, i.ID)
	s.ask("GET", path+"/events", as(bob)).want(404)
	s.ask("GET", path+"/events", request{}).want(401)
	s.ask("GET", path+"/events", as(ann).head("Last-Event-ID", "x")).want(422).code("invalid_input", "Last-Event-ID")
	s.ask("PUT", path, as(ann).with(`{"visibility":"shared"}`)).want(200)

	one := s.followImage(ann, i.ID, "")
	one.want(`image {"rotation":0}`, `presence {"users":["ann"]}`)
	two := s.followImage(bob, i.ID, "")
	two.want(`image {"rotation":0}`, `presence {"users":["ann","bob"]}`)
	one.want(`presence {"users":["ann","bob"]}`)
	content := read[[]client.Content](s.ask("POST", path+"/ocr", as(ann).with(`[{"x1":0,"y1":0,"x2":20,"y2":20}]`)).want(200))[0]
	one.want(`run {"version":1}`)
	two.want(`run {"version":1}`)
	seen := two.id
	two.leave()
	one.want(`presence {"users":["ann"]}`)
	s.ask("PUT", base+"/ocr/"+content.ID, as(ann).with(`{"text":"a"}`)).want(200)
	s.ask("DELETE", base+"/ocr/"+content.ID, as(ann)).want(204)
	changed := []string{fmt.Sprintf(`content {"content_id":%q,"version":1,"revision":2,"deleted":false}`, content.ID),
		fmt.Sprintf(`content {"content_id":%q,"version":1,"revision":0,"deleted":true}`, content.ID)}
	one.want(changed...)
	two = s.followImage(bob, i.ID, seen)
	two.want(`image {"rotation":0}`)
	two.want(append(changed, `presence {"users":["ann","bob"]}`)...)
	one.want(`presence {"users":["ann","bob"]}`)
	s.ask("PUT", path, as(ann).with(`{"rotation":90}`)).want(200)
	one.want(`image {"rotation":90}`)
	two.want(`image {"rotation":90}`)

	// Who may see it no longer is told nothing more.
	s.ask("PUT", path, as(ann).with(`{"visibility":"private"}`)).want(200)
	two.want("")
	s.ask("POST", path+"/ocr", as(ann).with(`[{"x1":0,"y1":0,"x2":20,"y2":20}]`)).want(200)
	for got := one.next(); got != `run {"version":2}`; got = one.next() {
		if got == "" {
			t.Fatal("the stream of the owner has ended")
		}
	}
	s.ask("DELETE", path, as(ann)).want(204)
	for got := one.next(); got != ""; got = one.next() {
		if !strings.HasPrefix(got, "presence") {
			t.Errorf("got the event %s of an image that is gone", got)
		}
	}
}

func TestImageEventsAreBounded(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	i := s.image(ann)
	for range endpoint.StreamsOfUser {
		s.followImage(ann, i.ID, "").next()
	}
	s.ask("GET", fmt.Sprintf("%s/image/%d/events", base, i.ID), as(ann)).want(429).code("too_many_streams")
}

package httpapi

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
)

func TestLimits(t *testing.T) {
	s := open(t)
	me, root := s.user("root")
	id, ann := s.user("ann")
	_, bob := s.user("bob")
	of := func(id int64) string { return fmt.Sprintf("%s/admin/user/%d/limits", base, id) }
	mine := func() client.Limits { return read[client.Limits](s.ask("GET", base+"/user/limits", as(ann)).want(200)) }
	put := func(body string) client.Limits {
		t.Helper()
		got := read[client.Limits](s.ask("PUT", of(id), as(root).with(body)).want(200))
		for what, again := range map[string]client.Limits{"the user": mine(),
			"an administrator": read[client.Limits](s.ask("GET", of(id), as(root)).want(200))} {
			if d := cmp.Diff(got, again); d != "" {
				t.Errorf("%s sees (-want +got):\n%s", what, d)
			}
		}
		return got
	}
	want := client.Limits{Images: client.Limit{Allowed: 50}}
	if d := cmp.Diff(want, mine()); d != "" {
		t.Errorf("at first (-want +got):\n%s", d)
	}
	data := page(64, 48)
	i := s.image(ann)
	want.Images = client.Limit{Allowed: 1, Used: 1, Own: true}
	want.Bytes = client.Limit{Allowed: 1_000_000, Used: int64(len(data)), Own: true}
	if d := cmp.Diff(want, put(`{"images":1.0,"bytes":1e6}`)); d != "" {
		t.Errorf("set (-want +got):\n%s", d)
	}
	refused := s.ask("POST", base+"/image", files(ann, formFile{name: "page.png", data: data})).want(507)
	refused.code("too_many_images")
	if d := cmp.Diff(&client.LimitReached{Name: "images", Allowed: 1, Used: 1, Asked: 1}, refused.problem().Limit); d != "" {
		t.Errorf("limit (-want +got):\n%s", d)
	}
	if refused.header.Get("Retry-After") != "" {
		t.Error("who has too many images is told to wait")
	}
	want.Images = client.Limit{Used: 1, Own: true}
	want.Bytes.Allowed = int64(len(data))
	if d := cmp.Diff(want, put(fmt.Sprintf(`{"images":0,"bytes":%d}`, len(data)))); d != "" {
		t.Errorf("set, others staying (-want +got):\n%s", d)
	}
	s.ask("POST", base+"/image", files(ann, formFile{name: "page.png", data: data})).want(507).code("too_many_bytes")
	want.Images, want.Bytes = client.Limit{Allowed: 50, Used: 1}, client.Limit{Used: int64(len(data))}
	if d := cmp.Diff(want, put(`{"images":null,"bytes":null}`)); d != "" {
		t.Errorf("given back (-want +got):\n%s", d)
	}

	// What was sent before is answered as it was, also where there is no room for it any more.
	twice := withKey(files(ann, formFile{name: "page.png", data: data}), "u")
	made := s.ask("POST", base+"/image", twice).want(201)
	put(`{"images":1}`)
	if again := s.ask("POST", base+"/image", twice).want(201); again.body != made.body {
		t.Errorf("the second answer is %s, the first was %s", again.body, made.body)
	}
	s.ask("POST", base+"/image", withKey(files(ann, formFile{name: "page.png", data: data}), "v")).want(507)
	put(`{"images":null}`)

	// Jobs: what is over a limit makes nothing.
	put(`{"items_a_day":2}`)
	second := s.image(ann)
	job := func(ids ...int64) request { return as(ann).with(fmt.Sprintf(`{"image_ids":[%s]}`, joined(ids))) }
	s.ask("POST", base+"/job", job(i.ID)).want(202)
	late := s.ask("POST", base+"/job", job(i.ID, second.ID)).want(429)
	late.code("too_many_items_a_day")
	if seconds, err := strconv.Atoi(late.header.Get("Retry-After")); err != nil || seconds < 23*3600 || seconds > 24*3600 {
		t.Errorf("Retry-After is %q", late.header.Get("Retry-After"))
	}
	third := s.image(ann)
	never := s.ask("POST", base+"/job", job(i.ID, second.ID, third.ID)).want(429)
	if never.header.Get("Retry-After") != "" {
		t.Error("who asks for more than is ever allowed is told to wait")
	}
	async := as(ann)
	async.header = map[string]string{"Prefer": "respond-async", "Idempotency-Key": "k"}
	s.ask("POST", fmt.Sprintf("%s/image/%d/ocr", base, second.ID), async).want(202)
	s.ask("POST", fmt.Sprintf("%s/image/%d/ocr", base, second.ID), async).want(202) // again, which makes nothing
	async.header["Idempotency-Key"] = "l"
	s.ask("POST", fmt.Sprintf("%s/image/%d/ocr", base, third.ID), async).want(429)
	put(`{"items_a_day":3}`)
	s.ask("POST", fmt.Sprintf("%s/image/%d/ocr", base, third.ID), async).want(202) // the key is free
	if jobs := read[[]client.Job](s.ask("GET", base+"/job", as(ann)).want(200)); len(jobs) != 3 {
		t.Errorf("%d jobs", len(jobs))
	}
	put(`{"queued_items":3}`)
	s.ask("POST", base+"/job", job(i.ID)).want(429).code("too_many_items")

	// Who may, and what.
	s.ask("GET", of(id), as(ann)).want(403).code("admin_only")
	s.ask("PUT", of(id), as(ann).with(`{"images":0}`)).want(403).code("admin_only")
	s.ask("GET", of(id), as(bob)).want(403)
	s.ask("PUT", of(me), as(root).with(`{"images":0}`)).want(200)
	for body, fields := range map[string][]string{`{"images":-1,"items_a_day":9007199254740993}`: {"images", "items_a_day"},
		`{"images":1.5}`: {"images"}, `{"bytes":"1"}`: {"bytes"}, `{"pages":1}`: {"pages"}, `{"bytes":1e400}`: {"bytes"}} {
		s.ask("PUT", of(id), as(root).with(body)).want(422).code("invalid_input", fields...)
	}
}

func joined(ids []int64) (text string) {
	for n, id := range ids {
		if n > 0 {
			text += ","
		}
		text += fmt.Sprint(id)
	}
	return text
}

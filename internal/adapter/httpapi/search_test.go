package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest/check"

	"github.com/google/go-cmp/cmp"
)

func TestSearch(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	i := s.image(ann)
	s.Say(document.Box{X1: 0, Y1: 0, X2: 20, Y2: 20}, "합계 Total 1,234.50")
	s.Say(document.Box{X1: 20, Y1: 0, X2: 40, Y2: 20}, strings.Repeat("가 나 ", 150)+"계약서"+strings.Repeat(" 다 라", 100)+" 계약서")
	contents := read[[]client.Content](s.ask("POST", fmt.Sprintf("/api/v1/image/%d/ocr", i.ID), as(ann).with(
		`[{"x1":0,"y1":0,"x2":20,"y2":20,"name":"금액"},{"x1":20,"y1":0,"x2":40,"y2":20}]`)).want(200))

	for q, want := range map[string]client.Hit{
		"%ED%95%A9%EA%B3%84%20TOT": {ContentID: contents[0].ID, Name: "금액", Text: "합계 Total 1,234.50", TextLength: 17,
			Highlights: [][2]int{{0, 2}, {3, 6}}},
		"1,234.50": {ContentID: contents[0].ID, Name: "금액", Text: "합계 Total 1,234.50", TextLength: 17,
			Highlights: [][2]int{{9, 17}}},
		"%EA%B8%88%EC%95%A1": {ContentID: contents[0].ID, Name: "금액", Text: "합계 Total 1,234.50", TextLength: 17,
			NameHighlights: [][2]int{{0, 2}}},
		"%EC%95%BD%EC%84%9C": {ContentID: contents[1].ID, TextFrom: 521, TextLength: 1007, Highlights: [][2]int{{80, 82}}},
	} {
		hits := read[[]client.Hit](s.ask("GET", "/api/v1/search?q="+q, as(ann)).want(200))
		if len(hits) != 1 {
			t.Fatalf("%s: got %d hits, want 1", q, len(hits))
		}
		got := hits[0]
		if len([]rune(got.Text)) > 400 || want.TextFrom > 0 && string([]rune(got.Text)[80:82]) != "약서" {
			t.Errorf("%s: got text %q", q, got.Text)
		}
		if len(want.Highlights) > 0 && len(got.Boxes) == 0 {
			t.Errorf("%s: no box", q)
		}
		want.ID, want.Boxes, want.ImageID, want.ImageName, want.Document, want.Page, want.Version = got.ID, got.Boxes, i.ID, i.Name, i.ID,
			1, 1
		if want.Text == "" {
			want.Text = got.Text
		}
		for _, list := range []*[][2]int{&want.Highlights, &want.NameHighlights, &want.ImageHighlights} {
			if *list == nil {
				*list = [][2]int{}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", q, d)
		}
		if hits := read[[]client.Hit](s.ask("GET", "/api/v1/search?q="+q, as(bob)).want(200)); len(hits) != 0 {
			t.Errorf("%s: somebody else got %+v", q, hits)
		}
	}
	for confirmed, n := range map[string]int{"true": 0, "false": 1} {
		if hits := read[[]client.Hit](s.ask("GET", "/api/v1/search?q=total&confirmed="+confirmed, as(ann)).want(200)); len(hits) != n {
			t.Errorf("confirmed %s: got %d hits, want %d", confirmed, len(hits), n)
		}
	}
	s.ask("GET", "/api/v1/search?q=total&confirmed=yes", as(ann)).want(422).code("invalid_input", "confirmed")
	if hits := read[[]client.Hit](s.ask("GET", "/api/v1/search?q="+i.Name[:3], as(ann)).want(200)); len(hits) != 1 ||
		hits[0].ContentID != "" ||
		!cmp.Equal(hits[0].ImageHighlights, [][2]int{{0, 3}}) {
		t.Errorf("the name of the image: got %+v", hits)
	}

	first := s.ask("GET", "/api/v1/search?limit=1&q=%EA%B0%80", as(ann)).want(200)
	if link := first.header.Get("Link"); link != "" {
		t.Errorf("one hit: got link %q", link)
	}
	s.ask("PUT", "/api/v1/ocr/"+contents[0].ID, as(ann).with(`{"text":"가"}`)).want(200)
	first = s.ask("GET", "/api/v1/search?limit=1&q=%EA%B0%80", as(ann)).want(200)
	one := read[[]client.Hit](first)
	if want := fmt.Sprintf(`</api/v1/search?before=%d&limit=1&q=%%EA%%B0%%80>; rel="next"`, one[0].ID); len(one) != 1 ||
		one[0].ContentID != contents[0].ID || first.header.Get("Link") != want {
		t.Errorf("got %+v and link %q, want %q", one, first.header.Get("Link"), want)
	}
	if two := read[[]client.Hit](s.ask("GET", fmt.Sprintf("/api/v1/search?q=%%EA%%B0%%80&before=%d", one[0].ID),
		as(ann)).want(200)); len(two) != 1 || two[0].ContentID != contents[1].ID {
		t.Errorf("after the first: got %+v", two)
	}
	for _, q := range []string{"", "q=", "q=%20", "q=--", "q=" + strings.Repeat("a", 201), "q=" + strings.Repeat("a+", 21)} {
		s.ask("GET", "/api/v1/search?"+q, as(ann)).want(422).code("invalid_input", "q")
	}
	s.ask("GET", "/api/v1/search?q=a&limit=101", as(ann)).want(422).code("invalid_input", "limit")
	s.ask("GET", "/api/v1/search?q=a", request{}).want(401)
}

func TestImagesOfWhom(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, root := s.user("root")
	i := s.image(ann)
	for owner, want := range map[string]int{"": 1, "?owner=me": 0, "?owner=all": 1} {
		if got := read[[]client.Image](s.ask("GET", "/api/v1/image"+owner, as(root)).want(200)); len(got) != want {
			t.Errorf("%q: an administrator got %d images, want %d", owner, len(got), want)
		}
	}
	if got := read[[]client.Image](s.ask("GET", "/api/v1/image?owner=me", as(ann)).want(200)); len(got) != 1 || got[0].ID != i.ID {
		t.Errorf("the owner got %+v", got)
	}
	s.ask("GET", "/api/v1/image?owner=all", as(ann)).want(403).code("administrators_only")
	s.ask("GET", "/api/v1/image?owner=bob", as(ann)).want(422).code("invalid_input", "owner")
}

func TestImagesInOrder(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	var ids []int64
	for _, name := range []string{"b", "Scan 10", "scan 9"} {
		i := s.image(ann)
		s.ask("PUT", fmt.Sprintf("/api/v1/image/%d", i.ID), as(ann).with(fmt.Sprintf(`{"name":%q}`, name))).want(200)
		ids = append(ids, i.ID)
	}
	for _, c := range []struct {
		query string
		want  []int64
		next  string
	}{
		{"sort=name&size=2", []int64{ids[0], ids[2]}, "page=1&size=2&sort=name"},
		{"sort=name&size=2&page=1", []int64{ids[1]}, ""},
		{fmt.Sprintf("sort=name&size=1&before=%d", ids[0]), []int64{ids[2]}, fmt.Sprintf("before=%d&size=1&sort=name", ids[2])},
		{fmt.Sprintf("sort=name&before=%d", ids[2]), []int64{ids[1]}, ""},
		{"sort=oldest&size=2", []int64{ids[0], ids[1]}, "page=1&size=2&sort=oldest"},
		{fmt.Sprintf("sort=oldest&size=1&before=%d", ids[0]), []int64{ids[1]}, fmt.Sprintf("before=%d&size=1&sort=oldest", ids[1])},
		{"sort=newest", []int64{ids[2], ids[1], ids[0]}, ""},
		{"sort=name&keyword=scan&owner=me", []int64{ids[2], ids[1]}, ""},
	} {
		r := s.ask("GET", "/api/v1/image?"+c.query, as(ann)).want(200)
		var got []int64
		for _, i := range read[[]client.Image](r) {
			got = append(got, i.ID)
		}
		check.Same(t, c.query, got, c.want)
		if link := r.header.Get("Link"); (c.next == "") == strings.Contains(link, "next") || !strings.Contains(link, c.next) {
			t.Errorf("%s: got the link %s, want the next list to be %q", c.query, link, c.next)
		}
	}
	s.ask("GET", "/api/v1/image?sort=size", as(ann)).want(422).code("invalid_input", "sort")
	s.ask("GET", fmt.Sprintf("/api/v1/image?sort=name&document=%d", ids[0]), as(ann)).want(422).code("invalid_input", "document")
	for _, token := range []string{ann, bob} { // whether it is somebody else's or not there
		s.ask("GET", fmt.Sprintf("/api/v1/image?sort=name&before=%d", ids[0]+map[string]int64{ann: 1000}[token]), as(token)).want(422).
			code("invalid_input", "before")
	}
}

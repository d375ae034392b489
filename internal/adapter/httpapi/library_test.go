package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"glyphbox/client"
)

func TestShare(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	_, carl := s.user("carl")
	i := s.image(ann)
	image := fmt.Sprintf("%s/image/%d", base, i.ID)
	share := func(token, users string) answer {
		t.Helper()
		return s.ask("PUT", image+"/share", as(token).with(`{"users":`+users+`}`))
	}
	shared := func(token string, want string) {
		t.Helper()
		if got := strings.TrimSpace(s.ask("GET", image+"/share", as(token)).want(200).body); got != `{"users":`+want+`}` {
			t.Errorf("got %s, want %s", got, want)
		}
		meta := read[client.Image](s.ask("GET", image+"/meta", as(token)).want(200))
		if got := fmt.Sprintf("%q", meta.SharedWith); got != strings.ReplaceAll(want, ",", " ") {
			t.Errorf("got %s in the metadata, want %s", got, want)
		}
	}
	shared(ann, `[]`)
	s.ask("GET", image+"/share", as(bob)).want(404)
	share(bob, `["bob"]`).want(404)
	if got := strings.TrimSpace(share(ann, `["carl","BOB"]`).want(200).body); got != `{"users":["bob","carl"]}` {
		t.Errorf("got %s", got)
	}
	shared(ann, `["bob","carl"]`)
	shared(bob, `["bob"]`)
	share(bob, `[]`).want(403).code("owner_only")
	s.ask("PUT", image, as(bob).with(`{"name":"x"}`)).want(403)
	s.ask("POST", image+"/ocr", as(bob)).want(200)
	s.ask("GET", image+"/export?format=txt", as(bob)).want(200)
	for users, fields := range map[string][]string{
		`["bob","nobody"]`: {"users[1]"}, `["bob","Bob","ann"]`: {"users[1]", "users[2]"}, `[""]`: {"users[0]"},
		`null`: {"users"}, `"bob"`: {"users"},
		`["bob",7]`: {"users[1]"}, `["` + strings.Repeat(`x","`, 100) + `x"]`: {"users"},
	} {
		share(ann, users).want(422).code("invalid_input", fields...)
	}
	s.ask("PUT", image+"/share", as(ann).with(`{}`)).want(422).code("invalid_input", "users")
	shared(carl, `["carl"]`)

	list := s.ask("GET", base+"/image?owner=others", as(bob)).want(200)
	if got := read[[]client.Image](list); len(got) != 1 || got[0].ID != i.ID || list.header.Get("X-Total-Count") != "1" {
		t.Errorf("what is shared: %s", list.body)
	}
	if got := read[[]client.Image](s.ask("GET", base+"/image?owner=others", as(ann)).want(200)); len(got) != 0 {
		t.Errorf("what others share with the owner: %v", got)
	}

	follow := s.followImage(bob, i.ID, "") // ends once the document is not shared any more
	follow.want(`image {"rotation":0}`, `presence {"users":["bob"]}`)
	share(ann, `["carl"]`).want(200)
	for event := follow.next(); event != ""; event = follow.next() {
		if !strings.HasPrefix(event, "presence") {
			t.Errorf("after it was taken away: %s", event)
		}
	}
	for _, path := range []string{"", "/meta", "/share", "/view", "/thumbnail", "/ocr", "/events", "/export?format=txt"} {
		s.ask("GET", image+path, as(bob)).want(404)
	}
	s.ask("POST", image+"/ocr", as(bob)).want(404)
	if got := read[[]client.Image](s.ask("GET", base+"/image", as(bob)).want(200)); len(got) != 0 {
		t.Errorf("the list of who sees nothing any more: %v", got)
	}
	shared(carl, `["carl"]`)

	pages := s.scan(ann, 2)
	later := fmt.Sprintf("%s/image/%d/share", base, pages[1].ID)
	s.ask("PUT", later, as(ann).with(`{"users":["bob"]}`)).want(409).code("page_of_document")
	s.ask("PUT", fmt.Sprintf("%s/image/%d/share", base, pages[0].ID), as(ann).with(`{"users":["bob"]}`)).want(200)
	if got := s.ask("GET", later, as(bob)).want(200).body; strings.TrimSpace(got) != `{"users":["bob"]}` {
		t.Errorf("the share by a later page: %s", got)
	}
}

func TestTags(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	i, other := s.image(ann), s.image(ann)
	image := fmt.Sprintf("%s/image/%d", base, i.ID)
	tag := func(tags string) answer { t.Helper(); return s.ask("PUT", image, as(ann).with(`{"tags":`+tags+`}`)) }
	decomposed := "\u1112\u1161\u11ab\u1100\u1173\u11af" // as a Mac writes it
	got := read[client.Image](tag(`["  Tax\u200b \n 2026 ","` + decomposed + `"]`).want(200))
	if want := []string{"Tax 2026", "한글"}; !slices.Equal(got.Tags, want) {
		t.Errorf("got the tags %q, want %q", got.Tags, want)
	}
	many := `["0"` + func() (rest string) {
		for n := range 50 {
			rest += fmt.Sprintf(`,"t%d"`, n)
		}
		return rest
	}() + `]`
	long := strings.Repeat("한", 50)
	for tags, fields := range map[string][]string{
		`["a","\u202e \u200b"]`: {"tags[1]"}, `["a","B","A"]`: {"tags[2]"}, `["` + long + `x"]`: {"tags[0]"}, many: {"tags"},
		`["\u0301"]`:                  {"tags[0]"},
		`["` + decomposed + `","한글"]`: {"tags[1]"}, `"a"`: {"tags"}, `["\u0007"]`: {"tags[0]"},
	} {
		tag(tags).want(422).code("invalid_input", fields...)
	}
	finds := func(token, query string, want ...int64) {
		t.Helper()
		a := s.ask("GET", base+"/image?"+query, as(token)).want(200)
		var ids []int64
		for _, i := range read[[]client.Image](a) {
			ids = append(ids, i.ID)
		}
		if !slices.Equal(ids, want) || a.header.Get("X-Total-Count") != fmt.Sprint(len(want)) {
			t.Errorf("%s: got %d of %s, want %d", query, ids, a.header.Get("X-Total-Count"), want)
		}
	}
	s.ask("PUT", fmt.Sprintf("%s/image/%d", base, other.ID), as(ann).with(`{"tags":["TAX 2026"]}`)).want(200)
	finds(ann, "tag=tax+2026", other.ID, i.ID)
	finds(ann, "tag=tax++2026&tag=%ED%95%9C%EA%B8%80", i.ID)
	finds(ann, "tag="+url.QueryEscape(decomposed), i.ID)
	finds(ann, "tag=tax")
	finds(bob, "tag=tax+2026")
	if got := strings.TrimSpace(s.ask("GET", base+"/tag", as(ann)).want(200).body); got !=
		`[{"name":"TAX 2026","documents":2},{"name":"한글","documents":1}]` {
		t.Errorf("the tags: %s", got)
	}
	if got := strings.TrimSpace(s.ask("GET", base+"/tag?keyword="+url.QueryEscape(decomposed), as(ann)).want(200).body); got !=
		`[{"name":"한글","documents":1}]` {
		t.Errorf("the tags with a keyword: %s", got)
	}
	if got := strings.TrimSpace(s.ask("GET", base+"/tag", as(bob)).want(200).body); got != `[]` {
		t.Errorf("the tags of who sees nothing: %s", got)
	}
	s.ask("GET", base+"/tag?owner=all", as(bob)).want(403)
	s.ask("GET", fmt.Sprintf("%s/image?document=%d&tag=x", base, i.ID), as(ann)).want(422).code("invalid_input", "document")
	s.ask("PUT", image, as(ann).with(`{"visibility":"shared"}`)).want(200)
	finds(bob, "tag=tax+2026", i.ID)
	s.ask("PUT", image, as(bob).with(`{"tags":[]}`)).want(403)
	if got := read[client.Image](tag(`[]`).want(200)); len(got.Tags) != 0 || got.Name != i.Name {
		t.Errorf("after all tags were taken off: %+v", got)
	}
	finds(bob, "tag=tax+2026")
	pages := s.scan(ann, 2)
	s.ask("PUT", fmt.Sprintf("%s/image/%d", base, pages[1].ID), as(ann).with(`{"tags":["a"]}`)).want(409).code("page_of_document")
}

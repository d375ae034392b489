package httpapi

import (
	"fmt"
	"testing"

	"glyphbox/client"
	"glyphbox/internal/porttest/check"
)

// TestProofread asks lists how far an image is proofread, after each change of it.
func TestProofread(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	i := s.image(ann)
	want := func(what string, regions, confirmed, doubtful int) {
		t.Helper()
		for _, query := range []string{"/image", fmt.Sprintf("/image?document=%d", i.ID)} {
			got := read[[]client.Image](s.ask("GET", base+query, as(ann)).want(200))[0]
			check.Same(t, what+" "+query, []int{*got.Regions, *got.Confirmed, *got.Doubtful}, []int{regions, confirmed, doubtful})
		}
	}
	want("not read", 0, 0, 0)
	path := fmt.Sprintf("%s/image/%d/ocr", base, i.ID)
	contents := read[[]client.Content](s.ask("POST", path, as(ann).with(
		`[{"x1":0,"y1":0,"x2":20,"y2":20},{"x1":30,"y1":0,"x2":50,"y2":20}]`)).want(200))
	doubtful := 0
	for _, c := range contents {
		for _, w := range c.Words {
			if w.Confidence < 0.75 {
				doubtful++
			}
		}
	}
	want("read", 2, 0, doubtful)
	s.ask("PUT", base+"/ocr/"+contents[0].ID, as(ann).with(`{"confirmed":true}`)).want(200)
	want("confirmed", 2, 1, doubtful/2)
	s.ask("DELETE", base+"/ocr/"+contents[1].ID, as(ann)).want(204)
	want("deleted", 1, 1, 0)
	one := read[client.Image](s.ask("GET", fmt.Sprintf("%s/image/%d/meta", base, i.ID), as(ann)).want(200))
	check.Same(t, "alone", one.Regions, nil)
}

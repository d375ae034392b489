package httpapi

import (
	"fmt"
	"slices"
	"testing"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
)

// The engine may be left to find out the language, and says which would have been better.
func TestLanguages(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	box := document.Box{X1: 1, Y1: 2, X2: 30, Y2: 20}
	s.Suggest(box, "kor")
	for query, lang := range map[string][]string{"lang=auto": {"eng"}, "lang=auto%2Bkor": {"eng"}, "lang=eng": {"eng"}} {
		c := read[[]client.Content](s.ask("POST", image+"/ocr?"+query, as(ann).with(`[{"x1":1,"y1":2,"x2":30,"y2":20,"lang":"auto"},
			{"x1":1,"y1":2,"x2":30,"y2":20}]`)).want(200))
		if !slices.Equal(c[0].Lang, lang) || !slices.Equal(c[1].Lang, lang) || len(c[0].SuggestedLang) > 0 ||
			slices.Equal(c[1].SuggestedLang, []string{"kor"}) != (query == "lang=eng") {
			t.Errorf("%s: got %v and %v, suggested %v and %v", query, c[0].Lang, c[1].Lang, c[0].SuggestedLang, c[1].SuggestedLang)
		}
		// What a person has written needs no other language.
		fixed := read[client.Content](s.ask("PUT", base+"/ocr/"+c[1].ID, as(ann).with(`{"text":"Hello there"}`)).want(200))
		if len(fixed.SuggestedLang) > 0 {
			t.Errorf("%s: corrected, %v is suggested", query, fixed.SuggestedLang)
		}
	}
}

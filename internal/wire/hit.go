package wire

import (
	"glyphbox/client"
	"glyphbox/internal/domain/recognition"
)

const (
	longestText = 400 // characters of a hit's text
	lead        = 80  // characters before the first place that was found, where the text is longer
)

// Hit returns what a search found, with a part of its text where that is long.
func Hit(h recognition.Hit) client.Hit {
	v := client.Hit{ID: h.ID, ImageID: h.Image.ID, ImageName: h.Image.Name, Document: h.Image.Document, Page: h.Image.Number,
		ContentID: h.Content.ID,
		Version:   h.Content.Version, Name: h.Content.Name, NameHighlights: All(h.NameSpans, span), ImageHighlights: All(h.OnImage, span),
		Boxes: All(h.Boxes, Box)}
	text := []rune(h.Content.Text)
	from, to := 0, len(text)
	if to > longestText {
		if len(h.Spans) > 0 {
			from = max(0, min(h.Spans[0].From-lead, to-longestText))
		}
		to = from + longestText
	}
	var within []recognition.Span
	for _, s := range h.Spans {
		if s = (recognition.Span{From: max(s.From, from) - from, To: min(s.To, to) - from}); s.From < s.To {
			within = append(within, s)
		}
	}
	v.Text, v.TextFrom, v.TextLength, v.Highlights = string(text[from:to]), from, len(text), All(within, span)
	return v
}

func span(s recognition.Span) [2]int { return [2]int{s.From, s.To} }

// Package layer takes the text of regions from the text layer of a page, if that can be trusted. It is pure Go and independent of file
// formats: its input is the glyphs of the page and its pixels.
//
// layer.go decides, ink.go examines the pixels, and lines.go puts glyphs into reading order.
package layer

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Engine is the engine name in readings of this package.
const Engine = "pdf text"

// Glyph is a character of the text layer and its box on the page.
type Glyph struct {
	Text           string // empty where the glyph stands for no known character
	X1, Y1, X2, Y2 float64
	Angle          float64 // degrees that the text is turned clockwise
	Invisible      bool    // it is there to be found, not to be seen
	Spaced         bool    // white space stands between it and the glyph before
	Breaks         bool    // a line begins with it
}

// Page is the input for one page. Glyphs are in the order of the file.
type Page struct {
	Width, Height int
	Gray          []byte // a byte a pixel, row by row: 0 is black
	Glyphs        []Glyph

	Rows func(from, to int) // makes Gray have these rows, of which the last is before to; nil: it has all

	middles []point // of each glyph, across its line that of the line; nil before the first Read
}

type point struct{ x, y float64 }

// Why a text layer is not trusted.
const (
	NoText    = "there is no text in the text layer here"
	Unmapped  = "the text layer has characters here of which the file does not say what they are"
	Invisible = "the text layer is invisible here: it was laid over a scan"
	Hidden    = "the text layer has text here that is not seen"
	Foreign   = "something stands here that the text layer does not have"
)

// Read returns the text of a box on the page, or the reason why the text layer cannot be trusted there. It is not safe for concurrent
// use.
func (p *Page) Read(box document.Box) (reading recognition.Reading, reason string) {
	inside := p.inside(box)
	if p.Rows != nil {
		from, to := box.Y1, box.Y2
		for _, g := range inside {
			b := p.about(g)
			from, to = min(from, b.Y1), max(to, b.Y2)
		}
		p.Rows(max(0, from), min(p.Height, to))
	}
	if len(inside) == 0 {
		if p.isBlank(box) {
			return recognition.Reading{Words: []recognition.Word{}, Engine: Engine, Source: recognition.SourceText,
				Shape: recognition.ShapeBlock, Scale: 1, Passes: 1}, ""
		}
		return reading, NoText
	}
	for _, g := range inside {
		switch {
		case g.Invisible:
			return reading, Invisible
		case !isCharacter(g.Text):
			return reading, Unmapped
		}
	}
	if reason := p.contradicted(box, inside); reason != "" {
		return reading, reason
	}
	lines, rotation := order(inside)
	reading = recognition.Reading{Engine: Engine, Source: recognition.SourceText, Confidence: 1, Rotation: rotation, Scale: 1, Passes: 1,
		Shape: recognition.ShapeBlock}
	if len(lines) == 1 {
		reading.Shape = recognition.ShapeLine
	}
	texts := make([]string, len(lines))
	for i, line := range lines {
		words := make([]string, len(line))
		for k, w := range line {
			words[k] = w.text()
			reading.Words = append(reading.Words, recognition.Word{Text: words[k], Box: w.within(box), Confidence: 1, Engine: Engine})
		}
		texts[i] = strings.Join(words, " ")
	}
	reading.Text = strings.Join(texts, "\n")
	return reading, ""
}

// inside returns the glyphs whose middle lies in the box, each once, since some programs print bold letters twice. Commas are inside if
// their line is.
func (p *Page) inside(box document.Box) (found []*Glyph) {
	if p.middles == nil {
		p.middles = middles(p.Glyphs)
	}
	last := map[string]int{} // index in the page of the newest glyph with that text
	for i := range p.Glyphs {
		g := &p.Glyphs[i]
		x, y := p.middles[i].x, p.middles[i].y
		if x < float64(box.X1) || x >= float64(box.X2) || y < float64(box.Y1) || y >= float64(box.Y2) {
			continue
		}
		before, seen := last[g.Text]
		last[g.Text] = i
		if seen && i-before > 1 && g.covers(&p.Glyphs[before]) {
			continue
		}
		found = append(found, g)
	}
	return found
}

// covers tells whether two glyphs stand in the same place, except for the shift by which programs print bold.
func (g *Glyph) covers(h *Glyph) bool {
	w, ht := math.Min(g.X2, h.X2)-math.Max(g.X1, h.X1), math.Min(g.Y2, h.Y2)-math.Max(g.Y1, h.Y1)
	return w > 0 && ht > 0 && w*ht > 0.7*math.Max((g.X2-g.X1)*(g.Y2-g.Y1), (h.X2-h.X1)*(h.Y2-h.Y1))
}

// isCharacter tells whether a text is one that people know.
func isCharacter(text string) bool {
	if text == "" {
		return false
	}
	for _, r := range text {
		if r == unicode.ReplacementChar || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Cs, r) || unicode.IsControl(r) ||
			r&0xfffe == 0xfffe || !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cf) {
			return false
		}
	}
	return true
}

// ligatures are letters that a font has as one.
var ligatures = strings.NewReplacer("ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "st", "ﬆ", "st")

// word is glyphs without white space between them, in the order of reading.
type word []*Glyph

func (w word) text() string {
	var b strings.Builder
	for _, g := range w {
		b.WriteString(g.Text)
	}
	return norm.NFC.String(ligatures.Replace(b.String()))
}

func (w word) box() document.Box {
	x1, y1, x2, y2 := w[0].X1, w[0].Y1, w[0].X2, w[0].Y2
	for _, g := range w[1:] {
		x1, y1, x2, y2 = math.Min(x1, g.X1), math.Min(y1, g.Y1), math.Max(x2, g.X2), math.Max(y2, g.Y2)
	}
	b := document.Box{X1: int(math.Floor(x1)), Y1: int(math.Floor(y1)), X2: int(math.Ceil(x2)), Y2: int(math.Ceil(y2))}
	b.X2, b.Y2 = max(b.X2, b.X1+1), max(b.Y2, b.Y1+1)
	return b
}

// within returns the part of the word's box that lies in another one: its nearest pixel where none does.
func (w word) within(box document.Box) document.Box {
	b := w.box()
	if common := b.Intersect(box); !common.Empty() {
		return common
	}
	x, y := max(box.X1, min(b.X1, box.X2-1)), max(box.Y1, min(b.Y1, box.Y2-1))
	return document.Box{X1: x, Y1: y, X2: x + 1, Y2: y + 1}
}

// median returns the middle one of numbers; 0 for none.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

package pdfium

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/responses"

	"glyphbox/internal/adapter/engine/layer"
	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/domain/document"
)

// text takes the text of boxes from the text layer of a page, and renders the page where it is going to be read.
func (l *library) text(f *file, job protocol.PDFJob) (protocol.PDFAnswer, []byte, error) {
	s, err := l.sheetOf(f, job)
	if err != nil {
		return protocol.PDFAnswer{}, nil, err
	}
	if s.text == nil {
		if err := l.loads(f, s.page); err != nil {
			return protocol.PDFAnswer{}, nil, err
		}
		s.text = &layer.Page{Width: s.width, Height: s.height, Glyphs: l.glyphs(f, s)}
	}
	answer := protocol.PDFAnswer{Width: s.width, Height: s.height}
	if len(s.text.Glyphs) == 0 && job.Glyphs {
		answer.Texts = slices.Repeat([]protocol.PDFPart{{Reason: layer.NoText}}, len(job.Boxes))
		return answer, nil, nil
	}
	if s.text.Gray == nil {
		if len(s.text.Glyphs) == 0 && s.pnm == nil { // it will most likely be read, so all of it is rendered
			if err := l.draw(f, s); err != nil {
				return protocol.PDFAnswer{}, nil, err
			}
		}
		if s.pnm != nil {
			s.text.Gray = grayOf(s)
		} else {
			s.text.Gray, s.bands = make([]byte, s.width*s.height), make([]bool, (s.height+band-1)/band)
		}
	}
	if s.bands != nil {
		rows := document.Box{}
		for _, box := range job.Boxes {
			rows = rows.Union(box)
		}
		if err = l.shade(f, s, rows.Y1, rows.Y2); err != nil {
			return protocol.PDFAnswer{}, nil, err
		}
		s.text.Rows = func(from, to int) {
			if err == nil {
				err = l.shade(f, s, from, to)
			}
		}
		defer func() { s.text.Rows = nil }() // the file may be closed when the page is asked for again
	}
	for _, box := range job.Boxes {
		reading, reason := s.text.Read(box)
		if err != nil {
			return protocol.PDFAnswer{}, nil, err
		}
		part := protocol.PDFPart{Reason: reason}
		if reason == "" {
			part.Reading = &reading
		}
		answer.Texts = append(answer.Texts, part)
	}
	if !job.Render || !slices.ContainsFunc(answer.Texts, func(p protocol.PDFPart) bool { return p.Reason != "" }) {
		return answer, nil, nil
	}
	if s.pnm == nil {
		err = l.draw(f, s)
	}
	return answer, s.pnm, err
}

// band is how many rows of a page are rendered at a time for a look at the pixels of its text.
const band = 256

// shade renders the rows of a page that are not rendered yet, each run of them at once.
func (l *library) shade(f *file, s *sheet, from, to int) error {
	last := min(len(s.bands), (to+band-1)/band)
	for first := max(0, from) / band; first < last; first++ {
		end := first
		for end < last && !s.bands[end] && (end+1-first)*band*s.width <= max(maxStrip, band*s.width) {
			end++
		}
		if end == first {
			continue
		}
		top := first * band
		part := cutout{page: s.page, width: s.width, height: s.height, columns: s.width, top: top, rows: min(end*band, s.height) - top}
		err := l.strip(f, part, func(pixels []byte, stride int) {
			for y := range part.rows {
				grayRow(s.text.Gray[(top+y)*s.width:][:s.width], pixels[y*stride:])
			}
		})
		if err != nil {
			return err
		}
		for b := first; b < end; b++ {
			s.bands[b] = true
		}
		first = end - 1
	}
	return nil
}

// grayRow makes a row of shades of one of pixels: blue, green, red and one byte more each.
func grayRow(to, pixels []byte) {
	for x := range to {
		b, g, r := int(pixels[4*x]), int(pixels[4*x+1]), int(pixels[4*x+2])
		to[x] = byte((299*r + 587*g + 114*b + 500) / 1000)
	}
}

// grayOf returns the shades of a sheet.
func grayOf(s *sheet) []byte {
	pixels := s.pnm[s.header:]
	if s.gray {
		return pixels
	}
	gray := make([]byte, s.width*s.height)
	for i := range gray {
		r, g, b := int(pixels[3*i]), int(pixels[3*i+1]), int(pixels[3*i+2])
		gray[i] = byte((299*r + 587*g + 114*b + 500) / 1000)
	}
	return gray
}

// glyphs returns the characters of the text layer that are visible or should be, in the order of the file.
func (l *library) glyphs(f *file, s *sheet) []layer.Glyph {
	place, ok := l.placeOf(f, s)
	if !ok {
		return nil
	}
	page := pageOf(f, s.page)
	found, err := l.pdfium.GetPageTextStructured(&requests.GetPageTextStructured{Page: page, Mode: requests.GetPageTextStructuredModeChars})
	if err != nil {
		mustBeWhole(err)
		return nil // pdfium has no text of the page
	}
	loaded, err := l.pdfium.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		mustBeWhole(err)
		return nil
	}
	defer func() {
		if _, err := l.pdfium.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: loaded.TextPage}); err != nil {
			broken(err)
		}
	}()
	var glyphs []layer.Glyph
	spaced, breaks, invisible := false, true, false
	for i, c := range found.Chars {
		switch {
		case strings.ContainsAny(c.Text, "\r\n"):
			spaced, breaks = true, true
			continue
		case c.Text != "" && strings.TrimFunc(c.Text, unicode.IsSpace) == "":
			spaced = true
			continue
		case c.Text == "\u00ad" || c.Text == "\u200b" || c.Text == "\ufeff": // no ink
			continue
		}
		g := place.glyph(c)
		g.Spaced, g.Breaks = spaced, breaks
		g.Text = l.character(loaded.TextPage, i, c.Text)
		if n := len(glyphs); spaced || breaks || n == 0 || !follows(glyphs[n-1], g) {
			invisible = l.isInvisible(loaded.TextPage, i)
		}
		g.Invisible = invisible
		glyphs = append(glyphs, g)
		spaced, breaks = false, false
	}
	return glyphs
}

// follows tells whether a glyph stands right behind another one, as those of one string do.
func follows(before, g layer.Glyph) bool {
	size := math.Max(before.X2-before.X1, before.Y2-before.Y1)
	return math.Abs(g.X1-before.X2) < size && math.Abs((g.Y1+g.Y2)-(before.Y1+before.Y2)) < size && g.Angle == before.Angle
}

// character returns what a character of the text layer stands for, or "" where the file does not say.
func (l *library) character(page references.FPDF_TEXTPAGE, i int, text string) string {
	if text == "\ufffe" || text == "\x02" { // a hyphen at the end of a line
		return "-"
	}
	wrong, err := l.pdfium.FPDFText_HasUnicodeMapError(&requests.FPDFText_HasUnicodeMapError{TextPage: page, Index: i})
	if err != nil || wrong.HasUnicodeMapError {
		return ""
	}
	return text
}

// isInvisible tells whether a character is drawn in a way that nobody sees.
func (l *library) isInvisible(page references.FPDF_TEXTPAGE, i int) bool {
	object, err := l.pdfium.FPDFText_GetTextObject(&requests.FPDFText_GetTextObject{TextPage: page, Index: i})
	if err != nil {
		return false // pdfium made it up, as it does with hyphens
	}
	mode, err := l.pdfium.FPDFTextObj_GetTextRenderMode(&requests.FPDFTextObj_GetTextRenderMode{PageObject: object.TextObject})
	return err == nil && (mode.TextRenderMode == enums.FPDF_TEXTRENDERMODE_INVISIBLE ||
		mode.TextRenderMode == enums.FPDF_TEXTRENDERMODE_CLIP)
}

// place leads from a page's own coordinates to pixels of a sheet: x = a·X + c·Y + e, y = b·X + d·Y + f.
type place struct{ a, b, c, d, e, f float64 }

func (l *library) placeOf(f *file, s *sheet) (place, bool) {
	const finer, far = 64, 100 // parts of a pixel, and points
	at := func(x, y float64) (float64, float64, bool) {
		p, err := l.pdfium.FPDF_PageToDevice(&requests.FPDF_PageToDevice{Page: pageOf(f, s.page), SizeX: finer * s.width,
			SizeY: finer * s.height,
			PageX: x, PageY: y})
		if err != nil {
			return 0, 0, false
		}
		return float64(int32(p.DeviceX)) / finer, float64(int32(p.DeviceY)) / finer, true
	}
	x0, y0, ok0 := at(0, 0)
	x1, y1, ok1 := at(far, 0)
	x2, y2, ok2 := at(0, far)
	return place{(x1 - x0) / far, (y1 - y0) / far, (x2 - x0) / far, (y2 - y0) / far, x0, y0}, ok0 && ok1 && ok2
}

func (p place) glyph(c *responses.GetPageTextStructuredChar) layer.Glyph {
	at := func(x, y float64) (float64, float64) { return p.a*x + p.c*y + p.e, p.b*x + p.d*y + p.f }
	x1, y1 := at(c.PointPosition.Left, c.PointPosition.Bottom)
	x2, y2 := at(c.PointPosition.Right, c.PointPosition.Top)
	sin, cos := math.Sincos(-c.Angle) // pdfium counts clockwise
	angle := math.Atan2(p.b*cos+p.d*sin, p.a*cos+p.c*sin) * 180 / math.Pi
	return layer.Glyph{X1: math.Min(x1, x2), Y1: math.Min(y1, y2), X2: math.Max(x1, x2), Y2: math.Max(y1, y2), Angle: angle}
}

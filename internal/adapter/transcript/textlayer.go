package transcript

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"glyphbox/internal/domain/document"
)

// fontName is what the font is called in the resources of a page.
const fontName = "GlyphboxText"

// textLayer is the text of blocks of a page that is not painted, as operators of a content stream. scale is points per pixel. Text that is
// turned on the page runs in its own direction.
func textLayer(blocks []block, page document.Box, scale float64, codes *codes) []byte {
	d := drawing{scale: scale, codes: codes}
	for _, rotation := range document.Rotations {
		var text []block
		for _, b := range blocks {
			if b.rotation == rotation && len(b.paragraphs) > 0 {
				text = append(text, b)
			}
		}
		if len(text) > 0 {
			d.draw(text, rotation, page)
		}
	}
	return d.b.Bytes()
}

// draw writes blocks whose text is turned by so many degrees, as they stand once the page is turned back.
func (d *drawing) draw(blocks []block, rotation int, page document.Box) {
	back := document.Turns(rotation, 0)
	turned := page.Turned(back, page.Width(), page.Height())
	d.height = float64(turned.Height()) * d.scale
	width, height := number(float64(page.Width())*d.scale), number(float64(page.Height())*d.scale)
	switch back { // from the page that is turned back to the page
	case 90:
		fmt.Fprintf(&d.b, "q 0 1 -1 0 %s 0 cm ", width)
	case 180:
		fmt.Fprintf(&d.b, "q -1 0 0 -1 %s %s cm ", width, height)
	case 270:
		fmt.Fprintf(&d.b, "q 0 -1 1 0 0 %s cm ", height)
	}
	d.b.WriteString("BT 3 Tr\n")
	for _, b := range blocks {
		for _, p := range b.paragraphs {
			for _, l := range p.lines {
				d.drawLine(l.turned(back, page))
			}
		}
	}
	d.b.WriteString("ET\n")
	if back != 0 {
		d.b.WriteString("Q\n")
	}
}

// turned is the line as it stands once the page is turned clockwise by so many degrees.
func (l line) turned(degrees int, page document.Box) line {
	l.box = l.box.Turned(degrees, page.Width(), page.Height())
	l.words = slices.Clone(l.words)
	for i, w := range l.words {
		l.words[i].box = w.box.Turned(degrees, page.Width(), page.Height())
	}
	return l
}

// drawing is a text layer that is being written.
type drawing struct {
	b      bytes.Buffer
	scale  float64 // points per pixel
	height float64 // of the page as it is turned now, points
	codes  *codes
}

// drawLine writes the words of a line with one size and, unless the line is aslant, on one baseline: readers take what differs there
// for parts of different lines. Between two words there is a space that fills their distance; where they leave next to none, the
// word before gives way, since readers go by distances too.
func (d *drawing) drawLine(line line) {
	size := 0
	for _, w := range line.words {
		size = max(size, w.box.Height())
	}
	even := 2*line.box.Height() <= 3*size
	for i, w := range line.words {
		bottom := w.box.Y2
		if even {
			bottom = line.box.Y2
		}
		left, right := float64(w.box.X1), float64(w.box.X2)
		next := right
		if i+1 < len(line.words) {
			if next = float64(line.words[i+1].box.X1); next > left {
				right = max(min(right, next-float64(size)/5), left+(min(right, next)-left)/2)
			}
		}
		em := float64(size) * d.scale
		fmt.Fprintf(&d.b, "/"+fontName+" %s Tf 1 0 0 1 %s %s Tm ", number(em), number(left*d.scale),
			number(d.height-float64(bottom)*d.scale-em*descent/1000))
		d.show(asSeen(w.text), right-left, size)
		if i+1 < len(line.words) {
			d.show(" ", max(1, next-right), size)
		}
		d.b.WriteByte('\n')
	}
}

// asSeen is a word from left to right. Readers reverse words of scripts that run to the left again.
func asSeen(s string) string {
	first := strings.IndexFunc(s, unicode.IsLetter)
	if first < 0 {
		return s
	}
	if r, _ := utf8.DecodeRuneInString(s[first:]); !unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana,
		unicode.Nko) {
		return s
	}
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}

// show writes a text as wide as that many pixels.
func (d *drawing) show(s string, width float64, size int) {
	natural := float64(utf8.RuneCountInString(s)*size) * glyphWidth / 1000
	fmt.Fprintf(&d.b, "%s Tz <", number(100*width/natural))
	for _, r := range s {
		fmt.Fprintf(&d.b, "%04x", d.codes.of(r))
	}
	d.b.WriteString("> Tj ")
}

// codes are the numbers of the characters of a document.
type codes struct {
	byRune map[rune]int
	runes  []rune // by code less one
}

func newCodes() *codes {
	c := &codes{byRune: map[rune]int{}}
	c.of(utf8.RuneError)
	return c
}

// of returns the number of a character in this document. There are at most 65,535; further characters become U+FFFD, which is 1.
func (c *codes) of(r rune) int {
	n, ok := c.byRune[r]
	switch {
	case ok:
		return n
	case len(c.runes) == math.MaxUint16:
		return 1
	}
	c.runes = append(c.runes, r)
	c.byRune[r] = len(c.runes)
	return len(c.runes)
}

// toUnicode is the CMap that tells which character a code stands for.
func toUnicode(runes []rune) []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n")
	const most = 100 // of one section
	for at := 0; at < len(runes); at += most {
		section := runes[at:min(at+most, len(runes))]
		fmt.Fprintf(&b, "%d beginbfchar\n", len(section))
		for i, r := range section {
			fmt.Fprintf(&b, "<%04x> <%s>\n", at+i+1, utf16Hex(string(r)))
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

func utf16Hex(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04x", unit)
	}
	return b.String()
}

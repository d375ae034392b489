package transcript

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"glyphbox/internal/domain/recognition"
)

// A page is as large as its image is at its resolution, unless that is more or less than viewers can show: Acrobat goes from 3 to
// 14,400 points.
const (
	pointsPerInch      = 72.0
	minSide, maxSide   = 3.0, 14400.0
	catalogObject      = 1
	pagesObject        = 2
	pageObject         = 3
	contentObject      = 4
	pictureObject      = 5
	fontObject         = 6
	descendantObject   = 7
	descriptorObject   = 8
	fontFileObject     = 9
	glyphMapObject     = 10
	toUnicodeObject    = 11
	informationObject  = 12
	numberOfPDFObjects = 13 // with object 0, the head of the list of free ones
)

// writePDF writes a PDF 1.7 of one page: the image, and over it the words in text that is not painted, each stretched to
// its box. The same run gives the same bytes.
func writePDF(w io.Writer, t recognition.Transcript) error {
	picture, err := newPicture(t.Page)
	if err != nil {
		return err
	}
	width, height := float64(max(1, t.Image.Width)), float64(max(1, t.Image.Height))
	scale := min(max(pointsPerInch/float64(t.Image.Resolution()), minSide/min(width, height)), maxSide/max(width, height))
	text := textLayer{scale: scale, height: height * scale, codes: map[rune]int{}}
	text.code(utf8.RuneError)
	fmt.Fprintf(&text.b, "q %s 0 0 %s 0 0 cm /Page Do Q\nBT 3 Tr\n", number(width*scale), number(height*scale))
	text.draw(layout(t))
	text.b.WriteString("ET\n")

	f := pdfFile{w: w}
	f.printf("%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n")
	lang := ""
	if tag := firstTag(t.Run.Lang); tag != "" {
		lang = " /Lang (" + tag + ")"
	}
	f.object(catalogObject, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /ViewerPreferences << /DisplayDocTitle true >>%s >>", pagesObject, lang))
	f.object(pagesObject, fmt.Sprintf("<< /Type /Pages /Kids [%d 0 R] /Count 1 >>", pageObject))
	f.object(pageObject, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Contents %d 0 R "+
		"/Resources << /XObject << /Page %d 0 R >> /Font << /Text %d 0 R >> >> >>",
		pagesObject, number(width*scale), number(height*scale), contentObject, pictureObject, fontObject))
	f.stream(contentObject, "/Filter /FlateDecode", deflated(text.b.Bytes()))
	f.stream(pictureObject, "/Type /XObject /Subtype /Image "+picture.dict, picture.data)
	f.object(fontObject, fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /Glyphless /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>",
		descendantObject, toUnicodeObject))
	f.object(descendantObject, fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Glyphless /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "+
		"/FontDescriptor %d 0 R /DW %d /CIDToGIDMap %d 0 R >>", descriptorObject, glyphWidth, glyphMapObject))
	f.object(descriptorObject, fmt.Sprintf("<< /Type /FontDescriptor /FontName /Glyphless /Flags 4 /FontBBox [0 %d %d %d] /ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d "+
		"/StemV 80 /FontFile2 %d 0 R >>", descent, glyphWidth, ascent, ascent, descent, ascent, fontFileObject))
	f.stream(fontFileObject, fmt.Sprintf("/Filter /FlateDecode /Length1 %d", len(glyphless)), deflated(glyphless))
	f.stream(glyphMapObject, "/Filter /FlateDecode", deflated(append([]byte{0, 0}, bytes.Repeat([]byte{0, 1}, len(text.runes))...)))
	f.stream(toUnicodeObject, "/Filter /FlateDecode", deflated(toUnicode(text.runes)))
	f.object(informationObject, fmt.Sprintf("<< /Title %s /Creator %s /Producer %s /CreationDate (%s) >>",
		textString(clean(t.Image.Name)), textString(clean(t.Run.Engine)), textString("Glyphbox"), t.Run.Created.UTC().Truncate(time.Second).Format("D:20060102150405Z")))
	return f.finish()
}

// textLayer is the invisible text as operators of a content stream.
type textLayer struct {
	b      bytes.Buffer
	scale  float64 // points per pixel
	height float64 // of the page, points
	codes  map[rune]int
	runes  []rune // by code less one
}

func (l *textLayer) draw(blocks []block) {
	for _, b := range blocks {
		for _, p := range b.paragraphs {
			for _, line := range p.lines {
				l.drawLine(line)
			}
		}
	}
}

// drawLine writes the words of a line with one size and, unless the line is aslant, on one baseline: readers take what differs there
// for parts of different lines. Between two words there is a space that fills their distance; where they leave next to none, the
// word before gives way, since readers go by distances too.
func (l *textLayer) drawLine(line line) {
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
		em := float64(size) * l.scale
		fmt.Fprintf(&l.b, "/Text %s Tf 1 0 0 1 %s %s Tm ", number(em), number(left*l.scale), number(l.height-float64(bottom)*l.scale-em*descent/1000))
		l.show(asSeen(w.text), right-left, size)
		if i+1 < len(line.words) {
			l.show(" ", max(1, next-right), size)
		}
		l.b.WriteByte('\n')
	}
}

// asSeen is a word from left to right. Readers turn words of scripts that run to the left round again.
func asSeen(s string) string {
	first := strings.IndexFunc(s, unicode.IsLetter)
	if first < 0 {
		return s
	}
	if r, _ := utf8.DecodeRuneInString(s[first:]); !unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko) {
		return s
	}
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}

// show writes a text as wide as that many pixels.
func (l *textLayer) show(s string, width float64, size int) {
	natural := float64(utf8.RuneCountInString(s)*size) * glyphWidth / 1000
	fmt.Fprintf(&l.b, "%s Tz <", number(100*width/natural))
	for _, r := range s {
		fmt.Fprintf(&l.b, "%04x", l.code(r))
	}
	l.b.WriteString("> Tj ")
}

// code is the number of a character in this document. There are 65,535; what a text has beyond that is U+FFFD, which is 1.
func (l *textLayer) code(r rune) int {
	n, ok := l.codes[r]
	switch {
	case ok:
		return n
	case len(l.runes) == math.MaxUint16:
		return 1
	}
	l.runes = append(l.runes, r)
	l.codes[r] = len(l.runes)
	return len(l.runes)
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

// textString is a text of the document's information.
func textString(s string) string { return "<feff" + utf16Hex(s) + ">" }

// number is a number as PDF has it, which knows no exponents.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 32) }

func deflated(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// pdfFile writes objects and remembers where they are.
type pdfFile struct {
	w       io.Writer
	at      int
	offsets [numberOfPDFObjects]int
	err     error // the first one
}

func (f *pdfFile) printf(format string, args ...any) {
	if f.err == nil {
		var n int
		n, f.err = fmt.Fprintf(f.w, format, args...)
		f.at += n
	}
}

func (f *pdfFile) object(n int, body string) {
	f.offsets[n] = f.at
	f.printf("%d 0 obj\n%s\nendobj\n", n, body)
}

func (f *pdfFile) stream(n int, dict string, data []byte) {
	f.offsets[n] = f.at
	f.printf("%d 0 obj\n<< %s /Length %d >>\nstream\n%s\nendstream\nendobj\n", n, dict, len(data), data)
}

func (f *pdfFile) finish() error {
	at := f.at
	f.printf("xref\n0 %d\n0000000000 65535 f \n", numberOfPDFObjects)
	for _, offset := range f.offsets[1:] {
		f.printf("%010d 00000 n \n", offset)
	}
	f.printf("trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", numberOfPDFObjects, catalogObject, informationObject, at)
	return f.err
}

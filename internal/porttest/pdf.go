package porttest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"strings"
)

// PDFPage is a page of a PDF file that a test makes. Coordinates are points from the lower left corner.
type PDFPage struct {
	Width, Height float64    // 0: those of A4
	Crop          [4]float64 // left, bottom, right, top; all 0: the whole page
	Rotate        int        // degrees
	Unit          float64    // points that a unit of Width, Height, Crop and Content is (UserUnit); 0: 1
	// operators; fonts: /F1 is Helvetica, /F2 has the letters of PDFScript as they are, /F3 the same without their names
	Content     string
	Image       image.Image
	Annotations string // dictionaries
}

// PDFText returns operators that write a line of text in Helvetica.
func PDFText(x, y, size float64, text string) string {
	return fmt.Sprintf("BT /F1 %g Tf %g %g Td (%s) Tj ET\n", size, x, y, strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(text))
}

// PDFScript returns operators that write a line in any script, with squares for letters, of which the file says what they are.
func PDFScript(x, y, size float64, text string) string { return pdfScript("F2", x, y, size, text) }

// PDFNameless is PDFScript with a font that does not say what its letters are.
func PDFNameless(x, y, size float64, text string) string { return pdfScript("F3", x, y, size, text) }

func pdfScript(font string, x, y, size float64, text string) string {
	var codes strings.Builder
	for _, r := range text {
		fmt.Fprintf(&codes, "%02x", pdfCode(r))
	}
	return fmt.Sprintf("BT /%s %g Tf %g %g Td <%s> Tj ET\n", font, size, x, y, codes.String())
}

// pdfLetters are the letters that PDFScript knows.
var pdfLetters = []rune(" 대한민국헌법제조항은주공화이다권력모든으로부터나온가각하자를의에서년월일금원0123456789,.ABCDEF")

func pdfCode(r rune) int {
	for i, l := range pdfLetters {
		if l == r {
			return 32 + i
		}
	}
	panic(fmt.Sprintf("PDFScript does not know %q", r))
}

// PDFImage returns operators that draw the image of a page.
func PDFImage(x, y, width, height float64) string {
	return fmt.Sprintf("q %g 0 0 %g %g %g cm /Im Do Q\n", width, height, x, y)
}

// PDF makes a file of pages. The same pages give the same bytes.
func PDF(pages ...PDFPage) []byte { return PDFWith("", pages...) }

// PDFWith is PDF with more entries of the catalog.
func PDFWith(catalog string, pages ...PDFPage) []byte {
	var w pdfWriter
	w.b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	root, tree := w.reserve(), w.reserve()
	helvetica := w.add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
	script, nameless := w.script()
	var kids strings.Builder
	for _, p := range pages {
		if p.Width == 0 {
			p.Width, p.Height = 595, 842
		}
		resources := fmt.Sprintf("/Font<</F1 %d 0 R/F2 %d 0 R/F3 %d 0 R>>", helvetica, script, nameless)
		if p.Image != nil {
			resources += fmt.Sprintf("/XObject<</Im %d 0 R>>", w.image(p.Image))
		}
		entries := fmt.Sprintf("/MediaBox[0 0 %g %g]/Resources<<%s>>/Contents %d 0 R", p.Width, p.Height, resources,
			w.stream("", []byte(p.Content)))
		if p.Crop != [4]float64{} {
			entries += fmt.Sprintf("/CropBox[%g %g %g %g]", p.Crop[0], p.Crop[1], p.Crop[2], p.Crop[3])
		}
		if p.Rotate != 0 {
			entries += fmt.Sprintf("/Rotate %d", p.Rotate)
		}
		if p.Unit != 0 {
			entries += fmt.Sprintf("/UserUnit %g", p.Unit)
		}
		if p.Annotations != "" {
			entries += "/Annots[" + p.Annotations + "]"
		}
		fmt.Fprintf(&kids, "%d 0 R ", w.add(fmt.Sprintf("<</Type/Page/Parent %d 0 R%s>>", tree, entries)))
	}
	w.set(tree, fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(pages), kids.String()))
	w.set(root, fmt.Sprintf("<</Type/Catalog/Pages %d 0 R%s>>", tree, catalog))
	return w.finish(root)
}

// pdfWriter writes objects and remembers where they stand.
type pdfWriter struct {
	b  bytes.Buffer
	at []int
}

func (w *pdfWriter) reserve() int {
	w.at = append(w.at, 0)
	return len(w.at)
}

func (w *pdfWriter) set(n int, body string) {
	w.at[n-1] = w.b.Len()
	fmt.Fprintf(&w.b, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (w *pdfWriter) add(body string) int {
	n := w.reserve()
	w.set(n, body)
	return n
}

func (w *pdfWriter) stream(entries string, data []byte) int {
	return w.add(fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", entries, len(data), data))
}

func (w *pdfWriter) image(m image.Image) int {
	b := m.Bounds()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			red, green, blue, _ := m.At(x, y).RGBA()
			_, _ = z.Write([]byte{byte(red >> 8), byte(green >> 8), byte(blue >> 8)}) // to memory
		}
	}
	_ = z.Close()
	entries := fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode",
		b.Dx(), b.Dy())
	return w.stream(entries, packed.Bytes())
}

// script makes the fonts of PDFScript and PDFNameless: a hollow square for each letter.
func (w *pdfWriter) script() (named, nameless int) {
	square := w.stream("", []byte("1000 0 0 0 900 900 d1 100 0 700 750 re 250 150 400 450 re f*"))
	blank := w.stream("", []byte("500 0 0 0 0 0 d1"))
	var procs, differences, widths, names strings.Builder
	for i, r := range pdfLetters {
		glyph, width := square, 1000
		if r == ' ' {
			glyph, width = blank, 500
		}
		fmt.Fprintf(&procs, "/g%d %d 0 R", i, glyph)
		fmt.Fprintf(&differences, "/g%d", i)
		fmt.Fprintf(&widths, "%d ", width)
		fmt.Fprintf(&names, "<%02x> <%04x>\n", 32+i, r)
	}
	font := fmt.Sprintf("/Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[0.001 0 0 0.001 0 0]/CharProcs<<%s>>"+
		"/Encoding<</Type/Encoding/Differences[32%s]>>/FirstChar 32/LastChar %d/Widths[%s]/Resources<<>>",
		procs.String(), differences.String(), 31+len(pdfLetters), widths.String())
	mapping := w.stream("", fmt.Appendf(nil, "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 "+
		"def\n"+
		"1 begincodespacerange <00> <ff> endcodespacerange\n%d beginbfchar\n%sendbfchar\nendcmap end end", len(pdfLetters), names.String()))
	return w.add(fmt.Sprintf("<<%s/ToUnicode %d 0 R>>", font, mapping)), w.add("<<" + font + ">>")
}

func (w *pdfWriter) finish(root int) []byte {
	at := w.b.Len()
	fmt.Fprintf(&w.b, "xref\n0 %d\n0000000000 65535 f \n", len(w.at)+1)
	for _, offset := range w.at {
		fmt.Fprintf(&w.b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&w.b, "trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(w.at)+1, root, at)
	return w.b.Bytes()
}

package engine

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest"
)

// plaid is an image of that many pixels, no two neighbours of which are alike.
func plaid(width, height int) image.Image {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(60 + 120*((i%width+i/width)%2) + i%37)
	}
	return m
}

// A page of images alone is as fine as they are; one with anything else is rendered at 300 dpi.
func TestPagesOfImages(t *testing.T) {
	e := start(t, alone)
	const width, height = 1200, 1600 // pixels of the image
	whole := porttest.PDFImage(0, 0, 900, 1200)
	layer := "3 Tr " + porttest.PDFText(90, 600, 12, "what a recogniser read") + "0 Tr "
	page := func(content string) porttest.PDFPage {
		return porttest.PDFPage{Width: 900, Height: 1200, Image: plaid(width, height), Content: content}
	}
	note := func(kind string) string {
		return "<</Type/Annot/Subtype/" + kind + "/Rect[90 90 200 200]/C[1 0 0]/F 4>>"
	}
	with := func(p porttest.PDFPage, change func(*porttest.PDFPage)) porttest.PDFPage { change(&p); return p }
	var strips, words strings.Builder
	for n := range 8 {
		fmt.Fprintf(&strips, "q 0 %d 900 150 re W n %sQ\n", 150*n, whole)
	}
	for n := range 5000 {
		words.WriteString(porttest.PDFText(90, float64(n%1000), 1, "word"))
	}
	for name, c := range map[string]struct {
		page               porttest.PDFPage
		width, height, dpi int
	}{
		"one image":                 {page(whole), 1200, 1600, 96},
		"an image and a text layer": {page(layer + whole + layer), 1200, 1600, 96},
		"an image on white paper":   {page("1 g 0 0 900 1200 re f " + whole), 1200, 1600, 96},
		"strips":                    {page(strips.String()), 1200, 1600, 96},
		"half of the page":          {page(porttest.PDFImage(0, 600, 900, 600)), 2400, 3200, 192},
		"turned by the file":        {with(page(whole), func(p *porttest.PDFPage) { p.Rotate = 90 }), 1600, 1200, 96},
		"turned on the page":        {page("q 0 1200 -900 0 900 0 cm /Im Do Q\n"), 1600, 2133, 128},
		"aslant":                    {page("q 0.9848 0.1736 -0.1736 0.9848 100 -50 cm " + whole + "Q\n"), 1200, 1600, 96},
		"cropped":                   {with(page(whole), func(p *porttest.PDFPage) { p.Crop = [4]float64{0, 0, 900, 900} }), 1200, 1200, 96},
		"of larger units": {porttest.PDFPage{Width: 450, Height: 600, Unit: 2, Image: plaid(width, height),
			Content: porttest.PDFImage(0, 0, 450, 600)}, 1200, 1600, 96},
		"two resolutions, the finest counts": {page(whole + porttest.PDFImage(0, 0, 450, 600)), 2400, 3200, 192},
		"finer than 300 dpi":                 {page(whole + porttest.PDFImage(0, 0, 90, 120)), 3750, 5000, 300},
		"as fine as the paper is small": {porttest.PDFPage{Width: 144, Height: 192, Image: plaid(width, height),
			Content: porttest.PDFImage(0, 0, 144, 192)}, 600, 800, 300},
		"coarse": {with(page(whole), func(p *porttest.PDFPage) { p.Image = plaid(30, 40) }), 887, 1182, 71},
		"linked": {with(page(whole), func(p *porttest.PDFPage) { p.Annotations = note("Link") }), 1200, 1600, 96},

		"an image and text":        {page(whole + porttest.PDFText(90, 90, 12, "header")), 3750, 5000, 300},
		"text in front of a layer": {page(porttest.PDFText(90, 90, 12, "header") + whole + layer), 3750, 5000, 300},
		"an image and a rule":      {page(whole + "90 90 500 1 re f\n"), 3750, 5000, 300},
		"an image and a stroke":    {page(whole + "90 90 m 500 90 l S\n"), 3750, 5000, 300},
		"a logo and text":          {page(porttest.PDFImage(20, 1100, 60, 80) + porttest.PDFText(90, 90, 12, "text")), 3750, 5000, 300},
		"text alone":               {page(porttest.PDFText(90, 90, 12, "text")), 3750, 5000, 300},
		"nothing":                  {page(""), 3750, 5000, 300},
		"annotated":                {with(page(whole), func(p *porttest.PDFPage) { p.Annotations = note("Square") }), 3750, 5000, 300},
		"more than is looked at":   {page(whole + "3 Tr " + words.String()), 3750, 5000, 300},
		"an image of no size":      {page("q 0 0 0 0 0 0 cm /Im Do Q\n"), 3750, 5000, 300},
	} {
		t.Run(name, func(t *testing.T) {
			file := porttest.PDF(c.page)
			got := pdfPage(t, e, file, 1)
			if got.Width != c.width || got.Height != c.height || got.DPI != c.dpi {
				t.Errorf("got %d × %d at %d dpi, want %d × %d at %d", got.Width, got.Height, got.DPI, c.width, c.height, c.dpi)
			}
		})
	}
	t.Run("pixels", func(t *testing.T) { // are those of the image
		m := cutOut(t, e, pdfPage(t, e, porttest.PDF(page(whole)), 1), document.Box{X1: 300, Y1: 500, X2: 400, Y2: 600})
		want := plaid(width, height).(*image.Gray)
		for y := range 100 {
			for x := range 100 {
				if got, want := color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y, want.GrayAt(300+x, 500+y).Y; got != want {
					t.Fatalf("%d, %d: got %d, want %d", x, y, got, want)
				}
			}
		}
	})
}

// Forms are looked into, masks may be finer than what they are laid on, and a page that nobody can look at has a size.
func TestImagesInObjects(t *testing.T) {
	e := start(t, alone, func(o *Options) { o.RegionTimeout = 8 * time.Second })
	const entries = "/Type/XObject/Subtype/Image/Width 1200/Height 1200/ColorSpace/DeviceGray/BitsPerComponent 8"
	form := func(matrix, content, resources string) string {
		return stream("/Type/XObject/Subtype/Form/BBox[0 0 999 999]/Matrix["+matrix+"]/Resources<<"+resources+">>", content)
	}
	picture := func(more string) string { return stream(entries+more+"/Filter/ASCIIHexDecode", ">") }
	sized := func(width string) string {
		return stream("/Type/XObject/Subtype/Image/Width "+width+"/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/ASCIIHexDecode", ">")
	}
	const resources = "/XObject<</A 5 0 R/B 6 0 R>>/ExtGState<</G 7 0 R/H 9 0 R>>"
	const state = "<</Type/ExtGState/SMask<</Type/Mask/S/Alpha/G 8 0 R>>>>"
	const words = "BT 3 Tr /F 9 Tf (word) Tj ET"
	const draw, apart = "1000 0 0 1000 0 0 cm /B Do ", "1 0 0 1 0 0"
	none := form(apart, "", "")
	for name, c := range map[string]struct {
		content string
		objects []string // A, B, and a mask
		dpi     int
	}{
		"in a form": {"1000 0 0 1000 0 0 cm /A Do", []string{form(apart, "/B Do", resources), picture("")}, 86},
		"in a large form": {"/A Do", []string{form("100 0 0 100 0 0", "q 10 0 0 10 0 0 cm /B Do Q "+words, resources),
			picture("")}, 86},
		"forms in each other":             {"/A Do", []string{form(apart, "/B Do", resources), form(apart, "/A Do", resources)}, 300},
		"by itself":                       {draw, []string{none, picture("")}, 86},
		"with a mask as fine":             {draw, []string{none, picture("/SMask 7 0 R"), picture("")}, 86},
		"with a stencil as fine":          {draw, []string{none, picture("/Mask 7 0 R"), picture("")}, 86},
		"with a finer mask":               {draw, []string{none, picture("/SMask 7 0 R"), sized("2400/Height 1300")}, 173},
		"with a mask of a size elsewhere": {draw, []string{none, picture("/SMask 7 0 R"), sized("8 0 R/Height 1300")}, 300},
		"with a mask that is not there":   {draw, []string{none, picture("/SMask 70 0 R")}, 300},
		"with a mask that is not used":    {draw, []string{none, picture(""), "<</Type/ExtGState/SMask 8 0 R>>", form(apart, "", "")}, 86},
		"masked as it is drawn":           {"/G gs " + draw, []string{none, picture(""), state, form(apart, "", "")}, 300},
		"masked by a dictionary": {"/G gs " + draw, []string{none, picture(""), "<</Type/ExtGState/SMask<</S/Alpha/G 8 0 R>>>>",
			form(apart, "", "")}, 300},
		"masked in a form": {"/A Do", []string{form(apart, "/G gs /B Do", resources), picture(""), state, form(apart, "", "")}, 300},
		"masked as a form": {"/G gs /A Do", []string{form(apart, "/B Do", resources), picture(""), state, form(apart, "", "")}, 300},
		"masked no more":   {"/G gs /H gs " + draw, []string{none, picture(""), state, form(apart, "", ""), "<</SMask/None>>"}, 86},
		"of a group": {"/A Do", []string{strings.Replace(form(apart, "1000 0 0 1000 0 0 cm /B Do", resources), "/Matrix",
			"/Group<</S/Transparency/I true>>/Matrix", 1), picture("")}, 86},
		"beside a mask of a size elsewhere": {draw, []string{none, picture(""), sized("600/SMask 8 0 R/Height 600"),
			sized("9 0 R/Height 600"), "600"}, 86},
		"beside an image of a size elsewhere": {draw, []string{none, picture(""), sized("9 0 R/SMask 8 0 R/Height 600"),
			sized("2400/Height 1300"), "600"}, 173},
		"beside an image with a finer mask": {draw, []string{none, picture(""), sized("600/SMask 8 0 R/Height 600"),
			sized("2400/Height 2400")}, 86},
		"with a colour left out": {draw, []string{none, picture("/Mask[0 1]")}, 86},
		"written on by a form":   {draw + "/A Do", []string{form(apart, "0 0 1 1 re f", ""), picture("")}, 300},
	} {
		file := bytes.Replace(drawing(c.content, resources, c.objects...), []byte("[0 0 200 200]"), []byte("[0 0 1000 1000]"), 1)
		if got := pdfPage(t, e, file, 1); got.DPI != c.dpi {
			t.Errorf("%s: got %d × %d at %d dpi, want %d", name, got.Width, got.Height, got.DPI, c.dpi)
		}
	}
	for name, file := range somePageTricks(1) {
		file = append(file, "%/Image "...) // so that pages are looked at
		probe, err := e.Probe(t.Context(), porttest.FileOf(file))
		if err != nil || len(probe.Pages) != 2 || probe.Pages[1].Width == 0 {
			t.Errorf("%s: got %+v, %v", name, probe, err)
		}
	}
}

// Files of many pages with text are not looked at to the end.
func BenchmarkProbe(b *testing.B) {
	e := start(b, func(o *Options) { o.Workers = 1 })
	var words strings.Builder
	for n := range 500 {
		words.WriteString(porttest.PDFText(float64(50*(n%10)), float64(15*(n/10)), 10, "word"))
	}
	for name, content := range map[string]string{"text": "", "scans": "3 Tr "} {
		pages := make([]porttest.PDFPage, 300)
		for i := range pages {
			pages[i] = porttest.PDFPage{Image: plaid(20, 30), Content: porttest.PDFImage(0, 0, 595, 842) + content + words.String()}
		}
		file := porttest.PDF(pages...)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				pdfPage(b, e, file, 1)
			}
		})
	}
}

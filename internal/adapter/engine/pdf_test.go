package engine

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/pdfparse"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// pdfPage returns a page of a PDF file as it is after it was looked at.
func pdfPage(t testing.TB, e *Engine, file []byte, number int) document.Page {
	t.Helper()
	probe, err := e.Probe(t.Context(), porttest.FileOf(file))
	if err != nil {
		t.Fatal(err)
	}
	page := porttest.PageOf(file)
	page.Number, page.File.MediaType = number, probe.MediaType
	p := probe.Pages[number-1]
	page.Width, page.Height, page.DPI = p.Width, p.Height, p.DPI
	return page
}

// texts returns what the text layer of a page has in boxes, and for those where it cannot be trusted why.
func texts(t testing.TB, e *Engine, page document.Page, boxes ...document.Box) ([]*recognition.Reading, []string, error) {
	t.Helper()
	readings, reasons, _, err := e.pdf.texts(t.Context(), page, 1, false, boxes, protocol.PDFJob{})
	return readings, reasons, err
}

// cutOut returns a box of a page as the workers see it.
func cutOut(t *testing.T, e *Engine, page document.Page, box document.Box) image.Image {
	t.Helper()
	r, err := e.Cut(t.Context(), page, box)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(r.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ink returns the box of what is dark in an image.
func ink(m image.Image) (b document.Box) {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y < 128 {
				b = b.Union(document.Box{X1: x, Y1: y, X2: x + 1, Y2: y + 1})
			}
		}
	}
	return b
}

// near tells whether the sides of two boxes are at most that many pixels apart.
func near(a, b document.Box, most int) bool {
	far := func(x, y int) bool { return x-y > most || y-x > most }
	return !far(a.X1, b.X1) && !far(a.Y1, b.Y1) && !far(a.X2, b.X2) && !far(a.Y2, b.Y2)
}

// black is a page with a black bar of an inch by half an inch, an inch from the left and the bottom of its media box.
const black = "72 72 72 36 re f\n"

// Pages are as viewers show them: cropped, turned by the file and then by the user, at 300 dpi unless that is too many pixels.
func TestPagesOfPDF(t *testing.T) {
	e := start(t, alone, func(o *Options) { o.MaxPixels = 2_000_000 })
	note := "<</Type/Annot/Subtype/Square/Rect[72 72 144 108]/C[0 0 0]/IC[0 0 0]/BS<</W 0>>/F 4>>"
	for name, c := range map[string]struct {
		page          porttest.PDFPage
		width, height int
		dpi           int
		ink           document.Box
	}{
		"plain": {porttest.PDFPage{Width: 288, Height: 216, Content: black}, 1200, 900, 300,
			document.Box{X1: 300, Y1: 450, X2: 600, Y2: 600}},
		"cropped": {porttest.PDFPage{Width: 288, Height: 216, Crop: [4]float64{36, 36, 180, 144}, Content: black}, 600, 450, 300,
			document.Box{X1: 150, Y1: 150, X2: 450, Y2: 300}},
		"turned by 90": {porttest.PDFPage{Width: 288, Height: 216, Rotate: 90, Content: black}, 900, 1200, 300,
			document.Box{X1: 300, Y1: 300, X2: 450, Y2: 600}},
		"turned by 180": {porttest.PDFPage{Width: 288, Height: 216, Rotate: 180, Content: black}, 1200, 900, 300,
			document.Box{X1: 600, Y1: 300, X2: 900, Y2: 450}},
		"turned and cropped": {porttest.PDFPage{Width: 288, Height: 216, Crop: [4]float64{36, 36, 180, 144}, Rotate: 270, Content: black},
			450, 600, 300, document.Box{X1: 150, Y1: 150, X2: 300, Y2: 450}},
		"large": {porttest.PDFPage{Width: 2880, Height: 2160, Content: "720 720 720 360 re f\n"}, 1600, 1200, 40,
			document.Box{X1: 400, Y1: 600, X2: 800, Y2: 800}},
		"of larger units": {porttest.PDFPage{Width: 144, Height: 108, Unit: 2, Content: "36 36 36 18 re f\n"}, 1200, 900, 300,
			document.Box{X1: 300, Y1: 450, X2: 600, Y2: 600}},
		"of smaller units, turned and cropped": {porttest.PDFPage{Width: 576, Height: 432, Crop: [4]float64{72, 72, 360, 288}, Rotate: 270,
			Unit: 0.5, Content: "144 144 144 72 re f\n"}, 450, 600, 300, document.Box{X1: 150, Y1: 150, X2: 300, Y2: 450}},
		"of huge units": {porttest.PDFPage{Width: 288, Height: 216, Unit: 30_000, Content: black}, 1200, 900, 1,
			document.Box{X1: 300, Y1: 450, X2: 600, Y2: 600}},
		"of units that are none": {porttest.PDFPage{Width: 288, Height: 216, Unit: -2, Content: black}, 1200, 900, 300,
			document.Box{X1: 300, Y1: 450, X2: 600, Y2: 600}},
		"annotated": {porttest.PDFPage{Width: 288, Height: 216, Annotations: note}, 1200, 900, 300,
			document.Box{X1: 300, Y1: 450, X2: 600, Y2: 600}},
	} {
		t.Run(name, func(t *testing.T) {
			file := porttest.PDF(c.page)
			page := pdfPage(t, e, file, 1)
			if page.Width != c.width || page.Height != c.height || page.DPI != c.dpi {
				t.Fatalf("got %d × %d at %d dpi, want %d × %d at %d", page.Width, page.Height, page.DPI, c.width, c.height, c.dpi)
			}
			rotations := document.Rotations
			if name != "turned and cropped" && !check.Soak() {
				rotations = rotations[:1] // the page that is both shows how the turns of a user and of a file meet
			}
			for _, rotation := range rotations {
				turned := page
				if turned.Rotation = rotation; rotation%180 != 0 {
					turned.Width, turned.Height = page.Height, page.Width
				}
				got := ink(cutOut(t, e, turned, document.Box{X2: turned.Width, Y2: turned.Height}))
				if want := c.ink.Turned(rotation, page.Width, page.Height); !near(got, want, 2) {
					t.Errorf("turned by %d: ink at %v, want %v", rotation, got, want)
				}
				thumbnail, err := e.Thumbnail(t.Context(), turned, 128)
				if err != nil {
					t.Fatal(err)
				}
				small, err := jpeg.Decode(bytes.NewReader(thumbnail.Bytes))
				if err != nil || max(small.Bounds().Dx(), small.Bounds().Dy()) != 128 {
					t.Fatalf("got a thumbnail of %v, %v", small.Bounds(), err)
				}
				scale := float64(turned.Width) / float64(small.Bounds().Dx())
				b := ink(small)
				at := func(v int) int { return int(float64(v) * scale) }
				if want := c.ink.Turned(rotation, page.Width, page.Height); !near(document.Box{X1: at(b.X1), Y1: at(b.Y1), X2: at(b.X2),
					Y2: at(b.Y2)}, want, int(2*scale)) {
					t.Errorf("turned by %d: ink of the thumbnail at %v, want %v", rotation, b, want)
				}
			}
		})
	}
}

// The value of a field of a form is shown as a viewer shows it.
func TestFieldsOfForms(t *testing.T) {
	e := start(t, alone)
	form := "/AcroForm<</Fields[]/NeedAppearances true/DA(/Helv 12 Tf 0 " +
		"g)/DR<</Font<</Helv<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
	field := "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Filled in)/DA(/Helv 24 Tf 0 g)/Rect[72 72 216 108]/F 4>>"
	page := pdfPage(t, e, porttest.PDFWith(form, porttest.PDFPage{Width: 288, Height: 216, Annotations: field}), 1)
	b := ink(cutOut(t, e, page, document.Box{X2: page.Width, Y2: page.Height}))
	if b.Empty() || b.X1 < 290 || b.X2 > 910 || b.Y1 < 440 || b.Y2 > 610 {
		t.Errorf("got ink at %v", b)
	}
}

// A file of many pages is looked at in less than the time of a page's reading, and any of its pages is found.
func TestManyPagesOfPDF(t *testing.T) {
	e := start(t, alone)
	pages := make([]porttest.PDFPage, 500)
	for i := range pages {
		pages[i] = porttest.PDFPage{Width: 144 + float64(i), Height: 72, Content: porttest.PDFText(10, 30, 20, fmt.Sprintf("Page %d", i+1))}
	}
	file := porttest.PDF(pages...)
	pdfPage(t, e, file, 1) // starts the worker
	began := time.Now()
	page := pdfPage(t, e, file, 500)
	t.Logf("looked at in %v", time.Since(began))
	probe, err := e.Probe(t.Context(), page.File)
	if err != nil || len(probe.Pages) != 500 || page.Width != 2679 || page.Height != 300 {
		t.Errorf("got %d pages, %v, %+v", len(probe.Pages), err, page)
	}
	readings, _, err := texts(t, e, page, document.Box{X2: page.Width, Y2: page.Height})
	if err != nil || readings[0] == nil || readings[0].Text != "Page 500" {
		t.Errorf("got %+v, %v", readings, err)
	}
	if page.Number = 501; err == nil {
		_, err = e.Cut(t.Context(), page, document.Box{X2: 10, Y2: 10})
	}
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("page 501: got %v", err)
	}
}

// encrypted makes a file that a password opens.
func encrypted(t *testing.T, file []byte, password string, bits int) []byte {
	t.Helper()
	arguments := []string{"--encrypt", password, "owner", fmt.Sprint(bits), "--"}
	if bits < 256 {
		arguments = append([]string{"--allow-weak-crypto"}, arguments...)
	}
	return byQPDF(t, file, arguments...)
}

// byQPDF makes a file of another one.
func byQPDF(t *testing.T, file []byte, arguments ...string) []byte {
	t.Helper()
	program, err := exec.LookPath("qpdf")
	if err != nil {
		check.Absent(t, "qpdf", "scripts/setup tests installs it")
	}
	in, out := filepath.Join(t.TempDir(), "in.pdf"), filepath.Join(t.TempDir(), "out.pdf")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), program, append(arguments, in, out)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The units of pages are found where they are compressed or encrypted, each page has its own, and words stand where their ink is.
func TestUnitsOfPDF(t *testing.T) {
	e := start(t, alone)
	text := porttest.PDFText(20, 50, 12, "larger")
	plain := porttest.PDF(porttest.PDFPage{Width: 144, Height: 108, Content: text},
		porttest.PDFPage{Width: 144, Height: 108, Unit: 2, Content: text}, porttest.PDFPage{Width: 144, Height: 108, Content: text})
	compressed := []string{"--object-streams=generate"}
	for name, file := range map[string][]byte{
		"plain": plain, "compressed": byQPDF(t, plain, compressed...), "encrypted": encrypted(t, plain, "secret", 256),
		"encrypted and compressed": byQPDF(t, plain, append(compressed, "--encrypt", "secret", "owner", "256", "--")...),
	} {
		f := porttest.FileOf(file)
		f.Password = "secret"
		probe, err := e.Probe(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for n, width := range []int{600, 1200, 600} {
			page := document.Page{File: f, Number: n + 1, Width: probe.Pages[n].Width, Height: probe.Pages[n].Height}
			page.File.MediaType = probe.MediaType
			if p := probe.Pages[n]; p.Width != width || p.Height != width*3/4 || p.DPI != 300 {
				t.Errorf("%s: page %d is %+v", name, n+1, p)
			}
			readings, reasons, err := texts(t, e, page, document.Box{X2: page.Width, Y2: page.Height})
			if err != nil || readings[0] == nil {
				t.Fatal(name, reasons, err)
			}
			word := readings[0].Words[0]
			if found := ink(cutOut(t, e, page, document.Box{X2: page.Width, Y2: page.Height})); word.Text != "larger" ||
				!near(found, word.Box, width/60) {
				t.Errorf("%s, page %d: %q at %v, ink at %v", name, n+1, word.Text, word.Box, found)
			}
		}
	}
}

func TestPDFWithoutPages(t *testing.T) {
	e := start(t, alone)
	_, err := e.Probe(t.Context(), porttest.FileOf(porttest.PDF()))
	check.Code(t, "Probe", err, fault.Unsupported, "pdf_no_pages")
}

func TestEncryptedPDF(t *testing.T) {
	var log bytes.Buffer
	e := start(t, alone, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	plain := porttest.PDF(porttest.PDFPage{Width: 288, Height: 216, Content: black})
	for _, c := range []struct {
		bits     int
		password string
	}{{128, "geheim"}, {256, "비밀번호 ü"}} {
		file := encrypted(t, plain, c.password, c.bits)
		for _, password := range []string{"", "wrong", c.password + " "} {
			f := porttest.FileOf(file)
			f.Password = password
			_, err := e.Probe(t.Context(), f)
			if p := fault.Of(err); err == nil || p.Kind != fault.Invalid || p.Code != "pdf_encrypted" {
				t.Errorf("password %q: got %v", password, err)
			}
		}
		f := porttest.FileOf(file)
		f.Password = c.password
		probe, err := e.Probe(t.Context(), f)
		if err != nil || len(probe.Pages) != 1 {
			t.Fatalf("%d bits: got %+v, %v", c.bits, probe, err)
		}
		page := porttest.PageOf(file)
		page.File.Password, page.File.MediaType, page.Width, page.Height = c.password, probe.MediaType, 1200, 900
		if got := ink(cutOut(t, e, page, document.Box{X2: 1200, Y2: 900})); !near(got, document.Box{X1: 300, Y1: 450, X2: 600, Y2: 600},
			2) {
			t.Errorf("%d bits: ink at %v", c.bits, got)
		}
		page.File.Password = "" // the open file is not for everybody
		if _, err := e.Thumbnail(t.Context(), page, 64); !fault.Is(err, fault.Invalid) {
			t.Errorf("without the password got %v", err)
		}
		if strings.Contains(log.String(), c.password) {
			t.Errorf("the password is in the log: %s", log.String())
		}
	}
}

// A file opens by its password in whatever letters, as programs of today and of old have put it there, and by no other one.
func TestPasswordsOfPDF(t *testing.T) {
	e := start(t, alone)
	for _, l := range porttest.LockedPDFs(t, porttest.PDF(porttest.PDFPage{Width: 288, Height: 216, Content: black})) {
		f := porttest.FileOf(l.File)
		f.Password = l.Password
		if _, err := e.Probe(t.Context(), f); err != nil {
			t.Errorf("%s: %v", l.Name, err)
		}
		f.Password = l.Password[1:]
		if _, err := e.Probe(t.Context(), f); fault.Of(err) == nil || fault.Of(err).Code != "pdf_encrypted" {
			t.Errorf("%s, with another password: got %v", l.Name, err)
		}
	}
}

// Whatever opens is written anew so that a parser that forgives less reads it: all of it, or some pages in another order.
func TestMendedPDF(t *testing.T) {
	e := start(t, alone)
	plain := porttest.PDF(porttest.PDFPage{Width: 288, Height: 216, Content: black},
		porttest.PDFPage{Width: 144, Height: 72, Content: black})
	without := func(file []byte, what string) []byte {
		return bytes.ReplaceAll(file, []byte(what), bytes.Repeat([]byte(" "), len(what)))
	}
	for name, file := range map[string][]byte{
		"sound": plain, "locked": encrypted(t, plain, "secret", 256),
		"locked without a size":      without(encrypted(t, plain, "secret", 256), "/Size"),
		"of old, locked without it":  without(encrypted(t, plain, "secret", 128), "/Size"),
		"locked without an end":      without(encrypted(t, plain, "secret", 128), "startxref"),
		"without a size":             without(plain, "/Size"),
		"without a count":            without(plain, "/Count 2"),
		"with a box that is no box":  bytes.ReplaceAll(plain, []byte("/Parent"), []byte("/CropBox [1 2] /Parent")),
		"with a table that is wrong": bytes.ReplaceAll(plain, []byte("xref\n0 "), []byte("xref\n3 ")),
	} {
		f := porttest.FileOf(file)
		f.Password = "secret"
		was, err := e.Probe(t.Context(), f)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, pages := range [][]int{nil, {2, 1}, {2}} {
			mended, err := e.Mended(t.Context(), f, pages)
			if err != nil {
				t.Errorf("%s, pages %v: %v", name, pages, err)
				continue
			}
			if ctx, _, _, err := pdfparse.Read(mended, ""); err != nil || ctx.Encrypt != nil {
				t.Errorf("%s, pages %v: cannot be parsed: %v", name, pages, err)
			}
			want := was.Pages
			if pages != nil {
				want = nil
				for _, n := range pages {
					want = append(want, was.Pages[n-1])
				}
			}
			is, err := e.Probe(t.Context(), porttest.FileOf(mended))
			if err != nil || !slices.Equal(is.Pages, want) {
				t.Errorf("%s, pages %v: got %+v, %v, want %+v", name, pages, is.Pages, err, want)
			}
		}
		if _, err := e.Mended(t.Context(), f, []int{3}); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: a page that is not there gave %v", name, err)
		}
	}
}

// A page of a TIFF is decoded by its number, with its own size and orientation.
func TestPagesOfTIFF(t *testing.T) {
	e := start(t, alone)
	texts := []string{"The first page", "A second one", "And a third"}
	var pages []image.Image
	var boxes [][]document.Box
	for i, text := range texts {
		lines := slices.Repeat([]string{text}, i+1)
		m, b := porttest.DrawLines(lines...)
		pages, boxes = append(pages, m), append(boxes, b)
	}
	file := porttest.MultiPageTIFF(pages...)
	probe, err := e.Probe(t.Context(), porttest.FileOf(file))
	if err != nil || len(probe.Pages) != len(texts) {
		t.Fatalf("got %+v, %v", probe, err)
	}
	for _, i := range []int{2, 0, 1, 2} {
		b := pages[i].Bounds()
		if p := probe.Pages[i]; p.Width != b.Dx() || p.Height != b.Dy() {
			t.Errorf("page %d: got %+v, want %v", i+1, p, b)
		}
		page := porttest.PageOf(file)
		page.Number = i + 1
		readings, err := e.Recognize(t.Context(), orderOf(page, boxes[i]...))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range readings {
			if r.Text != texts[i] {
				t.Errorf("page %d: got %q, %+v", i+1, r.Text, r.Error)
			}
		}
	}
	page := porttest.PageOf(file)
	page.Number = 4
	if _, err := e.Thumbnail(t.Context(), page, 64); !fault.Is(err, fault.Unsupported) {
		t.Errorf("page 4: got %v", err)
	}
}

// scan is an image of a line as a scanner gives it.
func scan(line string) image.Image {
	m, _ := porttest.DrawLines(line)
	return m
}

// boxOf returns a box of points, from the lower left corner, in pixels of a page of A4.
func boxOf(page document.Page, left, bottom, right, top float64) document.Box {
	at := func(v float64) int { return int(v * float64(page.DPI) / 72) }
	return document.Box{X1: at(left), Y1: page.Height - at(top), X2: at(right), Y2: page.Height - at(bottom)}
}

// Each region has its own source: exact text where the file has it, and what is read elsewhere.
func TestSourcesOfText(t *testing.T) {
	e := start(t, alone)
	stamp := scan("PAID IN FULL")
	content := porttest.PDFText(72, 760, 12, "A digital header, exact: O0 l1 I|") + porttest.PDFScript(72, 720, 14, "대한민국 헌법 제1조") +
		porttest.PDFNameless(72, 680, 14, "대한민국") + porttest.PDFImage(72, 560, 288, 72) +
		"3 Tr " + porttest.PDFText(80, 590, 12, "hidden below the scan") + "0 Tr " +
		porttest.PDFText(72, 500, 12, "First line of a block") + porttest.PDFText(72, 484, 12, "and its second line.") +
		"1 1 1 rg " + porttest.PDFText(72, 440, 12, "white on white") + "0 g " +
		"q 0 1 -1 0 500 300 cm " + porttest.PDFText(0, 0, 12, "turned text") + "Q\n"
	file := porttest.PDF(porttest.PDFPage{Content: content, Image: stamp})
	page := pdfPage(t, e, file, 1)
	const text, ocr = recognition.SourceText, recognition.SourceOCR
	cases := []struct {
		name   string
		box    document.Box
		source recognition.Source // that the text comes from
		want   string
	}{
		{"header", boxOf(page, 60, 750, 400, 780), text, "A digital header, exact: O0 l1 I|"},
		{"Korean", boxOf(page, 60, 710, 400, 740), text, "대한민국 헌법 제1조"},
		{"nameless letters", boxOf(page, 60, 670, 400, 700), ocr, ""},
		{"scan", boxOf(page, 66, 555, 366, 637), ocr, "PAID IN FULL"},
		{"block", boxOf(page, 60, 475, 400, 520), text, "First line of a block\nand its second line."},
		{"white text", boxOf(page, 60, 430, 400, 460), ocr, ""},
		{"turned", boxOf(page, 480, 290, 510, 400), text, "turned text"},
		{"blank paper", boxOf(page, 60, 100, 400, 200), text, ""},
	}
	for _, rotation := range []int{0, 90} {
		turned := page
		if turned.Rotation = rotation; rotation != 0 {
			turned.Width, turned.Height = page.Height, page.Width
		}
		order := recognition.Order{Page: turned, UserID: 1}
		for _, c := range cases {
			order.Tasks = append(order.Tasks, recognition.Task{Box: c.box.Turned(rotation, page.Width, page.Height), Lang: []string{"eng"},
				Mode: recognition.BestMode, Source: recognition.SourceAuto, Effort: recognition.EffortFast, Rotate: recognition.RotateAuto})
		}
		readings, err := e.Recognize(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range cases {
			r := readings[i]
			if r.Error != nil || r.Source != c.source || c.want != "" && !strings.EqualFold(r.Text, c.want) {
				t.Errorf("turned by %d, %s: got %q from %s, %+v", rotation, c.name, r.Text, r.Source, r.Error)
			}
			if c.source != text {
				continue
			}
			if r.Engine != "pdf text" || len(r.Words) != len(strings.Fields(c.want)) || c.want != "" && r.Confidence != 1 {
				t.Errorf("turned by %d, %s: got %+v", rotation, c.name, r)
			}
			for _, w := range r.Words { // ink is where the words are
				m := cutOut(t, e, turned, w.Box)
				if b := ink(m); b.Empty() || b.Width() < m.Bounds().Dx()/2 || b.Height() < m.Bounds().Dy()/2 {
					t.Errorf("turned by %d: %q at %v has ink at %v", rotation, w.Text, w.Box, b)
				}
			}
			want := rotation
			if c.name == "turned" {
				want = (270 + rotation) % 360
			}
			if r.Rotation != want && c.want != "" {
				t.Errorf("turned by %d, %s: got text turned by %d", rotation, c.name, r.Rotation)
			}
		}
		for i := range order.Tasks {
			order.Tasks[i].Source = text
		}
		if readings, err = e.Recognize(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		for i, c := range cases {
			if f := readings[i].Error; (f == nil) != (c.source == text) || f != nil && f.Code != recognition.CodeNoText {
				t.Errorf("%s, from the text layer: got %+v", c.name, readings[i])
			} else if f != nil {
				t.Logf("%s: %s", c.name, f.Detail)
			}
		}
	}
	order := recognition.Order{Page: page, UserID: 1, Tasks: []recognition.Task{{Box: cases[0].box, Lang: []string{"eng"},
		Mode:   recognition.BestMode,
		Source: ocr, Effort: recognition.EffortFast}}}
	readings, err := e.Recognize(t.Context(), order)
	if err != nil || readings[0].Source != ocr || !strings.HasPrefix(readings[0].Engine, "tesseract") {
		t.Errorf("asked to read: got %+v, %v", readings, err)
	}
}

// BenchmarkTextOfRegions measures the text of a line on a page that is open.
func BenchmarkTextOfRegions(b *testing.B) {
	e := start(b, func(o *Options) { o.Workers = 1 })
	var content strings.Builder
	for i := range 50 {
		content.WriteString(porttest.PDFText(50, 780-15*float64(i), 11,
			fmt.Sprintf("Line %d of a page that a program has typeset, with words and numbers", i)))
	}
	page := pdfPage(b, e, porttest.PDF(porttest.PDFPage{Content: content.String()}), 1)
	var lines []document.Box
	for i := range 50 {
		lines = append(lines, boxOf(page, 40, 776-15*float64(i), 550, 791-15*float64(i)))
	}
	for name, boxes := range map[string][]document.Box{"one": lines[:1], "fifty": lines, "page": {{X2: page.Width, Y2: page.Height}}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, reasons, err := texts(b, e, page, boxes...); err != nil || reasons[0] != "" {
					b.Fatal(reasons, err)
				}
			}
		})
	}
}

// BenchmarkFirstTextOfPages measures the text of the first region of a page after the other.
func BenchmarkFirstTextOfPages(b *testing.B) {
	e := start(b, func(o *Options) { o.Workers = 1 })
	var content strings.Builder
	for i := range 50 {
		content.WriteString(porttest.PDFText(50, 780-15*float64(i), 11,
			fmt.Sprintf("Line %d of a page that a program has typeset, with words and numbers", i)))
	}
	page := pdfPage(b, e, porttest.PDF(slices.Repeat([]porttest.PDFPage{{Content: content.String()}}, 300)...), 1)
	line := boxOf(page, 40, 476, 550, 491)
	for name, box := range map[string]document.Box{"line": line, "page": {X2: page.Width, Y2: page.Height}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page.Number = page.Number%300 + 1
				if _, reasons, err := texts(b, e, page, box); err != nil || reasons[0] != "" {
					b.Fatal(reasons, err)
				}
			}
		})
	}
}

// Colours come as they are, below rows of the page that have none.
func TestColoursOfPDF(t *testing.T) {
	e := start(t, alone)
	page := pdfPage(t, e, porttest.PDF(porttest.PDFPage{Width: 72, Height: 72, Content: "0 36 72 36 re f 1 0 0 rg 0 0 72 18 re f\n"}), 1)
	r, err := e.View(t.Context(), page, document.Box{X2: page.Width, Y2: page.Height}, page.Width)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := image.Decode(bytes.NewReader(r.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	for y, want := range map[int]color.RGBA{50: {0, 0, 0, 255}, 190: {255, 255, 255, 255}, 270: {255, 0, 0, 255}} {
		got := color.RGBAModel.Convert(m.At(150, y)).(color.RGBA)
		far := func(a, b uint8) bool { return int(a)-int(b) > 8 || int(b)-int(a) > 8 }
		if far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) {
			t.Errorf("got %v at %d, want %v", got, y, want)
		}
	}
}

// Views have what is on the page where it is, whole or a part, turned or not, rendered as such or, where they are large, by who reads.
func TestViewsOfPDF(t *testing.T) {
	e := start(t, alone)
	page := pdfPage(t, e, porttest.PDF(porttest.PDFPage{Width: 648, Height: 576, Content: black}), 1)
	bar := document.Box{X1: 300, Y1: 1950, X2: 600, Y2: 2100}
	for _, rotation := range document.Rotations {
		turned, drawn := page, bar.Turned(rotation, page.Width, page.Height)
		if turned.Rotation = rotation; rotation%180 != 0 {
			turned.Width, turned.Height = page.Height, page.Width
		}
		around := document.Box{X1: drawn.X1 - 200, Y1: drawn.Y1 - 100, X2: drawn.X2 + 200, Y2: drawn.Y2 + 100}
		whole := document.Box{X2: turned.Width, Y2: turned.Height}
		for _, c := range []struct {
			part   document.Box
			shrink int
		}{{whole, 4}, {whole, 1}, {around, 1}, {around, 2}} {
			r, err := e.View(t.Context(), turned, c.part, c.part.Width()/c.shrink)
			check.OK(t, "View", err)
			m, _, err := image.Decode(bytes.NewReader(r.Bytes))
			check.OK(t, "Decode", err)
			at := func(v, from int) int { return (v - from) / c.shrink }
			want := document.Box{X1: at(drawn.X1, c.part.X1), Y1: at(drawn.Y1, c.part.Y1), X2: at(drawn.X2, c.part.X1),
				Y2: at(drawn.Y2, c.part.Y1)}
			if got := ink(m); !near(got, want, 2) || m.Bounds().Dx() != c.part.Width()/c.shrink ||
				m.Bounds().Dy() != c.part.Height()/c.shrink {
				t.Errorf("turned by %d, %v at 1/%d: ink at %v of %v, want it at %v", rotation, c.part, c.shrink, got, m.Bounds(), want)
			}
		}
	}
}

// BenchmarkViewOfPDF measures views of the width that the web page asks for, of one page after the other.
func BenchmarkViewOfPDF(b *testing.B) {
	e := start(b, func(o *Options) { o.Workers = 1 })
	var content strings.Builder
	for i := range 50 {
		content.WriteString(porttest.PDFText(50, 780-15*float64(i), 11, fmt.Sprintf("Line %d of a page that a program has typeset", i)))
	}
	pages := slices.Repeat([]porttest.PDFPage{{Content: content.String()}}, 300)
	page := pdfPage(b, e, porttest.PDF(pages...), 1)
	for name, c := range map[string]struct {
		part  document.Box
		width int
	}{"page": {document.Box{X2: page.Width, Y2: page.Height}, 1600}, "tile": {document.Box{X1: 512, Y1: 512, X2: 1024, Y2: 1024}, 512}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page.Number = page.Number%300 + 1
				if _, err := e.View(b.Context(), page, c.part, c.width); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A page that is to be read is rendered once, on the way to its text layer, and is not rendered again to be told that it has no text.
func TestPagesAreRenderedOnce(t *testing.T) {
	e := start(t)
	const width, height = 1200, 300
	scan := image.NewGray(image.Rect(0, 0, width, height))
	for i := range scan.Pix {
		scan.Pix[i] = 255
	}
	for x := 200; x < 900; x++ {
		scan.Pix[150*width+x] = 0
	}
	page := pdfPage(t, e, porttest.PDF(porttest.PDFPage{Width: 288, Height: 72, Image: scan, Content: porttest.PDFImage(0, 0, 288, 72)}), 1)
	whole := recognition.Task{Box: document.Box{X2: page.Width, Y2: page.Height}, Lang: []string{"eng"}, Mode: recognition.BestMode,
		Rotate: recognition.RotateAuto, Effort: recognition.EffortFast, Source: recognition.SourceAuto}
	before := e.PDFStats().Served
	read, err := e.Recognize(t.Context(), recognition.Order{Page: page, Tasks: []recognition.Task{whole}})
	if err != nil || read[0].Error != nil || read[0].Source != recognition.SourceOCR {
		t.Fatalf("got %+v, %v", read, err)
	}
	if n := e.PDFStats().Served - before; n != 1 {
		t.Errorf("reading took %d jobs on the file", n)
	}
	whole.Source = recognition.SourceText
	read, err = e.Recognize(t.Context(), recognition.Order{Page: page, Tasks: []recognition.Task{whole, whole}})
	for _, r := range read {
		if err != nil || r.Error == nil || r.Error.Code != recognition.CodeNoText {
			t.Errorf("got %+v, %v", r, err)
		}
	}
}

// A page with colours that is larger than what workers say at once is shown and read like any other.
func TestLargePagesWithColours(t *testing.T) {
	e := start(t, func(o *Options) { o.Workers = 1 })
	const side = 1300 // points: 29 megapixels, of 88 MB
	page := pdfPage(t, e, porttest.PDF(porttest.PDFPage{Width: side, Height: side,
		Content: "1 0 0 rg 900 900 300 300 re f 0 g " + porttest.PDFText(100, 1200, 40, "Poster of the meeting")}), 1)
	if m := cutOut(t, e, page, document.Box{X2: 3000, Y2: 1000}); ink(m).Empty() {
		t.Error("nothing is to be seen")
	}
	line := recognition.Task{Box: document.Box{X1: 300, Y1: 150, X2: 2800, Y2: 600}, Lang: []string{"eng"}, Mode: recognition.BestMode,
		Rotate: recognition.RotateAuto, Effort: recognition.EffortFast, Source: recognition.SourceOCR}
	read, err := e.Recognize(t.Context(), recognition.Order{Page: page, Tasks: []recognition.Task{line}})
	if err != nil || read[0].Text != "Poster of the meeting" {
		t.Errorf("got %+v, %v", read, err)
	}
}

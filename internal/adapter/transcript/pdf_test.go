package transcript

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// shape is a page of 800 × 600 pixels with something different in each quarter.
func shape() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 800, 600))
	quarters := []color.RGBA{{200, 30, 30, 255}, {30, 200, 30, 255}, {30, 30, 200, 255}, {240, 240, 240, 255}}
	for y := range 600 {
		for x := range 800 {
			m.SetRGBA(x, y, quarters[x/400+2*(y/300)])
		}
	}
	return m
}

func porttestPage() image.Image { return shape().SubImage(image.Rect(390, 290, 410, 310)) }

func pagePNG(t testing.TB) document.Rendition {
	t.Helper()
	return document.Rendition{MediaType: "image/png", Bytes: porttest.PNG(shape())}
}

func pageJPEG(t testing.TB, m image.Image) document.Rendition {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return document.Rendition{MediaType: "image/jpeg", Bytes: b.Bytes()}
}

func savedPDF(t *testing.T, s sampled) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(path, export(t, recognition.FormatPDF, s), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), tool(t, name), args...)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s%s", name, err, &stdout, &stderr)
	}
	return stdout.String()
}

// TestPDFText reads the text back: as layout, as it stands in the file, and by where it is.
func TestPDFText(t *testing.T) {
	s := sample()
	s.Page = pagePNG(t)
	path := savedPDF(t, s)
	want := []string{"대한민국", "만세", "The", "<quick>", "&", `"brown"`, "no", "boxes", "here", "𝄞", "emoji😀"}
	for _, mode := range []string{"-layout", "-raw", "-nopgbrk"} {
		got := run(t, "pdftotext", mode, path, "-")
		if d := cmp.Diff(want, strings.Fields(strings.ReplaceAll(got, "\f", ""))); d != "" {
			t.Errorf("%s (-want +got):\n%s", mode, d)
		}
		if !strings.Contains(got, "만세\n") {
			t.Errorf("%s: no line ends after 만세: %q", mode, got)
		}
	}
	boxes := run(t, "pdftotext", "-bbox", path, "-")
	for text, box := range map[string]document.Box{"대한민국": s.Run.Contents[0].Words[0].Box, "The": s.Run.Contents[0].Words[2].Box} {
		m := regexp.MustCompile(`<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">` + text +
			"<").FindStringSubmatch(boxes)
		if m == nil {
			t.Fatalf("%s is not there:\n%s", text, boxes)
		}
		var at [4]float64
		for i := range at {
			_, _ = fmt.Sscan(m[i+1], &at[i])
			at[i] *= float64(s.Image.Resolution()) / pointsPerInch
		}
		if got := (document.Box{X1: int(at[0] + 0.5), Y1: int(at[1] + 0.5), X2: int(at[2] + 0.5), Y2: int(at[3] + 0.5)}); !near(got, box,
			8) {
			t.Errorf("%s is at %v, want %v", text, got, box)
		}
	}
}

func near(a, b document.Box, most int) bool {
	off := func(x, y int) bool { return x-y > most || y-x > most }
	return !off(a.X1, b.X1) && !off(a.Y1, b.Y1) && !off(a.X2, b.X2) && !off(a.Y2, b.Y2)
}

// TestPDFRightToLeft shows that scripts that run to the left come back in the order of the text.
func TestPDFRightToLeft(t *testing.T) {
	s := sample()
	s.Page = pagePNG(t)
	s.Run.Contents = []recognition.Content{{ROI: document.Box{X1: 100, Y1: 100, X2: 500, Y2: 140},
		Reading: recognition.Reading{Text: "שלום עולם",
			Words: []recognition.Word{{Text: "שלום", Box: document.Box{X1: 320, Y1: 100, X2: 500, Y2: 140}},
				{Text: "עולם", Box: document.Box{X1: 100, Y1: 100, X2: 300, Y2: 140}}}}}}
	got := strings.Map(func(r rune) rune {
		if r >= 0x202A && r <= 0x202E { // marks of direction, which pdftotext adds
			return -1
		}
		return r
	}, run(t, "pdftotext", savedPDF(t, s), "-"))
	if d := cmp.Diff([]string{"שלום", "עולם"}, strings.Fields(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestPDFTurned wants text that is turned on the page where it is, and in its own direction.
func TestPDFTurned(t *testing.T) {
	s := sample()
	s.Page = pagePNG(t)
	box := document.Box{X1: 100, Y1: 200, X2: 140, Y2: 500}
	for rotation, want := range map[int]string{90: `xMin="(2[4-9].*?)" yMin="48.0+" xMax="(.*?)" yMax="72`,
		270: `xMin="(2[4-9].*?)" yMin="96.0+" xMax="(.*?)" yMax="120`} {
		words := []recognition.Word{{Text: "upwards", Box: document.Box{X1: 100, Y1: 400, X2: 140, Y2: 500}},
			{Text: "letters", Box: document.Box{X1: 100, Y1: 200, X2: 140, Y2: 300}}}
		if rotation == 90 {
			words[0].Box, words[1].Box = words[1].Box, words[0].Box
		}
		s.Run.Contents = []recognition.Content{{ROI: box, Reading: recognition.Reading{Text: "upwards letters", Rotation: rotation,
			Words: words}}}
		path := savedPDF(t, s)
		if got := strings.Fields(run(t, "pdftotext", path, "-")); strings.Join(got, " ") != "upwards letters" {
			t.Errorf("turned by %d: got %q", rotation, got)
		}
		if got := run(t, "pdftotext", "-bbox", path, "-"); !regexp.MustCompile(want + `.*>upwards<`).MatchString(got) {
			t.Errorf("turned by %d: upwards is not at %s in %s", rotation, want, got)
		}
	}
}

func TestPDFInformation(t *testing.T) {
	s := sample()
	s.Page = pagePNG(t)
	got := run(t, "pdfinfo", "-isodates", savedPDF(t, s))
	for _, want := range []string{"Title:           " + s.Image.Name, "Producer:        Glyphbox", "2026-11-22T20:06:00Z",
		"Pages:           1", "Page size:       192 x 144 pts", "PDF version:     1.7"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestPDFPicture renders pages from every kind of image and compares the colours: of the image nothing is lost, and of the
// text nothing is seen.
func TestPDFPicture(t *testing.T) {
	m := shape()
	gray := image.NewGray(m.Rect)
	paletted := image.NewPaletted(m.Rect, color.Palette{color.RGBA{200, 30, 30, 255}, color.RGBA{30, 200, 30, 255},
		color.RGBA{30, 30, 200, 255}, color.RGBA{240, 240, 240, 255}})
	bilevel := image.NewPaletted(m.Rect, color.Palette{color.Black, color.White})
	deep := image.NewRGBA64(m.Rect)
	clear := image.NewNRGBA(m.Rect)
	for y := range 600 {
		for x := range 800 {
			for _, to := range []interface{ Set(x, y int, c color.Color) }{gray, paletted, bilevel, deep} {
				to.Set(x, y, m.At(x, y))
			}
			clear.SetNRGBA(x, y, color.NRGBA{uint8(x), 0, 0, 0})
		}
	}
	for name, c := range map[string]struct {
		page document.Rendition
		want func(x, y int) color.Color
	}{
		"png":         {pagePNG(t), m.At},
		"gray png":    {document.Rendition{MediaType: "image/png", Bytes: porttest.PNG(gray)}, gray.At},
		"palette png": {document.Rendition{MediaType: "image/png", Bytes: porttest.PNG(paletted)}, m.At},
		"bilevel png": {document.Rendition{MediaType: "image/png", Bytes: porttest.PNG(bilevel)}, bilevel.At},
		"deep png":    {document.Rendition{MediaType: "image/png", Bytes: porttest.PNG(deep)}, m.At},
		"clear png": {document.Rendition{MediaType: "image/png", Bytes: porttest.PNG(clear)},
			func(int, int) color.Color { return color.White }},
		"jpeg":      {pageJPEG(t, m), m.At},
		"gray jpeg": {pageJPEG(t, gray), gray.At},
	} {
		t.Run(name, func(t *testing.T) {
			s := sample()
			s.Page = c.page
			path := savedPDF(t, s)
			_ = run(t, "pdftoppm", "-png", "-r", "300", "-singlefile", path, path)
			file, err := os.ReadFile(path + ".png")
			if err != nil {
				t.Fatal(err)
			}
			got, err := png.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if got.Bounds().Size() != m.Rect.Size() {
				t.Fatalf("got %v, want %v", got.Bounds(), m.Rect)
			}
			for y := 5; y < 600; y += 10 {
				for x := 5; x < 800; x += 10 {
					if !alike(got.At(x, y), c.want(x, y)) {
						t.Fatalf("got %v at %d, %d; want %v", got.At(x, y), x, y, c.want(x, y))
					}
				}
			}
		})
	}
}

func alike(a, b color.Color) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	off := func(x, y uint32) bool { return int(x)-int(y) > 0x0600 || int(y)-int(x) > 0x0600 }
	return !off(r1, r2) && !off(g1, g2) && !off(b1, b2)
}

// TestPDFCheck has another program check the file's structure.
func TestPDFCheck(t *testing.T) {
	s := sample()
	s.Page = pageJPEG(t, shape())
	got := run(t, "qpdf", "--check", savedPDF(t, s))
	if !strings.Contains(got, "No syntax or stream encoding errors found") {
		t.Error(got)
	}
}

func TestPDFIsTheSameAgain(t *testing.T) {
	s := sample()
	s.Page = pagePNG(t)
	if !bytes.Equal(export(t, recognition.FormatPDF, s), export(t, recognition.FormatPDF, s)) {
		t.Error("the same run gave two different files")
	}
}

// TestPDFBrokenPage wants an error, and nothing written, for a page that is no image.
func TestPDFBrokenPage(t *testing.T) {
	whole := pagePNG(t)
	for name, page := range map[string]document.Rendition{"none": {}, "text": {MediaType: "image/jpeg", Bytes: []byte("hello")},
		"png":   {MediaType: "image/png", Bytes: whole.Bytes[:20]},
		"other": {MediaType: "image/bmp", Bytes: whole.Bytes[8:]}} {
		s := sample()
		s.Page = page
		var b bytes.Buffer
		if err := (&Exporter{}).Export(t.Context(), &b, recognition.FormatPDF, s.transcript()); err == nil || b.Len() > 0 {
			t.Errorf("%s: got %v and %d bytes", name, err, b.Len())
		}
	}
}

// TestPDFSize wants the size of the paper, and sides that viewers can show.
func TestPDFSize(t *testing.T) {
	for name, c := range map[string]struct {
		width, height, dpi int
		want               string
	}{
		"A4 at 300 dpi":               {2480, 3508, 300, "[0 0 595.2 841.92]"},
		"A4 at 150 dpi":               {1240, 1754, 150, "[0 0 595.2 841.92]"},
		"A5 at 300 dpi":               {1748, 2480, 300, "[0 0 419.52 595.2]"},
		"unknown: the height is A4's": {1240, 1754, 0, "[0 0 595.2 841.92]"},
		"unknown: the width is A4's":  {3508, 2480, 0, "[0 0 841.92 595.2]"},
		"72 dpi say nothing":          {1240, 1754, 72, "[0 0 595.2 841.92]"},
		"unknown and small":           {100, 50, 0, "[0 0 100 50]"},
		"too small":                   {5, 5, 600, "[0 0 3 3]"},
		"too large":                   {100000, 50000, 100, "[0 0 14400 7200]"},
	} {
		s := sample()
		s.Page = tinyPage
		s.Image.Width, s.Image.Height, s.Image.DPI = c.width, c.height, c.dpi
		if got := export(t, recognition.FormatPDF, s); !bytes.Contains(got, []byte("/MediaBox "+c.want)) {
			t.Errorf("%s: got %s, want %s", name, regexp.MustCompile(`/MediaBox [^/]*`).Find(got), c.want)
		}
	}
}

// TestPDFManyCharacters has more different characters than there are codes.
func TestPDFManyCharacters(t *testing.T) {
	l := newCodes()
	for r := rune(0x10000); r < 0x20000; r++ {
		if got := l.of(r); got < 1 || got > 0xFFFF {
			t.Fatalf("%U has the code %d", r, got)
		}
	}
	if got := l.of(0x1FFFF); got != 1 {
		t.Errorf("the last one has the code %d, want that of U+FFFD", got)
	}
	if len(l.runes) != 0xFFFF {
		t.Errorf("got %d codes", len(l.runes))
	}
}

// TestFont checks the sums and places of the font's tables.
func TestFont(t *testing.T) {
	if got := checksum(glyphless); got != 0xB1B0AFBA {
		t.Errorf("the font sums up to %X", got)
	}
	n := int(binary.BigEndian.Uint16(glyphless[4:]))
	for i := range n {
		entry := glyphless[12+16*i:]
		at, length := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		data := bytes.Clone(glyphless[at : at+length])
		if tag := string(entry[:4]); tag == "head" {
			copy(data[8:], []byte{0, 0, 0, 0})
			if len(data) != 54 {
				t.Errorf("head has %d bytes", len(data))
			}
		}
		if got, want := binary.BigEndian.Uint32(entry[4:]), checksum(data); got != want || at%4 != 0 {
			t.Errorf("%s at %d has the sum %X, want %X", entry[:4], at, got, want)
		}
	}
}

// A file of images says that it is PDF/A-2u, and has what that needs: metadata that agree with its information, the colour space of its
// images, an identifier, and fonts that are in it and map to Unicode.
func TestPDFIsArchival(t *testing.T) {
	s := sample()
	s.Page = pagePNG(t)
	path := savedPDF(t, s)
	for tool, want := range map[string][]string{
		"pdfinfo": {"Encrypted:       no", "JavaScript:      no"},
		"pdfinfo xmp": {"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>", `>스캔 &lt;1&gt; &amp; &#34;2&#34;;\.png<`,
			"<xmp:CreateDate>2026-11-22T20:06:00Z<"},
		"pdffonts": {"CID TrueType      Identity-H       yes no  yes"},
	} {
		args := []string{path}
		if name, meta, ok := strings.Cut(tool, " "); ok && meta == "xmp" {
			tool, args = name, []string{"-meta", path}
		}
		if got := run(t, tool, args...); slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(got, w) }) {
			t.Errorf("%s: want %q in\n%s", tool, want, got)
		}
	}
	trailer := run(t, "qpdf", "--show-object=trailer", path)
	if !regexp.MustCompile(`/ID \[ <[0-9a-f]{32}> <[0-9a-f]{32}> \]`).MatchString(trailer) {
		t.Errorf("no identifier in %s", trailer)
	}
	catalog := run(t, "qpdf", "--show-object=1", path)
	for _, want := range []string{"/OutputIntents", "/S /GTS_PDFA1", "/Metadata"} {
		if !strings.Contains(catalog, want) {
			t.Errorf("no %s in %s", want, catalog)
		}
	}
}

// The profile is one that its users can read: its tags lie inside it, one behind the other, and white is white in it.
func TestTheProfile(t *testing.T) {
	if n := binary.BigEndian.Uint32(sRGB); int(n) != len(sRGB) || string(sRGB[36:40]) != "acsp" {
		t.Fatalf("%d bytes, of %d", n, len(sRGB))
	}
	white := map[string]float64{}
	for i := range int(binary.BigEndian.Uint32(sRGB[128:])) {
		entry := sRGB[132+12*i:]
		at, size := int(binary.BigEndian.Uint32(entry[4:])), int(binary.BigEndian.Uint32(entry[8:]))
		if at%4 != 0 || at+size > len(sRGB) {
			t.Fatalf("%s is at %d, %d bytes", entry[:4], at, size)
		}
		for k, axis := range []string{"x", "y", "z"} {
			v := float64(int32(binary.BigEndian.Uint32(sRGB[at+8+4*k:]))) / 65536
			switch string(entry[1:4]) {
			case "XYZ":
				white[axis] += v
			case "tpt":
				white[axis] -= v
			}
		}
	}
	for axis, off := range white {
		if off < -0.001 || off > 0.001 {
			t.Errorf("the primaries differ from white by %f in %s", off, axis)
		}
	}
}

package worker

import (
	"cmp"
	"errors"
	"image/png"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/adapter/engine/ppocr"
	"glyphbox/internal/adapter/engine/read"
)

// modelsForTest returns the models of this machine. Where there are none the test is skipped, unless GLYPHBOX_TEST_REQUIRE, a list
// separated by commas, has models in it.
func modelsForTest(t *testing.T) ppocr.Files {
	t.Helper()
	folder, err := ppocr.DefaultFolder()
	if err != nil {
		t.Fatal(err)
	}
	found, err := ppocr.Find(cmp.Or(os.Getenv("GLYPHBOX_MODELS"), folder))
	if errors.Is(err, fs.ErrNotExist) && !slices.Contains(strings.Split(os.Getenv("GLYPHBOX_TEST_REQUIRE"), ","), "models") {
		t.Skip("there are no models here; run scripts/models")
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func part(m read.RGB, x1, y1, x2, y2 int) read.RGB {
	p := read.RGB{Width: x2 - x1, Height: y2 - y1}
	for y := y1; y < y2; y++ {
		p.Pix = append(p.Pix, m.Pix[3*(y*m.Width+x1):3*(y*m.Width+x2)]...)
	}
	return p
}

func TestSecondRecogniser(t *testing.T) {
	found := modelsForTest(t)
	models, err := openRuntime(found)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open("../../../../docs/sample.png")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoded, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	page := read.RGB{Width: decoded.Bounds().Dx(), Height: decoded.Bounds().Dy()}
	for y := range page.Height {
		for x := range page.Width {
			r, g, b, _ := decoded.At(x, y).RGBA()
			page.Pix = append(page.Pix, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	detector, err := models.loadDetector()
	if err != nil {
		t.Fatal(err)
	}
	quads, err := detector.Detect(page)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(quads, func(a, b read.Quad) int { return cmp.Compare(a[0].Y, b[0].Y) })
	var text strings.Builder
	recognisers, err := models.loadRecognisers()
	if err != nil {
		t.Fatal(err)
	}
	r := recognisers[0]
	for _, q := range quads {
		line := part(page, max(0, int(q[0].X)), max(0, int(q[0].Y)), min(page.Width, int(q[2].X)+1), min(page.Height, int(q[2].Y)+1))
		chars, err := r.Read(line, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chars {
			if c.Prob < 0 || c.Prob > 1.0001 || c.Space < 0 || c.Space > 1.0001 || c.X1 < 0 || c.X2 <= c.X1 || c.X2 > float64(line.Width) {
				t.Errorf("character %+v in a line of %d pixels", c, line.Width)
			}
		}
		text.WriteString(ppocr.Text(chars) + "\n")
	}
	for _, want := range []string{"Invoice No. 1742", "Total amount 39.80"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in %q", want, text.String())
		}
	}
	if !slices.Contains(r.Scripts(), "Latin") {
		t.Errorf("scripts %v, want Latin among them", r.Scripts())
	}
}

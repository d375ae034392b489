package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// Regions as people draw them, and pages as they come: loose, framed, light on dark, on a desk, turned.
func TestRegionsAsPeopleDrawThem(t *testing.T) {
	receipt := make([]string, 10)
	for i := range receipt {
		receipt[i] = "Receipt line 0" + string(rune('0'+i)) + " total"
	}
	table := "Date Description Amount\n03-01 Office supplies 120.50\n03-02 Travel expenses 89.00\n03-05 Catering services 310.20"
	fox := strings.TrimSpace(strings.Repeat("The quick brown fox jumps over it.\nPayment is due within thirty days.\n", 3))
	p := start(t)
	for _, c := range []struct {
		file     string
		region   document.Box // all of the page where empty
		want     string
		rotation int
	}{
		{file: "01-loose-region/cover.png", want: "Annual Report 2024"},
		{file: "01-loose-region/cover.png", region: document.Box{X1: 200, Y1: 600, X2: 1000, Y2: 1050}, want: "Annual Report 2024"},
		{file: "02b-dark-surround/desk-large.png", want: strings.Join(receipt, "\n")},
		{file: "02c-mixed-polarity/table.png", want: table},
		{file: "02c-mixed-polarity/button.png", want: "Please sign below and press CONFIRM"},
		{file: "05-boxed-field/boxed.png", region: document.Box{X1: 140, Y1: 110, X2: 426, Y2: 158}, want: "AB-1742 Seoul"},
		{file: "05-boxed-field/amount.png", region: document.Box{X1: 138, Y1: 108, X2: 289, Y2: 164}, want: "39,800"},
		{file: "06-rotated/block-90.png", want: fox, rotation: 270}, // the name counts the other way,
		{file: "06-rotated/block-180.png", want: fox, rotation: 180},
	} {
		t.Run(c.file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "cases", c.file))
			if err != nil {
				t.Fatal(err)
			}
			page := porttest.PageOf(data)
			region := c.region
			if region.Empty() {
				probe, err := p.Probe(t.Context(), page.File)
				g := probe.Geometry(1)
				if err != nil {
					t.Fatal(err)
				}
				region = document.Box{X2: g.Width, Y2: g.Height}
			}
			for _, effort := range recognition.Efforts {
				o := orderOf(page, region)
				o.Tasks[0].Effort, o.Tasks[0].Rotate = effort, recognition.RotateAuto
				readings, err := p.Recognize(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				lines := func(text string) string { return strings.Join(strings.Fields(text), " ") }
				if got := readings[0]; lines(got.Text) != lines(c.want) || got.Rotation != c.rotation {
					t.Errorf("%s: got %q turned by %d, want %q by %d", effort, got.Text, got.Rotation, c.want, c.rotation)
				}
			}
		})
	}
}

// What both recognisers read as "retum-to-work" is a word that the traineddata has.
func TestWordsOfTraineddata(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "cases", "10-words", "return-to-work.png"))
	if err != nil {
		t.Fatal(err)
	}
	page := porttest.PageOf(data)
	o := orderOf(page, document.Box{X2: 420, Y2: 50})
	o.Tasks[0].Effort = recognition.EffortAccurate
	readings, err := start(t).Recognize(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r := readings[0]
	if want := "estrogen-induced return-to-work enamored"; r.Text != want {
		t.Fatalf("%q, want %q", r.Text, want)
	}
	if c := r.Words[1].Candidates; len(c) != 1 || c[0].Text != "retum-to-work" {
		t.Errorf("the candidates of the word are %v", c)
	}
}

package engine

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// Every encoding of the same page gives the same text: EXIF orientations, CMYK, 16 bits, palettes, transparency, animation, several
// pages, huge canvases.
func TestFormats(t *testing.T) {
	const set = "../../../../shared/evalset/formats/"
	list, err := os.Open(set + "regions.jsonl")
	if err != nil {
		t.Skip("the evaluation set is not beside the project (../shared/evalset)")
	}
	defer list.Close()
	p := start(t, func(o *Options) {
		if !check.Soak() {
			o.Models = NoModels
		}
	})
	twins := map[string]string{} // by language, the text of the plain page, which comes first
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, 1<<20)
	exact, variants := 0, 0
	for lines.Scan() {
		var page struct {
			Image, Lang, Variant string
			Width, Height        int
			Regions              []struct{ document.Box }
		}
		if err := json.Unmarshal(lines.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(filepath.Join(set, page.Image))
		if err != nil {
			t.Fatal(err)
		}
		probe, err := p.Probe(t.Context(), porttest.FileOf(file))
		geometry := probe.Geometry(1)
		if page.Variant == "canvas_300mp" {
			if f := fault.Of(err); err == nil || f.Code != "too_many_pixels" ||
				!strings.Contains(f.Text, "at most 150000000 are supported, and 1048576 on a side") {
				t.Errorf("%s: got %v, want a refusal that names the limit", page.Image, err)
			}
			continue
		}
		if err != nil || geometry.Width != page.Width || geometry.Height != page.Height {
			t.Errorf("%s: got %+v, %v, want %d × %d", page.Image, geometry, err, page.Width, page.Height)
			continue
		}
		order := recognition.Order{Page: porttest.PageOf(file), UserID: 1}
		for _, r := range page.Regions {
			order.Tasks = append(order.Tasks, recognition.Task{Box: r.Box, Lang: []string{page.Lang}, Mode: recognition.BestMode})
		}
		if n := len(order.Tasks); n > 4 && !check.Soak() { // the top and the bottom of the page
			order.Tasks = slices.Delete(order.Tasks, 2, n-2)
		}
		for i := range order.Tasks {
			if !check.Soak() {
				order.Tasks[i].Effort = recognition.EffortFast
			}
		}
		readings, err := p.Recognize(t.Context(), order)
		if err != nil {
			t.Errorf("%s: %v", page.Image, err)
			continue
		}
		var texts []string
		for _, r := range readings {
			texts = append(texts, r.Text)
		}
		text := strings.Join(texts, "\n")
		if twins[page.Lang] == "" {
			twins[page.Lang] = text
			continue
		}
		variants++
		if text == twins[page.Lang] {
			exact++
		}
		// A letter or two may differ: some variants are lossy, and one is half the size.
		if agreement := recognition.Agreement(text, twins[page.Lang]); agreement < 0.97 {
			t.Errorf("%s: agrees with its plain twin to %.3f:\n%s", page.Image, agreement, text)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d variants give exactly the text of their plain twins", exact, variants)
	if variants < 80 {
		t.Errorf("only %d variants were read", variants)
	}
}

// Variants of formats that are seldom met are read, or refused with the reason.
func TestSeldomVariants(t *testing.T) {
	refused := map[string]string{
		"jp2k-12bit": "This variant of JPEG 2000 is not supported: more than 8 bits for a colour.",
		"jp2k-16bit": "This variant of JPEG 2000 is not supported: more than 8 bits for a colour.",
	}
	want, err := os.ReadFile("testdata/formats/expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("testdata/formats/*")
	if err != nil || len(names) < 14 {
		t.Fatalf("got %v, %v", names, err)
	}
	e := start(t)
	needHEIF(t, e)
	for _, name := range names {
		base := filepath.Base(name)
		if base == "expected.txt" {
			continue
		}
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		page := porttest.PageOf(file)
		probe, err := e.Probe(t.Context(), page.File)
		geometry := probe.Geometry(1)
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		readings, err := e.Recognize(t.Context(), orderOf(page, document.Box{X2: geometry.Width, Y2: geometry.Height}))
		switch {
		case refused[base] != "":
			if f := fault.Of(err); f == nil || f.Text != refused[base] {
				t.Errorf("%s: got %v, want the refusal %q", base, err, refused[base])
			}
		case err != nil:
			t.Errorf("%s: %v", base, err)
		case readings[0].Text != strings.TrimSpace(string(want)):
			t.Errorf("%s: got %q, %v, want %q", base, readings[0].Text, readings[0].Error, want)
		}
	}
}

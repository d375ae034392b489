package app

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/bench"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// benchPage is a page of a set.
type benchPage struct {
	Image   string        `json:"image"`
	Width   int           `json:"width"`
	Height  int           `json:"height"`
	Lang    string        `json:"lang"`
	Regions []benchRegion `json:"regions"`
}

type benchRegion struct {
	document.Box
	Text string `json:"text"`
}

// drawSet writes a set of drawn pages and returns its file. Each page has a region for each line and one of all lines.
func drawSet(t *testing.T, pages ...[]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var lines []benchPage
	for n, page := range pages {
		drawn, boxes := porttest.DrawLines(page...)
		p := benchPage{Image: fmt.Sprintf("page%d.png", n), Width: drawn.Bounds().Dx(), Height: drawn.Bounds().Dy(), Lang: "eng"}
		var all document.Box
		for i, box := range boxes {
			p.Regions = append(p.Regions, benchRegion{box, page[i]})
			all = all.Union(box)
		}
		p.Regions = append(p.Regions, benchRegion{all, strings.Join(page, "\n")})
		if err := os.WriteFile(filepath.Join(dir, p.Image), porttest.PNG(drawn), 0o600); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, p)
	}
	return writeSet(t, dir, lines)
}

func writeSet(t *testing.T, dir string, pages []benchPage) string {
	t.Helper()
	file := filepath.Join(dir, "regions.jsonl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range pages {
		if err := json.NewEncoder(f).Encode(p); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

var drawnPages = [][]string{{"Invoice No. 1742", "Two boxes of paper", "Total amount 1250.00"},
	{"The quick brown fox", "jumps over the dog"}}

func TestBench(t *testing.T) {
	set := drawSet(t, drawnPages...)
	out := command(t, "", "bench", set, "--workers", "2", "--against", "loop", "--cores", "--service", "--log-level", "error").want(t,
		exitOK, "").stdout
	tables := strings.Split(strings.TrimSpace(out), "\n\n")
	if len(tables) != 3 {
		t.Fatalf("%d tables, want 3:\n%s", len(tables), out)
	}
	sides := []string{"engine ×2", "loop ×2", "engine ×1", "engine ×2, 3 pages", "service ×1", "loop ×1"}
	text := cells(t, tables[0], []string{"SET", "SIDE", "PAGES", "REGIONS", "CHARACTERS", "CER", "ANY CASE", "ANY SPACE", "ANY BOTH",
		"EXACT", "ANY BOTH", "EMPTY", "INVENTED", "FAILED", "OFFERED", "PASSES"})
	for i, row := range text {
		want := []string{"tiny", sides[i], "2", "7", "185", "0.00 %", "0.00 %", "0.00 %", "0.00 %", "100.00 %", "100.00 %", "0", "0",
			"0", "0", row[15]}
		if diff := cmp.Diff(want, row); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sides[i], diff)
		}
	}
	times := cells(t, tables[1], []string{"SET", "SIDE", "WALL/REGION", "WORK/REGION", "PAGE P50", "PAGE P95", "SINGLE P50", "SINGLE P95",
		"MEMORY"})
	if len(text) != len(sides) || len(times) != len(sides) {
		t.Errorf("%d and %d sides, want %d:\n%s", len(text), len(times), len(sides), out)
	}
	for _, row := range times {
		cells := row[2:8]
		if row[1] == "engine ×2, 3 pages" { // no page has a time of its own
			cells = row[2:4]
		}
		for _, cell := range cells {
			if ms, ok := strings.CutSuffix(cell, " ms"); !ok || strings.Trim(ms, "0.") == "" {
				t.Errorf("%s took %q", row[1], cell)
			}
		}
		if known := strings.HasSuffix(row[8], " MB"); known == (row[1] == "service ×1") {
			t.Errorf("the workers of %s take %s", row[1], row[8])
		}
	}
	ratios := cells(t, tables[2], []string{"SET", "RATIO", "WORKERS", "CER", "ANY CASE", "ANY SPACE", "ANY BOTH", "WALL", "MEDIAN PAGE",
		"WORK", "WALL ÷ WORK"})
	var names []string
	for _, row := range ratios {
		names = append(names, row[1]+", "+row[2])
		if row[3] != "–" { // of no errors
			t.Errorf("the ratio of errors is %s", row[3])
		}
	}
	if diff := cmp.Diff([]string{"engine ÷ loop, 2 ÷ 2", "1 worker ÷ 2, 1 ÷ 2", "1 worker ÷ 2, pages at once, 1 ÷ 2",
		"service ÷ loop, 1 ÷ 1"}, names); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
}

// cells are the cells of a table under the head that is wanted. Columns are two spaces apart at least.
func cells(t *testing.T, table string, head []string) (rows [][]string) {
	t.Helper()
	for line := range strings.Lines(table) {
		var row []string
		for cell := range strings.SplitSeq(line, "  ") {
			if cell = strings.TrimSpace(cell); cell != "" {
				row = append(row, cell)
			}
		}
		rows = append(rows, row)
	}
	if diff := cmp.Diff(head, rows[0]); diff != "" {
		t.Fatalf("head (-want +got):\n%s", diff)
	}
	for _, row := range rows[1:] {
		if len(row) != len(head) {
			t.Fatalf("%d cells, want %d: %q", len(row), len(head), row)
		}
	}
	return rows[1:]
}

// TestBenchJSON pins the names and the types, which programs rely on.
func TestBenchJSON(t *testing.T) {
	set := drawSet(t, drawnPages[0])
	r := command(t, "", "bench", set, "--workers", "1", "--against", "loop", "--json").want(t, exitOK, "")
	var got any
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatal(err)
	}
	percentiles := object{"p50": "number", "p95": "number"}
	scored := func(v any) object {
		return object{"as_is": v, "any_case": v, "any_space": v, "any_case_space": v}
	}
	sideOf := func(name string) object {
		return object{"side": name, "workers": "number", "cer": scored("number"), "exact": scored("number"), "empty": "number",
			"invented": "number", "failed": "number", "offered": "number", "passes": "number",
			"wall_ms": "number", "work_ms": "number", "page_ms": percentiles, "single_ms": percentiles, "memory_bytes": "number"}
	}
	want := object{"set": "tiny", "file": set, "pages": "number", "refused": "number", "regions": "number", "characters": "number",
		"sides": []any{sideOf("engine"), sideOf("loop")},
		"ratios": []any{object{"name": "engine ÷ loop", "workers": []any{"number", "number"}, "cer": scored(nil), "wall": "number",
			"work":         "number",
			"wall_to_work": "number", "median_page": "number"}}}
	if diff := cmp.Diff(any(want), withoutNumbers(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var result bench.Result
	if err := json.Unmarshal([]byte(r.stdout), &result); err != nil {
		t.Fatal(err)
	}
	if got, want := [4]int{result.Pages, result.Refused, result.Regions, result.Characters}, [4]int{1, 0, 4, 110}; got != want {
		t.Errorf("pages, refused, regions, characters: got %v, want %v", got, want)
	}
}

func withoutNumbers(v any) any {
	switch v := v.(type) {
	case float64:
		return "number"
	case []any:
		for i := range v {
			v[i] = withoutNumbers(v[i])
		}
	case object:
		for k := range v {
			v[k] = withoutNumbers(v[k])
		}
	}
	return v
}

func TestBenchAgainstProcesses(t *testing.T) {
	if _, err := exec.LookPath("tesseract"); err != nil {
		check.Absent(t, "tesseract", "install the package tesseract-ocr")
	}
	set := drawSet(t, drawnPages[0])
	var result bench.Result
	if err := json.Unmarshal([]byte(command(t, "", "bench", set, "--against", "process", "--json").want(t, exitOK, "").stdout),
		&result); err != nil {
		t.Fatal(err)
	}
	if q := result.Ratios[0]; q.Name != "process ÷ engine" || *q.Wall <= 0 {
		t.Errorf("got %+v", q)
	}
	if got := result.Sides[1]; got.Side != bench.SideProcess || got.Failed != 0 || got.Empty == result.Regions {
		t.Errorf("got %+v", got)
	}
}

// TestBenchShowsErrors lets the set be wrong about a letter and about case, and wants just that.
func TestBenchShowsErrors(t *testing.T) {
	set := drawSet(t, []string{"Invoice No. 1742"}, []string{"Two boxes of paper"})
	f, err := os.Open(set)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var pages [2]benchPage
	for i, decoder := 0, json.NewDecoder(f); i < len(pages); i++ {
		if err := decoder.Decode(&pages[i]); err != nil {
			t.Fatal(err)
		}
		pages[i].Regions = pages[i].Regions[:1]
	}
	pages[0].Regions[0].Text = "Invoice No. 1743"
	pages[1].Regions[0].Text = "TWO boxes of paper"
	writeSet(t, filepath.Dir(set), pages[:])
	r := command(t, "", "bench", set, "--workers", "1", "--show-errors", "--json").want(t, exitOK,
		`want "Invoice No. 1743"`+"\n"+`  got  "Invoice No. 1742"`)
	if strings.Contains(r.stderr, "boxes") {
		t.Errorf("letter case is shown as an error:\n%s", r.stderr)
	}
	var result bench.Result
	if err := json.Unmarshal([]byte(r.stdout), &result); err != nil {
		t.Fatal(err)
	}
	side := result.Sides[0]
	if got, want := [2]bench.Scored[float64]{side.CER, side.Exact},
		[2]bench.Scored[float64]{{AsIs: 3. / 34, AnyCase: 1. / 34, AnySpace: 3. / 29, AnyCaseSpace: 1. / 29},
			{AnyCase: 0.5, AnyCaseSpace: 0.5}}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBenchLeavesOutWhatCannotBeRead(t *testing.T) {
	set := drawSet(t, drawnPages...)
	if err := os.WriteFile(filepath.Join(filepath.Dir(set), "page0.png"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := command(t, "", "bench", set, "--workers", "1").want(t, exitOK, "page0.png: left out: ")
	if !strings.Contains(r.stdout, "1 of 2") {
		t.Errorf("the table does not tell:\n%s", r.stdout)
	}
	page, _ := porttest.DrawLines("of another size")
	if err := os.WriteFile(filepath.Join(filepath.Dir(set), "page1.png"), porttest.PNG(page), 0o600); err != nil {
		t.Fatal(err)
	}
	r = command(t, "", "bench", set, "--workers", "1").want(t, exitFailure, "no page could be read")
	if r.stdout != "" || !strings.Contains(r.stderr, "where the set says") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

func TestBenchUsage(t *testing.T) {
	command(t, "", "bench").want(t, exitUsage, "")
	set := drawSet(t, []string{"x"})
	command(t, "", "bench", set, "--against", "time").want(t, exitUsage, "must be one of loop, process, tight, upright, right")
	command(t, "", "bench", set, "--limit", "-1").want(t, exitUsage, "not be negative")
	for text, want := range map[string]string{"": "no pages", "{": "page 1", `{"image":"a.png"}`: "page 1: no regions", `[]`: "page 1"} {
		if err := os.WriteFile(set, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, "", "bench", set).want(t, exitFailure, want)
	}
	command(t, "", "bench", set+".not").want(t, exitFailure, "no such file")
}

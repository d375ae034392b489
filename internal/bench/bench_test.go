package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/document"
)

func TestLimitSpreadsOverTheSet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "regions.jsonl")
	var lines strings.Builder
	for n := range 5 {
		fmt.Fprintf(&lines, `{"image": "x.png", "regions": [{"x2": 1, "y2": 1, "text": "%d"}]}`+"\n", n)
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		skip, limit int
		want        string
	}{{0, 0, "01234"}, {0, 1, "0"}, {0, 2, "02"}, {0, 3, "013"}, {0, 5, "01234"}, {0, 9, "01234"},
		{1, 0, "1234"}, {2, 0, "134"}, {2, 2, "13"}, {3, 9, "24"}} {
		got := ""
		s, err := load(file, c.skip, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.pages {
			got += p.Regions[0].Text
		}
		if got != c.want {
			t.Errorf("skip %d, limit %d: got the pages %s, want %s", c.skip, c.limit, got, c.want)
		}
	}
	if s, err := load(file, 5, 0); err == nil {
		t.Errorf("a set of which all pages are skipped: got %d", len(s.pages))
	}
}

func TestSingles(t *testing.T) {
	line := region{Box: document.Box{X2: 100, Y2: 30}, Text: "line"}
	tall, block := line, line
	tall.Y2, block.Text = 81, "two\nlines"
	for _, c := range []struct {
		regions []region
		want    []int
	}{
		{[]region{tall, block}, nil},
		{[]region{tall, line, block, line}, []int{1, 3}},
		{[]region{line, line, line, line, line, line, line, line, line, line, line, line, line, line, line},
			[]int{0, 1, 3, 4, 6, 7, 9, 10, 12, 13}},
	} {
		if diff := cmp.Diff(c.want, page{Regions: c.regions}.singles()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var d []time.Duration
	for n := 100; n > 0; n-- {
		d = append(d, time.Duration(n)*time.Millisecond)
	}
	for n, want := range map[int]*percentiles{0: nil, 1: {100, 100}, 2: {99, 100}, 20: {90, 99}, 100: {50, 95}} {
		if diff := cmp.Diff(want, percentilesOf(d[:n])); diff != "" {
			t.Errorf("of %d (-want +got):\n%s", n, diff)
		}
	}
}

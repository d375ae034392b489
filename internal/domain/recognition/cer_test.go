package recognition

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCompare(t *testing.T) {
	asIs, anyCase, anySpace, both := Scoring{}, Scoring{AnyCase: true}, Scoring{AnySpace: true}, Scoring{AnyCase: true, AnySpace: true}
	for _, c := range []struct {
		name, read, truth string
		scoring           Scoring
		want              Errors
	}{
		{"nothing of nothing", "", "", asIs, Errors{0, 0}},
		{"nothing of something", "", "abc", asIs, Errors{3, 3}},
		{"something of nothing", "abc", " \n", asIs, Errors{3, 0}},
		{"the same", "abc", "abc", asIs, Errors{0, 3}},
		{"the classic", "sitting", "kitten", asIs, Errors{3, 6}},
		{"all else", "xyz", "abcd", asIs, Errors{4, 4}},
		{"code points, not bytes", "대한만국", "대한민국", asIs, Errors{1, 4}},
		{"runs of white space are one", " a \n\n b\tc", "a b c", asIs, Errors{0, 5}},
		{"a space too many", "a b", "ab", asIs, Errors{1, 2}},
		{"a space too many, ignored", "a b\nc", "abc", anySpace, Errors{0, 3}},
		{"case", "Total", "TOTAL", asIs, Errors{4, 5}},
		{"case ignored", "Total", "TOTAL", anyCase, Errors{0, 5}},
		{"case ignored, space not", "To tal", "TOTAL", anyCase, Errors{1, 5}},
		{"space ignored, case not", "To tal", "TOTAL", anySpace, Errors{4, 5}},
		{"both ignored", "To tal", "TOTAL", both, Errors{0, 5}},
		{"letters of three cases", "ΣΑΣ", "σας", anyCase, Errors{0, 3}},
		{"in a long text", strings.Repeat("lorem ", 500) + "x" + strings.Repeat(" ipsum", 500), strings.Repeat("lorem ", 500) + "y" +
			strings.Repeat(" ipsum", 500), asIs, Errors{1, 6001}},
		{"moved by more than a narrow band", strings.Repeat("x", 50) + strings.Repeat("ab", 300), strings.Repeat("ab", 300) +
			strings.Repeat("y", 50), asIs, Errors{100, 650}},
	} {
		if got := c.scoring.Compare(c.read, c.truth); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestRate(t *testing.T) {
	for e, want := range map[Errors]float64{{}: 0, {3, 0}: 0, {0, 7}: 0, {1, 4}: 0.25, {6, 4}: 1.5} {
		if got := e.Rate(); got != want {
			t.Errorf("%+v: got %v, want %v", e, got, want)
		}
	}
	if got, want := (Errors{1, 2}).Add(Errors{3, 4}), (Errors{4, 6}); got != want {
		t.Errorf("sum: got %+v, want %+v", got, want)
	}
}

// tableDistance is the distance by the whole table.
func tableDistance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			}
		}
	}
	return rows[len(a)][len(b)]
}

func FuzzCompare(f *testing.F) {
	f.Add("kitten", "sitting", "mitten", false, false)
	f.Add("To tal 1250,00", "TOTAL 1250.00", "", true, true)
	f.Add("대한 민국", "대한민국", "한국", false, true)
	f.Add(strings.Repeat("ab", 40), strings.Repeat("ba", 40)+"xxxxxxxxxx", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", false, false)
	f.Fuzz(func(t *testing.T, x, y, z string, anyCase, anySpace bool) {
		if len(x)+len(y)+len(z) > 2000 || !utf8.ValidString(x+y+z) {
			return // the whole table grows with the product
		}
		s := Scoring{anyCase, anySpace}
		a, b := s.reduce(x), s.reduce(y)
		got := s.Compare(x, y)
		if want := (Errors{tableDistance(a, b), len(b)}); got != want {
			t.Fatalf("%q and %q: got %+v, want %+v", x, y, got, want)
		}
		if back := s.Compare(y, x); back.Edits != got.Edits {
			t.Errorf("%d edits there, %d back", got.Edits, back.Edits)
		}
		if low, high := max(len(a)-len(b), len(b)-len(a)), max(len(a), len(b)); got.Edits < low || got.Edits > high {
			t.Errorf("%d edits, want %d to %d", got.Edits, low, high)
		}
		if same := string(a) == string(b); (got.Edits == 0) != same {
			t.Errorf("%d edits, where the texts are the same: %v", got.Edits, same)
		}
		if direct, over := s.Compare(x, z).Edits, got.Edits+s.Compare(y, z).Edits; direct > over {
			t.Errorf("%d edits, but %d by way of another text", direct, over)
		}
		for limit := range 12 { // a narrow band gives the distance, or says that it is more
			if d := distanceWithin(a, b, limit); d != got.Edits && (d <= limit || got.Edits <= limit) {
				t.Errorf("within %d: got %d, want %d", limit, d, got.Edits)
			}
		}
	})
}

package recognition

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkCER scores a page with an error in each line.
func BenchmarkCER(b *testing.B) {
	var read, truth strings.Builder
	for n := range 60 {
		fmt.Fprintf(&truth, "line %d of a page has words and a number, 1250.00\n", n)
		fmt.Fprintf(&read, "1ine %d of a page has words and a number, 1250.00\n", n)
	}
	for _, c := range []struct{ name, read, truth string }{
		{"line", "1ine 7 of a page has words and a nurnber, 1250,00", "line 7 of a page has words and a number, 1250.00"},
		{"page", read.String(), truth.String()},
		{"page read as nothing like it", strings.Repeat("q", truth.Len()), truth.String()},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if e := (Scoring{}).Compare(c.read, c.truth); e.Edits == 0 {
					b.Fatal("no errors")
				}
			}
		})
	}
}

// BenchmarkAlignToALongWord has many words share the place of one that has very many characters.
func BenchmarkAlignToALongWord(b *testing.B) {
	text := strings.Repeat("b\n", 19_999)
	for _, characters := range []int{50_000, 199_999} {
		before := "a" + strings.Repeat("\u0301", characters)
		old := row(before)
		b.Run(fmt.Sprintf("characters=%d", characters), func(b *testing.B) {
			for b.Loop() {
				if got := alignText(old, before, text, old[0].Box); len(got) != 19_999 {
					b.Fatal(len(got))
				}
			}
		})
	}
}

// BenchmarkAlign gives the words of a corrected page their places.
func BenchmarkAlign(b *testing.B) {
	for _, words := range []int{8, 500} {
		var text []string
		for n := range words {
			text = append(text, fmt.Sprint("word", n%97))
		}
		old := row(strings.Join(text, " "))
		corrected := append([]string(nil), text...)
		for n := 3; n < words; n += 10 {
			corrected[n] = "corrected"
		}
		b.Run(fmt.Sprintf("words=%d", words), func(b *testing.B) {
			for b.Loop() {
				if got, _ := align(old, corrected); len(got) != words {
					b.Fatal(len(got))
				}
			}
		})
	}
}

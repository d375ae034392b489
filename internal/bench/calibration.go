package bench

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/recognition"
)

// Calibration compares the confidence of words with their accuracy. Letter case and white space are ignored.
type Calibration struct {
	Words int `json:"words"`
	Wrong int `json:"wrong"`

	// Bins have equal numbers of words, from the least sure to the surest.
	Bins []Bin `json:"bins"`

	// MeanError is the mean over the bins of the difference between said and right.
	MeanError float64 `json:"mean_error"`

	// WrongAmongLeastSure is the share of the wrong words that are among the fifth of the words that are said to be least sure.
	WrongAmongLeastSure float64 `json:"wrong_among_least_sure"`
}

// Bin is a group of words with similar confidence.
type Bin struct {
	Words int     `json:"words"`
	Said  float64 `json:"said"`  // mean confidence
	Right float64 `json:"right"` // share that is right
}

// judged is a word that was read.
type judged struct {
	confidence float64
	right      bool
}

const bins = 10

// calibrationOf sums words up; nil where there are fewer than bins.
func calibrationOf(words []judged) *Calibration {
	if len(words) < bins {
		return nil
	}
	words = slices.Clone(words)
	slices.SortStableFunc(words, func(a, b judged) int { return cmp.Compare(a.confidence, b.confidence) })
	c := &Calibration{Words: len(words)}
	for n := range bins {
		var bin Bin
		right := 0
		for _, w := range words[n*len(words)/bins : (n+1)*len(words)/bins] {
			bin.Words++
			bin.Said += w.confidence
			if w.right {
				right++
			}
		}
		bin.Said /= float64(bin.Words)
		bin.Right = float64(right) / float64(bin.Words)
		c.Wrong += bin.Words - right
		c.MeanError += max(bin.Said-bin.Right, bin.Right-bin.Said) / bins
		c.Bins = append(c.Bins, bin)
	}
	if c.Wrong > 0 {
		wrong := 0
		for _, w := range words[:len(words)/5] {
			if !w.right {
				wrong++
			}
		}
		c.WrongAmongLeastSure = float64(wrong) / float64(c.Wrong)
	}
	return c
}

// judge tells which words of a reading are right: those whose letters all stand in the truth, one after the other, where the
// texts are aligned with the fewest edits.
func judge(r recognition.Reading, truth string) (words []judged) {
	var read []rune
	var ends []int // of the words, in read
	for _, w := range r.Words {
		read = append(read, letters(w.Text)...)
		ends = append(ends, len(read))
	}
	places := alignRunes(read, letters(truth))
	start := 0
	for i, end := range ends {
		right := end > start
		for k := start; k < end && right; k++ {
			right = places[k] >= 0 && (k == start || places[k] == places[k-1]+1)
		}
		words = append(words, judged{r.Words[i].Confidence, right})
		start = end
	}
	return words
}

// letters returns a text without white space and letter case.
func letters(text string) []rune {
	text = strings.Join(strings.Fields(norm.NFC.String(text)), "")
	runes := []rune(text)
	for i, r := range runes {
		runes[i] = unicode.ToLower(unicode.ToUpper(r))
	}
	return runes
}

// alignRunes returns for each rune of a the place of the same rune in b in an alignment with the fewest edits, or -1 (dynamic
// programming after Wagner and Fischer, 1974).
func alignRunes(a, b []rune) []int {
	places := make([]int, len(a))
	width := len(b) + 1
	edits := make([]int32, (len(a)+1)*width) // between a[i:] and b[j:]
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			at := i*width + j
			switch {
			case i == len(a):
				edits[at] = int32(len(b) - j)
			case j == len(b):
				edits[at] = int32(len(a) - i)
			case a[i] == b[j]:
				edits[at] = edits[at+width+1]
			default:
				edits[at] = 1 + min(edits[at+width+1], edits[at+width], edits[at+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a); {
		at := i*width + j
		switch {
		case j == len(b):
			places[i] = -1
			i++
		case a[i] == b[j]:
			places[i] = j
			i, j = i+1, j+1
		case edits[at] == 1+edits[at+width+1]:
			places[i] = -1
			i, j = i+1, j+1
		case edits[at] == 1+edits[at+width]:
			places[i] = -1
			i++
		default:
			j++
		}
	}
	return places
}

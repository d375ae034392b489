package read

import "glyphbox/internal/domain/recognition"

// curve says how often words of a confidence are right. It is straight between its points, which rise.
type curve []struct{ said, right float64 }

// How often words are right, by who read them, counted on ten sets of regions: see docs/benchmarks.md.
var (
	// the engine alone
	byFirst  = curve{{0, 0.15}, {0.3, 0.2}, {0.5, 0.37}, {0.7, 0.57}, {0.8, 0.82}, {0.88, 0.89}, {0.92, 0.985}, {1, 0.995}}
	byBoth   = curve{{0, 0}, {0.6, 0.45}, {0.8, 0.68}, {0.9, 0.78}, {0.99, 0.81}, {0.999, 0.87}, {1, 0.99}}
	disputes = curve{{0, 0}, {0.3, 0.18}, {0.5, 0.5}, {0.7, 0.72}, {0.9, 0.78}, {1, 0.965}}
)

func (c curve) at(said float64) float64 {
	for i := 1; i < len(c); i++ {
		if a, b := c[i-1], c[i]; said <= b.said {
			return a.right + (b.right-a.right)*(said-a.said)/(b.said-a.said)
		}
	}
	return c[len(c)-1].right
}

// probable gives words the probability that they are right for a confidence. first is the name of the engine.
func probable(words []recognition.Word, first string) {
	for i := range words {
		w := &words[i]
		switch {
		case len(w.Candidates) > 0:
			w.Confidence = disputes.at(w.Confidence)
		case w.Engine == first:
			w.Confidence = byFirst.at(w.Confidence)
		default:
			w.Confidence = byBoth.at(w.Confidence)
		}
	}
}

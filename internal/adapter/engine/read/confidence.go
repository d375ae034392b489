package read

import "glyphbox/internal/domain/recognition"

// curve says how often words of a confidence are right. It is straight between its points, which rise.
type curve []struct{ said, right float64 }

// How often words are right, by who read them, counted on ten sets of regions: see docs/benchmarks.md.
var (
	// the engine: if no other one could be asked, or with effort fast, and otherwise
	unchecked = curve{{0, 0.15}, {0.3, 0.2}, {0.5, 0.37}, {0.7, 0.57}, {0.8, 0.82}, {0.88, 0.89}, {0.92, 0.985}, {1, 0.995}}
	byFirst   = curve{{0, 0.3}, {0.3, 0.55}, {0.5, 0.64}, {0.7, 0.81}, {0.8, 0.9}, {0.88, 0.96}, {0.92, 0.99}, {1, 0.998}}
	byBoth    = curve{{0, 0.05}, {0.6, 0.77}, {0.9, 0.79}, {0.99, 0.84}, {0.999, 0.93}, {1, 0.988}}
	disputes  = curve{{0, 0.05}, {0.3, 0.19}, {0.5, 0.62}, {0.7, 0.82}, {0.9, 0.84}, {1, 0.956}}
)

func (c curve) at(said float64) float64 {
	for i := 1; i < len(c); i++ {
		if a, b := c[i-1], c[i]; said <= b.said {
			return a.right + (b.right-a.right)*(said-a.said)/(b.said-a.said)
		}
	}
	return c[len(c)-1].right
}

// probable gives words the probability that they are right for a confidence. first is the name of the engine; checked tells whether the
// second recogniser was asked wherever balanced asks it.
func probable(words []recognition.Word, first string, checked bool) {
	for i := range words {
		w := &words[i]
		switch {
		case len(w.Candidates) > 0:
			w.Confidence = disputes.at(w.Confidence)
		case w.Engine != first:
			w.Confidence = byBoth.at(w.Confidence)
		case checked:
			w.Confidence = byFirst.at(w.Confidence)
		default:
			w.Confidence = unchecked.at(w.Confidence)
		}
	}
}

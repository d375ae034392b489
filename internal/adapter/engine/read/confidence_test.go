package read

import (
	"testing"

	"glyphbox/internal/domain/recognition"
)

// The probability of a word rises with its confidence and stays between 0 and 1; a word in dispute is less sure than one that both read.
func TestProbable(t *testing.T) {
	of := func(checked bool, confidence float64, engine string, candidates ...recognition.Candidate) float64 {
		words := []recognition.Word{{Text: "word", Confidence: confidence, Engine: engine, Candidates: candidates}}
		probable(words, "first", checked)
		return words[0].Confidence
	}
	with := func(confidence float64, engine string, candidates ...recognition.Candidate) float64 {
		return of(true, confidence, engine, candidates...)
	}
	other := recognition.Candidate{Text: "ward"}
	for _, kind := range []func(float64) float64{
		func(c float64) float64 { return of(false, c, "first") },
		func(c float64) float64 { return with(c, "first") },
		func(c float64) float64 { return with(c, "second") },
		func(c float64) float64 { return with(c, "second", other) },
	} {
		last := -1.0
		for i := range 101 {
			p := kind(float64(i) / 100)
			if p < 0 || p > 1 || p < last {
				t.Errorf("the probability for %d %% is %v, after %v", i, p, last)
			}
			last = p
		}
	}
	if agreed, disputed := with(1, "second"), with(1, "second", other); agreed <= disputed {
		t.Errorf("%v where both agree, %v where they do not", agreed, disputed)
	}
	if checked, not := with(0.7, "first"), of(false, 0.7, "first"); checked <= not {
		t.Errorf("%v where the second recogniser could be asked, %v where it could not", checked, not)
	}
}

package engine

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// Nothing is read of regions in which no text stands, in any language.
func TestNoTextWhereThereIsNone(t *testing.T) {
	p := start(t)
	seeds := []uint64{4}
	if check.Soak() {
		seeds = []uint64{1, 2, 3, 4, 5, 6, 7, 8}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { nothing(t, p, seed) })
	}
}

// nothing reads pages without text, which the seed tells apart from others.
func nothing(t *testing.T, p *Engine, seed uint64) {
	random := rand.New(rand.NewPCG(seed, seed))
	blobs := make([]float64, 60*60)
	for i := range blobs {
		blobs[i] = random.Float64()
	}
	for name, shade := range map[string]func(x, y int) float64{
		"paper": func(int, int) float64 { return 235 + 4*random.NormFloat64() },
		"dashed rules": func(x, y int) float64 {
			if y%37 < 2 && x%12 < 6 {
				return 30
			}
			return 250
		},
		"table": func(x, y int) float64 {
			if y%41 < 2 || x%97 < 2 {
				return 30
			}
			return 250
		},
		"hatching": func(x, y int) float64 {
			if math.Mod(0.8*float64(x)+0.6*float64(y), 11) < 3.5 {
				return 40
			}
			return 245
		},
		"picture": func(x, y int) float64 {
			return 40 + 180*blobs[y/9*60+x/9] + 4*random.NormFloat64()
		},
		"shadow": func(x, y int) float64 {
			return 90 + 150/(1+math.Exp(float64(250-x-y)/12)) + 3*random.NormFloat64()
		},
		"bars": func(x, y int) float64 {
			if y%150 < 110 && blobs[x/3] < 0.5 {
				return 20
			}
			return 250
		},
	} {
		t.Run(name, func(t *testing.T) {
			random = rand.New(rand.NewPCG(seed, seed)) // the same page each time, whichever comes first
			drawn := image.NewGray(image.Rect(0, 0, 480, 420))
			for y := range 420 {
				for x := range 480 {
					drawn.SetGray(x, y, color.Gray{Y: uint8(min(max(shade(x, y), 0), 255))})
				}
			}
			o := orderOf(porttest.PageOf(porttest.PNG(drawn)), document.Box{X1: 20, Y1: 20, X2: 320, Y2: 58},
				document.Box{X1: 60, Y1: 100, X2: 110, Y2: 132}, document.Box{X1: 40, Y1: 120, X2: 440, Y2: 380})
			for _, lang := range []string{"eng", "kor"} {
				for i := range o.Tasks {
					o.Tasks[i].Lang, o.Tasks[i].Effort = []string{lang}, recognition.EffortAccurate
					o.Tasks[i].Rotate = recognition.RotateAuto
				}
				readings, err := p.Recognize(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				for i, r := range readings {
					if r.Text != "" || len(r.Words) != 0 {
						t.Errorf("%s, region %d: got %q", lang, i+1, r.Text)
					}
				}
			}
		})
	}
}

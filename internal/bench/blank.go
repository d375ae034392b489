package bench

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"glyphbox/internal/domain/document"
)

const (
	blankPages   = 30
	blankRegions = 10 // of each page
	blankSeed    = 1742
)

// filling is a way to fill a page without a letter. It returns the gray, 0–255, of a pixel.
type filling struct {
	name string
	make func(r *source, width, height int) func(x, y int) float64
}

// blanks are the pages that are measured by --blank.
var blanks = []filling{
	{"paper", func(r *source, _, _ int) func(x, y int) float64 {
		base, grain := 205+r.Float64()*50, r.Float64()*8
		return func(int, int) float64 { return base + r.noise()*grain }
	}},
	{"photo", func(r *source, width, height int) func(x, y int) float64 {
		fine, coarse := smooth(r, width, height, 5+r.IntN(12)), smooth(r, width, height, 40+r.IntN(120))
		share := 0.2 + 0.5*r.Float64()
		return func(x, y int) float64 { return 255*(share*fine(x, y)+(1-share)*coarse(x, y)) + r.noise()*4 }
	}},
	{"rules", func(r *source, _, _ int) func(x, y int) float64 {
		down, across, thick := 25+r.IntN(60), 0, 1+r.IntN(3)
		if r.IntN(2) == 0 {
			across = 60 + r.IntN(200)
		}
		ink, dash := r.Float64()*120, r.IntN(3)*6
		return func(x, y int) float64 {
			if y%down < thick && (dash == 0 || x%dash < dash/2) || across > 0 && x%across < thick {
				return ink
			}
			return 250 + r.noise()*2
		}
	}},
	{"shadow", func(r *source, width, height int) func(x, y int) float64 {
		angle, middle, soft := r.Float64()*2*math.Pi, r.Float64(), 5+r.Float64()*300
		dark, cos, sin := 70+r.Float64()*100, math.Cos(angle), math.Sin(angle)
		return func(x, y int) float64 {
			d := (float64(x)-middle*float64(width))*cos + (float64(y)-middle*float64(height))*sin
			return dark + (240-dark)/(1+math.Exp(-d/soft*4)) + r.noise()*3
		}
	}},
	{"hatching", func(r *source, _, _ int) func(x, y int) float64 {
		angle, step, share := r.Float64()*math.Pi, 4+r.Float64()*14, 0.15+0.4*r.Float64()
		cos, sin, cross := math.Cos(angle), math.Sin(angle), r.IntN(2) == 0
		on := func(d float64) bool { return math.Mod(math.Abs(d), step) < step*share }
		return func(x, y int) float64 {
			u, v := float64(x)*cos+float64(y)*sin, float64(y)*cos-float64(x)*sin
			if on(u) || cross && on(v) {
				return 40 + r.noise()*6
			}
			return 245 + r.noise()*4
		}
	}},
}

// source gives random numbers.
type source struct {
	*rand.Rand
	normal [1 << 14]float64 // to be used again and again, since drawing each takes most of the time
	next   int
}

func newSource(seed uint64, n int) *source {
	s := &source{Rand: rand.New(rand.NewPCG(seed, uint64(n)))}
	for i := range s.normal {
		s.normal[i] = s.NormFloat64()
	}
	return s
}

// noise returns a number of mean 0 and standard deviation 1.
func (s *source) noise() float64 {
	s.next++
	if s.next >= len(s.normal) {
		s.next = s.IntN(1000) // so that no pattern shows
	}
	return s.normal[s.next]
}

// smooth returns a field of values from 0 to 1 that change over about so many pixels (value noise).
func smooth(r *source, width, height, step int) func(x, y int) float64 {
	columns := width/step + 2
	grid := make([]float64, columns*(height/step+2))
	for i := range grid {
		grid[i] = r.Float64()
	}
	ease := func(t float64) float64 { return t * t * (3 - 2*t) }
	return func(x, y int) float64 {
		i, j := x/step, y/step
		u, v := ease(float64(x%step)/float64(step)), ease(float64(y%step)/float64(step))
		top := grid[j*columns+i]*(1-u) + grid[j*columns+i+1]*u
		bottom := grid[(j+1)*columns+i]*(1-u) + grid[(j+1)*columns+i+1]*u
		return top*(1-v) + bottom*v
	}
}

// blankSet makes a set of pages without a letter in that directory, the same one for the same seed, with regions of the sizes that people
// draw around words, lines and blocks.
func blankSet(dir, name string, kinds []filling, seed uint64) (set, error) {
	s := set{name: name}
	for n := range blankPages {
		r := newSource(seed, n)
		kind := kinds[n%len(kinds)]
		p := page{Image: filepath.Join(dir, fmt.Sprintf("%s-%02d-%s.png", name, n, kind.name)), Width: 500 + r.IntN(300), Height: 500 +
			r.IntN(300), Lang: "eng"}
		if n%2 == 1 {
			p.Lang = "kor"
		}
		if err := writePNG(p.Image, p.Width, p.Height, kind.make(r, p.Width, p.Height)); err != nil {
			return set{}, err
		}
		for i := range blankRegions {
			width, height := 30+r.IntN(400), 18+r.IntN(50) // of words and lines
			if i%5 == 4 {
				width, height = 150+r.IntN(300), 100+r.IntN(300)
			}
			x, y := r.IntN(p.Width-width), r.IntN(p.Height-height)
			p.Regions = append(p.Regions, region{Box: document.Box{X1: x, Y1: y, X2: x + width, Y2: y + height}})
		}
		s.pages = append(s.pages, p)
	}
	return s, nil
}

func writePNG(file string, width, height int, gray func(x, y int) float64) error {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetGray(x, y, color.Gray{Y: uint8(min(max(gray(x, y), 0), 255))})
		}
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close() // Encode tells what goes wrong but for the end of the file, which the engine would not read
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, m)
}

package bench

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// moreBlanks are pages without a letter that have more in common with print.
var moreBlanks = []filling{
	{"halftone", func(r *source, width, height int) func(x, y int) float64 {
		tone, step, angle := smooth(r, width, height, 30+r.IntN(120)), 3+r.Float64()*7, r.Float64()*math.Pi/2
		cos, sin := math.Cos(angle), math.Sin(angle)
		return func(x, y int) float64 {
			u, v := float64(x)*cos+float64(y)*sin, float64(y)*cos-float64(x)*sin
			u, v = math.Mod(math.Mod(u, step)+step, step)-step/2, math.Mod(math.Mod(v, step)+step, step)-step/2
			if math.Hypot(u, v) < step*0.6*tone(x, y) {
				return 30 + r.noise()*5
			}
			return 240 + r.noise()*5
		}
	}},
	{"plaid", func(r *source, _, _ int) func(x, y int) float64 {
		period, twill := 30+r.IntN(90), 2+r.IntN(4)
		shades := make([]float64, period)
		for i := 0; i < period; {
			shade := 60 + 190*r.Float64()
			for n := 2 + r.IntN(14); n > 0 && i < period; n-- {
				shades[i] = shade
				i++
			}
		}
		return func(x, y int) float64 {
			if (x+y)%(2*twill) < twill {
				return shades[x%period] + r.noise()*6
			}
			return shades[y%period] + r.noise()*6
		}
	}},
	{"wood", func(r *source, width, height int) func(x, y int) float64 {
		bend, fine := smooth(r, width, height, 80+r.IntN(150)), smooth(r, width, height, 4)
		step, base, depth := 5+r.Float64()*20, 110+r.Float64()*90, 15+r.Float64()*35
		return func(x, y int) float64 {
			return base + depth*math.Sin((float64(y)+120*bend(x, y))*2*math.Pi/step) + 14*fine(x, y) + r.noise()*3
		}
	}},
	{"crumpled", func(r *source, width, height int) func(x, y int) float64 {
		type fold struct{ x, y, dx, dy float64 }
		folds := make([]fold, 8+r.IntN(30))
		for i := range folds {
			folds[i] = fold{r.Float64() * float64(width), r.Float64() * float64(height), r.NormFloat64() * 0.25, r.NormFloat64() * 0.25}
		}
		base := 170 + r.Float64()*50
		return func(x, y int) float64 {
			near, nearest := folds[0], math.Inf(1)
			for _, f := range folds {
				if d := math.Hypot(float64(x)-f.x, float64(y)-f.y); d < nearest {
					near, nearest = f, d
				}
			}
			return base + (float64(x)-near.x)*near.dx + (float64(y)-near.y)*near.dy + r.noise()*3
		}
	}},
	{"jpeg", func(r *source, width, height int) func(x, y int) float64 {
		coarse, share := smooth(r, width, height, 20+r.IntN(150)), r.Float64()
		m := image.NewGray(image.Rect(0, 0, width, height))
		for y := range height {
			for x := range width {
				v := 128 + share*110*(2*coarse(x, y)-1) + r.noise()*(4+10*share)
				m.SetGray(x, y, color.Gray{Y: uint8(min(max(v, 0), 255))})
			}
		}
		return compressed(m, 4+r.IntN(20))
	}},
	{"table", func(r *source, width, height int) func(x, y int) float64 {
		c := newCanvas(width, height, 245)
		thick := 1 + r.Float64()*2.5
		var rows, columns []float64
		for y := 20.0; y < float64(height)-20; y += 18 + r.Float64()*50 {
			rows = append(rows, y)
		}
		for x := 20.0; x < float64(width)-20; x += 25 + r.Float64()*150 {
			columns = append(columns, x)
		}
		shaded := r.IntN(2) == 0
		for i, y := range rows {
			c.stroke(columns[0], y, columns[len(columns)-1], y, thick, 40)
			for k, x := range columns {
				if i == 0 {
					c.stroke(x, rows[0], x, rows[len(rows)-1], thick, 40)
				}
				if i+1 < len(rows) && k+1 < len(columns) && shaded && (i == 0 || r.IntN(9) == 0) {
					c.fill(x, y, columns[k+1], rows[i+1], 190)
				}
			}
		}
		return c.noisy(r, 3)
	}},
	{"dots", func(r *source, width, height int) func(x, y int) float64 {
		c := newCanvas(width, height, 250)
		down, step, size := 22+r.Float64()*50, 4+r.Float64()*12, 1+r.Float64()*2.5
		length := float64(r.IntN(2)) * step * 0.6
		for y := down; y < float64(height); y += down {
			for x := 20 + r.Float64()*100; x < float64(width)-20-r.Float64()*100; x += step {
				c.stroke(x, y, x+length, y, size, 30)
			}
		}
		return c.noisy(r, 3)
	}},
	{"barcode", func(r *source, width, height int) func(x, y int) float64 {
		c := newCanvas(width, height, 250)
		for y := 15.0; y < float64(height)-60; {
			tall, module := 30+r.Float64()*90, 1+r.IntN(4)
			square := r.IntN(2) == 0 // in two dimensions
			for x := 20.0; x < float64(width)-40; {
				w := float64(module * (1 + r.IntN(4)))
				if square {
					w = float64(2 * module)
					for v := 0.0; v < tall; v += w {
						if r.IntN(2) == 0 {
							c.fill(x, y+v, x+w, y+v+w, 20)
						}
					}
				} else {
					c.fill(x, y, x+w, y+tall, 20)
					w += float64(module * (1 + r.IntN(4)))
				}
				x += w
			}
			y += tall + 25 + r.Float64()*60
		}
		return c.noisy(r, 3)
	}},
	{"scribble", func(r *source, width, height int) func(x, y int) float64 {
		c := newCanvas(width, height, 240)
		for range 6 + r.IntN(12) {
			x, y := r.Float64()*float64(width), r.Float64()*float64(height)
			angle, bend, thick := r.Float64()*2*math.Pi, 0.0, 1+r.Float64()*3
			for range 60 + r.IntN(300) {
				bend = 0.9*bend + r.NormFloat64()*0.06
				angle += bend
				u, v := x+2*math.Cos(angle), y+2*math.Sin(angle)
				c.stroke(x, y, u, v, thick, 60)
				x, y = u, v
			}
		}
		return c.noisy(r, 4)
	}},
	{"shapes", func(r *source, width, height int) func(x, y int) float64 {
		c := newCanvas(width, height, 245)
		for range 10 + r.IntN(25) {
			x, y, size := r.Float64()*float64(width), r.Float64()*float64(height), 15+r.Float64()*90
			shade, corners := r.Float64()*200, 3+r.IntN(5)
			thick := 1 + r.Float64()*6
			if r.IntN(3) == 0 {
				c.fill(x, y, x+size, y+size*(0.3+r.Float64()), shade)
				continue
			}
			from := r.Float64() * math.Pi
			for k := range corners {
				a, b := from+2*math.Pi*float64(k)/float64(corners), from+2*math.Pi*float64(k+1)/float64(corners)
				c.stroke(x+size*math.Cos(a), y+size*math.Sin(a), x+size*math.Cos(b), y+size*math.Sin(b), thick, shade)
			}
		}
		return c.noisy(r, 3)
	}},
}

// compressed is an image as it comes out of a JPEG file of that quality.
func compressed(m *image.Gray, quality int) func(x, y int) float64 {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // a buffer takes everything, and the size is small
	}
	out, err := jpeg.Decode(&file)
	if err != nil {
		panic(err)
	}
	return func(x, y int) float64 { return float64(color.GrayModel.Convert(out.At(x, y)).(color.Gray).Y) }
}

// canvas is a page that is drawn on.
type canvas struct {
	width, height int
	shades        []float64
}

func newCanvas(width, height int, paper float64) *canvas {
	c := &canvas{width, height, make([]float64, width*height)}
	for i := range c.shades {
		c.shades[i] = paper
	}
	return c
}

// fill fills a box.
func (c *canvas) fill(x1, y1, x2, y2, shade float64) {
	for y := max(0, int(y1)); y < min(c.height, int(y2)); y++ {
		for x := max(0, int(x1)); x < min(c.width, int(x2)); x++ {
			c.shades[y*c.width+x] = shade
		}
	}
}

// stroke draws a line with round ends.
func (c *canvas) stroke(x1, y1, x2, y2, thick, shade float64) {
	reach := thick/2 + 1
	length := (x2-x1)*(x2-x1) + (y2-y1)*(y2-y1)
	for y := max(0, int(min(y1, y2)-reach)); y < min(c.height, int(max(y1, y2)+reach)+1); y++ {
		for x := max(0, int(min(x1, x2)-reach)); x < min(c.width, int(max(x1, x2)+reach)+1); x++ {
			u, v := float64(x), float64(y)
			along := 0.0
			if length > 0 {
				along = min(max(((u-x1)*(x2-x1)+(v-y1)*(y2-y1))/length, 0), 1)
			}
			d := math.Hypot(u-x1-along*(x2-x1), v-y1-along*(y2-y1))
			share := min(max(thick/2+0.5-d, 0), 1)
			at := &c.shades[y*c.width+x]
			*at = min(*at, *at*(1-share)+shade*share)
		}
	}
}

// noisy is the page with noise of that deviation.
func (c *canvas) noisy(r *source, deviation float64) func(x, y int) float64 {
	return func(x, y int) float64 { return c.shades[y*c.width+x] + r.noise()*deviation }
}

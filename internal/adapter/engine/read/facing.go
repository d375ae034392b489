package read

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Facings keeps which way up a page is, by how it was asked for that: by how many quarters it is to be turned clockwise, or unknown.
type Facings map[string]int

// Which way up a page is, some of its lines tell, read on an image in which letters are just large enough for lines to be found. See
// docs/adr/0071-which-way-up-a-page-is.md.
const (
	glanced     = 1 << 20 // pixels of that image
	samples     = 3       // lines that are read for it
	sampled     = 16.0    // heights of a letter of a line that are read
	sampleParts = 6       // parts of the ink that a line has at least
	samplesOff  = 4.0     // by how many times letters are higher than most parts of the ink are large, at most
	sampleLines = 2       // that are found at its place, at most
	sampleRead  = 0.8     // how sure a line is that counts
	sampleGuess = 0.6     // the same of several lines
	sampleSure  = 0.85    // how sure a line is that tells it alone
	sampleMost  = 8       // letters of it, at least
	sampleClear = 0.986   // how clear its letters are that tell it alone, however sure its words are
	sampleLong  = 10      // letters of it then, at least
	sampleLead  = 2.5     // by how many times more is read one way up than the other
	sampleLeast = 4.0     // letters that were read surely, at least
	sampleAmong = 8.0     // the same of several lines
)

// facing is by how many quarters the page is to be turned clockwise so that most of its text is upright, unknown where that is not clear.
// It depends on nothing but the page and how its regions are read.
func (j *job) facing(page Page) (int, error) {
	key := fmt.Sprint(j.task.Lang, j.task.Effort, j.task.Mode)
	if j.chooses {
		key = fmt.Sprint(j.Tongues, j.task.Effort, j.task.Mode)
	}
	if quarters, known := j.Facings[key]; known {
		return quarters, nil
	}
	quarters, err := j.faces(page)
	if err == nil && j.Facings != nil {
		j.Facings[key] = quarters
	}
	return quarters, err
}

// faces finds out what facing returns: first as the ink of the page tells how its lines run.
func (j *job) faces(page Page) (int, error) {
	v, n, err := reduced(page)
	if err != nil {
		return unknown, err
	}
	s := v.seen(inkOf)
	if s == nil {
		return unknown, nil
	}
	order := []int{0, 3}
	if s.upAndDown() {
		order = []int{3, 0}
	}
	for _, quarters := range order {
		turned := v.turn(quarters)
		s := s
		if quarters != 0 {
			if s = turned.seen(inkOf); s == nil {
				continue
			}
		}
		if facing, err := j.among(page, s.samples(turned.piece, n), quarters); facing != unknown || err != nil {
			return facing, err
		}
	}
	return unknown, nil
}

// among is which way up lines of the page are read well: turned clockwise by quarters, or by two more.
func (j *job) among(page Page, lines []document.Box, quarters int) (int, error) {
	ways := [2]int{quarters, (quarters + 2) % 4}
	var read, guessed [2]float64
	for n, box := range lines {
		v, err := viewOf(page, box)
		if err != nil {
			return unknown, err
		}
		v = v.in(j.task.Lang)
		for i, quarters := range ways {
			g, err := j.sample(v.turn(quarters))
			if err != nil {
				return unknown, err
			}
			read[i] += g.worth(sampleRead)
			guessed[i] += g.worth(sampleGuess)
			if g.tells() {
				return quarters, nil
			}
		}
		for i, quarters := range ways {
			if read[i] > sampleLead*read[1-i] && read[i] >= sampleLeast ||
				n > 0 && guessed[i] > sampleLead*guessed[1-i] && guessed[i] >= sampleAmong {
				return quarters, nil
			}
		}
	}
	return unknown, nil
}

// sample reads a line of the page at one look, by the second recogniser too where that does not tell it and the effort wants that.
func (j *job) sample(v view) (g glimpse, err error) {
	try := job{Reader: j.Reader,
		task: recognition.Task{Box: v.region, Lang: j.task.Lang, Effort: recognition.EffortFast, Mode: j.task.Mode}}
	if j.chooses {
		try.task.Lang = []string{recognition.AutoLang}
	}
	if err := try.choose(); err != nil {
		return g, err
	}
	if err := try.look(v); err != nil || len(try.lines) == 0 || len(try.lines) > sampleLines || try.scene.upAndDown() {
		return g, err
	}
	if g, err = try.probe(); err != nil || g.tells() || j.task.Effort != recognition.EffortAccurate {
		return g, err
	}
	try.task.Effort = j.task.Effort
	return try.probe()
}

// reduced is a page made so small that lines can be found on it at little cost, and by how many times.
func reduced(page Page) (v view, n int, err error) {
	width, height := page.Size()
	n = max(1, int(math.Ceil(math.Sqrt(float64(width)*float64(height)/glanced))))
	small := newGray(max(1, width/n), max(1, height/n))
	const rows = 64
	for top := 0; top < small.Height; top += rows {
		bottom := min(small.Height, top+rows)
		band, err := page.Gray(document.Box{Y1: n * top, X2: min(width, n*small.Width), Y2: min(height, n*bottom)})
		if err != nil {
			return v, n, err
		}
		copy(small.Pix[top*small.Width:], band.shrink(n).Pix)
	}
	all := document.Box{X2: small.Width, Y2: small.Height}
	return view{piece: within(all, 0, small.Width, small.Height), gray: small}, n, nil
}

// samples are places of lines of a page that is made smaller by n times, those with the most parts first.
func (s *scene) samples(p piece, n int) (boxes []document.Box) {
	var sizes []float64
	for _, q := range s.parts {
		if size := max(q.width(), q.height()); q.dark && q.area >= 6 && size >= 4 {
			sizes = append(sizes, float64(size))
		}
	}
	slices.Sort(sizes)
	if n := len(sizes); n > 0 && s.letter > samplesOff*sizes[7*n/10] { // that of folds and frames
		s.letter = sizes[7*n/10]
	}
	var at []int
	for i, q := range s.parts {
		if q.dark && s.glyph(q) && float64(q.height()) < unlike*s.letter {
			at = append(at, i)
		}
	}
	for _, l := range s.rows(at) {
		if len(l.parts) < sampleParts || len(boxes) == samples {
			break
		}
		x2 := min(l.x2, l.x1+sampled*l.letter)
		top, bottom := l.top+l.slope*l.x1, l.bottom+l.slope*l.x1
		if l.slope != 0 {
			top, bottom = min(top, l.top+l.slope*x2), max(bottom, l.bottom+l.slope*x2)
		}
		m, f := 0.3*l.letter, float64(s.factor)
		a, b := p.onPage(Point{(l.x1 - m) * f, (top - m) * f}), p.onPage(Point{(x2 + m) * f, (bottom + m) * f})
		box := document.Box{X1: n * int(min(a.X, b.X)), Y1: n * int(min(a.Y, b.Y)), X2: n * int(math.Ceil(max(a.X, b.X))),
			Y2: n * int(math.Ceil(max(a.Y, b.Y)))}
		boxes = append(boxes, box.Intersect(document.Box{X2: n * p.box.X2, Y2: n * p.box.Y2}))
	}
	return boxes
}

// worth is the number of letters of a glimpse, weighted by how sure they are, or 0 if its confidence is below sure.
func (g glimpse) worth(sure float64) (letters float64) {
	if g.sure >= sure {
		letters = g.sure * g.sure * float64(g.letters)
	}
	if g.hears != notAsked && g.heard >= sure {
		letters = max(letters, g.heard*g.heard*float64(g.hears))
	}
	return letters
}

// tells tells whether a glimpse of one line is so clear that it is the right way up.
func (g glimpse) tells() bool {
	if g.turnable || g.foreign {
		return false
	}
	if g.hears != notAsked && g.letters == 0 { // nothing else had to be asked
		return g.hears >= sampleMost
	}
	return g.letters >= sampleMost && g.sure >= sampleSure || g.letters >= sampleLong && g.clear >= sampleClear
}

// turnable tells whether all of a line reads much the same on its head.
func turnable(line []letter) bool {
	for _, l := range line {
		if !strings.Contains("0689OoHINSXZ1Il|xzsnu.,:;'`·-–—=+*/%()[]", l.text) {
			return false
		}
	}
	return true
}

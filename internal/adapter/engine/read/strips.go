package read

import (
	"cmp"
	"math"
	"slices"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// reading is what was read of one line.
type reading struct {
	strip strip
	line  []letter
	lang  []string // that it was read in
}

// each reads each line by itself, and those that the detector finds where that is unsure.
func (j *job) each(shape recognition.Shape) error {
	strips := make([]strip, len(j.lines))
	for k := range j.lines {
		strips[k] = j.cut(k)
	}
	readings, err := j.strips(strips, shape, j.probed)
	if err != nil {
		return err
	}
	if sure, letters := total(readings); sure < unclear && j.Detector != nil && j.task.Effort == recognition.EffortAccurate {
		strips, err := j.detected()
		if err != nil {
			return err
		}
		others, err := j.strips(strips, shape, nil)
		if err != nil {
			return err
		}
		if s, n := total(others); s > sure && 4*n >= 3*letters {
			readings = others
		}
	}
	for _, r := range readings {
		j.add(r)
	}
	return nil
}

// cut cuts a line out, once.
func (j *job) cut(k int) strip {
	t, known := j.cuts[k]
	if !known {
		t = j.scene.cut(j.lines, k, margin)
		j.cuts[k] = t
	}
	return t
}

// unclear is the confidence below which the lines of the ink may not be those of the text.
const unclear = 0.7

// total is the confidence of readings by their letters, and how many these are.
func total(readings []reading) (sure float64, letters int) {
	for _, r := range readings {
		sure += sureness(r.line) * float64(len(r.line))
		letters += len(r.line)
	}
	return sure / float64(max(1, letters)), letters
}

// picture is how many strips that are no text make what follows them none either: a picture, or rules.
const picture = 3

// strips reads strips by both recognisers, and leaves out those that are no text, and a few letters among many of these.
func (j *job) strips(strips []strip, shape recognition.Shape, probed map[int][]letter) (readings []reading, err error) {
	if shape < recognition.ShapeLine {
		shape = recognition.ShapeLine
	}
	for k, t := range strips {
		if err := j.goesOn(); err != nil {
			return nil, err
		}
		if k == picture && len(readings) == 0 {
			break
		}
		r, err := j.line(t, shape, probed[k], j.verdicts[k])
		if err != nil {
			return nil, err
		}
		if len(r.line) > 0 && j.credible(r) {
			r.line = j.filled(t, r)
			readings = append(readings, r)
		}
	}
	if _, letters := total(readings); len(strips) > picture && 4*len(readings) < len(strips) && letters < 2*shortest {
		return nil, nil
	}
	return readings, nil
}

// detected cuts out the lines that the detector finds in the region, from the top down.
func (j *job) detected() ([]strip, error) {
	s := j.scene
	quads, err := j.quads()
	if err != nil {
		return nil, err
	}
	inside := slices.DeleteFunc(slices.Clone(quads), j.leaves)
	if len(inside) > 0 {
		quads = inside
	}
	var found []strip
	for _, q := range quads {
		middle := Point{(q[0].X + q[1].X + q[2].X + q[3].X) / 4, (q[0].Y + q[1].Y + q[2].Y + q[3].Y) / 4}
		width, height := (q[1].X-q[0].X+q[2].X-q[3].X)/2, (q[3].Y-q[0].Y+q[2].Y-q[1].Y)/2
		if middle.Y < j.inner.y1 || middle.Y > j.inner.y2 || width < smallest || height < smallest {
			continue
		}
		slope := (q[1].Y - q[0].Y) / width
		left, right := max(q[0].X, j.inner.x1-height/2), min(q[1].X, j.inner.x2+height/2) // only the region's part
		if right-left < height/2 {
			continue
		}
		t := strip{slope: slope, origin: Point{left, q[0].Y + slope*(left-q[0].X)}, ink: height, letter: 0.6 * height}
		t.gray = s.gray.warp(t.origin, Point{1, slope}, Point{0, 1}, int(right-left), int(height))
		t.develop()
		found = append(found, t)
	}
	slices.SortFunc(found, func(a, b strip) int {
		x, y := a.at(Point{float64(a.gray.Width) / 2, a.ink / 2}), b.at(Point{float64(b.gray.Width) / 2, b.ink / 2})
		if math.Abs(x.Y-y.Y) < 0.5*min(a.ink, b.ink) {
			return cmp.Compare(x.X, y.X)
		}
		return cmp.Compare(x.Y, y.Y)
	})
	return found, nil
}

// leaves tells whether a line that the detector finds goes out of the region above or below, at one of its ends.
func (j *job) leaves(q Quad) bool {
	for _, end := range [2][2]Point{{q[0], q[3]}, {q[1], q[2]}} {
		top, bottom := end[0].Y, end[1].Y
		if overlap(top, bottom, j.inner.y1, j.inner.y2) < 0.4*(bottom-top) {
			return true
		}
	}
	return false
}

// smallest is the height of a line that the detector finds below which nobody can read it, in pixels.
const smallest = 6

// detectorLetter is the height of capital letters at which the detector looks for lines, in pixels.
const detectorLetter = 24

// placed is where a line of the text stands on the piece, and how many words it has; an empty line has none.
type placed struct {
	box   rect
	words int
}

// add adds a line to what was read.
func (j *job) add(r reading) { j.insert(r, len(j.text)) }

// insert puts a line into what was read, before the line at a place.
func (j *job) insert(r reading, at int) {
	t, line := r.strip, withoutRemains(r.line)
	t.quotes(line, r.lang, j.task.Charset)
	line = t.amount(line, r.lang, j.task.Charset)
	won(line, slices.Concat(r.lang, j.task.Lang), j.task.Charset)
	if len(line) == 0 {
		return
	}
	j.uses(r.lang)
	t.bound(line)
	height := float64(t.gray.Height)
	inked := rect{0, (height - t.ink) / 2, float64(t.gray.Width), (height + t.ink) / 2}
	more := words(line, inked, confidence, func(r rect) document.Box { return j.place(t, r) })
	before := 0
	for _, p := range j.places[:at] {
		before += p.words
	}
	j.words = slices.Insert(j.words, before, more...)
	j.text = slices.Insert(j.text, at, textOf(line))
	j.places = slices.Insert(j.places, at, placed{t.extent(), len(more)})
}

// confidence is that of a word.
func confidence(word []letter) float64 {
	least := 1.0
	for _, l := range word {
		least = min(least, l.word)
	}
	return min(1, max(0, least))
}

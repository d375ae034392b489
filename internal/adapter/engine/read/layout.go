package read

import (
	"cmp"
	"math"
	"slices"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Segmenter finds the columns, lines or words of a sheet in the order of reading, in pixels of the sheet.
type Segmenter func(sheet Gray, level recognition.Level) ([]document.Box, error)

const (
	mostDetected = 1_500_000 // pixels in which the detector looks for lines; of more it sees a smaller image
	mostTall     = 12        // tall lines of a page that are read to find out which way they run
)

// Suggest suggests regions: what the segmenter finds on a page, and the lines that only the detector finds, in the order of reading,
// with no overlaps. It suggests none where the page is blank.
func (r Reader) Suggest(page Page, level recognition.Level, lang []string, segment Segmenter) ([]recognition.Suggestion, error) {
	width, height := page.Size()
	all := document.Box{X2: width, Y2: height}
	v, err := viewOf(page, all)
	if err != nil {
		return nil, err
	}
	j := job{Reader: r, task: recognition.Task{Box: all, Lang: lang, Effort: recognition.EffortFast}}
	if err := j.upright(nil, v.in(r.possible(lang))); err != nil || j.scene == nil {
		return nil, err
	}
	sheet, scale := j.scene.sheetOf(j.piece)
	boxes, err := segment(sheet, level)
	if err != nil {
		return nil, err
	}
	var found []rect
	for _, b := range boxes {
		found = append(found, rect{float64(b.X1) / scale, float64(b.Y1) / scale, float64(b.X2) / scale, float64(b.Y2) / scale})
	}
	if r.Detector != nil && level != recognition.LevelWord {
		lines, err := j.detectedBoxes()
		if err != nil {
			return nil, err
		}
		if level == recognition.LevelLine {
			found = completed(found, lines)
		}
		found = joined(found, lines, level == recognition.LevelBlock)
	}
	var suggestions []recognition.Suggestion
	tall := 0
	for _, f := range apart(found) {
		b := j.place(strip{}, f)
		if b.Width() < 2 || b.Height() < 2 {
			continue
		}
		s := recognition.Suggestion{Box: b, Rotation: 90 * ((4 - j.quarters) % 4)}
		if w, h := f.x2-f.x1, f.y2-f.y1; level != recognition.LevelWord && h > 2.5*w && tall < mostTall {
			tall++
			read, err := r.Read(page, recognition.Task{Box: b, Lang: lang, Effort: recognition.EffortFast, Rotate: recognition.RotateAuto})
			if err != nil {
				return nil, err
			}
			if read.Text != "" {
				s.Rotation = read.Rotation
			}
		}
		suggestions = append(suggestions, s)
	}
	return suggestions, nil
}

// quads are the lines that the detector finds, in pixels of the piece: in an image in which the letters of the ink have the right size for
// it, or in the largest image that it takes where it sees none in that, since the ink of creases and shadows tells nothing of letters.
func (j *job) quads() ([]Quad, error) {
	s := j.scene
	least := 1
	for s.gray.Width*s.gray.Height/(least*least) > mostDetected {
		least++
	}
	n := max(least, int(s.letter*float64(s.factor)/detectorLetter+0.5))
	quads, err := j.quadsAt(n)
	if err == nil && len(quads) == 0 && n > least {
		return j.quadsAt(least)
	}
	return quads, err
}

// quadsAt are the lines that the detector finds in an image that is n times smaller than the piece, in pixels of the piece.
func (j *job) quadsAt(n int) ([]Quad, error) {
	quads, err := j.Detector.Detect(j.scene.gray.shrink(n).Colour())
	for i := range quads {
		for k, p := range quads[i] {
			quads[i][k] = Point{float64(n) * p.X, float64(n) * p.Y}
		}
	}
	return quads, err
}

// detectedBoxes are boxes around the lines that the detector finds, in pixels of the piece, from the top down.
func (j *job) detectedBoxes() (found []rect, err error) {
	s := j.scene
	quads, err := j.quads()
	for _, q := range quads {
		r := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
		for _, p := range q {
			x, y := min(max(p.X, 0), float64(s.gray.Width)), min(max(p.Y, 0), float64(s.gray.Height))
			r = rect{min(r.x1, x), min(r.y1, y), max(r.x2, x), max(r.y2, y)}
		}
		if s.inked(r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b rect) int { return cmp.Or(cmp.Compare(a.y1, b.y1), cmp.Compare(a.x1, b.x1)) })
	return found, err
}

// inked tells whether there is ink in a part of the piece.
func (s *scene) inked(r rect) bool {
	f := float64(s.factor)
	for y := int(r.y1 / f); y < min(s.height, int(math.Ceil(r.y2/f))); y++ {
		if slices.Contains(s.ink[y*s.width+min(s.width, int(r.x1/f)):y*s.width+min(s.width, int(math.Ceil(r.x2/f)))], 1) {
			return true
		}
	}
	return false
}

func (r rect) area() float64 { return max(0, r.x2-r.x1) * max(0, r.y2-r.y1) }

func (r rect) common(o rect) rect {
	return rect{max(r.x1, o.x1), max(r.y1, o.y1), min(r.x2, o.x2), min(r.y2, o.y2)}
}

func (r rect) around(o rect) rect {
	return rect{min(r.x1, o.x1), min(r.y1, o.y1), max(r.x2, o.x2), max(r.y2, o.y2)}
}

// completed makes boxes as long as the lines of which they are part, and one box of those that are parts of the same line: a segmenter
// that looks for columns may cut lines off, or into pieces.
func completed(boxes, lines []rect) []rect {
	for _, l := range lines {
		var whole *rect
		kept := make([]rect, 0, len(boxes))
		for _, b := range boxes {
			if whole != nil && b.partOf(l) {
				*whole = whole.around(b)
				continue
			}
			if kept = append(kept, b); b.partOf(l) {
				whole = &kept[len(kept)-1]
			}
		}
		if whole != nil {
			whole.x1, whole.x2 = min(whole.x1, l.x1), max(whole.x2, l.x2)
		}
		boxes = kept
	}
	return boxes
}

// partOf tells whether a box lies mostly in a line, and is not one of several lines.
func (r rect) partOf(line rect) bool {
	return r.y2-r.y1 <= 1.5*(line.y2-line.y1) && overlap(r.y1, r.y2, line.y1, line.y2) >= 0.7*(r.y2-r.y1) &&
		overlap(r.x1, r.x2, line.x1, line.x2) >= 0.5*(r.x2-r.x1)
}

// joined adds those lines to boxes, in the order of reading, that lie in none of them. With blocks set, lines that stand close above one
// another make one box.
func joined(boxes, lines []rect, blocks bool) []rect {
	var added []rect
	for _, l := range lines {
		covered := 0.0
		for _, b := range boxes {
			covered += l.common(b).area()
		}
		if covered >= 0.5*l.area() {
			continue
		}
		if n := len(added); blocks && n > 0 {
			last := &added[n-1]
			h := l.y2 - l.y1
			if gap := l.y1 - last.y2; gap < 0.8*h && gap > -0.5*h && overlap(l.x1, l.x2, last.x1, last.x2) > 0.5*min(l.x2-l.x1,
				last.x2-last.x1) {
				*last = last.around(l)
				continue
			}
		}
		added = append(added, l)
	}
	for _, l := range added {
		// Behind the last box of its column that is above it, or before the first one that is below.
		at := -1
		for i, b := range boxes {
			if overlap(l.x1, l.x2, b.x1, b.x2) > 0 && (b.y1+b.y2)/2 < (l.y1+l.y2)/2 {
				at = i + 1
			}
		}
		if at < 0 {
			at = slices.IndexFunc(boxes, func(b rect) bool { return (b.y1+b.y2)/2 > (l.y1+l.y2)/2 })
		}
		if at < 0 {
			at = len(boxes)
		}
		boxes = slices.Insert(slices.Clip(boxes), at, l)
	}
	return boxes
}

// apart makes one box of two that share most of the smaller one, and separates others in the middle of what they share.
func apart(boxes []rect) []rect {
	boxes = slices.Clone(boxes)
	for i := 0; i < len(boxes); i++ {
		for k := i + 1; k < len(boxes); k++ {
			if boxes[i].common(boxes[k]).area() > 0.5*min(boxes[i].area(), boxes[k].area()) {
				boxes[i] = boxes[i].around(boxes[k])
				boxes = slices.Delete(boxes, k, k+1)
				i, k = -1, len(boxes) // once more from the beginning
			}
		}
	}
	for i := range boxes {
		for k := i + 1; k < len(boxes); k++ {
			a, b := &boxes[i], &boxes[k]
			c := a.common(*b)
			if c.x1 >= c.x2 || c.y1 >= c.y2 {
				continue
			}
			if c.x2-c.x1 < c.y2-c.y1 {
				if a.x1+a.x2 > b.x1+b.x2 {
					a, b = b, a
				}
				a.x2 = math.Floor((c.x1 + c.x2) / 2)
				b.x1 = a.x2
			} else {
				if a.y1+a.y2 > b.y1+b.y2 {
					a, b = b, a
				}
				a.y2 = math.Floor((c.y1 + c.y2) / 2)
				b.y1 = a.y2
			}
		}
	}
	return boxes
}

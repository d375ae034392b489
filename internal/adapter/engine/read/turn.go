package read

import (
	"cmp"
	"math"
	"slices"

	"glyphbox/internal/domain/recognition"
)

const (
	upright   = 0.65 // confidence at which text is taken to be the right way up
	probes    = 3    // lines that are read to find that out
	advantage = 0.1  // by how much another way up is surer
	shortest  = 3    // letters: fewer tell little about which way up they are

	// Text on its head is rare, and numbers make numbers when they are turned.
	onHead      = 0.75
	onHeadShort = 0.85
	onHeadSurer = 0.25 // than upright, for text of some length
)

// upright finds out which way up a region is. The ink tells whether its lines run across or up and down, a few lines read at one look
// each tell which of both ways.
func (j *job) upright(v view) error {
	first := *j
	if err := first.look(v); err != nil {
		return err
	}
	*j = first
	if first.scene == nil {
		return nil
	}
	order := []int{0, 2}
	if first.scene.upAndDown() {
		order = []int{3, 1, 0}
	}
	var best job
	sure, letters := -1.0, 0
	for _, quarters := range order {
		try := first
		if quarters != 0 {
			if err := try.look(v.turn(quarters)); err != nil {
				return err
			}
		}
		if try.scene == nil || len(try.lines) == 0 {
			continue
		}
		s, n, err := try.probe()
		if err != nil {
			return err
		}
		if quarters == 2 && (s < onHead || n < shortest && s < onHeadShort) && (n < 2*shortest || s < sure+onHeadSurer) {
			continue
		}
		if s > sure+advantage && 2*n >= letters || sure < 0 {
			passes := best.passes
			best, sure, letters = try, s, n
			best.passes += passes
		} else {
			best.passes += try.passes
		}
		if sure >= upright {
			break
		}
	}
	if sure >= 0 {
		*j = best
	}
	return nil
}

// upAndDown tells whether the ink of a region looks like lines that run up or down the page.
func (s *scene) upAndDown() bool {
	var boxes []part
	size := func(p part) float64 { return float64(max(p.width(), p.height())) }
	for _, p := range s.parts {
		if p.dark && p.area >= 6 && size(p) >= 4 && s.mostly(p) {
			boxes = append(boxes, p)
		}
	}
	letter := weighted(boxes, 0.6, size, size)
	x1, y1, x2, y2 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	boxes = slices.DeleteFunc(boxes, func(p part) bool { return size(p) < 0.4*letter || size(p) > 4*letter })
	for _, p := range boxes {
		x1, y1, x2, y2 = min(x1, float64(p.x1)), min(y1, float64(p.y1)), max(x2, float64(p.x2)), max(y2, float64(p.y2))
	}
	width, height := x2-x1, y2-y1
	if len(boxes) < shortest {
		return len(boxes) > 0 && height > 2.5*width
	}
	if min(width, height) < 2.2*letter { // a single line
		return height > 1.3*width
	}
	across := make([]float64, int(height)+1) // ink of each row
	along := make([]float64, int(width)+1)
	for _, p := range boxes {
		for y := p.y1; y < p.y2; y++ {
			across[y-int(y1)] += float64(p.width())
		}
		for x := p.x1; x < p.x2; x++ {
			along[x-int(x1)] += float64(p.height())
		}
	}
	return uneven(along) > 1.2*uneven(across)
}

// uneven is how unevenly a profile is filled: its mean square by the square of its mean.
func uneven(profile []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range profile {
		sum += v
		squares += v * v
	}
	if sum == 0 {
		return 0
	}
	return squares * float64(len(profile)) / (sum * sum)
}

// probe reads some lines at one look each, those with the most letters, and returns how sure that is, and how many letters it was.
func (j *job) probe() (sure float64, letters int, err error) {
	order := make([]int, len(j.lines))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(j.lines[b].parts), len(j.lines[a].parts)) })
	j.probed = map[int][]letter{}
	sum := 0.0
	for _, k := range order[:min(probes, len(order))] {
		line, err := j.glance(j.scene.cut(j.lines, k, margin), looks[0], recognition.ShapeLine, j.task.Charset)
		if err != nil {
			return 0, 0, err
		}
		j.probed[k] = line
		sum += sureness(line) * float64(len(line))
		letters += len(line)
	}
	if letters > 0 {
		sure = sum / float64(letters)
	}
	return sure, letters, nil
}

// quarters is by how much a region is turned clockwise whose text is turned as the task says.
var quarters = map[recognition.Rotate]int{recognition.Rotate0: 0, recognition.Rotate90: 3, recognition.Rotate180: 2,
	recognition.Rotate270: 1}

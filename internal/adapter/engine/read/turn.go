package read

import (
	"cmp"
	"math"
	"slices"

	"glyphbox/internal/domain/recognition"
)

const (
	upright  = 0.65 // confidence at which text is taken to be the right way up
	probes   = 3    // lines that are read to find that out
	shortest = 3    // letters: fewer tell little about which way up they are

	// A line of so many letters that is so sure tells it alone.
	enoughLetters = 20
	sureAtOnce    = 0.9

	unsureTurned = 0.4  // confidence below which text that is turned is none
	plainlyHeard = 0.95 // probability that the second recogniser gives letters that are the right way up

	clearly = 6 // letters: fewer do not count against what most of the page tells

	// Text on its head is rare, and turned numbers may read as numbers.
	onHead      = 0.75
	onHeadShort = 0.85
	onHeadSurer = 0.25 // than upright, for text of some length
)

// upright finds out which way up a region is. The ink tells whether its lines run across or up and down, and a few lines, read at one look
// each, tell which of the two ways is up. If that is not clear, it is turned as most of the page is; page is nil if that does not count.
func (j *job) upright(page Page, v view) error {
	first := *j
	if err := first.look(v); err != nil {
		return err
	}
	*j = first
	if first.scene == nil {
		return nil
	}
	w := ways{first: first, view: v, facing: unknown}
	sideways := first.scene.upAndDown()
	if !sideways {
		if done, err := w.try(0); done || err != nil {
			*j = w.best
			return err
		}
	}
	if page != nil && !whole(page, j.task.Box) {
		var err error
		if w.facing, err = first.facing(page); err != nil {
			return err
		}
	}
	for _, quarters := range w.order(sideways) {
		if done, err := w.try(quarters); done || err != nil {
			*j = w.best
			return err
		}
	}
	switch {
	case !w.found:
	case w.best.quarters != 0 && w.best.quarters != w.facing && max(w.most.sure, w.most.heard) < unsureTurned:
		j.passes = w.best.passes
	default:
		*j = w.best
	}
	return nil
}

// ways are the ways up that a region was tried in.
type ways struct {
	first  job // as it is on the page, not yet read
	view   view
	facing int // of the page, or unknown

	asked   bool // which way up the page is
	crosses bool // the lines seem to run across those of the page

	found bool
	best  job
	most  glimpse // of the best one
}

// order are the ways up that are still to be tried.
func (w *ways) order(sideways bool) []int {
	w.asked = true
	few := w.first.few()
	w.crosses = !few && !sideways && w.facing%2 != 0
	switch f := w.facing; {
	case f == unknown && sideways:
		return []int{3, 1, 0}
	case f == unknown:
		return []int{2}
	case few || f%2 == 0 && !sideways && w.first.task.Effort == recognition.EffortFast:
		return []int{f}
	case !sideways:
		return []int{f, 2}
	case f%2 == 0:
		return []int{f, 3, 1}
	default:
		return []int{f, 4 - f, 0}
	}
}

// try reads some of a region one way up, and tells whether no other one needs to be tried.
func (w *ways) try(quarters int) (done bool, err error) {
	if w.found && w.best.quarters == quarters {
		return w.most.plain(quarters), nil
	}
	try := w.first
	if quarters != 0 {
		if err := try.look(w.view.turn(quarters)); err != nil {
			return false, err
		}
	}
	if try.scene == nil || len(try.lines) == 0 {
		return false, nil
	}
	g, err := try.probe()
	if err != nil {
		return false, err
	}
	if w.found && !w.better(g, quarters) {
		w.best.passes += try.passes
		return false, nil
	}
	passes := w.best.passes
	w.best, w.most, w.found = try, g, true
	w.best.passes += passes
	return g.plain(quarters) && (w.asked || !g.turnable), nil
}

// better tells whether a region reads better one way up than in the best way until now.
func (w *ways) better(g glimpse, quarters int) bool {
	switch {
	case quarters == w.facing && w.crosses:
		return g.plain(quarters) || g.clearer(w.most)
	case quarters == w.facing:
		return w.most.count() < clearly || !w.most.plain(w.best.quarters) || !w.most.clearer(g)
	case w.best.quarters == w.facing:
		return g.count() >= clearly && g.plain(quarters) && g.clearer(w.most)
	case quarters == 2:
		return g.onHead(w.most)
	}
	return g.clearer(w.most)
}

// few tells whether a region has so few parts of the size of letters that these tell little about which way up they are.
func (j *job) few() bool {
	n := 0
	for _, l := range j.lines {
		n += len(l.parts)
	}
	return n < clearly
}

// glimpse is what some lines of a region are read as one way up.
type glimpse struct {
	lines    int
	sure     float64 // of the first recogniser
	clear    float64 // mean of the probabilities of its letters
	letters  int
	heard    float64 // probability that the second one gives its letters of the line with the most parts
	hears    int     // these letters, or notAsked
	wants    int     // letters of that line by the first one
	turnable bool    // these lines read much the same on their head
	foreign  bool    // Korean is expected, and what was read is none, and not heard by the second one either
}

// count is how many letters were read.
func (g glimpse) count() int { return max(g.letters, g.hears) }

// plain tells whether a region is read so well that no other way up needs to be tried. Letters of lines that are turned are often read
// one by one.
func (g glimpse) plain(quarters int) bool {
	if g.hears != notAsked {
		return g.heard >= plainlyHeard && (g.hears >= shortest || quarters == 0 && g.hears > 0) && 2*g.hears >= g.wants
	}
	if quarters == 0 {
		return !g.foreign && (g.sure >= upright || g.clear >= clearOfAnyone)
	}
	return !g.foreign && g.sure >= upright && g.letters >= shortest*g.lines
}

// clearer tells whether a region is read better than in another way up.
func (g glimpse) clearer(h glimpse) bool {
	if g.hears != notAsked && h.hears != notAsked {
		return g.heard*g.heard*float64(g.hears) > 1.1*h.heard*h.heard*float64(h.hears)
	}
	return g.sure*g.sure*float64(g.letters) > 1.1*h.sure*h.sure*float64(h.letters)
}

// onHead tells whether a region is read so much better that it stands on its head, which is rare.
func (g glimpse) onHead(h glimpse) bool {
	if g.hears != notAsked && h.hears != notAsked {
		return g.heard >= 0.9 && g.hears >= shortest && g.heard > h.heard+0.05
	}
	return g.sure >= onHead && (g.letters >= shortest || g.sure >= onHeadShort) || g.letters >= 2*shortest && g.sure >= h.sure+onHeadSurer
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

// probe reads some lines at one look each, those with the most parts, the first of them by the second recogniser too.
func (j *job) probe() (g glimpse, err error) {
	order := make([]int, len(j.lines))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(j.lines[b].parts), len(j.lines[a].parts)) })
	j.probed, j.verdicts = map[int][]letter{}, map[int]int{}
	g.lines, g.hears = min(probes, len(order)), notAsked
	if line, err := j.bySecond(j.cut(order[0])); err != nil || len(line) > 0 {
		g.heard, g.hears, g.wants, g.turnable = sureness(line), len(line), len(line), turnable(line)
		return g, err
	}
	koreanLetters := false
	g.turnable = true
	letteredIn := map[int]int{} // by tongue
	for i, k := range order[:g.lines] {
		line, err := j.hear(j.cut(k))
		if err != nil {
			return g, err
		}
		j.probed[k], j.verdicts[k] = line, j.tongue
		letteredIn[j.tongue] += len(line)
		g.sure += sureness(line) * float64(len(line))
		g.clear += clarity(line) * float64(len(line))
		g.letters += len(line)
		g.turnable = g.turnable && turnable(line)
		koreanLetters = koreanLetters || slices.ContainsFunc(line, func(l letter) bool { return hangul(l.text) })
		if i == 0 && !j.chooses && len(line) >= enoughLetters && g.sure >= sureAtOnce*float64(g.letters) {
			g.lines = 1
			break
		}
	}
	g.sure /= float64(max(1, g.letters))
	g.clear /= float64(max(1, g.letters))
	if err := j.speakMost(letteredIn); err != nil {
		return g, err
	}
	second := j.reads("Latin")
	if j.task.Effort != recognition.EffortAccurate || second == nil || koreanLetters || !readable(j.task.Lang) {
		return g, nil
	}
	line, err := j.ask(second, j.cut(order[0]))
	if korean(j.task.Lang) && len(line) == 0 {
		g.foreign = true
		return g, err
	}
	g.heard, g.hears, g.wants = sureness(expected(line, j.task.Lang)), len(line), len(j.probed[order[0]])
	return g, err
}

// quarters is by how much a region is turned clockwise whose text is turned as the task says.
var quarters = map[recognition.Rotate]int{recognition.Rotate0: 0, recognition.Rotate90: 3, recognition.Rotate180: 2,
	recognition.Rotate270: 1}

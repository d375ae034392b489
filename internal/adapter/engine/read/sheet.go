package read

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"glyphbox/internal/domain/recognition"
)

// sheetOf cuts the region out of a piece and scales it, if its letters are small.
func (s *scene) sheetOf(p piece) (sheet Gray, scale float64) {
	sheet, scale = s.gray.crop(int(p.inner.x1), int(p.inner.y1), int(p.inner.x2), int(p.inner.y2)), 1
	if s.letter*float64(s.factor) < 14 && sheet.Width*sheet.Height < 10_000_000 {
		scale = 2
		sheet = sheet.resize(2*sheet.Width, 2*sheet.Height)
	}
	return sheet, scale
}

// block has the engine find the lines of the region, and reads each of them again.
func (j *job) block(shape recognition.Shape) error {
	image, scale := j.scene.sheetOf(j.piece)
	return j.sheet(j.scene, image, scale, Query{Shape: shape, Charset: j.task.Charset})
}

// passedOver are the lines of the ink most of whose parts are missed, those with the most parts first.
func (j *job) passedOver(missed []int) (lines []int) {
	for k, l := range j.lines {
		n := 0
		for _, part := range l.parts {
			if _, is := slices.BinarySearch(missed, part); is {
				n++
			}
		}
		if n >= shortest && 2*n > len(l.parts) {
			lines = append(lines, k)
		}
	}
	slices.SortStableFunc(lines, func(a, b int) int { return cmp.Compare(len(j.lines[b].parts), len(j.lines[a].parts)) })
	return lines
}

// Of a whole page the engine passes over some text at times.
const (
	manyMissed = 0.2 // of the parts of the size of letters, from which that may be so
	manyOver   = 0.1 // of the lines of the ink
)

// sheetWhole reads a whole page as the engine finds its lines, or line by line where that passes over much, unless what it passes over is
// no text, but a picture.
func (j *job) sheetWhole() error {
	j.page = true
	if err := j.block(recognition.ShapePage); err != nil {
		return err
	}
	if float64(len(j.missed)) < manyMissed*float64(j.parts) && float64(len(j.over)) < manyOver*float64(len(j.lines)) {
		return j.addMissed()
	}
	other := j.anew()
	var strips []strip
	for _, k := range j.over[:min(probes, len(j.over))] {
		strips = append(strips, other.cut(k))
	}
	text, err := other.strips(strips, recognition.ShapeLine, nil)
	if err == nil && (len(text) > 0 || len(j.over) == 0) {
		err = other.each(recognition.ShapeLine)
	}
	passes := other.passes
	if err == nil && worth(other.words) > 1.1*worth(j.words) {
		*j = other
		return nil
	}
	if j.passes = passes; err != nil {
		return err
	}
	return j.addMissed()
}

// addMissed reads rows of what the engine has passed over, beside or between the lines that it found, and puts those that are surely text
// into the text.
func (j *job) addMissed() error {
	rows := j.scene.rows(j.missed)
	failed := 0
	for k := range rows {
		if err := j.goesOn(); err != nil || failed == picture {
			return err
		}
		t := j.scene.cut(rows, k, margin)
		box := t.extent()
		if slices.ContainsFunc(j.places, func(p placed) bool { return 2*box.common(p.box).area() > box.area() }) {
			continue
		}
		r, err := j.line(t, recognition.ShapeLine, nil, 0)
		if err != nil {
			return err
		}
		if len(r.line) < shortest || sureness(r.line) < sureOfAll || !j.credible(r) {
			failed++
			continue
		}
		failed = 0
		r.line = j.filled(t, r)
		j.insert(r, after(j.places, box))
	}
	return nil
}

// after is where a line belongs among others that are in the order of reading: behind the last one of its column that is above it, or
// before the first one that is below.
func after(places []placed, box rect) int {
	at := -1
	for i, p := range places {
		if p.words > 0 && overlap(box.x1, box.x2, p.box.x1, p.box.x2) > 0 && p.box.y1+p.box.y2 < box.y1+box.y2 {
			at = i + 1
		}
	}
	if at < 0 {
		at = slices.IndexFunc(places, func(p placed) bool { return p.words > 0 && p.box.y1+p.box.y2 > box.y1+box.y2 })
	}
	if at < 0 {
		at = len(places)
	}
	return at
}

// anew is the job with the lines of its region, of which nothing is read.
func (j *job) anew() job {
	other := job{Reader: j.Reader, piece: j.piece, task: j.task, page: j.page, scene: j.scene, lines: j.lines, passes: j.passes,
		scale: j.scale, cuts: j.cuts, asked: j.asked, choice: j.choice}
	other.used, other.doubts = nil, doubts{}
	return other
}

// A region of several lines of which little was read, or unsurely, is looked at as it is printed, too.
const (
	tall   = 60 // pixels of height from which a region may have several lines
	surely = 0.85

	fewestPrinted = 2 // letters, by how sure they are: fewer are more often a part of a drawing
)

// asPrinted has the engine find the lines in the pixels as they are, where a tall region gave little, and takes what it reads if that
// is more, and as sure.
func (j *job) asPrinted(v view) error {
	height := v.inner.y2 - v.inner.y1
	enough := len(j.lines) > 2 || height < 9*j.letterHeight() // lines, for the height of the region
	needed := surely
	if j.single() {
		needed = unclear
	}
	if j.quarters != 0 || height < tall || enough && (j.page || meanConfidence(j.words) >= needed) {
		return nil
	}
	other := j.anew()
	other.piece = v.piece
	s := &scene{gray: v.gray, factor: 1, paper: v.gray.commonest()}
	image := v.gray.crop(int(v.inner.x1), int(v.inner.y1), int(v.inner.x2), int(v.inner.y2))
	if err := other.sheet(s, image, 1, Query{Shape: recognition.ShapeBlock, Charset: j.task.Charset, Invert: true}); err != nil {
		return err
	}
	was, is, sure := worth(j.words), worth(other.words), meanConfidence(other.words)
	if is >= fewestPrinted && (is > 1.1*was && sure >= unclear || is > 3*was && sure >= 0.6) {
		*j = other
	} else {
		j.passes = other.passes
	}
	return nil
}

// single tells whether a region has room for no more than the line that was found in it, which may slant.
func (j *job) single() bool {
	if len(j.lines) != 1 {
		return false
	}
	l, in := j.lines[0], j.scene.inner
	return in.y2-in.y1-math.Abs(l.slope)*(l.x2-l.x1) < 2*l.letter
}

// letterHeight is that of a capital letter of the region in pixels, 0 where no line was found.
func (j *job) letterHeight() float64 {
	if j.scene == nil || len(j.lines) == 0 {
		return 0
	}
	return j.scene.letter * float64(j.scene.factor)
}

// counts returns the number of pixels of each shade.
func (g Gray) counts() (counts [256]int) {
	for _, v := range g.Pix {
		counts[v]++
	}
	return counts
}

// darkest is the shade of the ink of an image: 2 % of its pixels are as dark.
func (g Gray) darkest() int {
	counts := g.counts()
	return quantile(counts[:], 0.02)
}

// commonest is the shade that most pixels have.
func (g Gray) commonest() (shade uint8) {
	counts := g.counts()
	for v, n := range counts {
		if n > counts[shade] {
			shade = uint8(v)
		}
	}
	return shade
}

// sheet has the engine find the lines of an image of the region, and reads each of them again.
func (j *job) sheet(s *scene, image Gray, scale float64, query Query) error {
	j.passes, j.scale = j.passes+1, scale
	answer, err := j.Engine.Read(image.border(borderWidth, s.paper), query)
	if err != nil {
		return err
	}
	texts := blankLines(answer.Text)
	free := slices.Clone(s.blanks)
	lines := lettersOf(answer, j.Engine.Name())
	for _, line := range lines {
		for i := range line {
			l := &line[i]
			l.x1, l.x2 = (l.x1-borderWidth)/scale+j.inner.x1, (l.x2-borderWidth)/scale+j.inner.x1
			l.y1, l.y2 = (l.y1-borderWidth)/scale+j.inner.y1, (l.y2-borderWidth)/scale+j.inner.y1
		}
	}
	missed, all := s.unread(lines)
	j.missed, j.parts = missed, all
	if j.page {
		j.over = j.passedOver(missed)
	}
	unread := s.boxes(missed)
	for k, line := range lines {
		if err := j.goesOn(); err != nil {
			return err
		}
		if k == 2*picture && len(j.words) == 0 && !j.page {
			break
		}
		if k < len(texts) && texts[k] {
			j.text, j.places = append(j.text, ""), append(j.places, placed{})
		}
		if longer := withEnds(line, unread); len(longer) > len(line) {
			left := slices.Clone(free)
			more, err := j.lengthened(s.stripOf(longer, &left), line)
			if err != nil {
				return err
			}
			if len(more.line) > 0 {
				j.add(more)
				free = left
				continue
			}
		}
		t := s.stripOf(line, &free)
		for i := range line {
			l := &line[i]
			l.x1, l.x2 = l.x1-t.origin.X, l.x2-t.origin.X
			drop := t.origin.Y + t.slope*(l.x1+l.x2)/2
			l.y1, l.y2 = l.y1-drop, l.y2-drop
		}
		r, err := j.listed(t, line)
		if err != nil {
			return err
		}
		if j.credible(r) {
			r.line = j.filled(t, r)
			j.add(r)
		}
	}
	return nil
}

// blankLines tells for each line of a text whether an empty one comes before it.
func blankLines(text string) (blank []bool) {
	empty := false
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			empty = len(blank) > 0
			continue
		}
		blank, empty = append(blank, empty), false
	}
	return blank
}

// stripOf cuts out a line by its letters, which have places on the piece, with those of the free blanks that are its own.
func (s *scene) stripOf(letters []letter, free *[]typed) strip {
	boxes := boxesOf(letters)
	box, letter := extent(boxes), sizeOf(boxes)
	slope := tilt(boxes, letter)
	if slope != 0 {
		box.y1, box.y2 = math.Inf(1), math.Inf(-1)
		for _, l := range letters {
			shift := slope * (l.x1 + l.x2) / 2
			box.y1, box.y2 = min(box.y1, l.y1-shift), max(box.y2, l.y2-shift)
		}
	}
	m := margin * (box.y2 - box.y1)
	t := strip{slope: slope, letter: letter, letters: roomFor(boxes, letter), ink: box.y2 - box.y1,
		origin: Point{box.x1 - m, box.y1 - m + slope*(box.x1-m)},
		blanks: s.claim(free, line{x1: box.x1, x2: box.x2, top: box.y1, bottom: box.y2, letter: letter, slope: slope})}
	t.gray = s.gray.warp(t.origin, Point{1, slope}, Point{0, 1}, int(math.Ceil(box.x2-box.x1+2*m)), int(math.Ceil(box.y2-box.y1+2*m)))
	t.develop()
	return t
}

// boxesOf are the boxes of letters.
func boxesOf(letters []letter) []levelled {
	boxes := make([]levelled, len(letters))
	for i, l := range letters {
		boxes[i] = levelled{x1: l.x1, x2: l.x2, top: l.y1, bottom: l.y2}
	}
	return boxes
}

// sizeOf is how high the larger ones of letters are.
func sizeOf(boxes []levelled) float64 {
	height := func(g levelled) float64 { return g.bottom - g.top }
	return weighted(boxes, 0.7, height, height)
}

// unread are the parts of the size of letters of which the engine has read none of the lines, of all parts of that size.
func (s *scene) unread(lines [][]letter) (found []int, all int) {
	f := float64(s.factor)
	spans := make([]rect, len(lines))
	for k, line := range lines {
		spans[k] = extent(boxesOf(line))
	}
	for n, p := range s.parts {
		if !p.dark || !s.glyph(p) {
			continue
		}
		all++
		x, y := f*float64(p.x1+p.x2)/2, f*float64(p.y1+p.y2)/2
		reach := f * s.letter / 4
		read := false
		for k, line := range lines {
			if y < spans[k].y1-reach || y > spans[k].y2+reach || x < spans[k].x1-reach || x > spans[k].x2+reach {
				continue
			}
			if read = readAt(line, x, reach); read {
				break
			}
		}
		if !read {
			found = append(found, n)
		}
	}
	return found, all
}

// readAt tells whether a line has a letter at a place, or so near.
func readAt(line []letter, x, reach float64) bool {
	return slices.ContainsFunc(line, func(l letter) bool { return l.x1-reach <= x && x <= l.x2+reach })
}

// boxes are the places of parts on the piece.
func (s *scene) boxes(parts []int) (found []letter) {
	f := float64(s.factor)
	for _, n := range parts {
		p := s.parts[n]
		found = append(found, letter{x1: f * float64(p.x1), y1: f * float64(p.y1), x2: f * float64(p.x2), y2: f * float64(p.y2)})
	}
	return found
}

// withEnds is a line with what was not read of its row before its first and behind its last letter, such as the numbers of a list, which
// the engine takes for a rule where they stand above one another.
func withEnds(line, unread []letter) []letter {
	size := sizeOf(boxesOf(line))
	longer := line
	for _, end := range [][]letter{line[:min(4, len(line))], line[max(0, len(line)-4):]} {
		row := extent(boxesOf(end))
		for again := true; again; {
			again = false
			for _, l := range unread {
				h := l.y2 - l.y1
				gap := max(row.x1-l.x2, l.x1-row.x2)
				outside := l.x2 < row.x1+size/4 && &end[0] == &line[0] || l.x1 > row.x2-size/4 && &end[len(end)-1] == &line[len(line)-1]
				if outside && gap < size && h > 0.6*size && h < 1.5*size && l.x2-l.x1 < 2*size &&
					overlap(l.y1, l.y2, row.y1, row.y2) > 0.7*h && (l.x1 < row.x1 || l.x2 > row.x2) {
					longer, again = append(longer[:len(longer):len(longer)], l), true
					row = row.around(rect{l.x1, row.y1, l.x2, row.y2})
				}
			}
		}
	}
	return longer
}

// lengthened reads a strip with more than the engine has read of a line. It is empty where that is no more, or less sure.
func (j *job) lengthened(t strip, line []letter) (reading, error) {
	r, err := j.line(t, recognition.ShapeLine, nil, 0)
	if err != nil || len(r.line) <= len(line) || sureness(r.line) < min(sureness(line), surely) || !j.credible(r) {
		return reading{}, err
	}
	r.line = j.filled(t, r)
	return r, nil
}

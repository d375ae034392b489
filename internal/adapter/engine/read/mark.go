package read

import (
	"cmp"
	"math"
	"slices"

	"glyphbox/internal/domain/recognition"
)

// Marks by themselves. Recognisers do not know them without letters beside them.
const (
	markAround = 4.5 // sides of a region, by the longer side of the mark in it
	markSolid  = 0.7 // ink of the box around each of its parts
	markSpeck  = 0.2 // area of dirt, by that of the largest part
	markReach  = 3.0 // sides of a mark to what goes on with it
	markSure   = 0.6 // how sure its reading counts as
	markCut    = 3   // sides of a dot that the region's edge may cut, to those of the region
	leastSeen  = 0.3 // confidence of a letter that the first recogniser sees clearly and the second one reads otherwise
	tiniest    = 4   // height of a letter by itself, in pixels
	aloneParts = 5   // of ink that a letter by itself has at most
	alonePaper = 3   // its contrast, by how much the shades of its paper differ
)

// mark reads a mark by its shape: a region that is drawn around a stroke, or around dots or strokes of one size, of which no further ones
// stand in a row with it, as those of a rule or a pattern do.
func (j *job) mark(of Page, quarters int) error {
	side := max(j.task.Box.Width(), j.task.Box.Height())
	if float64(side) > markAround*tallest {
		return nil
	}
	across, along := of.Size()
	p := within(j.task.Box, 2*side, across, along)
	g, err := of.Gray(p.box)
	if err != nil {
		return err
	}
	p, g = p.turned(quarters), g.Turn(quarters)
	in := p.inner
	width, height := in.x2-in.x1, in.y2-in.y1
	if g.crop(int(in.x1), int(in.y1), int(in.x2), int(in.y2)).commonest() < 128 {
		g = g.inverse()
	}
	ink, _, found := binarise(g, 0)
	if !found {
		return nil
	}
	_, all := parts(ink, g.Width, g.Height)
	var own, beside []part
	largest := 0
	for _, p := range all {
		w, h := float64(p.width()), float64(p.height())
		switch {
		case !p.dark, w > 0.8*width && h > 0.8*height && 2*p.area < p.width()*p.height(): // a frame
		case p.mostlyIn(in):
			own, largest = append(own, p), max(largest, p.area)
		default:
			beside = append(beside, p)
		}
	}
	own = slices.DeleteFunc(own, func(p part) bool { return float64(p.area) < markSpeck*float64(largest) })
	cut := 0
	for _, q := range own {
		if !q.wholeIn(in) {
			cut++
		}
	}
	text, box := markOf(own)
	size := max(box.x2-box.x1, box.y2-box.y1)
	switch {
	case cut == len(own), cut > 0 && text == "":
		return nil
	case text == "":
		return j.fewLetters(p, g, ink, own, beside)
	case max(width, height) > markAround*size || j.task.Charset != "" && !OnlyOf(text, j.task.Charset),
		inRow(own, beside, box):
		return nil
	}
	j.piece = p
	var line []letter
	characters := []rune(text)
	step := (box.x2 - box.x1) / float64(len(characters))
	for i, c := range characters {
		x := box.x1 + float64(i)*step
		line = append(line, letter{text: string(c), prob: markSure, word: markSure, x1: x, x2: x + step, y1: box.y1, y2: box.y2,
			by: j.Engine.Name()})
	}
	j.add(reading{strip{gray: g}, line, j.task.Lang})
	return nil
}

// mostlyIn tells whether a part lies in a region, or a part as small as a dot by more than half.
func (p part) mostlyIn(in rect) bool {
	dot := float64(markCut*max(p.width(), p.height())) <= max(in.x2-in.x1, in.y2-in.y1)
	return p.wholeIn(in) || dot && 2*p.rect().common(in).area() > p.rect().area()
}

func (p part) wholeIn(in rect) bool { return p.rect().common(in) == p.rect() }

func (p part) rect() rect { return rect{float64(p.x1), float64(p.y1), float64(p.x2), float64(p.y2)} }

// flatPaper tells whether a region's paper is of one shade, against its ink, and not the lighter places of a picture. Soft edges of the ink
// do not count.
func flatPaper(g Gray, ink []uint8, in rect) bool {
	near := nearInk(ink, g.Width, g.Height)
	var papers, inks [256]int
	for y := int(in.y1); y < int(in.y2); y++ {
		for x := int(in.x1); x < int(in.x2); x++ {
			switch i := y*g.Width + x; {
			case ink[i] != 0:
				inks[g.Pix[i]]++
			case near[i] == 0:
				papers[g.Pix[i]]++
			}
		}
	}
	spread := quantile(papers[:], 0.9) - quantile(papers[:], 0.1)
	return median(papers[:])-median(inks[:]) >= alonePaper*spread
}

// fewLetters reads a region that has a few parts of ink, all of them whole, and no others: as it was drawn, or else what is around them.
func (j *job) fewLetters(p piece, g Gray, ink []uint8, own, beside []part) error {
	if len(own) == 0 || len(own) > aloneParts*shortest || slices.ContainsFunc(beside, func(q part) bool {
		return float64(q.x2) > p.inner.x1 && float64(q.x1) < p.inner.x2 && float64(q.y2) > p.inner.y1 && float64(q.y1) < p.inner.y2
	}) || !flatPaper(g, ink, p.inner) {
		return nil
	}
	if n := len(j.drawn.line); n > 0 && len(own) <= aloneParts*n {
		j.add(j.drawn)
		return nil
	}
	box := bounds(own)
	width, height := box.x2-box.x1, box.y2-box.y1
	around := 0.3 * height
	if height < tiniest || height > tallest || width > (shortest+0.5)*height || width < height/6 {
		return nil
	}
	lines := j.lines
	j.piece, j.lines = p, lines[:min(1, len(lines))]
	j.inner = box
	left, top := max(0, int(box.x1-around)), max(0, int(box.y1-around))
	t := strip{gray: g.crop(left, top, min(g.Width, int(box.x2+around)+1), min(g.Height, int(box.y2+around)+1)),
		origin: Point{float64(left), float64(top)}, letter: height, ink: height}
	t.develop()
	r, err := j.line(t, recognition.ShapeLine, nil, 0)
	clear := j.heard.first >= clearAround && height >= legible && sureness(r.line) >= leastSeen
	seen := j.heard.letters > 0 && (clear || j.heard.sure >= sureDrawn)
	if n := len(r.line); err == nil && n > 0 && n <= shortest && worded(r.line) && len(own) <= aloneParts*n && (seen || j.credible(r)) {
		j.add(r)
	}
	j.inner, j.lines = p.inner, lines
	return err
}

// inRow tells whether a mark goes on near it: beside it, or above and below where it has one part only. Beside a colon there may be a dot.
func inRow(own, beside []part, box rect) bool {
	n := 0
	reach := markReach * max(box.x2-box.x1, box.y2-box.y1)
	for _, p := range beside {
		if float64(p.x1) > box.x2+reach || float64(p.x2) < box.x1-reach || float64(p.y1) > box.y2+reach || float64(p.y2) < box.y1-reach {
			continue
		}
		level := overlap(float64(p.y1), float64(p.y2), box.y1, box.y2) > 0
		above := overlap(float64(p.x1), float64(p.x2), box.x1, box.x2) > 0
		if own[0].same(p) && (level || above && len(own) == 1) {
			n++
		}
	}
	return n > 1 || n == 1 && len(own) != 2
}

// markOf is the mark that solid parts of one size make up, and the box around them; empty for none.
func markOf(own []part) (text string, box rect) {
	if len(own) == 0 {
		return "", box
	}
	slices.SortFunc(own, func(a, b part) int { return cmp.Compare(a.x1+a.x2, b.x1+b.x2) })
	box = bounds(own)
	above, along := true, true
	first := own[0]
	w, h := float64(first.width()), float64(first.height())
	for _, p := range own {
		if size := p.width() * p.height(); size < 4 || size > 16 && float64(p.area) < markSolid*float64(size) || !first.same(p) {
			return "", box
		}
		above = above && overlap(float64(p.x1), float64(p.x2), float64(first.x1), float64(first.x2)) > 0.5*w
		along = along && overlap(float64(p.y1), float64(p.y2), float64(first.y1), float64(first.y2)) > 0.5*h
	}
	flat, round := w >= 1.8*h, same(w, h)
	switch n := len(own); {
	case n == 1 && flat:
		text = "-"
	case n == 1 && h >= 3*w:
		text = "I"
	case n == 1 && round && min(w, h) >= 4:
		text = "•"
	case n == 2 && above && flat:
		text = "="
	case n == 2 && above && round && box.y2-box.y1 > 2.25*h:
		text = ":"
	case n == 3 && along && round:
		text = "..."
	}
	return text, box
}

// bounds is the box around parts.
func bounds(of []part) rect {
	box := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range of {
		box = box.around(p.rect())
	}
	return box
}

// same tells whether another part is about as wide and as high.
func (p part) same(q part) bool {
	return same(float64(p.width()), float64(q.width())) && same(float64(p.height()), float64(q.height()))
}

// same tells whether two lengths in pixels are about the same.
func same(a, b float64) bool { return max(a, b) <= 1.6*min(a, b)+1 }

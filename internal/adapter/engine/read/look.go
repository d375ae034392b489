package read

import "glyphbox/internal/domain/recognition"

// scaled is a strip as the engine looks at it, and by how much it is enlarged.
func (t strip) scaled(l look) (Gray, float64) {
	scale := min(4, l.letter/t.letter)
	image := t.gray.resize(int(float64(t.gray.Width)*scale+0.5), int(float64(t.gray.Height)*scale+0.5))
	if l.smooth {
		image = image.smooth()
	}
	return image.border(borderWidth, t.paper), scale
}

// look is one way to look at a strip.
type look struct {
	letter float64 // pixels of a capital letter, at which the engine reads it
	smooth bool
}

var looks = []look{{22, false}, {27, true}}

// secondLook is the confidence of a line below which the first recogniser looks at it again.
const secondLook = 0.75

// oneLook tells whether a line needs no further look of the first recogniser, and in fast none of the second one.
func (j *job) oneLook(line []letter) bool {
	return sureness(line) >= secondLook || j.task.Effort == recognition.EffortFast && clarity(line) >= clearOfAnyone
}

// strip has the engine read a strip, and looks again where it is unsure. What was probed is what the first look gave, if there was one.
func (j *job) strip(t strip, shape recognition.Shape, probed []letter) ([]letter, error) {
	var best []letter
	var first string
	var err error
	settled := false
	j.alike = false
	for i, l := range looks {
		if i > 0 && (j.oneLook(best) || settled) {
			break
		}
		line := probed
		if i > 0 || len(probed) == 0 {
			if line, err = j.glance(t, l, shape, j.task.Charset); err != nil {
				return nil, err
			}
		}
		switch i {
		case 0:
			first = textOf(line)
		case 1:
			j.note(recognition.Agreement(first, textOf(line)), len(line))
			j.alike = textOf(line) == first && spelt(line)
		}
		if i == 0 && sureness(line) < secondLook {
			if settled, err = j.settled(t, line); err != nil {
				return nil, err
			}
		}
		// A confident reading of half the line is no better than an unsure one of all of it.
		if sureness(line) > sureness(best) && 4*len(line) >= 3*len(best) {
			best = line
		}
	}
	if len(best) == 0 && j.task.Charset != "" { // a whitelist can empty a word that is all of its characters
		free, err := j.glance(t, looks[0], shape, "")
		if err != nil {
			return nil, err
		}
		if OnlyOf(textOf(free), j.task.Charset) {
			best = free
		}
	}
	return best, nil
}

// spelt tells whether a line has some Korean letters and each of them is certain, though its words may not be: they are not where they
// are set far apart, as in titles.
func spelt(line []letter) bool {
	syllables := 0
	for _, l := range line {
		if hangul(l.text) {
			if syllables++; l.prob < sureSpelt {
				return false
			}
		}
	}
	return syllables >= shortest
}

func (j *job) note(agreement float64, letters int) {
	j.agree, j.weight = append(j.agree, agreement), append(j.weight, float64(max(1, letters)))
}

// glance has the engine read a strip once.
func (j *job) glance(t strip, l look, shape recognition.Shape, charset string) ([]letter, error) {
	j.passes++
	image, scale := t.scaled(l)
	if j.scale == 0 {
		j.scale = scale
	}
	answer, err := j.Engine.Read(image, Query{Shape: shape, Charset: charset})
	if err != nil {
		return nil, err
	}
	var line []letter
	for _, part := range lettersOf(answer, j.Engine.Name()) { // more than one where it is looked at as a block
		if len(line) > 0 {
			part[0].space = true
		}
		line = append(line, part...)
	}
	for i := range line {
		l := &line[i]
		l.x1, l.x2 = (l.x1-borderWidth)/scale, (l.x2-borderWidth)/scale
		l.y1, l.y2 = (l.y1-borderWidth)/scale, (l.y2-borderWidth)/scale
	}
	return line, nil
}

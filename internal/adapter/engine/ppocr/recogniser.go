package ppocr

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"glyphbox/internal/adapter/engine/read"
)

const (
	lineHeight = 48   // rows that the recognisers take
	narrowing  = 0.85 // of a line's width: time goes with it, and on three sets of lines the characters did not get worse
	narrowest  = 0.51 // the same where its letters are wide
	perLetter  = 16   // columns that are enough for a letter
	shortLine  = 96   // columns from which a line is squeezed for its letters
	coarseLine = 24   // rows of an image below which it is not
	minWidth   = 48   // columns

	fewestCrowded = 12   // letters that a line was squeezed for; of fewer the count says little
	crowdedFrom   = 1.2  // letters that were read, by those that a line was squeezed for, from which that was too few
	maybeCrowded  = 0.75 // the same where they are read less surely than unsure
	unsure        = 0.75
	maxWidth      = 3200  // columns; what is longer is squeezed
	leastLikely   = 0.003 // probability of a guess
	step          = 8     // columns to which one step of the answer belongs; a width is a multiple of it

	blank = 0 // the class between characters, before those of the characters; that of the space comes last
)

// Recogniser implements read.Recogniser. It must not be used concurrently.
type Recogniser struct {
	name       string
	session    Session
	characters []string // by their class
	classes    map[string]int
	scripts    []string
	in, out    []float32 // memory of the tensors
}

// NewRecogniser returns a recogniser. characters are those of its model, without the blank and the space, in the order of their
// classes; scripts are those that it reads well, by their Unicode names.
func NewRecogniser(name string, session Session, characters, scripts []string) *Recogniser {
	r := &Recogniser{name: name, session: session, scripts: scripts, characters: append(append([]string{""}, characters...), " ")}
	r.classes = make(map[string]int, len(r.characters))
	for class, c := range r.characters[1:] {
		r.classes[c] = class + 1
	}
	return r
}

// Name returns the name of the model.
func (r *Recogniser) Name() string { return r.name }

// Scripts returns the scripts that the recogniser reads, by their Unicode names, such as Latin.
func (r *Recogniser) Scripts() []string { return r.scripts }

// Read implements read.Recogniser.
func (r *Recogniser) Read(line read.RGB, letters int, charset string) ([]read.Char, error) {
	if err := checkImage(line); err != nil {
		return nil, err
	}
	chars, squeezed, err := r.read(line, letters, charset)
	if err != nil || !squeezed || !crowded(chars, letters) {
		return chars, err
	}
	wide, _, err := r.read(line, 0, charset)
	if err != nil || sureness(wide) < max(sureness(chars), unsure) {
		return chars, err
	}
	return wide, nil
}

// crowded tells whether more letters were read than a line was squeezed for, or nearly as many and not surely. Letters of tall narrow print
// touch each other and are counted as one.
func crowded(chars []read.Char, letters int) bool {
	n := float64(len(chars)) / float64(letters)
	return letters >= fewestCrowded && (n >= crowdedFrom || n >= maybeCrowded && sureness(chars) < unsure)
}

// sureness is the mean probability of characters.
func sureness(chars []read.Char) (mean float64) {
	for _, c := range chars {
		mean += c.Prob / float64(len(chars))
	}
	return mean
}

// read reads a line once. squeezed tells whether its letters made it narrower than it would be without.
func (r *Recogniser) read(line read.RGB, letters int, charset string) (chars []read.Char, squeezed bool, err error) {
	in, columns := r.input(line, letters)
	steps := int(in.Shape[3]) / step
	out := tensor(&r.out, 1, steps, len(r.characters))
	if err := r.session.Run(in, out); err != nil {
		return nil, false, fmt.Errorf("%s: %w", r.name, err)
	}
	chars = r.decode(out.Data, r.allowed(charset), step*float64(line.Width)/float64(columns))
	for i := range chars {
		chars[i].X1, chars[i].X2 = min(chars[i].X1, float64(line.Width)), min(chars[i].X2, float64(line.Width))
	}
	level := float64(line.Width) * lineHeight / float64(line.Height)
	return chars, letters > 0 && float64(columns+step) < narrowing*level && columns < maxWidth, nil
}

// input returns the input of the model: blue, green and red planes of 48 rows, from -1 to 1. The line has the first columns; the rest is 0,
// a medium gray.
func (r *Recogniser) input(line read.RGB, letters int) (in Tensor, columns int) {
	level := float64(line.Width) * lineHeight / float64(line.Height) // columns as wide as rows are high
	wanted := narrowing * level
	if letters > 0 && line.Height >= coarseLine {
		wanted = min(wanted, max(narrowest*level, float64(perLetter*letters), shortLine))
	}
	columns = int(math.Round(min(max(wanted, 2*step), maxWidth)))
	width := max(minWidth, (columns+step-1)/step*step)
	planes := resize(line, columns, lineHeight)
	in = tensor(&r.in, 1, 3, lineHeight, width)
	for c := range 3 {
		for y := range lineHeight {
			to := in.Data[((2-c)*lineHeight+y)*width:][:width]
			for x, v := range planes[(c*lineHeight+y)*columns:][:columns] {
				to[x] = v/127.5 - 1
			}
			clear(to[columns:])
		}
	}
	return in, columns
}

// allowed returns the classes that a charset leaves, sorted, with blank and space; nil for all.
func (r *Recogniser) allowed(charset string) []int {
	if charset == "" {
		return nil
	}
	classes := []int{blank, len(r.characters) - 1}
	for _, c := range charset {
		if class, ok := r.classes[string(c)]; ok {
			classes = append(classes, class)
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

// decode reads the steps by the best class of each: a class that goes on is one character, and a blank between ends it.
func (r *Recogniser) decode(out []float32, allowed []int, perStep float64) []read.Char {
	var chars []read.Char
	n, space := len(r.characters), len(r.characters)-1
	before := blank // the class of the step before
	var gap float64 // the best probability of a space since the newest character
	for t := range len(out) / n {
		row := out[t*n : (t+1)*n]
		class, prob, ofSpace := best(row, allowed)
		gap = max(gap, ofSpace)
		switch class {
		case space:
			gap = 1
		case blank:
			if len(chars) > 0 {
				last := &chars[len(chars)-1]
				last.Behind = r.guesses(last.Behind, row, class, allowed)
			}
		case before:
			last := &chars[len(chars)-1]
			if prob > last.Prob {
				last.Instead = r.guesses(nil, row, class, allowed)
			}
			last.Prob, last.X2 = max(last.Prob, prob), float64(t+1)*perStep
			gap = ofSpace
		default:
			c := read.Char{Text: r.characters[class], Prob: prob, X1: float64(t) * perStep, X2: float64(t+1) * perStep, Space: gap}
			c.Instead = r.guesses(nil, row, class, allowed)
			chars = append(chars, c)
			gap = ofSpace
		}
		before = class
	}
	return chars
}

// guesses appends what a step may be besides its best class and a space; nothing where not all classes are allowed.
func (r *Recogniser) guesses(found []read.Guess, row []float32, class int, allowed []int) []read.Guess {
	if allowed != nil || row[class] > 1-leastLikely {
		return found
	}
	for i, v := range row[:len(row)-1] {
		if v >= leastLikely && i != class {
			found = append(found, read.Guess{Text: r.characters[i], Prob: float64(v)})
		}
	}
	return found
}

// best returns the best class of a step, its probability, and that of a space, among the allowed ones only.
func best(row []float32, allowed []int) (class int, prob, space float64) {
	if allowed == nil {
		top := row[0]
		for i, v := range row {
			if v > top {
				class, top = i, v
			}
		}
		return class, float64(top), float64(row[len(row)-1])
	}
	var sum float64
	for _, i := range allowed {
		sum += float64(row[i])
		if row[i] > row[class] {
			class = i
		}
	}
	if sum <= 0 {
		return blank, 0, 0
	}
	return class, float64(row[class]) / sum, float64(row[len(row)-1]) / sum
}

// Text returns the text of characters, with spaces where the recogniser read them.
func Text(chars []read.Char) string {
	var b strings.Builder
	for i, c := range chars {
		if i > 0 && c.Space == 1 {
			b.WriteByte(' ')
		}
		b.WriteString(c.Text)
	}
	return b.String()
}

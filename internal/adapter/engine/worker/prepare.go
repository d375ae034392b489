package worker

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// What the engine reads best, as measured on real pages: see docs/benchmarks.md.
const (
	borderWidth = 10 // pixels around the region, in the shade of its background
	minScale    = 0.1
	maxScale    = 4.0
	maxArea     = 40_000_000 // pixels of a prepared region
	assumedDPI  = 300        // what the engine is told the resolution is
)

// scene is a region that was looked at: cut out, dark on light, without rules that run through it.
type scene struct {
	task   recognition.Task
	box    document.Box // what was cut out: the region, and what goes on just outside
	cut    *pix         // 8 bits
	shades shades
	lines  lines
	modes  []recognition.Shape // the first is for the shape of the region, the others in case it gives nothing
	blank  bool                // there is nothing to read
}

func (s scene) close() { s.cut.close() }

// view is one way to look at a region.
type view struct {
	psm    recognition.Shape
	scale  float64 // pixels of the prepared image for one of the page
	smooth bool    // noise and halftones are averaged out
}

// look cuts a region out of a page and finds out what it is. smooth averages it first over so many pixels on each side.
func look(page decodedPage, task recognition.Task, smooth int) (scene, error) {
	s := scene{task: task, box: task.Box}
	inverted, err := s.see(page, smooth)
	if err == nil && s.lines.count == 1 {
		if s.box = s.grown(page, inverted); s.box != task.Box {
			s.close()
			count := s.lines.count
			inverted, err = s.see(page, smooth)
			s.lines.count = count // what has come in may be the edge of another line
		}
	}
	if err == nil {
		s.blank = s.shades.contrast() < minContrast
		s.modes = modesFor(task, s.lines, page.width(), page.height())
		if oneLine(s.modes[0]) && !s.blank && smooth == 0 {
			err = s.eraseRules(page, inverted)
		}
	}
	if err != nil {
		s.close()
		return scene{}, err
	}
	return s, nil
}

// see cuts the region out, dark on light, averaged over so many pixels on each side, and looks at its lines.
func (s *scene) see(page decodedPage, smooth int) (inverted bool, err error) {
	if s.cut, err = page.gray(s.box); err != nil {
		return false, err
	}
	if smooth > 0 {
		if err = s.cut.smooth(smooth); err != nil {
			return false, err
		}
	}
	if err = s.cut.evenOut(); err != nil {
		return false, err
	}
	s.shades = lookAtShades(s.cut.histogram())
	if inverted = s.shades.lightOnDark; inverted {
		s.cut.invert()
		s.shades = s.shades.inverted()
	}
	s.lines = lookAtLines(s.cut.glyphs(s.shades.threshold), s.cut.inkPerRow(s.shades.threshold), s.box.Width())
	return inverted, nil
}

// cutEdge is by how many pixels a region may have cut into its line.
const cutEdge = 3

// grown is the region with the rest of letters that its edges cut: each edge moves outwards while ink goes on across it, by
// cutEdge pixels at most.
func (s scene) grown(page decodedPage, inverted bool) document.Box {
	b := s.task.Box
	whole := page.bounds()
	goesOn := func(edge document.Box) bool {
		if edge != edge.Intersect(whole) {
			return false
		}
		rows, err := page.gray(edge)
		if err != nil {
			return false
		}
		defer rows.close()
		if inverted {
			rows.invert()
		}
		return rows.darkestPair() < s.shades.threshold
	}
	for range cutEdge { // two rows of pixels, one on each side of the edge
		up := s.lines.toTop && goesOn(document.Box{X1: b.X1, Y1: b.Y1 - 1, X2: b.X2, Y2: b.Y1 + 1})
		down := s.lines.toBottom && goesOn(document.Box{X1: b.X1, Y1: b.Y2 - 1, X2: b.X2, Y2: b.Y2 + 1})
		if up {
			b.Y1--
		}
		if down {
			b.Y2++
		}
		if !up && !down {
			break
		}
	}
	return b
}

// speckled tells whether what looks like rows of small letters may be a halftone or noise, with larger letters in it.
func (s scene) speckled() bool {
	return s.lines.letter > 0 && s.lines.letter <= 16 && s.task.Height() >= 3*s.lines.letter
}

// eraseRules looks around the line, since a rule goes on there and a letter does not.
func (s scene) eraseRules(page decodedPage, inverted bool) error {
	beyond := s.box
	beyond.Y1, beyond.Y2 = max(0, beyond.Y1-beyond.Height()/2), min(page.height(), beyond.Y2+beyond.Height()/2)
	around, err := page.gray(beyond)
	if err != nil {
		return err
	}
	defer around.close()
	if inverted {
		around.invert()
	}
	return s.cut.eraseRules(around, s.box.Y1-beyond.Y1, max(3*s.lines.letter, 60), s.shades.threshold, uint8(s.shades.background))
}

// prepare makes of the region what the engine reads: 8 bits, dark on light, with a border of borderWidth.
func (s scene) prepare(v view) (*pix, error) {
	image, err := s.cut.copy()
	if err != nil {
		return nil, err
	}
	err = image.scale(v.scale)
	if err == nil && v.smooth {
		err = image.smooth(1)
	}
	if err == nil {
		err = image.border(borderWidth, uint8(s.shades.background))
	}
	if err != nil {
		image.close()
	}
	return image, err
}

// unsure is, for each view but the first, the confidence below which it is worth its time.
var unsure = []float64{0.75, 0.5}

// views are the ways to look at a region, the most promising one first. Heights of 26 to 40 pixels suit the models best, and
// they err in different places, which is why a second look pays where the first is unsure. A block may be a table, in which
// only the analysis of columns finds the lines.
func (s scene) views() []view {
	psm := s.modes[0]
	whole := s.limit(1)
	switch {
	case oneLine(psm):
		line := func(pixels float64) float64 { return s.limit(pixels / float64(max(1, s.box.Height()))) }
		return []view{{psm, line(32), false}, {psm, line(40), true}, {psm, line(26), false}}
	case psm == recognition.ShapeBlock && s.lines.letter > 0:
		letter := 26.0
		if otherScripts[splitOrder(langOrder(s.task.Lang))[0]] {
			letter = 32
		}
		scaled := view{psm, s.limit(letter / float64(s.lines.letter)), false}
		if s.task.Shape != recognition.ShapeAuto {
			return []view{scaled, {psm, whole, true}}
		}
		return []view{scaled, {recognition.ShapeColumn, whole, false}, {psm, whole, false}}
	case s.lines.letter > 0 && s.lines.letter < 14:
		return []view{{psm, s.limit(2), false}}
	}
	return []view{{psm, whole, false}}
}

// limit keeps a scale within what is worth its time and memory, and something of the narrowest region.
func (s scene) limit(scale float64) float64 {
	width, height := float64(s.task.Width()), float64(s.task.Height())
	scale = min(max(scale, minScale, 1/min(width, height)), maxScale)
	if scale*scale*width*height > maxArea {
		scale = min(scale, 1)
	}
	return scale
}

// shades is what the histogram of a region tells.
type shades struct {
	background  int // 0–255
	ink         int // 0–255
	threshold   int // shades below it are ink, once the region is dark on light
	lightOnDark bool
}

// minContrast is the least difference of ink and background; less is noise of an empty region.
const minContrast = 12

func (s shades) contrast() int { return max(s.ink-s.background, s.background-s.ink) }

func (s shades) inverted() shades {
	return shades{background: 255 - s.background, ink: 255 - s.ink, threshold: 255 - s.threshold}
}

// lookAtShades splits the shades into two classes (Otsu, 1979) and takes the larger one as the background.
func lookAtShades(counts [256]int) shades {
	total, sum := 0, 0
	for v, n := range counts {
		total += n
		sum += v * n
	}
	best, threshold := -1.0, 128
	below, belowSum := 0, 0
	for v, n := range counts {
		below += n
		belowSum += v * n
		above := total - below
		if below == 0 || above == 0 {
			continue
		}
		d := float64(belowSum)/float64(below) - float64(sum-belowSum)/float64(above)
		if between := float64(below) * float64(above) * d * d; between > best {
			best, threshold = between, v+1
		}
	}
	dark, light := median(counts[:threshold]), threshold+median(counts[threshold:])
	darkPixels := 0
	for _, n := range counts[:threshold] {
		darkPixels += n
	}
	if best <= 0 { // one shade only
		dark, light = median(counts[:]), median(counts[:])
	}
	if 2*darkPixels > total && best > 0 {
		return shades{background: dark, ink: light, threshold: threshold, lightOnDark: true}
	}
	return shades{background: light, ink: dark, threshold: threshold}
}

func median(counts []int) int { return quantile(counts, 0.5) }

// quantile is the least index that a fraction of what is counted does not exceed; 0 where nothing is.
func quantile(counts []int, fraction float64) int {
	total, below := 0, 0
	for _, n := range counts {
		total += n
	}
	for v, n := range counts {
		if below += n; float64(below) >= fraction*float64(total) {
			return v
		}
	}
	return 0
}

// lines is what the ink of a region tells of its lines.
type lines struct {
	letter int // height of a capital letter, pixels; 0 where there is none
	count  int // lines, as far as it can be told

	toTop, toBottom bool // ink of letters reaches the edge, and not only a sliver of the next line
}

// lookAtLines takes the height of capital letters, or of Hangul syllables, from the parts of the ink, and the number of lines
// from the rows of ink, joined over gaps that are small against the letters.
func lookAtLines(glyphs []glyph, ink []int, width int) (l lines) {
	if l.letter = letterHeight(glyphs); l.letter == 0 {
		return l
	}
	least := max(1, width/400) // fewer pixels in a row are dirt
	from, to := -1, -1
	end := func() {
		if tall := to - from; from >= 0 && 3*tall >= 2*l.letter {
			// Lines that run into one another: the first one takes up 1.35 letters, each further one 1.7 or more.
			l.count += 1 + max(0, int((float64(tall)/float64(l.letter)-1.35)/1.7+0.5))
		}
		from = -1
	}
	for y, n := range ink {
		if n < least {
			continue
		}
		if from >= 0 && 4*(y-to) > l.letter {
			end()
		}
		if from < 0 {
			from = y
		}
		to = y + 1
	}
	end()
	l.count = max(l.count, 1)
	blank := func(n int) bool { return n < least }
	if first := slices.IndexFunc(ink, blank); first < 0 || 2*first >= l.letter {
		l.toTop = true
	}
	slices.Reverse(ink)
	if last := slices.IndexFunc(ink, blank); last < 0 || 2*last >= l.letter {
		l.toBottom = true
	}
	return l
}

// letterHeight is the height that 85 of 100 glyphs do not exceed: most are as low as an x.
func letterHeight(glyphs []glyph) int {
	if len(glyphs) == 0 {
		return 0
	}
	slices.SortFunc(glyphs, func(a, b glyph) int { return cmp.Compare(a.height, b.height) })
	return glyphs[len(glyphs)*85/100].height
}

// modesFor decides how the region is to be segmented: as the caller says, else by its shape.
func modesFor(task recognition.Task, l lines, pageWidth, pageHeight int) []recognition.Shape {
	switch {
	case task.Shape != recognition.ShapeAuto:
		return []recognition.Shape{task.Shape}
	case l.count > 1 && 5*task.Width() >= 4*pageWidth && 5*task.Height() >= 4*pageHeight:
		return []recognition.Shape{recognition.ShapePage, recognition.ShapeSparse}
	case l.count > 1:
		return []recognition.Shape{recognition.ShapeBlock, recognition.ShapeSparse}
	default:
		return []recognition.Shape{recognition.ShapeLine, recognition.ShapeBlock, recognition.ShapeSparse}
	}
}

func oneLine(psm recognition.Shape) bool {
	return psm >= recognition.ShapeLine && psm <= recognition.ShapeCharacter || psm == recognition.ShapeRawLine
}

// langOrder puts a set of languages into the order that reads best, since the first one leads: other scripts before
// Latin ones, English last.
func langOrder(lang []string) string {
	rank := func(code string) int {
		switch {
		case code == "eng":
			return 2
		case otherScripts[code] || strings.HasPrefix(code, "script/") && code != "script/Latin":
			return 0
		}
		return 1
	}
	ordered := slices.SortedFunc(slices.Values(lang), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	return strings.Join(slices.Compact(ordered), "+")
}

func splitOrder(order string) []string { return strings.Split(order, "+") }

// otherScripts are the languages of Tesseract that are not written in Latin letters.
var otherScripts = func() map[string]bool {
	set := map[string]bool{}
	for _, code := range strings.Fields(`amh ara asm aze_cyrl bel ben bod bul chi_sim chi_sim_vert chi_tra chi_tra_vert
		chr div dzo ell fas grc guj heb hin hye iku jpn jpn_vert kan kat kat_old kaz khm kir kmr kor kor_vert lao mal mar
		mkd mon mya nep ori pan pus rus san sin snd srp syr tam tat tel tgk tha tir uig ukr urd uzb_cyrl yid`) {
		set[code] = true
	}
	return set
}()

// compose makes the text and its words of what the library gave. The text is the library's own, since its word
// iterator takes the words of some languages apart (Hangul into syllables): the pieces are laid along the text, character by
// character, and each word gets the boxes of what lies on it.
func compose(text string, pieces []piece, box func(piece) document.Box) (string, []recognition.Word) {
	var lines []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 {
			lines = append(lines, strings.Join(fields, " "))
		} else if len(lines) > 0 {
			lines = append(lines, "")
		}
	}
	text = strings.TrimRight(strings.Join(lines, "\n"), "\n")
	texts := strings.Fields(text)
	words := make([]recognition.Word, len(texts))
	have, want := 0, 0
	for _, p := range pieces {
		have += letters(p.text)
	}
	for _, t := range texts {
		want += utf8.RuneCountInString(t)
	}
	if have == 0 || want == 0 {
		return text, nil
	}
	perLetter := float64(have) / float64(want) // 1 unless the library contradicts itself
	at, first, firstAt := 0.0, 0, 0.0
	for i, t := range texts {
		end := at + float64(utf8.RuneCountInString(t))*perLetter
		w := recognition.Word{Text: t}
		weight := 0.0
		pieceAt := firstAt
		for k := first; k < len(pieces) && pieceAt < end-1e-6; k++ {
			n := float64(letters(pieces[k].text))
			if left, right := max(at, pieceAt), min(end, pieceAt+n); right-left > 1e-6 {
				w.Box = w.Box.Union(box(part(pieces[k], (left-pieceAt)/n, (right-pieceAt)/n)))
				w.Confidence += pieces[k].confidence * (right - left)
				weight += right - left
			}
			pieceAt += n
			if pieceAt <= end+1e-6 {
				first, firstAt = k+1, pieceAt
			}
		}
		if weight > 0 {
			w.Confidence = min(1, max(0, w.Confidence/weight))
		}
		words[i], at = w, end
	}
	return text, words
}

// part is the piece from one fraction of its width to another.
func part(p piece, from, to float64) piece {
	width := float64(p.x2 - p.x1)
	q := p
	q.x1, q.x2 = p.x1+int(from*width+0.5), p.x1+int(to*width+0.5)
	q.x2 = max(q.x2, q.x1+1)
	return q
}

func letters(text string) (n int) {
	for _, word := range strings.Fields(text) {
		n += utf8.RuneCountInString(word)
	}
	return n
}

func meanConfidence(words []recognition.Word) float64 {
	sum, weight := 0.0, 0.0
	for _, w := range words {
		n := float64(utf8.RuneCountInString(w.Text))
		sum += w.Confidence * n
		weight += n
	}
	if weight == 0 {
		return 0
	}
	return sum / weight
}

// boxToPage turns a box of what was cut out, enlarged by scale inside a border, into coordinates of the page, within a region.
func boxToPage(x1, y1, x2, y2 int, cut, region document.Box, scale float64, border int) document.Box {
	back := func(v, origin int) int { return origin + int(float64(v-border)/scale+0.5) }
	b := document.Box{X1: back(x1, cut.X1), Y1: back(y1, cut.Y1), X2: back(x2, cut.X1), Y2: back(y2, cut.Y1)}
	b = b.Intersect(region)
	if b.Empty() { // a speck at the edge
		b = document.Box{X1: min(b.X1, region.X2-1), Y1: min(b.Y1, region.Y2-1)}
		b.X2, b.Y2 = b.X1+1, b.Y1+1
	}
	return b
}

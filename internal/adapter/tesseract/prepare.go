package tesseract

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
	lineHeight  = 40 // pixels of a line, ascenders and descenders included, that the models read best
	borderWidth = 10 // pixels around the region, in the shade of its background
	minScale    = 0.1
	maxScale    = 4.0
	maxArea     = 40_000_000 // pixels of a prepared region
)

// prepared is a region as the engine gets it.
type prepared struct {
	image  *pix              // 8 bits, dark on light
	scale  float64           // pixels of the image for one of the page
	border int               // pixels around the region
	dpi    int               // what the engine is told the resolution is
	modes  []recognition.PSM // to try one after the other while the answer is empty
	blank  bool              // there is nothing to read
}

// prepare cuts a region out of a page and makes of it what the engine reads best.
func prepare(page *pix, task recognition.Task) (prepared, error) {
	image, err := page.gray(task.Box)
	if err != nil {
		return prepared{}, err
	}
	out := prepared{image: image, border: borderWidth}
	shades := lookAtShades(image.histogram())
	if shades.lightOnDark {
		image.invert()
		shades = shades.inverted()
	}
	out.blank = shades.contrast() < minContrast
	lines := lookAtLines(image.glyphs(shades.threshold), image.inkPerRow(shades.threshold), task.Width())
	out.modes = modesFor(task, lines, page.width(), page.height())
	out.scale = scaleFor(task, lines, out.modes[0])
	out.dpi = 300
	err = image.scale(out.scale)
	if err == nil {
		err = image.border(out.border, uint8(shades.background))
	}
	if err != nil {
		image.close()
	}
	return out, err
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

func median(counts []int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	seen := 0
	for v, n := range counts {
		if seen += n; 2*seen >= total && total > 0 {
			return v
		}
	}
	return 0
}

// lines is what the ink of a region tells of its lines.
type lines struct {
	letter int // height of a capital letter, pixels; 0 where there is none
	count  int // lines, as far as it can be told
}

// lookAtLines takes the height of capital letters, or of Hangul syllables, from the tall ones among the parts of the ink,
// and the number of lines from the rows of ink, joined over gaps that are small against the letters.
func lookAtLines(glyphs, ink []int, width int) (l lines) {
	if len(glyphs) == 0 {
		return l
	}
	slices.Sort(glyphs)
	l.letter = glyphs[len(glyphs)*85/100]
	least := max(1, width/400) // fewer pixels in a row are dirt
	from, to := -1, -1
	end := func() {
		if from >= 0 && 3*(to-from) >= 2*l.letter {
			l.count += max(1, (2*(to-from)+l.letter)/(4*l.letter)) // what lines run into one another covers several
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
	return l
}

// modesFor decides how the region is to be segmented: as the caller says, else by its shape.
func modesFor(task recognition.Task, l lines, pageWidth, pageHeight int) []recognition.PSM {
	switch {
	case task.PSM != recognition.Auto:
		return []recognition.PSM{task.PSM}
	case l.count > 1 && 5*task.Width() >= 4*pageWidth && 5*task.Height() >= 4*pageHeight:
		return []recognition.PSM{3, 11}
	case l.count > 1:
		return []recognition.PSM{6, 11}
	default:
		return []recognition.PSM{7, 6, 11}
	}
}

// scaleFor decides how much the region is enlarged or shrunk.
func scaleFor(task recognition.Task, l lines, psm recognition.PSM) float64 {
	scale := 1.0
	if oneLine(psm) {
		scale = float64(lineHeight) / float64(max(1, task.Height()))
	} else if l.letter > 0 {
		scale = min(letterHeight/float64(l.letter), 2)
		if scale > blockLow && scale < blockHigh { // not worth the blur
			scale = 1
		}
	}
	scale = min(max(scale, minScale), maxScale)
	if area := scale * scale * float64(task.Width()) * float64(task.Height()); area > maxArea {
		scale = min(scale, 1)
	}
	return scale
}

var letterHeight, blockLow, blockHigh = 30.0, 0.5, 1.8

func oneLine(psm recognition.PSM) bool { return psm >= 7 && psm <= 10 || psm == 13 }

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

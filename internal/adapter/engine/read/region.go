package read

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Page is a decoded page, upright. Its pixels are copied, never changed.
type Page interface {
	Size() (width, height int)

	// Gray returns a box of the page, which lies inside of it.
	Gray(document.Box) (Gray, error)
}

// Query is how the engine is to read an image.
type Query struct {
	Shape   recognition.Shape
	Charset string // where not empty, only these characters are read
	Invert  bool   // light text on dark is tried as well
}

// Symbol is a character that the engine read, and where, in pixels of the image.
type Symbol struct {
	Text           string
	Confidence     float64 // 0 to 1
	Word           float64 // confidence of its word
	X1, Y1, X2, Y2 float64
}

// Answer is what the engine read: the text, and its characters without white space in the order of the text.
type Answer struct {
	Text    string
	Symbols []Symbol
}

// Engine reads images of lines, blocks and pages in the languages that it was loaded with.
type Engine interface {
	Name() string
	Read(Gray, Query) (Answer, error)
}

// Scripted is a recogniser that is trusted with some scripts only, under their names in Unicode.
type Scripted interface {
	Recogniser
	Scripts() []string
}

// Reader reads regions.
type Reader struct {
	Engine Engine
	Second []Scripted // those that read lines again, the one to be asked first before the others; may be empty

	// Tongues are what can be told apart of what a region may be written in, that of Latin letters first, and In returns the engine that
	// reads in languages of theirs. Without them a task names its languages, and no others are suggested.
	Tongues []Tongue
	In      func(lang []string) (Engine, error)

	// Script guesses by the shape of letters which script most of an image is written in, as a script of Tongue. It is empty where that
	// cannot be told. It may be nil.
	Script func(Gray) string

	// Detector finds lines where the ink does not tell them clearly. It may be nil.
	Detector Detector

	// Progress is called before each line that is read, and ends the reading where it returns an error. It may be nil.
	Progress func() error
}

const (
	borderWidth = 10      // pixels around what the engine reads, in the shade of the paper
	largest     = 3 << 20 // pixels of the ink: larger regions are looked at on a smaller scale
	gate        = 0.90    // confidence of a line below which balanced reads it again
	pageGate    = 0.95    // the same for accurate, of the lines of whole pages
	margin      = 0.15    // of a line's height, around its strip
)

// piece is the part of a page that is looked at for a region, turned clockwise by quarters.
type piece struct {
	box      document.Box // of the page
	region   document.Box // of the page
	quarters int
	inner    rect // the region, in pixels of the piece
}

// around is the piece for a region: with a margin, in which letters that the region cuts, and rules, go on.
func around(region document.Box, width, height int) piece {
	return within(region, min(max(min(region.Width(), region.Height())/3, 6), 48), width, height)
}

// within is the piece for a region with a margin of m pixels.
func within(region document.Box, m, width, height int) piece {
	b := document.Box{X1: max(0, region.X1-m), Y1: max(0, region.Y1-m), X2: min(width, region.X2+m), Y2: min(height, region.Y2+m)}
	return piece{box: b, region: region, inner: rect{
		x1: float64(region.X1 - b.X1), y1: float64(region.Y1 - b.Y1), x2: float64(region.X2 - b.X1), y2: float64(region.Y2 - b.Y1),
	}}
}

// turned is the piece turned clockwise by so many quarters, where it is not turned yet.
func (p piece) turned(quarters int) piece {
	w, h, in := float64(p.box.Width()), float64(p.box.Height()), p.inner
	switch p.quarters = quarters; quarters {
	case 1:
		p.inner = rect{h - in.y2, in.x1, h - in.y1, in.x2}
	case 2:
		p.inner = rect{w - in.x2, h - in.y2, w - in.x1, h - in.y1}
	case 3:
		p.inner = rect{in.y1, w - in.x2, in.y2, w - in.x1}
	}
	return p
}

// onPage is the place on the page of one on the piece.
func (p piece) onPage(q Point) Point {
	w, h := float64(p.box.Width()), float64(p.box.Height())
	switch p.quarters {
	case 1:
		q = Point{q.Y, h - q.X}
	case 2:
		q = Point{w - q.X, h - q.Y}
	case 3:
		q = Point{w - q.Y, q.X}
	}
	return Point{q.X + float64(p.box.X1), q.Y + float64(p.box.Y1)}
}

// place is the box on the page around a part of a strip, inside of the region.
func (p piece) place(t strip, r rect) document.Box {
	b := document.Box{X1: math.MaxInt, Y1: math.MaxInt, X2: math.MinInt, Y2: math.MinInt}
	for _, corner := range []Point{{r.x1, r.y1}, {r.x2, r.y1}, {r.x1, r.y2}, {r.x2, r.y2}} {
		q := p.onPage(t.at(corner))
		x, y := int(math.Round(q.X)), int(math.Round(q.Y))
		b.X1, b.Y1, b.X2, b.Y2 = min(b.X1, x), min(b.Y1, y), max(b.X2, x), max(b.Y2, y)
	}
	in := b.Intersect(p.region)
	if in.Empty() { // a speck at the edge
		in = document.Box{X1: min(max(b.X1, p.region.X1), p.region.X2-1), Y1: min(max(b.Y1, p.region.Y1), p.region.Y2-1)}
		in.X2, in.Y2 = in.X1+1, in.Y1+1
	}
	return in
}

// view is a piece and its pixels as they are on the page, but for the quarters.
type view struct {
	piece
	gray Gray
}

// viewOf copies the pixels of a region.
func viewOf(page Page, region document.Box) (view, error) {
	width, height := page.Size()
	v := view{piece: around(region, width, height)}
	gray, err := page.Gray(v.box)
	v.gray = gray
	return v, err
}

// turn is the view turned clockwise by so many quarters.
func (v view) turn(quarters int) view {
	return view{v.piece.turned(quarters), v.gray.Turn(quarters)}
}

// scene finds the ink of a view, whose pixels stay as they are. It is nil where there is none.
func (v view) scene() *scene {
	factor := 1
	for v.gray.Width*v.gray.Height/(factor*factor) > largest {
		factor++
	}
	s, found := lookAt(v.gray.clone(), factor, v.inner)
	if !found && s.noise > 1 || found && s.speckled() {
		soft := v.gray.smooth().smooth()
		if t, ok := lookAt(soft, factor, v.inner); ok {
			return &t
		}
	}
	if !found {
		return nil
	}
	return &s
}

// Read reads one region of a page. The reading has no Engine and Duration, and Lang only where the task leaves that open.
func (r Reader) Read(page Page, task recognition.Task) (recognition.Reading, error) {
	result := recognition.Reading{Shape: recognition.ShapeLine, Effort: task.Effort, Scale: 1, Passes: 1}
	if len(r.Second) == 0 {
		result.Effort = recognition.EffortFast
	}
	if task.Shape != recognition.ShapeAuto {
		result.Shape = task.Shape
	}
	v, err := viewOf(page, task.Box)
	if err != nil {
		return result, err
	}
	j := job{Reader: r, task: task}
	if err := j.choose(); err != nil {
		return result, err
	}
	quarters, fixed := quarters[task.Rotate]
	read := false
	switch {
	case fixed:
		v = v.turn(quarters)
		if err = j.look(v); err == nil && j.chooses {
			_, err = j.probe()
		}
	default:
		if read, err = j.atOnce(page, v); err == nil && !read {
			err = j.upright(v)
		}
	}
	if err != nil {
		return result, err
	}
	switch {
	case read:
		result.Shape = recognition.ShapePage
	case j.scene == nil:
		if result.Shape < recognition.ShapeLine {
			result.Shape = recognition.ShapeLine
		}
		err = j.asDrawn(v, result.Shape)
	case task.Shape != recognition.ShapeAuto && task.Shape < 6, task.Shape == 11, task.Shape == 12:
		err = j.block(task.Shape)
	case task.Shape == recognition.ShapeAuto && len(j.lines) > 1 && whole(page, task.Box):
		result.Shape = recognition.ShapePage
		j.page = true
		err = j.block(recognition.ShapePage)
	default:
		if len(j.lines) > 1 && task.Shape == recognition.ShapeAuto {
			result.Shape = recognition.ShapeBlock
		}
		if err = j.each(result.Shape); err == nil && len(j.text) == 0 {
			err = j.asDrawn(v, result.Shape)
		}
	}
	if err == nil && task.Shape == recognition.ShapeAuto {
		err = j.asPrinted(v)
	}
	if err == nil && len(j.text) == 0 {
		err = j.mark(page, v.quarters)
	}
	if err != nil {
		return result, err
	}
	if err := j.suggest(&result); err != nil {
		return result, err
	}
	j.finish(&result)
	result.Rotation = 90 * ((4 - j.quarters) % 4)
	return result, nil
}

// atOnce reads a whole page before it is known which way up it is, where no more is done than to read it: what is read tells that as well
// as some of its lines do. It returns false, and leaves the job as it was, where the page may be turned.
func (j *job) atOnce(page Page, v view) (bool, error) {
	if j.task.Effort != recognition.EffortFast || j.chooses || j.task.Shape != recognition.ShapeAuto || !whole(page, j.task.Box) {
		return false, nil
	}
	try := *j
	if err := try.look(v); err != nil || try.scene == nil || len(try.lines) < 2 || try.scene.upAndDown() {
		return false, err
	}
	try.page = true
	if err := try.block(recognition.ShapePage); err != nil || meanConfidence(try.words) < upright {
		j.passes = try.passes
		return false, err
	}
	*j = try
	return true, nil
}

// whole tells whether a region is all of a page, or nearly.
func whole(page Page, region document.Box) bool {
	width, height := page.Size()
	return 5*region.Width() >= 4*width && 5*region.Height() >= 4*height
}

// sheetOf cuts the region out of a piece and scales it, if its letters are small.
func (s *scene) sheetOf(p piece) (sheet Gray, scale float64) {
	sheet, scale = s.gray.crop(int(p.inner.x1), int(p.inner.y1), int(p.inner.x2), int(p.inner.y2)), 1
	if s.letter*float64(s.factor) < 14 && sheet.Width*sheet.Height < 10_000_000 {
		scale = 2
		sheet = sheet.resize(2*sheet.Width, 2*sheet.Height)
	}
	return sheet, scale
}

// Prepared is what the engine looks at first for a task: the strips of its lines, one below the other, or the region where the engine
// finds the lines.
func Prepared(page Page, task recognition.Task) (Gray, error) {
	v, err := viewOf(page, task.Box)
	if err != nil {
		return Gray{}, err
	}
	s := v.scene()
	if s == nil {
		return page.Gray(task.Box)
	}
	lines := s.lines()
	if len(lines) == 0 || len(lines) > 1 && whole(page, task.Box) {
		sheet, _ := s.sheetOf(v.piece)
		return sheet.border(borderWidth, s.paper), nil
	}
	var strips []Gray
	width, height := 0, 0
	for k := range lines {
		t := s.cut(lines, k, margin)
		g, _ := t.scaled(looks[0])
		strips = append(strips, g)
		width, height = max(width, g.Width), height+g.Height
	}
	all := newGray(width, height)
	for i := range all.Pix {
		all.Pix[i] = s.paper
	}
	top := 0
	for _, g := range strips {
		for y := range g.Height {
			copy(all.row(top+y), g.row(y))
		}
		top += g.Height
	}
	return all, nil
}

// scaled is a strip as the engine looks at it, and by how much it is enlarged.
func (t strip) scaled(l look) (Gray, float64) {
	scale := min(4, l.letter/t.letter)
	image := t.gray.resize(int(float64(t.gray.Width)*scale+0.5), int(float64(t.gray.Height)*scale+0.5))
	if l.smooth {
		image = image.smooth()
	}
	return image.border(borderWidth, t.paper), scale
}

// job is the reading of one region.
type job struct {
	Reader
	piece
	task   recognition.Task
	page   bool   // the lines are those of a whole page
	scene  *scene // nil where there is no ink
	lines  []line
	probed map[int][]letter // what was read of some lines at the first look
	choice

	text   []string
	words  []recognition.Word
	passes int
	scale  float64
	heard  opinion             // of the last line
	alike  bool                // Korean letters of the last line were read the same at two looks
	asked  map[*uint8][]letter // what the second recogniser read of strips
	cuts   map[int]strip       // of some lines
	agree  []float64           // of two readings of a line, by its letters
	weight []float64
}

// look finds the lines of a view.
func (j *job) look(v view) error {
	j.piece, j.scene, j.lines, j.probed, j.cuts, j.asked = v.piece, v.scene(), nil, nil, map[int]strip{}, map[*uint8][]letter{}
	j.verdicts = nil
	if j.scene != nil {
		j.lines = j.scene.lines()
	}
	return nil
}

func (j *job) finish(r *recognition.Reading) {
	r.Text, r.Words = strings.TrimRight(strings.Join(j.text, "\n"), "\n"), j.words
	probable(r.Words, j.Engine.Name())
	r.Confidence = meanConfidence(r.Words)
	r.Passes = max(1, j.passes)
	if j.scale > 0 {
		r.Scale = j.scale
	}
	sum, weight := 0.0, 0.0
	for i, a := range j.agree {
		sum += a * j.weight[i]
		weight += j.weight[i]
	}
	if weight > 0 {
		agreement := sum / weight
		r.Agreement = &agreement
	}
}

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

// A region as it is drawn.
const (
	sureDrawn    = 0.97 // how sure a single letter has to be
	tallestDrawn = 150  // pixels
)

// asDrawn reads the region as it is, as one line, where no line was found in it or none that can be read, and believes it only where
// it is sure: most of such regions are empty.
func (j *job) asDrawn(v view, shape recognition.Shape) error {
	j.piece = v.piece
	x1, y1, x2, y2 := int(v.inner.x1), int(v.inner.y1), int(v.inner.x2), int(v.inner.y2)
	t := strip{gray: v.gray.crop(x1, y1, x2, y2), origin: Point{v.inner.x1, v.inner.y1}, letter: 0.7 * float64(y2-y1),
		ink: float64(y2 - y1)}
	t.develop()
	if t.gray.noise() < 0.5 && t.plainPaper() || t.gray.Width < t.gray.Height/2 || t.gray.Height > tallestDrawn {
		return nil
	}
	r, err := j.line(t, max(shape, recognition.ShapeLine), nil, 0)
	clear := len(r.line) > 1 && sureness(r.line) >= unclear && j.credible(r) ||
		len(r.line) == 1 && j.heard.letters > 0 && j.heard.sure >= sureDrawn
	if err == nil && clear {
		j.add(r)
	}
	return err
}

// plainPaper tells whether a strip has no contrast.
func (t *strip) plainPaper() bool {
	low, high := uint8(255), uint8(0)
	for _, v := range t.gray.Pix {
		low, high = min(low, v), max(high, v)
	}
	return high-low < minContrast
}

// unclear is the confidence below which the lines of the ink may not be those of the text.
const unclear = 0.7

// goesOn tells of progress.
func (j *job) goesOn() error {
	if j.Progress == nil {
		return nil
	}
	return j.Progress()
}

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

// strips reads strips by both recognisers, and leaves out those that are no text.
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
			r.line = t.fill(r.line, j.Engine.Name())
			readings = append(readings, r)
		}
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

// smallest is the height of a line that the detector finds below which nobody can read it, in pixels.
const smallest = 6

// detectorLetter is the height of capital letters at which the detector looks for lines, in pixels.
const detectorLetter = 24

// opinion is what the second recogniser says of a line, and how far the first one agrees.
type opinion struct {
	letters int     // that it read, or notAsked
	sure    float64 // mean of their probabilities
	agreed  float64 // share of the letters of the longer reading that both read
}

// notAsked is the number of letters of a recogniser that did not read the line.
const notAsked = -1

// ask has the second recogniser read a strip, once.
func (j *job) ask(second Scripted, t strip) ([]letter, error) {
	key := &t.gray.Pix[0]
	line, known := j.asked[key]
	if !known {
		var err error
		if line, err = j.second(second, t.gray, t.letters); err != nil {
			return nil, err
		}
		if j.asked == nil {
			j.asked = map[*uint8][]letter{}
		}
		j.asked[key] = line
	}
	return slices.Clone(line), nil
}

// How sure a line has to be that is believed to be text. Of lines on pages without text, and of true lines, the second recogniser was
// asked about, these lay between both: see docs/adr/0044-what-is-text.md.
const (
	agreeing   = 0.6  // what full agreement of both recognisers counts besides the second one's probability
	sureOfOne  = 0.96 // of one letter, or marks
	sureOfSame = 0.9  // of one mark, or syllable, again and again
	sureOfRow  = 0.8  // of one letter again and again, which both read
	sureOfTwo  = 0.88
	sureOfMore = 0.75
	sureOfTiny = 1.2 // fewer letters than shortest that are less than legible high, in pixels

	sureAround = 0.7 // of few letters that a region is drawn around, by one of them or both

	fewestBars = 5 // letters that are all strokes, such as III and ll, have fewer
	fewestRows = 8 // of pixels, without which a stroke is not told from a bar

	legible = 6
	tallest = 64 // letters by themselves, in pixels; what is taller is more often a picture

	// Where only the first one has read it. It is asked for lines with Korean letters; it reads all where there is no second one.
	sureOfShort = 0.85 // fewer letters than shortest
	sureOfLine  = 0.7
	sureOfLong  = 0.45 // of a line of at least long letters
	sureAlone   = 0.55
	sureSpelt   = 0.95 // of each Korean letter of a line that is read the same at two looks

	long = 12
)

// believable tells whether a line is text at all, and not a rule, a picture or dirt in which a recogniser sees letters: by what both
// recognisers say of it, and how many letters say so.
func (j *job) believable(t strip, line []letter) bool {
	o, n := j.heard, len(line)
	evidence := o.sure + agreeing*o.agreed
	switch {
	case ruling(line), t.barred():
		return false
	case j.drawnAround(t, n):
		return max(evidence, sureness(line)) >= sureAround
	case repeated(line) && worded(line) && o.letters != notAsked:
		return o.agreed >= 0.5 && o.sure >= sureOfRow
	case repeated(line) && o.agreed < 0.5:
		return evidence >= sureOfSame
	case o.letters == notAsked && n < shortest:
		return o.sure >= sureOfShort
	case o.letters == notAsked && j.alike:
		return true
	case o.letters == notAsked && (j.task.Effort == recognition.EffortFast || len(j.Second) == 0):
		return o.sure >= sureAlone
	case o.letters == notAsked:
		return o.sure >= sureOfLine || n >= long && o.sure >= sureOfLong
	case n < shortest && t.letter < legible:
		return evidence >= sureOfTiny
	case n == 1 || !worded(line):
		return evidence >= sureOfOne
	case n == 2:
		return evidence >= sureOfTwo
	}
	return evidence >= sureOfMore
}

// drawnAround tells whether a region is so tight around so many letters of a line that a person has most likely drawn it for them.
func (j *job) drawnAround(t strip, letters int) bool {
	width, height := j.inner.x2-j.inner.x1, j.inner.y2-j.inner.y1
	alone := letters <= shortest && len(j.lines) == 1 && !j.page
	return alone && t.ink <= tallest && height <= 2.2*t.ink && width <= (float64(letters)+0.5)*height
}

// barred tells whether the ink of a strip is bars that run from its top to its bottom, as those of a barcode do.
func (t strip) barred() bool {
	top, bottom := int((float64(t.gray.Height)-t.ink)/2), int((float64(t.gray.Height)+t.ink)/2)
	inset := (bottom - top) / 10
	top, bottom = max(0, top+inset), min(t.gray.Height, bottom-inset)
	if bottom-top < fewestRows {
		return false
	}
	rows := t.gray.crop(0, top, t.gray.Width, bottom)
	var shades [256]int
	for _, v := range rows.Pix {
		shades[v]++
	}
	middle := uint8((int(t.paper) + quantile(shades[:], 0.02)) / 2)
	bars, inked, solid := 0, 0, 0
	before := false
	for x := range rows.Width {
		dark := 0
		for i := x; i < len(rows.Pix); i += rows.Width {
			if rows.Pix[i] < middle {
				dark++
			}
		}
		is := 10*dark >= 9*rows.Height
		if is && !before {
			bars++
		}
		if before = is; is {
			solid++
		}
		if 10*dark >= rows.Height {
			inked++
		}
	}
	return bars >= fewestBars && 5*solid >= 4*inked
}

// repeated tells whether a line is mostly one letter, as strokes at equal steps are read.
func repeated(line []letter) bool {
	counts, most := map[string]int{}, 0
	for _, l := range line {
		counts[l.text]++
		most = max(most, counts[l.text])
	}
	return len(line) >= 5 && 3*most >= 2*len(line)
}

// worded tells whether a line has a letter or a digit.
func worded(line []letter) bool {
	return slices.ContainsFunc(line, func(l letter) bool {
		return strings.ContainsFunc(l.text, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) })
	})
}

// ruling tells whether a line is a row of dashes, dots or the like, which is a rule and no text.
func ruling(line []letter) bool {
	most := "|_~…ㅣㅡ¦"
	if len(line) > 1 {
		most += "-=.·•‐‑–—―ー一二三"
	}
	return !slices.ContainsFunc(line, func(l letter) bool { return !strings.Contains(most, l.text) })
}

// withoutRemains leaves out what is left of rules: underscores by themselves that do not join letters.
func withoutRemains(line []letter) []letter {
	is := func(k int, what func(letter) bool) bool { return k >= 0 && k < len(line) && what(line[k]) }
	under := func(l letter) bool { return l.text == "_" }
	joined := func(l letter) bool { return l.text < "\u0080" && worded([]letter{l}) }
	kept := make([]letter, 0, len(line))
	space := false
	for k, l := range line {
		if under(l) && !is(k-1, under) && !is(k+1, under) &&
			!(is(k-1, joined) && !l.space && is(k+1, joined) && !line[k+1].space) {
			space = space || l.space
			continue
		}
		l.space = (l.space || space) && len(kept) > 0
		kept, space = append(kept, l), false
	}
	return kept
}

// add adds a line to what was read.
func (j *job) add(r reading) {
	t, line := r.strip, withoutRemains(r.line)
	if len(line) == 0 {
		return
	}
	j.uses(r.lang)
	j.text = append(j.text, textOf(line))
	height := float64(t.gray.Height)
	inked := rect{0, (height - t.ink) / 2, float64(t.gray.Width), (height + t.ink) / 2}
	j.words = append(j.words, words(line, inked, confidence, func(r rect) document.Box { return j.place(t, r) })...)
}

// confidence is that of a word.
func confidence(word []letter) float64 {
	least := 1.0
	for _, l := range word {
		least = min(least, l.word)
	}
	return min(1, max(0, least))
}

// look is one way to look at a strip.
type look struct {
	letter float64 // pixels of a capital letter, at which the engine reads it
	smooth bool
	below  float64 // confidence of those before below which it is worth its time
}

var looks = []look{{22, false, 1}, {27, true, 0.75}}

// strip has the engine read a strip, and looks again where it is unsure. What was probed is what the first look gave, if there was one.
func (j *job) strip(t strip, shape recognition.Shape, probed []letter) ([]letter, error) {
	var best []letter
	var first string
	var err error
	settled := false
	j.alike = false
	for i, l := range looks {
		if i > 0 && (sureness(best) >= l.below || settled) {
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
		if i == 0 && sureness(line) < looks[1].below {
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

// A line that only the second recogniser is asked for.
const (
	sureOfAll = 0.95 // the least probability of its letters
	unasked   = 0.97 // what the first one's confidence counts as, by how often words of such lines are right
)

// bySecond reads a strip by the second recogniser, and gives nothing where the first one may know better: where a letter or a space is in
// doubt, or where there is ink that was passed over.
func (j *job) bySecond(t strip) ([]letter, error) {
	second := j.reads("Latin")
	if j.task.Effort != recognition.EffortAccurate || second == nil || !readable(j.task.Lang) || korean(j.task.Lang) || j.chooses {
		return nil, nil
	}
	line, err := j.ask(second, t)
	if err != nil || len(line) < shortest || repeated(line) || slices.ContainsFunc(expected(line, j.task.Lang), func(l letter) bool {
		return l.word < sureOfAll || l.gap >= spaceFrom && !l.space
	}) {
		return nil, err
	}
	if _, covered := j.inked(t, line); !covered {
		return nil, nil
	}
	for i, l := range line {
		line[i].word = agreed(unasked, l.prob)
	}
	return line, nil
}

// settled tells whether the second recogniser is sure of all letters of a line, or that it is no text, so that a further look of the first
// one would change nothing.
func (j *job) settled(t strip, first []letter) (bool, error) {
	second := j.reads("Latin")
	korean := korean(j.task.Lang)
	if j.task.Effort != recognition.EffortAccurate || second == nil || !readable(j.task.Lang) ||
		korean && slices.ContainsFunc(first, func(l letter) bool { return hangul(l.text) }) {
		return false, nil
	}
	line, err := j.ask(second, t)
	if korean && len(line) == 0 { // it passes over Korean letters
		return false, err
	}
	sure := !slices.ContainsFunc(line, func(l letter) bool { return l.prob < doubt || korean && !plain(l.text) })
	return sure || !korean && sureness(line) < 0.6, err
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

// gate is the confidence from which a line is not read by the second recogniser.
func (j *job) gate() float64 {
	switch {
	case j.task.Effort == recognition.EffortBalanced:
		return gate
	case j.page:
		return pageGate
	}
	return 2
}

// again has the second recogniser read a line, and fuses what both read.
func (j *job) again(t strip, first []letter) ([]letter, error) {
	j.heard = opinion{letters: notAsked, sure: sureness(expected(first, j.task.Lang))}
	sure := len(first) > 0 && sureness(first) >= j.gate()
	if j.task.Effort == recognition.EffortFast || sure {
		return first, nil
	}
	korean := korean(j.task.Lang)
	second := j.reads("Latin")
	if korean {
		if all := j.reads("Hangul"); all != nil {
			second, korean = all, false
		}
	}
	if second == nil || !readable(j.task.Lang) {
		return first, nil
	}
	koreanLetters := 0
	for _, l := range first {
		if hangul(l.text) {
			koreanLetters++
		}
	}
	if korean && koreanLetters > 0 {
		return j.runs(t, first, second)
	}
	line, err := j.ask(second, t)
	if err != nil {
		return nil, err
	}
	j.heard.letters, j.heard.agreed = len(line), inCommon(first, line)
	j.heard.sure = sureness(expected(line, j.task.Lang))
	if korean {
		if len(line) == 0 { // it may be Korean
			j.heard.letters = notAsked
		}
		if slices.ContainsFunc(line, func(l letter) bool { return !plain(l.text) }) {
			return first, nil
		}
	}
	j.note(recognition.Agreement(textOf(first), textOf(line)), len(line))
	if j.heard.sure == 0 && len(line) > 0 { // it takes what it does not know for Chinese
		return first, nil
	}
	return fuse(first, line), nil
}

// expected is a line in which no letter is sure that is in no script of the languages: Chinese and Japanese ones where neither is wanted,
// and parts of Korean syllables.
func expected(line []letter, lang []string) []letter {
	han := slices.ContainsFunc(lang, func(code string) bool { return strings.HasPrefix(code, "chi_") || strings.HasPrefix(code, "jpn") })
	line = slices.Clone(line)
	for i, l := range line {
		if strings.ContainsFunc(l.text, func(c rune) bool {
			return c >= 0x3131 && c <= 0x318e || !han && unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana)
		}) {
			line[i].word = 0
		}
	}
	return line
}

// runs has the second recogniser read what is not Hangul in a line.
func (j *job) runs(t strip, first []letter, second Scripted) (line []letter, err error) {
	at, doubt := 0, 0.0
	for _, run := range foreign(first, float64(t.gray.Width), float64(t.gray.Height)) {
		line = append(line, first[at:run.from]...)
		at = run.to
		x1, x2 := int(run.x1), int(math.Ceil(run.x2))
		read, err := j.second(second, t.gray.crop(x1, 0, x2, t.gray.Height), run.to-run.from)
		if err != nil {
			return nil, err
		}
		for i := range read {
			read[i].x1, read[i].x2 = read[i].x1+float64(x1), read[i].x2+float64(x1)
		}
		doubt += (sureness(first[run.from:run.to]) - sureness(expected(read, j.task.Lang))) * float64(run.to-run.from)
		letters, _ := replace(first[run.from:run.to], read)
		line = append(line, letters...)
	}
	j.heard.sure = sureness(expected(first, j.task.Lang)) - doubt/float64(max(1, len(first)))
	if syllables := slices.DeleteFunc(slices.Clone(first), func(l letter) bool { return !hangul(l.text) }); len(syllables) >= shortest {
		j.heard.sure = max(j.heard.sure, sureness(expected(syllables, j.task.Lang)))
	}
	return append(line, first[at:]...), nil
}

func (j *job) second(r Scripted, g Gray, letters int) ([]letter, error) {
	j.passes++
	chars, err := r.Read(g.Colour(), letters, j.task.Charset)
	return charsOf(chars, r.Name()), err
}

// reads is the recogniser that reads a script, or nil.
func (j *job) reads(script string) Scripted {
	for _, r := range j.Second {
		if slices.Contains(r.Scripts(), script) {
			return r
		}
	}
	return nil
}

// korean tells whether a text may be Korean.
func korean(lang []string) bool {
	return slices.ContainsFunc(lang, func(code string) bool { return strings.HasPrefix(code, "kor") || code == "script/Hangul" })
}

// readable tells whether all languages are written in Latin letters, Chinese, Japanese or Korean.
func readable(lang []string) bool {
	for _, code := range lang {
		if OtherScript(code) && !strings.HasPrefix(code, "kor") && !strings.HasPrefix(code, "chi_") && !strings.HasPrefix(code, "jpn") &&
			code != "script/Hangul" {
			return false
		}
	}
	return true
}

// OtherScript tells whether a language of Tesseract is not written in Latin letters.
func OtherScript(code string) bool {
	return otherScripts[code] || strings.HasPrefix(code, "script/") && code != "script/Latin"
}

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

// block has the engine find the lines of the region, and reads each of them again.
func (j *job) block(shape recognition.Shape) error {
	image, scale := j.scene.sheetOf(j.piece)
	return j.sheet(j.scene, image, scale, Query{Shape: shape, Charset: j.task.Charset})
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
	if j.quarters != 0 || height < tall || enough && meanConfidence(j.words) >= surely {
		return nil
	}
	other := job{Reader: j.Reader, piece: v.piece, task: j.task, page: j.page, scene: j.scene, lines: j.lines, passes: j.passes,
		scale: j.scale, cuts: j.cuts, choice: j.choice}
	other.used, other.doubts = nil, doubts{}
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

// letterHeight is that of a capital letter of the region in pixels, 0 where no line was found.
func (j *job) letterHeight() float64 {
	if j.scene == nil || len(j.lines) == 0 {
		return 0
	}
	return j.scene.letter * float64(j.scene.factor)
}

// commonest is the shade that most pixels have.
func (g Gray) commonest() (shade uint8) {
	var counts [256]int
	for _, v := range g.Pix {
		counts[v]++
	}
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
	unread := s.unread(lines)
	for k, line := range lines {
		if err := j.goesOn(); err != nil {
			return err
		}
		if k == 2*picture && len(j.words) == 0 && !j.page {
			break
		}
		if k < len(texts) && texts[k] {
			j.text = append(j.text, "")
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
			r.line = t.fill(r.line, j.Engine.Name())
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
		blanks: s.claim(free, line{x1: box.x1, x2: box.x2, bottom: box.y2, letter: letter, slope: slope})}
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

// unread are the parts of the size of letters of which the engine has read none of the lines.
func (s *scene) unread(lines [][]letter) (found []letter) {
	f := float64(s.factor)
	spans := make([]rect, len(lines))
	for k, line := range lines {
		spans[k] = extent(boxesOf(line))
	}
	for _, p := range s.parts {
		if !p.dark || !s.glyph(p) {
			continue
		}
		l := letter{x1: f * float64(p.x1), y1: f * float64(p.y1), x2: f * float64(p.x2), y2: f * float64(p.y2)}
		x, y := (l.x1+l.x2)/2, (l.y1+l.y2)/2
		reach := f * s.letter / 4
		read := false
		for k, line := range lines {
			if y < spans[k].y1-reach || y > spans[k].y2+reach || x < spans[k].x1-reach || x > spans[k].x2+reach {
				continue
			}
			if read = slices.ContainsFunc(line, func(c letter) bool { return c.x1-reach <= x && x <= c.x2+reach }); read {
				break
			}
		}
		if !read {
			found = append(found, l)
		}
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
				outside := l.x2 < row.x1+size/4 && end[0] == line[0] || l.x1 > row.x2-size/4 && end[len(end)-1] == line[len(line)-1]
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
	r.line = t.fill(r.line, j.Engine.Name())
	return r, nil
}

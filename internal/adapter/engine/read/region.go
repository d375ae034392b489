package read

import (
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

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

	// Known tells whether a word is in the list of words of one of the languages, letter case aside. It may be nil.
	Known func(word string, lang []string) bool

	// Detector finds lines where the ink does not tell them clearly. It may be nil.
	Detector Detector

	// Facings is of the page, for its further regions. It may be nil.
	Facings Facings

	// Progress is called before each line that is read, and ends the reading where it returns an error. It may be nil.
	Progress func() error
}

const (
	borderWidth = 10      // pixels around what the engine reads, in the shade of the paper
	largest     = 3 << 20 // pixels of the ink: larger regions are looked at on a smaller scale
	gate        = 0.90    // confidence of a line below which balanced has the second recogniser read it
	pageGate    = 0.95    // the same for accurate, of the lines of whole pages
	margin      = 0.15    // of a line's height, around its strip
)

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
	v = v.in(r.possible(task.Lang))
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
			err = j.upright(page, v)
			v = v.turn(j.quarters)
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
		err = j.unseen(v, result.Shape)
		if task.Shape == recognition.ShapeAuto && len(j.text) > 1 {
			result.Shape = recognition.ShapeBlock
		}
	case segmented(task.Shape):
		err = j.block(task.Shape)
	case task.Shape == recognition.ShapeAuto && len(j.lines) > 1 && whole(page, task.Box):
		result.Shape = recognition.ShapePage
		err = j.sheetWhole()
	default:
		if len(j.lines) > 1 && task.Shape == recognition.ShapeAuto {
			result.Shape = recognition.ShapeBlock
		}
		if err = j.each(result.Shape); err == nil && len(j.text) == 0 {
			err = j.unseen(v, result.Shape)
		}
	}
	if err == nil && task.Shape == recognition.ShapeAuto && task.Effort != recognition.EffortFast {
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

// atOnce reads a whole page before it is known which way up it is, since the text of the page shows that as well as some of its lines do.
// If the page may be turned, it returns false and leaves the job as it was.
func (j *job) atOnce(page Page, v view) (bool, error) {
	if j.task.Effort != recognition.EffortFast || j.chooses || j.task.Shape != recognition.ShapeAuto || !whole(page, j.task.Box) {
		return false, nil
	}
	try := *j
	if err := try.look(v); err != nil || try.scene == nil || len(try.lines) < 2 || try.scene.upAndDown() {
		return false, err
	}
	if err := try.sheetWhole(); err != nil || meanConfidence(try.words) < upright {
		j.passes = try.passes
		return false, err
	}
	*j = try
	return true, nil
}

// segmented tells whether it is the engine that finds the lines of a shape.
func segmented(shape recognition.Shape) bool {
	switch shape {
	case recognition.ShapePageWithOrientation, recognition.ShapePage, recognition.ShapeColumn, recognition.ShapeVerticalBlock,
		recognition.ShapeSparse, recognition.ShapeSparseWithOrientation:
		return true
	}
	return false
}

// whole tells whether a region is all of a page, or nearly.
func whole(page Page, region document.Box) bool {
	width, height := page.Size()
	return 5*region.Width() >= 4*width && 5*region.Height() >= 4*height
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
	places []placed // of the lines of the text
	words  []recognition.Word
	missed []int   // parts of the size of letters that the engine passed over in a sheet
	parts  int     // of that size, in all
	over   []int   // lines of the ink of which it passed over most
	drawn  reading // of the region as it is drawn, which may be believed where it has little ink
	passes int
	scale  float64
	heard  opinion             // of the last line
	alike  bool                // Korean letters of the last line were read the same at two looks
	asked  map[*uint8][]letter // what the second recogniser read of strips
	alone  map[*uint8][]letter // what the first one read of them in Korean alone
	cuts   map[int]strip       // of some lines
	agree  []float64           // of two readings of a line, by its letters
	weight []float64
}

// look finds the lines of a view.
func (j *job) look(v view) error {
	j.piece, j.scene, j.lines, j.probed, j.cuts, j.asked = v.piece, v.scene(), nil, nil, map[int]strip{}, map[*uint8][]letter{}
	j.verdicts, j.alone = nil, nil
	if j.scene != nil {
		j.lines = j.scene.lines()
	}
	return nil
}

func (j *job) finish(r *recognition.Reading) {
	r.Text, r.Words = strings.TrimRight(strings.Join(j.text, "\n"), "\n"), j.words
	probable(r.Words, j.Engine.Name(), r.Effort != recognition.EffortFast && readable(j.task.Lang))
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

// A region as it is drawn.
const (
	sureDrawn    = 0.97 // how sure the second recogniser has to be of a single letter
	clearDrawn   = 0.85 // how sure one recogniser has to be of several, or what both say
	tallestDrawn = 150  // pixels
)

// unseen reads a region in whose ink nothing was read.
func (j *job) unseen(v view, shape recognition.Shape) error {
	if err := j.byItself(v, shape); err != nil || len(j.text) > 0 {
		return err
	}
	return j.asDrawn(v, shape)
}

// byItself reads a region without its surroundings if it has less than half of their contrast, beside which its ink is not found.
func (j *job) byItself(v view, shape recognition.Shape) error {
	try, alone := *j, v.byItself()
	if contrast := alone.gray.contrast(); contrast < minContrast || 2*contrast > v.gray.contrast() {
		return nil
	}
	if err := try.look(alone); err != nil || len(try.lines) == 0 {
		return err
	}
	err := try.each(shape)
	if j.passes = try.passes; len(try.text) > 0 {
		*j = try
	}
	return err
}

// asDrawn reads the region as it is, as one line, if no line was found in it or none that can be read. It believes only a sure reading,
// since most of these regions are empty.
func (j *job) asDrawn(v view, shape recognition.Shape) error {
	j.piece = v.piece
	x1, y1, x2, y2 := int(v.inner.x1), int(v.inner.y1), int(v.inner.x2), int(v.inner.y2)
	t := strip{gray: v.gray.crop(x1, y1, x2, y2), origin: Point{v.inner.x1, v.inner.y1}, letter: 0.7 * float64(y2-y1),
		ink: float64(y2 - y1)}
	t.develop()
	if t.gray.noise(1) < 0.5 && t.plainPaper() || t.gray.Width < t.gray.Height/2 || t.gray.Height > tallestDrawn {
		return nil
	}
	r, err := j.line(t, max(shape, recognition.ShapeLine), nil, 0)
	clear := len(r.line) > 1 && max(sureness(r.line), j.heard.evidence()) >= clearDrawn && j.credible(r) ||
		len(r.line) == 1 && j.heard.letters > 0 && j.heard.sure >= sureDrawn
	switch {
	case err != nil:
	case clear:
		j.add(r)
	case len(r.line) > 0 && worded(r.line) && j.credible(r):
		j.drawn = r
	}
	return err
}

// plainPaper tells whether a strip has no contrast.
func (t *strip) plainPaper() bool { return t.gray.contrast() < minContrast }

// goesOn reports progress.
func (j *job) goesOn() error {
	if j.Progress == nil {
		return nil
	}
	return j.Progress()
}

package ppocr

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/adapter/engine/read"
)

// model is a Session that keeps what it is given and answers with what answer puts into out.
type model struct {
	in     Tensor
	answer func(out Tensor) error
}

func (m *model) Run(in, out Tensor) error {
	m.in = Tensor{in.Shape, slices.Clone(in.Data)}
	clear(out.Data)
	if m.answer == nil {
		return nil
	}
	return m.answer(out)
}

// painted returns an image of the colour that paint gives each pixel.
func painted(width, height int, paint func(x, y int) [3]uint8) read.RGB {
	m := read.RGB{Width: width, Height: height}
	for y := range height {
		for x := range width {
			c := paint(x, y)
			m.Pix = append(m.Pix, c[:]...)
		}
	}
	return m
}

func near(t *testing.T, what string, got, want, off float64) {
	t.Helper()
	if math.Abs(got-want) > off {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

func TestInputOfALine(t *testing.T) {
	// 120 columns of 96 rows become 51 of 48; the tensor has 56. Rows alternate, so that the mean of two is between.
	line := painted(120, 96, func(_, y int) [3]uint8 { return [3]uint8{255, uint8(y % 2 * 255), 0} })
	var m model
	if _, err := NewRecogniser("m", &m, []string{"a"}, nil).Read(line, 0, ""); err != nil {
		t.Fatal(err)
	}
	if want := []int64{1, 3, 48, 56}; !slices.Equal(m.in.Shape, want) {
		t.Fatalf("shape %v, want %v", m.in.Shape, want)
	}
	for plane, want := range []float64{-1, 0, 1} { // blue, green, red
		for _, x := range []int{0, 17, 50} {
			near(t, "a value", float64(m.in.Data[(plane*48+20)*56+x]), want, 1e-5)
		}
		near(t, "a value behind the line", float64(m.in.Data[(plane*48+20)*56+51]), 0, 0)
	}
}

func TestInputEnlarges(t *testing.T) {
	// From black at the left to white at the right in two columns: between their centres it is a straight way.
	line := painted(2, 2, func(x, _ int) [3]uint8 { return [3]uint8{uint8(x * 255), uint8(x * 255), uint8(x * 255)} })
	in, columns := (&Recogniser{}).input(line, 0)
	if columns != 41 || in.Shape[3] != 48 {
		t.Fatalf("%d columns of %d, want 41 of 48", columns, in.Shape[3])
	}
	for x, want := range map[int]float64{0: -1, 9: -1, 20: 0, 21: 4.0 / 41, 31: 1, 40: 1, 41: 0, 47: 0} {
		near(t, "a value", float64(in.Data[x]), want, 1e-5)
	}
}

// A line of wide letters is squeezed more, as far as its letters stay apart.
func TestInputOfWideLetters(t *testing.T) {
	for _, c := range []struct{ width, height, letters, want int }{
		{800, 48, 0, 680}, {800, 48, 10, 408}, {800, 48, 30, 480}, {800, 48, 42, 672}, {800, 48, 80, 680}, {150, 48, 3, 96},
		{100, 48, 1, 85}, {300, 18, 10, 680},
	} {
		line := painted(c.width, c.height, func(int, int) [3]uint8 { return [3]uint8{} })
		if _, columns := (&Recogniser{}).input(line, c.letters); columns != c.want {
			t.Errorf("%d letters in %d×%d: %d columns, want %d", c.letters, c.width, c.height, columns, c.want)
		}
	}
}

// A line in which more letters are read than it was squeezed for is read again as wide as it is.
func TestCrowdedLinesAreReadAgain(t *testing.T) {
	line := painted(800, 48, func(_, _ int) [3]uint8 { return [3]uint8{255, 255, 255} })
	for _, c := range []struct{ letters, read, passes int }{
		{letters: 26, read: 26, passes: 1},
		{letters: 26, read: 40, passes: 2},
		{letters: 60, read: 80, passes: 1}, // it was not squeezed
		{letters: 0, read: 26, passes: 1},
	} {
		passes := 0
		m := model{answer: func(out Tensor) error {
			passes++
			classes := out.Shape[2]
			for i := range c.read {
				at := i * int(out.Shape[1]) / c.read
				out.Data[at*int(classes)+1+i%2] = 0.9
			}
			return nil
		}}
		chars, err := NewRecogniser("m", &m, []string{"a", "b"}, nil).Read(line, c.letters, "")
		if err != nil || passes != c.passes || len(chars) != c.read {
			t.Errorf("%d letters where there is room for %d: read %d, %d times, %v", c.read, c.letters, len(chars), passes, err)
		}
	}
}

func TestSharesAddUp(t *testing.T) {
	for from := 1; from < 60; from++ {
		for to := 1; to < 60; to++ {
			var used float64
			for _, s := range shares(from, to) {
				var sum float64
				for _, w := range s.weights {
					sum += float64(w)
				}
				used += sum
				if math.Abs(sum-1) > 1e-4 || s.first < 0 || s.first+len(s.weights) > from {
					t.Fatalf("from %d to %d: share %v", from, to, s)
				}
			}
		}
	}
}

// steps answers with one step for each class of the text, whose probability is 0.9, and 0.06 for a space.
func steps(r *Recogniser, classes ...int) func(Tensor) error {
	return func(out Tensor) error {
		n := len(r.characters)
		for t := range int(out.Shape[1]) {
			class := blank
			if t < len(classes) {
				class = classes[t]
			}
			out.Data[t*n+n-1] += 0.06
			out.Data[t*n+class] += 0.9
		}
		return nil
	}
}

func TestRead(t *testing.T) {
	var m model
	r := NewRecogniser("m", &m, []string{"a", "b", "0"}, []string{"Latin"})
	m.answer = steps(r, 1, 1, 0, 1, 4, 0, 2) // aa-a_-b
	chars, err := r.Read(painted(160, 24, func(int, int) [3]uint8 { return [3]uint8{} }), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	// 272 columns for 160 pixels.
	p, gap, step := float64(float32(0.9)), float64(float32(0.06)), 8*160/272.0
	want := []read.Char{
		{Text: "a", Prob: p, X1: 0, X2: 2 * step, Space: gap},
		{Text: "a", Prob: p, X1: 3 * step, X2: 4 * step, Space: gap},
		{Text: "b", Prob: p, X1: 6 * step, X2: 7 * step, Space: 1},
	}
	if !reflect.DeepEqual(chars, want) {
		t.Errorf("read %v, want %v", chars, want)
	}
	if text := Text(chars); text != "aa b" {
		t.Errorf("text %q, want %q", text, "aa b")
	}
}

// What a letter may be else is taken from the step that is surest of it, what may stand behind it from those that are of no letter.
func TestGuesses(t *testing.T) {
	var m model
	r := NewRecogniser("m", &m, []string{"a", "b", "c"}, nil)
	m.answer = func(out Tensor) error {
		for t, row := range [][]float32{
			{0, 0.5, 0, 0.5, 0},
			{0.1, 0.8, 0.002, 0.1, 0}, // an a, perhaps a c or nothing
			{0.75, 0, 0.25, 0, 0},     // perhaps a b
			{0, 0, 0, 1, 0},
		} {
			copy(out.Data[t*5:], row)
		}
		for t := 4; t < int(out.Shape[1]); t++ {
			out.Data[t*5] = 1
		}
		return nil
	}
	line := painted(96, 48, func(int, int) [3]uint8 { return [3]uint8{} })
	chars, err := r.Read(line, 0, "")
	if err != nil || len(chars) != 2 {
		t.Fatalf("read %v, %v; want two letters", chars, err)
	}
	texts := func(guesses []read.Guess) (found string) {
		for _, g := range guesses {
			found += fmt.Sprintf("%s%.2f ", cmp.Or(g.Text, "-"), g.Prob)
		}
		return found
	}
	if got := texts(chars[0].Instead) + "| " + texts(chars[0].Behind); got != "-0.10 c0.10 | b0.25 " {
		t.Errorf("guesses %q", got)
	}
	if chars[1].Instead != nil || chars[1].Behind != nil {
		t.Errorf("guesses %v and %v of what is sure", chars[1].Instead, chars[1].Behind)
	}
	if chars, err := r.Read(line, 0, "abc"); err != nil || chars[0].Instead != nil || chars[0].Behind != nil {
		t.Errorf("with a charset: %v, %v", chars, err)
	}
}

func TestCharsetMasks(t *testing.T) {
	var m model
	r := NewRecogniser("m", &m, []string{"O", "0", "x"}, nil)
	m.answer = func(out Tensor) error {
		for t := range int(out.Shape[1]) {
			out.Data[t*5] = 1
		}
		copy(out.Data, []float32{0.01, 0.9, 0.08, 0.01, 0}) // an O that may be a 0
		copy(out.Data[5:], []float32{0.02, 0, 0, 0.98, 0})  // an x, which is not allowed
		return nil
	}
	line := painted(96, 48, func(int, int) [3]uint8 { return [3]uint8{} })
	chars, err := r.Read(line, 0, "0123")
	if err != nil || len(chars) != 1 || chars[0].Text != "0" {
		t.Fatalf("read %v, %v; want a 0", chars, err)
	}
	near(t, "its probability", chars[0].Prob, 0.08/0.09, 1e-6)
	if chars, err := r.Read(line, 0, "한"); err != nil || len(chars) != 0 {
		t.Errorf("with a charset of which the model knows nothing: %v, %v; want nothing", chars, err)
	}
}

func TestWhatIsNoImage(t *testing.T) {
	r, d := NewRecogniser("m", &model{}, nil, nil), NewDetector("m", &model{})
	for _, m := range []read.RGB{{}, {Width: 1, Height: 1}, {Width: -1, Height: -1, Pix: make([]uint8, 3)}} {
		if _, err := r.Read(m, 0, ""); err == nil {
			t.Errorf("%v was read", m)
		}
		if _, err := d.Detect(m); err == nil {
			t.Errorf("%v was looked at", m)
		}
	}
	for _, size := range [][2]int{{1, 1}, {1, 500}, {9000, 1}} { // are images, however odd
		m := painted(size[0], size[1], func(int, int) [3]uint8 { return [3]uint8{} })
		if _, err := r.Read(m, 0, ""); err != nil {
			t.Errorf("%v: %v", size, err)
		}
		if _, err := d.Detect(m); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
	if _, err := d.Detect(painted(MaxDetectPixels+1, 1, func(int, int) [3]uint8 { return [3]uint8{} })); err == nil {
		t.Error("a page of too many pixels was looked at")
	}
	broken := errors.New("broken")
	r = NewRecogniser("m", &model{answer: func(Tensor) error { return broken }}, nil, nil)
	if _, err := r.Read(read.RGB{Width: 1, Height: 1, Pix: make([]uint8, 3)}, 0, ""); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the model", err)
	}
}

func TestInputOfAPage(t *testing.T) {
	var m model
	page := painted(33, 5, func(x, _ int) [3]uint8 { return [3]uint8{255, 0, uint8(x / 32 * 255)} })
	if _, err := NewDetector("m", &m).Detect(page); err != nil {
		t.Fatal(err)
	}
	if want := []int64{1, 3, 32, 64}; !slices.Equal(m.in.Shape, want) {
		t.Fatalf("shape %v, want %v", m.in.Shape, want)
	}
	at := func(plane, x, y int) float64 { return float64(m.in.Data[(plane*32+y)*64+x]) }
	near(t, "blue", at(0, 0, 0), -0.485/0.229, 1e-4)
	near(t, "blue of the last column", at(0, 32, 4), (1-0.485)/0.229, 1e-4)
	near(t, "blue behind it and below", at(0, 63, 31), (1-0.485)/0.229, 1e-4)
	near(t, "green", at(1, 5, 2), -0.456/0.224, 1e-4)
	near(t, "red", at(2, 5, 2), (1-0.406)/0.225, 1e-4)
}

// middle sets the probability of the pixels of a turned rectangle.
func middle(out Tensor, x, y, length, height, degrees float64, prob float32) {
	width := int(out.Shape[3])
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for i := range out.Data {
		dx, dy := float64(i%width)+0.5-x, float64(i/width)+0.5-y
		if math.Abs(dx*cos+dy*sin) <= length/2 && math.Abs(dy*cos-dx*sin) <= height/2 {
			out.Data[i] = prob
		}
	}
}

func TestLinesOfAPage(t *testing.T) {
	type box struct{ x, y, length, height, degrees float64 }
	const length, height = 120, 10
	for _, want := range []box{
		{200, 150, length, height, 0}, {200, 150, length, height, 20}, {200, 150, length, height, -33}, {200, 150, length, height, 60},
		{200, 150, length, height, 90}, {200, 150, length, height, -60}, {200, 150, 14, 12, 10}, {200, 150, 12, 14, -10},
	} {
		m := model{answer: func(out Tensor) error {
			middle(out, want.x, want.y, want.length, want.height, want.degrees, 0.9)
			middle(out, 50, 40, 30, 8, 0, 0.4)    // too faint
			middle(out, 350, 40, 2, 1, 0, 0.9)    // too small
			middle(out, 350, 200, 40, 8, 0, 0.29) // below the threshold of a pixel
			return nil
		}}
		quads, err := NewDetector("m", &m).Detect(painted(400, 300, func(int, int) [3]uint8 { return [3]uint8{} }))
		if err != nil || len(quads) != 1 {
			t.Errorf("%v: %d lines, %v; want one", want, len(quads), err)
			continue
		}
		q := quads[0]
		between := func(a, b read.Point) float64 { return math.Hypot(b.X-a.X, b.Y-a.Y) }
		grown := want.length * want.height * 1.5 / (want.length + want.height)
		near(t, "length", between(q[0], q[1]), want.length+grown, 3)
		near(t, "height", between(q[1], q[2]), want.height+grown, 3)
		near(t, "centre across", (q[0].X+q[2].X)/2, want.x, 1)
		near(t, "centre down", (q[0].Y+q[2].Y)/2, want.y, 1)
		near(t, "angle", math.Atan2(q[1].Y-q[0].Y, q[1].X-q[0].X)*180/math.Pi, want.degrees, 3)
		if cross(q[0], q[1], q[2]) <= 0 {
			t.Errorf("%v: %v does not run clockwise", want, q)
		}
	}
}

func TestFind(t *testing.T) {
	write := func(folder, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte("model"))
	good := "[detector]\nfile = \"d.onnx\"\nsha256 = \"" + hex.EncodeToString(sum[:]) +
		"\"\n[[recogniser]]\nfile = \"r.onnx\"\nsha256 = \"" +
		hex.EncodeToString(sum[:]) + "\"\nscripts = [\"Latin\", \"Hangul\"]\n"
	folder := t.TempDir()
	if _, err := Find(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v, want that there is none", err)
	}
	write(folder, "models.toml", good)
	write(folder, "d.onnx", "model")
	write(folder, "r.onnx", "model")
	if _, err := Find(folder); err == nil || !strings.Contains(err.Error(), "libonnxruntime") {
		t.Errorf("without the library: %v", err)
	}
	write(folder, libraryName(), "")
	f, err := Find(folder)
	second := filepath.Join(folder, "r.onnx")
	if err != nil || f.Detector.Name() != "d" || f.Recognisers[0].Path != second || len(f.Recognisers[0].Scripts) != 2 {
		t.Errorf("found %+v, %v", f, err)
	}
	for want, list := range map[string]string{
		"no script of Unicode":  strings.Replace(good, "Hangul", "Hangeul", 1),
		"has no scripts":        strings.Replace(good, `scripts = ["Latin", "Hangul"]`, "", 1),
		"SHA-256":               strings.Replace(good, `sha256 = "`, `sha256 = "0`, 1),
		"no file in the folder": strings.Replace(good, "r.onnx", "../r.onnx", 1),
		"x.onnx":                strings.Replace(good, "r.onnx", "x.onnx", 1),
		"names no recogniser":   good[:strings.Index(good, "[[")],
		"unknown":               good + "colour = 1\n",
		"line 1":                "=",
	} {
		write(folder, "models.toml", list)
		if _, err := Find(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

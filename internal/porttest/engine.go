package porttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// drawn are lines that an engine must read without a fault.
var drawn = []string{"The quick brown fox", "jumps over the lazy dog", "Invoice number 4187", "Total amount paid 365"}

func task(b document.Box, shape recognition.Shape) recognition.Task {
	return recognition.Task{Box: b, Lang: []string{"eng"}, Shape: shape, Mode: recognition.BestMode,
		Rotate: recognition.RotateAuto, Effort: recognition.EffortAccurate, Source: recognition.SourceAuto}
}

func tasksOf(boxes []document.Box, shape recognition.Shape) (tasks []recognition.Task) {
	for _, b := range boxes {
		tasks = append(tasks, task(b, shape))
	}
	return tasks
}

func order(file []byte, tasks ...recognition.Task) recognition.Order {
	return recognition.Order{Page: PageOf(file), Tasks: tasks, UserID: 1}
}

// checkReading checks what holds for every reading that did not fail.
func checkReading(r recognition.Reading, of recognition.Task) error {
	var texts []string
	for _, w := range r.Words {
		texts = append(texts, w.Text)
		if !w.Box.Empty() && w.Box.Intersect(of.Box) != w.Box {
			return fmt.Errorf("the box %v of %q is not inside the region %v", w.Box, w.Text, of.Box)
		}
		if w.Confidence < 0 || w.Confidence > 1 {
			return fmt.Errorf("the confidence %v of %q is not in 0–1", w.Confidence, w.Text)
		}
		if w.Engine == "" || !slices.Contains(strings.Split(r.Engine, ", "), w.Engine) {
			return fmt.Errorf("%q was read by the engine %q, and the region by %q", w.Text, w.Engine, r.Engine)
		}
		for _, c := range w.Candidates {
			if c.Engine == "" || c.Engine == w.Engine || c.Text == w.Text || c.Confidence < 0 || c.Confidence > 1 {
				return fmt.Errorf("got the candidate %+v for %q by %q", c, w.Text, w.Engine)
			}
		}
	}
	switch {
	case r.Error != nil:
		return fmt.Errorf("the region %v failed: %+v", of.Box, *r.Error)
	case !slices.Equal(texts, strings.Fields(r.Text)):
		return fmt.Errorf("got the words %q of the text %q", texts, r.Text)
	case len(texts) > 0 && !slices.ContainsFunc(r.Words, func(w recognition.Word) bool { return !w.Box.Empty() }):
		return fmt.Errorf("no word of %q has a box", r.Text)
	case strings.TrimFunc(r.Text, unicode.IsSpace) != r.Text || strings.Contains(r.Text, " \n") || strings.Contains(r.Text, "\r"):
		return fmt.Errorf("got the text %q, want no white space at the ends of lines", r.Text)
	case r.Confidence < 0 || r.Confidence > 1 || len(texts) == 0 && r.Confidence != 0:
		return fmt.Errorf("got the confidence %v of %d words", r.Confidence, len(texts))
	case r.Shape == recognition.ShapeAuto || !r.Shape.Valid():
		return fmt.Errorf("got the shape %d", r.Shape)
	case of.Shape != recognition.ShapeAuto && r.Shape != of.Shape:
		return fmt.Errorf("got the shape %d, want %d as asked for", r.Shape, of.Shape)
	case len(r.Lang) == 0 || slices.ContainsFunc(r.Lang, func(l string) bool { return !slices.Contains(of.Lang, l) }):
		return fmt.Errorf("got the languages %v, want some of %v", r.Lang, of.Lang)
	case r.Engine == "" || r.Passes < 0 || r.Passes == 0 && r.Text != "" || r.Scale <= 0 || r.Duration < 0:
		return fmt.Errorf("got the engine %q, %d passes at scale %v in %v", r.Engine, r.Passes, r.Scale, r.Duration)
	}
	return nil
}

// recognize asks an engine and checks what holds for every answer.
func recognize(ctx context.Context, e recognition.Engine, o recognition.Order) ([]recognition.Reading, error) {
	readings, err := e.Recognize(ctx, o)
	if err != nil {
		return nil, err
	}
	if len(readings) != len(o.Tasks) {
		return nil, fmt.Errorf("got %d readings of %d regions", len(readings), len(o.Tasks))
	}
	for i, r := range readings {
		if err := checkReading(r, o.Tasks[i]); err != nil {
			return nil, fmt.Errorf("region %d: %w", i, err)
		}
	}
	return readings, nil
}

func texts(readings []recognition.Reading) (all []string) {
	for _, r := range readings {
		all = append(all, r.Text)
	}
	return all
}

// wantTexts reads and compares with what was drawn, ignoring the letter case.
func wantTexts(t *testing.T, e recognition.Engine, o recognition.Order, want []string) {
	t.Helper()
	readings, err := recognize(t.Context(), e, o)
	check.OK(t, "Recognize", err)
	if got := texts(readings); !slices.EqualFunc(got, want, strings.EqualFold) {
		t.Errorf("got the texts %q, want %q", got, want)
	}
}

// EngineOrders is the part of the suite of recognition.Engine that holds whatever an engine makes of the pixels. The engine
// must have room for eight orders at once.
func EngineOrders(t *testing.T, open func(t *testing.T) recognition.Engine) {
	page, boxes := DrawLines(drawn...)
	file := PNG(page)

	t.Run("a reading for each region", func(t *testing.T) {
		e := open(t)
		for _, shape := range []recognition.Shape{recognition.ShapeAuto, recognition.ShapeBlock, recognition.ShapeLine} {
			_, err := recognize(t.Context(), e, order(file, tasksOf(boxes, shape)...))
			check.OK(t, fmt.Sprint("Recognize with shape ", shape), err)
		}
		many := order(file, tasksOf(slices.Repeat(boxes, 125), recognition.ShapeLine)...)
		if !check.Soak() {
			many.Tasks = many.Tasks[:60]
			for i := range many.Tasks {
				many.Tasks[i].Effort = recognition.EffortFast
			}
		}
		_, err := recognize(t.Context(), e, many)
		check.OK(t, "Recognize of many regions", err)
	})

	t.Run("the text layer of an image", func(t *testing.T) {
		e := open(t)
		page, boxes := DrawLines(drawn[0], drawn[1])
		o := order(PNG(page), tasksOf(boxes, recognition.ShapeLine)...)
		o.Tasks[0].Source = recognition.SourceText
		readings, err := e.Recognize(t.Context(), o)
		check.OK(t, "Recognize", err)
		if f := readings[0].Error; f == nil || f.Code != recognition.CodeNoText || f.Detail == "" || readings[0].Text != "" {
			t.Errorf("got %+v", readings[0])
		}
		if readings[1].Error != nil || readings[1].Source != recognition.SourceOCR {
			t.Errorf("got %+v", readings[1])
		}
	})
	t.Run("in the order of the regions", func(t *testing.T) {
		e := open(t)
		forth, err := recognize(t.Context(), e, order(file, tasksOf(boxes, recognition.ShapeLine)...))
		check.OK(t, "Recognize", err)
		turned := slices.Clone(boxes)
		slices.Reverse(turned)
		back, err := recognize(t.Context(), e, order(file, tasksOf(turned, recognition.ShapeLine)...))
		check.OK(t, "Recognize", err)
		slices.Reverse(back)
		same(t, "texts of the regions turned about", texts(back), texts(forth))
		for i, r := range forth {
			alone, err := recognize(t.Context(), e, order(file, task(boxes[i], recognition.ShapeLine)))
			check.OK(t, "Recognize of one", err)
			same(t, "text of the region alone", alone[0].Text, r.Text)
		}
	})

	t.Run("a page for a batch", func(t *testing.T) {
		o := order(file, tasksOf(boxes, recognition.ShapeLine)...)
		o.Batch = true
		_, err := recognize(t.Context(), open(t), o)
		check.OK(t, "Recognize", err)
	})

	t.Run("bytes that are no page", func(t *testing.T) {
		e := open(t)
		tiny := task(document.Box{X2: 5, Y2: 5}, recognition.ShapeLine)
		for what, file := range notImages() {
			_, err := e.Recognize(t.Context(), order(file, tiny))
			check.Kind(t, "Recognize of "+what, err, fault.Unsupported)
			_, err = e.Prepared(t.Context(), order(file, tiny))
			check.Kind(t, "Prepared of "+what, err, fault.Unsupported)
			_, err = e.Layout(t.Context(), PageOf(file), recognition.LevelLine)
			check.Kind(t, "Layout of "+what, err, fault.Unsupported)
		}
		_, err := e.Recognize(t.Context(), order(brokenPNG(), tiny))
		check.Kind(t, "Recognize of a broken PNG", err, fault.Unsupported)
		for what, file := range bombs() {
			_, err := e.Recognize(t.Context(), order(file, tiny))
			check.Kind(t, "Recognize of a pixel bomb as "+what, err, fault.TooLarge)
		}
		_, err = recognize(t.Context(), e, order(file, tasksOf(boxes, recognition.ShapeLine)...))
		check.OK(t, "Recognize afterwards", err)
	})

	t.Run("as the opening of the page says", func(t *testing.T) {
		e := open(t)
		for _, kind := range []fault.Kind{fault.NotFound, fault.Unavailable} {
			o := order(nil, tasksOf(boxes, recognition.ShapeLine)...)
			o.Page = OpenedBy([]byte(kind.String()), func(context.Context) (io.ReadCloser, error) {
				return nil, fault.New(kind, "no_page", "There is no page.")
			})
			_, err := e.Recognize(t.Context(), o)
			check.Kind(t, "Recognize", err, kind)
			_, err = e.Prepared(t.Context(), o)
			check.Kind(t, "Prepared", err, kind)
		}
	})

	t.Run("as the context says", func(t *testing.T) {
		e := open(t)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := e.Recognize(gone, order(file, tasksOf(boxes, recognition.ShapeLine)...))
		check.Kind(t, "Recognize for nobody", err, fault.Canceled)
		late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		_, err = e.Recognize(late, order(file, tasksOf(boxes, recognition.ShapeLine)...))
		check.Kind(t, "Recognize too late", err, fault.Deadline)
		_, err = recognize(t.Context(), e, order(file, tasksOf(boxes, recognition.ShapeLine)...))
		check.OK(t, "Recognize afterwards", err)
	})

	t.Run("many orders at once", func(t *testing.T) {
		e := open(t)
		allOK(t, "order", race(8, func(i int) error {
			page, boxes := DrawLines(fmt.Sprintf("Page number %d", 100+i), "and another line")
			o := order(PNG(page), tasksOf(boxes, recognition.ShapeLine)...)
			o.UserID = int64(i + 1)
			_, err := recognize(t.Context(), e, o)
			return err
		}))
	})

	t.Run("Prepared", func(t *testing.T) {
		e := open(t)
		whole := document.Box{X2: page.Bounds().Dx(), Y2: page.Bounds().Dy()}
		for _, b := range append(slivers(whole), append(boxes, whole)...) {
			r, err := e.Prepared(t.Context(), order(file, task(b, recognition.ShapeAuto)))
			check.OK(t, "Prepared", err)
			same(t, "media type", r.MediaType, "image/png")
			m, err := png.Decode(bytes.NewReader(r.Bytes))
			check.OK(t, "decoding what was prepared", err)
			if m.Bounds().Empty() {
				t.Errorf("got no pixel for %v", b)
			}
		}
	})

	t.Run("Languages", func(t *testing.T) {
		got, err := open(t).Languages(t.Context())
		check.OK(t, "Languages", err)
		if !slices.IsSorted(got) || !slices.Contains(got, "eng") {
			t.Errorf("got %v, want eng among them and all sorted", got)
		}
	})

	t.Run("Modes", func(t *testing.T) {
		e := open(t)
		modes := e.Modes()
		if modes[recognition.BestMode] == "" {
			t.Errorf("got the modes %v, want %d among them", modes, recognition.BestMode)
		}
		for mode, description := range modes {
			if description == "" {
				t.Errorf("mode %d has no description", mode)
			}
			if wrong := e.Check(mode, nil); len(wrong) > 0 {
				t.Errorf("Check of mode %d without languages: got %v", mode, wrong)
			}
		}
		if wrong := e.Check(recognition.BestMode, []string{"eng", "not installed"}); len(wrong) > 0 {
			t.Errorf("Check of the best mode: got %v", wrong)
		}
		for _, mode := range []recognition.Mode{-1, 99} {
			if wrong := e.Check(mode, []string{"eng"}); len(wrong) != 1 || wrong[0].Field != "oem" || wrong[0].Detail == "" {
				t.Errorf("Check of mode %d, which there is not: got %v", mode, wrong)
			}
		}
	})
}

// slivers are columns of a page, some of them through its letters, that are one or two pixels wide, and a row.
func slivers(page document.Box) []document.Box {
	all := []document.Box{{Y1: page.Y2 / 2, X2: page.X2, Y2: page.Y2/2 + 1}}
	for x := 0; x+2 <= page.X2; x += page.X2 / 15 {
		all = append(all, document.Box{X1: x, X2: x + 1 + x%2, Y2: page.Y2})
	}
	return all
}

// Engine is the whole suite of recognition.Engine, for engines that read. It must have eng and room for eight orders at once.
func Engine(t *testing.T, open func(t *testing.T) recognition.Engine) {
	EngineOrders(t, open)
	page, boxes := DrawLines(drawn...)
	whole := document.Box{X2: page.Bounds().Dx(), Y2: page.Bounds().Dy()}

	t.Run("the text of lines", func(t *testing.T) {
		e := open(t)
		for _, f := range formats {
			wantTexts(t, e, order(f.encode(page), tasksOf(boxes, recognition.ShapeAuto)...), drawn)
		}
		wantTexts(t, e, order(PNG(page), tasksOf(boxes, recognition.ShapeLine)...), drawn)
	})

	t.Run("the text of the page", func(t *testing.T) {
		e := open(t)
		for _, shape := range []recognition.Shape{recognition.ShapeAuto, recognition.ShapePage, recognition.ShapeBlock} {
			readings, err := recognize(t.Context(), e, order(PNG(page), task(whole, shape)))
			check.OK(t, "Recognize", err)
			got := strings.ToLower(strings.Join(strings.Fields(readings[0].Text), " "))
			same(t, fmt.Sprint("text with shape ", shape), got, strings.ToLower(strings.Join(drawn, " ")))
			if !strings.Contains(readings[0].Text, "\n") {
				t.Errorf("got the text %q in one line", readings[0].Text)
			}
		}
	})

	t.Run("words stand where they were drawn", func(t *testing.T) {
		readings, err := recognize(t.Context(), open(t), order(PNG(page), task(whole, recognition.ShapeBlock)))
		check.OK(t, "Recognize", err)
		for _, w := range readings[0].Words {
			line := slices.IndexFunc(drawn, func(l string) bool {
				return slices.ContainsFunc(strings.Fields(l), func(s string) bool {
					return strings.EqualFold(s, w.Text) &&
						!strings.EqualFold(s, "the")
				})
			})
			if line >= 0 && w.Box.Intersect(boxes[line]).Empty() {
				t.Errorf("%q stands at %v, want it in line %d at %v", w.Text, w.Box, line, boxes[line])
			}
		}
		readings, err = recognize(t.Context(), open(t), order(PNG(page), task(boxes[0], recognition.ShapeLine)))
		check.OK(t, "Recognize", err)
		for i := 1; i < len(readings[0].Words); i++ {
			if a, b := readings[0].Words[i-1], readings[0].Words[i]; a.Box.X1 >= b.Box.X1 {
				t.Errorf("%q at %v stands left of %q at %v", b.Text, b.Box, a.Text, a.Box)
			}
		}
	})

	t.Run("the layout of a page", func(t *testing.T) {
		e := open(t)
		words := 0
		for _, l := range drawn {
			words += len(strings.Fields(l))
		}
		for level, want := range map[recognition.Level]int{recognition.LevelLine: len(drawn), recognition.LevelWord: words} {
			got, err := e.Layout(t.Context(), PageOf(PNG(page)), level)
			check.OK(t, "Layout", err)
			if len(got) != want {
				t.Errorf("got %d boxes of a %s, want %d", len(got), level, want)
			}
			for i, suggestion := range got {
				b := suggestion.Box
				if suggestion.Rotation != 0 {
					t.Errorf("the upright text at %v is said to be turned by %d", b, suggestion.Rotation)
				}
				if b.Empty() || b.Intersect(whole) != b {
					t.Errorf("the box %v is not on the page %v", b, whole)
				}
				if level == recognition.LevelLine && i < len(boxes) && b.Intersect(boxes[i]).Empty() {
					t.Errorf("line %d was found at %v, want it at %v", i, b, boxes[i])
				}
			}
		}
		got, err := e.Layout(t.Context(), PageOf(PNG(page)), recognition.LevelBlock)
		check.OK(t, "Layout", err)
		if len(got) == 0 {
			t.Error("no block was found")
		}
		blank, _ := DrawLines("", "")
		got, err = e.Layout(t.Context(), PageOf(PNG(blank)), recognition.LevelLine)
		check.OK(t, "Layout of white paper", err)
		if len(got) != 0 {
			t.Errorf("got the lines %v on white paper", got)
		}
	})

	t.Run("white paper", func(t *testing.T) {
		page, boxes := DrawLines("Above the gap", "", "Below the gap")
		wantTexts(t, open(t), order(PNG(page), tasksOf(boxes, recognition.ShapeAuto)...), []string{"Above the gap", "", "Below the gap"})
	})

	t.Run("regions in which nothing can stand cost the others nothing", func(t *testing.T) {
		odd := append(slivers(whole), document.Box{X2: 1, Y2: 1})
		o := order(PNG(page), append(tasksOf(odd, recognition.ShapeAuto), tasksOf(boxes, recognition.ShapeLine)...)...)
		readings, err := open(t).Recognize(t.Context(), o)
		check.OK(t, "Recognize", err)
		for i, r := range readings[:len(odd)] {
			if r.Error != nil {
				t.Errorf("%v could not be read: %v", odd[i], r.Error)
			}
		}
		if got := texts(readings[len(odd):]); !slices.EqualFunc(got, drawn, strings.EqualFold) {
			t.Errorf("got the texts %q, want %q", got, drawn)
		}
	})

	t.Run("light on dark", func(t *testing.T) {
		m := image.NewGray(page.Bounds())
		for i, shade := range page.(*image.Gray).Pix {
			m.Pix[i] = 255 - shade
		}
		wantTexts(t, open(t), order(PNG(m), tasksOf(boxes, recognition.ShapeLine)...), drawn)
	})

	t.Run("dark on transparent", func(t *testing.T) {
		m := image.NewNRGBA(page.Bounds())
		for y := range whole.Y2 {
			for x := range whole.X2 {
				m.SetNRGBA(x, y, color.NRGBA{A: 255 - page.(*image.Gray).GrayAt(x, y).Y})
			}
		}
		wantTexts(t, open(t), order(PNG(m), tasksOf(boxes, recognition.ShapeLine)...), drawn)
	})

	t.Run("regions of the upright page", func(t *testing.T) {
		e := open(t)
		for orientation := 1; orientation <= 8; orientation++ {
			wantTexts(t, e, order(OrientedJPEG(page, orientation), tasksOf(boxes, recognition.ShapeLine)...), drawn)
		}
	})

	t.Run("the first page of several", func(t *testing.T) {
		other, _ := DrawLines("quite another text")
		wantTexts(t, open(t), order(MultiPageTIFF(page, other), tasksOf(boxes, recognition.ShapeLine)...), drawn)
	})

	t.Run("only the characters asked for", func(t *testing.T) {
		tasks := tasksOf(boxes, recognition.ShapeLine)
		for i := range tasks {
			tasks[i].Charset = "0123456789"
		}
		readings, err := recognize(t.Context(), open(t), order(PNG(page), tasks...))
		check.OK(t, "Recognize", err)
		for i, r := range readings {
			if strings.ContainsFunc(r.Text, func(c rune) bool { return !unicode.IsSpace(c) && (c < '0' || c > '9') }) {
				t.Errorf("got %q of line %d, want digits only", r.Text, i)
			}
		}
		page, boxes := DrawLines("4187 365 2026")
		digits := task(boxes[0], recognition.ShapeLine)
		digits.Charset = "0123456789"
		wantTexts(t, open(t), order(PNG(page), digits), []string{"4187 365 2026"})
	})

	t.Run("what is prepared shows the region only", func(t *testing.T) {
		m := image.NewGray(image.Rect(0, 0, 400, 300))
		draw.Draw(m, image.Rect(0, 0, 400, 100), image.White, image.Point{}, draw.Src)
		r, err := open(t).Prepared(t.Context(), order(PNG(m), task(document.Box{X1: 50, Y1: 20, X2: 350, Y2: 80}, recognition.ShapeLine)))
		check.OK(t, "Prepared", err)
		got, err := png.Decode(bytes.NewReader(r.Bytes))
		check.OK(t, "decoding what was prepared", err)
		check.OK(t, "what was prepared", checkWhite(got))
	})

	t.Run("pages at once are not mixed up", func(t *testing.T) {
		e := open(t)
		words := []string{"apple orchard", "silver bridge", "winter garden", "yellow window", "simple answer", "copper kettle"}
		allOK(t, "page", race(len(words), func(i int) error {
			page, boxes := DrawLines(words[i])
			readings, err := recognize(t.Context(), e, order(PNG(page), tasksOf(boxes, recognition.ShapeLine)...))
			if err == nil && !strings.EqualFold(readings[0].Text, words[i]) {
				err = errors.New("got " + readings[0].Text + ", want " + words[i])
			}
			return err
		}))
	})
}

func checkWhite(m image.Image) error {
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			if shade := color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y; shade < 200 {
				return fmt.Errorf("the pixel at %d, %d has the shade %d, want white", x, y, shade)
			}
		}
	}
	return nil
}

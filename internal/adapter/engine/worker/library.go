package worker

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"glyphbox/internal/adapter/engine/onnx"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// library is what one worker process holds: models and decoded pages, each bounded.
type library struct {
	engine     string // name and version of what reads
	tessdata   string
	layoutLang []string // of the model that lays pages out, which is the same for all languages
	models     lru[*model]
	pages      lru[decodedPage]
	pageBytes  int64        // of all pages held
	second     *onnx.Models // nil for none
}

const (
	maxModels    = 4
	maxPageBytes = 256 << 20 // decoded; the page in use is always held
)

func (l *library) model(task recognition.Task) (*model, error) {
	key := fmt.Sprintf("%s/%d", langOrder(task.Lang), task.Mode)
	if m, ok := l.models.get(key); ok {
		return m, nil
	}
	m, err := loadModel(l.tessdata, langOrder(task.Lang), task.Mode)
	if err != nil {
		return nil, err
	}
	l.models.put(key, m)
	for l.models.len() > maxModels {
		l.models.dropOldest().close()
	}
	return m, nil
}

func (l *library) page(sha256 string) (decodedPage, bool) { return l.pages.get(sha256) }

func (l *library) hold(sha256 string, p decodedPage) {
	l.pages.put(sha256, p)
	l.pageBytes += p.bytes()
	for l.pages.len() > 1 && l.pageBytes > maxPageBytes {
		old := l.pages.dropOldest()
		l.pageBytes -= old.bytes()
		old.close()
	}
}

// layout finds the text on a page, without reading it, in the order in which it would be read.
func (l *library) layout(page decodedPage, level recognition.Level) ([]document.Box, error) {
	task := recognition.Task{Box: page.bounds(), Lang: l.layoutLang, Shape: recognition.ShapePage, Mode: recognition.BestMode}
	m, err := l.model(task)
	if err != nil {
		return nil, err
	}
	s, err := look(page, task, 0)
	if err != nil || s.blank {
		s.close()
		return nil, err
	}
	defer s.close()
	v := s.views()[0]
	image, err := s.prepare(v)
	if err != nil {
		return nil, err
	}
	defer image.close()
	return m.layout(image, level, func(x1, y1, x2, y2 int) document.Box {
		return boxToPage(x1, y1, x2, y2, s.box, task.Box, v.scale, borderWidth)
	}), nil
}

// prepareFirst shows what the first look at a region is at.
func prepareFirst(page decodedPage, task recognition.Task) (document.Rendition, error) {
	s, err := look(page, task, 0)
	if err != nil {
		return document.Rendition{}, err
	}
	defer s.close()
	image, err := s.prepare(s.views()[0])
	if err != nil {
		return document.Rendition{}, err
	}
	defer image.close()
	return image.encode(true)
}

// read reads one region of a page.
func (l *library) read(page decodedPage, task recognition.Task) (recognition.Reading, error) {
	began := time.Now()
	m, err := l.model(task)
	if err != nil {
		return recognition.Reading{}, err
	}
	defer m.forget()
	m.set("tessedit_do_invert", "0") // regions are dark on light already
	s, err := look(page, task, 0)
	if err != nil {
		return recognition.Reading{}, err
	}
	defer s.close()
	best := recognition.Reading{Shape: s.modes[0], Scale: 1}
	if !s.blank {
		if best, err = m.readScene(s); err != nil {
			return best, err
		}
		if best.Confidence < lost && s.speckled() {
			if best, err = m.readSmoothed(page, best, task); err != nil {
				return best, err
			}
		}
	}
	best.Lang, best.Engine = splitOrder(langOrder(task.Lang)), l.engine
	for i := range best.Words {
		best.Words[i].Engine = l.engine
	}
	best.Duration = time.Since(began)
	return best, nil
}

// lost is the confidence below which a reading is not one.
const lost = 0.5

// readSmoothed reads a region through its halftone or noise, and returns that reading where it is a surer one.
func (m *model) readSmoothed(page decodedPage, before recognition.Reading, task recognition.Task) (recognition.Reading, error) {
	s, err := look(page, task, 2)
	if err != nil || s.blank {
		s.close()
		return before, err
	}
	defer s.close()
	m.set("tessedit_do_invert", "1") // which of the shades is the ink is less clear in a blur
	after, err := m.readScene(s)
	if err != nil || after.Confidence <= before.Confidence {
		return before, err
	}
	after.Passes += before.Passes
	return after, nil
}

// readScene looks at a region until it is sure of it, and takes the reading that it is surest of.
func (m *model) readScene(s scene) (recognition.Reading, error) {
	views := s.views()
	best, err := m.readView(s, views[0], s.task.Charset)
	passes := 1
	var agreement *float64
	for i, v := range views[1:] {
		if err != nil || best.Confidence >= unsure[i] {
			break
		}
		if v == views[0] {
			continue
		}
		var next recognition.Reading
		next, err = m.readView(s, v, s.task.Charset)
		passes++
		if agreement == nil {
			same := recognition.Agreement(best.Text, next.Text)
			agreement = &same
		}
		// A confident reading of half the region is no better than an unsure one of all of it.
		if next.Confidence > best.Confidence && 4*letters(next.Text) >= 3*letters(best.Text) {
			best = next
		}
	}
	for _, psm := range s.modes[1:] {
		if err != nil || best.Text != "" {
			break
		}
		best, err = m.readView(s, view{psm, views[0].scale, false}, s.task.Charset)
		passes++
	}
	if err == nil && best.Text == "" && s.task.Charset != "" { // a whitelist can empty a word that is all of its characters
		var free recognition.Reading
		free, err = m.readView(s, views[0], "")
		passes++
		if onlyOf(free.Text, s.task.Charset) {
			best = free
		}
	}
	best.Passes, best.Agreement = passes, agreement
	return best, err
}

// readView reads a region once.
func (m *model) readView(s scene, v view, charset string) (recognition.Reading, error) {
	r := recognition.Reading{Scale: v.scale, Shape: v.psm}
	image, err := s.prepare(v)
	if err != nil {
		return r, err
	}
	defer image.close()
	text, pieces, err := m.read(image, v.psm, charset, assumedDPI)
	if err != nil {
		return r, err
	}
	r.Text, r.Words = compose(text, pieces, func(q piece) document.Box {
		return boxToPage(q.x1, q.y1, q.x2, q.y2, s.box, s.task.Box, v.scale, borderWidth)
	})
	r.Confidence = meanConfidence(r.Words)
	return r, nil
}

func onlyOf(text, charset string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsSpace(c) && !strings.ContainsRune(charset, c) })
}

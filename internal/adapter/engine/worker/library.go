package worker

import (
	"fmt"

	"glyphbox/internal/adapter/engine/read"
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
	pageBytes  int64         // of all pages held
	second     *secondModels // nil for none
	progress   func() error  // tells the pool that a line of the region at work is read
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
	m, err := l.model(recognition.Task{Box: page.bounds(), Lang: l.layoutLang, Mode: recognition.BestMode})
	if err != nil {
		return nil, err
	}
	sheet, scale, found, err := read.Sheet(pixels{page}, page.bounds())
	if err != nil || !found {
		return nil, err
	}
	image, err := pixOf(sheet)
	if err != nil {
		return nil, err
	}
	defer image.close()
	return m.layout(image, level, func(x1, y1, x2, y2 int) document.Box {
		at := func(v int) int { return int(float64(v)/scale + 0.5) }
		return document.Box{X1: at(x1), Y1: at(y1), X2: max(at(x2), at(x1)+1), Y2: max(at(y2), at(y1)+1)}.Intersect(page.bounds())
	}), nil
}

// prepareFirst shows what the first look at a region is at.
func prepareFirst(page decodedPage, task recognition.Task) (document.Rendition, error) {
	prepared, err := read.Prepared(pixels{page}, task)
	if err != nil {
		return document.Rendition{}, err
	}
	image, err := pixOf(prepared)
	if err != nil {
		return document.Rendition{}, err
	}
	defer image.close()
	return image.encode(true)
}

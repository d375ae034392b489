package worker

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"

	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/adapter/engine/traineddata"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// library is what one worker process holds: models and decoded pages, each bounded.
type library struct {
	engine     string // name and version of what reads
	tessdata   string
	layoutLang []string // of the model that lays pages out, which is the same for all languages
	models     lru[*model]
	words      map[string]*traineddata.Words // by language
	pages      lru[decodedPage]
	pageBytes  int64         // of all pages held
	shapes     *model        // tells scripts apart; nil until it is first asked
	second     *secondModels // nil for none
	heif       *heifDecoder  // nil for none
	progress   func() error  // tells the pool that a line of the region at work is read
}

const (
	maxModels    = 8        // more than one region needs: its languages, three scripts, each of them with Latin letters, too
	maxPageBytes = 64 << 20 // decoded; the page in use is always held
	heapBytes    = 48 << 20 // that Go may take, besides as much as the pages have, before it collects at once
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

// known tells whether a word is in the list of words of one of the languages. Those without a list that can be read have no words.
func (l *library) known(word string, lang []string) bool {
	return slices.ContainsFunc(lang, func(code string) bool {
		words, ok := l.words[code]
		if !ok {
			words, _ = traineddata.ReadWords(filepath.Join(l.tessdata, code+traineddata.Suffix))
			l.words[code] = words
		}
		return words.Has(word)
	})
}

func (l *library) page(sha256 string) (decodedPage, bool) { return l.pages.get(sha256) }

// hold keeps a page for later jobs and drops old ones. It returns to the system what malloc and Go have freed since the last page, which
// would add up over pages of many sizes.
func (l *library) hold(sha256 string, p decodedPage) {
	l.pages.put(sha256, p)
	l.pageBytes += p.bytes()
	for l.pages.len() > 1 && l.pageBytes > maxPageBytes {
		old := l.pages.dropOldest()
		l.pageBytes -= old.bytes()
		old.close()
	}
	debug.SetMemoryLimit(heapBytes + l.pageBytes)
	trim()
}

// layout finds the text on a page in the order in which it would be read. It reads only as much as shows how the text is turned.
func (l *library) layout(page decodedPage, level recognition.Level) ([]recognition.Suggestion, error) {
	m, err := l.model(recognition.Task{Box: page.bounds(), Lang: l.layoutLang, Mode: recognition.BestMode})
	if err != nil {
		return nil, err
	}
	defer m.forget()
	r := read.Reader{Engine: recogniser{m, l.engine}, Progress: l.progress}
	if l.second != nil {
		r.Detector = l.second.detector
	}
	return r.Suggest(pixels{page}, level, l.layoutLang, m.layout)
}

// prepareFirst returns the image that the first look at a region reads.
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

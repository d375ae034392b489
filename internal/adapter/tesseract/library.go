package tesseract

// #include <stdlib.h>
// #include <leptonica/allheaders.h>
// #include <tesseract/capi.h>
import "C"

import (
	"fmt"
	"time"
	"unsafe"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// libraryVersion is that of libtesseract, "5.3.0".
func libraryVersion() string { return C.GoString(C.TessVersion()) }

// model is one loaded set of traineddata. It is used by one goroutine at a time, in worker processes only.
type model struct{ api *C.TessBaseAPI }

// loadModel loads traineddata ("kor+eng") from a folder.
func loadModel(tessdata, lang string, oem recognition.OEM) (*model, error) {
	m := &model{C.TessBaseAPICreate()}
	path, code := C.CString(tessdata), C.CString(lang)
	defer C.free(unsafe.Pointer(path))
	defer C.free(unsafe.Pointer(code))
	if C.TessBaseAPIInit2(m.api, path, code, C.TessOcrEngineMode(oem)) != 0 {
		m.close()
		return nil, fault.New(fault.Unavailable, recognition.CodeFailed, "The traineddata of %s could not be loaded for engine mode %d.", lang, oem)
	}
	return m, nil
}

func (m *model) close() {
	C.TessBaseAPIEnd(m.api)
	C.TessBaseAPIDelete(m.api)
}

func (m *model) set(name, value string) {
	n, v := C.CString(name), C.CString(value)
	C.TessBaseAPISetVariable(m.api, n, v)
	C.free(unsafe.Pointer(n))
	C.free(unsafe.Pointer(v))
}

// piece is what the library's word iterator gives: a word, or for Hangul often a part of one.
type piece struct {
	text           string
	x1, y1, x2, y2 int // pixels of the prepared region
	confidence     float64
}

// read recognises an 8-bit image of that resolution.
func (m *model) read(p *pix, psm recognition.PSM, charset string, dpi int) (text string, pieces []piece, err error) {
	if charset != "" {
		charset += " " // else words run into one another
	}
	m.set("tessedit_char_whitelist", charset)
	C.TessBaseAPISetPageSegMode(m.api, C.TessPageSegMode(psm))
	C.TessBaseAPISetImage2(m.api, p.p)
	C.TessBaseAPISetSourceResolution(m.api, C.int(dpi))
	defer C.TessBaseAPIClear(m.api)
	if C.TessBaseAPIRecognize(m.api, nil) != 0 {
		return "", nil, fault.New(fault.Unavailable, recognition.CodeFailed, "The engine gave the region up.")
	}
	if s := C.TessBaseAPIGetUTF8Text(m.api); s != nil {
		text = C.GoString(s)
		C.TessDeleteText(s)
	}
	it := C.TessBaseAPIGetIterator(m.api)
	if it == nil {
		return text, nil, nil
	}
	defer C.TessResultIteratorDelete(it)
	place := C.TessResultIteratorGetPageIterator(it)
	for more := true; more; more = C.TessResultIteratorNext(it, C.RIL_WORD) != 0 {
		s := C.TessResultIteratorGetUTF8Text(it, C.RIL_WORD)
		if s == nil {
			continue
		}
		w := piece{text: C.GoString(s), confidence: float64(C.TessResultIteratorConfidence(it, C.RIL_WORD)) / 100}
		C.TessDeleteText(s)
		var x1, y1, x2, y2 C.int
		C.TessPageIteratorBoundingBox(place, C.RIL_WORD, &x1, &y1, &x2, &y2)
		w.x1, w.y1, w.x2, w.y2 = int(x1), int(y1), int(x2), int(y2)
		pieces = append(pieces, w)
	}
	return text, pieces, nil
}

// forget drops what the library learnt from earlier regions, so that the same region always reads the same.
func (m *model) forget() { C.TessBaseAPIClearAdaptiveClassifier(m.api) }

// library is what one worker process holds: models and decoded pages, each bounded.
type library struct {
	tessdata  string
	models    lru[*model]
	pages     lru[*pix]
	pageBytes int64 // of all pages held
}

const (
	maxModels    = 4
	maxPageBytes = 256 << 20 // decoded; the page in use is always held
)

func (l *library) model(task recognition.Task) (*model, error) {
	key := fmt.Sprintf("%s/%d", langOrder(task.Lang), task.OEM)
	if m, ok := l.models.get(key); ok {
		return m, nil
	}
	m, err := loadModel(l.tessdata, langOrder(task.Lang), task.OEM)
	if err != nil {
		return nil, err
	}
	l.models.put(key, m)
	for l.models.len() > maxModels {
		l.models.dropOldest().close()
	}
	return m, nil
}

func (l *library) page(sha256 string) (*pix, bool) { return l.pages.get(sha256) }

func (l *library) hold(sha256 string, p *pix) {
	l.pages.put(sha256, p)
	l.pageBytes += p.bytes()
	for l.pages.len() > 1 && l.pageBytes > maxPageBytes {
		old := l.pages.dropOldest()
		l.pageBytes -= old.bytes()
		old.close()
	}
}

// read reads one region of a page.
func (l *library) read(page *pix, task recognition.Task) (recognition.Reading, error) {
	began := time.Now()
	m, err := l.model(task)
	if err != nil {
		return recognition.Reading{}, err
	}
	defer m.forget()
	prepared, err := prepare(page, task)
	if err != nil {
		return recognition.Reading{}, err
	}
	defer prepared.image.close()
	r := recognition.Reading{Lang: splitOrder(langOrder(task.Lang)), Engine: "tesseract " + libraryVersion(), Scale: prepared.scale, PSM: prepared.modes[0]}
	if prepared.blank {
		r.Duration = time.Since(began)
		return r, nil
	}
	for _, psm := range prepared.modes {
		text, pieces, err := m.read(prepared.image, psm, task.Charset, prepared.dpi)
		if err != nil {
			return recognition.Reading{}, err
		}
		r.Passes++
		r.PSM = psm
		r.Text, r.Words = compose(text, pieces, func(p piece) document.Box {
			return boxToPage(p.x1, p.y1, p.x2, p.y2, task.Box, prepared.scale, prepared.border)
		})
		if r.Text != "" {
			break
		}
	}
	r.Confidence = meanConfidence(r.Words)
	r.Duration = time.Since(began)
	return r, nil
}

package worker

// #include <stdlib.h>
// #include <leptonica/allheaders.h>
// #include <tesseract/capi.h>
import "C"

import (
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
func loadModel(tessdata, lang string, mode recognition.Mode) (*model, error) {
	m := &model{C.TessBaseAPICreate()}
	path, code := C.CString(tessdata), C.CString(lang)
	defer C.free(unsafe.Pointer(path))
	defer C.free(unsafe.Pointer(code))
	if C.TessBaseAPIInit2(m.api, path, code, C.TessOcrEngineMode(mode)) != 0 {
		m.close()
		return nil, fault.New(fault.Unavailable, recognition.CodeFailed, "The traineddata of %s could not be loaded for engine mode %d.", lang, mode)
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
func (m *model) read(p *pix, psm recognition.Shape, charset string, dpi int) (text string, pieces []piece, err error) {
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

// levels are the iterator levels of the library.
var levels = map[recognition.Level]C.TessPageIteratorLevel{
	recognition.LevelBlock: C.RIL_BLOCK, recognition.LevelLine: C.RIL_TEXTLINE, recognition.LevelWord: C.RIL_WORD,
}

// layout segments an 8-bit image without recognising it and returns the boxes of what is text.
func (m *model) layout(p *pix, level recognition.Level, box func(x1, y1, x2, y2 int) document.Box) (boxes []document.Box) {
	C.TessBaseAPISetPageSegMode(m.api, C.PSM_AUTO)
	C.TessBaseAPISetImage2(m.api, p.p)
	C.TessBaseAPISetSourceResolution(m.api, assumedDPI)
	defer C.TessBaseAPIClear(m.api)
	it := C.TessBaseAPIAnalyseLayout(m.api)
	if it == nil {
		return nil // there is nothing on the page
	}
	defer C.TessPageIteratorDelete(it)
	for more := true; more; more = C.TessPageIteratorNext(it, levels[level]) != 0 {
		if kind := C.TessPageIteratorBlockType(it); kind < C.PT_FLOWING_TEXT || kind > C.PT_CAPTION_TEXT {
			continue // pictures, rules, noise
		}
		var x1, y1, x2, y2 C.int
		if C.TessPageIteratorBoundingBox(it, levels[level], &x1, &y1, &x2, &y2) != 0 {
			boxes = append(boxes, box(int(x1), int(y1), int(x2), int(y2)))
		}
	}
	return boxes
}

// forget drops what the library learnt from earlier regions, so that the same region always reads the same.
func (m *model) forget() { C.TessBaseAPIClearAdaptiveClassifier(m.api) }

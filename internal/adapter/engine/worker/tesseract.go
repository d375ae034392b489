package worker

// #include <stdlib.h>
// #include <leptonica/allheaders.h>
// #include <tesseract/capi.h>
import "C"

import (
	"cmp"
	"slices"
	"strings"
	"unsafe"

	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// libraryVersion is that of libtesseract, "5.3.0".
func libraryVersion() string { return C.GoString(C.TessVersion()) }

// model is one loaded set of traineddata. It is used by one goroutine at a time, in worker processes only.
type model struct {
	api    *C.TessBaseAPI
	learns bool // from what it reads, as the engine before the networks does
}

// loadModel loads traineddata ("kor+eng") from a folder.
func loadModel(tessdata, lang string, mode recognition.Mode) (*model, error) {
	m := &model{api: C.TessBaseAPICreate()}
	path, code := C.CString(tessdata), C.CString(lang)
	defer C.free(unsafe.Pointer(path))
	defer C.free(unsafe.Pointer(code))
	if C.TessBaseAPIInit2(m.api, path, code, C.TessOcrEngineMode(mode)) != 0 {
		m.close()
		return nil, fault.New(fault.Unavailable, recognition.CodeFailed,
			"The traineddata of %s could not be loaded for engine mode %d.", lang, mode)
	}
	m.learns = m.number("tessedit_ocr_engine_mode") != C.OEM_LSTM_ONLY
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

// number is the value of a variable of the library.
func (m *model) number(name string) (value C.int) {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	C.TessBaseAPIGetIntVariable(m.api, n, &value)
	return value
}

// levels are the iterator levels of the library.
var levels = map[recognition.Level]C.TessPageIteratorLevel{
	recognition.LevelBlock: C.RIL_BLOCK, recognition.LevelLine: C.RIL_TEXTLINE, recognition.LevelWord: C.RIL_WORD,
}

// layout segments an image without recognising it and returns the boxes of what is text. It is a read.Segmenter.
func (m *model) layout(sheet read.Gray, level recognition.Level) (boxes []document.Box, err error) {
	p, err := pixOf(sheet)
	if err != nil {
		return nil, err
	}
	defer p.close()
	C.TessBaseAPISetPageSegMode(m.api, C.PSM_AUTO)
	C.TessBaseAPISetImage2(m.api, p.p)
	C.TessBaseAPISetSourceResolution(m.api, assumedDPI)
	defer C.TessBaseAPIClear(m.api)
	it := C.TessBaseAPIAnalyseLayout(m.api)
	if it == nil {
		return nil, nil // there is nothing on the page
	}
	defer C.TessPageIteratorDelete(it)
	for more := true; more; more = C.TessPageIteratorNext(it, levels[level]) != 0 {
		if kind := C.TessPageIteratorBlockType(it); kind < C.PT_FLOWING_TEXT || kind > C.PT_CAPTION_TEXT {
			continue // pictures, rules, noise
		}
		var x1, y1, x2, y2 C.int
		if C.TessPageIteratorBoundingBox(it, levels[level], &x1, &y1, &x2, &y2) != 0 {
			boxes = append(boxes, document.Box{X1: int(x1), Y1: int(y1), X2: int(x2), Y2: int(y2)})
		}
	}
	return boxes, nil
}

// forget drops what the library learnt from earlier regions, so that the same region always reads the same. It does nothing for networks,
// which learn nothing, since it takes as long as reading a word.
func (m *model) forget() {
	if m.learns {
		C.TessBaseAPIClearAdaptiveClassifier(m.api)
	}
}

// langOrder puts languages into the order that reads best, since the first one leads: other scripts before Latin ones, English last.
func langOrder(lang []string) string {
	rank := func(code string) int {
		switch {
		case code == "eng":
			return 2
		case read.OtherScript(code):
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

// assumedDPI is the resolution that the engine is told.
const assumedDPI = 300

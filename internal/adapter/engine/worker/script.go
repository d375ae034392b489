package worker

// #include <stdlib.h>
// #include <leptonica/allheaders.h>
// #include <tesseract/capi.h>
import "C"

import (
	"os"
	"path/filepath"

	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/domain/recognition"
)

// surelyScript is the confidence of the library from which it is believed about a script.
const surelyScript = 0.1

// scriptNames are the library's names of scripts that read.Tongue has other ones for.
var scriptNames = map[string]string{"Korean": "Hangul", "Katakana": "Japanese", "Hiragana": "Japanese", "Fraktur": "Latin"}

// script guesses which script an image is written in, by the shape of the letters; see read.Reader. It needs osd.traineddata, with
// several dozen letters.
func (l *library) script(g read.Gray) string {
	if l.shapes == nil {
		if _, err := os.Stat(filepath.Join(l.tessdata, "osd.traineddata")); err != nil {
			return ""
		}
		m, err := loadModel(l.tessdata, "osd", recognition.Mode(C.OEM_TESSERACT_ONLY))
		if err != nil {
			return ""
		}
		l.shapes = m
	}
	p, err := pixOf(g)
	if err != nil {
		return ""
	}
	defer p.close()
	C.pixSetResolution(p.p, assumedDPI, assumedDPI)
	C.TessBaseAPISetPageSegMode(l.shapes.api, C.PSM_OSD_ONLY)
	C.TessBaseAPISetImage2(l.shapes.api, p.p)
	C.TessBaseAPISetSourceResolution(l.shapes.api, assumedDPI)
	defer C.TessBaseAPIClear(l.shapes.api)
	var degrees C.int
	var sure, sureScript C.float
	var name *C.char
	found := C.TessBaseAPIDetectOrientationScript(l.shapes.api, &degrees, &sure, &name, &sureScript) != 0
	if !found || name == nil || sureScript < surelyScript {
		return ""
	}
	script := C.GoString(name)
	if ours, ok := scriptNames[script]; ok {
		return ours
	}
	return script
}

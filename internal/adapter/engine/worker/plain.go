package worker

// #include <leptonica/allheaders.h>
// #include <tesseract/capi.h>
import "C"

import (
	"strings"
	"time"
	"unsafe"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// The plain loop is what recognition is measured against: the library is kept loaded and called once for each region, after the usual
// preparation. It shares no code with the engine's preparation, so that it stays the same, and the library works as in other programs.
const (
	plainLine   = 40 // pixels that a line is scaled to
	plainBorder = 10 // pixels around the region
	plainDPI    = 300
)

func (l *library) plain(page decodedPage, task recognition.Task) (recognition.Reading, error) {
	m, err := l.model(task)
	if err != nil {
		return recognition.Reading{}, err
	}
	m.set("tessedit_char_whitelist", task.Charset)
	m.set("tessedit_do_invert", "1")
	r := recognition.Reading{Lang: splitOrder(langOrder(task.Lang)), Engine: l.engine, Shape: task.Shape, Scale: 1, Passes: 1}
	defer compressLineImages()()
	began := time.Now()
	image, err := cut(page, task.Box)
	if err != nil {
		return recognition.Reading{}, err
	}
	defer image.close()
	shade := edgeShade(image)
	if task.Shape == recognition.ShapeLine {
		r.Scale = float64(plainLine) / float64(task.Height())
		factor := C.l_float32(r.Scale)
		if err := image.then("pixScale", C.pixScale(image.p, factor, factor)); err != nil {
			return recognition.Reading{}, err
		}
	}
	if err := image.then("pixAddBorder", C.pixAddBorder(image.p, plainBorder, C.l_uint32(shade))); err != nil {
		return recognition.Reading{}, err
	}
	C.TessBaseAPISetPageSegMode(m.api, C.TessPageSegMode(task.Shape))
	C.TessBaseAPISetImage2(m.api, image.p)
	C.TessBaseAPISetSourceResolution(m.api, plainDPI)
	text := C.TessBaseAPIGetUTF8Text(m.api) // recognises
	if text != nil {
		r.Text = strings.TrimSpace(C.GoString(text))
		C.TessDeleteText(text)
	}
	C.TessBaseAPIClear(m.api)
	r.Duration = time.Since(began)
	if text == nil {
		return recognition.Reading{}, fault.New(fault.Unavailable, recognition.CodeFailed, "The engine could not read the region.")
	}
	return r, nil
}

// cut returns a box of the page in 8 bits.
func cut(page decodedPage, b document.Box) (*pix, error) {
	image, err := page.cut(b)
	if err != nil {
		return nil, err
	}
	if err := image.then("pixConvertTo8", C.pixConvertTo8(image.p, 0)); err != nil {
		image.close()
		return nil, err
	}
	return image, nil
}

// edgeShade is the median shade of the outermost pixels of an 8-bit image. Four pixels share a word, the leftmost on top.
func edgeShade(image *pix) int {
	width, height, wordsPerRow := image.width(), image.height(), int(C.pixGetWpl(image.p))
	words := unsafe.Slice((*uint32)(C.pixGetData(image.p)), wordsPerRow*height)
	var counts [256]int
	count := func(x, y int) { counts[words[y*wordsPerRow+x/4]>>(24-x%4*8)&0xff]++ }
	for x := range width {
		count(x, 0)
		count(x, height-1)
	}
	for y := range height {
		count(0, y)
		count(width-1, y)
	}
	total, below := 2*(width+height), 0
	for v, n := range counts {
		if below += n; 2*below >= total {
			return v
		}
	}
	return 255
}

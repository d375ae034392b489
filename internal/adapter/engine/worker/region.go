package worker

// #include <leptonica/allheaders.h>
// #include <tesseract/capi.h>
import "C"

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
	"unsafe"

	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// read reads one region of a page.
func (l *library) read(page decodedPage, job protocol.Job) (recognition.Reading, error) {
	began := time.Now()
	task := job.Task
	r := read.Reader{Progress: l.progress, Tongues: job.Tongues, Script: l.script, Known: l.known, Facings: page.facings}
	var used []*model
	defer func() {
		for _, m := range used {
			m.forget()
		}
	}()
	r.In = func(lang []string) (read.Engine, error) {
		m, err := l.model(recognition.Task{Lang: lang, Mode: task.Mode})
		if err == nil && !slices.Contains(used, m) {
			used = append(used, m)
		}
		return recogniser{m, l.engine}, err
	}
	if !slices.Contains(task.Lang, recognition.AutoLang) {
		var err error
		if r.Engine, err = r.In(task.Lang); err != nil {
			return recognition.Reading{}, err
		}
	}
	if l.second != nil {
		r.Detector = l.second.detector
		for _, s := range l.second.recognisers {
			r.Second = append(r.Second, s)
		}
	}
	reading, err := r.Read(pixels{page}, task)
	if len(reading.Lang) == 0 {
		reading.Lang = task.Lang
	}
	reading.Lang = splitOrder(langOrder(reading.Lang))
	reading.Engine = engines(reading.Words, l.engine)
	reading.Duration = time.Since(began)
	return reading, err
}

// engines names the engines that gave words, joined by ", ", or first if none did.
func engines(words []recognition.Word, first string) string {
	var names []string
	for _, w := range words {
		if !slices.Contains(names, w.Engine) {
			names = append(names, w.Engine)
		}
	}
	if len(names) == 0 {
		return first
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// pixels lets a decoded page be looked at. It gives copies only.
type pixels struct{ page decodedPage }

// Size is that of the page.
func (p pixels) Size() (width, height int) { return p.page.width(), p.page.height() }

// Gray copies a box of the page.
func (p pixels) Gray(b document.Box) (read.Gray, error) {
	cut, err := p.page.gray(b)
	if err != nil {
		return read.Gray{}, err
	}
	defer cut.close()
	g := read.Gray{Pix: make([]uint8, b.Width()*b.Height()), Width: b.Width(), Height: b.Height()}
	wpl := int(C.pixGetWpl(cut.p))
	words := unsafe.Slice((*uint32)(unsafe.Pointer(C.pixGetData(cut.p))), wpl*g.Height) // four pixels each, the first one highest
	for y := range g.Height {
		row, out := words[y*wpl:(y+1)*wpl], g.Pix[y*g.Width:(y+1)*g.Width]
		for len(out) >= 4 {
			binary.BigEndian.PutUint32(out, row[0])
			row, out = row[1:], out[4:]
		}
		for x := range out {
			out[x] = uint8(row[0] >> (24 - 8*x))
		}
	}
	return g, nil
}

// pixOf copies an image into C memory.
func pixOf(g read.Gray) (*pix, error) {
	p, err := own(C.pixCreate(C.l_int32(g.Width), C.l_int32(g.Height), 8), "pixCreate")
	if err != nil {
		return nil, err
	}
	wpl := int(C.pixGetWpl(p.p))
	words := unsafe.Slice((*uint32)(unsafe.Pointer(C.pixGetData(p.p))), wpl*g.Height)
	for y := range g.Height {
		row, in := words[y*wpl:(y+1)*wpl], g.Pix[y*g.Width:(y+1)*g.Width]
		for len(in) >= 4 {
			row[0] = binary.BigEndian.Uint32(in)
			row, in = row[1:], in[4:]
		}
		for x, v := range in {
			row[0] |= uint32(v) << (24 - 8*x)
		}
	}
	return p, nil
}

// recogniser is a model as a read.Engine.
type recogniser struct {
	*model
	name string
}

// Name is that of the engine, with its version.
func (r recogniser) Name() string { return r.name }

// Read recognises an image.
func (r recogniser) Read(g read.Gray, q read.Query) (read.Answer, error) {
	m := r.model
	p, err := pixOf(g)
	if err != nil {
		return read.Answer{}, err
	}
	defer p.close()
	charset := q.Charset
	if charset != "" {
		charset += " " // otherwise words run into one another
	}
	m.set("tessedit_char_whitelist", charset)
	invert := "0"
	if q.Invert {
		invert = "1"
	}
	m.set("tessedit_do_invert", invert)
	C.TessBaseAPISetPageSegMode(m.api, C.TessPageSegMode(q.Shape))
	C.TessBaseAPISetImage2(m.api, p.p)
	C.TessBaseAPISetSourceResolution(m.api, assumedDPI)
	defer C.TessBaseAPIClear(m.api)
	var a read.Answer
	if C.TessBaseAPIRecognize(m.api, nil) != 0 {
		return a, fault.New(fault.Unavailable, recognition.CodeFailed, "The engine could not read the region.")
	}
	if s := C.TessBaseAPIGetUTF8Text(m.api); s != nil {
		a.Text = C.GoString(s)
		C.TessDeleteText(s)
	}
	it := C.TessBaseAPIGetIterator(m.api)
	if it == nil {
		return a, nil
	}
	defer C.TessResultIteratorDelete(it)
	place := C.TessResultIteratorGetPageIterator(it)
	word := 0.0
	for more := true; more; more = C.TessResultIteratorNext(it, C.RIL_SYMBOL) != 0 {
		if C.TessPageIteratorIsAtBeginningOf(place, C.RIL_WORD) != 0 {
			word = float64(C.TessResultIteratorConfidence(it, C.RIL_WORD)) / 100
		}
		s := C.TessResultIteratorGetUTF8Text(it, C.RIL_SYMBOL)
		if s == nil {
			continue
		}
		y := read.Symbol{Text: C.GoString(s), Word: word, Confidence: float64(C.TessResultIteratorConfidence(it, C.RIL_SYMBOL)) / 100}
		C.TessDeleteText(s)
		var x1, y1, x2, y2 C.int
		C.TessPageIteratorBoundingBox(place, C.RIL_SYMBOL, &x1, &y1, &x2, &y2)
		y.X1, y.Y1, y.X2, y.Y2 = float64(x1), float64(y1), float64(x2), float64(y2)
		a.Symbols = append(a.Symbols, y)
	}
	return a, nil
}

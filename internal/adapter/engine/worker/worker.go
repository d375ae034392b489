// Package worker is the program in a worker process of the engine, of either kind: one that reads, or one for PDF files, which is
// package pdfium. It decodes the files of users and reads text with libtesseract and Leptonica, and with the models of a second
// recogniser if there are any. It is the only package that calls C, and Run is its only exported function: a pool of processes survives
// whatever it does.
//
// tesseract.go is the first recogniser, second.go and onnx.go the second one; leptonica.go decodes images and heif.go photos of phones;
// library.go has what the process holds, and region.go reads a region.
package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"

	"glyphbox/internal/adapter/engine/pdfium"
	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/adapter/engine/traineddata"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/imagefile"
	"glyphbox/internal/workerpool"
)

// Run runs a worker process. The argument is a protocol.Setup as JSON. It returns an error if the process cannot work.
func Run(argument string) error {
	var setup protocol.Setup
	if err := json.Unmarshal([]byte(argument), &setup); err != nil {
		return fmt.Errorf("the argument of the worker: %w", err)
	}
	if setup.PDF != nil {
		return pdfium.Run(setup)
	}
	quietLeptonica()
	l := &library{engine: "tesseract " + libraryVersion(), tessdata: setup.Tessdata, layoutLang: setup.Warm[len(setup.Warm)-1:],
		words: map[string]*traineddata.Words{}}
	second := l.openModels(setup.Models) // loads a library, which a confined process cannot
	var heif protocol.HEIF
	l.heif, heif = openHEIF(libheif[runtime.GOOS]) // so does this
	handlers := map[string]workerpool.Handler{}
	for operation, do := range operations {
		handlers[operation] = func(r *workerpool.Request) (workerpool.Result, error) { return l.answer(r, operation, do) }
	}
	return workerpool.Serve(workerpool.Program{
		Readable: append(setup.Models.Paths(), setup.Tessdata), Memory: setup.Memory, Handlers: handlers,
		About: protocol.About{Engine: l.engine, Second: second, HEIF: heif},
		Warm: func() error {
			if setup.LoadWhenNeeded {
				return nil
			}
			for _, lang := range setup.Warm {
				if _, err := l.model(recognition.Task{Lang: []string{lang}, Mode: recognition.BestMode}); err != nil {
					return err
				}
			}
			return l.loadModels()
		},
	})
}

// operation does one job on a decoded page.
type operation func(*library, decodedPage, protocol.Job) (protocol.Answer, document.Rendition, error)

var operations = map[string]operation{
	protocol.Read: reads((*library).read),
	protocol.Plain: reads(func(l *library, page decodedPage, j protocol.Job) (recognition.Reading, error) {
		return l.plain(page, j.Task)
	}),
	protocol.Layout: func(l *library, page decodedPage, j protocol.Job) (protocol.Answer, document.Rendition, error) {
		suggestions, err := l.layout(page, j.Level)
		return protocol.Answer{Suggestions: suggestions}, document.Rendition{}, err
	},
	protocol.Prepared: renders(func(page decodedPage, j protocol.Job) (document.Rendition, error) { return prepareFirst(page, j.Task) }),
	protocol.Thumbnail: renders(func(page decodedPage, j protocol.Job) (document.Rendition, error) {
		return page.render(page.bounds(), j.Side, j.Side)
	}),
	protocol.Cut: renders(func(page decodedPage, j protocol.Job) (document.Rendition, error) {
		image, err := cut(page, j.Task.Box)
		if err != nil {
			return document.Rendition{}, err
		}
		defer image.close()
		return image.encode(true)
	}),
	protocol.View: renders(func(page decodedPage, j protocol.Job) (document.Rendition, error) {
		return page.render(j.Task.Box, j.Side, imagefile.MaxSide)
	}),
}

func reads(read func(*library, decodedPage, protocol.Job) (recognition.Reading, error)) operation {
	return func(l *library, page decodedPage, j protocol.Job) (protocol.Answer, document.Rendition, error) {
		reading, err := read(l, page, j)
		return protocol.Answer{Reading: &reading}, document.Rendition{}, err
	}
}

func renders(render func(decodedPage, protocol.Job) (document.Rendition, error)) operation {
	return func(_ *library, page decodedPage, j protocol.Job) (protocol.Answer, document.Rendition, error) {
		made, err := render(page, j)
		return protocol.Answer{Media: made.MediaType}, made, err
	}
}

// answer opens the page of a job and does it.
func (l *library) answer(r *workerpool.Request, name string, do operation) (workerpool.Result, error) {
	var job protocol.Job
	if err := r.Decode(&job); err != nil {
		return workerpool.Result{}, err
	}
	l.progress = r.Progress
	page, owned, err := l.open(r, name, job)
	if err != nil {
		return workerpool.Result{}, err
	}
	if owned {
		defer page.close()
	}
	answer, made, err := do(l, page, job)
	return workerpool.Result{Payload: answer, Bytes: made.Bytes}, err
}

// open returns the decoded page of a job. If the page is not held, it asks for its bytes. The caller has to close an owned page.
func (l *library) open(r *workerpool.Request, name string, job protocol.Job) (page decodedPage, owned bool, err error) {
	if page, ok := l.page(r.Page); ok {
		return page, false, nil
	}
	data, err := r.Bytes()
	if err != nil {
		return page, false, err
	}
	h, err := imagefile.ReadHeader(bytes.NewReader(data), int64(len(data)), job.MaxPixels)
	if err != nil {
		return page, false, err
	}
	if data, h, err = imagefile.Page(data, job.Page, h, job.MaxPixels); err != nil {
		return page, false, err
	}
	shrink := 1
	if name == protocol.Thumbnail && h.MediaType == imagefile.JPEG {
		shrink = jpegShrink(h, job.Side)
	}
	if page, err = decodePage(data, h, shrink, job.Rotation, job.MaxPixels, l.heif); err != nil {
		return page, false, err
	}
	if shrink == 1 {
		l.hold(r.Page, page)
	}
	return page, shrink != 1, r.Opened()
}

// jpegShrink is how much smaller a JPEG can be decoded so that a thumbnail is still made by shrinking.
func jpegShrink(h imagefile.Header, side int) int {
	for _, n := range []int{8, 4, 2} {
		if max(h.Width, h.Height)/n >= 2*side {
			return n
		}
	}
	return 1
}

package engine

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// RunWorker is the life of a worker process: it answers requests from standard input on file descriptor 3 until the input
// ends. It is the only place where C code meets the bytes of users. A pool starts it with arguments of its own making.
func RunWorker(args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	tessdata := flags.String("tessdata", "", "folder of the traineddata")
	warm := flags.String("warm", "", "models to load at once, with commas between")
	memory := flags.Int64("memory", defaultMemoryLimit, "bytes that may be had beyond those at the start")
	if err := flags.Parse(args); err != nil {
		return err
	}
	out := os.NewFile(3, "replies")
	if out == nil {
		return errors.New("a worker is started by a pool, not by hand")
	}
	statm, _ := os.Open("/proc/self/statm") // nil where there is none; it cannot be opened any more once confined
	missing, err := confine(*tessdata, *memory)
	if err != nil {
		return fmt.Errorf("confining the worker: %w", err)
	}
	quietLeptonica()
	w := worker{library: library{tessdata: *tessdata}, statm: statm, in: bufio.NewReaderSize(orphanWatch(os.Stdin), chunkSize), out: bufio.NewWriterSize(out, chunkSize)}
	for lang := range strings.SplitSeq(*warm, ",") {
		w.layoutLang = []string{lang}
		if _, err := w.model(recognition.Task{Lang: []string{lang}, Mode: recognition.BestMode}); err != nil {
			return err
		}
	}
	if err := w.send(reply{Missing: missing}); err != nil {
		return err
	}
	for {
		if err := w.answer(); err != nil {
			return err
		}
	}
}

// orphanWatch reads on while the worker computes and ends the process when the input does: then the pool is gone.
func orphanWatch(in io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, _ = io.Copy(w, in)
		os.Exit(0)
	}()
	return r
}

type worker struct {
	library
	in    *bufio.Reader
	out   *bufio.Writer
	statm *os.File
}

func (w *worker) send(r reply) error {
	r.Memory = residentMemory(w.statm)
	if err := writeMessage(w.out, r); err != nil {
		return err
	}
	return w.out.Flush()
}

// answer answers one request. An error is about the pipe, after which there is no going on.
func (w *worker) answer() error {
	var q request
	if err := readMessage(w.in, &q); err != nil {
		return err
	}
	r := reply{ID: q.ID}
	page, owned, err := w.open(q)
	var broken pipeError
	if errors.As(err, &broken) {
		return err
	}
	var made document.Rendition
	if err == nil {
		if owned {
			defer page.close()
		}
		made, err = w.do(q, page, &r)
	}
	if err != nil {
		r.Fault, r.Reading = faultToWire(err), nil
	}
	r.Media = made.MediaType
	if err := w.send(r); err != nil || r.Media == "" {
		return err
	}
	if err := writeChunks(w.out, bytes.NewReader(made.Bytes)); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *worker) do(q request, page *pix, r *reply) (document.Rendition, error) {
	switch q.Op {
	case opRead:
		reading, err := w.read(page, q.Task)
		r.Reading = &reading
		return document.Rendition{}, err
	case opPlain:
		reading, err := w.plain(page, q.Task)
		r.Reading = &reading
		return document.Rendition{}, err
	case opCut:
		image, err := cut(page, q.Task.Box)
		if err != nil {
			return document.Rendition{}, err
		}
		defer image.close()
		return image.encode(true)
	case opLayout:
		boxes, err := w.layout(page, q.Level)
		r.Boxes = boxes
		return document.Rendition{}, err
	case opPrepared:
		return prepareFirst(page, q.Task)
	case opThumbnail:
		return page.render(q.Side, q.Side)
	case opView:
		part, err := page.clip(q.Task.Box)
		if err != nil {
			return document.Rendition{}, err
		}
		defer part.close()
		return part.render(q.Side, maxSide)
	}
	return document.Rendition{}, fault.New(fault.Internal, "unknown_operation", "unknown operation %q", q.Op)
}

type pipeError struct{ error }

// open returns the decoded page of a request, asking for its bytes where it is not held. owned pages are the caller's.
func (w *worker) open(q request) (page *pix, owned bool, err error) {
	if page, ok := w.page(q.Page); ok {
		return page, false, nil
	}
	if err := w.send(reply{ID: q.ID, NeedPage: true}); err != nil {
		return nil, false, pipeError{err}
	}
	data, err := readChunks(w.in, q.Size)
	if errors.Is(err, errAborted) {
		return nil, false, err
	}
	if err != nil {
		return nil, false, pipeError{err}
	}
	h, err := readHeader(bytes.NewReader(data), int64(len(data)), q.MaxPixels)
	if err != nil {
		return nil, false, err
	}
	shrink := 1
	if q.Op == opThumbnail && h.mediaType == mediaJPEG {
		shrink = jpegShrink(h, q.Side)
	}
	if page, err = decode(data, h, shrink); err != nil {
		return nil, false, err
	}
	if shrink == 1 {
		w.hold(q.Page, page)
	}
	if err := w.send(reply{ID: q.ID, PageHeld: true}); err != nil {
		return nil, false, pipeError{err}
	}
	return page, shrink != 1, nil
}

// jpegShrink is how much smaller a JPEG can be decoded so that a thumbnail is still made by shrinking.
func jpegShrink(h header, side int) int {
	for _, n := range []int{8, 4, 2} {
		if max(h.width, h.height)/n >= 2*side {
			return n
		}
	}
	return 1
}

// residentMemory is how many bytes of memory the process occupies, by its /proc/self/statm; 0 where the system does not tell.
func residentMemory(statm *os.File) int64 {
	b := make([]byte, 128)
	n, err := statm.ReadAt(b, 0) // fails for nil
	if n == 0 && err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(b[:n]), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

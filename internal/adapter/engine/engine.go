package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

var (
	_ recognition.Engine = (*Pool)(nil)
	_ document.Imager    = (*Pool)(nil)
)

// batchSize is how many regions make an order one that gives way to smaller ones.
const batchSize = 32

// Recognize reads the regions of an order; see recognition.Engine.
func (p *Pool) Recognize(ctx context.Context, o recognition.Order) ([]recognition.Reading, error) {
	requests := make([]request, len(o.Tasks))
	for i, t := range o.Tasks {
		requests[i] = request{Op: opRead, Task: t}
	}
	readings := make([]recognition.Reading, len(o.Tasks))
	err := p.do(ctx, o.Page, o.UserID, o.Batch || len(o.Tasks) > batchSize, requests, func(out outcome) error {
		reading, err := p.reading(out)
		readings[out.index] = reading
		return err
	})
	if err != nil {
		return nil, err
	}
	return readings, nil
}

// reading makes of an outcome a reading, which may be a failed one, or the error of the whole order.
func (p *Pool) reading(out outcome) (recognition.Reading, error) {
	failed := func(code, detail string) (recognition.Reading, error) {
		return recognition.Reading{Engine: engineName, Error: &recognition.Failure{Code: code, Detail: detail}}, nil
	}
	var broken *brokenError
	switch {
	case errors.As(out.err, &broken) && broken.timeout:
		return failed(recognition.CodeDeadline, "The region could not be read within "+p.opts.RegionTimeout.String()+".")
	case errors.As(out.err, &broken) && broken.decoding:
		return recognition.Reading{}, errUndecodable.Because(out.err)
	case errors.As(out.err, &broken):
		return failed(recognition.CodeCrashed, "The engine broke while it read the region.")
	case out.err != nil:
		return recognition.Reading{}, out.err
	case out.answer.Fault != nil && out.answer.Fault.Code == recognition.CodeFailed:
		return failed(out.answer.Fault.Code, out.answer.Fault.Text)
	case out.answer.Fault != nil:
		return recognition.Reading{}, out.answer.Fault.fault()
	case out.answer.Reading == nil:
		return failed(recognition.CodeFailed, "The engine gave no answer.")
	}
	return *out.answer.Reading, nil
}

var engineName = "tesseract " + libraryVersion()

var errUndecodable = fault.New(fault.Unsupported, "unsupported_image", "The image cannot be decoded.")

// Prepared returns what the engine looks at; see recognition.Engine.
func (p *Pool) Prepared(ctx context.Context, o recognition.Order) (document.Rendition, error) {
	return p.render(ctx, o.Page, o.UserID, request{Op: opPrepared, Task: o.Tasks[0]})
}

// Layout finds the text of a page; see recognition.Engine.
func (p *Pool) Layout(ctx context.Context, page document.Page, level recognition.Level) ([]document.Box, error) {
	a, err := p.one(ctx, page, 0, request{Op: opLayout, Level: level})
	return a.Boxes, err
}

// Languages returns what is installed; see recognition.Engine.
func (p *Pool) Languages(context.Context) ([]string, error) {
	codes := make([]string, len(p.tessdata.languages))
	for i, l := range p.tessdata.languages {
		codes[i] = l.code
	}
	return codes, nil
}

// The modes besides recognition.BestMode, by Tesseract's numbers.
const (
	modeLegacy recognition.Mode = 0
	modeLSTM   recognition.Mode = 1
	modeBoth   recognition.Mode = 2
)

// Modes describes Tesseract's engine modes; see recognition.Engine.
func (p *Pool) Modes() map[recognition.Mode]string {
	return map[recognition.Mode]string{
		modeLegacy:           "The legacy engine (needs legacy traineddata)",
		modeLSTM:             "The neural network (LSTM)",
		modeBoth:             "Both engines (needs legacy traineddata)",
		recognition.BestMode: "The best that is available",
	}
}

// Check names the languages whose traineddata has no model for the mode; see recognition.Engine.
func (p *Pool) Check(mode recognition.Mode, lang []string) (fields []fault.Field) {
	if _, ok := p.Modes()[mode]; !ok {
		return []fault.Field{{Field: "oem", Detail: "0, 1, 2 or 3"}}
	}
	for _, l := range p.tessdata.languages {
		if slices.Contains(lang, l.code) && !l.supports(mode) {
			fields = append(fields, fault.Field{Field: "oem", Detail: fmt.Sprintf("the traineddata of %s has no model for engine mode %d", l.code, mode)})
		}
	}
	return fields
}

// Probe reads the header of a file in this process, in Go; see document.Imager.
func (p *Pool) Probe(ctx context.Context, page document.Page) (document.Geometry, error) {
	h, err := p.header(ctx, page)
	return h.upright(), err
}

// Orientation returns how a file says that its pixels lie, as EXIF has it: 1, upright, to 8. Errors are those of Probe.
func (p *Pool) Orientation(ctx context.Context, page document.Page) (int, error) {
	h, err := p.header(ctx, page)
	return h.orientation, err
}

func (p *Pool) header(ctx context.Context, page document.Page) (header, error) {
	r, err := page.Open(ctx)
	if err != nil {
		return header{}, err
	}
	defer r.Close()
	var file io.ReaderAt
	switch r := r.(type) {
	case io.ReaderAt:
		file = r
	case io.ReadSeeker:
		file = &seekingReaderAt{r}
	default:
		data, err := io.ReadAll(io.LimitReader(r, page.Size))
		if err != nil {
			return header{}, err
		}
		file = bytes.NewReader(data)
	}
	return readHeader(file, page.Size, p.opts.MaxPixels)
}

// seekingReaderAt reads at offsets by seeking; for one goroutine.
type seekingReaderAt struct{ io.ReadSeeker }

func (s *seekingReaderAt) ReadAt(b []byte, at int64) (int, error) {
	if _, err := s.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(s, b)
}

// Thumbnail renders a page into a square; see document.Imager.
func (p *Pool) Thumbnail(ctx context.Context, page document.Page, side int) (document.Rendition, error) {
	return p.render(ctx, page, 0, request{Op: opThumbnail, Side: side})
}

// View renders a part of a page for a browser; see document.Imager.
func (p *Pool) View(ctx context.Context, page document.Page, part document.Box, width int) (document.Rendition, error) {
	return p.render(ctx, page, 0, request{Op: opView, Side: width, Task: recognition.Task{Box: part}})
}

func (p *Pool) render(ctx context.Context, page document.Page, user int64, q request) (document.Rendition, error) {
	a, err := p.one(ctx, page, user, q)
	return document.Rendition{MediaType: a.Media, Bytes: a.bytes}, err
}

// one has a single request about a page answered.
func (p *Pool) one(ctx context.Context, page document.Page, user int64, q request) (a answer, err error) {
	err = p.do(ctx, page, user, false, []request{q}, func(out outcome) error {
		var broken *brokenError
		switch {
		case errors.As(out.err, &broken) && broken.timeout:
			return fault.New(fault.Deadline, "page_deadline", "The page took too long.").Because(out.err)
		case errors.As(out.err, &broken) && broken.decoding:
			return errUndecodable.Because(out.err)
		case errors.As(out.err, &broken):
			return fault.New(fault.Unavailable, recognition.CodeCrashed, "The engine broke on the page.").Because(out.err).After(time.Second)
		case out.err != nil:
			return out.err
		case out.answer.Fault != nil:
			return out.answer.Fault.fault()
		}
		a = out.answer
		return nil
	})
	return a, err
}

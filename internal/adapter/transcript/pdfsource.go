package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"strconv"

	"glyphbox/internal/adapter/transcript/protocol"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/imagefile"
	"glyphbox/internal/workerpool"
)

// exportPDF writes pages of images as renditions and pages of PDF files as they are, and lays text over those that have none.
func (e *Exporter) exportPDF(ctx context.Context, w io.Writer, t recognition.Transcript) error {
	next, stop := iter.Pull2(t.Pages)
	defer stop()
	p := &peeked{next: next}
	p.advance()
	if !t.Several {
		return e.writePart(ctx, w, t, p)
	}
	var parts []*spool
	defer func() {
		for _, s := range parts {
			_ = s.Close() // a temporary file
		}
	}()
	for p.ok {
		s := e.spool()
		parts = append(parts, s)
		if err := e.writePart(ctx, s, t, p); err != nil {
			return err
		}
	}
	if len(parts) == 1 {
		return parts[0].copyTo(w)
	}
	return e.merge(ctx, w, parts)
}

// writePart writes the pages of a document that is a PDF, or those up to the next such document.
func (e *Exporter) writePart(ctx context.Context, w io.Writer, t recognition.Transcript, p *peeked) error {
	if p.ok && p.err == nil && isPDF(p.page) {
		return e.overlay(ctx, w, p)
	}
	t.Pages = p.while(func(page recognition.TranscriptPage) bool { return !isPDF(page) })
	return writePDF(w, t)
}

// mediaTypePDF is that of documents whose pages are no images.
const mediaTypePDF = imagefile.PDF

func isPDF(p recognition.TranscriptPage) bool { return p.Image.MediaType == mediaTypePDF }

// peeked is a transcript of which the next page is known.
type peeked struct {
	next func() (recognition.TranscriptPage, error, bool)
	page recognition.TranscriptPage
	err  error
	ok   bool // there is one
}

func (p *peeked) advance() { p.page, p.err, p.ok = p.next() }

// while goes through the next pages as long as they are such.
func (p *peeked) while(such func(recognition.TranscriptPage) bool) iter.Seq2[recognition.TranscriptPage, error] {
	return func(yield func(recognition.TranscriptPage, error) bool) {
		for p.ok && (p.err != nil || such(p.page)) {
			if !yield(p.page, p.err) || p.err != nil {
				return
			}
			p.advance()
		}
	}
}

// overlay writes the PDF file that the next pages are of, with their text.
func (e *Exporter) overlay(ctx context.Context, w io.Writer, p *peeked) error {
	first := p.page
	job := protocol.Job{Size: first.Image.Size, Password: first.Image.Page().File.Password, FontName: fontName}
	contents, codes := e.spool(), newCodes()
	defer contents.Close()
	var kept []int
	for page, err := range p.while(func(page recognition.TranscriptPage) bool { return page.Image.Document == first.Image.Document }) {
		if err != nil {
			return err
		}
		kept = append(kept, page.Image.Number)
		layer, content, err := layerOf(page, codes)
		if err != nil {
			return err
		}
		if layer.Length > 0 || layer.Turn != 0 {
			job.Layers = append(job.Layers, layer)
			if _, err := contents.Write(content); err != nil {
				return err
			}
		}
	}
	if len(kept) < first.Image.Pages {
		job.Keep = kept
	}
	objects := fontObjects(codes)
	job.Font = objects[:]
	if len(job.Layers) == 0 && job.Keep == nil && job.Password == "" { // there is nothing to add
		return copyOf(w, first.Open)
	}
	err := e.lay(ctx, w, job, contents, first.Open)
	for _, pages := range [][]int{nil, kept} { // of the file written anew, and of one that has nothing else
		if first.Mended == nil || !isUnreadable(err) {
			break
		}
		mended, failed := first.Mended(pages)
		if failed != nil {
			return errors.Join(err, failed)
		}
		if pages != nil {
			job.Keep = nil
			for i, l := range job.Layers {
				job.Layers[i].Page = slices.Index(kept, l.Page) + 1
			}
		}
		job.Size, job.Password = int64(len(mended)), ""
		err = e.lay(ctx, w, job, contents, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(mended)), nil })
	}
	return err
}

// isUnreadable tells whether a worker said that it cannot parse a file. One that ended over it said nothing.
func isUnreadable(err error) bool {
	_, broken := errors.AsType[*workerpool.BrokenError](err)
	return fault.Is(err, fault.Unsupported) && !broken
}

// lay writes a file with the layers of a job, whose contents those are.
func (e *Exporter) lay(ctx context.Context, w io.Writer, job protocol.Job, contents *spool, open func() (io.ReadCloser, error)) error {
	var answer protocol.Answer
	added, err := e.work(ctx, protocol.Overlay, job, &answer, job.Size+contents.size, func(context.Context) (io.ReadCloser, error) {
		file, err := open()
		if err != nil {
			return nil, err
		}
		behind, err := contents.reader()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return joined{io.MultiReader(file, behind), file}, nil
	})
	if err != nil {
		return err
	}
	if !answer.Whole {
		if err := copyOf(w, open); err != nil {
			return err
		}
	}
	_, err = w.Write(added)
	return err
}

// layerOf is the text of a page where the page has none of its own.
func layerOf(p recognition.TranscriptPage, codes *codes) (protocol.Layer, []byte, error) {
	l := protocol.Layer{Page: p.Image.Number, Turn: p.Image.Rotation, Width: float64(p.Image.Width), Height: float64(p.Image.Height)}
	if p.Image.Width <= 0 || p.Image.Height <= 0 {
		return l, nil, nil
	}
	blocks, err := ownText(p)
	if err != nil || len(blocks) == 0 {
		return l, nil, err
	}
	content := textLayer(blocks, p.Image.Box(), 1, codes)
	l.Length = int64(len(content))
	return l, content, nil
}

// ownText returns the lines of a page that are not text in the file itself, in their blocks.
func ownText(p recognition.TranscriptPage) (blocks []block, err error) {
	all := layout(p)
	var boxes []document.Box
	for _, b := range all {
		for _, par := range b.paragraphs {
			for _, l := range par.lines {
				boxes = append(boxes, l.box)
			}
		}
	}
	printed := make([]bool, len(boxes))
	if p.Printed != nil && len(boxes) > 0 {
		if printed, err = p.Printed(boxes); err != nil {
			return nil, err
		}
	}
	for _, b := range all {
		var lines []line
		for _, par := range b.paragraphs {
			for _, l := range par.lines {
				if !printed[0] {
					lines = append(lines, l)
				}
				printed = printed[1:]
			}
		}
		if len(lines) > 0 {
			b.paragraphs = []paragraph{newParagraph(lines)}
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

func copyOf(w io.Writer, open func() (io.ReadCloser, error)) error {
	file, err := open()
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}

// joined is bytes that are read from somewhere else than what is closed.
type joined struct {
	io.Reader
	io.Closer
}

// merge writes one file of several.
func (e *Exporter) merge(ctx context.Context, w io.Writer, parts []*spool) error {
	var job protocol.MergeJob
	total := int64(0)
	for _, s := range parts {
		job.Sizes = append(job.Sizes, s.size)
		total += s.size
	}
	merged, err := e.work(ctx, protocol.Merge, job, nil, total, func(context.Context) (io.ReadCloser, error) {
		readers := make([]io.Reader, len(parts))
		for i, s := range parts {
			var err error
			if readers[i], err = s.reader(); err != nil {
				return nil, err
			}
		}
		return io.NopCloser(io.MultiReader(readers...)), nil
	})
	if err != nil {
		return err
	}
	_, err = w.Write(merged)
	return err
}

var errPDFWork = fault.New(fault.Unsupported, "pdf_unreadable", "The PDF cannot be written: its file is damaged or too large.")

// work has a worker do a job and returns the bytes of its answer.
func (e *Exporter) work(ctx context.Context, operation string, job, answer any, size int64,
	open func(context.Context) (io.ReadCloser, error)) ([]byte, error) {
	if e.pool == nil {
		return nil, errPDFWork.Because(errors.New("transcript: there are no workers"))
	}
	order := workerpool.Order{Jobs: []workerpool.Job{{Operation: operation, Payload: job}},
		Page: workerpool.Page{Key: "export-" + strconv.FormatUint(e.orders.Add(1), 10), Size: size, Open: open}}
	var out []byte
	err := e.pool().Do(ctx, order, func(_ int, a workerpool.Answer, err error) error {
		if err != nil {
			return err
		}
		out = a.Bytes
		if answer == nil {
			return nil
		}
		return json.Unmarshal(a.Payload, answer)
	})
	if broken, ok := errors.AsType[*workerpool.BrokenError](err); ok {
		return nil, errPDFWork.Because(broken)
	}
	return out, err
}

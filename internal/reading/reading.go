// Package reading reads files of documents page by page and writes what they say, without storing anything. A Source does the reading: the
// workers of this process, or a running service.
//
// Pages are read several at once, across files, and are written in order as they come, so that memory does not grow with their number.
package reading

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
)

// Source opens files. Safe for concurrent use.
type Source interface {
	// Open finds out what pages a file has.
	Open(ctx context.Context, file File) (Document, error)
}

// Document is a file that was opened. Safe for concurrent use.
type Document interface {
	// Pages are the images of all pages, in order.
	Pages() []document.Image

	// Read reads a page. Version of the run is 0 only where there is an error.
	Read(ctx context.Context, page document.Image) (recognition.Run, error)

	// Open returns the bytes of the file.
	Open() (io.ReadCloser, error)

	// View makes a rendition of a part of a page, as document.Imager does.
	View(ctx context.Context, page document.Image, part document.Box, width int) (document.Rendition, error)

	// Close frees what was held for the document.
	Close() error
}

// printer is a Document that can have a text of its own, and tells for boxes of a page whether it has any there.
type printer interface {
	Printed(ctx context.Context, page document.Image, boxes []document.Box) ([]bool, error)
}

// mender is a Document whose file can be written anew where it cannot be parsed as it is, as document.Imager does.
type mender interface {
	Mended(ctx context.Context, pages []int) ([]byte, error)
}

// Reading is files that are to be read, and how they are written. Its fields are set before Run.
type Reading struct {
	Source   Source
	Exporter recognition.Exporter
	Files    []File
	Pages    recognition.PageRanges // of each file
	AtOnce   int                    // pages that are read at once
	Format   Format
	Out      string // a file, a folder that is there or ends in a slash; empty or -: standard output
	Stdout   io.Writer
	Stderr   io.Writer
	Explain  func(error) string // for people

	display *progress.Display
	pages   int // that were written
	failed  int // files that could not be read in full
}

const (
	openAhead = 4  // files
	readAhead = 64 // pages that were read, or are being read, and are not written yet
)

// read is a file that is being read.
type read struct {
	file   File
	number int // among the files, from 1
	doc    Document
	err    error // why it could not be opened
	images []document.Image
	pages  []chan readPage
	done   int // pages that were waited for
	failed bool

	suggested []string // what was said about languages
}

// readPage is a page that was read, or why not.
type readPage struct {
	run recognition.Run
	err error
}

// Run reads and writes all. It returns an error that says how many files could not be read in full, or why writing failed.
func (r *Reading) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	r.display = progress.New(r.Stderr)
	defer r.display.Clear()
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	ahead := make(chan struct{}, readAhead)
	files := r.begin(ctx, &working, ahead)
	documents := func(yield func(*read) bool) {
		for opened := range files {
			f := <-opened
			goOn := yield(f)
			if goOn {
				r.skip(f, ahead)
			}
			r.end(f)
			if !goOn {
				return
			}
		}
	}
	if err := r.write(ctx, documents, ahead); err != nil {
		cancel()
		for opened := range files {
			if f := <-opened; f.doc != nil {
				err = errors.Join(err, f.doc.Close())
			}
		}
		return err
	}
	if r.failed > 0 {
		return fmt.Errorf("%d of %d files could not be read in full", r.failed, len(r.Files))
	}
	return nil
}

// begin opens the files and has their pages read, in order. Each page takes a place in ahead, which is given back when the page is written.
func (r *Reading) begin(ctx context.Context, working *sync.WaitGroup, ahead chan struct{}) <-chan chan *read {
	opening := make(chan chan *read, openAhead)
	files := make(chan chan *read, len(r.Files))
	working.Go(func() {
		defer close(opening)
		for i, file := range r.Files {
			opened := make(chan *read, 1)
			select {
			case opening <- opened:
			case <-ctx.Done():
				return
			}
			working.Go(func() { opened <- r.open(ctx, file, i+1) })
		}
	})
	working.Go(func() {
		defer close(files)
		slots := make(chan struct{}, max(1, r.AtOnce))
		for opened := range opening {
			f := <-opened
			ready := make(chan *read, 1)
			ready <- f
			files <- ready
			for i, image := range f.images {
				select {
				case ahead <- struct{}{}:
				case <-ctx.Done():
					f.pages[i] <- readPage{err: ctx.Err()}
					continue
				}
				slots <- struct{}{}
				working.Go(func() {
					defer func() { <-slots }()
					run, err := f.doc.Read(ctx, image)
					f.pages[i] <- readPage{run, err}
				})
			}
		}
	})
	return files
}

func (r *Reading) open(ctx context.Context, file File, number int) *read {
	f := &read{file: file, number: number}
	if f.doc, f.err = r.Source.Open(ctx, file); f.err != nil {
		return f
	}
	all := f.doc.Pages()
	if fields := r.Pages.Check("--pages", len(all)); len(fields) > 0 {
		f.err = fmt.Errorf("%s: %s", fields[0].Field, fields[0].Detail)
		return f
	}
	for i, image := range all {
		if r.Pages.Has(i + 1) {
			f.images, f.pages = append(f.images, image), append(f.pages, make(chan readPage, 1))
		}
	}
	return f
}

// end says what could not be done with a file, and frees it.
func (r *Reading) end(f *read) {
	if f.doc != nil {
		if err := f.doc.Close(); err != nil && f.err == nil {
			f.err = err
		}
	}
	if f.err != nil {
		r.complain(f, "%s", r.Explain(f.err))
	}
	if f.failed {
		r.failed++
	}
}

func (r *Reading) complain(f *read, format string, args ...any) {
	f.failed = true
	r.display.Printf(r.Stderr, "glyphbox: %s: %s", f.file.Name, fmt.Sprintf(format, args...))
}

// wait waits for a page and gives its place back.
func (f *read) wait(i int, ahead chan struct{}) readPage {
	p := <-f.pages[i]
	f.done = i + 1
	select {
	case <-ahead:
	default: // the page was given up before it took a place
	}
	return p
}

// skip waits for the remaining pages of a file and drops them.
func (r *Reading) skip(f *read, ahead chan struct{}) {
	for f.done < len(f.pages) {
		f.wait(f.done, ahead)
	}
}

// next waits for a page of a file and says what could not be read of it.
func (r *Reading) next(f *read, i int, ahead chan struct{}) readPage {
	p := f.wait(i, ahead)
	at := ""
	if f.images[i].Pages > 1 {
		at = fmt.Sprintf("page %d: ", f.images[i].Number)
	}
	if p.err != nil {
		r.complain(f, "%s%s", at, r.Explain(p.err))
	}
	for _, c := range p.run.Contents {
		if c.Error != nil {
			r.complain(f, "%sregion %d,%d,%d,%d: %s", at, c.ROI.X1, c.ROI.Y1, c.ROI.X2, c.ROI.Y2, c.Error.Detail)
		}
	}
	r.suggest(f, at, p.run.Contents)
	if n := f.images[i].Frames; n > 1 {
		r.display.Printf(r.Stderr, "glyphbox: %s: an animation of %d frames, of which the first is read", f.file.Name, n)
	}
	r.pages++
	if len(r.Files) > 1 || len(f.images) > 1 {
		r.display.Say("page %d of %d of file %d of %d, %s so far, %s not in full", i+1, len(f.images), f.number, len(r.Files),
			progress.Counted(r.pages, "page"), progress.Counted(r.failed, "file"))
	}
	return p
}

// suggest says in which other languages the regions of a page look written, once for each file.
func (r *Reading) suggest(f *read, at string, contents []recognition.Content) {
	say := func(format string, lang []string) {
		codes := strings.Join(lang, "+")
		if len(lang) > 0 && !slices.Contains(f.suggested, codes) {
			f.suggested = append(f.suggested, codes)
			r.display.Printf(r.Stderr, "glyphbox: %s: %s"+format, f.file.Name, at, codes)
		}
	}
	for _, c := range contents {
		say("this looks written in another language: --lang %s may read it better", c.Suggested)
		say("this looks written in a language that is not installed: %s", c.Missing)
	}
}

// transcript is the pages of a file as they are read.
func (r *Reading) transcript(ctx context.Context, f *read, ahead chan struct{}) iter.Seq2[recognition.TranscriptPage, error] {
	return func(yield func(recognition.TranscriptPage, error) bool) {
		for i, image := range f.images {
			p := r.next(f, i, ahead)
			if ctx.Err() != nil {
				yield(recognition.TranscriptPage{}, ctx.Err())
				return
			}
			t := recognition.TranscriptPage{Number: image.Number, Image: image, Run: p.run, Open: f.doc.Open,
				View: func(degrees int, part document.Box, width int) (document.Rendition, error) {
					return f.doc.View(ctx, image.TurnedTo((image.Rotation+degrees)%360), part, width)
				}}
			if d, ok := f.doc.(printer); ok {
				t.Printed = func(boxes []document.Box) ([]bool, error) { return d.Printed(ctx, image, boxes) }
			}
			if d, ok := f.doc.(mender); ok {
				t.Mended = func(pages []int) ([]byte, error) { return d.Mended(ctx, pages) }
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// Package transcript writes results as files for other programs: plain text, JSON, TSV, hOCR, ALTO, PDF, CSV, XLSX, and lines for
// training.
//
// A file is written page by page, so that memory does not grow with the number of pages. What must precede the pages and is known only
// after them waits in a spool.
//
// All formats but JSON, which has the stored data, plain text and tables are made from the same layout (layout.go): regions are blocks,
// blank lines separate paragraphs, line breaks separate lines, and every word has a box. All formats but JSON leave out characters that
// XML cannot represent.
package transcript

import (
	"archive/zip"
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/workerpool"
)

// Exporter writes transcripts in every format of the domain. A separate process, started when first needed, handles PDF files. The zero
// Exporter writes all other formats.
type Exporter struct {
	pool   func() *workerpool.Pool // nil: there is none
	close  func()
	temp   string
	orders atomic.Uint64 // that went to the pool
}

var _ recognition.Exporter = (*Exporter)(nil)

// Options configure an Exporter.
type Options struct {
	Command  []string      // program and arguments of a worker, which calls overlay.Run
	Timeout  time.Duration // of the work on one PDF file; 0: 2 minutes
	IdleTime time.Duration // after which a worker without work is replaced by a resting one
	TempDir  string        // for what waits until it can be written; empty: that of the system
	Log      *slog.Logger
}

// New returns an Exporter with a worker. Close it at the end.
func New(o Options) *Exporter {
	const queue = 100 // files
	var started sync.Mutex
	var pool *workerpool.Pool
	return &Exporter{temp: o.TempDir,
		pool: func() *workerpool.Pool {
			started.Lock()
			defer started.Unlock()
			if pool == nil {
				pool = workerpool.Start(workerpool.Options{Command: o.Command, Workers: 1, JobTimeout: cmp.Or(o.Timeout, 2*time.Minute),
					QueueSize: queue,
					IdleTime:  o.IdleTime, Log: o.Log})
			}
			return pool
		},
		close: func() {
			started.Lock()
			defer started.Unlock()
			if pool != nil {
				pool.Close()
			}
		},
	}
}

// Close ends the worker. No export may be running.
func (e *Exporter) Close() error {
	if e.close != nil {
		e.close()
	}
	return nil
}

// Export writes a file of that format.
func (e *Exporter) Export(ctx context.Context, w io.Writer, f recognition.Format, t recognition.Transcript) error {
	write, ok := map[recognition.Format]func(io.Writer, recognition.Transcript) error{
		recognition.FormatText: writeText, recognition.FormatJSON: writeJSON, recognition.FormatTSV: writeTSV,
		recognition.FormatHOCR: e.writeHOCR,
		recognition.FormatALTO: e.writeALTO, recognition.FormatCSV: writeCSV, recognition.FormatXLSX: writeXLSX,
		recognition.FormatGroundTruth: e.writeGroundTruth,
		recognition.FormatPDF:         func(w io.Writer, t recognition.Transcript) error { return e.exportPDF(ctx, w, t) },
	}[f]
	switch {
	case !ok:
		return fmt.Errorf("transcript: unknown format %q", f)
	case t.Run && f == recognition.FormatJSON:
		write = writeRunJSON
	}
	b := bufio.NewWriterSize(w, 64<<10) // it remembers its first error, so that the writers need not look at each
	if err := write(b, t); err != nil {
		return err
	}
	return b.Flush()
}

// Archive writes a zip archive of files, which are made one after the other.
func (*Exporter) Archive(w io.Writer, files iter.Seq[recognition.Export]) error {
	b := bufio.NewWriterSize(w, 64<<10)
	z := zip.NewWriter(b)
	for f := range files {
		entry, err := z.CreateHeader(zipEntry(f.Name, f.MediaType != "application/pdf" && f.MediaType != "application/zip"))
		if err != nil {
			return err
		}
		if err := f.Write(entry); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return b.Flush()
}

// zipEntry is the head of a file in an archive. It has no time, so that the same files give the same bytes.
func zipEntry(name string, compress bool) *zip.FileHeader {
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	if compress {
		h.Method = zip.Deflate
	}
	return h
}

// clean leaves out control characters and what XML 1.0 forbids.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' {
			return -1
		}
		return r
	}, s)
}

package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/imagefile"
	"glyphbox/internal/workerpool"
)

// pdfPool examines PDF files and renders their pages, with workers of their own kind, which start when a file needs one. A worker compiles
// pdfium before it is confined.
type pdfPool struct {
	pool      *workerpool.Pool
	cache     string
	maxPages  int
	maxPixels int64
	files     document.Files
	ahead     chan struct{} // a place for each page that is rendered before a worker asks for it
}

const (
	pdfWorkers      = 2
	pdfProcessors   = 2         // where nothing is compiled ahead, a worker does so
	pdfMaxServed    = 1000      // since pdfium's handles pile up
	pdfMaxMemory    = 512 << 20 // resident
	pdfMemoryLimit  = 3 << 30   // pdfium's own memory grows by copies
	pdfIdleTime     = 2 * time.Minute
	pdfStartTimeout = 5 * time.Minute // to compile, where nothing is kept, on a machine that is busy

	defaultMaxPages = 10_000
)

func startPDF(o Options) (*pdfPool, error) {
	p := &pdfPool{cache: cacheOf(o), maxPages: cmp.Or(o.MaxPages, defaultMaxPages), maxPixels: o.MaxPixels, files: o.Files,
		ahead: make(chan struct{}, cmp.Or(o.Workers, runtime.GOMAXPROCS(0))+1)}
	setup, err := json.Marshal(protocol.Setup{Memory: pdfMemoryLimit, PDF: &protocol.PDF{Cache: p.cache}})
	if err != nil {
		return nil, err
	}
	idle := pdfIdleTime
	if o.IdleTime != 0 {
		idle = min(idle, o.IdleTime)
	}
	p.pool = workerpool.Start(workerpool.Options{Command: append(slices.Clone(o.Command), string(setup)),
		Environment: workerEnvironment(pdfProcessors), Workers: min(pdfWorkers, runtime.GOMAXPROCS(0)),
		JobTimeout: o.RegionTimeout, QueueSize: o.QueueSize, MaxServed: pdfMaxServed,
		MaxMemory: pdfMaxMemory, MaxAnswer: pageBytes(o.MaxPixels), IdleTime: idle, OnDemand: true, StartTimeout: pdfStartTimeout,
		Log: o.Log})
	return p, nil
}

// Compile makes a worker compile the PDF library into a folder, which it creates if necessary. The folder is for Options.CompiledDir.
// command is that of Options.
func Compile(ctx context.Context, command []string, folder string) error {
	setup, err := json.Marshal(protocol.Setup{PDF: &protocol.PDF{Cache: folder, Compile: true}})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	worker := exec.CommandContext(ctx, command[0], append(slices.Clone(command[1:]), string(setup))...)
	worker.Env = workerEnvironment(pdfProcessors)
	if said, err := worker.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	return openToAll(folder)
}

// openToAll lets other users read a folder of compiled code, whose files are at first readable only by the user who made them.
func openToAll(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// cacheOf returns the folder of compiled code, with links to what was compiled ahead. The names of those files say what they were compiled
// for, such as a processor, so that files for another one are not used. If no cache can be written to, it returns the folder of what was
// compiled ahead.
func cacheOf(o Options) string {
	cache := cacheDir(o.CacheDir)
	if info, err := os.Stat(o.CompiledDir); o.CompiledDir == "" || err != nil || !info.IsDir() {
		return cache
	}
	if cache == "" {
		return o.CompiledDir
	}
	ahead, err := filepath.Abs(o.CompiledDir)
	if err != nil {
		return cache
	}
	files, _ := filepath.Glob(filepath.Join(ahead, "*", "*"))
	for _, file := range files {
		link := filepath.Join(cache, strings.TrimPrefix(file, ahead))
		if _, err := os.Stat(link); err == nil {
			continue
		}
		_ = os.Remove(link) // one that leads nowhere any more
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err == nil {
			_ = os.Symlink(file, link) // without it, the code is compiled
		}
	}
	return cache
}

// cacheDir makes and returns a folder for compiled code that only this user can write to: in the user's folder for caches, or else in the
// fallback. It returns "" if neither can be made.
func cacheDir(fallback string) string {
	var folders []string
	if user, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(user, "glyphbox", "pdfium"))
	}
	if fallback != "" {
		folders = append(folders, filepath.Join(fallback, "pdfium"))
	}
	for _, folder := range folders {
		if os.MkdirAll(folder, 0o700) != nil {
			continue
		}
		probe, err := os.CreateTemp(folder, "probe")
		if err != nil {
			continue
		}
		probe.Close()
		os.Remove(probe.Name())
		return folder
	}
	return ""
}

func isPDF(page document.Page) bool { return page.File.MediaType == imagefile.PDF }

// file returns the file for a worker. Files with equal bytes are one file, since the worker checks the password itself.
func (p *pdfPool) file(f document.File) workerpool.Page {
	return workerpool.Page{Key: f.SHA256, Size: f.Size, Open: func(ctx context.Context) (io.ReadCloser, error) {
		return p.files.Open(ctx, f)
	}}
}

// AboutPDF describes the workers for PDF files.
type AboutPDF struct {
	Name       string // and version of what renders; empty before the first file
	Cache      string // folder of compiled code; empty where there is none
	Missing    string // why no worker could be started the last time; empty where one could, or none was needed yet
	Stats      workerpool.Stats
	Unconfined []string
}

// PDFStats returns the current counts of the workers for PDF files.
func (e *Engine) PDFStats() workerpool.Stats { return e.pdf.pool.Stats() }

// PDF returns the state of the workers for PDF files, as the newest of them reports it.
func (e *Engine) PDF() AboutPDF {
	p := e.pdf
	a := AboutPDF{Cache: p.cache, Stats: p.pool.Stats(), Unconfined: p.pool.Missing()}
	if err := p.pool.Ready(); err != nil {
		a.Missing = fault.Of(err).Text
	}
	var worker protocol.AboutPDF
	if json.Unmarshal(p.pool.About(), &worker) == nil {
		a.Name, a.Cache = worker.Name, worker.Cache
	}
	return a
}

// one does a single job about a file.
func (p *pdfPool) one(ctx context.Context, f document.File, user int64, batch bool, operation string, j protocol.PDFJob) (
	a protocol.PDFAnswer, bytes []byte, err error,
) {
	j.Password, j.MaxPixels = f.Password, p.maxPixels
	file := p.file(f)
	if j.Page > 0 {
		file.Part = strconv.Itoa(j.Page)
	}
	order := workerpool.Order{Page: file, User: user, Batch: batch, Once: true, // it takes as long the second time
		Jobs: []workerpool.Job{{Operation: operation, Payload: j}}}
	err = p.pool.Do(ctx, order, func(_ int, answer workerpool.Answer, err error) error {
		broken, isBroken := errors.AsType[*workerpool.BrokenError](err)
		switch {
		case isBroken && (broken.Opening || j.Page == 0):
			return errUndecodablePDF.Because(err)
		case isBroken && broken.Timeout:
			return fault.New(fault.Invalid, codeUnreadable, "The page of the PDF file could not be rendered within %s.",
				p.pool.JobTimeout()).Because(err)
		case isBroken:
			return fault.New(fault.Invalid, codeUnreadable, "The page of the PDF file cannot be rendered.").Because(err)
		case err != nil && fault.Of(err).Code == document.CodeEncrypted:
			return fault.Of(err).On("password", "the one that opens the file")
		case err != nil:
			return err
		}
		bytes = answer.Bytes
		return json.Unmarshal(answer.Payload, &a)
	})
	return a, bytes, err
}

// Codes of faults.
const (
	codeUnreadable = "page_unreadable"
)

var errUndecodablePDF = fault.New(fault.Unsupported, "unsupported_image", "The PDF file cannot be read.")

// probe tells the sizes of the pages of a file.
func (p *pdfPool) probe(ctx context.Context, f document.File) (document.Probe, error) {
	job := protocol.PDFJob{MaxPages: p.maxPages, Scans: true}
	a, _, err := p.one(ctx, f, 0, false, protocol.PDFPages, job)
	if _, broken := errors.AsType[*workerpool.BrokenError](err); broken {
		job.Scans = false // pages that cannot be loaded need a size too
		a, _, err = p.one(ctx, f, 0, false, protocol.PDFPages, job)
	}
	if err != nil {
		return document.Probe{}, err
	}
	if a.Pages > p.maxPages {
		return document.Probe{}, fault.New(fault.TooLarge, "too_many_pages", "The file has %d pages; at most %d are allowed.", a.Pages,
			p.maxPages)
	}
	probe := document.Probe{MediaType: imagefile.PDF}
	for _, s := range a.Sizes {
		page := document.PageProbe{Width: s.Width, Height: s.Height, DPI: s.DPI}
		if s.Width == 0 {
			page.Error = &fault.Failure{Code: codeUnreadable, Detail: "The page is damaged or has an unsupported size."}
		}
		probe.Pages = append(probe.Pages, page)
	}
	return probe, nil
}

// upright returns the size of a page before it is turned.
func upright(page document.Page) (width, height int) {
	if page.Rotation%180 != 0 {
		return page.Height, page.Width
	}
	return page.Width, page.Height
}

// pageBytes is how many bytes a rendered page of so many pixels has at most.
func pageBytes(pixels int64) int64 {
	const header = 64
	return 3*pixels + header
}

// rendered returns a page as an image file for the workers that read.
func (p *pdfPool) rendered(page document.Page, user int64, batch bool) workerpool.Page {
	width, height := upright(page)
	pixels := int64(width) * int64(height)
	if pixels == 0 {
		pixels = p.maxPixels
	}
	return workerpool.Page{Key: fmt.Sprintf("%s-%dx%d", page.Key(), width, height), Size: -pageBytes(pixels),
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			file, err := p.render(ctx, page, user, batch)
			return io.NopCloser(bytes.NewReader(file)), err
		}}
}

func (p *pdfPool) render(ctx context.Context, page document.Page, user int64, batch bool) ([]byte, error) {
	width, height := upright(page)
	_, file, err := p.one(ctx, page.File, user, batch, protocol.PDFRender,
		protocol.PDFJob{Page: page.Number, Width: width, Height: height})
	return file, err
}

// Mended rewrites a PDF file; see document.Imager.
func (e *Engine) Mended(ctx context.Context, f document.File, pages []int) ([]byte, error) {
	_, file, err := e.pdf.one(ctx, f, 0, false, protocol.PDFCopy, protocol.PDFJob{Pages: pages})
	return file, err
}

// maxAhead is the most pixels of a page that is rendered ahead.
const maxAhead = 20_000_000

// place takes one of the places for pages that are rendered before a worker asks for them, and returns a function that gives it back. It
// returns nil if all are taken or the page is too large to be kept: then a worker waits until the page is rendered.
func (p *pdfPool) place(page document.Page) (leave func()) {
	if int64(page.Width)*int64(page.Height) > maxAhead {
		return nil
	}
	select {
	case p.ahead <- struct{}{}:
		return func() { <-p.ahead }
	default:
		return nil
	}
}

// maxView is the most pixels of a view that pdfium renders. A larger one is made from the page that a worker that reads has decoded.
const maxView = 6_000_000

// views tells whether pdfium renders a view of that part and width.
func (p *pdfPool) views(part document.Box, width int) bool {
	factor := min(1, float64(width)/float64(part.Width()))
	return float64(part.Width())*factor*float64(part.Height())*factor <= maxView
}

// view renders a part of a page, turned, at most that wide and high. An empty part is the whole page.
func (p *pdfPool) view(ctx context.Context, page document.Page, part document.Box, maxWidth, maxHeight int) (document.Rendition, error) {
	width, height := upright(page)
	job := protocol.PDFJob{Page: page.Number, Width: width, Height: height, Rotation: page.Rotation, Part: part, MaxWidth: maxWidth,
		MaxHeight: maxHeight}
	a, file, err := p.one(ctx, page.File, 0, false, protocol.PDFView, job)
	return document.Rendition{MediaType: a.Media, Bytes: file}, err
}

// texts returns what the text layer of a page has in boxes, which lie on the page as it is turned, and for each box where it cannot be
// trusted the reason. What the job says of pages without text and of rendering counts; the rendered page is nil where all boxes have text.
func (p *pdfPool) texts(ctx context.Context, page document.Page, user int64, batch bool, boxes []document.Box, job protocol.PDFJob) (
	readings []*recognition.Reading, reasons []string, rendered []byte, err error,
) {
	job.Page = page.Number
	job.Width, job.Height = upright(page)
	back := document.Turns(page.Rotation, 0)
	for _, b := range boxes {
		job.Boxes = append(job.Boxes, b.Turned(back, page.Width, page.Height))
	}
	began := time.Now()
	a, rendered, err := p.one(ctx, page.File, user, batch, protocol.PDFText, job)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(a.Texts) != len(boxes) {
		return nil, nil, nil, fault.New(fault.Internal, "pdf_answer", "The text layer returned no answer.")
	}
	each := time.Since(began) / time.Duration(len(boxes))
	for _, part := range a.Texts {
		reasons = append(reasons, part.Reason)
		if r := part.Reading; r != nil {
			r.Duration = each
			r.Rotation = (r.Rotation + page.Rotation) % 360
			for i := range r.Words {
				r.Words[i].Box = r.Words[i].Box.Turned(page.Rotation, a.Width, a.Height)
			}
		}
		readings = append(readings, part.Reading)
	}
	return readings, reasons, rendered, nil
}

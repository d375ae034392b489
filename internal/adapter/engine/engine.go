// Package engine is the recognition.Engine and the document.Imager. It reads regions and renders pages in a pool of worker processes
// (package workerpool), each of which runs the program of package worker. This package decodes no images and reads no text; of files it
// only parses the header, in Go.
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
	"log/slog"
	"os"
	"slices"
	"time"

	"glyphbox/internal/adapter/engine/layer"
	"glyphbox/internal/adapter/engine/ppocr"
	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/imagefile"
	"glyphbox/internal/workerpool"
)

// Options configure an engine. Zero values mean defaults.
type Options struct {
	Files         document.Files // opens the pages
	Command       []string       // starts a worker, which calls worker.Run with the argument that the engine adds
	Workers       int            // processes; default: the cores that this process may use
	TessdataDirs  []string       // folders of traineddata; of two files with the same name the first counts; default: where packages put it
	Models        string         // folder of the second recogniser, or NoModels; default: that of scripts/models, if it is there
	TempDir       string         // where several folders are joined into one; default: the system's
	MaxPixels     int64          // of a page; default 150 million
	MaxPages      int            // of a PDF file; default 10,000
	RegionTimeout time.Duration  // for one region or rendition, after which its worker is killed; default 30 s
	QueueSize     int            // regions that may wait; default 2,000
	MaxServed     int            // regions after which a worker is replaced; default 5,000
	MaxMemory     int64          // resident bytes above which a worker is replaced; default 1 GiB
	MemoryLimit   int64          // bytes that a worker may have beyond those at its start; default 3 GiB, or what MaxPixels needs
	CacheDir      string         // where compiled code is kept if the user's folder for caches cannot be written to; empty: nowhere
	CompiledDir   string         // what Compile has made, if it is there; only who runs the program, or root, may be able to write to it
	IdleTime      time.Duration  // after which a worker without work gives models and pages back; default 10 minutes; negative: never
	Log           *slog.Logger   // default: none

	LoadWhenNeeded bool // models are loaded for the first region that needs them, instead of at the start
}

// NoModels means no folder of models.
const NoModels = "none"

const defaultMemoryLimit = 3 << 30 // the largest page is 600 MB, of which decoders hold up to four copies

const processors = 1 // of the Go program of a worker, which has one job at a time, mostly in C

// Engine reads regions and renders pages in worker processes. It is safe for concurrent use.
type Engine struct {
	pool      *workerpool.Pool
	pdf       *pdfPool
	tessdata  tessdata
	missing   string // why there is no second recogniser; empty where a worker will tell
	maxPixels int64
	files     document.Files
}

var (
	_ recognition.Engine = (*Engine)(nil)
	_ document.Imager    = (*Engine)(nil)
)

// Start starts the workers. It fails without traineddata. It retries workers that do not start; Ready returns the reason.
func Start(o Options) (*Engine, error) {
	if o.MaxPixels <= 0 {
		o.MaxPixels = 150_000_000
	}
	if o.MemoryLimit <= 0 {
		o.MemoryLimit = max(defaultMemoryLimit, 20*o.MaxPixels) // 4 bytes a pixel, and copies of that while it is decoded
	}
	found, err := findTessdata(o.TessdataDirs, o.TempDir)
	if err != nil {
		return nil, err
	}
	models, missing, err := findModels(o.Models)
	if err != nil {
		return nil, err
	}
	setup, err := json.Marshal(protocol.Setup{Tessdata: found.folder, Warm: warmLanguages(found.languages), Memory: o.MemoryLimit,
		Models: models, LoadWhenNeeded: o.LoadWhenNeeded})
	if err != nil {
		return nil, err
	}
	pdf, err := startPDF(o)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(found.made))
	}
	pool := workerpool.Start(workerpool.Options{Command: append(slices.Clone(o.Command), string(setup)),
		Environment: workerEnvironment(processors), Workers: o.Workers,
		JobTimeout: o.RegionTimeout, QueueSize: o.QueueSize, MaxServed: o.MaxServed, MaxMemory: o.MaxMemory,
		IdleTime: o.IdleTime, Log: o.Log})
	return &Engine{pool: pool, pdf: pdf, tessdata: found, missing: missing, maxPixels: o.MaxPixels, files: o.Files}, nil
}

// findModels returns the files of the second recogniser, or why it is missing. An error is about a folder that was named.
func findModels(folder string) (files *ppocr.Files, missing string, err error) {
	if folder == NoModels {
		return nil, "the configuration wants none", nil
	}
	named := folder != ""
	if !named {
		if folder, err = ppocr.DefaultFolder(); err != nil {
			return nil, err.Error(), nil //nolint:nilerr // it is told as what is missing
		}
	}
	found, err := ppocr.Find(folder)
	switch {
	case err == nil:
		return &found, "", nil
	case named:
		return nil, "", fmt.Errorf("the folder of models %s: %w", folder, err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, "there is no folder " + folder + ", which scripts/models makes", nil
	}
	return nil, err.Error(), nil
}

// warmLanguages returns the languages whose models a worker loads at its start.
func warmLanguages(installed []language) (warm []string) {
	for _, l := range installed {
		if l.code == "eng" || l.code == "kor" {
			warm = append(warm, l.code)
		}
	}
	if warm == nil {
		warm = []string{installed[0].code}
	}
	return warm
}

// workerEnvironment is empty but for what the loader and the libraries need. OpenMP is held to one thread, since its threads wait for
// one another actively and slow down several workers tenfold. malloc is held to one arena, since memory that one thread freed is
// of no use to another in a different arena, which counts where memory is limited. Go has few processors, since idle ones
// collect garbage and look for work at the cost of other workers.
func workerEnvironment(processors int) []string {
	env := []string{"OMP_THREAD_LIMIT=1", "OMP_NUM_THREADS=1", "LC_ALL=C", "MALLOC_ARENA_MAX=1", fmt.Sprint("GOMAXPROCS=", processors)}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// Close ends the workers. It finishes running work first, within RegionTimeout; waiting work fails as Unavailable.
func (e *Engine) Close() error {
	e.pool.Close()
	e.pdf.pool.Close()
	return os.RemoveAll(e.tessdata.made)
}

// Tessdata returns the folder of traineddata that the workers use.
func (e *Engine) Tessdata() string { return e.tessdata.folder }

// Ready returns nil if a worker runs, and otherwise the reason: Unavailable.
func (e *Engine) Ready(context.Context) error { return e.pool.Ready() }

// Stats returns the current counts of the workers.
func (e *Engine) Stats() workerpool.Stats { return e.pool.Stats() }

// name returns the name and version of the recogniser, as the workers report them; empty before the first worker has started.
func (e *Engine) name() string {
	var about protocol.About
	_ = json.Unmarshal(e.pool.About(), &about) // empty as it stays where there is nothing yet
	return about.Engine
}

// About describes the parts of an engine.
type About struct {
	Name       string   // and version of what reads; empty before the first worker has started
	Tessdata   string   // folder of the traineddata
	Models     []string // of the second recogniser; none where it is missing
	Runtime    string   // name and version of what runs the models
	Missing    string   // why there is no second recogniser; empty where there is one
	Unconfined []string // what the system does not offer of the confinement of workers

	HEIF HEIF
}

// HEIF describes the decoder of HEIC and AVIF, the file formats of phones.
type HEIF struct {
	Library string   // name and version; empty where it is missing
	Formats []string // those that are decoded, by name
	Missing string   // what is missing, and why; empty where nothing is
}

// About returns the parts of the engine, as its newest worker reports them.
func (e *Engine) About() About {
	a := About{Tessdata: e.tessdata.folder, Missing: e.missing, Unconfined: e.pool.Missing()}
	var worker protocol.About
	if err := json.Unmarshal(e.pool.About(), &worker); err != nil {
		a.Missing = cmp.Or(a.Missing, "no worker has started yet")
		a.HEIF.Missing = "no worker has started yet"
		return a
	}
	a.Name, a.Models, a.Runtime = worker.Engine, worker.Second.Models, worker.Second.Runtime
	a.Missing = cmp.Or(a.Missing, worker.Second.Missing)
	a.HEIF = HEIF(worker.HEIF)
	return a
}

// batchSize is the number of regions from which an order gives way to smaller ones.
const batchSize = 32

// Recognize reads the regions of an order; see recognition.Engine.
func (e *Engine) Recognize(ctx context.Context, o recognition.Order) ([]recognition.Reading, error) {
	batch := o.Batch || len(o.Tasks) > batchSize
	var ahead bool
	if isPDF(o.Page) && !e.pool.Holds(e.pdf.rendered(o.Page, o.UserID, batch).Key) {
		if leave := e.pdf.place(o.Page); leave != nil {
			ahead = true
			defer leave()
		}
	}
	readings, left, rendered, err := e.takeText(ctx, o, batch, ahead)
	if err != nil || len(left) == 0 {
		return readings, err
	}
	if ahead && rendered == nil {
		if rendered, err = e.pdf.render(ctx, o.Page, o.UserID, batch); err != nil {
			return nil, err
		}
	}
	rest := o
	rest.Tasks = make([]recognition.Task, len(left))
	for i, task := range left {
		rest.Tasks[i] = o.Tasks[task]
	}
	read, err := e.readAll(ctx, protocol.Read, rest, batch, rendered)
	if err != nil {
		return nil, err
	}
	for i, task := range left {
		readings[task] = read[i]
		readings[task].Source = recognition.SourceOCR
	}
	return readings, nil
}

// takeText takes the text of regions from the text layer of their page, if there is one. It returns a reading for each region, and which of
// them are still to be read. For these it may also return the rendered page, if that is wanted.
func (e *Engine) takeText(ctx context.Context, o recognition.Order, batch, render bool) (
	readings []recognition.Reading, left []int, rendered []byte, err error,
) {
	readings = make([]recognition.Reading, len(o.Tasks))
	var boxes []document.Box
	var asked []int
	only := true // what has no text is not read
	for i, t := range o.Tasks {
		switch {
		case t.Source == recognition.SourceOCR || !isPDF(o.Page) && t.Source != recognition.SourceText:
			left = append(left, i)
		case !isPDF(o.Page):
			readings[i] = withoutText("the file is an image")
		default:
			asked, boxes = append(asked, i), append(boxes, t.Box)
			only = only && t.Source == recognition.SourceText
		}
	}
	if len(asked) == 0 {
		return readings, left, nil, nil
	}
	texts, reasons, rendered, err := e.pdf.texts(ctx, o.Page, o.UserID, batch, boxes,
		protocol.PDFJob{Glyphs: only, Render: render && !only})
	if err != nil {
		return nil, nil, nil, err
	}
	for i, task := range asked {
		t := o.Tasks[task]
		if texts[i] != nil && !read.OnlyOf(texts[i].Text, t.Charset) {
			texts[i], reasons[i] = nil, "the text layer has other characters here than those of charset"
		}
		switch {
		case texts[i] != nil:
			readings[task] = *texts[i]
			readings[task].Lang, readings[task].Effort = e.tessdata.written(texts[i].Text, t), t.Effort
		case t.Source == recognition.SourceText:
			readings[task] = withoutText(reasons[i])
		default:
			left = append(left, task)
		}
	}
	slices.Sort(left)
	return readings, left, rendered, nil
}

// withoutText is the reading of a region whose text was requested from the text layer and cannot be taken from there.
func withoutText(reason string) recognition.Reading {
	return recognition.Reading{Engine: layer.Engine, Source: recognition.SourceText,
		Error: &fault.Failure{Code: recognition.CodeNoText, Detail: "The text layer cannot be used: " + reason + "."}}
}

// Plain reads the regions of an order with the plain loop, for benchmarks: no retries, no words, no confidence. It uses the shape of a
// task as given, and scales lines. Duration covers exactly this work in the worker, after the page is decoded and the model loaded.
// Errors are those of Recognize.
func (e *Engine) Plain(ctx context.Context, o recognition.Order) ([]recognition.Reading, error) {
	return e.readAll(ctx, protocol.Plain, o, o.Batch, nil)
}

// readAll has all regions of an order read. The rendered page may be given; otherwise the page is opened when a worker asks for it.
func (e *Engine) readAll(ctx context.Context, operation string, o recognition.Order, batch bool, rendered []byte) (
	[]recognition.Reading, error,
) {
	order := e.order(o.Page, o.UserID, batch)
	if rendered != nil {
		order.Page.Size = int64(len(rendered))
		order.Page.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(rendered)), nil }
	}
	tasks := largestFirst(o.Tasks)
	for _, i := range tasks {
		j := protocol.Job{Task: o.Tasks[i]}
		if operation == protocol.Read {
			j.Tongues = e.tessdata.tongues(j.Task.Mode, j.Task.Lang)
		}
		order.Jobs = append(order.Jobs, e.job(o.Page, operation, j))
	}
	readings := make([]recognition.Reading, len(o.Tasks))
	err := e.pool.Do(ctx, order, func(job int, a workerpool.Answer, err error) error {
		readings[tasks[job]], err = e.reading(a, err)
		return err
	})
	if err != nil {
		return nil, err
	}
	return readings, nil
}

// largestFirst returns the indices of tasks from the largest region to the smallest, so that no worker begins a long task when the others
// are about to finish.
func largestFirst(tasks []recognition.Task) []int {
	area := func(b document.Box) int { return b.Width() * b.Height() }
	order := make([]int, len(tasks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(area(tasks[b].Box), area(tasks[a].Box)) })
	return order
}

// reading returns the reading of an answer, which may be a failed one, or the error of the whole order.
func (e *Engine) reading(a workerpool.Answer, err error) (recognition.Reading, error) {
	failed := func(code, detail string) (recognition.Reading, error) {
		return recognition.Reading{Engine: e.name(), Error: &fault.Failure{Code: code, Detail: detail}}, nil
	}
	broken, isBroken := errors.AsType[*workerpool.BrokenError](err)
	f, isFault := errors.AsType[*fault.Fault](err)
	switch {
	case isBroken && broken.Timeout:
		return failed(recognition.CodeDeadline, "The region could not be read within "+e.pool.JobTimeout().String()+".")
	case isBroken && broken.Opening:
		return recognition.Reading{}, errUndecodable.Because(err)
	case isBroken:
		return failed(recognition.CodeCrashed, "The engine crashed while it read the region.")
	case isFault && f.Code == recognition.CodeFailed:
		return failed(f.Code, f.Text)
	case err != nil:
		return recognition.Reading{}, err
	}
	var answer protocol.Answer
	if err := json.Unmarshal(a.Payload, &answer); err != nil || answer.Reading == nil {
		return failed(recognition.CodeFailed, "The engine returned no answer.")
	}
	return *answer.Reading, nil
}

var errUndecodable = fault.New(fault.Unsupported, "unsupported_image", "The image cannot be decoded.")

func (e *Engine) order(page document.Page, user int64, batch bool) workerpool.Order {
	if isPDF(page) {
		return workerpool.Order{Page: e.pdf.rendered(page, user, batch), User: user, Batch: batch}
	}
	open := func(ctx context.Context) (io.ReadCloser, error) { return e.files.Open(ctx, page.File) }
	return workerpool.Order{Page: workerpool.Page{Key: page.Key(), Size: page.File.Size, Open: open}, User: user, Batch: batch}
}

func (e *Engine) job(page document.Page, operation string, j protocol.Job) workerpool.Job {
	j.MaxPixels, j.Rotation, j.Page = e.maxPixels, page.Rotation, page.Number
	if isPDF(page) {
		j.Page = 1 // of the file that was rendered
	}
	return workerpool.Job{Operation: operation, Payload: j}
}

// Prepared returns the first image that is read for a region; see recognition.Engine.
func (e *Engine) Prepared(ctx context.Context, o recognition.Order) (document.Rendition, error) {
	return e.render(ctx, o.Page, o.UserID, protocol.Prepared, protocol.Job{Task: o.Tasks[0]})
}

// Cut returns a region as it is on the page, as PNG in shades of grey, to measure how other programs read it.
func (e *Engine) Cut(ctx context.Context, page document.Page, box document.Box) (document.Rendition, error) {
	return e.render(ctx, page, 0, protocol.Cut, protocol.Job{Task: recognition.Task{Box: box}})
}

// Layout finds the text of a page; see recognition.Engine.
func (e *Engine) Layout(ctx context.Context, page document.Page, level recognition.Level) ([]recognition.Suggestion, error) {
	a, _, err := e.one(ctx, page, 0, protocol.Layout, protocol.Job{Level: level})
	return a.Suggestions, err
}

// Languages returns the installed languages; see recognition.Engine.
func (e *Engine) Languages(context.Context) ([]string, error) {
	codes := make([]string, len(e.tessdata.languages))
	for i, l := range e.tessdata.languages {
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
func (e *Engine) Modes() map[recognition.Mode]string {
	return map[recognition.Mode]string{
		modeLegacy:           "The legacy engine (needs legacy traineddata)",
		modeLSTM:             "The neural network (LSTM)",
		modeBoth:             "Both engines (needs legacy traineddata)",
		recognition.BestMode: "The best available one",
	}
}

// Check names the languages whose traineddata has no model for the mode; see recognition.Engine.
func (e *Engine) Check(mode recognition.Mode, lang []string) (fields []fault.Field) {
	if _, ok := e.Modes()[mode]; !ok {
		return []fault.Field{{Field: "oem", Detail: "0, 1, 2 or 3"}}
	}
	if slices.Contains(lang, recognition.AutoLang) && len(e.tessdata.tongues(mode, lang)) == 0 {
		fields = append(fields, fault.Field{Field: "oem", Detail: fmt.Sprintf("no language has a model for engine mode %d", mode)})
	}
	for _, l := range e.tessdata.languages {
		if slices.Contains(lang, l.code) && !l.supports(mode) {
			detail := fmt.Sprintf("the traineddata of %s has no model for engine mode %d", l.code, mode)
			fields = append(fields, fault.Field{Field: "oem", Detail: detail})
		}
	}
	return fields
}

// Probe parses the headers of an image file in this process, and lets a worker examine a PDF file; see document.Imager.
func (e *Engine) Probe(ctx context.Context, f document.File) (document.Probe, error) {
	r, file, err := e.open(ctx, f)
	if err != nil {
		return document.Probe{}, err
	}
	defer r.Close()
	if imagefile.IsPDF(file, f.Size) {
		return e.pdf.probe(ctx, f)
	}
	h, err := imagefile.ReadHeader(file, f.Size, e.maxPixels)
	if err != nil {
		return document.Probe{}, err
	}
	probe := document.Probe{MediaType: h.MediaType, Frames: imagefile.Frames(file, f.Size, h)}
	for _, page := range imagefile.ReadPages(file, f.Size, e.maxPixels, h) {
		found := document.PageProbe{DPI: page.DPI()}
		found.Width, found.Height = page.Upright()
		if page.Err != nil {
			reason := fault.Of(page.Err)
			found.Error = &fault.Failure{Code: reason.Code, Detail: reason.Text}
		}
		probe.Pages = append(probe.Pages, found)
	}
	return probe, nil
}

// Orientation returns the EXIF orientation of a file, from 1, upright, to 8. Errors are those of Probe.
func (e *Engine) Orientation(ctx context.Context, f document.File) (int, error) {
	if f.MediaType == imagefile.PDF {
		return 1, nil
	}
	h, err := e.header(ctx, f)
	return h.Orientation, err
}

func (e *Engine) header(ctx context.Context, f document.File) (imagefile.Header, error) {
	r, file, err := e.open(ctx, f)
	if err != nil {
		return imagefile.Header{}, err
	}
	defer r.Close()
	return imagefile.ReadHeader(file, f.Size, e.maxPixels)
}

// open opens a file to be read at offsets. The first result is to be closed.
func (e *Engine) open(ctx context.Context, f document.File) (io.Closer, io.ReaderAt, error) {
	r, err := e.files.Open(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	switch at := r.(type) {
	case io.ReaderAt:
		return r, at, nil
	case io.ReadSeeker:
		return r, &seekingReaderAt{at}, nil
	}
	data, err := io.ReadAll(io.LimitReader(r, f.Size))
	if err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return r, bytes.NewReader(data), nil
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
func (e *Engine) Thumbnail(ctx context.Context, page document.Page, side int) (document.Rendition, error) {
	if isPDF(page) {
		return e.pdf.view(ctx, page, document.Box{}, side, side)
	}
	return e.render(ctx, page, 0, protocol.Thumbnail, protocol.Job{Side: side})
}

// View renders a part of a page for a browser; see document.Imager.
func (e *Engine) View(ctx context.Context, page document.Page, part document.Box, width int) (document.Rendition, error) {
	if isPDF(page) && e.pdf.views(part, width) {
		return e.pdf.view(ctx, page, part, width, imagefile.MaxSide)
	}
	return e.render(ctx, page, 0, protocol.View, protocol.Job{Side: width, Task: recognition.Task{Box: part}})
}

func (e *Engine) render(ctx context.Context, page document.Page, user int64, operation string, j protocol.Job) (document.Rendition, error) {
	a, bytes, err := e.one(ctx, page, user, operation, j)
	return document.Rendition{MediaType: a.Media, Bytes: bytes}, err
}

// one does a single job about a page.
func (e *Engine) one(ctx context.Context, page document.Page, user int64, operation string, j protocol.Job) (
	a protocol.Answer, bytes []byte, err error,
) {
	order := e.order(page, user, false)
	order.Jobs = []workerpool.Job{e.job(page, operation, j)}
	err = e.pool.Do(ctx, order, func(_ int, answer workerpool.Answer, err error) error {
		broken, isBroken := errors.AsType[*workerpool.BrokenError](err)
		switch {
		case isBroken && broken.Timeout:
			return fault.New(fault.Deadline, "page_deadline", "The page took too long to process.").Because(err)
		case isBroken && broken.Opening:
			return errUndecodable.Because(err)
		case isBroken:
			return fault.New(fault.Unavailable, recognition.CodeCrashed, "The engine crashed on the page.").Because(err).After(time.Second)
		case err != nil:
			return err
		}
		bytes = answer.Bytes
		return json.Unmarshal(answer.Payload, &a)
	})
	return a, bytes, err
}

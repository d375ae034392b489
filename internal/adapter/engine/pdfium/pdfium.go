// Package pdfium is the program in a worker process for PDF files. It renders pages and extracts their text layers with pdfium, which
// is WebAssembly here: it is compiled before the process is confined, and can access only its own memory. Run is its only exported
// function, and runs only in worker processes.
//
// pdfium.go is the program, file.go an open file, units.go and scan.go the sizes of its pages, render.go their renditions, text.go
// their text layers, and copy.go rewrites files.
package pdfium

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/workerpool"
)

// maxMemory is what pdfium may have, in pages of 64 KiB. A file is not held in it.
const maxMemory = 1 << 30 >> 16

// Run runs a worker process for PDF files, or one that only compiles. It returns an error if the process cannot work.
func Run(setup protocol.Setup) error {
	if setup.PDF.Compile {
		_, err := compile(setup.PDF.Cache)
		return err
	}
	debug.SetGCPercent(50) // most allocations are large and short-lived
	about := protocol.AboutPDF{Name: "pdfium, by " + module, Cache: setup.PDF.Cache}
	instance, err := compile(setup.PDF.Cache)
	if err != nil && setup.PDF.Cache != "" { // what the folder has may be damaged, or nothing can be written to it
		about.Cache = ""
		instance, err = compile("")
	}
	if err != nil {
		return fmt.Errorf("pdfium: %w", err)
	}
	l := &library{pdfium: instance}
	handlers := map[string]workerpool.Handler{}
	for operation, do := range operations {
		handlers[operation] = func(r *workerpool.Request) (workerpool.Result, error) { return l.answer(r, do) }
	}
	debug.FreeOSMemory()
	return workerpool.Serve(workerpool.Program{Memory: setup.Memory, About: about, Handlers: handlers})
}

const module = "go-pdfium 1.21.4 and wazero 1.12.0"

// compile makes pdfium ready to be called. It maps executable memory, which a confined process cannot.
func compile(cache string) (pdfium.Pdfium, error) {
	ctx := experimental.WithCompilationWorkers(context.Background(), 2)
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(maxMemory)
	if cache != "" {
		compiled, err := wazero.NewCompilationCacheWithDir(cache)
		if err != nil {
			return nil, err
		}
		config = config.WithCompilationCache(compiled)
	}
	pool, err := webassembly.Init(webassembly.Config{Context: ctx, MinIdle: 1, MaxIdle: 1, MaxTotal: 1, RuntimeConfig: config,
		FSConfig: wazero.NewFSConfig()}) // no files
	if err != nil {
		return nil, err
	}
	return pool.GetInstance(time.Minute)
}

// library is what one worker process holds: pdfium, open files and rendered pages, each bounded.
type library struct {
	pdfium pdfium.Pdfium
	files  []*file // the least recently used first
	sheets []*sheet
}

const (
	maxFiles      = 4
	maxFileBytes  = 256 << 20 // the one in use is always held
	maxSheetBytes = 96 << 20
)

// operation does one job on an open file.
type operation func(*library, *file, protocol.PDFJob) (protocol.PDFAnswer, []byte, error)

var operations = map[string]operation{
	protocol.PDFPages:  (*library).pages,
	protocol.PDFRender: (*library).render,
	protocol.PDFView:   (*library).view,
	protocol.PDFText:   (*library).text,
	protocol.PDFCopy:   (*library).copy,
}

// answer opens the file of a job and does it.
func (l *library) answer(r *workerpool.Request, do operation) (workerpool.Result, error) {
	var job protocol.PDFJob
	if err := r.Decode(&job); err != nil {
		return workerpool.Result{}, err
	}
	f, err := l.open(r, job.Password)
	if err != nil {
		return workerpool.Result{}, err
	}
	answer, bytes, err := do(l, f, job)
	return workerpool.Result{Payload: answer, Bytes: bytes}, err
}

// broken ends the process: after an error that pdfium does not expect, its memory may be in any state. The pool starts another one.
func broken(err error) {
	fmt.Fprintln(os.Stderr, "pdfium:", err)
	os.Exit(1)
}

// mustBeWhole ends the process where an error says that pdfium was stopped in the middle of its work.
func mustBeWhole(err error) {
	if err != nil && (strings.Contains(err.Error(), "wasm error") || strings.Contains(err.Error(), "panic occurred")) {
		broken(err)
	}
}

package engine

import (
	"os"
	"testing"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// start starts an engine whose workers are this test binary.
func start(t testing.TB, change ...func(*Options)) *Engine {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Files: porttest.Files(nil), Command: []string{program, "worker"}, Workers: 2, RegionTimeout: time.Minute}
	for _, c := range change {
		c(&o)
	}
	p, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// alone is an engine for tests of pages: one worker, with Tesseract alone.
func alone(o *Options) { o.Workers, o.Models = 1, NoModels }

func TestImager(t *testing.T) {
	p := start(t, func(o *Options) { o.Models = NoModels })
	porttest.Imager(t, func(*testing.T) document.Imager { return p })
}

func TestEngine(t *testing.T) {
	p := start(t)
	porttest.Engine(t, func(*testing.T) recognition.Engine { return p })
}

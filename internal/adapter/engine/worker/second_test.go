package worker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/adapter/engine/ppocr"
	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/workerpool"
)

// modelsForTest returns the models of this machine; where there are none, the test is skipped unless they are required.
func modelsForTest(t testing.TB) ppocr.Files {
	t.Helper()
	folder, err := ppocr.DefaultFolder()
	if err != nil {
		t.Fatal(err)
	}
	found, err := ppocr.Find(cmp.Or(os.Getenv("GLYPHBOX_MODELS"), folder))
	if errors.Is(err, fs.ErrNotExist) {
		check.Absent(t, "models", "run scripts/models")
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestMain lets the test binary be a worker that has the second recogniser and nothing else.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		if err := secondForTest(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func secondForTest(files string) error {
	var found ppocr.Files
	if err := json.Unmarshal([]byte(files), &found); err != nil {
		return err
	}
	l := &library{}
	about := l.openModels(&found)
	return workerpool.Serve(workerpool.Program{Readable: found.Paths(), Memory: 1 << 30, About: about, Warm: l.loadModels,
		Handlers: map[string]workerpool.Handler{
			"sample": func(r *workerpool.Request) (workerpool.Result, error) {
				file, err := r.Bytes()
				if err != nil {
					return workerpool.Result{}, err
				}
				text, err := readSample(l, file)
				return workerpool.Result{Payload: text}, errors.Join(err, r.Opened())
			},
			"noise": func(r *workerpool.Request) (workerpool.Result, error) {
				var seed uint64
				err := r.Decode(&seed)
				return workerpool.Result{}, errors.Join(err, readNoise(l, rand.New(rand.NewPCG(seed, 0))))
			},
			"open": func(*workerpool.Request) (workerpool.Result, error) {
				_, err := os.ReadFile("/etc/passwd")
				return workerpool.Result{Payload: fmt.Sprint(err)}, nil
			},
		}})
}

// readSample finds the lines of a page and reads them from above.
func readSample(l *library, file []byte) (string, error) {
	decoded, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return "", err
	}
	page := read.RGB{Width: decoded.Bounds().Dx(), Height: decoded.Bounds().Dy()}
	for y := range page.Height {
		for x := range page.Width {
			r, g, b, _ := decoded.At(x, y).RGBA()
			page.Pix = append(page.Pix, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	quads, err := l.second.detector.Detect(page)
	if err != nil {
		return "", err
	}
	slices.SortFunc(quads, func(a, b read.Quad) int { return cmp.Compare(a[0].Y, b[0].Y) })
	var text strings.Builder
	for _, q := range quads {
		x1, y1, x2, y2 := max(0, int(q[0].X)), max(0, int(q[0].Y)), min(page.Width, int(q[2].X)+1), min(page.Height, int(q[2].Y)+1)
		line := read.RGB{Width: x2 - x1, Height: y2 - y1}
		for y := y1; y < y2; y++ {
			line.Pix = append(line.Pix, page.Pix[3*(y*page.Width+x1):3*(y*page.Width+x2)]...)
		}
		chars, err := l.second.recognisers[0].Read(line, 0, "")
		if err != nil {
			return "", err
		}
		for _, c := range chars {
			if c.Prob < 0 || c.Prob > 1.0001 || c.Space < 0 || c.Space > 1.0001 || c.X1 < 0 || c.X2 <= c.X1 || c.X2 > float64(line.Width) {
				return "", fmt.Errorf("character %+v in a line of %d pixels", c, line.Width)
			}
		}
		text.WriteString(ppocr.Text(chars) + "\n")
	}
	return text.String(), nil
}

// noise is an image of random pixels.
func noise(random *rand.Rand, width, height int) read.RGB {
	m := read.RGB{Width: width, Height: height, Pix: make([]uint8, 3*width*height)}
	for i := range m.Pix {
		m.Pix[i] = uint8(random.Uint32())
	}
	return m
}

// readNoise reads a line of a random width, and every eighth time looks for lines on a page.
func readNoise(l *library, random *rand.Rand) error {
	if _, err := l.second.recognisers[0].Read(noise(random, 20+random.IntN(600), 40), 0, ""); err != nil || random.IntN(8) > 0 {
		return err
	}
	_, err := l.second.detector.Detect(noise(random, 960, 640))
	return err
}

// BenchmarkDetect looks for lines on a page as large as the detector gets at most.
func BenchmarkDetect(b *testing.B) {
	files := modelsForTest(b)
	l := &library{}
	l.openModels(&files)
	if err := l.loadModels(); err != nil {
		b.Fatal(err)
	}
	page := noise(rand.New(rand.NewPCG(0, 0)), 1500, 1000)
	for b.Loop() {
		if _, err := l.second.detector.Detect(page); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSecondRecogniserIsConfined(t *testing.T) {
	files, err := json.Marshal(modelsForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile("../../../../docs/sample.png")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	pool := workerpool.Start(workerpool.Options{Command: []string{program, "worker", string(files)},
		Environment: []string{"MALLOC_ARENA_MAX=1", "GOMAXPROCS=1", "HOME=" + home},
		Workers:     1, JobTimeout: time.Minute})
	defer pool.Close()
	page := workerpool.Page{Key: "sample", Size: int64(len(sample)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(sample)), nil }}
	do := func(operation string, payloads ...any) (answer string) {
		t.Helper()
		order := workerpool.Order{Page: page}
		for _, p := range payloads {
			order.Jobs = append(order.Jobs, workerpool.Job{Operation: operation, Payload: p})
		}
		err := pool.Do(t.Context(), order, func(_ int, a workerpool.Answer, err error) error {
			if err == nil && len(a.Payload) > 0 {
				err = json.Unmarshal(a.Payload, &answer)
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
		return answer
	}
	text := do("sample", nil)
	for _, want := range []string{"Invoice No. 1742", "Total amount 39.80"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if got := do("open", nil); len(pool.Missing()) == 0 && !strings.Contains(got, "permission denied") {
		t.Errorf("opening /etc/passwd with the models loaded: %s", got)
	}
	if noted, err := os.ReadDir(home); err != nil || len(noted) > 0 { // by the telemetry of the library
		t.Errorf("in the home folder are %v, %v", noted, err)
	}
	var seeds []any
	for seed := range uint64(40) {
		seeds = append(seeds, seed)
	}
	const limit = 450_000_000 // bytes
	do("noise", seeds[:20]...)
	before := pool.Stats().Memory
	do("noise", seeds[20:]...)
	after := pool.Stats().Memory
	t.Logf("%d MB after 20 lines, %d MB after 40", before/1e6, after/1e6)
	if after > limit || after > before+100_000_000 {
		t.Errorf("the worker has %d MB after 20 lines and %d MB after 40", before/1e6, after/1e6)
	}
}

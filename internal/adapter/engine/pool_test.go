package engine

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"glyphbox/internal/adapter/engine/traineddata"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/workerpool/pooltest"
)

func ready(t testing.TB, p *Engine) {
	t.Helper()
	page, boxes := porttest.DrawLines("ready")
	if _, err := p.Recognize(t.Context(), orderOf(porttest.PageOf(porttest.PNG(page)), boxes...)); err != nil {
		t.Fatal(err)
	}
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func orderOf(page document.Page, boxes ...document.Box) recognition.Order {
	o := recognition.Order{Page: page, UserID: 1}
	for _, b := range boxes {
		o.Tasks = append(o.Tasks, recognition.Task{Box: b, Lang: []string{"eng"}, Mode: recognition.BestMode})
	}
	return o
}

// Workers are killed, stopped and crashed at random, one whenever an order is answered: every region is answered, right or failed by name.
func TestWorkersThatBreak(t *testing.T) {
	p := start(t, func(o *Options) { o.RegionTimeout, o.Models = 3*time.Second, NoModels })
	ready(t, p)
	lines := []string{"The quick brown fox", "jumps over", "the lazy dog", "and sleeps"}
	drawn, boxes := porttest.DrawLines(lines...)
	page := porttest.PageOf(porttest.PNG(drawn))
	rounds := 2
	if check.Soak() {
		rounds = 20
	}
	var answered, failed atomic.Int64
	orders := make(chan int, 4*rounds) // that were answered
	var harm, clients sync.WaitGroup
	harm.Go(func() {
		signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGSTOP, syscall.SIGABRT}
		for n := range orders {
			if pids := pooltest.WorkersOf(t, os.Getpid()); len(pids) > 0 {
				_ = syscall.Kill(pids[rand.IntN(len(pids))], signals[n%len(signals)])
			}
		}
	})
	for range 4 {
		clients.Go(func() {
			for n := range rounds {
				orders <- n
				readings, err := p.Recognize(t.Context(), orderOf(page, slices.Concat(boxes, boxes)...))
				if fault.Is(err, fault.Unsupported) { // broke twice while it decoded the page, which counts as the page's fault
					failed.Add(int64(2 * len(lines)))
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				for i, r := range readings {
					switch {
					case r.Error == nil && strings.EqualFold(r.Text, lines[i%len(lines)]):
						answered.Add(1)
					case r.Error != nil && (r.Error.Code == recognition.CodeCrashed || r.Error.Code == recognition.CodeDeadline):
						failed.Add(1)
					default:
						t.Errorf("region %d: got %q, %+v", i, r.Text, r.Error)
					}
				}
			}
		})
	}
	clients.Wait()
	close(orders)
	harm.Wait()
	if n := answered.Load() + failed.Load(); n != int64(4*rounds*8) || answered.Load() < failed.Load() {
		t.Errorf("%d answered, %d failed", answered.Load(), failed.Load())
	}
	if s := p.Stats(); s.Restarts == 0 {
		t.Errorf("no worker was replaced: %+v", s)
	}
	t.Logf("%d answered, %d failed, %+v", answered.Load(), failed.Load(), p.Stats())
	ready(t, p)
	pids := pooltest.WorkersOf(t, os.Getpid())
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	pooltest.WaitUntilGone(t, pids)
}

// A worker that rests holds no models and reads as well when it has work again.
func TestRestingWorkersRead(t *testing.T) {
	p := start(t, func(o *Options) { o.Workers, o.IdleTime, o.Models = 1, time.Millisecond, NoModels })
	drawn, boxes := porttest.DrawLines("After a rest")
	page := porttest.PageOf(porttest.PNG(drawn))
	var fresh, awake int64 // bytes
	for range 3 {
		for p.Stats().Resting < 1 {
			time.Sleep(time.Millisecond) // no signal tells
		}
		memory := p.Stats().Memory
		if fresh == 0 {
			fresh = memory
		} else if memory-fresh > (awake-fresh)/2 {
			t.Errorf("a worker that rests holds %d MB; one that has not worked holds %d, and one that works %d",
				memory>>20, fresh>>20, awake>>20)
		}
		readings, err := p.Recognize(t.Context(), orderOf(page, boxes...))
		if err != nil || readings[0].Text != "After a rest" {
			t.Errorf("got %+v, %v", readings, err)
		}
		awake = max(awake, p.Stats().Memory)
	}
	if s := p.Stats(); s.Restarts != 0 || s.Recycled != 0 {
		t.Errorf("got %+v", s)
	}
}

// Files that break image software break nothing here: each is read or refused by name, and the pool goes on.
func TestHostileFiles(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/hostile/*.*")
	if len(files) == 0 {
		t.Skip("the hostile files are not beside the project (../shared/hostile)")
	}
	effort := recognition.EffortBalanced
	p := start(t, func(o *Options) {
		if o.RegionTimeout = 20 * time.Second; !check.Soak() { // for files that take all the time that they get
			o.RegionTimeout, o.Models, effort = 8*time.Second, NoModels, recognition.EffortFast
		}
	})
	drawn, boxes := porttest.DrawLines("still here")
	plain := orderOf(porttest.PageOf(porttest.PNG(drawn)), boxes...)
	plain.UserID = 2
	begun := make(chan string, len(files)) // for each of them a plain page is read meanwhile
	var undisturbed sync.WaitGroup
	undisturbed.Go(func() {
		for name := range begun {
			readings, err := p.Recognize(t.Context(), plain)
			if err != nil || readings[0].Text != "still here" {
				t.Errorf("a plain page beside %s: got %+v, %v", name, readings, err)
			}
		}
	})
	var work sync.WaitGroup
	queue := make(chan string)
	for range 4 {
		work.Go(func() {
			for name := range queue {
				begun <- filepath.Base(name)
				file, err := os.ReadFile(name)
				if err != nil {
					t.Error(err)
					continue
				}
				page := porttest.PageOf(file)
				probe, probeErr := p.Probe(t.Context(), page.File)
				g := probe.Geometry(1)
				_, thumbErr := p.Thumbnail(t.Context(), page, 128)
				box := document.Box{X2: max(1, g.Width), Y2: max(1, g.Height)}
				if !check.Soak() { // what is harmful is decoded anyway
					box.X2, box.Y2 = min(box.X2, 600), min(box.Y2, 400)
				}
				order := orderOf(page, box)
				order.Tasks[0].Effort = effort
				_, readErr := p.Recognize(t.Context(), order)
				for _, err := range []error{probeErr, thumbErr, readErr} {
					if err == nil {
						continue
					}
					switch fault.KindOf(err) {
					case fault.Unsupported, fault.TooLarge, fault.Deadline, fault.Unavailable:
					default:
						t.Errorf("%s: %v", filepath.Base(name), err)
					}
				}
				if thumbErr == nil && probeErr != nil {
					t.Errorf("%s has a thumbnail and no header", filepath.Base(name))
				}
				t.Logf("%s: %dx%d %s probe %v, thumbnail %v, reading %v", filepath.Base(name), g.Width, g.Height, g.MediaType, probeErr,
					thumbErr, readErr)
			}
		})
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".jsonl") {
			continue
		}
		queue <- name
	}
	close(queue)
	work.Wait()
	close(begun)
	undisturbed.Wait()
	t.Logf("%+v", p.Stats())
}

// Traineddata of several folders is offered together; the first folder that has a name counts, and nothing is left behind.
func TestTraineddataOfSeveralFolders(t *testing.T) {
	installed, err := findTessdata(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	system := installed.folder
	more, temp := t.TempDir(), t.TempDir()
	for name, mode := range map[string]os.FileMode{"script": 0o700, ".hidden": 0o700, "lost+found": 0} {
		if err := os.Mkdir(filepath.Join(more, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	eng, err := os.ReadFile(filepath.Join(system, "eng.traineddata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"abc", "kor", "script/Abc", ".hidden/abc"} { // kor is English here
		if err := os.WriteFile(filepath.Join(more, name+traineddata.Suffix), eng, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, func(o *Options) { o.TessdataDirs, o.TempDir = []string{t.TempDir(), more, system}, temp })
	if p.Tessdata() == system || !strings.HasPrefix(p.Tessdata(), temp) {
		t.Errorf("the workers have their traineddata from %s", p.Tessdata())
	}
	codes, err := p.Languages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"abc", "eng", "kor", "script/Abc"} {
		if !slices.Contains(codes, want) {
			t.Errorf("%s is not among %v", want, codes)
		}
	}
	if slices.Contains(codes, ".hidden/abc") {
		t.Errorf("what is hidden is among %v", codes)
	}
	drawn, boxes := porttest.DrawLines("Two folders")
	o := orderOf(porttest.PageOf(porttest.PNG(drawn)), boxes[0], boxes[0], boxes[0])
	o.Tasks[0].Lang, o.Tasks[1].Lang, o.Tasks[2].Lang = []string{"abc"}, []string{"kor"}, []string{"eng", "script/Abc"}
	readings, err := p.Recognize(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range readings {
		if r.Text != "Two folders" {
			t.Errorf("%v reads %q, %v", o.Tasks[i].Lang, r.Text, r.Error)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if alone := start(t, func(o *Options) { o.TessdataDirs, o.TempDir = []string{t.TempDir(), system}, temp }); alone.Tessdata() != system {
		t.Errorf("beside an empty folder: %s, want %s", alone.Tessdata(), system)
	}
	for name, dirs := range map[string][]string{"all empty": {t.TempDir(), t.TempDir()},
		"one is not there": {system, filepath.Join(temp, "none")}} {
		if _, err := Start(Options{TessdataDirs: dirs, TempDir: temp}); err == nil || !strings.Contains(err.Error(), dirs[1]) {
			t.Errorf("%s: %v, want the folder to be named", name, err)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

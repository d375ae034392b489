package bench

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// The names of the sides.
const (
	SideEngine  = "engine"  // as it is
	SideLoop    = "loop"    // a plain warm loop over the library
	SideProcess = "process" // one process for each region
	SideService = "service" // the whole service, by HTTP
	SideTight   = "tight"   // the engine, on the same lines drawn tightly
	SideUpright = "upright" // the engine, on the same page turned upright
	SideRight   = "right"   // the engine, in the languages of the set
)

// side is one way to read pages, measured beside others.
type side struct {
	name    string
	workers int
	atOnce  int                                                       // pages that are read at the same time; 0: one after the other
	open    func(ctx context.Context, p page) error                   // comes before what is measured; may be nil
	tasks   func(p page, tasks []recognition.Task) []recognition.Task // what it is asked for; nil: the tasks as they are
	read    func(ctx context.Context, p page, tasks []recognition.Task) ([]recognition.Reading, error)
	memory  func() int64                                          // bytes of the workers; may be nil
	twin    func(ctx context.Context, p page) (page, bool, error) // what it reads in the place of a page, where there is such; may be nil
	alone   bool                                                  // it makes no difference to a region whether others are asked for
}

// ratio compares two sides.
type ratio struct {
	name        string
	over, under *side
	paired      bool // the two read the same lines in two forms
}

// openSides starts the sides that the options name. Each side has its own workers; idle ones take no time.
func (b *run) openSides(ctx context.Context) error {
	engine, err := b.poolSide(ctx, SideEngine, b.Workers)
	if err != nil {
		return err
	}
	if slices.Contains(b.Against, SideLoop) {
		loop, err := b.poolSide(ctx, SideLoop, b.Workers)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{name: "engine ÷ loop", over: engine, under: loop})
	}
	if slices.Contains(b.Against, SideRight) {
		right, err := b.poolSide(ctx, SideRight, b.Workers)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{name: "engine ÷ right", over: engine, under: right, paired: true})
	}
	if slices.Contains(b.Against, SideProcess) {
		process, err := b.processSide(ctx)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{name: "process ÷ engine", over: process, under: engine})
	}
	for _, name := range []string{SideTight, SideUpright} {
		if slices.Contains(b.Against, name) {
			b.ratios = append(b.ratios, ratio{name: "engine ÷ " + name, over: engine, under: b.addSide(b.twinSide(engine, name)),
				paired: true})
		}
	}
	if b.Cores {
		one, err := b.poolSide(ctx, SideEngine, 1)
		if err != nil {
			return err
		}
		two, err := b.poolSide(ctx, SideEngine, 2)
		if err != nil {
			return err
		}
		many, err := b.newPoolSide(ctx, SideEngine, 2)
		if err != nil {
			return err
		}
		many.atOnce = many.workers + 1 // as jobs in the background do
		b.ratios = append(b.ratios, ratio{name: "1 worker ÷ 2", over: one, under: two},
			ratio{name: "1 worker ÷ 2, pages at once", over: one, under: many})
	}
	if b.Service {
		service, err := b.serviceSide(ctx)
		if err != nil {
			return err
		}
		loop, err := b.poolSide(ctx, SideLoop, 1)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{name: "service ÷ loop", over: service, under: loop})
	}
	return nil
}

// poolSide returns the side that reads by so many workers, the engine's way or by the plain loop.
func (b *run) poolSide(ctx context.Context, name string, workers int) (*side, error) {
	if i := slices.IndexFunc(b.sides, func(s *side) bool { return s.name == name && s.workers == workers }); i >= 0 {
		return b.sides[i], nil
	}
	return b.newPoolSide(ctx, name, workers)
}

func (b *run) newPoolSide(ctx context.Context, name string, workers int) (*side, error) {
	engine, err := b.startWorkers(ctx, workers)
	if err != nil {
		return nil, err
	}
	s := &side{name: name, workers: workers, memory: func() int64 { return engine.Memory() }}
	if b.engine == nil {
		b.engine = engine
	}
	read := engine.Recognize
	switch name {
	case SideLoop:
		read, s.tasks = engine.Plain, plainTasks
	case SideEngine:
		s.tasks = b.inLang
	}
	s.read = func(ctx context.Context, p page, tasks []recognition.Task) ([]recognition.Reading, error) {
		return read(ctx, recognition.Order{Page: p.source, Tasks: tasks, Batch: s.atOnce > 0})
	}
	return b.addSide(s), nil
}

func (b *run) addSide(s *side) *side {
	b.sides = append(b.sides, s)
	return s
}

// startWorkers starts a pool and waits until all its workers are up.
func (b *run) startWorkers(ctx context.Context, workers int) (Engine, error) {
	engine, err := b.Start(workers)
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, engine.Close)
	const pause, most = 20 * time.Millisecond, 30 * time.Second
	for waited := time.Duration(0); engine.Up() < workers; waited += pause {
		if waited >= most {
			return nil, cmp.Or(engine.Ready(ctx), errors.New("not all workers start"))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
	return engine, nil
}

// inLang are the tasks of a page in the languages that the engine is to read in.
func (b *run) inLang(_ page, tasks []recognition.Task) []recognition.Task {
	if len(b.Lang) == 0 {
		return tasks
	}
	tasks = slices.Clone(tasks)
	for i := range tasks {
		tasks[i].Lang = b.Lang
	}
	return tasks
}

// plainTasks returns the tasks of a page with the page segmentation mode that fits what the region looks like.
func plainTasks(p page, tasks []recognition.Task) []recognition.Task {
	tasks = slices.Clone(tasks)
	for i, t := range tasks {
		switch {
		case !p.Regions[i].lines():
			tasks[i].Shape = recognition.ShapeLine
		case 5*t.Width() >= 4*p.Width && 5*t.Height() >= 4*p.Height:
			tasks[i].Shape = recognition.ShapePage
		default:
			tasks[i].Shape = recognition.ShapeBlock
		}
	}
	return tasks
}

// processSide reads as most programs do that use Tesseract: the region goes to a file, and a process reads that. As many run at once as
// there are workers, each with one thread, without which they hold one another up.
func (b *run) processSide(ctx context.Context) (*side, error) {
	program, err := exec.LookPath("tesseract")
	if err != nil {
		return nil, fmt.Errorf("--against process: %w", err)
	}
	cutter, err := b.startWorkers(ctx, b.Workers)
	if err != nil {
		return nil, err
	}
	s := &side{name: SideProcess, workers: b.Workers, alone: true}
	s.read = func(ctx context.Context, p page, tasks []recognition.Task) ([]recognition.Reading, error) {
		readings, faults := make([]recognition.Reading, len(tasks)), make([]error, len(tasks))
		next := make(chan int)
		var runners sync.WaitGroup
		for range s.workers {
			runners.Go(func() {
				for i := range next {
					readings[i], faults[i] = b.readByProcess(ctx, cutter, program, p, tasks[i],
						filepath.Join(b.dir, fmt.Sprintf("region-%d.png", i)))
				}
			})
		}
		for i := range tasks {
			next <- i
		}
		close(next)
		runners.Wait()
		return readings, errors.Join(faults...)
	}
	return b.addSide(s), nil
}

func (b *run) readByProcess(ctx context.Context, cutter Engine, program string, p page, task recognition.Task,
	file string) (r recognition.Reading, err error) {
	crop, err := cutter.Cut(ctx, p.source, task.Box)
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := os.WriteFile(file, crop.Bytes, 0o600); err != nil {
		return r, err
	}
	defer os.Remove(file)
	cmd := exec.CommandContext(ctx, program, file, "stdout", "--psm", "3", "-l", strings.Join(task.Lang, "+"), "--tessdata-dir",
		cutter.Tessdata())
	cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
	text, err := cmd.Output()
	r = recognition.Reading{Text: string(text), Shape: recognition.ShapePage, Scale: 1, Passes: 1, Duration: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		r.Error = &fault.Failure{Code: recognition.CodeFailed, Detail: exit.Error()}
		return r, nil
	}
	return r, err
}

// warm has every worker of every side load the models of a set, on a page made for that, so that their loading counts for no page of the
// set.
func (b *run) warm(ctx context.Context, of set) error {
	p := page{Image: filepath.Join(b.dir, "warm.png"), Width: 200, Height: 60}
	bars := image.NewGray(image.Rect(0, 0, p.Width, p.Height))
	for i := range bars.Pix {
		if x, y := i%p.Width, i/p.Width; y < 10 || y >= 50 || x/8%2 == 0 {
			bars.Pix[i] = 0xff
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, bars); err != nil {
		return err
	}
	if err := os.WriteFile(p.Image, file.Bytes(), 0o600); err != nil {
		return err
	}
	var err error
	if p.source, err = b.Page(p.Image); err != nil {
		return err
	}
	var langs []string
	for _, other := range of.pages {
		if !slices.Contains(langs, other.Lang) {
			langs = append(langs, other.Lang)
		}
	}
	for _, s := range b.sides {
		if s.open != nil {
			if err := s.open(ctx, p); err != nil {
				return err
			}
		}
		for _, p.Lang = range langs {
			p.Regions = slices.Repeat([]region{{Box: document.Box{X2: p.Width, Y2: p.Height}}}, s.workers)
			tasks, err := p.tasks(ctx, b.engine, b.Effort)
			if err != nil {
				return err
			}
			if s.tasks != nil {
				tasks = s.tasks(p, tasks)
			}
			if _, err := s.read(ctx, p, tasks); err != nil {
				return err
			}
		}
	}
	return nil
}

// serviceSide runs the whole service with one worker, on a port and in a directory of its own, and is one of its users.
func (b *run) serviceSide(ctx context.Context) (*side, error) {
	ctx, stop := context.WithCancel(ctx)
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() { ended <- b.Serve(ctx, filepath.Join(b.dir, "data"), func(url string) { listening <- url }) }()
	u := &serviceUser{Client: client.Client{HTTP: &http.Client{Transport: &http.Transport{}}}}
	b.closers = append(b.closers, func() error {
		u.HTTP.CloseIdleConnections()
		stop()
		return <-ended
	})
	select {
	case u.Server = <-listening:
	case err := <-ended:
		ended <- nil // for the closer
		return nil, cmp.Or(err, ctx.Err())
	}
	const name = "bench"
	password := strings.ToLower(rand.Text())
	if _, err := u.SignUp(ctx, client.SignUpForm{Name: name, Email: name + "@localhost.localdomain", Password1: password,
		Password2: password}); err != nil {
		return nil, err
	}
	grant, err := u.Login(ctx, name, password)
	if err != nil {
		return nil, err
	}
	u.Token = grant.AccessToken
	return b.addSide(&side{name: SideService, workers: 1, open: u.upload, tasks: b.inLang, read: u.recognize}), nil
}

// serviceUser is a user of a service. It is used by one goroutine at a time.
type serviceUser struct {
	client.Client
	image int64 // uploaded last
}

func (u *serviceUser) upload(ctx context.Context, p page) error {
	f, err := os.Open(p.Image)
	if err != nil {
		return err
	}
	defer f.Close()
	image, err := u.Upload(ctx, filepath.Base(p.Image), f)
	u.image = image.ID
	return err
}

func (u *serviceUser) recognize(ctx context.Context, _ page, tasks []recognition.Task) ([]recognition.Reading, error) {
	request := client.Request{Lang: tasks[0].Lang}
	for _, t := range tasks {
		request.Regions = append(request.Regions, client.Region{Box: client.Box(t.Box)})
	}
	answer, err := u.Recognize(ctx, u.image, request)
	if err != nil {
		return nil, err
	}
	readings := make([]recognition.Reading, len(answer.Contents))
	for i, c := range answer.Contents {
		readings[i] = recognition.Reading{Text: c.Text, Passes: c.Passes, Duration: time.Duration(c.DurationMS * float64(time.Millisecond))}
		if c.Error != nil {
			readings[i].Error = &fault.Failure{Code: c.Error.Code, Detail: c.Error.Detail}
		}
	}
	return readings, nil
}

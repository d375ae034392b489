package bench

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// The names of the sides.
const (
	SideEngine  = "engine"  // as it is
	SideLoop    = "loop"    // a plain warm loop over the library
	SideProcess = "process" // one process for each region
	SideService = "service" // the whole service, by HTTP
)

// side is one way to read pages, measured beside others.
type side struct {
	name    string
	workers int
	open    func(ctx context.Context, p page) error                   // comes before what is measured; may be nil
	tasks   func(p page, tasks []recognition.Task) []recognition.Task // what it is asked for; nil: the tasks as they are
	read    func(ctx context.Context, p page, tasks []recognition.Task) ([]recognition.Reading, error)
	memory  func() int64 // bytes of the workers; may be nil
	alone   bool         // it makes no difference to a region whether others are asked for
}

// ratio compares two sides, by their numbers.
type ratio struct {
	name        string
	over, under int
}

// openSides starts all that is asked for. Each side has workers of its own, of which only those at work take time.
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
		b.ratios = append(b.ratios, ratio{"engine ÷ loop", engine, loop})
	}
	if slices.Contains(b.Against, SideProcess) {
		process, err := b.processSide(ctx)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{"process ÷ engine", process, engine})
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
		b.ratios = append(b.ratios, ratio{"1 worker ÷ 2", one, two})
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
		b.ratios = append(b.ratios, ratio{"service ÷ loop", service, loop})
	}
	return nil
}

// poolSide returns the number of the side that reads by so many workers, the engine's way or by the plain loop.
func (b *run) poolSide(ctx context.Context, name string, workers int) (int, error) {
	if i := slices.IndexFunc(b.sides, func(s *side) bool { return s.name == name && s.workers == workers }); i >= 0 {
		return i, nil
	}
	engine, err := b.startWorkers(ctx, workers)
	if err != nil {
		return 0, err
	}
	s := &side{name: name, workers: workers, memory: func() int64 { return engine.Memory() }}
	if b.engine == nil {
		b.engine = engine
	}
	read := engine.Recognize
	if name == SideLoop {
		read, s.tasks = engine.Plain, plainTasks
	}
	s.read = func(ctx context.Context, p page, tasks []recognition.Task) ([]recognition.Reading, error) {
		return read(ctx, recognition.Order{Page: p.source, Tasks: tasks})
	}
	return b.addSide(s), nil
}

func (b *run) addSide(s *side) int {
	b.sides = append(b.sides, s)
	return len(b.sides) - 1
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

// plainTasks are the tasks of a page with the page segmentation mode that somebody would pick who sees the region.
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
func (b *run) processSide(ctx context.Context) (int, error) {
	program, err := exec.LookPath("tesseract")
	if err != nil {
		return 0, fmt.Errorf("--against process: %w", err)
	}
	cutter, err := b.startWorkers(ctx, b.Workers)
	if err != nil {
		return 0, err
	}
	s := &side{name: SideProcess, workers: b.Workers, alone: true}
	s.read = func(ctx context.Context, p page, tasks []recognition.Task) ([]recognition.Reading, error) {
		readings, faults := make([]recognition.Reading, len(tasks)), make([]error, len(tasks))
		next := make(chan int)
		var runners sync.WaitGroup
		for range s.workers {
			runners.Go(func() {
				for i := range next {
					readings[i], faults[i] = b.readByProcess(ctx, cutter, program, p, tasks[i], filepath.Join(b.dir, fmt.Sprintf("region-%d.png", i)))
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

func (b *run) readByProcess(ctx context.Context, cutter Engine, program string, p page, task recognition.Task, file string) (r recognition.Reading, err error) {
	crop, err := cutter.Cut(ctx, p.source, task.Box)
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := os.WriteFile(file, crop.Bytes, 0o600); err != nil {
		return r, err
	}
	defer os.Remove(file)
	cmd := exec.CommandContext(ctx, program, file, "stdout", "--psm", "3", "-l", strings.Join(task.Lang, "+"), "--tessdata-dir", cutter.Tessdata())
	cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
	text, err := cmd.Output()
	r = recognition.Reading{Text: string(text), Shape: recognition.ShapePage, Scale: 1, Passes: 1, Duration: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		r.Error = &recognition.Failure{Code: recognition.CodeFailed, Detail: exit.Error()}
		return r, nil
	}
	return r, err
}

// warm has every worker of every side load the models of a set, on a page of its own, so that no page of the set pays for it.
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
			tasks, err := p.tasks(ctx, b.engine)
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
func (b *run) serviceSide(ctx context.Context) (int, error) {
	ctx, stop := context.WithCancel(ctx)
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() { ended <- b.Serve(ctx, filepath.Join(b.dir, "data"), func(url string) { listening <- url }) }()
	client := &serviceClient{http: &http.Client{Transport: &http.Transport{}}}
	b.closers = append(b.closers, func() error {
		client.http.CloseIdleConnections()
		stop()
		return <-ended
	})
	select {
	case client.base = <-listening:
	case err := <-ended:
		ended <- nil // for the closer
		return 0, cmp.Or(err, ctx.Err())
	}
	if err := client.signUp(ctx); err != nil {
		return 0, err
	}
	return b.addSide(&side{name: SideService, workers: 1, open: client.upload, read: client.recognize}), nil
}

// serviceClient is a user of a service. It is used by one goroutine at a time.
type serviceClient struct {
	http  *http.Client
	base  string
	token string
	image int64 // uploaded last
}

// do sends a request and decodes its answer into what into points to, where that is not nil.
func (c *serviceClient) do(ctx context.Context, method, path, contentType string, body io.Reader, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

func (c *serviceClient) post(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, "application/json", bytes.NewReader(b), into)
}

func (c *serviceClient) signUp(ctx context.Context) error {
	const name = "bench"
	password := strings.ToLower(rand.Text())
	if err := c.post(ctx, "/api/v1/user", map[string]string{"name": name, "email": name + "@localhost.localdomain", "password1": password, "password2": password}, nil); err != nil {
		return err
	}
	form := url.Values{"username": {name}, "password": {password}}
	var grant struct {
		AccessToken string `json:"access_token"`
	}
	err := c.do(ctx, http.MethodPost, "/api/v1/user/login", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), &grant)
	c.token = grant.AccessToken
	return err
}

func (c *serviceClient) upload(ctx context.Context, p page) error {
	data, err := os.ReadFile(p.Image)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", filepath.Base(p.Image))
	if err != nil {
		return err
	}
	if _, err := part.Write(data); err != nil {
		return err
	}
	if err := form.Close(); err != nil {
		return err
	}
	var image struct {
		ID int64 `json:"id"`
	}
	err = c.do(ctx, http.MethodPost, "/api/v1/image", form.FormDataContentType(), &body, &image)
	c.image = image.ID
	return err
}

func (c *serviceClient) recognize(ctx context.Context, _ page, tasks []recognition.Task) ([]recognition.Reading, error) {
	boxes := make([]document.Box, len(tasks))
	for i, t := range tasks {
		boxes[i] = t.Box
	}
	var contents []struct {
		Text       string               `json:"text"`
		Passes     int                  `json:"passes"`
		DurationMS float64              `json:"duration_ms"`
		Error      *recognition.Failure `json:"error"`
	}
	query := url.Values{"lang": tasks[0].Lang}
	if err := c.post(ctx, "/api/v1/image/"+strconv.FormatInt(c.image, 10)+"/ocr?"+query.Encode(), boxes, &contents); err != nil {
		return nil, err
	}
	readings := make([]recognition.Reading, len(contents))
	for i, r := range contents {
		readings[i] = recognition.Reading{Text: r.Text, Passes: r.Passes, Duration: time.Duration(r.DurationMS * float64(time.Millisecond)), Error: r.Error}
	}
	return readings, nil
}

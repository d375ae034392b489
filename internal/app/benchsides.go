package app

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
	"log/slog"
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

	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// The names of the sides.
const (
	sideEngine  = "engine"  // as it is
	sideLoop    = "loop"    // a plain warm loop over the library
	sideProcess = "process" // one process for each region
	sideService = "service" // the whole service, by HTTP
)

// side is one way to read pages, measured beside others.
type side struct {
	name    string
	workers int
	open    func(ctx context.Context, page benchPage) error                   // comes before what is measured; may be nil
	tasks   func(page benchPage, tasks []recognition.Task) []recognition.Task // what it is asked for; nil: the tasks as they are
	read    func(ctx context.Context, page benchPage, tasks []recognition.Task) ([]recognition.Reading, error)
	memory  func() int64 // bytes of the workers; may be nil
	alone   bool         // it makes no difference to a region whether others are asked for
}

// ratio compares two sides, by their numbers.
type ratio struct {
	name        string
	over, under int
}

// openSides starts all that is asked for. Each side has workers of its own, of which only those at work take time.
func (b *bench) openSides(ctx context.Context) error {
	engine, err := b.poolSide(ctx, sideEngine, b.config.OCRWorkers)
	if err != nil {
		return err
	}
	if slices.Contains(b.options.against, sideLoop) {
		loop, err := b.poolSide(ctx, sideLoop, b.config.OCRWorkers)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{"engine ÷ loop", engine, loop})
	}
	if slices.Contains(b.options.against, sideProcess) {
		process, err := b.processSide(ctx)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{"process ÷ engine", process, engine})
	}
	if b.options.cores {
		one, err := b.poolSide(ctx, sideEngine, 1)
		if err != nil {
			return err
		}
		two, err := b.poolSide(ctx, sideEngine, 2)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{"1 worker ÷ 2", one, two})
	}
	if b.options.service {
		service, err := b.serviceSide(ctx)
		if err != nil {
			return err
		}
		loop, err := b.poolSide(ctx, sideLoop, 1)
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{"service ÷ loop", service, loop})
	}
	return nil
}

// poolSide returns the number of the side that reads by so many workers, the engine's way or by the plain loop.
func (b *bench) poolSide(ctx context.Context, name string, workers int) (int, error) {
	if i := slices.IndexFunc(b.sides, func(s *side) bool { return s.name == name && s.workers == workers }); i >= 0 {
		return i, nil
	}
	pool, err := b.startWorkers(ctx, workers)
	if err != nil {
		return 0, err
	}
	s := &side{name: name, workers: workers, memory: func() int64 { return pool.Stats().Memory }}
	if b.probe == nil {
		b.probe = pool.Probe
		if b.installed, err = pool.Languages(ctx); err != nil {
			return 0, err
		}
	}
	read := pool.Recognize
	if name == sideLoop {
		read, s.tasks = pool.Plain, plainTasks
	}
	s.read = func(ctx context.Context, page benchPage, tasks []recognition.Task) ([]recognition.Reading, error) {
		return read(ctx, recognition.Order{Page: page.source, Tasks: tasks})
	}
	return b.addSide(s), nil
}

func (b *bench) addSide(s *side) int {
	b.sides = append(b.sides, s)
	return len(b.sides) - 1
}

// startWorkers starts a pool and waits until all its workers are up.
func (b *bench) startWorkers(ctx context.Context, workers int) (*engine.Pool, error) {
	c := b.config
	c.OCRWorkers = workers
	pool, err := startPool(c, os.TempDir(), b.log)
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, pool.Close)
	const pause, most = 20 * time.Millisecond, 30 * time.Second
	for waited := time.Duration(0); pool.Stats().Workers < workers; waited += pause {
		if waited >= most {
			return nil, cmp.Or(pool.Ready(ctx), errors.New("not all workers start"))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
	return pool, nil
}

// plainTasks are the tasks of a page with the page segmentation mode that somebody would pick who sees the region.
func plainTasks(page benchPage, tasks []recognition.Task) []recognition.Task {
	tasks = slices.Clone(tasks)
	for i, t := range tasks {
		switch {
		case !page.Regions[i].lines():
			tasks[i].PSM = 7
		case 5*t.Width() >= 4*page.Width && 5*t.Height() >= 4*page.Height:
			tasks[i].PSM = 3
		default:
			tasks[i].PSM = 6
		}
	}
	return tasks
}

// processSide reads as most programs do that use Tesseract: the region goes to a file, and a process reads that. As many run at once as
// there are workers, each with one thread, without which they hold one another up.
func (b *bench) processSide(ctx context.Context) (int, error) {
	program, err := exec.LookPath("tesseract")
	if err != nil {
		return 0, fmt.Errorf("--against process: %w", err)
	}
	cutter, err := b.startWorkers(ctx, b.config.OCRWorkers)
	if err != nil {
		return 0, err
	}
	s := &side{name: sideProcess, workers: b.config.OCRWorkers, alone: true}
	s.read = func(ctx context.Context, page benchPage, tasks []recognition.Task) ([]recognition.Reading, error) {
		readings, faults := make([]recognition.Reading, len(tasks)), make([]error, len(tasks))
		next := make(chan int)
		var runners sync.WaitGroup
		for range s.workers {
			runners.Go(func() {
				for i := range next {
					readings[i], faults[i] = b.readByProcess(ctx, cutter, program, page, tasks[i], filepath.Join(b.dir, fmt.Sprintf("region-%d.png", i)))
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

func (b *bench) readByProcess(ctx context.Context, cutter *engine.Pool, program string, page benchPage, task recognition.Task, file string) (r recognition.Reading, err error) {
	crop, err := cutter.Cut(ctx, page.source, task.Box)
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
	r = recognition.Reading{Text: string(text), PSM: 3, Scale: 1, Passes: 1, Duration: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		r.Error = &recognition.Failure{Code: recognition.CodeFailed, Detail: exit.Error()}
		return r, nil
	}
	return r, err
}

// warm has every worker of every side load the models of a set, on a page of its own, so that no page of the set pays for it.
func (b *bench) warm(ctx context.Context, set benchSet) error {
	page := benchPage{Image: filepath.Join(b.dir, "warm.png"), Width: 200, Height: 60}
	bars := image.NewGray(image.Rect(0, 0, page.Width, page.Height))
	for i := range bars.Pix {
		if x, y := i%page.Width, i/page.Width; y < 10 || y >= 50 || x/8%2 == 0 {
			bars.Pix[i] = 0xff
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, bars); err != nil {
		return err
	}
	if err := os.WriteFile(page.Image, file.Bytes(), 0o600); err != nil {
		return err
	}
	var err error
	if page.source, err = pageOf(page.Image); err != nil {
		return err
	}
	var langs []string
	for _, p := range set.pages {
		if !slices.Contains(langs, p.Lang) {
			langs = append(langs, p.Lang)
		}
	}
	for _, s := range b.sides {
		if s.open != nil {
			if err := s.open(ctx, page); err != nil {
				return err
			}
		}
		for _, page.Lang = range langs {
			page.Regions = slices.Repeat([]benchRegion{{Box: document.Box{X2: page.Width, Y2: page.Height}}}, s.workers)
			tasks, err := page.tasks(b.installed)
			if err != nil {
				return err
			}
			if s.tasks != nil {
				tasks = s.tasks(page, tasks)
			}
			if _, err := s.read(ctx, page, tasks); err != nil {
				return err
			}
		}
	}
	return nil
}

// serviceSide runs the whole service with one worker, on a port and in a directory of its own, and is one of its users.
func (b *bench) serviceSide(ctx context.Context) (int, error) {
	c := b.config
	c.Addr, c.DataDir, c.OCRWorkers, c.SignUpOpen, c.AdminPassword = "127.0.0.1:0", filepath.Join(b.dir, "data"), 1, true, strings.ToLower(rand.Text())
	c.AccessTTL = 24 * time.Hour
	c.LogLevel = max(c.LogLevel, slog.LevelWarn)
	quiet := b.Process
	quiet.Stdout = io.Discard
	ctx, stop := context.WithCancel(ctx)
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() { ended <- quiet.serve(ctx, c, quiet.logger(c), func(address string) { listening <- address }) }()
	client := &serviceClient{http: &http.Client{Transport: &http.Transport{}}}
	b.closers = append(b.closers, func() error {
		client.http.CloseIdleConnections()
		stop()
		return <-ended
	})
	select {
	case address := <-listening:
		client.base = localURL(address)
	case err := <-ended:
		ended <- nil // for the closer
		return 0, cmp.Or(err, ctx.Err())
	}
	if err := client.signUp(ctx); err != nil {
		return 0, err
	}
	return b.addSide(&side{name: sideService, workers: 1, open: client.upload, read: client.recognize}), nil
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

func (c *serviceClient) upload(ctx context.Context, page benchPage) error {
	data, err := os.ReadFile(page.Image)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", filepath.Base(page.Image))
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

func (c *serviceClient) recognize(ctx context.Context, _ benchPage, tasks []recognition.Task) ([]recognition.Reading, error) {
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

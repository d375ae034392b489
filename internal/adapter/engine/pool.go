// Package engine recognises regions and renders pages with libtesseract and Leptonica, which run in worker processes: a
// Pool supervises a fixed number of them for the life of the program. Nothing that users send meets C code elsewhere.
//
// pool.go and queue.go decide who is served when; process.go and protocol.go are the way to one worker and its keeping;
// worker.go, library.go, leptonica.go and prepare.go run inside the workers; header.go reads image headers in Go on both
// sides. A pool looks after itself: workers that crash, hang, talk nonsense or grow are replaced, which costs at most the
// region that they were at, and that is tried once more. Ready and Stats tell how it goes.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// Options say how a pool is to be. Zero values stand for the defaults that are named.
type Options struct {
	Command       []string      // starts a worker, which calls RunWorker with the arguments that the pool adds
	Workers       int           // processes; default: the cores that this process may use
	TessdataDirs  []string      // folders of the traineddata; of two files with the same name the first counts; default: where Tesseract's packages put it
	TempDir       string        // where several folders are joined into one; default: the system's
	MaxPixels     int64         // of a page; default 150 million
	RegionTimeout time.Duration // for one region or rendition, after which its worker is killed; default 30 s
	QueueSize     int           // regions that may wait; default 2,000
	MaxServed     int           // regions after which a worker is replaced; default 5,000
	MaxMemory     int64         // resident bytes above which a worker is replaced; default 1 GiB
	MemoryLimit   int64         // bytes that a worker may have beyond those it starts with; more breaks it; default 3 GiB
	Log           *slog.Logger  // default: nowhere
}

const defaultMemoryLimit = 3 << 30 // the largest page is 600 MB, of which decoders hold up to four copies

func (o Options) complete() Options {
	set := func(v *int, n int) {
		if *v <= 0 {
			*v = n
		}
	}
	set(&o.Workers, runtime.GOMAXPROCS(0)) // which knows the limit of a container
	set(&o.QueueSize, 2000)
	set(&o.MaxServed, 5000)
	if o.MaxPixels <= 0 {
		o.MaxPixels = 150_000_000
	}
	if o.RegionTimeout <= 0 {
		o.RegionTimeout = 30 * time.Second
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = 1 << 30
	}
	if o.MemoryLimit <= 0 {
		o.MemoryLimit = max(defaultMemoryLimit, 20*o.MaxPixels) // 4 bytes a pixel, and copies of that while it is decoded
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Pool is the worker processes of this program. Safe for concurrent use.
type Pool struct {
	opts       Options
	command    []string
	tessdata   tessdata
	forker     *forker
	slots      sync.WaitGroup
	all        []*slot
	closing    chan struct{}
	unconfined sync.Once // for one word in the log on what the system does not offer

	mu       sync.Mutex
	closed   bool
	queue    queue
	idle     []*slot // slots with a process and nothing to do, the longest idle first
	alive    int     // slots with a process
	startErr error   // of the newest attempt to start a worker; nil after a success
	stats    Stats
	pace     float64 // seconds that a unit took of late
}

// Stats are the counts of a pool since it started.
type Stats struct {
	Wanted   int    // processes that there are to be
	Workers  int    // of them up
	Busy     int    // of those at work
	Waiting  int    // regions that wait
	Room     int    // regions that may wait
	Served   uint64 // regions and renditions
	Restarts uint64 // workers replaced because they broke
	Recycled uint64 // workers replaced because of their age or size
	Memory   int64  // resident bytes of all workers, by their own word after the newest answer
}

// slot is the place of one worker, which outlives its processes. Its goroutine is serve.
type slot struct {
	inbox  chan *unit
	proc   *process // the goroutine's own; others look at it under the pool's lock, while the slot is idle
	next   chan *process
	memory int64 // of the process; under the pool's lock
}

var errClosed = fault.New(fault.Unavailable, "shutting_down", "The service is shutting down.").After(5 * time.Second)

// Start starts the workers. It fails at once where there is no traineddata; a worker that does not start is tried again, and
// Ready tells.
func Start(o Options) (*Pool, error) {
	o = o.complete()
	found, err := findTessdata(o.TessdataDirs, o.TempDir)
	if err != nil {
		return nil, err
	}
	var warm []string
	for _, l := range found.languages {
		if l.code == "eng" || l.code == "kor" {
			warm = append(warm, l.code)
		}
	}
	if warm == nil {
		warm = []string{found.languages[0].code}
	}
	p := &Pool{opts: o, tessdata: found, forker: newForker(), closing: make(chan struct{}),
		command: append(append([]string(nil), o.Command...), "--tessdata", found.folder, "--warm", strings.Join(warm, ","),
			"--memory", strconv.FormatInt(o.MemoryLimit, 10))}
	for range o.Workers {
		s := &slot{inbox: make(chan *unit, 1)}
		p.all = append(p.all, s)
		p.slots.Add(1)
		go p.serve(s)
	}
	return p, nil
}

// Close ends the workers. What waits fails as Unavailable; what runs is finished first, up to RegionTimeout.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	for u := p.queue.next(); u != nil; u = p.queue.next() {
		u.order.done <- outcome{index: u.index, err: errClosed}
	}
	for _, s := range p.idle {
		close(s.inbox)
	}
	p.idle = nil
	p.mu.Unlock()
	close(p.closing)
	p.slots.Wait()
	p.forker.close()
	return os.RemoveAll(p.tessdata.made)
}

// Tessdata is the folder that the workers have their traineddata from.
func (p *Pool) Tessdata() string { return p.tessdata.folder }

// Ready tells whether a worker is up, and if not, why.
func (p *Pool) Ready(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errClosed
	case p.alive == 0 && p.startErr != nil:
		return fault.New(fault.Unavailable, "no_worker", "No worker process could be started.").Because(p.startErr).After(5 * time.Second)
	case p.alive == 0:
		return fault.New(fault.Unavailable, "no_worker", "The worker processes are starting.").After(time.Second)
	}
	return nil
}

// Stats returns the counts of now.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Wanted, s.Room = len(p.all), p.opts.QueueSize
	s.Workers, s.Busy, s.Waiting = p.alive, p.alive-len(p.idle), p.queue.length
	for _, slot := range p.all {
		s.Memory += slot.memory
	}
	return s
}

// serve keeps a worker process up and gives it one unit after the other.
func (p *Pool) serve(s *slot) {
	defer p.slots.Done()
	defer func() {
		if s.proc != nil {
			s.proc.retire()
		}
		if s.next != nil {
			if fresh := <-s.next; fresh != nil {
				fresh.retire()
			}
		}
	}()
	for p.ensure(s) {
		u := p.take(s)
		if u == nil {
			return
		}
		began := time.Now()
		o := p.run(s, u)
		u.order.done <- o
		p.finished(s, time.Since(began))
		p.recycle(s)
	}
}

// ensure makes sure that the slot has a process. It returns false when the pool closes.
func (p *Pool) ensure(s *slot) bool {
	for pause := 100 * time.Millisecond; s.proc == nil; pause = min(2*pause, 10*time.Second) {
		proc, err := p.startProcess()
		p.mu.Lock()
		p.startErr = err
		if err == nil {
			s.proc, s.memory = proc, proc.memory
			p.alive++
		}
		p.mu.Unlock()
		if err == nil {
			break
		}
		p.opts.Log.Error("a worker process did not start; trying again", "error", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-p.closing:
			return false
		}
	}
	return true
}

func (p *Pool) startProcess() (*process, error) {
	proc, err := startProcess(p.forker, p.command, workerEnvironment())
	if err == nil && len(proc.missing) > 0 {
		p.unconfined.Do(func() {
			p.opts.Log.Warn("worker processes are less confined than they should be: the system does not offer all of it", "missing", proc.missing)
		})
	}
	return proc, err
}

// workerEnvironment is clean but for what the loader needs. OpenMP is held to one thread, since its threads wait for one
// another actively and slow down several workers tenfold. malloc is held to one arena, since memory that one thread freed is
// of no use to the next one elsewhere, which counts where memory is limited.
func workerEnvironment() []string {
	env := []string{"OMP_THREAD_LIMIT=1", "OMP_NUM_THREADS=1", "LC_ALL=C", "GOMAXPROCS=2", "MALLOC_ARENA_MAX=1"}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// take returns the next unit for the slot, waiting for one; nil when the pool closes.
func (p *Pool) take(s *slot) *unit {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	if u := p.queue.next(); u != nil {
		p.mu.Unlock()
		return u
	}
	p.idle = append(p.idle, s)
	p.mu.Unlock()
	return <-s.inbox
}

// submit gives the units of an order to idle workers, first those that hold the page, and queues the rest.
func (p *Pool) submit(o *order) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errClosed
	case p.alive == 0 && p.startErr != nil:
		return fault.New(fault.Unavailable, "no_worker", "Recognition is not available at the moment.").Because(p.startErr).After(5 * time.Second)
	case p.queue.length > 0 && p.queue.length+len(o.waiting) > p.opts.QueueSize:
		wait := math.Ceil(p.pace * float64(p.queue.length) / float64(p.opts.Workers))
		return fault.New(fault.Busy, "engine_busy", "Too many regions wait already.").After(time.Duration(max(1, min(wait, 60))) * time.Second)
	}
	for len(o.waiting) > 0 && len(p.idle) > 0 {
		pick := len(p.idle) - 1 // the one that worked last: its memory is warm
		for i, s := range p.idle {
			if s.proc.holds(o.page.SHA256) {
				pick = i
			}
		}
		s := p.idle[pick]
		p.idle = append(p.idle[:pick], p.idle[pick+1:]...)
		s.inbox <- o.waiting[0]
		o.waiting = o.waiting[1:]
	}
	if len(o.waiting) > 0 {
		p.queue.push(o)
	}
	return nil
}

// run does one unit, a second time on a fresh worker where the first one broke.
func (p *Pool) run(s *slot, u *unit) outcome {
	o := outcome{index: u.index}
	for attempt := 1; ; attempt++ {
		if o.err = u.order.ctx.Err(); o.err != nil { // nobody waits for it any more
			return o
		}
		o.answer, o.err = s.proc.ask(u.order.ctx, u.request, u.order.page, p.opts.RegionTimeout)
		var broken *brokenError
		if !errors.As(o.err, &broken) {
			return o
		}
		p.opts.Log.Warn("a worker process broke and is replaced", "reason", broken.cause, "deadline", broken.timeout,
			"decoding", broken.decoding, "attempt", attempt, "operation", u.request.Op, "page", u.request.Page, "end", s.proc.obituary())
		p.mu.Lock()
		s.proc, s.memory = nil, 0
		p.alive--
		p.stats.Restarts++
		p.mu.Unlock()
		if !p.ensure(s) {
			o.err = errClosed
			return o
		}
		if attempt == 2 {
			return o
		}
	}
}

func (p *Pool) finished(s *slot, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.proc != nil {
		s.memory = s.proc.memory
	}
	p.stats.Served++
	p.pace += (took.Seconds() - p.pace) / 50
}

// recycle replaces an aged or grown process once a fresh one is ready, so that there is no pause.
func (p *Pool) recycle(s *slot) {
	if s.proc == nil {
		return
	}
	if s.next == nil {
		if s.proc.served < p.opts.MaxServed && s.proc.memory < p.opts.MaxMemory {
			return
		}
		next := make(chan *process, 1)
		s.next = next
		go func() {
			fresh, err := p.startProcess()
			if err != nil {
				p.opts.Log.Error("a worker process to replace an aged one did not start", "error", err)
			}
			next <- fresh
		}()
	}
	select {
	case fresh := <-s.next:
		s.next = nil
		if fresh == nil {
			return // the old one goes on, and this is tried again
		}
		old := s.proc
		p.mu.Lock()
		s.proc, s.memory = fresh, fresh.memory
		p.stats.Recycled++
		p.mu.Unlock()
		p.slots.Go(old.retire)
	default:
	}
}

// do submits an order and hands every outcome to collect, which may refuse to go on.
func (p *Pool) do(ctx context.Context, page document.Page, user int64, batch bool, requests []request, collect func(outcome) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a unit that has not begun sees it
	o := &order{ctx: ctx, page: page, user: user, batch: batch, done: make(chan outcome, len(requests))}
	for i, r := range requests {
		r.Page, r.Size, r.MaxPixels = page.SHA256, page.Size, p.opts.MaxPixels
		o.waiting = append(o.waiting, &unit{order: o, index: i, request: r})
	}
	if err := p.submit(o); err != nil {
		return err
	}
	defer func() {
		p.mu.Lock()
		p.queue.drop(o)
		p.mu.Unlock()
	}()
	for range requests {
		select {
		case out := <-o.done:
			if err := collect(out); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

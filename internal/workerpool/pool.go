// Package workerpool runs work in worker processes, which may crash, hang or grow without harm to the program.
//
// A Pool starts a fixed number of processes and keeps them running: it replaces one that crashes, exceeds its time or grows too large.
// It assigns jobs by turns of users, first to a worker that still holds the page of the job. A job is the name of an operation, a page
// and a payload; their meaning is a matter between the caller of Do and the handlers that the worker gives to Serve. Serve confines the
// process before it handles the first job: a worker reads only the folders that it was given.
//
// pool.go and queue.go decide the order of jobs, process.go controls one process, protocol.go defines the messages on its pipes, and
// serve.go runs in the worker.
package workerpool

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"glyphbox/internal/domain/fault"
)

// Options configure a pool. Zero values mean defaults.
type Options struct {
	Command     []string      // program and arguments of a worker, which calls Serve
	Environment []string      // all of the worker's environment, NAME=value
	Workers     int           // processes; default: the cores that this process may use
	JobTimeout  time.Duration // for one job, after which its worker is killed; default 30 s
	QueueSize   int           // jobs that may wait; default 2,000
	MaxServed   int           // jobs after which a worker is replaced; default 5,000
	MaxMemory   int64         // resident bytes above which a worker is replaced; default 1 GiB
	MaxAnswer   int64         // bytes of an answer, above which a worker is taken for broken; default 64 MiB
	IdleTime    time.Duration // after which a worker without work is replaced by a resting one; default 10 minutes; negative: never
	// OnDemand has a process start when there is a job and no other process is free, and end after IdleTime without work.
	OnDemand     bool
	patience     time.Duration // for which a job waits for a process that there is before one more is started on demand; default 300 ms
	StartTimeout time.Duration // in which a worker must be ready for jobs; default 30 s
	Log          *slog.Logger  // default: none
}

func (o Options) complete() Options {
	set := func(v *int, n int) {
		if *v <= 0 {
			*v = n
		}
	}
	set(&o.Workers, runtime.GOMAXPROCS(0)) // which knows the limit of a container
	set(&o.QueueSize, 2000)
	set(&o.MaxServed, 5000)
	if o.JobTimeout <= 0 {
		o.JobTimeout = 30 * time.Second
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = 1 << 30
	}
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = maxMessage
	}
	if o.StartTimeout <= 0 {
		o.StartTimeout = 30 * time.Second
	}
	if o.patience <= 0 {
		o.patience = 300 * time.Millisecond
	}
	if o.IdleTime == 0 {
		o.IdleTime = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Pool is a set of worker processes. It is safe for concurrent use.
type Pool struct {
	opts       Options
	forker     *forker
	slots      sync.WaitGroup
	all        []*slot
	closing    chan struct{}
	unconfined sync.Once // logs once what the system does not offer

	mu       sync.Mutex
	closed   bool
	queue    queue
	idle     []*slot // slots with nothing to do, the longest idle first; with a process, unless they get one on demand
	alive    int     // slots with a process
	startErr error   // of the newest attempt to start a worker; nil after a success
	about    json.RawMessage
	missing  []string
	stats    Stats
	pace     float64 // seconds that a job took of late
}

// Stats are the counts of a pool since it started.
type Stats struct {
	Wanted   int    // processes that the pool keeps up
	Workers  int    // processes that are up
	Busy     int    // workers at work
	Resting  int    // workers that have not loaded anything, for want of work
	Waiting  int    // jobs that wait
	Room     int    // jobs that may wait
	Served   uint64 // jobs
	Restarts uint64 // workers replaced because they broke
	Recycled uint64 // workers replaced because of their age or size
	Memory   int64  // resident bytes of all workers, as each last said

	Time      time.Duration                   // that jobs took, once they had a worker
	Durations [len(DurationBounds) + 1]uint64 // jobs, by the first of DurationBounds that they did not exceed; last those that exceeded all
}

// DurationBounds are the upper bounds of the histogram of job durations.
var DurationBounds = [...]time.Duration{5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second,
	10 * time.Second, 30 * time.Second}

// slot is the place of one worker. It outlives its processes. Its goroutine is Pool.serve.
type slot struct {
	inbox   chan *task
	proc    *process // written under the pool's lock; while the slot is idle, others read it under the lock
	next    chan *process
	opened  time.Time // when the worker was last given a page that it did not hold, of an order that others had begun
	memory  int64     // of the process; under the pool's lock
	resting bool      // under the pool's lock
}

// holds tells whether the worker has a page, so that its bytes need not be sent.
func (s *slot) holds(page Page) bool { return s.proc != nil && s.proc.holds(page.Key) }

// gets records which page the worker is given.
func (s *slot) gets(t *task) {
	if t.index > 0 && !s.holds(t.order.page) {
		s.opened = time.Now()
	}
}

// nothing says that a worker without a process holds no page.
func nothing(Page) bool { return false }

var errClosed = fault.New(fault.Unavailable, "shutting_down", "The service is shutting down.").After(5 * time.Second)

// Start starts the workers, unless they start on demand. It retries workers that do not start; Ready returns the reason.
func Start(o Options) *Pool {
	p := &Pool{opts: o.complete(), forker: newForker(), closing: make(chan struct{})}
	for range p.opts.Workers {
		s := &slot{inbox: make(chan *task, 1)}
		p.all = append(p.all, s)
		p.slots.Add(1)
		go p.serve(s)
	}
	return p
}

// Close ends the workers. It finishes running jobs first; waiting jobs fail as Unavailable. It may be called more than once.
func (p *Pool) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	for t := p.queue.next(nothing, true); t != nil; t = p.queue.next(nothing, true) {
		t.order.done <- outcome{index: t.index, err: errClosed}
	}
	for _, s := range p.idle {
		close(s.inbox)
	}
	p.idle = nil
	p.mu.Unlock()
	close(p.closing)
	p.slots.Wait()
	p.forker.close()
}

// Ready returns nil if a worker runs or would be started on demand. Otherwise it returns the reason: Unavailable.
func (p *Pool) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errClosed
	case p.alive == 0 && p.startErr != nil:
		return fault.New(fault.Unavailable, "no_worker", "No worker process could be started.").Because(p.startErr).After(5 * time.Second)
	case p.alive == 0 && !p.opts.OnDemand:
		return fault.New(fault.Unavailable, "no_worker", "The worker processes are starting.").After(time.Second)
	}
	return nil
}

// About returns what the newest worker reported about itself, or nil before the first one has started.
func (p *Pool) About() json.RawMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.about
}

// Missing returns the parts of the confinement of the newest worker that the system does not support, for people to read.
func (p *Pool) Missing() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.missing
}

// Holds tells whether a worker holds a page, so that its bytes may not be needed.
func (p *Pool) Holds(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.all, func(s *slot) bool { return s.holds(Page{Key: key}) })
}

// JobTimeout returns the time after which the worker of a job is killed.
func (p *Pool) JobTimeout() time.Duration { return p.opts.JobTimeout }

// Stats returns the current counts.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Wanted, s.Room = len(p.all), p.opts.QueueSize
	s.Workers, s.Busy, s.Waiting = p.alive, p.alive, p.queue.length
	for _, slot := range p.idle {
		if slot.proc != nil {
			s.Busy--
		}
	}
	for _, slot := range p.all {
		s.Memory += slot.memory
		if slot.resting {
			s.Resting++
		}
	}
	return s
}

// serve keeps a worker process up, or starts one on demand, and gives it one job after the other.
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
	for p.opts.OnDemand || p.ensure(s) {
		t := p.take(s)
		if t == nil {
			return
		}
		p.mu.Lock()
		s.resting = false
		p.mu.Unlock()
		began := time.Now()
		o := p.run(s, t)
		p.finished(s, t, time.Since(began)) // first, so that a caller who has the answer finds it counted
		t.order.done <- o
		p.recycle(s)
	}
}

// ensure starts a process if the slot has none. It returns false when the pool closes.
func (p *Pool) ensure(s *slot) bool {
	for pause := 100 * time.Millisecond; s.proc == nil; pause = min(2*pause, 10*time.Second) {
		err := p.begin(s)
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

// begin starts a process for a slot that has none.
func (p *Pool) begin(s *slot) error {
	fresh, err := p.startProcess(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.startErr = err
	if err == nil {
		s.proc, s.memory, s.resting = fresh, fresh.memory, false
		p.alive++
	}
	return err
}

func (p *Pool) startProcess(warm bool) (*process, error) {
	fresh, err := startProcess(p.forker, p.opts.Command, p.opts.Environment, warm, p.opts.StartTimeout)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.about, p.missing = fresh.about, fresh.missing
	p.mu.Unlock()
	if len(fresh.missing) > 0 {
		p.unconfined.Do(func() {
			p.opts.Log.Warn("worker processes are less confined than they should be, since the system does not offer everything for it",
				"missing", fresh.missing)
		})
	}
	return fresh, nil
}

// startNext starts a process to replace that of the slot. It gives nil to s.next where that fails.
func (p *Pool) startNext(s *slot, warm bool) {
	next := make(chan *process, 1)
	s.next = next
	go func() {
		fresh, err := p.startProcess(warm)
		if err != nil {
			p.opts.Log.Error("a worker process to replace another did not start", "error", err)
		}
		next <- fresh
	}()
}

// replace gives the slot a fresh process and lets the old one end.
func (p *Pool) replace(s *slot, fresh *process) {
	old := s.proc
	p.mu.Lock()
	s.proc, s.memory, s.resting = fresh, fresh.memory, !fresh.warm
	if fresh.warm {
		p.stats.Recycled++
	}
	p.mu.Unlock()
	p.slots.Go(old.retire)
}

// take returns the next job for the slot, waiting for one; nil when the pool closes. A worker that waits for long is replaced by
// one that has not loaded anything, or ends where it was started on demand.
func (p *Pool) take(s *slot) *task {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	if t := p.queue.next(s.holds, time.Since(s.opened) > left); t != nil {
		s.gets(t)
		p.mu.Unlock()
		return t
	}
	p.idle = append(p.idle, s)
	resting := s.resting
	p.mu.Unlock()
	var idle <-chan time.Time
	if p.opts.IdleTime > 0 && !resting && s.proc != nil {
		timer := time.NewTimer(p.opts.IdleTime)
		defer timer.Stop()
		idle = timer.C
	}
	for {
		select {
		case t := <-s.inbox:
			return t
		case <-idle:
			switch {
			case p.opts.OnDemand:
				p.rest(s)
			case s.next == nil: // else it is being replaced already
				p.startNext(s, false)
			}
		case fresh := <-s.next:
			s.next = nil
			switch {
			case fresh == nil:
			case s.proc == nil: // it has ended meanwhile
				p.slots.Go(fresh.retire)
			default:
				p.replace(s, fresh)
			}
		}
	}
}

// rest ends the process of a slot that is still idle.
func (p *Pool) rest(s *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.proc == nil || !slices.Contains(p.idle, s) {
		return
	}
	p.slots.Go(s.proc.retire)
	s.proc, s.memory = nil, 0
	p.alive--
}

// submit gives the jobs of an order to idle workers, first those that hold the page, and queues the rest.
func (p *Pool) submit(o *order) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errClosed
	case p.alive == 0 && p.startErr != nil && !p.opts.OnDemand:
		f := fault.New(fault.Unavailable, "no_worker", "The service cannot read at the moment. Try again later.")
		return f.Because(p.startErr).After(5 * time.Second)
	case p.queue.length > 0 && p.queue.length+len(o.waiting) > p.opts.QueueSize:
		wait := math.Ceil(p.pace * float64(p.queue.length) / float64(p.opts.Workers))
		pause := time.Duration(max(1, min(wait, 60))) * time.Second
		return fault.New(fault.Busy, "engine_busy", "Too many regions are waiting to be read. Try again later.").After(pause)
	}
	for len(o.waiting) > 0 && len(p.idle) > 0 && !p.mayWait() {
		s := p.pick(o.page)
		s.inbox <- o.take()
	}
	if len(o.waiting) > 0 {
		p.queue.push(o)
	}
	if p.opts.OnDemand && p.queue.length > 0 && len(p.idle) > 0 {
		time.AfterFunc(p.opts.patience, func() { p.startMore(o) })
	}
	return nil
}

// mayWait tells whether a job could only be given to a slot without process, while another one is at work.
func (p *Pool) mayWait() bool {
	return len(p.idle) < len(p.all) && !slices.ContainsFunc(p.idle, func(s *slot) bool { return s.proc != nil })
}

// startMore gives jobs to slots without processes, where some of an order wait after all that time.
func (p *Pool) startMore(o *order) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(o.waiting) > 0 && len(p.idle) > 0 {
		t := p.queue.next(nothing, true)
		if t == nil {
			return
		}
		p.pick(t.order.page).inbox <- t
	}
}

// pick takes a slot out of the idle ones: the one that holds the page, or else the one that worked last, whose memory is warm. One that
// has no process comes last.
func (p *Pool) pick(page Page) *slot {
	pick, best := len(p.idle)-1, 0
	for i, s := range p.idle {
		worth := 0
		switch {
		case s.holds(page) && page.Part != "" && s.proc.holds(page.part()):
			worth = 3
		case s.holds(page):
			worth = 2
		case s.proc != nil:
			worth = 1
		}
		if worth >= best {
			pick, best = i, worth
		}
	}
	s := p.idle[pick]
	p.idle = append(p.idle[:pick], p.idle[pick+1:]...)
	return s
}

// run does one job, a second time on a fresh worker where the first one broke, unless it is to be tried once only.
func (p *Pool) run(s *slot, t *task) outcome {
	o := outcome{index: t.index}
	for attempt := 1; ; attempt++ {
		if o.err = t.order.ctx.Err(); o.err != nil { // nobody waits for it any more
			return o
		}
		if s.proc == nil { // on demand
			if err := p.begin(s); err != nil {
				p.opts.Log.Error("a worker process did not start", "error", err)
				o.err = fault.New(fault.Unavailable, "no_worker", "No worker process could be started.").Because(err).After(5 * time.Second)
				return o
			}
		}
		o.answer, o.err = s.proc.ask(t.order.ctx, t.job, t.order.page, p.opts.JobTimeout, p.opts.MaxAnswer)
		broken, ok := errors.AsType[*BrokenError](o.err)
		if !ok {
			return o
		}
		p.opts.Log.Warn("a worker process broke and is replaced", "reason", broken.Cause, "deadline", broken.Timeout,
			"opening", broken.Opening, "attempt", attempt, "operation", t.job.Operation, "page", t.order.page.name(), "end",
			s.proc.obituary())
		p.mu.Lock()
		s.proc, s.memory = nil, 0
		p.alive--
		p.stats.Restarts++
		p.mu.Unlock()
		if !p.opts.OnDemand && !p.ensure(s) {
			o.err = errClosed
			return o
		}
		if attempt == 2 || broken.Timeout && t.order.once {
			return o
		}
	}
}

func (p *Pool) finished(s *slot, t *task, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.order.running--
	if s.proc != nil {
		s.memory = s.proc.memory
	}
	p.stats.Served++
	p.stats.Time += took
	bound := 0
	for bound < len(DurationBounds) && took > DurationBounds[bound] {
		bound++
	}
	p.stats.Durations[bound]++
	p.pace += (took.Seconds() - p.pace) / 50
}

// recycle replaces an aged or grown process once a fresh one is ready, so that no job waits for it.
func (p *Pool) recycle(s *slot) {
	if s.proc == nil {
		return
	}
	if s.next == nil {
		if s.proc.served < p.opts.MaxServed && s.proc.memory < p.opts.MaxMemory {
			return
		}
		p.startNext(s, true)
	}
	select {
	case fresh := <-s.next:
		s.next = nil
		switch {
		case fresh == nil: // the old one goes on, and this is tried again
		case !fresh.warm: // made for an idle worker, which has work now
			p.slots.Go(fresh.retire)
		default:
			p.replace(s, fresh)
		}
	default:
	}
}

// Page is the file that the jobs of an order concern.
type Page struct {
	Key  string // equal for the same page of the same bytes only
	Size int64  // bytes of the file; negative where only Open tells: at most that many, without the sign
	Part string // of the page, such as one that workers keep something about; a worker that has had it comes first. It may be empty

	// Open returns the bytes. It is called for a worker that does not hold the page.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// part returns a name for the part of the page that is unique among all pages.
func (p Page) part() string { return p.Key + "/" + p.Part }

// name is the beginning of the key, for the log: enough to find the file, and nothing of a password that the key may stand for.
func (p Page) name() string { return p.Key[:min(len(p.Key), 20)] }

// Job is a piece of work that a worker does in one step.
type Job struct {
	Operation string // one of the worker's handlers
	Payload   any    // for the handler, as JSON
}

// Order is a group of jobs on one page.
type Order struct {
	Page  Page
	User  int64 // users take turns
	Batch bool  // gives way to orders that are not
	Once  bool  // a job that exceeds its time is not tried again
	Jobs  []Job
}

// Answer is what a handler returned for a job.
type Answer struct {
	Payload json.RawMessage // nil where the handler gave none
	Bytes   []byte
}

// Do runs the jobs of an order and passes the answer or the error of each to collect, in the order of completion, in the goroutine of
// the caller. If collect returns an error, Do ends with that error. Jobs that have not started when Do ends are not started.
//
// The error of a job is the fault of its handler, the error of Page.Open, or a *BrokenError. Do itself returns Busy if too many jobs
// wait, Unavailable if there is no worker, and the error of the context.
func (p *Pool) Do(ctx context.Context, o Order, collect func(job int, a Answer, err error) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a job that has not begun sees it
	in := &order{ctx: ctx, page: o.Page, user: o.User, batch: o.Batch, once: o.Once, done: make(chan outcome, len(o.Jobs))}
	for i, j := range o.Jobs {
		in.waiting = append(in.waiting, &task{order: in, index: i, job: j})
	}
	if err := p.submit(in); err != nil {
		return err
	}
	defer func() {
		p.mu.Lock()
		p.queue.drop(in)
		p.mu.Unlock()
	}()
	for range o.Jobs {
		select {
		case out := <-in.done:
			if err := collect(out.index, out.answer, out.err); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

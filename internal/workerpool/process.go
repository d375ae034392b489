package workerpool

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// process is one worker process, used by one goroutine at a time.
type process struct {
	cmd      *exec.Cmd
	requests *os.File
	replies  *os.File
	in       *bufio.Reader
	stderr   tail
	exited   chan struct{} // closed when the process is gone and reaped
	waitErr  error         // how it ended; read after exited

	about   json.RawMessage
	missing []string // what the system does not offer of its confinement
	warm    bool     // it loaded what it will need before it was given work

	served int    // jobs
	memory int64  // resident bytes, as it last said
	nextID uint64 // of requests

	holding sync.Mutex
	held    []string // keys of pages, the least recently used first
}

// maxHeld is how many pages and parts of them the pool remembers of a worker, to give it more jobs about them. The worker may hold fewer.
const maxHeld = 16

// forker starts processes from one thread that lives as long as the pool: the kernel sends the death signal to a child when
// the thread that made it ends, and not when the process does (prctl(2), PR_SET_PDEATHSIG).
type forker struct {
	work chan func()
	done chan struct{}
	once sync.Once
}

func newForker() *forker {
	f := &forker{work: make(chan func()), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for {
			select {
			case start := <-f.work:
				start()
			case <-f.done:
				return
			}
		}
	}()
	return f
}

func (f *forker) start(cmd *exec.Cmd) (err error) {
	started := make(chan struct{})
	select {
	case f.work <- func() { err = cmd.Start(); close(started) }:
		<-started
		return err
	case <-f.done:
		return errClosed
	}
}

func (f *forker) close() { f.once.Do(func() { close(f.done) }) }

// startProcess starts a worker and waits until it is ready, for at most that long. A warm worker loads what it will need, another one
// does not.
func startProcess(f *forker, command []string, environment []string, warm bool, limit time.Duration) (*process, error) {
	requestsR, requestsW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	repliesR, repliesW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, requestsR.Close(), requestsW.Close())
	}
	p := &process{requests: requestsW, replies: repliesR, in: bufio.NewReaderSize(repliesR, 64<<10),
		exited: make(chan struct{}), warm: warm}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Env = environment
	p.cmd.Dir = "/"
	p.cmd.Stdin = requestsR
	p.cmd.Stderr = &p.stderr
	p.cmd.ExtraFiles = []*os.File{repliesW}
	p.cmd.SysProcAttr = ownGroup()
	err = f.start(p.cmd)
	err = errors.Join(err, requestsR.Close(), repliesW.Close())
	if err != nil {
		return nil, errors.Join(err, p.requests.Close(), p.replies.Close())
	}
	go func() {
		p.waitErr = p.cmd.Wait()
		close(p.exited)
	}()
	timer := time.AfterFunc(limit, p.kill)
	err = p.greet()
	if !timer.Stop() || err != nil {
		p.kill()
		<-p.exited
		_ = p.replies.Close()
		return nil, fmt.Errorf("the worker did not start: %w; %s", err, p.obituary())
	}
	return p, nil
}

// greet waits for the first message of a worker and has a warm one load what it will need.
func (p *process) greet() error {
	var hello reply
	if err := readMessage(p.in, &hello); err != nil {
		return err
	}
	p.memory, p.about, p.missing = hello.Memory, hello.About, hello.Missing
	if !p.warm {
		return nil
	}
	if err := writeMessage(p.requests, request{Warm: true}); err != nil {
		return err
	}
	r, err := p.receive(0, func() {})
	if err != nil {
		return err
	}
	p.memory = r.Memory
	if r.Fault != nil {
		return r.Fault.fault()
	}
	return nil
}

// kill ends the process and all that it started, at once. It may be called several times and from any goroutine.
func (p *process) kill() {
	select {
	case <-p.exited: // its number may belong to another process by now
	default:
		killGroup(p.cmd.Process)
	}
	_ = p.requests.Close()
}

// retire lets the process end by itself.
func (p *process) retire() {
	_ = p.requests.Close()
	timer := time.AfterFunc(time.Second, p.kill)
	<-p.exited
	timer.Stop()
	_ = p.replies.Close()
}

// obituary says how the process ended, for the log.
func (p *process) obituary() string {
	how := "running"
	select {
	case <-p.exited:
		how = "exited"
		if p.waitErr != nil {
			how = p.waitErr.Error()
		}
	default:
	}
	if last := p.stderr.String(); last != "" {
		return how + "; its last words: " + last
	}
	return how
}

func (p *process) holds(page string) bool {
	p.holding.Lock()
	defer p.holding.Unlock()
	return slices.Contains(p.held, page)
}

func (p *process) noteHeld(page string) {
	p.holding.Lock()
	defer p.holding.Unlock()
	p.held = append(slices.DeleteFunc(p.held, func(key string) bool { return key == page }), page)
	if len(p.held) > maxHeld {
		p.held = slices.Delete(p.held, 0, 1)
	}
}

// A BrokenError reports that the worker crashed or was killed while it ran a job.
type BrokenError struct {
	Cause   error
	Timeout bool // it was killed, since it had exceeded the time of a job
	Opening bool // it had not got through decoding the page
}

// Error describes what happened to the worker.
func (e *BrokenError) Error() string { return fmt.Sprintf("the worker broke: %v", e.Cause) }

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Cause }

// longest is how many times its limit a job that makes progress may take.
const longest = 20

// ask sends one job and waits for its answer, for at most that long, and again that long after each part that the worker has done. A
// BrokenError means that the process was killed; any other error is about the job only. An answer has at most that many bytes.
func (p *process) ask(ctx context.Context, j Job, page Page, limit time.Duration, most int64) (Answer, error) {
	var late atomic.Bool
	timer := time.AfterFunc(limit, func() {
		late.Store(true)
		p.kill()
	})
	defer timer.Stop()
	end := time.Now().Add(longest * limit)
	progress := func() {
		if timer.Stop() {
			timer.Reset(min(limit, time.Until(end)))
		}
	}
	opening := false
	r, bytes, err := p.exchange(ctx, j, page, most, &opening, progress)
	_, source := errors.AsType[sourceError](err)
	switch {
	case source:
		p.served++
		return Answer{}, err
	case err != nil:
		p.kill()
		<-p.exited
		_ = p.replies.Close()
		return Answer{}, &BrokenError{Cause: err, Timeout: late.Load(), Opening: opening}
	}
	p.served++
	if r.Fault != nil {
		return Answer{}, r.Fault.fault()
	}
	p.noteHeld(page.Key)
	if page.Part != "" {
		p.noteHeld(page.part())
	}
	return Answer{Payload: r.Payload, Bytes: bytes}, nil
}

func (p *process) exchange(ctx context.Context, j Job, page Page, most int64, opening *bool, progress func()) (
	r reply, bytes []byte, err error,
) {
	payload, err := json.Marshal(j.Payload)
	if err != nil {
		return r, nil, sourceError{err}
	}
	p.nextID++
	id := p.nextID
	q := request{ID: id, Operation: j.Operation, Page: page.Key, Size: page.Size, Payload: payload}
	if err := writeMessage(p.requests, q); err != nil {
		return r, nil, err
	}
	if r, err = p.receive(id, progress); err != nil {
		return r, nil, err
	}
	if r.NeedPage {
		*opening = true
		sent := p.sendPage(ctx, page)
		_, source := errors.AsType[sourceError](sent)
		if sent != nil && !source {
			return r, nil, sent
		}
		if r, err = p.receive(id, progress); err != nil {
			return r, nil, err
		}
		if sent != nil {
			return r, nil, sent
		}
		if r.Opened {
			*opening = false
			if r, err = p.receive(id, progress); err != nil {
				return r, nil, err
			}
		}
	}
	p.memory = r.Memory
	switch {
	case r.Bytes < 0 || r.Bytes > most:
		return r, nil, fmt.Errorf("answer of %d bytes, where at most %d are taken", r.Bytes, most)
	case r.Bytes > 0:
		bytes, err = readChunks(p.in, r.Bytes)
	}
	return r, bytes, err
}

// receive returns the next reply to a request and calls progress for each that only tells of progress.
func (p *process) receive(id uint64, progress func()) (reply, error) {
	for {
		var r reply
		if err := readMessage(p.in, &r); err != nil {
			return r, err
		}
		switch {
		case r.ID != id:
			return r, fmt.Errorf("answer to request %d where %d was asked", r.ID, id)
		case !r.Progress:
			return r, nil
		}
		progress()
	}
}

func (p *process) sendPage(ctx context.Context, page Page) error {
	r, err := page.Open(ctx)
	if err != nil {
		return writeChunks(p.requests, failingReader{err})
	}
	defer r.Close()
	return writeChunks(p.requests, io.LimitReader(r, max(page.Size, -page.Size)+1))
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// tail keeps the last bytes that were written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const maxTail = 2048

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > maxTail {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-maxTail:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}

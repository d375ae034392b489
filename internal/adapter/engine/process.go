package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"glyphbox/internal/domain/document"
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

	missing []string // what the system does not offer of its confinement

	served int    // requests
	memory int64  // resident bytes, by its own word
	nextID uint64 // of requests
	held   lru[struct{}]
}

// maxHeld is how many pages the pool remembers of a worker, to send it more of the same; the worker may hold fewer.
const maxHeld = 8

// forker starts processes from one thread that lives as long as the pool: the kernel ties the death signal that a
// child gets to the thread that made it, not to the process (prctl(2), PR_SET_PDEATHSIG).
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

// helloTimeout is how long a worker may take to load its first models.
const helloTimeout = 30 * time.Second

// startProcess starts a worker and waits until it is ready.
func startProcess(f *forker, command []string, environment []string) (*process, error) {
	requestsR, requestsW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	repliesR, repliesW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, requestsR.Close(), requestsW.Close())
	}
	p := &process{requests: requestsW, replies: repliesR, in: bufio.NewReaderSize(repliesR, 64<<10), exited: make(chan struct{})}
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
	var hello reply
	timer := time.AfterFunc(helloTimeout, p.kill)
	err = readMessage(p.in, &hello)
	if !timer.Stop() || err != nil {
		p.kill()
		<-p.exited
		return nil, fmt.Errorf("worker did not start: %w; %s", err, p.obituary())
	}
	p.memory, p.missing = hello.Memory, hello.Missing
	return p, nil
}

// kill ends the process and all that it started, at once. It may be called several times and from any goroutine.
func (p *process) kill() {
	select {
	case <-p.exited: // its number may be somebody else's by now
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
	_, ok := p.held.get(page)
	return ok
}

// answer is what came back for a request.
type answer struct {
	reply
	bytes []byte
}

// A brokenError says that the process is of no more use.
type brokenError struct {
	cause    error
	timeout  bool // it was killed at the deadline
	decoding bool // it had not got through decoding the page
}

func (e *brokenError) Error() string { return fmt.Sprintf("worker broke: %v", e.cause) }
func (e *brokenError) Unwrap() error { return e.cause }

// ask sends one request and waits for its answer, for at most that long. A brokenError means that the process was killed;
// any other error concerns the request only.
func (p *process) ask(ctx context.Context, q request, page document.Page, limit time.Duration) (answer, error) {
	p.nextID++
	q.ID = p.nextID
	var late atomic.Bool
	timer := time.AfterFunc(limit, func() {
		late.Store(true)
		p.kill()
	})
	defer timer.Stop()
	decoding := false
	a, err := p.exchange(ctx, q, page, &decoding)
	var source sourceError
	if err == nil || errors.As(err, &source) {
		p.served++
		return a, err
	}
	p.kill()
	<-p.exited
	_ = p.replies.Close()
	return a, &brokenError{cause: err, timeout: late.Load(), decoding: decoding}
}

func (p *process) exchange(ctx context.Context, q request, page document.Page, decoding *bool) (a answer, err error) {
	if err := writeMessage(p.requests, q); err != nil {
		return a, err
	}
	if a.reply, err = p.receive(q.ID); err != nil {
		return a, err
	}
	if a.NeedPage {
		*decoding = true
		sent := p.sendPage(ctx, page)
		var source sourceError
		if sent != nil && !errors.As(sent, &source) {
			return a, sent
		}
		if a.reply, err = p.receive(q.ID); err != nil {
			return a, err
		}
		if sent != nil {
			return a, sent
		}
		if a.PageHeld {
			*decoding = false
			if a.reply, err = p.receive(q.ID); err != nil {
				return a, err
			}
		}
	}
	p.memory = a.Memory
	if a.Fault == nil && !p.holds(q.Page) {
		p.held.put(q.Page, struct{}{})
		if p.held.len() > maxHeld {
			p.held.dropOldest()
		}
	}
	if a.Media != "" {
		a.bytes, err = readChunks(p.in, -maxMessage)
	}
	return a, err
}

func (p *process) receive(id uint64) (r reply, err error) {
	if err := readMessage(p.in, &r); err != nil {
		return r, err
	}
	if r.ID != id {
		return r, fmt.Errorf("answer to request %d where %d was asked", r.ID, id)
	}
	return r, nil
}

func (p *process) sendPage(ctx context.Context, page document.Page) error {
	r, err := page.Open(ctx)
	if err != nil {
		return writeChunks(p.requests, failingReader{err})
	}
	defer r.Close()
	return writeChunks(p.requests, io.LimitReader(r, page.Size+1))
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

package workerpool

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/workerpool/pooltest"
)

func TestJobs(t *testing.T) {
	p := start(t)
	long := strings.Repeat("page ", 100_000) // more than one chunk
	for _, page := range []string{"", "short", long, "short"} {
		a, err := do(t.Context(), p, pageOf(page), "page", "ab")
		if err != nil || string(a.Payload) != `"abab"` || string(a.Bytes) != page {
			t.Errorf("got %s, %d bytes, %v, want those of a page of %d", a.Payload, len(a.Bytes), err, len(page))
		}
	}
	if about := p.About(); string(about) != `"a test"` {
		t.Errorf("got %s about the workers", about)
	}
	for operation, kind := range map[string]fault.Kind{"refuse": fault.Invalid, "no such": fault.Internal} {
		if _, err := do(t.Context(), p, pageOf("page"), operation, ""); fault.KindOf(err) != kind {
			t.Errorf("%s: got %v", operation, err)
		}
	}
	if s := p.Stats(); s.Served != 6 || s.Restarts != 0 || s.Memory < 1<<20 {
		t.Errorf("got %+v", s)
	}
}

// The jobs of an order that break their worker cost no others anything, and are told apart.
func TestJobsThatBreakTheirWorker(t *testing.T) {
	t.Parallel() // it waits for a job that hangs
	for _, c := range []struct {
		operation, page  string
		timeout, opening bool
		restartsOnce     uint64 // of one that is tried once: one that exceeds its time is
	}{{"crash", "page", false, false, 2}, {"hang", "page", true, false, 1}, {"page", "broken", false, true, 2}} {
		p := start(t, func(o *Options) {
			if c.timeout {
				o.JobTimeout = 3 * time.Second
			}
		})
		var broken int
		err := p.Do(t.Context(), Order{Page: pageOf(c.page), Jobs: []Job{{"state", ""}, {c.operation, ""}, {"state", ""}}},
			func(i int, a Answer, err error) error {
				b, isBroken := errors.AsType[*BrokenError](err)
				switch {
				case i != 1:
					return err
				case !isBroken || b.Timeout != c.timeout || b.Opening != c.opening:
					return fmt.Errorf("got %s, %w", a.Payload, err)
				}
				broken++
				return nil
			})
		if err != nil || broken != 1 {
			t.Errorf("%s of %s: %v, %d broken", c.operation, c.page, err, broken)
		}
		if s := p.Stats(); s.Restarts != 2 {
			t.Errorf("%s of %s: got %+v, want two tries", c.operation, c.page, s)
		}
		err = p.Do(t.Context(), Order{Page: pageOf(c.page), Once: true, Jobs: []Job{{c.operation, ""}}},
			func(_ int, _ Answer, err error) error { return err })
		if b, ok := errors.AsType[*BrokenError](err); !ok || b.Timeout != c.timeout {
			t.Errorf("%s once: got %v", c.operation, err)
		}
		if s := p.Stats(); s.Restarts != 2+c.restartsOnce {
			t.Errorf("after %s once: got %+v", c.operation, s)
		}
	}
}

// A job that makes progress may take longer than its limit in all.
func TestProgressIsNoTimeout(t *testing.T) {
	t.Parallel()                                                       // it waits
	p := start(t, func(o *Options) { o.JobTimeout = 6 * time.Second }) // a step takes one, and more on a busy machine
	a, err := do(t.Context(), p, pageOf("page"), "steps", "1s")
	if s := p.Stats(); err != nil || string(a.Payload) != `"done"` || s.Restarts != 0 {
		t.Errorf("got %s, %v, %+v", a.Payload, err, s)
	}
}

// When the server is killed with -9, no worker stays, not even one that is stopped.
func TestNoWorkerOutlivesTheServer(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "server")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the server said %q, %v", line, err)
	}
	pids := pooltest.WorkersOf(t, server.Process.Pid)
	if len(pids) != 2 {
		t.Fatalf("got the workers %v, want two", pids)
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait() // killed, as it says
	pooltest.WaitUntilGone(t, pids)
}

// serverForTest is the life of the server of TestNoWorkerOutlivesTheServer.
func serverForTest() {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	p := Start(Options{Command: []string{program, "worker"}, Workers: 2})
	for p.Stats().Workers < 2 {
		time.Sleep(5 * time.Millisecond)
	}
	fmt.Println("ready")
	select {}
}

func TestWorkersAreRecycled(t *testing.T) {
	p := start(t, func(o *Options) { o.MaxServed = 5; o.Workers = 1 })
	pids := map[int]bool{}
	for p.Stats().Recycled < 2 {
		a, err := do(t.Context(), p, pageOf("page"), "state", "")
		var s state
		if err != nil || json.Unmarshal(a.Payload, &s) != nil || !s.Warm {
			t.Fatalf("got %s, %v", a.Payload, err)
		}
		pids[s.PID] = true
	}
	if s := p.Stats(); s.Restarts != 0 || len(pids) < 2 {
		t.Errorf("got %+v of %v", s, pids)
	}
}

// A worker that has nothing to do for the idle time gives way to one that holds nothing, and is back at the first job.
func TestIdleWorkersRest(t *testing.T) {
	p := start(t, func(o *Options) { o.IdleTime = time.Millisecond; o.Workers = 1 })
	resting := func() {
		for p.Stats().Resting < 1 {
			time.Sleep(time.Millisecond) // no signal tells
		}
	}
	resting()
	was := p.Stats()
	if was.Workers != 1 || was.Recycled != 0 || was.Restarts != 0 {
		t.Errorf("got %+v", was)
	}
	var first state
	a, err := do(t.Context(), p, pageOf("page"), "state", "")
	if err != nil || json.Unmarshal(a.Payload, &first) != nil || first.Warm || first.Pages != 0 {
		t.Errorf("got %s, %v", a.Payload, err)
	}
	if _, err := do(t.Context(), p, pageOf("page"), "page", ""); err != nil { // which it may hold then
		t.Fatal(err)
	}
	resting()
	var second state
	a, err = do(t.Context(), p, pageOf("page"), "state", "")
	if err != nil || json.Unmarshal(a.Payload, &second) != nil || second.Warm || second.Pages != 0 || second.PID == first.PID {
		t.Errorf("got %s, %v, after %+v", a.Payload, err, first)
	}
}

// blockingPage is a page whose bytes come only when they are let.
func blockingPage(text string) (page Page, opened, let chan struct{}) {
	page, opened, let = pageOf(text), make(chan struct{}, 100), make(chan struct{})
	open := page.Open
	page.Open = func(ctx context.Context) (io.ReadCloser, error) {
		opened <- struct{}{}
		<-let
		return open(ctx)
	}
	return page, opened, let
}

func TestFullMeansBusy(t *testing.T) {
	p := start(t, func(o *Options) { o.Workers = 1; o.QueueSize = 2 })
	slow, opened, let := blockingPage("slow")
	var first sync.WaitGroup
	first.Go(func() {
		if _, err := do(t.Context(), p, slow, "page", ""); err != nil {
			t.Error(err)
		}
	})
	<-opened
	waiting, cancel := context.WithCancel(t.Context())
	var second sync.WaitGroup
	second.Go(func() {
		none := func(int, Answer, error) error { return errors.New("was done") }
		if err := p.Do(waiting, Order{Page: slow, Jobs: make([]Job, 2)}, none); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	for p.Stats().Waiting < 2 {
		time.Sleep(time.Millisecond) // no signal tells that somebody waits
	}
	_, err := do(t.Context(), p, pageOf("page"), "page", "")
	if f := fault.Of(err); f.Kind != fault.Busy || f.RetryAfter < time.Second {
		t.Errorf("got %v", err)
	}
	cancel() // makes room
	second.Wait()
	if n := p.Stats().Waiting; n != 0 {
		t.Errorf("%d still wait", n)
	}
	close(let)
	first.Wait()
}

// A page whose store fails costs the order, not the worker.
func TestAPageThatCannotBeOpened(t *testing.T) {
	p := start(t)
	page := pageOf("away")
	page.Open = func(context.Context) (io.ReadCloser, error) {
		return nil, fault.New(fault.NotFound, "blob_not_found", "gone")
	}
	if _, err := do(t.Context(), p, page, "page", ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	if a, err := do(t.Context(), p, pageOf("there"), "page", ""); err != nil || string(a.Bytes) != "there" {
		t.Errorf("got %q, %v", a.Bytes, err)
	}
	if s := p.Stats(); s.Restarts != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestWithoutWorkersItSaysSo(t *testing.T) {
	p := start(t, func(o *Options) { o.Command = []string{"/bin/false"} })
	for fault.Of(p.Ready()).Cause == nil {
		time.Sleep(time.Millisecond) // until the first attempt has failed
	}
	if _, err := do(t.Context(), p, pageOf("page"), "page", ""); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

// The log says where workers are less confined than they should be, once.
func TestMissingConfinementIsLogged(t *testing.T) {
	var log bytes.Buffer
	p := start(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	if _, err := do(t.Context(), p, pageOf("page"), "page", ""); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if got, want := strings.Count(log.String(), "less confined") == 1, noLandlock(); got != want {
		t.Errorf("got the log %q", log.String())
	}
}

// An answer of more bytes than are taken costs the worker, and one of as many is given.
func TestAnswersThatAreTooLarge(t *testing.T) {
	p := start(t, func(o *Options) { o.Workers, o.MaxAnswer = 1, 5 })
	if a, err := do(t.Context(), p, pageOf("12345"), "page", "x"); err != nil || string(a.Bytes) != "12345" {
		t.Errorf("five bytes: got %q, %v", a.Bytes, err)
	}
	_, err := do(t.Context(), p, pageOf("123456"), "page", "x")
	if _, broken := errors.AsType[*BrokenError](err); !broken {
		t.Errorf("six bytes: got %v", err)
	}
	if a, err := do(t.Context(), p, pageOf("12345"), "page", "x"); err != nil || string(a.Bytes) != "12345" {
		t.Errorf("five bytes after that: got %q, %v", a.Bytes, err)
	}
}

// The pool knows which pages its workers hold.
func TestHolds(t *testing.T) {
	p := start(t, func(o *Options) { o.Workers = 1 })
	page := pageOf("page")
	if p.Holds(page.Key) {
		t.Error("a page is held that no worker was given")
	}
	if _, err := do(t.Context(), p, page, "page", "x"); err != nil || !p.Holds(page.Key) {
		t.Errorf("the page is not held, %v", err)
	}
	if _, err := do(t.Context(), p, page, "crash", ""); err == nil || p.Holds(page.Key) {
		t.Errorf("the worker has crashed, and the page is held; %v", err)
	}
}

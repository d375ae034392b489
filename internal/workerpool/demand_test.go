package workerpool

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"glyphbox/internal/domain/fault"
)

// A pool on demand has no process until there is a job, and none again when there was no work for a time.
func TestWorkersOnDemand(t *testing.T) {
	p := start(t, func(o *Options) { o.OnDemand, o.IdleTime = true, time.Millisecond })
	if s := p.Stats(); s.Workers != 0 || p.Ready() != nil {
		t.Errorf("got %+v and %v before the first job", s, p.Ready())
	}
	pids := map[int]bool{}
	for range 3 {
		a, err := do(t.Context(), p, pageOf("page"), "page", "ab")
		if err != nil || string(a.Bytes) != "page" {
			t.Fatalf("got %q, %v", a.Bytes, err)
		}
		for p.Stats().Workers > 0 {
			time.Sleep(time.Millisecond) // no signal tells
		}
		if s := p.Stats(); s.Memory != 0 || s.Busy != 0 || s.Restarts != 0 {
			t.Errorf("got %+v of a pool at rest", s)
		}
		var now state
		if a, err = do(t.Context(), p, pageOf("page"), "state", ""); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(a.Payload, &now); err != nil || now.Pages != 0 || !now.Warm {
			t.Errorf("got %+v, %v", now, err)
		}
		pids[now.PID] = true
	}
	if len(pids) != 3 {
		t.Errorf("got %d processes", len(pids))
	}
}

// Jobs one after the other are given to the process that there is.
func TestOneWorkerSufficesOnDemand(t *testing.T) {
	p := start(t, func(o *Options) { o.OnDemand, o.patience = true, time.Hour })
	for _, page := range []string{"one", "two", "three", "one"} {
		if _, err := do(t.Context(), p, pageOf(page), "page", ""); err != nil {
			t.Fatal(err)
		}
	}
	if s := p.Stats(); s.Workers != 1 || s.Served != 4 {
		t.Errorf("got %+v", s)
	}
}

// A second process starts for what comes meanwhile and has waited.
func TestMoreWorkersOnDemand(t *testing.T) {
	p := start(t, func(o *Options) { o.OnDemand, o.patience = true, time.Millisecond })
	if err := p.Do(t.Context(), Order{Page: pageOf("one"), Jobs: []Job{{"steps", "100ms"}, {"steps", "100ms"}}},
		func(_ int, _ Answer, err error) error { return err }); err != nil {
		t.Error(err)
	}
	for p.Stats().Workers < 2 {
		time.Sleep(time.Millisecond) // on a busy machine it starts for longer than the work takes
	}
	if _, err := do(t.Context(), p, pageOf("one"), "crash", ""); err == nil {
		t.Error("a crash is no error")
	}
	if a, err := do(t.Context(), p, pageOf("one"), "page", ""); err != nil || string(a.Bytes) != "one" {
		t.Errorf("after a crash got %q, %v", a.Bytes, err)
	}
}

// A job that came late is not given to a slot without process since an earlier one had waited.
func TestPatienceIsOfEachOrder(t *testing.T) {
	p := start(t, func(o *Options) { o.OnDemand, o.patience = true, time.Hour })
	slow, opened, let := blockingPage("slow")
	var orders sync.WaitGroup
	ask := func() {
		orders.Go(func() {
			if _, err := do(t.Context(), p, slow, "page", ""); err != nil {
				t.Error(err)
			}
		})
	}
	ask()
	<-opened
	ask()
	for p.Stats().Waiting < 1 {
		time.Sleep(time.Millisecond) // no signal tells that somebody waits
	}
	p.startMore(&order{}) // whose jobs have all begun
	if s := p.Stats(); s.Waiting != 1 || s.Workers != 1 {
		t.Errorf("got %+v", s)
	}
	close(let)
	orders.Wait()
}

// A program that does not start is the error of each job, and is tried anew for the next one.
func TestAProgramThatDoesNotStartOnDemand(t *testing.T) {
	p := start(t, func(o *Options) { o.OnDemand, o.Command = true, []string{os.Args[0], "-test.run=^$"} })
	for range 2 {
		if _, err := do(t.Context(), p, pageOf("page"), "page", ""); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
		if p.Ready() == nil {
			t.Error("it is ready")
		}
	}
}

// Pages whose size only their bytes tell are bounded all the same.
func TestPagesOfUnknownSize(t *testing.T) {
	p := start(t)
	for text, fits := range map[string]bool{"": true, "short": true, "exactly ten": false, "exactly 10": true} {
		page := pageOf(text)
		page.Size = -10
		page.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte(text))), nil }
		a, err := do(t.Context(), p, page, "page", "")
		if fits != (err == nil) || fits && string(a.Bytes) != text {
			t.Errorf("%q: got %q, %v", text, a.Bytes, err)
		}
	}
}

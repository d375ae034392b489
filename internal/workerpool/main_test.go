package workerpool

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"glyphbox/internal/domain/fault"
)

// TestMain lets the test binary be its own worker, a server, and a process that tries its confinement.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "worker":
		if err := Serve(programForTest()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) > 1 && os.Args[1] == "server":
		serverForTest()
	case len(os.Args) > 4 && os.Args[1] == "confined":
		confinedForTest(os.Args[2], os.Args[3], os.Args[4])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// programForTest is a worker that holds the pages it was given, and breaks on demand.
func programForTest() Program {
	held := map[string][]byte{}
	warm := false
	open := func(r *Request) ([]byte, error) {
		if page, ok := held[r.Page]; ok {
			return page, nil
		}
		page, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(page, []byte("broken")) {
			panic("this page breaks decoders")
		}
		held[r.Page] = page
		return page, r.Opened()
	}
	return Program{
		Memory: memoryForTest, About: "a test",
		Warm: func() error { warm = true; return nil },
		Handlers: map[string]Handler{
			"page": func(r *Request) (Result, error) { // the page, and the payload with the letters doubled
				page, err := open(r)
				var text string
				if err == nil {
					err = r.Decode(&text)
				}
				return Result{Payload: text + text, Bytes: page}, err
			},
			"state": func(*Request) (Result, error) {
				return Result{Payload: state{PID: os.Getpid(), Warm: warm, Pages: len(held)}}, nil
			},
			"refuse": func(*Request) (Result, error) { return Result{}, fault.New(fault.Invalid, "refused", "No.") },
			"crash": func(r *Request) (Result, error) {
				if _, err := open(r); err != nil {
					return Result{}, err
				}
				panic("as asked")
			},
			"hang": func(r *Request) (Result, error) {
				if _, err := open(r); err != nil {
					return Result{}, err
				}
				select {}
			},
			"steps": func(r *Request) (Result, error) { // eight of them, each of which takes as long as the payload says
				var text string
				if err := r.Decode(&text); err != nil {
					return Result{}, err
				}
				pause, err := time.ParseDuration(text)
				if err != nil {
					return Result{}, err
				}
				for range 8 {
					time.Sleep(pause)
					if err := r.Progress(); err != nil {
						return Result{}, err
					}
				}
				return Result{Payload: "done"}, nil
			},
		},
	}
}

// state is what a worker of these tests tells of itself.
type state struct {
	PID   int
	Warm  bool
	Pages int
}

// start starts a pool of this test binary.
func start(t testing.TB, change ...func(*Options)) *Pool {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Command: []string{program, "worker"}, Workers: 2}
	for _, c := range change {
		c(&o)
	}
	p := Start(o)
	t.Cleanup(p.Close)
	return p
}

func pageOf(text string) Page {
	return Page{Key: "key of " + text, Size: int64(len(text)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader([]byte(text))), nil
	}}
}

// do has one job done.
func do(ctx context.Context, p *Pool, page Page, operation, payload string) (a Answer, err error) {
	err = p.Do(ctx, Order{Page: page, Jobs: []Job{{operation, payload}}}, func(_ int, got Answer, err error) error {
		a = got
		return err
	})
	return a, err
}

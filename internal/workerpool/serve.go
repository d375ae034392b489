package workerpool

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"glyphbox/internal/domain/fault"
)

// Program has the handlers of a worker process. Do what needs privileges, such as loading libraries, before calling Serve.
type Program struct {
	Readable []string // folders and files that may be read once the process is confined, and what links in them lead to
	Memory   int64    // bytes that the process may have beyond those at the start of Serve; more breaks it
	About    any      // for Pool.About, as JSON

	// Warm loads what jobs will need. It is called in the confined process before the first job, unless the worker is to rest.
	// Handlers must do without it.
	Warm func() error

	// Handlers has the function of each operation. They are called one at a time, from the same goroutine.
	Handlers map[string]Handler
}

// Handler runs one job. The caller of Pool.Do gets its error as a fault.
type Handler func(r *Request) (Result, error)

// Result is the answer of a handler.
type Result struct {
	Payload any // as JSON; nil for none
	Bytes   []byte
}

// Request is a job for a handler.
type Request struct {
	Page string // key of the page

	server  *server
	request request
}

// Decode stores the payload of the job in v, like json.Unmarshal.
func (r *Request) Decode(v any) error { return json.Unmarshal(r.request.Payload, v) }

// Bytes asks the pool for the bytes of the page and returns them. It may be called once. A handler must return its error.
func (r *Request) Bytes() ([]byte, error) {
	if err := r.server.send(reply{ID: r.request.ID, NeedPage: true}); err != nil {
		return nil, r.server.breaks(err)
	}
	data, err := readChunks(r.server.in, r.request.Size)
	if err != nil && !errors.Is(err, errAborted) {
		return nil, r.server.breaks(err)
	}
	return data, err
}

// Opened tells the pool that the bytes are decoded, so that they are not to blame if the process crashes afterwards.
func (r *Request) Opened() error {
	return r.server.breaks(r.server.send(reply{ID: r.request.ID, Opened: true}))
}

// Progress tells the pool that a part of the job is done. The time limit of the job starts again.
func (r *Request) Progress() error {
	return r.server.breaks(r.server.send(reply{ID: r.request.ID, Progress: true}))
}

// server is the worker's side of the pipes.
type server struct {
	program Program
	in      *bufio.Reader
	out     *bufio.Writer
	statm   *os.File // nil where the system has none
	broken  error    // of the pipes, after which there is no going on
}

// breaks records an error of the pipes and returns it.
func (s *server) breaks(err error) error {
	s.broken = errors.Join(s.broken, err)
	return err
}

// Serve runs a worker process that a pool has started. It confines the process permanently and handles jobs until standard input ends,
// which ends the process. It returns an error if the process cannot be confined or its pool sends invalid messages.
func Serve(p Program) error {
	out := os.NewFile(3, "replies")
	if out == nil {
		return errors.New("a worker is started by a pool, not by hand")
	}
	statm, _ := os.Open("/proc/self/statm") // it cannot be opened any more once confined
	missing, err := confine(p.Readable, p.Memory)
	if err != nil {
		return fmt.Errorf("confining the worker: %w", err)
	}
	about, err := json.Marshal(p.About)
	if err != nil {
		return err
	}
	s := &server{program: p, statm: statm,
		in: bufio.NewReaderSize(orphanWatch(os.Stdin), chunkSize), out: bufio.NewWriterSize(out, chunkSize)}
	if err := s.send(reply{About: about, Missing: missing}); err != nil {
		return err
	}
	for {
		if err := s.answer(); err != nil {
			return err
		}
	}
}

// orphanWatch reads on while the worker computes. It ends the process when the input ends, since the pool is gone then.
func orphanWatch(in io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, _ = io.Copy(w, in)
		os.Exit(0)
	}()
	return r
}

func (s *server) send(r reply) error {
	r.Memory = residentMemory(s.statm)
	if err := writeMessage(s.out, r); err != nil {
		return err
	}
	return s.out.Flush()
}

// answer answers one request. An error is one of the pipes.
func (s *server) answer() error {
	var q request
	if err := readMessage(s.in, &q); err != nil {
		return err
	}
	r := reply{ID: q.ID}
	result, err := s.handle(q)
	if s.broken != nil {
		return s.broken
	}
	if err == nil && result.Payload != nil {
		r.Payload, err = json.Marshal(result.Payload)
	}
	if err != nil {
		return s.send(reply{ID: q.ID, Fault: faultToWire(err)})
	}
	r.Bytes = int64(len(result.Bytes))
	if err := s.send(r); err != nil || r.Bytes == 0 {
		return err
	}
	if err := writeChunks(s.out, bytes.NewReader(result.Bytes)); err != nil {
		return err
	}
	return s.out.Flush()
}

func (s *server) handle(q request) (Result, error) {
	if q.Warm {
		if s.program.Warm == nil {
			return Result{}, nil
		}
		return Result{}, s.program.Warm()
	}
	handler, ok := s.program.Handlers[q.Operation]
	if !ok {
		return Result{}, fault.New(fault.Internal, "unknown_operation", "The worker has no operation %q.", q.Operation)
	}
	return handler(&Request{Page: q.Page, server: s, request: q})
}

// residentMemory returns the bytes of memory that the process occupies, by its /proc/self/statm; 0 where the system does not tell.
func residentMemory(statm *os.File) int64 {
	b := make([]byte, 128)
	n, err := statm.ReadAt(b, 0) // fails for nil
	if n == 0 && err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(b[:n]), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

package overlay

import (
	"bytes"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"glyphbox/internal/adapter/transcript/protocol"
	"glyphbox/internal/pdfparse"
	"glyphbox/internal/workerpool"
)

// memoryLimit is how many bytes a worker may have. The largest files take some copies of themselves.
const memoryLimit = 3 << 30

// Run runs a worker process.
func Run() error {
	return workerpool.Serve(workerpool.Program{Memory: memoryLimit, Warm: func() error { return nil },
		Handlers: map[string]workerpool.Handler{
			protocol.Overlay: func(r *workerpool.Request) (workerpool.Result, error) {
				var job protocol.Job
				data, err := received(r, &job)
				if err != nil {
					return workerpool.Result{}, err
				}
				if job.Size < 0 || job.Size > int64(len(data)) {
					return workerpool.Result{}, fmt.Errorf("overlay: a file of %d of %d bytes", job.Size, len(data))
				}
				answer, out, err := Lay(data[:job.Size], data[job.Size:], job)
				return workerpool.Result{Payload: answer, Bytes: out}, err
			},
			protocol.Merge: func(r *workerpool.Request) (workerpool.Result, error) {
				var job protocol.MergeJob
				data, err := received(r, &job)
				if err != nil {
					return workerpool.Result{}, err
				}
				out, err := merge(data, job.Sizes)
				return workerpool.Result{Bytes: out}, err
			},
		}})
}

// received is what a job came with.
func received(r *workerpool.Request, job any) ([]byte, error) {
	if err := r.Decode(job); err != nil {
		return nil, err
	}
	return r.Bytes()
}

// merge makes one file of several.
func merge(data []byte, sizes []int64) (_ []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errUnreadable.Because(fmt.Errorf("panic: %v", p))
		}
	}()
	var files []io.ReadSeeker
	for _, n := range sizes {
		if n < 0 || n > int64(len(data)) {
			return nil, fmt.Errorf("overlay: a file of %d of %d bytes", n, len(data))
		}
		files = append(files, bytes.NewReader(data[:n]))
		data = data[n:]
	}
	var out bytes.Buffer
	if err := api.MergeRaw(files, &out, false, pdfparse.Configuration("")); err != nil {
		return nil, errUnreadable.Because(err)
	}
	return out.Bytes(), nil
}

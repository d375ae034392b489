package workerpool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"glyphbox/internal/domain/fault"
)

// A pool and a worker talk over two pipes, one request at a time:
//
//	pool → worker  request
//	worker → pool  reply; where it says NeedPage, these come in between:
//	pool → worker    the bytes of the page, as chunks
//	worker → pool    a reply that says Opened once they are decoded; or the last reply, with a fault
//	worker → pool  reply
//
// A worker begins with a reply of its own, the hello, once it is confined.
//
// A message is a frame: its length in bytes (4, big-endian), then as many bytes of JSON. The bytes of a page and those of an answer
// follow as chunks: frames of raw bytes, ended by an empty one, or by abortChunk where the sender could not go on. Either
// side takes anything else for a broken peer; the pool then replaces the worker.

const (
	maxMessage = 64 << 20
	chunkSize  = 256 << 10
	abortChunk = 0xffffffff
)

type request struct {
	ID        uint64          `json:"id"`
	Warm      bool            `json:"warm,omitempty"` // load what jobs will need; there is no job
	Operation string          `json:"operation,omitempty"`
	Page      string          `json:"page,omitempty"` // key
	Size      int64           `json:"size,omitempty"` // bytes of the page
	Payload   json.RawMessage `json:"payload,omitempty"`
}

type reply struct {
	ID       uint64          `json:"id"`
	NeedPage bool            `json:"need_page,omitempty"`
	Opened   bool            `json:"opened,omitempty"`
	Progress bool            `json:"progress,omitempty"` // the job goes on; its answer is still to come
	Payload  json.RawMessage `json:"payload,omitempty"`
	Bytes    int64           `json:"bytes,omitempty"` // that follow as chunks
	Fault    *wireFault      `json:"fault,omitempty"`
	Memory   int64           `json:"memory,omitempty"`  // resident bytes of the worker
	About    json.RawMessage `json:"about,omitempty"`   // in the hello only
	Missing  []string        `json:"missing,omitempty"` // of the confinement; in the hello only
}

// wireFault carries a fault across the pipe; its cause crosses as text, for the log.
type wireFault struct {
	Kind  fault.Kind `json:"kind"`
	Code  string     `json:"code"`
	Text  string     `json:"text"`
	Cause string     `json:"cause,omitempty"`
}

func faultToWire(err error) *wireFault {
	f := fault.Of(err)
	w := &wireFault{Kind: f.Kind, Code: f.Code, Text: f.Text}
	if f.Cause != nil {
		w.Cause = f.Cause.Error()
	}
	return w
}

func (w *wireFault) fault() error {
	f := fault.New(w.Kind, w.Code, "%s", w.Text)
	if w.Cause != "" {
		f = f.Because(errors.New(w.Cause))
	}
	return f
}

func writeMessage(w io.Writer, message any) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	_, err = w.Write(append(frame, body...))
	return err
}

func readMessage(r io.Reader, message any) error {
	n, err := readLength(r)
	if err != nil {
		return err
	}
	if n > maxMessage {
		return fmt.Errorf("message of %d bytes", n)
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(n))) // grows with what comes, not with what was announced
	if err != nil {
		return err
	}
	if len(body) < int(n) {
		return io.ErrUnexpectedEOF
	}
	return json.Unmarshal(body, message)
}

func readLength(r io.Reader) (uint32, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(length[:]), nil
}

// writeChunks sends all that r gives. An error of r is told to the peer and returned as a sourceError; the pipe stays in order.
func writeChunks(w io.Writer, r io.Reader) error {
	buf := make([]byte, 4+chunkSize)
	for {
		n, err := io.ReadFull(r, buf[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if _, err := w.Write(buf[:4+n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			_, err = w.Write([]byte{0, 0, 0, 0})
			return err
		}
		if _, werr := w.Write([]byte{0xff, 0xff, 0xff, 0xff}); werr != nil {
			return werr
		}
		return sourceError{err}
	}
}

// sourceError is an error of what was to be sent. The pipe is in order.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

var errAborted = errors.New("the sender could not go on")

// readChunks returns what was sent, which must be size bytes where size is not negative, and at most -size bytes else.
func readChunks(r io.Reader, size int64) ([]byte, error) {
	most := max(size, -size)
	var data []byte
	if size > 0 {
		data = make([]byte, 0, size)
	}
	for {
		n, err := readLength(r)
		switch {
		case err != nil:
			return nil, err
		case n == abortChunk:
			return nil, errAborted
		case n == 0 && size >= 0 && int64(len(data)) != size:
			return nil, fmt.Errorf("%d bytes where %d were announced", len(data), size)
		case n == 0:
			return data, nil
		case n > chunkSize, int64(len(data))+int64(n) > most:
			return nil, fmt.Errorf("chunk of %d bytes after %d", n, len(data))
		}
		at := len(data)
		data = append(data, make([]byte, n)...)
		if _, err := io.ReadFull(r, data[at:]); err != nil {
			return nil, err
		}
	}
}

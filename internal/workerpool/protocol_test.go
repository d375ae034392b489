package workerpool

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"glyphbox/internal/domain/fault"

	"github.com/google/go-cmp/cmp"
)

func TestMessagesComeBack(t *testing.T) {
	sent := reply{ID: 7, Memory: 9, Fault: faultToWire(fault.New(fault.TooLarge, "code", "text").Because(io.ErrNoProgress)),
		Payload: json.RawMessage(`{"text":"가나\n\"다\""}`)}
	var pipe bytes.Buffer
	if err := writeMessage(&pipe, sent); err != nil {
		t.Fatal(err)
	}
	var got reply
	if err := readMessage(iotest.OneByteReader(&pipe), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Error(diff)
	}
	if f := fault.Of(got.Fault.fault()); f.Kind != fault.TooLarge || f.Code != "code" || f.Text != "text" || f.Cause == nil {
		t.Errorf("got the fault %#v", f)
	}
}

func TestChunks(t *testing.T) {
	long := strings.Repeat("0123456789", 60_000) // more than one chunk
	for _, c := range []struct {
		name, sent string
		size       int64
		ok         bool
	}{
		{"nothing", "", 0, true}, {"some", "some", 4, true}, {"several", long, int64(len(long)), true},
		{"at most", long, -int64(len(long)), true},
		{"fewer than announced", "some", 5, false}, {"more than announced", "some", 3, false}, {"more than allowed", long, -10, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var pipe bytes.Buffer
			if err := writeChunks(&pipe, strings.NewReader(c.sent)); err != nil {
				t.Fatal(err)
			}
			got, err := readChunks(&pipe, c.size)
			if (err == nil) != c.ok || c.ok && string(got) != c.sent {
				t.Errorf("got %d bytes and %v", len(got), err)
			}
		})
	}
}

// A page that cannot be read to its end leaves the pipe in order.
func TestASourceThatFailsIsToldToThePeer(t *testing.T) {
	var pipe bytes.Buffer
	failure := errors.New("away")
	err := writeChunks(&pipe, io.MultiReader(strings.NewReader("begun"), iotest.ErrReader(failure)))
	if !errors.As(err, new(sourceError)) || !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if _, err := readChunks(&pipe, 10); !errors.Is(err, errAborted) {
		t.Errorf("the peer got %v", err)
	}
	if pipe.Len() != 0 {
		t.Errorf("%d bytes stay in the pipe", pipe.Len())
	}
}

// Whatever comes over the pipe, reading it ends, in a message or an error, and takes no more memory than came.
func FuzzProtocol(f *testing.F) {
	var pipe bytes.Buffer
	_ = writeMessage(&pipe, request{ID: 1, Operation: "page", Page: "x", Size: 3})
	_ = writeChunks(&pipe, strings.NewReader("abc"))
	f.Add(pipe.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x03, 0xff, 0xff, 0xff, '{', '}'})
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := bytes.NewReader(sent)
		var q request
		if err := readMessage(r, &q); err != nil {
			return
		}
		if data, err := readChunks(r, -1<<20); err == nil && len(data) > len(sent) {
			t.Errorf("got %d bytes of %d", len(data), len(sent))
		}
		r.Reset(sent)
		var a reply
		_ = readMessage(r, &a)
	})
}

// BenchmarkProtocol sends a request and its reply with the words of a line through memory.
func BenchmarkProtocol(b *testing.B) {
	payload := json.RawMessage(`{"words":[` + strings.Repeat(`{"text":"amount","x1":100,"y1":100,"x2":250,"y2":140,"confidence":0.9876},`,
		4) + `{}]}`)
	var pipe bytes.Buffer
	for b.Loop() {
		var q request
		var r reply
		for _, step := range []struct{ sent, got any }{{request{ID: 1, Operation: "page", Page: "page", Payload: payload}, &q},
			{reply{ID: 1, Payload: payload}, &r}} {
			if err := writeMessage(&pipe, step.sent); err != nil {
				b.Fatal(err)
			}
			if err := readMessage(&pipe, step.got); err != nil {
				b.Fatal(err)
			}
		}
		if len(r.Payload) != len(payload) {
			b.Fatal(len(r.Payload))
		}
	}
}

package endpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/fault"
)

// brokenBlob breaks off in the middle.
type brokenBlob struct {
	*bytes.Reader
	left int
}

func (b *brokenBlob) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fault.New(fault.Unavailable, "blobs_away", "The blobs are away.")
	}
	n, err := b.Reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (b *brokenBlob) Close() error { return nil }

// What breaks off does not look whole, and the log says why.
func TestBlobBreaksOff(t *testing.T) {
	var logs bytes.Buffer
	s, err := New(Config{Log: slog.New(slog.NewJSONHandler(&logs, nil))}, Document{}, nil, func(s *Set) {
		Handle(s, Route{Pattern: "GET /broken", ID: "broken", Gives: []string{"image/png"}, Open: true},
			func(_ context.Context, c *Call, _ *None) (*Stream, error) {
				return c.Serve(&brokenBlob{bytes.NewReader(make([]byte, 1_000_000)), 300_000}, File{MediaType: "image/png"}), nil
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	response, err := http.Get(server.URL + "/broken")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); !errors.Is(err, io.ErrUnexpectedEOF) || n > 300_000 {
		t.Errorf("%d bytes and %v", n, err)
	}
	server.Close() // waits for the line
	if got := logs.String(); !strings.Contains(got, `"cause":"blobs_away: The blobs are away."`) ||
		!strings.Contains(got, `"level":"ERROR"`) {
		t.Errorf("the log has %s", got)
	}
}

// slowWriter takes all, but counts how often the deadline was moved.
type slowWriter struct {
	*httptest.ResponseRecorder
	moved int
}

func (w *slowWriter) SetWriteDeadline(time.Time) error { w.moved++; return nil }

// A large answer is written piece by piece, so that each piece has its own patience.
func TestLargeAnswerMovesTheDeadline(t *testing.T) {
	w := &slowWriter{ResponseRecorder: httptest.NewRecorder()}
	out := &responseWriter{ResponseWriter: w, control: http.NewResponseController(w)} // no patience: moved with each piece
	n, err := out.Write(make([]byte, 1_000_000))
	if n != 1_000_000 || err != nil || w.Body.Len() != n || out.bytes != int64(n) || out.status != 200 {
		t.Errorf("%d bytes, %v; %+v", n, err, out)
	}
	if w.moved < 10 {
		t.Errorf("the deadline was moved %d times", w.moved)
	}
}

func TestDisposition(t *testing.T) {
	tests := map[string]struct{ name, mediaType, want string }{
		"plain":  {"a b.png", "image/png", `inline; filename="a b.png"; filename*=UTF-8''a%20b.png`},
		"Hangul": {"영수증.png", "image/png", `inline; filename="___.png"; filename*=UTF-8''%EC%98%81%EC%88%98%EC%A6%9D.png`},
		"hostile": {"a\"; x=\r\ny\\/%.png", "image/png",
			`inline; filename="a_; x=__y___.png"; filename*=UTF-8''a%22%3B%20x%3D%0D%0Ay%5C%2F%25.png`},
		"plus":       {"a+b", "image/jpeg", `inline; filename="a+b"; filename*=UTF-8''a%2Bb`},
		"not shown":  {"a.tif", "image/tiff", `attachment; filename="a.tif"; filename*=UTF-8''a.tif`},
		"could run":  {"a.svg", "image/svg+xml", `attachment; filename="a.svg"; filename*=UTF-8''a.svg`},
		"has no own": {"", "image/png", "inline"},
	}
	for name, test := range tests {
		if got := (File{Name: test.name, MediaType: test.mediaType}).disposition(); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

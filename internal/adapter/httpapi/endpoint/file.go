package endpoint

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"glyphbox/internal/domain/fault"
)

// File says how bytes are served.
type File struct {
	MediaType string
	Tag       string // entity tag, without quotes; empty: none
	Name      string // for who saves it; empty: none
	Modified  time.Time
	Cache     string // Cache-Control
}

// QuotedTag returns the entity tag as it is sent.
func (f File) QuotedTag() string { return `"` + f.Tag + `"` }

// shown are the media types that browsers show and that cannot run anything.
var shown = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/bmp": true}

func (f File) disposition() string {
	kind := "attachment"
	if shown[f.MediaType] {
		kind = "inline"
	}
	if f.Name == "" {
		return kind
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' || r == '/' {
			return '_'
		}
		return r
	}, f.Name)
	return kind + `; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(f.Name), "+", "%20")
}

// Serve sends bytes: all, a part or none, according to the headers of the request. It closes r.
func (c *Call) Serve(r io.ReadSeekCloser, f File) *Stream {
	return Written(func() {
		defer r.Close()
		h := c.w.Header()
		h.Set("Cache-Control", f.Cache)
		h.Add("Vary", "Authorization") // another user of the same browser must not get it
		if f.MediaType != "" {
			h.Set("Content-Disposition", f.disposition())
		}
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
		h.Set("Content-Type", "application/octet-stream")
		if mediaType, _, err := mime.ParseMediaType(f.MediaType); err == nil {
			h.Set("Content-Type", mediaType)
		}
		if f.Tag != "" {
			h.Set("ETag", f.QuotedTag())
		}
		watched := &watchedReader{ReadSeeker: r}
		http.ServeContent(&problemWriter{responseWriter: c.w, call: c}, c.r, "", f.Modified, watched)
		if watched.err != nil { // the client can only be told by breaking off, which net/http does
			c.code, c.cause = fault.Of(watched.err).Code, watched.err
		}
	})
}

// readRange rewrites a header Range as http.ServeContent understands it. It removes the header if the unit is unknown or the range is
// invalid, which then has to be ignored (RFC 9110, 14.2). Numbers that are too large for net/http become very large ones.
func readRange(h http.Header) {
	unit, set, _ := strings.Cut(h.Get("Range"), "=")
	h.Del("Range")
	if unit != "bytes" {
		return
	}
	var parts []string
	for part := range strings.SplitSeq(set, ",") {
		if part = strings.Trim(part, " \t"); part == "" {
			continue // an empty element of a list is none
		}
		first, last, ok := strings.Cut(part, "-")
		from, to := position(first), position(last)
		switch {
		case !ok || from < 0 || to < 0 || first == "" && last == "" || first != "" && last != "" && to < from:
			return
		case first == "" && to == 0: // the last 0 bytes, which no file has
			parts = append(parts, fmt.Sprintf("%d-", beyond))
		case first == "":
			parts = append(parts, fmt.Sprintf("-%d", to))
		case last == "":
			parts = append(parts, fmt.Sprintf("%d-", from))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", from, to))
		}
	}
	if len(parts) > 0 {
		h.Set("Range", "bytes="+strings.Join(parts, ","))
	}
}

// beyond is a position behind the end of any file.
const beyond = 1 << 62

// position reads a position in a file: 0 for an empty text, -1 for one that is not a position.
func position(text string) int64 {
	if strings.Trim(text, "0123456789") != "" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return beyond
	}
	return min(n, beyond)
}

// Download sends a file that is made while it is sent.
func (c *Call) Download(f File, write func(io.Writer) error) *Stream {
	return Written(func() {
		h := c.w.Header()
		h.Set("Content-Disposition", f.disposition())
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
		h.Set("Content-Type", f.MediaType)
		err := write(c.w)
		switch {
		case err == nil:
		case c.w.status == 0:
			c.send(c.fail(err))
		default: // the client can only be told by breaking off
			c.code, c.cause = fault.Of(err).Code, err
			panic(http.ErrAbortHandler)
		}
	})
}

// watchedReader remembers that reading failed, which http.ServeContent does not report.
type watchedReader struct {
	io.ReadSeeker
	err error
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// problemWriter puts a problem in the place of net/http's own refusals.
type problemWriter struct {
	*responseWriter
	call    *Call
	refused bool
}

func (w *problemWriter) WriteHeader(status int) {
	if status < 400 {
		w.responseWriter.WriteHeader(status)
		return
	}
	w.refused = true
	switch status {
	case http.StatusNotFound:
		w.call.noSuchPath()
	case http.StatusRequestedRangeNotSatisfiable:
		w.call.send(w.call.problem(status, "range_not_satisfiable", "The range is outside the file."))
	case http.StatusPreconditionFailed:
		w.call.send(w.call.problem(status, "precondition_failed", "A precondition of the request does not hold."))
	default:
		w.call.send(w.call.problem(http.StatusInternalServerError, "internal", textInternal))
	}
}

func (w *problemWriter) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.responseWriter.Write(b)
}

package endpoint

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"glyphbox/client"
	"glyphbox/internal/domain/fault"
)

// statuses maps every kind of fault to the status that it leaves with.
var statuses = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Malformed:       http.StatusBadRequest,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Stale:           http.StatusPreconditionFailed,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unsupported:     http.StatusUnsupportedMediaType,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Busy:            http.StatusServiceUnavailable,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Deadline:        http.StatusGatewayTimeout,
	fault.Canceled:        statusClientClosed,
	fault.Full:            http.StatusInsufficientStorage,
}

// statusClientClosed is what proxies log for a client that went away; it is never seen by one.
const statusClientClosed = 499

func statusText(status int) string {
	if status == statusClientClosed {
		return "Client Closed Request"
	}
	return http.StatusText(status)
}

// Limits of what a problem says: a body can have a million bad entries.
const (
	maxFields = 100
	maxDetail = 500 // characters
)

// problem is a failure on its way to the client.
type problem struct {
	client.Problem
	header http.Header
}

// textInternal is the text for the client if there is a defect.
const textInternal = "Something went wrong in the service. The request id identifies it in the logs."

// fail keeps an error for the log line of the request and returns the problem for the client.
func (c *Call) fail(err error) *problem {
	f := fault.Of(err)
	c.code, c.cause = f.Code, err
	if f.Kind == fault.Internal { // whatever its text is, it stays inside
		return c.problem(http.StatusInternalServerError, "internal", textInternal)
	}
	p := c.problem(statuses[f.Kind], f.Code, f.Text)
	for _, field := range f.Fields[:min(len(f.Fields), maxFields)] {
		p.Errors = append(p.Errors, client.Field{Field: capped(field.Field), Detail: capped(field.Detail)})
	}
	switch f.Kind {
	case fault.Unauthenticated:
		p.header.Set("WWW-Authenticate", "Bearer")
	case fault.TooMany, fault.Busy, fault.Unavailable:
		if f.RetryAfter > 0 || f.Limit == nil { // asking again does not help if it is more than is ever allowed
			p.header.Set("Retry-After", retryAfter(f.RetryAfter))
		}
	}
	if f.Limit != nil {
		p.Limit = new(client.LimitReached(*f.Limit))
	}
	return p
}

// problem is a failure of that status, in the form it leaves in.
func (c *Call) problem(status int, code, detail string) *problem {
	c.code = code
	return &problem{header: http.Header{}, Problem: client.Problem{Type: "about:blank", Title: statusText(status), Status: status,
		Detail: capped(detail), Code: code, RequestID: c.id}}
}

// PartFailure returns the error of a part of an answer as the client may see it. It records other errors for the log.
func (c *Call) PartFailure(err error) *client.Failure {
	code, cause := c.code, c.cause
	p := c.fail(err)
	if p.Status < http.StatusInternalServerError {
		c.code, c.cause = code, cause
	}
	detail := p.Detail
	for _, f := range p.Errors {
		detail += " " + f.Field + ": " + f.Detail + "."
	}
	return &client.Failure{Code: p.Code, Detail: capped(detail)}
}

// retryAfter returns whole seconds, rounded up, at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

func capped(s string) string {
	if utf8.RuneCountInString(s) <= maxDetail {
		return s
	}
	return string([]rune(s)[:maxDetail-1]) + "…"
}

// send writes a problem where huma does not.
func (c *Call) send(p *problem) {
	h := c.w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Length")
	h.Del("Content-Disposition")
	c.w.WriteHeader(p.Status)
	if err := writeJSON(c.w, p); err != nil { // cannot be: strings and numbers
		panic(err)
	}
}

// writeJSON writes a value, with UTF-8 as it is: pages escape what they show. Its error is about the value only. That the client has gone
// is not an error, since huma would panic.
func writeJSON(w io.Writer, v any) error {
	b, err := Encode(v)
	if err == nil {
		_, _ = w.Write(b)
	}
	return err
}

// Encode returns a value in the JSON form of writeJSON.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

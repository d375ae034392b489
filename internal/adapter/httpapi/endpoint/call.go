package endpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Call is one request on its way through the layers. The context of the request has it, but only for the layers of this package:
// services get the actor as an argument.
type Call struct {
	set   *Set
	id    string
	op    Route  // zero before it is found
	route string // the pattern that it matched: "GET /api/v1/image/{id}"
	start time.Time
	w     *responseWriter
	raw   http.ResponseWriter // that of net/http, behind w
	r     *http.Request
	body  *bodyReader // nil where there is none
	actor account.Actor
	code  string // of what went wrong, for the log
	cause error  // of what went wrong, for the log
}

type callKey struct{}

// Actor returns the actor of the request; the zero actor if the route is open.
func (c *Call) Actor() account.Actor { return c.actor }

// Request returns the request. Read its body with ReadForm, or after LimitBody.
func (c *Call) Request() *http.Request { return c.r }

// Writer returns the writer of an answer that is a Stream, and of headers of any answer.
func (c *Call) Writer() http.ResponseWriter { return c.w }

// Outside returns a path as clients see it.
func (c *Call) Outside(path string) string { return c.set.BasePath + path }

// SignedIn records for the log which user a call has signed in.
func (c *Call) SignedIn(user int64) { c.actor.UserID = user }

// Note records an error for the log if the answer is not a problem.
func (c *Call) Note(code string, cause error) { c.code, c.cause = code, cause }

func callOf(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }

// ServeHTTP answers one request, whatever happens, and logs one line about it.
func (s *Set) ServeHTTP(raw http.ResponseWriter, r *http.Request) {
	s.compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(raw, w, r) })).ServeHTTP(raw, r)
}

// answer answers a request to w, which compresses what goes on to raw, where the client accepts that.
func (s *Set) answer(raw, w http.ResponseWriter, r *http.Request) {
	c := &Call{set: s, id: requestID(r), route: "none", start: time.Now(), raw: raw}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // the last request on this connection may have set one; not every writer has deadlines
	c.w = &responseWriter{ResponseWriter: w, control: control, stall: s.StallTimeout, coded: takeSuffix(r.Header)}
	readRange(r.Header)
	c.r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	c.r.URL = new(url.URL)
	*c.r.URL = *r.URL
	if r.Body != nil && r.Body != http.NoBody {
		c.body = &bodyReader{ReadCloser: r.Body, control: control, stall: s.StallTimeout, until: c.start.Add(s.RequestTimeout)}
		c.body.extend(s.StallTimeout)
		c.w.body = c.body
		c.r.Body = c.body
	}
	inside := s.enter(c.r.URL)
	secure(w.Header(), c)
	defer s.finish(c)
	if s.cors(c) {
		return
	}
	if !inside {
		c.route = "base"
		http.Redirect(c.w, c.r, s.BasePath+"/", http.StatusMovedPermanently)
		return
	}
	s.route(c)
}

// enter removes the base path from the path of a request. Paths without it are accepted too: a proxy may have removed it, and probes do not
// know it. It returns false for the base path without a slash at its end, whose page is one slash further.
func (s *Set) enter(u *url.URL) bool {
	if s.BasePath == "" {
		return true
	}
	if u.Path == s.BasePath {
		return false
	}
	if rest, ok := strings.CutPrefix(u.Path, s.BasePath+"/"); ok {
		u.Path = "/" + rest
		u.RawPath = strings.TrimPrefix(u.RawPath, s.BasePath) // it is checked against Path, and not used where they differ
	}
	return true
}

// finish answers for a handler that panicked, and logs and counts the request.
func (s *Set) finish(c *Call) {
	var abort bool
	if v := recover(); v != nil {
		abort = c.w.status != 0 // too late for an answer: the connection must break, so that no client takes the part for the whole
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			abort = true
		} else {
			c.cause = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
		if !abort {
			c.send(c.problem(http.StatusInternalServerError, "internal", textInternal))
		}
		c.code = "internal"
	}
	if c.w.status == 0 && !abort {
		c.w.WriteHeader(http.StatusOK)
	}
	took := time.Since(c.start)
	s.metrics.observe(c.route, c.w.status, took)
	s.logCall(c, took)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// logCall writes the log line of a request. It names the route and not the path or the query, which may hold private data.
func (s *Set) logCall(c *Call, took time.Duration) {
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("method", c.r.Method), slog.String("route", c.route), slog.Int("status", c.w.status),
		slog.Int64("bytes", c.w.bytes), slog.Duration("duration", took), slog.String("request_id", c.id)}
	if c.actor.UserID != 0 {
		attrs = append(attrs, slog.Int64("user_id", c.actor.UserID))
	}
	if c.code != "" {
		attrs = append(attrs, slog.String("code", c.code))
	}
	if c.cause != nil && (c.w.status >= 500 || c.w.status < 400) { // a 4xx is the client's concern
		level = slog.LevelError
		attrs = append(attrs, slog.String("cause", c.cause.Error()))
	}
	s.Log.LogAttrs(c.r.Context(), level, "request", attrs...)
}

// requestID returns the ID that the caller gave, if it is harmless, or a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	odd := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-'
	}
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, odd) {
		return strings.ToLower(rand.Text())
	}
	return id
}

// secure sets the headers that every response has. A handler may loosen them.
func secure(h http.Header, c *Call) {
	h.Set("X-Request-Id", c.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if strings.HasPrefix(c.r.URL.Path, Base) {
		h.Set("Cache-Control", "no-store")
	}
}

// AnyOrigin in Config.CORSOrigins allows pages of all origins to use the API.
const AnyOrigin = "*"

// cors allows pages of the origins that the configuration names. It tells whether it has answered already.
func (s *Set) cors(c *Call) bool {
	if len(s.CORSOrigins) == 0 {
		return false
	}
	h, origin := c.w.Header(), c.r.Header.Get("Origin")
	if slices.Contains(s.CORSOrigins, AnyOrigin) {
		origin = AnyOrigin // browsers send no cookies then
	} else {
		h.Add("Vary", "Origin")
		if !slices.Contains(s.CORSOrigins, origin) {
			return false
		}
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Content-Disposition, Content-Range, ETag, Export-Unencrypted, Export-Unread, Link, Location, "+
		"OCR-Version, Retry-After, X-Request-Id, X-Total-Count")
	if c.r.Method != http.MethodOptions || c.r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	c.route = "preflight"
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "+
		"Range, X-Request-Id")
	h.Set("Access-Control-Max-Age", "600")
	c.w.WriteHeader(http.StatusNoContent)
	return true
}

// monitored are the paths of a server that has only the operations for monitoring.
var monitored = []string{"/ping", "/health", "/ready", "/metrics"}

// route finds the handler. An unknown path gets a problem and not ServeMux's text. A path that is not in its plain form counts as unknown,
// since the redirect to that form would lose bodies and methods.
func (s *Set) route(c *Call) {
	p := c.r.URL.Path
	if p == "" || path.Clean(p) != p || !utf8.ValidString(p) || s.Monitoring && !slices.Contains(monitored, p) {
		c.noSuchPath()
		return
	}
	// ServeMux takes PUT /ocr/lang for PUT /ocr/{id}. A path with a row of its own has only the methods of that row.
	if methods := s.allowed(p); len(methods) > 0 && !slices.Contains(methods, c.r.Method) {
		c.notAllowed(strings.Join(methods, ", "))
		return
	}
	refuse, pattern := s.mux.Handler(c.r)
	if pattern != "" {
		c.route = pattern
		s.mux.ServeHTTP(c.w, c.r)
		return
	}
	answer := headerOnly{header: http.Header{}}
	refuse.ServeHTTP(&answer, c.r)
	reads := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
	switch {
	case answer.status == http.StatusMethodNotAllowed:
		c.notAllowed(answer.header.Get("Allow"))
	case s.Web != nil && p == "/" && !reads:
		c.notAllowed("GET, HEAD")
	case s.Web != nil && p != "/api" && !strings.HasPrefix(p, "/api/") && reads:
		c.route = "web"
		s.Web.ServeHTTP(&problemWriter{responseWriter: c.w, call: c}, c.r)
	default:
		c.noSuchPath()
	}
}

// allowed returns the methods of the routes with exactly that path, without parameters, sorted.
func (s *Set) allowed(path string) (methods []string) {
	for _, r := range s.table {
		if r.Path() != path {
			continue
		}
		methods = append(methods, r.Method())
		if r.Method() == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return methods
}

func (c *Call) noSuchPath() {
	c.send(c.problem(http.StatusNotFound, "no_such_path", "There is no such path."))
}

// notAllowed says which methods the path has.
func (c *Call) notAllowed(allow string) {
	problem := c.problem(http.StatusMethodNotAllowed, "method_not_allowed", "This path allows only the methods "+allow+".")
	problem.header.Set("Allow", allow)
	c.send(problem)
}

// headerOnly takes the headers of ServeMux's answer to a request that it has no handler for.
type headerOnly struct {
	header http.Header
	status int
}

func (w *headerOnly) Header() http.Header         { return w.header }
func (w *headerOnly) WriteHeader(status int)      { w.status = status }
func (w *headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// limit sets the route and its limits of time.
func (c *Call) limit(ctx context.Context, op Route) (context.Context, context.CancelFunc) {
	c.op = op
	if op.Streams {
		return context.WithCancel(ctx)
	}
	if c.body != nil {
		c.body.until = c.start.Add(op.Timeout)
	}
	return context.WithTimeout(ctx, op.Timeout)
}

// authenticate finds the user of the request, if the route needs one.
func (s *Set) authenticate(ctx context.Context, c *Call) error {
	if c.op.Open {
		return nil
	}
	token, err := bearer(c.r)
	if err == nil {
		c.actor, err = s.actorOf(ctx, token)
	}
	return err
}

// checkQuery refuses parameters that are not known, and those given twice that may not be. known tells of each whether it may.
func (c *Call) checkQuery(known map[string]bool) error {
	if !c.op.strict() {
		return nil
	}
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Malformed, "malformed_query",
			"The query of the URL is malformed. Encode characters other than letters and digits, such as a space as %%20.").Because(err)
	}
	var fields []fault.Field
	for _, name := range slices.Sorted(maps.Keys(query)) {
		repeats, ok := known[name]
		switch {
		case !ok && len(known) == 0:
			fields = append(fields, fault.Field{Field: name, Detail: "unknown; this path has no query parameters"})
		case !ok:
			fields = append(fields, fault.Field{Field: name, Detail: "unknown; the query parameters are " +
				strings.Join(slices.Sorted(maps.Keys(known)), ", ")})
		case len(query[name]) > 1 && !repeats:
			fields = append(fields, fault.Field{Field: name, Detail: "only once"})
		}
	}
	return fault.InvalidFields(fields...)
}

var errNoToken = fault.New(fault.Unauthenticated, "no_token", "A bearer token is required. Sign in first.")

func bearer(r *http.Request) (string, error) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.Trim(token, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoToken
	}
	return token, nil
}

// responseWriter records what is sent and gives up if the client takes nothing for too long. A large answer to a slow client may take as
// long as it needs.
type responseWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	body    *bodyReader // of the request; nil where there is none
	patient time.Time   // when the deadline was moved last
	status  int         // 0: nothing sent yet
	bytes   int64       // of the body, before it is compressed
	coded   bool        // the client asked whether the compressed answer that it holds is still right
}

func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 {
		return // one answer is all there can be
	}
	if status >= 200 {
		w.status = status
		if status == http.StatusNotModified && w.coded {
			addSuffix(w.Header())
		}
		w.extend()
		if w.body != nil {
			w.body.extend(w.stall / 4) // well before that for writing
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(b []byte) (written int, err error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	const piece = 64 << 10
	for first := true; err == nil && (first || len(b) > 0); first = false {
		w.extend()
		n := 0
		n, err = w.ResponseWriter.Write(b[:min(len(b), piece)])
		written += n
		w.bytes += int64(n)
		b = b[n:]
	}
	return written, err
}

// extend moves the deadline; not at every small write, since it is a call into the poller.
func (w *responseWriter) extend() {
	now := time.Now()
	if now.Sub(w.patient) > w.stall/8 {
		w.patient = now
		_ = w.control.SetWriteDeadline(now.Add(w.stall)) // not every writer has one
	}
}

// bodyReader gives up if the client sends nothing for too long, or takes too long in all.
type bodyReader struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	until   time.Time
	ended   bool
}

func (b *bodyReader) Read(p []byte) (int, error) {
	b.extend(b.stall)
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		// From here on net/http reads ahead to notice that the client goes away; a deadline would look the same.
		b.ended = true
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// extend moves the deadline. There is one until the body ends, since net/http itself reads some of an unread body before it sends the
// answer.
func (b *bodyReader) extend(patience time.Duration) {
	deadline := time.Now().Add(patience)
	if b.until.Before(deadline) {
		deadline = b.until
	}
	if !b.ended {
		_ = b.control.SetReadDeadline(deadline) // not every reader has one
	}
}

// isTimeout tells whether reading a body failed for being slow.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

package endpoint

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Base is the prefix of the path of every endpoint that is not for probes. Answers below it must not be cached unless they say so.
const Base = "/api/v1"

// Route describes one endpoint. The router, the limits, the OpenAPI document and the tests use it. Everything about an endpoint is
// here, except the types that its handler takes and returns.
type Route struct {
	Pattern string // "GET /ping"
	Tag     string // the group that it belongs to
	ID      string // names it for programs; stable
	Summary string
	About   string

	Body   *Body    // nil: none
	Status int      // of success; 0: 200, or 204 where nothing is answered
	Also   []int    // further statuses: with the same body, or 304
	Gives  []string // media types of the answer; none: JSON
	Errors []int    // statuses of problems, besides those that follow from the rest

	Open    bool          // needs no token
	Streams bool          // answers with events, for as long as the client stays
	Timeout time.Duration // 0: Config.RequestTimeout
}

// Body describes the body that an endpoint takes.
type Body struct {
	MediaType string // JSON, Form or Files
	Limit     int64  // bytes
	Optional  bool
	Most      int               // entries, where it is a list; 0: as many as fit
	Fields    map[string]string // of a form, with what they are; a JSON body has those of its type
	Required  []string          // of Fields
}

// Media types of bodies.
const (
	JSON  = "application/json"
	Form  = "application/x-www-form-urlencoded"
	Files = "multipart/form-data"
)

// Method returns the method of the pattern.
func (r Route) Method() string { method, _, _ := strings.Cut(r.Pattern, " "); return method }

// Path returns the path of the pattern.
func (r Route) Path() string { _, path, _ := strings.Cut(r.Pattern, " "); return path }

// stored tells whether the operation may have to wait for a store, unlike those for probes.
func (r Route) stored() bool { return strings.HasPrefix(r.Path(), Base) }

// strict tells whether query parameters that are not known are refused. The paths of probes may be asked for with more.
func (r Route) strict() bool { return r.stored() }

// Handler answers calls of one endpoint. I has the parameters and O the answer, in the form of huma's inputs and outputs.
type Handler[I, O any] func(ctx context.Context, c *Call, in *I) (*O, error)

// HandleJSON registers an endpoint whose body is JSON of the type B.
func HandleJSON[I, O, B any](s *Set, r Route, h func(ctx context.Context, c *Call, in *I, body B) (*O, error)) {
	Handle(s, r, func(ctx context.Context, c *Call, in *I) (*O, error) {
		data, err := c.readBody()
		if err != nil {
			return nil, err
		}
		var form B
		if len(data) > 0 || !r.Body.Optional {
			if err := decodeBody(data, &form); err != nil {
				return nil, err
			}
		}
		return h(ctx, c, in, form)
	})
	s.documentBody(r, schemaOf[B](s))
}

// Handle registers an endpoint without a JSON body. Its handler reads the body itself, if there is one.
func Handle[I, O any](s *Set, r Route, h Handler[I, O]) {
	if r.Timeout == 0 {
		r.Timeout = s.RequestTimeout
	}
	if r.Body != nil {
		r.Errors = append(r.Errors, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
			http.StatusUnprocessableEntity)
	}
	if r.Streams {
		r.Errors = append(r.Errors, http.StatusTooManyRequests)
	}
	s.table = append(s.table, r)
	register(s, r, h)
}

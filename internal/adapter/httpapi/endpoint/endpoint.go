// Package endpoint serves the endpoints of an HTTP API. A Route describes an endpoint, and a Handler answers it: it decodes, calls one
// operation of a service and encodes. Around them are, from the outside in: the record of the request (id, log line, metrics, panics,
// security headers), the router with its 404 and 405, and for each endpoint the bearer token and the time limits. Every failure is sent
// as application/problem+json; one table in problem.go maps the kinds of faults to statuses.
//
// huma handles parameters and the OpenAPI document, but not bodies: it would decode each twice, first into maps of many times its size,
// and list every one of a million bad entries.
package endpoint

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/account"
)

// Config configures how requests are answered, whatever the operation. Log must be set; other zero fields have defaults.
type Config struct {
	Log     *slog.Logger
	Metrics *prometheus.Registry // nil: one of its own
	Web     http.Handler         // the web page; nil: / leads to /docs
	// BasePath is the path below which the service is seen from outside, such as /ocr; empty: below /.
	BasePath string

	RequestTimeout time.Duration // of routes that have none of their own; 0: 30 s
	StallTimeout   time.Duration // how long a client may neither send nor take anything; 0: 30 s
	Heartbeat      time.Duration // the longest silence of a stream of events; 0: 15 s

	Monitoring bool // only /ping, /health, /ready and /metrics are there

	Stopping context.Context // ends when the server is to stop, and all streams of events with it; nil: never

	CORSOrigins []string // other origins whose pages may use the API, such as https://example.org
}

func (c Config) withDefaults() Config {
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 30 * time.Second
	}
	if c.StallTimeout == 0 {
		c.StallTimeout = 30 * time.Second
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Stopping == nil {
		c.Stopping = context.Background()
	}
	return c
}

// Document has the contents of the OpenAPI document besides the routes.
type Document struct {
	Title, Version, About string
	Tags                  []Tag
	Login                 string // path of the password flow of OAuth2
}

// Tag is a group of routes.
type Tag struct{ Name, About string }

// Set has the endpoints of a service, and handles all requests. It is safe for concurrent use once all are registered.
type Set struct {
	Config
	mux     *http.ServeMux
	huma    huma.API
	actorOf func(ctx context.Context, token string) (account.Actor, error)
	table   []Route // all that are registered
	openapi []byte
	metrics metrics
	// compress wraps the handler of a request.
	compress func(http.Handler) http.HandlerFunc
	streams  sse.Places
}

// New returns a set of the endpoints that register adds with Handle and HandleJSON. actorOf finds the actor of a token.
func New(c Config, d Document, actorOf func(ctx context.Context, token string) (account.Actor, error), register func(*Set)) (*Set, error) {
	s := &Set{Config: c.withDefaults(), mux: http.NewServeMux(), actorOf: actorOf,
		streams: sse.Places{OfUser: StreamsOfUser, All: streamsOfAll}}
	var err error
	if s.metrics, err = newMetrics(s.Metrics); err != nil {
		return nil, err
	}
	if s.compress, err = newCompressor(); err != nil {
		return nil, err
	}
	s.huma = humago.New(s.mux, humaConfig(d, s.BasePath))
	s.huma.UseMiddleware(s.admit)
	register(s)
	s.pages()
	if s.openapi, err = s.document(); err != nil {
		return nil, err
	}
	return s, nil
}

// OpenAPI returns the OpenAPI document, as served at /openapi.json.
func (s *Set) OpenAPI() []byte { return s.openapi }

// Routes returns all registered routes in order.
func (s *Set) Routes() []Route { return s.table }

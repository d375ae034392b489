// Package httpapi serves the JSON API, its OpenAPI document and the page that shows it.
//
// A handler decodes, calls one operation of a service and encodes; routes.go lists them all. Around them stands, from
// the outside in: the record of the request (id, log line, metrics, panics, security headers), the router with its 404 and
// 405, and for each operation the bearer token and the time limits. Every failure leaves as application/problem+json; one
// table in problem.go maps the kinds of faults to statuses.
//
// The routes, their parameters and the OpenAPI document are huma's work. Bodies are not: huma would decode each twice, first
// into maps of many times its size, and list every one of a million bad entries.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/recognition"
)

// Check tells whether something that the service needs is there.
type Check struct {
	Name  string // database, blobs, contents, workers …
	Check func(ctx context.Context) error
}

// Workload is what the workers are at.
type Workload struct {
	Workers          int // processes that there are to be
	Up, Busy         int // of them
	Waiting, Room    int // regions that wait for a worker, and that may
	Served, Replaced uint64
	Memory           int64 // resident bytes of all workers
}

// SecondRecogniser is what there is of the second recogniser.
type SecondRecogniser struct {
	Models  []string
	Runtime string // that runs the models
	Missing string // why there is none; empty where there is one
}

// Config is what the API needs. The services and Log must be set, what else is zero has a default.
type Config struct {
	Accounts    *account.Service
	Images      *document.Service
	Recognition *recognition.Service
	Jobs        *job.Service
	Log         *slog.Logger
	Metrics     *prometheus.Registry // nil: one of its own
	Ready       []Check              // asked, all at once, by /ready
	Kinds       map[string]string    // what the parts that are checked are, by name, for administrators
	Workload    func() Workload      // for administrators; nil: none is told

	Second  func() SecondRecogniser // nil: there is none
	PDF     func() client.PDF       // nil: none is opened
	Web     http.Handler            // the web page; nil: / leads to /docs
	Version string                  // of the program, for the OpenAPI document
	// BasePath is the path below which the service is seen from outside, such as /ocr; empty: below /.
	BasePath string

	MaxUpload int64             // bytes of one image file; 0: 64 MB
	MaxFiles  int               // image files of one request; 0: 20
	Staging   *document.Staging // that Images opens uploads by
	SpoolDir  string            // where uploads lie, without a name, until they are stored; empty: the system's

	RequestTimeout     time.Duration // of ordinary requests; 0: 30 s
	RecognitionTimeout time.Duration // of those that wait for the engine; 0: 5 minutes
	UploadTimeout      time.Duration // of uploads; 0: 15 minutes
	ExportTimeout      time.Duration // of exports of whole documents; 0: 1 hour
	StallTimeout       time.Duration // how long a client may neither send nor take anything; 0: 30 s
	Heartbeat          time.Duration // the longest silence of a stream of events; 0: 15 s

	Monitoring bool // only /ping, /health, /ready and /metrics are there

	Stopping context.Context // ends when the server is to stop, and all streams of events with it; nil: never

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	CORSOrigins    []string       // other origins whose pages may use the API, such as https://example.org
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.RequestTimeout, 30*time.Second)
	set(&c.RecognitionTimeout, 5*time.Minute)
	set(&c.UploadTimeout, 15*time.Minute)
	set(&c.ExportTimeout, time.Hour)
	set(&c.StallTimeout, 30*time.Second)
	if c.MaxUpload == 0 {
		c.MaxUpload = 64 << 20
	}
	if c.MaxFiles == 0 {
		c.MaxFiles = 20
	}
	if c.SpoolDir == "" {
		c.SpoolDir = os.TempDir()
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	return c
}

// api is the handler of all requests.
type api struct {
	Config
	mux     *http.ServeMux
	huma    huma.API
	table   []route // all operations
	openapi []byte
	metrics metrics
	// compress wraps the handler of a request.
	compress func(http.Handler) http.HandlerFunc
	started  time.Time
	streams  sse.Places
}

// New makes the handler of all requests. It is safe for concurrent use, as handlers are.
func New(c Config) (http.Handler, error) {
	if c.Accounts == nil || c.Images == nil || c.Recognition == nil || c.Jobs == nil || c.Log == nil {
		return nil, errors.New("httpapi: the services and a logger must be set")
	}
	return build(c)
}

func build(c Config) (*api, error) {
	a := &api{Config: c.withDefaults(), mux: http.NewServeMux(), started: time.Now(),
		streams: sse.Places{OfUser: streamsOfUser, All: streamsOfAll}}
	metrics, err := newMetrics(a.Metrics)
	if err != nil {
		return nil, err
	}
	a.metrics = metrics
	if a.compress, err = newCompressor(); err != nil {
		return nil, err
	}
	a.huma = humago.New(a.mux, humaConfig(a.Version, a.BasePath))
	a.huma.UseMiddleware(a.admit)
	a.routes()
	if a.openapi, err = a.document(); err != nil {
		return nil, err
	}
	return a, nil
}

// OpenAPI returns the OpenAPI document of the API, as it is served at /openapi.json.
func OpenAPI(version string) ([]byte, error) {
	a, err := build(Config{Version: version})
	if err != nil {
		return nil, err
	}
	return a.openapi, nil
}

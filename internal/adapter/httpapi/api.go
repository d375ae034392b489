// Package httpapi is the JSON API: its operations and their handlers. Package endpoint has the mechanics of HTTP.
//
// routes.go lists all operations.
package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/webhook"
)

// Check tells whether a dependency of the service is reachable.
type Check struct {
	Name  string // database, blobs, contents, workers …
	Check func(ctx context.Context) error
}

// Workload counts the workers and their work.
type Workload struct {
	Workers          int // configured processes
	Up, Busy         int // of them
	Waiting, Room    int // regions that wait for a worker, and how many may
	Served, Replaced uint64
	Memory           int64 // resident bytes of all workers
}

// SecondRecogniser describes the second recogniser.
type SecondRecogniser struct {
	Models  []string
	Runtime string // that runs the models
	Missing string // why there is none; empty where there is one
}

// Config has what the API needs. The services and Log must be set; other zero fields have defaults.
type Config struct {
	endpoint.Config

	Accounts    *account.Service
	Images      *document.Service
	Recognition *recognition.Service
	Jobs        *job.Service
	Webhooks    *webhook.Service
	Once        *once.Service
	Limits      *limit.Service
	Ready       []Check           // run concurrently by /ready
	Kinds       map[string]string // kinds of the checked parts, by name, for administrators
	Workload    func() Workload   // for administrators; nil: not reported

	Second  func() SecondRecogniser // nil: there is none
	HEIF    func() client.HEIF      // nil: none is decoded
	PDF     func() client.PDF       // nil: none is opened
	Version string                  // of the program, for the OpenAPI document

	MaxUpload int64             // bytes of one image file; 0: 64 MB
	MaxFiles  int               // image files of one request; 0: 20
	Staging   *document.Staging // that Images opens uploads by
	SpoolDir  string            // for uploads, as files without a name, until they are stored; empty: the system's

	RecognitionTimeout time.Duration // of those that wait for the engine; 0: 5 minutes
	UploadTimeout      time.Duration // of uploads; 0: 15 minutes
	ExportTimeout      time.Duration // of exports of whole documents; 0: 1 hour

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is trusted
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.RecognitionTimeout, 5*time.Minute)
	set(&c.UploadTimeout, 15*time.Minute)
	set(&c.ExportTimeout, time.Hour)
	if c.MaxUpload == 0 {
		c.MaxUpload = 64 << 20
	}
	if c.MaxFiles == 0 {
		c.MaxFiles = 20
	}
	if c.SpoolDir == "" {
		c.SpoolDir = os.TempDir()
	}
	return c
}

// api has the handlers of all operations.
type api struct {
	Config
	started time.Time
}

// New returns the handler of all requests. It is safe for concurrent use.
func New(c Config) (http.Handler, error) {
	if c.Accounts == nil || c.Images == nil || c.Recognition == nil || c.Jobs == nil || c.Webhooks == nil || c.Once == nil ||
		c.Limits == nil || c.Log == nil {
		return nil, errors.New("httpapi: the services and a logger must be set")
	}
	return build(c)
}

func build(c Config) (*endpoint.Set, error) {
	a := &api{c.withDefaults(), time.Now()}
	return endpoint.New(c.Config, about(c.Version), func(ctx context.Context, token string) (account.Actor, error) {
		return a.Accounts.Authenticate(ctx, token)
	}, a.routes)
}

// OpenAPI returns the OpenAPI document of the API, as it is served at /openapi.json.
func OpenAPI(version string) ([]byte, error) {
	s, err := build(Config{Version: version})
	if err != nil {
		return nil, err
	}
	return s.OpenAPI(), nil
}

func about(version string) endpoint.Document {
	return endpoint.Document{Title: "Glyphbox", Version: version, Login: base + "/user/login",
		About: "Reads text from images of pages. Upload an image, choose regions of it, and get the text of each. Every run is kept " +
			"as a version, and texts can be corrected.\n\n" +
			"Coordinates are whole pixels of the upright image. x1, y1 lie inside the box; x2, y2 lie just outside it. Times are RFC " +
			"3339 in UTC. Every error is `application/problem+json` (RFC 9457) with a `code` for programs.\n\n" +
			"Unknown fields of a body and unknown query parameters are refused with 422, unless an operation says that it ignores " +
			"them.",
		Tags: []endpoint.Tag{
			{Name: "user", About: "Accounts, tokens and API keys."},
			{Name: "image", About: "Page images and their renditions."},
			{Name: "recognition", About: "Text of images, its versions and corrections."},
			{Name: "job", About: "Reading in the background."},
			{Name: "webhook", About: "Notifications when jobs end."},
			{Name: "system", About: "Monitoring."},
			{Name: "admin", About: "Administration."},
		}}
}

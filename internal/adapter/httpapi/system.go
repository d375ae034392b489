package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"glyphbox/client"
	"glyphbox/internal/wire"
)

func (a *api) ping(_ context.Context, c *call, _ *none) (*stream, error) {
	return streamed(func() {
		c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = c.w.Write([]byte("pong")) // who went away need not be told
	}), nil
}

func (a *api) health(context.Context, *call, *none) (*one[client.Health], error) {
	return &one[client.Health]{client.Health{Status: "ok"}}, nil
}

type readiness struct {
	Status int `hidden:"true"`
	Body   client.Ready
}

// readyTimeout is short, since who asks wants an answer and not the truth of in a minute.
const readyTimeout = time.Second

func (a *api) ready(ctx context.Context, c *call, _ *none) (*readiness, error) {
	out := &readiness{Status: http.StatusOK}
	if out.Body, c.cause = a.look(ctx); c.cause != nil {
		out.Status, c.code = http.StatusServiceUnavailable, "not_ready"
	}
	return out, nil
}

// look asks everything that the service needs, all at once; the error says what is away, and why.
func (a *api) look(ctx context.Context) (client.Ready, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	results := make([]chan error, len(a.Ready))
	for i, check := range a.Ready {
		results[i] = make(chan error, 1) // so that a check that does not heed its context blocks nobody
		go func() { results[i] <- check.Check(ctx) }()
	}
	view := client.Ready{Status: "ok", Dependencies: map[string]client.Dependency{}, SecondRecogniser: a.secondRecogniser().State,
		PDF: a.pdf().State}
	var away []error
	for i, check := range a.Ready {
		var err error
		select {
		case err = <-results[i]:
		case <-ctx.Done():
			select { // both may have come
			case err = <-results[i]:
			default:
				err = ctx.Err()
			}
		}
		state := "ok"
		if err != nil {
			state = "away"
			away = append(away, fmt.Errorf("%s: %w", check.Name, err))
		}
		view.Dependencies[check.Name] = client.Dependency{State: state}
	}
	if len(away) > 0 {
		view.Status = "unavailable"
	}
	return view, errors.Join(away...)
}

func (a *api) secondRecogniser() client.SecondRecogniser {
	if a.Second == nil {
		return client.SecondRecogniser{State: "missing"}
	}
	second := a.Second()
	view := client.SecondRecogniser{State: "ok", Models: second.Models, Runtime: second.Runtime, Missing: second.Missing}
	if second.Missing != "" {
		view.State = "missing"
	}
	return view
}

func (a *api) pdf() client.PDF {
	if a.PDF == nil {
		return client.PDF{State: "missing"}
	}
	return a.PDF()
}

func (a *api) service(ctx context.Context, c *call, _ *none) (*one[client.Service], error) {
	if err := c.actor.MustBeAdmin(); err != nil {
		return nil, err
	}
	var ready client.Ready
	ready, c.cause = a.look(ctx) // for the log
	view := client.Service{Status: ready.Status, Version: a.Version, StartedDatetime: wire.Time(a.started), Parts: []client.Part{},
		SecondRecogniser: a.secondRecogniser(), PDF: a.pdf()}
	for _, check := range a.Ready {
		view.Parts = append(view.Parts, client.Part{Name: check.Name, State: ready.Dependencies[check.Name].State,
			Kind: a.Kinds[check.Name]})
	}
	if a.Workload != nil {
		w := a.Workload()
		view.Workers = client.Workers{All: w.Workers, Up: w.Up, Busy: w.Busy, Memory: w.Memory, Replaced: w.Replaced}
		view.Regions = client.Workload{Waiting: w.Waiting, Room: w.Room, Served: w.Served}
	}
	return &one[client.Service]{view}, nil
}

//go:embed docs/index.html docs/init.js docs/swagger-ui-bundle.js docs/swagger-ui.css docs/favicon-32x32.png
var docs embed.FS

// docsPolicy lets the page load what is embedded here and nothing else. Its scripts set styles on elements, which is what
// 'unsafe-inline' is for; scripts have no such leave.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pages are what is not part of the API that the OpenAPI document describes.
func (a *api) pages() {
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(a.Metrics, promhttp.HandlerOpts{DisableCompression: true}))
	a.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		serveStatic(w, r, "application/json", a.openapi)
	})
	a.mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, r *http.Request) {
		serveStatic(w, r, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /\n"))
	})
	for path, at := range map[string]struct{ name, mediaType string }{
		"/docs":                      {"index.html", "text/html; charset=utf-8"},
		"/docs/init.js":              {"init.js", "text/javascript; charset=utf-8"},
		"/docs/swagger-ui-bundle.js": {"swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
		"/docs/swagger-ui.css":       {"swagger-ui.css", "text/css; charset=utf-8"},
		"/docs/favicon-32x32.png":    {"favicon-32x32.png", "image/png"},
	} {
		data, err := docs.ReadFile("docs/" + at.name)
		if err != nil { // it would not have been built
			panic(err)
		}
		a.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", docsPolicy)
			serveStatic(w, r, at.mediaType, data)
		})
	}
	if a.Web == nil {
		a.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, a.BasePath+"/docs", http.StatusFound)
		})
	}
}

// serveStatic serves what is part of the program. It may be kept, but is asked for anew, as it changes with the program.
func serveStatic(w http.ResponseWriter, r *http.Request, mediaType string, data []byte) {
	sum := sha256.Sum256(data)
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

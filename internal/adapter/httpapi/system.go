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

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func (a *api) ping(context.Context, *call, *none) (*stream, error) {
	return &stream{func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "text/plain; charset=utf-8")
		_, _ = ctx.BodyWriter().Write([]byte("pong")) // who went away need not be told
	}}, nil
}

type healthView struct {
	Status string `json:"status" enum:"ok"`
}

func (a *api) health(context.Context, *call, *none) (*one[healthView], error) {
	return &one[healthView]{healthView{"ok"}}, nil
}

type readyView struct {
	Status       string                    `json:"status" enum:"ok,unavailable"`
	Dependencies map[string]dependencyView `json:"dependencies" doc:"By name: database, blobs, contents, workers …"`
}

type dependencyView struct {
	State string `json:"state" enum:"ok,away"`
}

type readiness struct {
	Status int `hidden:"true"`
	Body   readyView
}

// readyTimeout is short, since who asks wants an answer and not the truth of in a minute.
const readyTimeout = time.Second

func (a *api) ready(ctx context.Context, c *call, _ *none) (*readiness, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	results := make([]chan error, len(a.Ready))
	for i, check := range a.Ready {
		results[i] = make(chan error, 1) // so that a check that does not heed its context blocks nobody
		go func() { results[i] <- check.Check(ctx) }()
	}
	out := &readiness{http.StatusOK, readyView{"ok", map[string]dependencyView{}}}
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
		out.Body.Dependencies[check.Name] = dependencyView{state}
	}
	if len(away) > 0 {
		out.Status, out.Body.Status = http.StatusServiceUnavailable, "unavailable"
		c.code, c.cause = "not_ready", errors.Join(away...)
	}
	return out, nil
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
		a.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/docs", http.StatusFound) })
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

package endpoint

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:embed docs/index.html docs/init.js docs/swagger-ui-bundle.js docs/swagger-ui.css docs/favicon-32x32.png
var docs embed.FS

// docsPolicy lets the page load what is embedded here and nothing else. Its scripts set styles on elements, which is what 'unsafe-inline'
// is for; scripts have no such leave.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pages are the paths that are not part of the API in the OpenAPI document.
func (s *Set) pages() {
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{DisableCompression: true}))
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		serveStatic(w, r, "application/json", s.openapi)
	})
	s.mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, r *http.Request) {
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
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", docsPolicy)
			serveStatic(w, r, at.mediaType, data)
		})
	}
	if s.Web == nil {
		s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.BasePath+"/docs", http.StatusFound)
		})
	}
}

// serveStatic serves files of the program. Browsers may keep them, but have to ask whether they have changed, as they do with a new
// program.
func serveStatic(w http.ResponseWriter, r *http.Request, mediaType string, data []byte) {
	sum := sha256.Sum256(data)
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

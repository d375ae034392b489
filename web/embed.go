// Package web is the page that people use, built from the sources beside it by "make web" and embedded here, so that building the
// program needs no Node.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

//go:embed dist
var dist embed.FS

// policy lets the page load what is embedded here, ask this origin, and show images that it fetched with its token.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// types are named here since what the system knows of them differs.
var types = map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

// asset is one file, ready to be sent. Who serves the handler may compress it on the way.
type asset struct {
	data           []byte
	mediaType, tag string
	cache          string
}

// handler serves the files by path.
type handler map[string]asset

// root is how the page learns below which path it is: all its links and requests are relative to this element.
var root = regexp.MustCompile(`<base href="/"( ?/?)>`)

// Handler serves the page: its files, and the page itself at every other path that names no file, as it finds its way from there.
// The base path is the one below which it is seen from outside, such as /ocr, or empty; requests come without it.
func Handler(basePath string) (http.Handler, error) {
	h := handler{}
	err := fs.WalkDir(dist, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		if name == "dist/index.html" {
			data = root.ReplaceAll(data, []byte(`<base href="`+basePath+`/"$1>`))
		}
		a := asset{data: data, mediaType: types[path.Ext(name)], cache: "no-cache"}
		if a.mediaType == "" {
			a.mediaType = mime.TypeByExtension(path.Ext(name))
		}
		sum := sha256.Sum256(data)
		a.tag = hex.EncodeToString(sum[:8])
		at := strings.TrimPrefix(name, "dist")
		if strings.HasPrefix(at, "/assets/") { // their names change with them
			a.cache = "public, max-age=31536000, immutable"
		}
		h[at] = a
		return nil
	})
	return h, err
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := h[r.URL.Path]
	if !ok {
		if strings.Contains(path.Base(r.URL.Path), ".") {
			http.NotFound(w, r)
			return
		}
		a = h["/index.html"]
	}
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Content-Type", a.mediaType)
	header.Set("Cache-Control", a.cache)
	header.Set("ETag", `"`+a.tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
}

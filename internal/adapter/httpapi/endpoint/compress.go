package endpoint

import (
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// codedSuffix ends the entity tag of a compressed answer, since its bytes are different.
const codedSuffix = "-gzip"

// newCompressor compresses answers for clients that accept it: text and JSON of 1 KB or more, whole and not in ranges. Images are
// compressed already, and events have to arrive one by one.
func newCompressor() (func(http.Handler) http.HandlerFunc, error) {
	return gzhttp.NewWrapper(gzhttp.SuffixETag(codedSuffix), gzhttp.ContentTypeFilter(compressible), gzhttp.EnableZstd(false))
}

func compressible(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch mediaType {
	case "application/json", "application/xml", "application/xhtml+xml", "application/problem+json", "application/alto+xml",
		"image/svg+xml":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") && mediaType != "text/event-stream"
}

// takeSuffix removes the suffix from the tags of a condition and tells whether there was one. Handlers know only tags without it. In
// If-Range it stays and never matches, since ranges are of bytes that are not compressed.
func takeSuffix(h http.Header) (found bool) {
	for _, name := range []string{"If-Match", "If-None-Match"} {
		for i, value := range h.Values(name) {
			plain := strings.ReplaceAll(value, codedSuffix+`"`, `"`)
			found = found || plain != value
			h[name][i] = plain
		}
	}
	return found
}

// addSuffix adds the suffix to the tag of an answer that says that the client's compressed copy is still right.
func addSuffix(h http.Header) {
	if tag, ok := strings.CutSuffix(h.Get("ETag"), `"`); ok {
		h.Set("ETag", tag+codedSuffix+`"`)
	}
}

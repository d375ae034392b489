package endpoint

import "testing"

func TestCompressible(t *testing.T) {
	for mediaType, want := range map[string]bool{"text/event-stream": false, "image/tiff": false, "application/pdf": false,
		"application/octet-stream": false, "": false,
		"application/json": true, "text/css; charset=utf-8": true, "application/problem+json": true, "image/svg+xml": true} {
		if got := compressible(mediaType); got != want {
			t.Errorf("%q: %v", mediaType, got)
		}
	}
}

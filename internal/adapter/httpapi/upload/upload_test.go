package upload

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/porttest/check"
)

// counted counts the bytes that are read.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// TestRoom sends more than there is room for, and looks at how much of it was taken in.
func TestRoom(t *testing.T) {
	const chunk = 64 << 10 // what is read at once, and more
	for name, c := range map[string]struct {
		files []int64 // bytes of each
		known bool    // whether the body tells its length
		used  limit.Use
		code  string
		most  int64 // bytes that are read
	}{
		"room for all":                 {files: []int64{400_000, 599_000}, most: 2e6},
		"room to the byte":             {files: []int64{400_000, 600_000}, known: true, most: 2e6},
		"one file is too large":        {files: []int64{90e6}, code: limit.CodeBytes, most: 1e6 + chunk},
		"and says so":                  {files: []int64{90e6}, known: true, code: limit.CodeBytes},
		"several are together":         {files: []int64{600_000, 90e6}, code: limit.CodeBytes, most: 1e6 + chunk},
		"and say so":                   {files: []int64{600_000, 500_000, 90e6}, known: true, code: limit.CodeBytes},
		"a little too much together":   {files: []int64{600_000, 400_001}, known: true, code: limit.CodeBytes, most: 2e6},
		"what there is counts":         {files: []int64{90e6}, used: limit.Use{Bytes: 900_000}, code: limit.CodeBytes, most: 1e5 + chunk},
		"no document more":             {files: []int64{90e6}, used: limit.Use{Images: 3}, code: limit.CodeImages},
		"one document more of the two": {files: []int64{10, 90e6}, used: limit.Use{Images: 2}, code: limit.CodeImages, most: chunk},
	} {
		t.Run(name, func(t *testing.T) {
			var parts []io.Reader
			var text bytes.Buffer
			form := multipart.NewWriter(&text)
			size := int64(0)
			for n, bytes := range c.files {
				_, err := form.CreateFormFile("file", fmt.Sprintf("%d.png", n))
				check.OK(t, "CreateFormFile", err)
				parts = append(parts, strings.NewReader(text.String()), io.LimitReader(zeros{}, bytes))
				size += int64(text.Len()) + bytes
				text.Reset()
			}
			check.OK(t, "Close", form.Close())
			body := &counted{Reader: io.MultiReader(append(parts, strings.NewReader(text.String()))...)}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
			check.OK(t, "NewRequest", err)
			r.Header.Set("Content-Type", form.FormDataContentType())
			if r.ContentLength = -1; c.known {
				r.ContentLength = size + int64(text.Len())
			}
			limits := Limits{Files: 3, Bytes: 100e6, Dir: t.TempDir(), Room: func(files int, bytes int64) error {
				return limit.Limits{Images: 3, Bytes: 1e6}.Documents(c.used, int64(files), bytes)
			}}
			files, _, err := Take(r, limits)
			defer Close(files)
			if c.code == "" {
				check.OK(t, "Take", err)
				check.Same(t, "files", len(files), len(c.files))
			} else {
				check.Code(t, "Take", err, fault.Full, c.code)
			}
			left := fmt.Sprintf("The new ones need more than the %d that are left.", 1_000_000-c.used.Bytes)
			if c.code == limit.CodeBytes && !strings.Contains(fault.Of(err).Text, left) { // what has been read is not all
				t.Errorf("got the text %q, want %q in it", fault.Of(err).Text, left)
			}
			if body.n > c.most {
				t.Errorf("%d bytes were read, at most %d need be", body.n, c.most)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

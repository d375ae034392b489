package imagefile

import (
	"bytes"
	"io"
)

// pdfStart is how far into a file its first line may be: viewers look no further.
const pdfStart = 1024

// IsPDF tells whether a file of size bytes is a PDF file and no image that is read.
func IsPDF(r io.ReaderAt, size int64) bool {
	start := make([]byte, min(pdfStart, max(size, 0)))
	n, err := r.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return false
	}
	if !bytes.Contains(start[:n], []byte("%PDF-")) {
		return false
	}
	h, _ := (&headerReader{r: r, size: size}).read()
	return h.MediaType == ""
}

package pdfium

import (
	"bytes"

	"github.com/klippa-app/go-pdfium/requests"

	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/domain/fault"
)

var errCopy = fault.New(fault.Unsupported, "pdf_unreadable", "The PDF file is too damaged to be rewritten.")

// copy writes a file anew as pdfium understands it, without encryption, so that stricter parsers can read it. With Pages it writes only
// these, each with all that it inherits, and no outline.
func (l *library) copy(f *file, job protocol.PDFJob) (protocol.PDFAnswer, []byte, error) {
	source := f.document
	if len(job.Pages) > 0 {
		made, err := l.pdfium.FPDF_CreateNewDocument(&requests.FPDF_CreateNewDocument{})
		if err != nil {
			broken(err)
		}
		defer l.close(&file{document: made.Document})
		source = made.Document
		indices := make([]int, len(job.Pages))
		for i, n := range job.Pages {
			indices[i] = n - 1
		}
		if _, err := l.pdfium.FPDF_ImportPagesByIndex(&requests.FPDF_ImportPagesByIndex{Source: f.document, Destination: source,
			PageIndices: indices}); err != nil {
			mustBeWhole(err)
			return protocol.PDFAnswer{}, nil, errCopy.Because(err)
		}
	}
	var whole bytes.Buffer
	if _, err := l.pdfium.FPDF_SaveAsCopy(&requests.FPDF_SaveAsCopy{Document: source, FileWriter: &whole,
		Flags: requests.SaveFlagRemoveSecurity}); err != nil {
		mustBeWhole(err)
		return protocol.PDFAnswer{}, nil, errCopy.Because(err)
	}
	return protocol.PDFAnswer{}, whole.Bytes(), nil
}

package recognition

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// Format is a form of file that a run can be exported in.
type Format string

// The formats.
const (
	FormatText Format = "txt"
	FormatJSON Format = "json"
	FormatTSV  Format = "tsv"  // the columns of Tesseract's TSV
	FormatHOCR Format = "hocr" // hOCR 1.2
	FormatALTO Format = "alto" // ALTO 4.4
	FormatPDF  Format = "pdf"  // the page image under invisible text
)

// Formats are all formats.
var Formats = []Format{FormatText, FormatJSON, FormatTSV, FormatHOCR, FormatALTO, FormatPDF}

// MediaType returns what files of the format are in HTTP.
func (f Format) MediaType() string {
	switch f {
	case FormatText:
		return "text/plain; charset=utf-8"
	case FormatJSON:
		return "application/json"
	case FormatTSV:
		return "text/tab-separated-values; charset=utf-8"
	case FormatHOCR:
		return "text/vnd.hocr+html; charset=utf-8"
	case FormatALTO:
		return "application/xml"
	case FormatPDF:
		return "application/pdf"
	}
	return "application/octet-stream"
}

// ending is how the names of files of the format end.
func (f Format) ending() string {
	if f == FormatALTO {
		return ".alto.xml" // .xml alone says nothing, and nothing opens .alto
	}
	return "." + string(f)
}

// ExportWidth is the most pixels of the width of the page image in an export.
const ExportWidth = 5000

// Transcript is all that an export is made of.
type Transcript struct {
	Image document.Image
	Run   Run                // with the current revision of its contents
	Page  document.Rendition // at most ExportWidth wide; for FormatPDF only
}

// Export is a run as a file.
type Export struct {
	Name      string // of the file
	MediaType string
	// Write writes the file; it may be called once. Where the file cannot be made, nothing is written; any later error is that of w.
	Write func(w io.Writer) error
}

// Export makes a file of a run of an image, from the current revision of its contents.
// NotFound; Invalid for the format; for FormatPDF also as the Imager says.
func (s *Service) Export(ctx context.Context, actor account.Actor, imageID int64, version int, format Format) (Export, error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return Export{}, err
	}
	if !slices.Contains(Formats, format) {
		return Export{}, fault.InvalidFields(fault.Field{Field: "format", Detail: "one of " + joined(Formats)})
	}
	t := Transcript{Image: image}
	if t.Run, err = s.version(ctx, image, version); err != nil {
		return Export{}, err
	}
	if format == FormatPDF {
		if image.DPI == 0 { // of before it was stored, or the file does not say
			looked, err := s.Images.Imager.Probe(ctx, image.Page().File)
			if err != nil {
				return Export{}, err
			}
			t.Image.DPI = looked.Geometry(image.Number).DPI
		}
		if t.Page, err = s.Images.Imager.View(ctx, image.Page(), image.Box(), ExportWidth); err != nil {
			return Export{}, err
		}
	}
	return Export{Name: exportName(image.Name, version, format), MediaType: format.MediaType(),
		Write: func(w io.Writer) error { return s.Exporter.Export(w, format, t) }}, nil
}

func joined[T ~string](values []T) string {
	names := make([]string, len(values))
	for i, f := range values {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// exportName is the image's name with the version in it, and the format's ending in the place of its own.
func exportName(image string, version int, f Format) string {
	if dot := strings.LastIndexByte(image, '.'); dot > 0 && len(image)-dot <= len(".jpeg") {
		image = image[:dot]
	}
	return fmt.Sprintf("%s-v%d%s", strings.NewReplacer("/", "_", `\`, "_").Replace(image), version, f.ending())
}

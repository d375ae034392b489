package recognition

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// Format is a file format for exports.
type Format string

// The formats.
const (
	FormatText Format = "txt"
	FormatJSON Format = "json"
	FormatTSV  Format = "tsv"  // the columns of Tesseract's TSV
	FormatHOCR Format = "hocr" // hOCR 1.2
	FormatALTO Format = "alto" // ALTO 4.4
	FormatPDF  Format = "pdf"  // the pages under invisible text
	FormatCSV  Format = "csv"  // a row for each region, as spreadsheets take it
	FormatXLSX Format = "xlsx" // a row for each region, as a workbook

	// FormatGroundTruth is an archive of images of confirmed lines and their text, as programs that train recognisers take them.
	FormatGroundTruth Format = "gt"
)

// Formats are all formats.
var Formats = []Format{FormatText, FormatJSON, FormatTSV, FormatHOCR, FormatALTO, FormatPDF, FormatCSV, FormatXLSX, FormatGroundTruth}

// MediaType returns the media type of the format.
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
	case FormatCSV:
		return "text/csv; charset=utf-8"
	case FormatXLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case FormatGroundTruth:
		return "application/zip"
	}
	return "application/octet-stream"
}

// ending is how the names of files of the format end.
func (f Format) ending() string {
	switch f {
	case FormatALTO:
		return ".alto.xml" // .xml alone says nothing, and nothing opens .alto
	case FormatGroundTruth:
		return "-gt.zip"
	}
	return "." + string(f)
}

// ExportWidth is the maximum width of a page image in an export, in pixels.
const ExportWidth = 5000

// Transcript has everything for an export: the pages of one or several documents.
type Transcript struct {
	Name    string // of the document, or of the first of several
	Several bool   // it has pages of several documents
	Run     bool   // it is one version of one page, which has a form of its own in JSON

	// Pages goes through the pages, once, and gets each when it comes to it. It ends at the first error.
	Pages iter.Seq2[TranscriptPage, error]
}

// TranscriptPage is a page of a transcript. View and Printed may be called until the next page is requested.
type TranscriptPage struct {
	Number int // of the page in its document; where there are pages of several documents, in the file that is made of them
	Image  document.Image
	Run    Run // with the current revision of its contents; Version is 0 where nothing was read

	// Open returns the bytes of the file that the page is in, to be closed by the caller.
	Open func() (io.ReadCloser, error)

	// View makes a rendition of a part of the page, which is turned clockwise by so many degrees first, one of document.Rotations; the part
	// lies on the turned page. It is at most so many pixels wide.
	View func(degrees int, part document.Box, width int) (document.Rendition, error)

	// Printed tells for boxes of the page, which lie on it, whether the file itself has text there. nil: it has none anywhere.
	Printed func(boxes []document.Box) ([]bool, error)

	// Mended returns a PDF file written anew where it cannot be parsed as it is, as document.Imager does. nil: that cannot be had.
	Mended func(pages []int) ([]byte, error)
}

// Export is a file that is made while it is written.
type Export struct {
	Name        string // of the file
	MediaType   string
	Unencrypted bool // it is made of a file that a password opens, and needs none itself
	Unread      int  // pages of it that were not read
	// Write writes the file; it may be called once. Where the first page cannot be had, nothing is written; a later error may leave part of
	// a file.
	Write func(w io.Writer) error
}

// Selection says which part of a document to export.
type Selection struct {
	Pages   PageRanges // of the document; nil: all
	Version int        // of the only page; 0: the newest version of each
}

// Export makes a file of a document, from the newest version of each of its pages, whichever page the image is. Pages without a run are
// empty. It reads nothing and stores nothing. NotFound; Invalid for the format, the pages and the version; for FormatPDF and
// FormatGroundTruth also the faults of the Imager.
func (s *Service) Export(ctx context.Context, actor account.Actor, imageID int64, format Format, selection Selection) (Export, error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return Export{}, err
	}
	if err := checkFormat(format); err != nil {
		return Export{}, err
	}
	pages, err := s.pagesOf(ctx, image, selection)
	if err != nil {
		return Export{}, err
	}
	name := stem(image.Name)
	if len(pages) < image.Pages {
		name += "-p" + numbers(pages)
	}
	if selection.Version != 0 {
		if _, err := s.Runs.ByVersion(ctx, pages[0].ID, selection.Version); err != nil {
			return Export{}, err
		}
		name = versionName(name, selection.Version)
	}
	t := Transcript{Name: image.Name, Pages: s.transcribe(ctx, format, pages, false, selection.Version)}
	e := s.export(ctx, name, format, t)
	e.Unencrypted = format == FormatPDF && image.Seal != nil
	e.Unread, err = s.unread(ctx, pages)
	return e, err
}

// unread returns how many of the pages were not read.
func (s *Service) unread(ctx context.Context, pages []document.Image) (n int, err error) {
	const batch = 200
	for some := range slices.Chunk(pages, batch) {
		ids := make([]int64, len(some))
		for i, page := range some {
			ids[i] = page.ID
		}
		read, err := s.Runs.PagesRead(ctx, ids, false)
		if err != nil {
			return 0, err
		}
		n += len(some) - len(read)
	}
	return n, nil
}

// ExportRun makes a file of a run of an image. Faults are those of Export.
func (s *Service) ExportRun(ctx context.Context, actor account.Actor, imageID int64, version int, format Format) (Export, error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return Export{}, err
	}
	if err := checkFormat(format); err != nil {
		return Export{}, err
	}
	if _, err := s.Runs.ByVersion(ctx, image.ID, version); err != nil {
		return Export{}, err
	}
	t := Transcript{Name: image.Name, Run: true, Pages: s.transcribe(ctx, format, []document.Image{image}, false, version)}
	name := stem(image.Name)
	if image.Pages > 1 {
		name += "-p" + numbers([]document.Image{image})
	}
	return s.export(ctx, versionName(name, version), format, t), nil
}

// Packing says how to combine several documents in one file.
type Packing string

// The packings.
const (
	PackingZip Packing = "zip" // an archive with a file for each document
	PackingOne Packing = "one" // one file with the pages of all
)

// Packings are all packings.
var Packings = []Packing{PackingZip, PackingOne}

// Limits of an export of several documents.
const (
	MaxExported      = 1000   // documents
	MaxExportedPages = 20_000 // of all documents
)

// ExportAll makes one file of several documents, in that order, each once, whichever pages the images are. FormatGroundTruth is always
// one archive with the lines of all documents, whatever the packing. Faults are those of Export.
func (s *Service) ExportAll(ctx context.Context, actor account.Actor, imageIDs []int64, format Format, packing Packing) (Export, error) {
	fields := checkOneOf("as", packing, Packings)
	fields = append(fields, checkOneOf("format", format, Formats)...)
	if len(imageIDs) == 0 || len(imageIDs) > MaxExported {
		fields = append(fields, fault.Field{Field: "image_ids", Detail: fmt.Sprintf("1 to %d images", MaxExported)})
	}
	if err := fault.InvalidFields(fields...); err != nil {
		return Export{}, err
	}
	var documents [][]document.Image
	seen, count := map[int64]bool{}, 0
	for i, id := range imageIDs {
		image, err := s.Images.Image(ctx, actor, id)
		if fault.Is(err, fault.NotFound) {
			fields = append(fields, fault.Field{Field: fmt.Sprintf("image_ids[%d]", i), Detail: "there is no such image"})
			continue
		}
		if err != nil {
			return Export{}, err
		}
		if seen[image.Document] {
			continue
		}
		seen[image.Document] = true
		pages, err := s.pagesOf(ctx, image, Selection{})
		if err != nil {
			return Export{}, err
		}
		if count += len(pages); count > MaxExportedPages {
			return Export{}, fault.InvalidFields(fault.Field{Field: "image_ids",
				Detail: fmt.Sprintf("documents of at most %d pages in all", MaxExportedPages)})
		}
		documents = append(documents, pages)
	}
	if err := fault.InvalidFields(fields...); err != nil {
		return Export{}, err
	}
	name := stem(documents[0][0].Name)
	if others := len(documents) - 1; others > 0 {
		name = fmt.Sprintf("%s +%d", name, others)
	}
	all := slices.Concat(documents...)
	unread, err := s.unread(ctx, all)
	if err != nil {
		return Export{}, err
	}
	unencrypted := format == FormatPDF && slices.ContainsFunc(documents, func(pages []document.Image) bool { return pages[0].Seal != nil })
	if packing == PackingOne || format == FormatGroundTruth {
		t := Transcript{Name: documents[0][0].Name, Several: len(documents) > 1,
			Pages: s.transcribe(ctx, format, all, len(documents) > 1, 0)}
		e := s.export(ctx, name, format, t)
		e.Unencrypted, e.Unread = unencrypted, unread
		return e, nil
	}
	files := func(yield func(Export) bool) {
		taken := map[string]bool{}
		for _, pages := range documents {
			t := Transcript{Name: pages[0].Name, Pages: s.transcribe(ctx, format, pages, false, 0)}
			e := s.export(ctx, stem(pages[0].Name), format, t)
			e.Name = freeName(taken, e.Name, format)
			if !yield(e) {
				return
			}
		}
	}
	return Export{Name: exportName(name, ".zip"), MediaType: "application/zip", Unencrypted: unencrypted, Unread: unread,
		Write: func(w io.Writer) error { return s.Exporter.Archive(w, files) }}, nil
}

// freeName returns the name of a file in an archive that no file before it has.
func freeName(taken map[string]bool, name string, f Format) string {
	free := name
	for n := 2; taken[strings.ToLower(free)]; n++ {
		free = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, f.ending()), n, f.ending())
	}
	taken[strings.ToLower(free)] = true
	return free
}

func checkFormat(f Format) error { return fault.InvalidFields(checkOneOf("format", f, Formats)...) }

// pagesOf returns the images of the pages of the document that an image is a page of, as far as they are selected, in order.
func (s *Service) pagesOf(ctx context.Context, image document.Image, selection Selection) (pages []document.Image, err error) {
	const batch = 500
	count := 0
	for more := true; more; {
		next, err := s.Images.Catalog.Pages(ctx, image.Document, count+1, batch)
		if err != nil {
			return nil, err
		}
		for _, page := range next {
			if page.Password = image.Password; selection.Pages.Has(page.Number) {
				pages = append(pages, page)
			}
		}
		count += len(next)
		more = len(next) == batch
	}
	if fields := selection.Pages.Check("pages", count); len(fields) > 0 {
		return nil, fault.InvalidFields(fields...)
	}
	if selection.Version != 0 && len(pages) != 1 {
		return nil, fault.InvalidFields(fault.Field{Field: "version", Detail: "only with a single page"})
	}
	return pages, nil
}

// transcribe gets the runs of pages one after the other: the version, or the newest where it is 0.
func (s *Service) transcribe(ctx context.Context, format Format, pages []document.Image, count bool, version int) iter.Seq2[TranscriptPage,
	error] {
	return func(yield func(TranscriptPage, error) bool) {
		for i, image := range pages {
			p := TranscriptPage{Number: image.Number, Image: image}
			if count {
				p.Number = i + 1
			}
			p.Open = func() (io.ReadCloser, error) { return s.Images.Files.Open(ctx, image.Page().File) }
			p.View = func(degrees int, part document.Box, width int) (document.Rendition, error) {
				return s.Images.Imager.View(ctx, image.TurnedTo((image.Rotation+degrees)%360).Page(), part, width)
			}
			if format == FormatPDF && image.MediaType == mediaTypePDF {
				p.Printed = func(boxes []document.Box) ([]bool, error) { return s.printed(ctx, image, boxes) }
				p.Mended = func(pages []int) ([]byte, error) { return s.Images.Imager.Mended(ctx, image.Page().File, pages) }
			}
			var err error
			if image.DPI == 0 && image.Pages == 1 && format == FormatPDF { // of before it was stored, or the file does not say
				probe, err := s.Images.Imager.Probe(ctx, image.Page().File)
				if err != nil {
					yield(TranscriptPage{}, err)
					return
				}
				p.Image.DPI = probe.Geometry(image.Number).DPI
			}
			if p.Run, err = s.newest(ctx, image, version); err != nil {
				yield(TranscriptPage{}, err)
				return
			}
			p.Run.Contents = slices.DeleteFunc(p.Run.Contents, func(c Content) bool { return !c.Deleted.IsZero() })
			if !yield(p, nil) {
				return
			}
		}
	}
}

// mediaTypePDF is that of documents that may have a text of their own.
const mediaTypePDF = "application/pdf"

// printed tells for boxes of a page whether its file has text there that can be trusted.
func (s *Service) printed(ctx context.Context, image document.Image, boxes []document.Box) ([]bool, error) {
	tasks := make([]Task, len(boxes))
	for i, b := range boxes {
		tasks[i] = Task{Box: b, Lang: []string{DefaultLang}, Shape: ShapeAuto, Mode: BestMode, Rotate: RotateAuto, Effort: EffortFast,
			Source: SourceText}
	}
	readings, err := s.Engine.Recognize(ctx, Order{Page: image.Page(), Tasks: tasks, Batch: true})
	if err != nil {
		return nil, err
	}
	printed := make([]bool, len(boxes))
	for i, r := range readings {
		printed[i] = r.Error == nil && r.Text != ""
	}
	return printed, nil
}

// newest returns a run of an image with its contents, the newest one if version is 0, or the zero Run if there is none.
func (s *Service) newest(ctx context.Context, image document.Image, version int) (Run, error) {
	if version != 0 {
		return s.version(ctx, image, version)
	}
	runs, err := s.Runs.List(ctx, image.ID, 0, 1)
	if err != nil || len(runs) == 0 {
		return Run{}, err
	}
	_, err = s.fill(ctx, image, runs)
	return runs[0], err
}

func (s *Service) export(ctx context.Context, name string, f Format, t Transcript) Export {
	return Export{Name: exportName(name, f.ending()), MediaType: f.MediaType(),
		Write: func(w io.Writer) error { return s.Exporter.Export(ctx, w, f, t) }}
}

func joined[T ~string](values []T) string {
	names := make([]string, len(values))
	for i, f := range values {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// exportName is a name of an image, without its ending, with another one.
func exportName(stem, ending string) string {
	return strings.NewReplacer("/", "_", `\`, "_").Replace(stem) + ending
}

// versionName is what a file of one version is called.
func versionName(stem string, version int) string {
	return fmt.Sprintf("%s-v%d", stem, version)
}

func stem(name string) string {
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && len(name)-dot <= len(".jpeg") {
		return name[:dot]
	}
	return name
}

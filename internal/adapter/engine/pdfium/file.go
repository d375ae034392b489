package pdfium

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"math"
	"slices"

	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/responses"
	"github.com/klippa-app/go-pdfium/structs"

	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/imagefile"
	"glyphbox/internal/workerpool"
)

// file is an open PDF file.
type file struct {
	key      string
	password string
	data     []byte
	document references.FPDF_DOCUMENT
	form     references.FPDF_FORMHANDLE // empty for none
	pages    int
	units    []float64 // points that a unit of each page is, 1 behind the last; nil before the first was asked for
}

var (
	errEncrypted = fault.New(fault.Invalid, "pdf_encrypted", "The PDF file is encrypted. Give its password.")
	errPassword  = fault.New(fault.Invalid, "pdf_encrypted", "The PDF file is encrypted, and the password is wrong.")
	errNoPages   = fault.New(fault.Unsupported, "pdf_no_pages", "The PDF file has no pages.")
	errPage      = fault.New(fault.Invalid, "page_unreadable", "The page of the PDF file is damaged and cannot be rendered.")
	errNoPage    = fault.New(fault.NotFound, "page_not_found", "The PDF file has no such page.")
)

// open returns the file of a request. It asks for its bytes where it is not held.
func (l *library) open(r *workerpool.Request, password string) (*file, error) {
	at := slices.IndexFunc(l.files, func(f *file) bool {
		return f.key == r.Page && subtle.ConstantTimeCompare([]byte(f.password), []byte(password)) == 1
	})
	if at >= 0 {
		f := l.files[at]
		l.files = append(slices.Delete(l.files, at, at+1), f)
		return f, nil
	}
	data, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	f, err := l.load(data, password)
	if err != nil {
		return nil, err
	}
	f.key = r.Page
	l.files = append(l.files, f)
	var sum int64
	for i := len(l.files) - 1; i >= 0; i-- {
		sum += int64(len(l.files[i].data))
		if i < len(l.files)-1 && (sum > maxFileBytes || len(l.files)-i > maxFiles) {
			l.closeFirst(i + 1)
			break
		}
	}
	return f, r.Opened()
}

// closeFirst closes the n files that were used least recently.
func (l *library) closeFirst(n int) {
	for _, f := range l.files[:n] {
		l.close(f)
	}
	l.files = slices.Delete(l.files, 0, n)
}

func (l *library) close(f *file) {
	if f.form != "" {
		if _, err := l.pdfium.FPDFDOC_ExitFormFillEnvironment(&requests.FPDFDOC_ExitFormFillEnvironment{FormHandle: f.form}); err != nil {
			broken(err)
		}
	}
	if _, err := l.pdfium.FPDF_CloseDocument(&requests.FPDF_CloseDocument{Document: f.document}); err != nil {
		broken(err)
	}
}

// load opens a file of which pdfium reads what it needs.
func (l *library) load(data []byte, password string) (*file, error) {
	var opened *responses.OpenDocument
	var err error
	for _, p := range imagefile.PDFPasswords(password) {
		open := &requests.OpenDocument{FileReader: bytes.NewReader(data), FileReaderSize: int64(len(data))}
		if p != "" {
			open.Password = &p
		}
		if opened, err = l.pdfium.OpenDocument(open); !errors.Is(err, pdfiumerrors.ErrPassword) {
			break
		}
	}
	switch {
	case errors.Is(err, pdfiumerrors.ErrPassword) && password == "":
		return nil, errEncrypted
	case errors.Is(err, pdfiumerrors.ErrPassword):
		return nil, errPassword
	case errors.Is(err, pdfiumerrors.ErrSecurity):
		return nil, imagefile.Undecodable(data, imagefile.Header{MediaType: imagefile.PDF}, imagefile.VariantError("its encryption"))
	case errors.Is(err, pdfiumerrors.ErrFormat), errors.Is(err, pdfiumerrors.ErrFile), errors.Is(err, pdfiumerrors.ErrUnknown),
		errors.Is(err, pdfiumerrors.ErrSuccess), errors.Is(err, pdfiumerrors.ErrPage), errors.Is(err, pdfiumerrors.ErrUnexpected):
		return nil, imagefile.Undecodable(data, imagefile.Header{MediaType: imagefile.PDF}, err)
	case err != nil:
		broken(err)
	}
	f := &file{password: password, data: data, document: opened.Document}
	count, err := l.pdfium.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: f.document})
	if err != nil {
		broken(err)
	}
	if f.pages = count.PageCount; f.pages < 1 {
		l.close(f)
		return nil, errNoPages
	}
	f.form = l.formOf(f.document)
	return f, nil
}

// formOf returns the handle by which the fields of a form are drawn. Scripts of a form do not run: there is no JavaScript here.
func (l *library) formOf(document references.FPDF_DOCUMENT) references.FPDF_FORMHANDLE {
	kind, err := l.pdfium.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: document})
	if err != nil || kind.FormType == 0 {
		mustBeWhole(err)
		return ""
	}
	form, err := l.pdfium.FPDFDOC_InitFormFillEnvironment(&requests.FPDFDOC_InitFormFillEnvironment{Document: document,
		FormFillInfo: structs.FPDF_FORMFILLINFO{
			FFI_Invalidate:         func(references.FPDF_PAGE, float64, float64, float64, float64) {},
			FFI_SetCursor:          func(cursor) {},
			FFI_SetTimer:           func(int, func(int)) int { return 0 },
			FFI_KillTimer:          func(int) {},
			FFI_GetLocalTime:       func() structs.FPDF_SYSTEMTIME { return structs.FPDF_SYSTEMTIME{} },
			FFI_GetPage:            func(references.FPDF_DOCUMENT, int) *references.FPDF_PAGE { return nil },
			FFI_GetRotation:        func(references.FPDF_PAGE) rotation { return 0 },
			FFI_ExecuteNamedAction: func(string) {},
		}})
	if err != nil {
		mustBeWhole(err)
		return "" // the fields are missing, the page is there
	}
	return form.FormHandle
}

// pages tells the sizes of the pages of a file.
func (l *library) pages(f *file, job protocol.PDFJob) (protocol.PDFAnswer, []byte, error) {
	answer := protocol.PDFAnswer{Pages: f.pages}
	looks, others := job.Scans && hasImages(f.data), 0
	var found masks
	if looks {
		found, looks = masksOf(f.data)
	}
	for i := range min(f.pages, job.MaxPages) {
		var finest float64
		if looks && others < maxOthers {
			if finest = l.scanOf(f, i, found); finest == 0 {
				others++
			}
		}
		answer.Sizes = append(answer.Sizes, l.sizeOf(f, i, job.MaxPixels, finest))
	}
	return answer, nil, nil
}

// Resolutions of rendered pages.
const (
	defaultDPI = 300
	points     = 72 // of an inch
	maxPoints  = 1e6
)

// sizeOf returns the size at which a page is rendered, counted from 0: as it is on paper at the default resolution, or at a lower one
// where that would be too many pixels, or more on a unit than the finest of its images has, which is 0 where there is more than images. It
// is zero where the page cannot be loaded.
func (l *library) sizeOf(f *file, page int, maxPixels int64, finest float64) protocol.PDFSize {
	size, err := l.pdfium.FPDF_GetPageSizeByIndex(&requests.FPDF_GetPageSizeByIndex{Document: f.document, Index: page})
	if err != nil {
		mustBeWhole(err)
		return protocol.PDFSize{}
	}
	unit := f.unitOf(page)
	found := pixelsOf(unit*size.Width, unit*size.Height, finest/unit, maxPixels)
	if found.Width == 0 && unit != 1 { // larger than anything that is measured in points
		found = pixelsOf(size.Width, size.Height, finest, maxPixels)
		found.DPI = max(1, int(float64(found.DPI)/unit))
	}
	return found
}

// pixelsOf returns the size of a page of so many points, of which an image has at most finest pixels, or 0 for one that has more to show.
func pixelsOf(width, height, finest float64, maxPixels int64) protocol.PDFSize {
	if !(width > 0 && height > 0 && width < maxPoints && height < maxPoints) { // also where one is no number
		return protocol.PDFSize{}
	}
	dpi := float64(defaultDPI)
	if finest > 0 {
		dpi = min(dpi, points*max(finest, math.Sqrt(fewPixels/(width*height))))
	}
	dpi = min(dpi, math.Floor(points*math.Sqrt(float64(maxPixels)/(width*height))))
	for ; dpi >= 1; dpi = math.Ceil(dpi) - 1 {
		at := func(v float64) int { return max(1, int(math.Round(v*dpi/points))) }
		w, h := at(width), at(height)
		if int64(w)*int64(h) <= maxPixels && w <= imagefile.MaxSide && h <= imagefile.MaxSide {
			return protocol.PDFSize{Width: w, Height: h, DPI: int(math.Round(dpi))}
		}
	}
	return protocol.PDFSize{}
}

package pdfium

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"slices"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"

	"glyphbox/internal/adapter/engine/layer"
	"glyphbox/internal/adapter/engine/protocol"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/imagefile"
)

type (
	cursor   = enums.FXCT
	rotation = enums.FPDF_PAGE_ROTATION
)

// sheet is a rendered page.
type sheet struct {
	file          string // key
	page          int    // counted from 0
	width, height int
	pnm           []byte // the file: P5 where all pixels are shades of gray, else P6
	header        int    // bytes before the pixels
	gray          bool
	text          *layer.Page // nil until it was asked for
	bands         []bool      // of text.Gray, that are there; nil where it has all of the page
}

func (s *sheet) bytes() int64 {
	n := int64(len(s.pnm))
	if s.text != nil && (!s.gray || s.bands != nil) {
		n += int64(len(s.text.Gray))
	}
	return n
}

// drawn returns the rendered page of a job.
func (l *library) drawn(f *file, job protocol.PDFJob) (*sheet, error) {
	s, err := l.sheetOf(f, job)
	if err == nil && s.pnm == nil {
		err = l.draw(f, s)
	}
	return s, err
}

// sheetOf returns the page of a job, rendered or not.
func (l *library) sheetOf(f *file, job protocol.PDFJob) (*sheet, error) {
	page := job.Page - 1
	if page < 0 || page >= f.pages {
		return nil, errNoPage
	}
	width, height := job.Width, job.Height
	if width < 1 || height < 1 {
		size := l.sizeOf(f, page, job.MaxPixels, 0)
		width, height = size.Width, size.Height
	}
	if width < 1 || height < 1 || width > imagefile.MaxSide || height > imagefile.MaxSide || int64(width)*int64(height) > job.MaxPixels {
		return nil, errPage.Because(fmt.Errorf("%d × %d pixels", width, height))
	}
	at := slices.IndexFunc(l.sheets, func(s *sheet) bool {
		return s.file == f.key && s.page == page && s.width == width && s.height == height
	})
	if at >= 0 {
		s := l.sheets[at]
		l.sheets = append(slices.Delete(l.sheets, at, at+1), s)
		return s, nil
	}
	l.makeRoom(4 * int64(width) * int64(height))
	s := &sheet{file: f.key, page: page, width: width, height: height}
	l.sheets = append(l.sheets, s)
	return s, nil
}

// makeRoom drops the sheets that were used least recently.
func (l *library) makeRoom(bytes int64) {
	for i := len(l.sheets) - 1; i >= 0; i-- {
		if bytes += l.sheets[i].bytes(); bytes > maxSheetBytes {
			l.sheets = slices.Delete(l.sheets, 0, i+1)
			return
		}
	}
}

// maxStrip is how many pixels are rendered at a time.
const maxStrip = 16 << 20

// draw renders a page, in strips.
func (l *library) draw(f *file, s *sheet) error {
	if err := l.loads(f, s.page); err != nil {
		return err
	}
	rows := min(s.height, max(1, maxStrip/s.width))
	start := func(kind, pixels int) []byte {
		header := fmt.Sprintf("P%d %d %d 255\n", kind, s.width, s.height)
		s.header = len(header)
		return append(make([]byte, 0, len(header)+pixels), header...)
	}
	shades := start(5, s.width*s.height) // until there is a colour
	var colours []byte
	for top := 0; top < s.height; top += rows {
		n := min(rows, s.height-top)
		part := cutout{page: s.page, width: s.width, height: s.height, columns: s.width, top: top, rows: n}
		err := l.strip(f, part, func(pixels []byte, stride int) {
			for y := range n {
				row := pixels[y*stride:][:4*s.width]
				if colours == nil && isGray(row) {
					at := len(shades)
					shades = shades[:at+s.width]
					for x, to := 0, shades[at:]; x < len(to); x++ {
						to[x] = row[4*x]
					}
					continue
				}
				if colours == nil {
					gray := shades[s.header:]
					colours = start(6, 3*s.width*s.height)
					for _, v := range gray {
						colours = append(colours, v, v, v)
					}
				}
				at := len(colours)
				colours = colours[:at+3*s.width]
				for x, to := 0, colours[at:]; x < s.width; x++ {
					to[3*x], to[3*x+1], to[3*x+2] = row[4*x+2], row[4*x+1], row[4*x]
				}
			}
		})
		if err != nil {
			return err
		}
	}
	s.pnm = colours
	if s.gray = colours == nil; s.gray {
		s.pnm = shades
	}
	return nil
}

// isGray tells whether all pixels of a row, of four bytes each, are shades of gray.
func isGray(row []byte) bool {
	for x := 0; x+3 < len(row); x += 4 {
		if row[x] != row[x+1] || row[x] != row[x+2] {
			return false
		}
	}
	return true
}

// loads tells whether a page can be loaded.
func (l *library) loads(f *file, page int) error {
	if _, err := l.pdfium.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: pageOf(f, page)}); err != nil {
		mustBeWhole(err)
		return errPage.Because(err)
	}
	return nil
}

func pageOf(f *file, page int) requests.Page {
	return requests.Page{ByIndex: &requests.PageByIndex{Document: f.document, Index: page}}
}

// cutout is a part of a page that is rendered at a size.
type cutout struct {
	page          int
	width, height int // of the whole page
	left, columns int
	top, rows     int
	turns         int // quarters, clockwise
}

// strip renders a part of a page on white, with annotations and the fields of forms, and hands its pixels to use: blue, green, red and one
// byte more each, rows stride bytes apart.
func (l *library) strip(f *file, v cutout, use func(pixels []byte, stride int)) error {
	made, err := l.pdfium.FPDFBitmap_Create(&requests.FPDFBitmap_Create{Width: v.columns, Height: v.rows})
	if err != nil {
		broken(err)
	}
	bitmap := made.Bitmap
	defer func() {
		if _, err := l.pdfium.FPDFBitmap_Destroy(&requests.FPDFBitmap_Destroy{Bitmap: bitmap}); err != nil {
			broken(err)
		}
	}()
	if err := l.paint(f, bitmap, v); err != nil {
		broken(err)
	}
	buffer, err := l.pdfium.FPDFBitmap_GetBuffer(&requests.FPDFBitmap_GetBuffer{Bitmap: bitmap})
	if err != nil {
		broken(err)
	}
	if stride := len(buffer.Buffer) / v.rows; stride >= 4*v.columns {
		use(buffer.Buffer, stride)
		return nil
	}
	return errPage.Because(fmt.Errorf("%d bytes for %d × %d pixels", len(buffer.Buffer), v.columns, v.rows))
}

func (l *library) paint(f *file, bitmap references.FPDF_BITMAP, v cutout) error {
	_, err := l.pdfium.FPDFBitmap_FillRect(&requests.FPDFBitmap_FillRect{Bitmap: bitmap, Width: v.columns, Height: v.rows,
		Color: 0xffffffff})
	if err != nil {
		return err
	}
	turns := enums.FPDF_PAGE_ROTATION(v.turns)
	_, err = l.pdfium.FPDF_RenderPageBitmap(&requests.FPDF_RenderPageBitmap{Bitmap: bitmap, Page: pageOf(f, v.page),
		StartX: -v.left, StartY: -v.top, SizeX: v.width, SizeY: v.height, Rotate: turns, Flags: enums.FPDF_RENDER_FLAG_ANNOT})
	if err != nil || f.form == "" {
		return err
	}
	_, err = l.pdfium.FPDF_FFLDraw(&requests.FPDF_FFLDraw{FormHandle: f.form, Bitmap: bitmap, Page: pageOf(f, v.page),
		StartX: -v.left, StartY: -v.top, SizeX: v.width, SizeY: v.height, Rotate: turns, Flags: enums.FPDF_RENDER_FLAG_ANNOT})
	return err
}

// render renders a page as PNM.
func (l *library) render(f *file, job protocol.PDFJob) (protocol.PDFAnswer, []byte, error) {
	s, err := l.drawn(f, job)
	if err != nil {
		return protocol.PDFAnswer{}, nil, err
	}
	return protocol.PDFAnswer{Media: imagefile.PNM}, s.pnm, nil
}

// view renders a part of a page as a JPEG, turned.
func (l *library) view(f *file, job protocol.PDFJob) (protocol.PDFAnswer, []byte, error) {
	page := job.Page - 1
	if page < 0 || page >= f.pages {
		return protocol.PDFAnswer{}, nil, errNoPage
	}
	size := protocol.PDFSize{Width: job.Width, Height: job.Height}
	if size.Width < 1 || size.Height < 1 {
		size = l.sizeOf(f, page, job.MaxPixels, 0)
	}
	if size.Width < 1 || size.Height < 1 {
		return protocol.PDFAnswer{}, nil, errPage
	}
	if job.Rotation%180 != 0 {
		size.Width, size.Height = size.Height, size.Width
	}
	part := document.Box{X2: size.Width, Y2: size.Height}
	if !job.Part.Empty() {
		part = job.Part.Intersect(part)
	}
	if part.Empty() {
		return protocol.PDFAnswer{}, nil, errPage.Because(fmt.Errorf("%v is not on %d × %d pixels", job.Part, size.Width, size.Height))
	}
	if err := l.loads(f, page); err != nil {
		return protocol.PDFAnswer{}, nil, err
	}
	factor := min(1, float64(job.MaxWidth)/float64(part.Width()), float64(job.MaxHeight)/float64(part.Height()))
	at := func(v int) int { return int(math.Round(float64(v) * factor)) }
	v := cutout{page: page, width: max(1, at(size.Width)), height: max(1, at(size.Height)), left: at(part.X1), top: at(part.Y1),
		columns: max(1, at(part.Width())), rows: max(1, at(part.Height())), turns: job.Rotation / 90}
	var file bytes.Buffer
	err := l.strip(f, v, func(pixels []byte, stride int) {
		if err := jpeg.Encode(&file, picture(pixels, stride, v.columns, v.rows), &jpeg.Options{Quality: 85}); err != nil {
			broken(err)
		}
	})
	return protocol.PDFAnswer{Media: imagefile.JPEG}, file.Bytes(), err
}

// picture makes an image of rendered pixels, in shades of gray where there is nothing else.
func picture(pixels []byte, stride, width, height int) image.Image {
	bounds := image.Rect(0, 0, width, height)
	shades := image.NewGray(bounds)
	for y := range height {
		row := pixels[y*stride:][:4*width]
		if !isGray(row) {
			break
		}
		for x, to := 0, shades.Pix[y*width:][:width]; x < width; x++ {
			to[x] = row[4*x]
		}
		if y == height-1 {
			return shades
		}
	}
	m := image.NewRGBA(bounds)
	for y := range height {
		from, to := pixels[y*stride:][:4*width], m.Pix[y*m.Stride:][:4*width]
		for x := 0; x < len(to); x += 4 {
			to[x], to[x+1], to[x+2], to[x+3] = from[x+2], from[x+1], from[x], 0xff
		}
	}
	return m
}

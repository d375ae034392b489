package pdfium

import (
	"bytes"
	"math"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/responses"
)

// A page that shows only images, such as one from a scanner, needs no more pixels than the finest of them. If that cannot be told from the
// file, the page counts as one that shows more, and is rendered at the default resolution.

const (
	maxObjects = 4_000   // of a page that are looked at, in forms too
	maxNested  = 8       // forms in one another
	maxOthers  = 8       // pages with more than images, after which no further ones are looked at
	fewPixels  = 1 << 20 // of a page; it has as many, however coarse its images are
)

// hasImages tells whether a file may have pages of images alone. Dictionaries of images are never compressed, so the word can be found in
// the bytes of the file.
func hasImages(data []byte) bool {
	for {
		_, rest, found := bytes.Cut(data, []byte("/Image"))
		if !found || len(rest) == 0 || !isRegular(rest[0]) {
			return found
		}
		data = rest
	}
}

// isRegular tells whether a byte goes on with a name.
func isRegular(b byte) bool { return b > ' ' && !bytes.ContainsRune([]byte("()<>[]{}/%"), rune(b)) }

// scanOf returns how many pixels the finest image of a page has on a unit of the page, counted from 0. It is 0 where something else is
// seen, or no image. A mask, which may be finer than the image that it is laid on, counts as that image.
func (l *library) scanOf(f *file, page int, found masks) float64 {
	if l.isAnnotated(f, page) {
		return 0
	}
	count, err := l.pdfium.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: pageOf(f, page)})
	if err != nil {
		mustBeWhole(err)
		return 0
	}
	s := scan{library: l, left: maxObjects, masks: found}
	for i := range count.Count {
		object, err := l.pdfium.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: pageOf(f, page), Index: i})
		if err != nil || !s.takes(object.PageObject, unmoved, 0) {
			mustBeWhole(err)
			return 0
		}
	}
	return s.finest
}

// isAnnotated tells whether anything of annotations or of a form's fields may be seen on a page.
func (l *library) isAnnotated(f *file, page int) bool {
	count, err := l.pdfium.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: pageOf(f, page)})
	if err != nil {
		mustBeWhole(err)
		return true
	}
	for i := range min(count.Count, maxObjects) {
		note, err := l.pdfium.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: pageOf(f, page), Index: i})
		if err != nil {
			mustBeWhole(err)
			return true
		}
		kind, err := l.pdfium.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: note.Annotation})
		if _, err := l.pdfium.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: note.Annotation}); err != nil {
			broken(err)
		}
		if err != nil || kind.Subtype != enums.FPDF_ANNOT_SUBTYPE_LINK && kind.Subtype != enums.FPDF_ANNOT_SUBTYPE_POPUP {
			return true
		}
	}
	return count.Count > maxObjects
}

// scan is what was found of a page so far.
type scan struct {
	library *library
	finest  float64 // pixels on a unit
	left    int     // objects that may still be looked at
	masks   masks
}

// linear is how directions of an object lie on the page: (1, 0) becomes (a, b), (0, 1) becomes (c, d).
type linear struct{ a, b, c, d float64 }

var unmoved = linear{a: 1, d: 1}

// takes looks at an object of a page, or of a form that lies so many forms deep. It returns false if the object shows more than images do.
func (s *scan) takes(object references.FPDF_PAGEOBJECT, form linear, deep int) bool {
	if s.left--; s.left < 0 {
		return false
	}
	l := s.library.pdfium
	kind, err := l.FPDFPageObj_GetType(&requests.FPDFPageObj_GetType{PageObject: object})
	if err == nil {
		switch kind.Type {
		case enums.FPDF_PAGEOBJ_TEXT:
			var mode *responses.FPDFTextObj_GetTextRenderMode
			mode, err = l.FPDFTextObj_GetTextRenderMode(&requests.FPDFTextObj_GetTextRenderMode{PageObject: object})
			if err == nil {
				return mode.TextRenderMode == enums.FPDF_TEXTRENDERMODE_INVISIBLE || mode.TextRenderMode == enums.FPDF_TEXTRENDERMODE_CLIP
			}
		case enums.FPDF_PAGEOBJ_PATH:
			return s.isPaper(object)
		case enums.FPDF_PAGEOBJ_IMAGE:
			var size *responses.FPDFImageObj_GetImagePixelSize
			size, err = l.FPDFImageObj_GetImagePixelSize(&requests.FPDFImageObj_GetImagePixelSize{ImageObject: object})
			m, ok := s.placed(object, form)
			if err == nil && ok {
				seen := s.masks.of(pixelSize{int(size.Width), int(size.Height)})
				across, down := float64(seen.width)/math.Hypot(m.a, m.b), float64(seen.height)/math.Hypot(m.c, m.d)
				s.finest = max(s.finest, across, down)
				return !math.IsNaN(s.finest) && !s.isThrough(object)
			}
		case enums.FPDF_PAGEOBJ_FORM:
			var count *responses.FPDFFormObj_CountObjects
			count, err = l.FPDFFormObj_CountObjects(&requests.FPDFFormObj_CountObjects{PageObject: object})
			m, ok := s.placed(object, form)
			ok = ok && !(s.masks.drawn && s.isThrough(object))
			for i := 0; err == nil && ok && i < count.Count; i++ {
				var inner *responses.FPDFFormObj_GetObject
				inner, err = l.FPDFFormObj_GetObject(&requests.FPDFFormObj_GetObject{PageObject: object, Index: uint64(i)})
				ok = err == nil && deep < maxNested && s.takes(inner.PageObject, m, deep+1)
			}
			if err == nil {
				return ok
			}
		}
	}
	mustBeWhole(err)
	return false
}

// isThrough tells whether what lies below an object may be seen through it. pdfium does not say why: the object may be drawn through a
// mask, and a form may be transparent without one.
func (s *scan) isThrough(object references.FPDF_PAGEOBJECT) bool {
	through, err := s.library.pdfium.FPDFPageObj_HasTransparency(&requests.FPDFPageObj_HasTransparency{PageObject: object})
	mustBeWhole(err)
	return err != nil || through.HasTransparency
}

// placed returns how an object lies on the page. It is false where that cannot be said.
func (s *scan) placed(object references.FPDF_PAGEOBJECT, form linear) (linear, bool) {
	matrix, err := s.library.pdfium.FPDFPageObj_GetMatrix(&requests.FPDFPageObj_GetMatrix{PageObject: object})
	if err != nil {
		mustBeWhole(err)
		return linear{}, false
	}
	on := func(x, y float32) (float64, float64) {
		return form.a*float64(x) + form.c*float64(y), form.b*float64(x) + form.d*float64(y)
	}
	var m linear
	m.a, m.b = on(matrix.Matrix.A, matrix.Matrix.B)
	m.c, m.d = on(matrix.Matrix.C, matrix.Matrix.D)
	return m, true
}

// isPaper tells whether a path is drawn in white alone, or not at all.
func (s *scan) isPaper(path references.FPDF_PAGEOBJECT) bool {
	mode, err := s.library.pdfium.FPDFPath_GetDrawMode(&requests.FPDFPath_GetDrawMode{PageObject: path})
	if err != nil || mode.Stroke || mode.FillMode == enums.FPDF_FILLMODE_NONE {
		mustBeWhole(err)
		return err == nil && !mode.Stroke
	}
	fill, err := s.library.pdfium.FPDFPageObj_GetFillColor(&requests.FPDFPageObj_GetFillColor{PageObject: path})
	mustBeWhole(err)
	return err == nil && fill.FillColor.R == 255 && fill.FillColor.G == 255 && fill.FillColor.B == 255
}

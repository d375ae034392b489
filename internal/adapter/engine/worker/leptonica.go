package worker

// #cgo linux LDFLAGS: -ltesseract -llept
// #cgo darwin pkg-config: tesseract lept
// #include <stdlib.h>
// #include <string.h>
// #include <leptonica/allheaders.h>
import "C"

import (
	"fmt"
	"unsafe"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/imagefile"
)

// pix is an image in C memory, of 1, 8 or 32 bits a pixel, without colour map and transparency. It must be closed.
// All of this file runs in worker processes only.
type pix struct{ p *C.PIX }

func quietLeptonica() { C.setMsgSeverity(C.L_SEVERITY_NONE) }

func (p *pix) close() {
	if p != nil && p.p != nil {
		C.pixDestroy(&p.p)
	}
}

// own wraps what a C function made; op names the function for the error.
func own(p *C.PIX, op string) (*pix, error) {
	if p == nil {
		return nil, imagefile.ErrUnreadable.Because(fmt.Errorf("%s gave nothing", op))
	}
	return &pix{p}, nil
}

// then replaces p by what a C function makes of it.
func (p *pix) then(op string, next *C.PIX) error {
	if next == nil {
		return imagefile.ErrUnreadable.Because(fmt.Errorf("%s gave nothing", op))
	}
	C.pixDestroy(&p.p)
	p.p = next
	return nil
}

func (p *pix) width() int  { return int(C.pixGetWidth(p.p)) }
func (p *pix) height() int { return int(C.pixGetHeight(p.p)) }
func (p *pix) depth() int  { return int(C.pixGetDepth(p.p)) }

// bytes is the memory of the pixels.
func (p *pix) bytes() int64 { return 4 * int64(C.pixGetWpl(p.p)) * int64(p.height()) }

// decode makes an upright image of a file. shrink is 1, or 2, 4 or 8 for a JPEG of which a smaller image is enough.
func decode(data []byte, h imagefile.Header, shrink int) (*pix, error) {
	if len(data) == 0 {
		return nil, imagefile.ErrUnreadable
	}
	bytes, size := (*C.l_uint8)(unsafe.Pointer(&data[0])), C.size_t(len(data))
	var p *pix
	var err error
	switch h.MediaType {
	case imagefile.JPEG:
		p, err = own(C.pixReadMemJpeg(bytes, size, 0, C.l_int32(shrink), nil, 0), "pixReadMemJpeg")
	case imagefile.TIFF:
		p, err = own(C.pixReadMemTiff(bytes, size, 0), "pixReadMemTiff")
		h.Orientation = 1 // Leptonica has applied it
	default:
		p, err = own(C.pixReadMem(bytes, size), "pixReadMem")
	}
	if err != nil {
		return nil, err
	}
	if err = p.flatten(); err == nil {
		err = p.turn(h.Orientation)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	if width, height := h.Upright(); shrink == 1 && (p.width() != width || p.height() != height) {
		defer p.close()
		return nil, imagefile.ErrUnreadable.Because(fmt.Errorf("decoded to %d×%d where the header says %d×%d", p.width(), p.height(), width, height))
	}
	return p, nil
}

// flatten resolves colour maps, transparency (on white) and depths other than 1, 8 and 32.
func (p *pix) flatten() error {
	if cmap := C.pixGetColormap(p.p); cmap != nil {
		kind := C.l_int32(C.REMOVE_CMAP_BASED_ON_SRC)
		var opaque C.l_int32
		if C.pixcmapIsOpaque(cmap, &opaque); opaque == 0 {
			kind = C.REMOVE_CMAP_WITH_ALPHA
		}
		if err := p.then("pixRemoveColormap", C.pixRemoveColormap(p.p, kind)); err != nil {
			return err
		}
	}
	if p.depth() == 32 && C.pixGetSpp(p.p) == 4 {
		if err := p.blend(); err != nil {
			return err
		}
	}
	switch p.depth() {
	case 1, 8, 32:
		return nil
	case 16:
		return p.then("pixConvert16To8", C.pixConvert16To8(p.p, C.L_MS_BYTE))
	}
	return p.then("pixConvertTo8", C.pixConvertTo8(p.p, 0))
}

// blend resolves transparency on white. Where that makes much of the picture vanish, such as text in colours that somebody
// declared transparent, the colours are taken as they are.
func (p *pix) blend() error {
	blended, err := own(C.pixAlphaBlendUniform(p.p, 0xffffff00), "pixAlphaBlendUniform")
	if err != nil {
		return err
	}
	if p.contrast() > 2*blended.contrast() {
		blended.close()
		C.pixSetSpp(p.p, 3)
		return nil
	}
	return p.then("pixAlphaBlendUniform", blended.p)
}

// contrast is the variance of the shades of an image, whatever its transparency.
func (p *pix) contrast() float64 {
	gray, err := own(C.pixConvertRGBToGrayFast(p.p), "pixConvertRGBToGrayFast")
	if err != nil {
		return 0
	}
	defer gray.close()
	n, sum, squares := 0.0, 0.0, 0.0
	for v, count := range gray.histogram() {
		n += float64(count)
		sum += float64(v) * float64(count)
		squares += float64(v) * float64(v) * float64(count)
	}
	return squares/n - sum/n*sum/n
}

// turn applies an EXIF orientation: how the stored rows and columns lie on the page (EXIF 2.32, tag 274).
func (p *pix) turn(orientation int) error {
	quarters, mirror := 0, false
	switch orientation {
	case 2:
		mirror = true
	case 3:
		quarters = 2
	case 4:
		quarters, mirror = 2, true
	case 5:
		quarters, mirror = 3, true
	case 6:
		quarters = 1
	case 7:
		quarters, mirror = 1, true
	case 8:
		quarters = 3
	}
	if mirror {
		if err := p.then("pixFlipLR", C.pixFlipLR(nil, p.p)); err != nil {
			return err
		}
	}
	if quarters == 0 {
		return nil
	}
	return p.then("pixRotateOrth", C.pixRotateOrth(p.p, C.l_int32(quarters)))
}

// cut returns a copy of a box of the image.
func (p *pix) cut(b document.Box) (*pix, error) {
	if b == (document.Box{X2: p.width(), Y2: p.height()}) {
		return own(C.pixCopy(nil, p.p), "pixCopy")
	}
	box := C.boxCreate(C.l_int32(b.X1), C.l_int32(b.Y1), C.l_int32(b.Width()), C.l_int32(b.Height()))
	defer C.boxDestroy(&box)
	return own(C.pixClipRectangle(p.p, box, nil), "pixClipRectangle")
}

// gray returns a copy of a box of the image in 8 bits.
func (p *pix) gray(b document.Box) (*pix, error) {
	cut, err := p.cut(b)
	if err != nil {
		return nil, err
	}
	if cut.depth() == 8 {
		return cut, nil
	}
	if err := cut.then("pixConvertTo8", C.pixConvertTo8(cut.p, 0)); err != nil {
		cut.close()
		return nil, err
	}
	return cut, nil
}

// histogram counts the shades of an 8-bit image.
func (p *pix) histogram() (counts [256]int) {
	na := C.pixGetGrayHistogram(p.p, 1)
	if na == nil {
		return counts
	}
	defer C.numaDestroy(&na)
	for i := range counts {
		var v C.l_int32
		C.numaGetIValue(na, C.l_int32(i), &v)
		counts[i] = int(v)
	}
	return counts
}

// encode writes a PNG, or a JPEG where lossless is not set and the image has shades.
func (p *pix) encode(lossless bool) (document.Rendition, error) {
	r := document.Rendition{MediaType: imagefile.PNG}
	var data *C.l_uint8
	var size C.size_t
	var failed C.l_int32
	if lossless || p.depth() == 1 {
		failed = C.pixWriteMemPng(&data, &size, p.p, 0)
	} else {
		r.MediaType = imagefile.JPEG
		failed = C.pixWriteMemJpeg(&data, &size, p.p, 85, 0)
	}
	if failed != 0 || data == nil {
		return r, fault.New(fault.Internal, "encode_failed", "The image could not be written.")
	}
	defer C.free(unsafe.Pointer(data))
	r.Bytes = C.GoBytes(unsafe.Pointer(data), C.int(size))
	return r, nil
}

// render makes a file of the image for people, of at most that width and height. It does not write to the image.
func (p *pix) render(width, height int) (document.Rendition, error) {
	small, err := p.shrinkTo(width, height)
	if err != nil {
		return document.Rendition{}, err
	}
	defer small.close()
	return small.encode(false)
}

// shrinkTo returns an image of at most that width and height, which keeps the shape and may share the pixels.
func (p *pix) shrinkTo(width, height int) (*pix, error) {
	factor := min(1, float64(width)/float64(p.width()), float64(height)/float64(p.height()))
	if factor == 1 {
		return own(C.pixClone(p.p), "pixClone")
	}
	w, h := max(1, int(float64(p.width())*factor+0.5)), max(1, int(float64(p.height())*factor+0.5))
	source := p
	if p.depth() == 1 { // shades keep thin strokes visible
		gray, err := own(C.pixScaleToGray(p.p, C.l_float32(min(factor, 0.999))), "pixScaleToGray")
		if err == nil && gray.width() >= w && gray.height() >= h {
			return gray, nil
		}
		gray.close()
		if source, err = p.gray(document.Box{X2: p.width(), Y2: p.height()}); err != nil {
			return nil, err
		}
		defer source.close()
	}
	return own(C.pixScaleToSize(source.p, C.l_int32(w), C.l_int32(h)), "pixScaleToSize")
}

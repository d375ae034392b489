package worker

// #cgo linux LDFLAGS: -ltesseract -llept
// #cgo darwin pkg-config: tesseract lept
// #include <stdlib.h>
// #include <string.h>
// #include <leptonica/allheaders.h>
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
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

// errOperation says that a C function returned nothing.
func errOperation(op string) error {
	return fault.New(fault.Unsupported, "unsupported_image", "The image cannot be processed.").Because(fmt.Errorf("%s failed", op))
}

// own wraps what a C function made; op names the function for the error.
func own(p *C.PIX, op string) (*pix, error) {
	if p == nil {
		return nil, errOperation(op)
	}
	return &pix{p}, nil
}

// then replaces p by the result of a C function.
func (p *pix) then(op string, next *C.PIX) error {
	if next == nil {
		return errOperation(op)
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

// decode makes an upright image of a file. shrink is 1, or 2, 4 or 8 for a JPEG of which a smaller image is enough. maxPixels
// is what libheif is held to. What cannot be decoded is Unsupported and says why.
func decode(data []byte, h imagefile.Header, shrink int, maxPixels int64, heif *heifDecoder) (*pix, error) {
	if err := heif.without(h.MediaType); err != nil {
		return nil, err
	}
	orientation := h.Orientation
	inGo, err := decodeInGo(data, h)
	var p *pix
	switch {
	case err != nil:
	case inGo != nil:
		p, err = fromImage(inGo)
	case h.MediaType == imagefile.TIFF:
		p, err = readMemory(data, h, shrink)
		orientation = 1 // Leptonica has applied it
	case h.MediaType == imagefile.HEIC, h.MediaType == imagefile.AVIF:
		p, err = heif.decode(data, maxPixels)
	default:
		p, err = readMemory(firstFrame(data), h, shrink)
	}
	if err != nil {
		return nil, imagefile.Undecodable(data, h, err)
	}
	if err = p.flatten(); err == nil {
		err = p.turn(orientation)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	if width, height := h.Upright(); shrink == 1 && (p.width() != width || p.height() != height) {
		defer p.close()
		cause := fmt.Errorf("decoded to %d×%d where the header says %d×%d", p.width(), p.height(), width, height)
		return nil, imagefile.Undecodable(data, h, cause)
	}
	return p, nil
}

// readMemory has Leptonica decode a file.
func readMemory(data []byte, h imagefile.Header, shrink int) (*pix, error) {
	if len(data) == 0 {
		return nil, errors.New("no bytes")
	}
	bytes, size := (*C.l_uint8)(unsafe.Pointer(&data[0])), C.size_t(len(data))
	switch h.MediaType {
	case imagefile.JPEG:
		return own(C.pixReadMemJpeg(bytes, size, 0, C.l_int32(shrink), nil, 0), "pixReadMemJpeg")
	case imagefile.TIFF:
		return own(C.pixReadMemTiff(bytes, size, 0), "pixReadMemTiff")
	}
	return own(C.pixReadMem(bytes, size), "pixReadMem")
}

// fromImage makes an image in C memory of one in Go's: of 8 bits for shades of gray, else of 32 bits.
func fromImage(m image.Image) (*pix, error) {
	b := m.Bounds()
	depth := 32
	gray, isGray := m.(*image.Gray)
	if deep, ok := m.(*image.Gray16); ok {
		gray, isGray = gray16To8(deep), true
	}
	if isGray {
		depth = 8
	}
	p, err := own(C.pixCreate(C.l_int32(b.Dx()), C.l_int32(b.Dy()), C.l_int32(depth)), "pixCreate")
	if err != nil {
		return nil, err
	}
	words, perRow := p.words(), int(C.pixGetWpl(p.p))
	if isGray {
		for y := range b.Dy() {
			row, out := gray.Pix[y*gray.Stride:][:b.Dx()], words[y*perRow:]
			for len(row) >= 4 {
				out[0] = binary.BigEndian.Uint32(row)
				row, out = row[4:], out[1:]
			}
			for x, v := range row {
				out[0] |= uint32(v) << (24 - x*8)
			}
		}
		return p, nil
	}
	C.pixSetSpp(p.p, 4)
	colour := colours(m)
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := colour(b.Min.X+x, b.Min.Y+y)
			words[y*perRow+x] = uint32(c.R)<<24 | uint32(c.G)<<16 | uint32(c.B)<<8 | uint32(c.A)
		}
	}
	return p, nil
}

// words is the memory of the pixels: rows of 32-bit words, whose first pixel stands in the highest bits.
func (p *pix) words() []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(C.pixGetData(p.p))), int(C.pixGetWpl(p.p))*p.height())
}

// from16 makes a 16-bit image one of 8 bits.
func (p *pix) from16() error {
	next, err := own(C.pixCreate(C.l_int32(p.width()), C.l_int32(p.height()), 8), "pixCreate")
	if err != nil {
		return err
	}
	from, to := p.words(), next.words()
	fromRow, toRow := int(C.pixGetWpl(p.p)), int(C.pixGetWpl(next.p))
	at := func(x, y int) uint32 { return from[y*fromRow+x/2] >> (16 - x%2*16) & 0xffff }
	low, high := uint32(0xffff), uint32(0)
	for y := range p.height() {
		for x := range p.width() {
			low, high = min(low, at(x, y)), max(high, at(x, y))
		}
	}
	shade := to8Bits(low, high)
	for y := range p.height() {
		for x := range p.width() {
			to[y*toRow+x/4] |= shade(at(x, y)) << (24 - x%4*8)
		}
	}
	return p.then("from16", next.p)
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
		return p.from16()
	}
	return p.then("pixConvertTo8", C.pixConvertTo8(p.p, 0))
}

// blend resolves transparency on white. If much of the picture would vanish, such as text in colours that are declared transparent, the
// colours are taken as they are. If these show nothing either, opaque pixels are taken for ink.
func (p *pix) blend() error {
	blended, err := own(C.pixAlphaBlendUniform(p.p, 0xffffff00), "pixAlphaBlendUniform")
	if err != nil {
		return err
	}
	opaque, err := own(C.pixGetRGBComponent(p.p, C.L_ALPHA_CHANNEL), "pixGetRGBComponent")
	if err != nil {
		blended.close()
		return err
	}
	colours, white := p.contrast(), blended.contrast()
	if max(colours, white) < blank && variance(opaque.histogram()) > blank {
		blended.close()
		C.pixInvert(opaque.p, opaque.p)
		return p.then("pixGetRGBComponent", opaque.p)
	}
	opaque.close()
	if colours > 2*white {
		blended.close()
		C.pixSetSpp(p.p, 3)
		return nil
	}
	return p.then("pixAlphaBlendUniform", blended.p)
}

// blank is the contrast below which a picture shows nothing.
const blank = 1.0

// contrast is the variance of the shades of an image, whatever its transparency.
func (p *pix) contrast() float64 {
	gray, err := own(C.pixConvertRGBToGrayFast(p.p), "pixConvertRGBToGrayFast")
	if err != nil {
		return 0
	}
	defer gray.close()
	return variance(gray.histogram())
}

func variance(counts [256]int) float64 {
	n, sum, squares := 0.0, 0.0, 0.0
	for v, count := range counts {
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
		return r, fault.New(fault.Internal, "encode_failed", "The image could not be encoded.")
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

// Package imagefile reads the headers of image files: format, size, orientation and number of pages. It is pure Go, so that files
// of strangers can be looked at in any process.
package imagefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"glyphbox/internal/domain/fault"
)

// Header is what the header of an image file says.
type Header struct {
	MediaType   string // one of the formats that are read
	Width       int    // pixels as stored, before orientation; of HEIC and AVIF upright already
	Height      int    // as Width
	Orientation int    // of EXIF or TIFF, 1 to 8; 1 is upright
	Pages       int    // at least 1
	XDPI, YDPI  int    // pixels of an inch of paper, as stored, before orientation; 0 where the file does not say
}

// Upright returns the size in pixels with the orientation applied.
func (h Header) Upright() (width, height int) {
	if h.Orientation >= 5 {
		return h.Height, h.Width
	}
	return h.Width, h.Height
}

// DPI returns the resolution along the width of the upright page; 0 where the file does not say.
func (h Header) DPI() int {
	if h.Orientation >= 5 {
		return h.YDPI
	}
	return h.XDPI
}

// The formats that are read, by their media types.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
	GIF  = "image/gif"
	BMP  = "image/bmp"
	TIFF = "image/tiff"
	WebP = "image/webp"
	JP2  = "image/jp2"
	HEIC = "image/heic"
	AVIF = "image/avif"
	PNM  = "image/x-portable-anymap"
	PDF  = "application/pdf" // whose pages are no images: see IsPDF
)

// MaxSide is the most pixels of a width or a height. No decoder takes more.
const MaxSide = 1 << 20

// ReadHeader reads the header of a file of size bytes. Whatever the bytes, it reads a bounded number of them. What is empty, of
// another format, damaged or cut off is Unsupported and says so; more pixels than maxPixels is TooLarge.
func ReadHeader(r io.ReaderAt, size, maxPixels int64) (Header, error) {
	if size <= 0 {
		return Header{}, unsupported("The file is empty.")
	}
	p := &headerReader{r: r, size: size}
	h, err := p.read()
	variant, isVariant := errors.AsType[VariantError](err)
	switch {
	case err != nil && h.MediaType == "":
		return Header{}, foreign(r, size).Because(err)
	case errors.Is(err, errCut):
		return Header{}, cutOff(h.MediaType).Because(err)
	case isVariant:
		return Header{}, variantOf(h.MediaType, variant).Because(err)
	case err != nil:
		return Header{}, damaged(h.MediaType).Because(err)
	}
	h.Pages = max(h.Pages, 1)
	if p.decoded/2 > maxPixels {
		return Header{}, fault.New(fault.TooLarge, "too_many_pixels",
			"The image consists of parts with %d pixels in all; at most %d are supported.", p.decoded, maxPixels)
	}
	return h.check(maxPixels)
}

// check completes a header and refuses what cannot be decoded.
func (h Header) check(maxPixels int64) (Header, error) {
	if h.Orientation < 1 || h.Orientation > 8 {
		h.Orientation = 1
	}
	switch {
	case h.Width <= 0 || h.Height <= 0:
		return Header{}, damaged(h.MediaType).Because(fmt.Errorf("size %d×%d", h.Width, h.Height))
	case h.Width > MaxSide || h.Height > MaxSide || int64(h.Width)*int64(h.Height) > maxPixels:
		return Header{}, fault.New(fault.TooLarge, "too_many_pixels",
			"The image has %d × %d pixels; at most %d are supported, and %d on a side.", h.Width, h.Height, maxPixels, MaxSide)
	}
	return h, nil
}

// headerReader reads numbers at offsets. Its first error sticks and turns all later reads into zeroes, so that the
// parsers below need not look at each.
type headerReader struct {
	r     io.ReaderAt
	size  int64
	err   error
	reads int

	decoded int64 // pixels of all parts that the image is made of; 0 where it has no parts
}

// errCut says that a header goes on beyond the end of the file.
var errCut = errors.New("the header reaches beyond the file")

// maxReads bounds the work that a file of many tiny parts can cause.
const maxReads = 200_000

func (p *headerReader) bytes(at int64, n int) []byte {
	b := make([]byte, n)
	if p.err != nil {
		return b
	}
	p.reads++
	if at < 0 || at > p.size-int64(n) || p.reads > maxReads {
		p.err = fmt.Errorf("%w: %d bytes at %d of %d", errCut, n, at, p.size)
		return b
	}
	if _, err := p.r.ReadAt(b, at); err != nil && err != io.EOF {
		p.err = err
	}
	return b
}

func (p *headerReader) num(at int64, n int, order binary.ByteOrder) uint64 {
	b := p.bytes(at, n)
	switch n {
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

func (p *headerReader) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *headerReader) read() (h Header, err error) {
	start := make([]byte, 16)
	n, err := p.r.ReadAt(start[:min(16, max(p.size, 0))], 0)
	if err != nil && err != io.EOF {
		return h, err
	}
	start = start[:n]
	has := func(magic string) bool { return bytes.HasPrefix(start, []byte(magic)) }
	switch {
	case has("\xff\xd8\xff"):
		h = p.jpeg()
	case has("\x89PNG\r\n\x1a\n"):
		h = p.png()
	case has("GIF87a"), has("GIF89a"):
		h = p.gif()
	case has("BM"):
		h = p.bmp()
	case has("II*\x00"), has("MM\x00*"), has("II+\x00"), has("MM\x00+"):
		h = p.tiff()
	case has("RIFF") && len(start) >= 12 && string(start[8:12]) == "WEBP":
		h = p.webp()
	case has("\x00\x00\x00\x0cjP  \r\n\x87\n"):
		h = p.jp2()
	case has("\xff\x4f\xff\x51"):
		h = p.codestream(0)
	case len(start) >= 3 && start[0] == 'P' && start[1] >= '1' && start[1] <= '7':
		h = p.pnm()
	default:
		if is, avif := p.isHEIF(start); is {
			h = p.heif(avif)
			break
		}
		p.fail("unknown format")
	}
	return h, p.err
}

// maxDPI is the finest resolution that is taken for one.
const maxDPI = 10_000

// dpi returns a resolution as a whole number, or 0 if it is not a plausible one.
func dpi(perInch float64) int {
	if !(perInch >= 1 && perInch <= maxDPI) { // also where it is no number
		return 0
	}
	return int(perInch + 0.5)
}

const (
	centimeter = 2.54   // centimeters are an inch
	meter      = 0.0254 // meters are an inch
)

// jpeg walks the segments up to the frame header (ITU T.81, B.2); orientation and resolution come from a JFIF and an Exif segment on the
// way. The resolution of JFIF goes first, since programs that change it leave that of Exif as it was.
func (p *headerReader) jpeg() (h Header) {
	h.MediaType = JPEG
	for at := int64(2); p.err == nil; {
		if p.bytes(at, 1)[0] != 0xff {
			at++ // padding or garbage between segments
			continue
		}
		switch marker := p.bytes(at+1, 1)[0]; {
		case marker == 0xff:
			at++
		case marker == 0x00, marker == 0x01, marker >= 0xd0 && marker <= 0xd8:
			at += 2 // no length
		case marker == 0xd9, marker == 0xda:
			p.fail("no frame header before the scan")
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			h.Height = int(p.num(at+5, 2, binary.BigEndian))
			h.Width = int(p.num(at+7, 2, binary.BigEndian))
			return h
		default:
			length := int64(p.num(at+2, 2, binary.BigEndian))
			switch {
			case marker == 0xe0 && length >= 14 && string(p.bytes(at+4, 5)) == "JFIF\x00":
				scale := 0.0
				switch p.bytes(at+11, 1)[0] {
				case 1:
					scale = 1
				case 2:
					scale = centimeter
				}
				if x := dpi(scale * float64(p.num(at+12, 2, binary.BigEndian))); x > 0 {
					h.XDPI, h.YDPI = x, dpi(scale*float64(p.num(at+14, 2, binary.BigEndian)))
				}
			case marker == 0xe1 && length >= 16 && h.Orientation == 0 && string(p.bytes(at+4, 6)) == "Exif\x00\x00":
				p.exif(&h, at+10, length-8)
			}
			at += 2 + max(length, 2)
		}
	}
	return h
}

// exif takes the orientation of an Exif block, which is a TIFF file without an image, and its resolution if none is known yet. It ignores a
// broken block.
func (p *headerReader) exif(h *Header, at, length int64) {
	inner := &headerReader{r: p.r, size: min(p.size, at+length), reads: p.reads}
	var said Header
	inner.directories(at, length, func(d directory) bool {
		said = d.Header
		return false
	})
	p.reads = inner.reads
	h.Orientation = said.Orientation
	if h.XDPI == 0 {
		h.XDPI, h.YDPI = said.XDPI, said.YDPI
	}
}

// png walks the chunks up to the image data (PNG specification, 5.3).
func (p *headerReader) png() (h Header) {
	h.MediaType = PNG
	if string(p.bytes(12, 4)) != "IHDR" {
		p.fail("no IHDR")
	}
	h.Width, h.Height = int(p.num(16, 4, binary.BigEndian)), int(p.num(20, 4, binary.BigEndian))
	p.pngChunks(func(kind string, at, length int64) bool {
		switch kind {
		case "eXIf":
			p.exif(&h, at, length)
		case "pHYs":
			if p.bytes(at+8, 1)[0] == 1 { // meters
				h.XDPI, h.YDPI = dpi(meter*float64(p.num(at, 4, binary.BigEndian))), dpi(meter*float64(p.num(at+4, 4, binary.BigEndian)))
			}
		}
		return true
	})
	return h
}

// pngChunks hands the chunks between header and image data to use, with the place of their data, until that returns false.
func (p *headerReader) pngChunks(use func(kind string, at, length int64) bool) {
	for at := int64(33); at+12 <= p.size && p.err == nil && p.reads < maxReads/2; {
		length, kind := int64(p.num(at, 4, binary.BigEndian)), string(p.bytes(at+4, 4))
		if kind == "IDAT" || kind == "IEND" || !use(kind, at+8, length) {
			return
		}
		at += 12 + length
	}
}

// gif takes the size of the first frame, since that is what is shown (GIF89a, 18–20).
func (p *headerReader) gif() (h Header) {
	h.MediaType = GIF
	at := int64(13)
	if flags := p.bytes(10, 1)[0]; flags&0x80 != 0 {
		at += 3 << (flags&7 + 1)
	}
	for p.err == nil {
		switch p.bytes(at, 1)[0] {
		case ',':
			h.Width, h.Height = int(p.num(at+5, 2, binary.LittleEndian)), int(p.num(at+7, 2, binary.LittleEndian))
			return h
		case '!':
			at += 2
			for p.err == nil {
				n := int64(p.bytes(at, 1)[0])
				at += 1 + n
				if n == 0 {
					break
				}
			}
		default:
			p.fail("no image in the GIF")
		}
	}
	return h
}

func (p *headerReader) bmp() (h Header) {
	h.MediaType = BMP
	if p.num(14, 4, binary.LittleEndian) == 12 { // BITMAPCOREHEADER
		h.Width, h.Height = int(p.num(18, 2, binary.LittleEndian)), int(p.num(20, 2, binary.LittleEndian))
		return h
	}
	h.Width, h.Height = int(int32(p.num(18, 4, binary.LittleEndian))), int(int32(p.num(22, 4, binary.LittleEndian)))
	if h.Height < 0 { // stored from the top
		h.Height = -h.Height
	}
	if p.num(14, 4, binary.LittleEndian) >= 40 && p.size >= 46 { // BITMAPINFOHEADER
		h.XDPI, h.YDPI = dpi(meter*float64(p.num(38, 4, binary.LittleEndian))), dpi(meter*float64(p.num(42, 4, binary.LittleEndian)))
	}
	return h
}

// webp reads the first chunk, and for an extended file goes on to its Exif chunk (RFC 9649).
func (p *headerReader) webp() (h Header) {
	h.MediaType = WebP
	switch string(p.bytes(12, 4)) {
	case "VP8 ":
		h.Width = int(p.num(26, 2, binary.LittleEndian) & 0x3fff)
		h.Height = int(p.num(28, 2, binary.LittleEndian) & 0x3fff)
	case "VP8L":
		bits := p.num(21, 4, binary.LittleEndian)
		h.Width, h.Height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
	case "VP8X":
		flags := p.bytes(20, 1)[0]
		size := p.bytes(24, 6)
		h.Width = 1 + (int(size[0]) | int(size[1])<<8 | int(size[2])<<16)
		h.Height = 1 + (int(size[3]) | int(size[4])<<8 | int(size[5])<<16)
		if flags&0x02 != 0 {
			p.webpFrame(&h)
		}
		if flags&0x08 == 0 {
			return h
		}
		p.webpChunks(func(kind string, start, length int64) bool {
			if kind != "EXIF" {
				return true
			}
			if length > 6 && string(p.bytes(start, 6)) == "Exif\x00\x00" {
				start, length = start+6, length-6
			}
			p.exif(&h, start, length)
			return false
		})
	default:
		p.fail("unknown WebP chunk")
	}
	return h
}

// webpFrame takes the size of the first frame of an animated file, since that is what is shown.
func (p *headerReader) webpFrame(h *Header) {
	p.webpChunks(func(kind string, at, _ int64) bool {
		if kind != "ANMF" {
			return true
		}
		size := p.bytes(at+6, 6)
		h.Width = 1 + (int(size[0]) | int(size[1])<<8 | int(size[2])<<16)
		h.Height = 1 + (int(size[3]) | int(size[4])<<8 | int(size[5])<<16)
		return false
	})
}

// webpChunks hands the chunks of a file to use, with the place of their data, until that returns false.
func (p *headerReader) webpChunks(use func(kind string, at, length int64) bool) {
	for at := int64(12); at+8 <= p.size && p.err == nil && p.reads < maxReads/2; {
		length, kind := int64(p.num(at+4, 4, binary.LittleEndian)), string(p.bytes(at, 4))
		if !use(kind, at+8, length) {
			return
		}
		at += 8 + length + length&1
	}
}

// jp2 looks for the image header box, inside the header box (ISO 15444-1, annex I).
func (p *headerReader) jp2() (h Header) {
	h.MediaType = JP2
	for at := int64(12); p.err == nil; {
		kind, head, length := p.box(at)
		switch kind {
		case "jp2h":
			at += head // its boxes come next
			continue
		case "ihdr":
			h.Height, h.Width = int(p.num(at+head, 4, binary.BigEndian)), int(p.num(at+head+4, 4, binary.BigEndian))
			return h
		case "jp2c":
			return p.codestream(at + head)
		}
		if length < head {
			p.fail("box of %d bytes", length)
		}
		at += length
	}
	return h
}

// box reads the beginning of a box (ISO 14496-12, 4.2), which has so many bytes, and the length of the whole; 0 is up to the end.
func (p *headerReader) box(at int64) (kind string, head, length int64) {
	length, head, kind = int64(p.num(at, 4, binary.BigEndian)), 8, string(p.bytes(at+4, 4))
	if length == 1 {
		length, head = int64(p.num(at+8, 8, binary.BigEndian)), 16
	}
	return kind, head, length
}

// codestream reads the SIZ marker of a JPEG 2000 codestream (ISO 15444-1, A.5.1).
func (p *headerReader) codestream(at int64) (h Header) {
	h.MediaType = JP2
	if p.num(at+2, 2, binary.BigEndian) != 0xff51 {
		p.fail("no SIZ marker")
	}
	h.Width = int(p.num(at+8, 4, binary.BigEndian)) - int(p.num(at+16, 4, binary.BigEndian))
	h.Height = int(p.num(at+12, 4, binary.BigEndian)) - int(p.num(at+20, 4, binary.BigEndian))
	return h
}

// pnm reads the numbers of a PBM, PGM, PPM or PAM header, between which comments may stand.
func (p *headerReader) pnm() (h Header) {
	h.MediaType = PNM
	text := p.bytes(0, int(min(p.size, 4096)))
	if text[1] == '7' {
		for line := range bytes.Lines(text) {
			if bytes.HasPrefix(line, []byte("ENDHDR")) {
				return h
			}
			_, _ = fmt.Sscanf(string(line), "WIDTH %d", &h.Width)
			_, _ = fmt.Sscanf(string(line), "HEIGHT %d", &h.Height)
		}
		p.fail("no end of the PAM header")
		return h
	}
	numbers := 0
	for at := 2; at < len(text) && numbers < 2; {
		switch c := text[at]; {
		case c == '#':
			for at < len(text) && text[at] != '\n' {
				at++
			}
		case c >= '0' && c <= '9':
			n := 0
			for at < len(text) && text[at] >= '0' && text[at] <= '9' && n < 1e9 {
				n = n*10 + int(text[at]-'0')
				at++
			}
			if numbers == 0 {
				h.Width = n
			} else {
				h.Height = n
			}
			numbers++
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			at++
		default:
			p.fail("unexpected byte in the PNM header")
			return h
		}
	}
	return h
}

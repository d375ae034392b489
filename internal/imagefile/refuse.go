package imagefile

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"glyphbox/internal/domain/fault"
)

// formats are the formats that are read, with their names for people.
var formats = []struct{ mediaType, name string }{
	{JPEG, "JPEG"}, {PNG, "PNG"}, {GIF, "GIF"}, {BMP, "BMP"}, {TIFF, "TIFF"}, {WebP, "WebP"}, {JP2, "JPEG 2000"}, {PNM, "PNM"},
	{HEIC, "HEIC"}, {AVIF, "AVIF"}, {PDF, "PDF"},
}

// names has the names by media type, and supported is a sentence with all of them.
var names, supported = func() (map[string]string, string) {
	byType, all := map[string]string{}, []string{}
	for _, f := range formats {
		byType[f.mediaType], all = f.name, append(all, f.name)
	}
	return byType, "Supported: " + strings.Join(all, ", ") + "."
}()

func unsupported(format string, args ...any) *fault.Fault {
	return fault.New(fault.Unsupported, "unsupported_image", format, args...)
}

func cutOff(mediaType string) *fault.Fault {
	return unsupported("The %s file is incomplete.", names[mediaType])
}

func damaged(mediaType string) *fault.Fault {
	return unsupported("The %s file is damaged.", names[mediaType])
}

func variantOf(mediaType string, variant VariantError) *fault.Fault {
	return unsupported("This variant of %s is not supported: %s.", names[mediaType], variant)
}

// foreignFormats are formats that are not read, by what their files have at an offset.
var foreignFormats = []struct {
	at          int
	magic, name string
}{
	{4, "ftyp", "MP4 or QuickTime"}, {0, "8BPS", "Photoshop"}, {0, "AT&TFORM", "DjVu"},
	{0, "\x00\x00\x01\x00", "icon"}, {0, "\xff\x0a", "JPEG XL"}, {0, "\x00\x00\x00\x0cJXL ", "JPEG XL"}, {0, "\x76\x2f\x31\x01", "OpenEXR"},
	{0, "%!PS", "PostScript"},
	{0, "<svg", "SVG"}, {0, "<!DOCTYPE html", "HTML"}, {0, "<html", "HTML"}, {0, "<?xml", "XML or SVG"},
	{0, "II*\x00\x10\x00\x00\x00CR", "camera raw"},
}

// foreign says what a file is whose format is not read.
func foreign(r io.ReaderAt, size int64) *fault.Fault {
	start := make([]byte, min(64, size))
	n, err := r.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return unsupported("The file cannot be read.")
	}
	if name := officeFormat(r, size, start[:n]); name != "" {
		return unsupported("This is %s. Save it as PDF first.", name)
	}
	start = bytes.TrimPrefix(start[:n], []byte("\xef\xbb\xbf"))
	for _, f := range foreignFormats {
		if len(start) > f.at && bytes.HasPrefix(start[f.at:], []byte(f.magic)) {
			return unsupported("The format %s is not supported. %s", f.name, supported)
		}
	}
	return unsupported("Unsupported file. %s", supported)
}

// A VariantError says of what variant a file is that no decoder here reads: "floating-point numbers for shades".
type VariantError string

// Error names the variant.
func (e VariantError) Error() string { return string(e) }

// Undecodable returns the fault of a file whose header could be read and whose pixels could not: it is cut off, of a variant that is not
// read, or damaged. The cause may be a VariantError.
func Undecodable(data []byte, h Header, cause error) error {
	variant, isVariant := errors.AsType[VariantError](cause)
	if h.MediaType == JP2 && isDeep(data) {
		variant, isVariant = "more than 8 bits for a colour", true
	}
	switch {
	case isVariant:
		return variantOf(h.MediaType, variant).Because(cause)
	case endsEarly(data, h.MediaType):
		return cutOff(h.MediaType).Because(cause)
	}
	return damaged(h.MediaType).Because(cause)
}

// endsEarly tells whether a file lacks the end that its format has.
func endsEarly(data []byte, mediaType string) bool {
	switch mediaType {
	case PNG:
		end := bytes.LastIndex(data, []byte("IEND"))
		return end < 0 || end+8 > len(data) // a checksum follows
	case JPEG:
		return !bytes.Contains(data, []byte("\xff\xd9"))
	case GIF:
		return !bytes.HasSuffix(bytes.TrimRight(data, "\x00"), []byte(";"))
	case WebP:
		return int64(len(data)) < 8+int64(littleEndian(data, 4))
	case BMP:
		return int64(len(data)) < int64(littleEndian(data, 2))
	case TIFF:
		p, early := &headerReader{r: bytes.NewReader(data), size: int64(len(data))}, false
		p.directories(0, p.size, func(d directory) bool {
			early = d.data+d.length > uint64(p.size)
			return false
		})
		return early
	case HEIC, AVIF:
		p, last := &headerReader{r: bytes.NewReader(data), size: int64(len(data))}, int64(0)
		p.boxes(0, p.size, func(_ string, _, end int64) bool {
			last = end
			return true
		})
		return p.err != nil || last != p.size
	}
	return false
}

func littleEndian(data []byte, at int) uint32 {
	if at+4 > len(data) {
		return 0
	}
	return uint32(data[at]) | uint32(data[at+1])<<8 | uint32(data[at+2])<<16 | uint32(data[at+3])<<24
}

// isDeep tells whether a JPEG 2000 file has more than 8 bits for a colour (ISO 15444-1, A.5.1).
func isDeep(data []byte) bool {
	at := bytes.Index(data, []byte("\xff\x4f\xff\x51"))
	return at >= 0 && at+42 < len(data) && data[at+42]&0x7f > 7
}

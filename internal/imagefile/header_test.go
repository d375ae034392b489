package imagefile

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"image"
	"image/png"
	"strings"
	"testing"

	"glyphbox/internal/domain/fault"

	"github.com/google/go-cmp/cmp"
)

// bytesOf reads hexadecimal digits, among which white space does not count; "text" in quotes stands for itself.
func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(part), ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

// tiffEntries makes a little-endian TIFF directory of short values, at offset 8.
func tiffEntries(next uint32, tagsAndValues ...uint16) []byte {
	b := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), uint16(len(tagsAndValues)/2))
	for i := 0; i < len(tagsAndValues); i += 2 {
		b = binary.LittleEndian.AppendUint16(b, tagsAndValues[i])
		b = binary.LittleEndian.AppendUint16(b, 3)
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, uint32(tagsAndValues[i+1]))
	}
	return binary.LittleEndian.AppendUint32(b, next)
}

func TestHeaders(t *testing.T) {
	exif := string(tiffEntries(0, 274, 6))
	jpegExif := bytesOf(t, "ffd8 ffe1 0022")
	jpegExif = append(append(jpegExif, "Exif\x00\x00"+exif...), bytesOf(t, "ffc2 0011 08 0064 00c8 03 000000 000000 000000")...)
	for _, c := range []struct {
		name string
		file []byte
		want Header
	}{
		{"JPEG", bytesOf(t, "ffd8 ffe0 0004 0000 ffff c0 0011 08 0064 00c8 03 000000 000000 000000"), Header{JPEG, 200, 100, 1, 1}},
		{"JPEG with Exif", jpegExif, Header{JPEG, 200, 100, 6, 1}},
		{"PNG", bytesOf(t, `89 "PNG" 0d0a1a0a 0000000d "IHDR" 000000c8 00000064 0800000000 00000000`), Header{PNG, 200, 100, 1, 1}},
		{"PNG with Exif", append(bytesOf(t, `89 "PNG" 0d0a1a0a 0000000d "IHDR" 000000c8 00000064 0800000000 00000000 0000001a "eXIf"`), exif+"crc."...), Header{PNG, 200, 100, 6, 1}},
		{"GIF takes its first frame", bytesOf(t, `"GIF89a" ffff ffff 80 00 00 000000 ffffff 21 f9 04 00000000 00 2c 0000 0000 c800 6400`), Header{GIF, 200, 100, 1, 1}},
		{"BMP from the top", bytesOf(t, `"BM" 000000000000000000000000 28000000 c8000000 9cffffff`), Header{BMP, 200, 100, 1, 1}},
		{"BMP of OS/2", bytesOf(t, `"BM" 000000000000000000000000 0c000000 c800 6400`), Header{BMP, 200, 100, 1, 1}},
		{"TIFF", tiffEntries(0, 256, 200, 257, 100, 274, 8), Header{TIFF, 200, 100, 8, 1}},
		{"TIFF whose directories form a loop", tiffEntries(8, 256, 200, 257, 100), Header{TIFF, 200, 100, 1, 1}},
		{"TIFF whose second directory is cut off", tiffEntries(30, 256, 200, 257, 100), Header{TIFF, 200, 100, 1, 1}},
		{"big TIFF", bytesOf(t, `"II" 2b00 0800 0000 1000000000000000 0200000000000000
			0001 0400 0100000000000000 c800000000000000 0101 0400 0100000000000000 6400000000000000 0000000000000000`), Header{TIFF, 200, 100, 1, 1}},
		{"WebP, lossy", bytesOf(t, `"RIFF" 00000000 "WEBPVP8 " 00000000 000000 9d012a c800 6400`), Header{WebP, 200, 100, 1, 1}},
		{"WebP, lossless", bytesOf(t, `"RIFF" 00000000 "WEBPVP8L" 00000000 2f c7c01800`), Header{WebP, 200, 100, 1, 1}},
		{"WebP, extended, with Exif", append(bytesOf(t, `"RIFF" 00000000 "WEBPVP8X" 0a000000 08 000000 c70000 630000 "EXIF" 1a000000`), exif...), Header{WebP, 200, 100, 6, 1}},
		{"JP2", bytesOf(t, `0000000c "jP  " 0d0a870a 00000008 "free" 0000002d "jp2h" 00000016 "ihdr" 00000064 000000c8 000000000000`), Header{JP2, 200, 100, 1, 1}},
		{"JPEG 2000 codestream", bytesOf(t, "ff4f ff51 0029 0000 000000d2 0000006e 0000000a 0000000a"), Header{JP2, 200, 100, 1, 1}},
		{"PGM with comments", []byte("P5\n# 7 7\n200 # wide\n100\n255\n"), Header{PNM, 200, 100, 1, 1}},
		{"PAM", []byte("P7\nWIDTH 200\nHEIGHT 100\nDEPTH 1\nENDHDR\n"), Header{PNM, 200, 100, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadHeader(bytes.NewReader(c.file), int64(len(c.file)), 1e6)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if width, height := got.Upright(); c.want.Orientation >= 5 && (width != 100 || height != 200) {
				t.Errorf("got %d × %d upright, want 100 × 200", width, height)
			}
			for _, most := range []int64{19_999, 20_000} {
				_, err := ReadHeader(bytes.NewReader(c.file), int64(len(c.file)), most)
				if refused := fault.Is(err, fault.TooLarge); refused != (most < 20_000) {
					t.Errorf("with at most %d pixels got error %v", most, err)
				}
			}
			for n := range len(c.file) - 1 { // cut off anywhere: an answer or Unsupported, nothing else
				if _, err := ReadHeader(bytes.NewReader(c.file[:n]), int64(n), 1e6); err != nil && !fault.Is(err, fault.Unsupported) {
					t.Errorf("cut off at %d: got %v", n, err)
				}
			}
		})
	}
}

func TestForeignFilesAreNamed(t *testing.T) {
	for file, want := range map[string]string{
		"%PDF-1.7\n":                       "PDF",
		"\x00\x00\x00\x18ftypheic\x00\x00": "HEIC",
		"\x00\x00\x00\x18ftypavif\x00\x00": "AVIF",
		"\xef\xbb\xbf<svg xmlns=":          "SVG",
		"PK\x03\x04\x14\x00":               "ZIP or office",
		"":                                 "The file is empty.",
		"just text":                        "Unsupported file. Supported: JPEG,",
		"\x89PNG\r\n\x1a\n":                "The PNG file ends too early: it is cut off.",
		"P5 0 7\n255\n":                    "The PNM file is damaged.",
	} {
		_, err := ReadHeader(strings.NewReader(file), int64(len(file)), 1e6)
		if f := fault.Of(err); f == nil || f.Kind != fault.Unsupported || f.Code != "unsupported_image" || !strings.Contains(f.Text, want) {
			t.Errorf("%q: got %v, want it to tell %q", file, err, want)
		}
	}
}

func FuzzHeader(f *testing.F) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add(tiffEntries(8, 256, 200, 257, 100))
	f.Add(bytesOf(f, `0000000c "jP  " 0d0a870a 00000001 "jp2h" 0000000000000016 "ihdr" 00000064 000000c8`))
	f.Add(bytesOf(f, `"RIFF" 00000000 "WEBPVP8X" 0a000000 08 000000 c70000 630000 "EXIF" ffffffff`))
	f.Add(bytesOf(f, "ffd8 ffe1 0022"))
	f.Add([]byte("P5\n# 7 7\n200 # wide\n100\n255\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := ReadHeader(bytes.NewReader(file), int64(len(file)), 1e8)
		switch {
		case err != nil && !fault.Is(err, fault.Unsupported) && !fault.Is(err, fault.TooLarge):
			t.Errorf("got %v", err)
		case err == nil && (h.Width < 1 || h.Height < 1 || int64(h.Width)*int64(h.Height) > 1e8 || h.Pages < 1 || h.Orientation < 1 || h.Orientation > 8):
			t.Errorf("got %+v", h)
		}
	})
}

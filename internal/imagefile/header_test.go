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
		{"JPEG", bytesOf(t, "ffd8 ffe0 0004 0000 ffff c0 0011 08 0064 00c8 03 000000 000000 000000"), Header{JPEG, 200, 100, 1, 1, 0, 0}},
		{"JPEG with Exif", jpegExif, Header{JPEG, 200, 100, 6, 1, 0, 0}},
		{"PNG", bytesOf(t, `89 "PNG" 0d0a1a0a 0000000d "IHDR" 000000c8 00000064 0800000000 00000000`), Header{PNG, 200, 100, 1, 1, 0, 0}},
		{"PNG with Exif", append(bytesOf(t, `89 "PNG" 0d0a1a0a 0000000d "IHDR" 000000c8 00000064 0800000000 00000000 0000001a "eXIf"`),
			exif+"crc."...), Header{PNG, 200, 100, 6, 1, 0, 0}},
		{"GIF takes its first frame", bytesOf(t, `"GIF89a" ffff ffff 80 00 00 000000 ffffff 21 f9 04 00000000 00 2c 0000 0000 c800 6400`),
			Header{GIF, 200, 100, 1, 1, 0, 0}},
		{"BMP from the top", bytesOf(t, `"BM" 000000000000000000000000 28000000 c8000000 9cffffff`), Header{BMP, 200, 100, 1, 1, 0, 0}},
		{"BMP of OS/2", bytesOf(t, `"BM" 000000000000000000000000 0c000000 c800 6400`), Header{BMP, 200, 100, 1, 1, 0, 0}},
		{"TIFF", tiffEntries(0, 256, 200, 257, 100, 274, 8), Header{TIFF, 200, 100, 8, 1, 0, 0}},
		{"TIFF whose directories form a loop", tiffEntries(8, 256, 200, 257, 100), Header{TIFF, 200, 100, 1, 1, 0, 0}},
		{"big TIFF", bytesOf(t, `"II" 2b00 0800 0000 1000000000000000 0200000000000000
			0001 0400 0100000000000000 c800000000000000
			0101 0400 0100000000000000 6400000000000000 0000000000000000`), Header{TIFF, 200, 100, 1, 1, 0, 0}},
		{"WebP, lossy", bytesOf(t, `"RIFF" 00000000 "WEBPVP8 " 00000000 000000 9d012a c800 6400`), Header{WebP, 200, 100, 1, 1, 0, 0}},
		{"WebP, lossless", bytesOf(t, `"RIFF" 00000000 "WEBPVP8L" 00000000 2f c7c01800`), Header{WebP, 200, 100, 1, 1, 0, 0}},
		{"WebP, extended, with Exif", append(bytesOf(t, `"RIFF" 00000000 "WEBPVP8X" 0a000000 08 000000 c70000 630000 "EXIF" 1a000000`),
			exif...), Header{WebP, 200, 100, 6, 1, 0, 0}},
		{"JP2", bytesOf(t, `0000000c "jP  " 0d0a870a 00000008 "free" 0000002d "jp2h" 00000016 "ihdr" 00000064 000000c8 000000000000`),
			Header{JP2, 200, 100, 1, 1, 0, 0}},
		{"JPEG 2000 codestream", bytesOf(t, "ff4f ff51 0029 0000 000000d2 0000006e 0000000a 0000000a"), Header{JP2, 200, 100, 1, 1, 0, 0}},
		{"PGM with comments", []byte("P5\n# 7 7\n200 # wide\n100\n255\n"), Header{PNM, 200, 100, 1, 1, 0, 0}},
		{"PAM", []byte("P7\nWIDTH 200\nHEIGHT 100\nDEPTH 1\nENDHDR\n"), Header{PNM, 200, 100, 1, 1, 0, 0}},
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
		"\x00\x00\x00\x18ftypheic\x00\x00": "The HEIC file is incomplete.",
		"\x00\x00\x00\x18ftypavif\x00\x00": "The AVIF file is incomplete.",
		"\xef\xbb\xbf<svg xmlns=":          "SVG",
		"PK\x03\x04\x14\x00":               "This is a ZIP archive or a document of an office program. Save it as PDF first.",
		"":                                 "The file is empty.",
		"just text":                        "Unsupported file. Supported: JPEG,",
		"\x89PNG\r\n\x1a\n":                "The PNG file is incomplete.",
		"P5 0 7\n255\n":                    "The PNM file is damaged.",
	} {
		_, err := ReadHeader(strings.NewReader(file), int64(len(file)), 1e6)
		if f := fault.Of(err); f == nil || f.Kind != fault.Unsupported || f.Code != "unsupported_image" || !strings.Contains(f.Text, want) {
			t.Errorf("%q: got %v, want it to tell %q", file, err, want)
		}
	}
}

// withRational is a TIFF of 200 × 100 pixels with a resolution of x by y hundredths of the unit.
func withRational(unit uint16, x, y uint32, orientation uint16) []byte {
	b := tiffEntries(0, 256, 200, 257, 100, 274, orientation, 282, 0, 283, 0, 296, unit)
	for i, v := range []uint32{x, y} {
		entry := 10 + 12*(3+i)
		binary.LittleEndian.PutUint16(b[entry+2:], 5)
		binary.LittleEndian.PutUint32(b[entry+8:], uint32(len(b)))
		b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, v), 100)
	}
	return b
}

func TestResolution(t *testing.T) {
	jfif := func(unitXY string) []byte {
		return bytesOf(t, `ffd8 ffe0 0010 "JFIF" 00 0102 `+unitXY+` 0000 ffc0 0011 08 0064 00c8 03 000000 000000 000000`)
	}
	exif := func(tiff []byte) []byte {
		b := append(bytesOf(t, "ffd8 ffe1"), byte((len(tiff)+8)>>8), byte(len(tiff)+8))
		return append(append(append(b, "Exif\x00\x00"...), tiff...), bytesOf(t, "ffc0 0011 08 0064 00c8 03 000000 000000 000000")...)
	}
	phys := func(xyUnit string) []byte {
		return bytesOf(t, `89 "PNG" 0d0a1a0a 0000000d "IHDR" 000000c8 00000064 0800000000 00000000 00000009 "pHYs" `+
			xyUnit+` 00000000 00000000 "IDAT"`)
	}
	broken := withRational(2, 15000, 15000, 1)
	for name, c := range map[string]struct {
		file []byte
		want int
	}{
		"JFIF, inches":                   {jfif("01 0096 0096"), 150},
		"JFIF, centimeters":              {jfif("02 0076 0076"), 300},
		"JFIF, only proportions":         {jfif("00 0001 0001"), 0},
		"JFIF goes before Exif":          {append(jfif("01 0096 0096")[:20], exif(withRational(2, 7200, 7200, 1))[2:]...), 150},
		"Exif":                           {exif(withRational(2, 20000, 20000, 1)), 200},
		"Exif, centimeters":              {exif(withRational(3, 11811, 11811, 1)), 300},
		"Exif, turned":                   {exif(withRational(2, 20000, 10000, 6)), 100},
		"PNG":                            {phys("0000171200001712 01"), 150},
		"PNG, only proportions":          {phys("0000000100000001 00"), 0},
		"TIFF":                           {withRational(2, 15000, 15000, 1), 150},
		"TIFF, a fax":                    {withRational(2, 20400, 9800, 1), 204},
		"TIFF, a fax that is turned":     {withRational(2, 20400, 9800, 6), 98},
		"TIFF, centimeters":              {withRational(3, 5906, 5906, 1), 150},
		"TIFF without unit":              {withRational(1, 100, 100, 1), 0},
		"TIFF, nothing":                  {withRational(2, 0, 0, 1), 0},
		"TIFF, more than there can be":   {withRational(2, 1<<31, 1<<31, 1), 0},
		"TIFF whose numbers are cut off": {broken[:len(broken)-10], 0},
		"BMP": {bytesOf(t,
			`"BM" 000000000000000000000000 28000000 c8000000 64000000 0100 1800 00000000 00000000 12170000 12170000 00000000 00000000`),
			150},
		"BMP, nothing": {bytesOf(t,
			`"BM" 000000000000000000000000 28000000 c8000000 64000000 0100 1800 00000000 00000000 00000000 00000000 00000000 00000000`), 0},
		"BMP of OS/2": {bytesOf(t, `"BM" 000000000000000000000000 0c000000 c800 6400`), 0},
	} {
		h, err := ReadHeader(bytes.NewReader(c.file), int64(len(c.file)), 1e6)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := h.DPI(); got != c.want {
			t.Errorf("%s: got %d dpi, want %d", name, got, c.want)
		}
		if h.Width != 200 || h.Height != 100 {
			t.Errorf("%s: got %d × %d pixels", name, h.Width, h.Height)
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
	f.Add(withRational(2, 15000, 15000, 6))
	f.Add(tiffPages(binary.LittleEndian, []uint16{256, 200, 257, 100}, []uint16{256, 30, 257, 40, 274, 6}))
	f.Add(tiles().bytes())
	f.Add(be(still(ispe(200, 100), clap(20, 10)).bytes(), film(3)))
	f.Add([]byte("\xef\xbb\xbf%PDF-1.7"))
	f.Add([]byte("P5\n# 7 7\n200 # wide\n100\n255\n"))
	f.Add(bytesOf(f, `"GIF89a" 01000100 80 00 00 000000 ffffff 2c 0000 0000 0100 0100 00 02 02 4401 00 2c 0000 0000 0100 0100 00 02 00 3b`))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := ReadHeader(bytes.NewReader(file), int64(len(file)), 1e8)
		switch {
		case err != nil && !fault.Is(err, fault.Unsupported) && !fault.Is(err, fault.TooLarge):
			t.Errorf("got %v", err)
		case err == nil && (h.Width < 1 || h.Height < 1 || int64(h.Width)*int64(h.Height) > 1e8 || h.Pages < 1 || h.Orientation < 1 ||
			h.Orientation > 8):
			t.Errorf("got %+v", h)
		}
		if pdf := IsPDF(bytes.NewReader(file), int64(len(file))); err != nil || pdf {
			if pdf && err == nil {
				t.Error("it is an image and a PDF file")
			}
			return
		}
		if n := Frames(bytes.NewReader(file), int64(len(file)), h); n < 0 || n == 1 {
			t.Errorf("got %d frames", n)
		}
		for i, page := range ReadPages(bytes.NewReader(file), int64(len(file)), 1e8, h) {
			_, got, err := Page(bytes.Clone(file), i+1, h, 1e8)
			if i < 20 && ((err == nil) != (page.Err == nil) || err == nil && got != page.Header && i > 0) {
				t.Errorf("page %d: got %+v, %v, want %+v, %v", i+1, got, err, page.Header, page.Err)
			}
		}
	})
}

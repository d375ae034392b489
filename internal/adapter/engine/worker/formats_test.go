package worker

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/jsummers/gobmp"
	"golang.org/x/image/tiff"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/imagefile"
)

// The picture of these tests is white with a black mark of 10 × 10 pixels at its top left corner.
const (
	pictureWidth  = 30
	pictureHeight = 20
	markSide      = 10
)

func picture() *image.Gray {
	m := image.NewGray(image.Rect(0, 0, pictureWidth, pictureHeight))
	for y := range pictureHeight {
		for x := range pictureWidth {
			if m.Pix[y*m.Stride+x] = 255; x < markSide && y < markSide {
				m.Pix[y*m.Stride+x] = 0
			}
		}
	}
	return m
}

// maxPixels is of a page in these tests.
const maxPixels = 1_000_000

func decodeFile(t *testing.T, file []byte) (*pix, error) {
	t.Helper()
	h, err := imagefile.ReadHeader(bytes.NewReader(file), int64(len(file)), 1e6)
	if err != nil {
		return nil, err
	}
	return decode(file, h, 1, maxPixels, nil)
}

// shadeAt is the mean shade of a square of 2 × 2 pixels.
func shadeAt(t *testing.T, p *pix, x, y int) int {
	t.Helper()
	cut, err := p.gray(document.Box{X1: x, Y1: y, X2: x + 2, Y2: y + 2})
	if err != nil {
		t.Fatal(err)
	}
	defer cut.close()
	sum := 0
	for shade, n := range cut.histogram() {
		sum += shade * n
	}
	return sum / 4
}

// wantMark checks that the decoded picture has its mark in a corner, and white in all others.
func wantMark(t *testing.T, p *pix, where string) {
	t.Helper()
	for name, at := range map[string]image.Point{
		"top left": {}, "top right": {p.width() - 2, 0}, "bottom left": {0, p.height() - 2},
		"bottom right": {p.width() - 2, p.height() - 2},
	} {
		shade := shadeAt(t, p, at.X, at.Y)
		if marked := shade < 64; marked != (name == where) || !marked && shade < 192 {
			t.Errorf("the shade %s is %d, and the mark is to be %s of %d × %d", name, shade, where, p.width(), p.height())
		}
	}
}

var corners = map[int]string{1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left", 5: "top left", 6: "top right",
	7: "bottom right", 8: "bottom left"}

// grayTIFF is an uncompressed TIFF of one strip.
func grayTIFF(m *image.Gray, orientation uint16) []byte {
	pixels := m.Pix
	at := 8
	file := append(binary.LittleEndian.AppendUint32([]byte("II*\x00"), uint32(at+len(pixels))), pixels...)
	entries := []uint16{256, uint16(m.Rect.Dx()), 257, uint16(m.Rect.Dy()), 258, 8, 259, 1, 262, 1, 273, uint16(at), 274, orientation, 277,
		1,
		278, uint16(m.Rect.Dy()), 279, uint16(len(pixels))}
	file = binary.LittleEndian.AppendUint16(file, uint16(len(entries)/2))
	for i := 0; i < len(entries); i += 2 {
		file = binary.LittleEndian.AppendUint16(file, entries[i])
		file = binary.LittleEndian.AppendUint16(file, 3)
		file = binary.LittleEndian.AppendUint32(file, 1)
		file = binary.LittleEndian.AppendUint32(file, uint32(entries[i+1]))
	}
	return append(file, 0, 0, 0, 0)
}

func TestOrientationsOfTIFF(t *testing.T) {
	for orientation, corner := range corners {
		p, err := decodeFile(t, grayTIFF(picture(), uint16(orientation)))
		if err != nil {
			t.Errorf("orientation %d: %v", orientation, err)
			continue
		}
		if turned := p.width() == pictureHeight; turned != (orientation >= 5) {
			t.Errorf("orientation %d: got %d × %d", orientation, p.width(), p.height())
		}
		wantMark(t, p, corner)
		p.close()
	}
}

// transparentPNG is a gray PNG of that depth whose white is declared transparent.
func transparentPNG(m *image.Gray, depth int) []byte {
	var rows bytes.Buffer
	for y := range m.Rect.Dy() {
		rows.WriteByte(0)
		var held, bits uint
		for x := range m.Rect.Dx() {
			value := uint(m.Pix[y*m.Stride+x]) * (1<<depth - 1) / 255
			held, bits = held<<depth|value, bits+uint(depth)
			for ; bits >= 8; bits -= 8 {
				rows.WriteByte(byte(held >> (bits - 8)))
			}
		}
		if bits > 0 {
			rows.WriteByte(byte(held << (8 - bits)))
		}
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(rows.Bytes())
	_ = z.Close()
	file := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
		body := append([]byte(kind), data...)
		file = binary.BigEndian.AppendUint32(append(file, body...), crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(m.Rect.Dx()))
	header = binary.BigEndian.AppendUint32(header, uint32(m.Rect.Dy()))
	chunk("IHDR", append(header, byte(depth), 0, 0, 0, 0))
	chunk("tRNS", binary.BigEndian.AppendUint16(nil, 1<<depth-1))
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return file
}

func TestGrayPNGWithATransparentShade(t *testing.T) {
	for _, depth := range []int{1, 2, 4, 8, 16} {
		p, err := decodeFile(t, transparentPNG(picture(), depth))
		if err != nil {
			t.Errorf("depth %d: %v", depth, err)
			continue
		}
		wantMark(t, p, "top left")
		p.close()
	}
}

// 16-bit images that use a small part of their range are spread over all of it; what is only noise is not.
func TestNarrowRanges(t *testing.T) {
	for _, c := range []struct{ dark, light uint16 }{{0, 1023}, {0, 4095}, {30000, 33000}, {100, 300}, {0, 65535}, {5000, 60000}} {
		gray := image.NewGray16(image.Rect(0, 0, pictureWidth, pictureHeight))
		colour := image.NewNRGBA64(gray.Rect)
		for y := range pictureHeight {
			for x := range pictureWidth {
				v := c.light
				if x < markSide && y < markSide {
					v = c.dark
				}
				gray.SetGray16(x, y, color.Gray16{Y: v})
				colour.SetNRGBA64(x, y, color.NRGBA64{R: v, G: v, B: v, A: 65535})
			}
		}
		for _, m := range []image.Image{gray, colour} {
			var file bytes.Buffer
			if err := png.Encode(&file, m); err != nil {
				t.Fatal(err)
			}
			p, err := decodeFile(t, file.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			wantMark(t, p, "top left")
			p.close()
		}
	}
	if shade := to8Bits(40000, 40050); shade(40000) != shade(40050) {
		t.Error("noise was spread")
	}
}

func TestPNMOfAnyMaximum(t *testing.T) {
	m := picture()
	for _, most := range []int{1, 3, 100, 254, 255, 256, 1023, 65535} {
		for kind, samples := range map[int]int{2: 1, 3: 3, 5: 1, 6: 3} {
			var file bytes.Buffer
			fmt.Fprintf(&file, "P%d\n# made here\n%d %d\n%d\n", kind, pictureWidth, pictureHeight, most)
			for _, shade := range m.Pix {
				for range samples {
					switch v := int(shade) * most / 255; {
					case kind < 4:
						fmt.Fprintf(&file, "%d ", v)
					case most > 255:
						file.Write([]byte{byte(v >> 8), byte(v)})
					default:
						file.WriteByte(byte(v))
					}
				}
			}
			p, err := decodeFile(t, file.Bytes())
			if err != nil {
				t.Errorf("P%d with a maximum of %d: %v", kind, most, err)
				continue
			}
			wantMark(t, p, "top left")
			p.close()
		}
	}
}

// White on transparent white: only the transparency shows what is there.
func TestTransparencyThatIsAllThereIs(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, pictureWidth, pictureHeight))
	for y := range pictureHeight {
		for x := range pictureWidth {
			c := color.NRGBA{255, 255, 255, 0}
			if x < markSide && y < markSide {
				c.A = 255
			}
			m.SetNRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	p, err := decodeFile(t, file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	wantMark(t, p, "top left")
}

// Files that end anywhere are read as far as they go, or refused as what they are.
func TestCutFiles(t *testing.T) {
	quietLeptonica()
	var pngFile, jpegFile, gifFile, bmpFile, tiffFile bytes.Buffer
	m := picture()
	paletted := image.NewPaletted(m.Rect, color.Palette{color.Black, color.White})
	for i, shade := range m.Pix {
		paletted.Pix[i] = shade & 1
	}
	for _, err := range []error{png.Encode(&pngFile, m), jpeg.Encode(&jpegFile, m, nil), gif.Encode(&gifFile, paletted, nil),
		gobmp.Encode(&bmpFile, m), tiff.Encode(&tiffFile, m, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, file := range map[string][]byte{"PNG": pngFile.Bytes(), "JPEG": jpegFile.Bytes(), "GIF": gifFile.Bytes(),
		"BMP": bmpFile.Bytes(), "TIFF": tiffFile.Bytes()} {
		p, err := decodeFile(t, file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantMark(t, p, "top left")
		p.close()
		for n := range file {
			p, err := decodeFile(t, file[:n])
			f := fault.Of(err)
			switch {
			case err == nil:
				p.close()
			case f.Kind != fault.Unsupported:
				t.Errorf("%s of %d bytes: %v", name, n, err)
			case n == 0 && f.Text != "The file is empty.":
				t.Errorf("no bytes: %q", f.Text)
			case n >= 16 && f.Text != "The "+name+" file is incomplete.":
				t.Errorf("%s of %d bytes: %q", name, n, f.Text)
			}
		}
	}
}

// A TIFF whose compression nobody knows is refused, and is no white page.
func TestUnknownCompressions(t *testing.T) {
	var colours bytes.Buffer
	if err := tiff.Encode(&colours, image.NewRGBA(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	if p, err := decodeFile(t, colours.Bytes()); err != nil {
		t.Error(err)
	} else {
		p.close()
	}
	known := []byte{3, 1, 3, 0, 1, 0, 0, 0, 1, 0} // tag 259, a number of two bytes, 1
	if bytes.Count(colours.Bytes(), known) != 1 {
		t.Fatal("the compression is not where it was")
	}
	for _, n := range []uint16{0, 9, 34, 9999, 29999, 34712, 65535} {
		_, err := decodeFile(t, bytes.Replace(colours.Bytes(), known, binary.LittleEndian.AppendUint16(known[:8:8], n), 1))
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Unsupported || !strings.Contains(f.Text, fmt.Sprint("the compression with number ", n)) {
			t.Errorf("%d: got %v", n, err)
		}
	}
}

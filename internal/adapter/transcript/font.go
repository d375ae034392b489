package transcript

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"glyphbox/internal/adapter/transcript/protocol"
)

// The only glyph of the font, in thousandths of its size: as wide as half its height, a fifth of which is below the baseline.
const (
	glyphWidth = 500
	ascent     = 800
	descent    = -200
)

// glyphless is a TrueType font in which nothing can be seen: glyphs 0 and 1 have a width and no outline. Viewers measure text by
// it, and it works in every script, since the document says which character each glyph stands for.
var glyphless = makeFont()

func makeFont() []byte {
	tables := []struct {
		tag  string
		data []byte
	}{ // in the order of the tags
		{"glyf", words(0, 0)}, // some readers take an empty table for a missing one
		{"head", words(1, 0, 1, 0, 0, 0, 0x5F0F, 0x3CF5, 0, 1000, 0, 0, 0, 0, 0, 0, 0, 0, 0, descent, glyphWidth, ascent, 0, 8, 2, 0, 0)},
		{"hhea", words(1, 0, ascent, descent, 0, glyphWidth, 0, 0, glyphWidth, 1, 0, 0, 0, 0, 0, 0, 0, 1)},
		{"hmtx", words(glyphWidth, 0, 0)},
		{"loca", words(0, 0, 0)},
		{"maxp", words(1, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)},
	}
	n := len(tables)
	power := 1
	for 2*power <= n {
		power *= 2
	}
	font := words(1, 0, n, 16*power, int(math.Log2(float64(power))), 16*(n-power))
	at, head := len(font)+16*n, 0
	var body []byte
	for _, t := range tables {
		font = append(font, t.tag...)
		for _, v := range []uint32{checksum(t.data), uint32(at + len(body)), uint32(len(t.data))} {
			font = binary.BigEndian.AppendUint32(font, v)
		}
		if t.tag == "head" {
			head = at + len(body)
		}
		body = append(body, t.data...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	font = append(font, body...)
	binary.BigEndian.PutUint32(font[head+8:], 0xB1B0AFBA-checksum(font))
	return font
}

// fontParts is how many objects a font is in a PDF.
const fontParts = 6

// fontObjects are the objects of the font in a PDF, the first one being the font itself, which knows the characters with these codes.
func fontObjects(codes *codes) [fontParts]protocol.Object {
	glyphs := append([]byte{0, 0}, bytes.Repeat([]byte{0, 1}, len(codes.runes))...)
	return [fontParts]protocol.Object{
		{Dict: "<< /Type /Font /Subtype /Type0 /BaseFont /Glyphless /Encoding /Identity-H /DescendantFonts [{1}] /ToUnicode {5} >>"},
		{Dict: fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Glyphless /CIDSystemInfo << /Registry (Adobe) /Ordering "+
			"(Identity) /Supplement 0 >> "+
			"/FontDescriptor {2} /DW %d /CIDToGIDMap {4} >>", glyphWidth)},
		{Dict: fmt.Sprintf("<< /Type /FontDescriptor /FontName /Glyphless /Flags 4 /FontBBox [0 %d %d %d] /ItalicAngle 0 /Ascent %d "+
			"/Descent %d /CapHeight %d "+
			"/StemV 80 /FontFile2 {3} >>", descent, glyphWidth, ascent, ascent, descent, ascent)},
		{Dict: fmt.Sprintf("<< /Filter /FlateDecode /Length1 %d >>", len(glyphless)), Data: protocol.Deflated(glyphless)},
		{Dict: "<< /Filter /FlateDecode >>", Data: protocol.Deflated(glyphs)},
		{Dict: "<< /Filter /FlateDecode >>", Data: protocol.Deflated(toUnicode(codes.runes))},
	}
}

// words are 16-bit numbers as they stand in a font.
func words(values ...int) []byte {
	var b bytes.Buffer
	for _, v := range values {
		b.Write([]byte{byte(v >> 8), byte(v)})
	}
	return b.Bytes()
}

func checksum(data []byte) (sum uint32) {
	data = append(bytes.Clone(data), make([]byte, -len(data)&3)...)
	for ; len(data) > 0; data = data[4:] {
		sum += binary.BigEndian.Uint32(data)
	}
	return sum
}

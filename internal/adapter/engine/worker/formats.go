package worker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"

	"github.com/jsummers/gobmp"
	"golang.org/x/image/tiff"

	"glyphbox/internal/imagefile"
)

// decodeInGo decodes files that Leptonica reads wrongly or not at all, and returns nil for others. If a decoder panics, only that file
// fails.
func decodeInGo(data []byte, h imagefile.Header) (m image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("the decoder panicked: %v", p)
		}
	}()
	switch h.MediaType {
	case imagefile.BMP:
		return gobmp.Decode(bytes.NewReader(data))
	case imagefile.PNG:
		if len(data) < 26 {
			return nil, errors.New("the header is cut off")
		}
		if depth, kind := data[24], data[25]; depth == 16 || kind != 3 && hasTransparentShade(data) {
			return png.Decode(bytes.NewReader(data))
		}
	case imagefile.PNM:
		return oddPNM(data, h)
	case imagefile.TIFF:
		return oddTIFF(data)
	}
	return nil, nil
}

// hasTransparentShade tells whether a PNG names a shade or a colour that is transparent, in a tRNS chunk, which comes before the pixels.
func hasTransparentShade(data []byte) bool {
	end := bytes.Index(data, []byte("IDAT"))
	return end >= 0 && bytes.Contains(data[:end], []byte("tRNS"))
}

// oddPNM decodes a PGM or PPM whose maximum is neither 255 nor 65,535, scaled to the full range; nil for others (netpbm: pgm(5), ppm(5)).
func oddPNM(data []byte, h imagefile.Header) (image.Image, error) {
	kind := data[1]
	if kind != '2' && kind != '3' && kind != '5' && kind != '6' {
		return nil, nil
	}
	at, most := 2, 0
	number := func() (n int) { // the next one, after white space and comments
		for at < len(data) && (data[at] < '0' || data[at] > '9') {
			if data[at] == '#' {
				for at < len(data) && data[at] != '\n' {
					at++
				}
				continue
			}
			at++
		}
		for ; at < len(data) && data[at] >= '0' && data[at] <= '9' && n <= 65535; at++ {
			n = 10*n + int(data[at]-'0')
		}
		return n
	}
	for range 2 {
		number() // width and height, which the header has
	}
	if most = number(); most == 65535 || most == 255 && kind != '5' {
		return nil, nil
	}
	if pixels := h.Width * h.Height; most == 255 && len(data)-at-1 >= pixels { // as pages of PDF files are: Leptonica reads byte by byte
		return &image.Gray{Pix: data[at+1:][:pixels], Stride: h.Width, Rect: image.Rect(0, 0, h.Width, h.Height)}, nil
	}
	if most < 1 || most > 65535 {
		return nil, fmt.Errorf("PNM with a maximum of %d", most)
	}
	at++ // one white space
	size := 1
	if most > 255 {
		size = 2
	}
	sample := func() uint8 {
		var v int
		switch {
		case kind <= '3':
			v = number()
		case at+size > len(data):
		case size == 1:
			v = int(data[at])
		default:
			v = int(binary.BigEndian.Uint16(data[at:]))
		}
		if kind > '3' {
			at += size
		}
		return uint8((min(v, most)*255 + most/2) / most)
	}
	if kind == '2' || kind == '5' {
		m := image.NewGray(image.Rect(0, 0, h.Width, h.Height))
		for i := range m.Pix {
			m.Pix[i] = sample()
		}
		return m, checkLength(at, data)
	}
	m := image.NewNRGBA(image.Rect(0, 0, h.Width, h.Height))
	for i := range m.Pix {
		if m.Pix[i] = 255; i%4 < 3 {
			m.Pix[i] = sample()
		}
	}
	return m, checkLength(at, data)
}

func checkLength(at int, data []byte) error {
	if at > len(data) {
		return errors.New("the pixels end too early")
	}
	return nil
}

// Tags of TIFF (TIFF 6.0).
const (
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagStripOffsets    = 273
	tagSamplesPerPixel = 277
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagExtraSamples    = 338
	tagSampleFormat    = 339
)

// readCompressions are those that Leptonica's libtiff may know: the specification's, and CCITT RLEW, PackBits, ThunderScan, Deflate, LZMA,
// Zstandard, WebP. Whether it knows one shows when it decodes. It decodes others to a white page.
var readCompressions = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34925, 50000, 50001}

// oddTIFF decodes a classic TIFF that is tiled, or has a plane for each colour; nil for others.
func oddTIFF(data []byte) (image.Image, error) {
	if len(data) < 8 || data[2] == 43 || data[3] == 43 { // big
		return nil, nil
	}
	d := &directory{data: data, order: binary.LittleEndian}
	if data[0] == 'M' {
		d.order = binary.BigEndian
	}
	if err := d.read(); err != nil {
		return nil, err
	}
	switch {
	case d.value(tagSampleFormat, 0, 1) == 3:
		return nil, imagefile.VariantError("floating-point numbers for shades")
	case !slices.Contains(readCompressions, d.value(tagCompression, 0, 1)):
		return nil, imagefile.VariantError(fmt.Sprintf("the compression with number %d", d.value(tagCompression, 0, 1)))
	case d.value(tagPlanar, 0, 1) == 2 && d.value(tagSamplesPerPixel, 0, 1) > 1:
		return d.planes()
	case d.has(tagTileOffsets):
		return tiff.Decode(bytes.NewReader(data))
	}
	return nil, nil
}

// directory is the first directory of a classic TIFF.
type directory struct {
	data  []byte
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	entries []entry
}

type entry struct {
	tag, kind uint16
	count     uint32
	values    []byte // as they are in the file; of kinds 1 to 4 only
}

func (d *directory) read() error {
	at := int64(d.order.Uint32(d.data[4:]))
	if at+2 > int64(len(d.data)) {
		return errors.New("no TIFF directory")
	}
	n := int64(d.order.Uint16(d.data[at:]))
	if at+2+12*n > int64(len(d.data)) {
		return errors.New("the TIFF directory is cut off")
	}
	for i := range n {
		b := d.data[at+2+12*i:]
		e := entry{tag: d.order.Uint16(b), kind: d.order.Uint16(b[2:]), count: d.order.Uint32(b[4:])}
		if e.kind >= 1 && e.kind <= 4 {
			e.values = b[8:12]
			if size := int64(e.count) * e.size(); size > 4 {
				from := int64(d.order.Uint32(b[8:]))
				if from+size > int64(len(d.data)) {
					return fmt.Errorf("TIFF tag %d reaches beyond the file", e.tag)
				}
				e.values = d.data[from : from+size]
			}
		}
		d.entries = append(d.entries, e)
	}
	return nil
}

func (e entry) size() int64 { return []int64{0, 1, 1, 2, 4}[e.kind] }

func (d *directory) find(tag uint16) *entry {
	for i := range d.entries {
		if d.entries[i].tag == tag && d.entries[i].values != nil {
			return &d.entries[i]
		}
	}
	return nil
}

func (d *directory) has(tag uint16) bool { return d.find(tag) != nil }

// value returns the value of a tag with that index, or else what stands for one that is not there.
func (d *directory) value(tag uint16, i int, missing uint32) uint32 {
	e := d.find(tag)
	if e == nil || i >= int(e.count) {
		return missing
	}
	switch at := e.values[int64(i)*e.size():]; e.kind {
	case 3:
		return uint32(d.order.Uint16(at))
	case 4:
		return d.order.Uint32(at)
	default:
		return uint32(at[0])
	}
}

// planes decodes each plane as a file of its own and puts them together.
func (d *directory) planes() (image.Image, error) {
	samples := int(d.value(tagSamplesPerPixel, 0, 1))
	if photometric := d.value(tagPhotometric, 0, 0); photometric > 2 || samples > 5 {
		return nil, imagefile.VariantError(fmt.Sprintf("planes of the colour space with number %d", photometric))
	}
	colours := min(samples, 3)
	if d.value(tagPhotometric, 0, 0) < 2 {
		colours = 1
	}
	var planes [3]image.Image
	for k := range colours {
		m, err := tiff.Decode(bytes.NewReader(d.plane(k, samples)))
		if err != nil {
			return nil, err
		}
		planes[k] = m
	}
	if colours < 3 {
		return planes[0], nil
	}
	m := image.NewNRGBA(planes[0].Bounds())
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			shade := func(k int) uint8 { return color.GrayModel.Convert(planes[k].At(x, y)).(color.Gray).Y }
			m.SetNRGBA(x, y, color.NRGBA{shade(0), shade(1), shade(2), 255})
		}
	}
	return m, nil
}

// plane returns a file of one plane in shades of gray: the whole file with another directory at its end.
func (d *directory) plane(k, samples int) []byte {
	file := append([]byte(nil), d.data...)
	file = append(file, make([]byte, len(file)%2)...)
	var entries []byte
	n := 0
	add := func(tag, kind uint16, count, value uint32) {
		entries = d.order.AppendUint16(entries, tag)
		entries = d.order.AppendUint16(entries, kind)
		entries = d.order.AppendUint32(entries, count)
		if kind == 3 && count == 1 {
			entries = d.order.AppendUint16(entries, uint16(value))
			entries = append(entries, 0, 0)
		} else {
			entries = d.order.AppendUint32(entries, value)
		}
		n++
	}
	for _, e := range d.entries {
		if e.values == nil {
			continue
		}
		switch e.tag {
		case tagExtraSamples, tagSampleFormat:
		case tagBitsPerSample, tagSamplesPerPixel, tagPhotometric, tagPlanar:
			first := d.value(e.tag, 0, 1)
			if e.tag != tagBitsPerSample && !(e.tag == tagPhotometric && first == 0) {
				first = 1
			}
			add(e.tag, 3, 1, first)
		case tagStripOffsets, tagStripByteCounts, tagTileOffsets, tagTileByteCounts:
			each := int(e.count) / samples
			if each == 1 {
				add(e.tag, 4, 1, d.value(e.tag, k, 0))
				continue
			}
			at := len(file)
			for i := range each {
				file = d.order.AppendUint32(file, d.value(e.tag, k*each+i, 0))
			}
			add(e.tag, 4, uint32(each), uint32(at))
		default:
			if e.count == 1 {
				add(e.tag, e.kind, 1, d.value(e.tag, 0, 0))
			}
		}
	}
	d.order.PutUint32(file[4:], uint32(len(file)))
	file = d.order.AppendUint16(file, uint16(n))
	return append(append(file, entries...), 0, 0, 0, 0)
}

// firstFrame returns the first frame of an animated WebP as a file of its own; other files as they are (RFC 9649, 2.7).
func firstFrame(data []byte) []byte {
	if len(data) < 30 || string(data[12:16]) != "VP8X" || data[20]&0x02 == 0 {
		return data
	}
	for at := int64(12); at+8 <= int64(len(data)); {
		length := int64(binary.LittleEndian.Uint32(data[at+4:]))
		if string(data[at:at+4]) == "ANMF" && length > 24 && at+8+length <= int64(len(data)) {
			frame := data[at+8 : at+8+length]
			flags := data[20] & 0x10 // transparency
			chunks := append([]byte("WEBPVP8X\x0a\x00\x00\x00"), flags, 0, 0, 0)
			chunks = append(append(chunks, frame[6:12]...), frame[16:]...)
			return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(chunks))), chunks...)
		}
		at += 8 + length + length&1
	}
	return data
}

// narrow is how many of the 65,536 shades an image uses at most whose shades are spread; fewer than fewShades are taken for
// the noise of one shade.
const (
	narrow    = 0x4000
	fewShades = 64
)

// to8Bits returns the function from 16-bit shades to 8-bit ones for an image whose shades are within low and high.
func to8Bits(low, high uint32) func(uint32) uint32 {
	if spread := high - low; spread >= fewShades && spread < narrow {
		return func(v uint32) uint32 { return (min(max(v, low), high) - low) * 255 / spread }
	}
	return func(v uint32) uint32 { return v >> 8 }
}

// colours returns the function that gives the pixels of an image in 8 bits.
func colours(m image.Image) func(x, y int) color.NRGBA {
	convert := func(c color.Color) color.NRGBA { return color.NRGBAModel.Convert(c).(color.NRGBA) }
	switch m := m.(type) {
	case *image.NRGBA:
		return m.NRGBAAt
	case *image.Paletted:
		palette := make([]color.NRGBA, 256)
		for i, c := range m.Palette {
			palette[i] = convert(c)
		}
		return func(x, y int) color.NRGBA { return palette[m.ColorIndexAt(x, y)] }
	case *image.Gray16, *image.NRGBA64, *image.RGBA64:
		return colours16(m)
	}
	return func(x, y int) color.NRGBA { return convert(m.At(x, y)) }
}

func colours16(m image.Image) func(x, y int) color.NRGBA {
	at := func(x, y int) color.NRGBA64 { return color.NRGBA64Model.Convert(m.At(x, y)).(color.NRGBA64) }
	low, high := uint32(0xffff), uint32(0)
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			low, high = min(low, uint32(c.R), uint32(c.G), uint32(c.B)), max(high, uint32(c.R), uint32(c.G), uint32(c.B))
		}
	}
	shade := to8Bits(low, high)
	return func(x, y int) color.NRGBA {
		c := at(x, y)
		return color.NRGBA{uint8(shade(uint32(c.R))), uint8(shade(uint32(c.G))), uint8(shade(uint32(c.B))), uint8(c.A >> 8)}
	}
}

func gray16To8(m *image.Gray16) *image.Gray {
	gray, shade := image.NewGray(m.Rect), colours16(m)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			gray.SetGray(x, y, color.Gray{Y: shade(x, y).R})
		}
	}
	return gray
}

package porttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"sync"

	"glyphbox/internal/domain/document"

	"golang.org/x/image/bmp"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/tiff"
)

// staged are the files of tests, by name.
var staged sync.Map

type opener = func(context.Context) (io.ReadCloser, error)

// FileOf stages the bytes of a file, for Files to open.
func FileOf(file []byte) document.File {
	sum := sha256.Sum256(file)
	f := document.File{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(file))}
	f.Staged = "bytes " + f.SHA256
	staged.LoadOrStore(f.Staged, func(context.Context) (io.ReadCloser, error) { return held{bytes.NewReader(file)}, nil })
	return f
}

type held struct{ *bytes.Reader }

func (held) Close() error { return nil }

// PageOf makes a page of the bytes of a file, for Files to open.
func PageOf(file []byte) document.Page { return document.Page{File: FileOf(file), Number: 1} }

// OpenedBy makes a page of the bytes of a file that Files opens by calling open.
func OpenedBy(file []byte, open func(context.Context) (io.ReadCloser, error)) document.Page {
	p := PageOf(file)
	p.File.Staged = rand.Text()
	staged.Store(p.File.Staged, open)
	return p
}

// Files opens what FileOf and OpenedBy have staged, and everything else by next, which may be nil.
func Files(next document.Files) document.Files { return files{next} }

type files struct{ next document.Files }

func (s files) Open(ctx context.Context, f document.File) (io.ReadCloser, error) {
	if open, ok := staged.Load(f.Staged); ok {
		return open.(opener)(ctx)
	}
	if s.next == nil {
		return nil, notFound("file")
	}
	return s.next.Open(ctx, f)
}

const (
	lineHeight = 60 // pixels of a drawn line, its space included
	margin     = 40 // pixels around the lines
	inkHeight  = 44 // pixels of a line from ascenders to descenders
)

// typeface is parsed once; a face of it is not safe for concurrent use, so each page has its own.
var typeface = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic(err) // the font is part of the program
	}
	return f
})

// DrawLines draws lines of Latin text, black on white, and returns the page and the region of each line.
// An empty line leaves its place white.
func DrawLines(lines ...string) (image.Image, []document.Box) {
	face, err := opentype.NewFace(typeface(), &opentype.FaceOptions{Size: 36, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err)
	}
	defer face.Close()
	width := 400
	for _, l := range lines {
		width = max(width, font.MeasureString(face, l).Ceil()+2*margin)
	}
	page := image.NewGray(image.Rect(0, 0, width, 2*margin+lineHeight*len(lines)))
	draw.Draw(page, page.Bounds(), image.White, image.Point{}, draw.Src)
	boxes := make([]document.Box, len(lines))
	for i, l := range lines {
		top := margin + i*lineHeight
		d := font.Drawer{Dst: page, Src: image.Black, Face: face, Dot: fixed.P(margin, top+34)}
		d.DrawString(l)
		boxes[i] = document.Box{X1: margin - 6, Y1: top, X2: width - margin + 6, Y2: top + inkHeight}
		if l != "" {
			boxes[i].X2 = min(boxes[i].X2, d.Dot.X.Ceil()+6)
		}
	}
	return page, boxes
}

// PNG encodes an image.
func PNG(m image.Image) []byte {
	return encoded(func(w io.Writer) error { return png.Encode(w, m) })
}

// PNGAt encodes an image of that resolution.
func PNGAt(m image.Image, dpi int) []byte {
	chunk := append([]byte("pHYs"), make([]byte, 9)...)
	perMeter := uint32(float64(dpi)/0.0254 + 0.5)
	binary.BigEndian.PutUint32(chunk[4:], perMeter)
	binary.BigEndian.PutUint32(chunk[8:], perMeter)
	chunk[12] = 1
	const header = 33 // bytes before the second chunk
	file := PNG(m)
	b := binary.BigEndian.AppendUint32(slices.Clone(file[:header]), 9)
	b = binary.BigEndian.AppendUint32(append(b, chunk...), crc32.ChecksumIEEE(chunk))
	return append(b, file[header:]...)
}

func encoded(encode func(io.Writer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err) // into memory, of images made here
	}
	return b.Bytes()
}

// formats are the encodings in which suites show a page.
var formats = []struct {
	mediaType string
	encode    func(image.Image) []byte
}{
	{"image/png", PNG},
	{"image/jpeg", jpegOf},
	{"image/gif", func(m image.Image) []byte {
		return encoded(func(w io.Writer) error { return gif.Encode(w, m, nil) })
	}},
	{"image/bmp", func(m image.Image) []byte { return encoded(func(w io.Writer) error { return bmp.Encode(w, m) }) }},
	{"image/tiff", func(m image.Image) []byte {
		return encoded(func(w io.Writer) error { return tiff.Encode(w, m, nil) })
	}},
}

// Animation makes a GIF of several frames.
func Animation(frames ...image.Image) []byte {
	moving := gif.GIF{Delay: make([]int, len(frames))}
	for _, m := range frames {
		frame := image.NewPaletted(m.Bounds(), palette.Plan9)
		draw.Draw(frame, m.Bounds(), m, m.Bounds().Min, draw.Src)
		moving.Image = append(moving.Image, frame)
	}
	return encoded(func(w io.Writer) error { return gif.EncodeAll(w, &moving) })
}

func jpegOf(m image.Image) []byte {
	return encoded(func(w io.Writer) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 90}) })
}

// MultiPageTIFF makes an uncompressed grey TIFF of several pages.
func MultiPageTIFF(pages ...image.Image) []byte {
	return OrientedTIFF(slices.Repeat([]int{1}, len(pages)), pages...)
}

// OrientedTIFF is MultiPageTIFF whose pages are the given images once the orientation (1 to 8) of each is applied.
func OrientedTIFF(orientations []int, upright ...image.Image) []byte {
	b := []byte("II*\x00")
	link := len(b) // where the offset of the next directory stands
	b = binary.LittleEndian.AppendUint32(b, 0)
	for n, m := range upright {
		m = stored(m, orientations[n])
		size, strip := m.Bounds().Size(), len(b)
		for y := range size.Y {
			for x := range size.X {
				b = append(b, color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y)
			}
		}
		if len(b)%2 == 1 {
			b = append(b, 0)
		}
		binary.LittleEndian.PutUint32(b[link:], uint32(len(b)))
		tags := [][2]int{{256, size.X}, {257, size.Y}, {258, 8}, {259, 1}, {262, 1}, {273, strip}, {274, orientations[n]}, {277, 1},
			{278, size.Y}, {279, size.X * size.Y}}
		b = binary.LittleEndian.AppendUint16(b, uint16(len(tags)))
		for _, tag := range tags {
			b = binary.LittleEndian.AppendUint16(b, uint16(tag[0]))
			b = binary.LittleEndian.AppendUint16(b, 4) // LONG
			b = binary.LittleEndian.AppendUint32(b, 1)
			b = binary.LittleEndian.AppendUint32(b, uint32(tag[1]))
		}
		link = len(b)
		b = binary.LittleEndian.AppendUint32(b, 0)
	}
	return b
}

// SpoilPage makes that page of a file of MultiPageTIFF one that cannot be rendered: it has no width.
func SpoilPage(file []byte, number int) []byte {
	binary.LittleEndian.PutUint32(file[directories(file)[number-1]+2+8:], 0)
	return file
}

// stored returns what a file has of an upright image of that orientation.
func stored(upright image.Image, orientation int) image.Image {
	if orientation == 1 {
		return upright
	}
	size := upright.Bounds().Size()
	bounds := image.Rectangle{Max: size}
	if orientation >= 5 {
		bounds.Max = image.Pt(size.Y, size.X)
	}
	m := image.NewRGBA(bounds)
	for y := range size.Y {
		for x := range size.X {
			sx, sy := storedAt(orientation, size, x, y)
			m.Set(sx, sy, upright.At(x, y))
		}
	}
	return m
}

// OrientedJPEG makes a JPEG that is the given image once its EXIF orientation (1 to 8) is applied.
func OrientedJPEG(upright image.Image, orientation int) []byte {
	exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), byte(orientation), 0, 0, 0, 0,
		0, 0)
	file := jpegOf(stored(upright, orientation))
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return bytes.Join([][]byte{file[:2], segment, exif, file[2:]}, nil)
}

// storedAt tells where the pixel x, y of an upright image stands in the file. For each orientation, EXIF says which side
// of the upright image the first row and the first column of the file are.
func storedAt(orientation int, upright image.Point, x, y int) (int, int) {
	right, bottom := upright.X-1-x, upright.Y-1-y
	switch orientation {
	case 2:
		return right, y
	case 3:
		return right, bottom
	case 4:
		return x, bottom
	case 5:
		return y, x
	case 6:
		return y, right
	case 7:
		return bottom, right
	case 8:
		return bottom, x
	}
	return x, y
}

// Turned returns an image turned clockwise by 0, 90, 180, 270 or 360 degrees.
func Turned(m image.Image, degrees int) image.Image {
	size, at := m.Bounds().Size(), m.Bounds().Min
	turned := size
	if degrees%180 != 0 {
		turned = image.Pt(size.Y, size.X)
	}
	out := image.NewRGBA(image.Rectangle{Max: turned})
	orientation := map[int]int{0: 1, 90: 6, 180: 3, 270: 8}[degrees%360]
	for y := range turned.Y {
		for x := range turned.X {
			sx, sy := storedAt(orientation, turned, x, y)
			out.Set(x, y, m.At(at.X+sx, at.Y+sy))
		}
	}
	return out
}

// bombs are small files whose headers promise 60,000 × 60,000 pixels.
func bombs() map[string][]byte {
	const side = 60_000
	small := image.NewGray(image.Rect(0, 0, 8, 8))
	made := map[string][]byte{}
	for _, f := range formats {
		file := f.encode(small)
		switch f.mediaType {
		case "image/png":
			binary.BigEndian.PutUint32(file[16:], side)
			binary.BigEndian.PutUint32(file[20:], side)
			binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
		case "image/jpeg":
			at := bytes.Index(file, []byte{0xff, 0xc0}) // start of frame: marker, length, precision, height, width
			binary.BigEndian.PutUint16(file[at+5:], side)
			binary.BigEndian.PutUint16(file[at+7:], side)
		case "image/gif":
			at := bytes.LastIndexByte(file[:len(file)-2], ',') // the image descriptor, as well as the screen
			binary.LittleEndian.PutUint16(file[6:], side)
			binary.LittleEndian.PutUint16(file[8:], side)
			binary.LittleEndian.PutUint16(file[at+5:], side)
			binary.LittleEndian.PutUint16(file[at+7:], side)
		case "image/bmp":
			binary.LittleEndian.PutUint32(file[18:], side)
			binary.LittleEndian.PutUint32(file[22:], side)
		case "image/tiff":
			file = MultiPageTIFF(small)
			directory := int(binary.LittleEndian.Uint32(file[4:]))
			binary.LittleEndian.PutUint32(file[directory+2+8:], side)
			binary.LittleEndian.PutUint32(file[directory+2+12+8:], side)
		}
		made[f.mediaType] = file
	}
	return made
}

// notImages are files that no imager reads.
func notImages() map[string][]byte {
	page, _ := DrawLines("text")
	file := PNG(page)
	return map[string][]byte{
		"nothing":          {},
		"text":             []byte("Just text, no picture at all."),
		"HTML":             []byte("<!DOCTYPE html><html><body><img src=x></body></html>"),
		"SVG":              []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>`),
		"PDF":              []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
		"a program":        append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 4000)...),
		"zeros":            make([]byte, 4000),
		"pattern":          patternBytes(4000),
		"a PNG's magic":    file[:8],
		"half a header":    file[:20],
		"a JPEG's magic":   {0xff, 0xd8, 0xff},
		"an empty JPEG":    {0xff, 0xd8, 0xff, 0xd9},
		"a TIFF's magic":   []byte("II*\x00"),
		"a TIFF to beyond": []byte("II*\x00\xff\xff\xff\x7f"),
		"a GIF's magic":    []byte("GIF89a"),
		"a BMP's magic":    []byte("BM"),
	}
}

// brokenPNG has a sound header and pixels that cannot be read.
func brokenPNG() []byte {
	page, _ := DrawLines("text that is lost")
	file := PNG(page)
	at := bytes.Index(file, []byte("IDAT")) + 4
	for i := at; i < len(file)-12; i++ {
		file[i] = 0xa5
	}
	return file
}

// corner is a white page of that size with a black mark in the upper left quarter.
func corner(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(0, 0, width/2, height/2), image.Black, image.Point{}, draw.Src)
	return m
}

// checkCorner tells whether an image looks like corner.
func checkCorner(m image.Image) error {
	b := m.Bounds()
	for _, c := range []struct {
		x, y int
		dark bool
	}{{1, 1, true}, {3, 1, false}, {1, 3, false}, {3, 3, false}} {
		x, y := b.Min.X+b.Dx()*c.x/4, b.Min.Y+b.Dy()*c.y/4
		if shade := color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y; (shade < 128) != c.dark {
			return fmt.Errorf("the pixel at %d, %d of %v has the shade %d: the page does not stand upright", x, y, b, shade)
		}
	}
	return nil
}

package transcript

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"strings"

	"glyphbox/internal/adapter/transcript/protocol"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/imagefile"
)

// picture is an image as it stands in a PDF.
type picture struct {
	dict   string // without type and length; empty where there is no picture
	data   io.Reader
	size   int64     // of data
	turned int       // as EXIF has it: how the pixels lie on the upright, turned page, 1 to 8
	file   io.Closer // nil: none
}

func newPictureOf(dict string, data []byte) picture {
	return picture{dict: dict, data: bytes.NewReader(data), size: int64(len(data)), turned: 1}
}

func (p picture) close() {
	if p.file != nil {
		_ = p.file.Close() // it was only read
	}
}

// placed is the matrix that puts the picture, whose pixels lie in the unit square, upright on a page of that size.
func (p picture) placed(width, height float64) string {
	m := map[int][6]float64{ // of the unit square onto itself, by how the pixels lie
		1: {1, 0, 0, 1, 0, 0}, 2: {-1, 0, 0, 1, 1, 0}, 3: {-1, 0, 0, -1, 1, 1}, 4: {1, 0, 0, -1, 0, 1},
		5: {0, -1, -1, 0, 1, 1}, 6: {0, -1, 1, 0, 0, 1}, 7: {0, 1, 1, 0, 0, 0}, 8: {0, 1, -1, 0, 1, 0},
	}[p.turned]
	scaled := []string{number(m[0] * width), number(m[1] * height), number(m[2] * width), number(m[3] * height), number(m[4] * width),
		number(m[5] * height)}
	return strings.Join(scaled, " ")
}

// newPicture makes a picture of a page: from its file where that is a JPEG that PDF shows as it is, else from a rendition. A page that
// could not be rendered has none.
func newPicture(p recognition.TranscriptPage) (picture, error) {
	if p.Image.Error != nil {
		return picture{}, nil
	}
	if own, ok, err := ownJPEG(p); ok || err != nil {
		return own, err
	}
	r, err := p.View(0, p.Image.Box(), recognition.ExportWidth)
	if err != nil && p.Image.Pages > 1 && fault.Is(err, fault.Unsupported) {
		return picture{}, nil
	}
	if err != nil {
		return picture{}, err
	}
	return fromRendition(r)
}

// ownJPEG takes the bytes of a JPEG as they are, and says whether that can be done.
func ownJPEG(p recognition.TranscriptPage) (_ picture, ok bool, err error) {
	if p.Image.MediaType != imagefile.JPEG {
		return picture{}, false, nil
	}
	file, err := p.Open()
	if err != nil {
		return picture{}, false, err
	}
	defer func() {
		if !ok {
			_ = file.Close() // it was only read
		}
	}()
	var head bytes.Buffer
	c, err := jpeg.DecodeConfig(io.TeeReader(file, &head))
	space := map[color.Model]string{color.GrayModel: "/DeviceGray", color.YCbCrModel: "/DeviceRGB"}[c.ColorModel]
	if err != nil || space == "" { // the imager may be able to decode it
		return picture{}, false, nil
	}
	h, err := imagefile.ReadHeader(bytes.NewReader(head.Bytes()), p.Image.Size, math.MaxInt64)
	if err != nil || max(h.Width, h.Height) != max(p.Image.Width, p.Image.Height) || h.Width != c.Width || h.Height != c.Height {
		return picture{}, false, nil
	}
	return picture{dict: fmt.Sprintf("/Width %d /Height %d /ColorSpace %s /BitsPerComponent 8 /Filter /DCTDecode", c.Width, c.Height,
		space),
		data: io.MultiReader(&head, file), size: p.Image.Size, turned: turned(h.Orientation, p.Image.Rotation), file: file}, true, nil
}

// turned is how the pixels lie once a page, on which they lie as EXIF says, is turned clockwise by that many degrees.
func turned(orientation, degrees int) int {
	clockwise := [...]int{1: 6, 2: 7, 3: 8, 4: 5, 5: 2, 6: 3, 7: 4, 8: 1} // by a quarter
	for ; degrees > 0; degrees -= 90 {
		orientation = clockwise[orientation]
	}
	return orientation
}

// fromRendition makes a picture of a rendition. The data of JPEG and PNG are taken as they are where PDF knows their kind, which
// is always so with what an Imager makes of a scan; the rest is decoded, put on white and written without loss.
func fromRendition(r document.Rendition) (picture, error) {
	switch r.MediaType {
	case "image/jpeg":
		c, err := jpeg.DecodeConfig(bytes.NewReader(r.Bytes))
		if err != nil {
			return picture{}, fmt.Errorf("transcript: page image: %w", err)
		}
		switch c.ColorModel {
		case color.GrayModel:
			return newPictureOf(fmt.Sprintf("/Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode", c.Width,
				c.Height), r.Bytes), nil
		case color.YCbCrModel:
			return newPictureOf(fmt.Sprintf("/Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode", c.Width,
				c.Height), r.Bytes), nil
		}
	case "image/png":
		if _, err := png.DecodeConfig(bytes.NewReader(r.Bytes)); err != nil {
			return picture{}, fmt.Errorf("transcript: page image: %w", err)
		}
		if p, ok := fromPNG(r.Bytes); ok {
			return p, nil
		}
	}
	return redrawn(r.Bytes)
}

// fromPNG takes over the compressed data, whose filters PDF knows as predictors. PDF knows neither interlacing nor transparency
// inside the data.
func fromPNG(file []byte) (picture, bool) {
	const signature, head = 8, 13
	var header, palette, data []byte
	for at := signature; at+12 <= len(file); {
		n := int(binary.BigEndian.Uint32(file[at:]))
		kind := string(file[at+4 : at+8])
		if n > len(file)-at-12 {
			return picture{}, false
		}
		chunk := file[at+8 : at+8+n]
		switch kind {
		case "IHDR":
			header = chunk
		case "PLTE":
			palette = chunk
		case "IDAT":
			data = append(data, chunk...)
		case "tRNS":
			return picture{}, false
		}
		at += 12 + n
	}
	if len(header) != head || header[12] != 0 || len(data) == 0 {
		return picture{}, false
	}
	width, height, depth := binary.BigEndian.Uint32(header), binary.BigEndian.Uint32(header[4:]), header[8]
	var space string
	colors := 1
	switch header[9] {
	case 0:
		space = "/DeviceGray"
	case 2:
		space, colors = "/DeviceRGB", 3
	case 3:
		if len(palette) < 3 {
			return picture{}, false
		}
		space = fmt.Sprintf("[/Indexed /DeviceRGB %d <%x>]", len(palette)/3-1, palette)
	default: // with an alpha channel
		return picture{}, false
	}
	return newPictureOf(fmt.Sprintf("/Width %d /Height %d /ColorSpace %s /BitsPerComponent %d /Filter /FlateDecode "+
		"/DecodeParms << /Predictor 15 /Colors %d /BitsPerComponent %d /Columns %d >>", width, height, space, depth, colors, depth, width),
		data), true
}

func redrawn(file []byte) (picture, error) {
	m, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return picture{}, fmt.Errorf("transcript: page image: %w", err)
	}
	b := m.Bounds()
	onWhite := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(onWhite, onWhite.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(onWhite, onWhite.Bounds(), m, b.Min, draw.Over)
	rgb := make([]byte, 0, 3*b.Dx()*b.Dy())
	for i := 0; i < len(onWhite.Pix); i += 4 {
		rgb = append(rgb, onWhite.Pix[i:i+3]...)
	}
	return newPictureOf(fmt.Sprintf("/Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode", b.Dx(), b.Dy()),
		protocol.Deflated(rgb)), nil
}

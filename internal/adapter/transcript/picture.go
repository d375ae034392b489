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

	"glyphbox/internal/domain/document"
)

// picture is an image in the form that a PDF has it.
type picture struct {
	dict string // without type and length
	data []byte
}

// newPicture makes a picture of a rendition. The data of JPEG and PNG are taken as they are where PDF knows their kind, which
// is always so with what an Imager makes of a scan; the rest is decoded, put on white and written without loss.
func newPicture(r document.Rendition) (picture, error) {
	switch r.MediaType {
	case "image/jpeg":
		c, err := jpeg.DecodeConfig(bytes.NewReader(r.Bytes))
		if err != nil {
			return picture{}, fmt.Errorf("transcript: page image: %w", err)
		}
		switch c.ColorModel {
		case color.GrayModel:
			return picture{fmt.Sprintf("/Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode", c.Width, c.Height), r.Bytes}, nil
		case color.YCbCrModel:
			return picture{fmt.Sprintf("/Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode", c.Width, c.Height), r.Bytes}, nil
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
	return picture{fmt.Sprintf("/Width %d /Height %d /ColorSpace %s /BitsPerComponent %d /Filter /FlateDecode "+
		"/DecodeParms << /Predictor 15 /Colors %d /BitsPerComponent %d /Columns %d >>", width, height, space, depth, colors, depth, width), data}, true
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
	return picture{fmt.Sprintf("/Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode", b.Dx(), b.Dy()), deflated(rgb)}, nil
}

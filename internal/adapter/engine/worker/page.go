package worker

import (
	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/imagefile"
)

// decodedPage is a page that the worker holds for later jobs. Nothing writes to it: only the methods of this file see its pixels, and they
// only read them and return copies.
type decodedPage struct {
	pixels  *pix
	facings read.Facings // what its regions have found out about it
}

// orientations are those of EXIF that turn a page clockwise by that many degrees.
var orientations = map[int]int{0: 1, 90: 6, 180: 3, 270: 8}

// decodePage decodes a file, see decode, and turns the upright page clockwise by 0, 90, 180 or 270 degrees.
func decodePage(data []byte, h imagefile.Header, shrink, rotation int, maxPixels int64, heif *heifDecoder) (decodedPage, error) {
	p, err := decode(data, h, shrink, maxPixels, heif)
	if err != nil {
		return decodedPage{}, err
	}
	if err := p.turn(orientations[rotation]); err != nil {
		p.close()
		return decodedPage{}, err
	}
	return decodedPage{p, read.Facings{}}, nil
}

func (p decodedPage) width() int           { return p.pixels.width() }
func (p decodedPage) height() int          { return p.pixels.height() }
func (p decodedPage) bounds() document.Box { return document.Box{X2: p.width(), Y2: p.height()} }
func (p decodedPage) bytes() int64         { return p.pixels.bytes() }
func (p decodedPage) close()               { p.pixels.close() }

// cut returns a copy of a box of the page in its depth.
func (p decodedPage) cut(b document.Box) (*pix, error) { return p.pixels.cut(b) }

// gray returns a copy of a box of the page in 8 bits.
func (p decodedPage) gray(b document.Box) (*pix, error) { return p.pixels.gray(b) }

// render makes a file of a box of the page for people, of at most that width and height.
func (p decodedPage) render(b document.Box, width, height int) (document.Rendition, error) {
	if b == p.bounds() { // large, and read only by what follows
		return p.pixels.render(width, height)
	}
	part, err := p.cut(b)
	if err != nil {
		return document.Rendition{}, err
	}
	defer part.close()
	return part.render(width, height)
}

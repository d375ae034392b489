package pdfium

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"glyphbox/internal/pdfparse"
)

// A unit of a page is a point, unless the page has UserUnit, which says how many points it is. Acrobat and PDF.js heed it; pdfium does not.
// It is rare, so the file is parsed a second time only if the word is in it.

// unitOf returns how many points a unit of a page is, counted from 0.
func (f *file) unitOf(page int) float64 {
	if f.units == nil {
		f.units = []float64{}
		if mayHaveUnits(f.data) {
			f.units, _ = unitsOf(f.data, f.password, f.pages) // what cannot be parsed has no units
		}
	}
	if page >= len(f.units) || !(f.units[page] > 0) {
		return 1
	}
	return f.units[page]
}

const (
	unitName     = "/UserUnit"
	streamName   = "stream"
	maxInflated  = 256 << 20 // bytes that are looked at, of all compressed objects
	maxStreamDic = 4 << 10   // bytes of a stream's dictionary, behind its type
)

// mayHaveUnits tells whether a file has the word, in its bytes or in compressed objects.
func mayHaveUnits(data []byte) bool {
	if bytes.Contains(data, []byte(unitName)) {
		return true
	}
	encrypted := bytes.Contains(data, []byte("/Encrypt"))
	left := int64(maxInflated)
	for rest := data; left > 0; {
		_, behind, found := bytes.Cut(rest, []byte("/ObjStm"))
		if !found {
			return false
		}
		rest = behind
		begin := bytes.Index(behind[:min(len(behind), maxStreamDic)], []byte(streamName))
		if begin < 0 {
			continue
		}
		if encrypted {
			return true
		}
		has, read := inflatedHas(bytes.TrimLeft(behind[begin+len(streamName):], "\r\n"), left, []byte(unitName))
		if has {
			return true
		}
		left -= read
	}
	return false
}

// inflatedHas tells whether a word is in the first most bytes of what is packed, and how many there were.
func inflatedHas(packed []byte, most int64, word []byte) (has bool, read int64) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return false, 0
	}
	defer z.Close()
	r := io.LimitReader(z, most)
	buffer, kept := make([]byte, 64<<10), 0 // the end of the bytes before, where the word may begin
	for {
		n, err := r.Read(buffer[kept:])
		read += int64(n)
		if bytes.Contains(buffer[:kept+n], word) {
			return true, read
		}
		if err != nil {
			return false, read
		}
		end := buffer[:kept+n]
		kept = copy(buffer, end[max(0, len(end)-len(word)+1):])
	}
}

// unitsOf parses a file for the units of its pages. It fails where they are not as many as pdfium finds.
func unitsOf(data []byte, password string, pages int) (units []float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			units, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, _, _, err := pdfparse.Read(data, password)
	if err != nil {
		return nil, err
	}
	root, err := ctx.Pages()
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	var walk func(types.Object) error
	walk = func(node types.Object) error {
		if reference, is := node.(types.IndirectRef); is {
			number := reference.ObjectNumber.Value()
			if seen[number] {
				return fmt.Errorf("page %d is in two places", number)
			}
			seen[number] = true
		}
		d, err := ctx.DereferenceDict(node)
		if err != nil || d == nil || len(units) == pages {
			return err
		}
		if inner, found := d.Find("Kids"); found {
			kids, err := ctx.DereferenceArray(inner)
			for i := 0; i < len(kids) && err == nil; i++ {
				err = walk(kids[i])
			}
			return err
		}
		unit := 1.0
		if own, found := d.Find("UserUnit"); found {
			if unit, err = ctx.DereferenceNumber(own); err != nil {
				unit = 1
			}
		}
		units = append(units, unit)
		return nil
	}
	if err := walk(*root); err != nil {
		return nil, err
	}
	if len(units) != pages {
		return nil, fmt.Errorf("%d pages of %d", len(units), pages)
	}
	return units, nil
}

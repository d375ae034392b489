package imagefile

import (
	"encoding/binary"
	"io"
)

// maxPages bounds the walk along a TIFF's directories.
const maxPages = 10_000

// tiff reads the first directory and counts the pages.
func (p *headerReader) tiff() (h Header) {
	pages := 0
	p.directories(0, p.size, func(d Header, _, _ int64) bool {
		if pages++; pages == 1 {
			h = d
		}
		return true
	})
	h.MediaType, h.Pages = TIFF, pages
	return h
}

// A PageHeader is what the header of one page of a file says, or why it cannot be decoded.
type PageHeader struct {
	Header
	Err error // a fault as those of ReadHeader
}

// ReadPages reads the headers of all pages of a file, of which ReadHeader returned h. Only a TIFF has several.
func ReadPages(r io.ReaderAt, size, maxPixels int64, h Header) []PageHeader {
	if h.MediaType != TIFF {
		return []PageHeader{{Header: h}}
	}
	var pages []PageHeader
	p := &headerReader{r: r, size: size}
	p.directories(0, size, func(d Header, _, _ int64) bool {
		d.MediaType, d.Pages = TIFF, h.Pages
		checked, err := d.check(maxPixels)
		pages = append(pages, PageHeader{checked, err})
		return true
	})
	return pages
}

// Page returns the file with the page of that number as its first one, for decoders that know only that, and its header. It may write to
// data. A page that is not there is Unsupported; else errors as with ReadHeader.
func Page(data []byte, number int, h Header, maxPixels int64) ([]byte, Header, error) {
	if number <= 1 {
		return data, h, nil
	}
	var found Header
	var first, offset int64
	n := 0
	p := &headerReader{r: byteReader(data), size: int64(len(data))}
	if h.MediaType == TIFF {
		p.directories(0, p.size, func(d Header, start, at int64) bool {
			n++
			found, first, offset = d, start, at
			return n < number
		})
	}
	if n < number {
		return nil, Header{}, unsupported("The %s file has no page %d.", names[h.MediaType], number)
	}
	found.MediaType, found.Pages = TIFF, h.Pages
	found, err := found.check(maxPixels)
	if err != nil {
		return nil, Header{}, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	if first == 8 {
		order.PutUint64(data[first:], uint64(offset))
	} else {
		order.PutUint32(data[first:], uint32(offset))
	}
	return data, found, nil
}

type byteReader []byte

func (b byteReader) ReadAt(to []byte, at int64) (int, error) {
	if at < 0 || at > int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(to, b[at:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

// directories walks along the directories of a classic or big TIFF whose bytes start at base (TIFF 6.0, section 2) and hands each that is a
// page to use, with the place of the offset of the first one and its own offset, until use returns false. Those that are smaller copies or
// masks of others are no pages. The chain may form a loop, or break off, which is no error behind the first one.
func (p *headerReader) directories(base, length int64, use func(h Header, first, offset int64) bool) {
	f := tiffForm{base: base, order: binary.LittleEndian, offset: 4, count: 2, entry: 12, first: 4}
	if p.bytes(base, 1)[0] == 'M' {
		f.order = binary.BigEndian
	}
	if p.num(base+2, 2, f.order) == 43 {
		f.offset, f.count, f.entry, f.first = 8, 8, 20, 8
	}
	next := p.num(base+f.first, f.offset, f.order)
	seen := map[uint64]bool{}
	for next != 0 && !seen[next] && len(seen) < maxPages && p.err == nil {
		if next > uint64(length) {
			p.fail("directory beyond the file")
			break
		}
		seen[next] = true
		at := base + int64(next)
		count := p.num(at, f.count, f.order)
		if count > 4096 {
			p.fail("%d entries in a directory", count)
			break
		}
		at += int64(f.count)
		entries := p.bytes(at, int(count)*f.entry)
		if p.err != nil {
			break
		}
		h, reduced := p.directory(f, entries)
		if !reduced || len(seen) == 1 {
			if !use(h, f.first, int64(next)) {
				return
			}
		}
		next = p.num(at+int64(len(entries)), f.offset, f.order)
		if p.err != nil { // the chain breaks off; the pages before do not
			p.err = nil
			return
		}
	}
	if len(seen) > 1 {
		p.err = nil
	}
}

// tiffForm is how a TIFF is written.
type tiffForm struct {
	base                 int64
	order                binary.ByteOrder
	offset, count, entry int   // bytes
	first                int64 // where the offset of the first directory stands
}

// Tags of TIFF that a header is made of.
const (
	tagSubfile    = 254
	tagWidth      = 256
	tagHeight     = 257
	tagTurned     = 274
	tagXRational  = 282
	tagYRational  = 283
	tagResolution = 296
)

// directory reads a directory, and tells whether it is that of a smaller copy or of a mask.
func (p *headerReader) directory(f tiffForm, entries []byte) (h Header, reduced bool) {
	scale := 1.0 // of the resolution: inches, unless the directory says otherwise
	var x, y float64
	for at := 0; at < len(entries); at += f.entry {
		entry := entries[at : at+f.entry]
		value := entry[f.entry-f.offset:]
		v := 0
		switch f.order.Uint16(entry[2:]) {
		case 3:
			v = int(f.order.Uint16(value))
		case 4:
			v = int(f.order.Uint32(value))
		}
		switch f.order.Uint16(entry) {
		case tagSubfile:
			reduced = v&5 != 0
		case tagWidth:
			h.Width = v
		case tagHeight:
			h.Height = v
		case tagTurned:
			h.Orientation = v
		case tagXRational:
			x = p.rational(f, value)
		case tagYRational:
			y = p.rational(f, value)
		case tagResolution:
			switch v {
			case 1:
				scale = 0 // no unit
			case 3:
				scale = centimeter
			}
		}
	}
	h.XDPI, h.YDPI = dpi(scale*x), dpi(scale*y)
	return h, reduced
}

// rational returns a number that the value of an entry points to, or 0. That it cannot be read is no error.
func (p *headerReader) rational(f tiffForm, value []byte) float64 {
	if f.offset == 4 {
		sound := p.err == nil
		value = p.bytes(f.base+int64(f.order.Uint32(value)), 8)
		if sound && p.err != nil {
			p.err = nil
			return 0
		}
	} // a big TIFF has it in the entry
	above, below := f.order.Uint32(value), f.order.Uint32(value[4:])
	if below == 0 {
		return 0
	}
	return float64(above) / float64(below)
}

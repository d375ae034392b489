package imagefile

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxPages bounds the walk along a TIFF's directories.
const maxPages = 10_000

// tiff reads the first directory and counts the pages. A file that lacks data of one of them is cut off.
func (p *headerReader) tiff() (h Header) {
	pages := 0
	p.directories(0, p.size, func(d directory) bool {
		if pages++; pages == 1 {
			h = d.Header
		}
		if d.cutAt(p.size) {
			p.fail("%w: the data of page %d of %d bytes", errCut, pages, p.size)
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
	p.directories(0, size, func(d directory) bool {
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
	var found directory
	n := 0
	p := &headerReader{r: byteReader(data), size: int64(len(data))}
	if h.MediaType == TIFF {
		p.directories(0, p.size, func(d directory) bool {
			n++
			found = d
			return n < number
		})
	}
	if n < number {
		return nil, Header{}, unsupported("The %s file has no page %d.", names[h.MediaType], number)
	}
	found.MediaType, found.Pages = TIFF, h.Pages
	header, err := found.check(maxPixels)
	if err != nil {
		return nil, Header{}, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	if found.first == 8 {
		order.PutUint64(data[found.first:], uint64(found.offset))
	} else {
		order.PutUint32(data[found.first:], uint32(found.offset))
	}
	return data, header, nil
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
// page to use until that returns false. Those that are smaller copies or masks of others are no pages. The chain may end in a loop, which
// leaves out no directory that the file names. It is an error where it breaks off, since nobody knows what pages are missing then.
func (p *headerReader) directories(base, length int64, use func(directory) bool) {
	f := tiffForm{base: base, order: binary.LittleEndian, offset: 4, count: 2, entry: 12, first: 4}
	if p.bytes(base, 1)[0] == 'M' {
		f.order = binary.BigEndian
	}
	if p.num(base+2, 2, f.order) == 43 {
		f.offset, f.count, f.entry, f.first = 8, 8, 20, 8
	}
	next := p.num(base+f.first, f.offset, f.order)
	seen := map[uint64]bool{}
	for next != 0 && !seen[next] && p.err == nil {
		if len(seen) == maxPages {
			p.fail("%w", VariantError(fmt.Sprintf("more than %d pages", maxPages)))
			return
		}
		if next > uint64(length) {
			p.fail("%w: directory at %d of %d bytes", errCut, next, length)
			return
		}
		seen[next] = true
		at := base + int64(next)
		count := p.num(at, f.count, f.order)
		if count > 4096 {
			p.fail("%d entries in a directory", count)
			return
		}
		at += int64(f.count)
		entries := p.bytes(at, int(count)*f.entry)
		if p.err != nil {
			return
		}
		d := p.directory(f, entries)
		d.first, d.offset = f.first, int64(next)
		if (!d.reduced || len(seen) == 1) && !use(d) {
			return
		}
		next = p.num(at+int64(len(entries)), f.offset, f.order)
	}
}

// A directory is what a directory of a TIFF says about its image.
type directory struct {
	Header
	first, offset int64 // where the offset of the first directory stands, and the offset of this one
	reduced       bool  // it is that of a smaller copy or of a mask
	compressed    bool

	data, length uint64 // where the last strip or tile is, and its bytes
}

// cutAt tells whether a file of that size lacks the last strip or tile. Where nothing is compressed, the length that is told may be too
// large, and decoders need less.
func (d directory) cutAt(size int64) bool {
	end := uint64(size)
	return d.length > 0 && (d.data >= end || d.compressed && d.length > end-d.data)
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
	tagCompressed = 259
	tagStrips     = 273
	tagTurned     = 274
	tagStripSizes = 279
	tagXRational  = 282
	tagYRational  = 283
	tagResolution = 296
	tagTiles      = 324
	tagTileSizes  = 325
)

// directory reads a directory.
func (p *headerReader) directory(f tiffForm, entries []byte) (d directory) {
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
			d.reduced = v&5 != 0
		case tagWidth:
			d.Width = v
		case tagHeight:
			d.Height = v
		case tagTurned:
			d.Orientation = v
		case tagCompressed:
			d.compressed = v != 1
		case tagStrips, tagTiles:
			d.data = p.last(f, entry)
		case tagStripSizes, tagTileSizes:
			d.length = p.last(f, entry)
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
	d.XDPI, d.YDPI = dpi(scale*x), dpi(scale*y)
	return d
}

// last returns the last of the whole numbers of an entry, or 0 where there is none.
func (p *headerReader) last(f tiffForm, entry []byte) uint64 {
	size := map[uint16]int{3: 2, 4: 4, 16: 8}[f.order.Uint16(entry[2:])]
	numbers := &headerReader{r: byteReader(entry), size: int64(len(entry))}
	count, at := numbers.num(4, f.offset, f.order), int64(f.entry-f.offset)
	if size == 0 || count == 0 {
		return 0
	}
	if count > uint64(f.offset/size) { // they are elsewhere
		if count > uint64(p.size) {
			p.fail("%w: %d numbers of %d bytes", errCut, count, p.size)
			return 0
		}
		at = f.base + int64(numbers.num(at, f.offset, f.order))
		numbers = p
	}
	return numbers.num(at+int64(count-1)*int64(size), size, f.order)
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

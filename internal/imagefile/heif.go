package imagefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// heifBrands are the brands of files that hold still pictures (ISO 23008-12, annex B; AV1 Image File Format, 6).
var heifBrands = []string{"mif1", "mif2", "miaf", "heic", "heix", "heim", "heis", "avif", "msf1", "hevc", "hevx", "avis"}

// codecs are those of pictures that are read, and the formats of their files.
var codecs = map[string]string{"hvc1": HEIC, "av01": AVIF}

// derived are the kinds of pictures that are made of others: tiles, layers, and one with other properties.
var derived = []string{"grid", "iovl", "iden"}

const (
	maxMeta  = 8 << 20 // bytes of the box that describes all pictures; one with 65,536 tiles has 3 MB
	maxParts = 100_000 // pictures that one is made of
	maxDepth = 8       // of pictures made of pictures
)

// heif is what an HEIF file says about its pictures (ISO 14496-12, 8.11; ISO 23008-12, 6).
type heif struct {
	file       *headerReader
	metaAt     int64 // place of the box in the file
	primary    uint32
	kinds      map[uint32]string
	hidden     map[uint32]bool
	properties []heifProperty      // of all pictures
	uses       map[uint32][]int    // of a picture, its properties from 1 on, in the order in which they apply
	parts      map[uint32][]uint32 // of a derived picture
	belongs    map[uint32]string   // how a picture belongs to another: as its thumbnail, or as something else than a picture
	alphas     map[uint32][]uint32 // auxiliary pictures by the one they belong to
	describes  map[uint32][]uint32 // pictures by the item that describes them
	places     map[uint32]heifPlace
	inside     int64 // place in the file of the data that the box has itself; 0 for none
}

type heifProperty struct {
	kind string
	data []byte
}

type heifPlace struct {
	inside     bool // in the box's own data
	at, length int64
}

// isHEIF tells whether one of the brands of a file is that of still pictures, and whether one is AVIF's.
func (p *headerReader) isHEIF(start []byte) (is, avif bool) {
	if len(start) < 12 || string(start[4:8]) != "ftyp" {
		return false, false
	}
	length := min(int64(binary.BigEndian.Uint32(start)), p.size, 512)
	brands := &headerReader{r: p.r, size: p.size}
	for at := int64(8); at+4 <= length; at += 4 {
		if at == 12 {
			continue // a version
		}
		brand := string(brands.bytes(at, 4))
		is = is || slices.Contains(heifBrands, brand)
		avif = avif || brand == "avif" || brand == "avis"
	}
	return is, avif
}

// heif takes the size of the picture that is to be shown first, with all that turns and cuts it: who decodes the file applies that, and
// what its Exif block says of orientation is then no longer so.
func (p *headerReader) heif(avif bool) (h Header) {
	if h.MediaType = HEIC; avif {
		h.MediaType = AVIF
	}
	f, err := p.heifMeta()
	if err != nil {
		p.failBy(err)
		return h
	}
	codec, stored, err := f.check(f.primary, 0, new(int))
	if err != nil {
		p.failBy(err)
		return h
	}
	h.MediaType, p.decoded = codecs[codec], stored
	var turned bool
	if h.Width, h.Height, turned, err = f.size(f.primary); err != nil {
		p.failBy(err)
		return h
	}
	f.resolution(&h, turned)
	h.Orientation = 1
	return h
}

func (p *headerReader) failBy(err error) {
	if p.err == nil {
		p.err = err
	}
}

// boxes hands the boxes from one place to another to use, with the place of their data, until that returns false.
func (p *headerReader) boxes(at, end int64, use func(kind string, at, end int64) bool) {
	for at+8 <= end && p.err == nil && p.reads < maxReads/2 {
		kind, head, length := p.box(at)
		if length == 0 && head == 8 {
			length = end - at
		}
		if length < head || length > 1<<62 {
			p.fail("box %q of %d bytes", kind, length)
			return
		}
		if p.err != nil || !use(kind, at+head, at+length) {
			return
		}
		at += length
	}
}

// heifMeta reads the box that describes the pictures of a file.
func (p *headerReader) heifMeta() (f heif, err error) {
	found, moving := false, false
	p.boxes(0, p.size, func(kind string, at, end int64) bool {
		moving = moving || kind == "moov"
		if kind != "meta" {
			if end > p.size && kind != "mdat" {
				p.fail("%w: box %q", errCut, kind)
			}
			return true
		}
		if end > p.size {
			p.fail("%w: box %q", errCut, kind)
			return false
		}
		if found = true; end-at > maxMeta {
			p.fail("a box of %d bytes describes the pictures", end-at)
			return false
		}
		f, err = readHEIF(p.bytes(at, int(end-at)))
		f.file, f.metaAt = p, at
		return false
	})
	switch {
	case p.err != nil:
		return f, p.err
	case err != nil:
		return f, err
	case !found && moving:
		return f, VariantError("a film without a still picture")
	case !found:
		return f, fmt.Errorf("%w: no box describes pictures", errCut)
	}
	return f, nil
}

// fields reads the fields of a box one after the other. What lies beyond the end is zero, and broken is set.
type fields struct {
	data   []byte
	at     int
	broken bool
}

func (f *fields) take(n int) []byte {
	if n < 0 || n > len(f.data)-f.at {
		f.broken = true
		f.at = len(f.data)
		return make([]byte, min(max(n, 0), 8))
	}
	f.at += n
	return f.data[f.at-n : f.at]
}

// num reads a number of 0 to 8 bytes.
func (f *fields) num(n int) (v uint64) {
	for _, b := range f.take(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

// id reads the number of an item, which is wide in later versions of a box.
func (f *fields) id(wide bool) uint32 {
	if wide {
		return uint32(f.num(4))
	}
	return uint32(f.num(2))
}

// full reads the version and the flags of a box.
func (f *fields) full() (version int, flags uint32) {
	v := uint32(f.num(4))
	return int(v >> 24), v & 0xffffff
}

func (f *fields) left() bool { return !f.broken && f.at < len(f.data) }

// box reads the next box.
func (f *fields) box() (kind string, inner *fields) {
	start := f.at
	length := f.num(4)
	kind = string(f.take(4))
	if length == 1 {
		length = f.num(8)
	}
	if length == 0 {
		length = uint64(len(f.data) - start)
	}
	if head := uint64(f.at - start); length < head || length > uint64(len(f.data)-start) {
		f.broken = true
		return kind, &fields{broken: true}
	}
	return kind, &fields{data: f.take(int(length) - (f.at - start))}
}

var errHEIF = errors.New("the boxes of the file contradict one another")

// readHEIF reads the content of a meta box.
func readHEIF(meta []byte) (heif, error) {
	f := heif{kinds: map[uint32]string{}, hidden: map[uint32]bool{}, uses: map[uint32][]int{}, parts: map[uint32][]uint32{},
		belongs: map[uint32]string{}, alphas: map[uint32][]uint32{}, describes: map[uint32][]uint32{}, places: map[uint32]heifPlace{}}
	all := &fields{data: meta}
	all.full()
	for all.left() {
		kind, box := all.box()
		switch kind {
		case "pitm":
			version, _ := box.full()
			f.primary = box.id(version > 0)
		case "iinf":
			f.readItems(box)
		case "iref":
			f.readReferences(box)
		case "iprp":
			f.readProperties(box)
		case "iloc":
			f.readPlaces(box)
		case "idat":
			f.inside = int64(all.at - len(box.data))
		}
		if box.broken {
			return f, fmt.Errorf("%w: %q", errHEIF, kind)
		}
	}
	if all.broken || f.kinds[f.primary] == "" {
		return f, fmt.Errorf("%w: there is no first picture", errHEIF)
	}
	return f, nil
}

func (f *heif) readItems(box *fields) {
	version, _ := box.full()
	box.id(version > 0) // how many
	for box.left() {
		kind, item := box.box()
		version, flags := item.full()
		if kind != "infe" || version < 2 {
			continue // of old versions, which have no pictures
		}
		id := item.id(version > 2)
		item.num(2) // how it is protected
		f.kinds[id], f.hidden[id] = string(item.take(4)), flags&1 != 0
		box.broken = box.broken || item.broken
	}
}

func (f *heif) readReferences(box *fields) {
	version, _ := box.full()
	for box.left() {
		kind, r := box.box()
		from := r.id(version > 0)
		for range r.num(2) {
			to := r.id(version > 0)
			if r.broken {
				break
			}
			switch kind {
			case "dimg":
				f.parts[from] = append(f.parts[from], to)
			case "auxl":
				f.belongs[from], f.alphas[to] = kind, append(f.alphas[to], from)
			case "thmb":
				f.belongs[from] = kind
			case "cdsc":
				f.describes[from] = append(f.describes[from], to)
			}
		}
		box.broken = box.broken || r.broken
	}
}

func (f *heif) readProperties(box *fields) {
	for box.left() {
		kind, inner := box.box()
		switch kind {
		case "ipco":
			for inner.left() {
				kind, property := inner.box()
				f.properties = append(f.properties, heifProperty{kind, property.data})
			}
		case "ipma":
			version, flags := inner.full()
			for range inner.num(4) {
				id := inner.id(version > 0)
				var uses []int
				for range inner.num(1) {
					use := int(inner.num(1)) & 0x7f
					if flags&1 != 0 {
						use = use<<8 | int(inner.num(1))
					}
					uses = append(uses, use)
				}
				if inner.broken {
					break
				}
				f.uses[id] = uses
			}
		}
		box.broken = box.broken || inner.broken
	}
}

func (f *heif) readPlaces(box *fields) {
	version, _ := box.full()
	sizes := box.num(2)
	size := func(shift int) int { return int(sizes >> shift & 15) }
	offset, length, base, index := size(12), size(8), size(4), 0
	if version > 0 {
		index = size(0)
	}
	if max(offset, length, base, index) > 8 {
		box.broken = true
	}
	for n := box.id(version > 1); n > 0 && !box.broken; n-- {
		id := box.id(version > 1)
		var place heifPlace
		if version > 0 {
			place.inside = box.num(2)&15 == 1
		}
		box.num(2) // the file, which is this one
		start, extents := box.num(base), int(box.num(2))
		if extents > 0 {
			box.num(index)
			place.at = int64((start + box.num(offset)) & (1<<61 - 1))
			place.length = int64(box.num(length) & (1<<61 - 1))
			box.take((extents - 1) * (index + offset + length))
		}
		f.places[id] = place
	}
}

// use hands the properties of a picture to do, in their order.
func (f *heif) use(id uint32, do func(kind string, data *fields)) {
	for _, i := range f.uses[id] {
		if i > 0 && i <= len(f.properties) {
			do(f.properties[i-1].kind, &fields{data: f.properties[i-1].data})
		}
	}
}

// stored returns the size of a picture before it is cut and turned.
func (f *heif) stored(id uint32) (width, height int64) {
	f.use(id, func(kind string, data *fields) {
		if kind == "ispe" {
			data.full()
			width, height = int64(data.num(4)), int64(data.num(4))
		}
	})
	return width, height
}

// check follows a picture to those that it is made of. It returns the codec of the first of these, and how many pixels have to be decoded
// for the picture.
func (f *heif) check(id uint32, depth int, parts *int) (codec string, pixels int64, err error) {
	if *parts++; *parts > maxParts || depth > maxDepth {
		return "", 0, fmt.Errorf("%w: a picture is made of too many, or of itself", errHEIF)
	}
	width, height := f.stored(id)
	if width <= 0 || height <= 0 {
		return "", 0, fmt.Errorf("%w: picture %d has no size", errHEIF, id)
	}
	kind := f.kinds[id]
	switch {
	case slices.Contains(derived, kind):
		if len(f.parts[id]) == 0 {
			return "", 0, fmt.Errorf("%w: picture %d is made of no others", errHEIF, id)
		}
		for i, part := range f.parts[id] {
			c, n, err := f.check(part, depth+1, parts)
			if err != nil {
				return "", 0, err
			}
			if pixels += n; i == 0 {
				codec = c
			}
		}
		if pixels = max(pixels, width*height); kind == "grid" {
			err = f.checkGrid(id, width, height)
		}
	case codecs[kind] != "":
		codec, pixels = kind, width*height
	case kind == "":
		return "", 0, fmt.Errorf("%w: there is no picture %d", errHEIF, id)
	default:
		return "", 0, VariantError(fmt.Sprintf("pictures of the kind %q", kind))
	}
	for _, alpha := range f.alphas[id] {
		*parts++
		w, h := f.stored(alpha)
		pixels = max(pixels, w*h)
	}
	return codec, min(pixels, 1<<62), err
}

// checkGrid compares what a picture of tiles says with its size and its tiles (ISO 23008-12, 6.6.2.3).
func (f *heif) checkGrid(id uint32, width, height int64) error {
	place := f.places[id]
	b := fields{data: f.file.bytes(f.at(place), int(min(place.length, 12)))}
	b.num(1)
	wide := b.num(1)&1 != 0
	rows, columns := b.num(1)+1, b.num(1)+1
	w, h := int64(b.id(wide)), int64(b.id(wide))
	switch {
	case f.file.err != nil:
		return f.file.err
	case b.broken || w != width || h != height || rows*columns != uint64(len(f.parts[id])):
		return fmt.Errorf("%w: %d × %d tiles make %d × %d pixels; there are %d, and %d × %d", errHEIF, columns, rows, w, h,
			len(f.parts[id]), width, height)
	}
	return nil
}

// at is the place of an item in the file.
func (f *heif) at(place heifPlace) int64 {
	if place.inside {
		return f.metaAt + f.inside + place.at
	}
	return place.at
}

// size is that of a picture as it is shown. turned tells whether its sides are exchanged.
func (f *heif) size(id uint32) (width, height int, turned bool, err error) {
	w, h := f.stored(id)
	f.use(id, func(kind string, data *fields) {
		switch kind {
		case "irot":
			if data.num(1)&1 != 0 {
				w, h, turned = h, w, !turned
			}
		case "clap":
			part := func(most int64) int64 {
				n, d := int64(data.num(4)), int64(data.num(4))
				if d == 0 || (n+d/2)/d < 1 || (n+d/2)/d > most {
					err = fmt.Errorf("%w: a part of %d/%d of %d pixels", errHEIF, n, d, most)
					return most
				}
				return (n + d/2) / d
			}
			w, h = part(w), part(h)
		}
	})
	return int(w), int(h), turned, err
}

// resolution takes the resolution of the Exif block of the first picture.
func (f *heif) resolution(h *Header, turned bool) {
	for id, kind := range f.kinds {
		place := f.places[id]
		if kind != "Exif" || !slices.Contains(f.describes[id], f.primary) || place.length < 12 {
			continue
		}
		p, at := f.file, f.at(place)
		if at < 0 || at+4 > p.size {
			continue
		}
		skip := 4 + int64(p.num(at, 4, binary.BigEndian))
		if skip < place.length {
			p.exif(h, at+skip, place.length-skip)
		}
	}
	if turned {
		h.XDPI, h.YDPI = h.YDPI, h.XDPI
	}
}

// heifFrames returns how many pictures a file has that are meant to be looked at, or how many a film in it has.
func (p *headerReader) heifFrames() (n int) {
	f, err := p.heifMeta()
	if err != nil {
		return 0
	}
	part := map[uint32]bool{}
	for _, parts := range f.parts {
		for _, id := range parts {
			part[id] = true
		}
	}
	for id, kind := range f.kinds {
		picture := codecs[kind] != "" || slices.Contains(derived, kind)
		if picture && !f.hidden[id] && !part[id] && f.belongs[id] == "" {
			n++
		}
	}
	return max(n, p.filmFrames())
}

// filmFrames returns how many pictures the longest track of a film has (ISO 14496-12, 8.7.3).
func (p *headerReader) filmFrames() (n int) {
	inside := []string{"moov", "trak", "mdia", "minf", "stbl"}
	var walk func(depth int, at, end int64)
	walk = func(depth int, at, end int64) {
		p.boxes(at, min(end, p.size), func(kind string, at, end int64) bool {
			switch {
			case depth < len(inside) && kind == inside[depth]:
				walk(depth+1, at, end)
			case depth == len(inside) && kind == "stsz":
				n = max(n, int(min(p.num(at+8, 4, binary.BigEndian), 1<<31-1)))
			}
			return true
		})
	}
	walk(0, 0, p.size)
	return n
}

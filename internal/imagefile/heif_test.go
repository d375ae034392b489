package imagefile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/fault"
)

// heifItem is an item of an HEIF file that a test makes.
type heifItem struct {
	kind       string
	hidden     bool
	properties []int // from 1 on
	data       []byte
}

// heifFile is an HEIF file that a test makes. Items have the numbers from 1 on.
type heifFile struct {
	brand      string
	primary    uint16
	items      []heifItem
	properties [][]byte
	references [][]byte
	more       []byte // boxes after all others
}

func be(values ...any) (b []byte) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		case int:
			b = append(b, byte(v))
		case uint16:
			b = binary.BigEndian.AppendUint16(b, v)
		case uint32:
			b = binary.BigEndian.AppendUint32(b, v)
		default:
			panic(fmt.Sprintf("%T", v))
		}
	}
	return b
}

func box(kind string, content ...any) []byte {
	data := be(content...)
	return append(be(uint32(8+len(data)), kind), data...)
}

func ispe(width, height uint32) []byte { return box("ispe", uint32(0), width, height) }

func reference(kind string, from uint16, to ...uint16) []byte {
	content := []any{from, uint16(len(to))}
	for _, id := range to {
		content = append(content, id)
	}
	return box(kind, content...)
}

// gridData is what a picture of tiles says of itself.
func gridData(rows, columns int, width, height uint16) []byte {
	return be(0, 0, rows-1, columns-1, width, height)
}

func (f heifFile) bytes() []byte {
	var infos, uses, places, data []byte
	for i, item := range f.items {
		flags := uint32(2 << 24)
		if item.hidden {
			flags |= 1
		}
		id := uint16(i + 1)
		infos = append(infos, box("infe", flags, id, uint16(0), item.kind, 0)...)
		uses = append(uses, be(id, len(item.properties))...)
		for _, p := range item.properties {
			uses = append(uses, byte(p)|0x80)
		}
		places = append(places, be(id, uint16(1), uint16(0), uint16(1), uint32(len(data)), uint32(len(item.data)))...)
		data = append(data, item.data...)
	}
	count := uint16(len(f.items))
	meta := box("meta", uint32(0), box("hdlr", uint32(0), uint32(0), "pict", make([]byte, 13)), box("pitm", uint32(0), f.primary),
		box("iinf", uint32(0), count, infos), box("iref", uint32(0), bytes.Join(f.references, nil)),
		box("iprp", box("ipco", bytes.Join(f.properties, nil)), box("ipma", uint32(0), uint32(count), uses)),
		box("iloc", uint32(1<<24), uint16(0x4400), count, places), box("idat", data))
	return be(box("ftyp", f.brand, uint32(0), "mif1"), meta, f.more)
}

// still is a file of one picture with these properties.
func still(properties ...[]byte) heifFile {
	f := heifFile{brand: "heic", primary: 1, items: []heifItem{{kind: "hvc1"}}, properties: properties}
	for i := range properties {
		f.items[0].properties = append(f.items[0].properties, i+1)
	}
	return f
}

// tiles is a file of one picture of 2 × 2 tiles with a thumbnail and an Exif block, as telephones make them: its pixels lie on their side.
func tiles() heifFile {
	exif := append(be(uint32(6), "Exif\x00\x00"), withRational(2, 20000, 10000, 6)...)
	return heifFile{brand: "heic", primary: 5, items: []heifItem{
		{kind: "hvc1", hidden: true, properties: []int{1}}, {kind: "hvc1", hidden: true, properties: []int{1}},
		{kind: "hvc1", hidden: true, properties: []int{1}}, {kind: "hvc1", hidden: true, properties: []int{1}},
		{kind: "grid", properties: []int{2, 3}, data: gridData(2, 2, 100, 200)}, {kind: "hvc1", properties: []int{4, 3}},
		{kind: "Exif", hidden: true, data: exif},
	}, properties: [][]byte{ispe(64, 128), ispe(100, 200), box("irot", 3), ispe(10, 20)},
		references: [][]byte{reference("dimg", 5, 1, 2, 3, 4), reference("thmb", 6, 5), reference("cdsc", 7, 5)}}
}

// film is a box of a film of n pictures.
func film(n uint32) []byte {
	return box("moov", box("trak", box("mdia", box("minf", box("stbl", box("stsz", uint32(0), uint32(0), n))))))
}

func clap(width, height uint32) []byte {
	return box("clap", width, uint32(1), height, uint32(1), uint32(0), uint32(1), uint32(0), uint32(1))
}

func TestHEIF(t *testing.T) {
	avif := still(ispe(200, 100))
	avif.brand, avif.items[0].kind = "avif", "av01"
	collection := tiles()
	collection.items = append(collection.items, heifItem{kind: "hvc1", properties: []int{2}}, heifItem{kind: "av01", hidden: true,
		properties: []int{2}})
	moving := avif
	moving.brand, moving.more = "avis", film(12)
	generic := avif
	generic.brand = "mif1"
	for name, c := range map[string]struct {
		file   heifFile
		want   Header
		frames int
	}{
		"a picture":                 {still(ispe(200, 100)), Header{HEIC, 200, 100, 1, 1, 0, 0}, 0},
		"mirrored":                  {still(ispe(200, 100), box("imir", 1)), Header{HEIC, 200, 100, 1, 1, 0, 0}, 0},
		"upside down":               {still(ispe(200, 100), box("irot", 2)), Header{HEIC, 200, 100, 1, 1, 0, 0}, 0},
		"on its side":               {still(ispe(100, 200), box("irot", 1)), Header{HEIC, 200, 100, 1, 1, 0, 0}, 0},
		"cut":                       {still(ispe(300, 200), clap(200, 100)), Header{HEIC, 200, 100, 1, 1, 0, 0}, 0},
		"turned and cut":            {still(ispe(200, 300), box("irot", 1), clap(200, 100)), Header{HEIC, 200, 100, 1, 1, 0, 0}, 0},
		"of a telephone":            {tiles(), Header{HEIC, 200, 100, 1, 1, 100, 200}, 0},
		"AVIF":                      {avif, Header{AVIF, 200, 100, 1, 1, 0, 0}, 0},
		"AVIF with a generic brand": {generic, Header{AVIF, 200, 100, 1, 1, 0, 0}, 0},
		"a collection":              {collection, Header{HEIC, 200, 100, 1, 1, 100, 200}, 2},
		"a film with a still":       {moving, Header{AVIF, 200, 100, 1, 1, 0, 0}, 12},
	} {
		file := c.file.bytes()
		h, err := ReadHeader(bytes.NewReader(file), int64(len(file)), 40_000)
		if err != nil || h != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, h, err, c.want)
		}
		if n := Frames(bytes.NewReader(file), int64(len(file)), h); n != c.frames {
			t.Errorf("%s: got %d frames, want %d", name, n, c.frames)
		}
		for n := range len(file) - len(c.file.more) {
			if _, err := ReadHeader(bytes.NewReader(file[:n]), int64(n), 40_000); !fault.Is(err, fault.Unsupported) {
				t.Errorf("%s, cut off at %d: got %v", name, n, err)
			}
		}
	}
}

func TestHEIFsThatLie(t *testing.T) {
	changed := func(change func(*heifFile)) heifFile {
		f := tiles()
		change(&f)
		return f
	}
	const damage, huge = "The HEIC file is damaged.", "pixels"
	for name, c := range map[string]struct {
		file heifFile
		want string
	}{
		"no size":                   {still(box("irot", 1)), damage},
		"a size of nothing":         {still(ispe(0, 100)), damage},
		"a size beyond all":         {still(ispe(1<<32-1, 1<<32-1)), huge},
		"cut to nothing":            {still(ispe(200, 100), clap(0, 100)), damage},
		"cut to more than there is": {still(ispe(200, 100), clap(201, 100)), damage},
		"no first picture":          {changed(func(f *heifFile) { f.primary = 9 }), damage},
		"its first picture is Exif": {changed(func(f *heifFile) { f.primary = 7 }), damage},
		"made of itself":            {changed(func(f *heifFile) { f.references[0] = reference("dimg", 5, 1, 2, 3, 5) }), damage},
		"made of what is not there": {changed(func(f *heifFile) { f.references[0] = reference("dimg", 5, 1, 2, 3, 99) }), damage},
		"made of nothing":           {changed(func(f *heifFile) { f.references = nil }), damage},
		"fewer tiles than it says":  {changed(func(f *heifFile) { f.references[0] = reference("dimg", 5, 1, 2, 3) }), damage},
		"tiles that make more":      {changed(func(f *heifFile) { f.items[4].data = gridData(2, 2, 65535, 65535) }), damage},
		"tiles of more pixels":      {changed(func(f *heifFile) { f.properties[0] = ispe(30_000, 30_000) }), huge},
		"transparency of more":      {changed(func(f *heifFile) { f.alphaOf(5, 30_000) }), huge},
		"one tile over and over": {changed(func(f *heifFile) {
			f.references[0] = reference("dimg", 5, slices.Repeat([]uint16{1}, 65000)...)
		}), damage},
		"pictures of another kind": {changed(func(f *heifFile) { f.items[0].kind = "jpeg" }),
			`This variant of HEIC is not supported: pictures of the kind "jpeg".`},
	} {
		file := c.file.bytes()
		_, err := ReadHeader(bytes.NewReader(file), int64(len(file)), 1e6)
		if f := fault.Of(err); f == nil || !strings.Contains(f.Text, c.want) || (f.Kind == fault.TooLarge) != (c.want == huge) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"only a film":          {be(box("ftyp", "hevc", uint32(0)), film(3)), "a film without a still picture"},
		"a box of 4 bytes":     {be(box("ftyp", "heic", uint32(0)), uint32(4), "free"), damage},
		"a box without end":    {be(box("ftyp", "heic", uint32(0)), uint32(0), "free"), "is incomplete"},
		"a box of 2^63 bytes":  {be(box("ftyp", "heic", uint32(0)), uint32(1), "free", uint32(1<<31), uint32(0)), damage},
		"nothing but pictures": {be(box("ftyp", "heic", uint32(0)), box("mdat", "pixels")), "is incomplete"},
		"an endless meta box":  {be(box("ftyp", "heic", uint32(0)), uint32(0), "meta", uint32(0), uint32(0), "iinf"), damage},
		"a film":               {be(box("ftyp", "isom", uint32(0), "mp42"), film(3)), "MP4 or QuickTime"},
	} {
		_, err := ReadHeader(bytes.NewReader(c.file), int64(len(c.file)), 1e6)
		if f := fault.Of(err); f == nil || f.Kind != fault.Unsupported || !strings.Contains(f.Text, c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// alphaOf adds a square picture that says how transparent another is.
func (f *heifFile) alphaOf(id uint16, side uint32) {
	f.properties = append(f.properties, ispe(side, side))
	f.items = append(f.items, heifItem{kind: "hvc1", properties: []int{len(f.properties)}})
	f.references = append(f.references, reference("auxl", uint16(len(f.items)), id))
}

package imagefile

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"glyphbox/internal/domain/fault"

	"github.com/google/go-cmp/cmp"
)

// tiffPages makes a TIFF of directories with these tags and short values.
func tiffPages(order binary.AppendByteOrder, pages ...[]uint16) []byte {
	start := "II*\x00"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		start = "MM\x00*"
	}
	b := order.AppendUint32([]byte(start), 8)
	for i, p := range pages {
		b = order.AppendUint16(b, uint16(len(p)/2))
		for k := 0; k < len(p); k += 2 {
			b = order.AppendUint16(order.AppendUint16(b, p[k]), 3)
			b = order.AppendUint16(order.AppendUint32(b, 1), p[k+1])
			b = append(b, 0, 0)
		}
		next := uint32(len(b) + 4)
		if i == len(pages)-1 {
			next = 0
		}
		b = order.AppendUint32(b, next)
	}
	return b
}

func TestPagesOfTIFF(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		file := tiffPages(order, []uint16{256, 200, 257, 100}, []uint16{254, 1, 256, 20, 257, 10}, []uint16{256, 30, 257, 40, 274, 6},
			[]uint16{256, 5000, 257, 5000}, []uint16{257, 10})
		h, err := ReadHeader(bytes.NewReader(file), int64(len(file)), 1e6)
		if err != nil || h.Pages != 4 {
			t.Fatalf("got %+v, %v", h, err)
		}
		pages := ReadPages(bytes.NewReader(file), int64(len(file)), 1e6, h)
		if len(pages) != 4 {
			t.Fatalf("got %d pages", len(pages))
		}
		want := []Header{{TIFF, 200, 100, 1, 4, 0, 0}, {TIFF, 30, 40, 6, 4, 0, 0}, {}, {}}
		kinds := []fault.Kind{0, 0, fault.TooLarge, fault.Unsupported}
		for i, p := range pages {
			if diff := cmp.Diff(want[i], p.Header); diff != "" {
				t.Errorf("page %d: %s", i+1, diff)
			}
			if i >= 2 && !fault.Is(p.Err, kinds[i]) || i < 2 && p.Err != nil {
				t.Errorf("page %d: got %v", i+1, p.Err)
			}
			data, got, err := Page(bytes.Clone(file), i+1, h, 1e6)
			if (err == nil) != (p.Err == nil) {
				t.Errorf("page %d: got %v", i+1, err)
			}
			if err != nil {
				continue
			}
			again, err := ReadHeader(bytes.NewReader(data), int64(len(data)), 1e6)
			if again.Pages = h.Pages; err != nil || got.Width != want[i].Width || again != got {
				t.Errorf("page %d: got %+v, then %+v, %v", i+1, got, again, err)
			}
		}
		if _, _, err := Page(bytes.Clone(file), 5, h, 1e6); !fault.Is(err, fault.Unsupported) {
			t.Errorf("page 5: got %v", err)
		}
	}
}

// A file that lacks pages, or data of them, is refused; not one whose directories say too much where nothing is missing.
func TestTIFFThatLacksPages(t *testing.T) {
	page := []uint16{256, 30, 257, 40}
	// strips is a file whose second page has these further tags.
	strips := func(tags ...uint16) []byte { return tiffPages(binary.LittleEndian, page, append(page[:4:4], tags...)) }
	// linked is a file of two pages, the second of which says that the next one is there.
	linked := func(next uint32) []byte {
		b := tiffPages(binary.LittleEndian, page, page)
		binary.LittleEndian.PutUint32(b[len(b)-4:], next)
		return b
	}
	whole := tiffPages(binary.LittleEndian, page, page, page)
	second := uint32(8 + 2 + 2*12 + 4)
	elsewhere := strips(259, 4, 273, 0, 279, 0)
	binary.LittleEndian.PutUint32(elsewhere[len(elsewhere)-4-2*12+4:], 1<<20) // so many strips are not in the file
	crowd := make([][]uint16, maxPages+1)
	for i := range crowd {
		crowd[i] = page
	}
	const cut, bad = "The TIFF file is incomplete.", "The TIFF file is damaged."
	for name, c := range map[string]struct {
		file []byte
		want string // empty: two pages
	}{
		"cut off behind a page":              {whole[:second], cut},
		"cut off in a directory":             {whole[:len(whole)-9], cut},
		"cut off in the last link":           {whole[:len(whole)-1], cut},
		"next page beyond the end":           {linked(1000), cut},
		"next page is none":                  {linked(1), bad},
		"loop":                               {linked(second), ""},
		"more pages than are read":           {tiffPages(binary.LittleEndian, crowd...), "not supported: more than 10000 pages"},
		"strip within":                       {strips(259, 4, 273, 8, 279, 30), ""},
		"strip beyond the end":               {strips(259, 1, 273, 1000, 279, 30), cut},
		"tile beyond the end":                {strips(259, 1, 324, 1000, 325, 30), cut},
		"strip that is cut off":              {strips(259, 4, 273, 8, 279, 1000), cut},
		"length of a strip is too large":     {strips(259, 1, 273, 8, 279, 1000), ""},
		"empty strip":                        {strips(259, 4, 273, 1000, 279, 0), ""},
		"places of strips are not all there": {elsewhere, cut},
	} {
		h, err := ReadHeader(bytes.NewReader(c.file), int64(len(c.file)), 1e6)
		switch f := fault.Of(err); {
		case c.want == "" && (err != nil || h.Pages != 2):
			t.Errorf("%s: got %d pages, %v", name, h.Pages, err)
		case c.want != "" && (f == nil || !strings.Contains(f.Text, c.want)):
			t.Errorf("%s: got %d pages, %v, want %q", name, h.Pages, err, c.want)
		}
	}
}

// Pixels that are missing in the last strip are found out by decoding it, and the file is said to be cut off then.
func TestUndecodableTIFF(t *testing.T) {
	for length, want := range map[uint16]string{1000: "is incomplete", 30: "is damaged"} {
		file := tiffPages(binary.LittleEndian, []uint16{256, 30, 257, 40, 259, 1, 273, 8, 279, length})
		if err := Undecodable(file, Header{MediaType: TIFF}, nil); !strings.Contains(fault.Of(err).Text, want) {
			t.Errorf("strip of %d bytes: got %v, want %q", length, err, want)
		}
	}
}

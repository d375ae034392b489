package imagefile

import (
	"bytes"
	"encoding/binary"
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

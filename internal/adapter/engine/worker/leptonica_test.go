package worker

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/imagefile"
	"glyphbox/internal/porttest"
)

// A page of any orientation decodes upright, as the header announces it.
func TestTheEightOrientations(t *testing.T) {
	white := image.NewGray(image.Rect(0, 0, 30, 20))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	for i := range 10 * 10 { // the mark: the top left corner of what is stored
		white.Pix[i/10*white.Stride+i%10] = 0
	}
	file := porttest.PNG(white)
	h, err := imagefile.ReadHeader(bytes.NewReader(file), int64(len(file)), 1e6)
	if err != nil {
		t.Fatal(err)
	}
	corner := map[int]string{1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left", 5: "top left", 6: "top right", 7: "bottom right", 8: "bottom left"}
	for orientation, want := range corner {
		h.Orientation = orientation
		p, err := decode(file, h, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := "nowhere"
		for name, at := range map[string]document.Box{
			"top left": {X2: 2, Y2: 2}, "top right": {X1: p.width() - 2, X2: p.width(), Y2: 2},
			"bottom left":  {X2: 2, Y1: p.height() - 2, Y2: p.height()},
			"bottom right": {X1: p.width() - 2, X2: p.width(), Y1: p.height() - 2, Y2: p.height()},
		} {
			cut, err := p.gray(at)
			if err != nil {
				t.Fatal(err)
			}
			if cut.histogram()[0] == 4 {
				got = name
			}
			cut.close()
		}
		if got != want || orientation >= 5 != (p.width() == 20) {
			t.Errorf("orientation %d: got the mark %s of %d × %d, want it %s", orientation, got, p.width(), p.height(), want)
		}
		p.close()
	}
}

// BenchmarkDecode makes a thumbnail of a JPEG of 12 megapixels, decoded in full and at an eighth.
func BenchmarkDecode(b *testing.B) {
	photo := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range photo.Y {
		photo.Y[i] = uint8(i * i >> 7) // detail everywhere
	}
	for i := range photo.Cb {
		photo.Cb[i], photo.Cr[i] = uint8(i>>9), uint8(i>>11)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, photo, nil); err != nil {
		b.Fatal(err)
	}
	h, err := imagefile.ReadHeader(bytes.NewReader(file.Bytes()), int64(file.Len()), 1e9)
	if err != nil {
		b.Fatal(err)
	}
	for _, shrink := range []int{1, jpegShrink(h, 128)} {
		b.Run(fmt.Sprintf("shrink=%d", shrink), func(b *testing.B) {
			for b.Loop() {
				page, err := decode(file.Bytes(), h, shrink)
				if err != nil {
					b.Fatal(err)
				}
				small, err := page.shrinkTo(128, 128)
				if err != nil {
					b.Fatal(err)
				}
				small.close()
				page.close()
			}
		})
	}
}

package worker

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"testing"

	"glyphbox/internal/imagefile"
	"glyphbox/internal/porttest"
)

// A page of any orientation decodes upright, as the header announces it.
func TestTheEightOrientations(t *testing.T) {
	file := porttest.PNG(picture())
	h, err := imagefile.ReadHeader(bytes.NewReader(file), int64(len(file)), 1e6)
	if err != nil {
		t.Fatal(err)
	}
	for orientation, corner := range corners {
		h.Orientation = orientation
		p, err := decode(file, h, 1, maxPixels, nil)
		if err != nil {
			t.Fatal(err)
		}
		if turned := p.width() == pictureHeight; turned != (orientation >= 5) {
			t.Errorf("orientation %d: got %d × %d", orientation, p.width(), p.height())
		}
		wantMark(t, p, corner)
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
				page, err := decode(file.Bytes(), h, shrink, maxPixels, nil)
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

package original

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest"
)

func TestUprightROI(t *testing.T) {
	upright := image.NewGray(image.Rect(0, 0, 320, 160))
	draw.Draw(upright, upright.Bounds(), image.White, image.Point{}, draw.Src)
	want := document.Box{X1: 32, Y1: 16, X2: 144, Y2: 64} // of whole blocks of JPEG
	draw.Draw(upright, image.Rect(want.X1, want.Y1, want.X2, want.Y2), image.Black, image.Point{}, draw.Src)
	g := document.Geometry{Width: 320, Height: 160}
	for orientation := 1; orientation <= 8; orientation++ {
		stored, err := jpeg.Decode(bytes.NewReader(porttest.OrientedJPEG(upright, orientation))) // which does not look at EXIF either
		if err != nil {
			t.Fatal(err)
		}
		var dark document.Box
		for y := range stored.Bounds().Dy() {
			for x := range stored.Bounds().Dx() {
				if color.GrayModel.Convert(stored.At(x, y)).(color.Gray).Y < 128 {
					dark = dark.Union(document.Box{X1: x, Y1: y, X2: x + 1, Y2: y + 1})
				}
			}
		}
		if got := uprightROI(&dark, g, orientation); got != want {
			t.Errorf("orientation %d: %v became %v, want %v", orientation, dark, got, want)
		}
	}
	page := document.Box{X2: 320, Y2: 160}
	for _, nothing := range []*document.Box{nil, {}, {X1: 400, Y1: 0, X2: 500, Y2: 10}, {X1: 10, Y1: 10, X2: 5, Y2: 20}} {
		if got := uprightROI(nothing, g, 6); got != page {
			t.Errorf("%v became %v, want the page", nothing, got)
		}
	}
	if got := uprightROI(&document.Box{X1: -5, Y1: 100, X2: 0, Y2: 9999}, g, 1); got != (document.Box{Y1: 100, X2: 320, Y2: 160}) {
		t.Errorf("got %v", got)
	}
}

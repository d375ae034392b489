package bench

import (
	"image"
	"image/draw"

	"glyphbox/internal/domain/document"
)

// rotated returns an image turned clockwise.
func rotated(src image.Image, angle int) image.Image {
	size := src.Bounds().Size()
	all := document.Box{X2: size.X, Y2: size.Y}.Turned(angle, size.X, size.Y)
	var to draw.Image = image.NewRGBA(image.Rect(0, 0, all.X2, all.Y2))
	if _, gray := src.(*image.Gray); gray {
		to = image.NewGray(to.Bounds())
	}
	for y := range size.Y {
		for x := range size.X {
			at := document.Box{X1: x, Y1: y, X2: x + 1, Y2: y + 1}.Turned(angle, size.X, size.Y)
			to.Set(at.X1, at.Y1, src.At(src.Bounds().Min.X+x, src.Bounds().Min.Y+y))
		}
	}
	return to
}

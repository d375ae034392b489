package bench

import (
	"image"
	"image/draw"

	"glyphbox/internal/domain/document"
)

// clockwise returns a box of an image of that size in the image turned clockwise by 90, 180 or 270 degrees.
func clockwise(b document.Box, angle, width, height int) document.Box {
	switch angle {
	case 90:
		return document.Box{X1: height - b.Y2, Y1: b.X1, X2: height - b.Y1, Y2: b.X2}
	case 180:
		return document.Box{X1: width - b.X2, Y1: height - b.Y2, X2: width - b.X1, Y2: height - b.Y1}
	case 270:
		return document.Box{X1: b.Y1, Y1: width - b.X2, X2: b.Y2, Y2: width - b.X1}
	}
	return b
}

// rotated returns an image turned clockwise.
func rotated(src image.Image, angle int) image.Image {
	size := src.Bounds().Size()
	all := clockwise(document.Box{X2: size.X, Y2: size.Y}, angle, size.X, size.Y)
	var to draw.Image = image.NewRGBA(image.Rect(0, 0, all.X2, all.Y2))
	if _, gray := src.(*image.Gray); gray {
		to = image.NewGray(to.Bounds())
	}
	for y := range size.Y {
		for x := range size.X {
			at := clockwise(document.Box{X1: x, Y1: y, X2: x + 1, Y2: y + 1}, angle, size.X, size.Y)
			to.Set(at.X1, at.Y1, src.At(src.Bounds().Min.X+x, src.Bounds().Min.Y+y))
		}
	}
	return to
}

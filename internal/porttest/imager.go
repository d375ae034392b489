package porttest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"slices"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

// decode decodes a rendition and checks its media type.
func decode(r document.Rendition) (image.Image, error) {
	m, format, err := image.Decode(bytes.NewReader(r.Bytes))
	if err == nil && r.MediaType != "image/"+format {
		err = fmt.Errorf("the rendition calls itself %s and is %s", r.MediaType, format)
	}
	return m, err
}

// rendered checks a rendition of a page of width × height: it fits into the limits, keeps the proportions, and is
// neither larger than the page nor needlessly small.
func rendered(r document.Rendition, width, height, maxWidth, maxHeight int) (image.Image, error) {
	m, err := decode(r)
	if err != nil {
		return nil, err
	}
	size := m.Bounds().Size()
	scale := min(1, float64(maxWidth)/float64(width), float64(maxHeight)/float64(height))
	wantW, wantH := scale*float64(width), scale*float64(height)
	near := func(got int, want float64) bool {
		return got >= 1 && float64(got) > want/2-1 && float64(got) < want+1.5
	}
	if size.X > min(maxWidth, width) || size.Y > min(maxHeight, height) || !near(size.X, wantW) || !near(size.Y, wantH) {
		return nil, fmt.Errorf("got %v of a page of %d × %d, want about %.0f × %.0f", size, width, height, wantW, wantH)
	}
	if d := float64(size.X)*wantH - float64(size.Y)*wantW; d > 2*(wantW+wantH) || d < -2*(wantW+wantH) {
		return nil, fmt.Errorf("got %v of a page of %d × %d: the proportions are lost", size, width, height)
	}
	return m, nil
}

const unbounded = 1 << 30

// Imager is the suite of document.Imager.
func Imager(t *testing.T, open func(t *testing.T) document.Imager) {
	// all calls every operation and hands each error to check.
	all := func(t *testing.T, s document.Imager, what string, file []byte, check func(what string, err error)) {
		t.Helper()
		_, err := s.Probe(t.Context(), FileOf(file))
		check("Probe of "+what, err)
		_, err = s.Thumbnail(t.Context(), PageOf(file), 128)
		check("Thumbnail of "+what, err)
		_, err = s.View(t.Context(), PageOf(file), document.Box{X2: 20, Y2: 20}, 1000)
		check("View of "+what, err)
	}

	// shows checks geometry and renditions of a page that looks like corner.
	shows := func(t *testing.T, s document.Imager, file []byte, want document.Geometry) {
		t.Helper()
		probe, err := s.Probe(t.Context(), FileOf(file))
		check.OK(t, "Probe", err)
		got := probe.Geometry(1)
		if want.DPI == 0 {
			got.DPI = 0 // what encoders write that were not asked
		}
		same(t, "Probe", got, want)
		r, err := s.Thumbnail(t.Context(), PageOf(file), 64)
		check.OK(t, "Thumbnail", err)
		m, err := rendered(r, want.Width, want.Height, 64, 64)
		check.OK(t, "the thumbnail", err)
		check.OK(t, "the thumbnail", checkCorner(m))
		w, h := want.Width, want.Height
		for _, part := range []document.Box{{X2: w, Y2: h}, {X1: w / 4, Y1: h / 4, X2: 3 * w / 4, Y2: 3 * h / 4},
			{X1: w/2 - 8, Y1: h/2 - 8, X2: w/2 + 8, Y2: h/2 + 8}} {
			what := fmt.Sprintf("the view of %v", part)
			r, err = s.View(t.Context(), PageOf(file), part, 100)
			check.OK(t, what, err)
			m, err = rendered(r, part.Width(), part.Height(), 100, unbounded)
			check.OK(t, what, err)
			check.OK(t, what, checkCorner(m))
		}
	}

	for _, f := range formats {
		t.Run("a page as "+f.mediaType, func(t *testing.T) {
			shows(t, open(t), f.encode(corner(300, 200)), document.Geometry{MediaType: f.mediaType, Width: 300, Height: 200, Pages: 1})
		})
	}

	t.Run("the resolution", func(t *testing.T) {
		shows(t, open(t), PNGAt(corner(300, 200), 150), document.Geometry{MediaType: "image/png", Width: 300, Height: 200, Pages: 1,
			DPI: 150})
	})

	t.Run("an animation", func(t *testing.T) {
		s := open(t)
		for frames := 1; frames <= 3; frames++ {
			file := Animation(append([]image.Image{corner(90, 150)}, slices.Repeat([]image.Image{image.NewGray(image.Rect(0, 0, 90, 150))},
				frames-1)...)...)
			shows(t, s, file, document.Geometry{MediaType: "image/gif", Width: 90, Height: 150, Pages: 1})
			probe, err := s.Probe(t.Context(), FileOf(file))
			if want := frames * min(1, frames-1); err != nil || probe.Frames != want {
				t.Errorf("%d frames: got %d, want %d, %v", frames, probe.Frames, want, err)
			}
		}
	})

	t.Run("kinds of pixels", func(t *testing.T) {
		s := open(t)
		size := image.Rect(0, 0, 90, 150)
		for _, m := range []draw.Image{
			image.NewGray(size), image.NewGray16(size), image.NewRGBA64(size), image.NewNRGBA(size),
			image.NewPaletted(size, palette.Plan9), image.NewPaletted(size, color.Palette{color.Black, color.White}),
		} {
			draw.Draw(m, size, corner(90, 150), image.Point{}, draw.Src)
			shows(t, s, PNG(m), document.Geometry{MediaType: "image/png", Width: 90, Height: 150, Pages: 1})
		}
		grey := image.NewGray(size)
		draw.Draw(grey, size, corner(90, 150), image.Point{}, draw.Src)
		shows(t, s, jpegOf(grey), document.Geometry{MediaType: "image/jpeg", Width: 90, Height: 150, Pages: 1})
	})

	for orientation := 1; orientation <= 8; orientation++ {
		t.Run(fmt.Sprint("EXIF orientation ", orientation), func(t *testing.T) {
			shows(t, open(t), OrientedJPEG(corner(320, 200), orientation),
				document.Geometry{MediaType: "image/jpeg", Width: 320, Height: 200, Pages: 1})
		})
	}

	for _, rotation := range document.Rotations {
		t.Run(fmt.Sprintf("a page turned by %d", rotation), func(t *testing.T) {
			s := open(t)
			for _, file := range [][]byte{PNG(Turned(corner(320, 200), 360-rotation)),
				OrientedJPEG(Turned(corner(640, 400), 360-rotation), 6)} {
				probe, err := s.Probe(t.Context(), FileOf(file))
				check.OK(t, "Probe", err)
				i := document.Image{Geometry: probe.Geometry(1)}.TurnedTo(rotation)
				page := PageOf(file)
				page.Rotation = rotation
				for _, p := range []document.Page{page, PageOf(file), page} { // the file is decoded for both
					whole := i.Box()
					if p.Rotation == 0 {
						whole = i.TurnedTo(0).Box()
					}
					r, err := s.Thumbnail(t.Context(), p, 64)
					check.OK(t, "Thumbnail", err)
					small, err := rendered(r, whole.Width(), whole.Height(), 64, 64)
					check.OK(t, "the thumbnail", err)
					r, err = s.View(t.Context(), p, whole, 100)
					check.OK(t, "View", err)
					view, err := rendered(r, whole.Width(), whole.Height(), 100, unbounded)
					check.OK(t, "the view", err)
					if p.Rotation == rotation {
						check.OK(t, "the thumbnail", checkCorner(small))
						check.OK(t, "the view", checkCorner(view))
					}
				}
				w, h := i.Width, i.Height
				r, err := s.View(t.Context(), page, document.Box{X1: w/2 - 8, Y1: h/2 - 8, X2: w/2 + 8, Y2: h/2 + 8}, 100)
				check.OK(t, "View of a part", err)
				part, err := decode(r)
				check.OK(t, "the view of a part", err)
				check.OK(t, "the view of a part", checkCorner(part))
			}
		})
	}

	t.Run("the first page of several", func(t *testing.T) {
		white := image.NewGray(image.Rect(0, 0, 500, 50))
		draw.Draw(white, white.Bounds(), image.White, image.Point{}, draw.Src)
		file := MultiPageTIFF(corner(240, 160), white, white)
		shows(t, open(t), file, document.Geometry{MediaType: "image/tiff", Width: 240, Height: 160, Pages: 3})
	})

	t.Run("renditions fit and are never larger than the page", func(t *testing.T) {
		s := open(t)
		for _, c := range []struct{ width, height, limit int }{{50, 30, 128}, {30, 50, 128}, {128, 128, 128}, {129, 128, 128},
			{700, 300, 128}, {300, 700, 32}, {1, 1, 128}, {900, 3, 128}, {3, 900, 128}} {
			what := fmt.Sprintf("%d × %d for %d", c.width, c.height, c.limit)
			page := PageOf(PNG(corner(c.width, c.height)))
			r, err := s.Thumbnail(t.Context(), page, c.limit)
			check.OK(t, "Thumbnail of "+what, err)
			_, err = rendered(r, c.width, c.height, c.limit, c.limit)
			check.OK(t, "the thumbnail of "+what, err)
			r, err = s.View(t.Context(), page, document.Box{X2: c.width, Y2: c.height}, c.limit)
			check.OK(t, "View of "+what, err)
			_, err = rendered(r, c.width, c.height, c.limit, unbounded)
			check.OK(t, "the view of "+what, err)
		}
	})

	t.Run("too many pixels, seen in the header", func(t *testing.T) {
		s := open(t)
		for what, file := range bombs() {
			all(t, s, what, file, func(what string, err error) {
				t.Helper()
				check.Code(t, what, err, fault.TooLarge, "too_many_pixels")
			})
		}
	})

	t.Run("what cannot be read", func(t *testing.T) {
		s := open(t)
		for what, file := range notImages() {
			all(t, s, what, file, func(what string, err error) {
				t.Helper()
				check.Kind(t, what, err, fault.Unsupported)
			})
		}
	})

	t.Run("a thumbnail needs the pixels, not only the header", func(t *testing.T) {
		s := open(t)
		_, err := s.Thumbnail(t.Context(), PageOf(brokenPNG()), 128)
		check.Kind(t, "Thumbnail", err, fault.Unsupported)
		_, err = s.View(t.Context(), PageOf(brokenPNG()), document.Box{X2: 20, Y2: 20}, 128)
		check.Kind(t, "View", err, fault.Unsupported)
	})

	t.Run("many pages at once", func(t *testing.T) {
		s := open(t)
		allOK(t, "page", race(racers/2, func(i int) error {
			width, height := 100+10*i, 150
			page := PageOf(PNG(corner(width, height)))
			probe, err := s.Probe(t.Context(), page.File)
			if err != nil {
				return err
			}
			g := probe.Geometry(1)
			if g.Width != width || g.Height != height {
				return fmt.Errorf("got %+v, want %d × %d", g, width, height)
			}
			r, err := s.Thumbnail(t.Context(), page, 64)
			if err != nil {
				return err
			}
			m, err := rendered(r, width, height, 64, 64)
			if err != nil {
				return err
			}
			return checkCorner(m)
		}))
	})
}

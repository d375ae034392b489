package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // formats of sets
	"image/png"
	"io"
	"os"
	"path/filepath"
)

// A twin of a page has the same lines in a form that is easier to read, so that the two can be compared line by line.

// tight returns the page with its lines drawn tightly: the regions of the set that the image is from that lie inside those of the
// page and have the same text. It is false where the page is from no other set.
func (p page) tight() (page, bool, error) {
	home := filepath.Dir(filepath.Dir(p.Image))
	if p.Set == "" || filepath.Base(home) != p.Set || home == p.home {
		return page{}, false, nil
	}
	twin := p
	twin.Regions = nil
	for other, err := range pagesOf(filepath.Join(home, "regions.jsonl")) {
		if err != nil {
			return page{}, false, err
		}
		if other.Image != p.Image {
			continue
		}
		for _, r := range p.Regions {
			for _, candidate := range other.Regions {
				if candidate.Text == r.Text && r.Intersect(candidate.Box) == candidate.Box {
					twin.Regions = append(twin.Regions, candidate)
					break
				}
			}
		}
	}
	if len(twin.Regions) != len(p.Regions) {
		return page{}, false, fmt.Errorf("%s: %d of its %d regions are in the set %s", p.Image, len(twin.Regions), len(p.Regions), p.Set)
	}
	return twin, true, nil
}

// isTurned tells whether the lines of the page run in another direction than to the right.
func (p page) isTurned() bool { return len(p.Regions) > 0 && p.Regions[0].Turned != 0 }

// upright returns the page turned so that its lines run to the right, in a new file of that directory.
func (p page) upright(dir string) (page, error) {
	f, err := os.Open(p.Image)
	if err != nil {
		return page{}, err
	}
	defer f.Close()
	turned, _, err := image.Decode(f)
	if err != nil {
		return page{}, fmt.Errorf("%s: %w", p.Image, err)
	}
	angle := p.Regions[0].Turned
	twin := p
	twin.Image = filepath.Join(dir, "upright.png")
	twin.Width, twin.Height = turned.Bounds().Dx(), turned.Bounds().Dy()
	if angle == 90 || angle == 270 {
		twin.Width, twin.Height = twin.Height, twin.Width
	}
	twin.Regions = nil
	for _, r := range p.Regions {
		if r.Turned != angle {
			return page{}, fmt.Errorf("%s: regions of several directions", p.Image)
		}
		r.Box = r.Box.Turned(angle, turned.Bounds().Dx(), turned.Bounds().Dy())
		r.Turned = 0
		twin.Regions = append(twin.Regions, r)
	}
	out, err := os.Create(twin.Image)
	if err != nil {
		return page{}, err
	}
	err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(out, rotated(turned, angle))
	return twin, errors.Join(err, out.Close())
}

// pagesOf goes through the pages of a set. Their images have paths from where the program runs.
func pagesOf(file string) func(yield func(page, error) bool) {
	return func(yield func(page, error) bool) {
		f, err := os.Open(file)
		if err != nil {
			yield(page{}, err)
			return
		}
		defer f.Close()
		decoder := json.NewDecoder(bufio.NewReader(f))
		for n := 1; ; n++ {
			var p page
			err := decoder.Decode(&p)
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && len(p.Regions) == 0 {
				err = errors.New("no regions")
			}
			if err != nil {
				yield(page{}, fmt.Errorf("%s: page %d: %w", file, n, err))
				return
			}
			p.home = filepath.Dir(file)
			p.Image = filepath.Join(p.home, p.Image)
			if !yield(p, nil) {
				return
			}
		}
	}
}

// twinSide reads the twins of pages with the engine's own workers.
func (b *run) twinSide(engine *side, name string) *side {
	s := *engine
	s.name = name
	switch name {
	case SideTight:
		s.twin = func(_ context.Context, p page) (page, bool, error) { return p.tight() }
	case SideUpright:
		s.twin = func(_ context.Context, p page) (page, bool, error) {
			if !p.isTurned() {
				return page{}, false, nil
			}
			twin, err := p.upright(b.dir)
			return twin, true, err
		}
	}
	return &s
}

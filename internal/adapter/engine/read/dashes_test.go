package read

import (
	"errors"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// narrow is a detector that takes no more than it says.
type narrow int

func (n narrow) Detect(image RGB) ([]Quad, error) {
	if image.Width*image.Height > int(n) {
		return nil, errors.New("too large")
	}
	return nil, nil
}

// Dashes all over a page are looked at by the detector on a smaller scale, where they are small. A stripe of paper between them is looked
// at once, and letters of less than four pixels are none.
func TestAPageOfDashes(t *testing.T) {
	for _, height := range []int{2, 3} {
		s := blank(1100, 1600, 250)
		for y := 15 * height; y < s.Height; y += 15 * height {
			for x := 10 * height; x < s.Width; x += 6 * height {
				s.fill(x, y, x+3*height, y+height, 30)
			}
		}
		got, err := Reader{Engine: &counter{}, Detector: narrow(mostDetected)}.Read(page{s}, recognition.Task{
			Box: document.Box{X1: 30, Y1: 30, X2: s.Width - 30, Y2: s.Height - 30}, Lang: []string{"kor"},
			Effort: recognition.EffortAccurate, Rotate: recognition.RotateAuto})
		if err != nil || got.Text != "" || got.Passes > 30 {
			t.Errorf("%d pixels high: got %q by %d looks, %v", height, got.Text, got.Passes, err)
		}
	}
}

package read

import "slices"

// headlined tells whether one of the languages is written in a script whose letters hang on a line at the top of their word.
func headlined(lang []string) bool {
	return slices.ContainsFunc(lang, func(code string) bool {
		return slices.Contains([]string{"Devanagari", "Bengali", "Gurmukhi"}, scriptOf(code))
	})
}

// The strokes of letters that hang on a headline, in heights of a letter.
const (
	hangs      = 0.25 // how far they go down below the thickness of a rule, at least
	hangsFar   = 1.1  // and at most: uprights of boxes go further
	hangsEvery = 1.6  // from one to the next, on average
	hangsAtEnd = 1.2  // from the ends of the headline, at most
)

// headline tells whether a run is part of a headline and no rule: strokes of letters go down from it from end to end, and few go up.
func (s *scene) headline(r run, thick int) bool {
	down, up := s.strokesAt(r, 1, thick), s.strokesAt(r, -1, thick)
	end := int32(hangsAtEnd * s.letter)
	return len(down) >= 2*max(len(up), 1) && float64(len(down))*hangsEvery*s.letter >= float64(r.x2-r.x1) &&
		down[0]-r.x1 <= end && r.x2-down[len(down)-1] <= end
}

// strokesAt returns where strokes of letters begin, from left to right, that go down from a run, or up with a step of -1.
func (s *scene) strokesAt(r run, step, thick int) (begin []int32) {
	least, most := thick+int(hangs*s.letter), thick+int(hangsFar*s.letter)
	before := false
	for x := r.x1; x < r.x2; x++ {
		n, y := 0, int(r.y)+step
		for ; n <= most && y >= 0 && y < s.height && s.ink[y*s.width+int(x)] != 0; n++ {
			y += step
		}
		is := n >= least && n <= most
		if is && !before {
			begin = append(begin, x)
		}
		before = is
	}
	return begin
}

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
	least, most := thick+int(hangs*s.letter), thick+int(hangsFar*s.letter)
	stroke := func(x, step int) bool {
		n, y := 0, int(r.y)+step
		for ; n <= most && y >= 0 && y < s.height && s.ink[y*s.width+x] != 0; n++ {
			y += step
		}
		return n >= least && n <= most
	}
	down, up, first, last := 0, 0, 0, 0
	var below, above bool
	for x := int(r.x1); x < int(r.x2); x++ {
		was := below
		if below = stroke(x, 1); below && !was {
			if last = x; down == 0 {
				first = x
			}
			down++
		}
		was = above
		if above = stroke(x, -1); above && !was {
			up++
		}
	}
	end := hangsAtEnd * s.letter
	return down >= 2*max(up, 1) && float64(down)*hangsEvery*s.letter >= float64(r.x2-r.x1) &&
		float64(first-int(r.x1)) <= end && float64(int(r.x2)-last) <= end
}

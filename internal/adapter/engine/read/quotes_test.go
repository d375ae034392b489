package read

import "testing"

// written draws a line in which strokes stand for letters, and quotes as they are printed: as wedges, or as dots with a tail.
func written(text string, curly bool, size int) (strip, []letter) {
	s := blank(size*(len(text)+2), 2*size, 240)
	t := strip{gray: s.Gray, paper: 240, ink: float64(size), letter: float64(size)}
	var line []letter
	space := false
	top, w := size/2, max(2, size/5)
	for i, c := range text {
		x := size * (i + 1)
		if c == ' ' {
			space = true
			continue
		}
		line = append(line, letter{text: string(c), space: space, x1: float64(x), x2: float64(x + size/2)})
		space = false
		switch {
		case c != '\'' && c != '"':
			s.fill(x, top, x+size/2, top+size, 20)
			continue
		case c == '"':
			s.quote(x+2*w, top, w, curly)
		}
		s.quote(x, top, w, curly)
	}
	return t, line
}

func (s sheet) quote(x, y, w int, curly bool) {
	s.fill(x, y, x+w, y+w, 20)
	if curly {
		s.fill(x+w/2, y+w, x+w, y+w+w/2, 20)
		s.fill(x, y+w+w/2, x+w/2, y+2*w, 20)
		s.fill(x-w/2, y+2*w-1, x, y+2*w+1, 20)
	} else {
		s.fill(x+w/4, y+w, x+w-w/4, y+2*w, 20)
	}
}

func TestQuotesAsTheyArePrinted(t *testing.T) {
	for _, c := range []struct {
		text, want string
		curly      bool
		size       int
		charset    string
		lang       string
	}{
		{text: `I'm`, want: `I’m`, curly: true, size: 30},
		{text: `I'm`, want: `I'm`, size: 30},
		{text: `"I'm" in ("so")`, want: `“I’m” in (“so”)`, curly: true, size: 30},
		{text: `"I'm" in ("so")`, want: `"I'm" in ("so")`, size: 30},
		{text: `of '90, 'a' he's`, want: `of ’90, ‘a’ he’s`, curly: true, size: 40},
		{text: `so"so"so`, want: `so“so”so`, curly: true, size: 30},
		{text: `I'm`, want: `I'm`, curly: true, size: 10}, // too small to tell
		{text: `I'm`, want: `I'm`, curly: true, size: 30, charset: "Im'"},
		{text: `"l'eau" 'a'`, want: `"l’eau" 'a'`, curly: true, size: 30, lang: "fra"},
	} {
		strip, line := written(c.text, c.curly, c.size)
		if c.lang == "" {
			c.lang = "eng"
		}
		strip.quotes(line, []string{c.lang}, c.charset)
		if got := textOf(line); got != c.want {
			t.Errorf("%q, curly %v, %d pixels high: got %q", c.text, c.curly, c.size, got)
		}
	}
}

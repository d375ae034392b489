package read

import "glyphbox/internal/domain/recognition"

// Prepared is what the engine looks at first for a task: the strips of its lines, one below the other, or the region where the engine
// finds the lines.
func Prepared(page Page, task recognition.Task) (Gray, error) {
	v, err := viewOf(page, task.Box)
	if err != nil {
		return Gray{}, err
	}
	s := v.in(task.Lang).scene()
	if s == nil {
		return page.Gray(task.Box)
	}
	lines := s.lines()
	if len(lines) == 0 || len(lines) > 1 && whole(page, task.Box) {
		sheet, _ := s.sheetOf(v.piece)
		return sheet.border(borderWidth, s.paper), nil
	}
	var strips []Gray
	width, height := 0, 0
	for k := range lines {
		t := s.cut(lines, k, margin)
		g, _ := t.scaled(looks[0])
		strips = append(strips, g)
		width, height = max(width, g.Width), height+g.Height
	}
	all := newGray(width, height)
	for i := range all.Pix {
		all.Pix[i] = s.paper
	}
	top := 0
	for _, g := range strips {
		for y := range g.Height {
			copy(all.row(top+y), g.row(y))
		}
		top += g.Height
	}
	return all, nil
}

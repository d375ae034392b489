package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// TestNumbersOfLists reads pages whose lines begin with a number, or end with a letter, right above one another, which Tesseract takes for
// a rule when it looks for lines.
func TestNumbersOfLists(t *testing.T) {
	e := start(t)
	var before, behind []string
	for n := 1; n <= 9; n++ {
		before = append(before, fmt.Sprintf("%d. The harbour light keeper wrote %d.50 in his log", n, 100+n))
		behind = append(behind, fmt.Sprintf("The harbour light keeper reads it in his log %c", "ABDEFGHKM"[n-1]))
	}
	for _, lines := range [][]string{before, behind} {
		drawn, _ := porttest.DrawLines(lines...)
		page := document.Box{X2: drawn.Bounds().Dx(), Y2: drawn.Bounds().Dy()}
		for _, effort := range []recognition.Effort{recognition.EffortFast, recognition.EffortAccurate} {
			order := orderOf(porttest.PageOf(porttest.PNG(drawn)), page)
			order.Tasks[0].Effort = effort
			readings, err := e.Recognize(t.Context(), order)
			check.OK(t, "Recognize", err)
			got := slices.DeleteFunc(strings.Split(readings[0].Text, "\n"), func(line string) bool { return line == "" })
			check.Same(t, fmt.Sprint(effort), got, lines)
		}
	}
}

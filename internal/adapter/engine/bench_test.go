package engine

import (
	"fmt"
	"testing"

	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// BenchmarkRegion reads one line of an open page, pipes included.
func BenchmarkRegion(b *testing.B) { benchmarkRegion(b, (*Engine).Recognize) }

// BenchmarkRegionPlain reads the same line by the plain loop.
func BenchmarkRegionPlain(b *testing.B) { benchmarkRegion(b, (*Engine).Plain) }

func benchmarkRegion(b *testing.B, read reader) {
	p := start(b, func(o *Options) { o.Workers = 1 })
	ready(b, p)
	const line = "Total amount 1250.00"
	drawn, boxes := porttest.DrawLines(line)
	o := orderOf(porttest.PageOf(porttest.PNG(drawn)), boxes...)
	o.Tasks[0].Shape = recognition.ShapeLine
	for b.Loop() {
		if got := readTexts(b, p, read, o); got[0] != line {
			b.Fatalf("got %q, want %q", got, line)
		}
	}
}

// BenchmarkPage reads a page of lines in one order, on one worker and on two.
func BenchmarkPage(b *testing.B) {
	var lines []string
	for n := range 20 {
		lines = append(lines, fmt.Sprintf("%d boxes of paper at 12.50 each", n+1))
	}
	drawn, boxes := porttest.DrawLines(lines...)
	o := orderOf(porttest.PageOf(porttest.PNG(drawn)), boxes...)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			p := start(b, func(o *Options) { o.Workers = workers })
			ready(b, p)
			for b.Loop() {
				readTexts(b, p, (*Engine).Recognize, o)
			}
			b.ReportMetric(float64(b.N*len(lines))/b.Elapsed().Seconds(), "regions/s")
		})
	}
}

package engine

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// BenchmarkRegion reads one line of an open page, pipes included.
func BenchmarkRegion(b *testing.B) { benchmarkRegion(b, (*Pool).Recognize) }

// BenchmarkRegionPlain reads the same line by the plain loop.
func BenchmarkRegionPlain(b *testing.B) { benchmarkRegion(b, (*Pool).Plain) }

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
				readTexts(b, p, (*Pool).Recognize, o)
			}
			b.ReportMetric(float64(b.N*len(lines))/b.Elapsed().Seconds(), "regions/s")
		})
	}
}

// BenchmarkDecode makes a thumbnail of a JPEG of 12 megapixels, decoded in full and at an eighth.
func BenchmarkDecode(b *testing.B) {
	photo := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range photo.Y {
		photo.Y[i] = uint8(i * i >> 7) // detail everywhere
	}
	for i := range photo.Cb {
		photo.Cb[i], photo.Cr[i] = uint8(i>>9), uint8(i>>11)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, photo, nil); err != nil {
		b.Fatal(err)
	}
	h, err := readHeader(bytes.NewReader(file.Bytes()), int64(file.Len()), 1e9)
	if err != nil {
		b.Fatal(err)
	}
	for _, shrink := range []int{1, jpegShrink(h, 128)} {
		b.Run(fmt.Sprintf("shrink=%d", shrink), func(b *testing.B) {
			for b.Loop() {
				page, err := decode(file.Bytes(), h, shrink)
				if err != nil {
					b.Fatal(err)
				}
				small, err := page.shrinkTo(128, 128)
				if err != nil {
					b.Fatal(err)
				}
				small.close()
				page.close()
			}
		})
	}
}

// BenchmarkProtocol sends a request and its reply with the words of a line through memory.
func BenchmarkProtocol(b *testing.B) {
	word := recognition.Word{Text: "amount", Box: document.Box{X1: 100, Y1: 100, X2: 250, Y2: 140}, Confidence: 0.9876}
	reading := recognition.Reading{Text: "amount amount amount amount amount", Words: []recognition.Word{word, word, word, word, word}, Lang: []string{"eng"}, Engine: engineName}
	task := recognition.Task{Box: word.Box, Lang: []string{"eng"}, Mode: recognition.BestMode}
	var pipe bytes.Buffer
	for b.Loop() {
		var q request
		var r reply
		for _, step := range []struct{ sent, got any }{{request{ID: 1, Op: opRead, Page: "page", Task: task}, &q}, {reply{ID: 1, Reading: &reading}, &r}} {
			if err := writeMessage(&pipe, step.sent); err != nil {
				b.Fatal(err)
			}
			if err := readMessage(&pipe, step.got); err != nil {
				b.Fatal(err)
			}
		}
		if len(r.Reading.Words) != 5 {
			b.Fatal(len(r.Reading.Words))
		}
	}
}

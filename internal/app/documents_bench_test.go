package app

import (
	"fmt"
	"image"
	"image/color"
	"net/http"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
)

// BenchmarkDocument uploads files of 300 pages through the whole service, looks at the first page at once and at page 200 then, and reads
// a line of it. It reports the median of each in milliseconds, of the slowest upload too, which has started the worker, and by how many MB
// the service grew while it took a file.
func BenchmarkDocument(b *testing.B) {
	var typeset strings.Builder
	for n := range 50 {
		typeset.WriteString(porttest.PDFText(50, 780-15*float64(n), 11,
			fmt.Sprintf("Line %d of a page that a program has typeset, with words and numbers", n)))
	}
	drawn, _ := porttest.DrawLines("Minutes of the meeting", "Two boxes of paper", "Total amount 1250.00")
	scan := image.NewGray(image.Rect(0, 0, 1240, 1754))
	for n := range scan.Pix {
		scan.Pix[n] = color.GrayModel.Convert(drawn.At(n%scan.Stride, n/scan.Stride%drawn.Bounds().Dy())).(color.Gray).Y
	}
	for _, c := range []struct {
		name string
		page porttest.PDFPage
		text string // of the line, if it is taken from the text layer
	}{
		{"typeset", porttest.PDFPage{Content: typeset.String()}, "Line 20 of a page that a program has typeset, with words and numbers"},
		{"scanned", porttest.PDFPage{Image: scan, Content: porttest.PDFImage(0, 0, 595, 842)}, ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			ann := start(b, b.TempDir()).signUp("ann")
			pages := slices.Repeat([]porttest.PDFPage{c.page}, 300)
			times := map[string][]time.Duration{}
			timed := func(name string, do func()) {
				began := time.Now()
				do()
				times[name] = append(times[name], time.Since(began))
			}
			grown := uint64(0)
			for n := 0; b.Loop(); n++ {
				pages[299].Content = c.page.Content + porttest.PDFText(50, 20, 9, fmt.Sprint("Copy ", n)) // no file is like another one
				body, contentType := multipartOf(b, "many.pdf", porttest.PDF(pages...))
				b.SetBytes(int64(body.Len()))
				var first api.Image
				stop, before := watchHeap()
				timed("upload", func() {
					created := ann.do(http.StatusCreated, "POST", "/api/v1/image", body, "Content-Type", contentType)
					first = as[api.Image](b, created)
				})
				grown = max(grown, stop()-before)
				if first.Pages != 300 {
					b.Fatalf("got %+v", first)
				}
				view := func(id int64) func() {
					return func() {
						_, err := ann.client().View(b.Context(), id, 1600)
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				timed("first", view(first.ID))
				list, err := ann.client().Pages(b.Context(), first.ID, api.Page{Number: 1, Size: 100})
				if err != nil || len(list.Items) != 100 || list.Items[99].Page != 200 {
					b.Fatalf("got %d pages, %v", len(list.Items), err)
				}
				page := list.Items[99]
				timed("page200", view(page.ID))
				line := api.Request{Regions: []api.Region{{Box: api.Box{X1: page.Width / 20, Y1: page.Height * 351 / 842,
					X2: page.Width * 19 / 20, Y2: page.Height * 366 / 842}}}}
				for range 6 {
					timed("region", func() {
						run, err := ann.client().Recognize(b.Context(), page.ID, line)
						if err != nil || c.text != "" && run.Contents[0].Text != c.text {
							b.Fatalf("got %+v, %v", run, err)
						}
					})
				}
			}
			for name, all := range times {
				slices.Sort(all)
				b.ReportMetric(float64(all[len(all)/2])/float64(time.Millisecond), "ms-"+name)
			}
			b.ReportMetric(float64(slices.Max(times["upload"]))/float64(time.Millisecond), "ms-slowest-upload")
			b.ReportMetric(float64(grown)/1e6, "MB-grown")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// watchHeap returns how many bytes of objects there are, and what tells how many there were at most until then.
func watchHeap() (most func() uint64, now uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	now = sample[0].Value.Uint64()
	end, peak := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		highest := now
		for {
			metrics.Read(sample)
			highest = max(highest, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-end:
				peak <- highest
				return
			}
		}
	}()
	return func() uint64 { close(end); return <-peak }, now
}

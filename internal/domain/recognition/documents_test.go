package recognition_test

import (
	"context"
	"image"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// document uploads a file of n pages, the k-th of which is 100·k pixels wide and 60 high. The one with the number broken cannot be
// rendered.
func (w *world) document(t *testing.T, n, broken int) []document.Image {
	t.Helper()
	var sizes []image.Image
	for k := 1; k <= n; k++ {
		sizes = append(sizes, image.NewGray(image.Rect(0, 0, 100*k, 60)))
	}
	file := porttest.MultiPageTIFF(sizes...)
	if broken != 0 {
		file = porttest.SpoilPage(file, broken)
	}
	first, err := w.images.Upload(t.Context(), w.ann, "scan.tiff", porttest.FileOf(file))
	check.OK(t, "Upload", err)
	pages, _, err := w.images.Pages(t.Context(), w.ann, first.ID, 1, n)
	check.OK(t, "Pages", err)
	return pages
}

func TestRecognizePages(t *testing.T) {
	w := newWorld(t)
	pages := w.document(t, 4, 3)
	read := func(ranges string, regions ...recognition.Region) []recognition.PageRun {
		t.Helper()
		r, err := recognition.ParsePageRanges("pages", ranges)
		check.OK(t, ranges, err)
		runs, err := w.RecognizePages(t.Context(), w.ann, pages[3].ID, r, recognition.Request{Regions: regions, Mode: recognition.BestMode})
		check.OK(t, ranges, err)
		for _, run := range runs {
			check.Same(t, "image", run.ImageID, pages[run.Number-1].ID)
			check.Same(t, "either a version or an error", run.Version == 0, run.Err != nil)
		}
		return runs
	}

	runs := read("all", region(150, 0, 200, 60), region(0, 0, 50, 60))
	check.Same(t, "pages", [4]int{runs[0].Number, runs[1].Number, runs[2].Number, runs[3].Number}, [4]int{1, 2, 3, 4})
	wantFields(t, "a page that is too small", runs[0].Err, "regions[0].x1", "regions[0].x2")
	check.OK(t, "a page that has the regions", runs[1].Err)
	check.Code(t, "a page that cannot be rendered", runs[2].Err, fault.Invalid, "unsupported_image")
	check.OK(t, "a page that has the regions", runs[3].Err)
	run, err := w.Version(t.Context(), w.ann, pages[1].ID, runs[1].Version)
	check.OK(t, "Version", err)
	check.Same(t, "texts", [2]string{run.Contents[0].Text, run.Contents[1].Text}, [2]string{"region 150,0,200,60", "region 0,0,50,60"})
	none, err := w.List(t.Context(), w.ann, pages[0].ID, 0)
	check.OK(t, "List", err)
	check.Same(t, "runs of the page that is too small", len(none), 0)

	runs = read("4,1-2,2")
	check.Same(t, "pages", [3]int{runs[0].Number, runs[1].Number, runs[2].Number}, [3]int{1, 2, 4})
	check.Same(t, "versions", [3]int{runs[0].Version, runs[1].Version, runs[2].Version}, [3]int{1, 2, 2})
	run, err = w.Version(t.Context(), w.ann, pages[3].ID, 2)
	check.OK(t, "Version", err)
	check.Same(t, "the whole page", run.Contents[0].ROI, pages[3].Box())

	runs = read("1", region(0, 0, 400, 60))
	wantFields(t, "a region that is on no page", runs[0].Err, "regions[0].x2")
}

func TestRecognizePagesRefused(t *testing.T) {
	w := newWorld(t)
	pages := w.document(t, 3, 0)
	refused := func(r recognition.Request, ranges ...recognition.PageRange) error {
		_, err := w.RecognizePages(t.Context(), w.ann, pages[0].ID, ranges, r)
		return err
	}
	best := recognition.Request{Mode: recognition.BestMode}
	with := func(change func(*recognition.Request)) recognition.Request {
		r := best
		change(&r)
		return r
	}
	wantFields(t, "no such page", refused(best, recognition.PageRange{First: 2, Last: 4}), "pages")
	wantFields(t, "into", refused(with(func(r *recognition.Request) { r.Into = 1 })), "into")
	wantFields(t, "language", refused(with(func(r *recognition.Request) { r.Lang = []string{"xyz"} })), "lang")
	wantFields(t, "a region without pixels", refused(with(func(r *recognition.Request) {
		r.Regions = []recognition.Region{region(0, 0, 900, 10), region(5, 5, 5, 10)}
	})), "regions[1].x2")
	wantFields(t, "too many regions", refused(with(func(r *recognition.Request) {
		r.Regions = make([]recognition.Region, recognition.MaxRegions+1)
	})), "regions")
	_, err := w.RecognizePages(t.Context(), w.bob, pages[0].ID, nil, best)
	check.Code(t, "a stranger", err, fault.NotFound, "image_not_found")

	many := make([]image.Image, recognition.MaxPages+1)
	for k := range many {
		many[k] = image.NewGray(image.Rect(0, 0, 10, 10))
	}
	first, err := w.images.Upload(t.Context(), w.ann, "book.tiff", porttest.FileOf(porttest.MultiPageTIFF(many...)))
	check.OK(t, "Upload", err)
	_, err = w.RecognizePages(t.Context(), w.ann, first.ID, nil, best)
	wantFields(t, "a page too many", err, "pages")
	if detail := fault.Of(err).Fields[0].Detail; !strings.Contains(detail, "50") || !strings.Contains(detail, "Prefer: respond-async") {
		t.Errorf("%q does not say what is allowed", detail)
	}
	runs, err := w.RecognizePages(t.Context(), w.ann, first.ID, recognition.PageRanges{{First: 2, Last: recognition.MaxPages + 1}}, best)
	check.OK(t, "as many as are allowed", err)
	check.Same(t, "pages", len(runs), recognition.MaxPages)
	for _, run := range runs {
		check.OK(t, "page", run.Err)
	}
}

// slow is an engine that takes its time.
type slow struct {
	recognition.Engine
	time time.Duration
}

func (s slow) Recognize(ctx context.Context, o recognition.Order) ([]recognition.Reading, error) {
	select {
	case <-time.After(s.time):
		return s.Engine.Recognize(ctx, o)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Pages that are not read in time say so; the others are kept.
func TestRecognizePagesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Timeout, w.Engine = 10*time.Second, slow{w.Engine, 4 * time.Second}
		pages := w.document(t, 5, 0)
		regions := make([]recognition.Region, 8) // so that one page is read after the other
		for k := range regions {
			regions[k] = region(10*k, 0, 10*k+10, 60)
		}
		request := recognition.Request{Regions: regions, Mode: recognition.BestMode}
		runs, err := w.RecognizePages(t.Context(), w.ann, pages[0].ID, nil, request)
		check.OK(t, "RecognizePages", err)
		for n, run := range runs {
			if n < 2 {
				check.OK(t, "a page in time", run.Err)
			} else {
				check.Kind(t, "a page too late", run.Err, fault.Deadline)
			}
		}
	})
}

package app

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"glyphbox/internal/porttest"
)

// report gives the median and the 95th percentile of milliseconds as metrics of that name.
func report(b *testing.B, name string, took []float64) {
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], name+"-ms-median")
	b.ReportMetric(took[len(took)*95/100], name+"-ms-p95")
	b.ReportMetric(0, "ns/op") // it says nothing
}

// BenchmarkBrowserRelease measures, on an open page with the service on the same machine, the time from letting go of the mouse to the
// frame that shows the text.
func BenchmarkBrowserRelease(b *testing.B) {
	s := start(b, b.TempDir(), withModels...)
	tab := browse(b, s.base)
	file, at := tab.letter(b.TempDir())
	tab.signUp("ann")
	tab.openPage(s.login("ann", password), file)
	eval[any](tab, `{ window.took = []; let from = 0
		addEventListener('pointerup', () => { from = performance.now() }, true)
		new MutationObserver(() => { if (!from || !document.querySelector('ol > li .text')) return; const began = from; from = 0;
			requestAnimationFrame(() => took.push(performance.now() - began)) }).observe(document.body, { childList: true,
			subtree: true }) }`)
	line, drawn := at["line"], 0
	for b.Loop() {
		for range 100 {
			tab.drag(letterWidth, line[0]-float64(drawn%20), line[1], line[2], line[3])
			drawn++
			tab.until(fmt.Sprintf("took.length === %d", drawn))
			tab.key("z", ctrl)
			tab.until(readings + " === 0")
		}
	}
	report(b, "release-to-text", eval[[]float64](tab, "took"))
}

// worked is how many milliseconds of CPU time the page's thread has taken: all in all with painting, and of that scripts, and styles and
// layout.
func (b tab) worked() (all, scripts, layout float64) {
	b.t.Helper()
	got, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	by := map[string]float64{}
	for _, m := range got.Metrics {
		by[m.Name] = m.Value * 1000
	}
	return by["TaskDuration"], by["ScriptDuration"], by["LayoutDuration"] + by["RecalcStyleDuration"]
}

// BenchmarkBrowserManyRegions measures frames while a page with five thousand regions is moved about and zoomed, and what the page works
// for each, which tells more where others use the machine.
func BenchmarkBrowserManyRegions(b *testing.B) {
	const regions = 5000
	s := start(b, b.TempDir(), append(withModels, "--max-regions", fmt.Sprint(regions), "--request-timeout", "10m")...)
	tab := browse(b, s.base)
	tab.signUp("ann")
	ann := s.login("ann", password)
	image := ann.upload("many.png", porttest.PNG(blank(2000)))
	boxes := make([]object, regions)
	for n := range boxes {
		boxes[n] = object{"x1": n % 100 * 20, "y1": n / 100 * 5, "x2": n%100*20 + 15, "y2": n/100*5 + 4}
	}
	ann.call(200, "POST", path("/image/%d/ocr?effort=fast", image.ID), boxes)
	tab.openImage(image.ID, "")
	tab.shows("5,000 regions")
	devtools(tab, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	var moved, zoomed []float64
	frames := func(name, wheel string) []float64 {
		all, scripts, layout := tab.worked()
		defer func() {
			nowAll, nowScripts, nowLayout := tab.worked()
			b.ReportMetric((nowAll-all)/125, name+"-work-ms")
			b.ReportMetric((nowScripts-scripts)/125, name+"-scripts-ms")
			b.ReportMetric((nowLayout-layout)/125, name+"-layout-ms")
		}()
		return eval[[]float64](tab, `new Promise((done) => { const viewer = document.querySelector('.viewer'), frames = [];
			let last = performance.now()
			const step = (now) => { frames.push(now - last); last = now; const n = frames.length
				viewer.dispatchEvent(new WheelEvent('wheel', { `+wheel+`, clientX: 500, clientY: 400, bubbles: true, cancelable: true }))
				if (n < 125) requestAnimationFrame(step); else done(frames.slice(5)) }
			requestAnimationFrame(step) })`)
	}
	for b.Loop() {
		moved = append(moved, frames("moved", "deltaX: n % 20 < 10 ? 9 : -9, deltaY: 7 * (n % 2 ? 1 : -1)")...)
		zoomed = append(zoomed, frames("zoomed", "ctrlKey: true, deltaY: n % 40 < 20 ? -8 : 8")...)
	}
	report(b, "frame-moved", moved)
	report(b, "frame-zoomed", zoomed)
}

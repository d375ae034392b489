package app

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
)

// beside opens another tab of the same person in the same window.
func (b tab) beside() tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	b.ctx = ctx
	b.do(chromedp.EmulateViewport(1440, 900))
	return b
}

// TestBrowserKeepsRegions leaves a page with regions that have yet to be read. They are there when the page is opened again, and read once,
// whatever became of the request for them, and whoever else has the page open.
func TestBrowserKeepsRegions(t *testing.T) {
	s, b, ann, page, at := openLetter(t, t.TempDir(), briefly()...)
	line, title := at["line"], at["title"]
	contents := func() []api.Content {
		t.Helper()
		runs := versionsOf(ann, page.ID)
		if len(runs) == 0 {
			return nil
		}
		return runs[0].Contents
	}
	draw := func(b tab, box [4]float64) { b.drag(letterWidth, box[0], box[1], box[2], box[3]) }
	below := func(box [4]float64, n float64) [4]float64 {
		return [4]float64{box[0], box[1] + 60*n, box[2], box[3] + 60*n}
	}
	const (
		away = `(path, init) => { if (/[/]ocr[?]/.test(path) && init.method || path === '/ping') return Promise.reject(new TypeError()) }`
		slow = `(path, init) => { if (/[/]ocr[?]/.test(path) && init.method)
			return new Promise((_, no) => init.signal.addEventListener('abort', () => no(init.signal.reason))) }`
		lost = `(path, init) => { if (/[/]ocr[?]/.test(path) && init.method)
			return realFetch(path, init).then((r) => r.text()).then(() => { window.made = true; return new Promise(() => {}) }) }`
	)
	regions := func(b tab, n int) {
		b.t.Helper()
		b.until(fmt.Sprintf("document.querySelectorAll('.region').length === %d", n))
	}
	kept := func(b tab, n int) {
		b.t.Helper()
		b.until(fmt.Sprintf("Object.keys(localStorage).filter((k) => /^unread:.*:region:/.test(k)).length === %d", n))
	}
	read := func(b tab, n int) {
		b.t.Helper()
		regions(b, n)
		b.until("!document.querySelector('.region.busy, .region.failed, [data-saving]')")
		kept(b, 0)
		if c := contents(); len(c) != n {
			t.Fatalf("there are %d contents, want %d", len(c), n)
		}
	}

	for n, kind := range []struct{ name, answer, until string }{
		{"the service is away", away, "document.body.innerText.includes('The service cannot be reached.')"},
		{"the engine is slow", slow, "document.querySelector('.region.busy')"},
		{"the answer is lost", lost, "window.made"},
	} {
		b.fetches(kind.answer)
		draw(b, below(line, float64(2*n)))
		b.key(kb.F2)
		b.until("document.activeElement.matches('li.selected .name')")
		b.key(kind.name + kb.Enter)
		if kind.answer != lost { // of the others the second waits for the first
			draw(b, below(line, float64(2*n+1)))
		}
		b.until(kind.until)
		b.openImage(page.ID, "")
		read(b, []int{2, 4, 5}[n])
		var names []string
		for _, c := range contents() {
			names = append(names, c.Name)
		}
		if runs := versionsOf(ann, page.ID); len(runs) != 1 || names[2*n] != kind.name {
			t.Errorf("where %s there are %d versions and the names %q", kind.name, len(runs), names)
		}
	}
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("z", ctrl)
	read(b, 4)

	// Another tab leaves them to the one that is at it, until that is gone; other people have nothing of them.
	b.fetches(slow)
	draw(b, title)
	kept(b, 1)
	second, other := b.beside(), browse(t, s.base)
	second.openImage(page.ID, "")
	regions(second, 4)
	other.open(fmt.Sprintf("/image/%d", page.ID))
	other.signIn("admin", adminPassword)
	regions(other, 4)
	b.open("/")
	b.shows("keeper’s log")
	read(second, 5)
	regions(other, 5)
	third := second.beside()
	third.openImage(page.ID, "")
	read(third, 5)

	// What was begun with a region goes on: it is moved, deleted while it is read, or nothing once that was called off.
	b.openImage(page.ID, "")
	regions(b, 5)
	before := contents()
	first := func() {
		eval[any](b, "document.querySelector('.viewer').focus()")
		b.key(kb.Escape)
		b.key("]")
		b.until("document.querySelector('#r1.selected')")
	}
	b.fetches(slow)
	first()
	b.key(kb.ArrowDown, shift)
	b.key(kb.Enter)
	kept(b, 1)
	b.openImage(page.ID, "")
	read(b, 5)
	if c := contents()[0]; c.ROI.Y1 != before[0].ROI.Y1+10 || c.Revision != before[0].Revision+1 {
		t.Errorf("of %+v a move made %+v", before[0], c)
	}

	b.fetches(slow)
	first()
	b.key(kb.ArrowDown, shift)
	b.key(kb.Enter)
	kept(b, 1)
	ann.call(http.StatusOK, "PUT", path("/ocr/%s", before[0].ID), object{"text": "Theirs"})
	b.openImage(page.ID, "")
	b.shows("1 unsaved change was dropped: the region was changed elsewhere.")
	if c := contents()[0]; c.Text != "Theirs" || c.ROI.Y1 != before[0].ROI.Y1+10 {
		t.Errorf("a text of somebody else became %+v", c)
	}
	read(b, 5)

	b.fetches(`(path, init) => { if (/[/]ocr[?]/.test(path) && init.method)
		return realFetch(path, init).then((r) => { window.made = true; return new Promise((done) => (window.answers = () => done(r))) }) }`)
	draw(b, below(title, 10))
	b.until("window.made")
	b.key(kb.Delete)
	regions(b, 5)
	kept(b, 0)
	b.openImage(page.ID, "")
	read(b, 5)

	b.fetches(slow)
	draw(b, below(title, 11))
	b.press("Cancel")
	b.shows("Could not be read: Cancelled")
	b.openImage(page.ID, "")
	b.shows("Could not be read: Cancelled")
	if c := contents(); len(c) != 5 {
		t.Errorf("what was called off made %d contents", len(c))
	}
	b.press("Try again")
	read(b, 6)

	// Somebody turned the page meanwhile: the region lies where it was drawn.
	b.fetches(slow)
	draw(b, below(title, 12))
	kept(b, 1)
	drawn := below(title, 12)
	b.open("/")
	ann.call(http.StatusOK, "PUT", path("/image/%d", page.ID), object{"rotation": 90})
	b.openImage(page.ID, "")
	read(b, 7)
	ann.call(http.StatusOK, "PUT", path("/image/%d", page.ID), object{"rotation": 0})
	if c := contents()[6].ROI; float64(c.X1)-drawn[0] > 2 || drawn[0]-float64(c.X1) > 2 || float64(c.Y1)-drawn[1] > 2 ||
		drawn[1]-float64(c.Y1) > 2 {
		t.Errorf("what was drawn at %v is at %+v", drawn, c)
	}
}

// TestBrowserKeepsWholeReadings leaves a page while all of it is read anew, or an older version is restored. Either is done when the page
// is opened again, once, and with the texts that go along, whatever became of it until then.
func TestBrowserKeepsWholeReadings(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir(), briefly()...)
	b.readsTwo(at)
	b.calm()
	first := versionsOf(ann, page.ID)[0]
	const corrected = "Corrected by hand"
	var boxes []object // of a version that has one more
	for n, c := range append(slices.Clone(first.Contents), first.Contents[0]) {
		boxes = append(boxes, object{"x1": c.ROI.X1, "y1": c.ROI.Y1 + 60*(n/2), "x2": c.ROI.X2, "y2": c.ROI.Y2 + 60*(n/2)})
	}
	ann.call(http.StatusOK, "POST", path("/image/%d/ocr", page.ID), boxes)
	newest := 2
	for _, run := range versionsOf(ann, page.ID) {
		ann.call(http.StatusOK, "PUT", path("/ocr/%s", run.Contents[0].ID), object{"text": corrected})
	}
	const (
		slow = `(path, init) => { if (/[/]ocr[?]/.test(path) && init.method) { window.made = true
			return new Promise((_, no) => init.signal.addEventListener('abort', () => no(init.signal.reason))) } }`
		lost = `(path, init) => { if (/[/]ocr[?]/.test(path) && init.method)
			return realFetch(path, init).then((r) => r.text()).then(() => { window.made = true; return new Promise(() => {}) }) }`
		half = `(path, init) => { if (/[/]ocr[/]/.test(path) && init.method === 'PUT') { window.made = true
			return new Promise(() => {}) } }`
		none = "!document.querySelector('.region.busy, [data-saving]') && !Object.keys(localStorage).some((k) => k.startsWith('unread:'))"
	)
	restore := func() {
		b.openImage(page.ID, "?v=1")
		b.shows("Viewing version 1")
	}
	readAll := func() {
		b.openImage(page.ID, "")
		b.until("document.querySelector('#r1 .text')?.innerText === '" + corrected + "'")
		b.press("Reading settings")
	}
	for _, kind := range []struct {
		what string
		open func()
	}{{"Read all again", readAll}, {"Restore this version", restore}} {
		for _, fate := range []string{slow, lost, half} {
			regions := 2
			if kind.what != "Restore this version" {
				regions = 3
			}
			if len(versionsOf(ann, page.ID)[0].Contents) == 2 {
				ann.call(http.StatusOK, "POST", path("/image/%d/ocr?into=%d", page.ID, newest), boxes[2:])
			}
			kind.open()
			b.fetches(fate)
			b.press(kind.what)
			b.until("window.made")
			b.openImage(page.ID, "")
			newest++
			b.until(fmt.Sprintf("document.querySelectorAll('.region').length === %d && %s", regions, none))
			b.until("document.querySelector('#r1 .text')?.innerText === '" + corrected + "'")
			runs := versionsOf(ann, page.ID)
			if len(runs) != newest || len(runs[0].Contents) != regions || runs[0].Contents[0].Text != corrected {
				t.Fatalf("%s, left at\n%s\nmade of %d versions %d, the newest: %+v", kind.what, fate, newest-1, len(runs), runs[0].Contents)
			}
		}
	}

	// What was called off is not gone on with.
	readAll()
	b.fetches(slow)
	b.press("Read all again")
	b.until("window.made")
	b.press("Cancel")
	b.until(none)
	b.openImage(page.ID, "")
	b.until("document.querySelectorAll('.region').length === 2 && " + none)
	if runs := versionsOf(ann, page.ID); len(runs) != newest {
		t.Errorf("what was called off made version %d", runs[0].Version)
	}
}

// TestBrowserReadsIntoNewVersions draws while a version is being made: after a reload, and by reading all again. What is drawn is part of
// it.
func TestBrowserReadsIntoNewVersions(t *testing.T) {
	_, b, ann, letter, at := openLetter(t, t.TempDir(), briefly()...)
	const reading = `window.answer = (path, init) => { if (/[/]ocr[?]/.test(path) && init.method) { answer = () => {}
		return new Promise((go) => (window.release = go)).then(() => realFetch(path, init)) } }
		window.realFetch ??= fetch; window.fetch = (...a) => answer(String(a[0]), a[1] ?? {}) ?? realFetch(...a)`
	draw := func(name string, into, regions int) {
		t.Helper()
		b.until("window.release")
		eval[any](b, "document.querySelector('.viewer').focus()")
		b.key(kb.Escape) // what is selected would be moved
		box := at[name]
		b.drag(letterWidth, box[0], box[1], box[2], box[3])
		b.until(fmt.Sprintf("document.querySelectorAll('.region').length === %d", regions))
		eval[any](b, "release()")
		b.until("!document.querySelector('.region.busy, [data-saving]')")
		if runs := versionsOf(ann, letter.ID); len(runs) != into || len(runs[0].Contents) != regions {
			t.Errorf("there are %d versions, the newest with %d contents", len(runs), len(runs[0].Contents))
		}
	}
	devtools(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: reading})
	b.openImage(letter.ID, "")
	b.press("Read the whole page")
	b.until("window.release")
	b.openImage(letter.ID, "")
	draw("title", 1, 2)
	eval[any](b, "delete window.release; "+reading)
	b.press("Reading settings")
	b.press("Read all again")
	draw("line", 2, 3)

	// What somebody else's reading, or a job, makes of the page meanwhile is offered.
	other := ann.upload("other.png", ann.do(http.StatusOK, "GET", path("/image/%d", letter.ID), nil).body)
	b.openImage(other.ID, "")
	b.drag(letterWidth, at["title"][0], at["title"][1], at["title"][2], at["title"][3])
	b.until("window.release")
	ann.do(http.StatusOK, "POST", path("/image/%d/ocr", other.ID), nil)
	eval[any](b, "release()")
	b.shows("Version 1 was made meanwhile, with regions of its own (1).")
	b.look("overtaken")
	b.press("Work on it")
	b.until("document.querySelector('#r1 .text')?.innerText.includes('almanac') && " + readings + " === 1")

	// So is what has no fewer regions, but not those that were drawn. What has them is shown, which is told.
	b.openImage(other.ID, "")
	b.until(readings + " === 1")
	drawn := versionsOf(ann, other.ID)[0].Contents[0]
	box := func(c api.Content, down int) object {
		return object{"x1": c.ROI.X1, "y1": c.ROI.Y1 + down, "x2": c.ROI.X2, "y2": c.ROI.Y2 + down}
	}
	ann.call(http.StatusOK, "POST", path("/image/%d/ocr", other.ID), []object{box(drawn, 60), box(drawn, 120)})
	b.shows("Version 3 was made meanwhile, with regions of its own (2).")
	b.until(fmt.Sprintf("document.querySelector('#r1 .text')?.innerText === %q && %s === 1", drawn.Text, readings))
	ann.call(http.StatusOK, "POST", path("/image/%d/ocr", other.ID), []object{box(drawn, 0), box(drawn, 60)})
	b.shows("Version 4 was made meanwhile and is shown now.")
	b.until(readings + " === 2 && !document.body.innerText.includes('with regions of its own')")
}

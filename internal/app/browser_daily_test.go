package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
)

// TestBrowserDrawing draws inside and across regions: only what is selected moves, and nothing is read again that did not change.
func TestBrowserDrawing(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	line := at["line"]
	const regions = "document.querySelectorAll('.region').length"

	// After the whole page is read, a drag on it draws; it does not move the page's region and read it again.
	b.press("Read the whole page")
	b.until(regions + " === 1")
	b.calm()
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(regions + " === 2")
	b.calm()
	whole := versionsOf(ann, page.ID)
	if len(whole) != 1 || len(whole[0].Contents) != 2 || whole[0].Contents[1].ROI.X2 >= page.Width {
		t.Fatalf("the drag made %+v", whole)
	}

	// The number of the region that is selected can be read beside its handle.
	b.until("document.querySelector('.labels .chosen text').getBoundingClientRect().left >= " +
		"document.querySelector('.handle.nw').getBoundingClientRect().right")

	// Inside the region that is selected a drag moves it; when it is selected no more, a drag inside it draws another.
	b.drag(letterWidth, line[0]+20, line[1]+10, line[0]+20, line[1]+60)
	b.until("!document.querySelector('.region.busy') && " + regions + " === 2")
	moved := versionsOf(ann, page.ID)[0].Contents[1].ROI
	if was := whole[0].Contents[1].ROI; moved.Y1 <= was.Y1 || moved.Y2-moved.Y1 != was.Y2-was.Y1 {
		t.Errorf("the region was at %v and is at %v", was, moved)
	}
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key(kb.Escape)
	b.until("!document.querySelector('.region.selected')")
	b.drag(letterWidth, line[0]+20, line[1]+55, line[0]+120, line[1]+80)
	b.until(regions + " === 3")
	b.calm()
	if now := versionsOf(ann, page.ID)[0].Contents[1].ROI; now != moved {
		t.Errorf("the region that was not selected went from %v to %v", moved, now)
	}

	// A click selects, and one with Shift adds.
	paper := eval[struct{ X, Y, Width float64 }](b,
		"(({ x, y, width }) => ({ x, y, width }))(document.querySelector('.paper').getBoundingClientRect())")
	click := func(x, y float64, held ...chromedp.MouseOption) {
		b.do(chromedp.MouseClickXY(paper.X+x*paper.Width/letterWidth, paper.Y+y*paper.Width/letterWidth, held...))
	}
	click(letterWidth-20, 1200)
	b.until("document.querySelectorAll('.region.selected').length === 1 && document.querySelector('#r1.selected')")
	click(line[0]+60, line[1]+65, chromedp.ButtonModifiers(kb.ModifierShift))
	b.until("document.querySelectorAll('.region.selected').length === 2")
}

// TestBrowserUndoesCorrections takes corrections back and makes them again, as steps among those of the list.
func TestBrowserUndoesCorrections(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	line := at["line"]
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	const text = "document.querySelector('#r1 .text')?.innerText"
	read := eval[string](b, text)
	correct := func(to string) {
		t.Helper()
		b.retypes(to)
		b.key(kb.Enter, ctrl)
		b.until(fmt.Sprintf("%s === %q && document.activeElement.matches('.viewer')", text, to))
	}
	correct("once")
	correct("twice")
	b.key("z", ctrl)
	b.until(text + " === 'once'")
	b.key("z", ctrl)
	b.until(fmt.Sprintf("%s === %q && document.querySelectorAll('.region').length === 1", text, read))
	b.key("y", ctrl)
	b.key("y", ctrl)
	b.until(text + " === 'twice'")
	b.until("!document.querySelector('.kept')")
	stored := func() api.Content { return versionsOf(ann, page.ID)[0].Contents[0] }
	b.until("!document.querySelector('[data-saving]')")
	if c := stored(); c.Text != "twice" {
		t.Errorf("the service has %+v", c)
	}

	// Somebody else's change is not undone: it is shown, and said.
	b.do(chromedp.Reload())
	b.until(text + " === 'twice'")
	correct("thrice")
	ann.call(200, "PUT", path("/ocr/%s", stored().ID), object{"text": "Theirs"})
	b.key("z", ctrl)
	b.shows("This text was changed elsewhere.")
	b.until(text + " === 'Theirs'")
	if c := stored(); c.Text != "Theirs" {
		t.Errorf("the service has %+v", c)
	}
}

// TestBrowserFailedRegions sees that a page with a region that failed does not claim that nothing is doubtful.
func TestBrowserFailedRegions(t *testing.T) {
	_, b, _, _, at := openLetter(t, t.TempDir())
	line, title := at["line"], at["title"]
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	b.shows("No doubtful words")
	b.fetches(`(path) => { if (path.includes('/ocr?')) return Promise.resolve(new Response(JSON.stringify({ code: 'internal', detail: ` +
		`'No.' }), { status: 500 })) }`)
	b.drag(letterWidth, title[0], title[1], title[2], title[3])
	b.shows("1 not read")
	if eval[bool](b, "document.querySelector('.foot').innerText.includes('No doubtful words')") {
		t.Error("it says that no words are doubtful while a region failed")
	}

	// What would fail again is not offered to be tried again.
	const retry = "[...document.querySelectorAll('#r2 button')].some((e) => e.innerText === 'Try again')"
	b.until(retry)
	b.fetches(`(path) => { if (path.includes('/ocr?')) return Promise.resolve(new Response(JSON.stringify({ code: 'too_many_pixels', ` +
		`detail: 'Too many pixels.' }), { status: 422 })) }`)
	b.enter("Try again")
	b.until("document.querySelector('#r2').innerText.includes('Too many pixels.') && !" + retry)
	b.until("document.activeElement === document.querySelector('#r2')") // the button is gone

	// On a phone everything can be hit with a finger, and what saves is not below the list.
	b.fetches("() => undefined")
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateTouch, chromedp.EmulateMobile))
	small := func(where string) {
		t.Helper()
		if found := eval[[]string](b, `[...document
			.querySelectorAll('button, select, .item, input:not([type=checkbox]):not([type=radio]):not([hidden])')]
			.filter((e) => e.offsetParent !== null && !e.matches('.link, .show'))
			.filter((e) => { const r = e.getBoundingClientRect(); return r.width < 44 || r.height < 44 }).map((e) => e.outerHTML.slice(0,
				120))`); len(found) > 0 {
			t.Errorf("%s has targets smaller than 44 pixels: %q", where, found)
		}
	}
	small("the page")
	b.press("Reading settings")
	small("the settings")
	b.key(kb.Escape)
	b.edits()
	b.key("a", ctrl)
	// The lines that are typed stay above what saves, whatever was in sight before.
	const above = "document.querySelector('#r1 textarea').getBoundingClientRect().bottom - 8 <= " +
		"document.querySelector('#r1 .save').getBoundingClientRect().top"
	for n := range 12 {
		eval[any](b, "document.querySelector('.list').scrollTop = 0")
		b.key("a line of text that is long enough" + kb.Enter)
		if !eval[bool](b, above) {
			t.Errorf("line %d is typed below what saves", n+1)
		}
	}
	eval[any](b, "document.querySelector('.list').scrollTop = 0")
	b.until("(() => { const save = document.querySelector('#r1 .save button').getBoundingClientRect(), list = " +
		"document.querySelector('.list').getBoundingClientRect(); return save.bottom <= list.bottom && save.top >= list.top })()")
	b.accessible("editing on a phone")
	b.open("/")
	b.until("document.querySelector('a.name')")
	small("the library")
}

// TestBrowserOtherReadings shows who read a word and what others read in its place, and takes that by key, by click and by touch.
func TestBrowserOtherReadings(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())

	// The second word was read as something else too, and is in doubt.
	b.fetches(`(path, init) => { if (path.includes('/ocr?')) return realFetch(path, init).then(async (r) => { const list = await r.json()
		for (const c of list) c.words = c.words.map((w, n) => ({ ...w, engine: 'first 1.0', confidence: n === 1 ? 0.6 : 0.95,
			candidates: n === 1 ? [{ engine: 'second 2.0', text: 'Other', confidence: 0.4 }] : [] }))
		return new Response(JSON.stringify(list), { status: 200 }) }) }`)
	line := at["line"]
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 700, 880))
	const text = "document.querySelector('#r1 .text')?.innerText"
	const word = "document.querySelector('#r1 [data-word=\"1\"]')"
	const sheet = "document.querySelector('.others')"
	read := eval[string](b, text)
	other := strings.Replace(read, strings.Fields(read)[1], "Other", 1)
	stored := func() string { return versionsOf(ann, page.ID)[0].Contents[0].Text }
	taken := func(how string) {
		t.Helper()
		b.until(fmt.Sprintf("%s === %q && !%s", text, other, sheet))
		b.shows("Corrected")
		if now := stored(); now != other {
			t.Errorf("by %s, the service has %q", how, now)
		}
		eval[any](b, "document.querySelector('.viewer').focus()")
		b.key("z", ctrl)
		b.until(fmt.Sprintf("%s === %q", text, read))
		b.press("Actions for region 1")
		b.press("Read again")
		b.until(word + "?.getAttribute('role') === 'button' && !document.querySelector('.region.busy')")
	}
	middle := func(of string) (x, y float64) {
		p := eval[[2]float64](b, "((r) => [r.x + r.width / 2, r.y + r.height / 2])("+of+".getBoundingClientRect())")
		return p[0], p[1]
	}

	// The pointer shows it, and may go from the word to what it shows.
	x, y := middle(word)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
	b.until(sheet + "?.innerText.includes('first 1.0 · 60%') && " + sheet + ".innerText.includes('second 2.0 · 40%')")
	b.look("other-readings")
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 700, 880))
	b.until("!" + sheet)
	x, y = middle(word)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
	b.until(sheet)
	edge := eval[float64](b, sheet+".getBoundingClientRect().top + 3")
	for at := y; at < edge; at++ {
		b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, at))
	}
	x, y = middle(sheet + ".querySelector('.item')")
	b.do(chromedp.MouseClickXY(x, y))
	taken("click")

	// The keys lead to it by the doubtful words and by Tab. T takes it; Down leads from the word to what can be taken, Escape back.
	b.key(".")
	b.until(sheet)
	b.key("t")
	taken("T")
	eval[any](b, word+".focus()")
	b.key(kb.ArrowDown)
	b.until("document.activeElement.matches('.others .item')")
	b.key(kb.Escape)
	b.until("document.activeElement === " + word)
	b.key(kb.ArrowDown)
	b.until("document.activeElement.matches('.others .item')")
	b.key(kb.Enter)
	taken("Enter")

	// A finger opens it, and takes it with another touch.
	tap := func(of string) {
		x, y := middle(of)
		b.touch([]*input.TouchPoint{{X: x, Y: y}})
	}
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateTouch, chromedp.EmulateMobile))
	tap(word)
	b.until(sheet)
	tap(sheet + ".querySelector('.item')")
	taken("touch")
}

// TestBrowserSeveralRegions aligns, distributes, copies and pastes regions, on one page and on the next of the library.
func TestBrowserSeveralRegions(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	type box struct{ X1, Y1, X2, Y2 int }
	boxes := func() []box {
		return eval[[]box](b, "[...document.querySelectorAll('.region rect')].map(({ x, y, width, height }) => ({ X1: x.baseVal.value, "+
			"Y1: y.baseVal.value, X2: x.baseVal.value + width.baseVal.value, Y2: y.baseVal.value + height.baseVal.value }))")
	}
	line := at["line"]
	for n, left := range []float64{110, 140, 125} {
		top := line[1] + []float64{0, 300, 500}[n]
		b.drag(letterWidth, left, top, left+200, top+40)
		b.until(fmt.Sprintf("document.querySelectorAll('.region').length === %d", n+1))
		b.calm()
	}
	labels := "[...document.querySelectorAll('.labels text')].map((e) => e.textContent).join()"
	b.until(labels + " === '1,2,3'")
	b.key(kb.F2)
	b.until("document.activeElement.matches('#r3 .name')")
	b.key("total" + kb.Enter)
	b.until(labels + " === '1,2,3 total'")

	b.key("a", ctrl)
	b.press("Align")
	b.press("Align left edges")
	b.until("new Set([...document.querySelectorAll('.region rect')].map((e) => e.x.baseVal.value)).size === 1")
	b.calm()
	b.press("Align")
	b.press("Distribute vertically")
	b.calm()
	placed := boxes()
	if a, c := placed[1].Y1-placed[0].Y2, placed[2].Y1-placed[1].Y2; a-c > 1 || c-a > 1 {
		t.Errorf("the gaps are %d and %d pixels", a, c)
	}
	b.look("several-regions")

	// Close up, all three fill the window.
	b.key("z")
	b.until("(([a, z]) => a.getBoundingClientRect().top < 130 && z.getBoundingClientRect().bottom > " +
		"700)([document.querySelectorAll('.region')[0], document.querySelectorAll('.region')[2]])")
	b.key("0")

	// A page of the library that was added later comes before; the regions lie there at their places, with their names.
	other := ann.upload("another letter.png", porttest.PNG(blank(letterWidth/2)))
	b.key("c", ctrl)
	b.shows("3 regions copied")
	b.key(kb.PageUp)
	b.until(fmt.Sprintf("location.pathname.endsWith('/%d') && document.querySelector('.paper .base')?.naturalWidth > 0", other.ID))
	b.key("v", ctrl)
	b.until("document.querySelectorAll('.region').length > 0")
	b.calm()
	pasted := boxes()
	if len(pasted) != 2 || pasted[0].X1 != (placed[0].X1+1)/2 || pasted[0].Y1 != (placed[0].Y1+1)/2 {
		t.Errorf("of %v at a page of half the size there is %v", placed, pasted)
	}
	b.key(kb.PageDown)
	b.until(fmt.Sprintf("location.pathname.endsWith('/%d') && document.querySelectorAll('.region').length === 3", page.ID))
	b.key("v", ctrl)
	b.until("document.querySelectorAll('.region').length === 6")
	b.calm()
	if again := boxes()[3:]; again[0].Y1 == placed[0].Y1 || again[0].X1 != placed[0].X1 {
		t.Errorf("copies of %v lie at %v", placed, again)
	}
	b.until("[...document.querySelectorAll('ol > li .name')].map((e) => e.value).join() === ',,total,,,total'")
	b.key(kb.PageDown)
	b.shows("This is the last page.")

	// As a list of lines, of which the selected one is open.
	b.key(kb.Escape)
	b.press("Compact list")
	b.until("document.querySelectorAll('li[id^=r]').length === 6 && !document.querySelector('li .line')")
	b.key("]")
	b.until("document.querySelectorAll('li .line').length === 1")
	b.look("compact-list")

	// The text takes as much room as it is given, also after a reload.
	broad := "document.querySelector('section.panel').offsetWidth"
	eval[any](b, "document.querySelector('[role=separator]').focus()")
	b.key(kb.ArrowLeft)
	b.until(broad + " === 420")
	b.do(chromedp.Reload())
	b.until(broad + " === 420")
}

// TestBrowserTurnsPages turns a page that lies on its side; what is on it turns along, and can be turned back.
func TestBrowserTurnsPages(t *testing.T) {
	s, b, ann, page, at := openLetter(t, t.TempDir())
	line := at["line"]
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	b.drag(letterWidth, 500, 1200, 800, 1260)
	b.shows("No text found here.")
	other := browse(t, s.base)
	other.open(fmt.Sprintf("/image/%d", page.ID))
	other.signIn("admin", adminPassword)
	other.until(readings + " === 1")
	other.retypes("Typed")
	eval[any](b, "{ window.asked = []; const realFetch = fetch; window.fetch = (...a) => { window.asked.push((a[1]?.method ?? 'GET') + "+
		"' ' + a[0].replace(/.*v1/, '')); return realFetch(...a) } }")
	text := eval[string](b, "document.querySelector('#r1 .text').innerText")
	const place = "(({ x, y }) => [x.baseVal.value, y.baseVal.value].join())(document.querySelector('.region rect'))"
	before := eval[string](b, place)
	b.press("Turn the page")
	b.until("document.querySelector('.paper .base')?.naturalWidth === 1300 && document.querySelector('#r1 .text')")
	if now := as[api.Image](t, ann.do(200, "GET", path("/image/%d/meta", page.ID), nil)); now.Rotation != 90 {
		t.Errorf("the page is turned by %d", now.Rotation)
	}
	roi := versionsOf(ann, page.ID)[0].Contents[0].ROI
	b.until(fmt.Sprintf("%s === '%d,%d' && document.querySelector('#r1 .text').innerText === %q", place, roi.X1, roi.Y1, text))
	b.until("(({ width, height }) => width < height)(document.querySelector('#r2 svg.line').viewBox.baseVal)") // nobody knows what is up
	b.look("turned-page")

	// Another user sees it, with what they type; the one who turned it does not fetch it again.
	const turned = "document.querySelector('.paper .base')?.naturalWidth === 1300 && " + place + " === '%d,%d'"
	other.until(fmt.Sprintf(turned, roi.X1, roi.Y1))
	other.until("document.activeElement.matches('#r1 textarea') && document.activeElement.value === 'Typed'")
	other.shows("The page was turned elsewhere.")
	ann.call(200, "PUT", path("/ocr/%s", versionsOf(ann, page.ID)[0].Contents[0].ID), object{"name": "told"})
	b.until("document.querySelector('#r1 .name').value === 'told'") // so what was told before has been heard
	if asked := eval[[]string](b, fmt.Sprintf("window.asked.filter((a) => a === 'GET /image/%d/meta')", page.ID)); len(asked) > 0 {
		t.Errorf("who turned the page asked for %q", asked)
	}
	const apart = "(([a, b]) => a.height > 0 && (a.bottom <= b.top || a.top >= b.bottom))(['.notes', '.tools'].map((s) => " +
		"document.querySelector(s).getBoundingClientRect()))"
	b.until(apart)
	b.do(chromedp.EmulateViewport(390, 844))
	b.until(apart)
	b.press("Reading settings")
	b.until(button("Turn the page"))
	b.look("turn-on-a-phone")
	b.press("Reading settings")
	b.do(chromedp.EmulateViewport(1440, 900))
	b.press("Undo")
	const back = "document.querySelector('.paper .base')?.naturalWidth === 1000 && %s === %q"
	b.until(fmt.Sprintf(back+" && document.querySelector('#r1 .text')?.innerText === %q", place, before, text))
	other.until(fmt.Sprintf(back, place, before))
}

// doubting makes the second and the third word of each text doubtful, on their way to the page.
const doubting = `(path, init) => { if (/\/ocr(\?|\/|$)/.test(path)) return realFetch(path, init).then(async (r) => {
	if (r.status !== 200 || !r.headers.get('Content-Type')?.includes('json')) return r
	const got = await r.json()
	for (const c of [got].flat().flatMap((x) => x.contents ?? [x])) c.words?.forEach((w, n) => { if (w.engine && (n === 1 ||
		n === 2)) w.confidence = 0.4 })
	return new Response(JSON.stringify(got), { status: 200, headers: r.headers }) }) }`

// TestBrowserProofreading goes from one doubtful word to the next: one is right, one is written anew, one is skipped, and a page is
// confirmed.
func TestBrowserProofreading(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	b.fetches(doubting)
	b.readsTwo(at)
	b.calm()
	b.shows("4 doubtful words")
	words := func(region int) []api.Word { return versionsOf(ann, page.ID)[0].Contents[region].Words }
	second := words(1)

	// The first word is right, as Enter says; the page shows it close by.
	const field = "document.querySelector('input.walk')"
	standsAt := func(word string, progress string) {
		t.Helper()
		b.until(fmt.Sprintf("document.activeElement === %s && %s.value === %q && document.querySelector('.foot').innerText.includes(%q)",
			field, field, word, progress))
	}
	b.key(kb.Escape)
	b.press("Proofread")
	first := words(0)
	standsAt(first[1].Text, "1 of 4")
	b.until("(({ height }) => height > 17)(document.querySelector('.mark.lit').getBoundingClientRect())")
	b.look("proofreading")
	b.key(kb.Enter)
	standsAt(first[2].Text, "2 of 4")

	// The second is written anew, the third skipped, the fourth right; then the third is left.
	b.key("Harbor" + kb.Enter)
	standsAt(second[1].Text, "3 of 4")
	b.key(kb.ArrowDown, alt)
	standsAt(second[2].Text, "4 of 4")
	b.key(kb.Enter)
	standsAt(second[1].Text, "4 of 4")
	b.key(kb.Enter)
	b.shows("All doubtful words are checked.")
	b.until("!" + field + " && !document.querySelector('.doubtful')")
	b.until("document.querySelector('#r1 .text').innerText.includes('Harbor')")

	// The service has stored it: confirmations of one text within a moment are one revision.
	b.press("Confirm page")
	b.shows("Page confirmed")
	b.press("Export")
	eval[any](b, "{ const make = URL.createObjectURL; URL.createObjectURL = (x) => { x.text().then((s) => { window.exported = s }); "+
		"return make(x) } }")
	b.press("Regions as CSV")
	b.until("window.exported?.includes('Harbor')")
	run := versionsOf(ann, page.ID)[0]
	for n, c := range run.Contents {
		if !c.Confirmed || c.ConfirmedBy == nil || c.ConfirmedBy.ID != run.User.ID {
			t.Errorf("region %d is not confirmed: %+v", n+1, c)
		}
	}
	if w := run.Contents[1].Words; !w[1].Confirmed || !w[2].Confirmed || w[0].Confirmed {
		t.Errorf("the words of region 2 are %+v", w)
	}
	if c := run.Contents[0]; !strings.Contains(c.Text, "Harbor") || !c.Words[1].Confirmed {
		t.Errorf("region 1 is %+v", c)
	}
	if n := run.Contents[1].Revision; n > 4 {
		t.Errorf("there are %d revisions of region 2", n)
	}

	// Undone one by one, also after a reload.
	b.do(chromedp.Reload())
	b.shows("Page confirmed")
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("z", ctrl)
	b.until("!document.body.innerText.includes('Page confirmed') && !document.querySelector('[data-saving]')")
	if c := versionsOf(ann, page.ID)[0].Contents[0]; c.Confirmed || !strings.Contains(c.Text, "Harbor") {
		t.Errorf("after the undo region 1 is %+v", c)
	}
	ann.call(200, "PUT", path("/ocr/%s", run.Contents[0].ID), object{"confirmed": true})
	b.press("Back to the library")
	b.shows("1 of 2 confirmed")
	b.look("library-confirmed")
}

// TestBrowserReloads loads the page anew after each thing that is done to it, and sees that nothing differs.
func TestBrowserReloads(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	line, title := at["line"], at["title"]
	const seen = `JSON.stringify([[...document.querySelectorAll('.region rect')].map(({ x, y, width, height }) => [x, y, width,
		height].map((v) => v.baseVal.value)),
		[...document.querySelectorAll('ol > li')].map((e) => [e.querySelector('.name').value, e.querySelector('.text')?.innerText ?? '',
			e.querySelector('.conf')?.innerText ?? '', e.querySelector('[role=alert]')?.innerText ?? ''])])`
	after := func(what, done string) {
		t.Helper()
		// what is shown at once is at the server a moment later
		b.until(done + " && !document.querySelector('.region.busy, [data-saving]')")
		before := eval[string](b, seen)
		b.do(chromedp.Reload())
		b.until("document.querySelector('.paper .base')?.naturalWidth > 0")
		b.until(fmt.Sprintf("%s === %q", seen, before))
		eval[any](b, "document.querySelector('.viewer').focus()")
		if n := len(versionsOf(ann, page.ID)); n > 1 {
			t.Errorf("after %s there are %d versions", what, n)
		}
	}
	regions := func(n int) string { return fmt.Sprintf("document.querySelectorAll('.region').length === %d", n) }
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	after("drawing", regions(1)+" && "+readings+" === 1")
	b.drag(letterWidth, title[0], title[1], title[2], title[3])
	after("drawing another", regions(2)+" && "+readings+" === 2")
	first := func() {
		b.key(kb.Escape)
		b.key("]")
	}
	first()
	b.key(kb.F2)
	b.until("document.activeElement.matches('#r1 .name')")
	b.key("date" + kb.Enter)
	after("naming", "document.querySelector('#r1 .name').value === 'date'")
	first()
	b.key(kb.Enter)
	b.until("document.activeElement.matches('#r1 textarea')")
	b.key("a", ctrl)
	b.key("By hand")
	b.key(kb.Enter, ctrl)
	after("correcting", "document.querySelector('#r1 .text')?.innerText === 'By hand'")
	b.key("z", ctrl)
	after("undoing", "document.querySelector('#r1 .text')?.innerText !== 'By hand'")
	b.key("y", ctrl)
	after("redoing", "document.querySelector('#r1 .text')?.innerText === 'By hand'")
	first()
	b.key("]")
	b.key(kb.ArrowDown, shift)
	b.key(kb.Enter)
	after("moving", "!document.querySelector('.region.busy')")
	first()
	b.key(kb.Delete)
	after("deleting", regions(1))
	b.key("z", ctrl)
	after("having back", regions(2)+" && document.querySelector('#r1 .name').value === 'date'")
	first()
	b.key("d", ctrl)
	after("duplicating", regions(3))
	b.key("z", ctrl)
	after("taking the copy back", regions(2))
	first()
	b.key(kb.Delete)
	b.press("Undo")
	after("bringing back", regions(2)+" && document.querySelector('#r1 .text')")
	b.key("a", ctrl)
	b.key(kb.ArrowDown, shift)
	b.key(kb.Enter)
	after("moving several", "document.querySelectorAll('.region.selected').length === 2")
	b.press("Actions for region 1")
	b.press("Confirm text")
	after("confirming", "document.querySelector('#r1').innerText.includes('Confirmed')")
	b.press("Actions for region 1")
	b.press("Remove confirmation")
	after("taking the confirmation back", "!document.querySelector('#r1').innerText.includes('Confirmed')")
	b.press("Confirm page")
	after("confirming the page", "document.body.innerText.includes('Page confirmed')")
	b.fetches(`(path, init) => { if (/[/]ocr[?]/.test(path) && init.method)
		return new Promise((_, no) => init.signal.addEventListener('abort', () => no(init.signal.reason))) }`)
	b.drag(letterWidth, line[0], line[1]+500, line[2], line[3]+500)
	b.press("Cancel")
	after("calling off", regions(3)+" && document.querySelector('#r3 [role=alert]')")
	b.press("Actions for region 3")
	b.press("Delete")
	after("deleting what has no text", regions(2))
	b.press("Turn the page")
	after("turning", "document.querySelector('.paper .base')?.naturalWidth === 1300")
	b.press("Turn the page")
	after("turning again", "document.querySelector('.paper .base')?.naturalWidth === 1000")
	b.key("a", ctrl)
	b.key("c", ctrl)
	b.shows("2 regions copied")
	b.press("Actions for region 2")
	b.press("Delete permanently …")
	b.press("Delete permanently")
	after("deleting for good", regions(1))
	page = ann.upload("other.png", ann.do(200, "GET", path("/image/%d", page.ID), nil).body)
	b.openImage(page.ID, "")
	b.key("v", ctrl)
	after("pasting on another page", regions(2))
}

// TestBrowserLostAnswers loses the answer to an upload, and to reading regions, that the service has done: the page does not do it twice.
func TestBrowserLostAnswers(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	file, at := b.letter(t.TempDir())
	b.signUp("ann")
	ann := s.login("ann", password).client()
	eval[any](b, `{ const send = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send = function (body) {
		XMLHttpRequest.prototype.send = send; this.onload = this.onerror; send.call(this, body) } }`)
	b.upload(file)
	b.shows("1 page")
	b.until("document.querySelector('progress') === null")
	images, err := ann.Images(t.Context(), api.ImageQuery{})
	if got := ok(t, images, err).Items; len(got) != 1 {
		t.Fatalf("there are %d images, want 1", len(got))
	}
	id := images.Items[0].ID
	contents := func() int {
		t.Helper()
		runs, err := ann.Runs(t.Context(), id, 0)
		return len(ok(t, runs, err)[0].Contents)
	}
	b.open(fmt.Sprintf("/image/%d", id))
	for n, name := range []string{"title", "line"} { // a new version, and a region more in it
		eval[any](b, `{ window.lost = 0; const real = fetch; window.fetch = async (...a) => { const r = await real(...a);
			if (lost === 0 && a[1]?.method === 'POST' && String(a[0]).includes('/ocr?')) { lost = 1; throw new TypeError('lost') }
			return r } }`)
		b.until("document.querySelector('.paper')")
		line := at[name]
		b.drag(letterWidth, line[0], line[1], line[2], line[3])
		b.until(fmt.Sprintf("lost === 1 && document.querySelectorAll('li .text').length === %d && !document.querySelector('[data-saving]')",
			n+1))
		if got := contents(); got != n+1 {
			t.Errorf("there are %d contents, want %d", got, n+1)
		}
		b.do(chromedp.Reload())
		b.until(fmt.Sprintf("document.querySelectorAll('.region').length === %d", n+1))
	}
}

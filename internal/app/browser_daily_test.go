package app

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
)

// TestBrowserDrawing draws inside and across regions: only what is selected moves, and nothing is read again that did not change.
func TestBrowserDrawing(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	file, width, at := b.letter(t.TempDir())
	b.signUp("ann")
	ann := s.login("ann", password)
	page := b.openPage(ann, file)
	line := at["line"]
	const regions = "document.querySelectorAll('.region').length"

	// After the whole page is read, a drag on it draws; it does not move the page's region and read it again.
	b.press("Read the whole page")
	b.until(regions + " === 1")
	b.calm()
	b.drag(width, line[0], line[1], line[2], line[3])
	b.until(regions + " === 2")
	b.calm()
	whole := versionsOf(ann, page.ID)
	if len(whole) != 2 || len(whole[0].Contents) != 1 || whole[0].Contents[0].ROI.X2 >= page.Width {
		t.Fatalf("the drag made %+v", whole)
	}

	// Inside the region that is selected a drag moves it; when it is selected no more, a drag inside it draws another.
	b.drag(width, line[0]+20, line[1]+10, line[0]+20, line[1]+60)
	b.until("!document.querySelector('.region.busy') && " + regions + " === 2")
	moved := versionsOf(ann, page.ID)[0].Contents[0].ROI
	if was := whole[0].Contents[0].ROI; moved.Y1 <= was.Y1 || moved.Y2-moved.Y1 != was.Y2-was.Y1 {
		t.Errorf("the region was at %v and is at %v", was, moved)
	}
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key(kb.Escape)
	b.until("!document.querySelector('.region.selected')")
	b.drag(width, line[0]+20, line[1]+55, line[0]+120, line[1]+80)
	b.until(regions + " === 3")
	b.calm()
	if now := versionsOf(ann, page.ID)[1].Contents[0].ROI; now != moved {
		t.Errorf("the region that was not selected went from %v to %v", moved, now)
	}

	// A click selects, and one with Shift adds.
	paper := eval[struct{ X, Y, Width float64 }](b, "(({ x, y, width }) => ({ x, y, width }))(document.querySelector('.paper').getBoundingClientRect())")
	click := func(x, y float64, held ...chromedp.MouseOption) {
		b.do(chromedp.MouseClickXY(paper.X+x*paper.Width/width, paper.Y+y*paper.Width/width, held...))
	}
	click(width-20, 1200)
	b.until("document.querySelectorAll('.region.selected').length === 1 && document.querySelector('#r1.selected')")
	click(line[0]+60, line[1]+65, chromedp.ButtonModifiers(kb.ModifierShift))
	b.until("document.querySelectorAll('.region.selected').length === 2")
}

// TestBrowserUndoesCorrections takes corrections back and makes them again, as steps among those of the list.
func TestBrowserUndoesCorrections(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	file, width, at := b.letter(t.TempDir())
	b.signUp("ann")
	ann := s.login("ann", password)
	page := b.openPage(ann, file)
	line := at["line"]
	b.drag(width, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	const text = "document.querySelector('#r1 .text')?.innerText"
	read := eval[string](b, text)
	correct := func(to string) {
		t.Helper()
		eval[any](b, "document.querySelector('#r1 .edit').click()")
		b.until("document.activeElement.matches('#r1 textarea')")
		b.key("a", ctrl)
		b.key(to)
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
	// The page shows it at once; the service has it when the revision is there.
	b.until("fetch('/ping').then(() => true)")
	if c := stored(); c.Text != "twice" && c.Text != "once" {
		t.Errorf("the service has %+v", c)
	}

	// Somebody else's change is not undone: it is shown, and said.
	b.do(chromedp.Reload())
	b.until(text + " === 'twice'")
	correct("thrice")
	ann.call(200, "PUT", path("/ocr/%s", stored().ID), object{"text": "Theirs"})
	b.key("z", ctrl)
	b.shows("Someone else changed this text.")
	b.until(text + " === 'Theirs'")
	if c := stored(); c.Text != "Theirs" {
		t.Errorf("the service has %+v", c)
	}
}

// TestBrowserFailedRegions sees that a page with a region that failed does not claim that nothing is doubtful.
func TestBrowserFailedRegions(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	file, width, at := b.letter(t.TempDir())
	b.signUp("ann")
	b.openPage(s.login("ann", password), file)
	line, title := at["line"], at["title"]
	b.drag(width, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	b.shows("No doubtful words")
	b.fetches(`(path) => { if (path.includes('/ocr?')) return Promise.resolve(new Response(JSON.stringify({ code: 'internal', detail: 'No.' }), { status: 500 })) }`)
	b.drag(width, title[0], title[1], title[2], title[3])
	b.shows("1 not read")
	if eval[bool](b, "document.querySelector('.foot').innerText.includes('No doubtful words')") {
		t.Error("it says that no words are doubtful while a region failed")
	}

	// On a phone everything can be hit with a finger, and what saves is not below the list.
	b.fetches("() => undefined")
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateTouch, chromedp.EmulateMobile))
	small := func(where string) {
		t.Helper()
		if found := eval[[]string](b, `[...document.querySelectorAll('button, select, .item, input:not([type=checkbox]):not([type=radio]):not([hidden])')].filter((e) => e.offsetParent !== null && !e.matches('.link, .show'))
			.filter((e) => { const r = e.getBoundingClientRect(); return r.width < 44 || r.height < 44 }).map((e) => e.outerHTML.slice(0, 120))`); len(found) > 0 {
			t.Errorf("%s has targets smaller than 44 pixels: %q", where, found)
		}
	}
	small("the page")
	b.press("Reading settings")
	small("the settings")
	b.key(kb.Escape)
	eval[any](b, "document.querySelector('#r1 .edit').click()")
	b.until("document.activeElement.matches('#r1 textarea')")
	b.key("a", ctrl)
	for range 12 {
		b.key("a line of text that is long enough" + kb.Enter)
	}
	eval[any](b, "document.querySelector('.list').scrollTop = 0")
	b.until("(() => { const save = document.querySelector('#r1 .save button').getBoundingClientRect(), list = document.querySelector('.list').getBoundingClientRect(); return save.bottom <= list.bottom && save.top >= list.top })()")
	b.accessible("editing on a phone")
	b.open("/")
	b.until("document.querySelector('a.name')")
	small("the library")
}

package app

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// large draws a page of that size full of lines, in colour so that it takes all the memory that a page can, and returns its file.
func large(t testing.TB, dir string, width, height int) string {
	t.Helper()
	drawn, _ := porttest.DrawLines("North Harbour Light", "Lamp oil, 12 gallons", "Wicks and chimneys", "Paint, white, 2 tins")
	block := image.NewRGBA(drawn.Bounds()) // of the kind of the page, which makes copies quick
	draw.Draw(block, block.Bounds(), drawn, image.Point{}, draw.Src)
	page := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(page, page.Bounds(), image.White, image.Point{}, draw.Src)
	size := block.Bounds().Size()
	for y := 0; y+size.Y <= height; y += size.Y {
		for x := 0; x+size.X <= width; x += size.X {
			draw.Draw(page, image.Rect(x, y, x+size.X, y+size.Y), block, image.Point{}, draw.Src)
		}
	}
	file := filepath.Join(dir, fmt.Sprintf("%d×%d.png", width, height))
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, page); err != nil {
		t.Fatal(err)
	}
	return file
}

// shift and ctrl are held while a key is pressed.
var (
	shift = chromedp.KeyModifiers(kb.ModifierShift)
	ctrl  = chromedp.KeyModifiers(kb.ModifierCtrl)
	alt   = chromedp.KeyModifiers(kb.ModifierAlt)
)

// key presses keys on what has the focus.
func (b tab) key(keys string, held ...chromedp.KeyOption) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys, held...))
}

// openPage uploads a file as that user and opens it.
func (b tab) openPage(c person, file string) api.Image {
	b.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	image := c.upload(filepath.Base(file), data)
	b.openImage(image.ID, "")
	return image
}

// openImage opens an image; query may name a version and a region.
func (b tab) openImage(id int64, query string) {
	b.t.Helper()
	b.open(fmt.Sprintf("/image/%d%s", id, query))
	b.until("document.querySelector('.paper .base')?.naturalWidth > 0")
}

// fetches gives window.answer the say over what the page asks from now on: it may return a promise of a Response, or nothing.
func (b tab) fetches(answer string) {
	b.t.Helper()
	eval[any](b, `{ window.answer = `+answer+`; window.realFetch ??= fetch; window.fetch = (...a) => answer(String(a[0]), a[1] ?? {}) `+
		`?? realFetch(...a) }`)
}

func versionsOf(c person, image int64) []api.Run {
	return as[[]api.Run](c.t, c.do(200, "GET", path("/image/%d/ocr", image), nil))
}

// calm waits until nothing is being read.
func (b tab) calm() {
	b.t.Helper()
	b.until("document.querySelector('.region') && !document.querySelector('.region.busy')")
}

// sharp waits until what is in sight has at least as many pixels as the screen shows, and returns how many tiles there are.
func (b tab) sharp() int {
	b.t.Helper()
	b.until(`(() => {
		const paper = document.querySelector('.paper').getBoundingClientRect(),
			window_ = document.querySelector('.viewer').getBoundingClientRect()
		const tiles = [...document.querySelectorAll('.tile')].map((e) => ({ box: e.getBoundingClientRect(),
			fine: e.naturalWidth >= Math.floor(e.getBoundingClientRect().width * devicePixelRatio) - 1 || e.dataset.level === '0' }))
		const x1 = Math.max(paper.left, window_.left) + 2, x2 = Math.min(paper.right, window_.right) - 2, y1 = Math.max(paper.top,
			window_.top) + 2, y2 = Math.min(paper.bottom, window_.bottom) - 2
		for (let n = 0; n <= 20; n++) for (let m = 0; m <= 20; m++) {
			const x = x1 + (x2 - x1) * n / 20, y = y1 + (y2 - y1) * m / 20
			if (!tiles.some((t) => t.fine && t.box.left <= x && x <= t.box.right && t.box.top <= y && y <= t.box.bottom)) return false
		}
		return true })()`)
	return eval[int](b, "document.querySelectorAll('.tile').length")
}

// TestBrowserLargePages looks at pages that no single rendition could show sharply.
func TestBrowserLargePages(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	b.signUp("ann")
	ann := s.login("ann", password)
	files := t.TempDir()

	wide := large(t, files, 12000, 1300)
	b.openPage(ann, wide)
	if n := eval[int](b, "document.querySelectorAll('.tile').length"); n != 0 {
		t.Errorf("%d tiles are there of a page of which all is in sight", n)
	}
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("1")
	b.until("Math.abs(document.querySelector('.paper').getBoundingClientRect().width - 12000) < 1")
	b.sharp()
	// At one pixel for each of the page the tiles are the page, but for what JPEG makes of it.
	differs := eval[float64](b, `(async () => {
		const token = (await (await fetch('/api/v1/user/token', { method: 'POST', headers: { 'X-Glyphbox-Session': 'cookie',
			'Content-Type': 'application/json' }, body: '{}' })).json()).access_token
		const original = await createImageBitmap(await (await fetch('/api/v1/image/' + location.pathname.split('/').pop(), { headers: {
			Authorization: 'Bearer ' + token } })).blob())
		const paper = document.querySelector('.paper').getBoundingClientRect()
		let worst = 0
		for (const tile of document.querySelectorAll('.tile[data-level="0"]')) {
			const at = tile.getBoundingClientRect(), x = Math.round(at.left - paper.left), y = Math.round(at.top - paper.top),
				w = tile.naturalWidth, h = tile.naturalHeight
			const pixels = (draw) => { const c = new OffscreenCanvas(w, h).getContext('2d'); draw(c); return c.getImageData(0, 0, w,
				h).data }
			const a = pixels((c) => c.drawImage(tile, 0, 0)), o = pixels((c) => c.drawImage(original, x, y, w, h, 0, 0, w, h))
			let sum = 0
			for (let i = 0; i < a.length; i += 4) sum += Math.abs(a[i] - o[i])
			worst = Math.max(worst, sum / (a.length / 4))
		}
		return worst })()`)
	if differs > 3 {
		t.Errorf("tiles differ from the page by %.1f of 255 on average", differs)
	}

	// A hundred megapixels. However long one looks around, only so many tiles are kept, and there is always something beneath.
	huge := large(t, files, 10000, 10000)
	b.openPage(ann, huge)
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("1")
	for range 8 {
		eval[any](b, "document.querySelector('.viewer').dispatchEvent(new WheelEvent('wheel', { deltaX: 1000, deltaY: 450, bubbles: "+
			"true, cancelable: true }))")
		eval[any](b, "document.querySelector('.viewer').dispatchEvent(new WheelEvent('wheel', { deltaX: -500, deltaY: 0, bubbles: true, "+
			"cancelable: true }))")
		if n := b.sharp(); n > 48 {
			t.Fatalf("%d tiles are kept", n)
		}
		if !eval[bool](b, "document.querySelector('.paper .base').naturalWidth === 2048") {
			t.Error("nothing lies beneath the tiles")
		}
	}
	// Pinching on a trackpad, as Safari tells it.
	before := eval[float64](b, "document.querySelector('.paper').getBoundingClientRect().width")
	eval[any](b, "for (const [type, scale] of [['gesturestart', 1], ['gesturechange', 0.8], ['gesturechange', 0.5]]) "+
		"document.querySelector('.viewer').dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { scale, clientX: 400, "+
		"clientY: 400 }))")
	b.until(fmt.Sprintf("Math.abs(document.querySelector('.paper').getBoundingClientRect().width - %f) < 1", before/2))
	eval[any](b, "document.querySelector('[aria-label=\"Fit to window\"]').click()")
	for range 6 {
		b.key("+")
	}
	b.sharp()
	b.look("large-page")

	// What is read there has its line image in full.
	b.key("1")
	b.key("n")
	b.until("document.querySelector('.new rect')")
	b.key(kb.Enter)
	b.until("document.querySelector('ol > li .line image')?.getAttribute('href') !== document.querySelector('.paper .base').src")
	b.calm()
}

// TestBrowserKeyboard does all that can be done with regions without a mouse.
func TestBrowserKeyboard(t *testing.T) {
	_, b, ann, page, _ := openLetter(t, t.TempDir())
	type box struct{ X, Y, Width, Height float64 }
	at := func(n int) box {
		return eval[box](b, fmt.Sprintf("(({ x, y, width, height }) => ({ x: x.baseVal.value, y: y.baseVal.value, width: "+
			"width.baseVal.value, height: height.baseVal.value }))(document.querySelectorAll('.region rect')[%d])", n))
	}
	const selected = "document.querySelectorAll('.region.selected').length"

	// Tab leads to the page; N puts a region there, arrows move and resize it, Enter reads it, Escape would not.
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("n")
	b.until("document.querySelector('.new rect')")
	b.key(kb.Escape)
	b.until("!document.querySelector('.new rect')")
	for n := range 3 {
		b.key("n")
		for range 6 - 5*n {
			b.key(kb.ArrowUp, shift)
		}
		b.key(kb.ArrowRight, ctrl, shift)
		b.key(kb.Enter)
		b.until(fmt.Sprintf("document.querySelectorAll('.region').length === %d", n+1))
		b.calm()
	}

	// Moved by ten pixels and by one, resized, read when the keys rest or at Enter.
	before := at(2)
	b.key(kb.ArrowLeft, shift)
	b.key(kb.ArrowLeft)
	b.key(kb.ArrowDown, ctrl, shift)
	b.key(kb.Enter)
	if got, want := at(2), (box{before.X - 11, before.Y, before.Width, before.Height + 10}); got != want {
		t.Errorf("the region is at %v, want %v", got, want)
	}
	b.calm()

	// [ and ] walk along the list, with Shift they add; Tab reaches the selected one.
	b.key("]")
	b.until(selected + " === 1 && document.querySelectorAll('.region')[0].classList.contains('selected')")
	b.until("document.querySelectorAll('.region')[0].tabIndex === 0 && document.querySelectorAll('.region')[1].tabIndex === -1")
	b.key("}", shift)
	b.until(selected + " === 2")
	b.key("[")
	b.until(selected + " === 1 && document.querySelectorAll('.region')[0].classList.contains('selected')")

	// Named, and the name is there after a reload.
	b.key(kb.F2)
	b.until("document.activeElement.matches('#r1 .name')")
	b.key("first" + kb.Enter)
	b.until("document.activeElement.matches('.viewer')")
	names := "JSON.stringify([...document.querySelectorAll('ol > li .name')].map((e) => e.value))"
	b.until(names + ` === '["first","",""]'`)

	b.do(chromedp.Reload())
	b.until(names + ` === '["first","",""]'`)

	// Duplicated, deleted, had back.
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key(kb.Escape)
	b.key("]")
	b.key("d", ctrl)
	b.until("document.querySelectorAll('.region').length === 4")
	b.calm()
	if original, copied := at(0), at(3); copied.Y != original.Y+original.Height || copied.X != original.X ||
		copied.Width != original.Width {
		t.Errorf("the copy of %v is at %v", original, copied)
	}
	texts := "JSON.stringify([...document.querySelectorAll('ol > li .text')].map((e) => e.innerText))"
	order := eval[string](b, texts)
	b.key(kb.Delete)
	b.until("document.querySelectorAll('.region').length === 3")
	b.key("z", ctrl)
	b.until("document.querySelectorAll('.region').length === 4")
	if got := eval[string](b, texts); got != order {
		t.Errorf("what was deleted came back in the order %s; it was %s", got, order)
	}
	b.key("Z", ctrl, shift)
	b.until("document.querySelectorAll('.region').length === 3")
	b.key("a", ctrl)
	b.until(selected + " === 3")
	b.key(kb.Escape)
	b.until(selected + " === 0")

	// Arrows move the page when nothing is selected; keys zoom.
	left := eval[float64](b, "document.querySelector('.paper').getBoundingClientRect().left")
	b.key(kb.ArrowRight)
	b.until(fmt.Sprintf("document.querySelector('.paper').getBoundingClientRect().left < %f", left))
	b.key("1")
	b.until("Math.abs(document.querySelector('.paper').getBoundingClientRect().width - 1000) < 1")

	// Corrected and saved.
	b.key("]")
	b.key(kb.Enter)
	b.until("document.activeElement.matches('textarea')")
	b.key("a", ctrl)
	b.key("by hand")
	b.key(kb.Enter, ctrl)
	b.until("document.querySelector('#r1 .text')?.innerText === 'by hand' && document.activeElement.matches('.viewer')")
	eval[any](b, "navigator.clipboard.writeText = async (text) => { window.copied = text }")
	b.key("c")
	b.until("window.copied === 'by hand'")
	b.key("?")
	b.until("document.querySelector('dialog kbd')")
	b.key(kb.Escape)
	b.until("!document.querySelector('dialog')")
	if runs := versionsOf(ann, page.ID); len(runs) != 1 || len(runs[0].Contents) != 3 {
		t.Errorf("of all that there are the versions %+v", runs)
	}
}

// TestBrowserHowToRead sets languages, layout, rotation, effort, engine and characters, for new regions and for one.
func TestBrowserHowToRead(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir(), withModels...)
	choose := func(label, value string) {
		t.Helper()
		eval[any](b, fmt.Sprintf("{ const e = [...document.querySelectorAll('label.field')].find((l) => "+
			"l.innerText.startsWith(%q)).querySelector('select'); e.value = %q; e.dispatchEvent(new Event('change', { bubbles: true })) }",
			label, value))
	}

	b.press("Reading settings")
	b.until("document.querySelector('.how select')")
	eval[any](b, "[...document.querySelectorAll('.how .tickbox')].find((l) => l.innerText.includes('Korean')).click()")
	choose("Layout", "7")
	choose("Engine", "1")
	choose("Text direction", "0")
	choose("Effort", "fast")
	b.look("how-to-read")
	b.key(kb.Escape)
	b.until("!document.querySelector('.how')")
	line := at["line"]
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	run := versionsOf(ann, page.ID)[0]
	if run.OEM != 1 || run.PSM == nil || *run.PSM != 7 || !slices.Equal(run.Lang, []string{"eng", "kor"}) {
		t.Errorf("the run is %+v", run)
	}
	if c := run.Contents[0]; c.Rotation != 0 || c.Effort != "fast" {
		t.Errorf("the region was read turned by %d, with effort %s", c.Rotation, c.Effort)
	}

	// For one region: digits only, on the same line.
	b.press("Actions for region 1")
	b.press("Reading settings")
	b.until("document.querySelector('dialog [name=charset]')")
	b.look("how-to-read-region")
	eval[any](b, "[...document.querySelectorAll('dialog .tickbox')].find((l) => l.innerText.includes('Korean')).click()")
	choose("Layout", "13")
	choose("Effort", "balanced")
	b.fill("dialog [name=charset]", "0123456789")
	b.press("Read again")
	b.until("!document.querySelector('dialog') && /^[0-9 ]+$/.test(document.querySelector('ol > li .text')?.innerText)")
	content := versionsOf(ann, page.ID)[0].Contents[0]
	if strings.Trim(content.Text, "0123456789 ") != "" || !strings.Contains(content.Text, "14") || content.PSM == nil ||
		*content.PSM != 13 || !slices.Equal(content.Lang, []string{"eng"}) || content.Effort != "balanced" {
		t.Errorf("the region is %+v, with mode %v", content.Text, *content.PSM)
	}

	// Read upside down. All that was asked for of the region is still known when the page is loaded again.
	b.press("Actions for region 1")
	b.press("Reading settings")
	b.until("document.querySelector('dialog [name=charset]')")
	choose("Text direction", "180")
	b.press("Read again")
	b.until("!document.querySelector('dialog')")
	b.calm()
	b.openImage(page.ID, "")
	b.until(button("Actions for region 1"))
	b.press("Actions for region 1")
	b.press("Reading settings")
	b.until("document.querySelector('dialog [name=charset]')")
	asked := eval[[]string](b, "[...document.querySelectorAll('dialog .tickbox')].flatMap((l) => l.querySelector(':checked') ? "+
		"l.innerText.trim() : []).concat([...document.querySelectorAll('dialog :is(select, [name=charset])')].map((e) => e.value))")
	check.Same(t, "what the region is asked for", asked, []string{"English", "13", "180", "balanced", "0123456789"})
	if content := versionsOf(ann, page.ID)[0].Contents[0]; content.Rotation != 180 {
		t.Errorf("the region is %+v", content)
	}
	b.press("Same as new regions")
	b.press("Read again")
	b.until("!document.querySelector('dialog')")
	b.calm()
	if content := versionsOf(ann, page.ID)[0].Contents[0]; content.Rotation != 0 || content.Effort != "fast" ||
		!strings.Contains(content.Text, "Harbour") {
		t.Errorf("the region is %+v", content)
	}

	// What an engine cannot do is told at the region, and is mended there.
	b.press("Reading settings")
	b.until("document.querySelector('.how select')")
	choose("Engine", "0")
	b.key(kb.Escape)
	title := at["title"]
	b.drag(letterWidth, title[0], title[1], title[2], title[3])
	b.until("document.querySelector('#r2 [role=alert]')?.innerText.includes('oem')")
	b.accessible("refused")
	b.press("Reading settings")
	b.until("document.querySelector('.how select')")
	choose("Engine", "3")
	b.key(kb.Escape)
	b.press("Try again")
	b.until("document.querySelector('#r2 .text')?.innerText.includes('Keeper')")

	// Nothing is read in other ways than these since they could not be had.
	for _, path := range []string{"/user/settings", "/ocr/lang"} {
		b.open("/")
		b.until("document.querySelector('a.name')")
		b.fetches(fmt.Sprintf("(path) => { if (path.endsWith(%q)) return Promise.resolve(new Response('{\"code\":\"internal\"}', "+
			"{ status: 500 })) }", path))
		eval[any](b, "document.querySelector('a.name').click()")
		b.shows("Something went wrong")
		b.fetches("() => undefined")
		b.press("Try again")
		b.until(readings + " === 2")
		b.press("Reading settings")
		b.until("[...document.querySelectorAll('.how .tickbox:has(:checked)')].some((l) => l.innerText.includes('Korean'))")
	}
}

// TestBrowserAddress follows addresses to versions and regions, in the browser that made them and in another.
func TestBrowserAddress(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	b.readsTwo(at)
	first := versionsOf(ann, page.ID)[0].Contents[0]

	// The regions are read anew elsewhere: the address of the old text leads to its version.
	roi := first.ROI
	anew := []object{{"x1": roi.X1, "y1": roi.Y1, "x2": roi.X2, "y2": roi.Y2, "name": "anew"},
		{"x1": roi.X1, "y1": roi.Y1 + 200, "x2": roi.X2, "y2": roi.Y2 + 200}}
	ann.call(200, "POST", path("/image/%d/ocr", page.ID), anew)
	b.openImage(page.ID, "?r="+first.ID)
	b.shows("Viewing version 1")
	b.until("location.search === '?v=1&r=" + first.ID + "' && document.querySelectorAll('.region.selected').length === 1")
	b.openImage(page.ID, "")
	b.until("document.querySelectorAll('.region').length === 2 && document.querySelector('#r1 .name').value === 'anew'")

	// In a browser that knows nothing of the page it is the same list.
	eval[any](b, "{ localStorage.clear(); localStorage.setItem('language', 'en') }")
	gone := versionsOf(ann, page.ID)[0].Contents[0].ID
	b.openImage(page.ID, "?r="+gone)
	b.until("document.querySelectorAll('.region').length === 2 && document.querySelector('li.selected .name').value === 'anew'")

	// Deleted for good: gone at the server, from its version and from the list, and undo does not bring it back.
	b.press(eval[string](b, "document.querySelector('li.selected .menu button').getAttribute('aria-label')"))
	b.press("Delete permanently …")
	b.shows("This cannot be undone.")
	b.look("delete-for-good")
	b.press("Delete permanently")
	b.shows("Deleted from version 2.")
	b.until("document.querySelectorAll('.region').length === 1")
	ann.do(404, "GET", path("/ocr/%s", gone), nil)
	b.press("Actions for region 1")
	b.press("Delete permanently …")
	b.press("Delete permanently")
	b.shows("No text yet")
	b.openImage(page.ID, "?v=2")
	b.shows("No text in this version")
	b.look("version-empty")
	b.openImage(page.ID, "?r="+gone)
	b.shows("no longer exists")
	b.until("location.search === ''")
	b.openImage(page.ID, "?v=99")
	b.shows("There is no version 99. The newest is 2.")

	// A region of another page does not belong to this one, which is still shown.
	b.openImage(ann.upload("other.png", porttest.PNG(blank(300))).ID, "?r="+first.ID)
	b.shows("no longer exists")
	b.until("location.search === '' && document.querySelector('.viewer')")

	// Back to an older version, with its texts.
	ann.call(200, "PUT", path("/ocr/%s", first.ID), object{"text": "Corrected by hand"})
	b.openImage(page.ID, "?v=1")
	b.shows("Viewing version 1")
	b.press("Restore this version")
	b.shows("Saved as version 3.")
	b.until("location.search === '' && document.querySelectorAll('.region').length === 2 && document.querySelector('#r1 " +
		".text')?.innerText === 'Corrected by hand'")

	// All are read again into a version, into which the correction is written. Compared, one region is the same and one is new.
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("n")
	b.key(kb.Enter)
	b.until("document.querySelectorAll('.region').length === 3")
	b.calm()
	b.press("Reading settings")
	b.press("Read all again")
	b.shows("Saved as version 4.")
	b.until("document.querySelector('#r1 .text')?.innerText === 'Corrected by hand'")
	again := versionsOf(ann, page.ID)[0]
	if again.Version != 4 || len(again.Contents) != 3 || again.Contents[0].Text != "Corrected by hand" || again.Contents[0].Revision != 2 {
		t.Errorf("the correction is not in the new version: %+v", again.Contents[0])
	}
	// The address names what is selected as it is by now, so that a reload does not lead to the version before.
	b.until("location.search === '?r=" + again.Contents[2].ID + "'")
	b.do(chromedp.Reload())
	b.until("document.querySelector('#r3.selected') && location.search === '?r=" + again.Contents[2].ID + "'")
	ann.call(204, "DELETE", path("/ocr/%s", again.Contents[2].ID), nil)
	b.until("document.querySelectorAll('.region').length === 2 && location.search === ''")
	ann.call(200, "PUT", path("/ocr/%s", again.Contents[2].ID), object{"deleted": false})
	b.until("document.querySelectorAll('.region').length === 3")
	b.press("Versions")
	b.press("Compare")
	b.until("document.querySelector('dialog select')")
	eval[any](b, "{ const e = document.querySelector('dialog select'); e.value = '1'; e.dispatchEvent(new Event('change', { bubbles: "+
		"true })) }")
	b.shows("differs")
	b.until("document.querySelector('dialog')?.innerText.includes('Only in version 4')")
	b.press("Close")
	b.until("document.activeElement === " + button("Versions"))
	b.press("Versions")
	eval[any](b, "document.querySelector('.versions a[href*=\"v=\"]').click()")
	b.until("document.activeElement.matches('.menu > .button')")
}

// TestBrowserLosesNothing types corrections while things go wrong around it.
func TestBrowserLosesNothing(t *testing.T) {
	dir := t.TempDir()
	s, b, ann, page, at := openLetter(t, dir)
	line := at["line"]
	b.readsTwo(at)
	correct := func(n int, text string) {
		t.Helper()
		eval[any](b, fmt.Sprintf("(document.querySelector('#r%d textarea') ?? document.querySelector('#r%d .edit')).click()", n, n))
		eval[any](b, fmt.Sprintf("document.querySelector('#r%d textarea')?.focus()", n))
		b.until(fmt.Sprintf("document.activeElement.matches('#r%d textarea')", n))
		b.key("a", ctrl)
		b.key(text)
	}
	typed := func(n int) string { return fmt.Sprintf("document.querySelector('#r%d textarea')?.value", n) }

	// One text is left for another: both are kept, it says so, also after a reload, and one press saves them.
	correct(1, "One")
	correct(2, "Two")
	b.key(kb.Escape)
	b.shows("2 unsaved corrections")
	b.look("not-saved")
	b.do(chromedp.Reload())
	b.shows("2 unsaved corrections")
	b.until(typed(1) + " === 'One' && " + typed(2) + " === 'Two'")
	b.press("Save all")
	b.until("document.querySelector('#r1 .text')?.innerText === 'One' && document.querySelector('#r2 .text')?.innerText === 'Two'")

	// A text that waits can be gone on with, also back to what it was and on from there.
	correct(1, "On")
	b.key(kb.Escape)
	b.until("document.querySelector('.kept')")
	correct(1, "One")
	b.key("e")
	b.until(typed(1) + " === 'Onee' && document.activeElement.matches('#r1 textarea')")
	b.key(kb.Backspace)
	b.key(kb.Enter, ctrl)
	b.until("document.querySelector('#r1 .text')?.innerText === 'One'")

	// What was typed stays when the region is read again; that is the next revision of what was saved.
	correct(1, "One more")
	b.key(kb.Escape)
	b.press("Actions for region 1")
	b.press("Read again")
	b.until("document.querySelectorAll('.region.busy').length === 0 && " + typed(1) + " === 'One more'")
	b.until("document.querySelector('.kept')")
	if c := versionsOf(ann, page.ID)[0].Contents[0]; c.Text == "One" || c.Revision != 3 {
		t.Errorf("it was not read again: %+v", c)
	}
	b.press("Save")
	b.until("document.querySelector('#r1 .text')?.innerText === 'One more'")

	// Discarded by mistake, had back.
	correct(1, "Not this")
	b.press("Discard")
	b.until("document.querySelector('#r1 .text')?.innerText === 'One more'")
	b.press("Undo")
	b.until(typed(1) + " === 'Not this'")

	// The service goes away: nothing can be saved or read, and it is said. When it is back, what was drawn is read and what was typed
	// saved.
	s.stop()
	s.wait()
	b.press("Save")
	b.shows("The service cannot be reached.")
	b.drag(letterWidth, line[0]+40, line[1]+200, line[2], line[3]+200)
	b.until("document.querySelector('#r3 [role=alert]')")
	b.look("away")
	s = start(t, dir, "--addr", strings.TrimPrefix(s.base, "http://"))
	b.until("!document.querySelector('.offline')")
	b.until("document.querySelector('#r3 .text')")
	b.until(typed(1) + " === 'Not this'")
	b.press("Save")
	b.until("document.querySelector('#r1 .text')?.innerText === 'Not this'")

	// The session ends during a correction.
	ann = s.login("ann", password)
	correct(2, "Two more")
	ann.call(200, "PUT", path("/user/password"), object{"current_password": password, "password1": password + "0", "password2": password +
		"0"})
	b.key(kb.Enter, ctrl)
	b.shows("Your session has ended.")
	b.signIn("ann", password+"0")
	b.until("document.querySelector('#r2 .text')?.innerText === 'Two more'")

	// Somebody else changes it while one more is typed.
	correct(2, "Three")
	b.key(kb.Escape)
	b.shows("1 unsaved correction")
	ann = s.login("ann", password+"0")
	ann.call(200, "PUT", path("/ocr/%s", versionsOf(ann, page.ID)[0].Contents[1].ID), object{"text": "Theirs"})
	b.press("Save")
	b.until("document.activeElement.matches('#r2 textarea')")
	b.key(kb.Enter, ctrl)
	b.until("document.querySelector('#r2 .theirs')?.innerText.includes('Theirs') && document.querySelector('#r2 " +
		".theirs').innerText.includes('Three')")
	b.look("conflict")
	b.press("Use that version")
	b.until("document.querySelector('#r2 .text')?.innerText === 'Theirs'")

	// An earlier text is taken back; that is one more revision.
	b.press("Actions for region 2")
	b.press("Correction history")
	b.until("document.querySelectorAll('dialog li').length === 4")
	b.look("history")
	eval[any](b, "document.querySelector('dialog li:last-child button').click()")
	b.until("document.querySelector('#r2 .text')?.innerText.includes('Keeper')")

	// Without cookies nobody is signed in; the list is there again afterwards.
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	b.open(fmt.Sprintf("/image/%d", page.ID))
	b.signIn("ann", password+"0")
	b.until("document.querySelectorAll('.region').length === 3")

	// The image is deleted by somebody else.
	ann.do(204, "DELETE", path("/image/%d", page.ID), nil)
	b.drag(letterWidth, line[0], line[1]+300, line[2], line[3]+300)
	b.shows("Page not found")
	b.look("deleted-elsewhere")
}

// TestBrowserWaits is what people see while the service is busy, slow or fails, and how they end it.
func TestBrowserWaits(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	line, title := at["line"], at["title"]

	// Busy once: it asks again when it was told to.
	b.fetches(`(path) => { if (path.includes('/ocr?') && !window.asked) { window.asked = true; return Promise.resolve(new ` +
		`Response(JSON.stringify({ code: 'engine_busy', detail: 'Too many regions are waiting to be read. Try again later.' }), ` +
		`{ status: 503, headers: { ` +
		`'Retry-After': '1' } })) } }`)
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until("window.asked && " + readings + " === 1")

	// Never answered: it says that it is reading, and can be called off.
	b.fetches(`(path, init) => { if (path.includes('/ocr?')) return new Promise((_, no) => init.signal.addEventListener('abort', () => ` +
		`{ window.called = true; no(new DOMException('', 'AbortError')) })) }`)
	b.drag(letterWidth, title[0], title[1], title[2], title[3])
	b.until("document.querySelector('.foot progress')")
	b.look("reading")
	b.press("Cancel")
	b.until("window.called && document.querySelector('#r2 [role=alert]')?.innerText.includes('Cancelled')")
	b.fetches("() => undefined")
	b.press("Try again")
	b.until(readings + " === 2")

	// Looking for lines can be called off too.
	b.fetches(`(path, init) => { if (path.includes('/layout')) return new Promise((_, no) => init.signal.addEventListener('abort', () ` +
		`=> no(new DOMException('', 'AbortError')))) }`)
	b.press("Find blocks")
	b.until("document.querySelector('.banner progress')")
	b.accessible("looking for text")
	b.press("Cancel")
	b.until("!document.querySelector('.banner')")
	b.fetches("() => undefined")

	// A region that failed, as over its deadline, has its reason and can be tried again; nothing is lost of the others.
	b.fetches(`(path, init) => { if (path.includes('/ocr?')) return realFetch(path, init).then(async (r) => { const list = await ` +
		`r.json(); for (const c of list) Object.assign(c, { text: '', detail: [], words: [], confidence: 0, error: { code: ` +
		`'region_deadline', detail: 'The region took too long.' } }); return new Response(JSON.stringify(list), { status: 200 }) }) }`)
	b.press("Actions for region 1")
	b.press("Read again")
	b.until("document.querySelector('#r1 .bad')?.innerText.includes('The region took too long.') && document.querySelector('#r2 .text')")
	b.look("deadline")
	b.fetches("() => undefined")
	b.press("Try again")
	b.until(readings + " === 2")

	// Many found regions come one batch after the other; the rest is cancelled.
	many := make([]string, 0, 200)
	for n := range 200 {
		many = append(many, fmt.Sprintf(`{"x1":%d,"y1":%d,"x2":%d,"y2":%d}`, n%20*50, 700+n/20*50, n%20*50+40, 740+n/20*50))
	}
	b.fetches(`(path, init) => { if (path.includes('/layout')) return Promise.resolve(new Response('[` + strings.Join(many, ",") + `]'))
		if (path.includes('/ocr?')) { window.batches = (window.batches ?? 0) + 1; if (batches > 2) return new Promise((_, no) => {
			const end = () => no(new DOMException('', 'AbortError')); if (init.signal.aborted) end();
			else init.signal.addEventListener('abort', end) }) } }`)
	b.press("Find lines")
	b.press("Read all 200")
	b.until("document.querySelector('.foot progress')?.value === 50")
	b.shows("Reading 51 of 200")
	b.press("Cancel")
	b.until("document.querySelectorAll('.region.failed').length === 150 && !document.querySelector('.region.busy')")
	b.fetches("() => undefined")
	if runs := versionsOf(ann, page.ID); len(runs) != 1 || len(runs[0].Contents) != 52 {
		t.Errorf("there are %d versions, the newest with %d regions", len(runs), len(runs[0].Contents))
	}

	// Older versions than come at once are fetched when wanted.
	for range 101 {
		ann.call(200, "POST", path("/image/%d/ocr", page.ID), []object{{"x1": 104, "y1": 96, "x2": 150, "y2": 120}})
	}
	b.openImage(page.ID, "")
	b.press("Versions")
	b.until("document.querySelector('.versions')")
	if eval[bool](b, "!!document.querySelector('.versions a[href$=\"v=1\"]')") {
		t.Error("all versions are there at once")
	}
	b.enter("Show older versions")
	b.until("document.querySelector('.versions a[href$=\"v=1\"]') && !document.querySelector('.versions .button')")
	b.until("document.activeElement.matches('.versions a[href*=\"v=\"]')")
	for _, none := range []string{"999", "0", "-1", "1.5", "two"} {
		b.openImage(page.ID, "?v="+none)
		b.until(fmt.Sprintf("/There is no version %s. The newest is [0-9]+./.test(document.body.innerText) && !location.search", none))
	}
}

// TestBrowserManyRegions works on a page with more regions than elements would do for.
func TestBrowserManyRegions(t *testing.T) {
	_, b, ann, page, _ := openLetter(t, t.TempDir())
	boxes := make([]object, 500)
	for n := range boxes {
		boxes[n] = object{"x1": n % 20 * 50, "y1": n / 20 * 50, "x2": n%20*50 + 42, "y2": n/20*50 + 40}
	}
	ann.call(200, "POST", path("/image/%d/ocr?effort=fast", page.ID), boxes)
	eval[any](b, "document.dispatchEvent(new Event('visibilitychange'))") // as if the tab had been left meanwhile
	b.shows("500 regions")
	if elements := eval[int](b, "document.querySelectorAll('.region').length"); elements > 1 ||
		!eval[bool](b, "!!document.querySelector('canvas')") {
		t.Errorf("there are %d elements for regions", elements)
	}
	painted := eval[bool](b, "(() => { const c = document.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, "+
		"c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] > 100) n++; return n > 5000 })()")
	if !painted {
		t.Error("the regions are not painted")
	}
	// It lies on the page also while that is moved and zoomed.
	const onLine = `((x, y) => { const c = document.querySelector('canvas'), at = c.getBoundingClientRect(), paper =
			document.querySelector('.paper').getBoundingClientRect(), k = c.width / at.width
		const px = (paper.x + x * paper.width / 1000 - at.x) * k, py = (paper.y + y * paper.width / 1000 - at.y) * k
		return c.getContext('2d').getImageData(Math.round(px) - 1, Math.round(py), 3, 1).data.some((v, n) => n % 4 === 3 && v > 100) })`
	for _, wheel := range []string{"deltaX: 40, deltaY: 25", "deltaX: 900, deltaY: 500", "deltaX: -900, deltaY: -500",
		"ctrlKey: true, deltaY: -20", "ctrlKey: true, deltaY: -400", "ctrlKey: true, deltaY: 420", "deltaY: 0"} {
		if !eval[bool](b, `new Promise((done) => { document.querySelector('.viewer').dispatchEvent(new WheelEvent('wheel', { `+wheel+`,
			clientX: 500, clientY: 400, bubbles: true, cancelable: true })); requestAnimationFrame(() => requestAnimationFrame(() => {
			const c = document.querySelector('canvas'); done(!c || [3, 9, 15].every((n) => [2, 8, 14].every((m) => {
				const paper = document.querySelector('.paper').getBoundingClientRect(), v =
					document.querySelector('.viewer').getBoundingClientRect(), x = paper.x + n * 50 * paper.width / 1000, y = paper.y +
					(m * 50 + 20) * paper.width / 1000
				return x < v.left + 2 || y < v.top + 2 || x > v.right - 2 || y > v.bottom - 2 ||
					`+onLine+`(n * 50, m * 50 + 20) }))) })) })`) {
			t.Errorf("after %s the painting lies beside the page", wheel)
		}
	}
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("0")
	if n := eval[int](b, "document.querySelectorAll('li[id^=r]').length"); n > 200 {
		t.Errorf("%d readings are there at once", n)
	}

	// The last one is a key away, and a click on one of those that are painted selects it.
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("[")
	b.until("(() => { const r = document.querySelector('#r500.selected')?.getBoundingClientRect(); return r && r.top >= 0 && r.bottom " +
		"<= innerHeight })()")
	paper := eval[struct{ X, Y, Width float64 }](b,
		"(({ x, y, width }) => ({ x, y, width }))(document.querySelector('.paper').getBoundingClientRect())")
	b.do(chromedp.MouseClickXY(paper.X+(3*50+20)*paper.Width/1000, paper.Y+(2*50+20)*paper.Width/1000))
	b.until("document.querySelector('#r44.selected') && document.querySelectorAll('.region.selected').length === 1")
	b.look("many-regions")

	// With Shift a rectangle takes what it touches to the selection.
	b.drag(1000, 46, 45, 146, 95, chromedp.ButtonModifiers(kb.ModifierShift))
	b.until("document.querySelectorAll('.region.selected').length === 3 && document.body.innerText.includes('500 regions')")

	// From one doubtful word to the next and back.
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key(".")
	b.until("document.querySelector('.mark.lit')")
	first := eval[string](b, "document.querySelector('li.selected').id")
	for eval[string](b, "document.querySelector('li.selected').id") == first {
		b.key(".")
	}
	b.key(",")
	b.until(fmt.Sprintf("document.querySelector('li.selected').id === %q && document.querySelector('.mark.lit') && "+
		"document.querySelector('li.selected .lit')", first))

	// All of them at once.
	b.key("a", ctrl)
	b.key(kb.Delete)
	b.shows("No text yet")
	b.until("!document.querySelector('[data-saving]')")
	b.key("z", ctrl)
	b.shows("500 regions")
	b.until("!document.querySelector('.region.busy, [data-saving]')")
}

// TestBrowserWithoutTheView opens a page image while the service is away, before what shows it has been loaded.
func TestBrowserWithoutTheView(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	b := browse(t, s.base)
	file, _ := b.letter(t.TempDir())
	b.signUp("ann")
	b.upload(file)
	b.until("document.querySelector('a.name')")
	s.stop()
	s.wait()
	eval[any](b, "document.querySelector('a.name').click()")
	b.shows("Something went wrong")
	b.look("view-away")
	start(t, dir, "--addr", strings.TrimPrefix(s.base, "http://"))
	b.until("!document.querySelector('.offline')")
	b.press("Try again")
	// The page is made anew under the question, which may fail by that.
	for end := time.Now().Add(patience); ; {
		shown, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("(document.querySelector('.paper .base')?.naturalWidth ?? 0) > 0"))
		if err == nil && shown {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the page image never came: %v", err)
		}
	}
}

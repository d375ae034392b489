package app

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// TestBrowserDocument goes through the pages of a document by the strip, by keys and by number, and exports all of them.
func TestBrowserDocument(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	b.signUp("ann")
	ann := s.login("ann", password)
	lines := []string{"North Harbour Light", "Lamp oil, 12 gallons", "Wicks and chimneys"}
	one, boxes := porttest.DrawLines(lines[0])
	two, _ := porttest.DrawLines(lines[1])
	three, _ := porttest.DrawLines(lines[2])
	b.upload(write(t, t.TempDir(), "keeper’s log.tif", porttest.MultiPageTIFF(one, two, three)))
	b.shows("3 pages")
	b.press("Close")
	b.until("document.querySelector('.thumb img').naturalWidth > 0")
	eval[any](b, "document.querySelector('a.name').click()")

	// The strip has all pages, and this one is marked in it.
	on := func(page int) {
		t.Helper()
		b.until(fmt.Sprintf("document.querySelector('.strip [aria-current=page]')?.innerText.trim() === '%d' && "+
			"document.querySelector('[aria-label=\"Page number\"]').value === '%[1]d'", page))
		b.until("document.querySelector('.paper .base')?.naturalWidth > 0")
	}
	on(1)
	b.until("[...document.querySelectorAll('.strip img')].filter((e) => e.naturalWidth > 0).length === 3")
	box := boxes[0]
	width := float64(one.Bounds().Dx())
	draw := func() {
		t.Helper()
		b.drag(width, float64(box.X1), float64(box.Y1), float64(box.X2), float64(box.Y2))
		b.until(readings + " === 1")
		b.calm()
	}
	draw()
	b.look("document")

	// By the strip, by its keys, by number, and by the buttons beside it.
	eval[any](b, "document.querySelectorAll('.strip a')[2].click()")
	on(3)
	b.until("!document.querySelector('.region')")
	b.key(kb.PageUp)
	on(2)
	width = float64(two.Bounds().Dx())
	draw()
	b.key(kb.PageUp)
	on(1)
	b.until(readings + " === 1")
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeChar,
		input.DispatchKeyEventTypeKeyUp} {
		event := input.DispatchKeyEventParams{Type: kind, Key: "g", Code: "KeyG", WindowsVirtualKeyCode: 'G'}
		if kind == input.DispatchKeyEventTypeChar { // it is not to arrive in the field
			event.Text, event.WindowsVirtualKeyCode = "g", 'g'
		}
		devtools(b, input.DispatchKeyEvent, event)
	}
	b.until("document.activeElement.getAttribute('aria-label') === 'Page number'")
	for _, none := range []string{"999", "0", "2.5", "two"} {
		b.key("a", ctrl)
		b.key(none + kb.Enter)
		b.shows("There is no page " + none + ". The document has pages 1 to 3.")
		b.until("document.activeElement.value === '" + none + "'")
	}
	b.key("a", ctrl)
	b.key("3" + kb.Enter)
	on(3)
	b.press("Previous page")
	on(2)
	b.key(kb.PageDown)
	on(3)

	// All pages are exported, whichever is before one, also where this one has no text.
	eval[any](b, "{ const make = URL.createObjectURL; URL.createObjectURL = (x) => { x.text().then((s) => { window.exported = s }); "+
		"return make(x) } }")
	b.press("Export")
	b.press("Plain text")
	b.until(fmt.Sprintf("window.exported?.split('\\f').map((s) => s.trim()).join() === '%s,%s,'", lines[0], lines[1]))
	b.shows("1 exported page has not been read yet.")

	// A page that is turned is turned in the strip.
	b.press("Turn the page")
	b.until("(([w, h]) => h > w && w > 0)(((e) => [e.naturalWidth, e.naturalHeight])(document.querySelectorAll('.strip img')[2]))")

	b.until("document.querySelectorAll('.strip img')[2].getBoundingClientRect().bottom <= document.querySelectorAll('.strip " +
		".number')[2].getBoundingClientRect().top")

	// What a job has read is marked in the strip.
	b.press("Previous page")
	on(2)
	b.press("Reading settings")
	b.press("Read all pages")
	b.until("[...document.querySelectorAll('.strip a')].map((e) => e.title).join() === '✓ Read,✓ Read,✓ Read'")
	b.shows("3 pages were read.")
	b.key(kb.PageDown)
	on(3)

	// On a phone the strip lies over the page for as long as it is wanted. It tells which pages have been read.
	b.do(chromedp.EmulateViewport(390, 844))
	b.until("getComputedStyle(document.querySelector('.strip')).display === 'none'")
	b.press("Pages")
	b.until("[...document.querySelectorAll('.strip a')].map((e) => e.title).join() === '✓ Read,✓ Read,✓ Read'")
	b.until("document.querySelector('.strip a').getBoundingClientRect().width > 44")
	b.look("document-strip")
	b.do(chromedp.EmulateViewport(390, 844))
	eval[any](b, "document.querySelectorAll('.strip a')[1].click()")
	on(2)
	b.until("getComputedStyle(document.querySelector('.strip')).display === 'none'")
	b.do(chromedp.EmulateViewport(1440, 900))
	b.key(kb.PageDown)
	on(3)

	// The library opens the document where it was left.
	b.open("/")
	b.until("document.querySelector('a.name')")
	eval[any](b, "document.querySelector('a.name').click()")
	on(3)
	if pages := imagesOf(ann); len(pages) != 1 || pages[0].Pages != 3 {
		t.Errorf("the library has %+v", pages)
	}
	b.inLanguage("ko")
	b.until("document.querySelector('.strip img')?.naturalWidth > 0 && document.documentElement.lang === 'ko'")
	b.look("document-ko")
}

// TestBrowserPassword uploads a PDF that a password opens, and finds a text that was read on it from the library.
func TestBrowserPassword(t *testing.T) {
	qpdf, err := exec.LookPath("qpdf")
	if err != nil {
		check.Absent(t, "qpdf", "scripts/setup tests installs it")
	}
	dir := t.TempDir()
	plain, locked := write(t, dir, "plain.pdf", porttest.PDF(
		porttest.PDFPage{Width: 400, Height: 200, Content: porttest.PDFText(40, 120, 24, "North Harbour Light")},
		porttest.PDFPage{Width: 400, Height: 200, Content: porttest.PDFText(40, 120, 24, "Lamp oil, 12 gallons")})),
		filepath.Join(dir, "locked.pdf")
	if said, err := exec.CommandContext(t.Context(), qpdf, "--encrypt", "geheim", "owner", "256", "--", plain,
		locked).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	b.signUp("ann")
	b.upload(locked)
	b.shows("This PDF is protected by a password.")
	b.look("password")
	b.fill("[name=file-password]", "wrong")
	b.key(kb.Enter)
	b.shows("This password does not open the file.")
	b.fill("[name=file-password]", "geheim")
	b.key(kb.Enter)
	b.until(queueDone)
	b.shows("2 pages")
	b.press("Close")
	b.until("document.querySelector('.thumb img').naturalWidth > 0")
	eval[any](b, "document.querySelector('a.name').click()")
	b.until("document.querySelectorAll('.strip img[src]').length === 2 && document.querySelector('.paper .base')?.naturalWidth > 0")
	b.key(kb.PageDown)
	b.until("document.querySelector('.strip [aria-current=page]')?.innerText.trim() === '2' && document.querySelector('.paper " +
		".base')?.naturalWidth > 0")
	b.press("Reading settings")
	b.press("Read the whole page")
	b.until(readings + " === 1")
	b.calm()

	// What was read is found in the library, and leads to its place on the page.
	b.open("/")
	b.fill("[type=search]", "GALLONS")
	b.until("document.querySelector('section mark')?.innerText === 'gallons'")
	b.shows("Page 2")
	b.shows("Found in text")
	b.look("found")
	eval[any](b, "document.querySelector('section mark').closest('a').click()")
	b.until("document.querySelector('.strip [aria-current=page]')?.innerText.trim() === '2' && document.querySelector('#r1.selected')")
	b.until("document.querySelector('.found')")
	b.look("found-on-page")
}

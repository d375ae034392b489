package app

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
)

// TestBrowserDeletedRegions looks for regions whose undo notice is gone, and restores them with the keyboard.
func TestBrowserDeletedRegions(t *testing.T) {
	s, b, ann, page, at := openLetter(t, t.TempDir())
	b.readsTwo(at)
	line, title := versionsOf(ann, page.ID)[0].Contents[0], versionsOf(ann, page.ID)[0].Contents[1]
	ann.call(200, "PUT", path("/ocr/%s", title.ID), object{"name": "title"})
	open := func() {
		t.Helper()
		b.enter("Versions")
		b.until(button("Working copy"))
		eval[any](b, "[...document.querySelectorAll('.sheet .item')].find((e) => e.innerText === 'Deleted regions').focus()")
		b.key(kb.Enter)
		b.until("document.querySelector('dialog')?.innerText.includes('seven days')")
	}
	entries := func() []string {
		t.Helper()
		return eval[[]string](b, "[...document.querySelectorAll('dialog .restore')].map((e) => e.getAttribute('aria-label'))")
	}
	open()
	b.shows("No regions were deleted in the last seven days.")
	b.key(kb.Escape)
	b.until("document.activeElement.innerText === 'Versions'")

	for _, c := range []api.Content{title, line} {
		ann.call(204, "DELETE", path("/ocr/%s", c.ID), nil)
	}
	b.shows("No text yet")
	b.openImage(page.ID, "")
	b.until(button("Deleted regions")) // where there is no text any more
	b.look("all-regions-deleted")
	b.enter("Deleted regions")
	b.until("document.querySelectorAll('dialog .restore').length === 2")
	b.key(kb.Escape)
	b.until("!document.querySelector('dialog') && document.activeElement.innerText === 'Deleted regions'")
	open()
	if got, want := entries(), []string{"Restore: " + line.Text, "Restore: title"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got the entries %q, want %q", got, want)
	}
	b.look("deleted-regions")
	b.inLanguage("ko")
	b.press("버전")
	b.press("삭제한 영역")
	b.until("document.querySelectorAll('dialog .restore').length === 2")
	b.look("deleted-regions-korean")
	b.inLanguage("en")
	b.until(button("Versions"))
	open()

	// The focus goes on to the next one, and to what is said once there is none.
	b.key(kb.Tab)
	b.key(kb.Enter)
	b.until("document.activeElement.getAttribute('aria-label') === 'Restore: title'")
	b.until("document.querySelector('dialog [role=status]').innerText === 'Restored.'")
	b.key(kb.Enter)
	b.until("document.activeElement.matches('dialog [role=status]') && !document.querySelector('dialog .restore')")
	b.key(kb.Escape)
	b.until("!document.querySelector('dialog') && document.activeElement.innerText === 'Versions'")
	b.until(readings + " === 2 && document.querySelector('#r1 .text').innerText === " + fmt.Sprintf("%q", line.Text))
	b.key("z", ctrl) // as what was done last
	b.until(readings + " === 1 && document.querySelector('#r1 .text').innerText === " + fmt.Sprintf("%q", line.Text))

	// A region of an older version is restored there.
	b.press("Reading settings")
	b.press("Read all again")
	b.shows("Saved as version 2.")
	open()
	b.until("document.querySelector('dialog li').innerText.includes('Version 1')")
	b.accessible("deleted of an older version")
	b.press("Restore: title")
	b.shows("Restored in version 1.")
	b.key(kb.Escape)
	if runs := versionsOf(ann, page.ID); len(runs) != 2 || len(runs[0].Contents) != 1 || len(runs[1].Contents) != 2 {
		t.Errorf("got the versions %+v", runs)
	}

	// More than are shown at once.
	var boxes []object
	for n := range 26 {
		boxes = append(boxes, object{"x1": 0, "y1": n, "x2": 9, "y2": n + 9, "name": fmt.Sprint("region ", n)})
	}
	many := as[[]api.Content](t, ann.call(200, "POST", path("/image/%d/ocr", page.ID), boxes))
	remove := func(list []api.Content) {
		for _, c := range list {
			ann.call(204, "DELETE", path("/ocr/%s", c.ID), nil)
		}
	}
	remove(many[:23])
	open()
	b.until("document.querySelectorAll('dialog .restore').length === 20")
	b.enter("More")
	b.until("document.querySelectorAll('dialog .restore').length === 23")
	b.until("document.activeElement.getAttribute('aria-label') === 'Restore: region 2'") // the first one that came
	b.key(kb.Escape)

	// Whatever is deleted and restored elsewhere meanwhile, in the end all that is there is listed.
	for _, elsewhere := range []func(){
		func() { remove(many[23:]) },
		func() { ann.call(200, "PUT", path("/ocr/%s", many[25].ID), object{"deleted": false}) }, // one that is shown
	} {
		open()
		b.until("document.querySelectorAll('dialog .restore').length === 20")
		elsewhere()
		for eval[bool](b, "!!("+button("More")+")") {
			n := len(entries())
			b.press("More")
			b.until(fmt.Sprintf("document.querySelectorAll('dialog .restore').length > %d", n))
		}
		var want []string
		for _, c := range as[[]api.Content](t, ann.call(200, "GET", path("/image/%d/ocr/deleted?size=100", page.ID), nil)) {
			want = append(want, "Restore: "+c.Name)
		}
		if got := entries(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got the entries %q, want %q", got, want)
		}
		b.key(kb.Escape)
	}

	// Who may only read the page has nothing to restore.
	ben := browse(t, s.base)
	ben.signUp("ben")
	ann.call(200, "PUT", path("/image/%d/share", page.ID), object{"users": []string{"ben"}})
	ben.openImage(page.ID, "")
	ben.press("Versions")
	ben.until(button("Working copy"))
	if eval[bool](ben, "!!("+button("Deleted regions")+")") {
		t.Error("a reader is offered what was deleted")
	}

	// A version of their own may be older than those that come at once.
	reader := s.login("ben", password)
	own := as[[]api.Content](t, reader.call(200, "POST", path("/image/%d/ocr", page.ID), boxes[:1]))
	reader.call(204, "DELETE", path("/ocr/%s", own[0].ID), nil)
	for range 100 {
		ann.call(200, "POST", path("/image/%d/ocr", page.ID), boxes[:1])
	}
	ben.openImage(page.ID, "")
	ben.press("Versions")
	ben.press("Deleted regions")
	ben.press("Restore: region 0")
	ben.shows(fmt.Sprintf("Restored in version %d.", own[0].Version))
}

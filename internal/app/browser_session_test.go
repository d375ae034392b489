package app

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
)

// inAnotherTab signs out by the cookie of this browser and, with a name, in as somebody else.
func (b tab) inAnotherTab(name, password string) {
	b.t.Helper()
	const out = `(async () => { const asPage = { 'X-Glyphbox-Session': 'cookie' }
		const { access_token } = await (await fetch('/api/v1/user/token', { method: 'POST', body: '{}',
			headers: { ...asPage, 'Content-Type': 'application/json' } })).json()
		await fetch('/api/v1/user/logout', { method: 'POST', headers: { ...asPage, Authorization: 'Bearer ' + access_token } })
		const [username, password] = [%q, %q]
		if (!username) return true
		const body = new URLSearchParams({ username, password })
		return (await fetch('/api/v1/user/login', { method: 'POST', headers: asPage, body })).ok })()`
	if !eval[bool](b, fmt.Sprintf(out, name, password)) {
		b.t.Fatal("nobody could sign in")
	}
}

// TestBrowserSignsInAgain ends the session elsewhere before each kind of change. It is saved once the same person has signed in again, in
// place, and never by somebody else.
func TestBrowserSignsInAgain(t *testing.T) {
	s, b, ann, page, at := openLetter(t, t.TempDir())
	admin := s.login("admin", adminPassword)
	line := at["line"]
	b.readsTwo(at)
	b.calm()
	now := func() []api.Content { return versionsOf(admin, page.ID)[0].Contents }
	first := func() {
		eval[any](b, "document.querySelector('.viewer').focus()")
		b.key(kb.Escape)
		b.key("]")
		b.until("document.querySelector('#r1.selected')")
	}
	correct := func(text string) {
		t.Helper()
		eval[any](b, "(document.querySelector('#r1 textarea') ?? document.querySelector('#r1 .edit')).click()")
		eval[any](b, "document.querySelector('#r1 textarea')?.focus()")
		b.until("document.activeElement.matches('#r1 textarea')")
		b.key("a", ctrl)
		b.key(text)
		b.key(kb.Enter, ctrl)
	}
	out := func() { b.inAnotherTab("", "") }
	secret := password
	before := now()
	// The page finds out by what is done, not by its stream.
	b.fetches("(path) => (path.endsWith('/events') ? new Promise(() => {}) : undefined)")
	for _, kind := range []struct {
		name  string
		end   func()
		does  func()
		done  string // that the page shows
		saved func(c []api.Content) bool
	}{
		{"a correction", out, func() { correct("By hand") }, "document.querySelector('#r1 .text')?.innerText === 'By hand'",
			func(c []api.Content) bool { return c[0].Text == "By hand" }},
		{"a confirmation", func() {
			ann = s.login("ann", secret)
			ann.call(http.StatusOK, "PUT", path("/user/password"), object{"current_password": secret, "password1": secret + "0",
				"password2": secret + "0"})
			secret += "0"
		}, func() { b.press("Actions for region 2"); b.press("Confirm text") },
			"document.querySelector('#r2').innerText.includes('Confirmed')", func(c []api.Content) bool { return c[1].Confirmed }},
		{"a name", func() {
			id := as[api.User](t, s.login("ann", secret).do(http.StatusOK, "GET", path("/user/me"), nil)).ID
			admin.call(http.StatusOK, "PUT", path("/admin/user/%d/state/blocked", id), object{"detail": "for now"})
		}, func() {
			first()
			b.key(kb.F2)
			b.until("document.activeElement.matches('#r1 .name')")
			b.key("title" + kb.Enter)
		}, "document.querySelector('#r1 .name').value === 'title'", func(c []api.Content) bool { return c[0].Name == "title" }},
		{"a move", out, func() { first(); b.key(kb.ArrowDown, shift); b.key(kb.Enter) }, "!document.querySelector('.region.busy')",
			func(c []api.Content) bool { return c[0].ROI.Y1 == before[0].ROI.Y1+10 && c[0].Text == "By hand" }},
		{"a new region", out, func() { b.drag(letterWidth, line[0], line[1]+100, line[2], line[3]+100) }, readings + " === 3",
			func(c []api.Content) bool { return len(c) == 3 }},
		{"a deletion", out, func() { first(); b.key(kb.Delete) }, readings + " === 2",
			func(c []api.Content) bool { return len(c) == 2 && c[0].ID == before[1].ID }},
	} {
		was := now()
		kind.end()
		kind.does()
		if kind.name == "a name" {
			b.shows("blocked")
			id := as[[]api.User](t, admin.do(http.StatusOK, "GET", path("/admin/user?keyword=ann"), nil))[0].ID
			admin.do(http.StatusNoContent, "DELETE", path("/admin/user/%d/state/blocked", id), nil)
		} else {
			b.shows("Your session has ended.")
		}
		b.until("document.activeElement.matches('dialog [name=password]')")
		if kind.saved(was) || kind.saved(now()) {
			t.Fatalf("%s is saved before the session ended: %+v", kind.name, now())
		}
		if kind.name == "a correction" {
			b.look("signs-in-again")
			b.key(kb.Escape)
			b.key(kb.Escape)
			b.until("document.querySelector('dialog.over')?.open")
		}
		if leaving := eval[bool](b, "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"); !leaving {
			t.Errorf("with %s that is not saved the page can be left without a question", kind.name)
		}
		b.fill("dialog [name=password]", secret)
		b.press("Sign in")
		b.until("!document.querySelector('dialog') && " + kind.done + " && !document.querySelector('.region.busy, [data-saving]')")
		if c := now(); !kind.saved(c) {
			t.Errorf("%s is not saved: %+v", kind.name, c)
		}
		if leaving := eval[bool](b, "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"); leaving {
			t.Errorf("after %s the page cannot be left", kind.name)
		}
	}

	// Somebody else signed in in another tab of this browser: nothing is saved in their name, and here they see nothing of it.
	b.inAnotherTab("admin", adminPassword)
	text := now()[0].Text
	correct("Not theirs")
	b.shows("Your session has ended.")
	b.until("document.querySelector('dialog.over')")
	b.fill("dialog [name=username]", "admin")
	b.fill("dialog [name=password]", adminPassword)
	b.press("Sign in")
	b.shows("Library")
	b.until("!document.querySelector('dialog')")
	b.openImage(page.ID, "")
	b.until(fmt.Sprintf("document.querySelector('#r1 .text')?.innerText === %q", text))
	if c := now(); c[0].Text != text || eval[bool](b, "document.body.innerText.includes('not saved')") {
		t.Errorf("somebody else has %+v", c[0])
	}
	b.press("Menu")
	b.press("Sign out")
	b.signIn("ann", secret)
	b.openImage(page.ID, "")
	b.until("document.querySelector('#r1 textarea')?.value === 'Not theirs'")
	b.shows("1 unsaved correction, kept in this browser.")
}

// TestBrowserKeepsChanges closes the tab with changes that did not reach the service. They are made when the page is opened again, but for
// those of regions that somebody else changed since; where the tab stays open, as soon as the service is there.
func TestBrowserKeepsChanges(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir(), briefly()...)
	b.readsTwo(at)
	b.calm()
	now := func() []api.Content { return versionsOf(ann, page.ID)[0].Contents }
	before := now()
	ann.call(http.StatusOK, "PUT", path("/ocr/%s", before[0].ID), object{"text": "By hand"})
	reopen := func() {
		b.openImage(page.ID, "")
		b.until("document.querySelector('#r1 .name') && !document.querySelector('[data-saving]')")
	}
	select1 := func() {
		eval[any](b, "document.querySelector('.viewer').focus()")
		b.key(kb.Escape)
		b.key("]")
		b.until("document.querySelector('#r1.selected')")
	}
	rename := func(n int, name string) {
		b.until(fmt.Sprintf("document.querySelector('#r%d .name')", n))
		eval[any](b, fmt.Sprintf("document.querySelector('#r%d .name').focus()", n))
		b.key("a", ctrl)
		b.key(name + kb.Enter)
	}
	away := func() {
		b.fetches(`(path, init) => {
			if ((path.includes('/ocr/') && init.method) || path === '/ping') return Promise.reject(new TypeError()) }`)
	}
	keptHere := func(n int) {
		b.until(fmt.Sprintf("Object.keys(localStorage).filter((k) => k.startsWith('change:')).length === %d", n))
	}

	reopen()
	away()
	rename(1, "first")
	b.shows("The service cannot be reached.")
	rename(1, "number")
	select1()
	b.key(kb.ArrowDown, shift)
	b.key(kb.Enter)
	keptHere(3)
	b.press("Actions for region 2")
	b.press("Confirm text")
	keptHere(4)
	if c := now(); c[0].Name != "" || c[0].ROI != before[0].ROI || c[1].Confirmed {
		t.Fatalf("something is saved: %+v", c)
	}
	reopen()
	keptHere(0)
	if c := now(); c[0].Name != "number" || c[0].ROI.Y1 != before[0].ROI.Y1+10 || !c[1].Confirmed {
		t.Errorf("not saved: %+v", c)
	}
	b.until("document.querySelector('#r1 .name').value === 'number' && document.querySelector('#r2').innerText.includes('Confirmed')")
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("z", ctrl)
	b.until("!document.querySelector('#r2').innerText.includes('Confirmed') && !document.querySelector('[data-saving]')")

	// Somebody else changed a region meanwhile: theirs stays, the rest is saved.
	away()
	rename(1, "mine")
	rename(2, "title")
	select1()
	b.key(kb.Delete)
	b.until(readings + " === 1")
	keptHere(3)
	ann.call(http.StatusOK, "PUT", path("/ocr/%s", before[0].ID), object{"text": "Theirs"})
	b.openImage(page.ID, "")
	b.shows("2 unsaved changes were dropped: the regions were changed elsewhere.")
	keptHere(0)
	if c := now(); len(c) != 2 || c[0].Name != "number" || c[0].Text != "Theirs" || c[1].Name != "title" {
		t.Errorf("got %+v", c)
	}

	// A deletion; the tab stays open.
	away()
	select1()
	b.key(kb.Delete)
	b.until(readings + " === 1")
	keptHere(1)
	b.fetches("() => undefined")
	b.shows("Connected again.")
	keptHere(0)
	if c := now(); len(c) != 1 || c[0].ID != before[1].ID {
		t.Errorf("not deleted: %+v", c)
	}

	// What is restored from the list of what was deleted: the tab is closed; it stays open; in an older version.
	restore := func() {
		away()
		b.press("Versions")
		b.press("Deleted regions")
		b.press("Restore: number")
		keptHere(1)
	}
	restore()
	reopen()
	keptHere(0)
	b.until(readings + " === 2")
	eval[any](b, "document.querySelector('.viewer').focus()")
	b.key("z", ctrl) // as what was done last
	b.until(readings + " === 1 && !document.querySelector('[data-saving]')")
	restore()
	b.fetches("() => undefined")
	b.shows("Connected again.")
	b.shows("Restored.")
	keptHere(0)
	if c := now(); len(c) != 2 || c[0].ID != before[0].ID {
		t.Errorf("not restored: %+v", c)
	}
	ann.call(http.StatusOK, "POST", path("/image/%d/ocr", page.ID), []object{{"x1": 0, "y1": 0, "x2": 9, "y2": 9}})
	ann.call(http.StatusNoContent, "DELETE", path("/ocr/%s", before[0].ID), nil)
	reopen()
	restore()
	reopen()
	keptHere(0)
	if runs := versionsOf(ann, page.ID); len(runs) != 2 || len(runs[0].Contents) != 1 || len(runs[1].Contents) != 2 {
		t.Errorf("got the versions %+v", runs)
	}
	b.until("document.querySelector('#r1') && !document.querySelector('#r2')")
}

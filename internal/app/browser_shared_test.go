package app

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"glyphbox/internal/porttest"
)

// TestBrowserRemembersHowToRead chooses how to read in one browser and finds it in another.
func TestBrowserRemembersHowToRead(t *testing.T) {
	s, b, ann, page, _ := openLetter(t, t.TempDir())
	b.press("Reading settings")
	b.until("document.querySelector('.how select')")
	eval[any](b, "[...document.querySelectorAll('.how .tickbox')].find((l) => l.innerText.includes('Korean')).click()")
	const effort = "[...document.querySelectorAll('label.field')].find((l) => l.innerText.startsWith('Effort')).querySelector('select')"
	eval[any](b, "{ const e = "+effort+"; e.value = 'fast'; e.dispatchEvent(new Event('change', { bubbles: true })) }")
	const kept = "fetch('/api/v1/user/settings', { headers: { Authorization: %q } }).then((r) => r.json()).then((s) => " +
		"s.effort === 'fast' && s.lang.join() === 'eng,kor')"
	if !eval[bool](b, "new Promise((done) => { const look = () => "+fmt.Sprintf(kept, "Bearer "+ann.token)+
		".then((yes) => yes ? done(true) : setTimeout(look, 20)); look() })") {
		t.Error("the settings are not kept")
	}

	other := browse(t, s.base)
	other.open(fmt.Sprintf("/image/%d", page.ID))
	other.signIn("ann", password)
	other.press("Reading settings")
	other.until(effort + ".value === 'fast'")
	other.until("['English', 'Korean'].every((name) => [...document.querySelectorAll('.how .tickbox')].find((l) => " +
		"l.innerText.includes(name)).querySelector('input').checked)")
}

// TestBrowserEverybodysPages looks at the library of an administrator, in each order, and deletes what is somebody else's.
func TestBrowserEverybodysPages(t *testing.T) {
	s := start(t, t.TempDir())
	ann := s.signUp("ann")
	var ids []int64
	for n, name := range []string{"form 10.png", "form 2.png", "form 1.png"} {
		ids = append(ids, ann.upload(name, porttest.PNG(blank(200+n))).ID)
	}
	ann.do(http.StatusOK, "POST", path("/image/%d/ocr", ids[1]), nil)
	admin := s.login("admin", adminPassword)
	admin.upload("own.png", porttest.PNG(blank(300)))
	b := browse(t, s.base)
	b.open("/")
	b.signIn("admin", adminPassword)
	list := func(want string) {
		t.Helper()
		b.until(fmt.Sprintf("[...document.querySelectorAll('a.name')].map((e) => e.innerText).join() === %q", want))
	}
	list("own.png")
	b.choose("Owner", "all")
	list("own.png,form 1.png,form 2.png,form 10.png")
	b.until("document.body.innerText.match(/by ann/g)?.length === 3 && document.body.innerText.match(/by admin/g)?.length === 1")
	b.until("document.body.innerText.match(/Not read/g)?.length === 3 && document.body.innerText.match(/✓ Read/g)?.length === 1")
	b.choose("Order", "name")
	list("form 1.png,form 2.png,form 10.png,own.png")
	b.do(chromedp.Reload())
	list("form 1.png,form 2.png,form 10.png,own.png") // it is in the address
	b.choose("Order", "oldest")
	list("form 10.png,form 2.png,form 1.png,own.png")
	b.look("library-everybody")

	// What is somebody else's is deleted only after a question that says whose it is, and can be had back.
	for _, name := range []string{"form 2.png", "own.png"} {
		eval[any](b, fmt.Sprintf("document.querySelector('[aria-label=\"Select %s\"]').click()", name))
	}
	b.press("Delete")
	b.shows("Delete 2 pages?")
	b.shows("1 of them is not yours: ann (1)")
	b.look("delete-others")
	eval[any](b, "[...document.querySelectorAll('dialog button')].at(-1).click()")
	list("form 10.png,form 1.png")
	b.press("Undo")
	list("form 10.png,form 2.png,form 1.png,own.png")
	b.inLanguage("ko")
	b.shows("모든 사용자의 페이지")
	b.look("library-everybody-ko")
	b.choose("소유자", "me")
	list("own.png")
}

// TestBrowserTogether has two people on one page.
func TestBrowserTogether(t *testing.T) {
	s, b, ann, page, at := openLetter(t, t.TempDir())
	line, title := at["line"], at["title"]
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	other := browse(t, s.base)
	other.open(fmt.Sprintf("/image/%d", page.ID))
	other.signIn("admin", adminPassword)
	also := "[...document.querySelectorAll('[aria-label]')].some((e) => e.ariaLabel === 'Also here: %s')"
	b.until(fmt.Sprintf(also, "admin"))
	other.until(fmt.Sprintf(also, "ann"))
	b.look("together")

	// One user sees what the other does, and can go on typing.
	b.drag(letterWidth, title[0], title[1], title[2], title[3])
	other.until(readings + " === 2")
	other.retypes("Mine")
	contents := versionsOf(ann, page.ID)[0].Contents
	ann.call(200, "PUT", path("/ocr/%s", contents[1].ID), object{"text": "Two"})
	other.until("document.querySelector('#r2 .text')?.innerText === 'Two'")
	const typing = "document.activeElement.matches('#r1 textarea') && document.activeElement.value === 'Mine'"
	other.until(typing)
	ann.call(200, "PUT", path("/ocr/%s", contents[0].ID), object{"text": "Theirs", "name": "subject"})
	other.until("document.querySelector('#r1 .name')?.value === 'subject'")
	other.until(typing)
	other.key(kb.Enter, ctrl)
	other.until("document.querySelector('#r1 .theirs')?.innerText.includes('Theirs')")
	other.until("document.activeElement.matches('#r1 .theirs')") // the text field is gone
	other.press("Keep mine")
	b.until("document.querySelector('#r1 .text')?.innerText === 'Mine'")

	// What is deleted under their hands comes back with what they typed.
	other.retypes("Not saved")
	ann.do(204, "DELETE", path("/ocr/%s", contents[0].ID), nil)
	b.until(readings + " === 1")
	other.shows("A region with unsaved text was deleted elsewhere.")
	other.look("deleted-while-typing")
	other.press("Restore")
	other.until("document.querySelector('#r1 textarea')?.value === 'Not saved'")
	b.until(readings + " === 2")

	other.open("/")
	b.until("!" + fmt.Sprintf(also, "admin"))
}

// TestBrowserGuest is somebody with whom a page is shared: what they may not change is told before they type, with what they can do.
func TestBrowserGuest(t *testing.T) {
	s, b, ann, page, at := openLetter(t, t.TempDir(), briefly()...)
	line := at["line"]
	b.drag(letterWidth, line[0], line[1], line[2], line[3])
	b.until(readings + " === 1")
	b.calm()
	ann.call(200, "PUT", path("/image/%d", page.ID), object{"visibility": "shared"})
	s.signUp("bob")
	guest := browse(t, s.base)
	guest.open(fmt.Sprintf("/image/%d", page.ID))
	guest.signIn("bob", password)
	guest.until(readings + " === 1")
	told := func(n int) {
		t.Helper()
		guest.until(fmt.Sprintf("[...document.querySelectorAll('.note')].filter((e) => e.innerText.includes('Only the person who ran'))"+
			".length === %d && !document.querySelector('textarea')", n))
	}
	guest.until("!document.querySelector('#r1 .edit') && document.querySelector('#r1 .name').readOnly")
	eval[any](guest, "document.querySelector('#r1 .text').click()")
	told(1)
	guest.press("Region 1")
	guest.press("Actions for region 1")
	guest.until(button("Read again"))
	for _, name := range []string{"Confirm page", "Proofread", "Confirm text", "Delete", "Delete permanently …"} {
		if eval[bool](guest, button(name)+" !== undefined") {
			t.Errorf("a guest is offered %q", name)
		}
	}
	guest.look("guest")
	guest.key(kb.Escape)
	eval[any](guest, "document.querySelector('.viewer').focus()")
	guest.key(kb.Delete)
	told(1)
	guest.press("Reading settings")
	guest.press("Read all again")
	guest.shows("Saved as version 2.")
	guest.retypes("As bob has it")
	guest.key(kb.Enter, ctrl)
	b.until("document.querySelector('#r1 .text')?.innerText === 'As bob has it'")
	b.calm()
	b.edits() // the page is hers
}

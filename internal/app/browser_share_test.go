package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// seenBy opens the dialog of who sees the selected or named documents, and chooses.
func (b tab) seenBy(button, who string, names ...string) {
	b.t.Helper()
	b.press(button)
	b.until("document.querySelector('dialog fieldset')")
	eval[any](b, fmt.Sprintf("[...document.querySelectorAll('dialog label')].find((l) => l.innerText.trim() === %q)"+
		".querySelector('input').click()", who))
	for _, name := range names {
		b.fill("dialog .add input", name)
		b.press("Add")
	}
	b.press("Save")
	if len(names) == 0 {
		b.until("!document.querySelector('dialog') && !document.querySelector('.bar progress')")
	}
}

// TestBrowserShare shares a document by name, which another user sees until it is taken away, and finds documents by a tag.
func TestBrowserShare(t *testing.T) {
	s := start(t, t.TempDir())
	ann, bob := s.signUp("ann"), s.signUp("bob")
	ann.upload("letter.png", porttest.PNG(blank(200)))
	ann.upload("bill.png", porttest.PNG(blank(201)))
	b, other := browse(t, s.base), browse(t, s.base)
	b.open("/")
	b.signIn("ann", password)
	other.open("/")
	other.signIn("bob", password)
	other.shows("No pages yet")

	b.press("Actions for letter.png")
	b.seenBy("Share …", "These people", "bob", "nobody")
	b.shows("Nobody you can share with is called nobody")
	b.accessible("share")
	b.look("share")
	b.press("Remove nobody")
	b.press("Save")
	b.until("!document.querySelector('dialog')")
	b.shows("with bob")
	b.do(chromedp.Reload())
	b.shows("with bob")
	other.open("/")
	other.shows("by ann")
	own := filepath.Join(t.TempDir(), "own.png")
	check.OK(t, "WriteFile", os.WriteFile(own, porttest.PNG(blank(100)), 0o600))
	other.upload(own)
	other.until(names + ".join() === 'own.png,letter.png'")
	other.choose("Owner", "others")
	other.until(names + ".join() === 'letter.png'")
	other.look("shared-with-me")
	other.do(chromedp.Reload())
	other.until(names + ".join() === 'letter.png'") // it is in the address

	// What is somebody else's can be read and exported by selection; what else there is says why it cannot be done.
	other.choose("Owner", "")
	other.until(names + ".join() === 'own.png,letter.png'")
	other.press("More")
	other.press("Select all")
	other.shows("2 selected")
	const offered = "[...document.querySelectorAll('.bar > .button, .bar > .menu > .button')].map((e) => e.innerText.trim()).join()"
	other.until(offered + ".startsWith(',Read,Export,')")
	other.press("More actions")
	other.shows("Others’ pages can only be read and exported.")
	if eval[bool](other, button("Tags …")+" !== undefined") {
		t.Error("tags of somebody else's page are offered")
	}
	other.look("selected-of-others")
	other.key(kb.Escape)
	other.press("Read")
	other.press("Read whole pages")
	other.shows("2 pages were read.")
	eval[any](other, "{ const make = URL.createObjectURL; URL.createObjectURL = (x) => { window.exported = x.size; return make(x) } }")
	other.press("Export")
	other.press("One CSV table of all regions")
	other.until("window.exported > 10")
	eval[any](other, "document.querySelector('[role=gridcell]').focus()")
	other.key(kb.Delete)
	other.until("document.querySelector('.notes').innerText.includes('Others’ pages can only be read and exported.')")
	eval[any](other, "document.querySelector('[aria-label=\"Select letter.png\"]').click()")
	other.until(offered + ".startsWith(',Read,Export,Share,Delete,')")
	other.press("Clear the selection")
	other.choose("Owner", "me")
	other.until(names + ".join() === 'own.png'")
	b.choose("Owner", "others")
	b.shows("Nothing is shared with you yet")
	b.look("nothing-shared")
	b.choose("Owner", "")
	b.press("Actions for letter.png")
	b.seenBy("Share …", "Only me")
	b.until("!document.body.innerText.includes('with bob')")
	other.open("/?owner=others")
	other.shows("Nothing is shared with you yet")

	// The focus is in the field while there is something to type, and goes back to where the dialog came from.
	const inField = "document.activeElement.matches('dialog .add input')"
	const back = "!document.querySelector('dialog') && document.activeElement.ariaLabel === 'Actions for bill.png'"
	b.press("Actions for bill.png")
	b.press("Share …")
	b.until("document.activeElement.matches('dialog fieldset input:checked')")
	b.press("Cancel")
	b.until(back)
	b.press("Actions for bill.png")
	b.press("Tags …")
	b.until(inField)
	long := strings.Repeat("x", 150)
	b.fill("dialog .add input", long)
	b.press("Add")
	b.until(inField)
	b.press("Save")
	b.shows("(a tag has 1 to 50 characters)")
	b.until("(({ scrollWidth, clientWidth }) => scrollWidth === clientWidth)(document.querySelector('dialog'))")
	b.look("tag-too-long")
	b.press("Remove " + long)
	b.until(inField)
	b.press("Cancel")
	b.until(back)

	b.press("Actions for bill.png")
	b.press("Tags …")
	b.until("document.querySelector('dialog .add input')")
	b.fill("dialog .add input", "Tax, 2026")
	b.press("Add")
	b.press("Save")
	b.shows("#2026")
	b.do(chromedp.Reload())
	b.shows("#2026")
	b.choose("Tag", "Tax")
	b.until("[...document.querySelectorAll('a.name')].map((e) => e.innerText).join() === 'bill.png'")
	b.look("tags")
	b.choose("Tag", "")
	b.until("document.querySelectorAll('a.name').length === 2")

	// Of several documents a tag is removed from each that has it, and others stay.
	selected := []string{"bill.png", "letter.png"}
	for n := range 6 { // more than are changed at once
		i := ann.upload(fmt.Sprintf("page %d.png", n), porttest.PNG(blank(300+n)))
		ann.call(http.StatusOK, "PUT", path("/image/%d", i.ID), object{"visibility": "shared"})
		selected = append(selected, i.Name)
	}
	b.do(chromedp.Reload())
	b.until(names + ".length === 8")
	for _, name := range selected {
		eval[any](b, fmt.Sprintf("document.querySelector('[aria-label=\"Select %s\"]').click()", name))
	}
	b.shows("8 selected")
	b.press("More actions")
	b.press("Tags …")
	b.shows("2026 · 1 of 8")
	b.fill("dialog .add input", "Harbour")
	b.press("Add")
	b.press("Remove Tax")
	b.look("tags-of-several")
	b.press("Save")
	b.until("!document.querySelector('dialog') && !document.querySelector('.bar progress')")
	tagged := map[string]string{}
	for _, i := range as[[]api.Image](t, ann.do(http.StatusOK, "GET", path("/image"), nil)) {
		tagged[i.Name] = strings.Join(append(i.Tags, i.Visibility), ",")
	}
	want := map[string]string{"bill.png": "2026,Harbour,private", "letter.png": "Harbour,private"}
	for _, name := range selected[2:] {
		want[name] = "Harbour,shared"
	}
	check.Same(t, "tags", tagged, want)
	b.press("More actions")
	b.press("Tags …")
	b.press("Remove Harbour")
	b.press("Save")
	b.until("!document.querySelector('dialog') && !document.body.innerText.includes('#Harbour')")
	b.shows("#2026")
	bob.do(http.StatusOK, "GET", "/tag", nil)
}

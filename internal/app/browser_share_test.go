package app

import (
	"fmt"
	"net/http"
	"testing"

	"glyphbox/internal/porttest"
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
	other.open("/")
	other.shows("by ann")
	b.press("Actions for letter.png")
	b.seenBy("Share …", "Only me")
	b.until("!document.body.innerText.includes('with bob')")
	other.open("/")
	other.shows("No pages yet")

	b.press("Actions for bill.png")
	b.press("Tags …")
	b.until("document.querySelector('dialog .add input')")
	b.fill("dialog .add input", "Tax, 2026")
	b.press("Add")
	b.press("Save")
	b.shows("#2026")
	b.choose("Tag", "Tax")
	b.until("[...document.querySelectorAll('a.name')].map((e) => e.innerText).join() === 'bill.png'")
	b.look("tags")
	b.choose("Tag", "")
	b.until("document.querySelectorAll('a.name').length === 2")
	bob.do(http.StatusOK, "GET", "/tag", nil)
}

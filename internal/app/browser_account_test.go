package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/porttest/check"
)

// TestBrowserWebhooks makes a webhook, looks at what was sent to it, has it sent again, gives it a new secret, and deletes it.
func TestBrowserWebhooks(t *testing.T) {
	arrived := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("webhook-id")
	}))
	defer receiver.Close()
	s := start(t, t.TempDir(), "--webhook-networks", "127.0.0.1")
	ann := s.signUp("ann")
	b := browse(t, s.base)
	b.open("/account")
	b.signIn("ann", password)
	b.open("/account")
	b.shows("No webhooks yet.")
	b.fill("[name=hook]", "http://10.0.0.1/hook")
	b.press("Add webhook")
	b.shows("A web address that begins with https:// or http://")
	b.fill("[name=hook]", receiver.URL)
	b.press("Add webhook")
	const secret = "document.querySelector('.made code')?.innerText"
	b.until(secret + "?.startsWith('whsec_')")
	first := eval[string](b, secret)
	hooks, err := ann.client().Webhooks(t.Context())
	check.OK(t, "Webhooks", err)
	check.Same(t, "webhooks", len(hooks), 1)

	form := firstLine(ann.uploads(1))
	form.Webhook = hooks[0].ID
	_, err = ann.client().AddJob(t.Context(), form)
	check.OK(t, "AddJob", err)
	id := <-arrived
	b.press("Deliveries: " + receiver.URL)
	b.shows("All pages were read")
	b.until("(document.querySelector('.sent').innerText.includes('Delivered') || " + button("Refresh") + ".click())")
	b.shows("HTTP 200")
	eval[any](b, "document.querySelector('summary').click()")
	b.until("document.querySelector('pre').innerText.includes('job.ended')")
	eval[any](b, "document.querySelector('.sent').scrollIntoView({ block: 'center' })")
	b.look("webhooks")
	eval[any](b, "[...document.querySelectorAll('.sent button')][0].click()")
	check.Same(t, "sent again", <-arrived, id)

	// What is read from this browser tells it, until it is gone.
	eval[any](b, "[...document.querySelectorAll('li .tick input')].at(-1).click()")
	b.open("/")
	readAll := func() {
		t.Helper()
		b.until("document.querySelector(`[role=gridcell] img`)") // selecting is no race with the list
		b.press("More")
		b.press("Select all")
		b.press("Read")
		b.press("Read whole pages")
		b.shows("is being read in the background.")
	}
	readAll()
	if other := <-arrived; other == id {
		t.Error("the job of before was told once more")
	}
	b.open("/account")
	b.until("document.querySelector('li .tick input')?.checked")

	b.press("New secret: " + receiver.URL)
	b.until(fmt.Sprintf("%s !== %q", secret, first))
	b.press("Turn off: " + receiver.URL)
	b.shows("Off: notifications wait until it is on again.")
	b.press("Turn on: " + receiver.URL)
	b.until(button("Turn off: " + receiver.URL))
	b.inLanguage("ko")
	b.press("전송 기록: " + receiver.URL)
	b.shows("모든 페이지 인식 완료")
	eval[any](b, "document.querySelector('.sent').scrollIntoView({ block: 'center' })")
	b.look("webhooks-ko")
	b.enter("삭제: " + receiver.URL)
	b.shows("이 웹훅을 삭제하시겠습니까?")
	b.enter("취소")
	b.until("document.activeElement === " + button("삭제: "+receiver.URL)) // as it was before
	b.press("삭제: " + receiver.URL)
	b.shows("이 웹훅을 삭제하시겠습니까?")
	b.press("삭제")
	b.shows("아직 웹훅이 없습니다.")
	hooks, err = ann.client().Webhooks(t.Context())
	check.OK(t, "Webhooks", err)
	check.Same(t, "webhooks", len(hooks), 0)
	b.inLanguage("en")
	chosen := fmt.Sprintf("localStorage['webhook:%d']", as[api.User](t, ann.do(http.StatusOK, "GET", path("/user/me"), nil)).ID)
	if eval[bool](b, chosen+" !== undefined") {
		t.Error("the webhook that was deleted is still chosen")
	}
	eval[any](b, chosen+" = '7'") // as where it was deleted from another browser
	b.open("/")
	readAll()
}

// TestBrowserLimits has an administrator set what a user may have, which the user sees.
func TestBrowserLimits(t *testing.T) {
	s := start(t, t.TempDir())
	ann := s.signUp("ann")
	ann.uploads(2)
	b := browse(t, s.base)
	b.open("/admin")
	b.signIn("admin", adminPassword)
	b.open("/admin")
	b.press("Limits: ann")
	b.shows("Limits of ann")
	b.fill("dialog [name=images]", "many")
	b.press("Save")
	b.shows("A whole number, 0 or more")
	b.look("limits")
	b.fill("dialog [name=images]", "2")
	b.press("Save")
	b.shows("Saved.")
	b.press("Limits: ann")
	b.until("document.querySelector('dialog [name=images]')?.value === '2'")
	b.shows("2 of 2")
	limits := as[api.Limits](t, ann.do(http.StatusOK, "GET", path("/user/limits"), nil))
	check.Same(t, "limit", limits.Images, api.Limit{Allowed: 2, Used: 2, Own: true})
	b.press("Cancel")
	b.press("Menu")
	b.press("Sign out")
	b.signIn("ann", password)
	b.open("/account")
	b.shows("Usage")
	b.shows("2 of 2")
	eval[any](b, "document.querySelector('dl').scrollIntoView({ block: 'center' })")
	b.look("use")
	b.inLanguage("ko")
	b.shows("2개 중 2개")
	eval[any](b, "document.querySelector('dl').scrollIntoView({ block: 'center' })")
	b.look("use-ko")
}

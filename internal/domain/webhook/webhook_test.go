package webhook_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// world is a service and a deliverer on fakes, with a clock that the test sets.
type world struct {
	*porttest.Fakes
	*webhook.Service
	t         *testing.T
	deliverer *webhook.Deliverer
	ann       account.Actor
	now       time.Time
	jobs      int

	mu     sync.Mutex
	sent   []webhook.Message
	answer webhook.Answer
	block  chan struct{} // nil: requests are answered at once
}

func open(t *testing.T) *world {
	f := porttest.NewFakes(t)
	w := &world{Fakes: f, t: t, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), answer: webhook.Answer{Status: 200}}
	u, err := f.Users.Add(t.Context(), account.User{Name: "ann", Email: "ann@example.org", PasswordHash: "x", Created: w.now})
	check.OK(t, "Users.Add", err)
	w.ann = account.Actor{UserID: u.ID, Name: u.Name}
	clock := func() time.Time { return w.now }
	sender := &porttest.FakeSender{Answer: func(m webhook.Message) webhook.Answer {
		w.mu.Lock()
		w.sent = append(w.sent, m)
		answer := w.answer
		w.mu.Unlock()
		if w.block != nil {
			<-w.block
		}
		return answer
	}}
	w.Service = &webhook.Service{Hooks: f.Hooks, Sender: sender, Seals: f.Seals, Now: clock}
	w.deliverer = &webhook.Deliverer{Hooks: f.Hooks, Accounts: &account.Service{Users: f.Users, Now: clock}, Sender: sender, Seals: f.Seals,
		Now: clock}
	return w
}

func (w *world) hook(url string) (webhook.Hook, string) {
	w.t.Helper()
	h, secret, err := w.Add(w.t.Context(), w.ann, webhook.Form{URL: &url})
	check.OK(w.t, "Add", err)
	return h, secret
}

// event makes a job end that tells a hook.
func (w *world) event(hook int64) {
	w.t.Helper()
	w.jobs++
	id := fmt.Sprintf("job%05d", w.jobs)
	check.OK(w.t, "Jobs.Add", w.Jobs.Add(w.t.Context(), job.Job{ID: id, User: account.Ref{ID: w.ann.UserID}, Webhook: hook,
		State: job.Queued, Created: w.now, Count: job.Count{Total: 1, Queued: 1}}, limit.Limits{}, []int64{1}))
	check.OK(w.t, "Jobs.Cancel", w.Jobs.Cancel(w.t.Context(), id, w.now))
}

// deliver sends what is due and waits for it.
func (w *world) deliver() {
	w.t.Helper()
	check.OK(w.t, "Deliver", w.deliverer.Deliver(w.t.Context()))
	w.deliverer.Wait()
}

func (w *world) only(hook int64) webhook.Delivery {
	w.t.Helper()
	found, err := w.Deliveries(w.t.Context(), w.ann, hook, "", 10)
	check.OK(w.t, "Deliveries", err)
	if len(found) != 1 {
		w.t.Fatalf("%d deliveries, want 1", len(found))
	}
	return found[0]
}

func (w *world) shown(hook int64) webhook.Hook {
	w.t.Helper()
	h, err := w.Hook(w.t.Context(), w.ann, hook)
	check.OK(w.t, "Hook", err)
	return h
}

func TestADeliveryArrives(t *testing.T) {
	w := open(t)
	h, secret := w.hook("https://hook.example/a")
	w.event(h.ID)
	w.deliver()
	d := w.only(h.ID)
	check.Same(t, "state", d.State, webhook.Delivered)
	check.Same(t, "sent", w.sent, []webhook.Message{{URL: h.URL, ID: d.ID, Timestamp: w.now, Body: d.Body, Secrets: []string{secret}}})
	w.now = w.now.Add(time.Hour)
	w.deliver()
	check.Same(t, "sent once", len(w.sent), 1)
	check.OK(t, "Replay", w.Replay(t.Context(), w.ann, h.ID, d.ID))
	w.deliver()
	check.Same(t, "sent again, with the same ID", w.sent[1].ID, d.ID)
}

// TestPauses answers 500 for longer than a day.
func TestPauses(t *testing.T) {
	w := open(t)
	h, _ := w.hook("https://hook.example/a")
	w.event(h.ID)
	w.answer = webhook.Answer{Status: 500, Error: "no"}
	start, last := w.now, w.now
	var pauses []time.Duration
	for w.deliver(); w.only(h.ID).State == webhook.Waiting; w.deliver() {
		due := w.only(h.ID).Due
		w.now = due.Add(-time.Microsecond)
		w.deliver()
		w.now = due
		pauses, last = append(pauses, due.Sub(last)), due
	}
	check.Same(t, "tries", len(w.sent), webhook.MaxTries)
	check.Same(t, "pauses grow", slices.IsSortedFunc(pauses[:9], func(a, b time.Duration) int { return int(a - b) }), true)
	if took := w.now.Sub(start); took < 20*time.Hour || took > 30*time.Hour || pauses[0] < 5*time.Second || pauses[0] > 7*time.Second {
		t.Errorf("it took %s, with the pauses %s", took, pauses)
	}
	d := w.only(h.ID)
	check.Same(t, "delivery", d.State, webhook.Failed)
	check.Same(t, "answer", d.Answer, webhook.Answer{Status: 500, Error: "no"})
	for _, m := range w.sent {
		check.Same(t, "ID", m.ID, d.ID)
	}
	check.Same(t, "failing since", w.shown(h.ID).FailingSince, start)
	check.Same(t, "hook after a day", w.shown(h.ID).Disabled, time.Time{})

	w.event(h.ID)
	w.now = start.Add(webhook.PatienceFor)
	w.deliver()
	h = w.shown(h.ID)
	check.Same(t, "hook after days", h.Reason, webhook.Failing)
	if !strings.Contains(h.Notice(), "no delivery has worked since 2026-03-01T08:00:00Z") {
		t.Errorf("notice %q", h.Notice())
	}
	w.event(h.ID) // what comes while it is disabled waits
	sent := len(w.sent)
	w.now = w.now.Add(time.Hour)
	w.deliver()
	check.Same(t, "sent while it is disabled", len(w.sent), sent)
	enabled := true
	w.answer = webhook.Answer{Status: 204}
	_, _, err := w.Change(t.Context(), w.ann, h.ID, webhook.Form{Enabled: &enabled})
	check.OK(t, "Change", err)
	w.deliver()
	check.Same(t, "sent once it is enabled", len(w.sent), sent+2)
	check.Same(t, "notice", w.shown(h.ID).Notice(), "")
}

func TestAnswersThatSayMore(t *testing.T) {
	w := open(t)
	h, _ := w.hook("https://hook.example/a")
	w.event(h.ID)
	w.answer = webhook.Answer{Status: 429, RetryAfter: time.Hour}
	w.deliver()
	check.Same(t, "pause that was asked for", w.only(h.ID).Due, w.now.Add(time.Hour))
	w.answer.RetryAfter = 1000 * time.Hour
	w.now = w.now.Add(time.Hour)
	w.deliver()
	check.Same(t, "longest pause", w.only(h.ID).Due, w.now.Add(8*time.Hour))
	w.answer = webhook.Answer{Status: 410}
	w.now = w.now.Add(8 * time.Hour)
	w.deliver()
	check.Same(t, "reason", w.shown(h.ID).Reason, webhook.Gone)
	check.Same(t, "delivery", w.only(h.ID).State, webhook.Waiting)
}

func TestSecretsAreRotated(t *testing.T) {
	w := open(t)
	h, first := w.hook("https://hook.example/a")
	_, second, err := w.Change(t.Context(), w.ann, h.ID, webhook.Form{Rotate: true})
	check.OK(t, "Change", err)
	for now, want := range map[time.Time][]string{w.now: {second, first}, w.now.Add(webhook.SecretTime): {second}} {
		w.now = now
		w.sent = nil
		w.event(h.ID)
		w.deliver()
		check.Same(t, "secrets", w.sent[len(w.sent)-1].Secrets, want)
	}
}

// TestFewAtOnce has hooks whose hosts hang: they hold up no other host, and get few requests at once.
func TestFewAtOnce(t *testing.T) {
	w := open(t)
	w.block = make(chan struct{})
	hooks := []webhook.Hook{}
	for _, url := range []string{"https://a.example/1", "https://A.example/2?x"} {
		h, _ := w.hook(url)
		hooks = append(hooks, h)
		for range 10 {
			w.event(h.ID)
		}
	}
	u, err := w.Users.Add(t.Context(), account.User{Name: "bob", Email: "bob@example.org", PasswordHash: "x", Created: w.now})
	check.OK(t, "Users.Add", err)
	w.ann.UserID = u.ID
	same, _ := w.hook("https://a.example/3")
	other, _ := w.hook("https://b.example/")
	w.event(same.ID)
	w.event(other.ID)
	check.OK(t, "Deliver", w.deliverer.Deliver(t.Context()))
	check.OK(t, "Deliver", w.deliverer.Deliver(t.Context()))
	close(w.block)
	w.deliverer.Wait()
	count := map[string]int{}
	for _, m := range w.sent {
		count[m.URL]++
	}
	check.Same(t, "sent at once", count, map[string]int{hooks[0].URL: 4, other.URL: 1})
	for range 8 {
		w.deliver()
	}
	check.Same(t, "sent in the end", len(w.sent), 22)
}

// TestALeaseThatEnds has a node vanish while it sends: the delivery is sent again, and what the first one says late changes nothing.
func TestALeaseThatEnds(t *testing.T) {
	w := open(t)
	h, _ := w.hook("https://hook.example/a")
	w.event(h.ID)
	w.block = make(chan struct{})
	check.OK(t, "Deliver", w.deliverer.Deliver(t.Context()))
	claimed, err := w.Hooks.Claim(t.Context(), h.ID, "other", w.now.Add(time.Minute), w.now.Add(2*time.Minute), 1)
	check.OK(t, "Claim", err)
	check.Same(t, "claimed", len(claimed), 1)
	close(w.block)
	w.deliverer.Wait()
	check.Same(t, "state", w.only(h.ID).State, webhook.Waiting)
	check.OK(t, "Finish", w.Hooks.Finish(t.Context(), claimed[0].ID, "other", func(*webhook.Hook, *webhook.Delivery) {}))
}

func TestWhoMayNotActIsToldNothing(t *testing.T) {
	w := open(t)
	h, _ := w.hook("https://hook.example/a")
	w.event(h.ID)
	_, err := w.Users.Update(t.Context(), w.ann.UserID, func(u *account.User) error {
		u.States = []account.State{{Name: account.StateBlocked, Created: w.now}}
		return nil
	})
	check.OK(t, "Users.Update", err)
	w.deliver()
	check.Same(t, "sent", len(w.sent), 0)
	check.Same(t, "reason", w.shown(h.ID).Reason, webhook.Blocked)
}

func TestOldDeliveriesGo(t *testing.T) {
	w := open(t)
	h, _ := w.hook("https://hook.example/a")
	w.event(h.ID)
	w.now = w.now.Add(webhook.KeepTime)
	check.OK(t, "Prune", w.deliverer.Prune(t.Context()))
	w.only(h.ID)
	w.now = w.now.Add(time.Millisecond)
	check.OK(t, "Prune", w.deliverer.Prune(t.Context()))
	found, err := w.Deliveries(t.Context(), w.ann, h.ID, "", 10)
	check.OK(t, "Deliveries", err)
	check.Same(t, "left", len(found), 0)
}

func TestNobodyElseSees(t *testing.T) {
	w := open(t)
	h, _ := w.hook("https://hook.example/a")
	bob := account.Actor{UserID: w.ann.UserID + 1, Admin: true}
	_, err := w.Hook(t.Context(), bob, h.ID)
	check.Kind(t, "Hook", err, fault.NotFound)
	_, _, err = w.Change(t.Context(), bob, h.ID, webhook.Form{Rotate: true})
	check.Kind(t, "Change", err, fault.NotFound)
	check.Kind(t, "Remove", w.Remove(t.Context(), bob, h.ID), fault.NotFound)
	check.Kind(t, "Replay", w.Replay(t.Context(), bob, h.ID, "x"), fault.NotFound)
	_, err = w.Deliveries(t.Context(), bob, h.ID, "", 10)
	check.Kind(t, "Deliveries", err, fault.NotFound)
}

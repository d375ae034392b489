package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	api "glyphbox/client"
	"glyphbox/internal/adapter/hookclient"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/hookstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest/check"
)

// TestAWebhookIsTold runs a job that names a webhook, and checks what arrives as its receiver would.
func TestAWebhookIsTold(t *testing.T) {
	type arrival struct {
		header http.Header
		body   []byte
	}
	arrivals := make(chan arrival, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrivals <- arrival{r.Header, body}
	}))
	defer receiver.Close()

	items := true
	closed := start(t, t.TempDir()).signUp("ann")
	closed.call(http.StatusUnprocessableEntity, "POST", path("/webhook"), object{"url": receiver.URL})
	ann := start(t, t.TempDir(), "--webhook-networks", "127.0.0.1").signUp("ann")
	hook, err := ann.client().AddWebhook(t.Context(), api.WebhookForm{URL: &receiver.URL, Items: &items})
	check.OK(t, "AddWebhook", err)
	form := firstLine(ann.uploads(2))
	form.Webhook = hook.ID
	made, err := ann.client().AddJob(t.Context(), form)
	check.OK(t, "AddJob", err)
	verify, err := standardwebhooks.NewWebhook(*hook.Secret)
	check.OK(t, "NewWebhook", err)
	events := map[string]int{}
	for range 3 {
		a := <-arrivals
		check.OK(t, "Verify", verify.Verify(a.body, a.header))
		event := as[struct{ Type string }](t, reply{body: a.body})
		events[event.Type]++
	}
	check.Same(t, "events", events, map[string]int{"item.ended": 2, "job.ended": 1})
	check.Same(t, "job", ann.followed(made.ID).Done, 2)
}

// sometimesHurried waits for one receiver for a short time only.
type sometimesHurried struct {
	webhook.Sender
	hurried webhook.Sender
	url     string
}

func (s sometimesHurried) Send(ctx context.Context, m webhook.Message) webhook.Answer {
	if m.URL == s.url {
		return s.hurried.Send(ctx, m)
	}
	return s.Sender.Send(ctx, m)
}

// TestAnHourOfFailures has a receiver that answers 500 for an hour of the deliverers' clock: what is sent by several nodes arrives once it
// answers better, each delivery once, and a receiver that refuses or hangs holds up nobody.
func TestAnHourOfFailures(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "glyphbox.db"))
	check.OK(t, "Open", err)
	defer db.Close()
	u, err := db.Users().Add(t.Context(), account.User{Name: "ann", Email: "ann@example.org", PasswordHash: "x", Created: time.Now()})
	check.OK(t, "Users.Add", err)
	var status atomic.Int64
	var tries, arrived atomic.Int64
	status.Store(http.StatusInternalServerError)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		if status.Load() == http.StatusOK {
			arrived.Add(1)
		}
		w.WriteHeader(int(status.Load()))
	}))
	defer receiver.Close()
	refusing := "http://" + freeAddress(t)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that its going away is seen
		<-r.Context().Done()
	}))
	defer hanging.Close()

	seals, err := openSeals(Config{DataDir: datadir.Dir(t.TempDir())})
	check.OK(t, "openSeals", err)
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	sender := sometimesHurried{hookclient.New(hookclient.Options{Networks: local, Timeout: time.Hour}),
		hookclient.New(hookclient.Options{Networks: local, Timeout: 200 * time.Millisecond}), hanging.URL}
	now := time.Now().UTC().Truncate(time.Microsecond)
	clock := func() time.Time { return now }
	hooks, jobs := hookstore.New(db.DB), jobstore.New(db.DB)
	service := &webhook.Service{Hooks: hooks, Sender: sender, Seals: seals, Now: clock}
	actor := account.Actor{UserID: u.ID}
	nodes := make([]*webhook.Deliverer, 2)
	for i := range nodes {
		nodes[i] = &webhook.Deliverer{Hooks: hooks, Accounts: newAccounts(Config{}, db, nil), Sender: sender, Seals: seals, Now: clock,
			Log: func(what string, err error) { t.Errorf("%s: %v", what, err) }}
	}
	deliver := func() {
		for _, n := range nodes {
			check.OK(t, "Deliver", n.Deliver(t.Context()))
		}
		for _, n := range nodes {
			n.Wait()
		}
	}
	end := func(id string, hook int64) {
		check.OK(t, "Add", jobs.Add(t.Context(), job.Job{ID: id, User: account.Ref{ID: u.ID}, State: job.Queued, Webhook: hook,
			Created: now, Count: job.Count{Total: 1, Queued: 1}}, limit.Limits{}, []int64{1}))
		check.OK(t, "Cancel", jobs.Cancel(t.Context(), id, now))
	}
	hookAt := map[string]int64{}
	for _, url := range []string{refusing, hanging.URL, receiver.URL} {
		h, _, err := service.Add(t.Context(), actor, webhook.Form{URL: &url})
		check.OK(t, "Add", err)
		hookAt[url] = h.ID
		end("job"+string(rune('a'+len(hookAt))), h.ID)
	}
	for end := now.Add(time.Hour); now.Before(end); now = now.Add(time.Minute) {
		deliver()
	}
	if n := tries.Load(); n < 5 || n > 7 {
		t.Errorf("%d tries in an hour", n)
	}
	status.Store(http.StatusOK)
	for range 180 { // minutes, within which the next try of it is
		now = now.Add(time.Minute)
		deliver()
	}
	check.Same(t, "arrived", arrived.Load(), 1)
	for url, want := range map[string]string{refusing: "It refused the connection.", hanging.URL: "It did not answer within 200ms.",
		receiver.URL: ""} {
		found, err := service.Deliveries(t.Context(), actor, hookAt[url], "", 10)
		check.OK(t, "Deliveries", err)
		check.Same(t, "deliveries", len(found), 1)
		check.Same(t, "what is said of it", found[0].Answer.Error, want)
	}
}

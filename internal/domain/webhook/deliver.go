package webhook

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"glyphbox/internal/domain/fault"
)

// How much is sent at once, and when what is due is looked for.
const (
	atOnce     = 4  // requests to one host, and requests for one user
	allAtOnce  = 32 // requests in all
	lease      = time.Minute
	lookPause  = time.Second // unless something wakes the deliverer
	prunePause = time.Hour
	pruneMost  = 10_000
)

// Deliverer sends due deliveries. Its fields are set once, before first use. Deliverers on several nodes share the work; limits on
// concurrent requests apply to each of them.
type Deliverer struct {
	Hooks    Hooks
	Accounts Accounts
	Sender   Sender
	Seals    Seals
	Now      func() time.Time             // the clock
	Log      func(what string, err error) // told of what goes wrong here and is tried again; nil: nobody is

	Sent     atomic.Int64 // tries that have worked
	Unsent   atomic.Int64 // tries that have not
	wake     chan struct{}
	wakeOnce sync.Once
	sending  sync.WaitGroup
	mu       sync.Mutex
	busy     map[string]int // requests that run, by host, by user and in all
}

// Wake makes the deliverer send due deliveries soon.
func (d *Deliverer) Wake() {
	select {
	case d.waker() <- struct{}{}:
	default: // it is going to be
	}
}

func (d *Deliverer) waker() chan struct{} {
	d.wakeOnce.Do(func() { d.wake = make(chan struct{}, 1) })
	return d.wake
}

// Run sends due deliveries until the context ends, and then waits for running requests.
func (d *Deliverer) Run(ctx context.Context) {
	defer d.Wait()
	prune := time.NewTicker(prunePause)
	defer prune.Stop()
	look := time.NewTicker(lookPause)
	defer look.Stop()
	for {
		if err := d.Deliver(ctx); err != nil && ctx.Err() == nil {
			d.log("sending webhooks", err)
		}
		select {
		case <-d.waker():
		case <-look.C:
		case <-prune.C:
			if err := d.Prune(ctx); err != nil && ctx.Err() == nil {
				d.log("removing old deliveries of webhooks", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Wait waits for running requests.
func (d *Deliverer) Wait() { d.sending.Wait() }

// Prune removes deliveries that are older than KeepTime.
func (d *Deliverer) Prune(ctx context.Context) error {
	for {
		n, err := d.Hooks.Prune(ctx, idAt(d.Now().Add(-KeepTime)), pruneMost)
		if err != nil || n < pruneMost {
			return err
		}
	}
}

// Deliver starts to send what is due and may be sent, and does not wait for it. It must not be called concurrently.
func (d *Deliverer) Deliver(ctx context.Context) error {
	hooks, err := d.Hooks.Due(ctx, d.Now())
	if err != nil {
		return err
	}
	for _, h := range hooks {
		room := d.room(h)
		if room == 0 {
			continue
		}
		_, err := d.Accounts.ActorOf(ctx, h.UserID)
		switch fault.KindOf(err) {
		case fault.Forbidden, fault.Unauthenticated, fault.NotFound:
			if _, err := d.Hooks.Update(ctx, h.ID, func(h *Hook) error { h.disable(Blocked, d.Now()); return nil }); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		now, leasedBy := d.Now(), strings.ToLower(rand.Text())
		claimed, err := d.Hooks.Claim(ctx, h.ID, leasedBy, now, now.Add(lease), room)
		if err != nil {
			return err
		}
		for _, delivery := range claimed {
			d.count(h, 1)
			d.sending.Go(func() {
				defer d.Wake()
				defer d.count(h, -1)
				d.send(context.WithoutCancel(ctx), h, delivery, leasedBy)
			})
		}
	}
	return nil
}

// keys are what requests that run are counted by.
func keys(h Hook) (host, user string) { return "host " + h.host(), fmt.Sprint("user ", h.UserID) }

func (d *Deliverer) room(h Hook) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	host, user := keys(h)
	return max(0, min(atOnce-d.busy[host], atOnce-d.busy[user], allAtOnce-d.busy[""]))
}

func (d *Deliverer) count(h Hook, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy == nil {
		d.busy = map[string]int{}
	}
	host, user := keys(h)
	for _, key := range []string{"", host, user} {
		if d.busy[key] += n; d.busy[key] == 0 {
			delete(d.busy, key)
		}
	}
}

// send makes a try of a delivery that is leased.
func (d *Deliverer) send(ctx context.Context, h Hook, delivery Delivery, leasedBy string) {
	secrets, err := d.secrets(h)
	if err != nil {
		d.log("opening the secret of a webhook", err)
	}
	answer := Answer{Error: "The service cannot open the secret of the webhook. Give it a new one."}
	if err == nil {
		answer = d.Sender.Send(ctx, Message{URL: h.URL, ID: delivery.ID, Timestamp: d.Now(), Body: delivery.Body, Secrets: secrets})
	}
	if answer.ok() {
		d.Sent.Add(1)
	} else {
		d.Unsent.Add(1)
	}
	err = d.Hooks.Finish(ctx, delivery.ID, leasedBy, func(h *Hook, delivery *Delivery) { settle(h, delivery, answer, d.Now()) })
	if err != nil && !fault.Is(err, fault.Conflict) { // it is due again once its lease ends
		d.log("storing the outcome of a delivery", err)
	}
}

// secrets returns what signs for a hook, the newest first.
func (d *Deliverer) secrets(h Hook) ([]string, error) {
	newest, err := d.Seals.Open(h.Secret, sealedFor(h.UserID))
	if err != nil || len(h.Former) == 0 || !d.Now().Before(h.FormerUntil) {
		return []string{newest}, err
	}
	former, err := d.Seals.Open(h.Former, sealedFor(h.UserID))
	return []string{newest, former}, err
}

func (d *Deliverer) log(what string, err error) {
	if d.Log != nil {
		d.Log(what, err)
	}
}

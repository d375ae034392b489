// Package webhook notifies other programs of events by signed HTTP requests.
//
// A delivery is one such request. Its row is written in the transaction of the event, so that none is lost. It is tried until the
// answer is a success, with growing pauses for a day. It may arrive twice, with the same ID.
//
// The types and rules in webhook.go do no I/O. Service has the operations of users, Deliverer sends due deliveries, and ports.go has
// what they need from outside.
package webhook

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/domain/fault"
)

// Limits.
const (
	MaxHooks = 20    // of a user
	MaxURL   = 2_000 // bytes
	MaxSize  = 100   // deliveries of a list
)

// Times.
const (
	SecretTime  = 24 * time.Hour      // for which the secret before the newest one still signs
	PatienceFor = 3 * 24 * time.Hour  // after which a webhook is disabled that nothing has worked for
	KeepTime    = 30 * 24 * time.Hour // for which a delivery is kept
)

// Hook is an address for deliveries.
type Hook struct {
	ID           int64
	UserID       int64
	URL          string
	Items        bool   // whether it is told of the end of each item, too
	Secret       []byte // sealed
	Former       []byte // sealed: the secret before; it signs, too, until FormerUntil
	FormerUntil  time.Time
	Created      time.Time
	FailingSince time.Time // of the first failure that no success followed; zero: what was sent last has worked
	Disabled     time.Time // since when its deliveries wait; zero: it is enabled
	Reason       Reason    // why it is disabled
}

// Reason is why a hook is disabled.
type Reason string

// The reasons. All but ByUser are told as a notice.
const (
	ByUser  Reason = "user"    // its user wanted it
	Failing Reason = "failing" // nothing has worked for PatienceFor
	Gone    Reason = "gone"    // it answered that it is gone for good
	Blocked Reason = "blocked" // its user may not act
)

// Notice tells the user of a hook why the service disabled it. It is empty if the service did not.
func (h Hook) Notice() string {
	switch h.Reason {
	case Failing:
		return "It was disabled, since no delivery has worked since " + h.FailingSince.UTC().Format(time.RFC3339) +
			". Deliveries wait until it is enabled again."
	case Gone:
		return "It was disabled, since it answered 410: that it is gone. Deliveries wait until it is enabled again."
	case Blocked:
		return "It was disabled while its user was blocked. Deliveries wait until it is enabled again."
	}
	return ""
}

func (h *Hook) disable(reason Reason, now time.Time) { h.Disabled, h.Reason = now, reason }

// host is what the number of requests at once is limited by.
func (h Hook) host() string {
	_, rest, _ := strings.Cut(h.URL, "://")
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		rest = rest[:end]
	}
	return strings.ToLower(rest)
}

// newSecret makes a secret as the Standard Webhooks convention has it.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

// State is the state of a delivery.
type State string

// The states of a delivery.
const (
	Waiting   State = "waiting"
	Delivered State = "delivered"
	Failed    State = "failed"
)

// Delivery is one request to a hook.
type Delivery struct {
	ID      string // of letters and digits; later ones have greater ones
	HookID  int64
	Event   string // what it tells of
	Body    string // JSON
	State   State
	Tries   int       // that have begun
	Due     time.Time // when it is tried, or tried again; zero: it has ended
	Created time.Time
	Tried   time.Time // when the last try ended; zero: none has
	Answer  Answer    // to the last try
}

// Answer is the result of a try.
type Answer struct {
	Status     int           // of HTTP; 0: there was no answer
	Error      string        // why it did not work, for the user; empty: it did
	RetryAfter time.Duration // that was asked for; 0: nothing was
}

// ok tells whether a try has succeeded.
func (a Answer) ok() bool { return a.Status >= 200 && a.Status < 300 }

// pauses are before the second try and those after it: about a day in all.
var pauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
	2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour}

// MaxTries is the maximum number of tries of a delivery.
var MaxTries = len(pauses) + 1

// settle returns the states of a delivery and its hook after a try.
func settle(h *Hook, d *Delivery, a Answer, now time.Time) {
	d.Tried, d.Answer, d.Due = now, a, time.Time{}
	if a.ok() {
		d.State, h.FailingSince = Delivered, time.Time{}
		return
	}
	if h.FailingSince.IsZero() {
		h.FailingSince = now
	}
	const gone = 410
	enabled := h.Disabled.IsZero()
	switch {
	case a.Status == gone && enabled:
		h.disable(Gone, now)
	case now.Sub(h.FailingSince) >= PatienceFor && enabled:
		h.disable(Failing, now)
	}
	if d.Tries >= MaxTries {
		d.State = Failed
		return
	}
	pause := pauses[max(d.Tries, 1)-1]
	pause += mathrand.N(pause / 4) // so that deliveries that failed together are not retried together
	d.Due = now.Add(max(pause, min(a.RetryAfter, slices.Max(pauses))))
}

// Event is the subject of a delivery.
type Event struct {
	Type string
	At   time.Time
	Item bool // whether it is told only to hooks that want it of each item
	Data any  // of JSON
}

// Delivery returns the delivery of an event to a hook.
func (e Event) Delivery(hookID int64) (Delivery, error) {
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{e.Type, e.At.UTC(), e.Data})
	return Delivery{ID: idAt(e.At) + strings.ToLower(rand.Text()[:16]), HookID: hookID, Event: e.Type, Body: string(body), State: Waiting,
		Due: e.At, Created: e.At}, err
}

// idAt returns what the IDs of deliveries made then begin with.
func idAt(t time.Time) string { return fmt.Sprintf("%011x", t.UnixMilli()) }

// The faults of stores. Each is returned as it is, or with a cause.
var (
	ErrNotFound   = fault.New(fault.NotFound, "webhook_not_found", "There is no such webhook.")
	ErrNoDelivery = fault.New(fault.NotFound, "delivery_not_found", "There is no such delivery.")
	ErrTaken      = fault.New(fault.Conflict, "delivery_runs", "The delivery is being tried at this moment.")
)

// Form is the input for a hook. Nil fields stay unchanged.
type Form struct {
	URL     *string
	Items   *bool
	Enabled *bool
	Rotate  bool // whether it gets a new secret
}

// apply changes a hook.
func (f Form) apply(h *Hook, now time.Time) {
	if f.URL != nil && *f.URL != h.URL {
		h.URL, h.FailingSince = *f.URL, time.Time{}
	}
	h.Items = *cmp.Or(f.Items, &h.Items)
	if f.Enabled == nil {
		return
	}
	if was := h.Disabled.IsZero(); *f.Enabled && !was {
		h.Disabled, h.Reason, h.FailingSince = time.Time{}, "", time.Time{}
	} else if !*f.Enabled && was {
		h.disable(ByUser, now)
	}
}

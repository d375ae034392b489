// Package limit has the limits of users: documents, bytes, and items of jobs.
//
// Limits are those of the configuration, unless an administrator has set others for a user. They apply to administrators, too. A store
// checks them in the step that adds rows, so that concurrent requests cannot exceed a limit together.
package limit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"glyphbox/internal/domain/fault"
)

// Limits are the limits of a user. Zero fields mean no limit.
type Limits struct {
	Images int64 // documents
	Bytes  int64 // of the files of documents, each counted once whatever its pages
	Queued int64 // items of jobs that nobody runs yet
	Items  int64 // items of jobs that are added within Window
}

// Window is the period in which Items are counted. It is a sliding window.
const Window = 24 * time.Hour

// Slot is the resolution of a window: items added in the same slot are counted together.
const Slot = time.Minute

// SlotOf returns the beginning of the slot that contains a time.
func SlotOf(t time.Time) time.Time { return t.UTC().Truncate(Slot) }

// Most is the maximum value of a limit.
const Most = 1 << 53 // which every JSON program reads exactly

// Own has the limits that are set for one user. Nil fields mean the limit of the configuration.
type Own struct {
	Images, Bytes, Queued, Items *int64
}

// With returns the limits of a user with these limits of their own.
func (l Limits) With(o Own) Limits {
	of := func(own *int64, general int64) int64 {
		if own == nil {
			return general
		}
		return *own
	}
	return Limits{Images: of(o.Images, l.Images), Bytes: of(o.Bytes, l.Bytes), Queued: of(o.Queued, l.Queued),
		Items: of(o.Items, l.Items)}
}

// Use is the usage of a user.
type Use struct {
	Images int64
	Bytes  int64
	Queued int64
	Added  []Added // within Window, the oldest first
}

// Added is the number of items added in one slot.
type Added struct {
	Slot  time.Time
	Items int64
}

// Items returns the number of items that count at that time.
func (u Use) Items(now time.Time) (n int64) {
	for _, a := range u.Added {
		if a.counts(now) {
			n += a.Items
		}
	}
	return n
}

func (a Added) counts(now time.Time) bool { return a.Slot.Add(Window).After(now) }

// The codes of what exceeds a limit.
const (
	CodeImages = "too_many_images"
	CodeBytes  = "too_many_bytes"
	CodeQueued = "too_many_items"
	CodeItems  = "too_many_items_a_day"
)

// over returns what is exceeded, if anything is.
func over(name string, allowed, used, asked int64) *fault.Limit {
	if allowed == 0 || asked <= allowed-used { // which does not overflow
		return nil
	}
	return &fault.Limit{Name: name, Allowed: allowed, Used: used, Asked: asked}
}

// Documents returns Full if a user with this usage may not add that many documents, with that many bytes in all. Waiting does not help.
func (l Limits) Documents(u Use, documents, bytes int64) error {
	if of := over("images", l.Images, u.Images, documents); of != nil {
		return exceeded(fault.Full, CodeImages, of, "A user may have at most %d documents, and you have %d. Delete some first.",
			of.Allowed, of.Used)
	}
	if of := over("bytes", l.Bytes, u.Bytes, bytes); of != nil {
		return exceeded(fault.Full, CodeBytes, of,
			"The files of a user may have at most %d bytes in all, and yours have %d. The new ones need more than the %d that are left. "+
				"Delete some first.",
			of.Allowed, of.Used, max(0, of.Allowed-of.Used)) // how many these are may not be known yet
	}
	return nil
}

// Work returns TooMany if a user with this usage may not add that many items, with the time after which there is room, if waiting
// helps. each is the average duration of an item, as far as it is known. The text is right also for an administrator who retries a job of
// the user.
func (l Limits) Work(u Use, items int64, each time.Duration, now time.Time) error {
	if of := over("queued_items", l.Queued, u.Queued, items); of != nil {
		f := exceeded(fault.TooMany, CodeQueued, of,
			"A user may have at most %d queued items, and %d are queued. Read fewer at once, or wait until some have been read.",
			of.Allowed, of.Used)
		if of.Asked > of.Allowed {
			return f
		}
		excess := time.Duration(of.Asked - (of.Allowed - of.Used))
		return f.After(min(max(minWait, excess*min(max(each, 0), maxWait)), maxWait))
	}
	if of := over("items_a_day", l.Items, u.Items(now), items); of != nil {
		f := exceeded(fault.TooMany, CodeItems, of,
			"A user may add at most %d items within 24 hours, and %d were added. Read fewer at once, or try again later.",
			of.Allowed, of.Used)
		if of.Asked > of.Allowed {
			return f
		}
		return f.After(l.room(u, of, now))
	}
	return nil
}

// The shortest and the longest time that a user is told to wait for the queue.
const (
	minWait = 5 * time.Second
	maxWait = time.Hour
)

// room returns when enough items will have left the window.
func (l Limits) room(u Use, of *fault.Limit, now time.Time) time.Duration {
	excess := of.Asked - (of.Allowed - of.Used)
	slots := slices.SortedFunc(slices.Values(u.Added), func(a, b Added) int { return a.Slot.Compare(b.Slot) })
	for _, a := range slots {
		if !a.counts(now) {
			continue
		}
		if excess -= a.Items; excess <= 0 {
			return a.Slot.Add(Window).Sub(now)
		}
	}
	return Window
}

func exceeded(kind fault.Kind, code string, of *fault.Limit, format string, args ...any) *fault.Fault {
	f := fault.New(kind, code, format, args...)
	f.Limit = of
	return f
}

// check returns what is wrong with limits that are to be set.
func (o Own) check() error {
	var fields []fault.Field
	for name, value := range map[string]*int64{"images": o.Images, "bytes": o.Bytes, "queued_items": o.Queued, "items_a_day": o.Items} {
		if value != nil && (*value < 0 || *value > Most) {
			fields = append(fields, fault.Field{Field: name, Detail: fmt.Sprintf("0, which is no limit, to %d, or null", int64(Most))})
		}
	}
	slices.SortFunc(fields, func(a, b fault.Field) int { return cmp.Compare(a.Field, b.Field) })
	return fault.InvalidFields(fields...)
}

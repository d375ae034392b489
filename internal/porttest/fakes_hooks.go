package porttest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/webhook"
)

// storedDelivery is a delivery with what the domain does not see of it.
type storedDelivery struct {
	webhook.Delivery
	leasedBy string
}

type fakeHooks struct{ *memory }

var _ webhook.Hooks = fakeHooks{}

// enqueue adds the delivery of an event, as fakeJobs does where something ends.
func (m *memory) enqueue(hookID int64, e webhook.Event) {
	if h, ok := m.hooks[hookID]; ok && (h.Items || !e.Item) {
		d, err := e.Delivery(hookID)
		if err != nil {
			m.wrong("an event cannot be told: %v", err)
		}
		m.deliveries[d.ID] = storedDelivery{Delivery: d}
	}
}

func (f fakeHooks) Add(ctx context.Context, h webhook.Hook) (webhook.Hook, error) {
	err := f.write(ctx, "Hooks.Add", func() error {
		if _, ok := f.users[h.UserID]; !ok {
			return notFound("user")
		}
		f.lastID++
		h.ID = f.lastID
		f.hooks[h.ID] = h
		return nil
	})
	return h, err
}

func (f fakeHooks) ByID(ctx context.Context, id int64) (h webhook.Hook, err error) {
	err = f.do(ctx, "Hooks.ByID", func() error { h, err = f.hook(id); return err })
	return h, err
}

func (f fakeHooks) hook(id int64) (webhook.Hook, error) {
	h, ok := f.hooks[id]
	if !ok {
		return webhook.Hook{}, webhook.ErrNotFound
	}
	return h, nil
}

// sorted returns the hooks for which a condition holds, by ID.
func (f fakeHooks) sorted(holds func(webhook.Hook) bool) (found []webhook.Hook) {
	for _, id := range slices.Sorted(maps.Keys(f.hooks)) {
		if holds(f.hooks[id]) {
			found = append(found, f.hooks[id])
		}
	}
	return found
}

func (f fakeHooks) OfUser(ctx context.Context, userID int64) (found []webhook.Hook, err error) {
	err = f.do(ctx, "Hooks.OfUser", func() error {
		found = f.sorted(func(h webhook.Hook) bool { return h.UserID == userID })
		return nil
	})
	return found, err
}

func (f fakeHooks) Update(ctx context.Context, id int64, change func(*webhook.Hook) error) (h webhook.Hook, err error) {
	err = f.write(ctx, "Hooks.Update", func() error {
		if h, err = f.hook(id); err != nil {
			return err
		}
		if err := change(&h); err != nil {
			return err
		}
		f.hooks[id] = h
		return nil
	})
	return h, err
}

func (f fakeHooks) remove(id int64) {
	delete(f.hooks, id)
	maps.DeleteFunc(f.deliveries, func(_ string, d storedDelivery) bool { return d.HookID == id })
}

func (f fakeHooks) Remove(ctx context.Context, id int64) error {
	return f.write(ctx, "Hooks.Remove", func() error {
		if _, err := f.hook(id); err != nil {
			return err
		}
		f.remove(id)
		return nil
	})
}

func (f fakeHooks) RemoveAllOf(ctx context.Context, userID int64) error {
	return f.write(ctx, "Hooks.RemoveAllOf", func() error {
		for _, h := range f.sorted(func(h webhook.Hook) bool { return h.UserID == userID }) {
			f.remove(h.ID)
		}
		return nil
	})
}

func (f fakeHooks) Deliveries(ctx context.Context, hookID int64, before string, size int) (found []webhook.Delivery, err error) {
	err = f.do(ctx, "Hooks.Deliveries", func() error {
		for _, d := range f.deliveries {
			if d.HookID == hookID && (before == "" || d.ID < before) {
				found = append(found, d.Delivery)
			}
		}
		slices.SortFunc(found, func(a, b webhook.Delivery) int { return strings.Compare(b.ID, a.ID) })
		found = found[:min(size, len(found))]
		return nil
	})
	return found, err
}

func (f fakeHooks) Replay(ctx context.Context, hookID int64, deliveryID string, now time.Time) error {
	return f.write(ctx, "Hooks.Replay", func() error {
		d, ok := f.deliveries[deliveryID]
		switch {
		case !ok || d.HookID != hookID:
			return webhook.ErrNoDelivery
		case d.leasedBy != "" && d.Due.After(now):
			return webhook.ErrTaken
		}
		d.State, d.Tries, d.Due, d.leasedBy = webhook.Waiting, 0, micro(now), ""
		f.deliveries[deliveryID] = d
		return nil
	})
}

// due returns the deliveries of a hook that are due, those first that have been so for longest.
func (f fakeHooks) due(hookID int64, now time.Time) (found []storedDelivery) {
	for _, d := range f.deliveries {
		if d.HookID == hookID && !d.Due.IsZero() && !d.Due.After(now) {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b storedDelivery) int { return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID)) })
	return found
}

func (f fakeHooks) Due(ctx context.Context, now time.Time) (found []webhook.Hook, err error) {
	err = f.do(ctx, "Hooks.Due", func() error {
		found = f.sorted(func(h webhook.Hook) bool { return h.Disabled.IsZero() && len(f.due(h.ID, now)) > 0 })
		return nil
	})
	return found, err
}

func (f fakeHooks) Claim(ctx context.Context, hookID int64, leasedBy string, now, until time.Time,
	most int) (claimed []webhook.Delivery, err error) {
	err = f.write(ctx, "Hooks.Claim", func() error {
		if _, err := f.hook(hookID); err != nil {
			return err
		}
		due := f.due(hookID, now)
		for _, d := range due[:min(most, len(due))] {
			d.Tries, d.Due, d.leasedBy = d.Tries+1, micro(until), leasedBy
			f.deliveries[d.ID] = d
			claimed = append(claimed, d.Delivery)
		}
		return nil
	})
	return claimed, err
}

func (f fakeHooks) Finish(ctx context.Context, deliveryID, leasedBy string, change func(*webhook.Hook, *webhook.Delivery)) error {
	return f.write(ctx, "Hooks.Finish", func() error {
		d, ok := f.deliveries[deliveryID]
		if !ok || d.leasedBy != leasedBy {
			return webhook.ErrTaken
		}
		h := f.hooks[d.HookID]
		change(&h, &d.Delivery)
		d.leasedBy, d.Answer.RetryAfter = "", 0
		d.Due, d.Tried, h.FailingSince, h.Disabled = micro(d.Due), micro(d.Tried), micro(h.FailingSince), micro(h.Disabled)
		f.hooks[h.ID], f.deliveries[deliveryID] = h, d
		return nil
	})
}

func (f fakeHooks) Prune(ctx context.Context, beforeID string, most int) (n int, err error) {
	err = f.write(ctx, "Hooks.Prune", func() error {
		for _, id := range slices.Sorted(maps.Keys(f.deliveries)) {
			if id < beforeID && n < most {
				delete(f.deliveries, id)
				n++
			}
		}
		return nil
	})
	return n, err
}

func (f fakeHooks) Stats(ctx context.Context) (s webhook.Stats, err error) {
	err = f.do(ctx, "Hooks.Stats", func() error {
		for _, d := range f.deliveries {
			if d.Due.IsZero() {
				continue
			}
			s.Waiting++
			if f.hooks[d.HookID].Disabled.IsZero() && (s.Oldest.IsZero() || d.Due.Before(s.Oldest)) {
				s.Oldest = d.Due
			}
		}
		s.Disabled = len(f.sorted(func(h webhook.Hook) bool { return !h.Disabled.IsZero() && h.Reason != webhook.ByUser }))
		return nil
	})
	return s, err
}

// FakeSender is a fake of webhook.Sender that sends nothing anywhere.
type FakeSender struct {
	Answer func(webhook.Message) webhook.Answer // nil: 200
}

var _ webhook.Sender = (*FakeSender)(nil)

// Check implements webhook.Sender.
func (s *FakeSender) Check(url string) error {
	if !strings.HasPrefix(url, "https://") {
		return fault.InvalidFields(fault.Field{Field: "url", Detail: "an address https://"})
	}
	return nil
}

// Send implements webhook.Sender.
func (s *FakeSender) Send(_ context.Context, m webhook.Message) webhook.Answer {
	if s.Answer == nil {
		return webhook.Answer{Status: 200}
	}
	return s.Answer(m)
}

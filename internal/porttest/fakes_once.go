package porttest

import (
	"context"
	"iter"
	"slices"
	"time"

	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
)

type fakeOnce struct{ *memory }

var _ once.Keys = fakeOnce{}

// lost tells whether a claim is not there any more.
func (m *memory) lost(c once.Claim) error {
	if k := m.requests[c.ID]; c.ID != "" && (k.HeldBy != c.By || k.Done) {
		return once.ErrLost
	}
	return nil
}

// note notes effects of a claim that is not lost.
func (m *memory) note(c once.Claim, effects ...once.Effect) {
	if c.ID != "" {
		k := m.requests[c.ID]
		k.Made, k.Done = append(slices.Clone(k.Made), effects...), !c.Part
		m.requests[c.ID] = k
	}
}

// Note notes effects of a claim, as a store does that makes them.
func (m *memory) Note(c once.Claim, effects ...once.Effect) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note(c, effects...)
}

func (m *memory) noteRun(r recognition.Run) {
	r.Note.Version = r.Version
	m.note(r.Note.Claim, r.Note.Effect)
}

func (f fakeOnce) Begin(ctx context.Context, k once.Key) (got once.Key, err error) {
	err = f.write(ctx, "Once.Begin", func() error {
		there, ok := f.requests[k.ID]
		switch {
		case !ok || there.Created.Before(k.Created.Add(-once.Keep)):
			there = k
			there.Created, there.Until = micro(k.Created), micro(k.Until)
		case !there.Done && there.Until.Before(k.Created) && there.Request == k.Request:
			there.HeldBy, there.Until = k.HeldBy, micro(k.Until)
		}
		f.requests[k.ID], got = there, there
		return nil
	})
	return got, err
}

func (f fakeOnce) Known(ctx context.Context, id string, after time.Time) (known bool, err error) {
	err = f.do(ctx, "Once.Known", func() error {
		k, ok := f.requests[id]
		known = ok && k.Created.After(after)
		return nil
	})
	return known, err
}

func (f fakeOnce) Extend(ctx context.Context, c once.Claim, until time.Time) error {
	return f.write(ctx, "Once.Extend", func() error {
		if err := f.lost(c); err != nil {
			return err
		}
		k := f.requests[c.ID]
		k.Until = micro(until)
		f.requests[c.ID] = k
		return nil
	})
}

func (f fakeOnce) Complete(ctx context.Context, c once.Claim, more []once.Effect) error {
	return f.write(ctx, "Once.Complete", func() error {
		if err := f.lost(c); err != nil {
			return err
		}
		c.Part = false
		f.note(c, more...)
		return nil
	})
}

func (f fakeOnce) Release(ctx context.Context, c once.Claim) error {
	return f.write(ctx, "Once.Release", func() error {
		k := f.requests[c.ID]
		switch {
		case k.HeldBy != c.By || k.Done: // it is lost
		case len(k.Made) == 0:
			delete(f.requests, c.ID)
		default:
			k.Until = k.Created
			f.requests[c.ID] = k
		}
		return nil
	})
}

func (f fakeOnce) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return old(ctx, f.memory, "Once.Old", f.requests, func(_ string, k once.Key) bool { return k.Created.Before(before) })
}

func (f fakeOnce) Remove(ctx context.Context, ids []string, before time.Time) error {
	return f.write(ctx, "Once.Remove", func() error {
		for _, id := range ids {
			if f.requests[id].Created.Before(before) {
				delete(f.requests, id)
			}
		}
		return nil
	})
}

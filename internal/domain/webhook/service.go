package webhook

import (
	"context"
	"fmt"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Service has the operations on hooks. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Hooks  Hooks
	Sender Sender
	Seals  Seals
	Wake   func() // called when there is more to send; nil: nobody is told
	Now    func() time.Time
}

var _ account.Dependents = (*Service)(nil)

// sealedFor names the user whose secrets are sealed, so that a seal opens nothing in the row of another user.
func sealedFor(userID int64) string { return fmt.Sprintf("webhooks of user %d", userID) }

func (s *Service) check(f Form) error {
	if f.URL == nil {
		return nil
	}
	return s.Sender.Check(*f.URL)
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Add creates a hook and returns it with its secret, which cannot be retrieved again. Invalid; Conflict if there are MaxHooks already.
func (s *Service) Add(ctx context.Context, actor account.Actor, f Form) (h Hook, secret string, err error) {
	if f.URL == nil {
		f.URL = new(string)
	}
	if err := s.check(f); err != nil {
		return Hook{}, "", err
	}
	have, err := s.Hooks.OfUser(ctx, actor.UserID)
	if err != nil {
		return Hook{}, "", err
	}
	if len(have) >= MaxHooks {
		return Hook{}, "", fault.New(fault.Conflict, "too_many_webhooks", "There may be at most %d webhooks. Delete one first.", MaxHooks)
	}
	h = Hook{UserID: actor.UserID, Created: s.now()}
	f.apply(&h, s.now())
	secret = newSecret()
	if h.Secret, err = s.Seals.Seal(secret, sealedFor(h.UserID)); err != nil {
		return Hook{}, "", err
	}
	h, err = s.Hooks.Add(ctx, h)
	return h, secret, err
}

// List returns the hooks of the actor.
func (s *Service) List(ctx context.Context, actor account.Actor) ([]Hook, error) {
	return s.Hooks.OfUser(ctx, actor.UserID)
}

// Hook returns a hook of the actor. NotFound.
func (s *Service) Hook(ctx context.Context, actor account.Actor, id int64) (Hook, error) {
	h, err := s.Hooks.ByID(ctx, id)
	if err == nil && h.UserID != actor.UserID {
		err = ErrNotFound
	}
	return h, err
}

// Change changes a hook and returns it, with its secret if it got a new one. The previous secret also signs for SecretTime. Invalid;
// NotFound.
func (s *Service) Change(ctx context.Context, actor account.Actor, id int64, f Form) (h Hook, secret string, err error) {
	if err := s.check(f); err != nil {
		return Hook{}, "", err
	}
	var sealed []byte
	if f.Rotate {
		secret = newSecret()
		if sealed, err = s.Seals.Seal(secret, sealedFor(actor.UserID)); err != nil {
			return Hook{}, "", err
		}
	}
	h, err = s.Hooks.Update(ctx, id, func(h *Hook) error {
		if h.UserID != actor.UserID {
			return ErrNotFound
		}
		now := s.now()
		f.apply(h, now)
		if f.Rotate {
			h.Former, h.FormerUntil, h.Secret = h.Secret, now.Add(SecretTime), sealed
		}
		return nil
	})
	if err != nil {
		return Hook{}, "", err
	}
	s.wake()
	return h, secret, nil
}

func (s *Service) wake() {
	if s.Wake != nil {
		s.Wake()
	}
}

// Remove removes a hook and its deliveries. NotFound.
func (s *Service) Remove(ctx context.Context, actor account.Actor, id int64) error {
	if _, err := s.Hook(ctx, actor, id); err != nil {
		return err
	}
	return s.Hooks.Remove(ctx, id)
}

// RemoveAllOf implements account.Dependents.
func (s *Service) RemoveAllOf(ctx context.Context, userID int64) error {
	return s.Hooks.RemoveAllOf(ctx, userID)
}

// Deliveries returns deliveries of a hook, newest first, at most MaxSize; if before is not empty, only those before it. NotFound.
func (s *Service) Deliveries(ctx context.Context, actor account.Actor, id int64, before string, size int) ([]Delivery, error) {
	if _, err := s.Hook(ctx, actor, id); err != nil {
		return nil, err
	}
	return s.Hooks.Deliveries(ctx, id, before, min(size, MaxSize))
}

// Replay sends a delivery again, with the same ID and with all tries again. NotFound; Conflict while it is being tried.
func (s *Service) Replay(ctx context.Context, actor account.Actor, id int64, deliveryID string) error {
	if _, err := s.Hook(ctx, actor, id); err != nil {
		return err
	}
	if err := s.Hooks.Replay(ctx, id, deliveryID, s.now()); err != nil {
		return err
	}
	s.wake()
	return nil
}

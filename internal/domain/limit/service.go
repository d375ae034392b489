package limit

import (
	"context"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Users keeps the limits that are set for users, and knows their usage. Safe for concurrent use, by several nodes.
type Users interface {
	// Of returns the own limits of a user, and what the user has and does at that time. NotFound, also for one who has resigned.
	Of(ctx context.Context, userID int64, now time.Time) (Own, Use, error)

	// Update changes the own limits of a user: it reads them, calls change and writes what change left, as one step that excludes other
	// updates, so change may be called more than once. NotFound, also for one who has resigned.
	Update(ctx context.Context, userID int64, change func(*Own)) error
}

// Service has the operations on limits. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Users   Users
	General Limits // of users who have none of their own
	Now     func() time.Time
}

// Standing has the limits and the usage of a user.
type Standing struct {
	Limits Limits // in force
	Own    Own    // those of them that are set for the user
	Use    Use
	Items  int64 // of Use, that count now
}

// Mine returns the limits and the usage of the actor.
func (s *Service) Mine(ctx context.Context, actor account.Actor) (Standing, error) {
	return s.of(ctx, actor.UserID)
}

// Of returns the limits and the usage of a user, for administrators. NotFound.
func (s *Service) Of(ctx context.Context, actor account.Actor, userID int64) (Standing, error) {
	if err := actor.MustBeAdmin(); err != nil {
		return Standing{}, err
	}
	return s.of(ctx, userID)
}

func (s *Service) of(ctx context.Context, userID int64) (Standing, error) {
	now := s.Now()
	own, use, err := s.Users.Of(ctx, userID, now)
	return Standing{Limits: s.General.With(own), Own: own, Use: use, Items: use.Items(now)}, err
}

// Change says how to change a limit. The zero value leaves it unchanged.
type Change struct {
	Set bool
	To  *int64 // nil: the limit of the configuration
}

func (c Change) apply(to **int64) {
	if c.Set {
		*to = c.To
	}
}

// Changes says how to change the limits of a user.
type Changes struct {
	Images, Bytes, Queued, Items Change
}

// Set changes the limits of a user, which may be the actor, for administrators. Users who exceed a new limit keep what they have, but
// cannot add more. Invalid; NotFound.
func (s *Service) Set(ctx context.Context, actor account.Actor, userID int64, c Changes) (Standing, error) {
	if err := actor.MustBeAdmin(); err != nil {
		return Standing{}, err
	}
	apply := func(o *Own) {
		c.Images.apply(&o.Images)
		c.Bytes.apply(&o.Bytes)
		c.Queued.apply(&o.Queued)
		c.Items.apply(&o.Items)
	}
	var wanted Own
	if apply(&wanted); wanted.check() != nil {
		return Standing{}, wanted.check()
	}
	if err := s.Users.Update(ctx, userID, apply); err != nil {
		return Standing{}, err
	}
	return s.of(ctx, userID)
}

// RoomForDocuments returns the fault of Limits.Documents before the work of adding documents begins. The store may still refuse them
// later. A nil Service allows everything.
func (s *Service) RoomForDocuments(ctx context.Context, userID int64, documents int, bytes int64) error {
	room, err := s.Room(ctx, userID)
	if err != nil {
		return err
	}
	return room(documents, bytes)
}

// Room returns a function that repeats the check of RoomForDocuments, for callers that ask while files arrive.
func (s *Service) Room(ctx context.Context, userID int64) (func(documents int, bytes int64) error, error) {
	if s == nil {
		return func(int, int64) error { return nil }, nil
	}
	standing, err := s.of(ctx, userID)
	if err != nil {
		return func(int, int64) error { return nil }, gone(err)
	}
	return func(documents int, bytes int64) error {
		return standing.Limits.Documents(standing.Use, int64(documents), bytes)
	}, nil
}

// RoomForWork is like RoomForDocuments for items of jobs.
func (s *Service) RoomForWork(ctx context.Context, userID int64, items int, each time.Duration) error {
	if s == nil {
		return nil
	}
	standing, err := s.of(ctx, userID)
	if err != nil {
		return gone(err)
	}
	return standing.Limits.Work(standing.Use, int64(items), each, s.Now())
}

// gone ignores that a user does not exist any more: the step that adds rows reports it.
func gone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Defaults returns the limits of users who have no limits of their own. A nil Service has no limits.
func (s *Service) Defaults() Limits {
	if s == nil {
		return Limits{}
	}
	return s.General
}

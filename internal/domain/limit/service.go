package limit

import (
	"context"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Users keeps the limits that are set for users, and knows what users have and do. Safe for concurrent use, by several nodes.
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

// Standing is where a user stands.
type Standing struct {
	Limits Limits // in force
	Own    Own    // those of them that are set for the user
	Use    Use
	Items  int64 // of Use, that count now
}

// Mine returns where the actor stands.
func (s *Service) Mine(ctx context.Context, actor account.Actor) (Standing, error) {
	return s.of(ctx, actor.UserID)
}

// Of returns where a user stands, for administrators. NotFound.
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

// Change says what becomes of a limit. The zero value leaves it as it is.
type Change struct {
	Set bool
	To  *int64 // nil: the limit of the configuration
}

func (c Change) apply(to **int64) {
	if c.Set {
		*to = c.To
	}
}

// Changes are what becomes of the limits of a user.
type Changes struct {
	Images, Bytes, Queued, Items Change
}

// Set changes the limits of a user, which may be the actor, for administrators. It takes nothing away: who has more than is allowed then
// keeps it, and adds nothing. Invalid; NotFound.
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

// RoomForDocuments returns why a user may not have that many documents more, as Limits.Documents does, before the work of adding them is
// begun. What it admits may be refused by then. A nil Service admits all.
func (s *Service) RoomForDocuments(ctx context.Context, userID int64, documents int, bytes int64) error {
	room, err := s.Room(ctx, userID)
	if err != nil {
		return err
	}
	return room(documents, bytes)
}

// Room returns what says the same as RoomForDocuments does now, again and again, for who asks while files come in.
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

// RoomForWork returns why a user may not have that many items more, as RoomForDocuments does.
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

// gone leaves it to the step that adds to say what is to be said of a user who is not there any more.
func gone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Defaults returns the limits of users who have none of their own. Those of a nil Service are none.
func (s *Service) Defaults() Limits {
	if s == nil {
		return Limits{}
	}
	return s.General
}

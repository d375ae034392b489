package recognition

import (
	"context"
	"time"

	"glyphbox/internal/domain/account"
)

// Event says that something of an image has changed.
type Event struct {
	Seq       int64  // 1, 2, 3 … of its image
	Version   int    // of the run that is new, has more contents, or has the content; 0: it is not known what changed
	ContentID string // that changed; empty: all of the run may have
	Revision  int    // of the content
	Deleted   bool   // whether the content is gone, or marked as deleted
}

// KeptEvents is the number of events that are kept of an image.
const KeptEvents = 200

// Feed keeps the events of images, and who has them open. Safe for concurrent use.
type Feed interface {
	// Append stores events, which get the next numbers of their image, as one step with what others append to it. Of an image only the
	// newest KeptEvents are kept. NotFound.
	Append(ctx context.Context, imageID int64, events ...Event) error

	// Since returns the events of an image after that number, the oldest first, and the number of the newest. Where some of them are not
	// kept any more, or the number is none that was given, it returns one event in the place of all, with that of the newest and no
	// version. NotFound.
	Since(ctx context.Context, imageID, after int64) (events []Event, newest int64, err error)

	// Stay stores that a user has an image open until that time, or until Leave. watcher tells those apart who do, also of one user.
	// NotFound.
	Stay(ctx context.Context, watcher string, imageID, userID int64, until time.Time) error

	// Leave ends what Stay began. That the watcher is not there is no error.
	Leave(ctx context.Context, watcher string) error

	// Present returns the users who have an image open at that time, each once, by name.
	Present(ctx context.Context, imageID int64, at time.Time) ([]account.Ref, error)
}

// happened returns the events of contents that were added or revised.
func happened(contents ...Content) (events []Event) {
	for _, c := range contents {
		events = append(events, Event{Version: c.Version, ContentID: c.ID, Revision: c.Revision})
	}
	return events
}

// Happened has the new events of an image, its current state, and who has it open.
type Happened struct {
	Events   []Event
	Newest   int64 // number of the newest event
	Present  []account.Ref
	Rotation int // of the image, in whose coordinates contents are
}

// Happened returns the events of an image after the event with that number, and who has it open now. NotFound.
func (s *Service) Happened(ctx context.Context, actor account.Actor, imageID, after int64) (h Happened, err error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return h, err
	}
	h.Rotation = image.Rotation
	if h.Events, h.Newest, err = s.Feed.Since(ctx, imageID, after); err != nil {
		return h, err
	}
	h.Present, err = s.Feed.Present(ctx, imageID, s.Now())
	return h, err
}

// StaysFor is how long a call of Stay lasts.
const StaysFor = 45 * time.Second

// Stay records that the actor has an image open, for StaysFor or until Leave. NotFound.
func (s *Service) Stay(ctx context.Context, actor account.Actor, imageID int64, watcher string) error {
	if _, err := s.Images.Image(ctx, actor, imageID); err != nil {
		return err
	}
	return s.Feed.Stay(ctx, watcher, imageID, actor.UserID, s.Now().Add(StaysFor))
}

// Leave records that a watcher no longer has an image open.
func (s *Service) Leave(ctx context.Context, watcher string) error { return s.Feed.Leave(ctx, watcher) }

package webhook

import (
	"context"
	"time"

	"glyphbox/internal/domain/account"
)

// Hooks keeps the rows of hooks and of their deliveries. Safe for concurrent use, by several nodes. Times are kept in UTC to the
// microsecond. The store of an event adds its deliveries in the transaction of the event; there is no method for that here.
type Hooks interface {
	// Add stores a hook and gives it an ID. NotFound where the user is none.
	Add(ctx context.Context, h Hook) (Hook, error)

	// ByID returns a hook. ErrNotFound.
	ByID(ctx context.Context, id int64) (Hook, error)

	// OfUser returns the hooks of a user, by ID.
	OfUser(ctx context.Context, userID int64) ([]Hook, error)

	// Update reads a hook, calls change and stores what it made of it, as one step. An error of change is returned, and nothing changes.
	// ErrNotFound.
	Update(ctx context.Context, id int64, change func(*Hook) error) (Hook, error)

	// Remove removes a hook and its deliveries. ErrNotFound.
	Remove(ctx context.Context, id int64) error

	// RemoveAllOf removes all hooks of a user.
	RemoveAllOf(ctx context.Context, userID int64) error

	// Deliveries returns deliveries of a hook, newest first: at most size, and only those before that one where it is not empty.
	Deliveries(ctx context.Context, hookID int64, before string, size int) ([]Delivery, error)

	// Replay makes a delivery due with all its tries, whatever became of it. ErrNoDelivery; ErrTaken while it is leased.
	Replay(ctx context.Context, hookID int64, deliveryID string, now time.Time) error

	// Due returns the enabled hooks that have deliveries which are due, by ID.
	Due(ctx context.Context, now time.Time) ([]Hook, error)

	// Claim leases deliveries of a hook that are due until that time, those first that have been due for longest, at most so many, and
	// counts their tries. None is given to two who claim at once. A lease that ends makes its delivery due.
	Claim(ctx context.Context, hookID int64, leasedBy string, now, until time.Time, most int) ([]Delivery, error)

	// Finish ends a lease: it calls change with the delivery and its hook, and stores what it made of both, as one step. ErrTaken where the
	// lease is not there any more, and then nothing changes.
	Finish(ctx context.Context, deliveryID, leasedBy string, change func(*Hook, *Delivery)) error

	// Prune removes deliveries whose ID is smaller, at most so many, and returns how many.
	Prune(ctx context.Context, beforeID string, most int) (int, error)

	// Stats counts.
	Stats(ctx context.Context) (Stats, error)
}

// Stats counts waiting deliveries.
type Stats struct {
	Waiting  int       // deliveries
	Oldest   time.Time // when the one of an enabled hook is due that is due first; zero: none waits
	Disabled int       // hooks that the service has disabled
}

// Message is a request to send.
type Message struct {
	URL       string
	ID        string // of the delivery
	Timestamp time.Time
	Body      string
	Secrets   []string // that sign it, each by itself
}

// Sender sends messages. Safe for concurrent use.
type Sender interface {
	// Check refuses what is no address http:// or https:// of at most MaxURL bytes, without user and fragment, and one that can be seen to
	// be one that nothing is sent to. Invalid, naming url.
	Check(url string) error

	// Send sends a message once, within a bounded time, to none but allowed addresses. It follows nothing that the answer says.
	Send(ctx context.Context, m Message) Answer
}

// Seals encrypts secrets with a key that is not in the database. Safe for concurrent use.
type Seals interface {
	// Seal hides a secret of somebody.
	Seal(secret, of string) ([]byte, error)

	// Open returns the secret. It fails for another's, and for what is not whole.
	Open(seal []byte, of string) (string, error)
}

// Accounts finds actors.
type Accounts interface {
	// ActorOf returns the actor that a user is now, as account.Service does.
	ActorOf(ctx context.Context, userID int64) (account.Actor, error)
}

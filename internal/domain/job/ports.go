package job

import (
	"context"
	"iter"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/webhook"
)

// Jobs keeps the rows of jobs and of their items. Safe for concurrent use, by several nodes. Times are kept in UTC to the microsecond.
// Each change of an item increments Seq of its job and gives the item that number, so that a client that has seen the changes up to one
// number can find the later ones. The end of a job increments it once more. The step that ends a started item, or a job, also adds the
// delivery to its webhook.
type Jobs interface {
	// Add stores a job with an item for each image, in their order: it is there as a whole or not at all. It notes j.Note. NotFound where
	// the user is none, or has resigned; what limit.Limits.Work returns where the user may not have as many items, by limits of their own
	// or else by the general ones.
	Add(ctx context.Context, j Job, general limit.Limits, images []int64) error

	// ByID returns one job with its counts, without its request, which may be large. NotFound.
	ByID(ctx context.Context, id string) (Job, error)

	// List returns jobs of a user as ByID does, newest first: at most size, and only those before that job where it is not empty.
	List(ctx context.Context, userID int64, before string, size int) ([]Job, error)

	// Items returns items of a job by number, descending: at most size, only those before that number where it is not 0, and only those in
	// that state where it is not empty.
	Items(ctx context.Context, id string, state State, before, size int) ([]Item, error)

	// Changes returns items of a job that changed after that number, by Seq, ascending: at most size.
	Changes(ctx context.Context, id string, after int64, size int) ([]Item, error)

	// Open returns all jobs that have items to run, oldest first.
	Open(ctx context.Context) ([]Open, error)

	// Mean returns how long an item took on average in the jobs that ended last; 0 where nothing is known.
	Mean(ctx context.Context) (time.Duration, error)

	// Offer picks items for the queue, as one step that excludes others who pick: share is told the open jobs and says how many of each. It
	// returns their IDs, the lower numbers of a job first. They are not picked again until that time, unless somebody runs and returns
	// them.
	Offer(ctx context.Context, now, until time.Time, share func([]Open) map[string]int) ([]string, error)

	// Claim leases a queued item until that time and counts the try. NotFound; ErrTaken, also for all but one of those who claim at once.
	Claim(ctx context.Context, itemID, leasedBy string, now, until time.Time) (Claim, error)

	// Extend prolongs a lease. ErrTaken where it is not there any more.
	Extend(ctx context.Context, itemID, leasedBy string, until time.Time) error

	// Finish ends a lease with an outcome. An item that is queued again is not offered before that time. ErrTaken where the lease is
	// not there any more, and then nothing changes. Where the outcome stops the job, its queued items are cancelled.
	Finish(ctx context.Context, itemID, leasedBy string, o Outcome, now, notBefore time.Time) error

	// Lapse ends all leases that ended before now, with that outcome, and returns how many. It removes what is left of an Add that broke
	// off long ago.
	Lapse(ctx context.Context, now time.Time, o Outcome) (int, error)

	// Cancel cancels a job and its queued items; those that run go on. A job that has ended stays as it is. NotFound.
	Cancel(ctx context.Context, id string, now time.Time) error

	// Retry queues the failed items of a job, with all their tries, and those that were cancelled; it returns how many. They count as
	// items that are added, and are limited as with Add. NotFound, also where the user has resigned.
	Retry(ctx context.Context, id string, general limit.Limits, now time.Time) (int, error)

	// Dead returns dead items, by ID, descending: at most size, and only those before that item where it is not empty.
	Dead(ctx context.Context, before string, size int) ([]Item, error)

	// Replay queues a dead item, with all its tries. ErrNoItem, also where it is not dead.
	Replay(ctx context.Context, itemID string) error

	// Old goes through the IDs of the jobs that ended before that time, as document.Blobs.Old does.
	Old(ctx context.Context, before time.Time) iter.Seq2[string, error]

	// Remove removes those of the jobs that ended before that time, each with its items. Those that are not there are no error.
	Remove(ctx context.Context, ids []string, before time.Time) error

	// Stats counts.
	Stats(ctx context.Context) (Stats, error)
}

// Stats counts waiting and running work.
type Stats struct {
	Queued  int       // items that nobody runs
	Running int       // items that are leased
	Dead    int       // items
	Oldest  time.Time // when the oldest job that has queued items was made; zero: none has
}

// Queue carries the IDs of items to runners, usually each to one of them. It may lose IDs and deliver them twice. Safe for concurrent
// use.
type Queue interface {
	// Put adds items. Where it fails some of them may be in the queue. Unavailable.
	Put(ctx context.Context, itemIDs []string) error

	// Take waits for an item and returns it. Until done is called the queue keeps it; where that does not come in time, somebody else is
	// given it. Unavailable; the errors of the context.
	Take(ctx context.Context) (itemID string, done func(ctx context.Context) error, err error)

	// Waiting returns how many items are in the queue that done was not called for. What was put or done just now may count a moment later.
	// Unavailable.
	Waiting(ctx context.Context) (int, error)
}

// Hooks finds the webhooks of users.
type Hooks interface {
	// Hook returns a webhook of the actor, as webhook.Service does. NotFound.
	Hook(ctx context.Context, actor account.Actor, id int64) (webhook.Hook, error)
}

// Accounts finds actors.
type Accounts interface {
	// ActorOf returns the actor that a user is now, as account.Service does.
	ActorOf(ctx context.Context, userID int64) (account.Actor, error)
}

// Package job has the rules of work in the background. A job is a request over many pages; an item is one page of it with all its
// regions.
//
// The rows of jobs and items are the outbox: accepted work runs, whatever crashes. A queue carries only IDs and is refilled from the
// rows after any loss. An item may be delivered more than once but takes effect once: it is claimed with a lease, its tries are counted
// in its row, and its run carries its ID.
//
// The types and rules in job.go and share.go do no I/O. Service has the operations of users, Runner runs items and fills the queue, and
// ports.go has what they need from outside.
package job

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
)

// State is the state of a job or an item.
type State string

// The states. A job is Failed only where all its items failed. A Cancelled job may have items that still run.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// States are all states of items.
var States = []State{Queued, Running, Done, Failed, Cancelled}

// Ended tells whether a job or an item in the state has ended.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Priority orders the jobs of one user: higher ones go first. It has no effect on other users.
type Priority int

// The priorities of a job. All of them are below a request that somebody waits for.
const (
	Low    Priority = -1
	Normal Priority = 0
	High   Priority = 1
)

// Limits.
const (
	MaxItems  = 100_000 // of a job
	MaxTries  = 3       // of an item, before it is dead
	MaxLapses = 10      // of its leases, before it is dead: it may be what has nodes vanish
	MaxSize   = 100     // of a page of a list
)

// Job is a request over many pages.
type Job struct {
	ID       string // of letters and digits; later jobs have greater ones
	User     account.Ref
	Priority Priority
	Request  recognition.Request // without an Item
	Webhook  int64               // that is told of its end; 0: none is
	State    State
	Count    Count
	Seq      int64         // of the newest change; see Item.Seq
	Worked   time.Duration // that the items that are done or have failed took in all
	Created  time.Time
	Begun    time.Time      // zero: not yet
	Finished time.Time      // zero: not yet
	Stopped  *fault.Failure // why it was cancelled by the service; nil: it was not
	Forecast Forecast       // filled in by the service where the job has not ended
	Note     once.Note      // of what makes it; zero: none. It is not stored with the job
}

// Count has the number of items in each state.
type Count struct {
	Total, Queued, Running, Done, Failed, Cancelled int
}

// Left is the number of items that have not ended.
func (c Count) Left() int { return c.Queued + c.Running }

// Item is one page of a job.
type Item struct {
	ID       string // of its job and its number
	Job      string
	Number   int // 1, 2, 3 … in the order of the request
	ImageID  int64
	State    State
	Dead     bool           // it failed for good after MaxTries
	Version  int            // of the run that it gave; 0: none
	Tries    int            // that have begun; those do not count that a store that was away, or a node that vanished, broke off
	Error    *fault.Failure // of the last try; nil: none
	Seq      int64          // of the change that it went through last: 1, 2, 3 … among all changes of its job; 0: none yet
	Begun    time.Time
	Finished time.Time
}

// Claim is an item that is leased to a runner.
type Claim struct {
	Item
	User     int64
	Request  recognition.Request
	LeasedBy string // names the lease; nobody else has it
}

// newID returns the ID of a job: eleven hexadecimal digits of the time in milliseconds, and 80 random bits.
func newID(now time.Time) string {
	return fmt.Sprintf("%011x", now.UnixMilli()) + strings.ToLower(rand.Text()[:16])
}

// ItemID returns the ID of an item.
func ItemID(job string, number int) string { return fmt.Sprintf("%s-%06d", job, number) }

// The faults of stores. Each is returned as it is, or with a cause.
var (
	ErrNotFound = fault.New(fault.NotFound, "job_not_found", "There is no such job.")
	ErrNoItem   = fault.New(fault.NotFound, "item_not_found", "There is no such item.")
	ErrTaken    = fault.New(fault.Conflict, "item_taken", "The item is leased to somebody else, or has ended.")
)

// Outcome is the result of a try of an item.
type Outcome struct {
	Version int            // of the run; 0: it did not work out
	Error   *fault.Failure // nil where there is a version
	Again   bool           // whether another try may help, unless it was the last one
	Free    bool           // whether the try does not count, since it was no fault of the item
	Lapsed  bool           // whether who ran it did not come back; it counts as a lapse and not as a try
	Stop    bool           // whether the whole job is to be cancelled for this error
}

// outcomeOf judges the error of a try.
func outcomeOf(version int, err error) Outcome {
	if err == nil {
		return Outcome{Version: version}
	}
	f := fault.Of(err)
	o := Outcome{Error: &fault.Failure{Code: f.Code, Detail: detail(f)}}
	switch f.Kind {
	case fault.Busy, fault.TooMany, fault.Canceled:
		o.Again, o.Free = true, true
	case fault.Unavailable: // of the engine it is about the page
		o.Again = true
		o.Free = f.Code != recognition.CodeCrashed && f.Code != recognition.CodeFailed
	case fault.Internal:
		o.Again, o.Error = true, &fault.Failure{Code: "internal", Detail: "Something went wrong in the service."}
	case fault.Deadline, fault.Conflict:
		o.Again = true
	}
	return o
}

// detail is the text of a fault with the fields at fault.
func detail(f *fault.Fault) string {
	if len(f.Fields) == 0 {
		return f.Text
	}
	var parts []string
	for _, field := range f.Fields[:min(len(f.Fields), 5)] {
		parts = append(parts, field.Field+": "+field.Detail)
	}
	return f.Text + " " + strings.Join(parts, "; ")
}

// After returns the state of an item after that many tries and expired leases, including this one.
func (o Outcome) After(tries, lapses int) (state State, dead bool) {
	switch {
	case o.Version != 0:
		return Done, false
	case o.Stop:
		return Cancelled, false
	case o.Free, o.Lapsed && lapses < MaxLapses, !o.Lapsed && o.Again && tries < MaxTries:
		return Queued, false
	}
	return Failed, o.Again || o.Lapsed
}

// StateOf returns the state of a job with these counts of items.
func StateOf(c Count, begun, cancelled bool) State {
	switch {
	case cancelled:
		return Cancelled
	case c.Left() > 0 && begun:
		return Running
	case c.Left() > 0:
		return Queued
	case c.Failed == c.Total:
		return Failed
	}
	return Done
}

package job

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// Times of leases and offers.
const (
	LeaseTime  = 30 * time.Second // a vanished node's items come back after it
	heartbeat  = LeaseTime / 4
	offerTime  = 15 * time.Second // after which an item that nobody took is offered again
	feedPause  = time.Second      // between looks for items to offer, unless something wakes the runner
	firstPause = 250 * time.Millisecond
	lastPause  = 15 * time.Second // before work is retried that an unreachable store has interrupted
)

// Recognizer reads pages, as recognition.Service does.
type Recognizer interface {
	Recognize(ctx context.Context, actor account.Actor, imageID int64, request recognition.Request) (recognition.Run, error)
}

// Runner runs items from the queue, and fills the queue from the rows. Its fields are set once, before first use. Any number of runners
// on any number of nodes work together.
type Runner struct {
	Jobs     Jobs
	Queue    Queue
	Accounts Accounts
	Reads    Recognizer
	AtOnce   int                          // items that are run at once
	Now      func() time.Time             // the clock
	Log      func(what string, err error) // told of what goes wrong and is tried again; nil: nobody is

	wake     chan struct{}
	wakeOnce sync.Once
	enough   int          // with more waiting items than these the queue is not filled
	Returned atomic.Int64 // leases that lapsed and whose items were queued again, as this runner saw
}

// Wake makes the runner fill the queue soon.
func (r *Runner) Wake() {
	select {
	case r.waker() <- struct{}{}:
	default: // it is going to be
	}
}

func (r *Runner) waker() chan struct{} {
	r.wakeOnce.Do(func() { r.wake = make(chan struct{}, 1) })
	return r.wake
}

// Run runs items until the context ends. Then it starts no more, and waits for running items until patience ends, which interrupts
// them. Interrupted items are queued again at once and lose no try.
func (r *Runner) Run(ctx, patience context.Context) {
	var all sync.WaitGroup
	all.Go(func() { r.feed(ctx) })
	for range r.AtOnce {
		all.Go(func() { r.take(ctx, patience) })
	}
	all.Wait()
}

// Alone ends all leases, for a node that shares the rows with no other: their holders no longer exist. Call it before Run.
func (r *Runner) Alone(ctx context.Context) error { return r.lapse(ctx, r.Now().Add(2*LeaseTime)) }

func (r *Runner) lapse(ctx context.Context, now time.Time) error {
	vanished := &fault.Failure{Code: "node_vanished", Detail: "The node that ran it stopped responding."}
	n, err := r.Jobs.Lapse(ctx, now, Outcome{Error: vanished, Lapsed: true})
	r.Returned.Add(int64(n))
	return err
}

// feed keeps the queue filled.
func (r *Runner) feed(ctx context.Context) {
	ticker := time.NewTicker(feedPause)
	defer ticker.Stop()
	for fill := r.Feed; ctx.Err() == nil; {
		if err := fill(ctx); err != nil && ctx.Err() == nil {
			r.log("filling the queue", err)
		}
		select {
		case <-r.waker():
			fill = r.offer
		case <-ticker.C:
			fill = r.Feed
		case <-ctx.Done():
		}
	}
}

// Feed ends expired leases and offers the next items. Only one goroutine may call it at a time.
func (r *Runner) Feed(ctx context.Context) error {
	if err := r.lapse(ctx, r.Now()); err != nil {
		return err
	}
	return r.offer(ctx)
}

// offer fills the queue where it has become half empty: once for several items, since the rows of all open jobs are read for it.
func (r *Runner) offer(ctx context.Context) error {
	waiting, err := r.Queue.Waiting(ctx)
	if err != nil || waiting > r.enough {
		return err
	}
	now := r.Now()
	ids, err := r.Jobs.Offer(ctx, now, now.Add(offerTime), func(open []Open) map[string]int {
		r.enough = window(open) / 2
		return Share(open, waiting)
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return r.Queue.Put(ctx, ids) // those that get lost are offered again soon
}

// take runs one item after the other.
func (r *Runner) take(ctx, patience context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		free, err := r.takeOne(ctx, patience)
		if err != nil && ctx.Err() == nil {
			r.log("running items", err)
		}
		if err == nil && !free {
			pause = firstPause
			continue
		}
		select { // a store is away, or the engine is full
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, lastPause)
	}
}

// takeOne waits for an item and runs it. It returns true if the try did not count.
func (r *Runner) takeOne(ctx, patience context.Context) (free bool, err error) {
	id, done, err := r.Queue.Take(ctx)
	if err != nil {
		return false, err
	}
	now, leasedBy := r.Now(), strings.ToLower(rand.Text())
	claim, err := r.Jobs.Claim(patience, id, leasedBy, now, now.Add(LeaseTime))
	if failure := done(patience); failure != nil { // the queue gives it again, and it cannot be claimed then
		r.log("taking an item out of the queue", failure)
	}
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) { // somebody else has it, or it was cancelled
		return false, nil
	}
	if err != nil {
		return false, err // it is offered again, or its lease lapses
	}
	r.Wake() // there is room in the queue
	return r.run(patience, claim)
}

// run makes a try of an item that is leased.
func (r *Runner) run(ctx context.Context, c Claim) (free bool, err error) {
	running, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		r.beat(running, stop, c)
	}()
	o := r.try(running, c)
	stop()
	<-beating
	pause := firstPause
	for {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), LeaseTime/2) // also where the patience has ended
		now := r.Now()
		notBefore := time.Time{}
		if o.Free && ctx.Err() == nil {
			notBefore = now.Add(2 * time.Second)
		}
		err = r.Jobs.Finish(limited, c.ID, c.LeasedBy, o, now, notBefore)
		cancel()
		if err == nil || fault.Is(err, fault.Conflict) || ctx.Err() != nil || pause > LeaseTime/4 {
			break
		}
		r.log("ending an item", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause *= 2
	}
	if o.Again || o.Free { // it may have been queued again
		r.Wake()
	}
	if fault.Is(err, fault.Conflict) { // the lease had lapsed; the node that has it now finds the run, if there is one
		return false, nil
	}
	return o.Free, err
}

// try acts as the job's user, as that is now.
func (r *Runner) try(ctx context.Context, c Claim) Outcome {
	actor, err := r.Accounts.ActorOf(ctx, c.User)
	switch fault.KindOf(err) {
	case fault.Forbidden, fault.Unauthenticated, fault.NotFound:
		o := outcomeOf(0, err)
		o.Stop = true
		return o
	}
	var run recognition.Run
	if err == nil {
		request := c.Request
		request.Item = c.ID
		run, err = r.Reads.Recognize(ctx, actor, c.ImageID, request)
	}
	return outcomeOf(run.Version, err)
}

// beat extends the lease until the context ends. If the lease is lost, it calls stop.
func (r *Runner) beat(ctx context.Context, stop func(), c Claim) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := r.Jobs.Extend(ctx, c.ID, c.LeasedBy, r.Now().Add(LeaseTime))
		if fault.Is(err, fault.Conflict) {
			stop()
			return
		}
		if err != nil && ctx.Err() == nil {
			r.log("extending a lease", err) // it is tried again before the lease ends
		}
	}
}

func (r *Runner) log(what string, err error) {
	if r.Log != nil {
		r.Log(what, err)
	}
}

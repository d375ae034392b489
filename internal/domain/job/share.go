package job

import (
	"cmp"
	"slices"
	"time"
)

// Open is a job that has items to run.
type Open struct {
	ID       string
	User     int64
	Priority Priority
	Queued   int // items that nobody runs
	Offered  int // of them those that are in the queue
	Running  int // items that somebody runs
}

// window is how many items may wait in the queue: few, so that later users wait for few, and more than all runners take at once.
func window(open []Open) int {
	running := 0
	for _, o := range open {
		running += o.Running
	}
	return 4 + 2*running
}

// Share returns how many items of each job to offer next, given the waiting items that are already in the queue. Users take turns,
// whatever they requested. Among the jobs of one user those of the highest priority go first, and take turns, too.
func Share(open []Open, waiting int) map[string]int {
	open = slices.Clone(open)
	shares := map[string]int{}
	byUser := map[int64]int{} // what is on its way of each user
	for _, o := range open {
		byUser[o.User] += o.Running + o.Offered
	}
	for room := window(open) - waiting; room > 0; room-- {
		next := -1
		for i, o := range open {
			if o.Queued > o.Offered && (next < 0 || before(o, open[next], byUser)) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		open[next].Offered++
		byUser[open[next].User]++
		shares[open[next].ID]++
	}
	return shares
}

// before tells whether one job has its turn before another.
func before(a, b Open, byUser map[int64]int) bool {
	if a.User != b.User {
		return cmp.Or(cmp.Compare(byUser[a.User], byUser[b.User]), cmp.Compare(a.ID, b.ID)) < 0
	}
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Running+a.Offered, b.Running+b.Offered), cmp.Compare(a.ID, b.ID)) < 0
}

// Forecast is an estimate of the end of a job.
type Forecast struct {
	Ahead int       // items of other jobs that are run before the last one of this job, as far as is known by now
	End   time.Time // about when it ends; zero: nothing is known yet
}

// foresee estimates how many items run before the end of a job, by the turns that Share takes, and when it ends. It assumes that an item
// takes as long as the mean of those that this job has run, or else of others, and that as many run at once as now.
func foresee(open []Open, id string, mean time.Duration, now time.Time) (f Forecast) {
	i := slices.IndexFunc(open, func(o Open) bool { return o.ID == id })
	if i < 0 {
		return f
	}
	own := open[i]
	users, running := map[int64]int{}, 0 // what other users have waiting
	for _, o := range open {
		running += o.Running
		switch {
		case o.ID == id:
		case o.User != own.User:
			users[o.User] += o.Queued
		case o.Priority > own.Priority:
			f.Ahead += o.Queued
		case o.Priority == own.Priority:
			f.Ahead += min(o.Queued, own.Queued)
		}
	}
	before := own.Queued + f.Ahead // of this user
	for _, queued := range users {
		f.Ahead += min(queued, before)
	}
	if mean > 0 && running > 0 {
		rounds := float64(f.Ahead+own.Queued)/float64(running) + 0.5 // of what runs a half is done
		f.End = now.Add(time.Duration(rounds * float64(mean)))
	}
	return f
}

package porttest

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
)

// storedJob is a job with its items, and what the domain does not see of them.
type storedJob struct {
	job.Job
	items []storedItem
}

type storedItem struct {
	job.Item
	leasedBy string
	lapses   int
	until    time.Time // of a running item: when its lease ends; of a queued one: when it may be offered again
}

type fakeJobs struct{ *memory }

var _ job.Jobs = fakeJobs{}

func (f fakeJobs) Add(ctx context.Context, j job.Job, general limit.Limits, images []int64) error {
	return f.write(ctx, "Jobs.Add", func() error {
		if j.Count.Total != len(images) || j.Count.Queued != len(images) {
			f.wrong("a job of %d items counts %+v", len(images), j.Count)
		}
		if err := f.lost(j.Note.Claim); err != nil {
			return err
		}
		if err := f.work(j.User.ID, general, len(images), j.Created); err != nil {
			return err
		}
		f.note(j.Note.Claim, j.Note.Effect)
		j.User.Name, j.Created, j.Note = f.users[j.User.ID].Name, micro(j.Created), once.Note{}
		stored := &storedJob{Job: j}
		for i, image := range images {
			stored.items = append(stored.items, storedItem{Item: job.Item{ID: job.ItemID(j.ID, i+1), Job: j.ID, Number: i + 1,
				ImageID: image, State: job.Queued}})
		}
		f.jobs[j.ID] = stored
		return nil
	})
}

func (f fakeJobs) ByID(ctx context.Context, id string) (j job.Job, err error) {
	err = f.do(ctx, "Jobs.ByID", func() error {
		stored := f.jobs[id]
		if stored == nil {
			return job.ErrNotFound
		}
		j = stored.shown()
		return nil
	})
	return j, err
}

// shown is the job without its request.
func (j *storedJob) shown() job.Job {
	shown := j.Job
	shown.Request = recognition.Request{}
	return shown
}

func (f fakeJobs) sorted() []*storedJob {
	return slices.SortedFunc(maps.Values(f.jobs), func(a, b *storedJob) int { return strings.Compare(a.ID, b.ID) })
}

func (f fakeJobs) List(ctx context.Context, userID int64, before string, size int) (jobs []job.Job, err error) {
	err = f.do(ctx, "Jobs.List", func() error {
		for _, j := range slices.Backward(f.sorted()) {
			if j.User.ID == userID && (before == "" || j.ID < before) && len(jobs) < size {
				jobs = append(jobs, j.shown())
			}
		}
		return nil
	})
	return jobs, err
}

// pick returns items of a job for which a condition holds.
func (f fakeJobs) pick(ctx context.Context, op, id string, size int, holds func(job.Item) bool) (items []job.Item, err error) {
	err = f.do(ctx, op, func() error {
		if f.jobs[id] == nil {
			return nil
		}
		for _, i := range f.jobs[id].items {
			if holds(i.Item) {
				items = append(items, i.Item)
			}
		}
		slices.Reverse(items)
		if op == "Jobs.Changes" {
			slices.SortFunc(items, func(a, b job.Item) int { return cmp.Compare(a.Seq, b.Seq) })
		}
		items = items[:min(size, len(items))]
		return nil
	})
	return items, err
}

func (f fakeJobs) Items(ctx context.Context, id string, state job.State, before, size int) ([]job.Item, error) {
	return f.pick(ctx, "Jobs.Items", id, size, func(i job.Item) bool {
		return (before == 0 || i.Number < before) &&
			(state == "" || i.State == state)
	})
}

func (f fakeJobs) Changes(ctx context.Context, id string, after int64, size int) ([]job.Item, error) {
	return f.pick(ctx, "Jobs.Changes", id, size, func(i job.Item) bool { return i.Seq > after })
}

func (f fakeJobs) open() (open []job.Open) {
	for _, j := range f.sorted() {
		if j.State == job.Queued || j.State == job.Running {
			open = append(open, job.Open{ID: j.ID, User: j.User.ID, Priority: j.Priority, Queued: j.Count.Queued, Running: j.Count.Running})
		}
	}
	return open
}

func (f fakeJobs) Open(ctx context.Context) (open []job.Open, err error) {
	err = f.do(ctx, "Jobs.Open", func() error { open = f.open(); return nil })
	return open, err
}

func (f fakeJobs) Mean(ctx context.Context) (mean time.Duration, err error) {
	err = f.do(ctx, "Jobs.Mean", func() error {
		n := 0
		for _, j := range f.jobs {
			if !j.Finished.IsZero() {
				n += j.Count.Done + j.Count.Failed
				mean += j.Worked
			}
		}
		mean /= time.Duration(max(n, 1))
		return nil
	})
	return mean, err
}

func (f fakeJobs) Offer(ctx context.Context, now, until time.Time, share func([]job.Open) map[string]int) (ids []string, err error) {
	err = f.do(ctx, "Jobs.Offer", func() error {
		open := f.open()
		for n, o := range open {
			for _, i := range f.jobs[o.ID].items {
				if i.State == job.Queued && i.until.After(now) {
					open[n].Offered++
				}
			}
		}
		for id, n := range share(open) {
			for i := range f.jobs[id].items {
				item := &f.jobs[id].items[i]
				if n > 0 && item.State == job.Queued && !item.until.After(now) {
					item.until = until
					ids = append(ids, item.ID)
					n--
				}
			}
		}
		slices.Sort(ids)
		return nil
	})
	return ids, err
}

// item returns the places of an item and of its job.
func (f fakeJobs) item(id string) (*storedJob, *storedItem) {
	for _, j := range f.jobs {
		for i := range j.items {
			if j.items[i].ID == id {
				return j, &j.items[i]
			}
		}
	}
	return nil, nil
}

// settle makes a job what its counts say.
func (f fakeJobs) settle(j *storedJob, now time.Time) {
	j.State = job.StateOf(j.Count, !j.Begun.IsZero(), j.State == job.Cancelled)
	switch {
	case j.Count.Left() > 0:
		j.Finished = time.Time{}
	case j.Finished.IsZero():
		j.Finished = micro(now)
		j.Seq++
		f.enqueue(j.Webhook, job.EndOfJob(j.Job))
	}
}

func (j *storedJob) cancel() {
	for i := range j.items {
		if item := &j.items[i]; item.State == job.Queued {
			j.Seq++
			item.State, item.Seq = job.Cancelled, j.Seq
		}
	}
	j.State = job.Cancelled
	j.Count.Cancelled += j.Count.Queued
	j.Count.Queued = 0
}

func (f fakeJobs) Claim(ctx context.Context, itemID, leasedBy string, now, until time.Time) (c job.Claim, err error) {
	err = f.write(ctx, "Jobs.Claim", func() error {
		j, i := f.item(itemID)
		switch {
		case i == nil:
			return job.ErrNoItem
		case i.State != job.Queued:
			return job.ErrTaken
		}
		j.Seq++
		i.State, i.Seq, i.leasedBy, i.until, i.Begun, i.Error = job.Running, j.Seq, leasedBy, until, micro(now), nil
		i.Tries++
		j.Count.Queued--
		j.Count.Running++
		if j.Begun.IsZero() {
			j.Begun = micro(now)
		}
		f.settle(j, now)
		c = job.Claim{Item: i.Item, User: j.User.ID, Request: j.Request, LeasedBy: leasedBy}
		return nil
	})
	return c, err
}

func (f fakeJobs) Extend(ctx context.Context, itemID, leasedBy string, until time.Time) error {
	return f.write(ctx, "Jobs.Extend", func() error {
		_, i := f.item(itemID)
		if i == nil || i.State != job.Running || i.leasedBy != leasedBy {
			return job.ErrTaken
		}
		i.until = until
		return nil
	})
}

func (f fakeJobs) finish(j *storedJob, i *storedItem, o job.Outcome, now, notBefore time.Time) {
	if o.Lapsed {
		i.lapses++
	}
	state, dead := o.After(i.Tries, i.lapses)
	if state == job.Queued && j.State == job.Cancelled {
		state = job.Cancelled
	}
	j.Seq++
	i.State, i.Dead, i.Version, i.Error, i.leasedBy, i.until, i.Seq = state, dead, o.Version, o.Error, "", notBefore, j.Seq
	if o.Free || o.Lapsed {
		i.Tries--
	}
	j.Count.Running--
	switch state {
	case job.Queued:
		j.Count.Queued++
	case job.Done:
		j.Count.Done++
	case job.Failed:
		j.Count.Failed++
	case job.Cancelled:
		j.Count.Cancelled++
	}
	if state != job.Queued {
		i.Finished = micro(now)
		f.enqueue(j.Webhook, job.EndOfItem(i.Item))
	}
	if state == job.Done || state == job.Failed {
		j.Worked += now.Sub(i.Begun)
	}
	if o.Stop {
		j.Stopped = o.Error
		j.cancel()
	}
	f.settle(j, now)
}

func (f fakeJobs) Finish(ctx context.Context, itemID, leasedBy string, o job.Outcome, now, notBefore time.Time) error {
	return f.write(ctx, "Jobs.Finish", func() error {
		j, i := f.item(itemID)
		if i == nil || i.State != job.Running || i.leasedBy != leasedBy {
			return job.ErrTaken
		}
		if o.Version != 0 && fakeRuns(f).ofItem(itemID) == nil {
			f.wrong("an item is done without a run")
		}
		f.finish(j, i, o, now, notBefore)
		return nil
	})
}

func (f fakeJobs) Lapse(ctx context.Context, now time.Time, o job.Outcome) (n int, err error) {
	err = f.write(ctx, "Jobs.Lapse", func() error {
		for _, j := range f.jobs {
			for k := range j.items {
				if i := &j.items[k]; i.State == job.Running && i.until.Before(now) {
					f.finish(j, i, o, now, time.Time{})
					n++
				}
			}
		}
		return nil
	})
	return n, err
}

func (f fakeJobs) Cancel(ctx context.Context, id string, now time.Time) error {
	return f.write(ctx, "Jobs.Cancel", func() error {
		j := f.jobs[id]
		if j == nil {
			return job.ErrNotFound
		}
		if !j.State.Ended() {
			j.cancel()
			f.settle(j, now)
		}
		return nil
	})
}

// requeue queues items for which a condition holds.
func (f fakeJobs) requeue(j *storedJob, holds func(job.Item) bool) (n int) {
	for k := range j.items {
		i := &j.items[k]
		if !holds(i.Item) {
			continue
		}
		if i.State == job.Failed {
			j.Count.Failed--
		} else {
			j.Count.Cancelled--
		}
		j.Seq++
		*i = storedItem{Item: job.Item{ID: i.ID, Job: i.Job, Number: i.Number, ImageID: i.ImageID, State: job.Queued, Seq: j.Seq}}
		j.Count.Queued++
		n++
	}
	if n > 0 {
		j.State, j.Stopped = job.Queued, nil
		f.settle(j, time.Time{})
	}
	return n
}

func (f fakeJobs) Retry(ctx context.Context, id string, general limit.Limits, now time.Time) (n int, err error) {
	err = f.write(ctx, "Jobs.Retry", func() error {
		if f.jobs[id] == nil {
			return job.ErrNotFound
		}
		c := f.jobs[id].Count
		if err := f.work(f.jobs[id].User.ID, general, c.Failed+c.Cancelled, now); err != nil {
			return err
		}
		n = f.requeue(f.jobs[id], func(i job.Item) bool { return i.State == job.Failed || i.State == job.Cancelled })
		return nil
	})
	return n, err
}

func (f fakeJobs) Dead(ctx context.Context, before string, size int) (items []job.Item, err error) {
	err = f.do(ctx, "Jobs.Dead", func() error {
		for _, j := range slices.Backward(f.sorted()) {
			for _, i := range slices.Backward(j.items) {
				if i.Dead && (before == "" || i.ID < before) && len(items) < size {
					items = append(items, i.Item)
				}
			}
		}
		return nil
	})
	return items, err
}

func (f fakeJobs) Replay(ctx context.Context, itemID string) error {
	return f.write(ctx, "Jobs.Replay", func() error {
		j, i := f.item(itemID)
		if i == nil || !i.Dead {
			return job.ErrNoItem
		}
		f.requeue(j, func(other job.Item) bool { return other.ID == itemID })
		return nil
	})
}

func (j *storedJob) endedBefore(before time.Time) bool {
	return !j.Finished.IsZero() && j.Finished.Before(before)
}

func (f fakeJobs) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return old(ctx, f.memory, "Jobs.Old", f.jobs, func(_ string, j *storedJob) bool { return j.endedBefore(before) })
}

func (f fakeJobs) Remove(ctx context.Context, ids []string, before time.Time) error {
	return f.write(ctx, "Jobs.Remove", func() error {
		for _, id := range ids {
			if j := f.jobs[id]; j != nil && j.endedBefore(before) {
				delete(f.jobs, id)
			}
		}
		return nil
	})
}

func (f fakeJobs) Stats(ctx context.Context) (s job.Stats, err error) {
	err = f.do(ctx, "Jobs.Stats", func() error {
		for _, j := range f.sorted() {
			if j.Count.Queued > 0 && s.Oldest.IsZero() {
				s.Oldest = j.Created
			}
			s.Queued += j.Count.Queued
			for _, i := range j.items {
				if i.State == job.Running {
					s.Running++
				}
				if i.Dead {
					s.Dead++
				}
			}
		}
		return nil
	})
	return s, err
}

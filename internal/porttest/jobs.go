package porttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// someJob is the n-th job of a user.
func someJob(user account.User, n, items int) job.Job {
	return job.Job{ID: fmt.Sprintf("job%03d", n), User: account.Ref{ID: user.ID, Name: user.Name}, Priority: job.High, State: job.Queued,
		Created: moment(n).UTC(),
		Count:   job.Count{Total: items, Queued: items},
		Request: recognition.Request{Lang: []string{"kor", "eng"}, Mode: 3,
			Regions: []recognition.Region{{Box: document.Box{X2: 10, Y2: 20}, Name: "α"}}}}
}

func addJob(t *testing.T, s Stores, j job.Job) job.Job {
	t.Helper()
	images := make([]int64, j.Count.Total)
	for i := range images {
		images[i] = int64(1000 + i)
	}
	check.OK(t, "Jobs.Add", s.Jobs.Add(t.Context(), j, limit.Limits{}, images))
	return j
}

// all offers whatever may be offered.
func all(open []job.Open) map[string]int {
	shares := map[string]int{}
	for _, o := range open {
		shares[o.ID] = o.Queued
	}
	return shares
}

// claimed claims an item until moment(60).
func claimed(t *testing.T, s Stores, itemID, by string) job.Claim {
	t.Helper()
	c, err := s.Jobs.Claim(t.Context(), itemID, by, moment(10), moment(60))
	check.OK(t, "Jobs.Claim", err)
	return c
}

// aRun gives an item the run that its Done names.
func aRun(t *testing.T, s Stores, user account.User, itemID string) int {
	t.Helper()
	r := someRun(addImage(t, s, someImage(user, "page")), user)
	r.ContentIDs, r.Item = []string{"content of " + itemID}, itemID
	return addRun(t, s, r).Version
}

// states are the states of a job's items, and its counts have to agree.
func states(t *testing.T, s Stores, id string) string {
	t.Helper()
	items, err := s.Jobs.Items(t.Context(), id, "", 0, 1000)
	check.OK(t, "Jobs.Items", err)
	slices.Reverse(items)
	j, err := s.Jobs.ByID(t.Context(), id)
	check.OK(t, "Jobs.ByID", err)
	var count job.Count
	var letters []string
	for _, i := range items {
		count.Total++
		switch i.State {
		case job.Queued:
			count.Queued++
		case job.Running:
			count.Running++
		case job.Done:
			count.Done++
		case job.Failed:
			count.Failed++
		case job.Cancelled:
			count.Cancelled++
		}
		letters = append(letters, string(i.State))
	}
	same(t, "counts", j.Count, count)
	return strings.Join(append(letters, "job "+string(j.State)), ", ")
}

// Jobs is the suite of job.Jobs.
func Jobs(t *testing.T, open func(t *testing.T) Stores) {
	start := func(t *testing.T) (Stores, account.User) {
		s := open(t)
		return s, addUser(t, s, "ann")
	}
	again := job.Outcome{Error: &fault.Failure{Code: "broken", Detail: "It broke."}, Again: true}

	lapsed := job.Outcome{Error: &fault.Failure{Code: "node_vanished", Detail: "It is gone."}, Lapsed: true}

	t.Run("everything comes back", func(t *testing.T) {
		s, ann := start(t)
		want := addJob(t, s, someJob(ann, 1, 3))
		want.Request = recognition.Request{}
		got, err := s.Jobs.ByID(t.Context(), want.ID)
		check.OK(t, "ByID", err)
		same(t, "ByID", got, want)
		jobs, err := s.Jobs.List(t.Context(), ann.ID, "", 10)
		check.OK(t, "List", err)
		same(t, "List", jobs, []job.Job{want})
		items, err := s.Jobs.Items(t.Context(), want.ID, "", 0, 10)
		check.OK(t, "Items", err)
		slices.Reverse(items)
		for n, i := range items {
			same(t, "item", i, job.Item{ID: job.ItemID(want.ID, n+1), Job: want.ID, Number: n + 1, ImageID: int64(1000 + n),
				State: job.Queued})
		}
		same(t, "items", len(items), 3)
		_, err = s.Jobs.ByID(t.Context(), "job999")
		check.Code(t, "ByID of none", err, fault.NotFound, "job_not_found")
		check.Kind(t, "Add for nobody", s.Jobs.Add(t.Context(), someJob(account.User{ID: ann.ID + 100}, 2, 1), limit.Limits{}, []int64{1}),
			fault.NotFound)
		_, err = s.Jobs.ByID(t.Context(), "job002")
		check.Kind(t, "ByID of one that was refused", err, fault.NotFound)
		stats, err := s.Jobs.Stats(t.Context())
		check.OK(t, "Stats", err)
		same(t, "Stats", stats, job.Stats{Queued: 3, Oldest: want.Created})
	})

	t.Run("lists", func(t *testing.T) {
		s, ann := start(t)
		bob := addUser(t, s, "bob")
		for n := range 5 {
			addJob(t, s, someJob(ann, n, 1))
		}
		addJob(t, s, someJob(bob, 9, 1))
		var got []string
		before := ""
		for range 3 {
			jobs, err := s.Jobs.List(t.Context(), ann.ID, before, 2)
			check.OK(t, "List", err)
			for _, j := range jobs {
				got, before = append(got, j.ID), j.ID
			}
		}
		same(t, "jobs", got, []string{"job004", "job003", "job002", "job001", "job000"})
	})

	t.Run("many items", func(t *testing.T) {
		s, ann := start(t)
		j := addJob(t, s, someJob(ann, 1, 1234))
		items, err := s.Jobs.Items(t.Context(), j.ID, job.Queued, 5, 100)
		check.OK(t, "Items", err)
		same(t, "items", len(items), 4)
		same(t, "first", items[3].ID, job.ItemID(j.ID, 1))
		items, err = s.Jobs.Items(t.Context(), j.ID, "", 0, 1)
		check.OK(t, "Items", err)
		same(t, "last", items[0].ID, job.ItemID(j.ID, 1234))
	})

	t.Run("items are offered once", func(t *testing.T) {
		s, ann := start(t)
		bob := addUser(t, s, "bob")
		addJob(t, s, someJob(ann, 1, 3))
		addJob(t, s, someJob(bob, 2, 2))
		var seen []job.Open
		ids, err := s.Jobs.Offer(t.Context(), moment(10), moment(20), func(open []job.Open) map[string]int {
			seen = open
			return map[string]int{"job001": 2, "job002": 1}
		})
		check.OK(t, "Offer", err)
		slices.Sort(ids)
		same(t, "offered", ids, []string{"job001-000001", "job001-000002", "job002-000001"})
		same(t, "open jobs", seen, []job.Open{{ID: "job001", User: ann.ID, Priority: job.High, Queued: 3},
			{ID: "job002", User: bob.ID, Priority: job.High, Queued: 2}})
		claimed(t, s, "job001-000001", "x")
		ids, err = s.Jobs.Offer(t.Context(), moment(11), moment(21), func(open []job.Open) map[string]int {
			seen = open
			return all(open)
		})
		check.OK(t, "Offer", err)
		slices.Sort(ids)
		same(t, "offered next", ids, []string{"job001-000003", "job002-000002"})
		same(t, "open jobs", seen, []job.Open{{ID: "job001", User: ann.ID, Priority: job.High, Queued: 2, Offered: 1, Running: 1},
			{ID: "job002", User: bob.ID, Priority: job.High, Queued: 2, Offered: 1}})
		ids, err = s.Jobs.Offer(t.Context(), moment(20), moment(30), all)
		check.OK(t, "Offer when time is over", err)
		slices.Sort(ids)
		same(t, "offered again", ids, []string{"job001-000002", "job002-000001"})
	})

	t.Run("who offer at once offer different items", func(t *testing.T) {
		s, ann := start(t)
		addJob(t, s, someJob(ann, 1, 40))
		offered := make([][]string, 8)
		allOK(t, "Offer", race(len(offered), func(i int) (err error) {
			offered[i], err = s.Jobs.Offer(context.Background(), moment(10), moment(20),
				func([]job.Open) map[string]int { return map[string]int{"job001": 5} })
			return err
		}))
		ids := slices.Concat(offered...)
		slices.Sort(ids)
		same(t, "offered", len(slices.Compact(ids)), 40)
	})

	t.Run("of two who claim one wins", func(t *testing.T) {
		s, ann := start(t)
		addJob(t, s, someJob(ann, 1, 2))
		oneOK(t, "Claim", race(racers, func(i int) error {
			_, err := s.Jobs.Claim(context.Background(), "job001-000001", fmt.Sprint("by ", i), moment(10), moment(60))
			return err
		}), fault.Conflict)
		same(t, "states", states(t, s, "job001"), "running, queued, job running")
		for _, id := range []string{"", "x", "job001", "job001-000003", "job009-000001"} {
			_, err := s.Jobs.Claim(t.Context(), id, "x", moment(10), moment(60))
			check.Kind(t, "Claim of "+id, err, fault.NotFound)
		}
	})

	t.Run("a job runs to its end", func(t *testing.T) {
		s, ann := start(t)
		j := addJob(t, s, someJob(ann, 1, 3))
		c := claimed(t, s, "job001-000002", "x")
		same(t, "claim", c, job.Claim{LeasedBy: "x", User: ann.ID, Request: j.Request,
			Item: job.Item{ID: "job001-000002", Job: "job001", Number: 2, ImageID: 1001,
				State: job.Running, Tries: 1, Seq: 1, Begun: moment(10).UTC()}})
		version := aRun(t, s, ann, c.ID)
		check.Code(t, "Finish by another", s.Jobs.Finish(t.Context(), c.ID, "y", job.Outcome{Version: version}, moment(12), time.Time{}),
			fault.Conflict, "item_taken")
		check.OK(t, "Finish", s.Jobs.Finish(t.Context(), c.ID, "x", job.Outcome{Version: version}, moment(12), time.Time{}))
		check.Kind(t, "Finish again", s.Jobs.Finish(t.Context(), c.ID, "x", job.Outcome{Version: version}, moment(12), time.Time{}),
			fault.Conflict)
		_, err := s.Jobs.Claim(t.Context(), c.ID, "y", moment(13), moment(60))
		check.Kind(t, "Claim of what is done", err, fault.Conflict)
		same(t, "states", states(t, s, "job001"), "queued, done, queued, job running")

		claimed(t, s, "job001-000001", "z")
		refused := job.Outcome{Error: &fault.Failure{Code: "image_not_found", Detail: "There is no such image."}}
		check.OK(t, "Finish", s.Jobs.Finish(t.Context(), "job001-000001", "z", refused, moment(13), time.Time{}))
		claimed(t, s, "job001-000003", "z")
		check.OK(t, "Finish", s.Jobs.Finish(t.Context(), "job001-000003", "z", job.Outcome{Version: aRun(t, s, ann, "job001-000003")},
			moment(14), time.Time{}))
		same(t, "states", states(t, s, "job001"), "failed, done, done, job done")
		got, err := s.Jobs.ByID(t.Context(), "job001")
		check.OK(t, "ByID", err)
		j.State, j.Count, j.Seq, j.Worked = job.Done, job.Count{Total: 3, Done: 2, Failed: 1}, 7, 9*time.Second
		j.Begun, j.Finished, j.Request = moment(10).UTC(), moment(14).UTC(), recognition.Request{}
		same(t, "job", got, j)
		items, err := s.Jobs.Items(t.Context(), "job001", job.Failed, 0, 10)
		check.OK(t, "Items", err)
		same(t, "failed", items, []job.Item{{ID: "job001-000001", Job: "job001", Number: 1, ImageID: 1000, State: job.Failed, Tries: 1,
			Seq: 4, Error: refused.Error,
			Begun: moment(10).UTC(), Finished: moment(13).UTC()}})
		mean, err := s.Jobs.Mean(t.Context())
		check.OK(t, "Mean", err)
		same(t, "mean", mean, 3*time.Second)
		opened, err := s.Jobs.Open(t.Context())
		check.OK(t, "Open", err)
		same(t, "open jobs", opened, []job.Open(nil))

		var numbers []int
		var seq int64
		for range 3 {
			changes, err := s.Jobs.Changes(t.Context(), "job001", seq, 2)
			check.OK(t, "Changes", err)
			for _, i := range changes {
				numbers, seq = append(numbers, i.Number), i.Seq
			}
		}
		same(t, "items by their newest change", numbers, []int{2, 1, 3})
	})

	t.Run("failed only where all failed", func(t *testing.T) {
		s, ann := start(t)
		addJob(t, s, someJob(ann, 1, 2))
		for _, id := range []string{"job001-000001", "job001-000002"} {
			claimed(t, s, id, "x")
			check.OK(t, "Finish", s.Jobs.Finish(t.Context(), id, "x", job.Outcome{Error: again.Error}, moment(12), time.Time{}))
		}
		same(t, "states", states(t, s, "job001"), "failed, failed, job failed")
		n, err := s.Jobs.Retry(t.Context(), "job001", limit.Limits{}, moment(20))
		check.OK(t, "Retry", err)
		same(t, "queued again", n, 2)
		same(t, "states", states(t, s, "job001"), "queued, queued, job running")
		changes, err := s.Jobs.Changes(t.Context(), "job001", 5, 10)
		check.OK(t, "Changes", err)
		same(t, "changes since it ended", len(changes), 2)
		n, err = s.Jobs.Retry(t.Context(), "job001", limit.Limits{}, moment(20))
		check.OK(t, "Retry", err)
		same(t, "queued again", n, 0)
		_, err = s.Jobs.Retry(t.Context(), "job009", limit.Limits{}, moment(20))
		check.Kind(t, "Retry of none", err, fault.NotFound)
	})

	t.Run("a poisoned item dies after three tries", func(t *testing.T) {
		s, ann := start(t)
		addJob(t, s, someJob(ann, 1, 1))
		away := job.Outcome{Error: &fault.Failure{Code: "away"}, Again: true, Free: true}
		for n := range 5 {
			claimed(t, s, "job001-000001", "x")
			check.OK(t, "Finish", s.Jobs.Finish(t.Context(), "job001-000001", "x", away, moment(11), moment(30+n)))
			ids, err := s.Jobs.Offer(t.Context(), moment(29), moment(30), all)
			check.OK(t, "Offer", err)
			same(t, "offered too early", len(ids), 0)
		}
		for n := range job.MaxTries {
			same(t, "states", states(t, s, "job001"), "queued, job running")
			c := claimed(t, s, "job001-000001", "x")
			same(t, "tries", c.Tries, n+1)
			check.OK(t, "Finish", s.Jobs.Finish(t.Context(), "job001-000001", "x", again, moment(11), time.Time{}))
		}
		same(t, "states", states(t, s, "job001"), "failed, job failed")
		dead, err := s.Jobs.Dead(t.Context(), "", 10)
		check.OK(t, "Dead", err)
		if len(dead) != 1 || dead[0].ID != "job001-000001" || !dead[0].Dead || dead[0].Tries != 3 {
			t.Fatalf("dead: %+v", dead)
		}
		stats, err := s.Jobs.Stats(t.Context())
		check.OK(t, "Stats", err)
		same(t, "stats", stats, job.Stats{Dead: 1})
		older, err := s.Jobs.Dead(t.Context(), "job001-000001", 10)
		check.OK(t, "Dead", err)
		same(t, "dead before it", len(older), 0)
		check.OK(t, "Replay", s.Jobs.Replay(t.Context(), "job001-000001"))
		same(t, "states", states(t, s, "job001"), "queued, job running")
		check.Kind(t, "Replay again", s.Jobs.Replay(t.Context(), "job001-000001"), fault.NotFound)
		check.Kind(t, "Replay of none", s.Jobs.Replay(t.Context(), "job001-000009"), fault.NotFound)
		same(t, "tries", claimed(t, s, "job001-000001", "x").Tries, 1)
	})

	t.Run("a lapsed lease returns", func(t *testing.T) {
		s, ann := start(t)
		addJob(t, s, someJob(ann, 1, 2))
		claimed(t, s, "job001-000001", "x")
		claimed(t, s, "job001-000002", "y")
		check.OK(t, "Extend", s.Jobs.Extend(t.Context(), "job001-000002", "y", moment(90)))
		check.Kind(t, "Extend by another", s.Jobs.Extend(t.Context(), "job001-000002", "x", moment(90)), fault.Conflict)
		n, err := s.Jobs.Lapse(t.Context(), moment(59), lapsed)
		check.OK(t, "Lapse", err)
		same(t, "lapsed too early", n, 0)
		counts := make([]int, 4)
		allOK(t, "Lapse", race(len(counts), func(i int) (err error) {
			counts[i], err = s.Jobs.Lapse(context.Background(), moment(61), lapsed)
			return err
		}))
		same(t, "lapsed", counts[0]+counts[1]+counts[2]+counts[3], 1)
		same(t, "states", states(t, s, "job001"), "queued, running, job running")
		check.Kind(t, "Extend of what lapsed", s.Jobs.Extend(t.Context(), "job001-000001", "x", moment(90)), fault.Conflict)
		check.Kind(t, "Finish of what lapsed", s.Jobs.Finish(t.Context(), "job001-000001", "x", job.Outcome{Error: again.Error}, moment(62),
			time.Time{}), fault.Conflict)
		ids, err := s.Jobs.Offer(t.Context(), moment(62), moment(70), all)
		check.OK(t, "Offer", err)
		same(t, "offered", ids, []string{"job001-000001"})
		for n := range job.MaxLapses - 1 {
			same(t, "tries", claimed(t, s, "job001-000001", fmt.Sprint(n)).Tries, 1) // a lapse counts as none
			_, err := s.Jobs.Lapse(t.Context(), moment(61), lapsed)
			check.OK(t, "Lapse", err)
		}
		same(t, "states", states(t, s, "job001"), "failed, running, job running")
		dead, err := s.Jobs.Dead(t.Context(), "", 10)
		check.OK(t, "Dead", err)
		same(t, "dead", len(dead), 1)
	})

	t.Run("cancel", func(t *testing.T) {
		s, ann := start(t)
		addJob(t, s, someJob(ann, 1, 3))
		claimed(t, s, "job001-000001", "x")
		check.OK(t, "Cancel", s.Jobs.Cancel(t.Context(), "job001", moment(12)))
		same(t, "states", states(t, s, "job001"), "running, cancelled, cancelled, job cancelled")
		_, err := s.Jobs.Claim(t.Context(), "job001-000002", "x", moment(12), moment(60))
		check.Kind(t, "Claim of what is cancelled", err, fault.Conflict)
		j, err := s.Jobs.ByID(t.Context(), "job001")
		check.OK(t, "ByID", err)
		same(t, "finished while an item runs", j.Finished, time.Time{})
		check.OK(t, "Finish", s.Jobs.Finish(t.Context(), "job001-000001", "x", again, moment(13), time.Time{}))
		same(t, "states", states(t, s, "job001"), "cancelled, cancelled, cancelled, job cancelled")
		j, err = s.Jobs.ByID(t.Context(), "job001")
		check.OK(t, "ByID", err)
		same(t, "finished", j.Finished, moment(13).UTC())
		check.OK(t, "Cancel again", s.Jobs.Cancel(t.Context(), "job001", moment(14)))
		check.Kind(t, "Cancel of none", s.Jobs.Cancel(t.Context(), "job009", moment(14)), fault.NotFound)
		changes, err := s.Jobs.Changes(t.Context(), "job001", 1, 10)
		check.OK(t, "Changes", err)
		same(t, "changes", len(changes), 3)
		n, err := s.Jobs.Retry(t.Context(), "job001", limit.Limits{}, moment(20))
		check.OK(t, "Retry", err)
		same(t, "queued again", n, 3)
		same(t, "states", states(t, s, "job001"), "queued, queued, queued, job running")
	})

	t.Run("an outcome stops the job", func(t *testing.T) {
		s, ann := start(t)
		addJob(t, s, someJob(ann, 1, 3))
		claimed(t, s, "job001-000001", "x")
		claimed(t, s, "job001-000002", "y")
		blocked := &fault.Failure{Code: "account_blocked", Detail: "Blocked."}
		check.OK(t, "Finish", s.Jobs.Finish(t.Context(), "job001-000002", "y", job.Outcome{Error: blocked, Stop: true}, moment(13),
			time.Time{}))
		same(t, "states", states(t, s, "job001"), "running, cancelled, cancelled, job cancelled")
		j, err := s.Jobs.ByID(t.Context(), "job001")
		check.OK(t, "ByID", err)
		same(t, "why", j.Stopped, blocked)
	})

	t.Run("a job is added whole or not at all, though Lapse takes it for one that broke off", func(t *testing.T) {
		s, ann := start(t)
		for n := range 3 {
			j := someJob(ann, n, 20_001) // so many that some stores add them in several steps
			added := make(chan error, 1)
			go func() { added <- s.Jobs.Add(context.Background(), j, limit.Limits{}, make([]int64, j.Count.Total)) }()
			lapse := func() {
				_, err := s.Jobs.Lapse(t.Context(), j.Created.Add(2*time.Hour), lapsed)
				check.OK(t, "Lapse", err)
			}
			var err error
			for open := true; open; {
				lapse()
				select {
				case err = <-added:
					open = false
				default:
				}
			}
			lapse()
			_, missing := s.Jobs.ByID(t.Context(), j.ID)
			items, failed := s.Jobs.Items(t.Context(), j.ID, "", 0, 2*j.Count.Total)
			check.OK(t, "Items", failed)
			if err == nil {
				check.OK(t, "ByID of a job that was added", missing)
				same(t, "items", len(items), j.Count.Total)
				continue
			}
			check.Kind(t, "ByID of a job that was removed", missing, fault.NotFound)
			same(t, "items of a job that was removed", len(items), 0)
		}
	})

	t.Run("jobs that ended are removed", func(t *testing.T) {
		s, ann := start(t)
		for n := range 4 {
			addJob(t, s, someJob(ann, n, 2))
			if n < 3 {
				check.OK(t, "Cancel", s.Jobs.Cancel(t.Context(), fmt.Sprintf("job%03d", n), moment(10+n/2)))
			}
		}
		same(t, "old jobs", allOld(t, s.Jobs.Old(t.Context(), moment(10))), []string(nil))
		same(t, "old jobs", allOld(t, s.Jobs.Old(t.Context(), moment(11))), []string{"job000", "job001"})
		_, err := s.Jobs.Retry(t.Context(), "job000", limit.Limits{}, moment(12))
		check.OK(t, "Retry", err)
		check.OK(t, "Remove", s.Jobs.Remove(t.Context(), []string{"job000", "job001", "job002", "job003", "job009"}, moment(11)))
		jobs, err := s.Jobs.List(t.Context(), ann.ID, "", 10)
		check.OK(t, "List", err)
		var left []string
		for _, j := range jobs {
			left = append(left, j.ID)
		}
		same(t, "jobs left", left, []string{"job003", "job002", "job000"})
		items, err := s.Jobs.Items(t.Context(), "job001", "", 0, 10)
		check.OK(t, "Items", err)
		same(t, "items of one that was removed", len(items), 0)
		same(t, "items of one that was retried", states(t, s, "job000"), "queued, queued, job queued")
		wantGone(t, s.Jobs.Old, moment(0))
	})
}

package porttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/porttest/check"
)

// using returns what a user has and does.
func using(t *testing.T, s Stores, u account.User, now time.Time) limit.Use {
	t.Helper()
	_, use, err := s.Limits.Of(t.Context(), u.ID, now)
	check.OK(t, "Limits.Of", err)
	return use
}

// documentsOf returns how many documents a user has, as a list tells.
func documentsOf(t *testing.T, s Stores, userID int64) int {
	t.Helper()
	_, n, err := s.Catalog.List(t.Context(), document.Query{Owner: userID, Size: 1})
	check.OK(t, "Catalog.List", err)
	return n
}

// Limits is the suite of limit.Users, and of how stores of documents and jobs hold to limits.
func Limits(t *testing.T, open func(t *testing.T) Stores) {
	now := moment(0)
	set := func(t *testing.T, s Stores, u account.User, own limit.Own) {
		t.Helper()
		check.OK(t, "Limits.Update", s.Limits.Update(t.Context(), u.ID, func(o *limit.Own) { *o = own }))
	}
	add := func(t *testing.T, s Stores, general limit.Limits, images ...document.Image) error {
		var all [][]document.Image
		for _, i := range images {
			all = append(all, []document.Image{i})
		}
		_, err := s.Catalog.Add(t.Context(), once.Claim{}, general, all...)
		return err
	}
	work := func(t *testing.T, s Stores, general limit.Limits, j job.Job) error {
		return s.Jobs.Add(t.Context(), j, general, make([]int64, j.Count.Total))
	}

	t.Run("own limits come back", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		own, use, err := s.Limits.Of(t.Context(), ann.ID, now)
		check.OK(t, "Of", err)
		same(t, "own", own, limit.Own{})
		same(t, "use", use, limit.Use{})
		want := limit.Own{Images: new(int64(0)), Bytes: new(int64(limit.Most)), Items: new(int64(7))}
		set(t, s, ann, want)
		check.OK(t, "Update", s.Limits.Update(t.Context(), ann.ID, func(o *limit.Own) {
			same(t, "as change sees it", *o, want)
			o.Bytes, o.Queued = nil, new(int64(3))
		}))
		want.Bytes, want.Queued = nil, new(int64(3))
		own, _, err = s.Limits.Of(t.Context(), ann.ID, now)
		check.OK(t, "Of", err)
		same(t, "own", own, want)
		own, _, err = s.Limits.Of(t.Context(), bob.ID, now)
		check.OK(t, "Of", err)
		same(t, "another's", own, limit.Own{})
		resign(t, s, ann.ID)
		for what, id := range map[string]int64{"who has resigned": ann.ID, "nobody": bob.ID + 100} {
			_, _, err := s.Limits.Of(t.Context(), id, now)
			check.Kind(t, "Of "+what, err, fault.NotFound)
			check.Kind(t, "Update of "+what, s.Limits.Update(t.Context(), id, func(*limit.Own) {}), fault.NotFound)
			check.Kind(t, "Add of documents of "+what, add(t, s, limit.Limits{}, someImage(account.User{ID: id}, "late")), fault.NotFound)
			check.Kind(t, "Add of a job of "+what, work(t, s, limit.Limits{}, someJob(account.User{ID: id}, 1, 1)), fault.NotFound)
		}
	})

	t.Run("documents and bytes", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		size := someImage(ann, "page").Size
		general := limit.Limits{Images: 3, Bytes: 3*size + 1}
		check.OK(t, "Add", add(t, s, general, someImage(ann, "a"), someImage(ann, "b")))
		err := add(t, s, general, someImage(ann, "c"), someImage(ann, "d"))
		check.Code(t, "two where there is room for one", err, fault.Full, limit.CodeImages)
		same(t, "limit", *fault.Of(err).Limit, fault.Limit{Name: "images", Allowed: 3, Used: 2, Asked: 2})
		same(t, "documents", documentsOf(t, s, ann.ID), 2)
		big := someImage(ann, "c")
		big.Size += 2
		err = add(t, s, general, big)
		check.Code(t, "a byte too many", err, fault.Full, limit.CodeBytes)
		same(t, "limit", *fault.Of(err).Limit, fault.Limit{Name: "bytes", Allowed: 3*size + 1, Used: 2 * size, Asked: size + 2})
		big.Size--
		check.OK(t, "Add of the last byte", add(t, s, general, big))
		check.Code(t, "Add of one more", add(t, s, general, someImage(ann, "d")), fault.Full, limit.CodeImages)
		check.OK(t, "Add of another's", add(t, s, general, someImage(bob, "a")))

		set(t, s, ann, limit.Own{Images: new(int64(0))})
		check.Code(t, "Add with own limits", add(t, s, general, someImage(ann, "d")), fault.Full, limit.CodeBytes)
		set(t, s, ann, limit.Own{Images: new(int64(0)), Bytes: new(int64(0))})
		check.OK(t, "Add without limits", add(t, s, general, someImage(ann, "d")))
		set(t, s, bob, limit.Own{Images: new(int64(1))})
		check.Code(t, "Add with a limit of one's own", add(t, s, limit.Limits{}, someImage(bob, "b")), fault.Full, limit.CodeImages)
	})

	t.Run("what is added at once does not exceed limits together", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		general := limit.Limits{Images: 7, Queued: 5}
		admitted := func(what string, errs []error, kind fault.Kind, want int) {
			t.Helper()
			n := 0
			for _, err := range errs {
				if err == nil {
					n++
				} else if !fault.Is(err, kind) {
					t.Errorf("%s: %v", what, err)
				}
			}
			same(t, what, n, want)
		}
		admitted("documents", race(racers, func(n int) error { return add(t, s, general, someImage(ann, fmt.Sprint(n))) }), fault.Full, 7)
		admitted("jobs", race(racers, func(n int) error { return work(t, s, general, someJob(ann, n, 1)) }), fault.TooMany, 5)
		use := using(t, s, ann, moment(racers))
		same(t, "documents", use.Images, int64(7))
		same(t, "items", use.Queued, int64(5))
		same(t, "items of the day", use.Items(moment(racers)), int64(5))
	})

	t.Run("items that are queued", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		general := limit.Limits{Queued: 4}
		check.OK(t, "Add", work(t, s, general, someJob(ann, 1, 3)))
		err := work(t, s, general, someJob(ann, 2, 2))
		check.Code(t, "Add of too many", err, fault.TooMany, limit.CodeQueued)
		same(t, "limit", *fault.Of(err).Limit, fault.Limit{Name: "queued_items", Allowed: 4, Used: 3, Asked: 2})
		_, err = s.Jobs.ByID(t.Context(), "job002")
		check.Kind(t, "what was refused", err, fault.NotFound)
		same(t, "items of the day", using(t, s, ann, now).Items(moment(2)), int64(3))
		check.OK(t, "Add of another's", work(t, s, general, someJob(bob, 3, 4)))
		claimed(t, s, job.ItemID("job001", 1), "node")
		check.OK(t, "Add once one has begun", work(t, s, general, someJob(ann, 4, 2)))
		failed := job.Outcome{Error: &fault.Failure{Code: "bad", Detail: "It is bad."}}
		check.OK(t, "Finish", s.Jobs.Finish(t.Context(), job.ItemID("job001", 1), "node", failed, moment(11), time.Time{}))
		_, err = s.Jobs.Retry(t.Context(), "job001", general, moment(12))
		check.Code(t, "Retry of too many", err, fault.TooMany, limit.CodeQueued)
		same(t, "states", states(t, s, "job001"), "failed, queued, queued, job running")
		check.OK(t, "Cancel", s.Jobs.Cancel(t.Context(), "job004", moment(13)))
		n, err := s.Jobs.Retry(t.Context(), "job001", general, moment(14))
		check.OK(t, "Retry", err)
		same(t, "queued again", n, 1)
		same(t, "queued", using(t, s, ann, now).Queued, int64(3))
	})

	t.Run("items of a day", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		general := limit.Limits{Items: 10}
		at := func(n int, after time.Duration, items int) job.Job {
			j := someJob(ann, n, items)
			j.Created = limit.SlotOf(now).Add(after)
			return j
		}
		check.OK(t, "Add", work(t, s, general, at(1, 0, 4)))
		check.OK(t, "Add", work(t, s, general, at(2, time.Second, 2)))
		check.OK(t, "Add", work(t, s, general, at(3, time.Hour, 3)))
		err := work(t, s, general, at(4, 2*time.Hour, 2))
		check.Code(t, "Add of too many", err, fault.TooMany, limit.CodeItems)
		same(t, "limit", *fault.Of(err).Limit, fault.Limit{Name: "items_a_day", Allowed: 10, Used: 9, Asked: 2})
		same(t, "room", fault.Of(err).RetryAfter, 22*time.Hour)
		err = work(t, s, general, at(4, 2*time.Hour, 8))
		same(t, "room for more", fault.Of(err).RetryAfter, 23*time.Hour)
		check.OK(t, "Add of the last", work(t, s, general, at(5, 3*time.Hour, 1)))
		just := limit.SlotOf(now).Add(limit.Window)
		same(t, "a moment before a day", using(t, s, ann, just.Add(-time.Second)).Items(just.Add(-time.Second)), int64(10))
		same(t, "a day later", using(t, s, ann, just).Items(just), int64(4))
		check.OK(t, "Add a day later", work(t, s, general, at(6, limit.Window, 6)))
		same(t, "then", using(t, s, ann, just).Items(just), int64(10))
		same(t, "in two days", using(t, s, ann, just.Add(2*limit.Window)).Items(just.Add(2*limit.Window)), int64(0))
	})

	t.Run("sums do not drift", func(t *testing.T) { drift(t, open(t), 150) })
}

// drift does this and that with the documents and jobs of two users, and compares what they are told to have with what they have.
func drift(t *testing.T, s Stores, steps int) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	users := []account.User{addUser(t, s, "ann"), addUser(t, s, "bob")}
	general := limit.Limits{Images: 6, Bytes: 40_000, Queued: 12}
	jobs, items := 0, map[int64]int{}
	none := errors.New("there is none")
	some := func(u account.User) (document.Image, error) {
		all, _, err := s.Catalog.List(t.Context(), document.Query{Owner: u.ID, Size: 100})
		if err == nil && len(all) == 0 {
			err = none
		}
		if err != nil {
			return document.Image{}, err
		}
		return all[random.IntN(len(all))], nil
	}
	someJobOf := func(u account.User) (string, error) {
		all, err := s.Jobs.List(t.Context(), u.ID, "", 100)
		if err == nil && len(all) == 0 {
			err = none
		}
		if err != nil {
			return "", err
		}
		return all[random.IntN(len(all))].ID, nil
	}
	do := []func(u account.User) error{
		func(u account.User) error { // as one or two documents, of some pages
			var all [][]document.Image
			for range 1 + random.IntN(2) {
				i := someImage(u, "page")
				i.Size, i.Pages = int64(random.IntN(10_000)), 1+random.IntN(3)
				if random.IntN(2) == 0 {
					i.Visibility = document.Shared
				}
				var pages []document.Image
				for n := range i.Pages {
					i.Number = n + 1
					pages = append(pages, i)
				}
				all = append(all, pages)
			}
			_, err := s.Catalog.Add(t.Context(), once.Claim{}, general, all...)
			return err
		},
		func(u account.User) error {
			i, err := some(u)
			if err != nil {
				return err
			}
			return s.Catalog.Delete(t.Context(), i.ID)
		},
		func(u account.User) error {
			i, err := some(u)
			if err != nil {
				return err
			}
			_, err = s.Catalog.Update(t.Context(), i.ID, func(i *document.Image) error {
				i.Visibility, i.Name = []document.Visibility{document.Private, document.Shared}[random.IntN(2)], "other"
				return nil
			})
			return err
		},
		func(u account.User) error {
			jobs++
			j := someJob(u, jobs, 1+random.IntN(4))
			err := s.Jobs.Add(t.Context(), j, general, make([]int64, j.Count.Total))
			if err == nil {
				items[u.ID] += j.Count.Total
			}
			return err
		},
		func(u account.User) error {
			id, err := someJobOf(u)
			if err != nil {
				return err
			}
			item := job.ItemID(id, 1+random.IntN(4))
			if _, err := s.Jobs.Claim(t.Context(), item, "node", moment(1), moment(60)); err != nil {
				return err
			}
			o := job.Outcome{Version: random.IntN(2), Error: &fault.Failure{Code: "x", Detail: "X."}, Free: random.IntN(2) == 0}
			return s.Jobs.Finish(t.Context(), item, "node", o, moment(2), moment(3))
		},
		func(u account.User) error {
			id, err := someJobOf(u)
			if err != nil {
				return err
			}
			if random.IntN(2) == 0 {
				return s.Jobs.Cancel(t.Context(), id, moment(4))
			}
			n, err := s.Jobs.Retry(t.Context(), id, general, moment(5))
			items[u.ID] += n
			return err
		},
	}
	for range steps {
		err := do[random.IntN(len(do))](users[random.IntN(len(users))])
		if f := fault.Of(err); err != nil && !errors.Is(err, none) && f.Kind != fault.Full && f.Kind != fault.TooMany &&
			f.Kind != fault.NotFound && f.Kind != fault.Conflict {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	for _, u := range users {
		var want limit.Use
		all, _, err := s.Catalog.List(t.Context(), document.Query{Owner: u.ID, Size: 1000})
		check.OK(t, "List", err)
		for _, i := range all {
			want.Images++
			want.Bytes += i.Size
		}
		jobs, err := s.Jobs.List(t.Context(), u.ID, "", 1000)
		check.OK(t, "List", err)
		for _, j := range jobs {
			want.Queued += int64(j.Count.Queued)
		}
		got := using(t, s, u, moment(60))
		same(t, fmt.Sprintf("seed %d: items", seed), got.Items(moment(60)), int64(items[u.ID]))
		got.Added = nil
		same(t, fmt.Sprintf("seed %d: use", seed), got, want)
		if got.Images > general.Images || got.Bytes > general.Bytes {
			t.Errorf("seed %d: %+v is more than allowed", seed, got)
		}
	}
}

type fakeLimits struct{ *memory }

var _ limit.Users = fakeLimits{}

// use returns what a user has and does.
func (m *memory) use(userID int64, now time.Time) (use limit.Use) {
	for _, i := range m.images {
		if i.Owner.ID == userID && i.Document == i.ID {
			use.Images++
			use.Bytes += i.Size
		}
	}
	for _, j := range m.jobs {
		if j.User.ID == userID && !j.State.Ended() {
			use.Queued += int64(j.Count.Queued)
		}
	}
	for _, a := range m.added[userID] {
		if a.Slot.Add(limit.Window).After(now) {
			use.Added = append(use.Added, a)
		}
	}
	return use
}

// work counts items that are added, or returns why they may not be.
func (m *memory) work(userID int64, general limit.Limits, items int, now time.Time) error {
	if err := m.standing(userID); err != nil {
		return err
	}
	if err := general.With(m.limits[userID]).Work(m.use(userID, now), int64(items), 0, now); err != nil {
		return err
	}
	m.added[userID] = append(m.added[userID], limit.Added{Slot: limit.SlotOf(now), Items: int64(items)})
	return nil
}

// standing returns why nothing is limited of a user: there is none, or no more.
func (m *memory) standing(userID int64) error {
	if u, ok := m.users[userID]; !ok || u.Resigned() {
		return notFound("user")
	}
	return nil
}

func (f fakeLimits) Of(ctx context.Context, userID int64, now time.Time) (own limit.Own, use limit.Use, err error) {
	err = f.do(ctx, "Limits.Of", func() error {
		own, use = f.limits[userID], f.use(userID, now)
		return f.standing(userID)
	})
	return own, use, err
}

func (f fakeLimits) Update(ctx context.Context, userID int64, change func(*limit.Own)) error {
	return f.write(ctx, "Limits.Update", func() error {
		if err := f.standing(userID); err != nil {
			return err
		}
		own := f.limits[userID]
		change(&own)
		f.limits[userID] = own
		return nil
	})
}

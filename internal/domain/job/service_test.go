package job_test

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// world is the service on fakes, with users and images of ann's.
type world struct {
	*job.Service
	fakes           *porttest.Fakes
	accounts        *account.Service
	images          *document.Service
	reads           *recognition.Service
	queue           *porttest.FakeQueue
	ann, bob, admin account.Actor
	pages           []int64 // ann's
}

func newWorld(t *testing.T, pages int) *world {
	f := porttest.NewFakes(t)
	w := &world{fakes: f, queue: porttest.NewFakeQueue()}
	w.images = &document.Service{Catalog: f.Catalog, Blobs: f.Blobs, Files: f.Files, Imager: f.Imager, Seals: f.Seals,
		Users: f.Users, Now: time.Now}
	w.reads = &recognition.Service{Images: w.images, Users: f.Users, Engine: f.Engine, Runs: f.Runs, Contents: f.Contents, Now: time.Now}
	w.images.Dependents = w.reads
	w.accounts = &account.Service{Users: f.Users, Now: time.Now}
	w.Service = &job.Service{Jobs: f.Jobs, Images: w.images, Engine: f.Engine, Now: time.Now}
	actor := func(name, role string) account.Actor {
		u, err := f.Users.Add(t.Context(), account.User{Name: name, Email: name + "@example.org", Role: role})
		check.OK(t, "Users.Add", err)
		return account.Actor{UserID: u.ID, Name: name, Admin: role != ""}
	}
	w.ann, w.bob, w.admin = actor("ann", ""), actor("bob", ""), actor("root", account.RoleAdmin)
	w.pages = w.upload(t, w.ann, pages)
	return w
}

// drawn is the file of a page of 400 × 140 pixels.
var drawn = sync.OnceValue(func() []byte {
	page, _ := porttest.DrawLines("page")
	return porttest.PNG(page)
})

func (w *world) upload(t *testing.T, of account.Actor, n int) (ids []int64) {
	t.Helper()
	for range n {
		i, err := w.images.Upload(t.Context(), of, "page", porttest.FileOf(drawn()))
		check.OK(t, "Upload", err)
		ids = append(ids, i.ID)
	}
	return ids
}

func (w *world) submit(t *testing.T, images ...int64) job.Job {
	t.Helper()
	j, err := w.Submit(t.Context(), w.ann, job.Order{Images: images, Request: recognition.Request{Mode: recognition.BestMode}})
	check.OK(t, "Submit", err)
	return j
}

// reader reads as the service does, after a hook.
type reader struct {
	*recognition.Service
	before func(ctx context.Context, item string) error // nil: nothing
}

func (r reader) Recognize(ctx context.Context, a account.Actor, image int64, request recognition.Request) (recognition.Run, error) {
	if r.before != nil {
		if err := r.before(ctx, request.Item); err != nil {
			return recognition.Run{}, err
		}
	}
	return r.Service.Recognize(ctx, a, image, request)
}

// runner returns a runner; it is told of what there is to run.
func (w *world) runner(before func(ctx context.Context, item string) error) *job.Runner {
	r := &job.Runner{Jobs: w.fakes.Jobs, Queue: w.queue, Accounts: w.accounts, Reads: reader{w.reads, before}, AtOnce: 2, Now: time.Now}
	w.Wake = r.Wake
	return r
}

// scan uploads a file of n pages, and returns their images.
func (w *world) scan(t *testing.T, of account.Actor, n int) (ids []int64) {
	t.Helper()
	page, _ := porttest.DrawLines("page")
	first, err := w.images.Upload(t.Context(), of, "scan", porttest.FileOf(porttest.MultiPageTIFF(slices.Repeat([]image.Image{page},
		n)...)))
	check.OK(t, "Upload", err)
	pages, _, err := w.images.Pages(t.Context(), of, first.ID, 1, n)
	check.OK(t, "Pages", err)
	for _, i := range pages {
		ids = append(ids, i.ID)
	}
	return ids
}

// run runs items until a condition holds, in the time of a bubble.
func run(t *testing.T, r *job.Runner, until func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx, context.Background())
	}()
	for n := 0; !until(); n++ {
		if n > 3000 {
			t.Error("it does not end")
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	<-done
}

func (w *world) job(t *testing.T, id string) job.Job {
	t.Helper()
	j, err := w.Job(t.Context(), w.admin, id)
	check.OK(t, "Job", err)
	return j
}

func (w *world) ended(t *testing.T, ids ...string) func() bool {
	return func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return w.job(t, id).Finished.IsZero() })
	}
}

// versions are how many runs the pages have.
func (w *world) versions(t *testing.T, pages []int64) string {
	t.Helper()
	var counts []string
	for _, id := range pages {
		runs, err := w.fakes.Runs.List(t.Context(), id, 0, 100)
		check.OK(t, "Runs.List", err)
		counts = append(counts, fmt.Sprint(len(runs)))
	}
	return strings.Join(counts, " ")
}

func TestSubmitRefuses(t *testing.T) {
	w := newWorld(t, 2)
	others := w.upload(t, w.bob, 1)
	scan := w.scan(t, w.ann, 3)
	mode := recognition.Request{Mode: recognition.BestMode}
	for name, c := range map[string]struct {
		order job.Order
		want  []string
	}{
		"nothing":      {job.Order{Request: mode}, []string{"image_ids"}},
		"too much":     {job.Order{Images: make([]int64, job.MaxItems+1), Request: mode}, []string{"image_ids"}},
		"twice":        {job.Order{Images: []int64{w.pages[0], w.pages[1], w.pages[0]}, Request: mode}, []string{"image_ids[2]"}},
		"somebody's":   {job.Order{Images: []int64{w.pages[0], others[0], 99999}, Request: mode}, []string{"image_ids[1]", "image_ids[2]"}},
		"a later page": {job.Order{Documents: []int64{w.pages[0], scan[2]}, Request: mode}, []string{"documents[1]"}},
		"no documents": {job.Order{Documents: []int64{99999, scan[0], others[0]}, Request: mode}, []string{"documents[0]", "documents[2]"}},
		"documents":    {job.Order{Documents: []int64{scan[0], scan[0]}, Request: mode}, []string{"documents[1]"}},
		"too many":     {job.Order{Documents: make([]int64, job.MaxItems+1), Request: mode}, []string{"documents"}},
		"pages": {job.Order{Documents: []int64{scan[0]}, Pages: recognition.PageRanges{{First: 2, Last: 4}}, Request: mode},
			[]string{"pages"}},
		"pages alone": {job.Order{Images: w.pages, Pages: recognition.PageRanges{{First: 1, Last: 1}}, Request: mode}, []string{"pages"}},
		"priority":    {job.Order{Images: w.pages, Request: mode, Priority: 2}, []string{"priority"}},
		"language": {job.Order{Images: w.pages, Request: recognition.Request{Mode: recognition.BestMode, Lang: []string{"xyz"}}},
			[]string{"lang"}},
		"outside": {job.Order{Images: w.pages, Request: recognition.Request{Mode: recognition.BestMode,
			Regions: []recognition.Region{{Box: document.Box{X2: 401, Y2: 10}}}}}, []string{"regions[0].x2"}},
		"many regions": {job.Order{Images: w.pages, Request: recognition.Request{Regions: make([]recognition.Region, 2001)}},
			[]string{"regions"}},
	} {
		_, err := w.Submit(t.Context(), w.ann, c.order)
		check.Kind(t, name, err, fault.Invalid)
		var got []string
		for _, f := range fault.Of(err).Fields {
			got = append(got, f.Field)
		}
		check.Same(t, name, got, c.want)
	}
	w.fakes.Fail("Jobs.Add", porttest.Before)
	_, err := w.Submit(t.Context(), w.ann, job.Order{Images: w.pages, Request: mode})
	check.Code(t, "Submit while the rows are away", err, fault.Unavailable, "injected")
}

func TestDocumentsAreTheirPages(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.scan(t, w.ann, 3), w.scan(t, w.ann, 4)
	for name, c := range map[string]struct {
		order job.Order
		want  []int64
	}{
		"all pages": {job.Order{Documents: []int64{b[0], a[0]}}, slices.Concat(b, a)},
		"some pages": {job.Order{Documents: []int64{a[0], b[0]}, Pages: recognition.PageRanges{{First: 2, Last: 3}, {First: 3, Last: 3}}},
			slices.Concat(a[1:3], b[1:3])},
		"and images": {job.Order{Images: []int64{a[1], w.pages[0]}, Documents: []int64{a[0], w.pages[0]}},
			[]int64{a[1], w.pages[0], a[0], a[2]}},
	} {
		c.order.Request.Mode = recognition.BestMode
		j, err := w.Submit(t.Context(), w.ann, c.order)
		check.OK(t, name, err)
		items, err := w.Items(t.Context(), w.ann, j.ID, "", 0, 100)
		check.OK(t, name, err)
		var got []int64
		for _, i := range slices.Backward(items) {
			got = append(got, i.ImageID)
		}
		check.Same(t, name, got, c.want)
		check.Same(t, name, j.Count.Total, len(c.want))
	}
}

// TestPagesOfOtherSizes has a region that is on the large pages of a document only: the items of the small ones fail.
func TestPagesOfOtherSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		large, _ := porttest.DrawLines("page")
		small := image.NewGray(image.Rect(0, 0, 300, 100))
		first, err := w.images.Upload(t.Context(), w.ann, "scan", porttest.FileOf(porttest.MultiPageTIFF(small, large, small)))
		check.OK(t, "Upload", err)
		order := job.Order{Documents: []int64{first.ID}, Request: recognition.Request{Mode: recognition.BestMode,
			Regions: []recognition.Region{{Box: document.Box{X1: 310, Y1: 10, X2: 400, Y2: 50}}}}}
		j, err := w.Submit(t.Context(), w.ann, order)
		check.OK(t, "Submit", err)
		run(t, w.runner(nil), w.ended(t, j.ID))
		check.Same(t, "count", w.job(t, j.ID).Count, job.Count{Total: 3, Done: 1, Failed: 2})
		order.Pages = recognition.PageRanges{{First: 1, Last: 1}}
		_, err = w.Submit(t.Context(), w.ann, order)
		check.Code(t, "Submit of a region on no page", err, fault.Invalid, "invalid_input")
	})
}

func TestWaitingItemsAreLimited(t *testing.T) {
	w := newWorld(t, 3)
	w.Limits = &limit.Service{Users: w.fakes.Limits, General: limit.Limits{Queued: 4}, Now: time.Now}
	w.submit(t, w.pages...)
	order := job.Order{Images: w.pages[:2], Request: recognition.Request{Mode: recognition.BestMode}}
	_, err := w.Submit(t.Context(), w.ann, order)
	check.Code(t, "Submit of too many", err, fault.TooMany, "too_many_items")
	check.Same(t, "when to ask again", fault.Of(err).RetryAfter, 5*time.Second)
	_, err = w.Submit(t.Context(), w.admin, order)
	check.OK(t, "Submit by somebody else", err)
	w.submit(t, w.pages[0])
}

// The user whose limit it is need not be who is told.
func TestRetryBySomebodyElseIsLimited(t *testing.T) {
	w := newWorld(t, 3)
	w.Limits = &limit.Service{Users: w.fakes.Limits, General: limit.Limits{Queued: 4}, Now: time.Now}
	j := w.submit(t, w.pages...)
	check.OK(t, "Cancel", w.Cancel(t.Context(), w.ann, j.ID))
	w.submit(t, w.pages...)
	_, err := w.Retry(t.Context(), w.admin, j.ID)
	check.Code(t, "Retry by an administrator", err, fault.TooMany, "too_many_items")
	check.Same(t, "what it says", fault.Of(err).Text,
		"A user may have at most 4 queued items, and 3 are queued. Read fewer at once, or wait until some have been read.")
}

func TestJobsAreTheirUsers(t *testing.T) {
	w := newWorld(t, 1)
	j := w.submit(t, w.pages...)
	for what, call := range map[string]func(a account.Actor) error{
		"Job":     func(a account.Actor) error { _, err := w.Job(t.Context(), a, j.ID); return err },
		"Items":   func(a account.Actor) error { _, err := w.Items(t.Context(), a, j.ID, "", 0, 10); return err },
		"Changes": func(a account.Actor) error { _, _, err := w.Changes(t.Context(), a, j.ID, 0); return err },
		"Cancel":  func(a account.Actor) error { return w.Cancel(t.Context(), a, j.ID) },
	} {
		check.Code(t, what, call(w.bob), fault.NotFound, "job_not_found")
		check.OK(t, what, call(w.admin))
	}
	_, err := w.Retry(t.Context(), w.bob, j.ID)
	check.Code(t, "Retry", err, fault.NotFound, "job_not_found")
	_, err = w.Dead(t.Context(), w.ann, "", 10)
	check.Code(t, "Dead", err, fault.Forbidden, "admin_only")
	check.Code(t, "Replay", w.Replay(t.Context(), w.ann, "x"), fault.Forbidden, "admin_only")
	jobs, err := w.List(t.Context(), w.bob, "", 10)
	check.OK(t, "List", err)
	check.Same(t, "bob's jobs", len(jobs), 0)
}

func TestAJobRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		gone := w.pages[3]
		j := w.submit(t, w.pages...)
		check.OK(t, "Delete", w.images.Delete(t.Context(), w.ann, gone, nil))
		later := w.submit(t, w.pages[:2]...)
		run(t, w.runner(nil), w.ended(t, j.ID, later.ID))
		got := w.job(t, j.ID)
		check.Same(t, "state", got.State, job.Done)
		check.Same(t, "count", got.Count, job.Count{Total: 20, Done: 19, Failed: 1})
		check.Same(t, "versions", w.versions(t, w.pages[:5]), "2 2 1 0 1")
		failed, err := w.Items(t.Context(), w.ann, j.ID, job.Failed, 0, 10)
		check.OK(t, "Items", err)
		check.Same(t, "failed", failed[0].Error.Code, "image_not_found")
		check.Same(t, "dead", failed[0].Dead, false)
		check.Same(t, "orphans", w.fakes.Orphans(), nil)

		_, err = w.Retry(t.Context(), w.ann, j.ID)
		check.OK(t, "Retry", err)
		run(t, w.runner(nil), w.ended(t, j.ID))
		_, err = w.Retry(t.Context(), w.ann, later.ID)
		check.Code(t, "Retry of what is done", err, fault.Conflict, "nothing_to_retry")
	})
}

// TestTheQueueIsLost empties the queue again and again.
func TestTheQueueIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 12)
		j := w.submit(t, w.pages...)
		var n atomic.Int64
		run(t, w.runner(func(context.Context, string) error {
			if n.Add(1)%3 == 0 {
				w.queue.Lose()
			}
			return nil
		}), w.ended(t, j.ID))
		check.Same(t, "count", w.job(t, j.ID).Count, job.Count{Total: 12, Done: 12})
		check.Same(t, "versions", w.versions(t, w.pages), "1 1 1 1 1 1 1 1 1 1 1 1")
	})
}

// TestAStoreIsAway fails every operation of a run twice: nothing is read into two versions, and only a claim that nobody knows of counts as
// a try.
func TestAStoreIsAway(t *testing.T) {
	for _, op := range []string{"Jobs.Claim", "Jobs.Finish", "Jobs.Offer", "Jobs.Lapse", "Users.ByID", "Catalog.ByID", "Runs.ByItem",
		"Contents.Add", "Runs.Append"} {
		for _, mode := range []porttest.Mode{porttest.Before, porttest.After} {
			if op == "Runs.ByItem" && mode == porttest.After {
				continue // it finds nothing
			}
			t.Run(fmt.Sprint(op, " ", mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, 3)
					j := w.submit(t, w.pages...)
					for range 2 {
						w.fakes.Fail(op, mode)
					}
					run(t, w.runner(nil), func() bool { // what the fault hits may be this look
						got, err := w.Job(context.Background(), w.ann, j.ID)
						return err == nil && !got.Finished.IsZero()
					})
					check.Same(t, "count", w.job(t, j.ID).Count, job.Count{Total: 3, Done: 3})
					check.Same(t, "versions", w.versions(t, w.pages), "1 1 1")
					items, err := w.Items(t.Context(), w.ann, j.ID, "", 0, 10)
					check.OK(t, "Items", err)
					for _, i := range items {
						if i.Tries > 1 && op != "Jobs.Claim" && op != "Jobs.Finish" {
							t.Errorf("item %d has had %d tries", i.Number, i.Tries)
						}
					}
				})
			})
		}
	}
}

func TestAPoisonedItemDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		j := w.submit(t, w.pages...)
		tries := 0
		r := w.runner(func(_ context.Context, item string) error {
			if item == job.ItemID(j.ID, 2) {
				tries++
				return fault.New(fault.Unavailable, recognition.CodeCrashed, "The engine died of it.")
			}
			return nil
		})
		run(t, r, w.ended(t, j.ID))
		check.Same(t, "tries", tries, job.MaxTries)
		check.Same(t, "count", w.job(t, j.ID).Count, job.Count{Total: 3, Done: 2, Failed: 1})
		dead, err := w.Dead(t.Context(), w.admin, "", 10)
		check.OK(t, "Dead", err)
		check.Same(t, "dead", len(dead), 1)
		check.OK(t, "Replay", w.Replay(t.Context(), w.admin, dead[0].ID))
		run(t, w.runner(nil), w.ended(t, j.ID))
		check.Same(t, "count", w.job(t, j.ID).Count, job.Count{Total: 3, Done: 3})
	})
}

// offers counts how often the queue is filled.
type offers struct {
	job.Jobs
	n atomic.Int64
}

func (o *offers) Offer(ctx context.Context, now, until time.Time, share func([]job.Open) map[string]int) ([]string, error) {
	ids, err := o.Jobs.Offer(ctx, now, until, share)
	if len(ids) > 0 {
		o.n.Add(1)
	}
	return ids, err
}

// The queue is filled for several items at once, and never runs empty while there are some.
func TestTheQueueIsFilledWhereItIsHalfEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		pages := w.scan(t, w.ann, 60)
		j := w.submit(t, pages...)
		r := w.runner(func(context.Context, string) error {
			time.Sleep(50 * time.Millisecond)
			return nil
		})
		counted := &offers{Jobs: w.fakes.Jobs}
		r.Jobs = counted
		begun := time.Now()
		run(t, r, w.ended(t, j.ID))
		if n := counted.n.Load(); n > 60/3 {
			t.Errorf("the queue was filled %d times for 60 items", n)
		}
		if took := time.Since(begun); took > 1600*time.Millisecond { // 60 items, two at once
			t.Errorf("took %v", took)
		}
	})
}

func TestTheJobStopsOfAUserWhoMayNoMore(t *testing.T) {
	for code, change := range map[string]func(*account.User){
		"account_blocked": func(u *account.User) { u.States = []account.State{{Name: account.StateBlocked}} },
		"account_deleted": func(u *account.User) { u.Name, u.Email, u.PasswordHash = "", "", "" },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 9)
			j := w.submit(t, w.pages...)
			var n atomic.Int64
			run(t, w.runner(func(ctx context.Context, _ string) error {
				if n.Add(1) == 3 {
					_, err := w.fakes.Users.Update(ctx, w.ann.UserID, func(u *account.User) error { change(u); return nil })
					check.OK(t, "Update", err)
				}
				return nil
			}), w.ended(t, j.ID))
			got := w.job(t, j.ID)
			check.Same(t, "state", got.State, job.Cancelled)
			check.Same(t, "why", got.Stopped.Code, code)
			if got.Count.Done > 4 || got.Count.Done+got.Count.Cancelled != 9 {
				t.Errorf("count %+v", got.Count)
			}
		})
	}
}

func TestCancelHalfWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 9)
		j := w.submit(t, w.pages...)
		var n atomic.Int64
		run(t, w.runner(func(context.Context, string) error {
			if n.Add(1) == 4 {
				check.OK(t, "Cancel", w.Cancel(context.Background(), w.ann, j.ID))
				check.Same(t, "state", w.job(t, j.ID).State, job.Cancelled)
			}
			return nil
		}), w.ended(t, j.ID))
		got := w.job(t, j.ID)
		if got.State != job.Cancelled || got.Count.Done < 4 || got.Count.Done > 5 || got.Count.Done+got.Count.Cancelled != 9 {
			t.Errorf("state %s, count %+v", got.State, got.Count)
		}
	})
}

// TestLeases has an item run longer than a lease, which its heartbeat keeps, and lets a node stand still, whose item somebody else runs.
func TestLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		j := w.submit(t, w.pages...)
		begun := 0
		run(t, w.runner(func(context.Context, string) error {
			begun++
			time.Sleep(5 * job.LeaseTime)
			return nil
		}), w.ended(t, j.ID))
		check.Same(t, "tries", begun, 1)

		j = w.submit(t, w.pages...)
		r := w.runner(nil)
		check.OK(t, "Feed", r.Feed(t.Context()))
		id, done, err := w.queue.Take(t.Context())
		check.OK(t, "Take", err)
		check.OK(t, "done", done(t.Context()))
		_, err = w.fakes.Jobs.Claim(t.Context(), id, "a node that vanishes", time.Now(), time.Now().Add(job.LeaseTime))
		check.OK(t, "Claim", err)
		run(t, r, w.ended(t, j.ID))
		check.Same(t, "returned", r.Returned.Load(), int64(1))
		check.Same(t, "versions", w.versions(t, w.pages), "2")
	})
}

// TestStopping ends a runner: what has begun ends, unless patience does; then it is queued again and has lost no try.
func TestStopping(t *testing.T) {
	for name, patient := range map[string]bool{"patient": true, "not patient": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 5)
				j := w.submit(t, w.pages...)
				r := w.runner(func(ctx context.Context, _ string) error {
					select {
					case <-time.After(time.Minute):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
				ctx, stop := context.WithCancel(context.Background())
				patience, give := context.WithCancel(context.Background())
				defer give()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					r.Run(ctx, patience)
				}()
				synctest.Wait()
				stop()
				if !patient {
					give()
				}
				<-ended
				want := job.Count{Total: 5, Queued: 5}
				if patient {
					want = job.Count{Total: 5, Queued: 3, Done: 2}
				}
				check.Same(t, "count", w.job(t, j.ID).Count, want)
				items, err := w.Items(t.Context(), w.ann, j.ID, job.Queued, 0, 10)
				check.OK(t, "Items", err)
				for _, i := range items {
					check.Same(t, "tries", i.Tries, 0)
				}
			})
		})
	}
}

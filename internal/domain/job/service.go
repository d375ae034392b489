package job

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/sweep"
)

// Service has the operations on jobs. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Jobs    Jobs
	Images  *document.Service
	Hooks   Hooks
	Engine  recognition.Engine // says what is installed
	Effort  recognition.Effort // of requests that do not say; empty: EffortAccurate
	Regions int                // of a request, at most; 0: recognition.MaxRegions
	Limits  *limit.Service     // of users; nil: there are none
	Wake    func()             // called when there is more to run; nil: nobody is told
	Now     func() time.Time
}

// OldKind is the kind of jobs that ended at least age ago, for a sweeper to remove. Their results stay.
func OldKind(jobs Jobs, age time.Duration, now func() time.Time) sweep.Kind {
	return sweep.Kind{Name: "ended jobs", Age: age, Old: jobs.Old, Delete: func(ctx context.Context, ids []string) error {
		return jobs.Remove(ctx, ids, now().Add(-age)) // one may be retried meanwhile
	}}
}

// Order is the request for a job: images and pages of documents, at most MaxItems in all.
type Order struct {
	Images    []int64                // none twice
	Documents []int64                // none twice; a page that Images has too is read once
	Pages     recognition.PageRanges // of each document
	Request   recognition.Request
	Priority  Priority
	Webhook   int64      // of the actor; 0: none
	Once      once.Claim `json:"-"` // that the job is made for; zero: for none
}

// Submit creates a job, which is durable when it is returned, and runs whatever crashes. Its items are the images and then the pages of
// the documents, in their order. Invalid, naming the fields: the actor must be allowed to see each image and document, and the request
// must be possible on each. TooMany if the actor has too many waiting items already.
func (s *Service) Submit(ctx context.Context, actor account.Actor, o Order) (Job, error) {
	if err := s.admit(ctx, actor.UserID, min(len(o.Images)+len(o.Documents), MaxItems)); err != nil { // before all are looked at
		return Job{}, err
	}
	images, err := s.check(ctx, actor, o)
	if err != nil {
		return Job{}, err
	}
	if err := s.admit(ctx, actor.UserID, len(images)); err != nil {
		return Job{}, err
	}
	now := s.Now().UTC().Truncate(time.Microsecond)
	o.Request.Effort, o.Request.Item = cmp.Or(o.Request.Effort, s.Effort), ""
	j := Job{ID: newID(now), User: account.Ref{ID: actor.UserID, Name: actor.Name}, Priority: o.Priority, Request: o.Request, State: Queued,
		Webhook: o.Webhook, Count: Count{Total: len(images), Queued: len(images)}, Created: now}
	j.Note = o.Once.Note(once.Effect{Job: j.ID})
	if err := s.Jobs.Add(ctx, j, s.Limits.Defaults(), images); err != nil {
		return Job{}, err
	}
	s.wake()
	return j, nil
}

// admit refuses more items than a user may have, and tells when there is room by how long items have taken.
func (s *Service) admit(ctx context.Context, userID int64, items int) error {
	err := s.Limits.RoomForWork(ctx, userID, items, 0)
	if !fault.Is(err, fault.TooMany) {
		return err
	}
	each, failure := s.Jobs.Mean(ctx)
	if failure != nil {
		return failure
	}
	return cmp.Or(s.Limits.RoomForWork(ctx, userID, items, each), err)
}

func (s *Service) wake() {
	if s.Wake != nil {
		s.Wake()
	}
}

// maxFaults is how many faults are named at once.
const maxFaults = 20

// lookedUpAtOnce is how many images are looked up together.
const lookedUpAtOnce = 1000

// check returns the images that an order covers.
func (s *Service) check(ctx context.Context, actor account.Actor, o Order) ([]int64, error) {
	switch {
	case len(o.Images)+len(o.Documents) == 0:
		return nil, fault.InvalidFields(fault.Field{Field: "image_ids", Detail: fmt.Sprintf("1 to %d images, or documents", MaxItems)})
	case len(o.Images) > MaxItems:
		return nil, fault.InvalidFields(fault.Field{Field: "image_ids", Detail: fmt.Sprintf("at most %d images", MaxItems)})
	case len(o.Documents) > MaxItems:
		return nil, fault.InvalidFields(fault.Field{Field: "documents", Detail: fmt.Sprintf("at most %d documents", MaxItems)})
	case len(o.Documents) == 0 && o.Pages != nil:
		return nil, fault.InvalidFields(fault.Field{Field: "pages", Detail: "only with documents"})
	case o.Priority < Low || o.Priority > High:
		return nil, fault.InvalidFields(fault.Field{Field: "priority", Detail: "low, normal or high"})
	}
	if err := o.Request.CheckCount(s.Regions); err != nil {
		return nil, err
	}
	if o.Webhook != 0 {
		_, err := s.Hooks.Hook(ctx, actor, o.Webhook)
		if fault.Is(err, fault.NotFound) {
			err = fault.InvalidFields(fault.Field{Field: "webhook", Detail: "a webhook of yours"})
		}
		if err != nil {
			return nil, err
		}
	}
	c := checking{Service: s, request: o.Request, seen: make(map[int64]bool, len(o.Images)), sizes: map[[2]int]error{}}
	for from := 0; from < len(o.Images) && len(c.fields) < maxFaults; from += lookedUpAtOnce {
		part := o.Images[from:min(from+lookedUpAtOnce, len(o.Images))]
		there, err := s.Images.Several(ctx, actor, part)
		if err != nil {
			return nil, err
		}
		for n, id := range part {
			if err := c.image(ctx, fmt.Sprintf("image_ids[%d]", from+n), id, there); err != nil {
				return nil, err
			}
		}
	}
	documents := map[int64]bool{}
	for n, id := range o.Documents {
		at := fmt.Sprintf("documents[%d]", n)
		if documents[id] {
			c.fault(at, "each document once")
			continue
		}
		documents[id] = true
		if err := c.document(ctx, actor, at, id, o.Pages); err != nil {
			return nil, err
		}
	}
	return c.images, fault.InvalidFields(c.fields[:min(len(c.fields), maxFaults)]...)
}

// checking is the check of an order, with the images found so far.
type checking struct {
	*Service
	request recognition.Request
	images  []int64
	seen    map[int64]bool
	sizes   map[[2]int]error // that the request was checked against, and what is wrong with it there
	fields  []fault.Field    // what is wrong
}

func (c *checking) fault(field, detail string) {
	c.fields = append(c.fields, fault.Field{Field: field, Detail: detail})
}

// image adds an image that is named and has to be there.
func (c *checking) image(ctx context.Context, at string, id int64, there map[int64]document.Image) error {
	if c.seen[id] {
		c.fault(at, "each image once")
		return nil
	}
	image, ok := there[id]
	if !ok {
		c.seen[id] = true
		c.fault(at, "an existing image")
		return nil
	}
	c.add(image)
	return c.on(ctx, image)
}

// document adds pages of a document. The request has to be one that can be done on one of them: a region may reach beyond a page that is
// smaller than the others, which is the fault of its item.
func (c *checking) document(ctx context.Context, actor account.Actor, at string, id int64, ranges recognition.PageRanges) error {
	if len(c.fields) >= maxFaults {
		return nil
	}
	pages, count, err := c.Images.Pages(ctx, actor, id, 1, MaxItems)
	switch {
	case fault.Is(err, fault.NotFound):
		c.fault(at, "a document that is there")
		return nil
	case fault.Is(err, fault.Invalid):
		for _, f := range fault.Of(err).Fields {
			c.fault(at, f.Detail)
		}
		return nil
	case err != nil:
		return err
	}
	if ranges.Check("pages", count) != nil {
		c.fault("pages", fmt.Sprintf("1 to %d: the document %d has no more", count, id))
		return nil
	}
	var wrong error
	fits := false
	for _, page := range pages {
		if !ranges.Has(page.Number) {
			continue
		}
		if err := c.on(ctx, page); err == nil {
			fits = true
		} else if wrong = cmp.Or(wrong, err); !fault.Is(err, fault.Invalid) {
			return err
		}
		if c.seen[page.ID] {
			continue
		}
		if len(c.images) == MaxItems {
			return fault.InvalidFields(fault.Field{Field: at, Detail: fmt.Sprintf("at most %d images and pages in all", MaxItems)})
		}
		c.add(page)
	}
	if fits {
		return nil
	}
	return wrong
}

func (c *checking) add(image document.Image) {
	c.seen[image.ID] = true
	c.images = append(c.images, image.ID)
}

// on returns what is wrong with the request on an image, or on one of its size.
func (c *checking) on(ctx context.Context, image document.Image) error {
	size := [2]int{image.Width, image.Height}
	err, known := c.sizes[size]
	if !known {
		_, err = c.request.Tasks(ctx, image, c.Engine)
		c.sizes[size] = err
	}
	return err
}

// Job returns a job of the actor, without its request; administrators get any job. NotFound.
func (s *Service) Job(ctx context.Context, actor account.Actor, id string) (Job, error) {
	j, err := s.find(ctx, actor, id)
	if err != nil || j.State.Ended() {
		return j, err
	}
	open, err := s.Jobs.Open(ctx)
	if err != nil {
		return Job{}, err
	}
	mean := time.Duration(0)
	if n := j.Count.Done + j.Count.Failed; n > 0 {
		mean = j.Worked / time.Duration(n)
	} else if mean, err = s.Jobs.Mean(ctx); err != nil {
		return Job{}, err
	}
	j.Forecast = foresee(open, id, mean, s.Now().UTC())
	return j, nil
}

// find returns a job that the actor may see.
func (s *Service) find(ctx context.Context, actor account.Actor, id string) (Job, error) {
	j, err := s.Jobs.ByID(ctx, id)
	if err == nil && !actor.MayActFor(j.User.ID) {
		err = ErrNotFound
	}
	if err != nil {
		return Job{}, err
	}
	return j, nil
}

// MaySee returns NotFound if the actor may not see a job.
func (s *Service) MaySee(ctx context.Context, actor account.Actor, id string) error {
	_, err := s.find(ctx, actor, id)
	return err
}

// List returns jobs of the actor without their requests, newest first, at most MaxSize; if before is not empty, only those before it.
func (s *Service) List(ctx context.Context, actor account.Actor, before string, size int) ([]Job, error) {
	return s.Jobs.List(ctx, actor.UserID, before, min(size, MaxSize))
}

// Items returns items of a job by descending number, at most MaxSize; if before is not 0, only those before it, and if state is not
// empty, only those in that state. NotFound.
func (s *Service) Items(ctx context.Context, actor account.Actor, id string, state State, before, size int) ([]Item, error) {
	if _, err := s.find(ctx, actor, id); err != nil {
		return nil, err
	}
	return s.Jobs.Items(ctx, id, state, before, min(size, MaxSize))
}

// Changes returns the current job, without its request and the name of its user, and the items that changed after that number, in the
// order of their changes, at most MaxSize. It reads the job first, so that there is nothing more to come once the job has finished and
// no items are returned. NotFound.
func (s *Service) Changes(ctx context.Context, actor account.Actor, id string, after int64) (Job, []Item, error) {
	j, err := s.find(ctx, actor, id)
	if err != nil || j.Seq <= after {
		return j, nil, err
	}
	items, err := s.Jobs.Changes(ctx, id, after, MaxSize)
	return j, items, err
}

// Cancel cancels all items that have not started; running items still end. A job that has ended does not change. NotFound.
func (s *Service) Cancel(ctx context.Context, actor account.Actor, id string) error {
	if _, err := s.find(ctx, actor, id); err != nil {
		return err
	}
	return s.Jobs.Cancel(ctx, id, s.Now())
}

// Retry queues failed and cancelled items again. NotFound; Conflict if there are none; TooMany if the user of the job would exceed a
// limit.
func (s *Service) Retry(ctx context.Context, actor account.Actor, id string) (Job, error) {
	j, err := s.find(ctx, actor, id)
	if err != nil {
		return Job{}, err
	}
	if err := s.admit(ctx, j.User.ID, j.Count.Failed+j.Count.Cancelled); err != nil {
		return Job{}, err
	}
	n, err := s.Jobs.Retry(ctx, id, s.Limits.Defaults(), s.Now())
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "nothing_to_retry", "No item of the job has failed or was cancelled.")
	}
	if err != nil {
		return Job{}, err
	}
	s.wake()
	return s.Job(ctx, actor, id)
}

// Dead returns the items that were given up after MaxTries, newest job first. For administrators.
func (s *Service) Dead(ctx context.Context, actor account.Actor, before string, size int) ([]Item, error) {
	if err := actor.MustBeAdmin(); err != nil {
		return nil, err
	}
	return s.Jobs.Dead(ctx, before, min(size, MaxSize))
}

// Replay queues a dead item again. For administrators. NotFound.
func (s *Service) Replay(ctx context.Context, actor account.Actor, itemID string) error {
	if err := actor.MustBeAdmin(); err != nil {
		return err
	}
	if err := s.Jobs.Replay(ctx, itemID); err != nil {
		return err
	}
	s.wake()
	return nil
}

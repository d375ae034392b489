package recognition

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/sweep"
)

// Service has the operations on runs and contents. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Images   *document.Service
	Users    account.Users
	Engine   Engine
	Runs     Runs
	Contents Contents
	Index    Index // nil: nothing is found, and nobody follows what happens
	Feed     Feed  // of those who follow an image; not nil where Index is not
	Exporter Exporter

	UserSettings UserSettings

	Timeout    time.Duration // of one recognition, waiting included; 0: as the context says
	Effort     Effort        // of requests that do not say; empty: EffortAccurate
	MaxRegions int           // of one request; 0: MaxRegions
	MaxWords   int           // words and contents in what is returned, which ends behind maxBatch contents; 0: a million
	Now        func() time.Time
}

// Limits of what is got at once.
const (
	MaxRuns  = 100 // of a list
	maxBatch = 100 // contents that are got in one round trip
)

// Recognize reads regions of an image, or the whole image, and stores the result as its next version, which is durable when it is
// returned. Regions that could not be read have an Error; if none could be read, the call fails. If the request names a version to add
// to, the contents become part of that version, and contents that are read again get a new revision; the returned run has only the
// contents that were read.
//
// NotFound; Invalid, naming the region; otherwise the faults of the Engine. When adding to a version also Forbidden,
// ErrVersionNotNewest, ErrVersionFull, and ErrContentChanged if somebody corrected a content while it was read again.
//
// A request of an item of a job makes one run, however often it is made, and has no time limit but that of the context. If contents are
// read again, a claim of the request is that of a request in parts, since another step adds the other contents.
func (s *Service) Recognize(ctx context.Context, actor account.Actor, imageID int64, request Request) (Run, error) {
	image, err := s.Images.Rendered(ctx, actor, imageID)
	if err != nil {
		return Run{}, err
	}
	if request.Item != "" {
		run, err := s.Runs.ByItem(ctx, request.Item)
		if !fault.Is(err, fault.NotFound) {
			return run, err
		}
	}
	tasks, request, err := s.plan(ctx, image, request)
	if err != nil {
		return Run{}, err
	}
	var to addition
	if request.Into != 0 {
		if to, err = s.addTo(ctx, actor, image, request); err != nil {
			return Run{}, err
		}
	}
	readings, err := s.read(ctx, Order{Page: image.Page(), Tasks: tasks, UserID: actor.UserID, Batch: request.Item != ""})
	if err != nil {
		return Run{}, err
	}
	if request.Into != 0 {
		return s.add(ctx, actor, to, request, tasks, readings)
	}
	run := Run{ImageID: imageID, User: account.Ref{ID: actor.UserID, Name: actor.Name}, Created: s.Now().UTC().Truncate(time.Microsecond),
		Lang: request.Lang, Shape: request.Shape, Mode: request.Mode, Rotation: image.Rotation, Item: request.Item}
	ids := newContentIDs(len(readings))
	for i, reading := range readings {
		c := Content{ID: ids[i], ROI: tasks[i].Box, Name: tasks[i].Name, Asked: request.asked(i), Reading: reading, Revision: 1}
		run.Contents, run.ContentIDs = append(run.Contents, c), append(run.ContentIDs, c.ID)
	}
	run.Engine = Engines("", readings...)
	run.Note = request.Once.Note(once.Effect{Image: imageID, Page: image.Number})
	if !request.Once.Part { // of pages the answer has versions only
		run.Note.Contents = run.ContentIDs
	}
	var stored Run
	err = s.announced(ctx, imageID, func() (changed, error) {
		stored, err = s.store(ctx, run)
		return changed{stored.Contents, []Event{{Version: stored.Version}}}, err
	})
	return stored, err
}

// plan turns a request into tasks, or says what is wrong with it.
func (s *Service) plan(ctx context.Context, image document.Image, request Request) ([]Task, Request, error) {
	if err := request.CheckCount(s.MaxRegions); err != nil {
		return nil, request, err
	}
	request.Effort = cmp.Or(request.Effort, s.Effort)
	request = request.complete()
	tasks, err := request.Tasks(ctx, image, s.Engine)
	return tasks, request, err
}

// Engines appends the names of the engines of readings to names, each once, in the order of the readings.
func Engines(known string, readings ...Reading) string {
	var names []string
	for _, r := range append([]Reading{{Engine: known}}, readings...) {
		for name := range strings.SplitSeq(r.Engine, ", ") {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, ", ")
}

func (s *Service) read(ctx context.Context, o Order) ([]Reading, error) {
	if s.Timeout > 0 && !o.Batch {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Timeout)
		defer cancel()
	}
	readings, err := s.Engine.Recognize(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, r := range readings {
		if r.Error == nil {
			return readings, nil
		}
	}
	first := readings[0].Error
	if first.Code == CodeDeadline {
		return nil, fault.New(fault.Deadline, first.Code, "No region could be read in time.")
	}
	if first.Code == CodeNoText {
		return nil, fault.New(fault.Invalid, first.Code, "No region could be read: %s", first.Detail).
			On("source", "auto or ocr, where the file has no text layer that can be trusted")
	}
	return nil, fault.New(fault.Unavailable, first.Code, "No region could be read: %s", first.Detail)
}

var errTooLate = fault.New(fault.Deadline, "deadline_exceeded", "The result was not stored in time.")

// The codes of a Failure.
const (
	CodeDeadline = "region_deadline" // the region took too long
	CodeCrashed  = "engine_crashed"  // the engine died of the region
	CodeFailed   = "engine_failed"   // the engine gave the region up
	CodeNoText   = "no_text_layer"   // the file has no text there that can be trusted
)

// store writes the contents first and the run last, so that there is no run without contents.
func (s *Service) store(ctx context.Context, run Run) (Run, error) {
	begun := s.Now()
	if err := s.Contents.Add(ctx, run.Contents); err != nil {
		return Run{}, err
	}
	if sweep.TooLate(begun, s.Now()) {
		return Run{}, errors.Join(errTooLate, s.Contents.Delete(context.WithoutCancel(ctx), run.ContentIDs))
	}
	stored, err := s.Runs.Append(ctx, run)
	if fault.Is(err, fault.NotFound) || errors.Is(err, once.ErrLost) { // the image was deleted meanwhile, or another node makes the run
		return Run{}, errors.Join(err, s.Contents.Delete(context.WithoutCancel(ctx), run.ContentIDs))
	}
	if errors.Is(err, ErrItemRead) { // another node was faster with the same item
		first, failure := s.Runs.ByItem(ctx, run.Item)
		return first, errors.Join(failure, s.Contents.Delete(context.WithoutCancel(ctx), run.ContentIDs))
	}
	if err != nil {
		return Run{}, err // the row may have been added, so its contents stay; the sweeper removes them if not
	}
	stored.Contents = run.Contents
	for i, c := range stored.Contents {
		stored.Contents[i] = stamp(c, stored)
	}
	return stored, nil
}

// stamp fills in the fields of a content that follow from its run.
func stamp(c Content, r Run) Content {
	c.Version, c.Created = r.Version, r.Created
	return c
}

// onPage returns a stored content of a run as it stands on the page of the image, which may have been turned since.
func onPage(c Content, r Run, image document.Image) Content {
	return stamp(c.turned(r.Rotation, image), r)
}

// Prepared returns, as PNG, exactly what the engine reads for a region. NotFound; Invalid as with Recognize.
func (s *Service) Prepared(ctx context.Context, actor account.Actor, imageID int64, region Region) (document.Rendition, error) {
	image, err := s.Images.Rendered(ctx, actor, imageID)
	if err != nil {
		return document.Rendition{}, err
	}
	tasks, _, err := s.plan(ctx, image, Request{Regions: []Region{region}, Mode: BestMode})
	if err != nil {
		return document.Rendition{}, withoutIndex(err)
	}
	return s.Engine.Prepared(ctx, Order{Page: image.Page(), Tasks: tasks, UserID: actor.UserID})
}

// Layout suggests regions where an image has text, in reading order. NotFound; Invalid for the level; otherwise the faults of the
// Engine.
func (s *Service) Layout(ctx context.Context, actor account.Actor, imageID int64, level Level) ([]Suggestion, error) {
	if level != LevelBlock && level != LevelLine && level != LevelWord {
		return nil, fault.InvalidFields(fault.Field{Field: "level", Detail: "block, line or word"})
	}
	image, err := s.Images.Rendered(ctx, actor, imageID)
	if err != nil {
		return nil, err
	}
	return s.Engine.Layout(ctx, image.Page(), level)
}

// withoutIndex names the fields of a lone region as such.
func withoutIndex(err error) error {
	f := *fault.Of(err)
	f.Fields = append([]fault.Field(nil), f.Fields...)
	for i := range f.Fields {
		f.Fields[i].Field = strings.TrimPrefix(f.Fields[i].Field, "regions[0].")
	}
	return &f
}

// List returns the runs of an image with their contents, newest first: at most MaxRuns, and fewer if they have more than MaxWords. If
// before is not 0, it returns only versions below it. NotFound for the image; TooLarge if the first run alone has more words.
func (s *Service) List(ctx context.Context, actor account.Actor, imageID int64, before int) ([]Run, error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return nil, err
	}
	runs, err := s.Runs.List(ctx, imageID, before, MaxRuns)
	if err != nil {
		return nil, err
	}
	whole, err := s.fill(ctx, image, runs)
	return runs[:whole], err
}

// Progress returns, for each of up to 200 images that the caller may see, how many pages have been read and how far their newest runs
// are proofread. With whole, it includes the later pages of the document whose first page the image is. An image is missing in
// proofread while the index still has to count some of its pages.
func (s *Service) Progress(ctx context.Context, images []document.Image, whole bool) (read map[int64]int, proofread map[int64]Proofread,
	err error) {
	ids := make([]int64, len(images))
	for n, i := range images {
		ids[n] = i.ID
	}
	if read, err = s.Runs.PagesRead(ctx, ids, whole); err != nil || s.Index == nil {
		return read, nil, err
	}
	counted, err := s.Index.Proofread(ctx, ids, whole)
	proofread = map[int64]Proofread{}
	for _, id := range ids {
		if p := counted[id]; p.Pages == read[id] {
			proofread[id] = p
		}
	}
	return read, proofread, err
}

// Version returns one run of an image with its contents. NotFound; TooLarge if it has more than MaxWords.
func (s *Service) Version(ctx context.Context, actor account.Actor, imageID int64, version int) (Run, error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return Run{}, err
	}
	return s.version(ctx, image, version)
}

// Again returns a run with the contents that a request has read, in their order and current revision, without deleted ones. NotFound.
func (s *Service) Again(ctx context.Context, actor account.Actor, made once.Effect) (Run, error) {
	run, err := s.Version(ctx, actor, made.Image, made.Version)
	if err != nil {
		return Run{}, err
	}
	places := make(map[string]int, len(made.Contents))
	for n, id := range made.Contents {
		places[id] = n
	}
	run.Contents = slices.DeleteFunc(run.Contents, func(c Content) bool { _, read := places[c.ID]; return !read })
	slices.SortFunc(run.Contents, func(a, b Content) int { return cmp.Compare(places[a.ID], places[b.ID]) })
	return run, nil
}

// version is for actors who may see the image.
func (s *Service) version(ctx context.Context, image document.Image, version int) (Run, error) {
	run, err := s.Runs.ByVersion(ctx, image.ID, version)
	if err != nil {
		return Run{}, err
	}
	runs := []Run{run}
	_, err = s.fill(ctx, image, runs)
	return runs[0], err
}

// fill gets the contents of runs of an image, until there are MaxWords. It returns how many runs are complete; TooLarge where none is.
func (s *Service) fill(ctx context.Context, image document.Image, runs []Run) (complete int, err error) {
	var ids []string
	var runOf []int // for each ID
	for i, r := range runs {
		ids = append(ids, r.ContentIDs...)
		runOf = append(runOf, slices.Repeat([]int{i}, len(r.ContentIDs))...)
	}
	words, most := 0, cmp.Or(s.MaxWords, 1_000_000)
	for from := 0; from < len(ids); from += maxBatch {
		if words > most {
			if complete = runOf[from]; complete == 0 {
				err = fault.New(fault.TooLarge, "too_many_words",
					"The run has more than %d regions and words. Its contents can be had one by one.", most)
			}
			return complete, err
		}
		batch := ids[from:min(from+maxBatch, len(ids))]
		contents, err := s.Contents.Get(ctx, batch)
		if err != nil {
			return 0, err
		}
		if err := s.nameEditors(ctx, contents); err != nil {
			return 0, err
		}
		for i, id := range batch {
			if len(contents) > 0 && contents[0].ID == id { // otherwise it was deleted meanwhile
				run := &runs[runOf[from+i]]
				run.Contents = append(run.Contents, onPage(contents[0], *run, image))
				words += 1 + len(contents[0].Words) // a content takes room without words, too
				contents = contents[1:]
			}
		}
	}
	return len(runs), nil
}

// nameEditors looks up the names of those who corrected.
func (s *Service) nameEditors(ctx context.Context, contents []Content) error {
	names := map[int64]string{0: ""}
	for i := range contents {
		for _, by := range contents[i].people() {
			if _, ok := names[by.ID]; !ok {
				u, err := s.Users.ByID(ctx, by.ID)
				if err != nil && !fault.Is(err, fault.NotFound) {
					return err
				}
				names[by.ID] = u.Name
			}
			by.Name = names[by.ID]
		}
	}
	return nil
}

// Content returns the current revision of a content. NotFound.
func (s *Service) Content(ctx context.Context, actor account.Actor, id string) (Content, error) {
	run, image, err := s.find(ctx, actor, id, s.Runs.ByContent)
	if err != nil {
		return Content{}, err
	}
	return s.current(ctx, run, image, id)
}

// find returns the run and the image of a content that the actor may see.
func (s *Service) find(ctx context.Context, actor account.Actor, id string, by byContent) (Run, document.Image, error) {
	run, err := by(ctx, id)
	if err != nil {
		return Run{}, document.Image{}, err
	}
	image, err := s.Images.Image(ctx, actor, run.ImageID)
	if fault.Is(err, fault.NotFound) {
		return Run{}, document.Image{}, ErrContentNotFound
	}
	return run, image, err
}

func (s *Service) current(ctx context.Context, run Run, image document.Image, id string) (Content, error) {
	contents, err := s.Contents.Get(ctx, []string{id})
	if err != nil {
		return Content{}, err
	}
	if len(contents) == 0 {
		return Content{}, ErrContentNotFound
	}
	if err := s.nameEditors(ctx, contents); err != nil {
		return Content{}, err
	}
	return onPage(contents[0], run, image), nil
}

// Correct adds a revision to a content and returns it. It restores a deleted content if the correction says so. The user who started
// the run, the owner of the image and administrators may do so. NotFound, also if the content was deleted meanwhile; Forbidden; Invalid;
// Stale if the condition does not hold.
func (s *Service) Correct(ctx context.Context, actor account.Actor, id string, change Correction) (Content, error) {
	run, image, err := s.findToChange(ctx, actor, id, s.Runs.ByContent)
	deleted := change.Restore && fault.Is(err, fault.NotFound)
	if deleted {
		run, image, err = s.findToChange(ctx, actor, id, s.Runs.ByDeleted)
	}
	if err != nil {
		return Content{}, err
	}
	if err := change.check(image); err != nil {
		return Content{}, err
	}
	c, err := s.correct(ctx, actor, run, image, id, change)
	switch {
	case err != nil:
	case deleted:
		err = s.restore(ctx, image.ID, c)
	case change.revises():
		_, err = s.Runs.ByContent(ctx, id) // see revise
	}
	return c, err
}

// restore takes the mark from a content that is marked as deleted. NotFound.
func (s *Service) restore(ctx context.Context, imageID int64, c Content) error {
	err := s.announced(ctx, imageID, func() (changed, error) {
		return changed{[]Content{c}, happened(c)}, s.Runs.Restore(ctx, c.ID)
	})
	if fault.Is(err, fault.NotFound) { // somebody else restored it
		if _, there := s.Runs.ByContent(ctx, c.ID); there == nil {
			return nil
		}
	}
	return err
}

// correct adds the revision, if the correction makes one.
func (s *Service) correct(ctx context.Context, actor account.Actor, run Run, image document.Image, id string,
	change Correction) (Content, error) {
	for {
		c, err := s.current(ctx, run, image, id)
		if err != nil {
			return Content{}, err
		}
		if err := change.If.check(c); err != nil {
			return Content{}, err
		}
		if !change.revises() {
			return c, nil
		}
		read := c
		if change.edits() && c.EditedBy.ID != 0 {
			if read, err = s.asRead(ctx, run, image, id); err != nil {
				return Content{}, err
			}
		}
		next, err := c.correct(actor, change, read, s.Now().UTC().Truncate(time.Microsecond))
		if err != nil {
			return Content{}, err
		}
		err = s.revise(ctx, actor, image, run, &next)
		if err == nil {
			return next, nil
		}
		if !fault.Is(err, fault.Conflict) { // conflict: another revision was faster, so look again
			return Content{}, err
		}
	}
}

// asRead returns the last revision of a content that nobody has edited, or the zero Content. NotFound.
func (s *Service) asRead(ctx context.Context, run Run, image document.Image, id string) (Content, error) {
	revisions, err := s.Contents.Revisions(ctx, id)
	for _, c := range slices.Backward(revisions) {
		if c.EditedBy.ID == 0 {
			return onPage(c, run, image), nil
		}
	}
	return Content{}, err
}

// revise stores the next revision of a content, which is given as it stands on the page of the image. All revisions but first ones go
// through here.
// ErrContentChanged where another one was faster; NotFound. The caller then looks whether the content was deleted meanwhile: who deletes it
// looks at the revision once it is marked; whoever is not seen by that sees the mark.
func (s *Service) revise(ctx context.Context, actor account.Actor, image document.Image, run Run, next *Content) error {
	next.RevisedBy = account.Ref{ID: actor.UserID, Name: actor.Name}
	next.Version = run.Version
	return s.announced(ctx, image.ID, func() (changed, error) {
		return changed{[]Content{*next}, happened(*next)},
			s.Contents.Revise(ctx, next.turned(image.Rotation, image.TurnedTo(run.Rotation)))
	})
}

// byContent is a way to find the run that has a content.
type byContent func(ctx context.Context, id string) (Run, error)

func (s *Service) findToChange(ctx context.Context, actor account.Actor, id string, by byContent) (Run, document.Image, error) {
	run, image, err := s.find(ctx, actor, id, by)
	if err != nil {
		return run, image, err
	}
	if run.User.ID != actor.UserID && !actor.MayActFor(image.Owner.ID) {
		return run, image, fault.New(fault.Forbidden, "runner_or_owner_only",
			"Only the user who ran this version, the owner of the image or an administrator may do this.")
	}
	return run, image, nil
}

// Revisions returns all revisions of a content, oldest first. NotFound.
func (s *Service) Revisions(ctx context.Context, actor account.Actor, id string) ([]Content, error) {
	run, image, err := s.find(ctx, actor, id, s.Runs.ByContent)
	if err != nil {
		return nil, err
	}
	revisions, err := s.Contents.Revisions(ctx, id)
	if err != nil {
		return nil, err
	}
	for i := range revisions {
		revisions[i] = onPage(revisions[i], run, image)
	}
	return revisions, s.nameEditors(ctx, revisions)
}

// KeepDeleted is how long a deleted content can be restored.
const KeepDeleted = 7 * 24 * time.Hour

// Delete marks a content as deleted. Only Correct can still use it, to restore it within KeepDeleted. Permissions are those of Correct.
// NotFound; Forbidden; Stale if the condition does not hold.
func (s *Service) Delete(ctx context.Context, actor account.Actor, id string, condition ContentCondition) error {
	run, image, err := s.findToChange(ctx, actor, id, s.Runs.ByContent)
	if err != nil {
		return err
	}
	return s.markDeleted(ctx, run, image, id, condition)
}

// markDeleted marks a content as deleted. The row of the mark and the revisions are in two stores, so the condition is looked at again once
// nobody finds the content to correct it. Where it does not hold any more the mark is taken back.
func (s *Service) markDeleted(ctx context.Context, run Run, image document.Image, id string, condition ContentCondition) error {
	if _, err := s.ifHolds(ctx, run, image, id, condition); err != nil {
		return err
	}
	err := s.announced(ctx, run.ImageID, func() (changed, error) {
		return gone(run, id), s.Runs.MarkDeleted(ctx, id, s.Now().UTC().Truncate(time.Microsecond))
	})
	if err != nil {
		return err
	}
	c, err := s.ifHolds(ctx, run, image, id, condition)
	if fault.Is(err, fault.Stale) {
		return errors.Join(err, s.restore(context.WithoutCancel(ctx), run.ImageID, c))
	}
	return err
}

// Deleted returns a part of the contents of an image that the actor can restore, with the time when each was marked as deleted, the last
// one first, and how many there are in all: those of runs that the actor may change. Only for them there is a text that was deleted.
// NotFound for the image.
func (s *Service) Deleted(ctx context.Context, actor account.Actor, imageID int64, page account.Page) ([]Content, int, error) {
	image, err := s.Images.Image(ctx, actor, imageID)
	if err != nil {
		return nil, 0, err
	}
	of := actor.UserID
	if actor.MayActFor(image.Owner.ID) {
		of = 0
	}
	deleted, total, err := s.Runs.DeletedOf(ctx, imageID, of, s.Now().Add(-KeepDeleted), page)
	if err != nil {
		return nil, 0, err
	}
	ids, by := make([]string, len(deleted)), make(map[string]Deleted, len(deleted))
	for i, d := range deleted {
		ids[i], by[d.ContentID] = d.ContentID, d
	}
	contents, err := s.Contents.Get(ctx, ids) // without those that were removed meanwhile
	if err != nil {
		return nil, 0, err
	}
	for i, c := range contents {
		contents[i] = onPage(c, by[c.ID].Run, image)
		contents[i].Deleted = by[c.ID].At
	}
	return contents, total, s.nameEditors(ctx, contents)
}

// ifHolds returns the content that a condition was looked at for. Stale, with the content, where it does not hold.
func (s *Service) ifHolds(ctx context.Context, run Run, image document.Image, id string, condition ContentCondition) (Content, error) {
	if condition == nil {
		return Content{}, nil
	}
	c, err := s.current(ctx, run, image, id)
	if err != nil {
		return c, err
	}
	return c, condition.check(c)
}

// Purge permanently removes a content from its run, row first, even if it is marked as deleted. Permissions are those of Correct.
// NotFound; Forbidden; Stale if the condition does not hold.
func (s *Service) Purge(ctx context.Context, actor account.Actor, id string, condition ContentCondition) error {
	run, image, err := s.findToChange(ctx, actor, id, s.Runs.ByContent)
	switch {
	case fault.Is(err, fault.NotFound):
		if run, image, err = s.findToChange(ctx, actor, id, s.Runs.ByDeleted); err == nil {
			_, err = s.ifHolds(ctx, run, image, id, condition)
		}
	case err == nil && condition != nil: // nobody may correct it between the look and the removal
		err = s.markDeleted(ctx, run, image, id, condition)
	}
	if err != nil {
		return err
	}
	err = s.announced(ctx, run.ImageID, func() (changed, error) { return gone(run, id), s.Runs.RemoveContent(ctx, id) })
	if err != nil {
		return err
	}
	// It is gone for everybody now. A document that stays is an orphan, for the sweeper.
	_ = s.Contents.Delete(context.WithoutCancel(ctx), []string{id})
	return nil
}

// gone is the change that takes a content away.
func gone(run Run, id string) changed {
	return changed{events: []Event{{Version: run.Version, ContentID: id, Deleted: true}}}
}

// DeletedKind is the kind of deleted contents that can no longer be restored, for a sweeper to remove, rows first.
func DeletedKind(runs Runs, contents Contents, now func() time.Time) sweep.Kind {
	return sweep.Kind{Name: "deleted contents", Age: KeepDeleted, Old: runs.Deleted, Delete: func(ctx context.Context, ids []string) error {
		removed, err := runs.RemoveDeleted(ctx, ids, now().Add(-KeepDeleted)) // some may have been brought back meanwhile
		return errors.Join(err, contents.Delete(ctx, removed))
	}}
}

// Modes returns the modes of the engine, with descriptions.
func (s *Service) Modes() map[Mode]string { return s.Engine.Modes() }

// Languages returns the codes of the installed languages, sorted.
func (s *Service) Languages(ctx context.Context) ([]string, error) {
	return s.Engine.Languages(ctx)
}

// Release returns how to discard the contents of images that are being deleted.
func (s *Service) Release(ctx context.Context, imageIDs ...int64) (func(context.Context) error, error) {
	var ids []string
	for _, imageID := range imageIDs {
		more, err := s.Runs.ContentIDs(ctx, imageID)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	return func(ctx context.Context) error { return s.Contents.Delete(ctx, ids) }, nil
}

var _ document.Dependents = (*Service)(nil)

// newContentIDs returns the IDs of a run's contents: 128 random bits as lower-case letters and digits, a hyphen, and a number of
// five digits, which were three once. A store in the order of IDs has them side by side, in the order of the regions.
func newContentIDs(n int) []string {
	run, ids := strings.ToLower(rand.Text()), make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%05d", run, i+1)
	}
	return ids
}

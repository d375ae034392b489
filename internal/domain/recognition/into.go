package recognition

import (
	"context"
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

// addition is a version that a request adds to, as it was when the request came.
type addition struct {
	image document.Image
	run   Run
	again []Content // for each region the content that is read again; one without an ID where the region is new
}

// mayAdd tells whether the actor may add to a run.
func mayAdd(actor account.Actor, run Run, newest int) error {
	if run.User.ID != actor.UserID {
		return fault.New(fault.Forbidden, "version_of_another", "Only the user who ran a version may add to it.")
	}
	if run.Version != newest {
		return ErrVersionNotNewest
	}
	return nil
}

// addTo finds what a request adds to, and refuses what would be refused after it was read. NotFound; Forbidden; ErrVersionNotNewest.
func (s *Service) addTo(ctx context.Context, actor account.Actor, image document.Image, request Request) (addition, error) {
	run, err := s.Runs.ByVersion(ctx, image.ID, request.Into)
	if err != nil {
		return addition{}, err
	}
	newest, err := s.Runs.List(ctx, image.ID, 0, 1)
	if err != nil {
		return addition{}, err
	}
	if len(newest) > 0 {
		if err := mayAdd(actor, run, newest[0].Version); err != nil {
			return addition{}, err
		}
	}
	to := addition{image: image, run: run, again: make([]Content, max(len(request.Regions), 1))}
	for i, region := range request.Regions {
		if region.Content == "" {
			continue
		}
		if !slices.Contains(run.ContentIDs, region.Content) {
			return addition{}, ErrContentNotFound.On(fmt.Sprintf("regions[%d].content", i),
				fmt.Sprintf("a content of version %d", run.Version))
		}
		if to.again[i], err = s.current(ctx, run, image, region.Content); err != nil {
			return addition{}, err
		}
	}
	return to, nil
}

// add stores what was read into a version: new contents before their rows, and revisions of contents that were read again last, so that a
// crash leaves orphans for the sweeper, or a version with some of the contents, none of which was answered.
func (s *Service) add(ctx context.Context, actor account.Actor, to addition, request Request, tasks []Task, readings []Reading) (Run,
	error) {
	begun, claim := s.Now(), request.Once
	ids, contents := newContentIDs(len(readings)), make([]Content, len(readings))
	var added []Content
	var addedIDs, allIDs []string
	for i, reading := range readings {
		c := Content{ID: ids[i], ROI: tasks[i].Box, Name: tasks[i].Name, Asked: request.asked(i), Reading: reading, Revision: 1}
		if again := to.again[i]; again.ID != "" {
			c.ID = again.ID
		} else {
			added, addedIDs = append(added, to.stored(c)), append(addedIDs, c.ID)
		}
		contents[i], allIDs = c, append(allIDs, c.ID)
	}
	if len(claim.Made) > 0 {
		return s.finish(ctx, actor, to, contents, to.run, claim.Made[0].Contents)
	}
	if err := s.stillAsRead(ctx, to); err != nil {
		return Run{}, err
	}
	if len(added) > 0 {
		if err := s.Contents.Add(ctx, added); err != nil {
			return Run{}, err
		}
	}
	takeBack := func(err error) error {
		return errors.Join(err, s.Contents.Delete(context.WithoutCancel(ctx), addedIDs))
	}
	if sweep.TooLate(begun, s.Now()) {
		return Run{}, takeBack(errTooLate)
	}
	var stored Run
	err := s.announced(ctx, to.image.ID, func() (_ changed, err error) {
		stored, err = s.Runs.Extend(ctx, to.run.ImageID, to.run.Version, s.Now().UTC().Truncate(time.Microsecond),
			func(r *Run, newest int) error {
				if err := mayAdd(actor, *r, newest); err != nil {
					return err
				}
				if len(r.ContentIDs)+len(addedIDs) > MostRegions {
					return ErrVersionFull
				}
				r.ContentIDs, r.Engine = append(r.ContentIDs, addedIDs...), Engines(r.Engine, readings...)
				r.Note = claim.Note(once.Effect{Image: to.image.ID, Contents: allIDs})
				return nil
			})
		return changed{added, addedEvents(stored, added)}, err
	})
	if fault.Refused(err) { // nothing names the contents, nor ever will
		return Run{}, takeBack(err)
	}
	if err != nil {
		return Run{}, err // the rows may have been added, so the contents stay; the sweeper removes them if not
	}
	return s.finish(ctx, actor, to, contents, stored, nil)
}

// finish stores new readings of existing contents, after the new contents are part of the run. If an earlier request broke off after it had
// added them, these are its contents.
func (s *Service) finish(ctx context.Context, actor account.Actor, to addition, contents []Content, run Run, others []string) (_ Run,
	err error) {
	for i, again := range to.again {
		switch {
		case again.ID != "":
			contents[i], err = s.readAgain(ctx, actor, to, again, contents[i])
		case i < len(others):
			contents[i], err = s.current(ctx, run, to.image, others[i])
		}
		if err != nil {
			return Run{}, onRegion(err, i)
		}
		contents[i] = stamp(contents[i], run)
	}
	run.Contents = contents
	return run, nil
}

// addedEvents are those of contents that were added to a run: each of a few, or one of the run.
func addedEvents(r Run, added []Content) []Event {
	const few = 20
	if len(added) > few {
		return []Event{{Version: r.Version}}
	}
	events := happened(added...)
	for i := range events {
		events[i].Version = r.Version
	}
	return events
}

// stored is a content in the coordinates in which its run is stored.
func (a addition) stored(c Content) Content {
	return c.turned(a.image.Rotation, a.image.TurnedTo(a.run.Rotation))
}

// stillAsRead returns ErrContentChanged where a content that is read again was corrected meanwhile.
func (s *Service) stillAsRead(ctx context.Context, to addition) error {
	for i, was := range to.again {
		if was.ID == "" {
			continue
		}
		now, err := s.current(ctx, to.run, to.image, was.ID)
		if err == nil && !now.saysThatOf(was) {
			err = ErrContentChanged
		}
		if err != nil {
			return onRegion(err, i)
		}
	}
	return nil
}

// readAgain adds what was read of a content as its next revision. What a person wrote meanwhile stays.
func (s *Service) readAgain(ctx context.Context, actor account.Actor, to addition, was, read Content) (Content, error) {
	for {
		now, err := s.current(ctx, to.run, to.image, was.ID)
		if err != nil {
			return Content{}, err
		}
		if !now.saysThatOf(was) {
			return Content{}, ErrContentChanged
		}
		next := read
		next.Revision = now.Revision + 1
		if next.Name == "" {
			next.Name = now.Name
		}
		err = s.revise(ctx, actor, to.image, to.run, &next)
		if err == nil {
			_, err = s.Runs.ByContent(ctx, next.ID) // see revise
		}
		if err == nil || !fault.Is(err, fault.Conflict) { // a conflict: somebody was faster, so look again
			return next, err
		}
	}
}

// onRegion names the region whose content a fault is about.
func onRegion(err error, i int) error {
	if f := fault.Of(err); f.Kind == fault.NotFound || f.Kind == fault.Conflict {
		return f.On(fmt.Sprintf("regions[%d].content", i), strings.TrimSuffix(f.Text, "."))
	}
	return err
}

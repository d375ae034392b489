package recognition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/sweep"
)

// Announcement says that contents of an image may be about to change, or have changed.
type Announcement struct {
	ID      int64 // later ones have greater ones
	ImageID int64
	At      time.Time
}

// Lookup is a query of an index.
type Lookup struct {
	Sought
	Viewer int64 // only what this user may see; 0: everything
	Before int64 // only entries with a smaller ID; 0: all
	Limit  int   // entries, at least 1
}

// Entry is the entry of a content, or of the name of an image, in an index.
type Entry struct {
	ID        int64 // what is put later has a greater one
	ImageID   int64
	ContentID string // empty for the name of an image
	Version   int    // of the run that has the content
	Rotation  int    // of that run
}

// Proofread says how far regions are proofread.
type Proofread struct {
	Pages     int // that have been counted; 0 of a content
	Regions   int
	Confirmed int // regions
	Doubtful  int // words
}

// DoubtfulBelow is the confidence below which a word is doubtful, unless the word or its region is confirmed.
const DoubtfulBelow = 0.75

// Proofread returns how far the content is proofread.
func (c Content) Proofread() Proofread {
	p := Proofread{Regions: 1}
	if c.Confirmed {
		p.Confirmed = 1
		return p
	}
	for _, w := range c.Words {
		if w.Confidence < DoubtfulBelow && !w.Confirmed {
			p.Doubtful++
		}
	}
	return p
}

// Add returns the sum of both.
func (p Proofread) Add(q Proofread) Proofread {
	return Proofread{p.Pages + q.Pages, p.Regions + q.Regions, p.Confirmed + q.Confirmed, p.Doubtful + q.Doubtful}
}

// Index finds contents by their text and the names of their regions, and images by their names. It stores no text: what it finds has
// all terms of the query, but may still not match it. Safe for concurrent use.
//
// A change of contents is announced, made, and then put into the index. If it is interrupted in between, the announcement stays, and
// Service.Reindex repairs the index.
type Index interface {
	// Announce stores an announcement, durably, and returns its ID. NotFound where the image is not there.
	Announce(ctx context.Context, imageID int64) (int64, error)

	// Clear removes all entries, and announces all images, the oldest first, as if it had been long ago. It returns how many there are.
	Clear(ctx context.Context) (images int, err error)

	// Announced returns announcements of images that are there: the oldest that are later than after, at most limit, and how many there are
	// in all.
	Announced(ctx context.Context, after int64, limit int) (announced []Announcement, all int, err error)

	// Withdraw removes announcements. Those that are not there are no error.
	Withdraw(ctx context.Context, announced ...int64) error

	// Put brings the entries of an image up to date, as one step, and removes an announcement (0: none). It puts the name of the image, and
	// those of the contents that its newest run has, unless the index has the same or a later revision. Contents that the newest run does
	// not have leave the index. It counts how far they are proofread. Whatever the order of several Puts, after the last one the index has
	// the newest of all that was given. That the image is not there is no error.
	Put(ctx context.Context, announced, imageID int64, contents []Content) error

	// Find returns entries with all terms, by ID, descending: only contents of the newest run of each image, and the names of images. next
	// is where to go on, as Before; 0 at the end. It may stop before the limit, to return what it has found in good time.
	Find(ctx context.Context, l Lookup) (entries []Entry, next int64, err error)

	// Proofread returns of each of up to 200 images how far its newest run is proofread, as Put brought it up to date, together with whole
	// those of the later pages of the document whose first page it is. Pages that were not put since they were read are not counted.
	Proofread(ctx context.Context, imageIDs []int64, whole bool) (map[int64]Proofread, error)

	// Compact makes the index smaller where there is much to gain. It may take seconds, in which entries are put and found as ever.
	Compact(ctx context.Context) error

	// Fold returns a text in the form in which texts are compared.
	Fold(text string) Folded
}

// changed says what was changed in an image.
type changed struct {
	contents []Content // for the index; none where some are gone
	events   []Event
}

// announced makes a change to contents of an image known to the index and to those who follow the image: before the change, durably, and
// after it, with what the function returns. Every run, revision and deletion goes through here. If telling them fails, the change does not:
// Reindex tells them later.
func (s *Service) announced(ctx context.Context, imageID int64, do func() (changed, error)) error {
	if s.Index == nil {
		_, err := do()
		return err
	}
	id, err := s.Index.Announce(ctx, imageID)
	if err != nil {
		return err
	}
	done, err := do()
	switch ctx := context.WithoutCancel(ctx); {
	case err == nil:
		if s.Feed.Append(ctx, imageID, done.events...) == nil {
			_ = s.Index.Put(ctx, id, imageID, done.contents)
		}
	case fault.Refused(err):
		_ = s.Index.Withdraw(ctx, id)
	}
	return err
}

// Query is a search in the contents that a user may see.
type Query struct {
	Text   string // words, each of which has to be found
	Before int64  // only what stands after the hit with this ID; 0: from the first
	Limit  int    // hits, at least 1

	Confirmed *bool // only contents that are, or are not; nil: all, and names of images
}

// wants tells whether a content is one of those that are asked for.
func (q Query) wants(c Content) bool { return q.Confirmed == nil || *q.Confirmed == c.Confirmed }

// Hit is a content, or the name of an image, that matches a search.
type Hit struct {
	ID        int64 // hits that come later in a list have smaller ones
	Image     document.Image
	Content   Content        // zero where only the name of the image has it
	Spans     []Span         // of the text
	NameSpans []Span         // of the name of the region
	OnImage   []Span         // of the name of the image, where only that has it
	Boxes     []document.Box // of the words of the text
}

const maxLookups = 20 // of one search

// Search returns contents of the newest runs of images that the actor may see, and names of such images, that contain all words of the
// query. What was read or corrected last comes first. next is the value of Before for the following hits, and 0 at the end. There may
// be fewer hits than the limit, or none, even before the end. Invalid, naming q.
func (s *Service) Search(ctx context.Context, actor account.Actor, q Query) (hits []Hit, next int64, err error) {
	sought, err := NewSought(s.Index.Fold(q.Text))
	if err != nil {
		return nil, 0, err
	}
	l := Lookup{Sought: sought, Viewer: actor.UserID, Before: q.Before}
	if actor.Admin {
		l.Viewer = 0
	}
	for range maxLookups {
		l.Limit = q.Limit - len(hits)
		entries, next, err := s.Index.Find(ctx, l)
		if err != nil {
			return nil, 0, err
		}
		found, err := s.verify(ctx, actor, q, sought, entries)
		if err != nil {
			return nil, 0, err
		}
		hits, l.Before = append(hits, found...), next
		if next == 0 || len(hits) >= q.Limit {
			break
		}
	}
	return hits, l.Before, nil
}

// verify returns those of the entries that have what is sought.
func (s *Service) verify(ctx context.Context, actor account.Actor, q Query, sought Sought, entries []Entry) (hits []Hit, err error) {
	var ids []string
	var imageIDs []int64
	for _, e := range entries {
		imageIDs = append(imageIDs, e.ImageID)
		if e.ContentID != "" {
			ids = append(ids, e.ContentID)
		}
	}
	slices.Sort(imageIDs)
	images, err := s.Images.Several(ctx, actor, slices.Compact(imageIDs)) // without those that were deleted or are shared no longer
	if err != nil {
		return nil, err
	}
	contents := map[string]Content{}
	for part := range slices.Chunk(ids, maxBatch) {
		got, err := s.Contents.Get(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, c := range got {
			contents[c.ID] = c
		}
	}
	for _, e := range entries {
		h := Hit{ID: e.ID, Image: images[e.ImageID]}
		c, there := contents[e.ContentID]
		switch {
		case h.Image.ID == 0:
		case e.ContentID == "" && q.Confirmed != nil:
		case e.ContentID == "":
			if spans, found := sought.In(s.Index.Fold(h.Image.Name)); found {
				h.OnImage = spans[0]
				hits = append(hits, h)
			}
		case there && q.wants(c):
			spans, found := sought.In(s.Index.Fold(c.Text), s.Index.Fold(c.Name))
			if !found {
				continue
			}
			h.Content = onPage(c, Run{Version: e.Version, Rotation: e.Rotation}, h.Image)
			h.Spans, h.NameSpans = spans[0], spans[1]
			h.Boxes = h.Content.boxes(h.Spans)
			hits = append(hits, h)
		}
	}
	return hits, nil
}

// boxes returns the places of the words that spans of the text are part of; that of the whole region where these are not known.
func (c Content) boxes(spans []Span) (boxes []document.Box) {
	at, text := 0, c.Text // at is in characters, where text begins
	for _, w := range c.Words {
		before, after, found := strings.Cut(text, w.Text)
		if !found || w.Text == "" {
			continue
		}
		from := at + utf8.RuneCountInString(before)
		at, text = from+utf8.RuneCountInString(w.Text), after
		if slices.ContainsFunc(spans, func(s Span) bool { return s.From < at && from < s.To }) && !w.Box.Empty() {
			boxes = append(boxes, w.Box)
		}
	}
	if len(boxes) == 0 && len(spans) > 0 {
		return []document.Box{c.ROI}
	}
	return boxes
}

// reindexedAtOnce is how many announcements are made good between two looks at what there is.
const reindexedAtOnce = 100

// mostFailures is how many images may fail before Reindex gives up.
const mostFailures = 100

// Reindex indexes what was announced but not put into the index, oldest first, and reports how many of how many announcements are done.
// An announcement stays until sweep.MinAge after it was made, since its maker may still be about to change something. A failure of one
// image does not stop the others, unless a store is unavailable; it is returned at the end. Reindex also compacts the index.
func (s *Service) Reindex(ctx context.Context, done func(n, of int)) error {
	n, of := 0, 0
	var failed []error
	for last := int64(0); ; {
		if err := s.Index.Compact(ctx); err != nil {
			return errors.Join(append(failed, err)...)
		}
		announced, left, err := s.Index.Announced(ctx, last, reindexedAtOnce)
		if err != nil || len(announced) == 0 {
			return errors.Join(append(failed, err)...)
		}
		of = cmp.Or(of, left)
		for _, a := range announced {
			err := s.reindex(ctx, a)
			if err != nil {
				failed = append(failed, fmt.Errorf("image %d: %w", a.ImageID, err))
			}
			if ctx.Err() != nil || fault.Is(err, fault.Unavailable) || len(failed) > mostFailures {
				return errors.Join(failed...)
			}
			n++
			last = a.ID
		}
		done(n, max(n, of))
	}
}

func (s *Service) reindex(ctx context.Context, a Announcement) error {
	runs, err := s.Runs.List(ctx, a.ImageID, 0, 1)
	if err != nil {
		return err
	}
	var ids []string
	if len(runs) > 0 {
		ids = runs[0].ContentIDs
	}
	for len(ids) > maxBatch {
		if err := s.putCurrent(ctx, 0, a.ImageID, ids[:maxBatch]); err != nil {
			return err
		}
		ids = ids[maxBatch:]
	}
	id := a.ID
	if s.Now().Sub(a.At) < sweep.MinAge {
		id = 0
	}
	if err := s.putCurrent(ctx, id, a.ImageID, ids); err != nil || s.Now().Sub(a.At) > forgotten {
		return err
	}
	err = s.Feed.Append(ctx, a.ImageID, Event{})
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return err
}

// forgotten is the age of an announcement from which nobody can follow the image since before it. Announcements of all images are much
// older.
const forgotten = 24 * time.Hour

func (s *Service) putCurrent(ctx context.Context, announced, imageID int64, ids []string) error {
	contents, err := s.Contents.Get(ctx, ids)
	if err != nil {
		return err
	}
	return s.Index.Put(ctx, announced, imageID, contents)
}

package porttest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// Feed is the suite of recognition.Feed.
func Feed(t *testing.T, open func(t *testing.T) Stores) {
	since := func(t *testing.T, s Stores, imageID, after int64) ([]recognition.Event, int64) {
		t.Helper()
		events, newest, err := s.Feed.Since(t.Context(), imageID, after)
		check.OK(t, "Since", err)
		return events, newest
	}

	t.Run("events of each image have numbers without a gap", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		i, other := addImage(t, s, someImage(ann, "page")), addImage(t, s, someImage(ann, "other"))
		run := recognition.Event{Version: 1}
		content := recognition.Event{Version: 1, ContentID: contentID(1), Revision: 3}
		deleted := recognition.Event{Version: 1, ContentID: contentID(2), Deleted: true}
		check.OK(t, "Append", s.Feed.Append(t.Context(), i.ID, run))
		check.OK(t, "Append", s.Feed.Append(t.Context(), i.ID, content, deleted))
		check.OK(t, "Append", s.Feed.Append(t.Context(), other.ID, run))
		check.OK(t, "Append of none", s.Feed.Append(t.Context(), i.ID))
		run.Seq, content.Seq, deleted.Seq = 1, 2, 3
		all := []recognition.Event{run, content, deleted}
		for after := range 4 {
			events, newest := since(t, s, i.ID, int64(after))
			same(t, fmt.Sprint("after ", after), events, all[after:])
			same(t, "newest", newest, int64(3))
		}
		events, newest := since(t, s, other.ID, 0)
		same(t, "of the other image", events, []recognition.Event{run})
		same(t, "newest of the other image", newest, int64(1))
	})

	t.Run("what is not kept is one event", func(t *testing.T) {
		s := open(t)
		i := addImage(t, s, someImage(addUser(t, s, "ann"), "page"))
		const more, newest = 5, recognition.KeptEvents + 5
		for n := range more {
			check.OK(t, "Append", s.Feed.Append(t.Context(), i.ID, recognition.Event{Version: n + 1}))
		}
		check.OK(t, "Append", s.Feed.Append(t.Context(), i.ID, slices.Repeat([]recognition.Event{{Version: 9}}, recognition.KeptEvents)...))
		for _, after := range []int64{0, more - 1, newest + 1, -1} {
			events, n := since(t, s, i.ID, after)
			same(t, fmt.Sprint("after ", after), events, []recognition.Event{{Seq: newest}})
			same(t, "newest", n, int64(newest))
		}
		events, _ := since(t, s, i.ID, more)
		if len(events) != recognition.KeptEvents || events[0] != (recognition.Event{Seq: more + 1, Version: 9}) {
			t.Errorf("got %d events from %+v on", len(events), events[0])
		}
		check.OK(t, "Append of more than are kept",
			s.Feed.Append(t.Context(), i.ID, slices.Repeat([]recognition.Event{{Version: 1}}, recognition.KeptEvents+1)...))
		events, n := since(t, s, i.ID, newest+1)
		same(t, "newest", n, int64(newest+recognition.KeptEvents+1))
		same(t, "events that are kept", len(events), recognition.KeptEvents)
	})

	t.Run("events at once are all there", func(t *testing.T) {
		s := open(t)
		i := addImage(t, s, someImage(addUser(t, s, "ann"), "page"))
		allOK(t, "Append", race(racers, func(n int) error {
			return s.Feed.Append(t.Context(), i.ID, recognition.Event{Version: n + 1}, recognition.Event{Version: n + 1})
		}))
		events, _ := since(t, s, i.ID, 0)
		versions := map[int]int{}
		for n, e := range events {
			same(t, "number", e.Seq, int64(n+1))
			versions[e.Version]++
		}
		same(t, "events", len(events), 2*racers)
		same(t, "versions", len(versions), racers)
	})

	t.Run("NotFound", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		i := addImage(t, s, someImage(ann, "page"))
		check.OK(t, "Append", s.Feed.Append(t.Context(), i.ID, recognition.Event{Version: 1}))
		check.OK(t, "Stay", s.Feed.Stay(t.Context(), "w", i.ID, ann.ID, moment(5)))
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), i.ID))
		check.Kind(t, "Append", s.Feed.Append(t.Context(), i.ID, recognition.Event{Version: 1}), fault.NotFound)
		check.Kind(t, "Stay", s.Feed.Stay(t.Context(), "w", i.ID, ann.ID, moment(5)), fault.NotFound)
		_, _, err := s.Feed.Since(t.Context(), i.ID, 0)
		check.Kind(t, "Since", err, fault.NotFound)
		check.OK(t, "Leave", s.Feed.Leave(t.Context(), "w"))
	})

	t.Run("who is present", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		i, other := addImage(t, s, someImage(ann, "page")), addImage(t, s, someImage(ann, "other"))
		present := func(want ...string) {
			t.Helper()
			users, err := s.Feed.Present(t.Context(), i.ID, moment(10))
			check.OK(t, "Present", err)
			var names []string
			for _, u := range users {
				names = append(names, u.Name)
			}
			same(t, "present", names, want)
		}
		stay := func(watcher string, imageID, userID int64, until int) {
			t.Helper()
			check.OK(t, "Stay", s.Feed.Stay(t.Context(), watcher, imageID, userID, moment(until)))
		}
		present()
		stay("b", i.ID, bob.ID, 11)
		stay("a1", i.ID, ann.ID, 11)
		stay("a2", i.ID, ann.ID, 12)
		stay("c", other.ID, ann.ID, 12)
		present("ann", "bob")
		stay("b", i.ID, bob.ID, 10)
		present("ann")
		stay("b", i.ID, bob.ID, 30)
		for range 2 {
			check.OK(t, "Leave", s.Feed.Leave(t.Context(), "a1"))
		}
		present("ann", "bob")
		check.OK(t, "Leave", s.Feed.Leave(t.Context(), "a2"))
		present("bob")
		resign(t, s, bob.ID)
		present()
	})
}

type fakeFeed struct{ *memory }

type fakeWatcher struct {
	image, user int64
	until       time.Time
}

func (f fakeFeed) Append(ctx context.Context, imageID int64, events ...recognition.Event) error {
	return f.write(ctx, "Feed.Append", func() error {
		if _, ok := f.images[imageID]; !ok && len(events) > 0 {
			return notFound("image")
		}
		for _, e := range events {
			e.Seq = int64(len(f.feeds[imageID]) + 1)
			f.feeds[imageID] = append(f.feeds[imageID], e)
		}
		return nil
	})
}

func (f fakeFeed) Since(ctx context.Context, imageID, after int64) (events []recognition.Event, newest int64, err error) {
	err = f.do(ctx, "Feed.Since", func() error {
		if _, ok := f.images[imageID]; !ok {
			return notFound("image")
		}
		all := f.feeds[imageID]
		if newest = int64(len(all)); after > newest || after < newest-recognition.KeptEvents || after < 0 {
			events = []recognition.Event{{Seq: newest}}
			return nil
		}
		events = slices.Clone(all[after:])
		return nil
	})
	return events, newest, err
}

func (f fakeFeed) Stay(ctx context.Context, watcher string, imageID, userID int64, until time.Time) error {
	return f.write(ctx, "Feed.Stay", func() error {
		if _, ok := f.images[imageID]; !ok {
			return notFound("image")
		}
		f.watchers[watcher] = fakeWatcher{imageID, userID, until}
		return nil
	})
}

func (f fakeFeed) Leave(ctx context.Context, watcher string) error {
	return f.write(ctx, "Feed.Leave", func() error {
		delete(f.watchers, watcher)
		return nil
	})
}

func (f fakeFeed) Present(ctx context.Context, imageID int64, at time.Time) (users []account.Ref, err error) {
	err = f.do(ctx, "Feed.Present", func() error {
		for _, w := range f.watchers {
			u := account.Ref{ID: w.user, Name: f.users[w.user].Name}
			if w.image == imageID && w.until.After(at) && u.Name != "" && !slices.Contains(users, u) {
				users = append(users, u)
			}
		}
		slices.SortFunc(users, func(a, b account.Ref) int { return cmp.Compare(a.Name, b.Name) })
		return nil
	})
	return users, err
}

var _ recognition.Feed = fakeFeed{}

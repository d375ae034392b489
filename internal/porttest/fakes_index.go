package porttest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"

	"golang.org/x/text/unicode/norm"
)

// fakeIndex keeps texts, and looks through all of them.
type fakeIndex struct{ *memory }

type fakeEntry struct {
	recognition.Entry
	revision  int
	terms     []string
	proofread recognition.Proofread
}

var longAgo = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func (f fakeIndex) Announce(ctx context.Context, imageID int64) (id int64, err error) {
	err = f.write(ctx, "Index.Announce", func() error {
		if _, ok := f.images[imageID]; !ok {
			return notFound("image")
		}
		id = f.nextID()
		f.announced = append(f.announced, recognition.Announcement{ID: id, ImageID: imageID, At: time.Now()})
		return nil
	})
	return id, err
}

func (f fakeIndex) Clear(ctx context.Context) (n int, err error) {
	err = f.write(ctx, "Index.Clear", func() error {
		clear(f.entries)
		for _, id := range slices.Sorted(maps.Keys(f.images)) {
			f.announced = append(f.announced, recognition.Announcement{ID: f.nextID(), ImageID: id, At: longAgo})
		}
		n = len(f.images)
		return nil
	})
	return n, err
}

func (f fakeIndex) Announced(ctx context.Context, after int64, limit int) (announced []recognition.Announcement, all int, err error) {
	err = f.do(ctx, "Index.Announced", func() error {
		for _, a := range f.announced {
			if _, ok := f.images[a.ImageID]; ok && a.ID > after {
				announced = append(announced, a)
			}
		}
		all = len(announced)
		announced = announced[:min(limit, all)]
		return nil
	})
	return announced, all, err
}

func (f fakeIndex) Withdraw(ctx context.Context, announced ...int64) error {
	return f.write(ctx, "Index.Withdraw", func() error {
		f.withdraw(announced...)
		return nil
	})
}

func (m *memory) withdraw(announced ...int64) {
	m.announced = slices.DeleteFunc(m.announced, func(a recognition.Announcement) bool { return slices.Contains(announced, a.ID) })
}

func (f fakeIndex) Put(ctx context.Context, announced, imageID int64, contents []recognition.Content) error {
	return f.write(ctx, "Index.Put", func() error {
		f.withdraw(announced)
		if len(f.runs[imageID]) > 0 {
			f.counted[imageID] = true
		}
		for _, c := range slices.Backward(contents) {
			if old, ok := f.entries[c.ID]; ok && old.revision >= c.Revision {
				continue
			}
			version := slices.IndexFunc(f.runs[imageID], func(r recognition.Run) bool {
				return slices.Contains(r.ContentIDs, c.ID) &&
					f.deleted[c.ID].IsZero()
			}) + 1
			if version == 0 {
				continue
			}
			f.entries[c.ID] = fakeEntry{recognition.Entry{ID: f.nextID(), ImageID: imageID, ContentID: c.ID, Version: version,
				Rotation: f.runs[imageID][version-1].Rotation}, c.Revision, f.terms(c.Text, c.Name), c.Proofread()}
		}
		return nil
	})
}

func (f fakeIndex) Proofread(ctx context.Context, imageIDs []int64, whole bool) (found map[int64]recognition.Proofread, err error) {
	err = f.do(ctx, "Index.Proofread", func() error {
		found = map[int64]recognition.Proofread{}
		add := func(imageID int64, p recognition.Proofread) {
			i, there := f.images[imageID]
			id := i.ID
			if whole {
				id = i.Document
			}
			if there && slices.Contains(imageIDs, id) {
				found[id] = found[id].Add(p)
			}
		}
		for imageID := range f.counted {
			add(imageID, recognition.Proofread{Pages: 1})
		}
		for _, e := range f.entries {
			if e.Version == len(f.runs[e.ImageID]) && f.deleted[e.ContentID].IsZero() {
				add(e.ImageID, e.proofread)
			}
		}
		return nil
	})
	return found, err
}

// Compact finds nothing to do.
func (f fakeIndex) Compact(ctx context.Context) error {
	return f.write(ctx, "Index.Compact", func() error { return nil })
}

func (f fakeIndex) Find(ctx context.Context, l recognition.Lookup) (entries []recognition.Entry, next int64, err error) {
	err = f.do(ctx, "Index.Find", func() error {
		for _, e := range f.entries {
			if i, there := f.images[e.ImageID]; there && f.maySee(l.Viewer, i) && e.Version == len(f.runs[e.ImageID]) &&
				slices.Contains(f.runs[e.ImageID][e.Version-1].ContentIDs, e.ContentID) && f.deleted[e.ContentID].IsZero() &&
				hasTerms(e.terms, l.Terms) {
				entries = append(entries, e.Entry)
			}
		}
		for _, i := range f.images {
			if i.Document == i.ID && f.maySee(l.Viewer, i) && hasTerms(f.terms(i.Name), l.Terms) {
				entries = append(entries, recognition.Entry{ID: i.ID, ImageID: i.ID})
			}
		}
		entries = slices.DeleteFunc(entries, func(e recognition.Entry) bool { return l.Before != 0 && e.ID >= l.Before })
		slices.SortFunc(entries, func(a, b recognition.Entry) int { return cmp.Compare(b.ID, a.ID) })
		if len(entries) > l.Limit {
			entries = entries[:l.Limit]
			next = entries[l.Limit-1].ID
		}
		return nil
	})
	return entries, next, err
}

func (m *memory) maySee(viewer int64, i document.Image) bool {
	return viewer == 0 || i.Owner.ID == viewer || i.Visibility == document.Shared || slices.Contains(m.given[i.Document], viewer)
}

func (f fakeIndex) terms(texts ...string) (terms []string) {
	for _, text := range texts {
		terms = append(terms, f.Fold(text).Terms()...)
	}
	return terms
}

func hasTerms(has []string, terms []recognition.Term) bool {
	for _, t := range terms {
		if !slices.ContainsFunc(has, func(s string) bool { return s == t.Text || t.Prefix && strings.HasPrefix(s, t.Text) }) {
			return false
		}
	}
	return true
}

var straight = strings.NewReplacer("‘", "'", "’", "'", "“", `"`, "”", `"`)

func (f fakeIndex) Fold(text string) (folds recognition.Folded) {
	for at := 0; text != ""; {
		size := norm.NFC.NextBoundaryInString(text, true)
		to := at + utf8.RuneCountInString(text[:size])
		for _, r := range straight.Replace(folded(text[:size])) {
			folds.Runes, folds.From, folds.To = append(folds.Runes, r), append(folds.From, at), append(folds.To, to)
		}
		at, text = to, text[size:]
	}
	return folds
}

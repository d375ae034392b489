package porttest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// folded gives a text the form in which keywords are compared.
func folded(s string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(s))) }

type fakeCatalog struct{ *memory }

// withOwner fills in what stands in the owner's row.
func (f fakeCatalog) withOwner(i document.Image) document.Image {
	i.Owner.Name = f.users[i.Owner.ID].Name
	i.Readers = nil
	for _, id := range f.given[i.Document] {
		i.Readers = append(i.Readers, account.Ref{ID: id, Name: f.users[id].Name})
	}
	i.Tags = slices.Clone(f.images[i.Document].Tags)
	slices.SortFunc(i.Readers, func(a, b account.Ref) int { return cmp.Compare(lowerASCII(a.Name), lowerASCII(b.Name)) })
	return i
}

func (f fakeCatalog) Add(ctx context.Context, claim once.Claim, general limit.Limits, documents ...[]document.Image) (
	firsts []document.Image, err error) {
	err = f.write(ctx, "Catalog.Add", func() error {
		owner, bytes := documents[0][0].Owner.ID, int64(0)
		if err := f.standing(owner); err != nil {
			return err
		}
		for _, pages := range documents {
			bytes += pages[0].Size
		}
		if err := general.With(f.limits[owner]).Documents(f.use(owner, time.Time{}), int64(len(documents)), bytes); err != nil {
			return err
		}
		if err := f.lost(claim); err != nil {
			return err
		}
		var effects []once.Effect
		for _, pages := range documents {
			first := f.add(pages)
			firsts, effects = append(firsts, first), append(effects, once.Effect{Image: first.ID})
		}
		f.note(claim, effects...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return firsts, nil
}

func (f fakeCatalog) add(pages []document.Image) (first document.Image) {
	for n, i := range pages {
		for _, name := range []string{i.Original, i.Thumbnail} {
			if _, ok := f.blobs[name]; !ok && (name != "" || name == i.Original || n == 0 && i.Error == nil) {
				f.wrong("the row of the image %q names the blob %q, which is not there", i.Name, name)
			}
		}
		if i.Number != n+1 || i.Original != pages[0].Original || i.Name != pages[0].Name || i.Owner != pages[0].Owner {
			f.wrong("page %d of %q is added as page %d of %q", i.Number, i.Name, n+1, pages[0].Name)
		}
		if i.Password != "" {
			f.wrong("the password of %q is to be stored", i.Name)
		}
		i.ID, i.Created = f.nextID(), micro(i.Created)
		if i.Document = first.ID; n == 0 {
			i.Document = i.ID
			first = f.withOwner(i)
		}
		f.images[i.ID] = i
	}
	return first
}

func (f fakeCatalog) Pages(ctx context.Context, documentID int64, from, limit int) (pages []document.Image, err error) {
	err = f.do(ctx, "Catalog.Pages", func() error {
		for _, i := range f.images {
			if i.Document == documentID {
				pages = append(pages, f.withOwner(i))
			}
		}
		if len(pages) == 0 {
			return notFound("image")
		}
		slices.SortFunc(pages, func(a, b document.Image) int { return cmp.Compare(a.Number, b.Number) })
		pages = pages[min(max(from, 1)-1, len(pages)):]
		pages = pages[:min(max(limit, 0), len(pages))]
		return nil
	})
	return pages, err
}

func (f fakeCatalog) ByID(ctx context.Context, id int64) (i document.Image, err error) {
	err = f.do(ctx, "Catalog.ByID", func() error {
		found, ok := f.images[id]
		if !ok {
			return notFound("image")
		}
		i = f.withOwner(found)
		return nil
	})
	return i, err
}

func (f fakeCatalog) ByIDs(ctx context.Context, ids []int64) (images []document.Image, err error) {
	err = f.do(ctx, "Catalog.ByIDs", func() error {
		for id, i := range f.images {
			if slices.Contains(ids, id) {
				images = append(images, f.withOwner(i))
			}
		}
		return nil
	})
	return images, err
}

func (f fakeCatalog) List(ctx context.Context, q document.Query) (images []document.Image, n int, err error) {
	err = f.do(ctx, "Catalog.List", func() error {
		var all []document.Image
		for _, i := range f.images {
			i = f.withOwner(i)
			has := func(s string) bool { return strings.Contains(folded(s), folded(q.Keyword)) }
			if f.picks(q, i) && hasTags(i, q.Tags) && (has(i.Name) || has(i.Owner.Name)) {
				all = append(all, i)
			}
		}
		order := map[document.Order]func(a, b document.Image) int{
			document.Newest: func(a, b document.Image) int { return cmp.Compare(b.ID, a.ID) },
			document.Oldest: func(a, b document.Image) int { return cmp.Compare(a.ID, b.ID) },
			document.ByName: func(a, b document.Image) int { return cmp.Or(naturally(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) },
		}[q.Order]
		slices.SortFunc(all, order)
		n = len(all)
		if q.Before != 0 {
			before, ok := f.images[q.Before]
			if (!ok || before.Document != before.ID) && q.Order == document.ByName {
				return notFound("image")
			}
			before.ID = q.Before
			all = slices.DeleteFunc(all, func(i document.Image) bool { return order(i, before) <= 0 })
		}
		images = page(all, q.Size, q.Page)
		return nil
	})
	return images, n, err
}

// picks tells whether a query may return an image, whatever its keyword and tags.
func (f fakeCatalog) picks(q document.Query, i document.Image) bool {
	return i.Document == i.ID && f.maySee(q.Viewer, i) && (!q.Others || q.Viewer != i.Owner.ID) && (q.Owner == 0 || q.Owner == i.Owner.ID)
}

func hasTags(i document.Image, tags []string) bool {
	for _, tag := range tags {
		if !slices.ContainsFunc(i.Tags, func(has string) bool { return document.FoldTag(has) == tag }) {
			return false
		}
	}
	return true
}

func (f fakeCatalog) Tags(ctx context.Context, q document.Query) (tags []document.Tag, n int, err error) {
	err = f.do(ctx, "Catalog.Tags", func() error {
		found := map[string]document.Tag{}
		for _, i := range f.images {
			for _, tag := range i.Tags {
				key := document.FoldTag(tag)
				if t := found[key]; f.picks(q, i) && strings.Contains(key, q.Keyword) {
					if t.Name == "" || tag < t.Name {
						t.Name = tag
					}
					t.Documents++
					found[key] = t
				}
			}
		}
		var all []document.Tag
		for _, key := range slices.Sorted(maps.Keys(found)) {
			all = append(all, found[key])
		}
		tags, n = page(all, q.Size, q.Page), len(all)
		return nil
	})
	return tags, n, err
}

var numbersAndCharacters = regexp.MustCompile(`[0-9]+|[^0-9]`)

// naturally compares names as people sort them.
func naturally(a, b string) int {
	parts := func(s string) (parts []string, accented string) {
		plain := norm.NFC.String(strings.Map(func(r rune) rune {
			if 0x300 <= r && r < 0x370 { // an accent
				return -1
			}
			return r
		}, norm.NFD.String(folded(s))))
		if plain != folded(s) {
			accented = folded(s)
		}
		return numbersAndCharacters.FindAllString(plain, -1), accented
	}
	x, accentedX := parts(a)
	y, accentedY := parts(b)
	return cmp.Or(slices.CompareFunc(x, y, func(x, y string) int {
		if strings.Trim(x, "0123456789") == "" && strings.Trim(y, "0123456789") == "" {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
		}
		return strings.Compare(x, y)
	}), strings.Compare(accentedX, accentedY))
}

func (f fakeCatalog) Update(ctx context.Context, id int64, apply func(*document.Image) error) (i document.Image, err error) {
	err = f.write(ctx, "Catalog.Update", func() error {
		was, ok := f.images[id]
		if !ok {
			return notFound("image")
		}
		v, err := change(func() document.Image { return f.withOwner(was) }, apply)
		if err != nil {
			return err
		}
		if was.Document == id {
			if err := f.give(id, v.Readers); err != nil {
				return err
			}
			was.Tags = slices.Clone(v.Tags)
			slices.SortFunc(was.Tags, func(a, b string) int { return cmp.Compare(document.FoldTag(a), document.FoldTag(b)) })
		}
		was.Thumbnail, was.Rotation, was.Width, was.Height = v.Thumbnail, v.Rotation, v.Width, v.Height
		f.images[id] = was
		for _, page := range f.images {
			if page.Document == id {
				page.Name, page.Visibility, page.Seal = v.Name, v.Visibility, v.Seal
				f.images[page.ID] = page
			}
		}
		i = f.withOwner(f.images[id])
		return nil
	})
	return i, err
}

// give makes users the readers of a document.
func (f fakeCatalog) give(id int64, readers []account.Ref) error {
	var ids []int64
	for _, r := range readers {
		if f.users[r.ID].Resigned() {
			return account.ErrUserNotFound
		}
		ids = append(ids, r.ID)
	}
	f.given[id] = ids
	return nil
}

func (f fakeCatalog) Delete(ctx context.Context, id int64) error {
	return f.write(ctx, "Catalog.Delete", func() error {
		if i, ok := f.images[id]; !ok || i.Document != id {
			return notFound("image")
		}
		for _, i := range f.images {
			if i.Document == id {
				delete(f.images, i.ID)
				delete(f.given, i.ID)
				delete(f.runs, i.ID)
			}
		}
		return nil
	})
}

func (f fakeCatalog) Named(ctx context.Context, blobs []string) (named []string, err error) {
	err = f.do(ctx, "Catalog.Named", func() error {
		named = slices.DeleteFunc(slices.Clone(blobs), func(name string) bool { return name == "" || !f.namesBlob(name) })
		return nil
	})
	return named, err
}

type fakeRuns struct{ *memory }

func (f fakeRuns) stored(r recognition.Run) recognition.Run {
	r.Created, r.User.Name = micro(r.Created), f.users[r.User.ID].Name
	r.Lang, r.Contents, r.Note = slices.Clone(r.Lang), nil, once.Note{}
	r.ContentIDs = slices.DeleteFunc(slices.Clone(r.ContentIDs), func(id string) bool { return !f.deleted[id].IsZero() })
	return r
}

func (f fakeRuns) Append(ctx context.Context, r recognition.Run) (stored recognition.Run, err error) {
	err = f.write(ctx, "Runs.Append", func() error {
		for _, id := range r.ContentIDs {
			if _, ok := f.contents[id]; !ok {
				f.wrong("the row of a run names the content %s, which is not there", id)
			}
			if f.namesContent(id) {
				f.wrong("the row of a run names the content %s, which another has", id)
			}
		}
		if len(r.ContentIDs) == 0 {
			f.wrong("a run without contents")
		}
		if _, ok := f.images[r.ImageID]; !ok {
			return notFound("image")
		}
		if _, ok := f.users[r.User.ID]; !ok {
			return notFound("user")
		}
		if r.Item != "" && f.ofItem(r.Item) != nil {
			return recognition.ErrItemRead
		}
		if err := f.lost(r.Note.Claim); err != nil {
			return err
		}
		r.Version = len(f.runs[r.ImageID]) + 1
		f.noteRun(r)
		f.runs[r.ImageID] = append(f.runs[r.ImageID], f.stored(r))
		stored = f.stored(r)
		return nil
	})
	return stored, err
}

func (f fakeRuns) Extend(ctx context.Context, imageID int64, version int, _ time.Time,
	apply func(r *recognition.Run, newest int) error) (stored recognition.Run, err error) {
	err = f.write(ctx, "Runs.Extend", func() error {
		if _, ok := f.images[imageID]; !ok {
			return notFound("image")
		}
		if version < 1 || version > len(f.runs[imageID]) {
			return notFound("run")
		}
		was := f.runs[imageID][version-1]
		r, err := change(func() recognition.Run { return f.stored(was) },
			func(r *recognition.Run) error { return apply(r, len(f.runs[imageID])) })
		if err != nil {
			return err
		}
		there := f.stored(was).ContentIDs
		added := r.ContentIDs[len(there):]
		if !slices.Equal(r.ContentIDs[:len(there)], there) {
			f.wrong("contents are not added at the end of a run")
		}
		for _, id := range added {
			if _, ok := f.contents[id]; !ok {
				f.wrong("a run is to have the content %s, which is not there", id)
			}
			if f.namesContent(id) {
				f.wrong("a run is to have the content %s, which another has", id)
			}
		}
		if err := f.lost(r.Note.Claim); err != nil {
			return err
		}
		f.noteRun(r)
		was.ContentIDs, was.Engine = append(slices.Clone(was.ContentIDs), added...), r.Engine
		f.runs[imageID][version-1] = was
		stored = f.stored(was)
		return nil
	})
	return stored, err
}

func (f fakeRuns) List(ctx context.Context, imageID int64, before, limit int) (runs []recognition.Run, err error) {
	err = f.do(ctx, "Runs.List", func() error {
		for _, r := range slices.Backward(f.runs[imageID]) {
			if len(runs) < limit && (before == 0 || r.Version < before) {
				runs = append(runs, f.stored(r))
			}
		}
		return nil
	})
	return runs, err
}

func (f fakeRuns) ByVersion(ctx context.Context, imageID int64, version int) (r recognition.Run, err error) {
	err = f.do(ctx, "Runs.ByVersion", func() error {
		if version < 1 || version > len(f.runs[imageID]) {
			return notFound("run")
		}
		r = f.stored(f.runs[imageID][version-1])
		return nil
	})
	return r, err
}

// find returns the place of the run that has the content.
func (f fakeRuns) find(contentID string) *recognition.Run {
	for _, runs := range f.runs {
		for i := range runs {
			if slices.Contains(runs[i].ContentIDs, contentID) {
				return &runs[i]
			}
		}
	}
	return nil
}

// ofItem returns the place of the run of an item of a job.
func (f fakeRuns) ofItem(item string) *recognition.Run {
	for _, runs := range f.runs {
		for i := range runs {
			if runs[i].Item == item {
				return &runs[i]
			}
		}
	}
	return nil
}

func (f fakeRuns) ByItem(ctx context.Context, item string) (r recognition.Run, err error) {
	err = f.do(ctx, "Runs.ByItem", func() error {
		found := f.ofItem(item)
		if found == nil || item == "" {
			return notFound("run")
		}
		r = f.stored(*found)
		return nil
	})
	return r, err
}

func (f fakeRuns) ByContent(ctx context.Context, contentID string) (r recognition.Run, err error) {
	err = f.do(ctx, "Runs.ByContent", func() error {
		found := f.find(contentID)
		if found == nil || !f.deleted[contentID].IsZero() {
			return notFound("content")
		}
		r = f.stored(*found)
		return nil
	})
	return r, err
}

func (f fakeRuns) ByDeleted(ctx context.Context, contentID string) (r recognition.Run, err error) {
	err = f.do(ctx, "Runs.ByDeleted", func() error {
		found := f.find(contentID)
		if found == nil || f.deleted[contentID].IsZero() {
			return notFound("content")
		}
		r = f.stored(*found)
		return nil
	})
	return r, err
}

func (f fakeRuns) MarkDeleted(ctx context.Context, contentID string, at time.Time) error {
	return f.write(ctx, "Runs.MarkDeleted", func() error {
		if f.find(contentID) == nil || !f.deleted[contentID].IsZero() {
			return notFound("content")
		}
		f.deleted[contentID] = micro(at)
		return nil
	})
}

func (f fakeRuns) Restore(ctx context.Context, contentID string) error {
	return f.write(ctx, "Runs.Restore", func() error {
		if f.find(contentID) == nil || f.deleted[contentID].IsZero() {
			return notFound("content")
		}
		delete(f.deleted, contentID)
		return nil
	})
}

func (f fakeRuns) DeletedOf(ctx context.Context, imageID, userID int64, since time.Time, page account.Page) (
	deleted []recognition.Deleted, total int, err error) {
	err = f.do(ctx, "Runs.DeletedOf", func() error {
		for _, r := range f.runs[imageID] {
			for _, id := range r.ContentIDs {
				if at := f.deleted[id]; !at.IsZero() && !at.Before(since) && (userID == 0 || r.User.ID == userID) {
					deleted = append(deleted, recognition.Deleted{ContentID: id, At: at, Run: recognition.Run{ImageID: imageID,
						Version: r.Version, Created: r.Created, Rotation: r.Rotation}})
				}
			}
		}
		slices.SortFunc(deleted, func(a, b recognition.Deleted) int {
			return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ContentID, a.ContentID))
		})
		total = len(deleted)
		from := min(page.Number*page.Size, total)
		deleted = deleted[from:min(from+page.Size, total)]
		return nil
	})
	return deleted, total, err
}

func (f fakeRuns) Deleted(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return old(ctx, f.memory, "Runs.Deleted", f.deleted,
		func(id string, at time.Time) bool { return at.Before(before) && f.find(id) != nil })
}

func (f fakeRuns) RemoveDeleted(ctx context.Context, contentIDs []string, before time.Time) (removed []string, err error) {
	err = f.write(ctx, "Runs.RemoveDeleted", func() error {
		for _, id := range contentIDs {
			if r := f.find(id); r != nil && !f.deleted[id].IsZero() && f.deleted[id].Before(before) {
				r.ContentIDs = slices.DeleteFunc(slices.Clone(r.ContentIDs), func(other string) bool { return other == id })
				delete(f.deleted, id)
				removed = append(removed, id)
			}
		}
		return nil
	})
	return removed, err
}

func (f fakeRuns) ContentIDs(ctx context.Context, imageID int64) (ids []string, err error) {
	err = f.do(ctx, "Runs.ContentIDs", func() error {
		for _, r := range f.runs[imageID] {
			ids = append(ids, r.ContentIDs...)
		}
		return nil
	})
	return ids, err
}

func (f fakeRuns) RemoveContent(ctx context.Context, contentID string) error {
	return f.write(ctx, "Runs.RemoveContent", func() error {
		r := f.find(contentID)
		if r == nil {
			return notFound("content")
		}
		r.ContentIDs = slices.DeleteFunc(slices.Clone(r.ContentIDs), func(id string) bool { return id == contentID })
		delete(f.deleted, contentID)
		return nil
	})
}

func (f fakeRuns) PagesRead(ctx context.Context, imageIDs []int64, whole bool) (read map[int64]int, err error) {
	err = f.do(ctx, "Runs.PagesRead", func() error {
		read = map[int64]int{}
		for id, runs := range f.runs {
			if len(runs) > 0 && slices.Contains(imageIDs, id) {
				read[id]++
			}
			if first := f.images[id].Document; len(runs) > 0 && whole && first != id && slices.Contains(imageIDs, first) {
				read[first]++
			}
		}
		return nil
	})
	return read, err
}

func (f fakeRuns) Named(ctx context.Context, contentIDs []string) (named []string, err error) {
	err = f.do(ctx, "Runs.Named", func() error {
		named = slices.DeleteFunc(slices.Clone(contentIDs), func(id string) bool { return !f.namesContent(id) })
		return nil
	})
	return named, err
}

type fakeContents struct{ *memory }

// storedContent is what is left of a content once it was a document.
func storedContent(c recognition.Content) (stored recognition.Content) {
	c.Edited = micro(c.Edited)
	document, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(document, &stored)
	}
	if err != nil {
		panic(err) // a content that cannot be a document is a defect of the domain
	}
	return stored
}

func (f fakeContents) Add(ctx context.Context, contents []recognition.Content) error {
	return f.write(ctx, "Contents.Add", func() error {
		for _, c := range contents {
			if c.Revision != 1 {
				f.wrong("a new content has the revision %d", c.Revision)
			}
			if _, ok := f.contents[c.ID]; ok {
				return fault.New(fault.Conflict, "content_exists", "There is such a content.")
			}
		}
		for _, c := range contents {
			f.contents[c.ID], f.kept[c.ID] = []recognition.Content{storedContent(c)}, time.Now()
		}
		return nil
	})
}

func (f fakeContents) Get(ctx context.Context, ids []string) (contents []recognition.Content, err error) {
	err = f.do(ctx, "Contents.Get", func() error {
		for _, id := range ids {
			if revisions := f.contents[id]; len(revisions) > 0 {
				contents = append(contents, storedContent(revisions[len(revisions)-1]))
			}
		}
		return nil
	})
	return contents, err
}

func (f fakeContents) Revise(ctx context.Context, c recognition.Content) error {
	return f.write(ctx, "Contents.Revise", func() error {
		n := len(f.contents[c.ID])
		if n == 0 {
			return notFound("content")
		}
		if c.Revision < 2 || c.Revision > n+1 {
			f.wrong("revision %d of a content that is at %d", c.Revision, n)
		}
		if c.Revision != n+1 {
			return fault.New(fault.Conflict, "revised_meanwhile", "There is such a revision.")
		}
		f.contents[c.ID] = append(f.contents[c.ID], storedContent(c))
		return nil
	})
}

func (f fakeContents) Revisions(ctx context.Context, id string) (revisions []recognition.Content, err error) {
	err = f.do(ctx, "Contents.Revisions", func() error {
		for _, c := range f.contents[id] {
			revisions = append(revisions, storedContent(c))
		}
		if len(revisions) == 0 {
			return notFound("content")
		}
		return nil
	})
	return revisions, err
}

func (f fakeContents) Delete(ctx context.Context, ids []string) error {
	return f.write(ctx, "Contents.Delete", func() error {
		for _, id := range ids {
			if f.namesContent(id) {
				f.wrong("the content %s is deleted while a run has it", id)
			}
			delete(f.contents, id)
		}
		return nil
	})
}

func (f fakeContents) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return old(ctx, f.memory, "Contents.Old", f.contents,
		func(id string, _ []recognition.Content) bool { return f.kept[id].Before(before) })
}

type fakeBlobs struct{ *memory }

func (f fakeBlobs) Put(ctx context.Context, r io.Reader) (name string, err error) {
	b, err := io.ReadAll(r) // before the lock: a reader may be one of a blob
	if err != nil {
		return "", err
	}
	err = f.write(ctx, "Blobs.Put", func() error {
		name = rand.Text()
		f.blobs[name], f.kept[name] = b, time.Now()
		return nil
	})
	if err != nil {
		name = ""
	}
	return name, err
}

func (f fakeBlobs) Open(ctx context.Context, name string) (r io.ReadSeekCloser, err error) {
	err = f.do(ctx, "Blobs.Open", func() error {
		b, ok := f.blobs[name]
		if !ok {
			return notFound("blob")
		}
		f.readers++
		r = &blobReader{Reader: bytes.NewReader(b), memory: f.memory}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

type blobReader struct {
	*bytes.Reader
	memory *memory
	closed bool
}

func (r *blobReader) Close() error {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if r.closed {
		r.memory.wrong("a reader of a blob is closed twice")
		return nil
	}
	r.closed = true
	r.memory.readers--
	return nil
}

func (f fakeBlobs) Delete(ctx context.Context, name string) error {
	return f.write(ctx, "Blobs.Delete", func() error {
		if f.namesBlob(name) {
			f.wrong("the blob %s is deleted while an image names it", name)
		}
		delete(f.blobs, name)
		return nil
	})
}

func (f fakeBlobs) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return old(ctx, f.memory, "Blobs.Old", f.blobs, func(name string, _ []byte) bool { return f.kept[name].Before(before) })
}

var (
	_ account.Users        = fakeUsers{}
	_ account.Sessions     = fakeSessions{}
	_ account.Keys         = fakeKeys{}
	_ document.Catalog     = fakeCatalog{}
	_ document.Blobs       = fakeBlobs{}
	_ recognition.Runs     = fakeRuns{}
	_ recognition.Contents = fakeContents{}
)

package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// wantVersions checks that an image has the versions 1 to n, newest first.
func wantVersions(t *testing.T, s Stores, image document.Image, n int) {
	t.Helper()
	runs, err := s.Runs.List(t.Context(), image.ID, 0, n+10)
	check.OK(t, "List", err)
	var got, want []int
	for i := range n {
		want = append(want, n-i)
	}
	for _, r := range runs {
		got = append(got, r.Version)
	}
	same(t, "versions", got, want)
}

// Runs is the suite of recognition.Runs.
func Runs(t *testing.T, open func(t *testing.T) Stores) {
	// start opens stores with a user and an image.
	start := func(t *testing.T) (Stores, account.User, document.Image) {
		s := open(t)
		ann := addUser(t, s, "ann")
		return s, ann, addImage(t, s, someImage(ann, "page"))
	}

	t.Run("Append numbers the runs of an image", func(t *testing.T) {
		s, ann, image := start(t)
		bob := addUser(t, s, "bob")
		other := addImage(t, s, someImage(ann, "other"))
		for n, r := range []recognition.Run{someRun(image, ann, 1, 2), someRun(image, bob, 3), someRun(image, ann, 4)} {
			want := r
			want.Version, want.Created, want.User.Name = n+1, r.Created.UTC(), []string{"ann", "bob", "ann"}[n]
			same(t, "Append", addRun(t, s, r), want)
			got, err := s.Runs.ByVersion(t.Context(), image.ID, n+1)
			check.OK(t, "ByVersion", err)
			same(t, "ByVersion", got, want)
		}
		same(t, "version of the other image", addRun(t, s, someRun(other, ann, 5)).Version, 1)
		wantVersions(t, s, image, 3)
	})

	t.Run("everything comes back", func(t *testing.T) {
		s, ann, image := start(t)
		var want []recognition.Run
		for n, c := range []struct {
			lang  []string
			shape recognition.Shape
			mode  recognition.Mode
		}{
			{[]string{"eng"}, recognition.ShapeAuto, recognition.BestMode},
			{[]string{"kor", "eng", "chi_sim", "script/Hangul", "script/HanT_vert"}, recognition.ShapeRawLine, 0},
			{[]string{"eng", "kor"}, recognition.ShapeBlock, 1},
		} {
			r := someRun(image, ann)
			r.Lang, r.Shape, r.Mode, r.Engine = c.lang, c.shape, c.mode, fmt.Sprintf("tesseract 5.3.%d", n)
			r.Rotation = 90 * (n + 1)
			r.ContentIDs = []string{contentID(3*n + 2), contentID(3*n + 1), contentID(3*n + 3)} // not in order of the IDs
			want = slices.Insert(want, 0, addRun(t, s, r))
			same(t, "lang", want[0].Lang, c.lang)
		}
		got, err := s.Runs.List(t.Context(), image.ID, 0, 10)
		check.OK(t, "List", err)
		same(t, "List", got, want)
		for _, want := range want {
			got, err := s.Runs.ByVersion(t.Context(), image.ID, want.Version)
			check.OK(t, "ByVersion", err)
			same(t, "ByVersion", got, want)
			for _, id := range want.ContentIDs {
				got, err := s.Runs.ByContent(t.Context(), id)
				check.OK(t, "ByContent", err)
				same(t, "ByContent", got, want)
			}
		}
	})

	t.Run("an item of a job has one run", func(t *testing.T) {
		s, ann, image := start(t)
		other := addImage(t, s, someImage(ann, "other"))
		addRun(t, s, someRun(image, ann, 1))
		errs := race(racers, func(i int) error {
			r := someRun(image, ann, 100+i)
			r.Item = "job-000001"
			_, err := appendRun(context.Background(), s, r)
			return err
		})
		oneOK(t, "Append for one item", errs, fault.Conflict)
		for _, err := range errs {
			if err != nil && !errors.Is(err, recognition.ErrItemRead) {
				t.Errorf("Append for one item: %v, want ErrItemRead", err)
			}
		}
		wantVersions(t, s, image, 2)
		got, err := s.Runs.ByItem(t.Context(), "job-000001")
		check.OK(t, "ByItem", err)
		want, err := s.Runs.ByVersion(t.Context(), image.ID, 2)
		check.OK(t, "ByVersion", err)
		same(t, "ByItem", got, want)
		same(t, "item", got.Item, "job-000001")
		r := someRun(other, ann, 3)
		r.Item = "job-000002"
		addRun(t, s, r)
		for _, item := range []string{"", "job-000003"} {
			_, err = s.Runs.ByItem(t.Context(), item)
			check.Kind(t, "ByItem of "+item, err, fault.NotFound)
		}
	})

	t.Run("a run of 500 contents keeps their order", func(t *testing.T) {
		s, ann, image := start(t)
		r := someRun(image, ann)
		for n := range recognition.MaxRegions {
			r.ContentIDs = append(r.ContentIDs, contentID((n*7919)%recognition.MaxRegions))
		}
		addRun(t, s, r)
		got, err := s.Runs.ByVersion(t.Context(), image.ID, 1)
		check.OK(t, "ByVersion", err)
		same(t, "contents", got.ContentIDs, r.ContentIDs)
		runs, err := s.Runs.List(t.Context(), image.ID, 0, 1)
		check.OK(t, "List", err)
		same(t, "contents in List", runs[0].ContentIDs, r.ContentIDs)
	})

	add := func(engine string, contents ...int) func(*recognition.Run, int) error {
		return func(r *recognition.Run, _ int) error {
			for _, n := range contents {
				r.ContentIDs = append(r.ContentIDs, contentID(n))
			}
			r.Engine += engine
			return nil
		}
	}

	t.Run("Extend adds at the end, and nothing else changes", func(t *testing.T) {
		s, ann, image := start(t)
		addRun(t, s, someRun(image, ann, 1))
		want := addRun(t, s, someRun(image, ann, 5, 4))
		var seen []int
		got, err := extendRun(t.Context(), s, image.ID, 2, []int{9, 3}, func(r *recognition.Run, newest int) error {
			same(t, "the run as it is", *r, want)
			seen = append(seen, newest)
			r.User, r.Created, r.Lang, r.Rotation = account.Ref{ID: 99}, moment(99), []string{"xxx"}, 90
			return add(", other 1", 9, 3)(r, newest)
		})
		check.OK(t, "Extend", err)
		same(t, "newest", seen[len(seen)-1], 2)
		want.ContentIDs, want.Engine = append(want.ContentIDs, contentID(9), contentID(3)), want.Engine+", other 1"
		same(t, "Extend", got, want)
		got, err = s.Runs.ByVersion(t.Context(), image.ID, 2)
		check.OK(t, "ByVersion", err)
		same(t, "ByVersion", got, want)
		got, err = s.Runs.ByContent(t.Context(), contentID(3))
		check.OK(t, "ByContent", err)
		same(t, "ByContent", got, want)

		check.OK(t, "RemoveContent", s.Runs.RemoveContent(t.Context(), contentID(3)))
		got, err = extendRun(t.Context(), s, image.ID, 2, []int{3}, add("", 3)) // after the last one was removed
		check.OK(t, "Extend", err)
		same(t, "Extend", got, want)
		got, err = extendRun(t.Context(), s, image.ID, 2, nil, add(", third 1"))
		check.OK(t, "Extend by no content", err)
		want.Engine += ", third 1"
		same(t, "Extend by no content", got, want)
		got, err = extendRun(t.Context(), s, image.ID, 1, []int{7}, add("", 7))
		check.OK(t, "Extend of the older one", err)
		same(t, "contents of the older one", got.ContentIDs, []string{contentID(1), contentID(7)})
		wantVersions(t, s, image, 2)
	})

	t.Run("Extend that is refused", func(t *testing.T) {
		s, ann, image := start(t)
		want := addRun(t, s, someRun(image, ann, 1))
		_, err := extendRun(t.Context(), s, image.ID, 1, []int{2}, func(r *recognition.Run, newest int) error {
			return errors.Join(add(", other 1", 2)(r, newest), recognition.ErrVersionFull)
		})
		check.Kind(t, "Extend", err, fault.Conflict)
		for _, at := range []struct {
			image   int64
			version int
		}{{image.ID, 0}, {image.ID, 2}, {image.ID + 100, 1}} {
			_, err := extendRun(t.Context(), s, at.image, at.version, []int{3}, add("", 3))
			check.Kind(t, "Extend of nothing", err, fault.NotFound)
		}
		got, err := s.Runs.ByVersion(t.Context(), image.ID, 1)
		check.OK(t, "ByVersion", err)
		same(t, "ByVersion", got, want)
	})

	t.Run("Extend and Append in a race", func(t *testing.T) {
		s, ann, image := start(t)
		addRun(t, s, someRun(image, ann, 999))
		added := make([]bool, racers)
		allOK(t, "Extend and Append", race(racers, func(i int) error {
			if i == racers/2 {
				_, err := appendRun(t.Context(), s, someRun(image, ann, 1000))
				return err
			}
			_, err := extendRun(t.Context(), s, image.ID, 1, []int{2 * i, 2*i + 1}, func(r *recognition.Run, newest int) error {
				if newest != 1 {
					return recognition.ErrVersionNotNewest
				}
				return add("", 2*i, 2*i+1)(r, newest)
			})
			added[i] = err == nil
			if fault.Is(err, fault.Conflict) {
				err = nil
			}
			return err
		}))
		got, err := s.Runs.ByVersion(t.Context(), image.ID, 1)
		check.OK(t, "ByVersion", err)
		var ids, want []string
		for i, ok := range added {
			if ok {
				want = append(want, contentID(2*i), contentID(2*i+1))
			}
		}
		for pair := range slices.Chunk(got.ContentIDs[1:], 2) { // the first is that of the run
			same(t, "contents of one call stand side by side", pair[0] < pair[1], true)
			ids = append(ids, pair...)
		}
		slices.Sort(ids)
		slices.Sort(want)
		same(t, "contents", ids, want)
		wantVersions(t, s, image, 2)
	})

	t.Run("NotFound", func(t *testing.T) {
		s, ann, image := start(t)
		addRun(t, s, someRun(image, ann, 1))
		missing := image
		missing.ID += 100
		for n, r := range []recognition.Run{someRun(missing, ann, 10), someRun(image, account.User{ID: ann.ID + 100}, 11)} {
			_, err := appendRun(t.Context(), s, r)
			check.Kind(t, "Append", err, fault.NotFound)
			_, err = s.Runs.ByContent(t.Context(), contentID(10+n))
			check.Kind(t, "ByContent of a run that was refused", err, fault.NotFound)
		}
		wantVersions(t, s, image, 1)
		for _, version := range []int{-1, 0, 2} {
			_, err := s.Runs.ByVersion(t.Context(), image.ID, version)
			check.Kind(t, fmt.Sprint("ByVersion ", version), err, fault.NotFound)
		}
		_, err := s.Runs.ByVersion(t.Context(), missing.ID, 1)
		check.Kind(t, "ByVersion of no image", err, fault.NotFound)
		for _, id := range []string{"", contentID(2)} {
			_, err := s.Runs.ByContent(t.Context(), id)
			check.Kind(t, "ByContent of "+id, err, fault.NotFound)
			check.Kind(t, "RemoveContent of "+id, s.Runs.RemoveContent(t.Context(), id), fault.NotFound)
		}
		runs, err := s.Runs.List(t.Context(), missing.ID, 0, 10)
		check.OK(t, "List of no image", err)
		ids, err := s.Runs.ContentIDs(t.Context(), missing.ID)
		check.OK(t, "ContentIDs of no image", err)
		if len(runs) != 0 || len(ids) != 0 {
			t.Errorf("got runs %v and contents %v of no image", runs, ids)
		}
		fresh := addImage(t, s, someImage(ann, "fresh"))
		runs, err = s.Runs.List(t.Context(), fresh.ID, 0, 10)
		check.OK(t, "List of an image without runs", err)
		same(t, "List of an image without runs", runs, []recognition.Run(nil))
	})

	t.Run("Append after the image was deleted", func(t *testing.T) {
		s, ann, image := start(t)
		addRun(t, s, someRun(image, ann, 1))
		check.OK(t, "Catalog.Delete", s.Catalog.Delete(t.Context(), image.ID))
		_, err := appendRun(t.Context(), s, someRun(image, ann, 2))
		check.Kind(t, "Append", err, fault.NotFound)
	})

	t.Run("List by limit and before", func(t *testing.T) {
		s, ann, image := start(t)
		for n := range 5 {
			addRun(t, s, someRun(image, ann, 2*n, 2*n+1))
		}
		for _, c := range []struct {
			before, limit int
			want          []int
		}{
			{0, 10, []int{5, 4, 3, 2, 1}}, {0, 2, []int{5, 4}}, {4, 2, []int{3, 2}}, {2, 10, []int{1}}, {1, 10, nil}, {100, 1, []int{5}},
		} {
			runs, err := s.Runs.List(t.Context(), image.ID, c.before, c.limit)
			check.OK(t, "List", err)
			var got []int
			for _, r := range runs {
				got = append(got, r.Version)
				same(t, "contents", len(r.ContentIDs), 2)
			}
			same(t, fmt.Sprintf("List before %d, at most %d", c.before, c.limit), got, c.want)
		}
	})

	t.Run("ContentIDs of all runs", func(t *testing.T) {
		s, ann, image := start(t)
		other := addImage(t, s, someImage(ann, "other"))
		addRun(t, s, someRun(image, ann, 1, 2))
		addRun(t, s, someRun(other, ann, 9))
		addRun(t, s, someRun(image, ann, 3))
		check.OK(t, "RemoveContent", s.Runs.RemoveContent(t.Context(), contentID(2)))
		got, err := s.Runs.ContentIDs(t.Context(), image.ID)
		check.OK(t, "ContentIDs", err)
		slices.Sort(got)
		same(t, "ContentIDs", got, []string{contentID(1), contentID(3)})
	})

	t.Run("PagesRead counts each page once", func(t *testing.T) {
		s, ann, image := start(t)
		unread := addImage(t, s, someImage(ann, "unread"))
		pages := make([]document.Image, 3)
		for n := range pages {
			pages[n] = someImage(ann, "three")
			pages[n].Number, pages[n].Pages = n+1, len(pages)
		}
		added, err := s.Catalog.Add(t.Context(), once.Claim{}, limit.Limits{}, pages)
		check.OK(t, "Add", err)
		first := added[0]
		all, err := s.Catalog.Pages(t.Context(), first.ID, 1, 3)
		check.OK(t, "Pages", err)
		addRun(t, s, someRun(image, ann, 1))
		addRun(t, s, someRun(image, ann, 2))
		addRun(t, s, someRun(all[1], ann, 3))
		addRun(t, s, someRun(all[2], ann, 4))
		ids := []int64{image.ID, unread.ID, first.ID, all[1].ID, first.ID + 999}
		for whole, want := range map[bool]map[int64]int{false: {image.ID: 1, all[1].ID: 1},
			true: {image.ID: 1, first.ID: 2, all[1].ID: 1}} {
			got, err := s.Runs.PagesRead(t.Context(), ids, whole)
			check.OK(t, "PagesRead", err)
			same(t, fmt.Sprintf("PagesRead, whole: %v", whole), got, want)
		}
		got, err := s.Runs.PagesRead(t.Context(), nil, true)
		check.OK(t, "PagesRead of none", err)
		same(t, "PagesRead of none", len(got), 0)
	})

	t.Run("RemoveContent leaves the run and its version", func(t *testing.T) {
		s, ann, image := start(t)
		addRun(t, s, someRun(image, ann, 1))
		want := addRun(t, s, someRun(image, ann, 4, 3, 2))
		remove := func(n int) {
			t.Helper()
			check.OK(t, "RemoveContent", s.Runs.RemoveContent(t.Context(), contentID(n)))
			check.Kind(t, "RemoveContent again", s.Runs.RemoveContent(t.Context(), contentID(n)), fault.NotFound)
			_, err := s.Runs.ByContent(t.Context(), contentID(n))
			check.Kind(t, "ByContent of the removed one", err, fault.NotFound)
			want.ContentIDs = slices.DeleteFunc(slices.Clone(want.ContentIDs), func(id string) bool { return id == contentID(n) })
			got, err := s.Runs.ByVersion(t.Context(), image.ID, 2)
			check.OK(t, "ByVersion", err)
			same(t, "ByVersion", got, want)
		}
		remove(3)
		remove(4)
		remove(2)
		wantVersions(t, s, image, 2)
		same(t, "version of the next run", addRun(t, s, someRun(image, ann, 5)).Version, 3)
		check.OK(t, "RemoveContent", s.Runs.RemoveContent(t.Context(), contentID(5)))
		same(t, "version of the run after", addRun(t, s, someRun(image, ann, 6)).Version, 4)
		wantVersions(t, s, image, 4)
	})

	t.Run("a content that is marked as deleted", func(t *testing.T) {
		s, ann, image := start(t)
		want := addRun(t, s, someRun(image, ann, 4, 3, 2))
		addRun(t, s, someRun(image, ann, 5))
		id := contentID(3)
		look := func(what string, r recognition.Run) {
			t.Helper()
			got, err := s.Runs.ByVersion(t.Context(), image.ID, 1)
			check.OK(t, "ByVersion", err)
			same(t, what, got, r)
			runs, err := s.Runs.List(t.Context(), image.ID, 2, 1)
			check.OK(t, "List", err)
			same(t, what+", in the list", runs[0], r)
		}
		_, err := s.Runs.ByDeleted(t.Context(), id)
		check.Kind(t, "ByDeleted of one that is not", err, fault.NotFound)
		check.Kind(t, "Restore of one that is not", s.Runs.Restore(t.Context(), id), fault.NotFound)
		check.OK(t, "MarkDeleted", s.Runs.MarkDeleted(t.Context(), id, moment(10)))
		check.Kind(t, "MarkDeleted again", s.Runs.MarkDeleted(t.Context(), id, moment(11)), fault.NotFound)
		without := want
		without.ContentIDs = []string{contentID(4), contentID(2)}
		look("the run without it", without)
		_, err = s.Runs.ByContent(t.Context(), id)
		check.Kind(t, "ByContent", err, fault.NotFound)
		got, err := s.Runs.ByDeleted(t.Context(), id)
		check.OK(t, "ByDeleted", err)
		same(t, "ByDeleted", got, without)
		named, err := s.Runs.Named(t.Context(), []string{id})
		check.OK(t, "Named", err)
		same(t, "Named", named, []string{id})
		ids, err := s.Runs.ContentIDs(t.Context(), image.ID)
		check.OK(t, "ContentIDs", err)
		same(t, "ContentIDs", len(ids), 4)
		_, err = extendRun(t.Context(), s, image.ID, 1, []int{9}, add("", 9))
		check.OK(t, "Extend", err)
		check.OK(t, "Restore", s.Runs.Restore(t.Context(), id))
		check.Kind(t, "Restore again", s.Runs.Restore(t.Context(), id), fault.NotFound)
		want.ContentIDs = append(want.ContentIDs, contentID(9))
		look("in its place again", want)
		check.OK(t, "MarkDeleted", s.Runs.MarkDeleted(t.Context(), id, moment(12)))
		check.OK(t, "RemoveContent", s.Runs.RemoveContent(t.Context(), id))
		_, err = s.Runs.ByDeleted(t.Context(), id)
		check.Kind(t, "ByDeleted of one that was removed", err, fault.NotFound)
		check.Kind(t, "MarkDeleted of nothing", s.Runs.MarkDeleted(t.Context(), id, moment(12)), fault.NotFound)
	})

	t.Run("contents of an image that are marked as deleted", func(t *testing.T) {
		s, ann, image := start(t)
		bob := addUser(t, s, "bob")
		turned := someRun(image, bob, 8, 9)
		turned.Rotation, turned.Created = 90, moment(2)
		first, second := addRun(t, s, someRun(image, ann, 1, 2, 3, 4, 5)), addRun(t, s, turned)
		other := addImage(t, s, someImage(ann, "other"))
		addRun(t, s, someRun(other, ann, 6))
		for id, n := range map[int]int{2: 20, 1: 21, 4: 22, 9: 23, 6: 24, 3: 25, 5: 26} {
			check.OK(t, "MarkDeleted", s.Runs.MarkDeleted(t.Context(), contentID(id), moment(n)))
		}
		check.OK(t, "Restore", s.Runs.Restore(t.Context(), contentID(3)))
		check.OK(t, "RemoveContent", s.Runs.RemoveContent(t.Context(), contentID(5)))
		want := func(what string, imageID, userID int64, since, size, page, total int, want ...recognition.Deleted) {
			t.Helper()
			got, n, err := s.Runs.DeletedOf(t.Context(), imageID, userID, moment(since), account.Page{Size: size, Number: page})
			check.OK(t, "DeletedOf", err)
			same(t, what, append([]recognition.Deleted{}, got...), append([]recognition.Deleted{}, want...))
			same(t, what+": how many there are", n, total)
		}
		mark := func(id, at int, r recognition.Run) recognition.Deleted {
			return recognition.Deleted{ContentID: contentID(id), At: moment(at).UTC(),
				Run: recognition.Run{ImageID: r.ImageID, Version: r.Version, Created: r.Created, Rotation: r.Rotation}}
		}
		nine, four, one, two := mark(9, 23, second), mark(4, 22, first), mark(1, 21, first), mark(2, 20, first)
		want("all, the last one first", image.ID, 0, 0, 10, 0, 4, nine, four, one, two)
		want("since a time, which counts", image.ID, 0, 21, 10, 0, 3, nine, four, one)
		want("since all", image.ID, 0, 24, 10, 0, 0)
		want("a part", image.ID, 0, 0, 3, 0, 4, nine, four, one)
		want("the part after it", image.ID, 0, 0, 3, 1, 4, two)
		want("a part too far", image.ID, 0, 0, 3, 7, 4)
		want("of runs of one user", image.ID, bob.ID, 0, 10, 0, 1, nine)
		want("of nobody's runs", image.ID, 4711, 0, 10, 0, 0)
		want("of an image that is not there", 4711, 0, 0, 10, 0, 0)

		for _, id := range []int{1, 2, 4} { // in one moment
			check.OK(t, "Restore", s.Runs.Restore(t.Context(), contentID(id)))
			check.OK(t, "MarkDeleted", s.Runs.MarkDeleted(t.Context(), contentID(id), moment(27)))
		}
		var all []string
		for page := range 4 {
			part, _, err := s.Runs.DeletedOf(t.Context(), image.ID, 0, moment(0), account.Page{Size: 1, Number: page})
			check.OK(t, "DeletedOf", err)
			for _, d := range part {
				all = append(all, d.ContentID)
			}
		}
		if slices.Sort(all); !slices.Equal(all, []string{contentID(1), contentID(2), contentID(4), contentID(9)}) {
			t.Errorf("part by part: got %q", all)
		}
	})

	t.Run("contents that were marked as deleted before some time", func(t *testing.T) {
		s, ann, image := start(t)
		const many = 1100 // more than a page of any store
		var all, marked []int
		for n := range many {
			all = append(all, n)
		}
		addRun(t, s, someRun(image, ann, all...))
		for n := 0; n < 20; n++ {
			marked = append(marked, 50*n)
			check.OK(t, "MarkDeleted", s.Runs.MarkDeleted(t.Context(), contentID(50*n), moment(n)))
		}
		ids := func(numbers []int) (ids []string) {
			for _, n := range numbers {
				ids = append(ids, contentID(n))
			}
			return ids
		}
		same(t, "before the fourth", allOld(t, s.Runs.Deleted(t.Context(), moment(3))), ids(marked[:3]))
		same(t, "before all", allOld(t, s.Runs.Deleted(t.Context(), moment(0))), []string(nil))
		same(t, "after all", allOld(t, s.Runs.Deleted(t.Context(), moment(30))), ids(marked))
		check.OK(t, "Restore", s.Runs.Restore(t.Context(), contentID(50)))
		removed, err := s.Runs.RemoveDeleted(t.Context(), ids([]int{0, 50, 100, 150, 200, 7, 5000}), moment(4))
		check.OK(t, "RemoveDeleted", err)
		slices.Sort(removed)
		same(t, "removed, not one that is back, too young or not marked", removed, ids([]int{0, 100, 150}))
		same(t, "what is left", allOld(t, s.Runs.Deleted(t.Context(), moment(30))), ids(marked[4:]))
		named, err := s.Runs.Named(t.Context(), ids([]int{0, 50, 100, 150, 200}))
		check.OK(t, "Named", err)
		slices.Sort(named)
		same(t, "Named", named, ids([]int{50, 200}))
		removed, err = s.Runs.RemoveDeleted(t.Context(), nil, moment(30))
		check.OK(t, "RemoveDeleted of none", err)
		same(t, "removed of none", removed, []string(nil))
	})

	t.Run("Named picks the contents of runs", func(t *testing.T) {
		s, ann, image := start(t)
		addRun(t, s, someRun(image, ann, 1, 2))
		addRun(t, s, someRun(image, ann, 3))
		asked := []string{contentID(3), contentID(4), "", contentID(1), contentID(2)}
		for n := range 7000 { // more than one statement takes
			asked = append(asked, fmt.Sprint("other", n))
		}
		want := func(what string, want ...string) {
			t.Helper()
			got, err := s.Runs.Named(t.Context(), asked)
			check.OK(t, "Named", err)
			slices.Sort(got)
			same(t, what, got, want)
		}
		want("named", contentID(1), contentID(2), contentID(3))
		check.OK(t, "RemoveContent", s.Runs.RemoveContent(t.Context(), contentID(1)))
		want("after one was removed", contentID(2), contentID(3))
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), image.ID))
		want("after the image was deleted")
		got, err := s.Runs.Named(t.Context(), nil)
		check.OK(t, "Named", err)
		same(t, "of none", got, []string(nil))
	})

	t.Run("the name of who ran it follows the user", func(t *testing.T) {
		s, ann, image := start(t)
		addRun(t, s, someRun(image, ann, 1))
		resign(t, s, ann.ID)
		got, err := s.Runs.ByVersion(t.Context(), image.ID, 1)
		check.OK(t, "ByVersion", err)
		same(t, "user", got.User, account.Ref{ID: ann.ID})
	})

	t.Run("versions under a race on one image", func(t *testing.T) {
		s, ann, image := start(t)
		versions := make([]int, racers)
		allOK(t, "Append", race(racers, func(i int) error {
			r, err := appendRun(t.Context(), s, someRun(image, ann, 2*i, 2*i+1))
			versions[i] = r.Version
			return err
		}))
		slices.Sort(versions)
		for i, v := range versions {
			if v != i+1 {
				t.Fatalf("got versions %v, want 1 to %d", versions, racers)
			}
		}
		wantVersions(t, s, image, racers)
	})

	t.Run("versions under a race on several images", func(t *testing.T) {
		s, ann, _ := start(t)
		var images []document.Image
		for range 4 {
			images = append(images, addImage(t, s, someImage(ann, "page")))
		}
		allOK(t, "Append", race(racers, func(i int) error {
			_, err := appendRun(t.Context(), s, someRun(images[i%len(images)], ann, i))
			return err
		}))
		for _, image := range images {
			wantVersions(t, s, image, racers/len(images))
		}
	})

	t.Run("versions while contents are removed", func(t *testing.T) {
		s, ann, image := start(t)
		allOK(t, "Append and RemoveContent", race(racers, func(i int) error {
			if _, err := appendRun(t.Context(), s, someRun(image, ann, i)); err != nil {
				return err
			}
			return s.Runs.RemoveContent(t.Context(), contentID(i))
		}))
		wantVersions(t, s, image, racers)
	})

	t.Run("an image deleted during the race leaves nothing", func(t *testing.T) {
		s, ann, image := start(t)
		errs := race(racers, func(i int) error {
			if i == racers/2 {
				return s.Catalog.Delete(t.Context(), image.ID)
			}
			_, err := appendRun(t.Context(), s, someRun(image, ann, i))
			return err
		})
		for i, err := range errs {
			if err != nil && (i == racers/2 || !fault.Is(err, fault.NotFound)) {
				t.Errorf("%d: %v", i, err)
			}
		}
		wantVersions(t, s, image, 0)
		for i := range racers {
			_, err := s.Runs.ByContent(context.WithoutCancel(t.Context()), contentID(i))
			check.Kind(t, "ByContent", err, fault.NotFound)
		}
	})
}

package porttest

import (
	"fmt"
	"slices"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

// somePages are the images of a new document of n pages, each of another size. Only the first has a thumbnail.
func somePages(owner account.User, name string, n int) (pages []document.Image) {
	for number := 1; number <= n; number++ {
		i := someImage(owner, name)
		i.Number, i.Width, i.Pages, i.DPI = number, 800+number, n, 150
		if number > 1 {
			i.Thumbnail = ""
		}
		pages = append(pages, i)
	}
	return pages
}

// documents is the part of the suite of document.Catalog that is about files of several pages.
func documents(t *testing.T, open func(t *testing.T) Stores) {
	add := func(t *testing.T, s Stores, pages []document.Image) []document.Image {
		t.Helper()
		first, err := addPages(t, s, pages...)
		check.OK(t, "Add", err)
		stored, err := s.Catalog.Pages(t.Context(), first.ID, 1, len(pages)+1)
		check.OK(t, "Pages", err)
		if len(stored) != len(pages) {
			t.Fatalf("got %d pages, want %d", len(stored), len(pages))
		}
		same(t, "the first page", stored[0], first)
		return stored
	}

	t.Run("the pages of a document come back in their order", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		addImage(t, s, someImage(ann, "before"))
		pages := somePages(ann, "scan.tiff", 250)
		pages[0].Seal = []byte{0, 1, 2, 0xff}
		for n := range pages {
			pages[n].Seal = pages[0].Seal
		}
		pages[2].Error = &fault.Failure{Code: "unsupported_image", Detail: "The page is damaged — “ganz” kaputt."}
		stored := add(t, s, pages)
		addImage(t, s, someImage(ann, "after"))
		for n, got := range stored {
			want := pages[n]
			want.ID, want.Document, want.Owner.Name, want.Created = got.ID, stored[0].ID, "ann", want.Created.UTC()
			same(t, fmt.Sprint("page ", n+1), got, want)
			if n > 0 && got.ID <= stored[n-1].ID {
				t.Errorf("page %d has the ID %d, and the one before it %d", n+1, got.ID, stored[n-1].ID)
			}
			byID, err := s.Catalog.ByID(t.Context(), got.ID)
			check.OK(t, "ByID", err)
			same(t, "ByID", byID, got)
		}
		for _, c := range []struct{ from, limit, first, n int }{{1, 2, 1, 2}, {0, 1, 1, 1}, {2, 3, 2, 3}, {249, 9, 249, 2},
			{250, 1, 250, 1}, {251, 9, 0, 0}, {1, 0, 0, 0}} {
			got, err := s.Catalog.Pages(t.Context(), stored[0].ID, c.from, c.limit)
			check.OK(t, "Pages", err)
			var want []document.Image
			if c.n > 0 {
				want = stored[c.first-1 : c.first-1+c.n]
			}
			same(t, fmt.Sprintf("%d pages from %d", c.limit, c.from), slices.Clip(got), want)
		}
	})

	t.Run("Pages of a later page and of nothing are NotFound", func(t *testing.T) {
		s := open(t)
		stored := add(t, s, somePages(addUser(t, s, "ann"), "scan", 2))
		_, err := s.Catalog.Pages(t.Context(), stored[1].ID, 1, 9)
		check.Kind(t, "Pages of a later page", err, fault.NotFound)
		_, err = s.Catalog.Pages(t.Context(), stored[1].ID+9, 1, 9)
		check.Kind(t, "Pages of nothing", err, fault.NotFound)
	})

	t.Run("lists, totals and counts are of documents", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		scan := somePages(ann, "scan", 30)
		for n := range scan {
			scan[n].Visibility = document.Shared
		}
		add(t, s, scan)
		addImage(t, s, someImage(ann, "single scan"))
		add(t, s, somePages(ann, "private scan", 20))
		add(t, s, somePages(bob, "letter", 12))
		all := []string{"letter", "private scan", "single scan", "scan"}
		for _, c := range []struct {
			q    document.Query
			want []string
		}{
			{document.Query{}, all},
			{document.Query{Keyword: "scan"}, all[1:]},
			{document.Query{Keyword: "ann"}, all[1:]},
			{document.Query{Viewer: ann.ID}, all[1:]},
			{document.Query{Viewer: bob.ID}, []string{"letter", "scan"}},
			{document.Query{Viewer: bob.ID, Keyword: "scan"}, []string{"scan"}},
			{document.Query{Viewer: bob.ID, Owner: ann.ID}, []string{"scan"}},
			{document.Query{Owner: ann.ID}, all[1:]},
			{document.Query{Viewer: bob.ID, Keyword: "a keyword that is longer than what suffixes have"}, nil},
		} {
			c.q.Size = 10
			same(t, fmt.Sprintf("List of %+v", c.q), listed(t, s, c.q, len(c.want)), c.want)
			for n := range c.want { // by pages of one document
				c.q.Size, c.q.Page = 1, n
				same(t, fmt.Sprintf("List of %+v", c.q), listed(t, s, c.q, len(c.want)), c.want[n:n+1])
			}
		}
		for u, want := range map[int64]int{ann.ID: 3, bob.ID: 1} {
			same(t, "documents", documentsOf(t, s, u), want)
		}
	})

	t.Run("Update of the first page changes name, visibility and seal of all", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		stored := add(t, s, somePages(ann, "scan", 3))
		other := add(t, s, somePages(ann, "other", 2))
		_, err := s.Catalog.Update(t.Context(), stored[0].ID, func(i *document.Image) error {
			*i = i.TurnedTo(90)
			i.Name, i.Visibility, i.Seal, i.Thumbnail = "letter", document.Shared, []byte("sealed"), "another-thumbnail"
			return nil
		})
		check.OK(t, "Update", err)
		got, err := s.Catalog.Pages(t.Context(), stored[0].ID, 1, 9)
		check.OK(t, "Pages", err)
		want := slices.Clone(stored)
		want[0] = want[0].TurnedTo(90)
		want[0].Thumbnail = "another-thumbnail"
		for n := range want {
			want[n].Name, want[n].Visibility, want[n].Seal = "letter", document.Shared, []byte("sealed")
		}
		same(t, "pages", got, want)
		same(t, "List of bob", listed(t, s, document.Query{Viewer: bob.ID, Size: 10}, 1), []string{"letter"})
		same(t, "List by the new name", listed(t, s, document.Query{Keyword: "lette", Size: 10}, 1), []string{"letter"})
		same(t, "List by the old name", listed(t, s, document.Query{Keyword: "scan", Size: 10}, 0), []string(nil))
		got, err = s.Catalog.Pages(t.Context(), other[0].ID, 1, 9)
		check.OK(t, "Pages", err)
		same(t, "pages of the other document", got, other)
	})

	t.Run("Update of a later page changes what is of the page only", func(t *testing.T) {
		s := open(t)
		stored := add(t, s, somePages(addUser(t, s, "ann"), "scan", 3))
		updated, err := s.Catalog.Update(t.Context(), stored[1].ID, func(i *document.Image) error {
			*i = i.TurnedTo(270)
			i.Name, i.Visibility, i.Seal, i.Thumbnail = "letter", document.Shared, []byte("sealed"), "its-thumbnail"
			return nil
		})
		check.OK(t, "Update", err)
		want := slices.Clone(stored)
		want[1] = want[1].TurnedTo(270)
		want[1].Thumbnail = "its-thumbnail"
		same(t, "the page", updated, want[1])
		got, err := s.Catalog.Pages(t.Context(), stored[0].ID, 1, 9)
		check.OK(t, "Pages", err)
		same(t, "pages", got, want)
		same(t, "List by the name", listed(t, s, document.Query{Keyword: "scan", Size: 10}, 1), []string{"scan"})
		same(t, "List by the other name", listed(t, s, document.Query{Keyword: "letter", Size: 10}, 0), []string(nil))
		named, err := s.Catalog.Named(t.Context(), []string{"", "its-thumbnail", "x"})
		check.OK(t, "Named", err)
		same(t, "named", named, []string{"its-thumbnail"})
	})

	t.Run("Delete takes all pages along, and not by a later one", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		stored, other := add(t, s, somePages(ann, "scan", 3)), add(t, s, somePages(ann, "other", 2))
		if s.Runs != nil {
			addRun(t, s, someRun(stored[0], ann, 1))
			addRun(t, s, someRun(stored[2], ann, 2))
			addRun(t, s, someRun(other[1], ann, 3))
		}
		check.Kind(t, "Delete of a later page", s.Catalog.Delete(t.Context(), stored[1].ID), fault.NotFound)
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), stored[0].ID))
		for _, i := range stored {
			_, err := s.Catalog.ByID(t.Context(), i.ID)
			check.Kind(t, "ByID", err, fault.NotFound)
		}
		got, err := s.Catalog.Pages(t.Context(), other[0].ID, 1, 9)
		check.OK(t, "Pages", err)
		same(t, "pages of the other document", got, other)
		same(t, "documents", documentsOf(t, s, ann.ID), 1)
		if s.Runs == nil {
			return
		}
		for n := range 2 {
			_, err := s.Runs.ByContent(t.Context(), contentID(n+1))
			check.Kind(t, "Runs.ByContent", err, fault.NotFound)
		}
		_, err = s.Runs.ByContent(t.Context(), contentID(3))
		check.OK(t, "Runs.ByContent of the other document", err)
	})
}

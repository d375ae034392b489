package porttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"

	"golang.org/x/text/unicode/norm"
)

// listed returns the names of the images that a query gives, and checks how many match in all.
func listed(t *testing.T, s Stores, q document.Query, total int) []string {
	t.Helper()
	images, n, err := s.Catalog.List(t.Context(), q)
	check.OK(t, fmt.Sprintf("List of %+v", q), err)
	same(t, fmt.Sprintf("in all of %+v", q), n, total)
	var names []string
	for _, i := range images {
		names = append(names, i.Name)
	}
	return names
}

// Catalog is the suite of document.Catalog.
func Catalog(t *testing.T, open func(t *testing.T) Stores) {
	t.Run("Add gives an ID and the row comes back", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		i := someImage(ann, strings.Repeat("한", 199)+"🖼")
		i.Geometry = document.Geometry{MediaType: "image/tiff", Width: 40000, Height: 12345, Pages: 7, DPI: 600}
		i.Frames = 12
		i.Rotation = 270
		i.Size, i.Visibility = 5<<32, document.Shared
		added := addImage(t, s, i)
		if added.ID <= 0 {
			t.Errorf("got ID %d, want a positive one", added.ID)
		}
		want := i
		want.ID, want.Document, want.Owner.Name, want.Created = added.ID, added.ID, "ann", i.Created.UTC()
		same(t, "Add", added, want)
		got, err := s.Catalog.ByID(t.Context(), added.ID)
		check.OK(t, "ByID", err)
		same(t, "ByID", got, want)
		images, _, err := s.Catalog.List(t.Context(), document.Query{Size: 10})
		check.OK(t, "List", err)
		same(t, "List", images, []document.Image{want})
	})

	t.Run("NotFound", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		i := addImage(t, s, someImage(ann, "page"))
		_, err := s.Catalog.ByID(t.Context(), i.ID+1)
		check.Kind(t, "ByID", err, fault.NotFound)
		called := false
		_, err = s.Catalog.Update(t.Context(), i.ID+1, func(*document.Image) error { called = true; return nil })
		check.Kind(t, "Update", err, fault.NotFound)
		if called {
			t.Error("change was called without a row")
		}
		check.Kind(t, "Delete", s.Catalog.Delete(t.Context(), i.ID+1), fault.NotFound)
		_, err = addPages(t, s, someImage(account.User{ID: ann.ID + 100}, "page"))
		check.Kind(t, "Add for no user", err, fault.NotFound)
		same(t, "images", listed(t, s, document.Query{Size: 10}, 1), []string{"page"})
	})

	t.Run("several images at once", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		want := map[int64]document.Image{}
		ids := []int64{0, 1 << 40}
		for n := range 5 {
			i := addImage(t, s, someImage(ann, fmt.Sprint("page", n)))
			if n != 2 {
				want[i.ID], ids = i, append(ids, i.ID)
			}
		}
		images, err := s.Catalog.ByIDs(t.Context(), ids)
		check.OK(t, "ByIDs", err)
		same(t, "how many", len(images), 4)
		for _, i := range images {
			same(t, "image", i, want[i.ID])
		}
		images, err = s.Catalog.ByIDs(t.Context(), nil)
		check.OK(t, "ByIDs of none", err)
		same(t, "images", len(images), 0)
		for n := range int64(1200) {
			ids = append(ids, 1<<41+n)
		}
		images, err = s.Catalog.ByIDs(t.Context(), ids)
		check.OK(t, "ByIDs of many", err)
		same(t, "of many", len(images), 4)
	})

	t.Run("a later image has a greater ID", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		last := int64(0)
		for range 3 {
			i := addImage(t, s, someImage(ann, "page"))
			if i.ID <= last {
				t.Errorf("got ID %d after %d", i.ID, last)
			}
			last = i.ID
			check.OK(t, "Delete", s.Catalog.Delete(t.Context(), i.ID))
		}
	})

	t.Run("List newest first by pages and by Before", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		var ids []int64
		for n := range 5 {
			i := someImage(ann, fmt.Sprint("page", n))
			i.Created = moment(10 - n) // the ID decides, not the clock
			ids = append(ids, addImage(t, s, i).ID)
		}
		for _, c := range []struct {
			q    document.Query
			want []string
		}{
			{document.Query{Size: 2}, []string{"page4", "page3"}},
			{document.Query{Size: 2, Page: 1}, []string{"page2", "page1"}},
			{document.Query{Size: 2, Page: 2}, []string{"page0"}},
			{document.Query{Size: 2, Page: 3}, nil},
			{document.Query{Size: 2, Before: ids[3]}, []string{"page2", "page1"}},
			{document.Query{Size: 2, Before: ids[0]}, nil},
			{document.Query{Size: 9, Before: ids[4] + 100}, []string{"page4", "page3", "page2", "page1", "page0"}},
			{document.Query{Size: 2, Keyword: "page", Before: ids[2]}, []string{"page1", "page0"}},
		} {
			same(t, fmt.Sprintf("List of %+v", c.q), listed(t, s, c.q, 5), c.want)
		}
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), ids[3]))
		same(t, "List before a deleted one", listed(t, s, document.Query{Size: 1, Before: ids[3]}, 4), []string{"page2"})
	})

	orders(t, open)

	t.Run("List by viewer and owner", func(t *testing.T) {
		s := open(t)
		ann, bob, carl := addUser(t, s, "ann"), addUser(t, s, "bob"), addUser(t, s, "carl")
		for _, c := range []struct {
			owner account.User
			name  string
			see   document.Visibility
		}{{ann, "a1", document.Private}, {ann, "a2", document.Shared}, {bob, "b1", document.Private}, {bob, "b2", document.Shared}} {
			i := someImage(c.owner, c.name)
			i.Visibility = c.see
			addImage(t, s, i)
		}
		for _, c := range []struct {
			q    document.Query
			want []string
		}{
			{document.Query{}, []string{"b2", "b1", "a2", "a1"}},
			{document.Query{Viewer: ann.ID}, []string{"b2", "a2", "a1"}},
			{document.Query{Viewer: bob.ID}, []string{"b2", "b1", "a2"}},
			{document.Query{Viewer: carl.ID}, []string{"b2", "a2"}},
			{document.Query{Owner: ann.ID}, []string{"a2", "a1"}},
			{document.Query{Owner: carl.ID}, nil},
			{document.Query{Viewer: ann.ID, Owner: bob.ID}, []string{"b2"}},
			{document.Query{Viewer: ann.ID, Owner: ann.ID}, []string{"a2", "a1"}},
			{document.Query{Viewer: carl.ID, Keyword: "1"}, nil},
			{document.Query{Viewer: ann.ID, Keyword: "1"}, []string{"a1"}},
			{document.Query{Viewer: ann.ID, Keyword: "BOB"}, []string{"b2"}},
		} {
			c.q.Size = 10
			same(t, fmt.Sprintf("List of %+v", c.q), listed(t, s, c.q, len(c.want)), c.want)
		}
	})

	t.Run("List by keyword", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "AnnLee"), addUser(t, s, "Bob")
		composed, decomposed := norm.NFC.String("한글 문서"), norm.NFD.String("한글 편지")
		for _, name := range []string{"100% cotton", "1000 cotton", "a_b", "axb", `back\slash`, "Café", norm.NFD.String("CAFÉ noir"),
			composed, decomposed, "it's [a] * ?"} {
			addImage(t, s, someImage(ann, name))
		}
		addImage(t, s, someImage(bob, "other"))
		for keyword, want := range map[string][]string{
			"100%":                  {"100% cotton"},
			"%":                     {"100% cotton"},
			"COTTON":                {"1000 cotton", "100% cotton"},
			"_":                     {"a_b"},
			"A_B":                   {"a_b"},
			`\`:                     {`back\slash`},
			`\s`:                    {`back\slash`},
			`\%`:                    nil,
			"[a]":                   {"it's [a] * ?"},
			"*":                     {"it's [a] * ?"},
			"?":                     {"it's [a] * ?"},
			"t's":                   {"it's [a] * ?"},
			norm.NFC.String("café"): {norm.NFD.String("CAFÉ noir"), "Café"},
			norm.NFD.String("CAFÉ"): {norm.NFD.String("CAFÉ noir"), "Café"},
			norm.NFC.String("한글"):   {decomposed, composed},
			norm.NFD.String("한글"):   {decomposed, composed},
			norm.NFD.String("문서"):   {composed},
			norm.NFC.String("편지"):   {decomposed},
			norm.NFC.String("글 문"):  {composed},
			norm.NFC.String("글"):    {decomposed, composed},
			"nnle": {"it's [a] * ?", decomposed, composed, norm.NFD.String("CAFÉ noir"), "Café", `back\slash`, "axb",
				"a_b", "1000 cotton", "100% cotton"},
			"bOB":                         {"other"},
			"lee" + norm.NFC.String("한글"): nil,
		} {
			same(t, "List of "+keyword, listed(t, s, document.Query{Keyword: keyword, Size: 20}, len(want)), want)
		}
		same(t, "List by pages", listed(t, s, document.Query{Keyword: "cotton", Size: 1, Page: 1}, 2), []string{"100% cotton"})
	})

	keywords(t, open)
	documents(t, open)
	shares(t, open)
	tags(t, open)

	t.Run("the name of the owner follows the owner", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		i := addImage(t, s, someImage(ann, "page"))
		_, err := s.Users.Update(t.Context(), ann.ID, func(u *account.User) error { u.Name = "Dora"; return nil })
		check.OK(t, "Users.Update", err)
		same(t, "List by the new name", listed(t, s, document.Query{Keyword: "dora", Size: 10}, 1), []string{"page"})
		same(t, "List by the old name", listed(t, s, document.Query{Keyword: "ann", Size: 10}, 0), []string(nil))
		got, err := s.Catalog.ByID(t.Context(), i.ID)
		check.OK(t, "ByID", err)
		same(t, "owner", got.Owner, account.Ref{ID: ann.ID, Name: "Dora"})
		resign(t, s, ann.ID)
		got, err = s.Catalog.ByID(t.Context(), i.ID)
		check.OK(t, "ByID", err)
		same(t, "owner who resigned", got.Owner, account.Ref{ID: ann.ID})
		same(t, "List after resigning", listed(t, s, document.Query{Keyword: "pag", Size: 10}, 1), []string{"page"})
	})

	t.Run("documents of a user", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		count := func(u account.User, want int) {
			t.Helper()
			same(t, "documents of "+u.Name, documentsOf(t, s, u.ID), want)
		}
		count(ann, 0)
		i := addImage(t, s, someImage(ann, "page"))
		addImage(t, s, someImage(ann, "page"))
		shared := someImage(bob, "page")
		shared.Visibility = document.Shared
		addImage(t, s, shared)
		count(ann, 2)
		count(bob, 1)
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), i.ID))
		count(ann, 1)
	})

	t.Run("Update changes name, visibility, rotation, size of the page and thumbnail only", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		i, other := addImage(t, s, someImage(ann, "page")), addImage(t, s, someImage(bob, "other"))
		want := i
		want = want.TurnedTo(90)
		want.Name, want.Visibility, want.Thumbnail = "새 이름", document.Shared, "turned-blob"
		got, err := s.Catalog.Update(t.Context(), i.ID, func(v *document.Image) error {
			same(t, "what change is given", *v, i)
			*v = someImage(bob, want.Name)
			*v = v.TurnedTo(90)
			v.ID, v.Visibility, v.Size, v.Original, v.Thumbnail = other.ID, document.Shared, 1, "another", "turned-blob"
			return nil
		})
		check.OK(t, "Update", err)
		same(t, "Update", got, want)
		got, err = s.Catalog.ByID(t.Context(), i.ID)
		check.OK(t, "ByID", err)
		same(t, "ByID", got, want)
		same(t, "List by the new name", listed(t, s, document.Query{Keyword: "이름", Size: 10}, 1), []string{want.Name})
		same(t, "List by the old name", listed(t, s, document.Query{Keyword: "page", Size: 10}, 0), []string(nil))
	})

	t.Run("an error from change leaves the row", func(t *testing.T) {
		s := open(t)
		i := addImage(t, s, someImage(addUser(t, s, "ann"), "page"))
		stop := errors.New("stop")
		_, err := s.Catalog.Update(t.Context(), i.ID, func(v *document.Image) error { v.Name = "other"; return stop })
		if err != stop { //nolint:errorlint // the contract: as it is
			t.Errorf("got error %v, want the very one of change", err)
		}
		got, err := s.Catalog.ByID(t.Context(), i.ID)
		check.OK(t, "ByID", err)
		same(t, "the row", got, i)
	})

	t.Run("concurrent updates lose nothing", func(t *testing.T) {
		s := open(t)
		i := addImage(t, s, someImage(addUser(t, s, "ann"), "page"))
		allOK(t, "Update", race(racers, func(int) error {
			_, err := s.Catalog.Update(t.Context(), i.ID, func(v *document.Image) error { v.Name += "x"; return nil })
			return err
		}))
		got, err := s.Catalog.ByID(t.Context(), i.ID)
		check.OK(t, "ByID", err)
		same(t, "name", got.Name, "page"+strings.Repeat("x", racers))
	})

	t.Run("concurrent additions have an ID each", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		allOK(t, "Add", race(racers, func(int) error { _, err := addPages(t, s, someImage(ann, "page")); return err }))
		images, n, err := s.Catalog.List(t.Context(), document.Query{Size: 100})
		check.OK(t, "List", err)
		seen := map[int64]bool{}
		for _, i := range images {
			seen[i.ID] = true
		}
		if len(seen) != racers || n != racers {
			t.Errorf("got %d IDs of %d images, want %d", len(seen), n, racers)
		}
	})

	t.Run("Delete takes the runs along", func(t *testing.T) {
		s := open(t)
		if s.Runs == nil {
			t.Log("these stores keep no runs, so only the image goes")
		}
		ann := addUser(t, s, "ann")
		i, other := addImage(t, s, someImage(ann, "page")), addImage(t, s, someImage(ann, "other"))
		if s.Runs != nil {
			addRun(t, s, someRun(i, ann, 1, 2))
			addRun(t, s, someRun(i, ann, 3))
			addRun(t, s, someRun(other, ann, 4))
		}
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), i.ID))
		_, err := s.Catalog.ByID(t.Context(), i.ID)
		check.Kind(t, "ByID", err, fault.NotFound)
		same(t, "List", listed(t, s, document.Query{Size: 10}, 1), []string{"other"})
		check.Kind(t, "Delete again", s.Catalog.Delete(t.Context(), i.ID), fault.NotFound)
		if s.Runs == nil {
			return
		}
		for n := range 3 {
			_, err := s.Runs.ByContent(t.Context(), contentID(n+1))
			check.Kind(t, "Runs.ByContent", err, fault.NotFound)
		}
		_, err = s.Runs.ByVersion(t.Context(), i.ID, 1)
		check.Kind(t, "Runs.ByVersion", err, fault.NotFound)
		ids, err := s.Runs.ContentIDs(t.Context(), i.ID)
		check.OK(t, "Runs.ContentIDs", err)
		same(t, "contents of the deleted image", ids, []string(nil))
		run, err := s.Runs.ByContent(t.Context(), contentID(4))
		check.OK(t, "Runs.ByContent of the other image", err)
		same(t, "image of the other run", run.ImageID, other.ID)
	})

	t.Run("Named picks originals and thumbnails", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		named := func(blobs ...string) []string {
			t.Helper()
			got, err := s.Catalog.Named(t.Context(), blobs)
			check.OK(t, "Named", err)
			slices.Sort(got)
			return got
		}
		same(t, "named by nothing", named("o1", "t1"), []string(nil))
		var first document.Image
		var all []string
		for n := range 3 {
			i := someImage(ann, "page")
			i.Original, i.Thumbnail = fmt.Sprint("o", n), fmt.Sprint("t", n)
			all = append(all, i.Original, i.Thumbnail)
			if i = addImage(t, s, i); n == 0 {
				first = i
			}
		}
		same(t, "named", named("x", "t1", "O1", "", "o2", "o", "t0"), []string{"o2", "t0", "t1"})
		same(t, "of none", named(), []string(nil))
		for n := range 3000 { // more than one statement takes
			all = append(all, fmt.Sprint("other", n))
		}
		same(t, "of many", named(all...), []string{"o0", "o1", "o2", "t0", "t1", "t2"})
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), first.ID))
		same(t, "after one was deleted", named("o0", "t0", "o1"), []string{"o1"})
	})

	t.Run("one of many deletes", func(t *testing.T) {
		s := open(t)
		i := addImage(t, s, someImage(addUser(t, s, "ann"), "page"))
		oneOK(t, "Delete", race(racers, func(int) error { return s.Catalog.Delete(t.Context(), i.ID) }), fault.NotFound)
	})
}

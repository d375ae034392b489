package porttest

import (
	"errors"
	"fmt"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

// shareWith makes users the readers of a document, and nobody else.
func shareWith(t *testing.T, s Stores, id int64, users ...account.User) document.Image {
	t.Helper()
	i, err := s.Catalog.Update(t.Context(), id, func(i *document.Image) error {
		i.Readers = nil
		for _, u := range users {
			i.Readers = append(i.Readers, account.Ref{ID: u.ID, Name: u.Name})
		}
		return nil
	})
	check.OK(t, "Update of readers", err)
	return i
}

func see(t *testing.T, s Stores, id int64, v document.Visibility) {
	t.Helper()
	_, err := s.Catalog.Update(t.Context(), id, func(i *document.Image) error { i.Visibility = v; return nil })
	check.OK(t, "Update of the visibility", err)
}

func refs(users ...account.User) (refs []account.Ref) {
	for _, u := range users {
		refs = append(refs, account.Ref{ID: u.ID, Name: u.Name})
	}
	return refs
}

// shares is the part of the suite of document.Catalog that is about documents that are shared by name.
func shares(t *testing.T, open func(t *testing.T) Stores) {
	t.Run("readers are those of the document, by name", func(t *testing.T) {
		s := open(t)
		ann, bob, carl, dora := addUser(t, s, "ann"), addUser(t, s, "bob"), addUser(t, s, "Carl"), addUser(t, s, "dora")
		other := addImage(t, s, someImage(ann, "other"))
		first, err := addPages(t, s, somePages(ann, "scan", 3)...)
		check.OK(t, "Add", err)
		same(t, "readers at first", first.Readers, refs())
		got := shareWith(t, s, first.ID, dora, carl, bob)
		want := first
		want.Readers = refs(bob, carl, dora)
		same(t, "Update", got, want)
		same(t, "readers of all the same", shareWith(t, s, first.ID, bob, carl, dora).Readers, want.Readers)
		pages, err := s.Catalog.Pages(t.Context(), first.ID, 1, 3)
		check.OK(t, "Pages", err)
		for _, p := range pages {
			same(t, fmt.Sprint("readers of page ", p.Number), p.Readers, want.Readers)
			got, err := s.Catalog.ByID(t.Context(), p.ID)
			check.OK(t, "ByID", err)
			same(t, fmt.Sprint("readers of page ", p.Number), got.Readers, want.Readers)
		}
		got, err = s.Catalog.ByID(t.Context(), other.ID)
		check.OK(t, "ByID", err)
		same(t, "readers of the other document", got.Readers, refs())
		same(t, "readers once one is off", shareWith(t, s, first.ID, dora, bob).Readers, refs(bob, dora))
		_, err = s.Catalog.Update(t.Context(), pages[1].ID, func(i *document.Image) error { i.Readers = nil; return nil })
		check.OK(t, "Update of a later page", err)
		got, err = s.Catalog.ByID(t.Context(), pages[1].ID)
		check.OK(t, "ByID", err)
		same(t, "readers after an update of a later page", got.Readers, refs(bob, dora))
		_, err = s.Users.Update(t.Context(), bob.ID, func(u *account.User) error { u.Name = "Zoe"; return nil })
		check.OK(t, "Users.Update", err)
		got, err = s.Catalog.ByID(t.Context(), first.ID)
		check.OK(t, "ByID", err)
		same(t, "readers once one has another name", got.Readers, []account.Ref{{ID: dora.ID, Name: "dora"}, {ID: bob.ID, Name: "Zoe"}})
	})

	t.Run("who is shared with finds the document in each list", func(t *testing.T) {
		s := open(t)
		ann, bob, carl := addUser(t, s, "ann"), addUser(t, s, "bob"), addUser(t, s, "carl")
		ids := map[string]int64{}
		for n, owner := range []account.User{ann, bob, carl, ann, bob, ann} {
			i := someImage(owner, fmt.Sprintf("%s%d", owner.Name, 9-n))
			ids[i.Name] = addImage(t, s, i).ID
		}
		shared := func(viewer account.User, names ...string) { // newest first
			t.Helper()
			q := document.Query{Viewer: viewer.ID, Size: 10}
			same(t, "seen by "+viewer.Name, listed(t, s, q, len(names)), names)
			for page := range (len(names) + 1) / 2 {
				q, want := document.Query{Viewer: viewer.ID, Size: 2, Page: page}, names[2*page:min(2*page+2, len(names))]
				same(t, fmt.Sprintf("page %d of %s", page, viewer.Name), listed(t, s, q, len(names)), want)
			}
			for n := range len(names) - 1 {
				q := document.Query{Viewer: viewer.ID, Size: 10, Before: ids[names[n]]}
				same(t, "before "+names[n], listed(t, s, q, len(names)), names[n+1:])
			}
		}
		shared(bob, "bob5", "bob8")
		for _, name := range []string{"ann9", "ann4", "carl7"} {
			shareWith(t, s, ids[name], bob)
		}
		shareWith(t, s, ids["ann6"], carl)
		shared(bob, "ann4", "bob5", "carl7", "bob8", "ann9")
		shared(carl, "ann6", "carl7")
		shared(ann, "ann4", "ann6", "ann9")
		for _, c := range []struct {
			q    document.Query
			want []string
		}{
			{document.Query{Viewer: bob.ID, Order: document.Oldest}, []string{"ann9", "bob8", "carl7", "bob5", "ann4"}},
			{document.Query{Viewer: bob.ID, Order: document.ByName}, []string{"ann4", "ann9", "bob5", "bob8", "carl7"}},
			{document.Query{Viewer: bob.ID, Owner: ann.ID}, []string{"ann4", "ann9"}},
			{document.Query{Viewer: bob.ID, Owner: bob.ID}, []string{"bob5", "bob8"}},
			{document.Query{Viewer: bob.ID, Keyword: "ann"}, []string{"ann4", "ann9"}},
			{document.Query{Viewer: bob.ID, Keyword: "4"}, []string{"ann4"}},
			{document.Query{Viewer: bob.ID, Keyword: "6"}, nil},
			{document.Query{Viewer: bob.ID, Owner: ann.ID, Keyword: "9"}, []string{"ann9"}},
			{document.Query{Viewer: bob.ID, Owner: ann.ID, Keyword: "ann"}, []string{"ann4", "ann9"}},
			{document.Query{Viewer: carl.ID, Keyword: "ann"}, []string{"ann6"}},
			{document.Query{Viewer: carl.ID, Keyword: "bob"}, nil},
			{document.Query{Viewer: bob.ID, Others: true}, []string{"ann4", "carl7", "ann9"}},
			{document.Query{Viewer: bob.ID, Others: true, Order: document.ByName}, []string{"ann4", "ann9", "carl7"}},
			{document.Query{Viewer: bob.ID, Others: true, Keyword: "9"}, []string{"ann9"}},
			{document.Query{Viewer: bob.ID, Others: true, Keyword: "8"}, nil},
			{document.Query{Viewer: bob.ID, Others: true, Keyword: "bob"}, nil},
			{document.Query{Viewer: bob.ID, Others: true, Keyword: "ann"}, []string{"ann4", "ann9"}},
			{document.Query{}, []string{"ann4", "bob5", "ann6", "carl7", "bob8", "ann9"}},
		} {
			c.q.Size = 10
			same(t, fmt.Sprintf("List of %+v", c.q), listed(t, s, c.q, len(c.want)), c.want)
		}
		_, err := s.Catalog.Update(t.Context(), ids["ann4"], func(i *document.Image) error { i.Name = "x4"; return nil })
		check.OK(t, "Update of the name", err)
		same(t, "by name, renamed", listed(t, s, document.Query{Viewer: bob.ID, Order: document.ByName, Size: 10}, 5),
			[]string{"ann9", "bob5", "bob8", "carl7", "x4"})
		ids["x4"] = ids["ann4"]

		see(t, s, ids["x4"], document.Shared) // each is there once
		shared(bob, "x4", "bob5", "carl7", "bob8", "ann9")
		shared(carl, "x4", "ann6", "carl7")
		same(t, "others", listed(t, s, document.Query{Viewer: carl.ID, Others: true, Size: 10}, 2), []string{"x4", "ann6"})
		same(t, "keyword of an owner", listed(t, s, document.Query{Viewer: bob.ID, Keyword: "ann", Size: 10}, 2), []string{"x4", "ann9"})
		shareWith(t, s, ids["x4"], bob, carl)
		shared(carl, "x4", "ann6", "carl7")
		see(t, s, ids["x4"], document.Private)
		shared(carl, "x4", "ann6", "carl7")
		shareWith(t, s, ids["x4"], carl)
		shared(bob, "bob5", "carl7", "bob8", "ann9")
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), ids["ann9"]))
		shared(bob, "bob5", "carl7", "bob8")
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), ids["x4"]))
		shared(carl, "ann6", "carl7")
	})

	t.Run("who resigns is no reader any more, nor becomes one", func(t *testing.T) {
		s := open(t)
		ann, bob, carl := addUser(t, s, "ann"), addUser(t, s, "bob"), addUser(t, s, "carl")
		i, other := addImage(t, s, someImage(ann, "a")), addImage(t, s, someImage(ann, "b"))
		shareWith(t, s, i.ID, bob, carl)
		shareWith(t, s, other.ID, bob)
		resign(t, s, bob.ID)
		got, err := s.Catalog.ByID(t.Context(), i.ID)
		check.OK(t, "ByID", err)
		same(t, "readers", got.Readers, refs(carl))
		same(t, "what is still given", listed(t, s, document.Query{Viewer: bob.ID, Size: 10}, 0), []string(nil))
		for _, nobody := range []int64{bob.ID, carl.ID + 1000} {
			_, err := s.Catalog.Update(t.Context(), i.ID, func(i *document.Image) error {
				i.Name, i.Readers = "other", append(i.Readers, account.Ref{ID: nobody, Name: "bob"})
				return nil
			})
			check.Kind(t, "Update", err, fault.NotFound)
			if !errors.Is(err, account.ErrUserNotFound) {
				t.Errorf("got %v, want %v", err, account.ErrUserNotFound)
			}
		}
		got, err = s.Catalog.ByID(t.Context(), i.ID)
		check.OK(t, "ByID", err)
		same(t, "the row", got.Name+" "+got.Readers[0].Name, "a carl")
		resign(t, s, ann.ID) // who kept what she owned
		same(t, "list of the reader", listed(t, s, document.Query{Viewer: carl.ID, Size: 10}, 1), []string{"a"})
	})

	t.Run("what is given is counted right, whatever is done at once", func(t *testing.T) {
		s := open(t)
		ann, bob, carl := addUser(t, s, "ann"), addUser(t, s, "bob"), addUser(t, s, "carl")
		var ids []int64
		for n := range 4 {
			ids = append(ids, addImage(t, s, someImage(ann, fmt.Sprint("page", n))).ID)
		}
		allOK(t, "Update", race(racers, func(n int) error {
			_, err := s.Catalog.Update(t.Context(), ids[n%4], func(i *document.Image) error {
				i.Readers, i.Visibility = refs(bob, carl)[n%2:], []document.Visibility{document.Private, document.Shared}[n/2%2]
				return nil
			})
			return err
		}))
		for _, id := range ids {
			see(t, s, id, document.Private)
			shareWith(t, s, id, bob)
		}
		for _, u := range []account.User{bob, carl} { // a page is asked for, so that the rows are not counted
			images, n, err := s.Catalog.List(t.Context(), document.Query{Viewer: u.ID, Size: 1})
			check.OK(t, "List", err)
			same(t, "given to "+u.Name, []int{len(images), n}, map[string][]int{"bob": {1, 4}, "carl": {0, 0}}[u.Name])
		}
	})
}

// tags is the part of the suite of document.Catalog that is about tags.
func tags(t *testing.T, open func(t *testing.T) Stores) {
	tag := func(t *testing.T, s Stores, id int64, tags ...string) document.Image {
		t.Helper()
		i, err := s.Catalog.Update(t.Context(), id, func(i *document.Image) error { i.Tags = tags; return nil })
		check.OK(t, "Update of tags", err)
		return i
	}

	t.Run("tags are those of the document, by their folded forms", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		other := addImage(t, s, someImage(ann, "other"))
		first, err := addPages(t, s, somePages(ann, "scan", 3)...)
		check.OK(t, "Add", err)
		want := first
		want.Tags = []string{"a, b", "Invoice", "zebra", "영수증"}
		same(t, "Update", tag(t, s, first.ID, "zebra", "영수증", "Invoice", "a, b"), want)
		pages, err := s.Catalog.Pages(t.Context(), first.ID, 1, 3)
		check.OK(t, "Pages", err)
		for _, p := range pages {
			same(t, fmt.Sprint("tags of page ", p.Number), p.Tags, want.Tags)
		}
		got, err := s.Catalog.ByID(t.Context(), other.ID)
		check.OK(t, "ByID", err)
		same(t, "tags of the other document", got.Tags, []string{})
		same(t, "another spelling", tag(t, s, first.ID, "INVOICE").Tags, []string{"INVOICE"})
		same(t, "no tags", tag(t, s, first.ID).Tags, []string{})
	})

	t.Run("List by tags, and the tags of what one may see", func(t *testing.T) {
		s := open(t)
		ann, bob, carl := addUser(t, s, "ann"), addUser(t, s, "bob"), addUser(t, s, "carl")
		ids := map[string]int64{}
		for _, c := range []struct {
			owner account.User
			name  string
			tags  []string
		}{
			{ann, "a9", []string{"Tax", "2025"}}, {ann, "a8", []string{"tax"}}, {ann, "a7", nil}, {ann, "a6", []string{"TAX", "2026"}},
			{bob, "b5", []string{"Tax", "2026"}}, {bob, "b4", []string{"%"}}, {ann, "a3", []string{"tax", "2026", "taxi"}},
		} {
			ids[c.name] = addImage(t, s, someImage(c.owner, c.name)).ID
			tag(t, s, ids[c.name], c.tags...)
		}
		shareWith(t, s, ids["a8"], bob)
		shareWith(t, s, ids["a6"], bob)
		see(t, s, ids["a3"], document.Shared)
		lists := func(q document.Query, want ...string) {
			t.Helper()
			q.Size = 10
			same(t, fmt.Sprintf("List of %+v", q), listed(t, s, q, len(want)), want)
		}
		by := func(tags ...string) []string { return tags }
		lists(document.Query{Tags: by("tax")}, "a3", "b5", "a6", "a8", "a9")
		lists(document.Query{Tags: by("tax", "2026")}, "a3", "b5", "a6")
		lists(document.Query{Tags: by("2026", "tax", "taxi")}, "a3")
		lists(document.Query{Tags: by("ta")})
		lists(document.Query{Tags: by("%")}, "b4")
		lists(document.Query{Tags: by("tax", "%")})
		lists(document.Query{Tags: by("tax"), Viewer: ann.ID}, "a3", "a6", "a8", "a9")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID}, "a3", "b5", "a6", "a8")
		lists(document.Query{Tags: by("tax"), Viewer: carl.ID}, "a3")
		lists(document.Query{Tags: by("tax", "2026"), Viewer: bob.ID}, "a3", "b5", "a6")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID, Order: document.Oldest}, "a8", "a6", "b5", "a3")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID, Order: document.ByName}, "a3", "a6", "a8", "b5")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID, Others: true}, "a3", "a6", "a8")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID, Owner: bob.ID}, "b5")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID, Owner: ann.ID}, "a3", "a6", "a8")
		lists(document.Query{Tags: by("tax"), Owner: ann.ID, Order: document.ByName}, "a3", "a6", "a8", "a9")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID, Keyword: "6"}, "a6")
		lists(document.Query{Tags: by("tax"), Viewer: bob.ID, Keyword: "BOB"}, "b5")
		lists(document.Query{Tags: by("2026"), Keyword: "a"}, "a3", "a6")
		q := document.Query{Tags: by("tax"), Viewer: bob.ID, Size: 2, Page: 1}
		same(t, "the second page", listed(t, s, q, 4), []string{"a6", "a8"})
		q = document.Query{Tags: by("tax"), Viewer: bob.ID, Size: 2, Before: ids["b5"]}
		same(t, "before an image", listed(t, s, q, 4), []string{"a6", "a8"})
		q = document.Query{Tags: by("tax"), Viewer: bob.ID, Size: 2, Before: ids["a6"], Order: document.ByName}
		same(t, "by name, before an image", listed(t, s, q, 4), []string{"a8", "b5"})

		inUse := func(q document.Query, want ...document.Tag) {
			t.Helper()
			q.Size = 10
			got, n, err := s.Catalog.Tags(t.Context(), q)
			check.OK(t, "Tags", err)
			same(t, fmt.Sprintf("Tags of %+v", q), got, want)
			same(t, fmt.Sprintf("how many of %+v", q), n, len(want))
		}
		inUse(document.Query{}, document.Tag{Name: "%", Documents: 1}, document.Tag{Name: "2025", Documents: 1},
			document.Tag{Name: "2026", Documents: 3}, document.Tag{Name: "TAX", Documents: 5}, document.Tag{Name: "taxi", Documents: 1})
		inUse(document.Query{Viewer: bob.ID}, document.Tag{Name: "%", Documents: 1}, document.Tag{Name: "2026", Documents: 3},
			document.Tag{Name: "TAX", Documents: 4}, document.Tag{Name: "taxi", Documents: 1})
		inUse(document.Query{Viewer: bob.ID, Owner: bob.ID}, document.Tag{Name: "%", Documents: 1},
			document.Tag{Name: "2026", Documents: 1}, document.Tag{Name: "Tax", Documents: 1})
		inUse(document.Query{Viewer: bob.ID, Others: true, Keyword: "ax"}, document.Tag{Name: "TAX", Documents: 3},
			document.Tag{Name: "taxi", Documents: 1})
		inUse(document.Query{Viewer: carl.ID, Keyword: "%"})
		got, n, err := s.Catalog.Tags(t.Context(), document.Query{Size: 2, Page: 1})
		check.OK(t, "Tags", err)
		same(t, "the second page of tags", got, []document.Tag{{Name: "2026", Documents: 3}, {Name: "TAX", Documents: 5}})
		same(t, "tags in all", n, 5)

		_, err = s.Catalog.Update(t.Context(), ids["a9"], func(i *document.Image) error {
			i.Name, i.Visibility = "c9", document.Shared
			return nil
		})
		check.OK(t, "Update", err)
		lists(document.Query{Tags: by("tax"), Viewer: carl.ID, Order: document.ByName}, "a3", "c9")
		see(t, s, ids["a3"], document.Private)
		lists(document.Query{Tags: by("tax"), Viewer: carl.ID}, "c9")
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), ids["a9"]))
		inUse(document.Query{Viewer: carl.ID})
	})
}

// sharedIndex is the part of the suite of recognition.Index that is about documents that are shared by name.
func sharedIndex(t *testing.T, start func(t *testing.T) *indexed) {
	t.Run("who a document is shared with finds what is in all its pages", func(t *testing.T) {
		x := start(t)
		bob, carl := addUser(x.T, x.Stores, "bob"), addUser(x.T, x.Stores, "carl")
		first, err := addPages(x.T, x.Stores, somePages(x.ann, "scan", 3)...)
		check.OK(x.T, "Add", err)
		pages, err := x.Catalog.Pages(x.Context(), first.ID, 1, 3)
		check.OK(x.T, "Pages", err)
		mine, of1, of3 := x.run(x.image, "common"), x.run(pages[0], "common first"), x.run(pages[2], "common third")
		x.want(x.ann.ID, "common", of3[0], of1[0], mine[0])
		x.want(bob.ID, "common")
		shareWith(x.T, x.Stores, first.ID, bob)
		x.want(bob.ID, "common", of3[0], of1[0])
		x.want(carl.ID, "common")
		same(x.T, "names", x.find(bob.ID, "scan"), []string{fmt.Sprint("image ", first.ID)})
		see(x.T, x.Stores, first.ID, document.Shared)
		x.want(bob.ID, "common", of3[0], of1[0])
		x.want(carl.ID, "common", of3[0], of1[0])
		see(x.T, x.Stores, first.ID, document.Private)
		shareWith(x.T, x.Stores, first.ID, carl)
		x.want(bob.ID, "common")
		x.want(carl.ID, "common", of3[0], of1[0])
	})

	t.Run("who is given few of many documents", func(t *testing.T) {
		x := start(t)
		bob := addUser(x.T, x.Stores, "bob")
		var given []string
		for n := range 60 {
			pages := somePages(x.ann, fmt.Sprint("scan", n), 2)
			first, err := addPages(x.T, x.Stores, pages...)
			check.OK(x.T, "Add", err)
			stored, err := x.Catalog.Pages(x.Context(), first.ID, 1, 2)
			check.OK(x.T, "Pages", err)
			for _, p := range stored {
				texts := make([]string, 10)
				for n := range texts {
					texts[n] = "common"
				}
				contents := x.run(p, texts...)
				if n < 3 {
					for k := len(contents) - 1; k >= 0; k-- {
						given = append(given, contents[k].ID)
					}
				}
			}
			if n < 3 {
				shareWith(x.T, x.Stores, first.ID, bob)
			}
		}
		got := map[string]bool{}
		for _, id := range x.find(bob.ID, "common") {
			got[id] = true
		}
		want := map[string]bool{}
		for _, id := range given {
			want[id] = true
		}
		same(x.T, "what is found", got, want)
	})
}

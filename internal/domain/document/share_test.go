package document_test

import (
	"fmt"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

func (w *world) add(t *testing.T, name string) account.Actor {
	t.Helper()
	u, err := w.fakes.Users.Add(t.Context(), account.User{Name: name, Email: name + "@example.org"})
	check.OK(t, "Users.Add", err)
	return account.Actor{UserID: u.ID, Name: name}
}

func namesOf(users []account.Ref) (names []string) {
	for _, u := range users {
		names = append(names, u.Name)
	}
	return names
}

func TestShare(t *testing.T) {
	w := newWorld(t)
	carl, dora := w.add(t, "carl"), w.add(t, "Dora")
	i := w.upload(t, w.ann, "page")
	share := func(who account.Actor, names ...string) {
		t.Helper()
		got, err := w.Share(t.Context(), who, i.ID, names)
		check.OK(t, "Share", err)
		check.Same(t, "name and visibility", got.Name+" "+string(got.Visibility), "page private")
	}
	// knows are the readers that somebody is told of, by each operation.
	knows := func(who account.Actor, want ...string) {
		t.Helper()
		one, err := w.Image(t.Context(), who, i.ID)
		check.OK(t, "Image", err)
		list, _, err := w.List(t.Context(), who, document.Query{Size: 10})
		check.OK(t, "List", err)
		several, err := w.Several(t.Context(), who, []int64{i.ID})
		check.OK(t, "Several", err)
		pages, _, err := w.Pages(t.Context(), who, i.ID, 1, 10)
		check.OK(t, "Pages", err)
		for n, got := range []document.Image{one, list[0], several[i.ID], pages[0]} {
			check.Same(t, fmt.Sprintf("readers that %s knows by %d", who.Name, n), namesOf(got.Readers), want)
		}
	}
	// sees none checks that nobody can do anything.
	seesNone := func(who account.Actor) {
		t.Helper()
		_, err := w.Image(t.Context(), who, i.ID)
		check.Kind(t, "Image for "+who.Name, err, fault.NotFound)
		_, _, err = w.Original(t.Context(), who, i.ID)
		check.Kind(t, "Original for "+who.Name, err, fault.NotFound)
		_, err = w.View(t.Context(), who, i.ID, i.Box(), 100)
		check.Kind(t, "View for "+who.Name, err, fault.NotFound)
		several, err := w.Several(t.Context(), who, []int64{i.ID})
		check.OK(t, "Several", err)
		check.Same(t, "Several for "+who.Name, len(several), 0)
		_, n, err := w.List(t.Context(), who, document.Query{Size: 10})
		check.OK(t, "List", err)
		check.Same(t, "List of "+who.Name, n, 0)
	}
	share(w.ann, "DORA", "bob") // letter case does not matter
	knows(w.ann, "bob", "Dora")
	knows(w.admin, "bob", "Dora")
	knows(w.bob, "bob")
	knows(dora, "Dora")
	seesNone(carl)
	for _, c := range []struct {
		who  account.Actor
		kind fault.Kind
	}{{w.bob, fault.Forbidden}, {carl, fault.NotFound}} {
		_, err := w.Share(t.Context(), c.who, i.ID, []string{"carl", "nobody"})
		check.Kind(t, "Share by "+c.who.Name, err, c.kind)
		_, err = w.Change(t.Context(), c.who, i.ID, document.Change{Name: new("x")})
		check.Kind(t, "Change by "+c.who.Name, err, c.kind)
		check.Kind(t, "Delete by "+c.who.Name, w.Delete(t.Context(), c.who, i.ID, nil), c.kind)
	}
	share(w.admin, "carl", "root") // an administrator may be named, who may cease to be one
	knows(carl, "carl")
	seesNone(w.bob)
	_, err := w.Change(t.Context(), w.ann, i.ID, document.Change{Visibility: new(document.Shared)})
	check.OK(t, "Change", err)
	knows(w.bob)
	knows(carl, "carl")
	_, err = w.Change(t.Context(), w.ann, i.ID, document.Change{Visibility: new(document.Private)})
	check.OK(t, "Change", err)
	share(w.ann)
	seesNone(carl)
	check.Kind(t, "Share of nothing", errorOf(w.Share(t.Context(), w.ann, 4711, nil)), fault.NotFound)
}

func errorOf[T any](_ T, err error) error { return err }

func TestShareWithWhoCannotBe(t *testing.T) {
	w := newWorld(t)
	i := w.upload(t, w.ann, "page")
	var many []string
	for n := range document.MaxReaders + 1 {
		many = append(many, fmt.Sprint("user", n))
		w.add(t, many[n])
	}
	w.add(t, "gone")
	blocked := w.add(t, "blocked")
	for id, change := range map[string]func(*account.User){
		"gone":    func(u *account.User) { u.Name, u.Email = "", "" },
		"blocked": func(u *account.User) { u.States = []account.State{{Name: account.StateBlocked}} },
	} {
		u, err := w.fakes.Users.ByName(t.Context(), id)
		check.OK(t, "ByName", err)
		_, err = w.fakes.Users.Update(t.Context(), u.ID, func(u *account.User) error { change(u); return nil })
		check.OK(t, "Users.Update", err)
	}
	for _, c := range []struct {
		names  []string
		fields []string
	}{
		{many, []string{"users"}}, {many[:document.MaxReaders], nil}, {[]string{"blocked"}, nil},
		{[]string{"bob", "nobody", "gone", "", "ANN", "user1", "BOB"},
			[]string{"users[1]", "users[2]", "users[3]", "users[4]", "users[6]"}},
	} {
		_, err := w.Share(t.Context(), w.ann, i.ID, c.names)
		if c.fields == nil {
			check.OK(t, "Share", err)
			continue
		}
		wantFields(t, fmt.Sprintf("Share with %.5q", c.names), err, c.fields...)
	}
	got, err := w.Image(t.Context(), w.ann, i.ID)
	check.OK(t, "Image", err)
	check.Same(t, "readers", got.Readers, []account.Ref{{ID: blocked.UserID, Name: "blocked"}})
}

// What changes while names are looked up is told as it is then.
func TestSharedMeanwhile(t *testing.T) {
	w := newWorld(t)
	i := w.upload(t, w.ann, "page")
	w.fakes.Meanwhile("Catalog.Update", func() {
		_, err := w.fakes.Users.Update(t.Context(), w.bob.UserID, func(u *account.User) error { u.Name, u.Email = "", ""; return nil })
		check.OK(t, "Users.Update", err)
	})
	_, err := w.Share(t.Context(), w.ann, i.ID, []string{"root", "bob"})
	wantFields(t, "Share with who resigns", err, "users[1]")

	page, _ := porttest.DrawLines("page")
	scan, err := w.Upload(t.Context(), w.ann, "scan", porttest.FileOf(porttest.MultiPageTIFF(page, page)))
	check.OK(t, "Upload", err)
	pages, _, err := w.Pages(t.Context(), w.ann, scan.ID, 1, 2)
	check.OK(t, "Pages", err)
	err = errorOf(w.Share(t.Context(), w.ann, pages[1].ID, []string{"root", "nobody"}))
	check.Kind(t, "Share of a later page", err, fault.Conflict)
	check.Same(t, "code", fault.Of(err).Code, "page_of_document")
}

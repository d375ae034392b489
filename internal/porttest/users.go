package porttest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"
)

// Users is the suite of account.Users.
func Users(t *testing.T, open func(t *testing.T) Stores) {
	t.Run("Add gives an ID and the row comes back", func(t *testing.T) {
		s := open(t)
		u := someUser("Ann")
		u.Role = account.RoleAdmin
		u.States = []account.State{{Name: account.StateBlocked, Detail: "비밀 🔒", Created: moment(3)},
			{Name: account.StateInactivate, Created: moment(4)}}
		added, err := s.Users.Add(t.Context(), u)
		check.OK(t, "Add", err)
		if added.ID <= 0 {
			t.Errorf("got ID %d, want a positive one", added.ID)
		}
		want := u
		want.ID, want.Created, want.States = added.ID, u.Created.UTC(), slices.Clone(u.States)
		for i := range want.States {
			want.States[i].Created = want.States[i].Created.UTC()
		}
		same(t, "Add", added, want)
		got, err := s.Users.ByID(t.Context(), added.ID)
		check.OK(t, "ByID", err)
		same(t, "ByID", got, want)
		if other := addUser(t, s, "Bob"); other.ID == added.ID {
			t.Errorf("two users have the ID %d", other.ID)
		}
	})

	t.Run("ByID and ByName of nobody", func(t *testing.T) {
		s := open(t)
		u := addUser(t, s, "ann")
		gone := addUser(t, s, "bob")
		resign(t, s, gone.ID)
		_, err := s.Users.ByID(t.Context(), u.ID+100)
		check.Kind(t, "ByID", err, fault.NotFound)
		for _, name := range []string{"", "an", "ann ", " ann", "ánn", "bob", "ann%", "___"} {
			_, err := s.Users.ByName(t.Context(), name)
			check.Kind(t, "ByName of "+name, err, fault.NotFound)
		}
	})

	t.Run("ByName whatever the case", func(t *testing.T) {
		s := open(t)
		u := addUser(t, s, "AnnLee")
		for _, name := range []string{"AnnLee", "annlee", "ANNLEE"} {
			got, err := s.Users.ByName(t.Context(), name)
			check.OK(t, "ByName of "+name, err)
			same(t, "ByName of "+name, got, u)
		}
	})

	t.Run("names and e-mails are unique whatever the case", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		for _, c := range []struct{ name, email, field string }{
			{"ann", "new@example.org", "name"},
			{"ANN", "new@example.org", "name"},
			{"carl", "ann@example.org", "email"},
			{"carl", "Ann@EXAMPLE.org", "email"},
		} {
			_, err := s.Users.Add(t.Context(), account.User{Name: c.name, Email: c.email, PasswordHash: "h", Created: moment(1)})
			taken(t, "Add of "+c.name+" "+c.email, err, c.field)
			_, err = s.Users.Update(t.Context(), bob.ID, func(u *account.User) error {
				u.Name, u.Email = c.name, c.email
				return nil
			})
			taken(t, "Update to "+c.name+" "+c.email, err, c.field)
		}
		got, err := s.Users.ByID(t.Context(), bob.ID)
		check.OK(t, "ByID", err)
		same(t, "the row after a Conflict", got, bob)
		_, n, err := s.Users.List(t.Context(), "", account.Page{Size: 10})
		check.OK(t, "List", err)
		same(t, "users in all", n, 2)

		got, err = s.Users.Update(t.Context(), ann.ID, func(u *account.User) error {
			u.Name, u.Email = "Ann", "ANN@example.org"
			return nil
		})
		check.OK(t, "Update of the case of the own name", err)
		same(t, "name and e-mail", []string{got.Name, got.Email}, []string{"Ann", "ANN@example.org"})
	})

	t.Run("letters with and without accent differ", func(t *testing.T) {
		s := open(t)
		u := someUser("jose")
		_, err := s.Users.Add(t.Context(), u)
		check.OK(t, "Add", err)
		u.Name, u.Email = "jose2", "josé@example.org"
		_, err = s.Users.Add(t.Context(), u)
		check.OK(t, "Add of an e-mail with an accent", err)
	})

	t.Run("one of many wins a name", func(t *testing.T) {
		s := open(t)
		oneOK(t, "Add", race(racers, func(i int) error {
			_, err := s.Users.Add(t.Context(), account.User{Name: "ann", Email: strings.Repeat("x", i+1) + "@example.org",
				Created: moment(0)})
			return err
		}), fault.Conflict)
	})

	t.Run("many may have resigned", func(t *testing.T) {
		s := open(t)
		var want []account.User
		for _, name := range []string{"ann", "bob", "carl"} {
			u := addUser(t, s, name)
			resign(t, s, u.ID)
			u.Name, u.Email, u.PasswordHash = "", "", ""
			got, err := s.Users.ByID(t.Context(), u.ID)
			check.OK(t, "ByID", err)
			same(t, "resigned user", got, u)
			want = append(want, u)
		}
		addUser(t, s, "ann") // the name is free again
		got, n, err := s.Users.List(t.Context(), "", account.Page{Size: 3})
		check.OK(t, "List", err)
		same(t, "List", got, want)
		same(t, "users in all", n, 4)
	})

	t.Run("List in order of ID by pages", func(t *testing.T) {
		s := open(t)
		var all []account.User
		for _, name := range []string{"e", "d", "c", "b", "a"} {
			u := someUser(name)
			u.Role, u.States = account.RoleAdmin, []account.State{{Name: account.StateBlocked, Detail: name, Created: moment(1).UTC()}}
			u, err := s.Users.Add(t.Context(), u)
			check.OK(t, "Add", err)
			all = append(all, u)
		}
		for number, want := range [][]account.User{all[:2], all[2:4], all[4:], nil} {
			got, n, err := s.Users.List(t.Context(), "", account.Page{Size: 2, Number: number})
			check.OK(t, "List", err)
			same(t, "List", got, want)
			same(t, "users in all", n, 5)
		}
	})

	t.Run("List by keyword", func(t *testing.T) {
		s := open(t)
		for _, u := range []account.User{
			{Name: "Anna", Email: "a_b@example.org"},
			{Name: "Hanna", Email: "axb@example.org"},
			{Name: "Carl", Email: "100%@josé.example"},
			{Name: "Dora", Email: `d\o'ra@example.net`},
		} {
			u.Created = moment(0)
			_, err := s.Users.Add(t.Context(), u)
			check.OK(t, "Add", err)
		}
		resign(t, s, addUser(t, s, "annette").ID)
		for keyword, want := range map[string][]string{
			"":            {"Anna", "Hanna", "Carl", "Dora", ""},
			"ann":         {"Anna", "Hanna"},
			"HANN":        {"Hanna"},
			"EXAMPLE.ORG": {"Anna", "Hanna"},
			"a_b":         {"Anna"},
			"_":           {"Anna"},
			"%":           {"Carl"},
			"0%@":         {"Carl"},
			"JOSÉ":        {"Carl"},
			`\`:           {"Dora"},
			`\o'r`:        {"Dora"},
			"*":           nil,
			"annette":     nil,
		} {
			got, n, err := s.Users.List(t.Context(), keyword, account.Page{Size: 10})
			check.OK(t, "List of "+keyword, err)
			var names []string
			for _, u := range got {
				names = append(names, u.Name)
			}
			same(t, "List of "+keyword, names, want)
			same(t, "in all of "+keyword, n, len(want))
		}
		got, n, err := s.Users.List(t.Context(), "ann", account.Page{Size: 1, Number: 1})
		check.OK(t, "List", err)
		if len(got) != 1 || got[0].Name != "Hanna" || n != 2 {
			t.Errorf("got %v of %d, want Hanna of 2", got, n)
		}
	})

	t.Run("Update", func(t *testing.T) {
		s := open(t)
		u, other := addUser(t, s, "ann"), addUser(t, s, "bob")
		want := account.User{ID: u.ID, Name: "anna", Email: "anna@example.net", PasswordHash: "other", Role: account.RoleAdmin,
			Created: u.Created,
			States: []account.State{{Name: account.StateBlocked, Detail: "spam", Created: moment(5).UTC()},
				{Name: account.StateInactivate, Created: moment(6).UTC()}}}
		got, err := s.Users.Update(t.Context(), u.ID, func(v *account.User) error {
			same(t, "what change is given", *v, u)
			*v = want
			v.ID, v.Created = other.ID, moment(99) // neither can be changed
			return nil
		})
		check.OK(t, "Update", err)
		same(t, "Update", got, want)
		got, err = s.Users.ByID(t.Context(), u.ID)
		check.OK(t, "ByID", err)
		same(t, "ByID", got, want)
		got, err = s.Users.ByID(t.Context(), other.ID)
		check.OK(t, "ByID", err)
		same(t, "the other user", got, other)

		want.States, want.Role = want.States[1:], ""
		want.States[0].Detail = "on leave"
		got, err = s.Users.Update(t.Context(), u.ID, func(v *account.User) error { *v = want; return nil })
		check.OK(t, "Update of states", err)
		same(t, "Update of states", got, want)
		want.States = nil
		_, err = s.Users.Update(t.Context(), u.ID, func(v *account.User) error { *v = want; return nil })
		check.OK(t, "Update to no state", err)
		got, err = s.Users.ByID(t.Context(), u.ID)
		check.OK(t, "ByID", err)
		same(t, "ByID without states", got, want)
	})

	t.Run("Update of nobody", func(t *testing.T) {
		s := open(t)
		called := false
		_, err := s.Users.Update(t.Context(), 4711, func(*account.User) error { called = true; return nil })
		check.Kind(t, "Update", err, fault.NotFound)
		if called {
			t.Error("change was called without a row")
		}
	})

	t.Run("an error from change leaves the row", func(t *testing.T) {
		s := open(t)
		u := addUser(t, s, "ann")
		stop := errors.New("stop")
		_, err := s.Users.Update(t.Context(), u.ID, func(v *account.User) error {
			v.Name, v.Role = "other", account.RoleAdmin
			v.States = []account.State{{Name: account.StateBlocked, Created: moment(1)}}
			return stop
		})
		if err != stop { //nolint:errorlint // the contract: as it is
			t.Errorf("got error %v, want the very one of change", err)
		}
		got, err := s.Users.ByID(t.Context(), u.ID)
		check.OK(t, "ByID", err)
		same(t, "the row", got, u)
		_, err = s.Users.Update(t.Context(), u.ID, func(*account.User) error { return nil })
		check.OK(t, "Update afterwards", err)
	})

	t.Run("concurrent updates lose nothing", func(t *testing.T) {
		s := open(t)
		u := addUser(t, s, "ann")
		allOK(t, "Update", race(racers, func(int) error {
			_, err := s.Users.Update(t.Context(), u.ID, func(v *account.User) error { v.PasswordHash += "x"; return nil })
			return err
		}))
		got, err := s.Users.ByID(t.Context(), u.ID)
		check.OK(t, "ByID", err)
		same(t, "the row", got.PasswordHash, u.PasswordHash+strings.Repeat("x", racers))
	})

	t.Run("Logins newest first by pages", func(t *testing.T) {
		s := open(t)
		u, other := addUser(t, s, "ann"), addUser(t, s, "bob")
		logins := []account.Login{
			{UserID: u.ID, Address: "192.0.2.1", UserAgent: "curl/8", Created: moment(1)},
			{UserID: u.ID, Address: "2001:db8::1", UserAgent: strings.Repeat("웹", 255), Created: moment(2)},
			{UserID: u.ID, Created: moment(3)},
			{UserID: u.ID, UserAgent: "🖨", Created: moment(3)},
		}
		var want []account.Login
		for _, l := range logins {
			check.OK(t, "AddLogin", s.Users.AddLogin(t.Context(), l))
			l.Created = l.Created.UTC()
			want = slices.Insert(want, 0, l)
		}
		check.OK(t, "AddLogin", s.Users.AddLogin(t.Context(), account.Login{UserID: other.ID, Created: moment(9)}))
		seen := map[int64]bool{}
		for number, want := range [][]account.Login{want[:3], want[3:], nil} {
			got, n, err := s.Users.Logins(t.Context(), u.ID, account.Page{Size: 3, Number: number})
			check.OK(t, "Logins", err)
			same(t, "sign-ins in all", n, 4)
			for i := range got {
				seen[got[i].ID] = true
				got[i].ID = 0
			}
			same(t, "Logins", got, want)
		}
		same(t, "different IDs", len(seen), 4)
		got, n, err := s.Users.Logins(t.Context(), u.ID+100, account.Page{Size: 3})
		check.OK(t, "Logins of nobody", err)
		if len(got) != 0 || n != 0 {
			t.Errorf("got %v of %d, want none of 0", got, n)
		}
	})

	t.Run("rows are the caller's own", func(t *testing.T) {
		s := open(t)
		u := someUser("ann")
		u.States = []account.State{{Name: account.StateBlocked, Detail: "spam", Created: moment(1)}}
		u, err := s.Users.Add(t.Context(), u)
		check.OK(t, "Add", err)
		u.States[0].Detail = "changed"
		got, err := s.Users.ByID(t.Context(), u.ID)
		check.OK(t, "ByID", err)
		same(t, "detail", got.States[0].Detail, "spam")
	})

	t.Run("times far away", func(t *testing.T) {
		s := open(t)
		u := someUser("ann")
		u.Created = time.Date(2099, 12, 31, 23, 59, 59, 999999000, time.UTC)
		u, err := s.Users.Add(t.Context(), u)
		check.OK(t, "Add", err)
		got, err := s.Users.ByID(t.Context(), u.ID)
		check.OK(t, "ByID", err)
		same(t, "created", got.Created, u.Created)
	})
}

// taken checks for a Conflict that names the field.
func taken(t *testing.T, what string, err error, field string) {
	t.Helper()
	check.Code(t, what, err, fault.Conflict, field+"_taken")
	if f := fault.Of(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Field != field {
		t.Errorf("%s: got %+v, want a fault with the one field %q", what, f, field)
	}
}

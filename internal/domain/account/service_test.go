package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/unicode/norm"
)

// world is the service on fakes, with a clock that only the test moves.
type world struct {
	*account.Service
	fakes   *porttest.Fakes
	clock   time.Time
	removed []int64 // users whose images were removed
	ended   bool    // the account of the last one had ended before
	refuse  error   // of the removal
}

const password = "correct-horse"

func newWorld(t *testing.T) *world {
	w := &world{fakes: porttest.NewFakes(t), clock: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("KST", 9*60*60))}
	w.Service = &account.Service{
		Users: w.fakes.Users, Sessions: w.fakes.Sessions, Keys: w.fakes.Keys, Tokens: w.fakes.Tokens, Passwords: w.fakes.Passwords,
		Dependents: w,
		SignUpOpen: true, AccessTTL: 15 * time.Minute, RefreshTTL: 30 * 24 * time.Hour, MaxKeys: 3,
		Now: func() time.Time { return w.clock },
	}
	return w
}

func (w *world) RemoveAllOf(ctx context.Context, userID int64) error {
	if w.refuse != nil {
		return w.refuse
	}
	u, err := w.fakes.Users.ByID(ctx, userID)
	if err != nil {
		return err
	}
	w.ended = u.Resigned()
	w.removed = append(w.removed, userID)
	return nil
}

// wantFields checks for an invalid input that names exactly the fields.
func wantFields(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	var got []string
	if f := fault.Of(err); f != nil {
		for _, field := range f.Fields {
			got = append(got, field.Field)
			if field.Detail == "" {
				t.Errorf("%s: the field %s does not say what is allowed", what, field.Field)
			}
		}
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" || (len(want) > 0) != fault.Is(err, fault.Invalid) {
		t.Errorf("%s: error %v; fields (-want +got):\n%s", what, err, d)
	}
}

func form(name string) account.SignUp {
	return account.SignUp{Name: name, Email: name + "@example.org", Password1: password, Password2: password}
}

func (w *world) user(t *testing.T, name string) account.User {
	t.Helper()
	u, err := w.AddUser(t.Context(), form(name), "")
	check.OK(t, "AddUser", err)
	return u
}

func (w *world) login(t *testing.T, name string) account.Grant {
	t.Helper()
	g, err := w.Login(t.Context(), name, password, account.Client{Address: "192.0.2.1", UserAgent: "test"})
	check.OK(t, "Login", err)
	return g
}

// actor is a user who has signed in.
func (w *world) actor(t *testing.T, name string) account.Actor {
	t.Helper()
	return w.authenticated(t, w.login(t, name).AccessToken)
}

func (w *world) authenticated(t *testing.T, bearer string) account.Actor {
	t.Helper()
	a, err := w.Authenticate(t.Context(), bearer)
	check.OK(t, "Authenticate", err)
	return a
}

func (w *world) admin(t *testing.T) account.Actor {
	t.Helper()
	_, err := w.AddUser(t.Context(), form("root"), account.RoleAdmin)
	check.OK(t, "AddUser", err)
	return w.actor(t, "root")
}

func TestSignUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*account.SignUp)
		fields []string
	}{
		{"as it should be", func(*account.SignUp) {}, nil},
		{"shortest name", func(f *account.SignUp) { f.Name = "a" }, nil},
		{"longest name", func(f *account.SignUp) { f.Name = strings.Repeat("A9", 50) }, nil},
		{"no name", func(f *account.SignUp) { f.Name = "" }, []string{"name"}},
		{"name too long", func(f *account.SignUp) { f.Name = strings.Repeat("a", 101) }, []string{"name"}},
		{"name with a space", func(f *account.SignUp) { f.Name = "ann lee" }, []string{"name"}},
		{"name with a sign", func(f *account.SignUp) { f.Name = "ann_lee" }, []string{"name"}},
		{"name in Hangul", func(f *account.SignUp) { f.Name = "안나" }, []string{"name"}},
		{"name with wide digits", func(f *account.SignUp) { f.Name = "ann１" }, []string{"name"}},
		{"name with a zero byte", func(f *account.SignUp) { f.Name = "ann\x00" }, []string{"name"}},
		{"no e-mail", func(f *account.SignUp) { f.Email = "" }, []string{"email"}},
		{"e-mail without at", func(f *account.SignUp) { f.Email = "ann.example.org" }, []string{"email"}},
		{"e-mail with a name", func(f *account.SignUp) { f.Email = "Ann <ann@example.org>" }, []string{"email"}},
		{"two e-mails", func(f *account.SignUp) { f.Email = "a@example.org, b@example.org" }, []string{"email"}},
		{"e-mail with a line break", func(f *account.SignUp) { f.Email = "ann@example.org\r\nBcc: x@example.org" }, []string{"email"}},
		{"e-mail with a space behind", func(f *account.SignUp) { f.Email = "ann@example.org " }, []string{"email"}},
		{"longest e-mail", func(f *account.SignUp) { f.Email = strings.Repeat("a", 255-12) + "@example.org" }, nil},
		{"e-mail too long", func(f *account.SignUp) { f.Email = strings.Repeat("a", 256-12) + "@example.org" }, []string{"email"}},
		{"shortest password", func(f *account.SignUp) { f.Password1 = "12345678" }, nil},
		{"password too short", func(f *account.SignUp) { f.Password1 = "1234567" }, []string{"password1"}},
		{"password of eight characters in Hangul", func(f *account.SignUp) { f.Password1 = "비밀번호비밀번호" }, nil},
		{"password of seven characters in Hangul", func(f *account.SignUp) { f.Password1 = "비밀번호비밀번" }, []string{"password1"}},
		{"longest password", func(f *account.SignUp) { f.Password1 = strings.Repeat("🔑", 255) }, nil},
		{"password too long", func(f *account.SignUp) { f.Password1 = strings.Repeat("x", 256) }, []string{"password1"}},
		{"password with a space", func(f *account.SignUp) { f.Password1 = "correct horse" }, []string{"password1"}},
		{"password with a wide space", func(f *account.SignUp) { f.Password1 = "correct\u3000horse" }, []string{"password1"}},
		{"password with a tab", func(f *account.SignUp) { f.Password1 = "correct\thorse" }, []string{"password1"}},
		{"password that is no UTF-8", func(f *account.SignUp) { f.Password1 = "correct\xffhorse" }, []string{"password1"}},
		{"passwords that differ", func(f *account.SignUp) { f.Password2 = "correct-house" }, []string{"password2"}},
		{"nothing at all", func(f *account.SignUp) { *f = account.SignUp{} }, []string{"name", "email", "password1"}},
		{"all wrong", func(f *account.SignUp) {
			*f = account.SignUp{Name: "?", Email: "?", Password1: "?", Password2: "!"}
		}, []string{"name", "email", "password1", "password2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			f := form("ann")
			f.Password2 = ""
			c.change(&f)
			if f.Password2 == "" {
				f.Password2 = f.Password1
			}
			u, err := w.SignUp(t.Context(), f)
			wantFields(t, "SignUp", err, c.fields...)
			if err != nil {
				if calls := w.fakes.Calls(); len(calls) > 0 {
					t.Errorf("refused, and yet %v", calls)
				}
				return
			}
			want := account.User{ID: u.ID, Name: f.Name, Email: f.Email, Created: w.clock.UTC().Truncate(time.Microsecond)}
			if d := cmp.Diff(want, u, cmpopts.IgnoreFields(account.User{}, "PasswordHash")); d != "" {
				t.Errorf("SignUp (-want +got):\n%s", d)
			}
			if strings.Contains(u.PasswordHash, f.Password1) || u.PasswordHash == "" {
				t.Errorf("got the hash %q", u.PasswordHash)
			}
			_, err = w.Login(t.Context(), f.Name, norm.NFD.String(f.Password1), account.Client{})
			check.OK(t, "Login with another normal form", err)
		})
	}
}

func TestSignUpWhatIsTaken(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	f := form("ANN")
	f.Email = "other@example.org"
	_, err := w.SignUp(t.Context(), f)
	check.Code(t, "SignUp of a name that is taken", err, fault.Conflict, "name_taken")
	f = form("bob")
	f.Email = "ann@example.org"
	_, err = w.SignUp(t.Context(), f)
	check.Code(t, "SignUp of an e-mail that is taken", err, fault.Conflict, "email_taken")
}

func TestSignUpClosed(t *testing.T) {
	w := newWorld(t)
	w.SignUpOpen = false
	_, err := w.SignUp(t.Context(), form("ann"))
	check.Code(t, "SignUp", err, fault.Forbidden, "signup_closed")
	u, err := w.AddUser(t.Context(), form("ann"), account.RoleAdmin)
	check.OK(t, "AddUser", err)
	if u.Role != account.RoleAdmin {
		t.Errorf("got the role %q", u.Role)
	}
	_, err = w.AddUser(t.Context(), form("bob"), "boss")
	wantFields(t, "AddUser of no role", err, "role")
}

func TestLogin(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, "Ann")
	g, err := w.Login(t.Context(), "aNN", password, account.Client{Address: "192.0.2.1", UserAgent: strings.Repeat("웹", 300) + "\xff"})
	check.OK(t, "Login", err)
	if g.User.ID != u.ID || g.ExpiresIn != w.AccessTTL || !g.RefreshUntil.Equal(w.clock.Add(w.RefreshTTL).Truncate(time.Microsecond)) {
		t.Errorf("got %+v", g)
	}
	a := w.authenticated(t, g.AccessToken)
	if a.UserID != u.ID || a.Name != "Ann" || a.Admin || a.Session == "" {
		t.Errorf("got the actor %+v", a)
	}
	logins, n, err := w.Logins(t.Context(), a, account.Page{Size: 10})
	check.OK(t, "Logins", err)
	want := []account.Login{{UserID: u.ID, Address: "192.0.2.1", UserAgent: strings.Repeat("웹", 255),
		Created: w.clock.UTC().Truncate(time.Microsecond)}}
	if d := cmp.Diff(want, logins, cmpopts.IgnoreFields(account.Login{}, "ID")); d != "" || n != 1 {
		t.Errorf("%d sign-ins (-want +got):\n%s", n, d)
	}
	me, err := w.Me(t.Context(), a)
	check.OK(t, "Me", err)
	if me.ID != u.ID {
		t.Errorf("got user %d, want %d", me.ID, u.ID)
	}
}

func TestLoginDoesNotTellWhoHasAnAccount(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	w.user(t, "ann")
	blocked := w.user(t, "bob")
	_, err := w.SetState(t.Context(), admin, blocked.ID, account.StateBlocked, "")
	check.OK(t, "SetState", err)
	w.user(t, "carl")
	check.OK(t, "Resign", w.Resign(t.Context(), w.actor(t, "carl"), true))

	var faults []fault.Fault
	for _, c := range []struct{ name, password string }{{"ann", "wrong-horse"}, {"nobody", password}, {"bob", "wrong-horse"},
		{"carl", password}, {"", password}, {"ann", ""}, {"", ""}, {"ann", password + " "}} {
		_, err := w.Login(t.Context(), c.name, c.password, account.Client{})
		check.Code(t, "Login of "+c.name, err, fault.Unauthenticated, "wrong_credentials")
		faults = append(faults, *fault.Of(err))
	}
	for _, f := range faults {
		if d := cmp.Diff(faults[0], f); d != "" {
			t.Errorf("two answers differ:\n%s", d)
		}
	}
	if _, n, _ := w.fakes.Users.Logins(t.Context(), blocked.ID, account.Page{Size: 1}); n != 0 {
		t.Errorf("got %d sign-ins of who did not get in", n)
	}
}

func TestLoginWhileTheStoreIsAway(t *testing.T) {
	for _, op := range []string{"Users.ByName", "Passwords.Verify", "Sessions.AddSession", "Users.AddLogin"} {
		for _, mode := range []porttest.Mode{porttest.Before, porttest.After} {
			w := newWorld(t)
			w.user(t, "ann")
			w.fakes.Fail(op, mode)
			g, err := w.Login(t.Context(), "ann", password, account.Client{})
			check.Code(t, "Login without "+op, err, fault.Unavailable, "injected")
			if g.AccessToken != "" || g.RefreshToken != "" {
				t.Errorf("without %s: got %+v", op, g)
			}
		}
	}
}

func TestAuthenticateWhileTheStoreIsAway(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	access := w.login(t, "ann").AccessToken
	_, key, err := w.AddKey(t.Context(), w.authenticated(t, access), "program", time.Time{})
	check.OK(t, "AddKey", err)
	for op, bearer := range map[string]string{"Sessions.Session": access, "Users.ByID": access, "Keys.Key": key, "Keys.UseKey": key} {
		w.fakes.Fail(op, porttest.Before)
		_, err := w.Authenticate(t.Context(), bearer)
		check.Code(t, "Authenticate without "+op, err, fault.Unavailable, "injected") // and not: sign in again
	}
	w.authenticated(t, access)
	w.authenticated(t, key)
}

func TestStatesActOnTheNextRequest(t *testing.T) {
	for state, code := range map[string]string{account.StateBlocked: "account_blocked", account.StateInactivate: "account_inactive"} {
		t.Run(state, func(t *testing.T) {
			w := newWorld(t)
			admin := w.admin(t)
			u := w.user(t, "ann")
			g := w.login(t, "ann")
			_, key, err := w.AddKey(t.Context(), w.authenticated(t, g.AccessToken), "program", time.Time{})
			check.OK(t, "AddKey", err)
			got, err := w.SetState(t.Context(), admin, u.ID, state, "spam")
			check.OK(t, "SetState", err)
			if want := []account.State{{Name: state, Detail: "spam", Created: w.clock.UTC().Truncate(time.Microsecond)}}; !cmp.Equal(want,
				got.States) {
				t.Errorf("got the states %v, want %v", got.States, want)
			}
			_, err = w.Authenticate(t.Context(), g.AccessToken)
			check.Code(t, "Authenticate", err, fault.Forbidden, code)
			_, err = w.Authenticate(t.Context(), key)
			check.Code(t, "Authenticate with a key", err, fault.Forbidden, code)
			_, err = w.Refresh(t.Context(), g.RefreshToken)
			check.Code(t, "Refresh", err, fault.Forbidden, code)
			_, err = w.Login(t.Context(), "ann", password, account.Client{})
			check.Code(t, "Login", err, fault.Forbidden, code)

			_, err = w.ClearState(t.Context(), admin, u.ID, state)
			check.OK(t, "ClearState", err)
			w.authenticated(t, g.AccessToken)
			w.authenticated(t, key)
			w.login(t, "ann")
		})
	}
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	first := w.login(t, "ann")
	w.clock = w.clock.Add(20 * time.Minute)
	_, err := w.Authenticate(t.Context(), first.AccessToken)
	check.Code(t, "Authenticate with a token that lapsed", err, fault.Unauthenticated, "token_expired")
	second, err := w.Refresh(t.Context(), first.RefreshToken)
	check.OK(t, "Refresh", err)
	if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken ||
		!second.RefreshUntil.After(first.RefreshUntil) {
		t.Errorf("got %+v after %+v", second, first)
	}
	before := w.authenticated(t, second.AccessToken)
	third, err := w.Refresh(t.Context(), second.RefreshToken)
	check.OK(t, "Refresh", err)
	if after := w.authenticated(t, third.AccessToken); after != before {
		t.Errorf("got the actor %+v after %+v", after, before)
	}

	// The first token again: it was copied, so that nothing of the family is good any more.
	_, err = w.Refresh(t.Context(), first.RefreshToken)
	check.Code(t, "Refresh with a used token", err, fault.Unauthenticated, "token_reused")
	_, err = w.Refresh(t.Context(), third.RefreshToken)
	check.Code(t, "Refresh with the newest token", err, fault.Unauthenticated, "invalid_token")
	_, err = w.Authenticate(t.Context(), third.AccessToken)
	check.Code(t, "Authenticate with the newest token", err, fault.Unauthenticated, "invalid_token")
	w.actor(t, "ann") // another session is another family
}

// A refresh token from before tokens had families is good, once, and begins one.
func TestRefreshOfAnOldToken(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, "ann")
	check.OK(t, "AddSession", w.Sessions.AddSession(t.Context(), account.Session{ID: "old", UserID: u.ID, Created: w.clock,
		RefreshHash: "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", Expires: w.clock.Add(time.Hour)})) // of "secret"
	for _, madeUp := range []string{"old.other", "old.other.secret"} {
		_, err := w.Refresh(t.Context(), madeUp)
		check.Code(t, "Refresh with "+madeUp, err, fault.Unauthenticated, "invalid_token")
	}
	next, err := w.Refresh(t.Context(), "old.secret")
	check.OK(t, "Refresh", err)
	_, err = w.Refresh(t.Context(), "old.secret")
	check.Code(t, "Refresh with the old token again", err, fault.Unauthenticated, "invalid_token")
	_, err = w.Refresh(t.Context(), next.RefreshToken)
	check.OK(t, "Refresh with the next token", err)
}

// What is refused for the user's state uses no token up: it is good again once the user is.
func TestRefreshWhileKeptOut(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, "ann")
	g := w.login(t, "ann")
	root := account.Actor{UserID: u.ID + 1, Admin: true}
	_, err := w.SetState(t.Context(), root, u.ID, account.StateBlocked, "")
	check.OK(t, "SetState", err)
	for range 2 {
		_, err = w.Refresh(t.Context(), g.RefreshToken)
		check.Code(t, "Refresh while blocked", err, fault.Forbidden, "account_blocked")
	}
	_, err = w.ClearState(t.Context(), root, u.ID, account.StateBlocked)
	check.OK(t, "ClearState", err)
	w.fakes.Fail("Users.ByID", porttest.Before)
	_, err = w.Refresh(t.Context(), g.RefreshToken)
	check.Code(t, "Refresh without users", err, fault.Unavailable, "injected")
	_, err = w.Refresh(t.Context(), g.RefreshToken)
	check.OK(t, "Refresh", err)
}

func TestRefreshOfManyAtOnce(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	g := w.login(t, "ann")
	var all sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		all.Go(func() { _, errs[i] = w.Refresh(t.Context(), g.RefreshToken) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("Refresh: %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d won, want 1", won)
	}
}

func TestRefreshOfOtherTexts(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	g := w.login(t, "ann")
	other := w.login(t, "ann")
	id, secret, _ := strings.Cut(g.RefreshToken, ".")
	_, otherSecret, _ := strings.Cut(other.RefreshToken, ".")
	for _, token := range []string{"", ".", id, id + ".", "." + secret, "x." + secret, g.AccessToken} {
		_, err := w.Refresh(t.Context(), token)
		check.Code(t, "Refresh with "+token, err, fault.Unauthenticated, "invalid_token")
	}
	family, own, _ := strings.Cut(secret, ".")
	for _, madeUp := range []string{otherSecret, strings.Repeat("A", len(own)), own, own + "." + family, "." + own} {
		_, err := w.Refresh(t.Context(), id+"."+madeUp)
		check.Code(t, "Refresh with the made-up secret "+madeUp, err, fault.Unauthenticated, "invalid_token")
	}
	_, err := w.Authenticate(t.Context(), g.AccessToken)
	check.OK(t, "Authenticate in the session, which none of them ended", err)
	_, err = w.Authenticate(t.Context(), g.RefreshToken)
	check.Code(t, "Authenticate with a refresh token", err, fault.Unauthenticated, "invalid_token")

	w.clock = w.clock.Add(w.RefreshTTL)
	_, err = w.Refresh(t.Context(), other.RefreshToken)
	check.Code(t, "Refresh with a token that lapsed", err, fault.Unauthenticated, "invalid_token")
}

func TestLogout(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	g, other := w.login(t, "ann"), w.actor(t, "ann")
	a := w.authenticated(t, g.AccessToken)
	check.OK(t, "Logout", w.Logout(t.Context(), a))
	_, err := w.Authenticate(t.Context(), g.AccessToken)
	check.Code(t, "Authenticate", err, fault.Unauthenticated, "invalid_token")
	_, err = w.Refresh(t.Context(), g.RefreshToken)
	check.Code(t, "Refresh", err, fault.Unauthenticated, "invalid_token")
	check.OK(t, "Logout again", w.Logout(t.Context(), a))
	check.OK(t, "Logout of the other session", w.Logout(t.Context(), other))
}

func TestChangeProfile(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	w.user(t, "bob")
	a := w.actor(t, "ann")
	u, err := w.ChangeProfile(t.Context(), a, "Ann2", "ann2@example.org")
	check.OK(t, "ChangeProfile", err)
	if u.Name != "Ann2" || u.Email != "ann2@example.org" {
		t.Errorf("got %+v", u)
	}
	w.login(t, "ann2")
	_, err = w.ChangeProfile(t.Context(), a, "BOB", "ann2@example.org")
	check.Code(t, "ChangeProfile to a name that is taken", err, fault.Conflict, "name_taken")
	_, err = w.ChangeProfile(t.Context(), a, "", "x")
	wantFields(t, "ChangeProfile", err, "name", "email")
}

func TestChangePassword(t *testing.T) {
	const next = "other-horse"
	w := newWorld(t)
	w.user(t, "ann")
	mine, other := w.login(t, "ann"), w.login(t, "ann")
	a := w.authenticated(t, mine.AccessToken)
	_, err := w.ChangePassword(t.Context(), a, "wrong-horse", next, next)
	wantFields(t, "ChangePassword with a wrong one", err, "current_password")
	_, err = w.ChangePassword(t.Context(), a, password, "short", "differs")
	wantFields(t, "ChangePassword to a bad one", err, "password1", "password2")
	w.authenticated(t, other.AccessToken)

	_, err = w.ChangePassword(t.Context(), a, password, next, next)
	check.OK(t, "ChangePassword", err)
	w.authenticated(t, mine.AccessToken)
	_, err = w.Refresh(t.Context(), mine.RefreshToken)
	check.OK(t, "Refresh of the own session", err)
	_, err = w.Authenticate(t.Context(), other.AccessToken)
	check.Code(t, "Authenticate in the other session", err, fault.Unauthenticated, "invalid_token")
	_, err = w.Login(t.Context(), "ann", password, account.Client{})
	check.Code(t, "Login with the old password", err, fault.Unauthenticated, "wrong_credentials")
	_, err = w.Login(t.Context(), "ann", next, account.Client{})
	check.OK(t, "Login with the new password", err)
}

func TestChangePasswordThatChangesMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	a := w.actor(t, "ann")
	w.fakes.Meanwhile("Users.Update", func() {
		_, err := w.ResetPassword(t.Context(), "ann", "reset-horse")
		check.OK(t, "ResetPassword", err)
	})
	_, err := w.ChangePassword(t.Context(), a, password, "other-horse", "other-horse")
	check.Code(t, "ChangePassword", err, fault.Conflict, "changed_meanwhile")
	_, err = w.Login(t.Context(), "ann", "reset-horse", account.Client{})
	check.OK(t, "Login with what was set meanwhile", err)
}

func TestResetPassword(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	g := w.login(t, "ann")
	_, err := w.ResetPassword(t.Context(), "ann", "short")
	wantFields(t, "ResetPassword to a bad one", err, "password1")
	_, err = w.ResetPassword(t.Context(), "nobody", "other-horse")
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("ResetPassword of nobody: got %v", err)
	}
	_, err = w.ResetPassword(t.Context(), "ANN", "other-horse")
	check.OK(t, "ResetPassword", err)
	_, err = w.Authenticate(t.Context(), g.AccessToken)
	check.Code(t, "Authenticate", err, fault.Unauthenticated, "invalid_token")
	_, err = w.Login(t.Context(), "ann", "other-horse", account.Client{})
	check.OK(t, "Login", err)
}

func TestOutdatedHashIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, "ann")
	old := w.fakes.OldHash(password)
	hash := func(change string) string {
		t.Helper()
		v, err := w.fakes.Users.Update(t.Context(), u.ID, func(u *account.User) error {
			if change != "" {
				u.PasswordHash = change
			}
			return nil
		})
		check.OK(t, "Update", err)
		return v.PasswordHash
	}
	hash(old)
	_, err := w.Login(t.Context(), "ann", "wrong-horse", account.Client{})
	check.Code(t, "Login with a wrong password", err, fault.Unauthenticated, "wrong_credentials")
	if got := hash(""); got != old {
		t.Errorf("a wrong password made the hash %q", got)
	}
	for _, op := range []string{"Passwords.Hash", "Users.Update"} {
		w.fakes.Fail(op, porttest.Before)
		w.login(t, "ann") // which is no reason to refuse
		if got := hash(""); got != old {
			t.Errorf("without %s: got the hash %q", op, got)
		}
	}
	w.login(t, "ann")
	today := hash("")
	if today == old {
		t.Error("the hash is still the old one")
	}
	w.login(t, "ann")
	if got := hash(""); got != today {
		t.Errorf("a hash of today was made anew: %q", got)
	}

	hash(old)
	w.fakes.Meanwhile("Users.Update", func() { hash("changed meanwhile") })
	w.login(t, "ann")
	if got := hash(""); got != "changed meanwhile" {
		t.Errorf("got the hash %q over what was changed meanwhile", got)
	}
}

func TestResign(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep images: %v", keep), func(t *testing.T) {
			w := newWorld(t)
			u, err := w.AddUser(t.Context(), form("ann"), account.RoleAdmin)
			check.OK(t, "AddUser", err)
			g, other := w.login(t, "ann"), w.login(t, "ann")
			a := w.authenticated(t, g.AccessToken)
			_, key, err := w.AddKey(t.Context(), a, "program", time.Time{})
			check.OK(t, "AddKey", err)
			check.OK(t, "Resign", w.Resign(t.Context(), a, keep))
			if want := map[bool][]int64{false: {u.ID, u.ID}, true: nil}[keep]; !slices.Equal(w.removed, want) {
				t.Errorf("images of %v were removed, want %v", w.removed, want)
			}
			check.Same(t, "images that came while the account ended were removed", w.ended, !keep)
			row, err := w.fakes.Users.ByID(t.Context(), u.ID)
			check.OK(t, "ByID", err)
			if d := cmp.Diff(account.User{ID: u.ID, Created: u.Created}, row); d != "" {
				t.Errorf("the row (-want +got):\n%s", d)
			}
			for _, bearer := range []string{g.AccessToken, other.AccessToken, key} {
				_, err := w.Authenticate(t.Context(), bearer)
				check.Code(t, "Authenticate", err, fault.Unauthenticated, "invalid_token")
			}
			_, err = w.Refresh(t.Context(), other.RefreshToken)
			check.Code(t, "Refresh", err, fault.Unauthenticated, "invalid_token")
			if next := w.user(t, "ann"); next.ID == u.ID {
				t.Error("the next of that name got the old row")
			}
		})
	}
}

func TestResignCanBeTriedAgain(t *testing.T) {
	for _, op := range []string{"Keys.DeleteKeysOf", "Users.Update"} {
		for _, mode := range []porttest.Mode{porttest.Before, porttest.After} {
			w := newWorld(t)
			u := w.user(t, "ann")
			a := w.actor(t, "ann")
			w.fakes.Fail(op, mode)
			check.Code(t, "Resign without "+op, w.Resign(t.Context(), a, false), fault.Unavailable, "injected")
			check.OK(t, "Resign again", w.Resign(t.Context(), a, false))
			row, err := w.fakes.Users.ByID(t.Context(), u.ID)
			check.OK(t, "ByID", err)
			if !row.Resigned() {
				t.Errorf("without %s: got the row %+v", op, row)
			}
		}
	}
	w := newWorld(t)
	w.user(t, "ann")
	a := w.actor(t, "ann")
	w.refuse = errors.New("the images cannot be removed")
	if err := w.Resign(t.Context(), a, false); !errors.Is(err, w.refuse) {
		t.Errorf("Resign: got %v, want %v", err, w.refuse)
	}
	w.login(t, "ann") // the account is as it was
}

func TestKeys(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, "ann")
	w.user(t, "bob")
	a := w.actor(t, "ann")
	k, text, err := w.AddKey(t.Context(), a, "스\u202E캐너", w.clock.Add(time.Hour))
	check.OK(t, "AddKey", err)
	check.Same(t, "the name without the mark of direction", k.Name, "스캐너")
	if !strings.HasPrefix(text, "gbx_"+k.ID+".") || strings.Contains(text, k.SecretHash) {
		t.Errorf("got the key %q of %+v", text, k)
	}
	if got := w.authenticated(t, text); got != (account.Actor{UserID: u.ID, Name: "ann"}) {
		t.Errorf("got the actor %+v", got)
	}
	for _, wrong := range []string{text + "x", text[:len(text)-1], "gbx_", "gbx_" + k.ID, "gbx_" + k.ID + ".", "gbx_x." + text,
		strings.TrimPrefix(text, "gbx_"), strings.ToUpper(text)} {
		_, err := w.Authenticate(t.Context(), wrong)
		check.Code(t, "Authenticate with "+wrong, err, fault.Unauthenticated, "invalid_token")
	}

	keys, err := w.KeysOf(t.Context(), a)
	check.OK(t, "KeysOf", err)
	k.LastUsed = w.clock.UTC().Truncate(time.Microsecond)
	if d := cmp.Diff([]account.Key{k}, keys); d != "" {
		t.Errorf("KeysOf (-want +got):\n%s", d)
	}

	w.fakes.Calls()
	w.clock = w.clock.Add(30 * time.Second)
	w.authenticated(t, text)
	if calls := w.fakes.Calls(); len(calls) > 0 {
		t.Errorf("a second use within a minute wrote: %v", calls)
	}
	w.clock = w.clock.Add(time.Hour - 31*time.Second)
	w.authenticated(t, text)
	w.clock = w.clock.Add(time.Second)
	_, err = w.Authenticate(t.Context(), text)
	check.Code(t, "Authenticate with a key that lapsed", err, fault.Unauthenticated, "invalid_token")

	bob := w.actor(t, "bob")
	if err := w.DeleteKey(t.Context(), bob, k.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("DeleteKey of somebody else's: got %v", err)
	}
	_, forever, err := w.AddKey(t.Context(), a, "forever", time.Time{})
	check.OK(t, "AddKey", err)
	w.clock = w.clock.Add(10 * 365 * 24 * time.Hour)
	w.authenticated(t, forever)
	id, _, _ := strings.Cut(strings.TrimPrefix(forever, "gbx_"), ".")
	check.OK(t, "DeleteKey", w.DeleteKey(t.Context(), a, id))
	_, err = w.Authenticate(t.Context(), forever)
	check.Code(t, "Authenticate with a key that was deleted", err, fault.Unauthenticated, "invalid_token")
}

func TestAddKeyRules(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	a := w.actor(t, "ann")
	for _, c := range []struct {
		name    string
		expires time.Time
		fields  []string
	}{
		{"", time.Time{}, []string{"name"}},
		{strings.Repeat("가", 101), time.Time{}, []string{"name"}},
		{"a\nb", time.Time{}, []string{"name"}},
		{"a\xff", time.Time{}, []string{"name"}},
		{"a", w.clock.Add(-time.Second), []string{"expires"}},
		{"a", w.clock.Truncate(time.Microsecond), []string{"expires"}},
		{"", w.clock.Add(-time.Second), []string{"name", "expires"}},
		{strings.Repeat("가", 100), w.clock.Add(time.Second), nil},
	} {
		_, _, err := w.AddKey(t.Context(), a, c.name, c.expires)
		wantFields(t, "AddKey of "+c.name, err, c.fields...)
	}
	for range w.MaxKeys - 1 {
		_, _, err := w.AddKey(t.Context(), a, "another", time.Time{})
		check.OK(t, "AddKey", err)
	}
	_, _, err := w.AddKey(t.Context(), a, "one too many", time.Time{})
	check.Code(t, "AddKey", err, fault.Conflict, "too_many_keys")
}

// TestSessionRequired checks that an API key cannot make itself outlive what its owner wants.
func TestSessionRequired(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ann")
	k, text, err := w.AddKey(t.Context(), w.actor(t, "ann"), "program", time.Time{})
	check.OK(t, "AddKey", err)
	a := w.authenticated(t, text)
	w.fakes.Calls()
	for what, act := range map[string]func() error{
		"Logout": func() error { return w.Logout(t.Context(), a) },
		"ChangePassword": func() error {
			_, err := w.ChangePassword(t.Context(), a, password, "other-horse", "other-horse")
			return err
		},
		"Resign":        func() error { return w.Resign(t.Context(), a, true) },
		"ChangeProfile": func() error { _, err := w.ChangeProfile(t.Context(), a, "next", "next@example.org"); return err },
		"AddKey":        func() error { _, _, err := w.AddKey(t.Context(), a, "next", time.Time{}); return err },
		"DeleteKey":     func() error { return w.DeleteKey(t.Context(), a, k.ID) },
	} {
		check.Code(t, what, act(), fault.Forbidden, "session_required")
	}
	if calls := w.fakes.Calls(); len(calls) > 0 {
		t.Errorf("refused, and yet %v", calls)
	}
	_, err = w.KeysOf(t.Context(), a)
	check.OK(t, "KeysOf", err)
	_, err = w.Me(t.Context(), a)
	check.OK(t, "Me", err)
}

func TestAttempts(t *testing.T) {
	w := newWorld(t)
	w.Attempts = account.NewAttempts(3, time.Minute)
	w.user(t, "ann")
	login := func(name, password, address string) error {
		_, err := w.Login(t.Context(), name, password, account.Client{Address: address})
		return err
	}
	for range 3 {
		check.Code(t, "Login", login("ann", "wrong-horse", "192.0.2.1"), fault.Unauthenticated, "wrong_credentials")
	}
	err := login("ANN", password, "192.0.2.1")
	check.Code(t, "Login with the right password while the bucket is full", err, fault.TooMany, "too_many_attempts")
	if f := fault.Of(err); f == nil || f.RetryAfter != time.Minute {
		t.Errorf("got %+v, want to be told to wait a minute", f)
	}
	check.OK(t, "Login from elsewhere", login("ann", password, "192.0.2.2"))
	check.Code(t, "Login of another name", login("bob", password, "192.0.2.1"), fault.Unauthenticated, "wrong_credentials")

	w.clock = w.clock.Add(59 * time.Second)
	err = login("ann", password, "192.0.2.1")
	check.Code(t, "Login too soon", err, fault.TooMany, "too_many_attempts")
	if f := fault.Of(err); f == nil || f.RetryAfter < time.Second || f.RetryAfter > time.Second+time.Millisecond {
		t.Errorf("got %+v, want to be told to wait a second", f)
	}
	w.clock = w.clock.Add(time.Second)
	check.Code(t, "Login after a minute", login("ann", "wrong-horse", "192.0.2.1"), fault.Unauthenticated, "wrong_credentials")
	check.Code(t, "Login after one more", login("ann", "wrong-horse", "192.0.2.1"), fault.TooMany, "too_many_attempts")
	w.clock = w.clock.Add(time.Hour)
	for range 3 { // no more is saved up than the burst
		check.Code(t, "Login after an hour", login("ann", "wrong-horse", "192.0.2.1"), fault.Unauthenticated, "wrong_credentials")
	}
	check.Code(t, "Login after the burst", login("ann", password, "192.0.2.1"), fault.TooMany, "too_many_attempts")
	w.clock = w.clock.Add(time.Hour)
	for range 10 {
		check.OK(t, "Login with the right password", login("ann", password, "192.0.2.1"))
	}
}

func TestAttemptsAtTheCurrentPassword(t *testing.T) {
	w := newWorld(t)
	w.Attempts = account.NewAttempts(2, time.Minute)
	w.user(t, "ann")
	a := w.actor(t, "ann")
	for range 2 {
		_, err := w.ChangePassword(t.Context(), a, "wrong-horse", "other-horse", "other-horse")
		wantFields(t, "ChangePassword", err, "current_password")
	}
	_, err := w.ChangePassword(t.Context(), a, password, "other-horse", "other-horse")
	check.Code(t, "ChangePassword", err, fault.TooMany, "too_many_attempts")
	w.clock = w.clock.Add(time.Minute)
	_, err = w.ChangePassword(t.Context(), a, password, "other-horse", "other-horse")
	check.OK(t, "ChangePassword after a minute", err)
}

// slowPasswords takes a second of the test's clock for each look at a password.
type slowPasswords struct {
	account.Passwords
	looked atomic.Int32
}

func (p *slowPasswords) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	p.looked.Add(1)
	time.Sleep(time.Second)
	return p.Passwords.Verify(ctx, hash, password)
}

// atOnce does something so many times at once.
func atOnce(n int, do func() error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do() })
	}
	all.Wait()
	return errs
}

func TestAttemptsAtOnce(t *testing.T) {
	const burst, many = 3, 20
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(t, "ann")
		a := w.actor(t, "ann")
		slow := &slowPasswords{Passwords: w.fakes.Passwords}
		w.Passwords, w.Attempts = slow, account.NewAttempts(burst, time.Minute)
		login := func(name, password string) error {
			_, err := w.Login(t.Context(), name, password, account.Client{Address: "192.0.2.1"})
			return err
		}

		for _, err := range atOnce(many, func() error { return login("ann", password) }) {
			check.OK(t, "Login with the right password, many times at once", err)
		}
		for what, guess := range map[string]func() error{
			"Login": func() error { return login("Ann", "wrong-horse") },
			"ChangePassword": func() error {
				_, err := w.ChangePassword(t.Context(), a, "wrong-horse", "other-horse", "other-horse")
				return err
			},
		} {
			slow.looked.Store(0)
			refused := 0
			for _, err := range atOnce(many, guess) {
				if fault.Is(err, fault.TooMany) {
					refused++
				} else if !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Invalid) {
					t.Errorf("%s: got %v", what, err)
				}
			}
			if looked := slow.looked.Load(); looked != burst || refused != many-burst {
				t.Errorf("%s: got %d passwords looked at and %d refused, want %d and %d", what, looked, refused, burst, many-burst)
			}
		}
	})
}

func TestNobodyWaitsForTheAttemptsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user(t, "ann")
		w.user(t, "bob")
		w.Passwords, w.Attempts = &slowPasswords{Passwords: w.fakes.Passwords}, account.NewAttempts(3, time.Minute)
		began := time.Now()
		var guesses sync.WaitGroup
		guesses.Go(func() {
			atOnce(3, func() error {
				_, err := w.Login(t.Context(), "ann", "wrong-horse", account.Client{Address: "192.0.2.1"})
				return err
			})
		})
		synctest.Wait()
		for _, c := range []struct{ name, address string }{{"bob", "192.0.2.1"}, {"ann", "192.0.2.2"}} {
			guesses.Go(func() {
				_, err := w.Login(t.Context(), c.name, password, account.Client{Address: c.address})
				check.OK(t, "Login", err)
				check.Same(t, "seconds that it took", time.Since(began), time.Second)
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		_, err := w.Login(ctx, "ann", password, account.Client{Address: "192.0.2.1"})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Login whose time ends before its turn: got %v", err)
		}
		guesses.Wait()
	})
}

func TestAdministration(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(t)
	u := w.user(t, "ann")
	ann := w.actor(t, "ann")

	for what, act := range map[string]func(a account.Actor, id int64) error{
		"SetRole": func(a account.Actor, id int64) error { _, err := w.SetRole(t.Context(), a, id, ""); return err },
		"SetState": func(a account.Actor, id int64) error {
			_, err := w.SetState(t.Context(), a, id, account.StateBlocked, "")
			return err
		},
		"ClearState": func(a account.Actor, id int64) error {
			_, err := w.ClearState(t.Context(), a, id, account.StateBlocked)
			return err
		},
	} {
		check.Code(t, what, act(ann, admin.UserID), fault.Forbidden, "admin_only")
		check.Code(t, what+" of oneself without role", act(ann, ann.UserID), fault.Forbidden, "admin_only")
		check.Code(t, what+" of oneself", act(admin, admin.UserID), fault.Forbidden, "own_account")
		if err := act(admin, 4711); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of nobody: got %v", what, err)
		}
	}
	_, _, err := w.List(t.Context(), ann, "", account.Page{Size: 10})
	check.Code(t, "List", err, fault.Forbidden, "admin_only")
	users, n, err := w.List(t.Context(), admin, "AN", account.Page{Size: 10})
	check.OK(t, "List", err)
	if n != 1 || len(users) != 1 || users[0].ID != u.ID {
		t.Errorf("got %d users %v, want ann", n, users)
	}

	_, err = w.SetRole(t.Context(), admin, u.ID, "boss")
	wantFields(t, "SetRole", err, "role")
	_, err = w.SetState(t.Context(), admin, u.ID, "asleep", strings.Repeat("x", 501))
	wantFields(t, "SetState", err, "state", "detail")
	_, err = w.ClearState(t.Context(), admin, u.ID, "asleep")
	wantFields(t, "ClearState", err, "state")

	g := w.login(t, "ann")
	_, err = w.SetRole(t.Context(), admin, u.ID, account.RoleAdmin)
	check.OK(t, "SetRole", err)
	if a := w.authenticated(t, g.AccessToken); !a.Admin || !a.MayActFor(admin.UserID) {
		t.Errorf("got %+v, want an administrator from the next request on", a)
	}
	_, err = w.SetRole(t.Context(), admin, u.ID, "")
	check.OK(t, "SetRole", err)
	if a := w.authenticated(t, g.AccessToken); a.Admin || a.MayActFor(admin.UserID) || !a.MayActFor(a.UserID) {
		t.Errorf("got %+v, want no administrator any more", a)
	}

	_, err = w.ClearState(t.Context(), admin, u.ID, account.StateBlocked)
	check.OK(t, "ClearState of a state that the user is not in", err)
	set := w.clock.UTC().Truncate(time.Microsecond)
	for _, s := range []struct{ state, detail string }{{account.StateInactivate, "left"}, {account.StateBlocked, "spam"},
		{account.StateInactivate, "back soon"}} {
		_, err = w.SetState(t.Context(), admin, u.ID, s.state, s.detail)
		check.OK(t, "SetState", err)
		w.clock = w.clock.Add(time.Minute)
		admin = w.actor(t, "root")
	}
	got, err := w.fakes.Users.ByID(t.Context(), u.ID)
	check.OK(t, "ByID", err)
	want := []account.State{{Name: account.StateBlocked, Detail: "spam", Created: set.Add(time.Minute)},
		{Name: account.StateInactivate, Detail: "back soon", Created: set}}
	if d := cmp.Diff(want, got.States); d != "" {
		t.Errorf("states (-want +got):\n%s", d)
	}

	gone := w.user(t, "carl")
	check.OK(t, "Resign", w.Resign(t.Context(), w.actor(t, "carl"), true))
	_, err = w.SetRole(t.Context(), admin, gone.ID, account.RoleAdmin)
	check.Code(t, "SetRole of who resigned", err, fault.NotFound, "user_not_found")
	_, err = w.SetState(t.Context(), admin, gone.ID, account.StateBlocked, "")
	check.Code(t, "SetState of who resigned", err, fault.NotFound, "user_not_found")
}

func TestActorOf(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, "ann")
	_, err := w.ActorOf(t.Context(), u.ID+100)
	check.Code(t, "ActorOf nobody", err, fault.NotFound, "user_not_found")
	got, err := w.ActorOf(t.Context(), u.ID)
	check.OK(t, "ActorOf", err)
	check.Same(t, "actor", got, account.Actor{UserID: u.ID, Name: "ann"})
	admin := w.admin(t)
	got, err = w.ActorOf(t.Context(), admin.UserID)
	check.OK(t, "ActorOf", err)
	check.Same(t, "administrator", got.Admin, true)
	_, err = w.SetState(t.Context(), admin, u.ID, account.StateBlocked, "")
	check.OK(t, "SetState", err)
	_, err = w.ActorOf(t.Context(), u.ID)
	check.Code(t, "ActorOf who is blocked", err, fault.Forbidden, "account_blocked")
	gone := w.user(t, "gone")
	check.OK(t, "Resign", w.Resign(t.Context(), w.actor(t, "gone"), true))
	_, err = w.ActorOf(t.Context(), gone.ID)
	check.Code(t, "ActorOf who has resigned", err, fault.Unauthenticated, "account_deleted")
}

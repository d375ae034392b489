package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/label"
)

// Service has the operations on accounts. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Users      Users
	Sessions   Sessions
	Keys       Keys
	Tokens     Tokens
	Passwords  Passwords
	Dependents Dependents
	Webhooks   Dependents // which end whatever is kept; nil: there are none
	Attempts   *Attempts  // wrong passwords; nil: not counted

	SignUpOpen bool
	AccessTTL  time.Duration // how long an access token is good
	RefreshTTL time.Duration // how long a refresh token is good
	MaxKeys    int           // API keys of one user
	Now        func() time.Time
}

// SignUp is the form of a new account.
type SignUp struct {
	Name, Email, Password1, Password2 string
}

// Client is the origin of a sign-in, for the login history.
type Client struct {
	Address, UserAgent string
}

// Grant is the result of a sign-in.
type Grant struct {
	User         User
	AccessToken  string
	ExpiresIn    time.Duration // of the access token
	RefreshToken string
	RefreshUntil time.Time
}

// now is the time to the microsecond, which is what the stores keep.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// SignUp creates an account. Invalid; Conflict with the field that is taken; Forbidden if sign-up is closed.
func (s *Service) SignUp(ctx context.Context, form SignUp) (User, error) {
	if !s.SignUpOpen {
		return User{}, fault.New(fault.Forbidden, "signup_closed", "Only administrators can create accounts here.")
	}
	return s.add(ctx, form, "")
}

// AddUser creates an account with any role, whether or not sign-up is open. It is for operators: it checks no actor.
func (s *Service) AddUser(ctx context.Context, form SignUp, role string) (User, error) {
	return s.add(ctx, form, role)
}

func (s *Service) add(ctx context.Context, form SignUp, role string) (User, error) {
	fields := append(checkName(form.Name), checkEmail(form.Email)...)
	fields = append(fields, checkPasswords(form.Password1, form.Password2)...)
	if err := fault.InvalidFields(append(fields, checkRole(role)...)...); err != nil {
		return User{}, err
	}
	hash, err := s.Passwords.Hash(ctx, form.Password1)
	if err != nil {
		return User{}, err
	}
	return s.Users.Add(ctx, User{Name: form.Name, Email: form.Email, PasswordHash: hash, Role: role, Created: s.now()})
}

func checkRole(role string) []fault.Field {
	if role == "" || role == RoleAdmin {
		return nil
	}
	return []fault.Field{{Field: "role", Detail: RoleAdmin + " or null"}}
}

// Login exchanges name and password for tokens. An unknown name and a wrong password give the same answer in the same time.
// Unauthenticated; Forbidden for a user in a state that prevents signing in; TooMany after many wrong passwords for a name from one
// address.
func (s *Service) Login(ctx context.Context, name, password string, from Client) (Grant, error) {
	source := name + "\n" + from.Address // not by the name alone, so that nobody can lock out somebody else
	var u User
	var outdated bool
	ok, err := s.Attempts.check(ctx, source, s.now, func() (ok bool, err error) {
		if u, err = s.Users.ByName(ctx, name); err != nil && !fault.Is(err, fault.NotFound) {
			return false, err
		}
		ok, outdated, err = s.Passwords.Verify(ctx, u.PasswordHash, password)
		return ok, err
	})
	if err != nil {
		return Grant{}, err
	}
	if !ok {
		return Grant{}, fault.New(fault.Unauthenticated, "wrong_credentials", "Name or password is wrong.")
	}
	if err := u.admit(); err != nil {
		return Grant{}, err
	}
	if outdated {
		s.upgrade(ctx, u, password)
	}
	now, secret := s.now(), newRefreshSecret("")
	session := Session{ID: newID(), UserID: u.ID, RefreshHash: hashRefresh(secret), Created: now, Expires: now.Add(s.RefreshTTL)}
	if err := s.Sessions.AddSession(ctx, session); err != nil {
		return Grant{}, err
	}
	login := Login{UserID: u.ID, Address: cut(from.Address, 255), UserAgent: cut(from.UserAgent, 255), Created: now}
	if err := s.Users.AddLogin(ctx, login); err != nil {
		return Grant{}, err
	}
	return s.grant(u, session, secret)
}

// upgrade stores a hash of today's kind. That it fails is no reason to refuse a sign-in: the next one tries again.
func (s *Service) upgrade(ctx context.Context, u User, password string) {
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return
	}
	_, _ = s.Users.Update(ctx, u.ID, func(v *User) error {
		if v.PasswordHash == u.PasswordHash { // not changed meanwhile
			v.PasswordHash = hash
		}
		return nil
	})
}

func (s *Service) grant(u User, session Session, secret string) (Grant, error) {
	now := s.now()
	access, err := s.Tokens.Sign(Claims{UserID: u.ID, Session: session.ID, Issued: now, Expires: now.Add(s.AccessTTL)})
	if err != nil {
		return Grant{}, err
	}
	return Grant{User: u, AccessToken: access, ExpiresIn: s.AccessTTL,
		RefreshToken: joinToken(session.ID, secret), RefreshUntil: session.Expires}, nil
}

// Refresh exchanges a refresh token for a new pair. Each works once: a second use ends the session. Unauthenticated, in that case with
// code "token_reused"; Forbidden for a user in a state that prevents signing in.
func (s *Service) Refresh(ctx context.Context, token string) (Grant, error) {
	id, secret, ok := splitToken(token)
	if !ok {
		return Grant{}, errUnauthenticated
	}
	session, err := s.Sessions.Session(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return Grant{}, errUnauthenticated
	}
	if err != nil {
		return Grant{}, err
	}
	u, err := s.Users.ByID(ctx, session.UserID)
	if err != nil {
		return Grant{}, err
	}
	now, next, fresh := s.now(), newRefreshSecret(secret), false
	session, err = s.Sessions.UpdateSession(ctx, id, func(v *Session) error {
		if !v.live(now) || !v.issued(secret) {
			return errUnauthenticated
		}
		if fresh = v.rotate(secret, next, now, now.Add(s.RefreshTTL)); fresh {
			return u.admit() // after an error the token is still valid
		}
		return nil
	})
	switch {
	case fault.Is(err, fault.NotFound):
		return Grant{}, errUnauthenticated
	case err != nil:
		return Grant{}, err
	case !fresh:
		return Grant{}, fault.New(fault.Unauthenticated, "token_reused",
			"This refresh token was used before, so its session was ended. Sign in again.")
	}
	return s.grant(u, session, next)
}

// Authenticate turns a bearer token, which is an access token or an API key, into an actor. States of the user and the end of the
// session take effect with the next call. Unauthenticated; Forbidden for a user in a state that prevents signing in.
func (s *Service) Authenticate(ctx context.Context, bearer string) (Actor, error) {
	userID, session, err := s.identify(ctx, bearer)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			err = errUnauthenticated
		}
		return Actor{}, err
	}
	u, err := s.Users.ByID(ctx, userID)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			err = errUnauthenticated
		}
		return Actor{}, err
	}
	if err := u.admit(); err != nil {
		return Actor{}, err
	}
	return Actor{UserID: u.ID, Name: u.Name, Admin: u.Role == RoleAdmin, Session: session}, nil
}

// ActorOf returns the actor for work on behalf of a user, such as an item of a job, with the current role of the user. NotFound;
// Unauthenticated for a deleted account; Forbidden for a user in a state that prevents signing in.
func (s *Service) ActorOf(ctx context.Context, userID int64) (Actor, error) {
	u, err := s.Users.ByID(ctx, userID)
	if err != nil {
		return Actor{}, err
	}
	if u.Resigned() {
		return Actor{}, fault.New(fault.Unauthenticated, "account_deleted", "The account was deleted.")
	}
	if err := u.admit(); err != nil {
		return Actor{}, err
	}
	return Actor{UserID: u.ID, Name: u.Name, Admin: u.Role == RoleAdmin}, nil
}

func (s *Service) identify(ctx context.Context, bearer string) (userID int64, session string, err error) {
	now := s.now()
	if text, ok := strings.CutPrefix(bearer, keyPrefix); ok {
		id, secret, ok := splitToken(text)
		if !ok {
			return 0, "", errUnauthenticated
		}
		k, err := s.Keys.Key(ctx, id)
		if err != nil {
			return 0, "", err
		}
		if !sameHash(k.SecretHash, hashSecret(secret)) || !k.Expires.IsZero() && !now.Before(k.Expires) {
			return 0, "", errUnauthenticated
		}
		if now.Sub(k.LastUsed) > time.Minute {
			if err := s.Keys.UseKey(ctx, id, now); err != nil {
				return 0, "", err
			}
		}
		return k.UserID, "", nil
	}
	c, err := s.Tokens.Verify(bearer, now)
	if err != nil {
		return 0, "", err
	}
	v, err := s.Sessions.Session(ctx, c.Session)
	if err != nil {
		return 0, "", err
	}
	if !v.live(now) || v.UserID != c.UserID {
		return 0, "", errUnauthenticated
	}
	return c.UserID, c.Session, nil
}

// Logout ends the session of the actor. Forbidden with an API key, which has no session.
func (s *Service) Logout(ctx context.Context, actor Actor) error {
	if err := actor.mustHaveSession(); err != nil {
		return err
	}
	_, err := s.Sessions.UpdateSession(ctx, actor.Session, func(v *Session) error {
		if v.Revoked.IsZero() {
			v.Revoked = s.now()
		}
		return nil
	})
	return err
}

// Me returns the account of the actor.
func (s *Service) Me(ctx context.Context, actor Actor) (User, error) {
	return s.Users.ByID(ctx, actor.UserID)
}

// Logins returns the sign-ins of the actor, newest first, and their total number.
func (s *Service) Logins(ctx context.Context, actor Actor, page Page) ([]Login, int, error) {
	return s.Users.Logins(ctx, actor.UserID, page)
}

// ChangeProfile changes the name and the e-mail address of the actor. Invalid; Conflict with the field that is taken.
func (s *Service) ChangeProfile(ctx context.Context, actor Actor, name, email string) (User, error) {
	if err := actor.mustHaveSession(); err != nil {
		return User{}, err
	}
	if err := fault.InvalidFields(append(checkName(name), checkEmail(email)...)...); err != nil {
		return User{}, err
	}
	return s.Users.Update(ctx, actor.UserID, func(u *User) error {
		u.Name, u.Email = name, email
		return u.admit()
	})
}

// ChangePassword sets a new password and ends all other sessions of the actor. Invalid, also if the current password is wrong.
func (s *Service) ChangePassword(ctx context.Context, actor Actor, current, password1, password2 string) (User, error) {
	if err := actor.mustHaveSession(); err != nil {
		return User{}, err
	}
	if err := fault.InvalidFields(checkPasswords(password1, password2)...); err != nil {
		return User{}, err
	}
	u, err := s.Users.ByID(ctx, actor.UserID)
	if err != nil {
		return User{}, err
	}
	ok, err := s.Attempts.check(ctx, u.Name, s.now, func() (bool, error) {
		ok, _, err := s.Passwords.Verify(ctx, u.PasswordHash, current)
		return ok, err
	})
	if err != nil {
		return User{}, err
	}
	if !ok {
		return User{}, fault.InvalidFields(fault.Field{Field: "current_password", Detail: "the password you have now"})
	}
	return s.setPassword(ctx, u, password1, actor.Session)
}

// ResetPassword sets the password of a user, given by name, and ends all sessions. It is for operators: it checks no actor.
func (s *Service) ResetPassword(ctx context.Context, name, password string) (User, error) {
	if err := fault.InvalidFields(checkPasswords(password, password)...); err != nil {
		return User{}, err
	}
	u, err := s.Users.ByName(ctx, name)
	if err != nil {
		return User{}, err
	}
	return s.setPassword(ctx, u, password, "")
}

func (s *Service) setPassword(ctx context.Context, was User, password, keepSession string) (User, error) {
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	u, err := s.Users.Update(ctx, was.ID, func(u *User) error {
		if u.PasswordHash != was.PasswordHash {
			return fault.New(fault.Conflict, "changed_meanwhile", "The password was changed meanwhile.")
		}
		u.PasswordHash = hash
		return u.admit()
	})
	if err != nil {
		return User{}, err
	}
	return u, s.Sessions.RevokeSessions(ctx, u.ID, keepSession, s.now())
}

// Resign deletes the account of the actor: it clears name, e-mail address and password, ends sessions and keys, and deletes the images
// unless keepImages is set.
func (s *Service) Resign(ctx context.Context, actor Actor, keepImages bool) error {
	if err := actor.mustHaveSession(); err != nil {
		return err
	}
	if !keepImages { // before the account ends, so that a failure can be tried again
		if err := s.Dependents.RemoveAllOf(ctx, actor.UserID); err != nil {
			return err
		}
	}
	if s.Webhooks != nil {
		if err := s.Webhooks.RemoveAllOf(ctx, actor.UserID); err != nil {
			return err
		}
	}
	if err := s.Keys.DeleteKeysOf(ctx, actor.UserID); err != nil {
		return err
	}
	if _, err := s.Users.Update(ctx, actor.UserID, func(u *User) error {
		u.Name, u.Email, u.PasswordHash, u.Role = "", "", "", ""
		return nil
	}); err != nil {
		return err
	}
	if err := s.Sessions.RevokeSessions(ctx, actor.UserID, "", s.now()); err != nil || keepImages {
		return err
	}
	return s.Dependents.RemoveAllOf(ctx, actor.UserID) // images that were added while the account ended
}

// AddKey creates an API key and returns it with its text, which cannot be retrieved again. A zero expires means never.
func (s *Service) AddKey(ctx context.Context, actor Actor, name string, expires time.Time) (Key, string, error) {
	if err := actor.mustHaveSession(); err != nil {
		return Key{}, "", err
	}
	now := s.now()
	name = label.Clean(name)
	fields := checkText("name", name, 1, MaxKeyName)
	if !expires.IsZero() && !expires.After(now) {
		fields = append(fields, fault.Field{Field: "expires", Detail: "a time in the future"})
	}
	if err := fault.InvalidFields(fields...); err != nil {
		return Key{}, "", err
	}
	have, err := s.Keys.KeysOf(ctx, actor.UserID)
	if err != nil {
		return Key{}, "", err
	}
	if len(have) >= s.MaxKeys {
		return Key{}, "", fault.New(fault.Conflict, "too_many_keys", "There may be at most %d API keys. Delete one first.", s.MaxKeys)
	}
	secret := newSecret()
	k := Key{ID: newID(), UserID: actor.UserID, Name: name, SecretHash: hashSecret(secret), Created: now}
	if !expires.IsZero() {
		k.Expires = expires.UTC().Truncate(time.Microsecond)
	}
	return k, keyPrefix + joinToken(k.ID, secret), s.Keys.AddKey(ctx, k)
}

// KeysOf returns the API keys of the actor, newest first.
func (s *Service) KeysOf(ctx context.Context, actor Actor) ([]Key, error) {
	return s.Keys.KeysOf(ctx, actor.UserID)
}

// DeleteKey ends one of the actor's API keys. NotFound.
func (s *Service) DeleteKey(ctx context.Context, actor Actor, id string) error {
	if err := actor.mustHaveSession(); err != nil {
		return err
	}
	return s.Keys.DeleteKey(ctx, actor.UserID, id)
}

// List returns users, for administrators, and their total number.
func (s *Service) List(ctx context.Context, actor Actor, keyword string, page Page) ([]User, int, error) {
	if err := actor.MustBeAdmin(); err != nil {
		return nil, 0, err
	}
	return s.Users.List(ctx, keyword, page)
}

// SetRole gives a user a role; the empty role removes it. Nobody may change their own.
func (s *Service) SetRole(ctx context.Context, actor Actor, id int64, role string) (User, error) {
	if err := s.mayGovern(actor, id); err != nil {
		return User{}, err
	}
	if err := fault.InvalidFields(checkRole(role)...); err != nil {
		return User{}, err
	}
	return s.change(ctx, id, func(u *User) { u.Role = role })
}

// SetState puts a user into a state that prevents all requests from the next one on. Nobody may change their own.
func (s *Service) SetState(ctx context.Context, actor Actor, id int64, state, detail string) (User, error) {
	if err := s.mayGovern(actor, id); err != nil {
		return User{}, err
	}
	detail = label.Clean(detail)
	fields := append(checkStateName(state), checkText("detail", detail, 0, MaxDetail)...)
	if err := fault.InvalidFields(fields...); err != nil {
		return User{}, err
	}
	return s.change(ctx, id, func(u *User) { u.setState(state, detail, s.now()) })
}

// ClearState removes a state from a user. It is no error if the user is not in it.
func (s *Service) ClearState(ctx context.Context, actor Actor, id int64, state string) (User, error) {
	if err := s.mayGovern(actor, id); err != nil {
		return User{}, err
	}
	if err := fault.InvalidFields(checkStateName(state)...); err != nil {
		return User{}, err
	}
	return s.change(ctx, id, func(u *User) { u.clearState(state) })
}

func (s *Service) mayGovern(actor Actor, id int64) error {
	if err := actor.MustBeAdmin(); err != nil {
		return err
	}
	if actor.UserID == id {
		return fault.New(fault.Forbidden, "own_account", "Administrators cannot change their own role or states.")
	}
	return nil
}

// change changes a user who has not resigned.
func (s *Service) change(ctx context.Context, id int64, apply func(*User)) (User, error) {
	return s.Users.Update(ctx, id, func(u *User) error {
		if u.Resigned() {
			return ErrUserNotFound
		}
		apply(u)
		return nil
	})
}

// newID returns 128 random bits as text, newSecret 256.
func newID() string { return rand.Text() }

func newSecret() string {
	b := make([]byte, sha256.Size)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

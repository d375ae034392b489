// Package account has the rules of users: their identity, sign-in and states, and what an actor may do.
//
// The types and rules in user.go and session.go do no I/O. Service has the operations, and ports.go what they need from outside.
package account

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/fault"
)

// RoleAdmin is the only role: it may see and change everything. Other users have the empty role.
const RoleAdmin = "admin"

// The states a user can be in. Either keeps the user out, from the next request on.
const (
	StateBlocked    = "blocked"
	StateInactivate = "inactivate"
)

// Limits of what users choose, in characters.
const (
	MaxName     = 100
	MaxEmail    = 255
	MinPassword = 8
	MaxPassword = 255
	MaxKeyName  = 100
	MaxDetail   = 500
)

// User is a user with an account. A deleted account keeps its row, with Name, Email and PasswordHash empty.
type User struct {
	ID           int64
	Name         string // 1–100 ASCII letters and digits, unique whatever the case
	Email        string // unique whatever the case
	PasswordHash string
	Role         string  // RoleAdmin or empty
	States       []State // by name, no name twice
	Created      time.Time
}

// State keeps a user out, with a reason.
type State struct {
	Name    string // StateBlocked or StateInactivate
	Detail  string // why; may be empty
	Created time.Time
}

// Resigned tells whether the account was deleted.
func (u User) Resigned() bool { return u.Name == "" }

// Is tells whether the user is in the state.
func (u User) Is(state string) bool {
	return slices.ContainsFunc(u.States, func(s State) bool { return s.Name == state })
}

// admit returns why the user may not come in, or nil.
func (u User) admit() error {
	switch {
	case u.Resigned():
		return errUnauthenticated
	case u.Is(StateBlocked):
		return fault.New(fault.Forbidden, "account_blocked", "This account is blocked. Ask the administrator.")
	case u.Is(StateInactivate):
		return fault.New(fault.Forbidden, "account_inactive", "This account is not active. Ask the administrator.")
	}
	return nil
}

// setState puts the user into a state, or changes the detail of one the user is in already.
func (u *User) setState(name, detail string, now time.Time) {
	for i := range u.States {
		if u.States[i].Name == name {
			u.States[i].Detail = detail
			return
		}
	}
	u.States = append(u.States, State{Name: name, Detail: detail, Created: now})
	slices.SortFunc(u.States, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
}

func (u *User) clearState(name string) {
	u.States = slices.DeleteFunc(u.States, func(s State) bool { return s.Name == name })
}

// Ref identifies a user to others.
type Ref struct {
	ID   int64  `json:"id"`
	Name string `json:"-"` // looked up when it is needed; empty for one who has resigned
}

// Actor is the user on whose behalf an operation runs. Operations take it as an argument; it is never in a context.
type Actor struct {
	UserID  int64
	Name    string
	Admin   bool
	Session string // the session of the access token; empty where an API key was used
}

// MayActFor tells whether the actor may read and change what belongs to the user.
func (a Actor) MayActFor(userID int64) bool { return a.Admin || a.UserID == userID }

// MustBeAdmin returns Forbidden for everybody but administrators.
func (a Actor) MustBeAdmin() error {
	if !a.Admin {
		return fault.New(fault.Forbidden, "admin_only", "Only an administrator may do this.")
	}
	return nil
}

// mustHaveSession refuses API keys for operations by which a stolen key could outlive its deletion.
func (a Actor) mustHaveSession() error {
	if a.Session == "" {
		return fault.New(fault.Forbidden, "session_required", "An API key may not do this. Sign in with a password.")
	}
	return nil
}

// Login is one successful sign-in.
type Login struct {
	ID        int64
	UserID    int64
	Address   string // of the client, without port; may be empty
	UserAgent string // as sent, cut to 255 characters; may be empty
	Created   time.Time
}

func checkName(name string) []fault.Field {
	ok := name != "" && len(name) <= MaxName
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}
	if ok {
		return nil
	}
	return []fault.Field{{Field: "name", Detail: fmt.Sprintf("1 to %d ASCII letters and digits", MaxName)}}
}

func checkEmail(email string) []fault.Field {
	addr, err := mail.ParseAddress(email)
	if err == nil && addr.Name == "" && addr.Address == email && utf8.RuneCountInString(email) <= MaxEmail {
		return nil
	}
	return []fault.Field{{Field: "email", Detail: fmt.Sprintf("an e-mail address such as ann@example.org, at most %d characters",
		MaxEmail)}}
}

func checkPasswords(password1, password2 string) (fields []fault.Field) {
	n := utf8.RuneCountInString(password1)
	if n < MinPassword || n > MaxPassword || !utf8.ValidString(password1) || strings.ContainsFunc(password1, unicode.IsSpace) {
		fields = append(fields, fault.Field{Field: "password1", Detail: fmt.Sprintf("%d to %d characters without white space", MinPassword,
			MaxPassword)})
	}
	if password1 != password2 {
		fields = append(fields, fault.Field{Field: "password2", Detail: "the same as password1"})
	}
	return fields
}

func checkStateName(name string) []fault.Field {
	if name == StateBlocked || name == StateInactivate {
		return nil
	}
	return []fault.Field{{Field: "state", Detail: StateBlocked + " or " + StateInactivate}}
}

// checkText is for texts that people choose freely: names of keys, details of states.
func checkText(field, text string, minimum, maximum int) []fault.Field {
	n := utf8.RuneCountInString(text)
	if n >= minimum && n <= maximum && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
		return nil
	}
	return []fault.Field{{Field: field, Detail: fmt.Sprintf("%d to %d characters, no control characters", minimum, maximum)}}
}

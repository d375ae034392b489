package account

import (
	"context"
	"time"

	"glyphbox/internal/domain/fault"
)

// Page selects a part of a list: part Number, counted from 0, of Size items.
type Page struct {
	Size   int
	Number int
}

// ErrUserNotFound is the fault of stores for an unknown user. They return it as it is, or with a cause.
var ErrUserNotFound = fault.New(fault.NotFound, "user_not_found", "There is no such user.")

// Users keeps the rows of users, with their role, states and sign-ins. Safe for concurrent use. Times are kept in UTC to the microsecond.
// Names and e-mails are unique whatever the case of ASCII letters; any number of users may have resigned and have neither.
type Users interface {
	// Add stores a new user and returns it with its ID. A name or e-mail that is taken is a Conflict with code
	// "name_taken" or "email_taken" that names the field "name" or "email".
	Add(ctx context.Context, u User) (User, error)

	// ByID returns one user. NotFound.
	ByID(ctx context.Context, id int64) (User, error)

	// ByName returns the user of that name, whatever its case. NotFound, also for the empty name.
	ByName(ctx context.Context, name string) (User, error)

	// List returns users by ID, ascending, and how many there are in all. A keyword picks those with it in name or
	// e-mail, whatever the case; % and _ are plain characters. Those who resigned are listed only without keyword.
	List(ctx context.Context, keyword string, page Page) ([]User, int, error)

	// Update changes one user: it reads the row, calls change and writes what change left, all as one step that
	// excludes other updates of the row, so change may be called more than once. ID and Created cannot be changed. An
	// error from change leaves the row as it was and is returned as it is. NotFound; Conflict as in Add.
	Update(ctx context.Context, id int64, change func(*User) error) (User, error)

	// AddLogin stores a sign-in.
	AddLogin(ctx context.Context, l Login) error

	// Logins returns the sign-ins of a user, newest first, and how many there are in all.
	Logins(ctx context.Context, userID int64, page Page) ([]Login, int, error)
}

// Sessions keeps sign-ins until some time after they have lapsed. Safe for concurrent use. Times are kept in UTC to the microsecond.
type Sessions interface {
	// AddSession stores a new session. It may remove sessions of that user that lapsed before s.Created.
	AddSession(ctx context.Context, s Session) error

	// Session returns one session, revoked ones too. NotFound.
	Session(ctx context.Context, id string) (Session, error)

	// UpdateSession changes one session as Users.Update does a user. NotFound.
	UpdateSession(ctx context.Context, id string, change func(*Session) error) (Session, error)

	// RevokeSessions ends every live session of the user but the one named by except (none where it is empty).
	RevokeSessions(ctx context.Context, userID int64, except string, at time.Time) error
}

// Keys keeps API keys. Safe for concurrent use. Times are kept in UTC to the microsecond.
type Keys interface {
	// AddKey stores a new key.
	AddKey(ctx context.Context, k Key) error

	// Key returns one key, lapsed ones too. NotFound.
	Key(ctx context.Context, id string) (Key, error)

	// KeysOf returns all keys of a user, newest first.
	KeysOf(ctx context.Context, userID int64) ([]Key, error)

	// UseKey notes when a key was used last. A key that is gone is no error.
	UseKey(ctx context.Context, id string, at time.Time) error

	// DeleteKey removes a key of the user. NotFound, also for somebody else's.
	DeleteKey(ctx context.Context, userID int64, id string) error

	// DeleteKeysOf removes all keys of a user.
	DeleteKeysOf(ctx context.Context, userID int64) error
}

// Claims is the content of an access token.
type Claims struct {
	UserID  int64
	Session string
	Issued  time.Time
	Expires time.Time
}

// Tokens signs and checks access tokens. Safe for concurrent use. Times are exact to the second.
type Tokens interface {
	// Sign makes a token of the claims.
	Sign(c Claims) (string, error)

	// Verify returns the claims of a token that this service signed and that is in force at the time given, within a
	// bounded clock skew. Anything else is Unauthenticated: lapsed with code "token_expired", the rest "invalid_token".
	Verify(token string, now time.Time) (Claims, error)
}

// Passwords hashes and checks passwords. Safe for concurrent use. It works on a bounded number at once, and returns Busy if too many
// wait.
type Passwords interface {
	// Hash returns a hash with its parameters and salt in it. Passwords that differ only in Unicode normal form are the same.
	Hash(ctx context.Context, password string) (string, error)

	// Verify tells whether the password is that of the hash, and whether the hash is of an older kind and should be
	// made anew. An empty or unreadable hash never matches and takes the time of one that does not match.
	Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error)
}

// Dependents removes what belongs to a user in outer packages.
type Dependents interface {
	// RemoveAllOf removes for good what the user owns. It can be repeated after a failure.
	RemoveAllOf(ctx context.Context, userID int64) error
}

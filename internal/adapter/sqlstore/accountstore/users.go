// Package accountstore keeps users, their sign-ins, sessions and API keys.
package accountstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"glyphbox/internal/adapter/sqlstore/docstore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Users is account.Users on tables user, role, user_state and logged_in.
type Users struct{ db *sqldb.DB }

var _ account.Users = (*Users)(nil)

// NewUsers returns the users in a database whose schema is that of package sqlstore.
func NewUsers(db *sqldb.DB) *Users { return &Users{db} }

// Add implements account.Users.
func (s *Users) Add(ctx context.Context, u account.User) (account.User, error) {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		id, err := Insert(ctx, tx, u)
		if err != nil {
			return err
		}
		u, err = userByID(ctx, tx, id)
		return err
	})
	if err != nil {
		return account.User{}, s.taken(ctx, err, u)
	}
	return u, nil
}

// Insert inserts a user, under a new number where there is none.
func Insert(ctx context.Context, tx *sql.Tx, u account.User) (id int64, err error) {
	role, err := roleID(ctx, tx, u.Role)
	if err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO user (id, name, password, email, created_datetime, role_id, search) VALUES (?, ?, `+
		`?, ?, ?, ?, ?)`,
		sqldb.Number(u.ID), sqldb.Text(u.Name), sqldb.Text(u.PasswordHash), sqldb.Text(u.Email), sqldb.Stamp(u.Created), role,
		userSearch(u))
	if err != nil {
		return 0, err
	}
	if id, err = result.LastInsertId(); err != nil {
		return 0, err
	}
	return id, putStates(ctx, tx, id, u.States)
}

// userSearch is the text that keywords are looked for in; empty for a user who has resigned.
func userSearch(u account.User) sqldb.Text {
	if u.Resigned() {
		return ""
	}
	return sqldb.Text(sqldb.Fold(u.Name) + "\n" + sqldb.Fold(u.Email))
}

func roleID(ctx context.Context, tx *sql.Tx, role string) (id sql.NullInt64, err error) {
	if role == "" {
		return id, nil
	}
	if err := tx.QueryRowContext(ctx, `SELECT id FROM role WHERE name = ?`, role).Scan(&id); err != nil {
		return id, fmt.Errorf("role %q: %w", role, err)
	}
	return id, nil
}

func putStates(ctx context.Context, tx *sql.Tx, userID int64, states []account.State) error {
	for _, state := range states {
		result, err := tx.ExecContext(ctx, `INSERT INTO user_state (user_id, state_id, detail, created_datetime) SELECT ?, id, ?, ? `+
			`FROM state WHERE name = ?`,
			userID, sqldb.Text(state.Detail), sqldb.Stamp(state.Created), state.Name)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(fmt.Errorf("there is no state %q", state.Name), err)
		}
	}
	return nil
}

// taken turns a duplicate key into the Conflict that names what is taken. It looks after the transaction has ended, to see what others have
// committed.
func (s *Users) taken(ctx context.Context, err error, u account.User) error {
	if !s.db.Is(err, sqldb.Duplicate) {
		return err
	}
	n, lookErr := s.db.Count(ctx, `SELECT COUNT(*) FROM user WHERE `+s.db.Dialect.NameKey+` = ? AND id <> ?`, lower(u.Name), u.ID)
	if lookErr != nil {
		return lookErr
	}
	if n > 0 {
		return fault.New(fault.Conflict, "name_taken", "This name is taken.").On("name", "one that is not in use").Because(err)
	}
	return fault.New(fault.Conflict, "email_taken", "This e-mail address is taken.").On("email", "one that is not in use").Because(err)
}

// lower makes ASCII letters small.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// usersIn reads the users of a table expression, each with its role and states.
func usersIn(ctx context.Context, q sqldb.Querier, table string, args ...any) (users []account.User, err error) {
	err = sqldb.Each(ctx, q, func(scan func(...any) error) error {
		var u account.User
		var state account.State
		if err := scan(&u.ID, (*sqldb.Text)(&u.Name), (*sqldb.Text)(&u.PasswordHash), (*sqldb.Text)(&u.Email), (*sqldb.Stamp)(&u.Created),
			(*sqldb.Text)(&u.Role),
			(*sqldb.Text)(&state.Name), (*sqldb.Text)(&state.Detail), (*sqldb.Stamp)(&state.Created)); err != nil {
			return err
		}
		if len(users) == 0 || users[len(users)-1].ID != u.ID {
			users = append(users, u)
		}
		if state.Name != "" {
			last := &users[len(users)-1]
			last.States = append(last.States, state)
		}
		return nil
	}, `SELECT u.id, u.name, u.password, u.email, u.created_datetime, role.name, state.name, user_state.detail, user_state.created_datetime
		FROM `+table+` u
		LEFT JOIN role /*! FORCE INDEX (PRIMARY) */ ON role.id = u.role_id
		LEFT JOIN user_state /*! FORCE INDEX (PRIMARY) */ ON user_state.user_id = u.id
		LEFT JOIN state /*! FORCE INDEX (PRIMARY) */ ON state.id = user_state.state_id
		ORDER BY u.id, state.name`, args...)
	return users, err
}

func oneUser(users []account.User, err error) (account.User, error) {
	if err != nil {
		return account.User{}, err
	}
	if len(users) == 0 {
		return account.User{}, account.ErrUserNotFound
	}
	return users[0], nil
}

func userByID(ctx context.Context, q sqldb.Querier, id int64) (account.User, error) {
	return oneUser(usersIn(ctx, q, `(SELECT * FROM user WHERE id = ?)`, id))
}

// ByID implements account.Users.
func (s *Users) ByID(ctx context.Context, id int64) (account.User, error) {
	u, err := userByID(ctx, s.db.Read, id)
	return u, s.db.Fault(ctx, err)
}

// ByName implements account.Users.
func (s *Users) ByName(ctx context.Context, name string) (account.User, error) {
	u, err := oneUser(usersIn(ctx, s.db.Read, `(SELECT * FROM user WHERE `+s.db.Dialect.NameKey+` = ?)`, lower(name)))
	return u, s.db.Fault(ctx, err)
}

// List implements account.Users.
func (s *Users) List(ctx context.Context, keyword string, page account.Page) ([]account.User, int, error) {
	matching, args := `user /*! FORCE INDEX (PRIMARY) */`, []any(nil)
	if keyword != "" {
		matching, args = matching+` WHERE INSTR(search, ?) > 0`, []any{sqldb.Fold(keyword)}
	}
	total, err := s.db.Count(ctx, `SELECT COUNT(*) FROM `+matching, args...)
	if err != nil {
		return nil, 0, err
	}
	limit, offset := sqldb.Window(page.Size, page.Number)
	users, err := usersIn(ctx, s.db.Read, `(SELECT * FROM `+matching+` ORDER BY id LIMIT ? OFFSET ?)`, append(args, limit, offset)...)
	return users, total, s.db.Fault(ctx, err)
}

// Update implements account.Users.
func (s *Users) Update(ctx context.Context, id int64, change func(*account.User) error) (account.User, error) {
	var u account.User
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT id FROM user WHERE id = ?`+s.db.Dialect.ForUpdate, id).Scan(&u.ID); errors.Is(err,
			sql.ErrNoRows) {
			return account.ErrUserNotFound
		} else if err != nil {
			return err
		}
		was, err := userByID(ctx, tx, id)
		if err != nil {
			return err
		}
		u = was
		u.States = slices.Clone(was.States)
		if err := change(&u); err != nil {
			return err
		}
		u.ID, u.Created = was.ID, was.Created
		role, err := roleID(ctx, tx, u.Role)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE user SET name = ?, password = ?, email = ?, role_id = ?, search = ? WHERE id = ?`,
			sqldb.Text(u.Name), sqldb.Text(u.PasswordHash), sqldb.Text(u.Email), role, userSearch(u), id); err != nil {
			return err
		}
		if u.Resigned() && !was.Resigned() {
			if err := docstore.Resign(ctx, tx, id); err != nil {
				return err
			}
		}
		if !slices.EqualFunc(was.States, u.States, sameState) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM user_state WHERE user_id = ?`, id); err != nil {
				return err
			}
			if err := putStates(ctx, tx, id, u.States); err != nil {
				return err
			}
		}
		u, err = userByID(ctx, tx, id)
		return err
	})
	if err != nil {
		return account.User{}, s.taken(ctx, err, u)
	}
	return u, nil
}

func sameState(a, b account.State) bool {
	return a.Name == b.Name && a.Detail == b.Detail && a.Created.Equal(b.Created)
}

// AddLogin implements account.Users.
func (s *Users) AddLogin(ctx context.Context, l account.Login) error {
	_, err := s.db.Exec(ctx, `INSERT INTO logged_in (user_id, created_datetime, address, user_agent) VALUES (?, ?, ?, ?)`,
		l.UserID, sqldb.Stamp(l.Created), sqldb.Text(l.Address), sqldb.Text(l.UserAgent))
	return s.db.OrphanOf(err, account.ErrUserNotFound)
}

// Logins implements account.Users.
func (s *Users) Logins(ctx context.Context, userID int64, page account.Page) (logins []account.Login, total int, err error) {
	if total, err = s.db.Count(ctx, `SELECT COUNT(*) FROM logged_in /*! FORCE INDEX (logged_in_user) */ WHERE user_id = ?`,
		userID); err != nil {
		return nil, 0, err
	}
	limit, offset := sqldb.Window(page.Size, page.Number)
	logins, err = sqldb.All(ctx, s.db.Read, func(scan func(...any) error) (account.Login, error) {
		l := account.Login{UserID: userID}
		err := scan(&l.ID, (*sqldb.Stamp)(&l.Created), (*sqldb.Text)(&l.Address), (*sqldb.Text)(&l.UserAgent))
		return l, err
	}, `SELECT id, created_datetime, address, user_agent FROM logged_in /*! FORCE INDEX (logged_in_user) */ WHERE user_id = ? ORDER BY `+
		`id DESC LIMIT ? OFFSET ?`, userID, limit, offset)
	return logins, total, s.db.Fault(ctx, err)
}

package accountstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Sessions is account.Sessions on table session.
type Sessions struct{ db *sqldb.DB }

var _ account.Sessions = (*Sessions)(nil)

// NewSessions returns the sessions in a database whose schema is that of package sqlstore.
func NewSessions(db *sqldb.DB) *Sessions { return &Sessions{db} }

var errSessionNotFound = fault.New(fault.NotFound, "session_not_found", "There is no such session.")

// AddSession implements account.Sessions.
func (s *Sessions) AddSession(ctx context.Context, v account.Session) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE user_id = ? AND expires_datetime < ?`, v.UserID,
			sqldb.Stamp(v.Created)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO session (id, user_id, refresh_hash, created_datetime, expires_datetime, `+
			`revoked_datetime) VALUES (?, ?, ?, ?, ?, ?)`,
			v.ID, v.UserID, v.RefreshHash, sqldb.Stamp(v.Created), sqldb.Stamp(v.Expires), sqldb.Stamp(v.Revoked))
		return err
	})
	return s.db.OrphanOf(err, account.ErrUserNotFound)
}

func sessionByID(ctx context.Context, q sqldb.Querier, id, lock string) (v account.Session, err error) {
	err = q.QueryRowContext(ctx, `SELECT id, user_id, refresh_hash, created_datetime, expires_datetime, revoked_datetime FROM session `+
		`WHERE id = ?`+lock, id).
		Scan(&v.ID, &v.UserID, &v.RefreshHash, (*sqldb.Stamp)(&v.Created), (*sqldb.Stamp)(&v.Expires), (*sqldb.Stamp)(&v.Revoked))
	if errors.Is(err, sql.ErrNoRows) {
		return account.Session{}, errSessionNotFound
	}
	return v, err
}

// Session implements account.Sessions.
func (s *Sessions) Session(ctx context.Context, id string) (account.Session, error) {
	v, err := sessionByID(ctx, s.db.Read, id, ``)
	return v, s.db.Fault(ctx, err)
}

// UpdateSession implements account.Sessions.
func (s *Sessions) UpdateSession(ctx context.Context, id string, change func(*account.Session) error) (v account.Session, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		if v, err = sessionByID(ctx, tx, id, s.db.Dialect.ForUpdate); err != nil {
			return err
		}
		if err := change(&v); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE session SET refresh_hash = ?, expires_datetime = ?, revoked_datetime = ? WHERE id = ?`,
			v.RefreshHash, sqldb.Stamp(v.Expires), sqldb.Stamp(v.Revoked), id); err != nil {
			return err
		}
		v, err = sessionByID(ctx, tx, id, ``)
		return err
	})
	if err != nil {
		return account.Session{}, err
	}
	return v, nil
}

// RevokeSessions implements account.Sessions.
func (s *Sessions) RevokeSessions(ctx context.Context, userID int64, except string, at time.Time) error {
	_, err := s.db.Exec(ctx, `UPDATE session SET revoked_datetime = ? WHERE user_id = ? AND id <> ? AND revoked_datetime IS NULL AND `+
		`expires_datetime > ?`,
		sqldb.Stamp(at), userID, except, sqldb.Stamp(at))
	return err
}

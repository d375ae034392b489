package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Sessions is account.Sessions on table session.
type Sessions struct{ db *DB }

var _ account.Sessions = (*Sessions)(nil)

// Sessions returns the sessions in the database.
func (db *DB) Sessions() *Sessions { return &Sessions{db} }

var errSessionNotFound = fault.New(fault.NotFound, "session_not_found", "There is no such session.")

// AddSession implements account.Sessions.
func (s *Sessions) AddSession(ctx context.Context, v account.Session) error {
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE user_id = ? AND expires_datetime < ?`, v.UserID, stamp(v.Created)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO session (id, user_id, refresh_hash, created_datetime, expires_datetime, revoked_datetime) VALUES (?, ?, ?, ?, ?, ?)`,
			v.ID, v.UserID, v.RefreshHash, stamp(v.Created), stamp(v.Expires), stamp(v.Revoked))
		return err
	})
	return s.db.noUser(err)
}

func sessionByID(ctx context.Context, q querier, id, lock string) (v account.Session, err error) {
	err = q.QueryRowContext(ctx, `SELECT id, user_id, refresh_hash, created_datetime, expires_datetime, revoked_datetime FROM session WHERE id = ?`+lock, id).
		Scan(&v.ID, &v.UserID, &v.RefreshHash, (*stamp)(&v.Created), (*stamp)(&v.Expires), (*stamp)(&v.Revoked))
	if errors.Is(err, sql.ErrNoRows) {
		return account.Session{}, errSessionNotFound
	}
	return v, err
}

// Session implements account.Sessions.
func (s *Sessions) Session(ctx context.Context, id string) (account.Session, error) {
	v, err := sessionByID(ctx, s.db.read, id, ``)
	return v, s.db.fault(ctx, err)
}

// UpdateSession implements account.Sessions.
func (s *Sessions) UpdateSession(ctx context.Context, id string, change func(*account.Session) error) (v account.Session, err error) {
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		if v, err = sessionByID(ctx, tx, id, s.db.dialect.forUpdate); err != nil {
			return err
		}
		if err := change(&v); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE session SET refresh_hash = ?, expires_datetime = ?, revoked_datetime = ? WHERE id = ?`,
			v.RefreshHash, stamp(v.Expires), stamp(v.Revoked), id); err != nil {
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
	_, err := s.db.exec(ctx, `UPDATE session SET revoked_datetime = ? WHERE user_id = ? AND id <> ? AND revoked_datetime IS NULL AND expires_datetime > ?`,
		stamp(at), userID, except, stamp(at))
	return err
}

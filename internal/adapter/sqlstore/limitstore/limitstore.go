// Package limitstore keeps the limits of users in the table user_limit, and their usage in the tables user and user_work.
//
// Code that adds what is limited first locks the row of the user. So additions for one user happen one after the other, and each sees
// the ones before.
package limitstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/limit"
)

// Store is limit.Users. Safe for concurrent use.
type Store struct{ db *sqldb.DB }

var _ limit.Users = (*Store)(nil)

// New returns the limits in a database whose schema is that of package sqlstore.
func New(db *sqldb.DB) *Store { return &Store{db} }

// Of implements limit.Users.
func (s *Store) Of(ctx context.Context, userID int64, now time.Time) (limit.Own, limit.Use, error) {
	own, use, err := standing(ctx, s.db.Read, userID, "")
	if err == nil {
		err = work(ctx, s.db.Read, userID, now, &use)
	}
	return own, use, s.db.Fault(ctx, err)
}

// Update implements limit.Users.
func (s *Store) Update(ctx context.Context, userID int64, change func(*limit.Own)) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		own, _, err := standing(ctx, tx, userID, s.db.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		change(&own)
		_, err = tx.ExecContext(ctx, `REPLACE INTO user_limit (user_id, images, bytes, queued, items) VALUES (?, ?, ?, ?, ?)`, userID,
			own.Images, own.Bytes, own.Queued, own.Items)
		return err
	})
}

// standing returns a user's own limits and usage; if lock is set, the row is locked. NotFound, also for a user who has resigned.
func standing(ctx context.Context, q sqldb.Querier, userID int64, lock string) (own limit.Own, use limit.Use, err error) {
	var name sqldb.Text
	err = q.QueryRowContext(ctx, `SELECT name, images, bytes FROM user WHERE id = ?`+lock, userID).
		Scan(&name, &use.Images, &use.Bytes)
	if errors.Is(err, sql.ErrNoRows) || err == nil && name == "" {
		err = account.ErrUserNotFound
	}
	if err != nil {
		return own, use, err
	}
	err = q.QueryRowContext(ctx, `SELECT images, bytes, queued, items FROM user_limit WHERE user_id = ?`, userID).
		Scan(&own.Images, &own.Bytes, &own.Queued, &own.Items)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return own, use, err
}

// work fills in the work of a user. The items of a job count from the moment when adding it begins.
func work(ctx context.Context, q sqldb.Querier, userID int64, now time.Time, use *limit.Use) error {
	if err := q.QueryRowContext(ctx, `SELECT COALESCE(SUM(queued), 0) FROM job /*! FORCE INDEX (job_user_state) */ WHERE user_id = ? `+
		`AND state IN ('adding', 'queued', 'running')`, userID).Scan(&use.Queued); err != nil {
		return err
	}
	return sqldb.Each(ctx, q, func(scan func(...any) error) error {
		var a limit.Added
		err := scan((*sqldb.Stamp)(&a.Slot), &a.Items)
		use.Added = append(use.Added, a)
		return err
	}, `SELECT slot_datetime, items FROM user_work WHERE user_id = ? AND slot_datetime > ? ORDER BY slot_datetime`, userID,
		sqldb.Stamp(now.Add(-limit.Window)))
}

// Documents locks the row of a user, and returns the fault if the user may not have that many documents more, with that many bytes in
// all. It runs within the transaction that adds them. general are the limits of users who have no limits of their own. NotFound, also if
// the user has resigned.
func Documents(ctx context.Context, db *sqldb.DB, tx *sql.Tx, userID int64, general limit.Limits, documents int, bytes int64) error {
	own, use, err := standing(ctx, tx, userID, db.Dialect.ForUpdate)
	if err != nil {
		return err
	}
	return general.With(own).Documents(use, int64(documents), bytes)
}

// Have changes the usage of a user, within the transaction that changes it. NotFound.
func Have(ctx context.Context, tx *sql.Tx, userID int64, documents, shared int, bytes int64) error {
	result, err := tx.ExecContext(ctx, `UPDATE user SET images = images + ?, shared = shared + ?, bytes = bytes + ? WHERE id = ?`,
		documents, shared, bytes, userID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return cmp.Or(err, error(account.ErrUserNotFound))
	}
	return nil
}

// Work locks the row of a user and counts that many more items, within the transaction that adds them, or returns the fault if the user
// may not have them. general is as in Documents. NotFound.
func Work(ctx context.Context, db *sqldb.DB, tx *sql.Tx, userID int64, general limit.Limits, items int, now time.Time) error {
	own, use, err := standing(ctx, tx, userID, db.Dialect.ForUpdate)
	if err == nil {
		err = work(ctx, tx, userID, now, &use)
	}
	if err != nil {
		return err
	}
	if err := general.With(own).Work(use, int64(items), 0, now); err != nil {
		return err
	}
	slot, there := limit.SlotOf(now), int64(0)
	for _, a := range use.Added {
		if a.Slot.Equal(slot) {
			there = a.Items
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM user_work WHERE user_id = ? AND slot_datetime <= ?`, userID,
		sqldb.Stamp(now.Add(-limit.Window))); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `REPLACE INTO user_work (user_id, slot_datetime, items) VALUES (?, ?, ?)`, userID, sqldb.Stamp(slot),
		there+int64(items))
	return err
}

// Package oncestore keeps the keys of requests in the table request_key, and records there what they make.
package oncestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/once"
)

// Store is once.Keys. Safe for concurrent use.
type Store struct{ db *sqldb.DB }

var _ once.Keys = (*Store)(nil)

// New returns the keys in a database whose schema is that of package sqlstore.
func New(db *sqldb.DB) *Store { return &Store{db} }

// Note records effects of a claim, within the transaction that makes them. Unless they are a part, they complete the key. ErrLost.
// Without a claim it does nothing.
func Note(ctx context.Context, db *sqldb.DB, tx *sql.Tx, c once.Claim, effects ...once.Effect) error {
	if c.ID == "" {
		return nil
	}
	return note(ctx, db, tx, c, !c.Part, effects...)
}

func note(ctx context.Context, db *sqldb.DB, tx *sql.Tx, c once.Claim, done bool, more ...once.Effect) error {
	k, err := byID(ctx, tx, c.ID, db.Dialect.ForUpdate)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (k.HeldBy != c.By || k.Done) {
		return once.ErrLost
	}
	if err != nil {
		return err
	}
	made, err := columnOf(append(k.Made, more...))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE request_key SET made = ?, done = ? WHERE id = ?`, made, done, c.ID)
	return err
}

func columnOf(made []once.Effect) (sqldb.Text, error) {
	if len(made) == 0 {
		return "", nil
	}
	b, err := json.Marshal(made)
	return sqldb.Text(b), err
}

func byID(ctx context.Context, q sqldb.Querier, id, lock string) (k once.Key, err error) {
	var made sqldb.Text
	err = q.QueryRowContext(ctx, `SELECT id, user_id, request, held_by, until_datetime, created_datetime, done, made FROM request_key `+
		`WHERE id = ?`+lock, id).Scan(&k.ID, &k.User, &k.Request, &k.HeldBy, (*sqldb.Stamp)(&k.Until), (*sqldb.Stamp)(&k.Created), &k.Done,
		&made)
	if err == nil && made != "" {
		err = json.Unmarshal([]byte(made), &k.Made)
	}
	return k, err
}

// begun returns the key of a row after a request has tried to begin it, and whether that changes the row.
func begun(there, k once.Key) (once.Key, bool) {
	switch {
	case there.Created.Before(k.Created.Add(-once.Keep)):
		return k, true
	case !there.Done && there.Until.Before(k.Created) && there.Request == k.Request:
		there.HeldBy, there.Until = k.HeldBy, k.Until
		return there, true
	}
	return there, false
}

// Begin implements once.Keys. It reads first, since most who find the key there wait for who holds it, and ask again and again.
func (s *Store) Begin(ctx context.Context, k once.Key) (once.Key, error) {
	for {
		there, err := byID(ctx, s.db.Read, k.ID, ``)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return k, s.db.Fault(ctx, err)
		}
		if _, changes := begun(there, k); err == nil && !changes {
			return there, nil
		}
		_, err = s.db.Exec(ctx, `INSERT INTO request_key (id, user_id, request, held_by, until_datetime, created_datetime, done) VALUES `+
			`(?, ?, ?, ?, ?, ?, ?)`, k.ID, k.User, k.Request, k.HeldBy, sqldb.Stamp(k.Until), sqldb.Stamp(k.Created), false)
		if !s.db.Is(err, sqldb.Duplicate) {
			return k, err
		}
		err = s.db.Update(ctx, func(tx *sql.Tx) (err error) {
			if there, err = byID(ctx, tx, k.ID, s.db.Dialect.ForUpdate); err != nil {
				return err
			}
			changes := false
			if there, changes = begun(there, k); !changes {
				return nil
			}
			made, err := columnOf(there.Made)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE request_key SET request = ?, held_by = ?, until_datetime = ?, created_datetime = ?, `+
				`done = ?, made = ? WHERE id = ?`, there.Request, there.HeldBy, sqldb.Stamp(there.Until), sqldb.Stamp(there.Created),
				there.Done, made, there.ID)
			return err
		})
		if !errors.Is(err, sql.ErrNoRows) { // otherwise it was released meanwhile
			return there, err
		}
	}
}

// Known implements once.Keys.
func (s *Store) Known(ctx context.Context, id string, after time.Time) (known bool, err error) {
	err = s.db.Read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM request_key WHERE id = ? AND created_datetime > ?)`, id,
		sqldb.Stamp(after)).Scan(&known)
	return known, s.db.Fault(ctx, err)
}

// Extend implements once.Keys.
func (s *Store) Extend(ctx context.Context, c once.Claim, until time.Time) error {
	n, err := s.db.Exec(ctx, `UPDATE request_key SET until_datetime = ? WHERE id = ? AND held_by = ? AND NOT done`, sqldb.Stamp(until),
		c.ID, c.By)
	if err == nil && n == 0 {
		return once.ErrLost
	}
	return err
}

// Complete implements once.Keys.
func (s *Store) Complete(ctx context.Context, c once.Claim, more []once.Effect) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error { return note(ctx, s.db, tx, c, true, more...) })
}

// Release implements once.Keys.
func (s *Store) Release(ctx context.Context, c once.Claim) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM request_key WHERE id = ? AND held_by = ? AND NOT done AND made IS NULL`, c.ID,
			c.By); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE request_key SET until_datetime = created_datetime WHERE id = ? AND held_by = ? AND NOT done`,
			c.ID, c.By)
		return err
	})
}

// oldKeys is the query for a page of keys that were made before some time, from the oldest on.
const oldKeys = `SELECT id, created_datetime FROM request_key /*! FORCE INDEX (request_key_created) */ WHERE created_datetime >= ? AND ` +
	`created_datetime < ? AND (created_datetime > ? OR id > ?) ORDER BY created_datetime, id LIMIT ?`

// Old implements once.Keys.
func (s *Store) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return s.db.PagesByTime(ctx, oldKeys, before)
}

// Remove implements once.Keys.
func (s *Store) Remove(ctx context.Context, ids []string, before time.Time) error {
	marks, args := sqldb.In(ids)
	_, err := s.db.Exec(ctx, `DELETE FROM request_key WHERE id IN `+marks+` AND created_datetime < ?`, append(args, sqldb.Stamp(before))...)
	return err
}

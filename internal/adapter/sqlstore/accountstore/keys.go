package accountstore

import (
	"context"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// Keys is account.Keys on table api_key.
type Keys struct{ db *sqldb.DB }

var _ account.Keys = (*Keys)(nil)

// NewKeys returns the API keys in a database whose schema is that of package sqlstore.
func NewKeys(db *sqldb.DB) *Keys { return &Keys{db} }

var errKeyNotFound = fault.New(fault.NotFound, "key_not_found", "There is no such API key.")

// AddKey implements account.Keys.
func (s *Keys) AddKey(ctx context.Context, k account.Key) error {
	_, err := s.db.Exec(ctx, `INSERT INTO api_key (id, user_id, name, secret_hash, created_datetime, expires_datetime, `+
		`last_used_datetime) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.UserID, k.Name, k.SecretHash, sqldb.Stamp(k.Created), sqldb.Stamp(k.Expires), sqldb.Stamp(k.LastUsed))
	return s.db.OrphanOf(err, account.ErrUserNotFound)
}

func (s *Keys) find(ctx context.Context, where string, args ...any) ([]account.Key, error) {
	keys, err := sqldb.All(ctx, s.db.Read, func(scan func(...any) error) (k account.Key, err error) {
		err = scan(&k.ID, &k.UserID, &k.Name, &k.SecretHash, (*sqldb.Stamp)(&k.Created), (*sqldb.Stamp)(&k.Expires),
			(*sqldb.Stamp)(&k.LastUsed))
		return k, err
	}, `SELECT id, user_id, name, secret_hash, created_datetime, expires_datetime, last_used_datetime FROM api_key `+where, args...)
	return keys, s.db.Fault(ctx, err)
}

// Key implements account.Keys.
func (s *Keys) Key(ctx context.Context, id string) (account.Key, error) {
	keys, err := s.find(ctx, `WHERE id = ?`, id)
	if err != nil {
		return account.Key{}, err
	}
	if len(keys) == 0 {
		return account.Key{}, errKeyNotFound
	}
	return keys[0], nil
}

// KeysOf implements account.Keys.
func (s *Keys) KeysOf(ctx context.Context, userID int64) ([]account.Key, error) {
	return s.find(ctx, `/*! FORCE INDEX (api_key_user) */ WHERE user_id = ? ORDER BY created_datetime DESC, id DESC`, userID)
}

// UseKey implements account.Keys. A time before the one that is noted changes nothing.
func (s *Keys) UseKey(ctx context.Context, id string, at time.Time) error {
	_, err := s.db.Exec(ctx, `UPDATE api_key SET last_used_datetime = ? WHERE id = ? AND (last_used_datetime IS NULL OR `+
		`last_used_datetime < ?)`, sqldb.Stamp(at), id, sqldb.Stamp(at))
	return err
}

// DeleteKey implements account.Keys.
func (s *Keys) DeleteKey(ctx context.Context, userID int64, id string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM api_key WHERE user_id = ? AND id = ?`, userID, id)
	if err == nil && n == 0 {
		return errKeyNotFound
	}
	return err
}

// DeleteKeysOf implements account.Keys.
func (s *Keys) DeleteKeysOf(ctx context.Context, userID int64) error {
	_, err := s.db.Exec(ctx, `DELETE FROM api_key WHERE user_id = ?`, userID)
	return err
}

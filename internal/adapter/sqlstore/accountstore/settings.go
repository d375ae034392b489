package accountstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/recognition"
)

// Settings is recognition.UserSettings on table user_setting.
type Settings struct{ db *sqldb.DB }

var _ recognition.UserSettings = (*Settings)(nil)

// NewSettings returns the settings of users in a database whose schema is that of package sqlstore.
func NewSettings(db *sqldb.DB) *Settings { return &Settings{db} }

// Settings implements recognition.UserSettings.
func (s *Settings) Settings(ctx context.Context, userID int64) (settings recognition.Settings, err error) {
	var document string
	err = s.db.Read.QueryRowContext(ctx, `SELECT document FROM user_setting WHERE user_id = ?`, userID).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) {
		return settings, nil
	}
	if err != nil {
		return settings, s.db.Fault(ctx, err)
	}
	err = json.Unmarshal([]byte(document), &settings)
	return settings, err
}

// SetSettings implements recognition.UserSettings.
func (s *Settings) SetSettings(ctx context.Context, userID int64, settings recognition.Settings) error {
	document, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `REPLACE INTO user_setting (user_id, document) VALUES (?, ?)`, userID, string(document))
	return s.db.OrphanOf(err, account.ErrUserNotFound)
}

// Package feedstore keeps events of images, and who has them open, in tables of package sqlstore.
package feedstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Store implements recognition.Feed on tables image_event and image_watcher. Column events of table image counts the events of an
// image.
type Store struct{ db *sqldb.DB }

var _ recognition.Feed = (*Store)(nil)

// Tables are of those who have images open at the moment, and are not copied.
var Tables = []string{"image_event", "image_watcher"}

// New returns the feed in a database whose schema is that of package sqlstore.
func New(db *sqldb.DB) *Store { return &Store{db} }

// Append implements recognition.Feed.
func (s *Store) Append(ctx context.Context, imageID int64, events ...recognition.Event) error {
	if len(events) == 0 {
		return nil
	}
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		// The row is locked until the end, so that numbers grow in the order of commits.
		if _, err := tx.ExecContext(ctx, `UPDATE image SET events = events + ? WHERE id = ?`, len(events), imageID); err != nil {
			return err
		}
		newest, err := newestEvent(ctx, tx, imageID)
		if err != nil {
			return err
		}
		if more := len(events) - recognition.KeptEvents; more > 0 {
			events = events[more:]
		}
		var args []any
		for n, e := range events {
			args = append(args, imageID, newest-int64(len(events)-1-n), e.Version, sqldb.Text(e.ContentID), e.Revision, e.Deleted)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO image_event (image_id, seq, version, content_id, revision, deleted) VALUES `+
			`(?, ?, ?, ?, ?, ?)`+strings.Repeat(`, (?, ?, ?, ?, ?, ?)`, len(events)-1), args...); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM image_event WHERE image_id = ? AND seq <= ?`, imageID, newest-recognition.KeptEvents)
		return err
	})
}

// newestEvent returns the number of the newest event of an image. NotFound.
func newestEvent(ctx context.Context, q sqldb.Querier, imageID int64) (newest int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT events FROM image WHERE id = ?`, imageID).Scan(&newest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, document.ErrImageNotFound
	}
	return newest, err
}

// Since implements recognition.Feed.
func (s *Store) Since(ctx context.Context, imageID, after int64) (events []recognition.Event, newest int64, err error) {
	if newest, err = newestEvent(ctx, s.db.Read, imageID); err != nil || after == newest {
		return nil, newest, s.db.Fault(ctx, err)
	}
	events, err = sqldb.All(ctx, s.db.Read, func(scan func(...any) error) (e recognition.Event, err error) {
		err = scan(&e.Seq, &e.Version, (*sqldb.Text)(&e.ContentID), &e.Revision, &e.Deleted)
		return e, err
	}, `SELECT seq, version, content_id, revision, deleted FROM image_event /*! FORCE INDEX (PRIMARY) */ WHERE image_id = ? AND seq > ?
		ORDER BY seq`, imageID, after)
	if err != nil {
		return nil, 0, s.db.Fault(ctx, err)
	}
	if len(events) == 0 || events[0].Seq != after+1 {
		return []recognition.Event{{Seq: newest}}, newest, nil
	}
	return events, events[len(events)-1].Seq, nil // there may be more by now
}

// lost is how long a stay has to be over before its watcher counts as gone for good.
const lost = time.Hour

// Stay implements recognition.Feed.
func (s *Store) Stay(ctx context.Context, watcher string, imageID, userID int64, until time.Time) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `REPLACE INTO image_watcher (id, image_id, user_id, until_datetime) VALUES (?, ?, ?, ?)`,
			watcher, imageID, userID, sqldb.Stamp(until)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM image_watcher WHERE image_id = ? AND until_datetime < ?`, imageID,
			sqldb.Stamp(until.Add(-lost)))
		return err
	})
	if s.db.Is(err, sqldb.Orphan) {
		return document.ErrImageNotFound.Because(err)
	}
	return err
}

// Leave implements recognition.Feed.
func (s *Store) Leave(ctx context.Context, watcher string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM image_watcher WHERE id = ?`, watcher)
	return err
}

// Present implements recognition.Feed.
func (s *Store) Present(ctx context.Context, imageID int64, at time.Time) (users []account.Ref, err error) {
	users, err = sqldb.All(ctx, s.db.Read, func(scan func(...any) error) (u account.Ref, err error) {
		err = scan(&u.ID, &u.Name)
		return u, err
	}, `SELECT DISTINCT user.id, user.name FROM image_watcher w /*! FORCE INDEX (image_watcher_image) */
		JOIN user /*! FORCE INDEX (PRIMARY) */ ON user.id = w.user_id
		WHERE w.image_id = ? AND w.until_datetime > ? AND user.name IS NOT NULL ORDER BY user.name`, imageID, sqldb.Stamp(at))
	return users, s.db.Fault(ctx, err)
}

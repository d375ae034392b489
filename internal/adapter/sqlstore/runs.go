package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Runs is recognition.Runs on tables ocr_run, a row for each run, and ocr, a row for each content.
type Runs struct{ db *DB }

var _ recognition.Runs = (*Runs)(nil)

// Runs returns the runs in the database.
func (db *DB) Runs() *Runs { return &Runs{db} }

// rowsAtOnce is how many rows one INSERT stores.
const rowsAtOnce = 100

// Append implements recognition.Runs.
func (s *Runs) Append(ctx context.Context, r recognition.Run) (stored recognition.Run, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		version, err := s.append(ctx, tx, r)
		if err != nil {
			return err
		}
		stored, err = oneRun(runsIn(ctx, tx, byVersion, r.ImageID, version))
		return err
	})
	if err != nil {
		return recognition.Run{}, s.db.OrphanOf(err, account.ErrUserNotFound)
	}
	return stored, nil
}

// lockImage locks the image, so that runs and contents are added to it one after the other.
func (s *Runs) lockImage(ctx context.Context, tx *sql.Tx, imageID int64) error {
	err := tx.QueryRowContext(ctx, `SELECT id FROM image WHERE id = ?`+s.db.Dialect.ForUpdate, imageID).Scan(&imageID)
	if errors.Is(err, sql.ErrNoRows) {
		return document.ErrImageNotFound
	}
	return err
}

// append inserts a run as the next version of its image.
func (s *Runs) append(ctx context.Context, tx *sql.Tx, r recognition.Run) (version int, err error) {
	if err := s.lockImage(ctx, tx, r.ImageID); err != nil {
		return 0, err
	}
	if r.Item != "" { // those who append a run of one item have locked the same image
		err = tx.QueryRowContext(ctx, `SELECT version FROM ocr_run WHERE item = ?`, r.Item).Scan(&version)
		if err == nil {
			err = recognition.ErrItemRead
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO ocr_run (image_id, version, user_id, created_datetime, lang, psm, oem, rotation, item,
		engine)
		SELECT ?, COALESCE(MAX(version), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ? FROM ocr_run WHERE image_id = ? RETURNING version`,
		r.ImageID, r.User.ID, sqldb.Stamp(r.Created), sqldb.List(r.Lang), r.Shape, r.Mode, r.Rotation, sqldb.Text(r.Item), r.Engine,
		r.ImageID).Scan(&version)
	if err != nil {
		return 0, err
	}
	r.Version = version
	if err := addContents(ctx, tx, r, r.ContentIDs, 0, r.Created); err != nil {
		return 0, err
	}
	return version, s.note(ctx, tx, r)
}

// note records that a run was made or added to.
func (s *Runs) note(ctx context.Context, tx *sql.Tx, r recognition.Run) error {
	r.Note.Version = r.Version
	return oncestore.Note(ctx, s.db.DB, tx, r.Note.Claim, r.Note.Effect)
}

// addContents adds rows of contents to a run, from that position on.
func addContents(ctx context.Context, tx *sql.Tx, r recognition.Run, contentIDs []string, position int, at time.Time) error {
	for ids := range slices.Chunk(contentIDs, rowsAtOnce) {
		var args []any
		for _, id := range ids {
			args = append(args, r.Version, sqldb.Stamp(at), r.ImageID, r.User.ID, id, position)
			position++
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO ocr (version, created_datetime, image_id, user_id, content_id, position) VALUES `+
			`(?, ?, ?, ?, ?, ?)`+
			strings.Repeat(`, (?, ?, ?, ?, ?, ?)`, len(ids)-1), args...); err != nil {
			return err
		}
	}
	return nil
}

const (
	newestVersion = `SELECT COALESCE(MAX(version), 0) FROM ocr_run WHERE image_id = ?`
	nextPosition  = `SELECT COALESCE(MAX(position), -1) + 1 FROM ocr /*! FORCE INDEX (ocr_position) */ WHERE image_id = ? AND version = ?`
)

// Extend implements recognition.Runs.
func (s *Runs) Extend(ctx context.Context, imageID int64, version int, at time.Time,
	change func(r *recognition.Run, newest int) error) (stored recognition.Run, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		if err := s.lockImage(ctx, tx, imageID); err != nil {
			return err
		}
		was, err := oneRun(runsIn(ctx, tx, byVersion, imageID, version))
		if err != nil {
			return err
		}
		var newest, position int
		if err := tx.QueryRowContext(ctx, newestVersion, imageID).Scan(&newest); err != nil {
			return err
		}
		r := was
		r.ContentIDs = slices.Clone(was.ContentIDs)
		if err := change(&r, newest); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, nextPosition, imageID, version).Scan(&position); err != nil {
			return err
		}
		if err := addContents(ctx, tx, was, r.ContentIDs[len(was.ContentIDs):], position, at); err != nil {
			return err
		}
		if r.Engine != was.Engine {
			if _, err := tx.ExecContext(ctx, `UPDATE ocr_run SET engine = ? WHERE image_id = ? AND version = ?`, r.Engine, imageID,
				version); err != nil {
				return err
			}
		}
		if err := s.note(ctx, tx, r); err != nil {
			return err
		}
		stored, err = oneRun(runsIn(ctx, tx, byVersion, imageID, version))
		return err
	})
	if err != nil {
		return recognition.Run{}, err
	}
	return stored, nil
}

const (
	byVersion = `SELECT * FROM ocr_run WHERE image_id = ? AND version = ?`
	byContent = `SELECT ocr_run.* FROM ocr JOIN ocr_run ON ocr_run.image_id = ocr.image_id AND ocr_run.version = ocr.version WHERE ` +
		`ocr.content_id = ? AND ocr.deleted_datetime IS NULL`
	byDeleted = `SELECT ocr_run.* FROM ocr JOIN ocr_run ON ocr_run.image_id = ocr.image_id AND ocr_run.version = ocr.version WHERE ` +
		`ocr.content_id = ? AND ocr.deleted_datetime IS NOT NULL`
	byItem = `SELECT * FROM ocr_run WHERE item = ?`
	newest = `SELECT * FROM ocr_run /*! FORCE INDEX (PRIMARY) */ WHERE image_id = ? AND version < ? ORDER BY version DESC LIMIT ?`
)

// runsOf returns the query for the runs that another one picks, newest first, with a row for each of their contents.
func runsOf(pick string) string {
	return `SELECT /*! STRAIGHT_JOIN */ r.image_id, r.version, r.user_id, user.name, r.created_datetime, r.lang, r.psm, r.oem, r.rotation,
		r.item, r.engine, ocr.content_id
		FROM (` + pick + `) AS r
		JOIN user /*! FORCE INDEX (PRIMARY) */ ON user.id = r.user_id
		LEFT JOIN ocr /*! FORCE INDEX (ocr_position) */ ON ocr.image_id = r.image_id AND ocr.version = r.version AND ocr.deleted_datetime IS
			NULL
		ORDER BY r.version DESC, ocr.position`
}

func runsIn(ctx context.Context, q sqldb.Querier, pick string, args ...any) (runs []recognition.Run, err error) {
	err = sqldb.Each(ctx, q, func(scan func(...any) error) error {
		var r recognition.Run
		var contentID sqldb.Text
		if err := scan(&r.ImageID, &r.Version, &r.User.ID, (*sqldb.Text)(&r.User.Name), (*sqldb.Stamp)(&r.Created), (*sqldb.List)(&r.Lang),
			&r.Shape, &r.Mode, &r.Rotation, (*sqldb.Text)(&r.Item), &r.Engine, &contentID); err != nil {
			return err
		}
		if len(runs) == 0 || runs[len(runs)-1].Version != r.Version {
			runs = append(runs, r)
		}
		if contentID != "" {
			last := &runs[len(runs)-1]
			last.ContentIDs = append(last.ContentIDs, string(contentID))
		}
		return nil
	}, runsOf(pick), args...)
	return runs, err
}

func oneRun(runs []recognition.Run, err error) (recognition.Run, error) {
	if err != nil {
		return recognition.Run{}, err
	}
	if len(runs) == 0 {
		return recognition.Run{}, recognition.ErrVersionNotFound
	}
	return runs[0], nil
}

// List implements recognition.Runs.
func (s *Runs) List(ctx context.Context, imageID int64, before, limit int) ([]recognition.Run, error) {
	if before == 0 {
		before = math.MaxInt
	}
	runs, err := runsIn(ctx, s.db.Read, newest, imageID, before, limit)
	return runs, s.db.Fault(ctx, err)
}

// ByVersion implements recognition.Runs.
func (s *Runs) ByVersion(ctx context.Context, imageID int64, version int) (recognition.Run, error) {
	run, err := oneRun(runsIn(ctx, s.db.Read, byVersion, imageID, version))
	return run, s.db.Fault(ctx, err)
}

// ByItem implements recognition.Runs.
func (s *Runs) ByItem(ctx context.Context, item string) (recognition.Run, error) {
	run, err := oneRun(runsIn(ctx, s.db.Read, byItem, item))
	return run, s.db.Fault(ctx, err)
}

// ByContent implements recognition.Runs.
func (s *Runs) ByContent(ctx context.Context, contentID string) (recognition.Run, error) {
	return s.ofContent(ctx, byContent, contentID)
}

// ByDeleted implements recognition.Runs.
func (s *Runs) ByDeleted(ctx context.Context, contentID string) (recognition.Run, error) {
	return s.ofContent(ctx, byDeleted, contentID)
}

func (s *Runs) ofContent(ctx context.Context, pick, contentID string) (recognition.Run, error) {
	runs, err := runsIn(ctx, s.db.Read, pick, contentID)
	if err != nil {
		return recognition.Run{}, s.db.Fault(ctx, err)
	}
	if len(runs) == 0 {
		return recognition.Run{}, recognition.ErrContentNotFound
	}
	return runs[0], nil
}

// ContentIDs implements recognition.Runs.
func (s *Runs) ContentIDs(ctx context.Context, imageID int64) ([]string, error) {
	ids, err := sqldb.Column[string](ctx, s.db.Read,
		`SELECT content_id FROM ocr /*! FORCE INDEX (ocr_position) */ WHERE image_id = ?`, imageID)
	return ids, s.db.Fault(ctx, err)
}

// PagesRead implements recognition.Runs. A page that was read has a version 1.
func (s *Runs) PagesRead(ctx context.Context, imageIDs []int64, whole bool) (map[int64]int, error) {
	read := map[int64]int{}
	return read, s.db.OfImages(ctx, `ocr_run`, ` AND ocr_run.version = 1`, []string{`1`}, imageIDs, whole,
		func(scan func(...any) error) error {
			var id int64
			var pages int
			err := scan(&id, &pages)
			read[id] += pages
			return err
		})
}

// Named implements recognition.Runs.
func (s *Runs) Named(ctx context.Context, contentIDs []string) ([]string, error) {
	return s.db.Named(ctx, contentIDs, `SELECT content_id FROM ocr /*! FORCE INDEX (ocr_content) */ WHERE content_id IN `)
}

// RemoveContent implements recognition.Runs.
func (s *Runs) RemoveContent(ctx context.Context, contentID string) error {
	n, err := s.db.Exec(ctx, `DELETE FROM ocr WHERE content_id = ?`, contentID)
	if err == nil && n == 0 {
		return recognition.ErrContentNotFound
	}
	return err
}

// MarkDeleted implements recognition.Runs.
func (s *Runs) MarkDeleted(ctx context.Context, contentID string, at time.Time) error {
	n, err := s.db.Exec(ctx, `UPDATE ocr /*! FORCE INDEX (ocr_content) */ SET deleted_datetime = ? WHERE content_id = ? AND `+
		`deleted_datetime IS NULL`, sqldb.Stamp(at), contentID)
	if err == nil && n == 0 {
		return recognition.ErrContentNotFound
	}
	return err
}

// deletedOf picks contents of an image that were marked as deleted since some time, by the image, which has few rows beside the others.
const deletedOf = ` FROM ocr /*! FORCE INDEX (ocr_position) */ JOIN ocr_run r /*! FORCE INDEX (PRIMARY) */ ON r.image_id = ocr.image_id ` +
	`AND r.version = ocr.version WHERE ocr.image_id = ? AND ocr.deleted_datetime >= ? AND (? = 0 OR r.user_id = ?)`

// DeletedOf implements recognition.Runs.
func (s *Runs) DeletedOf(ctx context.Context, imageID, userID int64, since time.Time, page account.Page) (deleted []recognition.Deleted,
	total int, err error) {
	args := []any{imageID, sqldb.Stamp(since), userID, userID}
	if total, err = s.db.Count(ctx, `SELECT /*! STRAIGHT_JOIN */ COUNT(*)`+deletedOf, args...); err != nil {
		return nil, 0, err
	}
	limit, offset := sqldb.Window(page.Size, page.Number)
	deleted, err = sqldb.All(ctx, s.db.Read, func(scan func(...any) error) (recognition.Deleted, error) {
		d := recognition.Deleted{Run: recognition.Run{ImageID: imageID}}
		err := scan(&d.ContentID, (*sqldb.Stamp)(&d.At), &d.Run.Version, (*sqldb.Stamp)(&d.Run.Created), &d.Run.Rotation)
		return d, err
	}, `SELECT /*! STRAIGHT_JOIN */ ocr.content_id, ocr.deleted_datetime, r.version, r.created_datetime, r.rotation`+deletedOf+
		` ORDER BY ocr.deleted_datetime DESC, ocr.content_id DESC LIMIT ? OFFSET ?`, append(args, limit, offset)...)
	return deleted, total, s.db.Fault(ctx, err)
}

// Restore implements recognition.Runs.
func (s *Runs) Restore(ctx context.Context, contentID string) error {
	n, err := s.db.Exec(ctx, `UPDATE ocr /*! FORCE INDEX (ocr_content) */ SET deleted_datetime = NULL WHERE content_id = ? AND `+
		`deleted_datetime IS NOT NULL`, contentID)
	if err == nil && n == 0 {
		return recognition.ErrContentNotFound
	}
	return err
}

// deletedBefore is the query for a page of contents that were marked as deleted before some time, in the order of their IDs.
const deletedBefore = `SELECT content_id FROM ocr /*! FORCE INDEX (ocr_deleted) */ WHERE deleted_datetime < ? AND content_id > ? ORDER ` +
	`BY content_id LIMIT ?`

// Deleted implements recognition.Runs.
func (s *Runs) Deleted(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return s.db.Pages(ctx, deletedBefore, func(last string) []any { return []any{sqldb.Stamp(before), last, sqldb.PageSize} })
}

// RemoveDeleted implements recognition.Runs.
func (s *Runs) RemoveDeleted(ctx context.Context, contentIDs []string, before time.Time) (removed []string, err error) {
	for part := range slices.Chunk(contentIDs, sqldb.IDsAtOnce) {
		marks, list := sqldb.In(part)
		args := append(list, sqldb.Stamp(before))
		var found []string
		if err := s.db.Update(ctx, func(tx *sql.Tx) (err error) {
			found, err = sqldb.Column[string](ctx, tx, `DELETE FROM ocr WHERE content_id IN `+marks+` AND deleted_datetime < ? `+
				`RETURNING content_id`, args...)
			return err
		}); err != nil {
			return removed, err
		}
		removed = append(removed, found...)
	}
	return removed, nil
}

// Package contentstore keeps contents as JSON documents.
package contentstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/recognition"
)

// Contents is recognition.Contents on table content_revision, a row with a JSON document for each revision.
type Contents struct{ db *sqldb.DB }

var _ recognition.Contents = (*Contents)(nil)

// New returns the contents in a database whose schema is that of package sqlstore.
func New(db *sqldb.DB) *Contents { return &Contents{db} }

// rowsAtOnce is how many rows one INSERT stores.
const rowsAtOnce = 100

func marshal(c recognition.Content) (string, error) {
	c.Edited = c.Edited.UTC().Truncate(time.Microsecond)
	b, err := json.Marshal(c)
	return string(b), err
}

// Add implements recognition.Contents.
func (s *Contents) Add(ctx context.Context, contents []recognition.Content) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error { return insertRevisions(ctx, tx, contents) })
	if s.db.Is(err, sqldb.Duplicate) {
		return recognition.ErrContentExists.Because(err)
	}
	return err
}

func insertRevisions(ctx context.Context, tx *sql.Tx, contents []recognition.Content) error {
	for rows := range slices.Chunk(contents, rowsAtOnce) {
		var args []any
		for _, c := range rows {
			document, err := marshal(c)
			if err != nil {
				return err
			}
			args = append(args, c.ID, c.Revision, document)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO content_revision (content_id, revision, document) VALUES (?, ?, ?)`+
			strings.Repeat(`, (?, ?, ?)`, len(rows)-1), args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Contents) find(ctx context.Context, found func(recognition.Content), query string, args ...any) error {
	err := sqldb.Each(ctx, s.db.Read, func(scan func(...any) error) error {
		var document sql.RawBytes
		if err := scan(&document); err != nil {
			return err
		}
		var c recognition.Content
		if err := json.Unmarshal(document, &c); err != nil {
			return fmt.Errorf("document of a content: %w", err)
		}
		found(c)
		return nil
	}, query, args...)
	return s.db.Fault(ctx, err)
}

// current returns the query for the newest revisions of contents.
func current(ids string) string {
	return `SELECT c.document FROM content_revision c /*! FORCE INDEX (PRIMARY) */ WHERE c.content_id IN ` + ids + `
		AND NOT EXISTS (SELECT 1 FROM content_revision later /*! FORCE INDEX (PRIMARY) */ WHERE later.content_id = c.content_id AND
			later.revision > c.revision)`
}

// Get implements recognition.Contents.
func (s *Contents) Get(ctx context.Context, ids []string) ([]recognition.Content, error) {
	byID := make(map[string]recognition.Content, len(ids))
	for part := range slices.Chunk(ids, sqldb.IDsAtOnce) {
		marks, args := sqldb.In(part)
		if err := s.find(ctx, func(c recognition.Content) { byID[c.ID] = c }, current(marks), args...); err != nil {
			return nil, err
		}
	}
	contents := make([]recognition.Content, 0, len(byID))
	for _, id := range ids {
		if c, ok := byID[id]; ok {
			contents = append(contents, c)
		}
	}
	return contents, nil
}

// Revise implements recognition.Contents.
func (s *Contents) Revise(ctx context.Context, c recognition.Content) error {
	document, err := marshal(c)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, `INSERT INTO content_revision (content_id, revision, document)
		SELECT content_id, ?, ? FROM content_revision WHERE content_id = ? AND revision = ?`, c.Revision, document, c.ID, c.Revision-1)
	switch {
	case s.db.Is(err, sqldb.Duplicate):
		return recognition.ErrContentChanged.Because(err)
	case err != nil:
		return err
	case n == 1:
		return nil
	}
	n, err = s.db.Count(ctx, `SELECT COUNT(*) FROM content_revision /*! FORCE INDEX (PRIMARY) */ WHERE content_id = ?`, c.ID)
	switch {
	case err != nil:
		return err
	case n == 0:
		return recognition.ErrContentNotFound
	}
	return recognition.ErrContentChanged
}

const revisionsOf = `SELECT document FROM content_revision /*! FORCE INDEX (PRIMARY) */ WHERE content_id = ? ORDER BY revision`

// Revisions implements recognition.Contents.
func (s *Contents) Revisions(ctx context.Context, id string) (revisions []recognition.Content, err error) {
	err = s.find(ctx, func(c recognition.Content) { revisions = append(revisions, c) }, revisionsOf, id)
	if err == nil && len(revisions) == 0 {
		return nil, recognition.ErrContentNotFound
	}
	return revisions, err
}

// oldContents is the query for a page of contents of which a revision was added before some time, in the order of their IDs.
const oldContents = `SELECT DISTINCT content_id FROM content_revision /*! FORCE INDEX (content_revision_added) */ WHERE content_id > ? ` +
	`AND added < ? ORDER BY content_id LIMIT ?`

// Old implements recognition.Contents. It uses the clock of the database.
func (s *Contents) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return s.db.Pages(ctx, oldContents, func(last string) []any { return []any{last, sqldb.Stamp(before), sqldb.PageSize} })
}

// Delete implements recognition.Contents.
func (s *Contents) Delete(ctx context.Context, ids []string) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error { return deleteContents(ctx, tx, ids) })
}

func deleteContents(ctx context.Context, tx *sql.Tx, ids []string) error {
	for part := range slices.Chunk(ids, sqldb.IDsAtOnce) {
		marks, args := sqldb.In(part)
		if _, err := tx.ExecContext(ctx, `DELETE FROM content_revision WHERE content_id IN `+marks, args...); err != nil {
			return err
		}
	}
	return nil
}

// History returns all revisions of contents, by ID and revision. It leaves out contents that do not exist.
func (s *Contents) History(ctx context.Context, ids []string) (history []recognition.Content, err error) {
	ids = slices.Sorted(slices.Values(ids))
	for part := range slices.Chunk(ids, sqldb.IDsAtOnce) {
		marks, args := sqldb.In(part)
		if err := s.find(ctx, func(c recognition.Content) { history = append(history, c) },
			`SELECT document FROM content_revision /*! FORCE INDEX (PRIMARY) */ WHERE content_id IN `+marks+`
				ORDER BY content_id, revision`, args...); err != nil {
			return nil, err
		}
	}
	return history, nil
}

// PutHistory stores all revisions of contents as they are, and replaces existing ones.
func (s *Contents) PutHistory(ctx context.Context, history []recognition.Content) error {
	ids := make([]string, len(history))
	for i, c := range history {
		ids[i] = c.ID
	}
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		if err := deleteContents(ctx, tx, ids); err != nil {
			return err
		}
		return insertRevisions(ctx, tx, history)
	})
}

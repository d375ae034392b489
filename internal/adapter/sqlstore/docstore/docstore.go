// Package docstore keeps the readers and tags of documents.
//
// Its tables repeat what lists need of the document, so that each part of a list is read from one index. Transactions that change a
// document change them, too.
package docstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
)

// Columns are the columns that Readers and Tags scan, for queries on images i.
const Columns = `(SELECT GROUP_CONCAT(CONCAT(s.reader_id, ':', HEX(reader.name))) FROM image_share s /*! FORCE INDEX (PRIMARY) */ ` +
	`JOIN user reader /*! FORCE INDEX (PRIMARY) */ ON reader.id = s.reader_id WHERE s.image_id = COALESCE(i.document, i.id)), ` +
	`(SELECT GROUP_CONCAT(HEX(t.name)) FROM image_tag t /*! FORCE INDEX (PRIMARY) */ WHERE t.image_id = COALESCE(i.document, i.id))`

// Readers scans the readers of a document.
type Readers struct{ To *[]account.Ref }

// Scan implements [sql.Scanner].
func (r Readers) Scan(src any) error {
	var t sqldb.Text
	*r.To = nil
	if err := t.Scan(src); err != nil || t == "" {
		return err
	}
	for part := range strings.SplitSeq(string(t), ",") {
		id, name, _ := strings.Cut(part, ":")
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return err
		}
		b, err := hex.DecodeString(name)
		if err != nil {
			return err
		}
		*r.To = append(*r.To, account.Ref{ID: n, Name: string(b)})
	}
	slices.SortFunc(*r.To, func(a, b account.Ref) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return nil
}

// Tags scans the tags of a document.
type Tags struct{ To *[]string }

// Scan implements [sql.Scanner].
func (r Tags) Scan(src any) error {
	var t sqldb.Text
	*r.To = nil
	if err := t.Scan(src); err != nil || t == "" {
		return err
	}
	for part := range strings.SplitSeq(string(t), ",") {
		b, err := hex.DecodeString(part)
		if err != nil {
			return err
		}
		*r.To = append(*r.To, string(b))
	}
	slices.SortFunc(*r.To, func(a, b string) int { return cmp.Compare(document.FoldTag(a), document.FoldTag(b)) })
	return nil
}

// Put changes the rows of a document from its old to its new state. account.ErrUserNotFound for a new reader who does not exist.
func Put(ctx context.Context, tx *sql.Tx, was, is document.Image) error {
	key := sqldb.NameKey(is.Name)
	shared := is.Visibility == document.Shared
	if was.Visibility != is.Visibility || !bytes.Equal(sqldb.NameKey(was.Name), key) {
		for _, table := range []string{`image_share`, `image_tag`} {
			if _, err := tx.ExecContext(ctx, `UPDATE `+table+` SET shared = ?, name_key = ? WHERE image_id = ?`, shared, key,
				is.ID); err != nil {
				return err
			}
		}
	}
	if !slices.Equal(was.Tags, is.Tags) {
		if err := putTags(ctx, tx, is, key); err != nil {
			return err
		}
	}
	return putReaders(ctx, tx, was, is, key)
}

// putTags replaces the tags of a document.
func putTags(ctx context.Context, tx *sql.Tx, is document.Image, key []byte) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM image_tag WHERE image_id = ?`, is.ID); err != nil || len(is.Tags) == 0 {
		return err
	}
	const row = `(?, ?, ?, ?, ?, ?)`
	var args []any
	for _, tag := range is.Tags {
		args = append(args, is.ID, document.FoldTag(tag), tag, is.Owner.ID, is.Visibility == document.Shared, key)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO image_tag (image_id, tag, name, user_id, shared, name_key) VALUES `+row+
		strings.Repeat(`, `+row, len(is.Tags)-1), args...)
	return err
}

// seenTags is a query for the tags of all documents that a query for documents picks, each as often as documents have it.
func seenTags(q document.Query) (text string, args []any) {
	const (
		all    = `SELECT tag, name FROM image_tag /*! FORCE INDEX (image_tag_of_user) */`
		others = `SELECT tag, name FROM image_tag /*! FORCE INDEX (image_tag_of_others) */ WHERE shared = 1 AND user_id <> ?`
		given  = `SELECT /*! STRAIGHT_JOIN */ t.tag, t.name FROM image_share s /*! FORCE INDEX (image_share_reader) */ ` +
			`JOIN image_tag t /*! FORCE INDEX (PRIMARY) */ ON t.image_id = s.image_id WHERE s.reader_id = ? AND s.shared = 0`
		own = all + ` WHERE user_id = ?`
	)
	switch {
	case q.Owner != 0:
		return own, []any{q.Owner}
	case q.Viewer == 0:
		return all, nil
	case q.Others:
		return others + ` UNION ALL ` + given, []any{q.Viewer, q.Viewer}
	}
	return own + ` UNION ALL ` + others + ` UNION ALL ` + given, []any{q.Viewer, q.Viewer, q.Viewer}
}

// TagsSeen returns the tags of documents; see document.Catalog.
func TagsSeen(ctx context.Context, db *sqldb.DB, q document.Query) (tags []document.Tag, total int, err error) {
	text, args := seenTags(q)
	text = ` FROM (` + text + `) AS seen`
	if q.Keyword != "" {
		text, args = text+` WHERE INSTR(tag, ?) > 0`, append(args, q.Keyword)
	}
	limit, offset := sqldb.Window(q.Size, q.Page)
	tags, err = sqldb.All(ctx, db.Read, func(scan func(...any) error) (t document.Tag, err error) {
		err = scan(&t.Name, &t.Documents)
		return t, err
	}, `SELECT MIN(name), COUNT(*)`+text+` GROUP BY tag ORDER BY tag LIMIT ? OFFSET ?`,
		append(slices.Clone(args), limit, offset)...)
	if err != nil {
		return nil, 0, db.Fault(ctx, err)
	}
	if offset == 0 && len(tags) < limit { // these are all
		return tags, len(tags), nil
	}
	total, err = db.Count(ctx, `SELECT COUNT(DISTINCT tag)`+text, args...)
	return tags, total, err
}

// putReaders adds and removes readers, in the order of their numbers, and counts what each is given.
func putReaders(ctx context.Context, tx *sql.Tx, was, is document.Image, key []byte) error {
	before, after := idsOf(was.Readers), idsOf(is.Readers)
	ids := slices.Concat(before, after)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		read, reads := slices.Contains(before, id), slices.Contains(after, id)
		there, err := count(ctx, tx, id, given(is, reads)-given(was, read))
		if err != nil {
			return err
		}
		switch {
		case reads && !read && !there:
			return account.ErrUserNotFound
		case read && !reads:
			_, err = tx.ExecContext(ctx, `DELETE FROM image_share WHERE image_id = ? AND reader_id = ?`, is.ID, id)
		case reads && !read:
			_, err = tx.ExecContext(ctx, `INSERT INTO image_share (image_id, reader_id, user_id, shared, name_key) VALUES (?, ?, ?, ?, ?)`,
				is.ID, id, is.Owner.ID, is.Visibility == document.Shared, key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func idsOf(readers []account.Ref) (ids []int64) {
	for _, r := range readers {
		ids = append(ids, r.ID)
	}
	return ids
}

// given is 1 if a reader of a document sees it for no other reason, else 0.
func given(i document.Image, reads bool) int {
	if reads && i.Visibility == document.Private {
		return 1
	}
	return 0
}

// count adds to the number of private documents that a user is given, unless the user has resigned or does not exist.
func count(ctx context.Context, tx *sql.Tx, userID int64, more int) (there bool, err error) {
	result, err := tx.ExecContext(ctx, `UPDATE user SET given = given + ? WHERE id = ? AND name IS NOT NULL`, more, userID)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// Remove updates the counts for a document that is about to be deleted. Its rows are deleted with that of its image.
func Remove(ctx context.Context, tx *sql.Tx, was document.Image) error {
	for _, id := range slices.Sorted(slices.Values(idsOf(was.Readers))) {
		if _, err := count(ctx, tx, id, -given(was, true)); err != nil {
			return err
		}
	}
	return nil
}

// Resign removes a user, whose row is locked, from the readers of all documents.
func Resign(ctx context.Context, tx *sql.Tx, userID int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM image_share WHERE reader_id = ?`, userID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE user SET given = 0 WHERE id = ?`, userID)
	return err
}

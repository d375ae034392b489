package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"strings"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// Catalog is document.Catalog on table image.
type Catalog struct{ db *DB }

var _ document.Catalog = (*Catalog)(nil)

// Catalog returns the metadata of images in the database.
func (db *DB) Catalog() *Catalog { return &Catalog{db} }

var errImageNotFound = fault.New(fault.NotFound, "image_not_found", "There is no such image.")

// Add implements document.Catalog.
func (s *Catalog) Add(ctx context.Context, i document.Image) (document.Image, error) {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		id, err := insertImage(ctx, tx, i)
		if err != nil {
			return err
		}
		i, err = imageByID(ctx, tx, id, ``)
		return err
	})
	if err != nil {
		return document.Image{}, err
	}
	return i, nil
}

// insertImage inserts an image with its suffixes, under a new number where it has none.
func insertImage(ctx context.Context, tx *sql.Tx, i document.Image) (id int64, err error) {
	if err := count(ctx, tx, i, 1); err != nil {
		return 0, err
	}
	search := fold(i.Name)
	result, err := tx.ExecContext(ctx, `INSERT INTO image (id, name, search, media_type, width, height, pages, size, sha256, visibility, image_id, thumbnail_id, created_datetime, user_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		sqldb.Number(i.ID), i.Name, search, i.MediaType, i.Width, i.Height, i.Pages, i.Size, i.SHA256, string(i.Visibility), i.Original, i.Thumbnail, sqldb.Stamp(i.Created), i.Owner.ID)
	if err != nil {
		return 0, err
	}
	if id, err = result.LastInsertId(); err != nil {
		return 0, err
	}
	return id, addSuffixes(ctx, tx, named{id, i.Owner.ID, i.Visibility, search})
}

// count notes with the owner that an image is there (1) or is not any more (-1).
func count(ctx context.Context, tx *sql.Tx, i document.Image, more int) error {
	shared := 0
	if i.Visibility == document.Shared {
		shared = more
	}
	result, err := tx.ExecContext(ctx, `UPDATE user SET images = images + ?, shared = shared + ? WHERE id = ?`, more, shared, i.Owner.ID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return cmp.Or(err, error(errUserNotFound))
	}
	return nil
}

const imageColumns = `i.id, i.name, i.media_type, i.width, i.height, i.pages, i.size, i.sha256, i.visibility, i.image_id, i.thumbnail_id, i.created_datetime, i.user_id, user.name`

func scanImage(scan func(...any) error) (i document.Image, err error) {
	err = scan(&i.ID, &i.Name, &i.MediaType, &i.Width, &i.Height, &i.Pages, &i.Size, &i.SHA256, &i.Visibility, &i.Original, &i.Thumbnail,
		(*sqldb.Stamp)(&i.Created), &i.Owner.ID, (*sqldb.Text)(&i.Owner.Name))
	return i, err
}

func imageByID(ctx context.Context, q sqldb.Querier, id int64, lock string) (document.Image, error) {
	i, err := scanImage(q.QueryRowContext(ctx, `SELECT `+imageColumns+` FROM image i JOIN user ON user.id = i.user_id WHERE i.id = ?`+lock, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return document.Image{}, errImageNotFound
	}
	return i, err
}

// ByID implements document.Catalog.
func (s *Catalog) ByID(ctx context.Context, id int64) (document.Image, error) {
	i, err := imageByID(ctx, s.db.Read, id, ``)
	return i, s.db.Fault(ctx, err)
}

// List implements document.Catalog.
func (s *Catalog) List(ctx context.Context, q document.Query) ([]document.Image, int, error) {
	if keyword := fold(q.Keyword); keyword != "" {
		return s.search(ctx, q, keyword)
	}
	images, err := s.page(ctx, q, everything(q))
	if err != nil {
		return nil, 0, err
	}
	if q.Page == 0 && q.Before == 0 && len(images) < q.Size {
		return images, len(images), nil
	}
	text, args := listCount(q)
	total, err := s.db.Count(ctx, text, args...)
	return images, total, err
}

// condition is a part of a WHERE with its arguments.
type condition struct {
	text string
	args []any
}

func (c condition) and(text string, args ...any) condition {
	return condition{c.text + ` AND ` + text, append(append([]any(nil), c.args...), args...)}
}

// kind is some of the images that a query wants.
type kind struct {
	table string
	id    string // column of the image's ID
	condition
}

// matching returns which images a query wants, whatever its keyword, as conditions on table image of which no image meets two. What a user sees are two kinds,
// their own and what others share, since with an OR no index gives the newest ones without sorting all.
func matching(q document.Query) []condition {
	switch {
	case q.Viewer == 0 && q.Owner == 0:
		return []condition{{text: `1 = 1`}}
	case q.Viewer == 0 || q.Viewer == q.Owner:
		return []condition{{`user_id = ?`, []any{q.Owner}}}
	case q.Owner == 0:
		return []condition{{`user_id = ?`, []any{q.Viewer}}, {`visibility = ? AND user_id <> ?`, []any{string(document.Shared), q.Viewer}}}
	}
	return []condition{{`user_id = ? AND visibility = ?`, []any{q.Owner, string(document.Shared)}}}
}

func everything(q document.Query) (kinds []kind) {
	for _, c := range matching(q) {
		kinds = append(kinds, kind{`image`, `id`, c})
	}
	return kinds
}

// page returns a page of the images of several kinds.
func (s *Catalog) page(ctx context.Context, q document.Query, kinds []kind) (images []document.Image, err error) {
	text, args := listPage(q, kinds)
	err = sqldb.Each(ctx, s.db.Read, func(scan func(...any) error) error {
		i, err := scanImage(scan)
		images = append(images, i)
		return err
	}, text, args...)
	return images, s.db.Fault(ctx, err)
}

// listPage returns the query for a page: the newest of each kind as far as the page reaches, by index, and of these the page.
func listPage(q document.Query, kinds []kind) (text string, args []any) {
	limit, offset := sqldb.Window(q.Size, q.Page)
	var parts []string
	for _, k := range kinds {
		if q.Before > 0 {
			k.condition = k.and(k.id+` < ?`, q.Before)
		}
		parts = append(parts, `SELECT id FROM (SELECT `+k.id+` AS id FROM `+k.table+` WHERE `+k.text+` ORDER BY `+k.id+` DESC LIMIT ?) AS kind`)
		args = append(append(args, k.args...), offset+limit)
	}
	return `SELECT ` + imageColumns + ` FROM (` + strings.Join(parts, ` UNION ALL `) + ` ORDER BY id DESC LIMIT ? OFFSET ?) AS page
		JOIN image i ON i.id = page.id JOIN user ON user.id = i.user_id ORDER BY i.id DESC`, append(args, limit, offset)
}

// imagesSeen returns how many images of a user a query wants, whatever its keyword, as an expression on table user.
func imagesSeen(q document.Query) condition {
	switch {
	case q.Viewer == 0 && q.Owner == 0:
		return condition{text: `images`}
	case q.Viewer == 0 || q.Viewer == q.Owner:
		return condition{`CASE WHEN id = ? THEN images ELSE 0 END`, []any{q.Owner}}
	case q.Owner == 0:
		return condition{`CASE WHEN id = ? THEN images ELSE shared END`, []any{q.Viewer}}
	}
	return condition{`CASE WHEN id = ? THEN shared ELSE 0 END`, []any{q.Owner}}
}

// listCount returns the query for how many images there are, whatever the keyword.
func listCount(q document.Query) (text string, args []any) {
	seen := imagesSeen(q)
	text, args = `SELECT COALESCE(SUM(`+seen.text+`), 0) FROM user`, seen.args
	if q.Owner > 0 {
		text, args = text+` WHERE id = ?`, append(args, q.Owner)
	}
	return text, args
}

// Count implements document.Catalog.
func (s *Catalog) Count(ctx context.Context, ownerID int64) (int, error) {
	text, args := listCount(document.Query{Owner: ownerID})
	return s.db.Count(ctx, text, args...)
}

// Update implements document.Catalog.
func (s *Catalog) Update(ctx context.Context, id int64, change func(*document.Image) error) (i document.Image, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		if i, err = imageByID(ctx, tx, id, s.db.Dialect.ForUpdate); err != nil {
			return err
		}
		was := i
		if err := change(&i); err != nil {
			return err
		}
		if err := deleteSuffixes(ctx, tx, id); err != nil {
			return err
		}
		search := fold(i.Name)
		if _, err := tx.ExecContext(ctx, `UPDATE image SET name = ?, search = ?, visibility = ? WHERE id = ?`, i.Name, search, string(i.Visibility), id); err != nil {
			return err
		}
		if err := addSuffixes(ctx, tx, named{id, was.Owner.ID, i.Visibility, search}); err != nil {
			return err
		}
		if i.Visibility != was.Visibility {
			i.Owner = was.Owner
			if err := errors.Join(count(ctx, tx, was, -1), count(ctx, tx, i, 1)); err != nil {
				return err
			}
		}
		i, err = imageByID(ctx, tx, id, ``)
		return err
	})
	if err != nil {
		return document.Image{}, err
	}
	return i, nil
}

// namedBlobs are the queries for blobs that images name, without the names at their ends. Each has its index, which an OR would not use.
var namedBlobs = []string{`SELECT image_id FROM image WHERE image_id IN `, `SELECT thumbnail_id FROM image WHERE thumbnail_id IN `}

// Named implements document.Catalog.
func (s *Catalog) Named(ctx context.Context, blobs []string) ([]string, error) {
	return s.db.named(ctx, blobs, namedBlobs...)
}

// Delete implements document.Catalog.
func (s *Catalog) Delete(ctx context.Context, id int64) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		i, err := imageByID(ctx, tx, id, s.db.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		if err := deleteSuffixes(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM image WHERE id = ?`, id); err != nil { // the rows of its runs go by their foreign keys
			return err
		}
		return count(ctx, tx, i, -1)
	})
}

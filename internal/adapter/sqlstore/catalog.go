package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"strings"

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
	err := s.db.update(ctx, func(tx *sql.Tx) error {
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

// insertImage inserts an image, under a new number where it has none.
func insertImage(ctx context.Context, tx *sql.Tx, i document.Image) (id int64, err error) {
	if err := count(ctx, tx, i, 1); err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO image (id, name, search, media_type, width, height, pages, size, sha256, visibility, image_id, thumbnail_id, created_datetime, user_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		number(i.ID), i.Name, fold(i.Name), i.MediaType, i.Width, i.Height, i.Pages, i.Size, i.SHA256, string(i.Visibility), i.Original, i.Thumbnail, stamp(i.Created), i.Owner.ID)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
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
		(*stamp)(&i.Created), &i.Owner.ID, (*text)(&i.Owner.Name))
	return i, err
}

func imageByID(ctx context.Context, q querier, id int64, lock string) (document.Image, error) {
	i, err := scanImage(q.QueryRowContext(ctx, `SELECT `+imageColumns+` FROM image i JOIN user ON user.id = i.user_id WHERE i.id = ?`+lock, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return document.Image{}, errImageNotFound
	}
	return i, err
}

// ByID implements document.Catalog.
func (s *Catalog) ByID(ctx context.Context, id int64) (document.Image, error) {
	i, err := imageByID(ctx, s.db.read, id, ``)
	return i, s.db.fault(ctx, err)
}

// List implements document.Catalog.
func (s *Catalog) List(ctx context.Context, q document.Query) (images []document.Image, total int, err error) {
	text, args := listPage(q)
	err = each(ctx, s.db.read, func(scan func(...any) error) error {
		i, err := scanImage(scan)
		images = append(images, i)
		return err
	}, text, args...)
	if err != nil {
		return nil, 0, s.db.fault(ctx, err)
	}
	if q.Page == 0 && q.Before == 0 && len(images) < q.Size {
		return images, len(images), nil
	}
	text, args = listCount(q)
	total, err = s.db.count(ctx, text, args...)
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

// matching returns which images a query wants, as conditions of which no image meets two. What a user sees are two kinds, their own
// and what others share, since with an OR no index gives the newest ones without sorting all.
func matching(q document.Query) []condition {
	var kinds []condition
	switch {
	case q.Viewer == 0 && q.Owner == 0:
		kinds = []condition{{text: `1 = 1`}}
	case q.Viewer == 0 || q.Viewer == q.Owner:
		kinds = []condition{{`user_id = ?`, []any{q.Owner}}}
	case q.Owner == 0:
		kinds = []condition{{`user_id = ?`, []any{q.Viewer}}, {`visibility = ? AND user_id <> ?`, []any{string(document.Shared), q.Viewer}}}
	default:
		kinds = []condition{{`user_id = ? AND visibility = ?`, []any{q.Owner, string(document.Shared)}}}
	}
	if q.Keyword != "" {
		keyword := fold(q.Keyword)
		for n := range kinds {
			kinds[n] = kinds[n].and(`(INSTR(search, ?) > 0 OR user_id IN (SELECT id FROM user WHERE INSTR(LOWER(name), ?) > 0))`, keyword, keyword)
		}
	}
	return kinds
}

// listPage returns the query for a page: the newest of each kind as far as the page reaches, by index, and of these the page.
func listPage(q document.Query) (text string, args []any) {
	limit, offset := window(q.Size, q.Page)
	var kinds []string
	for _, c := range matching(q) {
		if q.Before > 0 {
			c = c.and(`id < ?`, q.Before)
		}
		kinds = append(kinds, `SELECT id FROM (SELECT id FROM image WHERE `+c.text+` ORDER BY id DESC LIMIT ?) AS kind`)
		args = append(append(args, c.args...), offset+limit)
	}
	return `SELECT ` + imageColumns + ` FROM (` + strings.Join(kinds, ` UNION ALL `) + ` ORDER BY id DESC LIMIT ? OFFSET ?) AS page
		JOIN image i ON i.id = page.id JOIN user ON user.id = i.user_id ORDER BY i.id DESC`, append(args, limit, offset)
}

// listCount returns the query for how many images match in all. Only those with a keyword are counted one by one.
func listCount(q document.Query) (text string, args []any) {
	if q.Keyword == "" {
		switch {
		case q.Viewer == 0 && q.Owner == 0:
			return `SELECT COALESCE(SUM(images), 0) FROM user`, nil
		case q.Viewer == 0 || q.Viewer == q.Owner:
			return `SELECT COALESCE(SUM(images), 0) FROM user WHERE id = ?`, []any{q.Owner}
		case q.Owner == 0:
			return `SELECT COALESCE(SUM(CASE WHEN id = ? THEN images ELSE shared END), 0) FROM user`, []any{q.Viewer}
		default:
			return `SELECT COALESCE(SUM(shared), 0) FROM user WHERE id = ?`, []any{q.Owner}
		}
	}
	var kinds []string
	for _, c := range matching(q) {
		kinds = append(kinds, `(SELECT COUNT(*) FROM image WHERE `+c.text+`)`)
		args = append(args, c.args...)
	}
	return `SELECT ` + strings.Join(kinds, ` + `), args
}

// Count implements document.Catalog.
func (s *Catalog) Count(ctx context.Context, ownerID int64) (int, error) {
	text, args := listCount(document.Query{Owner: ownerID})
	return s.db.count(ctx, text, args...)
}

// Update implements document.Catalog.
func (s *Catalog) Update(ctx context.Context, id int64, change func(*document.Image) error) (i document.Image, err error) {
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		if i, err = imageByID(ctx, tx, id, s.db.dialect.forUpdate); err != nil {
			return err
		}
		was := i
		if err := change(&i); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE image SET name = ?, search = ?, visibility = ? WHERE id = ?`, i.Name, fold(i.Name), string(i.Visibility), id); err != nil {
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
	return s.db.update(ctx, func(tx *sql.Tx) error {
		i, err := imageByID(ctx, tx, id, s.db.dialect.forUpdate)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM image WHERE id = ?`, id); err != nil { // the rows of its runs go by their foreign keys
			return err
		}
		return count(ctx, tx, i, -1)
	})
}

package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
)

// Catalog is document.Catalog on table image.
type Catalog struct{ db *DB }

var _ document.Catalog = (*Catalog)(nil)

// Catalog returns the metadata of images in the database.
func (db *DB) Catalog() *Catalog { return &Catalog{db} }

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
	result, err := tx.ExecContext(ctx, `INSERT INTO image (id, name, search, media_type, width, height, pages, dpi, rotation, size, sha256, visibility, image_id, thumbnail_id, created_datetime, user_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		sqldb.Number(i.ID), i.Name, search, i.MediaType, i.Width, i.Height, i.Pages, i.DPI, i.Rotation, i.Size, i.SHA256, string(i.Visibility), i.Original, i.Thumbnail,
		sqldb.Stamp(i.Created), i.Owner.ID)
	if err != nil {
		return 0, err
	}
	if id, err = result.LastInsertId(); err != nil {
		return 0, err
	}
	return id, addSuffixes(ctx, tx, named{id, i.Owner.ID, i.Visibility, search})
}

// count adds 1 or -1 to the owner's number of images.
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

const imageColumns = `i.id, i.name, i.media_type, i.width, i.height, i.pages, i.dpi, i.rotation, i.size, i.sha256, i.visibility, i.image_id, i.thumbnail_id, i.created_datetime, i.user_id, user.name`

func scanImage(scan func(...any) error) (i document.Image, err error) {
	err = scan(&i.ID, &i.Name, &i.MediaType, &i.Width, &i.Height, &i.Pages, &i.DPI, &i.Rotation, &i.Size, &i.SHA256, &i.Visibility,
		&i.Original, &i.Thumbnail, (*sqldb.Stamp)(&i.Created), &i.Owner.ID, (*sqldb.Text)(&i.Owner.Name))
	i.Document, i.Number = i.ID, 1
	return i, err
}

func imageByID(ctx context.Context, q sqldb.Querier, id int64, lock string) (document.Image, error) {
	i, err := scanImage(q.QueryRowContext(ctx, `SELECT `+imageColumns+` FROM image i JOIN user ON user.id = i.user_id WHERE i.id = ?`+lock, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return document.Image{}, document.ErrImageNotFound
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
	scans, part := visible(q), partOf(q)
	if part.offset > 0 && part.before == 0 {
		total, err := s.count(ctx, q)
		if err != nil || part.offset >= total {
			return nil, total, err
		}
		images, err := s.read(ctx, scans, part.fromNearerEnd(total))
		return images, total, err
	}
	images, err := s.read(ctx, scans, part)
	if err != nil {
		return nil, 0, err
	}
	if part.offset == 0 && part.before == 0 && len(images) < part.limit { // these are all
		return images, len(images), nil
	}
	total, err := s.count(ctx, q)
	return images, total, err
}

// part is a part of a list: limit images, after offset others that are skipped.
type part struct {
	before        int64 // an ID: the list begins below it; 0: it begins with the newest image
	limit, offset int
	fromOldest    bool // whether offset counts from the oldest image
}

func partOf(q document.Query) part {
	limit, offset := sqldb.Window(q.Size, q.Page)
	return part{before: q.Before, limit: limit, offset: offset}
}

// fromNearerEnd returns the same part of a list of total images, counted from the end where fewer are to be skipped.
func (p part) fromNearerEnd(total int) part {
	if rest := max(total-p.offset-p.limit, 0); rest < p.offset {
		return part{limit: min(p.limit, total-p.offset), offset: rest, fromOldest: true}
	}
	return p
}

// condition is a WHERE condition with its arguments.
type condition struct {
	text string
	args []any
}

func (c condition) and(text string, args ...any) condition {
	return condition{c.text + ` AND ` + text, append(append([]any(nil), c.args...), args...)}
}

// scan reads some of the images of a list in the order of their IDs, by one index.
type scan struct {
	table, index string
	first        string // column of the index before the ID, which has one value; "" where the ID is the first one
	id           string // column with the ID of the image
	condition
}

func (s scan) from() string {
	return ` FROM ` + s.table + ` /*! FORCE INDEX (` + s.index + `) */ WHERE ` + s.text
}

// ids returns the query for the IDs, without LIMIT. Its order is that of the index, in either direction, so that nothing is sorted.
func (s scan) ids(fromOldest bool) (text, order string) {
	direction := ` DESC`
	if fromOldest {
		direction = ` ASC`
	}
	order = ` ORDER BY ` + s.id + direction
	if s.first != `` {
		order = ` ORDER BY ` + s.first + direction + `, ` + s.id + direction
	}
	return `SELECT ` + s.id + ` AS id` + s.from(), order
}

// visible splits the images that a query may return, whatever its keyword, into disjoint WHERE conditions: two index scans beat one OR.
//
// MariaDB is asked for a second value of the first column, which no row has: so it reads no more than the range of a list that begins before an image. Of
// one value it may read all rows, if it takes the table for a small one.
func visible(q document.Query) []scan {
	const mine, shared = `(user_id = ? /*! OR user_id = 0 */)`, `(visibility = ? /*! OR visibility = '' */)`
	all := scan{`image`, `PRIMARY`, ``, `id`, condition{text: `1 = 1`}}
	ofUser := func(id int64) scan { return scan{`image`, `image_user`, `user_id`, `id`, condition{mine, []any{id}}} }
	switch {
	case q.Viewer == 0 && q.Owner == 0:
		return []scan{all}
	case q.Viewer == 0 || q.Viewer == q.Owner:
		return []scan{ofUser(q.Owner)}
	case q.Owner == 0:
		return []scan{ofUser(q.Viewer), {`image`, `image_visibility`, `visibility`, `id`, condition{shared + ` AND user_id <> ?`, []any{string(document.Shared), q.Viewer}}}}
	}
	s := ofUser(q.Owner)
	s.condition = s.and(`visibility = ?`, string(document.Shared))
	return []scan{s}
}

// read returns a part of the list that several scans make up, newest first.
func (s *Catalog) read(ctx context.Context, scans []scan, p part) (images []document.Image, err error) {
	text, args := listPart(scans, p)
	err = sqldb.Each(ctx, s.db.Read, func(scan func(...any) error) error {
		i, err := scanImage(scan)
		images = append(images, i)
		return err
	}, text, args...)
	return images, s.db.Fault(ctx, err)
}

// listPart returns the query for a part of a list. Of several scans it reads each as far as the part reaches, and merges them.
func listPart(scans []scan, p part) (text string, args []any) {
	var parts []string
	for _, s := range scans {
		if p.before > 0 {
			s.condition = s.and(s.id+` < ?`, p.before)
		}
		ids, order := s.ids(p.fromOldest)
		if len(scans) == 1 {
			ids += order
		} else { // SQLite merges them as it reads
			ids = fmt.Sprintf(`/*! ( */ %s /*! %s LIMIT %d) */`, ids, order, p.offset+p.limit)
		}
		parts, args = append(parts, ids), append(args, s.args...)
	}
	list := strings.Join(parts, ` UNION ALL `)
	if len(parts) > 1 {
		_, order := scan{id: `id`}.ids(p.fromOldest)
		list += order
	}
	return `SELECT /*! STRAIGHT_JOIN */ ` + imageColumns + ` FROM (` + list + ` LIMIT ? OFFSET ?) AS part
		JOIN image i /*! FORCE INDEX (PRIMARY) */ ON i.id = part.id
		JOIN user /*! FORCE INDEX (PRIMARY) */ ON user.id = i.user_id
		ORDER BY i.id DESC`, append(args, p.limit, p.offset)
}

// imagesOfUser returns how many images of a user a query may return, whatever its keyword, as an expression on table user.
func imagesOfUser(q document.Query) condition {
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

// count returns how many images a query may return, whatever its keyword.
func (s *Catalog) count(ctx context.Context, q document.Query) (int, error) {
	images := imagesOfUser(q)
	text, args := `SELECT COALESCE(SUM(`+images.text+`), 0) FROM user`, images.args
	if q.Owner > 0 {
		text, args = text+` WHERE id = ?`, append(args, q.Owner)
	}
	return s.db.Count(ctx, text, args...)
}

// Count implements document.Catalog.
func (s *Catalog) Count(ctx context.Context, ownerID int64) (int, error) {
	return s.count(ctx, document.Query{Owner: ownerID})
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
		if _, err := tx.ExecContext(ctx, `UPDATE image SET name = ?, search = ?, visibility = ?, rotation = ?, width = ?, height = ?, thumbnail_id = ?
			WHERE id = ?`, i.Name, search, string(i.Visibility), i.Rotation, i.Width, i.Height, i.Thumbnail, id); err != nil {
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

// namedBlobs are the queries for blobs that images name, without the lists of names at their ends. Two index scans beat one OR.
var namedBlobs = []string{`SELECT image_id FROM image /*! FORCE INDEX (image_original) */ WHERE image_id IN `,
	`SELECT thumbnail_id FROM image /*! FORCE INDEX (image_thumbnail) */ WHERE thumbnail_id IN `}

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

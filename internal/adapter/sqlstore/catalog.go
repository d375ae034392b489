package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"glyphbox/internal/adapter/sqlstore/docstore"
	"glyphbox/internal/adapter/sqlstore/limitstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
)

// Catalog is document.Catalog on table image.
type Catalog struct {
	db      *DB
	skipped int // how many images the query for a page may skip; more are counted by queries before
}

var _ document.Catalog = (*Catalog)(nil)

// Catalog returns the metadata of images in the database.
func (db *DB) Catalog() *Catalog { return &Catalog{db, 250} }

// Add implements document.Catalog.
func (s *Catalog) Add(ctx context.Context, claim once.Claim, general limit.Limits, documents ...[]document.Image) (
	firsts []document.Image, err error) {
	bytes := int64(0)
	for _, pages := range documents {
		bytes += pages[0].Size
	}
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		firsts = nil
		if err := limitstore.Documents(ctx, s.db.DB, tx, documents[0][0].Owner.ID, general, len(documents), bytes); err != nil {
			return err
		}
		var effects []once.Effect
		for _, pages := range documents {
			first, err := s.add(ctx, tx, pages)
			if err != nil {
				return err
			}
			firsts, effects = append(firsts, first), append(effects, once.Effect{Image: first.ID})
		}
		return oncestore.Note(ctx, s.db.DB, tx, claim, effects...)
	})
	if err != nil {
		return nil, err
	}
	return firsts, nil
}

// add inserts the images of a document.
func (s *Catalog) add(ctx context.Context, tx *sql.Tx, pages []document.Image) (first document.Image, err error) {
	id, err := insertImage(ctx, tx, pages[0])
	if err != nil {
		return first, err
	}
	for later := range slices.Chunk(pages[1:], pagesAtOnce) {
		if err := insertPages(ctx, tx, id, later); err != nil {
			return first, err
		}
	}
	if err := s.db.Index().Rename(ctx, tx, id, pages[0].Name); err != nil {
		return first, err
	}
	return imageByID(ctx, tx, id, ``)
}

// pagesAtOnce is how many rows of pages one statement stores.
const pagesAtOnce = 100

const insertedColumns = `id, document, later, page, name, search, name_key, media_type, width, height, pages, frames, dpi, rotation, size,
	sha256, visibility, image_id, thumbnail_id, seal, failure, created_datetime, user_id`

// insertedValues are those of insertedColumns. A later page is neither searched for nor sorted by its name.
func insertedValues(i document.Image, document int64, search string) []any {
	key := []byte{}
	if document == 0 {
		key = sqldb.NameKey(i.Name)
	}
	return []any{sqldb.Number(i.ID), sqldb.Number(document), document > 0, i.Number, i.Name, search, key, i.MediaType, i.Width, i.Height,
		i.Pages, i.Frames, i.DPI, i.Rotation, i.Size,
		i.SHA256, string(i.Visibility), i.Original, i.Thumbnail, i.Seal, failure{&i.Error}, sqldb.Stamp(i.Created), i.Owner.ID}
}

const insertedRow = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// insertImage inserts the image of a first page with its suffixes, under a new number where it has none.
func insertImage(ctx context.Context, tx *sql.Tx, i document.Image) (id int64, err error) {
	if err := count(ctx, tx, i, 1); err != nil {
		return 0, err
	}
	search := sqldb.Fold(i.Name)
	result, err := tx.ExecContext(ctx, `INSERT INTO image (`+insertedColumns+`) VALUES `+insertedRow, insertedValues(i, 0, search)...)
	if err != nil {
		return 0, err
	}
	if id, err = result.LastInsertId(); err != nil {
		return 0, err
	}
	return id, addSuffixes(ctx, tx, named{id, i.Owner.ID, i.Visibility, search})
}

// insertPages inserts later pages of a document.
func insertPages(ctx context.Context, tx *sql.Tx, document int64, pages []document.Image) error {
	var args []any
	for _, i := range pages {
		args = append(args, insertedValues(i, document, ``)...)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO image (`+insertedColumns+`) VALUES `+insertedRow+strings.Repeat(`, `+insertedRow,
		len(pages)-1), args...)
	return err
}

// failure is a column of why a page cannot be rendered, as JSON; NULL where it can.
type failure struct{ of **fault.Failure }

// Value implements [driver.Valuer].
func (f failure) Value() (driver.Value, error) {
	if *f.of == nil {
		return nil, nil
	}
	b, err := json.Marshal(*f.of)
	return string(b), err
}

// Scan implements [sql.Scanner].
func (f failure) Scan(src any) error {
	var t sqldb.Text
	if err := t.Scan(src); err != nil || t == "" {
		*f.of = nil
		return err
	}
	return json.Unmarshal([]byte(t), f.of)
}

// count adds a document, 1 or -1 times, to what its owner has.
func count(ctx context.Context, tx *sql.Tx, i document.Image, more int) error {
	shared := 0
	if i.Visibility == document.Shared {
		shared = more
	}
	return limitstore.Have(ctx, tx, i.Owner.ID, more, shared, int64(more)*i.Size)
}

const imageColumns = `i.id, i.document, i.page, i.name, i.media_type, i.width, i.height, i.pages, i.frames, i.dpi, i.rotation, i.size, ` +
	`i.sha256, i.visibility, i.image_id, i.thumbnail_id, i.seal, i.failure, i.created_datetime, i.user_id, user.name, ` +
	docstore.Columns

func scanImage(scan func(...any) error) (i document.Image, err error) {
	var first sql.NullInt64
	err = scan(&i.ID, &first, &i.Number, &i.Name, &i.MediaType, &i.Width, &i.Height, &i.Pages, &i.Frames, &i.DPI, &i.Rotation, &i.Size,
		&i.SHA256, &i.Visibility, &i.Original, &i.Thumbnail, &i.Seal, failure{&i.Error}, (*sqldb.Stamp)(&i.Created), &i.Owner.ID,
		(*sqldb.Text)(&i.Owner.Name), docstore.Readers{To: &i.Readers}, docstore.Tags{To: &i.Tags})
	if i.Document = i.ID; first.Valid {
		i.Document = first.Int64
	}
	return i, err
}

func imageByID(ctx context.Context, q sqldb.Querier, id int64, lock string) (document.Image, error) {
	i, err := scanImage(q.QueryRowContext(ctx, `SELECT `+imageColumns+` FROM image i JOIN user ON user.id = i.user_id WHERE i.id = ?`+lock,
		id).Scan)
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

// ByIDs implements document.Catalog.
func (s *Catalog) ByIDs(ctx context.Context, ids []int64) (images []document.Image, err error) {
	for part := range slices.Chunk(ids, sqldb.IDsAtOnce) {
		marks, args := sqldb.In(part)
		found, err := sqldb.All(ctx, s.db.Read, scanImage,
			`SELECT /*! STRAIGHT_JOIN */ `+imageColumns+` FROM image i /*! FORCE INDEX (PRIMARY) */ JOIN user `+
				`/*! FORCE INDEX (PRIMARY) */ ON user.id = i.user_id WHERE i.id IN `+marks, args...)
		if err != nil {
			return nil, s.db.Fault(ctx, err)
		}
		images = append(images, found...)
	}
	return images, nil
}

// List implements document.Catalog.
func (s *Catalog) List(ctx context.Context, q document.Query) ([]document.Image, int, error) {
	keyword := sqldb.Fold(q.Keyword)
	switch {
	case len(q.Tags) > 0:
		return s.tagged(ctx, q, keyword)
	case keyword != "":
		return s.search(ctx, q, keyword)
	}
	part, err := s.partOf(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	scans := visible(q)
	if part.offset > 0 && part.behind == nil {
		total, err := s.count(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		images, err := s.page(ctx, scans, part, total)
		return images, total, err
	}
	images, err := s.read(ctx, scans, part)
	if err != nil {
		return nil, 0, err
	}
	if part.offset == 0 && part.behind == nil && len(images) < part.limit { // these are all
		return images, len(images), nil
	}
	total, err := s.count(ctx, q)
	return images, total, err
}

// part is a part of a list: limit images, after offset others that are skipped.
type part struct {
	order         document.Order
	behind        *place // the list begins after it; nil: with its first image
	limit, offset int
	fromEnd       bool // whether offset counts from the end of the list
}

// place is where a document stands in lists.
type place struct {
	id  int64
	key []byte // of its name, where lists are in the order of names
}

// Tags implements document.Catalog.
func (s *Catalog) Tags(ctx context.Context, q document.Query) ([]document.Tag, int, error) {
	return docstore.TagsSeen(ctx, s.db.DB, q)
}

func (s *Catalog) partOf(ctx context.Context, q document.Query) (part, error) {
	limit, offset := sqldb.Window(q.Size, q.Page)
	p := part{order: q.Order, limit: limit, offset: offset}
	if q.Before == 0 {
		return p, nil
	}
	p.behind = &place{id: q.Before}
	if q.Order != document.ByName {
		return p, nil
	}
	err := s.db.Read.QueryRowContext(ctx, `SELECT name_key FROM image WHERE id = ? AND later = 0`, q.Before).Scan(&p.behind.key)
	if errors.Is(err, sql.ErrNoRows) {
		return p, document.ErrImageNotFound
	}
	return p, s.db.Fault(ctx, err)
}

// fromNearerEnd returns the same part of a list of total images, counted from the end where fewer are to be skipped.
func (p part) fromNearerEnd(total int) part {
	if rest := max(total-p.offset-p.limit, 0); rest < p.offset {
		p.limit, p.offset, p.fromEnd = min(p.limit, total-p.offset), rest, true
	}
	return p
}

// direction returns that in which the index is read.
func (p part) direction() string {
	if (p.order == document.Newest) != p.fromEnd {
		return ` DESC`
	}
	return ` ASC`
}

// condition is a WHERE condition with its arguments.
type condition struct {
	text string
	args []any
}

func (c condition) and(text string, args ...any) condition {
	return condition{c.text + ` AND ` + text, append(append([]any(nil), c.args...), args...)}
}

// Pages implements document.Catalog.
func (s *Catalog) Pages(ctx context.Context, documentID int64, from, limit int) (pages []document.Image, err error) {
	first, err := s.ByID(ctx, documentID)
	if err != nil {
		return nil, err
	}
	if first.Document != documentID {
		return nil, document.ErrImageNotFound
	}
	if from <= 1 && limit > 0 {
		pages = append(pages, first)
	}
	if limit -= len(pages); limit <= 0 || first.Pages == 1 {
		return pages, nil
	}
	rest, err := sqldb.All(ctx, s.db.Read, scanImage,
		`SELECT /*! STRAIGHT_JOIN */ `+imageColumns+` FROM image i /*! FORCE INDEX (image_page) */ JOIN user /*! FORCE INDEX (PRIMARY) */ ON
		user.id = i.user_id
		WHERE i.document = ? AND i.page >= ? ORDER BY i.page LIMIT ?`,
		documentID, max(from, 2), limit)
	return append(pages, rest...), s.db.Fault(ctx, err)
}

// scan reads some of the images of a list in the order of their IDs, or of their names, by one index.
type scan struct {
	table, index string
	first        []string // columns of the index before the ID, or the key of the name, which have one value each
	id           string   // column with the ID of the image
	key          string   // what gives the key of the image's name; empty: the list is in the order of IDs
	search       string   // what gives the image's name, folded
	condition
}

func (s scan) from() string {
	return ` FROM ` + s.table + ` /*! FORCE INDEX (` + s.index + `) */ WHERE ` + s.text
}

// ids returns the query for the IDs, without LIMIT. Its order is that of the index, in that direction, so that nothing is sorted.
func (s scan) ids(direction string) (text, order string) {
	order = ` ORDER BY `
	for _, column := range s.first {
		order += column + direction + `, `
	}
	text = `SELECT ` + s.id + ` AS id`
	if s.key != "" {
		text += `, ` + s.key + ` AS name_key`
		order += `name_key` + direction + `, `
	}
	return text + s.from(), order + s.id + direction
}

// behind leaves out what does not come after a place.
func (s scan) behind(p part) scan {
	switch {
	case p.behind == nil:
	case s.key != "":
		s.condition = s.and(s.key+` >= ? AND (`+s.key+` > ? OR `+s.id+` > ?)`, p.behind.key, p.behind.key, p.behind.id)
	case p.direction() == ` ASC`:
		s.condition = s.and(s.id+` > ?`, p.behind.id)
	default:
		s.condition = s.and(s.id+` < ?`, p.behind.id)
	}
	return s
}

// visible splits the images that a query may return, whatever its keyword, into disjoint WHERE conditions: several index scans beat one OR.
// A user sees what is their own, what others share with everybody, and what others share with them by name and with everybody not.
//
// Each finds the first pages only, which stand for their documents.
//
// MariaDB is asked for a second value of the first column, which no row has: so it reads no more than the range of a list that begins
// before an image. Of one value it may read all rows, if it takes the table for a small one.
func visible(q document.Query) []scan {
	suffix, key := ``, ``
	if q.Order == document.ByName {
		suffix, key = `_name`, `name_key`
	}
	if len(q.Tags) > 0 {
		return withTags(q, suffix, key)
	}
	images := func(index string, first []string, text string, args ...any) scan {
		return scan{`image`, index + suffix, first, `id`, key, `search`, condition{text, args}}
	}
	ofUser := func(id int64) scan {
		return images(`image_user`, []string{`user_id`, `later`}, `(user_id = ? /*! OR user_id = 0 */) AND later = 0`, id)
	}
	switch {
	case q.Viewer == 0 && q.Owner == 0:
		return []scan{images(`image_later`, []string{`later`}, `(later = 0 /*! OR later = -1 */)`)}
	case q.Viewer == 0 || q.Viewer == q.Owner:
		return []scan{ofUser(q.Owner)}
	case q.Owner == 0:
		scans := []scan{
			ofUser(q.Viewer),
			images(`image_visibility`, []string{`visibility`, `later`},
				`(visibility = ? /*! OR visibility = '' */) AND later = 0 AND user_id <> ?`, string(document.Shared), q.Viewer),
			given(q, suffix, key)}
		if q.Others {
			return scans[1:]
		}
		return scans
	}
	s := ofUser(q.Owner)
	s.condition = s.and(`visibility = ?`, string(document.Shared))
	return []scan{s, given(q, suffix, key)}
}

// given is the scan of what is shared with the viewer by name, of all owners or of one, and with everybody not.
func given(q document.Query, suffix, key string) scan {
	s := scan{`image_share`, `image_share_reader` + suffix, []string{`reader_id`, `shared`}, `image_id`, key, searchOf(`image_share`),
		condition{`(reader_id = ? /*! OR reader_id = 0 */) AND shared = 0`, []any{q.Viewer}}}
	if q.Owner != 0 {
		s.index, s.first = `image_share_owner`+suffix, []string{`reader_id`, `user_id`, `shared`}
		s.condition = s.and(`user_id = ?`, q.Owner)
	}
	return s
}

// searchOf returns what gives the folded name of the image that a row of another table names.
func searchOf(table string) string {
	return `(SELECT search FROM image WHERE image.id = ` + table + `.image_id)`
}

// page returns a part of the list of total images that several scans make up.
func (s *Catalog) page(ctx context.Context, scans []scan, p part, total int) ([]document.Image, error) {
	if p.offset >= total {
		return nil, nil
	}
	if p.behind == nil {
		p = p.fromNearerEnd(total)
		other := func(s scan) bool { return s.first == nil || s.key != "" } // its index is not in the order of IDs
		if len(scans) > 1 && !slices.ContainsFunc(scans, other) {
			var err error
			if p, err = s.skip(ctx, scans, p, total); err != nil {
				return nil, err
			}
		}
	}
	return s.read(ctx, scans, p)
}

// skip returns the same part of a list of total images, with fewer images to skip behind a place that it finds: it counts the images of
// ranges of IDs, which takes less time than merging the scans and leaving out what they give. It takes the IDs of a range to be evenly
// spread, and halves every second range in case they are not.
func (s *Catalog) skip(ctx context.Context, scans []scan, p part, total int) (part, error) {
	if p.offset <= s.skipped {
		return p, nil
	}
	var near, far int64 // of the images with IDs behind near, up to far, total are in the list, and p.offset are to be skipped
	if err := s.db.Read.QueryRowContext(ctx, `SELECT COALESCE((SELECT MIN(id) FROM image), 0), COALESCE((SELECT MAX(id) FROM image), 0)`).
		Scan(&near, &far); err != nil {
		return p, s.db.Fault(ctx, err)
	}
	forward := p.direction() == ` ASC`
	if near--; !forward {
		near, far = far+1, near+1
	}
	count := func(behind, upTo int64) (int, error) {
		first, last := behind+1, upTo
		if !forward {
			first, last = upTo, behind-1
		}
		within := slices.Clone(scans)
		for n, s := range within { // if MariaDB has to sort, it reads only the range, whatever size it takes the table for
			_, order := s.ids(p.direction())
			within[n].table = `/*! (SELECT 1 AS n FROM */ ` + s.table
			within[n].condition = s.and(s.id+` BETWEEN ? AND ? /*! `+order+` LIMIT 9223372036854775807) AS n */`, first, last)
		}
		text, args := countOf(within)
		return s.db.Count(ctx, text, args...)
	}
	for even := true; p.offset > s.skipped; even = !even {
		share := 0.5
		if even {
			share = min(float64(p.offset-s.skipped/2)/float64(total), 1)
		}
		at := near + int64(share*float64(far-near))
		if at == near || at == far {
			break
		}
		var n int // up to at; what is counted is the smaller part
		var err error
		if share <= 0.5 {
			n, err = count(near, at)
		} else if n, err = count(at, far); err == nil {
			n = total - n
		}
		switch {
		case err != nil:
			return p, err
		case n > p.offset:
			far, total = at, n
		default:
			near, p.offset, total = at, p.offset-n, total-n
		}
	}
	p.behind = &place{id: near}
	return p, nil
}

// read returns a part of the list that several scans make up.
func (s *Catalog) read(ctx context.Context, scans []scan, p part) ([]document.Image, error) {
	text, args := listPart(scans, p)
	images, err := sqldb.All(ctx, s.db.Read, scanImage, text, args...)
	return images, s.db.Fault(ctx, err)
}

// countOf returns the query for how many images several scans find together.
func countOf(scans []scan) (text string, args []any) {
	var counts []string
	for _, s := range scans {
		counts, args = append(counts, `(SELECT COUNT(*)`+s.from()+`)`), append(args, s.args...)
	}
	return `SELECT ` + strings.Join(counts, ` + `), args
}

// listPart returns the query for a part of a list. It reads each of several scans as far as the part reaches, and merges them.
func listPart(scans []scan, p part) (text string, args []any) {
	var parts []string
	for _, s := range scans {
		s = s.behind(p)
		ids, order := s.ids(p.direction())
		if len(scans) == 1 {
			ids += order
		} else { // SQLite merges them as it reads
			ids = fmt.Sprintf(`/*! ( */ %s /*! %s LIMIT %d) */`, ids, order, p.offset+p.limit)
		}
		parts, args = append(parts, ids), append(args, s.args...)
	}
	list := strings.Join(parts, ` UNION ALL `)
	if len(parts) > 1 {
		_, order := scan{id: `id`, key: scans[0].key}.ids(p.direction())
		list += order
	}
	p.fromEnd = false
	order := `i.id` + p.direction()
	if p.order == document.ByName {
		order = `i.name_key, ` + order
	}
	return `SELECT /*! STRAIGHT_JOIN */ ` + imageColumns + ` FROM (` + list + ` LIMIT ? OFFSET ?) AS part
		JOIN image i /*! FORCE INDEX (PRIMARY) */ ON i.id = part.id
		JOIN user /*! FORCE INDEX (PRIMARY) */ ON user.id = i.user_id
		ORDER BY ` + order, append(args, p.limit, p.offset)
}

// imagesOfUser returns how many images of a user a query may return, whatever its keyword, as an expression on table user. Those that are
// shared with the viewer by name are left out, and in givenByUser.
func imagesOfUser(q document.Query) condition {
	switch {
	case q.Viewer == 0 && q.Owner == 0:
		return condition{text: `images`}
	case q.Viewer == 0 || q.Viewer == q.Owner:
		return condition{`CASE WHEN id = ? THEN images ELSE 0 END`, []any{q.Owner}}
	case q.Others:
		return condition{`CASE WHEN id = ? THEN 0 ELSE shared END`, []any{q.Viewer}}
	case q.Owner == 0:
		return condition{`CASE WHEN id = ? THEN images ELSE shared END`, []any{q.Viewer}}
	}
	return condition{`CASE WHEN id = ? THEN shared ELSE 0 END`, []any{q.Owner}}
}

// givenByUser returns how many private images of a user are shared with the viewer by name, as an expression on table user.
func givenByUser(q document.Query) condition {
	if q.Viewer == 0 || q.Viewer == q.Owner {
		return condition{text: `0`}
	}
	c := condition{`(SELECT COUNT(*) FROM image_share /*! FORCE INDEX (image_share_owner) */ WHERE reader_id = ? AND ` +
		`user_id = user.id AND shared = 0)`, []any{q.Viewer}}
	if q.Owner != 0 {
		c = condition{`CASE WHEN id = ? THEN ` + c.text + ` ELSE 0 END`, append([]any{q.Owner}, c.args...)}
	}
	return c
}

// count returns how many images a query may return, whatever its keyword.
func (s *Catalog) count(ctx context.Context, q document.Query) (int, error) {
	images := imagesOfUser(q)
	switch {
	case q.Owner != 0:
		given := givenByUser(q)
		return s.db.Count(ctx, `SELECT COALESCE(SUM(`+images.text+` + `+given.text+`), 0) FROM user WHERE id = ?`,
			append(slices.Concat(images.args, given.args), q.Owner)...)
	case q.Viewer != 0:
		given := condition{`CASE WHEN id = ? THEN given ELSE 0 END`, []any{q.Viewer}}
		images = condition{images.text + ` + ` + given.text, append(images.args, given.args...)}
	}
	return s.db.Count(ctx, `SELECT COALESCE(SUM(`+images.text+`), 0) FROM user`, images.args...)
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
		if _, err := tx.ExecContext(ctx, `UPDATE image SET rotation = ?, width = ?, height = ?, thumbnail_id = ? WHERE id = ?`,
			i.Rotation, i.Width, i.Height, i.Thumbnail, id); err != nil {
			return err
		}
		if was.Document == id {
			i.ID, i.Owner = id, was.Owner
			if err := errors.Join(updateDocument(ctx, tx, was, i), s.db.Index().Rename(ctx, tx, id, i.Name)); err != nil {
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

// updateDocument changes what all pages of a document have in common.
func updateDocument(ctx context.Context, tx *sql.Tx, was, i document.Image) error {
	if err := docstore.Put(ctx, tx, was, i); err != nil {
		return err
	}
	if i.Name == was.Name && i.Visibility == was.Visibility && bytes.Equal(i.Seal, was.Seal) {
		return nil
	}
	id := was.ID
	if err := deleteSuffixes(ctx, tx, id); err != nil {
		return err
	}
	search := sqldb.Fold(i.Name)
	if _, err := tx.ExecContext(ctx, `UPDATE image SET name = ?, search = ?, name_key = ?, visibility = ?, seal = ? WHERE id = ?`,
		i.Name, search, sqldb.NameKey(i.Name), string(i.Visibility), i.Seal, id); err != nil {
		return err
	}
	if was.Pages > 1 {
		if _, err := tx.ExecContext(ctx, `UPDATE image SET name = ?, visibility = ?, seal = ? WHERE document = ?`,
			i.Name, string(i.Visibility), i.Seal, id); err != nil {
			return err
		}
	}
	if err := addSuffixes(ctx, tx, named{id, was.Owner.ID, i.Visibility, search}); err != nil || i.Visibility == was.Visibility {
		return err
	}
	return errors.Join(count(ctx, tx, was, -1), count(ctx, tx, i, 1))
}

// namedBlobs are the queries for blobs that images name, without the lists of names at their ends. Two index scans beat one OR.
var namedBlobs = []string{`SELECT image_id FROM image /*! FORCE INDEX (image_original) */ WHERE later = 0 AND image_id IN `,
	`SELECT thumbnail_id FROM image /*! FORCE INDEX (image_thumbnail) */ WHERE thumbnail_id IN `}

// Named implements document.Catalog.
func (s *Catalog) Named(ctx context.Context, blobs []string) ([]string, error) {
	// the thumbnail of a page that has none yet
	blobs = slices.DeleteFunc(slices.Clone(blobs), func(name string) bool { return name == "" })
	return s.db.Named(ctx, blobs, namedBlobs...)
}

// Delete implements document.Catalog.
func (s *Catalog) Delete(ctx context.Context, id int64) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		i, err := imageByID(ctx, tx, id, s.db.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		if i.Document != id {
			return document.ErrImageNotFound
		}
		if err := errors.Join(deleteSuffixes(ctx, tx, id), docstore.Remove(ctx, tx, i)); err != nil {
			return err
		}
		for _, pages := range []string{`document = ?`, `id = ?`} {
			// the rows of their runs go by their foreign keys
			if _, err := tx.ExecContext(ctx, `DELETE FROM image WHERE `+pages, id); err != nil {
				return err
			}
		}
		return count(ctx, tx, i, -1)
	})
}

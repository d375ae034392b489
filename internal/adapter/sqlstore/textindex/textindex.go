// Package textindex implements recognition.Index on tables of SQLite or MariaDB.
//
// Table text_entry has an entry for each content of the newest run of each image, and for the name of the image. Each change gives an
// entry a new, greater ID, so that the newest entry has the greatest. Table text_posting has, for each term and each block of 8192 IDs,
// the entries of the block with the term. Searches start at the newest block: so a frequent term is found soon, and a rare one has few
// rows.
//
// Compact moves the rows of full blocks to table text_compact, which needs a tenth of the space, and records in text_block the owners
// of their entries, so that blocks are skipped for a user who may see few images before terms are looked up.
//
// An entry that is replaced or removed leaves its number with its terms until Compact drops it. Whether an entry exists, and who may
// see it, is checked for what is found.
package textindex

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Index implements recognition.Index. It caches the first terms of the parts of compact blocks that it has read, some 10 kB a block.
type Index struct {
	db     *sqldb.DB
	firsts cache
}

var _ recognition.Index = (*Index)(nil)

// New returns the index in a database.
func New(db *sqldb.DB) *Index { return &Index{db: db, firsts: cache{of: map[int64][]string{}}} }

// Tables are the tables of the index, which are derived from others and not copied.
var Tables = []string{Announced, "text_block", "text_compact", "text_entry", "text_posting", "text_proofread", "text_state"}

// Announced is the table of announcements.
const Announced = "text_announced"

const (
	// entries. With more of them rows of frequent terms grow longer, and are written anew with each entry; with fewer of them there are
	// more rows.
	blockSize  = 8192
	rowsAtOnce = 1000 // of one statement
)

// longAgo is the date of announcements whose change is not in progress.
var longAgo = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Announce implements recognition.Index.
func (x *Index) Announce(ctx context.Context, imageID int64) (id int64, err error) {
	err = x.db.Update(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO text_announced (image_id, created_datetime) VALUES (?, ?)`, imageID,
			sqldb.Stamp(time.Now()))
		if err != nil {
			return err
		}
		id, err = result.LastInsertId()
		return err
	})
	if x.db.Is(err, sqldb.Orphan) {
		return 0, document.ErrImageNotFound.Because(err)
	}
	return id, err
}

// Clear implements recognition.Index.
func (x *Index) Clear(ctx context.Context) (images int, err error) {
	for _, table := range []string{"text_entry", "text_posting", "text_compact", "text_block"} {
		if _, err := x.db.Write.ExecContext(ctx, x.db.Dialect.Catalogue.Empty+table); err != nil {
			return 0, x.db.Fault(ctx, err)
		}
	}
	return x.db.Exec(ctx, `INSERT INTO text_announced (image_id, created_datetime) SELECT id, ? FROM image /*! FORCE INDEX (PRIMARY) */ `+
		`ORDER BY id`, sqldb.Stamp(longAgo))
}

// Announced implements recognition.Index.
func (x *Index) Announced(ctx context.Context, after int64, limit int) (announced []recognition.Announcement, all int, err error) {
	announced, err = sqldb.All(ctx, x.db.Read, func(scan func(...any) error) (a recognition.Announcement, err error) {
		err = scan(&a.ID, &a.ImageID, (*sqldb.Stamp)(&a.At))
		return a, err
	}, `SELECT id, image_id, created_datetime FROM text_announced /*! FORCE INDEX (PRIMARY) */ WHERE id > ? ORDER BY id LIMIT ?`, after,
		limit)
	if err == nil {
		all = len(announced)
		if all == limit {
			all, err = x.db.Count(ctx, `SELECT COUNT(*) FROM text_announced /*! FORCE INDEX (PRIMARY) */ WHERE id > ?`, after)
		}
	}
	return announced, all, x.db.Fault(ctx, err)
}

// Withdraw implements recognition.Index.
func (x *Index) Withdraw(ctx context.Context, announced ...int64) error {
	if len(announced) == 0 {
		return nil
	}
	marks, ids := sqldb.In(announced)
	_, err := x.db.Exec(ctx, `DELETE FROM text_announced WHERE id IN `+marks, ids...)
	return err
}

// Later announces an image, in a transaction that adds contents that are not put into the index.
func (x *Index) Later(ctx context.Context, tx *sql.Tx, imageID int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO text_announced (image_id, created_datetime) VALUES (?, ?)`, imageID, sqldb.Stamp(longAgo))
	return err
}

// entry is a row of text_entry that is to be added, with its terms.
type entry struct {
	ocrID    int64 // of the row of table ocr that has the content; 0 for the name of an image
	imageID  int64
	version  int
	revision int64
	recognition.Proofread
	terms []string
}

// Put implements recognition.Index.
func (x *Index) Put(ctx context.Context, announced, imageID int64, contents []recognition.Content) error {
	var terms [][]string // before the lock
	for _, c := range contents {
		terms = append(terms, termsOf(c.Text, c.Name))
	}
	err := x.db.Update(ctx, func(tx *sql.Tx) error {
		if announced != 0 {
			if _, err := tx.ExecContext(ctx, `DELETE FROM text_announced WHERE id = ?`, announced); err != nil {
				return err
			}
		}
		next, err := x.lock(ctx, tx)
		if err != nil {
			return err
		}
		var name string
		var later bool // page of a document, which has its name from the first one
		switch err := tx.QueryRowContext(ctx, `SELECT name, later FROM image WHERE id = ?`, imageID).Scan(&name, &later); {
		case errors.Is(err, sql.ErrNoRows):
			return nil // and its entries went with it
		case err != nil:
			return err
		}
		var entries []entry
		if !later {
			if entries, err = newNames(ctx, tx, imageID, name); err != nil {
				return err
			}
		}
		version, err := dropOld(ctx, tx, imageID, len(contents) != 1)
		if err != nil {
			return err
		}
		wanted, err := newer(ctx, tx, imageID, version, contents)
		if err != nil {
			return err
		}
		for n, c := range contents {
			if ocrID := wanted[c.ID]; ocrID != 0 {
				entries = append(entries, entry{ocrID, imageID, version, int64(c.Revision), c.Proofread(), terms[n]})
			}
		}
		if err := x.add(ctx, tx, next, entries); err != nil || version == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, proofread, imageID, imageID, version)
		return err
	})
	if x.db.Is(err, sqldb.Orphan) { // the image was deleted meanwhile, and its announcements went with it
		return nil
	}
	return err
}

// proofread counts how far the newest run of an image is proofread.
const proofread = `REPLACE INTO text_proofread (image_id, regions, confirmed, doubtful)
	SELECT ?, COUNT(*), COALESCE(SUM(confirmed), 0), COALESCE(SUM(doubtful), 0) FROM text_entry /*! FORCE INDEX (text_entry_image) */
	WHERE image_id = ? AND version = ?`

// Proofread implements recognition.Index.
func (x *Index) Proofread(ctx context.Context, imageIDs []int64, whole bool) (map[int64]recognition.Proofread, error) {
	found := map[int64]recognition.Proofread{}
	return found, x.db.OfImages(ctx, `text_proofread`, ``, []string{`1`, `regions`, `confirmed`, `doubtful`}, imageIDs, whole,
		func(scan func(...any) error) error {
			var id int64
			var p recognition.Proofread
			err := scan(&id, &p.Pages, &p.Regions, &p.Confirmed, &p.Doubtful)
			found[id] = found[id].Add(p)
			return err
		})
}

// Rename indexes the name of an image, in the transaction that adds or renames it.
func (x *Index) Rename(ctx context.Context, tx *sql.Tx, imageID int64, name string) error {
	if same, err := hasName(ctx, tx, imageID, name); same || err != nil {
		return err
	}
	next, err := x.lock(ctx, tx)
	if err != nil {
		return err
	}
	entries, err := newNames(ctx, tx, imageID, name)
	if err != nil {
		return err
	}
	return x.add(ctx, tx, next, entries)
}

// lock waits until no other transaction adds entries, and returns the ID of the next one. So a later transaction gives greater IDs.
func (x *Index) lock(ctx context.Context, tx *sql.Tx) (next int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT next FROM text_state WHERE id = 1`+x.db.Dialect.ForUpdate).Scan(&next)
	return next, err
}

func termsOf(texts ...string) (terms []string) {
	for _, text := range texts {
		terms = append(terms, fold(text).Terms()...)
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// hasName tells whether the index has that name of an image.
func hasName(ctx context.Context, tx *sql.Tx, imageID int64, name string) (bool, error) {
	var revision int64
	err := tx.QueryRowContext(ctx, `SELECT revision FROM text_entry /*! FORCE INDEX (text_entry_image) */ WHERE image_id = ? AND `+
		`version = 0`, imageID).Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return revision == revisionOf(name), err
}

// revisionOf returns a number that differs between a name of an image and the next one.
func revisionOf(name string) int64 { return int64(crc32.ChecksumIEEE([]byte(name))) }

// newNames returns the entry for the name of an image, unless it is there, and removes that of another name.
func newNames(ctx context.Context, tx *sql.Tx, imageID int64, name string) ([]entry, error) {
	if same, err := hasName(ctx, tx, imageID, name); same || err != nil {
		return nil, err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM text_entry WHERE image_id = ? AND version = 0`, imageID)
	return []entry{{imageID: imageID, revision: revisionOf(name), terms: termsOf(name)}}, err
}

// dropOld removes the entries of runs of an image that are not the newest; if all, also those of contents that the newest one does not
// have. It returns the version of the newest run, 0 if there is none.
func dropOld(ctx context.Context, tx *sql.Tx, imageID int64, all bool) (version int, err error) {
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM ocr_run WHERE image_id = ?`,
		imageID).Scan(&version); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM text_entry WHERE image_id = ? AND version > 0 AND version <> ?`, imageID, version)
	if err != nil || version == 0 || !all {
		return version, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM text_entry WHERE image_id = ? AND version = ? AND NOT EXISTS (SELECT 1 FROM ocr `+
		`/*! FORCE INDEX (PRIMARY) */ WHERE ocr.id = text_entry.ocr_id AND ocr.deleted_datetime IS NULL)`, imageID, version)
	return version, err
}

// newer returns by content ID the rows of table ocr of those contents that are of that run and newer than what the index has of them. It
// removes what it has of these, and of those that are not of that run, and counts those that were put before entries were counted. What it
// had of contents that no run has went with their rows.
func newer(ctx context.Context, tx *sql.Tx, imageID int64, version int, contents []recognition.Content) (map[string]int64, error) {
	wanted := map[string]int64{}
	for part := range slices.Chunk(contents, rowsAtOnce) {
		given := map[string]recognition.Content{}
		for _, c := range part {
			given[c.ID] = c
		}
		marks, args := sqldb.In(slices.Collect(maps.Keys(given)))
		var old []int64
		uncounted := map[int64]recognition.Proofread{}
		if err := sqldb.Each(ctx, tx, func(scan func(...any) error) error {
			var ocrID int64
			var contentID string
			var there, counted bool
			var revision sql.NullInt64
			err := scan(&ocrID, &contentID, &there, &revision, &counted)
			switch now := given[contentID]; {
			case there && (!revision.Valid || revision.Int64 < int64(now.Revision)):
				wanted[contentID] = ocrID
			case there && !counted && revision.Int64 == int64(now.Revision):
				uncounted[ocrID] = now.Proofread()
			}
			if revision.Valid && (wanted[contentID] != 0 || !there) {
				old = append(old, ocrID)
			}
			return err
		}, `SELECT /*! STRAIGHT_JOIN */ ocr.id, ocr.content_id, ocr.image_id = ? AND ocr.version = ? AND ocr.deleted_datetime IS NULL, `+
			`e.revision, e.doubtful IS NOT NULL FROM ocr /*! FORCE INDEX (ocr_content) */ `+
			`LEFT JOIN text_entry e /*! FORCE INDEX (text_entry_ocr) */ `+
			`ON e.ocr_id = ocr.id WHERE ocr.content_id IN `+marks, append([]any{imageID, version}, args...)...); err != nil {
			return nil, err
		}
		for ocrID, p := range uncounted {
			if _, err := tx.ExecContext(ctx, `UPDATE text_entry SET confirmed = ?, doubtful = ? WHERE ocr_id = ?`, p.Confirmed, p.Doubtful,
				ocrID); err != nil {
				return nil, err
			}
		}
		if len(old) == 0 {
			continue
		}
		marks, args = sqldb.In(old)
		if _, err := tx.ExecContext(ctx, `DELETE FROM text_entry WHERE ocr_id IN `+marks, args...); err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

// posting is a row of text_posting, or what is to be put at the end of one.
type posting struct {
	block int64
	term  string
	ids   []byte
}

// add gives entries IDs from next on and stores them with their terms. The first of them gets the greatest ID, so that it is found first.
func (x *Index) add(ctx context.Context, tx *sql.Tx, next int64, entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE text_state SET next = ? WHERE id = 1`, next+int64(len(entries))); err != nil {
		return err
	}
	slices.Reverse(entries)
	postings := map[int64]map[string]*posting{}
	for rows := range slices.Chunk(entries, rowsAtOnce) {
		var args []any
		for _, e := range rows {
			args = append(args, next, sqldb.Number(e.ocrID), e.imageID, e.version, e.revision, e.Confirmed, e.Doubtful)
			block := next / blockSize
			if postings[block] == nil {
				postings[block] = map[string]*posting{}
			}
			for _, term := range e.terms {
				p := postings[block][term]
				if p == nil {
					p = &posting{block: block, term: term}
					postings[block][term] = p
				}
				p.ids = binary.BigEndian.AppendUint16(p.ids, uint16(next%blockSize)) //nolint:gosec // less than blockSize
			}
			next++
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO text_entry (id, ocr_id, image_id, version, revision, confirmed, doubtful) VALUES `+
			`(?, ?, ?, ?, ?, ?, ?)`+strings.Repeat(`, (?, ?, ?, ?, ?, ?, ?)`, len(rows)-1), args...); err != nil {
			return err
		}
	}
	var all []*posting
	for _, ofBlock := range postings {
		for _, p := range ofBlock {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *posting) int {
		return cmp.Or(cmp.Compare(a.block, b.block), bytes.Compare([]byte(a.term), []byte(b.term)))
	})
	for rows := range slices.Chunk(all, rowsAtOnce) {
		var args []any
		for _, p := range rows {
			args = append(args, p.block, []byte(p.term), p.ids)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO text_posting (block, term, ids) VALUES (?, ?, ?)`+strings.Repeat(`, (?, ?, ?)`,
			len(rows)-1)+
			x.db.Dialect.AppendIDs, args...); err != nil {
			return err
		}
	}
	return nil
}

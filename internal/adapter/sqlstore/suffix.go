package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
)

// Table image_suffix holds the suffixes of the folded name of each image, one from each character on, in the order of their bytes. A name
// has a keyword if one of its suffixes begins with it. So a search reads one range of the table, wherever in the names the keyword stands.
//
// Several suffixes of one name may begin with the keyword. Sorted, they follow each other, and all but the first share at least the keyword
// with the suffix before. Each row has the length of that longest common prefix (lcp), as in a suffix array: the rows with lcp <
// len(keyword) are one for each image.
//
// indexNames can make the table anew from table image.

const suffixTable = "image_suffix"

// suffixSize is how many bytes of a suffix are stored. Keywords are rarely longer; of a longer one a piece is looked for.
const suffixSize = 24

type suffix struct {
	text string
	lcp  int // bytes
}

// suffixesOf returns the suffixes of a folded name, sorted, each once. A suffix that another one begins with is left out, since it finds
// nothing more.
func suffixesOf(search string) (suffixes []suffix) {
	var texts []string
	for from := range search {
		texts = append(texts, search[from:min(from+suffixSize, len(search))])
	}
	slices.Sort(texts)
	last := ""
	for n, text := range texts {
		if n+1 < len(texts) && strings.HasPrefix(texts[n+1], text) {
			continue
		}
		suffixes = append(suffixes, suffix{text, commonPrefix(last, text)})
		last = text
	}
	return suffixes
}

func commonPrefix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// named is what the rows of image_suffix repeat of an image.
type named struct {
	id, owner  int64
	visibility document.Visibility
	search     string
}

const namedColumns = `id, user_id, visibility, search`

func scanNamed(scan func(...any) error) (n named, err error) {
	err = scan(&n.id, &n.owner, &n.visibility, &n.search)
	return n, err
}

// addSuffixes stores the suffixes of images, and replaces those that are there.
func addSuffixes(ctx context.Context, tx *sql.Tx, images ...named) error {
	type row struct {
		suffix
		image *named
	}
	var all []row
	for n := range images {
		for _, s := range suffixesOf(images[n].search) {
			all = append(all, row{s, &images[n]})
		}
	}
	slices.SortFunc(all, func(a, b row) int { // in the order of the table, which is faster
		return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.image.id, b.image.id))
	})
	for rows := range slices.Chunk(all, suffixesAtOnce) {
		args := make([]any, 0, 5*len(rows))
		for _, r := range rows {
			args = append(args, []byte(r.text), r.image.id, r.lcp, r.image.owner, r.image.visibility == document.Shared)
		}
		if _, err := tx.ExecContext(ctx, `REPLACE INTO image_suffix (suffix, image_id, lcp, user_id, shared) VALUES (?, ?, ?, ?, ?)`+
			strings.Repeat(`, (?, ?, ?, ?, ?)`, len(rows)-1), args...); err != nil {
			return err
		}
	}
	return nil
}

// suffixesAtOnce is how many suffixes one statement stores or deletes.
const suffixesAtOnce = 1000

// deleteSuffixes deletes the suffixes of an image that is still there.
func deleteSuffixes(ctx context.Context, tx *sql.Tx, id int64) error {
	image, err := scanNamed(tx.QueryRowContext(ctx, `SELECT `+namedColumns+` FROM image WHERE id = ?`, id).Scan)
	if err != nil {
		return err
	}
	for suffixes := range slices.Chunk(suffixesOf(image.search), suffixesAtOnce) {
		texts := make([][]byte, len(suffixes))
		for n, s := range suffixes {
			texts[n] = []byte(s.text)
		}
		marks, args := sqldb.In(texts)
		if _, err := tx.ExecContext(ctx, `DELETE FROM image_suffix WHERE suffix IN `+marks+` AND image_id = ?`,
			append(args, id)...); err != nil {
			return err
		}
	}
	return nil
}

// indexOlderNames makes the suffixes of all images unless the oldest and the newest image have them. It leaves a database alone that is
// being filled, since the fill makes them itself.
func (db *DB) indexOlderNames(ctx context.Context) error {
	if work, err := db.Unfinished(ctx); err != nil || work != "" {
		return err
	}
	done, err := db.indexed(ctx, 0, math.MaxInt)
	if err != nil || done {
		return err
	}
	return db.indexNames(ctx)
}

// indexedAtOnce is how many images a transaction of indexNames concerns.
const indexedAtOnce = 50_000

// indexNames makes the suffixes of all images of first pages that have none, for a database that was not filled through a Catalog. It goes
// from the newest image to the oldest, a transaction for each indexedAtOnce images. After an interruption it skips what is done.
func (db *DB) indexNames(ctx context.Context) error {
	newest, err := db.Count(ctx, `SELECT COALESCE(MAX(id), 0) FROM image`)
	if err != nil {
		return err
	}
	for first := newest - newest%indexedAtOnce; first >= 0; first -= indexedAtOnce {
		done, err := db.indexed(ctx, first, first+indexedAtOnce)
		if err != nil {
			return err
		}
		if done {
			continue
		}
		if err := db.Update(ctx, func(tx *sql.Tx) error {
			images, err := sqldb.All(ctx, tx, scanNamed, `SELECT `+namedColumns+` FROM image WHERE id >= ? AND id < ? AND document IS NULL`+
				db.Dialect.ForUpdate, first, first+indexedAtOnce)
			if err != nil {
				return err
			}
			return addSuffixes(ctx, tx, images...)
		}); err != nil {
			return err
		}
	}
	return nil
}

// indexed tells whether the oldest and the newest image of those with IDs from first up to end have their suffixes.
func (db *DB) indexed(ctx context.Context, first, end int) (bool, error) {
	for _, order := range []string{`ASC`, `DESC`} {
		n, err := scanNamed(db.Read.QueryRowContext(ctx,
			`SELECT `+namedColumns+` FROM image WHERE id >= ? AND id < ? AND document IS NULL ORDER BY id `+order+` LIMIT 1`, first,
			end).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return true, nil
		}
		if err != nil {
			return false, db.Fault(ctx, err)
		}
		suffixes := suffixesOf(n.search)
		if len(suffixes) == 0 {
			continue
		}
		there, err := db.Count(ctx, `SELECT COUNT(*) FROM image_suffix WHERE suffix = ? AND image_id = ?`, []byte(suffixes[0].text), n.id)
		if err != nil || there == 0 {
			return false, err
		}
	}
	return true, nil
}

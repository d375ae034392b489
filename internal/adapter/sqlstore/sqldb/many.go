package sqldb

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"
)

// Limits of what is done at once.
const (
	IDsAtOnce = 5000 // of one statement. SQLite takes 32,766 parameters.
	PageSize  = 1000 // of what is gone through
)

// Named returns those of the values that the queries find, each once. The values are appended to the queries.
func (db *DB) Named(ctx context.Context, values []string, queries ...string) (named []string, err error) {
	for part := range slices.Chunk(values, IDsAtOnce) {
		marks, list := In(part)
		var texts []string
		var args []any
		for _, query := range queries {
			texts, args = append(texts, query+marks), append(args, list...)
		}
		found, err := Column[string](ctx, db.Read, strings.Join(texts, ` UNION `), args...)
		if err != nil {
			return nil, db.Fault(ctx, err)
		}
		named = append(named, found...)
	}
	return named, nil
}

// Pages iterates over the names that a query finds, in its order, PageSize at a time. args returns the arguments for the page after a
// name, and for the first page after "". Further columns of the last row are scanned into more, where args finds them if the order is
// not by name alone.
func (db *DB) Pages(ctx context.Context, query string, args func(last string) []any, more ...any) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var last string
		columns := append([]any{&last}, more...)
		for whole := true; whole; {
			var page []string
			if err := Each(ctx, db.Read, func(scan func(...any) error) error {
				err := scan(columns...)
				page = append(page, last)
				return err
			}, query, args(last)...); err != nil {
				yield("", db.Fault(ctx, err))
				return
			}
			whole = len(page) == PageSize
			for _, name := range page {
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

// PagesByTime iterates over the names that a query finds with a time before the given one, the oldest first. The parameters of the query
// are the least time, the given time, the time and the name after which the page begins, and the number of rows of a page.
func (db *DB) PagesByTime(ctx context.Context, query string, before time.Time) iter.Seq2[string, error] {
	var at Stamp // of the last name
	return db.Pages(ctx, query, func(last string) []any {
		if last == "" {
			at = Stamp(time.Unix(0, 0)) // before all others
		}
		return []any{at, Stamp(before), at, last, PageSize}
	}, &at)
}

// OfImages finds numbers of images in a table with at most one row for each image: it calls row to scan the ID of an image and these
// numbers. With whole it also calls row for each document whose first page is one of the images, with the sums over its later pages.
// and is a condition on the rows that begins with AND.
func (db *DB) OfImages(ctx context.Context, table, and string, numbers []string, imageIDs []int64, whole bool,
	row func(scan func(...any) error) error) error {
	if len(imageIDs) == 0 {
		return nil
	}
	one := `SELECT image_id, ` + strings.Join(numbers, `, `) + ` FROM ` + table + ` /*! FORCE INDEX (PRIMARY) */ WHERE image_id = ?` + and
	marks, args := In(imageIDs)
	query := one + strings.Repeat(` UNION ALL `+one, len(imageIDs)-1) // of IN, MariaDB would read all of a table that was small
	if whole {
		query += ` UNION ALL SELECT /*! STRAIGHT_JOIN */ page.document, SUM(` + strings.Join(numbers, `), SUM(`) +
			`) FROM image page /*! FORCE INDEX (image_page) */ JOIN ` + table + ` /*! FORCE INDEX (PRIMARY) */ ON ` + table +
			`.image_id = page.id` + and + ` WHERE page.document IN ` + marks + ` GROUP BY page.document`
		args = append(args, args...)
	}
	return db.Fault(ctx, Each(ctx, db.Read, row, query, args...))
}

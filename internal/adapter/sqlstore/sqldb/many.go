package sqldb

import (
	"context"
	"iter"
	"slices"
	"strings"
)

// Limits of what is done at once.
const (
	IDsAtOnce = 5000 // of one statement. SQLite takes 32,766 parameters.
	PageSize  = 1000 // of what is gone through
)

// Named returns the values that the queries find of those that are put at their ends, each once.
func (db *DB) Named(ctx context.Context, values []string, queries ...string) (named []string, err error) {
	for part := range slices.Chunk(values, IDsAtOnce) {
		marks, list := In(part)
		var texts []string
		var args []any
		for _, query := range queries {
			texts, args = append(texts, query+marks), append(args, list...)
		}
		err := Each(ctx, db.Read, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			named = append(named, name)
			return err
		}, strings.Join(texts, ` UNION `), args...)
		if err != nil {
			return nil, db.Fault(ctx, err)
		}
	}
	return named, nil
}

// Pages goes through the names that a query finds, in their order, a page of PageSize at a time. args are those of the page after a name.
func (db *DB) Pages(ctx context.Context, query string, args func(last string) []any) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for last, more := "", true; more; {
			var page []string
			if err := Each(ctx, db.Read, func(scan func(...any) error) error {
				err := scan(&last)
				page = append(page, last)
				return err
			}, query, args(last)...); err != nil {
				yield("", db.Fault(ctx, err))
				return
			}
			more = len(page) == PageSize
			for _, name := range page {
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

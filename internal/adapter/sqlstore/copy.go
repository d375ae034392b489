package sqlstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"glyphbox/internal/adapter/sqlstore/feedstore"
	"glyphbox/internal/adapter/sqlstore/tables"
	"glyphbox/internal/adapter/sqlstore/textindex"
)

// notCopied are tables that each database has of its own. image_suffix follows from table image, and the text index from contents.
var notCopied = slices.Concat([]string{stepsTable, unfinishedTable, suffixTable}, feedstore.Tables, textindex.Tables)

// contentsTable is empty where contents are kept elsewhere.
const contentsTable = "content_revision"

// ours returns the names of the tables that this release makes and that are copied, in their order. Others may be in the same database,
// such as those of the original service. contents says whether contents are among them.
func ours(ctx context.Context, contents bool) (names []string, err error) {
	dir, err := os.MkdirTemp("", "glyphbox-schema-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary in any case
	empty, err := Open(ctx, filepath.Join(dir, "empty.db"))
	if err != nil {
		return nil, err
	}
	names, err = empty.tableNames(ctx)
	names = slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(notCopied, name) || name == contentsTable && !contents
	})
	slices.Sort(names)
	return names, errors.Join(err, empty.Close())
}

// Sync makes the tables of one database equal to those of another; rows that are equal already stay. Both have the schema of this
// release, and nobody else may write to either. contents says whether both have contents, too. It calls done from time to time with the
// number of compared rows of a table. It rebuilds the tables of search at the end; the service builds the text index.
func Sync(ctx context.Context, from, to *DB, contents bool, done func(table string, rows int64)) error {
	names, err := ours(ctx, contents)
	if err != nil {
		return err
	}
	// First, since suffixes of names that are about to change would stay.
	for _, table := range []string{suffixTable, textindex.Announced} {
		if _, err := to.Write.ExecContext(ctx, to.Dialect.Catalogue.Empty+table); err != nil {
			return to.Fault(ctx, err)
		}
	}
	if err := tables.Sync(ctx, from.DB, to.DB, names, done); err != nil {
		return err
	}
	if _, err := to.Index().Clear(ctx); err != nil {
		return err
	}
	return to.indexNames(ctx)
}

// Sums returns checksums of the tables that Sync makes equal, all at one moment.
func (db *DB) Sums(ctx context.Context, contents bool) ([]tables.Sum, error) {
	names, err := ours(ctx, contents)
	if err != nil {
		return nil, err
	}
	return tables.Sums(ctx, db.DB, names)
}

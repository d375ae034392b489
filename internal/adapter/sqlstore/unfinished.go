package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"glyphbox/internal/adapter/sqlstore/sqldb"
)

const (
	stepsTable      = "goose_db_version" // of the schema; made before all others
	unfinishedTable = "unfinished"       // exists while something fills the database, and says what
)

// tableNames returns the names of all tables, in no order.
func (db *DB) tableNames(ctx context.Context) ([]string, error) {
	names, err := sqldb.Column[string](ctx, db.Read, db.Dialect.Catalogue.Tables)
	return names, db.Fault(ctx, err)
}

// Unfinished returns the work that has begun to fill the database and has not ended, or "".
func (db *DB) Unfinished(ctx context.Context) (work string, err error) {
	names, err := db.tableNames(ctx)
	if err != nil || !slices.Contains(names, unfinishedTable) {
		return "", err
	}
	err = db.Read.QueryRowContext(ctx, `SELECT work FROM `+unfinishedTable).Scan(&work)
	return work, db.Fault(ctx, err)
}

// Fill records the work that is going to fill the database, which must be empty. Until Filled only that work can open it.
func (db *DB) Fill(ctx context.Context, work string) error {
	users, err := db.Count(ctx, `SELECT COUNT(*) FROM user`)
	if err != nil {
		return err
	}
	revisions, err := db.Count(ctx, `SELECT COUNT(*) FROM content_revision`)
	if err != nil {
		return err
	}
	if users > 0 || revisions > 0 {
		return fmt.Errorf("the database is not empty: it has %d users and %d revisions of results", users, revisions)
	}
	return db.Note(ctx, work)
}

// Note creates the table of unfinished work together with its content. Until Filled only that work can open the database.
func (db *DB) Note(ctx context.Context, work string) error {
	if strings.Contains(work, `\`) {
		return fmt.Errorf("%q has a backslash, which not every database stores as one", work)
	}
	_, err := db.Write.ExecContext(ctx, `CREATE TABLE `+unfinishedTable+` AS SELECT '`+strings.ReplaceAll(work, `'`, `''`)+`' AS work`)
	return db.Fault(ctx, err)
}

// Filled records that the work is done.
func (db *DB) Filled(ctx context.Context) error {
	_, err := db.Write.ExecContext(ctx, `DROP TABLE `+unfinishedTable)
	return db.Fault(ctx, err)
}

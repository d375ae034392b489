package sqlstore

import (
	"context"
	"fmt"
	"slices"
)

const (
	stepsTable      = "goose_db_version" // of the schema; made before all others
	unfinishedTable = "unfinished"       // is there while something fills the database, and says what
)

// tableNames returns the names of all tables, in no order.
func (db *DB) tableNames(ctx context.Context) (names []string, err error) {
	err = each(ctx, db.read, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	}, db.dialect.tables)
	return names, db.fault(ctx, err)
}

// unfinished returns the work that has begun to fill the database and has not ended; "" where there is none.
func (db *DB) unfinished(ctx context.Context) (work string, err error) {
	names, err := db.tableNames(ctx)
	if err != nil || !slices.Contains(names, unfinishedTable) {
		return "", err
	}
	err = db.read.QueryRowContext(ctx, `SELECT work FROM `+unfinishedTable).Scan(&work)
	return work, db.fault(ctx, err)
}

// fill notes the work that is going to fill the database, which has to be empty or to be noted with the same work.
func (db *DB) fill(ctx context.Context, work string) error {
	begun, err := db.unfinished(ctx)
	switch {
	case err != nil:
		return err
	case begun == work:
		return nil
	case begun != "":
		return fmt.Errorf("%w: %s has been begun in it, which is not %s", ErrUnfinished, begun, work)
	}
	users, err := db.count(ctx, `SELECT COUNT(*) FROM user`)
	if err != nil {
		return err
	}
	contents, err := db.count(ctx, `SELECT COUNT(*) FROM content_revision`)
	if err != nil {
		return err
	}
	if users > 0 || contents > 0 {
		return fmt.Errorf("the database is not empty: it has %d users and %d revisions of contents", users, contents)
	}
	return db.note(ctx, work)
}

// note makes the table of unfinished work with all that it holds, in one statement.
func (db *DB) note(ctx context.Context, work string) error {
	_, err := db.write.ExecContext(ctx, `CREATE TABLE `+unfinishedTable+` AS SELECT CAST(? AS CHAR) AS work`, work)
	return db.fault(ctx, err)
}

// Filled notes that the work is done which OpenToFill was called for.
func (db *DB) Filled(ctx context.Context) error {
	_, err := db.write.ExecContext(ctx, `DROP TABLE `+unfinishedTable)
	return db.fault(ctx, err)
}

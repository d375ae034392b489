// Package sqlstore keeps metadata, and contents as JSON documents, in a relational database. There is one SQL text; what
// databases do differently is data in a dialect. SQLite is the one there is.
//
// Each port has a file of its own. A port's Update reads, calls the closure and writes within one transaction that holds
// the write lock, and no transaction leaves this package. What is written is on the disk when a method returns: every commit is synced.
//
// The schema stands in migrations/<dialect>, numbered and forward only; Open brings the database up to date.
package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"glyphbox/internal/domain/fault"
)

// ErrNewerSchema is the error of Open for a database that a later release of the program has changed.
var ErrNewerSchema = errors.New("the database has the schema of a later release")

//go:embed migrations
var migrations embed.FS

// DB is an open database. Safe for concurrent use.
type DB struct {
	dialect dialect
	write   *sql.DB // one connection where the database wants one writer
	read    *sql.DB // never waits for a writer
}

// Open opens the database, makes it where there is none and brings its schema up to date. source is the path of an
// SQLite file in a folder that is there; a new file can be read by its owner only. ErrNewerSchema.
func Open(ctx context.Context, source string) (*DB, error) {
	if scheme, _, ok := strings.Cut(source, "://"); ok {
		return nil, fmt.Errorf("opening the database: no database of the kind %q is known, only the path of an SQLite file", scheme)
	}
	db, err := openSQLite(source)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", source, err)
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", source, err), db.Close())
	}
	return db, nil
}

func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/"+db.dialect.migrations)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(db.dialect.goose, db.write, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("%w: schema %d, this release knows up to %d. Run the later release, or restore a backup", ErrNewerSchema, have, want)
	}
	_, err = provider.Up(ctx)
	return err
}

// Close waits for what is being done and closes the database.
func (db *DB) Close() error { return errors.Join(db.read.Close(), db.write.Close()) }

// Ping tells whether the database answers. Unavailable.
func (db *DB) Ping(ctx context.Context) error {
	var n int
	return db.fault(ctx, db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM role`).Scan(&n))
}

// attempts bounds how often a transaction is tried that lost to another one. Of those that meet one gets through each time.
const attempts = 50

// errLostRace marks the failure of a transaction that may well succeed when it is tried again.
var errLostRace = errors.New("lost to another transaction")

// update runs do in a transaction that excludes other writers of what it reads, again where it lost to another one.
func (db *DB) update(ctx context.Context, do func(tx *sql.Tx) error) error {
	var err error
	for range attempts {
		if err = db.once(ctx, do); !errors.Is(err, errLostRace) && db.dialect.classify(err) != deadlock {
			return db.fault(ctx, err)
		}
	}
	return errAway.Because(err)
}

func (db *DB) once(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exec runs one statement as a transaction of its own and returns how many rows it concerned.
func (db *DB) exec(ctx context.Context, text string, args ...any) (int, error) {
	result, err := db.write.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, db.fault(ctx, err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// count runs a query for one number outside any transaction.
func (db *DB) count(ctx context.Context, text string, args ...any) (n int, err error) {
	err = db.read.QueryRowContext(ctx, text, args...).Scan(&n)
	return n, db.fault(ctx, err)
}

// querier is where to read: a pool of connections or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each calls row for each row of a query.
func each(ctx context.Context, q querier, row func(scan func(...any) error) error, text string, args ...any) error {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close() // Err tells what goes wrong
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

var errAway = fault.New(fault.Unavailable, "database_unavailable", "The database does not answer at the moment.").After(5 * time.Second)

// fault gives a failure of the database itself its kind. All other errors stay as they are.
func (db *DB) fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	class := db.dialect.classify(err)
	if gone := ctx.Err(); gone != nil && (class == interrupted || errors.Is(err, sql.ErrTxDone)) {
		return gone
	}
	if _, ok := errors.AsType[*fault.Fault](err); !ok && (class == away || class == interrupted) {
		return errAway.Because(err)
	}
	return err
}

func (db *DB) is(err error, c class) bool { return err != nil && db.dialect.classify(err) == c }

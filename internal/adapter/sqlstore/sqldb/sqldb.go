// Package sqldb connects to an SQLite file, or to MariaDB 10.11 and later. It has pools of connections, transactions with retries,
// classes of errors, and column types. One SQL text serves both databases; a Dialect describes their differences.
//
// Hints for MariaDB's optimizer are in /*! */, which SQLite takes for a comment.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"glyphbox/internal/domain/fault"
)

// DB is an open database. Safe for concurrent use.
type DB struct {
	Dialect   Dialect
	Write     *sql.DB // one connection where the database wants one writer
	Read      *sql.DB // never waits for a writer
	Migrating *sql.DB // nil: Write
}

// Connect opens a database and does not change its schema. name is its address without user and password, for messages.
func Connect(source string) (db *DB, name string, err error) {
	scheme, _, isAddress := strings.Cut(source, "://")
	switch {
	case !isAddress:
		name = source
		db, err = openSQLite(source)
	case scheme == "mariadb":
		name = PublicName(source)
		if db, err = openMariaDB(source); err != nil {
			name = "mariadb" // what follows may be a part of a password
		}
	default:
		return nil, "", fmt.Errorf("opening the database: no database of the kind %q is known, only mariadb:// and the path of an "+
			"SQLite file", scheme)
	}
	if err != nil {
		return nil, "", fmt.Errorf("opening the database %s: %w", name, err)
	}
	return db, name, nil
}

// PublicName returns an address of a database server, as CheckAddress accepts it, without user, password and parameters.
func PublicName(address string) string {
	name, _, _ := strings.Cut("mariadb://"+address[strings.LastIndex(address, "@")+1:], "?")
	return name
}

// Close waits for running operations and closes the database.
func (db *DB) Close() error {
	err := errors.Join(db.Read.Close(), db.Write.Close())
	if db.Migrating != nil {
		err = errors.Join(err, db.Migrating.Close())
	}
	return err
}

// Ping returns nil if the database answers. Unavailable.
func (db *DB) Ping(ctx context.Context) error {
	var n int
	return db.Fault(ctx, db.Read.QueryRowContext(ctx, `SELECT COUNT(*) FROM role`).Scan(&n))
}

const (
	// reconnects is how often a transaction is tried again after its connection broke before it was told to commit.
	reconnects = 2
	// patience is how long a transaction is retried.
	patience = 3 * time.Second
	// The pause before a transaction is tried again doubles from firstPause to lastPause. A random part of it keeps transactions that met
	// from meeting again.
	firstPause = 5 * time.Millisecond
	lastPause  = 200 * time.Millisecond
)

// commitError is the failure of a commit. If the connection broke, nobody knows whether the commit was done, so it is not retried.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// Update runs do in a transaction that excludes other writers of the rows it locks. It runs do again if the transaction lost to another
// one, or lost its connection before the commit. Unavailable.
func (db *DB) Update(ctx context.Context, do func(tx *sql.Tx) error) error {
	start, broken := time.Now(), 0
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := db.once(ctx, do)
		_, committing := errors.AsType[commitError](err)
		switch class := db.Dialect.classify(err); {
		case ctx.Err() != nil:
			return db.Fault(ctx, err)
		case class == Deadlock:
		case class == Lost && !committing && broken < reconnects:
			broken++
		default:
			return db.Fault(ctx, err)
		}
		wait := pause/2 + rand.N(pause/2)
		if time.Since(start)+wait > patience {
			return errAway.Because(err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (db *DB) once(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := db.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return commitError{err}
	}
	return nil
}

// Exec runs one statement in its own transaction and returns the number of matched rows.
func (db *DB) Exec(ctx context.Context, text string, args ...any) (n int, err error) {
	err = db.Update(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return err
		}
		rows, err := result.RowsAffected()
		n = int(rows)
		return err
	})
	return n, err
}

// Count runs a query that returns one number, outside any transaction.
func (db *DB) Count(ctx context.Context, text string, args ...any) (n int, err error) {
	err = db.Read.QueryRowContext(ctx, text, args...).Scan(&n)
	return n, db.Fault(ctx, err)
}

// Querier is a pool of connections or a transaction to read from.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Column returns the values of a query that has one column.
func Column[T any](ctx context.Context, q Querier, text string, args ...any) ([]T, error) {
	return All(ctx, q, func(scan func(...any) error) (v T, err error) {
		err = scan(&v)
		return v, err
	}, text, args...)
}

// All returns what row makes of each row of a query.
func All[T any](ctx context.Context, q Querier, row func(scan func(...any) error) (T, error), text string, args ...any) ([]T, error) {
	var all []T
	err := Each(ctx, q, func(scan func(...any) error) error {
		v, err := row(scan)
		all = append(all, v)
		return err
	}, text, args...)
	return all, err
}

// Each calls row for each row of a query.
func Each(ctx context.Context, q Querier, row func(scan func(...any) error) error, text string, args ...any) error {
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

// Fault turns a failure of the database itself into a fault. It returns all other errors unchanged.
func (db *DB) Fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	class := db.Dialect.classify(err)
	if gone := ctx.Err(); gone != nil && (class == Interrupted || class == Lost || errors.Is(err, sql.ErrTxDone)) {
		return gone
	}
	if _, ok := errors.AsType[*fault.Fault](err); !ok && (class == Away || class == Lost || class == Deadlock || class == Interrupted) {
		return errAway.Because(err)
	}
	return err
}

// Is reports whether err is an error of the class.
func (db *DB) Is(err error, c Class) bool { return err != nil && db.Dialect.classify(err) == c }

// OrphanOf turns the error of a reference to a missing row into the given fault.
func (db *DB) OrphanOf(err error, missing *fault.Fault) error {
	if db.Is(err, Orphan) {
		return missing.Because(err)
	}
	return err
}

// Package sqlstore keeps metadata, and contents as JSON documents, in a relational database. There is one SQL text; what
// databases do differently is data in a dialect: SQLite, in a file, and MariaDB 10.11 and later, where several nodes share it.
//
// Each port has a file of its own. A port's Update reads, calls the closure and writes within one transaction that holds
// the row or all of the database, and no transaction leaves this package. What is written is on the disk when a method returns: every commit is synced.
//
// The schema stands in migrations/<dialect>, numbered and forward only; Open brings the database up to date.
package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"glyphbox/internal/domain/fault"
)

// ErrNewerSchema is the error of Open for a database that a later release of the program has changed.
var ErrNewerSchema = errors.New("the database has the schema of a later release")

// ErrForeign is the error of Open for a database that has users, but not in a schema of ours.
var ErrForeign = errors.New("the database has a table of users that another program has made. If that is the original service, glyphbox migrate import takes them over")

// ErrUnfinished is the error of Open for a database that something has begun to fill and not finished.
var ErrUnfinished = errors.New("the database is not complete")

//go:embed migrations
var migrations embed.FS

// DB is an open database. Safe for concurrent use.
type DB struct {
	dialect   dialect
	write     *sql.DB // one connection where the database wants one writer
	read      *sql.DB // never waits for a writer
	migrating *sql.DB // nil: write
}

// Open opens the database and brings its schema up to date. source is an address mariadb://user:password@host:port/name of a database that
// is there, or the path of an SQLite file in a folder that is there; a new file is made, which can be read by its owner only.
// ErrNewerSchema, ErrForeign, ErrUnfinished.
func Open(ctx context.Context, source string) (*DB, error) {
	return openChecked(ctx, source, func(db *DB) error {
		work, err := db.Unfinished(ctx)
		if err == nil && work != "" {
			err = fmt.Errorf("%w: %s has not been finished. Run that again", ErrUnfinished, work)
		}
		return err
	})
}

// OpenToFill is Open without ErrUnfinished, for the work that fills the database; see Fill.
func OpenToFill(ctx context.Context, source string) (*DB, error) {
	return openChecked(ctx, source, func(*DB) error { return nil })
}

// openChecked opens a database, brings its schema up to date and has it checked.
func openChecked(ctx context.Context, source string, check func(*DB) error) (*DB, error) {
	db, name, err := connect(source)
	if err != nil {
		return nil, err
	}
	if err = db.migrate(ctx); err == nil {
		err = check(db)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", name, err), db.Close())
	}
	return db, nil
}

// connect returns the database as it is, and how to name it where anybody may read.
func connect(source string) (db *DB, name string, err error) {
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
		return nil, "", fmt.Errorf("opening the database: no database of the kind %q is known, only mariadb:// and the path of an SQLite file", scheme)
	}
	if err != nil {
		return nil, "", fmt.Errorf("opening the database %s: %w", name, err)
	}
	return db, name, nil
}

// PublicName returns an address of a database server, as CheckAddress understands it, without user, password and parameters.
func PublicName(address string) string {
	name, _, _ := strings.Cut("mariadb://"+address[strings.LastIndex(address, "@")+1:], "?")
	return name
}

// Migration is a step of the schema.
type Migration struct {
	Version int64
	Name    string    // of its file
	Applied time.Time // zero: not yet
}

// Migrations returns the steps that this release knows and changes nothing but the table of steps, which it makes where there is none. ErrNewerSchema, ErrForeign.
func Migrations(ctx context.Context, source string) (steps []Migration, err error) {
	if !strings.Contains(source, "://") {
		if _, err := os.Stat(source); err != nil {
			return nil, fmt.Errorf("there is no database yet: %w", err)
		}
	}
	db, name, err := connect(source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	unlock, provider, err := db.provider(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	status, err := provider.Status(ctx)
	for _, s := range status {
		steps = append(steps, Migration{Version: s.Source.Version, Name: path.Base(s.Source.Path), Applied: s.AppliedAt})
	}
	return steps, err
}

// provider returns what knows of migrations, while no other node migrates. ErrNewerSchema, ErrForeign.
func (db *DB) provider(ctx context.Context) (unlock func() error, _ *goose.Provider, err error) {
	files, err := fs.Sub(migrations, "migrations/"+db.dialect.migrations)
	if err != nil {
		return nil, nil, err
	}
	pool := cmp.Or(db.migrating, db.write)
	provider, err := goose.NewProvider(db.dialect.goose, pool, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, nil, err
	}
	if unlock, err = db.dialect.lock(ctx, pool); err != nil {
		return nil, nil, db.fault(ctx, err)
	}
	names, err := db.tableNames(ctx)
	if err == nil && slices.Contains(names, "user") && !slices.Contains(names, stepsTable) {
		err = ErrForeign
	}
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	have, want, err := provider.GetVersions(ctx) // which makes the table of steps
	if err == nil && have > want {
		err = fmt.Errorf("%w: schema %d, this release knows up to %d. Run the later release, or restore a backup", ErrNewerSchema, have, want)
	}
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return unlock, provider, nil
}

func (db *DB) migrate(ctx context.Context) error {
	unlock, provider, err := db.provider(ctx)
	if err != nil {
		return err
	}
	if _, err = provider.Up(ctx); err == nil {
		err = db.indexOlderNames(ctx)
	}
	return errors.Join(err, unlock())
}

// Close waits for what is being done and closes the database.
func (db *DB) Close() error {
	err := errors.Join(db.read.Close(), db.write.Close())
	if db.migrating != nil {
		err = errors.Join(err, db.migrating.Close())
	}
	return err
}

// Ping tells whether the database answers. Unavailable.
func (db *DB) Ping(ctx context.Context) error {
	var n int
	return db.fault(ctx, db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM role`).Scan(&n))
}

const (
	// attempts bounds how often a transaction is tried that lost to another one. Of those that meet one gets through each time.
	attempts = 50
	// reconnects bounds how often a transaction is tried whose connection broke before it was told to commit.
	reconnects = 2
	// patience bounds for how long a transaction is tried again.
	patience = 3 * time.Second
)

// errLostRace marks the failure of a transaction that may well succeed when it is tried again.
var errLostRace = errors.New("lost to another transaction")

// commitError is the failure of a commit. Where the connection broke nobody knows whether it was done, so it is not tried again.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// update runs do in a transaction that excludes other writers of what it locks, again where that can help and do no harm.
func (db *DB) update(ctx context.Context, do func(tx *sql.Tx) error) error {
	var err error
	start, broken := time.Now(), 0
	for range attempts {
		err = db.once(ctx, do)
		_, committing := errors.AsType[commitError](err)
		switch class := db.dialect.classify(err); {
		case ctx.Err() != nil:
			return db.fault(ctx, err)
		case errors.Is(err, errLostRace), class == deadlock:
		case class == lost && !committing && broken < reconnects:
			broken++
		default:
			return db.fault(ctx, err)
		}
		if time.Since(start) > patience {
			break
		}
	}
	return errAway.Because(err)
}

func (db *DB) once(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, &sql.TxOptions{Isolation: db.dialect.isolation})
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

// exec runs one statement as a transaction of its own and returns how many rows it concerned.
func (db *DB) exec(ctx context.Context, text string, args ...any) (n int, err error) {
	err = db.update(ctx, func(tx *sql.Tx) error {
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

// named returns the values that the queries find of those that are put at their ends, each once.
func (db *DB) named(ctx context.Context, values []string, queries ...string) (named []string, err error) {
	for part := range slices.Chunk(values, idsAtOnce) {
		marks, list := in(part)
		var texts []string
		var args []any
		for _, query := range queries {
			texts, args = append(texts, query+marks), append(args, list...)
		}
		err := each(ctx, db.read, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			named = append(named, name)
			return err
		}, strings.Join(texts, ` UNION `), args...)
		if err != nil {
			return nil, db.fault(ctx, err)
		}
	}
	return named, nil
}

var errAway = fault.New(fault.Unavailable, "database_unavailable", "The database does not answer at the moment.").After(5 * time.Second)

// fault gives a failure of the database itself its kind. All other errors stay as they are.
func (db *DB) fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	class := db.dialect.classify(err)
	if gone := ctx.Err(); gone != nil && (class == interrupted || class == lost || errors.Is(err, sql.ErrTxDone)) {
		return gone
	}
	if _, ok := errors.AsType[*fault.Fault](err); !ok && (class == away || class == lost || class == deadlock || class == interrupted) {
		return errAway.Because(err)
	}
	return err
}

func (db *DB) is(err error, c class) bool { return err != nil && db.dialect.classify(err) == c }

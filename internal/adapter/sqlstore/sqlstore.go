// Package sqlstore keeps metadata, and contents as JSON documents, in a relational database: SQLite, in a file, or MariaDB 10.11 and
// later, which several nodes can share. One SQL text serves both; a dialect describes their differences.
//
// Each port has its own file. Update of a port reads, calls the closure and writes within one transaction that locks the row or the
// whole database, and no transaction leaves this package. When a method returns, its writes are on the disk: every commit is synced.
//
// The schema is in migrations/<dialect>, numbered and forward only; Open updates the database.
package sqlstore

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/accountstore"
	"glyphbox/internal/adapter/sqlstore/contentstore"
	"glyphbox/internal/adapter/sqlstore/feedstore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/adapter/sqlstore/textindex"

	"github.com/pressly/goose/v3"
)

// ErrNewerSchema is the error of Open for a database that a later release of the program has changed.
var ErrNewerSchema = errors.New("the database has the schema of a later release")

// ErrForeign is the error of Open for a database with users whose schema is not that of Glyphbox.
var ErrForeign = errors.New("the database has a table of users that another program has made. If that is the original service, glyphbox " +
	"migrate import takes them over")

// ErrUnfinished is the error of Open for a database that has been filled only in part.
var ErrUnfinished = errors.New("the database is not complete")

//go:embed migrations
var migrations embed.FS

// DB is an open database with its stores. Safe for concurrent use.
type DB struct{ *sqldb.DB }

// Open opens the database and updates its schema. source is the address mariadb://user:password@host:port/name of an existing database,
// or the path of an SQLite file in an existing folder; a new file is readable only by its owner. ErrNewerSchema, ErrForeign,
// ErrUnfinished.
func Open(ctx context.Context, source string) (*DB, error) {
	return openChecked(ctx, source, func(db *DB) error {
		work, err := db.Unfinished(ctx)
		if err == nil && work != "" {
			err = fmt.Errorf("%w: %s has not been finished. Run that again", ErrUnfinished, work)
		}
		return err
	})
}

// Users returns the users in the database.
func (db *DB) Users() *accountstore.Users { return accountstore.NewUsers(db.DB) }

// Sessions returns the sessions in the database.
func (db *DB) Sessions() *accountstore.Sessions { return accountstore.NewSessions(db.DB) }

// Keys returns the API keys in the database.
func (db *DB) Keys() *accountstore.Keys { return accountstore.NewKeys(db.DB) }

// Settings returns the settings of users in the database.
func (db *DB) Settings() *accountstore.Settings { return accountstore.NewSettings(db.DB) }

// Feed returns the events of images in the database.
func (db *DB) Feed() *feedstore.Store { return feedstore.New(db.DB) }

// Contents returns the contents in the database.
func (db *DB) Contents() *contentstore.Contents { return contentstore.New(db.DB) }

// Index returns the text index in the database.
func (db *DB) Index() *textindex.Index { return textindex.New(db.DB) }

// ErrNone is the error of OpenExisting if there is no database of Glyphbox.
var ErrNone = errors.New("there is no database of Glyphbox")

// OpenExisting is like Open for a database that a service has created; it creates none. ErrNone.
func OpenExisting(ctx context.Context, source string) (*DB, error) {
	if !strings.Contains(source, "://") {
		if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("opening the database %s: %w", source, ErrNone)
		}
	}
	db, name, err := connect(source)
	if err != nil {
		return nil, err
	}
	names, err := db.tableNames(ctx)
	if err == nil && !slices.Contains(names, stepsTable) {
		err = ErrNone
		if slices.Contains(names, "user") {
			err = ErrForeign
		}
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", name, err)
	}
	return Open(ctx, source)
}

// OpenToFill is like Open without ErrUnfinished, for the work that fills the database; see Fill.
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

// connect returns the database as it is, and a name for it without passwords.
func connect(source string) (*DB, string, error) {
	db, name, err := sqldb.Connect(source)
	return &DB{db}, name, err
}

// Migration is a step of the schema.
type Migration struct {
	Version int64
	Name    string    // of its file
	Applied time.Time // zero: not yet
}

// Migrations returns the steps that this release knows. It changes nothing, except that it creates the table of steps if it is missing.
// ErrNewerSchema, ErrForeign.
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
	files, err := fs.Sub(migrations, "migrations/"+db.Dialect.Migrations)
	if err != nil {
		return nil, nil, err
	}
	pool := cmp.Or(db.Migrating, db.Write)
	provider, err := goose.NewProvider(db.Dialect.Goose, pool, files, goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, nil, err
	}
	if unlock, err = db.Dialect.Lock(ctx, pool); err != nil {
		return nil, nil, db.Fault(ctx, err)
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
		err = fmt.Errorf("%w: schema %d, this release knows up to %d. Run the later release, or restore a backup", ErrNewerSchema, have,
			want)
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
	if err == nil {
		err = db.keyOlderNames(ctx)
	}
	return errors.Join(err, unlock())
}

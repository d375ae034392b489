package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var sqlite = dialect{
	goose:      goose.DialectSQLite3,
	migrations: "sqlite",
	forUpdate:  "", // a transaction that writes has the database to itself
	nameKey:    "name",
	suffixes:   3,
	lock:       func(context.Context, *sql.DB) (func() error, error) { return func() error { return nil }, nil }, // one node works on a file
	classify: func(err error) class {
		e, ok := errors.AsType[*sqlitedriver.Error](err)
		if !ok {
			return other
		}
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return duplicate
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return orphan
		}
		switch e.Code() & 0xff { // the primary code
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return away
		case sqlite3.SQLITE_INTERRUPT:
			return interrupted
		}
		return other
	},
	catalogue: catalogue{
		tables:     `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'`,
		columns:    `SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden = 0`,
		empty:      `DELETE FROM `,
		references: func(checked bool) string { return fmt.Sprintf(`PRAGMA foreign_keys = %t`, checked) },
		lastID:     `SELECT seq FROM sqlite_sequence WHERE name = ?`,
		setLastID: func(table string, id int64) []string {
			return []string{fmt.Sprintf(`DELETE FROM sqlite_sequence WHERE name = '%s'`, table), fmt.Sprintf(`INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d)`, table, id)}
		},
	},
}

// maxReaders is how many connections read at once.
const maxReaders = 8

// openSQLite opens a file with a write-ahead log, so that readers and the one writer do not wait for each other, and with a
// sync of the log at every commit (FULL), so that what was committed survives the loss of power.
func openSQLite(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	pragmas := []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}
	open := func(params url.Values, connections int) (*sql.DB, error) {
		name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: params.Encode()}
		pool, err := sql.Open("sqlite", name.String())
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(connections)
		pool.SetMaxIdleConns(connections)
		return pool, nil
	}
	write, err := open(url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}, 1)
	if err != nil {
		return nil, err
	}
	read, err := open(url.Values{"_pragma": append(pragmas, "query_only(1)")}, maxReaders)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &DB{dialect: sqlite, write: write, read: read}, nil
}

// create makes an empty file that only its owner may read, where there is none. The log and the other files that SQLite puts
// beside it get the same mode.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close()) // so that the name survives a loss of power, too
}

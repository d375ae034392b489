package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"glyphbox/internal/durable"

	"github.com/pressly/goose/v3"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var sqlite = Dialect{
	Goose:      goose.DialectSQLite3,
	Migrations: "sqlite",
	ForUpdate:  "", // a transaction that writes has the database to itself
	NameKey:    "name",
	Suffixes:   3,
	AppendIDs:  ` ON CONFLICT (block, term) DO UPDATE SET ids = CAST(ids || excluded.ids AS BLOB)`,
	// one node works on a file
	Lock: func(context.Context, *sql.DB) (func() error, error) { return func() error { return nil }, nil },
	classify: func(err error) Class {
		e, ok := errors.AsType[*sqlitedriver.Error](err)
		if !ok {
			return Other
		}
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return Duplicate
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return Orphan
		}
		switch e.Code() & 0xff { // the primary code
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_READONLY:
			return Away
		case sqlite3.SQLITE_INTERRUPT:
			return Interrupted
		}
		return Other
	},
	Catalogue: Catalogue{
		Tables:     `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'`,
		Columns:    `SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden = 0`,
		Empty:      `DELETE FROM `,
		References: func(checked bool) string { return fmt.Sprintf(`PRAGMA foreign_keys = %t`, checked) },
		LastID:     `SELECT seq FROM sqlite_sequence WHERE name = ?`,
		SetLastID: func(table string, id int64) []string {
			return []string{fmt.Sprintf(`DELETE FROM sqlite_sequence WHERE name = '%s'`, table),
				fmt.Sprintf(`INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d)`, table, id)}
		},
	},
}

// MaxReaders is the number of connections that read concurrently.
const MaxReaders = 8

// openSQLite opens a file with a write-ahead log, so that readers and the one writer do not wait for each other, and with a
// sync of the log at every commit (FULL), so that what was committed survives the loss of power.
func openSQLite(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := Create(path); err != nil {
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
	read, err := open(url.Values{"_pragma": append(pragmas, "query_only(1)")}, MaxReaders)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &DB{Dialect: sqlite, Write: write, Read: read}, nil
}

// Create creates an empty file that only its owner can read, unless the file exists. SQLite gives the files beside it the same mode.
func Create(path string) error {
	err := durable.Fill(path, strings.NewReader(""))
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

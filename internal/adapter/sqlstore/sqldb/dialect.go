package sqldb

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// Dialect describes the differences between databases.
type Dialect struct {
	Goose      goose.Dialect
	Migrations string // folder below migrations
	// ends a SELECT of a row that the transaction is going to change
	ForUpdate string
	// column by which users are found by name, given in small ASCII letters
	NameKey string
	// how many suffixes are as fast to read as one image
	Suffixes float64
	// ends an INSERT of rows of text_posting, whose ids are put at the end of those that are there
	AppendIDs string
	classify  func(err error) Class                                                    // by the number of the driver's error
	Lock      func(ctx context.Context, pool *sql.DB) (unlock func() error, err error) // until then no other node migrates

	Catalogue Catalogue // of its tables
}

// Class is the meaning of an error of the database. All other errors are Other.
type Class uint8

// The classes of errors.
const (
	Other       Class = iota
	Duplicate         // a unique key is taken
	Orphan            // a row that is referred to is not there
	Deadlock          // this transaction was the one to give way
	Away              // busy, disk full, broken or out of reach
	Lost              // the connection broke, so that a transaction is undone unless it was told to commit
	Interrupted       // stopped because the context ended
)

// Catalogue describes how to list tables in a database, and how to read and write whole tables.
type Catalogue struct {
	Tables string // query for the names of all
	// query for the columns of one that are not made by the database: name, type, place in the primary key or 0
	Columns    string
	Isolation  sql.IsolationLevel                    // of what reads several as they are at one moment
	References func(checked bool) string             // statement that has a connection check what rows refer to, or not
	LastID     string                                // query for the last number that one has given
	SetLastID  func(table string, id int64) []string // statements that set it
	Empty      string                                // begins a statement that removes all rows of one at once
}

package sqlstore

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// dialect is what a database does in a way of its own.
type dialect struct {
	goose      goose.Dialect
	migrations string                                                                   // folder below migrations
	forUpdate  string                                                                   // ends a SELECT of a row that the transaction is going to change
	nameKey    string                                                                   // column by which users are found by name, given in small ASCII letters
	suffixes   float64                                                                  // how many suffixes are looked at, for each image that could be looked through instead
	isolation  sql.IsolationLevel                                                       // of what writes
	classify   func(err error) class                                                    // by the number of the driver's error
	lock       func(ctx context.Context, pool *sql.DB) (unlock func() error, err error) // until then no other node migrates

	catalogue catalogue // of its tables
}

// class is what a failure of the database means for the caller. Any error that is not the database's is other.
type class uint8

const (
	other       class = iota
	duplicate         // a unique key is taken
	orphan            // a row that is referred to is not there
	deadlock          // this transaction was the one to give way
	away              // busy, disk full, broken or out of reach
	lost              // the connection broke, so that a transaction is undone unless it was told to commit
	interrupted       // stopped because the context ended
)

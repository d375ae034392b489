package sqlstore

import (
	"github.com/pressly/goose/v3"
)

// dialect is what a database does in a way of its own.
type dialect struct {
	goose      goose.Dialect
	migrations string                // folder below migrations
	forUpdate  string                // ends a SELECT of a row that the transaction is going to change
	classify   func(err error) class // by the number of the driver's error
}

// class is what a failure of the database means for the caller. Any error that is not the database's is other.
type class uint8

const (
	other       class = iota
	duplicate         // a unique key is taken
	orphan            // a row that is referred to is not there
	deadlock          // this transaction was the one to give way
	away              // busy, disk full or broken
	interrupted       // stopped because the context ended
)

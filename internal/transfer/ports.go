// Package transfer copies what a service keeps from one place to another, and makes and restores backups. It declares the ports
// that this needs beside those of the domain.
package transfer

import (
	"context"
	"io"
	"iter"

	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Blobs is document.Blobs of a store that blobs are moved to.
type Blobs interface {
	document.Blobs

	// PutAs is Put under a name that the blob has in another store. One that is here under that name is replaced.
	PutAs(ctx context.Context, name string, r io.Reader) error
}

// Contents is recognition.Contents of a store that contents are moved from or to.
type Contents interface {
	recognition.Contents

	// History returns all revisions of contents, by ID and revision. What is not there is left out.
	History(ctx context.Context, ids []string) ([]recognition.Content, error)

	// PutHistory stores all revisions of contents as they are, in the place of those that are there.
	PutHistory(ctx context.Context, history []recognition.Content) error
}

// Database is a database that rows are moved to. Until Filled, no service starts on it.
type Database interface {
	// Unfinished returns the work that has begun to fill the database and has not ended; "" where there is none.
	Unfinished(ctx context.Context) (work string, err error)

	// Fill notes the work that is going to fill the database, which has to be empty.
	Fill(ctx context.Context, work string) error

	// Filled notes that the work is done.
	Filled(ctx context.Context) error
}

// Rows is the rows of two databases.
type Rows interface {
	// Sync makes the rows of the second those of the first. done is called after each table.
	Sync(ctx context.Context, contents bool, done func(table string, rows int64)) error

	// Differences returns the tables whose rows differ, and how many tables and rows the first has.
	Differences(ctx context.Context, contents bool) (differ []string, tables int, rows int64, err error)
}

// Side is what one of two services keeps.
type Side struct {
	Catalog  document.Catalog
	Runs     recognition.Runs
	Blobs    Blobs
	Contents Contents
}

// Files is what data directories keep in files.
type Files interface {
	// Backup copies a database as it is at one moment to a new file, durably, also while others work on it. keep is called with
	// the images in it, once or several times, the last time with those of that moment; it returns how many were new to it.
	Backup(ctx context.Context, source, target string, keep func(images iter.Seq2[document.Image, error]) (new int, err error)) error

	// CopyDatabase copies a database that nobody works on to a new file, durably.
	CopyDatabase(from, to string) error

	// CheckDatabase returns an error where a database that nobody works on is damaged, and calls image for each image in it.
	CheckDatabase(ctx context.Context, path string, image func(document.Image) error) error

	// OpenBlobs opens a store of blobs, and makes it where it is missing.
	OpenBlobs(dir string) (BlobFiles, error)

	// CopyKeys copies the files of keys, where there are any.
	CopyKeys(from, to datadir.Dir) error
}

// BlobFiles is a store of blobs in files.
type BlobFiles interface {
	Blobs

	// Share puts a blob into another such store, as a hard link where the file system allows that. NotFound.
	Share(ctx context.Context, name string, to BlobFiles) error

	// Sync makes durable what was shared with this store.
	Sync() error
}

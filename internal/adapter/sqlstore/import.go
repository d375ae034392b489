package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"glyphbox/internal/adapter/sqlstore/accountstore"
	"glyphbox/internal/adapter/sqlstore/tables"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// OpenAsIs is like Open for a database of another program: it changes nothing. See Migrate.
func OpenAsIs(source string) (*DB, error) {
	db, _, err := connect(source)
	return db, err
}

// Migrate updates the schema. ErrNewerSchema, ErrForeign.
func (db *DB) Migrate(ctx context.Context) error { return db.migrate(ctx) }

// SQL returns connections that never wait for a writer. They end with the database.
func (db *DB) SQL() *sql.DB { return db.Read }

// Rename gives a table another name.
func (db *DB) Rename(ctx context.Context, table, name string) error {
	_, err := db.Migrating.ExecContext(ctx, `RENAME TABLE `+table+` TO `+name)
	return db.Fault(ctx, err)
}

// AddUsers stores users under their existing IDs, with their states, in one step.
func (db *DB) AddUsers(ctx context.Context, users []account.User) error {
	return db.Update(ctx, func(tx *sql.Tx) error {
		for _, u := range users {
			if _, err := accountstore.Insert(ctx, tx, u); err != nil {
				return fmt.Errorf("user %d: %w", u.ID, err)
			}
		}
		return nil
	})
}

// AddImage stores an image under its existing ID, with its runs, in one step. The runs get the versions 1, 2, 3 …
func (db *DB) AddImage(ctx context.Context, i document.Image, runs []recognition.Run) error {
	return db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := insertImage(ctx, tx, i); err != nil {
			return err
		}
		if err := db.Index().Later(ctx, tx, i.ID); err != nil {
			return err
		}
		for _, r := range runs {
			r.ImageID = i.ID
			if _, err := db.Runs().append(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// KeepIDs makes sure that a table does not reuse an ID that another table has given.
func (db *DB) KeepIDs(ctx context.Context, table, other string) error {
	conn, err := db.Migrating.Conn(ctx)
	if err != nil {
		return db.Fault(ctx, err)
	}
	defer conn.Close() // back to the pool
	last, err := tables.LastID(ctx, db.DB, conn, other)
	if err == nil {
		err = tables.SetLastID(ctx, db.DB, conn, table, last)
	}
	return db.Fault(ctx, err)
}

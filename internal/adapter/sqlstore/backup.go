package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"strings"

	sqlitedriver "modernc.org/sqlite"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/durable"
)

const (
	passes = 10 // while others can write, at most
	fewNew = 5  // so few new images are saved while nobody can write
)

// Backup copies an SQLite database, as it is at one moment, to a new file, durably. Others may use the database meanwhile.
//
// It calls keep with all images; keep saves the blobs that they refer to, and returns the number of images that needed it. This is
// repeated until few images are new. The last call happens at the moment of the copy, while nobody can write. Rows are deleted before
// blobs, so the blobs of these images still exist.
func Backup(ctx context.Context, source, target string, keep func(images iter.Seq2[document.Image,
	error]) (new int, err error)) (err error) {
	db, name, err := connect(source)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("copying the database %s: %w", name, db.Fault(ctx, err))
		}
		err = errors.Join(err, db.Close())
	}()
	for range passes {
		n, err := keep(allImages(ctx, db.Read))
		if err != nil {
			return err
		}
		if n <= fewNew {
			break
		}
	}
	reader, err := db.Read.Conn(ctx)
	if err != nil {
		return err
	}
	defer reader.Close() // the moment ends with it
	if err := db.moment(ctx, reader, keep); err != nil {
		return err
	}
	defer reader.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`) //nolint:errcheck // it has written nothing
	if err := sqldb.Create(target); err != nil {
		return err
	}
	return errors.Join(copyBlocks(ctx, reader, target), durable.SyncFile(target))
}

// moment begins a transaction that reads, and calls keep before anybody can write again.
func (db *DB) moment(ctx context.Context, reader *sql.Conn, keep func(iter.Seq2[document.Image, error]) (int, error)) error {
	writer, err := db.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer writer.Rollback() // others go on
	if _, err := reader.ExecContext(ctx, `BEGIN`); err != nil {
		return err
	}
	if _, err = keep(allImages(ctx, reader)); err != nil { // the first read is the moment
		_, rollbackErr := reader.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		err = errors.Join(err, rollbackErr)
	}
	return err
}

// blocksAtOnce is how many blocks of a database are copied between two looks at the context.
const blocksAtOnce = 10_000

// copyBlocks copies the database as the connection sees it.
func copyBlocks(ctx context.Context, from *sql.Conn, target string) error {
	return from.Raw(func(conn any) error {
		b, err := conn.(interface {
			NewBackup(string) (*sqlitedriver.Backup, error)
		}).NewBackup((&url.URL{Scheme: "file", OmitHost: true, Path: target}).String())
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if more, err = b.Step(blocksAtOnce); err == nil {
				err = ctx.Err()
			}
		}
		return errors.Join(err, b.Finish())
	})
}

// allImages goes through all images by number.
func allImages(ctx context.Context, q sqldb.Querier) iter.Seq2[document.Image, error] {
	return func(yield func(document.Image, error) bool) {
		errEnough := errors.New("no more is wanted")
		err := sqldb.Each(ctx, q, func(scan func(...any) error) error {
			i, err := scanImage(scan)
			if err == nil && !yield(i, nil) {
				err = errEnough
			}
			return err
		}, `SELECT `+imageColumns+` FROM image i JOIN user ON user.id = i.user_id ORDER BY i.id`)
		if err != nil && !errors.Is(err, errEnough) {
			yield(document.Image{}, err)
		}
	}
}

// CheckFile checks an SQLite file that is not open elsewhere, and calls image for each image in it. It changes nothing.
func CheckFile(ctx context.Context, path string, image func(document.Image) error) (err error) {
	params := url.Values{"mode": {"ro"}, "immutable": {"1"}}
	if _, err := os.Stat(path + walSuffix); err == nil { // some of it stands there
		params.Del("immutable")
	} else if _, err := os.Stat(path); err != nil {
		return err
	}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: params.Encode()}).String())
	if err != nil {
		return err
	}
	defer pool.Close() // it has written nothing
	var wrong []string
	err = sqldb.Each(ctx, pool, func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		if line != "ok" {
			wrong = append(wrong, line)
		}
		return err
	}, `PRAGMA integrity_check(10)`)
	if err == nil && len(wrong) > 0 {
		err = errors.New(strings.Join(wrong, "; "))
	}
	if err != nil {
		return fmt.Errorf("checking the database %s: %w", path, err)
	}
	for i, err := range allImages(ctx, pool) {
		if err != nil {
			return err
		}
		if err := image(i); err != nil {
			return err
		}
	}
	return nil
}

const walSuffix = "-wal" // of the file with what is not yet in the database file

// CopyFile copies an SQLite file that is not open elsewhere, and its log, to a new file, durably.
func CopyFile(from, to string) error {
	for _, suffix := range []string{"", walSuffix} {
		b, err := os.Open(from + suffix)
		if errors.Is(err, fs.ErrNotExist) && suffix != "" {
			continue
		}
		if err != nil {
			return err
		}
		err = durable.Write(to+suffix, to+suffix+".new", b)
		if err = errors.Join(err, b.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Package durable writes files that are there as a whole or not at all, also after a loss of power.
package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Write writes all that r gives to a file, in place of one that is there. It writes to temp first, a new file of the same file system, and
// renames that.
// Only the owner can read the file. An error of r is returned as it is.
func Write(path, temp string, r io.Reader) error { return write(path, temp, r, os.Rename) }

// Create is Write where there must be no file yet. If there is one, the error is fs.ErrExist.
func Create(path, temp string, r io.Reader) error { return write(path, temp, r, os.Link) }

func write(path, temp string, r io.Reader, publish func(from, to string) error) (err error) {
	if err := Fill(temp, r); err != nil {
		return err
	}
	if err = publish(temp, path); err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	if removeErr := os.Remove(temp); !errors.Is(removeErr, os.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

// Fill writes all that r gives to a new file and syncs its bytes, but not its name. On an error there is no file.
func Fill(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := Copy(f, r); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// Copy writes all that r gives to a file, syncs its bytes, but not its name, and closes it.
func Copy(f *os.File, r io.Reader) error {
	_, err := io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// SyncFile makes the bytes of a file durable.
func SyncFile(path string) error { return sync(path, os.O_WRONLY) }

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error { return sync(dir, os.O_RDONLY) }

func sync(path string, flag int) error {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

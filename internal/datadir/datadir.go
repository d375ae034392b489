// Package datadir knows what a data directory is made of: where a service keeps its database, images and keys when they are in
// no server.
package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"glyphbox/internal/durable"
)

// The errors of Check, CheckDir and CheckKeys.
var (
	ErrNoDatabase = errors.New("there is no database in")
	ErrNoDir      = errors.New("there is no directory")
	ErrNoKeys     = errors.New("there is no key file in")
)

// Dir is the path of a data directory. The empty path is none.
type Dir string

// Database returns the path of the SQLite file.
func (d Dir) Database() string { return d.join("glyphbox.db") }

// Blobs returns the path of the directory of the images.
func (d Dir) Blobs() string { return d.join("blobs") }

// Keys returns the path of the file of the keys that sign tokens.
func (d Dir) Keys() string { return d.join("keys") }

// Seal returns the path of the file of the secret that passwords of files are sealed with.
func (d Dir) Seal() string { return d.join("seal") }

// Spool returns the path of the directory of files that are removed when the service ends.
func (d Dir) Spool() string { return d.join("spool") }

// Queue returns the path of the directory of the embedded queue, which can be lost.
func (d Dir) Queue() string { return d.join("queue") }

// Cache returns the path of the directory of what can be made again: compiled code.
func (d Dir) Cache() string { return d.join("cache") }

func (d Dir) join(name string) string { return filepath.Join(string(d), name) }

// Abs returns the absolute path, or the path as it is where that cannot be found.
func (d Dir) Abs() string {
	abs, err := filepath.Abs(string(d))
	if err != nil {
		return string(d)
	}
	return abs
}

// Make makes the directory, readable by its owner only. It refuses one that a restore has not finished.
func (d Dir) Make() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("data-dir: %w", err)
	}
	return d.checkRestored()
}

// Check returns an error where there is no database in the directory, or one that is not complete: ErrNoDatabase. A program that
// would make a new database there calls it first, since the path may be mistyped.
func (d Dir) Check() error { return d.check(d.Database(), ErrNoDatabase) }

// CheckDir is Check for a directory that has no database in it, since that is in a server: ErrNoDir.
func (d Dir) CheckDir() error { return d.check(string(d), ErrNoDir) }

// CheckKeys is Check for programs that need only the keys: ErrNoKeys.
func (d Dir) CheckKeys() error { return d.check(d.Keys(), ErrNoKeys) }

func (d Dir) check(path string, missing error) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w %s", missing, d.Abs())
	}
	if err != nil {
		return fmt.Errorf("data-dir: %w", err)
	}
	return d.checkRestored()
}

// MakeSpool makes an empty directory for files that are removed when the service ends, and removes those that a killed service
// has left. It may be a mount. It is not the system's directory for such files, which may be in memory.
func (d Dir) MakeSpool() error {
	if err := os.MkdirAll(d.Spool(), 0o700); err != nil {
		return err
	}
	left, err := os.ReadDir(d.Spool())
	for _, entry := range left {
		err = errors.Join(err, os.RemoveAll(filepath.Join(d.Spool(), entry.Name())))
	}
	return err
}

const lockName = "lock"

// Lock makes sure that only one service works on the directory. The lock ends with the process, however that ends.
func (d Dir) Lock() (unlock func() error, err error) {
	f, err := os.OpenFile(d.join(lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("data-dir: %s belongs to another user: %w", d, err)
	}
	if err != nil {
		return nil, fmt.Errorf("data-dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("data-dir: another server uses %s", d)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// Same tells whether two paths lead to one file or directory that exists.
func Same(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// restoringName is the name of the file that is in a data directory while a restore fills it.
const restoringName = "restoring"

func (d Dir) checkRestored() error {
	_, err := os.Stat(d.join(restoringName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(fmt.Errorf("data-dir: glyphbox restore into %s has not been finished. Run it again", d), err)
}

// Restore makes the directory and has it filled. What a killed restore has left is removed before, and what a failed one has
// left after. Until fill is done, Make and Check refuse the directory. A directory with anything else in it is refused.
func (d Dir) Restore(fill func() error) (err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("data-dir: %w", err)
	}
	unlock, err := d.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	mark := d.join(restoringName)
	if err := d.clear(); err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(mark, nil, 0o600), durable.SyncDir(string(d))); err != nil {
		return err
	}
	if err := fill(); err != nil {
		return errors.Join(err, d.clear(), os.Remove(mark))
	}
	return errors.Join(durable.SyncDir(string(d)), os.Remove(mark), durable.SyncDir(string(d)))
}

// clear removes what a restore that was not finished has left. A directory that is not empty otherwise is an error.
func (d Dir) clear() error {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return err
	}
	unfinished := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == restoringName })
	for _, e := range entries {
		switch {
		case slices.Contains([]string{restoringName, lockName, "spool", "lost+found"}, e.Name()):
		case !unfinished:
			return fmt.Errorf("data-dir: %s is not empty: it contains %s", d, e.Name())
		default:
			err = errors.Join(err, os.RemoveAll(d.join(e.Name())))
		}
	}
	return err
}

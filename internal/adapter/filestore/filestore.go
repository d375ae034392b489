// Package filestore keeps blobs as files of a directory tree: the blob abcdef… is the file ab/abcdef….
//
// A blob is written to a file below tmp, synced and then renamed into place, so that it is never incomplete. The tree can be copied
// while it is in use.
package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/durable"
)

// Store implements document.Blobs in a directory. Safe for concurrent use, even by several processes.
type Store struct {
	dir string

	mu      sync.Mutex
	folders map[string]bool // those that are known to be there, durably
}

var _ document.Blobs = (*Store)(nil)

// Open opens the store in a directory, which it creates if necessary. Only the owner can read it.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, folders: map[string]bool{}}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("opening the blob store %s: %w", dir, err)
	}
	return s, nil
}

func (s *Store) prepare() error {
	if err := os.MkdirAll(s.tmp(), 0o700); err != nil {
		return err
	}
	return errors.Join(durable.SyncDir(filepath.Dir(s.dir)), durable.SyncDir(s.dir))
}

func (s *Store) tmp() string { return filepath.Join(s.dir, "tmp") }

// half returns the path of a blob that is being written.
func (s *Store) half(name string) string { return filepath.Join(s.tmp(), name) }

// path returns where a blob lies.
func (s *Store) path(name string) string { return filepath.Join(s.dir, name[:2], name) }

// Put implements document.Blobs.
func (s *Store) Put(ctx context.Context, r io.Reader) (string, error) {
	name := document.NewBlobName()
	if err := s.PutAs(ctx, name, r); err != nil {
		return "", err
	}
	return name, nil
}

// PutAs is like Put with a name that another store has given. It replaces a blob of that name.
func (s *Store) PutAs(ctx context.Context, name string, r io.Reader) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !document.IsBlobName(name) {
		return fmt.Errorf("a blob cannot have the name %q", name)
	}
	if err := s.folder(name[:2]); err != nil {
		return storeFault(err)
	}
	from := &source{ctx: ctx, r: r}
	err := durable.Write(s.path(name), s.half(document.NewBlobName()), from)
	if from.err != nil { // not the store's
		return fmt.Errorf("reading what is to be stored: %w", from.err)
	}
	return storeFault(err)
}

// Share copies a blob to another store: as a hard link if the file system allows that, else as a copy. It is no error if the blob
// exists there already. It is durable after Sync of the other store. NotFound.
func (s *Store) Share(ctx context.Context, name string, with *Store) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !document.IsBlobName(name) {
		return document.ErrBlobNotFound
	}
	if err := with.folder(name[:2]); err != nil {
		return storeFault(err)
	}
	err := os.Link(s.path(name), with.path(name))
	switch {
	case err == nil, errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist) && s.there():
		return document.ErrBlobNotFound.Because(err)
	case !errors.Is(err, syscall.EXDEV) && !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EMLINK) &&
		!errors.Is(err, errors.ErrUnsupported):
		return storeFault(err)
	}
	r, err := s.Open(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	return with.PutAs(ctx, name, r)
}

// Sync makes the names of all blobs durable.
func (s *Store) Sync() error {
	folders, err := filepath.Glob(filepath.Join(s.dir, "??"))
	if err != nil {
		return err
	}
	for _, folder := range folders {
		err = errors.Join(err, durable.SyncDir(folder))
	}
	return storeFault(errors.Join(err, durable.SyncDir(s.dir)))
}

// Empty tells whether the store has no blobs.
func (s *Store) Empty() (bool, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "??", "*"))
	return len(files) == 0, err
}

// source reads until the context ends and remembers the error of the reader, so that it can be told from those of the file.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// folder makes the folder of names that begin with prefix, and makes its name durable before anything is put there.
func (s *Store) folder(prefix string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders[prefix] {
		return nil
	}
	if err := os.Mkdir(filepath.Join(s.dir, prefix), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := durable.SyncDir(s.dir); err != nil {
		return err
	}
	s.folders[prefix] = true
	return nil
}

// Open implements document.Blobs. A blob that is deleted while it is read can be read to its end.
func (s *Store) Open(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !document.IsBlobName(name) {
		return nil, document.ErrBlobNotFound
	}
	f, err := os.Open(s.path(name))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && s.there() {
			return nil, document.ErrBlobNotFound.Because(err)
		}
		return nil, storeFault(err)
	}
	return f, nil
}

// Delete implements document.Blobs.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !document.IsBlobName(name) {
		return nil
	}
	for _, path := range []string{s.path(name), s.half(name)} {
		if err := os.Remove(path); err != nil && !(errors.Is(err, fs.ErrNotExist) && s.there()) {
			return storeFault(err)
		}
	}
	return nil
}

// Old implements document.Blobs. It uses the modification times of files, which a copy may or may not preserve.
func (s *Store) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		folders, err := os.ReadDir(s.dir)
		if err != nil {
			yield("", storeFault(err))
			return
		}
		for _, folder := range folders {
			if name := folder.Name(); len(name) != 2 && name != filepath.Base(s.tmp()) { // not one of ours
				continue
			}
			names, err := oldIn(ctx, filepath.Join(s.dir, folder.Name()), before)
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

// oldIn returns the names of blobs in a folder, which has about a thousandth of all.
func oldIn(ctx context.Context, folder string, before time.Time) (names []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, storeFault(err)
	}
	for _, f := range files {
		if !document.IsBlobName(f.Name()) {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) { // deleted, or complete by now
			continue
		}
		if err != nil {
			return nil, storeFault(err)
		}
		if info.ModTime().Before(before) {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

// there tells whether the file system is mounted, so that a blob that is missing can be told from a store that is.
func (s *Store) there() bool {
	_, err := os.Stat(s.tmp())
	return err == nil
}

// Ping tells whether blobs can be written. Unavailable.
func (s *Store) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := s.half(document.NewBlobName())
	err := os.WriteFile(path, []byte("ping"), 0o600)
	if removeErr := os.Remove(path); err == nil {
		err = removeErr
	}
	if err != nil {
		return errAway.Because(err)
	}
	return nil
}

var (
	errAway = fault.New(fault.Unavailable, "blobs_unavailable", "Images cannot be stored or read at the moment.").After(10 * time.Second)
)

// away are errors that pass by themselves, or that the operator can mend.
var away = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
	syscall.EACCES, syscall.ESTALE, fs.ErrNotExist}

// storeFault makes such errors Unavailable. A missing file is one of them; callers that look for a blob check that before.
func storeFault(err error) error {
	for _, a := range away {
		if errors.Is(err, a) {
			return errAway.Because(err)
		}
	}
	return err
}

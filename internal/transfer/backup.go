package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/durable"
	"glyphbox/internal/progress"
)

// Backups makes and restores backups of data directories, which are data directories themselves.
type Backups struct {
	Files    Files
	Progress *progress.Display
}

// Backup writes a backup of a data directory to a new directory, also while a service works on the first. The new one is there
// when it is complete, and not before. It returns how many documents the backup has.
func (b Backups) Backup(ctx context.Context, from datadir.Dir, target string) (images int, err error) {
	if err := from.Check(); err != nil {
		return 0, err
	}
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		return 0, errors.Join(fmt.Errorf("%s already exists", target), err)
	}
	parent := filepath.Dir(filepath.Clean(target))
	dir, err := os.MkdirTemp(parent, ".glyphbox-backup-") // with mode 0700, and beside the target, to be renamed
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	to := datadir.Dir(dir)
	if images, err = b.backUp(ctx, from, to); err != nil {
		return 0, err
	}
	if err := b.Files.CopyKeys(from, to); err != nil {
		return 0, err
	}
	if err := b.Files.CheckDatabase(ctx, to.Database(), func(document.Image) error { return nil }); err != nil {
		return 0, err
	}
	if err := durable.SyncDir(dir); err != nil {
		return 0, err
	}
	if err := os.Rename(dir, target); err != nil {
		return 0, err
	}
	return images, durable.SyncDir(parent)
}

// backUp puts the database and what its images name into another data directory.
func (b Backups) backUp(ctx context.Context, from, to datadir.Dir) (images int, err error) {
	source, err := b.Files.OpenBlobs(from.Blobs())
	if err != nil {
		return 0, err
	}
	kept, err := b.Files.OpenBlobs(to.Blobs())
	if err != nil {
		return 0, err
	}
	k := &keeping{ctx: ctx, from: source, to: kept, held: map[string]bool{}, progress: b.Progress}
	if err := b.Files.Backup(ctx, from.Database(), to.Database(), k.keep); err != nil {
		return 0, err
	}
	if len(k.missing) > 0 {
		return 0, errors.Join(k.missing...)
	}
	for name := range k.held { // of images that were deleted before the moment of the copy
		if !k.named[name] {
			if err := kept.Delete(ctx, name); err != nil {
				return 0, err
			}
		}
	}
	return k.images, kept.Sync()
}

// keeping is the blobs of a backup that images name.
type keeping struct {
	ctx      context.Context
	from, to BlobFiles
	held     map[string]bool // what is kept
	progress *progress.Display

	// Of the last look at all images:
	images  int
	named   map[string]bool
	missing []error
}

// keep keeps the blobs that are not kept yet, and returns of how many images they were.
func (k *keeping) keep(all iter.Seq2[document.Image, error]) (new int, err error) {
	k.images, k.named, k.missing = 0, map[string]bool{}, nil
	for i, err := range all {
		if err != nil {
			return new, err
		}
		if i.First() {
			k.images++
		}
		isNew := false
		for _, b := range blobsOf(i) {
			k.named[b.name] = true
			if k.held[b.name] {
				continue
			}
			isNew = true
			err := k.from.Share(k.ctx, b.name, k.to)
			if fault.Is(err, fault.NotFound) { // it is being deleted, or is missing if the row is still there in the end
				k.missing = append(k.missing, fmt.Errorf("image %d (%s): its %s: %w", i.ID, i.Name, b.what, err))
				continue
			}
			if err != nil {
				return new, err
			}
			k.held[b.name] = true
		}
		if isNew {
			new++
			k.progress.Say("%s", progress.Counted(len(k.held)/2, "image"))
		}
	}
	return new, nil
}

// Restore makes a data directory from a backup, and checks each image against its SHA-256. Where something is wrong nothing is
// restored. It returns how many documents there are.
func (b Backups) Restore(ctx context.Context, from, to datadir.Dir) (images int, err error) {
	if err := from.Check(); err != nil {
		return 0, err
	}
	err = to.Restore(func() error {
		if err := b.Files.CopyDatabase(from.Database(), to.Database()); err != nil {
			return err
		}
		blobs, err := b.Files.OpenBlobs(to.Blobs())
		if err != nil {
			return err
		}
		if images, err = b.check(ctx, from, to.Database(), blobs); err != nil {
			return err
		}
		return b.Files.CopyKeys(from, to)
	})
	return images, err
}

// Check returns how many documents a backup has, or an error that names everything that is damaged.
func (b Backups) Check(ctx context.Context, backup datadir.Dir) (images int, err error) {
	if err := backup.Check(); err != nil {
		return 0, err
	}
	return b.check(ctx, backup, backup.Database(), nil)
}

// check checks a database, and that a backup has the bytes of all images in it, which it copies to a store where one is given.
func (b Backups) check(ctx context.Context, from datadir.Dir, database string, to Blobs) (images int, err error) {
	if _, err := os.Stat(from.Blobs()); err != nil { // opening it would make it
		return 0, err
	}
	source, err := b.Files.OpenBlobs(from.Blobs())
	if err != nil {
		return 0, err
	}
	var faults []error
	err = b.Files.CheckDatabase(ctx, database, func(i document.Image) error {
		for _, blob := range blobsOf(i) {
			var err error
			if to == nil {
				_, _, err = sumOf(ctx, source, blob)
			} else {
				_, err = moveBlob(ctx, blob, source, to)
			}
			if fault.Is(err, fault.NotFound) || errors.Is(err, errOtherBytes) {
				faults = append(faults, fmt.Errorf("image %d (%s): its %s: %w", i.ID, i.Name, blob.what, err))
			} else if err != nil {
				return err
			}
		}
		if i.First() {
			images++
		}
		b.Progress.Say("%s", progress.Counted(images, "image"))
		return nil
	})
	return images, errors.Join(err, errors.Join(faults...))
}

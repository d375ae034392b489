package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/filestore"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/token"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

func (p Process) backupCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "backup DIRECTORY", Short: "Back the data directory up, also while the service runs", Args: cobra.ExactArgs(1),
		Long: `Writes a backup of the data directory to a new directory, also while the service runs: the database as it is at one moment, the bytes of all images in
it, and the keys. The backup is there when it is complete, and not before. It is a data directory itself.

Where the file system allows that, images take no space a second time: they are hard links. So a backup on the same disk is none against the loss
of that disk; copy it elsewhere.`}
	addFlags(cmd.Flags(), whereFlags...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if c.Database != "" || c.MongoDB != "" {
			return usagef("only what is in a data directory is backed up by this command. Use mariadb-dump --single-transaction for MariaDB first, then mongodump for MongoDB, or glyphbox copy into a data directory")
		}
		return p.backup(cmd.Context(), c, args[0])
	}
	return cmd
}

func (p Process) backup(ctx context.Context, c Config, target string) (err error) {
	if err := c.mustBeThere(); err != nil {
		return err
	}
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("there is a %s already", target), err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(target)), ".glyphbox-backup-") // with mode 0700, and beside the target, to be renamed
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	to := Config{DataDir: dir}
	images, err := p.backUp(ctx, c, to)
	if err != nil {
		return err
	}
	if err := token.CopyKeys(c.keyPath(), to.keyPath()); err != nil {
		return err
	}
	if err := sqlstore.CheckFile(ctx, to.database(), func(document.Image) error { return nil }); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	if err := os.Rename(dir, target); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return p.tell(nil, "%s is whole: it has %s.", target, counted(images, "image"))
}

// backUp puts the database and what its images name into another data directory.
func (p Process) backUp(ctx context.Context, from, to Config) (images int, err error) {
	source, err := filestore.Open(from.blobsDir())
	if err != nil {
		return 0, err
	}
	kept, err := filestore.Open(to.blobsDir())
	if err != nil {
		return 0, err
	}
	k := &keeping{ctx: ctx, from: source, to: kept, held: map[string]bool{}, progress: p.newProgress()}
	if err := sqlstore.Backup(ctx, from.database(), to.database(), k.keep); err != nil {
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

// keeping is what a backup keeps of the blobs that images name.
type keeping struct {
	ctx      context.Context
	from, to *filestore.Store
	held     map[string]bool // what is kept
	progress *progress

	// Of the last look at all images:
	images  int
	named   map[string]bool
	missing []error
}

// keep keeps what is not kept yet, and says for how many images it had to.
func (k *keeping) keep(all iter.Seq2[document.Image, error]) (new int, err error) {
	k.images, k.named, k.missing = 0, map[string]bool{}, nil
	for i, err := range all {
		if err != nil {
			return new, err
		}
		k.images++
		isNew := false
		for _, b := range blobsOf(i) {
			k.named[b.name] = true
			if k.held[b.name] {
				continue
			}
			isNew = true
			err := k.from.Share(k.ctx, b.name, k.to)
			if fault.Is(err, fault.NotFound) { // is being deleted, or is gone, if the row is still there in the end
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
			k.progress.say("%s", counted(len(k.held)/2, "image"))
		}
	}
	return new, nil
}

// restoringMark is a file that is in a data directory until all else is.
const restoringMark = "restoring"

// restored tells whether there is no restore into a data directory that has not been finished.
func restored(dir string) error {
	_, err := os.Stat(filepath.Join(dir, restoringMark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(fmt.Errorf("data-dir: glyphbox restore into %s has not been finished. Run that again", dir), err)
}

func (p Process) restoreCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "restore BACKUP --data-dir DIRECTORY", Short: "Make a data directory from a backup", Args: cobra.ExactArgs(1),
		Long: `Makes a data directory from what glyphbox backup has written, or from a copy of a data directory. The directory has to be empty, and no service may run on it.
The database is checked, and each image against its SHA-256. Where something is wrong, that is told and nothing is restored. What breaks off is taken up again by the same command.`}
	var check bool
	addFlags(cmd.Flags(), "data-dir")
	cmd.Flags().BoolVar(&check, "check", false, "Only look whether the backup is whole.")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		from := Config{DataDir: args[0]}
		if err := from.mustBeThere(); err != nil {
			return err
		}
		if check {
			images, err := p.checkBackup(cmd.Context(), from, from.database(), nil)
			return p.tell(err, "%s is whole: it has %s.", args[0], counted(images, "image"))
		}
		images, err := p.restore(cmd.Context(), from, c)
		return p.tell(err, "%s has what %s has: %s.", c.DataDir, args[0], counted(images, "image"))
	}
	return cmd
}

func (p Process) restore(ctx context.Context, from, to Config) (images int, err error) {
	if err := os.MkdirAll(to.DataDir, 0o700); err != nil {
		return 0, fmt.Errorf("data-dir: %w", err)
	}
	unlock, err := lockDataDir(to.DataDir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	mark := filepath.Join(to.DataDir, restoringMark)
	if err := clearUnfinished(to.DataDir); err != nil {
		return 0, err
	}
	if err := errors.Join(os.WriteFile(mark, nil, 0o600), syncDir(to.DataDir)); err != nil {
		return 0, err
	}
	images, err = p.restoreInto(ctx, from, to)
	if err != nil {
		return 0, errors.Join(err, clearUnfinished(to.DataDir), os.Remove(mark))
	}
	return images, errors.Join(syncDir(to.DataDir), os.Remove(mark), syncDir(to.DataDir))
}

// clearUnfinished makes sure that a data directory is empty, by removing what a restore that was not finished has left.
func clearUnfinished(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	unfinished := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == restoringMark })
	for _, e := range entries {
		switch {
		case slices.Contains([]string{restoringMark, "lock", "spool", "lost+found"}, e.Name()):
		case !unfinished:
			return fmt.Errorf("data-dir: %s is not empty: there is %s", dir, e.Name())
		default:
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

func (p Process) restoreInto(ctx context.Context, from, to Config) (images int, err error) {
	if err := sqlstore.CopyFile(from.database(), to.database()); err != nil {
		return 0, err
	}
	blobs, err := filestore.Open(to.blobsDir())
	if err != nil {
		return 0, err
	}
	if images, err = p.checkBackup(ctx, from, to.database(), blobs); err != nil {
		return 0, err
	}
	return images, token.CopyKeys(from.keyPath(), to.keyPath())
}

// checkBackup looks whether a database is whole, and whether a backup has the bytes of all its images, which it copies to a store where one is given.
func (p Process) checkBackup(ctx context.Context, from Config, database string, to *filestore.Store) (images int, err error) {
	if _, err := os.Stat(from.blobsDir()); err != nil { // opening it would make it
		return 0, err
	}
	source, err := filestore.Open(from.blobsDir())
	if err != nil {
		return 0, err
	}
	progress := p.newProgress()
	var faults []error
	err = sqlstore.CheckFile(ctx, database, func(i document.Image) error {
		for _, b := range blobsOf(i) {
			var err error
			if to == nil {
				_, _, err = sumOf(ctx, source, b)
			} else {
				_, err = moveBlob(ctx, b, source, to)
			}
			if fault.Is(err, fault.NotFound) || errors.Is(err, errOtherBytes) {
				faults = append(faults, fmt.Errorf("image %d (%s): its %s: %w", i.ID, i.Name, b.what, err))
			} else if err != nil {
				return err
			}
		}
		images++
		progress.say("%s", counted(images, "image"))
		return nil
	})
	return images, errors.Join(err, errors.Join(faults...))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

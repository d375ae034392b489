package app

import (
	"context"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/filestore"
	"glyphbox/internal/adapter/seal"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/token"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/progress"
	"glyphbox/internal/transfer"
)

func (p Process) backupCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "backup DIRECTORY", Short: "Back up the data directory, even while the service runs",
		Args: cobra.ExactArgs(1),
		Long: `Writes a consistent backup of the database, all its images and the keys to a new directory, even while the service runs.
The directory appears when the backup is complete. It is a data directory itself.

Images are hard links if the file system allows that. Copy the backup to another disk, so that it survives the loss of
this one.`}
	addFlags(cmd.Flags(), whereFlags...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if c.Database != "" || c.MongoDB != "" {
			return usagef("this command backs up only a data directory. Run mariadb-dump --single-transaction for MariaDB first, then " +
				"mongodump for MongoDB, or use glyphbox copy to copy everything into a data directory")
		}
		images, err := p.backups().Backup(cmd.Context(), c.DataDir, args[0])
		return p.tell(withAdvice(err), "%s is complete: it has %s.", args[0], progress.Counted(images, "image"))
	}
	return cmd
}

func (p Process) restoreCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "restore BACKUP --data-dir DIRECTORY", Short: "Restore a backup into a new data directory",
		Args: cobra.ExactArgs(1),
		Long: `Makes a data directory from a backup or from a copy of a data directory. The directory must be empty, and no service may
use it. The command checks the database and the SHA-256 of each image. If anything is damaged, it restores nothing. If it
is interrupted, run it again.`}
	var check bool
	addFlags(cmd.Flags(), "data-dir")
	cmd.Flags().BoolVar(&check, "check", false, "Only check the backup; restore nothing.")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		backup := datadir.Dir(args[0])
		if check {
			images, err := p.backups().Check(cmd.Context(), backup)
			return p.tell(err, "%s is complete: it has %s.", backup, progress.Counted(images, "image"))
		}
		images, err := p.backups().Restore(cmd.Context(), backup, c.DataDir)
		return p.tell(err, "Restored %[3]s to %[1]s from %[2]s.", c.DataDir, backup, progress.Counted(images, "image"))
	}
	return cmd
}

func (p Process) backups() transfer.Backups {
	return transfer.Backups{Files: files{}, Progress: progress.New(p.Stderr)}
}

// files implements transfer.Files.
type files struct{}

func (files) Backup(ctx context.Context, source, target string, keep func(iter.Seq2[document.Image, error]) (int, error)) error {
	return sqlstore.Backup(ctx, source, target, keep)
}

func (files) CopyDatabase(from, to string) error { return sqlstore.CopyFile(from, to) }

func (files) CheckDatabase(ctx context.Context, path string, image func(document.Image) error) error {
	return sqlstore.CheckFile(ctx, path, image)
}

func (files) CopyKeys(from, to datadir.Dir) error { return copyKeys(from, to) }

// copyKeys copies the secrets that are kept outside the database, so that a stolen database does not reveal them.
func copyKeys(from, to datadir.Dir) error {
	return errors.Join(token.CopyKeys(from.Keys(), to.Keys()), seal.CopySecret(from.Seal(), to.Seal()))
}

func (files) OpenBlobs(dir string) (transfer.BlobFiles, error) {
	store, err := filestore.Open(dir)
	return blobFiles{store}, err
}

// blobFiles implements transfer.BlobFiles.
type blobFiles struct{ *filestore.Store }

func (b blobFiles) Share(ctx context.Context, name string, to transfer.BlobFiles) error {
	return b.Store.Share(ctx, name, to.(blobFiles).Store)
}

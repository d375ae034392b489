package app

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/mongostore"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/original"
	"glyphbox/internal/progress"
)

func (p Process) importCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Import the data of the original service in its own databases", Args: cobra.NoArgs,
		Long: `Takes over the data of the original service, in the databases given by --database and --mongodb: users with their
passwords, roles, states and sign-ins, images with their numbers, and results. First stop the original service and make a
backup.

The command renames the original's tables to original_user and so on, and creates and fills Glyphbox's tables. In MongoDB
it copies images and results. It changes nothing else of the original, so there must be room for both until you remove
the original's data. If it is interrupted, run it again. No service starts on the database before the import is complete.

The command finds the size of each image and makes new thumbnails. It reports and skips images whose bytes are missing or
whose format is not supported, with their results; they stay where they were. It renumbers versions to 1, 2, 3 … where
they were not, and reports that too.`}
	var o original.Options
	var visibility, offset string
	addFlags(cmd.Flags(), "database", "mongodb", "ocr-workers", "max-pixels")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "Show what would be done; change nothing.")
	cmd.Flags().StringVar(&offset, "utc-offset", "+09:00", "Offset from UTC of the original's times, which are Korean times.")
	cmd.Flags().StringVar(&visibility, "visibility", string(document.Private),
		"Visibility of the images: private, or shared, as in the original service, where every user saw all images.")
	cmd.Flags().StringVar(&o.Results, "results", "", "Collection of the results. Default: found automatically.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if c.Database == "" || c.MongoDB == "" {
			return usagef("--database-file and --mongodb-file must name the databases of the original service")
		}
		if o.Visibility = document.Visibility(visibility); o.Visibility != document.Private && o.Visibility != document.Shared {
			return usagef("--visibility %s: must be private or shared", visibility)
		}
		zone, err := time.Parse("-07:00", offset)
		if err != nil {
			return usagef("--utc-offset %s: must be an offset such as +09:00", offset)
		}
		_, seconds := zone.Zone()
		o.Offset = time.Duration(seconds) * time.Second
		return p.importOriginal(cmd.Context(), c, o)
	}
	return cmd
}

func (p Process) importOriginal(ctx context.Context, c Config, o original.Options) (err error) {
	db, err := sqlstore.OpenAsIs(c.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	mongo, err := mongostore.OpenAsIs(ctx, c.MongoDB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mongo.Close()) }()
	closeEngine := func() error { return nil }
	defer func() { err = errors.Join(err, closeEngine()) }()
	display, staging := progress.New(p.Stderr), &document.Staging{}
	return original.Import{Staging: staging, Database: db, Documents: mongo, Catalog: db.Catalog(), Prepare: mongo.Prepare,
		Blobs: mongo.Blobs(), Contents: mongo.Contents(),
		Engine: func() (original.Engine, error) {
			pool, err := startPool(c, os.TempDir(), "", staging, p.logger(c))
			if err == nil {
				closeEngine = pool.Close
			}
			return pool, err
		},
		Explain: explain, Tell: func(format string, args ...any) { display.Printf(p.Stdout, format, args...) }, Progress: display,
		Options: o}.Run(ctx)
}

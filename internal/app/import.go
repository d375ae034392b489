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
	cmd := &cobra.Command{Use: "import", Short: "Import the data of the original service, in its own databases", Args: cobra.NoArgs,
		Long: `Takes the data of the original service over, whose MariaDB and MongoDB are given by --database and --mongodb: users with
their passwords, roles, states and sign-ins, images with their numbers, and results. Stop the original service first,
and make a backup.

Its tables are renamed to original_user and so on, and Glyphbox's are made and filled; in MongoDB, images and results
are copied. Nothing else of the original changes, so that there has to be room for both until the original's data is
removed. What breaks off is taken up again by the same command, and until it is done no service starts on the database.

Of each image the size is found and the thumbnail made anew. An image whose bytes are gone, or of a kind that is not
read here, is told and left out with its results; it stays where it was. Versions are numbered 1, 2, 3 … where they were
not, which is told too.`}
	var o original.Options
	var visibility, offset string
	addFlags(cmd.Flags(), "database", "mongodb", "ocr-workers", "max-pixels")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "Show what would be done and change nothing.")
	cmd.Flags().StringVar(&offset, "utc-offset", "+09:00", "Offset of the original's times from UTC. It writes Korean time.")
	cmd.Flags().StringVar(&visibility, "visibility", string(document.Private),
		"Who sees the images: private, as here, or shared, as in the original service, where everybody saw all.")
	cmd.Flags().StringVar(&o.Results, "results", "", "Collection of the results. Default: the one that has them is found.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if c.Database == "" || c.MongoDB == "" {
			return usagef("--database-file and --mongodb-file have to name the databases of the original service")
		}
		if o.Visibility = document.Visibility(visibility); o.Visibility != document.Private && o.Visibility != document.Shared {
			return usagef("--visibility %s: private or shared is wanted", visibility)
		}
		zone, err := time.Parse("-07:00", offset)
		if err != nil {
			return usagef("--utc-offset %s: an offset such as +09:00 is wanted", offset)
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

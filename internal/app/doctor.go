package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/adapter/mongostore"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/document"
)

// doctorTimeout limits each check.
const doctorTimeout = time.Minute

func (p Process) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "doctor", Short: "Check the installation and show what is missing", Args: cobra.NoArgs,
		Long: "Starts a worker, opens the stores, and shows the engine, its languages and models, the confinement of workers, and the\n" +
			"stores. It changes nothing. The exit code is 0 if the service can run and 1 otherwise."}
	addFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
		row := func(name, format string, values ...any) {
			fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, values...))
		}
		row("program", "glyphbox %s", p.version())
		err = errors.Join(examineEngine(cmd.Context(), c, row), examineStores(cmd.Context(), c, row))
		return errors.Join(err, table.Flush())
	}
	return cmd
}

// examineEngine makes a worker decode a small image, and shows the engine.
func examineEngine(ctx context.Context, c Config, row func(name, format string, values ...any)) (err error) {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	c.OCRWorkers = 1
	var staging document.Staging
	pool, err := startPool(c, os.TempDir(), "", &staging, slog.New(slog.DiscardHandler))
	if err != nil {
		row("engine", "cannot start")
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		return err
	}
	sum := sha256.Sum256(file.Bytes())
	staged, drop := staging.Stage(document.File{SHA256: hex.EncodeToString(sum[:]), Size: int64(file.Len())},
		func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file.Bytes())), nil })
	defer drop()
	if _, err := pool.Thumbnail(ctx, document.Page{File: staged, Number: 1}, 8); err != nil {
		row("engine", "does not work")
		return fmt.Errorf("the engine: %w", err)
	}
	about := pool.About()
	languages, err := pool.Languages(ctx)
	if err != nil {
		return err
	}
	row("engine", "%s", about.Name)
	row("languages", "%s, in %s", strings.Join(languages, ", "), about.Tessdata)
	if about.Missing == "" {
		row("second recogniser", "%s, run by %s", strings.Join(about.Models, ", "), about.Runtime)
	} else {
		row("second recogniser", "missing: %s", about.Missing)
	}
	if heif := about.HEIF; heif.Missing == "" {
		row("HEIC and AVIF", "%s", heif.Library)
	} else {
		row("HEIC and AVIF", "missing: %s", heif.Missing)
	}
	if len(about.Unconfined) == 0 {
		row("confinement", "complete")
	}
	for _, missing := range about.Unconfined {
		row("confinement", "without %s", missing)
	}
	return examinePDF(ctx, pool, &staging, row)
}

// emptyPDF is a minimal PDF file of one page.
const emptyPDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj " +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj trailer<</Root 1 0 R>>"

// compileTimeout limits opening the first PDF file, which may have to compile code.
const compileTimeout = 5 * time.Minute

// examinePDF makes a worker open a PDF file, and shows the PDF library.
func examinePDF(ctx context.Context, pool *engine.Engine, staging *document.Staging, row func(name, format string, values ...any)) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), compileTimeout)
	defer cancel()
	sum := sha256.Sum256([]byte(emptyPDF))
	staged, drop := staging.Stage(document.File{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(emptyPDF))},
		func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(emptyPDF)), nil })
	defer drop()
	if _, err := pool.Probe(ctx, staged); err != nil {
		row("PDF", "does not work")
		return fmt.Errorf("PDF files: %w", err)
	}
	about := pool.PDF()
	row("PDF", "%s; compiled code in %s", about.Name, cmp.Or(about.Cache, "memory only, compiled at each start"))
	for _, missing := range about.Unconfined {
		row("confinement of PDF", "without %s", missing)
	}
	return nil
}

// examineStores checks that the stores can be reached. It neither creates them nor updates their schemas.
func examineStores(ctx context.Context, c Config, row func(name, format string, values ...any)) error {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	kinds := kinds(c)
	examine := func(name string, look func() error) error {
		err := look()
		switch {
		case errors.Is(err, datadir.ErrNoDatabase) || errors.Is(err, datadir.ErrNoDir):
			row(name, "none yet in %s; glyphbox serve creates it", c.DataDir.Abs())
			return nil
		case err != nil:
			row(name, "%s, unreachable", kinds[name])
			return fmt.Errorf("%s: %w", name, err)
		}
		row(name, "%s, ok", kinds[name])
		return nil
	}
	database := examine("database", func() error {
		if err := c.mustExist(); err != nil {
			return err
		}
		db, err := sqlstore.OpenAsIs(c.database())
		if err != nil {
			return err
		}
		return errors.Join(db.Ping(ctx), db.Close())
	})
	images := examine("blobs", func() error {
		if c.MongoDB == "" {
			return c.DataDir.CheckDir()
		}
		mongo, err := mongostore.OpenAsIs(ctx, c.MongoDB)
		if err != nil {
			return err
		}
		return errors.Join(mongo.Ping(ctx), mongo.Close())
	})
	return errors.Join(database, images)
}

package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
)

// indexer returns the service that makes entries of the text index.
func (s *stores) indexer() *recognition.Service {
	return &recognition.Service{Runs: s.db.Runs(), Contents: s.contents, Index: s.db.Index(), Feed: s.db.Feed(), Now: time.Now}
}

// reindexCommand works on the stores themselves, also while services run.
func (p Process) reindexCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "reindex", Short: "Rebuild the text index, even while the service runs", Args: cobra.NoArgs,
		Long: "Rebuilds the index of texts and names. Until the command ends, searches do not find everything. If it is interrupted, the " +
			"service continues.\n" +
			"The service keeps the index up to date by itself. A rebuild repairs it, and makes it smaller after many corrections."}
	addFlags(cmd.Flags(), "data-dir", "database", "mongodb")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		s, err := p.openExistingStores(cmd)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		index := s.indexer()
		images, err := index.Index.Clear(cmd.Context())
		if err != nil {
			return err
		}
		display := progress.New(p.Stderr)
		err = index.Reindex(cmd.Context(), func(n, of int) { display.Say("indexed %d of %d pages", n, of) })
		display.Clear()
		return p.tell(err, "Indexed the texts of %d pages.", images)
	}
	return cmd
}

// keepIndexed indexes what was announced and not indexed: at once, and then as often as the service sweeps, until the context ends.
func keepIndexed(ctx context.Context, index *recognition.Service, interval time.Duration, log *slog.Logger) {
	for {
		told := time.Now()
		err := index.Reindex(ctx, func(n, of int) {
			if time.Since(told) > time.Minute {
				told = time.Now()
				log.Info("building the text index", "pages", n, "of", of)
			}
		})
		if err != nil && ctx.Err() == nil {
			log.Warn("the text index could not be brought up to date; trying again", "error", err)
		}
		if interval == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
	}
}

// keepCompact compacts the text index each minute until the context ends.
func keepCompact(ctx context.Context, index recognition.Index, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Minute):
		}
		if err := index.Compact(ctx); err != nil && ctx.Err() == nil {
			log.Warn("the text index could not be compacted; trying again", "error", err)
		}
	}
}

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/sweep"
)

// sweeper returns the sweeper of the stores. It removes orphans, which no row refers to, and what is kept for a limited time.
func (s *stores) sweeper() *sweep.Sweeper {
	deleteBlobs := func(ctx context.Context, names []string) error {
		for _, name := range names {
			if err := s.blobs.Delete(ctx, name); err != nil {
				return err
			}
		}
		return nil
	}
	kinds := []sweep.Kind{
		{Name: "blobs", Old: s.blobs.Old, Named: s.db.Catalog().Named, Delete: deleteBlobs},
		{Name: "contents", Old: s.contents.Old, Named: s.db.Runs().Named, Delete: s.contents.Delete},
		recognition.DeletedKind(s.db.Runs(), s.contents, time.Now),
		once.OldKind(oncestore.New(s.db.DB), time.Now),
	}
	if s.jobRetention > 0 {
		kinds = append(kinds, job.OldKind(jobstore.New(s.db.DB), s.jobRetention, time.Now))
	}
	return &sweep.Sweeper{Now: time.Now, Kinds: kinds}
}

// sweepCommand works on the stores themselves, also while services run.
func (p Process) sweepCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "sweep", Short: "Remove orphaned blobs and contents, even while the service runs", Args: cobra.NoArgs,
		Long: "Lists and removes orphans: blobs and contents that no row refers to. A crash during an upload, a recognition or a " +
			"deletion leaves them\n" +
			"behind. Also removes contents that were deleted more than seven days ago, idempotency keys older than a day, and jobs that\n" +
			"ended longer ago than the setting job-retention.\n" +
			"The service does the same from time to time; see the setting sweep-interval."}
	addFlags(cmd.Flags(), "data-dir", "database", "mongodb", "job-retention")
	dryRun := cmd.Flags().Bool("dry-run", false, "Only list the orphans; remove nothing.")
	age := cmd.Flags().Duration("older-than", sweep.MinAge,
		"Minimum age of an orphan; at least 1h, since a younger one may belong to a running request.")
	force := cmd.Flags().Bool("force", false,
		"Remove orphans even if they outnumber what is kept, which suggests that this is the wrong database.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if *age < sweep.MinAge {
			return usagef("--older-than %s: must be at least %s", *age, sweep.MinAge)
		}
		s, err := p.openExistingStores(cmd)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		tallies, err := s.sweeper().Sweep(cmd.Context(), sweep.Options{Age: *age, DryRun: *dryRun, Force: *force,
			Found: func(kind, name string) { fmt.Fprintln(p.Stdout, kind, name) }})
		var parts []string
		for _, t := range tallies {
			done := fmt.Sprintf("removed %d", t.Removed)
			if *dryRun {
				done = "removed none"
			}
			parts = append(parts, fmt.Sprintf("%d of %d %s are left over, %s", t.Left, t.Old, t.Kind, done))
		}
		fmt.Fprintf(p.Stdout, "Orphans older than %s, and what is kept for a limited time: %s.\n", *age, strings.Join(parts, "; "))
		return err
	}
	return cmd
}

// sweepMetrics counts what the service has swept.
type sweepMetrics struct {
	sweeps *prometheus.CounterVec
	swept  *prometheus.CounterVec
}

// The results of a sweep.
const (
	sweepDone    = "done"
	sweepFailed  = "failed"
	sweepRefused = "refused"
)

func newSweepMetrics(registry *prometheus.Registry, kinds []sweep.Kind) sweepMetrics {
	m := sweepMetrics{
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "glyphbox_sweeps_total",
			Help: "Sweeps for orphans, by result: done, failed or refused."}, []string{"result"}),
		swept: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "glyphbox_swept_total",
			Help: "What sweeps removed, by kind: orphaned blobs and contents, deleted contents, idempotency keys, ended jobs."},
			[]string{"kind"}),
	}
	registry.MustRegister(m.sweeps, m.swept)
	for _, result := range []string{sweepDone, sweepFailed, sweepRefused} {
		m.sweeps.WithLabelValues(result)
	}
	for _, k := range kinds {
		m.swept.WithLabelValues(k.Name)
	}
	return m
}

// keepSwept sweeps at about the interval until the context ends, first soon after the start. Nodes that start together do not sweep
// together.
func keepSwept(ctx context.Context, sweeper *sweep.Sweeper, interval time.Duration, metrics sweepMetrics, log *slog.Logger) {
	part := func(from, to float64) time.Duration {
		return time.Duration((from + rand.Float64()*(to-from)) * float64(interval))
	}
	for wait := part(0.1, 0.3); ; wait = part(0.75, 1.25) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		tallies, err := sweeper.Sweep(ctx, sweep.Options{Age: sweep.MinAge})
		if ctx.Err() != nil {
			return
		}
		for _, t := range tallies {
			metrics.swept.WithLabelValues(t.Kind).Add(float64(t.Removed))
			if t.Removed > 0 {
				log.Info("removed orphans", "kind", t.Kind, "removed", t.Removed, "looked_at", t.Old)
			}
		}
		result := sweepDone
		switch {
		case err == nil:
		case fault.Is(err, fault.Conflict):
			result = sweepRefused
			log.Error("removed no orphans, since there are too many; see glyphbox sweep --dry-run", "error", err)
		default:
			result = sweepFailed
			log.Warn("removing orphans failed; trying again", "error", err)
		}
		metrics.sweeps.WithLabelValues(result).Inc()
	}
}

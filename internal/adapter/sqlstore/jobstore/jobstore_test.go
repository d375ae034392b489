package jobstore_test

import (
	"path/filepath"
	"testing"

	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
)

func stores(t *testing.T, source string) porttest.Stores {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), source)
	check.OK(t, "Open", err)
	t.Cleanup(func() { check.OK(t, "Close", db.Close()) })
	return porttest.Stores{Users: db.Users(), Catalog: db.Catalog(), Runs: db.Runs(), Jobs: jobstore.New(db.DB),
		Once: oncestore.New(db.DB)}
}

func on(t *testing.T, suite func(*testing.T, func(*testing.T) porttest.Stores)) {
	t.Run("SQLite", func(t *testing.T) {
		suite(t, func(t *testing.T) porttest.Stores { return stores(t, filepath.Join(t.TempDir(), "glyphbox.db")) })
	})
	t.Run("MariaDB", func(t *testing.T) {
		suite(t, func(t *testing.T) porttest.Stores { return stores(t, mariadbtest.Database(t)) })
	})
}

func TestJobs(t *testing.T) { on(t, porttest.Jobs) }

// Keys are tested here, where all are that note what is made.
func TestOnce(t *testing.T) { on(t, porttest.Once) }

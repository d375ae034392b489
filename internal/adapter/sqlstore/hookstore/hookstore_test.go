package hookstore_test

import (
	"path/filepath"
	"testing"

	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/hookstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
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
		Hooks: hookstore.New(db.DB)}
}

func TestHooks(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		porttest.Hooks(t, func(t *testing.T) porttest.Stores { return stores(t, filepath.Join(t.TempDir(), "glyphbox.db")) })
	})
	t.Run("MariaDB", func(t *testing.T) {
		porttest.Hooks(t, func(t *testing.T) porttest.Stores { return stores(t, mariadbtest.Database(t)) })
	})
}

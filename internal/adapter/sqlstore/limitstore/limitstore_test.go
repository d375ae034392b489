package limitstore_test

import (
	"path/filepath"
	"testing"

	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/adapter/sqlstore/limitstore"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
)

func TestLimits(t *testing.T) {
	for name, source := range map[string]func(t testing.TB) string{
		"SQLite":  func(t testing.TB) string { return filepath.Join(t.TempDir(), "glyphbox.db") },
		"MariaDB": mariadbtest.Database,
	} {
		t.Run(name, func(t *testing.T) {
			porttest.Limits(t, func(t *testing.T) porttest.Stores {
				db, err := sqlstore.Open(t.Context(), source(t))
				check.OK(t, "Open", err)
				t.Cleanup(func() { check.OK(t, "Close", db.Close()) })
				return porttest.Stores{Users: db.Users(), Catalog: db.Catalog(), Jobs: jobstore.New(db.DB), Limits: limitstore.New(db.DB)}
			})
		})
	}
}

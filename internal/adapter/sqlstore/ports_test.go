package sqlstore

import (
	"path/filepath"
	"testing"

	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/transfer"
)

// open opens a new database, closed when the test ends.
func open(t testing.TB) *DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "glyphbox.db"))
}

func openAt(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// on runs a test on each kind of database.
func on(t *testing.T, test func(t *testing.T, open func(t testing.TB) *DB)) {
	t.Run("SQLite", func(t *testing.T) { test(t, open) })
	t.Run("MariaDB", func(t *testing.T) { test(t, openServer) })
}

// openServer opens a new database on the server of the tests.
func openServer(t testing.TB) *DB {
	t.Helper()
	return openAt(t, mariadbtest.Database(t))
}

func suite(t *testing.T, suite func(*testing.T, func(*testing.T) porttest.Stores)) {
	on(t, func(t *testing.T, open func(testing.TB) *DB) {
		suite(t, func(t *testing.T) porttest.Stores {
			db := open(t)
			return porttest.Stores{Users: db.Users(), Sessions: db.Sessions(), Keys: db.Keys(), Catalog: db.Catalog(), Runs: db.Runs(),
				Contents: db.Contents(), Index: db.Index(), Feed: db.Feed(), Settings: db.Settings()}
		})
	})
}

func TestUsers(t *testing.T)    { suite(t, porttest.Users) }
func TestSessions(t *testing.T) { suite(t, porttest.Sessions) }
func TestKeys(t *testing.T)     { suite(t, porttest.Keys) }
func TestCatalog(t *testing.T)  { suite(t, porttest.Catalog) }
func TestRuns(t *testing.T)     { suite(t, porttest.Runs) }
func TestSettings(t *testing.T) { suite(t, porttest.Settings) }
func TestFeed(t *testing.T)     { suite(t, porttest.Feed) }
func TestIndex(t *testing.T)    { suite(t, porttest.Index) }
func TestContents(t *testing.T) {
	on(t, func(t *testing.T, open func(testing.TB) *DB) {
		porttest.Contents(t, func(t *testing.T) recognition.Contents { return open(t).Contents() })
	})
}

func TestMovedContents(t *testing.T) {
	on(t, func(t *testing.T, open func(testing.TB) *DB) {
		porttest.MovedContents(t, func(t *testing.T) transfer.Contents { return open(t).Contents() })
	})
}

package sqlstore

import (
	"path/filepath"
	"testing"

	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
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

func stores(t *testing.T) porttest.Stores {
	db := open(t)
	return porttest.Stores{Users: db.Users(), Sessions: db.Sessions(), Keys: db.Keys(), Catalog: db.Catalog(), Runs: db.Runs(), Contents: db.Contents()}
}

func TestUsers(t *testing.T)    { porttest.Users(t, stores) }
func TestSessions(t *testing.T) { porttest.Sessions(t, stores) }
func TestKeys(t *testing.T)     { porttest.Keys(t, stores) }
func TestCatalog(t *testing.T)  { porttest.Catalog(t, stores) }
func TestRuns(t *testing.T)     { porttest.Runs(t, stores) }
func TestContents(t *testing.T) {
	porttest.Contents(t, func(t *testing.T) recognition.Contents { return open(t).Contents() })
}

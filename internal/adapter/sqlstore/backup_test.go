package sqlstore

import (
	"database/sql"
	"errors"
	"iter"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
)

// Nobody writes at the moment of a backup, so that what its images name can be kept.
func TestBackupMoment(t *testing.T) {
	source, target := filepath.Join(t.TempDir(), "glyphbox.db"), filepath.Join(t.TempDir(), "copy.db")
	db := openAt(t, source)
	filled(t, db)
	impatient, err := sql.Open("sqlite", source+"?_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	defer impatient.Close()
	write := func(name string) error {
		_, err := impatient.ExecContext(t.Context(), `UPDATE image SET name = ? WHERE id = 1`, name)
		return err
	}
	var seen [][]string
	err = Backup(t.Context(), source, target, func(images iter.Seq2[document.Image, error]) (int, error) {
		var names []string
		for i, err := range images {
			if err != nil {
				return 0, err
			}
			names = append(names, i.Name)
		}
		seen = append(seen, names)
		switch err := write("changed"); len(seen) {
		case 1:
			return fewNew + 1, err
		case 2:
			return fewNew, err
		default:
			if !open(t).Is(err, sqldb.Away) {
				t.Errorf("somebody can write at the moment of the backup: %v", err)
			}
			return 0, nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := write("after"); err != nil {
		t.Errorf("nobody can write after the backup: %v", err)
	}
	if want := [][]string{{"한글 문서.png", "it's 100%_\\"}, {"changed", "it's 100%_\\"}, {"changed", "it's 100%_\\"}}; !cmp.Equal(want, seen) {
		t.Errorf("images (-want +got):\n%s", cmp.Diff(want, seen))
	}
	var checked []string
	if err := CheckFile(t.Context(), target, func(i document.Image) error { checked = append(checked, i.Name); return nil }); err != nil {
		t.Error(err)
	}
	if !cmp.Equal(checked, seen[2]) {
		t.Errorf("images of the backup (-want +got):\n%s", cmp.Diff(seen[2], checked))
	}
	if err := write("changed"); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, db, openAt(t, target))

	broken := errors.New("no room")
	if err := Backup(t.Context(), source, target+"2", func(iter.Seq2[document.Image, error]) (int, error) {
		return 0,
			broken
	}); !errors.Is(err, broken) {
		t.Errorf("got error %v, want that of who keeps", err)
	}
}

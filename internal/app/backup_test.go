package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/datadir"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/transfer"
)

func TestBackupAndRestore(t *testing.T) {
	l := liveIn(t)
	s := start(t, l.dir) // which serves on
	backup := filepath.Join(t.TempDir(), "today")
	command(t, "", "backup", backup, "--data-dir", l.dir).want(t, exitOK, "today is complete: it has 7 images")
	command(t, "", "backup", backup, "--data-dir", l.dir).want(t, exitFailure, "already")
	command(t, "", "backup", backup+"/no/parent", "--data-dir", l.dir).want(t, exitFailure, "no such file")
	command(t, "", "backup", backup+"2", "--data-dir", t.TempDir()).want(t, exitFailure, "there is no database in")
	command(t, "", "backup", backup+"2", "--data-dir", l.dir, "--database", mariadbtest.Database(t)).want(t, exitUsage, "mariadb-dump")
	s.stop()
	s.wait()
	err := filepath.WalkDir(filepath.Dir(backup), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if mode := info.Mode().Perm(); mode&0o077 != 0 && path != filepath.Dir(backup) {
			t.Errorf("%s may be read by others: %v", path, mode)
		}
		if strings.Contains(path, ".glyphbox") || strings.HasSuffix(path, "2") && d.IsDir() && filepath.Dir(path) == filepath.Dir(backup) {
			t.Errorf("%s is left behind", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	dir := filepath.Join(t.TempDir(), "new")
	command(t, "", "restore", backup, "--check", "--data-dir", dir).want(t, exitOK, "today is complete: it has 7 images")
	command(t, "", "restore", backup, "--data-dir", dir).want(t, exitOK, "7 images")
	wantSame(t, l.dir, dir)
	command(t, "", "restore", backup, "--data-dir", dir).want(t, exitFailure, "is not empty")
	l.wantAlive(t, dir)
	// The restored one and the backup share nothing.
	command(t, "", "restore", backup, "--check", "--data-dir", dir).want(t, exitOK, "today is complete")

	// A copy of a directory whose service was killed has a part of the database in the log.
	live, cmd := spawn(t, dir)
	live.login("admin", adminPassword).do(http.StatusOK, "GET", path("/user/me"), nil)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if _, err := os.Stat(filepath.Join(dir, "glyphbox.db-wal")); err != nil {
		t.Fatal("there is no log, so that nothing is tested: ", err)
	}
	again := t.TempDir()
	command(t, "", "restore", dir, "--data-dir", again).want(t, exitOK, "8 images")
	wantSame(t, dir, again)
}

func TestRestoreRefuses(t *testing.T) {
	l := liveIn(t)
	blobs, err := filepath.Glob(filepath.Join(l.dir, "blobs", "??", "*"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	command(t, "", "restore", t.TempDir(), "--data-dir", dir).want(t, exitFailure, "there is no database in")
	damage := func(path, want string, change func([]byte) []byte) {
		t.Helper()
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if after := change(append([]byte(nil), before...)); after != nil {
			err = os.WriteFile(path, after, 0o600)
		} else {
			err = os.Remove(path)
		}
		if err != nil {
			t.Fatal(err)
		}
		command(t, "", "restore", l.dir, "--check").want(t, exitFailure, want)
		command(t, "", "restore", l.dir, "--data-dir", dir).want(t, exitFailure, want)
		if left := filesBelow(t, dir); len(left) != 1 { // the lock
			t.Errorf("%d files are left in what was not restored", len(left))
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range blobs {
		damage(path, "There is no such blob", func([]byte) []byte { return nil })
	}
	for _, name := range originalsIn(t, l.dir) {
		damage(filepath.Join(l.dir, "blobs", name[:2], name), "their SHA-256 is another one",
			func(b []byte) []byte { b[100] ^= 1; return b })
	}
	damage(filepath.Join(l.dir, "glyphbox.db"), "the database", func(b []byte) []byte {
		for n := 4096; n < len(b); n++ {
			b[n] ^= 0x55
		}
		return b
	})
	s := start(t, dir)
	command(t, "", "restore", l.dir, "--data-dir", dir).want(t, exitFailure, "another server uses "+dir)
	s.stop()
	s.wait()
}

// originalsIn returns the names of the files that were uploaded into a data directory.
func originalsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(dir, "glyphbox.db"))
	check.OK(t, "Open", err)
	defer db.Close()
	for i, err := range transfer.EveryImage(t.Context(), db.Catalog()) {
		check.OK(t, "EveryImage", err)
		if i.First() {
			names = append(names, i.Original)
		}
	}
	if len(names) != 7 {
		t.Fatalf("there are %d files, want 7", len(names))
	}
	return names
}

// Who has no secret any more is asked for the password of a document again, and everything else is there.
func TestRestoreWithoutTheSecret(t *testing.T) {
	l := liveIn(t)
	check.OK(t, "Remove", os.Remove(datadir.Dir(l.dir).Seal()))
	dir := t.TempDir()
	command(t, "", "restore", l.dir, "--data-dir", dir).want(t, exitOK, "7 images")
	s := start(t, dir)
	ann := l.ann
	ann.t, ann.base = t, s.base
	pages := l.documents[1].pages
	for _, p := range pages {
		_, err := ann.client().View(t.Context(), p.ID, 100)
		if problem, is := errors.AsType[*api.Problem](err); !is || problem.Code != "pdf_encrypted" {
			t.Errorf("page %d without the password: %v", p.Page, err)
		}
	}
	text, err := ann.client().ExportDocument(t.Context(), pages[0].ID, "all", "txt")
	if got := string(ok(t, text, err)); got != l.documents[1].text {
		t.Errorf("the document says %q", got)
	}
	for _, password := range []string{"wrong", documentPassword} {
		_, err := ann.client().ChangeImage(t.Context(), pages[0].ID, api.ImageForm{Password: &password})
		if (err == nil) != (password == documentPassword) {
			t.Errorf("the password %q: %v", password, err)
		}
	}
	s.stop()
	s.wait()
	l.wantAlive(t, dir)
}

func TestRestoreIsKilled(t *testing.T) {
	l := liveIn(t)
	dir := t.TempDir()
	for _, after := range []int{1, 2, 4, 5} {
		if !killAfter(t, after, "restore", l.dir, "--data-dir", dir) {
			t.Fatalf("it ended before it was killed after %d lines", after)
		}
		for _, args := range [][]string{{"serve", "--addr", "127.0.0.1:0", "--data-dir", dir}, {"user", "list", "--data-dir", dir},
			{"backup", dir + "-backup", "--data-dir", dir}} {
			command(t, "", args...).want(t, exitFailure, "has not been finished")
		}
	}
	command(t, "", "restore", l.dir, "--data-dir", dir).want(t, exitOK, "7 images")
	wantSame(t, l.dir, dir)
}

func TestBackupIsKilled(t *testing.T) {
	l := liveIn(t)
	backup := filepath.Join(t.TempDir(), "backup")
	for after := 1; after <= 5; after++ {
		if !killAfter(t, after, "backup", backup, "--data-dir", l.dir) {
			t.Fatalf("it ended before it was killed after %d lines", after)
		}
		if _, err := os.Stat(backup); err == nil {
			t.Fatal("there is a backup that is not complete")
		}
	}
	command(t, "", "backup", backup, "--data-dir", l.dir).want(t, exitOK, "7 images")
	command(t, "", "restore", backup, "--check").want(t, exitOK, "is complete")

	// What is not there cannot be kept, and is named.
	blobs, err := filepath.Glob(filepath.Join(l.dir, "blobs", "??", "*"))
	if err != nil || os.Remove(blobs[0]) != nil || os.Remove(blobs[1]) != nil {
		t.Fatal(blobs, err)
	}
	r := command(t, "", "backup", backup+"2", "--data-dir", l.dir).want(t, exitFailure, "There is no such blob")
	if n := strings.Count(r.stderr, "There is no such blob") + strings.Count(r.stderr, "blob_not_found"); n < 2 {
		t.Errorf("not all that is missing is named:\n%s", r.stderr)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(backup), "*")); err != nil || len(left) != 6 {
		t.Errorf("left are %q, want the backup and what was killed (%v)", left, err)
	}
}

// People upload and delete while backups are made, and every backup is whole.
func TestBackupUnderLoad(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	page, _, boxes := drawn()
	ctx, cancel := context.WithCancel(t.Context())
	var people sync.WaitGroup
	for n := range 4 {
		who := s.signUp(fmt.Sprint("user", n))
		people.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				image := who.upload("page.png", page)
				if i%5 == 0 {
					who.call(http.StatusOK, "POST", path("/image/%d/ocr", image.ID), boxes[:1])
				}
				if i%4 != 0 {
					who.do(http.StatusNoContent, "DELETE", path("/image/%d", image.ID), nil)
				}
			}
		})
	}
	room := t.TempDir()
	backups := 4
	if check.Soak() {
		backups = 40
	}
	for n := range backups {
		backup := filepath.Join(room, fmt.Sprint("backup", n))
		command(t, "", "backup", backup, "--data-dir", dir).want(t, exitOK, "has ")
		command(t, "", "restore", backup, "--check").want(t, exitOK, "is complete")
		db, err := sqlstore.Open(t.Context(), filepath.Join(backup, "glyphbox.db"))
		if err != nil {
			t.Fatal(err)
		}
		images, blobs := 0, filesBelow(t, filepath.Join(backup, "blobs"))
		for i, err := range transfer.EveryImage(t.Context(), db.Catalog()) {
			if err != nil {
				t.Fatal(err)
			}
			images++
			ids, err := db.Runs().ContentIDs(t.Context(), i.ID)
			if err != nil {
				t.Fatal(err)
			}
			if contents, err := db.Contents().Get(t.Context(), ids); err != nil || len(contents) != len(ids) {
				t.Errorf("image %d has %d of %d contents (%v)", i.ID, len(contents), len(ids), err)
			}
		}
		if len(blobs) != 2*images {
			t.Errorf("%d images with %d blobs, want two for each", images, len(blobs))
		}
		db.Close()
	}
	cancel()
	people.Wait()
}

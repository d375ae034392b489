package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "data"))
	for want, check := range map[error]func() error{ErrNoDatabase: d.Check, ErrNoDir: d.CheckDir, ErrNoKeys: d.CheckKeys} {
		if err := check(); !errors.Is(err, want) || !strings.Contains(err.Error(), string(d)) {
			t.Errorf("got %v, want %v and the path", err, want)
		}
	}
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	write(t, d.Database())
	write(t, d.Keys())
	if err := errors.Join(d.Check(), d.CheckDir(), d.CheckKeys()); err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	d := Dir(t.TempDir())
	unlock, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock(); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Errorf("locked twice: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = d.Lock(); err != nil {
		t.Fatal(err)
	}
	defer unlock()
}

// TestRestore has restores fail, be interrupted and meet what somebody has put there.
func TestRestore(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "data"))
	broken := errors.New("broken")
	err := d.Restore(func() error { write(t, d.Database()); return broken })
	if left, _ := os.ReadDir(string(d)); !errors.Is(err, broken) || len(left) != 1 { // the lock
		t.Fatalf("got %v, left %v", err, left)
	}

	write(t, d.join(restoringName)) // as a process that was killed leaves it
	write(t, d.Database())
	for _, refuse := range []func() error{d.Make, d.Check, d.CheckDir} {
		if err := refuse(); err == nil || !strings.Contains(err.Error(), "has not been finished") {
			t.Errorf("got %v", err)
		}
	}
	if err := d.Restore(func() error {
		if _, err := os.Stat(d.Database()); err == nil {
			t.Error("what the killed restore has left is there")
		}
		write(t, d.Database())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	if err := d.Restore(func() error { return nil }); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("restored over a service: %v", err)
	}
}

func TestMakeSpool(t *testing.T) {
	d := Dir(t.TempDir())
	for range 2 {
		if err := d.MakeSpool(); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(d.Spool()); err != nil || len(left) > 0 {
			t.Errorf("left %v (%v)", left, err)
		}
		write(t, filepath.Join(d.Spool(), "upload"))
	}
}

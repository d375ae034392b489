package spool

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTake(t *testing.T) {
	dir := t.TempDir()
	f, err := Take(dir, strings.NewReader("abcdef"), 3)
	if err != nil {
		t.Fatal(err)
	}
	const ofABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // of FIPS 180-2
	if f.Size != 3 || f.SHA256 != ofABC {
		t.Errorf("got %d bytes with %s", f.Size, f.SHA256)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the folder has %v, %v", left, err)
	}
	for range 2 { // each from the beginning
		r, err := f.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != "abc" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestTakeFails(t *testing.T) {
	dir, broken := t.TempDir(), errors.New("broken line")
	if _, err := Take(dir, iotest.ErrReader(broken), 3); err != broken { //nolint:errorlint // as it is
		t.Errorf("got %v, want %v", err, broken)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the folder has %v, %v", left, err)
	}
	if _, err := Take(dir+"/none", strings.NewReader("a"), 3); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v without a folder", err)
	}
}

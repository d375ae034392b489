package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path, temp := filepath.Join(dir, "file"), filepath.Join(dir, "temp")
	broken := errors.New("broken line")
	for _, c := range []struct {
		name  string
		write func(path, temp string, r io.Reader) error
		from  io.Reader
		want  error
		text  string // that the file has then
	}{
		{"a first file cut off", Create, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), broken, ""},
		{"a first file", Create, strings.NewReader("first"), nil, "first"},
		{"one in its place", Create, strings.NewReader("other"), fs.ErrExist, "first"},
		{"another cut off", Write, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), broken, "first"},
		{"another", Write, strings.NewReader("second"), nil, "second"},
	} {
		if err := c.write(path, temp, c.from); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", c.name, err, c.want)
		}
		text, err := os.ReadFile(path)
		if string(text) != c.text || (err != nil) != (c.text == "") {
			t.Errorf("%s: the file has %q and error %v, want %q", c.name, text, err, c.text)
		}
		if _, err := os.Stat(temp); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the temporary file is left: %v", c.name, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v and error %v, want that only the owner can read it", info.Mode(), err)
	}
}

func TestErrorsName(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "file")
	for name, err := range map[string]error{"Fill": Fill(missing, strings.NewReader("")), "SyncFile": SyncFile(missing),
		"SyncDir": SyncDir(missing)} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got error %v, want fs.ErrNotExist", name, err)
		}
	}
}

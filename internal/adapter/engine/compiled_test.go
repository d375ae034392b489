package engine

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// What was compiled ahead is used; where it is of no use, for another processor or damaged, PDF files are opened all the same.
func TestCompiledAhead(t *testing.T) {
	program, err := os.Executable()
	check.OK(t, "Executable", err)
	ahead := filepath.Join(t.TempDir(), "made", "compiled")
	check.OK(t, "Compile", Compile(t.Context(), []string{program, "worker"}, ahead))
	made := compiledIn(t, ahead)
	if len(made) != 1 || made[0].mode != 0o644 {
		t.Fatalf("got %v", made)
	}
	other := func(change func(file string)) string {
		folder := t.TempDir()
		check.OK(t, "CopyFS", os.CopyFS(folder, os.DirFS(ahead)))
		change(filepath.Join(folder, made[0].name))
		return folder
	}
	for name, c := range map[string]struct {
		folder string
		kept   int  // files that the cache has of its own
		linked bool // to what was compiled ahead
	}{
		"for this processor": {ahead, 0, true},
		"for another one": {other(func(file string) {
			check.OK(t, "Rename", os.Rename(file, filepath.Join(filepath.Dir(file), strings.Repeat("5", 64))))
		}), 1, false},
		"damaged": {other(func(file string) { check.OK(t, "Truncate", os.Truncate(file, 1000)) }), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.kept > 0 && !check.Soak() {
				t.Skip("it takes seconds to compile once more")
			}
			user := t.TempDir()
			t.Setenv("XDG_CACHE_HOME", user)
			cache := filepath.Join(user, "glyphbox", "pdfium")
			dangling := filepath.Join(cache, made[0].name) // of an earlier release that is gone
			check.OK(t, "MkdirAll", os.MkdirAll(filepath.Dir(dangling), 0o700))
			check.OK(t, "Symlink", os.Symlink(filepath.Join(user, "gone"), dangling))
			e := start(t, func(o *Options) { o.Workers, o.Models, o.CompiledDir = 1, NoModels, c.folder })
			probe, err := e.Probe(t.Context(), porttest.FileOf(porttest.PDF(porttest.PDFPage{Width: 72, Height: 72})))
			if err != nil || len(probe.Pages) != 1 {
				t.Fatalf("got %v, %v", probe, err)
			}
			kept, linked := 0, false
			for _, f := range compiledIn(t, cache) {
				if f.mode.IsRegular() {
					kept++
				}
				linked = linked || f.name == made[0].name && f.mode&fs.ModeSymlink != 0
			}
			if kept != c.kept || linked != c.linked {
				t.Errorf("the cache has %d files of its own, and is linked: %v", kept, linked)
			}
		})
	}
	t.Run("nothing can be kept", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		check.OK(t, "WriteFile", os.WriteFile(file, nil, 0o600))
		t.Setenv("XDG_CACHE_HOME", file)
		e := start(t, func(o *Options) { o.Workers, o.Models, o.CompiledDir = 1, NoModels, ahead })
		_, err := e.Probe(t.Context(), porttest.FileOf(porttest.PDF(porttest.PDFPage{Width: 72, Height: 72})))
		if about := e.PDF(); err != nil || about.Cache != ahead {
			t.Errorf("got %+v, %v", about, err)
		}
	})
}

type compiledFile struct {
	name string
	mode fs.FileMode
}

func compiledIn(t *testing.T, folder string) (files []compiledFile) {
	t.Helper()
	check.OK(t, "WalkDir", filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		name, _ := filepath.Rel(folder, path)
		files = append(files, compiledFile{name, info.Mode()})
		return err
	}))
	return files
}

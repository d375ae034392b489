package reading

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is a file of the command line, or one in a folder of it.
type File struct {
	Name string // as it was named, or in the folder that was named
	Path string // where it is; another one for what came from standard input
}

// endings are those of the files of a folder that are read.
var endings = []string{".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jp2", ".jpe", ".jpeg", ".jpg", ".j2k", ".pbm", ".pdf",
	".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}

// stdinName stands for standard input on the command line.
const stdinName = "-"

// Find returns the files that the names stand for: themselves, those of documents in folders and in folders in them, in the order of their
// names, and for - standard input, which is kept in a temporary file until remove is called.
func Find(names []string, stdin io.Reader) (files []File, remove func(), err error) {
	remove = func() {}
	for _, name := range names {
		if name == stdinName {
			if slices.ContainsFunc(files, func(f File) bool { return f.Name == stdinName }) {
				return nil, remove, fmt.Errorf("- is there twice")
			}
			path, err := keep(stdin)
			if err != nil {
				return nil, remove, fmt.Errorf("standard input: %w", err)
			}
			remove = func() { _ = os.Remove(path) }
			files = append(files, File{stdinName, path})
			continue
		}
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() { // what is wrong with a file is told when it is opened
			files = append(files, File{name, name})
			continue
		}
		inside, err := inFolder(name)
		if err != nil {
			return nil, remove, err
		}
		if len(inside) == 0 {
			return nil, remove, fmt.Errorf("%s: there is no file in it that ends in %s", name, strings.Join(endings, ", "))
		}
		files = append(files, inside...)
	}
	return files, remove, nil
}

// keep puts what is read into a temporary file.
func keep(r io.Reader) (string, error) {
	f, err := os.CreateTemp("", "glyphbox-stdin-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, r)
	if err := cmp.Or(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func inFolder(folder string) (files []File, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && path != folder
		switch {
		case err != nil:
			return err
		case hidden && entry.IsDir():
			return fs.SkipDir
		case !hidden && !entry.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(path))):
			files = append(files, File{path, path})
		}
		return nil
	})
	return files, err
}

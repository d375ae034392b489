package reading

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glyphbox/internal/spool"
)

// File is a file of the command line, or one in a folder of it.
type File struct {
	Name string      // as it was named, or in the folder that was named
	kept *spool.File // what came from standard input
	from fs.FileInfo // of standard input, where that is a file
}

// Open returns the bytes of the file.
func (f File) Open() (io.ReadCloser, error) {
	if f.kept != nil {
		return f.kept.Open(context.Background())
	}
	return os.Open(f.Name)
}

// endings are those of the files of a folder that are read.
var endings = []string{".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jp2", ".jpe", ".jpeg", ".jpg", ".j2k", ".pbm", ".pdf",
	".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}

// stdinName stands for standard input on the command line.
const stdinName = "-"

// Find returns the files that the names stand for: themselves, those of documents in folders and in folders in them, in the order of their
// names, and for - standard input, which is kept in a file without a name until forget is called.
func Find(names []string, stdin io.Reader) (files []File, forget func(), err error) {
	forget = func() {}
	for _, name := range names {
		if name == stdinName {
			if slices.ContainsFunc(files, func(f File) bool { return f.Name == stdinName }) {
				return nil, forget, fmt.Errorf("- is given twice")
			}
			kept, err := spool.Take(os.TempDir(), stdin, math.MaxInt64)
			if err != nil {
				return nil, forget, fmt.Errorf("standard input: %w", err)
			}
			forget = func() { _ = kept.Close() }
			var from fs.FileInfo
			if f, is := stdin.(*os.File); is {
				from, _ = f.Stat() // it has been read, and nothing else is known to be it
			}
			files = append(files, File{stdinName, kept, from})
			continue
		}
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() { // what is wrong with a file is told when it is opened
			files = append(files, File{Name: name})
			continue
		}
		inside := inFolder(name)
		if len(inside) == 0 {
			return nil, forget, fmt.Errorf("%s contains no file that ends in %s", name, strings.Join(endings, ", "))
		}
		files = append(files, inside...)
	}
	return files, forget, nil
}

// inFolder returns the documents in a folder. A folder in it that cannot be read is returned too, so that it is told as a file would be.
func inFolder(folder string) (files []File) {
	folder += "/" // so that a link to it is followed
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(filepath.Base(path), ".") && path != folder
		switch {
		case err == nil && hidden && entry.IsDir():
			return fs.SkipDir
		case err != nil, !hidden && !entry.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(path))):
			files = append(files, File{Name: path})
		}
		return nil
	})
	return files
}

package reading

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glyphbox/client"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

// Format is what is written.
type Format string

// Formats are all formats. Text and JSON are written as pages come; text is that of the regions, one after the other, under the name of its
// file where there are several, and JSON is a Page on a line. The others are those of exports.
var Formats = []Format{text, lines, "tsv", "hocr", "alto", "pdf", "csv", "xlsx"}

const (
	text  Format = "text"
	lines Format = "json"
)

// Page is a page in JSON, or a file that could not be opened.
type Page struct {
	File     string           `json:"file"`
	Page     int              `json:"page"`             // its number in the file, from 1; 0 where the file could not be opened
	Pages    int              `json:"pages"`            // of the file
	Frames   int              `json:"frames,omitempty"` // of an animation, of which the page is the first
	Width    int              `json:"width"`            // pixels, upright
	Height   int              `json:"height"`           // pixels, upright
	Contents []client.Content `json:"contents"`         // as in the API; ids and versions are empty where no service has read
	Error    string           `json:"error,omitempty"`
}

// ending is how the names of files of the format end.
func (f Format) ending() string {
	switch f {
	case text:
		return ".txt"
	case lines:
		return ".jsonl"
	case "alto":
		return ".alto.xml"
	}
	return "." + string(f)
}

// IsRead tells whether a file is one of those that are read, by whatever name. A terminal, a socket or a device loses nothing if it is
// written to, so it is none.
func IsRead(path string, files []File) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && slices.ContainsFunc(files, func(f File) bool {
		other := f.from
		if f.kept == nil {
			other, _ = os.Stat(f.Name) // nil where there is no such file
		}
		return other != nil && os.SameFile(info, other)
	})
}

func (r *Reading) write(ctx context.Context, files iter.Seq[*read], ahead chan struct{}) error {
	info, err := os.Stat(r.Out)
	switch {
	case r.Out == "" || r.Out == "-":
		return r.writeAll(ctx, r.Stdout, files, len(r.Files) > 1, ahead)
	case err == nil && info.IsDir(), strings.HasSuffix(r.Out, "/"):
		return r.writeEach(ctx, files, ahead)
	}
	return writeFile(r.Out, func(w io.Writer) error { return r.writeAll(ctx, w, files, len(r.Files) > 1, ahead) })
}

// writeEach writes a file for each one that was read into the folder.
func (r *Reading) writeEach(ctx context.Context, files iter.Seq[*read], ahead chan struct{}) error {
	if err := os.MkdirAll(r.Out, 0o777); err != nil {
		return err
	}
	for f := range files {
		if f.err != nil {
			continue
		}
		one := func(yield func(*read) bool) { yield(f) }
		name, err := newFile(r.Out, f.name(), r.Format.ending())
		if err == nil {
			err = writeFile(name, func(w io.Writer) error { return r.writeAll(ctx, w, one, false, ahead) })
			if err != nil {
				err = errors.Join(err, os.Remove(name))
			}
		}
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // the other files can still be written
			r.complain(f, "%s", r.Explain(err))
		}
	}
	return nil
}

// newFile makes an empty file in a folder, called after another one. It has a number where there is a file of that name.
func newFile(folder, name, ending string) (string, error) {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	path := filepath.Join(folder, stem+ending)
	for n := 2; ; n++ {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return path, f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		path = filepath.Join(folder, fmt.Sprintf("%s-%d%s", stem, n, ending))
	}
}

// writeFile writes a file. An existing file is replaced once the new one is complete, and keeps its mode; if nothing is written, it stays.
// Something other than a regular file, such as a device or a pipe, is written into.
func writeFile(name string, write func(io.Writer) error) error {
	mode := fs.FileMode(0o666)
	info, err := os.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		err = write(f)
		return cmp.Or(err, f.Close())
	case err == nil:
		mode = info.Mode().Perm()
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
	default:
		if _, err := os.Readlink(name); err == nil {
			return fmt.Errorf("%s is a symbolic link to what does not exist", name)
		}
	}
	whole := filepath.Join(filepath.Dir(name), ".glyphbox-"+rand.Text())
	f, err := os.OpenFile(whole, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, errors.Unwrap(err)) // without the path, which the user did not give
	}
	defer os.Remove(whole) // it is gone if everything went well
	if info != nil {
		err = f.Chmod(mode)
	}
	err = cmp.Or(err, write(f))
	written, failed := f.Stat()
	if err := cmp.Or(err, failed, f.Close()); err != nil || written.Size() == 0 {
		return err
	}
	return os.Rename(whole, name)
}

// writeAll writes all files as one.
func (r *Reading) writeAll(ctx context.Context, w io.Writer, files iter.Seq[*read], several bool, ahead chan struct{}) error {
	if r.Format == text || r.Format == lines {
		for f := range files {
			write := r.writeLines
			if r.Format == text {
				write = r.writeText
			}
			if err := write(ctx, w, f, several, ahead); err != nil {
				return err
			}
		}
		return nil
	}
	next, stop := iter.Pull(files)
	defer stop()
	first, ok := next()
	for ok && first.err != nil {
		first, ok = next()
	}
	if !ok {
		return nil // nothing could be opened, and that was told
	}
	number := 0
	return r.Exporter.Export(ctx, w, recognition.Format(r.Format), recognition.Transcript{Name: first.name(), Several: several,
		Pages: func(yield func(recognition.TranscriptPage, error) bool) {
			for f, ok := first, true; ok; f, ok = next() {
				for p, err := range r.transcript(ctx, f, ahead) {
					if number++; several {
						p.Number = number
					}
					if !yield(p, err) || err != nil {
						return
					}
				}
			}
		}})
}

// name is the name of the file in messages.
func (f *read) name() string {
	if f.file.Name == stdinName {
		return "stdin"
	}
	return filepath.Base(f.file.Name)
}

// writeText writes the texts of the regions, with a form feed between pages.
func (r *Reading) writeText(ctx context.Context, w io.Writer, f *read, several bool, ahead chan struct{}) error {
	if several {
		if _, err := fmt.Fprintf(w, "==> %s <==\n", f.file.Name); err != nil {
			return err
		}
	}
	between := ""
	for p, err := range r.transcript(ctx, f, ahead) {
		if err != nil {
			return err
		}
		page := between
		for _, c := range p.Run.Contents {
			page += c.Text + "\n"
		}
		if _, err := io.WriteString(w, page); err != nil {
			return err
		}
		between = "\f"
	}
	return nil
}

func (r *Reading) writeLines(ctx context.Context, w io.Writer, f *read, _ bool, ahead chan struct{}) error {
	e := json.NewEncoder(w)
	if f.err != nil {
		return e.Encode(Page{File: f.file.Name, Contents: []client.Content{}, Error: r.Explain(f.err)})
	}
	for i, image := range f.images {
		p := r.next(f, i, ahead)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		page := Page{File: f.file.Name, Page: image.Number, Pages: image.Pages, Frames: image.Frames, Width: image.Width,
			Height: image.Height, Contents: wire.All(p.run.Contents, wire.Content)}
		if p.err != nil {
			page.Error = r.Explain(p.err)
		}
		if err := e.Encode(page); err != nil {
			return err
		}
	}
	return nil
}

package reading

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// shelf is a Source of documents that are lines of text: each is a page. A line "bad" cannot be read, a file "broken" not be opened.
type shelf struct {
	open   atomic.Int64 // documents
	mu     sync.Mutex
	atOnce int
	most   int
}

type book struct {
	*shelf
	pages []document.Image
}

func (s *shelf) Open(_ context.Context, f File) (Document, error) {
	file, err := f.Open()
	if err != nil {
		return nil, errors.New("cannot be opened")
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil || string(data) == "broken" {
		return nil, errors.New("cannot be opened")
	}
	s.open.Add(1)
	b := &book{shelf: s}
	for i, l := range strings.Split(string(data), "\n") {
		b.pages = append(b.pages, document.Image{ID: int64(i + 1), Number: i + 1, Name: l, Frames: strings.Count(l, "~"),
			Geometry: document.Geometry{Width: 10, Height: 10, Pages: strings.Count(string(data), "\n") + 1}})
	}
	return b, nil
}

func (b *book) Pages() []document.Image { return b.pages }

func (b *book) Read(_ context.Context, page document.Image) (recognition.Run, error) {
	b.mu.Lock()
	b.atOnce++
	b.most = max(b.most, b.atOnce)
	b.mu.Unlock()
	defer func() { b.mu.Lock(); b.atOnce--; b.mu.Unlock() }()
	if page.Name == "bad" {
		return recognition.Run{}, errors.New("cannot be read")
	}
	c := recognition.Content{Reading: recognition.Reading{Text: page.Name}}
	if strings.Contains(page.Name, "한") {
		c.Suggested = []string{"kor"}
	}
	if strings.Contains(page.Name, "я") {
		c.Missing = []string{"rus", "ukr"}
	}
	if page.Name == "hard" {
		c.Error = &fault.Failure{Detail: "too hard"}
	}
	return recognition.Run{Version: 1, Contents: []recognition.Content{c}}, nil
}

func (b *book) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
func (b *book) View(context.Context, document.Image, document.Box, int) (document.Rendition, error) {
	return document.Rendition{}, nil
}
func (b *book) Close() error { b.open.Add(-1); return nil }

// numbers is an exporter that writes numbers and texts of pages.
type numbers struct{ err error }

func (n numbers) Export(_ context.Context, w io.Writer, f recognition.Format, t recognition.Transcript) error {
	fmt.Fprintf(w, "%s %s %v:", f, t.Name, t.Several)
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, " %d", p.Number)
		for _, c := range p.Run.Contents {
			fmt.Fprintf(w, "=%s", c.Text)
		}
		if n.err != nil {
			return n.err
		}
	}
	return nil
}

func (numbers) Archive(io.Writer, iter.Seq[recognition.Export]) error { return nil }

// world is a folder of files, by name.
func world(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// runs has the files of a folder read.
func runs(t *testing.T, r *Reading, names ...string) (stdout, stderr string, err error) {
	t.Helper()
	files, forget, err := Find(names, strings.NewReader("one\ntwo"))
	must(t, err)
	defer forget()
	var out, errs bytes.Buffer
	s := &shelf{}
	r.Source, r.Files, r.Stdout, r.Stderr, r.Explain = s, files, &out, &errs, func(err error) string { return err.Error() }
	if r.Exporter == nil {
		r.Exporter = numbers{}
	}
	err = r.Run(t.Context())
	if n := s.open.Load(); n != 0 {
		t.Errorf("%d documents stay open", n)
	}
	if s.most > max(1, r.AtOnce) {
		t.Errorf("%d pages were read at once", s.most)
	}
	return out.String(), errs.String(), err
}

func TestText(t *testing.T) {
	dir := world(t, map[string]string{"a.tif": "one\ntwo\nthree", "b.tif": "four"})
	a, b := filepath.Join(dir, "a.tif"), filepath.Join(dir, "b.tif")
	got, _, err := runs(t, &Reading{Format: text, AtOnce: 3}, a)
	must(t, err)
	if want := "one\n\ftwo\n\fthree\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got, _, err = runs(t, &Reading{Format: text, AtOnce: 3}, a, b)
	must(t, err)
	if want := "==> " + a + " <==\none\n\ftwo\n\fthree\n==> " + b + " <==\nfour\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got, _, err = runs(t, &Reading{Format: text, Pages: recognition.PageRanges{{First: 2, Last: 3}}}, a)
	must(t, err)
	if want := "two\n\fthree\n"; got != want {
		t.Errorf("pages 2 and 3: got %q, want %q", got, want)
	}
	got, errs, err := runs(t, &Reading{Format: text, Pages: recognition.PageRanges{{First: 2, Last: 2}}}, a, b)
	if err == nil || err.Error() != "1 of 2 files could not be read in full" || !strings.Contains(errs, "the document has no page 2") ||
		!strings.Contains(got, "two\n") {
		t.Errorf("page 2 of one page: got %v, %q, %q", err, errs, got)
	}
	got, _, err = runs(t, &Reading{Format: text}, "-")
	must(t, err)
	if want := "one\n\ftwo\n"; got != want {
		t.Errorf("standard input: got %q, want %q", got, want)
	}
}

// Many pages of many files come in order, whatever is read at once, and more of them than are read ahead.
func TestOrder(t *testing.T) {
	files := map[string]string{}
	var want []string
	for f := range 5 {
		var pages []string
		for p := range 50 {
			pages = append(pages, fmt.Sprintf("%d-%d", f, p))
			want = append(want, fmt.Sprintf("%d=%d-%d", len(want)+1, f, p))
		}
		files[fmt.Sprintf("%d.pdf", f)] = strings.Join(pages, "\n")
	}
	got, _, err := runs(t, &Reading{Format: "tsv", AtOnce: 4}, world(t, files))
	must(t, err)
	if want := "tsv 0.pdf true: " + strings.Join(want, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLines(t *testing.T) {
	dir := world(t, map[string]string{"a.tif": "one\nbad\nhard", "b.tif": "broken"})
	got, errs, err := runs(t, &Reading{Format: lines}, filepath.Join(dir, "a.tif"), filepath.Join(dir, "b.tif"))
	if err == nil || err.Error() != "2 of 2 files could not be read in full" {
		t.Errorf("got %v", err)
	}
	var pages []string
	for l := range strings.Lines(got) {
		var p Page
		must(t, json.Unmarshal([]byte(l), &p))
		pages = append(pages, fmt.Sprintf("%s %d/%d %d %s", filepath.Base(p.File), p.Page, p.Pages, len(p.Contents), p.Error))
	}
	want := []string{"a.tif 1/3 1 ", "a.tif 2/3 0 cannot be read", "a.tif 3/3 1 ", "b.tif 0/0 0 cannot be opened"}
	if d := cmp.Diff(want, pages); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, want := range []string{"a.tif: page 2: cannot be read", "a.tif: page 3: region 0,0,0,0: too hard", "b.tif: cannot be opened"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not in %q", want, errs)
		}
	}
}

// Of an animation it is said that it is one.
func TestAnimation(t *testing.T) {
	dir := world(t, map[string]string{"a.gif": "moving~~~", "b.gif": "still"})
	got, errs, err := runs(t, &Reading{Format: lines}, filepath.Join(dir, "a.gif"), filepath.Join(dir, "b.gif"))
	must(t, err)
	if !strings.Contains(errs, "a.gif: an animation of 3 frames, of which the first is read\n") || strings.Contains(errs, "b.gif: an") {
		t.Errorf("got %q", errs)
	}
	if strings.Count(got, `"frames":3`) != 1 || strings.Count(got, `"frames"`) != 1 {
		t.Errorf("got %s", got)
	}
}

// Another language is suggested once for each file, with the page that it was first seen on and the flag that names it.
func TestSuggestedLanguages(t *testing.T) {
	dir := world(t, map[string]string{"a.tif": "one\n한\n한\nя", "b.tif": "한", "c.tif": "one\ntwo"})
	_, errs, err := runs(t, &Reading{Format: text}, dir)
	must(t, err)
	a, b := filepath.Join(dir, "a.tif"), filepath.Join(dir, "b.tif")
	for _, want := range []string{
		a + ": page 2: this looks written in another language: --lang kor may read it better\n",
		a + ": page 4: this looks written in a language that is not installed: rus+ukr\n",
		b + ": this looks written in another language: --lang kor may read it better\n",
	} {
		if strings.Count(errs, want) != 1 {
			t.Errorf("want %q once in %q", want, errs)
		}
	}
	if strings.Count(errs, "looks written") != 3 {
		t.Errorf("got %q", errs)
	}
}

// Folders are read whole, but for what is hidden or no document; each file becomes one of its own where the output is a folder.
func TestFolders(t *testing.T) {
	dir := world(t, map[string]string{"in/b.PDF": "one\ntwo", "in/a.png": "three", "in/deep/a.jpg": "four", "in/.hidden/c.png": "x",
		"in/.c.png": "x", "in/notes.txt": "x", "in/z.tif": "broken"})
	must(t, os.Symlink("in", filepath.Join(dir, "link")))
	out := filepath.Join(dir, "out") + "/"
	_, errs, err := runs(t, &Reading{Format: "hocr", Out: out, AtOnce: 2}, filepath.Join(dir, "link"))
	if err == nil || err.Error() != "1 of 4 files could not be read in full" || !strings.Contains(errs, "z.tif: cannot be opened") {
		t.Errorf("got %v, %s", err, errs)
	}
	entries, err := os.ReadDir(out)
	must(t, err)
	got := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(out, e.Name()))
		must(t, err)
		got[e.Name()] = string(data)
	}
	want := map[string]string{"a.hocr": "hocr a.png false: 1=three", "a-2.hocr": "hocr a.jpg false: 1=four",
		"b.hocr": "hocr b.PDF false: 1=one 2=two"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, _, err := Find([]string{t.TempDir()}, nil); err == nil || !strings.Contains(err.Error(), ".pdf") {
		t.Errorf("an empty folder: got %v", err)
	}
	if _, _, err := Find([]string{"-", "-"}, strings.NewReader("")); err == nil {
		t.Error("standard input twice is no error")
	}
}

// A folder that cannot be read is told, and what is beside it is read.
func TestFolderThatCannotBeRead(t *testing.T) {
	dir := world(t, map[string]string{"a.png": "one", "z.png": "two"})
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	must(t, root.MkdirAll(strings.Repeat(strings.Repeat("m", 200)+"/", 25), 0o700)) // longer than a path can be
	got, errs, err := runs(t, &Reading{Format: text}, dir)
	if err == nil || err.Error() != "1 of 3 files could not be read in full" || !strings.Contains(errs, "mm: cannot be opened") {
		t.Errorf("got %v, %q", err, errs)
	}
	if !strings.Contains(got, "one\n") || !strings.Contains(got, "two\n") {
		t.Errorf("got %q", got)
	}
}

// A file that cannot be written leaves nothing behind, and the others are written; where all go into one, that is the end.
func TestWritingFails(t *testing.T) {
	full := errors.New("disk full")
	dir := world(t, map[string]string{"a.tif": "one\ntwo\nthree", "b.tif": "four\nfive"})
	out := filepath.Join(t.TempDir(), "all.pdf")
	_, _, err := runs(t, &Reading{Format: "pdf", Out: out, Exporter: numbers{full}}, dir)
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	_, errs, err := runs(t, &Reading{Format: "pdf", Out: filepath.Dir(out), Exporter: numbers{full}}, dir)
	if err == nil || strings.Count(errs, "disk full") != 2 {
		t.Errorf("got %v, %q", err, errs)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
		t.Errorf("what is left is %v, %v", left, err)
	}
	_, _, err = runs(t, &Reading{Format: "pdf", Out: out}, dir)
	must(t, err)
	if got, err := os.ReadFile(out); err != nil || string(got) != "pdf a.tif true: 1=one 2=two 3=three 4=four 5=five" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A file that is there is not replaced by one that is called after a document.
func TestFolderKeepsItsFiles(t *testing.T) {
	dir := world(t, map[string]string{"a.tif": "one\ntwo", "b.pdf": "three\nfour", "a.pdf": "mine", "a-2.pdf": "mine"})
	must(t, os.Symlink("nowhere", filepath.Join(dir, "a-3.pdf")))
	_, _, err := runs(t, &Reading{Format: "pdf", Out: dir, Pages: recognition.PageRanges{{First: 1, Last: 1}}},
		filepath.Join(dir, "a.tif"), filepath.Join(dir, "b.pdf"))
	must(t, err)
	for name, want := range map[string]string{"a.pdf": "mine", "a-2.pdf": "mine", "a-4.pdf": "pdf a.tif false: 1=one",
		"b.pdf": "three\nfour", "b-2.pdf": "pdf b.pdf false: 1=three"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

// What is written into stays what it is: a file with its mode, a link, a pipe.
func TestOutputStaysWhatItIs(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	dir := world(t, map[string]string{"a.tif": "one", "private": "old", "linked": "old", "open": "old"})
	in := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Chmod(in("private"), 0o600))
	must(t, os.Chmod(in("open"), 0o666))
	must(t, os.Symlink("linked", in("link")))
	must(t, os.Symlink("nowhere", in("dangling")))
	must(t, syscall.Mkfifo(in("pipe"), 0o600))
	piped := make(chan string)
	go func() {
		got, err := os.ReadFile(in("pipe"))
		piped <- fmt.Sprint(string(got), err)
	}()
	for _, c := range []struct {
		out  string
		mode fs.FileMode
	}{{"private", 0o600}, {"open", 0o666}, {"fresh", 0o640}, {"link", fs.ModeSymlink | 0o777}, {"pipe", fs.ModeNamedPipe | 0o600}} {
		_, _, err := runs(t, &Reading{Format: text, Out: in(c.out)}, in("a.tif"))
		must(t, err)
		info, err := os.Lstat(in(c.out))
		must(t, err)
		if info.Mode() != c.mode {
			t.Errorf("%s: got %s, want %s", c.out, info.Mode(), c.mode)
		}
		if c.out == "pipe" {
			continue
		}
		if got, err := os.ReadFile(in(c.out)); err != nil || string(got) != "one\n" {
			t.Errorf("%s: got %q, %v", c.out, got, err)
		}
	}
	if got, want := <-piped, "one\n<nil>"; got != want {
		t.Errorf("through the pipe came %q, want %q", got, want)
	}
	if got, err := os.ReadFile(in("linked")); err != nil || string(got) != "one\n" {
		t.Errorf("behind the link: got %q, %v", got, err)
	}
	if _, _, err := runs(t, &Reading{Format: "pdf", Out: in("linked")}, in("missing.tif")); err == nil {
		t.Error("a file that is missing is no error")
	}
	if got, err := os.ReadFile(in("linked")); err != nil || string(got) != "one\n" {
		t.Errorf("where nothing could be read: got %q, %v", got, err)
	}
	for out, want := range map[string]string{"dangling": in("dangling") + " is a symbolic link to what does not exist",
		"none/x.txt": in("none/x.txt") + " cannot be written: no such file or directory"} {
		if _, _, err := runs(t, &Reading{Format: text, Out: in(out)}, in("a.tif")); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %q", out, err, want)
		}
	}
}

// The output is recognised among the input files by whatever name it has, and without one where it is standard input.
func TestOutputThatIsRead(t *testing.T) {
	dir := world(t, map[string]string{"a.tif": "one", "b.tif": "two"})
	a, b, link := filepath.Join(dir, "a.tif"), filepath.Join(dir, "b.tif"), filepath.Join(dir, "link")
	must(t, os.Symlink("a.tif", link))
	stdin, err := os.Open(a)
	must(t, err)
	defer stdin.Close()
	for _, names := range [][]string{{a}, {link}, {b, dir}, {"-"}, {"missing", "-"}} {
		files, forget, err := Find(names, stdin)
		must(t, err)
		if !IsRead(a, files) {
			t.Errorf("%q: a.tif is not read", names)
		}
		if names[0] != b && IsRead(b, files) {
			t.Errorf("%q: b.tif is read", names)
		}
		forget()
	}
}

// What is no regular file may be both read and written.
func TestOutputThatIsNoRegularFile(t *testing.T) {
	null, err := os.Open(os.DevNull)
	must(t, err)
	defer null.Close()
	for _, name := range []string{stdinName, os.DevNull} {
		files, forget, err := Find([]string{name}, null)
		must(t, err)
		if IsRead(os.DevNull, files) {
			t.Errorf("%s: the output is said to be read", name)
		}
		forget()
	}
}

// What came from standard input has no name, so that nothing of it stays however the program ends.
func TestStandardInputHasNoName(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	files, forget, err := Find([]string{stdinName}, strings.NewReader("one"))
	must(t, err)
	defer forget()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v", left, err)
	}
	described, err := FileOf(files[0])
	must(t, err)
	r, err := LocalFiles(files).Open(t.Context(), described)
	must(t, err)
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "one" {
		t.Errorf("got %q, %v", got, err)
	}
}

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	pdfcpu "github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	api "glyphbox/client"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/tables"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
	"glyphbox/internal/progress"
	"glyphbox/internal/transfer"
)

// lived is a data directory of a service that people have used, and what one of them has left.
type lived struct {
	dir     string
	ann     person // signed in
	image   int64
	page    []byte
	content string // corrected
	etag    string

	documents []livedDocument
}

// livedDocument is a document of several pages in lived.
type livedDocument struct {
	pages []api.Image
	text  string // of all pages
}

// documentPassword opens the second one of lived.
const documentPassword = "열려라 참깨"

// addDocuments has ann upload a TIFF file of which a page cannot be rendered, and an encrypted PDF file, and read both.
func (l *lived) addDocuments(t *testing.T) {
	t.Helper()
	var sheets []image.Image
	for _, text := range []string{"Letter of the harbour", "What nobody sees", "Three boxes of candles"} {
		sheet, _ := porttest.DrawLines(text)
		sheets = append(sheets, sheet)
	}
	scan := porttest.SpoilPage(porttest.MultiPageTIFF(sheets...), 2)
	typeset := porttest.PDF(porttest.PDFPage{Content: porttest.PDFText(72, 700, 20, "Minutes of the meeting"), Image: sheets[0]},
		porttest.PDFPage{Content: porttest.PDFText(72, 700, 20, "Who was absent"), Rotate: 90})
	var locked bytes.Buffer
	pdfcpu.DisableConfigDir()
	check.OK(t, "Encrypt", pdfcpu.Encrypt(bytes.NewReader(typeset), &locked, model.NewAESConfiguration(documentPassword, "owner", 256)))
	ann := l.ann.client()
	for _, upload := range []func() (api.Image, error){
		func() (api.Image, error) { return ann.Upload(t.Context(), "scan.tiff", bytes.NewReader(scan)) },
		func() (api.Image, error) {
			return ann.UploadLocked(t.Context(), "locked.pdf", &locked, documentPassword)
		},
	} {
		first, err := upload()
		ok(t, first, err)
		_, err = ann.RecognizePages(t.Context(), first.ID, "all", api.Request{Effort: "balanced"})
		check.OK(t, "RecognizePages", err)
		list, err := ann.Pages(t.Context(), first.ID, api.Page{})
		text, exportErr := ann.ExportDocument(t.Context(), first.ID, "all", "txt")
		d := livedDocument{ok(t, list, err).Items, string(ok(t, text, exportErr))}
		_, err = ann.Thumbnail(t.Context(), d.pages[len(d.pages)-1].ID)
		check.OK(t, "Thumbnail", err)
		l.documents = append(l.documents, d)
	}
	if got := [2]string{l.documents[0].text, l.documents[1].text}; got != [2]string{
		"Letter of the harbour\n\f\fThree boxes of candles\n", "Minutes of the meeting\n\fWho was absent\n"} {
		t.Fatalf("the documents say %q", got)
	}
}

// listed is the document as lists have it: its first page, and how far all of its pages are read and proofread.
func (d livedDocument) listed() api.Image {
	first, read, of := d.pages[0], 0, recognition.Proofread{}
	for _, p := range d.pages {
		read += *p.Read
		if p.Regions != nil {
			of = of.Add(recognition.Proofread{Regions: *p.Regions, Confirmed: *p.Confirmed, Doubtful: *p.Doubtful})
		}
	}
	first.Read, first.Regions, first.Confirmed, first.Doubtful = &read, &of.Regions, &of.Confirmed, &of.Doubtful
	return first
}

// wantDocuments wants ann to see the documents as they were, once the text index is made: in lists, searches, page by page and as a whole.
func (l lived) wantDocuments(t *testing.T, ann api.Client) {
	t.Helper()
	for n, keyword := range []string{"scan", "locked"} {
		d := l.documents[n]
		found, err := ann.Images(t.Context(), api.ImageQuery{Keyword: keyword})
		for err == nil && len(found.Items) == 1 && found.Items[0].Regions == nil { // not counted yet
			found, err = ann.Images(t.Context(), api.ImageQuery{Keyword: keyword})
		}
		if d := cmp.Diff([]api.Image{d.listed()}, ok(t, found, err).Items); d != "" {
			t.Errorf("documents that are called %s (-want +got):\n%s", keyword, d)
		}
		list, err := ann.Pages(t.Context(), d.pages[0].ID, api.Page{})
		if d := cmp.Diff(d.pages, ok(t, list, err).Items); d != "" {
			t.Errorf("pages (-want +got):\n%s", d)
		}
		text, err := ann.ExportDocument(t.Context(), d.pages[0].ID, "all", "txt")
		if got := string(ok(t, text, err)); got != d.text {
			t.Errorf("the document says %q, want %q", got, d.text)
		}
		for _, p := range d.pages {
			_, err := ann.View(t.Context(), p.ID, 100)
			_, thumbnailErr := ann.Thumbnail(t.Context(), p.ID)
			if (err == nil) != (p.Error == nil) || (thumbnailErr == nil) != (p.Error == nil) {
				t.Errorf("page %d with the error %v: %v, %v", p.Page, p.Error, err, thumbnailErr)
			}
		}
	}
	for word, image := range map[string]int64{"candles": l.documents[0].pages[2].ID, "absent": l.documents[1].pages[1].ID} {
		hits, _, err := ann.Search(t.Context(), api.SearchQuery{Text: word})
		if len(ok(t, hits, err)) != 1 || hits[0].ImageID != image {
			t.Errorf("%q is found in %+v, want image %d", word, hits, image)
		}
	}
}

// firstLife is what the first test that asks for it has lived, and the files that it has left.
var firstLife struct {
	lived
	files map[string]string
}

// liveIn returns a data directory of its own that a service was used in, once for all tests.
func liveIn(t *testing.T) lived {
	t.Helper()
	if firstLife.files == nil {
		firstLife.lived = live(t)
		firstLife.files = filesBelow(t, firstLife.dir)
	}
	l := firstLife.lived
	l.dir, l.ann.t = t.TempDir(), t
	for name, content := range firstLife.files {
		write(t, l.dir, name, []byte(content))
	}
	return l
}

// live uses a service in all ways that leave traces, and stops it.
func live(t *testing.T) (l lived) {
	t.Helper()
	l.dir = t.TempDir()
	s := start(t, l.dir, "--access-ttl", "24h") // tests sign in once, and may come late
	l.ann = s.signUp("ann")
	bob, cy := s.signUp("Bob"), s.signUp("cy")
	page, _, boxes := drawn()
	l.page = page
	l.image = l.ann.upload("한글 문서 'it's' 100%_.png", page).ID
	l.ann.call(http.StatusOK, "PUT", path("/image/%d", l.image), object{"visibility": "shared"})
	l.addDocuments(t)
	for n := range 4 {
		bob.upload(strings.Repeat("x", n+1)+".png", append(bytes.Clone(page), make([]byte, n+1)...))
	}
	gone := cy.upload("last.png", page)
	ocr := path("/image/%d/ocr", l.image)
	l.ann.call(http.StatusOK, "POST", ocr, boxes)
	contents := as[[]api.Content](t, bob.call(http.StatusOK, "POST", ocr, boxes))
	cy.call(http.StatusOK, "POST", path("/image/%d/ocr", gone.ID), boxes[:1])
	l.content = contents[0].ID
	for _, text := range []string{"하나\n둘", "셋"} {
		bob.call(http.StatusOK, "PUT", path("/ocr/%s", l.content), object{"text": text})
	}
	bob.do(http.StatusNoContent, "DELETE", path("/ocr/%s", contents[1].ID), nil)
	l.etag = l.ann.do(http.StatusOK, "GET", path("/ocr/%s", l.content), nil).Header.Get("ETag")
	l.ann.call(http.StatusCreated, "POST", path("/user/key"), object{"name": "열쇠"})
	cy.do(http.StatusNoContent, "DELETE", path("/user"), nil)
	admin := s.login("admin", adminPassword)
	admin.call(http.StatusOK, "PUT", path("/admin/user/3/state/blocked"), object{"detail": "그만"})
	s.stop()
	if code := s.wait(); code != exitOK {
		t.Fatalf("the service ended with %d", code)
	}
	return l
}

// wantAlive checks that a service on a copy shows what is left to a user who is still signed in.
func (l lived) wantAlive(t *testing.T, dir string, more ...string) {
	t.Helper()
	s := start(t, dir, more...)
	ann := l.ann
	ann.t, ann.base = t, s.base
	if r := ann.do(http.StatusOK, "GET", path("/image/%d", l.image), nil); !bytes.Equal(r.body, l.page) {
		t.Error("the image is not what it was")
	}
	ann.do(http.StatusOK, "GET", path("/image/%d/thumbnail", l.image), nil)
	if images := ann.search("글 문"); len(images) != 1 || images[0].ID != l.image {
		t.Errorf("the search finds %+v, want image %d", images, l.image)
	}
	if runs := as[[]api.Run](t, ann.do(http.StatusOK, "GET", path("/image/%d/ocr", l.image), nil)); len(runs) != 2 ||
		len(runs[0].Contents) != 2 || runs[0].Contents[0].Text != "셋" {
		t.Errorf("runs %+v", runs)
	}
	r := ann.do(http.StatusOK, "GET", path("/ocr/%s", l.content), nil)
	if etag := r.Header.Get("ETag"); etag != l.etag {
		t.Errorf("ETag %s, want %s", etag, l.etag)
	}
	if revisions := as[[]api.Content](t, ann.do(http.StatusOK, "GET", path("/ocr/%s/revisions", l.content), nil)); len(revisions) != 3 ||
		revisions[1].Text != "하나\n둘" {
		t.Errorf("revisions %+v", revisions)
	}
	l.wantDocuments(t, ann.client())
	image := ann.upload("next.png", l.page)
	if image.ID != 12 {
		t.Errorf("the next image has the number %d, want 12, since 11 is gone", image.ID)
	}
	s.stop()
	s.wait()
}

// filesBelow returns what is below a directory, but for what each has of its own.
func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wantSame compares two data directories row by row and byte by byte.
func wantSame(t *testing.T, a, b string) {
	t.Helper()
	var sums [2][]tables.Sum
	var contents [2][]recognition.Content // not by their rows, which also say when they came to be there
	for n, dir := range []string{a, b} {
		db, err := sqlstore.Open(t.Context(), filepath.Join(dir, "glyphbox.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if sums[n], err = db.Sums(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		for i, err := range transfer.EveryImage(t.Context(), db.Catalog()) {
			if err != nil {
				t.Fatal(err)
			}
			ids, err := db.Runs().ContentIDs(t.Context(), i.ID)
			if err != nil {
				t.Fatal(err)
			}
			history, err := db.Contents().History(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			contents[n] = append(contents[n], history...)
		}
	}
	if diff := cmp.Diff(sums[0], sums[1]); diff != "" || len(sums[0]) < 10 {
		t.Errorf("tables (-%s +%s):\n%s", a, b, diff)
	}
	if diff := cmp.Diff(contents[0], contents[1]); diff != "" || len(contents[0]) < 5 {
		t.Errorf("%d revisions of contents (-%s +%s):\n%s", len(contents[0]), a, b, diff)
	}
	for _, name := range []string{"blobs", "keys"} {
		if !cmp.Equal(filesBelow(t, filepath.Join(a, name)), filesBelow(t, filepath.Join(b, name))) {
			t.Errorf("%s are not the same in %s and %s", name, a, b)
		}
	}
}

func TestCopyThereAndBack(t *testing.T) {
	l := liveIn(t)
	database, mongodb := mariadbtest.Database(t), mongotest.URI(t)
	there := t.TempDir()
	r := command(t, "", "copy", "--from-data-dir", l.dir, "--to-data-dir", there, "--to-database-file", file(t, database),
		"--to-mongodb-file", file(t, mongodb)).
		want(t, exitOK, "Both sides are equal: 7 images of ")
	if !strings.Contains(r.stderr, "images") || !strings.Contains(r.stderr, "table user: 4 rows") {
		t.Errorf("the progress is not told:\n%s", r.stderr)
	}
	back := t.TempDir()
	// Variables, as a container has them.
	var stdout, stderr bytes.Buffer
	if code := Run(t.Context(), Process{Args: []string{"copy", "--to-data-dir", back},
		Env: []string{"GLYPHBOX_FROM_DATABASE=" + database, "GLYPHBOX_FROM_MONGODB=" + mongodb,
			"GLYPHBOX_FROM_DATA_DIR=" + there, "GLYPHBOX_DATABASE=mariadb://not.this/one"}, Stdout: &stdout,
		Stderr: &stderr}); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	wantSame(t, l.dir, back)
	l.wantAlive(t, there, "--database", database, "--mongodb", mongodb)
	l.wantAlive(t, back)
}

func TestCopyMixed(t *testing.T) {
	l := liveIn(t)
	last := []string{"--from-data-dir", l.dir}
	var back string
	for _, to := range [][]string{
		{"--database", mariadbtest.Database(t)},                                // and files
		{"--mongodb", mongotest.URI(t)},                                        // and SQLite
		{"--database", mariadbtest.Database(t), "--mongodb", mongotest.URI(t)}, // from a MongoDB to another one
		nil, // SQLite and files
	} {
		back = t.TempDir()
		args := append([]string{"copy"}, last...)
		last = []string{"--from-data-dir", back}
		args = append(args, "--to-data-dir", back)
		for n := 0; n < len(to); n += 2 {
			args = append(args, strings.Replace(to[n], "--", "--to-", 1), to[n+1])
			last = append(last, strings.Replace(to[n], "--", "--from-", 1), to[n+1])
		}
		command(t, "", args...).want(t, exitOK, "Both sides are equal")
	}
	wantSame(t, l.dir, back)

	// By the files that services have.
	to := t.TempDir()
	old, new := file(t, fmt.Sprintf("data-dir = %q\nlog-level = \"debug\"\n", back)),
		file(t, fmt.Sprintf("data-dir = %q\ndatabase-file = %q\n", to, file(t, mariadbtest.Database(t))))
	command(t, "", "copy", "--from", old, "--to", new).want(t, exitOK, "Both sides are equal")
	command(t, "", "copy", "--from", old, "--to", file(t, "data-dirs = \"x\"")).want(t, exitUsage, "--to: ").want(t, exitUsage,
		"unknown setting")

	// Only the rows move; the files are where they are.
	database := mariadbtest.Database(t)
	command(t, "", "copy", "--from-data-dir", l.dir, "--to-data-dir", l.dir, "--to-database", database).want(t, exitOK,
		"Both sides are equal")
	l.wantAlive(t, l.dir, "--database", database)
}

func TestCopyRefuses(t *testing.T) {
	l := liveIn(t)
	copyTo := func(to ...string) result {
		return command(t, "", append([]string{"copy", "--from-data-dir", l.dir}, to...)...)
	}
	copyTo().want(t, exitUsage, "--to-data-dir is required")
	copyTo("--to-database", mariadbtest.Database(t)).want(t, exitUsage, "--to-data-dir is required")
	copyTo("--to-data-dir", l.dir).want(t, exitUsage, "both sides are "+l.dir)
	copyTo("--to-database", "mysql://ann:secret@host/x", "--to-data-dir", t.TempDir()).want(t, exitUsage, "--to: ")
	command(t, "", "copy", "--from-data-dir", t.TempDir(), "--to-data-dir", t.TempDir()).want(t, exitFailure, "there is no database in")
	other := liveIn(t)
	copyTo("--to-data-dir", other.dir).want(t, exitFailure, "not empty")
	mongodb := mongotest.URI(t)
	copyTo("--to-data-dir", t.TempDir(), "--to-mongodb", mongodb).want(t, exitOK, "equal")
	copyTo("--to-data-dir", t.TempDir(), "--to-mongodb", mongodb).want(t, exitFailure, "not empty")

	s := start(t, l.dir)
	copyTo("--to-data-dir", t.TempDir()).want(t, exitFailure, "another server uses "+l.dir)
	s.stop()
	s.wait()
}

// What is not whole is found on either side, and what breaks off is not served.
func TestCopyFindsCorruption(t *testing.T) {
	l := liveIn(t)
	blobs := func(dir string) []string {
		paths, err := filepath.Glob(filepath.Join(dir, "blobs", "??", "*"))
		if err != nil || len(paths) < 9 {
			t.Fatalf("%d blobs, %v", len(paths), err)
		}
		return paths
	}
	var original string
	for _, p := range blobs(l.dir) {
		if b, err := os.ReadFile(p); err != nil || bytes.Equal(b, l.page) {
			original = p
		}
	}
	flip := func(path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := t.TempDir()
	copyAll := func() result { return command(t, "", "copy", "--from-data-dir", l.dir, "--to-data-dir", to) }
	flip(original)
	copyAll().want(t, exitFailure, "한글 문서").want(t, exitFailure, "their SHA-256 is another one")
	command(t, "", "serve", "--data-dir", to, "--addr", "127.0.0.1:0").want(t, exitFailure, "the copy of "+l.dir+" has not been finished")
	other := liveIn(t)
	command(t, "", "copy", "--from-data-dir", other.dir, "--to-data-dir", to).want(t, exitFailure,
		"it contains unfinished work: the copy of "+l.dir)
	flip(original)
	flip(blobs(to)[0]) // on the other side, whichever it is
	copyAll().want(t, exitFailure, "where it is copied to: the bytes are not what they were")
	copyAll().want(t, exitOK, "Both sides are equal")
	wantSame(t, l.dir, to)
}

// Somebody who writes to the source meanwhile is noticed.
func TestCopyOfWhatChanges(t *testing.T) {
	l := liveIn(t)
	from, to := Config{DataDir: datadir.Dir(l.dir)}, Config{DataDir: datadir.Dir(t.TempDir())}
	source, err := openStores(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := openStoresBy(t.Context(), to, sqlstore.OpenToFill)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	c := copyOf(from, to, source, target, progress.New(io.Discard))
	c.Rows = changed{c.Rows, func() {
		if _, err := source.db.Users().Update(t.Context(), 2,
			func(u *account.User) error { u.Email = "new@example.org"; return nil }); err != nil {
			t.Error(err)
		}
	}}
	if _, err := c.Run(t.Context(), "the copy"); err == nil || !strings.Contains(err.Error(), "table user differs") {
		t.Errorf("got error %v, want that users differ", err)
	}
}

// changed has rows change after they were copied.
type changed struct {
	transfer.Rows
	change func()
}

func (c changed) Sync(ctx context.Context, contents bool, done func(table string, rows int64)) error {
	defer c.change()
	return c.Rows.Sync(ctx, contents, done)
}

// A copy that is killed anywhere is taken up again.
func TestCopyIsKilled(t *testing.T) {
	l := liveIn(t)
	database, mongodb := mariadbtest.Database(t), mongotest.URI(t)
	there, back := t.TempDir(), t.TempDir()
	for _, args := range [][]string{
		{"copy", "--from-data-dir", l.dir, "--to-data-dir", there, "--to-database", database, "--to-mongodb", mongodb},
		{"copy", "--from-data-dir", there, "--from-database", database, "--from-mongodb", mongodb, "--to-data-dir", back},
	} {
		after := []int{1, 9, 18} // lines of progress
		if check.Soak() {
			after = []int{1, 3, 5, 7, 9, 12, 15, 18}
		}
		for _, after := range after {
			if !killAfter(t, after, args...) {
				t.Fatalf("%q ended before it was killed after %d lines", args, after)
			}
		}
		command(t, "", args...).want(t, exitOK, "Both sides are equal: 7 images").want(t, exitOK, "going on with the copy of")
	}
	wantSame(t, l.dir, back)
}

// killAfter runs the program as a process that is killed once it has written so many lines to standard error, and tells whether it was.
func killAfter(t *testing.T, lines int, args ...string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = []string{asProgram + "=1", killVariable + "=" + strconv.Itoa(lines), "PATH=" + os.Getenv("PATH")}
	var exit *exec.ExitError
	return errors.As(cmd.Run(), &exit) && !exit.Exited()
}

// killVariable is set in the environment of a program that is to be killed by its own hand after that many lines.
const killVariable = "GLYPHBOX_TEST_KILL_AFTER"

// lineKiller kills the process in the midst, once that many lines are written.
type lineKiller struct{ lines int }

func (k *lineKiller) Write(p []byte) (int, error) {
	if k.lines -= bytes.Count(p, []byte("\n")); k.lines <= 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return len(p), nil
}

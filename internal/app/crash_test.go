package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/sweep"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
	"glyphbox/internal/transfer"
)

// crashOrder is the environment variable that makes TestWalkThatIsKilled walk, with an order as JSON.
const crashOrder = "GLYPHBOX_TEST_CRASH"

// order tells a walk on which stores to go, and at which call to kill itself.
type order struct {
	Config Config
	User   string
	Pages  int  // of a document that the walk is with; 0: it is with two files of one page
	Once   bool // the walk is with requests that have keys
	Call   int  // the n-th call of a port that changes something; 0: none
	When   when
}

type when string

const (
	before when = "before"
	amid   when = "amid" // of a Put: once the first chunks of a large blob are written, or else all of a small one, with the end to come
	after  when = "after"
)

// event is what a walk tells: a call that it is about to make, or what it has been answered, or what it asks for that takes something away.
type event struct {
	Call                            string                `json:",omitempty"`
	Uploaded                        []document.Image      `json:",omitempty"` // all pages
	Recognized, Corrected           []recognition.Content `json:",omitempty"`
	DeletingImage, DeletedImage     int64                 `json:",omitempty"`
	DeletingContent, DeletedContent string                `json:",omitempty"`
}

func tell(e event) {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
}

// killer kills this process at a call of a port. It stands between the domain and the real stores.
type killer struct {
	order
	calls int
}

// at tells whether the call that is made now is to be killed so.
func (k *killer) at(w when) bool { return k.calls == k.Call && k.When == w }

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func (k *killer) around(call string, do func() error) error {
	tell(event{Call: call})
	if k.calls++; k.at(before) {
		die()
	}
	err := do()
	if k.at(after) {
		die()
	}
	return err
}

type killedBlobs struct {
	document.Blobs
	*killer
}

// firstChunks is more than MongoDB is sent at once.
const firstChunks = 1200 << 10

func (b killedBlobs) Put(ctx context.Context, r io.Reader) (name string, err error) {
	err = b.around("Blobs.Put", func() error {
		if b.at(amid) {
			r = io.MultiReader(io.LimitReader(r, firstChunks), deadly{})
		}
		name, err = b.Blobs.Put(ctx, r)
		return err
	})
	return name, err
}

type deadly struct{}

func (deadly) Read([]byte) (int, error) { die(); return 0, nil }

func (b killedBlobs) Delete(ctx context.Context, name string) error {
	return b.around("Blobs.Delete", func() error { return b.Blobs.Delete(ctx, name) })
}

type killedCatalog struct {
	document.Catalog
	*killer
}

func (c killedCatalog) Add(ctx context.Context, claim once.Claim, general limit.Limits, documents ...[]document.Image) (
	added []document.Image, err error) {
	err = c.around("Catalog.Add", func() error { added, err = c.Catalog.Add(ctx, claim, general, documents...); return err })
	return added, err
}

func (c killedCatalog) Update(ctx context.Context, id int64, change func(*document.Image) error) (image document.Image, err error) {
	err = c.around("Catalog.Update", func() error { image, err = c.Catalog.Update(ctx, id, change); return err })
	return image, err
}

func (c killedCatalog) Delete(ctx context.Context, id int64) error {
	return c.around("Catalog.Delete", func() error { return c.Catalog.Delete(ctx, id) })
}

type killedRuns struct {
	recognition.Runs
	*killer
}

func (r killedRuns) Append(ctx context.Context, run recognition.Run) (stored recognition.Run, err error) {
	err = r.around("Runs.Append", func() error { stored, err = r.Runs.Append(ctx, run); return err })
	return stored, err
}

func (r killedRuns) Extend(ctx context.Context, imageID int64, version int, at time.Time,
	change func(*recognition.Run, int) error) (stored recognition.Run, err error) {
	err = r.around("Runs.Extend", func() error { stored, err = r.Runs.Extend(ctx, imageID, version, at, change); return err })
	return stored, err
}

func (r killedRuns) MarkDeleted(ctx context.Context, id string, at time.Time) error {
	return r.around("Runs.MarkDeleted", func() error { return r.Runs.MarkDeleted(ctx, id, at) })
}

func (r killedRuns) RemoveContent(ctx context.Context, id string) error {
	return r.around("Runs.RemoveContent", func() error { return r.Runs.RemoveContent(ctx, id) })
}

type killedContents struct {
	recognition.Contents
	*killer
}

func (c killedContents) Add(ctx context.Context, contents []recognition.Content) error {
	return c.around("Contents.Add", func() error { return c.Contents.Add(ctx, contents) })
}

func (c killedContents) Revise(ctx context.Context, content recognition.Content) error {
	return c.around("Contents.Revise", func() error { return c.Contents.Revise(ctx, content) })
}

func (c killedContents) Delete(ctx context.Context, ids []string) error {
	return c.around("Contents.Delete", func() error { return c.Contents.Delete(ctx, ids) })
}

type killedUsers struct {
	account.Users
	*killer
}

func (u killedUsers) Update(ctx context.Context, id int64, change func(*account.User) error) (user account.User, err error) {
	err = u.around("Users.Update", func() error { user, err = u.Users.Update(ctx, id, change); return err })
	return user, err
}

// domainOn is the domain on stores; the engine and the imager are fakes, since they store nothing.
func domainOn(t *testing.T, s *stores, k *killer) (*account.Service, *document.Service, *recognition.Service) {
	f := porttest.NewFakes(t)
	f.OpenBy(porttest.Files(&document.Staging{Blobs: s.blobs}))
	seals, err := openSeals(k.Config)
	if err != nil {
		t.Fatal(err)
	}
	users := killedUsers{s.db.Users(), k}
	accounts := &account.Service{Users: users, Sessions: s.db.Sessions(), Keys: s.db.Keys(), Tokens: f.Tokens, Passwords: f.Passwords,
		SignUpOpen: true, Now: time.Now}
	images := &document.Service{Catalog: killedCatalog{s.db.Catalog(), k}, Blobs: killedBlobs{s.blobs, k}, Files: f.Files, Imager: f.Imager,
		Users: s.db.Users(), Seals: seals, Now: time.Now}
	results := &recognition.Service{Images: images, Users: users, Engine: f.Engine, Runs: killedRuns{s.db.Runs(), k},
		Contents: killedContents{s.contents, k}, Now: time.Now}
	accounts.Dependents, images.Dependents = images, results
	return accounts, images, results
}

// TestWalkThatIsKilled is the process that TestKilledBetweenStores kills: a user signs up, does everything that concerns more than one
// store, and resigns.
func TestWalkThatIsKilled(t *testing.T) {
	var o order
	if text := os.Getenv(crashOrder); text == "" {
		t.Skip("TestKilledBetweenStores runs this")
	} else if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	s, err := openStores(t.Context(), o.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := &killer{order: o}
	accounts, images, results := domainOn(t, s, k)
	if o.Once {
		walkOnce(t, s, k, accounts, images, results)
		return
	}
	u, err := accounts.SignUp(t.Context(), account.SignUp{Name: o.User, Email: o.User + "@example.org", Password1: password,
		Password2: password})
	if err != nil {
		t.Fatal(err)
	}
	ann := account.Actor{UserID: u.ID, Name: u.Name, Session: "session"}
	if o.Pages > 0 {
		walkWithDocument(t, ann, images, results, o.Pages)
		return
	}
	page, _, boxes := drawn()

	var uploaded []document.Image
	var contents []recognition.Content
	for _, more := range []int{3 << 19, 1} { // a blob of several round trips, and a small one
		file := append(bytes.Clone(page), make([]byte, more)...) // bytes behind a PNG are ignored
		for i := len(page); i < len(file); i++ {
			file[i] = byte(rand.Uint32())
		}
		i, err := images.Upload(t.Context(), ann, "page.png", porttest.FileOf(file))
		if err != nil {
			t.Fatal(err)
		}
		tell(event{Uploaded: []document.Image{i}})
		run, err := results.Recognize(t.Context(), ann, i.ID, recognition.Request{Mode: recognition.BestMode,
			Regions: []recognition.Region{{Box: boxes[0]}, {Box: boxes[1]}}})
		if err != nil {
			t.Fatal(err)
		}
		tell(event{Recognized: run.Contents})
		uploaded, contents = append(uploaded, i), append(contents, run.Contents...)
	}
	for _, text := range []string{"corrected", "corrected again"} {
		c, err := results.Correct(t.Context(), ann, contents[0].ID, recognition.Correction{Text: &text})
		if err != nil {
			t.Fatal(err)
		}
		tell(event{Corrected: []recognition.Content{c}})
	}
	for n, remove := range []func(context.Context, account.Actor, string, recognition.ContentCondition) error{
		results.Purge, results.Delete} {
		tell(event{DeletingContent: contents[n].ID})
		if err := remove(t.Context(), ann, contents[n].ID, nil); err != nil {
			t.Fatal(err)
		}
		tell(event{DeletedContent: contents[n].ID})
	}
	for _, i := range uploaded { // the second one by resigning
		tell(event{DeletingImage: i.ID})
		if i.ID == uploaded[0].ID {
			err = images.Delete(t.Context(), ann, i.ID, nil)
		} else {
			err = accounts.Resign(t.Context(), ann, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		tell(event{DeletedImage: i.ID})
	}
}

// walkWithDocument has a document of many pages uploaded, looked at page by page, read in part and deleted. It is encrypted, and its second
// page cannot be rendered.
func walkWithDocument(t *testing.T, ann account.Actor, images *document.Service, results *recognition.Service, n int) {
	sheets := make([]image.Image, n)
	for i := range sheets {
		sheets[i] = image.NewGray(image.Rect(0, 0, 40+i, 30))
	}
	f := porttest.FileOf(porttest.Locked(porttest.SpoilPage(porttest.MultiPageTIFF(sheets...), 2), ann.Name))
	f.Password = ann.Name
	first, err := images.Upload(t.Context(), ann, "scan.tiff", f)
	if err != nil {
		t.Fatal(err)
	}
	pages, _, err := images.Pages(t.Context(), ann, first.ID, 1, n)
	if err != nil || len(pages) != n {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	tell(event{Uploaded: pages})
	for _, p := range pages[:4] {
		_, r, err := images.Thumbnail(t.Context(), ann, p.ID)
		switch {
		case p.Error != nil && fault.Is(err, fault.Invalid):
		case err != nil:
			t.Fatal(err)
		default:
			r.Close()
		}
	}
	for _, p := range []document.Image{pages[0], pages[n-1]} {
		run, err := results.Recognize(t.Context(), ann, p.ID, recognition.Request{Mode: recognition.BestMode})
		if err != nil {
			t.Fatal(err)
		}
		tell(event{Recognized: run.Contents})
	}
	tell(event{DeletingImage: first.ID})
	if err := images.Delete(t.Context(), ann, first.ID, nil); err != nil {
		t.Fatal(err)
	}
	tell(event{DeletedImage: first.ID})
}

// answers is what clients were told to be there, or to be gone.
type answers struct {
	images                            map[int64]document.Image // of each page
	contents                          map[string]recognition.Content
	documentOf                        map[string]int64 // by content
	deletingImages, deletedImages     map[int64]bool
	deletingContents, deletedContents map[string]bool
}

func newAnswers() answers {
	return answers{images: map[int64]document.Image{}, contents: map[string]recognition.Content{}, documentOf: map[string]int64{},
		deletingImages: map[int64]bool{}, deletedImages: map[int64]bool{},
		deletingContents: map[string]bool{}, deletedContents: map[string]bool{}}
}

// walkUntilKilled lets a process walk until it is killed, or ends. It returns the calls that it made and what it was answered.
func walkUntilKilled(t *testing.T, o order) (calls []string, was answers) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestWalkThatIsKilled$")
	cmd.Env = append(os.Environ(), crashOrder+"="+string(text))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	was = newAnswers()
	var other []string
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	last := int64(0)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			other = append(other, lines.Text())
			continue
		}
		if e.Call != "" {
			calls = append(calls, e.Call)
		}
		for _, i := range e.Uploaded {
			last = i.Document
			was.images[i.ID] = i
		}
		for _, c := range e.Recognized {
			was.contents[c.ID], was.documentOf[c.ID] = c, last
		}
		for _, c := range e.Corrected {
			was.contents[c.ID] = c
		}
		was.deletingContents[e.DeletingContent], was.deletedContents[e.DeletedContent] = true, true
		was.deletingImages[e.DeletingImage], was.deletedImages[e.DeletedImage] = true, true
	}
	err = cmd.Wait()
	killed := cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if killed != (o.Call > 0) || !killed && err != nil {
		t.Fatalf("the walk ended with %v:\n%s\n%s", err, strings.Join(other, "\n"), stderr.String())
	}
	return calls, was
}

// shelf is stores that a test can look into past the ports.
type shelf struct {
	config Config
	sql    *sql.DB
	mongo  *mongo.Database // nil: files, and contents in sql
}

func shelfOf(t *testing.T, c Config) shelf {
	t.Helper()
	s := shelf{config: c}
	driver, name := "sqlite", c.database()
	if c.Database != "" {
		u, err := url.Parse(c.Database)
		if err != nil {
			t.Fatal(err)
		}
		driver, name = "mysql", u.User.String()+"@tcp("+u.Host+")"+u.Path
	}
	var err error
	if s.sql, err = sql.Open(driver, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.sql.Close() })
	if c.MongoDB == "" {
		return s
	}
	u, err := url.Parse(c.MongoDB)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(c.MongoDB))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	s.mongo = client.Database(strings.Trim(u.Path, "/"))
	return s
}

// column returns the texts that a query gives.
func (s shelf) column(t *testing.T, query string) (values []string) {
	t.Helper()
	rows, err := s.sql.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

// field returns the texts in a field of documents.
func (s shelf) field(t *testing.T, collection, field string) (values []string) {
	t.Helper()
	if err := s.mongo.Collection(collection).Distinct(t.Context(), field, bson.D{}).Decode(&values); err != nil {
		t.Fatal(err)
	}
	return values
}

// blobs returns the names of all blobs that there are, be it in part.
func (s shelf) blobs(t *testing.T) (names []string) {
	t.Helper()
	if s.mongo != nil {
		return append(s.field(t, "fs.files", "_id"), s.field(t, "fs.chunks", "files_id")...)
	}
	if err := filepath.WalkDir(s.config.DataDir.Blobs(), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, d.Name())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

// contents returns the IDs of all contents that there are, be it in part.
func (s shelf) contents(t *testing.T) (ids []string) {
	t.Helper()
	if s.mongo == nil {
		return s.column(t, `SELECT content_id FROM content_revision`)
	}
	for _, key := range s.field(t, "content_revision", "_id") {
		id, _, _ := strings.Cut(key, ":")
		ids = append(ids, id)
	}
	return ids
}

// wantNothingLeft checks that there is what rows name, and nothing else.
func (s shelf) wantNothingLeft(t *testing.T) {
	t.Helper()
	set := func(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
	named := s.column(t, `SELECT image_id FROM image UNION SELECT thumbnail_id FROM image WHERE thumbnail_id <> ''`)
	if d := cmp.Diff(set(named), set(s.blobs(t))); d != "" {
		t.Errorf("blobs that rows name and those that there are (-named +there):\n%s", d)
	}
	if d := cmp.Diff(set(s.column(t, `SELECT content_id FROM ocr`)), set(s.contents(t))); d != "" {
		t.Errorf("contents that rows name and those that there are (-named +there):\n%s", d)
	}
}

// sweepLater sweeps as two hours from now.
func sweepLater(t *testing.T, s *stores) {
	t.Helper()
	sweeper := s.sweeper()
	sweeper.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if _, err := sweeper.Sweep(t.Context(), sweep.Options{Age: sweep.MinAge, Force: true}); err != nil {
		t.Fatal(err)
	}
}

func TestKilledBetweenStores(t *testing.T) {
	t.Run("SQLite and files", func(t *testing.T) { killedBetweenStores(t, shelfOf(t, Config{DataDir: datadir.Dir(t.TempDir())})) })
	t.Run("MariaDB and MongoDB", func(t *testing.T) {
		killedBetweenStores(t, shelfOf(t, Config{DataDir: datadir.Dir(t.TempDir()), Database: mariadbtest.Database(t),
			MongoDB: mongotest.URI(t)}))
	})
}

func killedBetweenStores(t *testing.T, s shelf) {
	t.Run("files of one page", func(t *testing.T) {
		s.kill(t, order{Config: s.config, User: "ann"}, "Blobs.Put", "Catalog.Add", "Contents.Add", "Runs.Append", "Contents.Revise",
			"Runs.RemoveContent", "Runs.MarkDeleted", "Contents.Delete", "Catalog.Delete", "Blobs.Delete", "Users.Update")
	})
	pages := 4
	if check.Soak() {
		pages = 50
	} else if s.mongo != nil { // what is called is the same as with files, and killed there
		return
	}
	t.Run("a document", func(t *testing.T) {
		s.kill(t, order{Config: s.config, User: "bea", Pages: pages}, "Blobs.Put", "Catalog.Add", "Catalog.Update", "Contents.Add",
			"Runs.Append", "Catalog.Delete", "Contents.Delete", "Blobs.Delete")
	})
}

// places returns where a walk is to be killed, by the number of the call: before each, which is also after the one before it, amid each Put
// of a blob, and after the last one. In the small form they are those around the first call of each kind; with MongoDB, those after it.
func (s shelf) places(calls []string) map[int][]when {
	first := func(n int) bool { return check.Soak() || n >= 0 && slices.Index(calls, calls[n]) == n }
	at := map[int][]when{}
	for n, call := range calls {
		if first(n) && (s.mongo == nil || check.Soak()) || first(n-1) {
			at[n] = append(at[n], before)
		}
		if first(n) && call == "Blobs.Put" {
			at[n] = append(at[n], amid)
		}
		if n == len(calls)-1 {
			at[n] = append(at[n], after)
		}
	}
	return at
}

// kill has a walk made once to learn which calls there are, among them those that are wanted, and then once for each place.
func (s shelf) kill(t *testing.T, o order, wanted ...string) {
	calls, _ := walkUntilKilled(t, o)
	s.wantNothingLeft(t)
	for _, call := range wanted {
		if !slices.Contains(calls, call) {
			t.Fatalf("the walk does not call %s, only %q", call, calls)
		}
	}
	at := s.places(calls)
	for n, call := range calls {
		for _, w := range at[n] {
			t.Run(fmt.Sprintf("%s %02d %s", w, n+1, call), func(t *testing.T) {
				killed := o
				killed.User, killed.Call, killed.When = fmt.Sprintf("%s%d%s", o.User, n+1, w), n+1, w
				made, was := walkUntilKilled(t, killed)
				if d := cmp.Diff(calls[:n+1], made); d != "" {
					t.Fatalf("calls until it was killed (-want +got):\n%s", d)
				}
				restarted(t, s, was)
			})
		}
	}
}

// restarted checks, with the stores opened anew, that all that was answered is there, sweeps, and checks again.
func restarted(t *testing.T, s shelf, was answers) {
	t.Helper()
	opened, err := openStores(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	_, images, results := domainOn(t, opened, &killer{order: order{Config: s.config}})
	wantAnswered(t, images, results, was)
	wantWhole(t, images, results)
	sweepLater(t, opened)
	s.wantNothingLeft(t)
	wantAnswered(t, images, results, was)
	wantWhole(t, images, results)

	// What is there can be deleted, and then there is nothing.
	all, _, err := images.List(t.Context(), operator, document.Query{Size: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if err := images.Delete(t.Context(), operator, i.ID, nil); err != nil {
			t.Error(err)
		}
	}
	s.wantNothingLeft(t)
}

// wantAnswered checks that what was answered is there, and what was answered to be gone is not.
func wantAnswered(t *testing.T, images *document.Service, results *recognition.Service, was answers) {
	t.Helper()
	for id, want := range was.images {
		got, err := images.Image(t.Context(), operator, id)
		switch {
		case was.deletedImages[want.Document]:
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("image %d, which is deleted: got error %v, want NotFound", id, err)
			}
		case was.deletingImages[want.Document]: // one or the other
		case err != nil || got.SHA256 != want.SHA256 || got.Number != want.Number || got.Password != want.Password:
			t.Errorf("an answered image is lost, or another one: %+v, %v, want %+v", got, err, want)
		}
	}
	for id, want := range was.contents {
		got, err := results.Content(t.Context(), operator, id)
		of := was.documentOf[id]
		switch {
		case was.deletedContents[id] || was.deletedImages[of]:
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("content %s, which is deleted: got error %v, want NotFound", id, err)
			}
		case was.deletingContents[id] || was.deletingImages[of]: // one or the other
		case err != nil || got.Revision < want.Revision || got.Revision == want.Revision && got.Text != want.Text:
			t.Errorf("content %s: got revision %d, %q, and error %v, want at least revision %d, %q", id, got.Revision, got.Text, err,
				want.Revision, want.Text)
		}
	}
}

// wantWhole checks that all that rows name can be read, in full.
func wantWhole(t *testing.T, images *document.Service, results *recognition.Service) {
	t.Helper()
	read := func(r io.ReadCloser, err error) []byte {
		t.Helper()
		if err != nil {
			t.Error(err)
			return nil
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		return b
	}
	missing := map[int64]int{} // pages of a document
	for i, err := range transfer.EveryImage(t.Context(), images.Catalog) {
		if err != nil {
			t.Fatal(err)
		}
		if i.First() {
			missing[i.ID] = i.Pages
		}
		missing[i.Document]--
		_, r, err := images.Original(t.Context(), operator, i.ID)
		if sum := sha256.Sum256(read(r, err)); hex.EncodeToString(sum[:]) != i.SHA256 {
			t.Errorf("image %d has other bytes than it should", i.ID)
		}
		_, r, err = images.Thumbnail(t.Context(), operator, i.ID)
		if i.Error != nil {
			check.Code(t, "thumbnail of a page that cannot be rendered", err, fault.Invalid, i.Error.Code)
		} else if len(read(r, err)) == 0 {
			t.Errorf("image %d has no thumbnail", i.ID)
		}
		runs, err := results.List(t.Context(), operator, i.ID, 0)
		if err != nil {
			t.Error(err)
		}
		for _, run := range runs {
			if len(run.Contents) != len(run.ContentIDs) {
				t.Errorf("version %d of image %d has %d of %d contents", run.Version, i.ID, len(run.Contents), len(run.ContentIDs))
			}
			for _, c := range run.Contents {
				if revisions, err := results.Revisions(t.Context(), operator, c.ID); err != nil || len(revisions) != c.Revision {
					t.Errorf("content %s at revision %d: %d revisions, %v", c.ID, c.Revision, len(revisions), err)
				}
			}
		}
	}
	for id, n := range missing {
		if n != 0 {
			t.Errorf("document %d lacks %d pages", id, n)
		}
	}
}

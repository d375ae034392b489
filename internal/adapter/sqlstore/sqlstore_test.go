package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/adapter/sqlstore/limitstore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

var created = time.Date(2026, time.March, 1, 8, 30, 0, 123456000, time.UTC)

func addUser(t testing.TB, db *DB, name string) account.User {
	t.Helper()
	u, err := db.Users().Add(t.Context(), account.User{Name: name, Email: name + "@example.org", PasswordHash: "hash", Created: created})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func someImage(owner int64, name string) document.Image {
	return document.Image{Name: name, Number: 1, Geometry: document.Geometry{MediaType: "image/png", Width: 800, Height: 600, Pages: 1},
		Size: 1, SHA256: strings.Repeat("0", 64),
		Visibility: document.Private, Owner: account.Ref{ID: owner}, Original: "original", Thumbnail: "thumbnail", Created: created}
}

// addOne adds the images of one document and returns the first.
func addOne(ctx context.Context, db *DB, pages ...document.Image) (document.Image, error) {
	firsts, err := db.Catalog().Add(ctx, once.Claim{}, limit.Limits{}, pages)
	if err != nil {
		return document.Image{}, err
	}
	return firsts[0], nil
}

func addImage(t testing.TB, db *DB, owner int64, name string) document.Image {
	t.Helper()
	i, err := addOne(t.Context(), db, someImage(owner, name))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// textOf returns the first column of a query's rows as text.
func textOf(t testing.TB, q sqldb.Querier, query string, args ...any) (values []string) {
	t.Helper()
	err := sqldb.Each(t.Context(), q, func(scan func(...any) error) error {
		var v string
		err := scan(&v)
		values = append(values, v)
		return err
	}, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// What is promised to survive depends on settings that hold for a connection, so each connection is asked.
func TestSettingsOfEveryConnection(t *testing.T) {
	db := open(t)
	check := func(pool *sql.DB, connections int, want map[string]string) {
		for range connections {
			c, err := pool.Conn(t.Context()) // all are held until the end, so that each is another one
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for pragma, value := range want {
				if got := textOf(t, c, "PRAGMA "+pragma); !slices.Equal(got, []string{value}) {
					t.Errorf("PRAGMA %s: got %q, want %s", pragma, got, value)
				}
			}
		}
	}
	const full = "2"
	check(db.Write, 1, map[string]string{"journal_mode": "wal", "synchronous": full, "foreign_keys": "1", "busy_timeout": "5000",
		"query_only": "0"})
	check(db.Read, sqldb.MaxReaders, map[string]string{"journal_mode": "wal", "synchronous": full, "foreign_keys": "1",
		"busy_timeout": "5000", "query_only": "1"})
}

func TestFilesAreTheirOwnersOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a ?b#%20c") // what a URI would take amiss
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	addUser(t, openAt(t, filepath.Join(dir, "glyphbox.db")), "ann")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]os.FileMode{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = info.Mode()
	}
	want := map[string]os.FileMode{"glyphbox.db": 0o600, "glyphbox.db-wal": 0o600, "glyphbox.db-shm": 0o600}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	notSQLite := filepath.Join(dir, "text")
	if err := os.WriteFile(notSQLite, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{filepath.Join(dir, "missing", "glyphbox.db"), notSQLite, dir, "oracle://host/name"} {
		if db, err := Open(t.Context(), source); err == nil {
			t.Errorf("%s was opened", source)
			db.Close()
		}
	}
}

func TestMigrationsFromNothingAndAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "glyphbox.db")
	schema := func(db *DB) []string {
		return textOf(t, db.Read, `SELECT name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY name`)
	}
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	first := schema(db)
	ann := addUser(t, db, "ann")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, path)
	if d := cmp.Diff(first, schema(db)); d != "" {
		t.Errorf("the schema changed when it was opened again (-want +got):\n%s", d)
	}
	again, err := db.Users().ByID(t.Context(), ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(ann, again); d != "" {
		t.Errorf("the user changed when the database was opened again (-want +got):\n%s", d)
	}
	for table, want := range map[string][]string{ // of the entity diagram
		"role":       {"id", "name"},
		"user":       {"id", "name", "password", "email", "created_datetime", "role_id"},
		"state":      {"id", "name"},
		"user_state": {"user_id", "state_id", "detail", "created_datetime"},
		"logged_in":  {"id", "user_id", "created_datetime"},
		"image":      {"id", "name", "media_type", "image_id", "thumbnail_id", "created_datetime", "user_id"},
		"ocr":        {"id", "version", "created_datetime", "image_id", "user_id", "content_id"},
	} {
		got := textOf(t, db.Read, `SELECT name FROM pragma_table_info(?)`, table)
		for _, column := range want {
			if !slices.Contains(got, column) {
				t.Errorf("table %s has the columns %q, want %s among them", table, got, column)
			}
		}
	}
	if got, want := textOf(t, db.Read, `SELECT name FROM role`), []string{"admin"}; !slices.Equal(got, want) {
		t.Errorf("roles: got %q, want %q", got, want)
	}
	if got, want := textOf(t, db.Read, `SELECT name FROM state ORDER BY name`),
		[]string{"blocked", "inactivate"}; !slices.Equal(got, want) {
		t.Errorf("states: got %q, want %q", got, want)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "glyphbox.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("got error %v, want ErrNewerSchema", err)
	}
}

func TestEmptyStringsAreNull(t *testing.T) { on(t, testEmptyStringsAreNull) }

func testEmptyStringsAreNull(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	u, err := db.Users().Add(t.Context(), account.User{Name: "ann", Email: "ann@example.org", PasswordHash: "hash", Role: account.RoleAdmin,
		Created: created,
		States:  []account.State{{Name: account.StateBlocked, Created: created}}})
	if err != nil {
		t.Fatal(err)
	}
	nulls := func() []string {
		return textOf(t, db.Read, `SELECT CONCAT(name IS NULL, email IS NULL, password IS NULL, role_id IS NULL, detail IS NULL) FROM `+
			`user JOIN user_state ON user_id = id`)
	}
	if got, want := nulls(), []string{"00001"}; !slices.Equal(got, want) {
		t.Errorf("NULLs of name, e-mail, password, role, detail: got %q, want %q", got, want)
	}
	if _, err := db.Users().Update(t.Context(), u.ID, func(u *account.User) error {
		u.Name, u.Email, u.PasswordHash, u.Role = "", "", "", ""
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := nulls(), []string{"11111"}; !slices.Equal(got, want) {
		t.Errorf("NULLs after resigning: got %q, want %q", got, want)
	}
}

func TestTimesSortAsText(t *testing.T) {
	times := []time.Time{
		time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC),
		time.Date(2026, 3, 1, 17, 30, 0, 1999, time.FixedZone("KST", 9*60*60)),
		time.Date(2026, 3, 1, 8, 30, 0, 10000, time.UTC),
		time.Date(2026, 3, 1, 8, 30, 0, 100000000, time.UTC),
		time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
	}
	var got []string
	for _, v := range times {
		value, err := sqldb.Stamp(v).Value()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, value.(string))
		var back sqldb.Stamp
		if err := back.Scan(value); err != nil {
			t.Fatal(err)
		}
		if want := v.UTC().Truncate(time.Microsecond); time.Time(back) != want {
			t.Errorf("got %v back, want %v", time.Time(back), want)
		}
	}
	if !slices.IsSorted(got) {
		t.Errorf("not in order: %q", got)
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"STRASSE", "straße", "Strasse"},
		{"한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"},
		{"Ångström", "A\u030angstro\u0308m", "\u212bNGSTRÖM"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"},
	} {
		for _, s := range same {
			if got, want := sqldb.Fold(s), sqldb.Fold(same[0]); got != want {
				t.Errorf("sqldb.Fold(%q) is %q, want %q", s, got, want)
			}
		}
	}
	if sqldb.Fold("하") == sqldb.Fold("한") || strings.Contains(sqldb.Fold("한"), sqldb.Fold("하")) {
		t.Error("a syllable is found in another one")
	}
}

func TestListReturnsWhatItCounts(t *testing.T) { on(t, testListReturnsWhatItCounts) }

func testListReturnsWhatItCounts(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann, bob := addUser(t, db, "ann"), addUser(t, db, "bob")
	for n := range 7 {
		addImage(t, db, ann.ID, fmt.Sprint("a", n))
		i := addImage(t, db, bob.ID, fmt.Sprint("b", n))
		if n%2 == 0 {
			if _, err := db.Catalog().Update(t.Context(), i.ID, func(i *document.Image) error {
				i.Visibility = document.Shared
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, q := range []document.Query{{}, {Viewer: ann.ID}, {Viewer: bob.ID}, {Owner: bob.ID}, {Viewer: ann.ID, Owner: bob.ID},
		{Viewer: ann.ID, Keyword: "B"}, {Keyword: "1"}} {
		var ids []int64
		total := 0
		for q.Size, q.Page = 3, 0; q.Page < 10; q.Page++ { // more pages than there can be
			images, n, err := db.Catalog().List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			total = n
			if len(images) == 0 {
				break
			}
			for _, i := range images {
				ids = append(ids, i.ID)
			}
		}
		q.Page = 0
		if len(ids) != total || total == 0 {
			t.Errorf("%+v: got %d images by pages, want the %d that were counted", q, len(ids), total)
		}
		if !slices.IsSortedFunc(ids, func(a, b int64) int { return int(b - a) }) {
			t.Errorf("%+v: not newest first: %v", q, ids)
		}
	}
	for _, q := range []document.Query{{Size: 100, Page: 1 << 62}, {Size: 1 << 62, Page: 1 << 62}, {Size: -1},
		{Size: 1, Page: -1, Before: 1}} {
		if images, _, err := db.Catalog().List(t.Context(), q); err != nil || len(images) != 0 {
			t.Errorf("%+v: got %d images and error %v, want none", q, len(images), err)
		}
	}
}

// Pages by number are counted from the nearer end of a list. Together they are the list.
func TestPagesMakeUpTheList(t *testing.T) { on(t, testPagesMakeUpTheList) }

func testPagesMakeUpTheList(t *testing.T, open func(t testing.TB) *DB) {
	db := open(t)
	ann, bob := addUser(t, db, "ann"), addUser(t, db, "bob")
	for n := range 40 {
		i := someImage([]int64{ann.ID, bob.ID}[n/3%2], fmt.Sprint("image ", n))
		if n%4 == 0 || n < 10 {
			i.Visibility = document.Shared
		}
		if _, err := addOne(t.Context(), db, i); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []document.Query{{}, {Viewer: ann.ID}, {Owner: bob.ID}, {Viewer: ann.ID, Owner: bob.ID},
		{Viewer: ann.ID, Keyword: "image"}} {
		q.Size = 100
		all, total, err := db.Catalog().List(t.Context(), q)
		if err != nil || total != len(all) || total < 6 {
			t.Fatalf("%+v: got %d images of %d and error %v", q, len(all), total, err)
		}
		for size := 1; size <= total+1; size++ {
			var got []document.Image
			for page := 0; page <= (total+size-1)/size; page++ { // one too many
				q.Size, q.Page = size, page
				images, n, err := db.Catalog().List(t.Context(), q)
				if err != nil || n != total || len(images) > size {
					t.Fatalf("%+v: got %d images of %d and error %v, want at most %d of %d", q, len(images), n, err, size, total)
				}
				got = append(got, images...)
			}
			q.Page = 0
			if d := cmp.Diff(all, got); d != "" {
				t.Fatalf("%+v: pages of %d (-list +pages):\n%s", q, size, d)
			}
		}
	}
}

// Pages far down a list are where they are in the whole list, be the numbers of its images spread evenly or not.
func TestPagesFarDown(t *testing.T) { on(t, testPagesFarDown) }

func testPagesFarDown(t *testing.T, open func(t testing.TB) *DB) {
	f := populate(t, open(t), 450)
	ann := addUser(t, f.DB, "ann").ID
	for _, text := range []string{
		fmt.Sprint(`UPDATE image SET user_id = `, ann, ` WHERE id > 180 AND id < 240 OR id > 360 AND id < 440 OR id = 1`),
		`DELETE FROM image WHERE id > 60 AND id < 170`,
		`UPDATE image SET id = 90000 WHERE id = 449`,
		`UPDATE user SET images = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id AND document IS NULL), shared = (SELECT COUNT(*)
			FROM image WHERE image.user_id = user.id AND document IS NULL AND visibility = 'shared') WHERE id > 0`,
		fmt.Sprint(`INSERT INTO image_share SELECT id, `, ann, `, user_id, 0, name_key FROM image WHERE visibility = 'private'
			AND id % 2 = 0 AND document IS NULL AND user_id <> `, ann),
		fmt.Sprint(`UPDATE user SET given = (SELECT COUNT(*) FROM image_share) WHERE id = `, ann),
		`INSERT INTO image_tag SELECT id, 'tax', 'tax', user_id, visibility = 'shared', name_key FROM image WHERE id % 5 > 0
			AND document IS NULL`,
		`DELETE FROM image_suffix WHERE suffix >= ''`,
	} {
		if _, err := f.Exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	check.OK(t, "indexing the names anew", f.indexNames(t.Context()))
	for _, q := range []document.Query{{}, {Owner: ann}, {Viewer: ann}, {Viewer: ann, Others: true}, {Viewer: ann, Tags: []string{"tax"}},
		{Viewer: ann, Keyword: "."}, {Viewer: ann, Tags: []string{"tax"}, Keyword: "2"}} {
		for _, q.Order = range []document.Order{document.Newest, document.Oldest, document.ByName} {
			q.Size, q.Page = 1000, 0
			all, total, err := f.Catalog().List(t.Context(), q)
			if err != nil || total != len(all) || total < 100 {
				t.Fatalf("%+v: got %d images of %d and error %v", q, len(all), total, err)
			}
			q.Size = 7
			for q.Page = 0; q.Page <= total/q.Size+1; q.Page += 3 {
				got, _, err := (&Catalog{f.DB, 10}).List(t.Context(), q)
				check.OK(t, "listing", err)
				from := min(q.Page*q.Size, total)
				if check.Same(t, fmt.Sprintf("%+v", q), got, all[from:min(from+q.Size, total)]); t.Failed() {
					return
				}
			}
		}
	}
}

// A reader gets what was committed last while a writer is in the middle of something.
func TestReadersDoNotWait(t *testing.T) { on(t, testReadersDoNotWait) }

func testReadersDoNotWait(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann := addUser(t, db, "ann")
	if _, err := db.Users().Update(t.Context(), ann.ID, func(u *account.User) error {
		u.Name = "anna"
		got, err := db.Users().ByID(t.Context(), ann.ID)
		if err == nil && got.Name != "ann" {
			t.Errorf("got the name %s before it was committed", got.Name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// blockWriter holds the write lock as another process would until release is called.
func blockWriter(t *testing.T, path string) (release func()) {
	t.Helper()
	other := openAt(t, path)
	tx, err := other.Write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

func TestBusyAndFullAreUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "glyphbox.db")
	db := openAt(t, path)
	ann := addUser(t, db, "ann")
	check := func(what string, err error) {
		t.Helper()
		if f := fault.Of(err); err == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
			t.Errorf("%s: got error %v, want Unavailable with RetryAfter", what, err)
		}
	}
	set := func(pragma string) {
		t.Helper()
		if _, err := db.Write.ExecContext(t.Context(), "PRAGMA "+pragma); err != nil {
			t.Fatal(err)
		}
	}

	release := blockWriter(t, path)
	set("busy_timeout(10)")
	_, err := addOne(t.Context(), db, someImage(ann.ID, "a"))
	check("a transaction while it is locked", err)
	check("a statement while it is locked", db.Users().AddLogin(t.Context(), account.Login{UserID: ann.ID, Created: created}))
	release()
	addImage(t, db, ann.ID, "a")

	set("max_page_count(1)") // which means: no more pages than now
	big := recognition.Content{ID: "big", Revision: 1, Reading: recognition.Reading{Text: strings.Repeat("x", 1<<20)}}
	check("a full disk", db.Contents().Add(t.Context(), []recognition.Content{big}))
	if got, err := db.Contents().Get(t.Context(), []string{"big"}); err != nil || len(got) != 0 {
		t.Errorf("got %d contents and error %v after that, want none", len(got), err)
	}
	set("max_page_count(1000000)")
	if err := db.Contents().Add(t.Context(), []recognition.Content{big}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func TestContextErrorsPass(t *testing.T) { on(t, testContextErrorsPass) }

func testContextErrorsPass(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann := addUser(t, db, "ann")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := db.Users().Update(ctx, ann.ID, func(u *account.User) error { // in the middle of a transaction
		u.Name = "anna"
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update: got error %v, want context.Canceled", err)
	}
	_, byID := db.Users().ByID(ctx, ann.ID)
	_, add := addOne(ctx, db, someImage(ann.ID, "a"))
	_, get := db.Contents().Get(ctx, []string{"x"})
	for what, err := range map[string]error{"ByID": byID, "Add": add, "Get": get, "Ping": db.Ping(ctx),
		"DeleteKeysOf": db.Keys().DeleteKeysOf(ctx, ann.ID)} {
		if !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Canceled {
			t.Errorf("%s: got error %v, want context.Canceled", what, err)
		}
	}
	if got, err := db.Users().ByID(t.Context(), ann.ID); err != nil || got.Name != "ann" {
		t.Errorf("got the name %q and error %v, want what it was before", got.Name, err)
	}

	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := db.Users().Update(t.Context(), ann.ID, func(*account.User) error {
			close(held)
			<-release
			return nil
		})
		done <- err
	}()
	<-held
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := db.Users().Update(late, ann.ID, func(*account.User) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the writer: got error %v, want context.DeadlineExceeded", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Who keeps the name and asks for an e-mail that is taken is told of the e-mail, and not that the name is taken.
func TestConflictNamesTheOther(t *testing.T) { on(t, testConflictNamesTheOther) }

func testConflictNamesTheOther(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann, bob := addUser(t, db, "ann"), addUser(t, db, "bob")
	for _, c := range []struct{ name, email, want string }{
		{ann.Name, bob.Email, "email_taken"},
		{"ANN", strings.ToUpper(bob.Email), "email_taken"},
		{"Bob", ann.Email, "name_taken"},
	} {
		_, err := db.Users().Update(t.Context(), ann.ID, func(u *account.User) error { u.Name, u.Email = c.name, c.email; return nil })
		if got := fault.Of(err); err == nil || got.Kind != fault.Conflict || got.Code != c.want {
			t.Errorf("%s, %s: got error %v, want Conflict with code %s", c.name, c.email, err, c.want)
		}
	}
}

func TestAppendNamesWhatIsMissing(t *testing.T) { on(t, testAppendNamesWhatIsMissing) }

func testAppendNamesWhatIsMissing(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann := addUser(t, db, "ann")
	i := addImage(t, db, ann.ID, "a")
	for _, c := range []struct {
		run  recognition.Run
		want string
	}{
		{recognition.Run{ImageID: i.ID + 1, User: account.Ref{ID: ann.ID}, Created: created}, "image_not_found"},
		{recognition.Run{ImageID: i.ID, User: account.Ref{ID: ann.ID + 1}, Created: created}, "user_not_found"},
	} {
		_, err := db.Runs().Append(t.Context(), c.run)
		if got := fault.Of(err); got.Kind != fault.NotFound || got.Code != c.want {
			t.Errorf("got error %v, want NotFound with code %s", err, c.want)
		}
	}
}

// Versions go on where all contents of a run were removed, and an image takes all its rows along.
func TestRunsOutliveTheirContents(t *testing.T) { on(t, testRunsOutliveTheirContents) }

func testRunsOutliveTheirContents(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann := addUser(t, db, "ann")
	i := addImage(t, db, ann.ID, "a")
	for version := 1; version <= 3; version++ {
		id := fmt.Sprint("content", version)
		r, err := db.Runs().Append(t.Context(), recognition.Run{ImageID: i.ID, User: account.Ref{ID: ann.ID}, Created: created,
			ContentIDs: []string{id}})
		if err != nil || r.Version != version {
			t.Fatalf("got version %d and error %v, want %d", r.Version, err, version)
		}
		if err := db.Runs().RemoveContent(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Runs().Append(t.Context(), recognition.Run{ImageID: i.ID, User: account.Ref{ID: ann.ID}, Created: created,
		ContentIDs: []string{"x", "y"}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Catalog().Delete(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	if got, want := textOf(t, db.Read, `SELECT CONCAT((SELECT COUNT(*) FROM ocr_run), ' ', (SELECT COUNT(*) FROM ocr))`),
		[]string{"0 0"}; !slices.Equal(got, want) {
		t.Errorf("rows of runs and contents that are left: got %q, want %q", got, want)
	}
}

func TestGetOfMoreThanOneStatementNames(t *testing.T) { on(t, testGetOfMoreThanOneStatementNames) }

func testGetOfMoreThanOneStatementNames(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	var contents []recognition.Content
	var ids []string
	for n := range sqldb.IDsAtOnce + 7 {
		id := fmt.Sprint("content", n)
		contents, ids = append(contents, recognition.Content{ID: id, Revision: 1}), append(ids, id)
	}
	if err := db.Contents().Add(t.Context(), contents); err != nil {
		t.Fatal(err)
	}
	got, err := db.Contents().Get(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(ids) || got[len(got)-1].ID != ids[len(ids)-1] {
		t.Errorf("got %d contents, want %d in order", len(got), len(ids))
	}
	if err := db.Contents().Delete(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	if got, err := db.Contents().Get(t.Context(), ids); err != nil || len(got) != 0 {
		t.Errorf("got %d contents and error %v after Delete, want none", len(got), err)
	}
}

// What is noted of how many images there are is right whatever is done at once.
func TestCountsStayRight(t *testing.T) { on(t, testCountsStayRight) }

func testCountsStayRight(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	users := []account.User{addUser(t, db, "ann"), addUser(t, db, "bob")}
	var all sync.WaitGroup
	for n := range 24 {
		all.Go(func() {
			image := someImage(users[n%2].ID, "a")
			image.Size = int64(100 + n)
			if n%3 == 0 {
				image.Visibility = document.Shared
			}
			i, err := addOne(t.Context(), db, image)
			if err != nil {
				t.Error(err)
				return
			}
			if n%4 < 2 {
				_, err = db.Catalog().Update(t.Context(), i.ID, func(i *document.Image) error {
					i.Owner.ID, i.Name = 0, "b" // neither counts
					if n%4 == 0 {
						i.Visibility = document.Shared
					} else {
						i.Visibility = document.Private
					}
					return nil
				})
			}
			if n%5 == 0 {
				err = errors.Join(err, db.Catalog().Delete(t.Context(), i.ID))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantRightCounts(t, db)
	if _, err := addOne(t.Context(), db, someImage(users[1].ID+1, "a")); !fault.Is(err, fault.NotFound) {
		t.Errorf("got error %v, want NotFound", err)
	}
}

// wantRightCounts checks the stored counts of what users have.
func wantRightCounts(t *testing.T, db *DB) {
	t.Helper()
	got := textOf(t, db.Read, `SELECT CONCAT(images, ' ', shared, ' ', bytes) FROM user WHERE images > 0 ORDER BY id`)
	want := textOf(t, db.Read, `SELECT CONCAT(COUNT(*), ' ', SUM(visibility = 'shared'), ' ', SUM(size)) FROM image WHERE later = 0
		GROUP BY user_id ORDER BY user_id`)
	if d := cmp.Diff(want, got); d != "" || len(want) == 0 {
		t.Errorf("images, shared ones and bytes of each user (-want +got):\n%s", d)
	}
}

// A database without limits has bytes and the items of the last day counted when it is opened.
func TestWorkOfAnOlderDatabase(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			source := source(t)
			old := upTo(t, source, 16)
			ann, bob := addUser(t, old, "ann"), addUser(t, old, "bob")
			must := func(text string, args ...any) {
				t.Helper()
				if _, err := old.Exec(t.Context(), text, args...); err != nil {
					t.Fatal(err)
				}
			}
			for n, later := range []any{nil, 1, nil} { // a document of two pages, and another one
				must(`INSERT INTO image (id, document, later, page, name, search, name_key, media_type, width, height, pages, size, sha256,
					visibility, image_id, thumbnail_id, created_datetime, user_id) VALUES (?, ?, ?, ?, 'a', 'a', '', 'image/png', 1, 1, 1,
					?, '', 'private', '', '', ?, ?)`, n+1, later, later != nil, n+1, []int{1000, 1000, 7}[n], sqldb.Stamp(created), ann.ID)
			}
			must(`UPDATE user SET images = 2 WHERE id = ?`, ann.ID)
			now := time.Now().UTC().Truncate(time.Minute)
			for n, at := range []time.Time{now.Add(-25 * time.Hour), now.Add(-time.Hour), now.Add(-time.Hour + 59*time.Second), now} {
				must(`INSERT INTO job (id, user_id, priority, request, state, total, queued, running, done, failed, cancelled, seq, worked,
					created_datetime) VALUES (?, ?, 0, '{}', 'done', ?, 0, 0, 0, 0, 0, 0, 0, ?)`, fmt.Sprint("job", n), ann.ID, 1<<n,
					sqldb.Stamp(at))
			}
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			db := openAt(t, source)
			wantRightCounts(t, db)
			_, use, err := limitstore.New(db.DB).Of(t.Context(), ann.ID, now)
			want := limit.Use{Images: 2, Bytes: 1007, Added: []limit.Added{{Slot: now.Add(-time.Hour), Items: 6}, {Slot: now, Items: 8}}}
			if d := cmp.Diff(want, use); d != "" || err != nil {
				t.Errorf("what ann has (-want +got):\n%s%v", d, err)
			}
			if _, use, err := limitstore.New(db.DB).Of(t.Context(), bob.ID, now); err != nil || !cmp.Equal(use, limit.Use{}) {
				t.Errorf("bob has %+v, %v", use, err)
			}
		})
	}
}

// upTo opens a new database as an older release has left it.
func upTo(t *testing.T, source string, version int64) *DB {
	t.Helper()
	db, _, err := connect(source)
	if err != nil {
		t.Fatal(err)
	}
	unlock, provider, err := db.provider(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	return db
}

// A database of the first schema has its images counted when it is opened.
func TestCountsOfAnOlderDatabase(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			source := source(t)
			old := upTo(t, source, 1)
			ann, bob := addUser(t, old, "ann"), addUser(t, old, "bob")
			for n, visibility := range []string{"shared", "private", "shared"} {
				if _, err := old.Exec(t.Context(), `INSERT INTO image (name, search, media_type, width, height, pages, size, sha256,
					visibility, image_id, thumbnail_id, created_datetime, user_id)
					VALUES ('a', 'a', 'image/png', 1, 1, 1, 1, '', ?, '', '', ?, ?)`, visibility, sqldb.Stamp(created), []int64{ann.ID,
					ann.ID, bob.ID}[n]); err != nil {
					t.Fatal(err)
				}
			}
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			db := openAt(t, source)
			if got, want := textOf(t, db.Read, `SELECT CONCAT(images, ' ', shared) FROM user ORDER BY id`),
				[]string{"2 1", "1 1"}; !slices.Equal(got, want) {
				t.Errorf("images and shared ones of each user: got %q, want %q", got, want)
			}
		})
	}
}

// The contents of an older database count as added when it was brought up to date, and so do those that an older release adds after that.
func TestContentsOfAnOlderDatabase(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			source := source(t)
			old := upTo(t, source, 2)
			defer old.Close()
			add := func(id string) {
				if _, err := old.Exec(t.Context(), `INSERT INTO content_revision (content_id, revision, document) VALUES (?, 1, ?)`, id,
					`{"id": "`+id+`", "text": "한글"}`); err != nil {
					t.Fatal(err)
				}
			}
			add("a")
			began := time.Now().Add(-time.Minute) // clocks may differ
			db := openAt(t, source)
			add("b")
			if err := db.Contents().Add(t.Context(), []recognition.Content{{ID: "c", Revision: 1}}); err != nil {
				t.Fatal(err)
			}
			for before, want := range map[time.Time][]string{began: nil, time.Now().Add(time.Minute): {"a", "b", "c"}} {
				var got []string
				for id, err := range db.Contents().Old(t.Context(), before) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, id)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("added before %s (-want +got):\n%s", before, d)
				}
			}
			if got, err := db.Contents().Get(t.Context(), []string{"a"}); err != nil || len(got) != 1 || got[0].Text != "한글" {
				t.Errorf("got %v and error %v, want what was there before", got, err)
			}
		})
	}
}

// A revision that met the deletion of its content may stay without the first one. It is found like any other.
func TestOldLeftoverRevision(t *testing.T) { on(t, testOldLeftoverRevision) }

func testOldLeftoverRevision(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	if _, err := db.Exec(t.Context(), `INSERT INTO content_revision (content_id, revision, document) VALUES ('a', 2, '{}')`); err != nil {
		t.Fatal(err)
	}
	n := 0
	for id, err := range db.Contents().Old(t.Context(), time.Now().Add(time.Hour)) {
		if n++; err != nil || id != "a" {
			t.Errorf("got %q and error %v, want a", id, err)
		}
		if err := db.Contents().Delete(t.Context(), []string{id}); err != nil {
			t.Error(err)
		}
	}
	if left := textOf(t, db.Read, `SELECT COUNT(*) FROM content_revision`); n != 1 || left[0] != "0" {
		t.Errorf("%d were found, and %s are left", n, left[0])
	}
}

package sqlstore

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/mariadbtest"
)

// onEach runs a benchmark on each kind of database.
func onEach(b *testing.B, bench func(b *testing.B, open func(testing.TB) *DB)) {
	b.Run("SQLite", func(b *testing.B) { bench(b, open) })
	b.Run("MariaDB", func(b *testing.B) { bench(b, openServer) })
}

// BenchmarkStoreRun stores a run of as many regions as there may be, of five words each.
func BenchmarkStoreRun(b *testing.B) { onEach(b, benchStoreRun) }

func benchStoreRun(b *testing.B, open func(testing.TB) *DB) {
	db := open(b)
	u := addUser(b, db, "ann")
	i := addImage(b, db, u.ID, "a")
	word := recognition.Word{Text: "word", Box: document.Box{X1: 100, Y1: 100, X2: 150, Y2: 120}, Confidence: 0.9876}
	reading := recognition.Reading{Text: "word word word word word", Words: []recognition.Word{word, word, word, word, word},
		Confidence: 0.9, Lang: []string{"eng"}, Shape: recognition.ShapeLine, Engine: "tesseract 5.3.0"}
	n := 0
	for b.Loop() {
		run := recognition.Run{ImageID: i.ID, User: account.Ref{ID: u.ID}, Created: created, Lang: []string{"eng"}}
		for range 500 {
			c := recognition.Content{ID: fmt.Sprintf("content%019d", n), Revision: 1, Reading: reading}
			run.Contents, run.ContentIDs = append(run.Contents, c), append(run.ContentIDs, c.ID)
			n++
		}
		if err := db.Contents().Add(b.Context(), run.Contents); err != nil {
			b.Fatal(err)
		}
		if _, err := db.Runs().Append(b.Context(), run); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGet gets the contents of such a run.
func BenchmarkGet(b *testing.B) { onEach(b, benchGet) }

func benchGet(b *testing.B, open func(testing.TB) *DB) {
	db := open(b)
	var contents []recognition.Content
	var ids []string
	for n := range 500 {
		id := fmt.Sprintf("content%019d", n)
		contents, ids = append(contents, recognition.Content{ID: id, Revision: 1,
			Reading: recognition.Reading{Text: "word word word word word"}}), append(ids, id)
	}
	if err := db.Contents().Add(b.Context(), contents); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if got, err := db.Contents().Get(b.Context(), ids); err != nil || len(got) != len(ids) {
			b.Fatal(len(got), err)
		}
	}
}

// BenchmarkImages lists and finds images, and adds some, where there are a million; those of ten users, a tenth of them shared. Making them
// takes minutes.
func BenchmarkImages(b *testing.B) {
	for _, on := range []struct {
		name string
		open func(b *testing.B) func() *DB
	}{
		{"SQLite", func(b *testing.B) func() *DB { return func() *DB { return open(b) } }},
		{"MariaDB", func(b *testing.B) func() *DB {
			address := func() string { return mariadbtest.Database(b) }
			if os.Getenv("GLYPHBOX_TEST_MARIADB_DSN") == "" {
				server := mariadbtest.New(b, "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=256M")
				address = func() string { return mariadbtest.DatabaseOn(b, "mariadb://root@"+server.Addr()) }
			}
			return func() *DB { return openAt(b, address()) }
		}},
	} {
		b.Run(on.name, func(b *testing.B) {
			open := on.open(b)
			few, many := populate(b, open(), 1000), populate(b, open(), 1_000_000)
			b.Run("list", func(b *testing.B) { benchList(b, few, many) })
			b.Run("keyword", func(b *testing.B) { benchKeyword(b, many) })
			b.Run("add", func(b *testing.B) {
				porttest.InTurn(b, porttest.Side{Name: "1k", Do: few.add(b)}, porttest.Side{Name: "1M", Do: many.add(b)})
			})
		})
	}
}

// BenchmarkPages lists by page number at a thousand images and at thirty thousand, in turn, on databases that grew to that size by one
// image a commit.
func BenchmarkPages(b *testing.B) {
	onEach(b, func(b *testing.B, open func(testing.TB) *DB) {
		few, many := grow(b, open(b), 1000), grow(b, open(b), 30_000)
		const size = 10
		for _, viewer := range []struct {
			name string
			of   func(f populated) int64
		}{{"user", func(f populated) int64 { return f.user }}, {"admin", func(populated) int64 { return 0 }}} {
			page := func(f populated, order document.Order, at func(pages int) int) func() {
				q := document.Query{Viewer: viewer.of(f), Size: size, Order: order}
				_, total, err := f.Catalog().List(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				q.Page = at((total + size - 1) / size)
				return f.list(b, q)
			}
			first, last := func(int) int { return 0 }, func(pages int) int { return pages - 1 }
			for suffix, order := range map[string]document.Order{"": document.Newest, " by name": document.ByName} {
				b.Run(viewer.name+"/first"+suffix, func(b *testing.B) {
					porttest.InTurn(b, porttest.Side{Name: "1k", Do: page(few, order, first)},
						porttest.Side{Name: "30k", Do: page(many, order, first)})
				})
				b.Run(viewer.name+"/last"+suffix, func(b *testing.B) {
					porttest.InTurn(b, porttest.Side{Name: "1k", Do: page(few, order, last)},
						porttest.Side{Name: "30k", Do: page(many, order, last)})
				})
			}
		}
	})
}

// BenchmarkMiddle lists the first page and one from the middle of 100,000 images, in turn, and reports what the second takes more for each
// image that is skipped. Both count what is in the list.
func BenchmarkMiddle(b *testing.B) {
	onEach(b, func(b *testing.B, open func(testing.TB) *DB) {
		f := populate(b, open(b), 100_000)
		for name, q := range map[string]document.Query{"user": {Viewer: f.user}, "others": {Viewer: f.user, Others: true}, "admin": {},
			"user by name": {Viewer: f.user, Order: document.ByName}, "keyword": {Viewer: f.user, Keyword: "1"}} {
			b.Run(name, func(b *testing.B) {
				q.Size = 10
				_, total, err := f.Catalog().List(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				first, middle := q, q
				middle.Page = total / q.Size / 2
				ms := porttest.InTurn(b, porttest.Side{Name: "first", Do: f.list(b, first)},
					porttest.Side{Name: "middle", Do: f.list(b, middle)})
				b.ReportMetric(1000*(ms[1]-ms[0])/float64(middle.Page*q.Size), "µs/skipped")
			})
		}
	})
}

// BenchmarkGiven lists, finds and counts the tags of documents of a user who sees none but what is shared by name: 1 % of 30,000 images of
// others; beside it those of one who owns as many among 30,000, as it was before there were shares. All have a tag.
func BenchmarkGiven(b *testing.B) {
	onEach(b, func(b *testing.B, open func(testing.TB) *DB) {
		f := populate(b, open(b), 30_000)
		tagged := map[bool]string{false: "others", true: "given"}
		reader, owner := addUser(b, f.DB, "reader"), addUser(b, f.DB, "owner")
		for id := int64(1); id <= f.images; id++ {
			if _, err := f.Catalog().Update(b.Context(), id, func(i *document.Image) error {
				i.Tags = []string{tagged[id%100 == 0], "all"}
				if i.Visibility = document.Private; id%100 == 0 {
					i.Readers = []account.Ref{{ID: reader.ID}}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		for range 300 {
			if _, err := f.Catalog().Update(b.Context(), addImage(b, f.DB, owner.ID, fileName(f.names)).ID, func(i *document.Image) error {
				i.Tags = []string{"given", "all"}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		for _, c := range []struct {
			name string
			q    document.Query
		}{
			{"first", document.Query{Size: 50}},
			{"last", document.Query{Size: 50, Page: 5}},
			{"by name", document.Query{Size: 50, Order: document.ByName}},
			{"keyword", document.Query{Size: 50, Keyword: "수증"}},
			{"keyword that all have", document.Query{Size: 50, Keyword: "."}},
			{"tag", document.Query{Size: 50, Tags: []string{"given"}}},
			{"tag that all have", document.Query{Size: 50, Tags: []string{"all"}}},
			{"two tags", document.Query{Size: 50, Tags: []string{"all", "given"}}},
		} {
			given, own := c.q, c.q
			given.Viewer, own.Viewer = reader.ID, owner.ID
			b.Run(c.name, func(b *testing.B) {
				porttest.InTurn(b, porttest.Side{Name: "own", Do: f.list(b, own)}, porttest.Side{Name: "given", Do: f.list(b, given)})
			})
		}
		b.Run("tags in use", func(b *testing.B) {
			tags := func(viewer int64) func() {
				return func() {
					if _, n, err := f.Catalog().Tags(b.Context(), document.Query{Viewer: viewer, Size: 50}); err != nil || n != 2 {
						b.Fatal(n, err)
					}
				}
			}
			porttest.InTurn(b, porttest.Side{Name: "own", Do: tags(owner.ID)}, porttest.Side{Name: "given", Do: tags(reader.ID)})
		})
	})
}

// benchList lists at a thousand images and at a million, in turn.
func benchList(b *testing.B, few, many populated) {
	for _, c := range []struct {
		name  string
		query func(f populated) document.Query
	}{
		{"user/first page", func(f populated) document.Query { return document.Query{Viewer: f.user, Size: 10} }},
		{"user/before", func(f populated) document.Query {
			return document.Query{Viewer: f.user, Size: 10, Before: f.images / 10}
		}},
		{"admin/first page", func(populated) document.Query { return document.Query{Size: 10} }},
		{"admin/before", func(f populated) document.Query { return document.Query{Size: 10, Before: f.images / 10} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			porttest.InTurn(b, porttest.Side{Name: "1k", Do: few.list(b, c.query(few))},
				porttest.Side{Name: "1M", Do: many.list(b, c.query(many))})
		})
	}
}

// benchKeyword finds images by their suffixes, and by looking through all that one sees, in turn. The user sees 190,000 of a million.
func benchKeyword(b *testing.B, f populated) {
	for _, keyword := range []string{"뷁", "77777", "김민하", "20240315_4", "주민등록등본_김민하_2024-0", "수증", "2019", ".png", "1"} {
		for _, viewer := range []int64{f.user, 0} {
			q := document.Query{Viewer: viewer, Size: 10, Keyword: keyword}
			b.Run(fmt.Sprintf("%s/%s", keyword, map[bool]string{true: "admin", false: "user"}[viewer == 0]), func(b *testing.B) {
				_, total, err := f.Catalog().List(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				porttest.InTurn(b, porttest.Side{Name: "through", Do: f.listThrough(b, q)},
					porttest.Side{Name: "suffixes", Do: f.list(b, q)})
				b.ReportMetric(float64(total), "found")
			})
		}
	}
}

// BenchmarkUserByID is what every request costs.
func BenchmarkUserByID(b *testing.B) { onEach(b, benchUserByID) }

func benchUserByID(b *testing.B, open func(testing.TB) *DB) {
	db := open(b)
	u := addUser(b, db, "ann")
	for b.Loop() {
		if _, err := db.Users().ByID(b.Context(), u.ID); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNamed looks for as many blobs as a sweeper does at once, all of which are named.
func BenchmarkNamed(b *testing.B) { onEach(b, benchNamed) }

func benchNamed(b *testing.B, open func(testing.TB) *DB) {
	db := populate(b, open(b), 100_000)
	var names []string
	for n := range int64(250) {
		names = append(names, original(n*397), thumbnail(n*397))
	}
	for b.Loop() {
		if got, err := db.Catalog().Named(b.Context(), names); err != nil || len(got) != len(names) {
			b.Fatal(len(got), err)
		}
	}
}

// populated is a database of many images of ten users.
type populated struct {
	*DB
	user   int64 // one of those ten
	images int64
	names  *rand.Rand
}

// populate adds images of ten users in turn, a tenth of them shared, and a hundred users who have none.
func populate(t testing.TB, db *DB, images int64) populated {
	t.Helper()
	var users []int64
	for n := range 10 {
		users = append(users, addUser(t, db, fmt.Sprint("user", n)).ID)
	}
	for n := range 100 {
		addUser(t, db, fmt.Sprint("bob", n))
	}
	freezeStatistics(t, db) // as on a server that grows
	r := rand.New(rand.NewPCG(1, 2))
	for first := int64(0); first < images; first += indexedAtOnce {
		if err := db.Update(t.Context(), func(tx *sql.Tx) error {
			const atOnce = 500
			for n := first; n < min(first+indexedAtOnce, images); n += atOnce {
				var args []any
				for k := n; k < min(n+atOnce, images); k++ {
					visibility := document.Private
					if k/10%10 == 0 {
						visibility = document.Shared
					}
					name := fileName(r)
					args = append(args, name, sqldb.Fold(name), sqldb.NameKey(name), strings.Repeat("0", 64), string(visibility),
						original(k), thumbnail(k), sqldb.Stamp(created), users[k%10])
				}
				const row = `(?, ?, ?, 'image/png', 1, 1, 1, 1, ?, ?, ?, ?, ?, ?)`
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO image (name, search, name_key, media_type, width, height, pages, size,
					sha256, visibility, image_id, thumbnail_id, created_datetime, user_id)
					VALUES `+row+strings.Repeat(`, `+row, len(args)/9-1), args...); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	addPages(t, db, images)
	if _, err := db.Exec(t.Context(), `UPDATE user SET images = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id AND document IS
		NULL),
		shared = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id AND document IS NULL
			AND visibility = 'shared') WHERE id > 0`); err != nil {
		t.Fatal(err)
	}
	if err := db.indexNames(t.Context()); err != nil {
		t.Fatal(err)
	}
	return populated{db, users[0], images, r}
}

// grow adds the images of populate one by one, each with a commit of its own.
func grow(t testing.TB, db *DB, images int64) populated {
	t.Helper()
	f := populate(t, db, 0)
	for k := range images {
		i := someImage(f.user+k%10, fileName(f.names))
		if k/10%10 == 0 {
			i.Visibility = document.Shared
		}
		if _, err := addOne(t.Context(), db, i); err != nil {
			t.Fatal(err)
		}
	}
	f.images = images
	return f
}

// addPages makes some of the images documents of many pages.
func addPages(t testing.TB, db *DB, images int64) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *sql.Tx) error {
		const pages = 200
		for first := int64(100); first <= min(500, images); first += 100 {
			i, err := imageByID(t.Context(), tx, first, ``)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(t.Context(), `UPDATE image SET pages = ? WHERE id = ?`, pages, i.ID); err != nil {
				return err
			}
			var later []document.Image
			for i.ID, i.Number, i.Pages, i.Thumbnail = 0, 2, pages, ""; i.Number <= pages; i.Number++ {
				later = append(later, i)
			}
			for part := range slices.Chunk(later, pagesAtOnce) {
				if err := insertPages(t.Context(), tx, i.Document, part); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// original and thumbnail are the blobs of the nth image of those.
func original(n int64) string  { return fmt.Sprintf("original%018d", n) }
func thumbnail(n int64) string { return fmt.Sprintf("thumbnail%017d", n) }

// add returns how to add an image.
func (f populated) add(b *testing.B) func() {
	return func() { addImage(b, f.DB, f.user, fileName(f.names)) }
}

// list returns how to list images.
func (f populated) list(b *testing.B, q document.Query) func() {
	return func() {
		if _, _, err := f.Catalog().List(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}

// listThrough returns how to list what a keyword finds without suffixes.
func (f populated) listThrough(b *testing.B, query document.Query) func() {
	return func() {
		q, err := f.Catalog().findOwners(b.Context(), query, sqldb.Fold(query.Keyword))
		if err != nil {
			b.Fatal(err)
		}
		text, args := q.countThrough()
		if _, err := f.Count(b.Context(), text, args...); err != nil {
			b.Fatal(err)
		}
		part, err := f.Catalog().partOf(b.Context(), query)
		if err == nil {
			_, err = f.Catalog().read(b.Context(), q.through(), part)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

package sqlstore

import (
	"fmt"
	"strings"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
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
	reading := recognition.Reading{Text: "word word word word word", Words: []recognition.Word{word, word, word, word, word}, Confidence: 0.9, Lang: []string{"eng"}, PSM: 7, Engine: "tesseract 5.3.0"}
	n := 0
	for b.Loop() {
		run := recognition.Run{ImageID: i.ID, User: account.Ref{ID: u.ID}, Created: created, Lang: []string{"eng"}}
		for range recognition.MaxRegions {
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
	for n := range recognition.MaxRegions {
		id := fmt.Sprintf("content%019d", n)
		contents, ids = append(contents, recognition.Content{ID: id, Revision: 1, Reading: recognition.Reading{Text: "word word word word word"}}), append(ids, id)
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

// BenchmarkList lists images of a user with a tenth of them all, where another tenth is shared.
func BenchmarkList(b *testing.B) { onEach(b, benchList) }

func benchList(b *testing.B, open func(testing.TB) *DB) {
	for _, images := range []int{1000, 100_000} {
		db := open(b)
		var users []int64
		for n := range 10 {
			users = append(users, addUser(b, db, fmt.Sprint("user", n)).ID)
		}
		fillImages(b, db, users, images)
		for _, c := range []struct {
			name string
			q    document.Query
		}{
			{"page 1", document.Query{Viewer: users[0], Size: 10}},
			{"deep by cursor", document.Query{Viewer: users[0], Size: 10, Before: int64(images / 10)}},
			{"deep by page", document.Query{Viewer: users[0], Size: 10, Page: images / 100}},
			{"admin page 1", document.Query{Size: 10}},
			{"keyword", document.Query{Viewer: users[0], Size: 10, Keyword: "문서 PAGE 77"}},
			{"admin keyword", document.Query{Size: 10, Keyword: "문서 PAGE 77"}},
		} {
			b.Run(fmt.Sprintf("images=%d/%s", images, c.name), func(b *testing.B) {
				for b.Loop() {
					if got, _, err := db.Catalog().List(b.Context(), c.q); err != nil || len(got) == 0 {
						b.Fatal(len(got), err)
					}
				}
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
	db := open(b)
	fillImages(b, db, []int64{addUser(b, db, "ann").ID}, 100_000)
	var names []string
	for n := range 250 {
		names = append(names, fmt.Sprint("original", n*397), fmt.Sprint("thumbnail", n*397))
	}
	for b.Loop() {
		if got, err := db.Catalog().Named(b.Context(), names); err != nil || len(got) != len(names) {
			b.Fatal(len(got), err)
		}
	}
}

// fillImages adds images of users in turn, a tenth of them shared.
func fillImages(t testing.TB, db *DB, users []int64, images int) {
	t.Helper()
	const atOnce = 500
	for first := 0; first < images; first += atOnce {
		var args []any
		for n := first; n < min(first+atOnce, images); n++ {
			visibility := document.Private
			if n/10%10 == 0 {
				visibility = document.Shared
			}
			name := fmt.Sprintf("스캔 한글 문서 page %d.png", n)
			args = append(args, name, fold(name), string(visibility), fmt.Sprint("original", n), fmt.Sprint("thumbnail", n), stamp(created), users[n%len(users)])
		}
		const row = `(?, ?, 'image/png', 1, 1, 1, 1, '', ?, ?, ?, ?, ?)`
		if _, err := db.exec(t.Context(), `INSERT INTO image (name, search, media_type, width, height, pages, size, sha256, visibility, image_id, thumbnail_id, created_datetime, user_id)
			VALUES `+row+strings.Repeat(`, `+row, len(args)/7-1), args...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.exec(t.Context(), `UPDATE user SET images = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id),
		shared = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id AND visibility = 'shared')`); err != nil {
		t.Fatal(err)
	}
}

package sqlstore

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest/mariadbtest"
)

func TestSuffixes(t *testing.T) {
	for name, want := range map[string][]suffix{
		"":                         nil,
		"한":                        {{"한", 0}},
		"banana":                   {{"anana", 0}, {"banana", 0}, {"nana", 0}},
		"anan b":                   {{" b", 0}, {"an b", 0}, {"anan b", 2}, {"b", 0}, {"n b", 0}, {"nan b", 1}},
		"aaaa":                     {{"aaaa", 0}},
		"가각":                       {{"가각", 0}, {"각", 2}}, // bytes in common, not characters
		strings.Repeat("나", 30):    {{strings.Repeat("나", 8), 0}},
		"abcdefghijklmnopqrstuvw한": {{"abcdefghijklmnopqrstuvw\xed", 0}, {"bcdefghijklmnopqrstuvw\xed\x95", 0}}, // cut off at a byte
	} {
		got := suffixesOf(name)
		if len(want) < len(got) && strings.HasPrefix(name, "abc") {
			got = got[:len(want)]
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(suffix{})); d != "" {
			t.Errorf("suffixes of %q (-want +got):\n%s", name, d)
		}
	}
}

// FuzzSuffixes checks that a keyword, or any part of a long one, is found once in a name that has it and nowhere else.
func FuzzSuffixes(f *testing.F) {
	f.Add("banana", "an")
	f.Add("계약서_김민수.png", "서_김")
	f.Add(strings.Repeat("ab", 100), strings.Repeat("ba", 20))
	f.Add(strings.Repeat("가나다라", 20), strings.Repeat("다라가나", 5))
	f.Fuzz(func(t *testing.T, name, keyword string) {
		name, keyword = sqldb.Fold(strings.ToValidUTF8(name, "")), sqldb.Fold(strings.ToValidUTF8(keyword, ""))
		suffixes := suffixesOf(name)
		if n, m := len(suffixes), len([]rune(name)); n > m {
			t.Fatalf("%d suffixes of %d characters", n, m)
		}
		if keyword == "" {
			return
		}
		parts := piecesOf(keyword)
		if len(parts) == 0 {
			t.Fatalf("no part of %q", keyword)
		}
		for _, part := range parts {
			found := 0
			for _, s := range suffixes {
				low, high := from(part)[0].([]byte), from(part)[1].([]byte)
				if s.text >= string(low) && s.text < string(high) && s.lcp < len(part) {
					found++
				}
			}
			want := 0
			if strings.Contains(name, part) {
				want = 1
			}
			if found != want {
				t.Fatalf("%q is found %d times in %q, want %d", part, found, name, want)
			}
		}
	})
}

// suffixRows returns all rows of image_suffix.
func suffixRows(t testing.TB, db *DB) []string {
	t.Helper()
	return textOf(t, db.Read, `SELECT CONCAT(HEX(suffix), ' ', image_id, ' ', lcp, ' ', user_id, ' ', shared) FROM image_suffix ORDER `+
		`BY suffix, image_id`)
}

// Whatever is done at once, the rows are those that would be made of the images there are.
func TestSuffixesFollowFromImages(t *testing.T) { on(t, testSuffixesFollowFromImages) }

func testSuffixesFollowFromImages(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann := addUser(t, db, "ann")
	one := addImage(t, db, ann.ID, "계약서")
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			i, err := addOne(t.Context(), db, someImage(ann.ID, fmt.Sprint("스캔 ", n, strings.Repeat("-", n), " 계약서 banana.png")))
			if err != nil {
				t.Error(err)
				return
			}
			for _, id := range []int64{i.ID, one.ID} {
				if n%3 > 0 {
					_, err = db.Catalog().Update(t.Context(), id, func(i *document.Image) error {
						if n%3 == 1 {
							i.Visibility = document.Shared
						} else {
							i.Name, i.Visibility = fmt.Sprint("Straße ", n), document.Private
						}
						return nil
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
			if n%4 == 0 {
				if err := db.Catalog().Delete(t.Context(), i.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := suffixRows(t, db)
	if len(got) < 500 {
		t.Errorf("got %d rows, want those of 30 names", len(got))
	}
	if _, err := db.Exec(t.Context(), `DELETE FROM image_suffix WHERE suffix >= ''`); err != nil {
		t.Fatal(err)
	}
	if err := db.indexNames(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(suffixRows(t, db), got); d != "" {
		t.Errorf("rows (-of images +got):\n%s", d)
	}
}

// Open makes the suffixes of images that have none, and goes on where that was broken off.
func TestNamesAreIndexedWhenOpened(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			source := source(t)
			db := openAt(t, source)
			ann := addUser(t, db, "ann")
			// As if by a release without suffixes: some in each of three steps.
			var want []string
			for _, id := range []int64{1, 5, indexedAtOnce - 1, indexedAtOnce, indexedAtOnce + 3, 3*indexedAtOnce + 7, 3*indexedAtOnce +
				8} {
				name := fmt.Sprint("스캔 ", id)
				if _, err := db.Exec(t.Context(), `INSERT INTO image (id, name, search, media_type, width, height, pages, size, sha256,
					visibility, image_id, thumbnail_id, created_datetime, user_id)
					VALUES (?, ?, ?, 'image/png', 1, 1, 1, 1, '', 'shared', '', '', ?, ?)`, id, name, sqldb.Fold(name),
					sqldb.Stamp(created), ann.ID); err != nil {
					t.Fatal(err)
				}
				want = append(want, name)
			}
			slices.Reverse(want)
			check := func(what string) {
				t.Helper()
				images, total, err := openAt(t, source).Catalog().List(t.Context(), document.Query{Keyword: "캔", Size: 10})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, i := range images {
					got = append(got, i.Name)
				}
				if d := cmp.Diff(want, got); d != "" || total != len(want) {
					t.Errorf("%s: %d found (-want +got):\n%s", what, total, d)
				}
			}
			check("without suffixes")
			rows := suffixRows(t, db)
			if _, err := db.Exec(t.Context(), `DELETE FROM image_suffix WHERE suffix >= '' AND image_id < ?`, 3*indexedAtOnce); err != nil {
				t.Fatal(err)
			}
			check("broken off after one step")
			if d := cmp.Diff(rows, suffixRows(t, db)); d != "" {
				t.Errorf("rows after it was broken off (-want +got):\n%s", d)
			}
			if _, err := db.Exec(t.Context(), `DELETE FROM image_suffix WHERE suffix >= '' AND image_id >= ? AND image_id < ?`,
				1+indexedAtOnce, 3*indexedAtOnce); err != nil {
				t.Fatal(err)
			}
			if err := db.indexNames(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(rows, suffixRows(t, db)); d != "" {
				t.Errorf("rows with a part of a step missing (-want +got):\n%s", d)
			}
		})
	}
}

// sources make a database of each kind and return what opens it.
var sources = map[string]func(*testing.T) string{
	"SQLite":  func(t *testing.T) string { return t.TempDir() + "/glyphbox.db" },
	"MariaDB": func(t *testing.T) string { return mariadbtest.Database(t) },
}

// TestNamesHaveKeysWhenOpened checks that documents of an older release are in the order of names, too.
func TestNamesHaveKeysWhenOpened(t *testing.T) {
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			source := source(t)
			db := openAt(t, source)
			ann := addUser(t, db, "ann")
			const images = keyedAtOnce + 1
			for n := range images {
				addImage(t, db, ann.ID, fmt.Sprint("page ", images-1-n))
			}
			if _, err := db.Exec(t.Context(), `UPDATE image SET name_key = x'' WHERE id > 0`); err != nil {
				t.Fatal(err)
			}
			list, _, err := openAt(t, source).Catalog().List(t.Context(), document.Query{Size: images, Order: document.ByName})
			if err != nil || len(list) != images {
				t.Fatal(len(list), err)
			}
			for n, i := range list {
				if want := fmt.Sprint("page ", n); i.Name != want {
					t.Fatalf("got %s in place %d, want %s", i.Name, n, want)
				}
			}
		})
	}
}

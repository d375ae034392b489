package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// write changes tables in ways that the stores never do.
func write(t *testing.T, db *DB, text string, args ...any) {
	t.Helper()
	_, err := db.Write.ExecContext(t.Context(), text, args...)
	check.OK(t, text, err)
}

func TestCompact(t *testing.T) { on(t, testCompact) }

// testCompact puts entries in several blocks, and looks for the same before, while, and after these are made compact. A block need not have
// 8192 entries to be full: the next entry has to be in a later one.
func testCompact(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	v := newVocabulary()
	user := addUser(t, db, "ann").ID
	var queries []string
	var all [][]recognition.Content
	var images []document.Image
	put := func(contents int, text func() string) {
		image := addImage(t, db, user, "scan.png")
		run := recognition.Run{ImageID: image.ID, User: account.Ref{ID: user}, Created: created}
		var cs []recognition.Content
		for k := range contents {
			c := recognition.Content{ID: fmt.Sprintf("%026d-%05d", image.ID, k), Revision: 1, Reading: recognition.Reading{Text: text()}}
			cs, run.ContentIDs = append(cs, c), append(run.ContentIDs, c.ID)
		}
		_, err := db.Runs().Append(t.Context(), run)
		check.OK(t, "Append", err)
		check.OK(t, "Put", db.Index().Put(t.Context(), 0, image.ID, cs))
		all, images = append(all, cs), append(images, image)
	}
	for n := range 12 {
		put(100, v.text)
		if n%2 == 1 {
			write(t, db, `UPDATE text_state SET next = next + 8192 WHERE id = 1`)
		}
	}
	put(2000, func() string { return "dense " + v.text() })
	write(t, db, `UPDATE text_state SET next = next + 8192 WHERE id = 1`)
	put(3, v.text)

	for n := range 60 {
		c := all[n%len(all)][n%3].Text
		r := []rune(c)
		from := v.IntN(len(r))
		if q := string(r[from:min(len(r), from+1+v.IntN(5))]); strings.Trim(q, " ,") != "" {
			queries = append(queries, q)
		}
	}
	queries = append(queries, "d", "dense", "dense 1", "ㅎ", "zzzzzz", "scan")
	find := func(q string) (found []int64, err error) {
		sought, err := recognition.NewSought(db.Index().Fold(q))
		if err != nil {
			return nil, err
		}
		l := recognition.Lookup{Sought: sought, Limit: 700}
		for {
			entries, next, err := db.Index().Find(t.Context(), l)
			for _, e := range entries {
				found = append(found, e.ID)
			}
			if err != nil || next == 0 {
				return found, err
			}
			l.Before = next
		}
	}
	want := map[string][]int64{}
	some := 0
	for _, q := range queries {
		found, err := find(q)
		check.OK(t, "Find", err)
		want[q] = found
		some += min(len(found), 1)
	}
	if some < 40 || len(want["dense"]) != 2000 {
		t.Fatalf("%d of %d queries find something, %d entries are found of dense", some, len(queries), len(want["dense"]))
	}
	compare := func() error {
		for _, q := range queries {
			if found, err := find(q); err != nil || !slices.Equal(found, want[q]) {
				return fmt.Errorf("%q: got %d entries, want %d (%w)", q, len(found), len(want[q]), err)
			}
		}
		return nil
	}

	compacted, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	wrong := make([]error, 2)
	for n := range wrong {
		group.Go(func() {
			for wrong[n] == nil && compacted.Err() == nil {
				wrong[n] = compare()
			}
		})
	}
	twice := make([]error, 2) // two nodes at once
	var nodes sync.WaitGroup
	for n := range twice {
		nodes.Go(func() { twice[n] = db.Index().Compact(t.Context()) })
	}
	nodes.Wait()
	cancel()
	group.Wait()
	check.OK(t, "Compact", errors.Join(twice...))
	check.OK(t, "what is found meanwhile", errors.Join(wrong...))
	check.OK(t, "what is found afterwards", compare())
	if left := textOf(t, db.Read, `SELECT COUNT(*) FROM (SELECT DISTINCT block FROM text_posting) AS b`)[0]; left != "1" {
		t.Errorf("%s blocks are not compact; the newest one should be the only one", left)
	}

	// What is changed and deleted later is put in the newest block, and leaves the compact ones.
	c := all[0][0]
	c.Text, c.Revision = "quetzalcoatl", 2
	check.OK(t, "Put", db.Index().Put(t.Context(), 0, images[0].ID, []recognition.Content{c}))
	check.OK(t, "Delete", db.Catalog().Delete(t.Context(), images[12].ID))
	for q, n := range map[string]int{"quetzalcoatl": 1, "dense": 0} {
		if found, err := find(q); err != nil || len(found) != n {
			t.Errorf("%s: got %d entries, want %d (%v)", q, len(found), n, err)
		}
	}
}

func TestFewImagesInFullBlocks(t *testing.T) { on(t, testFewImagesInFullBlocks) }

// testFewImagesInFullBlocks looks for what all pages of many have, for who has one image in each block and is given a document: with the
// entries of blocks as they were put, once it is noted whose these are, and when that was not noted in time. Texts are corrected, which
// puts entries between those of others, and images deleted.
func testFewImagesInFullBlocks(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	ann, bob, eve := addUser(t, db, "ann").ID, addUser(t, db, "bob").ID, addUser(t, db, "eve").ID
	var bobs []document.Image
	texts := map[int64][]recognition.Content{}
	put := func(owner int64) document.Image {
		image := addImage(t, db, owner, "scan.png")
		run := recognition.Run{ImageID: image.ID, User: account.Ref{ID: owner}, Created: created}
		for k := range 20 {
			c := recognition.Content{ID: fmt.Sprintf("%026d-%05d", image.ID, k), Revision: 1, Reading: recognition.Reading{Text: "common"}}
			texts[image.ID], run.ContentIDs = append(texts[image.ID], c), append(run.ContentIDs, c.ID)
		}
		_, err := db.Runs().Append(t.Context(), run)
		check.OK(t, "Append", err)
		check.OK(t, "Put", db.Index().Put(t.Context(), 0, image.ID, texts[image.ID]))
		return image
	}
	for block := range 3 {
		for n := range 20 {
			if put(ann); n == 7 {
				bobs = append(bobs, put(bob))
			}
		}
		c := &texts[bobs[0].ID][block]
		c.Revision++
		check.OK(t, "Put", db.Index().Put(t.Context(), 0, bobs[0].ID, []recognition.Content{*c}))
		put(ann)
		write(t, db, `UPDATE text_state SET next = (next / 8192 + 2) * 8192 WHERE id = 1`)
	}
	gone := put(bob)
	check.OK(t, "Delete", db.Catalog().Delete(t.Context(), gone.ID))
	bobs = append(bobs, put(bob))
	put(ann)
	want := func(when string, viewer int64, want int) {
		t.Helper()
		sought, err := recognition.NewSought(db.Index().Fold("common"))
		check.OK(t, "NewSought", err)
		entries, next, err := db.Index().Find(t.Context(), recognition.Lookup{Sought: sought, Viewer: viewer, Limit: 5000})
		check.OK(t, "Find", err)
		for _, e := range entries {
			if viewer == bob && !slices.ContainsFunc(bobs, func(i document.Image) bool { return i.ID == e.ImageID }) {
				t.Errorf("%s: an entry of image %d is found", when, e.ImageID)
			}
		}
		if len(entries) != want || next != 0 {
			t.Errorf("%s: user %d finds %d entries and is to go on at %d, want %d", when, viewer, len(entries), next, want)
		}
	}
	want("loose", bob, 80)
	want("loose", eve, 0)
	check.OK(t, "Compact", db.Index().Compact(t.Context()))
	for _, when := range []string{"compact", "compact, as nodes of before leave it", "noted later"} {
		switch when {
		case "compact":
			if got, want := textOf(t, db.Read, `SELECT COUNT(*) FROM text_block WHERE LENGTH(images) > 0`)[0], "3"; got != want {
				t.Errorf("%s blocks say whose their entries are, want %s", got, want)
			}
		case "noted later":
			check.OK(t, "Compact", db.Index().Compact(t.Context()))
		default:
			write(t, db, `DELETE FROM text_block WHERE block > 0`)
		}
		want(when, 0, 20*(64+4))
		want(when, bob, 80)
		want(when, eve, 0)
	}
	_, err := db.Catalog().Update(t.Context(), bobs[1].ID, func(i *document.Image) error { i.Visibility = document.Shared; return nil })
	check.OK(t, "Update", err)
	want("shared", eve, 20)
	check.OK(t, "Delete", db.Catalog().Delete(t.Context(), bobs[0].ID))
	want("deleted", bob, 60)
}

// TestCompactLeavesOutWhatIsGone corrects texts before their block is full: what they were takes no space then.
func TestCompactLeavesOutWhatIsGone(t *testing.T) { on(t, testCompactLeavesOutWhatIsGone) }

func testCompactLeavesOutWhatIsGone(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	user := addUser(t, db, "ann").ID
	image := addImage(t, db, user, "scan.png")
	c := recognition.Content{ID: "c", Reading: recognition.Reading{Text: "before"}, Revision: 1}
	_, err := db.Runs().Append(t.Context(), recognition.Run{ImageID: image.ID, User: account.Ref{ID: user}, Created: created,
		ContentIDs: []string{c.ID}})
	check.OK(t, "Append", err)
	check.OK(t, "Put", db.Index().Put(t.Context(), 0, image.ID, []recognition.Content{c}))
	c.Text, c.Revision = "after", 2
	check.OK(t, "Put", db.Index().Put(t.Context(), 0, image.ID, []recognition.Content{c}))
	write(t, db, `UPDATE text_state SET next = 8192 WHERE id = 1`)
	check.OK(t, "Compact", db.Index().Compact(t.Context()))
	bodies := fmt.Sprintf("%q", textOf(t, db.Read, `SELECT body FROM text_compact WHERE id % 65536 > 0`))
	if want := `["\x00\x05after\x01\x03\x00\x03png\x01\x01\x00\x04scan\x01\x01"]`; bodies != want {
		t.Errorf("got %s, want %s", bodies, want)
	}
}

// TestDamagedRows cuts rows and changes their bytes: that is an error or finds something else, and nothing worse.
func TestDamagedRows(t *testing.T) {
	db := open(t)
	v := newVocabulary()
	ann, bob := addUser(t, db, "ann").ID, addUser(t, db, "bob").ID
	addImage(t, db, ann, v.text())
	for range 200 {
		addImage(t, db, bob, "a")
	}
	write(t, db, `UPDATE text_state SET next = 8192 WHERE id = 1`)
	check.OK(t, "Compact", db.Index().Compact(t.Context()))
	sought, err := recognition.NewSought(db.Index().Fold("a"))
	check.OK(t, "NewSought", err)
	for _, row := range []string{"body FROM text_compact WHERE id = 0", "body FROM text_compact WHERE id = 1",
		"images FROM text_block WHERE block = 0"} {
		body := textOf(t, db.Read, `SELECT `+row)[0]
		column, rest, _ := strings.Cut(row, " FROM ")
		table, where, _ := strings.Cut(rest, " ")
		set := func(body []byte) { write(t, db, `UPDATE `+table+` SET `+column+` = ? `+where, body) }
		refused := 0
		for n := range len(body) {
			changed := []byte(body)
			changed[n] ^= byte(1 + v.IntN(255))
			for _, b := range [][]byte{[]byte(body)[:n], changed} {
				set(b)
				if _, _, err := db.Index().Find(t.Context(), recognition.Lookup{Sought: sought, Viewer: ann, Limit: 10}); err != nil {
					refused++
				}
			}
		}
		set([]byte(body))
		if refused == 0 {
			t.Errorf("no damage was seen in %s", row)
		}
	}
}

func TestEntriesOfBefore(t *testing.T) { on(t, testEntriesOfBefore) }

// testEntriesOfBefore has entries that were put before it was counted how far regions are proofread: they are counted where they are when
// they are put again, and found once.
func testEntriesOfBefore(t *testing.T, open func(testing.TB) *DB) {
	db := open(t)
	user := addUser(t, db, "ann").ID
	image := addImage(t, db, user, "scan.png")
	words := []recognition.Word{{Text: "oil", Confidence: 0.5}}
	c := recognition.Content{ID: fmt.Sprintf("%026d-%05d", image.ID, 0), Revision: 1,
		Reading: recognition.Reading{Text: "oil", Words: words}}
	_, err := db.Runs().Append(t.Context(), recognition.Run{ImageID: image.ID, User: account.Ref{ID: user}, Created: created,
		ContentIDs: []string{c.ID}})
	check.OK(t, "Append", err)
	put := func() {
		t.Helper()
		check.OK(t, "Put", db.Index().Put(t.Context(), 0, image.ID, []recognition.Content{c}))
	}
	put()
	next := textOf(t, db.Read, `SELECT next FROM text_state WHERE id = 1`)
	write(t, db, `UPDATE text_entry SET confirmed = NULL, doubtful = NULL WHERE id > 0`)
	write(t, db, `DELETE FROM text_proofread WHERE image_id > 0`)
	for range 2 {
		put()
		got, err := db.Index().Proofread(t.Context(), []int64{image.ID}, false)
		check.OK(t, "Proofread", err)
		check.Same(t, "counts", got, map[int64]recognition.Proofread{image.ID: {Pages: 1, Regions: 1, Doubtful: 1}})
		sought, err := recognition.NewSought(db.Index().Fold("oil"))
		check.OK(t, "NewSought", err)
		entries, _, err := db.Index().Find(t.Context(), recognition.Lookup{Sought: sought, Limit: 10})
		check.OK(t, "Find", err)
		check.Same(t, "entries", len(entries), 1)
		check.Same(t, "the next entry", textOf(t, db.Read, `SELECT next FROM text_state WHERE id = 1`), next)
	}
}

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

// write changes tables as nobody does.
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
	addImage(t, db, addUser(t, db, "ann").ID, v.text())
	write(t, db, `UPDATE text_state SET next = 8192 WHERE id = 1`)
	check.OK(t, "Compact", db.Index().Compact(t.Context()))
	sought, err := recognition.NewSought(db.Index().Fold("a"))
	check.OK(t, "NewSought", err)
	refused := 0
	for _, id := range []int{0, 1} {
		body := textOf(t, db.Read, `SELECT body FROM text_compact WHERE id = ?`, id)[0]
		for n := range len(body) {
			changed := []byte(body)
			changed[n] ^= byte(1 + v.IntN(255))
			for _, b := range [][]byte{[]byte(body)[:n], changed} {
				write(t, db, `UPDATE text_compact SET body = ? WHERE id = ?`, b, id)
				if _, _, err := db.Index().Find(t.Context(), recognition.Lookup{Sought: sought, Limit: 10}); err != nil {
					refused++
				}
			}
		}
		write(t, db, `UPDATE text_compact SET body = ? WHERE id = ?`, []byte(body), id)
	}
	if refused == 0 {
		t.Error("no damage was seen")
	}
}

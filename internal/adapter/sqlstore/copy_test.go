package sqlstore

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/adapter/sqlstore/limitstore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/adapter/sqlstore/tables"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/mariadbtest"
)

// filled puts something into every table, and removes some of it.
func filled(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var users []account.User
	for _, u := range []account.User{
		{Name: "ann", Email: "ann@example.org", PasswordHash: "hash", Role: account.RoleAdmin, Created: created},
		{Name: "Bob", Email: "Bob@example.org", PasswordHash: "$2b$…", Created: created,
			States: []account.State{{Name: account.StateBlocked, Detail: "그만", Created: created}}},
		{Name: "cy", Email: "cy@example.org", Created: created},
	} {
		u, err := db.Users().Add(ctx, u)
		must(err)
		users = append(users, u)
	}
	_, err := db.Users().Update(ctx, users[2].ID, func(u *account.User) error { u.Name, u.Email, u.PasswordHash = "", "", ""; return nil })
	must(err)
	must(db.Users().AddLogin(ctx, account.Login{UserID: users[0].ID, Created: created, Address: "::1", UserAgent: "크롬"}))
	must(db.Sessions().AddSession(ctx, account.Session{ID: "s1", UserID: users[0].ID, RefreshHash: "h", Created: created,
		Expires: created.AddDate(1, 0, 0)}))
	must(db.Settings().SetSettings(ctx, users[0].ID, recognition.Settings{Lang: []string{"kor"}}))
	must(db.Keys().AddKey(ctx, account.Key{ID: "k1", UserID: users[0].ID, Name: "열쇠", SecretHash: "h", Created: created}))
	for _, name := range []string{"한글 문서.png", "it's 100%_\\", "last, which goes"} {
		i, err := addOne(ctx, db, someImage(users[0].ID, name))
		must(err)
		_, err = db.Catalog().Update(ctx, i.ID, func(i *document.Image) error {
			i.Readers, i.Tags = []account.Ref{{ID: users[1].ID}}, []string{"영수증", "It's 100%_\\"}
			return nil
		})
		must(err)
		must(db.Contents().Add(ctx, []recognition.Content{{ID: name[:3] + "1", Revision: 1, Reading: recognition.Reading{Text: "하나"}},
			{ID: name[:3] + "2", Revision: 1}}))
		must(db.Contents().Revise(ctx, recognition.Content{ID: name[:3] + "1", Revision: 2, Reading: recognition.Reading{Text: "둘"},
			Edited: created}))
		for range 2 {
			_, err = db.Runs().Append(ctx, recognition.Run{ImageID: i.ID, User: account.Ref{ID: users[0].ID}, Created: created,
				Lang: []string{"kor"}, Engine: "tesseract 5"})
			must(err)
		}
		_, err = db.Runs().Append(ctx, recognition.Run{ImageID: i.ID, User: account.Ref{ID: users[1].ID}, Created: created,
			ContentIDs: []string{name[:3] + "1", name[:3] + "2"}})
		must(err)
		must(db.Runs().RemoveContent(ctx, name[:3]+"2"))
	}
	_, err = db.Exec(ctx, `INSERT INTO job (id, user_id, priority, request, state, total, queued, running, done, failed, cancelled, seq,
		worked,
		created_datetime) VALUES ('j1', ?, 1, '{"lang":["kor"]}', 'running', 1, 1, 0, 0, 0, 0, 1, 0, ?)`, users[0].ID, sqldb.Stamp(created))
	must(err)
	_, err = db.Exec(ctx, `INSERT INTO job_item (id, job_id, number, image_id, state) VALUES ('j1-1', 'j1', 1, 1, 'queued')`)
	must(err)
	_, err = db.Exec(ctx, `INSERT INTO webhook (id, user_id, url, items, secret, created_datetime) VALUES (1, ?, 'https://example.org', 1,
		'sealed', ?)`, users[0].ID, sqldb.Stamp(created))
	must(err)
	_, err = db.Exec(ctx, `INSERT INTO webhook_delivery (id, webhook_id, event, body, state, tries, status, created_datetime)
		VALUES ('d1', 1, 'job', '{"id":"j1"}', 'queued', 0, 0, ?)`, sqldb.Stamp(created))
	must(err)
	_, err = db.Exec(ctx, `INSERT INTO request_key (id, user_id, request, held_by, until_datetime, created_datetime, done)
		VALUES ('r1', ?, 'hash', 'node', ?, ?, 0)`, users[0].ID, sqldb.Stamp(created), sqldb.Stamp(created))
	must(err)
	must(limitstore.New(db.DB).Update(ctx, users[0].ID, func(o *limit.Own) { o.Bytes, o.Items = new(int64(0)), new(int64(7)) }))
	_, err = db.Exec(ctx, `INSERT INTO user_work (user_id, slot_datetime, items) VALUES (?, ?, 3)`, users[0].ID, sqldb.Stamp(created))
	must(err)
	images, _, err := db.Catalog().List(ctx, document.Query{Size: 1})
	must(err)
	must(db.Catalog().Delete(ctx, images[0].ID))
}

// withLater returns the tables that are copied, and the one that a test has added to a database, where it has.
func withLater(t *testing.T, db *DB) []string {
	t.Helper()
	names, err := ours(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	have, err := db.tableNames(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(have, "later") {
		names = append(names, "later")
	}
	return names
}

func sums(t *testing.T, db *DB) []tables.Sum {
	t.Helper()
	sums, err := tables.Sums(t.Context(), db.DB, withLater(t, db))
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func wantEqual(t *testing.T, a, b *DB) {
	t.Helper()
	first := sums(t, a)
	second, err := tables.Sums(t.Context(), b.DB, withLater(t, a))
	if err != nil {
		t.Fatal(err)
	}
	if len(first) < 11 {
		t.Errorf("got %d tables, want all", len(first))
	}
	for _, s := range first {
		if s.Rows == 0 {
			t.Errorf("table %s is empty, so that nothing is tested", s.Table)
		}
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("tables (-first +second):\n%s", diff)
	}
}

func syncAll(t *testing.T, from, to *DB) (rows int64) {
	t.Helper()
	if err := tables.Sync(t.Context(), from.DB, to.DB, withLater(t, from), func(_ string, n int64) { rows += n }); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSync(t *testing.T) {
	first, server, second := open(t), openServer(t), open(t)
	filled(t, first)
	// Whatever a later schema brings: columns that one database makes, bytes that are no text, numbers that are flags.
	for _, db := range []*DB{first, server, second} {
		bytes := map[string]string{"sqlite": "BLOB", "mariadb": "VARBINARY(24)"}[db.Dialect.Migrations]
		if _, err := db.Write.ExecContext(t.Context(), `CREATE TABLE later (suffix `+bytes+` NOT NULL, image_id BIGINT NOT NULL, shared
			BOOLEAN, note TEXT, size DOUBLE,
			twice BIGINT AS (image_id * 2), PRIMARY KEY (suffix, image_id))`); err != nil {
			t.Fatal(err)
		}
	}
	for n, suffix := range []string{"\xff\x00\xed", "한"[1:], "a", "", "A"} {
		if _, err := first.Write.ExecContext(t.Context(),
			`INSERT INTO later (suffix, image_id, shared, note, size) VALUES (?, ?, ?, NULL, 0.1)`, []byte(suffix), n, n%2); err != nil {
			t.Fatal(err)
		}
	}
	if rows := syncAll(t, first, server); rows < 20 {
		t.Errorf("%d rows were looked at", rows)
	}
	wantEqual(t, first, server)
	syncAll(t, server, second)
	wantEqual(t, first, second)

	// What is there in part, changed, or too much, is mended.
	for _, text := range []string{`DELETE FROM ocr WHERE id = 1`, `UPDATE image SET name = 'other' WHERE id = 2`,
		`UPDATE user SET role_id = NULL WHERE id > 0`,
		`INSERT INTO logged_in (user_id, created_datetime) VALUES (1, '2020-01-01 00:00:00.000001')`, `DELETE FROM session WHERE id > ''`,
		`UPDATE content_revision SET document = '{}' WHERE content_id > ''`} {
		for _, db := range []*DB{server, second} {
			if _, err := db.Write.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	for _, db := range []*DB{server, second} {
		if cmp.Equal(sums(t, first), sums(t, db)) {
			t.Error("the sums do not tell that there are differences")
		}
		syncAll(t, first, db)
		wantEqual(t, first, db)
	}

	// No number is given twice, and references are checked again.
	for _, db := range []*DB{first, server, second} {
		wantRightCounts(t, db)
		i, err := addOne(t.Context(), db, someImage(1, "next"))
		if err != nil || i.ID != 4 {
			t.Errorf("the next image has the number %d, want 4 (%v)", i.ID, err)
		}
		if err := db.Users().AddLogin(t.Context(), account.Login{UserID: 999, Created: created}); err == nil {
			t.Error("a sign-in of nobody is stored")
		}
		if rows := textOf(t, db.Read, `SELECT id FROM user WHERE name IS NULL AND email IS NULL`); !cmp.Equal(rows, []string{"3"}) {
			t.Errorf("who has resigned: got %q, want 3", rows)
		}
	}
}

// Tables of others in the same databases are no concern of a copy.
func TestSyncBesideOthers(t *testing.T) {
	from, to := openServer(t), open(t)
	filled(t, from)
	for _, db := range []*DB{from, to} {
		if _, err := db.Write.ExecContext(t.Context(), `CREATE TABLE others (id BIGINT)`); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := to.Write.ExecContext(t.Context(), `INSERT INTO others VALUES (7)`); err != nil {
		t.Fatal(err)
	}
	if err := Sync(t.Context(), from, to, true, func(table string, _ int64) {
		if table == "others" {
			t.Error("a table of others is copied")
		}
	}); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, from, to)
	if got := textOf(t, to.Read, `SELECT id FROM others`); !slices.Equal(got, []string{"7"}) {
		t.Errorf("the table of others has %q now", got)
	}
	if _, err := to.Write.ExecContext(t.Context(), `ALTER TABLE session ADD COLUMN more TEXT`); err != nil {
		t.Fatal(err)
	}
	if err := Sync(t.Context(), from, to, true, func(string, int64) {}); err == nil {
		t.Error("tables of another form are copied")
	}
}

// What search needs is right after a copy, whatever of it was there.
func TestSyncIndexesNames(t *testing.T) {
	for _, sides := range [][2]*DB{{open(t), openServer(t)}, {openServer(t), open(t)}} {
		from, to := sides[0], sides[1]
		t.Run(from.Dialect.Migrations+" to "+to.Dialect.Migrations, func(t *testing.T) {
			filled(t, from)
			check := func(keyword string, ids ...int64) {
				t.Helper()
				if err := Sync(t.Context(), from, to, true, func(string, int64) {}); err != nil {
					t.Fatal(err)
				}
				want := suffixRows(t, from)
				if diff := cmp.Diff(want, suffixRows(t, to)); diff != "" || len(want) == 0 {
					t.Errorf("%d suffixes (-from +to):\n%s", len(want), diff)
				}
				images, total, err := to.Catalog().List(t.Context(), document.Query{Keyword: keyword, Size: 10})
				var got []int64
				for _, i := range images {
					got = append(got, i.ID)
				}
				if err != nil || !slices.Equal(got, ids) || total != len(ids) {
					t.Errorf("%q finds %v, %d in all, want %v (%v)", keyword, got, total, ids, err)
				}
			}
			check("글 문", 1)
			// As if it had been broken off, and the source been used since.
			if _, err := from.Catalog().Update(t.Context(), 1,
				func(i *document.Image) error { i.Name = "계약서_김민수.png"; return nil }); err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{`DELETE FROM image_suffix WHERE suffix >= '' AND image_id = 2`,
				`INSERT INTO image_suffix (suffix, image_id, lcp, user_id, shared) VALUES ('stray', 1, 0, 1, 0)`} {
				if _, err := to.Exec(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			check("서_김", 1)
			check("00%_", 2)
			check("글 문")
		})
	}
}

func TestUnfinished(t *testing.T) {
	for name, source := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "glyphbox.db"), "MariaDB": mariadbtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			db, err := OpenToFill(ctx, source)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if work, err := db.Unfinished(ctx); err != nil || work != "" {
				t.Errorf("an empty database has the unfinished work %q (%v)", work, err)
			}
			const work = "the copy of x's 한글"
			if err := db.Fill(ctx, work); err != nil {
				t.Fatal(err)
			}
			if got, err := db.Unfinished(ctx); err != nil || got != work {
				t.Errorf("got the unfinished work %q, want %q (%v)", got, work, err)
			}
			if _, err := Open(ctx, source); !errors.Is(err, ErrUnfinished) {
				t.Errorf("Open: %v, want that it is unfinished", err)
			}
			filled(t, db)
			if _, err := db.Exec(ctx, `DELETE FROM image_suffix WHERE suffix >= ''`); err != nil {
				t.Fatal(err)
			}
			again, err := OpenToFill(ctx, source)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if rows := suffixRows(t, again); len(rows) > 0 {
				t.Errorf("%d suffixes are made of what is not complete", len(rows))
			}
			if err := db.Filled(ctx); err != nil {
				t.Fatal(err)
			}
			if rows := suffixRows(t, openAt(t, source)); len(rows) == 0 {
				t.Error("no suffixes are made of what is complete")
			}
			if err := db.Fill(ctx, work); err == nil {
				t.Error("what is not empty is filled")
			}
		})
	}
}

func TestForeignTables(t *testing.T) {
	for name, source := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "glyphbox.db"), "MariaDB": mariadbtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			db, _, err := connect(source)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Write.ExecContext(t.Context(), `CREATE TABLE user (id BIGINT PRIMARY KEY)`); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), source); !errors.Is(err, ErrForeign) {
				t.Errorf("Open: %v, want that it is another program's", err)
			}
			if got := textOf(t, db.Read, `SELECT COUNT(*) FROM (`+db.Dialect.Catalogue.Tables+`) AS tables`); !cmp.Equal(got,
				[]string{"1"}) {
				t.Errorf("got %s tables, want the one that was there", got)
			}
		})
	}
}

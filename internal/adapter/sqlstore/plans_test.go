package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/adapter/sqlstore/hookstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/adapter/sqlstore/limitstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest/mariadbtest"
)

var update = flag.Bool("update", false, "write docs/plans.md anew")

const plansFile = "../../../docs/plans.md"

// recorder notes the statements that go to a database.
type recorder struct {
	connect    func(ctx context.Context) (driver.Conn, error)
	driver     driver.Driver
	mutex      sync.Mutex
	statements []statement
}

type statement struct {
	text string
	args []any
}

func (r *recorder) Driver() driver.Driver { return r.driver }

func (r *recorder) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	return recorded{c, r}, nil
}

// take returns what was noted since it was called before.
func (r *recorder) take() []statement {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	taken := r.statements
	r.statements = nil
	return taken
}

type recorded struct {
	driver.Conn
	to *recorder
}

func (c recorded) note(text string, args []driver.NamedValue) {
	s := statement{text: strings.Join(strings.Fields(text), " ")}
	for _, a := range args {
		s.args = append(s.args, a.Value)
	}
	c.to.mutex.Lock()
	c.to.statements = append(c.to.statements, s)
	c.to.mutex.Unlock()
}

func (c recorded) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.note(text, args)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

func (c recorded) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.note(text, args)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

func (c recorded) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

func (c recorded) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// record makes a database record its statements from now on.
func record(t *testing.T, db *DB, source string) *recorder {
	t.Helper()
	r := &recorder{driver: db.Read.Driver()}
	if _, _, isServer := strings.Cut(source, "://"); isServer {
		config, _, err := sqldb.ParseMariaDB(source)
		if err != nil {
			t.Fatal(err)
		}
		connector, err := mysql.NewConnector(config)
		if err != nil {
			t.Fatal(err)
		}
		r.connect = connector.Connect
	} else {
		r.connect = func(context.Context) (driver.Conn, error) { return r.driver.Open("file:" + source) }
	}
	if err := db.Read.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write.Close(); err != nil {
		t.Fatal(err)
	}
	db.Read, db.Write = sql.OpenDB(r), sql.OpenDB(r)
	return r
}

// planOf returns how a database runs a statement, a step on a line.
func planOf(t *testing.T, db *DB, pool *sql.DB, s statement) (steps []string) {
	t.Helper()
	var unused any
	var err error
	switch {
	case db.Dialect.Migrations == "sqlite":
		err = sqldb.Each(t.Context(), pool, func(scan func(...any) error) error {
			var step string
			err := scan(&unused, &unused, &unused, &step)
			steps = append(steps, step)
			return err
		}, `EXPLAIN QUERY PLAN `+s.text, s.args...)
	case strings.HasPrefix(s.text, `SELECT`): // and what rows it really reads
		err = sqldb.Each(t.Context(), pool, func(scan func(...any) error) error {
			var table, access, key, rows, extra sqldb.Text
			err := scan(&unused, &unused, &table, &access, &unused, &key, &unused, &unused, &unused, &rows, &unused, &unused, &extra)
			steps = append(steps, step(table, access, key, rows, extra))
			return err
		}, `ANALYZE `+s.text, s.args...)
	case !strings.HasPrefix(s.text, `INSERT`): // what EXPLAIN tells is not what is done, with sql_safe_updates
		return rowsReadBy(t, pool, s)
	default:
		err = sqldb.Each(t.Context(), pool, func(scan func(...any) error) error {
			var table, access, key, extra sqldb.Text
			err := scan(&unused, &unused, &table, &access, &unused, &key, &unused, &unused, &unused, &extra)
			steps = append(steps, step(table, access, key, "", extra))
			return err
		}, `EXPLAIN `+s.text, s.args...)
	}
	if err != nil {
		t.Fatalf("%s: %v", s.text, err)
	}
	return steps
}

// rowsReadBy runs a statement of MariaDB without effect and returns how it has read rows.
func rowsReadBy(t *testing.T, pool *sql.DB, s statement) (steps []string) {
	t.Helper()
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range []statement{{text: `BEGIN`}, s, {text: `ROLLBACK`}, // the first time more is read, of tables that are opened
		{text: `FLUSH STATUS`}, {text: `BEGIN`}, s} { // FLUSH ends a transaction
		if _, err := conn.ExecContext(t.Context(), s.text, s.args...); err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
	}
	defer conn.ExecContext(context.WithoutCancel(t.Context()), `ROLLBACK`)
	return append(steps, textOf(t, conn, `SELECT CONCAT(LOWER(variable_name), ' ', variable_value) FROM information_schema.session_status
		WHERE variable_name LIKE 'Handler_read%' AND variable_value > 0 ORDER BY variable_name`)...)
}

func step(table, access, key, rows, extra sqldb.Text) string {
	line := strings.Join(strings.Fields(string(table+" "+access+" "+key)), " ")
	if rows != "" {
		line += ", " + strings.TrimSuffix(string(rows), ".00") + " rows"
	}
	if extra != "" {
		line += ", " + string(extra)
	}
	return strings.TrimPrefix(line, ", ")
}

// planCase is something that the service does often, or on large tables.
type planCase struct {
	name  string
	do    func(ctx context.Context, db *DB) error
	scans []string // tables that it may read all of, or from their end
	sorts []string // tables whose rows it may sort
	rows  int      // that a step may really read; 0: mostRows
}

func listing(q document.Query) func(context.Context, *DB) error {
	return func(ctx context.Context, db *DB) error {
		images, _, err := db.Catalog().List(ctx, q)
		if err == nil && len(images) == 0 {
			return fmt.Errorf("%+v finds nothing", q)
		}
		return err
	}
}

const baseTables = `(user|reader|also|seen|image|image_suffix|image_share|image_tag|image_event|image_watcher|ocr|ocr_run|` +
	`content_revision|text_[a-z]+|logged_in|session|api_key|user_state|user_setting|user_limit|user_work|webhook_delivery|webhook|` +
	`job|job_item|job_feed|request_key|[a-z])`

// mistakes are the steps of a plan that read all of a table or sort its rows, though the case does not say so. What a page has is sorted in
// any case.
func (c planCase) mistakes(steps []string) (wrong []string) {
	var (
		sqliteScan  = regexp.MustCompile(`^SCAN ` + baseTables + `\b`)
		sqliteTable = regexp.MustCompile(`^(?:SCAN|SEARCH) ` + baseTables + `\b`)
		mariaTable  = regexp.MustCompile(`^` + baseTables + ` ([a-zA-Z_]+)`)
		mariaRows   = regexp.MustCompile(`, (\d+)(?:\.\d+)? rows`)
	)
	last := ""
	for _, step := range steps {
		table := ""
		if m := sqliteTable.FindStringSubmatch(step); m != nil {
			table = m[1]
		}
		switch {
		// the runs, or users, that were picked
		case sqliteScan.MatchString(step) && !slices.Contains(c.scans, table) && table != "r" && table != "u":
			wrong = append(wrong, step)
		// user, t: of the images of a page
		case step == "USE TEMP B-TREE FOR ORDER BY" && last != "" && !slices.Contains(c.sorts, last) && last != "user" && last != "t":
			wrong = append(wrong, "sort of "+last)
		}
		last = table
		if name, n, _ := strings.Cut(step, " "); strings.HasPrefix(name, "handler_read_") {
			if rows, err := strconv.Atoi(n); err != nil || rows > max(c.rows, mostRows) {
				wrong = append(wrong, step)
			}
			continue
		}
		m := mariaTable.FindStringSubmatch(step)
		if m == nil {
			continue
		}
		rows := 0
		if n := mariaRows.FindStringSubmatch(step); n != nil {
			rows, _ = strconv.Atoi(n[1]) // digits
		}
		switch {
		case (m[2] == "ALL" || m[2] == "index") && !slices.Contains(c.scans, m[1]), rows > max(c.rows, mostRows) && m[1] != "user",
			m[2] != "const" && !slices.Contains(c.sorts, m[1]) && (strings.Contains(step, "filesort") ||
				strings.Contains(step, "temporary")):
			wrong = append(wrong, step)
		}
	}
	return wrong
}

// mostRows is how many rows a step may really read, of 3,000 images, unless the case says more.
const mostRows = 120

// planCases are for a database of populate and addRows.
func planCases(f populated) []planCase {
	keyword := func(viewer int64, keyword string) func(context.Context, *DB) error {
		return listing(document.Query{Viewer: viewer, Size: 10, Keyword: keyword})
	}
	sought := func(viewer int64, text string) func(context.Context, *DB) error {
		return func(ctx context.Context, db *DB) error {
			s, err := recognition.NewSought(db.Index().Fold(text))
			if err != nil {
				return err
			}
			entries, _, err := db.Index().Find(ctx, recognition.Lookup{Sought: s, Viewer: viewer, Limit: 20})
			if err == nil && len(entries) == 0 {
				return fmt.Errorf("%q finds nothing", text)
			}
			return err
		}
	}
	return append([]planCase{
		{name: "list, for an administrator", scans: []string{"image", "user"}, do: listing(document.Query{Size: 10})},
		{name: "list before an image, for an administrator", scans: []string{"user"},
			do: listing(document.Query{Size: 10, Before: f.images / 2})},
		{name: "list, for a user", scans: []string{"user"}, do: listing(document.Query{Viewer: f.user, Size: 10})},
		{name: "list before an image, for a user", scans: []string{"user"},
			do: listing(document.Query{Viewer: f.user, Size: 10, Before: f.images / 2})},
		{name: "last page, for an administrator", scans: []string{"image", "user"},
			do: listing(document.Query{Size: 10, Page: int(f.images)/10 - 1})},
		{name: "page in the middle, for an administrator", scans: []string{"image", "user"}, rows: int(f.images) / 2,
			do: listing(document.Query{Size: 10, Page: int(f.images) / 25})},
		{name: "page in the middle, for a user", scans: []string{"user"}, rows: 600, do: func(ctx context.Context, db *DB) error {
			_, _, err := (&Catalog{db, 20}).List(ctx, document.Query{Viewer: f.user, Size: 10, Page: 28})
			return err
		}},
		{name: "last page, for a user", scans: []string{"user"}, do: func(ctx context.Context, db *DB) error {
			const size = 10
			_, total, err := db.Catalog().List(ctx, document.Query{Viewer: f.user, Size: size})
			if err != nil {
				return err
			}
			return listing(document.Query{Viewer: f.user, Size: size, Page: (total - 1) / size})(ctx, db)
		}},
		{name: "list by name, for an administrator", scans: []string{"image", "user"},
			do: listing(document.Query{Size: 10, Order: document.ByName})},
		{name: "list by name, for a user", scans: []string{"user"},
			do: listing(document.Query{Viewer: f.user, Size: 10, Order: document.ByName})},
		{name: "list by name before an image, for a user", scans: []string{"user"},
			do: listing(document.Query{Viewer: f.user, Size: 10, Order: document.ByName, Before: f.images / 2})},
		{name: "list from the oldest on, for a user", scans: []string{"user"},
			do: listing(document.Query{Viewer: f.user, Size: 10, Order: document.Oldest})},
		{name: "list of what others share", scans: []string{"user"}, do: listing(document.Query{Viewer: f.user, Others: true, Size: 10})},
		{name: "list of one's images by name", do: listing(document.Query{Owner: f.user, Size: 10, Order: document.ByName})},
		{name: "keyword by name, for a user", scans: []string{"user"}, sorts: []string{"image_suffix", "image"},
			do: listing(document.Query{Viewer: f.user, Size: 10, Keyword: "수증", Order: document.ByName})},
		{name: "list of one's images", do: listing(document.Query{Owner: f.user, Size: 10})},
		{name: "tag, for an administrator", rows: 300, do: listing(document.Query{Size: 10, Tags: []string{"tax"}})},
		{name: "tag, for a user", rows: 300, do: listing(document.Query{Viewer: f.user, Size: 10, Tags: []string{"tax"}})},
		{name: "tag by name, for a user", rows: 300,
			do: listing(document.Query{Viewer: f.user, Size: 10, Tags: []string{"tax"}, Order: document.ByName})},
		{name: "two tags, for a user", rows: 300, do: listing(document.Query{Viewer: f.user, Size: 10, Tags: []string{"tax", "2026"}})},
		{name: "all tags in use, for a user", rows: 600, sorts: []string{"image_tag", "t", "seen"}, scans: []string{"seen"},
			do: func(ctx context.Context, db *DB) error {
				_, _, err := db.Catalog().Tags(ctx, document.Query{Viewer: f.user, Size: 100})
				return err
			}},
		{name: "tags in use, for a user", rows: 600, sorts: []string{"image_tag", "t", "seen"}, scans: []string{"seen"},
			do: func(ctx context.Context, db *DB) error {
				_, _, err := db.Catalog().Tags(ctx, document.Query{Viewer: f.user, Size: 10})
				return err
			}},
		{name: "keyword, for an administrator", scans: []string{"user"}, sorts: []string{"image_suffix"}, do: keyword(0, "수증")},
		{name: "keyword, for a user", scans: []string{"user"}, sorts: []string{"image_suffix", "image_share"}, do: keyword(f.user, "수증")},
		{name: "long keyword, for an administrator", scans: []string{"user"}, sorts: []string{"image_suffix", "image"},
			do: keyword(0, "KakaoTalk_20180206_066191606")},
		{name: "keyword in the name of an owner, for a user", scans: []string{"user"}, sorts: []string{"image_suffix", "image_share"},
			do: keyword(f.user, "user1")},
		{name: "keyword in the names of many owners, for a user", scans: []string{"user"}, sorts: []string{"image_suffix", "image_share"},
			do: keyword(f.user, "user")},
		{name: "keyword that a page finds at once", scans: []string{"user"}, do: func(ctx context.Context, db *DB) error {
			q, err := db.Catalog().findOwners(ctx, document.Query{Viewer: f.user, Size: 10}, ".jp")
			if err == nil {
				_, err = db.Catalog().read(ctx, q.through(), part{limit: q.Size})
			}
			return err
		}},
		{name: "many images", rows: 1500, do: func(ctx context.Context, db *DB) error {
			var ids []int64
			for id := int64(1); id <= 1500; id++ { // more than MariaDB takes for a list by itself
				ids = append(ids, id)
			}
			_, err := db.Catalog().ByIDs(ctx, ids)
			return err
		}},
		{name: "image", do: func(ctx context.Context, db *DB) error { _, err := db.Catalog().ByID(ctx, 7); return err }},
		{name: "image renamed", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Update(ctx, 7, func(i *document.Image) error { i.Name = "다른 이름"; return nil })
			return err
		}},
		{name: "image shared by name", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Update(ctx, 8, func(i *document.Image) error {
				i.Readers = []account.Ref{{ID: f.user}, {ID: f.user + 1}}
				return nil
			})
			return err
		}},
		{name: "image tagged", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Update(ctx, 11, func(i *document.Image) error { i.Tags = []string{"a", "b"}; return nil })
			return err
		}},
		{name: "shared image renamed", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Update(ctx, 8, func(i *document.Image) error { i.Name, i.Readers = "다른 이름", i.Readers[:1]; return nil })
			return err
		}},
		{name: "shared image deleted", do: func(ctx context.Context, db *DB) error { return db.Catalog().Delete(ctx, 8) }},
		{name: "pages of a document", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Pages(ctx, 100, 1, 100)
			return err
		}},
		{name: "document renamed", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Update(ctx, 100, func(i *document.Image) error { i.Name = "다른 이름"; return nil })
			return err
		}, rows: 250},
		{name: "document deleted", do: func(ctx context.Context, db *DB) error { return db.Catalog().Delete(ctx, 200) }, rows: 1000},
		{name: "image deleted", do: func(ctx context.Context, db *DB) error { return db.Catalog().Delete(ctx, 9) }},
		{name: "event of an image", do: func(ctx context.Context, db *DB) error {
			return db.Feed().Append(ctx, 1, recognition.Event{Version: 1})
		}},
		{name: "events of an image", do: func(ctx context.Context, db *DB) error {
			_, _, err := db.Feed().Since(ctx, 1, 0)
			return err
		}},
		{name: "somebody has an image open", do: func(ctx context.Context, db *DB) error {
			return db.Feed().Stay(ctx, "w", 1, f.user, time.Now())
		}},
		{name: "who has an image open", sorts: []string{"w", "user"}, do: func(ctx context.Context, db *DB) error {
			_, err := db.Feed().Present(ctx, 1, time.Now())
			return err
		}},
		{name: "versions of an image", do: func(ctx context.Context, db *DB) error { _, err := db.Runs().List(ctx, 1, 0, 10); return err }},
		{name: "read pages of documents", do: func(ctx context.Context, db *DB) error {
			_, err := db.Runs().PagesRead(ctx, []int64{1, 2, 100}, true)
			return err
		}, rows: 250},
		{name: "how far documents are proofread", do: func(ctx context.Context, db *DB) error {
			_, err := db.Index().Proofread(ctx, []int64{1, 2, 100}, true)
			return err
		}, rows: 250},
		{name: "one version", do: func(ctx context.Context, db *DB) error { _, err := db.Runs().ByVersion(ctx, 1, 2); return err }},
		{name: "run of an item of a job", do: func(ctx context.Context, db *DB) error {
			_, err := db.Runs().ByItem(ctx, "job-000001")
			if fault.Is(err, fault.NotFound) {
				err = nil
			}
			return err
		}},
		{name: "run of a content", do: func(ctx context.Context, db *DB) error { _, err := db.Runs().ByContent(ctx, "a1"); return err }},
		{name: "contents of an image", do: func(ctx context.Context, db *DB) error { _, err := db.Runs().ContentIDs(ctx, 1); return err }},
		{name: "next version", do: func(ctx context.Context, db *DB) error {
			_, err := db.Runs().Append(ctx, recognition.Run{ImageID: 1, User: account.Ref{ID: f.user}, Created: created,
				ContentIDs: []string{"z"}, Item: "job-000002"})
			return err
		}},
		{name: "contents added to a version", do: func(ctx context.Context, db *DB) error {
			_, err := db.Runs().Extend(ctx, 1, 2, created, func(r *recognition.Run, _ int) error {
				r.ContentIDs, r.Engine = append(r.ContentIDs, "y"), "another"
				return nil
			})
			return err
		}},
		{name: "current contents", do: func(ctx context.Context, db *DB) error {
			_, err := db.Contents().Get(ctx, []string{"a1", "b1"})
			return err
		}},
		{name: "revisions of a content", do: func(ctx context.Context, db *DB) error {
			_, err := db.Contents().Revisions(ctx, "a1")
			return err
		}},
		{name: "contents whose revisions are old", rows: sqldb.PageSize + 1, do: func(ctx context.Context, db *DB) error {
			for _, err := range db.Contents().Old(ctx, time.Now()) {
				return err
			}
			return errors.New("no content is old")
		}},
		{name: "content marked as deleted", do: func(ctx context.Context,
			db *DB) error {
			return db.Runs().MarkDeleted(ctx, "a2", created)
		}},
		{name: "run of a content that is marked as deleted", do: func(ctx context.Context, db *DB) error {
			_,
				err := db.Runs().ByDeleted(ctx, "a2")
			return err
		}},
		{name: "contents that were deleted long ago", sorts: []string{"ocr"}, do: func(ctx context.Context, db *DB) error {
			for _, err := range db.Runs().Deleted(ctx, created.Add(time.Hour)) {
				return err
			}
			return errors.New("no content is marked")
		}},
		{name: "contents of an image that are marked as deleted", sorts: []string{"ocr", "r"}, do: func(ctx context.Context, db *DB) error {
			_, _, err := db.Runs().DeletedOf(ctx, 1, f.user, created, account.Page{Size: 10})
			return err
		}},
		{name: "content brought back", do: func(ctx context.Context, db *DB) error { return db.Runs().Restore(ctx, "a2") }},
		{name: "contents removed that were deleted long ago", do: func(ctx context.Context, db *DB) error {
			_, err := db.Runs().RemoveDeleted(ctx, []string{"a3", "b3"}, created)
			return err
		}},
		{name: "contents that runs name", do: func(ctx context.Context, db *DB) error {
			_, err := db.Runs().Named(ctx, []string{"a1", "b1"})
			return err
		}},
		{name: "blobs that images name", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Named(ctx, []string{original(1), thumbnail(1)})
			return err
		}},
		{name: "text sought, for an administrator", do: sought(0, "공통 낱말 257")},
		{name: "text sought, for a user", rows: 600, scans: []string{"user"}, do: sought(f.user, "공통")},
		{name: "text sought that begins so, for a user", rows: 400, scans: []string{"user"}, do: sought(f.user, "comm")},
		{name: "text sought, for who may see few images", rows: 600, scans: []string{"user"}, do: sought(f.user+20, "공통")},
		{name: "announcements", do: func(ctx context.Context, db *DB) error { _, _, err := db.Index().Announced(ctx, 0, 100); return err }},
		{name: "a correction put into the index", do: func(ctx context.Context, db *DB) error {
			return db.Index().Put(ctx, 1, 60, []recognition.Content{{ID: "a299", Revision: 2}})
		}},
		{name: "a run put into the index", do: func(ctx context.Context, db *DB) error {
			return db.Index().Put(ctx, 1, 2, []recognition.Content{{ID: "a241", Revision: 2}, {ID: "b241", Revision: 2}})
		}},
		{name: "user", do: func(ctx context.Context, db *DB) error { _, err := db.Users().ByID(ctx, f.user); return err }},
		{name: "user by name", do: func(ctx context.Context, db *DB) error { _, err := db.Users().ByName(ctx, "user0"); return err }},
		{name: "users", scans: []string{"user"}, do: func(ctx context.Context, db *DB) error {
			_, _, err := db.Users().List(ctx, "", account.Page{Size: 10})
			return err
		}},
		{name: "users by a keyword", scans: []string{"user"}, do: func(ctx context.Context, db *DB) error {
			_, _, err := db.Users().List(ctx, "user1", account.Page{Size: 10})
			return err
		}},
		{name: "sign-ins of a user", do: func(ctx context.Context, db *DB) error {
			_, _, err := db.Users().Logins(ctx, f.user, account.Page{Size: 10, Number: 1})
			return err
		}},
		{name: "session", do: func(ctx context.Context, db *DB) error { _, err := db.Sessions().Session(ctx, "session3"); return err }},
		{name: "new session", do: func(ctx context.Context, db *DB) error {
			return db.Sessions().AddSession(ctx, account.Session{ID: "new", UserID: f.user, Created: created.Add(time.Hour),
				Expires: created.Add(2 * time.Hour)})
		}},
		{name: "sessions of a user ended", do: func(ctx context.Context, db *DB) error {
			return db.Sessions().RevokeSessions(ctx, f.user, "new", created)
		}},
		{name: "settings of a user", do: func(ctx context.Context, db *DB) error {
			_, err := db.Settings().Settings(ctx, f.user)
			return err
		}},
		{name: "API key", do: func(ctx context.Context, db *DB) error { _, err := db.Keys().Key(ctx, "key3"); return err }},
		{name: "API keys of a user", do: func(ctx context.Context, db *DB) error { _, err := db.Keys().KeysOf(ctx, f.user); return err }},
		{name: "webhooks of a user", do: func(ctx context.Context, db *DB) error {
			_, err := hookstore.New(db.DB).OfUser(ctx, f.user)
			return err
		}},
		{name: "webhooks, none of which has anything to send", do: func(ctx context.Context, db *DB) error {
			found, err := hookstore.New(db.DB).Due(ctx, created.Add(-time.Second))
			if err == nil && len(found) > 0 {
				err = errors.New("something is due")
			}
			return err
		}},
		{name: "webhooks that have something to send", scans: []string{"webhook"}, rows: 300, do: func(ctx context.Context, db *DB) error {
			_, err := hookstore.New(db.DB).Due(ctx, created)
			return err
		}},
		{name: "deliveries leased", do: func(ctx context.Context, db *DB) error {
			_, err := hookstore.New(db.DB).Claim(ctx, 1, "x", created.Add(time.Hour), created.Add(2*time.Hour), 4)
			return err
		}},
		{name: "a try of a delivery ended", do: func(ctx context.Context, db *DB) error {
			err := hookstore.New(db.DB).Finish(ctx, "d0007", "x", func(*webhook.Hook, *webhook.Delivery) {})
			if !errors.Is(err, webhook.ErrTaken) {
				return fmt.Errorf("what nobody leased has ended: %w", err)
			}
			return nil
		}},
		{name: "deliveries of a webhook", do: func(ctx context.Context, db *DB) error {
			_, err := hookstore.New(db.DB).Deliveries(ctx, 2, "", 10)
			return err
		}},
		{name: "user resigned", do: func(ctx context.Context, db *DB) error {
			_, err := db.Users().Update(ctx, f.user+2, func(u *account.User) error { u.Name, u.Email = "", ""; return nil })
			return err
		}},
	}, workCases(f)...)
}

// workCases are those of jobs, keys of requests and limits.
func workCases(f populated) []planCase {
	type jobs = *jobstore.Store
	onJobs := func(do func(ctx context.Context, s jobs) error) func(context.Context, *DB) error {
		return func(ctx context.Context, db *DB) error { return do(ctx, jobstore.New(db.DB)) }
	}
	onKeys := func(do func(ctx context.Context, s *oncestore.Store) error) func(context.Context, *DB) error {
		return func(ctx context.Context, db *DB) error { return do(ctx, oncestore.New(db.DB)) }
	}
	items := func(state job.State) func(context.Context, *DB) error {
		return onJobs(func(ctx context.Context, s jobs) error {
			_, err := s.Items(ctx, "job0100", state, 0, 10)
			return err
		})
	}
	at := created.Add(time.Hour)
	key := func(n int) once.Key {
		return once.Key{ID: fmt.Sprintf("key%04d", n), User: f.user, Request: "r", HeldBy: "me", Created: at, Until: at.Add(time.Minute)}
	}
	mine := func(n int) once.Claim { return once.Claim{ID: key(n).ID, By: "me"} }
	return []planCase{
		{name: "documents added, within limits", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Add(ctx, once.Claim{}, limit.Limits{Images: 1 << 40}, []document.Image{someImage(f.user, "new")})
			return err
		}},
		{name: "limits and use of a user", do: func(ctx context.Context, db *DB) error {
			_, _, err := limitstore.New(db.DB).Of(ctx, f.user, at)
			return err
		}},
		{name: "job added", do: onJobs(func(ctx context.Context, s jobs) error {
			return s.Add(ctx, job.Job{ID: "job9000", User: account.Ref{ID: f.user}, State: job.Queued, Created: at,
				Count: job.Count{Total: 2, Queued: 2}}, limit.Limits{Queued: 1 << 40, Items: 1 << 40}, []int64{1, 2})
		})},
		{name: "job", do: onJobs(func(ctx context.Context, s jobs) error { _, err := s.ByID(ctx, "job0100"); return err })},
		{name: "jobs of a user", do: onJobs(func(ctx context.Context, s jobs) error { _, err := s.List(ctx, f.user, "", 10); return err })},
		{name: "items of a job", do: items("")},
		{name: "items of a job in a state", do: items(job.Queued)},
		{name: "items of a job that have failed", sorts: []string{"job_item"}, do: items(job.Failed)},
		{name: "changes of a job", do: onJobs(func(ctx context.Context, s jobs) error {
			_, err := s.Changes(ctx, "job0100", 3, 10)
			return err
		})},
		{name: "dead items", sorts: []string{"job_item"}, do: onJobs(func(ctx context.Context, s jobs) error {
			_, err := s.Dead(ctx, "", 10)
			return err
		})},
		{name: "open jobs", sorts: []string{"job"}, do: onJobs(func(ctx context.Context, s jobs) error {
			_, err := s.Open(ctx)
			return err
		})},
		{name: "how long items take", do: onJobs(func(ctx context.Context, s jobs) error { _, err := s.Mean(ctx); return err })},
		{name: "what there is to do", do: onJobs(func(ctx context.Context, s jobs) error { _, err := s.Stats(ctx); return err })},
		{name: "items picked for the queue", sorts: []string{"job"}, do: onJobs(func(ctx context.Context, s jobs) error {
			ids, err := s.Offer(ctx, at, at.Add(time.Hour), func([]job.Open) map[string]int { return map[string]int{"job0003": 5} })
			if err == nil && len(ids) == 0 {
				err = errors.New("nothing was picked")
			}
			return err
		})},
		{name: "item claimed", do: onJobs(func(ctx context.Context, s jobs) error {
			_, err := s.Claim(ctx, "job0003-000001", "me", at, at.Add(time.Minute))
			return err
		})},
		{name: "lease prolonged", do: onJobs(func(ctx context.Context, s jobs) error {
			return s.Extend(ctx, "job0003-000001", "me", at.Add(time.Hour))
		})},
		{name: "item ended", do: onJobs(func(ctx context.Context, s jobs) error {
			return s.Finish(ctx, "job0003-000001", "me", job.Outcome{Version: 1}, at, time.Time{})
		})},
		{name: "leases that lapsed", do: onJobs(func(ctx context.Context, s jobs) error {
			n, err := s.Lapse(ctx, at, job.Outcome{Lapsed: true, Error: &fault.Failure{Code: "x", Detail: "X."}})
			if err == nil && n == 0 {
				err = errors.New("no lease lapsed")
			}
			return err
		})},
		{name: "job cancelled", do: onJobs(func(ctx context.Context, s jobs) error { return s.Cancel(ctx, "job0004", at) })},
		{name: "job run again", do: onJobs(func(ctx context.Context, s jobs) error {
			n, err := s.Retry(ctx, "job0004", limit.Limits{Queued: 1 << 40}, at)
			if err == nil && n == 0 {
				err = errors.New("nothing is run again")
			}
			return err
		})},
		{name: "dead item run again", do: onJobs(func(ctx context.Context, s jobs) error { return s.Replay(ctx, "job0200-000001") })},
		{name: "jobs that ended long ago", rows: 300, do: onJobs(func(ctx context.Context, s jobs) error {
			for _, err := range s.Old(ctx, at) {
				return err
			}
			return errors.New("no job is old")
		})},
		{name: "job removed", do: onJobs(func(ctx context.Context, s jobs) error { return s.Remove(ctx, []string{"job0201"}, at) })},

		{name: "key claimed", do: onKeys(func(ctx context.Context, s *oncestore.Store) error {
			_, err := s.Begin(ctx, key(9000))
			return errors.Join(err, func() error { _, err := s.Begin(ctx, key(9000)); return err }()) // as it is there, too
		})},
		{name: "key known", do: onKeys(func(ctx context.Context, s *oncestore.Store) error {
			known, err := s.Known(ctx, key(9000).ID, at.Add(-time.Hour))
			if err == nil && !known {
				err = errors.New("a key is not known")
			}
			return err
		})},
		{name: "claim prolonged", do: onKeys(func(ctx context.Context, s *oncestore.Store) error { return s.Extend(ctx, mine(9000), at) })},
		{name: "key completed", do: onKeys(func(ctx context.Context, s *oncestore.Store) error {
			return s.Complete(ctx, mine(9000), []once.Effect{{Image: 1}})
		})},
		{name: "claim given back", do: onKeys(func(ctx context.Context, s *oncestore.Store) error { return s.Release(ctx, mine(9000)) })},
		{name: "old keys", rows: sqldb.PageSize + 1, do: onKeys(func(ctx context.Context, s *oncestore.Store) error {
			for _, err := range s.Old(ctx, at) {
				return err
			}
			return errors.New("no key is old")
		})},
		{name: "old keys removed", do: onKeys(func(ctx context.Context, s *oncestore.Store) error {
			return s.Remove(ctx, []string{key(1).ID, key(2).ID}, at)
		})},
	}
}

// addWork adds jobs and keys of requests. Jobs 0 to 9 are open, and of each other one an item is dead.
func addWork(t *testing.T, db *DB, user int64) {
	t.Helper()
	ctx := t.Context()
	jobs, keys := jobstore.New(db.DB), oncestore.New(db.DB)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 300 {
		id := fmt.Sprintf("job%04d", n)
		must(jobs.Add(ctx, job.Job{ID: id, User: account.Ref{ID: user + int64(n%10)}, State: job.Queued,
			Created: created.Add(time.Duration(n) * time.Minute), Count: job.Count{Total: 30, Queued: 30}}, limit.Limits{},
			make([]int64, 30)))
		if n < 10 {
			continue
		}
		if n == 10 {
			_, err := jobs.Claim(ctx, job.ItemID(id, 1), "gone", created, created.Add(time.Second))
			must(err)
			continue
		}
		_, err := db.Exec(ctx, `UPDATE job_item SET state = CASE WHEN number > 1 THEN 'done' WHEN ? THEN 'dead' ELSE 'failed' END, `+
			`seq = number WHERE job_id = ?`, n%20 == 0, id)
		must(err)
		_, err = db.Exec(ctx, `UPDATE job SET state = 'done', queued = 0, done = 29, failed = 1, worked = 1000, seq = 31, `+
			`finished_datetime = ? WHERE id = ?`, sqldb.Stamp(created.Add(time.Duration(n)*time.Second)), id)
		must(err)
	}
	for n := range 1500 {
		_, err := keys.Begin(ctx, once.Key{ID: fmt.Sprintf("key%04d", n), User: user, Request: "r", HeldBy: "x", Created: created,
			Until: created.Add(time.Minute)})
		must(err)
	}
}

// addRows adds runs, contents, sign-ins, sessions and keys, so that a database does not take their tables for small ones.
func addRows(t *testing.T, db *DB, user int64) {
	t.Helper()
	ctx := t.Context()
	for id := int64(50); id < 3000; id += 97 { // a hundredth
		if _, err := db.Catalog().Update(ctx, id, func(i *document.Image) error {
			if i.Owner.ID != user {
				i.Readers = []account.Ref{{ID: user}}
			}
			i.Tags = []string{"tax"}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for id := int64(10); id < 3000; id += 31 {
		if _, err := db.Catalog().Update(ctx, id, func(i *document.Image) error {
			i.Tags = []string{"tax", fmt.Sprint(2020 + id%10)}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	words := recognition.Reading{Text: strings.Repeat("text ", 100)} // so that a row is no smaller than those of a service
	var more []recognition.Content
	for n := range 3000 {
		more = append(more, recognition.Content{ID: fmt.Sprint("c", n), Revision: 1, Reading: words})
	}
	if err := db.Contents().Add(ctx, more); err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		ids := []string{fmt.Sprint("a", n), fmt.Sprint("b", n)}
		if err := db.Contents().Add(ctx, []recognition.Content{{ID: ids[0], Revision: 1, Reading: words},
			{ID: ids[1], Revision: 1, Reading: words}}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Runs().Append(ctx, recognition.Run{ImageID: int64(n%60 + 1), User: account.Ref{ID: user}, Created: created,
			ContentIDs: ids}); err != nil {
			t.Fatal(err)
		}
		read := recognition.Reading{Text: fmt.Sprintf("공통 낱말%d common", n)}
		if err := db.Index().Put(ctx, 0, int64(n%60+1), []recognition.Content{{ID: ids[0], Revision: 1, Reading: read},
			{ID: ids[1], Revision: 1, Reading: read}}); err != nil {
			t.Fatal(err)
		}
		of := user + int64(n%10)
		if err := db.Users().AddLogin(ctx, account.Login{UserID: of, Created: created}); err != nil {
			t.Fatal(err)
		}
		if err := db.Sessions().AddSession(ctx, account.Session{ID: fmt.Sprint("session", n), UserID: of, Created: created,
			Expires: created.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if err := db.Keys().AddKey(ctx, account.Key{ID: fmt.Sprint("key", n), UserID: of, Created: created}); err != nil {
			t.Fatal(err)
		}
		add := func(text string, args ...any) {
			if _, err := db.Exec(ctx, text, args...); err != nil {
				t.Fatal(err)
			}
		}
		add(`INSERT INTO webhook (id, user_id, url, items, secret, created_datetime) VALUES (?, ?, 'https://example.org', 0, 'x', ?)`,
			n+1, of, sqldb.Stamp(created))
		for m := range 10 {
			add(`INSERT INTO webhook_delivery (id, webhook_id, event, body, state, tries, due_datetime, status, created_datetime) `+
				`VALUES (?, ?, 'job.ended', '{}', 'waiting', 0, ?, 0, ?)`, fmt.Sprintf("d%04d", 10*n+m), n%30+1, sqldb.Stamp(created),
				sqldb.Stamp(created))
		}
	}
}

// TestPlans runs what the service does often and has the database explain each statement: nothing reads all of a table, or sorts what may
// be much, unless it says so.
// MariaDB plans the same whatever its statistics say: those that it counts, and those of when the tables were empty or small, which it goes
// by on a server that grows. The plans are those of docs/plans.md.
func TestPlans(t *testing.T) {
	for _, database := range []string{"MariaDB", "SQLite"} {
		t.Run(database, func(t *testing.T) {
			source, db, server := grown(t, database)
			f := populate(t, db, 3000)
			addRows(t, db, f.user)
			addWork(t, db, f.user)
			plain, asked := openAt(t, source), record(t, db, source)
			explained := map[string]bool{}
			cases := planCases(f)
			statements := make([][]statement, len(cases))
			for n, c := range cases {
				asked.take()
				if err := c.do(t.Context(), db); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				for _, s := range asked.take() {
					if key := fmt.Sprint(s.text, c.rows); hasPlan.MatchString(s.text) && !explained[key] {
						explained[key] = true
						statements[n] = append(statements[n], s)
					}
				}
				if len(statements[n]) == 0 {
					t.Errorf("%s: nothing to explain", c.name)
				}
			}
			explain := func(statistics string) string {
				var doc strings.Builder
				for n, c := range cases {
					fmt.Fprintf(&doc, "\n%s:\n\n```\n", c.name)
					for _, s := range statements[n] {
						steps := planOf(t, plain, plain.Write, s)
						if wrong := c.mistakes(steps); len(wrong) > 0 {
							t.Errorf("%s, with statistics %s: %s\n%s\nreads all of a table, or sorts, in %q", c.name, statistics, s.text,
								strings.Join(steps, "\n"), wrong)
						}
						text := longList.ReplaceAllString(imageFields.ReplaceAllString(s.text, "${1}… FROM"), "?,…")
						fmt.Fprintf(&doc, "%s\n    %s\n", text, strings.Join(steps, "\n    "))
					}
					doc.WriteString("```\n")
				}
				return doc.String()
			}
			if database == "SQLite" {
				compareSection(t, "## SQLite\n"+explain("that it does not keep"))
				return
			}
			want := explain("of empty tables")
			for _, rows := range []int{0, 1, 3} {
				setStatistics(t, plain, rows)
				server.Kill() // so that it reads them
				if err := server.Run(); err != nil {
					t.Fatal(err)
				}
				plain = openAt(t, source)
				if d := cmp.Diff(want, explain(fmt.Sprintf("of %d rows", rows))); d != "" {
					t.Errorf("plans change with statistics of %d rows:\n%s", rows, d)
				}
			}
			for _, table := range tablesWithPlans {
				run(t, plain, `ANALYZE TABLE `+table)
			}
			if d := cmp.Diff(want, explain("of now")); d != "" {
				t.Errorf("plans change once the tables are counted:\n%s", d)
			}
			version := textOf(t, plain.Read, `SELECT REGEXP_SUBSTR(VERSION(), '^[0-9]+[.][0-9]+')`)[0]
			compareSection(t, "## MariaDB "+version+"\n"+want)
		})
	}
}

var tablesWithPlans = []string{"image", "image_suffix", "image_share", "image_tag", "ocr", "ocr_run", "content_revision", "text_announced",
	"text_block", "text_compact", "text_entry", "text_posting", "text_proofread", "text_state",
	"logged_in", "session", "api_key", "webhook", "webhook_delivery", "user", "user_state",
	"user_setting", "user_limit", "user_work", "job", "job_item", "job_feed", "request_key", "role", "state"}

func run(t testing.TB, db *DB, text string, args ...any) {
	t.Helper()
	if _, err := db.Migrating.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// grown opens a database that keeps the statistics of empty tables however they grow; MariaDB on a server of its own.
func grown(t *testing.T, database string) (source string, db *DB, server *mariadbtest.Server) {
	t.Helper()
	if database == "SQLite" {
		source = filepath.Join(t.TempDir(), "glyphbox.db")
		return source, openAt(t, source), nil
	}
	server = mariadbtest.New(t)
	source = mariadbtest.DatabaseOn(t, "mariadb://root@"+server.Addr())
	db = openAt(t, source)
	freezeStatistics(t, db)
	return source, db, server
}

// freezeStatistics has MariaDB keep the statistics of its tables as they are, however the tables grow.
func freezeStatistics(t testing.TB, db *DB) {
	t.Helper()
	if db.Migrating == nil { // SQLite plans without
		return
	}
	for _, table := range tablesWithPlans {
		run(t, db, `ALTER TABLE `+table+` STATS_AUTO_RECALC = 0`)
	}
}

// setStatistics has MariaDB take each table, once it is started again, for one of so many rows on one page.
func setStatistics(t *testing.T, db *DB, rows int) {
	t.Helper()
	run(t, db, `UPDATE mysql.innodb_table_stats SET n_rows = ?, clustered_index_size = 1, sum_of_other_index_sizes = 1 WHERE `+
		`database_name = DATABASE()`, rows)
	run(t, db, `UPDATE mysql.innodb_index_stats SET stat_value = CASE WHEN stat_name LIKE 'n_diff%' THEN ? ELSE 1 END WHERE `+
		`database_name = DATABASE()`, rows)
}

var (
	hasPlan     = regexp.MustCompile(`^(SELECT|UPDATE|DELETE|INSERT .* SELECT) `)
	longList    = regexp.MustCompile(`(?:\?,){30,}\?`)
	imageFields = regexp.MustCompile(`^(SELECT (?:/\*! STRAIGHT_JOIN \*/ )?)i\.id, .*?COALESCE\(i\.document, i\.id\)\) FROM`)
)

// compareSection compares a section with the one of the same title in docs/plans.md, or puts it there. What another version of a server
// plans is not compared.
func compareSection(t *testing.T, want string) {
	t.Helper()
	file, err := os.ReadFile(plansFile)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "\n## "
	sections := strings.Split(strings.TrimSpace(string(file)), mark) // the first one is the head
	want = strings.TrimSpace(strings.TrimPrefix(want, "## "))
	title, _, _ := strings.Cut(want, "\n")
	kind, _, _ := strings.Cut(title, " ")
	at := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, kind) })
	switch {
	case *update && at < 0:
		sections = append(sections, want)
	case *update:
		sections[at] = want + "\n"
	case at < 0:
		t.Errorf("docs/plans.md lacks %s", kind)
	case strings.HasPrefix(sections[at], title+"\n"):
		if d := cmp.Diff(strings.TrimSpace(sections[at]), want); d != "" {
			t.Errorf("docs/plans.md is not up to date: go test ./internal/adapter/sqlstore -run TestPlans -update (-file +now):\n%s", d)
		}
	}
	if *update {
		sections[0] = strings.TrimSpace(sections[0]) + "\n"
		//nolint:gosec // a document
		if err := os.WriteFile(plansFile, []byte(strings.TrimSpace(strings.Join(sections, mark))+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Long lists are looked for one by one also where MariaDB takes a large table for a small one, as it does until it has counted again.
func TestPlansOfLongLists(t *testing.T) {
	source := sources["MariaDB"](t)
	db := openAt(t, source)
	const contents, sought = 20_000, 500
	var ids, originals []string
	for n := range sought {
		ids, originals = append(ids, fmt.Sprint("content", n*31)), append(originals, original(int64(n)))
	}
	ann := addUser(t, db, "ann")
	i := addImage(t, db, ann.ID, "a")
	addContents := func(first, end int) {
		var all []recognition.Content
		var named []string
		for n := first; n < end; n++ {
			all, named = append(all, recognition.Content{ID: fmt.Sprint("content", n), Revision: 1}),
				append(named, fmt.Sprint("content", n))
		}
		if err := db.Contents().Add(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Runs().Append(t.Context(), recognition.Run{ImageID: i.ID, User: account.Ref{ID: ann.ID}, Created: created,
			ContentIDs: named}); err != nil {
			t.Fatal(err)
		}
	}
	addContents(0, 10)
	for _, table := range []string{"image", "ocr", "content_revision"} {
		for _, text := range []string{`ALTER TABLE ` + table + ` STATS_AUTO_RECALC = 0`, `ANALYZE TABLE ` + table} {
			if _, err := db.Write.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
	}
	addContents(10, contents)
	populate(t, db, 3000)
	plain, asked := openAt(t, source), record(t, db, source)
	for _, c := range []planCase{
		{name: "current contents", do: func(ctx context.Context, db *DB) error { _, err := db.Contents().Get(ctx, ids); return err }},
		{name: "revisions of contents", do: func(ctx context.Context, db *DB) error {
			_, err := db.Contents().History(ctx, ids)
			return err
		}},
		{name: "contents deleted", do: func(ctx context.Context, db *DB) error { return db.Contents().Delete(ctx, ids) }},
		{name: "contents that runs name", do: func(ctx context.Context, db *DB) error { _, err := db.Runs().Named(ctx, ids); return err }},
		{name: "blobs that images name", do: func(ctx context.Context, db *DB) error {
			_, err := db.Catalog().Named(ctx, originals)
			return err
		}},
	} {
		c.rows = sought
		asked.take()
		if err := c.do(t.Context(), db); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		explained := 0
		for _, s := range asked.take() {
			if !hasPlan.MatchString(s.text) {
				continue
			}
			explained++
			steps := planOf(t, plain, plain.Write, s)
			if wrong := c.mistakes(steps); len(wrong) > 0 {
				t.Errorf("%s: the plan reads more than it looks for, in %q", c.name, wrong)
			}
		}
		if explained == 0 {
			t.Errorf("%s: nothing to explain", c.name)
		}
	}
}

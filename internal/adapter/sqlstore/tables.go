package sqlstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// catalogue is how a database tells what tables it has, and how whole tables are read and written.
type catalogue struct {
	tables     string                                // query for the names of all
	columns    string                                // query for the columns of one that are not made by the database: name, type, place in the primary key or 0
	isolation  sql.IsolationLevel                    // of what reads several as they are at one moment
	references func(checked bool) string             // statement that has a connection check what rows refer to, or not
	lastID     string                                // query for the last number that one has given
	setLastID  func(table string, id int64) []string // statements that set it
	empty      string                                // begins a statement that removes all rows of one at once
}

// notCopied are tables that each database has of its own. image_suffix follows from table image.
var notCopied = []string{stepsTable, unfinishedTable, suffixTable}

// contentsTable is empty where contents are kept elsewhere.
const contentsTable = "content_revision"

// table is a table as it is copied: whatever the columns of this release are, but for those that the database makes itself.
type table struct {
	name    string
	columns []column
	key     []int // of the primary key, as indexes of columns
}

type column struct {
	name  string
	class columnClass
}

type columnClass uint8

const (
	textColumn columnClass = iota
	integerColumn
	bytesColumn
)

func classOf(sqlType string) columnClass {
	switch t := strings.ToUpper(sqlType); {
	case strings.Contains(t, "INT"):
		return integerColumn
	case strings.Contains(t, "BLOB"), strings.Contains(t, "BINARY"):
		return bytesColumn
	}
	return textColumn
}

// ours returns the names of the tables that this release makes and that are copied, in their order. Others may be in the same database, such as
// those of the original service. contents says whether contents are among them.
func ours(ctx context.Context, contents bool) (names []string, err error) {
	dir, err := os.MkdirTemp("", "glyphbox-schema-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary in any case
	empty, err := Open(ctx, filepath.Join(dir, "empty.db"))
	if err != nil {
		return nil, err
	}
	names, err = empty.tableNames(ctx)
	names = slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(notCopied, name) || name == contentsTable && !contents
	})
	slices.Sort(names)
	return names, errors.Join(err, empty.Close())
}

// table returns what a table is made of.
func (db *DB) table(ctx context.Context, q querier, name string) (table, error) {
	t := table{name: name}
	places := map[int]int{} // in the key, of the columns that are in it
	err := each(ctx, q, func(scan func(...any) error) error {
		var c column
		var sqlType string
		var place int
		err := scan(&c.name, &sqlType, &place)
		c.class = classOf(sqlType)
		if place > 0 {
			t.key = append(t.key, len(t.columns))
			places[len(t.columns)] = place
		}
		t.columns = append(t.columns, c)
		return err
	}, db.dialect.catalogue.columns, name)
	slices.SortFunc(t.key, func(a, b int) int { return cmp.Compare(places[a], places[b]) })
	if err == nil && len(t.key) == 0 {
		err = errors.New("it has no primary key to copy it by")
	}
	return t, err
}

// columnNames is a list for SQL. No name of ours needs quotes.
func (t table) columnNames() string {
	names := make([]string, len(t.columns))
	for n, c := range t.columns {
		names[n] = c.name
	}
	return strings.Join(names, ", ")
}

// keyNames is the same of the key.
func (t table) keyNames() string {
	names := make([]string, len(t.key))
	for i, n := range t.key {
		names[i] = t.columns[n].name
	}
	return strings.Join(names, ", ")
}

// rowReader reads a table in the order of its key.
type rowReader struct {
	table table
	rows  *sql.Rows
	row   []any // int64, float64, string or nil; the row itself is nil at the end
}

func (t table) read(ctx context.Context, q querier) (*rowReader, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+t.columnNames()+` FROM `+t.name+` ORDER BY `+t.keyNames()) //nolint:rowserrcheck // next does that
	if err != nil {
		return nil, err
	}
	r := &rowReader{table: t, rows: rows}
	return r, r.next()
}

func (r *rowReader) next() error {
	r.row = nil
	if !r.rows.Next() {
		return errors.Join(r.rows.Err(), r.rows.Close())
	}
	row := make([]any, len(r.table.columns))
	into := make([]any, len(row))
	for n := range row {
		into[n] = &row[n]
	}
	if err := r.rows.Scan(into...); err != nil {
		return err
	}
	for n, c := range r.table.columns {
		var err error
		if row[n], err = plain(row[n], c.class); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	r.row = row
	return nil
}

// plain gives a value the form that it has whatever the database.
func plain(v any, class columnClass) (any, error) {
	switch v := v.(type) {
	case []byte:
		if class == integerColumn {
			return strconv.ParseInt(string(v), 10, 64)
		}
		return string(v), nil
	case time.Time:
		return v.UTC().Format(stampFormat), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case nil, int64, float64, string:
		return v, nil
	default:
		return nil, fmt.Errorf("holds %T", v)
	}
}

// order compares the keys of two rows as both databases do: numbers by value, texts by byte.
func (t table) order(a, b []any) int {
	for _, n := range t.key {
		x, isNumber := a[n].(int64)
		y, _ := b[n].(int64)
		c := cmp.Compare(x, y)
		if !isNumber {
			c = cmp.Compare(fmt.Sprint(a[n]), fmt.Sprint(b[n]))
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// snapshot runs do on the database as it is at one moment.
func (db *DB) snapshot(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{Isolation: db.dialect.catalogue.isolation})
	if err != nil {
		return db.fault(ctx, err)
	}
	defer tx.Rollback() // it has written nothing
	return db.fault(ctx, do(tx))
}

// Sync makes the tables of one database what those of another are, whatever of it is done already: rows that are equal stay. Both have
// the schema of this release, and nobody else writes to either. contents says whether both keep contents, too. It calls done from time to time with how many rows of a table have been looked at.
// What search needs is made anew at the end.
func Sync(ctx context.Context, from, to *DB, contents bool, done func(table string, rows int64)) error {
	names, err := ours(ctx, contents)
	if err != nil {
		return err
	}
	// First, since suffixes of names that are about to change would stay.
	if _, err := to.write.ExecContext(ctx, to.dialect.catalogue.empty+suffixTable); err != nil {
		return to.fault(ctx, err)
	}
	if err := syncTables(ctx, from, to, names, done); err != nil {
		return err
	}
	return to.indexNames(ctx)
}

func syncTables(ctx context.Context, from, to *DB, names []string, done func(table string, rows int64)) error {
	conn, err := to.write.Conn(ctx)
	if err != nil {
		return to.fault(ctx, err)
	}
	defer conn.Close() // back to the pool
	// Whichever order rows come in, all that they refer to is there in the end.
	if _, err := conn.ExecContext(ctx, to.dialect.catalogue.references(false)); err != nil {
		return to.fault(ctx, err)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), to.dialect.catalogue.references(true)) //nolint:errcheck // a connection that is broken goes anyway
	return from.snapshot(ctx, func(source *sql.Tx) error {
		if err := to.snapshot(ctx, func(target *sql.Tx) error {
			for _, name := range names {
				t, err := from.table(ctx, source, name)
				if err != nil {
					return fmt.Errorf("table %s: %w", name, err)
				}
				w := &rowWriter{ctx: ctx, conn: conn}
				if w.table, err = to.table(ctx, target, name); err == nil {
					err = syncTable(ctx, source, target, t, w, done)
				}
				if err != nil {
					return fmt.Errorf("table %s: %w", name, err)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		for _, name := range names { // only now, since a database that is read from is locked against changes of its tables
			last, err := from.lastID(ctx, source, name)
			if err == nil {
				err = to.setLastID(ctx, conn, name, last)
			}
			if err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
		}
		return nil
	})
}

func syncTable(ctx context.Context, source, target *sql.Tx, t table, w *rowWriter, done func(string, int64)) error {
	if t.columnNames() != w.table.columnNames() || t.keyNames() != w.table.keyNames() {
		return errors.New("it is not of the same form in both databases")
	}
	from, err := t.read(ctx, source)
	if err != nil {
		return err
	}
	defer from.rows.Close() // a second time does no harm
	to, err := t.read(ctx, target)
	if err != nil {
		return err
	}
	defer to.rows.Close() // as above
	seen := int64(0)
	for from.row != nil || to.row != nil {
		order := -1 // of the source's row to the target's
		switch {
		case from.row == nil:
			order = 1
		case to.row != nil:
			order = t.order(from.row, to.row)
		}
		switch {
		case order > 0:
			err = w.remove(to.row)
		case order < 0 || !slices.Equal(from.row, to.row):
			err = w.put(from.row)
		}
		if err == nil && order <= 0 {
			if seen++; seen%10_000 == 0 {
				done(t.name, seen)
			}
			err = from.next()
		}
		if err == nil && order >= 0 {
			err = to.next()
		}
		if err != nil {
			return err
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	done(t.name, seen)
	return nil
}

// rowWriter writes rows, many in one statement.
type rowWriter struct {
	ctx   context.Context
	conn  *sql.Conn
	table table
	args  []any
	size  int // bytes of args, about
}

const statementSize = 1 << 20 // bytes

func (w *rowWriter) put(row []any) error {
	for n, v := range row {
		if s, ok := v.(string); ok {
			w.size += len(s)
			if w.table.columns[n].class == bytesColumn {
				v = []byte(s)
			}
		}
		w.args = append(w.args, v)
	}
	if len(w.args) >= rowsAtOnce*len(row) || w.size > statementSize {
		return w.flush()
	}
	return nil
}

func (w *rowWriter) flush() error {
	if len(w.args) == 0 {
		return nil
	}
	columns := len(w.table.columns)
	values := `, (` + strings.TrimPrefix(strings.Repeat(`, ?`, columns), `, `) + `)`
	text := `REPLACE INTO ` + w.table.name + ` (` + w.table.columnNames() + `) VALUES ` + strings.Repeat(values, len(w.args)/columns)[2:]
	_, err := w.conn.ExecContext(w.ctx, text, w.args...)
	w.args, w.size = nil, 0
	return err
}

func (w *rowWriter) remove(row []any) error {
	args := make([]any, len(w.table.key))
	for i, n := range w.table.key {
		args[i] = row[n]
	}
	_, err := w.conn.ExecContext(w.ctx, `DELETE FROM `+w.table.name+` WHERE (`+w.table.keyNames()+`) = (`+
		strings.TrimPrefix(strings.Repeat(`, ?`, len(args)), `, `)+`)`, args...)
	return err
}

// lastID returns the greatest number that the rows of a table have ever had, so that none is given twice; 0 where they have none.
func (db *DB) lastID(ctx context.Context, q querier, table string) (id int64, err error) {
	err = q.QueryRowContext(ctx, db.dialect.catalogue.lastID, table).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

func (db *DB) setLastID(ctx context.Context, conn *sql.Conn, table string, id int64) error {
	have, err := db.lastID(ctx, conn, table)
	if err != nil || have == id {
		return err
	}
	for _, text := range db.dialect.catalogue.setLastID(table, id) {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// Sum is what a table holds.
type Sum struct {
	Table  string
	Rows   int64
	SHA256 string // of all rows, the same whatever the database
}

// Sums returns what each table holds that Sync makes equal, all of one moment.
func (db *DB) Sums(ctx context.Context, contents bool) ([]Sum, error) {
	names, err := ours(ctx, contents)
	if err != nil {
		return nil, err
	}
	return db.sums(ctx, names)
}

func (db *DB) sums(ctx context.Context, names []string) (sums []Sum, err error) {
	err = db.snapshot(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			t, err := db.table(ctx, tx, name)
			if err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
			sum := sha256.New()
			n, err := t.sum(ctx, tx, sum)
			if err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
			last, err := db.lastID(ctx, tx, name)
			if err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
			fmt.Fprintf(sum, "last %d", last)
			sums = append(sums, Sum{name, n, hex.EncodeToString(sum.Sum(nil))})
		}
		return nil
	})
	return sums, err
}

func (t table) sum(ctx context.Context, q querier, into hash.Hash) (n int64, err error) {
	r, err := t.read(ctx, q)
	if err != nil {
		return 0, err
	}
	defer r.rows.Close() // a second time does no harm
	for ; r.row != nil; n++ {
		for _, v := range r.row {
			if v == nil {
				io.WriteString(into, "null ") //nolint:errcheck // a hash takes everything
				continue
			}
			text := fmt.Sprint(v)
			fmt.Fprintf(into, "%d:%s ", len(text), text)
		}
		if err := r.next(); err != nil {
			return n, err
		}
	}
	return n, nil
}

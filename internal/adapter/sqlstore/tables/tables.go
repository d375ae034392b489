// Package tables copies whole tables between databases of either kind, and compares them. It does not depend on their contents.
package tables

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
	"slices"
	"strconv"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
)

// table is a table to copy, with all columns but the generated ones.
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

// tableOf returns the columns and the key of a table.
func tableOf(ctx context.Context, db *sqldb.DB, q sqldb.Querier, name string) (table, error) {
	t := table{name: name}
	places := map[int]int{} // in the key, of the columns that are in it
	err := sqldb.Each(ctx, q, func(scan func(...any) error) error {
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
	}, db.Dialect.Catalogue.Columns, name)
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

// keyNames is a list for SQL of the columns of the key.
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

func (t table) read(ctx context.Context, q sqldb.Querier) (*rowReader, error) {
	//nolint:rowserrcheck // next does that
	rows, err := q.QueryContext(ctx, `SELECT `+t.columnNames()+` FROM `+t.name+` ORDER BY `+t.keyNames())
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

// plain gives a value the same form for every database.
func plain(v any, class columnClass) (any, error) {
	switch v := v.(type) {
	case []byte:
		if class == integerColumn {
			return strconv.ParseInt(string(v), 10, 64)
		}
		return string(v), nil
	case time.Time:
		return v.UTC().Format(sqldb.StampFormat), nil
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
func snapshot(ctx context.Context, db *sqldb.DB, do func(tx *sql.Tx) error) error {
	tx, err := db.Read.BeginTx(ctx, &sql.TxOptions{Isolation: db.Dialect.Catalogue.Isolation})
	if err != nil {
		return db.Fault(ctx, err)
	}
	defer tx.Rollback() // it has written nothing
	return db.Fault(ctx, do(tx))
}

// Sync makes tables of one database equal to those of another. It changes only rows that differ, so that it can be interrupted and run
// again. Nobody else may write to either database. It calls done from time to time with the number of compared rows of a table.
func Sync(ctx context.Context, from, to *sqldb.DB, names []string, done func(table string, rows int64)) error {
	conn, err := to.Write.Conn(ctx)
	if err != nil {
		return to.Fault(ctx, err)
	}
	defer conn.Close() // back to the pool
	// In whatever order rows are written, everything that they refer to is there in the end.
	if _, err := conn.ExecContext(ctx, to.Dialect.Catalogue.References(false)); err != nil {
		return to.Fault(ctx, err)
	}
	//nolint:errcheck // a connection that is broken goes anyway
	defer conn.ExecContext(context.WithoutCancel(ctx), to.Dialect.Catalogue.References(true))
	return snapshot(ctx, from, func(source *sql.Tx) error {
		if err := snapshot(ctx, to, func(target *sql.Tx) error {
			for _, name := range names {
				t, err := tableOf(ctx, from, source, name)
				if err != nil {
					return fmt.Errorf("table %s: %w", name, err)
				}
				w := &rowWriter{ctx: ctx, conn: conn}
				if w.table, err = tableOf(ctx, to, target, name); err == nil {
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
			last, err := LastID(ctx, from, source, name)
			if err == nil {
				err = SetLastID(ctx, to, conn, name, last)
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

// rowsAtOnce is how many rows one statement writes.
const rowsAtOnce = 100

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
	_, err := w.conn.ExecContext(w.ctx, `DELETE FROM `+w.table.name+` WHERE `+strings.ReplaceAll(w.table.keyNames(), `, `,
		` = ? AND `)+` = ?`, args...)
	return err
}

// LastID returns the greatest number that a table has ever given to a row, so that none is given twice; 0 if there is none.
func LastID(ctx context.Context, db *sqldb.DB, q sqldb.Querier, table string) (id int64, err error) {
	err = q.QueryRowContext(ctx, db.Dialect.Catalogue.LastID, table).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// SetLastID makes a table number new rows from id+1 on.
func SetLastID(ctx context.Context, db *sqldb.DB, conn *sql.Conn, table string, id int64) error {
	have, err := LastID(ctx, db, conn, table)
	if err != nil || have == id {
		return err
	}
	for _, text := range db.Dialect.Catalogue.SetLastID(table, id) {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// Sum is the checksum of a table.
type Sum struct {
	Table  string
	Rows   int64
	SHA256 string // of all rows, the same whatever the database
}

// Sums returns the checksums of tables, all at one moment.
func Sums(ctx context.Context, db *sqldb.DB, names []string) (sums []Sum, err error) {
	err = snapshot(ctx, db, func(tx *sql.Tx) error {
		for _, name := range names {
			t, err := tableOf(ctx, db, tx, name)
			if err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
			sum := sha256.New()
			n, err := t.sum(ctx, tx, sum)
			if err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
			last, err := LastID(ctx, db, tx, name)
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

func (t table) sum(ctx context.Context, q sqldb.Querier, into hash.Hash) (n int64, err error) {
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

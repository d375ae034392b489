package original

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Database is the MariaDB of the original service, in which ours takes its place. *sqlstore.DB implements it.
type Database interface {
	// SQL returns the connections.
	SQL() *sql.DB

	// Rename gives a table another name.
	Rename(ctx context.Context, table, name string) error

	// Unfinished returns the work that has begun to fill the database and has not ended; "" where there is none.
	Unfinished(ctx context.Context) (work string, err error)

	// Note notes the work that is going to fill the database. Until Filled, no service starts on it.
	Note(ctx context.Context, work string) error

	// Filled notes that the work is done.
	Filled(ctx context.Context) error

	// Migrate makes the tables of this release.
	Migrate(ctx context.Context) error

	// AddUsers stores users under the IDs that they have, with their states, as one step.
	AddUsers(ctx context.Context, users []account.User) error

	// AddImage stores an image under the ID that it has, with its runs, as one step. The runs get the versions 1, 2, 3 …
	AddImage(ctx context.Context, i document.Image, runs []recognition.Run) error

	// KeepIDs has a table give no ID again that another table has given.
	KeepIDs(ctx context.Context, table, other string) error
}

// rows is the database of the original service: its tables are set aside under names that begin with original_, ours are made,
// and filled from them. Of the original nothing changes but those names.
//
// Each statement commits by itself, and each step finds out what of it is done, so that all of it can break off anywhere and be done again.
type rows struct {
	Database
	offset time.Duration // of its times from UTC
}

const (
	aside      = "original_"        // begins the names of tables that are set aside
	stepsTable = "goose_db_version" // of our schema
	importWork = "glyphbox migrate import"
)

// originalTables are the tables of the original service, and the columns that are read.
var originalTables = map[string][]string{
	"role":       {"id", "name"},
	"user":       {"id", "name", "password", "email", "created_datetime", "role_id"},
	"state":      {"id", "name"},
	"user_state": {"user_id", "state_id", "detail", "created_datetime"},
	"logged_in":  {"id", "user_id", "created_datetime"},
	"image":      {"id", "name", "media_type", "image_id", "thumbnail_id", "created_datetime", "user_id"},
	"ocr":        {"id", "version", "created_datetime", "image_id", "user_id", "content_id"},
}

var errNotOriginal = errors.New("this is not a database of the original service")

// tableNames returns the names of all tables, in no order.
func (o *rows) tableNames(ctx context.Context) ([]string, error) {
	return query(ctx, o.SQL(), scanString, `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND `+
		`table_type = 'BASE TABLE'`)
}

func (o *rows) count(ctx context.Context, table string) (n int, err error) {
	err = o.SQL().QueryRowContext(ctx, `SELECT COUNT(*) FROM `+table).Scan(&n)
	return n, err
}

// query returns what scan makes of each row of a query.
func query[T any](ctx context.Context, db *sql.DB, scan func(scan func(...any) error) (T, error), text string,
	args ...any) (all []T, err error) {
	found, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close() // Err tells what goes wrong
	for found.Next() {
		v, err := scan(found.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, found.Err()
}

// scanString scans a row of one text, which is empty for NULL.
func scanString(scan func(...any) error) (string, error) {
	var v sql.Null[string]
	err := scan(&v)
	return v.V, err
}

// check returns an error where this is not the original's database, half imported or not at all.
func (o *rows) check(ctx context.Context) error {
	names, err := o.tableNames(ctx)
	if err != nil {
		return err
	}
	work, err := o.Unfinished(ctx)
	if err != nil {
		return err
	}
	switch begun := slices.Contains(names, stepsTable); {
	case work != "" && work != importWork:
		return fmt.Errorf("the database is incomplete: %s has not been finished", work)
	case begun && work == "" && slices.Contains(names, aside+"user"):
		return fmt.Errorf("%w any more: it has already been imported", errNotOriginal)
	case begun && work == "":
		return fmt.Errorf("%w, but one of Glyphbox", errNotOriginal)
	}
	for table, columns := range originalTables {
		table := o.whereIs(names, table)
		have, err := query(ctx, o.SQL(), scanString,
			`SELECT LOWER(column_name) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?`, table)
		if err != nil {
			return err
		}
		for _, c := range columns {
			if !slices.Contains(have, c) {
				return fmt.Errorf("%w: there is no column %s.%s", errNotOriginal, table, c)
			}
		}
	}
	return nil
}

// whereIs returns the name that a table of the original has among the names of all.
func (o *rows) whereIs(names []string, table string) string {
	if slices.Contains(names, aside+table) {
		return aside + table
	}
	return table
}

// from returns the name that a table of the original has now.
func (o *rows) from(ctx context.Context, table string) (string, error) {
	names, err := o.tableNames(ctx)
	return o.whereIs(names, table), err
}

// counts returns how many rows the original has in each table.
func (o *rows) counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	for table := range originalTables {
		name, err := o.from(ctx, table)
		if err != nil {
			return nil, err
		}
		if counts[table], err = o.count(ctx, name); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// clashes returns names and e-mails that the original takes for different ones and that differ in letter case only, each with the numbers
// of its users.
func (o *rows) clashes(ctx context.Context) (clashes []string, err error) {
	table, err := o.from(ctx, "user")
	if err != nil {
		return nil, err
	}
	for _, column := range []string{"name", "email"} {
		type user struct {
			id    int64
			value string
		}
		all, err := query(ctx, o.SQL(), func(scan func(...any) error) (u user, err error) {
			var v sql.Null[string]
			err = scan(&u.id, &v)
			u.value = v.V
			return u, err
		}, `SELECT id, `+column+` FROM `+table+` ORDER BY id`)
		if err != nil {
			return nil, err
		}
		users := map[string][]int64{}
		for _, u := range all {
			if u.value != "" {
				key := strings.Map(lower, u.value)
				users[key] = append(users[key], u.id)
			}
		}
		for v, ids := range users {
			if len(ids) > 1 {
				clashes = append(clashes, fmt.Sprintf("%s %s is that of users %s", column, v, strings.Trim(fmt.Sprint(ids), "[]")))
			}
		}
	}
	slices.Sort(clashes)
	return clashes, nil
}

// lower makes an ASCII letter small. Of two names that differ in these only, our database takes the second for taken.
func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

// setAside gives the original's tables other names and makes ours.
func (o *rows) setAside(ctx context.Context) error {
	names, err := o.tableNames(ctx)
	if err != nil {
		return err
	}
	work, err := o.Unfinished(ctx)
	if err == nil && work == "" { // from now on no service starts on it
		err = o.Note(ctx, importWork)
	}
	if err != nil {
		return err
	}
	for table := range originalTables {
		if o.whereIs(names, table) == table {
			if err := o.Rename(ctx, table, aside+table); err != nil {
				return err
			}
		}
	}
	return o.Migrate(ctx)
}

// importAccounts brings over users with their roles and states, and the sign-ins. It returns how many users there are.
func (o *rows) importAccounts(ctx context.Context) (users int, err error) {
	for _, table := range []string{"role", "state"} {
		names, err := query(ctx, o.SQL(), scanString, `SELECT name FROM `+aside+table+` ORDER BY id`)
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			if _, err := o.SQL().ExecContext(
				ctx, `INSERT INTO `+table+` (name) SELECT ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `+table+` WHERE name = ?)`, name,
				name); err != nil {
				return 0, err
			}
		}
	}
	for {
		some, err := o.usersToDo(ctx)
		if err != nil {
			return 0, err
		}
		if len(some) == 0 {
			break
		}
		if err := o.AddUsers(ctx, some); err != nil {
			return 0, err
		}
	}
	const signInsAtOnce = 10_000
	for {
		result, err := o.SQL().ExecContext(ctx, fmt.Sprintf(`INSERT INTO logged_in (id, user_id, created_datetime)
			SELECT id, user_id, created_datetime - INTERVAL ? SECOND FROM %slogged_in
			WHERE id > (SELECT COALESCE(MAX(id), 0) FROM logged_in) ORDER BY id LIMIT %d`, aside, signInsAtOnce), int(o.offset.Seconds()))
		if err != nil {
			return 0, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return 0, err
			}
			break
		}
	}
	return o.count(ctx, "user")
}

// atOnce is how many users or images are looked at together.
const atOnce = 100

// usersToDo returns the next users that are not there yet, with their states.
func (o *rows) usersToDo(ctx context.Context) (users []account.User, err error) {
	_, err = query(ctx, o.SQL(), func(scan func(...any) error) (_ struct{}, err error) {
		var u account.User
		var name, password, email, role, state, detail sql.Null[string]
		var since sql.NullTime
		if err := scan(&u.ID, &name, &password, &email, &u.Created, &role, &state, &detail, &since); err != nil {
			return struct{}{}, err
		}
		if len(users) == 0 || users[len(users)-1].ID != u.ID {
			u.Name, u.PasswordHash, u.Email, u.Role, u.Created = name.V, password.V, email.V, role.V, u.Created.Add(-o.offset)
			users = append(users, u)
		}
		if state.V != "" {
			last := &users[len(users)-1]
			last.States = append(last.States, account.State{Name: state.V, Detail: detail.V, Created: since.Time.Add(-o.offset)})
		}
		return struct{}{}, nil
	}, fmt.Sprintf(`SELECT u.id, u.name, u.password, u.email, u.created_datetime, r.name, s.name, us.detail, us.created_datetime
		FROM (SELECT * FROM %[1]suser WHERE id > (SELECT COALESCE(MAX(id), 0) FROM user) ORDER BY id LIMIT %[2]d) u
		LEFT JOIN %[1]srole r ON r.id = u.role_id
		LEFT JOIN %[1]suser_state us ON us.user_id = u.id
		LEFT JOIN %[1]sstate s ON s.id = us.state_id
		ORDER BY u.id, s.name`, aside, atOnce))
	return users, err
}

// imageRow is a row of an image of the original, with those of its results. Geometry is what was believed of the uploader, if anything.
type imageRow struct {
	document.Image
	results []resultRow // by version and number
}

// resultRow is a row of a result of the original.
type resultRow struct {
	version   int
	created   time.Time
	userID    int64
	contentID string
}

// images goes through the images of the original by number; where it is set aside, only through those that are not imported.
func (o *rows) images(ctx context.Context) iter.Seq2[imageRow, error] {
	return func(yield func(imageRow, error) bool) {
		for after := int64(0); ; {
			images, err := o.imagesAfter(ctx, after)
			if err != nil {
				yield(imageRow{}, err)
				return
			}
			for _, i := range images {
				if i.results, err = o.resultsOf(ctx, i.ID); err != nil {
					yield(imageRow{}, err)
					return
				}
				if !yield(i, nil) {
					return
				}
				after = i.ID
			}
			if len(images) < atOnce {
				return
			}
		}
	}
}

func (o *rows) imagesAfter(ctx context.Context, id int64) (images []imageRow, err error) {
	table, err := o.from(ctx, "image")
	if err != nil {
		return nil, err
	}
	done := ``
	if table != "image" {
		done = ` AND NOT EXISTS (SELECT 1 FROM image WHERE image.id = o.id)`
	}
	return query(ctx, o.SQL(), func(scan func(...any) error) (i imageRow, err error) {
		err = scan(&i.ID, &i.Name, &i.MediaType, &i.Original, &i.Thumbnail, &i.Created, &i.Owner.ID)
		i.Created = i.Created.Add(-o.offset)
		return i, err
	}, fmt.Sprintf(`SELECT o.id, o.name, o.media_type, o.image_id, o.thumbnail_id, o.created_datetime, o.user_id FROM %s o WHERE o.id > `+
		`?%s ORDER BY o.id LIMIT %d`, table, done, atOnce), id)
}

func (o *rows) resultsOf(ctx context.Context, imageID int64) (results []resultRow, err error) {
	table, err := o.from(ctx, "ocr")
	if err != nil {
		return nil, err
	}
	return query(ctx, o.SQL(), func(scan func(...any) error) (r resultRow, err error) {
		err = scan(&r.version, &r.created, &r.userID, &r.contentID)
		r.created = r.created.Add(-o.offset)
		return r, err
	}, `SELECT version, created_datetime, user_id, content_id FROM `+table+` WHERE image_id = ? ORDER BY version, id`, imageID)
}

// someContentIDs returns the newest ids of results.
func (o *rows) someContentIDs(ctx context.Context, n int) (ids []string, err error) {
	table, err := o.from(ctx, "ocr")
	if err != nil {
		return nil, err
	}
	return query(ctx, o.SQL(), scanString, `SELECT content_id FROM `+table+` ORDER BY id DESC LIMIT ?`, n)
}

// finish has no ID given again that the original has given, and lets services start.
func (o *rows) finish(ctx context.Context) error {
	for _, table := range []string{"user", "logged_in", "image"} {
		if err := o.KeepIDs(ctx, table, aside+table); err != nil {
			return err
		}
	}
	return o.Filled(ctx)
}

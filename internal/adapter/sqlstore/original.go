package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/adapter/sqlstore/tables"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Original is the MariaDB of the original service, in which ours takes its place: its tables are set aside under names that begin with
// original_, ours are made, and filled from them. Of the original nothing changes but those names.
//
// Each statement commits by itself, and each step finds out what of it is done, so that all of it can break off anywhere and be done again.
type Original struct {
	db     *DB
	name   string
	offset time.Duration // of its times from UTC
}

const (
	aside      = "original_" // begins the names of tables that are set aside
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

// ErrNotOriginal is the error of OpenOriginal for a database that is not that of the original service.
var ErrNotOriginal = errors.New("this is not a database of the original service")

// OpenOriginal opens the database of the original service, whose times are so far ahead of UTC, and changes nothing. One whose import has begun it opens too. ErrNotOriginal.
func OpenOriginal(ctx context.Context, address string, offset time.Duration) (*Original, error) {
	db, name, err := connect(address)
	if err != nil {
		return nil, err
	}
	o := &Original{db, name, offset}
	if err := o.recognise(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", name, err), db.Close())
	}
	return o, nil
}

// Close ends all connections.
func (o *Original) Close() error { return o.db.Close() }

// Database returns ours, once the original is set aside. It ends with the original.
func (o *Original) Database() *DB { return o.db }

// recognise tells whether this is the original's database, be it half imported.
func (o *Original) recognise(ctx context.Context) error {
	names, err := o.db.tableNames(ctx)
	if err != nil {
		return err
	}
	work, err := o.db.Unfinished(ctx)
	if err != nil {
		return err
	}
	switch begun := slices.Contains(names, stepsTable); {
	case work != "" && work != importWork:
		return fmt.Errorf("%w: %s has not been finished", ErrUnfinished, work)
	case begun && work == "" && slices.Contains(names, aside+"user"):
		return fmt.Errorf("%w any more: it has been imported", ErrNotOriginal)
	case begun && work == "":
		return fmt.Errorf("%w, but one of Glyphbox", ErrNotOriginal)
	}
	for table, columns := range originalTables {
		table := o.whereIs(names, table)
		var have []string
		err := sqldb.Each(ctx, o.db.Read, func(scan func(...any) error) error {
			var c, kind string
			var place int
			err := scan(&c, &kind, &place)
			have = append(have, strings.ToLower(c))
			return err
		}, o.db.Dialect.Catalogue.Columns, table)
		if err != nil {
			return o.db.Fault(ctx, err)
		}
		for _, c := range columns {
			if !slices.Contains(have, c) {
				return fmt.Errorf("%w: there is no column %s.%s", ErrNotOriginal, table, c)
			}
		}
	}
	return nil
}

// whereIs returns the name that a table of the original has among the names of all.
func (o *Original) whereIs(names []string, table string) string {
	if slices.Contains(names, aside+table) {
		return aside + table
	}
	return table
}

// from returns the name that a table of the original has now.
func (o *Original) from(ctx context.Context, table string) (string, error) {
	names, err := o.db.tableNames(ctx)
	return o.whereIs(names, table), err
}

// Counts returns how many rows the original has in each table.
func (o *Original) Counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	for table := range originalTables {
		name, err := o.from(ctx, table)
		if err != nil {
			return nil, err
		}
		if counts[table], err = o.db.Count(ctx, `SELECT COUNT(*) FROM `+name); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// Clashes returns names and e-mails that the original takes for different ones and that differ in letter case only, each with the numbers of its users.
func (o *Original) Clashes(ctx context.Context) (clashes []string, err error) {
	table, err := o.from(ctx, "user")
	if err != nil {
		return nil, err
	}
	for _, column := range []string{"name", "email"} {
		users := map[string][]int64{}
		err := sqldb.Each(ctx, o.db.Read, func(scan func(...any) error) error {
			var id int64
			var v sqldb.Text
			err := scan(&id, &v)
			if v != "" {
				users[lower(string(v))] = append(users[lower(string(v))], id)
			}
			return err
		}, `SELECT id, `+column+` FROM `+table+` ORDER BY id`)
		if err != nil {
			return nil, o.db.Fault(ctx, err)
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

// SetAside gives the original's tables other names and makes ours.
func (o *Original) SetAside(ctx context.Context) error {
	names, err := o.db.tableNames(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(names, unfinishedTable) { // from now on no service starts on it
		if err := o.db.note(ctx, importWork); err != nil {
			return err
		}
	}
	for table := range originalTables {
		if o.whereIs(names, table) == table {
			if _, err := o.db.Migrating.ExecContext(ctx, `RENAME TABLE `+table+` TO `+aside+table); err != nil {
				return o.db.Fault(ctx, err)
			}
		}
	}
	return o.db.migrate(ctx)
}

// ImportAccounts brings over users with their roles and states, and the sign-ins. It returns how many users there are.
func (o *Original) ImportAccounts(ctx context.Context) (users int, err error) {
	for _, table := range []string{"role", "state"} {
		var names []string
		err := sqldb.Each(ctx, o.db.Read, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		}, `SELECT name FROM `+aside+table+` ORDER BY id`)
		if err != nil {
			return 0, o.db.Fault(ctx, err)
		}
		for _, name := range names {
			if _, err := o.db.Exec(ctx, `INSERT INTO `+table+` (name) SELECT ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `+table+` WHERE name = ?)`, name, name); err != nil {
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
		err = o.db.Update(ctx, func(tx *sql.Tx) error {
			for _, u := range some {
				if _, err := insertUser(ctx, tx, u); err != nil {
					return fmt.Errorf("user %d: %w", u.ID, err)
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	const signInsAtOnce = 10_000
	for {
		n, err := o.db.Exec(ctx, fmt.Sprintf(`INSERT INTO logged_in (id, user_id, created_datetime)
			SELECT id, user_id, created_datetime - INTERVAL ? SECOND FROM %slogged_in WHERE id > (SELECT COALESCE(MAX(id), 0) FROM logged_in) ORDER BY id LIMIT %d`, aside, signInsAtOnce), int(o.offset.Seconds()))
		if err != nil {
			return 0, err
		}
		if n == 0 {
			break
		}
	}
	return o.db.Count(ctx, `SELECT COUNT(*) FROM user`)
}

// atOnce is how many users or images are looked at together.
const atOnce = 100

// usersToDo returns the next users that are not there yet, with their states.
func (o *Original) usersToDo(ctx context.Context) (users []account.User, err error) {
	err = sqldb.Each(ctx, o.db.Read, func(scan func(...any) error) error {
		var u account.User
		var state account.State
		if err := scan(&u.ID, (*sqldb.Text)(&u.Name), (*sqldb.Text)(&u.PasswordHash), (*sqldb.Text)(&u.Email), (*sqldb.Stamp)(&u.Created), (*sqldb.Text)(&u.Role),
			(*sqldb.Text)(&state.Name), (*sqldb.Text)(&state.Detail), (*sqldb.Stamp)(&state.Created)); err != nil {
			return err
		}
		if len(users) == 0 || users[len(users)-1].ID != u.ID {
			u.Created = u.Created.Add(-o.offset)
			users = append(users, u)
		}
		if state.Name != "" {
			state.Created = state.Created.Add(-o.offset)
			last := &users[len(users)-1]
			last.States = append(last.States, state)
		}
		return nil
	}, fmt.Sprintf(`SELECT u.id, u.name, u.password, u.email, u.created_datetime, r.name, s.name, us.detail, us.created_datetime
		FROM (SELECT * FROM %[1]suser WHERE id > (SELECT COALESCE(MAX(id), 0) FROM user) ORDER BY id LIMIT %[2]d) u
		LEFT JOIN %[1]srole r ON r.id = u.role_id
		LEFT JOIN %[1]suser_state us ON us.user_id = u.id
		LEFT JOIN %[1]sstate s ON s.id = us.state_id
		ORDER BY u.id, s.name`, aside, atOnce))
	return users, o.db.Fault(ctx, err)
}

// OriginalImage is a row of an image of the original, with those of its results. Geometry is what was believed of the uploader, if anything.
type OriginalImage struct {
	document.Image
	Results []OriginalResult // by version and number
}

// OriginalResult is a row of a result of the original.
type OriginalResult struct {
	Version   int
	Created   time.Time
	UserID    int64
	ContentID string
}

// Images goes through the images of the original by number; where it is set aside, only through those that are not imported.
func (o *Original) Images(ctx context.Context) iter.Seq2[OriginalImage, error] {
	return func(yield func(OriginalImage, error) bool) {
		for after := int64(0); ; {
			images, err := o.imagesAfter(ctx, after)
			if err != nil {
				yield(OriginalImage{}, err)
				return
			}
			for _, i := range images {
				if i.Results, err = o.results(ctx, i.ID); err != nil {
					yield(OriginalImage{}, err)
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

func (o *Original) imagesAfter(ctx context.Context, id int64) (images []OriginalImage, err error) {
	table, err := o.from(ctx, "image")
	if err != nil {
		return nil, err
	}
	done := ``
	if table != "image" {
		done = ` AND NOT EXISTS (SELECT 1 FROM image WHERE image.id = o.id)`
	}
	err = sqldb.Each(ctx, o.db.Read, func(scan func(...any) error) error {
		var i OriginalImage
		err := scan(&i.ID, (*sqldb.Text)(&i.Name), (*sqldb.Text)(&i.MediaType), (*sqldb.Text)(&i.Original), (*sqldb.Text)(&i.Thumbnail), (*sqldb.Stamp)(&i.Created), &i.Owner.ID)
		i.Created = i.Created.Add(-o.offset)
		images = append(images, i)
		return err
	}, fmt.Sprintf(`SELECT o.id, o.name, o.media_type, o.image_id, o.thumbnail_id, o.created_datetime, o.user_id FROM %s o WHERE o.id > ?%s ORDER BY o.id LIMIT %d`, table, done, atOnce), id)
	return images, o.db.Fault(ctx, err)
}

func (o *Original) results(ctx context.Context, imageID int64) (results []OriginalResult, err error) {
	table, err := o.from(ctx, "ocr")
	if err != nil {
		return nil, err
	}
	err = sqldb.Each(ctx, o.db.Read, func(scan func(...any) error) error {
		var r OriginalResult
		err := scan(&r.Version, (*sqldb.Stamp)(&r.Created), &r.UserID, (*sqldb.Text)(&r.ContentID))
		r.Created = r.Created.Add(-o.offset)
		results = append(results, r)
		return err
	}, `SELECT version, created_datetime, user_id, content_id FROM `+table+` WHERE image_id = ? ORDER BY version, id`, imageID)
	return results, o.db.Fault(ctx, err)
}

// SomeContentIDs returns the newest ids of results.
func (o *Original) SomeContentIDs(ctx context.Context, n int) (ids []string, err error) {
	table, err := o.from(ctx, "ocr")
	if err != nil {
		return nil, err
	}
	err = sqldb.Each(ctx, o.db.Read, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT content_id FROM `+table+` ORDER BY id DESC LIMIT ?`, n)
	return ids, o.db.Fault(ctx, err)
}

// ImportImage stores an image under its number with its runs, as one step. Their versions are 1, 2, 3 …, in their order. What they name is stored already.
func (o *Original) ImportImage(ctx context.Context, i document.Image, runs []recognition.Run) error {
	return o.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := insertImage(ctx, tx, i); err != nil {
			return err
		}
		for _, r := range runs {
			r.ImageID = i.ID
			if _, err := o.db.Runs().append(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// Finish gives no number again that the original has given, and lets services start.
func (o *Original) Finish(ctx context.Context) error {
	conn, err := o.db.Migrating.Conn(ctx)
	if err != nil {
		return o.db.Fault(ctx, err)
	}
	defer conn.Close() // back to the pool
	for _, table := range []string{"user", "logged_in", "image"} {
		last, err := tables.LastID(ctx, o.db.DB, conn, aside+table)
		if err == nil {
			err = tables.SetLastID(ctx, o.db.DB, conn, table, last)
		}
		if err != nil {
			return o.db.Fault(ctx, err)
		}
	}
	return o.db.Filled(ctx)
}

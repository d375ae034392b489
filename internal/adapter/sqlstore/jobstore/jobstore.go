// Package jobstore keeps jobs and their items in the tables job and job_item.
//
// A change of an item first locks the row of its job, which has the counts and the number of the newest change. So changes of one job
// happen one after the other, and those of two jobs do not conflict.
package jobstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"glyphbox/internal/adapter/sqlstore/hookstore"
	"glyphbox/internal/adapter/sqlstore/limitstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
)

// Store is job.Jobs. Safe for concurrent use.
type Store struct{ db *sqldb.DB }

var _ job.Jobs = (*Store)(nil)

// New returns the jobs in a database whose schema is that of package sqlstore.
func New(db *sqldb.DB) *Store { return &Store{db} }

// States in the tables that the domain does not have.
const (
	adding   = "adding"   // a job whose items are not all there yet
	removing = "removing" // a job whose items are not all there any more
	dead     = "dead"     // an item that is job.Failed and dead
)

const (
	rowsAtOnce  = 500       // that one INSERT stores
	itemsAtOnce = 10_000    // that one transaction stores or removes
	addedWithin = time.Hour // after which what is left of an Add is removed
	lapseAtOnce = 200       // leases that one Lapse ends
	meanOf      = 20        // jobs that Mean looks at
)

// Add implements job.Jobs. It stores many items in several steps, so that others can write meanwhile; the job becomes visible after the
// last one.
func (s *Store) Add(ctx context.Context, j job.Job, general limit.Limits, images []int64) error {
	request, err := json.Marshal(j.Request)
	if err != nil {
		return err
	}
	number, orphan := 0, account.ErrUserNotFound
	for {
		part := images[number:min(number+itemsAtOnce, len(images))]
		err := s.db.Update(ctx, func(tx *sql.Tx) error {
			if number == 0 {
				if err := limitstore.Work(ctx, s.db, tx, j.User.ID, general, len(images), j.Created); err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, `INSERT INTO job (id, user_id, priority, request, state, total, queued, running, done,
					failed, cancelled, seq, worked, created_datetime, webhook_id)
					VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, ?, ?)`,
					j.ID, j.User.ID, j.Priority, string(request), adding, len(images), len(images), sqldb.Stamp(j.Created),
					sqldb.Number(j.Webhook)); err != nil {
					return err
				}
			}
			if err := insertItems(ctx, tx, j.ID, number, part); err != nil {
				return err
			}
			if number+len(part) < len(images) {
				return nil
			}
			result, err := tx.ExecContext(ctx, `UPDATE job SET state = ? WHERE id = ? AND state = ?`, job.Queued, j.ID, adding)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return cmp.Or(err, error(errRemoved))
			}
			return oncestore.Note(ctx, s.db, tx, j.Note.Claim, j.Note.Effect)
		})
		if err != nil {
			return s.db.OrphanOf(err, orphan)
		}
		orphan = errRemoved
		if number += len(part); number >= len(images) {
			return nil
		}
	}
}

// errRemoved is why an Add ends that took so long that Lapse took it for one that broke off.
var errRemoved = fault.New(fault.Deadline, "deadline_exceeded", "The job was not stored in time.")

func insertItems(ctx context.Context, tx *sql.Tx, id string, number int, images []int64) error {
	for rows := range slices.Chunk(images, rowsAtOnce) {
		var args []any
		for _, image := range rows {
			number++
			args = append(args, job.ItemID(id, number), id, number, image, job.Queued)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO job_item (id, job_id, number, image_id, state) VALUES (?, ?, ?, ?, ?)`+
			strings.Repeat(`, (?, ?, ?, ?, ?)`, len(rows)-1), args...); err != nil {
			return err
		}
	}
	return nil
}

// standing is the part of a job that changes, and its user.
const standing = `job.id, job.user_id, job.priority, job.state, job.total, job.queued, job.running, job.done, job.failed, job.cancelled,
	job.seq, job.worked, job.created_datetime, job.begun_datetime, job.finished_datetime, job.error_code, job.error_detail,
	COALESCE(job.webhook_id, 0)`

const jobColumns = `SELECT /*! STRAIGHT_JOIN */ ` + standing + `, user.name FROM job `

// Conditions that are true of jobs that have all their items, and of the items of such jobs. Nobody sees others. With EXISTS MariaDB might
// begin with the jobs.
const (
	whole   = `job.state NOT IN ('adding', 'removing')`
	ofWhole = `(SELECT state FROM job WHERE job.id = job_item.job_id) NOT IN ('adding', 'removing')`
)

const jobsUser = ` JOIN user /*! FORCE INDEX (PRIMARY) */ ON user.id = job.user_id WHERE ` + whole + ` AND `

// scanStanding scans the columns of standing, and more.
func scanStanding(scan func(...any) error, more ...any) (j job.Job, err error) {
	var worked int64
	var code, text sqldb.Text
	err = scan(append([]any{&j.ID, &j.User.ID, &j.Priority, &j.State, &j.Count.Total, &j.Count.Queued, &j.Count.Running, &j.Count.Done,
		&j.Count.Failed, &j.Count.Cancelled, &j.Seq, &worked, (*sqldb.Stamp)(&j.Created), (*sqldb.Stamp)(&j.Begun),
		(*sqldb.Stamp)(&j.Finished), &code, &text, &j.Webhook}, more...)...)
	j.Worked, j.Stopped = time.Duration(worked)*time.Microsecond, failure(code, text)
	return j, err
}

func scanJob(scan func(...any) error) (job.Job, error) {
	var name sqldb.Text
	j, err := scanStanding(scan, &name)
	j.User.Name = string(name)
	return j, err
}

func failure(code, text sqldb.Text) *fault.Failure {
	if code == "" {
		return nil
	}
	return &fault.Failure{Code: string(code), Detail: string(text)}
}

// ByID implements job.Jobs.
func (s *Store) ByID(ctx context.Context, id string) (job.Job, error) {
	j, err := scanJob(s.db.Read.QueryRowContext(ctx, jobColumns+jobsUser+`job.id = ?`, id).Scan)
	return j, s.db.Fault(ctx, found(err))
}

// found turns the error for a missing row into NotFound of the job.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return job.ErrNotFound
	}
	return err
}

// List implements job.Jobs.
func (s *Store) List(ctx context.Context, userID int64, before string, size int) ([]job.Job, error) {
	if before == "" {
		before = "~" // after all letters and digits
	}
	jobs, err := sqldb.All(ctx, s.db.Read, scanJob,
		jobColumns+`/*! FORCE INDEX (job_user) */`+jobsUser+`job.user_id = ? AND job.id < ? ORDER BY job.id DESC LIMIT ?`, userID, before,
		size)
	return jobs, s.db.Fault(ctx, err)
}

const (
	itemColumns = `id, job_id, number, image_id, state, version, tries, error_code, error_detail, seq, begun_datetime, finished_datetime`
	itemsWhere  = `SELECT ` + itemColumns + ` FROM job_item `
)

// Indexes that MariaDB has to take, whatever it thinks of the size of the table.
const (
	byNumber = `/*! FORCE INDEX (job_item_number) */ `
	byState  = `/*! FORCE INDEX (job_item_state) */ `
	bySeq    = `/*! FORCE INDEX (job_item_seq) */ `
	byUntil  = `/*! FORCE INDEX (job_item_until) */ `
)

func scanItem(scan func(...any) error) (i job.Item, err error) {
	var code, text sqldb.Text
	var seq sql.NullInt64
	err = scan(&i.ID, &i.Job, &i.Number, &i.ImageID, &i.State, &i.Version, &i.Tries, &code, &text, &seq, (*sqldb.Stamp)(&i.Begun),
		(*sqldb.Stamp)(&i.Finished))
	i.Error, i.Seq = failure(code, text), seq.Int64
	if i.State == dead {
		i.State, i.Dead = job.Failed, true
	}
	return i, err
}

func (s *Store) items(ctx context.Context, where string, args ...any) ([]job.Item, error) {
	items, err := sqldb.All(ctx, s.db.Read, scanItem, itemsWhere+where, args...)
	return items, s.db.Fault(ctx, err)
}

// Items implements job.Jobs.
func (s *Store) Items(ctx context.Context, id string, state job.State, before, size int) ([]job.Item, error) {
	if before == 0 {
		before = math.MaxInt32
	}
	switch state {
	case "":
		return s.items(ctx, byNumber+`WHERE `+ofWhole+` AND job_id = ? AND number < ? ORDER BY number DESC LIMIT ?`, id, before, size)
	case job.Failed:
		return s.items(ctx, byState+`WHERE `+ofWhole+` AND job_id = ? AND state IN (?, ?) AND number < ? ORDER BY number DESC LIMIT ?`, id,
			job.Failed, dead, before, size)
	}
	return s.items(ctx, byState+`WHERE `+ofWhole+` AND job_id = ? AND state = ? AND number < ? ORDER BY number DESC LIMIT ?`, id, state,
		before, size)
}

// Changes implements job.Jobs.
func (s *Store) Changes(ctx context.Context, id string, after int64, size int) ([]job.Item, error) {
	return s.items(ctx, bySeq+`WHERE `+ofWhole+` AND job_id = ? AND seq > ? ORDER BY seq LIMIT ?`, id, after, size)
}

// Dead implements job.Jobs.
func (s *Store) Dead(ctx context.Context, before string, size int) ([]job.Item, error) {
	if before == "" {
		before = "~"
	}
	return s.items(ctx, byUntil+`WHERE `+ofWhole+` AND state = ? AND until_datetime IS NULL AND id < ? ORDER BY id DESC LIMIT ?`, dead,
		before, size)
}

// Open implements job.Jobs.
func (s *Store) Open(ctx context.Context) ([]job.Open, error) {
	open, err := openJobs(ctx, s.db.Read)
	return open, s.db.Fault(ctx, err)
}

func openJobs(ctx context.Context, q sqldb.Querier) ([]job.Open, error) {
	return sqldb.All(ctx, q, func(scan func(...any) error) (o job.Open, err error) {
		err = scan(&o.ID, &o.User, &o.Priority, &o.Queued, &o.Running)
		return o, err
	}, `SELECT id, user_id, priority, queued, running FROM job /*! FORCE INDEX (job_state) */ WHERE state IN ('queued', 'running') `+
		`ORDER BY id`)
}

// Mean implements job.Jobs.
func (s *Store) Mean(ctx context.Context) (time.Duration, error) {
	var worked, items int64
	err := s.db.Read.QueryRowContext(ctx, `SELECT COALESCE(SUM(worked), 0), COALESCE(SUM(done + failed), 0) FROM
		(SELECT worked, done, failed FROM job /*! FORCE INDEX (job_finished) */ WHERE finished_datetime IS NOT NULL ORDER BY
			finished_datetime DESC LIMIT ?) AS ended`, meanOf).Scan(&worked, &items)
	if err != nil || items == 0 {
		return 0, s.db.Fault(ctx, err)
	}
	return time.Duration(worked/items) * time.Microsecond, nil
}

// Stats implements job.Jobs.
func (s *Store) Stats(ctx context.Context) (st job.Stats, err error) {
	err = s.db.Read.QueryRowContext(ctx, `SELECT COALESCE(SUM(queued), 0), MIN(CASE WHEN queued > 0 THEN created_datetime END),
		(SELECT COUNT(*) FROM job_item /*! FORCE INDEX (job_item_until) */ WHERE state = 'running'),
		(SELECT COUNT(*) FROM job_item /*! FORCE INDEX (job_item_until) */ WHERE state = 'dead')
		FROM job /*! FORCE INDEX (job_state) */ WHERE state IN ('queued', 'running')`).Scan(&st.Queued, (*sqldb.Stamp)(&st.Oldest),
		&st.Running, &st.Dead)
	return st, s.db.Fault(ctx, err)
}

// Offer implements job.Jobs.
func (s *Store) Offer(ctx context.Context, now, until time.Time, share func([]job.Open) map[string]int) (ids []string, err error) {
	open, err := openJobs(ctx, s.db.Read) // most of the time there is nothing to do, and then nothing has to be locked
	if err != nil || !slices.ContainsFunc(open, func(o job.Open) bool { return o.Queued > 0 }) {
		return nil, s.db.Fault(ctx, err)
	}
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		ids = nil
		if err := tx.QueryRowContext(ctx, `SELECT id FROM job_feed WHERE id = 1`+s.db.Dialect.ForUpdate).Scan(new(int)); err != nil {
			return err
		}
		open, err := openJobs(ctx, tx)
		if err != nil {
			return err
		}
		offered := map[string]int{}
		if err := sqldb.Each(ctx, tx, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			offered[jobOf(id)]++
			return err
		}, `SELECT id FROM job_item `+byUntil+`WHERE state = 'queued' AND until_datetime > ?`, sqldb.Stamp(now)); err != nil {
			return err
		}
		for i := range open {
			open[i].Offered = offered[open[i].ID]
		}
		for id, n := range share(open) {
			picked, err := pick(ctx, tx, id, n, now, until)
			if err != nil {
				return err
			}
			ids = append(ids, picked...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(ids, func(a, b string) int { return strings.Compare(numberOf(a), numberOf(b)) }) // so that jobs take turns
	return ids, nil
}

func pick(ctx context.Context, tx *sql.Tx, id string, n int, now, until time.Time) (ids []string, err error) {
	ids, err = sqldb.Column[string](ctx, tx,
		`SELECT id FROM job_item `+byState+`WHERE job_id = ? AND state = 'queued' AND (until_datetime IS NULL OR until_datetime <= ?) `+
			`ORDER BY number LIMIT ?`,
		id, sqldb.Stamp(now), n)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	marks, args := sqldb.In(ids)
	_, err = tx.ExecContext(ctx, `UPDATE job_item SET until_datetime = ? WHERE state = 'queued' AND id IN `+marks,
		append([]any{sqldb.Stamp(until)}, args...)...)
	return ids, err
}

// jobOf and numberOf take the ID of an item apart.
func jobOf(itemID string) string {
	id, _, _ := strings.Cut(itemID, "-")
	return id
}

func numberOf(itemID string) string {
	_, number, _ := strings.Cut(itemID, "-")
	return number
}

// change changes a job and its items under a lock. do changes the counts by what has become of the items. It does not get the request,
// which may be large, nor the name of the user.
func (s *Store) change(ctx context.Context, id string, now time.Time, do func(tx *sql.Tx, j *job.Job) error) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		j, err := scanStanding(tx.QueryRowContext(ctx, `SELECT `+standing+` FROM job WHERE `+whole+` AND job.id = ?`+
			s.db.Dialect.ForUpdate, id).Scan)
		if err != nil {
			return found(err)
		}
		before := j
		if err := do(tx, &j); err != nil {
			return err
		}
		j.State = job.StateOf(j.Count, !j.Begun.IsZero(), j.State == job.Cancelled)
		switch left := j.Count.Left(); {
		case left > 0:
			j.Finished = time.Time{}
		case before.Finished.IsZero():
			j.Finished = now
			j.Seq++
		}
		var code, text string
		if j.Stopped != nil {
			code, text = j.Stopped.Code, j.Stopped.Detail
		}
		_, err = tx.ExecContext(ctx, `UPDATE job SET state = ?, queued = ?, running = ?, done = ?, failed = ?, cancelled = ?, seq = ?,
			worked = ?, begun_datetime = ?,
			finished_datetime = ?, error_code = ?, error_detail = ? WHERE id = ?`, j.State, j.Count.Queued, j.Count.Running, j.Count.Done,
			j.Count.Failed,
			j.Count.Cancelled, j.Seq, j.Worked.Microseconds(), sqldb.Stamp(j.Begun), sqldb.Stamp(j.Finished), sqldb.Text(code),
			sqldb.Text(text), id)
		if err == nil && before.Finished.IsZero() && !j.Finished.IsZero() && j.Webhook != 0 {
			err = hookstore.Enqueue(ctx, tx, j.Webhook, job.EndOfJob(j))
		}
		return err
	})
}

// Claim implements job.Jobs.
func (s *Store) Claim(ctx context.Context, itemID, leasedBy string, now, until time.Time) (c job.Claim, err error) {
	err = s.change(ctx, jobOf(itemID), now, func(tx *sql.Tx, j *job.Job) error {
		result, err := tx.ExecContext(ctx, `UPDATE job_item SET state = 'running', tries = tries + 1, leased_by = ?, until_datetime = ?, seq
			= ?,
			begun_datetime = ?, error_code = NULL, error_detail = NULL WHERE id = ? AND state = 'queued'`,
			leasedBy, sqldb.Stamp(until), j.Seq+1, sqldb.Stamp(now), itemID)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		row := tx.QueryRowContext(ctx, `SELECT `+itemColumns+`, (SELECT request FROM job WHERE id = job_item.job_id) FROM job_item `+
			`WHERE id = ?`, itemID)
		var request string
		item, err := scanItem(func(to ...any) error { return row.Scan(append(to, &request)...) })
		if errors.Is(err, sql.ErrNoRows) {
			return job.ErrNoItem
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return job.ErrTaken
		}
		j.Seq++
		j.Count.Queued--
		j.Count.Running++
		if j.Begun.IsZero() {
			j.Begun = now
		}
		c = job.Claim{Item: item, User: j.User.ID, LeasedBy: leasedBy}
		return json.Unmarshal([]byte(request), &c.Request)
	})
	if errors.Is(err, job.ErrNotFound) {
		err = job.ErrNoItem
	}
	if err != nil {
		return job.Claim{}, err
	}
	return c, nil
}

// Extend implements job.Jobs.
func (s *Store) Extend(ctx context.Context, itemID, leasedBy string, until time.Time) error {
	n, err := s.db.Exec(ctx, `UPDATE job_item SET until_datetime = ? WHERE id = ? AND state = 'running' AND leased_by = ?`,
		sqldb.Stamp(until), itemID, leasedBy)
	if err == nil && n == 0 {
		return job.ErrTaken
	}
	return err
}

// Finish implements job.Jobs.
func (s *Store) Finish(ctx context.Context, itemID, leasedBy string, o job.Outcome, now, notBefore time.Time) error {
	return s.finish(ctx, itemID, o, now, notBefore, `leased_by = ?`, leasedBy)
}

// finish ends a lease for which a condition holds.
func (s *Store) finish(ctx context.Context, itemID string, o job.Outcome, now, notBefore time.Time, condition string, arg any) error {
	err := s.change(ctx, jobOf(itemID), now, func(tx *sql.Tx, j *job.Job) error {
		var tries, lapses int
		var begun sqldb.Stamp
		err := tx.QueryRowContext(
			ctx, `SELECT tries, lapses, begun_datetime FROM job_item WHERE id = ? AND state = 'running' AND `+condition, itemID, arg).
			Scan(&tries, &lapses, &begun)
		if errors.Is(err, sql.ErrNoRows) {
			return job.ErrTaken
		}
		if err != nil {
			return err
		}
		if o.Lapsed {
			lapses++
		}
		state, isDead := o.After(tries, lapses)
		if state == job.Queued && j.State == job.Cancelled {
			state = job.Cancelled // there is no other try of it
		}
		stored := string(state)
		if isDead {
			stored = dead
		}
		if o.Free || o.Lapsed {
			tries--
		}
		finished := now
		if state == job.Queued {
			finished = time.Time{}
		}
		var code, text string
		if o.Error != nil {
			code, text = o.Error.Code, o.Error.Detail
		}
		j.Seq++
		if _, err := tx.ExecContext(ctx, `UPDATE job_item SET state = ?, tries = ?, lapses = ?, version = ?, error_code = ?, error_detail =
			?, leased_by = NULL, until_datetime = ?, seq = ?,
			finished_datetime = ? WHERE id = ?`, stored, tries, lapses, o.Version, sqldb.Text(code), sqldb.Text(text),
			sqldb.Stamp(notBefore), j.Seq, sqldb.Stamp(finished), itemID); err != nil {
			return err
		}
		if state != job.Queued && j.Webhook != 0 {
			item, err := scanItem(tx.QueryRowContext(ctx, itemsWhere+`WHERE id = ?`, itemID).Scan)
			if err == nil {
				err = hookstore.Enqueue(ctx, tx, j.Webhook, job.EndOfItem(item))
			}
			if err != nil {
				return err
			}
		}
		j.Count.Running--
		switch state {
		case job.Queued:
			j.Count.Queued++
		case job.Done:
			j.Count.Done++
			j.Worked += now.Sub(time.Time(begun))
		case job.Failed:
			j.Count.Failed++
			j.Worked += now.Sub(time.Time(begun))
		case job.Cancelled:
			j.Count.Cancelled++
		}
		if o.Stop {
			j.Stopped = o.Error
			return cancelQueued(ctx, tx, j)
		}
		return nil
	})
	if errors.Is(err, job.ErrNotFound) {
		err = job.ErrTaken
	}
	return err
}

// Lapse implements job.Jobs.
func (s *Store) Lapse(ctx context.Context, now time.Time, o job.Outcome) (returned int, err error) {
	ids, err := sqldb.Column[string](ctx, s.db.Read,
		`SELECT id FROM job_item `+byUntil+`WHERE state = 'running' AND until_datetime < ? ORDER BY until_datetime LIMIT ?`,
		sqldb.Stamp(now), lapseAtOnce)
	if err != nil {
		return 0, s.db.Fault(ctx, err)
	}
	for _, id := range ids {
		err := s.finish(ctx, id, o, now, time.Time{}, `until_datetime < ?`, sqldb.Stamp(now))
		switch {
		case err == nil:
			returned++
		case !errors.Is(err, job.ErrTaken):
			return returned, err
		}
	}
	left, err := sqldb.Column[string](ctx, s.db.Read,
		`SELECT id FROM job /*! FORCE INDEX (job_state) */ WHERE state IN (?, ?) AND created_datetime < ?`, adding, removing,
		sqldb.Stamp(now.Add(-addedWithin)))
	if err != nil {
		return returned, s.db.Fault(ctx, err)
	}
	for _, id := range left {
		n, err := s.db.Exec(ctx, `UPDATE job SET state = ? WHERE id = ? AND state IN (?, ?)`, removing, id, adding, removing)
		if err == nil && n > 0 {
			err = s.remove(ctx, id)
		}
		if err != nil {
			return returned, err
		}
	}
	return returned, nil
}

// cancelQueued cancels a job and its queued items.
func cancelQueued(ctx context.Context, tx *sql.Tx, j *job.Job) error {
	j.State = job.Cancelled
	_, err := tx.ExecContext(ctx, `UPDATE job_item `+byState+`SET state = 'cancelled', until_datetime = NULL, seq = number + ? `+
		`WHERE job_id = ? AND state = 'queued'`, j.Seq, j.ID)
	if j.Count.Queued > 0 {
		j.Seq += int64(j.Count.Total)
	}
	j.Count.Cancelled += j.Count.Queued
	j.Count.Queued = 0
	return err
}

// Cancel implements job.Jobs.
func (s *Store) Cancel(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, id, now, func(tx *sql.Tx, j *job.Job) error {
		if j.State.Ended() {
			return nil
		}
		return cancelQueued(ctx, tx, j)
	})
}

// Retry implements job.Jobs.
func (s *Store) Retry(ctx context.Context, id string, general limit.Limits, now time.Time) (n int, err error) {
	err = s.change(ctx, id, time.Time{}, func(tx *sql.Tx, j *job.Job) error {
		if err := limitstore.Work(ctx, s.db, tx, j.User.ID, general, j.Count.Failed+j.Count.Cancelled, now); err != nil {
			return err
		}
		n, err = requeue(ctx, tx, j, byState+`SET`, `job_id = ? AND state IN ('failed', 'dead', 'cancelled')`, id)
		if n > 0 {
			j.Count.Failed, j.Count.Cancelled = 0, 0
		}
		return err
	})
	return n, err
}

// requeue queues items that have ended. The caller sets the counts that fall.
func requeue(ctx context.Context, tx *sql.Tx, j *job.Job, set, where string, arg any) (int, error) {
	result, err := tx.ExecContext(ctx, `UPDATE job_item `+set+` state = 'queued', tries = 0, lapses = 0, error_code = NULL,
		error_detail = NULL, until_datetime = NULL, begun_datetime = NULL,
		finished_datetime = NULL, seq = number + ? WHERE `+where, j.Seq, arg)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if n > 0 {
		j.State, j.Stopped = job.Queued, nil
		j.Count.Queued += int(n)
		j.Seq += int64(j.Count.Total)
	}
	return int(n), err
}

// Replay implements job.Jobs.
func (s *Store) Replay(ctx context.Context, itemID string) error {
	err := s.change(ctx, jobOf(itemID), time.Time{}, func(tx *sql.Tx, j *job.Job) error {
		n, err := requeue(ctx, tx, j, `SET`, `state = 'dead' AND id = ?`, itemID)
		if err == nil && n == 0 {
			return job.ErrNoItem
		}
		j.Count.Failed -= n
		return err
	})
	if errors.Is(err, job.ErrNotFound) {
		err = job.ErrNoItem
	}
	return err
}

// oldJobs is the query for a page of jobs that ended before some time, from the first that ended on.
const oldJobs = `SELECT id, finished_datetime FROM job /*! FORCE INDEX (job_finished) */ WHERE finished_datetime >= ? AND ` +
	`finished_datetime < ? AND (finished_datetime > ? OR id > ?) ORDER BY finished_datetime, id LIMIT ?`

// Old implements job.Jobs.
func (s *Store) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return s.db.PagesByTime(ctx, oldJobs, before)
}

// Remove implements job.Jobs. Nobody sees a job that is being removed. If this breaks off, Lapse goes on.
func (s *Store) Remove(ctx context.Context, ids []string, before time.Time) error {
	for _, id := range ids {
		n, err := s.db.Exec(ctx, `UPDATE job SET state = ? WHERE id = ? AND finished_datetime < ?`, removing, id, sqldb.Stamp(before))
		if err == nil && n > 0 {
			err = s.remove(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove removes a job in the state removing, which no job leaves. It does so in several steps if there are many items, so that others can
// write meanwhile. What an Add still under way puts in goes with the last step.
func (s *Store) remove(ctx context.Context, id string) error {
	total, err := s.db.Count(ctx, `SELECT COALESCE(SUM(total), 0) FROM job WHERE id = ?`, id)
	for number := 0; err == nil && number < total; number += itemsAtOnce {
		_, err = s.db.Exec(ctx, `DELETE FROM job_item WHERE id BETWEEN ? AND ?`, job.ItemID(id, number+1),
			job.ItemID(id, number+itemsAtOnce))
	}
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `DELETE FROM job WHERE id = ? AND state = ?`, id, removing)
	return err
}

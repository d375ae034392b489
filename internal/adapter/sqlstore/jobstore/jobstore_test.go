package jobstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
)

func opened(t *testing.T, source string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), source)
	check.OK(t, "Open", err)
	t.Cleanup(func() { check.OK(t, "Close", db.Close()) })
	return db
}

// jobsOfAnn returns the jobs of an SQLite file in which there is one user.
func jobsOfAnn(t *testing.T) (*sqlstore.DB, *jobstore.Store, account.Ref) {
	t.Helper()
	db := opened(t, filepath.Join(t.TempDir(), "glyphbox.db"))
	ann, err := db.Users().Add(t.Context(), account.User{Name: "ann", Email: "ann@example.org", Created: time.Now()})
	check.OK(t, "Users.Add", err)
	return db, jobstore.New(db.DB), account.Ref{ID: ann.ID}
}

func stores(t *testing.T, source string) porttest.Stores {
	t.Helper()
	db := opened(t, source)
	return porttest.Stores{Users: db.Users(), Catalog: db.Catalog(), Runs: db.Runs(), Jobs: jobstore.New(db.DB),
		Once: oncestore.New(db.DB)}
}

func on(t *testing.T, suite func(*testing.T, func(*testing.T) porttest.Stores)) {
	t.Run("SQLite", func(t *testing.T) {
		suite(t, func(t *testing.T) porttest.Stores { return stores(t, filepath.Join(t.TempDir(), "glyphbox.db")) })
	})
	t.Run("MariaDB", func(t *testing.T) {
		suite(t, func(t *testing.T) porttest.Stores { return stores(t, mariadbtest.Database(t)) })
	})
}

func TestJobs(t *testing.T) { on(t, porttest.Jobs) }

// Keys are tested here, where all are that note what is made.
func TestOnce(t *testing.T) { on(t, porttest.Once) }

// A large job is removed in several steps. Where they break off, nobody sees what is left of it, and the next look at leases removes that.
func TestRemoveBreaksOff(t *testing.T) {
	db, jobs, ann := jobsOfAnn(t)
	now := time.Now()
	const items = 15_000
	check.OK(t, "Add", jobs.Add(t.Context(), job.Job{ID: "large", User: ann, Created: now}, limit.Limits{},
		make([]int64, items)))
	check.OK(t, "Cancel", jobs.Cancel(t.Context(), "large", now))
	run := func(text string) {
		_, err := db.Exec(t.Context(), text)
		check.OK(t, text, err)
	}
	left := func() int {
		n, err := db.Count(t.Context(), `SELECT COUNT(*) FROM job_item`)
		check.OK(t, "Count", err)
		return n
	}
	run(`UPDATE job_item SET state = 'dead' WHERE number > 14990`)
	run(`CREATE TRIGGER breaks BEFORE DELETE ON job_item WHEN OLD.number = 15000 BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	if err := jobs.Remove(t.Context(), []string{"large"}, now.Add(time.Second)); err == nil {
		t.Error("Remove did not break off")
	}
	check.Same(t, "some items are left", left() > 0 && left() < items, true)
	_, err := jobs.Retry(t.Context(), "large", limit.Limits{}, now)
	check.Kind(t, "Retry of what is left", err, fault.NotFound)
	_, err = jobs.ByID(t.Context(), "large")
	check.Kind(t, "ByID of what is left", err, fault.NotFound)
	list, err := jobs.List(t.Context(), ann.ID, "", 10)
	check.OK(t, "List", err)
	check.Same(t, "jobs of the user", len(list), 0)
	for name, items := range map[string]func() ([]job.Item, error){
		"Items":            func() ([]job.Item, error) { return jobs.Items(t.Context(), "large", "", 0, 10) },
		"Items of a state": func() ([]job.Item, error) { return jobs.Items(t.Context(), "large", job.Cancelled, 0, 10) },
		"failed Items":     func() ([]job.Item, error) { return jobs.Items(t.Context(), "large", job.Failed, 0, 10) },
		"Changes":          func() ([]job.Item, error) { return jobs.Changes(t.Context(), "large", 0, 10) },
		"Dead":             func() ([]job.Item, error) { return jobs.Dead(t.Context(), "", 10) },
	} {
		seen, err := items()
		check.OK(t, name, err)
		check.Same(t, name+" of what is left", len(seen), 0)
	}
	run(`DROP TRIGGER breaks`)
	_, err = jobs.Lapse(t.Context(), now.Add(2*time.Hour), job.Outcome{})
	check.OK(t, "Lapse", err)
	check.Same(t, "items left", left(), 0)
}

// Where Lapse begins to remove a job before the last step of an Add, that step fails: what is left is not all of the job.
func TestAddIsOvertaken(t *testing.T) {
	db, jobs, ann := jobsOfAnn(t)
	now := time.Now()
	for name, overtakes := range map[string]string{"removing": `UPDATE job SET state = 'removing'`, "gone": `DELETE FROM job`} {
		_, err := db.Exec(t.Context(), `CREATE TRIGGER overtakes BEFORE INSERT ON job_item WHEN NEW.number = 10001 `+
			`BEGIN `+overtakes+`; END`)
		check.OK(t, "CREATE TRIGGER", err)
		err = jobs.Add(t.Context(), job.Job{ID: name, User: ann, Created: now}, limit.Limits{}, make([]int64, 15_000))
		check.Code(t, "Add to a job that is "+name, err, fault.Deadline, "deadline_exceeded")
		_, err = db.Exec(t.Context(), `DROP TRIGGER overtakes`)
		check.OK(t, "DROP TRIGGER", err)
	}
}

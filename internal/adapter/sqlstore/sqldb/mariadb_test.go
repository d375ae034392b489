package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/mariadbtest"
)

func TestMain(m *testing.M) { os.Exit(mariadbtest.Main(m)) }

// opened opens a database on a server with a short time to wait for answers.
func opened(t *testing.T, address string, answerTimeout time.Duration) *DB {
	t.Helper()
	config, connections, err := ParseMariaDB(address)
	if err != nil {
		t.Fatal(err)
	}
	if config.Timeout != connectTimeout || config.ReadTimeout < lockTimeout*time.Second || config.WriteTimeout != config.ReadTimeout {
		t.Errorf("timeouts: got %s, %s and %s", config.Timeout, config.ReadTimeout, config.WriteTimeout)
	}
	config.ReadTimeout = answerTimeout
	db, err := newMariaDB(config, connections)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestAddresses(t *testing.T) {
	c, connections, err := ParseMariaDB("mariadb://ann:p%40ss%2F@db.example.org/glyphbox?connections=7&tls=true")
	if err != nil {
		t.Fatal(err)
	}
	if c.User != "ann" || c.Passwd != "p@ss/" || c.Addr != "db.example.org:3306" || c.DBName != "glyphbox" || connections != 7 ||
		c.TLS.ServerName != "db.example.org" || c.TLS.InsecureSkipVerify {
		t.Errorf("got %s at %s, %s, %d connections, TLS %+v", c.User, c.Addr, c.DBName, connections, c.TLS)
	}
	for _, wrong := range []string{
		"mariadb://ann:secret@/name", "mariadb://ann:secret@host", "mariadb://ann:secret@host/", "mariadb://ann:secret@host/a/b",
		"mariadb://:secret@host/name",
		"mariadb://ann:secret%zz@host/name", "mariadb://ann:secret#1@host/name", "mariadb://ann:secret/1@host/name",
		"mariadb://ann:secret@host:port/name",
		"mysql://ann:secret@host/name", "mariadb://ann:secret@host/name?tls=maybe", "mariadb://ann:secret@host/name?parseTime=true",
		"mariadb://ann:secret@host/name?connections=1", "mariadb://ann:secret@host/name?tls-ca=/ca.pem",
		"mariadb://ann:secret@host/name?tls=true&tls-ca=/missing/ca.pem",
	} {
		if err := CheckAddress(wrong); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got error %v, want one without the password", wrong, err)
		}
		db, _, err := Connect(wrong)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Connect to %s: got error %v, want one without the password", wrong, err)
		}
		if err == nil {
			db.Close()
		}
	}
}

// A statement that takes too long is given up with its connection; a step of the schema is not.
func TestAnswerTimeout(t *testing.T) {
	db := opened(t, mariadbtest.Database(t), 100*time.Millisecond)
	for _, pool := range []*sql.DB{db.Read, db.Write} {
		for pool.PingContext(t.Context()) != nil { // on a busy machine it may take longer to connect
		}
		if _, err := pool.ExecContext(t.Context(), `DO SLEEP(600)`); db.Dialect.classify(err) != Lost {
			t.Errorf("a statement that takes too long: got error %v, want the connection given up", err)
		}
	}
	if _, err := db.Migrating.ExecContext(t.Context(), `DO SLEEP(0.3)`); err != nil {
		t.Errorf("a step of the schema that takes longer: %v", err)
	}
}

// A server that takes connections and says nothing: all who ask are told so, those who have a connection and those who want one.
func TestFrozenServer(t *testing.T) {
	server := mariadbtest.New(t)
	db := opened(t, mariadbtest.DatabaseOn(t, "mariadb://root@"+server.Addr()), 100*time.Millisecond)
	ask := func(ctx context.Context, write bool) error {
		if write {
			_, err := db.Exec(ctx, `SET @a = 1`)
			return err
		}
		_, err := db.Count(ctx, `SELECT 1`)
		return err
	}
	for ask(t.Context(), true) != nil || ask(t.Context(), false) != nil { // on a busy machine it may take longer to connect
	}
	server.Freeze(t)
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			if err, f := ask(t.Context(), n%2 == 0), (*fault.Fault)(nil); !errors.As(err, &f) || f.Kind != fault.Unavailable ||
				f.RetryAfter <= 0 {
				t.Errorf("got error %v, want Unavailable with RetryAfter", err)
			}
		})
	}
	all.Wait()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ask(gone, false); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who went away: got error %v, want that of the context", err)
	}
	server.Thaw(t)
	for ask(t.Context(), false) != nil { // for restTime nothing connects
	}
}

// dialer fails as the network does once a deadline has passed.
type dialer struct{ driver.Connector }

func (dialer) Connect(context.Context) (driver.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
}

// late is a context whose deadline has passed, but which does not know yet.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now(), true }

// A caller whose time is up while it connects is told that, and others still try the server.
func TestTimeIsUpWhileConnecting(t *testing.T) {
	c := &connector{Connector: dialer{}}
	if _, err := c.Connect(late{t.Context()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that of the context", err)
	}
	if c.failure.Load() != nil {
		t.Error("the server counts as away")
	}
	if _, err := c.Connect(t.Context()); !errors.Is(err, errNoConnection) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that there is no connection", err)
	}
}

// A node that hangs in a transaction loses it, and what it has locked, and learns of it.
func TestHungTransaction(t *testing.T) {
	db := opened(t, mariadbtest.Database(t), answerTimeout)
	for pool, want := range map[*sql.DB]int{db.Write: idleTimeout, db.Read: 0, db.Migrating: 0} {
		var got int
		if err := pool.QueryRowContext(t.Context(), `SELECT @@idle_transaction_timeout`).Scan(&got); err != nil || got != want {
			t.Errorf("got a timeout of %d s and error %v, want %d s", got, err, want)
		}
	}
	if _, err := db.Exec(t.Context(), `CREATE TABLE a (id INTEGER PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	hung, err := db.Write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hung.Rollback() }()
	for _, statement := range []string{`SET SESSION idle_transaction_timeout = 1`, `INSERT INTO a VALUES (1)`} {
		if _, err := hung.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for err = errors.New("not begun"); err != nil; { // the test's own time is the limit
		_, err = db.Exec(t.Context(), `INSERT INTO a VALUES (1)`)
	}
	if _, err := hung.ExecContext(t.Context(), `INSERT INTO a VALUES (2)`); db.Dialect.classify(err) != Lost {
		t.Errorf("a statement of a transaction that is over: got error %v, want the connection lost", err)
	}
}

// A transaction that lost to another one is tried again, with pauses, until patience ends.
func TestUpdateTriesAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		db, _, err := Connect(path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		lost := &mysql.MySQLError{Number: 1213}
		classify := db.Dialect.classify
		db.Dialect.classify = func(err error) Class {
			if errors.Is(err, lost) {
				return Deadlock
			}
			return classify(err)
		}
		var times []time.Time
		try := func(fail func(n int) error) error {
			times = nil
			return db.Update(t.Context(), func(tx *sql.Tx) error {
				times = append(times, time.Now())
				if _, err := tx.ExecContext(t.Context(), `CREATE TABLE a (id INTEGER)`); err != nil { // also if the try before had left it
					return err
				}
				return fail(len(times))
			})
		}
		own := errors.New("own error")
		if err := try(func(int) error { return own }); err != own || len(times) != 1 { //nolint:errorlint // as it is
			t.Errorf("got error %v after %d tries, want the closure's own after 1", err, len(times))
		}
		start := time.Now()
		if err := try(func(int) error { return lost }); !fault.Is(err, fault.Unavailable) || !errors.Is(err, lost) {
			t.Errorf("got error %v, want Unavailable and its cause", err)
		}
		if took := time.Since(start); took > patience || took < patience-lastPause {
			t.Errorf("given up after %s, want %s", took, patience)
		}
		for n, pause := 1, firstPause; n < len(times); n, pause = n+1, min(2*pause, lastPause) {
			if got := times[n].Sub(times[n-1]); got < pause/2 || got > pause {
				t.Errorf("pause %d: got %s, want %s to %s", n, got, pause/2, pause)
			}
		}
		if err := try(func(n int) error {
			if n < 3 {
				return lost
			}
			return nil
		}); err != nil || len(times) != 3 {
			t.Errorf("got error %v after %d tries, want none after 3", err, len(times))
		}
	})
}

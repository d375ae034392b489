package sqlstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/mariadbtest"
)

func TestSettingsOfMariaDB(t *testing.T) {
	db := openServer(t)
	for _, pool := range []*sql.DB{db.Read, db.Write} {
		got := textOf(t, pool, `SELECT CONCAT_WS(' ', @@sql_mode, @@innodb_lock_wait_timeout, @@time_zone, @@collation_connection, `+
			`@@eq_range_index_dive_limit, @@in_predicate_conversion_threshold, @@sql_safe_updates)`)
		want := []string{"STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION 1 +00:00 utf8mb4_bin 0 0 ON"}
		if !slices.Equal(got, want) {
			t.Errorf("settings of a connection: got %q, want %q", got, want)
		}
	}
	for _, engine := range textOf(t, db.Read, `SELECT CONCAT(table_name, ' ', engine, ' ', table_collation) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name <> 'goose_db_version'`) {
		if !strings.HasSuffix(engine, " InnoDB utf8mb4_nopad_bin") {
			t.Errorf("table: got %s, want it in InnoDB, compared to the byte", engine)
		}
	}
	if err := db.Update(t.Context(), func(tx *sql.Tx) error {
		textOf(t, tx, `SELECT name FROM role`) // it begins with that
		if got := textOf(t, tx, `SELECT trx_isolation_level FROM information_schema.innodb_trx
			WHERE trx_mysql_thread_id = CONNECTION_ID()`); !slices.Equal(got, []string{"READ COMMITTED"}) {
			t.Errorf("isolation of a transaction: got %q", got)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A name with a password is not told where the server refuses it or is not there.
func TestOpenTellsNoPassword(t *testing.T) {
	_, err := Open(t.Context(), "mariadb://ann:secret@127.0.0.1:1/name")
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "/name") {
		t.Errorf("got error %v, want Unavailable that names the database and no password", err)
	}
}

func TestNodesMigrateAtOnce(t *testing.T) {
	address := mariadbtest.Database(t)
	half, _, err := connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	// One broke off in the midst.
	if _, err := half.Write.ExecContext(t.Context(), `CREATE TABLE role (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) NOT NULL
		UNIQUE)
		ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin`); err != nil {
		t.Fatal(err)
	}
	if _, err := half.Write.ExecContext(t.Context(), `INSERT INTO role (name) VALUES ('admin')`); err != nil {
		t.Fatal(err)
	}
	var nodes sync.WaitGroup
	start := make(chan struct{})
	for range 6 {
		nodes.Go(func() {
			<-start
			db, err := Open(t.Context(), address)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	nodes.Wait()
	files, err := fs.Glob(migrations, "migrations/mariadb/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"0"}
	for _, file := range files {
		number, _, _ := strings.Cut(path.Base(file), "_")
		want = append(want, strings.TrimLeft(number, "0"))
	}
	if got := textOf(t, half.Read, `SELECT version_id FROM goose_db_version ORDER BY id`); !slices.Equal(got, want) {
		t.Errorf("steps that were done: got %q, want %q", got, want)
	}
	if got, want := textOf(t, half.Read, `SELECT CONCAT(id, name) FROM state UNION SELECT name FROM role`),
		[]string{"1blocked", "2inactivate", "admin"}; !slices.Equal(got, want) {
		t.Errorf("states and roles: got %q, want %q", got, want)
	}
	steps, err := Migrations(t.Context(), address)
	if err != nil || len(steps) != len(files) || steps[0].Name != "00001_initial.sql" || time.Since(steps[0].Applied).Abs() > time.Minute {
		t.Errorf("Migrations: got %+v and error %v, want %d, done just now", steps, err, len(files))
	}
	if _, err := half.Write.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), address); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("a newer schema: got error %v, want ErrNewerSchema", err)
	}
	if _, err := Migrations(t.Context(), address); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("Migrations of a newer schema: got error %v, want ErrNewerSchema", err)
	}
}

// Letters are equal whatever their case where they are ASCII and nowhere else, and a space is one wherever it stands.
func TestNamesThatAreEqual(t *testing.T) {
	db := openServer(t)
	ann := addUser(t, db, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	if got, err := db.Users().ByName(t.Context(), "abcdefghijklmnopqrstuvwxyz"); err != nil || got.ID != ann.ID {
		t.Errorf("small letters: got user %d and error %v, want %d", got.ID, err, ann.ID)
	}
	for _, name := range []string{"ann", "ánn", "Ánn", "ann ", " ann", "ａnn", "straße", "strasse", "ß", "ẞ", "하", "한"} {
		u := addUser(t, db, name)
		if got, err := db.Users().ByName(t.Context(), name); err != nil || got.ID != u.ID || got.Name != name {
			t.Errorf("%q: got %q and error %v", name, got.Name, err)
		}
	}
	if _, err := db.Users().ByName(t.Context(), "ÁNN "); !fault.Is(err, fault.NotFound) {
		t.Errorf("got error %v, want NotFound", err)
	}
}

// Two transactions that hold what the other one wants: one gives way, and is tried again.
func TestDeadlockIsTriedAgain(t *testing.T) {
	db := openServer(t)
	ann, bob := addUser(t, db, "ann"), addUser(t, db, "bob")
	var both sync.WaitGroup
	var met [2]chan struct{}
	for n := range met {
		met[n] = make(chan struct{})
	}
	var tries [2]int
	for n, order := range [][]int64{{ann.ID, bob.ID}, {bob.ID, ann.ID}} {
		both.Go(func() {
			err := db.Update(t.Context(), func(tx *sql.Tx) error {
				tries[n]++
				for k, id := range order {
					if _, err := tx.ExecContext(t.Context(), `UPDATE user SET password = CONCAT(password, 'x') WHERE id = ?`,
						id); err != nil {
						return err
					}
					if k == 0 && tries[n] == 1 {
						close(met[n])
						<-met[1-n]
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if tries[0]+tries[1] < 3 {
		t.Errorf("got %d and %d tries, want them to have met", tries[0], tries[1])
	}
	if got, want := textOf(t, db.Read, `SELECT password FROM user`), []string{"hashxx", "hashxx"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A transaction is tried again where its connection was ended before the commit, and is not where that was on the way.
func TestLostConnections(t *testing.T) {
	db := openServer(t)
	kill := func(id int64) {
		if _, err := db.Read.ExecContext(t.Context(), `KILL ?`, id); err != nil {
			t.Error(err)
		}
	}
	tries := 0
	if err := db.Update(t.Context(), func(tx *sql.Tx) error {
		tries++
		var id int64
		if err := tx.QueryRowContext(t.Context(), `SELECT CONNECTION_ID()`).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO role (name) VALUES ('reader')`); err != nil {
			return err
		}
		if tries == 1 {
			kill(id)
			_, err := tx.ExecContext(t.Context(), `INSERT INTO role (name) VALUES ('other')`)
			return err
		}
		return nil
	}); err != nil || tries != 2 {
		t.Errorf("before the commit: got error %v after %d tries, want none after 2", err, tries)
	}
	tries = 0
	if err := db.Update(t.Context(), func(tx *sql.Tx) error {
		tries++
		var id int64
		if err := tx.QueryRowContext(t.Context(), `SELECT CONNECTION_ID()`).Scan(&id); err != nil {
			return err
		}
		kill(id)
		return nil
	}); !fault.Is(err, fault.Unavailable) || tries != 1 {
		t.Errorf("at the commit: got error %v after %d tries, want Unavailable after 1", err, tries)
	}
	if got, want := textOf(t, db.Read, `SELECT name FROM role ORDER BY name`), []string{"admin", "reader"}; !slices.Equal(got, want) {
		t.Errorf("roles: got %q, want %q", got, want)
	}
	// Those that are idle are seen to be broken before they are used.
	for _, id := range textOf(t, db.Read, `SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()`) {
		const gone = 1094 // one of those above, whose end takes a moment
		_, err := db.Read.ExecContext(t.Context(), `KILL `+id)
		if refused, ok := errors.AsType[*mysql.MySQLError](err); err != nil && (!ok || refused.Number != gone) {
			t.Error(err)
		}
	}
	addUser(t, db, "ann")
}

func TestMariaDBErrorsPass(t *testing.T) {
	db := openServer(t)
	ann := addUser(t, db, "ann")
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		_, err := db.Users().Update(t.Context(), ann.ID, func(*account.User) error { close(held); <-release; return nil })
		done <- err
	}()
	<-held
	if _, err := db.Write.ExecContext(t.Context(), `SET GLOBAL innodb_lock_wait_timeout = 50`); err != nil { // the connection's own counts
		t.Fatal(err)
	}
	_, err := db.Users().Update(t.Context(), ann.ID, func(*account.User) error { return nil })
	if f := fault.Of(err); err == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("a row that is held: got error %v, want Unavailable with RetryAfter", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := db.Exec(t.Context(), `INSERT INTO role (name) VALUES (?)`, strings.Repeat("x", 101)); err == nil ||
		fault.KindOf(err) != fault.Internal {
		t.Errorf("a text too long: got error %v, want one, and nothing cut off", err)
	}
}

// The order of contents is asked for: it stays where no index gives it by accident.
func TestOrderOfContentsIsAskedFor(t *testing.T) {
	db := openServer(t)
	ann := addUser(t, db, "ann")
	i := addImage(t, db, ann.ID, "a")
	r, err := db.Runs().Append(t.Context(), recognition.Run{ImageID: i.ID, User: account.Ref{ID: ann.ID}, Created: created,
		ContentIDs: []string{"b", "d", "a", "c"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`ALTER TABLE ocr DROP INDEX ocr_position, ADD INDEX ocr_position (image_id, version)`,
		`UPDATE ocr SET position = 10 - position WHERE id > 0`} {
		if _, err := db.Write.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"c", "a", "d", "b"}
	byVersion, err := db.Runs().ByVersion(t.Context(), i.ID, r.Version)
	if err != nil || !slices.Equal(byVersion.ContentIDs, want) {
		t.Errorf("ByVersion: got %q and error %v, want %q", byVersion.ContentIDs, err, want)
	}
	byContent, err := db.Runs().ByContent(t.Context(), "a")
	if err != nil || !slices.Equal(byContent.ContentIDs, want) {
		t.Errorf("ByContent: got %q and error %v, want %q", byContent.ContentIDs, err, want)
	}
	all, err := db.Runs().List(t.Context(), i.ID, 0, 10)
	if err != nil || len(all) != 1 || !slices.Equal(all[0].ContentIDs, want) {
		t.Errorf("List: got %+v and error %v, want %q", all, err, want)
	}
}

// certificate makes a key and a certificate of its own for the server.
func certificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

// TestServerOfItsOwn is what takes a server that may be killed.
func TestServerOfItsOwn(t *testing.T) {
	certFile, keyFile := certificate(t, t.TempDir())
	options := []string{"--ssl-cert=" + certFile, "--ssl-key=" + keyFile}
	server := mariadbtest.New(t, options...)
	address := mariadbtest.DatabaseOn(t, "mariadb://root@"+server.Addr())
	t.Run("TLS", func(t *testing.T) {
		for query, encrypted := range map[string]bool{"": false, "?tls=skip-verify": true, "?tls=true&tls-ca=" + certFile: true} {
			db := openAt(t, address+query)
			if got := textOf(t, db.Read, `SELECT variable_value <> '' FROM information_schema.session_status WHERE variable_name = `+
				`'Ssl_cipher'`); !slices.Equal(got, []string{map[bool]string{true: "1", false: "0"}[encrypted]}) {
				t.Errorf("%q: encrypted: got %q, want %t", query, got, encrypted)
			}
		}
		if _, err := Open(t.Context(), address+"?tls=true"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a certificate that nobody knows: got error %v, want Unavailable", err)
		}
	})
	db := openAt(t, address)
	ann := addUser(t, db, "ann")
	t.Run("killed and started again", func(t *testing.T) { testKilledServer(t, db, server, ann, options) })
}

// wantAway checks for Unavailable.
func wantAway(t *testing.T, err error) {
	t.Helper()
	if f := fault.Of(err); err == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("got error %v, want Unavailable with RetryAfter", err)
	}
}

func testKilledServer(t *testing.T, db *DB, server *mariadbtest.Server, ann account.User, options []string) {
	const writers, enough = 30, 5
	var answered [writers][]int64
	var before, failed, after sync.WaitGroup
	before.Add(writers)
	failed.Add(writers)
	back := make(chan struct{})
	for n := range writers {
		after.Go(func() {
			for done := 0; ; done++ { // until the server goes away
				if done == enough {
					before.Done()
				}
				i, err := addOne(t.Context(), db, someImage(ann.ID, "a"))
				if err != nil {
					wantAway(t, err)
					break
				}
				answered[n] = append(answered[n], i.ID)
			}
			_, _, err := db.Catalog().List(t.Context(), document.Query{Size: 1})
			wantAway(t, err)
			failed.Done()
			<-back
			for range enough {
				i, err := addOne(t.Context(), db, someImage(ann.ID, "a"))
				if err != nil {
					t.Errorf("after the server came back: %v", err)
					return
				}
				answered[n] = append(answered[n], i.ID)
			}
		})
	}
	before.Wait()
	server.Kill()
	failed.Wait()
	if err := server.Run(options...); err != nil {
		t.Fatal(err)
	}
	for db.Ping(t.Context()) != nil { // for restTime nothing connects
		if t.Context().Err() != nil {
			t.Fatal("the service does not find the server again")
		}
	}
	close(back)
	after.Wait()
	for _, ids := range answered {
		for _, id := range ids {
			if _, err := db.Catalog().ByID(t.Context(), id); err != nil {
				t.Errorf("an answered image is lost: %v", err)
			}
		}
	}
}

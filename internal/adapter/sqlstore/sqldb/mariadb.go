package sqldb

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
)

var mariadb = Dialect{
	Goose:      goose.DialectMySQL,
	Migrations: "mariadb",
	ForUpdate:  " FOR UPDATE",
	NameKey:    "name_key",
	Suffixes:   0.25,
	AppendIDs:  ` ON DUPLICATE KEY UPDATE ids = CONCAT(ids, VALUES(ids))`,
	classify:   classifyMariaDB,
	Lock:       lockMariaDB,
	Catalogue:  catalogueOfMariaDB,
}

var catalogueOfMariaDB = Catalogue{
	Tables: `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`,
	Columns: `SELECT c.column_name, c.data_type, COALESCE(k.ordinal_position, 0) FROM information_schema.columns c
		LEFT JOIN information_schema.key_column_usage k ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name
			= c.column_name AND k.constraint_name = 'PRIMARY'
		WHERE c.table_schema = DATABASE() AND c.table_name = ? AND c.is_generated = 'NEVER' ORDER BY c.ordinal_position`,
	Isolation:  sql.LevelRepeatableRead,
	Empty:      `TRUNCATE TABLE `,
	References: func(checked bool) string { return fmt.Sprintf(`SET foreign_key_checks = %t`, checked) },
	LastID:     `SELECT COALESCE(auto_increment, 1) - 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?`,
	SetLastID: func(table string, id int64) []string {
		return []string{fmt.Sprintf(`ALTER TABLE %s AUTO_INCREMENT = %d`, table, id+1)}
	},
}

// classifyMariaDB classifies errors by the numbers of the server. Any other error is a failed connection.
func classifyMariaDB(err error) Class {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch e.Number {
		case 1062: // duplicate entry
			return Duplicate
		case 1216, 1452: // foreign key
			return Orphan
		case 1205, 1213: // lock wait timeout, deadlock
			return Deadlock
		case 1053, 1927: // shutdown in progress, connection killed
			return Lost
		case 1317, 1969: // interrupted, statement time exceeded
			return Interrupted
		case 1021, 1114, 1026, // disk full, table full, error writing a file
			1040, 1203, 1226, // too many connections, of all or of this user
			1290, 1792, 1836: // read-only for now
			return Away
		}
		return Other
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" || errors.Is(err, errNoConnection) {
		return Away
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return Interrupted
		}
		return Lost
	}
	return Other
}

const (
	connectTimeout = 2 * time.Second // to reach the server and sign in
	answerTimeout  = 5 * time.Second // to wait for an answer of the server
	idleTimeout    = 20              // seconds that a transaction may do nothing in; less than the lease of an item
	lockTimeout    = 1               // seconds to wait for another transaction; less than answerTimeout
	restTime       = 300 * time.Millisecond
	migrateTimeout = 10 * time.Minute // to wait for another node that migrates

	defaultConnections = 20
)

// openMariaDB makes the pools; it connects to nothing yet.
func openMariaDB(address string) (*DB, error) {
	config, connections, err := ParseMariaDB(address)
	if err != nil {
		return nil, err
	}
	return newMariaDB(config, connections)
}

func newMariaDB(config *mysql.Config, connections int) (*DB, error) {
	pool := func(config *mysql.Config, connections int) (*sql.DB, error) {
		c, err := mysql.NewConnector(config)
		if err != nil {
			return nil, err
		}
		pool := sql.OpenDB(&connector{Connector: c})
		pool.SetMaxOpenConns(connections)
		pool.SetMaxIdleConns(connections)
		pool.SetConnMaxIdleTime(time.Minute)     // the server or a firewall between may end what is idle for long
		pool.SetConnMaxLifetime(5 * time.Minute) // so that nodes spread anew over servers that come back
		return pool, nil
	}
	// A transaction may read outside of itself, so that one pool for both could wait for itself.
	writing := config.Clone()
	writing.Params["idle_transaction_timeout"] = strconv.Itoa(idleTimeout) // what a node that hangs has locked is let go
	write, err := pool(writing, (connections+1)/2)
	if err != nil {
		return nil, err
	}
	read, err := pool(config, connections/2)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	patient := config.Clone()
	patient.ReadTimeout = 0 // an index of a large table takes its time
	delete(patient.Params, "sql_safe_updates")
	migrate, err := pool(patient, 2)
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	migrate.SetMaxIdleConns(0)
	return &DB{Dialect: mariadb, Write: write, Read: read, Migrating: migrate}, nil
}

// errAddress shows nothing of the address, since it may contain a password in an unexpected place.
var errAddress = errors.New("the address is not of the form mariadb://user:password@host:3306/name; characters other than letters and " +
	"digits in user or password have to be percent-encoded")

// ParseMariaDB parses an address mariadb://user:password@host:port/name?tls=…&tls-ca=…&connections=…
func ParseMariaDB(address string) (_ *mysql.Config, connections int, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "mariadb" || u.Hostname() == "" || u.Fragment != "" || u.User.Username() == "" {
		return nil, 0, errAddress
	}
	name := strings.TrimPrefix(u.Path, "/")
	if name == "" || strings.Contains(name, "/") {
		return nil, 0, errAddress
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.DBName = "tcp", net.JoinHostPort(u.Hostname(), port), u.User.Username(), name
	c.Passwd, _ = u.User.Password()
	c.Collation = "utf8mb4_bin"
	c.Timeout, c.ReadTimeout, c.WriteTimeout = connectTimeout, answerTimeout, answerTimeout
	c.MaxAllowedPacket = 0 // as the server says
	c.InterpolateParams = true
	c.ClientFoundRows = true
	c.ParseTime = true
	c.Logger = log.New(io.Discard, "", 0) // what goes wrong is returned, too
	c.Params = map[string]string{"sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
		"innodb_lock_wait_timeout": strconv.Itoa(lockTimeout), "time_zone": "'+00:00'",
		"tx_isolation": "'READ-COMMITTED'", // no locks on gaps, so that fewer transactions meet
		// Each value of a long list is looked up to make the plan. The statistics of an index may be of a time when the table was small,
		// and then all of it would be read.
		"eq_range_index_dive_limit": "0",
		// A list of 1,000 values or more would become a table, and the join with it would read all of the other table.
		"in_predicate_conversion_threshold": "0",
		"sql_safe_updates":                  "1"} // UPDATE and DELETE go by a key; a statement that cannot is refused
	connections = defaultConnections
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, 0, errAddress
	}
	for key := range query {
		value := query.Get(key)
		switch key {
		case "connections":
			if connections, err = strconv.Atoi(value); err != nil || connections < 2 || connections > 10_000 {
				return nil, 0, fmt.Errorf("connections=%s: must be a number from 2 to 10000", value)
			}
		case "tls":
			if value != "true" && value != "false" && value != "skip-verify" {
				return nil, 0, fmt.Errorf("tls=%s: must be true, false or skip-verify", value)
			}
		case "tls-ca":
			if query.Get("tls") != "true" {
				return nil, 0, errors.New("tls-ca needs tls=true")
			}
		default:
			return nil, 0, fmt.Errorf("unknown parameter %q; tls, tls-ca and connections are known", key)
		}
	}
	c.TLS, err = tlsOf(u.Hostname(), query.Get("tls"), query.Get("tls-ca"))
	return c, connections, err
}

// tlsOf returns how to encrypt: "true" checks the server's certificate by the authorities in the file, or those of the system.
func tlsOf(host, mode, authorities string) (*tls.Config, error) {
	switch mode {
	case "", "false":
		return nil, nil
	case "skip-verify":
		return &tls.Config{InsecureSkipVerify: true}, nil //nolint:gosec // as it was asked for
	}
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if authorities == "" {
		return c, nil
	}
	pem, err := os.ReadFile(authorities)
	if err != nil {
		return nil, fmt.Errorf("tls-ca: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls-ca: %s holds no certificate", authorities)
	}
	return c, nil
}

// errNoConnection marks that the server could not be reached.
var errNoConnection = errors.New("no connection to the database")

// connector connects within connectTimeout. For restTime after a failure it fails at once, so that many callers do not wait one after the
// other.
type connector struct {
	driver.Connector
	failure atomic.Pointer[connectFailure]
}

type connectFailure struct {
	at  time.Time
	err error
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if f := c.failure.Load(); f != nil && time.Since(f.at) < restTime {
		return nil, f.err
	}
	limited, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := c.Connector.Connect(limited)
	if err == nil {
		c.failure.Store(nil)
		return conn, nil
	}
	// If the caller's time is up, that says nothing of the server. The network may tell before the context does.
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || ok && !time.Now().Before(deadline) {
		return nil, cmp.Or(ctx.Err(), context.DeadlineExceeded)
	}
	if _, answered := errors.AsType[*mysql.MySQLError](err); answered {
		return nil, err
	}
	err = fmt.Errorf("%w: %w", errNoConnection, notContext{err})
	c.failure.Store(&connectFailure{time.Now(), err})
	return nil, err
}

// notContext hides the cause of an error, so that it counts neither as the end of the caller's context nor as an error after which
// database/sql tries again.
type notContext struct{ cause error }

func (e notContext) Error() string { return e.cause.Error() }

// lockMariaDB waits until no other node migrates. The lock ends with the connection, however that ends.
func lockMariaDB(ctx context.Context, pool *sql.DB) (unlock func() error, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var got sql.NullInt64
	err = conn.QueryRowContext(ctx, `SELECT GET_LOCK(CONCAT('glyphbox ', MD5(DATABASE())), ?)`, int(migrateTimeout.Seconds())).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = fmt.Errorf("another node has been migrating for %s", migrateTimeout)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), `DO RELEASE_LOCK(CONCAT('glyphbox ', MD5(DATABASE())))`)
		return errors.Join(err, conn.Close())
	}, nil
}

// CheckAddress returns an error for an address of a database server that Open does not understand. It does not connect.
func CheckAddress(address string) error {
	_, _, err := ParseMariaDB(address)
	return err
}

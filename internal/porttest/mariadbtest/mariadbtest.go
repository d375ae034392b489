// Package mariadbtest gives tests a MariaDB of their own: a private server in a temporary directory, started once for a test binary
// when first asked for, that ends with it however it ends. GLYPHBOX_TEST_MARIADB_DSN names another server to use instead, as
// mariadb://user:password@host:port, whose user may make databases.
//
// Where there is no MariaDB to start the test is skipped, unless GLYPHBOX_TEST_REQUIRE, a list separated by commas, has mariadb in it.
package mariadbtest

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"glyphbox/internal/porttest/process"

	_ "github.com/go-sql-driver/mysql" // to make databases and to see that the server is up

	"glyphbox/internal/porttest/check"
)

var (
	mutex     sync.Mutex
	shared    *Server
	errShared error
	databases atomic.Int64
)

// Server is a private MariaDB. Its methods are not for concurrent use.
type Server struct {
	dir, port string
	command   *exec.Cmd
	ended     chan struct{} // closed at its end
	end       error         // how it ended
}

// Main runs the tests of a package and stops the server afterwards: os.Exit(mariadbtest.Main(m)).
func Main(m *testing.M) (code int) {
	defer func() {
		if shared != nil {
			shared.Remove()
		}
	}()
	return m.Run()
}

// Database makes an empty database, which goes when the test ends, and returns its address.
func Database(t testing.TB) string {
	t.Helper()
	server := os.Getenv("GLYPHBOX_TEST_MARIADB_DSN")
	if server == "" {
		mutex.Lock()
		if shared == nil && errShared == nil {
			shared, errShared = Start()
		}
		mutex.Unlock()
		unless(t, errShared)
		server = "mariadb://root@" + shared.Addr()
	}
	return DatabaseOn(t, server)
}

// unless ends the test where there is no server.
func unless(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if errors.Is(err, exec.ErrNotFound) {
		check.Absent(t, "mariadb", "make setup-tests installs it")
	}
	t.Fatal("MariaDB: ", err)
}

// DatabaseOn makes an empty database on the server at an address without name, and returns its address.
func DatabaseOn(t testing.TB, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("GLYPHBOX_TEST_MARIADB_DSN: not an address")
	}
	pool, err := sql.Open("mysql", u.User.String()+"@tcp("+u.Host+")/")
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxIdleConns(0) // tests end servers and connections
	name := fmt.Sprintf("glyphbox_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := pool.Exec("CREATE DATABASE " + name + " CHARACTER SET latin1"); err != nil { // the tables say what they need themselves
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := pool.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return server + "/" + name
}

// New starts a server for one test, which may kill it.
func New(t testing.TB, options ...string) *Server {
	t.Helper()
	s, err := Start(options...)
	unless(t, err)
	t.Cleanup(s.Remove)
	return s
}

// Start makes a server and waits until it answers. Root has no password.
func Start(options ...string) (_ *Server, err error) {
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	room := roomy()
	removeOrphans(room)
	dir, err := os.MkdirTemp(room, fmt.Sprintf("%s%d-", prefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	defer func() {
		if err != nil {
			s.Remove()
		}
	}()
	make := exec.Command(install, append([]string{"--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
		"--skip-name-resolve",
		"--datadir=" + s.data(), "--tmpdir=" + s.dir, "--innodb-log-file-size=16M"}, asRoot()...)...)
	if out, err := make.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making the tables of the server: %w: %s", err, out)
	}
	address, err := process.Address()
	if err != nil {
		return nil, err
	}
	if _, s.port, err = net.SplitHostPort(address); err != nil {
		return nil, err
	}
	return s, s.Run(options...)
}

// roomy returns a directory in memory that is large enough, or else the usual one for what is temporary: each test makes a database, for
// which disks are slow.
func roomy() string {
	const memory, enough = "/dev/shm", 1 << 30
	var stat syscall.Statfs_t
	if syscall.Statfs(memory, &stat) != nil || stat.Bavail*uint64(stat.Bsize) < enough {
		return os.TempDir()
	}
	return memory
}

// prefix begins the names of directories of servers, and the number of the process that made one comes next.
const prefix = "glyphbox-mariadb-"

// removeOrphans removes what test binaries that were killed have left behind; their servers ended with them.
func removeOrphans(room string) {
	left, _ := filepath.Glob(filepath.Join(room, prefix+"*")) // the pattern is a right one
	for _, dir := range left {
		var pid int
		if n, _ := fmt.Sscanf(filepath.Base(dir), prefix+"%d-", &pid); n == 1 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // another one may be at it
		}
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Addr is where the server listens: host:port.
func (s *Server) Addr() string { return "127.0.0.1:" + s.port }

// asRoot is what the programs want to be told by root.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// Run runs the server, which must not run, at its port and on its data, and waits until it answers.
func (s *Server) Run(options ...string) error {
	program, err := exec.LookPath("mariadbd")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/mariadbd"); err != nil {
			return err
		}
	}
	s.command = exec.Command(program, slices.Concat([]string{"--no-defaults", "--datadir=" + s.data(), "--bind-address=127.0.0.1",
		"--port=" + s.port,
		"--tmpdir=" + s.dir, // a server that starts removes what others have in a directory that they share
		"--socket=" + filepath.Join(s.dir, "socket"), "--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
		"--performance-schema=OFF"}, asRoot(), options)...)
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var output bytes.Buffer
	s.command.Stdout, s.command.Stderr = &output, &output
	started, ended := make(chan error), make(chan struct{})
	command := s.command
	go func() {
		runtime.LockOSThread() // the signal of a parent's death comes when this thread ends
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			s.end = command.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.ended = ended
	pool, err := sql.Open("mysql", "root@tcp("+s.Addr()+")/?timeout=1s")
	if err != nil {
		return err
	}
	defer pool.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(5 * time.Minute); ; {
		if err = pool.Ping(); err == nil {
			return nil
		}
		select {
		case <-s.ended:
			s.command = nil
			return fmt.Errorf("the server ended: %w: %s", s.end, output.String())
		case <-limit:
			return fmt.Errorf("the server does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// Freeze makes the server hang with its connections open, until Thaw.
func (s *Server) Freeze(t testing.TB) { process.Freeze(t, s.command.Process) }

// Thaw has the server go on.
func (s *Server) Thaw(t testing.TB) { process.Thaw(t, s.command.Process) }

// Kill ends the server at once, as a crash would.
func (s *Server) Kill() {
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill() // it may have ended
	<-s.ended
	s.command = nil
}

// Remove kills the server and removes all that it has.
func (s *Server) Remove() {
	s.Kill()
	_ = os.RemoveAll(s.dir) // temporary in any case
}

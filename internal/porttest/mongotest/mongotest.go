// Package mongotest gives tests a server that speaks MongoDB's protocol: the one that GLYPHBOX_TEST_MONGODB_URI names, best a
// replica set, else bin/ferretdb, which "make test" builds.
//
// Where there is neither the test is skipped, unless GLYPHBOX_TEST_REQUIRE, a list separated by commas, has mongodb in it.
package mongotest

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/process"
)

const variable = "GLYPHBOX_TEST_MONGODB_URI"

// shared is the server of all tests of a package. It ends with the test binary.
var shared = sync.OnceValues(func() (*Server, error) {
	s := &Server{}
	return s, s.start()
})

// URI returns that of a database that no other test uses. The server may take its time.
func URI(t testing.TB) string {
	t.Helper()
	if uri := os.Getenv(variable); uri != "" {
		return freshDatabase(uri)
	}
	s, err := shared()
	need(t, err)
	return s.URI() + "serverSelectionTimeoutMS=120000&connectTimeoutMS=120000"
}

func need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		check.Absent(t, "mongodb", "run make bin/ferretdb, or name a server as "+variable)
	default:
		t.Fatalf("bin/ferretdb: %v", err)
	}
}

// freshDatabase puts a new name of a database into a URI.
func freshDatabase(uri string) string {
	scheme, rest, _ := strings.Cut(uri, "://")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + hosts + "/glyphbox_test_" + strings.ToLower(rand.Text()[:12]) + "?" + query
}

// Server is a server of one test, which may kill it and start it again.
type Server struct {
	addr, dir string // dir is empty for a server that makes one of its own
	process   *exec.Cmd
	stdin     io.Closer // which ends the server when it is closed, also by the end of this process
}

// Start starts bin/ferretdb for one test, and ends it with that.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{dir: t.TempDir()}
	need(t, s.start())
	t.Cleanup(s.Kill)
	return s
}

// URI returns that of a database that no other test uses.
func (s *Server) URI() string { return freshDatabase("mongodb://" + s.addr) }

// Kill ends the server as a crash does.
func (s *Server) Kill() {
	_ = s.process.Process.Kill() // it may have been killed before
	_ = s.process.Wait()
	s.stdin.Close()
}

// Freeze makes the server hang with its connections open, until Thaw.
func (s *Server) Freeze(t testing.TB) { process.Freeze(t, s.process.Process) }

// Thaw has the server go on.
func (s *Server) Thaw(t testing.TB) { process.Thaw(t, s.process.Process) }

// Restart starts a server that was killed, with its data and at its address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("starting the server again: %v", err)
	}
}

func (s *Server) start() error {
	program, err := built("ferretdb")
	if err != nil {
		return err
	}
	if s.addr == "" {
		if s.addr, err = process.Address(); err != nil {
			return err
		}
	}
	s.process = exec.Command(program, "-addr", s.addr, "-dir", s.dir)
	s.process.Stderr = os.Stderr
	if s.stdin, err = s.process.StdinPipe(); err != nil {
		return err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("it did not say where it listens: %w", err)
	}
	s.addr = strings.Trim(strings.TrimPrefix(line, "mongodb://"), "/\n")
	return nil
}

// built returns the path of a program in bin, which "make test" builds.
func built(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path := filepath.Join(dir, "bin", name)
			_, err := os.Stat(path)
			return path, err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("there is no go.mod above: %w", fs.ErrNotExist)
		}
		dir = up
	}
}

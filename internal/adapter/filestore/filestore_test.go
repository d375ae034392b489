package filestore

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest"
	"glyphbox/internal/transfer"
)

// putterEnv makes the test binary a process that puts blobs until it is killed.
const putterEnv = "FILESTORE_TEST_PUTTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(putterEnv); dir != "" {
		putUntilKilled(dir)
	}
	os.Exit(m.Run())
}

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBlobs(t *testing.T) {
	porttest.Blobs(t, func(t *testing.T) document.Blobs { return open(t) })
}

// files returns the paths of all files below the store's directory.
func files(t *testing.T, s *Store) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(s.dir, path)
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestLayoutAndModes(t *testing.T) {
	s := open(t)
	name, err := s.Put(t.Context(), strings.NewReader("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := files(t, s), []string{filepath.Join(name[:2], name)}; !cmp.Equal(got, want) {
		t.Errorf("files (-want +got):\n%s", cmp.Diff(want, got))
	}
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if others := info.Mode().Perm() & 0o077; others != 0 {
			t.Errorf("%s has mode %v: others may read it", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailedPutLeavesNoFile(t *testing.T) {
	s := open(t)
	gone, cancel := context.WithCancel(t.Context())
	broken := errors.New("broken line")
	for _, c := range []struct {
		name string
		ctx  context.Context
		r    io.Reader
		want error
	}{
		{"reader fails", t.Context(), io.MultiReader(strings.NewReader("bytes"), iotest.ErrReader(broken)), broken},
		{"caller goes away", gone, io.MultiReader(strings.NewReader("bytes"), readerFunc(func(p []byte) (int, error) {
			cancel()
			return copy(p, "more"), nil
		})), context.Canceled},
		{"caller is away", gone, strings.NewReader("bytes"), context.Canceled},
	} {
		if _, err := s.Put(c.ctx, c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", c.name, err, c.want)
		}
	}
	if got := files(t, s); len(got) != 0 {
		t.Errorf("files are left: %q", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A reader's own trouble with its file system is not the store's.
func TestReaderErrorIsNotTheStores(t *testing.T) {
	_, err := open(t).Put(t.Context(), iotest.ErrReader(&fs.PathError{Op: "read", Err: syscall.EIO}))
	if got, want := fault.KindOf(err), fault.Internal; got != want {
		t.Errorf("got kind %v, want %v", got, want)
	}
	tooLarge := fault.New(fault.TooLarge, "file_too_large", "Too large.")
	_, err = open(t).Put(t.Context(), iotest.ErrReader(tooLarge))
	if got, want := fault.KindOf(err), fault.TooLarge; got != want {
		t.Errorf("got kind %v, want %v", got, want)
	}
}

// What a Put that was killed leaves is old when it was last written to long ago, and goes as a blob does. What is not the store's stays.
func TestLeftovers(t *testing.T) {
	s := open(t)
	aged := func(path string, age time.Duration) {
		then := time.Now().Add(-age)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	names := map[string]string{}
	for what, age := range map[string]time.Duration{"old": 61 * time.Minute, "new": 59 * time.Minute} {
		half := document.NewBlobName()
		if err := os.WriteFile(s.half(half), []byte("half a bl"), 0o600); err != nil {
			t.Fatal(err)
		}
		whole, err := s.Put(t.Context(), strings.NewReader("bytes"))
		if err != nil {
			t.Fatal(err)
		}
		aged(s.half(half), age)
		aged(s.path(whole), age)
		names[what+" half"], names[what+" whole"] = half, whole
	}
	foreign := []string{filepath.Join(s.dir, "README"), filepath.Join(s.tmp(), "README"), filepath.Join(s.dir, "lost+found")}
	for _, path := range foreign {
		if err := os.WriteFile(path, nil, 0); err != nil {
			t.Fatal(err)
		}
		aged(path, 1000*time.Hour)
	}
	if _, err := Open(s.dir); err != nil { // nor does the next start remove anything
		t.Fatal(err)
	}
	var got []string
	for name, err := range s.Old(t.Context(), time.Now().Add(-time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, name)
		if err := s.Delete(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	want := []string{names["old half"], names["old whole"]}
	slices.Sort(got)
	slices.Sort(want)
	if !cmp.Equal(got, want) {
		t.Errorf("old ones (-want +got):\n%s", cmp.Diff(want, got))
	}
	left := []string{"README", "lost+found", filepath.Join(names["new whole"][:2], names["new whole"]), filepath.Join("tmp", "README"),
		filepath.Join("tmp", names["new half"])}
	slices.Sort(left)
	if got := files(t, s); !cmp.Equal(slices.Sorted(slices.Values(got)), left) {
		t.Errorf("files (-want +got):\n%s", cmp.Diff(left, got))
	}
}

func TestAwayDirectory(t *testing.T) {
	s := open(t)
	name, err := s.Put(t.Context(), strings.NewReader("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if got := files(t, s); len(got) != 1 {
		t.Errorf("Ping left something: %q", got)
	}
	if err := os.Rename(s.dir, s.dir+".away"); err != nil { // as a file system that is not mounted
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Ping: got error %v, want Unavailable", err)
	}
	if _, err := s.Put(t.Context(), strings.NewReader("bytes")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Put: got error %v, want Unavailable", err)
	}
	if _, err := s.Open(t.Context(), name); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Open: got error %v, want Unavailable", err)
	}
	if err := s.Delete(t.Context(), name); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Delete: got error %v, want Unavailable", err)
	}
	for _, err := range s.Old(t.Context(), time.Now()) {
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("Old: got error %v, want Unavailable", err)
		}
	}
	if err := os.Rename(s.dir+".away", s.dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping after it came back: %v", err)
	}
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatalf("Open after it came back: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	for _, number := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EMFILE} {
		f := fault.Of(storeFault(&fs.PathError{Op: "write", Path: "x", Err: number}))
		if f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
			t.Errorf("%v: got %v with RetryAfter %v, want Unavailable with one", number, f.Kind, f.RetryAfter)
		}
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if _, err := full.WriteString("bytes"); !fault.Is(storeFault(err), fault.Unavailable) {
		t.Errorf("got error %v from a full device, want Unavailable", storeFault(err))
	}
}

// putUntilKilled prints name and SHA-256 of each blob once it is put.
func putUntilKilled(dir string) {
	s, err := Open(dir)
	for n := 0; err == nil; n++ {
		b := bytes.Repeat([]byte(fmt.Sprintln(n)), 20_000)
		var name string
		if name, err = s.Put(context.Background(), bytes.NewReader(b)); err == nil {
			sum := sha256.Sum256(b)
			fmt.Println(name, hex.EncodeToString(sum[:]))
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	putter := exec.Command(os.Args[0])
	putter.Env = append(os.Environ(), putterEnv+"="+dir)
	putter.Stderr = os.Stderr
	out, err := putter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := putter.Start(); err != nil {
		t.Fatal(err)
	}
	answered := map[string]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if name, sum, ok := strings.Cut(lines.Text(), " "); ok && len(sum) == 2*sha256.Size {
			answered[name] = sum
		}
		if len(answered) == 20 {
			if err := putter.Process.Kill(); err != nil { // and read on what it had still answered
				t.Fatal(err)
			}
		}
	}
	if err := putter.Wait(); err == nil || len(answered) < 20 {
		t.Fatalf("the process ended with %v after %d blobs, want it killed after 20", err, len(answered))
	}

	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range answered {
		r, err := s.Open(t.Context(), name)
		if err != nil {
			t.Errorf("an answered blob is lost: %v", err)
			continue
		}
		got := sha256.New()
		if _, err := io.Copy(got, r); err != nil || hex.EncodeToString(got.Sum(nil)) != want {
			t.Errorf("an answered blob has other bytes (%v)", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, path := range files(t, s) { // all that is in place is whole
		if strings.HasPrefix(path, "tmp") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(s.dir, path))
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := bytes.Cut(b, []byte("\n"))
		if want := (len(line) + 1) * 20_000; len(b) != want {
			t.Errorf("%s has %d bytes, want %d", path, len(b), want)
		}
	}
	for name, err := range s.Old(t.Context(), time.Now().Add(time.Hour)) { // all that there is, whole or not, can be found and goes
		if err == nil {
			err = s.Delete(t.Context(), name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if left := files(t, s); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

// BenchmarkOld goes through 10,000 blobs.
func BenchmarkOld(b *testing.B) {
	s := open(b)
	const blobs = 10_000
	for range blobs {
		name := document.NewBlobName()
		if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(s.path(name), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		n := 0
		for _, err := range s.Old(b.Context(), time.Now().Add(time.Hour)) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != blobs {
			b.Fatal(n)
		}
	}
}

func BenchmarkPut1MB(b *testing.B) {
	s := open(b)
	blob := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	b.SetBytes(int64(len(blob)))
	for b.Loop() {
		if _, err := s.Put(b.Context(), bytes.NewReader(blob)); err != nil {
			b.Fatal(err)
		}
	}
}

func TestMovedBlobs(t *testing.T) {
	porttest.MovedBlobs(t, func(t *testing.T) transfer.Blobs { return open(t) })
}

func TestShare(t *testing.T) {
	from, with := open(t), open(t)
	name, err := from.Put(t.Context(), strings.NewReader("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(from.Share(t.Context(), name, with), with.Sync()); err != nil {
			t.Fatal(err)
		}
	}
	if err := from.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(with.path(name)); err != nil || string(got) != "bytes" {
		t.Errorf("got %q, want what was shared (%v)", got, err)
	}
	for _, missing := range []string{name, "", "../" + name} {
		if err := from.Share(t.Context(), missing, with); fault.KindOf(err) != fault.NotFound {
			t.Errorf("Share of %q: got %v, want NotFound", missing, err)
		}
	}
	if _, err := os.Stat("/dev/shm"); err != nil {
		t.Skip("there is no other file system to share with")
	}
	elsewhere, err := os.MkdirTemp("/dev/shm", "glyphbox-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(elsewhere)
	other, err := Open(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if err := with.Share(t.Context(), name, other); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(other.path(name)); err != nil || string(got) != "bytes" {
		t.Errorf("got %q, want what was shared (%v)", got, err)
	}
}

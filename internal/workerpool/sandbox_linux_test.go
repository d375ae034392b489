package workerpool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/google/go-cmp/cmp"
	landlockabi "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// What a confined process of these tests may have beyond its memory at the start.
const memoryForTest = 512 << 20

// attempts are what a confined process tries, given the folder that it may read and one where it should not write.
// Each names what the kernel is to answer.
func attempts(readable, folder string) []attempt {
	open := func(path string, flags int) func() error {
		return func() error {
			fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
			if err == nil {
				return unix.Close(fd)
			}
			return err
		}
	}
	call := func(trap uintptr, args ...uintptr) func() error {
		return func() error {
			var a [6]uintptr
			copy(a[:], args)
			if _, _, errno := unix.RawSyscall6(trap, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
				return errno
			}
			return nil
		}
	}
	mapping := func(length int, protection, flags int) func() error {
		return func() error {
			b, err := unix.Mmap(-1, 0, length, protection, flags|unix.MAP_ANON)
			if err == nil {
				return unix.Munmap(b)
			}
			return err
		}
	}
	const rw = unix.PROT_READ | unix.PROT_WRITE
	parent := os.Getppid()
	return []attempt{
		{"read a readable file", open(filepath.Join(readable, "file"), unix.O_RDONLY), 0},
		{"read what a readable link leads to", open(filepath.Join(readable, "link"), unix.O_RDONLY), 0},
		{"write a readable file", open(filepath.Join(readable, "file"), unix.O_RDWR), files},
		{"list the readable folder", open(readable, unix.O_RDONLY|unix.O_DIRECTORY), files},
		{"read /etc/passwd", open("/etc/passwd", unix.O_RDONLY), files},
		{"read its own memory as a file", open("/proc/self/mem", unix.O_RDONLY), files},
		{"make a file", open(filepath.Join(folder, "made"), unix.O_WRONLY|unix.O_CREAT), files},
		{"make a file beside a readable one", open(filepath.Join(readable, "made"), unix.O_WRONLY|unix.O_CREAT), files},
		{"make a file without a name", open(folder, unix.O_WRONLY|unix.O_TMPFILE), files},
		{"many files", func() error {
			for range 100 {
				fd, err := unix.Open(filepath.Join(readable, "file"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					return err
				}
				defer unix.Close(fd)
			}
			return nil
		}, unix.EMFILE},
		{"connect", func() error {
			c, err := net.DialTimeout("tcp", "127.0.0.1:9", time.Second)
			if err == nil {
				return c.Close()
			}
			return err
		}, calls},
		{"run a program", func() error {
			cmd := exec.Command("/bin/true")
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr // else /dev/null is opened first
			return cmd.Run()
		}, calls},
		{"become a program", func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }, calls},
		{"fork", func() error {
			switch child, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0); {
			case errno != 0:
				return errno
			case child == 0:
				unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
			}
			return nil
		}, calls},
		{"clone3", call(unix.SYS_CLONE3, 0, 0), unix.ENOSYS},
		{"have a parent that traces", call(unix.SYS_PTRACE, unix.PTRACE_TRACEME), calls},
		{"trace the parent", call(unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(parent)), calls},
		{"read the parent's memory", call(unix.SYS_PROCESS_VM_READV, uintptr(parent)), calls},
		{"signal the parent", call(unix.SYS_KILL, uintptr(parent), 0), calls},
		{"signal a thread of the parent", call(unix.SYS_TGKILL, uintptr(parent), uintptr(parent), 0), calls},
		{"be dumpable", call(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1), calls},
		{"raise a limit", call(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_DATA), calls},
		{"memory", mapping(memoryForTest/4, rw, unix.MAP_PRIVATE), 0},
		{"memory beyond the limit", mapping(memoryForTest+(64<<20), rw, unix.MAP_PRIVATE), unix.ENOMEM},
		{"memory that is not counted", mapping(4096, rw, unix.MAP_SHARED), calls},
		{"a stack", mapping(4096, rw, unix.MAP_PRIVATE|unix.MAP_GROWSDOWN), calls},
		{"executable memory", mapping(4096, rw|unix.PROT_EXEC, unix.MAP_PRIVATE), calls},
		{"memory made executable", func() error {
			b, err := unix.Mmap(-1, 0, 4096, rw, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return err
			}
			return errors.Join(unix.Mprotect(b, unix.PROT_READ|unix.PROT_EXEC), unix.Munmap(b))
		}, calls},
		{"all other calls", func() error { return otherCalls(calls) }, 0},
	}
}

// Who refuses an attempt.
const (
	files = unix.EACCES // Landlock
	calls = unix.EPERM  // seccomp
)

type attempt struct {
	name string
	try  func() error
	want unix.Errno // 0 for leave
}

// otherCalls makes each system call of this machine that is not on the list, without sense, and tells which were not refused.
func otherCalls(refused unix.Errno) (all error) {
	machine, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	// These would not end or not return if they were not refused; the kernel never asks filters about the last two.
	harmful := []string{"fork", "vfork", "pause", "vhangup", "uretprobe", "uprobe"}
	for name, number := range machine.SyscallNames {
		if slices.Contains(neededCalls, name) || slices.Contains(harmful, name) || name == "clone3" {
			continue
		}
		const senseless = ^uintptr(0)
		_, _, errno := unix.RawSyscall6(uintptr(number), senseless, senseless, senseless, senseless, senseless, senseless)
		if errno != refused {
			all = errors.Join(all, fmt.Errorf("%s: %w", name, errno))
		}
	}
	return all
}

type confinedReport struct {
	Missing   []string
	Err       string
	Inherited bool              // the file that came as descriptor 4 was there
	Threads   map[string]string // of what threads could that were there before
	Answers   map[string]string
}

// confinedForTest is the life of the processes that the tests below start.
func confinedForTest(task, readable, folder string) {
	var r confinedReport
	if task == "kernel without" {
		deny := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{{
			Names: []string{"landlock_create_ruleset", "seccomp"}, Action: seccomp.ActionErrno}}}
		runtime.LockOSThread()
		if err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: deny}); err != nil {
			panic(err)
		}
	}
	var threads [4]struct{ start, done chan error }
	for i := range threads {
		threads[i].start, threads[i].done = make(chan error), make(chan error)
		go func() {
			runtime.LockOSThread()
			threads[i].start <- nil // this thread is there
			<-threads[i].start
			_, openErr := unix.Open("/etc/passwd", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			_, socketErr := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			threads[i].done <- openErr
			threads[i].done <- socketErr
		}()
		<-threads[i].start
	}
	var err error
	if r.Missing, err = confine([]string{readable}, memoryForTest); err != nil {
		r.Err = err.Error()
	}
	switch task {
	case "attempts":
		secret := make([]byte, 6)
		_, _ = unix.Pread(4, secret, 0)
		r.Inherited = string(secret) == "secret"
		r.Threads, r.Answers = map[string]string{}, map[string]string{}
		for i := range threads {
			close(threads[i].start)
			r.Threads[fmt.Sprint("open ", i)] = answerOf(<-threads[i].done)
			r.Threads[fmt.Sprint("socket ", i)] = answerOf(<-threads[i].done)
		}
		for _, a := range attempts(readable, folder) {
			r.Answers[a.name] = answerOf(a.try())
		}
	case "hunger":
		var eaten [][]byte
		for range 4 * memoryForTest >> 20 {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			eaten = append(eaten, b)
		}
		runtime.KeepAlive(eaten)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		panic(err)
	}
}

func answerOf(err error) string {
	if errno := unix.Errno(0); errors.As(err, &errno) {
		return unix.ErrnoName(errno)
	}
	if err != nil {
		return err.Error()
	}
	return "done"
}

// confined runs a process that confines itself and does a task.
func confined(t *testing.T, task string) (r confinedReport, state *os.ProcessState, stderr string) {
	t.Helper()
	readable, beyond := t.TempDir(), filepath.Join(t.TempDir(), "beyond")
	if err := errors.Join(os.WriteFile(beyond, nil, 0o600), os.WriteFile(filepath.Join(readable, "file"), nil, 0o600),
		os.Symlink(beyond, filepath.Join(readable, "link"))); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(secret)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(program, "confined", task, readable, t.TempDir())
	cmd.ExtraFiles = []*os.File{file, file} // 3, which stays, and 4
	cmd.Env = []string{"GOTRACEBACK=none"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err == nil {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, out.Bytes())
		}
	}
	return r, cmd.ProcessState, errs.String()
}

// noLandlock tells whether this kernel lacks Landlock, so that files are not refused.
func noLandlock() bool {
	_, err := landlockabi.LandlockGetABIVersion()
	return err != nil
}

func TestConfinement(t *testing.T) {
	r, state, stderr := confined(t, "attempts")
	if !state.Success() || r.Err != "" || r.Inherited {
		t.Fatalf("got %v, %q, inherited %t: %s", state, r.Err, r.Inherited, stderr)
	}
	t.Logf("missing: %q", r.Missing)
	want := map[string]string{}
	for _, a := range attempts("", "") {
		switch {
		case a.want == 0:
			want[a.name] = answerOf(nil)
		case a.want == files && noLandlock():
			delete(r.Answers, a.name)
		default:
			want[a.name] = answerOf(a.want)
		}
	}
	if d := cmp.Diff(want, r.Answers); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for what, got := range r.Threads {
		want := calls
		if strings.HasPrefix(what, "open") {
			want = files
		}
		if got != answerOf(want) && !(want == files && noLandlock()) {
			t.Errorf("a thread from before: %s: got %s", what, got)
		}
	}
}

// A process that eats memory without end ends itself, and long before the machine's memory does.
func TestConfinedHunger(t *testing.T) {
	_, state, stderr := confined(t, "hunger")
	usage, ok := state.SysUsage().(*syscall.Rusage)
	// Go, the race detector
	short := strings.Contains(stderr, "out of memory") || strings.Contains(stderr, "cannot allocate memory") ||
		strings.Contains(stderr, "failed to allocate")
	if state.Success() || !ok || !short {
		t.Fatalf("got %v: %s", state, stderr)
	}
	if most := usage.Maxrss << 10; most > 2*memoryForTest {
		t.Errorf("it had %d MiB", most>>20)
	}
}

// Where the kernel or a container refuses confinement, that is told, and work goes on.
func TestConfinementThatIsNotOffered(t *testing.T) {
	r, state, stderr := confined(t, "kernel without")
	if !state.Success() || r.Err != "" {
		t.Fatalf("got %v, %q: %s", state, r.Err, stderr)
	}
	if len(r.Missing) != 2 || !strings.HasPrefix(r.Missing[0], "Landlock") || !strings.HasPrefix(r.Missing[1], "seccomp") {
		t.Errorf("got %q", r.Missing)
	}
}

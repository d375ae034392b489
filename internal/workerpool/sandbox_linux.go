package workerpool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/landlock-lsm/go-landlock/landlock"
	landlockabi "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// confine takes from this process, for good and for all of its threads, what a worker does not need: files, except to read those in
// readable or in a folder there; the network; other processes, old and new; and memory beyond that many bytes more than it has now. It
// returns which of this the kernel, or a container around it, does not offer. An error is about what every kernel offers.
func confine(readable []string, memory int64) (missing []string, err error) {
	if _, err := os.Stat("/proc/self/task"); err != nil { // without it there is no telling which threads and files there are
		missing = append(missing, "limits and Landlock, for want of /proc: "+err.Error())
	} else if missing, err = confineByProc(readable, memory); err != nil {
		return nil, err
	}
	if err := confineCalls(); err != nil {
		missing = append(missing, "seccomp (system calls): "+err.Error())
	}
	return missing, nil
}

// confineByProc does the part of confine that needs to know the process's threads, files and size.
func confineByProc(readable []string, memory int64) (missing []string, err error) {
	if err := closeInherited(); err != nil {
		return nil, fmt.Errorf("closing inherited files: %w", err)
	}
	if err := limit(memory); err != nil {
		return nil, err
	}
	if err := landlockabi.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("no new privileges: %w", err)
	}
	if missing, err = confineFiles(readable); err != nil {
		return nil, err
	}
	// No core dump, and only root can look into the process, through ptrace or /proc. Not earlier, since that holds for the process itself
	// too.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("not dumpable: %w", err)
	}
	return missing, nil
}

// closeInherited closes files that were inherited by exec, other than the pipes of a worker. Files that this process itself has opened, as
// the Go runtime does, are marked to be closed at exec, which tells them apart.
func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n <= 3 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(n)
		}
	}
	return nil
}

// limit sets the limits of resources. It sets none on processes, which the kernel counts by user and not by process, and none on processor
// time, which the kernel counts for the whole life of a process; the pool kills at the deadline.
func limit(memory int64) error {
	data, err := dataMemory()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0}, // does not concern pipes
		{unix.RLIMIT_NOFILE, 64},
		{unix.RLIMIT_MEMLOCK, 0},
		// Not RLIMIT_AS: Go, malloc and the race detector reserve addresses in plenty which they never use.
		{unix.RLIMIT_DATA, uint64(data + memory)},
	} {
		var old unix.Rlimit
		if err := unix.Getrlimit(l.resource, &old); err != nil {
			return fmt.Errorf("limit %d: %w", l.resource, err)
		}
		most := min(l.most, old.Max)
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("limit %d: %w", l.resource, err)
		}
	}
	return nil
}

// dataMemory is how many bytes RLIMIT_DATA counts now, and the stack.
func dataMemory() (int64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, resident, shared, text, lib, data int64
	_, err = fmt.Sscan(string(b), &size, &resident, &shared, &text, &lib, &data)
	return data * int64(os.Getpagesize()), err
}

// confineFiles allows reading below the paths, and of other files, the network as far as Landlock knows it, and the
// processes outside, nothing.
func confineFiles(paths []string) (missing []string, err error) {
	version, err := landlockabi.LandlockGetABIVersion()
	if err != nil {
		return []string{"Landlock (files, network, signals): " + err.Error()}, nil //nolint:nilerr // it is told as what is missing
	}
	readable, err := withTargets(paths)
	if err != nil {
		return nil, err
	}
	const read = landlockabi.AccessFSReadFile // not execute, not list
	if err := landlock.V11.BestEffort().Restrict(landlock.PathAccess(read, readable...)); err != nil {
		return []string{"Landlock (files, network, signals): " + err.Error()}, nil //nolint:nilerr // it is told as what is missing
	}
	for _, part := range []struct {
		since int
		name  string
	}{{3, "truncation"}, {4, "network"}, {6, "signals and abstract sockets"}} {
		if version < part.since {
			missing = append(missing, fmt.Sprintf("Landlock (%s): the kernel has version %d of %d", part.name, version, part.since))
		}
	}
	return missing, nil
}

// withTargets adds to the paths where the links below them lead: Landlock looks at where files really are. Folders that cannot be
// listed are passed over.
func withTargets(paths []string) ([]string, error) {
	all := slices.Clone(paths)
	for _, root := range paths {
		root, err := filepath.EvalSymlinks(root)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if path != root && errors.Is(err, fs.ErrPermission) {
				return fs.SkipDir
			}
			if err != nil || entry.Type()&fs.ModeSymlink == 0 {
				return err
			}
			if target, err := filepath.EvalSymlinks(path); err == nil { // else it leads nowhere
				all = append(all, target)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// neededCalls are the system calls that the Go runtime, the C library and libraries that compute use once they are loaded, found
// by tracing. Names that an architecture does not have are left out there; newfstatat is fstatat on arm64.
var neededCalls = []string{
	"read", "write", "readv", "writev", "pread64", "lseek", "_llseek", "close",
	"openat", "fstat", "fstat64", "newfstatat", "fstatat", "statx", // of what, Landlock decides
	"mmap", "mmap2", "munmap", "mprotect", "mremap", "madvise", "brk",
	"clone", "exit", "exit_group", "set_robust_list", "rseq", "membarrier", "restart_syscall",
	"futex", "futex_time64", "sched_yield", "sched_getaffinity", "getpid", "gettid", "tgkill", "getcpu",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
	"nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday", "time",
	"getrandom", "sysinfo", "uname", "getrusage",
}

// confineCalls refuses all system calls but the needed ones, and of these what makes processes, signals others, makes
// memory executable, or gets memory that RLIMIT_DATA does not count.
func confineCalls() error {
	machine, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	var needed []string
	for _, name := range neededCalls {
		if _, ok := machine.SyscallNames[name]; ok {
			needed = append(needed, name)
		}
	}
	deny := func(name string, conditions ...seccomp.Condition) seccomp.Policy {
		group := seccomp.SyscallGroup{Action: seccomp.ActionErrno}
		for _, c := range conditions { // one suffices
			one := seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{c}}
			group.NamesWithCondtions = append(group.NamesWithCondtions, one)
		}
		return seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{group}}
	}
	executable := seccomp.Condition{Argument: 2, Operation: seccomp.BitsSet, Value: unix.PROT_EXEC}
	policies := []seccomp.Policy{
		// Each condition is a filter of its own: after one that does not hold, the library compares the next names with the argument
		// instead of the number of the call. The strictest answer of all filters counts.
		deny("clone", seccomp.Condition{Argument: 0, Operation: seccomp.BitsNotSet, Value: unix.CLONE_THREAD}),
		deny("tgkill", seccomp.Condition{Argument: 0, Operation: seccomp.NotEqual, Value: uint64(os.Getpid())}),
		deny("mprotect", executable),
		deny("mmap", executable, seccomp.Condition{Argument: 3, Operation: seccomp.BitsSet, Value: unix.MAP_SHARED | unix.MAP_GROWSDOWN}),
		{DefaultAction: seccomp.ActionErrno, Syscalls: []seccomp.SyscallGroup{
			{Names: needed, Action: seccomp.ActionAllow},
			// Its flags cannot be seen from here. The C library takes clone where there is no clone3.
			{Names: []string{"clone3"}, Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
		}},
	}
	runtime.LockOSThread() // the kernel wants the thread that loads a filter to have no_new_privs already
	defer runtime.UnlockOSThread()
	for _, p := range policies {
		if err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: p}); err != nil {
			return err
		}
	}
	// The library reports success even if a thread could not be synchronised, and then there is no filter.
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		return errors.Join(errors.New("the filter is not in force"), unix.Close(fd))
	}
	return nil
}

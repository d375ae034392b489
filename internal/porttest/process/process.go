// Package process stops servers of tests and has them go on, and says where they may listen.
package process

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Freeze stops a process until Thaw. When it returns, none of its threads runs.
func Freeze(t testing.TB, p *os.Process) {
	t.Helper()
	send(t, p, syscall.SIGSTOP)
	for anyRuns(p.Pid) {
		runtime.Gosched()
	}
}

// Thaw has a process go on.
func Thaw(t testing.TB, p *os.Process) {
	t.Helper()
	send(t, p, syscall.SIGCONT)
}

func send(t testing.TB, p *os.Process, signal syscall.Signal) {
	t.Helper()
	if err := p.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// anyRuns tells whether any thread of a process is not stopped.
func anyRuns(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is a right one
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		_, state, found := strings.Cut(string(stat), ") ") // the end of the name, which may have spaces
		if err != nil || !found || state[0] != 'T' {
			return true
		}
	}
	return false
}

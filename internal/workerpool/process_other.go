//go:build !linux

package workerpool

import (
	"os"
	"syscall"
)

// ownGroup puts a worker into a process group of its own, which can be killed as one and which terminal signals do not
// reach. When the server dies, the worker's input ends, and it with it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

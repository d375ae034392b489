package workerpool

import (
	"os"
	"syscall"
)

// ownGroup puts a worker into a process group of its own, which can be killed as one and which terminal signals do not
// reach, and has the kernel kill it when the server dies, however that dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

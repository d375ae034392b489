package engine

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test binary be its own worker, a server, and a process that tries its confinement.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		if err := RunWorker(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "server" {
		serverForTest()
	}
	if len(os.Args) > 4 && os.Args[1] == "confined" {
		confinedForTest(os.Args[2], os.Args[3], os.Args[4])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

package tesseract

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test binary be its own worker, and a server.
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
	os.Exit(m.Run())
}

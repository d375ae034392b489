package app

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"glyphbox/internal/porttest/check"
)

// TestReadme pastes the first requests of each README into a shell.
func TestReadme(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		check.Absent(t, "curl", "scripts/setup tests installs it")
	}
	const root = "../.."
	for _, name := range []string{"README.md", "README.ko.md"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(root + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			_, script, _ := strings.Cut(string(text), "```sh\nAPI=")
			script, _, ok := strings.Cut(script, "```")
			if !ok {
				t.Fatal("there are no requests in it")
			}
			s := start(t, t.TempDir())
			cmd := exec.Command("sh", "-eu", "-c", "API="+strings.ReplaceAll(script, "http://127.0.0.1:8000", s.base))
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			first, second := strings.Index(string(out), `"text":"Invoice No. 1742"`),
				strings.Index(string(out), `"text":"Total amount 39.80"`)
			if first < 0 || second < first {
				t.Errorf("the answer is not what is promised:\n%s", out)
			}
		})
	}
}

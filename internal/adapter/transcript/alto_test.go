package transcript

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
)

// checkALTO validates a file with the schema of ALTO 4.4 and returns the words.
func checkALTO(t *testing.T, file []byte, of sampled) (words []string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), tool(t, "xmllint"), "--noout", "--nonet", "--schema", "testdata/alto/alto-4-4.xsd", "-")
	command.Env = append(os.Environ(), "XML_CATALOG_FILES=testdata/alto/catalog.xml")
	command.Stdin = bytes.NewReader(file)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	blocks := 0
	for _, e := range wellFormed(t, file).all() {
		switch e.XMLName.Local {
		case "TextBlock":
			blocks++
		case "String":
			words = append(words, e.attr("CONTENT"))
		}
	}
	if blocks != len(of.Run.Contents) {
		t.Errorf("got %d blocks for %d regions", blocks, len(of.Run.Contents))
	}
	return words
}

func TestALTO(t *testing.T) {
	s := sample()
	if got, want := len(checkALTO(t, export(t, recognition.FormatALTO, s), s)), 11; got != want {
		t.Errorf("got %d words, want %d", got, want)
	}
	s.Run.Contents = nil
	if words := checkALTO(t, export(t, recognition.FormatALTO, s), s); len(words) > 0 {
		t.Errorf("got %q of no region", words)
	}
}

// tool is a program that only tests need.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		check.Absent(t, name, "scripts/setup tests installs it")
	}
	return path
}

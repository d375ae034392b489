package porttest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/porttest/check"
)

// LockedPDF is an encrypted file, and a password that opens it.
type LockedPDF struct {
	Name     string // of the cipher and the password
	File     []byte
	Password string
}

// LockedPDFs are a PDF file in each cipher with passwords in many letters, made by qpdf. Where there is no qpdf the test is skipped.
func LockedPDFs(t *testing.T, plain []byte) (all []LockedPDF) {
	t.Helper()
	program, err := exec.LookPath("qpdf")
	if err != nil {
		check.Absent(t, "qpdf", "scripts/setup tests installs it")
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "plain.pdf"), filepath.Join(dir, "locked.pdf")
	check.OK(t, "WriteFile", os.WriteFile(from, plain, 0o600))
	ciphers := map[string][]string{"RC4 40": {"40"}, "RC4 128": {"128", "--use-aes=n"}, "AES 128": {"128", "--use-aes=y"},
		"AES 256 of 2008": {"256", "--force-R5"}, "AES 256": {"256"}, "AES 256, nothing allowed": {"256", "--modify=none", "--extract=n"}}
	passwords := map[string]string{"ASCII": "pa55word!", "spaces": " two  words ", "Latin-1": "grüßeñ", "Korean": "비밀번호",
		"mixed": "비밀 pass мир ü 1", "Hebrew": "שלום abc", "signs": "“€5” – ﬁn…", "parts": norm.NFD.String("grün 한글"),
		"symbols": "🔑(\\)%", "long": strings.Repeat("long ", 40)}
	for cipher, options := range ciphers {
		for letters, password := range passwords {
			if cipher != "RC4 128" && cipher != "AES 256" && letters != "mixed" && !check.Soak() {
				continue // a cipher of old and one of today are with all letters, and all are with some
			}
			modes := []string{"unicode", "bytes"} // as programs made it of the encoding of their day, and as they do of that of today
			if options[0] == "256" {
				modes = modes[:1] // which are one
			}
			for _, mode := range modes {
				for who, both := range map[string][]string{"user": {password, "another"}, "owner": {"another", password}} {
					args := slices.Concat([]string{"--allow-weak-crypto", "--warning-exit-0", "--password-mode=" + mode, "--encrypt"}, both,
						options, []string{"--", from, to})
					made, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
					if bytes.Contains(made, []byte("password cannot be encoded")) { // it is none of that day
						continue
					}
					check.OK(t, fmt.Sprintf("qpdf: %s", made), err)
					file, err := os.ReadFile(to)
					check.OK(t, "ReadFile", err)
					if !bytes.Contains(file, []byte("/Encrypt")) {
						t.Fatal("qpdf did not encrypt")
					}
					all = append(all, LockedPDF{fmt.Sprintf("%s, %s, %s, %s", cipher, letters, mode, who), file, password})
				}
			}
		}
	}
	return all
}

package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// locked is a PDF file that a password opens.
func locked(t *testing.T, file []byte, password string) []byte {
	t.Helper()
	api.DisableConfigDir()
	c := model.NewAESConfiguration(password, "owner of it", 256)
	var out bytes.Buffer
	check.OK(t, "Encrypt", api.Encrypt(bytes.NewReader(file), &out, c))
	return out.Bytes()
}

// An encrypted file is read with the password of a file that the command line names, by itself and by a service; files beside it need none.
func TestPasswordFile(t *testing.T) {
	dir := t.TempDir()
	const password = "비밀번호"
	open := porttest.PDF(porttest.PDFPage{Content: porttest.PDFText(72, 700, 20, "Minutes of the meeting")})
	put := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		check.OK(t, "WriteFile", os.WriteFile(name, data, 0o600))
		return name
	}
	closed, plain := put("closed.pdf", locked(t, open, password)), put("plain.pdf", open)
	right, dos, wrong := put("right", []byte(password+"\nnot this\n")), put("dos", []byte(password+"\r\n")),
		put("wrong", []byte(password+" "))
	for _, bad := range []string{filepath.Join(dir, "missing"), put("empty", []byte("\n")), put("binary", []byte("\xff\xfe\n"))} {
		command(t, "", "ocr", closed, "--password-file", bad).want(t, exitUsage, "--password-file")
	}
	s := start(t, t.TempDir())
	ann := s.signUp("ann")
	for name, where := range map[string][]string{"by itself": {"--models", "none"},
		"by a service": {"--server", s.base, "--token", ann.token}} {
		t.Run(name, func(t *testing.T) {
			ocr := func(args ...string) result {
				return command(t, "", append(append([]string{"ocr"}, args...), where...)...)
			}
			for _, file := range []string{right, dos} {
				r := ocr(closed, plain, "--password-file", file, "--format", "csv").want(t, exitOK, "")
				if n := strings.Count(r.stdout, "Minutes of the meeting"); n != 2 {
					t.Errorf("%d of 2 files were read: %s%s", n, r.stdout, r.stderr)
				}
			}
			ocr(closed, plain).want(t, exitFailure, "closed.pdf: the PDF file is encrypted; give a file with its password").
				want(t, exitFailure, "1 of 2 files")
			r := ocr(closed, "--password-file", wrong).want(t, exitFailure, "the password of --password-file does not open it")
			if strings.Contains(r.stderr+r.stdout, password) {
				t.Errorf("the password is in %q", r.stderr)
			}
			out := filepath.Join(t.TempDir(), "out.pdf")
			ocr(closed, "--password-file", right, "--format", "pdf", "-o", out).want(t, exitOK, "")
			made, err := os.ReadFile(out)
			check.OK(t, "ReadFile", err)
			check.Same(t, "the text of what was written", textOfPDF(t, made), []string{"Minutes of the meeting"})
		})
	}
	job := func(args ...string) result {
		return command(t, "", append([]string{"job", "add", closed, "--watch", "--server", s.base, "--token", ann.token}, args...)...)
	}
	job().want(t, exitFailure, "closed.pdf: the PDF file is encrypted; give a file with its password")
	job("--password-file", right).want(t, exitOK, "1 of 1")
	if images := ann.search("closed"); len(images) != 1 {
		t.Errorf("what was uploaded is %+v", images)
	}
}

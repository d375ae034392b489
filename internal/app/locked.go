package app

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	api "glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// passwordFile is the flag that names a file with the password of encrypted files. There is none for the password itself, since everybody
// on the machine sees flags.
const passwordFile = "password-file"

func passwordFileFlag(flags *pflag.FlagSet) *string {
	return flags.String(passwordFile, "", "File with the password of those PDF files that are encrypted, in its first line.")
}

// filePassword returns the password that a file has, as it is but for the end of the line; none for no file.
func filePassword(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", usagef("--%s: %v", passwordFile, err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	password := strings.TrimSuffix(line, "\r")
	if password == "" || !utf8.ValidString(password) {
		return "", usagef("--%s %s: its first line is to be a password in UTF-8", passwordFile, path)
	}
	return password, nil
}

// lockedError says in words of the command line that a file is encrypted, if that is the error.
func lockedError(err error, password string) error {
	problem, isProblem := errors.AsType[*api.Problem](err)
	f, isFault := errors.AsType[*fault.Fault](err)
	switch {
	case !(isProblem && problem.Code == document.CodeEncrypted || isFault && f.Code == document.CodeEncrypted):
		return err
	case password == "":
		return fmt.Errorf("the PDF file is encrypted: --%s names a file with the password that opens it", passwordFile)
	}
	return fmt.Errorf("the PDF file is encrypted, and the password of --%s does not open it", passwordFile)
}

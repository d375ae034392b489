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

// passwordFile is the flag that names a file with the password of encrypted files. The password itself has no flag, since everybody on the
// machine can see flags.
const passwordFile = "password-file"

func passwordFileFlag(flags *pflag.FlagSet) *string {
	return flags.String(passwordFile, "", "File with the password of encrypted PDF files in its first line.")
}

// filePassword returns the first line of a file, or an empty password if no file is given.
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
		return "", usagef("--%s %s: the first line must be a password in UTF-8", passwordFile, path)
	}
	return password, nil
}

// lockedError turns the error that a file is encrypted into one that names the flag.
func lockedError(err error, password string) error {
	problem, isProblem := errors.AsType[*api.Problem](err)
	f, isFault := errors.AsType[*fault.Fault](err)
	switch {
	case !(isProblem && problem.Code == document.CodeEncrypted || isFault && f.Code == document.CodeEncrypted):
		return err
	case password == "":
		return fmt.Errorf("the PDF file is encrypted; give a file with its password as --%s", passwordFile)
	}
	return fmt.Errorf("the PDF file is encrypted, and the password of --%s does not open it", passwordFile)
}

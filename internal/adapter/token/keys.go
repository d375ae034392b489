package token

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glyphbox/internal/durable"
)

// secretSize is the length of a signing key: 256 bits, as much as HMAC-SHA-256 can make use of.
const secretSize = 32

// Key is one signing key.
type Key struct {
	ID     string // stands in the header of the tokens that it signed
	secret []byte
}

// newKey makes a random key.
func newKey() Key {
	k := Key{ID: rand.Text()[:8], secret: make([]byte, secretSize)}
	rand.Read(k.secret)
	return k
}

// keyFileHead is the comment at the top of a key file.
const keyFileHead = "# The keys that sign access tokens, newest first: id, key. Whoever has them can act as any user.\n"

// LoadKeys reads a key file, newest key first. If it does not exist, it creates one with a new key that only the owner can read. It
// refuses a file that others may read, or with an invalid line.
func LoadKeys(path string) ([]Key, error) {
	keys, err := readKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	// Create does not replace the file of another process that was faster.
	if err := writeKeys(path, []Key{newKey()}, durable.Create); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readKeys(path)
}

// RotateKeys rotates the keys of a key file. A running service uses them from its next start on.
func RotateKeys(path string) error {
	keys, err := LoadKeys(path)
	if err != nil {
		return err
	}
	return writeKeys(path, Rotated(keys), durable.Write)
}

// Rotated returns a new key and the current signing key, which still verifies tokens. It drops older keys, so that rotating twice makes
// a stolen key worthless.
func Rotated(keys []Key) []Key { return append([]Key{newKey()}, keys[:min(len(keys), 1)]...) }

// CopyKeys copies a key file, unless the target has a different one. If the source does not exist it does nothing.
func CopyKeys(from, to string) error {
	keys, err := readKeys(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := writeKeys(to, keys, durable.Create); !errors.Is(err, fs.ErrExist) {
		return err
	}
	have, err := readKeys(to)
	if err == nil && !slices.EqualFunc(have, keys, func(a, b Key) bool { return a.ID == b.ID && bytes.Equal(a.secret, b.secret) }) {
		err = fmt.Errorf("%s contains other keys than %s", to, from)
	}
	return err
}

func readKeys(path string) ([]Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (its mode is %04o): run chmod 600 %s, and rotate the keys if somebody may have "+
			"seen them", path, mode, path)
	}
	keys, err := ParseKeys(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// ParseKeys parses the output of FormatKeys. Its errors do not show keys.
func ParseKeys(r io.Reader) (keys []Key, err error) {
	seen := map[string]bool{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, text, _ := strings.Cut(line, " ")
		secret, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(secret) != secretSize || seen[id] {
			return nil, fmt.Errorf("line %d is invalid or repeats a key: an id, a space and %d bytes in base64 are required", n, secretSize)
		}
		seen[id] = true
		keys = append(keys, Key{ID: id, secret: secret})
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("it contains no key")
	}
	return keys, nil
}

// FormatKeys returns the text of a key file.
func FormatKeys(keys []Key) string {
	var b strings.Builder
	b.WriteString(keyFileHead)
	for _, k := range keys {
		fmt.Fprintf(&b, "%s %s\n", k.ID, base64.StdEncoding.EncodeToString(k.secret))
	}
	return b.String()
}

// writeKeys writes a key file by durable.Write or durable.Create.
func writeKeys(path string, keys []Key, write func(path, temp string, r io.Reader) error) error {
	temp := filepath.Join(filepath.Dir(path), ".keys-"+rand.Text())
	return write(path, temp, strings.NewReader(FormatKeys(keys)))
}

// Package seal encrypts passwords of files and secrets of webhooks with a secret that is not in the database. It implements
// document.Seals and webhook.Seals.
//
// Each is encrypted separately, with AES-256-GCM under a key that HKDF derives from the secret, and bound to what it belongs to. A seal
// is a version, a nonce and the ciphertext.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/durable"
)

// Secret is the secret of seals. It cannot be printed by accident.
type Secret struct{ text string }

// String hides the secret.
func (Secret) String() string { return "(secret)" }

// GoString hides the secret.
func (Secret) GoString() string { return "seal.Secret{}" }

// Equal tells whether both are the same secret.
func (s Secret) Equal(other Secret) bool { return s == other }

// Empty tells whether there is no secret.
func (s Secret) Empty() bool { return s.text == "" }

const minSecret, maxSecret = 32, 1000 // characters

// ParseSecret accepts a secret of 32 to 1,000 characters. White space around it does not count.
func ParseSecret(text string) (Secret, error) {
	text = strings.TrimSpace(text)
	if n := len([]rune(text)); n < minSecret || n > maxSecret {
		return Secret{}, fmt.Errorf("must have %d to %d characters, not %d", minSecret, maxSecret, n)
	}
	return Secret{text}, nil
}

// LoadSecret reads the file of a secret. If it does not exist, it creates one with a random secret that only the owner can read. It
// refuses a file that others may read.
func LoadSecret(path string) (Secret, error) {
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := createSecret(path, Secret{rand.Text() + rand.Text()}); err != nil && !errors.Is(err, fs.ErrExist) {
		return Secret{}, err
	}
	return readSecret(path) // that of another process, if it was faster
}

// CopySecret copies the file of a secret, unless the target has a different one. If the source does not exist it does nothing.
func CopySecret(from, to string) error {
	secret, err := readSecret(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := createSecret(to, secret); !errors.Is(err, fs.ErrExist) {
		return err
	}
	have, err := readSecret(to)
	if err == nil && have != secret {
		err = fmt.Errorf("%s contains another secret than %s", to, from)
	}
	return err
}

func createSecret(path string, s Secret) error {
	temp := filepath.Join(filepath.Dir(path), ".seal-"+rand.Text())
	return durable.Create(path, temp, strings.NewReader(s.text+"\n"))
}

func readSecret(path string) (Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Secret{}, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return Secret{}, fmt.Errorf("%s may be read by others (its mode is %04o): run chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, err
	}
	secret, err := ParseSecret(string(text))
	if err != nil {
		return Secret{}, fmt.Errorf("%s: %w", path, err)
	}
	return secret, nil
}

// Seals implements document.Seals.
type Seals struct{ aead cipher.AEAD }

var _ document.Seals = Seals{}

// New returns seals with a secret.
func New(secret Secret) (Seals, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret.text), nil, "glyphbox passwords of files", 32)
	if err != nil {
		return Seals{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return Seals{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return Seals{aead}, err
}

// version is the first byte of a seal.
const version = 1

// Seal implements document.Seals.
func (s Seals) Seal(password, sha256 string) ([]byte, error) {
	return s.aead.Seal([]byte{version}, nil, []byte(password), []byte(sha256)), nil
}

// Open implements document.Seals.
func (s Seals) Open(seal []byte, sha256 string) (string, error) {
	if len(seal) == 0 || seal[0] != version {
		return "", errors.New("the seal has an unknown version")
	}
	password, err := s.aead.Open(nil, nil, seal[1:], []byte(sha256))
	if err != nil {
		return "", errors.New("the seal cannot be opened: it belongs to another secret or file, or is damaged")
	}
	return string(password), nil
}

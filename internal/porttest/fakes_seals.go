package porttest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"

	"glyphbox/internal/domain/document"
)

// fakeSeals hides nothing from who looks for it.
type fakeSeals struct{ key string }

func newFakeSeals() document.Seals { return fakeSeals{key: rand.Text()} }

type fakeSeal struct{ Key, Nonce, File, Password string }

func (f fakeSeals) Seal(password, sha256 string) ([]byte, error) {
	coded := base64.StdEncoding.EncodeToString([]byte(password))
	b, err := json.Marshal(fakeSeal{f.key, rand.Text(), sha256, coded})
	return append(b, sum(b)...), err
}

func (f fakeSeals) Open(seal []byte, sha256 string) (string, error) {
	const size = 64 // of a sum
	var s fakeSeal
	n := len(seal) - size
	if n < 0 || !bytes.Equal(seal[n:], sum(seal[:n])) || json.Unmarshal(seal[:n], &s) != nil || s.Key != f.key || s.File != sha256 {
		return "", errors.New("this is no seal of that file")
	}
	password, err := base64.StdEncoding.DecodeString(s.Password)
	return string(password), err
}

func sum(b []byte) []byte { return []byte(FileOf(b).SHA256) }

var _ document.Seals = fakeSeals{}

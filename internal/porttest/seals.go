package porttest

import (
	"bytes"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest/check"
)

// Seals is the suite of document.Seals. Each one that open returns must have another key.
func Seals(t *testing.T, open func(t *testing.T) document.Seals) {
	const file, other = "0f0f", "a0a0"
	seal := func(t *testing.T, s document.Seals, password string) []byte {
		t.Helper()
		sealed, err := s.Seal(password, file)
		check.OK(t, "Seal", err)
		return sealed
	}

	t.Run("a password comes back", func(t *testing.T) {
		s := open(t)
		for _, password := range []string{"x", "비밀번호 ⚿", strings.Repeat("long ", 51), "\x00\xff"} {
			got, err := s.Open(seal(t, s, password), file)
			check.OK(t, "Open", err)
			same(t, "password", got, password)
		}
	})

	t.Run("a seal shows nothing", func(t *testing.T) {
		s := open(t)
		first, second := seal(t, s, "a password"), seal(t, s, "a password")
		if bytes.Equal(first, second) {
			t.Error("equal passwords have equal seals")
		}
		if bytes.Contains(first, []byte("passw")) {
			t.Errorf("the seal %q shows the password", first)
		}
		if n := len(seal(t, s, strings.Repeat("비", document.MaxPassword))); n > 2000 {
			t.Errorf("the longest seal has %d bytes, more than a column", n)
		}
	})

	t.Run("only the same file and key open a seal that is whole", func(t *testing.T) {
		s := open(t)
		sealed := seal(t, s, "a password")
		_, err := s.Open(sealed, other)
		fails(t, "for another file", err)
		_, err = open(t).Open(sealed, file)
		fails(t, "by another key", err)
		for i := range sealed {
			broken := bytes.Clone(sealed)
			broken[i] ^= 1
			_, err := s.Open(broken, file)
			fails(t, "that is not what it was", err)
			_, err = s.Open(sealed[:i], file)
			fails(t, "that is cut off", err)
		}
	})
}

func fails(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("a seal %s was opened", what)
	}
}

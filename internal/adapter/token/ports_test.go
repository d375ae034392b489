package token

import (
	"path/filepath"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/porttest"
)

func TestPorts(t *testing.T) {
	t.Run("Tokens", func(t *testing.T) {
		porttest.Tokens(t, func(t *testing.T) account.Tokens {
			keys, err := LoadKeys(filepath.Join(t.TempDir(), "keys"))
			if err != nil {
				t.Fatal(err)
			}
			return NewTokens(keys)
		})
	})
	t.Run("Passwords", func(t *testing.T) {
		porttest.Passwords(t, func(*testing.T) account.Passwords { return newPasswords(cheap) })
	})
}

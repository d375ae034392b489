package porttest

import (
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"

	"golang.org/x/text/unicode/norm"
)

// Tokens is the suite of account.Tokens. Each one that open returns must sign with another key.
func Tokens(t *testing.T, open func(t *testing.T) account.Tokens) {
	issued := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	claims := account.Claims{UserID: 42, Session: "S1", Issued: issued, Expires: issued.Add(15 * time.Minute)}
	start := func(t *testing.T) (account.Tokens, string) {
		t.Helper()
		s := open(t)
		token, err := s.Sign(claims)
		check.OK(t, "Sign", err)
		return s, token
	}

	t.Run("the claims come back", func(t *testing.T) {
		s, token := start(t)
		got, err := s.Verify(token, issued.Add(time.Minute))
		check.OK(t, "Verify", err)
		same(t, "claims", got, claims)
	})

	t.Run("in force from issue to expiry, give or take a minute at most", func(t *testing.T) {
		s, token := start(t)
		for _, now := range []time.Time{issued, claims.Expires.Add(-time.Second)} {
			_, err := s.Verify(token, now)
			check.OK(t, "Verify at "+now.String(), err)
		}
		for _, late := range []time.Duration{61 * time.Second, time.Hour, 24 * 365 * time.Hour} {
			_, err := s.Verify(token, claims.Expires.Add(late))
			check.Code(t, "Verify after "+late.String(), err, fault.Unauthenticated, "token_expired")
		}
		_, err := s.Verify(token, issued.Add(-61*time.Second))
		check.Code(t, "Verify before it was issued", err, fault.Unauthenticated, "invalid_token")
	})

	t.Run("tampered with", func(t *testing.T) {
		s, token := start(t)
		const letters = "ABab01-_."
		for i := range token {
			for _, c := range letters {
				wrong := token[:i] + string(c) + token[i+1:]
				if wrong == token {
					continue
				}
				_, err := s.Verify(wrong, issued)
				check.Code(t, "Verify of "+wrong, err, fault.Unauthenticated, "invalid_token")
			}
		}
		for _, wrong := range []string{"", ".", "..", "x", token + "x", token + ".", token[:len(token)-1], token[1:],
			strings.ToUpper(token), " " + token, "gbx_a.b", strings.Repeat("a.", 100_000)} {
			_, err := s.Verify(wrong, issued)
			check.Code(t, "Verify of another text", err, fault.Unauthenticated, "invalid_token")
		}
	})

	t.Run("signed by somebody else", func(t *testing.T) {
		_, token := start(t)
		_, err := open(t).Verify(token, issued)
		check.Code(t, "Verify", err, fault.Unauthenticated, "invalid_token")
		_, err = open(t).Verify(token, claims.Expires.Add(time.Hour))
		check.Code(t, "Verify when it has lapsed besides", err, fault.Unauthenticated, "invalid_token")
	})
}

// Passwords is the suite of account.Passwords.
func Passwords(t *testing.T, open func(t *testing.T) account.Passwords) {
	// verify checks an answer, and that only a match is ever outdated.
	verify := func(t *testing.T, s account.Passwords, hash, password string, want bool) {
		t.Helper()
		got, outdated, err := s.Verify(t.Context(), hash, password)
		check.OK(t, "Verify", err)
		if got != want || outdated {
			t.Errorf("Verify of %.30q: got %v, outdated %v, want %v, false", password, got, outdated, want)
		}
	}

	t.Run("right and wrong", func(t *testing.T) {
		s := open(t)
		for _, password := range []string{"correct-horse", "비밀번호🔑🔑🔑🔑", "with\x00zero-byte", strings.Repeat("길", 255)} {
			hash, err := s.Hash(t.Context(), password)
			check.OK(t, "Hash", err)
			if strings.Contains(hash, password) {
				t.Errorf("the hash %q has the password in it", hash)
			}
			verify(t, s, hash, password, true)
			verify(t, s, hash, password+"x", false)
			verify(t, s, hash, password[:len(password)-1], false)
			verify(t, s, hash, strings.ToUpper(password)+" ", false)
			verify(t, s, hash, "", false)
		}
	})

	t.Run("a hash has its own salt", func(t *testing.T) {
		s := open(t)
		first, err := s.Hash(t.Context(), "correct-horse")
		check.OK(t, "Hash", err)
		second, err := s.Hash(t.Context(), "correct-horse")
		check.OK(t, "Hash", err)
		if first == second {
			t.Errorf("got the hash %q twice", first)
		}
		verify(t, s, first, "correct-horse", true)
		verify(t, s, second, "correct-horse", true)
	})

	t.Run("any normal form", func(t *testing.T) {
		s := open(t)
		for _, password := range []string{"비밀번호비밀번호", "Pässwörter", "ﬁ-is-no-f-i"} {
			for _, stored := range []string{norm.NFC.String(password), norm.NFD.String(password)} {
				hash, err := s.Hash(t.Context(), stored)
				check.OK(t, "Hash", err)
				verify(t, s, hash, norm.NFC.String(password), true)
				verify(t, s, hash, norm.NFD.String(password), true)
			}
		}
	})

	t.Run("empty and unreadable hashes never match", func(t *testing.T) {
		s := open(t)
		for _, hash := range []string{"", " ", "x", "correct-horse", "$", "$argon2id$",
			"$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAA$AAAA", "$2a$31$", strings.Repeat("$", 1000)} {
			verify(t, s, hash, "correct-horse", false)
			verify(t, s, hash, "", false)
			verify(t, s, hash, hash, false)
		}
	})

	t.Run("many at once", func(t *testing.T) {
		s := open(t)
		hash, err := s.Hash(t.Context(), "correct-horse")
		check.OK(t, "Hash", err)
		for _, err := range race(racers, func(int) error {
			_, _, err := s.Verify(t.Context(), hash, "correct-horse")
			return err
		}) {
			if err != nil {
				check.Kind(t, "Verify", err, fault.Busy)
			}
		}
	})
}

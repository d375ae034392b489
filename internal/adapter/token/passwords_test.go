package token

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/bcrypt"

	"glyphbox/internal/domain/fault"
)

const (
	nfc = "caf\u00e9-\ud55c\uae00" // composed
	nfd = "cafe\u0301-\u1112\u1161\u11ab\u1100\u1173\u11af"
)

// cheap are parameters for tests, which hash often.
var cheap = params{memory: 8, time: 1, threads: 1}

func hash(t *testing.T, password string) string {
	t.Helper()
	h, err := newPasswords(cheap).Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func bcrypted(t *testing.T, prefix, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return prefix + strings.TrimPrefix(string(h), "$2a")
}

func costing(p params, password string) string {
	h := phc{params: p, salt: []byte("0123456789abcdef")}
	h.hash = h.derive(password, hashSize)
	return h.String()
}

func TestVerify(t *testing.T) {
	old := params{memory: 16, time: 1, threads: 1}
	for name, test := range map[string]struct {
		hash, password string
		ok, outdated   bool
	}{
		"right":                  {hash(t, "correct horse"), "correct horse", true, false},
		"wrong":                  {hash(t, "correct horse"), "correct  horse", false, false},
		"case":                   {hash(t, "correct horse"), "Correct horse", false, false},
		"composed, typed apart":  {hash(t, nfc), nfd, true, false},
		"apart, typed composed":  {hash(t, nfd), nfc, true, false},
		"no UTF-8":               {hash(t, "\xff\xfe"), "\xff\xfe", true, false},
		"older parameters":       {costing(old, "secret"), "secret", true, true},
		"older, wrong":           {costing(old, "secret"), "Secret", false, false},
		"bcrypt a":               {bcrypted(t, "$2a", "secret"), "secret", true, true},
		"bcrypt b":               {bcrypted(t, "$2b", "secret"), "secret", true, true},
		"bcrypt y":               {bcrypted(t, "$2y", "secret"), "secret", true, true},
		"bcrypt wrong":           {bcrypted(t, "$2b", "secret"), "Secret", false, false},
		"bcrypt as typed":        {bcrypted(t, "$2b", nfd), nfd, true, true},
		"bcrypt composed":        {bcrypted(t, "$2b", nfc), nfd, true, true},
		"bcrypt apart":           {bcrypted(t, "$2b", nfd), nfc, true, true},
		"bcrypt beyond 72 bytes": {bcrypted(t, "$2b", strings.Repeat("x", 72)), strings.Repeat("x", 80), true, true},
		"bcrypt of absurd cost":  {"$2b$31$" + strings.Repeat("a", 53), "secret", false, false},
		"bcrypt cut off":         {"$2b$04$abc", "secret", false, false},
		"another kind":           {"$6$salt$hash", "secret", false, false},
		"plain text":             {"secret", "secret", false, false},
		"none":                   {"", "", false, false},
	} {
		ok, outdated, err := newPasswords(cheap).Verify(t.Context(), test.hash, test.password)
		if err != nil || ok != test.ok || outdated != test.outdated {
			t.Errorf("%s: %t, %t, %v, want %t, %t", name, ok, outdated, err, test.ok, test.outdated)
		}
	}
}

func TestHashForm(t *testing.T) {
	h, err := NewPasswords().Hash(t.Context(), "secret")
	if want := "$argon2id$v=19$m=19456,t=2,p=1$"; err != nil || !strings.HasPrefix(h, want) {
		t.Errorf("%s, %v does not begin with %s", h, err, want)
	}
	if a, b := hash(t, "secret"), hash(t, "secret"); a == b {
		t.Errorf("two hashes of a password are the same, %s", a)
	}
}

// TestUnreadableHashCostsAsMuch measures memory and not time: it is the memory that takes the time, and it is counted exactly.
func TestUnreadableHashCostsAsMuch(t *testing.T) {
	p := NewPasswords()
	wrong := costing(recommended, "secret")
	cost := func(hash string) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ok, _, err := p.Verify(t.Context(), hash, "guess")
		runtime.ReadMemStats(&after)
		if ok || err != nil {
			t.Fatal(ok, err)
		}
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	want := cost(wrong)
	for name, h := range map[string]string{"empty": "", "unreadable": "x", "cut off": wrong[:40]} {
		if got := cost(h); got < 0.99*want || got > 1.01*want {
			t.Errorf("%s: %.0f bytes, want those of a wrong password, %.0f", name, got, want)
		}
	}
}

func TestTooManyAtOnceIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Passwords{params: cheap, slots: make(chan struct{}, 1), waiting: make(chan struct{}, 2)}
		release, err := p.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var waited error
		go func() { _, waited = p.acquire(ctx) }()
		synctest.Wait()
		_, _, err = p.Verify(t.Context(), "", "secret")
		if f := fault.Of(err); f == nil || f.Kind != fault.Busy || f.RetryAfter <= 0 {
			t.Errorf("with one at work and one waiting: %v, want Busy with a time to come again", err)
		}
		cancel()
		synctest.Wait()
		if !errors.Is(waited, context.Canceled) {
			t.Errorf("who went away gets %v", waited)
		}
		release()
		if _, _, err := p.Verify(t.Context(), "", "secret"); err != nil {
			t.Errorf("after all have gone: %v", err)
		}
	})
}

func FuzzParsePHC(f *testing.F) {
	salt, sum := "c2FsdHNhbHQ", strings.Repeat("A", 22)
	for _, s := range []string{
		"", "$", "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum,
		"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + sum, "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + sum, "$argon2id$v=19$m=8,t=0,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=8,t=1,p=255$" + salt + "$" + sum, "$argon2id$v=19$t=1,m=8,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=+8,t=1,p=1$" + salt + "$" + sum, "$argon2id$v=19$m=8,t=1,p=1$" + salt + "=$" + sum,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePHC(s)
		if err != nil {
			return
		}
		if h.memory > maxMemory || h.time < 1 || h.time > maxTime || h.threads < 1 || h.threads > maxThreads || len(h.salt) > 64 ||
			len(h.hash) < 16 {
			t.Errorf("%q is read as %+v", s, h)
		}
		if got := h.String(); got != s {
			t.Errorf("%q is written as %q", s, got)
		}
	})
}

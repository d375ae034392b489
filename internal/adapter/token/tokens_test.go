package token

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func fixture() account.Claims {
	return account.Claims{UserID: 7, Session: "S1", Issued: noon, Expires: noon.Add(15 * time.Minute)}
}

func sign(t *testing.T, tokens *Tokens, c account.Claims) string {
	t.Helper()
	s, err := tokens.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.KindOf(err).String() + " " + fault.Of(err).Code
}

const (
	invalid = "unauthenticated invalid_token"
	expired = "unauthenticated token_expired"
)

func TestTokensAreGoodForTheirTime(t *testing.T) {
	tokens := NewTokens([]Key{newKey()})
	s := sign(t, tokens, fixture())
	for at, want := range map[time.Time]string{
		noon.Add(-time.Hour):            invalid,
		noon.Add(-skew):                 "",
		noon:                            "",
		noon.Add(15*time.Minute + 29e9): "",
		noon.Add(15*time.Minute + 31e9): expired,
	} {
		got, err := tokens.Verify(s, at)
		if diff := cmp.Diff(want, code(err)); diff != "" {
			t.Errorf("at %s: %s", at, diff)
		}
		if err == nil {
			if diff := cmp.Diff(fixture(), got); diff != "" {
				t.Errorf("at %s: %s", at, diff)
			}
		}
	}
}

func TestTokensDiffer(t *testing.T) {
	tokens := NewTokens([]Key{newKey()})
	if a, b := sign(t, tokens, fixture()), sign(t, tokens, fixture()); a == b {
		t.Errorf("two tokens of the same claims are the same, %s", a)
	}
}

// forge makes a token of any header and body, signed with the key as the method says.
func forge(t *testing.T, method jwt.SigningMethod, key any, change func(header, body map[string]any)) string {
	t.Helper()
	body := jwt.MapClaims{"iss": issuer, "aud": []string{audience}, "sub": "7", "sid": "S1", "jti": "J",
		"iat": noon.Unix(), "exp": noon.Add(time.Minute).Unix()}
	token := jwt.NewWithClaims(method, body)
	change(token.Header, body)
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestForgedTokensAreRefused(t *testing.T) {
	key := newKey()
	tokens := NewTokens([]Key{key})
	set := func(name string, value any) func(header, body map[string]any) {
		return func(header, body map[string]any) {
			header["kid"] = key.ID
			body[name] = value
		}
	}
	good := forge(t, jwt.SigningMethodHS256, key.secret, set("sub", "7"))
	if _, err := tokens.Verify(good, noon); err != nil {
		t.Fatalf("the token that the others differ from is refused: %v", err)
	}
	part := strings.Split(good, ".")
	for name, s := range map[string]string{
		"empty":                 "",
		"no token":              "bearer",
		"long":                  good + strings.Repeat("A", maxToken),
		"unsigned":              forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, set("sub", "7")),
		"signature cut off":     part[0] + "." + part[1] + ".",
		"another body":          part[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1"}`)) + "." + part[2],
		"another HMAC":          forge(t, jwt.SigningMethodHS512, key.secret, set("sub", "7")),
		"another key":           forge(t, jwt.SigningMethodHS256, newKey().secret, set("sub", "7")),
		"empty key":             forge(t, jwt.SigningMethodHS256, []byte{}, set("sub", "7")),
		"unknown kid":           forge(t, jwt.SigningMethodHS256, key.secret, func(h, _ map[string]any) { h["kid"] = "x" }),
		"no kid":                forge(t, jwt.SigningMethodHS256, key.secret, func(map[string]any, map[string]any) {}),
		"kid that is no text":   forge(t, jwt.SigningMethodHS256, key.secret, func(h, _ map[string]any) { h["kid"] = 1 }),
		"another issuer":        forge(t, jwt.SigningMethodHS256, key.secret, set("iss", "else")),
		"another audience":      forge(t, jwt.SigningMethodHS256, key.secret, set("aud", "else")),
		"no expiry":             forge(t, jwt.SigningMethodHS256, key.secret, set("exp", nil)),
		"no time of issue":      forge(t, jwt.SigningMethodHS256, key.secret, set("iat", nil)),
		"issued in the future":  forge(t, jwt.SigningMethodHS256, key.secret, set("iat", noon.Add(time.Minute).Unix())),
		"not valid yet":         forge(t, jwt.SigningMethodHS256, key.secret, set("nbf", noon.Add(time.Minute).Unix())),
		"no session":            forge(t, jwt.SigningMethodHS256, key.secret, set("sid", "")),
		"a user without number": forge(t, jwt.SigningMethodHS256, key.secret, set("sub", "ann")),
		"a user below 1":        forge(t, jwt.SigningMethodHS256, key.secret, set("sub", "0")),
		"padding in base64":     part[0] + "." + part[1] + "." + part[2] + "=",
		"lapsed, another issuer": forge(t, jwt.SigningMethodHS256, key.secret,
			func(h, b map[string]any) { h["kid"], b["iss"], b["exp"] = key.ID, "else", noon.Add(-time.Hour).Unix() }),
	} {
		if _, err := tokens.Verify(s, noon); code(err) != invalid {
			t.Errorf("%s: %q, want %q", name, code(err), invalid)
		}
	}
}

func TestHeaderNamesKeyAndAlgorithm(t *testing.T) {
	key := newKey()
	head, _, _ := strings.Cut(sign(t, NewTokens([]Key{key}), fixture()), ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"alg": "HS256", "typ": "JWT", "kid": key.ID}, got); diff != "" {
		t.Error(diff)
	}
}

func load(t *testing.T, path string) []Key {
	t.Helper()
	keys, err := LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestRotatedKeysVerifyOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first := load(t, path)
	s := sign(t, NewTokens(first), fixture())
	for i, want := range []string{"", invalid} {
		if err := RotateKeys(path); err != nil {
			t.Fatal(err)
		}
		keys := load(t, path)
		if keys[0].ID == first[0].ID || len(keys) != 2 {
			t.Errorf("after rotation %d the old key still signs, or there are %d", i+1, len(keys))
		}
		if _, err := NewTokens(keys).Verify(s, noon); code(err) != want {
			t.Errorf("after rotation %d: %q, want %q", i+1, code(err), want)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	made := load(t, path)
	if diff := cmp.Diff(made, load(t, path), cmp.AllowUnexported(Key{})); diff != "" {
		t.Errorf("read again: %s", diff)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o600); got != want {
		t.Errorf("mode %o, want %o", got, want)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("files left behind: %v %v", entries, err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o622} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeys(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: %v, want to be told to chmod 600", mode, err)
		}
	}
}

func TestKeyFileWithFaultsIsRefused(t *testing.T) {
	good := "a " + base64.StdEncoding.EncodeToString(make([]byte, secretSize))
	for name, text := range map[string]string{
		"empty":       "",
		"no key":      keyFileHead,
		"short key":   "a " + base64.StdEncoding.EncodeToString(make([]byte, secretSize-1)),
		"no id":       strings.TrimPrefix(good, "a "),
		"one twice":   good + "\n" + good,
		"no base64":   "a " + strings.Repeat("!", 44),
		"three words": good + " x",
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if keys, err := LoadKeys(path); err == nil {
			t.Errorf("%s: read as %d keys", name, len(keys))
		}
	}
}

func TestFirstStartsAtOnceAgreeOnAKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	const n = 8
	ids := make(chan string, n)
	for range n {
		go func() {
			keys, err := LoadKeys(path)
			if err != nil {
				ids <- err.Error()
				return
			}
			ids <- keys[0].ID
		}()
	}
	first := <-ids
	for range n - 1 {
		if got := <-ids; got != first {
			t.Errorf("%s, want %s", got, first)
		}
	}
}

func TestCopyKeys(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "keys")
	if err := CopyKeys(from, to); err != nil {
		t.Errorf("where there is nothing to copy: %v", err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a key file came from nothing")
	}
	if _, err := LoadKeys(from); err != nil {
		t.Fatal(err)
	}
	if err := RotateKeys(from); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time is as good as once
		if err := CopyKeys(from, to); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || string(got) != string(want) {
		t.Errorf("the keys are not the same (%v)", err)
	}
	if err := RotateKeys(to); err != nil {
		t.Fatal(err)
	}
	if err := CopyKeys(from, to); err == nil {
		t.Error("keys that are there are lost")
	}
}

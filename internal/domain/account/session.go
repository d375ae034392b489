package account

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"

	"glyphbox/internal/domain/fault"
)

var errUnauthenticated = fault.New(fault.Unauthenticated, "invalid_token", "The token is not valid. Sign in again.")

// Session is one sign-in with its family of refresh tokens. Only the newest refresh token is valid, and only once. Using an earlier one
// shows that it was copied, and ends the session.
type Session struct {
	ID          string // random, not guessable
	UserID      int64
	RefreshHash string // of the newest refresh token; see hashRefresh
	Created     time.Time
	Expires     time.Time // when the newest refresh token lapses
	Revoked     time.Time // zero while the session lives
}

func (s Session) live(now time.Time) bool { return s.Revoked.IsZero() && now.Before(s.Expires) }

// rotate exchanges the refresh token, which was issued. It returns false, and ends the session, where the token was used before.
func (s *Session) rotate(secret, next string, now, expires time.Time) bool {
	if !sameHash(s.RefreshHash, hashRefresh(secret)) {
		s.Revoked = now
		return false
	}
	s.RefreshHash, s.Expires = hashRefresh(next), expires
	return true
}

// issued tells whether a secret is that of a refresh token of the session, the newest or a former one.
func (s Session) issued(secret string) bool {
	known, _, _ := strings.Cut(s.RefreshHash, ".")
	family, _, _ := strings.Cut(hashRefresh(secret), ".")
	return sameHash(known, family)
}

// newRefreshSecret returns the secret of a refresh token: "<family>.<own>". All secrets of a session have the same family, so that a former
// one can be told from an invented one. before is the secret that it replaces; empty: none. Old ones have no family.
func newRefreshSecret(before string) string {
	family, _, ok := strings.Cut(before, ".")
	if !ok {
		family = newSecret()
	}
	return family + "." + newSecret()
}

// hashRefresh returns the hashes of both parts of the secret of a refresh token, or that of an old one.
func hashRefresh(secret string) string {
	family, own, ok := strings.Cut(secret, ".")
	if !ok {
		return hashSecret(secret)
	}
	return hashSecret(family) + "." + hashSecret(own)
}

// Key is an API key: a long-lived bearer token for programs. Its secret is shown once and stored as a hash.
type Key struct {
	ID         string // random; part of the key's text
	UserID     int64
	Name       string
	SecretHash string
	Created    time.Time
	Expires    time.Time // zero: never
	LastUsed   time.Time // zero: not yet; exact to a minute or so
}

const keyPrefix = "gbx_"

// joinToken and splitToken make and take apart "<id>.<secret>", the text of refresh tokens and, behind a prefix, of keys.
func joinToken(id, secret string) string { return id + "." + secret }

func splitToken(token string) (id, secret string, ok bool) {
	id, secret, ok = strings.Cut(token, ".")
	return id, secret, ok && id != "" && secret != ""
}

// hashSecret returns the SHA-256 of a secret in hexadecimal. The secrets are 256 random bits, so that a fast hash
// without salt is enough (unlike passwords).
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func sameHash(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

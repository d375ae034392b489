// Package token signs access tokens (JSON Web Tokens, HMAC-SHA-256) and hashes passwords (Argon2id).
//
// The signing keys are in one file that only its owner may read, newest first. The newest key signs and all verify, so that keys can be
// rotated while tokens are in use. Tokens use HMAC and not a public-key signature, because only this service checks them.
package token

import (
	"crypto/rand"
	"errors"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

const (
	issuer   = "glyphbox"
	audience = "glyphbox-api"

	// skew is how far the clocks of two nodes may be apart.
	skew = 30 * time.Second

	// maxToken is the length of a token, in bytes, beyond which none is looked at; ours have about 300.
	maxToken = 2048
)

var algorithm = jwt.SigningMethodHS256

// Tokens implements account.Tokens.
type Tokens struct {
	newest Key
	byID   map[string][]byte
}

var _ account.Tokens = (*Tokens)(nil)

// NewTokens returns Tokens that sign with the first key and verify with all. At least one key is required; see LoadKeys.
func NewTokens(keys []Key) *Tokens {
	t := &Tokens{newest: keys[0], byID: map[string][]byte{}}
	for _, k := range keys {
		t.byID[k.ID] = k.secret
	}
	return t
}

// claims is the body of a token.
type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
}

// Sign makes a token; see account.Tokens.
func (t *Tokens) Sign(c account.Claims) (string, error) {
	token := jwt.NewWithClaims(algorithm, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: strconv.FormatInt(c.UserID, 10), ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(c.Issued), ExpiresAt: jwt.NewNumericDate(c.Expires),
		},
		Session: c.Session,
	})
	token.Header["kid"] = t.newest.ID
	return token.SignedString(t.newest.secret)
}

var (
	errInvalid = fault.New(fault.Unauthenticated, "invalid_token", "The token is not valid. Sign in again.")
	errExpired = fault.New(fault.Unauthenticated, "token_expired", "The token has expired. Sign in again or use the refresh token.")
)

// Verify checks a token; see account.Tokens.
func (t *Tokens) Verify(token string, now time.Time) (account.Claims, error) {
	if len(token) > maxToken {
		return account.Claims{}, errInvalid
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{algorithm.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(skew), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	var c claims
	_, err := parser.ParseWithClaims(token, &c, func(token *jwt.Token) (any, error) {
		id, _ := token.Header["kid"].(string)
		secret, ok := t.byID[id]
		if !ok {
			return nil, errors.New("no such key")
		}
		return secret, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && onlyExpired(err):
		return account.Claims{}, errExpired.Because(err)
	case err != nil:
		return account.Claims{}, errInvalid.Because(err)
	}
	userID, err := strconv.ParseInt(c.Subject, 10, 64)
	if err != nil || userID <= 0 || c.Session == "" || c.IssuedAt == nil {
		return account.Claims{}, errInvalid
	}
	return account.Claims{UserID: userID, Session: c.Session, Issued: c.IssuedAt.UTC(), Expires: c.ExpiresAt.UTC()}, nil
}

// onlyExpired tells whether nothing else is wrong with the token: the library checks the claims all together.
func onlyExpired(err error) bool {
	for _, other := range []error{jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenUsedBeforeIssued,
		jwt.ErrTokenNotValidYet} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}

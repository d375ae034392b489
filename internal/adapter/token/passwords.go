package token

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

// params are the parameters of Argon2id.
type params struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// recommended are the parameters of new hashes: the least that OWASP recommends, about 20 ms on one core of 2024.
var recommended = params{memory: 19 * 1024, time: 2, threads: 1}

const (
	saltSize = 16
	hashSize = 32

	// Limits of the parameters in a stored hash. A hash that somebody smuggled in cannot use up the machine.
	maxMemory  = 256 * 1024 // KiB
	maxTime    = 16
	maxThreads = 16
	maxCost    = 15 // of bcrypt: about 2 s

	// waitingPerSlot is how many calls may wait for each core, about a second. One more is Busy.
	waitingPerSlot = 32
)

// Passwords implements account.Passwords. It makes Argon2id hashes in PHC form, $argon2id$v=19$m=19456,t=2,p=1$salt$hash. It also
// verifies bcrypt hashes ($2a$, $2b$, $2y$), and reports them as outdated. Safe for concurrent use.
type Passwords struct {
	params  params        // of new hashes
	slots   chan struct{} // holds one for each call at work
	waiting chan struct{} // holds one for each call at work or waiting
}

var _ account.Passwords = (*Passwords)(nil)

// NewPasswords returns Passwords that work on as many passwords at once as there are cores. Each takes 19 MiB.
func NewPasswords() *Passwords { return newPasswords(recommended) }

func newPasswords(p params) *Passwords {
	n := runtime.GOMAXPROCS(0)
	return &Passwords{params: p, slots: make(chan struct{}, n), waiting: make(chan struct{}, n*(1+waitingPerSlot))}
}

// acquire waits for a slot, or returns Busy.
func (p *Passwords) acquire(ctx context.Context) (release func(), err error) {
	select {
	case p.waiting <- struct{}{}:
	default:
		return nil, fault.New(fault.Busy, "too_many_sign_ins", "Too many sign-ins at the moment.").After(time.Second)
	}
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots; <-p.waiting }, nil
	case <-ctx.Done():
		<-p.waiting
		return nil, ctx.Err()
	}
}

// Hash hashes a password; see account.Passwords.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	release, err := p.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	h := phc{params: p.params, salt: make([]byte, saltSize)}
	rand.Read(h.salt)
	h.hash = h.derive(password, hashSize)
	return h.String(), nil
}

// Verify checks a password; see account.Passwords.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	release, err := p.acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	if strings.HasPrefix(hash, "$2") {
		if cost, err := bcrypt.Cost([]byte(hash)); err == nil && cost <= maxCost {
			ok := verifyBcrypt(hash, password)
			return ok, ok, nil
		}
	}
	h, err := parsePHC(hash)
	if err != nil { // hash all the same: the time of an answer must not show who has an account
		nobody := phc{params: p.params, salt: make([]byte, saltSize)}
		nobody.derive(password, hashSize)
		return false, false, nil
	}
	ok = subtle.ConstantTimeCompare(h.hash, h.derive(password, len(h.hash))) == 1
	return ok, ok && (h.params != p.params || len(h.salt) != saltSize || len(h.hash) != hashSize), nil
}

// verifyBcrypt tries the password as typed and in Unicode normal forms C and D, since other programs may not have normalised it.
func verifyBcrypt(hash, password string) bool {
	forms := []string{password, norm.NFC.String(password), norm.NFD.String(password)}
	slices.Sort(forms)
	for _, form := range slices.Compact(forms) {
		if bcrypt.CompareHashAndPassword([]byte(hash), []byte(form)) == nil {
			return true
		}
	}
	return false
}

// phc is a stored Argon2id hash.
type phc struct {
	params
	salt, hash []byte
}

// derive hashes the password in Unicode normal form C.
func (h phc) derive(password string, size int) []byte {
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), h.salt, h.time, h.memory, h.threads, uint32(size))
}

var b64 = base64.RawStdEncoding.Strict()

// String returns the PHC form.
func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads, b64.EncodeToString(h.salt),
		b64.EncodeToString(h.hash))
}

// parsePHC reads the PHC form of an Argon2id hash. It refuses parameters beyond the limits.
func parsePHC(s string) (h phc, err error) {
	part := strings.Split(s, "$")
	if len(s) > 512 || len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, fmt.Errorf("not an Argon2id hash of version %d", argon2.Version)
	}
	numbers := strings.Split(part[3], ",")
	if len(numbers) != 3 {
		return phc{}, fmt.Errorf("parameters %q", part[3])
	}
	var n [3]uint64
	for i, limit := range []struct {
		prefix string
		most   uint64
	}{{"m=", maxMemory}, {"t=", maxTime}, {"p=", maxThreads}} {
		text, ok := strings.CutPrefix(numbers[i], limit.prefix)
		if n[i], err = strconv.ParseUint(text, 10, 32); !ok || err != nil || n[i] < 1 || n[i] > limit.most ||
			strconv.FormatUint(n[i], 10) != text {
			return phc{}, fmt.Errorf("parameter %q: %s1 to %s%d is allowed", numbers[i], limit.prefix, limit.prefix, limit.most)
		}
	}
	h.params = params{memory: uint32(n[0]), time: uint32(n[1]), threads: uint8(n[2])}
	if h.salt, err = b64.DecodeString(part[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return phc{}, fmt.Errorf("the salt must have 8 to 64 bytes")
	}
	if h.hash, err = b64.DecodeString(part[5]); err != nil || len(h.hash) < 16 || len(h.hash) > 64 {
		return phc{}, fmt.Errorf("the hash must have 16 to 64 bytes")
	}
	return h, nil
}

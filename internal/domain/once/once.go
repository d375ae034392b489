// Package once has a request take effect once, however often it is sent. The client names it by a key, and who sends the same key again
// gets the first answer again.
//
// A key is claimed before anything is made, and what is made is noted in its row by the very step that makes it. The last one completes the
// key. An answer is made anew from what is noted. Who holds a key prolongs the claim; where that ends, as in a crash, the same request may
// take it over, and what was noted until then is not made again.
package once

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/sweep"
)

// Times of keys and claims.
const (
	Keep      = 24 * time.Hour   // for which a key is kept
	LeaseTime = 15 * time.Second // after which the key of a node that vanished may be taken over
	heartbeat = LeaseTime / 4
	look      = 100 * time.Millisecond // how often who waits for another one with the same key looks
	patience  = 5 * time.Second        // of giving a key back
)

// MaxName is the most characters of a key.
const MaxName = 255

// Field is how a key is called where it is at fault.
const Field = "Idempotency-Key"

// Effect is something that a request has made, or why it has not, by which its answer is made anew.
type Effect struct {
	Image    int64    `json:"image,omitempty"`    // 0: none
	Page     int      `json:"page,omitempty"`     // of the image; 0: not told
	Version  int      `json:"version,omitempty"`  // of the image; 0: none
	Contents []string `json:"contents,omitempty"` // that were read, in their order
	Job      string   `json:"job,omitempty"`
	Code     string   `json:"code,omitempty"` // why there is no version; empty: there is one, or none was to be
	Detail   string   `json:"detail,omitempty"`
}

// Claim is the right to make what a request with a key asks for. The zero one is that of a request without a key: nothing is noted of it.
// Stores note an Effect in the step that makes it, and that completes the key, unless it is but a part.
type Claim struct {
	ID   string   // of the key
	By   string   // names the holder
	Part bool     // whether more is to come
	Made []Effect // parts that were made before, by a holder who vanished
}

// Note is an effect that a store is to note in the step that makes it.
type Note struct {
	Claim
	Effect
}

// Note returns what is to be noted of an effect.
func (c Claim) Note(e Effect) Note { return Note{c, e} }

// Key is a key as it is stored.
type Key struct {
	ID      string // of the user and the name together
	User    int64
	Request string // a digest of all that is compared
	HeldBy  string // names who makes it
	Until   time.Time
	Created time.Time
	Done    bool // whether all is made
	Made    []Effect
}

// The faults of keys.
var (
	ErrOther = fault.New(fault.Conflict, "idempotency_key_used", "The key was sent with another request before.").
			On(Field, "another key, or the same request again")
	ErrLost = fault.New(fault.Conflict, "idempotency_key_lost", "The same request is carried out elsewhere by now.")
	ErrGone = fault.New(fault.Conflict, "idempotency_result_gone", "What this request made was deleted since.").
		On(Field, "another key, to make it again")
)

// Keys keeps keys. Safe for concurrent use, by several nodes. Times are kept in UTC to the microsecond.
//
// Stores of what requests make note effects of a claim: ErrLost where the claim is not there any more, and then nothing is made. They are
// those of the same database.
type Keys interface {
	// Begin stores a key, unless it is there, and returns it as it is then. One that is there becomes k where it is older than Keep. It
	// gets HeldBy and Until of k where it is not done, its Until is before k.Created, and its Request is that of k.
	Begin(ctx context.Context, k Key) (Key, error)

	// Known tells whether a key is there that was made after that time.
	Known(ctx context.Context, id string, after time.Time) (bool, error)

	// Extend prolongs a claim. ErrLost.
	Extend(ctx context.Context, c Claim, until time.Time) error

	// Complete notes more effects, none or some, and that these are all. ErrLost.
	Complete(ctx context.Context, c Claim, more []Effect) error

	// Release ends a claim of a key that is not done: the key is removed where nothing is noted, and else may be taken over at once. It is
	// no error where the claim is not there any more.
	Release(ctx context.Context, c Claim) error

	// Old goes through the IDs of keys that were made before that time, as document.Blobs does.
	Old(ctx context.Context, before time.Time) iter.Seq2[string, error]

	// Remove removes those of the keys that were made before that time.
	Remove(ctx context.Context, ids []string, before time.Time) error
}

// OldKind is the keys that are kept no longer, for a sweeper to remove.
func OldKind(keys Keys, now func() time.Time) sweep.Kind {
	return sweep.Kind{Name: "idempotency keys", Age: Keep, Old: keys.Old, Delete: func(ctx context.Context, ids []string) error {
		return keys.Remove(ctx, ids, now().Add(-Keep)) // one may be in use anew meanwhile
	}}
}

// Service has requests take effect once. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Keys Keys
	Now  func() time.Time
}

// Request is a request with a key.
type Request struct {
	User   int64
	Name   string // the key, as the client sent it: 1–255 characters, no control characters
	Digest string // of all that is compared but the user
	Parts  bool   // whether it makes several things, each in a step of its own
}

// CheckName returns what is wrong with a key. Invalid.
func CheckName(name string) error {
	n := utf8.RuneCountInString(name)
	if n >= 1 && n <= MaxName && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl) {
		return nil
	}
	return fault.InvalidFields(fault.Field{Field: Field,
		Detail: fmt.Sprintf("1 to %d characters in UTF-8, no control characters", MaxName)})
}

func idOf(user int64, name string) string {
	id := sha256.Sum256(fmt.Appendf(nil, "%d %s", user, name))
	return hex.EncodeToString(id[:])
}

// Known tells whether a user has sent a request with that key, so that another one may have to be answered as that was.
func (s *Service) Known(ctx context.Context, user int64, name string) (bool, error) {
	return s.Keys.Known(ctx, idOf(user, name), s.Now().Add(-Keep))
}

// Do calls do with a claim, unless the same request was done before: then it returns what that made, and done is false. Of requests with
// the same key at once one is done, and the others wait for it. What do makes is made with the claim; of a request in parts it returns what
// is to be noted besides. Where it fails the key is free again, but what was noted by then is in the next claim. Invalid for the key;
// ErrOther; ErrLost where another node took the claim over.
func (s *Service) Do(ctx context.Context, r Request, do func(context.Context, Claim) ([]Effect, error)) (done bool, _ []Effect, _ error) {
	if err := CheckName(r.Name); err != nil {
		return false, nil, err
	}
	by := strings.ToLower(rand.Text())
	for {
		now := s.Now().UTC().Truncate(time.Microsecond)
		k, err := s.Keys.Begin(ctx, Key{ID: idOf(r.User, r.Name), User: r.User, Request: r.Digest, HeldBy: by,
			Until: now.Add(LeaseTime), Created: now})
		switch {
		case err != nil:
			return false, nil, err
		case k.Request != r.Digest:
			return false, nil, ErrOther
		case k.Done:
			return false, k.Made, nil
		case k.HeldBy == by:
			return true, nil, s.hold(ctx, Claim{ID: k.ID, By: by, Part: r.Parts, Made: k.Made}, do)
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return false, nil, ctx.Err()
		}
	}
}

// hold calls do while it prolongs the claim.
func (s *Service) hold(ctx context.Context, c Claim, do func(context.Context, Claim) ([]Effect, error)) error {
	working, stop := context.WithCancelCause(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		s.beat(working, stop, c)
	}()
	rest, err := do(working, c)
	if err == nil && c.Part {
		err = s.Keys.Complete(working, c, rest)
	}
	stop(nil)
	<-beating
	if err == nil {
		return nil
	}
	if lost := context.Cause(working); errors.Is(lost, ErrLost) {
		return ErrLost.Because(err)
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_ = s.Keys.Release(limited, c) // where that fails it lapses
	return err
}

// beat prolongs a claim until the context ends. Where it is lost it calls stop.
func (s *Service) beat(ctx context.Context, stop context.CancelCauseFunc, c Claim) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if err := s.Keys.Extend(ctx, c, s.Now().Add(LeaseTime)); errors.Is(err, ErrLost) {
			stop(ErrLost)
			return
		} // after any other failure it is tried again before the claim lapses
	}
}

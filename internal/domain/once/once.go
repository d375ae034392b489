// Package once makes a request take effect once, however often it is sent. The client gives it a key; a repetition with the same key
// gets the answer of the first request.
//
// A key is claimed before anything is made. The step that makes something records it in the key's row, and the last such step completes
// the key. Answers are built from what is recorded. The holder of a key extends its claim; when the claim expires, as after a crash,
// the same request may take it over, and does not repeat what was recorded until then.
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
	look      = 100 * time.Millisecond // how often a request looks that waits for another one with the same key
	patience  = 5 * time.Second        // of giving a key back
)

// MaxName is the maximum number of characters of a key.
const MaxName = 255

// Field is the name of the key as an invalid field.
const Field = "Idempotency-Key"

// Effect is what a request has made, or why it failed; its answer is built from it.
type Effect struct {
	Image    int64    `json:"image,omitempty"`    // 0: none
	Page     int      `json:"page,omitempty"`     // of the image; 0: not told
	Version  int      `json:"version,omitempty"`  // of the image; 0: none
	Contents []string `json:"contents,omitempty"` // that were read, in their order
	Job      string   `json:"job,omitempty"`
	Code     string   `json:"code,omitempty"` // why there is no version; empty: there is one, or none was to be
	Detail   string   `json:"detail,omitempty"`
}

// Claim is the right to carry out a request with a key. The zero Claim is that of a request without a key: nothing is recorded. Stores
// record an Effect in the step that makes it, which completes the key, unless it is only a part.
type Claim struct {
	ID   string   // of the key
	By   string   // names the holder
	Part bool     // whether more is to come
	Made []Effect // parts that were made before, by a holder who vanished
}

// Note is an effect that a store records in the step that makes it.
type Note struct {
	Claim
	Effect
}

// Note returns the record of an effect.
func (c Claim) Note(e Effect) Note { return Note{c, e} }

// Key is a stored key.
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
	ErrGone = fault.New(fault.Conflict, "idempotency_result_gone", "The result of this request was deleted.").
		On(Field, "another key, to make it again")
)

// Keys keeps keys. Safe for concurrent use, by several nodes. Times are kept in UTC to the microsecond.
//
// Stores of the same database record effects of a claim. If the claim no longer exists they return ErrLost and make nothing.
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

// OldKind is the kind of expired keys, for a sweeper to remove.
func OldKind(keys Keys, now func() time.Time) sweep.Kind {
	return sweep.Kind{Name: "idempotency keys", Age: Keep, Old: keys.Old, Delete: func(ctx context.Context, ids []string) error {
		return keys.Remove(ctx, ids, now().Add(-Keep)) // one may be in use anew meanwhile
	}}
}

// Service makes requests take effect once. Its fields are set once, before first use; then it is safe for concurrent use.
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

// CheckName returns Invalid if a key is not valid.
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

// Known tells whether a user has already sent a request with that key, so that a repetition may have to get the same answer.
func (s *Service) Known(ctx context.Context, user int64, name string) (bool, error) {
	return s.Keys.Known(ctx, idOf(user, name), s.Now().Add(-Keep))
}

// Do calls do with a claim, unless the same request was carried out before; then it returns the recorded result, and done is false. Of
// concurrent requests with the same key one is carried out, and the others wait for it. do makes everything with the claim; for a
// request in parts it returns what to record in addition. If do fails, the key is free again, but the next claim has what was recorded
// until then. Invalid for the key; ErrOther; ErrLost if another node took over the claim.
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

// hold calls do while it extends the claim.
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

// beat extends a claim until the context ends. If it is lost, it calls stop.
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

// Package fault classifies the failures of operations.
//
// Every error that the domain returns on purpose is a *Fault. It has a Kind, which each protocol maps to its own statuses in one table,
// a stable Code for programs, a Text that anybody may see, and the invalid fields of the input. Any other error counts as Internal, and
// its text is not shown to users.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is the kind of a failure.
type Kind uint8

// The kinds of failure. The zero value is Internal, so that a forgotten kind never shows its text.
const (
	Internal        Kind = iota // a defect or an unknown failure; its text is not for the public
	Malformed                   // the request cannot be understood
	Invalid                     // the request is understood, but breaks a rule
	Unauthenticated             // nobody, or nobody known, is asking
	Forbidden                   // known, but not allowed
	NotFound                    // not there, or not yours
	Conflict                    // taken, or changed meanwhile
	Stale                       // the precondition named by the caller does not hold
	TooLarge                    // over a limit of size
	Unsupported                 // bytes of a kind that is not read here
	TooMany                     // asked too often
	Busy                        // no capacity at the moment
	Unavailable                 // something that is needed is away
	Deadline                    // not done in time
	Canceled                    // the caller went away
	Full                        // over what may be stored
)

var kindNames = [...]string{
	"internal", "malformed", "invalid", "unauthenticated", "forbidden", "not_found", "conflict", "stale",
	"too_large", "unsupported", "too_many", "busy", "unavailable", "deadline", "canceled", "full",
}

// String returns the name of the kind in snake_case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Field is one input that breaks a rule.
type Field struct {
	Field  string `json:"field"`  // where it stands, as the caller wrote it: "email", "regions[3].x2"
	Detail string `json:"detail"` // what is allowed
}

// Failure says why a part of something could not be done: a page, a region, an item of a job.
type Failure struct {
	Code   string `json:"code"`   // stable and for programs
	Detail string `json:"detail"` // a sentence, for people
}

// Fault is a failure that may be shown to the caller. It is immutable once returned.
type Fault struct {
	Kind       Kind
	Code       string        // stable and for programs, snake_case: "name_taken"
	Text       string        // for people; safe to show unless the kind is Internal
	Fields     []Field       // the inputs at fault; empty where it is none of them
	RetryAfter time.Duration // when asking again may help; 0 where nothing is known
	Limit      *Limit        // of a user, that would be exceeded; nil where it is about none
	Cause      error         // what is behind it; for logs only
}

// Limit is a limit of a user that would have been exceeded.
type Limit struct {
	Name    string // as the limits of users are called in the API
	Allowed int64
	Used    int64
	Asked   int64 // more than that
}

// New returns a fault. It formats the text like fmt.Sprintf.
func New(kind Kind, code, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Code: code, Text: fmt.Sprintf(format, args...)}
}

// InvalidFields returns the fault for invalid input, or nil if no field is given.
func InvalidFields(fields ...Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Fault{Kind: Invalid, Code: "invalid_input", Text: "The input is invalid.", Fields: fields}
}

// Because returns a copy of the fault with its cause.
func (f *Fault) Because(cause error) *Fault {
	c := *f
	c.Cause = cause
	return &c
}

// On returns a copy of the fault that names another invalid field.
func (f *Fault) On(field, detail string) *Fault {
	c := *f
	c.Fields = append(append([]Field(nil), f.Fields...), Field{Field: field, Detail: detail})
	return &c
}

// After returns a copy of the fault that says when to try again.
func (f *Fault) After(d time.Duration) *Fault {
	c := *f
	c.RetryAfter = d
	return &c
}

// Error returns the code, the text and the cause.
func (f *Fault) Error() string {
	if f.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", f.Code, f.Text, f.Cause)
	}
	return f.Code + ": " + f.Text
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// KindOf returns the kind of the outermost fault in the chain of err. Errors of a context are Deadline and Canceled; any other error,
// and nil, is Internal.
func KindOf(err error) Kind {
	if err == nil {
		return Internal
	}
	return Of(err).Kind
}

// Of returns the outermost fault in the chain of err, or makes one if there is none. It returns nil for nil.
func Of(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return New(Deadline, "deadline_exceeded", "The operation timed out.").Because(err)
	case errors.Is(err, context.Canceled):
		return New(Canceled, "canceled", "The caller cancelled the request.").Because(err)
	}
	return New(Internal, "internal", "Something went wrong here.").Because(err)
}

// Refused tells whether a write was refused, so that nothing was written. After any other failure something may have been written.
func Refused(err error) bool {
	switch KindOf(err) {
	case Invalid, NotFound, Forbidden, Conflict, Stale, TooMany, Full:
		return true
	}
	return false
}

// Is tells whether err is a fault of that kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

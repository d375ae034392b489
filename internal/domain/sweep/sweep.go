// Package sweep removes orphans: bytes and contents that an operation interrupted between two stores has left and no row refers to.
//
// Rows are written after what they refer to, and removed before it. So a new blob or content is referred to soon or never, and one that
// is no longer referred to never is again. Old ones without a row are therefore orphans and can be removed without a lock: several
// nodes may sweep at once, while others store and delete.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"glyphbox/internal/domain/fault"
)

const (
	// MinAge is how old something has to be at least to be swept.
	MinAge = time.Hour

	// NameWithin is how soon a row names what was put, if any ever does. The rest of MinAge is for nodes whose clocks differ.
	NameWithin = MinAge / 2
)

// TooLate tells whether it is too late to add a row that refers to what was stored at since. It uses the wall clock, since the
// monotonic clock stops while a machine sleeps.
func TooLate(since, now time.Time) bool { return now.Round(0).Sub(since.Round(0)) > NameWithin }

// Kind is a kind of objects that one store keeps under names and rows of another one refer to.
type Kind struct {
	Name string                                                               // of the things, in the plural
	Old  func(ctx context.Context, before time.Time) iter.Seq2[string, error] // document.Blobs and recognition.Contents say what it does
	// which of the names rows name; nil: all that is old is left over, however much
	Named  func(ctx context.Context, names []string) (named []string, err error)
	Delete func(ctx context.Context, names []string) error // those that are not there are no error
	// how old something has to be where that is more than Options.Age
	Age time.Duration
}

// Options say how to sweep.
type Options struct {
	Age    time.Duration           // how old something has to be, at least MinAge
	DryRun bool                    // nothing is removed
	Force  bool                    // also where more is left over than what is named
	Found  func(kind, name string) // is called for each thing that is left over, before it is removed; may be nil
}

// Tally is the result of a sweep for one kind.
type Tally struct {
	Kind    string
	Old     int // things of that age
	Left    int // those of them that no row names
	Removed int
}

// Sweeper sweeps. Its fields are set once, before first use; then it is safe for concurrent use.
type Sweeper struct {
	Kinds []Kind
	Now   func() time.Time
}

// Sweep removes the orphans of each kind and returns a tally for each, whatever fails. If a store cannot answer, it removes no more of
// that kind. If there are more than a few orphans, and more than are in use, this is most likely the wrong database: unless forced,
// Sweep then removes nothing and returns Conflict. Invalid for the age.
func (s *Sweeper) Sweep(ctx context.Context, o Options) ([]Tally, error) {
	if o.Age < MinAge {
		return nil, fault.InvalidFields(fault.Field{Field: "age",
			Detail: fmt.Sprintf("at least %s, since what is younger may be on its way to be named", MinAge)})
	}
	tallies := make([]Tally, len(s.Kinds))
	var errs []error
	for i, k := range s.Kinds {
		t, err := k.sweep(ctx, s.Now().Add(-max(o.Age, k.Age)), o)
		tallies[i] = t
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", k.Name, err))
		}
	}
	return tallies, errors.Join(errs...)
}

// few is how many things may be left over even if more are left over than are named.
const few = 20

// sweep counts first; most of the time there is nothing else to do.
func (k Kind) sweep(ctx context.Context, before time.Time, o Options) (Tally, error) {
	t := Tally{Kind: k.Name}
	for b, err := range k.batches(ctx, before) {
		if err != nil {
			return t, err
		}
		t.Old += b.old
		t.Left += len(b.left)
		if o.DryRun {
			o.found(k.Name, b.left)
		}
	}
	if k.Named != nil && t.Left > few && t.Left > t.Old-t.Left && !o.Force {
		return t, fault.New(fault.Conflict, "too_much_left_over",
			"Of %d %s no row names %d. Perhaps this is not the database that belongs to them; "+
				"if it is, it takes force to remove so many.", t.Old, k.Name, t.Left)
	}
	if t.Left == 0 || o.DryRun {
		return t, nil
	}
	for b, err := range k.batches(ctx, before) {
		if err != nil {
			return t, err
		}
		if len(b.left) == 0 {
			continue
		}
		o.found(k.Name, b.left)
		if err := k.Delete(ctx, b.left); err != nil {
			return t, err
		}
		t.Removed += len(b.left)
	}
	return t, nil
}

func (o Options) found(kind string, names []string) {
	if o.Found == nil {
		return
	}
	for _, name := range names {
		o.Found(kind, name)
	}
}

// atOnce is for how many names rows are asked.
const atOnce = 500

// batch is a part of what is old.
type batch struct {
	old  int
	left []string // the names that no row names
}

// batches goes through everything that is old. It ends with an error if a store cannot answer.
func (k Kind) batches(ctx context.Context, before time.Time) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		names := make([]string, 0, atOnce)
		for name, err := range k.Old(ctx, before) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			if names = append(names, name); len(names) < atOnce {
				continue
			}
			if b, err := k.ask(ctx, names); !yield(b, err) || err != nil {
				return
			}
			names = names[:0]
		}
		if len(names) > 0 {
			yield(k.ask(ctx, names))
		}
	}
}

// ask finds those of the names that no row names.
func (k Kind) ask(ctx context.Context, names []string) (batch, error) {
	if k.Named == nil {
		return batch{old: len(names), left: slices.Clone(names)}, nil
	}
	named, err := k.Named(ctx, names)
	if err != nil {
		return batch{}, err
	}
	is := make(map[string]bool, len(named))
	for _, name := range named {
		is[name] = true
	}
	b := batch{old: len(names)}
	for _, name := range names {
		if !is[name] {
			b.left = append(b.left, name)
		}
	}
	return b, nil
}

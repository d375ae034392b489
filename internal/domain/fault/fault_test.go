package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"glyphbox/internal/domain/fault"

	"github.com/google/go-cmp/cmp"
)

func TestKindOf(t *testing.T) {
	busy := fault.New(fault.Busy, "busy", "Full.")
	for _, c := range []struct {
		err  error
		want fault.Kind
	}{
		{nil, fault.Internal},
		{io.EOF, fault.Internal},
		{busy, fault.Busy},
		{fmt.Errorf("while testing: %w", busy), fault.Busy},
		{errors.Join(io.EOF, busy), fault.Busy},
		{fault.New(fault.Stale, "stale", "Old.").Because(busy), fault.Stale},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), fault.Deadline},
		{context.Canceled, fault.Canceled},
		{busy.Because(context.Canceled), fault.Busy},
	} {
		if c.err != nil {
			if got := fault.KindOf(c.err); got != c.want {
				t.Errorf("KindOf(%v): got %v, want %v", c.err, got, c.want)
			}
		}
		if got := fault.Is(c.err, c.want); got != (c.err != nil) {
			t.Errorf("Is(%v, %v): got %v", c.err, c.want, got)
		}
	}
}

func TestOfHidesWhatIsNoFault(t *testing.T) {
	secret := errors.New("password of the database is 1234")
	got := fault.Of(secret)
	if got.Kind != fault.Internal || got.Text == secret.Error() || !errors.Is(got, secret) {
		t.Errorf("got %+v, want an internal fault with another text and the error behind it", got)
	}
	if got := fault.Of(nil); got != nil {
		t.Errorf("got %v of no error, want nil", got)
	}
}

func TestCopiesLeaveTheFault(t *testing.T) {
	base := fault.New(fault.Conflict, "taken", "The %s is taken.", "name").On("name", "another one")
	first, second := base.On("a", "1"), base.On("b", "2")
	base.Because(io.EOF)
	base.After(time.Second)
	if base.Cause != nil || base.RetryAfter != 0 || base.Text != "The name is taken." {
		t.Errorf("got %+v, want the fault as it was", base)
	}
	if d := cmp.Diff([]fault.Field{{Field: "name", Detail: "another one"}, {Field: "a", Detail: "1"}}, first.Fields); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]fault.Field{{Field: "name", Detail: "another one"}, {Field: "b", Detail: "2"}}, second.Fields); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
}

func TestInvalidFields(t *testing.T) {
	if err := fault.InvalidFields(); err != nil {
		t.Errorf("got %v of no field, want nil", err)
	}
	if err := fault.InvalidFields(fault.Field{Field: "x"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want an invalid input", err)
	}
}

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Internal; k <= fault.Full; k++ {
		seen[k.String()] = true
	}
	if len(seen) != int(fault.Full)+1 || seen["kind(0)"] {
		t.Errorf("got the names %v, want one of each kind", seen)
	}
	if got, want := (fault.Full + 1).String(), "kind(16)"; got != want {
		t.Errorf("got %q for a kind that is not, want %q", got, want)
	}
}

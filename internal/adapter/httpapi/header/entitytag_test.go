package header

import (
	"slices"
	"testing"

	"glyphbox/internal/domain/fault"
)

func TestWantedRevisions(t *testing.T) {
	tests := []struct {
		header string
		want   []int
		kind   fault.Kind
	}{
		{"", nil, 0}, {"*", nil, 0}, {`"3"`, []int{3}, 0}, {` "12" `, []int{12}, 0}, {`"3-90", "4-270"`, []int{3, 4}, 0},
		{`"1", "2"`, []int{1, 2}, 0}, {`"1",W/"2" ,"x",, "3"`, []int{1, 3}, 0},
		{`W/"3"`, nil, fault.Stale}, {`"abc"`, nil, fault.Stale}, {`"0"`, nil, fault.Stale}, {`"-1"`, nil, fault.Stale},
		{`"3-"`, nil, fault.Stale}, {`"3-0"`, nil, fault.Stale}, {`"3-x"`, nil, fault.Stale}, {`"03"`, nil, fault.Stale},
		{`""`, nil, fault.Stale}, {`"99999999999999999999"`, nil, fault.Stale}, {`"a,b"`, nil, fault.Stale},
		{`"x", W/"1"`, nil, fault.Stale},
		{`3`, nil, fault.Malformed}, {`"3`, nil, fault.Malformed}, {`"`, nil, fault.Malformed}, {`W/`, nil, fault.Malformed},
		{`"1" "2"`, nil, fault.Malformed},
		{`"1", 2`, nil, fault.Malformed}, {`*, "1"`, nil, fault.Malformed},
	}
	for _, test := range tests {
		got, err := WantedRevisions(test.header)
		if test.kind == 0 && err != nil || test.kind != 0 && !fault.Is(err, test.kind) || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %d and %v, want %d and %v", test.header, got, err, test.want, test.kind)
		}
	}
}

func TestMatchesTag(t *testing.T) {
	for header, want := range map[string]bool{`"3"`: true, `W/"3"`: true, `*`: true, `"1", "3"`: true, `"1","2"`: false, ``: false,
		`3`: false} {
		if got := MatchesTag(header, `"3"`); got != want {
			t.Errorf("%s: got %v, want %v", header, got, want)
		}
	}
}

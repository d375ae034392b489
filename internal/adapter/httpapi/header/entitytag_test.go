package header

import (
	"net/http"
	"slices"
	"testing"

	"glyphbox/internal/domain/fault"
)

func TestConditions(t *testing.T) {
	is := func(n int) func(string) bool { return func(tag string) bool { return RevisionOf(tag) == n } }
	tests := []struct {
		match, noneMatch string
		want             []int // of the revisions from 1 to 4
	}{
		{"", "", []int{1, 2, 3, 4}}, {"*", "", []int{1, 2, 3, 4}}, {`"3"`, "", []int{3}}, {`"3-90", "4-270"`, "", []int{3, 4}},
		{`"1", "2"`, "", []int{1, 2}}, {`"1",W/"2" ,"x",, "3"`, "", []int{1, 3}},
		{`W/"3"`, "", nil}, {`"abc"`, "", nil}, {`"0"`, "", nil}, {`"-1"`, "", nil}, {`"3-"`, "", nil}, {`"3-0"`, "", nil},
		{`"3-x"`, "", nil}, {`"03"`, "", nil}, {`""`, "", nil}, {`"99999999999999999999"`, "", nil}, {`"a,b"`, "", nil},
		{`"x", W/"1"`, "", nil},
		{"", "*", nil}, {"", `"1", W/"2"`, []int{3, 4}}, {"", `"x"`, []int{1, 2, 3, 4}}, {`"1","2"`, `"2"`, []int{1}},
	}
	for _, test := range tests {
		c, err := ReadConditions(http.Header{"If-Match": {test.match}, "If-None-Match": {test.noneMatch}})
		var got []int
		for n := 1; n <= 4; n++ {
			if c.Hold(is(n)) {
				got = append(got, n)
			}
		}
		if err != nil || !slices.Equal(got, test.want) || c.None() != (len(test.want) == 4 && test.noneMatch == "") {
			t.Errorf("%s %s: got %d, %v and %v, want %d", test.match, test.noneMatch, got, c.None(), err, test.want)
		}
	}
	for _, match := range []string{`3`, `"3`, `"`, `W/`, `"1" "2"`, `"1", 2`, `*, "1"`} {
		if _, err := ReadConditions(http.Header{"If-Match": {match}}); !fault.Is(err, fault.Malformed) {
			t.Errorf("%s: got %v", match, err)
		}
	}
	if c, err := ReadConditions(http.Header{"If-Match": {`"1"`, `"2"`}}); err != nil || !c.Hold(is(2)) {
		t.Errorf("two headers: got %v and %v", c, err)
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

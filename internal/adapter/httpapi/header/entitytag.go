package header

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"glyphbox/internal/domain/fault"
)

// RevisionTag returns the entity tag of a revision of a content whose text is turned by that many degrees. Turning the page changes its
// boxes, and so the tag.
func RevisionTag(revision, rotation int) string {
	if rotation == 0 {
		return fmt.Sprintf(`"%d"`, revision)
	}
	return fmt.Sprintf(`"%d-%d"`, revision, rotation)
}

// MatchesTag tells whether a header If-None-Match contains the tag, by weak comparison as in RFC 9110.
func MatchesTag(header, tag string) bool {
	return matches(header, func(t string) bool { return t == tag })
}

func matches(header string, is func(tag string) bool) bool {
	return slices.ContainsFunc(splitQuoted(header, ','), func(part string) bool {
		return part == "*" || is(strings.TrimPrefix(part, "W/"))
	})
}

// Conditions are the headers If-Match and If-None-Match of a request that changes something.
type Conditions struct {
	matchAny  bool     // there is no If-Match, or it is *
	match     []string // the strong tags of If-Match
	noneMatch string
}

// ReadConditions parses the conditions of a request. Malformed if If-Match is neither a list of tags nor *.
func ReadConditions(h http.Header) (Conditions, error) {
	wanted := strings.TrimSpace(strings.Join(h.Values("If-Match"), ","))
	c := Conditions{matchAny: wanted == "" || wanted == "*", noneMatch: strings.Join(h.Values("If-None-Match"), ",")}
	if c.matchAny {
		return c, nil
	}
	for _, part := range splitQuoted(wanted, ',') {
		tag, weak := strings.CutPrefix(part, "W/")
		inner, opened := strings.CutPrefix(tag, `"`)
		inner, closed := strings.CutSuffix(inner, `"`)
		if part == "" {
			continue // an empty element of a list is none
		}
		if !opened || !closed || strings.ContainsAny(inner, `" `) {
			return Conditions{}, fault.New(fault.Malformed, "malformed_if_match",
				`If-Match must be * or entity tags such as "3", separated by commas.`)
		}
		if !weak { // a weak tag never matches where something is changed
			c.match = append(c.match, tag)
		}
	}
	return c, nil
}

// None tells whether there are no conditions.
func (c Conditions) None() bool { return c.matchAny && c.noneMatch == "" }

// Hold tells whether the current state may be changed. is tells whether a tag is that of the current state.
func (c Conditions) Hold(is func(tag string) bool) bool {
	return (c.matchAny || slices.ContainsFunc(c.match, is)) && !matches(c.noneMatch, is)
}

// RevisionOf returns the revision of a tag, or 0 for a tag that RevisionTag does not return.
func RevisionOf(tag string) int {
	number, rotation, _ := strings.Cut(strings.Trim(tag, `"`), "-")
	n, _ := strconv.Atoi(number)
	degrees, _ := strconv.Atoi(rotation)
	if n < 1 || tag != RevisionTag(n, degrees) {
		return 0
	}
	return n
}

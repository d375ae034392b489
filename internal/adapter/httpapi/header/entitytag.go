package header

import (
	"fmt"
	"strconv"
	"strings"

	"glyphbox/internal/domain/fault"
)

// RevisionTag is the entity tag of a revision of a content whose text is turned by that many degrees. When its page is turned, its boxes
// are others, and so is the tag.
func RevisionTag(revision, rotation int) string {
	if rotation == 0 {
		return fmt.Sprintf(`"%d"`, revision)
	}
	return fmt.Sprintf(`"%d-%d"`, revision, rotation)
}

// MatchesTag tells whether a header If-None-Match names the tag, compared weakly as RFC 9110 wants for it.
func MatchesTag(header, tag string) bool {
	for _, part := range splitQuoted(header, ',') {
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}

// WantedRevisions reads a header If-Match: the revisions that it names, none for any. Tags of ours are strong, so a weak one or one
// that we never gave cannot match: where there is no other the fault is Stale. What is no list of tags, nor *, is Malformed.
func WantedRevisions(header string) (wanted []int, err error) {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return nil, nil
	}
	for _, part := range splitQuoted(header, ',') {
		tag, weak := strings.CutPrefix(part, "W/")
		inner, opened := strings.CutPrefix(tag, `"`)
		inner, closed := strings.CutSuffix(inner, `"`)
		if part == "" {
			continue // an empty element of a list is none
		}
		if !opened || !closed || strings.ContainsAny(inner, `" `) {
			return nil, fault.New(fault.Malformed, "malformed_if_match",
				`If-Match must be * or entity tags such as "3", separated by commas.`)
		}
		number, rotation, _ := strings.Cut(inner, "-")
		n, _ := strconv.Atoi(number)
		degrees, _ := strconv.Atoi(rotation)
		if !weak && n > 0 && part == RevisionTag(n, degrees) {
			wanted = append(wanted, n)
		}
	}
	if len(wanted) == 0 {
		return nil, ErrNoSuchRevision
	}
	return wanted, nil
}

// ErrNoSuchRevision is the fault where none of the revisions is the current one.
var ErrNoSuchRevision = fault.New(fault.Stale, "changed_meanwhile", "The content has no such revision.")

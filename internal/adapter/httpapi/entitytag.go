package httpapi

import (
	"strconv"
	"strings"

	"glyphbox/internal/domain/fault"
)

// revisionTag is the entity tag of a revision of a content.
func revisionTag(revision int) string { return `"` + strconv.Itoa(revision) + `"` }

// matchesTag tells whether a header If-None-Match names the tag, compared weakly as RFC 9110 wants for it.
func matchesTag(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}

// wantedRevision reads a header If-Match: 0 for any revision. Tags of ours are strong, so a weak one or one that we never gave
// cannot match: Stale. Anything but one tag or * is Malformed.
func wantedRevision(header string) (int, error) {
	header = strings.TrimSpace(header)
	if header == "" || header == "*" {
		return 0, nil
	}
	tag, weak := strings.CutPrefix(header, "W/")
	inner, opened := strings.CutPrefix(tag, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !opened || !closed || strings.ContainsAny(inner, "\", ") {
		return 0, fault.New(fault.Malformed, "malformed_if_match", `If-Match must be * or one entity tag such as "3".`)
	}
	n, err := strconv.Atoi(inner)
	if weak || err != nil || n < 1 || strconv.Itoa(n) != inner {
		return 0, fault.New(fault.Stale, "changed_meanwhile", "The content has no such revision.")
	}
	return n, nil
}

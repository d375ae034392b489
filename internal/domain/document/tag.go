package document

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/label"
)

// Limits of tags.
const (
	MaxTags = 50 // of one document
	MaxTag  = 50 // characters of one
)

// Tag is a tag with the number of documents that have it.
type Tag struct {
	Name      string // as one of the documents has it
	Documents int    // that have it
}

// FoldTag returns the form in which tags are compared, which ignores letter case.
func FoldTag(tag string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, tag)
}

// cleanTag removes invisible characters, and leaves one space between words.
func cleanTag(tag string) string { return strings.Join(strings.Fields(label.Clean(tag)), " ") }

func checkTag(tag string) bool {
	n := utf8.RuneCountInString(tag)
	return n >= 1 && n <= MaxTag && utf8.ValidString(tag) && !strings.ContainsFunc(tag, unicode.IsControl) &&
		strings.ContainsFunc(tag, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsMark(r) })
}

// cleanTags returns tags without invisible characters, and what is wrong with them.
func cleanTags(tags []string) (clean []string, wrong []fault.Field) {
	if len(tags) > MaxTags {
		return nil, []fault.Field{{Field: "tags", Detail: fmt.Sprintf("at most %d tags", MaxTags)}}
	}
	at := map[string]int{}
	for n, tag := range tags {
		tag = cleanTag(tag)
		field := fault.Field{Field: fmt.Sprintf("tags[%d]", n)}
		first, twice := at[FoldTag(tag)]
		switch {
		case !checkTag(tag):
			field.Detail = fmt.Sprintf("1 to %d characters, no control characters", MaxTag)
		case twice:
			field.Detail = fmt.Sprintf("each tag once, whatever the letter case; this is tags[%d], too", first)
		default:
			at[FoldTag(tag)] = n
			clean = append(clean, tag)
			continue
		}
		wrong = append(wrong, field)
	}
	return clean, wrong
}

// Tags returns the tags of documents that the actor may see, selected by Whose as in List, in the order of their folded forms, and
// their total number. The query's Keyword is a part of the tag. Forbidden as with List.
func (s *Service) Tags(ctx context.Context, actor account.Actor, q Query) ([]Tag, int, error) {
	if err := q.pick(actor); err != nil {
		return nil, 0, err
	}
	q.Keyword = FoldTag(cleanTag(q.Keyword))
	return s.Catalog.Tags(ctx, q)
}

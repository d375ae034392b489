package endpoint

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"glyphbox/internal/domain/fault"
)

// PageQuery selects a part of a list.
type PageQuery struct {
	Size int `query:"size" default:"10" minimum:"1" maximum:"100" doc:"Number of entries on a page."`
	Page int `query:"page" default:"0" minimum:"0" maximum:"100000000" doc:"Number of the page, from 0."`
}

// links are the header Link of a list of that many entries.
func (q PageQuery) links(c *Call, total int) string {
	var links []string
	if (q.Page+1)*q.Size < total {
		links = append(links, c.Link("next", "page", q.Page+1))
	}
	if q.Page > 0 {
		links = append(links, c.Link("prev", "page", q.Page-1))
	}
	return strings.Join(links, ", ")
}

// Link returns a link to the same list with one parameter changed.
func (c *Call) Link(rel, name string, value any) string {
	query := c.r.URL.Query()
	query.Set(name, fmt.Sprint(value))
	return fmt.Sprintf("<%s%s?%s>; rel=%q", c.set.BasePath, c.r.URL.EscapedPath(), query.Encode(), rel)
}

// Keyword is the text to search for in a list.
type Keyword string

// Text returns the keyword if it is valid text. Invalid.
func (k Keyword) Text() (string, error) {
	if !utf8.ValidString(string(k)) || strings.ContainsRune(string(k), 0) {
		return "", fault.InvalidFields(fault.Field{Field: "keyword", Detail: "text in UTF-8 without the character U+0000"})
	}
	return string(k), nil
}

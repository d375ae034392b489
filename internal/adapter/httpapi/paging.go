package httpapi

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"glyphbox/internal/domain/fault"
)

// Keyword is what is looked for in a list.
type Keyword string

func (k Keyword) text() (string, error) {
	if !utf8.ValidString(string(k)) || strings.ContainsRune(string(k), 0) {
		return "", fault.InvalidFields(fault.Field{Field: "keyword", Detail: "text in UTF-8"})
	}
	return string(k), nil
}

// links are the header Link of a list that is paged by number.
func (q PageQuery) links(c *call, total int) string {
	var links []string
	if (q.Page+1)*q.Size < total {
		links = append(links, c.link("next", "page", int64(q.Page)+1))
	}
	if q.Page > 0 {
		links = append(links, c.link("prev", "page", int64(q.Page)-1))
	}
	return strings.Join(links, ", ")
}

// link leads to the same list with one parameter changed.
func (c *call) link(rel, name string, value int64) string {
	return c.linkTo(rel, name, strconv.FormatInt(value, 10))
}

func (c *call) linkTo(rel, name, value string) string {
	query := c.r.URL.Query()
	query.Set(name, value)
	return fmt.Sprintf("<%s%s?%s>; rel=%q", c.base, c.r.URL.EscapedPath(), query.Encode(), rel)
}

package endpoint

import "github.com/danielgtaylor/huma/v2"

// None means no parameters or no answer.
type None struct{}

// One is an answer with one object or a whole list.
type One[T any] struct{ Body T }

// Answer returns an answer with an object or a whole list.
func Answer[T any](v T) *One[T] { return &One[T]{v} }

// List is a part of a list of known length.
type List[T any] struct {
	Total int    `header:"X-Total-Count" doc:"Number of entries in the whole list."`
	Link  string `header:"Link" doc:"rel next and prev, if there are such pages."`
	Body  []T
}

// AnswerList returns the part that q selects of a list with that many entries.
func AnswerList[T any](c *Call, q PageQuery, total int, entries []T) *List[T] {
	return &List[T]{total, q.links(c, total), entries}
}

// Part is a part of a list of unknown length.
type Part[T any] struct {
	Link string `header:"Link" doc:"rel next if there are more entries."`
	Body []T
}

// Secret is an answer that must not be cached. Nothing below Base may be cached unless the answer says so, but this one forbids it
// explicitly.
type Secret[T any] struct {
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         T
}

// AnswerSecret returns an answer that must not be cached.
func AnswerSecret[T any](v T) *Secret[T] { return &Secret[T]{"no-store", v} }

// Stream is an answer that is not JSON. huma recognises it by the name and the type of its field.
type Stream struct{ Body func(huma.Context) }

// Written returns an answer that write writes itself.
func Written(write func()) *Stream { return &Stream{func(huma.Context) { write() }} }

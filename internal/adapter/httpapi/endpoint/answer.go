package endpoint

import "github.com/danielgtaylor/huma/v2"

// None is no parameters, or no answer.
type None struct{}

// One is an answer that is one thing, or a whole list.
type One[T any] struct{ Body T }

// Answer answers with a thing, which may be a whole list.
func Answer[T any](v T) *One[T] { return &One[T]{v} }

// List is a part of a list of which the length is known.
type List[T any] struct {
	Total int    `header:"X-Total-Count" doc:"Number of entries in the whole list."`
	Link  string `header:"Link" doc:"rel next and prev, if there are such pages."`
	Body  []T
}

// AnswerList answers with the part of a list of that many entries that q picks.
func AnswerList[T any](c *Call, q PageQuery, total int, entries []T) *List[T] {
	return &List[T]{total, q.links(c, total), entries}
}

// Part is a part of a list of which the length is not known.
type Part[T any] struct {
	Link string `header:"Link" doc:"rel next if there are more entries."`
	Body []T
}

// Secret is an answer that nobody may keep. Nothing below Base may be kept unless it says so, but this one says it.
type Secret[T any] struct {
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         T
}

// AnswerSecret answers with a thing that nobody may keep.
func AnswerSecret[T any](v T) *Secret[T] { return &Secret[T]{"no-store", v} }

// Stream is an answer that is not JSON. huma knows it by the name and type of its field.
type Stream struct{ Body func(huma.Context) }

// Written makes an answer that write writes itself.
func Written(write func()) *Stream { return &Stream{func(huma.Context) { write() }} }

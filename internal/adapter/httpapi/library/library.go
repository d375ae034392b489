// Package library has the operations of the API on shares and tags of documents. Package httpapi has their routes.
package library

import (
	"context"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/wire"

	"golang.org/x/text/unicode/norm"
)

// Handlers are the operations. Its field is set once.
type Handlers struct{ Images *document.Service }

// Path names an image.
type Path struct {
	ID int64 `path:"id" minimum:"1" example:"42"`
}

// Shared returns the users with whom a document is shared by name.
func (h Handlers) Shared(ctx context.Context, c *endpoint.Call, in *Path) (*endpoint.One[client.Share], error) {
	i, err := h.Images.Image(ctx, c.Actor(), in.ID)
	return endpoint.Answer(client.Share{Users: wire.Names(i.Readers)}), err
}

// Share shares a document by name.
func (h Handlers) Share(ctx context.Context, c *endpoint.Call, in *Path, form client.Share) (*endpoint.One[client.Share], error) {
	if form.Users == nil { // which is not the same as an empty list
		return nil, fault.InvalidFields(fault.Field{Field: "users", Detail: "a list of names; [] to share with nobody by name"})
	}
	i, err := h.Images.Share(ctx, c.Actor(), in.ID, form.Users)
	return endpoint.Answer(client.Share{Users: wire.Names(i.Readers)}), err
}

// NFC returns texts in normal form NFC.
func NFC(texts []string) []string { return wire.All(texts, norm.NFC.String) }

// Tags returns the new tags of a document; nil if they stay unchanged.
func Tags(form client.ImageForm) *[]string {
	if form.Tags == nil {
		return nil
	}
	return new(NFC(*form.Tags))
}

// Tags lists the tags in use.
func (h Handlers) Tags(ctx context.Context, c *endpoint.Call, in *struct {
	endpoint.PageQuery
	Keyword endpoint.Keyword `query:"keyword" maxLength:"200" doc:"A part of the tag, in any letter case."`
	Owner   string           `query:"owner" enum:"me,others,all" doc:"Whose documents to count, as in the list of documents. Missing: all that you may see."`
}) (*endpoint.List[client.Tag], error) {
	keyword, err := in.Keyword.Text()
	if err != nil {
		return nil, err
	}
	tags, total, err := h.Images.Tags(ctx, c.Actor(), document.Query{Keyword: norm.NFC.String(keyword), Whose: document.Whose(in.Owner),
		Size: in.Size, Page: in.Page})
	if err != nil {
		return nil, err
	}
	return endpoint.AnswerList(c, in.PageQuery, total, wire.All(tags, func(t document.Tag) client.Tag {
		return client.Tag{Name: t.Name, Documents: t.Documents}
	})), nil
}

package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/header"
	"glyphbox/internal/adapter/httpapi/library"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

func (a *api) images(ctx context.Context, c *endpoint.Call, in *struct {
	endpoint.PageQuery
	Keyword  endpoint.Keyword `query:"keyword" maxLength:"200" doc:"A part of the name of the document or of its owner, in any letter case."`
	Before   int64            `query:"before" minimum:"1" doc:"Only documents after the one with this id in the order of the list. Use it to page while documents are added."`
	Sort     string           `query:"sort" enum:"newest,oldest,name" doc:"The order: newest first, oldest first, or by name, ignoring letter case and with numbers by value. Missing: newest."`
	Document int64            `query:"document" minimum:"1" doc:"The images of all pages of this document, in order. Not with keyword, before, sort and tag."`
	Tag      []string         `query:"tag,explode" maxItems:"50" nullable:"false" doc:"Only documents with this tag, in any letter case. Several: with all of them."`
	Owner    string           `query:"owner" enum:"me,others,all" doc:"me: only your own images. others: images that others share with you or with everybody. all: images of everybody, for administrators. Missing: all that you may see."`
}) (*endpoint.List[client.Image], error) {
	keyword, err := in.Keyword.Text()
	if err != nil {
		return nil, err
	}
	if in.Document != 0 {
		return a.pagesOf(ctx, c, in.PageQuery, in.Document, keyword != "" || in.Before != 0 || in.Sort != "" || len(in.Tag) > 0)
	}
	query := document.Query{Keyword: keyword, Size: in.Size, Page: in.Page, Before: in.Before, Whose: document.Whose(in.Owner),
		Order: document.Order(in.Sort), Tags: library.NFC(in.Tag)}
	if in.Sort == "newest" {
		query.Order = document.Newest
	}
	if in.Before != 0 && in.Page == 0 {
		query.Size++ // to see whether there is a next list
	}
	images, total, err := a.Images.List(ctx, c.Actor(), query)
	if err != nil {
		return nil, err
	}
	out, err := a.listImages(ctx, c, in.PageQuery, total, images, true)
	if err != nil {
		return nil, err
	}
	if in.Before != 0 {
		out.Link = ""
	}
	if len(images) > in.Size {
		out.Body = out.Body[:in.Size]
		out.Link = c.Link("next", "before", images[in.Size-1].ID)
	}
	return out, nil
}

// pagesOf lists the pages of a document.
func (a *api) pagesOf(ctx context.Context, c *endpoint.Call, in endpoint.PageQuery, documentID int64, more bool) (
	*endpoint.List[client.Image], error) {
	if more {
		return nil, fault.InvalidFields(fault.Field{Field: "document", Detail: "without keyword, before, sort and tag"})
	}
	pages, total, err := a.Images.Pages(ctx, c.Actor(), documentID, in.Page*in.Size+1, in.Size)
	if err != nil {
		return nil, err
	}
	return a.listImages(ctx, c, in, total, pages, false)
}

// listImages answers with images and how much of each has been read; whole: of the document that it stands for.
func (a *api) listImages(ctx context.Context, c *endpoint.Call, in endpoint.PageQuery, total int, images []document.Image, whole bool) (
	*endpoint.List[client.Image], error) {
	read, proofread, err := a.Recognition.Progress(ctx, images, whole)
	if err != nil {
		return nil, err
	}
	return endpoint.AnswerList(c, in, total, wire.All(images, func(i document.Image) client.Image {
		v, n := viewImage(i), read[i.ID]
		v.Read = &n
		if p, counted := proofread[i.ID]; counted {
			v.Regions, v.Confirmed, v.Doubtful = &p.Regions, &p.Confirmed, &p.Doubtful
		}
		return v
	})), nil
}

func (a *api) image(ctx context.Context, c *endpoint.Call, in *IDPath) (*endpoint.One[client.Image], error) {
	i, err := a.Images.Image(ctx, c.Actor(), in.ID)
	return endpoint.Answer(viewImage(i)), err
}

// ImageToChange names an image to change, with conditions on the entity tag of its file.
type ImageToChange struct {
	IDPath
	IfMatch     string `header:"If-Match" doc:"Entity tags of the file, as GET /image/{id} returns them. If none of them matches the image, the answer is 412."`
	IfNoneMatch string `header:"If-None-Match" doc:"If one of these entity tags matches the image, or if it is *, the answer is 412."`
}

// ifFile reads the conditions of a request, which are on the file of an image: that never changes.
func ifFile(c *endpoint.Call) (document.ImageCondition, error) {
	conditions, err := header.ReadConditions(c.Request().Header)
	return func(i document.Image) bool {
		return conditions.Hold(func(tag string) bool { return tag == endpoint.File{Tag: i.SHA256}.QuotedTag() })
	}, err
}

func (a *api) changeImage(ctx context.Context, c *endpoint.Call, in *ImageToChange, form client.ImageForm) (
	*endpoint.One[client.Image], error) {
	condition, err := ifFile(c)
	if err != nil {
		return nil, err
	}
	i, err := a.Images.Change(ctx, c.Actor(), in.ID, document.Change{Name: form.Name, Visibility: (*document.Visibility)(form.Visibility),
		Tags: library.Tags(form), Rotation: form.Rotation, Password: form.Password, If: condition})
	return endpoint.Answer(viewImage(i)), err
}

func (a *api) deleteImage(ctx context.Context, c *endpoint.Call, in *ImageToChange) (*endpoint.None, error) {
	condition, err := ifFile(c)
	if err != nil {
		return nil, err
	}
	return nil, a.Images.Delete(ctx, c.Actor(), in.ID, condition)
}

func (a *api) original(ctx context.Context, c *endpoint.Call, in *IDPath) (*endpoint.Stream, error) {
	i, blob, err := a.Images.Original(ctx, c.Actor(), in.ID)
	if err != nil {
		return nil, err
	}
	return c.Serve(blob, endpoint.File{MediaType: i.MediaType, Tag: i.SHA256, Name: i.Name, Modified: i.Created,
		Cache: "private, no-cache"}), nil
}

func (a *api) thumbnail(ctx context.Context, c *endpoint.Call, in *IDPath) (*endpoint.Stream, error) {
	i, blob, err := a.Images.Thumbnail(ctx, c.Actor(), in.ID)
	if err != nil {
		return nil, err
	}
	mediaType, err := sniff(blob)
	if err != nil {
		_ = blob.Close()
		return nil, err
	}
	return c.Serve(blob, endpoint.File{MediaType: mediaType, Tag: fmt.Sprintf("%s-%d-t%d", i.SHA256, i.Number, i.Rotation),
		Cache: "private, no-cache"}), nil
}

// sniff finds the media type of a rendition, which no row has.
func sniff(r io.ReadSeeker) (string, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	switch found := http.DetectContentType(head[:n]); found {
	case "image/png", "image/jpeg":
		return found, nil
	}
	return "application/octet-stream", nil
}

func (a *api) view(ctx context.Context, c *endpoint.Call, in *struct {
	IDPath
	Width int `query:"width" default:"1600" minimum:"16" maximum:"8192" doc:"The maximum width in pixels. The image is never enlarged."`
	X1    int `query:"x1" doc:"Left edge of the part to show, inclusive. Missing: that of the page."`
	Y1    int `query:"y1" doc:"Top edge, inclusive. Missing: that of the page."`
	X2    int `query:"x2" doc:"Right edge, exclusive. Missing: that of the page."`
	Y2    int `query:"y2" doc:"Bottom edge, exclusive. Missing: that of the page."`
}) (*endpoint.Stream, error) {
	i, err := a.Images.Image(ctx, c.Actor(), in.ID)
	if err != nil {
		return nil, err
	}
	part, given := document.Box{X1: in.X1, Y1: in.Y1, X2: in.X2, Y2: in.Y2}, c.Request().URL.Query()
	if !given.Has("x2") {
		part.X2 = i.Width
	}
	if !given.Has("y2") {
		part.Y2 = i.Height
	}
	f := endpoint.File{Cache: "private, no-cache",
		Tag: fmt.Sprintf("%s-%d-%d-%d-%d-%d-%d-%d", i.SHA256, i.Number, i.Rotation, in.Width, part.X1, part.Y1, part.X2, part.Y2)}
	if header.MatchesTag(c.Request().Header.Get("If-None-Match"), f.QuotedTag()) { // before the work, not after it
		return c.Serve(held{bytes.NewReader(nil)}, f), nil
	}
	rendition, err := a.Images.View(ctx, c.Actor(), in.ID, part, in.Width)
	if err != nil {
		return nil, err
	}
	f.MediaType = rendition.MediaType
	return c.Serve(held{bytes.NewReader(rendition.Bytes)}, f), nil
}

func (a *api) crop(ctx context.Context, c *endpoint.Call, in *struct {
	IDPath
	X1      int      `query:"x1" required:"true" example:"34" doc:"Left edge, inclusive."`
	Y1      int      `query:"y1" required:"true" example:"100" doc:"Top edge, inclusive."`
	X2      int      `query:"x2" required:"true" example:"322" doc:"Right edge, exclusive."`
	Y2      int      `query:"y2" required:"true" example:"144" doc:"Bottom edge, exclusive."`
	Lang    []string `query:"lang,explode" nullable:"false" doc:"Languages. Missing: eng."`
	PSM     string   `query:"psm" default:"auto" doc:"Page segmentation mode: 1, 3–13 or auto."`
	Rotate  string   `query:"rotate" default:"auto" enum:"auto,0,90,180,270" doc:"Clockwise rotation of the text on the page, in degrees."`
	Charset string   `query:"charset" maxLength:"1000" doc:"The only characters that may be read."`
}) (*endpoint.Stream, error) {
	psm, lang, err := readModes(in.PSM, in.Lang)
	if err != nil {
		return nil, err
	}
	rendition, err := a.Recognition.Prepared(ctx, c.Actor(), in.ID,
		recognition.Region{Box: document.Box{X1: in.X1, Y1: in.Y1, X2: in.X2, Y2: in.Y2}, Lang: lang, Shape: psm,
			Rotate: recognition.Rotate(in.Rotate), Charset: in.Charset})
	if err != nil {
		return nil, err
	}
	return c.Serve(held{bytes.NewReader(rendition.Bytes)}, endpoint.File{MediaType: rendition.MediaType, Cache: "no-store"}), nil
}

func (a *api) layout(ctx context.Context, c *endpoint.Call, in *struct {
	IDPath
	Level string `query:"level" default:"line" enum:"block,line,word" doc:"The size of the regions."`
}) (*endpoint.One[[]client.Suggestion], error) {
	suggestions, err := a.Recognition.Layout(ctx, c.Actor(), in.ID, recognition.Level(in.Level))
	return endpoint.Answer(wire.All(suggestions, wire.Suggestion)), err
}

// held is bytes that need no closing, as something to be closed.
type held struct{ io.ReadSeeker }

func (held) Close() error { return nil }

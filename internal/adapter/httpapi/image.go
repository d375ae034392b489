package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/header"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

func (a *api) images(ctx context.Context, c *call, in *struct {
	PageQuery
	Keyword  Keyword `query:"keyword" maxLength:"200" doc:"A part of the name of the document or of its owner, in any letter case."`
	Before   int64   `query:"before" minimum:"1" doc:"Only documents older than the one with this id. Use it to page while documents are added."`
	Document int64   `query:"document" minimum:"1" doc:"The images of all pages of this document, in order. Not with keyword and before."`
	Owner    string  `query:"owner" enum:"me,all" doc:"me: only your own images. all: those of everybody, for administrators. Missing: all that you may see."`
}) (*list[client.Image], error) {
	keyword, err := in.Keyword.text()
	if err != nil {
		return nil, err
	}
	if in.Document != 0 {
		return a.pagesOf(ctx, c, in.PageQuery, in.Document, keyword != "" || in.Before != 0)
	}
	query := document.Query{Keyword: keyword, Size: in.Size, Page: in.Page, Before: in.Before, Whose: document.Whose(in.Owner)}
	if in.Before != 0 && in.Page == 0 {
		query.Size++ // to see whether there is a next list
	}
	images, total, err := a.Images.List(ctx, c.actor, query)
	if err != nil {
		return nil, err
	}
	links := in.links(c, total)
	if in.Before != 0 {
		links = ""
	}
	if len(images) > in.Size {
		images = images[:in.Size]
		links = c.link("next", "before", images[in.Size-1].ID)
	}
	return &list[client.Image]{total, links, wire.All(images, viewImage)}, nil
}

// pagesOf lists the pages of a document.
func (a *api) pagesOf(ctx context.Context, c *call, in PageQuery, documentID int64, more bool) (*list[client.Image], error) {
	if more {
		return nil, fault.InvalidFields(fault.Field{Field: "document", Detail: "without keyword and before"})
	}
	pages, total, err := a.Images.Pages(ctx, c.actor, documentID, in.Page*in.Size+1, in.Size)
	if err != nil {
		return nil, err
	}
	return &list[client.Image]{total, in.links(c, total), wire.All(pages, viewImage)}, nil
}

func (a *api) image(ctx context.Context, c *call, in *IDPath) (*one[client.Image], error) {
	i, err := a.Images.Image(ctx, c.actor, in.ID)
	return &one[client.Image]{viewImage(i)}, err
}

func (a *api) changeImage(ctx context.Context, c *call, in *IDPath, form client.ImageForm) (*one[client.Image], error) {
	i, err := a.Images.Change(ctx, c.actor, in.ID, document.Change{Name: form.Name, Visibility: (*document.Visibility)(form.Visibility),
		Rotation: form.Rotation, Password: form.Password})
	return &one[client.Image]{viewImage(i)}, err
}

func (a *api) deleteImage(ctx context.Context, c *call, in *IDPath) (*none, error) {
	return nil, a.Images.Delete(ctx, c.actor, in.ID)
}

func (a *api) original(ctx context.Context, c *call, in *IDPath) (*stream, error) {
	i, blob, err := a.Images.Original(ctx, c.actor, in.ID)
	if err != nil {
		return nil, err
	}
	return c.serve(blob, file{mediaType: i.MediaType, tag: i.SHA256, name: i.Name, modified: i.Created, cache: "private, no-cache"}), nil
}

func (a *api) thumbnail(ctx context.Context, c *call, in *IDPath) (*stream, error) {
	i, blob, err := a.Images.Thumbnail(ctx, c.actor, in.ID)
	if err != nil {
		return nil, err
	}
	mediaType, err := sniff(blob)
	if err != nil {
		_ = blob.Close()
		return nil, err
	}
	return c.serve(blob, file{mediaType: mediaType, tag: fmt.Sprintf("%s-%d-t%d", i.SHA256, i.Number, i.Rotation),
		cache: "private, no-cache"}), nil
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

func (a *api) view(ctx context.Context, c *call, in *struct {
	IDPath
	Width int `query:"width" default:"1600" minimum:"16" maximum:"8192" doc:"The maximum width in pixels. The image is never enlarged."`
	X1    int `query:"x1" doc:"Left edge of the part to show, inclusive. Missing: that of the page."`
	Y1    int `query:"y1" doc:"Top edge, inclusive. Missing: that of the page."`
	X2    int `query:"x2" doc:"Right edge, exclusive. Missing: that of the page."`
	Y2    int `query:"y2" doc:"Bottom edge, exclusive. Missing: that of the page."`
}) (*stream, error) {
	i, err := a.Images.Image(ctx, c.actor, in.ID)
	if err != nil {
		return nil, err
	}
	part, given := document.Box{X1: in.X1, Y1: in.Y1, X2: in.X2, Y2: in.Y2}, c.r.URL.Query()
	if !given.Has("x2") {
		part.X2 = i.Width
	}
	if !given.Has("y2") {
		part.Y2 = i.Height
	}
	f := file{tag: fmt.Sprintf("%s-%d-%d-%d-%d-%d-%d-%d", i.SHA256, i.Number, i.Rotation, in.Width, part.X1, part.Y1, part.X2, part.Y2),
		cache: "private, no-cache"}
	if header.MatchesTag(c.r.Header.Get("If-None-Match"), f.quotedTag()) { // before the work, not after it
		return c.serve(held{bytes.NewReader(nil)}, f), nil
	}
	rendition, err := a.Images.View(ctx, c.actor, in.ID, part, in.Width)
	if err != nil {
		return nil, err
	}
	f.mediaType = rendition.MediaType
	return c.serve(held{bytes.NewReader(rendition.Bytes)}, f), nil
}

func (a *api) crop(ctx context.Context, c *call, in *struct {
	IDPath
	X1      int      `query:"x1" required:"true" example:"34" doc:"Left edge, inclusive."`
	Y1      int      `query:"y1" required:"true" example:"100" doc:"Top edge, inclusive."`
	X2      int      `query:"x2" required:"true" example:"322" doc:"Right edge, exclusive."`
	Y2      int      `query:"y2" required:"true" example:"144" doc:"Bottom edge, exclusive."`
	Lang    []string `query:"lang,explode" nullable:"false" doc:"Languages. None: eng."`
	PSM     string   `query:"psm" default:"auto" doc:"Page segmentation mode: 1, 3–13 or auto."`
	Rotate  string   `query:"rotate" default:"auto" enum:"auto,0,90,180,270" doc:"How far the text is turned clockwise on the page, in degrees."`
	Charset string   `query:"charset" maxLength:"1000" doc:"The only characters that may be read."`
}) (*stream, error) {
	psm, lang, err := readModes(in.PSM, in.Lang)
	if err != nil {
		return nil, err
	}
	rendition, err := a.Recognition.Prepared(ctx, c.actor, in.ID,
		recognition.Region{Box: document.Box{X1: in.X1, Y1: in.Y1, X2: in.X2, Y2: in.Y2}, Lang: lang, Shape: psm,
			Rotate: recognition.Rotate(in.Rotate), Charset: in.Charset})
	if err != nil {
		return nil, err
	}
	return c.serve(held{bytes.NewReader(rendition.Bytes)}, file{mediaType: rendition.MediaType, cache: "no-store"}), nil
}

func (a *api) layout(ctx context.Context, c *call, in *struct {
	IDPath
	Level string `query:"level" default:"line" enum:"block,line,word" doc:"How large the regions are."`
}) (*one[[]client.Suggestion], error) {
	suggestions, err := a.Recognition.Layout(ctx, c.actor, in.ID, recognition.Level(in.Level))
	return &one[[]client.Suggestion]{wire.All(suggestions, wire.Suggestion)}, err
}

// held is bytes that need no closing, as something to be closed.
type held struct{ io.ReadSeeker }

func (held) Close() error { return nil }

// file says how bytes are served.
type file struct {
	mediaType string
	tag       string // entity tag, without quotes; empty: none
	name      string // for who saves it; empty: none
	modified  time.Time
	cache     string
}

func (f file) quotedTag() string { return `"` + f.tag + `"` }

// shown are the media types that browsers show and that cannot run anything.
var shown = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/bmp": true}

func (f file) disposition() string {
	kind := "attachment"
	if shown[f.mediaType] {
		kind = "inline"
	}
	if f.name == "" {
		return kind
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' || r == '/' {
			return '_'
		}
		return r
	}, f.name)
	return kind + `; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(f.name), "+", "%20")
}

// serve answers with bytes, all or a part of them or none, as the request's headers ask. It closes r.
func (c *call) serve(r io.ReadSeekCloser, f file) *stream {
	return streamed(func() {
		defer r.Close()
		h := c.w.Header()
		h.Set("Cache-Control", f.cache)
		h.Add("Vary", "Authorization") // what one user of a browser may keep is not the next one's
		if f.mediaType != "" {
			h.Set("Content-Disposition", f.disposition())
		}
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
		h.Set("Content-Type", "application/octet-stream")
		if mediaType, _, err := mime.ParseMediaType(f.mediaType); err == nil {
			h.Set("Content-Type", mediaType)
		}
		if f.tag != "" {
			h.Set("ETag", f.quotedTag())
		}
		if unit, _, _ := strings.Cut(c.r.Header.Get("Range"), "="); unit != "bytes" { // no range then (RFC 9110, 14.2)
			c.r.Header.Del("Range")
		}
		watched := &watchedReader{ReadSeeker: r}
		http.ServeContent(&problemWriter{responseWriter: c.w, call: c}, c.r, "", f.modified, watched)
		if watched.err != nil { // too late to tell the client otherwise than by breaking off, which net/http does
			c.code, c.cause = fault.Of(watched.err).Code, watched.err
		}
	})
}

// download answers with a file that is made while it is sent.
func (c *call) download(e recognition.Export) *stream {
	return streamed(func() {
		h := c.w.Header()
		h.Set("Content-Disposition", file{mediaType: e.MediaType, name: e.Name}.disposition())
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
		h.Set("Content-Type", e.MediaType)
		if e.Unencrypted {
			h.Set("Export-Unencrypted", "true")
		}
		err := e.Write(c.w)
		switch {
		case err == nil:
		case c.w.status == 0:
			c.send(c.fail(err))
		default: // too late to tell the client otherwise than by breaking off
			c.code, c.cause = fault.Of(err).Code, err
			panic(http.ErrAbortHandler)
		}
	})
}

// watchedReader remembers that reading failed, which http.ServeContent keeps to itself.
type watchedReader struct {
	io.ReadSeeker
	err error
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// problemWriter puts a problem in the place of net/http's own refusals.
type problemWriter struct {
	*responseWriter
	call    *call
	refused bool
}

func (w *problemWriter) WriteHeader(status int) {
	if status < 400 {
		w.responseWriter.WriteHeader(status)
		return
	}
	w.refused = true
	switch status {
	case http.StatusNotFound:
		w.call.noSuchPath()
	case http.StatusRequestedRangeNotSatisfiable:
		w.call.send(w.call.problem(status, "range_not_satisfiable", "The range lies outside the file."))
	case http.StatusPreconditionFailed:
		w.call.send(w.call.problem(status, "precondition_failed", "A precondition of the request does not hold."))
	default:
		w.call.send(w.call.problem(http.StatusInternalServerError, "internal", textInternal))
	}
}

func (w *problemWriter) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.responseWriter.Write(b)
}

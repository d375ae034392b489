package httpapi

import (
	"context"
	"fmt"
	"reflect"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/upload"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/wire"

	"github.com/danielgtaylor/huma/v2"
)

// uploaded is one image or, where several files were sent, a list of them.
type uploaded struct {
	Location string `header:"Location" doc:"The path of the image, if there is only one."`
	Body     uploadedImages
}

type uploadedImages []client.Image

// MarshalJSON encodes a single image without a list.
func (u uploadedImages) MarshalJSON() ([]byte, error) {
	if len(u) == 1 {
		return endpoint.Encode(u[0])
	}
	return endpoint.Encode([]client.Image(u))
}

// Schema says to huma that the answer is an image or a list.
func (uploadedImages) Schema(r huma.Registry) *huma.Schema {
	image := r.Schema(reflect.TypeFor[client.Image](), true, "")
	return &huma.Schema{OneOf: []*huma.Schema{image, {Type: huma.TypeArray, Items: image, Description: "If the request has several " +
		"files."}}}
}

func (a *api) upload(ctx context.Context, c *endpoint.Call, _ *OnceHeader) (*uploaded, error) {
	if !c.LimitBody() {
		return nil, fault.New(fault.Malformed, "body_missing", "A body with image files in the field file is required.")
	}
	limits := a.uploadLimits()
	var err error
	if limits.Room, err = a.roomOf(ctx, c); err != nil {
		return nil, err
	}
	files, password, err := upload.Take(c.Request(), limits)
	defer upload.Close(files)
	if err != nil {
		return nil, endpoint.BodyFault(err)
	}
	uploads, asked := make([]document.Upload, len(files)), make([][2]string, len(files))
	for n, f := range files {
		staged, drop := a.Staging.Stage(document.File{SHA256: f.SHA256, Size: f.Size, Password: password}, f.Open)
		defer drop()
		uploads[n], asked[n] = document.Upload{Name: f.Name, File: staged}, [2]string{f.Name, f.SHA256}
	}
	return doOnce(ctx, a, c, asked, !inParts, func(ctx context.Context, claim once.Claim) (*uploaded, []once.Effect, error) {
		images, err := a.Images.UploadAll(ctx, c.Actor(), uploads, claim)
		return answerUpload(c, images), nil, err
	}, func(ctx context.Context, made []once.Effect) (*uploaded, error) {
		images := make([]document.Image, len(made))
		for n, e := range made {
			if images[n], err = a.Images.Image(ctx, c.Actor(), e.Image); err != nil {
				return nil, err
			}
		}
		return answerUpload(c, images), nil
	})
}

// roomOf returns a function that refuses files while they come in. A request that was sent before is taken whole: it may have to be
// answered as it was then, whatever room is left, and only the whole request shows that it is the same.
func (a *api) roomOf(ctx context.Context, c *endpoint.Call) (func(files int, bytes int64) error, error) {
	room, err := a.Limits.Room(ctx, c.Actor().UserID)
	if key := c.Request().Header.Get(once.Field); err == nil && key != "" { // looked for later, since the limits do not know it
		var known bool
		if known, err = a.Once.Known(ctx, c.Actor().UserID, key); known {
			room = nil
		}
	}
	return room, err
}

// answerUpload answers with images that were uploaded.
func answerUpload(c *endpoint.Call, images []document.Image) *uploaded {
	out := &uploaded{Body: wire.All(images, viewImage)}
	if len(images) == 1 {
		out.Location = c.Outside(fmt.Sprintf("%s/image/%d", base, images[0].ID))
	}
	return out
}

func (a *api) uploadLimits() upload.Limits {
	return upload.Limits{Files: a.MaxFiles, Bytes: a.MaxUpload, Dir: a.SpoolDir}
}

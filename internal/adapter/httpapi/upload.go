package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/upload"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/wire"
)

// uploaded is one image or, where several files were sent, a list of them.
type uploaded struct {
	Location string `header:"Location" doc:"The path of the image, if it is one."`
	Body     uploadedImages
}

type uploadedImages []client.Image

// MarshalJSON writes one image as itself.
func (u uploadedImages) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if len(u) == 1 {
		err := writeJSON(&b, u[0])
		return b.Bytes(), err
	}
	err := writeJSON(&b, []client.Image(u))
	return b.Bytes(), err
}

func (a *api) upload(ctx context.Context, c *call, _ *none) (*uploaded, error) {
	if c.body == nil {
		return nil, fault.New(fault.Malformed, "body_missing", "A body is needed, with image files in its field file.")
	}
	c.r.Body = http.MaxBytesReader(c.raw, c.body, c.op.body.limit)
	files, password, err := upload.Take(c.r, a.uploadLimits())
	defer upload.Close(files)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || isTimeout(err) {
		err = bodyFault(err)
	}
	if err != nil {
		return nil, err
	}
	uploads := make([]document.Upload, len(files))
	for n, f := range files {
		staged, drop := a.Staging.Stage(document.File{SHA256: f.SHA256, Size: f.Size, Password: password}, f.Open)
		defer drop()
		uploads[n] = document.Upload{Name: f.Name, File: staged}
	}
	images, err := a.Images.UploadAll(ctx, c.actor, uploads)
	if err != nil {
		return nil, err
	}
	out := &uploaded{Body: wire.All(images, viewImage)}
	if len(images) == 1 {
		out.Location = fmt.Sprintf("%s%s/image/%d", c.base, base, images[0].ID)
	}
	return out, nil
}

func (a *api) uploadLimits() upload.Limits {
	return upload.Limits{Files: a.MaxFiles, Bytes: a.MaxUpload, Dir: a.SpoolDir}
}

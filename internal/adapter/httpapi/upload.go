package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"

	"glyphbox/client"
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
	files, err := a.spoolAll(c)
	defer closeAll(files)
	if err != nil {
		return nil, err
	}
	uploads := make([]document.Upload, len(files))
	for n, f := range files {
		staged, drop := a.Staging.Stage(document.File{SHA256: f.sha256, Size: f.size}, f.open)
		defer drop()
		uploads[n] = document.Upload{Name: f.name, File: staged}
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

// spooled is an uploaded file on its way. It has no name on disk, so that it goes with the process.
type spooled struct {
	name   string // as the client calls it
	disk   *os.File
	size   int64
	sha256 string
}

// open returns a reader with its own place in the file.
func (s *spooled) open(context.Context) (io.ReadCloser, error) {
	return held{io.NewSectionReader(s.disk, 0, s.size)}, nil
}

func closeAll(files []*spooled) {
	for _, f := range files {
		_ = f.disk.Close() // it was read, and goes away with this
	}
}

// slack is what a multipart body may have besides its files.
const slack = 1 << 20

// spoolAll takes in all files of a request before anything is made of one. It returns those that it has even on failure.
func (a *api) spoolAll(c *call) (files []*spooled, err error) {
	if c.body == nil {
		return nil, fault.New(fault.Malformed, "body_missing", "A body is needed, with image files in its field file.")
	}
	c.r.Body = http.MaxBytesReader(c.raw, c.body, c.op.body.limit)
	form, err := c.r.MultipartReader()
	switch {
	case errors.Is(err, http.ErrNotMultipart):
		return nil, fault.New(fault.Unsupported, "wrong_content_type", "The body must be multipart/form-data.")
	case err != nil:
		return nil, fault.New(fault.Malformed, "malformed_form", "The Content-Type names no boundary.").Because(err)
	}
	for {
		part, err := form.NextPart()
		if err == io.EOF { //nolint:errorlint // one that is wrapped is of a body that breaks off
			break
		}
		if err != nil {
			return files, formFault(err)
		}
		disposition := part.Header.Get("Content-Disposition")
		name := partName(disposition)
		switch {
		case name == "file":
		case isFile(disposition): // it would be lost without a word
			return files, fault.InvalidFields(fault.Field{Field: cleanName(strings.ToValidUTF8(name, "\uFFFD")), Detail: "image files are in the field file"})
		default:
			continue // NextPart reads over it
		}
		f, err := a.spool(part, len(files))
		if err != nil {
			return files, err
		}
		f.name = partFileName(disposition, c.r.Header.Get("Accept-Language"))
		if f.size == 0 && f.name == "" { // how a browser sends that no file was chosen
			closeAll([]*spooled{f})
			continue
		}
		files = append(files, f)
		if len(files) > a.MaxFiles {
			return files, fault.New(fault.TooLarge, "too_many_files", "There may be at most %d files in one request.", a.MaxFiles).
				On("file", fmt.Sprintf("at most %d", a.MaxFiles))
		}
	}
	if len(files) == 0 {
		return nil, fault.InvalidFields(fault.Field{Field: "file", Detail: "at least one image file"})
	}
	return files, nil
}

// spool takes in one file; n is its number in the request.
func (a *api) spool(part *multipart.Part, n int) (_ *spooled, err error) {
	disk, err := os.CreateTemp(a.SpoolDir, "upload-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = disk.Close() // the first error counts
		}
	}()
	if err := os.Remove(disk.Name()); err != nil {
		return nil, err
	}
	hash := sha256.New()
	from := &source{Reader: part}
	size, err := io.Copy(io.MultiWriter(disk, hash), io.LimitReader(from, a.MaxUpload+1))
	switch {
	case from.err != nil:
		return nil, formFault(from.err)
	case err != nil:
		return nil, err
	case size > a.MaxUpload:
		return nil, fault.New(fault.TooLarge, "file_too_large", "An image file may have at most %s.", sizeText(a.MaxUpload)).
			On(fmt.Sprintf("file[%d]", n), "at most "+sizeText(a.MaxUpload))
	}
	return &spooled{disk: disk, size: size, sha256: hex.EncodeToString(hash.Sum(nil))}, nil
}

// sizeText is a limit as people write it.
func sizeText(bytes int64) string {
	if bytes%1e6 == 0 {
		return fmt.Sprintf("%d MB", bytes/1e6)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// source tells a failure of the client's side from one of the disk's.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// formFault says what went wrong when a multipart body was read.
func formFault(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || isTimeout(err) {
		return bodyFault(err)
	}
	return fault.New(fault.Malformed, "malformed_form", "The body is not valid multipart/form-data, or was cut off.").Because(err)
}

// Package upload receives the files of a form and determines their names.
package upload

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/spool"
)

// File is an uploaded file that is not stored yet.
type File struct {
	*spool.File
	Name string // as the client calls it
}

// Close releases files.
func Close(files []*File) {
	for _, f := range files {
		_ = f.File.Close() // it was read, and goes away with this
	}
}

// Limits are the limits of the files of a request.
type Limits struct {
	Files int
	Bytes int64                              // of a file
	Dir   string                             // where files lie, without a name, until they are stored
	Room  func(files int, bytes int64) error // why no more may come where so much has; nil: there is room for all
}

// slack is what a multipart body may have besides its files, in bytes.
const slack = 1 << 20

// Body returns the maximum number of bytes of a body.
func (l Limits) Body() int64 { return int64(l.Files)*l.Bytes + slack }

// Take receives all files of a request, which are in its field file, before any of them is used, and the field password. It returns the
// received files even on failure. Malformed, with the error of the body's reader as the cause; Unsupported; Invalid; TooLarge; and what
// Room returns, as soon as that is known for all files together: from the length of the body, or from what has arrived.
func Take(r *http.Request, limits Limits) (files []*File, password string, err error) {
	form, err := r.MultipartReader()
	switch {
	case errors.Is(err, http.ErrNotMultipart):
		return nil, "", fault.New(fault.Unsupported, "wrong_content_type", "The body must be multipart/form-data.")
	case err != nil:
		return nil, "", fault.New(fault.Malformed, "malformed_form", "The Content-Type names no boundary.").Because(err)
	}
	if limits.Room == nil {
		limits.Room = func(int, int64) error { return nil }
	}
	sum := max(0, r.ContentLength-slack)
	if err := limits.Room(1, sum); err != nil {
		return nil, "", err
	}
	come := int64(0)
	for {
		part, err := form.NextPart()
		if err == io.EOF { //nolint:errorlint // one that is wrapped is of a body that breaks off
			break
		}
		if err != nil {
			return files, "", formFault(err)
		}
		disposition := part.Header.Get("Content-Disposition")
		name := partName(disposition)
		switch {
		case name == "file":
		case isFile(disposition): // it would be lost silently
			return files, "", fault.InvalidFields(fault.Field{Field: cleanName(strings.ToValidUTF8(name, "\uFFFD")),
				Detail: "send image files in the field file"})
		case name == "password":
			if password, err = text(part); err != nil {
				return files, "", err
			}
			continue
		default:
			return files, "", fault.InvalidFields(fault.Field{Field: cleanName(strings.ToValidUTF8(name, "\uFFFD")),
				Detail: "unknown; the fields are file and password"})
		}
		n := len(files)
		f, err := limits.take(part, n, func(size int64) error { return limits.Room(n+1, max(sum, come+size)) })
		if err != nil {
			return files, "", err
		}
		come += f.Size
		f.Name = partFileName(disposition, r.Header.Get("Accept-Language"))
		if f.Size == 0 && f.Name == "" { // how a browser sends that no file was chosen
			Close([]*File{f})
			continue
		}
		files = append(files, f)
		if len(files) > limits.Files {
			return files, "", fault.New(fault.TooLarge, "too_many_files", "There may be at most %d files in one request.", limits.Files).
				On("file", fmt.Sprintf("at most %d", limits.Files))
		}
	}
	if len(files) == 0 {
		return nil, "", fault.InvalidFields(fault.Field{Field: "file", Detail: "at least one image file"})
	}
	return files, password, nil
}

// maxText is the most bytes of a field that is not a file. A longer text is cut; it is too long for its purpose anyway.
const maxText = 4096

// text takes in a field that is no file.
func text(part io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(part, maxText))
	if err != nil {
		return "", formFault(err)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}

// take receives one file; n is its number in the request. room returns an error if no more may come after so many bytes.
func (l Limits) take(part *multipart.Part, n int, room func(size int64) error) (*File, error) {
	from := &source{Reader: part, room: room}
	f, err := spool.Take(l.Dir, from, l.Bytes+1)
	switch {
	case from.err != nil:
		return nil, from.err
	case err != nil:
		return nil, err
	case f.Size > l.Bytes:
		Close([]*File{{File: f}})
		return nil, fault.New(fault.TooLarge, "file_too_large", "An image file may have at most %s.", sizeText(l.Bytes)).
			On(fmt.Sprintf("file[%d]", n), "at most "+sizeText(l.Bytes))
	}
	return &File{File: f}, nil
}

// sizeText is a limit as people write it.
func sizeText(bytes int64) string {
	if bytes%1e6 == 0 {
		return fmt.Sprintf("%d MB", bytes/1e6)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// source tells failures of the client, and the lack of room, from failures of the disk.
type source struct {
	io.Reader
	room func(size int64) error
	size int64
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.size += int64(n); n > 0 {
		s.err = s.room(s.size)
	}
	if s.err == nil && err != nil && !errors.Is(err, io.EOF) {
		s.err = formFault(err)
	}
	return n, cmp.Or(s.err, err)
}

func formFault(err error) error {
	return fault.New(fault.Malformed, "malformed_form", "The body is not valid multipart/form-data, or is incomplete.").Because(err)
}

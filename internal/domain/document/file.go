package document

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"

	"glyphbox/internal/domain/fault"
)

// File identifies the bytes of an uploaded file. It is a plain value: as JSON it can be sent to another process and, once the file is
// stored, to another node.
type File struct {
	Blob      string `json:"blob,omitempty"`       // in Blobs; empty where the file is staged
	Staged    string `json:"staged,omitempty"`     // as Staging calls it; empty where the file is stored
	SHA256    string `json:"sha256"`               // of the bytes, hexadecimal
	MediaType string `json:"media_type,omitempty"` // found from the bytes; empty where they were not looked at
	Size      int64  `json:"size"`                 // bytes
	Password  string `json:"password,omitempty"`   // that opens an encrypted file; it goes to workers, and nowhere else
}

// Page is a page of a file. Like File, it is a plain value.
type Page struct {
	File   File `json:"file"`
	Number int  `json:"number"`          // 1, 2, 3 …
	Width  int  `json:"width,omitempty"` // pixels, upright and turned; 0 where the file was not looked at
	Height int  `json:"height,omitempty"`
	DPI    int  `json:"dpi,omitempty"` // as in Geometry

	Rotation int `json:"rotation,omitempty"` // one of Rotations: degrees that the upright page is turned clockwise
}

// Key identifies the page among those of all files. Pages with equal keys look the same, and a user who has one may see the others;
// pages of a file with a password are shared only with users who know the password.
func (p Page) Key() string {
	key := fmt.Sprintf("%s-%d-%d", p.File.SHA256, p.Number, p.Rotation)
	if p.File.Password != "" {
		key += fmt.Sprintf("-%x", sha256.Sum256([]byte(p.File.SHA256+p.File.Password)))
	}
	return key
}

// Files opens stored and staged files. Safe for concurrent use.
type Files interface {
	// Open returns the bytes of a file, to be closed by the caller, who may close early. Where it is an io.Seeker or an io.ReaderAt, no
	// more of the file is read for its header than is needed. NotFound; Unavailable.
	Open(ctx context.Context, f File) (io.ReadCloser, error)
}

// NewBlobName returns a name for a new blob: 128 random bits as 26 lower-case letters and digits.
func NewBlobName() string { return strings.ToLower(rand.Text()) }

// IsBlobName reports whether NewBlobName can have made a name. Stores use no other names, which may become paths.
func IsBlobName(name string) bool {
	return len(name) == 26 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// Staging is the Files of a process. It opens stored files from Blobs, and staged ones, which only the process that received them can
// open.
type Staging struct {
	Blobs Blobs // nil: no file is stored

	mu     sync.Mutex
	staged map[string]opener
}

type opener = func(context.Context) (io.ReadCloser, error)

var errFileNotFound = fault.New(fault.NotFound, "file_not_found", "There is no such file.")

// Stage makes a file available to Open until drop is called, and returns it with its name.
func (s *Staging) Stage(f File, open func(context.Context) (io.ReadCloser, error)) (staged File, drop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.staged == nil {
		s.staged = map[string]opener{}
	}
	f.Blob, f.Staged = "", rand.Text()
	s.staged[f.Staged] = open
	return f, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.staged, f.Staged)
	}
}

// Open implements Files.
func (s *Staging) Open(ctx context.Context, f File) (io.ReadCloser, error) {
	if f.Staged == "" && s.Blobs != nil {
		return s.Blobs.Open(ctx, f.Blob)
	}
	s.mu.Lock()
	open := s.staged[f.Staged]
	s.mu.Unlock()
	if open == nil {
		return nil, errFileNotFound
	}
	return open(ctx)
}

var _ Files = (*Staging)(nil)

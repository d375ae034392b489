// Package spool keeps copies of files in files without a name, which nobody else changes and which go with the process.
package spool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// File is a copy of a file. It is safe for concurrent use until it is closed.
type File struct {
	Size   int64  // bytes
	SHA256 string // hexadecimal
	disk   *os.File
}

// Take copies what r gives, at most that many bytes of it, to the file system of a folder. An error of r is returned as it is.
func Take(dir string, r io.Reader, most int64) (_ *File, err error) {
	disk, err := os.CreateTemp(dir, "spool-*")
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
	size, err := io.Copy(io.MultiWriter(disk, hash), io.LimitReader(r, most))
	if err != nil {
		return nil, err
	}
	return &File{Size: size, SHA256: hex.EncodeToString(hash.Sum(nil)), disk: disk}, nil
}

// Open returns a reader with its own place in the file. It can seek, so that no more of the file is read for its header than is needed.
func (f *File) Open(context.Context) (io.ReadCloser, error) { return reader{f.Reader()}, nil }

// Reader is Open for who does not want to close it.
func (f *File) Reader() *io.SectionReader { return io.NewSectionReader(f.disk, 0, f.Size) }

// reader needs no closing.
type reader struct{ *io.SectionReader }

func (reader) Close() error { return nil }

// Close lets the file go.
func (f *File) Close() error { return f.disk.Close() }

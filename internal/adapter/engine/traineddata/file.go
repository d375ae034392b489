// Package traineddata reads those parts of Tesseract's traineddata files that the library does not expose.
package traineddata

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Suffix is the extension of traineddata files.
const Suffix = ".traineddata"

// Part is one of the parts of a file, by its number (TessdataType in Tesseract's tessdatamanager.h).
type Part int

// The parts that are asked for here.
const (
	Legacy Part = 3  // shapes of letters, for the engine before the networks
	LSTM   Part = 17 // the network

	wordPart   Part = 19
	letterPart Part = 21
)

const mostParts = 256

// File is an open traineddata file.
type File struct {
	*os.File
	offsets []int64 // of the parts, 0 or less for those that are not there
	size    int64
}

// Open opens a file, and fails if it is not traineddata. The caller closes it.
func Open(path string) (*File, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{File: opened}
	if err := f.readOffsets(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), opened.Close())
	}
	return f, nil
}

// readOffsets reads the table at the start of the file: a count, then an offset for each part.
func (f *File) readOffsets() error {
	var count int32
	if err := binary.Read(f, binary.LittleEndian, &count); err != nil {
		return err
	}
	if count < 1 || count > mostParts {
		return fmt.Errorf("%d parts", count)
	}
	f.offsets = make([]int64, count)
	if err := binary.Read(f, binary.LittleEndian, f.offsets); err != nil {
		return err
	}
	about, err := f.Stat()
	if err != nil {
		return err
	}
	f.size = about.Size()
	return nil
}

// Has tells whether the file has a part.
func (f *File) Has(p Part) bool { return int(p) < len(f.offsets) && f.offsets[p] > 0 }

// read returns a part, which reaches to the next one or the end of the file; nil where it is not there.
func (f *File) read(p Part) ([]byte, error) {
	if !f.Has(p) {
		return nil, nil
	}
	from, to := f.offsets[p], f.size
	for _, at := range f.offsets {
		if at > from {
			to = min(to, at)
		}
	}
	if from > to {
		return nil, io.ErrUnexpectedEOF
	}
	data := make([]byte, to-from)
	_, err := f.ReadAt(data, from)
	return data, err
}

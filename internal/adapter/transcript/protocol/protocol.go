// Package protocol defines the messages between the exporter and its workers for PDF files.
package protocol

import (
	"bytes"
	"compress/zlib"
)

// The operations of a worker. The bytes of a job are files, one after the other, and what comes behind them.
const (
	Overlay = "overlay" // of the bytes of a file and of its layers: an Answer and its bytes
	Merge   = "merge"   // of the bytes of several files: the bytes of one that has all their pages
)

// Job describes what to lay over a file.
type Job struct {
	Size     int64    `json:"size"` // bytes of the file; those of the layers follow
	Password string   `json:"password,omitempty"`
	Keep     []int    `json:"keep,omitempty"` // numbers of the pages that are wanted, ascending; none: all
	Layers   []Layer  `json:"layers"`
	Font     []Object `json:"font"`
	FontName string   `json:"font_name"` // in the resources of pages
}

// Layer is the text to lay over a page.
type Layer struct {
	Page   int     `json:"page"`           // its number in the file
	Turn   int     `json:"turn,omitempty"` // degrees clockwise that the page is turned besides
	Width  float64 `json:"width"`          // of the upright, turned page, in the units of its content
	Height float64 `json:"height"`
	Length int64   `json:"length"` // bytes of its content, the operators of a content stream; 0: none
}

// Object is an object to add. In its dictionary {0} means a reference to the first added object, and so on.
type Object struct {
	Dict string `json:"dict"`
	Data []byte `json:"data,omitempty"` // of a stream, as the dictionary says; none where it is no stream
}

// Answer is the result of the worker.
type Answer struct {
	Whole     bool `json:"whole"`     // a whole file, and not what comes behind the one that was given
	Encrypted bool `json:"encrypted"` // the file was, and what was returned is not
}

// MergeJob has the end of each file.
type MergeJob struct {
	Sizes []int64 `json:"sizes"`
}

// Deflated returns data compressed for a stream with the filter FlateDecode.
func Deflated(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// Package protocol defines the messages between the engine and its workers: the operations of a worker and their payloads.
package protocol

import (
	"glyphbox/internal/adapter/engine/ppocr"
	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/domain/recognition"
)

// Setup is the argument of a worker, as JSON.
type Setup struct {
	Tessdata string   `json:"tessdata"` // folder of the traineddata
	Warm     []string `json:"warm"`     // languages whose models are loaded at the start; at least one
	Memory   int64    `json:"memory"`   // bytes that the worker may have beyond those at the start

	LoadWhenNeeded bool `json:"load_when_needed,omitempty"` // nothing is loaded at the start

	Models *ppocr.Files `json:"models,omitempty"` // of the second recogniser; nil for none

	PDF *PDF `json:"pdf,omitempty"` // of a worker for PDF files, which needs nothing else but Memory; nil for one that reads
}

// About is what a worker reports about itself.
type About struct {
	Engine string `json:"engine"` // name and version of what reads
	Second Second `json:"second"`
	HEIF   HEIF   `json:"heif"`
}

// HEIF describes the decoder of HEIC and AVIF in a worker.
type HEIF struct {
	Library string   `json:"library,omitempty"` // name and version; empty where it is missing
	Formats []string `json:"formats,omitempty"` // HEIC, AVIF: those that it has a decoder for
	Missing string   `json:"missing,omitempty"` // what is missing, and why
}

// Second describes the second recogniser in a worker.
type Second struct {
	Models  []string `json:"models,omitempty"`  // names of the recognisers and of the detector
	Runtime string   `json:"runtime,omitempty"` // name and version of what runs them
	Missing string   `json:"missing,omitempty"` // why there is none
}

// The operations of a worker. All of them concern a page.
const (
	Read      = "read"      // read a region
	Layout    = "layout"    // find the text of the page
	Prepared  = "prepared"  // show what would be read of a region
	Thumbnail = "thumbnail" // render the page into a square of Side pixels
	View      = "view"      // render the task's box of the page at most Side pixels wide
	Plain     = "plain"     // read a region by the plain loop
	Cut       = "cut"       // show a region as it is on the page
)

// Job is the payload of an operation.
type Job struct {
	Page      int               `json:"page"`       // number, in the file
	MaxPixels int64             `json:"max_pixels"` // of the page
	Rotation  int               `json:"rotation"`   // degrees that the upright page is turned clockwise
	Task      recognition.Task  `json:"task"`
	Tongues   []read.Tongue     `json:"tongues,omitempty"` // what can be read; of Read
	Level     recognition.Level `json:"level,omitempty"`   // of Layout
	Side      int               `json:"side,omitempty"`    // pixels; of Thumbnail and View
}

// Answer is the answer, besides the bytes of a rendition.
type Answer struct {
	Reading *recognition.Reading `json:"reading,omitempty"`
	Media   string               `json:"media,omitempty"` // type of the rendition

	Suggestions []recognition.Suggestion `json:"suggestions,omitempty"` // of Layout
}

// Package read turns a region of a page into text. It finds the lines of the region, makes each of them upright, straight and dark on
// light, has it read by one or two recognisers and fuses what they read.
//
// The package is pure Go and holds no engine: the recognisers, the detector and the pixels of the page come in through the interfaces of
// this file. Nothing in it is shared between calls, but the implementations of the interfaces are used by one goroutine at a time.
package read

import (
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Gray is an image of one byte a pixel, row by row without padding: 0 is black, 255 white.
type Gray struct {
	Pix           []uint8
	Width, Height int
}

// RGB is an image of three bytes a pixel in the order red, green, blue, row by row without padding.
type RGB struct {
	Pix           []uint8
	Width, Height int
}

// Point is a place on an image in pixels, from its upper left corner.
type Point struct{ X, Y float64 }

// Quad is the outline of a line of text: its corners, clockwise from the one where the text begins at the top.
type Quad [4]Point

// Char is a character that a recogniser read.
type Char struct {
	Text   string  // never a space
	Prob   float64 // that it is right, 0 to 1
	X1, X2 float64 // from where to where it stands, in pixels of the line's image
	Space  float64 // probability that a space comes before it, 0 to 1; 1 where the recogniser read one

	Instead []Guess // what it may be else; an empty text where it may be none
	Behind  []Guess // what may stand behind it and was not read
}

// Guess is a character that a recogniser held for possible, and its probability.
type Guess struct {
	Text string
	Prob float64 // 0 to 1
}

// Recogniser reads one line of text.
type Recogniser interface {
	// Name names the recogniser and its version.
	Name() string

	// Read returns the characters of an upright line that is dark on light, from left to right. Letters is about how many there would
	// be without wide gaps, 0 where that is not known. Where charset is not empty, only its characters are read. A line without text has
	// no characters, which is no error. With a charset there are no guesses.
	Read(line RGB, letters int, charset string) ([]Char, error)
}

// Detector finds lines of text.
type Detector interface {
	// Detect returns the lines of an image, in no particular order, in pixels of the image. It takes the image at the size that it
	// is given.
	Detect(page RGB) ([]Quad, error)
}

// Page is a decoded page, upright. Its pixels are copied, never changed.
type Page interface {
	Size() (width, height int)

	// Gray returns a box of the page, which lies inside of it.
	Gray(document.Box) (Gray, error)
}

// Query is how the engine is to read an image.
type Query struct {
	Shape   recognition.Shape
	Charset string // where not empty, only these characters are read
	Invert  bool   // light text on dark is tried as well
}

// Symbol is a character that the engine read, and where, in pixels of the image.
type Symbol struct {
	Text           string
	Confidence     float64 // 0 to 1
	Word           float64 // confidence of its word
	X1, Y1, X2, Y2 float64
}

// Answer is what the engine read: the text, and its characters without white space in the order of the text.
type Answer struct {
	Text    string
	Symbols []Symbol
}

// Engine reads images of lines, blocks and pages in the languages that it was loaded with.
type Engine interface {
	Name() string
	Read(Gray, Query) (Answer, error)
}

// Scripted is a recogniser that is trusted with some scripts only, under their names in Unicode.
type Scripted interface {
	Recogniser
	Scripts() []string
}

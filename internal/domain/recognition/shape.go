package recognition

import "strconv"

// Shape says how the text of a region is arranged. Its numbers are in stored documents, in columns and in the HTTP API (as psm).
type Shape int

// The shapes. There is no 2.
const (
	ShapeAuto                  Shape = 0 // the engine picks one by the size of the region
	ShapePageWithOrientation   Shape = 1
	ShapePage                  Shape = 3
	ShapeColumn                Shape = 4
	ShapeVerticalBlock         Shape = 5
	ShapeBlock                 Shape = 6
	ShapeLine                  Shape = 7
	ShapeWord                  Shape = 8
	ShapeCircledWord           Shape = 9
	ShapeCharacter             Shape = 10
	ShapeSparse                Shape = 11
	ShapeSparseWithOrientation Shape = 12
	ShapeRawLine               Shape = 13
)

// Shapes are the shapes that a request may name by number, with descriptions. ShapeAuto is not among them.
var Shapes = map[Shape]string{
	ShapePageWithOrientation:   "A whole page; its orientation and script are found first",
	ShapePage:                  "A whole page with columns, pictures and tables",
	ShapeColumn:                "One column of text in lines of different sizes",
	ShapeVerticalBlock:         "One block of text that runs vertically",
	ShapeBlock:                 "One block of text in even lines",
	ShapeLine:                  "One line",
	ShapeWord:                  "One word",
	ShapeCircledWord:           "One word in a circle",
	ShapeCharacter:             "One character",
	ShapeSparse:                "Scattered text in no order, as much as there is",
	ShapeSparseWithOrientation: "Scattered text; its orientation and script are found first",
	ShapeRawLine:               "One line, read raw without the engine's own corrections",
}

// ShapeNumbers lists the numbers of Shapes for messages.
const ShapeNumbers = "1 or 3 to 13"

// Valid tells whether s is ShapeAuto or one of Shapes.
func (s Shape) Valid() bool {
	_, ok := Shapes[s]
	return ok || s == ShapeAuto
}

// Mode is an option of the engine, given by its number; see Engine.Modes. It is in columns and in the HTTP API (as oem).
type Mode int

// BestMode is the mode that gives the best text. Every engine has it.
const BestMode Mode = 3

// Rotate says how far the text of a region is turned clockwise on the page.
type Rotate string

// The rotations that can be asked for.
const (
	RotateAuto Rotate = "auto" // the engine finds out
	Rotate0    Rotate = "0"
	Rotate90   Rotate = "90"
	Rotate180  Rotate = "180"
	Rotate270  Rotate = "270"
)

// Rotates are all values that a request may name.
var Rotates = []Rotate{RotateAuto, Rotate0, Rotate90, Rotate180, Rotate270}

// turned returns what the rotation is once the page was turned clockwise by so many degrees more.
func (r Rotate) turned(degrees int) Rotate {
	was, err := strconv.Atoi(string(r))
	if err != nil { // automatic, or as the request says
		return r
	}
	return Rotate(strconv.Itoa((was + degrees) % 360))
}

// Source says where the text of a region comes from.
type Source string

// The sources.
const (
	SourceAuto Source = "auto" // the text layer of the file where it can be trusted, else what is read
	SourceText Source = "text" // the text layer, or nothing
	SourceOCR  Source = "ocr"  // what is read
)

// Sources are all sources that can be asked for.
var Sources = []Source{SourceAuto, SourceText, SourceOCR}

// Effort says how much work is done for the text of a region.
type Effort string

// The efforts, from the least to the most.
const (
	EffortFast     Effort = "fast"     // the fast recogniser, and the other one where that can hardly read a line
	EffortBalanced Effort = "balanced" // the other one wherever the fast one is not sure
	EffortAccurate Effort = "accurate" // all recognisers
)

// Efforts are all efforts.
var Efforts = []Effort{EffortFast, EffortBalanced, EffortAccurate}

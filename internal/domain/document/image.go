// Package document has the rules of page images: their geometry, names, visibility and who may see them.
//
// All coordinates are whole pixels of the upright image: with the orientation of the file (EXIF) applied, and then turned by its
// Rotation. The origin is the top left corner; x grows to the right and y downwards.
package document

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/label"
)

// Box is a rectangle of a page: X1, Y1 is its top left pixel, X2, Y2 lies just outside its bottom right one.
type Box struct {
	X1 int `json:"x1"`
	Y1 int `json:"y1"`
	X2 int `json:"x2"`
	Y2 int `json:"y2"`
}

// Width returns the width in pixels.
func (b Box) Width() int { return b.X2 - b.X1 }

// Height returns the height in pixels.
func (b Box) Height() int { return b.Y2 - b.Y1 }

// Empty tells whether the box has no pixels.
func (b Box) Empty() bool { return b.X1 >= b.X2 || b.Y1 >= b.Y2 }

// Intersect returns the common part of both boxes. It is Empty if there is none.
func (b Box) Intersect(c Box) Box {
	return Box{max(b.X1, c.X1), max(b.Y1, c.Y1), min(b.X2, c.X2), min(b.Y2, c.Y2)}
}

// Union returns the smallest box around both. An empty box adds nothing.
func (b Box) Union(c Box) Box {
	switch {
	case b.Empty():
		return c
	case c.Empty():
		return b
	}
	return Box{min(b.X1, c.X1), min(b.Y1, c.Y1), max(b.X2, c.X2), max(b.Y2, c.Y2)}
}

// Turned returns the box after its page, of that width and height, is turned clockwise by degrees, which is one of Rotations.
func (b Box) Turned(degrees, width, height int) Box {
	switch degrees {
	case 90:
		return Box{height - b.Y2, b.X1, height - b.Y1, b.X2}
	case 180:
		return Box{width - b.X2, height - b.Y2, width - b.X1, height - b.Y1}
	case 270:
		return Box{b.Y1, width - b.X2, b.Y2, width - b.X1}
	}
	return b
}

// Rotations are the possible rotations of a page, in degrees clockwise.
var Rotations = []int{0, 90, 180, 270}

// Turns returns the clockwise turn in degrees from one rotation to another, both of Rotations.
func Turns(from, to int) int { return (to - from + 360) % 360 }

// Check returns what is wrong with the box on a page of that size. It names the corners prefix.x1 and so on.
func (b Box) Check(prefix string, width, height int) (fields []fault.Field) {
	add := func(name, format string, args ...any) {
		fields = append(fields, fault.Field{Field: prefix + name, Detail: fmt.Sprintf(format, args...)})
	}
	within := func(name string, v, low, high int) {
		if v < low || v > high {
			add(name, "%d to %d on this image of %d × %d pixels", low, high, width, height)
		}
	}
	within("x1", b.X1, 0, width-1)
	within("y1", b.Y1, 0, height-1)
	within("x2", b.X2, 1, width)
	within("y2", b.Y2, 1, height)
	if b.X1 >= b.X2 {
		add("x2", "more than x1, which is %d", b.X1)
	}
	if b.Y1 >= b.Y2 {
		add("y2", "more than y1, which is %d", b.Y1)
	}
	return fields
}

// Visibility says who sees an image besides its owner, administrators, and users with whom it is shared by name.
type Visibility string

// The visibilities of an image.
const (
	Private Visibility = "private" // nobody
	Shared  Visibility = "shared"  // every user; they may also have it recognised
)

// Geometry is what the header of a file says about one of its pages.
type Geometry struct {
	MediaType string // found from the bytes: "image/jpeg"
	Width     int    // pixels, upright
	Height    int    // pixels, upright
	Pages     int    // of the file, at least 1
	DPI       int    // pixels of an inch of paper, along the width of the upright page; 0 where the file does not say
}

// Probe is the result of examining a file.
type Probe struct {
	MediaType string      // found from the bytes: "image/tiff"
	Frames    int         // of an animation; 0 for anything else
	Pages     []PageProbe // at least one; an animation has one, which is its first frame
}

// PageProbe is the result of examining a page of a file.
type PageProbe struct {
	Width  int // pixels, upright; 0 where Error is not nil
	Height int
	DPI    int            // as in Geometry
	Error  *fault.Failure // why the page cannot be rendered; nil where it can, as far as was looked
}

// Geometry returns the geometry of the page with that number, or the zero value if there is no such page.
func (p Probe) Geometry(number int) Geometry {
	if number < 1 || number > len(p.Pages) {
		return Geometry{}
	}
	page := p.Pages[number-1]
	return Geometry{MediaType: p.MediaType, Width: page.Width, Height: page.Height, Pages: len(p.Pages), DPI: page.DPI}
}

// Resolution returns the pixels per inch of the page: what the file says, or else the value that makes its longer side that of A4, but
// at least 72. It ignores values up to 72 in a file, since programs write these when they do not know the resolution.
func (g Geometry) Resolution() int {
	const unknown, a4 = 72, 11.69 // dpi and inches
	if g.DPI > unknown {
		return g.DPI
	}
	return max(unknown, int(math.Round(float64(max(g.Width, g.Height))/a4)))
}

// Image is the metadata of a page of an uploaded file, whose bytes never change. The images of one file are a document.
type Image struct {
	ID         int64
	Document   int64  // ID of the image of the file's first page; 0 before the images are stored
	Number     int    // of the page in the file: 1 … Pages
	Geometry          // Width and Height are those of the turned page
	Rotation   int    // one of Rotations: degrees that the upright page is turned clockwise
	Frames     int    // of an animation, the first of which is the page; 0 for anything else, and where nobody has counted
	Name       string // as uploaded or renamed, 1–200 characters
	Size       int64  // bytes of the original
	SHA256     string // of the original, hexadecimal
	Visibility Visibility
	Readers    []account.Ref // who the document is shared with by name, by name; of a Service those of them that the actor may know
	Tags       []string      // of the document, each once whatever its letter case, in the order of their folded forms
	Owner      account.Ref
	Original   string // blob
	Thumbnail  string // blob
	Seal       []byte // the sealed password of the file; nil where it needs none
	Password   string // that opens the file, as the Service has unsealed it; never stored
	Error      *fault.Failure
	Created    time.Time
}

// Page is the page that is shown and read as the image.
func (i Image) Page() Page {
	return Page{File: File{Blob: i.Original, SHA256: i.SHA256, MediaType: i.MediaType, Size: i.Size, Password: i.Password},
		Number: i.Number, Width: i.Width, Height: i.Height, DPI: i.DPI, Rotation: i.Rotation}
}

// TurnedTo returns the image with its page at that rotation, one of Rotations.
func (i Image) TurnedTo(rotation int) Image {
	if Turns(i.Rotation, rotation)%180 != 0 {
		i.Width, i.Height = i.Height, i.Width
	}
	i.Rotation = rotation
	return i
}

// Box returns the box of the whole page.
func (i Image) Box() Box { return Box{0, 0, i.Width, i.Height} }

// MaySee tells whether the actor may see the image and have it recognised.
func (i Image) MaySee(actor account.Actor) bool {
	return i.Visibility == Shared || actor.MayActFor(i.Owner.ID) || i.sharedWith(actor.UserID)
}

func (i Image) sharedWith(userID int64) bool {
	return slices.ContainsFunc(i.Readers, func(r account.Ref) bool { return r.ID == userID })
}

// Rendition is an image made from a page for people to look at.
type Rendition struct {
	MediaType string
	Bytes     []byte
}

// MaxName is the maximum number of characters in the name of an image.
const MaxName = 200

func checkName(name string) []fault.Field {
	n := utf8.RuneCountInString(name)
	if n >= 1 && n <= MaxName && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl) && strings.TrimSpace(name) != "" {
		return nil
	}
	return []fault.Field{{Field: "name", Detail: fmt.Sprintf("1 to %d characters, no control characters", MaxName)}}
}

// uploadName is the last element of the path that a client sent, whatever its separators, and never empty.
func uploadName(name string) string {
	name = label.Clean(name)
	name = strings.TrimSpace(name[strings.LastIndexAny(name, `/\`)+1:])
	if name == "" {
		return "untitled"
	}
	return name
}

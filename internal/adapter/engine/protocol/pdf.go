package protocol

import (
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// PDF is the setup of a worker for PDF files. It reads no text and decodes no images.
type PDF struct {
	Cache   string `json:"cache"`             // folder of compiled code; empty for none
	Compile bool   `json:"compile,omitempty"` // into that folder, and end
}

// AboutPDF is what a worker for PDF files reports about itself.
type AboutPDF struct {
	Name  string `json:"name"`  // and version of what renders
	Cache string `json:"cache"` // folder of compiled code; empty where there is none
}

// The operations of a worker for PDF files. All of them concern a file; its password opens it where it needs one.
const (
	PDFPages  = "pdf pages"  // tell the sizes of the pages
	PDFRender = "pdf render" // render a page as PNM
	PDFView   = "pdf view"   // render Part of a page at most MaxWidth and MaxHeight pixels large, for people
	PDFText   = "pdf text"   // take the text of boxes from the text layer
	PDFCopy   = "pdf copy"   // write the file anew, as it is understood, without encryption
)

// PDFJob is the payload of these operations.
type PDFJob struct {
	Password  string         `json:"password,omitempty"`
	MaxPages  int            `json:"max_pages,omitempty"` // of PDFPages: more are counted and not looked at
	Pages     []int          `json:"pages,omitempty"`     // of PDFCopy: numbers; nothing but these pages
	Scans     bool           `json:"scans,omitempty"`     // of PDFPages: pages of nothing but images are no finer than these
	MaxPixels int64          `json:"max_pixels"`          // of a page
	Page      int            `json:"page,omitempty"`      // number
	Width     int            `json:"width,omitempty"`     // pixels of the upright page; 0 for those that PDFPages gives without Scans
	Height    int            `json:"height,omitempty"`    // likewise
	Rotation  int            `json:"rotation,omitempty"`  // degrees that PDFView turns the page clockwise
	Part      document.Box   `json:"part,omitzero"`       // of PDFView, on the page as it is turned; no pixels stand for the whole page
	MaxWidth  int            `json:"max_width,omitempty"` // pixels, of PDFView
	MaxHeight int            `json:"max_height,omitempty"`
	Boxes     []document.Box `json:"boxes,omitempty"`  // of PDFText, on the upright page
	Glyphs    bool           `json:"glyphs,omitempty"` // of PDFText: where a page has no text at all, it is not looked for blank paper
	Render    bool           `json:"render,omitempty"` // of PDFText: where a box has no text, the page comes too, as by PDFRender
}

// PDFAnswer is the answer, besides the bytes of a rendition.
type PDFAnswer struct {
	Pages  int       `json:"pages,omitempty"`  // of the file
	Sizes  []PDFSize `json:"sizes,omitempty"`  // of each page, up to MaxPages
	Media  string    `json:"media,omitempty"`  // type of the rendition
	Texts  []PDFPart `json:"texts,omitempty"`  // one for each box
	Width  int       `json:"width,omitempty"`  // of the upright page, for Texts
	Height int       `json:"height,omitempty"` // likewise
}

// PDFSize is the size of a page as it is rendered: upright and cropped. All fields are 0 if the page cannot be loaded.
type PDFSize struct {
	Width  int `json:"w"` // pixels
	Height int `json:"h"`
	DPI    int `json:"d"`
}

// PDFPart is the text of a box.
type PDFPart struct {
	Reading *recognition.Reading `json:"reading,omitempty"` // nil where the text layer cannot be trusted there
	Reason  string               `json:"reason,omitempty"`  // why it cannot
}

package transcript

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"glyphbox/internal/adapter/transcript/protocol"
	"glyphbox/internal/domain/recognition"
)

// A page is as large as its image is at its resolution, unless that is more or less than viewers can show: Acrobat goes from 3 to
// 14,400 points.
const (
	pointsPerInch    = 72.0
	minSide, maxSide = 3.0, 14400.0
)

// The objects that there is one of. Those of pages come after them.
const (
	catalogObject = 1 + iota
	pagesObject
	informationObject
	metadataObject
	profileObject
	fontObject      // and those behind it
	firstPageObject = fontObject + fontParts
)

// producer is what is said to have written a file.
const producer = "Glyphbox"

// writePDF writes a PDF 1.7 that is PDF/A-2u: the images of the pages, and over them the words in text that is not painted, each stretched
// to its box. A page that cannot be rendered is blank. The same transcript gives the same bytes.
func writePDF(w io.Writer, t recognition.Transcript) error {
	f := pdfFile{w: w, sum: sha256.New()}
	codes := newCodes()
	var engines []string
	var lang string
	var created time.Time
	var kids []int
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		picture, err := newPicture(p)
		if err != nil {
			return err
		}
		if len(kids) == 0 {
			f.printf("%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n")
		}
		kids = append(kids, f.page(p, picture, codes))
		picture.close()
		engines, lang = addNew(engines, strings.Split(clean(p.Run.Engine), ", ")...), cmp.Or(lang, firstTag(p.Run.Lang))
		if p.Run.Created.After(created) {
			created = p.Run.Created
		}
		if f.err != nil {
			return f.err
		}
	}
	if lang != "" {
		lang = " /Lang (" + lang + ")"
	}
	f.object(catalogObject, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /ViewerPreferences << /DisplayDocTitle true >> "+
		"/Metadata %d 0 R /OutputIntents [%s]%s >>", pagesObject, metadataObject, outputIntent(profileObject), lang))
	var references strings.Builder
	for _, kid := range kids {
		fmt.Fprintf(&references, "%d 0 R ", kid)
	}
	f.object(pagesObject, fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.TrimSpace(references.String()), len(kids)))
	f.font(codes)
	title, creator := clean(t.Name), strings.Join(engines, ", ")
	f.stream(metadataObject, "/Type /Metadata /Subtype /XML", metadata(title, creator, created.Truncate(time.Second)))
	f.stream(profileObject, "/N 3 /Filter /FlateDecode", protocol.Deflated(sRGB))
	date := ""
	if !created.IsZero() {
		date = " /CreationDate (" + created.UTC().Truncate(time.Second).Format("D:20060102150405Z") + ")"
	}
	f.object(informationObject, fmt.Sprintf("<< /Title %s /Creator %s /Producer %s%s >>",
		textString(title), textString(creator), textString(producer), date))
	return f.finish()
}

// page writes the objects of a page and returns the number of the first of them.
func (f *pdfFile) page(p recognition.TranscriptPage, picture picture, codes *codes) int {
	width, height := float64(max(1, p.Image.Width)), float64(max(1, p.Image.Height))
	scale := min(max(pointsPerInch/float64(p.Image.Resolution()), minSide/min(width, height)), maxSide/max(width, height))
	var content bytes.Buffer
	resources := fmt.Sprintf("/Font << /%s %d 0 R >>", fontName, fontObject)
	page, contentObject, pictureObject := f.next(), f.next(), 0
	if picture.dict != "" {
		pictureObject = f.next()
		resources = fmt.Sprintf("/XObject << /Page %d 0 R >> ", pictureObject) + resources
		fmt.Fprintf(&content, "q %s cm /Page Do Q\n", picture.placed(width*scale, height*scale))
	}
	content.Write(textLayer(layout(p), p.Image.Box(), scale, codes))
	f.object(page, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Contents %d 0 R /Resources << %s >> >>",
		pagesObject, number(width*scale), number(height*scale), contentObject, resources))
	f.stream(contentObject, "/Filter /FlateDecode", protocol.Deflated(content.Bytes()))
	if pictureObject != 0 {
		f.streamFrom(pictureObject, "/Type /XObject /Subtype /Image "+picture.dict, picture.data, picture.size)
	}
	return page
}

// font writes the font of the text that is not seen, which knows the characters with these codes.
func (f *pdfFile) font(codes *codes) {
	for i, o := range fontObjects(codes) {
		dict := o.Dict
		for k := range fontParts {
			dict = strings.ReplaceAll(dict, fmt.Sprintf("{%d}", k), fmt.Sprintf("%d 0 R", fontObject+k))
		}
		if o.Data == nil {
			f.object(fontObject+i, dict)
		} else {
			f.stream(fontObject+i, strings.Trim(dict, "<> "), o.Data)
		}
	}
}

// textString is a text of the document's information.
func textString(s string) string { return "<feff" + utf16Hex(s) + ">" }

// number is a number as PDF has it, which knows no exponents.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 32) }

// pdfFile writes objects and remembers where they are.
type pdfFile struct {
	w       io.Writer
	sum     hash.Hash // of what was written
	at      int64
	offsets []int64 // by number; those of the objects that there is one of come last
	err     error   // the first one
}

// next returns the number of the next object of a page.
func (f *pdfFile) next() int {
	f.grow(firstPageObject)
	f.offsets = append(f.offsets, 0)
	return len(f.offsets) - 1
}

func (f *pdfFile) grow(n int) {
	for len(f.offsets) < n {
		f.offsets = append(f.offsets, 0)
	}
}

func (f *pdfFile) printf(format string, args ...any) {
	if f.err == nil {
		var n int
		n, f.err = fmt.Fprintf(io.MultiWriter(f.w, f.sum), format, args...)
		f.at += int64(n)
	}
}

func (f *pdfFile) object(n int, body string) {
	f.begin(n)
	f.printf("%d 0 obj\n%s\nendobj\n", n, body)
}

func (f *pdfFile) begin(n int) {
	f.grow(n + 1)
	f.offsets[n] = f.at
}

func (f *pdfFile) stream(n int, dict string, data []byte) {
	f.streamFrom(n, dict, bytes.NewReader(data), int64(len(data)))
}

// streamFrom writes a stream of that many bytes.
func (f *pdfFile) streamFrom(n int, dict string, data io.Reader, size int64) {
	f.begin(n)
	f.printf("%d 0 obj\n<< %s /Length %d >>\nstream\n", n, dict, size)
	if f.err == nil {
		var copied int64
		copied, f.err = io.CopyN(io.MultiWriter(f.w, f.sum), data, size)
		f.at += copied
	}
	f.printf("\nendstream\nendobj\n")
}

func (f *pdfFile) finish() error {
	at := f.at
	f.printf("xref\n0 %d\n0000000000 65535 f \n", len(f.offsets))
	for _, offset := range f.offsets[1:] {
		f.printf("%010d 00000 n \n", offset)
	}
	id := f.sum.Sum(nil)[:16] // of the contents, so that the same transcript gives the same one
	f.printf("trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%x> <%x>] >>\nstartxref\n%d\n%%%%EOF\n", len(f.offsets), catalogObject,
		informationObject, id, id, at)
	return f.err
}

package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// handmade is a PDF file of objects as they stand here, the first of which is the catalog. It has no list of them, so they are looked for.
func handmade(objects ...string) []byte {
	b := []byte("%PDF-1.7\n")
	for i, o := range objects {
		b = fmt.Appendf(b, "%d 0 obj%s endobj\n", i+1, o)
	}
	return append(b, "trailer<</Root 1 0 R>>"...)
}

// stream is an object with data.
func stream(dict, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>stream\n%s\nendstream", dict, len(data), data)
}

const (
	catalog = "<</Type/Catalog/Pages 2 0 R>>"
	onePage = "<</Type/Pages/Count 1/Kids[3 0 R]>>"
)

// drawing is a file whose first page has that content and those resources; objects come behind the content, from number 5 on. Its second
// page is as any other.
func drawing(content, resources string, objects ...string) []byte {
	page := "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<<" + resources + ">>>>"
	second := 5 + len(objects)
	pages := fmt.Sprintf("<</Type/Pages/Count 2/Kids[3 0 R %d 0 R]>>", second)
	all := append([]string{catalog, pages, page, stream("", content)}, objects...)
	return handmade(append(all, fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents %d 0 R/Resources<<>>>>", second+1),
		stream("", black))...)
}

// pageTricks are files whose first page is made to keep a reader busy, to fill its memory, or to make it do something unexpected.
func pageTricks() map[string][]byte {
	form := func(resources, content string) string {
		return stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<"+resources+">>", content)
	}
	pattern := func(entries, content string) string {
		return stream("/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]"+entries, content)
	}
	var doubling []string // each form draws the next one twice
	for n := range 40 {
		doubling = append(doubling, form(fmt.Sprintf("/XObject<</A %d 0 R>>", 6+n), "/A Do /A Do"))
	}
	doubling = append(doubling, form("", "0 0 1 1 re f"))
	huge := "/Type/XObject/Subtype/Image/Width 1000000/Height 1000000/ColorSpace/DeviceRGB/BitsPerComponent 8"
	return map[string][]byte{
		"a form in itself": drawing("/A Do", "/XObject<</A 5 0 R>>", form("/XObject<</A 5 0 R>>", "/A Do")),
		"forms in each other": drawing("/A Do", "/XObject<</A 5 0 R>>", form("/XObject<</A 6 0 R>>", "/A Do"),
			form("/XObject<</A 5 0 R>>", "/A Do")),
		"forms that double": drawing("/A Do", "/XObject<</A 5 0 R>>", doubling...),
		"a pattern in itself": drawing("/Pattern cs /P scn 0 0 99 99 re f", "/Pattern<</P 5 0 R>>",
			pattern("/XStep 1/YStep 1/Resources<</Pattern<</P 5 0 R>>>>", "/Pattern cs /P scn 0 0 9 9 re f")),
		"a pattern of tiny steps": drawing("/Pattern cs /P scn 0 0 200 200 re f", "/Pattern<</P 5 0 R>>",
			pattern("/XStep 0.0001/YStep 0.0001/Resources<<>>", "0 0 9 9 re f")),
		"a font that draws with itself": drawing("BT /F 9 Tf (a) Tj ET", "/Font<</F 5 0 R>>",
			"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/CharProcs<</a 6 0 R>>/Encoding<</Differences[97/a]>>"+
				"/FirstChar 97/LastChar 97/Widths[9]/Resources<</Font<</F 5 0 R>>>>>>", stream("", "9 0 d0 BT /F 9 Tf (a) Tj ET")),
		"a mask that is its own": drawing("/G gs 0 0 99 99 re f", "/ExtGState<</G 5 0 R>>", "<</SMask<</S/Alpha/G 6 0 R>>>>",
			stream("/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Group<</S/Transparency>>/Resources<</ExtGState<</G 5 0 R>>>>",
				"/G gs 0 0 99 99 re f")),
		"a function of itself": drawing("/S sh", "/Shading<</S<</ShadingType 1/ColorSpace/DeviceGray/Function 5 0 R>>>>",
			"<</FunctionType 3/Domain[0 1]/Functions[5 0 R]/Bounds[]/Encode[0 1]>>"),
		"a colour space of itself": drawing("/C cs 0.5 sc 0 0 99 99 re f", "/ColorSpace<</C 5 0 R>>", "[/Indexed 5 0 R 1 <0001>]"),
		"an image without end":     drawing("/I Do", "/XObject<</I 5 0 R>>", stream(huge, "x")),
		"a packed bomb": drawing("/I Do", "/XObject<</I 5 0 R>>",
			stream(huge+"/Filter[/FlateDecode/FlateDecode/ASCIIHexDecode/RunLengthDecode]", "x")),
		"a thousand filters": drawing("/I Do", "/XObject<</I 5 0 R>>",
			stream("/Filter["+strings.Repeat("/ASCIIHexDecode", 1000)+"]", "3030>")),
		"a file elsewhere": drawing("/A Do", "/XObject<</A 5 0 R>>",
			"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/F(/etc/passwd)/FFilter[]/Length 0>>stream\n\nendstream"),
	}
}

// endless are the page tricks that end with the time for a page.
var endless = []string{"forms that double", "a pattern in itself", "a pattern of tiny steps"}

// somePageTricks are page tricks of which only the n-th takes all the time for a page, but in a soak.
func somePageTricks(n int) map[string][]byte {
	files := pageTricks()
	for i, name := range endless {
		if i != n && !check.Soak() {
			delete(files, name)
		}
	}
	return files
}

// fileTricks are files that are so as a whole.
func fileTricks() map[string][]byte {
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	script := "/S/JavaScript/JS(while(true){app.alert(1)})"
	return map[string][]byte{
		"only a header":     []byte("%PDF-1.7\n"),
		"no pages":          porttest.PDF(),
		"deep":              porttest.PDFWith("/Deep "+deep, porttest.PDFPage{Content: deep}),
		"deep dictionaries": handmade(strings.Repeat("<</A", 100_000)+strings.Repeat(">>", 100_000), onePage),
		"graphics states":   porttest.PDF(porttest.PDFPage{Content: strings.Repeat("q ", 200_000)}),
		"a length of itself": handmade(catalog, onePage, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>",
			"<</Length 4 0 R>>stream\n0 0 9 9 re f\nendstream"),
		"content of itself": handmade(catalog, onePage, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>",
			"[4 0 R 4 0 R]"),
		"pages in a ring": handmade(catalog, "<</Type/Pages/Count 1/Kids[2 0 R]>>"),
		"a parent below":  handmade(catalog, onePage, "<</Type/Page/Parent 3 0 R/Contents 4 0 R>>", stream("", black)),
		"pages and pages": handmade(append([]string{catalog}, chain(5000)...)...),
		"an outline in a ring": handmade("<</Type/Catalog/Pages 2 0 R/Outlines 5 0 R>>", onePage,
			"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>", stream("", black),
			"<</First 5 0 R/Last 5 0 R/Next 5 0 R/Count 9>>"),
		"JavaScript": porttest.PDFWith("/OpenAction<<"+script+">>/AA<</WC<<"+script+">>>>"+
			"/Names<</JavaScript<</Names[(a)<<"+script+">>]>>>>",
			porttest.PDFPage{Content: black}),
		"JavaScript in a form": porttest.PDFWith("/AcroForm<</Fields[]/XFA[(template)(<x/>)]/CO[]/DA(/Helv 0 Tf)>>", porttest.PDFPage{
			Content: black, Annotations: "<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(b)/Rect[9 9 99 99]/AA<</F<<" + script +
				">>/C<<" + script + ">>/PO<<" + script + ">>>>/A<<" + script + ">>>>"}),
		"programs and addresses": porttest.PDFWith("/OpenAction<</S/Launch/F(/bin/sh)>>/AA<</O<</S/URI/URI(http://127.0.0.1:1/)>>>>",
			porttest.PDFPage{Content: black,
				Annotations: "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/SubmitForm/F(http://127.0.0.1:1/)>>>>"}),
		"no size": porttest.PDF(porttest.PDFPage{Width: -1, Height: 1e9, Content: black}),
		"a size of no number": handmade(catalog, onePage, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 1e400 -1e400]/Contents 4 0 R>>",
			stream("", black)),
	}
}

// chain is nodes of pages one below the other, from object 2 on.
func chain(n int) (nodes []string) {
	for i := range n {
		nodes = append(nodes, fmt.Sprintf("<</Type/Pages/Count 1/Kids[%d 0 R]>>", 3+i))
	}
	return append(nodes, "<</Type/Page/MediaBox[0 0 9 9]>>")
}

// sound is a file of two pages with text, an image and an annotation.
func sound() []byte {
	drawn, _ := porttest.DrawLines("scan")
	return porttest.PDF(porttest.PDFPage{Width: 288, Height: 216, Content: black + porttest.PDFText(20, 20, 12, "text"), Image: drawn},
		porttest.PDFPage{Width: 288, Height: 216, Content: porttest.PDFImage(10, 10, 100, 50), Image: drawn,
			Annotations: "<</Subtype/Square/Rect[1 2 3 4]>>"})
}

// damaged are copies of a file that were cut off, and of which bits were turned over.
func damaged(good []byte, n int) map[string][]byte {
	files := map[string][]byte{
		"a loop of pages": bytes.Replace(good, []byte("/Kids["), []byte("/Kids[2 0 R "), 1),
		"many more":       bytes.Replace(good, []byte("/Count 2"), []byte("/Count 99999999"), 1),
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		files[fmt.Sprintf("cut off %d", i)] = good[:random.IntN(len(good))]
		flipped := bytes.Clone(good)
		for range 1 + random.IntN(40) {
			flipped[9+random.IntN(len(flipped)-9)] ^= 1 << random.IntN(8)
		}
		files[fmt.Sprintf("flipped %d", i)] = flipped
	}
	return files
}

// examine looks at a file, shows that many of its pages, takes their texts and writes it anew, and returns the numbers of those that could
// be shown, and the first error that is no refusal.
func examine(t *testing.T, e *Engine, file []byte, most int) (shown []int, err error) {
	probe, err := e.Probe(t.Context(), porttest.FileOf(file))
	if err != nil {
		switch fault.KindOf(err) {
		case fault.Unsupported, fault.TooLarge, fault.Invalid:
			return nil, nil
		}
		return nil, err
	}
	for i, p := range probe.Pages[:min(most, len(probe.Pages))] {
		page := porttest.PageOf(file)
		page.Number, page.File.MediaType, page.Width, page.Height = i+1, probe.MediaType, p.Width, p.Height
		_, err := e.Thumbnail(t.Context(), page, 64)
		if err == nil && p.Error == nil {
			shown = append(shown, i+1)
			_, _, err = texts(t, e, page, document.Box{X2: page.Width, Y2: page.Height})
		}
		if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.Unsupported {
			return shown, fmt.Errorf("page %d: %w", i+1, err)
		}
		if p.Error != nil && err == nil {
			return shown, fmt.Errorf("page %d: %v, and yet it was rendered", i+1, p.Error)
		}
	}
	for _, pages := range [][]int{nil, {1}} {
		_, err := e.Mended(t.Context(), porttest.FileOf(file), pages)
		if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.Unsupported {
			return shown, fmt.Errorf("written anew, pages %v: %w", pages, err)
		}
	}
	return shown, nil
}

// Broken files end in a refusal, or in the error of a page, and cost the next file nothing.
func TestBrokenPDF(t *testing.T) {
	e := start(t, alone, func(o *Options) { o.RegionTimeout = 8 * time.Second })
	n := 10
	if check.Soak() {
		n = 300
	}
	try := func(name string, file []byte) []int {
		began := time.Now()
		shown, err := examine(t, e, file, 3)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: pages %v shown, %v", name, shown, time.Since(began).Round(time.Millisecond))
		return shown
	}
	for name, file := range somePageTricks(0) {
		if shown := try(name, file); !slices.Contains(shown, 2) {
			t.Errorf("%s: the page behind it is lost too", name)
		}
	}
	for _, files := range []map[string][]byte{fileTricks(), damaged(sound(), n)} {
		for name, file := range files {
			try(name, file)
		}
	}
	if page := pdfPage(t, e, sound(), 1); page.Width != 1200 {
		t.Errorf("got %+v", page)
	}
	t.Logf("%+v", e.pdf.pool.Stats())
}

// FuzzPDF gives damaged files to workers: what they make of them is an answer or a refusal, whatever becomes of the worker.
func FuzzPDF(f *testing.F) {
	// An input has ten seconds (Go's limit). It may take six times that of a page: two for what the file says, two for one page, and two
	// for files that are written anew.
	e := start(f, func(o *Options) { o.Workers, o.Models, o.RegionTimeout = 1, NoModels, time.Second })
	if _, err := e.Probe(f.Context(), porttest.FileOf(sound())); err != nil { // starts the worker, which is of no input's time
		f.Fatal(err)
	}
	for _, files := range []map[string][]byte{pageTricks(), fileTricks(), damaged(sound(), 10)} {
		for name, file := range files {
			if len(file) < 32<<10 && !slices.Contains(endless, name) {
				f.Add(file)
			}
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := examine(t, e, append([]byte("%PDF-1.7\n"), file...), 1); err != nil {
			t.Error(err)
		}
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.HeapAlloc > 1<<30 {
			t.Errorf("%d bytes in use", m.HeapAlloc)
		}
	})
}

package transcript

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

var property = regexp.MustCompile(`^(bbox|x_wconf|ppageno|image) (.+)$`)

// properties reads what a title says, as simply as readers of hOCR do.
func properties(t *testing.T, title string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for p := range strings.SplitSeq(title, ";") {
		m := property.FindStringSubmatch(strings.TrimSpace(p))
		if m == nil {
			t.Fatalf("the property %q of the title %q is unknown", p, title)
		}
		found[m[1]] = m[2]
	}
	return found
}

func boxOf(t *testing.T, text string) (b document.Box) {
	t.Helper()
	if _, err := fmt.Sscanf(text, "%d %d %d %d", &b.X1, &b.Y1, &b.X2, &b.Y2); err != nil || b.Empty() {
		t.Fatalf("bbox %q: %v", text, err)
	}
	return b
}

func inside(outer, inner document.Box) bool { return inner.Intersect(outer) == inner }

// checkHOCR checks what the specification of hOCR 1.2 asks for, and returns the words.
func checkHOCR(t *testing.T, file []byte, of sampled) (words []string) {
	t.Helper()
	const xhtml = "http://www.w3.org/1999/xhtml"
	root := wellFormed(t, file)
	meta := map[string]string{}
	for _, e := range root.all() {
		if e.XMLName.Space != xhtml {
			t.Errorf("%v is not XHTML", e.XMLName)
		}
		if e.XMLName.Local == "meta" {
			meta[e.attr("name")] = e.attr("content")
		}
	}
	if root.XMLName.Local != "html" || meta["ocr-system"] == "" || meta["ocr-number-of-pages"] != "1" {
		t.Errorf("got <%s> with %v", root.XMLName.Local, meta)
	}
	capabilities := strings.Fields(meta["ocr-capabilities"])
	parents := map[string]string{"ocr_page": "", "ocr_carea": "ocr_page", "ocr_par": "ocr_carea", "ocr_line": "ocr_par",
		"ocrx_word": "ocr_line"}
	counts := map[string]int{}
	var walk func(e element, parent string, around document.Box)
	walk = func(e element, parent string, around document.Box) {
		class := e.attr("class")
		if class != "" {
			if want, known := parents[class]; !known || want != parent || !slices.Contains(capabilities, class) {
				t.Errorf("%q stands in %q; the capabilities are %q", class, parent, capabilities)
			}
			if e.attr("id") == "" {
				t.Errorf("%s without an id", class)
			}
			counts[class]++
			p := properties(t, e.attr("title"))
			box := boxOf(t, p["bbox"])
			switch class {
			case "ocr_page":
				if box != of.Image.Box() || p["ppageno"] != "0" || !strings.HasPrefix(p["image"], `"`) ||
					!strings.HasSuffix(p["image"], `"`) {
					t.Errorf("got the page %v", p)
				}
			case "ocr_carea": // what a person corrected may stand outside the region
				if !inside(around, box) {
					t.Errorf("%s %v is not in the page", class, box)
				}
				box = around
			default:
				if !inside(around, box) {
					t.Errorf("%s %v is not in %s %v", class, box, parent, around)
				}
			}
			if class == "ocrx_word" {
				if c, err := strconv.Atoi(p["x_wconf"]); err != nil || c < 0 || c > 100 {
					t.Errorf("x_wconf is %q", p["x_wconf"])
				}
				words = append(words, e.Text)
			} else if strings.TrimSpace(e.Text) != "" {
				t.Errorf("%s has the text %q beside its words", class, e.Text)
			}
			parent, around = class, box
		}
		if e.attr("lang") != "" && !slices.Contains(capabilities, "ocrp_lang") {
			t.Error("lang without ocrp_lang")
		}
		for _, c := range e.Children {
			walk(c, parent, around)
		}
	}
	walk(root, "", document.Box{})
	if counts["ocr_page"] != 1 || counts["ocr_carea"] != len(of.Run.Contents) {
		t.Errorf("got %v of a page with %d regions", counts, len(of.Run.Contents))
	}
	return words
}

func TestHOCR(t *testing.T) {
	s := sample()
	got := checkHOCR(t, export(t, recognition.FormatHOCR, s), s)
	if want := 11; len(got) != want {
		t.Errorf("got %d words %q, want %d", len(got), got, want)
	}
}

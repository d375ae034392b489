package transcript

import (
	"fmt"
	"html"
	"io"
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// writeHOCR writes hOCR 1.2 in well-formed XHTML. The name of a region is in data-name.
func writeHOCR(w io.Writer, t recognition.Transcript) {
	name, engine, page := clean(t.Image.Name), clean(t.Run.Engine), t.Image.Page().Number
	if engine == "" {
		engine = "unknown"
	}
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"%s>
<head>
<meta charset="utf-8"/>
<title>%s</title>
<meta name="ocr-system" content="%s"/>
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf ocrp_lang"/>
<meta name="ocr-number-of-pages" content="1"/>
<meta name="ocr-langs" content="%s"/>
</head>
<body>
<div class="ocr_page" id="page_%d" title="image %s; bbox %s; ppageno %d">
`, langAttributes(firstTag(t.Run.Lang)), html.EscapeString(name), html.EscapeString(engine), strings.Join(langTags(t.Run), " "),
		page, html.EscapeString(quoted(name)), bbox(t.Image.Box()), page-1) // ppageno counts from 0
	for i, b := range layout(t) {
		called := ""
		if b.name != "" {
			called = ` data-name="` + html.EscapeString(b.name) + `"`
		}
		fmt.Fprintf(w, `<div class="ocr_carea" id="block_%d_%d" title="bbox %s"%s%s>`+"\n", page, i+1, bbox(b.box), called, langAttributes(b.lang))
		for j, p := range b.paragraphs {
			fmt.Fprintf(w, `<p class="ocr_par" id="par_%d_%d_%d" title="bbox %s">`+"\n", page, i+1, j+1, bbox(p.box))
			for k, l := range p.lines {
				fmt.Fprintf(w, `<span class="ocr_line" id="line_%d_%d_%d_%d" title="bbox %s">`, page, i+1, j+1, k+1, bbox(l.box))
				for n, word := range l.words {
					fmt.Fprintf(w, "\n"+`<span class="ocrx_word" id="word_%d_%d_%d_%d_%d" title="bbox %s; x_wconf %d">%s</span>`,
						page, i+1, j+1, k+1, n+1, bbox(word.box), word.percent(), html.EscapeString(word.text))
				}
				fmt.Fprint(w, "\n</span>\n")
			}
			fmt.Fprint(w, "</p>\n")
		}
		fmt.Fprint(w, "</div>\n")
	}
	fmt.Fprint(w, "</div>\n</body>\n</html>\n")
}

func bbox(b document.Box) string { return fmt.Sprintf("%d %d %d %d", b.X1, b.Y1, b.X2, b.Y2) }

// quoted is a text as the value of a property. Readers of hOCR split properties at every semicolon, quoted or not.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`"`, "_", `\`, "_", ";", "_").Replace(s) + `"`
}

func langAttributes(tag string) string {
	if tag == "" {
		return ""
	}
	return fmt.Sprintf(` lang="%s" xml:lang="%[1]s"`, tag)
}

package transcript

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// writeHOCR writes hOCR 1.2 in well-formed XHTML. The name of a region is in data-name. What its head says is known after the last page.
func (e *Exporter) writeHOCR(w io.Writer, t recognition.Transcript) error {
	pages, count := e.spool(), 0
	defer pages.Close()
	var engines, langs []string
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		count++
		engines, langs = addNew(engines, strings.Split(clean(p.Run.Engine), ", ")...), addNew(langs, langTags(p.Run)...)
		writePageDivision(pages, p)
	}
	engine := cmp.Or(strings.Join(engines, ", "), "unknown")
	lang := ""
	if len(langs) > 0 {
		lang = langs[0]
	}
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"%s>
<head>
<meta charset="utf-8"/>
<title>%s</title>
<meta name="ocr-system" content="%s"/>
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf ocrp_lang"/>
<meta name="ocr-number-of-pages" content="%d"/>
<meta name="ocr-langs" content="%s"/>
</head>
<body>
`, langAttributes(lang), html.EscapeString(clean(t.Name)), html.EscapeString(engine), count, strings.Join(langs, " "))
	if err := pages.copyTo(w); err != nil {
		return err
	}
	fmt.Fprint(w, "</body>\n</html>\n")
	return nil
}

func writePageDivision(w io.Writer, p recognition.TranscriptPage) {
	fmt.Fprintf(w, `<div class="ocr_page" id="page_%d" title="image %s; bbox %s; ppageno %d">`+"\n",
		p.Number, html.EscapeString(quoted(clean(p.Image.Name))), bbox(p.Image.Box()), p.Number-1) // ppageno counts from 0
	for i, b := range layout(p) {
		called := ""
		if b.name != "" {
			called = ` data-name="` + html.EscapeString(b.name) + `"`
		}
		fmt.Fprintf(w, `<div class="ocr_carea" id="block_%d_%d" title="bbox %s"%s%s>`+"\n", p.Number, i+1, bbox(b.box), called,
			langAttributes(b.lang))
		for j, par := range b.paragraphs {
			fmt.Fprintf(w, `<p class="ocr_par" id="par_%d_%d_%d" title="bbox %s">`+"\n", p.Number, i+1, j+1, bbox(par.box))
			for k, l := range par.lines {
				fmt.Fprintf(w, `<span class="ocr_line" id="line_%d_%d_%d_%d" title="bbox %s">`, p.Number, i+1, j+1, k+1, bbox(l.box))
				for n, word := range l.words {
					fmt.Fprintf(w, "\n"+`<span class="ocrx_word" id="word_%d_%d_%d_%d_%d" title="bbox %s; x_wconf %d">%s</span>`,
						p.Number, i+1, j+1, k+1, n+1, bbox(word.box), word.percent(), html.EscapeString(word.text))
				}
				fmt.Fprint(w, "\n</span>\n")
			}
			fmt.Fprint(w, "</p>\n")
		}
		fmt.Fprint(w, "</div>\n")
	}
	fmt.Fprint(w, "</div>\n")
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

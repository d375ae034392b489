package transcript

import (
	"fmt"
	"html"
	"io"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

// writeALTO writes ALTO 4.4, in pixels. Regions are text blocks; the name of one is the label of a structure tag that it
// refers to. Paragraphs have no place in ALTO.
func writeALTO(w io.Writer, t recognition.Transcript) {
	blocks := layout(t)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" SCHEMAVERSION="4.4">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>%s</fileName><fileIdentifier fileIdentifierLocation="sha256">%s</fileIdentifier></sourceImageInformation>
<Processing ID="ocr_1">
<processingCategory>contentGeneration</processingCategory>
<processingDateTime>%s</processingDateTime>
<processingStepSettings>%s</processingStepSettings>
<processingSoftware><softwareName>%s</softwareName></processingSoftware>
</Processing>
</Description>
`, html.EscapeString(clean(t.Image.Name)), html.EscapeString(clean(t.Image.SHA256)), wire.Time(t.Run.Created), settings(t.Run),
		html.EscapeString(clean(t.Run.Engine)))
	writeTags(w, blocks)
	lang := ""
	if tag := firstTag(t.Run.Lang); tag != "" {
		lang = ` LANG="` + tag + `"`
	}
	fmt.Fprintf(w, "<Layout>\n"+`<Page ID="page_%[1]d" PHYSICAL_IMG_NR="%[1]d" WIDTH="%[2]d" HEIGHT="%[3]d" PROCESSINGREFS="ocr_1"%[4]s>`+"\n<PrintSpace%[5]s>\n",
		t.Image.Page().Number, t.Image.Width, t.Image.Height, lang, position(t.Image.Box()))
	for i, b := range blocks {
		writeTextBlock(w, i+1, b)
	}
	fmt.Fprint(w, "</PrintSpace>\n</Page>\n</Layout>\n</alto>\n")
}

func settings(r recognition.Run) string {
	psm := "auto"
	if r.Shape != recognition.ShapeAuto {
		psm = fmt.Sprint(int(r.Shape))
	}
	return html.EscapeString(clean(fmt.Sprintf("lang=%v psm=%s oem=%d version=%d", r.Lang, psm, r.Mode, r.Version)))
}

func writeTags(w io.Writer, blocks []block) {
	any := false
	for i, b := range blocks {
		if b.name == "" {
			continue
		}
		if !any {
			fmt.Fprint(w, "<Tags>\n")
		}
		any = true
		fmt.Fprintf(w, `<StructureTag ID="tag_%d" TYPE="region" LABEL="%s"/>`+"\n", i+1, html.EscapeString(b.name))
	}
	if any {
		fmt.Fprint(w, "</Tags>\n")
	}
}

func writeTextBlock(w io.Writer, n int, b block) {
	attributes := position(b.box)
	if b.name != "" {
		attributes += fmt.Sprintf(` TAGREFS="tag_%d"`, n)
	}
	if b.lang != "" {
		attributes += ` LANG="` + b.lang + `"`
	}
	fmt.Fprintf(w, `<TextBlock ID="block_%d"%s>`+"\n", n, attributes)
	k := 0
	for _, p := range b.paragraphs {
		for _, l := range p.lines {
			k++
			fmt.Fprintf(w, `<TextLine ID="line_%d_%d"%s>`+"\n", n, k, position(l.box))
			for m, word := range l.words {
				if m > 0 {
					fmt.Fprint(w, space(l.words[m-1].box, word.box))
				}
				fmt.Fprintf(w, `<String ID="string_%d_%d_%d"%s WC="%.2f" CONTENT="%s"/>`+"\n", n, k, m+1, position(word.box),
					float64(word.percent())/100, html.EscapeString(word.text))
			}
			fmt.Fprint(w, "</TextLine>\n")
		}
	}
	fmt.Fprint(w, "</TextBlock>\n")
}

// space is what stands between two words. It has a place only where they leave one.
func space(before, after document.Box) string {
	gap := document.Box{X1: before.X2, Y1: max(before.Y1, after.Y1), X2: after.X1, Y2: min(before.Y2, after.Y2)}
	if gap.Empty() {
		return "<SP/>\n"
	}
	return "<SP" + position(gap) + "/>\n"
}

func position(b document.Box) string {
	return fmt.Sprintf(` HPOS="%d" VPOS="%d" WIDTH="%d" HEIGHT="%d"`, b.X1, b.Y1, b.Width(), b.Height())
}

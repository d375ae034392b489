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
// refers to. Paragraphs have no place in ALTO. What stands before the pages is known after the last one.
func (e *Exporter) writeALTO(w io.Writer, t recognition.Transcript) error {
	processing, tags, pages := e.spool(), e.spool(), e.spool()
	defer processing.Close()
	defer tags.Close()
	defer pages.Close()
	var files []document.Image
	named := false
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		if len(files) == 0 || files[len(files)-1].SHA256 != p.Image.SHA256 {
			files = append(files, p.Image)
		}
		if p.Run.Version != 0 {
			writeProcessing(processing, p)
		}
		blocks := layout(p)
		for i, b := range blocks {
			if b.name != "" {
				named = true
				fmt.Fprintf(tags, `<StructureTag ID="tag_%d_%d" TYPE="region" LABEL="%s"/>`+"\n", p.Number, i+1, html.EscapeString(b.name))
			}
		}
		writePage(pages, p, blocks)
	}
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" SCHEMAVERSION="4.4">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>%s</fileName>`, html.EscapeString(clean(t.Name)))
	for _, f := range files {
		fmt.Fprintf(w, `<fileIdentifier fileIdentifierLocation="sha256">%s</fileIdentifier>`, html.EscapeString(clean(f.SHA256)))
	}
	fmt.Fprint(w, "</sourceImageInformation>\n")
	if err := processing.copyTo(w); err != nil {
		return err
	}
	fmt.Fprint(w, "</Description>\n")
	if named {
		fmt.Fprint(w, "<Tags>\n")
		if err := tags.copyTo(w); err != nil {
			return err
		}
		fmt.Fprint(w, "</Tags>\n")
	}
	fmt.Fprint(w, "<Layout>\n")
	if err := pages.copyTo(w); err != nil {
		return err
	}
	fmt.Fprint(w, "</Layout>\n</alto>\n")
	return nil
}

func writeProcessing(w io.Writer, p recognition.TranscriptPage) {
	fmt.Fprintf(w, `<Processing ID="ocr_%d">
<processingCategory>contentGeneration</processingCategory>
<processingDateTime>%s</processingDateTime>
<processingStepSettings>%s</processingStepSettings>
<processingSoftware><softwareName>%s</softwareName></processingSoftware>
</Processing>
`, p.Number, wire.Time(p.Run.Created), settings(p.Run), html.EscapeString(clean(p.Run.Engine)))
}

func writePage(w io.Writer, p recognition.TranscriptPage, blocks []block) {
	attributes := ""
	if p.Run.Version != 0 {
		attributes = fmt.Sprintf(` PROCESSINGREFS="ocr_%d"`, p.Number)
	}
	if tag := firstTag(p.Run.Lang); tag != "" {
		attributes += ` LANG="` + tag + `"`
	}
	fmt.Fprintf(w, `<Page ID="page_%[1]d" PHYSICAL_IMG_NR="%[1]d" WIDTH="%[2]d" HEIGHT="%[3]d"%[4]s>`+"\n<PrintSpace%[5]s>\n",
		p.Number, p.Image.Width, p.Image.Height, attributes, position(p.Image.Box()))
	for i, b := range blocks {
		writeTextBlock(w, p.Number, i+1, b)
	}
	fmt.Fprint(w, "</PrintSpace>\n</Page>\n")
}

func settings(r recognition.Run) string {
	psm := "auto"
	if r.Shape != recognition.ShapeAuto {
		psm = fmt.Sprint(int(r.Shape))
	}
	return html.EscapeString(clean(fmt.Sprintf("lang=%v psm=%s oem=%d version=%d", r.Lang, psm, r.Mode, r.Version)))
}

func writeTextBlock(w io.Writer, page, n int, b block) {
	attributes := position(b.box)
	if b.name != "" {
		attributes += fmt.Sprintf(` TAGREFS="tag_%d_%d"`, page, n)
	}
	if b.lang != "" {
		attributes += ` LANG="` + b.lang + `"`
	}
	fmt.Fprintf(w, `<TextBlock ID="block_%d_%d"%s>`+"\n", page, n, attributes)
	k := 0
	for _, p := range b.paragraphs {
		for _, l := range p.lines {
			k++
			fmt.Fprintf(w, `<TextLine ID="line_%d_%d_%d"%s>`+"\n", page, n, k, position(l.box))
			for m, word := range l.words {
				if m > 0 {
					fmt.Fprint(w, space(l.words[m-1].box, word.box))
				}
				fmt.Fprintf(w, `<String ID="string_%d_%d_%d_%d"%s WC="%.2f" CONTENT="%s"/>`+"\n", page, n, k, m+1, position(word.box),
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

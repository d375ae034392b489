package transcript

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // for renditions
	"image/png"
	"io"
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// labelFile names the images of an archive with their texts, as PaddleOCR takes them to train a recogniser.
const labelFile = "rec_gt.txt"

// writeGroundTruth writes an archive of confirmed lines: of each a PNG and its text as tesstrain takes them, lines/ID.png and
// lines/ID.gt.txt, and all in labelFile. An ID is the image's, the number of the region, and that of the line.
func (e *Exporter) writeGroundTruth(w io.Writer, t recognition.Transcript) error {
	z := zip.NewWriter(w)
	labels := e.spool()
	defer labels.Close()
	add := func(name string, compress bool, data []byte) error {
		entry, err := z.CreateHeader(zipEntry(name, compress))
		if err == nil {
			_, err = entry.Write(data)
		}
		return err
	}
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		for _, l := range confirmedLines(p) {
			cut, err := cutLine(p, l)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("lines/%d-%03d-%03d", p.Image.ID, l.region, l.number)
			if err := add(name+".png", false, cut); err != nil {
				return err
			}
			if err := add(name+".gt.txt", true, []byte(l.text+"\n")); err != nil {
				return err
			}
			fmt.Fprintf(labels, "%s.png\t%s\n", name, l.text)
		}
	}
	entry, err := z.CreateHeader(zipEntry(labelFile, true))
	if err != nil {
		return err
	}
	if err := labels.copyTo(entry); err != nil {
		return err
	}
	return z.Close()
}

// confirmedLine is a line whose words were all confirmed.
type confirmedLine struct {
	region, number int // from 1
	text           string
	box            document.Box // with some of the paper around it, within the region
	rotation       int          // degrees that the text is turned clockwise on the page
}

func confirmedLines(p recognition.TranscriptPage) (lines []confirmedLine) {
	for i, b := range layout(p) {
		n := 0
		for _, par := range b.paragraphs {
			for _, l := range par.lines {
				n++
				var words []string
				whole := true
				for _, w := range l.words {
					words = append(words, w.text)
					whole = whole && w.confirmed
				}
				if whole {
					lines = append(lines, confirmedLine{region: i + 1, number: n, text: strings.Join(words, " "), box: withMargin(l.box, b),
						rotation: b.rotation})
				}
			}
		}
	}
	return lines
}

// withMargin is the box of a line with a fifth of its height around it, within its region.
func withMargin(line document.Box, region block) document.Box {
	margin := max(2, line.Height()/5)
	if region.rotation%180 != 0 {
		margin = max(2, line.Width()/5)
	}
	return document.Box{X1: line.X1 - margin, Y1: line.Y1 - margin, X2: line.X2 + margin, Y2: line.Y2 + margin}.Intersect(region.box)
}

// cutLine returns a line as an upright PNG.
func cutLine(p recognition.TranscriptPage, l confirmedLine) ([]byte, error) {
	back := document.Turns(l.rotation, 0)
	part := l.box.Turned(back, p.Image.Width, p.Image.Height)
	r, err := p.View(back, part, part.Width())
	if err != nil || r.MediaType == "image/png" {
		return r.Bytes, err
	}
	m, _, err := image.Decode(bytes.NewReader(r.Bytes))
	if err != nil {
		return nil, fmt.Errorf("transcript: line image: %w", err)
	}
	var b bytes.Buffer
	err = png.Encode(&b, m)
	return b.Bytes(), err
}

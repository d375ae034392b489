package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

// writeRunJSON writes the run of the only page as the API answers it, with the image that was read.
func writeRunJSON(w io.Writer, t recognition.Transcript) error {
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		if err := encode(w, "", client.Export{Run: wire.Run(p.Run), Image: exportedImage(p.Image)}); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON writes a client.ExportedDocument, one page after the other.
func writeJSON(w io.Writer, t recognition.Transcript) error {
	name, err := json.Marshal(t.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "{\n  \"name\": %s,\n  \"pages\": [", name)
	separator := ""
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		page := client.ExportedPage{Page: p.Number, Image: exportedImage(p.Image)}
		if p.Run.Version != 0 {
			page.Run = new(wire.Run(p.Run))
		}
		var b bytes.Buffer
		if err := encode(&b, "    ", page); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n    %s", separator, bytes.TrimSpace(b.Bytes()))
		separator = ","
	}
	fmt.Fprint(w, "\n  ]\n}\n")
	return nil
}

func encode(w io.Writer, prefix string, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	return e.Encode(v)
}

func exportedImage(i document.Image) client.ExportedImage {
	return client.ExportedImage{ID: i.ID, Name: i.Name, Width: i.Width, Height: i.Height, SHA256: i.SHA256}
}

package transcript

import (
	"encoding/json"
	"io"

	"glyphbox/client"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

// writeJSON writes the run as the API answers it, with the image that was read.
func writeJSON(w io.Writer, t recognition.Transcript) error {
	i := t.Image
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(client.Export{Run: wire.Run(t.Run),
		Image: client.ExportedImage{ID: i.ID, Name: i.Name, Width: i.Width, Height: i.Height, SHA256: i.SHA256}})
}

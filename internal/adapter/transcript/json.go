package transcript

import (
	"encoding/json"
	"io"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// The shapes are those of a run in the HTTP API, plus the image. Lists are never null; what is not there is null.

type runFile struct {
	Image           imageFile     `json:"image"`
	Version         int           `json:"version"`
	CreatedDatetime string        `json:"created_datetime"`
	User            *userFile     `json:"user"`
	Lang            []string      `json:"lang"`
	PSM             *int          `json:"psm"`
	OEM             int           `json:"oem"`
	Engine          string        `json:"engine"`
	Contents        []contentFile `json:"contents"`
}

type imageFile struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	SHA256 string `json:"sha256"`
}

type userFile struct {
	ID   int64   `json:"id"`
	Name *string `json:"name"`
}

type wordFile struct {
	Text string `json:"text"`
	document.Box
	Confidence float64 `json:"confidence"`
}

type contentFile struct {
	ID             string               `json:"id"`
	Version        int                  `json:"version"`
	ROI            document.Box         `json:"roi"`
	Name           string               `json:"name"`
	Detail         []string             `json:"detail"`
	Text           string               `json:"text"`
	Confidence     float64              `json:"confidence"`
	Words          []wordFile           `json:"words"`
	Lang           []string             `json:"lang"`
	PSM            *int                 `json:"psm"`
	Engine         string               `json:"engine"`
	DurationMS     float64              `json:"duration_ms"`
	Scale          float64              `json:"scale"`
	Passes         int                  `json:"passes"`
	Agreement      *float64             `json:"agreement"`
	Revision       int                  `json:"revision"`
	EditedBy       *userFile            `json:"edited_by"`
	EditedDatetime *string              `json:"edited_datetime"`
	Error          *recognition.Failure `json:"error"`
}

func writeJSON(w io.Writer, t recognition.Transcript) error {
	i, r := t.Image, t.Run
	file := runFile{Image: imageFile{ID: i.ID, Name: i.Name, Width: i.Width, Height: i.Height, SHA256: i.SHA256},
		Version: r.Version, CreatedDatetime: *instant(r.Created), User: user(r.User), Lang: notNull(r.Lang), PSM: mode(r.PSM), OEM: int(r.OEM),
		Engine: r.Engine, Contents: []contentFile{}}
	for _, c := range r.Contents {
		f := contentFile{ID: c.ID, Version: c.Version, ROI: c.ROI, Name: c.Name, Detail: notNull(c.Detail()), Text: c.Text, Confidence: c.Confidence,
			Words: []wordFile{}, Lang: notNull(c.Lang), PSM: mode(c.PSM), Engine: c.Engine, DurationMS: float64(c.Duration) / float64(time.Millisecond),
			Scale: c.Scale, Passes: c.Passes, Agreement: c.Agreement, Revision: c.Revision, Error: c.Error}
		for _, word := range c.Words {
			f.Words = append(f.Words, wordFile{Text: word.Text, Box: word.Box, Confidence: word.Confidence})
		}
		if c.EditedBy.ID != 0 {
			f.EditedBy = user(c.EditedBy)
		}
		if !c.Edited.IsZero() {
			f.EditedDatetime = instant(c.Edited)
		}
		file.Contents = append(file.Contents, f)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(file)
}

func user(r account.Ref) *userFile {
	if r.Name == "" { // resigned
		return &userFile{ID: r.ID}
	}
	return &userFile{ID: r.ID, Name: &r.Name}
}

func mode(m recognition.PSM) *int {
	if m == recognition.Auto {
		return nil
	}
	n := int(m)
	return &n
}

func instant(t time.Time) *string {
	s := t.UTC().Format("2006-01-02T15:04:05.000000Z")
	return &s
}

func notNull(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// Package wire turns what the domain has into the JSON types of package client. The API, the export in JSON and the command line
// share it, so that a run has the same form everywhere.
package wire

import (
	"time"

	"glyphbox/client"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Run returns a run with its contents.
func Run(r recognition.Run) client.Run {
	return client.Run{Version: r.Version, CreatedDatetime: Time(r.Created), User: Ref(r.User), Lang: List(r.Lang), PSM: psm(r.Shape),
		OEM: int(r.Mode), Engine: r.Engine, Contents: All(r.Contents, Content)}
}

// Content returns a content.
func Content(c recognition.Content) client.Content {
	v := client.Content{ID: c.ID, Version: c.Version, ROI: Box(c.ROI), Name: c.Name, Detail: List(c.Detail()), Text: c.Text,
		Confidence: c.Confidence, Words: All(c.Words, word), Lang: List(c.Lang), Asked: asked(c.Asked), PSM: psm(c.Shape), Engine: c.Engine,
		Rotation: c.Rotation, Effort: string(c.Effort), Source: string(c.Source),
		DurationMS: float64(c.Duration) / float64(time.Millisecond), Scale: c.Scale, Passes: c.Passes, Agreement: c.Agreement,
		Revision:       c.Revision,
		EditedDatetime: TimeOrNull(c.Edited), DeletedDatetime: TimeOrNull(c.Deleted)}
	v.SuggestedLang, v.MissingLang = List(c.Suggested), List(c.Missing)
	v.RevisedBy, v.EditedBy, v.Confirmed, v.ConfirmedBy = editor(c.RevisedBy), editor(c.EditedBy), c.Confirmed, editor(c.ConfirmedBy)
	if v.RevisedBy == nil {
		v.RevisedBy = v.EditedBy // of a release that made a revision of corrections only
	}
	if c.Error != nil {
		v.Error = &client.Failure{Code: c.Error.Code, Detail: c.Error.Detail}
	}
	return v
}

// asked returns nil where it is not known.
func asked(a *recognition.Asked) *client.Asked {
	if a == nil {
		return nil
	}
	return &client.Asked{Lang: a.Lang, PSM: int(a.Shape), Rotate: string(a.Rotate), Effort: string(a.Effort), Source: string(a.Source),
		Charset: a.Charset}
}

// editor returns nil for nobody.
func editor(r account.Ref) *client.Editor {
	if r.ID == 0 {
		return nil
	}
	return &client.Editor{ID: r.ID, Name: OrNull(r.Name)}
}

func word(w recognition.Word) client.Word {
	return client.Word{Text: w.Text, Box: Box(w.Box), Confidence: w.Confidence, Engine: w.Engine, Candidates: All(w.Candidates, candidate),
		Confirmed: w.Confirmed}
}

func candidate(c recognition.Candidate) client.Candidate {
	return client.Candidate{Engine: c.Engine, Text: c.Text, Confidence: c.Confidence}
}

func psm(m recognition.Shape) *int {
	if m == recognition.ShapeAuto {
		return nil
	}
	n := int(m)
	return &n
}

// Suggestion is a region of a layout as it is sent.
func Suggestion(s recognition.Suggestion) client.Suggestion {
	return client.Suggestion{Box: Box(s.Box), Rotation: s.Rotation}
}

// Box returns a box.
func Box(b document.Box) client.Box { return client.Box{X1: b.X1, Y1: b.Y1, X2: b.X2, Y2: b.Y2} }

// Ref returns the name of a user.
func Ref(r account.Ref) client.Ref { return client.Ref{ID: r.ID, Name: OrNull(r.Name)} }

// Names returns the names of users.
func Names(users []account.Ref) []string {
	return All(users, func(r account.Ref) string { return r.Name })
}

// Time returns a time as RFC 3339 in UTC, with the microseconds that the stores keep.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// TimeOrNull returns nil for the zero time.
func TimeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := Time(t)
	return &s
}

// OrNull returns nil for an empty text.
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// List returns an empty list for nil.
func List(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// All converts every item of a list. The result is never nil.
func All[T, V any](items []T, convert func(T) V) []V {
	converted := make([]V, len(items))
	for i, item := range items {
		converted[i] = convert(item)
	}
	return converted
}

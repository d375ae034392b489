package httpapi

import (
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// Limits of bodies in bytes. Uploads have their own.
const (
	jsonLimit = 1 << 20
	textLimit = 8 << 20 // 2,000 regions, or a long text
	formLimit = 64 << 10
)

// corners is a box in a body. All four numbers are required.
type corners struct {
	X1 *int `json:"x1" nullable:"false" minimum:"0" example:"34" doc:"Left edge, inclusive."`
	Y1 *int `json:"y1" nullable:"false" minimum:"0" example:"100" doc:"Top edge, inclusive."`
	X2 *int `json:"x2" nullable:"false" minimum:"1" example:"322" doc:"Right edge, exclusive."`
	Y2 *int `json:"y2" nullable:"false" minimum:"1" example:"144" doc:"Bottom edge, exclusive."`
}

func (c corners) box(prefix string) (box document.Box, missing []fault.Field) {
	for _, v := range []struct {
		name string
		from *int
		to   *int
	}{{"x1", c.X1, &box.X1}, {"y1", c.Y1, &box.Y1}, {"x2", c.X2, &box.X2}, {"y2", c.Y2, &box.Y2}} {
		if v.from == nil {
			missing = append(missing, fault.Field{Field: prefix + v.name, Detail: "a whole number must be given"})
			continue
		}
		*v.to = *v.from
	}
	return box, missing
}

// regionForm is a region to read.
type regionForm struct {
	X1      *int      `json:"x1" nullable:"false" minimum:"0" example:"34" doc:"Left edge, inclusive."`
	Y1      *int      `json:"y1" nullable:"false" minimum:"0" example:"100" doc:"Top edge, inclusive."`
	X2      *int      `json:"x2" nullable:"false" minimum:"1" example:"322" doc:"Right edge, exclusive."`
	Y2      *int      `json:"y2" nullable:"false" minimum:"1" example:"144" doc:"Bottom edge, exclusive."`
	Name    string    `json:"name,omitempty" maxLength:"200" example:"title" doc:"Your name for the region, at most 200 characters."`
	Lang    languages `json:"lang,omitempty" doc:"Languages, as \"kor+eng\" or as a list; auto: detected. Missing: those of the request."`
	PSM     mode      `json:"psm,omitempty" doc:"Page segmentation mode: 1, 3–13 or \"auto\". Missing: that of the request."`
	Rotate  rotation  `json:"rotate,omitempty" doc:"Clockwise rotation of the text on the page, in degrees, or \"auto\". Missing: that of the request."`
	Effort  string    `json:"effort,omitempty" enum:"fast,balanced,accurate" doc:"How much work is done for the region. Missing: that of the request."`
	Source  string    `json:"source,omitempty" enum:"auto,text,ocr" doc:"Source of the text. Missing: that of the request."`
	Charset string    `json:"charset,omitempty" maxLength:"1000" doc:"The only characters that may be read, at most 1000, such as 0123456789."`
	Content string    `json:"content,omitempty" maxLength:"100" doc:"With into: a content of that version, which is read again in this place and gets a new revision. It keeps its name if none is given, and is no longer confirmed."`
}

// Ignores are fields that clients of the original service send because its results have them beside region and words.
func (regionForm) Ignores() []string { return []string{"id", "_id", "detail", "text"} }

// regionForms is the body that says what to read.
type regionForms []recognition.Region

// Decode decodes the list. Without a body it leaves an empty list.
func (r *regionForms) Decode(data []byte) error {
	return endpoint.DecodeList(data, "regions", recognition.MostRegions, func(at string, form regionForm) []fault.Field {
		box, missing := corners{form.X1, form.Y1, form.X2, form.Y2}.box(at + ".")
		*r = append(*r, recognition.Region{Box: box, Name: form.Name, Lang: form.Lang, Shape: recognition.Shape(form.PSM),
			Rotate: recognition.Rotate(form.Rotate), Effort: recognition.Effort(form.Effort), Source: recognition.Source(form.Source),
			Charset: form.Charset, Content: form.Content})
		return missing
	})
}

// Schema describes the entries to huma as they are written, not as they are decoded.
func (regionForms) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[regionForm](), true, ""),
		Description: "What to read. An empty list reads the whole page.", Examples: []any{[]map[string]any{
			{"x1": 34, "y1": 100, "x2": 322, "y2": 144, "name": "number"}, {"x1": 34, "y1": 220, "x2": 369, "y2": 264, "name": "total"}}}}
}

// correctionForm is what is to change of a content.
type correctionForm struct {
	Text      *string    `json:"text,omitempty" maxLength:"200000" example:"Invoice No. 17" doc:"The whole text with its line breaks, at most 200,000 characters and 20,000 words. Send either this or detail."`
	Detail    []string   `json:"detail,omitempty" nullable:"false" doc:"The words, in the order of the text. Send either this or text."`
	ROI       *corners   `json:"roi,omitempty" doc:"A new place on the page. Unchanged if missing."`
	Name      *string    `json:"name,omitempty" maxLength:"200" example:"total" doc:"Your name for the region, at most 200 characters. Unchanged if missing."`
	Confirmed *bool      `json:"confirmed,omitempty" doc:"Whether you confirm that the text is right. If missing: unchanged, or false if the text or the region changes."`
	Words     []wordForm `json:"words,omitempty" nullable:"false" maxItems:"20000" doc:"Words to confirm as they were read, or to no longer confirm."`
	Suggested []string   `json:"suggested_lang,omitempty" nullable:"false" maxItems:"0" doc:"[] says that the languages are right, and clears suggested_lang and missing_lang."`
	Deleted   *bool      `json:"deleted,omitempty" enum:"false" doc:"false restores a deleted content. Use DELETE to delete one."`
}

// Ignores are fields that clients of the original service send.
func (correctionForm) Ignores() []string { return []string{"id", "_id"} }

// TransformSchema adds a valid example: text and detail exclude each other.
func (correctionForm) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{"text": "Invoice No. 1742"}}
	return s
}

// wordForm says whether a word is right.
type wordForm struct {
	Index     *int  `json:"index" nullable:"false" minimum:"0" example:"2" doc:"The index of the word in the text after this request, from 0."`
	Confirmed *bool `json:"confirmed" nullable:"false" doc:"Whether you confirm that the word is right."`
}

func (f correctionForm) correction(condition recognition.ContentCondition) (recognition.Correction, error) {
	change := recognition.Correction{Text: f.Text, Detail: f.Detail, Name: f.Name, Confirmed: f.Confirmed, Restore: f.Deleted != nil,
		LangFits: f.Suggested != nil, If: condition}
	var fields []fault.Field
	if f.Deleted != nil && *f.Deleted {
		fields = append(fields, fault.Field{Field: "deleted", Detail: "false, which restores it; use DELETE to delete it"})
	}
	if len(f.Suggested) > 0 {
		fields = append(fields, fault.Field{Field: "suggested_lang", Detail: "[], which says that the languages are right"})
	}
	if f.ROI != nil {
		box, missing := f.ROI.box("roi.")
		change.ROI, fields = &box, append(fields, missing...)
	}
	for i, w := range f.Words {
		switch at := fmt.Sprintf("words[%d].", i); {
		case w.Index == nil:
			fields = append(fields, fault.Field{Field: at + "index", Detail: "a whole number must be given"})
		case w.Confirmed == nil:
			fields = append(fields, fault.Field{Field: at + "confirmed", Detail: "true or false must be given"})
		default:
			change.Words = append(change.Words, recognition.WordMark{Index: *w.Index, Confirmed: *w.Confirmed})
		}
	}
	return change, fault.InvalidFields(fields...)
}

package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"glyphbox/internal/domain/account"
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

// readBody returns the whole body, which must be of the operation's media type.
func (c *call) readBody() ([]byte, error) {
	if c.body == nil {
		return nil, nil
	}
	want := c.op.body
	data, err := io.ReadAll(http.MaxBytesReader(c.raw, c.body, want.limit))
	if err != nil {
		return nil, bodyFault(err)
	}
	if want.mediaType == mediaTypeJSON {
		data = bytes.TrimPrefix(data, []byte("\uFEFF")) // editors on Windows put a byte order mark there
	}
	if got := c.r.Header.Get("Content-Type"); len(data) > 0 && got != "" {
		if got, _, err := mime.ParseMediaType(got); err != nil || got != want.mediaType {
			return nil, fault.New(fault.Unsupported, "wrong_content_type", "The body must be %s.", want.mediaType)
		}
	}
	return data, nil
}

// bodyFault says what went wrong when a body was read.
func bodyFault(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "body_too_large", "The body may have at most %d bytes.", tooLarge.Limit).Because(err)
	}
	if isTimeout(err) {
		return fault.New(fault.Malformed, "body_too_slow", "The body did not come in time.").Because(err)
	}
	return fault.New(fault.Malformed, "body_cut_off", "The body could not be read to its end.").Because(err)
}

// bodyDecoder is a body that takes care of its own.
type bodyDecoder interface{ decode(data []byte) error }

// decodeBody refuses what is not in UTF-8, of which the decoder would make something else without a word.
func decodeBody(data []byte, into any) error {
	if !utf8.Valid(data) {
		return fault.New(fault.Malformed, "malformed_json", "The body is not in UTF-8.")
	}
	if d, ok := into.(bodyDecoder); ok {
		return d.decode(data)
	}
	return decodeJSON(data, into)
}

// decodeJSON decodes a body that must be there.
func decodeJSON(data []byte, into any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return fault.New(fault.Malformed, "body_missing", "A body in JSON is needed.")
	}
	err := json.Unmarshal(data, into)
	if field, ok := typeField(err, ""); ok {
		return fault.InvalidFields(field)
	}
	if err != nil {
		return malformed(err)
	}
	if string(bytes.TrimSpace(data)) == "null" {
		return fault.InvalidFields(fault.Field{Field: "body", Detail: "an object"})
	}
	return fault.InvalidFields(checkFields(data, reflect.TypeOf(into).Elem(), "")...)
}

// malformed says where JSON breaks off being JSON, without showing what is there.
func malformed(err error) error {
	f := fault.New(fault.Malformed, "malformed_json", "The body is not valid JSON.")
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		f = fault.New(fault.Malformed, "malformed_json", "The body is not valid JSON from byte %d on.", syntax.Offset)
	}
	return f.Because(err)
}

// typeField names the value of a wrong type, below the field at where that is not empty.
func typeField(err error, at string) (fault.Field, bool) {
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return fault.Field{}, false
	}
	field := e.Field
	switch {
	case at == "" && field == "":
		field = "body"
	case field == "":
		field = at
	case at != "":
		field = at + "." + field
	}
	return fault.Field{Field: field, Detail: typeName(e.Type)}, true
}

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[languages]():
		return `languages as in "kor+eng" or ["kor", "eng"]`
	case reflect.TypeFor[mode]():
		return modeDetail
	case reflect.TypeFor[rotation]():
		return `"auto", 0, 90, 180 or 270`
	case reflect.TypeFor[whole]():
		return "a whole number"
	case reflect.TypeFor[role]():
		return account.RoleAdmin + " or null"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.String:
		return "a text"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// languages of a region are written as "kor+eng" or as a list.
type languages []string

// maxLangText bounds the languages in characters: what the domain splits must not be long.
const maxLangText = 500

func (l *languages) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*l = nil
		if text != "" {
			*l = languages{text}
		}
	} else if err := json.Unmarshal(data, (*[]string)(l)); err != nil {
		return &json.UnmarshalTypeError{Value: "other", Type: reflect.TypeFor[languages]()}
	}
	if !shortLang(*l) {
		return &json.UnmarshalTypeError{Value: "other", Type: reflect.TypeFor[languages]()}
	}
	return nil
}

func shortLang(lang []string) bool {
	length := 0
	for _, l := range lang {
		length += len(l) + 1
	}
	return length <= maxLangText
}

// whole is a whole number, which in JSON may be written as 300, 300.0 or 3e2.
type whole int

func (n *whole) UnmarshalJSON(data []byte) error {
	value, ok := wholeNumber(string(data))
	if !ok {
		return &json.UnmarshalTypeError{Value: "other", Type: reflect.TypeFor[whole]()}
	}
	*n = whole(value)
	return nil
}

// wholeNumber reads a whole number in any of its forms.
func wholeNumber(text string) (int, bool) {
	if n, err := strconv.Atoi(text); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	return int(f), true
}

// mode is a page segmentation mode as it is written: a number or "auto".
type mode recognition.Shape

func (m *mode) UnmarshalJSON(data []byte) error {
	psm, err := parseMode(numberOrText(data))
	if err != nil {
		return &json.UnmarshalTypeError{Value: "other", Type: reflect.TypeFor[mode]()}
	}
	*m = mode(psm)
	return nil
}

// numberOrText reads a number or a text as a text.
func numberOrText(data []byte) string {
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text
	}
	if n, ok := wholeNumber(string(data)); ok {
		return strconv.Itoa(n)
	}
	return string(data)
}

// rotation is a recognition.Rotate as it is written: a number or "auto".
type rotation recognition.Rotate

func (r *rotation) UnmarshalJSON(data []byte) error {
	*r = rotation(numberOrText(data))
	if *r != "" && !slices.Contains(recognition.Rotates, recognition.Rotate(*r)) {
		return &json.UnmarshalTypeError{Value: "other", Type: reflect.TypeFor[rotation]()}
	}
	return nil
}

// modeNumbers are the numbers of the modes besides automatic, in order.
func modeNumbers() []int {
	var numbers []int
	for psm := range recognition.Shapes {
		numbers = append(numbers, int(psm))
	}
	slices.Sort(numbers)
	return numbers
}

const modeDetail = `"auto", ` + recognition.ShapeNumbers

var errMode = fault.InvalidFields(fault.Field{Field: "psm", Detail: modeDetail})

func parseMode(text string) (recognition.Shape, error) {
	switch text {
	case "", "auto", "null":
		return recognition.ShapeAuto, nil
	}
	for psm := range recognition.Shapes {
		if text == fmt.Sprint(int(psm)) {
			return psm, nil
		}
	}
	return 0, errMode
}

// role is one that a user is to have, none where it is null, which is not the same as one that is missing.
type role struct {
	given bool
	name  string // empty: none
}

func (r *role) UnmarshalJSON(data []byte) error {
	var name *string
	if err := json.Unmarshal(data, &name); err != nil || name != nil && *name == "" {
		return &json.UnmarshalTypeError{Value: "other", Type: reflect.TypeFor[role]()}
	}
	r.given = true
	if name != nil {
		r.name = *name
	}
	return nil
}

// corners is a box in a body, each corner of which must be there.
type corners struct {
	X1 *whole `json:"x1" nullable:"false" minimum:"0" example:"34" doc:"Left edge, inclusive."`
	Y1 *whole `json:"y1" nullable:"false" minimum:"0" example:"100" doc:"Top edge, inclusive."`
	X2 *whole `json:"x2" nullable:"false" minimum:"1" example:"322" doc:"Right edge, exclusive."`
	Y2 *whole `json:"y2" nullable:"false" minimum:"1" example:"144" doc:"Bottom edge, exclusive."`
}

func (c corners) box(prefix string) (box document.Box, missing []fault.Field) {
	for _, v := range []struct {
		name string
		from *whole
		to   *int
	}{{"x1", c.X1, &box.X1}, {"y1", c.Y1, &box.Y1}, {"x2", c.X2, &box.X2}, {"y2", c.Y2, &box.Y2}} {
		if v.from == nil {
			missing = append(missing, fault.Field{Field: prefix + v.name, Detail: "a whole number must be given"})
			continue
		}
		*v.to = int(*v.from)
	}
	return box, missing
}

// regionForm is a region to read.
type regionForm struct {
	X1      *whole    `json:"x1" nullable:"false" minimum:"0" example:"34" doc:"Left edge, inclusive."`
	Y1      *whole    `json:"y1" nullable:"false" minimum:"0" example:"100" doc:"Top edge, inclusive."`
	X2      *whole    `json:"x2" nullable:"false" minimum:"1" example:"322" doc:"Right edge, exclusive."`
	Y2      *whole    `json:"y2" nullable:"false" minimum:"1" example:"144" doc:"Bottom edge, exclusive."`
	Name    string    `json:"name,omitempty" maxLength:"200" example:"title" doc:"Your name for the region, at most 200 characters."`
	Lang    languages `json:"lang,omitempty" doc:"Languages, as \"kor+eng\" or as a list. Missing: those of the request."`
	PSM     mode      `json:"psm,omitempty" doc:"Page segmentation mode: 1, 3–13 or \"auto\". Missing: that of the request."`
	Rotate  rotation  `json:"rotate,omitempty" doc:"How far the text is turned clockwise on the page, in degrees, or \"auto\". Missing: as the request says."`
	Effort  string    `json:"effort,omitempty" enum:"fast,balanced,accurate" doc:"How much is done for the region. Missing: as the request says."`
	Source  string    `json:"source,omitempty" enum:"auto,text,ocr" doc:"Where the text comes from. Missing: as the request says."`
	Charset string    `json:"charset,omitempty" maxLength:"1000" doc:"The only characters that may be read, at most 1000, such as 0123456789."`
	Content string    `json:"content,omitempty" maxLength:"100" doc:"With into: a content of that version, which is read again in this place and gets its next revision. It keeps its name if none is given, and is not confirmed any more."`
}

// regionForms is the body that says what to read. It is decoded entry by entry, so that each fault names its entry and no
// more entries are kept than are allowed.
type regionForms []recognition.Region

func (r *regionForms) decode(data []byte) error {
	if data = bytes.Trim(data, " \t\r\n"); len(data) == 0 || string(data) == "null" {
		return nil
	}
	if data[0] != '[' {
		var other json.RawMessage
		if err := json.Unmarshal(data, &other); err != nil {
			return malformed(err)
		}
		return fault.InvalidFields(fault.Field{Field: "regions", Detail: "a list of regions"})
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return malformed(err)
	}
	var fields []fault.Field
	for i := 0; d.More(); i++ {
		at := fmt.Sprintf("regions[%d]", i)
		if i == recognition.MostRegions {
			return fault.InvalidFields(fault.Field{Field: "regions", Detail: fmt.Sprintf("at most %d regions", recognition.MostRegions)})
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return malformed(err)
		}
		var form *regionForm
		err := json.Unmarshal(raw, &form)
		if field, ok := typeField(err, at); ok {
			fields = append(fields, field)
			continue
		}
		if err != nil {
			return malformed(err)
		}
		if form == nil {
			fields = append(fields, fault.Field{Field: at, Detail: "a region, not null"})
			continue
		}
		fields = append(fields, checkFields(raw, reflect.TypeFor[regionForm](), at)...)
		box, missing := corners{form.X1, form.Y1, form.X2, form.Y2}.box(at + ".")
		fields = append(fields, missing...)
		*r = append(*r, recognition.Region{Box: box, Name: form.Name, Lang: form.Lang, Shape: recognition.Shape(form.PSM),
			Rotate: recognition.Rotate(form.Rotate), Effort: recognition.Effort(form.Effort), Source: recognition.Source(form.Source),
			Charset: form.Charset, Content: form.Content})
	}
	if _, err := d.Token(); err != nil {
		return malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed(err)
	}
	return fault.InvalidFields(fields...)
}

// correctionForm is what is to change of a content.
type correctionForm struct {
	Text      *string    `json:"text,omitempty" maxLength:"200000" example:"Invoice No. 17" doc:"The whole text with its line breaks, at most 200,000 characters and 20,000 words. Send this or detail, not both."`
	Detail    []string   `json:"detail,omitempty" nullable:"false" doc:"The words, in the order of the text. Send this or text, not both."`
	ROI       *corners   `json:"roi,omitempty" doc:"Another place on the page. Unchanged if missing."`
	Name      *string    `json:"name,omitempty" maxLength:"200" example:"total" doc:"Your name for the region, at most 200 characters. Unchanged if missing."`
	Confirmed *bool      `json:"confirmed,omitempty" doc:"Whether you have found the text right. If it is missing, it is unchanged, and false where text or region change."`
	Words     []wordForm `json:"words,omitempty" nullable:"false" maxItems:"20000" doc:"Words that are right as they were read, or are not said to be any more."`
	Deleted   *bool      `json:"deleted,omitempty" enum:"false" doc:"false brings back a content that was deleted. DELETE deletes one."`
}

// wordForm says whether a word is right.
type wordForm struct {
	Index     *whole `json:"index" nullable:"false" minimum:"0" example:"2" doc:"The number of the word among the words of the text as this request leaves it, from 0."`
	Confirmed *bool  `json:"confirmed" nullable:"false" doc:"Whether it is right as it was read."`
}

func (f correctionForm) correction(revision int) (recognition.Correction, error) {
	change := recognition.Correction{Text: f.Text, Detail: f.Detail, Name: f.Name, Confirmed: f.Confirmed, Restore: f.Deleted != nil,
		Revision: revision}
	var fields []fault.Field
	if f.Deleted != nil && *f.Deleted {
		fields = append(fields, fault.Field{Field: "deleted", Detail: "false, which brings it back; DELETE deletes it"})
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
			change.Words = append(change.Words, recognition.WordMark{Index: int(*w.Index), Confirmed: *w.Confirmed})
		}
	}
	return change, fault.InvalidFields(fields...)
}

// readForm returns the fields of a form that a browser would send.
func (c *call) readForm() (url.Values, error) {
	data, err := c.readBody()
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, fault.New(fault.Malformed, "malformed_form", "The body is not a valid %s.", mediaTypeForm)
	}
	for _, values := range form {
		if !utf8.ValidString(strings.Join(values, "")) {
			return nil, fault.New(fault.Malformed, "malformed_form", "The body is not in UTF-8.")
		}
	}
	return form, nil
}

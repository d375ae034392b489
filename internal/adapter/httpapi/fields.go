package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// The types of fields that decode themselves.

// languages of a region are written as "kor+eng" or as a list.
type languages []string

// maxLangText bounds the languages in characters: what the domain splits must not be long.
const maxLangText = 500

var langTooLong = fmt.Sprintf("at most %d characters in all", maxLangText)

// UnmarshalJSON reads them in either form.
func (l *languages) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*l = nil
		if text != "" {
			*l = languages{text}
		}
	} else if err := json.Unmarshal(data, (*[]string)(l)); err != nil {
		return endpoint.Reason(`languages as in "kor+eng" or ["kor", "eng"]`)
	}
	if !shortLang(*l) {
		return endpoint.Reason(langTooLong)
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

// Schema tells huma how languages are written.
func (languages) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString, Examples: []any{"eng"}},
		{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Examples: []any{[]string{"kor", "eng"}}},
	}}
}

// mode is a page segmentation mode as it is written: a number or "auto".
type mode recognition.Shape

// modes says what it may be.
const modes = `"auto", ` + recognition.ShapeNumbers

// UnmarshalJSON reads it.
func (m *mode) UnmarshalJSON(data []byte) error {
	psm, err := parseMode(endpoint.NumberOrText(data))
	if err != nil {
		return endpoint.Reason(modes)
	}
	*m = mode(psm)
	return nil
}

// Schema tells huma how a page segmentation mode is written.
func (mode) Schema(huma.Registry) *huma.Schema {
	numbers := []any{}
	for _, number := range modeNumbers() {
		numbers = append(numbers, number)
	}
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, Enum: []any{"auto"}}, {Type: huma.TypeInteger, Enum: numbers}}}
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
	return 0, fault.InvalidFields(fault.Field{Field: "psm", Detail: modes})
}

// rotation is a recognition.Rotate as it is written: a number or "auto".
type rotation recognition.Rotate

// UnmarshalJSON reads it.
func (r *rotation) UnmarshalJSON(data []byte) error {
	*r = rotation(endpoint.NumberOrText(data))
	if *r != "" && !slices.Contains(recognition.Rotates, recognition.Rotate(*r)) {
		return endpoint.Reason(`"auto", 0, 90, 180 or 270`)
	}
	return nil
}

// Schema tells huma how a rotation is written.
func (rotation) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, Enum: []any{"auto"}},
		{Type: huma.TypeInteger, Enum: []any{0, 90, 180, 270}}}}
}

// role is one that a user is to have, none where it is null, which is not the same as one that is missing.
type role struct {
	given bool
	name  string // empty: none
}

// roles says what it may be.
const roles = account.RoleAdmin + " or null"

// UnmarshalJSON reads it.
func (r *role) UnmarshalJSON(data []byte) error {
	var name *string
	if err := json.Unmarshal(data, &name); err != nil || name != nil && *name == "" {
		return endpoint.Reason(roles)
	}
	r.given = true
	if name != nil {
		r.name = *name
	}
	return nil
}

// Schema tells huma how a role is written.
func (role) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true, Enum: []any{account.RoleAdmin, nil}}
}

package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"glyphbox/internal/domain/fault"
)

// Lenient is a form of which some fields are ignored that it does not have. All others are refused. docs/operations.md lists them.
type Lenient interface{ Ignores() []string }

// checkFields names the fields of a body that its form does not know, which the decoder would ignore, and those given twice, of which
// it would take the last. The body is valid JSON of the form's type.
func checkFields(data []byte, form reflect.Type, at string) []fault.Field {
	w := fieldWalk{decoder: json.NewDecoder(bytes.NewReader(data))}
	w.value(form, at)
	return w.fields
}

type fieldWalk struct {
	decoder *json.Decoder
	fields  []fault.Field
}

func (w *fieldWalk) add(at, detail string) {
	if len(w.fields) < maxFields {
		w.fields = append(w.fields, fault.Field{Field: at, Detail: detail})
	}
}

// value goes through the next value, which stands at that place. A type that decodes itself looks after its own.
func (w *fieldWalk) value(t reflect.Type, at string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) || t.Kind() != reflect.Struct && t.Kind() != reflect.Slice {
		var skipped json.RawMessage
		_ = w.decoder.Decode(&skipped) // it was decoded before
		return
	}
	first, _ := w.decoder.Token()
	switch first {
	case json.Delim('['):
		for i := 0; w.decoder.More(); i++ {
			w.value(t.Elem(), fmt.Sprintf("%s[%d]", at, i))
		}
	case json.Delim('{'):
		w.object(t, at)
	default: // null
		return
	}
	_, _ = w.decoder.Token()
}

func (w *fieldWalk) object(t reflect.Type, at string) {
	known := fieldsOf(t)
	var ignored []string
	if form, ok := reflect.Zero(t).Interface().(Lenient); ok {
		ignored = form.Ignores()
	}
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.decoder.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return
		}
		place := strings.TrimPrefix(at+"."+key, ".")
		name, of := key, reflect.TypeFor[json.RawMessage]()
		i := slices.IndexFunc(known, func(f field) bool { return strings.EqualFold(f.name, key) }) // as the decoder does
		switch {
		case i >= 0:
			name, of = known[i].name, known[i].of
		case !slices.Contains(ignored, key):
			names := make([]string, len(known))
			for i, f := range known {
				names[i] = f.name
			}
			w.add(place, "not known; the fields are "+strings.Join(names, ", "))
		}
		if seen[name] && i >= 0 {
			w.add(place, "only once")
		}
		seen[name] = true
		w.value(of, place)
	}
}

// field is one that a form has.
type field struct {
	name string
	of   reflect.Type
}

func fieldsOf(t reflect.Type) (known []field) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.Anonymous && f.IsExported() && name != "" && name != "-" {
			known = append(known, field{name, f.Type})
		}
	}
	return known
}

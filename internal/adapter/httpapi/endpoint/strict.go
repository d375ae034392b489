package endpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"glyphbox/internal/domain/fault"
)

// Lenient is a form that ignores some unknown fields and refuses all others. docs/operations.md lists them.
type Lenient interface{ Ignores() []string }

// Reason is the error of a field type that decodes itself: it says what is allowed.
type Reason string

func (r Reason) Error() string { return string(r) }

// readForm reads valid JSON into a form, which stands at that place, or returns all that is wrong with it. The decoder alone would ignore
// fields that the form does not know, take names in any letter case and the last of those given twice, and not say which entry of a list
// is of a wrong type. It also would take whole numbers in one of their forms only.
func readForm(data []byte, into any, at string) ([]fault.Field, error) {
	var r formReader
	r.value(data, reflect.TypeOf(into).Elem(), at)
	if len(r.wrong) > 0 {
		return r.wrong, nil
	}
	return nil, json.Unmarshal(r.form.Bytes(), into)
}

type formReader struct {
	form  bytes.Buffer // the JSON, with whole numbers as the decoder takes them, without what is ignored
	wrong []fault.Field
}

func (r *formReader) add(at, detail string) {
	if len(r.wrong) < maxFields {
		r.wrong = append(r.wrong, fault.Field{Field: cmp.Or(at, "body"), Detail: detail})
	}
}

// value reads the value at that place.
func (r *formReader) value(data []byte, t reflect.Type, at string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	data = bytes.TrimSpace(data)
	decodesItself := reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
	switch {
	case string(data) == "null":
		r.form.Write(data)
	case !decodesItself && t.Kind() == reflect.Struct && data[0] == '{':
		r.object(data, t, at)
	case !decodesItself && t.Kind() == reflect.Slice && data[0] == '[':
		r.list(data, t, at)
	default:
		r.simple(data, t, at)
	}
}

// simple reads a value that has no fields or entries of ours.
func (r *formReader) simple(data []byte, t reflect.Type, at string) {
	allowed := typeName(t)
	if t.Kind() == reflect.Int || t.Kind() == reflect.Int64 {
		if n, ok := WholeNumber(data); ok {
			data = strconv.AppendInt(nil, n, 10)
		} else if f, err := strconv.ParseFloat(string(data), 64); !errors.Is(err, strconv.ErrSyntax) && f == math.Trunc(f) {
			allowed += " of at most 15 digits"
		}
	}
	err := json.Unmarshal(data, reflect.New(t).Interface())
	if reason, ok := errors.AsType[Reason](err); ok {
		r.add(at, string(reason))
	} else if err != nil {
		r.add(at, allowed)
	}
	r.form.Write(data)
}

func (r *formReader) list(data []byte, t reflect.Type, at string) {
	d := json.NewDecoder(bytes.NewReader(data))
	_, _ = d.Token()
	r.form.WriteByte('[')
	for i := 0; d.More(); i++ {
		if i > 0 {
			r.form.WriteByte(',')
		}
		var entry json.RawMessage
		_ = d.Decode(&entry) // the JSON is valid
		r.value(entry, t.Elem(), fmt.Sprintf("%s[%d]", at, i))
	}
	r.form.WriteByte(']')
}

func (r *formReader) object(data []byte, t reflect.Type, at string) {
	known := fieldsOf(t)
	var ignored []string
	if form, ok := reflect.Zero(t).Interface().(Lenient); ok {
		ignored = form.Ignores()
	}
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(data))
	_, _ = d.Token()
	r.form.WriteByte('{')
	for d.More() {
		token, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		name, _ := token.(string)
		place := strings.TrimPrefix(at+"."+name, ".")
		i := slices.IndexFunc(known, func(f field) bool { return f.name == name })
		switch {
		case i < 0 && slices.Contains(ignored, name):
		case i < 0:
			names := make([]string, len(known))
			for i, f := range known {
				names[i] = f.name
			}
			r.add(place, "not known; the fields are "+strings.Join(names, ", "))
		case seen[name]:
			r.add(place, "only once")
		default:
			if len(seen) > 0 {
				r.form.WriteByte(',')
			}
			seen[name] = true
			fmt.Fprintf(&r.form, "%q:", name)
			r.value(value, known[i].of, place)
		}
	}
	r.form.WriteByte('}')
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

// typeName says what a value of a type may be.
func typeName(t reflect.Type) string {
	switch t.Kind() {
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

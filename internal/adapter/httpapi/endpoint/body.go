package endpoint

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
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"glyphbox/internal/domain/fault"
)

// readBody returns the whole body, which must be of the operation's media type.
func (c *Call) readBody() ([]byte, error) {
	if c.body == nil {
		return nil, nil
	}
	want := c.op.Body
	data, err := io.ReadAll(http.MaxBytesReader(c.raw, c.body, want.Limit))
	if err != nil {
		return nil, bodyFault(err)
	}
	if want.MediaType == JSON {
		data = bytes.TrimPrefix(data, []byte("\uFEFF")) // editors on Windows put a byte order mark there
	}
	if got := c.r.Header.Get("Content-Type"); len(data) > 0 && got != "" {
		if got, _, err := mime.ParseMediaType(got); err != nil || got != want.MediaType {
			return nil, fault.New(fault.Unsupported, "wrong_content_type", "The body must be %s.", want.MediaType)
		}
	}
	return data, nil
}

// checkEncoding refuses a body that is compressed, of which nothing could be read.
func (c *Call) checkEncoding() error {
	encoding := c.r.Header.Get("Content-Encoding")
	if c.body == nil || encoding == "" || strings.EqualFold(encoding, "identity") {
		return nil
	}
	return fault.New(fault.Unsupported, "wrong_content_encoding", "Content-Encoding is not supported for the body.")
}

// LimitBody limits the body of the request to what the route allows. Reading beyond that returns an error that BodyFault describes. It
// returns false if there is no body.
func (c *Call) LimitBody() bool {
	if c.body == nil {
		return false
	}
	c.r.Body = http.MaxBytesReader(c.raw, c.body, c.op.Body.Limit)
	return true
}

// BodyFault returns the fault for an error of reading the body: TooLarge or Malformed if the body is the cause, or the error itself.
func BodyFault(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || isTimeout(err) {
		return bodyFault(err)
	}
	return err
}

// bodyFault says what went wrong when a body was read.
func bodyFault(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "body_too_large", "The body may have at most %d bytes.", tooLarge.Limit).Because(err)
	}
	if isTimeout(err) {
		return fault.New(fault.Malformed, "body_too_slow", "The body did not arrive in time.").Because(err)
	}
	return fault.New(fault.Malformed, "body_cut_off", "The body is incomplete.").Because(err)
}

// Decoder is a body that decodes itself, such as with DecodeList.
type Decoder interface{ Decode(data []byte) error }

// decodeBody refuses text that is not UTF-8, and escapes that are half a character: the decoder would silently replace them.
func decodeBody(data []byte, into any) error {
	if !utf8.Valid(data) {
		return fault.New(fault.Malformed, "malformed_json", "The body is not valid UTF-8.")
	}
	if at := loneSurrogate(data); at >= 0 {
		return fault.New(fault.Malformed, "malformed_json", "The escape %s at byte %d of the body is half of a surrogate pair.",
			data[at:at+6], at)
	}
	if d, ok := into.(Decoder); ok {
		return d.Decode(data)
	}
	return decodeJSON(data, into)
}

// loneSurrogate returns where JSON has the first escape of a surrogate that is not one of a pair, or -1.
func loneSurrogate(data []byte) int {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		switch unit := escapedUnit(data[i:]); {
		case !utf16.IsSurrogate(unit):
			i++ // what is behind the backslash may be another one
		case utf16.DecodeRune(unit, escapedUnit(data[i+6:])) == utf8.RuneError:
			return i
		default:
			i += 11
		}
	}
	return -1
}

// escapedUnit returns the unit of UTF-16 that the escape at the start stands for; 0 where there is none.
func escapedUnit(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}

// decodeJSON decodes a body that must be there.
func decodeJSON(data []byte, into any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return fault.New(fault.Malformed, "body_missing", "A JSON body is required.")
	}
	if err := checkJSON(data); err != nil {
		return err
	}
	if string(bytes.TrimSpace(data)) == "null" {
		return fault.InvalidFields(fault.Field{Field: "body", Detail: "an object"})
	}
	wrong, err := readForm(data, into, "")
	if err != nil {
		return err
	}
	return fault.InvalidFields(wrong...)
}

// checkJSON says where a body is not JSON, without showing its contents. Malformed.
func checkJSON(data []byte) error {
	var value json.RawMessage
	err := json.Unmarshal(data, &value)
	if err == nil {
		return nil
	}
	f := fault.New(fault.Malformed, "malformed_json", "The body is not valid JSON.")
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		f = fault.New(fault.Malformed, "malformed_json", "The body is not valid JSON at byte %d.", syntax.Offset)
		if depth(data[:syntax.Offset]) > maxDepth {
			f = fault.New(fault.Malformed, "malformed_json", "Lists and objects in the body may be nested at most %d deep.", maxDepth)
		}
	}
	return f.Because(err)
}

// maxDepth is how deep lists and objects may be nested for package json.
const maxDepth = 10_000

// depth returns how many lists and objects are open at the end of the start of a JSON value.
func depth(data []byte) (open int) {
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		switch {
		case err != nil:
			return open
		case token == json.Delim('['), token == json.Delim('{'):
			open++
		case token == json.Delim(']'), token == json.Delim('}'):
			open--
		}
	}
}

// DecodeList decodes a body that is a list of up to most entries, or empty. It decodes entry by entry, so that each fault names its
// entry and no more entries are kept than allowed. add receives an entry and returns its faults; at names the entry.
func DecodeList[T any](data []byte, name string, most int, add func(at string, entry T) []fault.Field) error {
	if data = bytes.Trim(data, " \t\r\n"); len(data) == 0 || string(data) == "null" {
		return nil
	}
	if err := checkJSON(data); err != nil {
		return err
	}
	if data[0] != '[' {
		return fault.InvalidFields(fault.Field{Field: name, Detail: "a list, [...]"})
	}
	d := json.NewDecoder(bytes.NewReader(data))
	_, _ = d.Token()
	var fields []fault.Field
	for i := 0; d.More(); i++ {
		at := fmt.Sprintf("%s[%d]", name, i)
		if i == most {
			return fault.InvalidFields(fault.Field{Field: name, Detail: fmt.Sprintf("at most %d %s", most, name)})
		}
		var raw json.RawMessage
		_ = d.Decode(&raw) // the JSON is valid
		if string(raw) == "null" {
			fields = append(fields, fault.Field{Field: at, Detail: "not null"})
			continue
		}
		var entry T
		wrong, err := readForm(raw, &entry, at)
		if err != nil {
			return err
		}
		if len(wrong) == 0 {
			wrong = add(at, entry)
		}
		fields = append(fields, wrong...)
	}
	return fault.InvalidFields(fields...)
}

// WholeNumber parses a whole number, which in JSON may be written as 300, 300.0 or 3e2.
func WholeNumber(data []byte) (int64, bool) {
	text := string(data)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	return int64(f), true
}

// NumberOrText returns a JSON number or string as text.
func NumberOrText(data []byte) string {
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text
	}
	if n, ok := WholeNumber(data); ok {
		return strconv.FormatInt(n, 10)
	}
	return string(data)
}

// ReadForm returns the fields of a URL-encoded form.
func (c *Call) ReadForm() (url.Values, error) {
	data, err := c.readBody()
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, fault.New(fault.Malformed, "malformed_form", "The body is not a valid %s.", Form)
	}
	for _, values := range form {
		if !utf8.ValidString(strings.Join(values, "")) {
			return nil, fault.New(fault.Malformed, "malformed_form", "The body is not valid UTF-8.")
		}
	}
	return form, nil
}

package sqldb

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// Text is a text column in which NULL means the empty string.
type Text string

// Value implements [driver.Valuer].
func (t Text) Value() (driver.Value, error) {
	if t == "" {
		return nil, nil
	}
	return string(t), nil
}

// Scan implements database/sql.Scanner.
func (t *Text) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = Text(v)
	case []byte:
		*t = Text(v)
	default:
		return fmt.Errorf("a text column holds %T", src)
	}
	return nil
}

// Number is a column for a number that the database assigns; 0 means none yet.
type Number int64

// Value implements [driver.Valuer].
func (n Number) Value() (driver.Value, error) {
	if n == 0 {
		return nil, nil
	}
	return int64(n), nil
}

// Stamp is a column for a time, in UTC to the microsecond; NULL means the zero time. Its text form is accepted by databases with a type
// for times, and sorts like time.
type Stamp time.Time

// StampFormat is the text form of a Stamp, as a layout of package time.
const StampFormat = "2006-01-02 15:04:05.000000"

// Value implements [driver.Valuer].
func (s Stamp) Value() (driver.Value, error) {
	if time.Time(s).IsZero() {
		return nil, nil
	}
	return time.Time(s).UTC().Format(StampFormat), nil
}

// Scan implements database/sql.Scanner.
func (s *Stamp) Scan(src any) error {
	if v, ok := src.(time.Time); ok { // of a database with a type for times
		*s = Stamp(v.UTC())
		return nil
	}
	var t Text
	if err := t.Scan(src); err != nil {
		return err
	}
	if t == "" {
		*s = Stamp{}
		return nil
	}
	v, err := time.Parse(StampFormat, string(t))
	*s = Stamp(v)
	return err
}

// List is a column of words, as JSON.
type List []string

// Value implements [driver.Valuer].
func (l List) Value() (driver.Value, error) {
	b, err := json.Marshal(l)
	return string(b), err
}

// Scan implements database/sql.Scanner.
func (l *List) Scan(src any) error {
	var t Text
	if err := t.Scan(src); err != nil {
		return err
	}
	return json.Unmarshal([]byte(t), (*[]string)(l))
}

// In returns an SQL list of values, "(?,?,?)", and the values as arguments.
func In[T any](values []T) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return "(" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")", args
}

// Window returns LIMIT and OFFSET for a page, whatever its numbers.
func Window(size, number int) (limit, offset int) {
	limit, number = max(size, 0), min(max(number, 0), math.MaxInt32)
	if limit > 0 && number > math.MaxInt32/limit {
		return limit, math.MaxInt32 // no table is as long
	}
	return limit, limit * number
}

// Fold maps texts that differ only in letter case and Unicode normal form to the same text, for search.
func Fold(s string) string { return norm.NFC.String(cases.Fold().String(norm.NFD.String(s))) }

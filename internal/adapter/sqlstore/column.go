package sqlstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// text is a column where NULL stands for the empty string.
type text string

func (t text) Value() (driver.Value, error) {
	if t == "" {
		return nil, nil
	}
	return string(t), nil
}

func (t *text) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = text(v)
	case []byte:
		*t = text(v)
	default:
		return fmt.Errorf("a text column holds %T", src)
	}
	return nil
}

// number is a column of a number that the database gives, where 0 stands for none yet.
type number int64

func (n number) Value() (driver.Value, error) {
	if n == 0 {
		return nil, nil
	}
	return int64(n), nil
}

// stamp is a column of a time, in UTC to the microsecond, where NULL stands for the zero time. Its text form is one that
// databases with a type for times read, too, and sorts as time does.
type stamp time.Time

const stampFormat = "2006-01-02 15:04:05.000000"

func (s stamp) Value() (driver.Value, error) {
	if time.Time(s).IsZero() {
		return nil, nil
	}
	return time.Time(s).UTC().Format(stampFormat), nil
}

func (s *stamp) Scan(src any) error {
	if v, ok := src.(time.Time); ok { // of a database with a type for times
		*s = stamp(v.UTC())
		return nil
	}
	var t text
	if err := t.Scan(src); err != nil {
		return err
	}
	if t == "" {
		*s = stamp{}
		return nil
	}
	v, err := time.Parse(stampFormat, string(t))
	*s = stamp(v)
	return err
}

// list is a column of words, as JSON.
type list []string

func (l list) Value() (driver.Value, error) {
	b, err := json.Marshal(l)
	return string(b), err
}

func (l *list) Scan(src any) error {
	var t text
	if err := t.Scan(src); err != nil {
		return err
	}
	return json.Unmarshal([]byte(t), (*[]string)(l))
}

// fold gives texts that differ only in letter case and Unicode normal form the same form, for search.
func fold(s string) string { return norm.NFC.String(cases.Fold().String(norm.NFD.String(s))) }

// lower makes ASCII letters small.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// in returns an SQL list of values, "(?,?,?)", and them as arguments.
func in[T any](values []T) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return "(" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")", args
}

// window returns LIMIT and OFFSET of a page, whatever numbers it is asked for by.
func window(size, number int) (limit, offset int) {
	limit, number = max(size, 0), min(max(number, 0), math.MaxInt32)
	if limit > 0 && number > math.MaxInt32/limit {
		return limit, math.MaxInt32 // no table is as long
	}
	return limit, limit * number
}

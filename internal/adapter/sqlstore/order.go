package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/adapter/sqlstore/sqldb"
)

// maxNameKey is how many bytes of a key column name_key keeps. No name of 200 characters has a longer one but for strange ones.
const maxNameKey = 1000

// nameKey returns what documents are sorted by in the order of their names, byte by byte: numbers by their value, letters whatever their
// case and their accents, in the order of Unicode, which is that of dictionaries for Hangul. Names that differ in accents only stand side
// by side.
func nameKey(name string) []byte {
	folded := sqldb.Fold(name)
	plain := withoutAccents(folded)
	key := byValue(plain)
	if plain != folded {
		key = append(append(key, 0), folded...)
	}
	return key[:min(len(key), maxNameKey)]
}

func withoutAccents(s string) string {
	const first, last = '\u0300', '\u036f' // of the combining marks of alphabets
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if first <= r && r <= last {
			return -1
		}
		return r
	}, norm.NFD.String(s)))
}

// byValue puts before each number how many digits it has, without zeros at its beginning.
func byValue(s string) (key []byte) {
	for s != "" {
		digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
		if digits == "" {
			end := strings.IndexAny(s, "0123456789")
			if end < 0 {
				end = len(s)
			}
			key, s = append(key, s[:end]...), s[end:]
			continue
		}
		s = s[len(digits):]
		digits = strings.TrimLeft(digits, "0")
		key = append(key, '0', byte(len(digits))) //nolint:gosec // a name has 200 characters
		key = append(key, digits...)
	}
	return key
}

// keyedAtOnce is for how many images one transaction makes keys.
const keyedAtOnce = 1000

// keyOlderNames makes the keys of documents that have none, since an older release has stored them.
func (db *DB) keyOlderNames(ctx context.Context) error {
	for more := true; more; {
		if err := db.Update(ctx, func(tx *sql.Tx) error {
			names := map[int64]string{}
			if err := sqldb.Each(ctx, tx, func(scan func(...any) error) error {
				var id int64
				var name string
				err := scan(&id, &name)
				names[id] = name
				return err
			}, `SELECT id, name FROM image /*! FORCE INDEX (image_later_name) */ WHERE later = 0 AND name_key = x'' LIMIT ?`,
				keyedAtOnce); err != nil {
				return err
			}
			for id, name := range names {
				if _, err := tx.ExecContext(ctx, `UPDATE image SET name_key = ? WHERE id = ?`, nameKey(name), id); err != nil {
					return err
				}
			}
			more = len(names) == keyedAtOnce
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

package upload

import (
	"mime"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/label"
)

// The names of fields and files of a form. Package mime reads them too, but loses what is not in UTF-8: names from old programs
// are in the encoding of their system, where a backslash or a quotation mark may be the second half of a character.

var (
	fieldName   = regexp.MustCompile(`(?i)(?:^|[;\s])name\s*=\s*(?:"([^"]*)"|([^\s";]+))`)
	quotedName  = regexp.MustCompile(`(?i)(?:^|[;\s])filename\s*=\s*"((?:[^"\\]|\\.)*)"`)
	foreignName = regexp.MustCompile(`(?is)(?:^|[;\s])filename\s*=\s*"(.*?)"\s*(?:;|$)`)
	tokenName   = regexp.MustCompile(`(?i)(?:^|[;\s])filename\s*=\s*([^\s";][^;]*)`)
	codedName   = regexp.MustCompile(`(?i)(?:^|[;\s])filename\*\s*=\s*([\w-]+)'[^']*'([^\s;]+)`)
)

// partName returns the name of the field that a part of a form belongs to.
func partName(disposition string) string {
	file := quotedName
	if !utf8.ValidString(disposition) {
		file = foreignName
	}
	rest := file.ReplaceAllString(disposition, "") // the name of a file may look like one
	if m := fieldName.FindStringSubmatch(rest); m != nil {
		return m[1] + m[2]
	}
	return ""
}

// isFile tells whether a part is a file, if only by an empty name.
func isFile(disposition string) bool {
	return quotedName.MatchString(disposition) || foreignName.MatchString(disposition) || tokenName.MatchString(disposition) ||
		codedName.MatchString(disposition)
}

// partFileName returns the name of a part's file as it is to be shown; empty where there is none. The languages are those of the
// header Accept-Language.
func partFileName(disposition, languages string) string {
	if m := codedName.FindStringSubmatch(disposition); m != nil {
		raw, err := url.PathUnescape(m[2])
		if e, unknown := htmlindex.Get(m[1]); err == nil && unknown == nil {
			raw, _ = e.NewDecoder().String(raw) // it replaces bytes that it cannot decode
			return cleanName(raw)
		}
	}
	var name string
	if !utf8.ValidString(disposition) {
		if m := foreignName.FindStringSubmatch(disposition); m != nil {
			name = decodeForeign(m[1], languages)
		} else if m := tokenName.FindStringSubmatch(disposition); m != nil {
			name = decodeForeign(m[1], languages)
		}
	} else if m := quotedName.FindStringSubmatch(disposition); m != nil {
		name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[1])
	} else if m := tokenName.FindStringSubmatch(disposition); m != nil {
		name = m[1]
	}
	// Browsers write these three, and only these, with a percent sign. Programs for mail write words in the form of RFC 2047.
	name = strings.NewReplacer("%22", `"`, "%0D%0A", " ", "%0d%0a", " ", "%0D", " ", "%0d", " ", "%0A", " ", "%0a", " ").Replace(name)
	words := mime.WordDecoder{}
	if decoded, err := words.DecodeHeader(name); err == nil {
		name = decoded
	}
	return cleanName(strings.TrimRight(name, "/"))
}

// FileName returns the name of a file on a disk for display. It may be in the encoding of the system that wrote it.
func FileName(name string) string {
	if !utf8.ValidString(name) {
		name = decodeForeign(name, "ko")
	}
	return cleanName(name)
}

// cleanName is label.Clean. Besides, letters in parts, as macOS has them in names, are joined, so that a search finds them.
func cleanName(name string) string { return strings.TrimSpace(norm.NFC.String(label.Clean(name))) }

// decodeForeign decodes a name that is not in UTF-8: from CP949 or Shift-JIS, whichever makes more sense, or else from
// Windows-1252. What can be neither is mended.
func decodeForeign(name, languages string) string {
	best, most := "", 0
	for _, e := range []struct {
		encoding.Encoding
		language string
	}{{korean.EUCKR, "ko"}, {japanese.ShiftJIS, "ja"}} {
		decoded, err := e.NewDecoder().String(name)
		if err != nil {
			continue
		}
		sense := senseOf(decoded)
		if sense > 0 && strings.HasPrefix(strings.ToLower(languages), e.language) {
			sense++
		}
		if sense > most {
			best, most = decoded, sense
		}
	}
	if most > 0 {
		return best
	}
	western, err := charmap.Windows1252.NewDecoder().String(name)
	if err == nil && strings.IndexFunc(western, func(r rune) bool { return r > 0x7F && !unicode.IsLetter(r) && r != '–' && r != '’' }) < 0 {
		return western
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}

// senseOf says how much a decoded text looks like one that somebody wrote; 0 or less: not at all. A syllable of Hangul that is not in
// everyday use, half-width Katakana, and characters amidst Latin letters come from decoding something else.
func senseOf(text string) (sense int) {
	latin := func(r rune) bool { return r < 0x80 && unicode.IsLetter(r) }
	before := ' '
	for i, r := range text {
		after, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
		switch {
		case r == utf8.RuneError || unicode.Is(unicode.Co, r):
			return -1
		case r < 0x80:
		case r >= 0xFF61 && r <= 0xFF9F:
			sense -= 2
		case unicode.Is(unicode.Hangul, r):
			if everyday(r) {
				sense += 2
			}
		case unicode.Is(unicode.Hiragana, r), unicode.Is(unicode.Katakana, r):
			sense += 2
		default:
			sense++
		}
		if r >= 0x80 && (latin(before) || latin(after)) {
			sense -= 2
		}
		before = r
	}
	return sense
}

// everyday tells whether a syllable is one of those of KS X 1001, which are nearly all that are in use.
func everyday(r rune) bool {
	b, err := korean.EUCKR.NewEncoder().String(string(r))
	return err == nil && len(b) == 2 && b[0] >= 0xA1 && b[1] >= 0xA1
}

package imagefile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	mostKey  = 127     // bytes of a password that count in AES-256
	mostLock = 1 << 16 // bytes of the dictionary that tells how a file is encrypted
)

// PDFPasswords returns what a password may be in a PDF file that it locks, in bytes: the password itself, which is the first; in
// PDFDocEncoding and in Latin-1, as in old files; with letters and spaces of one form, as SASLprep makes them for files of today; and no
// longer than counts. None is there twice. Bytes behind a zero byte do not count.
func PDFPasswords(password string) []string {
	password, _, _ = strings.Cut(password, "\x00")
	prepared := norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Zs, r):
			return ' '
		case r == '\u00AD' || unicode.Is(unicode.Variation_Selector, r) || '\u200B' <= r && r <= '\u200D' || r == '\u2060' || r == '\uFEFF':
			return -1
		}
		return r
	}, password))
	all := []string{password, prepared}
	for _, p := range []string{password, prepared} {
		for _, encoded := range []func(rune) int{docEncoded, latin1} {
			if b, ok := inBytes(p, encoded); ok {
				all = append(all, b)
			}
		}
		all = append(all, p[:min(len(p), mostKey)])
	}
	slices.SortStableFunc(all[1:], strings.Compare)
	return append(all[:1], slices.DeleteFunc(slices.Compact(all[1:]), func(p string) bool { return p == password })...)
}

func inBytes(text string, encoded func(rune) int) (string, bool) {
	var b []byte
	for _, r := range text {
		c := encoded(r)
		if c < 0 {
			return "", false
		}
		b = append(b, byte(c))
	}
	return string(b), true
}

func latin1(r rune) int {
	if r > 0xFF {
		return -1
	}
	return int(r)
}

// Where PDFDocEncoding differs from Latin-1.
const (
	docAccents = "˘ˇˆ˙˝˛˚˜"                        // from 0x18 on
	docSigns   = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž" // from 0x80 on
)

func docEncoded(r rune) int {
	if r == '€' {
		return 0xA0
	}
	if n := slices.Index([]rune(docAccents), r); n >= 0 {
		return 0x18 + n
	}
	if n := slices.Index([]rune(docSigns), r); n >= 0 {
		return 0x80 + n
	}
	if 0x18 <= r && r < 0x20 || 0x7F <= r && r <= 0xA0 || r == 0xAD {
		return -1
	}
	return latin1(r)
}

// standIn is a password that every parser takes.
const standIn = "glyphbox"

// PDFUnlocked returns a PDF file, and passwords of which one opens it where the given one does, for a parser that takes no other passwords
// for AES-256 than words of one script. Such a file it returns with another password for the same key, as a copy of the same length.
// Others, and what the password does not open, stay as they are.
func PDFUnlocked(file []byte, password string) ([]byte, []string) {
	all := PDFPasswords(password)
	l, ok := lockOf(file)
	if password == "" || !ok || l.revision < 5 {
		return file, all
	}
	for _, p := range all {
		if key := l.key([]byte(p)); key != nil {
			return l.opened(file, key), []string{standIn}
		}
	}
	return file, all
}

// pdfLock is what the encryption of a file by AES-256 is made of.
type pdfLock struct {
	revision int // 5 or 6; less: another cipher
	strings  map[string]pdfString
}

// pdfString is a string in a file.
type pdfString struct {
	value    []byte
	from, to int
}

var (
	pdfEncrypt = regexp.MustCompile(`/Encrypt\s*(?:(\d+)\s+(\d+)\s+R|<<)`)
	pdfSizes   = map[string]int{"O": 48, "U": 48, "OE": 32, "UE": 32}
)

// lockOf finds the encryption of a file. What is not as it must be for AES-256 it does not find.
func lockOf(file []byte) (l pdfLock, ok bool) {
	named := pdfEncrypt.FindAllSubmatchIndex(file, -1)
	if named == nil {
		return l, false
	}
	last := named[len(named)-1]
	at := last[1] - len("<<")
	if last[2] >= 0 {
		object := regexp.MustCompile(fmt.Sprintf(`%s\s+%s\s+obj\s*<<`, file[last[2]:last[3]], file[last[4]:last[5]]))
		found := slices.DeleteFunc(object.FindAllIndex(file, -1), func(at []int) bool {
			return at[0] > 0 && '0' <= file[at[0]-1] && file[at[0]-1] <= '9' // another number ends so
		})
		if len(found) == 0 {
			return l, false
		}
		at = found[len(found)-1][1] - len("<<")
	}
	if l = readLock(file[:min(len(file), at+mostLock)], at); l.revision < 5 {
		return l, true
	}
	for name, size := range pdfSizes {
		s := l.strings[name]
		if len(s.value) < size {
			return l, false
		}
		s.value = s.value[:size] // some programs add zeros
		l.strings[name] = s
	}
	return l, true
}

// readLock reads a dictionary that begins there.
func readLock(file []byte, at int) (l pdfLock) {
	l.strings = map[string]pdfString{}
	key, depth := "", 0
	for i := at; i < len(file); {
		rest := file[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<<")):
			depth, key, i = depth+1, "", i+2
		case bytes.HasPrefix(rest, []byte(">>")):
			if depth, key, i = depth-1, "", i+2; depth == 0 {
				return l
			}
		case rest[0] == '%':
			i += max(1, bytes.IndexAny(rest, "\r\n"))
		case rest[0] == '(' || rest[0] == '<':
			value, size := readString(rest)
			if depth == 1 && key != "" {
				l.strings[key] = pdfString{value, i, i + size}
			}
			key, i = "", i+size
		case rest[0] == '/':
			name := regularEnd(rest[1:])
			if word := string(rest[1 : 1+name]); depth == 1 && key == "" {
				key = word
			} else {
				key = ""
			}
			i += 1 + name
		default:
			size := regularEnd(rest)
			if n, err := strconv.Atoi(string(rest[:size])); err == nil && depth == 1 && key == "R" {
				l.revision = n
			}
			if size > 0 {
				key = ""
			}
			i += max(1, size)
		}
	}
	return pdfLock{}
}

// regularEnd is where a name, a number or a word ends.
func regularEnd(text []byte) int {
	if n := bytes.IndexAny(text, "\x00\t\n\f\r ()<>[]{}/%"); n >= 0 {
		return n
	}
	return len(text)
}

// readString reads a string in parentheses or in hexadecimal, and tells how long it is in the file.
func readString(text []byte) (value []byte, size int) {
	if text[0] == '<' {
		end := max(0, bytes.IndexByte(text, '>'))
		digits := bytes.Join(bytes.Fields(text[1:max(1, end)]), nil)
		if len(digits)%2 == 1 {
			digits = append(digits, '0')
		}
		value, _ = hex.DecodeString(string(digits)) // what is not a string is too short
		return value, end + 1
	}
	for i, depth := 0, 0; i < len(text); i++ {
		c := text[i]
		switch c {
		case '(':
			if depth++; depth == 1 {
				continue
			}
		case ')':
			if depth--; depth == 0 {
				return value, i + 1
			}
		case '\r':
			if c = '\n'; i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
		case '\\':
			end := i + 1
			for end < len(text) && end < i+4 && '0' <= text[end] && text[end] <= '7' {
				end++
			}
			if n, err := strconv.ParseUint(string(text[i+1:end]), 8, 16); err == nil {
				value, i = append(value, byte(n)), end-1
				continue
			}
			if i++; i == len(text) {
				return nil, i
			}
			switch c = text[i]; c {
			case '\r', '\n':
				if c == '\r' && i+1 < len(text) && text[i+1] == '\n' {
					i++
				}
				continue
			default:
				if n := strings.IndexByte("nrtbf", c); n >= 0 {
					c = "\n\r\t\b\f"[n]
				}
			}
		}
		value = append(value, c)
	}
	return nil, len(text)
}

// key returns the key of the file if those bytes are the password of the user or of the owner; else nil.
func (l pdfLock) key(password []byte) []byte {
	user := l.strings["U"].value
	for _, by := range []struct {
		digest, key string
		with        []byte
	}{{"U", "UE", nil}, {"O", "OE", user}} {
		digest := l.strings[by.digest].value
		if subtle.ConstantTimeCompare(l.digest(password, digest[32:40], by.with), digest[:32]) == 1 {
			return inBlocks(cipher.NewCBCDecrypter, l.digest(password, digest[40:48], by.with), l.strings[by.key].value)
		}
	}
	return nil
}

// opened returns the file with standIn for the password of the user.
func (l pdfLock) opened(file, key []byte) []byte {
	for salt := 0; ; salt++ { // until no byte of it stands for another one in a string, so that it has room where the old one was
		salts := fmt.Appendf(nil, "%08d%08d", salt, salt)
		user := slices.Concat(l.digest([]byte(standIn), salts[:8], nil), salts)
		sealed := inBlocks(cipher.NewCBCEncrypter, l.digest([]byte(standIn), salts[8:], nil), key)
		if !bytes.ContainsAny(user, "()\\\r") && !bytes.ContainsAny(sealed, "()\\\r") {
			file = bytes.Clone(file)
			l.strings["U"].put(file, user)
			l.strings["UE"].put(file, sealed)
			return file
		}
	}
}

// put writes another value in the place of a string.
func (s pdfString) put(file, value []byte) {
	place := file[s.from:s.to]
	n := copy(place, slices.Concat([]byte("("), value, []byte(")")))
	copy(place[n:], bytes.Repeat([]byte(" "), len(place)-n))
}

// inBlocks ciphers or deciphers a key.
func inBlocks(mode func(cipher.Block, []byte) cipher.BlockMode, key, data []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the size of the key is right
	}
	out := make([]byte, len(data))
	mode(block, make([]byte, aes.BlockSize)).CryptBlocks(out, data)
	return out
}

// digest is that of a password, a salt and, for the owner, what is known of the user: algorithm 2.B of ISO 32000-2 from revision 6 on.
func (l pdfLock) digest(password, salt, user []byte) []byte {
	sum := sha256.Sum256(slices.Concat(password, salt, user))
	k := sum[:]
	if l.revision == 5 {
		return k
	}
	for round := 0; ; round++ {
		text := bytes.Repeat(slices.Concat(password, k, user), 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			panic(err) // the size of the key is right
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(text, text)
		third := 0
		for _, b := range text[:16] {
			third += int(b) // 256 leaves 1 when it is divided by 3
		}
		switch third % 3 {
		case 0:
			s := sha256.Sum256(text)
			k = s[:]
		case 1:
			s := sha512.Sum384(text)
			k = s[:]
		case 2:
			s := sha512.Sum512(text)
			k = s[:]
		}
		if round >= 63 && int(text[len(text)-1]) <= round-31 {
			return k[:32]
		}
	}
}

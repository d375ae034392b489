package traineddata

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unpacked is a node of a graph of words, before it is packed.
type unpacked struct {
	next map[int]*unpacked
	ends bool
	at   int // of its first edge
}

// packed is a traineddata file with words, whose letters have the numbers of the alphabet.
func packed(alphabet []string, words ...string) []byte {
	root := &unpacked{next: map[int]*unpacked{}}
	nodes := []*unpacked{root}
	for _, word := range words {
		n := root
		for _, c := range word {
			number := slices.Index(alphabet, string(c))
			if n.next[number] == nil {
				n.next[number] = &unpacked{next: map[int]*unpacked{}}
				nodes = append(nodes, n.next[number])
			}
			n = n.next[number]
		}
		n.ends = true
	}
	edges := 0
	for _, n := range nodes {
		n.at = edges
		edges += len(n.next)
	}
	var graph bytes.Buffer
	write := func(v any) { _ = binary.Write(&graph, binary.LittleEndian, v) }
	write(int16(mark))
	write(int32(len(alphabet)))
	write(int32(edges))
	width := bits.Len(uint(len(alphabet)))
	for _, n := range nodes {
		left := len(n.next)
		for number := range alphabet {
			to := n.next[number]
			if to == nil {
				continue
			}
			var flags uint64
			if left--; left == 0 {
				flags |= lastOfNode
			}
			if to.ends {
				flags |= endOfWord
			}
			target := uint64(0)
			if len(to.next) > 0 {
				target = uint64(to.at)
			}
			write(uint64(number) | flags<<width | target<<(width+flagBits))
		}
	}
	letters := fmt.Sprintf("%d\n%s 0 Common 0\n", len(alphabet), strings.Join(alphabet, " 3 0,255 Latin 1\n"))

	var file bytes.Buffer
	offsets := make([]int64, letterPart+1)
	for i := range offsets {
		offsets[i] = -1
	}
	offsets[wordPart] = int64(4 + 8*len(offsets))
	offsets[letterPart] = offsets[wordPart] + int64(graph.Len())
	_ = binary.Write(&file, binary.LittleEndian, int32(len(offsets)))
	_ = binary.Write(&file, binary.LittleEndian, offsets)
	return append(append(file.Bytes(), graph.Bytes()...), letters...)
}

func read(t testing.TB, data []byte) (*Words, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a"+Suffix)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadWords(path)
}

var alphabet = []string{"NULL", "a", "A", "c", "C", "ß", "가", "s", "t", "'", "fi", "나"}

func TestWords(t *testing.T) {
	words, err := read(t, packed(alphabet, "cat", "cats", "Cat's", "ta", "가나", "CAß"))
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]bool{
		"cat": true, "CAT": true, "cAtS": true, "cat's": true, "ta": true, "가나": true, "caß": true,
		"": false, "ca": false, "catss": false, "at": false, "가": false, "나": false, "x": false, "cax": false, "cat ": false, "\xff": false,
	} {
		if got := words.Has(word); got != want {
			t.Errorf("Has(%q) is %v", word, got)
		}
	}
}

func TestNoWords(t *testing.T) {
	without := packed(alphabet, "cat")
	binary.LittleEndian.PutUint64(without[4+8*wordPart:], ^uint64(0))
	words, err := read(t, without)
	if err != nil || words != nil || words.Has("cat") {
		t.Errorf("of a file without words: %v, %v", words, err)
	}
}

// Whatever a file is cut to, it has the words or says what is wrong.
func TestCutFiles(t *testing.T) {
	whole := packed(alphabet, "cat", "cats")
	letters := int(binary.LittleEndian.Uint64(whole[4+8*letterPart:]))
	for n := range len(whole) {
		words, err := read(t, whole[:n])
		if n < letters && err == nil {
			t.Errorf("%d of %d bytes: no error, and words %v", n, len(whole), words)
		}
		words.Has("cats")
	}
	if _, err := ReadWords(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("of no file: %v", err)
	}
}

func FuzzWords(f *testing.F) {
	f.Add(packed(alphabet, "cat", "cats", "가나"), "cats")
	f.Fuzz(func(t *testing.T, data []byte, word string) {
		words, err := read(t, data)
		if err == nil {
			words.Has(word)
		}
	})
}

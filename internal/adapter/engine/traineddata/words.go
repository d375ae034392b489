package traineddata

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words are the words of one language. Safe for concurrent use. nil has no words.
//
// They are a graph whose edges are letters, in Tesseract's packed form (SquishedDawg in its dawg.h): an edge has the number of a
// letter, flags, and the number of the first edge of the node that it leads to. The edges of a node are adjacent; those of the root
// come first.
type Words struct {
	edges   []byte // 8 bytes for each
	letters map[rune][]uint64
	bits    int // of the number of a letter
}

// The flags of an edge, above the number of its letter.
const (
	lastOfNode = 1 << iota
	_          // it is for reading from the end
	endOfWord
	flagBits = iota
)

const (
	mark       = 42 // what the graph begins with
	headerSize = 10
	edgeSize   = 8
)

// ReadWords reads the word list of the network from a file. It returns nil if the file has none.
func ReadWords(path string) (*Words, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w, err := f.words()
	if err != nil {
		return nil, fmt.Errorf("the words of %s: %w", path, err)
	}
	return w, nil
}

func (f *File) words() (*Words, error) {
	graph, err := f.read(wordPart)
	if err != nil || graph == nil {
		return nil, err
	}
	names, err := f.read(letterPart)
	if err != nil || names == nil {
		return nil, err
	}
	if len(graph) < headerSize || binary.LittleEndian.Uint16(graph) != mark {
		return nil, errors.New("they are not a graph of letters")
	}
	w := &Words{edges: graph[headerSize:], letters: numbered(string(names))}
	w.bits = bits.Len32(binary.LittleEndian.Uint32(graph[2:]))
	if edges := binary.LittleEndian.Uint32(graph[6:]); w.count() < int(edges) {
		return nil, io.ErrUnexpectedEOF
	}
	return w, nil
}

// numbered are the numbers of letters, in lower case. The text has how many there are, and then a line for each, which begins with it.
func numbered(text string) map[rune][]uint64 {
	numbers := map[rune][]uint64{}
	count, rest, _ := strings.Cut(text, "\n")
	left, _ := strconv.Atoi(strings.TrimSpace(count))
	number := uint64(0)
	for line := range strings.Lines(rest) {
		if left--; left < 0 {
			break
		}
		letter, _, _ := strings.Cut(line, " ")
		if c, size := utf8.DecodeRuneInString(letter); size > 0 && size == len(letter) {
			numbers[unicode.ToLower(c)] = append(numbers[unicode.ToLower(c)], number)
		}
		number++
	}
	return numbers
}

func (w *Words) count() int                { return len(w.edges) / edgeSize }
func (w *Words) edge(i int) uint64         { return binary.LittleEndian.Uint64(w.edges[edgeSize*i:]) }
func (w *Words) letter(edge uint64) uint64 { return edge & (1<<w.bits - 1) }
func (w *Words) flags(edge uint64) uint64  { return edge >> w.bits & (1<<flagBits - 1) }

// next is the first edge of the node that an edge leads to; 0 where it leads to none.
func (w *Words) next(edge uint64) int { return int(edge >> (w.bits + flagBits)) }

// Has tells whether it contains a word, ignoring letter case.
func (w *Words) Has(word string) bool { return w != nil && w.ends(0, word) }

// ends tells whether the rest of a word leads to an end of words from the node with that first edge.
func (w *Words) ends(first int, rest string) bool {
	c, size := utf8.DecodeRuneInString(rest)
	numbers := w.letters[unicode.ToLower(c)]
	for i := first; i < w.count() && len(numbers) > 0; i++ {
		e := w.edge(i)
		if slices.Contains(numbers, w.letter(e)) {
			if size == len(rest) {
				if w.flags(e)&endOfWord != 0 {
					return true
				}
			} else if next := w.next(e); next > 0 && w.ends(next, rest[size:]) {
				return true
			}
		}
		if w.flags(e)&lastOfNode != 0 {
			break
		}
	}
	return false
}

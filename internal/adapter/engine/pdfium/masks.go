package pdfium

import (
	"bytes"
	"math"
	"strconv"
)

// pixelSize is the size of an image in pixels.
type pixelSize struct{ width, height int }

// maxMasks is how many images with masks are looked at.
const maxMasks = 10_000

// masks is what a file says of masks, which pdfium does not report. Dictionaries of images are never compressed, so they can be found in
// the bytes of the file.
type masks struct {
	finest map[pixelSize]pixelSize // that images of a size have
	others pixelSize               // the finest of images that do not say their own size
	drawn  bool                    // some may be of all that is drawn, and not of an image
}

// unsaid stands for the size of a mask that does not say its size.
var unsaid = pixelSize{math.MaxInt32, math.MaxInt32}

// of returns the size of the finest mask that an image of a size may have, or that of the image where that is finer.
func (m masks) of(image pixelSize) pixelSize { return image.and(m.finest[image]).and(m.others) }

// and is as fine as both.
func (s pixelSize) and(t pixelSize) pixelSize {
	return pixelSize{max(s.width, t.width), max(s.height, t.height)}
}

// masksOf finds the masks of a file. It is false where there are too many.
func masksOf(data []byte) (masks, bool) {
	m := masks{finest: map[pixelSize]pixelSize{}, drawn: bytes.Contains(data, []byte("/ObjStm"))} // in which other dictionaries are packed
	uses := append(maskUsesOf(data, "/SMask"), maskUsesOf(data, "/Mask")...)
	if len(uses) > maxMasks {
		return m, false
	}
	var objects map[int][]int
	for _, use := range uses {
		begin := bytes.LastIndex(data[:use.at], []byte(" obj"))
		if begin < 0 || !isImage(data[begin:]) {
			m.drawn = true
			continue
		}
		if objects == nil {
			objects = objectsOf(data)
		}
		finest := unsaid
		for n, at := range objects[use.object] {
			mask, known := sizeIn(data[at:])
			if !known {
				mask = unsaid
			}
			if n == 0 {
				finest = pixelSize{}
			}
			finest = finest.and(mask)
		}
		if image, known := sizeIn(data[begin:]); known {
			m.finest[image] = m.finest[image].and(finest)
		} else {
			m.others = m.others.and(finest)
		}
	}
	return m, true
}

// maskUse is where a name stands that is followed by the number of an object or, with number 0, by a dictionary.
type maskUse struct{ at, object int }

func maskUsesOf(data []byte, name string) (found []maskUse) {
	for at := 0; len(found) <= maxMasks; {
		i := bytes.Index(data[at:], []byte(name))
		if i < 0 {
			break
		}
		at += i + len(name)
		rest := bytes.TrimLeft(data[at:min(len(data), at+64)], " \t\r\n\f\x00")
		n, isNumber := numberIn(rest)
		if len(data) > at && !isRegular(data[at]) && (isNumber || bytes.HasPrefix(rest, []byte("<<"))) {
			found = append(found, maskUse{at - len(name), n})
		}
	}
	return found
}

// objectsOf returns where objects begin, by their numbers. What is later overwritten has several places.
func objectsOf(data []byte) map[int][]int {
	isDigit := func(b byte) bool { return '0' <= b && b <= '9' }
	objects := map[int][]int{}
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte(" obj"))
		if i < 0 {
			return objects
		}
		at += i + len(" obj")
		end := at - len(" obj")
		for end > 0 && isDigit(data[end-1]) { // the generation
			end--
		}
		for end > 0 && data[end-1] == ' ' {
			end--
		}
		begin := end
		for begin > 0 && isDigit(data[begin-1]) && end-begin < 10 {
			begin--
		}
		if n, err := strconv.Atoi(string(data[begin:end])); err == nil {
			objects[n] = append(objects[n], at)
		}
	}
}

// maxDictionary is how many bytes of an image's dictionary are looked at.
const maxDictionary = 4096

// isImage tells whether an object that begins there is an image, which has a width.
func isImage(data []byte) bool {
	data = data[:min(len(data), maxDictionary)]
	dictionary, _, _ := bytes.Cut(data, []byte("endobj"))
	dictionary, _, found := bytes.Cut(dictionary, []byte("stream"))
	return found && bytes.Contains(dictionary, []byte("/Width"))
}

// sizeIn returns the size in the dictionary of an image that begins there.
func sizeIn(data []byte) (pixelSize, bool) {
	data = data[:min(len(data), maxDictionary)]
	if dictionary, _, found := bytes.Cut(data, []byte("stream")); found && !bytes.Contains(dictionary, []byte("endobj")) {
		width, ok := entryOf(dictionary, "/Width")
		height, also := entryOf(dictionary, "/Height")
		return pixelSize{width, height}, ok && also
	}
	return pixelSize{}, false
}

// entryOf returns the number of an entry of a dictionary, which has to occur once and as a number.
func entryOf(dictionary []byte, name string) (int, bool) {
	_, rest, found := bytes.Cut(dictionary, []byte(name))
	if !found || bytes.Contains(rest, []byte(name)) {
		return 0, false
	}
	n, ok := numberIn(rest)
	after := bytes.TrimLeft(bytes.TrimLeft(rest, " \t\r\n\f\x000123456789"), " ")
	return n, ok && (len(after) == 0 || after[0] != 'R')
}

// numberIn returns the number that text begins with.
func numberIn(text []byte) (int, bool) {
	text = bytes.TrimLeft(text, " \t\r\n\f\x00")
	end := 0
	for end < len(text) && end < 10 && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(string(text[:end]))
	return n, err == nil
}

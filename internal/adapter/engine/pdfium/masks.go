package pdfium

import (
	"bytes"
	"strconv"
)

// pixelSize is the size of an image in pixels.
type pixelSize struct{ width, height int }

// maxMasks is how many images with masks are looked at.
const maxMasks = 10_000

// masksOf returns how fine the masks of images are that have one, by the sizes of the images: pdfium does not tell. Dictionaries of images
// are never packed, so they are in plain sight. It is false where a mask is of something else, such as of all that is drawn, or does not
// say its size in numbers.
func masksOf(data []byte) (map[pixelSize]pixelSize, bool) {
	uses := append(maskUsesOf(data, "/SMask"), maskUsesOf(data, "/Mask")...)
	if len(uses) == 0 {
		return nil, true
	}
	if len(uses) > maxMasks {
		return nil, false
	}
	objects := objectsOf(data)
	masks := map[pixelSize]pixelSize{}
	for _, use := range uses {
		begin := bytes.LastIndex(data[:use.at], []byte(" obj"))
		if begin < 0 {
			return nil, false
		}
		image, ok := sizeIn(data[begin:])
		for _, at := range objects[use.object] {
			mask, known := sizeIn(data[at:])
			ok = ok && known
			finest := masks[image]
			masks[image] = pixelSize{max(finest.width, mask.width), max(finest.height, mask.height)}
		}
		if !ok || len(objects[use.object]) == 0 {
			return nil, false
		}
	}
	return masks, true
}

// maskUse is where a name stands that the number of an object follows.
type maskUse struct{ at, object int }

func maskUsesOf(data []byte, name string) (found []maskUse) {
	for at := 0; len(found) <= maxMasks; {
		i := bytes.Index(data[at:], []byte(name))
		if i < 0 {
			break
		}
		at += i + len(name)
		if rest := data[at:]; len(rest) > 0 && !isRegular(rest[0]) {
			if n, ok := numberIn(rest); ok {
				found = append(found, maskUse{at - len(name), n})
			}
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

// entryOf returns the number of an entry of a dictionary, which is to be there once and as such.
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

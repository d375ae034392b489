package imagefile

import (
	"bufio"
	"encoding/binary"
	"io"
)

// Frames returns how many images a file shows one after the other, or has in a collection, of which ReadHeader returned h: its first one
// is what is read. It is 0 where there is no more than one. Of a file that breaks off it counts what is there.
func Frames(r io.ReaderAt, size int64, h Header) int {
	p := &headerReader{r: r, size: size}
	n := 0
	switch h.MediaType {
	case GIF:
		n = gifFrames(bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10))
	case WebP:
		p.webpChunks(func(kind string, _, _ int64) bool {
			if kind == "ANMF" {
				n++
			}
			return true
		})
	case PNG:
		p.pngChunks(func(kind string, at, _ int64) bool {
			if kind == "acTL" {
				n = int(p.num(at, 4, binary.BigEndian) & (1<<31 - 1))
			}
			return kind != "acTL"
		})
	case HEIC, AVIF:
		n = p.heifFrames()
	}
	if n < 2 || p.err != nil && h.MediaType == PNG {
		return 0
	}
	return n
}

// gifFrames counts the images of a GIF, whose data are blocks of up to 255 bytes (GIF89a, 15–26).
func gifFrames(r *bufio.Reader) (n int) {
	skip := func(n int) bool {
		skipped, _ := r.Discard(n)
		return skipped == n
	}
	colours := func(flags byte) int { // bytes of a table
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	blocks := func() bool {
		for {
			length, err := r.ReadByte()
			if err != nil || length == 0 {
				return err == nil
			}
			if !skip(int(length)) {
				return false
			}
		}
	}
	start := make([]byte, 13)
	if _, err := io.ReadFull(r, start); err != nil || !skip(colours(start[10])) {
		return 0
	}
	for {
		switch kind, _ := r.ReadByte(); kind {
		case ',':
			image := make([]byte, 9)
			if _, err := io.ReadFull(r, image); err != nil {
				return n
			}
			n++
			if !skip(colours(image[8])+1) || !blocks() {
				return n
			}
		case '!':
			if !skip(1) || !blocks() {
				return n
			}
		default: // the end, or damage
			return n
		}
	}
}

package imagefile

import (
	"bytes"
	"strings"
	"testing"
)

// Frames of animations are counted, and nothing else is; a file that breaks off has those that are there.
func TestFrames(t *testing.T) {
	const (
		gifStart = `"GIF89a" 0100 0100 80 00 00 000000 ffffff `
		loop     = `21 ff 0b "NETSCAPE2.0" 03 01 0000 00 `
		frame    = `21 f9 04 00 0100 00 00 2c 0000 0000 0100 0100 80 000000 ffffff 02 02 4401 00 ` // with colours of its own
		comment  = `21 fe 03 "abc" 01 "," 00 `
		webp     = `"RIFF" 00000000 "WEBPVP8X" 0a000000 02 000000 c70000 630000 "ANIM" 06000000 000000000000 `
		moving   = `"ANMF" 11000000 000000 000000 c70000 630000 000000 00 ff 00 `
		png      = `89 "PNG" 0d0a1a0a 0000000d "IHDR" 000000c8 00000064 0800000000 00000000 `
		pixels   = `00000000 "IDAT" 00000000 `
	)
	for name, c := range map[string]struct {
		file string
		want int
	}{
		"GIF":                        {gifStart + loop + frame + comment + frame + frame + "3b", 3},
		"GIF of one frame":           {gifStart + frame + comment + "3b", 0},
		"GIF without end":            {gifStart + frame + frame, 2},
		"GIF, cut off in a frame":    {gifStart + frame + frame[:len(frame)-8], 2},
		"GIF, cut off before a size": {gifStart + frame + "2c 0000", 0},
		"GIF with something else":    {gifStart + frame + frame + "77" + frame, 2},
		"WebP":                       {webp + moving + moving, 2},
		"WebP of one frame":          {webp + moving, 0},
		"WebP, still":                {`"RIFF" 00000000 "WEBPVP8L" 00000000 2f c7c01800`, 0},
		"PNG":                        {png + `00000008 "acTL" 00000005 00000000 00000000 ` + pixels, 5},
		"PNG, still":                 {png + pixels, 0},
		"PNG with a late word":       {png + pixels + `00000008 "acTL" 00000005 00000000 00000000`, 0},
		"PNG, cut off":               {png + `00000008 "acTL" 0000`, 0},
		"TIFF":                       {`"II*" 00 08000000`, 0},
	} {
		file := bytesOf(t, c.file)
		h := Header{MediaType: map[string]string{"G": GIF, "W": WebP, "P": PNG, "T": TIFF}[name[:1]]}
		if got := Frames(bytes.NewReader(file), int64(len(file)), h); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
		for n := range file {
			if got := Frames(bytes.NewReader(file[:n]), int64(n), h); got > max(c.want, 2) {
				t.Errorf("%s, cut off at %d: got %d", name, n, got)
			}
		}
	}
	many := append(bytesOf(t, gifStart), bytes.Repeat(bytesOf(t, frame), 100_000)...) // many more blocks than a header may have
	if got := Frames(bytes.NewReader(many), int64(len(many)), Header{MediaType: GIF}); got != 100_000 {
		t.Errorf("got %d frames of 100,000", got)
	}
	if got := Frames(strings.NewReader(""), 0, Header{MediaType: GIF}); got != 0 {
		t.Errorf("an empty file has %d frames", got)
	}
}

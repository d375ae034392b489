package worker

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/imagefile"
)

// Where libheif or a decoder of it is not there, everything else works, and files that need it say so.
func TestWithoutLibheif(t *testing.T) {
	absent, about := openHEIF([]string{"libheif-that-is-not-there.so.1"})
	if absent != nil || about.Library != "" || !strings.Contains(about.Missing, "libheif-that-is-not-there") {
		t.Errorf("got %+v", about)
	}
	if none, about := openHEIF(nil); none != nil || about.Missing == "" {
		t.Errorf("without a name got %+v", about)
	}
	onlyAVIF := &heifDecoder{formats: map[string]bool{imagefile.AVIF: true}}
	for name, want := range map[string]struct{ absent, partly string }{
		"heic-of-a-phone": {"HEIC needs libheif on the server, which is not there. Save the image as JPEG.",
			"HEIC needs a decoder for it in the server's libheif, which is not there. Save the image as JPEG."},
		"avif-gray": {"AVIF needs libheif on the server, which is not there. Save the image as JPEG.", ""},
	} {
		file, err := os.ReadFile("../testdata/formats/" + name)
		if err != nil {
			t.Fatal(err)
		}
		h, err := imagefile.ReadHeader(bytes.NewReader(file), int64(len(file)), 1e6)
		if err != nil {
			t.Fatal(err)
		}
		_, err = decode(file, h, 1, maxPixels, absent)
		if f := fault.Of(err); f == nil || f.Kind != fault.Unsupported || f.Code != codeWithout || f.Text != want.absent {
			t.Errorf("%s: got %v, want %q", name, err, want.absent)
		}
		if want.partly == "" {
			continue
		}
		if _, err = decode(file, h, 1, maxPixels, onlyAVIF); fault.Of(err) == nil || fault.Of(err).Text != want.partly {
			t.Errorf("%s without its decoder: got %v, want %q", name, err, want.partly)
		}
	}
}

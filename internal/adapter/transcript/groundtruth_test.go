package transcript

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/recognition"
)

// TestGroundTruth wants the lines of which every word was confirmed, and no others.
func TestGroundTruth(t *testing.T) {
	s := sample()
	s.Page = pagePNG(t)
	for i := range s.Run.Contents[0].Words[:2] {
		s.Run.Contents[0].Words[i].Confirmed = true
	}
	s.Run.Contents[0].Words[2].Confirmed = true // not all of its line
	s.Run.Contents[3].Confirmed = true
	file := export(t, recognition.FormatGroundTruth, s)
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	must(t, err)
	texts := map[string]string{}
	for _, f := range z.File {
		data, err := fs.ReadFile(z, f.Name)
		must(t, err)
		if bytes.HasPrefix(data, []byte("\x89PNG")) {
			data = []byte("png")
		}
		texts[f.Name] = string(data)
	}
	want := map[string]string{
		"lines/42-001-001.png": "png", "lines/42-001-001.gt.txt": "대한민국 만세\n",
		"lines/42-004-001.png": "png", "lines/42-004-001.gt.txt": "no boxes here\n",
		"lines/42-004-002.png": "png", "lines/42-004-002.gt.txt": "𝄞 emoji😀\n",
		"rec_gt.txt": "lines/42-001-001.png\t대한민국 만세\nlines/42-004-001.png\tno boxes here\nlines/42-004-002.png\t𝄞 emoji😀\n",
	}
	if d := cmp.Diff(want, texts); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

package imagefile

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
	"unicode/utf16"

	"glyphbox/internal/domain/fault"
)

func archive(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, name := range files {
		method := zip.Deflate
		if i == 0 {
			method = zip.Store
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(strings.TrimPrefix(name, "mimetype="))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// compound makes a compound file whose directory has one stream.
func compound(stream string) string {
	b := make([]byte, 512+2048)
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	b[30], b[48] = 9, 1 // sectors of 512 bytes, the directory in the second one
	for i, u := range utf16.Encode([]rune(stream)) {
		b[1024+2*i], b[1025+2*i] = byte(u), byte(u>>8)
	}
	return string(b)
}

func TestOfficeFilesAreNamed(t *testing.T) {
	hwpx := []byte(archive(t, "mimetype", "Contents/header.xml"))
	for file, want := range map[string]string{
		archive(t, "[Content_Types].xml", "word/document.xml"):                    "a Word document (DOCX)",
		archive(t, "[Content_Types].xml", "xl/workbook.xml"):                      "an Excel workbook (XLSX)",
		archive(t, "[Content_Types].xml", "ppt/presentation.xml"):                 "a PowerPoint presentation (PPTX)",
		archive(t, "version.xml", "Contents/section0.xml"):                        "an HWPX document",
		"PK\x03\x04" + strings.Repeat("\x00", 26) + "mimetypeapplication/hwp+zip": "an HWPX document",
		string(hwpx):                               "a ZIP archive or a document of an office program",
		compound("WordDocument"):                   "a Word document (DOC)",
		compound("\x05HwpSummaryInformation"):      "an HWP document",
		compound("Something"):                      "a document of an office program",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":         "a document of an office program",
		"HWP Document File V3.00 \x1a\x01\x02\x03": "an HWP document",
		"{\\rtf1\\ansi":                            "an RTF document",
	} {
		_, err := ReadHeader(strings.NewReader(file), int64(len(file)), 1e6)
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Unsupported || f.Text != "This is "+want+". Save it as PDF first." {
			t.Errorf("%.20q: got %v, want %q", file, err, want)
		}
	}
}

func TestIsPDF(t *testing.T) {
	png := string(bytesOf(t, `89 "PNG" 0d0a1a0a 0000000d "IHDR" 000000c8 00000064 0800000000 00000000`))
	for file, want := range map[string]bool{
		"%PDF-1.7\n": true, "\xef\xbb\xbf\n%PDF-1.4": true, strings.Repeat(" ", 1019) + "%PDF-": true,
		strings.Repeat(" ", 1020) + "%PDF-": false, "": false, "%PDF": false, png + "%PDF-": false,
	} {
		if got := IsPDF(strings.NewReader(file), int64(len(file))); got != want {
			t.Errorf("%.30q: got %v", file, got)
		}
	}
}

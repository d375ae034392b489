package imagefile

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
)

// officeFormat says what document of an office program a file is, in words that follow "This is", or "" if it is none.
func officeFormat(r io.ReaderAt, size int64, start []byte) string {
	has := func(magic string) bool { return bytes.HasPrefix(start, []byte(magic)) }
	switch {
	case has("PK\x03\x04"):
		return zipFormat(r, size)
	case has("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return compoundFormat(r, size)
	case has("{\\rtf"):
		return "an RTF document"
	case has("HWP Document File"):
		return "an HWP document"
	}
	return ""
}

// parts are names of files in ZIP archives, and what the archives are then.
var parts = []struct{ file, name string }{
	{"word/document.xml", "a Word document (DOCX)"}, {"xl/workbook.xml", "an Excel workbook (XLSX)"},
	{"ppt/presentation.xml", "a PowerPoint presentation (PPTX)"}, {"Contents/section0.xml", "an HWPX document"},
}

// mediaTypes are those that a ZIP archive may name in its first file, and what it is then.
var mediaTypes = []struct{ mediaType, name string }{
	{"application/hwp+zip", "an HWPX document"}, {"application/vnd.oasis.opendocument.text", "an OpenDocument text (ODT)"},
	{"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet (ODS)"},
	{"application/vnd.oasis.opendocument.presentation", "an OpenDocument presentation (ODP)"}, {"application/epub+zip", "an EPUB book"},
}

// listed is how many bytes at the end of a ZIP archive, which has a list of its files there, are looked at.
const listed = 64 << 10

// zipFormat says what a ZIP archive is. Nothing is unpacked: names are found as they stand.
func zipFormat(r io.ReaderAt, size int64) string {
	start := make([]byte, min(256, size))
	if n, _ := r.ReadAt(start, 0); n > 38 && bytes.HasPrefix(start[30:], []byte("mimetype")) {
		for _, m := range mediaTypes {
			if bytes.HasPrefix(start[38:n], []byte(m.mediaType)) {
				return m.name
			}
		}
	}
	list := make([]byte, min(listed, size))
	n, _ := r.ReadAt(list, size-int64(len(list)))
	for _, p := range parts {
		if bytes.Contains(list[:n], []byte(p.file)) {
			return p.name
		}
	}
	return "a ZIP archive or a document of an office program"
}

// streams are names of streams in compound files (MS-CFB), and what the files are then.
var streams = []struct{ name, format string }{
	{"WordDocument", "a Word document (DOC)"}, {"Workbook", "an Excel workbook (XLS)"},
	{"PowerPoint Document", "a PowerPoint presentation (PPT)"},
	{"HwpSummaryInformation", "an HWP document"}, {"EncryptedPackage", "an encrypted document of an office program"},
}

// compoundFormat says what a compound file is, by the names in the first sector of its directory.
func compoundFormat(r io.ReaderAt, size int64) string {
	const unknown = "a document of an office program"
	header := make([]byte, 76)
	if _, err := r.ReadAt(header, 0); err != nil {
		return unknown
	}
	shift := binary.LittleEndian.Uint16(header[30:])
	if shift != 9 && shift != 12 {
		return unknown
	}
	at := (int64(binary.LittleEndian.Uint32(header[48:])) + 1) << shift
	directory := make([]byte, 2048)
	n, _ := r.ReadAt(directory, min(at, size))
	for _, s := range streams {
		var name []byte
		for _, u := range utf16.Encode([]rune(s.name)) {
			name = binary.LittleEndian.AppendUint16(name, u)
		}
		if bytes.Contains(directory[:n], name) {
			return s.format
		}
	}
	return unknown
}

package overlay

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"glyphbox/internal/adapter/transcript/protocol"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// section is the last list of objects of a file.
type section struct {
	offset int64
	stream bool // it is a stream, so that what follows must be one too
}

var (
	startOfSection = regexp.MustCompile(`startxref\s+(\d+)\s*(?:%%EOF)?\s*$`)
	sectionStream  = regexp.MustCompile(`^\s*\d+\s+\d+\s+obj\b`)
)

// lastSection finds the last list of objects, and tells whether it is where the file says.
func lastSection(file []byte) (section, bool) {
	const tail, look = 2048, 64
	m := startOfSection.FindSubmatch(file[max(0, len(file)-tail):])
	if m == nil || !bytes.HasPrefix(file, []byte("%PDF-")) {
		return section{}, false
	}
	at, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil || at >= int64(len(file)) {
		return section{}, false
	}
	head := file[at:min(int64(len(file)), at+look)]
	switch {
	case bytes.HasPrefix(bytes.TrimLeft(head, " \r\n\t"), []byte("xref")):
		return section{offset: at}, true
	case sectionStream.Match(head):
		return section{offset: at, stream: true}, true
	}
	return section{}, false
}

// finish writes where all objects are.
func (u *update) finish() {
	at := u.at + int64(u.b.Len())
	if u.previous.stream {
		u.entries = append(u.entries, entry{u.next, 0, at})
		u.next++
	}
	// Of two of an object, the last one counts.
	slices.SortStableFunc(u.entries, func(a, b entry) int { return cmp.Compare(a.number, b.number) })
	last := u.entries[:0]
	for i, e := range u.entries {
		if i+1 == len(u.entries) || u.entries[i+1].number != e.number {
			last = append(last, e)
		}
	}
	u.entries = last
	trailer := fmt.Sprintf("/Size %d /Root %s /Prev %d", u.next, u.ctx.Root.PDFString(), u.previous.offset)
	if u.ctx.Info != nil {
		trailer += " /Info " + u.ctx.Info.PDFString()
	}
	if id := u.fileID(); id != "" {
		trailer += " /ID " + id
	}
	if u.previous.stream {
		u.finishWithStream(trailer)
	} else {
		u.finishWithTable(trailer)
	}
	fmt.Fprintf(&u.b, "startxref\n%d\n%%%%EOF\n", at)
}

func (u *update) finishWithTable(trailer string) {
	u.b.WriteString("xref\n")
	for _, run := range u.runs() {
		fmt.Fprintf(&u.b, "%d %d\n", run[0].number, len(run))
		for _, e := range run {
			fmt.Fprintf(&u.b, "%010d %05d n \n", e.offset, e.generation)
		}
	}
	fmt.Fprintf(&u.b, "trailer\n<< %s >>\n", trailer)
}

func (u *update) finishWithStream(trailer string) {
	var data bytes.Buffer
	index := ""
	number := 0
	for _, run := range u.runs() {
		index += fmt.Sprintf("%d %d ", run[0].number, len(run))
		for _, e := range run {
			number = e.number
			data.WriteByte(1)
			_ = binary.Write(&data, binary.BigEndian, e.offset) // a buffer takes everything
			_ = binary.Write(&data, binary.BigEndian, uint16(e.generation))
		}
	}
	packed := protocol.Deflated(data.Bytes())
	fmt.Fprintf(&u.b, "%d 0 obj\n<< /Type /XRef /W [1 8 2] /Index [%s] /Filter /FlateDecode /Length %d %s "+
		">>\nstream\n%s\nendstream\nendobj\n",
		number, bytes.TrimSpace([]byte(index)), len(packed), trailer, packed)
}

// runs are the entries in runs of following numbers.
func (u *update) runs() (runs [][]entry) {
	for i, e := range u.entries {
		if i == 0 || u.entries[i-1].number+1 != e.number {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], e)
	}
	return runs
}

// fileID is the two parts of the file's ID, of which the second one tells this file from the one before.
func (u *update) fileID() string {
	if len(u.ctx.ID) != 2 {
		return ""
	}
	first, err := u.ctx.IDFirstElement()
	if err != nil {
		return ""
	}
	second := types.NewHexLiteral(sum(u.b.Bytes()))
	return "[<" + hex.EncodeToString(first) + "> " + second.PDFString() + "]"
}

func sum(data []byte) []byte {
	s := sha256.Sum256(data)
	return s[:16]
}

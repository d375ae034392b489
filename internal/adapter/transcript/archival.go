package transcript

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"time"
)

// A file of images is PDF/A-2u (ISO 19005-2): it has its font and the meaning of its colours in it, says what each character is, and says
// in its metadata that it is such a file. Metadata and information agree.

// metadata is the XMP packet of a file.
func metadata(title, creator string, created time.Time) []byte {
	text := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s)) // a builder takes everything
		return b.String()
	}
	date := ""
	if !created.IsZero() {
		date = "<xmp:CreateDate>" + created.UTC().Format("2006-01-02T15:04:05Z") + "</xmp:CreateDate>\n"
	}
	return []byte("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + text(title) + `</rdf:li></rdf:Alt></dc:title>
<xmp:CreatorTool>` + text(creator) + `</xmp:CreatorTool>
` + date + `<pdf:Producer>` + producer + `</pdf:Producer>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`)
}

// sRGB is an ICC profile (ICC.1:2001-04) of the colour space that images of pages are in, IEC 61966-2-1.
var sRGB = makeProfile()

func makeProfile() []byte {
	fixed := func(values ...float64) (b []byte) { // s15Fixed16
		for _, v := range values {
			b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
		}
		return b
	}
	xyz := func(x, y, z float64) []byte { return append([]byte("XYZ \x00\x00\x00\x00"), fixed(x, y, z)...) }
	const name = "sRGB"
	description := append([]byte("desc\x00\x00\x00\x00\x00\x00\x00\x05"+name+"\x00"), make([]byte, 4+4+2+1+67)...)
	const steps = 1024
	curve := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), steps)
	for i := range steps {
		v := float64(i) / (steps - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		curve = binary.BigEndian.AppendUint16(curve, uint16(math.Round(v*math.MaxUint16)))
	}
	tags := []struct {
		signature string
		data      []byte
	}{
		{"desc", description},
		{"cprt", []byte("text\x00\x00\x00\x00No copyright\x00")},
		{"wtpt", xyz(0.9642, 1, 0.8249)}, // D50, to which the colours are adapted
		{"rXYZ", xyz(0.43607, 0.22249, 0.01392)},
		{"gXYZ", xyz(0.38515, 0.71687, 0.09708)},
		{"bXYZ", xyz(0.14307, 0.06061, 0.7141)},
		{"rTRC", curve}, {"gTRC", nil}, {"bTRC", nil}, // the same for all
	}
	const header = 128
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var body []byte
	at, size := 0, 0
	for _, t := range tags {
		if t.data != nil {
			at, size = header+4+12*len(tags)+len(body), len(t.data)
			body = append(body, t.data...)
			body = append(body, make([]byte, -len(body)&3)...)
		}
		table = append(table, t.signature...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))
		table = binary.BigEndian.AppendUint32(table, uint32(size))
	}
	profile := make([]byte, header, header+len(table)+len(body))
	binary.BigEndian.PutUint32(profile, uint32(header+len(table)+len(body)))
	copy(profile[8:], "\x02\x10\x00\x00mntrRGB XYZ ")
	for i, v := range []uint16{2026, 1, 1} {
		binary.BigEndian.PutUint16(profile[24+2*i:], v)
	}
	copy(profile[36:], "acsp")
	copy(profile[68:], fixed(0.9642, 1, 0.8249))
	return append(append(profile, table...), body...)
}

// outputIntent says what the colours of a file mean; profile is the object of the profile.
func outputIntent(profile int) string {
	return fmt.Sprintf("<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB) "+
		"/DestOutputProfile %d 0 R >>", profile)
}

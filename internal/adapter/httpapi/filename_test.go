package httpapi

import (
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"

	"glyphbox/client"
)

// Whatever the encoding of a name, the upload is kept, and the name is right where it can be known.
func TestForeignNames(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	for _, test := range []struct {
		encoding encoding.Encoding
		names    []string
	}{
		{korean.EUCKR, []string{"영수증.png", "2026년 11월 보고서 (최종).pdf", "견적서_홍길동.jpg", "똠방각하 1.png", "가.png", "계약서-A동.tif"}},
		{japanese.ShiftJIS, []string{"領収書.png", "テスト.png", "表.png", "請求書_2026年11月.jpg", "ソ.png", "見積書（最終）.tif", "こんにちは.png"}},
		{charmap.Windows1252, []string{"Größe.png", "café.png", "für Anna.jpg", "naïve.png", "Straße.png"}},
	} {
		for _, name := range test.names {
			raw, err := test.encoding.NewEncoder().String(name)
			if err != nil {
				t.Fatal(name, err)
			}
			part := "form-data; name=\"file\"; filename=\"" + raw + "\""
			got := read[client.Image](s.ask("POST", base+"/image", files(ann, formFile{disposition: part, data: page(8, 8)})).want(201))
			if got.Name != name {
				t.Errorf("%v: got %q, want %q", test.encoding, got.Name, name)
			}
		}
	}
	got := read[client.Image](s.ask("POST", base+"/image", files(ann,
		formFile{disposition: "form-data; name=\"file\"; filename=\"a\xff\x81.png\"", data: page(8, 8)})).want(201))
	if got.Name != "a\uFFFD.png" && got.Name != "a\uFFFD\uFFFD.png" {
		t.Errorf("mended as %q", got.Name)
	}
}

package upload

import "testing"

func TestFileNames(t *testing.T) {
	for disposition, want := range map[string]string{
		`filename="a.png"`:                                   "a.png",
		`filename=a.png`:                                     "a.png",
		`FileName = "a.png"`:                                 "a.png",
		`filename="a%22b%22.png"`:                            `a"b".png`,
		`filename="100%25.png"`:                              "100%25.png", // browsers leave the percent sign alone
		`filename="a%0D%0Ab.png"`:                            "a b.png",
		`filename="a\"b\\c.png"`:                             `a"b\c.png`,
		`filename="a;b, filename=c.png"`:                     "a;b, filename=c.png",
		`filename="=?UTF-8?B?7JiB7IiY7Kad?=.png"`:            "영수증.png",
		`filename="=?UTF-8?Q?=EC=98=81=EC=88=98=EC=A6=9D?="`: "영수증",
		"filename=\"\u1112\u1161\u11ab.png\"":                "한.png",
		"filename=\"invoice\u202Egnp.exe\"":                  "invoicegnp.exe",
		"filename=\"\u2066a\u2069\u200Fb\u061C.png\"":        "ab.png",
		"filename=\"\uFEFFa\u2028b.png\"":                    "a b.png",
		"filename=\"x\"; filename*=EUC-KR''%BF%B5%BC%F6":     "영수",
		`filename="x"; filename*=nonsense''%41`:              "x",
		`filename="x"; filename*=UTF-8''%zz`:                 "x",
		`filename*=utf-8'ko'%EC%98%81`:                       "영",
		``:                                                   "",
	} {
		if got := partFileName(`form-data; name="file"; `+disposition, ""); got != want {
			t.Errorf("%s: got %q, want %q", disposition, got, want)
		}
	}
	for disposition, want := range map[string]string{`form-data; name="file"; filename="name=x"`: "file",
		`form-data; filename="a name=x"; name=file`: "file",
		`form-data`: "", "form-data; filename=\"\x95\\\"; name=\"file\"": "file"} {
		if got := partName(disposition); got != want {
			t.Errorf("%s: got %q", disposition, got)
		}
	}
}

// FuzzFileName looks for names that break the parser or come out unfit for showing.
func FuzzFileName(f *testing.F) {
	f.Add("form-data; name=\"file\"; filename=\"\x95\\\"")
	f.Fuzz(func(t *testing.T, disposition string) {
		name := partFileName(disposition, "ja")
		if name != cleanName(name) {
			t.Errorf("%q became %q", disposition, name)
		}
		_, _ = partName(disposition), isFile(disposition)
	})
}

package worker

import (
	"strings"
	"testing"
)

func TestTheLanguageThatLeads(t *testing.T) {
	for lang, want := range map[string]string{
		"eng": "eng", "eng kor": "kor+eng", "kor eng": "kor+eng", "eng deu kor": "kor+deu+eng", "fra deu": "deu+fra", "eng eng": "eng",
		"eng script/Hangul": "script/Hangul+eng", "script/Latin jpn": "jpn+script/Latin",
	} {
		if got := langOrder(strings.Fields(lang)); got != want {
			t.Errorf("%s: got %s, want %s", lang, got, want)
		}
	}
}

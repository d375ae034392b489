package transcript

import (
	"slices"
	"strings"

	"golang.org/x/text/language"

	"glyphbox/internal/domain/recognition"
)

// tags are the codes of traineddata that are not ISO 639, with or without a script behind them.
var tags = map[string]string{
	"chi_sim": "zh-Hans", "chi_tra": "zh-Hant", "frk": "de-Latf", "deu_frak": "de-Latf", "deu_latf": "de-Latf", "dan_frak": "da-Latf",
	"slk_frak": "sk-Latf", "kur_ara": "ku-Arab", "equ": "", "osd": "",
}

// tag returns the BCP 47 tag of a language of Tesseract's, or "" where there is none: "ko" for "kor", "zh-Hans" for "chi_sim_vert".
func tag(lang string) string {
	lang = strings.TrimSuffix(lang, "_vert")
	if known, ok := tags[lang]; ok {
		return known
	}
	code, script, _ := strings.Cut(lang, "_")
	base, err := language.ParseBase(code)
	if err != nil || base.String() == "und" {
		return ""
	}
	if s, err := language.ParseScript(script); err == nil && script != "" { // what else is there, as in ita_old, is no script
		return base.String() + "-" + s.String()
	}
	return base.String()
}

// firstTag is the tag of the first language that has one.
func firstTag(langs []string) string {
	for _, l := range langs {
		if t := tag(l); t != "" {
			return t
		}
	}
	return ""
}

// langTags are the tags of all languages of a run, each one once.
func langTags(r recognition.Run) (all []string) {
	langs := slices.Clone(r.Lang)
	for _, c := range r.Contents {
		langs = append(langs, c.Lang...)
	}
	for _, l := range langs {
		all = addNew(all, tag(l))
	}
	return all
}

// addNew adds to a list what it does not have, but no empty text.
func addNew(list []string, more ...string) []string {
	for _, s := range more {
		if s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

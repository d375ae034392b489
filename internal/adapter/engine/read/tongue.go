package read

import (
	"slices"
	"strings"
	"unicode"
)

// Tongue is a script, and the languages that what is written in it is read in.
type Tongue struct {
	Script string   `json:"script"` // its name in Unicode, or Japanese
	Lang   []string `json:"lang"`   // at least one
}

const (
	latinScript  = "Latin"
	koreanScript = "Hangul"
)

// scripts are the scripts of Tesseract's languages, each with its languages, of which the most frequent is the first. All other languages
// are Latin.
var scripts = []struct {
	name  string
	codes []string
}{
	{latinScript, []string{"eng"}},
	{koreanScript, []string{"kor", "kor_vert"}},
	{"Japanese", []string{"jpn", "jpn_vert"}},
	{"Han", []string{"chi_sim", "chi_tra", "chi_sim_vert", "chi_tra_vert"}},
	{"Cyrillic", []string{"rus", "ukr", "bul", "bel", "srp", "mkd", "kaz", "mon", "kir", "tat", "tgk", "uzb_cyrl", "aze_cyrl"}},
	{"Arabic", []string{"ara", "fas", "urd", "pus", "uig", "snd", "kmr"}},
	{"Devanagari", []string{"hin", "mar", "nep", "san"}},
	{"Greek", []string{"ell", "grc"}},
	{"Hebrew", []string{"heb", "yid"}},
	{"Thai", []string{"tha"}},
	{"Bengali", []string{"ben", "asm"}},
	{"Tamil", []string{"tam"}},
	{"Telugu", []string{"tel"}},
	{"Kannada", []string{"kan"}},
	{"Malayalam", []string{"mal"}},
	{"Gujarati", []string{"guj"}},
	{"Gurmukhi", []string{"pan"}},
	{"Georgian", []string{"kat", "kat_old"}},
	{"Armenian", []string{"hye"}},
	{"Ethiopic", []string{"amh", "tir"}},
	{"Khmer", []string{"khm"}},
	{"Lao", []string{"lao"}},
	{"Myanmar", []string{"mya"}},
	{"Sinhala", []string{"sin"}},
	{"Tibetan", []string{"bod", "dzo"}},
	{"Oriya", []string{"ori"}},
	{"Syriac", []string{"syr"}},
	{"Thaana", []string{"div"}},
	{"Cherokee", []string{"chr"}},
	{"Canadian_Aboriginal", []string{"iku"}},
}

// scriptOf is the script that a language of Tesseract is written in; empty where that is not known.
func scriptOf(code string) string {
	for _, s := range scripts {
		if slices.Contains(s.codes, code) {
			return s.name
		}
	}
	if name := strings.TrimPrefix(code, "script/"); name != "" && unicode.IsUpper(rune(name[0])) { // "script/HanS_vert"
		name, _, _ = strings.Cut(name, "_")
		switch name {
		case "HanS", "HanT":
			return "Han"
		case "Vietnamese", "Fraktur":
			return latinScript
		}
		return name
	}
	if OtherScript(code) {
		return ""
	}
	return latinScript
}

// Tongues are what can be told apart among the installed languages: the scripts that they are written in, Latin first, each with one
// language, or with those that are named of it. Languages of one script cannot be told apart by it.
func Tongues(installed, named []string) (tongues []Tongue) {
	for _, s := range scripts {
		var lang []string
		for _, code := range named {
			if scriptOf(code) == s.name && slices.Contains(installed, code) {
				lang = append(lang, code)
			}
		}
		for _, code := range append(slices.Clone(s.codes), installed...) {
			if len(lang) == 0 && scriptOf(code) == s.name && slices.Contains(installed, code) {
				lang = []string{code}
			}
		}
		if len(lang) > 0 {
			tongues = append(tongues, Tongue{s.name, lang})
		}
	}
	return tongues
}

// usual is the language that most texts of a script are in; empty for one that is not known.
func usual(script string) string {
	for _, s := range scripts {
		if s.name == script {
			return s.codes[0]
		}
	}
	return ""
}

// own tells whether a letter is of a script, and of none that it has in common with others.
func own(script, text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool {
		if script == "Japanese" {
			return unicode.In(c, unicode.Hiragana, unicode.Katakana, unicode.Han)
		}
		table, ok := unicode.Scripts[script]
		return ok && unicode.Is(table, c)
	})
}

// covers tells whether the traineddata of a language reads a script, too.
func covers(code, script string) bool {
	switch s := scriptOf(code); s {
	case script, "":
		return true
	case "Japanese":
		return script == "Han"
	default:
		return script == latinScript && strings.Contains(code, s) // models of scripts read Latin letters, too
	}
}

// LangOf are the languages that a text is written in, by the scripts of its letters, the one with the most letters first; of no letters
// the first one.
func LangOf(text string, tongues []Tongue) (lang []string) {
	counts := make([]int, len(tongues))
	order := make([]int, len(tongues))
	for n, t := range tongues {
		order[n] = n
		for _, c := range text {
			if own(t.Script, string(c)) {
				counts[n]++
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return counts[b] - counts[a] })
	for _, n := range order {
		if counts[n] > 0 || len(lang) == 0 {
			lang = append(lang, tongues[n].Lang...)
		}
	}
	return lang
}

// OtherScript tells whether a language of Tesseract is not written in Latin letters.
func OtherScript(code string) bool {
	return otherScripts[code] || strings.HasPrefix(code, "script/") && code != "script/Latin"
}

// otherScripts are the languages of Tesseract that are not written in Latin letters.
var otherScripts = func() map[string]bool {
	set := map[string]bool{}
	for _, code := range strings.Fields(`amh ara asm aze_cyrl bel ben bod bul chi_sim chi_sim_vert chi_tra chi_tra_vert
		chr div dzo ell fas grc guj heb hin hye iku jpn jpn_vert kan kat kat_old kaz khm kir kmr kor kor_vert lao mal mar
		mkd mon mya nep ori pan pus rus san sin snd srp syr tam tat tel tgk tha tir uig ukr urd uzb_cyrl yid`) {
		set[code] = true
	}
	return set
}()

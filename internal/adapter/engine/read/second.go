package read

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"glyphbox/internal/domain/recognition"

	"golang.org/x/text/width"
)

// opinion is what the second recogniser says of a line, and how far the first one agrees.
type opinion struct {
	letters int     // that it read, or notAsked
	sure    float64 // mean of their probabilities
	agreed  float64 // share of the letters of the longer reading that both read
	first   float64 // mean of the probabilities of the first one's letters
}

// evidence is how strongly an opinion says that a line is text: 0 to 1 + agreeing.
func (o opinion) evidence() float64 { return o.sure + agreeing*o.agreed }

// notAsked is the number of letters of a recogniser that did not read the line.
const notAsked = -1

// ask has the second recogniser read a strip, once.
func (j *job) ask(second Scripted, t strip) ([]letter, error) {
	return once(&j.asked, t, func() ([]letter, error) { return j.second(second, t.gray, t.letters) })
}

// once reads a strip that was not read yet, and keeps the reading.
func once(known *map[*uint8][]letter, t strip, read func() ([]letter, error)) ([]letter, error) {
	key := &t.gray.Pix[0]
	line, is := (*known)[key]
	if !is {
		var err error
		if line, err = read(); err != nil {
			return nil, err
		}
		if *known == nil {
			*known = map[*uint8][]letter{}
		}
		(*known)[key] = line
	}
	return slices.Clone(line), nil
}

// A line that only the second recogniser is asked for.
const (
	sureOfAll = 0.95 // the least probability of its letters
	unasked   = 0.97 // what the first one's confidence counts as, by how often words of such lines are right
)

// bySecond reads a strip by the second recogniser, and gives nothing where the first one may know better: where a letter or a space is in
// doubt, or where there is ink that was passed over.
func (j *job) bySecond(t strip) ([]letter, error) {
	second := j.reads("Latin")
	if j.task.Effort != recognition.EffortAccurate || second == nil || j.chooses || !readable(j.task.Lang) || unfamiliar(j.task.Lang) {
		return nil, nil
	}
	line, err := j.ask(second, t)
	if err != nil || len(line) < shortest || repeated(line) || slices.ContainsFunc(expected(line, j.task.Lang), func(l letter) bool {
		return l.word < sureOfAll || l.gap >= spaceFrom && !l.space
	}) {
		return nil, err
	}
	if _, covered := j.inked(t, line); !covered {
		return nil, nil
	}
	for i, l := range line {
		line[i].word = agreed(unasked, l.prob)
	}
	return j.inKnownWords(nil, line), nil
}

// settled tells whether a further look of the first recogniser would change nothing: the second one is asked about a line, and knows better
// if it knows all letters that may be there, or is sure of common ones.
func (j *job) settled(t strip, first []letter) (bool, error) {
	second := j.reads("Latin")
	if second == nil || !readable(j.task.Lang) {
		return false, nil
	}
	if !unfamiliar(j.task.Lang) {
		return true, nil
	}
	if slices.ContainsFunc(first, func(l letter) bool { return hangul(l.text) }) {
		return false, nil
	}
	line, err := j.ask(second, t) // it passes over Korean letters
	return len(line) > 0 && !slices.ContainsFunc(line, func(l letter) bool { return l.prob < doubt || !plain(l.text) }), err
}

// sure tells whether a strip is read so surely that the second recogniser is not asked.
func (j *job) sure(t strip, line []letter) bool {
	switch {
	case len(line) == 0:
		return false
	case j.task.Effort == recognition.EffortFast:
		return j.oneLook(line) && j.believableAlone(t, line)
	case j.task.Effort == recognition.EffortBalanced:
		return sureness(line) >= gate
	}
	return j.page && sureness(line) >= pageGate
}

// again has the second recogniser read a line, and fuses both readings.
func (j *job) again(t strip, first []letter) ([]letter, error) {
	j.heard = opinion{letters: notAsked, sure: sureness(expected(first, j.task.Lang)), first: clarity(first)}
	if j.sure(t, first) {
		return first, nil
	}
	korean := korean(j.task.Lang)
	second := j.reads("Latin")
	if korean {
		if all := j.reads("Hangul"); all != nil {
			second, korean = all, false
		}
	}
	if second == nil || !readable(j.task.Lang) {
		return first, nil
	}
	koreanLetters := 0
	for _, l := range first {
		if hangul(l.text) {
			koreanLetters++
		}
	}
	if korean && koreanLetters > 0 {
		return j.runs(t, first, second)
	}
	line, err := j.ask(second, t)
	if err != nil {
		return nil, err
	}
	if korean && len(line) > 0 {
		other, err := j.syllables(t, first, t.passedOver(first, line))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(other, func(l letter) bool { return hangul(l.text) }) {
			return j.runs(t, other, second)
		}
	}
	j.heard.letters, j.heard.agreed = len(line), inCommon(first, line)
	j.heard.sure = sureness(expected(line, j.task.Lang))
	if korean {
		if len(line) == 0 { // it may be Korean
			j.heard.letters = notAsked
		}
		if !certainlyHan(line) && slices.ContainsFunc(line, func(l letter) bool { return !plain(l.text) }) {
			return first, nil
		}
	}
	if line, err = j.closer(t, first, line, second); err != nil {
		return nil, err
	}
	j.note(recognition.Agreement(textOf(first), textOf(line)), len(line))
	if j.heard.sure == 0 && len(line) > 0 { // it takes what it does not know for Chinese
		if sureness(first) >= perhaps || !certainlyHan(line) {
			return first, nil
		}
		j.heard.sure = sureness(line)
		return line, nil
	}
	return j.inKnownWords(first, fuse(first, line, j.task.Lang)), nil
}

// Where the second recogniser looks twice.
const (
	disputable = 0.9 // its probability where the first one reads something else, up to which it does
	besides    = 0.3 // what the first one's word is worth then
)

// closer has the second recogniser read a line again with less paper above and below, so that letters are larger, where both disagree about
// letters of which it is not sure. Of its two readings that one counts which is nearer to the first one's, or the surer one; a letter
// is given up only for the first one's sake.
func (j *job) closer(t strip, first, line []letter, second Scripted) ([]letter, error) {
	inset := t.gray.Height / 10
	inDispute := func(s stretch) bool { return !s.same && least(line, s.b1, s.b2, ofLetter) <= disputable }
	if j.task.Effort != recognition.EffortAccurate || inset == 0 || len(line) == 0 || len(first) == 0 ||
		!slices.ContainsFunc(align(first, line), inDispute) {
		return line, nil
	}
	other, err := j.second(second, t.gray.crop(0, inset, t.gray.Width, t.gray.Height-inset), t.letters)
	if err != nil {
		return nil, err
	}
	var best []letter
	for _, s := range align(line, other) {
		if s.same {
			best = append(best, line[s.a1:s.a2]...)
			continue
		}
		nearer := differing(first, line) - differing(first, slices.Concat(line[:s.a1], other[s.b1:s.b2], line[s.a2:]))
		gain := least(other, s.b1, s.b2, ofLetter) - least(line, s.a1, s.a2, ofLetter)
		if nearer > 0 && gain > -besides || s.b2-s.b1 >= s.a2-s.a1 && (nearer == 0 && gain > 0 || gain > besides) {
			best = append(best, other[s.b1:s.b2]...)
		} else {
			best = append(best, line[s.a1:s.a2]...)
		}
	}
	return best, nil
}

// ofLetter and ofWord are how sure a letter is by itself, and by its word.
func ofLetter(l letter) float64 { return l.prob }
func ofWord(l letter) float64   { return l.word }

// least is how sure the least sure one of letters line[from:to] is, or of those beside that place where there are none.
func least(line []letter, from, to int, sure func(letter) float64) float64 {
	if from == to {
		from, to = max(0, from-1), min(len(line), to+1)
	}
	p := 1.0
	for _, l := range line[from:to] {
		p = min(p, sure(l))
	}
	return p
}

// differing is how many letters of two readings differ.
func differing(a, b []letter) (n int) {
	for _, s := range align(a, b) {
		if !s.same {
			n += max(s.a2-s.a1, s.b2-s.b1)
		}
	}
	return n
}

// expected is a line in which no letter is sure that is in no script of the languages: Chinese and Japanese ones where neither is wanted,
// and parts of Korean syllables.
func expected(line []letter, lang []string) []letter {
	han := han(lang)
	line = slices.Clone(line)
	for i, l := range line {
		if strings.ContainsFunc(l.text, func(c rune) bool {
			return ofSyllable(c) || !han && unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana)
		}) {
			line[i].word = 0
		}
	}
	return line
}

// runs has the second recogniser read what is not Hangul in a line.
func (j *job) runs(t strip, first []letter, second Scripted) (line []letter, err error) {
	runs, err := j.foreign(t, first, second)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(runs, func(r another) bool { return denied(first[r.from:r.to], r.second) }) {
		other, err := j.inKorean(t, first)
		if err != nil {
			return nil, err
		}
		if len(other) > 0 {
			first = other
			if runs, err = j.foreign(t, first, second); err != nil {
				return nil, err
			}
		}
	}
	maybe := make([]bool, len(first))
	for _, run := range runs {
		copy(maybe[run.from:], t.passedOver(first[run.from:run.to], run.second))
	}
	more, err := j.syllables(t, first, maybe)
	if err != nil {
		return nil, err
	}
	if textOf(more) != textOf(first) {
		first = more
		if runs, err = j.foreign(t, first, second); err != nil {
			return nil, err
		}
	}
	at, doubt := 0, 0.0
	for _, run := range runs {
		line = append(line, first[at:run.from]...)
		at = run.to
		doubt += (sureness(first[run.from:run.to]) - sureness(expected(run.second, j.task.Lang))) * float64(run.to-run.from)
		letters, _ := replace(first[run.from:run.to], run.second)
		line = append(line, letters...)
	}
	j.heard.sure = sureness(expected(first, j.task.Lang)) - doubt/float64(max(1, len(first)))
	if syllables := slices.DeleteFunc(slices.Clone(first), func(l letter) bool { return !hangul(l.text) }); len(syllables) >= shortest {
		j.heard.sure = max(j.heard.sure, sureness(expected(syllables, j.task.Lang)))
	}
	if line, err = j.hanja(t, append(line, first[at:]...), second); err != nil {
		return nil, err
	}
	return j.inKnownWords(first, line), nil
}

// foreign are the runs of a line that are not Hangul, read by the second recogniser.
func (j *job) foreign(t strip, first []letter, second Scripted) ([]another, error) {
	runs := foreign(first, float64(t.gray.Width), float64(t.gray.Height))
	for k, run := range runs {
		read, err := j.secondBetween(second, t, int(run.x1), int(math.Ceil(run.x2)), run.to-run.from)
		if err != nil {
			return nil, err
		}
		runs[k].second = run.trimmed(first[run.from:run.to], read)
	}
	return runs, nil
}

// secondBetween has the second recogniser read the columns from left up to right of a strip, which has about so many letters there.
func (j *job) secondBetween(second Scripted, t strip, left, right, letters int) ([]letter, error) {
	read, err := j.second(second, t.gray.crop(left, 0, right, t.gray.Height), letters)
	for i := range read {
		read[i].x1, read[i].x2 = read[i].x1+float64(left), read[i].x2+float64(left)
	}
	return read, err
}

// denied tells whether the second recogniser passes over letters of a run: they may be Hangul.
func denied(run, second []letter) bool {
	return slices.ContainsFunc(align(run, second), func(s stretch) bool {
		return !s.same && s.a2-s.a1 > s.b2-s.b1+1 && worded(run[s.a1:s.a2])
	})
}

// inKorean has the first recogniser read a line in Korean alone, where it was read in further languages. It is empty where that is less
// sure, or gives no more Hangul.
func (j *job) inKorean(t strip, line []letter) ([]letter, error) {
	other, err := j.koreanAlone(t)
	count := func(line []letter) (n int) {
		for _, l := range line {
			if l.hangul() {
				n++
			}
		}
		return n
	}
	if err != nil || count(other) <= count(line) || sureness(other) < sureness(line)-0.1 {
		return nil, err
	}
	return other, nil
}

// koreanAlone is a line as the first recogniser reads it in Korean alone, once, where it may be in further languages.
func (j *job) koreanAlone(t strip) ([]letter, error) {
	lang := slices.DeleteFunc(slices.Clone(j.task.Lang), func(code string) bool { return !korean([]string{code}) })
	if len(lang) == len(j.task.Lang) || j.In == nil {
		return nil, nil
	}
	was := j.Engine
	defer func() { j.Engine = was }()
	var err error
	if j.Engine, err = j.In(lang); err != nil {
		return nil, err
	}
	return once(&j.alone, t, func() ([]letter, error) { return j.glance(t, looks[0], recognition.ShapeLine, j.task.Charset) })
}

func (j *job) second(r Scripted, g Gray, letters int) ([]letter, error) {
	j.passes++
	chars, err := r.Read(g.Colour(), letters, j.task.Charset)
	if j.task.Charset == "" && !han(j.task.Lang) {
		for i := range chars {
			chars[i] = halfwidth(chars[i])
		}
	}
	return charsOf(chars, r.Name()), err
}

// halfwidth is a character as it is written outside of Chinese and Japanese texts, which have wide forms of Latin letters and marks.
func halfwidth(c Char) Char {
	c.Text = width.Fold.String(c.Text)
	for i, g := range c.Instead {
		c.Instead[i].Text = width.Fold.String(g.Text)
	}
	for i, g := range c.Behind {
		c.Behind[i].Text = width.Fold.String(g.Text)
	}
	return c
}

// reads is the recogniser that reads a script, or nil.
func (j *job) reads(script string) Scripted {
	for _, r := range j.Second {
		if slices.Contains(r.Scripts(), script) {
			return r
		}
	}
	return nil
}

// korean tells whether a text may be Korean.
func korean(lang []string) bool {
	return slices.ContainsFunc(lang, func(code string) bool { return strings.HasPrefix(code, "kor") || code == "script/Hangul" })
}

// accented tells whether all languages have Latin letters, and one may have other letters than English.
func accented(lang []string) bool {
	return !slices.ContainsFunc(lang, OtherScript) && slices.ContainsFunc(lang, func(code string) bool { return code != "eng" })
}

// unfamiliar tells whether a text may have letters that the second recogniser of Latin letters does not know, or hardly.
func unfamiliar(lang []string) bool { return korean(lang) || accented(lang) }

// han tells whether a text may have Chinese characters.
func han(lang []string) bool {
	return slices.ContainsFunc(lang, func(code string) bool { return strings.HasPrefix(code, "chi_") || strings.HasPrefix(code, "jpn") })
}

// readable tells whether all languages are written in Latin letters, Chinese, Japanese or Korean.
func readable(lang []string) bool {
	for _, code := range lang {
		if OtherScript(code) && !strings.HasPrefix(code, "kor") && !strings.HasPrefix(code, "chi_") && !strings.HasPrefix(code, "jpn") &&
			code != "script/Hangul" {
			return false
		}
	}
	return true
}

// certainlyHan tells whether a line is certainly Chinese, though another language was asked for: of other scripts the second recogniser is
// not sure of several letters in a row.
func certainlyHan(line []letter) bool {
	return len(line) >= 2 && !slices.ContainsFunc(line, func(l letter) bool { return !sureHan(l) })
}

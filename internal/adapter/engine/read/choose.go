package read

import (
	"cmp"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/recognition"
)

// The language of a line is detected as docs/adr/0046-languages-by-script.md says.
const (
	certain       = 0.80 // confidence of a line in Latin letters from which no other tongue is asked
	weak          = 0.70 // confidence of one of its words below which others are asked all the same
	perhaps       = 0.60 // confidence of a line from which the second recogniser may say that it is Latin
	byOther       = 0.95 // that one's mean probability from which it does
	mostTongues   = 3    // besides the first one that are asked; of more, the shape of the letters tells which
	dense         = 1.95 // strokes above one another from which Korean is asked first
	denseMaybe    = 1.80 // the same, from which a text may be Korean that cannot be read
	ownSure       = 0.80 // mean confidence of letters of a script from which they are believed
	ownMaybe      = 0.35 // the same where the line as a whole is read as surely as ownLine
	ownLine       = 0.60
	ownLonely     = 0.88 // the same of a single letter
	ownShare      = 0.30 // of the letters of a line that are of the script, from which the line is certainly of it
	doubtfulBelow = 0.75 // confidence of a line below which languages that a task names may not be its own
	latinWord     = 6    // Latin letters of a line that are enough to say that it is written in them
	fewestRare    = 150  // the same where Korean is installed
	fewest        = 20   // letters of a region from which a language may be said to be missing
)

// choice is what a job knows of the languages of its region.
type choice struct {
	chooses  bool        // the task leaves the languages open
	tongue   int         // of Tongues, that is spoken, where it does
	verdicts map[int]int // tongues of the lines that were probed
	shaped   *string     // the script that the shape of the letters tells, once it was asked for
	used     []string    // languages of the lines that were read
	doubts
}

// doubts are lines that were read badly in the languages that the task names.
type doubts struct {
	letters, doubtful int // of all lines, and of those that were read badly
	doubted           []reading
}

// choose begins with the first tongue where the task leaves the languages open.
func (j *job) choose() error {
	if len(j.Tongues) > 0 && slices.Contains(j.task.Lang, recognition.AutoLang) {
		j.chooses = true
		return j.speak(0)
	}
	return nil
}

// possible are the languages that a region may be written in, where some are asked for.
func (r Reader) possible(lang []string) []string {
	if !slices.Contains(lang, recognition.AutoLang) {
		return lang
	}
	var all []string
	for _, t := range r.Tongues {
		all = append(all, t.Lang...)
	}
	return all
}

// spoken is a tongue by its number. Numbers from that of the tongues on are the same tongues with the first one beside them.
func (j *job) spoken(tongue int) Tongue {
	t := j.Tongues[tongue%len(j.Tongues)]
	if tongue >= len(j.Tongues) {
		t.Lang = append(slices.Clone(t.Lang), j.Tongues[0].Lang...)
	}
	return t
}

// speak makes a tongue the present one, in which the next strips are read.
func (j *job) speak(tongue int) error {
	t := j.spoken(tongue)
	e, err := j.In(t.Lang)
	if err == nil {
		j.Engine, j.task.Lang, j.tongue = e, t.Lang, tongue
	}
	return err
}

// others are the tongues that are asked where a line is not certainly written in the present one.
func (j *job) others() (tongues []int) {
	for n, t := range j.Tongues {
		if !slices.ContainsFunc(j.task.Lang, func(code string) bool { return covers(code, t.Script) }) {
			tongues = append(tongues, n)
		}
	}
	if len(tongues) <= mostTongues {
		return tongues
	}
	looks := j.looksLike()
	slices.SortStableFunc(tongues, func(a, b int) int { // what it looks like first, then as they are
		return cmp.Compare(j.Tongues[b].rank(looks), j.Tongues[a].rank(looks))
	})
	return tongues[:mostTongues]
}

// rank is higher for a script than for others.
func (t Tongue) rank(script string) int {
	if t.Script == script {
		return 1
	}
	return 0
}

// looksLike is the script that the shape of the letters of the region tells; empty where it does not.
func (j *job) looksLike() string {
	if j.Script == nil || j.scene == nil {
		return ""
	}
	if j.shaped == nil {
		sheet, _ := j.scene.sheetOf(j.piece)
		name := j.Script(sheet.border(borderWidth, j.scene.paper))
		j.shaped = &name
	}
	return *j.shaped
}

// hear reads a strip at one look in the present tongue and, if that is not certainly the right one, in others. Afterwards the right one is
// spoken.
func (j *job) hear(t strip) (line []letter, err error) {
	if j.chooses {
		if err := j.speak(j.first(t)); err != nil {
			return nil, err
		}
	}
	if line, err = j.glance(t, looks[0], recognition.ShapeLine, j.task.Charset); err != nil || !j.chooses {
		return line, err
	}
	if j.plainly(line) {
		return j.mix(t, line)
	}
	if j.spoken(j.tongue).Script == latinScript && sureness(line) >= perhaps {
		if latin, err := j.latinOnly(t, line); latin || err != nil {
			return line, err
		}
	}
	return j.askOthers(t, line)
}

// latinOnly tells whether the second recogniser is sure that a line is what it reads like in Latin letters. It passes over letters that it
// does not know, so it has to read as many.
func (j *job) latinOnly(t strip, line []letter) (bool, error) {
	r := j.reads("Latin")
	if r == nil || j.task.Effort == recognition.EffortFast || j.Tongues[0].Script != latinScript {
		return false, nil
	}
	read, err := j.ask(r, t)
	if err != nil {
		return false, err
	}
	sum := 0.0
	for _, l := range read {
		if !plain(l.text) {
			return false, nil
		}
		sum += l.prob
	}
	return len(read) >= len(line) && sum >= byOther*float64(len(read)), nil
}

// first is the tongue that a strip is heard in first: Korean where its strokes stand as densely as those of syllables.
func (j *job) first(t strip) int {
	korean := slices.IndexFunc(j.Tongues, func(t Tongue) bool { return t.Script == koreanScript })
	if korean >= 0 && t.strokes() >= dense {
		return korean
	}
	return 0
}

// strokes is how many strokes stand above one another in a strip, on the mean of its columns with ink.
func (t strip) strokes() float64 {
	middle := t.middle(t.gray)
	g := t.gray
	if n := int(t.letter / looks[0].letter); n > 1 { // noise of photos would count
		g = g.shrink(n)
	}
	strokes, columns := 0, 0
	for x := range g.Width {
		before, dark := strokes, false
		for i := x; i < len(g.Pix); i += g.Width {
			was := dark
			if dark = g.Pix[i] < middle; dark && !was {
				strokes++
			}
		}
		if strokes > before {
			columns++
		}
	}
	return float64(strokes) / float64(max(1, columns))
}

// speakMost speaks the tongue that has the most letters, the first one of several.
func (j *job) speakMost(letters map[int]int) error {
	if !j.chooses {
		return nil
	}
	var most, mixed int
	sums := make([]int, len(j.Tongues))
	for n, count := range letters {
		sums[n%len(sums)] += count
		if n >= len(sums) {
			mixed += count
		}
	}
	for n := range sums {
		if sums[n] > sums[most] {
			most = n
		}
	}
	if most > 0 && mixed+sums[0] > 0 { // an image of several lines has some in Latin letters
		most += len(sums)
	}
	return j.speak(most)
}

// line reads a strip by both recognisers. What was probed is what the first look gave in a tongue, if there was one.
func (j *job) line(t strip, shape recognition.Shape, probed []letter, tongue int) (reading, error) {
	if !j.chooses {
		line, err := j.bySecond(t)
		if err != nil || len(line) > 0 {
			j.heard = opinion{letters: len(line), sure: sureness(line)}
			j.doubt(t, line, line)
			return reading{t, line, j.task.Lang}, err
		}
		first, err := j.strip(t, shape, probed)
		if err != nil {
			return reading{}, err
		}
		return j.inPresent(t, first)
	}
	lead := j.tongue
	var err error
	if len(probed) > 0 {
		err = j.speak(tongue)
	} else {
		probed, err = j.hear(t)
	}
	if err != nil {
		return reading{}, err
	}
	return j.aside(t, shape, probed, lead)
}

// inPresent reads a strip by the second recogniser, of which first is what the first one read in the present languages.
func (j *job) inPresent(t strip, first []letter) (reading, error) {
	line, err := j.again(t, first)
	j.doubt(t, first, line)
	return reading{t, line, j.task.Lang}, err
}

// aside reads a strip in the present tongue, and speaks the one that leads afterwards.
func (j *job) aside(t strip, shape recognition.Shape, probed []letter, lead int) (reading, error) {
	r, err := j.inTongue(t, shape, probed)
	j.doubt(t, probed, r.line)
	if err != nil {
		return r, err
	}
	return r, j.speak(lead)
}

// inTongue reads a strip in the present tongue, and in another one where the second recogniser sees nothing at all that the first one read.
func (j *job) inTongue(t strip, shape recognition.Shape, probed []letter) (reading, error) {
	for again := false; ; again = true {
		line, err := j.strip(t, shape, probed)
		if err == nil {
			line, err = j.again(t, line)
		}
		r := reading{t, line, j.task.Lang}
		if err != nil || again || j.heard.letters != 0 || len(line) == 0 || !j.plainly(probed) { // else others were asked
			return r, err
		}
		was := j.tongue
		if probed, err = j.askOthers(t, probed); err != nil || j.tongue == was {
			j.heard.letters = 0
			return r, err
		}
	}
}

// listed reads a line again that the engine has found and read in an image of several.
func (j *job) listed(t strip, line []letter) (reading, error) {
	if !j.chooses {
		return j.inPresent(t, line)
	}
	lead := j.tongue
	ink, covered := j.inked(t, line)
	var other []letter
	var err error
	switch {
	case !covered:
		if other, err = j.hear(ink); err == nil && len(other) <= len(line) {
			other, err = nil, j.speak(lead)
		}
	case !j.plainly(line):
		if other, err = j.askOthers(ink, line); err == nil && j.tongue == lead {
			other = nil
		}
	}
	if err != nil {
		return reading{}, err
	}
	if len(other) > 0 {
		return j.aside(ink, recognition.ShapeLine, other, lead)
	}
	return j.inPresent(t, line)
}

// inked returns the strip of the line of the ink that belongs to a line of the engine, and whether all of its ink has letters: an engine
// skips what it cannot read, and its places are inexact. If there is no such line, it returns the engine's strip.
func (j *job) inked(t strip, line []letter) (ink strip, covered bool) {
	if j.scene == nil {
		return t, true
	}
	x1, x2 := t.origin.X, t.origin.X+float64(t.gray.Width)
	middle := t.at(Point{(x2 - x1) / 2, float64(t.gray.Height) / 2})
	f := float64(j.scene.factor)
	for k, l := range j.lines {
		y := middle.Y/f - l.slope*middle.X/f
		if y < l.top || y > l.bottom || f*l.x1 > x2 || f*l.x2 < x1 || f*(l.x2-l.x1) > 3*(x2-x1) {
			continue
		}
		bare := 0
		for _, n := range l.parts {
			p := j.scene.parts[n]
			x := f*float64(p.x1+p.x2)/2 - x1
			if f*float64(p.height()) > 0.4*t.letter && !readAt(line, x, t.letter/2) {
				bare++
			}
		}
		return j.cut(k), bare < 2
	}
	return t, true
}

// credible tells whether a line is text in the languages that it was read in.
func (j *job) credible(r reading) bool {
	lang := j.task.Lang
	defer func() { j.task.Lang = lang }()
	j.task.Lang = r.lang
	return j.believable(r.strip, r.line)
}

// uses notes languages that a line was read in.
func (j *job) uses(lang []string) {
	for _, code := range lang {
		if j.chooses && !slices.Contains(j.used, code) {
			j.used = append(j.used, code)
		}
	}
}

// doubt notes how a line was read in languages that the task names. first is what the engine read of it.
func (j *job) doubt(t strip, first, line []letter) {
	if len(j.Tongues) == 0 {
		return
	}
	letters := max(1, len(first))
	j.letters += letters
	foreign := slices.ContainsFunc(line, func(l letter) bool {
		return slices.ContainsFunc(j.Tongues, func(t Tongue) bool { return own(t.Script, l.text) && !j.names(t.Script) })
	})
	heard := j.heard.letters >= max(len(first), shortest) && j.heard.sure >= byOther || // whatever the first one makes of it
		j.heard.letters == notAsked && len(first) >= shortest && clarity(first) >= clearOfAnyone
	if (sureness(line) >= doubtfulBelow && sureness(first) >= doubtfulBelow && j.heard.letters != 0 || heard) && !foreign {
		return
	}
	for _, t := range j.Tongues {
		if t.Script != latinScript && j.names(t.Script) && believed(first, t.Script) { // bad print
			return
		}
	}
	j.doubtful += letters
	j.doubted = append(j.doubted, reading{t, first, nil})
}

// longest returns the lines of the region with the most letters at the first look, or those in doubt if the ink has no lines. An engine
// that cannot read a script does not find its letters either, so the lines that it found do not count.
func (j *job) longest() ([]reading, error) {
	if len(j.lines) == 0 || j.scene == nil {
		return j.doubted[:min(probes, len(j.doubted))], nil
	}
	if len(j.probed) == 0 {
		if _, err := j.probe(); err != nil {
			return nil, err
		}
	}
	var lines []reading
	for _, k := range slices.Sorted(maps.Keys(j.probed)) {
		lines = append(lines, reading{strip: j.cut(k), line: j.probed[k]})
	}
	return lines, nil
}

// script is the first one of those that the task names languages of.
func (j *job) script() string {
	if len(j.task.Lang) == 0 {
		return latinScript
	}
	return scriptOf(j.task.Lang[0])
}

// names tells whether the task names a language of a script.
func (j *job) names(script string) bool {
	return slices.ContainsFunc(j.task.Lang, func(code string) bool { return covers(code, script) })
}

// suggest says which languages were used, or which would have been better.
func (j *job) suggest(r *recognition.Reading) error {
	if j.chooses {
		if r.Lang = slices.Clone(j.used); len(r.Lang) == 0 {
			r.Lang = slices.Clone(j.spoken(j.tongue).Lang)
		}
	}
	if j.doubtful == 0 || 2*j.doubtful < j.letters {
		return nil
	}
	if !j.chooses {
		tongue, err := j.fitting()
		if err != nil {
			return err
		}
		if tongue >= 0 {
			r.Suggested = slices.Clone(j.Tongues[tongue].Lang)
			return nil
		}
	}
	return j.lack(r)
}

// lack says which language is not installed that the region looks written in.
func (j *job) lack(r *recognition.Reading) error {
	lines, err := j.longest()
	if err != nil {
		return err
	}
	letters, strokes := 0, 0.0
	for _, l := range lines {
		letters += len(l.line)
		strokes += l.strip.strokes()
	}
	least := fewest
	if slices.ContainsFunc(j.Tongues, func(t Tongue) bool { return t.Script == koreanScript }) { // what is left is rare
		least = fewestRare
	}
	if max(letters, j.letters) < least {
		return nil
	}
	script := j.looksLike()
	if usual(script) == "" || script == latinScript || j.names(script) ||
		slices.ContainsFunc(j.Tongues, func(t Tongue) bool { return t.Script == script }) {
		return nil
	}
	if script == koreanScript && strokes < denseMaybe*float64(len(lines)) {
		return nil
	}
	r.Missing = []string{usual(script)}
	return nil
}

// fitting is the tongue that most lines of the region are written in, of those that the task does not name, or -1.
func (j *job) fitting() (int, error) {
	lines, err := j.longest()
	if err != nil {
		return -1, err
	}
	asked, heard := 0, map[int]int{} // letters, by tongue
	for _, l := range lines {
		asked += max(1, len(l.line))
		was, lang := j.Engine, j.task.Lang
		best, script, tongue := l.line, j.script(), -1
		for _, n := range j.others() {
			if j.task.Effort == recognition.EffortFast && j.Tongues[n].Script == koreanScript && l.strip.strokes() < denseMaybe {
				continue
			}
			if err := j.speak(n); err != nil {
				return -1, err
			}
			read, err := j.glance(l.strip, looks[0], recognition.ShapeLine, j.task.Charset)
			j.Engine, j.task.Lang = was, lang
			if err != nil {
				return -1, err
			}
			if better(read, j.Tongues[n].Script, best, script) && beyondDoubt(read, j.Tongues[n].Script) {
				best, script, tongue = read, j.Tongues[n].Script, n
			}
		}
		if tongue >= 0 {
			heard[tongue] += max(1, len(l.line))
		}
	}
	for n, letters := range heard {
		if 2*letters > asked {
			return n, nil
		}
	}
	return -1, nil
}

// askOthers reads a strip in the other tongues at one look each, and speaks the one that it is written in. line is what was read in the
// present one.
func (j *job) askOthers(t strip, line []letter) ([]letter, error) {
	was, tongue, best := j.tongue, j.tongue, line
	var latin []letter // how it reads in the first tongue
	if was == 0 {
		latin = line
	}
	for _, n := range j.others() {
		if err := j.speak(n); err != nil {
			return nil, err
		}
		read, err := j.glance(t, looks[0], recognition.ShapeLine, j.task.Charset)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			latin = read
		}
		if better(read, j.Tongues[n].Script, best, j.spoken(tongue).Script) {
			best, tongue = read, n
		}
		if err := j.speak(was); err != nil { // others depends on it
			return nil, err
		}
	}
	if script := j.spoken(tongue).Script; script != latinScript && len(latin) > 0 && !firmly(best, script) {
		only, err := j.latinOnly(t, latin)
		if err != nil {
			return nil, err
		}
		if only {
			best, tongue = latin, 0
		}
	}
	if err := j.speak(tongue); err != nil {
		return nil, err
	}
	return j.mix(t, best)
}

// mix reads a strip in another script with Latin letters beside it, where there are letters of neither script that are read badly, and
// speaks both where that is surer.
func (j *job) mix(t strip, line []letter) ([]letter, error) {
	was := j.tongue
	script := j.spoken(was).Script
	if script == latinScript || was >= len(j.Tongues) || j.Tongues[0].Script != latinScript {
		return line, nil
	}
	bad := 0
	for _, l := range line {
		if l.word < weak && !own(script, l.text) {
			bad++
		}
	}
	if bad < 2 {
		return line, nil
	}
	if err := j.speak(was + len(j.Tongues)); err != nil {
		return nil, err
	}
	both, err := j.glance(t, looks[0], recognition.ShapeLine, j.task.Charset)
	if err != nil || believed(both, script) && sureness(both) >= ownLonely && noneWeak(both) {
		return both, err
	}
	return line, j.speak(was)
}

// noneWeak tells whether all words of a line are read rather surely. With Latin letters beside it Hangul is taken for some at times.
func noneWeak(line []letter) bool {
	return !slices.ContainsFunc(line, func(l letter) bool { return l.word < certain })
}

// plainly tells whether a line is certainly written in the present tongue.
func (j *job) plainly(line []letter) bool {
	script := j.spoken(j.tongue).Script
	if script != latinScript {
		_, n := ownLetters(line, script)
		return believed(line, script) && float64(n) >= ownShare*float64(len(line))
	}
	return certainly(line)
}

// certainly tells whether a line of Latin letters and digits is read so surely that it is nothing else.
func certainly(line []letter) bool {
	least := 1.0
	for _, l := range line {
		least = min(least, l.word)
	}
	letters, sure := lettersOnly(line), sureness(line)
	if letters == 0 && len(line) < shortest {
		return len(line) > 0 && sure >= byOther
	}
	return sure >= certain && least >= weak && (letters == 0 || letters >= shortest)
}

// ownLetters is how sure the letters of a line are that are of a script, and how many they are.
func ownLetters(line []letter, script string) (sure float64, n int) {
	for _, l := range line {
		if own(script, l.text) {
			sure += l.word
			n++
		}
	}
	return sure / float64(max(1, n)), n
}

// beyondDoubt tells whether a line is certainly written in a script, and not in digits only.
func beyondDoubt(line []letter, script string) bool {
	if script != latinScript {
		return firmly(line, script)
	}
	_, n := ownLetters(line, script)
	return n >= latinWord && sureness(line) >= ownSure
}

// better tells whether a line is written in a script rather than in that of another reading of it. Latin letters and digits win if the
// letters of the other script are not believed, or are less sure.
func better(line []letter, script string, other []letter, otherScript string) bool {
	if script == latinScript {
		return !believed(other, otherScript) || sureness(line) > sureness(other)
	}
	surely := 0 // what is beside them may be read badly
	for _, l := range line {
		if own(script, l.text) && l.word >= ownLonely {
			surely++
		}
	}
	return believed(line, script) && (surely > 1 || sureness(line) > sureness(other))
}

// lettersOnly counts the letters of a line, without digits and marks.
func lettersOnly(line []letter) (n int) {
	for _, l := range line {
		if c, _ := utf8.DecodeRuneInString(l.text); unicode.IsLetter(c) {
			n++
		}
	}
	return n
}

// firmly tells whether letters of a script are read so surely that they are nothing else.
func firmly(line []letter, script string) bool {
	sure, n := ownLetters(line, script)
	return n > 1 && sure >= ownSure || sure >= ownLonely
}

// believed tells whether letters of a script were read that are of no other one.
func believed(line []letter, script string) bool {
	switch sure, n := ownLetters(line, script); n {
	case 0:
		return false
	case 1:
		return sure >= ownLonely
	default:
		return sure >= ownSure || sure >= ownMaybe && sureness(line) >= ownLine && 2*n >= lettersOnly(line)
	}
}

// Package recognition has the rules of reading regions of page images: requests to the engine, runs and their versions, contents with
// word boxes and confidence, and corrections.
//
// The types and rules in content.go, run.go and align.go do no I/O. Service has the operations, and ports.go what they need from
// outside.
package recognition

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/label"
)

// Word is one word on the page.
type Word struct {
	Text       string       `json:"text"`
	Box        document.Box `json:"box"`              // coordinates of the page
	Confidence float64      `json:"confidence"`       // 0–1; 1 for what a person wrote
	Engine     string       `json:"engine,omitempty"` // that read it; empty where a person wrote it, and in old documents
	// Candidates are what was read in its place besides: by another engine, or by the same one before a list of words decided.
	Candidates []Candidate `json:"candidates,omitempty"`
	Confirmed  bool        `json:"confirmed,omitempty"` // a person says that it is right as it was read
}

// Candidate is another reading of a word.
type Candidate struct {
	Engine     string  `json:"engine"`
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence"` // 0–1
}

// Reading is the engine's result for one region, and how it came about.
type Reading struct {
	Text       string   `json:"text"` // lines end in \n but the last; no other white space at their ends
	Words      []Word   `json:"words"`
	Confidence float64  `json:"confidence"`       // 0–1, of all words by their length; 0 where there is none
	Lang       []string `json:"lang"`             // codes of languages in the order in which they were used; never AutoLang
	Shape      Shape    `json:"psm"`              // that gave the text, never ShapeAuto
	Engine     string   `json:"engine"`           // the engine's name and version; several, joined by ", ", where more than one gave words
	Rotation   int      `json:"rotation"`         // degrees that the text is turned clockwise on the page: 0, 90, 180 or 270
	Effort     Effort   `json:"effort,omitempty"` // that was spent; empty in old documents
	Source     Source   `json:"source,omitempty"` // SourceText or SourceOCR; empty in old documents
	Scale      float64  `json:"scale"`            // how much the region was enlarged for the engine
	Passes     int      `json:"passes"`           // how often it was read
	// Agreement is how much the first two looks at the region agree: 0–1; nil where one was enough. A low one is a better
	// reason to check a text than a low confidence.
	Agreement *float64      `json:"agreement,omitempty"`
	Duration  time.Duration `json:"duration_ns"` // of the work, without waiting for it

	// Suggested are installed languages that the region looks written in, where those that were asked for do not fit; Missing are such
	// that are not installed. Both are empty where nothing is known.
	Suggested []string `json:"suggested_lang,omitempty"`
	Missing   []string `json:"missing_lang,omitempty"`

	Error *fault.Failure `json:"error,omitempty"`
}

// Content is the text of one region in one run, as the engine read it (revision 1) or as a person corrected it later. It is stored as a
// document, in the form of its JSON tags.
type Content struct {
	ID  string       `json:"id"`
	ROI document.Box `json:"roi"`
	// Name is what the caller calls the region; may be empty.
	Name string `json:"name,omitempty"`
	// Asked is how the region was to be read where it was to be read in its own way; nil in old documents, where that is not known
	Asked *Asked `json:"asked,omitempty"`
	Reading
	Revision int `json:"revision"` // 1, 2, 3 …
	// who made the revision; zero in revision 1, and in old documents; the name is not stored
	RevisedBy account.Ref `json:"revised_by,omitzero"`
	// who wrote the text or drew the box; zero where the engine read it so; the name is not stored
	EditedBy account.Ref `json:"edited_by"`
	Edited   time.Time   `json:"edited"` // zero where EditedBy is
	// Confirmed says that a person has found this text of this region right. It ends where either changes.
	Confirmed   bool        `json:"confirmed,omitempty"`
	ConfirmedBy account.Ref `json:"confirmed_by,omitzero"` // zero where it is not confirmed; the name is not stored

	Version int       `json:"-"` // of the run that it belongs to
	Created time.Time `json:"-"` // of the run that it belongs to
	Deleted time.Time `json:"-"` // when it was marked as deleted; zero where it is not
}

// turned returns a content whose coordinates are those of an image's page at another rotation in coordinates of the page as it stands.
func (c Content) turned(from int, image document.Image) Content {
	degrees := document.Turns(from, image.Rotation)
	if degrees == 0 {
		return c
	}
	was := image.TurnedTo(from)
	c.ROI = c.ROI.Turned(degrees, was.Width, was.Height)
	c.Rotation = (c.Rotation + degrees) % 360
	if c.Asked != nil {
		asked := *c.Asked
		asked.Rotate = asked.Rotate.turned(degrees)
		c.Asked = &asked
	}
	c.Words = slices.Clone(c.Words)
	for i := range c.Words {
		c.Words[i].Box = c.Words[i].Box.Turned(degrees, was.Width, was.Height)
	}
	return c
}

// people returns all users that the content names.
func (c *Content) people() []*account.Ref {
	return []*account.Ref{&c.RevisedBy, &c.EditedBy, &c.ConfirmedBy}
}

// saysThatOf tells whether a revision has the text of another one at the same place.
func (c Content) saysThatOf(other Content) bool { return c.Text == other.Text && c.ROI == other.ROI }

// Detail returns the words of the text.
func (c Content) Detail() []string { return strings.Fields(c.Text) }

// Limits of a corrected text.
const (
	MaxText      = 200_000 // characters
	MaxTextWords = 20_000
)

// Correction is a change that a person makes to a content. At least one field must be set. Text and Detail exclude each other.
type Correction struct {
	Text      *string
	Detail    []string      // words, in the order of the text
	ROI       *document.Box // nil: as it is
	Name      *string       // of the region, may be empty; nil: as it is
	Confirmed *bool         // whether the text is right; nil: as it is, and not confirmed any more where text or region change
	Words     []WordMark    // of the words of the text as it is to be
	LangFits  bool          // the languages are right: others are not suggested any more
	Restore   bool          // it is not marked as deleted any more
	If        ContentCondition
}

// ContentCondition decides whether a content, as it is now, may be changed. nil means always.
type ContentCondition func(Content) bool

// check returns Stale where the condition does not hold.
func (holds ContentCondition) check(c Content) error {
	if holds == nil || holds(c) {
		return nil
	}
	return fault.New(fault.Stale, "changed_meanwhile", "The content is at revision %d by now.", c.Revision)
}

// WordMark says whether a word is confirmed as it was read.
type WordMark struct {
	Index     int // among the words of the content
	Confirmed bool
}

// revises tells whether the correction makes a revision. Restoring a content makes none.
func (c Correction) revises() bool {
	return c.edits() || c.Name != nil || c.Confirmed != nil || len(c.Words) > 0 || c.LangFits
}

// edits tells whether the correction changes the text or the region.
func (c Correction) edits() bool { return c.Text != nil || c.Detail != nil || c.ROI != nil }

func (c Correction) check(page document.Image) error {
	var fields []fault.Field
	switch {
	case c.Text != nil && c.Detail != nil:
		fields = append(fields, fault.Field{Field: "detail", Detail: "text or detail, not both"})
	case c.Text != nil && (utf8.RuneCountInString(*c.Text) > MaxText || !utf8.ValidString(*c.Text)):
		fields = append(fields, fault.Field{Field: "text", Detail: fmt.Sprintf("at most %d characters", MaxText)})
	case c.Text != nil && len(strings.Fields(*c.Text)) > MaxTextWords:
		fields = append(fields, fault.Field{Field: "text", Detail: fmt.Sprintf("at most %d words", MaxTextWords)})
	case !c.revises() && !c.Restore:
		fields = append(fields, fault.Field{Field: "text", Detail: "text, detail, roi, name, confirmed, words, suggested_lang or " +
			"deleted must be given"})
	}
	if c.Name != nil {
		fields = append(fields, checkPlain("name", label.Clean(*c.Name), MaxRegionName)...)
	}
	if len(c.Words) > MaxTextWords {
		fields = append(fields, fault.Field{Field: "words", Detail: fmt.Sprintf("at most %d words", MaxTextWords)})
	}
	length, words := 0, 0
	for i, word := range c.Detail {
		length += utf8.RuneCountInString(word) + 1
		words += len(strings.Fields(word))
		if strings.TrimSpace(word) == "" || !utf8.ValidString(word) {
			fields = append(fields, fault.Field{Field: fmt.Sprintf("detail[%d]", i), Detail: "a word, not empty"})
		}
	}
	if length > MaxText || words > MaxTextWords {
		fields = append(fields, fault.Field{Field: "detail", Detail: fmt.Sprintf("at most %d words, and %d characters in all", MaxTextWords,
			MaxText)})
	}
	if c.ROI != nil {
		fields = append(fields, c.ROI.Check("roi.", page.Width, page.Height)...)
	}
	return fault.InvalidFields(fields...)
}

// correct returns the next revision of a content. read is the last revision that nobody has edited. If the correction restores its text and
// place, the content is again as it was read, except for the marks of its words. Invalid if the correction marks a word that the text does
// not have.
func (c Content) correct(by account.Actor, change Correction, read Content, now time.Time) (Content, error) {
	text := c.Text
	switch {
	case change.Text != nil:
		text = tidy(*change.Text)
	case change.Detail != nil:
		text = replaceWords(c.Text, change.Detail)
	}
	author := account.Ref{ID: by.UserID, Name: by.Name}
	next := c
	next.Revision++
	if change.ROI != nil {
		next.ROI = *change.ROI
	}
	if text != c.Text {
		next.Text, next.Words, next.Error = text, alignText(c.Words, c.Text, text, next.ROI), nil
		next.Confidence, next.Suggested, next.Missing = confidence(next.Words), nil, nil
	}
	switch {
	case change.edits() && next.saysThatOf(read):
		marked := next.Words
		next.Reading, next.EditedBy, next.Edited = read.Reading, account.Ref{}, time.Time{}
		next.Words = slices.Clone(read.Words)
		for i := range next.Words {
			next.Words[i].Confirmed = i < len(marked) && marked[i].Confirmed
		}
	case change.edits():
		next.EditedBy, next.Edited = author, now
	}
	if change.LangFits {
		next.Suggested, next.Missing = nil, nil
	}
	if change.Name != nil {
		next.Name = label.Clean(*change.Name)
	}
	if !next.saysThatOf(c) {
		next.Confirmed, next.ConfirmedBy = false, account.Ref{}
	}
	if change.Confirmed != nil {
		next.Confirmed, next.ConfirmedBy = *change.Confirmed, account.Ref{}
		if next.Confirmed {
			next.ConfirmedBy = author
		}
	}
	err := next.mark(change.Words)
	return next, err
}

// mark confirms words, or says that they are not confirmed.
func (c *Content) mark(marks []WordMark) error {
	if len(marks) > 0 {
		c.Words = slices.Clone(c.Words)
	}
	var fields []fault.Field
	marked := map[int]bool{}
	for i, m := range marks {
		if marked[m.Index] {
			fields = append(fields, fault.Field{Field: fmt.Sprintf("words[%d].index", i), Detail: "each word once"})
			continue
		}
		marked[m.Index] = true
		if m.Index < 0 || m.Index >= len(c.Words) {
			detail := fmt.Sprintf("0 to %d, the number of a word", len(c.Words)-1)
			if len(c.Words) == 0 {
				detail = "the text has no words"
			}
			fields = append(fields, fault.Field{Field: fmt.Sprintf("words[%d].index", i), Detail: detail})
			continue
		}
		c.Words[m.Index].Confirmed = m.Confirmed
	}
	return fault.InvalidFields(fields...)
}

// confidence is that of all words, by their length in characters.
func confidence(words []Word) float64 {
	sum, length := 0.0, 0
	for _, w := range words {
		n := utf8.RuneCountInString(w.Text)
		sum += w.Confidence * float64(n)
		length += n
	}
	if length == 0 {
		return 0
	}
	return sum / float64(length)
}

// tidy gives a text the form of Reading.Text.
func tidy(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRightFunc(lines[i], unicode.IsSpace)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// replaceWords puts words in the place of those of the text, keeping its line breaks where there are as many.
func replaceWords(text string, words []string) string {
	if len(strings.Fields(text)) != len(words) {
		return tidy(strings.Join(words, " "))
	}
	var b strings.Builder
	inWord, n := false, 0
	for _, r := range text {
		switch space := unicode.IsSpace(r); {
		case space:
			b.WriteRune(r)
			inWord = false
		case !inWord:
			b.WriteString(words[n])
			n++
			inWord = true
		}
	}
	return tidy(b.String())
}

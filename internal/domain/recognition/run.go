package recognition

import (
	"cmp"
	"context"
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
	"glyphbox/internal/domain/once"
)

// Level is the size of the regions that a layout suggests.
type Level string

// The levels of a layout.
const (
	LevelBlock Level = "block" // paragraphs and columns
	LevelLine  Level = "line"
	LevelWord  Level = "word"
)

// Suggestion is a region that a layout suggests.
type Suggestion struct {
	document.Box
	// degrees that its text is turned clockwise on the page: 0, 90, 180 or 270; 0 where the engine knows no better
	Rotation int `json:"rotation"`
}

// Limits of a request.
const (
	MaxRegions    = 2000   // unless Service.MaxRegions says otherwise
	MostRegions   = 10_000 // that Service.MaxRegions may be
	MaxRegionName = 200    // characters
	MaxCharset    = 1000   // characters
	MaxLanguages  = 5      // of one region
)

// Region is a part of a page to read. Its Lang and Shape override those of the request.
type Region struct {
	document.Box
	Name    string   // what the caller calls it; may be empty
	Lang    []string // codes of languages, or AutoLang, a set whose order does not matter; empty: as the request says
	Shape   Shape    // ShapeAuto: as the request says
	Rotate  Rotate   // empty: as the request says
	Effort  Effort   // empty: as the request says
	Source  Source   // empty: as the request says
	Charset string   // the only characters that may be read; empty: all
	Content string   // the content of version Request.Into that is read again; empty: a new one
}

// Asked are the options that a region gave itself; what is zero was as the request said.
type Asked struct {
	Lang    []string `json:"lang,omitempty"`
	Shape   Shape    `json:"psm,omitempty"`
	Rotate  Rotate   `json:"rotate,omitempty"` // clockwise on the page, as Reading.Rotation
	Effort  Effort   `json:"effort,omitempty"`
	Source  Source   `json:"source,omitempty"`
	Charset string   `json:"charset,omitempty"`
}

// asked returns what the nth of the contents that the request makes was asked for.
func (r Request) asked(n int) *Asked {
	if len(r.Regions) == 0 {
		return &Asked{}
	}
	own := r.Regions[n]
	return &Asked{Lang: own.Lang, Shape: own.Shape, Rotate: own.Rotate, Effort: own.Effort, Source: own.Source, Charset: own.Charset}
}

// Request says what to read on a page, and how.
type Request struct {
	Regions []Region // none: the whole page
	Lang    []string // empty: DefaultLang
	Shape   Shape
	Mode    Mode
	Rotate  Rotate // empty: RotateAuto
	Effort  Effort // empty: EffortAccurate
	Source  Source // empty: SourceAuto
	Item    string // of a job, which makes one run at most, behind work that somebody waits for; empty: of none
	Into    int    // the version to add to: the newest one of the image, and the actor's own; 0: a new one

	Once once.Claim `json:"-"` // that the run is made for; zero: for none
}

// Run is one recognition of an image. Its number among the runs of the image is its version.
type Run struct {
	ImageID    int64
	Version    int // 1, 2, 3 …
	User       account.Ref
	Created    time.Time
	Lang       []string // as asked for at first; contents have their own
	Shape      Shape    // as Lang; may be ShapeAuto
	Mode       Mode
	Rotation   int       // of the page when it was read: the contents are stored in coordinates of the page as it stood then
	Item       string    // of the job that made it; empty: of none
	Engine     string    // the names of all engines that gave its contents, joined by ", "
	ContentIDs []string  // in the order of the regions; deleted ones are missing
	Contents   []Content // filled in by the service
	Note       once.Note // of what makes it or adds to it, without the version; zero: none. It is not stored with the run
}

// AutoLang makes the engine detect, by the script, in which of the installed languages a region is written. Languages given with it are
// used for their scripts.
const AutoLang = "auto"

// DefaultLang is the language of requests that name none.
const DefaultLang = "eng"

// Tasks turns the request into tasks for the engine: one for each region, or one for the whole page if there are no regions. Invalid,
// naming everything that cannot be done; otherwise the faults of the engine.
func (r Request) Tasks(ctx context.Context, page document.Image, e Engine) ([]Task, error) {
	r = r.complete()
	if err := r.check(ctx, page, e); err != nil {
		return nil, err
	}
	return r.tasks(page), nil
}

// CheckCount returns Invalid if the request has more regions than most; 0 means MaxRegions.
func (r Request) CheckCount(most int) error {
	if most = cmp.Or(most, MaxRegions); len(r.Regions) > most {
		return fault.InvalidFields(fault.Field{Field: "regions", Detail: fmt.Sprintf("at most %d regions, not %d", most, len(r.Regions))})
	}
	return nil
}

// complete fills in what a request leaves open and splits "kor+eng" into its languages.
func (r Request) complete() Request {
	r.Lang = splitLang(r.Lang)
	if len(r.Lang) == 0 {
		r.Lang = []string{DefaultLang}
	}
	r.Rotate, r.Effort, r.Source = cmp.Or(r.Rotate, RotateAuto), cmp.Or(r.Effort, EffortAccurate), cmp.Or(r.Source, SourceAuto)
	r.Regions = slices.Clone(r.Regions)
	for i := range r.Regions {
		r.Regions[i].Lang, r.Regions[i].Name = splitLang(r.Regions[i].Lang), label.Clean(r.Regions[i].Name)
	}
	return r
}

func splitLang(lang []string) (split []string) {
	for _, l := range lang {
		for part := range strings.SplitSeq(l, "+") {
			if !slices.Contains(split, part) {
				split = append(split, part)
			}
		}
	}
	return split
}

// check names everything in the request that cannot be done on the page by the engine.
func (r Request) check(ctx context.Context, page document.Image, e Engine) error {
	installed, err := e.Languages(ctx)
	if err != nil {
		return err
	}
	fields := append(checkLang("lang", r.Lang, installed), checkShape("psm", r.Shape)...)
	fields = append(fields, e.Check(r.Mode, r.languages())...)
	fields = append(fields, checkOneOf("rotate", r.Rotate, Rotates)...)
	fields = append(fields, checkOneOf("effort", r.Effort, Efforts)...)
	fields = append(fields, checkOneOf("source", r.Source, Sources)...)
	for i, region := range r.Regions {
		at := fmt.Sprintf("regions[%d].", i)
		fields = append(fields, region.Check(at, page.Width, page.Height)...)
		fields = append(fields, checkShape(at+"psm", region.Shape)...)
		fields = append(fields, checkLang(at+"lang", region.Lang, installed)...)
		fields = append(fields, checkOneOf(at+"rotate", cmp.Or(region.Rotate, r.Rotate), Rotates)...)
		fields = append(fields, checkOneOf(at+"effort", cmp.Or(region.Effort, r.Effort), Efforts)...)
		fields = append(fields, checkOneOf(at+"source", cmp.Or(region.Source, r.Source), Sources)...)
		fields = append(fields, checkPlain(at+"name", region.Name, MaxRegionName)...)
		fields = append(fields, checkPlain(at+"charset", region.Charset, MaxCharset)...)
	}
	fields = append(fields, r.checkInto()...)
	return fault.InvalidFields(fields...)
}

// checkInto wants contents that are read again to be of a version, and each only once.
func (r Request) checkInto() (fields []fault.Field) {
	again := map[string]bool{"": true}
	for i, region := range r.Regions {
		at := fmt.Sprintf("regions[%d].content", i)
		switch {
		case region.Content == "":
		case r.Into == 0:
			fields = append(fields, fault.Field{Field: at, Detail: "only where into names the version of the content"})
		case again[region.Content]:
			fields = append(fields, fault.Field{Field: at, Detail: "each content only once"})
		}
		again[region.Content] = true
	}
	return fields
}

// languages are all that the request names, each once.
func (r Request) languages() []string {
	all := slices.Clone(r.Lang)
	for _, region := range r.Regions {
		all = append(all, region.Lang...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func checkShape(field string, shape Shape) []fault.Field {
	if shape.Valid() {
		return nil
	}
	return []fault.Field{{Field: field, Detail: ShapeNumbers}}
}

// checkOneOf wants one of the values.
func checkOneOf[T ~string](field string, value T, values []T) []fault.Field {
	if slices.Contains(values, value) {
		return nil
	}
	return []fault.Field{{Field: field, Detail: "one of " + joined(values)}}
}

func checkLang(field string, lang, installed []string) (fields []fault.Field) {
	if len(lang) > MaxLanguages {
		return []fault.Field{{Field: field, Detail: fmt.Sprintf("at most %d languages", MaxLanguages)}}
	}
	for _, l := range lang {
		if l != AutoLang && !slices.Contains(installed, l) {
			fields = append(fields, fault.Field{Field: field,
				Detail: AutoLang + " or one of the installed languages: " + strings.Join(installed, ", ")})
		}
	}
	return fields
}

func checkPlain(field, text string, most int) []fault.Field {
	if utf8.ValidString(text) && utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, unicode.IsControl) {
		return nil
	}
	return []fault.Field{{Field: field, Detail: fmt.Sprintf("at most %d characters, no control characters", most)}}
}

// tasks returns the regions with all options filled in, or the whole page if there are no regions.
func (r Request) tasks(page document.Image) []Task {
	regions := r.Regions
	if len(regions) == 0 {
		regions = []Region{{Box: page.Box()}}
	}
	tasks := make([]Task, len(regions))
	for i, region := range regions {
		t := Task{Box: region.Box, Name: region.Name, Lang: region.Lang, Shape: region.Shape, Mode: r.Mode, Charset: region.Charset,
			Rotate: cmp.Or(region.Rotate, r.Rotate), Effort: cmp.Or(region.Effort, r.Effort),
			Source: cmp.Or(region.Source, r.Source)}
		if len(t.Lang) == 0 {
			t.Lang = r.Lang
		}
		if t.Shape == ShapeAuto {
			t.Shape = r.Shape
		}
		tasks[i] = t
	}
	return tasks
}

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
)

// PSM is a page segmentation mode, by Tesseract's numbers.
type PSM int

// Auto lets the engine pick the mode by the shape of the region.
const Auto PSM = 0

// PSMs are the modes that can be asked for, with plain descriptions.
var PSMs = map[PSM]string{
	1:  "A whole page; its orientation and script are found first",
	3:  "A whole page with columns, pictures and tables",
	4:  "One column of text in lines of different sizes",
	5:  "One block of text that runs vertically",
	6:  "One block of text in even lines",
	7:  "One line",
	8:  "One word",
	9:  "One word in a circle",
	10: "One character",
	11: "Scattered text in no order, as much as there is",
	12: "Scattered text; its orientation and script are found first",
	13: "One line, read raw without Tesseract's own corrections",
}

// OEM is an engine mode, by Tesseract's numbers.
type OEM int

// DefaultOEM takes the best that the traineddata has.
const DefaultOEM OEM = 3

// OEMs are the engine modes, with plain descriptions.
var OEMs = map[OEM]string{
	0: "The legacy engine (needs legacy traineddata)",
	1: "The neural network (LSTM)",
	2: "Both engines (needs legacy traineddata)",
	3: "The best that is available",
}

// Level is the size of the regions that a layout suggests.
type Level string

// The levels of a layout.
const (
	LevelBlock Level = "block" // paragraphs and columns
	LevelLine  Level = "line"
	LevelWord  Level = "word"
)

// Limits of a request.
const (
	MaxRegions    = 500
	MaxRegionName = 200  // characters
	MaxCharset    = 1000 // characters
	MaxLanguages  = 5    // of one region
)

// Region is a part of a page to read. Lang and PSM override those of the request.
type Region struct {
	document.Box
	Name    string   // what the caller calls it; may be empty
	Lang    []string // traineddata, a set whose order does not matter; empty: as the request says
	PSM     PSM      // Auto: as the request says
	Charset string   // the only characters that may be read; empty: all
}

// Request is what is to be read of a page, and how.
type Request struct {
	Regions []Region // none: the whole page
	Lang    []string // empty: eng
	PSM     PSM
	OEM     OEM
}

// Run is one recognition of an image. Its number among the runs of the image is its version.
type Run struct {
	ImageID    int64
	Version    int // 1, 2, 3 …
	User       account.Ref
	Created    time.Time
	Lang       []string // as asked for
	PSM        PSM      // as asked for; may be Auto
	OEM        OEM
	Engine     string
	ContentIDs []string  // in the order of the regions; deleted ones are missing
	Contents   []Content // filled in by the service
}

// DefaultLang is read where a request names no language.
const DefaultLang = "eng"

// Tasks turns the request into work on a page for an engine that has those languages: every region with everything
// decided, or the whole page where there is none. Invalid, naming everything that cannot be done.
func (r Request) Tasks(page document.Image, installed []Language) ([]Task, error) {
	r = r.complete()
	if err := r.check(page, installed); err != nil {
		return nil, err
	}
	return r.tasks(page), nil
}

// complete fills in what a request leaves open and splits "kor+eng" into its languages.
func (r Request) complete() Request {
	r.Lang = splitLang(r.Lang)
	if len(r.Lang) == 0 {
		r.Lang = []string{DefaultLang}
	}
	r.Regions = slices.Clone(r.Regions)
	for i := range r.Regions {
		r.Regions[i].Lang = splitLang(r.Regions[i].Lang)
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

// check names everything in the request that cannot be done on the page with the languages that are installed.
func (r Request) check(page document.Image, installed []Language) error {
	fields := append(checkLang("lang", r.Lang, r.OEM, installed), checkPSM("psm", r.PSM)...)
	if _, ok := OEMs[r.OEM]; !ok {
		fields = append(fields, fault.Field{Field: "oem", Detail: "0, 1, 2 or 3"})
	}
	if len(r.Regions) > MaxRegions {
		fields = append(fields, fault.Field{Field: "regions", Detail: fmt.Sprintf("at most %d regions, not %d", MaxRegions, len(r.Regions))})
		return fault.InvalidFields(fields...)
	}
	for i, region := range r.Regions {
		at := fmt.Sprintf("regions[%d].", i)
		fields = append(fields, region.Check(at, page.Width, page.Height)...)
		fields = append(fields, checkPSM(at+"psm", region.PSM)...)
		fields = append(fields, checkLang(at+"lang", region.Lang, r.OEM, installed)...)
		fields = append(fields, checkPlain(at+"name", region.Name, MaxRegionName)...)
		fields = append(fields, checkPlain(at+"charset", region.Charset, MaxCharset)...)
	}
	return fault.InvalidFields(fields...)
}

func checkPSM(field string, psm PSM) []fault.Field {
	if _, ok := PSMs[psm]; ok || psm == Auto {
		return nil
	}
	return []fault.Field{{Field: field, Detail: "1 or 3 to 13"}}
}

func checkLang(field string, lang []string, oem OEM, installed []Language) (fields []fault.Field) {
	if len(lang) > MaxLanguages {
		return []fault.Field{{Field: field, Detail: fmt.Sprintf("at most %d languages", MaxLanguages)}}
	}
	for _, l := range lang {
		i := slices.IndexFunc(installed, func(have Language) bool { return have.Code == l })
		switch {
		case i < 0:
			fields = append(fields, fault.Field{Field: field, Detail: "one of the installed languages: " + strings.Join(codes(installed), ", ")})
		case !installed[i].supports(oem):
			fields = append(fields, fault.Field{Field: "oem", Detail: fmt.Sprintf("the traineddata of %s has no model for engine mode %d", l, oem)})
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

// tasks are the regions with everything decided; the whole page where there are none.
func (r Request) tasks(page document.Image) []Task {
	regions := r.Regions
	if len(regions) == 0 {
		regions = []Region{{Box: page.Box()}}
	}
	tasks := make([]Task, len(regions))
	for i, region := range regions {
		t := Task{Box: region.Box, Name: region.Name, Lang: region.Lang, PSM: region.PSM, OEM: r.OEM, Charset: region.Charset}
		if len(t.Lang) == 0 {
			t.Lang = r.Lang
		}
		if t.PSM == Auto {
			t.PSM = r.PSM
		}
		tasks[i] = t
	}
	return tasks
}

// Language is installed traineddata.
type Language struct {
	Code   string // "eng", "kor", "chi_sim", "script/Hangul"
	LSTM   bool   // has a model of the neural network
	Legacy bool   // has a model of the legacy engine
}

func (l Language) supports(oem OEM) bool {
	switch oem {
	case 0:
		return l.Legacy
	case 1:
		return l.LSTM
	case 2:
		return l.LSTM && l.Legacy
	}
	return true
}

func codes(languages []Language) []string {
	names := make([]string, len(languages))
	for i, l := range languages {
		names[i] = l.Code
	}
	return names
}

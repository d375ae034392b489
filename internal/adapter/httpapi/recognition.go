package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/header"
	"glyphbox/internal/adapter/httpapi/jobs"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/wire"
)

// readModes reads what a query says of how to read. In a query + is a space, and few write kor%2Beng.
func readModes(psm string, lang []string) (recognition.Shape, []string, error) {
	if !shortLang(lang) {
		return 0, nil, fault.InvalidFields(fault.Field{Field: "lang", Detail: langTooLong})
	}
	languages := make([]string, len(lang))
	for i := range lang {
		languages[i] = strings.ReplaceAll(lang[i], " ", "+")
	}
	mode, err := parseMode(psm)
	return mode, languages, err
}

// mostRegions is how many regions a request may have.
func (a *api) mostRegions() int {
	if a.Recognition == nil || a.Recognition.MaxRegions == 0 {
		return recognition.MaxRegions
	}
	return a.Recognition.MaxRegions
}

type recognized struct {
	Status   int    `hidden:"true"`
	Version  *int   `header:"OCR-Version" doc:"The version of this run."`
	Location string `header:"Location" hidden:"true"`
	Applied  string `header:"Preference-Applied" hidden:"true"`
	Body     contentsOrJob
}

// RecognizeInput says what to read of which image, and how, except the regions.
type RecognizeInput struct {
	IDPath
	OnceHeader
	Lang []string `query:"lang,explode" nullable:"false" example:"[\"eng\"]" doc:"Languages, repeated or as kor+eng. auto detects them by their script; auto+deu reads Latin letters as German. Missing: eng."`
	PSM  string   `query:"psm" default:"auto" doc:"Page segmentation mode: 1, 3–13 or auto."`
	OEM  int      `query:"oem" default:"3" minimum:"0" maximum:"3" doc:"Engine mode."`

	Rotate string `query:"rotate" default:"auto" enum:"auto,0,90,180,270" doc:"Clockwise rotation of the text on the page, in degrees. auto detects it."`
	Effort string `query:"effort" enum:"fast,balanced,accurate" doc:"How much work is done for each region; more work makes fewer errors. Missing: the default of the service, usually accurate."`
	Source string `query:"source" default:"auto" enum:"auto,text,ocr" doc:"Source of the text, decided for each region. text: the text layer of a PDF file. ocr: recognition. auto: the text layer where it can be trusted, and recognition elsewhere."`

	Into int `query:"into" minimum:"1" maximum:"2147483647" doc:"A version to add the regions to. It must be the newest of the image, and your own. Missing: a new version."`

	Pages string `query:"pages" maxLength:"10000" example:"2-5,9" doc:"Pages of the document to read, or all; at most 50 without respond-async. Missing: only this page."`
}

func (a *api) recognize(ctx context.Context, c *endpoint.Call, in *RecognizeInput, regions regionForms) (*recognized, error) {
	psm, lang, err := readModes(in.PSM, in.Lang)
	if err != nil {
		return nil, err
	}
	request := recognition.Request{Regions: regions, Lang: lang, Shape: psm, Mode: recognition.Mode(in.OEM),
		Rotate: recognition.Rotate(in.Rotate), Effort: recognition.Effort(in.Effort), Source: recognition.Source(in.Source), Into: in.Into}
	reread := slices.ContainsFunc(regions, func(r recognition.Region) bool { return r.Content != "" })
	parts := !later(c) && (in.Pages != "" || reread)
	return doOnce(ctx, a, c, regions, parts, func(ctx context.Context, claim once.Claim) (*recognized, []once.Effect, error) {
		request.Once = claim
		if in.Pages != "" {
			return a.recognizePages(ctx, c, in.ID, in.Pages, request)
		}
		if later(c) {
			out, err := a.recognizeLater(ctx, c, in.ID, request, func(i document.Image) job.Order {
				return job.Order{Images: []int64{i.ID}}
			})
			return out, nil, err
		}
		run, err := a.Recognition.Recognize(ctx, c.Actor(), in.ID, request)
		return answerRun(run), nil, err
	}, func(ctx context.Context, made []once.Effect) (*recognized, error) {
		switch {
		case len(made) > 0 && made[0].Job != "":
			j, err := a.Jobs.Job(ctx, c.Actor(), made[0].Job)
			return answerLater(jobs.Accept(j, c.Outside(base))), err
		case in.Pages != "":
			return answerPages(made), nil
		}
		run, err := a.Recognition.Again(ctx, c.Actor(), made[0])
		return answerRun(run), err
	})
}

// answerRun answers a recognition with what was read.
func answerRun(run recognition.Run) *recognized {
	return &recognized{Status: http.StatusOK, Version: &run.Version, Body: contentsOrJob{wire.All(run.Contents, wire.Content)}}
}

func (a *api) runs(ctx context.Context, c *endpoint.Call, in *struct {
	IDPath
	Version int `query:"version" minimum:"1" maximum:"2147483647" doc:"Only this version."`
	Before  int `query:"before" minimum:"1" maximum:"2147483647" doc:"Only versions below this one."`
}) (*endpoint.Part[client.Run], error) {
	var out endpoint.Part[client.Run]
	if in.Version != 0 {
		run, err := a.Recognition.Version(ctx, c.Actor(), in.ID, in.Version)
		out.Body = []client.Run{wire.Run(run)}
		return &out, err
	}
	runs, err := a.Recognition.List(ctx, c.Actor(), in.ID, in.Before)
	if n := len(runs); n > 0 && runs[n-1].Version > 1 {
		out.Link = c.Link("next", "before", runs[n-1].Version)
	}
	out.Body = wire.All(runs, wire.Run)
	return &out, err
}

// ContentPath names a content.
type ContentPath struct {
	ID string `path:"id" example:"3nkqj6wyb4ztq2vgx7o5mcdahe"`
}

// tagged is a content with what tells its revisions apart.
type tagged struct {
	Status       int    `hidden:"true"`
	ETag         string `header:"ETag" example:"\"1\"" doc:"The revision, followed by the rotation if it is not 0, such as 1-90."`
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         client.Content
}

func tag(c recognition.Content) *tagged {
	return &tagged{http.StatusOK, header.RevisionTag(c.Revision, c.Rotation), "private, no-cache", wire.Content(c)}
}

func (a *api) content(ctx context.Context, c *endpoint.Call, in *struct {
	ContentPath
	IfNoneMatch string `header:"If-None-Match" doc:"If it matches the current revision, the answer is 304."`
}) (*tagged, error) {
	content, err := a.Recognition.Content(ctx, c.Actor(), in.ID)
	if err != nil {
		return nil, err
	}
	out := tag(content)
	if header.MatchesTag(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// ContentToChange names a content to change, with conditions on its revision.
type ContentToChange struct {
	ContentPath
	IfMatch     string `header:"If-Match" example:"\"1\"" doc:"If none of these revisions is the current one, the answer is 412."`
	IfNoneMatch string `header:"If-None-Match" doc:"If one of these revisions is the current one, or if it is *, the answer is 412."`
}

// ifRevision reads the conditions of a request, which are on the revision of a content.
func ifRevision(c *endpoint.Call) (recognition.ContentCondition, error) {
	conditions, err := header.ReadConditions(c.Request().Header)
	if err != nil || conditions.None() {
		return nil, err
	}
	return func(content recognition.Content) bool {
		return conditions.Hold(func(tag string) bool { return header.RevisionOf(tag) == content.Revision })
	}, nil
}

func (a *api) correct(ctx context.Context, c *endpoint.Call, in *ContentToChange, form correctionForm) (*tagged, error) {
	condition, err := ifRevision(c)
	if err != nil {
		return nil, err
	}
	change, err := form.correction(condition)
	if err != nil {
		return nil, err
	}
	content, err := a.Recognition.Correct(ctx, c.Actor(), in.ID, change)
	return tag(content), err
}

func (a *api) revisions(ctx context.Context, c *endpoint.Call, in *ContentPath) (*endpoint.One[[]client.Content], error) {
	revisions, err := a.Recognition.Revisions(ctx, c.Actor(), in.ID)
	return endpoint.Answer(wire.All(revisions, wire.Content)), err
}

func (a *api) deletedContents(ctx context.Context, c *endpoint.Call, in *struct {
	IDPath
	endpoint.PageQuery
}) (*endpoint.List[client.Content], error) {
	deleted, total, err := a.Recognition.Deleted(ctx, c.Actor(), in.ID, account.Page{Size: in.Size, Number: in.Page})
	return endpoint.AnswerList(c, in.PageQuery, total, wire.All(deleted, wire.Content)), err
}

func (a *api) deleteContent(ctx context.Context, c *endpoint.Call, in *struct {
	ContentToChange
	Purge bool `query:"purge" doc:"Whether to remove it permanently, with all its revisions."`
}) (*endpoint.None, error) {
	condition, err := ifRevision(c)
	if err != nil {
		return nil, err
	}
	if in.Purge {
		return nil, a.Recognition.Purge(ctx, c.Actor(), in.ID, condition)
	}
	return nil, a.Recognition.Delete(ctx, c.Actor(), in.ID, condition)
}

func (a *api) psm(context.Context, *endpoint.Call, *endpoint.None) (*endpoint.One[map[string]string], error) {
	return endpoint.Answer(byNumber(recognition.Shapes)), nil
}

func (a *api) oem(context.Context, *endpoint.Call, *endpoint.None) (*endpoint.One[map[string]string], error) {
	return endpoint.Answer(byNumber(a.Recognition.Modes())), nil
}

// byNumber has numbers as text for keys, as JSON wants it.
func byNumber[K ~int](descriptions map[K]string) map[string]string {
	m := make(map[string]string, len(descriptions))
	for n, description := range descriptions {
		m[strconv.Itoa(int(n))] = description
	}
	return m
}

func (a *api) languages(ctx context.Context, _ *endpoint.Call, _ *endpoint.None) (*endpoint.One[[]string], error) {
	installed, err := a.Recognition.Languages(ctx)
	return endpoint.Answer(wire.List(installed)), err
}

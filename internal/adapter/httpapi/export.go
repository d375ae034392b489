package httpapi

import (
	"context"

	"glyphbox/internal/domain/recognition"
)

func (a *api) exportDocument(ctx context.Context, c *call, in *struct {
	IDPath
	Format  string `query:"format" required:"true" enum:"txt,json,tsv,hocr,alto,pdf,csv,xlsx,gt"`
	Pages   string `query:"pages" default:"all" example:"2-5,9" doc:"Pages of the document: all, or numbers and ranges."`
	Version int    `query:"version" minimum:"1" maximum:"2147483647" doc:"Only with a single page. Missing: the newest version of each page."`
}) (*stream, error) {
	pages, err := recognition.ParsePageRanges("pages", in.Pages)
	if err != nil {
		return nil, err
	}
	e, err := a.Recognition.Export(ctx, c.actor, in.ID, recognition.Format(in.Format),
		recognition.Selection{Pages: pages, Version: in.Version})
	if err != nil {
		return nil, err
	}
	return c.download(e), nil
}

func (a *api) export(ctx context.Context, c *call, in *struct {
	IDPath
	Version int    `path:"version" minimum:"1" maximum:"2147483647" example:"1"`
	Format  string `query:"format" required:"true" enum:"txt,json,tsv,hocr,alto,pdf,csv,xlsx,gt"`
}) (*stream, error) {
	e, err := a.Recognition.ExportRun(ctx, c.actor, in.ID, in.Version, recognition.Format(in.Format))
	if err != nil {
		return nil, err
	}
	return c.download(e), nil
}

// exportForm says of which documents one file is made.
type exportForm struct {
	ImageIDs []int64 `json:"image_ids" minItems:"1" maxItems:"1000" nullable:"false" doc:"Images of the documents, in the order that they are to have. Each document counts once."`
	Format   string  `json:"format" enum:"txt,json,tsv,hocr,alto,pdf,csv,xlsx,gt"`
	As       string  `json:"as" enum:"zip,one" doc:"zip: an archive with a file for each document. one: one file with the pages of all. gt is an archive of all lines either way."`
}

func (a *api) exportDocuments(ctx context.Context, c *call, _ *none, form exportForm) (*stream, error) {
	e, err := a.Recognition.ExportAll(ctx, c.actor, form.ImageIDs, recognition.Format(form.Format), recognition.Packing(form.As))
	if err != nil {
		return nil, err
	}
	return c.download(e), nil
}

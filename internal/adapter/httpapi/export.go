package httpapi

import (
	"context"
	"strconv"

	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/recognition"
)

func (a *api) exportDocument(ctx context.Context, c *endpoint.Call, in *struct {
	IDPath
	Format  string `query:"format" required:"true" enum:"txt,json,tsv,hocr,alto,pdf,csv,xlsx,gt"`
	Pages   string `query:"pages" default:"all" example:"2-5,9" doc:"Pages of the document: all, or numbers and ranges."`
	Version int    `query:"version" minimum:"1" maximum:"2147483647" doc:"Only with a single page. Missing: the newest version of each page."`
}) (*endpoint.Stream, error) {
	pages, err := recognition.ParsePageRanges("pages", in.Pages)
	if err != nil {
		return nil, err
	}
	e, err := a.Recognition.Export(ctx, c.Actor(), in.ID, recognition.Format(in.Format),
		recognition.Selection{Pages: pages, Version: in.Version})
	if err != nil {
		return nil, err
	}
	return download(c, e), nil
}

func (a *api) export(ctx context.Context, c *endpoint.Call, in *struct {
	IDPath
	Version int    `path:"version" minimum:"1" maximum:"2147483647" example:"1"`
	Format  string `query:"format" required:"true" enum:"txt,json,tsv,hocr,alto,pdf,csv,xlsx,gt"`
}) (*endpoint.Stream, error) {
	e, err := a.Recognition.ExportRun(ctx, c.Actor(), in.ID, in.Version, recognition.Format(in.Format))
	if err != nil {
		return nil, err
	}
	return download(c, e), nil
}

// exportForm says of which documents one file is made.
type exportForm struct {
	ImageIDs []int64 `json:"image_ids" minItems:"1" maxItems:"1000" nullable:"false" doc:"Images of the documents, in the order of the export. Each document counts once."`
	Format   string  `json:"format" enum:"txt,json,tsv,hocr,alto,pdf,csv,xlsx,gt"`
	As       string  `json:"as" enum:"zip,one" doc:"zip: an archive with a file for each document. one: one file with all pages. gt is one archive of all lines in both cases."`
}

func (a *api) exportDocuments(ctx context.Context, c *endpoint.Call, _ *endpoint.None, form exportForm) (*endpoint.Stream, error) {
	e, err := a.Recognition.ExportAll(ctx, c.Actor(), form.ImageIDs, recognition.Format(form.Format), recognition.Packing(form.As))
	if err != nil {
		return nil, err
	}
	return download(c, e), nil
}

// download answers with a file of an export.
func download(c *endpoint.Call, e recognition.Export) *endpoint.Stream {
	if e.Unencrypted {
		c.Writer().Header().Set("Export-Unencrypted", "true")
	}
	if e.Unread > 0 {
		c.Writer().Header().Set("Export-Unread", strconv.Itoa(e.Unread))
	}
	return c.Download(endpoint.File{MediaType: e.MediaType, Name: e.Name}, e.Write)
}

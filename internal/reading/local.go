package reading

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"
	"slices"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// Engine is an engine that can also show pages.
type Engine interface {
	recognition.Engine
	Probe(ctx context.Context, f document.File) (document.Probe, error)
	View(ctx context.Context, p document.Page, part document.Box, width int) (document.Rendition, error)
	Mended(ctx context.Context, f document.File, pages []int) ([]byte, error)
}

// Local is the Source of an engine of this process, which opens its files by LocalFiles.
type Local struct {
	Engine   Engine
	Request  recognition.Request // for each page
	Password string              // of those files that are encrypted
}

// LocalFiles opens files by their names: what came from standard input, which is among them, or what is on disk.
type LocalFiles []File

// Open implements document.Files.
func (l LocalFiles) Open(_ context.Context, f document.File) (io.ReadCloser, error) {
	file := File{Name: f.Staged}
	if i := slices.IndexFunc(l, func(other File) bool { return other.Name == f.Staged }); i >= 0 {
		file = l[i]
	}
	r, err := file.Open()
	if err != nil {
		return nil, fault.New(fault.Unavailable, "file_unreadable", "The file cannot be opened.").Because(err)
	}
	return r, nil
}

type localDocument struct {
	Local
	file     File
	password string // that opens the file; empty where it needs none
	pages    []document.Image
}

// Open implements Source.
func (l Local) Open(ctx context.Context, file File) (Document, error) {
	f, err := FileOf(file)
	if err != nil {
		return nil, err
	}
	probe, password, err := document.ProbeLocked(ctx, l.Engine, f, l.Password)
	if err != nil {
		return nil, err
	}
	geometries, err := probe.Geometries()
	if err != nil {
		return nil, err
	}
	d := &localDocument{Local: l, file: file, password: password}
	for i, g := range geometries {
		d.pages = append(d.pages, document.Image{ID: int64(i + 1), Document: 1, Number: i + 1, Geometry: g, Frames: probe.Frames,
			Name: filepath.Base(file.Name), Size: f.Size, SHA256: f.SHA256, Error: probe.Pages[i].Error, Password: password})
	}
	return d, nil
}

// FileOf describes a file for LocalFiles to open.
func FileOf(file File) (document.File, error) {
	f, err := file.Open()
	if err != nil {
		return document.File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return document.File{}, err
	}
	return document.File{Staged: file.Name, SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}, nil
}

func (d *localDocument) Pages() []document.Image { return d.pages }

// page is a page of the file as the engine knows it.
func (d *localDocument) page(image document.Image) document.Page {
	p := image.Page()
	p.File.Blob, p.File.Staged = "", d.file.Name
	return p
}

func (d *localDocument) Read(ctx context.Context, page document.Image) (recognition.Run, error) {
	if err := page.CheckRendered(); err != nil {
		return recognition.Run{}, err
	}
	tasks, err := d.Request.Tasks(ctx, page, d.Engine)
	if err != nil {
		return recognition.Run{}, err
	}
	readings, err := d.Engine.Recognize(ctx, recognition.Order{Page: d.page(page), Tasks: tasks})
	if err != nil {
		return recognition.Run{}, err
	}
	run := recognition.Run{ImageID: page.ID, Version: 1, Created: time.Now(), Lang: d.Request.Lang, Shape: d.Request.Shape,
		Mode: d.Request.Mode, Engine: recognition.Engines("", readings...)}
	for i, reading := range readings {
		run.Contents = append(run.Contents, recognition.Content{ROI: tasks[i].Box, Reading: reading})
	}
	return run, nil
}

// mediaTypePDF is that of files that may have a text of their own.
const mediaTypePDF = "application/pdf"

func (d *localDocument) Open() (io.ReadCloser, error) { return d.file.Open() }

func (d *localDocument) View(ctx context.Context, page document.Image, part document.Box, width int) (document.Rendition, error) {
	return d.Engine.View(ctx, d.page(page), part, width)
}

func (d *localDocument) Close() error { return nil }

func (d *localDocument) Mended(ctx context.Context, pages []int) ([]byte, error) {
	return d.Engine.Mended(ctx, d.page(d.pages[0]).File, pages)
}

// Printed asks the engine for the text of the file in these boxes.
func (d *localDocument) Printed(ctx context.Context, page document.Image, boxes []document.Box) ([]bool, error) {
	printed := make([]bool, len(boxes))
	if page.MediaType != mediaTypePDF || len(boxes) == 0 {
		return printed, nil
	}
	request := d.Request
	request.Source, request.Regions = recognition.SourceText, nil
	for _, b := range boxes {
		request.Regions = append(request.Regions, recognition.Region{Box: b})
	}
	tasks, err := request.Tasks(ctx, page, d.Engine)
	if err != nil {
		return nil, err
	}
	readings, err := d.Engine.Recognize(ctx, recognition.Order{Page: d.page(page), Tasks: tasks})
	if err != nil {
		return nil, err
	}
	for i, r := range readings {
		printed[i] = r.Error == nil && r.Text != ""
	}
	return printed, nil
}

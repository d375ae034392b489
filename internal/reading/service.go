package reading

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// Service is the Source of a running service. Documents are deleted there when they are closed.
type Service struct {
	Do      func(ctx context.Context, request func(client.Client) error) error // makes a request, again where that helps
	Request client.Request                                                     // for each page
	Keep    bool                                                               // documents stay
}

// cleanUpTime is for what is done after the end.
const cleanUpTime = 10 * time.Second

type remoteDocument struct {
	Service
	path  string
	pages []document.Image
}

// Open implements Source.
func (s Service) Open(ctx context.Context, file File) (Document, error) {
	d := &remoteDocument{Service: s, path: file.Path}
	var image client.Image
	err := s.Do(ctx, func(c client.Client) error {
		f, err := os.Open(file.Path)
		if err != nil {
			return err
		}
		defer f.Close()
		image, err = c.Upload(ctx, filepath.Base(file.Name), f)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.pages = []document.Image{imageOf(image)}
	return d, nil
}

func imageOf(i client.Image) document.Image {
	return document.Image{ID: i.ID, Document: i.ID, Number: 1, Name: i.Name, Size: i.Size, SHA256: i.SHA256, Rotation: i.Rotation,
		Geometry: document.Geometry{MediaType: i.MediaType, Width: i.Width, Height: i.Height, Pages: i.Pages}}
}

func (d *remoteDocument) Pages() []document.Image { return d.pages }

func (d *remoteDocument) Read(ctx context.Context, page document.Image) (run recognition.Run, err error) {
	err = d.Do(ctx, func(c client.Client) error {
		recognized, err := c.Recognize(ctx, page.ID, d.Request)
		if err == nil {
			run = runOf(page.ID, d.Request, recognized)
		}
		return err
	})
	return run, err
}

// runOf is a run as the service answered it.
func runOf(imageID int64, request client.Request, r client.Recognized) recognition.Run {
	run := recognition.Run{ImageID: imageID, Version: r.Version, Created: time.Now(), Lang: request.Lang,
		Shape: recognition.Shape(request.PSM), Mode: recognition.BestMode}
	for _, c := range r.Contents {
		run.Contents, run.ContentIDs = append(run.Contents, contentOf(c)), append(run.ContentIDs, c.ID)
		run.Engine = c.Engine
	}
	return run
}

func contentOf(c client.Content) recognition.Content {
	content := recognition.Content{ID: c.ID, ROI: document.Box(c.ROI), Name: c.Name, Revision: c.Revision, Version: c.Version,
		Reading: recognition.Reading{Text: c.Text, Confidence: c.Confidence, Lang: c.Lang, Engine: c.Engine, Rotation: c.Rotation,
			Effort: recognition.Effort(c.Effort),
			Scale:  c.Scale, Passes: c.Passes, Agreement: c.Agreement, Duration: time.Duration(c.DurationMS * float64(time.Millisecond))}}
	if c.PSM != nil {
		content.Shape = recognition.Shape(*c.PSM)
	}
	if c.Error != nil {
		content.Error = &recognition.Failure{Code: c.Error.Code, Detail: c.Error.Detail}
	}
	for _, w := range c.Words {
		word := recognition.Word{Text: w.Text, Box: document.Box(w.Box), Confidence: w.Confidence, Engine: w.Engine}
		for _, other := range w.Candidates {
			word.Candidates = append(word.Candidates, recognition.Candidate(other))
		}
		content.Words = append(content.Words, word)
	}
	return content
}

func (d *remoteDocument) Open() (io.ReadCloser, error) { return os.Open(d.path) }

// View has the service show the whole page, which is all that exports of what it read ask for.
func (d *remoteDocument) View(ctx context.Context, page document.Image, _ document.Box, width int) (r document.Rendition, err error) {
	err = d.Do(ctx, func(c client.Client) (err error) {
		r.Bytes, err = c.View(ctx, page.ID, width)
		return err
	})
	r.MediaType = http.DetectContentType(r.Bytes)
	return r, err
}

func (d *remoteDocument) Close() error {
	if d.Keep {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTime)
	defer cancel()
	err := d.Do(ctx, func(c client.Client) error { return c.DeleteImage(ctx, d.pages[0].ID) })
	if err != nil {
		return fault.New(fault.Unavailable, "image_stays", "The image stays on the server.").Because(err)
	}
	return nil
}

package reading

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
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

	Password string // of those files that are encrypted
}

// cleanUpTime is for what is done after the end.
const cleanUpTime = 10 * time.Second

// How many pages, and the text of how many boxes, the service is asked for at once.
const (
	listed = 100
	looked = 100
)

type remoteDocument struct {
	Service
	file     File
	password string // that opens the file; empty where it needs none
	pages    []document.Image

	mu    sync.Mutex
	aside *remoteDocument // where Printed asks; nil before it has
}

// Open implements Source.
func (s Service) Open(ctx context.Context, file File) (Document, error) {
	d, err := s.upload(ctx, file)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (s Service) upload(ctx context.Context, file File) (*remoteDocument, error) {
	d := &remoteDocument{Service: s, file: file}
	first, err := s.uploadBytes(ctx, file, "")
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Code == document.CodeEncrypted && s.Password != "" {
		d.password = s.Password
		first, err = s.uploadBytes(ctx, file, d.password)
	}
	if err != nil {
		return nil, err
	}
	d.pages = []document.Image{d.imageOf(first)}
	for err == nil && len(d.pages) < first.Pages {
		err = s.Do(ctx, func(c client.Client) error {
			page := len(d.pages) / listed
			list, err := c.Pages(ctx, first.ID, client.Page{Size: listed, Number: page})
			if err == nil && page*listed+len(list.Items) <= len(d.pages) {
				err = errNoPages
			}
			if err != nil {
				return err
			}
			d.pages = d.pages[:page*listed]
			for _, i := range list.Items {
				d.pages = append(d.pages, d.imageOf(i))
			}
			return nil
		})
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (s Service) uploadBytes(ctx context.Context, file File, password string) (first client.Image, err error) {
	err = s.Do(ctx, func(c client.Client) error {
		first, err = UploadFile(ctx, c, file, password)
		return err
	})
	return first, err
}

// UploadFile uploads a file, with the password that opens it if it is encrypted.
func UploadFile(ctx context.Context, c client.Client, file File, password string) (client.Image, error) {
	f, err := file.Open()
	if err != nil {
		return client.Image{}, err
	}
	defer f.Close()
	return c.UploadLocked(ctx, filepath.Base(file.Name), f, password)
}

var errNoPages = fault.New(fault.Unavailable, "pages_missing", "The server does not list all pages of the document.")

func (d *remoteDocument) imageOf(i client.Image) document.Image {
	image := document.Image{ID: i.ID, Document: i.Document, Number: i.Page, Name: i.Name, Size: i.Size, SHA256: i.SHA256,
		Password: d.password, Rotation: i.Rotation, Frames: i.Frames,
		Geometry: document.Geometry{MediaType: i.MediaType, Width: i.Width, Height: i.Height, Pages: i.Pages, DPI: i.DPI}}
	if i.Error != nil {
		image.Error = &fault.Failure{Code: i.Error.Code, Detail: i.Error.Detail}
	}
	return image
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
		content := contentOf(c)
		run.Contents, run.ContentIDs = append(run.Contents, content), append(run.ContentIDs, c.ID)
		run.Engine = recognition.Engines(run.Engine, content.Reading)
	}
	return run
}

func contentOf(c client.Content) recognition.Content {
	content := recognition.Content{ID: c.ID, ROI: document.Box(c.ROI), Name: c.Name, Revision: c.Revision, Version: c.Version,
		Reading: recognition.Reading{Text: c.Text, Confidence: c.Confidence, Lang: c.Lang, Engine: c.Engine, Rotation: c.Rotation,
			Effort: recognition.Effort(c.Effort), Source: recognition.Source(c.Source), Scale: c.Scale, Passes: c.Passes,
			Suggested: c.SuggestedLang, Missing: c.MissingLang, Agreement: c.Agreement,
			Duration: time.Duration(c.DurationMS * float64(time.Millisecond))}}
	if c.PSM != nil {
		content.Shape = recognition.Shape(*c.PSM)
	}
	if c.Error != nil {
		content.Error = &fault.Failure{Code: c.Error.Code, Detail: c.Error.Detail}
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

func (d *remoteDocument) Open() (io.ReadCloser, error) { return d.file.Open() }

// View has the service show the whole page, which is all that exports of what it read ask for.
func (d *remoteDocument) View(ctx context.Context, page document.Image, _ document.Box, width int) (r document.Rendition, err error) {
	err = d.Do(ctx, func(c client.Client) (err error) {
		r.Bytes, err = c.View(ctx, page.ID, width)
		return err
	})
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Status == http.StatusUnsupportedMediaType {
		err = fault.New(fault.Unsupported, p.Code, "%s", p.Detail).Because(err)
	}
	r.MediaType = http.DetectContentType(r.Bytes)
	return r, err
}

// Printed asks the service for the text of the file in these boxes. That makes a version of the page, so a document that stays is uploaded
// another time for it.
func (d *remoteDocument) Printed(ctx context.Context, page document.Image, boxes []document.Box) ([]bool, error) {
	if page.MediaType != mediaTypePDF || len(boxes) == 0 {
		return make([]bool, len(boxes)), nil
	}
	aside, err := d.beside(ctx)
	if err != nil {
		return nil, err
	}
	request := d.Request
	request.Source = string(recognition.SourceText)
	var printed []bool
	for some := range slices.Chunk(boxes, looked) {
		request.Regions = nil
		for _, b := range some {
			request.Regions = append(request.Regions, client.Region{Box: client.Box(b)})
		}
		err := d.Do(ctx, func(c client.Client) error {
			answer, err := c.Recognize(ctx, aside.pages[page.Number-1].ID, request)
			for _, content := range answer.Contents {
				printed = append(printed, content.Error == nil && content.Text != "")
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return printed, nil
}

// beside is the document, or another one of the same file where this one stays.
func (d *remoteDocument) beside(ctx context.Context) (*remoteDocument, error) {
	if !d.Keep {
		return d, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.aside != nil {
		return d.aside, nil
	}
	s := d.Service
	s.Keep = false
	var err error
	d.aside, err = s.upload(ctx, d.file)
	return d.aside, err
}

func (d *remoteDocument) Close() error {
	if d.aside != nil {
		return d.aside.Close()
	}
	if d.Keep {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTime)
	defer cancel()
	err := d.Do(ctx, func(c client.Client) error { return c.DeleteImage(ctx, d.pages[0].ID) })
	if err != nil {
		return fault.New(fault.Unavailable, "image_stays", "The image could not be deleted from the server.").Because(err)
	}
	return nil
}

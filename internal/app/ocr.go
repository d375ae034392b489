package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	api "glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
	"glyphbox/internal/wire"
)

// ocrOptions is what the ocr command is asked to do with each file.
type ocrOptions struct {
	regions []document.Box // none: the whole page
	lang    []string
	shape   recognition.Shape
	rotate  recognition.Rotate
	effort  recognition.Effort // empty: as the service is configured
}

// ocrCommand reads files, by itself or by a running service, without storing anything.
func (p Process) ocrCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ocr FILE...", Short: "Read image files, without a server or by a running one", Args: cobra.MinimumNArgs(1),
		Long: "Reads image files and writes their text to standard output, without a server and without storing anything.\n" +
			"With --server a running service reads them. It needs --token or " + tokenVariable + ", which is an API key or an access token, or --user, whose\n" +
			"password it asks for or reads from standard input. Images are deleted there once they were read, unless there is --keep.\n" +
			"The exit code is 0 when all could be read, 1 when some could not, 2 when the command line is not right.",
		Example: "  glyphbox ocr receipt.jpg\n  glyphbox ocr form.tif --region 100,80,900,130 --region 100,200,900,250 --lang kor+eng --format json\n" +
			"  glyphbox ocr receipt.jpg --server https://ocr.example.org --user ann"}
	regions := cmd.Flags().StringArray("region", nil, "A region in pixels of the upright page, x1,y1,x2,y2; may be given several times. Without it the whole page is read.")
	lang := cmd.Flags().String("lang", recognition.DefaultLang, "Languages, joined by +; their order does not matter.")
	psm := cmd.Flags().Int("psm", int(recognition.ShapeAuto), "How the text of a region is arranged, "+recognition.ShapeNumbers+"; 0 picks it by the size of the region.")
	rotate := cmd.Flags().String("rotate", string(recognition.RotateAuto), "How far the text is turned clockwise: auto, 0, 90, 180 or 270.")
	server, token, user, keep := serviceFlags(cmd.Flags())
	format := cmd.Flags().String("format", "text", "What to write: text, or json with a line for each file.")
	addFlags(cmd.Flags(), "ocr-workers", "max-pixels", "region-timeout", "tessdata-dir", "models", "effort", "log-level")
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		o := ocrOptions{lang: strings.Split(*lang, "+"), shape: recognition.Shape(*psm), rotate: recognition.Rotate(*rotate)}
		if !o.shape.Valid() {
			return usagef("--psm %d: 0, %s is wanted", *psm, recognition.ShapeNumbers)
		}
		if !slices.Contains(recognition.Rotates, o.rotate) {
			return usagef("--rotate %s: auto, 0, 90, 180 or 270 is wanted", *rotate)
		}
		for _, text := range *regions {
			box, err := parseRegion(text)
			if err != nil {
				return err
			}
			o.regions = append(o.regions, box)
		}
		write, ok := map[string]func(io.Writer, page, bool) error{"text": writeText, "json": writeJSON}[*format]
		if !ok {
			return usagef("--format %s: text or json is wanted", *format)
		}
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if *server != "" {
			if cmd.Flags().Changed("effort") {
				o.effort = c.Effort
			}
			s, err := p.signIn(cmd.Context(), *server, *token, *user)
			if err != nil {
				return err
			}
			read := func(ctx context.Context, file string) page { return o.readAt(ctx, s, file, *keep) }
			return errors.Join(p.ocr(cmd.Context(), read, uploadsAtOnce, files, write), s.end())
		}
		o.effort = c.Effort
		pool, err := startPool(c, os.TempDir(), localFiles{}, p.logger(c))
		if err != nil {
			return err
		}
		read := func(ctx context.Context, file string) page { return o.read(ctx, pool, file) }
		return errors.Join(p.ocr(cmd.Context(), read, filesAtOnce, files, write), pool.Close())
	}
	return cmd
}

func parseRegion(text string) (document.Box, error) {
	var n [4]int
	parts := strings.Split(text, ",")
	err := error(nil)
	for i := 0; i < len(parts) && len(parts) == len(n) && err == nil; i++ {
		n[i], err = strconv.Atoi(strings.TrimSpace(parts[i]))
	}
	box := document.Box{X1: n[0], Y1: n[1], X2: n[2], Y2: n[3]}
	if err != nil || box.Empty() {
		return document.Box{}, usagef("--region %s: four whole numbers x1,y1,x2,y2 with x1 < x2 and y1 < y2 are wanted", text)
	}
	return box, nil
}

// page is a file that was read, or why it was not. It is also the form in JSON.
type page struct {
	File     string        `json:"file"`
	Width    int           `json:"width"`    // pixels, upright
	Height   int           `json:"height"`   // pixels, upright
	Contents []api.Content `json:"contents"` // as in the API; ids and versions are empty where no service has read
	Error    string        `json:"error,omitempty"`
}

func (g page) failed() bool {
	failed := g.Error != ""
	for _, c := range g.Contents {
		failed = failed || c.Error != nil
	}
	return failed
}

// reader is an engine that also finds the size of a page.
type reader interface {
	recognition.Engine
	Probe(ctx context.Context, f document.File) (document.Probe, error)
}

// filesAtOnce is how many files are worked on at once, so that the next is being read while the workers are busy.
const filesAtOnce = 16

// ocr reads the files, several at once, and writes them in order.
func (p Process) ocr(ctx context.Context, read func(ctx context.Context, file string) page, atOnce int, files []string, write func(io.Writer, page, bool) error) error {
	pages := make([]chan page, len(files))
	for i := range pages {
		pages[i] = make(chan page, 1)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slots := make(chan struct{}, atOnce)
	go func() {
		for i, file := range files {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				pages[i] <- read(ctx, file)
			}()
		}
	}()
	display := progress.New(p.Stderr)
	defer display.Clear()
	failed := 0
	for i := range files {
		g := <-pages[i]
		display.Clear()
		if err := write(p.Stdout, g, len(files) > 1); err != nil {
			return err
		}
		for _, c := range g.Contents {
			if c.Error != nil {
				fmt.Fprintf(p.Stderr, "glyphbox: %s: region %d,%d,%d,%d: %s\n", g.File, c.ROI.X1, c.ROI.Y1, c.ROI.X2, c.ROI.Y2, c.Error.Detail)
			}
		}
		if g.Error != "" {
			fmt.Fprintf(p.Stderr, "glyphbox: %s: %s\n", g.File, g.Error)
		}
		if g.failed() {
			failed++
		}
		if len(files) > 1 {
			display.Say("%d of %d files, %d of them not in full", i+1, len(files), failed)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files could not be read in full", failed, len(files))
	}
	return nil
}

// read reads one file.
func (o ocrOptions) read(ctx context.Context, reader reader, file string) page {
	g := page{File: file, Contents: []api.Content{}}
	fail := func(err error) page {
		g.Error = explain(err)
		return g
	}
	source, err := pageOf(file)
	if err != nil {
		return fail(err)
	}
	probe, err := reader.Probe(ctx, source.File)
	if err != nil {
		return fail(err)
	}
	geometry := probe.Geometry(1)
	g.Width, g.Height = geometry.Width, geometry.Height
	tasks, err := o.tasks(ctx, reader, geometry)
	if err != nil {
		return fail(err)
	}
	readings, err := reader.Recognize(ctx, recognition.Order{Page: source, Tasks: tasks})
	if err != nil {
		return fail(err)
	}
	for i, r := range readings {
		g.Contents = append(g.Contents, wire.Content(recognition.Content{ROI: tasks[i].Box, Reading: r}))
	}
	return g
}

// tasks are the regions on a page of that size.
func (o ocrOptions) tasks(ctx context.Context, reader reader, of document.Geometry) (tasks []recognition.Task, err error) {
	request := recognition.Request{Lang: o.lang, Shape: o.shape, Mode: recognition.BestMode, Rotate: o.rotate, Effort: o.effort}
	for _, box := range o.regions {
		request.Regions = append(request.Regions, recognition.Region{Box: box})
	}
	return request.Tasks(ctx, document.Image{Geometry: of}, reader)
}

// pageOf makes a page of a file, for localFiles to open.
func pageOf(path string) (document.Page, error) {
	f, err := os.Open(path)
	if err != nil {
		return document.Page{}, err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return document.Page{}, err
	}
	return document.Page{File: document.File{Staged: path, SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}, Number: 1}, nil
}

// localFiles opens files by their paths.
type localFiles struct{}

func (localFiles) Open(_ context.Context, f document.File) (io.ReadCloser, error) {
	r, err := os.Open(f.Staged)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "file_unreadable", "The file cannot be opened.").Because(err)
	}
	return r, nil
}

// writeText writes the text of the regions, one after the other, under the file's name where there are several files.
func writeText(w io.Writer, g page, several bool) error {
	if several {
		if _, err := fmt.Fprintf(w, "==> %s <==\n", g.File); err != nil {
			return err
		}
	}
	for _, c := range g.Contents {
		if _, err := fmt.Fprintln(w, c.Text); err != nil {
			return err
		}
	}
	return nil
}

func writeJSON(w io.Writer, g page, _ bool) error {
	return json.NewEncoder(w).Encode(g)
}

package app

import (
	"cmp"
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	api "glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/reading"
)

// ocrOptions is what the ocr command is asked to do with each file.
type ocrOptions struct {
	regions []document.Box // none: the whole page
	lang    []string
	shape   recognition.Shape
	rotate  recognition.Rotate
	effort  recognition.Effort // empty: as the service is configured
	source  recognition.Source
}

// wholePageTimeout is the least time for a whole page, on a machine that does other work too: nobody waits for one of many at a screen.
const wholePageTimeout = 5 * time.Minute

// checkRotate checks the flag --rotate.
func checkRotate(text string) error {
	if !slices.Contains(recognition.Rotates, recognition.Rotate(text)) {
		return usagef("--rotate %s: auto, 0, 90, 180 or 270 is wanted", text)
	}
	return nil
}

// ocrCommand reads files, by itself or by a running service, without storing anything.
func (p Process) ocrCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ocr FILE...", Short: "Read files of images and documents, without a server or by a running one",
		Args: cobra.MinimumNArgs(1),
		Long: "Reads images and documents of many pages and writes what they say, without a server and without storing anything. Of a " +
			"folder all images and\n" +
			"documents are read, and those in folders in it; - is standard input. Several files become one, unless the output is a " +
			"folder.\n" +
			"With --server a running service reads them. It needs --token or " + tokenVariable +
			", which is an API key or an access token, or --user, whose\n" +
			"password it asks for or reads from standard input. Images are deleted there once they were read, unless there is --keep.\n" +
			"The exit code is 0 when all could be read, 1 when some pages or regions could not, 2 when the command line is not right.",
		Example: "  glyphbox ocr receipt.jpg\n  glyphbox ocr form.tif --region 100,80,900,130 --region 100,200,900,250 --lang kor+eng " +
			"--format json\n" +
			"  glyphbox ocr scans.tif --pages 1-3 --format pdf -o searchable.pdf\n" +
			"  glyphbox ocr locked.pdf --password-file password.txt\n  glyphbox ocr forms/ --format xlsx -o forms.xlsx\n" +
			"  glyphbox ocr receipt.jpg --server https://ocr.example.org --user ann"}
	regions := cmd.Flags().StringArray("region", nil,
		"A region in pixels of the upright page, x1,y1,x2,y2; may be given several times. Without it the whole page is read.")
	lang := cmd.Flags().String("lang", recognition.DefaultLang,
		"Languages, joined by +; their order does not matter. "+
			"auto finds out by the script which of the installed ones are written.")
	psm := cmd.Flags().Int("psm", int(recognition.ShapeAuto),
		"How the text of a region is arranged, "+recognition.ShapeNumbers+"; 0 picks it by the size of the region.")
	rotate := cmd.Flags().String("rotate", string(recognition.RotateAuto), "How far the text is turned clockwise: auto, 0, 90, 180 or 270.")
	source := cmd.Flags().String("source", string(recognition.SourceAuto),
		"Where the text comes from: text, the text layer of a PDF file; ocr, what is read; auto, the text layer where it can be trusted.")
	server, token, user, keep := serviceFlags(cmd.Flags())
	pages := cmd.Flags().String("pages", "all", "Pages of each file: all, or numbers and ranges, such as 2-5,9.")
	format := cmd.Flags().String("format", string(reading.Formats[0]), "What to write: "+formatNames()+". json is a line for each page.")
	out := cmd.Flags().StringP("output", "o", "",
		"Where to write: a file, which is replaced if it is there, or a folder, which is there or ends in /, for a file of each. "+
			"A file in the folder is not replaced: a new one of the same name gets a number, as in scan-2.txt. Without it standard output.")
	addFlags(cmd.Flags(), "ocr-workers", "max-pixels", "region-timeout", "tessdata-dir", "models", "compiled-dir", "effort", "log-level")
	locked := passwordFileFlag(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		o := ocrOptions{lang: strings.Split(*lang, "+"), shape: recognition.Shape(*psm), rotate: recognition.Rotate(*rotate),
			source: recognition.Source(*source)}
		if !o.shape.Valid() {
			return usagef("--psm %d: 0, %s is wanted", *psm, recognition.ShapeNumbers)
		}
		if err := checkRotate(*rotate); err != nil {
			return err
		}
		if !slices.Contains(recognition.Sources, o.source) {
			return usagef("--source %s: auto, text or ocr is wanted", *source)
		}
		for _, text := range *regions {
			box, err := parseRegion(text)
			if err != nil {
				return err
			}
			o.regions = append(o.regions, box)
		}
		if !slices.Contains(reading.Formats, reading.Format(*format)) {
			return usagef("--format %s: %s is wanted", *format, formatNames())
		}
		ranges, err := recognition.ParsePageRanges("--pages", *pages)
		if err != nil {
			return usagef("--pages %s: all, or numbers and ranges such as 2-5,9 are wanted", *pages)
		}
		if _, ok := terminal(p.Stdin); !ok && *server != "" && *user != "" && slices.Contains(names, "-") {
			return usagef("the password and - cannot both come from standard input")
		}
		password, err := filePassword(*locked)
		if err != nil {
			return err
		}
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		files, forget, err := reading.Find(names, p.Stdin)
		defer forget()
		if err != nil {
			return err
		}
		if reading.IsRead(*out, files) {
			return usagef("-o %s: this file is read, so it cannot be written", *out)
		}
		exporter, err := newExporter(c, os.TempDir(), p.logger(c))
		if err != nil {
			return err
		}
		defer exporter.Close()
		r := reading.Reading{Exporter: exporter, Files: files, Pages: ranges, Format: reading.Format(*format), Out: *out, Stdout: p.Stdout,
			Stderr: p.Stderr, Explain: func(err error) string { return explain(lockedError(err, password)) }}
		if *server != "" {
			if cmd.Flags().Changed("effort") {
				o.effort = c.Effort
			}
			s, err := p.signIn(cmd.Context(), *server, *token, *user)
			if err != nil {
				return err
			}
			if err := s.checkLang(cmd.Context(), o.lang); err != nil {
				return errors.Join(err, s.end())
			}
			r.Source, r.AtOnce = reading.Service{Do: s.do, Request: o.clientRequest(), Keep: *keep,
				Password: password}, uploadsAtOnce
			return errors.Join(r.Run(cmd.Context()), s.end())
		}
		o.effort = c.Effort
		if len(o.regions) == 0 && !cmd.Flags().Changed("region-timeout") {
			c.RegionTimeout = max(c.RegionTimeout, wholePageTimeout)
		}
		c.MaxPages = 0 // is about what is kept
		c.LoadWhenNeeded = true
		pool, err := startPool(c, os.TempDir(), "", reading.LocalFiles(files), p.logger(c))
		if err != nil {
			return err
		}
		r.Source, r.AtOnce = reading.Local{Engine: pool, Request: o.request(), Password: password},
			cmp.Or(c.OCRWorkers, runtime.GOMAXPROCS(0))+1
		return errors.Join(r.Run(cmd.Context()), pool.Close())
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

// formatNames are the names of all formats.
func formatNames() string {
	names := make([]string, len(reading.Formats))
	for i, f := range reading.Formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// request is what to read of each page.
func (o ocrOptions) request() recognition.Request {
	request := recognition.Request{Lang: o.lang, Shape: o.shape, Mode: recognition.BestMode, Rotate: o.rotate, Effort: o.effort,
		Source: o.source}
	for _, box := range o.regions {
		request.Regions = append(request.Regions, recognition.Region{Box: box})
	}
	return request
}

// clientRequest is what to read of each page, in the form of the API.
func (o ocrOptions) clientRequest() api.Request {
	request := api.Request{Lang: o.lang, PSM: int(o.shape), Rotate: string(o.rotate), Effort: string(o.effort), Source: string(o.source)}
	for _, box := range o.regions {
		request.Regions = append(request.Regions, api.Region{Box: api.Box(box)})
	}
	return request
}

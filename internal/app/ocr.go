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

// ocrOptions has the options of the ocr command for each file.
type ocrOptions struct {
	regions []document.Box // none: the whole page
	lang    []string
	shape   recognition.Shape
	rotate  recognition.Rotate
	effort  recognition.Effort // empty: as the service is configured
	source  recognition.Source
}

// wholePageTimeout is the minimum time limit for a whole page. It is long, since the machine may do other work too.
const wholePageTimeout = 5 * time.Minute

// checkRotate checks the flag --rotate.
func checkRotate(text string) error {
	if !slices.Contains(recognition.Rotates, recognition.Rotate(text)) {
		return usagef("--rotate %s: must be auto, 0, 90, 180 or 270", text)
	}
	return nil
}

// ocrCommand reads files, by itself or through a running service, without storing anything.
func (p Process) ocrCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ocr FILE...", Short: "Read images and documents, without a server or through a running one",
		Args: cobra.MinimumNArgs(1),
		Long: "Reads images and documents and writes their text, without a server and without storing anything. FILE may be a folder,\n" +
			"whose images and documents are read, subfolders included, or - for standard input. Several files become one, unless\n" +
			"the output is a folder.\n\n" +
			"With --server a running service does the reading. Give an API key or an access token with --token or\n" +
			tokenVariable + ", or a name with --user; the command prompts for the password or reads it from standard input.\n" +
			"It deletes the images from the service after reading them, unless --keep is given.\n\n" +
			"The exit code is 0 if everything could be read, 1 if some pages or regions could not, and 2 if the command line is wrong.",
		Example: "  glyphbox ocr receipt.jpg\n  glyphbox ocr form.tif --region 100,80,900,130 --region 100,200,900,250 --lang kor+eng " +
			"--format json\n" +
			"  glyphbox ocr scans.tif --pages 1-3 --format pdf -o searchable.pdf\n" +
			"  glyphbox ocr locked.pdf --password-file password.txt\n  glyphbox ocr forms/ --format xlsx -o forms.xlsx\n" +
			"  glyphbox ocr receipt.jpg --server https://ocr.example.org --user ann"}
	regions := cmd.Flags().StringArray("region", nil,
		"Region in pixels of the upright page, x1,y1,x2,y2; may be repeated. Default: the whole page.")
	lang := cmd.Flags().String("lang", recognition.DefaultLang,
		"Languages, joined by +; their order does not matter. auto detects the installed languages by their script.")
	psm := cmd.Flags().Int("psm", int(recognition.ShapeAuto),
		"How the text of a region is arranged, "+recognition.ShapeNumbers+"; 0 chooses by the size of the region.")
	rotate := cmd.Flags().String("rotate", string(recognition.RotateAuto), "Clockwise rotation of the text: auto, 0, 90, 180 or 270.")
	source := cmd.Flags().String("source", string(recognition.SourceAuto),
		"Source of the text. text: the text layer of a PDF file; ocr: recognition; auto: the text layer where it can be trusted.")
	server, token, user, keep := serviceFlags(cmd.Flags())
	pages := cmd.Flags().String("pages", "all", "Pages of each file: all, or numbers and ranges, such as 2-5,9.")
	format := cmd.Flags().String("format", string(reading.Formats[0]), "Output format: "+formatNames()+". json has one line for each page.")
	out := cmd.Flags().StringP("output", "o", "",
		"Output file, which is replaced if it exists, or a folder for one file each: an existing folder or a name that ends in /. "+
			"Files in a folder are not replaced; a new one gets a number, as in scan-2.txt. Default: standard output.")
	addFlags(cmd.Flags(), "ocr-workers", "max-pixels", "region-timeout", "tessdata-dir", "models", "compiled-dir", "effort", "log-level")
	locked := passwordFileFlag(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		o := ocrOptions{lang: strings.Split(*lang, "+"), shape: recognition.Shape(*psm), rotate: recognition.Rotate(*rotate),
			source: recognition.Source(*source)}
		if !o.shape.Valid() {
			return usagef("--psm %d: must be 0, %s", *psm, recognition.ShapeNumbers)
		}
		if err := checkRotate(*rotate); err != nil {
			return err
		}
		if !slices.Contains(recognition.Sources, o.source) {
			return usagef("--source %s: must be auto, text or ocr", *source)
		}
		for _, text := range *regions {
			box, err := parseRegion(text)
			if err != nil {
				return err
			}
			o.regions = append(o.regions, box)
		}
		if !slices.Contains(reading.Formats, reading.Format(*format)) {
			return usagef("--format %s: must be one of %s", *format, formatNames())
		}
		ranges, err := recognition.ParsePageRanges("--pages", *pages)
		if err != nil {
			return usagef("--pages %s: must be all, or numbers and ranges such as 2-5,9", *pages)
		}
		if _, ok := terminal(p.Stdin); !ok && *server != "" && *user != "" && slices.Contains(names, "-") {
			return usagef("the password and the file - cannot both come from standard input")
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
			return usagef("-o %s: the output is also an input file", *out)
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
		return document.Box{}, usagef("--region %s: must be four whole numbers x1,y1,x2,y2 with x1 < x2 and y1 < y2", text)
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

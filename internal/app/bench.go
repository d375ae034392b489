package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/bench"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/progress"
	"glyphbox/internal/reading"
)

const benchHelp = `Reads evaluation sets, whose text is known, and reports accuracy and time. A set is a file with one page on each line:
{"image", "width", "height", "lang", "regions": [{"x1", "y1", "x2", "y2", "text"}]}. The path of the image is relative to
the file; boxes are in pixels of the upright page. A line may also have "set", the set that its lines come from, and a
region "turned", the clockwise rotation in degrees that makes its lines run to the right; see --against tight and upright.

All contestants read the same page before the next page begins, and take turns at being first, so that a change in the
speed of the machine favours none. docs/benchmarks.md explains the columns.`

// benchCommand measures the engine on evaluation sets.
func (p Process) benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench SET/regions.jsonl...", Short: "Measure accuracy and speed on pages with known text", Long: benchHelp,
		Example: "  glyphbox bench receipts/regions.jsonl forms/regions.jsonl --against loop --against process\n  taskset -c 0 glyphbox " +
			"bench receipts/regions.jsonl --workers 1 --service\n  glyphbox bench --blank"}
	var o bench.Options
	cmd.Flags().IntVar(&o.Workers, "workers", 0, "Number of worker processes; 0: one for each core.")
	cmd.Flags().StringArrayVar(&o.Against, "against", nil,
		"What to compare the engine with; may be repeated. loop: a plain warm loop over the library. process: a tesseract process for "+
			"each region. tight: the same lines in tight boxes, if a set has the lines of another set. upright: the same pages turned "+
			"upright. right: the languages of the set, if --lang gives others.")
	lang := cmd.Flags().String("lang", "", "Languages to use instead of those of the sets, joined by +, or auto.")
	cmd.Flags().BoolVar(&o.Service, "service", false,
		"Compare the service, including HTTP and storage, with the plain warm loop, each on one worker.")
	cmd.Flags().BoolVar(&o.Cores, "cores", false, "Compare one worker with two that read one page at a time and three pages at once.")
	cmd.Flags().BoolVar(&o.Blank, "blank", false,
		"Also measure 300 generated regions without text, such as paper, photos, rules, shadows and hatching, and 300 more, such as "+
			"halftones, wood, tables, bars and scribbles.")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 0, "Seed of the pages of --blank; the same seed makes the same pages.")
	cmd.Flags().BoolVar(&o.Calibration, "calibration", false,
		"Compare the confidence of words with their accuracy, in ten bins of equal size.")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "Write a line of JSON for each set, and one for all sets.")
	cmd.Flags().IntVar(&o.Limit, "limit", 0, "Maximum number of pages of each set, spread evenly over it; 0: all.")
	cmd.Flags().IntVar(&o.Skip, "skip", 0, "Leave out the pages that --limit with this number would choose.")
	cmd.Flags().BoolVar(&o.ShowErrors, "show-errors", false,
		"Print misread texts to standard error, ignoring letter case and white space.")
	addFlags(cmd.Flags(), "max-pixels", "region-timeout", "tessdata-dir", "models", "effort", "log-level")
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		if len(files) == 0 && !o.Blank {
			return usagef("give a file of a set or --blank")
		}
		sides := []string{bench.SideLoop, bench.SideProcess, bench.SideTight, bench.SideUpright, bench.SideRight}
		for _, a := range o.Against {
			if !slices.Contains(sides, a) {
				return usagef("--against %s: must be one of %s", a, strings.Join(sides, ", "))
			}
		}
		if o.Workers < 0 || o.Limit < 0 || o.Skip < 0 {
			return usagef("--workers, --limit and --skip must not be negative")
		}
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		o.Effort = c.Effort
		if *lang != "" {
			o.Lang = strings.Split(*lang, "+")
		}
		return p.bench(cmd.Context(), c, o, files)
	}
	return cmd
}

func (p Process) bench(ctx context.Context, c Config, o bench.Options, files []string) error {
	o.Workers = cmp.Or(o.Workers, c.OCRWorkers, runtime.NumCPU())
	log := p.logger(c)
	return bench.Bench{
		Start: func(workers int) (bench.Engine, error) {
			c := c
			c.OCRWorkers = workers
			pool, err := startPool(c, os.TempDir(), "", reading.LocalFiles{}, log)
			return benchEngine{pool}, err
		},
		Page: firstPage, Explain: explain,
		Serve: func(ctx context.Context, dir string, listening func(url string)) error {
			c := c
			c.Addr, c.DataDir, c.OCRWorkers, c.SignUpOpen, c.AdminPassword = "127.0.0.1:0", datadir.Dir(dir), 1, true,
				strings.ToLower(rand.Text())
			c.AccessTTL = 24 * time.Hour
			c.LogLevel = max(c.LogLevel, slog.LevelWarn)
			quiet := p
			quiet.Stdout = io.Discard
			return quiet.serve(ctx, c, quiet.logger(c), func(address string) { listening(localURL(address)) })
		},
		Stdout: p.Stdout, Stderr: p.Stderr, Progress: progress.New(p.Stderr), Options: o,
	}.Run(ctx, files)
}

// benchEngine implements bench.Engine.
type benchEngine struct{ *engine.Engine }

func (e benchEngine) Up() int       { return e.Stats().Workers }
func (e benchEngine) Memory() int64 { return e.Stats().Memory }

// firstPage is that of a file, for reading.LocalFiles to open.
func firstPage(path string) (document.Page, error) {
	f, err := reading.FileOf(reading.File{Name: path})
	return document.Page{File: f, Number: 1}, err
}

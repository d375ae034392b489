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

const benchHelp = `Reads evaluation sets, whose text is known, and shows how much of it was right and how long it took. A set is a file
with a page on each line: {"image", "width", "height", "lang", "regions": [{"x1", "y1", "x2", "y2", "text"}]}; the
image's path is relative to the file, boxes are pixels of the page as it is displayed. A row may also have "set", the
set that its lines are from, and a region "turned", the degrees clockwise that make its lines run to the right; see
--against tight and upright.

All that is compared reads the same page before the next page is begun, each in its turn as the first, so that a machine
whose speed drifts is unfair to none. docs/benchmarks.md explains the columns.`

// benchCommand measures the engine on evaluation sets.
func (p Process) benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench SET/regions.jsonl...", Short: "Measure recognition on pages whose text is known", Long: benchHelp,
		Example: "  glyphbox bench receipts/regions.jsonl forms/regions.jsonl --against loop --against process\n  taskset -c 0 glyphbox " +
			"bench receipts/regions.jsonl --workers 1 --service\n  glyphbox bench --blank"}
	var o bench.Options
	cmd.Flags().IntVar(&o.Workers, "workers", 0, "Worker processes; 0 is one for each core.")
	cmd.Flags().StringArrayVar(&o.Against, "against", nil,
		"What to compare the engine with: loop, a plain warm loop over the library; process, a tesseract process for each region; "+
			"tight, the same lines drawn tightly, where a set has the lines of another set; upright, the same "+
			"pages turned upright; right, the languages of the set, where --lang names others. May be given several times.")
	lang := cmd.Flags().String("lang", "", "Languages that the engine reads in, joined by +, or auto, in the place of those of the sets.")
	cmd.Flags().BoolVar(&o.Service, "service", false,
		"Compare the service, HTTP and storage included, with the plain warm loop, both on one worker.")
	cmd.Flags().BoolVar(&o.Cores, "cores", false, "Compare one worker with two, which read one page after the other, and three at once.")
	cmd.Flags().BoolVar(&o.Blank, "blank", false,
		"Also measure 300 regions without text: paper, photos, rules, shadows and hatching, made by the program, and 300 more, such as "+
			"halftones, wood, tables, bars and scribbles.")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 0, "Of --blank: each makes pages of its own, always the same.")
	cmd.Flags().BoolVar(&o.Calibration, "calibration", false,
		"Show how far the confidence of words is true: ten bins with equal numbers of words.")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "Write a line of JSON for each set, and one for all of them.")
	cmd.Flags().IntVar(&o.Limit, "limit", 0, "The most pages of each set, spread evenly over it; 0 is all.")
	cmd.Flags().IntVar(&o.Skip, "skip", 0, "Leave out the pages of each set that --limit with this number would take.")
	cmd.Flags().BoolVar(&o.ShowErrors, "show-errors", false,
		"Show, on standard error, what the engine read wrong, letter case and white space aside.")
	addFlags(cmd.Flags(), "max-pixels", "region-timeout", "tessdata-dir", "models", "effort", "log-level")
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		if len(files) == 0 && !o.Blank {
			return usagef("a file of a set, or --blank, is wanted")
		}
		sides := []string{bench.SideLoop, bench.SideProcess, bench.SideTight, bench.SideUpright, bench.SideRight}
		for _, a := range o.Against {
			if !slices.Contains(sides, a) {
				return usagef("--against %s: one of %s is wanted", a, strings.Join(sides, ", "))
			}
		}
		if o.Workers < 0 || o.Limit < 0 || o.Skip < 0 {
			return usagef("--workers, --limit and --skip are not negative")
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

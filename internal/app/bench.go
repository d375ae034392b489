package app

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// benchOptions is what the bench command is asked for.
type benchOptions struct {
	workers    int
	against    []string
	service    bool
	cores      bool
	json       bool
	limit      int // pages of each set; 0: all
	showErrors bool
}

const benchHelp = `Reads evaluation sets, whose text is known, and shows how much of it was right and how long it took. A set is a file with a
page on each line: {"image", "width", "height", "lang", "regions": [{"x1", "y1", "x2", "y2", "text"}]}; the image's path is relative to the file,
boxes are pixels of the upright page.

All that is compared reads the same page before the next page is begun, each in its turn as the first, so that a machine whose
speed drifts is unfair to none. docs/benchmarks.md explains the columns.`

// benchCommand measures the engine on evaluation sets.
func (p Process) benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench SET/regions.jsonl...", Short: "Measure recognition on pages whose text is known", Long: benchHelp, Args: cobra.MinimumNArgs(1),
		Example: "  glyphbox bench receipts/regions.jsonl forms/regions.jsonl --against loop --against process\n  taskset -c 0 glyphbox bench receipts/regions.jsonl --workers 1 --service"}
	var o benchOptions
	cmd.Flags().IntVar(&o.workers, "workers", 0, "Worker processes; 0 is one for each core.")
	cmd.Flags().StringArrayVar(&o.against, "against", nil, "What to compare the engine with: loop, a plain warm loop over the library, or process, a tesseract process for each region; may be given several times.")
	cmd.Flags().BoolVar(&o.service, "service", false, "Compare the service, HTTP and storage included, with the plain warm loop, both on one worker.")
	cmd.Flags().BoolVar(&o.cores, "cores", false, "Compare one worker with two.")
	cmd.Flags().BoolVar(&o.json, "json", false, "Write a line of JSON for each set.")
	cmd.Flags().IntVar(&o.limit, "limit", 0, "The most pages of each set, spread evenly over it; 0 is all.")
	cmd.Flags().BoolVar(&o.showErrors, "show-errors", false, "Show, on standard error, what the engine read wrong, letter case and white space aside.")
	addFlags(cmd.Flags(), "max-pixels", "region-timeout", "tessdata-dir", "log-level")
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		for _, a := range o.against {
			if a != sideLoop && a != sideProcess {
				return usagef("--against %s: %s or %s is wanted", a, sideLoop, sideProcess)
			}
		}
		if o.workers < 0 || o.limit < 0 {
			return usagef("--workers and --limit are not negative")
		}
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		return p.bench(cmd.Context(), c, o, files)
	}
	return cmd
}

func (p Process) bench(ctx context.Context, c Config, o benchOptions, files []string) (err error) {
	if o.workers > 0 {
		c.OCRWorkers = o.workers
	}
	c.OCRWorkers = cmp.Or(c.OCRWorkers, runtime.NumCPU())
	b := &bench{Process: p, config: c, options: o, log: p.logger(c)}
	var sets []benchSet
	for _, file := range files { // before any measuring, since that takes long
		set, err := loadBenchSet(file, o.limit)
		if err != nil {
			return err
		}
		sets = append(sets, set)
	}
	if b.dir, err = os.MkdirTemp("", "glyphbox-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close(), os.RemoveAll(b.dir)) }()
	if err := b.openSides(ctx); err != nil {
		return err
	}
	var results []benchResult
	for _, set := range sets {
		var result benchResult
		if result, err = b.measureSet(ctx, set); err != nil {
			break // what was measured before is shown all the same
		}
		if o.json {
			if err = json.NewEncoder(p.Stdout).Encode(result); err != nil {
				return err
			}
		}
		results = append(results, result)
	}
	if !o.json && len(results) > 0 {
		err = errors.Join(err, printBench(p.Stdout, results))
	}
	return err
}

// benchSet is a file of pages whose text is known.
type benchSet struct {
	name  string
	file  string
	pages []benchPage
}

// benchPage is a line of a set.
type benchPage struct {
	Image   string        `json:"image"`
	Width   int           `json:"width"`
	Height  int           `json:"height"`
	Lang    string        `json:"lang"`
	Regions []benchRegion `json:"regions"`

	source document.Page
}

// benchRegion is a region and what stands in it.
type benchRegion struct {
	document.Box
	Text string `json:"text"`
}

// lines tells whether a region has several lines.
func (r benchRegion) lines() bool { return strings.Contains(r.Text, "\n") }

func loadBenchSet(file string, limit int) (benchSet, error) {
	set := benchSet{name: filepath.Base(filepath.Dir(file)), file: file}
	if base := strings.TrimSuffix(filepath.Base(file), ".jsonl"); base != "regions" {
		set.name += "/" + base
	}
	f, err := os.Open(file)
	if err != nil {
		return set, err
	}
	defer f.Close()
	decoder := json.NewDecoder(bufio.NewReader(f))
	for {
		var page benchPage
		err := decoder.Decode(&page)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(page.Regions) == 0 {
			err = errors.New("no regions")
		}
		if err != nil {
			return set, fmt.Errorf("%s: page %d: %w", file, len(set.pages)+1, err)
		}
		page.Image = filepath.Join(filepath.Dir(file), page.Image)
		for i, r := range page.Regions {
			page.Regions[i].Text = norm.NFC.String(r.Text)
		}
		set.pages = append(set.pages, page)
	}
	if len(set.pages) == 0 {
		return set, fmt.Errorf("%s: no pages", file)
	}
	if all := set.pages; limit > 0 && limit < len(all) {
		set.pages = nil
		for i := range limit {
			set.pages = append(set.pages, all[i*len(all)/limit])
		}
	}
	return set, nil
}

// tasks are all regions of a page, with what the set says decided.
func (p benchPage) tasks(installed []recognition.Language) ([]recognition.Task, error) {
	request := recognition.Request{Lang: []string{p.Lang}, OEM: recognition.DefaultOEM}
	for _, r := range p.Regions {
		request.Regions = append(request.Regions, recognition.Region{Box: r.Box})
	}
	return request.Tasks(document.Image{Geometry: document.Geometry{Width: p.Width, Height: p.Height}}, installed)
}

// Of each page, at most that many lines of at most that height are also asked for one at a time.
const (
	benchSingles    = 10
	benchLineHeight = 80 // pixels
)

// singles are the numbers of such lines, spread over the page.
func (p benchPage) singles() []int {
	var lines []int
	for i, r := range p.Regions {
		if !r.lines() && r.Height() <= benchLineHeight {
			lines = append(lines, i)
		}
	}
	var picked []int
	for i := range min(benchSingles, len(lines)) {
		picked = append(picked, lines[i*len(lines)/min(benchSingles, len(lines))])
	}
	return picked
}

// bench is one run of the command.
type bench struct {
	Process
	config  Config
	options benchOptions
	log     *slog.Logger
	dir     string // for files that are not kept

	probe     func(context.Context, document.Page) (document.Geometry, error)
	installed []recognition.Language
	sides     []*side // the first is the engine
	ratios    []ratio
	closers   []func() error
}

// close closes everything, what was opened last first.
func (b *bench) close() (err error) {
	for _, c := range slices.Backward(b.closers) {
		err = errors.Join(err, c())
	}
	return err
}

// progress tells who watches what is being done.
func (b *bench) progress(format string, args ...any) {
	if _, watched := terminal(b.Stderr); watched {
		fmt.Fprintf(b.Stderr, "\r\x1b[K"+format, args...)
	}
}

func (b *bench) measureSet(ctx context.Context, set benchSet) (benchResult, error) {
	defer b.progress("")
	tallies := make([]tally, len(b.sides))
	result := benchResult{Set: set.name, File: set.file}
	b.progress("%s: warming up", set.name)
	if err := b.warm(ctx, set); err != nil {
		return result, fmt.Errorf("%s: %w", set.file, err)
	}
	for i, page := range set.pages {
		b.progress("%s: page %d of %d", set.name, i+1, len(set.pages))
		took, err := b.measurePage(ctx, page, i)
		if ctx.Err() != nil {
			return result, ctx.Err()
		}
		if err != nil { // on any side, so that all are measured by the same pages
			b.progress("")
			fmt.Fprintf(b.Stderr, "glyphbox: %s: left out: %s\n", page.Image, explain(err))
			result.Refused++
			continue
		}
		result.Pages++
		result.Regions += len(page.Regions)
		for k := range tallies {
			tallies[k].add(page, took[k])
		}
		if b.options.showErrors {
			b.progress("")
			showErrors(b.Stderr, page, took[0].readings)
		}
	}
	if result.Pages == 0 {
		return result, fmt.Errorf("%s: no page could be read", set.file)
	}
	result.Characters = tallies[0].errors[0].Characters
	for k, s := range b.sides {
		result.Sides = append(result.Sides, tallies[k].result(s))
	}
	for _, r := range b.ratios {
		result.Ratios = append(result.Ratios, r.result(tallies, b.sides))
	}
	return result, nil
}

// taken is how one side did on one page.
type taken struct {
	readings []recognition.Reading
	wall     time.Duration   // of all regions in one order
	singles  []time.Duration // of one region in an order of its own, on the page that is open by then
	memory   int64           // bytes that the workers take then; 0: not known
}

// measurePage has all sides read a page, beginning with another one on each page.
func (b *bench) measurePage(ctx context.Context, page benchPage, number int) (took []taken, err error) {
	if page.source, err = pageOf(page.Image); err != nil {
		return nil, err
	}
	geometry, err := b.probe(ctx, page.source)
	if err != nil {
		return nil, err
	}
	page.Width, page.Height = cmp.Or(page.Width, geometry.Width), cmp.Or(page.Height, geometry.Height)
	if geometry.Width != page.Width || geometry.Height != page.Height {
		return nil, fmt.Errorf("it is %d × %d pixels where the set says %d × %d", geometry.Width, geometry.Height, page.Width, page.Height)
	}
	tasks, err := page.tasks(b.installed)
	if err != nil {
		return nil, err
	}
	took = make([]taken, len(b.sides))
	for i := range b.sides {
		k := (i + number) % len(b.sides)
		if took[k], err = b.sides[k].measure(ctx, page, tasks); err != nil {
			return nil, fmt.Errorf("%s: %w", b.sides[k].name, err)
		}
	}
	return took, nil
}

func (s *side) measure(ctx context.Context, page benchPage, tasks []recognition.Task) (t taken, err error) {
	if s.open != nil {
		if err := s.open(ctx, page); err != nil {
			return t, err
		}
	}
	if s.tasks != nil {
		tasks = s.tasks(page, tasks)
	}
	began := time.Now()
	t.readings, err = s.read(ctx, page, tasks)
	t.wall = time.Since(began)
	if err == nil && len(t.readings) != len(tasks) {
		err = fmt.Errorf("%d answers where %d regions were asked for", len(t.readings), len(tasks))
	}
	if err != nil {
		return t, err
	}
	if s.memory != nil {
		t.memory = s.memory()
	}
	if s.alone {
		return t, nil
	}
	for _, i := range page.singles() {
		began := time.Now()
		if _, err := s.read(ctx, page, tasks[i:i+1]); err != nil {
			return t, err
		}
		t.singles = append(t.singles, time.Since(began))
	}
	return t, nil
}

// showErrors shows what differs, letter case and white space aside.
func showErrors(w io.Writer, page benchPage, readings []recognition.Reading) {
	for i, r := range readings {
		region := page.Regions[i]
		if (recognition.Scoring{AnyCase: true, AnySpace: true}).Compare(norm.NFC.String(r.Text), region.Text).Edits == 0 && r.Error == nil {
			continue
		}
		failure := ""
		if r.Error != nil {
			failure = ", " + r.Error.Code
		}
		fmt.Fprintf(w, "%s %d,%d,%d,%d: psm %d, scale %.2f, passes %d, confidence %.2f%s\n  want %q\n  got  %q\n", page.Image,
			region.X1, region.Y1, region.X2, region.Y2, r.PSM, r.Scale, r.Passes, r.Confidence, failure, region.Text, r.Text)
	}
}

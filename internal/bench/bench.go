// Package bench measures an engine on evaluation sets, whose text is known: how much of it is right, how long it takes, and how both
// compare with other ways to read the same pages.
package bench

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
)

// Engine is an engine with workers of its own.
type Engine interface {
	Probe(ctx context.Context, page document.Page) (document.Geometry, error)
	recognition.Engine

	// Plain is Recognize as a plain warm loop over the library does it.
	Plain(ctx context.Context, o recognition.Order) ([]recognition.Reading, error)

	// Cut returns a region as a file.
	Cut(ctx context.Context, page document.Page, box document.Box) (document.Rendition, error)

	Tessdata() string                // directory of the models
	Up() int                         // workers that have started
	Memory() int64                   // bytes of all workers
	Ready(ctx context.Context) error // why not all workers start
	Close() error
}

// Bench is what measuring needs.
type Bench struct {
	Start   func(workers int) (Engine, error)
	Page    func(file string) (document.Page, error)
	Explain func(err error) string // puts an error into words

	// Serve runs the whole service with one worker in a directory of its own until the context ends. It calls listening with its
	// URL once it listens. Anybody may sign up.
	Serve func(ctx context.Context, dir string, listening func(url string)) error

	Stdout, Stderr io.Writer
	Progress       *progress.Display
	Options
}

// Options is what to measure.
type Options struct {
	Workers    int      // at least 1
	Against    []string // SideLoop, SideProcess
	Service    bool
	Cores      bool
	JSON       bool
	Limit      int // pages of each set; 0: all
	ShowErrors bool
}

// Run measures sets, which are files, and writes the results.
func (b Bench) Run(ctx context.Context, files []string) (err error) {
	r := &run{Bench: b}
	var sets []set
	for _, file := range files { // before any measuring, since that takes long
		s, err := load(file, b.Limit)
		if err != nil {
			return err
		}
		sets = append(sets, s)
	}
	if r.dir, err = os.MkdirTemp("", "glyphbox-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close(), os.RemoveAll(r.dir)) }()
	if err := r.openSides(ctx); err != nil {
		return err
	}
	var results []Result
	for _, s := range sets {
		var result Result
		if result, err = r.measureSet(ctx, s); err != nil {
			break // what was measured before is shown all the same
		}
		if b.JSON {
			if err = json.NewEncoder(b.Stdout).Encode(result); err != nil {
				return err
			}
		}
		results = append(results, result)
	}
	if !b.JSON && len(results) > 0 {
		err = errors.Join(err, printTables(b.Stdout, results))
	}
	return err
}

// set is a file of pages whose text is known.
type set struct {
	name  string
	file  string
	pages []page
}

// page is a line of a set.
type page struct {
	Image   string   `json:"image"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	Lang    string   `json:"lang"`
	Regions []region `json:"regions"`

	source document.Page
}

// region is a region and what stands in it.
type region struct {
	document.Box
	Text string `json:"text"`
}

// lines tells whether a region has several lines.
func (r region) lines() bool { return strings.Contains(r.Text, "\n") }

func load(file string, limit int) (set, error) {
	s := set{name: filepath.Base(filepath.Dir(file)), file: file}
	if base := strings.TrimSuffix(filepath.Base(file), ".jsonl"); base != "regions" {
		s.name += "/" + base
	}
	f, err := os.Open(file)
	if err != nil {
		return s, err
	}
	defer f.Close()
	decoder := json.NewDecoder(bufio.NewReader(f))
	for {
		var p page
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(p.Regions) == 0 {
			err = errors.New("no regions")
		}
		if err != nil {
			return s, fmt.Errorf("%s: page %d: %w", file, len(s.pages)+1, err)
		}
		p.Image = filepath.Join(filepath.Dir(file), p.Image)
		for i, r := range p.Regions {
			p.Regions[i].Text = norm.NFC.String(r.Text)
		}
		s.pages = append(s.pages, p)
	}
	if len(s.pages) == 0 {
		return s, fmt.Errorf("%s: no pages", file)
	}
	if all := s.pages; limit > 0 && limit < len(all) {
		s.pages = nil
		for i := range limit {
			s.pages = append(s.pages, all[i*len(all)/limit])
		}
	}
	return s, nil
}

// tasks are all regions of a page, with what the set says decided.
func (p page) tasks(ctx context.Context, e Engine) ([]recognition.Task, error) {
	request := recognition.Request{Lang: []string{p.Lang}, Mode: recognition.BestMode}
	for _, r := range p.Regions {
		request.Regions = append(request.Regions, recognition.Region{Box: r.Box})
	}
	return request.Tasks(ctx, document.Image{Geometry: document.Geometry{Width: p.Width, Height: p.Height}}, e)
}

// Of each page, at most that many lines of at most that height are also asked for one at a time.
const (
	maxSingles    = 10
	maxLineHeight = 80 // pixels
)

// singles are the numbers of such lines, spread over the page.
func (p page) singles() []int {
	var lines []int
	for i, r := range p.Regions {
		if !r.lines() && r.Height() <= maxLineHeight {
			lines = append(lines, i)
		}
	}
	var picked []int
	for i := range min(maxSingles, len(lines)) {
		picked = append(picked, lines[i*len(lines)/min(maxSingles, len(lines))])
	}
	return picked
}

// run is one run of the command.
type run struct {
	Bench
	dir string // for files that are not kept

	engine  Engine  // of the first side
	sides   []*side // the first is the engine
	ratios  []ratio
	closers []func() error
}

// close closes everything, what was opened last first.
func (b *run) close() (err error) {
	for _, c := range slices.Backward(b.closers) {
		err = errors.Join(err, c())
	}
	return err
}

func (b *run) measureSet(ctx context.Context, s set) (Result, error) {
	defer b.Progress.Clear()
	tallies := make([]tally, len(b.sides))
	result := Result{Set: s.name, File: s.file}
	b.Progress.Say("%s: warming up", s.name)
	if err := b.warm(ctx, s); err != nil {
		return result, fmt.Errorf("%s: %w", s.file, err)
	}
	for i, p := range s.pages {
		b.Progress.Say("%s: page %d of %d", s.name, i+1, len(s.pages))
		took, err := b.measurePage(ctx, p, i)
		if ctx.Err() != nil {
			return result, ctx.Err()
		}
		if err != nil { // on any side, so that all are measured by the same pages
			b.Progress.Printf(b.Stderr, "glyphbox: %s: left out: %s", p.Image, b.Explain(err))
			result.Refused++
			continue
		}
		result.Pages++
		result.Regions += len(p.Regions)
		for k := range tallies {
			tallies[k].add(p, took[k])
		}
		if b.ShowErrors {
			b.Progress.Clear()
			showErrors(b.Stderr, p, took[0].readings)
		}
	}
	if result.Pages == 0 {
		return result, fmt.Errorf("%s: no page could be read", s.file)
	}
	result.Characters = tallies[0].errors[0].Characters
	for k, side := range b.sides {
		result.Sides = append(result.Sides, tallies[k].result(side))
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
func (b *run) measurePage(ctx context.Context, p page, number int) (took []taken, err error) {
	if p.source, err = b.Page(p.Image); err != nil {
		return nil, err
	}
	geometry, err := b.engine.Probe(ctx, p.source)
	if err != nil {
		return nil, err
	}
	p.Width, p.Height = cmp.Or(p.Width, geometry.Width), cmp.Or(p.Height, geometry.Height)
	if geometry.Width != p.Width || geometry.Height != p.Height {
		return nil, fmt.Errorf("it is %d × %d pixels where the set says %d × %d", geometry.Width, geometry.Height, p.Width, p.Height)
	}
	tasks, err := p.tasks(ctx, b.engine)
	if err != nil {
		return nil, err
	}
	took = make([]taken, len(b.sides))
	for i := range b.sides {
		k := (i + number) % len(b.sides)
		if took[k], err = b.sides[k].measure(ctx, p, tasks); err != nil {
			return nil, fmt.Errorf("%s: %w", b.sides[k].name, err)
		}
	}
	return took, nil
}

func (s *side) measure(ctx context.Context, p page, tasks []recognition.Task) (t taken, err error) {
	if s.open != nil {
		if err := s.open(ctx, p); err != nil {
			return t, err
		}
	}
	if s.tasks != nil {
		tasks = s.tasks(p, tasks)
	}
	began := time.Now()
	t.readings, err = s.read(ctx, p, tasks)
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
	for _, i := range p.singles() {
		began := time.Now()
		if _, err := s.read(ctx, p, tasks[i:i+1]); err != nil {
			return t, err
		}
		t.singles = append(t.singles, time.Since(began))
	}
	return t, nil
}

// showErrors shows what differs, letter case and white space aside.
func showErrors(w io.Writer, p page, readings []recognition.Reading) {
	for i, r := range readings {
		want := p.Regions[i]
		if (recognition.Scoring{AnyCase: true, AnySpace: true}).Compare(norm.NFC.String(r.Text), want.Text).Edits == 0 && r.Error == nil {
			continue
		}
		failure := ""
		if r.Error != nil {
			failure = ", " + r.Error.Code
		}
		fmt.Fprintf(w, "%s %d,%d,%d,%d: psm %d, scale %.2f, passes %d, confidence %.2f%s\n  want %q\n  got  %q\n", p.Image,
			want.X1, want.Y1, want.X2, want.Y2, r.Shape, r.Scale, r.Passes, r.Confidence, failure, want.Text, r.Text)
	}
}

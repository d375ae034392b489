// Package bench measures an engine on evaluation sets, whose text is known: its accuracy and speed, and how both compare with other
// ways to read the same pages.
package bench

import (
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
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
)

// Engine is an engine with its own workers.
type Engine interface {
	Probe(ctx context.Context, f document.File) (document.Probe, error)
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

// Bench has what a measurement needs.
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

// Options says what to measure.
type Options struct {
	Workers    int      // at least 1
	Lang       []string // that the engine reads in; empty: as the sets say
	Against    []string // SideLoop, SideProcess, SideTight, SideUpright, SideRight
	Service    bool
	Cores      bool
	Blank      bool   // also measure pages without text
	Seed       uint64 // of those pages; another one makes other pages
	JSON       bool
	Limit      int // pages of each set; 0: all
	Skip       int // leaves out of each set the pages that this Limit would take
	Effort     recognition.Effort
	ShowErrors bool

	// Calibration says how far the confidence of words is true.
	Calibration bool
}

// Run measures sets, given as files, and writes the results.
func (b Bench) Run(ctx context.Context, files []string) (err error) {
	r := &run{Bench: b}
	var sets []set
	for _, file := range files { // before any measuring, since that takes long
		s, err := load(file, b.Skip, b.Limit)
		if err != nil {
			return err
		}
		sets = append(sets, s)
	}
	if r.dir, err = os.MkdirTemp("", "glyphbox-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close(), os.RemoveAll(r.dir)) }()
	if b.Blank {
		for _, pages := range []struct {
			name  string
			kinds []filling
		}{{"blank", blanks}, {"blank-more", moreBlanks}} {
			blank, err := blankSet(r.dir, pages.name, pages.kinds, blankSeed+b.Seed)
			if err != nil {
				return err
			}
			sets = append(sets, spread(blank, b.Limit))
		}
	}
	if err := r.openSides(ctx); err != nil {
		return err
	}
	var results []Result
	var all total
	write := func(result Result) error {
		results = append(results, result)
		if !b.JSON {
			return nil
		}
		return json.NewEncoder(b.Stdout).Encode(result)
	}
	for _, s := range sets {
		t, measureErr := r.measureSet(ctx, s)
		if measureErr != nil {
			err = measureErr // the results so far are shown too
			break
		}
		all.add(t)
		if err := write(t.result(r)); err != nil {
			return err
		}
	}
	if len(results) > 1 {
		all.set = set{name: "all"}
		if err := write(all.result(r)); err != nil {
			return err
		}
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
	Set     string   `json:"set"` // that the page was made from; may be empty
	Regions []region `json:"regions"`

	home   string // directory of the set
	number int    // in the file
	source document.Page
}

// region is a region and what stands in it.
type region struct {
	document.Box
	Text   string `json:"text"`
	Turned int    `json:"turned"` // 0, 90, 180 or 270: degrees clockwise that make its lines run to the right
}

// lines tells whether a region has several lines.
func (r region) lines() bool { return strings.Contains(r.Text, "\n") }

func load(file string, skip, limit int) (set, error) {
	s := set{name: filepath.Base(filepath.Dir(file)), file: file}
	if base := strings.TrimSuffix(filepath.Base(file), ".jsonl"); base != "regions" {
		s.name += "/" + base
	}
	for p, err := range pagesOf(file) {
		if err != nil {
			return s, err
		}
		p.number = len(s.pages)
		for i, r := range p.Regions {
			p.Regions[i].Text = norm.NFC.String(r.Text)
		}
		s.pages = append(s.pages, p)
	}
	if len(s.pages) == 0 {
		return s, fmt.Errorf("%s: no pages", file)
	}
	if skip > 0 {
		seen := spread(s, skip).pages
		s.pages = slices.DeleteFunc(slices.Clone(s.pages), func(p page) bool {
			return slices.ContainsFunc(seen, func(q page) bool { return q.number == p.number })
		})
		if len(s.pages) == 0 {
			return s, fmt.Errorf("%s: no pages but the %d that are skipped", file, len(seen))
		}
	}
	return spread(s, limit), nil
}

// spread keeps that many pages of a set, spread evenly over it; 0 keeps all.
func spread(s set, limit int) set {
	all := s.pages
	if limit == 0 || limit >= len(all) {
		return s
	}
	s.pages = nil
	for i := range limit {
		s.pages = append(s.pages, all[i*len(all)/limit])
	}
	return s
}

// tasks are all regions of a page, with what the set says decided.
func (p page) tasks(ctx context.Context, e Engine, effort recognition.Effort) ([]recognition.Task, error) {
	request := recognition.Request{Lang: []string{p.Lang}, Mode: recognition.BestMode, Effort: effort}
	for _, r := range p.Regions {
		request.Regions = append(request.Regions, recognition.Region{Box: r.Box})
	}
	return request.Tasks(ctx, document.Image{Geometry: document.Geometry{Width: p.Width, Height: p.Height}}, e)
}

// At most that many lines of each page, of at most that height, are also read one at a time.
const (
	maxSingles    = 10
	maxLineHeight = 80 // pixels
)

// singles returns the indices of such lines, spread over the page.
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

// measureSet has the sides read the pages of a set. A side that reads twins is left out where a page has none.
func (b *run) measureSet(ctx context.Context, s set) (total, error) {
	defer b.Progress.Clear()
	t := total{set: s}
	for _, side := range b.sides {
		fits := true
		for _, p := range s.pages {
			if side.twin != nil && fits {
				_, has, err := side.twin(ctx, p)
				if err != nil {
					return t, err
				}
				fits = has
			}
		}
		if fits {
			t.sides, t.tallies = append(t.sides, side), append(t.tallies, &tally{})
		}
	}
	b.Progress.Say("%s: warming up", s.name)
	if err := b.warm(ctx, s); err != nil {
		return t, fmt.Errorf("%s: %w", s.file, err)
	}
	var pages []page // that could be read
	for i, p := range s.pages {
		b.Progress.Say("%s: page %d of %d", s.name, i+1, len(s.pages))
		took, err := b.measurePage(ctx, p, i, t.sides)
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		if err != nil { // on any side, so that all are measured by the same pages
			b.Progress.Printf(b.Stderr, "glyphbox: %s: left out: %s", p.Image, b.Explain(err))
			t.refused++
			continue
		}
		pages = append(pages, p)
		for k, side := range t.sides {
			if side.atOnce == 0 {
				t.tallies[k].add(p, took[k], b.Calibration)
			}
		}
		if b.ShowErrors {
			b.Progress.Clear()
			showErrors(b.Stderr, p, took[0].readings)
		}
	}
	if t.pages = len(pages); t.pages == 0 {
		return t, fmt.Errorf("%s: no page could be read", cmp.Or(s.file, s.name))
	}
	for k, side := range t.sides {
		if side.atOnce == 0 {
			continue
		}
		b.Progress.Say("%s: %d pages at once", s.name, side.atOnce)
		took, err := b.measureAtOnce(ctx, pages, side)
		if err != nil {
			return t, fmt.Errorf("%s: %w", s.file, err)
		}
		for i, p := range pages {
			t.tallies[k].add(p, took[i], b.Calibration)
		}
	}
	return t, nil
}

// measureAtOnce has a side read pages, several at the same time. The time that all of them took is shared evenly between them.
func (b *run) measureAtOnce(ctx context.Context, pages []page, s *side) ([]taken, error) {
	pages = slices.Clone(pages)
	tasks := make([][]recognition.Task, len(pages))
	for i, p := range pages {
		var err error
		if pages[i], tasks[i], err = b.prepare(ctx, p); err != nil {
			return nil, err
		}
	}
	took, faults := make([]taken, len(pages)), make([]error, len(pages))
	room := make(chan struct{}, s.atOnce)
	var reading sync.WaitGroup
	began := time.Now()
	for i, p := range pages {
		room <- struct{}{}
		reading.Go(func() {
			took[i], faults[i] = s.measure(ctx, p, tasks[i])
			<-room
		})
	}
	reading.Wait()
	each := time.Since(began) / time.Duration(len(pages))
	for i := range took {
		took[i].wall = each
	}
	return took, errors.Join(faults...)
}

// taken is the result of one side on one page.
type taken struct {
	readings []recognition.Reading
	wall     time.Duration   // of all regions in one order
	singles  []time.Duration // of one region in an order of its own, on the page that is open by then
	memory   int64           // bytes that the workers take then; 0: not known
}

// measurePage has the sides read a page, beginning with another one on each page.
func (b *run) measurePage(ctx context.Context, p page, number int, sides []*side) (took []taken, err error) {
	took = make([]taken, len(sides))
	for i := range sides {
		k := (i + number) % len(sides)
		if sides[k].atOnce > 0 {
			continue
		}
		twin := p
		if sides[k].twin != nil {
			if twin, _, err = sides[k].twin(ctx, p); err != nil {
				return nil, err
			}
		}
		if took[k], err = b.measureSide(ctx, twin, sides[k]); err != nil {
			return nil, fmt.Errorf("%s: %w", sides[k].name, err)
		}
	}
	return took, nil
}

// measureSide has a side read a page.
func (b *run) measureSide(ctx context.Context, p page, s *side) (taken, error) {
	p, tasks, err := b.prepare(ctx, p)
	if err != nil {
		return taken{}, err
	}
	return s.measure(ctx, p, tasks)
}

// prepare opens a page, and returns it with the tasks to read.
func (b *run) prepare(ctx context.Context, p page) (page, []recognition.Task, error) {
	var err error
	if p.source, err = b.Page(p.Image); err != nil {
		return p, nil, err
	}
	probe, err := b.engine.Probe(ctx, p.source.File)
	if err != nil {
		return p, nil, err
	}
	geometry := probe.Geometry(1)
	p.Width, p.Height = cmp.Or(p.Width, geometry.Width), cmp.Or(p.Height, geometry.Height)
	if geometry.Width != p.Width || geometry.Height != p.Height {
		return p, nil, fmt.Errorf("it is %d × %d pixels where the set says %d × %d", geometry.Width, geometry.Height, p.Width, p.Height)
	}
	tasks, err := p.tasks(ctx, b.engine, b.Effort)
	return p, tasks, err
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
	if s.alone || s.atOnce > 0 {
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

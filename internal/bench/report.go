package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/recognition"
)

// scorings are the ways of counting errors, from the strictest to the most lenient.
var scorings = [4]recognition.Scoring{{}, {AnyCase: true}, {AnySpace: true}, {AnyCase: true, AnySpace: true}}

// Scored has a number for each scoring. It is written as JSON.
type Scored[T any] struct {
	AsIs         T `json:"as_is"`
	AnyCase      T `json:"any_case"`
	AnySpace     T `json:"any_space"`
	AnyCaseSpace T `json:"any_case_space"`
}

func scoredOf[T any](of func(scoring int) T) Scored[T] { return Scored[T]{of(0), of(1), of(2), of(3)} }

// Result has the measurements of one set. It is written as JSON.
type Result struct {
	Set        string       `json:"set"`
	File       string       `json:"file"`
	Pages      int          `json:"pages"`
	Refused    int          `json:"refused"` // pages that could not be read by all sides, and count nowhere
	Regions    int          `json:"regions"`
	Characters int          `json:"characters"` // that stand in them
	Sides      []sideResult `json:"sides"`
	Ratios     []sidesRatio `json:"ratios"`
}

// sideResult is the result of one side. Times are in milliseconds.
type sideResult struct {
	Side     string          `json:"side"`
	Workers  int             `json:"workers"`
	AtOnce   int             `json:"pages_at_once,omitempty"` // 0: one after the other
	CER      Scored[float64] `json:"cer"`                     // errors for each character that is there
	Exact    Scored[float64] `json:"exact"`                   // part of the regions without an error
	Empty    int             `json:"empty"`                   // regions with text of which nothing was read
	Invented int             `json:"invented"`                // regions without text in which some was read
	Failed   int             `json:"failed"`                  // regions with an error
	Offered  int             `json:"offered"`                 // regions that another language is suggested for
	Passes   float64         `json:"passes"`                  // for each region
	Wall     float64         `json:"wall_ms"`
	Work     float64         `json:"work_ms"`
	Page     *percentiles    `json:"page_ms"`
	Single   *percentiles    `json:"single_ms,omitempty"`
	Memory   int64           `json:"memory_bytes,omitempty"` // of all workers, when it was most

	Calibration *Calibration `json:"calibration,omitempty"`
}

type percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// sidesRatio is one side divided by another one; nil where the divisor is 0.
type sidesRatio struct {
	Name    string           `json:"name"`
	Workers [2]int           `json:"workers"`
	CER     Scored[*float64] `json:"cer"`
	Wall    *float64         `json:"wall"`
	Work    *float64         `json:"work"`
	// the one's time with everything by the other's work alone; nil where there are several workers
	WallWork *float64 `json:"wall_to_work"`
	Median   *float64 `json:"median_page"` // of the quotients of the time of each page, which no burst of other load disturbs
	Pairs    *Pairs   `json:"pairs,omitempty"`
}

// Pairs compares the same lines in two forms, one by one.
type Pairs struct {
	Points Scored[float64] `json:"points"` // difference of the character error rates, in points of a hundred
	Worse  int             `json:"worse"`  // regions with more errors on the first side, letter case and white space ignored
	Better int             `json:"better"` // regions with fewer
}

// tally adds up the results of one side on the pages of a set.
type tally struct {
	regions       int
	edits         []int // of each region, letter case and white space ignored
	words         []judged
	invented      int
	errors        [len(scorings)]recognition.Errors
	exact         [len(scorings)]int
	empty, failed int
	offered       int
	passes        int
	wall, work    time.Duration
	pages         []time.Duration
	singles       []time.Duration
	memory        int64
}

func (t *tally) add(p page, took taken, calibrate bool) {
	for i, r := range took.readings {
		truth, read := p.Regions[i].Text, norm.NFC.String(r.Text)
		for k, scoring := range scorings {
			e := scoring.Compare(read, truth)
			t.errors[k] = t.errors[k].Add(e)
			if e.Edits == 0 {
				t.exact[k]++
			}
		}
		t.edits = append(t.edits, scorings[len(scorings)-1].Compare(read, truth).Edits)
		switch blank := strings.TrimSpace(truth) == ""; {
		case blank && strings.TrimSpace(read) != "":
			t.invented++
		case !blank && strings.TrimSpace(read) == "":
			t.empty++
		}
		if calibrate {
			t.words = append(t.words, judge(r, truth)...)
		}
		if r.Error != nil {
			t.failed++
		}
		if len(r.Suggested) > 0 {
			t.offered++
		}
		t.passes += r.Passes
		t.work += r.Duration
	}
	t.regions += len(took.readings)
	t.wall += took.wall
	t.pages = append(t.pages, took.wall)
	t.singles = append(t.singles, took.singles...)
	t.memory = max(t.memory, took.memory)
}

func (t *tally) result(s *side) sideResult {
	n := float64(t.regions)
	pages := t.pages
	if s.atOnce > 0 {
		pages = nil // they have no time of their own
	}
	return sideResult{Side: s.name, Workers: s.workers, AtOnce: s.atOnce,
		CER:   scoredOf(func(k int) float64 { return t.errors[k].Rate() }),
		Exact: scoredOf(func(k int) float64 { return float64(t.exact[k]) / n }),
		Empty: t.empty, Invented: t.invented, Failed: t.failed, Offered: t.offered, Passes: float64(t.passes) / n,
		Wall: milliseconds(t.wall) / n, Work: milliseconds(t.work) / n,
		Page: percentilesOf(pages), Single: percentilesOf(t.singles), Memory: t.memory, Calibration: calibrationOf(t.words)}
}

// merge adds what the side does on other pages.
func (t *tally) merge(u *tally) {
	for k := range t.errors {
		t.errors[k] = t.errors[k].Add(u.errors[k])
		t.exact[k] += u.exact[k]
	}
	t.regions += u.regions
	t.empty += u.empty
	t.invented += u.invented
	t.failed += u.failed
	t.offered += u.offered
	t.passes += u.passes
	t.wall += u.wall
	t.work += u.work
	t.edits = append(t.edits, u.edits...)
	t.words = append(t.words, u.words...)
	t.pages = append(t.pages, u.pages...)
	t.singles = append(t.singles, u.singles...)
	t.memory = max(t.memory, u.memory)
}

// total is what was measured on one set or several.
type total struct {
	set            set
	pages, refused int
	sides          []*side
	tallies        []*tally // of the sides
}

// add adds what was measured on another set. Only sides that have read all sets stay.
func (t *total) add(u total) {
	if t.sides == nil {
		t.sides = u.sides
		for range u.sides {
			t.tallies = append(t.tallies, &tally{})
		}
	}
	var sides []*side
	var tallies []*tally
	for i, s := range t.sides {
		if k := slices.Index(u.sides, s); k >= 0 {
			t.tallies[i].merge(u.tallies[k])
			sides, tallies = append(sides, s), append(tallies, t.tallies[i])
		}
	}
	t.sides, t.tallies = sides, tallies
	t.pages += u.pages
	t.refused += u.refused
}

func (t total) result(b *run) Result {
	result := Result{Set: t.set.name, File: t.set.file, Pages: t.pages, Refused: t.refused, Regions: t.tallies[0].regions,
		Characters: t.tallies[0].errors[0].Characters}
	for k, s := range t.sides {
		result.Sides = append(result.Sides, t.tallies[k].result(s))
	}
	for _, r := range b.ratios {
		over, under := slices.Index(t.sides, r.over), slices.Index(t.sides, r.under)
		if over >= 0 && under >= 0 {
			result.Ratios = append(result.Ratios, r.result(t.tallies[over], t.tallies[under]))
		}
	}
	return result
}

func (r ratio) result(over, under *tally) sidesRatio {
	workers := [2]int{r.over.workers, r.under.workers}
	var quotients []float64
	for i := range over.pages {
		quotients = append(quotients, over.pages[i].Seconds()/under.pages[i].Seconds())
	}
	slices.Sort(quotients)
	q := sidesRatio{Name: r.name, Workers: workers, Median: &quotients[len(quotients)/2],
		CER:  scoredOf(func(k int) *float64 { return divide(over.errors[k].Rate(), under.errors[k].Rate()) }),
		Wall: divide(over.wall.Seconds(), under.wall.Seconds()), Work: divide(over.work.Seconds(), under.work.Seconds())}
	if r.under.atOnce > 0 {
		q.Median = nil
	}
	if workers == [2]int{1, 1} {
		q.WallWork = divide(over.wall.Seconds(), under.work.Seconds())
	}
	if r.paired {
		q.Pairs = &Pairs{Points: scoredOf(func(k int) float64 { return 100 * (over.errors[k].Rate() - under.errors[k].Rate()) })}
		for i, edits := range over.edits {
			switch {
			case edits > under.edits[i]:
				q.Pairs.Worse++
			case edits < under.edits[i]:
				q.Pairs.Better++
			}
		}
	}
	return q
}

func divide(a, b float64) *float64 {
	if b == 0 {
		return nil
	}
	q := a / b
	return &q
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentilesOf returns values that were measured, by the nearest rank; nil where nothing was.
func percentilesOf(d []time.Duration) *percentiles {
	if len(d) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(d))
	at := func(percent int) float64 { return milliseconds(sorted[(len(sorted)*percent+99)/100-1]) }
	return &percentiles{at(50), at(95)}
}

// printTables writes tables of text, of time and of ratios.
func printTables(w io.Writer, results []Result) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(out, strings.Join(cells, "\t")) }
	row("SET", "SIDE", "PAGES", "REGIONS", "CHARACTERS", "CER", "ANY CASE", "ANY SPACE", "ANY BOTH", "EXACT", "ANY BOTH", "EMPTY",
		"INVENTED", "FAILED", "OFFERED", "PASSES")
	for _, r := range results {
		pages := fmt.Sprint(r.Pages)
		if r.Refused > 0 {
			pages = fmt.Sprintf("%d of %d", r.Pages, r.Pages+r.Refused)
		}
		for _, s := range r.Sides {
			row(r.Set, s.label(), pages, fmt.Sprint(r.Regions), fmt.Sprint(r.Characters),
				percent(s.CER.AsIs), percent(s.CER.AnyCase), percent(s.CER.AnySpace), percent(s.CER.AnyCaseSpace),
				percent(s.Exact.AsIs), percent(s.Exact.AnyCaseSpace), fmt.Sprint(s.Empty), fmt.Sprint(s.Invented), fmt.Sprint(s.Failed),
				fmt.Sprint(s.Offered), fmt.Sprintf("%.2f", s.Passes))
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	row("SET", "SIDE", "WALL/REGION", "WORK/REGION", "PAGE P50", "PAGE P95", "SINGLE P50", "SINGLE P95", "MEMORY")
	for _, r := range results {
		for _, s := range r.Sides {
			memory := "–"
			if s.Memory > 0 {
				memory = fmt.Sprintf("%d MB", s.Memory/1e6)
			}
			row(append(append([]string{r.Set, s.label(), inMS(s.Wall), inMS(s.Work)}, append(s.Page.cells(), s.Single.cells()...)...),
				memory)...)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	// A table that has no rows is left out.
	var rows [][]string
	table := func(head ...string) error {
		if len(rows) == 0 {
			return nil
		}
		fmt.Fprintln(w)
		row(head...)
		for _, cells := range rows {
			row(cells...)
		}
		rows = nil
		return out.Flush()
	}
	for _, r := range results {
		for _, q := range r.Ratios {
			rows = append(rows, []string{r.Set, q.Name, fmt.Sprintf("%d ÷ %d", q.Workers[0], q.Workers[1]), quotient(q.CER.AsIs),
				quotient(q.CER.AnyCase),
				quotient(q.CER.AnySpace), quotient(q.CER.AnyCaseSpace), quotient(q.Wall), quotient(q.Median), quotient(q.Work),
				quotient(q.WallWork)})
		}
	}
	if err := table("SET", "RATIO", "WORKERS", "CER", "ANY CASE", "ANY SPACE", "ANY BOTH", "WALL", "MEDIAN PAGE", "WORK",
		"WALL ÷ WORK"); err != nil {
		return err
	}
	for _, r := range results {
		for _, q := range r.Ratios {
			if p := q.Pairs; p != nil {
				rows = append(rows, []string{r.Set, strings.Replace(q.Name, "÷", "−", 1), points(p.Points.AsIs), points(p.Points.AnyCase),
					points(p.Points.AnySpace),
					points(p.Points.AnyCaseSpace), fmt.Sprint(p.Worse), fmt.Sprint(p.Better)})
			}
		}
	}
	if err := table("SET", "PAIRED", "CER", "ANY CASE", "ANY SPACE", "ANY BOTH", "WORSE", "BETTER"); err != nil {
		return err
	}
	for _, r := range results {
		for _, s := range r.Sides {
			c := s.Calibration
			if c == nil {
				continue
			}
			cells := []string{r.Set, s.label(), fmt.Sprint(c.Words), fmt.Sprint(c.Wrong), fmt.Sprintf("%.3f", c.MeanError),
				percent(c.WrongAmongLeastSure)}
			for _, bin := range c.Bins {
				cells = append(cells, fmt.Sprintf("%.2f/%.2f", bin.Said, bin.Right))
			}
			rows = append(rows, cells)
		}
	}
	head := []string{"SET", "SIDE", "WORDS", "WRONG", "MEAN ERROR", "WRONG IN LEAST SURE 20 %"}
	for n := range bins {
		head = append(head, fmt.Sprintf("SAID/RIGHT %d", n+1))
	}
	return table(head...)
}

func points(v float64) string { return fmt.Sprintf("%+.2f", v) }

func (s sideResult) label() string {
	label := fmt.Sprintf("%s ×%d", s.Side, s.Workers)
	if s.AtOnce > 0 {
		label += fmt.Sprintf(", %d pages", s.AtOnce)
	}
	return label
}

func (p *percentiles) cells() []string {
	if p == nil {
		return []string{"–", "–"}
	}
	return []string{inMS(p.P50), inMS(p.P95)}
}

func percent(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) }

func inMS(v float64) string { return fmt.Sprintf("%.1f ms", v) }

func quotient(q *float64) string {
	if q == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *q)
}

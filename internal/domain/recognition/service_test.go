package recognition_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/sweep"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// world is the service on fakes, with users and an image of ann's of 400 × 140 pixels.
type world struct {
	*recognition.Service
	fakes                 *porttest.Fakes
	images                *document.Service
	ann, bob, carl, admin account.Actor
	image                 document.Image
	clock                 time.Time
}

func newWorld(t *testing.T) *world {
	f := porttest.NewFakes(t)
	w := &world{fakes: f, clock: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("KST", 9*60*60))}
	now := func() time.Time { return w.clock }
	w.images = &document.Service{Catalog: f.Catalog, Blobs: f.Blobs, Files: f.Files, Imager: f.Imager, Seals: f.Seals,
		Users: f.Users, Now: now}
	w.Service = &recognition.Service{Images: w.images, Users: f.Users, Engine: f.Engine, Runs: f.Runs, Contents: f.Contents, Now: now}
	w.images.Dependents = w.Service
	actor := func(name string) account.Actor {
		u, err := f.Users.Add(t.Context(), account.User{Name: name, Email: name + "@example.org"})
		check.OK(t, "Users.Add", err)
		return account.Actor{UserID: u.ID, Name: name, Admin: name == "root"}
	}
	w.ann, w.bob, w.carl, w.admin = actor("ann"), actor("bob"), actor("carl"), actor("root")
	w.image = w.upload(t)
	f.Calls()
	return w
}

// drawn is the file of a page of 400 × 140 pixels.
var drawn = sync.OnceValue(func() []byte {
	page, _ := porttest.DrawLines("page")
	return porttest.PNG(page)
})

func (w *world) upload(t *testing.T) document.Image {
	t.Helper()
	i, err := w.images.Upload(t.Context(), w.ann, "page", porttest.FileOf(drawn()))
	check.OK(t, "Upload", err)
	return i
}

func (w *world) see(t *testing.T, v document.Visibility) {
	t.Helper()
	_, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Visibility: &v})
	check.OK(t, "Change", err)
}

func wantFields(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	var got []string
	if f := fault.Of(err); f != nil {
		for _, field := range f.Fields {
			got = append(got, field.Field)
			if field.Detail == "" {
				t.Errorf("%s: the field %s does not say what is allowed", what, field.Field)
			}
		}
	}
	check.Same(t, what+": fields", got, want)
	if (len(want) > 0) != fault.Is(err, fault.Invalid) {
		t.Errorf("%s: got error %v", what, err)
	}
}

func box(x1, y1, x2, y2 int) document.Box { return document.Box{X1: x1, Y1: y1, X2: x2, Y2: y2} }

func region(x1, y1, x2, y2 int) recognition.Region {
	return recognition.Region{Box: box(x1, y1, x2, y2)}
}

var (
	left  = region(0, 0, 200, 140)
	right = region(200, 0, 400, 140)
)

func (w *world) recognize(t *testing.T, a account.Actor, regions ...recognition.Region) recognition.Run {
	t.Helper()
	run, err := w.Recognize(t.Context(), a, w.image.ID, recognition.Request{Regions: regions, Mode: recognition.BestMode})
	check.OK(t, "Recognize", err)
	return run
}

func TestRecognize(t *testing.T) {
	w := newWorld(t)
	l, r := left, right
	l.Name, r.Lang, r.Shape = "date", []string{"kor+eng"}, recognition.ShapeBlock
	run, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Regions: []recognition.Region{r, l},
		Shape: recognition.ShapeSparse, Mode: 1})
	check.OK(t, "Recognize", err)
	check.Same(t, "order", w.fakes.Calls(), []string{"Contents.Add", "Runs.Append"})
	created := w.clock.UTC().Truncate(time.Microsecond)
	content := func(n int, r recognition.Region, lang []string, shape recognition.Shape, asked recognition.Asked) recognition.Content {
		text := fmt.Sprintf("region %d,%d,%d,%d", r.X1, r.Y1, r.X2, r.Y2)
		words := strings.Fields(text)
		return recognition.Content{ID: run.ContentIDs[n], ROI: r.Box, Name: r.Name, Revision: 1, Version: 1, Created: created,
			Asked: &asked, Reading: recognition.Reading{
				Text: text, Confidence: 0.9, Lang: lang, Shape: shape, Engine: "fake 1.0", Effort: recognition.EffortAccurate,
				Source: recognition.SourceOCR, Scale: 1, Passes: 1, Duration: time.Millisecond,
				Words: []recognition.Word{{Text: words[0], Box: box(r.X1, 0, r.X1+100, 140), Confidence: 0.9, Engine: "fake 1.0"},
					{Text: words[1], Box: box(r.X1+100, 0, r.X2, 140), Confidence: 0.9, Engine: "fake 1.0"}},
			}}
	}
	if len(run.ContentIDs) != 2 || run.ContentIDs[0] == run.ContentIDs[1] || run.ContentIDs[0] != strings.ToLower(run.ContentIDs[0]) {
		t.Fatalf("got the contents %q", run.ContentIDs)
	}
	want := recognition.Run{
		ImageID: w.image.ID, Version: 1, User: account.Ref{ID: w.ann.UserID, Name: "ann"}, Created: created, Lang: []string{"eng"},
		Shape: recognition.ShapeSparse, Mode: 1, Engine: "fake 1.0",
		ContentIDs: run.ContentIDs, Contents: []recognition.Content{content(0, r, []string{"kor", "eng"}, recognition.ShapeBlock,
			recognition.Asked{Lang: []string{"kor", "eng"}, Shape: recognition.ShapeBlock}),
			content(1, l, []string{"eng"}, recognition.ShapeSparse, recognition.Asked{})},
	}
	check.Same(t, "Recognize", run, want)
	check.Same(t, "words", run.Contents[0].Detail(), []string{"region", "200,0,400,140"})
	got, err := w.Version(t.Context(), w.ann, w.image.ID, 1)
	check.OK(t, "Version", err)
	check.Same(t, "Version", got, want)
	runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
	check.OK(t, "List", err)
	check.Same(t, "List", runs, []recognition.Run{want})
	c, err := w.Content(t.Context(), w.ann, run.ContentIDs[1])
	check.OK(t, "Content", err)
	check.Same(t, "Content", c, want.Contents[1])
}

// What a region asks for itself stays known, in versions and through revisions; what it leaves to the request does not become its own.
func TestAsked(t *testing.T) {
	w := newWorld(t)
	all := recognition.Asked{Lang: []string{"kor", "eng"}, Shape: recognition.ShapeLine, Rotate: recognition.Rotate180,
		Effort: recognition.EffortFast, Source: recognition.SourceOCR, Charset: "0123456789"}
	own := left
	own.Lang, own.Shape, own.Rotate = []string{"kor+eng"}, all.Shape, all.Rotate
	own.Effort, own.Source, own.Charset = all.Effort, all.Source, all.Charset
	automatic := right
	automatic.Rotate, automatic.Lang = recognition.RotateAuto, []string{recognition.AutoLang}
	_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Regions: []recognition.Region{own, automatic, right},
		Mode: recognition.BestMode, Lang: []string{"kor"}, Shape: recognition.ShapeBlock, Rotate: recognition.Rotate90,
		Effort: recognition.EffortBalanced})
	check.OK(t, "Recognize", err)
	want := func(what string, want ...recognition.Asked) []recognition.Content {
		t.Helper()
		got := w.version(t, 1).Contents
		var asked []recognition.Asked
		for _, c := range got {
			asked = append(asked, *c.Asked)
		}
		check.Same(t, what, asked, want)
		return got
	}
	auto := recognition.Asked{Rotate: recognition.RotateAuto, Lang: []string{recognition.AutoLang}}
	made := want("a new version", all, auto, recognition.Asked{})

	text, read := "written", made[0].Text
	for _, text := range []string{text, read} {
		_, err = w.Correct(t.Context(), w.ann, made[0].ID, recognition.Correction{Text: &text})
		check.OK(t, "Correct", err)
		want("corrected to "+text, all, auto, recognition.Asked{})
	}
	w.add(t, 1, again(left, made[0].ID), again(own, made[2].ID))
	w.add(t, 1) // the whole page
	want("read again and added to", recognition.Asked{}, auto, all, recognition.Asked{})
	revisions, err := w.Revisions(t.Context(), w.ann, made[0].ID)
	check.OK(t, "Revisions", err)
	check.Same(t, "what the first revision was asked for", *revisions[0].Asked, all)
}

func TestMaxRegions(t *testing.T) {
	w := newWorld(t)
	w.MaxRegions = 2
	w.recognize(t, w.ann, left, right)
	_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Regions: []recognition.Region{left, right, left}, Mode: 3})
	wantFields(t, "three regions", err, "regions")
}

func TestARunNamesAllItsEngines(t *testing.T) {
	w := newWorld(t)
	w.fakes.ReadBy(left.Box, "a 1, b 2")
	w.fakes.ReadBy(right.Box, "c 3, a 1")
	run := w.recognize(t, w.ann, left, right, region(0, 0, 100, 100))
	check.Same(t, "engine of the run", run.Engine, "a 1, b 2, c 3, fake 1.0")
	check.Same(t, "engine of the first", run.Contents[0].Engine, "a 1, b 2")
	check.Same(t, "engine of the second word", run.Contents[0].Words[1].Engine, "b 2")
}

func TestRecognizeTheWholePage(t *testing.T) {
	w := newWorld(t)
	run := w.recognize(t, w.ann)
	check.Same(t, "contents", len(run.Contents), 1)
	check.Same(t, "region", run.Contents[0].ROI, box(0, 0, 400, 140))
	check.Same(t, "lang", run.Lang, []string{"eng"})
	check.Same(t, "psm", run.Shape, recognition.ShapeAuto)
	if run.Contents[0].Shape == recognition.ShapeAuto {
		t.Error("the content does not say which shape gave the text")
	}
}

func TestRequest(t *testing.T) {
	w := newWorld(t)
	with := func(change func(*recognition.Region)) []recognition.Region {
		r := right
		change(&r)
		return []recognition.Region{left, r}
	}
	for _, c := range []struct {
		name   string
		r      recognition.Request
		fields []string
	}{
		{"nothing said", recognition.Request{Mode: 3}, nil},
		{"languages apart or together", recognition.Request{Mode: 3, Lang: []string{"kor+eng", "eng"}}, nil},
		{"a language twice over counts once", recognition.Request{Mode: 3, Lang: []string{"eng+eng+eng+eng+eng+eng"}}, nil},
		{"a language to be found out", recognition.Request{Mode: 3, Lang: []string{"auto+kor"}, Regions: with(func(r *recognition.Region) {
			r.Lang = []string{recognition.AutoLang}
		})}, nil},
		{"an unknown language beside it", recognition.Request{Mode: 3, Lang: []string{"auto", "xyz"}}, []string{"lang"}},
		{"an unknown language", recognition.Request{Mode: 3, Lang: []string{"eng", "xyz"}}, []string{"lang"}},
		{"unknown languages", recognition.Request{Mode: 3, Lang: []string{"xyz+abc"}}, []string{"lang", "lang"}},
		{"an empty language", recognition.Request{Mode: 3, Lang: []string{""}}, []string{"lang"}},
		{"half a sum", recognition.Request{Mode: 3, Lang: []string{"eng+"}}, []string{"lang"}},
		{"letter case counts", recognition.Request{Mode: 3, Lang: []string{"ENG"}}, []string{"lang"}},
		{"too many languages", recognition.Request{Mode: 3, Lang: []string{"a+b+c+d+e+f"}}, []string{"lang"}},
		{"psm 2", recognition.Request{Mode: 3, Shape: 2}, []string{"psm"}},
		{"psm 14", recognition.Request{Mode: 3, Shape: 14}, []string{"psm"}},
		{"psm -1", recognition.Request{Mode: 3, Shape: -1}, []string{"psm"}},
		{"oem 4", recognition.Request{Mode: 4}, []string{"oem"}},
		{"oem -1", recognition.Request{Mode: -1}, []string{"oem"}},
		{"the legacy engine", recognition.Request{Mode: 0}, nil},
		{"both engines", recognition.Request{Mode: 2, Lang: []string{"eng"}}, nil},
		{"the legacy engine without its model", recognition.Request{Mode: 0, Lang: []string{"kor"}}, []string{"oem"}},
		{"both engines with one model", recognition.Request{Mode: 2, Lang: []string{"eng+kor"}}, []string{"oem"}},
		{"the neural network", recognition.Request{Mode: 1, Lang: []string{"kor"}}, nil},
		{"a region's language for the legacy engine", recognition.Request{Mode: 0,
			Regions: with(func(r *recognition.Region) { r.Lang = []string{"kor"} })}, []string{"oem"}},
		{"a region's language", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.Lang = []string{"xyz"} })},
			[]string{"regions[1].lang"}},
		{"a rotation", recognition.Request{Mode: 3, Rotate: "45"}, []string{"rotate"}},
		{"an effort", recognition.Request{Mode: 3, Effort: "most"}, []string{"effort"}},
		{"a region's rotation and effort", recognition.Request{Mode: 3,
			Regions: with(func(r *recognition.Region) { r.Rotate, r.Effort = "91", "FAST" })},
			[]string{"regions[1].rotate", "regions[1].effort"}},
		{"a region's psm", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.Shape = 2 })},
			[]string{"regions[1].psm"}},
		{"a region's name", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.Name = strings.Repeat("가", 201) })},
			[]string{"regions[1].name"}},
		{"a region's name with a line break", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.Name = "a\nb" })},
			[]string{"regions[1].name"}},
		{"a region's charset", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) {
			r.Charset = strings.Repeat("가",
				1001)
		})}, []string{"regions[1].charset"}},
		{"a region's charset that is no UTF-8", recognition.Request{Mode: 3,
			Regions: with(func(r *recognition.Region) { r.Charset = "\xff" })}, []string{"regions[1].charset"}},
		{"the longest name and charset", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) {
			r.Name, r.Charset = strings.Repeat("가", 200), strings.Repeat("가", 1000)
		})}, nil},
		{"a region beyond the right edge", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.X2 = 401 })},
			[]string{"regions[1].x2"}},
		{"a region beyond the lower edge", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.Y2 = 141 })},
			[]string{"regions[1].y2"}},
		{"a region beyond the left edge", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.X1 = -1 })},
			[]string{"regions[1].x1"}},
		{"a region upside down", recognition.Request{Mode: 3, Regions: with(func(r *recognition.Region) { r.Y1, r.Y2 = 100, 90 })},
			[]string{"regions[1].y2"}},
		{"one pixel", recognition.Request{Mode: 3, Regions: []recognition.Region{region(399, 139, 400, 140)}}, nil},
		{"everything wrong at once", recognition.Request{Mode: 9, Shape: 2, Lang: []string{"xyz"},
			Regions: with(func(r *recognition.Region) { r.X2, r.Shape = 500, 99 })},
			[]string{"lang", "psm", "oem", "regions[1].x2", "regions[1].psm"}},
		{"2000 regions", recognition.Request{Mode: 3, Regions: slices.Repeat([]recognition.Region{left}, 2000)}, nil},
		{"2001 regions", recognition.Request{Mode: 3, Regions: slices.Repeat([]recognition.Region{left}, 2001)}, []string{"regions"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := slices.Clone(c.r.Regions)
			_, err := w.Recognize(t.Context(), w.ann, w.image.ID, c.r)
			wantFields(t, "Recognize", err, c.fields...)
			check.Same(t, "the caller's regions", c.r.Regions, given)
			if calls := w.fakes.Calls(); len(c.fields) > 0 && len(calls) > 0 {
				t.Errorf("refused, and yet %v", calls)
			}
		})
	}
	_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Mode: 3, Lang: []string{"xyz"}})
	if f := fault.Of(err); f == nil || len(f.Fields) != 1 || !strings.Contains(f.Fields[0].Detail, "eng, kor") {
		t.Errorf("got %+v, want the installed languages named", f)
	}
}

// TestTasks checks what a region leaves to its request.
func TestTasks(t *testing.T) {
	engine := newWorld(t).Engine
	page := document.Image{Geometry: document.Geometry{Width: 400, Height: 140}}
	own := right
	own.Lang, own.Shape, own.Charset, own.Name = []string{"eng"}, recognition.ShapeWord, "0123", "num\u202Eber"
	own.Rotate, own.Effort, own.Source = recognition.Rotate90, recognition.EffortFast, recognition.SourceOCR
	got, err := recognition.Request{Lang: []string{"kor+eng", "kor"}, Shape: recognition.ShapeBlock, Mode: 1,
		Regions: []recognition.Region{left, own}}.Tasks(t.Context(), page, engine)
	check.OK(t, "Tasks", err)
	check.Same(t, "Tasks", got, []recognition.Task{
		{Box: left.Box, Lang: []string{"kor", "eng"}, Shape: recognition.ShapeBlock, Mode: 1, Rotate: recognition.RotateAuto,
			Effort: recognition.EffortAccurate, Source: recognition.SourceAuto},
		{Box: right.Box, Lang: []string{"eng"}, Shape: recognition.ShapeWord, Mode: 1, Charset: "0123", Name: "number",
			Rotate: recognition.Rotate90, Effort: recognition.EffortFast,
			Source: recognition.SourceOCR},
	})
	got, err = recognition.Request{Mode: 3}.Tasks(t.Context(), page, engine)
	check.OK(t, "Tasks", err)
	check.Same(t, "Tasks of nothing", got, []recognition.Task{{Box: page.Box(), Lang: []string{"eng"}, Mode: 3,
		Rotate: recognition.RotateAuto, Effort: recognition.EffortAccurate, Source: recognition.SourceAuto}})
}

func TestOneFailedRegionStandsBesideOthers(t *testing.T) {
	w := newWorld(t)
	crash := fault.Failure{Code: recognition.CodeCrashed, Detail: "The engine died."}
	w.fakes.FailRegion(left.Box, crash)
	run := w.recognize(t, w.ann, left, right)
	check.Same(t, "failure", run.Contents[0].Error, &crash)
	check.Same(t, "text of the failed one", run.Contents[0].Text, "")
	check.Same(t, "text of the other", run.Contents[1].Text, "region 200,0,400,140")
	got, err := w.Version(t.Context(), w.ann, w.image.ID, 1)
	check.OK(t, "Version", err)
	check.Same(t, "Version", got, run)

	text := "written by hand"
	c, err := w.Correct(t.Context(), w.ann, run.ContentIDs[0], recognition.Correction{Text: &text})
	check.OK(t, "Correct", err)
	if c.Error != nil || c.Text != text || c.Confidence != 1 {
		t.Errorf("got %+v, want no failure any more", c)
	}
}

func TestAllRegionsFail(t *testing.T) {
	for code, kind := range map[string]fault.Kind{
		recognition.CodeDeadline: fault.Deadline, recognition.CodeCrashed: fault.Unavailable, recognition.CodeFailed: fault.Unavailable,
	} {
		w := newWorld(t)
		w.fakes.FailRegion(left.Box, fault.Failure{Code: code, Detail: "It did not work."})
		w.fakes.FailRegion(right.Box, fault.Failure{Code: recognition.CodeFailed})
		_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Regions: []recognition.Region{left, right}, Mode: 3})
		check.Code(t, "Recognize", err, kind, code)
		check.Same(t, "calls", w.fakes.Calls(), nil)
	}
}

func TestRecognizeTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Timeout = time.Second
		w.fakes.Meanwhile("Engine.Recognize", func() { time.Sleep(2 * time.Second) })
		_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Mode: 3})
		check.Code(t, "Recognize", err, fault.Deadline, "deadline_exceeded")
		check.Same(t, "calls", w.fakes.Calls(), nil)
		w.recognize(t, w.ann)
	})
}

// TestRecognizeThatFails checks what stays behind of each step that fails, in each way.
func TestRecognizeThatFails(t *testing.T) {
	for _, c := range []struct {
		op            string
		mode          porttest.Mode
		runs, orphans int
	}{
		{"Engine.Languages", porttest.Before, 0, 0},
		{"Engine.Recognize", porttest.Before, 0, 0},
		{"Contents.Add", porttest.Before, 0, 0},
		{"Contents.Add", porttest.After, 0, 2},
		{"Runs.Append", porttest.Before, 0, 2}, // the row might be there, so its contents stay
		{"Runs.Append", porttest.After, 1, 0},
	} {
		t.Run(fmt.Sprint(c.op, " ", c.mode), func(t *testing.T) {
			w := newWorld(t)
			w.fakes.Fail(c.op, c.mode)
			_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Regions: []recognition.Region{left, right}, Mode: 3})
			check.Code(t, "Recognize", err, fault.Unavailable, "injected")
			runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
			check.OK(t, "List", err)
			check.Same(t, "runs", len(runs), c.runs)
			for _, r := range runs {
				check.Same(t, "contents", len(r.Contents), 2)
			}
			check.Same(t, "orphans", len(w.fakes.Orphans()), c.orphans)
		})
	}
}

// Contents that are old by the time when the run would be appended may be swept already.
func TestRecognizeThatStandsStill(t *testing.T) {
	for _, c := range []struct {
		still time.Duration
		late  bool
	}{{sweep.NameWithin, false}, {sweep.NameWithin + time.Second, true}} {
		w := newWorld(t)
		w.fakes.Meanwhile("Contents.Add", func() { w.clock = w.clock.Add(c.still) })
		_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Mode: 3})
		if c.late != fault.Is(err, fault.Deadline) || !c.late && err != nil {
			t.Errorf("after %s: got error %v", c.still, err)
		}
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	}
}

func TestTheImageIsDeletedDuringTheRun(t *testing.T) {
	for _, op := range []string{"Engine.Recognize", "Contents.Add", "Runs.Append"} {
		t.Run(op, func(t *testing.T) {
			w := newWorld(t)
			w.fakes.Meanwhile(op, func() { check.OK(t, "Delete", w.images.Delete(t.Context(), w.ann, w.image.ID, nil)) })
			_, err := w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Mode: 3})
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("got %v, want NotFound", err)
			}
			check.Same(t, "orphans", w.fakes.Orphans(), nil)
		})
	}
	t.Run("and who asked goes away", func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		w.fakes.Meanwhile("Runs.Append", func() {
			check.OK(t, "Delete", w.images.Delete(t.Context(), w.ann, w.image.ID, nil))
			w.fakes.Meanwhile("Contents.Delete", cancel)
		})
		_, err := w.Recognize(ctx, w.ann, w.image.ID, recognition.Request{Mode: 3})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v, want NotFound", err)
		}
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	})
}

func TestVersions(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := w.Recognize(context.Background(), w.ann, w.image.ID, recognition.Request{Mode: 3}); err != nil {
				t.Errorf("Recognize: %v", err)
			}
		})
	}
	all.Wait()
	runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
	check.OK(t, "List", err)
	for i, r := range runs {
		check.Same(t, "version", r.Version, 20-i)
		check.Same(t, "version of the content", r.Contents[0].Version, r.Version)
	}
	runs, err = w.List(t.Context(), w.ann, w.image.ID, 5)
	check.OK(t, "List", err)
	check.Same(t, "runs before 5", len(runs), 4)
	for _, version := range []int{0, 21, -1} {
		if _, err := w.Version(t.Context(), w.ann, w.image.ID, version); !fault.Is(err, fault.NotFound) {
			t.Errorf("Version %d: got %v", version, err)
		}
	}
	other := w.upload(t)
	run, err := w.Recognize(t.Context(), w.ann, other.ID, recognition.Request{Mode: 3})
	check.OK(t, "Recognize", err)
	check.Same(t, "version of the other image", run.Version, 1)
}

func TestListIsBounded(t *testing.T) {
	w := newWorld(t)
	for range recognition.MaxRuns + 1 {
		w.recognize(t, w.ann, left)
	}
	runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
	check.OK(t, "List", err)
	check.Same(t, "runs", len(runs), recognition.MaxRuns)
	check.Same(t, "newest", runs[0].Version, recognition.MaxRuns+1)
}

func TestListIsBoundedByItsWords(t *testing.T) {
	w := newWorld(t)
	w.MaxWords = 30
	recognize := func(regions int, text string) {
		t.Helper()
		for _, id := range w.recognize(t, w.ann, slices.Repeat([]recognition.Region{left}, regions)...).ContentIDs {
			_, err := w.Correct(t.Context(), w.ann, id, recognition.Correction{Text: &text})
			check.OK(t, "Correct", err)
		}
	}
	list := func(before int) (contents []int) {
		t.Helper()
		runs, err := w.List(t.Context(), w.ann, w.image.ID, before)
		check.OK(t, "List", err)
		for _, r := range runs {
			contents = append(contents, len(r.Contents))
		}
		return contents
	}
	recognize(1, "")
	recognize(90, "a word")
	recognize(2, "")
	recognize(90, "a word")
	check.Same(t, "contents of the newest runs", list(0), []int{90, 2}) // and not some of the next
	check.Same(t, "contents of the runs before", list(3), []int{90, 1})

	recognize(101, "a word")
	_, err := w.List(t.Context(), w.ann, w.image.ID, 0)
	check.Code(t, "List of a run that is too large", err, fault.TooLarge, "too_many_words")
	_, err = w.Version(t.Context(), w.ann, w.image.ID, 5)
	check.Code(t, "Version of a run that is too large", err, fault.TooLarge, "too_many_words")
	_, err = w.Version(t.Context(), w.ann, w.image.ID, 4)
	check.OK(t, "Version", err)

	recognize(101, "")
	_, err = w.Version(t.Context(), w.ann, w.image.ID, 6)
	check.Code(t, "Version of a run with too many contents without words", err, fault.TooLarge, "too_many_words")
}

// TestPermissions tries everything as everybody, on a private and on a shared image that bob has run.
func TestPermissions(t *testing.T) {
	text := "changed"
	reads := map[string]func(w *world, a account.Actor, id string) error{
		"List": func(w *world, a account.Actor, _ string) error {
			_, err := w.List(context.Background(), a, w.image.ID, 0)
			return err
		},
		"Version": func(w *world, a account.Actor, _ string) error {
			_, err := w.Version(context.Background(), a, w.image.ID, 1)
			return err
		},
		"Content": func(w *world, a account.Actor, id string) error {
			_, err := w.Content(context.Background(), a, id)
			return err
		},
		"Revisions": func(w *world, a account.Actor, id string) error {
			_, err := w.Revisions(context.Background(), a, id)
			return err
		},
		"Deleted": func(w *world, a account.Actor, _ string) error {
			_, _, err := w.Deleted(context.Background(), a, w.image.ID, account.Page{Size: 10})
			return err
		},
		"Prepared": func(w *world, a account.Actor, _ string) error {
			_, err := w.Prepared(context.Background(), a, w.image.ID, left)
			return err
		},
		"Recognize": func(w *world, a account.Actor, _ string) error {
			_, err := w.Recognize(context.Background(), a, w.image.ID, recognition.Request{Mode: 3})
			return err
		},
	}
	writes := map[string]func(w *world, a account.Actor, id string) error{
		"Correct": func(w *world, a account.Actor, id string) error {
			_, err := w.Correct(context.Background(), a, id, recognition.Correction{Text: &text})
			return err
		},
		"Delete": func(w *world, a account.Actor, id string) error { return w.Delete(context.Background(), a, id, nil) },
	}
	const allowed, missing, refused = 0, int(fault.NotFound), int(fault.Forbidden)
	for _, c := range []struct {
		who         string
		shared      bool
		read, write int
	}{
		{"owner", false, allowed, allowed}, {"admin", false, allowed, allowed}, {"runner", false, missing, missing},
		{"other", false, missing, missing},
		{"owner", true, allowed, allowed}, {"admin", true, allowed, allowed}, {"runner", true, allowed, allowed},
		{"other", true, allowed, refused},
	} {
		try := func(name string, act func(w *world, a account.Actor, id string) error, want int) {
			t.Run(fmt.Sprintf("%s of %s, shared %v", name, c.who, c.shared), func(t *testing.T) {
				w := newWorld(t)
				w.see(t, document.Shared)
				id := w.recognize(t, w.bob, left).ContentIDs[0]
				if !c.shared {
					w.see(t, document.Private)
				}
				w.fakes.Calls()
				err := act(w, map[string]account.Actor{"owner": w.ann, "admin": w.admin, "runner": w.bob, "other": w.carl}[c.who], id)
				if want == allowed {
					check.OK(t, name, err)
					return
				}
				if !fault.Is(err, fault.Kind(want)) {
					t.Errorf("got %v, want kind %v", err, fault.Kind(want))
				}
				check.Same(t, "calls", w.fakes.Calls(), nil)
			})
		}
		for name, act := range reads {
			try(name, act, c.read)
		}
		for name, act := range writes {
			try(name, act, c.write)
		}
	}
}

func TestContentOfNothing(t *testing.T) {
	w := newWorld(t)
	text := "x"
	for what, act := range map[string]func() error{
		"Content":   func() error { _, err := w.Content(t.Context(), w.admin, "x"); return err },
		"Revisions": func() error { _, err := w.Revisions(t.Context(), w.admin, "x"); return err },
		"Correct": func() error {
			_, err := w.Correct(t.Context(), w.admin, "x", recognition.Correction{Text: &text})
			return err
		},
		"Delete": func() error { return w.Delete(t.Context(), w.admin, "x", nil) },
	} {
		check.Code(t, what, act(), fault.NotFound, "content_not_found")
	}
}

func TestCorrect(t *testing.T) {
	w := newWorld(t)
	w.fakes.Say(left.Box, "one twa\nthree")
	one := w.recognize(t, w.ann, left).Contents[0]
	w.clock = w.clock.Add(time.Minute)
	two, err := w.Correct(t.Context(), w.ann, one.ID, recognition.Correction{Detail: []string{"one", "two", "three"}, If: at(1)})
	check.OK(t, "Correct", err)
	want := one
	want.Text, want.Revision = "one two\nthree", 2
	want.Words = slices.Clone(one.Words)
	want.Words[1].Text, want.Words[1].Confidence, want.Words[1].Engine = "two", 1, ""
	want.Confidence = (3*0.9 + 3*1 + 5*0.9) / 11
	want.EditedBy, want.Edited = account.Ref{ID: w.ann.UserID, Name: "ann"}, w.clock.UTC().Truncate(time.Microsecond)
	want.RevisedBy = want.EditedBy
	approx := cmpopts.EquateApprox(0, 1e-9)
	if d := cmp.Diff(want, two, approx); d != "" {
		t.Errorf("Correct (-want +got):\n%s", d)
	}
	got, err := w.Content(t.Context(), w.ann, one.ID)
	check.OK(t, "Content", err)
	check.Same(t, "Content", got, two)

	roi := box(10, 10, 50, 50)
	text := " \r\nnew text  \r\nof lines\n\n"
	three, err := w.Correct(t.Context(), w.admin, one.ID, recognition.Correction{Text: &text, ROI: &roi})
	check.OK(t, "Correct", err)
	check.Same(t, "text", three.Text, "new text\nof lines")
	check.Same(t, "region", three.ROI, roi)
	check.Same(t, "revision", three.Revision, 3)
	check.Same(t, "words", len(three.Words), 4)
	check.Same(t, "confidence", three.Confidence, 1)
	check.Same(t, "editor", three.EditedBy, account.Ref{ID: w.admin.UserID, Name: "root"})

	four, err := w.Correct(t.Context(), w.ann, one.ID, recognition.Correction{ROI: &left.Box, If: at(3)})
	check.OK(t, "Correct of the region only", err)
	check.Same(t, "text", four.Text, three.Text)
	check.Same(t, "words", four.Words, three.Words)
	check.Same(t, "region", four.ROI, left.Box)

	revisions, err := w.Revisions(t.Context(), w.ann, one.ID)
	check.OK(t, "Revisions", err)
	check.Same(t, "Revisions", revisions, []recognition.Content{one, two, three, four})
	run, err := w.Version(t.Context(), w.ann, w.image.ID, 1)
	check.OK(t, "Version", err)
	check.Same(t, "the run shows the current revision", run.Contents, []recognition.Content{four})
	empty := ""
	five, err := w.Correct(t.Context(), w.ann, one.ID, recognition.Correction{Text: &empty})
	check.OK(t, "Correct to nothing", err)
	if five.Text != "" || len(five.Words) != 0 || five.Confidence != 0 {
		t.Errorf("got %+v, want nothing", five)
	}
}

// Runs keep to the page as it stood when they were made; what is told of them, and what is corrected, is on the page as it stands now.
func TestTurnedPage(t *testing.T) {
	for _, from := range document.Rotations {
		for _, to := range document.Rotations {
			w := newWorld(t)
			turn := func(rotation int) document.Image {
				t.Helper()
				i, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Rotation: &rotation})
				check.OK(t, "Change", err)
				return i
			}
			onPage := func(c recognition.Content, i document.Image) recognition.Content {
				degrees := (i.Rotation - from + 360) % 360
				was := i.TurnedTo(from)
				c.ROI = c.ROI.Turned(degrees, was.Width, was.Height)
				c.Words = slices.Clone(c.Words)
				for n := range c.Words {
					c.Words[n].Box = c.Words[n].Box.Turned(degrees, was.Width, was.Height)
				}
				c.Rotation = (90 + degrees) % 360
				c.Asked = &recognition.Asked{Rotate: recognition.Rotate(strconv.Itoa(c.Rotation))}
				return c
			}
			first := turn(from)
			asked := region(3, 5, 40, 20)
			asked.Rotate = recognition.Rotate90
			run := w.recognize(t, w.ann, asked)
			made := run.Contents[0]
			check.Same(t, "rotation that was asked for", *made.Asked, recognition.Asked{Rotate: recognition.Rotate90})
			check.Same(t, "ROI of the run as it is made", made.ROI, box(3, 5, 40, 20))
			check.Same(t, "rotation of the run", run.Rotation, from)

			second := turn(to)
			want := onPage(made, second)
			got, err := w.Content(t.Context(), w.ann, made.ID)
			check.OK(t, "Content", err)
			check.Same(t, "Content", got, want)
			read, err := w.Version(t.Context(), w.ann, w.image.ID, 1)
			check.OK(t, "Version", err)
			check.Same(t, "Version", read.Contents, []recognition.Content{want})
			runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
			check.OK(t, "List", err)
			check.Same(t, "List", runs[0].Contents, []recognition.Content{want})

			roi, text := box(1, 2, 30, 50), "two words"
			corrected, err := w.Correct(t.Context(), w.ann, made.ID, recognition.Correction{ROI: &roi, Text: &text})
			check.OK(t, "Correct", err)
			check.Same(t, "corrected ROI", corrected.ROI, roi)
			got, err = w.Content(t.Context(), w.ann, made.ID)
			check.OK(t, "Content", err)
			check.Same(t, "Content of the correction", got, corrected)
			revisions, err := w.Revisions(t.Context(), w.ann, made.ID)
			check.OK(t, "Revisions", err)
			check.Same(t, "Revisions", revisions, []recognition.Content{want, corrected})
			outside := second.Box()
			outside.X2++
			_, err = w.Correct(t.Context(), w.ann, made.ID, recognition.Correction{ROI: &outside})
			wantFields(t, "Correct outside the page", err, "roi.x2")

			turn(from)
			revisions, err = w.Revisions(t.Context(), w.ann, made.ID)
			check.OK(t, "Revisions", err)
			check.Same(t, "the first revision on the page as it was", revisions[0], made)
			back := document.Turns(to, from)
			check.Same(t, "the corrected ROI there", revisions[1].ROI, roi.Turned(back, second.Width, second.Height))
			check.Same(t, "a corrected word there", revisions[1].Words[0].Box,
				corrected.Words[0].Box.Turned(back, second.Width, second.Height))
			check.Same(t, "the page", first.Box(), second.Box().Turned(back, second.Width, second.Height))
		}
	}
}

// The engine is given the page as it stands, and regions are checked against that.
func TestTheEngineSeesTheTurnedPage(t *testing.T) {
	w := newWorld(t)
	quarter := 90
	i, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Rotation: &quarter})
	check.OK(t, "Change", err)
	below := region(0, 300, i.Width, i.Height) // not on the page as it was
	w.recognize(t, w.ann, below)
	got, err := w.Prepared(t.Context(), w.ann, i.ID, below)
	check.OK(t, "Prepared", err)
	page, _ := porttest.DrawLines("page")
	turned := porttest.Turned(page, quarter).(*image.RGBA)
	if want := porttest.PNG(turned.SubImage(image.Rect(0, 300, i.Width, i.Height))); !bytes.Equal(got.Bytes, want) {
		t.Error("what is prepared is not of the turned page")
	}
	_, err = w.Recognize(t.Context(), w.ann, i.ID, recognition.Request{Regions: []recognition.Region{right}, Mode: recognition.BestMode})
	wantFields(t, "a region of the page as it was", err, "regions[0].x1", "regions[0].x2")
	whole := w.recognize(t, w.ann)
	check.Same(t, "the whole page", whole.Contents[0].ROI, i.Box())
	suggested, err := w.Layout(t.Context(), w.ann, i.ID, recognition.LevelLine)
	check.OK(t, "Layout", err)
	check.Same(t, "layout", suggested[0].Box, document.Box{X1: i.Width / 10, Y1: i.Height / 10, X2: i.Width - i.Width/10,
		Y2: i.Height - i.Height/10})
}

func TestCorrectRules(t *testing.T) {
	w := newWorld(t)
	id := w.recognize(t, w.ann, left).ContentIDs[0]
	text, long, broken := "text", strings.Repeat("가", recognition.MaxText+1), "a\xff"
	outside, wordy := box(0, 0, 401, 141), strings.Repeat("a ", recognition.MaxTextWords+1)
	for _, c := range []struct {
		name   string
		change recognition.Correction
		fields []string
	}{
		{"nothing", recognition.Correction{}, []string{"text"}},
		{"a revision only", recognition.Correction{If: at(1)}, []string{"text"}},
		{"both", recognition.Correction{Text: &text, Detail: []string{"a"}}, []string{"detail"}},
		{"too long", recognition.Correction{Text: &long}, []string{"text"}},
		{"no UTF-8", recognition.Correction{Text: &broken}, []string{"text"}},
		{"empty words", recognition.Correction{Detail: []string{"a", "", " "}}, []string{"detail[1]", "detail[2]"}},
		{"words that are no UTF-8", recognition.Correction{Detail: []string{"a", "\xff"}}, []string{"detail[1]"}},
		{"too many words", recognition.Correction{Detail: slices.Repeat([]string{"word"}, recognition.MaxText/5+1)}, []string{"detail"}},
		{"a text of too many words", recognition.Correction{Text: &wordy}, []string{"text"}},
		{"too many words in a few", recognition.Correction{Detail: []string{wordy}}, []string{"detail"}},
		{"a region outside", recognition.Correction{ROI: &outside}, []string{"roi.x2", "roi.y2"}},
	} {
		_, err := w.Correct(t.Context(), w.ann, id, c.change)
		wantFields(t, c.name, err, c.fields...)
	}
	longest := strings.Repeat("가", recognition.MaxText)
	c, err := w.Correct(t.Context(), w.ann, id, recognition.Correction{Text: &longest})
	check.OK(t, "Correct to the longest text", err)
	check.Same(t, "revision", c.Revision, 2)
}

// at is the condition that a content is at that revision; 0: at any.
func at(revision int) recognition.ContentCondition {
	if revision == 0 {
		return nil
	}
	return func(c recognition.Content) bool { return c.Revision == revision }
}

func TestCorrectFromAnOldRevision(t *testing.T) {
	w := newWorld(t)
	id := w.recognize(t, w.ann, left).ContentIDs[0]
	text := "changed"
	_, err := w.Correct(t.Context(), w.ann, id, recognition.Correction{Text: &text, If: at(1)})
	check.OK(t, "Correct", err)
	for _, revision := range []int{1, 3, -1} {
		_, err := w.Correct(t.Context(), w.ann, id, recognition.Correction{Text: &text, If: at(revision)})
		check.Code(t, fmt.Sprint("Correct from ", revision), err, fault.Stale, "changed_meanwhile")
	}
	// Somebody else is faster, between the look at the current revision and the next one.
	w.fakes.Meanwhile("Contents.Revise", func() {
		other := "faster"
		_, err := w.Correct(t.Context(), w.admin, id, recognition.Correction{Text: &other})
		check.OK(t, "Correct", err)
	})
	_, err = w.Correct(t.Context(), w.ann, id, recognition.Correction{Text: &text, If: at(2)})
	check.Code(t, "Correct", err, fault.Stale, "changed_meanwhile")
}

// What somebody has corrected meanwhile is not deleted by who has not seen it, also where the correction comes after the first look.
func TestDeleteFromAnOldRevision(t *testing.T) {
	for name, remove := range map[string]func(*world, string, recognition.ContentCondition) error{
		"Delete": func(w *world, id string, c recognition.ContentCondition) error {
			return w.Delete(context.Background(), w.ann, id, c)
		},
		"Purge": func(w *world, id string, c recognition.ContentCondition) error {
			return w.Purge(context.Background(), w.ann, id, c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			run := w.recognize(t, w.ann, left, right)
			id := run.ContentIDs[0]
			check.Code(t, name, remove(w, id, at(2)), fault.Stale, "changed_meanwhile")
			check.Same(t, "the run", w.version(t, 1), run)
			var corrected recognition.Content
			w.fakes.Meanwhile("Runs.MarkDeleted", func() {
				corrected = w.correct(t, w.admin, id, recognition.Correction{Name: given("total")})
			})
			check.Code(t, name, remove(w, id, at(1)), fault.Stale, "changed_meanwhile")
			check.Same(t, "the content", w.version(t, 1).Contents[0], corrected)
			check.OK(t, name, remove(w, id, at(2)))
			check.Same(t, "the run", w.version(t, 1).Contents, run.Contents[1:])
			check.Same(t, "orphans", w.fakes.Orphans(), nil)

			check.OK(t, "Delete", w.Delete(t.Context(), w.ann, run.ContentIDs[1], nil))
			check.Code(t, "Purge of a marked one", w.Purge(t.Context(), w.ann, run.ContentIDs[1], at(2)), fault.Stale, "changed_meanwhile")
			check.OK(t, "Purge of a marked one", w.Purge(t.Context(), w.ann, run.ContentIDs[1], at(1)))
		})
	}
}

// A revision that comes when who deletes the content has looked for the last time is lost, and not said to be made.
func TestReviseWhatIsBeingPurged(t *testing.T) {
	for name, revise := range map[string]func(*world, string) error{
		"a correction": func(w *world, id string) error {
			_, err := w.Correct(t.Context(), w.admin, id, recognition.Correction{Text: given("changed")})
			return err
		},
		"read again": func(w *world, id string) error {
			_, err := w.Recognize(t.Context(), w.ann, w.image.ID, into(1, again(left, id)))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.recognize(t, w.ann, left).ContentIDs[0]
			looked, answered, purged := make(chan struct{}), make(chan struct{}), make(chan error)
			w.fakes.Meanwhile("Runs.RemoveContent", func() {
				close(looked)
				<-answered
			})
			w.fakes.Meanwhile("Contents.Revise", func() {
				go func() { purged <- w.Purge(context.Background(), w.ann, id, at(1)) }()
				<-looked
			})
			check.Code(t, "the revision", revise(w, id), fault.NotFound, "content_not_found")
			close(answered)
			check.OK(t, "Purge", <-purged)
			check.Same(t, "orphans", w.fakes.Orphans(), nil)
		})
	}
}

func TestCorrectorsLoseNothing(t *testing.T) {
	const n = 20
	for _, revision := range []int{0, 1} {
		t.Run(fmt.Sprint("from revision ", revision), func(t *testing.T) {
			w := newWorld(t)
			id := w.recognize(t, w.ann, left).ContentIDs[0]
			var all sync.WaitGroup
			errs := make([]error, n)
			for i := range n {
				all.Go(func() {
					text := fmt.Sprint("text ", i)
					_, errs[i] = w.Correct(context.Background(), w.ann, id, recognition.Correction{Text: &text, If: at(revision)})
				})
			}
			all.Wait()
			var won []string
			for i, err := range errs {
				if err == nil {
					won = append(won, fmt.Sprint("text ", i))
				} else if revision == 0 || !fault.Is(err, fault.Stale) {
					t.Errorf("Correct: %v", err)
				}
			}
			if want := map[int]int{0: n, 1: 1}[revision]; len(won) != want {
				t.Errorf("%d won, want %d", len(won), want)
			}
			revisions, err := w.Revisions(t.Context(), w.ann, id)
			check.OK(t, "Revisions", err)
			var got []string
			for _, c := range revisions[1:] {
				got = append(got, c.Text)
			}
			slices.Sort(got)
			slices.Sort(won)
			check.Same(t, "texts that were kept", got, won)
		})
	}
}

func TestEditorsAreNamed(t *testing.T) {
	w := newWorld(t)
	id := w.recognize(t, w.ann, left).ContentIDs[0]
	text := "changed"
	_, err := w.Correct(t.Context(), w.admin, id, recognition.Correction{Text: &text})
	check.OK(t, "Correct", err)
	editor := func() account.Ref {
		t.Helper()
		runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
		check.OK(t, "List", err)
		return runs[0].Contents[0].EditedBy
	}
	check.Same(t, "editor", editor(), account.Ref{ID: w.admin.UserID, Name: "root"})
	_, err = w.fakes.Users.Update(t.Context(), w.admin.UserID, func(u *account.User) error { u.Name = ""; return nil })
	check.OK(t, "Users.Update", err)
	check.Same(t, "editor who resigned", editor(), account.Ref{ID: w.admin.UserID})
}

func TestPurge(t *testing.T) {
	w := newWorld(t)
	run := w.recognize(t, w.ann, left, right)
	w.fakes.Calls()
	check.OK(t, "Purge", w.Purge(t.Context(), w.ann, run.ContentIDs[0], nil))
	check.Same(t, "order", w.fakes.Calls(), []string{"Runs.RemoveContent", "Contents.Delete"})
	check.Code(t, "Purge again", w.Purge(t.Context(), w.ann, run.ContentIDs[0], nil), fault.NotFound, "content_not_found")
	_, err := w.Content(t.Context(), w.ann, run.ContentIDs[0])
	check.Code(t, "Content", err, fault.NotFound, "content_not_found")
	got, err := w.Version(t.Context(), w.ann, w.image.ID, 1)
	check.OK(t, "Version", err)
	check.Same(t, "contents left", got.Contents, run.Contents[1:])

	w.fakes.Fail("Contents.Delete", porttest.Before)
	check.OK(t, "Purge of the last one, whose document stays", w.Purge(t.Context(), w.ann, run.ContentIDs[1], nil))
	check.Same(t, "orphans", w.fakes.Orphans(), run.ContentIDs[1:])
	got, err = w.Version(t.Context(), w.ann, w.image.ID, 1)
	check.OK(t, "Version without contents", err)
	check.Same(t, "contents left", got.Contents, nil)
	check.Same(t, "version of the next run", w.recognize(t, w.ann).Version, 2)
}

func TestPurgeThatFails(t *testing.T) {
	w := newWorld(t)
	id := w.recognize(t, w.ann, left).ContentIDs[0]
	w.fakes.Fail("Runs.RemoveContent", porttest.Before)
	check.Code(t, "Purge", w.Purge(t.Context(), w.ann, id, nil), fault.Unavailable, "injected")
	_, err := w.Content(t.Context(), w.ann, id)
	check.OK(t, "Content", err)
	w.fakes.Fail("Runs.RemoveContent", porttest.After)
	check.Code(t, "Purge", w.Purge(t.Context(), w.ann, id, nil), fault.Unavailable, "injected")
	check.Same(t, "orphans", w.fakes.Orphans(), []string{id})
}

// TestAContentIsPurgedMeanwhile checks that what is gone between two looks is left out, not taken for another.
func TestAContentIsPurgedMeanwhile(t *testing.T) {
	w := newWorld(t)
	run := w.recognize(t, w.ann, left, right, region(0, 0, 10, 10))
	w.recognize(t, w.ann, right)
	w.fakes.Meanwhile("Contents.Get", func() { check.OK(t, "Purge", w.Purge(t.Context(), w.ann, run.ContentIDs[1], nil)) })
	runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
	check.OK(t, "List", err)
	check.Same(t, "contents of the newest", len(runs[0].Contents), 1)
	check.Same(t, "contents of the first", runs[1].Contents, []recognition.Content{run.Contents[0], run.Contents[2]})

	text := "late"
	w.fakes.Meanwhile("Contents.Get", func() { check.OK(t, "Purge", w.Purge(t.Context(), w.ann, run.ContentIDs[0], nil)) })
	_, err = w.Correct(t.Context(), w.ann, run.ContentIDs[0], recognition.Correction{Text: &text})
	check.Code(t, "Correct", err, fault.NotFound, "content_not_found")
	w.fakes.Meanwhile("Contents.Revise", func() { check.OK(t, "Purge", w.Purge(t.Context(), w.ann, run.ContentIDs[2], nil)) })
	_, err = w.Correct(t.Context(), w.ann, run.ContentIDs[2], recognition.Correction{Text: &text})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("Correct: got %v, want NotFound", err)
	}
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

func TestDeletingTheImageDiscardsContents(t *testing.T) {
	w := newWorld(t)
	id := w.recognize(t, w.ann, left, right).ContentIDs[0]
	w.recognize(t, w.ann)
	text := "changed"
	_, err := w.Correct(t.Context(), w.ann, id, recognition.Correction{Text: &text})
	check.OK(t, "Correct", err)
	w.fakes.Calls()
	check.OK(t, "Delete", w.images.Delete(t.Context(), w.ann, w.image.ID, nil))
	check.Same(t, "order", w.fakes.Calls(), []string{"Catalog.Delete", "Contents.Delete", "Blobs.Delete", "Blobs.Delete"})
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
	_, err = w.Content(t.Context(), w.ann, id)
	check.Code(t, "Content", err, fault.NotFound, "content_not_found")
}

func TestPrepared(t *testing.T) {
	w := newWorld(t)
	r, err := w.Prepared(t.Context(), w.ann, w.image.ID, region(10, 20, 110, 70))
	check.OK(t, "Prepared", err)
	m, err := png.Decode(bytes.NewReader(r.Bytes))
	check.OK(t, "decoding what was prepared", err)
	check.Same(t, "size", [2]int{m.Bounds().Dx(), m.Bounds().Dy()}, [2]int{100, 50})
	wrong := region(10, 20, 401, 20)
	wrong.Lang, wrong.Shape = []string{"xyz"}, 2
	_, err = w.Prepared(t.Context(), w.ann, w.image.ID, wrong)
	wantFields(t, "Prepared", err, "x2", "y2", "psm", "lang")
	w.fakes.Fail("Engine.Languages", porttest.Before)
	_, err = w.Prepared(t.Context(), w.ann, w.image.ID, left)
	check.Code(t, "Prepared without languages", err, fault.Unavailable, "injected")
	check.Same(t, "calls", w.fakes.Calls(), nil)
}

func TestLanguages(t *testing.T) {
	w := newWorld(t)
	w.fakes.SetLanguages("kor", "script/Hangul")
	got, err := w.Languages(t.Context())
	check.OK(t, "Languages", err)
	check.Same(t, "Languages", got, []string{"kor", "script/Hangul"})
	_, err = w.Recognize(t.Context(), w.ann, w.image.ID, recognition.Request{Mode: 3})
	wantFields(t, "Recognize in eng, which is not installed", err, "lang")
}

// TestAnItemOfAJobMakesOneRun delivers an item once more, after its run and while it is being made.
func TestAnItemOfAJobMakesOneRun(t *testing.T) {
	w := newWorld(t)
	w.recognize(t, w.ann, left)
	request := recognition.Request{Regions: []recognition.Region{right}, Mode: 3, Item: "job-000001"}
	w.fakes.Meanwhile("Runs.Append", func() {
		run, err := w.Recognize(t.Context(), w.ann, w.image.ID, request)
		check.OK(t, "Recognize of the same item meanwhile", err)
		check.Same(t, "version", run.Version, 2)
	})
	for range 2 {
		run, err := w.Recognize(t.Context(), w.ann, w.image.ID, request)
		check.OK(t, "Recognize", err)
		check.Same(t, "version", run.Version, 2)
	}
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
	check.Same(t, "version of the next run", w.recognize(t, w.ann, left).Version, 3)

	w.fakes.Fail("Runs.ByItem", porttest.Before)
	_, err := w.Recognize(t.Context(), w.ann, w.image.ID, request)
	check.Code(t, "Recognize while the rows are away", err, fault.Unavailable, "injected")
}

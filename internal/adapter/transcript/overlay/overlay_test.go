package overlay

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"glyphbox/internal/adapter/transcript/protocol"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/pdfparse"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// document is a PDF of three pages with an outline, a link, metadata and a structure: one with a text, one that is turned and of which a
// part is shown, one that has its font from the pages above it.
func document() []byte { return documentWith() }

// documentWith is that document with some texts in its objects replaced.
func documentWith(oldnew ...string) []byte {
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R /Outlines 9 0 R /Metadata 11 0 R /StructTreeRoot 12 0 R /MarkInfo << /Marked true >> >>",
		"<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 /MediaBox [0 0 400 300] /Resources << /Font << /F1 6 0 R >> >> >>",
		"<< /Type /Page /Parent 2 0 R /Contents 7 0 R /Annots [8 0 R] >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [100 50 500 350] /CropBox [150 100 450 300] /Rotate 90 >>",
		"<< /Type /Page /Parent 2 0 R /Contents [7 0 R] >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Length 67 >>\nstream\nq 0.5 0 0 0.5 0 0 cm BT /F1 40 Tf 100 200 Td (printed words) Tj ET    \nendstream",
		"<< /Type /Annot /Subtype /Link /Rect [50 90 200 130] /Border [0 0 0] /A << /S /URI /URI (https://example.org/link) >> >>",
		"<< /Type /Outlines /First 10 0 R /Last 10 0 R /Count 1 >>",
		"<< /Title (Chapter one) /Parent 9 0 R /Dest [4 0 R /Fit] >>",
		"<< /Type /Metadata /Subtype /XML /Length 21 >>\nstream\n<x>kept metadata</x> \nendstream",
		"<< /Type /StructTreeRoot >>",
		"<< /Title (Kept title) >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.5\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, strings.NewReplacer(oldnew...).Replace(o))
	}
	begin := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 13 0 R /ID [<00112233445566778899aabbccddeeff> "+
		"<00112233445566778899aabbccddeeff>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(objects)+1, begin)
	return b.Bytes()
}

// program runs a program that only tests need on files of the test's folder.
func program(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		check.Absent(t, name, "scripts/setup tests installs it")
	}
	command := exec.CommandContext(t.Context(), path, args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

// visible is a font of the standard ones, and no invisible one: what it shows is where it is.
var font = []protocol.Object{{Dict: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding {1} >>"},
	{Dict: "<< /Type /Encoding /BaseEncoding /WinAnsiEncoding >>"}}

// layer is a word whose lower left corner is at 30, 40 of a page of that size in pixels of 144 dpi.
type layer struct {
	page, turn    int
	width, height float64
	word          string
}

// wordAt is a word of a layer, which begins 15 points from the left as the page is shown.
var wordAt = regexp.MustCompile(`<word xMin="15\.0+" .*>(second|turned)</word>`)

var layers = []layer{{1, 0, 800, 600, "first"}, {2, 0, 400, 600, "second"}, {3, 0, 800, 600, "third"}}

// lay has Lay do what the job says, with these layers.
func lay(file []byte, job protocol.Job, layers []layer) (protocol.Answer, []byte, error) {
	var contents []byte
	for _, l := range layers {
		content := "BT 3 Tr /Own 20 Tf 30 40 Td (" + l.word + ") Tj ET"
		contents = append(contents, content...)
		job.Layers = append(job.Layers, protocol.Layer{Page: l.page, Turn: l.turn, Width: l.width, Height: l.height,
			Length: int64(len(content))})
	}
	job.Font, job.FontName = font, "Own"
	return Lay(file, contents, job)
}

func laid(t *testing.T, file []byte, job protocol.Job, layers []layer) (protocol.Answer, []byte) {
	t.Helper()
	answer, added, err := lay(file, job, layers)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Whole {
		return answer, added
	}
	return answer, append(bytes.Clone(file), added...)
}

// TestLay lays words over files of many kinds and has other programs look at what comes out.
func TestLay(t *testing.T) {
	plain := document()
	for name, c := range map[string]struct {
		made  []string // by qpdf
		job   protocol.Job
		whole bool
	}{
		"table":          {},
		"stream":         {made: []string{"--object-streams=generate"}},
		"linearized":     {made: []string{"--linearize"}},
		"password":       {made: []string{"--encrypt", "secret", "owner", "256", "--"}, job: protocol.Job{Password: "secret"}, whole: true},
		"owner password": {made: []string{"--encrypt", "", "owner", "256", "--"}, whole: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := plain
			must(t, os.WriteFile(filepath.Join(dir, "plain.pdf"), plain, 0o666))
			if c.made != nil {
				program(t, dir, "qpdf", append(append([]string{}, c.made...), "plain.pdf", "made.pdf")...)
				var err error
				file, err = os.ReadFile(filepath.Join(dir, "made.pdf"))
				must(t, err)
			}
			answer, out := laid(t, file, c.job, layers)
			if answer.Whole != c.whole || answer.Encrypted != c.whole {
				t.Errorf("got %+v", answer)
			}
			if !c.whole && !bytes.HasPrefix(out, file) {
				t.Error("the file is not as it was")
			}
			must(t, os.WriteFile(filepath.Join(dir, "out.pdf"), out, 0o666))
			if got := program(t, dir, "qpdf", "--check", "out.pdf"); !strings.Contains(got, "No syntax or stream encoding errors found") ||
				strings.Contains(got, "WARNING") {
				t.Error(got)
			}
			for page, want := range []string{"printed words first", "second", "printed words third"} {
				n := fmt.Sprint(page + 1)
				if got := strings.Join(strings.Fields(program(t, dir, "pdftotext", "-f", n, "-l", n, "out.pdf", "-")), " "); got != want {
					t.Errorf("page %s: got %q, want %q", n, got, want)
				}
				for _, file := range []string{"plain", "out"} {
					program(t, dir, "pdftoppm", "-r", "50", "-f", n, "-l", n, "-singlefile", file+".pdf", file)
				}
				before, err := os.ReadFile(filepath.Join(dir, "plain.ppm"))
				must(t, err)
				after, err := os.ReadFile(filepath.Join(dir, "out.ppm"))
				must(t, err)
				if !bytes.Equal(before, after) {
					t.Errorf("page %s looks different", n)
				}
			}
			whole := program(t, dir, "qpdf", "--qdf", "--object-streams=disable", "out.pdf", "-")
			for _, kept := range []string{"https://example.org/link", "Chapter one", "kept metadata", "Kept title", "/StructTreeRoot"} {
				if !strings.Contains(whole, kept) {
					t.Errorf("%q is gone", kept)
				}
			}
			box := program(t, dir, "pdftotext", "-bbox", "-f", "2", "-l", "2", "-cropbox", "out.pdf", "-")
			if !wordAt.MatchString(box) || !strings.Contains(box, `yMax="281`) {
				t.Errorf("the word of the turned page is not at 15 points from its left: %s", box)
			}
		})
	}
}

// TestLayKeepsPages wants some pages only, and the layers of these.
func TestLayKeepsPages(t *testing.T) {
	answer, out := laid(t, document(), protocol.Job{Keep: []int{2, 3}}, layers)
	if !answer.Whole || answer.Encrypted {
		t.Errorf("got %+v", answer)
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "out.pdf"), out, 0o666))
	program(t, dir, "qpdf", "--check", "out.pdf")
	if got, want := program(t, dir, "pdftotext", "out.pdf", "-"), "second\fprinted words\nthird\f"; strings.Join(strings.Fields(got),
		" ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLayLocked takes files of all ciphers with passwords in all letters, and some pages of them, also where that is not allowed.
func TestLayLocked(t *testing.T) {
	for _, f := range porttest.LockedPDFs(t, document()) {
		for _, job := range []protocol.Job{{Password: f.Password}, {Password: f.Password, Keep: []int{3}}} {
			answer, out, err := lay(f.File, job, layers)
			if err != nil {
				t.Errorf("%s, pages %v: %v", f.Name, job.Keep, err)
				continue
			}
			ctx, err := api.ReadContext(bytes.NewReader(out), pdfparse.Configuration(""))
			if err != nil || ctx.Encrypt != nil || !answer.Encrypted {
				t.Errorf("%s, pages %v: got %+v, %v", f.Name, job.Keep, answer, err)
			}
		}
		if _, _, err := lay(f.File, protocol.Job{Password: "wrong"}, layers); err == nil {
			t.Errorf("%s: opened by a wrong password", f.Name)
		}
	}
}

// TestLayPages lays words over pages that viewers show, however the file names and describes them, and has other programs look for them.
func TestLayPages(t *testing.T) {
	const list, structure = "/Kids [3 0 R 4 0 R 5 0 R]", "<< /Type /StructTreeRoot >>"
	const first = "<< /Type /Page /Parent 2 0 R /Contents 7 0 R"
	for name, changed := range map[string][]string{
		"a list that is an object":  {list, "/Kids 12 0 R", structure, "[3 0 R 4 0 R 5 0 R]"},
		"an empty node":             {list, "/Kids [12 0 R 3 0 R 4 0 R 5 0 R]", structure, "<< /Type /Pages /Kids [] >>"},
		"nodes in nodes":            {list, "/Kids [3 0 R 12 0 R]", structure, "<< /Type /Pages /Kids [4 0 R 5 0 R] >>"},
		"a page without a type":     {first, "<< /Parent 2 0 R /Contents 7 0 R"},
		"nodes without a type":      {"<< /Type /Pages /Kids", "<< /Kids"},
		"a page without a parent":   {first, "<< /Type /Page /Contents 7 0 R"},
		"a part of two numbers":     {first, first + " /CropBox [1 2]"},
		"a part that is not on it":  {first, first + " /CropBox [900 900 990 990]"},
		"a box the other way round": {"/MediaBox [0 0 400 300]", "/MediaBox [400 300 0 0]"},
		"a box of objects":          {"/MediaBox [0 0 400 300]", "/MediaBox [0 0 12 0 R 300]", structure, "400"},
		"no rotation":               {first, first + " /Rotate (90)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := documentWith(changed...)
			_, out := laid(t, file, protocol.Job{}, layers)
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "out.pdf"), out, 0o666))
			for page, want := range []string{"printed words first", "second", "printed words third"} {
				n := fmt.Sprint(page + 1)
				if got := strings.Join(strings.Fields(program(t, dir, "pdftotext", "-f", n, "-l", n, "out.pdf", "-")), " "); got != want {
					t.Errorf("page %s: got %q, want %q", n, got, want)
				}
			}
		})
	}
	for name, file := range map[string][]byte{
		"a page that is no object": documentWith("/Kids [3 0 R", "/Kids [<< /Type /Page >>"),
		"fewer pages than words":   documentWith("/Kids [3 0 R 4 0 R 5 0 R]", "/Kids [3 0 R 4 0 R]"),
		"a tree that is too deep":  documentWith(list, strings.Repeat("/Kids [<< ", 2000)+list+strings.Repeat(" >>]", 2000)),
	} {
		if _, _, err := lay(file, protocol.Job{}, layers); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestLayLockedAndBroken wants no file that is written of what was not deciphered.
func TestLayLockedAndBroken(t *testing.T) {
	for _, f := range porttest.LockedPDFs(t, document()) {
		for was, is := range map[string]string{"startxref": "startxxxx", "/Size": "/Sise", "\nxref": "\nyref"} {
			broken := bytes.ReplaceAll(f.File, []byte(was), []byte(is))
			if _, out, err := lay(broken, protocol.Job{Password: f.Password}, layers); err == nil {
				ctx, err := api.ReadContext(bytes.NewReader(out), pdfparse.Configuration(""))
				must(t, err)
				pages, err := (&update{ctx: ctx}).leaves(1)
				must(t, err)
				if _, err := ctx.PageContent(pages[0].dict, 1); err != nil {
					t.Errorf("%s without %q: %v", f.Name, was, err)
				}
			} else if !fault.Is(err, fault.Unsupported) {
				t.Errorf("%s without %q: %v", f.Name, was, err)
			}
		}
	}
}

// TestLayTurns wants a page turned as it is seen, with its words where they are seen.
func TestLayTurns(t *testing.T) {
	for turn, bottom := range map[int]string{90: "381", 180: "281", 270: "381"} {
		width, height := 800.0, 600.0
		if turn%180 != 0 {
			width, height = height, width
		}
		_, out := laid(t, document(), protocol.Job{}, []layer{{1, turn, width, height, "turned"}})
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "out.pdf"), out, 0o666))
		got := program(t, dir, "pdftotext", "-bbox", "-l", "1", "out.pdf", "-")
		if !wordAt.MatchString(got) || !strings.Contains(got, `yMax="`+bottom) {
			t.Errorf("turned by %d: got %s", turn, got)
		}
	}
}

// TestLayBroken wants a fault, or a file, of whatever it is given.
func TestLayBroken(t *testing.T) {
	file := document()
	for name, broken := range map[string][]byte{"empty": nil, "text": []byte("hello"), "head": file[:20], "half": file[:len(file)/2],
		"no pages": bytes.ReplaceAll(file, []byte("/Kids"), []byte("/Kidz")),
		"loop":     bytes.ReplaceAll(file, []byte("/Kids [3 0 R"), []byte("/Kids [2 0 R"))} {
		_, _, err := lay(broken, protocol.Job{}, layers)
		if err != nil && !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	cut := bytes.Replace(file, []byte("startxref"), []byte("startxxxx"), 1)
	if answer, out := laid(t, cut, protocol.Job{}, layers); !answer.Whole || !bytes.HasPrefix(out, []byte("%PDF-")) {
		t.Errorf("of a file without its end: got %+v and %.20q", answer, out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLayTwice wants no second layer over a page that has one, be it in the page or in a form of it.
func TestLayTwice(t *testing.T) {
	_, once := laid(t, document(), protocol.Job{}, layers[:1])
	_, twice := laid(t, once, protocol.Job{}, layers)
	form := documentWith("/Font << /F1 6 0 R >>", "/Font << /F1 6 0 R >> /XObject << /X 7 0 R >>",
		"<< /Length 67 >>\nstream\nq 0.5 0 0 0.5 0 0 cm BT /F1 40 Tf",
		"<< /Subtype /Form /Length 69 >>\nstream\nq .5 0 0 .5 0 0 cm BT 3 Tr /F1 9 Tf")
	_, overForm := laid(t, form, protocol.Job{}, layers[1:2])
	for name, c := range map[string]struct {
		file []byte
		want string
	}{"page": {twice, "printed words first second printed words third"}, "form": {overForm, "printed words printed words"}} {
		path := filepath.Join(t.TempDir(), "out.pdf")
		must(t, os.WriteFile(path, c.file, 0o666))
		if got := strings.Join(strings.Fields(program(t, ".", "pdftotext", path, "-")), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestMerge(t *testing.T) {
	one, two := document(), document()
	out, err := merge(append(bytes.Clone(one), two...), []int64{int64(len(one)), int64(len(two))})
	must(t, err)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "out.pdf"), out, 0o666))
	program(t, dir, "qpdf", "--check", "out.pdf")
	if got := program(t, dir, "pdfinfo", "out.pdf"); !regexp.MustCompile(`Pages: +6\n`).MatchString(got) {
		t.Error(got)
	}
	for _, sizes := range [][]int64{{-1}, {99}, {5, 0}} {
		if _, err := merge([]byte("hello"), sizes); err == nil {
			t.Errorf("%v: no error", sizes)
		}
	}
}

// FuzzLay gives damaged files.
func FuzzLay(f *testing.F) {
	f.Add(document(), 0, byte(0))
	f.Fuzz(func(t *testing.T, file []byte, at int, value byte) {
		if len(file) > 1<<16 {
			return
		}
		if at >= 0 && at < len(file) {
			file = bytes.Clone(file)
			file[at] = value
		}
		if _, _, err := lay(file, protocol.Job{}, layers); err != nil && !fault.Is(err, fault.Unsupported) {
			t.Errorf("got %v", err)
		}
	})
}

// How large the units of a page are stays as it is, whatever is done with the page.
func TestUnitsAreKept(t *testing.T) {
	file := documentWith("/Rotate 90 >>", "/Rotate 90 /UserUnit 2.5 >>")
	_, updated := laid(t, file, protocol.Job{}, layers)
	_, part := laid(t, file, protocol.Job{Keep: []int{2}}, layers)
	merged, err := merge(append(bytes.Clone(part), file...), []int64{int64(len(part)), int64(len(file))})
	must(t, err)
	for name, c := range map[string]struct {
		file []byte
		page int
	}{"updated": {updated, 2}, "a part": {part, 1}, "the first of two": {merged, 1}, "the second of two": {merged, 3}} {
		ctx, err := api.ReadContext(bytes.NewReader(c.file), pdfparse.Configuration(""))
		must(t, err)
		must(t, ctx.EnsurePageCount())
		d, _, _, err := ctx.PageDict(c.page, false)
		must(t, err)
		if unit := fmt.Sprint(d["UserUnit"]); !strings.HasPrefix(unit, "2.5") {
			t.Errorf("%s: the unit is %s", name, unit)
		}
	}
}

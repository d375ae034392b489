package app

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pdfcpu "github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

const (
	inboxRead    = "inbox: a file was read"
	inboxNotRead = "inbox: a file was not read"
)

// put puts a file into a folder as a program does that thinks of others: by renaming it.
func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	check.OK(t, "MkdirAll", os.MkdirAll(filepath.Dir(path), 0o700))
	temp := filepath.Join(filepath.Dir(path), ".put")
	check.OK(t, "WriteFile", os.WriteFile(temp, data, 0o600))
	check.OK(t, "Rename", os.Rename(temp, path))
}

// filesIn are the paths of all that is below a folder and no folder.
func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	check.OK(t, "WalkDir", filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	}))
	slices.Sort(names)
	return names
}

// untilMoved waits until that many files were moved to done and failed.
func (s *server) untilMoved(done, failed int) {
	s.t.Helper()
	for line := range s.log.lines {
		switch {
		case strings.Contains(line, inboxRead):
			done--
		case strings.Contains(line, inboxNotRead):
			failed--
		}
		if done == 0 && failed == 0 {
			return
		}
	}
	s.t.Fatal("the server ended before")
}

func TestInbox(t *testing.T) {
	box := t.TempDir()
	s := start(t, t.TempDir(), "--inbox", box, "--inbox-interval", "100ms", "--max-upload", "300kB")
	page, lines, _ := drawn()
	ann, bob, admin := s.signUp("ann"), s.signUp("bob"), s.login("admin", adminPassword).client()
	me, err := bob.client().Me(t.Context())
	check.OK(t, "Me", err)
	_, err = admin.SetState(t.Context(), me.ID, "blocked", api.StateForm{})
	check.OK(t, "SetState", err)

	elsewhere := t.TempDir()
	put(t, elsewhere, "secret.png", page)
	check.OK(t, "Mkdir", os.Mkdir(filepath.Join(box, "ann"), 0o700))
	check.OK(t, "Symlink", os.Symlink(elsewhere, filepath.Join(box, "ann", "folder")))
	check.OK(t, "Symlink", os.Symlink(filepath.Join(elsewhere, "secret.png"), filepath.Join(box, "ann", "link.png")))
	check.OK(t, "Symlink", os.Symlink(elsewhere, filepath.Join(box, "bob2")))
	cp949 := "\xb9\xae\xbc\xad.png" // 문서.png
	stay := []string{"ann/.hidden.png", "ann/folder", "ann/half.png.part", "ann/link.png", "bob/page.png", "bob2", "nobody/page.png"}
	for _, name := range []string{"ann/.hidden.png", "ann/half.png.part", "bob/page.png", "nobody/page.png"} {
		put(t, box, name, page)
	}
	put(t, box, "ann/scan.png", page)
	put(t, box, "ann/invoices/2026/scan.png", page)
	put(t, box, "ann/"+cp949, page)
	put(t, box, "ann/broken.png", []byte("no image"))
	var locked bytes.Buffer
	check.OK(t, "Encrypt", pdfcpu.Encrypt(bytes.NewReader(porttest.PDF(porttest.PDFPage{})), &locked,
		model.NewAESConfiguration("secret", "owner", 256)))
	put(t, box, "ann/locked.pdf", locked.Bytes())
	put(t, box, "ann/big.png", make([]byte, 300_001))
	s.untilMoved(3, 3)
	want := slices.Concat(stay, []string{"ann/done/" + cp949, "ann/done/" + cp949 + ".txt", "ann/done/invoices/2026/scan.png",
		"ann/done/invoices/2026/scan.png.txt", "ann/done/scan.png", "ann/done/scan.png.txt", "ann/failed/big.png",
		"ann/failed/big.png.reason.txt", "ann/failed/broken.png", "ann/failed/broken.png.reason.txt", "ann/failed/locked.pdf",
		"ann/failed/locked.pdf.reason.txt"})
	slices.Sort(want)
	if d := cmp.Diff(want, filesIn(t, box)); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(box, "ann", name))
		check.OK(t, "ReadFile", err)
		return string(text)
	}
	for _, name := range []string{"done/scan.png.txt", "done/" + cp949 + ".txt"} {
		if text := read(name); !strings.Contains(text, lines[0]) {
			t.Errorf("%s has %q", name, text)
		}
	}
	if read("done/scan.png") != string(page) {
		t.Error("what was read is not what was put there")
	}
	for name, reason := range map[string]string{"big.png": "file_too_large", "broken.png": "unsupported", "locked.pdf": "pdf_encrypted"} {
		if text := read("failed/" + name + ".reason.txt"); !strings.Contains(text, reason) {
			t.Errorf("%s failed for %q", name, text)
		}
	}
	if got := ann.search("문서"); len(got) != 1 || got[0].Name != "문서.png" {
		t.Errorf("the name in CP949 is found as %+v", got)
	}

	// The same name once more, and over a limit.
	put(t, box, "ann/scan.png", page)
	s.untilMoved(1, 0)
	if read("done/scan (2).png.txt") != read("done/scan.png.txt") {
		t.Error("the second scan.png was read in another way")
	}
	who, err := ann.client().Me(t.Context())
	check.OK(t, "Me", err)
	_, err = admin.SetLimits(t.Context(), who.ID, api.LimitsForm{Images: api.ToLimit(4)})
	check.OK(t, "SetLimits", err)
	put(t, box, "ann/more.png", page)
	s.log.until("inbox: a file waits; trying again")
	read("more.png")
	_, err = admin.SetLimits(t.Context(), who.ID, api.LimitsForm{Images: api.ToDefault()})
	check.OK(t, "SetLimits", err)
	s.untilMoved(1, 0)
	read("done/more.png")
	if got := ann.search(""); len(got) != 5 {
		t.Errorf("%d images", len(got))
	}
}

// TestInboxSurvives kills the service again and again while it reads files of its inbox: each is uploaded once and read once.
func TestInboxSurvives(t *testing.T) {
	kills, files := 3, 6
	if check.Soak() {
		kills, files = 30, 100
	}
	box, dir := t.TempDir(), t.TempDir()
	page, lines, _ := drawn()
	c, cmd := spawn(t, dir)
	c.signUp("ann")
	kill(t, cmd)
	inbox := []string{"--inbox", box, "--inbox-interval", "100ms"}
	for n := range files {
		put(t, box, fmt.Sprintf("ann/page-%d.png", n), page)
		if (n+1)%(files/kills) != 0 {
			continue
		}
		cmd, log := spawnLogged(t, dir, inbox...) // which has files that are not read yet
		if rand.IntN(2) == 0 {
			log.until("inbox: a file is read")
		} else {
			log.until(inboxRead)
		}
		kill(t, cmd) // in the midst of another one, or at the end of all
	}
	s := start(t, dir, inbox...)
	for slices.ContainsFunc(filesIn(t, box), func(name string) bool { return !strings.HasPrefix(name, "ann/done/") }) {
		s.log.until(inboxRead) // which is told once a file is there and nowhere else
	}
	wantReadOnce(t, s.login("ann", password), box, files, lines[0])
}

// TestInboxOfSeveralNodes has two nodes watch one folder, of which one is killed in the midst.
func TestInboxOfSeveralNodes(t *testing.T) {
	box := t.TempDir()
	page, lines, _ := drawn()
	more := []string{"--database", mariadbtest.Database(t), "--mongodb", mongotest.URI(t), "--keys-file",
		file(t, command(t, "", "key", "new").want(t, exitOK, "").stdout), "--seal-file",
		file(t, "a secret of the nodes of this test, long enough"), "--inbox", box, "--inbox-interval", "100ms"}
	s := start(t, t.TempDir(), more...)
	ann := s.signUp("ann")
	cmd, log := spawnLogged(t, t.TempDir(), more...)
	log.until("listening")
	files, begun := 0, false
	for ; files < 8 || !begun; files++ { // until the other node has one of them; each file is a line in a log of either
		put(t, box, fmt.Sprintf("ann/page-%d.png", files), page)
		if files < 8 {
			continue
		}
		select {
		case line := <-log.lines:
			begun = strings.Contains(line, "inbox: a file is read")
		case <-s.log.lines:
		}
	}
	kill(t, cmd)
	for slices.ContainsFunc(filesIn(t, box), func(name string) bool { return !strings.HasPrefix(name, "ann/done/") }) {
		s.log.until(inboxRead)
	}
	wantReadOnce(t, ann, box, files, lines[0])
}

// wantReadOnce checks that each of so many files was uploaded once and read once, and that its text lies beside it.
func wantReadOnce(t *testing.T, ann person, box string, files int, line string) {
	t.Helper()
	images, err := ann.client().Images(t.Context(), api.ImageQuery{Page: api.Page{Size: 100}})
	check.OK(t, "Images", err)
	check.Same(t, "images", images.Total, files)
	for _, i := range images.Items {
		runs, err := ann.client().Runs(t.Context(), i.ID, 0)
		check.OK(t, "Runs", err)
		if len(runs) != 1 || !strings.Contains(runs[0].Contents[0].Text, line) {
			t.Errorf("image %d has %d runs", i.ID, len(runs))
		}
	}
	for n := range files {
		text, err := os.ReadFile(filepath.Join(box, "ann", "done", fmt.Sprintf("page-%d.png.txt", n)))
		if err != nil || !strings.Contains(string(text), line) {
			t.Errorf("file %d was read as %q, %v", n, text, err)
		}
	}
}

package app

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	api "glyphbox/client"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/sweep"
	"glyphbox/internal/porttest"
)

// leave leaves a blob and a content in the data directory as something does that broke off two hours ago.
func leave(t *testing.T, dir, contentID string) (blob string) {
	t.Helper()
	s, err := openStores(t.Context(), Config{DataDir: datadir.Dir(dir)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if blob, err = s.blobs.Put(t.Context(), strings.NewReader("bytes")); err != nil {
		t.Fatal(err)
	}
	if err := s.contents.Add(t.Context(), []recognition.Content{{ID: contentID, Revision: 1}}); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "blobs", blob[:2], blob), then, then); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "glyphbox.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE content_revision SET added = ? WHERE content_id = ?`, then.UTC().Format(time.DateTime),
		contentID); err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestSweepCommandBesideTheServer(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "--sweep-interval", "0")
	ann := s.signUp("ann")
	page, _, boxes := drawn()
	image := ann.upload("page.png", page)
	ann.call(http.StatusOK, "POST", path("/image/%d/ocr", image.ID), boxes[:1])
	blob := leave(t, dir, "left")

	const nothingLeft = "0 of 0 blobs are left over, removed 0; 0 of 0 contents are left over, removed 0; 0 of 0 deleted contents are " +
		"left over, removed 0; 0 of 0 idempotency keys are left over, removed 0; 0 of 0 ended jobs are left over, removed 0."
	command(t, "", "sweep", "--data-dir", dir, "--older-than", "59m").want(t, exitUsage, "at least 1h")
	command(t, "", "sweep", "--data-dir", dir, "--older-than", "3h").want(t, exitOK,
		"Orphans older than 3h0m0s, and what is kept for a limited time: "+nothingLeft)
	for _, args := range [][]string{{"--dry-run"}, {"--dry-run", "--older-than", "119m"}, {}} {
		r := command(t, "", append([]string{"sweep", "--data-dir", dir}, args...)...)
		r.want(t, exitOK, "blobs "+blob+"\n").want(t, exitOK, "contents left\n")
		if got := strings.Count(r.stdout, "\n"); got != 3 {
			t.Errorf("%q: %d lines, want one for each and one about all:\n%s", args, got, r.stdout)
		}
	}
	command(t, "", "sweep", "--data-dir", dir).want(t, exitOK,
		"Orphans older than 1h0m0s, and what is kept for a limited time: "+nothingLeft)
	if r := ann.do(http.StatusOK, "GET", path("/image/%d", image.ID), nil); !bytes.Equal(r.body, page) {
		t.Error("the image is not what it was")
	}
	ann.do(http.StatusOK, "GET", path("/image/%d/thumbnail", image.ID), nil)
	if runs := as[[]api.Run](t, ann.do(http.StatusOK, "GET", path("/image/%d/ocr", image.ID), nil)); len(runs) != 1 ||
		len(runs[0].Contents) != 1 {
		t.Errorf("runs %+v, want one with its content", runs)
	}
}

// With another database than the one that names them, all blobs look as if they were left over.
func TestSweepWithTheWrongDatabase(t *testing.T) {
	dir := t.TempDir()
	s, err := openStores(t.Context(), Config{DataDir: datadir.Dir(dir)})
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := s.blobs.Put(t.Context(), strings.NewReader("bytes")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-2 * time.Hour)
	files := 0
	count := func(do func(path string) error) {
		files = 0
		if err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files++
				err = do(path)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	count(func(path string) error { return os.Chtimes(path, then, then) })
	for _, more := range [][]string{{"--dry-run"}, nil} {
		command(t, "", append([]string{"sweep", "--data-dir", dir}, more...)...).want(t, exitFailure, "Of 30 blobs no row names 30.")
		if count(func(string) error { return nil }); files != 30 {
			t.Fatalf("%d blobs are left of 30", files)
		}
	}
	command(t, "", "sweep", "--data-dir", dir, "--force").want(t, exitOK, "30 of 30 blobs are left over, removed 30")
	if count(func(string) error { return nil }); files != 0 {
		t.Errorf("%d blobs are left, want none", files)
	}
}

func TestTheServiceSweeps(t *testing.T) {
	dir := t.TempDir()
	blob := leave(t, dir, "left")
	s := start(t, dir, "--sweep-interval", "1s")
	for range 2 {
		if entry := s.log.until("removed orphans"); entry["removed"] != 1.0 {
			t.Errorf("logged %v", entry)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "blobs", blob[:2], blob)); !os.IsNotExist(err) {
		t.Errorf("the blob: %v, want it gone", err)
	}
	for { // the count follows the log
		metrics := string(s.do(http.StatusOK, "GET", "/metrics", nil).body)
		if !strings.Contains(metrics, `glyphbox_swept_total{kind="blobs"} 1`) ||
			!strings.Contains(metrics, `glyphbox_swept_total{kind="contents"} 1`) ||
			!strings.Contains(metrics, `glyphbox_sweeps_total{result="failed"} 0`) {
			t.Fatalf("what was swept is not counted:\n%s", metrics)
		}
		if !strings.Contains(metrics, `glyphbox_sweeps_total{result="done"} 0`) {
			break
		}
	}
	s.stop()
	if code := s.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// The service goes on sweeping whatever becomes of one sweep. Time passes at once.
func TestKeepSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := porttest.NewFakes(t)
		s := &sweep.Sweeper{Now: time.Now, Kinds: []sweep.Kind{{Name: "contents", Old: f.Contents.Old, Named: f.Runs.Named,
			Delete: f.Contents.Delete}}}
		registry := prometheus.NewRegistry()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			keepSwept(ctx, s, 2*time.Hour, newSweepMetrics(registry, s.Kinds), slog.New(slog.NewTextHandler(io.Discard, nil)))
			close(ended)
		}()
		counts := func() (done, failed, refused, swept float64) {
			synctest.Wait()
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]float64{}
			for _, family := range families {
				for _, m := range family.GetMetric() {
					got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
				}
			}
			return got["done"], got["failed"], got["refused"], got["contents"]
		}
		want := func(what string, done, failed, refused, swept float64) {
			t.Helper()
			if a, b, c, d := counts(); a != done || b != failed || c != refused || d != swept {
				t.Errorf("%s: done %v, failed %v, refused %v, swept %v, want %v, %v, %v, %v", what, a, b, c, d, done, failed, refused,
					swept)
			}
		}
		time.Sleep(11 * time.Minute)
		want("at first", 0, 0, 0, 0)
		if err := f.Contents.Add(t.Context(), []recognition.Content{{ID: "left", Revision: 1}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(26 * time.Minute) // 36 at most
		want("after a while", 1, 0, 0, 0)
		f.Fail("Runs.Named", porttest.Before)
		time.Sleep(150 * time.Minute) // 90 to 150 minutes after the one before
		for done, _, _, swept := counts(); done < 2; done, _, _, swept = counts() {
			if swept > 0 {
				t.Fatal("something was removed although the rows were not seen")
			}
			time.Sleep(time.Minute)
		}
		want("after one that failed", 2, 1, 0, 1)
		var many []recognition.Content
		for n := range 21 {
			many = append(many, recognition.Content{ID: string(rune('a' + n)), Revision: 1})
		}
		if err := f.Contents.Add(t.Context(), many); err != nil {
			t.Fatal(err)
		}
		for _, _, refused, _ := counts(); refused == 0; _, _, refused, _ = counts() {
			time.Sleep(time.Minute)
		}
		if _, _, _, swept := counts(); swept != 1 {
			t.Errorf("swept %v although there is so much", swept)
		}
		stop()
		<-ended
	})
}

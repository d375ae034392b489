package sqlstore

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/mariadbtest"
)

// writerEnv makes the test binary a process that writes until it is killed.
const writerEnv = "SQLSTORE_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(path))
		os.Exit(1)
	}
	os.Exit(mariadbtest.Main(m))
}

// writeUntilKilled stores one image after the other, each with a run and a correction, and prints what it has been answered.
func writeUntilKilled(path string) error {
	ctx := context.Background()
	db, err := Open(ctx, path)
	if err != nil {
		return err
	}
	u, err := db.Users().Add(ctx, account.User{Name: "ann", Email: "ann@example.org", Created: created})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		i, err := addOne(ctx, db, someImage(u.ID, "a"))
		if err != nil {
			return err
		}
		fmt.Println("image", i.ID, 0)
		contents, ids := batch(n)
		if err := db.Contents().Add(ctx, contents); err != nil {
			return err
		}
		fmt.Println("contents", n, 1)
		r, err := db.Runs().Append(ctx, recognition.Run{ImageID: i.ID, User: account.Ref{ID: u.ID}, Created: created, ContentIDs: ids})
		if err != nil {
			return err
		}
		fmt.Println("run", i.ID, r.Version)
		next := contents[0]
		next.Revision = 2
		if err := db.Contents().Revise(ctx, next); err != nil {
			return err
		}
		fmt.Println("contents", n, 2)
	}
}

func batch(n int) (contents []recognition.Content, ids []string) {
	for k := range 50 {
		id := fmt.Sprintf("content%d-%d", n, k)
		contents, ids = append(contents, recognition.Content{ID: id, Revision: 1, Reading: recognition.Reading{Text: "text"}}),
			append(ids, id)
	}
	return contents, ids
}

func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "glyphbox.db")
	writer := exec.Command(os.Args[0])
	writer.Env = append(os.Environ(), writerEnv+"="+path)
	writer.Stderr = os.Stderr
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		what string
		id   int64
		n    int // version or revision
	}
	var answers []answer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var a answer
		if n, _ := fmt.Sscan(lines.Text(), &a.what, &a.id, &a.n); n == 3 {
			answers = append(answers, a)
		}
		if len(answers) == 203 {
			if err := writer.Process.Kill(); err != nil { // and read on what it had still been answered
				t.Fatal(err)
			}
		}
	}
	if err := writer.Wait(); err == nil || len(answers) < 203 {
		t.Fatalf("the process ended with %v after %d answers, want it killed after 203", err, len(answers))
	}

	db := openAt(t, path)
	if got, want := textOf(t, db.Read, `PRAGMA integrity_check`), []string{"ok"}; !slices.Equal(got, want) {
		t.Errorf("integrity: got %q, want %q", got, want)
	}
	for _, a := range answers {
		switch a.what {
		case "image":
			if _, err := db.Catalog().ByID(t.Context(), a.id); err != nil {
				t.Errorf("an answered image is lost: %v", err)
			}
		case "run":
			if r, err := db.Runs().ByVersion(t.Context(), a.id, a.n); err != nil || len(r.ContentIDs) != 50 {
				t.Errorf("an answered run is lost or lacks contents: %v", err)
			}
		case "contents":
			want, ids := batch(int(a.id))
			got, err := db.Contents().Get(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > 0 && got[0].Revision >= a.n { // it may have gone on to the next one
				want[0].Revision = got[0].Revision
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("answered contents are lost (-want +got):\n%s", d)
			}
		}
	}
	// What was not answered is there as a whole or not at all.
	if got := textOf(t, db.Read, `SELECT COUNT(*) FROM content_revision WHERE revision = 1 GROUP BY substr(content_id, 1, `+
		`instr(content_id, '-')) HAVING COUNT(*) <> 50`); len(got) != 0 {
		t.Errorf("batches in part, with so many contents: %q", got)
	}
}

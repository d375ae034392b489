package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "glyphbox/client"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

// startTogether starts that many nodes at the same moment, with no password set for the administrator.
func startTogether(t *testing.T, n int, more ...string) []*server {
	t.Helper()
	nodes := make([]*server, n)
	var starting sync.WaitGroup
	for i := range nodes {
		dir := t.TempDir()
		starting.Go(func() { nodes[i] = startWith(t, nil, dir, more...) })
	}
	starting.Wait()
	if slices.Contains(nodes, nil) {
		t.FailNow() // it has been said why
	}
	return nodes
}

// Two nodes on one MariaDB and one MongoDB are one service: it does not matter which of them is asked.
func TestSeveralNodes(t *testing.T) {
	stores := []string{"--database", mariadbtest.Database(t), "--mongodb", mongotest.URI(t)}
	keys := file(t, command(t, "", "key", "new").want(t, exitOK, "").stdout)
	if err := os.Chmod(keys, 0o444); err != nil { // as secrets are mounted
		t.Fatal(err)
	}
	nodes := startTogether(t, 2, append(stores, "--keys-file", keys)...)

	// Both found no administrator; one made it and showed the password.
	shown := nodes[0].stdout.String() + nodes[1].stdout.String()
	_, password, _ := strings.Cut(shown, "Password     ")
	if got := strings.Count(shown, "Password     "); got != 1 {
		t.Fatalf("the administrator's password is shown %d times:\n%s", got, shown)
	}
	admin := nodes[0].login("admin", strings.Fields(password)[0])
	on := func(c person, node int) person {
		c.base = nodes[node].base
		return c
	}
	on(admin, 1).do(http.StatusOK, "GET", path("/admin/user"), nil)

	ann := nodes[0].signUp("ann")
	page, lines, boxes := drawn()
	image := on(ann, 1).upload("page.png", page)
	if r := ann.do(http.StatusOK, "GET", path("/image/%d", image.ID), nil); !bytes.Equal(r.body, page) {
		t.Error("the other node has other bytes")
	}

	// Both append at the same time, and the versions have no gap.
	const each = 5
	ocr := path("/image/%d/ocr", image.ID)
	var reading sync.WaitGroup
	for i := range len(nodes) * each {
		reading.Go(func() {
			r, err := try(on(ann, i%len(nodes)).request("POST", ocr, strings.NewReader(
				fmt.Sprintf(`[{"x1": %d, "y1": %d, "x2": %d, "y2": %d}]`, boxes[0].X1, boxes[0].Y1, boxes[0].X2, boxes[0].Y2)),
				"Content-Type", "application/json"))
			if err != nil || r.StatusCode != http.StatusOK {
				t.Errorf("%v, %v: %s", err, r.Response, r.body)
			}
		})
	}
	reading.Wait()
	for i := range nodes {
		var got, want []int
		runs := as[[]api.Run](t, on(ann, i).do(http.StatusOK, "GET", ocr, nil))
		for n, run := range runs {
			got, want = append(got, run.Version), append(want, len(nodes)*each-n)
			if run.Contents[0].Text != lines[0] {
				t.Errorf("version %d says %q", run.Version, run.Contents[0].Text)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != len(nodes)*each {
			t.Errorf("node %d has the versions %v", i, got)
		}
	}

	// A correction, and one from the revision before it on the other node.
	first := as[[]api.Run](t, ann.do(http.StatusOK, "GET", ocr, nil))[0].Contents[0]
	content := path("/ocr/%s", first.ID)
	etag := ann.do(http.StatusOK, "GET", content, nil).Header.Get("ETag")
	ann.call(http.StatusOK, "PUT", content, object{"text": "corrected"}, "If-Match", etag)
	on(ann, 1).call(http.StatusPreconditionFailed, "PUT", content, object{"text": "too late"}, "If-Match", etag)
	if c := as[api.Content](t, on(ann, 1).do(http.StatusOK, "GET", content, nil)); c.Text != "corrected" {
		t.Errorf("the other node has %q", c.Text)
	}

	// A session can be renewed and ended on any node, and a blocked user is blocked on all, from the next request on.
	other := nodes[0].person
	renewed := other
	renewed.token = as[api.Grant](t, on(other, 1).call(http.StatusOK, "POST", path("/user/token"),
		object{"refresh_token": other.grant("ann", "correct-horse-9").RefreshToken})).AccessToken
	renewed.do(http.StatusNoContent, "POST", path("/user/logout"), nil)
	on(renewed, 1).do(http.StatusUnauthorized, "GET", path("/user/me"), nil)
	id := as[struct{ ID int64 }](t, ann.do(http.StatusOK, "GET", path("/user/me"), nil)).ID
	admin.call(http.StatusOK, "PUT", path("/admin/user/%d/state/blocked", id), object{"detail": "for a test"})
	on(ann, 1).do(http.StatusForbidden, "GET", path("/user/me"), nil)

	// A node with keys of its own is no part of it.
	stranger := start(t, t.TempDir(), stores...)
	admin.base = stranger.base
	admin.do(http.StatusUnauthorized, "GET", path("/user/me"), nil)
}

func TestKeysForSeveralNodes(t *testing.T) {
	first := command(t, "", "key", "new").want(t, exitOK, "# The keys").stdout
	path := file(t, first)
	second := command(t, "", "key", "new", "--keys-file", path).want(t, exitOK, "").stdout
	lines := func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n")[1:] }
	if got := lines(second); len(got) != 2 || got[0] == lines(first)[0] || got[1] != lines(first)[0] {
		t.Errorf("a new key and the one that signed until now are wanted:\n%s", second)
	}
	if got := lines(command(t, "", "key", "new", "--keys-file", file(t, second)).stdout); len(got) != 2 || got[1] != lines(second)[0] {
		t.Errorf("the oldest key is still there: %v", got)
	}

	// They are not those in the data directory, which the commands leave alone.
	dir := t.TempDir()
	command(t, "", "key", "rotate", "--data-dir", dir, "--keys-file", path).want(t, exitUsage, "glyphbox key new")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("made in the data directory: %v, %v", entries, err)
	}
	secret := strings.Fields(lines(first)[0])[1]
	for _, text := range []string{"", "no key at all\n", first + first} {
		if r := command(t, "", "config", "--keys-file", file(t, text)).want(t, exitUsage, "keys ("); strings.Contains(r.stderr, secret) {
			t.Errorf("a key is told:\n%s", r.stderr)
		}
	}
}

// Nodes that start for the first time at once make one administrator, and none of them finds that anything is wrong.
func TestFirstStartsAtOnce(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), mariadbtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const nodes = 4
	var shown, logged [nodes]bytes.Buffer
	var starting sync.WaitGroup
	for i := range nodes {
		starting.Go(func() {
			accounts := newAccounts(Config{}, db, nil)
			log := slog.New(slog.NewTextHandler(&logged[i], nil))
			if err := (Process{Stdout: &shown[i]}).firstStart(t.Context(), Config{}, accounts, "127.0.0.1:1", log); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	count := 0
	for i := range nodes {
		count += strings.Count(shown[i].String(), "Password")
		if logged[i].Len() > 0 {
			t.Errorf("%s", &logged[i])
		}
	}
	if count != 1 {
		t.Errorf("a password is shown %d times", count)
	}
}

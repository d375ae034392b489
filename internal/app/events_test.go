package app

import (
	"bufio"
	"net/http"
	"os"
	"strings"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/porttest/mariadbtest"
)

// Two nodes on one database tell one another what happens to an image, and a stream goes on at either of them.
func TestEventsOfAnImageOnTwoNodes(t *testing.T) {
	keys := file(t, command(t, "", "key", "new").want(t, exitOK, "").stdout)
	if err := os.Chmod(keys, 0o444); err != nil {
		t.Fatal(err)
	}
	nodes := startTogether(t, 2, "--database", mariadbtest.Database(t), "--keys-file", keys)
	ann := nodes[0].signUp("ann")
	page, _, boxes := drawn()
	image := ann.upload("page.png", page)
	there := ann
	there.base = nodes[1].base

	follow := func(c person, after string) (next func() (event, id string)) {
		t.Helper()
		header := http.Header{}
		if after != "" {
			header.Set("Last-Event-ID", after)
		}
		r, err := c.client().Do(t.Context(), http.MethodGet, path("/image/%d/events", image.ID), header, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Body.Close() })
		lines := bufio.NewScanner(r.Body)
		return func() (event, id string) {
			for lines.Scan() {
				name, value, _ := strings.Cut(lines.Text(), ": ")
				switch {
				case name == "id":
					id = value
				case name == "event":
					event = value
				case name == "" && event != "" && event != "presence" && event != "image":
					return event, id
				case name == "":
					event = ""
				}
			}
			t.Fatal("the stream has ended")
			return "", ""
		}
	}
	next := follow(there, "")
	content := as[[]api.Content](t, ann.call(http.StatusOK, "POST", path("/image/%d/ocr", image.ID), boxes[:1]))[0]
	event, id := next()
	if event != "run" {
		t.Fatalf("got the event %s of a run", event)
	}
	ann.call(http.StatusOK, "PUT", path("/ocr/%s", content.ID), object{"text": "corrected"})
	for at, next := range map[string]func() (string, string){"the open stream": next, "the other node": follow(ann, id)} {
		if event, _ := next(); event != "content" {
			t.Errorf("%s: got the event %s of a correction", at, event)
		}
	}
}

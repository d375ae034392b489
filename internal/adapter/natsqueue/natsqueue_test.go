package natsqueue

import (
	"os"
	"path/filepath"
	"testing"

	"glyphbox/internal/domain/job"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

func open(t *testing.T, o Options) *Queue {
	t.Helper()
	q, err := Open(t.Context(), o)
	check.OK(t, "Open", err)
	t.Cleanup(func() { check.OK(t, "Close", q.Close()) })
	return q
}

func TestEmbedded(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, q job.Queue){
		"the folder is deleted": func(t *testing.T, q job.Queue) {
			check.OK(t, "Rename", os.Rename(q.(*Queue).options.Dir, filepath.Join(t.TempDir(), "queue")))
		},
		"the stream is deleted": func(t *testing.T, q job.Queue) {
			check.OK(t, "DeleteStream", q.(*Queue).stream.DeleteStream(t.Context(), streamName))
		},
	} {
		t.Run(name, func(t *testing.T) {
			porttest.Queue(t, func(t *testing.T) job.Queue { return open(t, Options{Dir: filepath.Join(t.TempDir(), "queue")}) }, lose)
		})
	}
}

// TestItSurvives closes a queue and opens it again: what was put is there, and so is what was taken and not taken out.
func TestItSurvives(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "queue")
	q, err := Open(t.Context(), Options{Dir: dir})
	check.OK(t, "Open", err)
	check.OK(t, "Put", q.Put(t.Context(), []string{"a-000001", "a-000002"}))
	_, _, err = q.Take(t.Context())
	check.OK(t, "Take", err)
	check.OK(t, "Close", q.Close())
	n, err := open(t, Options{Dir: dir}).Waiting(t.Context())
	check.OK(t, "Waiting", err)
	check.Same(t, "waiting", n, 2)
}

// TestABrokenFolderIsMadeAnew opens a folder that is a file.
func TestABrokenFolderIsMadeAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "queue")
	check.OK(t, "WriteFile", os.WriteFile(dir, []byte("no folder"), 0o600))
	q := open(t, Options{Dir: dir})
	check.OK(t, "Put", q.Put(t.Context(), []string{"a-000001"}))
}

func TestCheckURLs(t *testing.T) {
	for urls, ok := range map[string]bool{"nats://a": true, "nats://u:p@a:4222,tls://b:4222": true, "": false, "a:4222": false,
		"http://a": false, "nats://a,": false} {
		if err := CheckURLs(urls); (err == nil) != ok {
			t.Errorf("%q: %v", urls, err)
		}
	}
}

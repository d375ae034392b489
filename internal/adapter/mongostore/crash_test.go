package mongostore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mongotest"
)

// answered is what a client was told to be there.
type answered struct {
	ids   []string
	blobs map[string][]byte
}

// write adds contents and puts blobs without end, and hands on what comes of each.
func write(t *testing.T, s *Store, client int, stop <-chan struct{}, results chan<- error) (a answered) {
	a.blobs = map[string][]byte{}
	for n := 0; ; n++ {
		select {
		case <-stop:
			return a
		default:
		}
		ids := []string{fmt.Sprintf("c%d-%d-a", client, n), fmt.Sprintf("c%d-%d-b", client, n)}
		err := s.Contents().Add(t.Context(), []recognition.Content{someContent(ids[0]), someContent(ids[1])})
		if err == nil {
			a.ids = append(a.ids, ids...)
		}
		if err == nil && n%8 == 0 {
			var name string
			data := bytes.Repeat([]byte(ids[0]), 50_000)
			if name, err = s.Blobs().Put(t.Context(), bytes.NewReader(data)); err == nil {
				a.blobs[name] = data
			}
		}
		if f := fault.Of(err); f != nil && (f.Kind != fault.Unavailable || f.RetryAfter <= 0) {
			t.Errorf("got error %v, want Unavailable with RetryAfter", err)
		}
		results <- err
	}
}

// TestServerKilledUnderLoad kills the server and starts it again while clients write and one reads.
func TestServerKilledUnderLoad(t *testing.T) {
	server := mongotest.Start(t)
	s := openAt(t, server.URI())
	const clients = 4
	blob := make([]byte, 12*chunkSize)
	for i := range blob {
		blob[i] = byte(rand.Uint32())
	}
	name, err := s.Blobs().Put(t.Context(), bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := s.Blobs().Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	first := make([]byte, chunkSize)
	if _, err := io.ReadFull(reader, first); err != nil {
		t.Fatal(err)
	}

	stop, results := make(chan struct{}), make(chan error)
	wrote := make([]answered, clients)
	var writers sync.WaitGroup
	for i := range clients {
		writers.Go(func() { wrote[i] = write(t, s, i, stop, results) })
	}
	// until reads results until as many in a row have gone well, or badly.
	until := func(well bool, n int) {
		for row := 0; row < n; {
			if row++; (<-results == nil) != well {
				row = 0
			}
		}
	}
	for range 2 {
		until(true, 20)
		server.Kill()
		until(false, clients)
		if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("Ping: got error %v, want Unavailable", err)
		}
		server.Restart(t)
		until(true, 20)
	}
	close(stop)
	go func() { writers.Wait(); close(results) }()
	for range results {
	}

	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	rest, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(append(first, rest...), blob) {
		t.Errorf("a blob that was being read came to %d of %d bytes, or to others (%v)", len(first)+len(rest), len(blob), err)
	}
	for _, a := range wrote {
		got, err := s.Contents().Get(t.Context(), a.ids)
		if err != nil || len(got) != len(a.ids) {
			t.Errorf("got %d of %d answered contents (%v)", len(got), len(a.ids), err)
		}
		for name, want := range a.blobs {
			r, err := s.Blobs().Open(t.Context(), name)
			if err != nil {
				t.Errorf("an answered blob is lost: %v", err)
				continue
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("an answered blob has other bytes (%v)", err)
			}
			r.Close()
		}
	}
}

// A server that hangs does not say that it is away; the driver's heartbeat finds out, for all who wait for it.
func TestServerHangs(t *testing.T) {
	server := mongotest.Start(t)
	s := openAt(t, server.URI())
	if err := s.Contents().Add(t.Context(), []recognition.Content{someContent("a")}); err != nil {
		t.Fatal(err)
	}
	server.Freeze(t)
	for range 2 { // the second time it is known
		_, err := s.Contents().Get(t.Context(), []string{"a"})
		if f := fault.Of(err); f == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
			t.Errorf("got error %v, want Unavailable with RetryAfter", err)
		}
	}
	server.Thaw(t)
	var err error
	for range 10 {
		var got []recognition.Content
		if got, err = s.Contents().Get(t.Context(), []string{"a"}); err == nil && len(got) == 1 {
			return
		}
	}
	t.Errorf("it goes on, and is still away: %v", err)
}

// stepsEnv makes TestStepsThatAreKilled do its steps and kill itself at one: "<URI> <number> <before or after>".
const stepsEnv = "MONGOSTORE_TEST_STEPS"

// TestStepsThatAreKilled is the process that TestKilledBetweenCommands kills. It tells each command that it sends and each answer that it
// has.
func TestStepsThatAreKilled(t *testing.T) {
	var uri, when string
	var n int
	if fields, _ := fmt.Sscan(os.Getenv(stepsEnv), &uri, &n, &when); fields != 3 {
		t.Skip("TestKilledBetweenCommands runs this")
	}
	sent := -2 // two make the indexes
	die := func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	s, err := connect(t.Context(), uri, &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.CommandName == "ping" || e.CommandName == "endSessions" {
				return
			}
			if sent++; sent > 0 {
				fmt.Println("command", e.CommandName)
			}
			if sent == n && when == "before" {
				die()
			}
		},
		Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) {
			if sent == n && when == "after" {
				die()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done := func(what string, err error) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(what)
	}
	blob, err := s.Blobs().Put(t.Context(), io.LimitReader(zeros{}, 2*chunksAtOnce*chunkSize+1))
	done("put "+blob, err)
	first, second := someContent("a"), someContent("b")
	done("added 1", s.Contents().Add(t.Context(), []recognition.Content{first, second}))
	first.Revision = 2
	done("added 2", s.Contents().Revise(t.Context(), first))
	done("deleting content", nil)
	done("deleted content", s.Contents().Delete(t.Context(), []string{"a", "b"}))
	done("deleting blob", nil)
	done("deleted blob", s.Blobs().Delete(t.Context(), blob))
}

// killedSteps returns what the steps told until they were killed, or ended where n is 0.
func killedSteps(t *testing.T, uri string, n int, when string) (commands []string, told map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestStepsThatAreKilled$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", stepsEnv, uri, n, when))
	out, err := cmd.Output()
	if killed := cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL; killed != (n > 0) || !killed && err != nil {
		t.Fatalf("the steps ended with %v:\n%s", err, out)
	}
	told = map[string]string{}
	for line := range strings.Lines(string(out)) {
		switch what, which, _ := strings.Cut(strings.TrimSpace(line), " "); what {
		case "command":
			commands = append(commands, which)
		case "put", "added":
			told[what] = which
		case "deleting", "deleted":
			told[what+" "+which] = which
		}
	}
	return commands, told
}

// TestKilledBetweenCommands kills a process before and after each command that it sends. What it was answered is there, and nothing is
// there in part but for who looks for leftovers, who finds and removes all of them.
func TestKilledBetweenCommands(t *testing.T) {
	commands, _ := killedSteps(t, mongotest.URI(t), 0, "never")
	if want := []string{"insert", "insert", "insert", "insert", "insert", "find", "insert", "find", "delete", "find", "delete", "delete",
		"delete"}; !slices.Equal(commands, want) {
		t.Fatalf("commands: got %q, want %q", commands, want)
	}
	for n, command := range commands {
		for _, when := range []string{"before", "after"} { // before a command is also after the one before it
			if when == "after" && n < len(commands)-1 && !check.Soak() {
				continue
			}
			t.Run(fmt.Sprintf("%s %02d %s", when, n+1, command), func(t *testing.T) {
				uri := mongotest.URI(t)
				_, told := killedSteps(t, uri, n+1, when)
				s := openAt(t, uri)
				defer s.db.Drop(context.Background())

				var kept []string
				if name := told["put"]; name != "" && told["deleting blob"] == "" {
					kept = append(kept, name)
				}
				blobs := oldOf(t, s.Blobs().Old(t.Context(), time.Now().Add(time.Hour)))
				for _, name := range append(blobs, kept...) {
					r, err := s.Blobs().Open(t.Context(), name)
					if err != nil {
						if slices.Contains(kept, name) || !fault.Is(err, fault.NotFound) {
							t.Errorf("blob %s: %v", name, err)
						}
						continue
					}
					if size, err := io.Copy(io.Discard, r); size != 2*chunksAtOnce*chunkSize+1 || err != nil {
						t.Errorf("blob %s is there with %d bytes, %v", name, size, err)
					}
					r.Close()
					if told["deleted blob"] != "" {
						t.Error("a blob that was deleted is there")
					}
				}
				got, err := s.Contents().Get(t.Context(), []string{"a", "b"})
				switch {
				case err != nil:
					t.Error(err)
				case told["deleted content"] != "" && len(got) > 0:
					t.Errorf("contents that were deleted are there: %v", got)
				case told["added"] != "" && told["deleting content"] == "" &&
					(len(got) != 2 || fmt.Sprint(got[0].Revision) < told["added"]):
					t.Errorf("got %v, want two contents, the first at least at revision %s", got, told["added"])
				}

				for _, name := range blobs {
					if !slices.Contains(kept, name) {
						if err := s.Blobs().Delete(t.Context(), name); err != nil {
							t.Error(err)
						}
					}
				}
				if err := s.Contents().Delete(t.Context(), oldOf(t, s.Contents().Old(t.Context(), time.Now().Add(time.Hour)))); err != nil {
					t.Error(err)
				}
				wantKeys(t, s)
				if files, chunks := count(t, s); files != int64(len(kept)) || chunks != int64(len(kept))*(2*chunksAtOnce+1) {
					t.Errorf("%d files and %d chunks are left of %d blobs", files, chunks, len(kept))
				}
			})
		}
	}
}

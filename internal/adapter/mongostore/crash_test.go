package mongostore

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
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
		began := time.Now()
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
		if took := time.Since(began); err != nil && took > 2*selectionTimeout {
			t.Errorf("it took %v to tell that the server is away", took)
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
	server.Signal(t, syscall.SIGSTOP)
	for _, limit := range []time.Duration{heartbeat + 3*selectionTimeout, 2 * selectionTimeout} { // by then it is known
		began := time.Now()
		_, err := s.Contents().Get(t.Context(), []string{"a"})
		if f := fault.Of(err); f == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
			t.Errorf("got error %v, want Unavailable with RetryAfter", err)
		}
		if took := time.Since(began); took > limit {
			t.Errorf("it took %v, want at most %v", took, limit)
		}
	}
	server.Signal(t, syscall.SIGCONT)
	var err error
	for range 10 {
		var got []recognition.Content
		if got, err = s.Contents().Get(t.Context(), []string{"a"}); err == nil && len(got) == 1 {
			return
		}
	}
	t.Errorf("it goes on, and is still away: %v", err)
}

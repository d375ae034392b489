package mongostore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mongotest"
	"glyphbox/internal/transfer"
)

func openAt(t testing.TB, uri string) *Store {
	t.Helper()
	s, err := Open(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// open opens a database of its own, which is dropped when the test ends.
func open(t testing.TB) *Store {
	t.Helper()
	s := openAt(t, mongotest.URI(t))
	t.Cleanup(func() {
		if err := s.db.Drop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContents(t *testing.T) {
	porttest.Contents(t, func(t *testing.T) recognition.Contents { return open(t).Contents() })
}

// A round trip names the contents of few runs, so that a server that compares each document with each range answers in time, and those of
// a run together.
func TestIDsOfARoundTrip(t *testing.T) {
	var ids []string
	for run := range 250 {
		ids = append(ids, fmt.Sprintf("run%03d-1", run), fmt.Sprintf("run%03d-2", run), "no:id")
	}
	for n := range 3000 {
		ids = append(ids, fmt.Sprintf("large-%04d", n))
	}
	var all []string
	var ranges []int
	for part := range possibleIDs(ids) {
		all, ranges = append(all, part...), append(ranges, len(together(part)))
	}
	check.Same(t, "ranges of each", ranges, []int{1, 100, 100, 50})
	want := slices.DeleteFunc(slices.Sorted(slices.Values(ids)), func(id string) bool { return id == "no:id" })
	check.Same(t, "all", all, want)
	for range possibleIDs(ids) {
		break
	}
	for part := range possibleIDs([]string{"no:id"}) {
		t.Errorf("%v is looked for", part)
	}
}

func TestMoved(t *testing.T) {
	porttest.MovedBlobs(t, func(t *testing.T) transfer.Blobs { return open(t).Blobs() })
	porttest.MovedContents(t, func(t *testing.T) transfer.Contents { return open(t).Contents() })
}

// heapLimit is what this process may hold while blobs, one of at least 50 MiB among them, come and go.
const heapLimit = 32 << 20

func TestBlobs(t *testing.T) {
	var heap heapMeter
	porttest.Blobs(t, func(t *testing.T) document.Blobs { return meteredBlobs{open(t).Blobs(), &heap} })
	if got := heap.peak.Load(); got > heapLimit {
		t.Errorf("got %d MiB of heap, want at most %d", got>>20, heapLimit>>20)
	}
	looks := int64(20)
	if check.Soak() { // the blob is twice as large
		looks = 40
	}
	if heap.looks.Load() < looks {
		t.Errorf("the heap was looked at %d times only", heap.looks.Load())
	}
}

// heapMeter looks at the heap every 4 MiB of a stream.
type heapMeter struct {
	peak  atomic.Uint64
	looks atomic.Int64
}

func (m *heapMeter) look() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.peak.Store(max(m.peak.Load(), stats.HeapAlloc))
	m.looks.Add(1)
}

// meteredBlobs looks at the heap while bytes pass in either direction.
type meteredBlobs struct {
	document.Blobs
	heap *heapMeter
}

func (b meteredBlobs) Put(ctx context.Context, r io.Reader) (string, error) {
	return b.Blobs.Put(ctx, &meteredReader{Reader: r, heap: b.heap})
}

func (b meteredBlobs) Open(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	r, err := b.Blobs.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Seeker
		io.Closer
	}{&meteredReader{Reader: r, heap: b.heap}, r, r}, nil
}

type meteredReader struct {
	io.Reader
	heap  *heapMeter
	since int
}

func (r *meteredReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.since += n; r.since >= 4<<20 {
		r.heap.look()
		r.since = 0
	}
	return n, err
}

func someContent(id string) recognition.Content {
	return recognition.Content{ID: id, Name: "total", Revision: 1, Reading: recognition.Reading{Text: "한글 " + id}}
}

// keys returns the _id of all documents of content_revision, sorted.
func keys(t *testing.T, s *Store) (keys []string) {
	t.Helper()
	var documents []struct {
		ID string `bson:"_id"`
	}
	cursor, err := s.Contents().revisions.Find(t.Context(), bson.D{})
	if err == nil {
		err = cursor.All(t.Context(), &documents)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		keys = append(keys, d.ID)
	}
	return keys
}

func wantKeys(t *testing.T, s *Store, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, keys(t, s)); d != "" {
		t.Errorf("documents (-want +got):\n%s", d)
	}
}

func TestFailedAddLeavesNoDocument(t *testing.T) {
	s := open(t)
	contents := s.Contents()
	if err := contents.Add(t.Context(), []recognition.Content{someContent("m")}); err != nil {
		t.Fatal(err)
	}
	for _, batch := range [][]recognition.Content{
		{someContent("a"), someContent("m"), someContent("z")},
		{someContent("z"), someContent("b"), someContent("m"), someContent("a")},
		{someContent("b"), someContent("b")},
	} {
		if err := contents.Add(t.Context(), batch); !fault.Is(err, fault.Conflict) {
			t.Errorf("got error %v, want Conflict", err)
		}
		wantKeys(t, s, "m:1")
	}
	if err := contents.Add(t.Context(), []recognition.Content{someContent("a"), someContent("b:1")}); err == nil {
		t.Error("got no error for an ID with a colon")
	}
	wantKeys(t, s, "m:1")
}

// A deletion that met a revision, or a crash, may leave revisions without a first one. They are not there for anybody.
func TestLeftoverRevisionIsNotSeen(t *testing.T) {
	s := open(t)
	contents := s.Contents()
	left := someContent("a")
	left.Revision = 2
	if _, err := contents.revisions.InsertOne(t.Context(), newRevision(left)); err != nil {
		t.Fatal(err)
	}
	if got, err := contents.Get(t.Context(), []string{"a"}); err != nil || len(got) != 0 {
		t.Errorf("Get: got %v, %v, want none", got, err)
	}
	if _, err := contents.Revisions(t.Context(), "a"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Revisions: got error %v, want NotFound", err)
	}
	next := left
	next.Revision = 3
	if err := contents.Revise(t.Context(), next); !fault.Is(err, fault.NotFound) {
		t.Errorf("Revise: got error %v, want NotFound", err)
	}
	if err := contents.undoIfDeleted(t.Context(), newRevision(left)); !fault.Is(err, fault.NotFound) {
		t.Errorf("after a deletion meanwhile: got error %v, want NotFound", err)
	}
	wantKeys(t, s)
}

func TestDeletionsMeetRevisions(t *testing.T) {
	s := open(t)
	contents := s.Contents()
	for n := range 20 {
		c := someContent(fmt.Sprintf("c%02d", n))
		if err := contents.Add(t.Context(), []recognition.Content{c}); err != nil {
			t.Fatal(err)
		}
		next := c
		next.Revision = 2
		var both sync.WaitGroup
		both.Go(func() {
			if err := contents.Revise(t.Context(), next); err != nil && !fault.Is(err, fault.NotFound) {
				t.Errorf("Revise: %v", err)
			}
		})
		both.Go(func() {
			if err := contents.Delete(t.Context(), []string{c.ID}); err != nil {
				t.Errorf("Delete: %v", err)
			}
		})
		both.Wait()
	}
	wantKeys(t, s)
}

// TestRoundTrips counts the commands of a run of 500 regions, all of them corrected once.
func TestRoundTrips(t *testing.T) {
	var sent []string
	s, err := connect(t.Context(), mongotest.URI(t), &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		sent = append(sent, e.CommandName)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	contents := s.Contents()
	var ids []string
	var first, second []recognition.Content
	for n := range 500 {
		c := someContent(fmt.Sprintf("run-%03d", n))
		ids, first = append(ids, c.ID), append(first, c)
		c.Revision, c.Text = 2, "corrected"
		second = append(second, c)
	}
	want := func(what string, err error, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, sent); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, d)
		}
		sent = nil
	}
	sent = nil
	want("Add", contents.Add(t.Context(), first), "insert")
	want("Add again", contents.Add(t.Context(), second), "insert") // in the place of 500 times Revise
	got, err := contents.Get(t.Context(), ids)
	want("Get", err, "find")
	if d := cmp.Diff(second, got); d != "" {
		t.Errorf("Get (-want +got):\n%s", d)
	}
	want("Revise", contents.Revise(t.Context(), recognition.Content{ID: ids[0], Revision: 3}), "find", "insert", "find")
	want("Delete", contents.Delete(t.Context(), ids), "delete", "find", "delete") // the first revisions, and then all others that are there
	if err := s.db.Drop(t.Context()); err != nil {
		t.Error(err)
	}
}

func count(t *testing.T, s *Store) (files, chunks int64) {
	t.Helper()
	files, err := s.Blobs().files.CountDocuments(t.Context(), bson.D{})
	if err == nil {
		chunks, err = s.Blobs().chunks.CountDocuments(t.Context(), bson.D{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return files, chunks
}

func TestFailedPutLeavesNoChunk(t *testing.T) {
	s := open(t)
	gone, cancel := context.WithCancel(t.Context())
	broken := errors.New("broken line")
	for _, c := range []struct {
		name string
		ctx  context.Context
		last func([]byte) (int, error)
		want error
	}{
		{"reader fails", t.Context(), func([]byte) (int, error) { return 0, broken }, broken},
		{"caller goes away", gone, func([]byte) (int, error) { cancel(); return 1, nil }, context.Canceled},
	} {
		r := io.MultiReader(io.LimitReader(zeros{}, 2<<20), readerFunc(c.last))
		if _, err := s.Blobs().Put(c.ctx, r); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", c.name, err, c.want)
		}
		if files, chunks := count(t, s); files != 0 || chunks != 0 {
			t.Errorf("%s: %d files and %d chunks are left", c.name, files, chunks)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// oldOf returns all that an Old gives.
func oldOf(t *testing.T, old iter.Seq2[string, error]) (names []string) {
	t.Helper()
	for name, err := range old {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// Chunks without a file are old when all of them are, since a Put may be under way, and when a file is not: several thousand names are gone
// through.
func TestOldParts(t *testing.T) {
	s := open(t)
	blobs := s.Blobs()
	then := time.Now().Add(-2 * time.Hour)
	old, young := bson.NewObjectIDFromTimestamp(then), bson.NewObjectID()
	var files []file
	var chunks []chunk
	var want []string
	nameOf := func(n int) string {
		return "blob" + strings.Map(func(digit rune) rune { return digit - '0' + 'a' }, fmt.Sprintf("%022d", n))
	}
	for n := range 2*pageSize + 5 {
		name := nameOf(n)
		switch {
		case n%100 == 7: // in part
		case n%2 == 0: // whole and old
			files = append(files, file{ID: name, Uploaded: then})
			want = append(want, name)
		default: // whole and new, though its chunks are not
			files = append(files, file{ID: name, Uploaded: time.Now()})
		}
		chunks = append(chunks, chunk{ID: bson.NewObjectIDFromTimestamp(then), File: name})
	}
	chunks = append(chunks, chunk{ID: young, File: nameOf(7), N: 1}) // on its way
	chunks = append(chunks, chunk{ID: old, File: nameOf(107), N: 1})
	for n := 107; n < 2*pageSize+5; n += 100 {
		want = append(want, nameOf(n))
	}
	files = append(files, file{ID: "somebody else's", Uploaded: then})
	chunks = append(chunks, chunk{ID: bson.NewObjectIDFromTimestamp(then), File: "of nobody"})
	_, err := blobs.files.InsertMany(t.Context(), files)
	if err == nil {
		_, err = blobs.chunks.InsertMany(t.Context(), chunks)
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, oldOf(t, blobs.Old(t.Context(), time.Now().Add(-time.Hour)))); d != "" {
		t.Errorf("old ones (-want +got):\n%s", d)
	}
}

// A revision without a first one is as old as it is itself.
func TestOldLeftoverRevision(t *testing.T) {
	s := open(t)
	contents := s.Contents()
	left := someContent("b")
	left.Revision = 3
	if _, err := contents.revisions.InsertOne(t.Context(), newRevision(left)); err != nil {
		t.Fatal(err)
	}
	if err := contents.Add(t.Context(), []recognition.Content{someContent("a"), someContent("c")}); err != nil {
		t.Fatal(err)
	}
	if got, want := oldOf(t, contents.Old(t.Context(), time.Now().Add(time.Hour))), []string{"a", "b", "c"}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := contents.Delete(t.Context(), []string{"b"}); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, s, "a:1", "c:1")
}

// What a crash leaves amid Put or Delete are chunks without a file.
func TestChunksWithoutFile(t *testing.T) {
	s := open(t)
	blobs := s.Blobs()
	name, err := blobs.Put(t.Context(), strings.NewReader("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.files.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: name}}); err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Open(t.Context(), name); !fault.Is(err, fault.NotFound) {
		t.Errorf("Open: got error %v, want NotFound", err)
	}
	if err := blobs.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if _, chunks := count(t, s); chunks != 0 {
		t.Errorf("%d chunks are left", chunks)
	}
}

func TestBlobWithAChunkLostFails(t *testing.T) {
	s := open(t)
	blobs := s.Blobs()
	name, err := blobs.Put(t.Context(), io.LimitReader(zeros{}, 3*chunkSize))
	if err != nil {
		t.Fatal(err)
	}
	for n := 2; n >= 1; n-- { // the last one, then that in the middle
		if _, err := blobs.chunks.DeleteOne(t.Context(), bson.D{{Key: "files_id", Value: name}, {Key: "n", Value: n}}); err != nil {
			t.Fatal(err)
		}
		r, err := blobs.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if len(got) != n*chunkSize || !fault.Is(err, fault.NotFound) {
			t.Errorf("got %d bytes and error %v, want %d and NotFound", len(got), err, n*chunkSize)
		}
		r.Close()
	}
}

func TestSeveralNodesOpenAtOnce(t *testing.T) {
	uri := mongotest.URI(t)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			s, err := Open(t.Context(), uri)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Blobs().Put(t.Context(), strings.NewReader("bytes")); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := openAt(t, uri)
	for _, want := range []struct {
		collection *mongo.Collection
		name       string
		unique     bool
	}{{s.Blobs().chunks, "files_id_1_n_1", true}, {s.Contents().revisions, "_id_1_added_1", false}} {
		indexes, err := want.collection.Indexes().ListSpecifications(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(indexes) != 2 || indexes[1].Name != want.name || (indexes[1].Unique != nil && *indexes[1].Unique) != want.unique {
			t.Errorf("got indexes %+v, want that of _id and %s", indexes, want.name)
		}
	}
	if err := s.db.Drop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestURI(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://localhost/glyphbox":                               "glyphbox",
		"mongodb://ann:p%40ss@a:1,b:2/pages?replicaSet=rs0&tls=true": "pages",
		"mongodb+srv://cluster.example.org/x":                        "x",
		"mongodb://localhost":                                        "",
		"mongodb://localhost/":                                       "",
		"mongodb://localhost/?tls=true":                              "",
		"mongodb://localhost/a.b":                                    "",
		"mysql://localhost/glyphbox":                                 "",
		"":                                                           "",
	} {
		got, err := database(uri)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", uri, got, err, want)
		}
	}
	for _, uri := range []string{"mongodb://ann:secret@@host:1/x", "mongodb://ann:secret@/x",
		"mongodb://ann:secret@host:1/x?w=-1&tls=secret"} {
		if s, err := Open(t.Context(), uri); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("got error %v and store %v, want an error without the secret", err, s)
		}
	}
}

func TestNoServer(t *testing.T) {
	_, err := Open(t.Context(), "mongodb://127.0.0.1:1/glyphbox")
	if f := fault.Of(err); f == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("got error %v, want Unavailable with RetryAfter", err)
	}
}

// A server is waited for as long as the URI says, or not for long.
func TestTimeouts(t *testing.T) {
	for query, want := range map[string]time.Duration{
		"": selectionTimeout,
		"?serverSelectionTimeoutMS=5000&connectTimeoutMS=5000": 5 * time.Second,
	} {
		o, err := clientOptions("mongodb://localhost/glyphbox" + query)
		if err != nil || *o.ServerSelectionTimeout != want || *o.ConnectTimeout != want {
			t.Errorf("%q: got %v and %v, %v, want %v", query, o.ServerSelectionTimeout, o.ConnectTimeout, err, want)
		}
	}
}

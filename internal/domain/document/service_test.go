package document_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/sweep"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// world is the service on fakes, with users.
type world struct {
	*document.Service
	fakes     *porttest.Fakes
	ann, bob  account.Actor
	admin     account.Actor
	released  []int64 // images whose dependents were released
	discarded []int64
	refuse    error // of the release
	stays     error // of the discarding
}

func newWorld(t *testing.T) *world {
	w := &world{fakes: porttest.NewFakes(t)}
	w.Service = &document.Service{
		Catalog: w.fakes.Catalog, Blobs: w.fakes.Blobs, Files: w.fakes.Files, Imager: w.fakes.Imager, Seals: w.fakes.Seals, Dependents: w,
		Users:  w.fakes.Users,
		Limits: &limit.Service{Users: w.fakes.Limits, General: limit.Limits{Images: 5}, Now: time.Now},
		Now:    func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("KST", 9*60*60)) },
	}
	actor := func(name string) account.Actor {
		u, err := w.fakes.Users.Add(t.Context(), account.User{Name: name, Email: name + "@example.org"})
		check.OK(t, "Users.Add", err)
		return account.Actor{UserID: u.ID, Name: name, Admin: name == "root"}
	}
	w.ann, w.bob, w.admin = actor("ann"), actor("bob"), actor("root")
	w.fakes.Calls()
	return w
}

func (w *world) Release(_ context.Context, imageIDs ...int64) (func(context.Context) error, error) {
	if w.refuse != nil {
		return nil, w.refuse
	}
	w.released = append(w.released, imageIDs...)
	return func(ctx context.Context) error {
		for _, imageID := range imageIDs {
			if _, err := w.fakes.Catalog.ByID(ctx, imageID); !fault.Is(err, fault.NotFound) {
				return errors.New("discarded before the row was gone")
			}
		}
		w.discarded = append(w.discarded, imageIDs...)
		return w.stays
	}, nil
}

// drawn is the file of a page of 400 × 140 pixels.
var drawn = sync.OnceValue(func() []byte {
	page, _ := porttest.DrawLines("page")
	return porttest.PNG(page)
})

func (w *world) upload(t *testing.T, actor account.Actor, name string) document.Image {
	t.Helper()
	i, err := w.Upload(t.Context(), actor, name, porttest.FileOf(drawn()))
	check.OK(t, "Upload", err)
	return i
}

func (w *world) share(t *testing.T, i document.Image) {
	t.Helper()
	shared := document.Shared
	_, err := w.Change(t.Context(), account.Actor{UserID: i.Owner.ID}, i.ID, document.Change{Visibility: &shared})
	check.OK(t, "Change", err)
}

func readAll(t *testing.T, r io.ReadCloser) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	check.OK(t, "ReadAll", err)
	check.OK(t, "Close", r.Close())
	return b
}

func TestUpload(t *testing.T) {
	w := newWorld(t)
	file := drawn()
	sent := porttest.FileOf(file)
	i, err := w.Upload(t.Context(), w.ann, "/tmp/scan.png", sent)
	check.OK(t, "Upload", err)
	check.Same(t, "order", w.fakes.Calls(), []string{"Blobs.Put", "Blobs.Put", "Catalog.Add"})
	want := document.Image{
		ID: i.ID, Document: i.ID, Number: 1, Geometry: document.Geometry{MediaType: "image/png", Width: 400, Height: 140, Pages: 1},
		Name: "scan.png", Size: int64(len(file)), SHA256: sent.SHA256,
		Visibility: document.Private, Owner: account.Ref{ID: w.ann.UserID, Name: "ann"}, Original: i.Original, Thumbnail: i.Thumbnail,
		Created: time.Date(2026, 3, 1, 3, 0, 0, 123456000, time.UTC),
	}
	check.Same(t, "Upload", i, want)
	check.Same(t, "whole page", i.Box(), document.Box{X2: 400, Y2: 140})

	got, r, err := w.Original(t.Context(), w.ann, i.ID)
	check.OK(t, "Original", err)
	check.Same(t, "Original", got, want)
	if !bytes.Equal(readAll(t, r), file) {
		t.Error("the original differs")
	}
	_, r, err = w.Thumbnail(t.Context(), w.ann, i.ID)
	check.OK(t, "Thumbnail", err)
	thumbnail, _, err := image.DecodeConfig(bytes.NewReader(readAll(t, r)))
	check.OK(t, "decoding the thumbnail", err)
	check.Same(t, "width of the thumbnail", thumbnail.Width, document.ThumbnailSide)
	view, err := w.View(t.Context(), w.ann, i.ID, document.Box{X1: 100, X2: 400, Y2: 140}, 200)
	check.OK(t, "View", err)
	shown, _, err := image.DecodeConfig(bytes.NewReader(view.Bytes))
	check.OK(t, "decoding the view", err)
	check.Same(t, "width of the view", shown.Width, 200)
	_, err = w.View(t.Context(), w.ann, i.ID, document.Box{X1: 100, X2: 401, Y1: 140, Y2: 140}, 200)
	check.Kind(t, "View of a part that is not on the page", err, fault.Invalid)
	check.Same(t, "fields at fault", len(fault.Of(err).Fields) > 1, true)
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

func TestUploadName(t *testing.T) {
	for name, want := range map[string]string{
		"scan.png": "scan.png", "/a/b/scan.png": "scan.png", `C:\Users\ann\scan.png`: "scan.png", "../../etc/passwd": "passwd",
		"": "untitled", "a/": "untitled", "  ": "untitled", " scan 1.png ": "scan 1.png", "..": "..",
		"문서 🧾.png": "문서 🧾.png", strings.Repeat("가", 200): strings.Repeat("가", 200),
	} {
		w := newWorld(t)
		check.Same(t, "name of "+name, w.upload(t, w.ann, name).Name, want)
	}
	for _, name := range []string{strings.Repeat("가", 201), "a\x00b", "a\nb", "a\xffb", "a\x7fb"} {
		w := newWorld(t)
		_, err := w.Upload(t.Context(), w.ann, name, porttest.FileOf(drawn()))
		wantFields(t, "Upload of "+name, err, "file")
		check.Same(t, "calls", w.fakes.Calls(), nil)
	}
}

func wantFields(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	check.Kind(t, what, err, fault.Invalid)
	var got []string
	if f := fault.Of(err); f != nil {
		for _, field := range f.Fields {
			got = append(got, field.Field)
		}
	}
	check.Same(t, what+": fields", got, want)
}

func TestUploadOfWhatIsNoPage(t *testing.T) {
	w := newWorld(t)
	_, err := w.Upload(t.Context(), w.ann, "a.png", porttest.FileOf([]byte("no image")))
	check.Kind(t, "Upload", err, fault.Unsupported)
	check.Same(t, "calls", w.fakes.Calls(), nil)
}

func TestUploadOfTooMany(t *testing.T) {
	w := newWorld(t)
	for range w.Limits.General.Images {
		w.upload(t, w.ann, "page")
	}
	w.fakes.Calls()
	_, err := w.Upload(t.Context(), w.ann, "page", porttest.FileOf(drawn()))
	check.Code(t, "Upload", err, fault.Full, limit.CodeImages)
	check.Same(t, "calls", w.fakes.Calls(), nil)
	w.upload(t, w.bob, "page")
	w.Limits.General = limit.Limits{Bytes: 6*int64(len(drawn())) - 1}
	_, err = w.Upload(t.Context(), w.ann, "page", porttest.FileOf(drawn()))
	check.Code(t, "Upload of a byte too many", err, fault.Full, limit.CodeBytes)
	check.Same(t, "calls", w.fakes.Calls(), []string{"Blobs.Put", "Blobs.Put", "Catalog.Add"}) // of the other user

	// Another one takes what is left in the midst of an upload: nothing stays.
	w.Limits.General = limit.Limits{Images: 2}
	w.fakes.Meanwhile("Blobs.Put", func() { w.upload(t, w.bob, "page") })
	_, err = w.Upload(t.Context(), w.bob, "page", porttest.FileOf(drawn()))
	check.Code(t, "Upload while another one takes what is left", err, fault.Full, limit.CodeImages)
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

// TestUploadThatFails checks what stays behind of each step that fails, in each way.
func TestUploadThatFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(w *world)
		rows    int
		orphans int // bytes for the sweeper
	}{
		{"counting", func(w *world) { w.fakes.Fail("Limits.Of", porttest.Before) }, 0, 0},
		{"the header", func(w *world) { w.fakes.Fail("Imager.Probe", porttest.Before) }, 0, 0},
		{"the thumbnail", func(w *world) { w.fakes.Fail("Imager.Thumbnail", porttest.Before) }, 0, 0},
		{"storing the thumbnail", func(w *world) { w.fakes.Fail("Blobs.Put", porttest.Before) }, 0, 0},
		{"storing the thumbnail, though stored", func(w *world) { w.fakes.Fail("Blobs.Put", porttest.After) }, 0, 1},
		{"storing the original", func(w *world) {
			w.fakes.Meanwhile("Blobs.Put", func() { w.fakes.Fail("Blobs.Put", porttest.Before) })
		}, 0, 1}, // the store is away, so that nothing can be deleted either
		{"storing the original, though stored", func(w *world) {
			w.fakes.Meanwhile("Blobs.Put", func() { w.fakes.Fail("Blobs.Put", porttest.After) })
		}, 0, 2},
		{"the row", func(w *world) { w.fakes.Fail("Catalog.Add", porttest.Before) }, 0, 2}, // it might be there, so the bytes stay
		{"the row, though added", func(w *world) { w.fakes.Fail("Catalog.Add", porttest.After) }, 1, 0},
		{"the row, as the store says for certain", func(w *world) { w.ann.UserID = 4711 }, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.prepare(w)
			if _, err := w.Upload(t.Context(), w.ann, "page", porttest.FileOf(drawn())); err == nil {
				t.Error("got no error")
			}
			_, n, err := w.fakes.Catalog.List(t.Context(), document.Query{Size: 10})
			check.OK(t, "List", err)
			check.Same(t, "rows", n, c.rows)
			check.Same(t, "orphans", len(w.fakes.Orphans()), c.orphans)
		})
	}
}

func TestUploadOfBytesThatEndEarly(t *testing.T) {
	w := newWorld(t)
	file := porttest.FileOf(drawn())
	broken := errors.New("broken line")
	for _, end := range []func() (io.ReadCloser, error){
		func() (io.ReadCloser, error) { return nil, broken },
		func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("half of it"), iotest.ErrReader(broken))), nil
		},
	} {
		opened := 0
		late := porttest.OpenedBy(drawn(), func(ctx context.Context) (io.ReadCloser, error) {
			if opened++; opened < 3 { // the imager's turns
				return w.Files.Open(ctx, file)
			}
			return end()
		}).File
		if _, err := w.Upload(t.Context(), w.ann, "page", late); !errors.Is(err, broken) {
			t.Errorf("got %v, want the reader's error", err)
		}
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	}
}

// When one of several files is refused none stays, and none is stored of which it is known before.
func TestUploadAll(t *testing.T) {
	w := newWorld(t)
	good := document.Upload{Name: "a.png", File: porttest.FileOf(drawn())}
	images, err := w.UploadAll(t.Context(), w.ann, []document.Upload{good, {Name: "b.png", File: good.File}}, once.Claim{})
	check.OK(t, "UploadAll", err)
	check.Same(t, "order", w.fakes.Calls(), []string{"Blobs.Put", "Blobs.Put", "Blobs.Put", "Blobs.Put", "Catalog.Add"})
	if len(images) != 2 || images[0].Name != "a.png" || images[1].Name != "b.png" || images[0].ID >= images[1].ID {
		t.Errorf("got %+v", images)
	}

	for name, c := range map[string]struct {
		bad  document.Upload
		kind fault.Kind
	}{
		"no image": {document.Upload{Name: "c.txt", File: porttest.FileOf([]byte("no image"))}, fault.Unsupported},
		"the name": {document.Upload{Name: strings.Repeat("x", 201), File: good.File}, fault.Invalid},
	} {
		_, err = w.UploadAll(t.Context(), w.ann, []document.Upload{good, c.bad}, once.Claim{})
		check.Kind(t, name, err, c.kind)
		if f := fault.Of(err); len(f.Fields) != 1 || f.Fields[0].Field != "file[1]" {
			t.Errorf("%s: got the fields %v, want file[1]", name, f.Fields)
		}
		check.Same(t, name+": what was written", w.fakes.Calls(), nil)
	}
	_, err = w.UploadAll(t.Context(), w.ann, []document.Upload{good, good, good, good}, once.Claim{})
	check.Kind(t, "too many images", err, fault.Full)
	check.Same(t, "too many images: what was written", w.fakes.Calls(), nil)

	w.fakes.Meanwhile("Blobs.Put", func() { // the third, after which the second is taken back
		w.fakes.Meanwhile("Blobs.Put", func() { w.fakes.Meanwhile("Blobs.Put", func() { w.fakes.Fail("Blobs.Put", porttest.Before) }) })
	})
	_, err = w.UploadAll(t.Context(), w.ann, []document.Upload{good, good}, once.Claim{})
	check.Kind(t, "the blobs go away", err, fault.Unavailable)
	w.fakes.Fail("Catalog.Add", porttest.Before)
	_, err = w.UploadAll(t.Context(), w.ann, []document.Upload{good, good}, once.Claim{})
	check.Kind(t, "the database goes away", err, fault.Unavailable)
	_, err = w.UploadAll(t.Context(), w.ann, []document.Upload{good, good}, once.Claim{ID: "key", By: "nobody"})
	check.Code(t, "the claim is lost", err, fault.Conflict, "idempotency_key_lost")
	_, n, err := w.fakes.Catalog.List(t.Context(), document.Query{Size: 10})
	check.OK(t, "List", err)
	check.Same(t, "images", n, 2)
}

// A page and a file are plain values: they survive a journey as JSON.
func TestPageAsJSON(t *testing.T) {
	want := document.Page{File: document.File{Blob: "b", SHA256: "00", MediaType: "image/png", Size: 9}, Number: 2, Width: 3, Height: 4,
		DPI: 300}
	sent, err := json.Marshal(want)
	check.OK(t, "Marshal", err)
	var got document.Page
	check.OK(t, "Unmarshal", json.Unmarshal(sent, &got))
	check.Same(t, "page", got, want)
	other := want
	other.Number = 1
	turned := want
	turned.Rotation = 90
	if want.Key() == other.Key() || want.Key() == turned.Key() {
		t.Errorf("two pages of a file, or one and itself turned, have the key %s", want.Key())
	}
}

func TestStaging(t *testing.T) {
	w := newWorld(t)
	s := &document.Staging{Blobs: w.fakes.Blobs}
	f, drop := s.Stage(document.File{Size: 5}, func(context.Context) (io.ReadCloser,
		error) {
		return io.NopCloser(strings.NewReader("bytes")), nil
	})
	r, err := s.Open(t.Context(), f)
	check.OK(t, "Open", err)
	check.Same(t, "bytes", string(readAll(t, r)), "bytes")
	drop()
	_, err = s.Open(t.Context(), f)
	check.Kind(t, "Open of what was dropped", err, fault.NotFound)
	blob, err := w.fakes.Blobs.Put(t.Context(), strings.NewReader("stored"))
	check.OK(t, "Put", err)
	r, err = s.Open(t.Context(), document.File{Blob: blob})
	check.OK(t, "Open", err)
	check.Same(t, "bytes", string(readAll(t, r)), "stored")
	_, err = s.Open(t.Context(), document.File{Blob: "none"})
	check.Kind(t, "Open of no blob", err, fault.NotFound)
	_, err = (&document.Staging{}).Open(t.Context(), document.File{Blob: blob})
	check.Kind(t, "Open without blobs", err, fault.NotFound)
}

func TestUploadOfWhoGoesAway(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.fakes.Meanwhile("Blobs.Put", func() { w.fakes.Meanwhile("Blobs.Put", cancel) })
	_, err := w.Upload(ctx, w.ann, "page", porttest.FileOf(drawn()))
	check.Kind(t, "Upload", err, fault.Canceled)
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

// Bytes that are old by the time when the row would be added may be swept already.
func TestUploadThatStandsStill(t *testing.T) {
	for _, c := range []struct {
		still time.Duration
		late  bool
	}{{sweep.NameWithin, false}, {sweep.NameWithin + time.Second, true}} {
		w := newWorld(t)
		now := w.Now()
		w.Now = func() time.Time { return now }
		w.fakes.Meanwhile("Blobs.Put", func() { now = now.Add(c.still) })
		_, err := w.Upload(t.Context(), w.ann, "page", porttest.FileOf(drawn()))
		if c.late != fault.Is(err, fault.Deadline) || !c.late && err != nil {
			t.Errorf("after %s: got error %v", c.still, err)
		}
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	}
}

// TestPermissions tries everything on a private and on a shared image.
func TestPermissions(t *testing.T) {
	name, quarter := "other", 90
	operations := []struct {
		name string
		act  func(w *world, a account.Actor, id int64) error
	}{
		{"Image", func(w *world, a account.Actor, id int64) error {
			_, err := w.Image(context.Background(), a, id)
			return err
		}},
		{"Original", func(w *world, a account.Actor, id int64) error {
			_, r, err := w.Original(context.Background(), a, id)
			if err == nil {
				err = r.Close()
			}
			return err
		}},
		{"Thumbnail", func(w *world, a account.Actor, id int64) error {
			_, r, err := w.Thumbnail(context.Background(), a, id)
			if err == nil {
				err = r.Close()
			}
			return err
		}},
		{"View", func(w *world, a account.Actor, id int64) error {
			_, err := w.View(context.Background(), a, id, document.Box{X2: 10, Y2: 10}, 100)
			return err
		}},
		{"Change", func(w *world, a account.Actor, id int64) error {
			_, err := w.Change(context.Background(), a, id, document.Change{Name: &name})
			return err
		}},
		{"Turn", func(w *world, a account.Actor, id int64) error {
			_, err := w.Change(context.Background(), a, id, document.Change{Rotation: &quarter})
			return err
		}},
		{"Delete", func(w *world, a account.Actor, id int64) error { return w.Delete(context.Background(), a, id, nil) }},
	}
	const ok, missing, refused = 0, int(fault.NotFound), int(fault.Forbidden)
	for _, c := range []struct {
		who              string
		shared           bool
		see, change, del int
	}{
		{"owner", false, ok, ok, ok}, {"owner", true, ok, ok, ok},
		{"admin", false, ok, ok, ok}, {"admin", true, ok, ok, ok},
		{"other", false, missing, missing, missing}, {"other", true, ok, refused, refused},
	} {
		for _, op := range operations {
			t.Run(fmt.Sprintf("%s of %s, shared %v", op.name, c.who, c.shared), func(t *testing.T) {
				w := newWorld(t)
				i := w.upload(t, w.ann, "page")
				if c.shared {
					w.share(t, i)
				}
				before, err := w.Image(t.Context(), w.ann, i.ID)
				if err != nil {
					t.Fatal(err)
				}
				want, changes := map[string]int{"Change": c.change, "Turn": c.change, "Delete": c.del}[op.name]
				if !changes {
					want = c.see
				}
				err = op.act(w, map[string]account.Actor{"owner": w.ann, "other": w.bob, "admin": w.admin}[c.who], i.ID)
				if want == ok {
					if err != nil {
						t.Errorf("got %v", err)
					}
					return
				}
				check.Kind(t, op.name, err, fault.Kind(want))
				after, err := w.Image(t.Context(), w.ann, i.ID)
				if err != nil {
					t.Fatal(err)
				}
				check.Same(t, "the image", after, before)
			})
		}
	}
	w := newWorld(t)
	for _, op := range operations {
		check.Kind(t, op.name+" of nothing", op.act(w, w.admin, 4711), fault.NotFound)
	}
}

func TestNotYoursLooksLikeNotThere(t *testing.T) {
	w := newWorld(t)
	i := w.upload(t, w.ann, "page")
	_, notYours := w.Image(t.Context(), w.bob, i.ID)
	check.Kind(t, "Image of somebody else's", notYours, fault.NotFound)
	if f := fault.Of(notYours); f.Code != "image_not_found" || f.Cause != nil {
		t.Errorf("got %+v", f)
	}
}

func TestList(t *testing.T) {
	w := newWorld(t)
	w.upload(t, w.ann, "a1")
	w.share(t, w.upload(t, w.ann, "a2"))
	w.upload(t, w.bob, "b1")
	for _, c := range []struct {
		who   account.Actor
		whose document.Whose
		want  []string
	}{
		{w.ann, document.Seen, []string{"a2", "a1"}}, {w.bob, document.Seen, []string{"b1", "a2"}},
		{w.admin, document.Seen, []string{"b1", "a2", "a1"}},
		{w.ann, document.Own, []string{"a2", "a1"}}, {w.bob, document.Own, []string{"b1"}}, {w.admin, document.Own, nil},
		{w.admin, document.Everyone, []string{"b1", "a2", "a1"}},
	} {
		for _, other := range []int64{0, w.ann.UserID} { // whatever the caller says
			images, n, err := w.List(t.Context(), c.who, document.Query{Size: 10, Viewer: other, Owner: other, Whose: c.whose})
			check.OK(t, "List", err)
			var got []string
			for _, i := range images {
				got = append(got, i.Name)
			}
			check.Same(t, fmt.Sprintf("List of %s, %q", c.who.Name, c.whose), got, c.want)
			check.Same(t, "in all", n, len(c.want))
		}
	}
	_, _, err := w.List(t.Context(), w.bob, document.Query{Size: 10, Whose: document.Everyone})
	check.Kind(t, "List of everybody's images, for a user", err, fault.Forbidden)
}

func TestChange(t *testing.T) {
	w := newWorld(t)
	i := w.upload(t, w.ann, "page")
	shared, wrong := document.Shared, document.Visibility("public")
	name, empty, blank, long, control := "새 \u202E이름\u2069", "\u2066", " \u3000", strings.Repeat("x", 201), "a\tb"
	for _, c := range []struct {
		name       *string
		visibility *document.Visibility
		fields     []string
	}{
		{&empty, nil, []string{"name"}}, {&blank, nil, []string{"name"}}, {&long, nil, []string{"name"}}, {&control, nil, []string{"name"}},
		{nil, &wrong, []string{"visibility"}}, {&empty, &wrong, []string{"name", "visibility"}}, {&name, &wrong, []string{"visibility"}},
	} {
		_, err := w.Change(t.Context(), w.ann, i.ID, document.Change{Name: c.name, Visibility: c.visibility})
		wantFields(t, "Change", err, c.fields...)
	}
	want := i
	for _, c := range []struct {
		name       *string
		visibility *document.Visibility
	}{{nil, nil}, {&name, nil}, {nil, &shared}} {
		if c.name != nil {
			want.Name = "새 이름" // without the marks of direction
		}
		if c.visibility != nil {
			want.Visibility = *c.visibility
		}
		got, err := w.Change(t.Context(), w.ann, i.ID, document.Change{Name: c.name, Visibility: c.visibility})
		check.OK(t, "Change", err)
		check.Same(t, "Change", got, want)
	}
	got, err := w.Image(t.Context(), w.bob, i.ID)
	check.OK(t, "Image", err)
	check.Same(t, "the image for the others", got, want)
}

// A page is turned to an absolute rotation, whatever it was turned to before; the bytes stay and the thumbnail is made anew.
func TestTurn(t *testing.T) {
	w := newWorld(t)
	page, _ := porttest.DrawLines("Invoice No. 1742", "Total amount 1250.00")
	i, err := w.Upload(t.Context(), w.ann, "page", porttest.FileOf(porttest.PNG(page)))
	check.OK(t, "Upload", err)
	bytesOf := func(open func(context.Context, account.Actor, int64) (document.Image, io.ReadSeekCloser, error)) []byte {
		t.Helper()
		_, r, err := open(t.Context(), w.ann, i.ID)
		check.OK(t, "open", err)
		return readAll(t, r)
	}
	original := bytesOf(w.Original)
	for _, rotation := range []int{90, 270, 180, 180, 0, 90} {
		w.fakes.Calls()
		got, err := w.Change(t.Context(), w.ann, i.ID, document.Change{Rotation: &rotation})
		check.OK(t, "Change", err)
		check.Same(t, "order", w.fakes.Calls(), []string{"Blobs.Put", "Catalog.Update", "Blobs.Delete"})
		want := i
		want.Rotation, want.Thumbnail = rotation, got.Thumbnail
		if rotation%180 != 0 {
			want.Width, want.Height = i.Height, i.Width
		}
		check.Same(t, "Change", got, want)
		turned := porttest.PNG(porttest.Turned(page, rotation))
		view, err := w.View(t.Context(), w.ann, i.ID, got.Box(), 5000)
		check.OK(t, "View", err)
		seen, err := w.Imager.View(t.Context(), porttest.PageOf(turned), got.Box(), 5000)
		check.OK(t, "View of the turned page", err)
		if !bytes.Equal(view.Bytes, seen.Bytes) {
			t.Errorf("%d: the view is not that of the turned page", rotation)
		}
		small, err := w.Imager.Thumbnail(t.Context(), porttest.PageOf(turned), document.ThumbnailSide)
		check.OK(t, "Thumbnail of the turned page", err)
		if !bytes.Equal(bytesOf(w.Thumbnail), small.Bytes) {
			t.Errorf("%d: the thumbnail is not that of the turned page", rotation)
		}
		if !bytes.Equal(bytesOf(w.Original), original) {
			t.Errorf("%d: the bytes are others", rotation)
		}
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	}
	for _, rotation := range []int{-90, 1, 45, 360} {
		_, err := w.Change(t.Context(), w.ann, i.ID, document.Change{Rotation: &rotation})
		wantFields(t, "Change", err, "rotation")
	}
}

func TestTurnThatFails(t *testing.T) {
	half, name := 180, "turned"
	turn := func(w *world, i document.Image) error {
		_, err := w.Change(context.Background(), w.ann, i.ID, document.Change{Name: &name, Rotation: &half})
		return err
	}
	t.Run("the row is as it was and nothing is left", func(t *testing.T) {
		for _, op := range []string{"Imager.Thumbnail", "Blobs.Put"} {
			w := newWorld(t)
			i := w.upload(t, w.ann, "page")
			w.fakes.Fail(op, porttest.Before)
			check.Kind(t, op, turn(w, i), fault.Unavailable)
			got, err := w.Image(t.Context(), w.ann, i.ID)
			check.OK(t, "Image", err)
			check.Same(t, "the image", got, i)
			check.Same(t, "orphans", w.fakes.Orphans(), nil)
		}
	})
	t.Run("the image is deleted meanwhile", func(t *testing.T) {
		w := newWorld(t)
		i := w.upload(t, w.ann, "page")
		w.fakes.Meanwhile("Catalog.Update", func() { check.OK(t, "Delete", w.Delete(t.Context(), w.ann, i.ID, nil)) })
		check.Kind(t, "Change", turn(w, i), fault.NotFound)
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	})
	t.Run("nobody knows whether the row was changed", func(t *testing.T) {
		for _, mode := range []porttest.Mode{porttest.Before, porttest.After} {
			w := newWorld(t)
			i := w.upload(t, w.ann, "page")
			w.fakes.Fail("Catalog.Update", mode)
			check.Kind(t, "Change", turn(w, i), fault.Unavailable)
			_, r, err := w.Thumbnail(t.Context(), w.ann, i.ID)
			check.OK(t, "Thumbnail", err)
			check.OK(t, "Close", r.Close())
			check.Same(t, "orphans", len(w.fakes.Orphans()), 1)
		}
	})
	t.Run("the thumbnail is old before the row names it", func(t *testing.T) {
		w := newWorld(t)
		i := w.upload(t, w.ann, "page")
		now := w.Now()
		w.Now = func() time.Time { return now }
		w.fakes.Meanwhile("Blobs.Put", func() { now = now.Add(sweep.NameWithin + time.Second) })
		check.Kind(t, "Change", turn(w, i), fault.Deadline)
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	})
	t.Run("the page is turned while its thumbnail is fetched", func(t *testing.T) {
		w := newWorld(t)
		i := w.upload(t, w.ann, "page")
		w.fakes.Meanwhile("Blobs.Open", func() { check.OK(t, "Change", turn(w, i)) })
		got, r, err := w.Thumbnail(t.Context(), w.ann, i.ID)
		check.OK(t, "Thumbnail", err)
		check.OK(t, "Close", r.Close())
		check.Same(t, "rotation", got.Rotation, half)
	})
}

// Two who turn a page at once leave one of the two thumbnails, which is that of the rotation.
func TestTurnedMeanwhile(t *testing.T) {
	w := newWorld(t)
	i := w.upload(t, w.ann, "page")
	quarter, half := 90, 180
	w.fakes.Meanwhile("Catalog.Update", func() {
		_, err := w.Change(t.Context(), w.admin, i.ID, document.Change{Rotation: &half})
		check.OK(t, "Change", err)
	})
	got, err := w.Change(t.Context(), w.ann, i.ID, document.Change{Rotation: &quarter})
	check.OK(t, "Change", err)
	check.Same(t, "rotation and size", []int{got.Rotation, got.Width, got.Height}, []int{90, i.Height, i.Width})
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
}

// A box that is turned with its page covers the same pixels, from each rotation to each.
func TestBoxTurned(t *testing.T) {
	const width, height = 7, 5
	at := func(b document.Box, rotation int) document.Box { return b.Turned(rotation, width, height) }
	for _, from := range document.Rotations {
		for _, to := range document.Rotations {
			i := document.Image{Geometry: document.Geometry{Width: width, Height: height}}.TurnedTo(from)
			for y := range height {
				for x := range width {
					pixel := document.Box{X1: x, Y1: y, X2: x + 1, Y2: y + 1}
					if got, want := at(pixel, from).Turned(document.Turns(from, to), i.Width, i.Height), at(pixel, to); got != want {
						t.Fatalf("%v from %d to %d: got %v, want %v", pixel, from, to, got, want)
					}
				}
			}
			check.Same(t, "the page", i.Box().Turned(document.Turns(from, to), i.Width, i.Height), i.TurnedTo(to).Box())
		}
	}
	b := document.Box{X1: 1, Y1: 0, X2: 4, Y2: 2} // three pixels from the right, three from below
	for rotation, want := range map[int]document.Box{0: b, 90: {X1: 3, Y1: 1, X2: 5, Y2: 4}, 180: {X1: 3, Y1: 3, X2: 6, Y2: 5},
		270: {X1: 0, Y1: 3, X2: 2, Y2: 6}} {
		check.Same(t, fmt.Sprint("turned by ", rotation), at(b, rotation), want)
	}
}

// TestSharedNoMoreMeanwhile checks that the row decides at the moment of the change.
func TestSharedNoMoreMeanwhile(t *testing.T) {
	w := newWorld(t)
	i := w.upload(t, w.ann, "page")
	w.share(t, i)
	private, name := document.Private, "mine now"
	w.fakes.Meanwhile("Catalog.Update", func() {
		_, err := w.Change(t.Context(), w.ann, i.ID, document.Change{Visibility: &private})
		check.OK(t, "Change", err)
	})
	_, err := w.Change(t.Context(), w.bob, i.ID, document.Change{Name: &name})
	check.Kind(t, "Change", err, fault.NotFound)
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	i, other := w.upload(t, w.ann, "page"), w.upload(t, w.ann, "other")
	w.fakes.Calls()
	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, i.ID, nil))
	check.Same(t, "order", w.fakes.Calls(), []string{"Catalog.Delete", "Blobs.Delete", "Blobs.Delete"})
	check.Same(t, "released", w.released, []int64{i.ID})
	check.Same(t, "discarded", w.discarded, []int64{i.ID})
	check.Same(t, "orphans", w.fakes.Orphans(), nil)
	check.Kind(t, "Delete again", w.Delete(t.Context(), w.ann, i.ID, nil), fault.NotFound)
	_, r, err := w.Original(t.Context(), w.ann, other.ID)
	check.OK(t, "Original of the other", err)
	check.OK(t, "Close", r.Close())
}

func TestDeleteThatFails(t *testing.T) {
	t.Run("before the row is gone nothing is", func(t *testing.T) {
		w := newWorld(t)
		i := w.upload(t, w.ann, "page")
		w.refuse = errors.New("the results are away")
		if err := w.Delete(t.Context(), w.ann, i.ID, nil); !errors.Is(err, w.refuse) {
			t.Errorf("got %v, want %v", err, w.refuse)
		}
		w.refuse = nil
		w.fakes.Fail("Catalog.Delete", porttest.Before)
		check.Kind(t, "Delete", w.Delete(t.Context(), w.ann, i.ID, nil), fault.Unavailable)
		check.Same(t, "discarded", w.discarded, nil)
		_, r, err := w.Original(t.Context(), w.ann, i.ID)
		check.OK(t, "Original", err)
		check.OK(t, "Close", r.Close())
	})
	t.Run("though the row is gone, its bytes stay for the sweeper", func(t *testing.T) {
		w := newWorld(t)
		i := w.upload(t, w.ann, "page")
		w.fakes.Fail("Catalog.Delete", porttest.After)
		check.Kind(t, "Delete", w.Delete(t.Context(), w.ann, i.ID, nil), fault.Unavailable)
		check.Same(t, "orphans", len(w.fakes.Orphans()), 2)
	})
	t.Run("once the row is gone it is done", func(t *testing.T) {
		w := newWorld(t)
		i := w.upload(t, w.ann, "page")
		w.stays = errors.New("the contents stay")
		w.fakes.Fail("Blobs.Delete", porttest.Before)
		check.OK(t, "Delete", w.Delete(t.Context(), w.ann, i.ID, nil))
		check.Same(t, "orphans", len(w.fakes.Orphans()), 2)
	})
	t.Run("also where who asked goes away", func(t *testing.T) {
		w := newWorld(t)
		i := w.upload(t, w.ann, "page")
		ctx, cancel := context.WithCancel(t.Context())
		w.stays = errors.New("the contents stay")
		w.fakes.Meanwhile("Blobs.Delete", cancel)
		check.OK(t, "Delete", w.Delete(ctx, w.ann, i.ID, nil))
		check.Same(t, "discarded", w.discarded, []int64{i.ID})
		check.Same(t, "orphans", w.fakes.Orphans(), nil)
	})
}

func TestRemoveAllOf(t *testing.T) {
	w := newWorld(t)
	w.Limits = nil
	var ids []int64
	for range 110 { // more than one page of the list
		ids = append(ids, w.upload(t, w.ann, "page").ID)
	}
	kept := w.upload(t, w.bob, "page")
	w.fakes.Meanwhile("Catalog.Delete", func() { // somebody else is faster with one of them
		check.OK(t, "Catalog.Delete", w.fakes.Catalog.Delete(t.Context(), ids[109]))
	})
	w.fakes.Meanwhile("Blobs.Delete", func() { w.fakes.Fail("Catalog.Delete", porttest.Before) })
	check.Kind(t, "RemoveAllOf", w.RemoveAllOf(t.Context(), w.ann.UserID), fault.Unavailable)
	check.OK(t, "RemoveAllOf again", w.RemoveAllOf(t.Context(), w.ann.UserID))
	_, n, err := w.fakes.Catalog.List(t.Context(), document.Query{Owner: w.ann.UserID, Size: 1})
	check.OK(t, "List", err)
	check.Same(t, "images left", n, 0)
	_, err = w.Image(t.Context(), w.bob, kept.ID)
	check.OK(t, "Image of the other user", err)
	if got := len(w.fakes.Orphans()); got != 2 { // of the one that somebody else deleted
		t.Errorf("got %d orphans, want 2", got)
	}
	slices.Sort(w.released)
	check.Same(t, "released", slices.Compact(w.released), ids)
}

func TestBox(t *testing.T) {
	box := func(x1, y1, x2, y2 int) document.Box { return document.Box{X1: x1, Y1: y1, X2: x2, Y2: y2} }
	for _, c := range []struct {
		b      document.Box
		fields []string
	}{
		{box(0, 0, 100, 50), nil}, {box(99, 49, 100, 50), nil}, {box(0, 0, 1, 1), nil},
		{box(-1, 0, 10, 10), []string{"r.x1"}}, {box(0, -1, 10, 10), []string{"r.y1"}},
		{box(0, 0, 101, 50), []string{"r.x2"}}, {box(0, 0, 100, 51), []string{"r.y2"}},
		{box(10, 0, 10, 10), []string{"r.x2"}}, {box(0, 10, 10, 9), []string{"r.y2"}},
		{box(100, 0, 100, 10), []string{"r.x1", "r.x2"}}, {box(0, 0, 0, 0), []string{"r.x2", "r.y2", "r.x2", "r.y2"}},
	} {
		var got []string
		for _, f := range c.b.Check("r.", 100, 50) {
			got = append(got, f.Field)
			if f.Detail == "" {
				t.Errorf("%v: %s does not say what is allowed", c.b, f.Field)
			}
		}
		check.Same(t, fmt.Sprint("fields of ", c.b), got, c.fields)
	}
	for _, c := range []struct{ a, b, both, either document.Box }{
		{box(0, 0, 10, 10), box(5, 5, 20, 20), box(5, 5, 10, 10), box(0, 0, 20, 20)},
		{box(0, 0, 10, 10), box(2, 3, 4, 5), box(2, 3, 4, 5), box(0, 0, 10, 10)},
		{box(0, 0, 10, 10), document.Box{}, document.Box{}, box(0, 0, 10, 10)},
	} {
		check.Same(t, "Intersect", c.a.Intersect(c.b), c.both)
		check.Same(t, "Intersect", c.b.Intersect(c.a), c.both)
		check.Same(t, "Union", c.a.Union(c.b), c.either)
		check.Same(t, "Union", c.b.Union(c.a), c.either)
	}
	if apart := box(0, 0, 10, 10).Intersect(box(20, 0, 30, 10)); !apart.Empty() {
		t.Errorf("got %v of two boxes apart", apart)
	}
}

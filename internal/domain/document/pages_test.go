package document_test

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// plain is a page of one shade.
func plain(width, height int, shade uint8) image.Image {
	m := image.NewGray(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.Gray{shade}), image.Point{}, draw.Src)
	return m
}

// scan is a file of n pages, the k-th of which is 100 + k pixels wide and 60 high.
func scan(n int) []byte {
	var pages []image.Image
	for k := 1; k <= n; k++ {
		pages = append(pages, plain(100+k, 60, uint8(50*k)))
	}
	return porttest.MultiPageTIFF(pages...)
}

// all returns the images of a document.
func (w *world) all(t *testing.T, first document.Image) []document.Image {
	t.Helper()
	pages, n, err := w.Pages(t.Context(), w.admin, first.ID, 1, 1000)
	check.OK(t, "Pages", err)
	check.Same(t, "number of pages", n, len(pages))
	return pages
}

func TestUploadOfPages(t *testing.T) {
	w := newWorld(t)
	file := scan(3)
	first, err := w.Upload(t.Context(), w.ann, "scan.tiff", porttest.FileOf(file))
	check.OK(t, "Upload", err)
	check.Same(t, "order", w.fakes.Calls(), []string{"Blobs.Put", "Blobs.Put", "Catalog.Add"})
	pages := w.all(t, first)
	check.Same(t, "the first page", first, pages[0])
	for n, i := range pages {
		check.Same(t, "page", [6]int{i.Number, i.Pages, i.Width, i.Height, int(i.Document), int(i.Size)},
			[6]int{n + 1, 3, 101 + n, 60, int(first.ID), len(file)})
		check.Same(t, "file", [3]string{i.Name, i.Original, i.SHA256}, [3]string{"scan.tiff", first.Original, first.SHA256})
		check.Same(t, "Page", i.Page().Number, n+1)
		if has := i.Thumbnail != ""; has != (n == 0) {
			t.Errorf("page %d has a thumbnail: %v", n+1, has)
		}
	}
	list, total, err := w.List(t.Context(), w.ann, document.Query{Size: 10})
	check.OK(t, "List", err)
	check.Same(t, "documents", [2]int{len(list), total}, [2]int{1, 1})
	_, _, err = w.Pages(t.Context(), w.bob, first.ID, 1, 10)
	check.Kind(t, "Pages of somebody else", err, fault.NotFound)
	_, _, err = w.Pages(t.Context(), w.ann, pages[1].ID, 1, 10)
	check.Kind(t, "Pages of a later page", err, fault.Invalid)
	if f := fault.Of(err); !strings.Contains(f.Fields[0].Detail, fmt.Sprint("document ", first.ID)) {
		t.Errorf("%v does not name the document", f.Fields)
	}
}

func TestLimitsOfPages(t *testing.T) {
	w := newWorld(t)
	w.MaxPages, w.MaxDocumentPixels = 3, 101*60+102*60+103*60
	w.upload2(t, scan(3))
	_, err := w.Upload(t.Context(), w.ann, "scan.tiff", porttest.FileOf(scan(4)))
	check.Code(t, "Upload of 4 pages", err, fault.TooLarge, "too_many_pages")
	w.MaxDocumentPixels--
	_, err = w.Upload(t.Context(), w.ann, "scan.tiff", porttest.FileOf(scan(3)))
	check.Code(t, "Upload of a pixel too many", err, fault.TooLarge, "too_many_pixels")
	check.Same(t, "orphans", w.fakes.Orphans(), []string(nil))
}

func (w *world) upload2(t *testing.T, file []byte) document.Image {
	t.Helper()
	i, err := w.Upload(t.Context(), w.ann, "scan.tiff", porttest.FileOf(file))
	check.OK(t, "Upload", err)
	return i
}

// A page that cannot be rendered has the size of the page before it, and costs the others nothing.
func TestPagesThatCannotBeRendered(t *testing.T) {
	w := newWorld(t)
	i := w.upload2(t, porttest.SpoilPage(porttest.MultiPageTIFF(plain(80, 60, 9), plain(7, 5, 0), plain(90, 60, 9)), 2))
	pages := w.all(t, i)
	check.Same(t, "sizes", [3]int{pages[0].Width, pages[1].Width, pages[2].Width}, [3]int{80, 80, 90})
	if pages[0].Error != nil || pages[1].Error == nil || pages[2].Error != nil {
		t.Errorf("got errors %v, %v, %v", pages[0].Error, pages[1].Error, pages[2].Error)
	}
	_, err := w.View(t.Context(), w.ann, pages[1].ID, document.Box{X2: 80, Y2: 60}, 100)
	check.Code(t, "View", err, fault.Invalid, "unsupported_image")
	_, _, err = w.Thumbnail(t.Context(), w.ann, pages[1].ID)
	check.Kind(t, "Thumbnail", err, fault.Invalid)
	_, err = w.Change(t.Context(), w.ann, pages[1].ID, document.Change{Rotation: new(90)})
	check.Kind(t, "Change", err, fault.Invalid)
	_, err = w.View(t.Context(), w.ann, pages[2].ID, document.Box{X2: 90, Y2: 60}, 100)
	check.OK(t, "View of the last page", err)

	i = w.upload2(t, porttest.SpoilPage(porttest.MultiPageTIFF(plain(7, 5, 0), plain(90, 60, 9)), 1))
	if i.Error == nil || i.Width != 90 || i.Thumbnail != "" {
		t.Errorf("a broken first page: got %+v", i)
	}
	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, i.ID, nil))
	spoilt := porttest.SpoilPage(porttest.SpoilPage(porttest.MultiPageTIFF(plain(7, 5, 0), plain(7, 5, 0)), 1), 2)
	_, err = w.Upload(t.Context(), w.ann, "scan.tiff", porttest.FileOf(spoilt))
	check.Kind(t, "Upload of broken pages only", err, fault.Unsupported)
	check.Same(t, "orphans", w.fakes.Orphans(), []string(nil))
}

func TestThumbnailsOfLaterPages(t *testing.T) {
	w := newWorld(t)
	pages := w.all(t, w.upload2(t, scan(3)))
	_, err := w.Change(t.Context(), w.ann, pages[0].ID, document.Change{Visibility: new(document.Shared)})
	check.OK(t, "Change", err)
	w.fakes.Calls()
	shades := func(id int64) []byte {
		t.Helper()
		_, r, err := w.Thumbnail(t.Context(), w.bob, id) // a user who sees it may have it made
		check.OK(t, "Thumbnail", err)
		defer r.Close()
		b, err := io.ReadAll(r)
		check.OK(t, "reading", err)
		return b
	}
	second, third := shades(pages[1].ID), shades(pages[2].ID)
	if string(second) == string(third) {
		t.Error("pages that look different have the same thumbnail")
	}
	check.Same(t, "the first time", w.fakes.Calls(), []string{"Blobs.Put", "Catalog.Update", "Blobs.Put", "Catalog.Update"})
	if again := shades(pages[1].ID); string(again) != string(second) {
		t.Error("the second time the thumbnail is another one")
	}
	check.Same(t, "the second time", w.fakes.Calls(), []string(nil))

	turned, err := w.Change(t.Context(), w.ann, pages[1].ID, document.Change{Rotation: new(90)})
	check.OK(t, "Change", err)
	check.Same(t, "the turned page", [3]int{turned.Width, turned.Height, turned.Rotation}, [3]int{60, 102, 90})
	check.Same(t, "the page before it", w.all(t, pages[0])[0].Rotation, 0)
	check.Same(t, "orphans", w.fakes.Orphans(), []string(nil))

	// Two at once: one thumbnail is kept, the other goes.
	pages = w.all(t, w.upload2(t, scan(2)))
	w.fakes.Meanwhile("Catalog.Update", func() { shades2(t, w, pages[1].ID) })
	shades2(t, w, pages[1].ID)
	check.Same(t, "orphans", w.fakes.Orphans(), []string(nil))
	for _, mode := range []porttest.Mode{porttest.Before, porttest.After} {
		pages = w.all(t, w.upload2(t, scan(2)))
		w.fakes.Fail("Catalog.Update", mode)
		_, _, err = w.Thumbnail(t.Context(), w.ann, pages[1].ID)
		check.Kind(t, "Thumbnail while the database is away", err, fault.Unavailable)
		shades2(t, w, pages[1].ID)
	}
}

func shades2(t *testing.T, w *world, id int64) {
	t.Helper()
	_, r, err := w.Thumbnail(t.Context(), w.ann, id)
	check.OK(t, "Thumbnail", err)
	check.OK(t, "Close", r.Close())
}

func TestWhatIsOfTheDocument(t *testing.T) {
	w := newWorld(t)
	first := w.upload2(t, scan(3))
	pages := w.all(t, first)
	for what, change := range map[string]document.Change{"name": {Name: new("other")}, "visibility": {Visibility: new(document.Shared)},
		"password": {Password: new("x")}, "name and rotation": {Name: new("other"), Rotation: new(90)}} {
		_, err := w.Change(t.Context(), w.ann, pages[1].ID, change)
		check.Code(t, "Change of the "+what, err, fault.Conflict, "page_of_document")
		if !strings.Contains(fault.Of(err).Text, fmt.Sprint("document ", first.ID)) {
			t.Errorf("%q does not name the document", fault.Of(err).Text)
		}
	}
	check.Code(t, "Delete", w.Delete(t.Context(), w.ann, pages[2].ID, nil), fault.Conflict, "page_of_document")
	check.Kind(t, "Delete by somebody else", w.Delete(t.Context(), w.bob, pages[2].ID, nil), fault.NotFound)
	_, err := w.Change(t.Context(), w.bob, pages[1].ID, document.Change{Name: new("other")})
	check.Kind(t, "Change by somebody else", err, fault.NotFound)

	_, err = w.Change(t.Context(), w.ann, first.ID, document.Change{Name: new("letter"), Visibility: new(document.Shared)})
	check.OK(t, "Change of the first page", err)
	for _, i := range w.all(t, first) {
		check.Same(t, "name", i.Name, "letter")
		if _, err := w.Image(t.Context(), w.bob, i.ID); err != nil {
			t.Errorf("page %d of a shared document: %v", i.Number, err)
		}
	}
	shades2(t, w, pages[2].ID)
	check.OK(t, "Delete", w.Delete(t.Context(), w.ann, first.ID, nil))
	check.Same(t, "released", w.released, []int64{pages[0].ID, pages[1].ID, pages[2].ID})
	check.Same(t, "discarded", w.discarded, w.released)
	check.Same(t, "orphans", w.fakes.Orphans(), []string(nil))
	_, err = w.Image(t.Context(), w.ann, pages[1].ID)
	check.Kind(t, "Image of a later page", err, fault.NotFound)
}

func TestPasswords(t *testing.T) {
	w := newWorld(t)
	lockedBy := func(opens, password string) document.File {
		f := porttest.FileOf(porttest.Locked(scan(2), opens))
		f.Password = password
		return f
	}
	locked := func(password string) document.File { return lockedBy("open sesame", password) }
	for _, password := range []string{"", "wrong"} {
		_, err := w.Upload(t.Context(), w.ann, "secret.pdf", locked(password))
		check.Code(t, "Upload", err, fault.Invalid, "pdf_encrypted")
	}
	long := strings.Repeat("길", document.MaxPassword)
	for password, opens := range map[string]bool{long: true, long + strings.Repeat("x", 1<<16): true, long[3:] + "x": false} {
		i, err := w.Upload(t.Context(), w.ann, "long.pdf", lockedBy(long, password))
		if !opens {
			check.Code(t, "Upload", err, fault.Invalid, "pdf_encrypted")
			continue
		}
		check.OK(t, "Upload with a long password", err)
		i, err = w.Image(t.Context(), w.ann, i.ID)
		check.OK(t, "Image", err)
		check.Same(t, "the password of the image", i.Password, long)
	}
	i, err := w.Upload(t.Context(), w.ann, "secret.pdf", locked("open sesame"))
	check.OK(t, "Upload", err)
	stored, err := w.Catalog.ByID(t.Context(), i.ID)
	check.OK(t, "ByID", err)
	if stored.Password != "" || stored.Seal == nil || strings.Contains(string(stored.Seal), "sesame") {
		t.Errorf("got the password %q and the seal %q in the row", stored.Password, stored.Seal)
	}
	view := func(i document.Image) error {
		_, err := w.View(t.Context(), w.ann, i.ID, i.Box(), 100)
		return err
	}
	for _, page := range w.all(t, i) {
		check.OK(t, "View", view(page))
		shades2(t, w, page.ID)
	}

	// A file that needs no password has none sealed.
	open := porttest.FileOf(scan(2))
	open.Password = "open sesame"
	other, err := w.Upload(t.Context(), w.ann, "open.tiff", open)
	check.OK(t, "Upload", err)
	check.Same(t, "seal", other.Seal, []byte(nil))

	// With another key it is asked for again.
	w.Seals = porttest.NewFakes(t).Seals
	check.Code(t, "View", view(i), fault.Invalid, "pdf_encrypted")
	_, err = w.Image(t.Context(), w.ann, i.ID)
	check.OK(t, "Image", err)
	_, err = w.Change(t.Context(), w.ann, i.ID, document.Change{Password: new("wrong")})
	check.Code(t, "Change", err, fault.Invalid, "pdf_encrypted")
	_, err = w.Change(t.Context(), w.bob, i.ID, document.Change{Password: new("open sesame")})
	check.Kind(t, "Change by somebody else", err, fault.NotFound)
	_, err = w.Change(t.Context(), w.ann, i.ID, document.Change{Password: new("open sesame"), Rotation: new(180)})
	check.OK(t, "Change", err)
	for _, page := range w.all(t, i) {
		check.OK(t, "View", view(page))
	}
	if a, b := i.Page(), (document.Image{SHA256: i.SHA256, Number: 1, Password: "x"}).Page(); a.Key() == b.Key() {
		t.Error("pages opened by different passwords have the same key")
	}
}

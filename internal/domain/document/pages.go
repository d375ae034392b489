package document

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/sweep"
)

// Limits of a file, unless the Service has others.
const (
	MaxPages          = 2000
	MaxDocumentPixels = 20_000_000_000 // of all pages together
)

// MaxPassword is the number of characters that count in a password of a file. No program uses more: modern ciphers use the first 127
// bytes, older ones 32.
const MaxPassword = 255

// CodeEncrypted is the code of the fault of an encrypted file whose password is missing or wrong.
const CodeEncrypted = "pdf_encrypted"

// Seals encrypts passwords of files, so that the database alone does not reveal them. Safe for concurrent use.
type Seals interface {
	// Seal returns the sealed password of the file with that SHA-256; another time it returns other bytes.
	Seal(password, sha256 string) ([]byte, error)

	// Open returns the password that was sealed for that file. It fails where the key is another one or the bytes are not what they were.
	Open(seal []byte, sha256 string) (string, error)
}

// First tells whether the image is that of the first page of its document.
func (i Image) First() bool { return i.Document == i.ID }

// CheckRendered returns Invalid, with the code of Error, if the page cannot be rendered.
func (i Image) CheckRendered() error {
	if i.Error == nil {
		return nil
	}
	return fault.New(fault.Invalid, i.Error.Code, "Page %d of the file cannot be shown or read: %s", i.Number, i.Error.Detail)
}

// checkFirst returns why what is done to documents cannot be done to the image.
func (i Image) checkFirst() error {
	if i.First() {
		return nil
	}
	return fault.New(fault.Conflict, "page_of_document",
		"This image is page %d of the document %d. Do this to image %d: it concerns all pages.",
		i.Number, i.Document, i.Document)
}

// Prober is the part of Imager that examines files.
type Prober interface {
	Probe(ctx context.Context, f File) (Probe, error)
}

// ProbeLocked examines a file that may be encrypted, and returns the password that opens it, or an empty one if it needs none. Faults
// are those of Probe.
func ProbeLocked(ctx context.Context, p Prober, f File, password string) (Probe, string, error) {
	f.Password = ""
	found, err := p.Probe(ctx, f)
	if password == "" || fault.Of(err) == nil || fault.Of(err).Code != CodeEncrypted {
		return found, "", err
	}
	if characters := []rune(password); len(characters) > MaxPassword {
		password = string(characters[:MaxPassword])
	}
	f.Password = password
	found, err = p.Probe(ctx, f)
	return found, password, err
}

// pagesOf are the images of the pages that were found in a file, which is like the given one otherwise.
func (s *Service) pagesOf(like Image, found Probe) ([]Image, error) {
	if most := cmp.Or(s.MaxPages, MaxPages); len(found.Pages) > most {
		return nil, fault.New(fault.TooLarge, "too_many_pages", "The file has %d pages; at most %d are allowed.", len(found.Pages), most)
	}
	pixels := int64(0)
	for _, p := range found.Pages {
		pixels += int64(p.Width) * int64(p.Height)
	}
	if most := cmp.Or(s.MaxDocumentPixels, MaxDocumentPixels); pixels > most {
		return nil, fault.New(fault.TooLarge, "too_many_pixels", "The pages of the file have %d pixels together; at most %d are allowed.",
			pixels, most)
	}
	geometries, err := found.Geometries()
	if err != nil {
		return nil, err
	}
	like.Frames = found.Frames
	pages := make([]Image, len(found.Pages))
	for n, p := range found.Pages {
		pages[n] = like
		pages[n].Number, pages[n].Geometry, pages[n].Error = n+1, geometries[n], p.Error
	}
	return pages, nil
}

// Geometries returns the geometries of all pages. A page that cannot be rendered gets the geometry of the page before it, or else of
// the first page that can be rendered. Unsupported if no page can be rendered.
func (p Probe) Geometries() ([]Geometry, error) {
	sound := Geometry{}
	for n, page := range p.Pages {
		if page.Error == nil {
			sound = p.Geometry(n + 1)
			break
		}
	}
	if sound.Width == 0 {
		why := p.Pages[0].Error
		return nil, fault.New(fault.Unsupported, why.Code, "No page of the file can be shown or read: %s", why.Detail)
	}
	geometries := make([]Geometry, len(p.Pages))
	for n, page := range p.Pages {
		if page.Error == nil {
			sound = p.Geometry(n + 1)
		}
		geometries[n] = sound
	}
	return geometries, nil
}

// firstThumbnail makes the thumbnail of a file's first page; none where that cannot be rendered and others may.
func (s *Service) firstThumbnail(ctx context.Context, a *arrival) error {
	if a.pages[0].Error != nil {
		return nil
	}
	page := a.pages[0].Page()
	page.File = a.file
	made, err := s.Imager.Thumbnail(ctx, page, ThumbnailSide)
	if f := fault.Of(err); f != nil && len(a.pages) > 1 &&
		(f.Kind == fault.Unsupported || f.Kind == fault.TooLarge || f.Kind == fault.Invalid) {
		a.pages[0].Error = &fault.Failure{Code: f.Code, Detail: f.Text}
		return nil
	}
	a.thumbnail = made.Bytes
	return err
}

// sealed returns the sealed password of a file; nil where there is no password.
func (s *Service) sealed(password, sha256 string) ([]byte, error) {
	if password == "" {
		return nil, nil
	}
	return s.Seals.Seal(password, sha256)
}

// shown returns the image as an actor may see it who may see the image at all.
func (s *Service) shown(actor account.Actor, i Image) Image { return s.unsealed(i).knownTo(actor) }

// unsealed fills in the password of an image's file. Without the key there is none, and the file cannot be opened.
func (s *Service) unsealed(i Image) Image {
	if i.Seal != nil {
		i.Password, _ = s.Seals.Open(i.Seal, i.SHA256)
	}
	return i
}

// Rendered is like Image, for callers that show or read the page: it also returns Invalid if the page cannot be rendered.
func (s *Service) Rendered(ctx context.Context, actor account.Actor, id int64) (Image, error) {
	i, err := s.Image(ctx, actor, id)
	if err == nil {
		err = i.CheckRendered()
	}
	return i, err
}

// Pages returns the images of a document in the order of its pages: at most limit, starting with that page number, and the number of
// pages. NotFound; Invalid for the ID of a later page.
func (s *Service) Pages(ctx context.Context, actor account.Actor, documentID int64, from, limit int) ([]Image, int, error) {
	first, err := s.Image(ctx, actor, documentID)
	if err != nil {
		return nil, 0, err
	}
	if !first.First() {
		detail := fmt.Sprintf("the id of a first page; this is page %d of the document %d", first.Number, first.Document)
		return nil, 0, fault.InvalidFields(fault.Field{Field: "document", Detail: detail})
	}
	pages, err := s.Catalog.Pages(ctx, documentID, from, limit)
	for n := range pages {
		pages[n] = s.shown(actor, pages[n])
	}
	return pages, first.Pages, err
}

// makeThumbnail makes the thumbnail of a page that has none, and keeps it.
func (s *Service) makeThumbnail(ctx context.Context, i Image) error {
	if err := i.CheckRendered(); err != nil {
		return err
	}
	made, err := s.Imager.Thumbnail(ctx, i.Page(), ThumbnailSide)
	if err != nil {
		return err
	}
	begun := s.Now()
	thumbnail, err := s.Blobs.Put(ctx, bytes.NewReader(made.Bytes))
	if err != nil {
		return err
	}
	if sweep.TooLate(begun, s.Now()) {
		return s.takeBack(ctx, errTooLate, thumbnail)
	}
	kept := false
	_, err = s.Catalog.Update(ctx, i.ID, func(now *Image) error {
		if kept = now.Thumbnail == "" && now.Rotation == i.Rotation; kept {
			now.Thumbnail = thumbnail
		}
		return nil
	})
	switch {
	case err == nil && !kept: // somebody was faster
		return s.deleteBlobs(ctx, thumbnail)
	case fault.Refused(err):
		return s.takeBack(ctx, err, thumbnail)
	}
	return err
}

// checkPassword makes the change of an image's password, which must open its file, that of its seal.
func (s *Service) checkPassword(ctx context.Context, actor account.Actor, id int64, change *Change) error {
	i, err := s.Catalog.ByID(ctx, id)
	if err == nil {
		err = cmp.Or(mayChange(actor, i), i.checkFirst())
	}
	if err != nil {
		return err
	}
	_, password, err := ProbeLocked(ctx, s.Imager, i.Page().File, *change.Password)
	if err != nil {
		return err
	}
	change.seal, err = s.sealed(password, i.SHA256)
	return err
}

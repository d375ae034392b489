package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/label"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/sweep"
)

// ThumbnailSide is the maximum width and height of a thumbnail in pixels.
const ThumbnailSide = 128

// Service has the operations on images. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Catalog    Catalog
	Users      Users
	Blobs      Blobs
	Files      Files // of what is stored and what is staged
	Imager     Imager
	Seals      Seals
	Dependents Dependents
	Limits     *limit.Service // of users; nil: there are none

	MaxPages          int   // of a file; 0: MaxPages
	MaxDocumentPixels int64 // of all pages of a file together; 0: MaxDocumentPixels

	Now func() time.Time
}

var errTooLate = fault.New(fault.Deadline, "deadline_exceeded", "The image was not stored in time.")

// Upload is a file to be stored as a document.
type Upload struct {
	Name string // as the client calls it
	File File   // staged; its Password opens it, if it is encrypted
}

// Upload stores a document with an image for each page, and returns that of the first page. It stores bytes first and rows last, so
// that an acknowledged document is complete. It stores nothing if no page can be shown; a page that cannot be shown while others can
// has its Error. Invalid for the name, and with the code "pdf_encrypted" as the Imager says; Unsupported and TooLarge as the Imager
// says, and for too many pages or pixels of all pages; Full if the user would exceed a limit; Deadline if the bytes may be swept before
// the rows are stored.
func (s *Service) Upload(ctx context.Context, actor account.Actor, name string, f File) (Image, error) {
	images, err := s.UploadAll(ctx, actor, []Upload{{name, f}}, once.Claim{})
	if err != nil {
		return Image{}, err
	}
	return images[0], nil
}

// UploadAll stores several documents, or none if one of them is refused. It examines all before it stores the first, and adds their
// rows in one step, together with the claim. Faults are those of Upload; they name the files "file[0]" and so on, or "file" if there is
// only one.
func (s *Service) UploadAll(ctx context.Context, actor account.Actor, uploads []Upload, claim once.Claim) ([]Image, error) {
	bytes := int64(0)
	for _, u := range uploads {
		bytes += u.File.Size
	}
	if err := s.Limits.RoomForDocuments(ctx, actor.UserID, len(uploads), bytes); err != nil {
		return nil, err
	}
	looked := make([]arrival, len(uploads))
	for k, u := range uploads {
		var err error
		if looked[k], err = s.look(ctx, actor, u); err != nil {
			return nil, onFile(err, k, len(uploads))
		}
	}
	return s.store(ctx, looked, claim)
}

// arrival is a file that was looked at.
type arrival struct {
	pages     []Image
	file      File
	thumbnail []byte // of the first page; nil where that cannot be rendered
}

// look finds out what a file is, and makes the thumbnail of its first page.
func (s *Service) look(ctx context.Context, actor account.Actor, u Upload) (a arrival, err error) {
	like := Image{Name: uploadName(u.Name), Size: u.File.Size, SHA256: u.File.SHA256, Visibility: Private,
		Owner: account.Ref{ID: actor.UserID, Name: actor.Name}}
	if err := fault.InvalidFields(checkName(like.Name)...); err != nil {
		return a, err
	}
	a.file = u.File
	var found Probe
	if found, a.file.Password, err = ProbeLocked(ctx, s.Imager, u.File, u.File.Password); err != nil {
		return a, err
	}
	a.file.MediaType = found.MediaType
	if like.Seal, err = s.sealed(a.file.Password, like.SHA256); err != nil {
		return a, err
	}
	if a.pages, err = s.pagesOf(like, found); err != nil {
		return a, err
	}
	return a, s.firstThumbnail(ctx, &a)
}

// store puts all blobs first, and then adds the rows.
func (s *Service) store(ctx context.Context, arrivals []arrival, claim once.Claim) ([]Image, error) {
	begun := s.Now()
	var blobs []string
	documents := make([][]Image, len(arrivals))
	for k, a := range arrivals {
		put, err := s.putAll(ctx, a, begun)
		blobs = append(blobs, put...)
		if err != nil {
			return nil, onFile(s.takeBack(ctx, err, blobs...), k, len(arrivals))
		}
		documents[k] = a.pages
	}
	if sweep.TooLate(begun, s.Now()) {
		return nil, s.takeBack(ctx, errTooLate, blobs...)
	}
	added, err := s.Catalog.Add(ctx, claim, s.Limits.Defaults(), documents...)
	if err != nil && !fault.Refused(err) {
		return nil, err // the rows may have been added, so the bytes stay; the sweeper removes them if not
	}
	if err != nil {
		return nil, s.takeBack(ctx, err, blobs...)
	}
	return added, nil
}

// putAll stores the bytes of a file and the thumbnail of its first page, and names them in the images of its pages. It returns the blobs
// that it has put, even on failure.
func (s *Service) putAll(ctx context.Context, a arrival, begun time.Time) (blobs []string, err error) {
	if a.thumbnail != nil {
		if a.pages[0].Thumbnail, err = s.Blobs.Put(ctx, bytes.NewReader(a.thumbnail)); err != nil {
			return nil, err
		}
		blobs = append(blobs, a.pages[0].Thumbnail)
	}
	original, err := s.putOriginal(ctx, a.file)
	if err != nil {
		return blobs, err
	}
	for n := range a.pages {
		a.pages[n].Original, a.pages[n].Created = original, begun.UTC().Truncate(time.Microsecond)
	}
	return append(blobs, original), nil
}

// onFile adds to a fault which of several files it is about. The password is a field of its own.
func onFile(err error, n, of int) error {
	name := "file"
	if of > 1 {
		name = fmt.Sprintf("file[%d]", n)
	}
	f := *fault.Of(err)
	fields := []fault.Field{{Field: name, Detail: f.Text}}
	for i, field := range f.Fields {
		if i == 0 {
			fields = nil
		}
		if of > 1 || field.Field != "password" {
			field = fault.Field{Field: name, Detail: field.Field + ": " + field.Detail}
		}
		fields = append(fields, field)
	}
	f.Fields = fields
	if f.Cause == nil {
		f.Cause = err // what is joined to the fault, such as a failure of cleaning up, is for the log
	}
	return &f
}

func (s *Service) putOriginal(ctx context.Context, f File) (string, error) {
	r, err := s.Files.Open(ctx, f)
	if err != nil {
		return "", err
	}
	defer r.Close()
	return s.Blobs.Put(ctx, r)
}

// takeBack deletes blobs that no row will name because of that error, unless the error is that their store cannot be reached.
func (s *Service) takeBack(ctx context.Context, cause error, blobs ...string) error {
	if fault.Is(cause, fault.Unavailable) {
		return cause
	}
	return errors.Join(cause, s.deleteBlobs(ctx, blobs...))
}

// deleteBlobs gives up if the store cannot be reached, so that nobody waits: the sweeper deletes them later.
func (s *Service) deleteBlobs(ctx context.Context, blobs ...string) error {
	var errs []error
	for _, name := range blobs {
		if name == "" { // of a page that has no thumbnail
			continue
		}
		err := s.Blobs.Delete(context.WithoutCancel(ctx), name)
		errs = append(errs, err)
		if fault.Is(err, fault.Unavailable) {
			break
		}
	}
	return errors.Join(errs...)
}

// Image returns the metadata of an image that the actor may see. NotFound, also for images that the actor may not see.
func (s *Service) Image(ctx context.Context, actor account.Actor, id int64) (Image, error) {
	i, err := s.Catalog.ByID(ctx, id)
	if err != nil {
		return Image{}, err
	}
	if !i.MaySee(actor) {
		return Image{}, ErrImageNotFound
	}
	return s.shown(actor, i), nil
}

// Several returns those of the images that the actor may see, by ID.
func (s *Service) Several(ctx context.Context, actor account.Actor, ids []int64) (map[int64]Image, error) {
	images, err := s.Catalog.ByIDs(ctx, ids)
	seen := make(map[int64]Image, len(images))
	for _, i := range images {
		if i.MaySee(actor) {
			seen[i.ID] = s.shown(actor, i)
		}
	}
	return seen, err
}

// List returns documents that the actor may see, as the images of their first pages, and the total number of matches. It sets Viewer,
// Owner and Others of the query according to Whose. Forbidden for Everyone unless the actor is an administrator; Invalid for Before if
// the list is ordered by name and Before is not a document that the actor may see.
func (s *Service) List(ctx context.Context, actor account.Actor, q Query) ([]Image, int, error) {
	if err := q.pick(actor); err != nil {
		return nil, 0, err
	}
	tags := q.Tags
	q.Tags = nil
	for _, tag := range tags {
		q.Tags = append(q.Tags, FoldTag(cleanTag(tag)))
	}
	if q.Order == ByName && q.Before != 0 { // its position in a list tells about its name
		if _, err := s.Image(ctx, actor, q.Before); err != nil {
			return nil, 0, noPlace(err)
		}
	}
	images, total, err := s.Catalog.List(ctx, q)
	for n, i := range images {
		images[n] = i.knownTo(actor)
	}
	return images, total, noPlace(err)
}

// pick sets whose documents the actor sees in a list.
func (q *Query) pick(actor account.Actor) error {
	q.Viewer, q.Owner, q.Others = actor.UserID, 0, q.Whose == Others
	switch {
	case q.Whose == Own:
		q.Owner = actor.UserID
	case q.Others:
	case actor.Admin:
		q.Viewer = 0
	case q.Whose == Everyone:
		return fault.New(fault.Forbidden, "administrators_only", "Only administrators may list the images of everybody.")
	}
	return nil
}

func noPlace(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.InvalidFields(fault.Field{Field: "before", Detail: "a document that is there, where the order is that of names"})
	}
	return err
}

// Original returns an image with its bytes, which the caller closes. NotFound.
func (s *Service) Original(ctx context.Context, actor account.Actor, id int64) (Image, io.ReadSeekCloser, error) {
	return s.open(ctx, actor, id, func(i Image) string { return i.Original })
}

// Thumbnail returns an image with the bytes of its thumbnail (PNG or JPEG), which the caller closes. Thumbnails of later pages are made
// on the first request. NotFound; when one is made, also the faults of Rendered and of the Imager.
func (s *Service) Thumbnail(ctx context.Context, actor account.Actor, id int64) (Image, io.ReadSeekCloser, error) {
	i, err := s.Image(ctx, actor, id)
	if err == nil && i.Thumbnail == "" {
		err = s.makeThumbnail(ctx, i)
	}
	if err != nil {
		return Image{}, nil, err
	}
	return s.open(ctx, actor, id, func(i Image) string { return i.Thumbnail })
}

func (s *Service) open(ctx context.Context, actor account.Actor, id int64, blob func(Image) string) (Image, io.ReadSeekCloser, error) {
	i, err := s.Image(ctx, actor, id)
	for err == nil {
		r, failure := s.Blobs.Open(ctx, blob(i))
		if !fault.Is(failure, fault.NotFound) {
			return i, r, failure
		}
		was := blob(i)
		if i, err = s.Image(ctx, actor, id); err == nil && blob(i) == was { // otherwise the image was turned meanwhile
			return Image{}, nil, failure
		}
	}
	return Image{}, nil, err
}

// View returns an upright rendition of a part of an image, with at most that width in pixels, in a format that every browser shows.
// NotFound; Invalid for a part outside the image, and the faults of Rendered.
func (s *Service) View(ctx context.Context, actor account.Actor, id int64, part Box, width int) (Rendition, error) {
	i, err := s.Rendered(ctx, actor, id)
	if err != nil {
		return Rendition{}, err
	}
	if wrong := part.Check("", i.Width, i.Height); len(wrong) > 0 {
		return Rendition{}, fault.InvalidFields(wrong...)
	}
	return s.Imager.View(ctx, i.Page(), part, width)
}

// Change says what to change about an image. Nil fields stay unchanged.
type Change struct {
	Name       *string
	Visibility *Visibility
	Tags       *[]string // in NFC; they replace those that there are
	Rotation   *int      // one of Rotations
	Password   *string   // that opens the file, where it is encrypted
	If         ImageCondition

	seal []byte // the sealed password
}

// ImageCondition decides whether an image, as it is now, may be changed. nil means always.
type ImageCondition func(Image) bool

// check returns Stale where the condition does not hold.
func (holds ImageCondition) check(i Image) error {
	if holds == nil || holds(i) {
		return nil
	}
	return fault.New(fault.Stale, "precondition_failed", "A precondition of the request does not hold.")
}

// ofDocument tells whether the change concerns all pages.
func (c Change) ofDocument() bool {
	return c.Name != nil || c.Visibility != nil || c.Password != nil || c.Tags != nil
}

// check cleans the change and returns what is wrong with it.
func (c *Change) check() error {
	var fields []fault.Field
	if c.Name != nil {
		fields = append(fields, checkName(*c.Name)...)
	}
	if c.Visibility != nil && *c.Visibility != Private && *c.Visibility != Shared {
		fields = append(fields, fault.Field{Field: "visibility", Detail: "private or shared"})
	}
	if c.Tags != nil {
		tags, wrong := cleanTags(*c.Tags)
		c.Tags, fields = &tags, append(fields, wrong...)
	}
	if c.Rotation != nil && !slices.Contains(Rotations, *c.Rotation) {
		fields = append(fields, fault.Field{Field: "rotation", Detail: "0, 90, 180 or 270"})
	}
	return fault.InvalidFields(fields...)
}

// Change renames a document, sets its visibility and its tags, accepts the password of its file, or turns a page. The owner and
// administrators may do so. NotFound for users who may not see it; Forbidden for users with whom it is only shared; Conflict with the
// code "page_of_document" if the image is that of a later page and more than a rotation is requested; Stale if the condition does not
// hold; for a password and a rotation also the faults of the Imager; for a rotation Deadline if the thumbnail may be swept before the
// row refers to it.
func (s *Service) Change(ctx context.Context, actor account.Actor, id int64, change Change) (Image, error) {
	if change.Name != nil {
		change.Name = new(label.Clean(*change.Name))
	}
	if err := change.check(); err != nil {
		return Image{}, err
	}
	if change.Password != nil {
		if err := s.checkPassword(ctx, actor, id, &change); err != nil {
			return Image{}, err
		}
	}
	if change.Rotation != nil {
		return s.turn(ctx, actor, id, change)
	}
	return s.update(ctx, actor, id, change, nil)
}

// update changes the row; turn, where it is not nil, does to it what is more than names.
func (s *Service) update(ctx context.Context, actor account.Actor, id int64, change Change, turn func(*Image)) (Image, error) {
	return s.Catalog.Update(ctx, id, func(i *Image) error {
		if err := mayChange(actor, *i); err != nil {
			return err
		}
		if change.ofDocument() {
			if err := i.checkFirst(); err != nil {
				return err
			}
		}
		if err := change.If.check(*i); err != nil {
			return err
		}
		if change.seal != nil {
			i.Seal = change.seal
		}
		if change.Name != nil {
			i.Name = *change.Name
		}
		if change.Tags != nil {
			i.Tags = *change.Tags
		}
		if change.Visibility != nil {
			i.Visibility = *change.Visibility
		}
		if turn != nil {
			turn(i)
		}
		return nil
	})
}

// turn makes a change that has a rotation: the new thumbnail first, then the row, then the old thumbnail goes.
func (s *Service) turn(ctx context.Context, actor account.Actor, id int64, change Change) (Image, error) {
	i, err := s.Catalog.ByID(ctx, id)
	if err != nil {
		return Image{}, err
	}
	if err := mayChange(actor, i); err != nil {
		return Image{}, err
	}
	if change.ofDocument() {
		if err := i.checkFirst(); err != nil {
			return Image{}, err
		}
	}
	if change.seal != nil {
		i.Seal = change.seal
	}
	i = s.unsealed(i)
	if err := i.CheckRendered(); err != nil {
		return Image{}, err
	}
	made, err := s.Imager.Thumbnail(ctx, i.TurnedTo(*change.Rotation).Page(), ThumbnailSide)
	if err != nil {
		return Image{}, err
	}
	begun := s.Now()
	thumbnail, err := s.Blobs.Put(ctx, bytes.NewReader(made.Bytes))
	if err != nil {
		return Image{}, err
	}
	if sweep.TooLate(begun, s.Now()) {
		return Image{}, s.takeBack(ctx, errTooLate, thumbnail)
	}
	var old string
	turned, err := s.update(ctx, actor, id, change, func(i *Image) {
		old = i.Thumbnail
		*i = i.TurnedTo(*change.Rotation)
		i.Thumbnail = thumbnail
	})
	switch {
	case err == nil:
		_ = s.deleteBlobs(ctx, old) // where that fails it is an orphan, for the sweeper
	case fault.Refused(err):
		err = s.takeBack(ctx, err, thumbnail)
	}
	return turned, err // after any other failure the row may have changed, so both thumbnails stay; the sweeper removes the orphan
}

func mayChange(actor account.Actor, i Image) error {
	switch {
	case !i.MaySee(actor):
		return ErrImageNotFound
	case !actor.MayActFor(i.Owner.ID):
		return fault.New(fault.Forbidden, "owner_only", "Only the owner of the image or an administrator may do this.")
	}
	return nil
}

// Delete removes a document with the results of all its pages: first the rows, then what they refer to. Permissions are those of
// Change. Conflict with the code "page_of_document" if the image is that of a later page; Stale if the condition does not hold, which
// must depend only on what never changes.
func (s *Service) Delete(ctx context.Context, actor account.Actor, id int64, condition ImageCondition) error {
	i, err := s.Catalog.ByID(ctx, id)
	if err != nil {
		return err
	}
	if err := mayChange(actor, i); err != nil {
		return err
	}
	if err := i.checkFirst(); err != nil {
		return err
	}
	if err := condition.check(i); err != nil {
		return err
	}
	return s.remove(ctx, i)
}

// remove deletes the document whose first page has that image. It is done once the rows are gone, which makes their bytes orphans. It
// returns no error if deleting these fails, since a second request would find no image.
func (s *Service) remove(ctx context.Context, first Image) error {
	pages := []Image{first}
	if first.Pages > 1 {
		var err error
		if pages, err = s.Catalog.Pages(ctx, first.ID, 1, first.Pages); err != nil {
			return err
		}
	}
	var ids []int64
	blobs := []string{first.Original}
	for _, p := range pages {
		ids, blobs = append(ids, p.ID), append(blobs, p.Thumbnail)
	}
	discard, err := s.Dependents.Release(ctx, ids...)
	if err != nil {
		return err
	}
	if err := s.Catalog.Delete(ctx, first.ID); err != nil {
		return err
	}
	_ = discard(context.WithoutCancel(ctx))
	_ = s.deleteBlobs(ctx, blobs...)
	return nil
}

// RemoveAllOf removes all images of a user whose account is being deleted.
func (s *Service) RemoveAllOf(ctx context.Context, userID int64) error {
	for {
		images, _, err := s.Catalog.List(ctx, Query{Owner: userID, Size: 100})
		if err != nil || len(images) == 0 {
			return err
		}
		for _, i := range images {
			if err := s.remove(ctx, i); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
	}
}

var _ account.Dependents = (*Service)(nil)

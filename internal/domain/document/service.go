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
	"glyphbox/internal/domain/sweep"
)

// ThumbnailSide is the most pixels of a thumbnail's sides.
const ThumbnailSide = 128

// Service has the operations on images. Its fields are set once, before first use; then it is safe for concurrent use.
type Service struct {
	Catalog    Catalog
	Blobs      Blobs
	Files      Files // of what is stored and what is staged
	Imager     Imager
	Dependents Dependents
	MaxImages  int // of one user
	Now        func() time.Time
}

var errTooLate = fault.New(fault.Deadline, "deadline_exceeded", "The image was not stored in time.")

// Upload is a file that is to become an image.
type Upload struct {
	Name string // as the client calls it
	File File   // staged
}

// Upload stores an image: bytes first, row last, so that what is answered has all its parts. Nothing is stored of what cannot be shown.
// Invalid for the name; Unsupported and TooLarge as the Imager says; Conflict where the user has too many images; Deadline where the bytes
// may be swept before the row is there.
func (s *Service) Upload(ctx context.Context, actor account.Actor, name string, f File) (Image, error) {
	images, err := s.UploadAll(ctx, actor, []Upload{{name, f}})
	if err != nil {
		return Image{}, err
	}
	return images[0], nil
}

// UploadAll stores several images, or none where one of them is refused: they are all looked at before the first is stored. Faults are
// those of Upload, naming the files as "file[0]" and so on, or as "file" where there is one.
func (s *Service) UploadAll(ctx context.Context, actor account.Actor, uploads []Upload) ([]Image, error) {
	n, err := s.Catalog.Count(ctx, actor.UserID)
	if err != nil {
		return nil, err
	}
	if n+len(uploads) > s.MaxImages {
		return nil, fault.New(fault.Conflict, "too_many_images", "There may be at most %d images of one user. Delete some first.", s.MaxImages)
	}
	looked := make([]arrival, len(uploads))
	for k, u := range uploads {
		if looked[k], err = s.look(ctx, actor, u); err != nil {
			return nil, onFile(err, k, len(uploads))
		}
	}
	var images []Image
	for k, a := range looked {
		i, err := s.store(ctx, a)
		if err != nil {
			return nil, s.takeBackImages(ctx, images, onFile(err, k, len(uploads)))
		}
		images = append(images, i)
	}
	return images, nil
}

// arrival is a file that was looked at.
type arrival struct {
	Image
	file      File
	thumbnail Rendition
}

// look finds out what a file is, and makes its thumbnail.
func (s *Service) look(ctx context.Context, actor account.Actor, u Upload) (a arrival, err error) {
	a = arrival{file: u.File, Image: Image{Name: uploadName(u.Name), Size: u.File.Size, SHA256: u.File.SHA256, Visibility: Private,
		Owner: account.Ref{ID: actor.UserID, Name: actor.Name}}}
	if err := fault.InvalidFields(checkName(a.Name)...); err != nil {
		return a, err
	}
	probe, err := s.Imager.Probe(ctx, u.File)
	if err != nil {
		return a, err
	}
	a.Geometry, a.Number = probe.Geometry(1), 1
	page := a.Page()
	page.File.Blob, page.File.Staged = "", u.File.Staged
	a.thumbnail, err = s.Imager.Thumbnail(ctx, page, ThumbnailSide)
	return a, err
}

func (s *Service) store(ctx context.Context, a arrival) (Image, error) {
	begun := s.Now()
	i := a.Image
	i.Created = begun.UTC().Truncate(time.Microsecond)
	var err error
	if i.Thumbnail, err = s.Blobs.Put(ctx, bytes.NewReader(a.thumbnail.Bytes)); err != nil {
		return Image{}, err
	}
	if i.Original, err = s.putOriginal(ctx, a.file); err != nil {
		return Image{}, s.takeBack(ctx, err, i.Thumbnail)
	}
	if sweep.TooLate(begun, s.Now()) {
		return Image{}, s.takeBack(ctx, errTooLate, i.Original, i.Thumbnail)
	}
	added, err := s.Catalog.Add(ctx, i)
	if err != nil && !certain(err) {
		return Image{}, err // the row may be there all the same, so its bytes stay: the sweeper knows
	}
	if err != nil {
		return Image{}, s.takeBack(ctx, err, i.Original, i.Thumbnail)
	}
	return added, nil
}

// takeBackTime is how long removing the images of a failed upload may take.
const takeBackTime = 10 * time.Second

// takeBackImages removes what was stored of an upload that fails after all.
func (s *Service) takeBackImages(ctx context.Context, images []Image, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
	defer cancel()
	for _, i := range images {
		if err := s.remove(ctx, i); err != nil {
			return fault.New(fault.Internal, "internal", "An image of a failed upload stays.").Because(errors.Join(err, cause))
		}
	}
	return cause
}

// onFile says which of several files a fault is about.
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
		fields = append(fields, fault.Field{Field: name, Detail: field.Field + ": " + field.Detail})
	}
	f.Fields = fields
	if f.Cause == nil {
		f.Cause = err // what is joined to the fault, such as a failure of cleaning up, is for the log
	}
	return &f
}

// certain tells whether the failure of a write means that nothing was written.
func certain(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Conflict:
		return true
	}
	return false
}

func (s *Service) putOriginal(ctx context.Context, f File) (string, error) {
	r, err := s.Files.Open(ctx, f)
	if err != nil {
		return "", err
	}
	defer r.Close()
	return s.Blobs.Put(ctx, r)
}

// takeBack deletes blobs that are not going to be named for that cause, unless it is that their store is away.
func (s *Service) takeBack(ctx context.Context, cause error, blobs ...string) error {
	if fault.Is(cause, fault.Unavailable) {
		return cause
	}
	return errors.Join(cause, s.deleteBlobs(ctx, blobs...))
}

// deleteBlobs gives up where the store is away, so that nobody is kept waiting for what the sweeper does as well.
func (s *Service) deleteBlobs(ctx context.Context, blobs ...string) error {
	var errs []error
	for _, name := range blobs {
		err := s.Blobs.Delete(context.WithoutCancel(ctx), name)
		errs = append(errs, err)
		if fault.Is(err, fault.Unavailable) {
			break
		}
	}
	return errors.Join(errs...)
}

// Image returns the metadata of an image that the actor may see. NotFound, also for somebody else's.
func (s *Service) Image(ctx context.Context, actor account.Actor, id int64) (Image, error) {
	i, err := s.Catalog.ByID(ctx, id)
	if err != nil {
		return Image{}, err
	}
	if !i.MaySee(actor) {
		return Image{}, ErrImageNotFound
	}
	return i, nil
}

// List returns images that the actor may see, newest first, and how many match in all. The query's Viewer and Owner are set here, by Whose. Forbidden for
// Everyone, where the actor is no administrator.
func (s *Service) List(ctx context.Context, actor account.Actor, q Query) ([]Image, int, error) {
	q.Viewer, q.Owner = actor.UserID, 0
	switch {
	case q.Whose == Own:
		q.Owner = actor.UserID
	case actor.Admin:
		q.Viewer = 0
	case q.Whose == Everyone:
		return nil, 0, fault.New(fault.Forbidden, "administrators_only", "Only administrators may list the images of everybody.")
	}
	return s.Catalog.List(ctx, q)
}

// Original returns an image with its bytes, which the caller closes. NotFound.
func (s *Service) Original(ctx context.Context, actor account.Actor, id int64) (Image, io.ReadSeekCloser, error) {
	return s.open(ctx, actor, id, func(i Image) string { return i.Original })
}

// Thumbnail returns an image with the bytes of its thumbnail (PNG or JPEG), which the caller closes. NotFound.
func (s *Service) Thumbnail(ctx context.Context, actor account.Actor, id int64) (Image, io.ReadSeekCloser, error) {
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
		if i, err = s.Image(ctx, actor, id); err == nil && blob(i) == was { // else the image was turned meanwhile
			return Image{}, nil, failure
		}
	}
	return Image{}, nil, err
}

// View returns an upright rendition of a part of an image, at most that many pixels wide, that every browser shows. NotFound; Invalid
// for a part that is not on the image.
func (s *Service) View(ctx context.Context, actor account.Actor, id int64, part Box, width int) (Rendition, error) {
	i, err := s.Image(ctx, actor, id)
	if err != nil {
		return Rendition{}, err
	}
	if wrong := part.Check("", i.Width, i.Height); len(wrong) > 0 {
		return Rendition{}, fault.InvalidFields(wrong...)
	}
	return s.Imager.View(ctx, i.Page(), part, width)
}

// Change is what is to be different about an image. What is nil stays.
type Change struct {
	Name       *string
	Visibility *Visibility
	Rotation   *int // one of Rotations
}

func (c Change) check() error {
	var fields []fault.Field
	if c.Name != nil {
		fields = append(fields, checkName(*c.Name)...)
	}
	if c.Visibility != nil && *c.Visibility != Private && *c.Visibility != Shared {
		fields = append(fields, fault.Field{Field: "visibility", Detail: "private or shared"})
	}
	if c.Rotation != nil && !slices.Contains(Rotations, *c.Rotation) {
		fields = append(fields, fault.Field{Field: "rotation", Detail: "0, 90, 180 or 270"})
	}
	return fault.InvalidFields(fields...)
}

// Change renames an image, sets who may see it and turns its page. The owner or an administrator may; NotFound for whom it does not exist,
// Forbidden for whom it is only shared with; for a rotation also as the Imager says, and Deadline where the thumbnail may be swept before
// the row names it.
func (s *Service) Change(ctx context.Context, actor account.Actor, id int64, change Change) (Image, error) {
	if change.Name != nil {
		change.Name = new(label.Clean(*change.Name))
	}
	if err := change.check(); err != nil {
		return Image{}, err
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
		if change.Name != nil {
			i.Name = *change.Name
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
	case certain(err) || fault.Is(err, fault.Forbidden):
		err = s.takeBack(ctx, err, thumbnail)
	}
	return turned, err // after another failure the row may be changed all the same, so both thumbnails stay: the sweeper knows
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

// Delete removes an image with its results: rows first, then what they named. Who may is as with Change.
func (s *Service) Delete(ctx context.Context, actor account.Actor, id int64) error {
	i, err := s.Catalog.ByID(ctx, id)
	if err != nil {
		return err
	}
	if err := mayChange(actor, i); err != nil {
		return err
	}
	return s.remove(ctx, i)
}

// remove has done its work once the row is gone: what it named is an orphan then. That deleting that fails is no failure of
// this, since asking again would find no image.
func (s *Service) remove(ctx context.Context, i Image) error {
	discard, err := s.Dependents.Release(ctx, i.ID)
	if err != nil {
		return err
	}
	if err := s.Catalog.Delete(ctx, i.ID); err != nil {
		return err
	}
	_ = discard(context.WithoutCancel(ctx))
	_ = s.deleteBlobs(ctx, i.Original, i.Thumbnail)
	return nil
}

// RemoveAllOf removes every image of a user who resigns.
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

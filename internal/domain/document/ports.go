package document

import (
	"context"
	"io"
	"iter"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
)

// Query selects documents for a list.
type Query struct {
	Viewer  int64    // only what this user owns or what is shared, with everybody or by name; 0: everything
	Owner   int64    // only what this user owns; 0: whoever owns it
	Others  bool     // only what the viewer, who is not 0, does not own; without Owner
	Keyword string   // only with this in the image's or the owner's name; see Catalog.List
	Tags    []string // only with all of these tags, folded
	Size    int      // documents a page of the list
	Page    int      // counted from 0
	Order   Order
	Before  int64 // only what comes after this document in that order; 0: from the first
	Whose   Whose // for Service.List, which sets Viewer, Owner and Others by it
}

// Order is the order of a list of documents.
type Order string

// The orders of lists.
const (
	Newest Order = ""       // the newest document first
	Oldest Order = "oldest" // the oldest document first
	ByName Order = "name"   // as people sort names: whatever the letter case, numbers by their value; of the same name the oldest first
)

// Whose selects the owners of the images in a list.
type Whose string

// The values of Whose.
const (
	Seen     Whose = ""       // all that the actor may see
	Own      Whose = "me"     // those that the actor owns
	Others   Whose = "others" // those that others share with the actor, by name or with everybody
	Everyone Whose = "all"    // all that there are, for administrators
)

// Catalog keeps the metadata of images. Safe for concurrent use. Times are kept in UTC to the microsecond.
type Catalog interface {
	// Add stores the images of new documents of one owner, of each all pages in their order, as one step, and returns the first ones with
	// their IDs and their owner's name. A later image has a greater ID. It notes them for the claim. NotFound where the owner is no user or
	// has resigned; what limit.Limits.Documents returns where the owner may not have them, by limits of their own or else by the general
	// ones.
	Add(ctx context.Context, claim once.Claim, general limit.Limits, documents ...[]Image) ([]Image, error)

	// ByID returns one image. NotFound.
	ByID(ctx context.Context, id int64) (Image, error)

	// ByIDs returns those of the images that are there, in no order. The IDs differ.
	ByIDs(ctx context.Context, ids []int64) ([]Image, error)

	// Pages returns the images of a document in the order of its pages: at most limit, from that page number on. NotFound, also for the ID
	// of a later page.
	Pages(ctx context.Context, documentID int64, from, limit int) ([]Image, error)

	// List returns documents, each by the image of its first page, and how many match in all (whatever Page and Before). The newest is the
	// one with the greatest ID. By name letters come after digits, Hangul after Latin letters, and accents are looked at last. NotFound
	// where the order is that of names and Before is no document.
	// The keyword is found anywhere in a name, whatever the letter case and the Unicode normal form of either; % and _ are plain
	// characters.
	List(ctx context.Context, q Query) ([]Image, int, error)

	// Tags returns the tags of documents that a query picks, and how many there are in all. Of the query it looks at Viewer, Owner, Others,
	// Size and Page, and at Keyword, a part of the folded tag. The order is that of the folded tags, byte by byte.
	Tags(ctx context.Context, q Query) ([]Tag, int, error)

	// Update changes Name, Visibility, Readers, Tags, Seal, Rotation, Width, Height and Thumbnail of one image: it reads the row, calls
	// change and writes what change left, as one step that excludes other updates of the row, so change may be called more than once. Name,
	// Visibility, Readers, Tags and Seal are changed of all pages of its document, and only where the image is that of the first page. An
	// error from change leaves the row as it was and is returned as it is. NotFound; account.ErrUserNotFound where a new reader is no user
	// or has resigned. One who resigns is no reader any more.
	Update(ctx context.Context, id int64, change func(*Image) error) (Image, error)

	// Delete removes the rows of a document, and with them, as one step, those of the runs of its pages. NotFound, also for the ID of a
	// later page.
	Delete(ctx context.Context, id int64) error

	// Named returns those of the blobs that an image names, as its original or its thumbnail, in no order, each once. "" is none.
	Named(ctx context.Context, blobs []string) ([]string, error)
}

// The faults of stores. Each is returned as it is, or with a cause.
var (
	ErrImageNotFound = fault.New(fault.NotFound, "image_not_found", "There is no such image.")
	ErrBlobNotFound  = fault.New(fault.NotFound, "blob_not_found", "There is no such blob.")
)

// Users finds the users with whom documents are shared. account.Users implements it.
type Users interface {
	// ByName returns the user of that name, whatever its case. NotFound, also for the empty name.
	ByName(ctx context.Context, name string) (account.User, error)
}

// Blobs keeps bytes under names that it chooses. A blob never changes. A blob that no image refers to is removed when it is older than
// sweep.MinAge. Safe for concurrent use.
type Blobs interface {
	// Put stores all that r gives and returns the blob's name: letters, digits, and -_ only. The blob is there when Put returns and
	// durable then, and never there in part. An error of r is returned (wrapped) and leaves nothing.
	Put(ctx context.Context, r io.Reader) (string, error)

	// Open returns the bytes of a blob, to be closed by the caller, who may close early and seek anywhere. NotFound, also for a
	// name that no blob can have. Reading goes on where the blob is deleted meanwhile, or fails; it never ends early as if complete.
	Open(ctx context.Context, name string) (io.ReadSeekCloser, error)

	// Delete removes a blob, and what there is of one in part. That it is not there is no error.
	Delete(ctx context.Context, name string) error

	// Old goes through the names of all blobs that were put before that time, by the store's own record of it, and of what there is
	// of others in part, where a Put or a Delete broke off before that time, in no order. It holds a bounded number of them. The caller may
	// delete what it is given; what others put or delete meanwhile may be among them or not. It ends at the first error. Unavailable.
	Old(ctx context.Context, before time.Time) iter.Seq2[string, error]
}

// Imager examines image files and makes renditions of them. Safe for concurrent use. Bytes are not trusted: whatever they are, they do
// not harm the process of the caller. Unsupported for what cannot be read; TooLarge with code "too_many_pixels" for more pixels than
// allowed, from the header alone; also Busy, Deadline, Unavailable, and what Files.Open returns.
type Imager interface {
	// Probe looks at a file and at each of its pages. What is wrong with one page of several is its Error. Invalid with code
	// "pdf_encrypted" where the file is encrypted and its Password does not open it.
	Probe(ctx context.Context, f File) (Probe, error)

	// Thumbnail makes a rendition of the upright, turned page that fits into a square of that many pixels, never larger than the page.
	// It decodes the page, so that a file it makes a thumbnail of is one that can be recognised.
	Thumbnail(ctx context.Context, p Page, side int) (Rendition, error)

	// View makes a rendition of a part of the upright, turned page, which lies wholly on it and may be all of it, that every browser shows:
	// at most that many pixels wide, never larger than the part, and of its shape.
	View(ctx context.Context, p Page, part Box, width int) (Rendition, error)

	// Mended writes a PDF file anew, without encryption, as Probe understood it, so that programs read it that forgive less. Where pages
	// are named, it has nothing else, in their order, each with all that it inherits.
	Mended(ctx context.Context, f File, pages []int) ([]byte, error)
}

// Dependents removes what belongs to images in outer packages.
type Dependents interface {
	// Release is called before the rows of all images of a document are deleted, which takes the rows of their runs along. It returns how
	// to discard what those rows named, to be called after.
	Release(ctx context.Context, imageIDs ...int64) (discard func(context.Context) error, err error)
}

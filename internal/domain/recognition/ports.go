package recognition

import (
	"context"
	"io"
	"iter"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// Task is one region for an engine, with all options decided.
type Task struct {
	document.Box          // within the page
	Name         string   // not for the engine
	Lang         []string // installed ones and AutoLang, at least one; the engine picks the order
	Shape        Shape    // ShapeAuto: the engine picks it
	Mode         Mode     // one of Engine.Modes
	Rotate       Rotate   // one of Rotates
	Effort       Effort   // one of Efforts
	Source       Source   // one of Sources
	Charset      string   // the only characters that may be read; empty: all
}

// Order is work for an engine: regions of one page.
type Order struct {
	Page   document.Page
	Tasks  []Task // at least one
	UserID int64  // who waits for it; engines are fair between users
	Batch  bool   // nobody waits at a screen, so that other work goes first
}

// Engine reads regions. Safe for concurrent use. Bytes are not trusted: whatever they are, they do not harm the process of the caller.
type Engine interface {
	// Recognize reads the regions of an order and returns a reading for each, in the same order, with boxes in coordinates of
	// the page. A text layer gives the text exactly, with confidence 1; where SourceText asks for one that is missing or cannot be trusted,
	// that is the reading's Error, with CodeNoText. What goes wrong with one region, a crash or a deadline too, is that reading's Error and
	// concerns no other. With AutoLang a reading has the languages that the region was read in. With others, where it looks written in
	// languages of another script, it has those as Suggested.
	// An error is about the whole order: Busy (with RetryAfter) when too much waits already, Unsupported or TooLarge for the
	// page, Deadline and Canceled as the context says; NotFound and Unavailable also as document.Files says. A region that has
	// not begun when the context ends is not begun.
	Recognize(ctx context.Context, o Order) ([]Reading, error)

	// Prepared returns, as PNG, exactly what the engine looks at first for the task: cut out, scaled, bordered. Errors as with Recognize.
	Prepared(ctx context.Context, o Order) (document.Rendition, error)

	// Layout returns where the text of a page stands, without reading it: regions of a level in the order of reading, none on a
	// blank page. Errors as with Recognize.
	Layout(ctx context.Context, p document.Page, level Level) ([]Suggestion, error)

	// Languages returns the codes of the installed languages, sorted: "eng", "kor", "script/Hangul".
	Languages(ctx context.Context) ([]string, error)

	// Modes returns the modes of the engine with descriptions, BestMode among them.
	Modes() map[Mode]string

	// Check returns why the engine cannot read these languages in that mode: a fault of the field "oem" for a mode that it does not have,
	// or else for each language that has no model for the mode. Languages that are not installed are passed over. For AutoLang there is a
	// fault only where no language has a model for the mode.
	Check(mode Mode, lang []string) []fault.Field
}

// The faults of stores. Each is returned as it is, or with a cause.
var (
	ErrVersionNotFound  = fault.New(fault.NotFound, "version_not_found", "The image has no such version.")
	ErrItemRead         = fault.New(fault.Conflict, "item_read", "The item of a job has a run already.")
	ErrContentNotFound  = fault.New(fault.NotFound, "content_not_found", "There is no such content.")
	ErrContentExists    = fault.New(fault.Conflict, "content_exists", "There is such a content already.")
	ErrVersionNotNewest = fault.New(fault.Conflict, "version_not_newest",
		"The image has a newer version by now. Only the newest one can be added to.")
	ErrVersionFull    = fault.New(fault.Conflict, "version_full", "A version has at most %d regions.", MostRegions)
	ErrContentChanged = fault.New(fault.Conflict, "changed_meanwhile", "The content was changed meanwhile.")
)

// Deleted is a content that is marked as deleted.
type Deleted struct {
	ContentID string
	At        time.Time
	Run       Run // its ImageID, Version, Created and Rotation
}

// Runs keeps the rows of runs and the IDs of their contents. Safe for concurrent use. Times are kept in UTC to the microsecond.
type Runs interface {
	// Append stores a run with its ContentIDs as the next version of its image and returns it with Version and the user's name. It notes
	// r.Note. Versions of an image are 1, 2, 3 … without gap or double, whatever is appended or removed at once.
	// NotFound where the image or the user is not there; ErrItemRead where a run has r.Item already, also for all but one of those who
	// append runs of one item at once.
	Append(ctx context.Context, r Run) (Run, error)

	// Extend adds contents to a run, in one step with everything that adds runs or contents to the same image: change is given the run as
	// it is and the number of the newest version of the image, and adds to ContentIDs, at their end, and to Engine; nothing else that it
	// changes is stored. What it sets as Note is noted. It may be called several times.
	// An error of it is returned as it is, and nothing is stored. at is when it was done. NotFound.
	Extend(ctx context.Context, imageID int64, version int, at time.Time, change func(r *Run, newest int) error) (Run, error)

	// List returns the newest runs of an image, newest first: at most limit, and only versions below before where it is not 0.
	// Empty where there are none, also for an image that is not there.
	List(ctx context.Context, imageID int64, before, limit int) ([]Run, error)

	// ByVersion returns one run. NotFound.
	ByVersion(ctx context.Context, imageID int64, version int) (Run, error)

	// ByItem returns the run of an item of a job. NotFound, also for the empty item.
	ByItem(ctx context.Context, item string) (Run, error)

	// ByContent returns the run that has the content. NotFound, also where it is marked as deleted.
	ByContent(ctx context.Context, contentID string) (Run, error)

	// ByDeleted returns the run that has the content, which is marked as deleted. NotFound.
	ByDeleted(ctx context.Context, contentID string) (Run, error)

	// ContentIDs returns all contents of all runs of an image, in no order, also those that are marked as deleted.
	ContentIDs(ctx context.Context, imageID int64) ([]string, error)

	// RemoveContent takes a content out of its run, which stays even when it has none left, whether it is marked as deleted or not.
	// NotFound.
	RemoveContent(ctx context.Context, contentID string) error

	// MarkDeleted marks a content as deleted since then. It is missing in ContentIDs of its run, but keeps its place there. NotFound, also
	// where it is marked already.
	MarkDeleted(ctx context.Context, contentID string, at time.Time) error

	// DeletedOf returns a part of the contents of an image that were marked as deleted since that time, the last one first, and how many
	// there are in all. With userID they are those of runs of that user; 0: of all. Empty for an image that is not there.
	DeletedOf(ctx context.Context, imageID, userID int64, since time.Time, page account.Page) (deleted []Deleted, total int, err error)

	// Restore takes the mark from a content, which is in its place again. NotFound, also where it is not marked.
	Restore(ctx context.Context, contentID string) error

	// Deleted goes through the contents that were marked as deleted before that time, as document.Blobs.Old does.
	Deleted(ctx context.Context, before time.Time) iter.Seq2[string, error]

	// RemoveDeleted takes those of the contents out of their runs that were marked as deleted before that time, and returns them, in no
	// order.
	RemoveDeleted(ctx context.Context, contentIDs []string, before time.Time) (removed []string, err error)

	// PagesRead returns of each of up to 200 images how many pages have a run, 0 being left out: the image itself and, with whole, the
	// later pages of the document whose first page it is.
	PagesRead(ctx context.Context, imageIDs []int64, whole bool) (map[int64]int, error)

	// Named returns those of the contents that a run has, in no order, each once, also where they are marked as deleted.
	Named(ctx context.Context, contentIDs []string) ([]string, error)
}

// Contents keeps contents as documents, each with all its revisions, which never change. Safe for concurrent use. It does not store
// Version, Created, Deleted and the names of people. Times are kept in UTC to the microsecond. A content that no run refers to is
// removed when it is older than sweep.MinAge.
type Contents interface {
	// Add stores new contents, whose revision is 1, all or none of them, in one round trip. Conflict where an ID is there already.
	Add(ctx context.Context, contents []Content) error

	// Get returns the current revision of each content, in the order of the IDs, in one round trip. What is not there is left out.
	Get(ctx context.Context, ids []string) ([]Content, error)

	// Revise adds a revision: c.Revision must be the current one plus one, else it is Conflict, also for all but one of those who
	// add the same revision at once. NotFound where the content is not there.
	Revise(ctx context.Context, c Content) error

	// Revisions returns all revisions of a content, the first one first. NotFound.
	Revisions(ctx context.Context, id string) ([]Content, error)

	// Delete removes contents with all their revisions. Those that are not there are no error.
	Delete(ctx context.Context, ids []string) error

	// Old goes through the IDs of all contents that were added before that time, by the store's own record of it, and of what there is of
	// others in part, as document.Blobs does.
	Old(ctx context.Context, before time.Time) iter.Seq2[string, error]
}

// Exporter writes results in the formats of other programs. Safe for concurrent use.
type Exporter interface {
	// Export writes a file of that format, one of Formats. The text is that of the contents as they are. The same transcript gives the same
	// bytes. It holds a bounded number of pages in memory. An error is that of the transcript, of w, or says that the file cannot be made,
	// since a rendition or the document cannot be read. Where it is about the first page, nothing was written.
	Export(ctx context.Context, w io.Writer, f Format, t Transcript) error

	// Archive writes a zip archive of files under their names, which differ. Errors as with Export.
	Archive(w io.Writer, files iter.Seq[Export]) error
}

package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"slices"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
)

// Copy copies everything from one side to the other, bytes first and rows last, and compares both.
type Copy struct {
	From, To Side
	Database Database // of To
	Rows     Rows     // of From and To

	// Empty tells whether To has neither a blob nor a content outside its database. It is nil where the bytes stay where they are.
	Empty func(ctx context.Context) (bool, error)

	CopyKeys    func() error
	ContentRows bool // contents are rows on both sides, and copied as such
	Progress    *progress.Display
}

// Run does the work that is called so, or goes on with it where it has broken off, and returns in words what there is. The
// error names everything that is damaged or differs.
func (c *Copy) Run(ctx context.Context, work string) (result string, err error) {
	p := &copying{Copy: c, ctx: ctx}
	if err := p.begin(work); err != nil {
		return "", fmt.Errorf("--to: %w", err)
	}
	if err := c.CopyKeys(); err != nil {
		return "", err
	}
	if err := p.copyAll(); err != nil {
		return "", err
	}
	if result, err = p.compare(); err != nil {
		return "", err
	}
	return result, c.Database.Filled(ctx)
}

// copying is a copy that is being made.
type copying struct {
	*Copy
	ctx    context.Context
	faults []error
}

// begin makes sure that the target is empty, or that the same work has begun there.
func (c *copying) begin(work string) error {
	begun, err := c.Database.Unfinished(c.ctx)
	switch {
	case err != nil:
		return err
	case begun == work:
		c.Progress.Say("going on with %s", work)
		return nil
	case begun != "":
		return fmt.Errorf("it contains unfinished work: %s; this would be %s", begun, work)
	}
	if c.Empty != nil {
		empty, err := c.Empty(c.ctx)
		if err != nil {
			return err
		}
		if !empty {
			return errors.New("it is not empty: it contains images or results")
		}
	}
	return c.Database.Fill(c.ctx, work)
}

// fail records what is wrong with one image and lets the others go on.
func (c *copying) fail(i document.Image, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("image %d (%s): %w", i.ID, i.Name, fmt.Errorf(format, args...)))
}

// failed returns all recorded faults as one error.
func (c *copying) failed() error { return errors.Join(c.faults...) }

// blob is what a page keeps among the blobs.
type blob struct {
	what, name string
	sha256     string // as the row says; empty where that says nothing
}

// blobsOf are the blobs of a page: the first one has the file, and a later one may have no thumbnail.
func blobsOf(i document.Image) (blobs []blob) {
	if i.First() {
		blobs = append(blobs, blob{"original", i.Original, i.SHA256})
	}
	if i.Thumbnail != "" {
		blobs = append(blobs, blob{"thumbnail", i.Thumbnail, ""})
	}
	return blobs
}

// contentsAtOnce is how many contents are in memory at a time, on each side.
const contentsAtOnce = 200

// copyAll copies everything, the rows last.
func (c *copying) copyAll() error {
	if err := c.copyBytes(); err != nil {
		return err
	}
	return c.Rows.Sync(c.ctx, c.ContentRows, func(table string, rows int64) {
		c.Progress.Say("table %s: %s", table, progress.Counted(rows, "row"))
	})
}

// copyBytes copies what rows name: blobs, and contents where they are not rows themselves. What is there already stays; compare looks at
// it.
func (c *copying) copyBytes() error {
	images, size := 0, int64(0)
	for i, err := range EveryImage(c.ctx, c.From.Catalog) {
		if err != nil {
			return err
		}
		for _, b := range blobsOf(i) {
			n, err := c.copyBlob(b)
			size += n
			if fault.Is(err, fault.NotFound) || errors.Is(err, errOtherBytes) {
				c.fail(i, "its %s: %w", b.what, err)
			} else if err != nil {
				return err
			}
		}
		if err := c.eachContents(i, func(ids []string, from, to []recognition.Content) error {
			if equalContents(from, to) {
				return nil
			}
			return errors.Join(c.To.Contents.Delete(c.ctx, ids), c.To.Contents.PutHistory(c.ctx, from))
		}); err != nil {
			return err
		}
		if i.First() {
			images++
		}
		c.Progress.Say("%s, %s copied", progress.Counted(images, "image"), progress.Bytes(size))
	}
	return c.failed()
}

var errOtherBytes = errors.New("its bytes differ from the upload: their SHA-256 is another one")

// copyBlob copies one blob that is not there, and returns its size.
func (c *copying) copyBlob(b blob) (n int64, err error) {
	have, err := c.To.Blobs.Open(c.ctx, b.name)
	if err == nil {
		return 0, have.Close()
	}
	if !fault.Is(err, fault.NotFound) {
		return 0, err
	}
	return moveBlob(c.ctx, b, c.From.Blobs, c.To.Blobs)
}

// moveBlob copies a blob and returns its size. NotFound, and errOtherBytes, which leaves nothing.
func moveBlob(ctx context.Context, b blob, from document.Blobs, to Blobs) (n int64, err error) {
	r, err := from.Open(ctx, b.name)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	sum := &summing{Reader: r, sum: sha256.New()}
	if err := to.PutAs(ctx, b.name, sum); err != nil {
		return sum.n, err
	}
	if b.sha256 != "" && sum.hex() != b.sha256 {
		return sum.n, errors.Join(errOtherBytes, to.Delete(context.WithoutCancel(ctx), b.name))
	}
	return sum.n, nil
}

// summing counts and hashes what is read.
type summing struct {
	io.Reader
	sum hash.Hash
	n   int64
}

func (s *summing) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.n += int64(n)
	s.sum.Write(p[:n])
	return n, err
}

func (s *summing) hex() string { return hex.EncodeToString(s.sum.Sum(nil)) }

// eachContents goes through the contents of an image with what each side has of them, unless they are rows.
func (c *copying) eachContents(i document.Image, do func(ids []string, from, to []recognition.Content) error) error {
	if c.ContentRows {
		return nil
	}
	ids, err := c.From.Runs.ContentIDs(c.ctx, i.ID)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, contentsAtOnce) {
		from, err := c.From.Contents.History(c.ctx, part)
		if err != nil {
			return err
		}
		to, err := c.To.Contents.History(c.ctx, part)
		if err != nil {
			return err
		}
		if err := do(part, from, to); err != nil {
			return err
		}
	}
	return nil
}

// equalContents compares what is stored.
func equalContents(a, b []recognition.Content) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

// compare reads everything on both sides and returns a summary, or an error that says what differs.
func (c *copying) compare() (result string, err error) {
	images, size, revisions := 0, int64(0), 0
	for i, err := range EveryImage(c.ctx, c.From.Catalog) {
		if err != nil {
			return "", err
		}
		for _, b := range blobsOf(i) {
			n, err := c.compareBlob(i, b)
			if err != nil {
				return "", err
			}
			size += n
		}
		if err := c.eachContents(i, func(_ []string, from, to []recognition.Content) error {
			if !equalContents(from, to) {
				c.fail(i, "its results differ")
			}
			revisions += len(from)
			return nil
		}); err != nil {
			return "", err
		}
		if i.First() {
			images++
		}
		c.Progress.Say("%s, %s compared", progress.Counted(images, "image"), progress.Bytes(size))
	}
	differ, tables, rows, err := c.Rows.Differences(c.ctx, c.ContentRows)
	if err != nil {
		return "", err
	}
	for _, table := range differ {
		c.faults = append(c.faults, fmt.Errorf("table %s differs: somebody writes to one of the sides. Stop all services on them and "+
			"run this again", table))
	}
	result = fmt.Sprintf("%s of %s, %s in %s", progress.Counted(images, "image"), progress.Bytes(size), progress.Counted(rows, "row"),
		progress.Counted(tables, "table"))
	if !c.ContentRows {
		result += ", " + progress.Counted(revisions, "revision") + " of results"
	}
	return result, c.failed()
}

// compareBlob compares the bytes of a blob on both sides with each other and with its row. A wrong one on the new side goes, to be copied
// anew.
func (c *copying) compareBlob(i document.Image, b blob) (n int64, err error) {
	n, want, err := sumOf(c.ctx, c.From.Blobs, b)
	if fault.Is(err, fault.NotFound) || errors.Is(err, errOtherBytes) {
		c.fail(i, "its %s where it is copied from: %w", b.what, err)
		return n, nil
	}
	if err != nil {
		return n, err
	}
	_, got, err := sumOf(c.ctx, c.To.Blobs, b)
	if fault.Is(err, fault.NotFound) || errors.Is(err, errOtherBytes) || err == nil && got != want {
		c.fail(i, "its %s where it is copied to: the bytes are not what they were. Run this again to copy them anew", b.what)
		return n, c.To.Blobs.Delete(c.ctx, b.name)
	}
	return n, err
}

// sumOf reads a blob and returns its size and SHA-256. NotFound, errOtherBytes.
func sumOf(ctx context.Context, from document.Blobs, b blob) (size int64, sum string, err error) {
	r, err := from.Open(ctx, b.name)
	if err != nil {
		return 0, "", err
	}
	defer r.Close()
	s := &summing{Reader: r, sum: sha256.New()}
	if _, err = io.Copy(io.Discard, s); err == nil && b.sha256 != "" && s.hex() != b.sha256 {
		err = errOtherBytes
	}
	return s.n, s.hex(), err
}

// everyLaterPage goes through the images of the pages of a document but the first, and tells whether to go on.
func everyLaterPage(ctx context.Context, catalog document.Catalog, first document.Image, yield func(document.Image, error) bool) bool {
	if first.Pages == 1 {
		return true
	}
	pages, err := catalog.Pages(ctx, first.ID, 2, first.Pages)
	if err != nil {
		yield(document.Image{}, err)
		return false
	}
	for _, i := range pages {
		if !yield(i, nil) {
			return false
		}
	}
	return true
}

// EveryImage goes through all images, those of a document by page, the newest document first.
func EveryImage(ctx context.Context, catalog document.Catalog) iter.Seq2[document.Image, error] {
	return func(yield func(document.Image, error) bool) {
		for q := (document.Query{Size: 100}); ; {
			page, _, err := catalog.List(ctx, q)
			if err != nil {
				yield(document.Image{}, err)
				return
			}
			for _, i := range page {
				if !yield(i, nil) || !everyLaterPage(ctx, catalog, i, yield) {
					return
				}
				q.Before = i.ID
			}
			if len(page) < q.Size {
				return
			}
		}
	}
}

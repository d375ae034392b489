// Package original takes over the data of the service that Glyphbox replaces, in its own databases. Nobody else needs it: once
// all is taken over, the folder, its command in app, and import.go of sqlstore can be deleted.
package original

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
	"glyphbox/internal/transfer"
)

// Options are what cannot be found in the original's data.
type Options struct {
	Offset     time.Duration // of the original's times from UTC
	Results    string        // the collection of the results; empty: the one that has them is found
	Visibility document.Visibility
	DryRun     bool // only tell what would be done
}

// Engine reads sizes and makes thumbnails.
type Engine interface {
	document.Imager

	// Orientation returns how the pixels of a file lie, from 1 to 8 as EXIF has it.
	Orientation(ctx context.Context, f document.File) (int, error)
}

// Import takes over what two databases hold.
type Import struct {
	Staging   *document.Staging // that Engine opens files by
	Database  Database
	Documents Documents
	Catalog   document.Catalog                 // of ours
	Prepare   func(ctx context.Context) error  // makes Blobs and Contents ready
	Blobs     transfer.Blobs                   // of ours
	Contents  transfer.Contents                // of ours
	Engine    func() (Engine, error)           // starts one, where it is needed
	Explain   func(err error) string           // puts an error into words
	Tell      func(format string, args ...any) // writes a line that people have to know
	Progress  *progress.Display
	Options
}

// importing is an import that is being made.
type importing struct {
	Import
	rows   *rows
	bytes  *documents
	engine Engine

	mu   sync.Mutex
	done struct{ images, left, lost int }
}

// Run imports, or goes on with an import that has broken off.
func (i Import) Run(ctx context.Context) (err error) {
	im := &importing{Import: i, rows: &rows{i.Database, i.Offset}, bytes: &documents{Documents: i.Documents}}
	if err := im.rows.check(ctx); err != nil {
		return err
	}
	clashes, err := im.rows.clashes(ctx)
	if err != nil {
		return err
	}
	if len(clashes) > 0 {
		return fmt.Errorf("names and e-mail addresses that differ only in letter case are the same in Glyphbox; nothing has been changed. "+
			"Rename users first:\n  %s", strings.Join(clashes, "\n  "))
	}
	ids, err := im.rows.someContentIDs(ctx, idsToFindThemBy)
	if err != nil {
		return err
	}
	if err := im.bytes.findResults(ctx, im.Results, ids); err != nil {
		return fmt.Errorf("%w; name it with --results. Nothing has been changed", err)
	}
	if im.DryRun {
		return im.tellPlan(ctx)
	}
	if im.engine, err = im.Engine(); err != nil {
		return err
	}
	// The tables first, since a service refuses to start from then on.
	if err := im.rows.setAside(ctx); err != nil {
		return err
	}
	if err := im.Prepare(ctx); err != nil {
		return err
	}
	users, err := im.rows.importAccounts(ctx)
	if err != nil {
		return err
	}
	im.Progress.Say("%s", progress.Counted(users, "user"))
	if err := im.images(ctx); err != nil {
		return err
	}
	if err := im.rows.finish(ctx); err != nil {
		return err
	}
	_, total, err := im.Catalog.List(ctx, document.Query{Size: 1})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Imported: %s, %s.", progress.Counted(users, "user"), progress.Counted(total, "image"))
	if im.done.left > 0 {
		text += fmt.Sprintf(" Left out: %s, as told above.", progress.Counted(im.done.left, "image"))
	}
	if im.done.lost > 0 {
		text += fmt.Sprintf(" Of %s there was no document.", progress.Counted(im.done.lost, "result"))
	}
	im.Tell("%s", text)
	return nil
}

// tell calls Tell, for several goroutines.
func (im *importing) tell(format string, args ...any) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.Tell(format, args...)
}

// tellPlan tells what an import would do, and checks that everything exists that rows name.
func (im *importing) tellPlan(ctx context.Context) error {
	counts, err := im.rows.counts(ctx)
	if err != nil {
		return err
	}
	im.tell("Tables would be renamed to original_…, and the new ones filled from them: %s, %s, %s, %s.",
		progress.Counted(counts["user"], "user"), progress.Counted(counts["logged_in"], "sign-in"),
		progress.Counted(counts["image"], "image"), progress.Counted(counts["ocr"], "result"))
	for i, err := range im.rows.images(ctx) {
		if err != nil {
			return err
		}
		r, err := im.bytes.open(ctx, i.Original)
		if fault.Is(err, fault.NotFound) {
			im.tell("Image %d (%s) of user %d would be skipped with %s: its bytes are missing.", i.ID, i.Name, i.Owner.ID,
				progress.Counted(len(i.results), "result"))
			continue
		}
		if err != nil {
			return err
		}
		r.Close()
		if _, renumbered := runsOf(i); renumbered != "" {
			im.tell("Image %d (%s): versions would be renumbered: %s.", i.ID, i.Name, renumbered)
		}
	}
	im.tell("Nothing has been changed.")
	return nil
}

// images imports all images that are not there yet, several at once.
func (im *importing) images(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, err := range im.rows.images(ctx) {
		if err != nil {
			group.Wait()
			return cmp.Or(context.Cause(ctx), err)
		}
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			if err := im.image(ctx, i); err != nil {
				stop(fmt.Errorf("image %d (%s): %w", i.ID, i.Name, err))
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// unreadable is the reason why an image is left out.
type unreadable struct{ reason error }

func (u unreadable) Error() string { return u.reason.Error() }

// image imports an image: bytes first, then results, and the rows last.
func (im *importing) image(ctx context.Context, i imageRow) error {
	file, drop, err := im.stage(ctx, i)
	defer drop()
	if err == nil {
		var probe document.Probe
		probe, err = im.engine.Probe(ctx, file)
		i.Geometry, i.Number, i.Frames = probe.Geometry(1), 1, probe.Frames
		i.Pages = 1 // the original read no other
	}
	switch gone, isGone := errors.AsType[unreadable](err); {
	case isGone:
		return im.leaveOut(i, gone.reason)
	case fault.Is(err, fault.Unsupported):
		return im.leaveOut(i, err)
	case fault.Is(err, fault.TooLarge):
		return fmt.Errorf("%w Run this again with a larger --max-pixels", err)
	case err != nil:
		return err
	}
	i.Size, i.SHA256 = file.Size, file.SHA256
	if err := im.putBlobs(ctx, &i.Image, file); err != nil {
		return err
	}
	runs, renumbered := runsOf(i)
	lost, err := im.putContents(ctx, i, file, runs)
	if err != nil {
		return err
	}
	i.Visibility = im.Visibility
	i.Name = cmp.Or(i.Name, "untitled")
	if err := im.Database.AddImage(ctx, i.Image, runs); err != nil {
		return err
	}
	if renumbered != "" {
		im.tell("Image %d (%s): versions are renumbered: %s.", i.ID, i.Name, renumbered)
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done.images++
	im.done.lost += lost
	im.Progress.Say("%s", progress.Counted(im.done.images, "image"))
	return nil
}

func (im *importing) leaveOut(i imageRow, reason error) error {
	im.tell("Image %d (%s) of user %d is skipped with %s: %s", i.ID, i.Name, i.Owner.ID, progress.Counted(len(i.results), "result"),
		im.Explain(reason))
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done.left++
	return nil
}

// stage reads an image of the original once, for its size and hash. An image that cannot be read any more is unreadable.
func (im *importing) stage(ctx context.Context, i imageRow) (f document.File, drop func(), err error) {
	open := func(ctx context.Context) (io.ReadCloser, error) { return im.bytes.open(ctx, i.Original) }
	r, err := open(ctx)
	sum, size := sha256.New(), int64(0)
	if err == nil {
		defer r.Close()
		size, err = io.Copy(sum, r)
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return f, func() {}, unreadable{errors.New("its bytes are missing in whole or in part")}
	case err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable):
		return f, func() {}, unreadable{err}
	}
	f, drop = im.Staging.Stage(document.File{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}, open)
	return f, drop, err
}

// blobName makes a name of the form that our stores have from what the original calls an image, always the same, so that a second attempt
// stores nothing twice.
func blobName(what string, i document.Image) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", what, i.ID, i.Original))
	const length = 26
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:length])
}

// putBlobs stores the bytes of an image, and a thumbnail.
func (im *importing) putBlobs(ctx context.Context, i *document.Image, f document.File) error {
	thumbnail, err := im.thumbnail(ctx, *i, document.Page{File: f, Number: 1})
	if err != nil {
		return err
	}
	i.Original, i.Thumbnail = blobName("original", *i), blobName("thumbnail", *i)
	if err := im.Blobs.PutAs(ctx, i.Thumbnail, bytes.NewReader(thumbnail)); err != nil {
		return err
	}
	r, err := im.Staging.Open(ctx, f)
	if err != nil {
		return err
	}
	defer r.Close()
	return im.Blobs.PutAs(ctx, i.Original, r)
}

// maxThumbnail is how many bytes of a thumbnail of the original are kept at most.
const maxThumbnail = 1 << 20

// thumbnail makes a thumbnail; of an image that cannot be decoded it takes the one that the original has made, or a blank one.
func (im *importing) thumbnail(ctx context.Context, i document.Image, page document.Page) ([]byte, error) {
	made, err := im.engine.Thumbnail(ctx, page, document.ThumbnailSide)
	f, isFault := errors.AsType[*fault.Fault](err)
	switch {
	case err == nil:
		return made.Bytes, nil
	case ctx.Err() != nil, isFault && (f.Kind == fault.Busy || f.Kind == fault.NotFound || f.Kind == fault.Unavailable &&
		f.Code != recognition.CodeCrashed):
		return nil, err
	}
	im.tell("Image %d (%s) is kept, but can no longer be decoded: %s", i.ID, i.Name, im.Explain(err))
	had, err := im.bytes.thumbnail(ctx, i.Thumbnail, maxThumbnail)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if bytes.HasPrefix(had, []byte("\x89PNG\r\n")) || bytes.HasPrefix(had, []byte("\xff\xd8\xff")) {
		return had, nil
	}
	blank := image.NewGray(image.Rect(0, 0, document.ThumbnailSide, document.ThumbnailSide))
	for n := range blank.Pix {
		blank.Pix[n] = color.Gray{Y: 0xdd}.Y
	}
	var b bytes.Buffer
	err = png.Encode(&b, blank)
	return b.Bytes(), err
}

// engineName is what runs of the original were read by; which version of it, and in which languages, it has not kept.
const engineName = "tesseract"

// runsOf puts the results of an image into runs: what was stored together, by one user, under one version. It says which versions get other
// numbers.
func runsOf(i imageRow) (runs []recognition.Run, renumbered string) {
	for _, r := range i.results {
		same := func(run recognition.Run) bool {
			return run.Version == r.version && run.User.ID == r.userID && run.Created.Equal(r.created)
		}
		n := slices.IndexFunc(runs, same)
		if n < 0 {
			n = len(runs)
			runs = append(runs, recognition.Run{Version: r.version, User: account.Ref{ID: r.userID}, Created: r.created, Lang: []string{},
				Mode: recognition.BestMode, Engine: engineName})
		}
		runs[n].ContentIDs = append(runs[n].ContentIDs, r.contentID)
	}
	var changes []string
	for n := range runs {
		if was := runs[n].Version; was != n+1 {
			changes = append(changes, fmt.Sprintf("%d is %d now", was, n+1))
		}
		runs[n].Version = n + 1
	}
	return runs, strings.Join(changes, ", ")
}

// putContents stores the results of runs as contents under the ids that they have had. One whose document is gone is taken out of its run.
func (im *importing) putContents(ctx context.Context, i imageRow, f document.File, runs []recognition.Run) (lost int, err error) {
	if len(runs) == 0 {
		return 0, nil
	}
	orientation, err := im.engine.Orientation(ctx, f)
	if err != nil {
		return 0, err
	}
	for n := range runs {
		var kept []string
		for ids := range slices.Chunk(runs[n].ContentIDs, contentsAtOnce) {
			found, err := im.bytes.resultsOf(ctx, ids)
			if err != nil {
				return 0, err
			}
			var history []recognition.Content
			for _, id := range ids {
				result, ok := found[id]
				if !ok {
					lost++
					continue
				}
				history = append(history, recognition.Content{ID: id, ROI: uprightROI(result.ROI, i.Geometry, orientation), Revision: 1,
					Reading: recognition.Reading{Text: tidyLines(result.Text), Engine: engineName}})
				kept = append(kept, id)
			}
			if err := im.Contents.PutHistory(ctx, history); err != nil {
				return 0, err
			}
		}
		runs[n].ContentIDs = kept
	}
	return lost, nil
}

// contentsAtOnce is how many contents are in memory at a time.
const contentsAtOnce = 200

// tidyLines takes white space off the ends of lines, and empty lines off both ends.
func tidyLines(text string) string {
	lines := strings.Split(text, "\n")
	for n := range lines {
		lines[n] = strings.TrimRight(lines[n], " \t\r\f\v")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// uprightROI turns a region of the original, which did not look at how a file says that its pixels lie, into one of the upright page. As
// there, a right or lower edge of 0 is that of the page. What is nothing of the page is all of it.
func uprightROI(roi *document.Box, g document.Geometry, orientation int) document.Box {
	page := document.Box{X2: g.Width, Y2: g.Height}
	if roi == nil {
		return page
	}
	w, h := g.Width, g.Height // as stored
	if orientation >= 5 {
		w, h = h, w
	}
	b := document.Box{X1: max(roi.X1, 0), Y1: max(roi.Y1, 0), X2: min(cmp.Or(roi.X2, w), w), Y2: min(cmp.Or(roi.Y2, h), h)}
	if b.Empty() {
		return page
	}
	mirrored := document.Box{X1: w - b.X2, Y1: b.Y1, X2: w - b.X1, Y2: b.Y2}
	switch orientation {
	case 2:
		return mirrored
	case 3:
		return b.Turned(180, w, h)
	case 4:
		return mirrored.Turned(180, w, h)
	case 5:
		return mirrored.Turned(270, w, h)
	case 6:
		return b.Turned(90, w, h)
	case 7:
		return mirrored.Turned(90, w, h)
	case 8:
		return b.Turned(270, w, h)
	}
	return b
}

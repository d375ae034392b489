package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/adapter/mongostore"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// importOptions are what cannot be found in the original's data.
type importOptions struct {
	offset     string
	results    string
	visibility string
	dryRun     bool
}

func (p Process) importCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Take the data of the original service over, in its own databases", Args: cobra.NoArgs,
		Long: `Takes the data of the original service over, whose MariaDB and MongoDB are given by --database and --mongodb: users with their passwords, roles, states and
sign-ins, images with their numbers, and results. Stop the original service first, and make a backup.

Its tables are renamed to original_user and so on, and Glyphbox's are made and filled; in MongoDB, images and results are copied. Nothing else of the original
changes, so that there has to be room for both until the original's data is removed. What breaks off is taken up again by the same command, and until it is
done no service starts on the database.

Of each image the size is found and the thumbnail made anew. An image whose bytes are gone, or of a kind that is not read here, is told and left out with
its results; it stays where it was. Versions are numbered 1, 2, 3 … where they were not, which is told too.`}
	var o importOptions
	addFlags(cmd.Flags(), "database", "mongodb", "ocr-workers", "max-pixels")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "Only tell what would be done.")
	cmd.Flags().StringVar(&o.offset, "utc-offset", "+09:00", "How far the original's times are ahead of UTC. It writes Korean time.")
	cmd.Flags().StringVar(&o.visibility, "visibility", string(document.Private), "Who sees the images: private, as here, or shared, as in the original service, where everybody saw all.")
	cmd.Flags().StringVar(&o.results, "results", "", "The collection of the results. Without it, the one that has them is found.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if c.Database == "" || c.MongoDB == "" {
			return usagef("--database-file and --mongodb-file have to name the databases of the original service")
		}
		if v := document.Visibility(o.visibility); v != document.Private && v != document.Shared {
			return usagef("--visibility %s: private or shared is wanted", v)
		}
		zone, err := time.Parse("-07:00", o.offset)
		if err != nil {
			return usagef("--utc-offset %s: an offset such as +09:00 is wanted", o.offset)
		}
		_, seconds := zone.Zone()
		return p.importOriginal(cmd.Context(), c, o, time.Duration(seconds)*time.Second)
	}
	return cmd
}

// importing is an import that is being made.
type importing struct {
	rows     *sqlstore.Original
	bytes    *mongostore.Original
	blobs    blobs
	contents contents
	pool     *engine.Pool
	options  importOptions
	progress *progress

	mu   sync.Mutex
	out  io.Writer // what people have to know
	done struct{ images, left, lost int }
}

func (p Process) importOriginal(ctx context.Context, c Config, o importOptions, offset time.Duration) (err error) {
	im := &importing{options: o, progress: p.newProgress(), out: p.Stdout}
	if im.rows, err = sqlstore.OpenOriginal(ctx, c.Database, offset); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, im.rows.Close()) }()
	if im.bytes, err = mongostore.OpenOriginal(ctx, c.MongoDB); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, im.bytes.Close()) }()
	clashes, err := im.rows.Clashes(ctx)
	if err != nil {
		return err
	}
	if len(clashes) > 0 {
		return fmt.Errorf("names and e-mails that differ in letter case only are the same here; nothing has been changed. Rename users first:\n  %s", strings.Join(clashes, "\n  "))
	}
	ids, err := im.rows.SomeContentIDs(ctx, 50)
	if err != nil {
		return err
	}
	if err := im.bytes.FindResults(ctx, o.results, ids); err != nil {
		return fmt.Errorf("%w; name it by --results. Nothing has been changed", err)
	}
	if o.dryRun {
		return im.tellPlan(ctx)
	}
	if im.pool, err = startPool(c, os.TempDir(), p.logger(c)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, im.pool.Close()) }()
	// The tables first, since a service refuses to start from then on.
	if err := im.rows.SetAside(ctx); err != nil {
		return err
	}
	ours, err := im.bytes.Ours(ctx)
	if err != nil {
		return err
	}
	im.blobs, im.contents = ours.Blobs(), ours.Contents()
	users, err := im.rows.ImportAccounts(ctx)
	if err != nil {
		return err
	}
	im.progress.say("%s", counted(users, "user"))
	if err := im.images(ctx); err != nil {
		return err
	}
	if err := im.rows.Finish(ctx); err != nil {
		return err
	}
	total, err := im.total(ctx)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Imported: %s, %s.", counted(users, "user"), counted(total, "image"))
	if im.done.left > 0 {
		text += fmt.Sprintf(" Left out: %s, as told above.", counted(im.done.left, "image"))
	}
	if im.done.lost > 0 {
		text += fmt.Sprintf(" Of %s there was no document.", counted(im.done.lost, "result"))
	}
	return p.tell(nil, "%s", text)
}

func (im *importing) total(ctx context.Context) (int, error) {
	_, total, err := im.rows.Database().Catalog().List(ctx, document.Query{Size: 1})
	return total, err
}

// tell writes a line that people have to know.
func (im *importing) tell(format string, args ...any) {
	im.mu.Lock()
	defer im.mu.Unlock()
	fmt.Fprintf(im.out, format+"\n", args...)
}

// tellPlan tells what an import would do, and looks whether all that rows name is there.
func (im *importing) tellPlan(ctx context.Context) error {
	counts, err := im.rows.Counts(ctx)
	if err != nil {
		return err
	}
	im.tell("Tables would be renamed to original_…, and ours filled from there: %s, %s, %s, %s.",
		counted(counts["user"], "user"), counted(counts["logged_in"], "sign-in"), counted(counts["image"], "image"), counted(counts["ocr"], "result"))
	for i, err := range im.rows.Images(ctx) {
		if err != nil {
			return err
		}
		r, err := im.bytes.Open(ctx, i.Original)
		if fault.Is(err, fault.NotFound) {
			im.tell("Image %d (%s) of user %d would be left out with %s: its bytes are gone.", i.ID, i.Name, i.Owner.ID, counted(len(i.Results), "result"))
			continue
		}
		if err != nil {
			return err
		}
		r.Close()
		if _, renumbered := runsOf(i); renumbered != "" {
			im.tell("Image %d (%s): versions would be numbered anew: %s.", i.ID, i.Name, renumbered)
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
	for i, err := range im.rows.Images(ctx) {
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

// unreadable is why an image is left out.
type unreadable struct{ reason error }

func (u unreadable) Error() string { return u.reason.Error() }

// image imports an image: bytes first, then results, and the rows last.
func (im *importing) image(ctx context.Context, i sqlstore.OriginalImage) error {
	page, err := im.page(ctx, i)
	if err == nil {
		i.Geometry, err = im.pool.Probe(ctx, page)
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
	i.Size, i.SHA256 = page.Size, page.SHA256
	if err := im.putBlobs(ctx, &i.Image, page); err != nil {
		return err
	}
	runs, renumbered := runsOf(i)
	lost, err := im.putContents(ctx, i, page, runs)
	if err != nil {
		return err
	}
	i.Visibility = document.Visibility(im.options.visibility)
	i.Name = cmp.Or(i.Name, "untitled")
	if err := im.rows.ImportImage(ctx, i.Image, runs); err != nil {
		return err
	}
	if renumbered != "" {
		im.tell("Image %d (%s): versions are numbered anew: %s.", i.ID, i.Name, renumbered)
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done.images++
	im.done.lost += lost
	im.progress.say("%s", counted(im.done.images, "image"))
	return nil
}

func (im *importing) leaveOut(i sqlstore.OriginalImage, reason error) error {
	im.tell("Image %d (%s) of user %d is left out with %s: %s", i.ID, i.Name, i.Owner.ID, counted(len(i.Results), "result"), explain(reason))
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done.left++
	return nil
}

// page reads an image of the original once, for its size and hash. An image that cannot be read any more is unreadable.
func (im *importing) page(ctx context.Context, i sqlstore.OriginalImage) (document.Page, error) {
	open := func(ctx context.Context) (io.ReadCloser, error) { return im.bytes.Open(ctx, i.Original) }
	r, err := open(ctx)
	s := &summing{Reader: r, sum: sha256.New()}
	if err == nil {
		defer r.Close()
		_, err = io.Copy(io.Discard, s)
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return document.Page{}, unreadable{errors.New("its bytes are gone, or some of them")}
	case err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable):
		return document.Page{}, unreadable{err}
	}
	return document.Page{SHA256: s.hex(), Size: s.n, Open: open}, err
}

// blobName makes a name of the form that our stores have from what the original calls an image, always the same, so that a second attempt stores nothing twice.
func blobName(what string, i document.Image) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", what, i.ID, i.Original))
	const length = 26
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:length])
}

// putBlobs stores the bytes of an image, and a thumbnail.
func (im *importing) putBlobs(ctx context.Context, i *document.Image, page document.Page) error {
	thumbnail, err := im.thumbnail(ctx, *i, page)
	if err != nil {
		return err
	}
	i.Original, i.Thumbnail = blobName("original", *i), blobName("thumbnail", *i)
	if err := im.blobs.PutAs(ctx, i.Thumbnail, bytes.NewReader(thumbnail)); err != nil {
		return err
	}
	r, err := page.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	return im.blobs.PutAs(ctx, i.Original, r)
}

// maxThumbnail is how many bytes of a thumbnail of the original are kept at most.
const maxThumbnail = 1 << 20

// thumbnail makes a thumbnail; of an image that cannot be decoded it takes the one that the original has made, or a blank one.
func (im *importing) thumbnail(ctx context.Context, i document.Image, page document.Page) ([]byte, error) {
	made, err := im.pool.Thumbnail(ctx, page, document.ThumbnailSide)
	f, isFault := errors.AsType[*fault.Fault](err)
	switch {
	case err == nil:
		return made.Bytes, nil
	case ctx.Err() != nil, isFault && (f.Kind == fault.Busy || f.Kind == fault.NotFound || f.Kind == fault.Unavailable && f.Code != recognition.CodeCrashed):
		return nil, err
	}
	im.tell("Image %d (%s) is kept, but cannot be decoded any more: %s", i.ID, i.Name, explain(err))
	had, err := im.bytes.Thumbnail(ctx, i.Thumbnail, maxThumbnail)
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

// originalEngine is what runs of the original were read by; which version of it, and in which languages, it has not kept.
const originalEngine = "tesseract"

// runsOf puts the results of an image into runs: what was stored together, by one user, under one version. It says which versions get other numbers.
func runsOf(i sqlstore.OriginalImage) (runs []recognition.Run, renumbered string) {
	for _, r := range i.Results {
		same := func(run recognition.Run) bool {
			return run.Version == r.Version && run.User.ID == r.UserID && run.Created.Equal(r.Created)
		}
		n := slices.IndexFunc(runs, same)
		if n < 0 {
			n = len(runs)
			runs = append(runs, recognition.Run{Version: r.Version, User: account.Ref{ID: r.UserID}, Created: r.Created, Lang: []string{}, OEM: recognition.DefaultOEM, Engine: originalEngine})
		}
		runs[n].ContentIDs = append(runs[n].ContentIDs, r.ContentID)
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
func (im *importing) putContents(ctx context.Context, i sqlstore.OriginalImage, page document.Page, runs []recognition.Run) (lost int, err error) {
	if len(runs) == 0 {
		return 0, nil
	}
	orientation, err := im.pool.Orientation(ctx, page)
	if err != nil {
		return 0, err
	}
	for n := range runs {
		var kept []string
		for ids := range slices.Chunk(runs[n].ContentIDs, contentsAtOnce) {
			found, err := im.bytes.Results(ctx, ids)
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
					Reading: recognition.Reading{Text: tidyLines(result.Text), Engine: originalEngine}})
				kept = append(kept, id)
			}
			if err := im.contents.PutHistory(ctx, history); err != nil {
				return 0, err
			}
		}
		runs[n].ContentIDs = kept
	}
	return lost, nil
}

// tidyLines takes white space off the ends of lines, and empty lines off both ends.
func tidyLines(text string) string {
	lines := strings.Split(text, "\n")
	for n := range lines {
		lines[n] = strings.TrimRight(lines[n], " \t\r\f\v")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// uprightROI turns a region of the original, which did not look at how a file says that its pixels lie, into one of the upright page. As there, a right or lower edge of 0 is that
// of the page. What is nothing of the page is all of it.
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
	switch orientation {
	case 2:
		return document.Box{X1: w - b.X2, Y1: b.Y1, X2: w - b.X1, Y2: b.Y2}
	case 3:
		return document.Box{X1: w - b.X2, Y1: h - b.Y2, X2: w - b.X1, Y2: h - b.Y1}
	case 4:
		return document.Box{X1: b.X1, Y1: h - b.Y2, X2: b.X2, Y2: h - b.Y1}
	case 5:
		return document.Box{X1: b.Y1, Y1: b.X1, X2: b.Y2, Y2: b.X2}
	case 6:
		return document.Box{X1: h - b.Y2, Y1: b.X1, X2: h - b.Y1, Y2: b.X2}
	case 7:
		return document.Box{X1: h - b.Y2, Y1: w - b.X2, X2: h - b.Y1, Y2: w - b.X1}
	case 8:
		return document.Box{X1: b.Y1, Y1: w - b.X2, X2: b.Y2, Y2: w - b.X1}
	}
	return b
}

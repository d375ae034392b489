package inbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/spool"
)

// The endings of the name of a folder in reading, once the file has an image or a job.
const (
	imageMark = ".image-"
	jobMark   = ".job-"
)

// newClaim returns a unique name; later ones are greater.
func newClaim(now time.Time) string {
	return fmt.Sprintf("%011x", now.UnixMilli()) + strings.ToLower(rand.Text()[:10])
}

// finish goes on with files that were taken, and returns how many there are.
func (w *Watcher) finish(ctx context.Context, b box) int {
	entries, err := readDir(b, readingDir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	w.complain(b.key(readingDir), "the folder cannot be read", err)
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() || hidden(e.Name()) })
	n := len(entries)
	begin := w.notes[b.name].from
	if begin >= n {
		begin = 0
	}
	w.note(b.name, func(note *note) { note.from = begin + maxFinished })
	for _, e := range entries[begin:min(begin+maxFinished, n)] {
		if ctx.Err() != nil {
			break
		}
		if !w.isPaused(b.key(e.Name())) && !w.others(b, e.Name()) {
			w.advance(ctx, b, e.Name())
		}
	}
	return n
}

// others tells whether another node may be about to make the job of a file.
func (w *Watcher) others(b box, folder string) bool {
	claim, _, _ := strings.Cut(folder, ".")
	if strings.Contains(folder, jobMark) || w.notes[b.key(claim)].mine {
		return false
	}
	claimed := w.note(b.key(claim), func(n *note) {
		if n.since.IsZero() {
			n.since = w.Now()
		}
	})
	return w.Now().Sub(claimed.since) < once.LeaseTime
}

// fileIn returns the path of the file that a folder in reading holds, from that folder on; "" where there is none.
func fileIn(b box, dir string) (file string, err error) {
	err = walk(b, dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			file, err = strings.TrimPrefix(name, dir+"/"), errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return file, err
}

// removeEmpty removes a folder with the folders in it, as far as there is no file.
func removeEmpty(b box, dir string) {
	entries, _ := readDir(b, dir)
	for _, e := range entries {
		if e.IsDir() {
			removeEmpty(b, path.Join(dir, e.Name()))
		}
	}
	_ = b.Remove(dir) // where there is something in it, it stays
}

// advance does the next steps for a file that was taken, until it has to wait.
func (w *Watcher) advance(ctx context.Context, b box, folder string) {
	dir := path.Join(readingDir, folder)
	file, err := fileIn(b, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return // another node went on with it
	}
	if err != nil {
		w.complain(b.key(dir), "the folder cannot be read", err)
		return
	}
	if file == "" {
		removeEmpty(b, dir)
		return
	}
	claim, _, _ := strings.Cut(folder, ".")
	uploaded, jobID, hasJob := strings.Cut(folder, jobMark)
	var image int64
	_, imageID, hasImage := strings.Cut(uploaded, imageMark)
	if hasImage {
		if image, err = strconv.ParseInt(imageID, 10, 64); err != nil {
			w.complain(b.key(dir), "the folder is none of ours", err)
			return
		}
	}
	if hasJob {
		w.conclude(ctx, b, dir, file, jobID, image)
		return
	}
	if !hasImage {
		image, err = w.upload(ctx, b, claim, path.Join(dir, file))
		if err == nil {
			err = w.rename(b, &dir, path.Join(readingDir, fmt.Sprint(claim, imageMark, image)))
		}
	}
	id := ""
	if err == nil {
		id, err = w.submit(ctx, b, claim, image)
	}
	if err == nil {
		err = w.rename(b, &dir, path.Join(readingDir, fmt.Sprint(claim, imageMark, image, jobMark, id)))
	}
	if err == nil {
		delete(w.notes, b.key(claim))
		w.complain(b.key(folder)+" waits", "", nil)
		w.complain(b.name+" waits", "", nil)
		w.Log.Info("inbox: a file is read", "user", b.actor.Name, "file", w.ShowName(file), "image", image, "job", id)
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if w.hopeless(b.key(claim), err) {
		w.fail(b, dir, file, err)
		return
	}
	w.later(b, b.key(path.Base(dir)), err)
}

// rename gives a folder another name.
func (w *Watcher) rename(b box, dir *string, to string) error {
	if err := b.Rename(*dir, to); err != nil {
		return err
	}
	*dir = to
	return nil
}

// hopeless tells whether trying again does not help.
func (w *Watcher) hopeless(key string, err error) bool {
	f := fault.Of(err)
	switch f.Kind {
	case fault.Malformed, fault.Invalid, fault.Unsupported, fault.TooLarge, fault.NotFound:
		return true
	case fault.Internal, fault.Deadline:
	case fault.Unavailable:
		if f.Code != recognition.CodeCrashed && f.Code != recognition.CodeFailed {
			return false
		}
	default:
		return false
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, fs.ErrPermission) || isDisk(err) {
		return false
	}
	return w.note(key, func(n *note) { n.tries++ }).tries >= maxTries
}

// isDisk tells whether an error is one of the file system, which is not about what a file is.
func isDisk(err error) bool {
	_, is := errors.AsType[*fs.PathError](err)
	return is
}

// upload uploads a file, unless that was done before, and returns the image of its first page.
func (w *Watcher) upload(ctx context.Context, b box, claim, name string) (image int64, err error) {
	_, made, err := w.Once.Do(ctx, w.request(b, "upload "+claim), func(ctx context.Context, c once.Claim) ([]once.Effect, error) {
		spooled, err := w.spool(ctx, b, name)
		if err != nil {
			return nil, err
		}
		defer spooled.Close() //nolint:errcheck // it was read, and goes away with this
		staged, drop := w.Staging.Stage(document.File{SHA256: spooled.SHA256, Size: spooled.Size}, spooled.Open)
		defer drop()
		images, err := w.Images.UploadAll(ctx, b.actor, []document.Upload{{Name: w.ShowName(path.Base(name)), File: staged}}, c)
		if err != nil {
			return nil, err
		}
		image = images[0].ID
		return nil, nil
	})
	if err == nil && image == 0 {
		image = made[0].Image
	}
	return image, err
}

// submit makes the job that reads an image's document as the user reads by default, unless that was done before.
func (w *Watcher) submit(ctx context.Context, b box, claim string, image int64) (id string, err error) {
	_, made, err := w.Once.Do(ctx, w.request(b, "job "+claim), func(ctx context.Context, c once.Claim) ([]once.Effect, error) {
		settings, err := w.Reads.Settings(ctx, b.actor)
		if err != nil {
			return nil, err
		}
		j, err := w.Jobs.Submit(ctx, b.actor, job.Order{Documents: []int64{image}, Priority: job.Low, Once: c,
			Request: recognition.Request{Lang: settings.Lang, Mode: recognition.BestMode, Rotate: settings.Rotate, Effort: settings.Effort,
				Source: settings.Source}})
		id = j.ID
		return nil, err
	})
	if err == nil && id == "" {
		id = made[0].Job
	}
	return id, err
}

// request returns a request that takes effect once. Nobody can guess its key.
func (w *Watcher) request(b box, what string) once.Request {
	return once.Request{User: b.actor.UserID, Name: "glyphbox inbox " + what, Digest: "inbox"}
}

var errStillWritten = fault.New(fault.Busy, "still_written", "The file is still being written.")

// spool copies a file, if its user has room for it.
func (w *Watcher) spool(ctx context.Context, b box, name string) (*spool.File, error) {
	f, err := open(b, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case before.Size() > w.MaxUpload:
		return nil, fault.New(fault.TooLarge, "file_too_large", "The file has %d bytes; at most %d are allowed.", before.Size(),
			w.MaxUpload)
	}
	if err := w.Limits.RoomForDocuments(ctx, b.actor.UserID, 1, before.Size()); err != nil {
		return nil, err
	}
	s, err := spool.Take(w.SpoolDir, f, w.MaxUpload+1)
	if err != nil {
		return nil, notCopied(err)
	}
	after, err := f.Stat()
	if err == nil && (after.Size() != s.Size || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())) {
		err = errStillWritten
	}
	if err != nil {
		_ = s.Close() // the first error counts
		return nil, err
	}
	return s, nil
}

// notCopied means that a disk is full or broken, which is not the fault of the file.
func notCopied(err error) error {
	return fault.New(fault.Unavailable, "not_copied", "The file cannot be copied: %v.", err)
}

var errNoFile = fault.New(fault.Unsupported, "no_file", "It is no file, but a link or a device. Links are not followed.")

// conclude moves a file once its job has ended. image is 0 where an earlier release has named the folder.
func (w *Watcher) conclude(ctx context.Context, b box, dir, file, id string, image int64) {
	var text []byte
	var reasons []string
	j, err := w.Jobs.Job(ctx, b.actor, id)
	switch {
	case err == nil && (!j.State.Ended() || j.Count.Left() > 0):
		return
	case err == nil:
		text, reasons, err = w.outcome(ctx, b, j)
	case fault.Is(err, fault.NotFound) && image != 0: // it ended so long ago that it was removed
		j.State = job.Done
		text, reasons, err = w.outcomeOf(ctx, b, image)
	}
	switch {
	case err != nil && fault.Is(err, fault.NotFound):
		w.fail(b, dir, file, err)
	case err != nil:
		w.later(b, b.key(path.Base(dir)), err)
	case j.State == job.Done:
		sides := []side{{".txt", text}}
		if len(reasons) > 0 {
			sides = append(sides, side{".reason.txt", []byte(strings.Join(reasons, "\n") + "\n")})
		}
		if w.move(b, dir, file, doneDir, sides...) {
			w.Done.Add(1)
			w.Log.Info("inbox: a file was read", "user", b.actor.Name, "file", w.ShowName(file), "job", id)
		}
	default:
		w.failBecause(b, dir, file, strings.Join(reasons, "\n"))
	}
}

// outcome returns what a job has read, and what it has not, and why.
func (w *Watcher) outcome(ctx context.Context, b box, j job.Job) (text []byte, reasons []string, err error) {
	if j.State == job.Cancelled {
		reasons = append(reasons, "The job "+j.ID+" was cancelled.")
	}
	if j.Stopped != nil {
		reasons = append(reasons, j.Stopped.Detail)
	}
	failed, err := w.Jobs.Items(ctx, b.actor, j.ID, job.Failed, 0, job.MaxSize)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range slices.Backward(failed) {
		if i.Error != nil {
			reasons = append(reasons, fmt.Sprintf("Page %d: %s (%s)", i.Number, i.Error.Detail, i.Error.Code))
		}
	}
	if more := j.Count.Failed - len(failed); more > 0 {
		reasons = append(reasons, fmt.Sprintf("And %d more pages.", more))
	}
	if j.State != job.Done {
		return nil, reasons, nil
	}
	first, err := w.Jobs.Items(ctx, b.actor, j.ID, "", 2, 1)
	if err != nil {
		return nil, nil, err
	}
	if len(first) == 0 {
		return nil, nil, job.ErrNoItem
	}
	text, _, err = w.textOf(ctx, b, first[0].ImageID)
	return text, reasons, err
}

// outcomeOf is outcome for a document whose job is not there any more. job.ErrNotFound where none of its pages was read.
func (w *Watcher) outcomeOf(ctx context.Context, b box, imageID int64) (text []byte, reasons []string, err error) {
	image, err := w.Images.Image(ctx, b.actor, imageID)
	if err != nil {
		return nil, nil, err
	}
	text, unread, err := w.textOf(ctx, b, imageID)
	switch {
	case err != nil:
		return nil, nil, err
	case unread == image.Pages:
		return nil, nil, job.ErrNotFound
	case unread > 0:
		reasons = []string{fmt.Sprintf("Of %d pages %d were not read.", image.Pages, unread)}
	}
	return text, reasons, nil
}

// textOf returns the text of a document, and how many of its pages were not read.
func (w *Watcher) textOf(ctx context.Context, b box, imageID int64) (text []byte, unread int, err error) {
	export, err := w.Reads.Export(ctx, b.actor, imageID, recognition.FormatText, recognition.Selection{})
	if err != nil {
		return nil, 0, err
	}
	var out bytes.Buffer
	err = export.Write(&out)
	return out.Bytes(), export.Unread, err
}

// fail moves a file to failed.
func (w *Watcher) fail(b box, dir, file string, err error) {
	f := fault.Of(err)
	text := f.Text
	for _, field := range f.Fields {
		if field.Field != "file" || field.Detail != f.Text {
			text += " " + field.Field + ": " + field.Detail + "."
		}
	}
	w.failBecause(b, dir, file, text+" ("+f.Code+")")
}

func (w *Watcher) failBecause(b box, dir, file, reason string) {
	if w.move(b, dir, file, failedDir, side{".reason.txt", []byte(reason + "\n")}) {
		w.Failed.Add(1)
		w.Log.Warn("inbox: a file was not read", "user", b.actor.Name, "file", w.ShowName(file), "reason", reason)
	}
}

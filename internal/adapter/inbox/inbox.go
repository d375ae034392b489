// Package inbox reads files that are put into folders. A folder with the name of a user is for the files of that user. Each is uploaded and
// read by a job, and moves to done, with its text beside it, or to failed, with the reason.
//
// The place of a file is its state, so that any node can continue after a crash of another one:
//
//	NAME/scans/a.pdf                        it was put here
//	NAME/reading/CLAIM/scans/a.pdf          a node has taken it, by the rename
//	NAME/reading/CLAIM.image-7/scans/a.pdf  it is uploaded
//	NAME/reading/CLAIM.image-7.job-J/…      the job J reads it
//	NAME/done/scans/a.pdf                   it was read, and a.pdf.txt is its text
//	NAME/failed/scans/a.pdf                 it was not, and a.pdf.reason.txt says why
//
// Each step may be repeated, by two nodes at once or after a crash, and takes effect once; upload and job do so by a key of package once.
// Folders are polled, since network file systems do not report changes. Links are not followed, and nothing outside the user's folder is
// touched.
package inbox

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
)

// Options configure a Watcher.
type Options struct {
	Dir       string        // with a folder for each user
	Every     time.Duration // between two looks
	SpoolDir  string        // where files lie, without a name, while they are uploaded
	MaxUpload int64         // bytes of one file

	Users   account.Users
	Actors  job.Accounts
	Images  *document.Service
	Staging *document.Staging // that Images opens uploads by
	Reads   *recognition.Service
	Jobs    *job.Service
	Once    *once.Service
	Limits  *limit.Service

	ShowName func(name string) string // what a name is in UTF-8, whatever the encoding of who wrote it
	Log      *slog.Logger
	Now      func() time.Time
}

// The folders that the inbox makes in a user's folder.
const (
	readingDir = "reading"
	doneDir    = "done"
	failedDir  = "failed"
)

// Limits of a look at the folders, so that it ends, and one user does not hold up the others.
const (
	maxReading  = 100 // files of a user that are being read
	maxLooked   = 300 // files of a user that are looked at whether they are complete
	maxFinished = 100 // files of a user that are asked for whether they were read
	maxDepth    = 16  // folders within folders
)

// Pauses before something is tried again.
const (
	emptyFor   = time.Minute // an empty file is most likely about to be written
	shortPause = 10 * time.Second
	longPause  = time.Minute
)

// maxTries is how often a file is tried that crashes the service.
const maxTries = 5

// Watcher watches the folders until Run returns.
type Watcher struct {
	Options
	Done, Failed atomic.Int64 // files that this node has moved there
	Reading      atomic.Int64 // files in reading, as of the last look

	seen  map[string]sight // files that were there at the last look, by path
	notes map[string]note  // by path or claim below the folder of a user, or by user
}

// note is what is remembered of a file, of a claim or of a user.
type note struct {
	at     time.Time // when it was noted last
	paused time.Time // until when it is left alone
	said   string    // the last complaint, so that it is said once
	tries  int       // of a claim whose file broke something
	from   int       // where the next look at what is read of a user begins
	mine   bool      // whether the claim is of this node
	since  time.Time // when the claim of another node was seen first
}

// keptNote is how long a note is kept that does not change. No note is useful for longer.
const keptNote = 24 * time.Hour

// sight is how a file looked.
type sight struct {
	size  int64
	mtime time.Time
	since time.Time // that it looks the same
}

// New returns a Watcher.
func New(o Options) *Watcher {
	return &Watcher{Options: o, seen: map[string]sight{}, notes: map[string]note{}}
}

// note changes a note.
func (w *Watcher) note(key string, change func(*note)) note {
	n := w.notes[key]
	change(&n)
	n.at = w.Now()
	w.notes[key] = n
	return n
}

// Run polls the folders until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	for {
		w.look(ctx)
		select {
		case <-time.After(w.Every):
		case <-ctx.Done():
			return
		}
	}
}

// look looks at all folders once.
func (w *Watcher) look(ctx context.Context) {
	entries, err := os.ReadDir(w.Dir)
	w.complain(w.Dir, "the folder cannot be read", err)
	seen, reading := map[string]sight{}, 0
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		if !e.IsDir() || hidden(e.Name()) { // a link is no directory
			continue
		}
		reading += w.folder(ctx, e.Name(), seen)
	}
	w.seen = seen
	w.Reading.Store(int64(reading))
	maps.DeleteFunc(w.notes, func(_ string, n note) bool { return w.Now().Sub(n.at) > keptNote })
}

// complain logs an error about a path, unless it is the one that was logged last for that path. Without an error it forgets that one.
func (w *Watcher) complain(path, what string, err error) {
	text, was := "", w.notes[path].said
	if err != nil {
		text = what + ": " + err.Error()
	}
	if text != "" && text != was {
		w.Log.Warn("inbox: "+what+"; trying again", "path", w.ShowName(path), "error", err)
	}
	if text != "" || was != "" {
		w.note(path, func(n *note) { n.said = text })
	}
}

// box is the folder of a user.
type box struct {
	*os.Root
	actor account.Actor
	name  string // of the folder
}

func (b box) key(name string) string { return b.name + "/" + name }

// folder looks at the folder of one user, and returns how many files are being read.
func (w *Watcher) folder(ctx context.Context, name string, seen map[string]sight) int {
	b, err := w.open(ctx, name)
	w.complain(name, "the folder is skipped", err)
	if err != nil {
		return 0
	}
	defer b.Close() //nolint:errcheck // it was only looked at
	reading := w.finish(ctx, b)
	if room := maxReading - reading; room > 0 {
		taken, err := w.take(ctx, b, room, seen)
		w.complain(b.key("."), "the folder cannot be searched for new files", err)
		reading += taken
	}
	return reading
}

// open opens the folder of a user.
func (w *Watcher) open(ctx context.Context, name string) (b box, err error) {
	u, err := w.Users.ByName(ctx, name)
	if err != nil {
		return b, err
	}
	b.name = name
	if b.actor, err = w.Actors.ActorOf(ctx, u.ID); err != nil {
		return b, err
	}
	full := filepath.Join(w.Dir, name)
	if b.Root, err = os.OpenRoot(full); err != nil {
		return b, err
	}
	opened, err := b.Stat(".")
	there, other := os.Lstat(full)
	if err = errors.Join(err, other); err == nil && !os.SameFile(opened, there) {
		err = errors.New("it is a link")
	}
	if err != nil {
		return b, errors.Join(err, b.Close())
	}
	return b, nil
}

// hidden tells whether a name is that of a hidden file.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// passing tells whether programs use such a name for files that are not complete yet or that are not meant to be read.
func passing(name string) bool {
	name = strings.ToLower(name)
	return hidden(name) || strings.HasPrefix(name, "~$") || strings.HasSuffix(name, "~") || name == "thumbs.db" || name == "desktop.ini" ||
		slices.Contains([]string{".part", ".partial", ".crdownload", ".download", ".opdownload", ".filepart", ".tmp", ".temp", ".swp",
			".lock"}, path.Ext(name))
}

// walk calls see for everything below a folder, in the order of names, and with errors of reading a folder. Unlike those of package fs,
// names need not be in UTF-8.
func walk(b box, dir string, see func(name string, e fs.DirEntry, err error) error) error {
	entries, err := readDir(b, dir)
	if err != nil {
		return see(dir, nil, err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		err := see(name, e, nil)
		if err == nil && e.IsDir() {
			err = walk(b, name, see)
		}
		if err != nil && !errors.Is(err, fs.SkipDir) {
			return err
		}
	}
	return nil
}

// readDir returns what is in a folder, by name.
func readDir(b box, dir string) ([]fs.DirEntry, error) {
	f, err := b.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// open opens a file to read it. errNoFile if it is not a file, such as a link.
func open(b box, name string) (*os.File, error) {
	there, err := b.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !there.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := b.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(there, opened) { // a link has taken its place
		err = errNoFile
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// found is a file that is complete.
type found struct {
	path string
	info fs.FileInfo
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

// take takes files that are complete, at most room of them, and returns how many.
func (w *Watcher) take(ctx context.Context, b box, room int, seen map[string]sight) (taken int, err error) {
	var complete []found
	looked := 0
	err = walk(b, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			w.complain(b.key(name), "the folder cannot be read", err)
			return nil
		case e.IsDir():
			ours := name == readingDir || name == doneDir || name == failedDir
			if ours || hidden(e.Name()) || strings.Count(name, "/") >= maxDepth {
				return fs.SkipDir
			}
			return nil
		case !e.Type().IsRegular() || passing(e.Name()) || w.isPaused(b.key(name)):
			return nil
		}
		info, err := b.Lstat(name)
		if err != nil {
			return nil //nolint:nilerr // it is gone
		}
		if w.complete(b.key(name), info, seen) {
			complete = append(complete, found{name, info})
		}
		if looked++; looked >= maxLooked || len(complete) >= room {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	for _, f := range complete {
		if ctx.Err() != nil || w.isPaused(b.name) {
			return taken, err
		}
		if w.takeOne(ctx, b, f) {
			taken++
		}
	}
	return taken, err
}

func (w *Watcher) isPaused(key string) bool { return w.Now().Before(w.notes[key].paused) }

func (w *Watcher) pause(key string, d time.Duration) {
	w.note(key, func(n *note) { n.paused = w.Now().Add(d) })
}

// complete tells whether a file looks as it did at the look before.
func (w *Watcher) complete(key string, info fs.FileInfo, seen map[string]sight) bool {
	now := sight{info.Size(), info.ModTime(), w.Now()}
	before, ok := w.seen[key]
	same := ok && before.size == now.size && before.mtime.Equal(now.mtime)
	if same {
		now.since = before.since
	}
	seen[key] = now
	return same && info.Mode().IsRegular() && (now.size > 0 || w.Now().Sub(now.since) >= emptyFor)
}

// takeOne takes a file by moving it to reading, and begins with it.
func (w *Watcher) takeOne(ctx context.Context, b box, f found) bool {
	if err := w.room(ctx, b, f.info.Size()); err != nil {
		w.later(b, b.name, err)
		return false
	}
	claim := newClaim(w.Now())
	to := path.Join(readingDir, claim, f.path)
	file, err := open(b, f.path)
	if err == nil {
		err = errors.Join(file.Close(), b.MkdirAll(path.Dir(to), 0o777))
	}
	if err == nil {
		err = b.Rename(f.path, to)
	}
	if err != nil {
		removeEmpty(b, path.Join(readingDir, claim))
		if !errors.Is(err, fs.ErrNotExist) { // else another node was faster, or the user has taken it away
			w.complain(b.key(f.path), "the file cannot be moved", err)
			w.pause(b.key(f.path), longPause)
		}
		return false
	}
	w.complain(b.key(f.path), "", nil)
	w.note(b.key(claim), func(n *note) { n.mine = true })
	w.advance(ctx, b, claim)
	return true
}

// room returns why a file cannot be taken now.
func (w *Watcher) room(ctx context.Context, b box, size int64) error {
	if size > w.MaxUpload { // it is not going to be stored
		return nil
	}
	if err := w.Limits.RoomForDocuments(ctx, b.actor.UserID, 1, size); err != nil {
		return err
	}
	return w.Limits.RoomForWork(ctx, b.actor.UserID, 1, 0)
}

// later notes when something is tried again.
func (w *Watcher) later(b box, key string, err error) {
	f := fault.Of(err)
	d := shortPause
	if f.Kind == fault.Full || f.Kind == fault.TooMany {
		d = min(max(f.RetryAfter, shortPause), longPause) // no longer: an administrator may set another limit
		w.pause(b.name, d)
	}
	w.pause(key, d)
	if f.Kind != fault.Canceled {
		w.complain(key+" waits", "a file waits", err)
	}
}

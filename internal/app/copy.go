package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"glyphbox/internal/adapter/mongostore"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/adapter/token"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// whereFlags are the settings that say where things are kept.
var whereFlags = []string{"data-dir", "database", "mongodb"}

func (p Process) copyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "copy --from-… --to-…", Short: "Copy everything from one place to another, such as from the data directory to MariaDB and MongoDB", Args: cobra.NoArgs,
		Long: `Copies everything that a service keeps, users, images, results and keys, from one place to another: from a data directory to MariaDB and MongoDB,
back, or between any two. Numbers, names and times stay as they are, so that links and sign-ins stay good. In the end both sides are
compared by checksums.

Each side is given by the flags of serve with from- or to- before them, by variables such as GLYPHBOX_TO_DATABASE_FILE, or by the TOML file of a
service, as --from FILE and --to FILE. No service may run on either side. The place to copy to has to be empty. What breaks off is taken up again by the same
command: what is there already stays, and until the end no service starts on it.`}
	cmd.Flags().SortFlags = false
	var sides [2]sideFlags
	for n, name := range []string{"from", "to"} {
		sides[n] = newSideFlags(cmd.Flags(), name)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var c [2]Config
		for n, s := range sides {
			var err error
			if c[n], err = s.config(p.env()); err != nil {
				return err
			}
		}
		return p.copyAll(cmd.Context(), c[0], c[1])
	}
	return cmd
}

// sideFlags are the flags of one side of a copy: those of serve under names that begin with the side's.
type sideFlags struct {
	side    string
	given   *pflag.FlagSet // on the command line
	serving *pflag.FlagSet // what serve would be given
}

func newSideFlags(flags *pflag.FlagSet, side string) sideFlags {
	s := sideFlags{side, flags, pflag.NewFlagSet(side, pflag.ContinueOnError)}
	addFlags(s.serving, whereFlags...)
	s.serving.VisitAll(func(f *pflag.Flag) {
		flags.String(s.name(f), "", "To copy "+side+": "+f.Usage)
	})
	return s
}

func (s sideFlags) name(f *pflag.Flag) string {
	if f.Name == configName {
		return s.side
	}
	return s.side + "-" + f.Name
}

// config is the configuration of a service on that side. DataDir is empty where nothing says that there is one.
func (s sideFlags) config(env map[string]string) (Config, error) {
	var err error
	s.serving.VisitAll(func(f *pflag.Flag) {
		if given := s.given.Lookup(s.name(f)); given.Changed {
			err = errors.Join(err, s.serving.Set(f.Name, given.Value.String()))
		}
	})
	if err != nil {
		return Config{}, err
	}
	prefix := envPrefix + strings.ToUpper(s.side)
	of := map[string]string{variable(configName): env[prefix]}
	for name, value := range env {
		if rest, ok := strings.CutPrefix(name, prefix+"_"); ok {
			of[envPrefix+rest] = value
		}
	}
	c, values, err := loadConfig(s.serving, of)
	if err != nil {
		return c, fmt.Errorf("--%s: %w", s.side, err)
	}
	if slices.ContainsFunc(values, func(v value) bool { return v.name == "data-dir" && v.origin == "default" }) {
		c.DataDir = ""
	}
	if c.DataDir == "" && (c.Database == "" || c.MongoDB == "") {
		return c, usagef("--%s-data-dir is missing: only with both --%s-database and --%s-mongodb is there nothing in a directory", s.side, s.side, s.side)
	}
	return c, nil
}

// place names where things are kept, in a way that anybody may read.
func (c Config) place() string {
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		dir = c.DataDir
	}
	rows, bytes := dir, dir
	if c.Database != "" {
		rows = sqldb.PublicName(c.Database)
	}
	if c.MongoDB != "" {
		bytes = mongostore.PublicName(c.MongoDB)
	}
	if rows == bytes {
		return rows
	}
	return rows + " with " + bytes
}

// copyAll copies everything between two places, bytes first and rows last, and compares them.
func (p Process) copyAll(ctx context.Context, from, to Config) (err error) {
	work := "the copy of " + strings.ReplaceAll(from.place(), `\`, "/")
	if from.place() == to.place() {
		return usagef("both sides are %s", from.place())
	}
	if err := from.mustBeThere(); err != nil {
		return err
	}
	unlock, err := lockDataDirs(from.DataDir, to.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	c := &copying{ctx: ctx, progress: p.newProgress()}
	if c.from, err = openStores(ctx, from); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, c.from.Close()) }()
	if c.to, err = openStoresBy(ctx, to, sqlstore.OpenToFill); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, c.to.Close()) }()
	// Contents are rows, too, where both sides keep them so.
	c.contentRows = from.MongoDB == "" && to.MongoDB == ""
	sharesBytes := from.MongoDB == to.MongoDB && (from.MongoDB != "" || sameFile(from.blobsDir(), to.blobsDir()))
	if err := c.begin(work, sharesBytes); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	if from.DataDir != "" && to.DataDir != "" && !sameFile(from.DataDir, to.DataDir) {
		if err := token.CopyKeys(from.keyPath(), to.keyPath()); err != nil {
			return err
		}
	}
	if err := c.copyBytes(); err != nil {
		return err
	}
	if err := sqlstore.Sync(ctx, c.from.db, c.to.db, c.contentRows, func(table string, rows int64) {
		c.progress.say("table %s: %s", table, counted(rows, "row"))
	}); err != nil {
		return err
	}
	result, err := c.compare()
	if err != nil {
		return err
	}
	if err := c.to.db.Filled(ctx); err != nil {
		return err
	}
	return p.tell(nil, "Both sides are equal: %s.", result)
}

// mustBeThere tells whether there is something to copy, so that nothing empty is made where the path is wrong.
func (c Config) mustBeThere() error {
	if c.DataDir == "" {
		return nil
	}
	path := c.DataDir
	if c.Database == "" {
		path = c.database()
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is nothing of a service in %s: %w", c.DataDir, err)
	}
	return restored(c.DataDir)
}

// lockDataDirs locks both directories as a server does, or the one that both are. One that is not named is none.
func lockDataDirs(from, to string) (unlock func() error, err error) {
	var unlocks []func() error
	unlock = func() (err error) {
		for _, u := range unlocks {
			err = errors.Join(err, u())
		}
		return err
	}
	for n, dir := range []string{from, to} {
		if dir == "" || n > 0 && sameFile(from, to) {
			continue
		}
		err := makeDataDir(dir)
		if err == nil {
			var u func() error
			if u, err = lockDataDir(dir); err == nil {
				unlocks = append(unlocks, u)
			}
		}
		if err != nil {
			return nil, errors.Join(err, unlock())
		}
	}
	return unlock, nil
}

// sameFile tells whether two paths lead to one file or directory that is there.
func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// copying is a copy that is being made.
type copying struct {
	ctx         context.Context
	from, to    *stores
	contentRows bool // contents are copied as rows
	progress    *progress
	faults      []error
}

// begin makes sure that the target is empty, or that the same work has begun there.
func (c *copying) begin(work string, sharesBytes bool) error {
	begun, err := c.to.db.Unfinished(c.ctx)
	switch {
	case err != nil:
		return err
	case begun == work:
		c.progress.say("going on with %s", work)
		return nil
	case begun != "":
		return fmt.Errorf("it holds what %s has left unfinished; this would be %s", begun, work)
	}
	if !sharesBytes {
		empty, err := c.to.empty(c.ctx)
		if err != nil {
			return err
		}
		if !empty {
			return errors.New("it is not empty: there are images or results in it")
		}
	}
	return c.to.db.Fill(c.ctx, work)
}

// fail notes what is wrong with one image and lets the others go on.
func (c *copying) fail(i document.Image, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("image %d (%s): %w", i.ID, i.Name, fmt.Errorf(format, args...)))
}

// failed returns what was wrong, all at once.
func (c *copying) failed() error { return errors.Join(c.faults...) }

// blob is one of the two blobs of an image.
type blob struct {
	what, name string
	sha256     string // as the row says; empty where that says nothing
}

func blobsOf(i document.Image) []blob {
	return []blob{{"original", i.Original, i.SHA256}, {"thumbnail", i.Thumbnail, ""}}
}

// contentsAtOnce is how many contents are in memory at a time, on each side.
const contentsAtOnce = 200

// copyBytes copies what rows name: blobs, and contents where they are not rows themselves. What is there already stays; compare looks at it.
func (c *copying) copyBytes() error {
	images, size := 0, int64(0)
	for i, err := range everyImage(c.ctx, c.from.db.Catalog()) {
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
			return errors.Join(c.to.contents.Delete(c.ctx, ids), c.to.contents.PutHistory(c.ctx, from))
		}); err != nil {
			return err
		}
		images++
		c.progress.say("%s, %s copied", counted(images, "image"), inUnits(size))
	}
	return c.failed()
}

var errOtherBytes = errors.New("its bytes are not those that were uploaded: their SHA-256 is another one")

// copyBlob copies one blob that is not there, and returns its size.
func (c *copying) copyBlob(b blob) (n int64, err error) {
	have, err := c.to.blobs.Open(c.ctx, b.name)
	if err == nil {
		return 0, have.Close()
	}
	if !fault.Is(err, fault.NotFound) {
		return 0, err
	}
	return moveBlob(c.ctx, b, c.from.blobs, c.to.blobs)
}

// moveBlob copies a blob and returns its size. NotFound, and errOtherBytes, which leaves nothing.
func moveBlob(ctx context.Context, b blob, from document.Blobs, to blobs) (n int64, err error) {
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
	if c.contentRows {
		return nil
	}
	ids, err := c.from.db.Runs().ContentIDs(c.ctx, i.ID)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, contentsAtOnce) {
		from, err := c.from.contents.History(c.ctx, part)
		if err != nil {
			return err
		}
		to, err := c.to.contents.History(c.ctx, part)
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

// compare reads all that there is on both sides and returns what that is in words, or what differs.
func (c *copying) compare() (result string, err error) {
	images, size, revisions := 0, int64(0), 0
	for i, err := range everyImage(c.ctx, c.from.db.Catalog()) {
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
		images++
		c.progress.say("%s, %s compared", counted(images, "image"), inUnits(size))
	}
	from, err := c.from.db.Sums(c.ctx, c.contentRows)
	if err != nil {
		return "", err
	}
	to, err := c.to.db.Sums(c.ctx, c.contentRows)
	if err != nil {
		return "", err
	}
	rows := int64(0)
	for n, sum := range from {
		if n >= len(to) || sum != to[n] {
			c.faults = append(c.faults, fmt.Errorf("table %s differs: somebody writes to one of the sides. Stop all services on them and run this again", sum.Table))
		}
		rows += sum.Rows
	}
	result = fmt.Sprintf("%s of %s, %s in %s", counted(images, "image"), inUnits(size), counted(rows, "row"), counted(len(from), "table"))
	if !c.contentRows {
		result += ", " + counted(revisions, "revision") + " of results"
	}
	return result, c.failed()
}

// compareBlob compares the bytes of a blob on both sides with each other and with its row. A wrong one on the new side goes, to be copied anew.
func (c *copying) compareBlob(i document.Image, b blob) (n int64, err error) {
	n, want, err := sumOf(c.ctx, c.from.blobs, b)
	if fault.Is(err, fault.NotFound) || errors.Is(err, errOtherBytes) {
		c.fail(i, "its %s where it is copied from: %w", b.what, err)
		return n, nil
	}
	if err != nil {
		return n, err
	}
	_, got, err := sumOf(c.ctx, c.to.blobs, b)
	if fault.Is(err, fault.NotFound) || errors.Is(err, errOtherBytes) || err == nil && got != want {
		c.fail(i, "its %s where it is copied to: the bytes are not what they were. Run this again to copy them anew", b.what)
		return n, c.to.blobs.Delete(c.ctx, b.name)
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

// progress tells people how far something has come.
type progress struct {
	to   io.Writer
	last time.Time
}

// progressInterval is how often progress is told at most.
var progressInterval = time.Second

func (p Process) newProgress() *progress { return &progress{to: p.Stderr} }

// say writes a line, unless the one before was only just written.
func (p *progress) say(format string, args ...any) {
	if time.Since(p.last) < progressInterval {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.to, format+"\n", args...)
}

// counted is how many of something there are, in words.
func counted[N int | int64](n N, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// inUnits is a number of bytes for people.
func inUnits(n int64) string {
	switch {
	case n >= 10e9:
		return fmt.Sprintf("%d GB", n/1e9)
	case n >= 10e6:
		return fmt.Sprintf("%d MB", n/1e6)
	case n >= 10e3:
		return fmt.Sprintf("%d kB", n/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

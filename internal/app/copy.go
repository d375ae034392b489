package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"glyphbox/internal/adapter/mongostore"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/datadir"
	"glyphbox/internal/progress"
	"glyphbox/internal/transfer"
)

// whereFlags are the settings that say where things are kept.
var whereFlags = []string{"data-dir", "database", "mongodb"}

func (p Process) copyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "copy --from-… --to-…",
		Short: "Copy everything between stores, such as from a data directory to MariaDB and MongoDB", Args: cobra.NoArgs,
		Long: `Copies users, images, results and keys: from a data directory to MariaDB and MongoDB, back, or between any two stores.
IDs, names and times stay the same, so that links and tokens stay valid. At the end the command compares both sides by
checksums.

Give each side by flags of serve with the prefix from- or to-, by variables such as GLYPHBOX_TO_DATABASE_FILE, or by the
TOML file of a service with --from FILE and --to FILE. No service may run on either side, and the target must be empty.
If the command is interrupted, run it again. No service starts on the target before the copy is complete.`}
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
		flags.String(s.name(f), "", "Copy "+side+": "+f.Usage)
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
		return c, usagef("--%s-data-dir is required, unless both --%s-database and --%s-mongodb are given", s.side, s.side, s.side)
	}
	return c, nil
}

// place describes where the data is, without passwords.
func (c Config) place() string {
	rows := c.DataDir.Abs()
	bytes := rows
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
	err = from.mustExist()
	if err == nil && from.DataDir != "" { // it may have the keys alone
		err = from.DataDir.CheckDir()
	}
	if err != nil {
		return fmt.Errorf("--from-data-dir: %w", err)
	}
	unlock, err := lockDataDirs(from.DataDir, to.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	source, err := openStoresBy(ctx, from, sqlstore.OpenExisting)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := openStoresBy(ctx, to, sqlstore.OpenToFill)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	result, err := copyOf(from, to, source, target, progress.New(p.Stderr)).Run(ctx, work)
	return p.tell(err, "Both sides are equal: %s.", result)
}

// copyOf puts a copy together.
func copyOf(from, to Config, source, target *stores, display *progress.Display) *transfer.Copy {
	c := &transfer.Copy{From: source.side(), To: target.side(), Database: target.db, Rows: rows{source.db, target.db}, Empty: target.empty,
		ContentRows: from.MongoDB == "" && to.MongoDB == "", Progress: display, CopyKeys: func() error { return nil }}
	if from.DataDir != "" && to.DataDir != "" && !datadir.Same(string(from.DataDir), string(to.DataDir)) {
		c.CopyKeys = func() error { return copyKeys(from.DataDir, to.DataDir) }
	}
	if from.MongoDB == to.MongoDB && (from.MongoDB != "" || datadir.Same(from.DataDir.Blobs(), to.DataDir.Blobs())) {
		c.Empty = nil
	}
	return c
}

func (s *stores) side() transfer.Side {
	return transfer.Side{Catalog: s.db.Catalog(), Runs: s.db.Runs(), Blobs: s.blobs, Contents: s.contents}
}

// rows implements transfer.Rows.
type rows struct{ from, to *sqlstore.DB }

func (r rows) Sync(ctx context.Context, contents bool, done func(table string, rows int64)) error {
	return sqlstore.Sync(ctx, r.from, r.to, contents, done)
}

func (r rows) Differences(ctx context.Context, contents bool) (differ []string, tables int, rows int64, err error) {
	from, err := r.from.Sums(ctx, contents)
	if err != nil {
		return nil, 0, 0, err
	}
	to, err := r.to.Sums(ctx, contents)
	if err != nil {
		return nil, 0, 0, err
	}
	for n, sum := range from {
		if n >= len(to) || sum != to[n] {
			differ = append(differ, sum.Table)
		}
		rows += sum.Rows
	}
	return differ, len(from), rows, nil
}

// mustExist returns an error where a configuration names an SQLite file, or a directory of images, that does not exist, so that
// no new one is made. The database of a server is looked at when it is opened.
func (c Config) mustExist() error {
	switch {
	case c.Database == "":
		return c.DataDir.Check()
	case c.MongoDB == "":
		return c.DataDir.CheckDir()
	}
	return nil
}

// lockDataDirs locks both directories as a server does, or only one if they are the same. An empty name is no directory.
func lockDataDirs(from, to datadir.Dir) (unlock func() error, err error) {
	var unlocks []func() error
	unlock = func() (err error) {
		for _, u := range unlocks {
			err = errors.Join(err, u())
		}
		return err
	}
	for n, dir := range []datadir.Dir{from, to} {
		if dir == "" || n > 0 && datadir.Same(string(from), string(to)) {
			continue
		}
		err := dir.Make()
		if err == nil {
			var u func() error
			if u, err = dir.Lock(); err == nil {
				unlocks = append(unlocks, u)
			}
		}
		if err != nil {
			return nil, errors.Join(err, unlock())
		}
	}
	return unlock, nil
}

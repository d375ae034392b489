package app

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/adapter/filecache"
	"glyphbox/internal/adapter/filestore"
	"glyphbox/internal/adapter/httpapi"
	"glyphbox/internal/adapter/mongostore"
	"glyphbox/internal/adapter/seal"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/sqlstore/limitstore"
	"glyphbox/internal/adapter/sqlstore/oncestore"
	"glyphbox/internal/adapter/token"
	"glyphbox/internal/adapter/transcript"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/transfer"
)

const (
	maxKeys = 100 // API keys of one user

	attemptsAtOnce = 30 // wrong passwords for a name from one address
)

// attemptsInterval is the time after which one more attempt is allowed. Tests, which may be slow, make it longer.
var attemptsInterval = 10 * time.Second

// stores has all stores, wherever they are.
type stores struct {
	db       *sqlstore.DB
	blobs    transfer.Blobs
	contents transfer.Contents
	empty    func(ctx context.Context) (bool, error) // whether there is neither a blob nor a content outside the database
	checks   []httpapi.Check
	closers  []func() error

	jobRetention time.Duration // of jobs that ended; 0: for good
}

// openStores opens the database and the stores of images and results: MongoDB if it is set, else files and the database.
func openStores(ctx context.Context, c Config) (*stores, error) {
	return openStoresBy(ctx, c, sqlstore.Open)
}

// openExistingStores opens the stores of a service for a command. It creates none, since a path or an address may be mistyped.
func (p Process) openExistingStores(cmd *cobra.Command) (*stores, error) {
	c, err := p.config(cmd)
	if err != nil {
		return nil, err
	}
	if err := c.mustExist(); err != nil {
		return nil, withAdvice(err)
	}
	return openStoresBy(cmd.Context(), c, sqlstore.OpenExisting)
}

// openStoresBy is openStores with another function that opens the database.
func openStoresBy(ctx context.Context, c Config, openDatabase func(ctx context.Context,
	source string) (*sqlstore.DB, error)) (_ *stores, err error) {
	s := &stores{jobRetention: c.JobRetention}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.db, err = openDatabase(ctx, c.database()); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.db.Close)
	s.checks = append(s.checks, httpapi.Check{Name: "database", Check: s.db.Ping})
	if c.MongoDB == "" {
		files, err := filestore.Open(c.DataDir.Blobs())
		if err != nil {
			return nil, err
		}
		s.blobs, s.contents, s.empty = files, s.db.Contents(), func(context.Context) (bool, error) { return files.Empty() }
		s.checks = append(s.checks, httpapi.Check{Name: "contents", Check: s.db.Ping}, httpapi.Check{Name: "blobs", Check: files.Ping})
		return s, nil
	}
	mongo, err := mongostore.Open(ctx, c.MongoDB)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, mongo.Close)
	s.blobs, s.contents, s.empty = mongo.Blobs(), mongo.Contents(), mongo.Empty
	s.checks = append(s.checks, httpapi.Check{Name: "contents", Check: mongo.Ping}, httpapi.Check{Name: "blobs", Check: mongo.Ping})
	return s, nil
}

// Close closes everything in reverse order of opening.
func (s *stores) Close() (err error) {
	for _, c := range slices.Backward(s.closers) {
		err = errors.Join(err, c())
	}
	return err
}

// services is the domain with everything it needs.
type services struct {
	*stores
	accounts *account.Service
	images   *document.Service
	results  *recognition.Service
	pool     *engine.Engine
	staging  *document.Staging
	jobs     *job.Service
	once     *once.Service
	limits   *limit.Service
	runner   *job.Runner
	webhooks *webhook.Service

	deliverer *webhook.Deliverer

	metrics *prometheus.Registry
}

// openServices opens the stores and starts the workers.
func openServices(ctx context.Context, c Config, log *slog.Logger) (_ *services, err error) {
	keys := c.Keys
	if len(keys) == 0 {
		if keys, err = token.LoadKeys(c.DataDir.Keys()); err != nil {
			return nil, err
		}
	}
	seals, err := openSeals(c)
	if err != nil {
		return nil, err
	}
	s := &services{}
	if s.stores, err = openStores(ctx, c); err != nil {
		return nil, err
	}
	s.staging = &document.Staging{Blobs: s.blobs}
	files := document.Files(s.staging)
	var copies *filecache.Cache
	if c.MongoDB != "" {
		copies = filecache.New(s.staging, c.DataDir.Spool(), c.FileCache)
		files = copies
	}
	if s.pool, err = startPool(c, c.DataDir.Spool(), c.DataDir.Cache(), files, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.closers = append(s.closers, s.pool.Close)
	s.checks = append(s.checks, httpapi.Check{Name: "workers", Check: s.pool.Ready})
	s.metrics = poolRegistry(s.pool.Stats, s.pool.PDFStats)
	if copies != nil {
		s.metrics.MustRegister(fileCacheMetrics(copies.Stats)...)
	}

	exporter, err := newExporter(c, c.DataDir.Spool(), log)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.closers = append(s.closers, exporter.Close)
	s.accounts = newAccounts(c, s.db, token.NewTokens(keys))
	s.limits = &limit.Service{Users: limitstore.New(s.db.DB), General: c.Limits, Now: time.Now}
	s.images = &document.Service{Catalog: s.db.Catalog(), Blobs: s.blobs, Files: s.staging, Imager: s.pool, Seals: seals,
		Users: s.db.Users(), Limits: s.limits, MaxPages: c.MaxPages, MaxDocumentPixels: c.MaxDocumentPixels, Now: time.Now}
	s.results = &recognition.Service{Images: s.images, Users: s.db.Users(), Engine: s.pool, Runs: s.db.Runs(), Contents: s.contents,
		UserSettings: s.db.Settings(), Index: s.db.Index(), Feed: s.db.Feed(),
		Exporter: exporter, Timeout: c.RequestTimeout, MaxRegions: c.MaxRegions, Effort: c.Effort, Now: time.Now}
	if err := s.openWebhooks(c, seals, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.once = &once.Service{Keys: oncestore.New(s.db.DB), Now: time.Now}
	if err := s.openJobs(ctx, c, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.accounts.Dependents, s.accounts.Webhooks, s.images.Dependents = s.images, s.webhooks, s.results
	return s, nil
}

// openSeals returns the seals with the secret of the configuration, or else with that of the data directory.
func openSeals(c Config) (document.Seals, error) {
	secret := c.Seal
	if secret.Empty() {
		var err error
		if secret, err = seal.LoadSecret(c.DataDir.Seal()); err != nil {
			return nil, err
		}
	}
	return seal.New(secret)
}

// newAccounts makes the account service. Without tokens nobody can sign in; commands of the operator do not have to.
func newAccounts(c Config, db *sqlstore.DB, tokens account.Tokens) *account.Service {
	return &account.Service{Users: db.Users(), Sessions: db.Sessions(), Keys: db.Keys(), Tokens: tokens, Passwords: token.NewPasswords(),
		Attempts: account.NewAttempts(attemptsAtOnce, attemptsInterval), SignUpOpen: c.SignUpOpen,
		AccessTTL: c.AccessTTL, RefreshTTL: c.RefreshTTL, MaxKeys: maxKeys, Now: time.Now}
}

// startPool starts the workers, which run this same program. Temporary files go to tempDir. Compiled code goes to the user's cache
// directory, or else to cacheDir unless it is empty.
func startPool(c Config, tempDir, cacheDir string, files document.Files, log *slog.Logger) (*engine.Engine, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return engine.Start(engine.Options{Files: files, Command: []string{program, "worker"}, Workers: c.OCRWorkers,
		TessdataDirs: c.TessdataDirs, Models: c.Models, LoadWhenNeeded: c.LoadWhenNeeded, TempDir: tempDir,
		MaxPages: c.MaxPages, MaxPixels: c.MaxPixels, RegionTimeout: c.RegionTimeout, IdleTime: c.IdleTime,
		QueueSize: c.QueueSize, CacheDir: cacheDir, CompiledDir: c.CompiledDir, Log: log})
}

// exportWorker is the argument of a worker that writes PDF files for exports.
const exportWorker = "export"

// newExporter makes the exporter, whose workers run this same program. Temporary files go to tempDir.
func newExporter(c Config, tempDir string, log *slog.Logger) (*transcript.Exporter, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return transcript.New(transcript.Options{Command: []string{program, "worker", exportWorker}, IdleTime: c.IdleTime,
		TempDir: tempDir, Log: log}), nil
}

// everyUser iterates over all users that match the keyword, ordered by number.
func everyUser(ctx context.Context, users account.Users, keyword string) iter.Seq2[account.User, error] {
	return func(yield func(account.User, error) bool) {
		const size = 100
		for n := 0; ; n++ {
			page, _, err := users.List(ctx, keyword, account.Page{Size: size, Number: n})
			if err != nil {
				yield(account.User{}, err)
				return
			}
			for _, u := range page {
				if !yield(u, nil) {
					return
				}
			}
			if len(page) < size {
				return
			}
		}
	}
}

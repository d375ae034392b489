package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/httpapi"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
	"glyphbox/web"
)

func (p Process) serveCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "serve", Short: "Run the service", Args: cobra.NoArgs,
		Long: "Runs the service until SIGINT, SIGTERM or SIGHUP. Then it finishes running requests and stops;\n" +
			"a second SIGINT or SIGTERM stops it at once."}
	addFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		log := p.logger(c)
		for _, name := range unknownVariables(p.env()) {
			log.Warn("a variable is set, but it is not a setting", "variable", name)
		}
		return p.serve(cmd.Context(), c, log, func(string) {})
	}
	return cmd
}

// serve opens everything, serves until the context ends, and closes everything. It calls listening with the address once it listens.
func (p Process) serve(ctx context.Context, c Config, log *slog.Logger, listening func(address string)) (err error) {
	if err := c.DataDir.Make(); err != nil {
		return err
	}
	unlock, err := c.DataDir.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	listener, err := net.Listen("tcp", c.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("addr: another program already listens on %s; choose another address with --addr or %s", c.Addr, variable("addr"))
	}
	if err != nil {
		return fmt.Errorf("addr: %w", err)
	}
	defer listener.Close() // a second time does no harm
	if err := c.DataDir.MakeSpool(); err != nil {
		return err
	}
	s, err := openServices(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var page http.Handler
	if !c.Worker {
		if page, err = web.Handler(c.BasePath); err != nil {
			return err
		}
	}
	handler, err := httpapi.New(httpapi.Config{
		Config: endpoint.Config{Log: log, Metrics: s.metrics, Web: page, BasePath: c.BasePath, CORSOrigins: c.CORSOrigins, Stopping: ctx,
			Monitoring: c.Worker},
		Accounts: s.accounts, Images: s.images, Recognition: s.results, Jobs: s.jobs, Webhooks: s.webhooks, Once: s.once, Limits: s.limits,
		Ready: s.checks,
		Kinds: kinds(c), Workload: poolWorkload(s.pool.Stats), Second: secondRecogniser(s.pool.About), HEIF: heif(s.pool.About),
		PDF:       pdfFiles(s.pool.PDF),
		Version:   p.version(),
		MaxUpload: c.MaxUpload, MaxFiles: c.MaxFiles, Staging: s.staging, SpoolDir: c.DataDir.Spool(), RecognitionTimeout: c.RequestTimeout,
		TrustedProxies: c.TrustedProxies,
	})
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	if !c.Worker {
		if err := p.firstStart(ctx, c, s.accounts, address, log); err != nil {
			return err
		}
	}
	var background sync.WaitGroup
	defer background.Wait()
	working, stop := context.WithCancel(ctx)
	defer stop()
	background.Go(func() { s.runJobs(working, c) })
	background.Go(func() { keepIndexed(working, s.indexer(), c.SweepInterval, log) })
	background.Go(func() { keepCompact(working, s.db.Index(), log) })
	if !c.Worker { // a worker may have no way out
		background.Go(func() { s.deliverer.Run(working) })
	}
	if c.SweepInterval > 0 && !c.Worker {
		sweeper := s.sweeper()
		metrics := newSweepMetrics(s.metrics, sweeper.Kinds)
		background.Go(func() { keepSwept(working, sweeper, c.SweepInterval, metrics, log) })
	}
	if c.Inbox != "" && !c.Worker {
		watcher, err := s.openInbox(c, log)
		if err != nil {
			return err
		}
		background.Go(func() { watcher.Run(working) })
	}
	log.Info("listening", "address", address, "version", p.version())
	listening(address)
	return run(ctx, c, httpapi.Server(address, handler, log), listener, log)
}

// run serves until the context ends, and then finishes the requests that run, for a limited time.
func run(ctx context.Context, c Config, server *http.Server, listener net.Listener, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping, once running requests are finished", "timeout", c.ShutdownTimeout)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	err := server.Shutdown(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("aborting requests that did not finish in time")
		err = server.Close()
	}
	log.Info("stopped")
	return err
}

// adminName and adminEmail are those of the administrator who is created at the first start.
const (
	adminName  = "admin"
	adminEmail = "admin@localhost.localdomain"
)

// firstStart creates an administrator if there is none, and shows how to sign in.
func (p Process) firstStart(ctx context.Context, c Config, accounts *account.Service, address string, log *slog.Logger) error {
	if there, err := hasAdmin(ctx, accounts.Users); there || err != nil {
		return err
	}
	password, shown := c.AdminPassword, "(as you set it)"
	if password == "" {
		password = strings.ToLower(rand.Text())
		shown = password
	}
	_, err := accounts.AddUser(ctx, account.SignUp{Name: adminName, Email: adminEmail, Password1: password, Password2: password},
		account.RoleAdmin)
	if fault.Is(err, fault.Conflict) { // somebody took the name, who must not become an administrator by that
		if there, err := hasAdmin(ctx, accounts.Users); there || err != nil { // another node made it at the same time
			return err
		}
		log.Warn("there is no administrator, and the default name or e-mail address is taken; give a user the role", "name", adminName,
			"command", c.command("user role NAME admin"))
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating the user %s: %w", adminName, err)
	}
	return banner(p.Stdout, "Glyphbox runs at "+localURL(address), "", "Sign in as   "+adminName, "Password     "+shown, "",
		"This is shown only once. To set another password:", c.command("user password "+adminName))
}

// command returns a command line of this program that works on the same database, for people to copy. That of a server is named
// by the same setting as here: an address may hold a password.
func (c Config) command(args string) string {
	if c.Database != "" {
		return "glyphbox " + args + "   (with the setting database of this service)"
	}
	dir := c.DataDir.Abs()
	if strings.ContainsFunc(dir, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+=:,@", r)
	}) {
		dir = "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
	}
	return "glyphbox " + args + " --data-dir " + dir
}

func hasAdmin(ctx context.Context, users account.Users) (bool, error) {
	for u, err := range everyUser(ctx, users, "") {
		if err != nil || u.Role == account.RoleAdmin {
			return err == nil, err
		}
	}
	return false, nil
}

// banner writes lines so that they stand out among others.
func banner(w io.Writer, lines ...string) error {
	rule := strings.Repeat("─", 72)
	text := "\n" + rule + "\n"
	for _, line := range lines {
		text += strings.TrimRight("  "+line, " ") + "\n"
	}
	_, err := io.WriteString(w, text+rule+"\n\n")
	return err
}

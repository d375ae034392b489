package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/adapter/engine/worker"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/adapter/token"
	"glyphbox/internal/adapter/transcript/overlay"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/fault"
)

func (p Process) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show the settings in force and their origins", Args: cobra.NoArgs}
	addFlags(cmd.Flags())
	markdown := cmd.Flags().Bool("markdown", false, "Describe all settings in Markdown, as in docs/configuration.md.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *markdown {
			printMarkdown(p.Stdout)
			return nil
		}
		_, values, err := loadConfig(cmd.Flags(), p.env())
		if err != nil {
			return err
		}
		printConfig(p.Stdout, values)
		for _, name := range unknownVariables(p.env()) {
			fmt.Fprintf(p.Stderr, "glyphbox: %s is set, but it is not a setting\n", name)
		}
		return nil
	}
	return cmd
}

func (p Process) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Show the version", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		_, err := fmt.Fprintf(p.Stdout, "glyphbox %s, %s, %s/%s\n", p.version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}}
}

// workerCommand runs the program as a worker of its own pool, which may crash without harm to the service.
func (p Process) workerCommand() *cobra.Command {
	return &cobra.Command{Use: "worker", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		if args[0] == exportWorker {
			return overlay.Run()
		}
		return worker.Run(args[0])
	}}
}

// compileCommand fills the directory for the setting compiled-dir.
func (p Process) compileCommand() *cobra.Command {
	return &cobra.Command{Use: "compile DIRECTORY", Short: "Compile the PDF library ahead of time", Args: cobra.ExactArgs(1),
		Long: "Compiles the PDF library into a directory, for the setting compiled-dir, so that the first PDF file does not wait seconds " +
			"for it.\nThe code runs on processors with the features of this one; on others the library is compiled when it is used.",
		RunE: func(cmd *cobra.Command, args []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			return engine.Compile(cmd.Context(), []string{program, "worker"}, args[0])
		}}
}

// healthTimeout is how long the health command waits for an answer.
const healthTimeout = 5 * time.Second

func (p Process) healthCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "health", Short: "Check whether the running service is ready", Args: cobra.NoArgs,
		Long: "Asks the service on this machine whether it is ready. The exit code is 0 if it is ready and 1 otherwise."}
	addFlags(cmd.Flags(), "addr")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), healthTimeout)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, localURL(c.Addr)+"/ready", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
		if err != nil {
			return err
		}
		fmt.Fprintln(p.Stdout, strings.TrimSpace(string(body)))
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("the service is not ready: %s", response.Status)
		}
		return nil
	}
	return cmd
}

// localURL returns the URL at which this machine reaches a server that listens on the address.
func localURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		addr = net.JoinHostPort("localhost", port)
	}
	return "http://" + addr
}

func (p Process) keyCommand() *cobra.Command {
	cmd := group("key", "Manage the keys that sign access tokens")
	rotate := &cobra.Command{Use: "rotate", Short: "Create a new signing key", Args: cobra.NoArgs,
		Long: "Creates a new signing key, which the service uses from its next start on. Tokens of the previous key stay valid; those of " +
			"older keys do not."}
	addFlags(rotate.Flags(), "data-dir", "keys")
	rotate.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if len(c.Keys) > 0 {
			return usagef("the keys come from the setting keys, which this command cannot change; set it to what glyphbox key new prints")
		}
		if err := c.DataDir.CheckKeys(); err != nil {
			return withAdvice(err)
		}
		if err := token.RotateKeys(c.DataDir.Keys()); err != nil {
			return err
		}
		fmt.Fprintln(p.Stdout, "The service signs with the new key from its next start on.")
		return nil
	}
	fresh := &cobra.Command{Use: "new", Short: "Print a new signing key, for the setting keys", Args: cobra.NoArgs,
		Long: "Prints a new signing key in the format of the setting keys. If that is set, its first key follows, so that its tokens " +
			"stay valid."}
	addFlags(fresh.Flags(), "keys")
	fresh.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		_, err = io.WriteString(p.Stdout, token.FormatKeys(token.Rotated(c.Keys)))
		return err
	}
	cmd.AddCommand(rotate, fresh)
	return cmd
}

func (p Process) migrateCommand() *cobra.Command {
	cmd := group("migrate", "Update the database schema, or import the data of the original service")
	status := &cobra.Command{Use: "status", Short: "List the migrations and whether they are applied", Args: cobra.NoArgs}
	status.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if err := c.checkFile(); err != nil {
			return err
		}
		steps, err := sqlstore.Migrations(cmd.Context(), c.database())
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "STEP\tFILE\tDONE")
		for _, s := range steps {
			done := "not yet"
			if !s.Applied.IsZero() {
				done = s.Applied.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(out, "%d\t%s\t%s\n", s.Version, s.Name, done)
		}
		return out.Flush()
	}
	up := &cobra.Command{Use: "up", Short: "Apply missing migrations, as each start of the service does", Args: cobra.NoArgs}
	up.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.config(cmd)
		if err != nil {
			return err
		}
		if err := c.checkFile(); err != nil {
			return err
		}
		db, err := sqlstore.Open(cmd.Context(), c.database())
		if err != nil {
			return err
		}
		if err := db.Close(); err != nil {
			return err
		}
		return p.tell(nil, "The database schema is up to date.")
	}
	for _, sub := range []*cobra.Command{status, up} {
		addFlags(sub.Flags(), "data-dir", "database")
		cmd.AddCommand(sub)
	}
	cmd.AddCommand(p.importCommand())
	return cmd
}

// openDatabase opens the database of a service. It creates none, since the path or the address may be mistyped.
func openDatabase(ctx context.Context, c Config) (*sqlstore.DB, error) {
	if err := c.checkFile(); err != nil {
		return nil, err
	}
	return sqlstore.OpenExisting(ctx, c.database())
}

// checkFile returns an error where the database is a file that does not exist.
func (c Config) checkFile() error {
	if c.Database != "" {
		return nil
	}
	return withAdvice(c.DataDir.Check())
}

// withAdvice adds to the error of a missing data directory how to give the right one.
func withAdvice(err error) error {
	if errors.Is(err, datadir.ErrNoDatabase) || errors.Is(err, datadir.ErrNoDir) || errors.Is(err, datadir.ErrNoKeys) {
		return fmt.Errorf("%w. Give the data directory of the service with --data-dir or %s", err, variable("data-dir"))
	}
	return err
}

// operator is the actor of the commands: an administrator without an account.
var operator = account.Actor{Name: "operator", Admin: true}

// userCommand works on the database itself, also while the service runs.
func (p Process) userCommand() *cobra.Command {
	cmd := group("user", "Manage users, also while the service runs")
	var email, role, reason string
	add := func(use, short string, args cobra.PositionalArgs, run func(ctx context.Context, accounts *account.Service,
		args []string) error) *cobra.Command {
		sub := &cobra.Command{Use: use, Short: short, Args: args}
		addFlags(sub.Flags(), "data-dir", "database")
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			c, err := p.config(cmd)
			if err != nil {
				return err
			}
			db, err := openDatabase(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer db.Close()
			return run(cmd.Context(), newAccounts(c, db, nil), args)
		}
		cmd.AddCommand(sub)
		return sub
	}
	adding := add("add NAME --email ADDRESS", "Create a user; prompts for the password or reads it from standard input",
		func(cmd *cobra.Command, args []string) error {
			if email == "" {
				return usagef("--email is required")
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		func(ctx context.Context, accounts *account.Service, args []string) error {
			if u, err := accounts.Users.ByName(ctx, args[0]); err == nil { // before prompting for a password
				return fmt.Errorf("the name %s is taken", u.Name)
			} else if !fault.Is(err, fault.NotFound) {
				return err
			}
			password, err := p.readPassword(newPassword...)
			if err != nil {
				return err
			}
			u, err := accounts.AddUser(ctx, account.SignUp{Name: args[0], Email: email, Password1: password, Password2: password}, role)
			return p.tell(err, "Created %s with the number %d.", u.Name, u.ID)
		})
	adding.Flags().StringVar(&email, "email", "", "E-mail address.")
	adding.Flags().StringVar(&role, "role", "", "Role: admin, or empty for none.")

	add("list [KEYWORD]", "List users, or those whose name or e-mail address contains the keyword", cobra.MaximumNArgs(1),
		func(ctx context.Context, accounts *account.Service, args []string) error {
			return p.listUsers(ctx, accounts, strings.Join(args, ""))
		})
	add("password NAME", "Set a password and sign the user out; prompts for it or reads it from standard input", cobra.ExactArgs(1),
		func(ctx context.Context, accounts *account.Service, args []string) error {
			if _, err := accounts.Users.ByName(ctx, args[0]); err != nil { // before prompting for a password
				return err
			}
			password, err := p.readPassword(newPassword...)
			if err != nil {
				return err
			}
			u, err := accounts.ResetPassword(ctx, args[0], password)
			return p.tell(err, "%s has a new password and must sign in again.", u.Name)
		})
	add("role NAME admin|none", "Give a user the role of administrator, or remove it", cobra.ExactArgs(2),
		p.onUser(func(ctx context.Context, accounts *account.Service, id int64, args []string) (account.User, error) {
			role, ok := map[string]string{account.RoleAdmin: account.RoleAdmin, "none": ""}[args[1]]
			if !ok {
				return account.User{}, usagef("role %s: must be admin or none", args[1])
			}
			return accounts.SetRole(ctx, operator, id, role)
		}))
	blocking := add("block NAME", "Block a user from the next request on", cobra.ExactArgs(1),
		p.onUser(func(ctx context.Context, accounts *account.Service, id int64, _ []string) (account.User, error) {
			return accounts.SetState(ctx, operator, id, account.StateBlocked, reason)
		}))
	blocking.Flags().StringVar(&reason, "reason", "", "Why the user is blocked.")
	add("unblock NAME", "Unblock a user", cobra.ExactArgs(1),
		p.onUser(func(ctx context.Context, accounts *account.Service, id int64, _ []string) (account.User, error) {
			return accounts.ClearState(ctx, operator, id, account.StateBlocked)
		}))
	return cmd
}

// onUser returns the function of a command that changes the user of its first argument.
func (p Process) onUser(change func(ctx context.Context, accounts *account.Service, id int64,
	args []string) (account.User, error)) func(context.Context, *account.Service, []string) error {
	return func(ctx context.Context, accounts *account.Service, args []string) error {
		u, err := accounts.Users.ByName(ctx, args[0])
		if err != nil {
			return err
		}
		u, err = change(ctx, accounts, u.ID, args)
		return p.tell(err, "%s", describe(u))
	}
}

// tell writes a line to standard output, unless there is an error, which it returns.
func (p Process) tell(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, format+"\n", args...)
	return err
}

func describe(u account.User) string {
	text := u.Name
	if u.Role != "" {
		text += ", " + u.Role
	}
	for _, s := range u.States {
		text += ", " + s.Name
		if s.Detail != "" {
			text += " (" + s.Detail + ")"
		}
	}
	return text
}

func (p Process) listUsers(ctx context.Context, accounts *account.Service, keyword string) error {
	out := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tNAME\tE-MAIL\tROLE\tSTATES\tSINCE")
	for user, err := range everyUser(ctx, accounts.Users, keyword) {
		if err != nil {
			return err
		}
		var states []string
		for _, s := range user.States {
			states = append(states, s.Name)
		}
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\n", user.ID, user.Name, user.Email, user.Role, strings.Join(states, ","),
			user.Created.Format(time.DateOnly))
	}
	return out.Flush()
}

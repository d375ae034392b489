// Package app assembles the program. It is the only package that knows all adapters and the only one that reads the
// configuration. Run is the whole program except for signals and the exit.
package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"glyphbox/internal/domain/fault"
)

// Process is what the program gets from the operating system.
type Process struct {
	Args           []string // without the program's name
	Env            []string // NAME=value
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Version        string // empty: that of the build
}

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // the command line or the configuration is invalid
)

// Signals returns the signals that end the context of Run. The hangup of a terminal is one of them unless it is ignored, as by nohup.
func Signals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// Interrupted returns a context that ends with the first of Signals. A second one ends the program at once. That does not hold for hangups:
// one terminal causes several, from the shell and from the kernel.
func Interrupted() context.Context {
	signals := Signals()
	if slices.Contains(signals, os.Signal(syscall.SIGHUP)) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // for as long as the program runs
	}
	ctx, end := context.WithCancel(context.Background())
	first := make(chan os.Signal, 1)
	signal.Notify(first, signals...)
	go func() {
		<-first
		signal.Stop(first)
		end()
	}()
	return ctx
}

// Run executes the command in the arguments until it is done or the context ends, and returns the exit code.
func Run(ctx context.Context, p Process) int {
	root := &cobra.Command{
		Use:               "glyphbox",
		Short:             "Read text from images and documents",
		Version:           p.version(),
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	understood := false // until then a failure is an error of the command line
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	root.AddCommand(p.serveCommand(), p.ocrCommand(), p.jobCommand(), p.benchCommand(), p.userCommand(), p.keyCommand(), p.migrateCommand(),
		p.copyCommand(), p.backupCommand(), p.restoreCommand(), p.sweepCommand(), p.reindexCommand(), p.configCommand(), p.doctorCommand(),
		p.healthCommand(), p.compileCommand(), p.versionCommand(), p.workerCommand())
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = func(_ *cobra.Command, topic []string) error { return unknownTopic(root, topic) }
	}
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(p.Stderr, "glyphbox: %s\n", explain(err))
	_, badConfig := errors.AsType[configFaults](err)
	_, badUsage := errors.AsType[usageError](err)
	if !understood || badUsage {
		fmt.Fprintf(p.Stderr, "See %s --help\n", cmd.CommandPath())
	}
	if !understood || badUsage || badConfig {
		return exitUsage
	}
	return exitFailure
}

// unknownTopic returns the error of help on an unknown command; cobra's own help reports success then.
func unknownTopic(root *cobra.Command, topic []string) error {
	cmd, rest, err := root.Find(topic)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("unknown command %q for %q", rest[0], cmd.CommandPath())
	}
	return err
}

// group returns a command that only has subcommands.
func group(name, short string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
}

// usageError is an error of the command line that only the command itself can find.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// explain returns the text of an error for the user of the command: of a fault with its fields and its cause, and of a failed request
// with the reason. It leaves out what a decoder reports about a file.
func explain(err error) string {
	text := err.Error() // includes the context around the replaced parts
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		told := f.Text
		for _, field := range f.Fields {
			told += fmt.Sprintf("\n  %s: %s", field.Field, field.Detail)
		}
		if f.Cause != nil && f.Kind != fault.Unsupported {
			told += fmt.Sprintf(" (%v)", f.Cause)
		}
		text = strings.Replace(text, f.Error(), told, 1)
	}
	if request, ok := errors.AsType[*url.Error](err); ok {
		text = strings.Replace(text, request.Error(), unanswered(request), 1)
	}
	return strings.ReplaceAll(text, context.Canceled.Error(), "interrupted")
}

// unanswered explains why a request got no answer.
func unanswered(request *url.Error) string {
	at, err := url.Parse(request.URL)
	if err != nil || at.Host == "" {
		return request.Error()
	}
	server := at.Scheme + "://" + at.Host
	number, isNumber := errors.AsType[syscall.Errno](request)
	lookup, isLookup := errors.AsType[*net.DNSError](request)
	switch {
	case errors.Is(request, context.Canceled):
		return context.Canceled.Error()
	case isNumber:
		return fmt.Sprintf("%s cannot be reached: %v", server, number)
	case isLookup:
		return fmt.Sprintf("%s cannot be reached: %s", server, lookup.Err)
	case request.Timeout():
		return server + " does not answer"
	case errors.Is(request, io.EOF):
		return server + " closed the connection without an answer"
	}
	return fmt.Sprintf("%s cannot be reached: %v", server, request.Err)
}

// env returns the environment as a map.
func (p Process) env() map[string]string {
	env := map[string]string{}
	for _, entry := range p.Env {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

// config returns the configuration for a command.
func (p Process) config(cmd *cobra.Command) (Config, error) {
	c, _, err := loadConfig(cmd.Flags(), p.env())
	return c, err
}

func (p Process) version() string {
	if p.Version != "" {
		return p.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return "built from " + s.Value
			}
		}
	}
	return "unknown"
}

// logger writes to standard error.
func (p Process) logger(c Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(p.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.Stderr, options))
}

// terminal returns the file descriptor where v, a standard stream, is a terminal.
func terminal(v any) (fd int, ok bool) {
	f, ok := v.(*os.File)
	if !ok {
		return 0, false
	}
	fd = int(f.Fd())
	return fd, term.IsTerminal(fd)
}

// newPassword has the prompts for setting a password.
var newPassword = []string{"Password: ", "Repeat password: "}

// readPassword asks for a password, with each of the prompts and without echo. Without a terminal it reads a line.
func (p Process) readPassword(prompts ...string) (string, error) {
	fd, ok := terminal(p.Stdin)
	if !ok {
		line, err := bufio.NewReader(p.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed string
	for i, prompt := range prompts {
		fmt.Fprint(p.Stderr, prompt)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(p.Stderr)
		if err != nil {
			return "", err
		}
		if i > 0 && typed != string(b) {
			return "", errors.New("the passwords do not match")
		}
		typed = string(b)
	}
	return typed, nil
}

// Package app puts the program together: it is the only one that knows all adapters, and the only one that reads the
// configuration. Run is the whole program but for signals and the exit.
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
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"glyphbox/internal/domain/fault"
)

// Process is what a program gets from outside.
type Process struct {
	Args           []string // without the program's name
	Env            []string // NAME=value
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Version        string // empty: as the build says
}

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // the command line or the configuration is not right
)

// Run does what the arguments say until it is done or the context ends, and returns the exit code.
func Run(ctx context.Context, p Process) int {
	root := &cobra.Command{
		Use:               "glyphbox",
		Short:             "Read the text of regions of page images",
		Version:           p.version(),
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	understood := false // what fails until then is the command line's fault
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
		fmt.Fprintf(p.Stderr, "How it is used: %s --help\n", cmd.CommandPath())
	}
	if !understood || badUsage || badConfig {
		return exitUsage
	}
	return exitFailure
}

// unknownTopic is the error of help on what is no command; its own ends with success.
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

// usageError is a wrong command line that only the command itself can recognise.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// explain returns the text of an error for who runs the program: of a fault with its fields and its cause, and why a request was not
// answered. What a decoder says of a file is not shown.
func explain(err error) string {
	text := err.Error() // with what stands around what is replaced
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

// unanswered says why a request was not answered.
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
		return server + " has closed the connection without an answer"
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

// newPassword is what readPassword asks for a password that is to be set.
var newPassword = []string{"Password: ", "Once more: "}

// readPassword asks for a password, with each of the prompts and without echo, or reads a line where nobody sits at a terminal.
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
			return "", errors.New("the two passwords differ")
		}
		typed = string(b)
	}
	return typed, nil
}

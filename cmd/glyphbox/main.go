// Command glyphbox is the document OCR service: run "glyphbox help".
package main

import (
	"context"
	"os"
	"os/signal"

	"glyphbox/internal/app"
)

// version is set when the program is linked.
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), app.Signals()...)
	context.AfterFunc(ctx, stop) // so that a second signal ends the program at once
	os.Exit(app.Run(ctx, app.Process{Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Version: version}))
}

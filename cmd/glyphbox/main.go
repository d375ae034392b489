// Command glyphbox is the document OCR service: run "glyphbox help".
package main

import (
	"os"

	"glyphbox/internal/app"
)

// version is set when the program is linked.
var version = ""

func main() {
	os.Exit(app.Run(app.Interrupted(), app.Process{Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout,
		Stderr: os.Stderr, Version: version}))
}

// Package progress shows how far a program has come that runs for minutes.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Display is a line that says how far a program has come. On a terminal the line is written over the one before it; elsewhere,
// such as in a log, it is a line of its own, and there are fewer of them. Safe for concurrent use.
type Display struct {
	w        io.Writer
	terminal bool
	interval time.Duration // between two lines

	mu    sync.Mutex
	last  time.Time
	shown bool // on a terminal: there is a line to write over
}

// Interval is the least time between two lines where they are not written over each other. It is a variable for tests.
var Interval = 10 * time.Second

const terminalInterval = 100 * time.Millisecond

// New returns a display that writes to w, which is a terminal or not.
func New(w io.Writer) *Display {
	d := &Display{w: w, interval: Interval}
	if f, isFile := w.(*os.File); isFile && term.IsTerminal(int(f.Fd())) {
		d.terminal, d.interval = true, terminalInterval
	}
	return d
}

// Say shows a line, unless the line before it was shown only just now.
func (d *Display) Say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.last) < d.interval {
		return
	}
	d.last = time.Now()
	if !d.terminal {
		fmt.Fprintf(d.w, format+"\n", args...)
		return
	}
	d.shown = true
	fmt.Fprintf(d.w, clear+format, args...)
}

const clear = "\r\x1b[K" // to the beginning of the line, and remove what stands there

// Clear removes the line from a terminal, so that something else can be written there.
func (d *Display) Clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear()
}

func (d *Display) clear() {
	if d.shown {
		fmt.Fprint(d.w, clear)
		d.shown = false
	}
}

// Printf writes a line that stays, also where the same terminal shows both.
func (d *Display) Printf(w io.Writer, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear()
	fmt.Fprintf(w, format+"\n", args...)
}

package bench

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateScaling = flag.Bool("update", false, "write the table of docs/scaling.md")

// cost is how much an item of a job, and an idle node, use of something that all nodes share.
type cost struct {
	name     string
	item     float64 // units of an item
	node     float64 // units of a node in a second, even if it reads nothing
	capacity float64 // units in a second
	remedy   string
}

// The inputs of the model; docs/scaling.md says where they come from. Times are in seconds.
const (
	processes = 2.0 // worker processes of a node
	reading   = 1.0 // of a page by a worker process
	jobs      = 4.0 // that are read at once
)

var costs = []cost{
	{"MariaDB, statements", 60, 5, 30_000, "a larger MariaDB"},
	{"MariaDB, commits", 6.4, 0, 2_500, "a faster disk for logs; index texts in groups"},
	{"rows of jobs", 2 * 0.003, 0, jobs, "more and smaller jobs"},
	{"NATS, replicated writes", 2, 0, 2_900, "more consumers on streams of their own"},
	{"blobs, MB", 1, 0, 400, "a replica for reads"},
}

// table shows for several numbers of nodes how much they could read, and how busy they would make what they share. A value above 1 is a
// limit; the highest is the first one.
func table() string {
	var b strings.Builder
	b.WriteString("| worker nodes | pages/s that their workers can read |")
	for _, c := range costs {
		fmt.Fprintf(&b, " %s |", c.name)
	}
	b.WriteString(" first limit at | pages/s | remedy |\n|---|---|" + strings.Repeat("---|", len(costs)) + "---|---|---|\n")
	for _, nodes := range []float64{10, 100, 1000} {
		offered := nodes * processes / reading
		fmt.Fprintf(&b, "| %.0f | %.0f |", nodes, offered)
		first, most := cost{}, 0.0
		for _, c := range costs {
			busy := (offered*c.item + nodes*c.node) / c.capacity
			fmt.Fprintf(&b, " %.2f |", busy)
			if busy > most {
				first, most = c, busy
			}
		}
		possible := min(offered, (first.capacity-nodes*first.node)/first.item)
		limit := (first.capacity / (first.item*processes/reading + first.node))
		fmt.Fprintf(&b, " %.0f nodes: %s | %.0f | %s |\n", limit, first.name, possible, first.remedy)
	}
	return b.String()
}

// TestScaling compares the table of docs/scaling.md with the model.
func TestScaling(t *testing.T) {
	const file, begin, end = "../../docs/scaling.md", "<!-- table -->\n", "<!-- end of table -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), begin)
	got, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("docs/scaling.md has no place for the table")
	}
	if *updateScaling {
		if err := os.WriteFile(file, []byte(before+begin+table()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(table(), got); d != "" {
		t.Errorf("run with -update to write the table (-want +got):\n%s", d)
	}
}

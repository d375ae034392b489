package bench

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateScaling = flag.Bool("update", false, "write the table of docs/scaling.md anew")

// cost is what an item of a job, and a node that waits, ask of something that all nodes share.
type cost struct {
	name     string
	item     float64 // units of an item
	node     float64 // units of a node in a second, whatever it reads
	capacity float64 // units in a second
	remedy   string
}

// The inputs of the model, whose origin docs/scaling.md tells. Times are in seconds.
const (
	processes = 2.0 // worker processes of a node
	reading   = 1.0 // of a page by a worker process
	jobs      = 4.0 // that are read at once
)

var costs = []cost{
	{"MariaDB, statements", 60, 5, 30_000, "a larger MariaDB"},
	{"MariaDB, commits", 6.4, 0, 2_500, "a faster disk of logs; index texts in groups"},
	{"rows of the jobs", 2 * 0.003, 0, jobs, "more and smaller jobs"},
	{"NATS, replicated writes", 2, 0, 2_900, "more consumers on streams of their own"},
	{"blobs, MB", 1, 0, 400, "a replica for reads"},
}

// table has what nodes of a number could read, and how busy that would make what they share. What is busier than 1 is a limit; the busiest
// one is the first.
func table() string {
	var b strings.Builder
	b.WriteString("| worker nodes | pages/s of their workers |")
	for _, c := range costs {
		fmt.Fprintf(&b, " %s |", c.name)
	}
	b.WriteString(" first limit at | pages/s | then |\n|---|---|" + strings.Repeat("---|", len(costs)) + "---|---|---|\n")
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

// TestScaling holds docs/scaling.md to the model.
func TestScaling(t *testing.T) {
	const file, begin, end = "../../docs/scaling.md", "<!-- table -->\n", "<!-- end of table -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), begin)
	got, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatal("there is no place for the table")
	}
	if *updateScaling {
		if err := os.WriteFile(file, []byte(before+begin+table()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(table(), got); d != "" {
		t.Errorf("with -update it is written anew (-want +got):\n%s", d)
	}
}

package porttest

import (
	"slices"
	"testing"
	"time"
)

// Side is something that a benchmark compares with others.
type Side struct {
	Name string
	Do   func()
}

// InTurn does what the sides do in turn, so that other load on the machine falls on all of them. It reports the median time of each, and
// for the last one what it takes of the time of the first. It returns those times, in milliseconds.
func InTurn(b *testing.B, sides ...Side) (medians []float64) {
	times := make([][]time.Duration, len(sides))
	for b.Loop() {
		for n, s := range sides {
			start := time.Now()
			s.Do()
			times[n] = append(times[n], time.Since(start))
		}
	}
	for n, s := range sides {
		slices.Sort(times[n])
		medians = append(medians, float64(times[n][len(times[n])/2])/float64(time.Millisecond))
		b.ReportMetric(medians[n], "ms-"+s.Name)
	}
	b.ReportMetric(medians[len(sides)-1]/medians[0], "ratio")
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	return medians
}

package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"glyphbox/client"
	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/adapter/filecache"
	"glyphbox/internal/adapter/httpapi"
	"glyphbox/internal/workerpool"
)

// poolRegistry makes a registry with the counts of the workers that read and of those for PDF files.
func poolRegistry(reading, pdf func() workerpool.Stats) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(newPoolMetrics(reading, "glyphbox_workers", "glyphbox_regions", "Worker processes", "regions and renditions"),
		newPoolMetrics(pdf, "glyphbox_pdf_workers", "glyphbox_pdf_jobs", "Worker processes for PDF files", "jobs on PDF files"))
	return r
}

// kinds says what keeps things, by the names of the checks.
func kinds(c Config) map[string]string {
	k := map[string]string{"database": "SQLite", "contents": "SQLite", "blobs": "files", "queue": "NATS, embedded"}
	if c.Database != "" {
		k["database"], k["contents"] = "MariaDB", "MariaDB"
	}
	if c.NATS != "" {
		k["queue"] = "NATS"
	}
	if c.MongoDB != "" {
		k["contents"], k["blobs"] = "MongoDB", "MongoDB"
	}
	return k
}

// poolWorkload tells administrators the same counts.
func poolWorkload(stats func() workerpool.Stats) func() httpapi.Workload {
	return func() httpapi.Workload {
		s := stats()
		return httpapi.Workload{Workers: s.Wanted, Up: s.Workers, Busy: s.Busy, Waiting: s.Waiting, Room: s.Room,
			Served: s.Served, Replaced: s.Restarts + s.Recycled, Memory: s.Memory}
	}
}

// secondRecogniser tells administrators what there is of it.
func secondRecogniser(about func() engine.About) func() httpapi.SecondRecogniser {
	return func() httpapi.SecondRecogniser {
		a := about()
		return httpapi.SecondRecogniser{Models: a.Models, Runtime: a.Runtime, Missing: a.Missing}
	}
}

// heif tells administrators what HEIC and AVIF are decoded with.
func heif(about func() engine.About) func() client.HEIF {
	return func() client.HEIF {
		a := about().HEIF
		view := client.HEIF{State: "ok", Library: a.Library, Formats: a.Formats, Missing: a.Missing}
		if a.Missing != "" {
			view.State = "missing"
		}
		return view
	}
}

// pdfFiles tells administrators what PDF files are opened with.
func pdfFiles(about func() engine.AboutPDF) func() client.PDF {
	return func() client.PDF {
		a := about()
		state := "ok"
		switch {
		case a.Missing != "":
			state = "missing"
		case a.Stats.Workers == 0:
			state = "resting"
		}
		s := a.Stats
		return client.PDF{State: state, Name: a.Name, Workers: s.Workers, Busy: s.Busy, MemoryBytes: s.Memory, Waiting: s.Waiting,
			Served: s.Served, Replaced: s.Restarts + s.Recycled, Missing: a.Missing}
	}
}

// fileCacheMetrics tells what was opened by way of copies.
func fileCacheMetrics(stats func() filecache.Stats) []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "glyphbox_file_cache_hits_total",
			Help: "Files that were opened of which this node had a copy."}, func() float64 { return float64(stats().Hits) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "glyphbox_file_cache_misses_total",
			Help: "Files that were opened and fetched from MongoDB."}, func() float64 { return float64(stats().Misses) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "glyphbox_file_cache_bytes",
			Help: "Bytes of the copies that this node has."}, func() float64 { return float64(stats().Held) }),
	}
}

// poolMetrics tells the counts of a worker pool at the moment when they are asked for.
type poolMetrics struct {
	stats func() workerpool.Stats

	workers, busy, replaced, waiting, served, duration *prometheus.Desc
}

// newPoolMetrics returns the metrics of a pool under names that begin with those of its workers and of its jobs; the texts say what these
// are.
func newPoolMetrics(stats func() workerpool.Stats, workers, jobs, processes, work string) poolMetrics {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return poolMetrics{stats: stats,
		workers:  describe(workers, processes+" that are up."),
		busy:     describe(workers+"_busy", processes+" at work."),
		replaced: describe(workers+"_replaced_total", processes+" that were replaced, by the reason: broken or aged.", "reason"),
		waiting:  describe(jobs+"_waiting", "How many "+work+" wait for a worker."),
		served:   describe(jobs+"_served_total", "How many "+work+" were done."),
		duration: describe(jobs+"_duration_seconds", "Time that "+work+" took, once they had a worker."),
	}
}

// Describe implements prometheus.Collector.
func (m poolMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m poolMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.stats()
	ch <- prometheus.MustNewConstMetric(m.workers, prometheus.GaugeValue, float64(s.Workers))
	ch <- prometheus.MustNewConstMetric(m.busy, prometheus.GaugeValue, float64(s.Busy))
	ch <- prometheus.MustNewConstMetric(m.waiting, prometheus.GaugeValue, float64(s.Waiting))
	ch <- prometheus.MustNewConstMetric(m.served, prometheus.CounterValue, float64(s.Served))
	ch <- prometheus.MustNewConstMetric(m.replaced, prometheus.CounterValue, float64(s.Restarts), "broken")
	ch <- prometheus.MustNewConstMetric(m.replaced, prometheus.CounterValue, float64(s.Recycled), "aged")
	buckets, below := map[float64]uint64{}, uint64(0)
	for i, bound := range workerpool.DurationBounds {
		below += s.Durations[i]
		buckets[bound.Seconds()] = below
	}
	ch <- prometheus.MustNewConstHistogram(m.duration, s.Served, s.Time.Seconds(), buckets)
}

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

// kinds returns the kind of store behind each check.
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

// poolWorkload reports the same counts to administrators.
func poolWorkload(stats func() workerpool.Stats) func() httpapi.Workload {
	return func() httpapi.Workload {
		s := stats()
		return httpapi.Workload{Workers: s.Wanted, Up: s.Workers, Busy: s.Busy, Waiting: s.Waiting, Room: s.Room,
			Served: s.Served, Replaced: s.Restarts + s.Recycled, Memory: s.Memory}
	}
}

// secondRecogniser reports the second recogniser to administrators.
func secondRecogniser(about func() engine.About) func() httpapi.SecondRecogniser {
	return func() httpapi.SecondRecogniser {
		a := about()
		return httpapi.SecondRecogniser{Models: a.Models, Runtime: a.Runtime, Missing: a.Missing}
	}
}

// heif reports the decoder of HEIC and AVIF to administrators.
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

// pdfFiles reports the workers for PDF files to administrators.
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

// fileCacheMetrics counts hits and misses of the file cache.
func fileCacheMetrics(stats func() filecache.Stats) []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "glyphbox_file_cache_hits_total",
			Help: "Files that were opened from the cache."}, func() float64 { return float64(stats().Hits) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "glyphbox_file_cache_misses_total",
			Help: "Files that were fetched from MongoDB."}, func() float64 { return float64(stats().Misses) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "glyphbox_file_cache_bytes",
			Help: "Bytes in the cache of this node."}, func() float64 { return float64(stats().Held) }),
	}
}

// poolMetrics reports the counts of a worker pool when it is collected.
type poolMetrics struct {
	stats func() workerpool.Stats

	workers, busy, replaced, waiting, served, duration *prometheus.Desc
}

// newPoolMetrics returns the metrics of a pool. workers and jobs are prefixes of names; processes and work describe both in the help.
func newPoolMetrics(stats func() workerpool.Stats, workers, jobs, processes, work string) poolMetrics {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return poolMetrics{stats: stats,
		workers:  describe(workers, processes+" that run."),
		busy:     describe(workers+"_busy", processes+" at work."),
		replaced: describe(workers+"_replaced_total", processes+" that were replaced, by reason: broken or aged.", "reason"),
		waiting:  describe(jobs+"_waiting", "Number of "+work+" that wait for a worker."),
		served:   describe(jobs+"_served_total", "Number of "+work+" done."),
		duration: describe(jobs+"_duration_seconds", "Time that "+work+" take once they have a worker."),
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

package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"glyphbox/client"
	"glyphbox/internal/adapter/engine"
	"glyphbox/internal/adapter/httpapi"
	"glyphbox/internal/workerpool"
)

// poolRegistry makes a registry with the counts of the pool.
func poolRegistry(stats func() workerpool.Stats) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(poolMetrics{stats})
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

// pdfFiles tells administrators what PDF files are opened with.
func pdfFiles(about func() engine.AboutPDF) func() client.PDF {
	return func() client.PDF {
		a := about()
		state := "ok"
		switch {
		case a.Missing != "":
			state = "missing"
		case a.Up == 0:
			state = "resting"
		}
		return client.PDF{State: state, Name: a.Name, Workers: a.Up, Busy: a.Busy, MemoryBytes: a.Memory, Missing: a.Missing}
	}
}

// poolMetrics tells the counts of the worker pool at the moment when they are asked for.
type poolMetrics struct{ stats func() workerpool.Stats }

var (
	descWorkers  = prometheus.NewDesc("glyphbox_workers", "Worker processes that are up.", nil, nil)
	descBusy     = prometheus.NewDesc("glyphbox_workers_busy", "Worker processes at work.", nil, nil)
	descWaiting  = prometheus.NewDesc("glyphbox_regions_waiting", "Regions that wait for a worker.", nil, nil)
	descServed   = prometheus.NewDesc("glyphbox_regions_served_total", "Regions and renditions that workers made.", nil, nil)
	descReplaced = prometheus.NewDesc("glyphbox_workers_replaced_total",
		"Worker processes that were replaced, by the reason: broken or aged.", []string{"reason"}, nil)
)

// Describe implements prometheus.Collector.
func (m poolMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m poolMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.stats()
	ch <- prometheus.MustNewConstMetric(descWorkers, prometheus.GaugeValue, float64(s.Workers))
	ch <- prometheus.MustNewConstMetric(descBusy, prometheus.GaugeValue, float64(s.Busy))
	ch <- prometheus.MustNewConstMetric(descWaiting, prometheus.GaugeValue, float64(s.Waiting))
	ch <- prometheus.MustNewConstMetric(descServed, prometheus.CounterValue, float64(s.Served))
	ch <- prometheus.MustNewConstMetric(descReplaced, prometheus.CounterValue, float64(s.Restarts), "broken")
	ch <- prometheus.MustNewConstMetric(descReplaced, prometheus.CounterValue, float64(s.Recycled), "aged")
}

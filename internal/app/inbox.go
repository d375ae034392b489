package app

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	httpupload "glyphbox/internal/adapter/httpapi/upload"
	"glyphbox/internal/adapter/inbox"
)

// openInbox makes the watcher of the inbox.
func (s *services) openInbox(c Config, log *slog.Logger) (*inbox.Watcher, error) {
	if info, err := os.Stat(c.Inbox); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("inbox: %s is not a directory", c.Inbox)
	}
	w := inbox.New(inbox.Options{Dir: c.Inbox, Every: c.InboxInterval, SpoolDir: c.DataDir.Spool(), MaxUpload: c.MaxUpload,
		Users: s.db.Users(), Actors: s.accounts, Images: s.images, Staging: s.staging, Reads: s.results, Jobs: s.jobs, Once: s.once,
		Limits: s.limits, ShowName: httpupload.FileName, Log: log, Now: time.Now})
	return w, s.metrics.Register(inboxMetrics{w})
}

// inboxMetrics counts files of the inbox.
type inboxMetrics struct{ w *inbox.Watcher }

var (
	descInboxFiles = prometheus.NewDesc("glyphbox_inbox_files_total", "Files of the inbox that this node has moved, by folder: done "+
		"or failed.", []string{"result"}, nil)
	descInboxReading = prometheus.NewDesc("glyphbox_inbox_reading", "Files of the inbox that are being read.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m inboxMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m inboxMetrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descInboxFiles, prometheus.CounterValue, float64(m.w.Done.Load()), "done")
	ch <- prometheus.MustNewConstMetric(descInboxFiles, prometheus.CounterValue, float64(m.w.Failed.Load()), "failed")
	ch <- prometheus.MustNewConstMetric(descInboxReading, prometheus.GaugeValue, float64(m.w.Reading.Load()))
}

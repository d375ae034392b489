package app

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"glyphbox/internal/adapter/hookclient"
	"glyphbox/internal/adapter/httpapi"
	"glyphbox/internal/adapter/natsqueue"
	"glyphbox/internal/adapter/sqlstore/hookstore"
	"glyphbox/internal/adapter/sqlstore/jobstore"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/webhook"
)

// openJobs opens the queue, and makes the service and the runner of jobs.
func (s *services) openJobs(ctx context.Context, c Config, log *slog.Logger) error {
	options := natsqueue.Options{URLs: c.NATS, Credentials: c.NATSCredentials, CA: c.NATSCA, Dir: c.DataDir.Queue()}
	queue, err := natsqueue.Open(ctx, options)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, queue.Close)
	s.checks = append(s.checks, httpapi.Check{Name: "queue", Check: queue.Ping})
	rows := jobstore.New(s.db.DB)
	s.runner = &job.Runner{Jobs: rows, Queue: queue, Accounts: s.accounts, Reads: s.results,
		AtOnce: cmp.Or(c.JobItems, s.pool.Stats().Wanted+1), Now: time.Now,
		Log: func(what string, err error) { log.Warn("jobs: "+what+" failed; trying again", "error", err) }}
	s.jobs = &job.Service{Jobs: rows, Images: s.images, Engine: s.pool, Effort: c.Effort, Regions: c.MaxRegions, Limits: s.limits,
		Hooks: s.webhooks, Wake: s.runner.Wake, Now: time.Now}
	if c.Database == "" {
		if err := s.runner.Alone(ctx); err != nil {
			return err
		}
	}
	return s.metrics.Register(jobMetrics{rows, s.runner, log})
}

// openWebhooks makes the service and the deliverer of webhooks.
func (s *services) openWebhooks(c Config, seals webhook.Seals, log *slog.Logger) error {
	rows := hookstore.New(s.db.DB)
	sender := hookclient.New(hookclient.Options{Networks: c.WebhookNetworks, Agent: "Glyphbox"})
	s.closers = append(s.closers, sender.Close)
	s.deliverer = &webhook.Deliverer{Hooks: rows, Accounts: s.accounts, Sender: sender, Seals: seals, Now: time.Now,
		Log: func(what string, err error) { log.Warn("webhooks: "+what+" failed; trying again", "error", err) }}
	s.webhooks = &webhook.Service{Hooks: rows, Sender: sender, Seals: seals, Wake: s.deliverer.Wake, Now: time.Now}
	return s.metrics.Register(webhookMetrics{rows, s.deliverer, log})
}

// runJobs runs items of jobs until the context ends, and then gives running items some time to end.
func (s *services) runJobs(ctx context.Context, c Config) {
	patience, give := context.WithCancel(context.WithoutCancel(ctx))
	defer give()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(c.ShutdownTimeout, give) })()
	s.runner.Run(ctx, patience)
}

// jobMetrics counts items of jobs when it is collected.
type jobMetrics struct {
	rows   *jobstore.Store
	runner *job.Runner
	log    *slog.Logger
}

var (
	descQueued   = prometheus.NewDesc("glyphbox_job_items_queued", "Items of jobs that wait to run.", nil, nil)
	descLeased   = prometheus.NewDesc("glyphbox_job_items_leased", "Items of jobs that are running.", nil, nil)
	descDead     = prometheus.NewDesc("glyphbox_job_items_dead", "Items given up after three tries or ten expired leases.", nil, nil)
	descOldest   = prometheus.NewDesc("glyphbox_job_oldest_seconds", "Age of the oldest job with waiting items.", nil, nil)
	descReturned = prometheus.NewDesc("glyphbox_job_items_redelivered_total", "Items whose lease expired, as seen by this node.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m jobMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector. It leaves out what the database does not answer in time.
func (m jobMetrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descReturned, prometheus.CounterValue, float64(m.runner.Returned.Load()))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	stats, err := m.rows.Stats(ctx)
	if err != nil {
		m.log.Warn("cannot collect the metrics of jobs", "error", err)
		return
	}
	age := 0.0
	if !stats.Oldest.IsZero() {
		age = time.Since(stats.Oldest).Seconds()
	}
	ch <- prometheus.MustNewConstMetric(descQueued, prometheus.GaugeValue, float64(stats.Queued))
	ch <- prometheus.MustNewConstMetric(descLeased, prometheus.GaugeValue, float64(stats.Running))
	ch <- prometheus.MustNewConstMetric(descDead, prometheus.GaugeValue, float64(stats.Dead))
	ch <- prometheus.MustNewConstMetric(descOldest, prometheus.GaugeValue, age)
}

// webhookMetrics counts deliveries when it is collected.
type webhookMetrics struct {
	rows      *hookstore.Store
	deliverer *webhook.Deliverer
	log       *slog.Logger
}

var (
	descDeliveries = prometheus.NewDesc("glyphbox_webhook_deliveries_waiting", "Deliveries to webhooks that have not ended.", nil, nil)
	descOverdue    = prometheus.NewDesc("glyphbox_webhook_overdue_seconds",
		"How long the oldest due delivery of an enabled webhook has been due.", nil, nil)
	descDisabled = prometheus.NewDesc("glyphbox_webhooks_disabled", "Webhooks that the service has disabled.", nil, nil)
	descTries    = prometheus.NewDesc("glyphbox_webhook_tries_total", "Tries of deliveries by this node, by result: ok or failed.",
		[]string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (m webhookMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector. It leaves out what the database does not answer in time.
func (m webhookMetrics) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descTries, prometheus.CounterValue, float64(m.deliverer.Sent.Load()), "ok")
	ch <- prometheus.MustNewConstMetric(descTries, prometheus.CounterValue, float64(m.deliverer.Unsent.Load()), "failed")
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	stats, err := m.rows.Stats(ctx)
	if err != nil {
		m.log.Warn("cannot collect the metrics of webhooks", "error", err)
		return
	}
	overdue := 0.0
	if !stats.Oldest.IsZero() {
		overdue = max(0, time.Since(stats.Oldest).Seconds())
	}
	ch <- prometheus.MustNewConstMetric(descDeliveries, prometheus.GaugeValue, float64(stats.Waiting))
	ch <- prometheus.MustNewConstMetric(descOverdue, prometheus.GaugeValue, overdue)
	ch <- prometheus.MustNewConstMetric(descDisabled, prometheus.GaugeValue, float64(stats.Disabled))
}

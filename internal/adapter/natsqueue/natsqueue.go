// Package natsqueue implements job.Queue on a stream of NATS JetStream: on a server within this process, which stores it in a folder,
// or on a cluster.
//
// The stream holds only IDs of items, and few of them. All of it may be lost: it is refilled from the rows of the items. So broken
// parts are recreated, and an embedded server that cannot open its folder gets an empty one.
package natsqueue

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/job"
)

// Options say where the queue is. Set either URLs or Dir.
type Options struct {
	URLs        string // of a cluster: nats://user:password@host:4222, several separated by commas; tls:// encrypts
	Credentials string // file with the credentials of a user of the cluster; empty: none
	CA          string // file with the certificates of those that the cluster's certificates are checked by; empty: those of the system
	Dir         string // folder of the embedded server, which is made where there is none
}

const (
	streamName   = "GLYPHBOX_ITEM"
	subject      = "glyphbox.item"
	consumerName = "runner"

	keepTime      = 30 * time.Second // after which an item that was not taken out is given to somebody else
	pollTime      = 5 * time.Second  // of one request for an item
	answerTime    = 3 * time.Second  // of all other requests
	startTime     = 10 * time.Second // of the embedded server
	maxWaiting    = 100_000          // items in the stream
	clusterCopies = 3                // of the stream, where the cluster has as many servers
)

// Queue implements job.Queue. Safe for concurrent use.
type Queue struct {
	options Options

	mu       sync.Mutex
	server   *server.Server // nil: a cluster
	conn     *nats.Conn
	stream   jetstream.JetStream
	consumer jetstream.Consumer // nil: it has to be made anew
}

var _ job.Queue = (*Queue)(nil)

var errAway = fault.New(fault.Unavailable, "queue_unavailable", "The queue of jobs does not answer at the moment.").After(5 * time.Second)

// CheckURLs returns an error for URLs that Open does not understand. It does not connect.
func CheckURLs(urls string) error {
	for text := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" {
			// it may hold a password
			return errors.New("must be of the form nats://host:4222 or tls://host:4222, several separated by commas")
		}
	}
	return nil
}

// Open starts an embedded server, or connects to a cluster. An unreachable cluster is no error: it is connected when it can be reached.
func Open(ctx context.Context, o Options) (*Queue, error) {
	q := &Queue{options: o}
	if o.URLs == "" {
		if err := q.start(); err != nil {
			return nil, err
		}
	} else if err := q.connect(); err != nil {
		return nil, err
	}
	if _, err := q.ready(ctx); err != nil && o.URLs == "" {
		return nil, errors.Join(fmt.Errorf("the embedded queue: %w", err), q.Close())
	}
	return q, nil
}

// start starts the embedded server and connects to it. A folder that it cannot open is emptied.
func (q *Queue) start() error {
	err := q.startServer()
	if err != nil {
		if err = errors.Join(os.RemoveAll(q.options.Dir), q.startServer()); err != nil {
			return fmt.Errorf("the embedded queue in %s: %w", q.options.Dir, err)
		}
	}
	q.conn, err = nats.Connect("", nats.InProcessServer(q.server), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		q.server.Shutdown()
		return err
	}
	q.stream, err = jetstream.New(q.conn)
	return err
}

func (q *Queue) startServer() error {
	if err := os.MkdirAll(q.options.Dir, 0o700); err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{ServerName: "glyphbox", DontListen: true, JetStream: true, StoreDir: q.options.Dir,
		SyncAlways:         true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30, NoSigs: true, NoLog: true})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(startTime) || !s.JetStreamEnabled() {
		s.Shutdown()
		return errors.New("the server does not start")
	}
	q.server = s
	return nil
}

// connect begins to connect to the cluster.
func (q *Queue) connect() error {
	options := []nats.Option{nats.Name("glyphbox"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.Timeout(answerTime), nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2)}
	if q.options.Credentials != "" {
		if _, err := os.Stat(q.options.Credentials); err != nil {
			return fmt.Errorf("nats-credentials: %w", err)
		}
		options = append(options, nats.UserCredentials(q.options.Credentials))
	}
	if q.options.CA != "" {
		pem, err := os.ReadFile(q.options.CA)
		if err != nil {
			return fmt.Errorf("nats-ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("nats-ca: %s contains no certificate", q.options.CA)
		}
		options = append(options, nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	}
	var err error
	if q.conn, err = nats.Connect(q.options.URLs, options...); err != nil {
		return errors.New("nats: cannot connect with these settings") // the text of the error may hold a password
	}
	q.stream, err = jetstream.New(q.conn)
	return err
}

// ready returns the consumer, and makes it and its stream where they are not there.
func (q *Queue) ready(ctx context.Context) (jetstream.Consumer, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.consumer != nil {
		return q.consumer, nil
	}
	err := q.make(ctx)
	if err != nil && q.server != nil && ctx.Err() == nil { // nothing in it has to be kept
		q.conn.Close()
		q.server.Shutdown()
		if err = q.start(); err == nil {
			err = q.make(ctx)
		}
	}
	if err != nil {
		return nil, q.away(ctx, err)
	}
	return q.consumer, nil
}

func (q *Queue) make(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	config := jetstream.StreamConfig{Name: streamName, Subjects: []string{subject}, Retention: jetstream.WorkQueuePolicy,
		Storage: jetstream.FileStorage,
		MaxMsgs: maxWaiting, Discard: jetstream.DiscardNew, Replicas: 1}
	if q.server == nil {
		config.Replicas = clusterCopies
	}
	_, err = q.stream.CreateOrUpdateStream(ctx, config)
	if api, ok := errors.AsType[*jetstream.APIError](err); ok && api.Code != 503 && config.Replicas > 1 { // a server alone
		config.Replicas = 1
		_, err = q.stream.CreateOrUpdateStream(ctx, config)
	}
	if err != nil {
		return err
	}
	q.consumer, err = q.stream.CreateOrUpdateConsumer(ctx, streamName,
		jetstream.ConsumerConfig{Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: keepTime, MaxDeliver: -1, MaxAckPending: maxWaiting})
	return err
}

// away turns a failure into a fault, and has the stream looked at before it is used again.
func (q *Queue) away(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errAway.Because(err)
}

// failed is away for errors of using the consumer.
func (q *Queue) failed(ctx context.Context, used jetstream.Consumer, err error) error {
	if ctx.Err() == nil {
		q.mu.Lock()
		if q.consumer == used {
			q.consumer = nil
		}
		q.mu.Unlock()
	}
	return q.away(ctx, err)
}

// Put implements job.Queue.
func (q *Queue) Put(ctx context.Context, itemIDs []string) error {
	consumer, err := q.ready(ctx)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var sent []jetstream.PubAckFuture
	for _, id := range itemIDs {
		future, err := q.stream.PublishAsync(subject, []byte(id))
		if err != nil {
			return q.failed(ctx, consumer, err)
		}
		sent = append(sent, future)
	}
	for _, future := range sent {
		select {
		case <-future.Ok():
		case err := <-future.Err():
			return q.failed(ctx, consumer, err)
		case <-limited.Done():
			return q.failed(ctx, consumer, limited.Err())
		}
	}
	return nil
}

// Take implements job.Queue.
func (q *Queue) Take(ctx context.Context) (itemID string, done func(ctx context.Context) error, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return "", nil, err
		}
		consumer, err := q.ready(ctx)
		if err != nil {
			return "", nil, err
		}
		limited, cancel := context.WithTimeout(ctx, pollTime)
		message, err := consumer.Next(jetstream.FetchContext(limited))
		cancel()
		switch {
		case err == nil:
			return string(message.Data()), func(ctx context.Context) error {
				ctx, cancel := context.WithTimeout(ctx, answerTime)
				defer cancel()
				if err := message.DoubleAck(ctx); err != nil {
					return q.away(ctx, err)
				}
				return nil
			}, nil
		case limited.Err() != nil && ctx.Err() == nil, errors.Is(err, nats.ErrTimeout), errors.Is(err, jetstream.ErrNoMessages):
			if err := q.look(ctx, consumer); err != nil { // none came, or the server could not say so
				return "", nil, err
			}
		default:
			return "", nil, q.failed(ctx, consumer, err)
		}
	}
}

// look checks that the consumer is there.
func (q *Queue) look(ctx context.Context, consumer jetstream.Consumer) error {
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := consumer.Info(limited); err != nil {
		return q.failed(ctx, consumer, err)
	}
	return nil
}

// Waiting implements job.Queue.
func (q *Queue) Waiting(ctx context.Context) (int, error) {
	consumer, err := q.ready(ctx)
	if err != nil {
		return 0, err
	}
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	info, err := consumer.Info(limited)
	if err != nil {
		return 0, q.failed(ctx, consumer, err)
	}
	return int(info.NumPending) + info.NumAckPending, nil
}

// Ping returns nil if the queue answers. Unavailable.
func (q *Queue) Ping(ctx context.Context) error {
	_, err := q.Waiting(ctx)
	return err
}

// Close closes the connection, and stops the embedded server.
func (q *Queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.conn.Close()
	if q.server != nil {
		q.server.Shutdown()
		q.server.WaitForShutdown()
	}
	return nil
}

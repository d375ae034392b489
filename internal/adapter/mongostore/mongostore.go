// Package mongostore keeps blobs and contents in MongoDB, or in a server that speaks its protocol.
//
// Blobs are files of GridFS, contents are documents of the collection content_revision. Nothing needs a transaction or an update:
// documents are inserted under unique keys and never change, and incomplete objects are not visible. Writes are acknowledged by a
// majority, and reads see only such writes.
package mongostore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"glyphbox/internal/domain/fault"
)

const (
	// selectionTimeout is how long an operation waits for a server that takes writes before it is Unavailable, and for a connection, unless
	// the URI says serverSelectionTimeoutMS or connectTimeoutMS.
	selectionTimeout = time.Second

	// heartbeat is how often each server is looked at. One that hangs is given up after that and selectionTimeout.
	heartbeat = time.Second

	// operationTimeout is how long one round trip may take where the server is there and slow.
	operationTimeout = 30 * time.Second
)

// Store is a database of MongoDB. Safe for concurrent use, even by several processes.
type Store struct {
	client *mongo.Client
	db     *mongo.Database
}

var (
	errURI = errors.New("the URI must be like mongodb://user:password@host:27017/glyphbox, with the name of the database at its end")

	errAway = fault.New(fault.Unavailable, "mongodb_unavailable",
		"Images and results cannot be stored or read at the moment.").After(5 * time.Second)
)

// database returns the name of the database in a URI, or an error that does not repeat the URI, which holds a password.
func database(uri string) (string, error) {
	scheme, rest, _ := strings.Cut(uri, "://")
	if scheme != "mongodb" && scheme != "mongodb+srv" {
		return "", errURI
	}
	_, path, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(path, "?")
	name, err := url.PathUnescape(name)
	if err != nil || name == "" || len(name) > 63 || strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") {
		return "", errURI
	}
	return name, nil
}

// CheckURI returns what is wrong with a URI, without a server and without repeating the URI.
func CheckURI(uri string) error {
	_, err := database(uri)
	return err
}

// PublicName returns a URI, as CheckURI accepts it, without user, password and parameters.
func PublicName(uri string) string {
	scheme, rest, _ := strings.Cut(uri, "://")
	name, _, _ := strings.Cut(scheme+"://"+rest[strings.LastIndex(rest, "@")+1:], "?")
	return name
}

// Open connects to a server or a replica set and creates missing indexes, which several nodes may do at once. It ignores write concern,
// read concern and read preference in the URI. Unavailable.
func Open(ctx context.Context, uri string) (*Store, error) { return connect(ctx, uri, nil) }

// connect is Open with a monitor, or nil, that sees the commands that are sent.
func connect(ctx context.Context, uri string, monitor *event.CommandMonitor) (*Store, error) {
	s, err := dial(ctx, uri, monitor)
	if err != nil {
		return nil, err
	}
	if err := s.Prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening MongoDB: %w", err), s.Close())
	}
	return s, nil
}

// OpenAsIs is like Open for a database of another program: it changes nothing. See Prepare.
func OpenAsIs(ctx context.Context, uri string) (*Store, error) { return dial(ctx, uri, nil) }

// Database returns the database of the driver. It ends with the store.
func (s *Store) Database() *mongo.Database { return s.db }

// OpenFile opens the GridFS file with that _id, of any type. NotFound, Unavailable.
func (s *Store) OpenFile(ctx context.Context, id any) (io.ReadSeekCloser, error) {
	return s.Blobs().open(ctx, id)
}

// clientOptions are those of a client, with what the URI says.
func clientOptions(uri string) (*options.ClientOptions, error) {
	o := options.Client().ApplyURI(uri)
	if o.Validate() != nil { // its text may contain the password
		return nil, errURI
	}
	// Lost writes and reads are retried by the driver where the server can tell a write that it has seen.
	o.SetAppName("glyphbox").SetHeartbeatInterval(heartbeat)
	if o.ServerSelectionTimeout == nil {
		o.SetServerSelectionTimeout(selectionTimeout)
	}
	if o.ConnectTimeout == nil {
		o.SetConnectTimeout(selectionTimeout)
	}
	o.SetWriteConcern(writeconcern.Majority()).SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary())
	return o, nil
}

// dial is connect to a database as it is.
func dial(ctx context.Context, uri string, monitor *event.CommandMonitor) (*Store, error) {
	name, err := database(uri)
	if err != nil {
		return nil, fmt.Errorf("opening MongoDB: %w", err)
	}
	o, err := clientOptions(uri)
	if err != nil {
		return nil, fmt.Errorf("opening MongoDB: %w", err)
	}
	client, err := mongo.Connect(o.SetMonitor(monitor))
	if err != nil {
		return nil, fmt.Errorf("opening MongoDB: %w", errURI)
	}
	s := &Store{client, client.Database(name)}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening MongoDB: %w", err), s.Close())
	}
	return s, nil
}

// Prepare creates the indexes: one to find chunks, and one that has the times of revisions without reading them. Everything else is
// found by _id. Creating the index of a large collection takes time.
func (s *Store) Prepare(ctx context.Context) error {
	_, err := s.Blobs().chunks.Indexes().CreateOne(ctx, mongo.IndexModel{
		Keys: bson.D{{Key: "files_id", Value: 1}, {Key: "n", Value: 1}}, Options: options.Index().SetUnique(true)})
	if err == nil {
		_, err = s.Contents().revisions.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "_id", Value: 1},
			{Key: "added", Value: 1}}})
	}
	return storeFault(ctx, err)
}

// Empty tells whether there are neither blobs nor contents.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	for _, c := range []*mongo.Collection{s.Blobs().files, s.Contents().revisions} {
		err := whileAsked(ctx, func(ctx context.Context) error { return c.FindOne(ctx, bson.D{}).Err() })
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return false, err
		}
	}
	return true, nil
}

// Close ends all connections.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), operationTimeout)
	defer cancel()
	return s.client.Disconnect(ctx)
}

// Ping returns nil if a server accepts writes. Unavailable.
func (s *Store) Ping(ctx context.Context) error {
	return whileAsked(ctx, func(ctx context.Context) error { return s.client.Ping(ctx, readpref.Primary()) })
}

// whileAsked runs one round trip that ends when the caller goes away.
func whileAsked(ctx context.Context, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	return storeFault(ctx, do(limited))
}

// toTheEnd runs one round trip that is finished even if the caller goes away, so that its outcome is known.
func toTheEnd(ctx context.Context, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return whileAsked(context.WithoutCancel(ctx), do)
}

// pageSize is how many values distinct asks for at once.
const pageSize = 1000

// distinct goes through the values of a field in the documents that match, in order and each once, a page at a time.
func distinct(ctx context.Context, c *mongo.Collection, field string, filter bson.D) iter.Seq2[string, error] {
	projection := bson.D{{Key: field, Value: 1}}
	if field != "_id" {
		projection = append(projection, bson.E{Key: "_id", Value: 0}) // so that the index is enough
	}
	o := options.Find().SetSort(bson.D{{Key: field, Value: 1}}).SetLimit(pageSize).SetBatchSize(pageSize).SetProjection(projection)
	return func(yield func(string, error) bool) {
		for last, n := "", pageSize; n == pageSize; {
			var page []bson.Raw
			err := whileAsked(ctx, func(ctx context.Context) error {
				after := bson.D{{Key: field, Value: bson.D{{Key: "$gt", Value: last}}}}
				cursor, err := c.Find(ctx, append(after, filter...), o)
				if err != nil {
					return err
				}
				return cursor.All(ctx, &page)
			})
			if err != nil {
				yield("", err)
				return
			}
			n = len(page)
			for _, document := range page {
				key, isText := document.Lookup(field).StringValueOK()
				if !isText || key == last {
					continue
				}
				last = key
				if !yield(key, nil) {
					return
				}
			}
		}
	}
}

// awayCodes are errors of the server that pass by themselves, or that its operator can mend.
var awayCodes = []int{
	6, 7, 9001, // host unreachable, host not found, socket exception
	13, 18, // unauthorised, authentication failed
	50, 89, 262, // time limits
	64, 100, // write concern failed, or cannot be satisfied
	91, 11600, 11602, // shutdown, interrupted by a change of state
	133, 189, 10107, 13435, 13436, // no primary
	43,    // cursor not found, after a change of the primary
	14031, // out of disk space
}

// storeFault gives a failure of the server its kind. All other errors stay as they are.
func storeFault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if gone := ctx.Err(); gone != nil {
		return fmt.Errorf("%w: %v", gone, err) //nolint:errorlint // the cause may be a deadline that is not the caller's
	}
	if away(err) {
		return errAway.Because(err)
	}
	return err
}

func away(err error) bool {
	if mongo.IsTimeout(err) || mongo.IsNetworkError(err) || errors.Is(err, mongo.ErrClientDisconnected) {
		return true
	}
	if _, ok := errors.AsType[topology.ConnectionError](err); ok {
		return true
	}
	if cleared, ok := errors.AsType[interface {
		error
		Retryable() bool
	}](err); ok && cleared.Retryable() { // of a connection pool whose server was lost
		return true
	}
	server, ok := errors.AsType[mongo.ServerError](err)
	if !ok {
		return false
	}
	for _, code := range awayCodes {
		if server.HasErrorCode(code) {
			return true
		}
	}
	return server.HasErrorLabel("RetryableWriteError")
}

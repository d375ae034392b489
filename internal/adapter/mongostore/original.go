package mongostore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"glyphbox/internal/domain/document"
)

// Original is what the original service keeps in MongoDB, under ObjectIds: images in GridFS, in the collections that ours are in under names; thumbnails
// as documents {file: bytes} of the collection thumbnail; results as documents {roi, detail} of a collection of their own. None of it is changed.
type Original struct {
	store   *Store
	results *mongo.Collection // nil: not known yet
}

const (
	thumbnails      = "thumbnail"
	resultsAtFirst  = "ocr_res" // the collection of results, as the original service has it
	idsToFindThemBy = 50
)

// errNoResults tells what to do where the results are not found.
var errNoResults = errors.New("no collection has the documents that the results name")

// OpenOriginal opens the database of the original service and changes nothing.
func OpenOriginal(ctx context.Context, uri string) (*Original, error) {
	store, err := dial(ctx, uri, nil)
	if err != nil {
		return nil, err
	}
	return &Original{store: store}, nil
}

// Close ends all connections.
func (o *Original) Close() error { return o.store.Close() }

// Ours returns the store that is ours in the same database. It ends with the original.
func (o *Original) Ours(ctx context.Context) (*Store, error) { return o.store, o.store.prepare(ctx) }

func (o *Original) names(ctx context.Context) (names []string, err error) {
	err = whileAsked(ctx, func(ctx context.Context) error {
		names, err = o.store.db.ListCollectionNames(ctx, bson.D{})
		return err
	})
	return names, err
}

// Open opens an image. NotFound where there is none.
func (o *Original) Open(ctx context.Context, id string) (io.ReadSeekCloser, error) {
	oid, ok := ObjectID(id)
	if !ok {
		return nil, errBlobNotFound
	}
	return o.store.Blobs().open(ctx, oid)
}

// ObjectID finds an ObjectId in what the original service has stored for one: its digits, maybe with more around them.
func ObjectID(text string) (id bson.ObjectID, ok bool) {
	notHex := func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }
	for _, part := range strings.FieldsFunc(strings.ToLower(text), notHex) {
		if id, err := bson.ObjectIDFromHex(part); err == nil {
			return id, true
		}
	}
	return id, false
}

// Thumbnail returns the bytes of a thumbnail, at most limit of them. NotFound.
func (o *Original) Thumbnail(ctx context.Context, id string, limit int64) (data []byte, err error) {
	oid, ok := ObjectID(id)
	if !ok {
		return nil, errBlobNotFound
	}
	var found struct{ File []byte }
	err = whileAsked(ctx, func(ctx context.Context) error {
		return o.store.db.Collection(thumbnails).FindOne(ctx, bson.D{{Key: "_id", Value: oid}}).Decode(&found)
	})
	if err == nil && len(found.File) > 0 {
		return found.File, nil
	}
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, err
	}
	r, err := o.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(r, limit))
	return b.Bytes(), err
}

// FindResults finds the collection of the results, by some of their ids, or takes the one that is named.
func (o *Original) FindResults(ctx context.Context, named string, ids []string) error {
	names, err := o.names(ctx)
	if err != nil {
		return err
	}
	candidates := append([]string{resultsAtFirst}, names...)
	if named != "" {
		candidates = []string{named}
	}
	for _, name := range candidates {
		if !slices.Contains(names, name) || strings.HasPrefix(name, "fs.") {
			continue
		}
		o.results = o.store.db.Collection(name)
		found, err := o.Results(ctx, ids[:min(len(ids), idsToFindThemBy)])
		if err != nil || len(found) > 0 {
			return err
		}
	}
	o.results = nil
	if len(ids) > 0 {
		return errNoResults
	}
	return nil
}

// Result is what the original service has read of a region.
type Result struct {
	ROI  *document.Box // as it was asked for; nil where that is not said
	Text string        // words with a space between, or lines
}

// Results returns results by their ids. What is not there is left out.
func (o *Original) Results(ctx context.Context, ids []string) (map[string]Result, error) {
	found := map[string]Result{}
	if o.results == nil {
		return found, nil
	}
	asked := map[bson.ObjectID]string{}
	for _, id := range ids {
		if oid, ok := ObjectID(id); ok {
			asked[oid] = id
		}
	}
	for part := range slices.Chunk(ids, idsAtOnce) {
		var keys bson.A
		for _, id := range part {
			if oid, ok := ObjectID(id); ok {
				keys = append(keys, oid)
			}
		}
		if len(keys) == 0 {
			continue
		}
		err := whileAsked(ctx, func(ctx context.Context) error {
			cursor, err := o.results.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: keys}}}}, options.Find().SetBatchSize(1_000_000))
			if err != nil {
				return err
			}
			var documents []bson.Raw
			if err := cursor.All(ctx, &documents); err != nil {
				return err
			}
			for _, d := range documents {
				if oid, ok := d.Lookup("_id").ObjectIDOK(); ok {
					found[asked[oid]] = resultOf(d)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// resultOf reads a document whatever its exact form: a region is four numbers, named or in order and maybe further in, and the text a text or a list of words.
func resultOf(d bson.Raw) (r Result) {
	roi, err := d.LookupErr("roi")
	if err != nil {
		roi = bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: d} // its corners may stand in the document itself
	}
	if corners := named(roi); len(corners) == 4 {
		r.ROI = &document.Box{X1: corners[0], Y1: corners[1], X2: corners[2], Y2: corners[3]}
	} else if corners := numbers(roi); err == nil && len(corners) == 4 {
		r.ROI = &document.Box{X1: corners[0], Y1: corners[1], X2: corners[2], Y2: corners[3]}
	}
	detail, err := d.LookupErr("detail")
	if err != nil {
		detail, _ = d.LookupErr("text") // the zero value has none
	}
	if text, ok := detail.StringValueOK(); ok {
		r.Text = text
		return r
	}
	r.Text = strings.Join(strings.Fields(strings.Join(words(detail), " ")), " ")
	return r
}

// named returns x1, y1, x2 and y2 of a document, or of one in it.
func named(v bson.RawValue) (corners []int) {
	d, ok := v.DocumentOK()
	if !ok {
		return nil
	}
	for _, name := range []string{"x1", "y1", "x2", "y2"} {
		if n, ok := whole(d.Lookup(name)); ok {
			corners = append(corners, n)
		}
	}
	if len(corners) == 4 {
		return corners
	}
	for _, inner := range parts(v) {
		if corners := named(inner); len(corners) == 4 {
			return corners
		}
	}
	return nil
}

// numbers returns all numbers in lists, however deep.
func numbers(v bson.RawValue) (all []int) {
	if n, ok := whole(v); ok {
		return []int{n}
	}
	for _, inner := range parts(v) {
		all = append(all, numbers(inner)...)
	}
	return all
}

// words returns all texts in lists, however deep.
func words(v bson.RawValue) (all []string) {
	if text, ok := v.StringValueOK(); ok {
		return []string{text}
	}
	for _, inner := range parts(v) {
		all = append(all, words(inner)...)
	}
	return all
}

// parts returns the values of a list or a document.
func parts(v bson.RawValue) (values []bson.RawValue) {
	if list, ok := v.ArrayOK(); ok {
		values, _ = list.Values() // a broken list has none
		return values
	}
	if d, ok := v.DocumentOK(); ok {
		values, _ = d.Values() // as above
	}
	return values
}

func whole(v bson.RawValue) (int, bool) {
	if n, ok := v.AsInt64OK(); ok {
		return int(n), true
	}
	return 0, false
}

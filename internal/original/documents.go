package original

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"glyphbox/internal/domain/document"
)

// Documents is the MongoDB of the original service. *mongostore.Store implements it.
type Documents interface {
	// Database returns the database as the driver has it.
	Database() *mongo.Database

	// OpenFile opens the GridFS file with that _id. NotFound, Unavailable.
	OpenFile(ctx context.Context, id any) (io.ReadSeekCloser, error)
}

// documents is what the original service keeps in MongoDB, under ObjectIds: images in GridFS, in the collections that ours are in under
// names; thumbnails as documents {file: bytes} of the collection thumbnail; results as documents {roi, detail} of a collection of their
// own. None of it is changed.
type documents struct {
	Documents
	results *mongo.Collection // nil: not known yet
}

const (
	thumbnails      = "thumbnail"
	resultsAtFirst  = "ocr_res" // the collection of results, as the original service has it
	idsToFindThemBy = 50
	idsAtOnce       = 1000 // of one query
)

var (
	errNoResults = errors.New("no collection has the documents that the results refer to")
)

// open opens an image. NotFound where there is none.
func (o *documents) open(ctx context.Context, id string) (io.ReadSeekCloser, error) {
	oid, ok := objectID(id)
	if !ok {
		return nil, document.ErrBlobNotFound
	}
	return o.OpenFile(ctx, oid)
}

// objectID finds an ObjectId in what the original service has stored for one: its digits, maybe with more around them.
func objectID(text string) (id bson.ObjectID, ok bool) {
	notHex := func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }
	for _, part := range strings.FieldsFunc(strings.ToLower(text), notHex) {
		if id, err := bson.ObjectIDFromHex(part); err == nil {
			return id, true
		}
	}
	return id, false
}

// thumbnail returns the bytes of a thumbnail, at most limit of them. NotFound.
func (o *documents) thumbnail(ctx context.Context, id string, limit int64) (data []byte, err error) {
	oid, ok := objectID(id)
	if !ok {
		return nil, document.ErrBlobNotFound
	}
	var found struct{ File []byte }
	err = o.Database().Collection(thumbnails).FindOne(ctx, bson.D{{Key: "_id", Value: oid}}).Decode(&found)
	if err == nil && len(found.File) > 0 {
		return found.File, nil
	}
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, err
	}
	r, err := o.OpenFile(ctx, oid)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(r, limit))
	return b.Bytes(), err
}

// findResults finds the collection of the results, by some of their ids, or takes the one that is named.
func (o *documents) findResults(ctx context.Context, named string, ids []string) error {
	names, err := o.Database().ListCollectionNames(ctx, bson.D{})
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
		o.results = o.Database().Collection(name)
		found, err := o.resultsOf(ctx, ids[:min(len(ids), idsToFindThemBy)])
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

// result is what the original service has read of a region.
type result struct {
	ROI  *document.Box // as it was asked for; nil where that is not said
	Text string        // words with a space between, or lines
}

// resultsOf returns results by their ids. What is not there is left out.
func (o *documents) resultsOf(ctx context.Context, ids []string) (map[string]result, error) {
	found := map[string]result{}
	if o.results == nil {
		return found, nil
	}
	asked := map[bson.ObjectID]string{}
	for _, id := range ids {
		if oid, ok := objectID(id); ok {
			asked[oid] = id
		}
	}
	for part := range slices.Chunk(ids, idsAtOnce) {
		var keys bson.A
		for _, id := range part {
			if oid, ok := objectID(id); ok {
				keys = append(keys, oid)
			}
		}
		if len(keys) == 0 {
			continue
		}
		cursor, err := o.results.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: keys}}}})
		if err != nil {
			return nil, err
		}
		var stored []bson.Raw
		if err := cursor.All(ctx, &stored); err != nil {
			return nil, err
		}
		for _, d := range stored {
			if oid, ok := d.Lookup("_id").ObjectIDOK(); ok {
				found[asked[oid]] = resultOf(d)
			}
		}
	}
	return found, nil
}

// resultOf reads a document whatever its exact form: a region is four numbers, named or in order and maybe further in, and the text a text
// or a list of words.
func resultOf(d bson.Raw) (r result) {
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

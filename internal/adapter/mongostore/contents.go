package mongostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"glyphbox/internal/domain/recognition"
)

// Contents implements recognition.Contents. Each revision is a document whose _id is "<content>:<revision>". Documents are only
// inserted and removed, and found only by _id.
//
// The unique key decides who is first, both in Add and in Revise. A content exists if its first revision does; revisions without a
// first one are not visible. Delete removes the first revision before the others, and Revise checks after its insert that the first one
// still exists. So both may be interrupted or run concurrently, and no content reappears in part.
//
// Add inserts in the order of the keys and stops at the first one that is taken. What it has inserted by then is its own, and it
// removes that before it returns. A crash, or a connection lost at that moment, may leave some contents of a batch. Nobody knows their
// names: names are random, and are stored with the run after Add has returned.
type Contents struct{ revisions *mongo.Collection }

var _ recognition.Contents = (*Contents)(nil)

// Contents returns the contents in the database.
func (s *Store) Contents() *Contents {
	return &Contents{s.db.Collection("content_revision", options.Collection().SetRegistry(timesAsText()).
		SetBSONOptions(&options.BSONOptions{UseJSONStructTags: true}))}
}

// timesAsText has times stored as RFC 3339 has them, since BSON's own have no microseconds.
func timesAsText() *bson.Registry {
	registry := bson.NewRegistry()
	registry.RegisterTypeEncoder(reflect.TypeFor[time.Time](), bson.ValueEncoderFunc(func(_ bson.EncodeContext, w bson.ValueWriter,
		v reflect.Value) error {
		text, err := v.Interface().(time.Time).MarshalText()
		if err != nil {
			return err
		}
		return w.WriteString(string(text))
	}))
	registry.RegisterTypeDecoder(reflect.TypeFor[time.Time](), bson.ValueDecoderFunc(func(_ bson.DecodeContext, r bson.ValueReader,
		v reflect.Value) error {
		text, err := r.ReadString()
		if err != nil {
			return err
		}
		return v.Addr().Interface().(*time.Time).UnmarshalText([]byte(text))
	}))
	return registry
}

// revision is a document of content_revision.
type revision struct {
	ID      string              `bson:"_id"`
	Added   bson.DateTime       `bson:"added"` // by the clock of the node
	Content recognition.Content `bson:"content"`
}

func revisionID(contentID string, number int) string { return contentID + ":" + strconv.Itoa(number) }

func newRevision(c recognition.Content) revision {
	c.Edited = c.Edited.UTC().Truncate(time.Microsecond)
	return revision{ID: revisionID(c.ID, c.Revision), Added: bson.NewDateTimeFromTime(time.Now()), Content: c}
}

// possibleID tells whether a content can have that ID. An ID with a colon would end too early in the key.
func possibleID(id string) bool { return id != "" && !strings.Contains(id, ":") }

// possibleIDs goes through those of the IDs that a content can have, sorted, as many at a time as one round trip names.
func possibleIDs(ids []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		var part []string
		ranges := 0
		for _, group := range together(slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !possibleID(id) })) {
			if ranges == rangesAtOnce || ranges > 0 && len(part)+len(group) > idsAtOnce {
				if !yield(part) {
					return
				}
				part, ranges = nil, 0
			}
			part, ranges = append(part, group...), ranges+1
		}
		if ranges > 0 {
			yield(part)
		}
	}
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

const (
	idsAtOnce    = 1000 // contents that one round trip names, unless a single run has more
	rangesAtOnce = 100  // runs whose contents it names: FerretDB compares the key of each document with the range of each
)

// Add implements recognition.Contents.
func (s *Contents) Add(ctx context.Context, contents []recognition.Content) error {
	if len(contents) == 0 {
		return ctx.Err()
	}
	revisions := make([]revision, len(contents))
	for i, c := range contents {
		if !possibleID(c.ID) {
			return fmt.Errorf("a content cannot have the ID %q", c.ID)
		}
		revisions[i] = newRevision(c)
	}
	// The same order for all callers, so that if several add the same contents at once, the first one gets all.
	slices.SortFunc(revisions, func(a, b revision) int { return cmp.Compare(a.ID, b.ID) })
	err := toTheEnd(ctx, func(ctx context.Context) error {
		_, err := s.revisions.InsertMany(ctx, revisions)
		return err
	})
	failed, ok := errors.AsType[mongo.BulkWriteException](err)
	if !ok || len(failed.WriteErrors) == 0 {
		return err
	}
	if mongo.IsDuplicateKeyError(failed) {
		err = recognition.ErrContentExists.Because(err)
	}
	var ours []string
	for _, r := range revisions[:failed.WriteErrors[0].Index] {
		ours = append(ours, r.Content.ID)
	}
	return errors.Join(err, s.Delete(context.WithoutCancel(ctx), ours))
}

// together returns IDs or keys in groups that are the same up to the last hyphen, as those of the contents of a run are. A group is one
// range of keys, for which all servers are fast, even FerretDB, which compares each document with the filter.
func together(ids []string) (groups [][]string) {
	start := func(id string) string { return id[:strings.LastIndex(id, "-")+1] }
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if n := len(groups); n > 0 && start(id) != "" && start(id) == start(groups[n-1][0]) {
			groups[n-1] = append(groups[n-1], id)
			continue
		}
		groups = append(groups, []string{id})
	}
	return groups
}

// ofContents is the filter for all revisions of contents, and perhaps of others of the same runs. A semicolon follows a colon.
func ofContents(ids []string) bson.D {
	var ranges bson.A
	for _, group := range together(ids) {
		from, to := group[0]+":", group[0]+";"
		for _, id := range group { // of which one may begin with another
			from, to = min(from, id+":"), max(to, id+";")
		}
		ranges = append(ranges, bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lt", Value: to}}}})
	}
	if len(ranges) == 1 {
		return ranges[0].(bson.D)
	}
	return bson.D{{Key: "$or", Value: ranges}}
}

// revisionsOf returns all revisions of contents, in no order, with the fields that the options name.
func (s *Contents) revisionsOf(ctx context.Context, ids []string, o *options.FindOptionsBuilder) (found []revision, err error) {
	err = whileAsked(ctx, func(ctx context.Context) error {
		// Without a size the server would give 101 documents and be asked for the rest.
		cursor, err := s.revisions.Find(ctx, ofContents(ids), o.SetBatchSize(1_000_000))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &found)
	})
	wanted := setOf(ids)
	return slices.DeleteFunc(found, func(r revision) bool {
		id, _, _ := strings.Cut(r.ID, ":")
		return !wanted[id]
	}), err
}

// find returns all revisions of contents, the first one first, by ID. Those of contents that are not there are left out.
func (s *Contents) find(ctx context.Context, ids []string) (map[string][]recognition.Content, error) {
	found := make(map[string][]recognition.Content, len(ids))
	for part := range possibleIDs(ids) {
		revisions, err := s.revisionsOf(ctx, part, options.Find())
		if err != nil {
			return nil, err
		}
		for _, r := range revisions {
			found[r.Content.ID] = append(found[r.Content.ID], r.Content)
		}
	}
	for id, revisions := range found {
		slices.SortFunc(revisions, func(a, b recognition.Content) int { return cmp.Compare(a.Revision, b.Revision) })
		if revisions[0].Revision != 1 {
			delete(found, id)
		}
	}
	return found, nil
}

// Get implements recognition.Contents. It reads older revisions, too, since only then one round trip shows which is the newest.
func (s *Contents) Get(ctx context.Context, ids []string) ([]recognition.Content, error) {
	found, err := s.find(ctx, ids)
	if err != nil {
		return nil, err
	}
	contents := make([]recognition.Content, 0, len(ids))
	for _, id := range ids {
		if revisions := found[id]; len(revisions) > 0 {
			contents = append(contents, revisions[len(revisions)-1])
		}
	}
	return contents, nil
}

// Revisions implements recognition.Contents.
func (s *Contents) Revisions(ctx context.Context, id string) ([]recognition.Content, error) {
	found, err := s.find(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if len(found[id]) == 0 {
		return nil, recognition.ErrContentNotFound
	}
	return found[id], nil
}

// History returns all revisions of contents, by ID and revision. It leaves out contents that do not exist.
func (s *Contents) History(ctx context.Context, ids []string) (history []recognition.Content, err error) {
	found, err := s.find(ctx, ids)
	for _, id := range slices.Sorted(maps.Keys(found)) {
		history = append(history, found[id]...)
	}
	return history, err
}

// PutHistory stores all revisions of contents as they are, and replaces existing ones.
func (s *Contents) PutHistory(ctx context.Context, history []recognition.Content) error {
	var ids []string
	var revisions []revision
	for _, c := range history {
		if !possibleID(c.ID) {
			return fmt.Errorf("a content cannot have the ID %q", c.ID)
		}
		ids, revisions = append(ids, c.ID), append(revisions, newRevision(c))
	}
	slices.Sort(ids)
	if err := s.Delete(ctx, slices.Compact(ids)); err != nil {
		return err
	}
	for part := range slices.Chunk(revisions, idsAtOnce) {
		if err := toTheEnd(ctx, func(ctx context.Context) error {
			_, err := s.revisions.InsertMany(ctx, part)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Revise implements recognition.Contents.
func (s *Contents) Revise(ctx context.Context, c recognition.Content) error {
	revisions, err := s.Revisions(ctx, c.ID)
	if err != nil {
		return err
	}
	if revisions[len(revisions)-1].Revision != c.Revision-1 {
		return recognition.ErrContentChanged
	}
	next := newRevision(c)
	err = toTheEnd(ctx, func(ctx context.Context) error {
		_, err := s.revisions.InsertOne(ctx, next)
		return err
	})
	if mongo.IsDuplicateKeyError(err) {
		return recognition.ErrContentChanged.Because(err)
	}
	if err != nil {
		return err
	}
	return s.undoIfDeleted(context.WithoutCancel(ctx), next)
}

// undoIfDeleted removes a revision whose content was deleted while it was added. A deletion that begins after this sees it.
func (s *Contents) undoIfDeleted(ctx context.Context, r revision) error {
	err := whileAsked(ctx, func(ctx context.Context) error {
		return s.revisions.FindOne(ctx, bson.D{{Key: "_id", Value: revisionID(r.Content.ID, 1)}},
			options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 1}})).Err()
	})
	if !errors.Is(err, mongo.ErrNoDocuments) {
		return err
	}
	err = whileAsked(ctx, func(ctx context.Context) error {
		_, err := s.revisions.DeleteOne(ctx, bson.D{{Key: "_id", Value: r.ID}})
		return err
	})
	if err != nil {
		return err
	}
	return recognition.ErrContentNotFound
}

// Old implements recognition.Contents. It considers all revisions, so that it also finds one without a first one; those of a content
// are adjacent.
func (s *Contents) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last := ""
		for key, err := range distinct(ctx, s.revisions, "_id", bson.D{{Key: "added",
			Value: bson.D{{Key: "$lt", Value: bson.NewDateTimeFromTime(before)}}}}) {
			id, _, _ := strings.Cut(key, ":")
			if err == nil && id == last {
				continue
			}
			if last = id; !yield(id, err) || err != nil {
				return
			}
		}
	}
}

// Delete implements recognition.Contents. Revisions that are added while it deletes first ones are found afterwards, or removed again
// by Revise.
func (s *Contents) Delete(ctx context.Context, ids []string) error {
	for part := range possibleIDs(ids) {
		first := make([]string, len(part))
		for i, id := range part {
			first[i] = revisionID(id, 1)
		}
		if err := s.deleteKeys(ctx, first); err != nil {
			return err
		}
		others, err := s.revisionsOf(ctx, part, options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}))
		if err != nil {
			return err
		}
		keys := make([]string, len(others))
		for i, r := range others {
			keys[i] = r.ID
		}
		if err := s.deleteKeys(ctx, keys); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Contents) deleteKeys(ctx context.Context, keys []string) error {
	for part := range slices.Chunk(keys, idsAtOnce) {
		var models []mongo.WriteModel
		var alone []string
		for _, group := range together(part) {
			if len(group) == 1 {
				alone = append(alone, group[0])
				continue
			}
			models = append(models, mongo.NewDeleteManyModel().SetFilter(bson.D{{Key: "_id", Value: bson.D{
				{Key: "$gte", Value: group[0]}, {Key: "$lte", Value: group[len(group)-1]}, {Key: "$in", Value: group}}}}))
		}
		if len(alone) > 0 {
			models = append(models, mongo.NewDeleteManyModel().SetFilter(bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: alone}}}}))
		}
		if err := whileAsked(ctx, func(ctx context.Context) error {
			_, err := s.revisions.BulkWrite(ctx, models)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

package mongostore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// Blobs implements document.Blobs on GridFS: a blob is a document of fs.files, whose _id is the name of the blob, and chunks of 255 KiB
// in fs.chunks. Chunks are inserted first and removed last, so that a blob is complete or does not exist. A crash leaves chunks without
// a file, which only Old sees.
//
// The bucket of the driver would also work, but holds 16 MiB for each upload and cannot seek.
type Blobs struct{ files, chunks *mongo.Collection }

var _ document.Blobs = (*Blobs)(nil)

// Blobs returns the blobs in the database.
func (s *Store) Blobs() *Blobs {
	return &Blobs{files: s.db.Collection("fs.files"), chunks: s.db.Collection("fs.chunks")}
}

const (
	chunkSize    = 255 << 10 // as GridFS has it; below a power of two, with room for the rest of the document
	chunksAtOnce = 4         // of one round trip
)

// file is a document of fs.files.
type file struct {
	ID        string    `bson:"_id"`
	Length    int64     `bson:"length"`
	ChunkSize int32     `bson:"chunkSize"`
	Uploaded  time.Time `bson:"uploadDate"`
	Name      string    `bson:"filename"`
}

// chunk is a document of fs.chunks.
type chunk struct {
	ID   bson.ObjectID `bson:"_id"`
	File string        `bson:"files_id"`
	N    int32         `bson:"n"`
	Data []byte        `bson:"data"`
}

// Put implements document.Blobs.
func (s *Blobs) Put(ctx context.Context, r io.Reader) (string, error) {
	name := document.NewBlobName()
	if err := s.put(ctx, name, r); err != nil {
		return "", err
	}
	return name, nil
}

// PutAs is like Put for a blob that already has a name in another store. It first removes what exists under that name, even chunks that
// a crash has left.
func (s *Blobs) PutAs(ctx context.Context, name string, r io.Reader) error {
	if !document.IsBlobName(name) {
		return fmt.Errorf("a blob cannot have the name %q", name)
	}
	if err := s.Delete(ctx, name); err != nil {
		return err
	}
	return s.put(ctx, name, r)
}

func (s *Blobs) put(ctx context.Context, name string, r io.Reader) error {
	f := file{ID: name, ChunkSize: chunkSize, Name: name}
	err := s.fill(ctx, &f, r)
	if err == nil {
		f.Uploaded = time.Now()
		err = toTheEnd(ctx, func(ctx context.Context) error {
			_, err := s.files.InsertOne(ctx, f)
			return err
		})
	}
	if err == nil || fault.Is(err, fault.Unavailable) { // then nothing can be removed either
		return err
	}
	return errors.Join(err, s.Delete(context.WithoutCancel(ctx), name))
}

// fill inserts the chunks of a file and counts its length.
func (s *Blobs) fill(ctx context.Context, f *file, r io.Reader) error {
	var buffers [chunksAtOnce][]byte
	for n := int32(0); ; {
		var chunks []chunk
		var end error
		for i := 0; i < chunksAtOnce && end == nil; i++ {
			if buffers[i] == nil {
				buffers[i] = make([]byte, chunkSize)
			}
			var length int
			if length, end = fillBuffer(ctx, buffers[i], r); length > 0 {
				chunks = append(chunks, chunk{ID: bson.NewObjectID(), File: f.ID, N: n, Data: buffers[i][:length]})
				f.Length += int64(length)
				n++
			}
		}
		last := errors.Is(end, io.EOF)
		if end != nil && !last {
			return fmt.Errorf("reading what is to be stored: %w", end)
		}
		if len(chunks) > 0 {
			if err := toTheEnd(ctx, func(ctx context.Context) error {
				_, err := s.chunks.InsertMany(ctx, chunks)
				return err
			}); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// fillBuffer is io.ReadFull, except that an end in the middle of the buffer is io.EOF. So the reader's own errors, io.ErrUnexpectedEOF too,
// can be told from it.
func fillBuffer(ctx context.Context, buffer []byte, r io.Reader) (n int, err error) {
	for n < len(buffer) && err == nil {
		if err = ctx.Err(); err == nil {
			var more int
			more, err = r.Read(buffer[n:])
			n += more
		}
	}
	return n, err
}

// Delete implements document.Blobs. It removes the chunks even if the file no longer exists, as after a crash in between.
func (s *Blobs) Delete(ctx context.Context, name string) error {
	if !document.IsBlobName(name) {
		return ctx.Err()
	}
	err := whileAsked(ctx, func(ctx context.Context) error {
		_, err := s.files.DeleteOne(ctx, bson.D{{Key: "_id", Value: name}})
		return err
	})
	if err != nil {
		return err
	}
	return whileAsked(ctx, func(ctx context.Context) error {
		_, err := s.chunks.DeleteMany(ctx, bson.D{{Key: "files_id", Value: name}})
		return err
	})
}

// Old implements document.Blobs. It uses the clocks of the nodes that stored the blobs; their times are in files and in the IDs of
// chunks.
func (s *Blobs) Old(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range distinct(ctx, s.files, "_id", bson.D{{Key: "uploadDate", Value: bson.D{{Key: "$lt", Value: before}}}}) {
			if err == nil && !document.IsBlobName(name) { // of somebody else
				continue
			}
			if !yield(name, err) || err != nil {
				return
			}
		}
		names := []string{} // what is nil would be no list for the server
		for name, err := range distinct(ctx, s.chunks, "files_id", nil) {
			if err != nil {
				yield("", err)
				return
			}
			if document.IsBlobName(name) {
				names = append(names, name)
			}
			if len(names) < pageSize {
				continue
			}
			if !s.yieldParts(ctx, names, before, yield) {
				return
			}
			names = names[:0]
		}
		s.yieldParts(ctx, names, before, yield)
	}
}

// yieldParts yields those of the names whose chunks have no file and are all from before that time, and tells whether to go on.
func (s *Blobs) yieldParts(ctx context.Context, names []string, before time.Time, yield func(string, error) bool) bool {
	parts, err := s.withoutFile(ctx, names)
	if err != nil {
		yield("", err)
		return false
	}
	for _, name := range parts {
		old, err := s.madeBefore(ctx, name, before)
		if (old || err != nil) && !yield(name, err) || err != nil {
			return false
		}
	}
	return true
}

// withoutFile returns those of the names that no file has.
func (s *Blobs) withoutFile(ctx context.Context, names []string) ([]string, error) {
	var files []file
	err := whileAsked(ctx, func(ctx context.Context) error {
		cursor, err := s.files.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: names}}}},
			options.Find().SetBatchSize(pageSize))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &files)
	})
	has := map[string]bool{}
	for _, f := range files {
		has[f.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return has[name] }), err
}

// madeBefore tells whether there are chunks of a file and all were made before that time.
func (s *Blobs) madeBefore(ctx context.Context, name string, before time.Time) (bool, error) {
	var chunks []chunk
	err := whileAsked(ctx, func(ctx context.Context) error {
		cursor, err := s.chunks.Find(ctx, bson.D{{Key: "files_id", Value: name}},
			options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &chunks)
	})
	return len(chunks) > 0 && !slices.ContainsFunc(chunks, func(c chunk) bool { return !c.ID.Timestamp().Before(before) }), err
}

// Open implements document.Blobs. The reader works until ctx ends. Its errors are those of Open, and NotFound if the blob was deleted
// meanwhile. It holds about a MiB.
func (s *Blobs) Open(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	if !document.IsBlobName(name) {
		return nil, document.ErrBlobNotFound
	}
	return s.open(ctx, name)
}

// open opens the file with that _id.
func (s *Blobs) open(ctx context.Context, id any) (io.ReadSeekCloser, error) {
	b := &blob{ctx: ctx, chunks: s.chunks, id: id, loaded: -1}
	err := whileAsked(ctx, func(ctx context.Context) error {
		return s.files.FindOne(ctx, bson.D{{Key: "_id", Value: id}},
			options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 0}})).Decode(&b.file)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, document.ErrBlobNotFound.Because(err)
	}
	if err != nil {
		return nil, err
	}
	if b.file.Length < 0 || b.file.ChunkSize <= 0 {
		return nil, fmt.Errorf("blob %v: length %d in chunks of %d", id, b.file.Length, b.file.ChunkSize)
	}
	return b, nil
}

// blob reads a file. For one goroutine.
type blob struct {
	ctx    context.Context
	chunks *mongo.Collection
	id     any // a name, or an ObjectID of the original service
	file   file
	at     int64

	cursor *mongo.Cursor // gives the chunks from the one after loaded on; may be nil
	loaded int64         // number of the chunk that data is
	data   []byte        // in the cursor's memory
}

func (b *blob) Read(p []byte) (int, error) {
	if b.at >= b.file.Length {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	size := int64(b.file.ChunkSize)
	if n := b.at / size; n != b.loaded {
		if err := b.load(n); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.data[b.at%size:])
	b.at += int64(n)
	return n, nil
}

// load gets a chunk from the cursor, if it is the next one, or else from a new cursor. A cursor ends with its primary, so a chunk is asked
// for once more with a new one.
func (b *blob) load(n int64) error {
	if b.cursor != nil && n == b.loaded+1 {
		if err := b.next(n); !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
	b.closeCursor()
	err := whileAsked(b.ctx, func(ctx context.Context) (err error) {
		filter := bson.D{{Key: "files_id", Value: b.id}, {Key: "n", Value: bson.D{{Key: "$gte", Value: n}}}}
		atOnce := max(chunksAtOnce*chunkSize/b.file.ChunkSize, 1) // as many bytes, whatever the size of a chunk
		b.cursor, err = b.chunks.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "n", Value: 1}}).SetBatchSize(atOnce))
		return err
	})
	if err != nil {
		return err
	}
	return b.next(n)
}

func (b *blob) next(n int64) error {
	b.loaded, b.data = -1, nil
	found := false
	err := whileAsked(b.ctx, func(ctx context.Context) error {
		found = b.cursor.Next(ctx)
		return b.cursor.Err()
	})
	if err != nil {
		return err
	}
	if !found {
		return document.ErrBlobNotFound.Because(io.ErrUnexpectedEOF)
	}
	size := int64(b.file.ChunkSize)
	number, isNumber := b.cursor.Current.Lookup("n").AsInt64OK()
	_, data, isBinary := b.cursor.Current.Lookup("data").BinaryOK()
	switch {
	case !isNumber || !isBinary:
		return fmt.Errorf("blob %v: chunk %d has no number or no data", b.id, n)
	case number != n: // deletion is under way
		return document.ErrBlobNotFound.Because(io.ErrUnexpectedEOF)
	case int64(len(data)) != min(size, b.file.Length-n*size):
		return fmt.Errorf("blob %v: chunk %d has %d bytes", b.id, n, len(data))
	}
	b.loaded, b.data = n, data
	return nil
}

func (b *blob) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += b.file.Length
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, fmt.Errorf("blob %v: there is no place %d", b.id, offset)
	}
	b.at = offset
	return offset, nil
}

// closeCursor frees what the server holds for the cursor. If the server cannot be told, it frees it by itself some time later.
func (b *blob) closeCursor() {
	if b.cursor == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), selectionTimeout)
	defer cancel()
	_ = b.cursor.Close(ctx)
	b.cursor, b.loaded, b.data = nil, -1, nil
}

func (b *blob) Close() error {
	b.closeCursor()
	return nil
}

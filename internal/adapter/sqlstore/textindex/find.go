package textindex

import (
	"context"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

const (
	mostBlocks = 64     // that one statement looks at
	askedFor   = 100    // entries that one statement checks
	fewAsked   = 20     // of those that are likely to be there and seen
	mostRows   = 50_000 // of terms that a lookup reads, if it finds something or not
	mostAsked  = 5000   // entries that a lookup checks
)

// set has entries of a block.
type set [blockSize / 64]uint64

func (s *set) add(ids []byte) {
	for ; len(ids) >= 2; ids = ids[2:] {
		n := binary.BigEndian.Uint16(ids) % blockSize
		s[n/64] |= 1 << (n % 64)
	}
}

func (s *set) and(other *set) {
	for n := range s {
		s[n] &= other[n]
	}
}

func (s *set) or(other *set) {
	for n := range s {
		s[n] |= other[n]
	}
}

// put adds an entry by its ID.
func (s *set) put(id int64) { s[id%blockSize/64] |= 1 << (id % 64) }

// descending returns the IDs of the entries of a block that are smaller than before.
func (s *set) descending(block, before int64) (ids []int64) {
	for n, word := range slices.Backward(s[:]) {
		for word != 0 {
			high := 63 - bits.LeadingZeros64(word)
			word &^= 1 << high
			if id := block*blockSize + int64(n*64+high); id < before {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Find implements recognition.Index.
func (x *Index) Find(ctx context.Context, l recognition.Lookup) (entries []recognition.Entry, next int64, err error) {
	before := l.Before
	newest, err := x.db.Count(ctx, `SELECT next FROM text_state WHERE id = 1`)
	if err != nil {
		return nil, 0, err
	}
	if before <= 0 || before > int64(newest) {
		before = int64(newest)
	}
	f := finder{Index: x, Lookup: l, firsts: map[int64][]string{}}
	for last, size := (before-1)/blockSize, int64(1); last >= 0; size = min(2*size, mostBlocks) {
		first := max(0, last-size+1)
		found, err := f.candidates(ctx, first, last)
		if err != nil {
			return nil, 0, err
		}
		if entries, next, err = f.check(ctx, entries, found, before); err != nil || next != 0 {
			return entries, next, x.db.Fault(ctx, err)
		}
		if last = first - 1; f.rows > mostRows && last >= 0 {
			return entries, first * blockSize, nil
		}
	}
	return entries, 0, nil
}

// finder is one lookup.
type finder struct {
	*Index
	recognition.Lookup
	rows   int                // read, a term of a block each
	asked  int                // entries, checked
	told   bool               // whether it was asked what the viewer may see
	images []int64            // that the viewer may see, ascending; nil: these are many, or not yet asked for
	firsts map[int64][]string // by block: the first terms of its parts, once it is known to be compact
}

// check adds to entries those of blocks that are there and may be seen, until there are enough; then it returns where to go on.
func (f *finder) check(ctx context.Context, entries []recognition.Entry, found map[int64]*set,
	before int64) (_ []recognition.Entry, next int64, err error) {
	left := descending(found, before)
	for len(left) > 0 {
		if f.asked > 0 && !f.told && f.Viewer != 0 {
			f.told = true
			if f.images, err = f.few(ctx); err != nil {
				return entries, 0, err
			}
			if f.images != nil {
				if err := f.narrow(ctx, found); err != nil {
					return entries, 0, err
				}
				left = descending(found, left[0]+1)
				continue
			}
		}
		room := f.Limit - len(entries)
		size := askedFor
		if f.asked == 0 || f.images != nil { // most of them are there and may be seen
			size = min(max(room, fewAsked), askedFor)
		}
		part := left[:min(len(left), size)]
		left = left[len(part):]
		f.asked += len(part)
		there, err := f.there(ctx, part)
		if err != nil {
			return entries, 0, err
		}
		if len(there) >= room {
			entries = append(entries, there[:room]...)
			if last := entries[len(entries)-1].ID; last > 1 {
				return entries, last, nil
			}
			return entries, 0, nil
		}
		entries = append(entries, there...)
		if lowest := part[len(part)-1]; f.asked >= mostAsked && lowest > 1 {
			return entries, lowest, nil
		}
	}
	return entries, 0, nil
}

// descending returns the IDs of the entries of blocks that are smaller than before.
func descending(found map[int64]*set, before int64) (ids []int64) {
	for _, block := range slices.Backward(slices.Sorted(maps.Keys(found))) {
		ids = append(ids, found[block].descending(block, before)...)
	}
	return ids
}

// narrow keeps the entries that may belong to images that the viewer may see.
func (f *finder) narrow(ctx context.Context, found map[int64]*set) error {
	owned, err := f.owned(ctx, slices.Collect(maps.Keys(found)), f.images)
	for block, entries := range found {
		if owned[block] == nil {
			delete(found, block)
		} else {
			entries.and(owned[block])
		}
	}
	return err
}

// candidates returns by block the entries that have all terms, from the first to the last block. Once the images are known that the viewer
// may see, other blocks are not looked at.
func (f *finder) candidates(ctx context.Context, first, last int64) (found map[int64]*set, err error) {
	var blocks []int64
	for block := first; block <= last; block++ {
		blocks = append(blocks, block)
	}
	if f.images != nil {
		if found, err = f.owned(ctx, blocks, f.images); err != nil || len(found) == 0 {
			return nil, err
		}
		blocks = slices.Sorted(maps.Keys(found))
	}
	for _, t := range f.Terms {
		terms := span{t.Text, t.Text + "\x00"}
		if t.Prefix {
			terms.end = t.Text + "\xff"
		}
		have, err := f.having(ctx, blocks, terms)
		if err != nil {
			return nil, err
		}
		for block, entries := range have {
			if found != nil {
				entries.and(found[block])
			}
		}
		found, blocks = have, slices.Sorted(maps.Keys(have))
		if len(blocks) == 0 {
			return nil, nil
		}
	}
	return found, nil
}

// having returns by block the entries that have a term of a span. What is compacted meanwhile is not missed, since text_compact is read
// after text_posting.
func (f *finder) having(ctx context.Context, blocks []int64, terms span) (found map[int64]*set, err error) {
	found = map[int64]*set{}
	each := func(block int64, entries *set) {
		if found[block] == nil {
			found[block] = &set{}
		}
		found[block].or(entries)
		f.rows++
	}
	for _, block := range blocks {
		if f.firsts[block] == nil {
			f.firsts[block] = f.Index.firsts.get(block)
		}
	}
	isCompact := func(block int64) bool { return f.firsts[block] != nil }
	if loose := slices.DeleteFunc(slices.Clone(blocks), isCompact); len(loose) > 0 {
		if err := f.loose(ctx, loose, terms, each); err != nil {
			return nil, err
		}
		if err := f.readFirsts(ctx, loose); err != nil {
			return nil, err
		}
	}
	return found, f.compacted(ctx, slices.DeleteFunc(blocks, func(block int64) bool { return !isCompact(block) }), terms, each)
}

// loose goes through the terms of a span that text_posting has in blocks.
func (f *finder) loose(ctx context.Context, blocks []int64, terms span, each func(block int64, entries *set)) error {
	var args []any
	for _, block := range blocks {
		args = append(args, block, []byte(terms.first), []byte(terms.end))
	}
	const ofBlock = `block = ? AND term >= ? AND term < ?`
	err := sqldb.Each(ctx, f.db.Read, func(scan func(...any) error) error {
		var block int64
		var ids []byte
		err := scan(&block, &ids)
		entries := &set{}
		entries.add(ids)
		each(block, entries)
		return err
	}, `SELECT block, ids FROM text_posting /*! FORCE INDEX (PRIMARY) */ WHERE `+ofBlock+strings.Repeat(` OR `+ofBlock, len(blocks)-1),
		args...)
	return f.db.Fault(ctx, err)
}

// maySee is the condition for images that a viewer may see.
const maySee = `(i.user_id = ? OR i.visibility = ? OR (SELECT COUNT(*) FROM image_share s /*! FORCE INDEX (PRIMARY) */ ` +
	`WHERE s.image_id = COALESCE(i.document, i.id) AND s.reader_id = ?) > 0)`

// there returns the entries that exist and may be seen, by ID, descending.
func (f *finder) there(ctx context.Context, ids []int64) (entries []recognition.Entry, err error) {
	marks, args := sqldb.In(ids)
	text := `SELECT /*! STRAIGHT_JOIN */ e.id, e.image_id, ocr.content_id, e.version, COALESCE(r.rotation, 0) FROM text_entry e /*! FORCE
		INDEX (PRIMARY) */
		JOIN image i /*! FORCE INDEX (PRIMARY) */ ON i.id = e.image_id
		LEFT JOIN ocr_run r /*! FORCE INDEX (PRIMARY) */ ON r.image_id = e.image_id AND r.version = e.version
		LEFT JOIN ocr /*! FORCE INDEX (PRIMARY) */ ON ocr.id = e.ocr_id AND ocr.deleted_datetime IS NULL
		WHERE e.id IN ` + marks + ` AND (e.ocr_id IS NULL OR ocr.id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM ocr_run later /*! FORCE INDEX (PRIMARY) */ WHERE later.image_id = e.image_id AND later.version >
				e.version))`
	if f.Viewer != 0 {
		text, args = text+` AND `+maySee, append(args, f.Viewer, string(document.Shared), f.Viewer)
	}
	entries, err = sqldb.All(ctx, f.db.Read, func(scan func(...any) error) (e recognition.Entry, err error) {
		err = scan(&e.ID, &e.ImageID, (*sqldb.Text)(&e.ContentID), &e.Version, &e.Rotation)
		return e, err
	}, text+` ORDER BY e.id DESC`, args...)
	return entries, f.db.Fault(ctx, err)
}

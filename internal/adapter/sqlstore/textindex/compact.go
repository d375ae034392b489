package textindex

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"glyphbox/internal/adapter/sqlstore/sqldb"
)

// Table text_compact has the postings of blocks that are full, several terms in a row. The ID of a row is partsOfBlock × block + part. Part
// 0 lists the first terms of the others; these have terms with their entries, ascending. A list of terms gives for each the number of bytes
// that it shares with the one before, the number of those that follow, and these.
const (
	partsOfBlock = 1 << 16
	partSize     = 3800 // bytes; four rows are a page of InnoDB
	denseFrom    = blockSize / 8
	mostKept     = 1000 // blocks whose first terms are kept in memory
)

var errPart = errors.New("a row of text_compact is damaged")

// Compact implements recognition.Index.
func (x *Index) Compact(ctx context.Context) error {
	for {
		next, err := x.db.Count(ctx, `SELECT next FROM text_state WHERE id = 1`)
		if err != nil {
			return err
		}
		if err := x.noteImages(ctx, int64(next)/blockSize); err != nil {
			return err
		}
		oldest, err := x.db.Count(ctx, `SELECT COALESCE(MIN(block), -1) FROM text_posting`)
		if err != nil || oldest < 0 || oldest == next/blockSize {
			return err
		}
		if err := x.compact(ctx, int64(oldest)); err != nil {
			return err
		}
	}
}

// compact moves the postings of a full block, without those of entries that are gone.
func (x *Index) compact(ctx context.Context, block int64) error {
	return x.db.Update(ctx, func(tx *sql.Tx) error {
		there := set{}
		if err := sqldb.Each(ctx, tx, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			there.put(id)
			return err
		}, `SELECT id FROM text_entry /*! FORCE INDEX (PRIMARY) */ WHERE id >= ? AND id < ?`, block*blockSize,
			(block+1)*blockSize); err != nil {
			return err
		}
		c := compaction{}
		if err := sqldb.Each(ctx, tx, func(scan func(...any) error) error {
			var term string
			var ids []byte
			err := scan(&term, &ids)
			s := set{}
			s.add(ids)
			s.and(&there)
			c.add(term, &s)
			return err
		}, `SELECT term, ids FROM text_posting /*! FORCE INDEX (PRIMARY) */ WHERE block = ? ORDER BY term`+x.db.Dialect.ForUpdate,
			block); err != nil {
			return err
		}
		for n, part := range append([][]byte{c.firsts}, c.parts...) {
			if len(part) == 0 {
				break
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO text_compact (id, body) VALUES (?, ?)`, block*partsOfBlock+int64(n),
				part); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM text_posting WHERE block = ?`, block)
		return err
	})
}

// compaction makes the rows of a block. Its terms are added in ascending order.
type compaction struct {
	firsts []byte // part 0
	parts  [][]byte
	first  string // term of the last part
	last   string // term that was added
}

func (c *compaction) add(term string, entries *set) {
	ids := entries.append(nil)
	if len(ids) == 0 {
		return
	}
	last := len(c.parts) - 1
	if last < 0 || len(c.parts[last])+len(term)+len(ids) > partSize {
		c.firsts = appendTerm(c.firsts, c.first, term)
		c.first, c.last = term, ""
		c.parts = append(c.parts, nil)
		last++
	}
	c.parts[last] = append(appendTerm(c.parts[last], c.last, term), ids...)
	c.last = term
}

func appendTerm(b []byte, before, term string) []byte {
	same := 0
	for same < min(len(before), len(term)) && before[same] == term[same] {
		same++
	}
	b = binary.AppendUvarint(b, uint64(same))
	b = binary.AppendUvarint(b, uint64(len(term)-same))
	return append(b, term[same:]...)
}

// append puts the entries at the end of b: how many there are, then how far each is from the one before, or all of the set where many are.
func (s *set) append(b []byte) []byte {
	ids := s.descending(0, blockSize)
	if len(ids) == 0 {
		return b
	}
	slices.Reverse(ids)
	b = binary.AppendUvarint(b, uint64(len(ids)))
	if len(ids) >= denseFrom {
		for _, word := range s {
			b = binary.BigEndian.AppendUint64(b, word)
		}
		return b
	}
	before := int64(0)
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id-before)) //nolint:gosec // they ascend
		before = id
	}
	return b
}

// reader reads what compaction makes.
type reader struct {
	left    []byte
	term    []byte // the last one
	damaged bool
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.left)
	r.pass(n)
	return v
}

func (r *reader) distance() int64 {
	v, n := binary.Varint(r.left)
	r.pass(n)
	return v
}

// pass drops the bytes of a number; without any, the row is damaged.
func (r *reader) pass(n int) {
	if n <= 0 {
		r.left, r.damaged = nil, true
		return
	}
	r.left = r.left[n:]
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.left)) {
		r.left, r.damaged = nil, true
		return nil
	}
	b := r.left[:n]
	r.left = r.left[n:]
	return b
}

// next tells whether there is one more term, and reads it.
func (r *reader) next() bool {
	if len(r.left) == 0 {
		return false
	}
	same := r.number()
	rest := r.take(r.number())
	if same > uint64(len(r.term)) {
		r.damaged = true
	}
	if r.damaged {
		return false
	}
	r.term = append(r.term[:same], rest...)
	return true
}

// skip passes over the entries of a term.
func (r *reader) skip() {
	n := r.number()
	if n >= denseFrom {
		r.take(blockSize / 8)
		return
	}
	end := 0
	for ; n > 0 && end < len(r.left); end++ {
		if r.left[end] < 0x80 { // the last byte of a number
			n--
		}
	}
	r.left = r.left[end:]
	r.damaged = r.damaged || n > 0
}

// entries reads those of a term.
func (r *reader) entries() *set {
	s, n, id := &set{}, r.number(), uint64(0)
	if n >= denseFrom {
		if b := r.take(blockSize / 8); b != nil {
			for k := range s {
				s[k] = binary.BigEndian.Uint64(b[8*k:])
			}
		}
		return s
	}
	for ; n > 0 && !r.damaged; n-- {
		if id += r.number(); id < blockSize {
			s.put(int64(id)) //nolint:gosec // less than blockSize
		} else {
			r.damaged = true
		}
	}
	return s
}

// terms reads a list of terms without entries.
func (r *reader) terms() (terms []string) {
	for r.next() {
		terms = append(terms, string(r.term))
	}
	return terms
}

// span is terms from first on, before end.
type span struct{ first, end string }

// parts returns those of a block that may have terms of a span, by the first term of each part. The first part is 1.
func (s span) parts(firsts []string) (from, to int) {
	from, found := slices.BinarySearch(firsts, s.first)
	if found {
		from++
	}
	to, _ = slices.BinarySearch(firsts, s.end)
	return max(from, 1), to
}

// compacted gives each term of a span that text_compact has in blocks, whose first terms are in f.firsts.
func (f *finder) compacted(ctx context.Context, blocks []int64, terms span, each func(block int64, entries *set)) error {
	var parts []int64
	for _, block := range blocks {
		from, to := terms.parts(f.firsts[block])
		for ; from <= to; from++ {
			parts = append(parts, block*partsOfBlock+int64(from))
		}
	}
	return f.rowsOf(ctx, parts, func(id int64, r *reader) {
		for r.next() && string(r.term) < terms.end {
			if string(r.term) < terms.first {
				r.skip()
			} else {
				each(id/partsOfBlock, r.entries())
			}
		}
	})
}

// readFirsts looks which of the blocks text_compact has.
func (f *finder) readFirsts(ctx context.Context, blocks []int64) error {
	ids := make([]int64, len(blocks))
	for n, block := range blocks {
		ids[n] = block * partsOfBlock
	}
	return f.rowsOf(ctx, ids, func(id int64, r *reader) {
		f.firsts[id/partsOfBlock] = r.terms()
		if !r.damaged {
			f.Index.firsts.put(id/partsOfBlock, f.firsts[id/partsOfBlock])
		}
	})
}

// cache has the first terms of the parts of blocks. What is compact is never changed; when it is cleared, its block gets no other entries.
// Safe for concurrent use.
type cache struct {
	mu sync.RWMutex
	of map[int64][]string
}

func (c *cache) get(block int64) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.of[block]
}

func (c *cache) put(block int64, firsts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.of) < mostKept {
		c.of[block] = firsts
	}
}

func (f *finder) rowsOf(ctx context.Context, ids []int64, each func(id int64, r *reader)) error {
	if len(ids) == 0 {
		return nil
	}
	marks, args := sqldb.In(ids)
	err := sqldb.Each(ctx, f.db.Read, func(scan func(...any) error) error {
		var id int64
		var r reader
		if err := scan(&id, &r.left); err != nil {
			return err
		}
		if each(id, &r); r.damaged {
			return errPart
		}
		return nil
	}, `SELECT id, body FROM text_compact /*! FORCE INDEX (PRIMARY) */ WHERE id IN `+marks, args...)
	return f.db.Fault(ctx, err)
}

// Package filecache keeps local copies of files from a remote store. Without them, each page of a long document would fetch the whole
// file.
package filecache

import (
	"container/list"
	"context"
	"io"
	"sync"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/spool"
)

// Cache implements document.Files. It keeps copies of stored files by their hash, up to a number of bytes in all, and evicts the least
// recently opened ones. Copies have no name on the disk and end with the process. If a copy cannot be made or kept, the file comes from
// the store. Safe for concurrent use.
type Cache struct {
	of   document.Files
	dir  string
	most int64

	mu     sync.Mutex
	copies map[string]*list.Element // of *copied, by hash
	order  *list.List               // what was opened least recently comes first
	held   int64                    // bytes that the copies take, or are going to
	stats  Stats
}

// Stats counts hits and misses.
type Stats struct {
	Hits   int64 // times a copy was there
	Misses int64 // times the store was asked
	Held   int64 // bytes of all copies
}

// copied is a file of which a copy is kept, or being made.
type copied struct {
	hash    string
	size    int64
	opened  int           // how many have it open, or wait for it
	filling chan struct{} // full while the copy is being made; a lock that can be waited for with a context
	disk    *spool.File   // nil: not made yet
}

// New returns a cache for files of that store. Its copies are in the file system of dir, and take at most that many bytes.
func New(of document.Files, dir string, most int64) *Cache {
	return &Cache{of: of, dir: dir, most: most, copies: map[string]*list.Element{}, order: list.New()}
}

var _ document.Files = (*Cache)(nil)

// Open implements document.Files. Concurrent calls for the same file fetch it once.
func (c *Cache) Open(ctx context.Context, f document.File) (io.ReadCloser, error) {
	if f.Staged != "" || f.SHA256 == "" {
		return c.of.Open(ctx, f)
	}
	kept := c.take(f)
	if kept == nil {
		return c.of.Open(ctx, f)
	}
	done := sync.OnceFunc(func() { c.giveBack(kept) })
	if there, err := c.fill(ctx, kept, f); err != nil || !there {
		done()
		if err != nil {
			return nil, err
		}
		return c.of.Open(ctx, f)
	}
	return &reader{kept.disk.Reader(), done}, nil
}

// take returns the kept copy of a file, opened, or room for one; nil if there is no room.
func (c *Cache) take(f document.File) *copied {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.copies[f.SHA256]; e != nil {
		c.order.MoveToBack(e)
		kept := e.Value.(*copied)
		kept.opened++
		c.stats.Hits++
		return kept
	}
	c.stats.Misses++
	for e := c.order.Front(); e != nil && c.held+f.Size > c.most; {
		oldest, next := e.Value.(*copied), e.Next()
		if oldest.opened == 0 {
			c.drop(oldest)
		}
		e = next
	}
	if c.held+f.Size > c.most {
		return nil
	}
	kept := &copied{hash: f.SHA256, size: f.Size, opened: 1, filling: make(chan struct{}, 1)}
	c.copies[f.SHA256] = c.order.PushBack(kept)
	c.held += f.Size
	return kept
}

// drop removes a copy that nobody has open. c.mu is held.
func (c *Cache) drop(kept *copied) {
	c.order.Remove(c.copies[kept.hash])
	delete(c.copies, kept.hash)
	c.held -= kept.size
	if kept.disk != nil {
		_ = kept.disk.Close() // nothing was written to it that counts
	}
}

// fill makes the copy if there is none yet, and tells whether there is one. It returns the store's error if the file cannot be opened, and
// the context's error if that ends while another caller makes the copy.
func (c *Cache) fill(ctx context.Context, kept *copied, f document.File) (there bool, err error) {
	select {
	case kept.filling <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-kept.filling }()
	if kept.disk != nil {
		return true, nil
	}
	r, err := c.of.Open(ctx, f)
	if err != nil {
		return false, err
	}
	defer r.Close()
	disk, err := spool.Take(c.dir, r, f.Size+1)
	if err != nil {
		return false, nil // the disk's error or the store's, which then has it again
	}
	if disk.SHA256 != f.SHA256 { // this reader gets what the store has; others with that hash must not
		_ = disk.Close()
		return false, nil
	}
	kept.disk = disk
	return true, nil
}

// giveBack closes what take has opened. If no copy could be made, nothing is kept.
func (c *Cache) giveBack(kept *copied) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept.opened--
	if kept.opened == 0 && kept.disk == nil {
		c.drop(kept)
	}
}

// Stats returns the current counts.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Held = c.held
	return s
}

// reader is a reader of a copy.
type reader struct {
	*io.SectionReader
	done func()
}

func (r *reader) Close() error {
	r.done()
	return nil
}

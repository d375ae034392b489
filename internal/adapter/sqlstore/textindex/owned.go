package textindex

import (
	"context"
	"database/sql"
	"encoding/binary"
	"slices"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
)

// Table text_block says for each full block which image each entry belongs to. An entry keeps its image, and entries that are put together
// follow each other. So a row is a list of runs: the distance of the first entry of a run from that of the run before, and the distance of
// its image. Entries between two runs are gone.

// fewImages is how many images a viewer may see for these to be listed, where that is not much of all.
const fewImages = 2000

// noteImages adds the rows of text_block for full blocks before one.
func (x *Index) noteImages(ctx context.Context, before int64) error {
	last, err := x.db.Count(ctx, `SELECT COALESCE(MAX(block), -1) FROM text_block`)
	if err != nil {
		return err
	}
	for block := int64(last) + 1; block < before; block++ {
		if err := x.db.Update(ctx, func(tx *sql.Tx) error {
			runs, id, image := []byte{}, block*blockSize, int64(0)
			err := sqldb.Each(ctx, tx, func(scan func(...any) error) error {
				var nextID, nextImage int64
				if err := scan(&nextID, &nextImage); err != nil || nextImage == image {
					return err
				}
				runs = binary.AppendVarint(binary.AppendVarint(runs, nextID-id), nextImage-image)
				id, image = nextID, nextImage
				return nil
			}, `SELECT id, image_id FROM text_entry /*! FORCE INDEX (PRIMARY) */ WHERE id >= ? AND id < ? ORDER BY id`, block*blockSize,
				(block+1)*blockSize)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `REPLACE INTO text_block (block, images) VALUES (?, ?)`, block, runs)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// owned returns by block the entries that may be of images, of those blocks that have some.
func (x *Index) owned(ctx context.Context, blocks, images []int64) (map[int64]*set, error) {
	found, missing := map[int64]*set{}, slices.Clone(blocks)
	if len(blocks) == 0 || len(images) == 0 {
		return nil, nil
	}
	marks, args := sqldb.In(blocks)
	if err := sqldb.Each(ctx, x.db.Read, func(scan func(...any) error) error {
		var block int64
		var r reader
		if err := scan(&block, &r.left); err != nil {
			return err
		}
		missing = slices.DeleteFunc(missing, func(b int64) bool { return b == block })
		if s := r.owned(images); s != nil {
			found[block] = s
		}
		if r.damaged {
			return errPart
		}
		return nil
	}, `SELECT block, images FROM text_block /*! FORCE INDEX (PRIMARY) */ WHERE block IN `+marks, args...); err != nil {
		return nil, x.db.Fault(ctx, err)
	}
	marks, args = sqldb.In(images)
	for _, block := range missing {
		if err := sqldb.Each(ctx, x.db.Read, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			if found[block] == nil {
				found[block] = &set{}
			}
			found[block].put(id)
			return err
		}, `SELECT id FROM text_entry /*! FORCE INDEX (PRIMARY) */ WHERE id >= ? AND id < ? AND +image_id IN `+marks,
			append([]any{block * blockSize, (block + 1) * blockSize}, args...)...); err != nil {
			return nil, x.db.Fault(ctx, err)
		}
	}
	return found, nil
}

// owned reads the runs of a block, and returns the entries of images, which ascend; nil if there are none.
func (r *reader) owned(images []int64) (s *set) {
	first, image, among := int64(0), int64(0), false
	until := func(next int64) {
		if !among {
			return
		}
		if s == nil {
			s = &set{}
		}
		for ; first < next; first++ {
			s.put(first)
		}
	}
	for len(r.left) > 0 {
		next, further := first+r.distance(), r.distance()
		if r.damaged = r.damaged || next < first || next >= blockSize; r.damaged {
			return s
		}
		until(next)
		first, image = next, image+further
		_, among = slices.BinarySearch(images, image)
	}
	until(blockSize)
	return s
}

// few returns the images that the viewer may see, ascending, or nil if these are many.
func (f *finder) few(ctx context.Context) (images []int64, err error) {
	var seen, all int
	if err := f.db.Read.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN id = ? THEN images + given ELSE shared END), 0), `+
		`COALESCE(SUM(images), 0) FROM user`, f.Viewer).
		Scan(&seen, &all); err != nil || seen > fewImages || seen*10 > all {
		return nil, f.db.Fault(ctx, err)
	}
	const (
		then  = ` UNION ALL `
		given = `SELECT /*! STRAIGHT_JOIN */ i.id FROM image_share s /*! FORCE INDEX (image_share_reader) */ JOIN image i `
		text  = `SELECT i.id FROM image i /*! FORCE INDEX (image_user) */ WHERE i.user_id = ?` +
			then + `SELECT i.id FROM image i /*! FORCE INDEX (image_visibility) */ WHERE i.visibility = ? AND i.user_id <> ?` +
			then + given + `/*! FORCE INDEX (PRIMARY) */ ON i.id = s.image_id WHERE s.reader_id = ? AND s.shared = 0` +
			then + given + `/*! FORCE INDEX (image_page) */ ON i.document = s.image_id WHERE s.reader_id = ? AND s.shared = 0` +
			` LIMIT ?`
	)
	images = []int64{}
	err = sqldb.Each(ctx, f.db.Read, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		images = append(images, id)
		return err
	}, text, f.Viewer, string(document.Shared), f.Viewer, f.Viewer, f.Viewer, fewImages+1)
	if err != nil || len(images) > fewImages {
		return nil, f.db.Fault(ctx, err)
	}
	slices.Sort(images)
	return images, nil
}

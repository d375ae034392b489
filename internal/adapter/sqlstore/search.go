package sqlstore

import (
	"context"
	"strings"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
)

// What a keyword finds are the images of owners who have it in their names, whose images are counted already, and of the others those that have it in their own
// names. The latter are found by their suffixes, or by looking through all that one sees, newest first, where that is less.

const (
	// maxOwners is how many owners with the keyword in their names have their newest images looked up one by one.
	maxOwners = 10
	// sortedAtMost is how many images are sorted for a page. Of more, the newest are sooner found by looking through all, newest first.
	sortedAtMost = 20_000
	// fewSuffixes is how many suffixes that begin with a part of a long keyword are few enough to ask for no other part.
	fewSuffixes = 100
	// maxParts is how many parts of a long keyword are tried.
	maxParts = 8
)

// search is a query with a keyword, and what is known of it.
type search struct {
	document.Query
	keyword   string // folded
	all, seen int    // images, and those of them that the query without its keyword wants
	ofOwners  int    // images of the latter whose owners have the keyword in their names
	owners    []any  // these owners' IDs, one more than maxOwners at most
}

// search returns a page of what a keyword finds, and how many it finds in all.
func (s *Catalog) search(ctx context.Context, query document.Query, keyword string) ([]document.Image, int, error) {
	q, err := s.findOwners(ctx, query, keyword)
	if err != nil {
		return nil, 0, err
	}
	part, err := s.part(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	text, args := q.countThrough()
	if part != "" {
		text, args = q.countSuffixes(part)
	}
	total, err := s.db.Count(ctx, text, args...)
	if err != nil {
		return nil, 0, err
	}
	kinds := q.through()
	if part != "" && total <= sortedAtMost && (q.ofOwners <= sortedAtMost || len(q.owners) <= maxOwners) {
		kinds = q.apart(part)
	}
	total += q.ofOwners
	if _, offset := sqldb.Window(q.Size, q.Page); offset >= total {
		return nil, total, nil
	}
	images, err := s.page(ctx, query, kinds)
	return images, total, err
}

// findOwners looks through the users.
func (s *Catalog) findOwners(ctx context.Context, query document.Query, keyword string) (search, error) {
	q := search{Query: query, keyword: keyword}
	seen := imagesSeen(query)
	users := `(SELECT id, images, ` + seen.text + ` AS seen, CASE WHEN INSTR(LOWER(name), ?) > 0 THEN 1 ELSE 0 END AS named FROM user) AS u`
	args := append(seen.args, keyword)
	err := s.db.Read.QueryRowContext(ctx, `SELECT COALESCE(SUM(images), 0), COALESCE(SUM(seen), 0), COALESCE(SUM(seen * named), 0) FROM `+users, args...).Scan(&q.all, &q.seen, &q.ofOwners)
	if err == nil && q.ofOwners > 0 {
		err = sqldb.Each(ctx, s.db.Read, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			q.owners = append(q.owners, id)
			return err
		}, `SELECT id FROM `+users+` WHERE named = 1 AND seen > 0 ORDER BY id LIMIT ?`, append(args, maxOwners+1)...)
	}
	return q, s.db.Fault(ctx, err)
}

// part returns the keyword, or a part of a long one, to look for in suffixes; nothing where looking through all that one sees is less.
func (s *Catalog) part(ctx context.Context, q search) (string, error) {
	limits := []int{int(s.db.Dialect.Suffixes * float64(q.seen))}
	if len(q.keyword) > suffixSize { // the name of each image found has to be looked up
		limits = []int{fewSuffixes, q.seen / 10}
	} else if q.seen == q.all {
		return q.keyword, nil
	}
	parts := partsOf(q.keyword)
	for _, limit := range limits {
		for _, part := range parts {
			more, err := s.db.Count(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM image_suffix WHERE `+begins+` LIMIT 1 OFFSET ?) AS more`, append(from(part), limit)...)
			if err != nil || more == 0 {
				return part, err
			}
		}
	}
	return "", nil
}

// partsOf returns the keyword, or parts of a long one that suffixes can begin with, from its end.
func partsOf(keyword string) (parts []string) {
	if len(keyword) <= suffixSize {
		return []string{keyword}
	}
	var starts []int
	for start := range keyword {
		starts = append(starts, start)
	}
	end := len(keyword)
	for n := len(starts) - 1; n >= 0 && len(parts) < maxParts; n-- {
		if start := starts[n]; start+suffixSize <= end {
			parts, end = append(parts, keyword[start:start+suffixSize]), start
		}
	}
	return parts
}

// begins is the condition for suffixes that begin with a part of a keyword, and from has its arguments. No byte of a text is 0xff.
const begins = `suffix >= ? AND suffix < ?`

func from(part string) []any { return []any{[]byte(part), []byte(part + "\xff")} }

// ofOthers leaves out what is counted as the images of owners.
func (q search) ofOthers(c condition) condition {
	switch marks, ids := sqldb.In(q.owners); {
	case len(ids) == 0:
		return c
	case len(ids) <= maxOwners:
		return c.and(`user_id NOT IN `+marks, ids...)
	}
	return c.and(`user_id NOT IN `+ownersNamed, q.keyword)
}

const ownersNamed = `(SELECT id FROM user WHERE INSTR(LOWER(name), ?) > 0)`

// suffixes returns the condition for the suffixes of images of others, one for each image.
func (q search) suffixes(part string) condition {
	c := condition{begins, from(part)}.and(`lcp < ?`, len(part))
	switch {
	case q.Viewer == 0 && q.Owner == 0:
	case q.Viewer == 0 || q.Viewer == q.Owner:
		c = c.and(`user_id = ?`, q.Owner)
	case q.Owner == 0:
		c = c.and(`(user_id = ? OR shared = 1)`, q.Viewer)
	default:
		c = c.and(`user_id = ? AND shared = 1`, q.Owner)
	}
	if part != q.keyword {
		c = c.and(`INSTR((SELECT search FROM image WHERE image.id = image_suffix.image_id), ?) > 0`, q.keyword)
	}
	return q.ofOthers(c)
}

// countSuffixes returns the query for how many images of others have the keyword in their names, and countThrough does, too.
func (q search) countSuffixes(part string) (text string, args []any) {
	c := q.suffixes(part)
	return `SELECT COUNT(*) FROM image_suffix WHERE ` + c.text, c.args
}

func (q search) countThrough() (text string, args []any) {
	var kinds []string
	for _, c := range matching(q.Query) {
		c = q.ofOthers(c.and(`INSTR(search, ?) > 0`, q.keyword))
		kinds, args = append(kinds, `(SELECT COUNT(*) FROM image WHERE `+c.text+`)`), append(args, c.args...)
	}
	return `SELECT ` + strings.Join(kinds, ` + `), args
}

// through returns what the keyword finds, to be found by looking through all images.
func (q search) through() (kinds []kind) {
	for _, c := range matching(q.Query) {
		if len(q.owners) == 0 {
			c = c.and(`INSTR(search, ?) > 0`, q.keyword)
		} else {
			c = c.and(`(INSTR(search, ?) > 0 OR user_id IN `+ownersNamed+`)`, q.keyword, q.keyword)
		}
		kinds = append(kinds, kind{`image`, `id`, c})
	}
	return kinds
}

// apart returns what the keyword finds, to be found by indexes: by suffixes, and by each owner.
func (q search) apart(part string) []kind {
	kinds := []kind{{`image_suffix`, `image_id`, q.suffixes(part)}}
	if len(q.owners) > maxOwners {
		for _, c := range matching(q.Query) {
			kinds = append(kinds, kind{`image`, `id`, c.and(`user_id IN `+ownersNamed, q.keyword)})
		}
		return kinds
	}
	for _, id := range q.owners {
		for _, c := range matching(document.Query{Viewer: q.Viewer, Owner: id.(int64)}) {
			kinds = append(kinds, kind{`image`, `id`, c})
		}
	}
	return kinds
}

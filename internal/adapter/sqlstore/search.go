package sqlstore

import (
	"context"
	"slices"

	"glyphbox/internal/adapter/sqlstore/sqldb"
	"glyphbox/internal/domain/document"
)

// A keyword finds images of two kinds: those whose owner's name has it, which are counted with the owner, and those of other owners whose
// own name has it. The latter are found by table image_suffix, or by a search through all images that the viewer may see, newest first, if
// that reads fewer rows.

const (
	// maxOwners is for how many owners with the keyword in their names the newest images are looked up by owner.
	maxOwners = 10
	// sortedAtMost is how many images are sorted for a page. If there are more, a search through all images, newest first, is faster.
	sortedAtMost = 20_000
	// fewSuffixes is when a piece of a long keyword is rare enough: so many suffixes begin with it.
	fewSuffixes = 100
	// maxPieces is how many pieces of a long keyword are tried.
	maxPieces = 8
)

// search is a query with a keyword.
type search struct {
	document.Query
	keyword   string // folded
	all, seen int    // number of images, and of those that the query may return, whatever its keyword
	ofOwners  int    // number of the latter whose owner's name has the keyword
	given     bool   // whether some are shared with the viewer by name only
	owners    []any  // IDs of these owners, at most maxOwners+1
}

// search returns a page of what a keyword finds, and how many it finds in all.
func (s *Catalog) search(ctx context.Context, query document.Query, keyword string) ([]document.Image, int, error) {
	q, err := s.findOwners(ctx, query, keyword)
	if err != nil {
		return nil, 0, err
	}
	prefix, err := s.prefix(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	text, args := q.countThrough()
	if prefix != "" {
		text, args = q.countSuffixes(prefix)
	}
	total, err := s.db.Count(ctx, text, args...)
	if err != nil {
		return nil, 0, err
	}
	scans := q.through()
	if prefix != "" && total <= sortedAtMost && (q.ofOwners <= sortedAtMost || len(q.owners) <= maxOwners) {
		scans = q.apart(prefix)
	}
	total += q.ofOwners
	part, err := s.partOf(ctx, query)
	if err != nil {
		return nil, 0, err
	}
	images, err := s.page(ctx, scans, part, total)
	return images, total, err
}

// findOwners finds the owners whose names have the keyword, and counts their images.
func (s *Catalog) findOwners(ctx context.Context, query document.Query, keyword string) (search, error) {
	q := search{Query: query, keyword: keyword}
	seen, given := imagesOfUser(query), givenByUser(query)
	const named = `INSTR(LOWER(name), ?) > 0`
	users := `(SELECT id, images, ` + seen.text + ` AS seen, CASE WHEN id = ? THEN given ELSE 0 END AS given, ` +
		`CASE WHEN ` + named + ` THEN ` + seen.text + ` + ` + given.text + ` ELSE 0 END AS named FROM user) AS u`
	args := slices.Concat(seen.args, []any{query.Viewer, keyword}, seen.args, given.args)
	var all int
	err := s.db.Read.QueryRowContext(ctx, `SELECT COALESCE(SUM(images), 0), COALESCE(SUM(seen), 0), COALESCE(SUM(given), 0), `+
		`COALESCE(SUM(named), 0) FROM `+users, args...).Scan(&q.all, &q.seen, &all, &q.ofOwners)
	if query.Owner == 0 {
		q.seen += all
	}
	q.given = all > 0 && query.Viewer != query.Owner
	if err == nil && q.ofOwners > 0 {
		err = sqldb.Each(ctx, s.db.Read, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			q.owners = append(q.owners, id)
			return err
		}, `SELECT id FROM `+users+` WHERE named > 0 ORDER BY id LIMIT ?`, append(args, maxOwners+1)...)
	}
	return q, s.db.Fault(ctx, err)
}

// prefix returns the keyword, or a piece of a long one, to look for at the beginning of suffixes. It returns "" if a search through all
// images reads fewer rows.
func (s *Catalog) prefix(ctx context.Context, q search) (string, error) {
	limits := []int{int(s.db.Dialect.Suffixes * float64(q.seen))}
	if len(q.keyword) > suffixSize { // the name of each image that is found has to be read
		limits = []int{fewSuffixes, q.seen / 10}
	} else if q.seen == q.all {
		return q.keyword, nil
	}
	pieces := piecesOf(q.keyword)
	for _, limit := range limits {
		for _, piece := range pieces {
			more, err := s.db.Count(
				ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM image_suffix /*! FORCE INDEX (PRIMARY) */
					WHERE `+begins+` LIMIT 1 OFFSET ?) AS more`, append(from(piece), limit)...)
			if err != nil || more == 0 {
				return piece, err
			}
		}
	}
	return "", nil
}

// piecesOf returns the keyword, or pieces of a long one that suffixes can begin with, from its end.
func piecesOf(keyword string) (pieces []string) {
	if len(keyword) <= suffixSize {
		return []string{keyword}
	}
	var starts []int
	for start := range keyword {
		starts = append(starts, start)
	}
	end := len(keyword)
	for n := len(starts) - 1; n >= 0 && len(pieces) < maxPieces; n-- {
		if start := starts[n]; start+suffixSize <= end {
			pieces, end = append(pieces, keyword[start:start+suffixSize]), start
		}
	}
	return pieces
}

// begins is the condition for suffixes that begin with a prefix, and from has its arguments. No byte of a text is 0xff.
const begins = `suffix >= ? AND suffix < ?`

func from(prefix string) []any { return []any{[]byte(prefix), []byte(prefix + "\xff")} }

// ofOthers leaves out the images that findOwners counts.
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

// suffixes returns the scan of the suffixes that begin with a prefix, one for each image.
func (q search) suffixes(prefix string) scan {
	c := condition{begins, from(prefix)}.and(`lcp < ?`, len(prefix))
	seen := condition{text: `shared = 1`}
	if q.given {
		seen = condition{`(shared = 1 OR (SELECT COUNT(*) FROM image_share /*! FORCE INDEX (PRIMARY) */ WHERE image_share.image_id = ` +
			`image_suffix.image_id AND reader_id = ?) > 0)`, []any{q.Viewer}}
	}
	switch {
	case q.Viewer == 0 && q.Owner == 0:
	case q.Viewer == 0 || q.Viewer == q.Owner:
		c = c.and(`user_id = ?`, q.Owner)
	case q.Others:
		c = c.and(`user_id <> ?`, q.Viewer).and(seen.text, seen.args...)
	case q.Owner != 0:
		c = c.and(`user_id = ?`, q.Owner).and(seen.text, seen.args...)
	default:
		seen = condition{`user_id = ? OR ` + seen.text, append([]any{q.Viewer}, seen.args...)}
		c = c.and(`(`+seen.text+`)`, seen.args...)
	}
	if prefix != q.keyword {
		c = c.and(`INSTR(`+searchOf(`image_suffix`)+`, ?) > 0`, q.keyword)
	}
	key := ``
	if q.Order == document.ByName {
		key = `(SELECT name_key FROM image WHERE image.id = image_suffix.image_id)`
	}
	return scan{`image_suffix`, `PRIMARY`, nil, `image_id`, key, searchOf(`image_suffix`), q.ofOthers(c)}
}

// countSuffixes returns the query for how many images have the keyword in their own names, by suffixes.
func (q search) countSuffixes(prefix string) (text string, args []any) {
	s := q.suffixes(prefix)
	return `SELECT COUNT(*)` + s.from(), s.args
}

// countThrough is countSuffixes by a search through all images.
func (q search) countThrough() (text string, args []any) {
	scans := visible(q.Query)
	for n, s := range scans {
		scans[n].condition = q.ofOthers(s.and(`INSTR(`+s.search+`, ?) > 0`, q.keyword))
	}
	return countOf(scans)
}

// through returns the scans for a search through all images.
func (q search) through() []scan {
	scans := visible(q.Query)
	for n, s := range scans {
		if len(q.owners) == 0 {
			scans[n].condition = s.and(`INSTR(`+s.search+`, ?) > 0`, q.keyword)
		} else {
			scans[n].condition = s.and(`(INSTR(`+s.search+`, ?) > 0 OR user_id IN `+ownersNamed+`)`, q.keyword, q.keyword)
		}
	}
	return scans
}

// apart returns the scans for a search by indexes: one of the suffixes, and one for each owner.
func (q search) apart(prefix string) []scan {
	scans := []scan{q.suffixes(prefix)}
	if len(q.owners) > maxOwners {
		for _, s := range visible(q.Query) {
			s.condition = s.and(`user_id IN `+ownersNamed, q.keyword)
			scans = append(scans, s)
		}
		return scans
	}
	for _, id := range q.owners {
		scans = append(scans, visible(document.Query{Viewer: q.Viewer, Owner: id.(int64), Order: q.Order})...)
	}
	return scans
}

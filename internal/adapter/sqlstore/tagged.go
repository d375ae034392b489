package sqlstore

import (
	"context"

	"glyphbox/internal/domain/document"
)

// withTags is visible for a query with tags. The first of them picks the images; of each it is looked up whether it has the others, which
// takes as long as there are images with the first one.
func withTags(q document.Query, suffix, key string) (scans []scan) {
	tag := func(index string, first []string, text string, args ...any) scan {
		return scan{`image_tag`, index + suffix, append([]string{`tag`}, first...), `image_id`, key, searchOf(`image_tag`),
			condition{`(tag = ? /*! OR tag = '' */)` + text, append([]any{q.Tags[0]}, args...)}}
	}
	ofUser := func(id int64) scan { return tag(`image_tag_user`, []string{`user_id`}, ` AND user_id = ?`, id) }
	switch {
	case q.Viewer == 0 && q.Owner == 0:
		scans = []scan{tag(`image_tag_tag`, nil, ``)}
	case q.Viewer == 0 || q.Viewer == q.Owner:
		scans = []scan{ofUser(q.Owner)}
	case q.Owner == 0:
		scans = []scan{ofUser(q.Viewer), tag(`image_tag_shared`, []string{`shared`}, ` AND shared = 1 AND user_id <> ?`, q.Viewer),
			given(q, suffix, key)}
		if q.Others {
			scans = scans[1:]
		}
	default:
		scans = []scan{ofUser(q.Owner), given(q, suffix, key)}
		scans[0].condition = scans[0].and(`shared = 1`)
	}
	for n, s := range scans {
		for k, also := range q.Tags {
			if k > 0 || s.table != `image_tag` {
				s.condition = s.and(`(SELECT COUNT(*) FROM image_tag also /*! FORCE INDEX (PRIMARY) */ WHERE also.image_id = `+s.table+
					`.image_id AND also.tag = ?) > 0`, also)
			}
		}
		scans[n] = s
	}
	return scans
}

// tagged is List of a query with tags.
func (s *Catalog) tagged(ctx context.Context, q document.Query, keyword string) ([]document.Image, int, error) {
	scans := visible(q)
	if keyword != "" {
		for n, s := range scans {
			scans[n].condition = s.and(`(INSTR(`+s.search+`, ?) > 0 OR user_id IN `+ownersNamed+`)`, keyword, keyword)
		}
	}
	text, args := countOf(scans)
	total, err := s.db.Count(ctx, text, args...)
	if err != nil {
		return nil, 0, err
	}
	part, err := s.partOf(ctx, q)
	if err != nil {
		return nil, total, err
	}
	images, err := s.page(ctx, scans, part, total)
	return images, total, err
}

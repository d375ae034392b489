package recognition

import (
	"fmt"
	"strconv"
	"strings"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
)

// PageRanges are pages of a document, given by their numbers, which begin at 1. nil means all pages.
type PageRanges []PageRange

// PageRange is the pages from the first to the last.
type PageRange struct{ First, Last int }

// maxPageRanges is how many ranges may be named at once.
const maxPageRanges = 1000

// ParsePageRanges parses "all" or an empty text, which mean all pages, or numbers and ranges such as "2-5,9". Invalid, naming the
// field.
func ParsePageRanges(field, text string) (PageRanges, error) {
	if text == "" || text == "all" {
		return nil, nil
	}
	refused := fault.InvalidFields(fault.Field{Field: field,
		Detail: fmt.Sprintf("all, or at most %d page numbers and ranges such as 2-5,9", maxPageRanges)})
	var ranges PageRanges
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		r := PageRange{pageNumber(first), pageNumber(last)}
		if r.First < 1 || r.Last < r.First || len(ranges) == maxPageRanges {
			return nil, refused
		}
		ranges = append(ranges, r)
	}
	return ranges, nil
}

// pageNumber returns the number of a page, or 0 if the text is not one.
func pageNumber(text string) int {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789") != "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

// Has tells whether a page is in the ranges.
func (r PageRanges) Has(number int) bool {
	for _, p := range r {
		if p.First <= number && number <= p.Last {
			return true
		}
	}
	return r == nil
}

// Check returns what is wrong with the ranges in a document with that many pages.
func (r PageRanges) Check(field string, pages int) []fault.Field {
	for _, p := range r {
		if p.Last > pages {
			return []fault.Field{{Field: field, Detail: fmt.Sprintf("1 to %d: the document has no page %d", pages, p.Last)}}
		}
	}
	return nil
}

// numbers names the pages of a part of a document, as ParsePageRanges reads them, such as 2-5,9. Of many ranges it names the first and the
// last page only.
func numbers(pages []document.Image) string {
	var ranges []string
	for first, i := 0, 0; i < len(pages); i++ {
		if i+1 < len(pages) && pages[i+1].Number == pages[i].Number+1 {
			continue
		}
		if a, b := pages[first].Number, pages[i].Number; a == b {
			ranges = append(ranges, fmt.Sprint(a))
		} else {
			ranges = append(ranges, fmt.Sprintf("%d-%d", a, b))
		}
		first = i + 1
	}
	if len(ranges) > 5 {
		return fmt.Sprintf("%d…%d", pages[0].Number, pages[len(pages)-1].Number)
	}
	return strings.Join(ranges, ",")
}

package porttest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/porttest/check"

	"golang.org/x/text/unicode/norm"
)

// orders is the part of the suite of document.Catalog that is about the orders of lists.
func orders(t *testing.T, open func(t *testing.T) Stores) {
	t.Run("List in the order of names", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		sorted := []string{"(1)", "00월", "1", "1월", "02월", "0010월", "1234567890123456789012345", "_", "a", "a 1", "a 10", "a1.png",
			"A2.png", "a02.txt", "a2b", "A10.png", "ab", "cafe", norm.NFD.String("Café"), "café 2", "cafes", "Straße 2", "strasse 10", "z",
			"가", "가나", norm.NFD.String("각"), "나", "나2", "나10", "하", strings.Repeat("하", 199) + "1", strings.Repeat("하", 199) + "2"}
		shuffled := slices.Clone(sorted)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(sorted), func(m, n int) { shuffled[m], shuffled[n] = shuffled[n], shuffled[m] })
		for _, name := range shuffled {
			addImage(t, s, someImage(ann, name))
		}
		query := document.Query{Size: 100, Order: document.ByName}
		same(t, "List", listed(t, s, query, len(sorted)), sorted)
		i, _, err := s.Catalog.List(t.Context(), query)
		check.OK(t, "List", err)
		_, err = s.Catalog.Update(t.Context(), i[0].ID, func(i *document.Image) error { i.Name = "히"; return nil })
		check.OK(t, "Update", err)
		same(t, "List after another name", listed(t, s, query, len(sorted)), append(slices.Clone(sorted[1:]), "히"))
	})

	t.Run("List in any order by pages and by Before", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		for n, name := range []string{"b", "나b", "a10", "a9", "가b", "a9", "c", "b2", "a9", "B"} {
			i := someImage([]account.User{ann, bob}[n%2], name)
			if n%3 > 0 {
				i.Visibility = document.Shared
			}
			pages := []document.Image{i}
			if n%4 == 0 { // with a later page, which is in no list
				i.Number, i.Thumbnail = 2, ""
				pages[0].Pages, i.Pages = 2, 2
				pages = append(pages, i)
			}
			_, err := addPages(t, s, pages...)
			check.OK(t, "Add", err)
		}
		for _, order := range []document.Order{document.Newest, document.Oldest, document.ByName} {
			for _, q := range []document.Query{{}, {Viewer: ann.ID}, {Viewer: bob.ID, Owner: ann.ID}, {Owner: bob.ID}, {Keyword: "b"},
				{Viewer: bob.ID, Keyword: "a"}, {Viewer: bob.ID, Keyword: "ann"}, {Viewer: ann.ID, Keyword: "9"}} {
				q.Order, q.Size = order, 100
				all, total, err := s.Catalog.List(t.Context(), q)
				check.OK(t, "List", err)
				if total < 2 || total != len(all) || !slices.IsSortedFunc(all, func(a, b document.Image) int {
					switch order {
					case document.ByName:
						if c := naturally(a.Name, b.Name); c != 0 {
							return c
						}
						return int(a.ID - b.ID)
					case document.Oldest:
						return int(a.ID - b.ID)
					}
					return int(b.ID - a.ID)
				}) {
					t.Errorf("%+v gives %d of %d, or in another order", q, len(all), total)
				}
				var byPage, byBefore []document.Image
				for q.Size = 2; len(byPage) < total; q.Page++ {
					page, n, err := s.Catalog.List(t.Context(), q)
					check.OK(t, fmt.Sprintf("List of %+v", q), err)
					if byPage = append(byPage, page...); n != total || len(page) == 0 {
						t.Fatalf("%+v gives %d of %d, want some of %d", q, len(page), n, total)
					}
				}
				same(t, fmt.Sprintf("by pages of %+v", q), byPage, all)
				for q.Page = 0; len(byBefore) < total; q.Before = byBefore[len(byBefore)-1].ID {
					page, n, err := s.Catalog.List(t.Context(), q)
					check.OK(t, fmt.Sprintf("List of %+v", q), err)
					if byBefore = append(byBefore, page...); n != total || len(page) == 0 {
						t.Fatalf("%+v gives %d of %d, want some of %d", q, len(page), n, total)
					}
				}
				same(t, fmt.Sprintf("by Before of %+v", q), byBefore, all)
			}
		}
	})

	t.Run("List by name before what is no document", func(t *testing.T) {
		s := open(t)
		first := someImage(addUser(t, s, "ann"), "page")
		first.Pages = 2
		second := first
		second.Number, second.Thumbnail = 2, ""
		i, err := addPages(t, s, first, second)
		check.OK(t, "Add", err)
		for _, before := range []int64{i.ID + 1, i.ID + 2} {
			for _, keyword := range []string{"", "page"} {
				_, _, err = s.Catalog.List(t.Context(), document.Query{Size: 1, Order: document.ByName, Before: before, Keyword: keyword})
				check.Kind(t, "List", err, fault.NotFound)
			}
		}
	})
}

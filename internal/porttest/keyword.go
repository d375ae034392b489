package porttest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest/check"

	"golang.org/x/text/unicode/norm"
)

// keywords is the part of the suite of document.Catalog that is about keywords.
func keywords(t *testing.T, open func(t *testing.T) Stores) {
	t.Run("a keyword is as short or as long as it likes", func(t *testing.T) {
		s := open(t)
		ann := addUser(t, s, "ann")
		long := strings.Repeat("가나다라마바사아자차", 20)
		twin := strings.Repeat("가나다라마바사아자차", 19) + "가나다라마바사아자카"
		for _, name := range []string{"x", "한", "banana", "계약서_김민수_2024.png", "KakaoTalk_20240315_123456789.jpg", long, twin} {
			addImage(t, s, someImage(ann, name))
		}
		for keyword, want := range map[string][]string{
			"x": {"x"},
			"한": {"한"},
			"나": {twin, long},
			// the owner's name
			"an":                                {twin, long, "KakaoTalk_20240315_123456789.jpg", "계약서_김민수_2024.png", "banana", "한", "x"},
			"ana":                               {"banana"},
			"BANANA":                            {"banana"},
			"bananas":                           nil,
			"nanab":                             nil,
			"서_김":                               {"계약서_김민수_2024.png"},
			norm.NFD.String("약서_김민수_20"):        {"계약서_김민수_2024.png"},
			"kakaotalk_20240315_12345678":       {"KakaoTalk_20240315_123456789.jpg"},
			"kakaotalk_20240315_123456789.jpg":  {"KakaoTalk_20240315_123456789.jpg"},
			"kakaotalk_20240315_123456789.jpgx": nil,
			"kakaotalk_20240315_223456789.jpg":  nil,
			"kakaotalk_20240315_xxxxxxxxxxxxxx": nil,
			long:                                {long},
			long[3:]:                            {long},
			twin[300:]:                          {twin},
			long[:300]:                          {twin, long},
			long + "x":                          nil,
			strings.Repeat("z", 200):            nil,
			"차카":                                nil,
			"자카":                                {twin},
			"%":                                 nil,
			"_":                                 {"KakaoTalk_20240315_123456789.jpg", "계약서_김민수_2024.png"},
		} {
			same(t, "List of "+keyword, listed(t, s, document.Query{Keyword: keyword, Size: 20}, len(want)), want)
			same(t, "List of "+keyword+" by the owner", listed(t, s, document.Query{Viewer: ann.ID, Keyword: keyword, Size: 20}, len(want)),
				want)
		}
	})

	t.Run("what a keyword finds follows names and visibility", func(t *testing.T) {
		s := open(t)
		ann, bob := addUser(t, s, "ann"), addUser(t, s, "bob")
		i := addImage(t, s, someImage(ann, "영수증 1"))
		addImage(t, s, someImage(ann, "영수증 2"))
		find := func(viewer account.User, keyword string, want ...string) {
			t.Helper()
			same(t, fmt.Sprintf("what %q finds for %s", keyword, viewer.Name),
				listed(t, s, document.Query{Viewer: viewer.ID, Keyword: keyword, Size: 9}, len(want)), want)
		}
		update := func(change func(*document.Image)) {
			t.Helper()
			_, err := s.Catalog.Update(t.Context(), i.ID, func(v *document.Image) error { change(v); return nil })
			check.OK(t, "Update", err)
		}
		find(ann, "수증", "영수증 2", "영수증 1")
		find(bob, "수증")
		find(account.User{Name: "all"}, "증 1", "영수증 1")
		update(func(v *document.Image) { v.Visibility = document.Shared })
		find(bob, "수증", "영수증 1")
		find(bob, "ann", "영수증 1")
		update(func(v *document.Image) { v.Name = "계약서 ann" })
		find(bob, "수증")
		find(bob, "약서", "계약서 ann")
		find(bob, "ann", "계약서 ann")
		find(ann, "ann", "영수증 2", "계약서 ann")
		_, err := s.Users.Update(t.Context(), ann.ID, func(u *account.User) error { u.Name = "dora"; return nil })
		check.OK(t, "Users.Update", err)
		find(ann, "ann", "계약서 ann")
		find(ann, "DOR", "영수증 2", "계약서 ann")
		find(bob, "dor", "계약서 ann")
		update(func(v *document.Image) { v.Visibility = document.Private })
		find(bob, "약서")
		find(bob, "dor")
		find(ann, "약서", "계약서 ann")
		check.OK(t, "Delete", s.Catalog.Delete(t.Context(), i.ID))
		find(ann, "약서")
		find(ann, "영", "영수증 2")
		find(account.User{Name: "all"}, "약서")
	})

	t.Run("any keyword finds what has it, page by page", func(t *testing.T) {
		s := open(t)
		r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
		letters := []string{"a", "A", "b", "1", "_", "%", " ", "한", "글", norm.NFD.String("한"), "é", norm.NFD.String("É"), "ß", "ss", "🖼"}
		text := func(most int) (text string) {
			for range 1 + r.IntN(most) {
				text += letters[r.IntN(len(letters))]
			}
			return text
		}
		var users []account.User
		for n := range 16 { // "a" is in the names of many
			users = append(users, addUser(t, s, []string{"a", "abb", "ac", "c"}[n%4]+fmt.Sprint(n)))
		}
		var all []document.Image // newest first
		for range 150 {
			i := someImage(users[r.IntN(len(users))], text(1+r.IntN(40)))
			if r.IntN(3) == 0 {
				i.Visibility = document.Shared
			}
			all = append(all, addImage(t, s, i))
		}
		slices.Reverse(all)
		for range 300 {
			q := document.Query{Keyword: text(1 + r.IntN(3)), Size: 1 + r.IntN(20)}
			switch r.IntN(4) {
			case 0: // as it stands in a name
				name := []rune(all[r.IntN(len(all))].Name)
				from := r.IntN(len(name))
				q.Keyword = string(name[from : from+1+r.IntN(len(name)-from)])
			case 1:
				q.Keyword = []string{"A", "bb", "c1", "C", "1", "x"}[r.IntN(6)]
			}
			if r.IntN(3) > 0 {
				q.Viewer = users[r.IntN(len(users))].ID
			}
			if r.IntN(3) == 0 {
				q.Owner = users[r.IntN(len(users))].ID
			}
			var want []string
			wanted := func(i document.Image) bool {
				return (q.Owner == 0 || i.Owner.ID == q.Owner) && (q.Viewer == 0 || i.Owner.ID == q.Viewer ||
					i.Visibility == document.Shared) &&
					(strings.Contains(folded(i.Name), folded(q.Keyword)) || strings.Contains(folded(i.Owner.Name), folded(q.Keyword)))
			}
			total := 0
			before := all[r.IntN(len(all))].ID
			for _, i := range all {
				if wanted(i) {
					total++
					if i.ID < before {
						want = append(want, i.Name)
					}
				}
			}
			q.Before = before
			var got []string
			for q.Page = 0; q.Page*q.Size <= len(want); q.Page++ {
				got = append(got, listed(t, s, q, total)...)
			}
			same(t, fmt.Sprintf("all pages of %+v", q), got, want)
			if t.Failed() {
				return
			}
		}
	})
}

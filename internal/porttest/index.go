package porttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest/check"

	"golang.org/x/text/unicode/norm"
)

// indexed is an index with an image of a user.
type indexed struct {
	*testing.T
	Stores
	ann   account.User
	image document.Image
	next  int // number of the next content
}

func startIndex(t *testing.T, s Stores) *indexed {
	t.Helper()
	x := &indexed{T: t, Stores: s, ann: addUser(t, s, "ann")}
	x.image = addImage(t, s, someImage(x.ann, "scan.png"))
	return x
}

// run appends a run to an image with contents that say the texts, and puts them.
func (x *indexed) run(image document.Image, texts ...string) []recognition.Content {
	x.Helper()
	contents := x.append(image, texts...)
	x.put(image, contents...)
	return contents
}

func (x *indexed) append(image document.Image, texts ...string) (contents []recognition.Content) {
	x.Helper()
	r := someRun(image, x.ann)
	for _, text := range texts {
		c := recognition.Content{ID: contentID(x.next), Reading: recognition.Reading{Text: text}, Revision: 1}
		x.next++
		contents, r.ContentIDs = append(contents, c), append(r.ContentIDs, c.ID)
	}
	addRun(x.T, x.Stores, r)
	return contents
}

func (x *indexed) put(image document.Image, contents ...recognition.Content) {
	x.Helper()
	check.OK(x.T, "Index.Put", x.Index.Put(x.Context(), 0, image.ID, contents))
}

// find returns the IDs of the contents that the index finds for a viewer, and "image" with a number for the names of images.
func (x *indexed) find(viewer int64, q string) (found []string) {
	x.Helper()
	sought, err := recognition.NewSought(x.Index.Fold(q))
	check.OK(x.T, "NewSought of "+q, err)
	l := recognition.Lookup{Sought: sought, Viewer: viewer, Limit: 1000}
	for {
		entries, next, err := x.Index.Find(x.Context(), l)
		check.OK(x.T, "Index.Find of "+q, err)
		for _, e := range entries {
			if e.ContentID == "" {
				found = append(found, fmt.Sprint("image ", e.ImageID))
				continue
			}
			found = append(found, e.ContentID)
		}
		if next == 0 {
			return found
		}
		if l.Before != 0 && next >= l.Before {
			x.Fatalf("Find of %s: next is %d after %d", q, next, l.Before)
		}
		l.Before = next
	}
}

func (x *indexed) want(viewer int64, q string, want ...recognition.Content) {
	x.Helper()
	var ids []string
	for _, c := range want {
		ids = append(ids, c.ID)
	}
	same(x.T, "what is found of "+q, x.find(viewer, q), ids)
}

// Index is the suite of recognition.Index.
func Index(t *testing.T, open func(t *testing.T) Stores) {
	start := func(t *testing.T) *indexed { t.Helper(); return startIndex(t, open(t)) }
	sharedIndex(t, start)

	t.Run("how far the newest run is proofread", func(t *testing.T) {
		x := start(t)
		pages := []document.Image{someImage(x.ann, "log.pdf"), someImage(x.ann, "log.pdf")}
		for n := range pages {
			pages[n].Number, pages[n].Pages = n+1, len(pages)
		}
		first, err := addPages(t, x.Stores, pages...)
		check.OK(t, "Catalog.Add", err)
		pages, err = x.Catalog.Pages(t.Context(), first.ID, 2, 1)
		check.OK(t, "Catalog.Pages", err)
		second := pages[0]
		want := func(what string, whole bool, want map[int64]recognition.Proofread, of ...int64) {
			t.Helper()
			got, err := x.Index.Proofread(t.Context(), of, whole)
			check.OK(t, "Index.Proofread", err)
			same(t, what, got, want)
		}
		word := func(confidence float64, confirmed bool) recognition.Word {
			return recognition.Word{Text: "w", Confidence: confidence, Confirmed: confirmed}
		}
		want("of nothing", true, map[int64]recognition.Proofread{}, first.ID)
		c := x.append(first, "one", "two")
		c[0].Words = []recognition.Word{word(0.5, false), word(0.74, true), word(0.75, false), word(0.1, false)}
		c[1].Words = []recognition.Word{word(0.2, false)}
		x.put(first, c...)
		want("two regions", false, map[int64]recognition.Proofread{first.ID: {Pages: 1, Regions: 2, Doubtful: 3}}, first.ID, second.ID)
		c[1].Revision, c[1].Confirmed = 2, true
		x.put(first, c[1])
		one := map[int64]recognition.Proofread{first.ID: {Pages: 1, Regions: 2, Confirmed: 1, Doubtful: 2}}
		want("a region that was confirmed", false, one, first.ID)
		old := c[1]
		old.Revision, old.Confirmed = 1, false
		x.put(first, old)
		want("an older revision after it", false, one, first.ID)
		x.run(second, "three")
		want("a page", false, map[int64]recognition.Proofread{second.ID: {Pages: 1, Regions: 1}}, second.ID)
		want("a document", true, map[int64]recognition.Proofread{first.ID: {Pages: 2, Regions: 3, Confirmed: 1, Doubtful: 2}}, first.ID)
		check.OK(t, "Runs.MarkDeleted", x.Runs.MarkDeleted(t.Context(), c[0].ID, time.Now()))
		x.put(first)
		want("without a region that was deleted", true, map[int64]recognition.Proofread{first.ID: {Pages: 2, Regions: 2, Confirmed: 1}},
			first.ID)
		x.run(first, "four")
		want("of another run", true, map[int64]recognition.Proofread{first.ID: {Pages: 2, Regions: 2}}, first.ID)
		want("of none", true, map[int64]recognition.Proofread{})
	})
	t.Run("words, prefixes, parts of Hangul words, and numbers", func(t *testing.T) {
		x := start(t)
		texts := []string{"임대차계약서 제1조", "Invoice No. A4-1742\nTotal 1,234.50", "합계 ₩12,000원 (부가세 포함)", "Straße 7, Ärzte", "納品書 カード", "네이버",
			"x"}
		c := x.run(x.image, texts...)
		for q, want := range map[string][]int{
			"계약": {0}, "계약서": {0}, "차계약": {0}, "임대차계약서": {0}, "약": {0}, "서": {0}, "제1조": {0}, "계약 제1": {0}, "계약서임": nil, "약계": nil,
			"inv": {1}, "INVOICE": {1}, "invoice tot": {1}, "voice": nil, "invoices": nil, "tot inv": {1}, "1,234.50": {1}, "1,2": {1},
			"1,234.": {1}, "234.50": nil, "1742": {1},
			"A4-17": {1}, "no. a4": {1}, "12,000": {2}, "12,000원": {2}, "₩12": {2}, "합계 12": {2}, "부가세": {2}, "(부가": {2}, "합계": {2},
			"합계 계약":   nil,
			"strasse": {3}, "STRASSE": {3}, "ärz": {3}, "納品": {4}, "品書": {4}, "カード": {4}, "カ": {4}, "이버": {5}, "7": {3}, "x": {6},
			norm.NFD.String("합계"):    {2},
			norm.NFD.String("Ärzte"): {3},
		} {
			var found []recognition.Content
			for _, n := range want {
				found = append(found, c[n])
			}
			x.want(0, q, found...)
		}
	})

	t.Run("what is put has all terms, and one that is long is told apart by its beginning", func(t *testing.T) {
		x := start(t)
		long := strings.Repeat("long", 30)
		many := make([]string, 0, 4000)
		for n := range cap(many) {
			many = append(many, fmt.Sprintf("낱말%d", n))
		}
		c := x.run(x.image, long, strings.Join(many, "\n"), "")
		x.want(0, long, c[0])
		x.want(0, long[:40], c[0])
		x.want(0, "long", c[0])
		x.want(0, "낱말3999", c[1])
		x.want(0, many[17]+" "+many[3000], c[1])
	})

	t.Run("only the newest run of an image", func(t *testing.T) {
		x := start(t)
		other := addImage(t, x.Stores, someImage(x.ann, "other.png"))
		kept := x.run(other, "apple")
		old := x.run(x.image, "apple pie", "apple tart")
		x.want(0, "apple", old[0], old[1], kept[0])
		late := x.append(x.image, "apple cake")
		x.want(0, "apple", kept[0]) // before it is put
		x.put(x.image, old...)
		x.want(0, "apple", kept[0])
		x.put(x.image, late...)
		x.want(0, "apple", late[0], kept[0])
		x.put(x.image, old...)
		x.want(0, "apple", late[0], kept[0])
	})

	t.Run("only the latest revision, in whatever order they are put", func(t *testing.T) {
		x := start(t)
		c := x.run(x.image, "one", "else")
		two, three := corrected(c[0], "two"), corrected(corrected(c[0], "two"), "three")
		x.put(x.image, three)
		x.put(x.image, two)
		x.put(x.image, c...)
		x.want(0, "one")
		x.want(0, "two")
		x.want(0, "three", c[0])
		x.want(0, "else", c[1])
		named := corrected(three, "three")
		named.Name = "합계"
		x.put(x.image, named)
		x.want(0, "합계", c[0])
		x.want(0, "합계 three", c[0])
	})

	t.Run("what is put later is found first", func(t *testing.T) {
		x := start(t)
		c := x.run(x.image, "word 0", "word 1", "word 2")
		other := addImage(t, x.Stores, someImage(x.ann, "other.png"))
		more := x.run(other, "word 3")
		x.want(0, "word", more[0], c[0], c[1], c[2])
		x.put(x.image, corrected(c[2], "word 4"))
		x.want(0, "word", c[2], more[0], c[0], c[1])
	})

	t.Run("what is deleted is found no more", func(t *testing.T) {
		x := start(t)
		c := x.run(x.image, "apple", "apple")
		check.OK(t, "RemoveContent", x.Runs.RemoveContent(t.Context(), c[0].ID))
		x.want(0, "apple", c[1])
		x.put(x.image)
		x.put(x.image, corrected(c[0], "apple"))
		x.want(0, "apple", c[1])
		check.OK(t, "Catalog.Delete", x.Catalog.Delete(t.Context(), x.image.ID))
		x.want(0, "apple")
		x.want(0, "scan")
		x.put(x.image, c...)
		x.want(0, "apple")
	})

	t.Run("what a viewer may see", func(t *testing.T) {
		x := start(t)
		bob := addUser(t, x.Stores, "bob")
		private, shared := x.image, someImage(x.ann, "shared.png")
		shared.Visibility = document.Shared
		shared = addImage(t, x.Stores, shared)
		bobs := addImage(t, x.Stores, someImage(bob, "bob.png"))
		a, b, c := x.run(private, "apple"), x.run(shared, "apple"), x.run(bobs, "apple")
		x.want(0, "apple", c[0], b[0], a[0])
		x.want(x.ann.ID, "apple", b[0], a[0])
		x.want(bob.ID, "apple", c[0], b[0])
		x.want(bob.ID+1000, "apple", b[0])
		_, err := x.Catalog.Update(t.Context(), shared.ID, func(i *document.Image) error { i.Visibility = document.Private; return nil })
		check.OK(t, "Update", err)
		x.want(bob.ID, "apple", c[0])
		same(t, "names", x.find(bob.ID, "shared"), []string(nil))
		same(t, "names", x.find(bob.ID, "bob"), []string{fmt.Sprint("image ", bobs.ID)})
	})

	t.Run("names of images", func(t *testing.T) {
		x := start(t)
		image := func(i document.Image) string { return fmt.Sprint("image ", i.ID) }
		other := addImage(t, x.Stores, someImage(x.ann, "계약서_김민수.png"))
		same(t, "found", x.find(0, "민수"), []string{image(other)})
		same(t, "found", x.find(0, "png"), []string{image(other), image(x.image)})
		_, err := x.Catalog.Update(t.Context(), other.ID, func(i *document.Image) error { i.Name = "invoice.png"; return nil })
		check.OK(t, "Update", err)
		same(t, "found by the old name", x.find(0, "민수"), []string(nil))
		same(t, "found by the new name", x.find(0, "invoice"), []string{image(other)})
		x.put(other)
		same(t, "found by the new name", x.find(0, "invoice"), []string{image(other)})
	})

	t.Run("more than a block, for who sees all, little or nothing", func(t *testing.T) {
		x := start(t)
		bob, eve := addUser(t, x.Stores, "bob"), addUser(t, x.Stores, "eve")
		bobs := addImage(t, x.Stores, someImage(bob, "bob"))
		first := x.run(bobs, "common rare", "common")
		var all []recognition.Content
		for n := range 20 {
			var texts []string
			for k := range 500 {
				texts = append(texts, fmt.Sprintf("common %d", 500*n+k))
			}
			c := x.run(addImage(t, x.Stores, someImage(x.ann, "many")), texts...)
			all = append(slices.Clone(c), all...)
		}
		x.want(0, "rare", first[0])
		x.want(x.ann.ID, "rare")
		x.want(0, "common 7777", all[(19-7777/500)*500+7777%500])
		x.want(bob.ID, "common", first...)
		x.want(bob.ID, "com rare", first[0])
		x.want(eve.ID, "common")
		same(t, "of one", len(x.find(x.ann.ID, "common")), 10_000)
		if got := x.find(0, "comm"); len(got) != 10_002 || got[0] != all[0].ID || got[9999] != all[9999].ID || got[10_001] != first[1].ID {
			t.Errorf("got %d, want all in their order", len(got))
		}
	})

	t.Run("many put at once", func(t *testing.T) {
		x := start(t)
		var images []document.Image
		var contents [][]recognition.Content
		for range racers {
			i := addImage(t, x.Stores, someImage(x.ann, "a"))
			images, contents = append(images, i), append(contents, x.append(i, "apple", "pear"))
		}
		allOK(t, "Put", race(racers, func(n int) error { return x.Index.Put(t.Context(), 0, images[n].ID, contents[n]) }))
		same(t, "found", len(x.find(0, "apple")), racers)
		allOK(t, "Put of one image", race(racers, func(n int) error {
			return x.Index.Put(t.Context(), 0, images[0].ID, []recognition.Content{corrected(contents[0][0], fmt.Sprint("cherry", n))})
		}))
		same(t, "found", len(x.find(0, "cherry")), 1)
	})

	t.Run("announcements", func(t *testing.T) {
		x := start(t)
		other := addImage(t, x.Stores, someImage(x.ann, "other.png"))
		want := func(what string, after int64, limit, all int, ids ...int64) {
			t.Helper()
			got, n, err := x.Index.Announced(t.Context(), after, limit)
			check.OK(t, "Announced", err)
			var found []int64
			for _, a := range got {
				found = append(found, a.ID)
			}
			same(t, what, found, ids)
			same(t, what+", in all", n, all)
		}
		want("at first", 0, 10, 0)
		var ids []int64
		for _, image := range []document.Image{x.image, other, x.image} {
			id, err := x.Index.Announce(t.Context(), image.ID)
			check.OK(t, "Announce", err)
			ids = append(ids, id)
		}
		got, _, err := x.Index.Announced(t.Context(), 0, 10)
		check.OK(t, "Announced", err)
		if len(got) != 3 || got[1].ImageID != other.ID || time.Since(got[1].At).Abs() > time.Minute {
			t.Fatalf("got %+v", got)
		}
		want("all", 0, 10, 3, ids...)
		want("some", 0, 2, 3, ids[:2]...)
		want("later ones", ids[0], 10, 2, ids[1:]...)
		check.OK(t, "Put", x.Index.Put(t.Context(), ids[0], x.image.ID, nil))
		check.OK(t, "Withdraw", x.Index.Withdraw(t.Context(), ids[0], ids[2]))
		check.OK(t, "Withdraw of none", x.Index.Withdraw(t.Context()))
		want("what is left", 0, 10, 1, ids[1])
		check.OK(t, "Catalog.Delete", x.Catalog.Delete(t.Context(), other.ID))
		want("after the image was deleted", 0, 10, 0)
		_, err = x.Index.Announce(t.Context(), other.ID)
		check.Kind(t, "Announce", err, fault.NotFound)
	})

	t.Run("Clear forgets everything, and announces all", func(t *testing.T) {
		x := start(t)
		other := addImage(t, x.Stores, someImage(x.ann, "other.png"))
		c := x.run(x.image, "apple")
		id, err := x.Index.Announce(t.Context(), other.ID)
		check.OK(t, "Announce", err)
		n, err := x.Index.Clear(t.Context())
		check.OK(t, "Clear", err)
		same(t, "images", n, 2)
		x.want(0, "apple")
		got, _, err := x.Index.Announced(t.Context(), 0, 10)
		check.OK(t, "Announced", err)
		if len(got) != 3 || got[0].ID != id || got[1].ImageID != x.image.ID || got[2].ImageID != other.ID ||
			time.Since(got[2].At) < 24*time.Hour {
			t.Fatalf("Announced: got %+v", got)
		}
		check.OK(t, "Put", x.Index.Put(t.Context(), got[1].ID, x.image.ID, c))
		x.want(0, "apple", c[0])
		same(t, "names", x.find(0, "scan"), []string{fmt.Sprint("image ", x.image.ID)})
	})

	t.Run("Fold tells which characters a rune stands for", func(t *testing.T) {
		x := start(t)
		for text, want := range map[string]recognition.Folded{
			"Aß한":                       {Runes: []rune("ass한"), From: []int{0, 1, 1, 2}, To: []int{1, 2, 2, 3}},
			norm.NFD.String("한É") + "b": {Runes: []rune("한éb"), From: []int{0, 3, 5}, To: []int{3, 5, 6}},
			"":                          {},
			"“I’m”":                     {Runes: []rune("\"i'm\""), From: []int{0, 1, 2, 3, 4}, To: []int{1, 2, 3, 4, 5}},
			"İꭰ":                        {Runes: []rune("i̇Ꭰ"), From: []int{0, 0, 1}, To: []int{1, 1, 2}},
		} {
			same(t, fmt.Sprintf("%q", text), x.Index.Fold(text), want)
		}
	})
}

package overlay

import (
	"errors"
	"fmt"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Bounds of the tree of pages. Those of files that are in use are far below.
const (
	mostNodes = 1 << 20 // that are passed
	mostDepth = 1 << 10
)

// leaf is a page, as viewers find it: what has no kids, whatever it calls itself.
type leaf struct {
	dict      types.Dict              // nil: its place holds something else
	reference *types.IndirectRef      // nil: it stands in the list of its parent
	inherited map[string]types.Object // of Resources, MediaBox, CropBox and Rotate
}

// leaves returns the first n pages, or as many as there are.
func (u *update) leaves(n int) (pages []leaf, err error) {
	catalog, err := u.ctx.Catalog()
	if err != nil {
		return nil, err
	}
	passed, above := 0, map[types.IndirectRef]bool{}
	var walk func(o types.Object, inherited map[string]types.Object) error
	walk = func(o types.Object, inherited map[string]types.Object) error {
		if passed++; passed > mostNodes || len(above) > mostDepth {
			return errors.New("the tree of pages is too large")
		}
		page := leaf{inherited: map[string]types.Object{}}
		if reference, ok := o.(types.IndirectRef); ok {
			if above[reference] {
				return nil
			}
			above[reference], page.reference = true, &reference
			defer delete(above, reference)
		}
		if page.dict, err = u.ctx.DereferenceDict(o); err != nil {
			page.dict = nil
		}
		for _, name := range []string{"Resources", "MediaBox", "CropBox", "Rotate"} {
			if own, found := page.dict.Find(name); found {
				page.inherited[name] = own
			} else if o, found := inherited[name]; found {
				page.inherited[name] = o
			}
		}
		kids, ok := u.listOf(page.dict["Kids"])
		if !ok {
			pages = append(pages, page)
			return nil
		}
		for _, kid := range kids {
			if len(pages) >= n {
				return nil
			}
			if err := walk(kid, page.inherited); err != nil {
				return err
			}
		}
		return nil
	}
	return pages, walk(catalog["Pages"], nil)
}

func (u *update) listOf(o types.Object) (types.Array, bool) {
	o, err := u.ctx.Dereference(o)
	list, ok := o.(types.Array)
	return list, ok && err == nil
}

func (u *update) numberOf(o types.Object) (float64, bool) {
	o, err := u.ctx.Dereference(o)
	switch n := o.(type) {
	case types.Integer:
		return float64(n), err == nil
	case types.Float:
		return float64(n), err == nil
	}
	return 0, false
}

// boxOf reads a rectangle that has a size.
func (u *update) boxOf(o types.Object) (box types.Rectangle, ok bool) {
	list, _ := u.listOf(o)
	if len(list) < 4 {
		return box, false
	}
	var at [4]float64
	for i := range at {
		if at[i], ok = u.numberOf(list[i]); !ok {
			return box, false
		}
	}
	box = types.Rectangle{LL: types.Point{X: min(at[0], at[2]), Y: min(at[1], at[3])},
		UR: types.Point{X: max(at[0], at[2]), Y: max(at[1], at[3])}}
	return box, box.Width() > 0 && box.Height() > 0
}

// visible is what viewers show of a page: a sheet of letter paper where it does not say.
func (u *update) visible(page leaf) types.Rectangle {
	box, ok := u.boxOf(page.inherited["MediaBox"])
	if !ok {
		box = types.Rectangle{UR: types.Point{X: 612, Y: 792}}
	}
	crop, ok := u.boxOf(page.inherited["CropBox"])
	if !ok {
		return box
	}
	both := types.Rectangle{LL: types.Point{X: max(box.LL.X, crop.LL.X), Y: max(box.LL.Y, crop.LL.Y)},
		UR: types.Point{X: min(box.UR.X, crop.UR.X), Y: min(box.UR.Y, crop.UR.Y)}}
	if both.Width() <= 0 || both.Height() <= 0 {
		return box
	}
	return both
}

// rotation is how far viewers turn a page: by quarters.
func (u *update) rotation(page leaf) int {
	n, _ := u.numberOf(page.inherited["Rotate"])
	return int(n) / 90 * 90
}

// dictOf is a dictionary, or an empty one where there is something else.
func (u *update) dictOf(o types.Object) types.Dict {
	d, err := u.ctx.DereferenceDict(o)
	if err != nil {
		return nil
	}
	return d
}

// pageOf is one of the pages that has a place in the file where another can take it.
func pageOf(pages []leaf, number int) (leaf, error) {
	if number < 1 || number > len(pages) {
		return leaf{}, fmt.Errorf("there are %d pages", len(pages))
	}
	page := pages[number-1]
	if page.dict == nil || page.reference == nil {
		return leaf{}, errors.New("it is not an object of its own")
	}
	return page, nil
}

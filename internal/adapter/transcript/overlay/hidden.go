package overlay

import (
	"regexp"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// hiddenText is text that is not painted, in the operators of a content stream: what another program recognised, or this one.
var hiddenText = regexp.MustCompile(`(?s)(?:^|[\s\])>])3\s+Tr\s.*?(?:Tj|TJ)`)

// mostForms are the forms of a page that are looked into, and those in them.
const mostForms = 200

// hasHiddenText tells whether a page has text already that is not painted. What cannot be decoded has none.
func (u *update) hasHiddenText(page leaf, number int) bool {
	if content, err := u.ctx.PageContent(page.dict, number); err == nil && hiddenText.Match(content) {
		return true
	}
	left := mostForms
	return u.hasFormWithHiddenText(u.dictOf(page.inherited["Resources"]), map[types.IndirectRef]bool{}, &left)
}

// hasFormWithHiddenText looks into the forms that resources name.
func (u *update) hasFormWithHiddenText(resources types.Dict, seen map[types.IndirectRef]bool, left *int) bool {
	o, found := resources.Find("XObject")
	if !found {
		return false
	}
	objects, err := u.ctx.DereferenceDict(o)
	if err != nil {
		return false
	}
	for _, o := range objects {
		reference, ok := o.(types.IndirectRef)
		if *left--; !ok || seen[reference] || *left < 0 {
			continue
		}
		seen[reference] = true
		form, _, err := u.ctx.DereferenceStreamDict(reference)
		if err != nil || form == nil || form.Subtype() == nil || *form.Subtype() != "Form" {
			continue
		}
		if form.Decode() == nil && hiddenText.Match(form.Content) {
			return true
		}
		if o, found := form.Find("Resources"); found {
			if inner, err := u.ctx.DereferenceDict(o); err == nil && u.hasFormWithHiddenText(inner, seen, left) {
				return true
			}
		}
	}
	return false
}

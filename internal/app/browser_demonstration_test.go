package app

import (
	_ "embed"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	api "glyphbox/client"
	"glyphbox/internal/porttest/check"
)

//go:embed testdata/demonstration.html
var demonstrationHTML string

// TestBrowserDemonstration makes docs/screenshot.png: make screenshot copies it there. It is skipped where no pictures are made.
func TestBrowserDemonstration(t *testing.T) {
	if os.Getenv("GLYPHBOX_TEST_SCREENSHOTS") == "" {
		t.Skip("no pictures are made")
	}
	s := start(t, t.TempDir(), withModels...)
	b := browse(t, s.base)
	b.do(chromedp.EmulateViewport(letterWidth, 1300), chromedp.Navigate("data:text/html;charset=utf-8,"+
		url.PathEscape(demonstrationHTML)))
	places := map[string][4]float64{}
	check.OK(t, "Unmarshal", json.Unmarshal(eval[json.RawMessage](b, `Object.fromEntries([...document.querySelectorAll('[id]')].map(`+
		`(e) => { const r = e.getBoundingClientRect(); return [e.id, [r.left - 8, r.top - 2, r.right + 8, r.bottom + 2]] }))`), &places))
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	check.OK(t, "CaptureScreenshot", err)
	b.do(chromedp.EmulateViewport(1440, 900))
	b.signUp("ann")
	ann := s.login("ann", password)
	page := ann.upload("invoice 2026-0417.png", picture)
	var regions []object
	for _, r := range [][2]string{{"supplier", "supplier"}, {"customer", "customer"}, {"number", "number"}, {"address", ""},
		{"date", "date"}, {"item1", ""}, {"item2", ""}, {"item3", ""}, {"total", "total"}, {"korean", ""}, {"english", ""}} {
		at := places[r[0]]
		regions = append(regions, object{"x1": int(at[0]), "y1": int(at[1]), "x2": int(at[2]), "y2": int(at[3]), "name": r[1],
			"lang": "kor+eng"})
	}
	made := as[[]api.Content](t, ann.call(200, "POST", path("/image/%d/ocr", page.ID), regions))
	for _, c := range made[:3] {
		ann.call(200, "PUT", path("/ocr/%s", c.ID), object{"confirmed": true})
	}
	b.openImage(page.ID, "?r="+made[2].ID)
	b.until(readings + " === 11 && document.querySelector('#r3 [aria-pressed=true]')")
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"},
		{Name: "prefers-reduced-motion", Value: "reduce"}}}
	_, err = chromedp.Call(b.ctx, emulation.SetEmulatedMedia, params)
	check.OK(t, "SetEmulatedMedia", err)
	b.until("[...document.images].every((i) => i.complete) && !document.querySelector('.list').scrollTop")
	picture, err = chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	check.OK(t, "CaptureScreenshot", err)
	check.OK(t, "WriteFile", os.WriteFile(filepath.Join(b.dir, "demonstration.png"), picture, 0o644))
}

package app

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// koreanPage is a page of ours, drawn by the browser: lines of Korean, one of English.
func (b tab) koreanPage(dir string) string {
	b.t.Helper()
	const html = `<meta charset="utf-8"><style>body { margin: 0; padding: 60px; font: 34px/2 'Noto Serif CJK KR', serif;
		background: #fff }</style>등대지기는 매일 저녁 불을 밝힌다.<br>바람이 서쪽에서 불어와 파도가 높았다.<br>North Harbour Light`
	b.do(chromedp.EmulateViewport(letterWidth, 400), chromedp.Navigate("data:text/html;charset=utf-8,"+url.PathEscape(html)))
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	file := filepath.Join(dir, "log.png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1440, 900))
	return file
}

// TestBrowserOtherLanguage reads Korean in English: the page offers to read it again in Korean, which takes a click. What is dismissed is
// dismissed in every browser.
func TestBrowserOtherLanguage(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	file := b.koreanPage(t.TempDir())
	b.signUp("ann")
	ann := s.login("ann", password)
	page := b.openPage(ann, file)
	// In English some lines have no text at all.
	const seen = "document.querySelectorAll('ol > li').length === %d && !document.querySelector('.region.busy, [data-saving]')"
	for n, y := range []float64{62, 130, 198} {
		b.key(kb.Escape) // nothing is selected, which a drag near it would change
		b.drag(letterWidth, 50, y, 800, y+64)
		b.until(fmt.Sprintf(seen, n+1))
	}
	b.shows("2 regions look like Korean.")
	b.look("other-language")
	b.inLanguage("ko")
	b.shows("영역 2개의 언어는 한국어인 것 같습니다.")
	b.look("other-language-ko")
	b.inLanguage("en")

	// Dismissed, it is offered no more, here or elsewhere.
	b.press("Dismiss")
	const offered = "document.querySelector('.kept')"
	b.until("!" + offered + " && !document.querySelector('[data-saving]')")
	b.do(chromedp.Reload())
	b.until(fmt.Sprintf(seen, 3) + " && !" + offered)
	for _, c := range versionsOf(ann, page.ID)[0].Contents {
		if len(c.SuggestedLang) > 0 {
			t.Errorf("%q is still offered in %v", c.Text, c.SuggestedLang)
		}
	}

	b.key(kb.Escape)
	b.drag(letterWidth, 60, 62, 810, 126)
	b.until(fmt.Sprintf(seen, 4))
	b.shows("Region 4 looks like Korean.")
	b.press("Read again in Korean")
	b.until("document.querySelector('#r4 .text')?.innerText.includes('등대지기는')")
	b.until("!" + offered)
	runs := versionsOf(ann, page.ID)
	if c := runs[0].Contents[3]; len(runs) > 1 || c.Revision != 2 || !slices.Equal(c.Lang, []string{"kor"}) {
		t.Errorf("%d versions, revision %d in %v", len(runs), c.Revision, c.Lang)
	}

	// So are regions that are new from now on, in each browser.
	b.press("Use Korean")
	b.key(kb.Escape)
	b.drag(letterWidth, 60, 130, 810, 194)
	b.until("document.querySelector('#r5 .text')?.innerText.includes('바람이')")
	if c := versionsOf(ann, page.ID)[0].Contents[4]; strings.Join(c.Lang, "+") != "kor" {
		t.Errorf("a new region was read in %v", c.Lang)
	}
}

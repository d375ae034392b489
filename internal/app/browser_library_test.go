package app

import (
	"bytes"
	"database/sql"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// devtools gives the browser a command of its protocol.
func devtools[P, R any](b tab, what cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, what, params); err != nil {
		b.t.Fatal(err)
	}
}

// keys presses keys one after another, with the modifiers held.
func (b tab) keys(keys string, modifiers ...kb.Modifier) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// names are those of the images that are in the page.
const names = "[...document.querySelectorAll('a.name')].map((e) => e.innerText)"

// library opens the library and waits until it shows that many images.
func (b tab) library(images int) {
	b.t.Helper()
	b.open("/")
	b.until("document.querySelector('.head [role=status]')")
	if images == 1 {
		b.shows("1 page")
		return
	}
	b.shows(fmt.Sprintf("%d pages", images))
}

// imagesOf lists the newest images by the API.
func imagesOf(c person) []api.Image {
	c.t.Helper()
	return as[[]api.Image](c.t, c.do(http.StatusOK, "GET", path("/image?size=100"), nil))
}

func namesOf(images []api.Image) (names []string) {
	for _, i := range images {
		names = append(names, i.Name)
	}
	return names
}

// write writes a file and returns its path.
func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// noise is an image that does not get smaller when it is compressed.
func noise(t *testing.T, side int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, side, side))
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(m.Pix) // it never fails
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const queueDone = "document.querySelector('.queue button[aria-label=Close]')"

// TestBrowserUploads brings images in by every way there is, and has some refused, cancelled and tried again.
func TestBrowserUploads(t *testing.T) {
	dir, files := t.TempDir(), t.TempDir()
	s := start(t, dir, "--max-upload", "2MB")
	b := browse(t, s.base)
	b.createAccount("ann") // a page may write to the clipboard once somebody has done something
	ann := s.login("ann", password)
	page, _, _ := drawn()

	// From the clipboard, by the keys for it. Such a picture has no name of its own.
	devtools(b, browser.SetPermission, browser.SetPermissionParams{Origin: s.base, Setting: browser.PermissionSettingGranted,
		Permission: &browser.PermissionDescriptor{Name: "clipboard-write"}, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID})
	eval[any](b, `(async () => { const c = new OffscreenCanvas(300, 100), g = c.getContext('2d'); g.fillStyle = '#fff'; g.fillRect(0, 0,
		300, 100)
		await navigator.clipboard.write([new ClipboardItem({ 'image/png': await c.convertToBlob() })]) })()`)
	devtools(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Modifiers: 2, Key: "v",
		Code: "KeyV", WindowsVirtualKeyCode: 86, Commands: []string{"paste"}})
	b.shows("1 page")
	if got := imagesOf(ann)[0].Name; !strings.HasPrefix(got, "Pasted ") || !strings.HasSuffix(got, ".png") {
		t.Errorf("what was pasted is called %q", got)
	}

	// A folder, dropped, and files beside it. What is hidden stays where it is.
	for _, name := range []string{"scans/one.png", "scans/deep/두 번째.png", "scans/deep/.hidden.png", "three.png"} {
		write(t, files, name, page)
	}
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: []string{filepath.Join(files, "scans"),
		filepath.Join(files, "three.png")}, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver} {
		devtools(b, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: 400, Y: 400, Data: data})
	}
	b.shows("Drop files to upload")
	devtools(b, input.DispatchDragEvent, input.DispatchDragEventParams{Type: input.DispatchDragEventTypeDrop, X: 400, Y: 400, Data: data})
	b.shows("4 pages")
	if got, want := namesOf(imagesOf(ann))[:3], []string{"three.png", "one.png", "두 번째.png"}; !slices.Equal(got, want) {
		t.Errorf("dropped: %q, want %q", got, want)
	}

	// The folder again, chosen, and a photograph.
	b.do(chromedp.SetUploadFiles(chromedp.CSS("input[webkitdirectory]"), []string{filepath.Join(files, "scans")}))
	b.shows("6 pages")
	camera := eval[string](b, "(document.querySelector('input[capture]').accept + ' ' + "+
		"document.querySelector('input[capture]').getAttribute('capture'))")
	if camera != "image/* environment" {
		t.Errorf("the camera is asked for by %q", camera)
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("input[capture]"), []string{filepath.Join(files, "three.png")}))
	b.shows("7 pages")

	// The service's reason is shown, as it is; there is no trying again, as that would not help.
	notes := write(t, files, "notes.txt", []byte("not an image"))
	large := write(t, files, "large.png", noise(t, 2000))
	b.upload(notes, large)
	body, contentType := multipartOf(t, "notes.txt", []byte("not an image"))
	why := as[struct{ Detail string }](t, ann.do(http.StatusUnsupportedMediaType, "POST", path("/image"), body, "Content-Type",
		contentType)).Detail
	b.until(fmt.Sprintf("document.querySelectorAll('.queue [role=alert]')[0].innerText === %q", why))
	b.until("document.querySelectorAll('.queue [role=alert]')[1].innerText === 'An image file may have at most 2 MB.'")
	b.shows("2 failed")
	b.look("uploads-refused")
	if eval[bool](b, "!!document.querySelector('.queue button[aria-label^=Retry]')") {
		t.Error("what is refused for good can be tried again")
	}
	b.upload(write(t, files, "empty.png", nil), write(t, files, strings.Repeat("n", 201)+".png", []byte("x")))
	b.until("[...document.querySelectorAll('.queue [role=alert]')].slice(2).map((e) => e.innerText).join() === " +
		"'The file is empty.,A file name can have at most 200 characters.'")
	b.press("Dismiss: empty.png")
	b.press("Dismiss: " + strings.Repeat("n", 201) + ".png")
	b.press("Dismiss: notes.txt")
	b.press("Dismiss: large.png")
	b.until("!document.querySelector('.queue')")

	// Slowly, with its progress. One is cancelled on its way, one before it begins; neither arrives.
	slow := func(bytesPerSecond float64) {
		devtools(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{URLPattern: "", Latency: 0, DownloadThroughput: -1,
				UploadThroughput: bytesPerSecond}}})
	}
	devtools(b, network.Enable, network.EnableParams{})
	slow(30_000)
	var several []string
	for n := range 3 {
		several = append(several, write(t, files, fmt.Sprintf("slow %d.png", n), noise(t, 1000+n)))
	}
	b.upload(several...)
	b.shows("Uploading 1 of 3")
	b.until("(({ value }) => value > 0 && value < 1)(document.querySelector('.queue li progress'))")
	b.look("uploads")
	b.press("Cancel: slow 0.png")
	b.press("Cancel: slow 1.png")
	slow(-1)
	b.until(queueDone)
	b.shows("8 pages")
	if got := imagesOf(ann); got[0].Name != "slow 2.png" || len(got) != 8 {
		t.Errorf("after cancelling: %q", namesOf(got))
	}

	// The service goes away: what is chosen waits for it, and goes when it is back.
	b.press("Close")
	s.stop()
	s.wait()
	b.upload(filepath.Join(files, "three.png"), filepath.Join(files, "scans/one.png"))
	b.shows("Waiting for the service …")
	b.look("uploads-offline")
	if leaving := eval[bool](b, "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"); !leaving {
		t.Error("the page can be left without a word while files wait")
	}
	start(t, dir, "--max-upload", "2MB", "--addr", strings.TrimPrefix(s.base, "http://"))
	b.until(queueDone)
	b.shows("10 pages")
	b.until("!document.querySelector('.offline')")
	b.until("[...document.querySelectorAll('.thumb img')].every((e) => e.naturalWidth > 0)")
	if leaving := eval[bool](b, "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"); leaving {
		t.Error("the page cannot be left though nothing waits")
	}

	// The queue is still there after a look at a page, and one that failed can be tried again.
	b.upload(notes)
	b.until("document.querySelector('.queue [role=alert]')")
	eval[any](b, "document.querySelector('a.name').click()")
	b.until("document.querySelector('.viewer') && !document.querySelector('.queue')")
	eval[any](b, "history.back()")
	b.until("document.querySelector('.queue [role=alert]')")
	b.accessible("the queue again")
}

// fillLibrary gives a user that many images by multiplying one, which all share its bytes. They are called page 000001.png and so on, and
// nothing finds them by their names; one of each so many is called 회의록, and is found.
func fillLibrary(t *testing.T, dir string, user person, one int64, images, each int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "glyphbox.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO image (name, search, media_type, width, height, pages, size, sha256, visibility, image_id, thumbnail_id,
				created_datetime, user_id)
			SELECT label, label, media_type, width, height, pages, size, sha256, visibility, image_id, thumbnail_id, created_datetime,
				user_id
			FROM (SELECT printf('page %%06d.png', i) AS label FROM n), image WHERE image.id = %d`, images, one),
		`UPDATE user SET images = (SELECT COUNT(*) FROM image WHERE image.user_id = user.id)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for n := each; n <= images; n += each {
		user.call(http.StatusOK, "PUT", path("/image/%d", one+int64(n)), object{"name": fmt.Sprintf("회의록 %06d.png", n)})
	}
}

// TestBrowserManyImages looks through many images, 100,000 in a soak: what is in the page and in memory stays small, nothing jumps, the
// scrollbar leads straight to the place, and only what is in sight is asked for.
func TestBrowserManyImages(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	b := browse(t, s.base)
	b.signUp("ann")
	ann := s.login("ann", password)
	page, _, _ := drawn()
	all := 20_000
	if check.Soak() {
		all = 100_000
	}
	newest := fmt.Sprintf("page %06d.png", all-1)
	const found = 199 // of which each is one of a two-hundredth of all
	pages := func(n int) string { return fmt.Sprintf("%d,%03d pages", n/1000, n%1000) }
	one := ann.upload("page 000000.png", page)
	fillLibrary(t, dir, ann, one.ID, all-1, all/(found+1))
	eval[any](b, `{ window.asked = []; const real = fetch; window.fetch = (...a) => { asked.push(String(a[0])); return real(...a) } }`)
	b.do(chromedp.Reload())
	b.shows(pages(all))
	b.until(names + "[0] === '" + newest + "'")
	b.look("library-many")
	b.until("[...document.querySelectorAll('.thumb img')].every((e) => e.naturalWidth > 0)")
	record := `{ window.asked = []; const real = window.fetch; window.fetch = (...a) => { asked.push(String(a[0])); return real(...a) } }`
	eval[any](b, record)

	columns := eval[int](b, "Number(document.querySelector('[role=grid]').getAttribute('aria-colcount'))")
	rows := eval[int](b, "Number(document.querySelector('[role=grid]').getAttribute('aria-rowcount'))")
	if rows != (all+columns-1)/columns {
		t.Errorf("%d rows of %d for %d images", rows, columns, all)
	}
	height := eval[float64](b, "document.documentElement.scrollHeight")
	heap := eval[float64](b, "performance.memory.usedJSHeapSize")
	// firstInSight is the number of the first image whose row is in sight, by what it is called.
	const firstInSight = "Number(/\\d+/.exec([...document.querySelectorAll('a.name')].find((e) => e.getBoundingClientRect().bottom > 60 " +
		"&& e.getBoundingClientRect().top < innerHeight)?.innerText)?.[0])"
	for _, part := range []float64{0.5, 0.9, 1, 0.25, 0} {
		eval[any](b, fmt.Sprintf("asked.length = 0; scrollTo(0, %f * (document.documentElement.scrollHeight - innerHeight))", part))
		want := (1 - part) * float64(all)
		b.until(fmt.Sprintf("Math.abs(%s - %f) < %d", firstInSight, want, 8*columns))
		b.until("[...document.querySelectorAll('.thumb img')].every((e) => e.naturalWidth > 0) && !document.querySelector('.blank')")
		if lists := eval[[]string](b, "asked.filter((x) => x.includes('/image?'))"); len(lists) > 2 {
			t.Errorf("at %v the list was asked for %d times: %q", part, len(lists), lists)
		}
		if thumbnails := eval[int](b, "asked.filter((x) => x.includes('/thumbnail')).length"); thumbnails > 12*columns {
			t.Errorf("at %v %d thumbnails were asked for", part, thumbnails)
		}
		if in := eval[int](b, "document.querySelectorAll('[role=gridcell]').length"); in > 12*columns {
			t.Errorf("at %v %d images are in the page", part, in)
		}
		if now := eval[float64](b, "document.documentElement.scrollHeight"); now != height {
			t.Errorf("at %v the page is %v high, was %v", part, now, height)
		}
	}

	// Along the scrollbar, without a rest: what is passed is not asked for. By the clock of timers a frame takes 16 ms, however long it is.
	eval[any](b, `new Promise((done) => { asked.length = 0
		const { setTimeout, clearTimeout } = window, due = new Map(); let n = 0, now = 0, last = 1e9
		window.setTimeout = (f, ms = 0, ...a) => (due.set(++last, { at: now + ms, run: () => f(...a) }), last)
		window.clearTimeout = (id) => due.delete(id) || clearTimeout(id)
		const step = () => { scrollTo(0, ++n / 200 * document.documentElement.scrollHeight); now += 16
			for (const [id, { at, run }] of due) if (at <= now) { due.delete(id); run() }
			if (n < 200) return requestAnimationFrame(step)
			Object.assign(window, { setTimeout, clearTimeout }); for (const { run } of due.values()) run()
			done() }; step() })`)
	b.until("!document.querySelector('.blank')")
	if lists := eval[int](b, "asked.filter((x) => x.includes('/image?')).length"); lists > 10 {
		t.Errorf("the list was asked for %d times on the way", lists)
	}
	// By wheel, one row after another: nothing moves but by the wheel.
	eval[any](b, "scrollTo(0, 500000)")
	b.until("!document.querySelector('.blank')")
	jumps := eval[[]float64](b, `new Promise((done) => { const jumps = []; let n = 0
		const places = () => new Map([...document.querySelectorAll('[data-index]')].map((e) => [e.dataset.index,
			e.getBoundingClientRect().top]))
		let before = places()
		const step = () => { const now = places(); for (const [k, y] of now) if (before.has(k) && Math.abs(before.get(k) - y - 40) > 1 &&
			n > 1) jumps.push(before.get(k) - y)
			before = now; if (++n > 120) done(jumps); else { scrollBy({ top: 40, behavior: 'instant' }); requestAnimationFrame(step) } }
		step() })`)
	if len(jumps) > 0 {
		t.Errorf("it jumped %d times: %v", len(jumps), jumps[:min(5, len(jumps))])
	}
	b.do(chromedp.Evaluate[chromedp.Void]("for (let n = 0; n < 3; n++) globalThis.gc?.()"))
	if now := eval[float64](b, "performance.memory.usedJSHeapSize"); now > heap+40e6 {
		t.Errorf("the heap has grown from %.0f MB to %.0f MB", heap/1e6, now/1e6)
	}

	// By keys, to the end and back; the focus stays on an image even when it is scrolled away.
	eval[any](b, "scrollTo(0, 0)")
	b.until(names + "[0] === '" + newest + "'")
	eval[any](b, "document.querySelector('[data-index=\"0\"]').focus()")
	b.keys(kb.End, kb.ModifierCtrl)
	b.until(fmt.Sprintf("document.activeElement.dataset.index === '%d' && document.activeElement.innerText.includes('page 000000.png')",
		all-1))
	b.until("(({ top, bottom }) => top >= 60 && bottom <= innerHeight)(document.activeElement.getBoundingClientRect())")
	eval[any](b, "scrollTo(0, 3000)")
	b.until(fmt.Sprintf("document.activeElement.dataset.index === '%d'", all-1))
	b.keys(kb.ArrowUp)
	b.until(fmt.Sprintf("document.activeElement.dataset.index === '%d'", all-1-columns))
	b.keys(kb.Home, kb.ModifierCtrl)
	b.until("document.activeElement.dataset.index === '0' && scrollY < 200")
	b.keys(kb.PageDown + kb.ArrowRight)
	b.until("Number(document.activeElement.dataset.index) > 5")

	// A search in Hangul, as it is typed; its result can be selected as a whole, and is had back after a reload.
	b.fill("[type=search]", "회의")
	b.shows(fmt.Sprint(found, " pages"))
	b.until(names + ".every((n) => n.startsWith('회의록 '))")
	b.fill("[type=search]", fmt.Sprintf("회의록 %03d", all/1000-1))
	b.shows(fmt.Sprint(1000*(found+1)/all, " pages"))
	b.fill("[type=search]", "회의록")
	b.shows(fmt.Sprint(found, " pages"))
	b.press("More")
	b.press("Select all")
	b.shows(fmt.Sprint(found, " selected"))
	b.do(chromedp.Reload())
	b.shows(fmt.Sprint(found, " pages"))
	b.until("document.querySelector('[type=search]').value === '회의록' && " + names + ".every((n) => n.startsWith('회의록 '))")

	// To a page and back: the same search, at the same place.
	eval[any](b, "scrollTo(0, 5000)")
	b.until("!document.querySelector('.blank') && " + firstInSight + " > 0")
	at := eval[float64](b, firstInSight)
	eval[any](b, "[...document.querySelectorAll('a.name')].find((e) => e.getBoundingClientRect().top > 100).click()")
	b.until("document.querySelector('.viewer')")
	eval[any](b, "document.querySelector('a[href=\".\"]').click()")
	b.until(fmt.Sprintf("document.querySelector('[type=search]').value === '회의록' && %s === %v", firstInSight, at))

	// All of them can be deleted, after a question, since so many cannot be had back.
	b.press("More")
	b.press("Select all")
	b.shows(fmt.Sprint(found, " selected"))
	b.press("Delete")
	b.shows(fmt.Sprintf("Delete %d pages?", found))
	b.look("delete-many")
	b.press("Delete")
	b.shows("No results for")
	b.press("Clear the search")
	b.shows(pages(all - found))
}

// TestBrowserUnknownLinks follows links that ask for what there is not, and opens what cannot be loaded: both are told.
func TestBrowserUnknownLinks(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	b.signUp("ann")
	ann := s.login("ann", password)
	for _, name := range []string{"b.png", "a.png"} {
		ann.upload(name, porttest.PNG(blank(200)))
	}
	const none = "document.querySelectorAll('.note').length === 0"
	for _, link := range []struct{ asked, told, left string }{
		{"sort=size", "sort=size", ""},
		{"owner=all&sort=name", "owner=all", "?sort=name"}, // is for administrators
		{"owner=bob&q=b", "owner=bob", "?q=b"},
		{"sort=name&sort=oldest", "sort=oldest", "?sort=name"},
		{"page=3", "page=3", ""},
		{"q=" + strings.Repeat("a", 201), "q=" + strings.Repeat("a", 40) + " …", ""},
	} {
		b.open("/?" + link.asked)
		b.shows("This link has an unknown setting: " + link.told)
		b.until(fmt.Sprintf("location.search === %q && document.querySelector('a.name')", link.left))
	}
	b.open("/?owner=me&sort=name&q=.png")
	b.until(names + ".join() === 'a.png,b.png' && " + none)

	// Names are also searched for parts that are not words; texts are not. A query may be too long for texts.
	b.open("/")
	b.fill("[type=search]", ".")
	b.until("location.search === '?q=.' && " + names + ".length === 2")
	b.fill("[type=search]", "a b c d e f g h i j k l m n o p q r s t u")
	b.shows("Text search takes up to 20 words.")
	b.until("document.querySelectorAll('.note').length === 1")

	devtools(b, network.Enable, network.EnableParams{})
	block := func(on bool, parts ...string) {
		t.Helper()
		var patterns []*network.BlockPattern
		for _, part := range parts {
			patterns = append(patterns, &network.BlockPattern{URLPattern: s.base + "/assets/" + part + "-*", Block: on})
		}
		devtools(b, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns})
	}
	block(true, "Edit", "SelectionBar")
	b.open("/")
	b.press("Actions for a.png")
	b.press("Share …")
	b.shows("This part of the page could not be loaded.")
	b.open("/")
	b.until(names + ".length === 2 && " + none)
	eval[any](b, "document.querySelector('[data-index=\"0\"]').focus()")
	b.key(" ")
	b.shows("This part of the page could not be loaded.")
	block(false, "Edit", "SelectionBar")
	eval[any](b, "window.before = true")
	b.press("Try again")
	b.until("!window.before && " + names + ".length === 2 && " + none)
	eval[any](b, "document.querySelector('[data-index=\"0\"]').focus()")
	b.key(" ")
	b.shows("1 selected")
	b.press("Share")
	b.shows("Who can see it")
	b.key(kb.Escape) // closes the question, and nothing else
	b.until("!document.querySelector('dialog')")
	b.shows("1 selected")
}

// TestBrowserHeard is what those hear who do not see the page: why a form is not sent, in its language, where they are, and whole names.
func TestBrowserHeard(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	b.open("/")
	b.inLanguage("ko")
	b.press("계정 만들기")
	b.fill("[name=email]", "x")
	eval[any](b, "document.querySelector('form').requestSubmit()")
	b.until("document.querySelector('[name=email]').validationMessage === 'ann@example.org 형식의 이메일 주소'")
	b.until("document.querySelector('[name=username]').validationMessage === '이 항목을 입력해 주세요.'")
	b.fill("[name=email]", "x@example.org")
	b.until("document.querySelector('[name=email]').checkValidity()")
	b.inLanguage("en")

	ann := s.signUp("ann")
	name := strings.Repeat("nothing but a long name ", 5) + ".png"
	ann.upload(name, porttest.PNG(blank(200)))
	b.signIn("ann", password)
	b.until("document.activeElement.id === 'content'")
	b.until("document.querySelector('a.name').dataset.shown.includes('…') && " + names + "[0] === '" + name + "'")
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	check.OK(t, "GetFullAXTree", err)
	for _, node := range tree.Nodes {
		if role := string(node.Role.Value); role == `"gridcell"` && !strings.HasPrefix(string(node.Name.Value), `"`+name+" Not read") {
			t.Errorf("of %q is heard %s", name, node.Name.Value)
		}
	}
	for _, n := range []string{"17", "18"} { // what tells names apart is also seen
		ann.upload(strings.Repeat("a long name ", 5)+n+strings.Repeat(" in its middle", 5)+".png", porttest.PNG(blank(200)))
	}
	b.do(chromedp.Reload())
	b.until("[...document.querySelectorAll('a.name')].map((e) => e.dataset.shown.match(/1[78]/)?.[0]).join() === '18,17,'")
	b.look("library-long-names")
	eval[any](b, "document.querySelector('a.name').click()")
	b.until("document.querySelector('.viewer') && document.activeElement.id === 'content'")
}

// hold points at the newest note, which then stays.
func (b tab) hold() {
	b.t.Helper()
	b.until("document.querySelector('.note')")
	eval[any](b, "[...document.querySelectorAll('.note')].at(-1).dispatchEvent(new PointerEvent('pointerenter'))")
}

// TestBrowserSelection works on several images at once, by mouse and by keys, and has deletions back.
func TestBrowserSelection(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	b := browse(t, s.base)
	b.signUp("ann")
	ann := s.login("ann", password)
	bob := s.signUp("bob")
	for n := range 9 {
		ann.upload(fmt.Sprintf("page %d.png", n), porttest.PNG(blank(200+n)))
	}
	his := bob.upload("bob’s own.png", porttest.PNG(blank(100)))
	bob.call(http.StatusOK, "PUT", path("/image/%d", his.ID), object{"visibility": "shared"})
	b.library(10)
	b.shows("by bob")

	// By mouse: one, more of them, a range, what is not ann's, too.
	click := func(name string, modifiers string) {
		t.Helper()
		eval[any](b, fmt.Sprintf("document.querySelector('.thumb[aria-label=%q]').dispatchEvent(new MouseEvent('click', { bubbles: "+
			"true, cancelable: true, %s }))", name, modifiers))
	}
	click("page 8.png", "ctrlKey: true")
	b.shows("1 selected")
	box := func(name string) {
		t.Helper()
		eval[any](b, fmt.Sprintf("document.querySelector('[aria-label=\"Select %s\"]').dispatchEvent(new MouseEvent('click', "+
			"{ bubbles: true, cancelable: true, shiftKey: true }))", name))
	}
	box("page 5.png")
	b.shows("4 selected")
	box("page 6.png")
	b.shows("3 selected")
	box("page 5.png")
	b.shows("4 selected")
	click("page 1.png", "metaKey: true")
	b.shows("5 selected")
	b.until("[...document.querySelectorAll('.cell')].every((e) => e.querySelector('.check input').checked === (e.ariaSelected === 'true'))")
	click("bob’s own.png", "")
	b.shows("6 selected")
	click("bob’s own.png", "")
	b.shows("5 selected")
	click("page 1.png", "")
	b.shows("4 selected")
	b.look("selection")
	b.seenBy("Share", "Everybody")
	shared := as[[]api.Image](t, bob.do(http.StatusOK, "GET", path("/image?size=100"), nil))
	if got, want := namesOf(shared), []string{"bob’s own.png", "page 8.png", "page 7.png", "page 6.png", "page 5.png"}; !slices.Equal(got,
		want) {
		t.Errorf("bob sees %q, want %q", got, want)
	}
	b.seenBy("Share", "Only me")
	if got := as[[]api.Image](t, bob.do(http.StatusOK, "GET", path("/image?size=100"), nil)); len(got) != 1 {
		t.Errorf("bob sees %q", namesOf(got))
	}
	b.keys(kb.Escape)
	b.until("!document.querySelector('.bar')")

	// By keys: a range, one more, all.
	eval[any](b, "document.querySelector('[data-index=\"1\"]').focus()")
	b.keys(kb.ArrowRight+kb.ArrowRight, kb.ModifierShift)
	b.shows("3 selected")
	b.keys(kb.ArrowLeft, kb.ModifierShift)
	b.shows("2 selected")
	b.keys(kb.End)
	b.keys(kb.ArrowDown)
	b.keys(" ")
	b.shows("3 selected")
	b.keys("a", kb.ModifierCtrl)
	b.shows("10 selected")
	b.keys(kb.Escape)
	b.until("!document.querySelector('.bar')")

	// Renamed by keys; Escape leaves the name as it is.
	b.keys(kb.Home, kb.ModifierCtrl)
	b.keys(kb.ArrowRight)
	b.keys(kb.F2)
	b.until("document.activeElement.getAttribute('aria-label') === 'Rename' && getSelection().toString() === 'page 8'")
	b.keys("표지" + kb.Enter)
	b.shows("표지.png")
	b.until("document.activeElement.dataset.index === '1'")
	b.keys(kb.F2)
	b.until("document.activeElement.getAttribute('aria-label') === 'Rename'")
	b.keys("nothing" + kb.Escape)
	b.until("document.activeElement.dataset.index === '1' && " + names + "[1] === '표지.png'")

	// Deleted by keys and had back by keys. The focus is where it was.
	b.keys(kb.Delete)
	b.hold()
	b.shows("9 pages")
	b.until("document.activeElement.dataset.index === '1' && " + names + "[1] === 'page 7.png'")
	b.look("library-undo")
	b.keys("z", kb.ModifierCtrl)
	b.shows("10 pages")
	b.until(names + "[1] === '표지.png'")

	// A deletion can be undone from elsewhere in the page, and is final when the page is left.
	b.press("Actions for page 7.png")
	b.press("Delete")
	b.hold()
	b.shows("9 pages")
	b.shows("“page 7.png” deleted")
	eval[any](b, "document.querySelector('a.name').click()")
	b.until("document.querySelector('.viewer')")
	b.press("Undo")
	eval[any](b, "history.back()")
	b.shows("10 pages")
	b.until(names + ".includes('page 7.png')")
	b.press("Actions for page 7.png")
	b.press("Delete")
	b.shows("9 pages")
	b.do(chromedp.Reload())
	b.shows("9 pages")
	b.until(fmt.Sprintf("!%s.includes('page 7.png') && !Object.keys(localStorage).some((k) => k.startsWith('deleting:'))", names))

	// Where the service was away when the page was left, it is done when the page comes back; another tab does not take it for its own.
	b.press("Actions for page 6.png")
	b.press("Delete")
	b.hold()
	b.shows("8 pages")
	place := eval[string](b, "Object.keys(localStorage).find((k) => k.startsWith('deleting:'))")
	journal := eval[string](b, fmt.Sprintf("localStorage.getItem(%q)", place))
	b.press("Undo")
	b.shows("9 pages")
	b.open("/")
	b.shows("9 pages")
	left := strings.NewReplacer("'", "").Replace(journal)
	eval[any](b, fmt.Sprintf("localStorage.setItem(%q, '%s')", place, left))
	b.open("/")
	b.shows("9 pages")
	if got := len(imagesOf(ann)); got != 9 {
		t.Errorf("%d images are left, want 9", got)
	}
	eval[any](b, fmt.Sprintf(`localStorage.setItem(%q, '%s'.replace(/"time":\d+/, '"time":1'))`, place, left))
	b.open("/")
	b.shows("8 pages")
	b.until("!localStorage.getItem('" + place + "')")

	// Signing out makes it final, and leaves nothing to the next user.
	b.press("Actions for page 5.png")
	b.press("Delete")
	b.shows("7 pages")
	b.press("Menu")
	b.press("Sign out")
	b.signIn("bob", password)
	b.shows("1 page")
	if got := namesOf(imagesOf(ann)); len(got) != 7 || slices.Contains(got, "page 5.png") {
		t.Errorf("after signing out: %q", got)
	}

	// Long names, with and without places to break them.
	for _, name := range []string{"2026년 상반기 정기 이사회 회의록과 부속 서류 일체.png", strings.Repeat("아주긴이름", 30) + ".png",
		strings.Repeat("unbroken", 20) + ".png"} {
		bob.upload(name, porttest.PNG(blank(200)))
	}
	b.do(chromedp.Reload())
	b.shows("4 pages")
	b.until("document.querySelectorAll('.thumb img[src]').length === 4")
	b.fill("[type=search]", strings.Repeat("nothingatall", 12))
	b.shows("No results for")
	b.look("library-nothing")
	b.press("Clear the search")
	b.shows("4 pages")
	eval[any](b, "document.activeElement.blur()")
	b.look("library-long-names")

	// While bob is far down, or looks at something else, others' images come and go; his list follows.
	other := ann.upload("new.png", porttest.PNG(blank(300)))
	ann.call(http.StatusOK, "PUT", path("/image/%d", other.ID), object{"visibility": "shared"})
	eval[any](b, "document.querySelector('a.name').click()")
	b.until("document.querySelector('.viewer')")
	eval[any](b, "history.back()")
	b.shows("5 pages")
}

// blank is an empty page of that width.
func blank(width int) image.Image {
	m := image.NewGray(image.Rect(0, 0, width, 260))
	for n := range m.Pix {
		m.Pix[n] = 255
	}
	return m
}

// TestBrowserSignIn is what can go wrong before somebody is in, and how somebody gets out.
func TestBrowserSignIn(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	b := browse(t, s.base)
	s.signUp("ann")
	admin := s.login("admin", adminPassword)

	// Each fault stands at its field.
	b.open("/")
	b.press("Create account")
	b.fill("[name=username]", "an-n")
	b.fill("[name=email]", "ann@example.org")
	b.fill("[name=password]", "short")
	b.fill("[name=again]", "shorter")
	b.press("Create account")
	b.shows("1 to 100 letters (a–z) and digits")
	b.shows("8 to 255 characters, without spaces")
	b.shows("The passwords do not match.")
	b.until("document.querySelector('[name=username]').getAttribute('aria-invalid') === 'true' && " +
		"document.querySelector('[name=email]').getAttribute('aria-invalid') === 'false'")
	b.look("sign-up-faults")
	b.fill("[name=username]", "ann")
	b.fill("[name=password]", password)
	b.fill("[name=again]", password)
	b.press("Create account")
	b.shows("This name is taken.")
	b.press("Show: Password")
	b.until("document.querySelector('[name=password]').type === 'text' && document.querySelector('[name=password]').value === '" +
		password + "'")

	// A wrong password, and then too many of them.
	b.press("Sign in")
	b.fill("[name=username]", "ann")
	b.fill("[name=password]", "wrong-password")
	b.press("Sign in")
	b.shows("Name or password is wrong.")
	for range attemptsAtOnce - 1 {
		s.do(http.StatusUnauthorized, "POST", path("/user/login"), strings.NewReader("username=ann&password=wrong-password"),
			"Content-Type", "application/x-www-form-urlencoded")
	}
	b.press("Sign in")
	b.shows("Too many wrong passwords for this name.")
	b.until("/Try again in \\d+ seconds/.test(document.body.innerText) && document.querySelector('form .main').ariaDisabled === 'true'")
	b.look("sign-in-locked")
	eval[any](b, "localStorage.setItem('language', 'ko')")
	b.open("/")
	b.fill("[name=username]", "ann")
	b.fill("[name=password]", "wrong-password")
	b.press("로그인")
	b.shows("비밀번호를 여러 번 잘못 입력했습니다.")
	b.look("sign-in-ko")
	eval[any](b, "localStorage.setItem('language', 'en')")

	// A blocked user is told so with the next request.
	bob := s.signUp("bob")
	id := as[struct{ ID int64 }](t, bob.do(http.StatusOK, "GET", path("/user/me"), nil)).ID
	b.open("/")
	b.signIn("bob", password)
	b.shows("No pages yet")
	admin.call(http.StatusOK, "PUT", path("/admin/user/%d/state/blocked", id), object{})
	b.press("Menu")
	b.press("Account")
	b.shows("This account is blocked. Ask the administrator.")
	b.until("document.querySelector('[name=password]')")
	b.do(chromedp.Reload())
	b.shows("This account is blocked. Ask the administrator.")

	// Where accounts are made by the administrator, the page offers none.
	s.stop()
	s.wait()
	start(t, dir, "--signup", "closed", "--addr", strings.TrimPrefix(s.base, "http://"))
	b.open("/")
	b.shows("Only administrators can create accounts here.")
	b.until("!" + button("Create account"))
}

// TestBrowserAccount changes everything about an account, and ends it.
func TestBrowserAccount(t *testing.T) {
	s := start(t, t.TempDir())
	b := browse(t, s.base)
	b.createAccount("ann")
	ann := s.login("ann", password)
	page, _, _ := drawn()
	ann.upload("page.png", page)
	s.signUp("bob")

	b.open("/account")
	b.shows("Name and email")
	b.fill("main [name=name]", "bob")
	b.press("Save")
	b.shows("This name is taken.")
	b.fill("main [name=name]", "anna")
	b.fill("main [name=email]", "anna@example.org")
	pressed := func(name string) {
		t.Helper()
		eval[any](b, button(name)+".focus()")
		b.key(kb.Enter)
	}
	pressed("Save")
	b.shows("Saved.")
	b.until("document.activeElement === " + button("Save")) // where the keyboard goes on
	me := as[struct{ Name, Email string }](t, ann.do(http.StatusOK, "GET", path("/user/me"), nil))
	if me.Name != "anna" || me.Email != "anna@example.org" {
		t.Errorf("the account is now %+v", me)
	}
	b.press("Menu")
	b.until("document.querySelector('.who').innerText === 'anna'")

	b.fill("main [name=current]", "wrong-password")
	b.fill("main [name=next]", password+"0")
	b.fill("main [name=again]", password+"0")
	b.press("Change password")
	b.shows("Wrong password.")
	b.fill("main [name=current]", password)
	pressed("Change password")
	b.shows("Password changed.")
	b.until("document.activeElement === " + button("Change password"))
	ann.do(http.StatusUnauthorized, "GET", path("/user/me"), nil)

	// The line to copy works, as it is.
	b.fill("main [name=key]", "scanner")
	eval[any](b, "{ const e = document.querySelector('select.days'); e.value = '30'; e.dispatchEvent(new Event('change', { bubbles: "+
		"true })) }")
	eval[any](b, button("Create key")+".focus()")
	b.press("Create key")
	b.until("document.querySelectorAll('.made code').length === 2 && document.activeElement === " + button("Create key"))
	line := eval[string](b, "document.querySelectorAll('.made code')[1].innerText")
	eval[any](b, "document.querySelector('.made').scrollIntoView({ block: 'center' })")
	b.look("account-key")
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-c", strings.Replace(line, "curl", curl+" -sS", 1)).CombinedOutput(); err != nil ||
		!strings.Contains(string(out), `"name":"anna"`) {
		t.Errorf("%s: %v %s", line, err, out)
	}
	b.do(chromedp.Reload())
	b.until("document.querySelector('main li')?.innerText.includes('scanner')")
	b.shows("Expires ")
	if text := eval[string](b, "document.body.innerText"); strings.Contains(text, "gbx_") {
		t.Error("the key is shown a second time")
	}
	pressed("Revoke: scanner")
	b.shows("No keys yet.")
	b.until("document.activeElement.matches('ul') && document.activeElement.innerText === 'No keys yet.'")

	// All sign-ins can be seen, not only the newest.
	for range 25 {
		s.login("anna", password+"0")
	}
	b.do(chromedp.Reload())
	b.enter("Show older")
	b.until("document.querySelectorAll('main time').length === 27")
	b.until("document.activeElement === document.querySelectorAll('main time')[20].closest('li')") // the first one that came
	b.until("[...document.querySelectorAll('main li')].some((e) => e.innerText.includes('Chrome, Linux'))")

	b.inLanguage("ko")
	b.shows("비밀번호 변경")
	b.look("account-ko")
	b.inLanguage("en")

	// Leaving is confirmed by typing the name.
	b.until("document.querySelector('.danger').disabled")
	b.fill("main [name=confirm]", "ann")
	b.until("document.querySelector('.danger').disabled")
	b.look("account-leave")
	b.fill("main [name=confirm]", "anna")
	b.press("Delete account")
	b.shows("Your account was deleted.")
	s.do(http.StatusUnauthorized, "POST", path("/user/login"), strings.NewReader("username=anna&password="+password+"0"), "Content-Type",
		"application/x-www-form-urlencoded")
	b.do(chromedp.Reload())
	b.until("document.querySelector('[name=password]')")
	admin := s.login("admin", adminPassword)
	if got := imagesOf(admin); len(got) != 0 {
		t.Errorf("images stay: %q", namesOf(got))
	}

	// Images can be kept.
	cat := s.signUp("cat")
	cat.upload("kept.png", page)
	b.signIn("cat", password)
	b.open("/account")
	b.until("document.querySelector('[value=keep]')")
	eval[any](b, "document.querySelector('[value=keep]').click()")
	b.fill("main [name=confirm]", "cat")
	b.press("Delete account")
	b.shows("Your account was deleted.")
	if got := imagesOf(admin); len(got) != 1 {
		t.Errorf("images kept: %q", namesOf(got))
	}
	b.signIn("admin", adminPassword)
	b.choose("Owner", "all")
	b.shows("by deleted user")
}

// TestBrowserAdmin is what administrators see and do.
func TestBrowserAdmin(t *testing.T) {
	s := start(t, t.TempDir(), "--ocr-workers", "2")
	b := browse(t, s.base)
	for n := range 60 {
		s.call(http.StatusCreated, "POST", path("/user"), object{"name": fmt.Sprintf("user%d", n),
			"email": fmt.Sprintf("user%d@example.org", n), "password1": password, "password2": password})
	}
	b.open("/")
	b.signIn("user59", password)
	b.open("/admin")
	b.shows("Page not found") // to everybody else
	b.press("Menu")
	b.press("Sign out")
	b.signIn("admin", adminPassword)
	b.open("/admin")
	b.shows("Everything is working")
	b.shows("of 2 busy")
	b.shows("SQLite")
	b.until("document.querySelectorAll('.user').length === 50")
	b.enter("More")
	b.until("document.querySelectorAll('.user').length === 61")
	b.until("document.activeElement === document.querySelectorAll('.user')[50].querySelector('button')")
	b.fill("[type=search]", "USER59@")
	b.until("document.querySelectorAll('.user').length === 1")
	user := s.login("user59", password)
	b.press("Block: user59")
	b.fill("[name=detail]", "left the company")
	b.press("Block")
	b.shows("left the company")
	user.do(http.StatusForbidden, "GET", path("/user/me"), nil)
	b.press("Unblock: user59")
	b.until("!document.body.innerText.includes('left the company')")
	user.do(http.StatusOK, "GET", path("/user/me"), nil)
	eval[any](b, "{ const e = document.querySelector('[aria-label=\"Role: user59\"]'); e.value = 'admin'; e.dispatchEvent(new "+
		"Event('change', { bubbles: true })) }")
	b.until("performance.getEntriesByType('resource').some((e) => e.name.endsWith('/role') && e.responseEnd > 0)") // it is answered
	b.do(chromedp.Reload())
	b.fill("[type=search]", "user59")
	b.until("document.querySelectorAll('.user').length === 1 && document.querySelector('[aria-label=\"Role: user59\"]').value === 'admin'")
	user.do(http.StatusOK, "GET", path("/admin/service"), nil)
	b.fill("[type=search]", "nobody at all")
	b.shows("No users found.")
	b.inLanguage("ko")
	b.shows("모두 정상입니다")
	b.look("admin-ko")
}

// TestBrowserSameForm reads copies of a form by four fields of one of them, in the background, into one table. Clicks and keys do not
// depend on how many there are; there are twenty in a soak.
func TestBrowserSameForm(t *testing.T) {
	_, b, ann, page, at := openLetter(t, t.TempDir())
	original := ann.do(200, "GET", path("/image/%d", page.ID), nil).body
	forms := 5
	if check.Soak() {
		forms = 20
	}
	for n := range forms - 1 {
		ann.upload(fmt.Sprintf("form %02d.png", n+2), original)
	}
	clicks, keys := 0, 0
	press := func(name string) {
		t.Helper()
		b.press(name)
		clicks++
	}
	key := func(k string, held ...chromedp.KeyOption) {
		b.key(k, held...)
		keys += max(1, len([]rune(k)))
	}

	// The fields are drawn on one, named and copied.
	for n, name := range []string{"line", "title", "oil", "total"} {
		b.drag(letterWidth, at[name][0], at[name][1], at[name][2], at[name][3])
		clicks++
		b.until(fmt.Sprintf("%s === %d", readings, n+1))
		key(kb.F2)
		b.until(fmt.Sprintf("document.activeElement.matches('#r%d .name')", n+1))
		key(name + kb.Enter)
	}
	b.until("!document.querySelector('[data-saving]')")
	key("a", ctrl)
	key("c", ctrl)
	b.shows("4 regions copied")

	// In the library all others are selected, and read by them.
	press("Back to the library")
	b.shows(fmt.Sprintf("%d pages", forms))
	press("More")
	press("Select all")
	b.shows(fmt.Sprintf("%d selected", forms))
	b.until("document.querySelector('[aria-label=\"Select " + page.Name + "\"]') || scrollTo(0, document.body.scrollHeight)")
	eval[any](b, fmt.Sprintf("document.querySelector('[aria-label=\"Select %s\"]').click()", page.Name))
	clicks++
	b.shows(fmt.Sprintf("%d selected", forms-1))
	press("Read")
	b.until("document.querySelector('.menu .sheet')")
	b.accessible("reading a selection")
	press("Read the 4 copied regions on each page")
	b.shows(fmt.Sprintf("%d pages were read.", forms-1))

	// One table has all of them.
	eval[any](b, fmt.Sprintf("document.querySelector('[aria-label=\"Select %s\"]').click()", page.Name))
	clicks++
	b.shows(fmt.Sprintf("%d selected", forms))
	eval[any](b, "{ const make = URL.createObjectURL; URL.createObjectURL = (x) => { if (x.type.includes('csv')) x.text().then((s) => { "+
		"window.exported = s }); return make(x) } }")
	press("Export")
	press("One CSV table of all regions")
	b.until(fmt.Sprintf("['North Harbour Light', ',line,', ',title,', ',oil,', ',total,'].every((s) => window.exported?.split(s).length "+
		"=== %d + 1)", forms))
	b.look("selection-read")
	if clicks > 30 || keys > 40 {
		t.Errorf("it took %d clicks and %d keys", clicks, keys)
	}
	t.Logf("%d clicks, %d keys", clicks, keys)
}

package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// otherBrowser is a browser of another make, by one of the two protocols of the W3C for driving one. Actions are written alike in both.
type otherBrowser interface {
	open(url string) error
	run(script string) (string, error) // what the promise of a string gives that the script stands for
	act(actions []object) error
	choose(selector, file string) error
	complaints() []string // what the browser has told of errors; those that pages see themselves need not be in it
}

// missing skips the test, or fails it where GLYPHBOX_TEST_REQUIRE names the browser.
func missing(t *testing.T, name, what string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("GLYPHBOX_TEST_REQUIRE"), ","), name) {
		t.Fatalf("GLYPHBOX_TEST_REQUIRE has %s, but there is no %s", name, what)
	}
	t.Skipf("this test needs %s; scripts/setup tests installs it", what)
}

// startProgram starts a program that is killed when the test ends, with all that it started itself told to end first.
func startProgram(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		gone := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		gone.Stop()
	})
}

// firefox speaks WebDriver BiDi, JSON over a websocket, by itself.
type firefox struct {
	ctx     context.Context
	socket  *websocket.Conn
	calls   int
	context string // the tab
	errors  []string
}

func startFirefox(t *testing.T) otherBrowser {
	t.Helper()
	program, err := exec.LookPath("firefox-esr")
	if err != nil {
		if program, err = exec.LookPath("firefox"); err != nil {
			missing(t, "firefox", "Firefox")
		}
	}
	profile := t.TempDir()
	cmd := exec.Command(program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "--width", "1440",
		"--height", "900", "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+profile)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	startProgram(t, cmd)
	address := ""
	for lines := bufio.NewScanner(stderr); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "WebDriver BiDi listening on ")
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	f := &firefox{ctx: t.Context()}
	if f.socket, _, err = websocket.Dial(f.ctx, address+"/session", nil); err != nil {
		t.Fatal(err)
	}
	f.socket.SetReadLimit(-1)
	t.Cleanup(func() { _ = f.socket.CloseNow() })
	var tree struct{ Contexts []struct{ Context string } }
	for _, step := range []struct {
		method string
		params object
		result any
	}{
		{"session.new", object{"capabilities": object{}}, nil},
		{"session.subscribe", object{"events": []string{"log.entryAdded"}}, nil},
		{"browsingContext.getTree", object{}, &tree},
	} {
		if err := f.call(step.method, step.params, step.result); err != nil {
			t.Fatal(err)
		}
	}
	f.context = tree.Contexts[0].Context
	return f
}

// call gives one command and takes in what happened until its answer.
func (f *firefox) call(method string, params object, result any) error {
	f.calls++
	ctx, cancel := context.WithTimeout(f.ctx, 2*patience)
	defer cancel()
	if err := wsjson.Write(ctx, f.socket, object{"id": f.calls, "method": method, "params": params}); err != nil {
		return err
	}
	for {
		var message struct {
			ID             int
			Method         string
			Params         struct{ Level, Text string }
			Error, Message string
			Result         json.RawMessage
		}
		if err := wsjson.Read(ctx, f.socket, &message); err != nil {
			return err
		}
		switch {
		case message.Method == "log.entryAdded" && message.Params.Level == "error":
			f.errors = append(f.errors, message.Params.Text)
		case message.ID == f.calls && message.Error != "":
			return fmt.Errorf("%s: %s: %s", method, message.Error, message.Message)
		case message.ID == f.calls && result != nil:
			return json.Unmarshal(message.Result, result)
		case message.ID == f.calls:
			return nil
		}
	}
}

func (f *firefox) open(url string) error {
	return f.call("browsingContext.navigate", object{"context": f.context, "url": url, "wait": "complete"}, nil)
}

func (f *firefox) evaluate(script string) (value, sharedID string, err error) {
	var r struct {
		Type             string
		Result           struct{ Value, SharedID json.RawMessage }
		ExceptionDetails struct{ Text string }
	}
	err = f.call("script.evaluate", object{"expression": script, "target": object{"context": f.context}, "awaitPromise": true}, &r)
	if err == nil && r.Type != "success" {
		err = fmt.Errorf("%s: %s", script, r.ExceptionDetails.Text)
	}
	if err != nil {
		return "", "", err
	}
	_ = json.Unmarshal(r.Result.Value, &value) // a node has an object there
	_ = json.Unmarshal(r.Result.SharedID, &sharedID)
	return value, sharedID, nil
}

func (f *firefox) run(script string) (string, error) {
	value, _, err := f.evaluate(script)
	return value, err
}

func (f *firefox) act(actions []object) error {
	return f.call("input.performActions", object{"context": f.context, "actions": actions}, nil)
}

func (f *firefox) choose(selector, file string) error {
	_, node, err := f.evaluate(fmt.Sprintf("document.querySelector(%q)", selector))
	if err != nil {
		return err
	}
	return f.call("input.setFiles", object{"context": f.context, "element": object{"sharedId": node}, "files": []string{file}}, nil)
}

func (f *firefox) complaints() []string { return f.errors }

// webkit is driven by a program of its own that speaks WebDriver, JSON over HTTP. It needs a screen, which is a virtual one.
type webkit struct {
	ctx     context.Context
	session string // its address
}

func startWebKit(t *testing.T) otherBrowser {
	t.Helper()
	driver, err := exec.LookPath("WebKitWebDriver")
	if err != nil {
		missing(t, "webkit", "WebKitWebDriver")
	}
	programs, err := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
	if err != nil || len(programs) == 0 {
		missing(t, "webkit", "MiniBrowser of WebKitGTK")
	}
	screen, err := exec.LookPath("Xvfb")
	if err != nil {
		missing(t, "webkit", "Xvfb")
	}
	read, written, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	display := exec.Command(screen, "-displayfd", "3", "-screen", "0", "1440x900x24", "-nolisten", "tcp")
	display.ExtraFiles = []*os.File{written}
	startProgram(t, display)
	_ = written.Close()
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	cmd := exec.Command(driver, "--port="+port)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "DISPLAY=:"+strings.TrimSpace(number), "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1",
		"NO_AT_BRIDGE=1")
	startProgram(t, cmd)
	w := &webkit{ctx: t.Context(), session: "http://" + address + "/session"}
	var session struct{ SessionID string }
	options := object{"binary": programs[0], "args": []string{"--automation"}}
	for deadline := time.Now().Add(patience); ; {
		err := w.call("POST", "", object{"capabilities": object{"alwaysMatch": object{"webkitgtk:browserOptions": options,
			"timeouts": object{"script": 2 * patience.Milliseconds()}}}}, &session)
		if err == nil {
			break
		}
		if refused := (*net.OpError)(nil); !errors.As(err, &refused) || time.Now().After(deadline) { // it does not listen yet
			t.Fatal(err)
		}
	}
	w.session += "/" + session.SessionID
	t.Cleanup(func() {
		w.ctx = context.Background()
		if err := w.call("DELETE", "", nil, nil); err != nil {
			t.Error(err)
		}
	})
	if err := w.call("POST", "/window/rect", object{"x": 0, "y": 0, "width": 1440, "height": 900}, nil); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *webkit) call(method, path string, params object, result any) error {
	var body io.Reader
	if params != nil {
		b, err := json.Marshal(params)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(w.ctx, method, w.session+path, body)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, answer.Value)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Value, result)
}

func (w *webkit) open(url string) error { return w.call("POST", "/url", object{"url": url}, nil) }

func (w *webkit) run(script string) (value string, err error) {
	script = "const done = arguments[arguments.length - 1]; Promise.resolve(" + script + ").then(done, (e) => done('failed: ' + e))"
	err = w.call("POST", "/execute/async", object{"script": script, "args": []any{}}, &value)
	return value, err
}

func (w *webkit) act(actions []object) error {
	return w.call("POST", "/actions", object{"actions": actions}, nil)
}

func (w *webkit) choose(selector, file string) error {
	var element map[string]string
	if err := w.call("POST", "/element", object{"using": "css selector", "value": selector}, &element); err != nil {
		return err
	}
	for _, id := range element {
		return w.call("POST", "/element/"+id+"/value", object{"text": file}, nil)
	}
	return errors.New("no element")
}

func (w *webkit) complaints() []string { return nil }

// visitor is a person in front of the web page in such a browser.
type visitor struct {
	t    *testing.T
	base string
	otherBrowser
}

// say returns what JavaScript says, a promise or not.
func say[T any](v visitor, script string) (value T) {
	v.t.Helper()
	text, err := v.run("(async () => JSON.stringify((await (" + script + ")) ?? null))()")
	if err == nil {
		err = json.Unmarshal([]byte(text), &value)
	}
	if err != nil {
		v.t.Fatalf("%s: %v %s", script, err, text)
	}
	return value
}

func (v visitor) until(condition string) {
	v.t.Helper()
	ok := say[bool](v, lookFor(condition))
	if !ok {
		v.t.Fatalf("never true: %s\nWhat went wrong: %q\nThe page says:\n%s", condition, say[[]string](v, "window.wrong"),
			say[string](v, "document.body.innerText"))
	}
}

func (v visitor) shows(text string) {
	v.t.Helper()
	v.until(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

func (v visitor) press(name string) {
	v.t.Helper()
	v.until(button(name) + "?.disabled === false || " + button(name) + "?.href")
	say[any](v, button(name)+".click()")
}

// visit opens a page and has it record its errors.
func (v visitor) visit(path string) {
	v.t.Helper()
	if err := v.open(v.base + path); err != nil {
		v.t.Fatal(err)
	}
	say[any](v, `(() => { window.wrong = []
		addEventListener('error', (e) => wrong.push(String(e.message ?? e.target?.src))); addEventListener('unhandledrejection', (e) =>
			wrong.push(String(e.reason)))
		document.addEventListener('securitypolicyviolation', (e) => wrong.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI))
		for (const kind of ['error', 'warn']) { const real = console[kind]; console[kind] = (...a) => { wrong.push(a.join(' '));
			real(...a) } } })()`)
}

// well checks that nothing went wrong on the page.
func (v visitor) well(screen string) {
	v.t.Helper()
	if wrong := say[[]string](v, "window.wrong"); len(wrong) > 0 {
		v.t.Errorf("%s: %q", screen, wrong)
	}
	if wide := say[[]float64](v, "[document.documentElement.scrollWidth, innerWidth]"); wide[0] > wide[1] {
		v.t.Errorf("%s is %v pixels wide, in a window of %v", screen, wide[0], wide[1])
	}
}

// The keys that WebDriver names by code points of its own.
const (
	keyControl, keyEnter, keySpace = "\uE009", "\uE007", " "
	keyRight, keyDown              = "\uE014", "\uE015"
)

// keys presses keys one after another, with one held if need be.
func (v visitor) keys(keys string, held ...string) {
	v.t.Helper()
	var actions []object
	for _, k := range held {
		actions = append(actions, object{"type": "keyDown", "value": k})
	}
	for _, k := range keys {
		actions = append(actions, object{"type": "keyDown", "value": string(k)}, object{"type": "keyUp", "value": string(k)})
	}
	for _, k := range held {
		actions = append(actions, object{"type": "keyUp", "value": k})
	}
	if err := v.act([]object{{"type": "key", "id": "keyboard", "actions": actions}}); err != nil {
		v.t.Fatal(err)
	}
}

func (v visitor) fill(selector, text string) {
	v.t.Helper()
	v.until(fmt.Sprintf("document.querySelector(%q)", selector))
	say[any](v, fmt.Sprintf("(() => { const e = document.querySelector(%q); e.focus(); e.select() })()", selector))
	v.keys(text)
}

// drag presses the mouse at one place of the window and releases it at another.
func (v visitor) drag(x1, y1, x2, y2 float64) {
	v.t.Helper()
	move := func(x, y float64) object {
		return object{"type": "pointerMove", "x": int(x), "y": int(y), "duration": 50, "origin": "viewport"}
	}
	actions := []object{move(x1, y1), {"type": "pointerDown", "button": 0}, move((x1+x2)/2, (y1+y2)/2), move(x2, y2),
		{"type": "pointerUp", "button": 0}}
	if err := v.act([]object{{"type": "pointer", "id": "mouse", "parameters": object{"pointerType": "mouse"},
		"actions": actions}}); err != nil {
		v.t.Fatal(err)
	}
}

func TestBrowserFirefox(t *testing.T) { visit(t, startFirefox) }
func TestBrowserWebKit(t *testing.T)  { visit(t, startWebKit) }

// visit walks through the page in another browser: what it needs of the browser is there, and nothing goes wrong.
func visit(t *testing.T, browser func(t *testing.T) otherBrowser) {
	b := browser(t)
	s := start(t, t.TempDir())
	v := visitor{t, s.base, b}
	page, lines, boxes := drawn()
	file := write(t, t.TempDir(), "쪽 하나.png", page)

	v.visit("/")
	v.press("Create account")
	v.fill("[name=username]", "ann")
	v.fill("[name=email]", "ann@example.org")
	v.fill("[name=password]", password)
	v.fill("[name=again]", password)
	v.well("signing up")
	v.keys(keyEnter)
	v.shows("No pages yet")
	if err := v.choose("input[multiple]", file); err != nil {
		t.Fatal(err)
	}
	v.shows("1 page")
	v.until("document.querySelector('.thumb img').naturalWidth > 0")
	v.press("Close")
	v.well("the library")

	// A region, drawn by mouse, is read; its text is corrected, and a correction that was not saved survives a reload.
	say[any](v, "document.querySelector('a.name').click()")
	v.until("document.querySelector('.paper img')?.naturalWidth > 0")
	paper := say[struct{ X, Y, Width float64 }](v,
		"(({ x, y, width }) => ({ x, y, width }))(document.querySelector('.paper').getBoundingClientRect())")
	size, err := png.DecodeConfig(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	at := func(x, y int) (float64, float64) {
		scale := paper.Width / float64(size.Width)
		return paper.X + float64(x)*scale, paper.Y + float64(y)*scale
	}
	x1, y1 := at(boxes[0].X1-6, boxes[0].Y1-6)
	x2, y2 := at(boxes[0].X2+6, boxes[0].Y2+6)
	v.drag(x1, y1, x2, y2)
	v.shows(lines[0])
	say[any](v, "document.querySelector('ol > li .edit').click()")
	v.until("document.querySelector('textarea') === document.activeElement")
	say[any](v, "document.activeElement.select()")
	v.keys("Invoice 17")
	v.well("a page")
	v.visit(say[string](v, "location.pathname + location.search"))
	v.until("document.querySelector('textarea')?.value === 'Invoice 17'")
	v.press("Save")
	v.until("document.querySelector('ol > li .text')?.innerText === 'Invoice 17'")

	// The same by keys, and what is exported.
	say[any](v, "document.querySelector('.viewer').focus()")
	v.keys("n")
	v.until("document.querySelector('.new rect')")
	v.keys(keyDown + keyRight + keyEnter)
	v.until("document.querySelectorAll('ol > li').length === 2 && !document.querySelector('.region.busy')")
	v.keys("z", keyControl)
	v.until("document.querySelectorAll('ol > li').length === 1")
	say[any](v, "(() => { const make = URL.createObjectURL; URL.createObjectURL = (x) => { x.text().then((s) => { window.exported = s "+
		"}); return make(x) } })()")
	v.press("Export")
	v.press("Plain text")
	v.until("window.exported?.trim() === 'Invoice 17'")
	v.well("a page, again")

	// The library: a search in Hangul, keys in the grid, a selection.
	v.visit("/")
	v.shows("1 page")
	v.fill("[type=search]", "하나")
	v.until("new URL(location).searchParams.get('q') === '하나' && document.querySelectorAll('a.name').length === 1")
	v.fill("[type=search]", "둘")
	v.shows("No results for")
	v.press("Clear the search")
	v.shows("1 page")
	v.keys(keyDown)
	v.until("document.activeElement.dataset.index === '0'")
	v.keys(keySpace)
	v.shows("1 selected")
	v.press("Share")
	v.until("document.querySelectorAll('dialog fieldset [type=radio]').length === 3")
	say[any](v, "[...document.querySelectorAll('dialog fieldset [type=radio]')].at(-1).click()")
	v.press("Save")
	v.until("!document.querySelector('dialog')")
	v.shows("Shared")
	v.well("the library, again")

	// Colours that go with the scheme, and lines of Hangul that break between words.
	say[any](v, "localStorage.setItem('theme', 'dark'), localStorage.setItem('language', 'ko'), null")
	v.visit("/account")
	v.shows("비밀번호 변경")
	for what, want := range map[string]string{
		"getComputedStyle(document.documentElement).backgroundColor": "rgb(20, 21, 24)",
		"getComputedStyle(document.querySelector('h1')).wordBreak":   "keep-all",
	} {
		if got := say[string](v, what); got != want {
			t.Errorf("%s is %s, want %s", what, got, want)
		}
	}
	v.well("the account")

	// After signing out, the cookie does not sign in again.
	v.press("메뉴")
	v.press("로그아웃")
	v.until("document.querySelector('[name=password]')")
	v.visit("/")
	v.until("document.querySelector('[name=password]')")
	v.well("signed out")
	for _, c := range v.complaints() {
		if !strings.Contains(c, "401") { // which is the answer for a session if there is none
			t.Errorf("the browser complains: %s", c)
		}
	}
}

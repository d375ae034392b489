package app

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	api "glyphbox/client"
)

// nginxConf is a proxy that passes paths on as they are, and below /cut/ without it.
const nginxConf = `daemon off; pid %[1]s/pid; error_log stderr; worker_processes 1;
events {}
http {
	access_log off; client_max_body_size 100m;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3; uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server {
		listen %[2]s;
		proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
		location /ocr { proxy_pass http://%[3]s; }
		location /texts/ocr/ { proxy_pass http://%[4]s/; }
	}
}
`

// startNginx starts a proxy before two services and returns its address.
func startNginx(t *testing.T, whole, cut string) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			missing(t, "nginx", "nginx")
		}
	}
	dir, address := t.TempDir(), freeAddress(t)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, address, whole, cut), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, "-c", conf, "-p", dir, "-e", "stderr")
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	for {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("nginx: %v\n%s", err, said.String())
		default:
		}
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
	}
}

var pageLinks = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

// Behind a proxy that shows the service below a path, everything leads to below that path: whether the proxy passes it on or cuts it off.
func TestBasePathBehindNginx(t *testing.T) {
	whole := start(t, t.TempDir(), "--base-path", "/ocr", "--trusted-proxies", "127.0.0.1")
	cut := start(t, t.TempDir(), "--base-path", "/texts/ocr", "--trusted-proxies", "127.0.0.1")
	proxy := "http://" + startNginx(t, strings.TrimPrefix(whole.base, "http://"), strings.TrimPrefix(cut.base, "http://"))
	for _, base := range []string{"/ocr", "/texts/ocr"} {
		t.Run(base, func(t *testing.T) {
			walkBelow(t, proxy, base)
			browseBelow(t, proxy, base)
		})
	}
	t.Run("away", func(t *testing.T) { missBelow(t, cut, proxy+"/texts/ocr") })
	if r := whole.do(http.StatusOK, "GET", "/health", nil); !bytes.Contains(r.body, []byte("ok")) { // probes of the process itself
		t.Errorf("health: %s", r.body)
	}
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := noRedirect.Get(proxy + "/ocr")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if to, err := r.Location(); err != nil || to.Path != "/ocr/" {
		t.Errorf("/ocr leads to %v, %v", to, err)
	}
}

// browseBelow signs in on the web page, opens an image, and loads the page of the image anew: all stays below the path.
func browseBelow(t *testing.T, proxy, base string) {
	b := browse(t, proxy+base)
	png, _, _ := drawn()
	image := person{t: t, base: proxy + base}.login("ann", password).upload("below.png", png)
	b.open("/")
	b.signIn("ann", password)
	b.shows("below.png")
	b.openImage(image.ID, "")
	b.look("below" + strings.ReplaceAll(base, "/", "-"))
	b.until(fmt.Sprintf("location.pathname === '%s/image/%d'", base, image.ID))
	b.until(fmt.Sprintf("performance.getEntriesByType('resource').every((e) => !e.name.startsWith('http') || new "+
		"URL(e.name).pathname.startsWith('%s/'))", base))
}

// missBelow has the service go away behind its proxy, which answers in its place, and come back.
func missBelow(t *testing.T, s *server, below string) {
	b := browse(t, below)
	b.open("/")
	b.signIn("ann", password)
	b.shows("below.png")
	s.stop()
	s.wait()
	b.fill("[type=search]", "below")
	b.shows("The service cannot be reached.")
	b.until("performance.getEntriesByType('resource').some((e) => e.name.endsWith('/ping') && e.responseStatus === 502)")
	b.shows("The service cannot be reached.")
	start(t, t.TempDir(), "--addr", strings.TrimPrefix(s.base, "http://"), "--base-path", "/texts/ocr")
	b.until("!document.querySelector('.offline')")
	b.until("performance.getEntriesByType('resource').every((e) => new URL(e.name).pathname.startsWith('/texts/ocr/'))")
}

func walkBelow(t *testing.T, proxy, base string) {
	ctx := t.Context()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := api.Client{Server: proxy + base, HTTP: &http.Client{Jar: jar}}
	if _, err := c.SignUp(ctx, api.SignUpForm{Name: "ann", Email: "ann@example.org", Password1: password,
		Password2: password}); err != nil {
		t.Fatal(err)
	}
	grant, err := c.Login(ctx, "ann", password)
	if err != nil {
		t.Fatal(err)
	}
	c = c.WithToken(grant.AccessToken)
	if logins, err := c.Logins(ctx, api.Page{}); err != nil || logins.Items[0].Address != "127.0.0.1" {
		t.Errorf("logins %+v, %v", logins, err)
	}

	// Location and Link can be followed as they are.
	png, _, _ := drawn()
	body, contentType := multipartOf(t, "a.png", png)
	r, err := c.Do(ctx, "POST", "/api/v1/image", http.Header{"Content-Type": {contentType}}, body)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	location := r.Header.Get("Location")
	if !strings.HasPrefix(location, base+"/api/v1/image/") {
		t.Errorf("Location is %s", location)
	}
	outer := api.Client{Server: proxy, Token: c.Token, HTTP: c.HTTP}
	follow := func(path string) *http.Response {
		t.Helper()
		r, err := outer.Do(ctx, "GET", path, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		_ = r.Body.Close()
		return r
	}
	follow(location)
	if _, err := c.Upload(ctx, "b.png", bytes.NewReader(png)); err != nil {
		t.Fatal(err)
	}
	link := follow(base + "/api/v1/image?size=1").Header.Get("Link")
	next, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
	if !strings.HasPrefix(next, base+"/api/v1/image?") {
		t.Errorf("Link is %s", link)
	}
	follow(next)

	// A page's session is in a cookie that goes to this service only.
	form := url.Values{"username": {"ann"}, "password": {password}}
	r, err = c.Do(ctx, "POST", "/api/v1/user/login", http.Header{"Content-Type": {"application/x-www-form-urlencoded"},
		"X-Glyphbox-Session": {"cookie"}},
		strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if cookies := r.Cookies(); len(cookies) != 1 || cookies[0].Path != base+"/api/v1/user" {
		t.Errorf("cookies %v", cookies)
	}
	r, err = c.Do(ctx, "POST", "/api/v1/user/token", http.Header{"Content-Type": {"application/json"}, "X-Glyphbox-Session": {"cookie"}},
		strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()

	// Whatever the page, its parts and the documentation link to is there.
	for _, at := range []string{"/", "/image/1", "/docs"} {
		page := string(readBody(t, outer, base+at))
		seen, err := url.Parse(proxy + base + at)
		if err != nil {
			t.Fatal(err)
		}
		links := pageLinks.FindAllStringSubmatch(page, -1)
		if len(links) < 4 {
			t.Errorf("%s links to %d", at, len(links))
		}
		for _, m := range links {
			to, err := seen.Parse(m[1])
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(page[strings.Index(page, m[0])-6:], "<base ") {
				seen = to // what follows is relative to it
			}
			if !strings.HasPrefix(to.Path, base+"/") {
				t.Errorf("%s: %s leads out of the service", at, m[1])
				continue
			}
			follow(to.Path)
		}
	}
	document := string(readBody(t, outer, base+"/openapi.json"))
	for _, want := range []string{`"url": "` + base + `"`, `"tokenUrl": "` + base + `/api/v1/user/login"`} {
		if !strings.Contains(document, want) {
			t.Errorf("the document has no %s", want)
		}
	}
}

func readBody(t *testing.T, c api.Client, path string) []byte {
	t.Helper()
	r, err := c.Do(t.Context(), "GET", path, nil, nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer r.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

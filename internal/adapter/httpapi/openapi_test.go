package httpapi

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	pathpkg "path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/openapi.json anew")

func TestOpenAPIGolden(t *testing.T) {
	got, err := OpenAPI("1.0")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("with -update it is taken as it is (-want +got):\n%s", d)
	}
	s := open(t)
	if served := s.ask("GET", "/openapi.json", request{}).want(200).body; served != string(got) {
		t.Error("what is served is something else")
	}
}

// contract are the operations that clients rely on, by what they are for.
var contract = map[string][]string{
	"job": {"POST /api/v1/job", "GET /api/v1/job", "GET /api/v1/job/{id}", "GET /api/v1/job/{id}/item", "GET /api/v1/job/{id}/events",
		"POST /api/v1/job/{id}/retry",
		"DELETE /api/v1/job/{id}"},
	"webhook": {"POST /api/v1/webhook", "GET /api/v1/webhook", "GET /api/v1/webhook/{id}", "PUT /api/v1/webhook/{id}",
		"DELETE /api/v1/webhook/{id}", "GET /api/v1/webhook/{id}/delivery", "POST /api/v1/webhook/{id}/delivery/{delivery}/replay"},
	"system": {"GET /ping", "GET /health", "GET /ready"},
	"admin": {"GET /api/v1/admin/service", "GET /api/v1/admin/user", "PUT /api/v1/admin/user/{id}/role",
		"PUT /api/v1/admin/user/{id}/state/{state}", "GET /api/v1/admin/dead", "POST /api/v1/admin/dead/{id}/replay",
		"DELETE /api/v1/admin/user/{id}/state/{state}", "GET /api/v1/admin/user/{id}/limits", "PUT /api/v1/admin/user/{id}/limits"},
	"user": {"POST /api/v1/user", "GET /api/v1/user/signup", "POST /api/v1/user/login", "POST /api/v1/user/token",
		"POST /api/v1/user/logout", "GET /api/v1/user/me", "GET /api/v1/user/logins", "GET /api/v1/user/settings",
		"PUT /api/v1/user/settings", "GET /api/v1/user/limits",
		"PUT /api/v1/user", "PUT /api/v1/user/password", "DELETE /api/v1/user", "POST /api/v1/user/key", "GET /api/v1/user/key",
		"DELETE /api/v1/user/key/{id}"},
	"image": {"POST /api/v1/image", "GET /api/v1/image", "GET /api/v1/image/{id}", "GET /api/v1/image/{id}/meta",
		"GET /api/v1/image/{id}/thumbnail",
		"GET /api/v1/image/{id}/view", "GET /api/v1/image/{id}/crop", "GET /api/v1/image/{id}/layout", "PUT /api/v1/image/{id}",
		"DELETE /api/v1/image/{id}", "GET /api/v1/image/{id}/share", "PUT /api/v1/image/{id}/share", "GET /api/v1/tag"},
	"recognition": {"POST /api/v1/image/{id}/ocr", "GET /api/v1/image/{id}/ocr", "GET /api/v1/image/{id}/ocr/{version}/export",
		"GET /api/v1/image/{id}/export", "GET /api/v1/image/{id}/events", "POST /api/v1/export", "GET /api/v1/ocr/{id}",
		"PUT /api/v1/ocr/{id}", "GET /api/v1/ocr/{id}/revisions", "GET /api/v1/image/{id}/ocr/deleted",
		"DELETE /api/v1/ocr/{id}", "GET /api/v1/search", "GET /api/v1/ocr/psm", "GET /api/v1/ocr/oem", "GET /api/v1/ocr/lang"},
}

type document31 struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		Tags        []string
		Summary     string
		OperationID string
		Security    []map[string][]string
		RequestBody *struct{ Content map[string]any }
		Responses   map[string]struct {
			Ref     string `json:"$ref"`
			Content map[string]any
		}
	}
	Components struct {
		Schemas         map[string]struct{ Properties map[string]any }
		SecuritySchemes map[string]struct {
			Type, Scheme string
			Flows        struct{ Password struct{ TokenURL string } }
		}
	}
}

var documentOnce = sync.OnceValues(func() (doc document31, err error) {
	text, err := OpenAPI("1.0")
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	return doc, err
})

// documented checks that the document knows of the answer to a request: its status and, where it is a success, its media type.
func (a answer) documented(method, path string) {
	a.t.Helper()
	doc, err := documentOnce()
	if err != nil {
		a.t.Fatal(err)
	}
	path, _, _ = strings.Cut(path, "?")
	switch {
	case method == http.MethodHead:
		method = http.MethodGet
	case a.status == http.StatusMethodNotAllowed: // no operation
		return
	}
	for _, template := range slices.Sorted(maps.Keys(doc.Paths)) { // a word goes before a parameter
		op, has := doc.Paths[template][strings.ToLower(method)]
		if !has || !regexp.MustCompile("^"+regexp.MustCompile(`{\w+}`).ReplaceAllString(template, "[^/]+")+"$").MatchString(path) {
			continue
		}
		response, has := op.Responses[fmt.Sprint(a.status)]
		if !has {
			a.t.Errorf("%s: %d is not documented", a.what, a.status)
		}
		got, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
		if a.status >= 400 || got == "" {
			return
		}
		for want := range response.Content {
			if ok, _ := pathpkg.Match(want, got); ok {
				return
			}
		}
		a.t.Errorf("%s: %s is not documented with %d", a.what, got, a.status)
		return
	}
}

func TestOpenAPI(t *testing.T) {
	text, err := OpenAPI("1.0")
	if err != nil {
		t.Fatal(err)
	}
	var doc document31
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
	got := map[string][]string{}
	open := []string{"sign-up", "sign-up-open", "login", "refresh", "ping", "health", "ready"}
	for path, item := range doc.Paths {
		for method, op := range item {
			target := strings.ToUpper(method) + " " + path
			if len(op.Tags) != 1 || op.Summary == "" || op.OperationID == "" {
				t.Errorf("%s: tags %v, summary %q, id %q", target, op.Tags, op.Summary, op.OperationID)
				continue
			}
			got[op.Tags[0]] = append(got[op.Tags[0]], target)
			if isOpen := slices.Contains(open, op.OperationID); isOpen != (len(op.Security) == 0) {
				t.Errorf("%s: security %v", target, op.Security)
			}
			for status, r := range op.Responses {
				if status >= "400" && r.Ref != "#/components/responses/Problem"+status && target+status != "GET /ready503" {
					t.Errorf("%s: %s is %q", target, status, r.Ref)
				}
			}
			hasBody := map[string]string{"upload": "multipart/form-data", "login": "application/x-www-form-urlencoded", "logout": "",
				"retry-job": "", "replay": "", "replay-delivery": ""}
			want, ok := hasBody[op.OperationID]
			if !ok && (method == "post" || method == "put") {
				want = "application/json"
			}
			var bodies []string
			if op.RequestBody != nil {
				bodies = slices.Collect(maps.Keys(op.RequestBody.Content))
			}
			if strings.Join(bodies, " ") != want {
				t.Errorf("%s: body %v, want %q", target, bodies, want)
			}
		}
	}
	for _, m := range []map[string][]string{got, contract} {
		for tag := range m {
			slices.Sort(m[tag])
		}
	}
	if d := cmp.Diff(contract, got); d != "" {
		t.Errorf("operations (-contract +got):\n%s", d)
	}
	if s := doc.Components.SecuritySchemes; s["password"].Type != "oauth2" ||
		s["password"].Flows.Password.TokenURL != "/api/v1/user/login" ||
		s["bearer"].Type != "http" || s["bearer"].Scheme != "bearer" {
		t.Errorf("security schemes %+v", s)
	}
	wantProblem := []string{"code", "detail", "errors", "limit", "request_id", "status", "title", "type"}
	if d := cmp.Diff(wantProblem, slices.Sorted(maps.Keys(doc.Components.Schemas["Problem"].Properties))); d != "" {
		t.Errorf("problem (-want +got):\n%s", d)
	}
	for _, ref := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllSubmatch(text, -1) {
		if _, ok := doc.Components.Schemas[string(ref[1])]; !ok {
			t.Errorf("%s leads nowhere", ref[0])
		}
	}
}

// The page asks nobody else for anything: not by what it is made of, and its policy would not let it.
func TestDocsKeepToTheirOrigin(t *testing.T) {
	s := open(t)
	a := s.ask("GET", "/docs", request{}).want(200)
	for directive := range strings.SplitSeq(a.header.Get("Content-Security-Policy"), ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
		for source := range strings.FieldsSeq(sources) {
			if !slices.Contains([]string{"'none'", "'self'", "data:"}, source) && name+source != "style-src'unsafe-inline'" {
				t.Errorf("%s allows %s", name, source)
			}
		}
	}
	if !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("policy %s", a.header.Get("Content-Security-Policy"))
	}
	links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(a.body, -1)
	if len(links) < 4 {
		t.Errorf("the page has %d links", len(links))
	}
	for _, link := range links {
		s.ask("GET", "/"+link[1], request{}).want(200) // as seen from /docs; which only paths of ours can be
		if strings.HasPrefix(link[1], "/") {           // it would lead out of a service below another path
			t.Errorf("the page leads to %s", link[1])
		}
	}
	if strings.Contains(a.body, "<style") || strings.Contains(a.body, "<script>") || strings.Contains(a.body, "://") {
		t.Error("the page has inline parts or addresses")
	}
	init := s.ask("GET", "/docs/init.js", request{}).want(200).body
	if strings.Contains(init, "://") || !strings.Contains(init, "validatorUrl: null") {
		t.Errorf("the page is begun by %s", init)
	}
	css := s.ask("GET", "/docs/swagger-ui.css", request{}).want(200).body
	for _, use := range regexp.MustCompile(`url\(\s*["']?([^"')]{0,40})|@import\s*(\S{0,40})`).FindAllStringSubmatch(css, -1) {
		if !strings.HasPrefix(use[1], "data:") {
			t.Errorf("the style sheet uses %s", use[0])
		}
	}
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js"} {
		if strings.Contains(s.ask("GET", "/docs/"+name, request{}).want(200).body, "sourceMappingURL=") {
			t.Errorf("%s names a source map that is not there", name)
		}
	}
	tag := a.header.Get("ETag")
	s.ask("GET", "/docs", request{}.head("If-None-Match", tag)).want(304)
}

package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// protected are all operations that need a token, on things that are not there, from the table of routes.
func protected(t *testing.T) (targets []string) {
	t.Helper()
	a, err := build(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range a.Routes() {
		if r.Open {
			continue
		}
		numbers := slices.ContainsFunc([]string{"/image/", "/admin/user/", "/webhook/"}, func(part string) bool {
			return strings.Contains(r.Path(), part)
		})
		id := map[bool]string{true: "9999", false: "x"}[numbers]
		target := strings.NewReplacer("{id}", id, "{version}", "1", "{state}", "blocked", "{delivery}", "x").Replace(r.Pattern)
		switch r.ID {
		case "crop":
			target += "?x1=0&y1=0&x2=1&y2=1"
		case "export", "export-document":
			target += "?format=txt"
		}
		targets = append(targets, target)
	}
	if len(targets) < 30 {
		t.Fatalf("%d operations need a token", len(targets))
	}
	return targets
}

func TestEveryOperationNeedsAToken(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	for _, target := range protected(t) {
		method, path, _ := strings.Cut(target, " ")
		s.ask(method, path, request{}).want(401).code("no_token")
		s.ask(method, path, as("nonsense")).want(401).code("invalid_token")
		s.ask(method, path, request{header: map[string]string{"Authorization": "Basic " + token}}).want(401).code("no_token")
		s.ask(method, path, request{header: map[string]string{"Authorization": "Bearer"}}).want(401).code("no_token")
	}
	s.ask("GET", base+"/user/me", request{header: map[string]string{"Authorization": "bearer  " + token}}).want(200)
}

func TestWhatIsNotThere(t *testing.T) {
	s := open(t)
	_, token := s.user("root")
	body := map[string]string{"PUT " + base + "/admin/user/9999/role": `{"role":null}`, "PUT " + base + "/image/9999": `{"name":"x"}`,
		"PUT " + base + "/webhook/9999": `{"items":true}`, "PUT " + base + "/admin/user/9999/limits": `{}`,
		"PUT " + base + "/image/9999/share": `{"users":[]}`,
		"PUT " + base + "/ocr/x":            `{"text":"x"}`}
	for _, target := range protected(t) {
		if !strings.Contains(target, "9999") && !strings.Contains(target, "/x") {
			continue
		}
		method, path, _ := strings.Cut(target, " ")
		s.ask(method, path, as(token).with(body[target])).want(404)
	}
	for _, id := range []string{"abc", "0", "-1", "1.5", "99999999999999999999"} {
		s.ask("GET", base+"/image/"+id+"/meta", as(token)).want(422).code("invalid_input", "id")
	}
}

func TestQueries(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(token).ID)
	for target, fields := range map[string][]string{
		"GET " + base + "/image?sizes=5":                   {"sizes"},
		"GET " + base + "/image?Size=5":                    {"Size"},
		"GET " + base + "/image?size=5&z=&y=1":             {"y", "z"},
		"GET " + base + "/image?size=5&size=6":             {"size"},
		"GET " + base + "/user/me?verbose":                 {"verbose"},
		"GET " + base + "/ocr/lang?lang=eng":               {"lang"},
		"POST " + image + "/ocr?langs=eng":                 {"langs"},
		"POST " + image + "/ocr?lang=eng&lang=kor&psm=6":   nil,
		"DELETE " + base + "/user?image=keep":              {"image"}, // whose images would be lost
		"GET " + image + "?t=17":                           {"t"},
		"GET " + image + "/thumbnail?size=64":              {"size"},
		"GET " + image + "/view?width=100&width=200&t=17":  {"t", "width"},
		"GET " + image + "/crop?x1=0&y1=0&x2=9&y2=9&lan=x": {"lan"},
		"GET " + image + "/export?format=txt&page=1":       {"page"},
		"GET " + image + "/ocr/1/export?format=txt&pages=": {"pages"},
		"POST " + base + "/export?format=txt":              {"format"},
		"GET /health?probe=1":                              nil,
		"GET " + base + "/image?size=5&page=0&keyword=%20": nil,
	} {
		method, path, _ := strings.Cut(target, " ")
		a := s.ask(method, path, as(token))
		if fields == nil {
			a.want(200)
			continue
		}
		a.want(422).code("invalid_input", fields...)
	}
	for target, detail := range map[string]string{
		"/image?page=99999999999":                          "at most 100000000",
		"/image?size=0":                                    "at least 1",
		"/image?size=x":                                    "a whole number",
		"/image/99999999999999999999/meta":                 "a whole number of at most 15 digits",
		"/image?sort=best":                                 "one of newest, oldest, name",
		"/image?keyword=" + strings.Repeat("x", 201):       "at most 200 characters",
		"/image?" + strings.Repeat("tag=x&", 50) + "tag=x": "at most 50 entries",
		"/search?q=":                                       "must be given",
		"/search":                                          "must be given",
	} {
		if got := s.ask("GET", base+target, as(token)).want(422).problem().Errors[0].Detail; got != detail {
			t.Errorf("%s: got %q, want %q", target, got, detail)
		}
	}
	s.ask("DELETE", base+"/ocr/x?purge=maybe", as(token)).want(422).code("invalid_input", "purge")
	if a := s.ask("GET", base+"/image?sizes=5", as(token)); !strings.Contains(a.body, "before, document, keyword, owner, page, size") {
		t.Errorf("it is not said what is allowed: %s", a.body)
	}
}

func TestBodies(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	for name, test := range map[string]struct {
		request
		status int
		code   string
		fields []string
	}{
		"none":      {request{}, 400, "body_missing", nil},
		"blank":     {request{body: " "}, 400, "body_missing", nil},
		"malformed": {request{body: `{"name":`}, 400, "malformed_json", nil},
		"two":       {request{body: `{} {}`}, 400, "malformed_json", nil},
		"not JSON":  {request{body: `{}`, contentType: "text/plain"}, 415, "wrong_content_type", nil},
		"odd type":  {request{body: `{}`, contentType: ";"}, 415, "wrong_content_type", nil},
		"no type":   {request{body: `{"name":"x1","email":"a@example.org"}`, contentType: "-"}, 200, "", nil},
		"charset": {request{body: `{"name":"x2","email":"a@example.org"}`, contentType: "application/json; charset=utf-8"}, 200, "",
			nil},
		"unknown field": {request{body: `{"name":"x3","email":"a@example.org","age":[{"x":null}],"x":{}}`}, 422, "invalid_input",
			[]string{"age", "x"}},
		"field twice":   {request{body: `{"name":"x3","email":"a@example.org","name":"x4"}`}, 422, "invalid_input", []string{"name"}},
		"byte order":    {request{body: "\uFEFF" + `{"name":"x5","email":"a@example.org"}`}, 200, "", nil},
		"only that":     {request{body: "\uFEFF "}, 400, "body_missing", nil},
		"UTF-16":        {request{body: "\xff\xfe{\x00}\x00"}, 400, "malformed_json", nil},
		"letter case":   {request{body: `{"NAME":"x3","name":"x3","email":"a@example.org"}`}, 422, "invalid_input", []string{"NAME"}},
		"wrong types":   {request{body: `{"name":["x3"],"age":3,"email":true}`}, 422, "invalid_input", []string{"name", "age", "email"}},
		"compressed":    {request{body: "\x1f\x8b"}.head("Content-Encoding", "gzip"), 415, "wrong_content_encoding", nil},
		"identity":      {request{body: `{}`}.head("Content-Encoding", "identity"), 422, "invalid_input", []string{"name", "email"}},
		"a list":        {request{body: `[]`}, 422, "invalid_input", []string{"body"}},
		"null":          {request{body: ` null `}, 422, "invalid_input", []string{"body"}},
		"half":          {request{body: `{"name":"x4\ud800b"}`}, 400, "malformed_json", nil},
		"other half":    {request{body: `{"name":"\uDc00"}`}, 400, "malformed_json", nil},
		"two halves":    {request{body: `{"name":"\ud83d\ud83d\ude00"}`}, 400, "malformed_json", nil},
		"half and text": {request{body: `{"name":"\\\ud83d\\ude00"}`}, 400, "malformed_json", nil},
		"half in a key": {request{body: `{"\ud83d":1}`}, 400, "malformed_json", nil},
		"a pair":        {request{body: `{"name":"\\ud800\ud83d\ude00"}`}, 422, "invalid_input", []string{"name", "email"}},
		"not UTF-8":     {request{body: "{\"name\":\"x4\",\"email\":\"\xff@example.org\"}"}, 400, "malformed_json", nil},
		"wrong type":    {request{body: `{"name":5}`}, 422, "invalid_input", []string{"name"}},
		"nothing in it": {request{body: `{}`}, 422, "invalid_input", []string{"name", "email"}},
		"too large":     {request{body: `{"name":"` + strings.Repeat("x", jsonLimit) + `"}`}, 413, "body_too_large", nil},
	} {
		test.token = token
		a := s.ask("PUT", base+"/user", test.request)
		if test.status == 200 {
			a.want(200)
			continue
		}
		t.Log(name)
		a.want(test.status).code(test.code, test.fields...)
		if strings.Contains(a.body, "Go ") || strings.Contains(a.body, "json:") {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

func TestUser(t *testing.T) {
	s := open(t)
	signUp := func(name, email, password1, password2 string) answer {
		return s.ask("POST", base+"/user", request{body: fmt.Sprintf(`{"name":%q,"email":%q,"password1":%q,"password2":%q}`, name, email,
			password1, password2)})
	}
	ann := read[client.User](signUp("ann", "ann@example.org", password, password).want(201))
	name, email := "ann", "ann@example.org"
	want := client.User{ID: ann.ID, Name: &name, Email: &email, States: []client.State{}, CreatedDatetime: ann.CreatedDatetime}
	if d := cmp.Diff(want, ann); d != "" {
		t.Errorf("user (-want +got):\n%s", d)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z", ann.CreatedDatetime); err != nil {
		t.Error(err)
	}
	signUp("ANN", "other@example.org", password, password).want(409).code("name_taken", "name")
	signUp("other", "ANN@example.org", password, password).want(409).code("email_taken", "email")
	signUp("", "x", "short", "other").want(422).code("invalid_input", "name", "email", "password1", "password2")

	// Signing in.
	login := base + "/user/login"
	s.ask("POST", login, form("username", "ann", "password", "wrong-password")).want(401).code("wrong_credentials")
	s.ask("POST", login, form("username", "nobody", "password", "wrong-password")).want(401).code("wrong_credentials")
	s.ask("POST", login, form("username", "ann")).want(422).code("invalid_input", "password")
	s.ask("POST", login, request{}).want(422).code("invalid_input", "username", "password")
	s.ask("POST", login, form("username", "ann", "username", "ben", "password", password)).want(422).code("invalid_input", "username")
	s.ask("POST", login, form("grant_type", "client_credentials", "username", "ann", "password", password)).want(400).
		code("unsupported_grant_type", "grant_type")
	s.ask("POST", login, request{body: "{}"}).want(415).code("wrong_content_type")
	s.ask("POST", login, request{body: "username=%zz", contentType: "application/x-www-form-urlencoded"}).want(400).code("malformed_form")
	s.ask("POST", login, request{body: "username=%ff", contentType: "application/x-www-form-urlencoded"}).want(400).code("malformed_form")
	s.ask("POST", login, form("username", strings.Repeat("x", formLimit))).want(413).code("body_too_large")
	a := s.ask("POST", login, form("grant_type", "password", "scope", "", "username", "ann", "password", password)).want(200)
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	grant := read[client.Grant](a)
	if grant.Username != "ann" || grant.TokenType != "bearer" || grant.ExpiresIn != 900 || grant.AccessToken == "" ||
		grant.RefreshToken == "" {
		t.Errorf("grant %+v", grant)
	}
	for range 4 {
		a = s.ask("POST", login, form("username", "mallory", "password", "wrong-password"))
	}
	a.want(429).code("too_many_attempts")

	// New tokens.
	renew := func(token string) answer {
		return s.ask("POST", base+"/user/token", request{body: `{"refresh_token":"` + token + `"}`})
	}
	second := read[client.Grant](renew(grant.RefreshToken).want(200))
	renew("nonsense").want(401).code("invalid_token")
	s.ask("POST", base+"/user/token", request{body: `{"refreshToken":"x"}`}).want(422).code("invalid_input", "refreshToken")
	renew(grant.RefreshToken).want(401).code("token_reused")
	renew(second.RefreshToken).want(401).code("invalid_token")
	s.ask("GET", base+"/user/me", as(second.AccessToken)).want(401)
	token := s.login("ann").AccessToken
	if d := cmp.Diff(want, read[client.User](s.ask("GET", base+"/user/me", as(token)).want(200))); d != "" {
		t.Errorf("me (-want +got):\n%s", d)
	}
	a = s.ask("GET", base+"/user/logins?size=1&page=0", as(token).head("User-Agent", "x")).want(200)
	logins := read[[]client.Login](a)
	if len(logins) != 1 || logins[0].Address != "127.0.0.1" || logins[0].UserAgent == "" || a.header.Get("X-Total-Count") != "2" ||
		a.header.Get("Link") != `</api/v1/user/logins?page=1&size=1>; rel="next"` {
		t.Errorf("logins %v %v", logins, a.header)
	}

	// Name, e-mail and password.
	got := read[client.User](s.ask("PUT", base+"/user", as(token).with(`{"name":"Anne","email":"anne@example.org"}`)).want(200))
	if *got.Name != "Anne" || *got.Email != "anne@example.org" {
		t.Errorf("profile %+v", got)
	}
	s.user("ben")
	s.ask("PUT", base+"/user", as(token).with(`{"name":"ben","email":"anne@example.org"}`)).want(409).code("name_taken", "name")
	other := read[client.Grant](s.ask("POST", login, form("username", "anne", "password", password)).want(200)).AccessToken
	change := func(current, password1, password2 string) answer {
		return s.ask("PUT", base+"/user/password", as(token).with(fmt.Sprintf(`{"current_password":%q,"password1":%q,"password2":%q}`,
			current, password1, password2)))
	}
	change("wrong-password", "new-password-1", "new-password-1").want(422).code("invalid_input", "current_password")
	change(password, "new-password-1", "new-password-2").want(422).code("invalid_input", "password2")
	change(password, "new-password-1", "new-password-1").want(200)
	s.ask("GET", base+"/user/me", as(other)).want(401)
	s.ask("GET", base+"/user/me", as(token)).want(200)

	// API keys.
	key := func(body string) answer { return s.ask("POST", base+"/user/key", as(token).with(body)) }
	key(`{"name":""}`).want(422).code("invalid_input", "name")
	key(`{"name":"x","expires":"tomorrow"}`).want(422).code("invalid_input", "expires")
	for _, past := range []string{"2001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"} {
		key(`{"name":"x","expires":"`+past+`"}`).want(422).code("invalid_input", "expires")
	}
	a = key(`{"name":"scanner","expires":null}`).want(201)
	made := read[client.NewKey](a)
	if made.Name != "scanner" || made.Expires != nil || made.LastUsed != nil || made.Secret == "" ||
		a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("key %+v", made)
	}
	lapsing := read[client.NewKey](key(`{"name":"lapsing","expires":"2999-01-01T01:00:00+01:00"}`).want(201))
	if lapsing.Expires == nil || *lapsing.Expires != "2999-01-01T00:00:00.000000Z" {
		t.Errorf("key %+v", lapsing)
	}
	key(`{"name":"third"}`).want(409).code("too_many_keys")
	s.ask("GET", base+"/user/me", as(made.Secret)).want(200)
	s.ask("POST", base+"/user/logout", as(made.Secret)).want(403).code("session_required")
	s.ask("PUT", base+"/user", as(made.Secret).with(`{"name":"mallory","email":"mallory@example.org"}`)).want(403).code("session_required")
	a = s.ask("GET", base+"/user/key", as(token)).want(200)
	keys := read[[]client.Key](a)
	if len(keys) != 2 || keys[1].ID != made.ID || keys[1].LastUsed == nil || strings.Contains(a.body, made.Secret) {
		t.Errorf("keys %s", a.body)
	}
	s.ask("DELETE", base+"/user/key/"+made.ID, as(token)).want(204)
	s.ask("DELETE", base+"/user/key/"+made.ID, as(token)).want(404)
	s.ask("GET", base+"/user/me", as(made.Secret)).want(401)

	// Leaving.
	s.ask("POST", base+"/user/logout", as(token)).want(204)
	s.ask("GET", base+"/user/me", as(token)).want(401)
	a = s.ask("POST", login, form("grant_type", "", "username", "anne", "password", "new-password-1")).want(200)
	token = read[client.Grant](a).AccessToken
	s.ask("DELETE", base+"/user?images=burn", as(token)).want(422).code("invalid_input", "images")
	s.ask("DELETE", base+"/user", as(token)).want(204)
	s.ask("GET", base+"/user/me", as(token)).want(401)

	closed := open(t)
	closed.accounts.SignUpOpen = false
	closed.ask("POST", base+"/user", request{body: `{"name":"ann"}`}).want(403).code("signup_closed")
	if read[client.SignUp](closed.ask("GET", base+"/user/signup", request{}).want(200)).Open ||
		!read[client.SignUp](s.ask("GET", base+"/user/signup", request{}).want(200)).Open {
		t.Error("it is not told whether sign-up is open")
	}
}

func TestResignKeepsImages(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, ben := s.user("ben")
	shared := s.image(ann)
	s.ask("PUT", fmt.Sprintf("%s/image/%d", base, shared.ID), as(ann).with(`{"visibility":"shared"}`)).want(200)
	s.ask("DELETE", base+"/user?images=keep", as(ann)).want(204)
	got := read[client.Image](s.ask("GET", fmt.Sprintf("%s/image/%d/meta", base, shared.ID), as(ben)).want(200))
	if got.User.ID != shared.User.ID || got.User.Name != nil {
		t.Errorf("owner %+v", got.User)
	}
	_, root := s.user("root")
	users := read[[]client.User](s.ask("GET", base+"/admin/user", as(root)).want(200))
	if u := users[0]; u.Name != nil || u.Email != nil || u.Role != nil {
		t.Errorf("who resigned is %+v", u)
	}
}

func TestAdmin(t *testing.T) {
	s := open(t)
	me, root := s.user("root")
	id, ann := s.user("ann")
	s.user("ben")
	s.ask("GET", base+"/admin/user", as(ann)).want(403).code("admin_only")
	a := s.ask("GET", base+"/admin/user?keyword=N&size=1&page=1", as(root)).want(200)
	users := read[[]client.User](a)
	if len(users) != 1 || *users[0].Name != "ben" || a.header.Get("X-Total-Count") != "2" ||
		a.header.Get("Link") != `</api/v1/admin/user?keyword=N&page=0&size=1>; rel="prev"` {
		t.Errorf("users %s, %v", a.body, a.header)
	}
	s.ask("GET", base+"/admin/user?keyword=%ff", as(root)).want(422).code("invalid_input", "keyword")
	if a := s.ask("GET", base+"/admin/user?keyword=a%00b", as(root)).want(422); !strings.Contains(a.body, "without the character U+0000") {
		t.Errorf("got %s", a.body)
	}

	user := fmt.Sprintf("%s/admin/user/%d", base, id)
	got := read[client.User](s.ask("PUT", user+"/role", as(root).with(`{"role":"admin"}`)).want(200))
	if got.Role == nil || *got.Role != "admin" {
		t.Errorf("role %v", got.Role)
	}
	s.ask("GET", base+"/admin/user", as(ann)).want(200)
	got = read[client.User](s.ask("PUT", user+"/role", as(root).with(`{"role":null}`)).want(200))
	if got.Role != nil {
		t.Errorf("role %v", *got.Role)
	}
	// A role is taken by null only, and not by what does not name one.
	for _, body := range []string{`{"role":"king"}`, `{"role":""}`, `{}`, `{"role":1}`} {
		s.ask("PUT", user+"/role", as(root).with(body)).want(422).code("invalid_input", "role")
	}
	s.ask("PUT", user+"/role", as(ann).with(`{"role":"admin"}`)).want(403).code("admin_only")
	s.ask("PUT", fmt.Sprintf("%s/admin/user/%d/role", base, me), as(root).with(`{"role":null}`)).want(403).code("own_account")

	got = read[client.User](s.ask("PUT", user+"/state/blocked", as(root).with(`{"detail":"spam"}`)).want(200))
	if len(got.States) != 1 || got.States[0].Name != "blocked" || got.States[0].Detail != "spam" {
		t.Errorf("states %v", got.States)
	}
	s.ask("GET", base+"/user/me", as(ann)).want(403).code("account_blocked")
	s.ask("POST", base+"/user/login", form("username", "ann", "password", password)).want(403).code("account_blocked")
	s.ask("DELETE", user+"/state/blocked", as(root)).want(204)
	s.ask("GET", base+"/user/me", as(ann)).want(200)
	s.ask("PUT", user+"/state/inactivate", as(root)).want(200)
	s.ask("GET", base+"/user/me", as(ann)).want(403).code("account_inactive")
	s.ask("PUT", user+"/state/odd", as(root)).want(422).code("invalid_input", "state")
}

func TestImages(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	for i := range 5 {
		s.ask("POST", base+"/image", files(ann, formFile{name: fmt.Sprintf("page %d.png", i), data: page(20, 10+i)})).want(201)
	}
	ask := func(query string) (names []string, a answer) {
		t.Helper()
		a = s.ask("GET", base+"/image"+query, as(ann)).want(200)
		for _, i := range read[[]client.Image](a) {
			names = append(names, i.Name)
		}
		return names, a
	}
	names, a := ask("")
	if d := cmp.Diff([]string{"page 4.png", "page 3.png", "page 2.png", "page 1.png", "page 0.png"}, names); d != "" ||
		a.header.Get("Link") != "" {
		t.Errorf("all, with %q (-want +got):\n%s", a.header.Get("Link"), d)
	}
	for query, want := range map[string]struct {
		names []string
		links []string
		total string
	}{
		"?size=2": {[]string{"page 4.png", "page 3.png"}, []string{`</api/v1/image?page=1&size=2>; rel="next"`}, "5"},
		"?size=2&page=1&keyword=p": {[]string{"page 2.png", "page 1.png"},
			[]string{`</api/v1/image?keyword=p&page=2&size=2>; rel="next"`, `</api/v1/image?keyword=p&page=0&size=2>; rel="prev"`}, "5"},
		"?size=2&page=2":  {[]string{"page 0.png"}, []string{`</api/v1/image?page=1&size=2>; rel="prev"`}, "5"},
		"?page=100000000": {nil, []string{`</api/v1/image?page=99999999>; rel="prev"`}, "5"},
		"?keyword=PAGE+3": {[]string{"page 3.png"}, nil, "1"},
		"?keyword=%3E%22": {nil, nil, "0"},
	} {
		names, a := ask(query)
		if d := cmp.Diff(want.names, names); d != "" || a.header.Get("X-Total-Count") != want.total ||
			a.header.Get("Link") != strings.Join(want.links, ", ") {
			t.Errorf("%s: %v (-want +got):\n%s", query, a.header, d)
		}
	}
	// Paging by id is steady.
	_, a = ask("?size=2")
	last := read[[]client.Image](a)[1].ID
	s.image(ann)
	names, a = ask(fmt.Sprintf("?size=2&before=%d", last))
	if d := cmp.Diff([]string{"page 2.png", "page 1.png"}, names); d != "" ||
		a.header.Get("Link") != fmt.Sprintf(`</api/v1/image?before=%d&size=2>; rel="next"`, read[[]client.Image](a)[1].ID) {
		t.Errorf("before: %v (-want +got):\n%s", a.header, d)
	}
	for size, want := range map[int]int{2: 2, 3: 2, 4: 1} { // lists until there is no next: the last one is never empty
		names, lists := []string{"page 4.png"}, 0
		for path := fmt.Sprintf("%s/image?size=%d&before=%d", base, size, last+1); path != ""; lists++ {
			a := s.ask("GET", path, as(ann)).want(200)
			for _, i := range read[[]client.Image](a) {
				names = append(names, i.Name)
			}
			path, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		}
		if len(names) != 5 || lists != want {
			t.Errorf("lists of %d: %d of them with %v, want %d", size, lists, names, want)
		}
	}
	for query, field := range map[string]string{"size=0": "size", "size=101": "size", "size=x": "size", "page=-1": "page", "page=x": "page",
		"before=x":                            "before",
		"keyword=" + strings.Repeat("x", 201): "keyword", "page=99999999999999999999": "page"} {
		s.ask("GET", base+"/image?"+query, as(ann)).want(422).code("invalid_input", field)
	}

	image := fmt.Sprintf("%s/image/%d", base, last)
	got := read[client.Image](s.ask("PUT", image, as(ann).with(`{"name":"영수증.png"}`)).want(200))
	if got.Name != "영수증.png" || got.Visibility != "private" {
		t.Errorf("renamed %+v", got)
	}
	got = read[client.Image](s.ask("PUT", image, as(ann).with(`{"name":null,"visibility":"shared"}`)).want(200))
	if got.Name != "영수증.png" || got.Visibility != "shared" {
		t.Errorf("shared %+v", got)
	}
	s.ask("PUT", image, as(ann).with(`{"name":" ","visibility":"public","rotation":45}`)).want(422).code("invalid_input", "name",
		"visibility", "rotation")
	for rotation, detail := range map[string]string{`"left"`: "a whole number", "0.5": "a whole number", "45.0": "0, 90, 180 or 270",
		"1e999": "a whole number of at most 15 digits", "99999999999999999999": "a whole number of at most 15 digits"} {
		a := s.ask("PUT", image, as(ann).with(`{"rotation":`+rotation+`}`)).want(422)
		a.code("invalid_input", "rotation")
		if got := a.problem().Errors[0].Detail; got != detail {
			t.Errorf("rotation %s: got %s", rotation, got)
		}
	}
	s.ask("PUT", image, as(ann).with(`{"tags":["a",5]}`)).want(422).code("invalid_input", "tags[1]")
	if d := cmp.Diff(got, read[client.Image](s.ask("GET", image+"/meta", as(ann)).want(200))); d != "" {
		t.Errorf("meta (-want +got):\n%s", d)
	}
	tag := s.ask("GET", image, as(ann)).want(200).header.Get("ETag")
	for method, body := range map[string]string{"PUT": `{"name":"x"}`, "DELETE": ""} {
		for name, value := range map[string]string{"If-Match": `"nope"`, "If-None-Match": "*"} {
			s.ask(method, image, as(ann).with(body).head(name, value)).want(412).code("precondition_failed")
		}
		s.ask(method, image, as(ann).with(body).head("If-Match", "nope")).want(400).code("malformed_if_match")
	}
	s.ask("PUT", image, as(ann).with(`{"name":"영수증.png","rotation":0}`).head("If-Match", `"nope"`)).want(412)
	s.ask("PUT", image, as(ann).with(`{"name":"영수증.png","rotation":0.0}`).head("If-Match", tag)).want(200)
	s.ask("DELETE", image, as(ann).head("If-Match", tag)).want(204)
	s.ask("GET", image+"/meta", as(ann)).want(404).code("image_not_found")
}

func TestOthersImages(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, ben := s.user("ben")
	_, root := s.user("root")
	i := s.image(ann)
	image := fmt.Sprintf("%s/image/%d", base, i.ID)
	content := base + "/ocr/" + read[[]client.Content](s.ask("POST", image+"/ocr", as(ann)).want(200))[0].ID
	reads := []string{"GET " + image, "GET " + image + "/meta", "GET " + image + "/thumbnail", "GET " + image + "/view", "GET " + image +
		"/crop?x1=0&y1=0&x2=9&y2=9", "GET " + image + "/layout",
		"GET " + image + "/ocr", "POST " + image + "/ocr", "GET " + content, "GET " + content + "/revisions",
		"GET " + image + "/ocr/deleted"}
	writes := []string{"PUT " + image, "PUT " + content, "DELETE " + content, "DELETE " + image}
	ask := func(target, token string) answer {
		method, path, _ := strings.Cut(target, " ")
		body := ""
		switch {
		case method == "PUT" && strings.Contains(path, "/ocr/"):
			body = `{"text":"x"}`
		case method == "PUT":
			body = `{"name":"x"}`
		}
		return s.ask(method, path, as(token).with(body))
	}
	for _, target := range slices.Concat(reads, writes) {
		ask(target, ben).want(404)
	}
	if got := s.ask("GET", base+"/image", as(ben)).want(200).body; strings.TrimSpace(got) != "[]" {
		t.Errorf("ben sees %s", got)
	}
	s.ask("PUT", image, as(ann).with(`{"visibility":"shared"}`)).want(200)
	for _, target := range reads {
		ask(target, ben).want(200)
	}
	for _, target := range writes {
		ask(target, ben).want(403)
	}
	for _, target := range slices.Concat(reads, writes[:2]) {
		ask(target, root).want(200)
	}
	for _, target := range writes[2:] {
		ask(target, root).want(204)
	}
}

func TestRecognition(t *testing.T) {
	s := open(t)
	id, ann := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	if got := strings.TrimSpace(s.ask("GET", image+"/ocr", as(ann)).want(200).body); got != "[]" {
		t.Errorf("no runs are %s", got)
	}
	box := document.Box{X1: 1, Y1: 2, X2: 30, Y2: 20}
	s.Say(box, "Hello 안녕\nworld")
	a := s.ask("POST", image+"/ocr?lang=kor&lang=eng&psm=6&oem=1&rotate=180&effort=balanced",
		as(ann).with(`[{"x1":1,"y1":2,"x2":30,"y2":20,"name":"제목"},
		{"x1":0,"y1":0,"x2":9,"y2":9,"lang":"eng","psm":7,"rotate":90,"effort":"fast"}]`)).want(200)
	if got := a.header.Get("OCR-Version"); got != "1" {
		t.Errorf("OCR-Version is %q", got)
	}
	if a := s.ask("POST", image+"/ocr?source=text", as(ann)).want(422); !strings.Contains(a.body, "no_text_layer") {
		t.Errorf("an image was asked for its text layer: got %s", a.body)
	}
	contents := read[[]client.Content](a)
	six := 6
	want := client.Content{ID: contents[0].ID, Version: 1, ROI: client.Box(box), Name: "제목", Detail: []string{"Hello", "안녕", "world"},
		Text: "Hello 안녕\nworld", Confidence: 0.9,
		Words: []client.Word{wordAt("Hello", 1, 10), wordAt("안녕", 10, 20), wordAt("world", 20, 30)}, Lang: []string{"kor", "eng"},
		SuggestedLang: []string{}, MissingLang: []string{}, Asked: &client.Asked{}, PSM: &six,
		Engine: "fake 1.0", Rotation: 180, Effort: "balanced", Source: "ocr", DurationMS: 1, Scale: 1, Passes: 1, Revision: 1}
	if d := cmp.Diff(want, contents[0]); d != "" {
		t.Errorf("content (-want +got):\n%s", d)
	}
	if c := contents[1]; *c.PSM != 7 || c.Rotation != 90 || c.Effort != "fast" || !slices.Equal(c.Lang, []string{"eng"}) || c.Name != "" {
		t.Errorf("second content %+v", c)
	}

	// The whole page, in every way to say so.
	for i, body := range []string{"", "[]", "null", " "} {
		query := []string{"lang=kor%2Beng", "lang=kor+eng", "lang=kor&lang=eng", "lang=kor%20eng"}[i]
		a := s.ask("POST", image+"/ocr?"+query, as(ann).with(body)).want(200)
		if got, want := a.header.Get("OCR-Version"), fmt.Sprint(i+2); got != want {
			t.Errorf("version %s, want %s", got, want)
		}
		if got := read[[]client.Content](a); len(got) != 1 || got[0].ROI != (client.Box{X1: 0, Y1: 0, X2: 64, Y2: 48}) ||
			!slices.Equal(got[0].Lang, []string{"kor", "eng"}) {
			t.Errorf("%q: %+v", body, got)
		}
	}
	runs := read[[]client.Run](s.ask("GET", image+"/ocr", as(ann)).want(200))
	if len(runs) != 5 || runs[0].Version != 5 || runs[0].PSM != nil {
		t.Errorf("%d runs, the first one %+v", len(runs), runs[0])
	}
	name := "ann"
	first := read[[]client.Run](s.ask("GET", image+"/ocr?version=1", as(ann)).want(200))
	wantRun := client.Run{Version: 1, CreatedDatetime: first[0].CreatedDatetime, User: client.Ref{ID: id, Name: &name},
		Lang: []string{"kor", "eng"}, PSM: &six, OEM: 1,
		Engine: "fake 1.0", Contents: contents}
	if d := cmp.Diff([]client.Run{wantRun}, first); d != "" {
		t.Errorf("run (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]client.Run{wantRun}, read[[]client.Run](s.ask("GET", image+"/ocr?before=2", as(ann)).want(200))); d != "" {
		t.Errorf("runs before 2 (-want +got):\n%s", d)
	}
	s.ask("GET", image+"/ocr?version=99", as(ann)).want(404)
	s.ask("GET", image+"/ocr?version=x", as(ann)).want(422).code("invalid_input", "version")

	// What breaks a rule is named as it was sent.
	for query, field := range map[string]string{"psm=2": "psm", "psm=0": "psm", "psm=x": "psm", "oem=4": "oem", "oem=x": "oem",
		"lang=xxx": "lang", "lang=" + strings.Repeat("a", 501): "lang",
		"rotate=45": "rotate", "effort=best": "effort"} {
		s.ask("POST", image+"/ocr?"+query, as(ann)).want(422).code("invalid_input", field)
	}
	if got := s.ask("POST", image+"/ocr?lang=xxx", as(ann)).body; !strings.Contains(got, "eng, kor") {
		t.Errorf("the installed languages are not named: %s", got)
	}
	many := "[" + strings.Repeat(`{"x1":0,"y1":0,"x2":9,"y2":9},`, 10_000) + `{"x1":0,"y1":0,"x2":9,"y2":9}]`
	for body, fields := range map[string][]string{
		`[{"x1":0,"y1":0,"x2":9,"y2":9},null]`:                     {"regions[1]"},
		`[{"x1":0,"y1":0,"x2":65,"y2":9}]`:                         {"regions[0].x2"},
		`[{"x1":9,"y1":0,"x2":9,"y2":9,"psm":2}]`:                  {"regions[0].psm"},
		`[{"x1":9,"y1":0,"x2":9,"y2":9}]`:                          {"regions[0].x2"},
		`[{"x1":0,"y1":0,"x2":"9","y2":9},{"x1":0,"y1":0,"x2":9}]`: {"regions[0].x2", "regions[1].y2"},
		`[{"x1":0,"y1":0,"x2":9,"y2":9,"lang":["eng","xxx"]}]`:     {"regions[0].lang"},
		`[{"x1":0,"y1":0,"x2":9,"y2":9,"effort":"best"}]`:          {"regions[0].effort"},
		`[{"x1":0,"y1":0,"x2":9,"y2":9,"rotate":"left"}]`:          {"regions[0].rotate"},
		`{"x1":0,"y1":0,"x2":9,"y2":9}`:                            {"regions"},
		many:                                                       {"regions"},
	} {
		s.ask("POST", image+"/ocr", as(ann).with(body)).want(422).code("invalid_input", fields...)
	}
	s.ask("POST", image+"/ocr", as(ann).with("[{")).want(400).code("malformed_json")
	s.ask("POST", image+"/ocr", as(ann).with(strings.Repeat(" ", textLimit+1))).want(413).code("body_too_large")
	s.ask("POST", image+"/ocr", request{token: ann, body: "[]", contentType: "text/plain"}).want(415).code("wrong_content_type")

	// One region fails, then all do.
	s.FailRegion(document.Box{X2: 5, Y2: 5}, fault.Failure{Code: recognition.CodeCrashed, Detail: "The engine died."})
	got := read[[]client.Content](s.ask("POST", image+"/ocr",
		as(ann).with(`[{"x1":0,"y1":0,"x2":5,"y2":5},{"x1":0,"y1":0,"x2":6,"y2":6}]`)).want(200))
	if d := cmp.Diff(&client.Failure{Code: "engine_crashed", Detail: "The engine died."}, got[0].Error); d != "" || got[0].Text != "" ||
		got[1].Error != nil {
		t.Errorf("failed region %+v, %+v", got[0], got[1])
	}
	s.ask("POST", image+"/ocr", as(ann).with(`[{"x1":0,"y1":0,"x2":5,"y2":5}]`)).want(503).code("engine_crashed")
	s.FailRegion(document.Box{X2: 5, Y2: 5}, fault.Failure{Code: recognition.CodeDeadline, Detail: "Too slow."})
	s.ask("POST", image+"/ocr", as(ann).with(`[{"x1":0,"y1":0,"x2":5,"y2":5}]`)).want(504).code("region_deadline")
	s.Fail("Engine.Recognize", porttest.Before)
	s.ask("POST", image+"/ocr", as(ann)).want(503).code("injected")

	psm := read[map[string]string](s.ask("GET", base+"/ocr/psm", as(ann)).want(200))
	oem := read[map[string]string](s.ask("GET", base+"/ocr/oem", as(ann)).want(200))
	if len(psm) != 12 || psm["7"] != "One line" || len(oem) != 4 || oem["1"] == "" {
		t.Errorf("modes %v, %v", psm, oem)
	}
	if d := cmp.Diff([]string{"eng", "kor"}, read[[]string](s.ask("GET", base+"/ocr/lang", as(ann)).want(200))); d != "" {
		t.Errorf("languages (-want +got):\n%s", d)
	}
}

// A page is turned for good: what is kept of it by clients is no longer right, and they are told.
func TestRecognizeInto(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	i := s.image(ann)
	path := fmt.Sprintf("%s/image/%d", base, i.ID)
	s.ask("PUT", path, as(ann).with(`{"visibility":"shared"}`)).want(200)
	ocr := path + "/ocr"
	first := read[[]client.Content](s.ask("POST", ocr, as(ann).with(`[{"x1":0,"y1":0,"x2":9,"y2":9,"name":"date"}]`)).want(200))[0]
	a := s.ask("POST", ocr+"?into=1&lang=kor",
		as(ann).with(`[{"x1":9,"y1":0,"x2":20,"y2":9},{"x1":0,"y1":0,"x2":12,"y2":9,"content":"`+first.ID+`"}]`)).want(200)
	got := read[[]client.Content](a)
	if got[1].ID != first.ID || got[1].Revision != 2 || got[1].Name != "date" || got[0].Revision != 1 ||
		a.header.Get("OCR-Version") != "1" {
		t.Errorf("got %s, version %s", a.body, a.header.Get("OCR-Version"))
	}
	runs := read[[]client.Run](s.ask("GET", ocr, as(ann)).want(200))
	if len(runs) != 1 || len(runs[0].Contents) != 2 || runs[0].Contents[0].ID != first.ID || runs[0].Lang[0] != "eng" {
		t.Errorf("got %+v", runs)
	}
	s.ask("POST", ocr+"?into=1", as(bob)).want(403).code("version_of_another")
	s.ask("POST", ocr+"?into=2", as(ann)).want(404)
	s.ask("POST", ocr+"?into=0", as(ann)).want(422).code("invalid_input", "into")
	s.ask("POST", ocr+"?into=1", as(ann).with(`[{"x1":0,"y1":0,"x2":12,"y2":9,"content":"x"}]`)).want(404).code("content_not_found",
		"regions[0].content")
	s.ask("POST", ocr, as(ann).with(`[{"x1":0,"y1":0,"x2":12,"y2":9,"content":"`+first.ID+`"}]`)).want(422).code("invalid_input",
		"regions[0].content")
	s.ask("POST", ocr, as(ann)).want(200)
	s.ask("POST", ocr+"?into=1", as(ann)).want(409).code("version_not_newest")
}

func TestConfirmAndDelete(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	i := s.image(ann)
	ocr := fmt.Sprintf("%s/image/%d/ocr", base, i.ID)
	first := read[[]client.Content](s.ask("POST", ocr, as(ann)).want(200))[0]
	path := base + "/ocr/" + first.ID
	if first.Confirmed || first.ConfirmedBy != nil || first.RevisedBy != nil || first.Words[0].Confirmed {
		t.Errorf("got %+v", first)
	}
	put := func(body string) answer { return s.ask("PUT", path, as(ann).with(body)) }
	got := read[client.Content](put(`{"confirmed":true,"name":"total","words":[{"index":1.0,"confirmed":true}]}`).want(200))
	if !got.Confirmed || *got.ConfirmedBy.Name != "ann" || got.Name != "total" || !got.Words[1].Confirmed || got.Words[0].Confirmed ||
		got.Revision != 2 ||
		got.EditedBy != nil || got.EditedDatetime != nil || *got.RevisedBy.Name != "ann" {
		t.Errorf("got %+v", got)
	}
	got = read[client.Content](
		put(`{"text":"new text","roi":{"x1":1,"y1":1,"x2":9,"y2":9},"name":"sum","confirmed":true,"words":[]}`).want(200))
	if !got.Confirmed || got.Text != "new text" || got.ROI.X2 != 9 || got.Name != "sum" || got.Revision != 3 ||
		*got.EditedBy.Name != "ann" {
		t.Errorf("got %+v", got)
	}
	put(`{"suggested_lang":["kor"]}`).want(422).code("invalid_input", "suggested_lang")
	put(`{"words":[{"index":0},{"confirmed":true},{"index":"x"}]}`).want(422).code("invalid_input", "words[2].index")
	put(`{"words":[{"index":0},{"confirmed":true}]}`).want(422).code("invalid_input", "words[0].confirmed", "words[1].index")
	put(`{"words":[{"index":7,"confirmed":true}]}`).want(422).code("invalid_input", "words[0].index")
	put(`{"confirmed":"yes"}`).want(422).code("invalid_input", "confirmed")
	put(`{"deleted":true}`).want(422).code("invalid_input", "deleted")
	put(`{}`).want(422).code("invalid_input", "text")
	s.ask("PUT", path, as(ann).with(`{"confirmed":false}`).head("If-Match", `"2"`)).want(412)

	s.ask("DELETE", path, as(ann)).want(204)
	s.ask("GET", path, as(ann)).want(404).code("content_not_found")
	if runs := read[[]client.Run](s.ask("GET", ocr, as(ann)).want(200)); len(runs[0].Contents) != 0 {
		t.Errorf("got %+v", runs)
	}
	if got := read[client.Content](put(`{"deleted":false}`).want(200)); got.Revision != 3 || got.Text != "new text" {
		t.Errorf("got %+v", got)
	}
	s.ask("GET", path, as(ann)).want(200)
	s.ask("DELETE", path+"?purge=maybe", as(ann)).want(422).code("invalid_input", "purge")
	s.ask("DELETE", path+"?purge=true", as(ann)).want(204)
	put(`{"deleted":false}`).want(404).code("content_not_found")
}

// TestDeletedContents lists what was deleted, in parts, for those who can restore it.
func TestDeletedContents(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, ben := s.user("ben")
	_, root := s.user("root")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	regions := `[{"x1":0,"y1":0,"x2":9,"y2":9},{"x1":0,"y1":0,"x2":9,"y2":9,"name":"total"},{"x1":0,"y1":0,"x2":9,"y2":9}]`
	made := read[[]client.Content](s.ask("POST", image+"/ocr", as(ann).with(regions)).want(200))
	list := func(token, query string, total int, want ...string) []client.Content {
		t.Helper()
		a := s.ask("GET", image+"/ocr/deleted"+query, as(token)).want(200)
		got, ids := read[[]client.Content](a), []string{}
		for _, c := range got {
			ids = append(ids, c.ID)
		}
		if !slices.Equal(ids, want) || a.header.Get("X-Total-Count") != strconv.Itoa(total) {
			t.Errorf("got %q of %s, want %q of %d", ids, a.header.Get("X-Total-Count"), want, total)
		}
		return got
	}
	list(ann, "", 0)
	for _, c := range made {
		if c.DeletedDatetime != nil {
			t.Errorf("%s is deleted already", c.ID)
		}
		s.ask("DELETE", base+"/ocr/"+c.ID, as(ann)).want(204)
	}
	got := list(ann, "", 3, made[2].ID, made[1].ID, made[0].ID)
	if c := got[1]; c.DeletedDatetime == nil || c.Name != "total" || c.Text != made[1].Text || c.Version != 1 {
		t.Errorf("got %+v", c)
	}
	list(root, "?size=2", 3, made[2].ID, made[1].ID)
	list(ann, "?size=2&page=1", 3, made[0].ID)
	link := s.ask("GET", image+"/ocr/deleted?size=2", as(ann)).want(200).header.Get("Link")
	if !strings.Contains(link, "/ocr/deleted?page=1&size=2>") {
		t.Errorf("the link is %q", link)
	}
	s.ask("GET", image+"/ocr/deleted?size=101", as(ann)).want(422).code("invalid_input", "size")
	s.ask("GET", image+"/ocr/deleted", as(ben)).want(404).code("image_not_found")
	s.ask("PUT", image+"/share", as(ann).with(`{"users":["ben"]}`)).want(200)
	list(ben, "", 0)
	own := read[[]client.Content](s.ask("POST", image+"/ocr", as(ben)).want(200))[0].ID
	s.ask("DELETE", base+"/ocr/"+own, as(ben)).want(204)
	list(ben, "", 1, own)
	list(ann, "", 4, own, made[2].ID, made[1].ID, made[0].ID)
	s.ask("PUT", base+"/ocr/"+made[1].ID, as(ann).with(`{"deleted":false}`)).want(200)
	list(ann, "?size=2", 3, own, made[2].ID)
}

func TestSettings(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	path := base + "/user/settings"
	get := func() client.Settings { return read[client.Settings](s.ask("GET", path, as(ann)).want(200)) }
	if got := get(); got.Lang == nil || len(got.Lang) != 0 || got.Effort+got.Rotate+got.Source != "" {
		t.Errorf("got %+v at first", got)
	}
	want := client.Settings{Lang: []string{"kor", "eng"}, Effort: "fast", Rotate: "90", Source: "ocr"}
	if got := read[client.Settings](s.ask("PUT", path,
		as(ann).with(`{"lang":"kor+eng","effort":"fast","rotate":90,"source":"ocr"}`)).want(200)); !cmp.Equal(got, want) ||
		!cmp.Equal(get(), want) {
		t.Errorf("got %+v and %+v, want %+v", got, get(), want)
	}
	s.ask("PUT", path, as(ann).with(`{"lang":["xyz"],"effort":"most","source":"paper"}`)).want(422).code("invalid_input", "lang", "effort",
		"source")
	s.ask("PUT", path, as(ann).with(`{"theme":"dark"}`)).want(422).code("invalid_input", "theme")
	s.ask("PUT", path, as(ann).with(`{}`)).want(200)
	if got := get(); len(got.Lang) != 0 || got.Effort != "" {
		t.Errorf("got %+v, want nothing", got)
	}
}

func TestTurnedImage(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	i := s.image(ann)
	image := fmt.Sprintf("%s/image/%d", base, i.ID)
	content := read[[]client.Content](s.ask("POST", image+"/ocr", as(ann).with(`[{"x1":0,"y1":0,"x2":30,"y2":20}]`)).want(200))[0]
	paths := []string{image + "/thumbnail", image + "/view", base + "/ocr/" + content.ID}
	kept := map[string]string{}
	for _, path := range paths {
		kept[path] = s.ask("GET", path, as(ann)).want(200).header.Get("ETag")
	}
	original := s.ask("GET", image, as(ann)).want(200)
	turned := read[client.Image](s.ask("PUT", image, as(ann).with(`{"rotation":90}`)).want(200))
	if turned.Rotation != 90 || turned.Width != i.Height || turned.Height != i.Width || turned.Name != i.Name {
		t.Errorf("turned %+v", turned)
	}
	for _, path := range paths {
		a := s.ask("GET", path, as(ann).head("If-None-Match", kept[path])).want(200)
		s.ask("GET", path, as(ann).head("If-None-Match", a.header.Get("ETag"))).want(304)
	}
	s.ask("GET", image, as(ann).head("If-None-Match", original.header.Get("ETag"))).want(304)
	a := s.ask("GET", base+"/ocr/"+content.ID, as(ann)).want(200)
	if now := read[client.Content](a); now.ROI != (client.Box{X1: i.Height - 20, Y1: 0, X2: i.Height, Y2: 30}) || now.Rotation != 90 ||
		now.Text != content.Text {
		t.Errorf("the content is %+v", now)
	}
	s.ask("PUT", base+"/ocr/"+content.ID, as(ann).with(`{"text":"x"}`).head("If-Match", a.header.Get("ETag"))).want(200)
	s.ask("PUT", image, as(ann).with(`{"rotation":0}`)).want(200)
	for _, path := range paths[:2] {
		s.ask("GET", path, as(ann).head("If-None-Match", kept[path])).want(304)
	}
}

// A page may have a region for every cell of a large table, each with the longest name, in escapes.
func TestManyRegions(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	path := fmt.Sprintf("%s/image/%d/ocr", base, s.image(ann).ID)
	region := `{"x1":0,"y1":0,"x2":9,"y2":9,"name":"` + strings.Repeat(`\uac00`, 200) + `"}`
	regions := func(n int) string { return "[" + strings.Repeat(region+",", n-1) + region + "]" }
	got := read[[]client.Content](s.ask("POST", path, as(ann).with(regions(recognition.MaxRegions))).want(200))
	if len(got) != recognition.MaxRegions || got[len(got)-1].Name != strings.Repeat("가", 200) {
		t.Errorf("%d contents", len(got))
	}
	s.ask("POST", path, as(ann).with(regions(recognition.MaxRegions+1))).want(422).code("invalid_input", "regions")
	doc, err := documentOnce()
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(doc.Paths[base+"/image/{id}/ocr"]["post"].RequestBody)
	if want := fmt.Sprintf(`"maxItems":%d`, recognition.MaxRegions); !strings.Contains(string(body), want) {
		t.Errorf("the document says %s, want %s", body, want)
	}
}

// wordAt is a word as the fake engine reads it in a region from 2 to 20.
func wordAt(text string, x1, x2 int) client.Word {
	return client.Word{Text: text, Box: client.Box{X1: x1, Y1: 2, X2: x2, Y2: 20}, Confidence: 0.9, Engine: "fake 1.0",
		Candidates: []client.Candidate{}}
}

func TestManyRuns(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	for range recognition.MaxRuns {
		s.ask("POST", image+"/ocr", as(ann)).want(200)
	}
	if a := s.ask("GET", image+"/ocr", as(ann)).want(200); a.header.Get("Link") != "" {
		t.Errorf("all of them, and yet Link is %q", a.header.Get("Link"))
	}
	s.ask("POST", image+"/ocr", as(ann)).want(200)
	a := s.ask("GET", image+"/ocr", as(ann)).want(200)
	if got, want := a.header.Get("Link"), fmt.Sprintf(`<%s/ocr?before=2>; rel="next"`, image); got != want ||
		len(read[[]client.Run](a)) != recognition.MaxRuns {
		t.Errorf("Link is %q, want %q", got, want)
	}
	if a := s.ask("GET", image+"/ocr?before=2", as(ann)).want(200); a.header.Get("Link") != "" || len(read[[]client.Run](a)) != 1 {
		t.Errorf("the rest: %v", a.header)
	}
}

func TestCorrection(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	s.Say(document.Box{X2: 64, Y2: 48}, "He1lo\nworld")
	was := read[[]client.Content](s.ask("POST", image+"/ocr", as(ann)).want(200))[0]
	content := base + "/ocr/" + was.ID

	a := s.ask("GET", content, as(ann)).want(200)
	if d := cmp.Diff(was, read[client.Content](a)); d != "" || a.header.Get("ETag") != `"1"` {
		t.Errorf("content, ETag %q (-want +got):\n%s", a.header.Get("ETag"), d)
	}
	for tag, status := range map[string]int{`"1"`: 304, `W/"1"`: 304, `"2"`: 200, `"2", "1"`: 304, `*`: 304} {
		a := s.ask("GET", content, as(ann).head("If-None-Match", tag)).want(status)
		if (status == 304) != (a.body == "") || a.header.Get("ETag") != `"1"` {
			t.Errorf("%s: %q, %v", tag, a.body, a.header)
		}
	}
	put := func(body, match string) answer {
		r := as(ann).with(body)
		if match != "" {
			r = r.head("If-Match", match)
		}
		return s.ask("PUT", content, r)
	}
	a = put(`{"detail":["Hello","world"]}`, `"1"`).want(200)
	got := read[client.Content](a)
	if got.Text != "Hello\nworld" || got.Revision != 2 || *got.EditedBy.Name != "ann" || got.EditedDatetime == nil ||
		a.header.Get("ETag") != `"2"` {
		t.Errorf("corrected %s, %v", a.body, a.header)
	}
	put(`{"text":"x"}`, `"1"`).want(412).code("changed_meanwhile")
	put(`{"text":"x"}`, `W/"2"`).want(412).code("changed_meanwhile")
	put(`{"text":"x"}`, `"x"`).want(412).code("changed_meanwhile")
	put(`{"text":"x"}`, `2`).want(400).code("malformed_if_match")
	put(`{"text":"x"}`, `"1","7"`).want(412).code("changed_meanwhile")
	for _, query := range []string{"", "?purge=true"} {
		s.ask("DELETE", content+query, as(ann).head("If-Match", `"1"`)).want(412).code("changed_meanwhile")
		s.ask("DELETE", content+query, as(ann).head("If-None-Match", "*")).want(412).code("changed_meanwhile")
	}
	s.ask("PUT", content, as(ann).with(`{"text":"x"}`).head("If-None-Match", "*")).want(412).code("changed_meanwhile")
	put(`{"text":"Hello there"}`, `"1", "2"`).want(200)
	got = read[client.Content](put(`{"text":"","roi":{"x1":1,"y1":1,"x2":9,"y2":9}}`, "").want(200))
	if got.Text != "" || len(got.Detail) != 0 || got.Detail == nil || got.ROI != (client.Box{X1: 1, Y1: 1, X2: 9, Y2: 9}) ||
		got.Revision != 4 {
		t.Errorf("emptied %+v", got)
	}
	for body, fields := range map[string][]string{
		`{}`:                          {"text"},
		`{"text":"x","detail":["x"]}`: {"detail"},
		`{"text":5}`:                  {"text"},
		`{"text":"x","txt":"y","roi":{"x1":1,"y1":1,"x2":9,"y2":9,"w":2}}`: {"txt", "roi.w"},
		`{"detail":["x",null]}`:                                         {"detail[1]"},
		`{"detail":"x"}`:                                                {"detail"},
		`{"text":"x","roi":{"x1":1}}`:                                   {"roi.y1", "roi.x2", "roi.y2"},
		`{"text":"x","roi":{"x1":"1"}}`:                                 {"roi.x1"},
		`{"roi":{"x1":1,"y1":1,"x2":99,"y2":9}}`:                        {"roi.x2"},
		`{"text":"` + strings.Repeat("x", recognition.MaxText+1) + `"}`: {"text"},
	} {
		put(body, "").want(422).code("invalid_input", fields...)
	}
	put(`{"text":"`+strings.Repeat("x", textLimit)+`"}`, "").want(413).code("body_too_large")

	var texts []string
	for _, r := range read[[]client.Content](s.ask("GET", content+"/revisions", as(ann)).want(200)) {
		texts = append(texts, fmt.Sprint(r.Revision, " ", r.Text))
	}
	if d := cmp.Diff([]string{"1 He1lo\nworld", "2 Hello\nworld", "3 Hello there", "4 "}, texts); d != "" {
		t.Errorf("revisions (-want +got):\n%s", d)
	}
	s.ask("DELETE", content, as(ann)).want(204)
	s.ask("GET", content, as(ann)).want(404)
}

func TestStoreAway(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	s.Fail("Catalog.List", porttest.Before)
	s.ask("GET", base+"/image", as(ann)).want(503).code("injected")
	s.Fail("Users.ByID", porttest.Before)
	s.ask("GET", base+"/user/me", as(ann)).want(503).code("injected")
}

// HEAD is GET without the body.
func TestHead(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	for _, path := range []string{image, image + "/thumbnail", image + "/view", image + "/crop?x1=0&y1=0&x2=9&y2=9"} {
		whole := s.ask(http.MethodGet, path, as(ann)).want(200)
		head := s.ask(http.MethodHead, path, as(ann)).want(200)
		for _, name := range []string{"Content-Type", "Content-Length", "ETag"} {
			if got, want := head.header.Get(name), whole.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if head.body != "" {
			t.Errorf("%s: %d bytes", path, len(head.body))
		}
	}
	s.ask(http.MethodHead, base+"/image/9999", as(ann)).want(404)
}

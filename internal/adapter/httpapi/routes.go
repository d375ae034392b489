package httpapi

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// base is before the path of every operation on users, images and results.
const base = "/api/v1"

// route is one operation. What stands here is also what the OpenAPI document says.
type route struct {
	pattern string // "GET /ping"
	id      string
	summary string
	about   string
	status  int      // of success; 0: 200, or 204 where nothing is answered
	errors  []int    // besides those that every operation of its kind can have
	gives   []string // media types of what is answered, where that is not JSON
	takes   int64    // most bytes of the body, where there is one; 0: 1 MB
	bare    bool     // may come without the body

	open    bool          // needs no token
	timeout time.Duration // 0: that of ordinary requests
	asks    bool          // has parameters; register knows
}

func (a *api) routes() {
	wait, upload := a.RecognitionTimeout, a.UploadTimeout

	get(a, "user", route{pattern: "GET " + base + "/user/me", id: "me", summary: "Your account", about: "With role and states."}, a.me)
	get(a, "user", route{pattern: "GET " + base + "/user/logins", id: "logins", summary: "Your sign-ins", about: "Newest first."}, a.logins)
	send(a, "user", route{pattern: "POST " + base + "/user", id: "sign-up", summary: "Make an account", status: 201, errors: []int{403, 409}, open: true,
		about: "The name has 1–100 ASCII letters and digits, the password 8–255 characters without white space. Name and e-mail must not be taken."}, a.signUp)
	get(a, "user", route{pattern: "GET " + base + "/user/signup", id: "sign-up-open", summary: "Tells whether anybody may make an account", open: true}, a.signUpOpen)
	get(a, "user", route{pattern: "POST " + base + "/user/login", id: "login", summary: "Sign in", errors: []int{400, 401, 403, 413, 415, 422, 429}, open: true,
		about: "The password flow of OAuth2. An unknown name and a wrong password give the same answer."}, a.login)
	send(a, "user", route{pattern: "POST " + base + "/user/token", id: "refresh", summary: "Get new tokens", errors: []int{401, 403}, open: true,
		about: "A refresh token works once; a second use ends its session."}, a.refresh)
	get(a, "user", route{pattern: "POST " + base + "/user/logout", id: "logout", summary: "Sign out", about: "Ends this session."}, a.logout)
	send(a, "user", route{pattern: "PUT " + base + "/user", id: "change-profile", summary: "Change name and e-mail", errors: []int{409}}, a.changeProfile)
	send(a, "user", route{pattern: "PUT " + base + "/user/password", id: "change-password", summary: "Change the password", errors: []int{409, 429},
		about: "Every other session ends."}, a.changePassword)
	get(a, "user", route{pattern: "DELETE " + base + "/user", id: "resign", summary: "Leave", timeout: wait,
		about: "Name, e-mail and password become null, sessions and API keys end, images are deleted unless they are to be kept."}, a.resign)
	send(a, "user", route{pattern: "POST " + base + "/user/key", id: "add-key", summary: "Make an API key", status: 201, errors: []int{409},
		about: "It can be used wherever an access token can, but not to change the account. Its text is shown here only."}, a.addKey)
	get(a, "user", route{pattern: "GET " + base + "/user/key", id: "keys", summary: "Your API keys", about: "Newest first."}, a.keys)
	get(a, "user", route{pattern: "DELETE " + base + "/user/key/{id}", id: "delete-key", summary: "End an API key"}, a.deleteKey)
	get(a, "user", route{pattern: "GET " + base + "/admin/user", id: "users", summary: "All users", about: "For administrators."}, a.users)
	send(a, "user", route{pattern: "PUT " + base + "/admin/user/{id}/role", id: "set-role", summary: "Give or take a role", about: "For administrators, of others."}, a.setRole)
	send(a, "user", route{pattern: "PUT " + base + "/admin/user/{id}/state/{state}", id: "set-state", summary: "Keep a user out", bare: true,
		about: "For administrators, of others. It counts from the user's next request on."}, a.setState)
	get(a, "user", route{pattern: "DELETE " + base + "/admin/user/{id}/state/{state}", id: "clear-state", summary: "Let a user in again",
		about: "For administrators, of others."}, a.clearState)
	get(a, "system", route{pattern: "GET " + base + "/admin/service", id: "service", summary: "How the service does",
		about: "For administrators: what is there and what is away, what the workers are at, and how many regions wait for them."}, a.service)

	get(a, "image", route{pattern: "POST " + base + "/image", id: "upload", summary: "Upload images", status: 201, errors: []int{400, 409, 413, 415, 422}, timeout: upload,
		about: "One file gives the image, several give a list; when one of several is refused none is kept. The media type is found from the bytes."}, a.upload)
	get(a, "image", route{pattern: "GET " + base + "/image", id: "images", summary: "Your images and those shared with you", about: "Newest first."}, a.images)
	get(a, "image", route{pattern: "GET " + base + "/image/{id}", id: "original", summary: "The bytes as uploaded", gives: []string{"image/*"}, errors: []int{412, 416},
		about: "With ETag and ranges."}, a.original)
	get(a, "image", route{pattern: "GET " + base + "/image/{id}/meta", id: "image", summary: "What is known of an image"}, a.image)
	get(a, "image", route{pattern: "GET " + base + "/image/{id}/thumbnail", id: "thumbnail", summary: "A small upright rendition", gives: []string{"image/*"}, errors: []int{412, 416},
		about: "At most 128 × 128 pixels."}, a.thumbnail)
	get(a, "image", route{pattern: "GET " + base + "/image/{id}/view", id: "view", summary: "An upright rendition that every browser shows", gives: []string{"image/*"},
		errors: []int{412, 415, 416}, timeout: wait}, a.view)
	get(a, "image", route{pattern: "GET " + base + "/image/{id}/crop", id: "crop", summary: "What the engine sees of a region", gives: []string{"image/png"},
		errors: []int{415}, timeout: wait, about: "Cut out, scaled and bordered."}, a.crop)
	get(a, "image", route{pattern: "GET " + base + "/image/{id}/layout", id: "layout", summary: "Suggested regions",
		errors: []int{415}, timeout: wait, about: "Where text stands on the page, in the order of reading; it is not read yet."}, a.layout)
	send(a, "image", route{pattern: "PUT " + base + "/image/{id}", id: "change-image", summary: "Rename or share an image",
		about: "Its owner or an administrator may."}, a.changeImage)
	get(a, "image", route{pattern: "DELETE " + base + "/image/{id}", id: "delete-image", summary: "Delete an image", about: "With its bytes and its results."}, a.deleteImage)

	send(a, "recognition", route{pattern: "POST " + base + "/image/{id}/ocr", id: "recognize", summary: "Read regions of an image, or all of it", takes: textLimit, bare: true,
		timeout: wait, about: "The results, in the order sent, are stored as the next version of the image. No body, or an empty list, means the whole page. " +
			"A region that could not be read has an error while the others stand; when none could, the call fails."}, a.recognize)
	get(a, "recognition", route{pattern: "GET " + base + "/image/{id}/ocr", id: "runs", summary: "The results of an image", errors: []int{413},
		about: "Newest first; at most 100, and fewer where they are long."}, a.runs)
	get(a, "recognition", route{pattern: "GET " + base + "/image/{id}/ocr/{version}/export", id: "export", summary: "A result as a file",
		gives: []string{"application/*", "text/*"}, errors: []int{413, 415}, timeout: wait, about: "Made of the corrected text: plain text, JSON as of the results themselves, " +
			"the columns of Tesseract's TSV, hOCR 1.2, ALTO 4.4, or the page as a PDF in which the text can be searched and selected."}, a.export)
	get(a, "recognition", route{pattern: "GET " + base + "/ocr/{id}", id: "content", summary: "The text of a region", about: "The current revision."}, a.content)
	send(a, "recognition", route{pattern: "PUT " + base + "/ocr/{id}", id: "correct", summary: "Correct the text of a region", takes: textLimit, errors: []int{412},
		about: "Adds a revision. Who ran it, the owner of the image and administrators may."}, a.correct)
	get(a, "recognition", route{pattern: "GET " + base + "/ocr/{id}/revisions", id: "revisions", summary: "All revisions of a text", about: "The first one first."}, a.revisions)
	get(a, "recognition", route{pattern: "DELETE " + base + "/ocr/{id}", id: "delete-content", summary: "Delete the text of a region"}, a.deleteContent)
	get(a, "recognition", route{pattern: "GET " + base + "/ocr/psm", id: "psm", summary: "Page segmentation modes"}, a.psm)
	get(a, "recognition", route{pattern: "GET " + base + "/ocr/oem", id: "oem", summary: "Engine modes"}, a.oem)
	get(a, "recognition", route{pattern: "GET " + base + "/ocr/lang", id: "languages", summary: "Installed languages"}, a.languages)

	get(a, "system", route{pattern: "GET /ping", id: "ping", summary: "Answers pong", gives: []string{"text/plain"}, open: true}, a.ping)
	get(a, "system", route{pattern: "GET /health", id: "health", summary: "Tells that the process lives", open: true}, a.health)
	get(a, "system", route{pattern: "GET /ready", id: "ready", summary: "Tells whether all that is needed is there", open: true,
		about: "200 where it is, 503 in the same form where something is away."}, a.ready)

	a.pages()
}

// handler is one operation: it decodes, calls a service and encodes.
type handler[I, O any] func(ctx context.Context, c *call, in *I) (*O, error)

// get registers an operation whose body, if it has one, is not JSON.
func get[I, O any](a *api, tag string, r route, h handler[I, O]) {
	register(a, tag, r, h)
}

// send registers an operation with a body in JSON.
func send[I, O, B any](a *api, tag string, r route, h func(ctx context.Context, c *call, in *I, body B) (*O, error)) {
	if r.takes == 0 {
		r.takes = jsonLimit
	}
	r.errors = append(r.errors, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	register(a, tag, r, func(ctx context.Context, c *call, in *I) (*O, error) {
		data, err := c.readBody("application/json", r.takes)
		if err != nil {
			return nil, err
		}
		var body B
		if len(data) > 0 || !r.bare {
			if err := decodeBody(data, &body); err != nil {
				return nil, err
			}
		}
		return h(ctx, c, in, body)
	})
	a.documentBody(r, "application/json", a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[B](), true, ""))
}

func register[I, O any](a *api, tag string, r route, h handler[I, O]) {
	if r.timeout == 0 {
		r.timeout = a.RequestTimeout
	}
	if r.asks = reflect.TypeFor[I]().NumField() > 0; r.asks {
		r.errors = append(r.errors, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	huma.Register(a.huma, r.operation(tag), func(ctx context.Context, in *I) (*O, error) {
		c := callOf(ctx)
		out, err := h(ctx, c, in)
		if err != nil {
			return nil, c.fail(err)
		}
		return out, nil
	})
}

const routeKey = "route"

// settings are those of the operation that is running.
func settings(op *huma.Operation) route { return op.Metadata[routeKey].(route) }

// operation is the route in huma's words.
func (r route) operation(tag string) huma.Operation {
	method, path, _ := strings.Cut(r.pattern, " ")
	op := huma.Operation{Method: method, Path: path, OperationID: r.id, Summary: r.summary, Description: r.about, Tags: []string{tag},
		DefaultStatus: r.status, Metadata: map[string]any{routeKey: r}, Responses: map[string]*huma.Response{}}
	if r.gives != nil {
		content := map[string]*huma.MediaType{}
		for _, mediaType := range r.gives {
			content[mediaType] = &huma.MediaType{Schema: binary(mediaType)}
		}
		op.Responses["200"] = &huma.Response{Description: "OK", Content: content}
	}
	errors := append([]int{http.StatusInternalServerError}, r.errors...)
	if tag != "system" { // those need nothing
		errors = append(errors, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	}
	if !r.open {
		op.Security = []map[string][]string{{"password": {}}, {"bearer": {}}}
		errors = append(errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(path, "{") {
		errors = append(errors, http.StatusNotFound)
	}
	for _, status := range errors {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/Problem"}
	}
	return op
}

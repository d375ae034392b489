package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// base is before the path of every operation on users, images and results.
const base = "/api/v1"

// route is one operation of the API. The router, the limits, the OpenAPI document and the tests follow from it, and nothing about
// an operation is said elsewhere but the types that its handler takes and gives.
type route struct {
	pattern string // "GET /ping"
	tag     string // the group of operations that it belongs to
	id      string // names it for programs; stable
	summary string
	about   string

	body   *body    // nil: none
	status int      // of success; 0: 200, or 204 where nothing is answered
	also   []int    // further statuses: with the same body, or 304
	gives  []string // media types of the answer; none: JSON
	errors []int    // statuses of problems, besides those that follow from the rest of the row

	open    bool          // needs no token
	streams bool          // answers with events, for as long as the client stays
	timeout time.Duration // 0: that of ordinary requests
}

// body is what an operation takes.
type body struct {
	mediaType string
	limit     int64 // bytes
	optional  bool
	most      int               // entries, where it is a list; 0: as many as fit
	fields    map[string]string // of a form, with what they are; a JSON body has those of its type
	required  []string          // of fields
}

const mediaTypeJSON, mediaTypeForm, mediaTypeFiles = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"

func (r route) method() string { method, _, _ := strings.Cut(r.pattern, " "); return method }
func (r route) path() string   { _, path, _ := strings.Cut(r.pattern, " "); return path }

// strict tells whether query parameters that are not known are refused. Bytes that a browser shows may be asked for with more, such
// as to get around what it keeps, and so may the paths of probes.
func (r route) strict() bool {
	return (r.gives == nil || r.streams) && strings.HasPrefix(r.path(), base)
}

// routes registers all operations, in the order in which somebody meets them. The page /docs shows them in this order.
func (a *api) routes() {
	short := &body{mediaType: mediaTypeJSON, limit: jsonLimit}
	long := &body{mediaType: mediaTypeJSON, limit: textLimit}
	wait := a.RecognitionTimeout

	// Accounts.
	handleJSON(a, route{pattern: "POST " + base + "/user", tag: "user", id: "sign-up", summary: "Make an account",
		about: "The name has 1–100 ASCII letters and digits, the password 8–255 characters without white space. Name and e-mail address " +
			"must not be taken.",
		body: short, status: 201, errors: []int{403, 409}, open: true}, a.signUp)
	handle(a, route{pattern: "GET " + base + "/user/signup", tag: "user", id: "sign-up-open",
		summary: "Tell whether anybody may make an account",
		open:    true}, a.signUpOpen)
	handle(a, route{pattern: "POST " + base + "/user/login", tag: "user", id: "login", summary: "Sign in",
		about: "The password flow of OAuth2. An unknown name and a wrong password give the same answer.",
		body: &body{mediaType: mediaTypeForm, limit: formLimit, required: []string{"username", "password"}, fields: map[string]string{
			"username": "The name.", "password": "The password.", "grant_type": "Ignored.", "scope": "Ignored.", "client_id": "Ignored.",
			"client_secret": "Ignored."}},
		errors: []int{401, 403, 429}, open: true}, a.login)
	handleJSON(a, route{pattern: "POST " + base + "/user/token", tag: "user", id: "refresh", summary: "Get new tokens",
		about: "A refresh token works once. Using it a second time ends its session.",
		body:  short, errors: []int{401, 403}, open: true}, a.refresh)
	handle(a, route{pattern: "POST " + base + "/user/logout", tag: "user", id: "logout", summary: "Sign out", about: "Ends this session."},
		a.logout)
	handle(a, route{pattern: "GET " + base + "/user/me", tag: "user", id: "me", summary: "Get your account",
		about: "With role and states."}, a.me)
	handle(a, route{pattern: "GET " + base + "/user/settings", tag: "user", id: "settings", summary: "Get your settings",
		about: "How you read by default, on every device. Requests do not use them unless they send them: what a request leaves out is " +
			"as the service is configured."}, a.settings)
	handleJSON(a, route{pattern: "PUT " + base + "/user/settings", tag: "user", id: "set-settings", summary: "Change your settings",
		about: "All of them: what is missing is not set any more.", body: short}, a.setSettings)
	handle(a, route{pattern: "GET " + base + "/user/logins", tag: "user", id: "logins", summary: "List your sign-ins",
		about: "Newest first."}, a.logins)
	handleJSON(a, route{pattern: "PUT " + base + "/user", tag: "user", id: "change-profile", summary: "Change name and e-mail address",
		body: short, errors: []int{409}}, a.changeProfile)
	handleJSON(a, route{pattern: "PUT " + base + "/user/password", tag: "user", id: "change-password", summary: "Change the password",
		about: "Ends all other sessions.", body: short, errors: []int{409, 429}}, a.changePassword)
	handleJSON(a, route{pattern: "POST " + base + "/user/key", tag: "user", id: "add-key", summary: "Make an API key",
		about: "A key works wherever an access token does, but cannot change the account. It is shown only in this answer.",
		body:  short, status: 201, errors: []int{409}}, a.addKey)
	handle(a, route{pattern: "GET " + base + "/user/key", tag: "user", id: "keys", summary: "List your API keys", about: "Newest first."},
		a.keys)
	handle(a, route{pattern: "DELETE " + base + "/user/key/{id}", tag: "user", id: "delete-key", summary: "Revoke an API key"}, a.deleteKey)
	handle(a, route{pattern: "DELETE " + base + "/user", tag: "user", id: "resign", summary: "Delete account",
		about: "Name, e-mail address and password become null, sessions and API keys end, and your images are deleted unless you keep " +
			"them.",
		timeout: wait}, a.resign)

	// Images.
	handle(a, route{pattern: "POST " + base + "/image", tag: "image", id: "upload", summary: "Upload images",
		about: "Answers with the image of the first page, or with a list if there are several files. Each page of a file is an image, " +
			"and they are a document: the answer tells how many pages there are, and GET /image?document= lists them. If one file is " +
			"refused, none is kept. The media type is found from the bytes. 422 with the code pdf_encrypted: the password of an " +
			"encrypted file is missing, or another one.",
		body: &body{mediaType: mediaTypeFiles, limit: a.uploadLimits().Body(), required: []string{"file"},
			fields: map[string]string{"file": "Image files.", "password": "Opens the files that are encrypted."}}, status: 201,
		errors: []int{409}, timeout: a.UploadTimeout}, a.upload)
	handle(a, route{pattern: "GET " + base + "/image", tag: "image", id: "images", summary: "List your documents and those shared with you",
		about: "Newest first, each by the image of its first page. With document the pages of one.", errors: []int{403, 404}}, a.images)
	handle(a, route{pattern: "GET " + base + "/image/{id}/meta", tag: "image", id: "image", summary: "Get the metadata of an image"},
		a.image)
	handle(a, route{pattern: "GET " + base + "/image/{id}", tag: "image", id: "original", summary: "Download an image as it was uploaded",
		about: "With ETag and ranges.", gives: []string{"image/*"}, also: []int{206, 304}, errors: []int{412, 416}}, a.original)
	handle(a, route{pattern: "GET " + base + "/image/{id}/thumbnail", tag: "image", id: "thumbnail", summary: "Get a thumbnail",
		about: "Upright, at most 128 × 128 pixels.", gives: []string{"image/*"}, also: []int{206, 304}, errors: []int{412, 416}},
		a.thumbnail)
	handle(a, route{pattern: "GET " + base + "/image/{id}/view", tag: "image", id: "view",
		summary: "Get an upright rendition that every browser shows",
		gives:   []string{"image/*"}, also: []int{206, 304}, errors: []int{412, 415, 416}, timeout: wait}, a.view)
	handle(a, route{pattern: "GET " + base + "/image/{id}/crop", tag: "image", id: "crop", summary: "Get a region as the engine sees it",
		about: "Cut out, scaled and with a border.", gives: []string{"image/png"}, errors: []int{415}, timeout: wait}, a.crop)
	handle(a, route{pattern: "GET " + base + "/image/{id}/layout", tag: "image", id: "layout", summary: "Suggest regions",
		about: "Finds where text is, in reading order, without reading it.", errors: []int{415}, timeout: wait}, a.layout)
	handleJSON(a, route{pattern: "PUT " + base + "/image/{id}", tag: "image", id: "change-image",
		summary: "Rename or share a document, or turn a page",
		about: "For its owner and administrators. A rotation is absolute; the file and the stored text stay as they are, and all " +
			"coordinates are those of the turned image from then on. What is not the rotation concerns all pages, and is refused with " +
			"409 and the code page_of_document for a page that is not the first.",
		body: short, errors: []int{409, 415}, timeout: wait}, a.changeImage)
	handle(a, route{pattern: "DELETE " + base + "/image/{id}", tag: "image", id: "delete-image", summary: "Delete a document",
		about:  "With its file, all its pages and all their runs. 409 with the code page_of_document: the image is that of a later page.",
		errors: []int{409}}, a.deleteImage)

	// Recognition.
	recognize := route{pattern: "POST " + base + "/image/{id}/ocr", tag: "recognition", id: "recognize",
		summary: "Read regions of an image, or all of it",
		about: "Stores the contents as the next version of the image and answers with them in the order of the regions. No body, or an " +
			"empty list, reads the whole page. A region that cannot be read has an error; if none can be read, the call fails. " +
			"With into the contents become part of that version, or a content of it is read again; settings of the run stay those of " +
			"its first call. 409 with the code version_not_newest: there is a newer version. 409 with the code changed_meanwhile: " +
			"somebody corrected a content while it was read again; the correction stays, and so does what else was read. With pages the " +
			"regions are read of each of those pages of the document, whichever page's image is named, and the answer has the " +
			"version of each page, or why it was not read; that a region is not on a page is an error of that page only.",
		body: &body{mediaType: mediaTypeJSON, limit: textLimit, optional: true, most: a.mostRegions()}, errors: []int{409, 429},
		timeout: wait}
	handleJSON(a, recognize, a.recognize)
	a.documentLater(recognize)
	handle(a, route{pattern: "GET " + base + "/image/{id}/ocr", tag: "recognition", id: "runs", summary: "List the runs of an image",
		about: "Newest first, at most 100, fewer if they are long.", errors: []int{413}}, a.runs)
	const formats = "plain text with a form feed between pages, JSON, TSV (the columns of Tesseract's), hOCR 1.2, ALTO 4.4, PDF whose " +
		"text can be searched and selected, CSV and XLSX with a row for each region, or gt: an archive of the images and texts of " +
		"confirmed lines, to train recognisers with."
	handle(a, route{pattern: "GET " + base + "/image/{id}/export", tag: "recognition", id: "export-document", summary: "Export a document",
		about: "The newest version of each page, whichever page's image is named, with the corrected text: " + formats +
			" Nothing is read for it. Pages that were not read are empty. A PDF stays the file that it was, with text laid over it; of " +
			"one that a password opens, the header Export-Unencrypted says that none is needed any more.",
		gives: []string{"application/*", "text/*"}, errors: []int{413, 415}, timeout: a.ExportTimeout}, a.exportDocument)
	handleJSON(a, route{pattern: "POST " + base + "/export", tag: "recognition", id: "export-documents",
		summary: "Export several documents as one file",
		about:   "As with the export of one, into an archive or one after the other.", body: short,
		gives: []string{"application/*", "text/*"}, errors: []int{415}, timeout: a.ExportTimeout}, a.exportDocuments)
	handle(a, route{pattern: "GET " + base + "/image/{id}/ocr/{version}/export", tag: "recognition", id: "export", summary: "Export a run",
		about: "One version of one page, in the formats of the export of a document. JSON is the run itself.",
		gives: []string{"application/*", "text/*"}, errors: []int{413, 415}, timeout: wait}, a.export)
	handle(a, route{pattern: "GET " + base + "/ocr/{id}", tag: "recognition", id: "content", summary: "Get the text of a region",
		about: "The current revision.", also: []int{304}}, a.content)
	handleJSON(a, route{pattern: "PUT " + base + "/ocr/{id}", tag: "recognition", id: "correct",
		summary: "Correct, name or confirm the text of a region",
		about: "All that the body says is one revision. Words that you write are sure; confirmed says more: that you have found all of " +
			"the text right. With deleted: false a content is brought back that was deleted no more than seven days ago. For the user " +
			"who started the run, the image's owner and administrators.", body: long, errors: []int{412}}, a.correct)
	handle(a, route{pattern: "GET " + base + "/ocr/{id}/revisions", tag: "recognition", id: "revisions",
		summary: "List all revisions of a text",
		about:   "The first one first."}, a.revisions)
	handle(a, route{pattern: "DELETE " + base + "/ocr/{id}", tag: "recognition", id: "delete-content",
		summary: "Delete the text of a region",
		about: "It is left out of runs, exports and search, and removed after seven days. Until then PUT with deleted: false brings it " +
			"back."}, a.deleteContent)
	handle(a, route{pattern: "GET " + base + "/search", tag: "recognition", id: "search", summary: "Search in all texts that you may see",
		about: "Finds regions by their newest text and their names, and images by their names; what was read or corrected last comes " +
			"first. Each word of q has to be found: Hangul, kana and Chinese characters wherever they stand, Latin words and numbers " +
			"where one begins so. Letter case and Unicode normal form do not matter."}, a.search)
	handle(a, route{pattern: "GET " + base + "/ocr/lang", tag: "recognition", id: "languages", summary: "List the installed languages"},
		a.languages)
	handle(a, route{pattern: "GET " + base + "/ocr/psm", tag: "recognition", id: "psm", summary: "List the page segmentation modes"}, a.psm)
	handle(a, route{pattern: "GET " + base + "/ocr/oem", tag: "recognition", id: "oem", summary: "List the engine modes"}, a.oem)

	// System.
	handle(a, route{pattern: "GET /ping", tag: "system", id: "ping", summary: "Answer pong", gives: []string{"text/plain"}, open: true},
		a.ping)
	handle(a, route{pattern: "GET /health", tag: "system", id: "health", summary: "Tell that the process lives", open: true}, a.health)
	handle(a, route{pattern: "GET /ready", tag: "system", id: "ready", summary: "Tell whether the service has everything it needs",
		about: "200 if it has, 503 with the same body if something is away.", also: []int{503}, open: true}, a.ready)

	// Administration.
	handle(a, route{pattern: "GET " + base + "/admin/service", tag: "admin", id: "service", summary: "Get the state of the service",
		about: "What is there and what is away, what the workers do, and how many regions wait."}, a.service)
	handle(a, route{pattern: "GET " + base + "/admin/user", tag: "admin", id: "users", summary: "List all users"}, a.users)
	handleJSON(a, route{pattern: "PUT " + base + "/admin/user/{id}/role", tag: "admin", id: "set-role", summary: "Give or take away a role",
		about: "Of another user.", body: short}, a.setRole)
	handleJSON(a, route{pattern: "PUT " + base + "/admin/user/{id}/state/{state}", tag: "admin", id: "set-state",
		summary: "Block or deactivate a user",
		about:   "Another user. It takes effect on that user's next request.",
		body:    &body{mediaType: mediaTypeJSON, limit: jsonLimit, optional: true}}, a.setState)
	handle(a, route{pattern: "DELETE " + base + "/admin/user/{id}/state/{state}", tag: "admin", id: "clear-state",
		summary: "Unblock or reactivate a user",
		about:   "Another user."}, a.clearState)

	a.jobRoutes()

	a.pages()
}

// handler is one operation: it decodes, calls a service and encodes.
type handler[I, O any] func(ctx context.Context, c *call, in *I) (*O, error)

// handleJSON registers an operation whose body is JSON of the type B.
func handleJSON[I, O, B any](a *api, r route, h func(ctx context.Context, c *call, in *I, body B) (*O, error)) {
	handle(a, r, func(ctx context.Context, c *call, in *I) (*O, error) {
		data, err := c.readBody()
		if err != nil {
			return nil, err
		}
		var form B
		if len(data) > 0 || !r.body.optional {
			if err := decodeBody(data, &form); err != nil {
				return nil, err
			}
		}
		return h(ctx, c, in, form)
	})
	a.documentBody(r, schemaOf[B](a))
}

// handle registers an operation. Its handler reads the body itself, where there is one that is not JSON.
func handle[I, O any](a *api, r route, h handler[I, O]) {
	if r.timeout == 0 {
		r.timeout = a.RequestTimeout
	}
	if r.body != nil {
		r.errors = append(r.errors, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
			http.StatusUnprocessableEntity)
	}
	if r.streams {
		r.errors = append(r.errors, http.StatusTooManyRequests)
	}
	a.table = append(a.table, r)
	register(a, r, h)
}

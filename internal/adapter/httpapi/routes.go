package httpapi

import (
	"net/http"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/limits"
	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/adapter/httpapi/watch"
)

// base is the prefix of the paths of all operations on users, images and results.
const base = endpoint.Base

// routes registers all operations, in the order in which /docs shows them.
func (a *api) routes(s *endpoint.Set) {
	short := &endpoint.Body{MediaType: endpoint.JSON, Limit: jsonLimit}
	long := &endpoint.Body{MediaType: endpoint.JSON, Limit: textLimit}
	wait := a.RecognitionTimeout

	// Accounts.
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/user", Tag: "user", ID: "sign-up", Summary: "Create an account",
		About: "A name has 1–100 ASCII letters and digits, a password 8–255 characters without white space. Name and e-mail address " +
			"must not be in use.",
		Body: short, Status: 201, Errors: []int{403, 409}, Open: true}, a.signUp)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/signup", Tag: "user", ID: "sign-up-open",
		Summary: "Get whether anybody may create an account",
		Open:    true}, a.signUpOpen)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/user/login", Tag: "user", ID: "login", Summary: "Sign in",
		About: "The password flow of OAuth2. An unknown name and a wrong password give the same answer.",
		Body: &endpoint.Body{MediaType: endpoint.Form, Limit: formLimit, Required: []string{"username", "password"},
			Fields: map[string]string{
				"username": "The name.", "password": "The password.", "grant_type": "Must be password if given.", "scope": "Ignored.",
				"client_id": "Ignored.", "client_secret": "Ignored."}},
		Errors: []int{401, 403, 429}, Open: true}, a.login)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/user/token", Tag: "user", ID: "refresh", Summary: "Get new tokens",
		About: "A refresh token works once. Using it a second time ends its session.",
		Body:  short, Errors: []int{401, 403}, Open: true}, a.refresh)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/user/logout", Tag: "user", ID: "logout",
		Summary: "Sign out", About: "Ends this session."},
		a.logout)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/me", Tag: "user", ID: "me", Summary: "Get your account",
		About: "Includes role and states."}, a.me)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/settings", Tag: "user", ID: "settings", Summary: "Get your settings",
		About: "Your defaults for reading, for use by programs on all your devices. The service does not apply them to requests; " +
			"parameters that a request leaves out have the defaults of the service."}, a.settings)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/user/settings", Tag: "user", ID: "set-settings",
		Summary: "Change your settings",
		About:   "Replaces all settings. A missing one becomes unset.", Body: short}, a.setSettings)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/logins", Tag: "user", ID: "logins", Summary: "List your sign-ins",
		About: "Newest first."}, a.logins)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/user", Tag: "user", ID: "change-profile",
		Summary: "Change name and e-mail address",
		Body:    short, Errors: []int{409}}, a.changeProfile)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/user/password", Tag: "user", ID: "change-password",
		Summary: "Change the password",
		About:   "Ends all other sessions.", Body: short, Errors: []int{409, 429}}, a.changePassword)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/user/key", Tag: "user", ID: "add-key", Summary: "Create an API key",
		About: "A key works wherever an access token does, but cannot change the account. Only this answer shows it.",
		Body:  short, Status: 201, Errors: []int{409}}, a.addKey)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/key", Tag: "user", ID: "keys",
		Summary: "List your API keys", About: "Newest first."},
		a.keys)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/user/key/{id}", Tag: "user", ID: "delete-key",
		Summary: "Revoke an API key"}, a.deleteKey)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/user", Tag: "user", ID: "resign", Summary: "Delete your account",
		About: "Clears your name, e-mail address and password, ends your sessions and API keys, and deletes your images unless you keep " +
			"them.",
		Timeout: wait}, a.resign)

	// Images.
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/image", Tag: "image", ID: "upload", Summary: "Upload images",
		About: "Returns the image of the first page, or a list if there are several files. Each page of a file is an image, and all " +
			"pages of a file are a document. The answer has the number of pages, and GET /image?document= lists them. If one file is " +
			"refused, none is kept. The service detects the media type from the bytes. It answers 422 with the code pdf_encrypted if a " +
			"file is encrypted and the password is missing or wrong.",
		Body: &endpoint.Body{MediaType: endpoint.Files, Limit: a.uploadLimits().Body(), Required: []string{"file"},
			Fields: map[string]string{"file": "Images and PDF files.", "password": "The password of encrypted files."}}, Status: 201,
		Errors: []int{409, 507}, Timeout: a.UploadTimeout}, a.upload)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image", Tag: "image", ID: "images",
		Summary: "List your documents and those shared with you",
		About: "Newest first unless sort says otherwise. The image of the first page stands for each document. With document, lists " +
			"its pages.",
		Errors: []int{403, 404}}, a.images)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/meta", Tag: "image", ID: "image",
		Summary: "Get the metadata of an image"},
		a.image)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}", Tag: "image", ID: "original",
		Summary: "Download the uploaded file of an image",
		About: "Supports entity tags and " +
			"ranges.", Gives: []string{"image/*"}, Also: []int{206, 304}, Errors: []int{412, 416}}, a.original)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/thumbnail", Tag: "image", ID: "thumbnail",
		Summary: "Get a thumbnail",
		About: "It is upright and has at most 128 × 128 " +
			"pixels.", Gives: []string{"image/*"}, Also: []int{206, 304}, Errors: []int{412, 416}},
		a.thumbnail)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/view", Tag: "image", ID: "view",
		Summary: "Get an upright rendition for browsers",
		Gives:   []string{"image/*"}, Also: []int{206, 304}, Errors: []int{412, 415, 416}, Timeout: wait}, a.view)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/crop", Tag: "image", ID: "crop",
		Summary: "Get a region as the engine reads it",
		About: "The region is cut out, scaled and given a " +
			"border.", Gives: []string{"image/png"}, Errors: []int{415}, Timeout: wait}, a.crop)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/layout", Tag: "image", ID: "layout", Summary: "Suggest regions",
		About: "Finds regions with text, in reading order, without reading them.", Errors: []int{415}, Timeout: wait}, a.layout)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/image/{id}", Tag: "image", ID: "change-image",
		Summary: "Rename, share or tag a document, or turn a page",
		About: "For the owner and administrators. A rotation is absolute. It does not change the file or the stored text, and from then " +
			"on all coordinates are those of the turned image. All other fields concern the whole document; for a page that is not the " +
			"first, the answer is 409 with the code page_of_document.",
		Body: short, Errors: []int{409, 412, 415}, Timeout: wait}, a.changeImage)
	a.libraryRoutes(s)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/image/{id}", Tag: "image", ID: "delete-image",
		Summary: "Delete a document",
		About: "Deletes its file, all its pages and all their runs. The answer is 409 with the code page_of_document if the image is " +
			"not that of the first page.",
		Errors: []int{409, 412}}, a.deleteImage)

	// Recognition.
	recognize := endpoint.Route{Pattern: "POST " + base + "/image/{id}/ocr", Tag: "recognition", ID: "recognize",
		Summary: "Read regions of an image, or the whole image",
		About: "Stores the contents as a new version of the image and returns them in the order of the regions. Without a body, or with " +
			"an empty list, it reads the whole page. A region that cannot be read has an error; if none can be read, the request " +
			"fails.\n\nWith into, the contents are added to that version, or become new revisions of contents of it. The settings of the " +
			"run stay those of its first request. The answer is 409 with the code version_not_newest if there is a newer version, and " +
			"409 with the code changed_meanwhile if somebody corrected a content while it was read again; then the correction is kept, " +
			"and so are the other contents.\n\n" +
			"With pages, it reads the regions on each of these pages of the document, whichever page the image is. The answer has the " +
			"version of each page, or the reason why it was not read. A region that is outside a page is an error of that page only.",
		Body: &endpoint.Body{MediaType: endpoint.JSON, Limit: textLimit, Optional: true, Most: a.mostRegions()}, Errors: []int{409, 429},
		Timeout: wait}
	endpoint.HandleJSON(s, recognize, a.recognize)
	endpoint.AlsoAnswers[client.Job](s, recognize, http.StatusAccepted, "With `Prefer: respond-async`: the job that reads the image.")
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/ocr", Tag: "recognition", ID: "runs",
		Summary: "List the runs of an image",
		About:   "Newest first. At most 100, fewer if they are long.", Errors: []int{413}}, a.runs)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/events", Tag: "recognition", ID: "image-events",
		Summary: "Follow the changes of an image",
		About: "Server-sent events. `content` has the id, the version and the revision of a content that was corrected, confirmed, " +
			"named, read again, deleted or restored. `run` has the version of a run that is new or has many new contents, or 0 if " +
			"anything may have changed. `image` has the rotation of the image, and `presence` the names of the users who have it open; " +
			"both come at the start and after each change. Open the stream before you get the runs, so that you miss nothing. " +
			"Last-Event-ID resumes the stream, on any node. It ends when the image is deleted or you may no longer see it.",
		Gives: []string{sse.MediaType}, Streams: true}, watch.Handlers{Results: a.Recognition}.Image)
	const formats = "plain text with a form feed between pages, JSON, TSV (with Tesseract's columns), hOCR 1.2, ALTO 4.4, searchable " +
		"PDF, CSV and XLSX with a row for each region, or gt: an archive with the images and texts of confirmed lines, to train " +
		"recognisers."
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/export", Tag: "recognition", ID: "export-document",
		Summary: "Export a document",
		About: "Exports the newest version of each page with the corrected text, whichever page the image is. Formats: " + formats +
			" It reads nothing; pages without a run are empty, and the header Export-Unread says how many there are. A PDF made of " +
			"images is PDF/A-2u. For an uploaded PDF the result is the uploaded file with text laid over its pages, which does not " +
			"make it PDF/A. If the uploaded PDF needs a password, the result " +
			"does not, and the header Export-Unencrypted says so.",
		Gives: []string{"application/*", "text/*"}, Errors: []int{413, 415}, Timeout: a.ExportTimeout}, a.exportDocument)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/export", Tag: "recognition", ID: "export-documents",
		Summary: "Export several documents as one file",
		About: "In the formats of the export of one document, as an archive or one after the other. The header Export-Unread " +
			"says how many pages were not read.", Body: short,
		Gives: []string{"application/*", "text/*"}, Errors: []int{415}, Timeout: a.ExportTimeout}, a.exportDocuments)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/ocr/{version}/export", Tag: "recognition", ID: "export",
		Summary: "Export a run",
		About:   "Exports one version of one page, in the formats of the export of a document. JSON is the run itself.",
		Gives:   []string{"application/*", "text/*"}, Errors: []int{413, 415}, Timeout: wait}, a.export)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/ocr/{id}", Tag: "recognition", ID: "content",
		Summary: "Get the text of a region",
		About:   "Returns the current revision.", Also: []int{304}}, a.content)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/ocr/{id}", Tag: "recognition", ID: "correct",
		Summary: "Correct, name or confirm the text of a region",
		About: "For the user who started the run, the owner of the image and administrators. All changes of one request make one " +
			"revision. Words that you write have confidence 1, unless the text is again what was read; confirmed says that you have " +
			"checked the whole text. deleted: false restores a content that was deleted within the last seven days.",
		Body: long, Errors: []int{412}}, a.correct)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/ocr/{id}/revisions", Tag: "recognition", ID: "revisions",
		Summary: "List all revisions of a text",
		About:   "Oldest first."}, a.revisions)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/ocr/{id}", Tag: "recognition", ID: "delete-content",
		Summary: "Delete the text of a region",
		About: "Runs, exports and search leave it out, and it is removed after seven days. Until then the deleted texts of the image " +
			"list it, and PUT with deleted: false restores it.", Errors: []int{412}}, a.deleteContent)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/ocr/deleted", Tag: "recognition", ID: "deleted-contents",
		Summary: "List the deleted texts of an image",
		About: "Those of all runs that you can restore, that is, that were deleted within the last seven days. What was deleted last " +
			"comes first. The owner of the image and administrators get all of them, other users those of runs that they started."},
		a.deletedContents)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/search", Tag: "recognition", ID: "search",
		Summary: "Search in all texts that you may see",
		About: "Finds regions by their newest text and their names, and images by their names. What was read or corrected last comes " +
			"first. Each word of q must be found: Hangul, kana and Chinese characters anywhere in a word, Latin words and numbers at its " +
			"beginning. Letter case and Unicode normal form do not matter."}, a.search)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/ocr/lang", Tag: "recognition", ID: "languages",
		Summary: "List the installed languages"},
		a.languages)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/ocr/psm", Tag: "recognition", ID: "psm",
		Summary: "List the page segmentation modes"}, a.psm)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/ocr/oem", Tag: "recognition", ID: "oem",
		Summary: "List the engine modes"}, a.oem)

	// System.
	endpoint.Handle(s, endpoint.Route{Pattern: "GET /ping", Tag: "system", ID: "ping",
		Summary: "Answer pong", Gives: []string{"text/plain"}, Open: true},
		a.ping)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET /health", Tag: "system", ID: "health",
		Summary: "Check that the process runs", Open: true}, a.health)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET /ready", Tag: "system", ID: "ready",
		Summary: "Check that the service is ready",
		About: "Reports which dependencies are reachable. The status is 200 if all are and 503, with the same body, " +
			"otherwise.", Also: []int{503}, Open: true}, a.ready)

	// Administration.
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/admin/service", Tag: "admin", ID: "service",
		Summary: "Get the state of the service",
		About:   "Reports which dependencies are reachable, what the workers do, and how many regions wait."}, a.service)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/admin/user", Tag: "admin", ID: "users",
		Summary: "List all users"}, a.users)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/admin/user/{id}/role", Tag: "admin", ID: "set-role",
		Summary: "Give a user a role, or remove it",
		About:   "For users other than yourself.", Body: short}, a.setRole)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/admin/user/{id}/state/{state}", Tag: "admin", ID: "set-state",
		Summary: "Block or deactivate a user",
		About:   "For users other than yourself. It takes effect on the user's next request.",
		Body:    &endpoint.Body{MediaType: endpoint.JSON, Limit: jsonLimit, Optional: true}}, a.setState)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/admin/user/{id}/state/{state}", Tag: "admin", ID: "clear-state",
		Summary: "Unblock or reactivate a user",
		About:   "For users other than yourself."}, a.clearState)

	a.jobRoutes(s)
	a.webhookRoutes(s)
	limits.Register(s, a.Limits)
}

package httpapi

import (
	"net/http"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/limits"
	"glyphbox/internal/adapter/httpapi/sse"
	"glyphbox/internal/adapter/httpapi/watch"
)

// base is before the path of every operation on users, images and results.
const base = endpoint.Base

// routes registers all operations, in the order in which somebody meets them. The page /docs shows them in this order.
func (a *api) routes(s *endpoint.Set) {
	short := &endpoint.Body{MediaType: endpoint.JSON, Limit: jsonLimit}
	long := &endpoint.Body{MediaType: endpoint.JSON, Limit: textLimit}
	wait := a.RecognitionTimeout

	// Accounts.
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/user", Tag: "user", ID: "sign-up", Summary: "Make an account",
		About: "The name has 1–100 ASCII letters and digits, the password 8–255 characters without white space. Name and e-mail address " +
			"must not be taken.",
		Body: short, Status: 201, Errors: []int{403, 409}, Open: true}, a.signUp)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/signup", Tag: "user", ID: "sign-up-open",
		Summary: "Tell whether anybody may make an account",
		Open:    true}, a.signUpOpen)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/user/login", Tag: "user", ID: "login", Summary: "Sign in",
		About: "The password flow of OAuth2. An unknown name and a wrong password give the same answer.",
		Body: &endpoint.Body{MediaType: endpoint.Form, Limit: formLimit, Required: []string{"username", "password"},
			Fields: map[string]string{
				"username": "The name.", "password": "The password.", "grant_type": "password, if it is sent.", "scope": "Ignored.",
				"client_id": "Ignored.", "client_secret": "Ignored."}},
		Errors: []int{401, 403, 429}, Open: true}, a.login)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/user/token", Tag: "user", ID: "refresh", Summary: "Get new tokens",
		About: "A refresh token works once. Using it a second time ends its session.",
		Body:  short, Errors: []int{401, 403}, Open: true}, a.refresh)
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/user/logout", Tag: "user", ID: "logout",
		Summary: "Sign out", About: "Ends this session."},
		a.logout)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/me", Tag: "user", ID: "me", Summary: "Get your account",
		About: "With role and states."}, a.me)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/settings", Tag: "user", ID: "settings", Summary: "Get your settings",
		About: "How you read by default, on every device. Requests do not use them unless they send them: what a request leaves out is " +
			"as the service is configured."}, a.settings)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/user/settings", Tag: "user", ID: "set-settings",
		Summary: "Change your settings",
		About:   "All of them: what is missing is not set any more.", Body: short}, a.setSettings)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/logins", Tag: "user", ID: "logins", Summary: "List your sign-ins",
		About: "Newest first."}, a.logins)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/user", Tag: "user", ID: "change-profile",
		Summary: "Change name and e-mail address",
		Body:    short, Errors: []int{409}}, a.changeProfile)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/user/password", Tag: "user", ID: "change-password",
		Summary: "Change the password",
		About:   "Ends all other sessions.", Body: short, Errors: []int{409, 429}}, a.changePassword)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/user/key", Tag: "user", ID: "add-key", Summary: "Make an API key",
		About: "A key works wherever an access token does, but cannot change the account. It is shown only in this answer.",
		Body:  short, Status: 201, Errors: []int{409}}, a.addKey)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/user/key", Tag: "user", ID: "keys",
		Summary: "List your API keys", About: "Newest first."},
		a.keys)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/user/key/{id}", Tag: "user", ID: "delete-key",
		Summary: "Revoke an API key"}, a.deleteKey)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/user", Tag: "user", ID: "resign", Summary: "Delete account",
		About: "Name, e-mail address and password become null, sessions and API keys end, and your images are deleted unless you keep " +
			"them.",
		Timeout: wait}, a.resign)

	// Images.
	endpoint.Handle(s, endpoint.Route{Pattern: "POST " + base + "/image", Tag: "image", ID: "upload", Summary: "Upload images",
		About: "Answers with the image of the first page, or with a list if there are several files. Each page of a file is an image, " +
			"and they are a document: the answer tells how many pages there are, and GET /image?document= lists them. If one file is " +
			"refused, none is kept. The media type is found from the bytes. 422 with the code pdf_encrypted: the password of an " +
			"encrypted file is missing, or another one.",
		Body: &endpoint.Body{MediaType: endpoint.Files, Limit: a.uploadLimits().Body(), Required: []string{"file"},
			Fields: map[string]string{"file": "Image files.", "password": "Opens the files that are encrypted."}}, Status: 201,
		Errors: []int{409, 507}, Timeout: a.UploadTimeout}, a.upload)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image", Tag: "image", ID: "images",
		Summary: "List your documents and those shared with you",
		About:   "Newest first unless sort says otherwise, each by the image of its first page. With document the pages of one.",
		Errors:  []int{403, 404}}, a.images)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/meta", Tag: "image", ID: "image",
		Summary: "Get the metadata of an image"},
		a.image)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}", Tag: "image", ID: "original",
		Summary: "Download an image as it was uploaded",
		About:   "With ETag and ranges.", Gives: []string{"image/*"}, Also: []int{206, 304}, Errors: []int{412, 416}}, a.original)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/thumbnail", Tag: "image", ID: "thumbnail",
		Summary: "Get a thumbnail",
		About:   "Upright, at most 128 × 128 pixels.", Gives: []string{"image/*"}, Also: []int{206, 304}, Errors: []int{412, 416}},
		a.thumbnail)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/view", Tag: "image", ID: "view",
		Summary: "Get an upright rendition that every browser shows",
		Gives:   []string{"image/*"}, Also: []int{206, 304}, Errors: []int{412, 415, 416}, Timeout: wait}, a.view)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/crop", Tag: "image", ID: "crop",
		Summary: "Get a region as the engine sees it",
		About:   "Cut out, scaled and with a border.", Gives: []string{"image/png"}, Errors: []int{415}, Timeout: wait}, a.crop)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/layout", Tag: "image", ID: "layout", Summary: "Suggest regions",
		About: "Finds where text is, in reading order, without reading it.", Errors: []int{415}, Timeout: wait}, a.layout)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/image/{id}", Tag: "image", ID: "change-image",
		Summary: "Rename, share or tag a document, or turn a page",
		About: "For its owner and administrators. A rotation is absolute; the file and the stored text stay as they are, and all " +
			"coordinates are those of the turned image from then on. What is not the rotation concerns all pages, and is refused with " +
			"409 and the code page_of_document for a page that is not the first.",
		Body: short, Errors: []int{409, 412, 415}, Timeout: wait}, a.changeImage)
	a.libraryRoutes(s)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/image/{id}", Tag: "image", ID: "delete-image",
		Summary: "Delete a document",
		About:   "With its file, all its pages and all their runs. 409 with the code page_of_document: the image is that of a later page.",
		Errors:  []int{409, 412}}, a.deleteImage)

	// Recognition.
	recognize := endpoint.Route{Pattern: "POST " + base + "/image/{id}/ocr", Tag: "recognition", ID: "recognize",
		Summary: "Read regions of an image, or all of it",
		About: "Stores the contents as the next version of the image and answers with them in the order of the regions. No body, or an " +
			"empty list, reads the whole page. A region that cannot be read has an error; if none can be read, the call fails. " +
			"With into the contents become part of that version, or a content of it is read again; settings of the run stay those of " +
			"its first call. 409 with the code version_not_newest: there is a newer version. 409 with the code changed_meanwhile: " +
			"somebody corrected a content while it was read again; the correction stays, and so does what else was read. With pages the " +
			"regions are read of each of those pages of the document, whichever page's image is named, and the answer has the " +
			"version of each page, or why it was not read; that a region is not on a page is an error of that page only.",
		Body: &endpoint.Body{MediaType: endpoint.JSON, Limit: textLimit, Optional: true, Most: a.mostRegions()}, Errors: []int{409, 429},
		Timeout: wait}
	endpoint.HandleJSON(s, recognize, a.recognize)
	endpoint.AlsoAnswers[client.Job](s, recognize, http.StatusAccepted, "With `Prefer: respond-async`: the job that reads it.")
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/ocr", Tag: "recognition", ID: "runs",
		Summary: "List the runs of an image",
		About:   "Newest first, at most 100, fewer if they are long.", Errors: []int{413}}, a.runs)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/events", Tag: "recognition", ID: "image-events",
		Summary: "Follow what happens to an image",
		About: "Server-sent events: `content` with the id, the version and the revision of a content that was corrected, " +
			"confirmed, named, read again, deleted or brought back; `run` with the version of a run that is new or has many new " +
			"contents, 0 if anything may have changed; `image` with the rotation of the image, and `presence` with the names of the " +
			"users who have it open, each at first and when it changes. Open the stream first and get the runs then, so that " +
			"nothing is missed. Last-Event-ID resumes, on any " +
			"node. The stream ends when the image is deleted or may no longer be seen.",
		Gives: []string{sse.MediaType}, Streams: true}, watch.Handlers{Results: a.Recognition}.Image)
	const formats = "plain text with a form feed between pages, JSON, TSV (the columns of Tesseract's), hOCR 1.2, ALTO 4.4, PDF whose " +
		"text can be searched and selected, CSV and XLSX with a row for each region, or gt: an archive of the images and texts of " +
		"confirmed lines, to train recognisers with."
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/export", Tag: "recognition", ID: "export-document",
		Summary: "Export a document",
		About: "The newest version of each page, whichever page's image is named, with the corrected text: " + formats +
			" Nothing is read for it. Pages that were not read are empty, and the header Export-Unread says how many there are. A PDF " +
			"made of images is PDF/A-2u. An uploaded PDF stays the file that it was, with text laid over it: it does not become PDF/A " +
			"by that. Of one that a password opens, the header " +
			"Export-Unencrypted says that none is needed any more.",
		Gives: []string{"application/*", "text/*"}, Errors: []int{413, 415}, Timeout: a.ExportTimeout}, a.exportDocument)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "POST " + base + "/export", Tag: "recognition", ID: "export-documents",
		Summary: "Export several documents as one file",
		About:   "As with the export of one, into an archive or one after the other.", Body: short,
		Gives: []string{"application/*", "text/*"}, Errors: []int{415}, Timeout: a.ExportTimeout}, a.exportDocuments)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/ocr/{version}/export", Tag: "recognition", ID: "export",
		Summary: "Export a run",
		About:   "One version of one page, in the formats of the export of a document. JSON is the run itself.",
		Gives:   []string{"application/*", "text/*"}, Errors: []int{413, 415}, Timeout: wait}, a.export)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/ocr/{id}", Tag: "recognition", ID: "content",
		Summary: "Get the text of a region",
		About:   "The current revision.", Also: []int{304}}, a.content)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/ocr/{id}", Tag: "recognition", ID: "correct",
		Summary: "Correct, name or confirm the text of a region",
		About: "All that the body says is one revision. Words that you write are sure; confirmed says more: that you have found all of " +
			"the text right. With deleted: false a content is brought back that was deleted no more than seven days ago. For the user " +
			"who started the run, the image's owner and administrators.", Body: long, Errors: []int{412}}, a.correct)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/ocr/{id}/revisions", Tag: "recognition", ID: "revisions",
		Summary: "List all revisions of a text",
		About:   "The first one first."}, a.revisions)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/ocr/{id}", Tag: "recognition", ID: "delete-content",
		Summary: "Delete the text of a region",
		About: "It is left out of runs, exports and search, and removed after seven days. Until then PUT with deleted: false brings it " +
			"back.", Errors: []int{412}}, a.deleteContent)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/search", Tag: "recognition", ID: "search",
		Summary: "Search in all texts that you may see",
		About: "Finds regions by their newest text and their names, and images by their names; what was read or corrected last comes " +
			"first. Each word of q has to be found: Hangul, kana and Chinese characters wherever they stand, Latin words and numbers " +
			"where one begins so. Letter case and Unicode normal form do not matter."}, a.search)
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
		Summary: "Tell that the process lives", Open: true}, a.health)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET /ready", Tag: "system", ID: "ready",
		Summary: "Tell whether the service has everything it needs",
		About:   "200 if it has, 503 with the same body if something is away.", Also: []int{503}, Open: true}, a.ready)

	// Administration.
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/admin/service", Tag: "admin", ID: "service",
		Summary: "Get the state of the service",
		About:   "What is there and what is away, what the workers do, and how many regions wait."}, a.service)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/admin/user", Tag: "admin", ID: "users",
		Summary: "List all users"}, a.users)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/admin/user/{id}/role", Tag: "admin", ID: "set-role",
		Summary: "Give or take away a role",
		About:   "Of another user.", Body: short}, a.setRole)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/admin/user/{id}/state/{state}", Tag: "admin", ID: "set-state",
		Summary: "Block or deactivate a user",
		About:   "Another user. It takes effect on that user's next request.",
		Body:    &endpoint.Body{MediaType: endpoint.JSON, Limit: jsonLimit, Optional: true}}, a.setState)
	endpoint.Handle(s, endpoint.Route{Pattern: "DELETE " + base + "/admin/user/{id}/state/{state}", Tag: "admin", ID: "clear-state",
		Summary: "Unblock or reactivate a user",
		About:   "Another user."}, a.clearState)

	a.jobRoutes(s)
	a.webhookRoutes(s)
	limits.Register(s, a.Limits)
}

// Package client is a typed client of the HTTP API of a Glyphbox service, and the types of its JSON.
//
// A method does one request. Its error is a *Problem where the service answered with a failure, else one of the connection. Nothing
// is tried again. See the Example for a walk from sign-in to text.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Client talks to one service as one user. It does not change, so that it may be used by several goroutines at once.
type Client struct {
	Server string       // address of the service, with its base path where it has one: "https://example.org/ocr"
	Token  string       // an access token or an API key; empty: none
	HTTP   *http.Client // nil: http.DefaultClient

	// IdempotencyKey is sent along: an upload, a recognition or a job with it takes effect once within a day, however often the same is
	// sent, and is answered alike. 1–255 characters; empty: none.
	IdempotencyKey string
}

// Once returns a client whose next upload, recognition or job takes effect once, by that key. Another one needs another key.
func (c Client) Once(key string) Client {
	c.IdempotencyKey = key
	return c
}

// WithToken returns a client of the same service that uses that token.
func (c Client) WithToken(token string) Client {
	c.Token = token
	return c
}

// basePath stands before the path of every operation on users, images and results.
const basePath = "/api/v1"

// Do sends a request and returns the answer; the caller closes its body. The path begins behind the server's address. It is for
// what has no method of its own. The error is a *Problem where the status is 400 or above.
func (c Client) Do(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	response, err := c.roundTrip(ctx, method, path, header, body)
	if err != nil || response.StatusCode < 400 {
		return response, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return nil, problemOf(response, text)
}

// roundTrip sends a request and returns the answer, whatever its status.
func (c Client) roundTrip(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+path, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.IdempotencyKey != "" {
		r.Header.Set("Idempotency-Key", c.IdempotencyKey)
	}
	if c.HTTP == nil {
		return http.DefaultClient.Do(r)
	}
	return c.HTTP.Do(r)
}

// ask sends a request without a body, or with one in JSON, and decodes the answer.
func ask[T any](ctx context.Context, c Client, method, path string, query url.Values, body any) (T, http.Header, error) {
	var content io.Reader
	header := http.Header{}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			var none T
			return none, nil, err
		}
		content = bytes.NewReader(b)
		header.Set("Content-Type", "application/json")
	}
	return decode[T](c.Do(ctx, method, basePath+path+encoded(query), header, content))
}

func get[T any](ctx context.Context, c Client, path string, query url.Values) (T, error) {
	answer, _, err := ask[T](ctx, c, http.MethodGet, path, query, nil)
	return answer, err
}

func send[T any](ctx context.Context, c Client, method, path string, body any) (T, error) {
	answer, _, err := ask[T](ctx, c, method, path, nil, body)
	return answer, err
}

// tell sends something and wants no answer.
func tell(ctx context.Context, c Client, method, path string, body any) error {
	_, err := send[struct{}](ctx, c, method, path, body)
	return err
}

// decode reads an answer in JSON, or none where the status says so.
func decode[T any](r *http.Response, err error) (answer T, _ http.Header, _ error) {
	if err != nil {
		return answer, nil, err
	}
	defer r.Body.Close()
	if r.StatusCode == http.StatusNoContent {
		return answer, r.Header, nil
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return answer, nil, fmt.Errorf("%s %s: the answer cannot be decoded: %w", r.Request.Method, r.Request.URL.Path, err)
	}
	return answer, r.Header, nil
}

func encoded(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

// Page picks a part of a list. The zero value is the first ten.
type Page struct {
	Size   int // entries of a page; 0: 10
	Number int // counted from 0
}

func (p Page) query() url.Values {
	query := url.Values{}
	set(query, "size", p.Size)
	set(query, "page", p.Number)
	return query
}

// set leaves a parameter out that is 0 or empty.
func set[T comparable](query url.Values, name string, value T) {
	if value != *new(T) {
		query.Set(name, fmt.Sprint(value))
	}
}

// List is a part of a list.
type List[T any] struct {
	Items []T
	Total int // entries of the whole list
}

func list[T any](ctx context.Context, c Client, path string, query url.Values) (List[T], error) {
	items, header, err := ask[[]T](ctx, c, http.MethodGet, path, query, nil)
	if err != nil {
		return List[T]{}, err
	}
	total, err := strconv.Atoi(header.Get("X-Total-Count"))
	return List[T]{items, total}, err
}

// SignUp makes an account.
func (c Client) SignUp(ctx context.Context, form SignUpForm) (User, error) {
	return send[User](ctx, c, http.MethodPost, "/user", form)
}

// SignUpOpen tells whether anybody may make an account.
func (c Client) SignUpOpen(ctx context.Context) (bool, error) {
	answer, err := get[SignUp](ctx, c, "/user/signup", nil)
	return answer.Open, err
}

// Login signs in. Use its access token by WithToken.
func (c Client) Login(ctx context.Context, name, password string) (Grant, error) {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	form := url.Values{"username": {name}, "password": {password}}
	grant, _, err := decode[Grant](c.Do(ctx, http.MethodPost, basePath+"/user/login", header, strings.NewReader(form.Encode())))
	return grant, err
}

// Refresh exchanges a refresh token for new tokens. Each refresh token works once.
func (c Client) Refresh(ctx context.Context, refreshToken string) (Grant, error) {
	return send[Grant](ctx, c, http.MethodPost, "/user/token", RefreshForm{refreshToken})
}

// Logout ends the session of the access token.
func (c Client) Logout(ctx context.Context) error {
	return tell(ctx, c, http.MethodPost, "/user/logout", nil)
}

// Me returns the account of the user.
func (c Client) Me(ctx context.Context) (User, error) { return get[User](ctx, c, "/user/me", nil) }

// Logins returns the sign-ins of the user, newest first.
func (c Client) Logins(ctx context.Context, page Page) (List[Login], error) {
	return list[Login](ctx, c, "/user/logins", page.query())
}

// ChangeProfile changes the user's name and e-mail address.
func (c Client) ChangeProfile(ctx context.Context, form ProfileForm) (User, error) {
	return send[User](ctx, c, http.MethodPut, "/user", form)
}

// ChangePassword changes the user's password and ends all other sessions.
func (c Client) ChangePassword(ctx context.Context, form PasswordForm) (User, error) {
	return send[User](ctx, c, http.MethodPut, "/user/password", form)
}

// DeleteAccount deletes the user's account, and the images too unless they are to be kept.
func (c Client) DeleteAccount(ctx context.Context, keepImages bool) error {
	images := "delete"
	if keepImages {
		images = "keep"
	}
	return tell(ctx, c, http.MethodDelete, "/user?images="+images, nil)
}

// AddKey makes an API key.
func (c Client) AddKey(ctx context.Context, form KeyForm) (NewKey, error) {
	return send[NewKey](ctx, c, http.MethodPost, "/user/key", form)
}

// Keys returns the user's API keys, newest first.
func (c Client) Keys(ctx context.Context) ([]Key, error) { return get[[]Key](ctx, c, "/user/key", nil) }

// RevokeKey revokes an API key.
func (c Client) RevokeKey(ctx context.Context, id string) error {
	return tell(ctx, c, http.MethodDelete, "/user/key/"+url.PathEscape(id), nil)
}

// Settings returns the user's settings.
func (c Client) Settings(ctx context.Context) (Settings, error) {
	return get[Settings](ctx, c, "/user/settings", nil)
}

// SetSettings stores the user's settings, in the place of those before.
func (c Client) SetSettings(ctx context.Context, settings Settings) (Settings, error) {
	return send[Settings](ctx, c, http.MethodPut, "/user/settings", settings)
}

// Users returns users whose name or e-mail address contains the keyword. For administrators.
func (c Client) Users(ctx context.Context, keyword string, page Page) (List[User], error) {
	query := page.query()
	set(query, "keyword", keyword)
	return list[User](ctx, c, "/admin/user", query)
}

// SetRole gives a user the role "admin", or takes it away where role is empty. For administrators.
func (c Client) SetRole(ctx context.Context, user int64, role string) (User, error) {
	form := struct {
		Role *string `json:"role"`
	}{}
	if role != "" {
		form.Role = &role
	}
	return send[User](ctx, c, http.MethodPut, fmt.Sprintf("/admin/user/%d/role", user), form)
}

// SetState gives a user the state "blocked" or "inactivate". For administrators.
func (c Client) SetState(ctx context.Context, user int64, state string, form StateForm) (User, error) {
	return send[User](ctx, c, http.MethodPut, statePath(user, state), form)
}

// ClearState takes a state away from a user. For administrators.
func (c Client) ClearState(ctx context.Context, user int64, state string) error {
	return tell(ctx, c, http.MethodDelete, statePath(user, state), nil)
}

func statePath(user int64, state string) string {
	return fmt.Sprintf("/admin/user/%d/state/%s", user, url.PathEscape(state))
}

// Limits returns how much the user may have and do, and how much there is.
func (c Client) Limits(ctx context.Context) (Limits, error) {
	return get[Limits](ctx, c, "/user/limits", nil)
}

// UserLimits returns the limits of a user. For administrators.
func (c Client) UserLimits(ctx context.Context, user int64) (Limits, error) {
	return get[Limits](ctx, c, fmt.Sprintf("/admin/user/%d/limits", user), nil)
}

// SetLimits changes limits of a user. For administrators.
func (c Client) SetLimits(ctx context.Context, user int64, form LimitsForm) (Limits, error) {
	return send[Limits](ctx, c, http.MethodPut, fmt.Sprintf("/admin/user/%d/limits", user), form)
}

// Service returns the state of the service. For administrators.
func (c Client) Service(ctx context.Context) (Service, error) {
	return get[Service](ctx, c, "/admin/service", nil)
}

// Upload uploads a file and returns the image of its first page. It reads all of it into memory first.
func (c Client) Upload(ctx context.Context, name string, data io.Reader) (Image, error) {
	return c.UploadLocked(ctx, name, data, "")
}

// UploadLocked is Upload of a file that may be encrypted, with its password.
func (c Client) UploadLocked(ctx context.Context, name string, data io.Reader, password string) (Image, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if password != "" {
		if err := form.WriteField("password", password); err != nil {
			return Image{}, err
		}
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		return Image{}, err
	}
	if _, err := io.Copy(part, data); err != nil {
		return Image{}, err
	}
	if err := form.Close(); err != nil {
		return Image{}, err
	}
	header := http.Header{"Content-Type": {form.FormDataContentType()}}
	image, _, err := decode[Image](c.Do(ctx, http.MethodPost, basePath+"/image", header, &body))
	return image, err
}

// ImageQuery picks documents. The zero value is the ten newest.
type ImageQuery struct {
	Page
	Keyword string   // part of the name of the document or of its owner
	Sort    string   // "newest", "oldest" or "name"; empty: newest
	Before  int64    // only documents that come after the one with this id in that order
	Tags    []string // that the document has all of
	Owner   string   // "me": only the user's own; "others": what others share; "all": for administrators; empty: all that may be seen
}

// Pages returns the images of a document in the order of its pages.
func (c Client) Pages(ctx context.Context, document int64, page Page) (List[Image], error) {
	query := page.query()
	set(query, "document", document)
	return list[Image](ctx, c, "/image", query)
}

// Images returns the user's documents and those shared with the user, each by the image of its first page.
func (c Client) Images(ctx context.Context, q ImageQuery) (List[Image], error) {
	query := q.query()
	set(query, "before", q.Before)
	set(query, "keyword", q.Keyword)
	set(query, "owner", q.Owner)
	if len(q.Tags) > 0 {
		query["tag"] = q.Tags
	}
	set(query, "sort", q.Sort)
	return list[Image](ctx, c, "/image", query)
}

// TagQuery picks tags. The zero value is the first ten.
type TagQuery struct {
	Page
	Keyword string // part of the tag
	Owner   string // whose documents, as in ImageQuery
}

// Tags returns the tags of documents that the user may see, sorted.
func (c Client) Tags(ctx context.Context, q TagQuery) (List[Tag], error) {
	query := q.query()
	set(query, "keyword", q.Keyword)
	set(query, "owner", q.Owner)
	return list[Tag](ctx, c, "/tag", query)
}

// Image returns the metadata of an image.
func (c Client) Image(ctx context.Context, id int64) (Image, error) {
	return get[Image](ctx, c, imagePath(id, "/meta"), nil)
}

func imagePath(id int64, rest string) string { return fmt.Sprintf("/image/%d%s", id, rest) }

// ChangeImage renames or shares a document by the image of its first page, or turns a page.
func (c Client) ChangeImage(ctx context.Context, id int64, form ImageForm) (Image, error) {
	return send[Image](ctx, c, http.MethodPut, imagePath(id, ""), form)
}

// Share returns with whom a document is shared by name, as far as the user may know.
func (c Client) Share(ctx context.Context, id int64) (Share, error) {
	return get[Share](ctx, c, imagePath(id, "/share"), nil)
}

// SetShare shares a document with the users of those names, and with nobody else by name. Its visibility stays.
func (c Client) SetShare(ctx context.Context, id int64, share Share) (Share, error) {
	return send[Share](ctx, c, http.MethodPut, imagePath(id, "/share"), share)
}

// DeleteImage deletes a document, by the image of its first page, with all its runs.
func (c Client) DeleteImage(ctx context.Context, id int64) error {
	return tell(ctx, c, http.MethodDelete, imagePath(id, ""), nil)
}

// Original returns the bytes of an image as they were uploaded.
func (c Client) Original(ctx context.Context, id int64) ([]byte, error) {
	return c.bytes(ctx, imagePath(id, ""), nil)
}

// Thumbnail returns an upright PNG or JPEG of at most 128 × 128 pixels.
func (c Client) Thumbnail(ctx context.Context, id int64) ([]byte, error) {
	return c.bytes(ctx, imagePath(id, "/thumbnail"), nil)
}

// View returns an upright rendition of an image, at most that many pixels wide; 0 is 1600.
func (c Client) View(ctx context.Context, id int64, width int) ([]byte, error) {
	query := url.Values{}
	set(query, "width", width)
	return c.bytes(ctx, imagePath(id, "/view"), query)
}

// Crop returns a region as the engine sees it, as a PNG.
func (c Client) Crop(ctx context.Context, id int64, box Box) ([]byte, error) {
	query := url.Values{}
	for name, value := range map[string]int{"x1": box.X1, "y1": box.Y1, "x2": box.X2, "y2": box.Y2} {
		query.Set(name, strconv.Itoa(value))
	}
	return c.bytes(ctx, imagePath(id, "/crop"), query)
}

// Layout suggests regions. The level is "block", "line" or "word".
func (c Client) Layout(ctx context.Context, id int64, level string) ([]Suggestion, error) {
	return get[[]Suggestion](ctx, c, imagePath(id, "/layout"), url.Values{"level": {level}})
}

// Request says what to read of an image, and how. The zero value reads the whole page in English.
type Request struct {
	Regions []Region // none: the whole page
	Lang    []string // "auto": by what is written; none: eng
	PSM     int      // page segmentation mode; 0: automatic
	OEM     *int     // engine mode; nil: the best available
	Rotate  string   // how far the text is turned clockwise: "0", "90", "180" or "270"; empty: the service finds out
	Effort  string   // "fast", "balanced" or "accurate"; empty: as the service is configured
	Source  string   // "text", "ocr" or "auto"; empty: the text layer of a PDF file where it can be trusted
	Into    int      // the version to add to, the newest one and the user's own; 0: a new one
}

func (r Request) query() url.Values {
	query := url.Values{}
	if len(r.Lang) > 0 {
		query["lang"] = r.Lang
	}
	set(query, "psm", r.PSM)
	if r.OEM != nil {
		query.Set("oem", strconv.Itoa(*r.OEM))
	}
	set(query, "rotate", r.Rotate)
	set(query, "effort", r.Effort)
	set(query, "source", r.Source)
	set(query, "into", r.Into)
	return query
}

// Recognized is what was read of an image.
type Recognized struct {
	Version  int       // of the run
	Contents []Content // in the order of the regions
}

// Recognize reads regions of an image, or all of it. With Into it fails with the status 409 and the code version_not_newest where there is
// a newer version by now.
func (c Client) Recognize(ctx context.Context, id int64, request Request) (Recognized, error) {
	regions := request.Regions
	if regions == nil {
		regions = []Region{}
	}
	contents, header, err := ask[[]Content](ctx, c, http.MethodPost, imagePath(id, "/ocr"), request.query(), regions)
	if err != nil {
		return Recognized{}, err
	}
	version, err := strconv.Atoi(header.Get("OCR-Version"))
	return Recognized{version, contents}, err
}

// RecognizePages reads the same regions, or all, of several pages of the document that the image is a page of: "all", or numbers and
// ranges, such as "2-5,9"; at most 50. It tells what came of each page, in their order. Into has to be 0.
func (c Client) RecognizePages(ctx context.Context, id int64, pages string, request Request) ([]PageRun, error) {
	regions := request.Regions
	if regions == nil {
		regions = []Region{}
	}
	query := request.query()
	query.Set("pages", pages)
	runs, _, err := ask[[]PageRun](ctx, c, http.MethodPost, imagePath(id, "/ocr"), query, regions)
	return runs, err
}

// Runs returns runs of an image, newest first, at most 100; with before only those of a smaller version.
func (c Client) Runs(ctx context.Context, id int64, before int) ([]Run, error) {
	query := url.Values{}
	set(query, "before", before)
	return get[[]Run](ctx, c, imagePath(id, "/ocr"), query)
}

// Run returns one run of an image.
func (c Client) Run(ctx context.Context, id int64, version int) (Run, error) {
	runs, err := get[[]Run](ctx, c, imagePath(id, "/ocr"), url.Values{"version": {strconv.Itoa(version)}})
	if err != nil {
		return Run{}, err
	}
	if len(runs) != 1 {
		return Run{}, fmt.Errorf("the server answered with %d runs of version %d", len(runs), version)
	}
	return runs[0], nil
}

// Export returns a run as a file. The format is "txt", "json", "tsv", "hocr", "alto", "pdf", "csv", "xlsx" or "gt".
func (c Client) Export(ctx context.Context, id int64, version int, format string) ([]byte, error) {
	return c.bytes(ctx, imagePath(id, fmt.Sprintf("/ocr/%d/export", version)), url.Values{"format": {format}})
}

// ExportDocument returns the newest versions of the pages of a document as a file. Pages are "all", or numbers and ranges, such as "2-5,9".
func (c Client) ExportDocument(ctx context.Context, id int64, pages, format string) ([]byte, error) {
	return c.bytes(ctx, imagePath(id, "/export"), url.Values{"format": {format}, "pages": {pages}})
}

// Content returns the current revision of a content.
func (c Client) Content(ctx context.Context, id string) (Content, error) {
	return get[Content](ctx, c, contentPath(id, ""), nil)
}

func contentPath(id, rest string) string { return "/ocr/" + url.PathEscape(id) + rest }

// Correct adds a revision to a content. It fails with the status 412 if the content has another revision by now than the one given;
// 0 corrects any.
func (c Client) Correct(ctx context.Context, id string, revision int, change Correction) (Content, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	if revision != 0 {
		header.Set("If-Match", strconv.Quote(strconv.Itoa(revision)))
	}
	b, err := json.Marshal(change)
	if err != nil {
		return Content{}, err
	}
	content, _, err := decode[Content](c.Do(ctx, http.MethodPut, basePath+contentPath(id, ""), header, bytes.NewReader(b)))
	return content, err
}

// Revisions returns all revisions of a content, the first one first.
func (c Client) Revisions(ctx context.Context, id string) ([]Content, error) {
	return get[[]Content](ctx, c, contentPath(id, "/revisions"), nil)
}

// Deleted returns the contents of an image that Correct can bring back, the one that was deleted last first.
func (c Client) Deleted(ctx context.Context, image int64, page Page) (List[Content], error) {
	return list[Content](ctx, c, imagePath(image, "/ocr/deleted"), page.query())
}

// DeleteContent marks a content as deleted. For seven days Correct can bring it back.
func (c Client) DeleteContent(ctx context.Context, id string) error {
	return tell(ctx, c, http.MethodDelete, contentPath(id, ""), nil)
}

// PurgeContent removes a content with its revisions for good, also one that is marked as deleted.
func (c Client) PurgeContent(ctx context.Context, id string) error {
	return tell(ctx, c, http.MethodDelete, contentPath(id, "?purge=true"), nil)
}

// Search returns what is found in the newest texts of all images that the user may see: what was read or corrected last comes first. next
// is the Before of more of it; 0 at the end. There may be fewer hits than the limit before the end, too.
func (c Client) Search(ctx context.Context, q SearchQuery) (hits []Hit, next int64, err error) {
	query := url.Values{"q": {q.Text}}
	set(query, "before", q.Before)
	set(query, "limit", q.Limit)
	if q.Confirmed != nil {
		query.Set("confirmed", strconv.FormatBool(*q.Confirmed))
	}
	hits, header, err := ask[[]Hit](ctx, c, http.MethodGet, "/search", query, nil)
	if target, _, found := strings.Cut(strings.TrimPrefix(header.Get("Link"), "<"), `>; rel="next"`); found {
		if u, err := url.Parse(target); err == nil {
			next, _ = strconv.ParseInt(u.Query().Get("before"), 10, 64) // as the server wrote it
		}
	}
	return hits, next, err
}

// Languages returns the languages that are installed.
func (c Client) Languages(ctx context.Context) ([]string, error) {
	return get[[]string](ctx, c, "/ocr/lang", nil)
}

// Ready tells whether the service has everything it needs. Where it has not, the answer says what is away, and there is no error.
func (c Client) Ready(ctx context.Context) (Ready, error) {
	ready, _, err := decode[Ready](c.roundTrip(ctx, http.MethodGet, "/ready", nil, nil)) // 503 has the same form
	return ready, err
}

// bytes asks for something that is not JSON.
func (c Client) bytes(ctx context.Context, path string, query url.Values) ([]byte, error) {
	r, err := c.Do(ctx, http.MethodGet, basePath+path+encoded(query), nil, nil)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	return io.ReadAll(r.Body)
}

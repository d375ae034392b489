package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The types below are the JSON of the HTTP API. The service itself encodes and decodes them, so that there is one form of each.
// Their tags doc, example, enum, format and so on are what the OpenAPI document says of them.
//
// Times are RFC 3339 in UTC with microseconds. Coordinates are pixels of the upright image. A list is never null. A pointer is nil
// where the value is null: not there, not known, or not set.

// User is an account.
type User struct {
	ID              int64   `json:"id" example:"7"`
	Name            *string `json:"name" example:"ann" doc:"null after the account was deleted."`
	Email           *string `json:"email" example:"ann@example.org" doc:"null after the account was deleted."`
	Role            *string `json:"role" example:"admin" doc:"admin or null."`
	States          []State `json:"states" nullable:"false" doc:"Why the user cannot sign in. Usually empty."`
	CreatedDatetime string  `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
}

// State is a reason why a user cannot sign in.
type State struct {
	Name            string `json:"name" enum:"blocked,inactivate"`
	Detail          string `json:"detail" doc:"The reason that the administrator gave."`
	CreatedDatetime string `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
}

// Ref names a user.
type Ref struct {
	ID   int64   `json:"id" example:"7"`
	Name *string `json:"name" example:"ann" doc:"null after the account was deleted."`
}

// Editor names the user who made a revision.
type Editor struct {
	_    struct{} `nullable:"true"`
	ID   int64    `json:"id" example:"7"`
	Name *string  `json:"name" example:"ann" doc:"null after the account was deleted."`
}

// Login is one sign-in of a user.
type Login struct {
	ID              int64  `json:"id" example:"123"`
	Address         string `json:"address" example:"192.0.2.17" doc:"The IP address of the client. May be empty."`
	UserAgent       string `json:"user_agent" doc:"The User-Agent that the client sent, cut to 255 characters. May be empty."`
	CreatedDatetime string `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
}

// Grant is a pair of tokens.
type Grant struct {
	Username     string `json:"username" example:"ann"`
	TokenType    string `json:"token_type" enum:"bearer"`
	AccessToken  string `json:"access_token" doc:"Send it in the header Authorization: Bearer …"`
	ExpiresIn    int64  `json:"expires_in" example:"900" doc:"Seconds until the access token expires."`
	RefreshToken string `json:"refresh_token" doc:"Exchange it for a new pair of tokens. It works once. Empty if it is in a cookie."`
}

// Key describes an API key without its secret.
type Key struct {
	ID              string  `json:"id"`
	Name            string  `json:"name" example:"scanner"`
	CreatedDatetime string  `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
	Expires         *string `json:"expires" format:"date-time" doc:"When it expires. null: never."`
	LastUsed        *string `json:"last_used" format:"date-time" doc:"When it was last used, accurate to about a minute. null: never."`
}

// NewKey is an API key just made.
type NewKey struct {
	Key
	Secret string `json:"key" doc:"The key itself. Use it as a bearer token. It is shown only once."`
}

// SignUp tells whether visitors may make accounts.
type SignUp struct {
	Open bool `json:"open" doc:"Whether anybody may create an account."`
}

// SignUpForm asks for a new account.
type SignUpForm struct {
	Name      string `json:"name" minLength:"1" maxLength:"100" pattern:"^[A-Za-z0-9]+$" example:"ann" doc:"1–100 ASCII letters and digits."`
	Email     string `json:"email" format:"email" maxLength:"255" example:"ann@example.org" doc:"At most 255 characters."`
	Password1 string `json:"password1" format:"password" minLength:"8" maxLength:"255" example:"correct-horse-9" doc:"8–255 characters without white space."`
	Password2 string `json:"password2" format:"password" example:"correct-horse-9" doc:"The same again."`
}

// RefreshForm asks for new tokens.
type RefreshForm struct {
	RefreshToken string `json:"refresh_token,omitempty" doc:"Leave it out if it is in a cookie."`
}

// Settings are how a user reads by default, for programs with a screen. Requests do not use them unless they send them.
type Settings struct {
	Lang   []string `json:"lang" nullable:"false" example:"[\"kor\",\"eng\"]" doc:"Languages, at most 5, or auto. Empty: unset."`
	Effort string   `json:"effort" enum:"fast,balanced,accurate," doc:"Empty: unset."`
	Rotate string   `json:"rotate" enum:"auto,0,90,180,270," doc:"Clockwise rotation of text on the page, in degrees. Empty: unset."`
	Source string   `json:"source" enum:"auto,text,ocr," doc:"Source of text: the text layer of the file, or recognition. Empty: unset."`
}

// ProfileForm is a user's new name and e-mail address.
type ProfileForm struct {
	Name  string `json:"name" minLength:"1" maxLength:"100" pattern:"^[A-Za-z0-9]+$" example:"ann" doc:"1–100 ASCII letters and digits."`
	Email string `json:"email" format:"email" maxLength:"255" example:"ann@example.org" doc:"At most 255 characters."`
}

// PasswordForm changes a password.
type PasswordForm struct {
	CurrentPassword string `json:"current_password" format:"password" example:"correct-horse-9"`
	Password1       string `json:"password1" format:"password" minLength:"8" maxLength:"255" example:"correct-horse-9" doc:"8–255 characters without white space."`
	Password2       string `json:"password2" format:"password" example:"correct-horse-9" doc:"The same again."`
}

// KeyForm asks for an API key.
type KeyForm struct {
	Name    string  `json:"name" minLength:"1" maxLength:"100" example:"scanner" doc:"1–100 characters."`
	Expires *string `json:"expires,omitempty" format:"date-time" nullable:"true" example:"2036-01-31T12:00:00Z" doc:"When it expires, in RFC 3339. Missing or null: never."`
}

// StateForm gives the reason for a state.
type StateForm struct {
	Detail string `json:"detail,omitempty" maxLength:"500" doc:"The reason, at most 500 characters."`
}

// Image describes an uploaded image.
type Image struct {
	ID              int64  `json:"id" example:"42"`
	Document        int64  `json:"document" example:"42" doc:"The id of the document, which is that of the image of its first page."`
	Page            int    `json:"page" example:"1" doc:"The number of this page in the file: 1, 2, 3 …"`
	Pages           int    `json:"pages" example:"1" doc:"Number of pages of the file. Each is an image."`
	Frames          int    `json:"frames,omitempty" example:"12" doc:"Number of frames of an animation (GIF, WebP, PNG), or of images of a collection or sequence (HEIC, AVIF). Only the first is shown and read. Missing for other files."`
	Name            string `json:"name" example:"invoice.png"`
	MediaType       string `json:"media_type" example:"image/png" doc:"Detected from the bytes."`
	Width           int    `json:"width" example:"547" doc:"Pixels of the upright image, as it is turned."`
	Height          int    `json:"height" example:"320" doc:"Pixels of the upright image, as it is turned."`
	DPI             int    `json:"dpi" example:"300" doc:"Pixels per inch. 0 if the file does not say."`
	Rotation        int    `json:"rotation" enum:"0,90,180,270" example:"0" doc:"Clockwise rotation of the image by a user, in degrees, in addition to the orientation in the file."`
	Size            int64  `json:"size" example:"183204" doc:"Bytes of the uploaded file."`
	SHA256          string `json:"sha256" doc:"SHA-256 of the uploaded file, in hexadecimal."`
	Visibility      string `json:"visibility" enum:"private,shared" doc:"shared: every user sees it. Users with whom it is shared by name see it in any case."`
	User            Ref    `json:"user" doc:"The owner."`
	CreatedDatetime string `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`

	SharedWith []string `json:"shared_with" nullable:"false" example:"[\"bob\"]" doc:"The users with whom the document is shared by name. The owner and administrators see all names, others at most their own."`

	Tags []string `json:"tags" nullable:"false" example:"[\"invoice\"]" doc:"The tags of the document, sorted. Letter case does not distinguish tags."`

	Read *int `json:"read,omitempty" example:"1" doc:"In lists of documents: number of pages that have been read. In lists of pages: 1 if the page has been read, else 0."`

	Regions   *int `json:"regions,omitempty" example:"31" doc:"In lists: number of regions in the newest runs of these pages. Missing while they are being counted."`
	Confirmed *int `json:"confirmed,omitempty" example:"12" doc:"In lists: how many of these regions are confirmed."`
	Doubtful  *int `json:"doubtful,omitempty" example:"3" doc:"In lists: how many words of the other regions have a confidence below 0.75 and are not confirmed."`

	Error *Failure `json:"error,omitempty" doc:"Why the page cannot be shown or read, although other pages of the file can. Its size is then that of the previous page. Missing if there is no error."`
}

// ImageForm changes an image. A field that is nil stays as it is.
type ImageForm struct {
	Name       *string   `json:"name,omitempty" minLength:"1" maxLength:"200" example:"invoice.png" doc:"1–200 characters. Unchanged if missing."`
	Visibility *string   `json:"visibility,omitempty" enum:"private,shared" doc:"Unchanged if missing."`
	Tags       *[]string `json:"tags,omitempty" nullable:"false" example:"[\"invoice\"]" doc:"All tags of the document: at most 50 different ones, ignoring letter case, of 1–50 characters each. Unchanged if missing."`
	Rotation   *int      `json:"rotation,omitempty" enum:"0,90,180,270" doc:"Absolute clockwise rotation of the image, in degrees. Its runs turn with it. Unchanged if missing."`
	Password   *string   `json:"password,omitempty" maxLength:"255" doc:"The password of an encrypted file, if the service can no longer open it."`
}

// Share says with whom a document is shared by name.
type Share struct {
	Users []string `json:"users" nullable:"false" example:"[\"bob\"]" doc:"Names of users, in any letter case: at most 100 different ones, without the owner. Empty: share with nobody by name."`
}

// Tag is a tag that is in use.
type Tag struct {
	Name      string `json:"name" example:"invoice" doc:"In the spelling of one of the documents."`
	Documents int    `json:"documents" example:"12" doc:"How many of the requested documents have it."`
}

// Box is a rectangle of a page: x1, y1 is its top left pixel, x2, y2 lies just outside its bottom right pixel.
type Box struct {
	X1 int `json:"x1" example:"34"`
	Y1 int `json:"y1" example:"100"`
	X2 int `json:"x2" example:"322"`
	Y2 int `json:"y2" example:"144"`
}

// Suggestion is a region that a layout suggests.
type Suggestion struct {
	Box
	Rotation int `json:"rotation" enum:"0,90,180,270" doc:"Clockwise rotation of the text on the page, in degrees."`
}

// Region is a part of a page to read. Lang, PSM, Rotate, Effort and Source override those of the request.
type Region struct {
	Box
	Name    string   `json:"name,omitempty"`    // what the caller calls it
	Lang    []string `json:"lang,omitempty"`    // such as "kor", "eng"; "auto": by what is written
	PSM     int      `json:"psm,omitempty"`     // page segmentation mode; 0: automatic
	Rotate  string   `json:"rotate,omitempty"`  // how far the text is turned clockwise: "auto", "0", "90", "180" or "270"
	Effort  string   `json:"effort,omitempty"`  // "fast", "balanced" or "accurate"
	Source  string   `json:"source,omitempty"`  // "auto", "text" or "ocr"
	Charset string   `json:"charset,omitempty"` // the only characters that may be read; empty: all
	Content string   `json:"content,omitempty"` // with Request.Into: the content of that version to read again
}

// Run is one recognition of an image.
type Run struct {
	Version         int       `json:"version" example:"1" doc:"1, 2, 3 … for each image."`
	CreatedDatetime string    `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
	User            Ref       `json:"user" doc:"The user who started it."`
	Lang            []string  `json:"lang" nullable:"false" example:"[\"eng\"]" doc:"The requested languages, or auto."`
	PSM             *int      `json:"psm" example:"6" doc:"The requested page segmentation mode. null: automatic."`
	OEM             int       `json:"oem" example:"3" doc:"The requested engine mode."`
	Engine          string    `json:"engine" example:"tesseract 5.3.0"`
	Contents        []Content `json:"contents" nullable:"false"`
}

// Export is a run as a file in JSON: the run and the image that was read.
type Export struct {
	Image ExportedImage `json:"image"`
	Run
}

// ExportedDocument is a document, or several, as a file in JSON.
type ExportedDocument struct {
	Name  string         `json:"name"`
	Pages []ExportedPage `json:"pages"`
}

// ExportedPage is a page of an export with its newest run.
type ExportedPage struct {
	Page  int           `json:"page"` // number in its document, or in the file where there are pages of several documents
	Image ExportedImage `json:"image"`
	Run   *Run          `json:"run"` // null where nothing was read
}

// ExportedImage describes the image of an export.
type ExportedImage struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	SHA256 string `json:"sha256"`
}

// Word is a word and its place on the page.
type Word struct {
	Text string `json:"text" example:"Invoice"`
	Box
	Confidence float64     `json:"confidence" example:"0.96" doc:"0–1. 1 for a word that a person wrote."`
	Engine     string      `json:"engine" example:"tesseract 5.3.0" doc:"The engine that read the word. Empty for a word that a person wrote."`
	Candidates []Candidate `json:"candidates" nullable:"false" doc:"Other readings of the word: by another engine, or by the same one before it applied a list of words."`
	Confirmed  bool        `json:"confirmed" doc:"Whether a person confirmed the word as it was read."`
}

// Candidate is what another engine read in the place of a word.
type Candidate struct {
	Engine     string  `json:"engine" example:"tesseract 5.3.0"`
	Text       string  `json:"text" example:"lnvoice"`
	Confidence float64 `json:"confidence" example:"0.61" doc:"0–1."`
}

// Failure tells why a region could not be read.
type Failure struct {
	_      struct{} `nullable:"true"`
	Code   string   `json:"code" example:"region_deadline"`
	Detail string   `json:"detail"`
}

// Content is the text of one region of a run: as it was read (revision 1), or as it was corrected since.
type Content struct {
	ID             string   `json:"id" example:"3nkqj6wyb4ztq2vgx7o5mcdahe"`
	Version        int      `json:"version" example:"1" doc:"The version of the run."`
	ROI            Box      `json:"roi" doc:"The region."`
	Name           string   `json:"name" example:"number" doc:"The name that the caller gave the region. May be empty."`
	Detail         []string `json:"detail" nullable:"false" example:"[\"Invoice\",\"No.\",\"1742\"]" doc:"The words of the text."`
	Text           string   `json:"text" example:"Invoice No. 1742" doc:"The text with its line breaks."`
	Confidence     float64  `json:"confidence" example:"0.94" doc:"0–1, over all words."`
	Words          []Word   `json:"words" nullable:"false" doc:"The words with their places on the page."`
	Lang           []string `json:"lang" nullable:"false" example:"[\"eng\"]" doc:"The languages in the order in which they were used, also for auto."`
	SuggestedLang  []string `json:"suggested_lang" nullable:"false" example:"[\"kor\"]" doc:"Installed languages that fit the region better. Read it again with these. Empty if the languages fit or nothing is known."`
	MissingLang    []string `json:"missing_lang" nullable:"false" example:"[]" doc:"Languages that fit the region better but are not installed. Empty if the languages fit or nothing is known."`
	Asked          *Asked   `json:"asked,omitempty" doc:"The options that the region itself gave when it was last read. Missing if they are not known, as of regions that an older release read."`
	PSM            *int     `json:"psm" example:"6" doc:"The page segmentation mode that produced the text. null if there is none."`
	Engine         string   `json:"engine" example:"tesseract 5.3.0"`
	Rotation       int      `json:"rotation" enum:"0,90,180,270" doc:"Clockwise rotation of the text on the page, in degrees."`
	Effort         string   `json:"effort" example:"accurate" doc:"fast, balanced or accurate. Empty if an older release read the region."`
	Source         string   `json:"source" example:"ocr" doc:"Source of the text. text: the text layer of the file. ocr: recognition. Empty if an older release read the region."`
	DurationMS     float64  `json:"duration_ms" example:"181.5" doc:"Milliseconds of work, without waiting."`
	Scale          float64  `json:"scale" example:"2" doc:"How much the region was enlarged for the engine."`
	Passes         int      `json:"passes" example:"1" doc:"How often the region was read."`
	Agreement      *float64 `json:"agreement" example:"0.93" doc:"0–1: how far two readings of the region agree. Check the text if it is low. null if the region was read once."`
	Confirmed      bool     `json:"confirmed" doc:"Whether a person confirmed the text. It becomes false when the text or the region changes."`
	ConfirmedBy    *Editor  `json:"confirmed_by" doc:"The user who confirmed it. null if it is not confirmed."`
	Revision       int      `json:"revision" example:"1" doc:"1 for the reading of the engine. Each change adds 1."`
	RevisedBy      *Editor  `json:"revised_by" doc:"The user who made this revision. null for the first."`
	EditedBy       *Editor  `json:"edited_by" doc:"The user who last changed the text or moved the region. null if both are as they were read."`
	EditedDatetime *string  `json:"edited_datetime" format:"date-time" doc:"When that was. null if both are as they were read."`
	Error          *Failure `json:"error" doc:"Why the region could not be read. null if it was read."`

	DeletedDatetime *string `json:"deleted_datetime,omitempty" format:"date-time" doc:"When it was deleted. Missing if it was not."`
}

// Asked are the options that a region gave itself. What is missing was as the request said.
type Asked struct {
	Lang    []string `json:"lang,omitempty" example:"[\"kor\"]" doc:"Languages, or auto. Missing: those of the request."`
	PSM     int      `json:"psm,omitempty" example:"7" doc:"Page segmentation mode. Missing: that of the request."`
	Rotate  string   `json:"rotate,omitempty" enum:"auto,0,90,180,270" doc:"Clockwise rotation of the text on the page as it stands now, in degrees. Missing: that of the request."`
	Effort  string   `json:"effort,omitempty" enum:"fast,balanced,accurate" doc:"How much work was to be done. Missing: that of the request."`
	Source  string   `json:"source,omitempty" enum:"auto,text,ocr" doc:"Source of the text. Missing: that of the request."`
	Charset string   `json:"charset,omitempty" example:"0123456789" doc:"The only characters that were to be read. Missing: all."`
}

// ContentEvent says that a content of an image changed: it is the data of the event content.
type ContentEvent struct {
	ContentID string `json:"content_id"`
	Version   int    `json:"version"`  // of the run that has it
	Revision  int    `json:"revision"` // that it has now; 0 where it is gone
	Deleted   bool   `json:"deleted"`  // whether it is gone, or marked as deleted
}

// RunEvent says that a run is new, or that many of its contents are: it is the data of the event run.
type RunEvent struct {
	Version int `json:"version"` // 0: anything may have changed
}

// ImageEvent says how an image stands: it is the data of the event image.
type ImageEvent struct {
	Rotation int `json:"rotation"` // degrees clockwise; the coordinates of contents are those of the page as it is turned
}

// Presence says who has an image open: it is the data of the event presence.
type Presence struct {
	Users []string `json:"users"` // names, sorted; the one who asks is among them
}

// PageRun tells what came of reading a page of a document.
type PageRun struct {
	ImageID int64    `json:"image_id" example:"43" doc:"The image of the page."`
	Page    int      `json:"page" example:"2" doc:"The number of the page in its document."`
	Version *int     `json:"version" example:"1" doc:"The version of the run. null if the page was not read."`
	Error   *Failure `json:"error,omitempty" doc:"Why the page was not read. Missing if it was."`
}

// Correction changes a content. What is nil stays as it is. Text and Detail exclude each other.
type Correction struct {
	Text      *string    `json:"text,omitempty"`      // the whole text with its line breaks
	Detail    []string   `json:"detail,omitempty"`    // its words, in the order of the text
	ROI       *Box       `json:"roi,omitempty"`       // another place on the page
	Name      *string    `json:"name,omitempty"`      // of the region
	Confirmed *bool      `json:"confirmed,omitempty"` // whether a person has found the text right
	Words     []WordMark `json:"words,omitempty"`
	Suggested *[]string  `json:"suggested_lang,omitempty"` // empty says that the languages are right
	Deleted   *bool      `json:"deleted,omitempty"`        // false brings back a content that was deleted; nothing else is allowed
}

// WordMark says whether a word is right as it was read.
type WordMark struct {
	Index     int  `json:"index"` // among the words of the text as it is to be
	Confirmed bool `json:"confirmed"`
}

// SearchQuery says what to look for.
type SearchQuery struct {
	Text   string // words, each of which has to be found
	Before int64  // only hits after the one with this ID; 0: from the first
	Limit  int    // hits; 0: 20

	Confirmed *bool // only regions that are confirmed, or are not; nil: all, and names of images
}

// Hit is a region whose text or name has what was sought, or an image whose name has it.
type Hit struct {
	ID              int64    `json:"id" example:"7312" doc:"The value for before to get the hits after this one. Later hits have smaller ids."`
	ImageID         int64    `json:"image_id" example:"42" doc:"The image of the page."`
	ImageName       string   `json:"image_name" example:"invoice.png"`
	Document        int64    `json:"document" example:"42" doc:"The image of the first page of the file."`
	Page            int      `json:"page" example:"1" doc:"The number of the page in its file."`
	ContentID       string   `json:"content_id" example:"3nkqj6wyb4ztq2vgx7o5mcdahe" doc:"Empty if the image was found by its name."`
	Version         int      `json:"version" example:"1" doc:"The newest version of the page. 0 if the image was found by its name."`
	Name            string   `json:"name" example:"total" doc:"The name of the region. May be empty."`
	Text            string   `json:"text" example:"Total 1,234.50" doc:"The text of the region. A text of more than 400 characters is cut to 400 around the first match."`
	TextFrom        int      `json:"text_from" example:"0" doc:"Number of characters of the region's text before this part."`
	TextLength      int      `json:"text_length" example:"14" doc:"Number of characters of the region's text."`
	Highlights      [][2]int `json:"highlights" nullable:"false" doc:"The matches in this text: the first character and the one after the last, in code points."`
	NameHighlights  [][2]int `json:"name_highlights" nullable:"false" doc:"The matches in the name of the region."`
	ImageHighlights [][2]int `json:"image_highlights" nullable:"false" doc:"The matches in the name of the image, if it was found by its name."`
	Boxes           []Box    `json:"boxes" nullable:"false" doc:"The boxes of the matched words on the page."`
}

// Health tells that the process lives.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

// Ready tells whether the service has everything it needs.
type Ready struct {
	Status       string                `json:"status" enum:"ok,unavailable"`
	Dependencies map[string]Dependency `json:"dependencies" doc:"By name: database, blobs, contents, workers …"`

	SecondRecogniser string `json:"second_recogniser" enum:"ok,missing" doc:"Whether there is a second recogniser. The service is ready without one, but makes more errors."`
	HEIF             string `json:"heif" enum:"ok,missing" doc:"Whether both HEIC and AVIF can be read. The service is ready without them and refuses such files."`
	PDF              string `json:"pdf" enum:"ok,resting,missing" doc:"Whether PDF files can be opened. resting: no file was opened for some time. missing: no worker could be started; the service is still ready and reads images."`
}

// Dependency is something that the service needs.
type Dependency struct {
	State string `json:"state" enum:"ok,away"`
}

// Service is the state of the service for administrators. It names what holds the data, but not where that is.
type Service struct {
	Status          string   `json:"status" enum:"ok,unavailable"`
	Version         string   `json:"version" doc:"The version of the program."`
	StartedDatetime string   `json:"started_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
	Parts           []Part   `json:"parts" nullable:"false" doc:"What the service needs: database, blobs, contents, workers …"`
	Workers         Workers  `json:"workers"`
	Regions         Workload `json:"regions"`

	SecondRecogniser SecondRecogniser `json:"second_recogniser"`
	HEIF             HEIF             `json:"heif"`
	PDF              PDF              `json:"pdf"`
}

// PDF is what PDF files are opened with. Its workers start with the first file and end when there is none for a time.
type PDF struct {
	State       string `json:"state" enum:"ok,resting,missing" doc:"resting: no file was opened for some time. missing: no worker could be started."`
	Name        string `json:"name,omitempty" example:"pdfium" doc:"The PDF library and its version. Missing before the first file."`
	Workers     int    `json:"workers" doc:"Number of worker processes."`
	Busy        int    `json:"busy" doc:"Number of busy worker processes."`
	MemoryBytes int64  `json:"memory_bytes" example:"140000000"`
	Waiting     int    `json:"waiting" example:"2" doc:"Number of operations that wait for a worker: opening a file, rendering a page, extracting text."`
	Served      uint64 `json:"served" doc:"Number of such operations done since the start."`
	Replaced    uint64 `json:"replaced" doc:"Number of workers replaced since the start, because they crashed, or grew too old or too large."`
	Missing     string `json:"missing,omitempty" doc:"Why it is missing."`
}

// SecondRecogniser is what reads lines besides the first recogniser, where it is installed.
type SecondRecogniser struct {
	State   string   `json:"state" enum:"ok,missing"`
	Models  []string `json:"models,omitempty" example:"PP-OCRv6_rec_small" doc:"The loaded models."`
	Runtime string   `json:"runtime,omitempty" example:"onnxruntime 1.32.0" doc:"The library that runs the models."`
	Missing string   `json:"missing,omitempty" doc:"Why it is missing."`
}

// HEIF is what HEIC and AVIF, the formats of phones, are decoded with, where it is installed.
type HEIF struct {
	State   string   `json:"state" enum:"ok,missing" doc:"missing: at least one of the two formats cannot be read."`
	Library string   `json:"library,omitempty" example:"libheif 1.15.1" doc:"The decoder and its version."`
	Formats []string `json:"formats,omitempty" example:"HEIC" doc:"The formats that can be read: HEIC, AVIF."`
	Missing string   `json:"missing,omitempty" doc:"What is missing, and why."`
}

// Part is something that the service needs, with its kind.
type Part struct {
	Name  string `json:"name" example:"database"`
	State string `json:"state" enum:"ok,away"`
	Kind  string `json:"kind" example:"SQLite" doc:"The kind of store or queue. May be empty."`
}

// Workers are the processes that read regions.
type Workers struct {
	All      int    `json:"all" example:"8" doc:"Number of configured processes."`
	Up       int    `json:"up" example:"8" doc:"Number of running processes."`
	Busy     int    `json:"busy" example:"3" doc:"Number of busy processes."`
	Memory   int64  `json:"memory" example:"402653184" doc:"Resident memory of all processes, in bytes."`
	Replaced uint64 `json:"replaced" doc:"Number of processes replaced since the start, because they crashed, or grew too old or too large."`
}

// Workload is the work of the workers.
type Workload struct {
	Waiting int    `json:"waiting" example:"12" doc:"Regions that wait for a worker."`
	Room    int    `json:"room" example:"2000" doc:"How many regions may wait."`
	Served  uint64 `json:"served" doc:"Regions and renditions finished since the start."`
}

// Problem is a failure, in the form of RFC 9457. It is the error that the methods of Client return when the service answers with
// a failure.
type Problem struct {
	Type      string  `json:"type" example:"about:blank" doc:"Always about:blank. Use code to tell problems apart."`
	Title     string  `json:"title" example:"Unprocessable Entity" doc:"The name of the status."`
	Status    int     `json:"status" example:"422" doc:"The status of the response."`
	Detail    string  `json:"detail" example:"The input is invalid." doc:"What went wrong, for people."`
	Code      string  `json:"code" example:"invalid_input" doc:"What went wrong, for programs. Stable."`
	RequestID string  `json:"request_id" example:"3nkqj6wyb4ztq2vgx7o5mcdahe" doc:"Identifies the request in the logs."`
	Errors    []Field `json:"errors,omitempty" nullable:"false" doc:"The inputs at fault, at most 100."`

	Limit *LimitReached `json:"limit,omitempty" doc:"With 429 and 507: the limit that would be exceeded."`

	RetryAfter time.Duration `json:"-"` // with 429 and 503: how long to wait; 0: not known
}

// LimitReached is a limit of a user that a request would have exceeded.
type LimitReached struct {
	Name    string `json:"name" enum:"images,bytes,queued_items,items_a_day" doc:"The name of the limit, as in GET /user/limits."`
	Allowed int64  `json:"allowed" example:"100000" doc:"The limit."`
	Used    int64  `json:"used" example:"99999" doc:"The current usage."`
	Asked   int64  `json:"asked" example:"2" doc:"How much more the request asked for, or at least that much if it was refused before all of it had arrived."`
}

// Limits are how much a user may have and do, and how much there is.
type Limits struct {
	Images      Limit `json:"images" doc:"Documents, however many pages they have."`
	Bytes       Limit `json:"bytes" doc:"Bytes of the uploaded files of all documents. A file that was uploaded twice counts twice."`
	QueuedItems Limit `json:"queued_items" doc:"Waiting items of jobs."`
	ItemsADay   Limit `json:"items_a_day" doc:"Items put into jobs within the last 24 hours, including retries."`
}

// Limit is one limit of a user.
type Limit struct {
	Allowed int64 `json:"allowed" example:"100000" doc:"The limit. 0: no limit."`
	Used    int64 `json:"used" example:"12" doc:"The current usage. It may exceed the limit if that was set later."`
	Own     bool  `json:"own" doc:"Whether an administrator has set it for this user. If not, it is the default of the service."`
}

// LimitsForm says what becomes of the limits of a user.
type LimitsForm struct {
	Images      LimitChange `json:"images,omitzero"`
	Bytes       LimitChange `json:"bytes,omitzero"`
	QueuedItems LimitChange `json:"queued_items,omitzero"`
	ItemsADay   LimitChange `json:"items_a_day,omitzero"`
}

// LimitChange says what becomes of a limit. The zero value leaves it as it is.
type LimitChange struct {
	set bool
	to  *int64
}

// ToLimit sets a limit. 0 is no limit.
func ToLimit(n int64) LimitChange { return LimitChange{true, &n} }

// ToDefault gives a limit back that the service is configured with.
func ToDefault() LimitChange { return LimitChange{set: true} }

// IsZero tells whether the limit stays as it is.
func (c LimitChange) IsZero() bool { return !c.set }

// MarshalJSON writes a number, or null for the limit that the service is configured with.
func (c LimitChange) MarshalJSON() ([]byte, error) { return json.Marshal(c.to) }

// Field is one input at fault.
type Field struct {
	Field  string `json:"field" example:"regions[3].x2" doc:"The input."`
	Detail string `json:"detail" example:"1 to 640 on this image of 640 × 480 pixels" doc:"What is allowed."`
}

// Error returns the detail, the fields at fault and the code. A field that only repeats the detail is left out.
func (p *Problem) Error() string {
	text := p.Detail
	for _, f := range p.Errors {
		if f.Detail != p.Detail {
			text += fmt.Sprintf(" %s: %s.", f.Field, strings.TrimSuffix(f.Detail, "."))
		}
	}
	return fmt.Sprintf("%s (%d %s)", text, p.Status, p.Code)
}

// problemOf makes a Problem of a response. It quotes a body that is not a problem, such as one of a proxy.
func problemOf(r *http.Response, body []byte) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(body, p); err != nil || p.Code == "" {
		p = &Problem{Title: http.StatusText(r.StatusCode), Detail: fmt.Sprintf("The server answered %q.", body[:min(len(body), 200)])}
	}
	p.Status = r.StatusCode
	if seconds, err := time.ParseDuration(r.Header.Get("Retry-After") + "s"); err == nil {
		p.RetryAfter = seconds
	}
	return p
}

// Job is work in the background: one request on many images.
type Job struct {
	ID                string   `json:"id" example:"0195f3c2a1bk3nqj6wyb4ztq2v"`
	User              Ref      `json:"user" doc:"The owner of the job."`
	State             string   `json:"state" enum:"queued,running,done,failed,cancelled" doc:"failed only if all items failed."`
	Priority          string   `json:"priority" enum:"low,normal,high"`
	Total             int      `json:"total" example:"200" doc:"Number of items."`
	Queued            int      `json:"queued" doc:"Items that have not started."`
	Running           int      `json:"running"`
	Done              int      `json:"done"`
	Failed            int      `json:"failed"`
	Cancelled         int      `json:"cancelled"`
	CreatedDatetime   string   `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
	BegunDatetime     *string  `json:"begun_datetime" format:"date-time" doc:"When its first item started. null: not yet."`
	FinishedDatetime  *string  `json:"finished_datetime" format:"date-time" doc:"When its last item ended. null: not yet."`
	Ahead             int      `json:"ahead" example:"12" doc:"Estimated number of items of other jobs that are read before the last item of this one."`
	EstimatedDatetime *string  `json:"estimated_datetime" format:"date-time" doc:"Estimated end, from the duration of earlier items. null: unknown."`
	Error             *Failure `json:"error" doc:"Why the service cancelled the job, such as account_blocked. null: it did not."`
}

// WebhookForm says what a webhook is to be. What is nil stays as it is.
type WebhookForm struct {
	URL     *string `json:"url,omitempty" maxLength:"2000" example:"https://example.org/hook" doc:"The address that requests are sent to."`
	Items   *bool   `json:"items,omitempty" doc:"Whether to notify also when each started item ends. Default for a new webhook: false."`
	Enabled *bool   `json:"enabled,omitempty" doc:"Default for a new webhook: true."`
	Rotate  bool    `json:"rotate,omitempty" doc:"Whether to create a new secret."`
}

// Webhook is an address that is told of the ends of jobs.
type Webhook struct {
	ID               int64   `json:"id" example:"7"`
	URL              string  `json:"url" example:"https://example.org/hook"`
	Items            bool    `json:"items" doc:"Whether to notify also when each started item ends."`
	Enabled          bool    `json:"enabled"`
	Notice           *string `json:"notice" doc:"Why the service disabled it, for people. null: it did not."`
	CreatedDatetime  string  `json:"created_datetime" format:"date-time"`
	FailingDatetime  *string `json:"failing_datetime" format:"date-time" doc:"The time since which all deliveries have failed. null: the last one succeeded."`
	DisabledDatetime *string `json:"disabled_datetime" format:"date-time"`
}

// NewWebhook is a webhook with its secret, where it has a new one.
type NewWebhook struct {
	Webhook
	Secret *string `json:"secret" example:"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" doc:"A new secret, which is not shown again. null: unchanged."`
}

// Delivery is a request to a webhook.
type Delivery struct {
	ID              string          `json:"id" example:"0195f3c2a1bk3nqj6wyb4ztq2v" doc:"The header webhook-id."`
	Event           string          `json:"event" enum:"job.ended,item.ended"`
	State           string          `json:"state" enum:"waiting,delivered,failed"`
	Tries           int             `json:"tries" doc:"Number of started tries."`
	Status          *int            `json:"status" doc:"Status of the last answer. null: there was none."`
	Error           *string         `json:"error" doc:"Why the last try failed, for people."`
	Body            json.RawMessage `json:"body" doc:"The body of the request: type, timestamp, and data of the job or the item."`
	CreatedDatetime string          `json:"created_datetime" format:"date-time"`
	TriedDatetime   *string         `json:"tried_datetime" format:"date-time" doc:"When the last try ended."`
	DueDatetime     *string         `json:"due_datetime" format:"date-time" doc:"When the next try is due. null: never."`
}

// JobItem is one image of a job.
type JobItem struct {
	ID               string   `json:"id" example:"0195f3c2a1bk3nqj6wyb4ztq2v-000017"`
	Job              string   `json:"job"`
	Number           int      `json:"number" example:"17" doc:"1, 2, 3 … in the order of the request."`
	ImageID          int64    `json:"image_id" example:"42"`
	State            string   `json:"state" enum:"queued,running,done,failed,cancelled"`
	Dead             bool     `json:"dead" doc:"Whether the item was given up after breaking the service repeatedly. An administrator can run it again."`
	Version          *int     `json:"version" doc:"The version of the image that it produced. null: none."`
	Tries            int      `json:"tries"`
	Error            *Failure `json:"error" doc:"The error of the last try. null: none."`
	BegunDatetime    *string  `json:"begun_datetime" format:"date-time"`
	FinishedDatetime *string  `json:"finished_datetime" format:"date-time"`
}

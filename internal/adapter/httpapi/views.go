package httpapi

import (
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// The shapes of what is answered. Lists are never null; what is not there is null and not missing.

type userView struct {
	ID              int64       `json:"id" example:"7"`
	Name            *string     `json:"name" example:"ann" doc:"null for one who has resigned."`
	Email           *string     `json:"email" example:"ann@example.org" doc:"null for one who has resigned."`
	Role            *string     `json:"role" example:"admin" doc:"admin or null."`
	States          []stateView `json:"states" nullable:"false" doc:"What keeps the user out; empty for most."`
	CreatedDatetime string      `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
}

type stateView struct {
	Name            string `json:"name" enum:"blocked,inactivate"`
	Detail          string `json:"detail" doc:"Why."`
	CreatedDatetime string `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
}

type refView struct {
	ID   int64   `json:"id" example:"7"`
	Name *string `json:"name" example:"ann" doc:"null for one who has resigned."`
}

type editorView struct {
	_    struct{} `nullable:"true"`
	ID   int64    `json:"id" example:"7"`
	Name *string  `json:"name" example:"ann" doc:"null for one who has resigned."`
}

type loginView struct {
	ID              int64  `json:"id" example:"123"`
	Address         string `json:"address" example:"192.0.2.17" doc:"Where it came from; may be empty."`
	UserAgent       string `json:"user_agent" doc:"As sent, cut to 255 characters; may be empty."`
	CreatedDatetime string `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
}

type grantView struct {
	Username     string `json:"username" example:"ann"`
	TokenType    string `json:"token_type" enum:"bearer"`
	AccessToken  string `json:"access_token" doc:"For the header Authorization: Bearer …"`
	ExpiresIn    int64  `json:"expires_in" example:"900" doc:"Seconds until the access token lapses."`
	RefreshToken string `json:"refresh_token" doc:"Gives a new pair, once. Empty where a cookie has it."`
}

// KeyView is an API key without its text. It is public since huma looks into embedded types only where they are.
type KeyView struct {
	ID              string  `json:"id"`
	Name            string  `json:"name" example:"scanner"`
	CreatedDatetime string  `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
	Expires         *string `json:"expires" format:"date-time" doc:"null: never."`
	LastUsed        *string `json:"last_used" format:"date-time" doc:"To a minute or so; null: not yet."`
}

type newKeyView struct {
	KeyView
	Key string `json:"key" doc:"The key itself, to be used as a bearer token. It cannot be had again."`
}

type imageView struct {
	ID              int64   `json:"id" example:"42"`
	Name            string  `json:"name" example:"invoice.png"`
	MediaType       string  `json:"media_type" example:"image/png" doc:"Found from the bytes."`
	Width           int     `json:"width" example:"1240" doc:"Pixels, upright."`
	Height          int     `json:"height" example:"1754" doc:"Pixels, upright."`
	Size            int64   `json:"size" example:"183204" doc:"Bytes of the original."`
	SHA256          string  `json:"sha256" doc:"Of the original, hexadecimal."`
	Pages           int     `json:"pages" example:"1" doc:"Of the file; only the first is shown and read."`
	Visibility      string  `json:"visibility" enum:"private,shared"`
	User            refView `json:"user" doc:"The owner."`
	CreatedDatetime string  `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
}

type runView struct {
	Version         int           `json:"version" example:"1" doc:"1, 2, 3 … of the image."`
	CreatedDatetime string        `json:"created_datetime" format:"date-time" example:"2026-11-22T20:06:00.000000Z"`
	User            refView       `json:"user" doc:"Who ran it."`
	Lang            []string      `json:"lang" nullable:"false" example:"[\"eng\"]" doc:"As asked for."`
	PSM             *int          `json:"psm" example:"6" doc:"As asked for; null: auto."`
	OEM             int           `json:"oem" example:"3"`
	Engine          string        `json:"engine" example:"tesseract 5.3.0"`
	Contents        []contentView `json:"contents" nullable:"false"`
}

type boxView struct {
	X1 int `json:"x1" example:"40"`
	Y1 int `json:"y1" example:"60"`
	X2 int `json:"x2" example:"600"`
	Y2 int `json:"y2" example:"120"`
}

type wordView struct {
	Text       string  `json:"text" example:"Invoice"`
	X1         int     `json:"x1" example:"41"`
	Y1         int     `json:"y1" example:"63"`
	X2         int     `json:"x2" example:"190"`
	Y2         int     `json:"y2" example:"101"`
	Confidence float64 `json:"confidence" example:"0.96" doc:"0–1; 1 for what a person wrote."`
}

type failureView struct {
	_      struct{} `nullable:"true"`
	Code   string   `json:"code" example:"region_deadline"`
	Detail string   `json:"detail"`
}

type contentView struct {
	ID             string       `json:"id" example:"3nkqj6wyb4ztq2vgx7o5mcdahe"`
	Version        int          `json:"version" example:"1" doc:"Of the run."`
	ROI            boxView      `json:"roi" doc:"The region."`
	Name           string       `json:"name" example:"title" doc:"What the caller called it; may be empty."`
	Detail         []string     `json:"detail" nullable:"false" example:"[\"Invoice\",\"No.\",\"17\"]" doc:"The words of the text."`
	Text           string       `json:"text" example:"Invoice No. 17" doc:"With its line breaks."`
	Confidence     float64      `json:"confidence" example:"0.94" doc:"0–1, of all words."`
	Words          []wordView   `json:"words" nullable:"false" doc:"With their place on the page."`
	Lang           []string     `json:"lang" nullable:"false" example:"[\"eng\"]" doc:"In the order in which they were used."`
	PSM            *int         `json:"psm" example:"6" doc:"That gave the text; null where there is none."`
	Engine         string       `json:"engine" example:"tesseract 5.3.0"`
	DurationMS     float64      `json:"duration_ms" example:"181.5" doc:"Of the work, without waiting for it."`
	Scale          float64      `json:"scale" example:"2" doc:"How much it was enlarged for the engine."`
	Passes         int          `json:"passes" example:"1" doc:"How often it was read."`
	Agreement      *float64     `json:"agreement" example:"0.93" doc:"0–1, how much two looks at the region agree; null where one was enough. A low one is a reason to check the text."`
	Revision       int          `json:"revision" example:"1" doc:"1 as the engine read it; one more with each correction."`
	EditedBy       *editorView  `json:"edited_by" doc:"Who made this revision; null for the first."`
	EditedDatetime *string      `json:"edited_datetime" format:"date-time" doc:"null for the first revision."`
	Error          *failureView `json:"error" doc:"Why it could not be read; null where it was."`
}

func viewUser(u account.User) userView {
	v := userView{ID: u.ID, Name: orNull(u.Name), Email: orNull(u.Email), Role: orNull(u.Role), States: []stateView{}, CreatedDatetime: timestamp(u.Created)}
	for _, s := range u.States {
		v.States = append(v.States, stateView{Name: s.Name, Detail: s.Detail, CreatedDatetime: timestamp(s.Created)})
	}
	return v
}

func viewRef(r account.Ref) refView { return refView{ID: r.ID, Name: orNull(r.Name)} }

func viewLogin(l account.Login) loginView {
	return loginView{ID: l.ID, Address: l.Address, UserAgent: l.UserAgent, CreatedDatetime: timestamp(l.Created)}
}

func viewGrant(g account.Grant) grantView {
	return grantView{Username: g.User.Name, TokenType: "bearer", AccessToken: g.AccessToken,
		ExpiresIn: int64(g.ExpiresIn / time.Second), RefreshToken: g.RefreshToken}
}

func viewKey(k account.Key) KeyView {
	return KeyView{ID: k.ID, Name: k.Name, CreatedDatetime: timestamp(k.Created), Expires: timestampOrNull(k.Expires), LastUsed: timestampOrNull(k.LastUsed)}
}

func viewImage(i document.Image) imageView {
	return imageView{ID: i.ID, Name: i.Name, MediaType: i.MediaType, Width: i.Width, Height: i.Height, Size: i.Size, SHA256: i.SHA256,
		Pages: i.Pages, Visibility: string(i.Visibility), User: viewRef(i.Owner), CreatedDatetime: timestamp(i.Created)}
}

func viewRun(r recognition.Run) runView {
	return runView{Version: r.Version, CreatedDatetime: timestamp(r.Created), User: viewRef(r.User), Lang: notNull(r.Lang), PSM: modeOrNull(r.PSM),
		OEM: int(r.OEM), Engine: r.Engine, Contents: viewAll(r.Contents, viewContent)}
}

func viewContent(c recognition.Content) contentView {
	v := contentView{ID: c.ID, Version: c.Version, ROI: boxView(c.ROI), Name: c.Name, Detail: notNull(c.Detail()), Text: c.Text,
		Confidence: c.Confidence, Words: viewAll(c.Words, viewWord), Lang: notNull(c.Lang), PSM: modeOrNull(c.PSM), Engine: c.Engine,
		DurationMS: float64(c.Duration) / float64(time.Millisecond), Scale: c.Scale, Passes: c.Passes, Agreement: c.Agreement, Revision: c.Revision,
		EditedDatetime: timestampOrNull(c.Edited)}
	if c.EditedBy.ID != 0 {
		v.EditedBy = &editorView{ID: c.EditedBy.ID, Name: orNull(c.EditedBy.Name)}
	}
	if c.Error != nil {
		v.Error = &failureView{Code: c.Error.Code, Detail: c.Error.Detail}
	}
	return v
}

func viewWord(w recognition.Word) wordView {
	return wordView{Text: w.Text, X1: w.Box.X1, Y1: w.Box.Y1, X2: w.Box.X2, Y2: w.Box.Y2, Confidence: w.Confidence}
}

func viewAll[T, V any](items []T, view func(T) V) []V {
	views := make([]V, len(items))
	for i, item := range items {
		views[i] = view(item)
	}
	return views
}

func notNull(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func modeOrNull(m recognition.PSM) *int {
	if m == recognition.Auto {
		return nil
	}
	n := int(m)
	return &n
}

// timestamp is RFC 3339 in UTC with the microseconds that the stores keep.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func timestampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return orNull(timestamp(t))
}

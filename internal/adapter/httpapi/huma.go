package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"glyphbox/client"
	"glyphbox/internal/domain/account"
)

// huma matches parameters, checks them and makes the OpenAPI document. This file is all that knows how to work around it:
//   - It would read each body twice, into maps of many times its size. So it is not told of bodies before the document is made.
//   - Its look at the header Accept panics at some of what can be in it. There is only JSON to choose, so the header is removed.
//   - It ignores query parameters that it does not know, and all but the first of those given twice.
//   - It has a form of a problem of its own, and puts $schema into answers.
//   - Its documentation pages load from elsewhere.
//   - It says that lists may be null, also those within lists, which no tag reaches.

func init() { huma.DefaultArrayNullable = false }

func humaConfig(version, basePath string) huma.Config {
	c := huma.DefaultConfig("Glyphbox", version)
	c.CreateHooks, c.OpenAPIPath, c.DocsPath, c.SchemasPath = nil, "", "", ""
	format := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format} // the second for all that end in +json
	c.Transformers = []huma.Transformer{ownProblems}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	c.Info.Description = "Reads text from images of pages: upload an image, draw regions on it, get the text of each. Every run is kept " +
		"as a version, and text can be corrected.\n\nCoordinates are whole pixels of the upright image. x1, y1 lie inside the box; x2, " +
		"y2 lie just outside it. Times are RFC 3339 in UTC. Every failure is `application/problem+json` (RFC 9457) with a `code` for " +
		"programs.\n\n" +
		"Fields of a body and query parameters that an operation does not know are refused with 422, except where it says that it " +
		"ignores them."
	c.Tags = []*huma.Tag{
		{Name: "user", Description: "Accounts, tokens and API keys."},
		{Name: "image", Description: "Page images and their renditions."},
		{Name: "recognition", Description: "Text of images, its versions and corrections."},
		{Name: "job", Description: "Work in the background."},
		{Name: "system", Description: "For monitoring."},
		{Name: "admin", Description: "For administrators."},
	}
	if basePath != "" {
		c.Servers = []*huma.Server{{URL: basePath}}
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"password": {Type: "oauth2", Description: "Sign in with name and password.", Flows: &huma.OAuthFlows{
			Password: &huma.OAuthFlow{TokenURL: basePath + base + "/user/login", Scopes: map[string]string{}}}},
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token or an API key."},
	}
	return c
}

// register gives an operation to huma.
func register[I, O any](a *api, r route, h handler[I, O]) {
	if reflect.TypeFor[I]().NumField() > 0 {
		r.errors = append(r.errors, http.StatusBadRequest, http.StatusUnprocessableEntity)
	} else if r.strict() {
		r.errors = append(r.errors, http.StatusUnprocessableEntity)
	}
	huma.Register(a.huma, r.operation(len(a.table)), func(ctx context.Context, in *I) (*O, error) {
		c := callOf(ctx)
		out, err := h(ctx, c, in)
		if err != nil {
			return nil, c.fail(err)
		}
		return out, nil
	})
	a.documentAnswers(r)
	if r.body != nil && r.body.fields != nil {
		a.documentBody(r, r.body.schema())
	}
}

// admit is what huma calls before every operation.
func (a *api) admit(ctx huma.Context, next func(huma.Context)) {
	c := callOf(ctx.Context())
	op := ctx.Operation()
	limited, cancel := c.limit(ctx.Context(), op.Metadata[routeKey].(route))
	defer cancel()
	c.r.Header.Del("Accept")
	err := a.authenticate(limited, c)
	if err == nil {
		err = checkQuery(c, op.Parameters)
	}
	if err != nil {
		c.send(c.fail(err))
		return
	}
	next(huma.WithContext(ctx, limited))
}

// checkQuery refuses what huma would ignore.
func checkQuery(c *call, parameters []*huma.Param) error {
	known := map[string]bool{} // and whether it may be repeated
	for _, p := range parameters {
		if p.In == "query" {
			known[p.Name] = p.Schema.Type == huma.TypeArray
		}
	}
	return c.checkQuery(known)
}

const routeKey = "route"

// operation is the row in huma's words. Its place in the table is told to the page /docs, since huma sorts by path.
func (r route) operation(place int) huma.Operation {
	op := huma.Operation{Method: r.method(), Path: r.path(), OperationID: r.id, Summary: r.summary, Description: r.about,
		Tags:          []string{r.tag},
		DefaultStatus: r.status, Metadata: map[string]any{routeKey: r}, Responses: map[string]*huma.Response{},
		Extensions: map[string]any{"x-order": place}}
	if r.gives != nil {
		content := map[string]*huma.MediaType{}
		for _, mediaType := range r.gives {
			content[mediaType] = &huma.MediaType{Schema: binary(mediaType)}
		}
		op.Responses["200"] = &huma.Response{Description: "OK", Content: content}
	}
	errors := append([]int{http.StatusInternalServerError}, r.errors...)
	if strings.HasPrefix(r.path(), base) { // the others use no store and wait for nothing
		errors = append(errors, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	}
	if !r.open {
		op.Security = []map[string][]string{{"password": {}}, {"bearer": {}}}
		errors = append(errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(r.path(), "{") {
		errors = append(errors, http.StatusNotFound)
	}
	for _, status := range errors {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + problemName(status)}
	}
	return op
}

func binary(mediaType string) *huma.Schema {
	switch {
	case strings.HasPrefix(mediaType, "text/"):
		return &huma.Schema{Type: huma.TypeString}
	case mediaType == "application/*": // JSON may be among them
		return &huma.Schema{}
	}
	return &huma.Schema{Type: huma.TypeString, Format: "binary"}
}

// documented is the operation of a row in the document.
func (a *api) documented(r route) *huma.Operation {
	item := a.huma.OpenAPI().Paths[r.path()]
	return map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete}[r.method()]
}

// documentBody adds a body to the document after huma has registered the operation, so that it leaves the body alone.
func (a *api) documentBody(r route, schema *huma.Schema) {
	if r.body.most != 0 {
		schema.MaxItems = &r.body.most
	}
	a.documented(r).RequestBody = &huma.RequestBody{Required: !r.body.optional,
		Content: map[string]*huma.MediaType{r.body.mediaType: {Schema: schema}}}
}

// documentAnswers adds the further statuses of success.
func (a *api) documentAnswers(r route) {
	responses := a.documented(r).Responses
	for _, status := range r.also {
		response := &huma.Response{Description: http.StatusText(status)}
		if status != http.StatusNotModified {
			response.Content = responses["200"].Content
		}
		responses[strconv.Itoa(status)] = response
	}
}

// schemaOf returns the schema of a type.
func schemaOf[T any](a *api) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// schema is that of a form.
func (b body) schema() *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Required: b.required, Properties: map[string]*huma.Schema{}}
	for name, about := range b.fields {
		field := &huma.Schema{Type: huma.TypeString, Description: about}
		switch {
		case b.mediaType == mediaTypeFiles:
			field = &huma.Schema{Type: huma.TypeArray, Description: about, Items: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		case strings.HasPrefix(name, "password"):
			field.Format = "password"
		}
		s.Properties[name] = field
	}
	return s
}

// Schema tells huma that one image or a list is answered.
func (uploadedImages) Schema(r huma.Registry) *huma.Schema {
	image := r.Schema(reflect.TypeFor[client.Image](), true, "")
	return &huma.Schema{OneOf: []*huma.Schema{image, {Type: huma.TypeArray, Items: image, Description: "If several files were sent."}}}
}

// Schema tells huma how languages are written.
func (languages) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString, Examples: []any{"eng"}},
		{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Examples: []any{[]string{"kor", "eng"}}},
	}}
}

// Schema tells huma how a whole number is written.
func (whole) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger}
}

// Schema tells huma how a page segmentation mode is written.
func (mode) Schema(huma.Registry) *huma.Schema {
	numbers := []any{}
	for _, number := range modeNumbers() {
		numbers = append(numbers, number)
	}
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, Enum: []any{"auto"}}, {Type: huma.TypeInteger, Enum: numbers}}}
}

// Schema tells huma how a rotation is written.
func (rotation) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, Enum: []any{"auto"}},
		{Type: huma.TypeInteger, Enum: []any{0, 90, 180, 270}}}}
}

// Schema tells huma how a role is written.
func (role) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true, Enum: []any{account.RoleAdmin, nil}}
}

// Schema tells huma what the entries are as they are written, not as they are decoded.
func (regionForms) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[regionForm](), true, ""),
		Description: "What to read. An empty list reads the whole page.", Examples: []any{[]map[string]any{
			{"x1": 34, "y1": 100, "x2": 322, "y2": 144, "name": "number"}, {"x1": 34, "y1": 220, "x2": 369, "y2": 264, "name": "total"}}}}
}

// TransformSchema gives an example that is right: text and detail exclude each other.
func (correctionForm) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{"text": "Invoice No. 1742"}}
	return s
}

// problems are the statuses of problems, with what they mean.
var problems = map[int]string{
	400: "The request cannot be read.",
	401: "There is no valid token.",
	403: "You may not do this.",
	404: "It does not exist, or you may not see it.",
	409: "It conflicts with what is there.",
	412: "A precondition of the request does not hold.",
	413: "Something is too large.",
	415: "This media type or file format is not supported.",
	416: "The range lies outside the file.",
	422: "The input breaks a rule. errors names the fields.",
	429: "Too many requests, or too much that waits. Try again after Retry-After.",
	500: "Something went wrong in the service.",
	503: "The service is busy, or a store is away. Try again after Retry-After.",
	504: "It could not be done in time.",
}

func problemName(status int) string { return "Problem" + strconv.Itoa(status) }

// document returns the OpenAPI document.
func (a *api) document() ([]byte, error) {
	doc := a.huma.OpenAPI()
	schemas := doc.Components.Schemas
	content := map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf[client.Problem](a)}}
	doc.Components.Responses = map[string]*huma.Response{}
	for status, about := range problems {
		headers := map[string]*huma.Header{"X-Request-Id": {Description: "Names the request in the logs.",
			Schema: &huma.Schema{Type: huma.TypeString}}}
		switch status {
		case http.StatusUnauthorized:
			headers["WWW-Authenticate"] = &huma.Header{Description: "Bearer.", Schema: &huma.Schema{Type: huma.TypeString}}
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			headers["Retry-After"] = &huma.Header{Description: "Seconds to wait.", Schema: &huma.Schema{Type: huma.TypeInteger}}
		}
		doc.Components.Responses[problemName(status)] = &huma.Response{Description: about, Content: content, Headers: headers}
	}
	for name := range schemas.Map() {
		if strings.HasPrefix(name, "Error") { // huma's own form of a problem, which never leaves
			delete(schemas.Map(), name)
		}
	}
	for _, s := range schemas.Map() {
		s.AdditionalProperties = nil // answers may get more fields one day
	}
	return json.MarshalIndent(doc, "", "  ")
}

// stream is an answer that is not JSON. huma knows it by the name and type of its field.
type stream struct{ Body func(huma.Context) }

// streamed makes an answer that write writes itself.
func streamed(write func()) *stream { return &stream{func(huma.Context) { write() }} }

// These make a problem an error that huma answers with as it is.

func (p *problem) Error() string             { return p.Code + ": " + p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) GetHeaders() http.Header   { return p.header }
func (p *problem) ContentType(string) string { return "application/problem+json" }

// ownProblems turns what huma itself finds wrong with parameters into our form of a problem.
func ownProblems(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	c := callOf(ctx.Context())
	if m.Status >= http.StatusInternalServerError {
		p := c.problem(m.Status, "internal", textInternal)
		c.cause = fmt.Errorf("huma: %s: %v", m.Detail, m.Errors)
		return p, nil
	}
	p := c.problem(m.Status, "invalid_input", "The input breaks a rule.")
	for _, e := range m.Errors[:min(len(m.Errors), maxFields)] {
		_, name, _ := strings.Cut(e.Location, ".") // query.size
		p.Errors = append(p.Errors, client.Field{Field: capped(name), Detail: capped(e.Message)})
	}
	return p, nil
}

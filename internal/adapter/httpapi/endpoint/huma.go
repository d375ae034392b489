package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"glyphbox/client"
)

// huma matches parameters, checks them and makes the OpenAPI document. This file is all that knows how to work around it:
//   - It would read each body twice, into maps of many times its size. So it is not told of bodies before the document is made.
//   - Its look at the header Accept panics at some of what can be in it. There is only JSON to choose, so the header is removed.
//   - It ignores query parameters that it does not know, and all but the first of those given twice.
//   - It has a form of a problem of its own, and puts $schema into answers.
//   - Its documentation pages load from elsewhere.
//   - What it says of parameters is for programmers.
//   - It says that lists may be null, also those within lists, which no tag reaches.

func init() {
	huma.DefaultArrayNullable = false
	validation.MsgExpectedOneOf = "one of %s"
	validation.MsgExpectedMinimumNumber, validation.MsgExpectedMaximumNumber = "at least %.0f", "at most %.0f"
	validation.MsgExpectedMaxLength, validation.MsgExpectedMaxItems = "at most %d characters", "at most %d entries"
}

func humaConfig(d Document, basePath string) huma.Config {
	c := huma.DefaultConfig(d.Title, d.Version)
	c.CreateHooks, c.OpenAPIPath, c.DocsPath, c.SchemasPath = nil, "", "", ""
	format := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format} // the second for all that end in +json
	c.Transformers = []huma.Transformer{ownProblems}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	c.Info.Description = d.About
	for _, tag := range d.Tags {
		c.Tags = append(c.Tags, &huma.Tag{Name: tag.Name, Description: tag.About})
	}
	if basePath != "" {
		c.Servers = []*huma.Server{{URL: basePath}}
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"password": {Type: "oauth2", Description: "Sign in with name and password.", Flows: &huma.OAuthFlows{
			Password: &huma.OAuthFlow{TokenURL: basePath + d.Login, Scopes: map[string]string{}}}},
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token or an API key."},
	}
	return c
}

// register gives an operation to huma.
func register[I, O any](s *Set, r Route, h Handler[I, O]) {
	if r.strict() {
		r.Errors = append(r.Errors, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	huma.Register(s.huma, r.operation(len(s.table)), func(ctx context.Context, in *I) (*O, error) {
		c := callOf(ctx)
		out, err := h(ctx, c, in)
		if err != nil {
			return nil, c.fail(err)
		}
		return out, nil
	})
	s.documentAnswers(r)
	if r.Body != nil && r.Body.Fields != nil {
		s.documentBody(r, r.Body.schema())
	}
}

// admit is what huma calls before every operation.
func (s *Set) admit(ctx huma.Context, next func(huma.Context)) {
	c := callOf(ctx.Context())
	op := ctx.Operation()
	limited, cancel := c.limit(ctx.Context(), op.Metadata[routeKey].(Route))
	defer cancel()
	c.r.Header.Del("Accept")
	err := s.authenticate(limited, c)
	if err == nil {
		err = checkQuery(c, op.Parameters)
	}
	if err == nil {
		err = c.checkEncoding()
	}
	if err != nil {
		c.send(c.fail(err))
		return
	}
	next(huma.WithContext(ctx, limited))
}

// checkQuery refuses what huma would ignore.
func checkQuery(c *Call, parameters []*huma.Param) error {
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
func (r Route) operation(place int) huma.Operation {
	op := huma.Operation{Method: r.Method(), Path: r.Path(), OperationID: r.ID, Summary: r.Summary, Description: r.About,
		Tags:          []string{r.Tag},
		DefaultStatus: r.Status, Metadata: map[string]any{routeKey: r}, Responses: map[string]*huma.Response{},
		Extensions: map[string]any{"x-order": place}}
	if r.Gives != nil {
		content := map[string]*huma.MediaType{}
		for _, mediaType := range r.Gives {
			content[mediaType] = &huma.MediaType{Schema: binary(mediaType)}
		}
		op.Responses["200"] = &huma.Response{Description: "OK", Content: content}
	}
	errors := append([]int{http.StatusInternalServerError}, r.Errors...)
	if r.stored() { // the others use no store and wait for nothing
		errors = append(errors, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
	}
	if !r.Open {
		op.Security = []map[string][]string{{"password": {}}, {"bearer": {}}}
		errors = append(errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(r.Path(), "{") {
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
func (s *Set) documented(r Route) *huma.Operation {
	item := s.huma.OpenAPI().Paths[r.Path()]
	return map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete}[r.Method()]
}

// documentBody adds a body to the document after huma has registered the operation, so that it leaves the body alone.
func (s *Set) documentBody(r Route, schema *huma.Schema) {
	if r.Body.Most != 0 {
		schema.MaxItems = &r.Body.Most
	}
	s.documented(r).RequestBody = &huma.RequestBody{Required: !r.Body.Optional,
		Content: map[string]*huma.MediaType{r.Body.MediaType: {Schema: schema}}}
}

// documentAnswers adds the further statuses of success.
func (s *Set) documentAnswers(r Route) {
	responses := s.documented(r).Responses
	for _, status := range r.Also {
		response := &huma.Response{Description: http.StatusText(status)}
		if status != http.StatusNotModified {
			response.Content = responses["200"].Content
		}
		responses[strconv.Itoa(status)] = response
	}
}

// schemaOf returns the schema of a type.
func schemaOf[T any](s *Set) *huma.Schema {
	return s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// schema is that of a form.
func (b Body) schema() *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Required: b.Required, Properties: map[string]*huma.Schema{}}
	for name, about := range b.Fields {
		field := &huma.Schema{Type: huma.TypeString, Description: about}
		switch {
		case b.MediaType == Files:
			field = &huma.Schema{Type: huma.TypeArray, Description: about, Items: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		case strings.HasPrefix(name, "password"):
			field.Format = "password"
		}
		s.Properties[name] = field
	}
	return s
}

// problems are the statuses of problems, with what they mean.
var problems = map[int]string{
	400: "The request is malformed.",
	401: "A valid token is missing.",
	403: "You may not do this.",
	404: "It does not exist, or you may not see it.",
	409: "The request conflicts with the current state.",
	412: "A precondition of the request does not hold.",
	413: "The request or the result is too large.",
	415: "This media type or file format is not supported.",
	416: "The range is outside the file.",
	422: "The input is invalid. errors names the fields.",
	429: "There are too many requests, or a limit would be exceeded. Try again after Retry-After; without it, waiting does not help.",
	500: "Something went wrong in the service.",
	503: "The service is busy, or a store is unreachable. Try again after Retry-After.",
	504: "The request was not finished in time.",
	507: "A limit on documents or bytes would be exceeded. limit names it.",
}

func problemName(status int) string { return "Problem" + strconv.Itoa(status) }

// document returns the OpenAPI document of all that is registered.
func (s *Set) document() ([]byte, error) {
	doc := s.huma.OpenAPI()
	schemas := doc.Components.Schemas
	content := map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf[client.Problem](s)}}
	doc.Components.Responses = map[string]*huma.Response{}
	for status, about := range problems {
		headers := map[string]*huma.Header{"X-Request-Id": {Description: "Identifies the request in the logs.",
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
	for _, schema := range schemas.Map() {
		schema.AdditionalProperties = nil // answers may get more fields one day
	}
	return json.MarshalIndent(doc, "", "  ")
}

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
	p := c.problem(m.Status, "invalid_input", "The input is invalid.")
	for _, e := range m.Errors[:min(len(m.Errors), maxFields)] {
		_, name, _ := strings.Cut(e.Location, ".") // query.size
		p.Errors = append(p.Errors, client.Field{Field: capped(name), Detail: capped(allowed(e))})
	}
	return p, nil
}

// allowed says what a parameter may be, also where huma has only one text for it.
func allowed(e *huma.ErrorDetail) string {
	value, _ := e.Value.(string)
	switch {
	case e.Message == "invalid integer":
		if _, err := strconv.ParseInt(value, 10, 64); errors.Is(err, strconv.ErrRange) {
			return "a whole number of at most 15 digits"
		}
		return "a whole number"
	case e.Message == "invalid boolean":
		return "true or false"
	case strings.HasPrefix(e.Message, "required "):
		return "must be given"
	}
	return e.Message
}

// AlsoAnswers documents that a route may also answer with a T, with another status and a Location.
func AlsoAnswers[T any](s *Set, r Route, status int, about string) {
	s.documented(r).Responses[strconv.Itoa(status)] = &huma.Response{Description: about,
		Headers: map[string]*huma.Header{
			"Location": {Description: "The path of the job.", Schema: &huma.Schema{Type: huma.TypeString}}},
		Content: map[string]*huma.MediaType{JSON: {Schema: schemaOf[T](s)}}}
}

package httpapi

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"glyphbox/client"
	"glyphbox/internal/domain/account"
)

func humaConfig(version string) huma.Config {
	c := huma.DefaultConfig("Glyphbox", version)
	// No $schema in bodies, and no pages of huma's: its renderers load from elsewhere.
	c.CreateHooks, c.OpenAPIPath, c.DocsPath, c.SchemasPath = nil, "", "", ""
	format := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format} // the second for all that end in +json
	c.Transformers = []huma.Transformer{ownProblems}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Info.Description = "Reads text from images of pages: upload an image, draw regions on it, get the text of each. Every run is kept " +
		"as a version, and text can be corrected.\n\nCoordinates are whole pixels of the upright image; x1, y1 lie inside the box, x2, y2 just " +
		"outside it. Times are RFC 3339 in UTC. Every failure is `application/problem+json` (RFC 9457), with a `code` for programs."
	c.Tags = []*huma.Tag{
		{Name: "user", Description: "Accounts, tokens and API keys."},
		{Name: "image", Description: "Page images and what they look like."},
		{Name: "recognition", Description: "Text of images, its versions and its corrections."},
		{Name: "system", Description: "For who runs the service."},
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"password": {Type: "oauth2", Description: "Sign in with name and password.", Flows: &huma.OAuthFlows{
			Password: &huma.OAuthFlow{TokenURL: base + "/user/login", Scopes: map[string]string{}}}},
		"bearer": {Type: "http", Scheme: "bearer", Description: "An access token, or an API key."},
	}
	return c
}

// schemaName leaves out what our names of types say of their use here.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	return strings.TrimSuffix(name, "View")
}

// documentBody adds a body to the document only: huma would read one that it knows of.
func (a *api) documentBody(r route, mediaType string, schema *huma.Schema) {
	method, path, _ := strings.Cut(r.pattern, " ")
	item := a.huma.OpenAPI().Paths[path]
	op := map[string]*huma.Operation{"POST": item.Post, "PUT": item.Put}[method]
	op.RequestBody = &huma.RequestBody{Required: !r.bare, Content: map[string]*huma.MediaType{mediaType: {Schema: schema}}}
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

// Schema tells huma how languages are written.
func (languages) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString, Examples: []any{"kor+eng"}},
		{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Examples: []any{[]string{"kor", "eng"}}},
	}}
}

// Schema tells huma how a page segmentation mode is written.
func (mode) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeInteger, Enum: []any{1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}},
		{Type: huma.TypeString, Enum: []any{"auto"}},
	}}
}

// Schema tells huma how a role is written.
func (role) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true, Enum: []any{account.RoleAdmin, nil}}
}

// Schema tells huma what the entries are as they are written, not as they are decoded.
func (regionForms) Schema(r huma.Registry) *huma.Schema {
	most := 500
	return &huma.Schema{Type: huma.TypeArray, MaxItems: &most, Items: r.Schema(reflect.TypeFor[regionForm](), true, ""),
		Description: "What to read; nothing or an empty list means the whole page."}
}

// finishOpenAPI adds what huma cannot know and takes away what it made up.
func (a *api) finishOpenAPI() ([]byte, error) {
	doc := a.huma.OpenAPI()
	schemas := doc.Components.Schemas
	problem := schemas.Schema(reflect.TypeFor[client.Problem](), true, "")
	doc.Components.Responses = map[string]*huma.Response{"Problem": {
		Description: "What went wrong.", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		Headers: map[string]*huma.Header{
			"X-Request-Id":     {Description: "Names the request in the logs.", Schema: &huma.Schema{Type: huma.TypeString}},
			"Retry-After":      {Description: "With 429 and 503: seconds to wait.", Schema: &huma.Schema{Type: huma.TypeInteger}},
			"WWW-Authenticate": {Description: "With 401.", Schema: &huma.Schema{Type: huma.TypeString}},
			"Allow":            {Description: "With 405: what can be used.", Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}
	for name := range schemas.Map() {
		if strings.HasPrefix(name, "Error") { // huma's own form of a problem, which never leaves
			delete(schemas.Map(), name)
		}
	}
	for _, s := range schemas.Map() {
		s.AdditionalProperties = nil // unknown fields of bodies are ignored, and there may be more in answers one day
	}

	image := schemas.Schema(reflect.TypeFor[client.Image](), true, "")
	doc.Paths[base+"/image"].Post.Responses["201"].Content["application/json"].Schema =
		&huma.Schema{OneOf: []*huma.Schema{image, {Type: huma.TypeArray, Items: image, Description: "Where several files were sent."}}}
	a.documentBody(route{pattern: "POST " + base + "/image"}, "multipart/form-data", &huma.Schema{
		Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": {Type: huma.TypeArray, Description: "Image files.", Items: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}})
	a.documentBody(route{pattern: "POST " + base + "/user/login"}, "application/x-www-form-urlencoded", &huma.Schema{
		Type: huma.TypeObject, Required: []string{"username", "password"}, Properties: map[string]*huma.Schema{
			"username":   {Type: huma.TypeString, Examples: []any{"ann"}},
			"password":   {Type: huma.TypeString, Format: "password"},
			"grant_type": {Type: huma.TypeString, Description: "Ignored."},
			"scope":      {Type: huma.TypeString, Description: "Ignored."}}})
	notModified := &huma.Response{Description: "It is what you have."}
	for _, path := range []string{"/image/{id}", "/image/{id}/thumbnail", "/image/{id}/view", "/ocr/{id}"} {
		doc.Paths[base+path].Get.Responses["304"] = notModified
	}
	for _, path := range []string{"/image/{id}", "/image/{id}/thumbnail", "/image/{id}/view"} {
		whole := doc.Paths[base+path].Get.Responses
		whole["206"] = &huma.Response{Description: "The range asked for.", Content: whole["200"].Content}
	}
	ready := doc.Paths["/ready"].Get.Responses
	ready["503"] = &huma.Response{Description: "Something is away.", Content: ready["200"].Content}
	return json.MarshalIndent(doc, "", "  ")
}

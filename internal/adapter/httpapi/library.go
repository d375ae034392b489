package httpapi

import (
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/library"
)

// libraryRoutes registers the operations on what documents have besides their pages.
func (a *api) libraryRoutes(s *endpoint.Set) {
	h := library.Handlers{Images: a.Images}
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/share", Tag: "image", ID: "share",
		Summary: "Tell with whom a document is shared by name",
		About: "The owner and administrators are told all names. Others who see the image are told at most their own: who else reads " +
			"it is not their business."}, h.Shared)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/image/{id}/share", Tag: "image", ID: "set-share",
		Summary: "Share a document by name",
		About: "For its owner and administrators. The list replaces the one before. Whom it names sees all pages of the document " +
			"whatever its visibility, and may do what everybody may with a document that all users see: have it read, export it, search " +
			"in it, follow it, and correct what they had read themselves. Who is left out of the list loses that at once; what they had " +
			"read stays. 409 with the code page_of_document: the image is that of a later page. 422 names the entry: nobody has that " +
			"name, it is that of the owner, or it is there twice.",
		Body: &endpoint.Body{MediaType: endpoint.JSON, Limit: jsonLimit}, Errors: []int{409}}, h.Share)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/tag", Tag: "image", ID: "tags", Summary: "List the tags in use",
		About: "Of the documents that you may see, sorted, with how many of them have each. PUT /image/{id} gives a document its tags, " +
			"and GET /image?tag= finds documents by them.", Errors: []int{403}}, h.Tags)
}

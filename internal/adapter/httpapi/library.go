package httpapi

import (
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/adapter/httpapi/library"
)

// libraryRoutes registers the operations on what documents have besides their pages.
func (a *api) libraryRoutes(s *endpoint.Set) {
	h := library.Handlers{Images: a.Images}
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/image/{id}/share", Tag: "image", ID: "share",
		Summary: "Get the users a document is shared with by name",
		About:   "The owner and administrators get all names. Other users who may see the image get at most their own name."}, h.Shared)
	endpoint.HandleJSON(s, endpoint.Route{Pattern: "PUT " + base + "/image/{id}/share", Tag: "image", ID: "set-share",
		Summary: "Share a document by name",
		About: "For the owner and administrators. The list replaces the previous one. The named users see all pages of the document " +
			"whatever its visibility. They may read, export, search and follow it, and correct the results of their own runs, as with a " +
			"document that is shared with everybody. A user who is no longer in the list loses access at once; the user's runs are kept. " +
			"The answer is 409 with the code page_of_document if the image is not that of the first page, and 422 if a name is unknown, " +
			"that of the owner, or given twice.",
		Body: &endpoint.Body{MediaType: endpoint.JSON, Limit: jsonLimit}, Errors: []int{409}}, h.Share)
	endpoint.Handle(s, endpoint.Route{Pattern: "GET " + base + "/tag", Tag: "image", ID: "tags", Summary: "List the tags in use",
		About: "Sorted, with the number of documents that have each tag, among those that you may see. PUT /image/{id} sets the tags of " +
			"a document, and GET /image?tag= finds documents by them.", Errors: []int{403}}, h.Tags)
}

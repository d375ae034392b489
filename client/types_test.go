package client

import "testing"

func TestProblemSaysEverythingOnce(t *testing.T) {
	for want, p := range map[string]Problem{
		"There is no such image. (404 not_found)": {Status: 404, Code: "not_found", Detail: "There is no such image."},
		"The file is empty. (415 unsupported_image)": {Status: 415, Code: "unsupported_image", Detail: "The file is empty.",
			Errors: []Field{{Field: "file", Detail: "The file is empty."}}},
		"The input is invalid. size: 1 to 100. name: It is taken. (422 invalid_input)": {Status: 422, Code: "invalid_input",
			Detail: "The input is invalid.",
			Errors: []Field{{Field: "size", Detail: "1 to 100"}, {Field: "name", Detail: "It is taken."}}},
	} {
		if got := p.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

package reading

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"glyphbox/client"
)

// A document has all of its pages, however many the service tells at once, and is deleted where a part of them cannot be had.
func TestPagesOfService(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.pdf")
	must(t, os.WriteFile(file, []byte("pages"), 0o600))
	for name, c := range map[string]struct{ pages, told int }{"one": {1, 1}, "some": {3, 3}, "many": {250, 250}, "not all": {250, 130}} {
		t.Run(name, func(t *testing.T) {
			deleted := false
			service := http.NewServeMux()
			service.HandleFunc("POST /api/v1/image", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(client.Image{ID: 7, Document: 7, Page: 1, Pages: c.pages})
			})
			service.HandleFunc("GET /api/v1/image", func(w http.ResponseWriter, r *http.Request) {
				number := func(name string) int { n, _ := strconv.Atoi(r.FormValue(name)); return n }
				pages := []client.Image{}
				for n := number("size") * number("page"); n < c.told && len(pages) < number("size"); n++ {
					pages = append(pages, client.Image{ID: int64(7 + n), Document: 7, Page: n + 1, Pages: c.pages})
				}
				w.Header().Set("X-Total-Count", strconv.Itoa(c.told))
				_ = json.NewEncoder(w).Encode(pages)
			})
			service.HandleFunc("DELETE /api/v1/image/7", func(w http.ResponseWriter, _ *http.Request) {
				deleted = true
				w.WriteHeader(http.StatusNoContent)
			})
			server := httptest.NewServer(service)
			defer server.Close()
			s := Service{Do: func(_ context.Context, request func(client.Client) error) error {
				return request(client.Client{Server: server.URL})
			}}
			d, err := s.Open(t.Context(), File{Name: file})
			if c.told < c.pages {
				if err == nil || !deleted {
					t.Errorf("got %v, %v, and it is deleted: %v", d, err, deleted)
				}
				return
			}
			must(t, err)
			pages := d.Pages()
			last := pages[len(pages)-1]
			if len(pages) != c.pages || last.ID != int64(6+c.pages) || last.Number != c.pages || last.Document != 7 {
				t.Errorf("got %d pages, the last %+v", len(pages), last)
			}
		})
	}
}

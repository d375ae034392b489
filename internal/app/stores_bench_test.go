package app

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

// photo makes a JPEG of a page, grainy as photos are, of width × height pixels.
func photo(b *testing.B, width, height, quality int) []byte {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for n := 0; n < len(m.Pix); n += 4 {
		shade := uint8(190 + r.IntN(40))
		m.Pix[n], m.Pix[n+1], m.Pix[n+2], m.Pix[n+3] = shade, shade, shade-10, 255
	}
	text, _ := porttest.DrawLines("Invoice No. 1742", "Two boxes of paper", "Total amount 1250.00")
	for y := 0; y+text.Bounds().Dy() < height; y += 2 * text.Bounds().Dy() {
		draw.DrawMask(m, text.Bounds().Add(image.Pt(width/10, y)), image.NewUniform(color.Black), image.Point{}, ink{text},
			text.Bounds().Min, draw.Over)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// ink is where a page is dark.
type ink struct{ image.Image }

func (ink) ColorModel() color.Model { return color.AlphaModel }

func (i ink) At(x, y int) color.Color {
	return color.Alpha{A: 255 - color.GrayModel.Convert(i.Image.At(x, y)).(color.Gray).Y}
}

// servers are the arguments of a service that keeps everything in MariaDB and MongoDB.
func servers(b *testing.B) []string {
	return []string{"--database", mariadbtest.Database(b), "--mongodb", mongotest.URI(b)}
}

// BenchmarkUpload uploads through the whole service, thumbnail and durable storage included: to a service on SQLite and files, and to one
// on MariaDB and MongoDB, in turn.
func BenchmarkUpload(b *testing.B) {
	embedded, served := start(b, b.TempDir()).signUp("ann"), start(b, b.TempDir(), servers(b)...).signUp("ann")
	for _, c := range []struct {
		name string
		file []byte
	}{{"1 MB", photo(b, 1240, 1754, 92)}, {"12 MP", photo(b, 4000, 3000, 80)}} {
		b.Run(c.name, func(b *testing.B) {
			body, contentType := multipartOf(b, "photo.jpg", c.file)
			upload := func(c person) func() {
				return func() {
					c.do(http.StatusCreated, "POST", "/api/v1/image", bytes.NewReader(body.Bytes()), "Content-Type", contentType)
				}
			}
			porttest.InTurn(b, porttest.Side{Name: "SQLite+files", Do: upload(embedded)},
				porttest.Side{Name: "MariaDB+MongoDB", Do: upload(served)})
			b.ReportMetric(float64(len(c.file))/1e6, "MB")
		})
	}
}

// BenchmarkResult stores and gets the result of as many regions as a request may have, of five words each: in SQLite, and in MariaDB and
// MongoDB, in turn.
func BenchmarkResult(b *testing.B) {
	embedded := openResults(b, Config{DataDir: datadir.Dir(b.TempDir())})
	served := openResults(b, Config{DataDir: datadir.Dir(b.TempDir()), Database: mariadbtest.Database(b), MongoDB: mongotest.URI(b)})
	sides := func(b *testing.B, do func(r *results, b *testing.B)) {
		porttest.InTurn(b, porttest.Side{Name: "SQLite", Do: func() { do(embedded, b) }},
			porttest.Side{Name: "MariaDB+MongoDB", Do: func() { do(served, b) }})
	}
	b.Run("read", func(b *testing.B) { sides(b, (*results).read) }) // before there are many, which FerretDB looks through
	b.Run("write", func(b *testing.B) { sides(b, (*results).write) })
}

// results are the stores of runs, with an image to add them to.
type results struct {
	*stores
	image document.Image
	runs  int
}

func openResults(b *testing.B, c Config) *results {
	b.Helper()
	s, err := openStores(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	u, err := s.db.Users().Add(b.Context(), account.User{Name: "ann", Email: "ann@example.org", Created: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	images, err := s.db.Catalog().Add(b.Context(), once.Claim{}, limit.Limits{}, []document.Image{{Name: "page", Number: 1,
		Geometry:   document.Geometry{MediaType: "image/png", Width: 800, Height: 600, Pages: 1},
		Visibility: document.Private, Owner: account.Ref{ID: u.ID}, Created: time.Now()}})
	if err != nil {
		b.Fatal(err)
	}
	r := &results{stores: s, image: images[0]}
	r.write(b)
	return r
}

// write stores a result as recognition.Service does: contents first, then the run.
func (r *results) write(b *testing.B) {
	word := recognition.Word{Text: "word", Box: document.Box{X1: 100, Y1: 100, X2: 150, Y2: 120}, Confidence: 0.9876}
	reading := recognition.Reading{Text: "word word word word word", Words: []recognition.Word{word, word, word, word, word},
		Confidence: 0.9, Lang: []string{"eng"}, Shape: recognition.ShapeLine, Engine: "tesseract 5.3.0"}
	run := recognition.Run{ImageID: r.image.ID, User: r.image.Owner, Created: time.Now(), Lang: []string{"eng"}}
	for n := range 500 {
		id := fmt.Sprintf("run%022d-%03d", r.runs, n+1) // as the service makes them
		run.Contents, run.ContentIDs = append(run.Contents, recognition.Content{ID: id, Revision: 1, Reading: reading}),
			append(run.ContentIDs, id)
	}
	r.runs++
	if err := r.contents.Add(b.Context(), run.Contents); err != nil {
		b.Fatal(err)
	}
	if _, err := r.db.Runs().Append(b.Context(), run); err != nil {
		b.Fatal(err)
	}
}

// read gets the first result.
func (r *results) read(b *testing.B) {
	run, err := r.db.Runs().ByVersion(b.Context(), r.image.ID, 1)
	if err != nil {
		b.Fatal(err)
	}
	if got, err := r.contents.Get(b.Context(), run.ContentIDs); err != nil || len(got) != 500 {
		b.Fatal(len(got), err)
	}
}

package app

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/crypto/bcrypt"

	api "glyphbox/client"
	"glyphbox/internal/adapter/sqlstore"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

// originalService is what the original service leaves, as its own libraries write it.
type originalService struct {
	t                 *testing.T
	database, mongodb string
	rows              *sql.DB
	documents         *mongo.Database
	page              []byte
	lines             []string
	boxes             []document.Box
}

// originalSchema is what SQLAlchemy makes of the original's entities.
const originalSchema = `
CREATE TABLE role (id %[1]s NOT NULL AUTO_INCREMENT, name VARCHAR(50) NOT NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE state (id %[1]s NOT NULL AUTO_INCREMENT, name VARCHAR(50) NOT NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE user (id %[1]s NOT NULL AUTO_INCREMENT, name VARCHAR(100), password VARCHAR(255),
	email VARCHAR(255), created_datetime DATETIME NOT NULL,
	role_id %[1]s,
	PRIMARY KEY (id), FOREIGN KEY(role_id) REFERENCES role (id));
CREATE UNIQUE INDEX ix_user_name ON user (name);
CREATE UNIQUE INDEX ix_user_email ON user (email);
CREATE TABLE logged_in (id %[1]s NOT NULL AUTO_INCREMENT, user_id %[1]s NOT NULL,
	created_datetime DATETIME NOT NULL, PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES user (id));
CREATE TABLE image (id %[1]s NOT NULL AUTO_INCREMENT, name VARCHAR(200) NOT NULL, media_type VARCHAR(20) NOT NULL,
	image_id VARCHAR(30) NOT NULL, thumbnail_id VARCHAR(30) NOT NULL,
	created_datetime DATETIME NOT NULL, user_id %[1]s NOT NULL, PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES user (id));
CREATE TABLE user_state (user_id %[1]s NOT NULL, state_id %[1]s NOT NULL, detail VARCHAR(500), created_datetime DATETIME NOT NULL,
	PRIMARY KEY (user_id, state_id), FOREIGN KEY(user_id) REFERENCES user (id), FOREIGN KEY(state_id) REFERENCES state (id));
CREATE TABLE ocr (id %[1]s NOT NULL AUTO_INCREMENT, version INTEGER NOT NULL, created_datetime DATETIME NOT NULL,
	image_id %[1]s NOT NULL, user_id %[1]s NOT NULL, content_id VARCHAR(30) NOT NULL,
	PRIMARY KEY (id), FOREIGN KEY(image_id) REFERENCES image (id), FOREIGN KEY(user_id) REFERENCES user (id), UNIQUE (content_id))`

func newOriginal(t *testing.T, idType, collation string) *originalService {
	t.Helper()
	o := &originalService{t: t, database: mariadbtest.Database(t), mongodb: mongotest.URI(t)}
	o.page, o.lines, o.boxes = drawn()
	c := mysql.NewConfig()
	c.Net, c.User = "tcp", "root"
	c.Addr, c.DBName, _ = strings.Cut(strings.TrimPrefix(o.database, "mariadb://root@"), "/")
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	o.rows = sql.OpenDB(connector)
	t.Cleanup(func() { o.rows.Close() })
	client, err := mongo.Connect(options.Client().ApplyURI(o.mongodb))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	name, _, _ := strings.Cut(o.mongodb[strings.LastIndex(o.mongodb, "/")+1:], "?")
	o.documents = client.Database(name)

	o.exec(`ALTER DATABASE CHARACTER SET utf8mb4 COLLATE ` + collation)
	for statement := range strings.SplitSeq(fmt.Sprintf(originalSchema, idType), ";\n") {
		o.exec(statement)
	}
	return o
}

func (o *originalService) exec(statement string, args ...any) {
	o.t.Helper()
	if _, err := o.rows.Exec(statement, args...); err != nil {
		o.t.Fatalf("%s: %v", statement, err)
	}
}

// upload stores an image as the original does, with the small chunks that it makes.
func (o *originalService) upload(id int, name string, data []byte, userID int) (gridFS bson.ObjectID) {
	o.t.Helper()
	gridFS, err := o.documents.GridFSBucket().UploadFromStream(o.t.Context(), name, bytes.NewReader(data),
		options.GridFSUpload().SetChunkSizeBytes(1024))
	if err != nil {
		o.t.Fatal(err)
	}
	thumbnail, err := o.documents.Collection("thumbnail").InsertOne(o.t.Context(), bson.D{{Key: "file", Value: bson.Binary{Data: o.page}}})
	if err != nil {
		o.t.Fatal(err)
	}
	o.exec(`INSERT INTO image VALUES (?, ?, 'image/png', ?, ?, '2024-03-02 09:30:00', ?)`, id, name, gridFS.Hex(),
		thumbnail.InsertedID.(bson.ObjectID).Hex(), userID)
	return gridFS
}

// result stores a result as the original does and returns its id.
func (o *originalService) result(document any, imageID, version int, created string, userID int) string {
	o.t.Helper()
	inserted, err := o.documents.Collection("ocr_res").InsertOne(o.t.Context(), document)
	if err != nil {
		o.t.Fatal(err)
	}
	id := inserted.InsertedID.(bson.ObjectID).Hex()
	o.exec(`INSERT INTO ocr (version, created_datetime, image_id, user_id, content_id) VALUES (?, ?, ?, ?, ?)`, version, created, imageID,
		userID, id)
	return id
}

func hashed(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// fill has people use the original service; it returns the ids of the results of image 3.
func (o *originalService) fill() (ids []string) {
	o.exec(`INSERT INTO role VALUES (7, 'admin'), (8, 'editor')`)
	o.exec(`INSERT INTO state VALUES (5, 'inactivate'), (6, 'blocked')`)
	o.exec(`INSERT INTO user VALUES (2, 'boss', ?, 'boss@example.org', '2024-01-01 00:00:00', 7),
		(3, 'Ann', ?, 'Ann@Example.org', '2024-02-29 12:00:00', NULL),
		(5, NULL, NULL, NULL, '2024-02-29 12:00:00', NULL), (6, 'bad', ?, 'bad@example.org', '2024-02-29 12:00:00', 8)`,
		hashed(o.t, adminPassword), strings.Replace(hashed(o.t, password), "$2a$", "$2b$", 1), hashed(o.t, password))
	o.exec(`INSERT INTO user_state VALUES (6, 6, '도배', '2024-03-01 00:00:00')`)
	o.exec(`INSERT INTO logged_in VALUES (4, 3, '2024-03-01 08:00:00'), (9, 3, '2024-03-01 09:00:00')`)

	o.upload(3, "한글 문서.png", o.page, 3)
	roi := func(b document.Box) bson.D {
		return bson.D{{Key: "x1", Value: b.X1}, {Key: "y1", Value: b.Y1}, {Key: "x2", Value: b.X2}, {Key: "y2", Value: b.Y2}}
	}
	ids = []string{
		o.result(bson.D{{Key: "roi", Value: roi(o.boxes[0])}, {Key: "detail", Value: bson.A{"Invoice", "", "No.", "1742\f"}}}, 3, 2,
			"2024-03-02 10:00:00", 3),
		o.result(bson.D{{Key: "roi", Value: bson.D{{Key: "x1", Value: 5}, {Key: "y1", Value: 0}, {Key: "x2", Value: 99999},
			{Key: "y2", Value: 0}}}, {Key: "detail", Value: bson.A{"둘"}}}, 3, 2, "2024-03-02 10:00:00", 3),
		o.result(bson.D{{Key: "detail", Value: "a text\nof two lines"}}, 3, 4, "2024-03-02 10:05:00", 2),
		// another run that got the same number
		o.result(bson.D{{Key: "roi", Value: bson.A{1, 2, 30, 40}}, {Key: "detail", Value: bson.A{}}}, 3, 4, "2024-03-02 10:06:00", 3),
		o.result(bson.D{{Key: "roi", Value: bson.D{{Key: "box", Value: bson.D{{Key: "x1", Value: 1.0}, {Key: "y1", Value: 2.0},
			{Key: "x2", Value: 30.0}, {Key: "y2", Value: 40.0}}}}},
			{Key: "detail", Value: bson.A{"in", bson.D{{Key: "text", Value: "lists"}}}}}, 3, 5, "2024-03-02 10:07:00", 3),
	}
	// Deleting an image that has results fails in the original, after its bytes are gone.
	gone := o.upload(4, "gone.png", o.page, 3)
	o.result(bson.D{{Key: "detail", Value: bson.A{"lost"}}}, 4, 1, "2024-03-02 10:00:00", 3)
	if err := o.documents.GridFSBucket().Delete(o.t.Context(), gone); err != nil {
		o.t.Fatal(err)
	}
	o.upload(5, "truncated.png", o.page[:len(o.page)/2], 3)
	o.upload(6, "drawing.svg", []byte("<svg/>"), 2)
	half := o.upload(7, "half.png", append(bytes.Clone(o.page), make([]byte, 5000)...), 2)
	if _, err := o.documents.Collection("fs.chunks").DeleteOne(o.t.Context(),
		bson.D{{Key: "files_id", Value: half}, {Key: "n", Value: 2}}); err != nil {
		o.t.Fatal(err)
	}
	lost := o.result(bson.D{{Key: "detail", Value: bson.A{"x"}}}, 5, 1, "2024-03-02 10:00:00", 3)
	oid, _ := bson.ObjectIDFromHex(lost)
	if _, err := o.documents.Collection("ocr_res").DeleteOne(o.t.Context(), bson.D{{Key: "_id", Value: oid}}); err != nil {
		o.t.Fatal(err)
	}
	o.upload(20, "deleted.png", o.page, 2)
	o.exec(`DELETE FROM image WHERE id = 20`)
	return ids
}

func (o *originalService) args(more ...string) []string {
	return append([]string{"migrate", "import", "--database", o.database, "--mongodb", o.mongodb, "--ocr-workers", "2"}, more...)
}

// tables returns the names of all tables and collections.
func (o *originalService) tables() (names []string) {
	o.t.Helper()
	rows, err := o.rows.Query(`SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name`)
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			o.t.Fatal(err)
		}
		names = append(names, name)
	}
	collections, err := o.documents.ListCollectionNames(o.t.Context(), bson.D{})
	if err != nil || rows.Err() != nil {
		o.t.Fatal(err, rows.Err())
	}
	return append(names, collections...)
}

// wantImported wants the service to serve what people have left in the original.
func (o *originalService) wantImported(ids []string) {
	t := o.t
	t.Helper()
	s := start(t, t.TempDir(), "--database", o.database, "--mongodb", o.mongodb)
	ann := s.login("ann", password) // the old hash, and whatever the letter case
	s.login("boss", adminPassword).do(http.StatusOK, "GET", path("/admin/user"), nil)
	for _, who := range []string{"bad", "nobody"} {
		r, err := try(s.request("POST", path("/user/login"), strings.NewReader("username="+who+"&password="+password), "Content-Type",
			"application/x-www-form-urlencoded"))
		if want := map[string]int{"bad": http.StatusForbidden, "nobody": http.StatusUnauthorized}[who]; err != nil || r.StatusCode != want {
			t.Errorf("%s signs in: %v, want %d (%v)", who, r.Status, want, err)
		}
	}
	logins := as[[]struct {
		Created time.Time `json:"created_datetime"`
	}](t, ann.do(http.StatusOK, "GET", path("/user/logins"), nil))
	if len(logins) != 3 || !logins[1].Created.Equal(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("sign-ins %v, want the two of old in UTC", logins)
	}

	images := as[[]api.Image](t, ann.do(http.StatusOK, "GET", path("/image"), nil))
	if len(images) != 2 || images[0].ID != 5 || images[1].ID != 3 {
		t.Fatalf("images %+v, want 5 and 3", images)
	}
	if r := ann.do(http.StatusOK, "GET", path("/image/3"), nil); !bytes.Equal(r.body, o.page) ||
		r.Header.Get("Content-Type") != "image/png" {
		t.Error("the image is not what it was")
	}
	if found := ann.search("글 문"); len(found) != 1 || found[0].ID != 3 {
		t.Errorf("the search finds %+v, want image 3", found)
	}
	config, err := png.DecodeConfig(bytes.NewReader(o.page))
	if err != nil || images[1].Width != config.Width || images[1].Height != config.Height || images[1].Name != "한글 문서.png" {
		t.Errorf("image 3: %+v", images[1])
	}
	for _, id := range []int{3, 5} {
		ann.do(http.StatusOK, "GET", path("/image/%d/thumbnail", id), nil)
	}
	ann.do(http.StatusNotFound, "GET", path("/image/4"), nil)

	runs := as[[]api.Run](t, ann.do(http.StatusOK, "GET", path("/image/3/ocr"), nil))
	w, h := images[1].Width, images[1].Height
	var got []api.Content
	for n, r := range runs {
		if r.Version != len(runs)-n {
			t.Errorf("run %d has the version %d", n, r.Version)
		}
		got = append(r.Contents, got...)
	}
	text := func(n, version int, text string, roi document.Box) api.Content {
		return api.Content{ID: ids[n], Version: version, Text: text, Detail: strings.Fields(text), Revision: 1, ROI: api.Box(roi),
			Words: []api.Word{}, SuggestedLang: []string{}, MissingLang: []string{}, Engine: "tesseract"}
	}
	want := []api.Content{
		text(0, 1, "Invoice No. 1742", o.boxes[0]), text(1, 1, "둘", document.Box{X1: 5, X2: w, Y2: h}),
		text(2, 2, "a text\nof two lines", document.Box{X2: w, Y2: h}),
		text(3, 3, "", document.Box{X1: 1, Y1: 2, X2: 30, Y2: 40}), text(4, 4, "in lists", document.Box{X1: 1, Y1: 2, X2: 30, Y2: 40}),
	}
	for n := range want {
		want[n].Lang = []string{} // none was given
		if len(want[n].Detail) == 0 {
			want[n].Detail = []string{}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if runs := as[[]api.Run](t, ann.do(http.StatusOK, "GET", path("/image/5/ocr"), nil)); len(runs) != 1 || len(runs[0].Contents) != 0 {
		t.Errorf("runs of image 5: %+v, want one without contents", runs)
	}
	for _, format := range []string{"txt", "json", "tsv", "hocr", "alto", "pdf"} {
		ann.do(http.StatusOK, "GET", path("/image/3/ocr/1/export?format=%s", format), nil)
	}
	ann.call(http.StatusOK, "PUT", path("/ocr/%s", ids[0]), object{"detail": []string{"Invoice", "No.", "1743"}})
	if c := as[api.Content](t, ann.do(http.StatusOK, "GET", path("/ocr/%s", ids[0]), nil)); c.Text != "Invoice No. 1743" ||
		c.Revision != 2 {
		t.Errorf("corrected to %+v", c)
	}
	if r := ann.call(http.StatusOK, "POST", path("/image/3/ocr"), o.boxes[:1]); r.Header.Get("OCR-Version") != "5" {
		t.Errorf("the next version is %s, want 5", r.Header.Get("OCR-Version"))
	}
	if next := ann.upload("next.png", o.page); next.ID != 21 {
		t.Errorf("the next image has the number %d, want 21, since 20 was given", next.ID)
	}
	ann.do(http.StatusNoContent, "DELETE", path("/image/3"), nil)
	s.stop()
	s.wait()

	// Signing in has made a new hash of the old one.
	db, err := sqlstore.Open(t.Context(), o.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if u, err := db.Users().ByName(t.Context(), "ann"); err != nil || u.ID != 3 || !strings.HasPrefix(u.PasswordHash, "$argon2id$") ||
		u.Email != "Ann@Example.org" ||
		!u.Created.Equal(time.Date(2024, 2, 29, 3, 0, 0, 0, time.UTC)) {
		t.Errorf("ann is %+v (%v)", u, err)
	}
	if u, err := db.Users().ByID(t.Context(), 6); err != nil || u.Role != "editor" ||
		!cmp.Equal(u.States, []account.State{{Name: "blocked", Detail: "도배", Created: time.Date(2024, 2, 29, 15, 0, 0, 0, time.UTC)}}) {
		t.Errorf("who was blocked is %+v (%v)", u, err)
	}
	if u, err := db.Users().ByID(t.Context(), 5); err != nil || !u.Resigned() {
		t.Errorf("who has resigned is %+v (%v)", u, err)
	}
}

func TestImport(t *testing.T) {
	for _, kind := range [][2]string{{"BIGINT", "utf8mb4_general_ci"}, {"INTEGER", "utf8mb4_bin"}} {
		t.Run(kind[0], func(t *testing.T) {
			o := newOriginal(t, kind[0], kind[1])
			ids := o.fill()
			before := o.tables()
			command(t, "", "serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database", o.database).want(t, exitFailure,
				"glyphbox migrate import")
			dry := command(t, "", o.args("--dry-run")...).want(t, exitOK, "4 users, 2 sign-ins, 5 images, 7 results").want(t, exitOK,
				"Image 4 (gone.png) of user 3 would be skipped with 1 result:").
				want(t, exitOK, "Image 3 (한글 문서.png): versions would be renumbered: 2 is 1 now, 4 is 2 now, 4 is 3 now, 5 is 4 now")
			if after := o.tables(); !cmp.Equal(before, after) {
				t.Errorf("a dry run changes something:\n%s%s", cmp.Diff(before, after), dry.stdout)
			}
			command(t, "", o.args()...).want(t, exitOK,
				"Imported: 4 users, 2 images. Left out: 3 images, as told above. Of 1 result there was no document").
				want(t, exitOK, "Image 4 (gone.png) of user 3 is skipped with 1 result: its bytes are missing").
				want(t, exitOK, "Image 6 (drawing.svg) of user 2 is skipped with 0 results: The format SVG is "+
					"not supported").
				want(t, exitOK, "Image 7 (half.png) of user 2 is skipped").
				want(t, exitOK, "Image 5 (truncated.png) is kept, but can no longer be decoded").
				want(t, exitOK, "Image 3 (한글 문서.png): versions are renumbered")
			o.wantImported(ids)
			command(t, "", o.args()...).want(t, exitFailure, "it has already been imported")
			// What is left of the original is not in the way.
			command(t, "", "copy", "--from-database", o.database, "--from-mongodb", o.mongodb, "--to-data-dir", t.TempDir()).want(t, exitOK,
				"Both sides are equal: 2 images")
			for _, table := range before[:7] {
				o.exec(`SELECT COUNT(*) FROM original_` + table)
			}
		})
	}
}

func TestImportIsKilled(t *testing.T) {
	o := newOriginal(t, "BIGINT", "utf8mb4_general_ci")
	ids := o.fill()
	// In the midst of setting aside, as far as others can see it.
	o.exec(`CREATE TABLE unfinished AS SELECT 'glyphbox migrate import' AS work`)
	o.exec(`RENAME TABLE user TO original_user`)
	command(t, "", o.args("--dry-run")...).want(t, exitOK, "4 users")
	o.exec(`RENAME TABLE ocr TO original_ocr, role TO original_role, state TO original_state, user_state TO original_user_state, ` +
		`logged_in TO original_logged_in, image TO original_image`)
	command(t, "", "serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database", o.database).want(t, exitFailure,
		"glyphbox migrate import has not been finished")
	for range 2 { // after the users, and then after one more image each
		if !killAfter(t, 1, o.args()...) {
			t.Fatal("it was not killed")
		}
		command(t, "", "serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database", o.database).want(t, exitFailure,
			"glyphbox migrate import has not been finished")
	}
	if !killAfter(t, 2, o.args()...) {
		t.Fatal("it was not killed")
	}
	command(t, "", o.args()...).want(t, exitOK, "Imported: 4 users, 2 images. Left out: 3 images")
	o.wantImported(ids)
}

func TestImportRefuses(t *testing.T) {
	o := newOriginal(t, "BIGINT", "utf8mb4_bin")
	o.fill()
	o.exec(`INSERT INTO user VALUES (11, 'BOSS', 'x', 'ANN@example.org', '2024-01-01 00:00:00', NULL)`)
	before := o.tables()
	command(t, "", o.args()...).want(t, exitFailure, "name boss is that of users 2 11").want(t, exitFailure,
		"email ann@example.org is that of users 3 11")
	o.exec(`DELETE FROM user WHERE id = 11`)
	command(t, "", o.args("--results", "thumbnail")...).want(t, exitFailure, "no collection has the documents")
	command(t, "", o.args("--max-pixels", "1000", "--dry-run")...).want(t, exitOK, "Nothing has been changed")
	for _, wrong := range [][]string{{"--utc-offset", "KST"}, {"--visibility", "all"}} {
		command(t, "", o.args(wrong...)...).want(t, exitUsage, wrong[0])
	}
	command(t, "", "migrate", "import", "--database", o.database).want(t, exitUsage, "--mongodb-file")
	if after := o.tables(); !cmp.Equal(before, after) {
		t.Errorf("a refused import changes something:\n%s", cmp.Diff(before, after))
	}
	o.exec(`ALTER TABLE ocr DROP COLUMN content_id`)
	command(t, "", o.args()...).want(t, exitFailure, "there is no column ocr.content_id")
	ours := mariadbtest.Database(t)
	command(t, "", "migrate", "up", "--data-dir", t.TempDir(), "--database", ours).want(t, exitOK, "")
	command(t, "", "migrate", "import", "--database", ours, "--mongodb", o.mongodb).want(t, exitFailure, "one of Glyphbox")

	// Too many pixels stop it, and it goes on with more.
	o = newOriginal(t, "BIGINT", "utf8mb4_general_ci")
	ids := o.fill()
	command(t, "", o.args("--max-pixels", "1000")...).want(t, exitFailure, "larger --max-pixels")
	command(t, "", o.args()...).want(t, exitOK, "Imported: 4 users, 2 images")
	o.wantImported(ids)
}

// Regions of the original are of the pixels as they are stored.

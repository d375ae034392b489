package porttest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"

	"golang.org/x/image/draw"
	"golang.org/x/text/unicode/norm"
)

// maxPixels is the budget of the fake imager.
const maxPixels = 100_000_000

// readFile reads a file that is stored or staged.
func (m *memory) readFile(ctx context.Context, f document.File) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := m.files.Open(ctx, f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	file, err := io.ReadAll(r)
	if rest, locked := bytes.CutPrefix(file, []byte(lock)); locked && err == nil {
		password, inner, _ := bytes.Cut(rest, []byte("\n"))
		if string(password) != f.Password {
			return nil, fault.New(fault.Invalid, "pdf_encrypted", "The file is encrypted. Its password is needed.").On("password",
				"the password of the file")
		}
		return inner, nil
	}
	return file, err
}

const lock = "locked by "

// Locked makes a file that the fakes of the imager and the engine open only with that password.
func Locked(file []byte, password string) []byte { return append([]byte(lock+password+"\n"), file...) }

func unsupported(err error) error {
	return fault.New(fault.Unsupported, "unsupported_image", "This is no image that is read here.").Because(err)
}

// header reads what the header of a file says, and its EXIF orientation.
func header(file []byte) (g document.Geometry, orientation int, err error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return g, 0, unsupported(err)
	}
	g = document.Geometry{MediaType: "image/" + format, Width: c.Width, Height: c.Height, Pages: 1}
	orientation = 1
	if _, exif, ok := bytes.Cut(file, []byte("Exif\x00\x00MM\x00*")); format == "jpeg" && ok {
		orientation = int(exif[15]) // behind the offset, the number of entries, and the tag, type and count of the first
	}
	if orientation >= 5 {
		g.Width, g.Height = g.Height, g.Width
	}
	if _, phys, ok := bytes.Cut(file, []byte("pHYs")); format == "png" && ok {
		g.DPI = int(float64(binary.BigEndian.Uint32(phys))*0.0254 + 0.5)
	}
	if g.Width*g.Height > maxPixels {
		return g, 0, fault.New(fault.TooLarge, "too_many_pixels", "The image has too many pixels.")
	}
	return g, orientation, nil
}

// probe finds the pages of a file. What is wrong with one of several is its Error.
func probe(file []byte) (p document.Probe, err error) {
	n := max(len(directories(file)), 1)
	if moving, err := gif.DecodeAll(bytes.NewReader(file)); err == nil && len(moving.Image) > 1 {
		p.Frames = len(moving.Image)
	}
	for number := 1; number <= n; number++ {
		g, _, err := header(onlyPage(file, number))
		var page document.PageProbe
		if f, isFault := errors.AsType[*fault.Fault](err); isFault && n > 1 {
			page.Error = &fault.Failure{Code: f.Code, Detail: f.Text}
		} else if err != nil {
			return document.Probe{}, err
		} else {
			p.MediaType = g.MediaType
			page = document.PageProbe{Width: g.Width, Height: g.Height, DPI: g.DPI}
		}
		p.Pages = append(p.Pages, page)
	}
	return p, nil
}

// directories are where those of a little-endian TIFF stand; none of another file.
func directories(file []byte) (offsets []uint32) {
	if !bytes.HasPrefix(file, []byte("II*\x00")) || len(file) < 8 {
		return nil
	}
	at := binary.LittleEndian.Uint32(file[4:])
	for at != 0 && int(at)+2 < len(file) {
		offsets = append(offsets, at)
		next := int(at) + 2 + 12*int(binary.LittleEndian.Uint16(file[at:]))
		if next+4 > len(file) {
			break
		}
		at = binary.LittleEndian.Uint32(file[next:])
	}
	return offsets
}

// onlyPage returns a file of which the first page is that page of a file.
func onlyPage(file []byte, number int) []byte {
	if number == 1 {
		return file
	}
	offsets := directories(file)
	if number > len(offsets) {
		return nil
	}
	return append(binary.LittleEndian.AppendUint32([]byte("II*\x00"), offsets[number-1]), file[8:]...)
}

// turned decodes a page and turns it as it asks for.
func (m *memory) turned(ctx context.Context, p document.Page) (image.Image, error) {
	page, err := m.upright(ctx, p)
	if err != nil || p.Rotation == 0 {
		return page, err
	}
	return Turned(page, p.Rotation), nil
}

// upright decodes a page.
func (m *memory) upright(ctx context.Context, p document.Page) (image.Image, error) {
	file, err := m.readFile(ctx, p.File)
	if err != nil {
		return nil, err
	}
	if n := max(len(directories(file)), 1); p.Number < 1 || p.Number > n {
		m.wrong("page %d of a file of %d", p.Number, n)
	}
	file = onlyPage(file, p.Number)
	g, orientation, err := header(file)
	if err != nil {
		return nil, err
	}
	stored, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, unsupported(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, g.Width, g.Height))
	if orientation == 1 {
		draw.Draw(out, out.Bounds(), stored, stored.Bounds().Min, draw.Src)
		return out, nil
	}
	for y := range g.Height {
		for x := range g.Width {
			sx, sy := storedAt(orientation, image.Pt(g.Width, g.Height), x, y)
			out.Set(x, y, stored.At(sx, sy))
		}
	}
	return out, nil
}

type fakeImager struct{ *memory }

func (f fakeImager) Probe(ctx context.Context, file document.File) (p document.Probe, err error) {
	b, err := f.readFile(ctx, file)
	if err != nil {
		return p, err
	}
	err = f.do(ctx, "Imager.Probe", func() error { p, err = probe(b); return err })
	return p, err
}

func (f fakeImager) Thumbnail(ctx context.Context, p document.Page, side int) (document.Rendition, error) {
	m, err := f.turned(ctx, p)
	if err != nil {
		return document.Rendition{}, err
	}
	return f.render(ctx, "Imager.Thumbnail", m, m.Bounds(), side, side)
}

func (f fakeImager) View(ctx context.Context, p document.Page, part document.Box, width int) (document.Rendition, error) {
	m, err := f.turned(ctx, p)
	if err != nil {
		return document.Rendition{}, err
	}
	of := image.Rect(part.X1, part.Y1, part.X2, part.Y2)
	if of.Empty() || !of.In(m.Bounds()) {
		f.wrong("a view of %v on a page of %v", of, m.Bounds())
	}
	return f.render(ctx, "Imager.View", m, of, width, unbounded)
}

// Mended returns the file as it is: the fakes know no damaged ones.
func (f fakeImager) Mended(ctx context.Context, file document.File, _ []int) ([]byte, error) {
	b, err := f.readFile(ctx, file)
	if err != nil {
		return nil, err
	}
	return b, f.do(ctx, "Imager.Mended", func() error { return nil })
}

func (f fakeImager) render(ctx context.Context, op string, m image.Image, part image.Rectangle, maxWidth,
	maxHeight int) (r document.Rendition, err error) {
	err = f.do(ctx, op, func() error {
		size := part.Size()
		scale := min(1, float64(maxWidth)/float64(size.X), float64(maxHeight)/float64(size.Y))
		small := image.NewRGBA(image.Rect(0, 0, max(1, int(scale*float64(size.X))), max(1, int(scale*float64(size.Y)))))
		draw.ApproxBiLinear.Scale(small, small.Bounds(), m, part, draw.Src, nil)
		r = document.Rendition{MediaType: "image/png", Bytes: PNG(small)}
		return nil
	})
	return r, err
}

type fakeEngine struct{ *memory }

// judgeOrder checks what an engine may take for granted.
func (f fakeEngine) judgeOrder(o recognition.Order, page image.Image) {
	whole := document.Box{X2: page.Bounds().Dx(), Y2: page.Bounds().Dy()}
	if len(o.Tasks) == 0 {
		f.wrong("an order without tasks")
	}
	for _, t := range o.Tasks {
		if t.Box.Empty() || t.Box.Intersect(whole) != t.Box {
			f.wrong("the region %v is not within the page %v", t.Box, whole)
		}
		if !t.Shape.Valid() {
			f.wrong("the shape %d", t.Shape)
		}
		if !slices.Contains(recognition.Rotates, t.Rotate) || !slices.Contains(recognition.Efforts, t.Effort) {
			f.wrong("the rotation %q and the effort %q", t.Rotate, t.Effort)
		}
		if !slices.Contains(recognition.Sources, t.Source) {
			f.wrong("the source %q", t.Source)
		}
		if len(t.Lang) == 0 {
			f.wrong("a task without language")
		}
		if wrong := f.Check(t.Mode, t.Lang); len(wrong) > 0 {
			f.wrong("a task that the engine cannot do: %v", wrong)
		}
		for _, l := range t.Lang {
			if l != recognition.AutoLang && !slices.Contains(f.languages, l) {
				f.wrong("the language %s, which is not installed", l)
			}
		}
	}
}

func (f fakeEngine) Recognize(ctx context.Context, o recognition.Order) (readings []recognition.Reading, err error) {
	page, err := f.turned(ctx, o.Page)
	if err != nil {
		return nil, err
	}
	err = f.do(ctx, "Engine.Recognize", func() error {
		f.judgeOrder(o, page)
		for _, t := range o.Tasks {
			readings = append(readings, f.reading(t))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return readings, nil
}

func (f fakeEngine) reading(t recognition.Task) recognition.Reading {
	r := recognition.Reading{Lang: f.written(t.Lang), Shape: cmp.Or(t.Shape, recognition.ShapeLine),
		Engine: cmp.Or(f.readBy[t.Box], "fake 1.0"), Scale: 1, Passes: 1, Duration: time.Millisecond, Effort: t.Effort,
		Source: recognition.SourceOCR}
	if t.Source == recognition.SourceText {
		r.Error = &fault.Failure{Code: recognition.CodeNoText, Detail: "A fake has no text layer."}
		return r
	}
	r.Rotation, _ = strconv.Atoi(string(t.Rotate)) // auto is upright
	if failure, ok := f.failures[t.Box]; ok {
		r.Error = &failure
		return r
	}
	if !slices.Contains(t.Lang, recognition.AutoLang) {
		r.Suggested = slices.Clone(f.suggests[t.Box])
	}
	text, ok := f.says[t.Box]
	if !ok {
		text = fmt.Sprintf("region %d,%d,%d,%d", t.X1, t.Y1, t.X2, t.Y2)
	}
	if t.Charset != "" {
		text = strings.Map(func(c rune) rune {
			if c == ' ' || c == '\n' || strings.ContainsRune(t.Charset, c) {
				return c
			}
			return -1
		}, text)
	}
	r.Text = strings.TrimSpace(text)
	words, engines := strings.Fields(r.Text), strings.Split(r.Engine, ", ")
	for i, w := range words { // side by side
		box := t.Box
		box.X1, box.X2 = t.X1+i*t.Width()/len(words), t.X1+(i+1)*t.Width()/len(words)
		r.Words = append(r.Words, recognition.Word{Text: w, Box: box, Confidence: 0.9, Engine: engines[i%len(engines)]})
		r.Confidence = 0.9
	}
	return r
}

// written are the languages that are read for those asked for: the first one that is installed for AutoLang.
func (f fakeEngine) written(lang []string) []string {
	if slices.Contains(lang, recognition.AutoLang) {
		return f.languages[:1:1]
	}
	return slices.Clone(lang)
}

func (f fakeEngine) Prepared(ctx context.Context, o recognition.Order) (r document.Rendition, err error) {
	page, err := f.turned(ctx, o.Page)
	if err != nil {
		return r, err
	}
	err = f.do(ctx, "Engine.Prepared", func() error {
		f.judgeOrder(o, page)
		b := o.Tasks[0].Box
		m := page.(*image.RGBA).SubImage(image.Rect(b.X1, b.Y1, b.X2, b.Y2))
		r = document.Rendition{MediaType: "image/png", Bytes: PNG(m)}
		return nil
	})
	return r, err
}

// Layout finds one region: the page without its margins, which are a tenth.
func (f fakeEngine) Layout(ctx context.Context, p document.Page, _ recognition.Level) (suggestions []recognition.Suggestion, err error) {
	page, err := f.turned(ctx, p)
	if err != nil {
		return nil, err
	}
	err = f.do(ctx, "Engine.Layout", func() error {
		size := page.Bounds().Size()
		box := document.Box{X1: size.X / 10, Y1: size.Y / 10, X2: size.X - size.X/10, Y2: size.Y - size.Y/10}
		suggestions = []recognition.Suggestion{{Box: box}}
		return nil
	})
	return suggestions, err
}

func (f fakeEngine) Languages(ctx context.Context) (languages []string, err error) {
	err = f.do(ctx, "Engine.Languages", func() error { languages = slices.Clone(f.languages); return nil })
	return languages, err
}

func (f fakeEngine) Modes() map[recognition.Mode]string {
	return map[recognition.Mode]string{0: "the old way", 1: "the new way", 2: "both", recognition.BestMode: "the best"}
}

// Check knows that kor cannot be read the old way.
func (f fakeEngine) Check(mode recognition.Mode, lang []string) []fault.Field {
	switch {
	case f.Modes()[mode] == "":
		return []fault.Field{{Field: "oem", Detail: "0, 1, 2 or 3"}}
	case (mode == 0 || mode == 2) && slices.Contains(lang, "kor"):
		return []fault.Field{{Field: "oem", Detail: "kor cannot be read the old way"}}
	}
	return nil
}

// fakeTokens signs with a digest over a key.
type fakeTokens struct{ key string }

func newFakeTokens() fakeTokens { return fakeTokens{key: rand.Text()} }

func (f fakeTokens) Sign(c account.Claims) (string, error) {
	claims, err := json.Marshal(c)
	text := base64.RawURLEncoding.EncodeToString(claims)
	return text + "." + f.sum(text), err
}

func (f fakeTokens) sum(text string) string {
	sum := sha256.Sum256([]byte(f.key + text))
	return hex.EncodeToString(sum[:])
}

func (f fakeTokens) Verify(token string, now time.Time) (c account.Claims, err error) {
	text, sum, _ := strings.Cut(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(claims, &c)
	}
	switch {
	case err != nil || sum != f.sum(text) || now.Before(c.Issued.Truncate(time.Second)):
		return account.Claims{}, fault.New(fault.Unauthenticated, "invalid_token", "The token is not valid.").Because(err)
	case !now.Before(c.Expires):
		return account.Claims{}, fault.New(fault.Unauthenticated, "token_expired", "The token has expired.")
	}
	return c, nil
}

// fakePasswords are quick to hash.
type fakePasswords struct{ *memory }

const (
	hashOfToday = "fake2"
	hashOfOld   = "fake1"
)

func fakeHash(kind, salt, password string) string {
	sum := sha256.Sum256([]byte(salt + norm.NFC.String(password)))
	return kind + "$" + salt + "$" + hex.EncodeToString(sum[:])
}

// OldHash returns a hash of an older kind.
func (m *memory) OldHash(password string) string { return fakeHash(hashOfOld, rand.Text(), password) }

func (f fakePasswords) Hash(ctx context.Context, password string) (hash string, err error) {
	err = f.do(ctx, "Passwords.Hash", func() error { hash = fakeHash(hashOfToday, rand.Text(), password); return nil })
	return hash, err
}

func (f fakePasswords) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	err = f.do(ctx, "Passwords.Verify", func() error {
		parts := strings.Split(hash, "$")
		ok = len(parts) == 3 && hash == fakeHash(parts[0], parts[1], password)
		outdated = ok && parts[0] != hashOfToday
		return nil
	})
	return ok, outdated, err
}

var (
	_ document.Imager    = fakeImager{}
	_ recognition.Engine = fakeEngine{}
	_ account.Tokens     = fakeTokens{}
	_ account.Passwords  = fakePasswords{}
)

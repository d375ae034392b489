// Package overlay lays text over the pages of a PDF. It is for worker processes: it reads untrusted files, which may make it take much
// memory or panic.
//
// It appends an incremental update with the pages that get text. Everything else stays unchanged, byte for byte, including links,
// outline, metadata and signatures. A file that is encrypted or damaged, or of which only some pages are wanted, is rewritten first.
package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"glyphbox/internal/adapter/transcript/protocol"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/pdfparse"
)

// errUnreadable is the fault for files that cannot be parsed.
var errUnreadable = fault.New(fault.Unsupported, "pdf_unreadable", "The PDF is too damaged to add text to it.")

// Lay lays text over the pages of a file. contents has the contents of the layers one after the other.
func Lay(file, contents []byte, job protocol.Job) (answer protocol.Answer, added []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errUnreadable.Because(fmt.Errorf("panic: %v", p))
		}
	}()
	ctx, file, password, err := pdfparse.Read(file, job.Password)
	if err != nil {
		return protocol.Answer{}, nil, errUnreadable.Because(err)
	}
	answer.Encrypted = ctx.Encrypt != nil
	previous, ok := lastSection(file)
	if answer.Encrypted && !ok {
		return protocol.Answer{}, nil, errUnreadable.Because(errors.New("a repaired file may not be fully decrypted"))
	}
	if answer.Encrypted || len(job.Keep) > 0 || !ok {
		answer.Whole = true
		if file, err = rewritten(file, job.Keep, answer.Encrypted, password); err != nil {
			return protocol.Answer{}, nil, errUnreadable.Because(err)
		}
		if ctx, err = api.ReadContext(bytes.NewReader(file), pdfparse.Configuration("")); err != nil {
			return protocol.Answer{}, nil, errUnreadable.Because(err)
		}
		if previous, ok = lastSection(file); !ok {
			return protocol.Answer{}, nil, errUnreadable
		}
		job = renumbered(job)
	}
	u := update{ctx: ctx, at: int64(len(file)), previous: previous, next: *ctx.Size}
	if err := u.lay(job, contents); err != nil {
		return protocol.Answer{}, nil, errUnreadable.Because(err)
	}
	if answer.Whole {
		return answer, append(file, u.b.Bytes()...), nil
	}
	return answer, u.b.Bytes(), nil
}

// renumbered is the job for the file that has only the pages that are kept.
func renumbered(job protocol.Job) protocol.Job {
	if len(job.Keep) == 0 {
		return job
	}
	job.Layers = slices.Clone(job.Layers)
	for i, l := range job.Layers {
		job.Layers[i].Page = slices.Index(job.Keep, l.Page) + 1 // 0 is no page
	}
	job.Keep = nil
	return job
}

// rewritten is a file, or some pages of it, written anew without encryption. An encrypted file is first decrypted as a whole, whatever its
// permissions say.
func rewritten(file []byte, keep []int, encrypted bool, password string) ([]byte, error) {
	if encrypted || len(keep) == 0 {
		conf := pdfparse.Configuration(password)
		if conf.Cmd = model.OPTIMIZE; encrypted {
			conf.Cmd = model.DECRYPT
		}
		ctx, err := api.ReadValidateAndOptimize(bytes.NewReader(file), conf)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := api.WriteContext(ctx, &out); err != nil {
			return nil, err
		}
		file = out.Bytes()
	}
	if len(keep) == 0 {
		return file, nil
	}
	pages := make([]string, len(keep))
	for i, n := range keep {
		pages[i] = fmt.Sprint(n)
	}
	var out bytes.Buffer
	err := api.Trim(bytes.NewReader(file), &out, pages, pdfparse.Configuration(""))
	return out.Bytes(), err
}

// update is what is added behind a file.
type update struct {
	ctx      *model.Context
	b        bytes.Buffer
	at       int64 // where it begins
	previous section
	next     int // number of the next object
	pages    []leaf
	entries  []entry
}

// entry is where an object is.
type entry struct {
	number, generation int
	offset             int64
}

func (u *update) lay(job protocol.Job, contents []byte) error {
	u.b.WriteByte('\n')
	last := 0
	for _, l := range job.Layers {
		last = max(last, l.Page)
	}
	var err error
	if u.pages, err = u.leaves(last); err != nil {
		return err
	}
	first := u.next
	references := make([]string, 0, 2*len(job.Font))
	for i := range job.Font {
		references = append(references, fmt.Sprintf("{%d}", i), fmt.Sprintf("%d 0 R", first+i))
	}
	named := strings.NewReplacer(references...)
	for _, o := range job.Font {
		u.add(named.Replace(o.Dict), o.Data)
	}
	for _, l := range job.Layers {
		if l.Length < 0 || l.Length > int64(len(contents)) {
			return fmt.Errorf("layers of too many bytes")
		}
		content := contents[:l.Length]
		contents = contents[l.Length:]
		if l.Page == 0 {
			continue
		}
		if err := u.page(l, content, job.FontName, first); err != nil {
			return fmt.Errorf("page %d: %w", l.Page, err)
		}
	}
	u.finish()
	return nil
}

// add writes a new object and returns its number.
func (u *update) add(dict string, data []byte) int {
	n := u.next
	u.next++
	u.write(n, 0, dict, data)
	return n
}

func (u *update) write(number, generation int, dict string, data []byte) {
	u.entries = append(u.entries, entry{number, generation, u.at + int64(u.b.Len())})
	if data == nil {
		fmt.Fprintf(&u.b, "%d %d obj\n%s\nendobj\n", number, generation, dict)
		return
	}
	dict = strings.TrimSuffix(strings.TrimSpace(dict), ">>")
	fmt.Fprintf(&u.b, "%d %d obj\n%s /Length %d >>\nstream\n%s\nendstream\nendobj\n", number, generation, dict, len(data), data)
}

// page lays a layer below the contents of a page. That makes no difference, since the layer is not painted, and it leaves the graphics
// state of the contents as it was.
func (u *update) page(l protocol.Layer, shown []byte, fontName string, font int) error {
	page, err := pageOf(u.pages, l.Page)
	if err != nil {
		return err
	}
	d := page.dict.Clone().(types.Dict)
	rotation := ((u.rotation(page)+l.Turn)%360 + 360) % 360
	if l.Turn != 0 {
		d["Rotate"] = types.Integer(rotation)
	}
	if len(shown) > 0 && !u.hasHiddenText(page, l.Page) {
		var content bytes.Buffer
		fmt.Fprintf(&content, "q %s cm\n%s\nQ\n", placed(u.visible(page), rotation, l.Width, l.Height), shown)
		stream := u.add("<< /Filter /FlateDecode >>", protocol.Deflated(content.Bytes()))
		contents, err := u.contents(d, stream)
		if err != nil {
			return err
		}
		d["Contents"] = contents
		d["Resources"] = u.resources(page, fontName, font)
	}
	u.write(page.reference.ObjectNumber.Value(), page.reference.GenerationNumber.Value(), d.PDFString(), nil)
	return nil
}

// placed is the matrix from a layer of that size to a box of a page that is turned clockwise by that many degrees when it is shown.
func placed(box types.Rectangle, rotation int, width, height float64) string {
	w, h := box.Width(), box.Height()
	if rotation%180 != 0 {
		w, h = h, w
	}
	sx, sy := w/width, h/height
	m := map[int][6]float64{
		0:   {sx, 0, 0, sy, box.LL.X, box.LL.Y},
		90:  {0, sx, -sy, 0, box.UR.X, box.LL.Y},
		180: {-sx, 0, 0, -sy, box.UR.X, box.UR.Y},
		270: {0, -sx, sy, 0, box.LL.X, box.UR.Y},
	}[rotation]
	return fmt.Sprintf("%.6f %.6f %.6f %.6f %.4f %.4f", m[0], m[1], m[2], m[3], m[4], m[5])
}

// contents is the list of the streams of a page with another one before them.
func (u *update) contents(d types.Dict, stream int) (types.Array, error) {
	all := types.Array{*types.NewIndirectRef(stream, 0)}
	switch own := d["Contents"].(type) {
	case nil:
	case types.IndirectRef:
		o, err := u.ctx.Dereference(own)
		if err != nil {
			return nil, err
		}
		if list, ok := o.(types.Array); ok {
			all = append(all, list...)
		} else if o != nil {
			all = append(all, own)
		}
	case types.Array:
		all = append(all, own...)
	}
	return all, nil
}

// resources are those of a page, which may be those of pages above it, with a font more.
func (u *update) resources(page leaf, name string, font int) types.Dict {
	all, fonts := types.NewDict(), types.NewDict()
	for k, v := range u.dictOf(page.inherited["Resources"]) {
		all[k] = v
	}
	for k, v := range u.dictOf(all["Font"]) {
		fonts[k] = v
	}
	fonts[name] = *types.NewIndirectRef(font, 0)
	all["Font"] = fonts
	return all
}
